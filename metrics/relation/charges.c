#include "metrics/relation/charges.h"

#include <stdio.h>

#include "metrics/array.h"
#include "metrics/relation/relation_table.h"

/* ---- rows ---- */

/* What per cents are of: the time charged, or the sum of its parts where rounding made that larger. */
static double charged_of(const struct charge_guest *guest)
{
    double sum = guest->charged_measured_ns, charged = (double)guest->charged_ns;
    for (int kind = 0; kind < IO_KINDS; kind++)
        sum += guest->charged_by_ns[kind];
    return sum > charged ? sum : charged;
}

static double per_cent(double part, double whole)
{
    if (!(part > 0) || !(whole > 0))
        return 0;
    return part < whole ? 100 * part / whole : 100;
}

double evidence_pct_of(const struct charge_guest *guest, enum io_kind kind)
{
    return per_cent(guest->charged_by_ns[kind], charged_of(guest));
}

double inferred_pct_of(const struct charge_guest *guest)
{
    return per_cent(guest->charged_inferred_ns, charged_of(guest));
}

double measured_pct_of(const struct charge_guest *guest)
{
    return per_cent(guest->charged_measured_ns, charged_of(guest));
}

/* One of the parts: its time and name. The kinds of events, and after them what was measured. */
static double part_of(const struct charge_guest *guest, int part, const char **name)
{
    *name = part < IO_KINDS ? io_kind_names[part] : "measured";
    return part < IO_KINDS ? guest->charged_by_ns[part] : guest->charged_measured_ns;
}

/* The parts by their per cent, the largest first. */
static void write_evidence(char to[EVIDENCE_BYTES], const struct charge_guest *guest)
{
    bool named[IO_KINDS + 1] = {false};
    const char *name;
    size_t n = 0;
    *to = '\0';
    for (;;) {
        int most = -1;
        for (int part = 0; part <= IO_KINDS; part++)
            if (!named[part] && part_of(guest, part, &name) > 0 &&
                (most < 0 || part_of(guest, part, &name) > part_of(guest, most, &name)))
                most = part;
        if (most < 0 || n >= EVIDENCE_BYTES)
            return;
        named[most] = true;
        double pct = per_cent(part_of(guest, most, &name), charged_of(guest));
        n += (size_t)snprintf(to + n, EVIDENCE_BYTES - n, "%s%s %s%.0f%%", n ? " " : "", name,
                              pct < 0.5 ? "<" : "", pct < 0.5 ? 1 : pct);
    }
}

static struct charge_row row_of_guest(const struct charge_idd *idd, const struct charge_guest *guest)
{
    struct charge_row row = {.idd = idd,
                             .guest = guest,
                             .recipient = RECIPIENT_GUEST,
                             .charged_ns = guest->charged_ns,
                             .events = guest->events,
                             .events_n = IO_KINDS};
    write_evidence(row.evidence, guest);
    return row;
}

bool charge_rows_fill(struct charge_rows *rows, const struct charge_idd *idds, size_t n)
{
    size_t wanted = 2 * n;
    for (size_t i = 0; i < n; i++)
        wanted += idds[i].guests_n;
    if (!array_make_room(&rows->at, &rows->capacity, wanted + 1, sizeof *rows->at))
        return false;
    struct charge_row *at = rows->at;
    rows->n = wanted;
    for (const struct charge_idd *idd = idds; idd < idds + n; idd++) {
        for (size_t g = 0; g < idd->guests_n; g++)
            *at++ = row_of_guest(idd, &idd->guests[g]);
        *at++ = (struct charge_row){.idd = idd, .recipient = RECIPIENT_OWN, .charged_ns = idd->own_ns};
        *at++ = (struct charge_row){.idd = idd,
                                    .recipient = RECIPIENT_UNATTRIBUTED,
                                    .charged_ns = idd->unattributed_ns,
                                    .events = idd->unassigned,
                                    .events_n = IO_TRACE_KINDS};
    }
    return true;
}

/* ---- the relation ---- */

static const char *const charge_recipients[] = {"guest", "own", "unattributed", NULL};

/* A table of charges leaves cells empty where there is nothing. */
static struct value or_blank(struct value v)
{
    return v.type == VALUE_NONE && !v.text ? none_but("") : v;
}

static struct value events(const struct charge_row *c, enum io_kind kind)
{
    if (kind >= IO_TX && c->guest && !c->guest->counted[kind - IO_TX])
        return none();
    return kind < c->events_n ? of_u64(c->events[kind]) : none();
}

#define COLUMN(NAME, TITLE, UNIT, DIGITS, FLAGS, TABLE, VALUE, HELP)                                         \
    static struct value get_##NAME(const struct row_view *v) {                                               \
        const struct charge_row *c = v->row;                                                                 \
        const struct charge_idd *d = c->idd;                                                                 \
        const struct charge_guest *g = c->guest;                                                             \
        (void)d;                                                                                             \
        (void)g;                                                                                             \
        return or_blank(VALUE);                                                                              \
    }
#include "metrics/relation/charges.def"

static const struct column columns[] = {
    TIMELINE_COLUMNS,
    INTERVAL_COLUMNS(L),
    TIME_COLUMNS,
#define COLUMN(NAME, TITLE, UNIT, DIGITS, FLAGS, TABLE, VALUE, HELP)                                         \
    {COLUMN_HEAD(NAME, TITLE, UNIT, DIGITS, FLAGS, TABLE, HELP), .get = get_##NAME},
#define WORDED(NAME, TITLE, FLAGS, TABLE, VALUE, HELP)                                                       \
    {COLUMN_HEAD(NAME, TITLE, NONE, 0, FLAGS, TABLE, HELP), .get = get_##NAME, .words = charge_recipients},
#include "metrics/relation/charges.def"
};

static bool is_rest(const void *row)
{
    return ((const struct charge_row *)row)->recipient != RECIPIENT_GUEST;
}

/* Time that there was none of. */
static bool is_empty(const void *row)
{
    return is_rest(row) && ((const struct charge_row *)row)->charged_ns == 0;
}

/* Time that cannot be judged stands out. */
static bool is_worry(const void *row)
{
    const struct charge_row *c = row;
    return c->recipient == RECIPIENT_UNATTRIBUTED && c->charged_ns > 0;
}

const struct relation relation_charges = {
    .name = "charge",
    .title = "charges (-c)",
    .table = "charges",
    .none = "no driver domain is in it\n",
    .row_size = sizeof(struct charge_row),
    .columns = columns,
    .columns_n = sizeof columns / sizeof *columns,
    .is_empty = is_empty,
    .is_worry = is_worry,
    .is_rest = is_rest,
    .group_size = sizeof(struct charge_idd),
    .group_at = offsetof(struct charge_row, idd),
};
