#include "metrics/control/guard_replay.h"

#include <stdlib.h>

#include "metrics/array.h"

/* What a meter would have handed out. */
struct guard_replay {
    struct meter_sink sink; /* the guard's */
    struct row *rows;
    struct measures *measures;
    struct charge_idd *idds;
    struct charge_guest *guests;
    size_t row_space, measure_space, idd_space, guest_space;
    size_t rows_n, idds_n;
};

struct guard_replay *guard_replay_new(struct guard *g)
{
    struct guard_replay *r = calloc(1, sizeof *r);
    struct meter_options meter = {.bys = 0};
    guard_wants(g, &meter);
    if (r)
        r->sink = meter.sink;
    return r;
}

void guard_replay_free(struct guard_replay *r)
{
    if (!r)
        return;
    free(r->rows);
    free(r->measures);
    free(r->idds);
    free(r->guests);
    free(r);
}

/* Room for n guests, each with a driver domain of its own. False: no memory. */
static bool make_room(struct guard_replay *r, size_t n)
{
    return array_make_room(&r->rows, &r->row_space, 2 * n + 1, sizeof *r->rows) &&
           array_make_room(&r->measures, &r->measure_space, 2 * n + 1, sizeof *r->measures) &&
           array_make_room(&r->idds, &r->idd_space, n + 1, sizeof *r->idds) &&
           array_make_room(&r->guests, &r->guest_space, n + 1, sizeof *r->guests);
}

/* The domain has a row, by which the guard knows that it is there. */
static void add_row(struct guard_replay *r, int32_t domain, uint32_t life, uint64_t all_ns,
                    uint64_t unknown_ns)
{
    for (size_t i = 0; i < r->rows_n; i++)
        if (r->rows[i].domain == domain && r->rows[i].life == life)
            return;
    struct measures *m = &r->measures[r->rows_n];
    *m = (struct measures){.doubtful_ns = 0};
    m->state_ns[RUNSTATE_UNKNOWN] = (int64_t)unknown_ns;
    m->state_ns[RUNSTATE_BLOCKED] = (int64_t)(all_ns - unknown_ns);
    r->rows[r->rows_n++] =
        (struct row){.domain = domain, .life = life, .vcpu = -1, .pcpu = -1, .measures = m};
}

/* So that the charge may be due to the same kinds of I/O. */
static struct charge_guest charge_of(const struct guard_row *row)
{
    struct charge_guest g = {.domain = row->domain,
                             .life = row->life,
                             .charged_ns = row->charged_ns,
                             .measured_ns = row->measured_ns,
                             .certain_ns = row->certain_ns};
    if (row->io[GUARD_NETWORK] != row->io[GUARD_DISK])
        g.charged_by_ns[row->io[GUARD_NETWORK] ? IO_TX : IO_READ] = (double)row->charged_ns;
    return g;
}

static bool same_driver(const struct charge_idd *idd, const struct guard_row *row)
{
    return idd->domain == row->driver_domain && idd->life == row->driver_life;
}

/* The guests of one driver domain, that of rows[at], which has not been added before. */
static size_t add_driver(struct guard_replay *r, const struct guard_row *rows, size_t at, size_t n,
                         size_t guests_n)
{
    struct charge_idd *idd = &r->idds[r->idds_n++];
    *idd = (struct charge_idd){.domain = rows[at].driver_domain,
                               .life = rows[at].driver_life,
                               .unattributed_ns = rows[at].unattributed_ns,
                               .guests = &r->guests[guests_n]};
    for (size_t i = at; i < n; i++)
        if (same_driver(idd, &rows[i])) {
            r->guests[guests_n++] = charge_of(&rows[i]);
            idd->guests_n++;
            idd->charged_ns += rows[i].charged_ns;
        }
    add_row(r, idd->domain, idd->life, rows[at].driver_ns, rows[at].unknown_ns);
    return guests_n;
}

static bool is_added(const struct guard_replay *r, const struct guard_row *row)
{
    for (size_t i = 0; i < r->idds_n; i++)
        if (same_driver(&r->idds[i], row))
            return true;
    return false;
}

int guard_replay_window(struct guard_replay *r, const struct interval *interval, const struct guard_row *rows,
                        size_t n)
{
    size_t guests_n = 0;
    if (!make_room(r, n))
        return -1;
    r->rows_n = r->idds_n = 0;
    for (size_t i = 0; i < n; i++)
        if (!is_added(r, &rows[i]))
            guests_n = add_driver(r, rows, i, n, guests_n);
    for (size_t i = 0; i < n; i++)
        add_row(r, rows[i].domain, rows[i].life, 0, 0);
    if (r->sink.interval(r->sink.context, interval, r->rows, r->rows_n) != 0)
        return -1;
    return r->sink.charges(r->sink.context, interval, r->idds, r->idds_n);
}
