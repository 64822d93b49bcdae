/* The events of which an entry tells: a table that who writes and who reads look at. */
#ifndef XENMETER_ARCHIVE_ENTRY_LINES_H
#define XENMETER_ARCHIVE_ENTRY_LINES_H

#include <stddef.h>

#include "parser/decode/event_table.h"

struct entry_line {
    unsigned slot;
    unsigned words_least,
        words_most; /* RUNSTATE_CHANGE: the second one is the slice, UINT32_MAX: none; the third one says */
                    /* how many ns before its tsc the state changed */
};

/* NULL: entries do not tell of such events. */
static inline const struct entry_line *entry_line_of(unsigned slot)
{
    static const struct entry_line lines[] = {
        {EVENT_RUNSTATE_CHANGE, 1, 3}, {EVENT_CONTINUE_RUNNING, 1, 1}, {EVENT_YIELD, 2, 2},
        {EVENT_SLEEP, 2, 2},           {EVENT_LOST_RECORDS, 2, 2},     {EVENT_DOM_ADD, 1, 2},
        {EVENT_DOM_REM, 1, 2},         {EVENT_DOM0_DOM_ADD, 1, 2},     {EVENT_DOM0_DOM_REM, 1, 2},
    };
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        if (lines[i].slot == slot)
            return &lines[i];
    return NULL;
}

#endif
