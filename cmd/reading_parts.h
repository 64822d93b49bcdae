/* What the files of reading.h share. */
#ifndef XENMETER_CMD_READING_PARTS_H
#define XENMETER_CMD_READING_PARTS_H

#include "reading.h"

/*
 * How the meter accounts, by the options; how it charges: as asked for, or as the archive was made. -1 with `err` filled.
 */
int reading_complete_meter(struct reading *r, struct error *err);

/* Opens the trace and the pipeline, unless what was kept suffices. -1 with `err` filled. */
int reading_open_source(struct reading *r, struct error *err);

/* Reads it. -1 with `err` filled, or as the sinks. */
int reading_pass(struct reading *r, struct error *err);

/* What is known of the trace after that, or meanwhile if the consumer asks for the quality. What it points to stays others'. */
void reading_sum_up(struct reading *r, struct summary *s);

/* The same, and what it is worth. */
struct ending {
    struct summary s;
    struct judgement judgement, of_charges;
    bool apart; /* charges are beside other columns, and judged by themselves */
};
void reading_judge(struct reading *r, struct ending *e);

/* For the writer. Points into *e and *r. */
struct report_summary reading_summary(const struct reading *r, const struct ending *e);

/* ---- the columns, without a trace ---- */

/* Prints the columns of each relation of the command, a line each. The exit code, everything having been said. */
int reading_list_columns(const struct options *o);

/* --schema: prints the SQL of a table for the columns that `prepare` chooses. The exit code, everything having been said. */
int reading_say_schema(struct reading *r, int (*prepare)(struct reading *r, struct error *err));

/* ---- several timelines of one host (run.archived.timelines) ---- */

/* Whether rows, format and options go with several timelines. -1 with `err` filled: they do not. */
int reading_check_timelines(const struct reading *r, struct error *err);

/*
 * Reads them all, one after the other, and adds them up: the meter's sink gets their sums; fills r->total and r->gap_ns. -1 as
 * reading_pass.
 */
int reading_timelines(struct reading *r, struct error *err);

/* Reports on standard error how they were added up. */
void reading_say_timelines(const struct reading *r);

#endif
