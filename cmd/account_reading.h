/* What the commands of account share that read archives: what is read, how, and what is said of it. */
#ifndef XENMETER_CMD_ACCOUNT_READING_H
#define XENMETER_CMD_ACCOUNT_READING_H

#include "account.h"
#include "account_bill.h"
#include "archive/host_facts.h"

struct account_reading {
    const struct account_command *own;
    struct account_options run;
    struct host_facts given;
    struct account_findings findings;
    struct progress progress;
    struct account_billing billing; /* with prices, tags or sharing */
    struct texts paths;             /* of archives that count; may be there several times: */
    const char **used;
    size_t used_n, used_capacity;
    bool used_failed; /* no memory for them */
    bool said;        /* what was wrong with a file of the options */
};

/*
 * What the options say of the archives `paths` and of how they are read: r->run is complete but for what the command wants besides. Reads
 * facts about hosts, sets the zone, shows progress from now on. -1 with `err` filled, or said (r->said). account_reading_free in both
 * cases.
 */
int account_reading_begin(struct account_reading *r, const struct account_command *own, char *const *paths,
                          size_t paths_n, struct error *err);

/*
 * Reads the files of prices and tags, or takes these texts where they are not given (NULL: there are none), and notes where prices
 * change. -1 as above.
 */
int account_reading_money(struct account_reading *r, const struct sharing *sharing, const char *rates,
                          const char *tags, struct error *err);
/* For r->run.used: notes the archives that count. */
void account_reading_note(void *reading, const char *file);
void account_reading_free(struct account_reading *r);

#endif
