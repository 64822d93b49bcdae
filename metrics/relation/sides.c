#include "metrics/relation/sides.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "metrics/array.h"

/* ---- what is compared ---- */

#define CONTEXT_NAME(NAME) #NAME,
const char *const side_context_names[SIDE_CONTEXTS] = {SIDE_CONTEXT(CONTEXT_NAME)};

enum { D = 1 << BY_DOMAIN, V = 1 << BY_VCPU, P = 1 << BY_PCPU };

#define COMPARABLE(NAME, KIND, OF, DEFAULT) {#NAME, NULL, COMPARABLE_##KIND, OF, DEFAULT},
static const struct comparable rows_of_table[] = {
#include "metrics/relation/comparable.def"
};
_Static_assert(sizeof rows_of_table / sizeof *rows_of_table == COMPARABLES, "COMPARABLES");

const struct comparable *comparables(void)
{
    static struct comparable all[COMPARABLES];
    if (all[0].column)
        return all;
    for (size_t i = 0; i < COMPARABLES; i++) {
        all[i] = rows_of_table[i];
        all[i].column = column_find(&relation_rows, all[i].name);
    }
    return all;
}

const struct comparable *comparable_find(const char *name)
{
    const struct comparable *all = comparables();
    for (size_t i = 0; i < COMPARABLES; i++)
        if (strcmp(all[i].name, name) == 0)
            return &all[i];
    return NULL;
}

enum unit comparable_unit(const struct comparable *of)
{
    enum unit unit = of->column->unit;
    return unit == UNIT_NS_EACH || unit == UNIT_NS_COST ? UNIT_NS : unit;
}

/* ---- rows ---- */

/* As many digits as a report prints: what was saved compares with what was not. */
static double as_printed(const struct column *column, struct value v)
{
    char text[400];
    if (v.type != VALUE_DECIMAL)
        return v.type == VALUE_INTEGER ? (double)v.integer : NAN;
    snprintf(text, sizeof text, "%.*f", column->digits, v.decimal);
    return strtod(text, NULL);
}

void side_row_of(struct side_row *to, const struct comparison_plan *plan, const struct row_view *view)
{
    const struct row *row = view->row;
    *to = (struct side_row){
        .domain = row->domain,
        .life = row->life,
        .vcpu = row->vcpu,
        .pcpu = row->pcpu,
        .name = view->name_of && row->domain >= 0 ? view->name_of(view->names, row->domain, row->life) : NULL,
        .granularity_ns = view->interval->granularity_ns,
        .start_ns = view->interval->start_ns,
        .end_ns = view->interval->end_ns};
    for (size_t i = 0; i < SIDE_CONTEXTS && to->granularity_ns == 0; i++) {
        const struct column *column = column_find(&relation_rows, side_context_names[i]);
        to->context[i] = as_printed(column, column_value(column, view));
    }
    for (size_t i = 0; i < plan->n; i++)
        to->values[i] = as_printed(plan->of[i]->column, column_value(plan->of[i]->column, view));
}

static int compare_subjects(const struct side_row *a, const struct side_row *b)
{
    const struct row x = {.domain = a->domain, .life = a->life, .vcpu = a->vcpu, .pcpu = a->pcpu};
    const struct row y = {.domain = b->domain, .life = b->life, .vcpu = b->vcpu, .pcpu = b->pcpu};
    return row_compare(&x, &y);
}

/* The place of the row's subject, or where it belongs. */
static size_t place_of(const struct side *s, const struct side_row *row)
{
    size_t from = 0, to = s->n;
    while (from < to) {
        size_t middle = (from + to) / 2;
        if (compare_subjects(&s->subjects[middle]->whole, row) < 0)
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

/* Made on first use; NULL: no memory. */
static struct side_subject *subject_of(struct side *s, const struct side_row *row)
{
    size_t place = place_of(s, row);
    if (place < s->n && compare_subjects(&s->subjects[place]->whole, row) == 0)
        return s->subjects[place];
    struct side_subject *new = calloc(1, sizeof *new);
    if (!new || !array_make_room(&s->subjects, &s->capacity, s->n + 1, sizeof *s->subjects)) {
        free(new);
        return NULL;
    }
    memmove(s->subjects + place + 1, s->subjects + place, (s->n - place) * sizeof *s->subjects);
    s->subjects[place] = new;
    s->n++;
    new->whole = (struct side_row){
        .domain = row->domain, .life = row->life, .vcpu = row->vcpu, .pcpu = row->pcpu, .name = NULL};
    return new;
}

static enum side_taken take_whole(struct side *s, struct side_subject *subject, const struct side_row *row)
{
    if (subject->seen)
        return SIDE_TWICE;
    char *name = row->name ? strdup(row->name) : NULL;
    if (row->name && !name)
        return SIDE_NO_MEMORY;
    subject->whole = *row;
    subject->whole.name = name;
    subject->seen = true;
    s->named |= name != NULL;
    return SIDE_TAKEN;
}

int side_length_of(const struct side *s, uint64_t granularity_ns)
{
    for (size_t i = 0; i < s->lengths_n; i++)
        if (s->lengths[i].granularity_ns == granularity_ns)
            return (int)i;
    return -1;
}

/* The number of that length, which is new or known; -1: there is no room for more. */
static int make_length(struct side *s, const struct side_row *row)
{
    int length = side_length_of(s, row->granularity_ns);
    if (length < 0 && s->lengths_n == METER_GRANULARITIES)
        return -1;
    if (length < 0) {
        length = (int)s->lengths_n++;
        s->lengths[length].granularity_ns = row->granularity_ns;
    }
    if (s->lengths[length].intervals == 0 || s->lengths[length].last_start_ns != row->start_ns)
        s->lengths[length].intervals++;
    s->lengths[length].last_start_ns = row->start_ns;
    return length;
}

/* No more of that length is kept. */
static void drop_length(struct side *s, int length)
{
    for (size_t i = 0; i < s->n; i++) {
        free(s->subjects[i]->series[length].at);
        s->subjects[i]->series[length] = (struct side_series){0};
    }
}

static enum side_taken take_interval(struct side *s, struct side_subject *subject, const struct side_row *row)
{
    size_t n = s->plan->n;
    if (row->end_ns - row->start_ns != row->granularity_ns)
        return SIDE_TAKEN;
    int length = make_length(s, row);
    if (length < 0)
        return SIDE_TAKEN;
    if (s->lengths[length].intervals > SIDE_INTERVALS_MAX) {
        if (s->lengths[length].intervals == SIDE_INTERVALS_MAX + 1)
            drop_length(s, length);
        return SIDE_TAKEN;
    }
    struct side_series *series = &subject->series[length];
    if (series->n && row->start_ns <= series->last_start_ns)
        return SIDE_TWICE;
    if (!array_make_room(&series->at, &series->capacity, series->n + n, sizeof *series->at))
        return SIDE_NO_MEMORY;
    memcpy(series->at + series->n, row->values, n * sizeof *series->at);
    series->n += n;
    series->last_start_ns = row->start_ns;
    return SIDE_TAKEN;
}

enum side_taken side_take(struct side *s, const struct side_row *row)
{
    struct side_subject *subject = subject_of(s, row);
    if (!subject)
        return SIDE_NO_MEMORY;
    return row->granularity_ns ? take_interval(s, subject, row) : take_whole(s, subject, row);
}

/* ---- lengths ---- */

static bool is_kept(const struct side *s, size_t length)
{
    return s->lengths[length].intervals <= SIDE_INTERVALS_MAX;
}

static bool is_enough(const struct side *s, size_t length)
{
    return is_kept(s, length) && s->lengths[length].intervals >= SIDE_INTERVALS_MIN;
}

/* Enough, and the longest; else the most. */
static int best_alone(const struct side *s)
{
    int best = -1;
    for (size_t i = 0; i < s->lengths_n; i++) {
        bool enough = is_enough(s, i), before = best >= 0 && is_enough(s, (size_t)best);
        bool better =
            best < 0 ||
            (enough && (!before || s->lengths[i].granularity_ns > s->lengths[best].granularity_ns)) ||
            (!before && s->lengths[i].intervals > s->lengths[best].intervals);
        if (is_kept(s, i) && better)
            best = (int)i;
    }
    return best;
}

bool side_lengths(const struct side *x, const struct side *y, int *a, int *b)
{
    uint64_t longest = 0;
    for (size_t i = 0; i < x->lengths_n; i++) {
        uint64_t ns = x->lengths[i].granularity_ns;
        int other = side_length_of(y, ns);
        if (ns > longest && is_enough(x, i) && other >= 0 && is_enough(y, (size_t)other))
            longest = ns;
    }
    *a = longest ? side_length_of(x, longest) : best_alone(x);
    *b = longest ? side_length_of(y, longest) : best_alone(y);
    return *a >= 0 && *b >= 0 && x->lengths[*a].granularity_ns == y->lengths[*b].granularity_ns;
}

bool side_has_enough(const struct side *s, uint64_t granularity_ns)
{
    int length = granularity_ns ? side_length_of(s, granularity_ns) : -1;
    return length >= 0 && !is_kept(s, (size_t)length);
}

/* ---- the end ---- */

size_t side_memory(const struct side *s)
{
    size_t bytes = s->capacity * sizeof *s->subjects + s->n * sizeof **s->subjects;
    for (size_t i = 0; i < s->n; i++)
        for (size_t k = 0; k < s->lengths_n; k++)
            bytes += s->subjects[i]->series[k].capacity * sizeof(double);
    return bytes;
}

void side_free(struct side *s)
{
    for (size_t i = 0; i < s->n; i++) {
        for (size_t k = 0; k < METER_GRANULARITIES; k++)
            free(s->subjects[i]->series[k].at);
        free((char *)(uintptr_t)s->subjects[i]->whole.name);
        free(s->subjects[i]);
    }
    free(s->subjects);
    s->subjects = NULL;
    s->n = s->capacity = 0;
}
