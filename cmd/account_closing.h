/* xenmeter account close, correct and replay: what they share. */
#ifndef XENMETER_CMD_ACCOUNT_CLOSING_H
#define XENMETER_CMD_ACCOUNT_CLOSING_H

#include "account/closed.h"
#include "account_reading.h"

struct account_closing_command {
    struct account_command account;
    const char *closed; /* of correct: closed files, divided by commas */
    const char *into;   /* of correct: the open period */
    const char *reason; /* of correct; NULL: not given */
    bool entries;       /* of replay: all of them, not added up */
    bool granularity_given;
};

/* All zero at first. */
struct account_closing {
    const struct account_closing_command *own;
    struct account_reading reading;
    struct closed now; /* what the archives say */
    size_t archives_capacity;
    struct error why; /* of a failure while a statement is taken */
};

/*
 * "2026-11", "2026-11-29", "2026-11-29T07:00": the month, day or hour in the zone, which was set. *granularity: which of them. -1 with
 * `err` filled: it is none of these.
 */
int account_closing_period(const char *text, struct account_period *period,
                           enum account_granularity *granularity, struct error *err);

/*
 * Reads the archives of c->now.closed_period, by c->reading, with prices as c->reading.billing has them: fills c->now but for what it is
 * (kind, program, labels, period, reason, cause). -1 with `err` filled, or said.
 */
int account_closing_read(struct account_closing *c, struct error *err);
void account_closing_free(struct account_closing *c);

/* Writes the file of -o, which must not be there yet, and reports it. The exit code, everything having been said. */
int account_closing_write(struct account_closing *c, struct closed *closed);

/* Whether -o names a file that is not there yet. -1 with `err` filled. */
int account_closing_check_output(const struct options *o, struct error *err);

/* What went wrong: said once. EXIT_ERROR. */
int account_closing_failed(const struct account_closing *c, const struct error *err);

/* ---- several files of one period ---- */

struct closed_set {
    struct closed *at; /* the statement, then its corrections in order */
    size_t n, capacity;
};

/*
 * Reads the statement of a period and its corrections, in any order. -1 with `err` filled and *file the one that is wrong: it cannot be
 * read, or was altered; they are of several periods, or not all are there.
 */
int closed_set_read(struct closed_set *s, char *const *files, size_t n, const char **file, struct error *err);
void closed_set_free(struct closed_set *s);

/* All their entries, with their rounds. False: no memory. */
bool closed_set_entries(const struct closed_set *s, struct entries *to);

#endif
