#include "waiting_rows.h"

#include <stdlib.h>
#include <string.h>

#include "metrics/array.h"

struct waiting_interval {
    struct interval interval;
    size_t n; /* rows */
};

int waiting_rows_write(struct waiting_rows *w, struct reading *r)
{
    const char *at = w->rows;
    int status = 0;
    for (size_t i = 0; i < w->intervals_n && status == 0; i++) {
        const struct waiting_interval *of = &w->intervals[i];
        const struct rows rows = {.relation = w->relation, .interval = &of->interval, .at = at, .n = of->n};
        status = reading_write(r, &rows);
        at += of->n * w->relation->row_size;
    }
    w->intervals_n = w->rows_n = 0;
    return status;
}

int waiting_rows_keep(struct waiting_rows *w, struct reading *r, const struct interval *interval,
                      const void *rows, size_t n, const char *where)
{
    struct error why;
    size_t size = w->relation->row_size;
    struct waiting_interval *intervals =
        array_reserve(w->intervals, &w->intervals_capacity, w->intervals_n + 1, sizeof *intervals);
    w->intervals = intervals ? intervals : w->intervals;
    void *all = array_reserve(w->rows, &w->rows_capacity, w->rows_n + n + 1, size);
    w->rows = all ? all : w->rows;
    if (!intervals || !all)
        return reading_no_memory(r, w->rows_n + n);
    w->intervals[w->intervals_n++] = (struct waiting_interval){*interval, n};
    if (n > 0)
        memcpy((char *)w->rows + w->rows_n * size, rows, n * size);
    w->rows_n += n;
    if (w->intervals_capacity * sizeof *w->intervals + w->rows_capacity * size <= r->options->max_memory)
        return 0;
    error_set(&why, ERROR_MEMORY,
              "%s: this domain has not appeared yet, and the rows that wait for it need more than the memory "
              "limit (--max-memory)",
              where);
    return reading_fail(r, &why);
}

void waiting_rows_free(struct waiting_rows *w)
{
    free(w->intervals);
    free(w->rows);
}
