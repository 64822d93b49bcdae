#include "formats/selection.h"

#include <stdlib.h>
#include <string.h>

#include "metrics/array.h"

#define REST_ROWS 1024 /* of a stream that waited, handed out at a time */

/* A row that is kept: what it is ordered by, and where it lies. */
struct kept {
    struct value key;
    uint64_t serial; /* rows of one key stay in the order in which they came */
    size_t slot;     /* of those from n on: free slots, if below capacity */
};

/*
 * With a limit of N rows, up to 2 N are kept; then they are sorted and the last N forgotten, which costs no more per row
 * than a heap. After that only what comes before the Nth is kept at all.
 */
struct selection {
    const struct relation *relation;
    const struct selection_options *options;
    const struct column *sort, *domain, *pcpu; /* NULL: none, or of no interest */
    struct row_view view;
    size_t limit; /* rows of an interval, or of a stream; 0: all */
    struct kept *kept;
    char *slots; /* the rows themselves */
    size_t n, kept_capacity, slots_capacity;
    uint64_t serial;
    char *out; /* rows in order */
    size_t out_n, out_capacity;
    size_t rest; /* how many of a stream that waited were handed out */
    bool full;   /* kept[limit - 1] is the last one of which there is any hope */
};

static const struct column *flagged(const struct relation *relation, uint32_t flag)
{
    for (size_t i = 0; i < relation->columns_n; i++)
        if (relation->columns[i].flags & flag)
            return &relation->columns[i];
    return NULL;
}

struct selection *selection_new(const struct shown *shown, const struct selection_options *options,
                                const struct row_view *view)
{
    struct selection *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->relation = shown->relation;
    s->options = options;
    s->sort = shown->sort;
    s->limit = shown->other_order ? 0 : options->limit;
    s->domain = options->domains ? flagged(shown->relation, COLUMN_DOMAIN) : NULL;
    s->pcpu = options->pcpus ? flagged(shown->relation, COLUMN_PCPU) : NULL;
    s->view = *view;
    return s;
}

void selection_free(struct selection *s)
{
    if (!s)
        return;
    free(s->kept);
    free(s->slots);
    free(s->out);
    free(s);
}

/* ---- which ---- */

static bool is_wanted(struct selection *s, const void *row)
{
    s->view.row = row;
    struct value domain = s->domain ? column_value(s->domain, &s->view) : (struct value){.type = VALUE_NONE};
    struct value pcpu = s->pcpu ? column_value(s->pcpu, &s->view) : (struct value){.type = VALUE_NONE};
    if (s->domain && (domain.type != VALUE_INTEGER || !s->options->domains[(uint16_t)domain.integer]))
        return false;
    if (!s->pcpu)
        return true;
    if (pcpu.type == VALUE_INTEGER)
        return s->options->pcpus[pcpu.integer];
    /* Only time on these pCPUs was counted: what has none was never there. */
    bool by_pcpu = s->view.by == BY_PCPU || s->view.by == BY_DOMAIN_PCPU;
    return !by_pcpu && !(s->relation->is_empty && s->relation->is_empty(row));
}

/* ---- in which order ---- */

static int compare_kept(const void *a, const void *b)
{
    const struct kept *x = a, *y = b;
    int order = value_compare(x->key, y->key);
    return order ? order : (x->serial > y->serial) - (x->serial < y->serial);
}

static struct value key_of(struct selection *s, const void *row)
{
    s->view.row = row;
    return s->sort ? column_value(s->sort, &s->view) : (struct value){.type = VALUE_NONE};
}

static char *slot_of(const struct selection *s, size_t slot)
{
    return s->slots + slot * s->relation->row_size;
}

static void order(struct selection *s)
{
    if (s->n > 1)
        qsort(s->kept, s->n, sizeof *s->kept, compare_kept);
    s->full = s->limit && s->n >= s->limit;
    if (s->full)
        s->n = s->limit;
}

static int no_memory(const struct selection *s, struct error *err)
{
    if (!s->relation->own_times)
        return error_no_memory(err, "the rows to be ordered");
    return error_set(err, ERROR_MEMORY,
                     "ordering more than %zu rows takes more memory than --max-memory allows; with --limit N "
                     "few rows are kept",
                     s->n);
}

static int make_room(struct selection *s, struct error *err)
{
    size_t each = s->relation->row_size + sizeof *s->kept, before = s->slots_capacity;
    if (s->n < before)
        return 0;
    if (s->options->memory_limit && 2 * (s->n + 1) > s->options->memory_limit / each) /* they may double */
        return no_memory(s, err);
    struct kept *kept = array_reserve(s->kept, &s->kept_capacity, s->n + 1, sizeof *kept);
    s->kept = kept ? kept : s->kept;
    char *slots = array_reserve(s->slots, &s->slots_capacity, s->kept_capacity, s->relation->row_size);
    s->slots = slots ? slots : s->slots;
    if (!kept || !slots)
        return no_memory(s, err);
    for (size_t i = 0; i < s->n; i++) /* a key may be text inside a row, and rows have moved */
        kept[i].key = key_of(s, slot_of(s, kept[i].slot));
    for (size_t i = before; i < s->kept_capacity; i++)
        kept[i].slot = i;
    return 0;
}

/* Keeps the row if it can be among the first `limit`. */
static int keep(struct selection *s, const void *row, struct error *err)
{
    struct kept new = {.key = key_of(s, row), .serial = s->serial++};
    if (s->full && compare_kept(&new, &s->kept[s->limit - 1]) > 0)
        return 0;
    if (make_room(s, err) != 0)
        return -1;
    new.slot = s->kept[s->n].slot;
    memcpy(slot_of(s, new.slot), row, s->relation->row_size);
    new.key = key_of(s, slot_of(s, new.slot));
    s->kept[s->n++] = new;
    if (s->limit && s->n / 2 >= s->limit)
        order(s);
    return 0;
}

/* ---- out ---- */

static int put_out(struct selection *s, const void *row, struct error *err)
{
    char *out = array_reserve(s->out, &s->out_capacity, s->out_n + 1, s->relation->row_size);
    if (!out)
        return error_no_memory(err, "the rows in order");
    s->out = out;
    memcpy(out + s->out_n++ * s->relation->row_size, row, s->relation->row_size);
    return 0;
}

static int put_kept(struct selection *s, size_t from, size_t to, struct error *err)
{
    for (size_t i = from; i < to; i++)
        if (put_out(s, slot_of(s, s->kept[i].slot), err) != 0)
            return -1;
    return 0;
}

/* The rows of an interval, or of one of its groups. */
static int select_part(struct selection *s, const struct rows *rows, size_t from, size_t to,
                       struct error *err)
{
    bool (*is_rest)(const void *) = s->relation->is_rest;
    s->n = 0;
    s->full = false;
    for (size_t i = from; i < to; i++) {
        const void *row = row_at(rows, i);
        if (!(is_rest && is_rest(row)) && is_wanted(s, row) && keep(s, row, err) != 0)
            return -1;
    }
    order(s);
    if (put_kept(s, 0, s->n, err) != 0)
        return -1;
    for (size_t i = from; is_rest && i < to; i++) {
        const void *row = row_at(rows, i);
        if (is_rest(row) && is_wanted(s, row) && put_out(s, row, err) != 0)
            return -1;
    }
    return 0;
}

static int select_interval(struct selection *s, const struct rows *rows, struct error *err)
{
    size_t groups = s->relation->group_size ? rows->groups_n : 1;
    for (size_t g = 0, from = 0, to; g < groups; g++, from = to) {
        to = rows_end_of_group(rows, g, from);
        if (select_part(s, rows, from, to, err) != 0)
            return -1;
    }
    return 0;
}

static int select_stream(struct selection *s, const struct rows *rows, struct error *err)
{
    for (size_t i = 0; i < rows->n; i++) {
        const void *row = row_at(rows, i);
        bool cut = !s->sort && s->limit && s->serial >= s->limit;
        if (cut || !is_wanted(s, row))
            continue;
        if (s->sort ? keep(s, row, err) != 0 : put_out(s, row, err) != 0)
            return -1;
        s->serial += !s->sort;
    }
    return 0;
}

int selection_take(struct selection *s, const struct rows *rows, struct rows *out, struct error *err)
{
    *out = *rows;
    if (!s->sort && !s->domain && !s->pcpu && !s->limit)
        return 0;
    s->view.interval = rows->interval;
    s->view.by = rows->by;
    s->out_n = 0;
    int status = s->relation->own_times ? select_stream(s, rows, err) : select_interval(s, rows, err);
    out->at = s->out;
    out->n = s->out_n;
    return status;
}

int selection_rest(struct selection *s, struct rows *out, struct error *err)
{
    if (!s->relation->own_times || s->rest == s->n)
        return 0;
    if (s->rest == 0)
        order(s);
    size_t to = s->n - s->rest < REST_ROWS ? s->n : s->rest + REST_ROWS;
    s->out_n = 0;
    if (put_kept(s, s->rest, to, err) != 0)
        return -1;
    s->rest = to;
    *out = (struct rows){.relation = s->relation, .at = s->out, .n = s->out_n};
    return 1;
}
