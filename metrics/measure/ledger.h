/*
 * The ledger: transitions in time order are booked to cells; intervals are closed on the way, and the rows of each by that
 * is asked for are summed from the cells then. In six files: cells (where a moment is booked), booking (what a transition
 * adds), charges and their rows, snapshots, closing (intervals).
 */
#ifndef XENMETER_METRICS_LEDGER_H
#define XENMETER_METRICS_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "before_seen.h"
#include "charging_state.h"
#include "meter_options.h"
#include "metrics/model/blind.h"
#include "metrics/model/population.h"
#include "metrics/model/runstate.h"
#include "row.h"
#include "metrics/array.h"

/* One that rows of one by are about: the sum of its cells. */
struct ledger_subject {
    struct row row;              /* its key; `vcpus` counts those that appeared */
    uint64_t birth_ns, death_ns; /* it exists in between; death: UINT64_MAX while it lives */
    uint64_t seen_ns;            /* BY_PCPU: when it was seen first */
    struct cell *only;           /* its cell, if it is just that; NULL: its cells are added up in `sum` */
    bool summed;                 /* it has further cells */
    struct measures sum;
};

/* Ordered by key. */
struct subjects {
    struct ledger_subject **list;
    size_t n, capacity;
};

/*
 * What happens is booked to two cells at most: one of a vCPU or domain, wherever it is, and one of a pCPU. What rows by
 * domain and by vCPU are about does not divide the first, what rows by pCPU and by domain and pCPU are about not the second.
 */
enum cell_kind { CELL_WHO, CELL_WHERE, CELL_KINDS };

struct cell {
    struct ledger_subject *of[BYS]; /* the rows that it is part of; NULL: none of this by */
    struct measures live;           /* since the last boundary of any granularity */
    struct measures *wide;          /* per granularity: see struct granularity; NULL with only one */
    bool idle_row;                  /* the idle domain's by domain and pCPU */
    bool visited;                   /* CELL_WHERE: vCPUs were there; else there were only charges */
};

/* The cells of a domain, or of nobody, by pCPU + 1; 0: on none. */
struct cells {
    struct cell **at;
    size_t n;
};

/* What is booked for one vCPU so far. */
struct account {
    uint64_t since_ns;                           /* booked up to here */
    uint64_t dark_ns;                            /* dark time up to there */
    uint64_t run_start, wait_start, block_start; /* NS_UNKNOWN: begun before it was seen */
    uint64_t running_since;                      /* while it runs: since when that is known */
    uint64_t waited_ns, blocked_before_ns;       /* before the current execution */
    uint64_t io_events;                          /* in the current execution */
    struct cell *cell[CELL_KINDS];               /* NULL: its time goes to none */
    struct measures *booked[CELL_KINDS + 1];     /* of these cells, if its pCPU is wanted; NULL ends them */
    uint32_t life;
    uint32_t slice_ns;
    uint16_t pcpu; /* where it runs or ran last */
    uint16_t last_run_pcpu;
    uint8_t state;        /* enum runstate */
    uint8_t wait_kind;    /* of the current or last wait */
    uint8_t counted_from; /* index in `booked`: from there on what it does is counted, too */
    bool alive, idle, yielded, sleeping;
    bool doubtful;  /* its state: some of its time is */
    uint8_t doubts; /* TRANSITION_DOUBT that began and did not end */
};

/* Per life: the runstate of the domain as a whole. */
struct domain_account {
    uint64_t since_ns;
    uint32_t in_state[RUNSTATES]; /* its vCPUs */
    uint8_t state;                /* enum domain_runstate */
    bool begun;
    struct cell *cell; /* its own, also of what is not one of its vCPUs' */
    struct cells where;
};

/*
 * A finer granularity whose length divides this one's feeds it: when an interval of the finer one closes, its measures are
 * added. Those that no other feeds are fed by what is live, at each boundary; if that is only one, it is what is live.
 */
struct granularity {
    uint64_t length_ns; /* 0: the whole trace */
    uint64_t start_ns;  /* of the open interval */
    uint64_t next_ns;   /* its end; UINT64_MAX for the whole trace */
    size_t fed_by;      /* granularity, FED_BY_LIVE, IS_LIVE */
};
#define FED_BY_LIVE METER_GRANULARITIES
#define IS_LIVE     (METER_GRANULARITIES + 1)

/* Sums since a boundary, as in struct cell; of each the domain, life and guests are not used. */
struct charge_sums {
    struct charge_guest *guests; /* by pair number */
    size_t guests_n;
    struct charge_idd *idds; /* by driver domain number */
    size_t idds_n;
};

struct ledger {
    struct meter_options options;
    const struct population *population;
    /* guest vCPU time, while reporting, and of it: running; whose state is not known, or doubtful */
    uint64_t vcpu_ns, ran_ns, unknown_ns, doubtful_ns;
    struct dark_clock dark; /* up to the last transition */
    struct subjects subjects[BYS];
    struct cell **all_cells;
    size_t all_cells_n, all_cells_capacity;
    struct account *accounts; /* by vCPU number */
    size_t accounts_n;
    struct domain_account *domains; /* by life number */
    size_t domains_n;
    struct cells where; /* of the pCPUs, if they are not divided by domain */
    struct granularity granularities[METER_GRANULARITIES];
    size_t finest_first[METER_GRANULARITIES];
    uint64_t live_ns; /* what is live began here */
    struct row *rows; /* room for one interval's */
    size_t rows_capacity;
    struct charging *charging; /* NULL: charges are not accounted */
    struct charge_sums charges_live;
    uint64_t idds_ran_ns,
        idds_unattributed_ns;              /* while reporting, of driver domains; and of it: unattributed */
    uint64_t idds_doubt_ns[CHARGE_DOUBTS]; /* and of it: by enum charge_doubt */
    struct charge_sums charges[METER_GRANULARITIES]; /* not used with only one: it is what is live */
    struct run_slice **active;                       /* that reach beyond the open intervals */
    size_t active_n, active_capacity;
    struct charge_idd *charge_idds; /* room for one interval's */
    struct charge_guest *charge_guests;
    size_t charge_idds_capacity, charge_guests_capacity;
    uint64_t now_ns;      /* booked up to here */
    uint64_t boundary_ns; /* the next boundary of any granularity */
    uint64_t
        end_ns; /* of the trace, UINT64_MAX while unknown: its last instant belongs to the last interval */
    bool reporting; /* now is inside [from, to) */
    bool done;      /* `to` was passed */
    bool out_of_memory;
    bool sink_ended;
    size_t memory;
};

void ledger_init(struct ledger *l, const struct meter_options *options, const struct population *population);
void ledger_free(struct ledger *l);

/* Makes item `at` of an array, as array_make_room does. False: memory ran out, which is noted. */
static inline bool ledger_reserve(struct ledger *l, void *array, size_t *capacity, size_t at, size_t size)
{
    return array_make_counted(array, capacity, at + 1, size, &l->memory, &l->out_of_memory);
}

/* Whether the sink gets rows: not after it asked to end, and none that may be incomplete for want of memory. */
static inline bool ledger_hands_out(const struct ledger *l)
{
    return !l->sink_ended && !l->out_of_memory;
}

/* Where the measures of granularity g are. */
static inline struct measures *ledger_measures(const struct ledger *l, struct cell *c, size_t g)
{
    return l->granularities[g].fed_by == IS_LIVE ? &c->live : &c->wide[g];
}

static inline bool ledger_wants(const struct ledger *l, enum by by)
{
    return (l->options.bys & 1u << by) != 0;
}

/* booking: a transition of a time before the next boundary, any but TRANSITION_DARK */
void ledger_book_change(struct ledger *l, const struct transition *t);
/* A vCPU whose account is filled has rows from now_ns on. Returns whether it is the first of its domain. */
bool ledger_enter(struct ledger *l, uint32_t vcpu, uint64_t now_ns);
void ledger_book_time(struct ledger *l, struct account *a, uint64_t until_ns);
void ledger_book_domain(struct domain_account *d, uint64_t until_ns);
void ledger_end_execution(struct ledger *l, uint32_t vcpu, uint64_t now_ns, enum execution_end end);

/* charges (ledger_charge.c, ledger_charge_rows.c) */
/* An I/O event, of a time before the next boundary. */
void ledger_book_event(struct ledger *l, uint64_t time_ns, const struct io_event *h);
/* The same as a transition, which can wait; ledger_book takes it. */
struct transition ledger_event_transition(uint64_t time_ns, const struct io_event *h);
/* One of the transitions that the charging stage adds: I/O events. */
void ledger_book_io(struct ledger *l, const struct transition *t);
/* A closed slice: booked at once, or interval by interval if it reaches beyond the open ones. */
void ledger_take_slice(struct ledger *l, struct run_slice *slice);
/* The driver domain that the life is by now; NOBODY. */
uint32_t ledger_idd_of(const struct ledger *l, uint32_t life);
/* A vCPU of the life was dispatched. */
void ledger_charge_dispatch(struct ledger *l, uint32_t life);
/* Books the slices at hand up to until_ns. */
void ledger_charges_book(struct ledger *l, uint64_t until_ns);
/* A boundary of any granularity: what is live goes to each granularity (not used with only one). */
void ledger_charges_gather(struct ledger *l);
void ledger_charges_clear(struct ledger *l);
/* Hands out the interval of granularity g and begins the next one. */
void ledger_charges_close(struct ledger *l, size_t g, const struct interval *interval);
/* Adds ns that a driver domain ran before it was seen to the open interval of granularity g. */
void ledger_charges_before_seen(struct ledger *l, uint32_t idd, size_t g, uint64_t ns);
void ledger_charges_free(struct ledger *l);

/*
 * Saves the accounts and who has rows, or restores them (`idle`: idle vCPUs, too) into a new ledger that does not report
 * yet.
 */
void ledger_snapshot(struct ledger *l, struct snapshot *s, bool idle);

/* closing */
/* Books the next transition; intervals that end before it are closed. */
void ledger_book(struct ledger *l, const struct transition *t);
/* Closes every interval that ends at or before now_ns. */
void ledger_advance(struct ledger *l, uint64_t now_ns);
/* What is reported ends at to_ns. False: that much, or more, was booked, or handed out. */
bool ledger_end_at(struct ledger *l, uint64_t to_ns);
/* Ends the trace: closes the open intervals, partial ones included if `partial`, and the whole-trace rows. */
void ledger_finish(struct ledger *l, uint64_t end_ns, bool partial);

#endif
