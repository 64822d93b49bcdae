/* xenmeter account: prices, tags and sharing, as the options ask for them. */
#ifndef XENMETER_CMD_ACCOUNT_MONEY_H
#define XENMETER_CMD_ACCOUNT_MONEY_H

#include "account/bill.h"
#include "account/bill_line.h"
#include "account/statement.h"
#include "formats/buffer.h"
#include "parser/error.h"

/* What the options say; a member of the command's options. */
struct money_options {
    const char *rates, *tags; /* files; NULL: not given */
    const char *tag;          /* of --by tag:NAME; NULL: the first */
    struct sharing sharing;
    bool shared; /* --share-idle, --share-overhead or --basis was given */
};

/* Whether rows are those of a bill. */
static inline bool money_wanted(const struct money_options *o)
{
    return o->rates || o->tags || o->shared;
}

/* libgmp cannot report that memory ran out: from here on the program then ends, as after any error. Call first. */
void money_watch_memory(void);

/* What was read for them; all zero at first. */
struct money {
    struct buffer rates_text, tags_text;
    struct rates rates;
    struct tags tags;
    struct bill_options bill;
    int tag; /* which is shown; -1: none */
    int64_t *cuts;
    size_t cuts_n; /* moments at which prices change */
};

/*
 * Reads the files; those that are not given are the texts `rates` and `tags` of a closed statement, NULL: none. -1 with `err` filled, and
 * *file set to the file that is wrong (NULL: none is). money_free in both cases.
 */
int money_read(struct money *m, const struct money_options *o, const struct sharing *sharing,
               const char *rates, const char *tags, const char **file, struct error *err);
void money_free(struct money *m);

/* The tag with which a row is shown; NULL: none. */
const char *money_tag(const struct money *m, const struct bill_row *row);

/* The options --rates, --tags, --share-idle, --share-overhead, --basis, in a table of struct account_command. */
#define OPTIONS_MONEY                                                                                        \
    OPTION(0, "rates", "FILE", "prices (xenmeter-rates(5)): rows have amounts", .set = set_text,             \
           .offset = offsetof(struct account_command, money.rates), .choices = ":file"),                     \
        OPTION(0, "tags", "FILE",                                                                            \
               "CSV of VMs and their tags, for --by tag and for rates: vm,customer,project",                 \
               .set = set_text, .offset = offsetof(struct account_command, money.tags), .choices = ":file"), \
        OPTION(0, "share-idle", "HOW",                                                                       \
               "idle time of each host: none (default: a row of its own), or shared out among its guests: "  \
               "even, by what they used, or by what they reserved",                                          \
               .set = set_share_idle, .choices = "none\neven\nused\nreserved"),                              \
        OPTION(0, "share-overhead", "HOW",                                                                   \
               "the same for driver domains' own and unattributed time (default: none, it stays theirs)",    \
               .set = set_share_overhead, .choices = "none\neven\nused\nreserved"),                          \
        OPTION(                                                                                              \
            0, "basis", "WHAT",                                                                              \
            "what a guest takes of its host before that: what it used (default), reserved, or the max of "   \
            "both",                                                                                          \
            .set = set_basis, .choices = "used\nreserved\nmax")

#endif
