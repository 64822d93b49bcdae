/* What the files of xenmeter diff share. */
#ifndef XENMETER_CMD_DIFF_H
#define XENMETER_CMD_DIFF_H

#include <jansson.h>

#include "cli.h"
#include "condition_option.h"
#include "metrics/relation/differences.h"

#define CONDITIONS_MAX 64

struct diff_options {
    struct options common;
    const char *domains;                    /* --domains as it was given; NULL: it was not */
    const char *conditions[CONDITIONS_MAX]; /* --fail-if */
    size_t conditions_n;
    bool any; /* conditions do not ask for significance */
};

/* ---- one of the two captures ---- */

/* All zero but for rows.plan: not read. */
struct diff_side {
    struct side rows;
    const char *file;
    bool judged;                /* the verdict is known */
    struct judgement judgement; /* */
    struct judgement charges;   /* of charges, where they are compared */
    json_t *trace, *quality;    /* as a report of it has them; NULL: not known */
};

/* Reads a capture, an archive or a saved report. EXIT_DONE, or EXIT_ERROR with the reason printed. */
int diff_side_read(struct diff_side *s, const struct options *o, const char *path);
void diff_side_free(struct diff_side *s);

/* Whether the file holds a JSON document or JSON lines, perhaps compressed; false of what is no regular file. */
bool diff_is_saved(const char *path);

/* Reads such a file. -1 with `err` filled. */
int diff_saved_read(struct diff_side *s, const char *path, struct error *err);

/* ---- conditions (--fail-if) ---- */

/*
 * Judges it by the differences and prints which fired, with the numbers. EXIT_DONE: none did; EXIT_FINDING: some did;
 * EXIT_ERROR: it cannot be judged, and why was printed. `poor`: which capture's verdict is poor ("before"), or NULL. `any`: a
 * change within noise fires, too.
 */
int condition_judge(const struct condition *c, const struct differences *d, const char *poor, bool any,
                    bool quiet);

/* Whether the row is of a domain (of a pCPU where rows are by pCPU) of this name, pattern, id or range of ids, in n characters. */
bool diff_is_of(const struct difference *d, const char *item, size_t n);

#endif
