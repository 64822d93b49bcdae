/* The summary of a whole trace (member summary.json): everything that `info` shows, and the verdict. */
#ifndef XENMETER_ARCHIVE_SUMMARY_H
#define XENMETER_ARCHIVE_SUMMARY_H

#include <stdbool.h>
#include <stddef.h>

#include "formats/buffer.h"
#include "metrics/measure/charge.h"
#include "metrics/measure/row.h"
#include "parser/order/clock.h"
#include "parser/quality.h"
#include "parser/trace.h"

struct summary {
    struct trace_summary trace; /* file and compression: owned by the summary if summary_read filled it */
    struct clock clock;
    uint64_t end_ns; /* all time up to this moment is accounted for */
    struct quality
        quality; /* the parser's and the meter's part; its texts: owned by the summary if summary_read filled it */
    bool charged;
    struct charge_summary charges; /* if charged */
    struct summary_pcpu *pcpus;    /* ascending */
    size_t pcpus_n;
    struct summary_domain *domains; /* ordered by domain and life; without the idle domain */
    size_t domains_n;
    char *texts; /* memory of the texts; NULL unless summary_read filled it */
};

/* Takes the rows of the whole trace by domain into s->domains, which is the caller's. 0, or -1: no memory. */
int summary_take_domains(struct summary *s, const struct row *rows, size_t n);

/* Adds the summary of the trace's next part to that of all parts before; leaves lists and texts alone. */
void summary_add(struct summary *into, const struct summary *next);

/* Adds up the lists of n parts of the trace into lists of `to`, which are the caller's. 0, or -1: no memory. */
int summary_add_lists(struct summary *to, const struct summary *from, size_t n);

/* Appends the JSON document, all numbers exact. Events by their number and form, not by slot. b->failed: no memory. */
void summary_put(struct buffer *b, const struct summary *s);

/*
 * Whether the domains of a capture and of one that follows it cannot be of one boot: both have guests, none in common, and
 * an id of the later one is lower than one of the earlier one. (A guest that is started gets a higher id than all before it.)
 */
bool summary_domains_contradict(const struct summary *earlier, const struct summary *later);

/*
 * Reads the document, which may be hostile; invalid values are refused. -1 with `err` filled. Free with summary_free.
 */
int summary_read(struct summary *s, const char *text, size_t n, struct error *err);
void summary_free(struct summary *s);

#endif
