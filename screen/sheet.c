#include "screen/sheet.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "metrics/array.h"

void sheet_free(struct sheet *s)
{
    for (size_t i = 0; i < SPANS; i++) {
        free(s->folded[i]);
        s->folded[i] = NULL;
        s->folded_n[i] = 0;
    }
    free(s->rows);
    s->rows = NULL;
    s->n = s->capacity = s->columns_n = 0;
}

struct sheet_row *sheet_new_row(struct sheet *s)
{
    if (!array_make_room(&s->rows, &s->capacity, s->n + 1, sizeof *s->rows))
        return NULL;
    struct sheet_row *row = &s->rows[s->n++];
    *row = (struct sheet_row){.subject = {.domain = -1, .vcpu = -1, .pcpu = -1}};
    return row;
}

const char *sheet_name(const struct sheet_choice *c, int32_t domain, uint32_t life)
{
    return c->name_of && domain >= 0 ? c->name_of(c->names, domain, life) : NULL;
}

/* ---- columns ---- */

static void add_column(struct sheet *s, const struct column *column, bool is_key)
{
    if (s->columns_n == SHEET_COLUMNS)
        return;
    struct sheet_column *c = &s->columns[s->columns_n++];
    *c = (struct sheet_column){
        .column = column, .is_key = is_key, .scale = scale_of(column, SECOND_NS, TIMES_RELATIVE)};
    snprintf(c->title, sizeof c->title, "%.20s%s%.8s", column->title, *c->scale.unit ? " " : "",
             c->scale.unit);
}

static bool is_left_out(const struct sheet *s, const struct column *column)
{
    bool unnamed = column->flags & COLUMN_NAME && !s->choice.name_of;
    bool folded = s->folded[SPAN_TEN] && strcmp(column->name, "victim_vcpu") == 0;
    return unnamed || folded;
}

static void add_columns(struct sheet *s)
{
    char name[SHEET_TITLE];
    const struct view_kind *kind = &view_kinds[s->choice.view];
    const struct view_choice *chosen = s->choice.columns;
    for (const char *list = kind->keys; view_list_next(&list, name, sizeof name);) {
        const struct column *column = column_find(kind->relation, name);
        if (column && !is_left_out(s, column))
            add_column(s, column, true);
    }
    for (size_t i = 0; i < chosen->n; i++)
        if (chosen->shown[chosen->order[i]])
            add_column(s, &kind->relation->columns[chosen->order[i]], false);
}

/* ---- rows ---- */

static bool is_wanted(const struct sheet_choice *c, const struct sheet_subject *s)
{
    char id[16];
    const char *name = sheet_name(c, s->domain, s->life);
    if (c->subject.domain >= 0 && (s->domain != c->subject.domain || s->life != c->subject.life))
        return false;
    if (c->subject.vcpu >= 0 && s->vcpu >= 0 && s->vcpu != c->subject.vcpu)
        return false;
    if (!*c->filter || s->domain < 0)
        return true;
    snprintf(id, sizeof id, "%d", (int)s->domain);
    return (name && strcasestr(name, c->filter)) || strcmp(id, c->filter) == 0;
}

static bool add_row(struct sheet *s, const struct sheet_subject *subject, const void *one, const void *ten)
{
    if (!is_wanted(&s->choice, subject))
        return true;
    struct sheet_row *row = sheet_new_row(s);
    if (!row)
        return false;
    row->subject = *subject;
    row->at[SPAN_ONE] = one;
    row->at[SPAN_TEN] = ten;
    return true;
}

static bool add_interval_rows(struct sheet *s, enum by by)
{
    const struct row_set *one = &s->picture->windows[SPAN_ONE].rows[by];
    const struct row_set *ten = &s->picture->windows[SPAN_TEN].rows[by];
    for (size_t i = 0; i < ten->n; i++) {
        const struct row *row = &ten->rows[i];
        const struct sheet_subject subject = {
            .domain = row->domain, .vcpu = row->vcpu, .pcpu = row->pcpu, .life = row->life};
        if (!add_row(s, &subject, row_set_find(one, row), row))
            return false;
    }
    return true;
}

/* Those of the domain that is chosen, or else the longest waits of the host. */
static bool add_executions(struct sheet *s)
{
    const struct picture *p = s->picture;
    bool chosen = s->choice.subject.domain >= 0;
    const struct execution *at = chosen ? p->executions : p->waits;
    size_t n = chosen ? p->executions_n : p->waits_n;
    for (size_t i = 0; i < n; i++) {
        const struct execution *e = &at[i];
        const struct sheet_subject subject = {
            .domain = e->domain, .vcpu = e->vcpu, .pcpu = e->pcpu, .life = e->life};
        if (!add_row(s, &subject, e, NULL))
            return false;
    }
    return true;
}

static int compare_pairs(const void *a, const void *b)
{
    const struct delay *d = a, *e = b;
    int order = life_compare(d->victim, d->victim_life, e->victim, e->victim_life);
    if (order == 0)
        order = (int)d->kind - (int)e->kind;
    return order ? order : life_compare(d->culprit, d->culprit_life, e->culprit, e->culprit_life);
}

/* Adds up what is of one victim domain and culprit. */
static bool fold(struct sheet *s, enum span span)
{
    const struct window *w = &s->picture->windows[span];
    struct delay *all = malloc((w->delays_n + 1) * sizeof *all);
    size_t n = 0;
    if (!all)
        return false;
    if (w->delays_n > 0)
        memcpy(all, w->delays, w->delays_n * sizeof *all);
    if (w->delays_n > 1)
        qsort(all, w->delays_n, sizeof *all, compare_pairs);
    for (size_t i = 0; i < w->delays_n; i++) {
        struct delay d = all[i];
        d.victim_vcpu = -1;
        if (n > 0 && compare_pairs(&all[n - 1], &d) == 0)
            delay_add(&all[n - 1], &d);
        else
            all[n++] = d;
    }
    s->folded[span] = all;
    s->folded_n[span] = n;
    return true;
}

static bool add_delays(struct sheet *s)
{
    const struct window *w = s->picture->windows;
    const struct delay *at[SPANS] = {w[SPAN_ONE].delays, w[SPAN_TEN].delays};
    size_t n[SPANS] = {w[SPAN_ONE].delays_n, w[SPAN_TEN].delays_n};
    for (size_t i = 0; s->choice.subject.domain < 0 && i < SPANS; i++) {
        if (!fold(s, i))
            return false;
        at[i] = s->folded[i];
        n[i] = s->folded_n[i];
    }
    for (size_t i = 0; i < n[SPAN_TEN]; i++) {
        const struct delay *d = &at[SPAN_TEN][i];
        const struct sheet_subject subject = {
            .domain = d->victim, .vcpu = d->victim_vcpu, .pcpu = -1, .life = d->victim_life};
        if (!add_row(s, &subject,
                     n[SPAN_ONE] ? bsearch(d, at[SPAN_ONE], n[SPAN_ONE], sizeof *d, delay_compare) : NULL, d))
            return false;
    }
    return true;
}

static bool add_rows(struct sheet *s)
{
    switch (s->choice.view) {
    case VIEW_EXECUTIONS:
        return add_executions(s);
    case VIEW_BLAME:
        return add_delays(s);
    case VIEW_CHARGES:
        return sheet_make_charges(s);
    default:
        return add_interval_rows(s, view_kinds[s->choice.view].by);
    }
}

/* ---- values ---- */

struct value sheet_value(const struct sheet *s, const struct sheet_row *row,
                         const struct sheet_column *column, enum span span)
{
    if (!column->column)
        return sheet_charge(s, row, column, span);
    enum span from = column->is_key && !row->at[span] ? 1 - span : span; /* who it is, both know */
    const struct view_kind *kind = &view_kinds[s->choice.view];
    const struct row_view view = {.row = row->at[from],
                                  .interval = &s->picture->windows[from].interval,
                                  .by = kind->by,
                                  .name_of = s->choice.name_of,
                                  .names = s->choice.names};
    return view.row ? column_value(column->column, &view) : (struct value){.type = VALUE_NONE};
}

bool sheet_is_vague(const struct sheet *s, const struct sheet_row *row, enum span span)
{
    bool rows = view_kinds[s->choice.view].relation == &relation_rows;
    const struct row *r = rows ? row->at[span] : NULL;
    return r && (r->measures->state_ns[RUNSTATE_UNKNOWN] > 0 || r->measures->doubtful_ns > 0 ||
                 r->measures->pcpu_unknown_ns > 0);
}

/* ---- order ---- */

static int compare_rows(const void *a, const void *b, void *reversed)
{
    const struct sheet_row *r = a, *q = b;
    int order = value_compare(r->sort, q->sort);
    bool known = r->sort.type != VALUE_NONE && q->sort.type != VALUE_NONE;
    if (order && known && *(const bool *)reversed)
        return -order;
    if (order)
        return order;
    order = life_compare(r->subject.domain, r->subject.life, q->subject.domain, q->subject.life);
    if (order == 0)
        order = (r->subject.vcpu > q->subject.vcpu) - (r->subject.vcpu < q->subject.vcpu);
    return order ? order : (r->subject.pcpu > q->subject.pcpu) - (r->subject.pcpu < q->subject.pcpu);
}

static void order_rows(struct sheet *s)
{
    const struct view_choice *chosen = s->choice.columns;
    bool one_span = view_kinds[s->choice.view].one_span;
    const struct sheet_column by = {.column = chosen->sort, .is_key = true};
    bool is_id = chosen->sort->flags & COLUMN_KEY && column_type(chosen->sort) == VALUE_INTEGER;
    bool reversed = chosen->reversed != is_id; /* ids ascend */
    for (size_t i = 0; i < s->n; i++)
        s->rows[i].sort = sheet_value(s, &s->rows[i], &by, one_span ? SPAN_ONE : chosen->sort_span);
    if (s->n > 1)
        qsort_r(s->rows, s->n, sizeof *s->rows, compare_rows, &reversed);
}

bool sheet_make(struct sheet *s, const struct picture *picture, const struct sheet_choice *choice)
{
    sheet_free(s);
    s->choice = *choice;
    s->picture = picture;
    if (picture->any && !add_rows(s)) {
        sheet_free(s);
        return false;
    }
    if (choice->view != VIEW_CHARGES) {
        add_columns(s);
        order_rows(s);
    }
    return true;
}
