/* The table of guests by driver domains. */
#include "screen/sheet.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct charge_idd *find_idd(const struct charge_set *set, int32_t domain, uint32_t life)
{
    for (size_t i = 0; i < set->n; i++)
        if (set->idds[i].domain == domain && set->idds[i].life == life)
            return &set->idds[i];
    return NULL;
}

/* Per cent of a pCPU, as the columns of rows have it. */
static const struct column charged_column = {
    .name = "charged_pct", .title = "", .unit = UNIT_PERCENT, .digits = 3};

struct value sheet_charge(const struct sheet *s, const struct sheet_row *row,
                          const struct sheet_column *column, enum span span)
{
    const struct window *w = &s->picture->windows[span];
    const struct charge_idd *idd = find_idd(&w->charges, column->idd, column->idd_life);
    uint64_t length_ns = w->interval.end_ns - w->interval.start_ns - w->interval.gap_ns, ns = 0;
    if (!idd || length_ns == 0 || !(w->parts & PART_CHARGES))
        return (struct value){.type = VALUE_NONE};
    const struct charge_guest *guest = charge_set_guest(idd, row->subject.domain, row->subject.life);
    switch (row->subject.domain) {
    case SUBJECT_OWN:
        ns = idd->own_ns;
        break;
    case SUBJECT_UNATTRIBUTED:
        ns = idd->unattributed_ns;
        break;
    case SUBJECT_RAN:
        ns = idd->running_ns;
        break;
    default:
        if (!guest)
            return (struct value){.type = VALUE_NONE};
        ns = guest->charged_ns;
    }
    return (struct value){.type = VALUE_DECIMAL, .decimal = 100.0 * (double)ns / (double)length_ns};
}

static void add_column(struct sheet *s, const struct charge_idd *idd)
{
    char id[CELL_BYTES];
    const char *name = sheet_name(&s->choice, idd->domain, idd->life);
    if (s->columns_n == SHEET_COLUMNS)
        return;
    struct sheet_column *c = &s->columns[s->columns_n++];
    *c = (struct sheet_column){.idd = idd->domain,
                               .idd_life = idd->life,
                               .scale = scale_of(&charged_column, SECOND_NS, TIMES_RELATIVE)};
    cell_domain(id, idd->domain, idd->life);
    snprintf(c->title, sizeof c->title, name ? "%.8s %.12s" : "%.8s", id, name);
}

static bool add_row(struct sheet *s, int32_t domain, uint32_t life)
{
    for (size_t i = 0; i < s->n; i++)
        if (s->rows[i].subject.domain == domain && s->rows[i].subject.life == life)
            return true;
    struct sheet_row *row = sheet_new_row(s);
    if (row)
        row->subject = (struct sheet_subject){.domain = domain, .life = life, .vcpu = -1, .pcpu = -1};
    return row != NULL;
}

/* What a guest is charged by all driver domains: the order of the rows. */
static double charged_by_all(const struct sheet *s, const struct sheet_row *row)
{
    double sum = 0;
    for (size_t i = 0; i < s->columns_n; i++)
        sum += value_number(sheet_charge(s, row, &s->columns[i], SPAN_TEN));
    return sum;
}

static int compare_rows(const void *a, const void *b)
{
    const struct sheet_row *r = a, *q = b;
    int order = value_compare(r->sort, q->sort);
    return order ? order
                 : life_compare(r->subject.domain, r->subject.life, q->subject.domain, q->subject.life);
}

bool sheet_make_charges(struct sheet *s)
{
    const struct charge_set *set = &s->picture->windows[SPAN_TEN].charges;
    static const int32_t others[] = {SUBJECT_OWN, SUBJECT_UNATTRIBUTED, SUBJECT_RAN};
    for (size_t i = 0; i < set->n; i++) {
        const struct charge_idd *idd = &set->idds[i];
        add_column(s, idd);
        for (size_t g = 0; g < idd->guests_n; g++)
            if (!add_row(s, idd->guests[g].domain, idd->guests[g].life))
                return false;
    }
    for (size_t i = 0; i < s->n; i++)
        s->rows[i].sort = (struct value){.type = VALUE_DECIMAL, .decimal = charged_by_all(s, &s->rows[i])};
    if (s->n > 1)
        qsort(s->rows, s->n, sizeof *s->rows, compare_rows);
    for (size_t i = 0; s->columns_n > 0 && i < sizeof others / sizeof *others; i++)
        if (!add_row(s, others[i], 0))
            return false;
    return true;
}
