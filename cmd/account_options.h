/* Options that the commands of account share, and what they set. */
#ifndef XENMETER_CMD_ACCOUNT_OPTIONS_H
#define XENMETER_CMD_ACCOUNT_OPTIONS_H

#include "account.h"

/* For struct account_closing_command. */
set_option set_closing_granularity;

#define OPTION_ACCOUNT_ZONE                                                                                  \
    OPTION(0, "tz", "ZONE", "hours, days and months of this time zone (Europe/Berlin); default: UTC",        \
           .set = set_text, .offset = offsetof(struct account_command, zone))

#define OPTIONS_ACCOUNT_READING                                                                              \
    OPTIONS_HEADING("How to read it"),                                                                       \
        OPTION_HOST_FACTS("times of day and names for archives that have no times of day themselves"),       \
        OPTION('j', "jobs", "N", "read N archives at a time (default: one for each CPU)", .set = set_jobs),  \
        OPTION(0, "max-memory", "SIZE", "give up rather than use more for one period (default 1G)",          \
               .set = set_max_memory, .choices = "256M\n1G\n4G"),                                            \
        OPTION_PROGRESS, OPTION_QUIET

#endif
