/*
 * What debt and guard share: a reading that decides by a policy, row by row, and acts on a host if that is asked for
 * (acting.h). Each command describes itself by a struct controlling_kind.
 */
#ifndef XENMETER_CMD_CONTROLLING_H
#define XENMETER_CMD_CONTROLLING_H

#include "acting.h"
#include "reading.h"

/* What both have options for; each command's own struct begins with it. */
struct controlling_options {
    struct options common;
    const char *rules;  /* a list of --reserve or --limit; NULL: not given */
    const char *policy; /* the file of --policy; NULL: not given */
    uint64_t length_ns; /* of the intervals: --feedback or --window; 0: not given */
    unsigned over;      /* what rows are over: enum over, or-ed; 0: not given */
    struct acting_options acting;
};

enum over { OVER_INTERVALS = 1 << 0, OVER_TOTAL = 1 << 1, OVER_ACTIONS = 1 << 2 };

/* Rows of .policy and -g. */
#define OPTION_POLICY                                                                                        \
    OPTION(0, "policy", "FILE", "the same from a file: see xenmeter-policy(5)", .set = set_text,             \
           .offset = offsetof(struct controlling_options, policy), .choices = ":file")
#define OPTION_RULES(NAME, HELP)                                                                             \
    OPTION(0, NAME, "LIST", HELP, .set = set_text, .offset = offsetof(struct controlling_options, rules))

struct controlling;
struct subject;

struct controlling_kind {
    const struct acting_controller *controller;
    /* Of the rows: where nothing acts, and where something does. These begin with one of those. Ended by NULL. */
    const struct relation *relations[3];
    const char *length, *length_option; /* what the intervals are: "window"; the option for it: "window" */
    /* Reads the policy, makes what decides, and calls controlling_begin. -1 with `err` filled. */
    int (*prepare)(struct controlling *c, struct error *err);
    const char *no_rows; /* what it means that no row is left */
    /* A domain of the policy that has not appeared; NULL: all have. */
    const struct subject *(*missing)(const struct controlling *c);
    /* The rows of the whole trace (of the first relation): *n of *whole. NULL: no memory. */
    const void *(*totals)(struct controlling *c, struct interval *whole, size_t *n);
    size_t (*memory)(const void *controlling);
    /* Reads the file of the policy again, and uses it; it stays as it was otherwise: -1 with `err` filled. */
    int (*reload)(struct controlling *c, struct error *err);
};

struct waiting_interval;

/* One run; the command's own struct begins with it. */
struct controlling {
    struct reading reading;
    const struct controlling_kind *kind;
    bool acts; /* on a host, or says how it would */
    struct acting acting;
    atomic_int *reload;              /* a signal asks for the policy to be read again; NULL: it cannot */
    const struct relation *relation; /* of the rows */
    unsigned over;                   /* enum over, or-ed */
    uint64_t lengths_ns[2];          /* of these intervals */
    /* rows that wait until every domain of the policy has appeared: that one never does then leaves nothing half-written */
    struct waiting_interval *intervals;
    void *rows;
    size_t intervals_n, intervals_capacity, rows_n, rows_capacity;
};

static inline const struct controlling_options *controlling_options(const struct controlling *c)
{
    return (const struct controlling_options *)c->reading.options;
}

/*
 * Runs the command; `c` is all zero but for its kind and whether it acts. What acts is ended in all cases. Returns the exit code,
 * everything having been said. controlling_free then.
 */
int controlling_command(struct controlling *c, const struct options *o);
void controlling_free(struct controlling *c);

/* The policy cannot be used because of `why`: names it. -1. */
int controlling_policy_wrong(const struct controlling *c, const struct error *why, struct error *err);

/* Completes the reading, whose meter has what the controller wants: rows are over intervals of so long. -1 with `err` filled. */
int controlling_begin(struct controlling *c, uint64_t length_ns, struct error *err);

/* Writes the n rows of an interval (of c->relation), or keeps them while a domain is missing. 0, or -1: the work ends. */
int controlling_write(struct controlling *c, const struct interval *interval, const void *rows, size_t n);

/* What is known of the trace by now; of an archive: of all of it. */
void controlling_quality(const struct controlling *c, struct quality *quality);

/* ---- options ---- */

/* A word of -g, of those by enum over. -1 with `err` filled: "'WORD' is WRONG". */
int controlling_set_over(struct options *o, const char *text, const char *const *words, const char *wrong,
                         struct error *err);

/*
 * Whether the shared options go together; `rules` is the option for them with an example ("--limit 3=5%"). -1 with `err`
 * filled.
 */
int controlling_check(struct controlling_options *o, const struct controlling_kind *kind, const char *rules,
                      struct error *err);

#endif
