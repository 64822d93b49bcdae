/*
 * What one event costs a driver domain, fitted from measured time: in each interval and for each guest,
 *
 *     time for the guest = sum over the kinds of events of cost[kind] * events[kind]
 *
 * where the time was measured: CPU times of threads (thread_times.h), or the recording of the driver domain's own kernel
 * (dom0_trace.h). The costs are those of least squares, none of them negative. Where it is known what a thread does, its time
 * counts for its events alone: that of guest-rx for packets sent to the guest, of napi and dealloc for those received,
 * of blkback and tapdisk for requests; the rest, interrupts and softirqs among it, for all.
 *
 * The error of a cost is the larger one of two by the jackknife: as intervals are left out, one block of them at a time, and
 * as guests are left out. The latter shows that a packet of one guest costs another time than a packet of another one.
 */
#ifndef XENMETER_METRICS_WEIGHT_FIT_H
#define XENMETER_METRICS_WEIGHT_FIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "charge.h"
#include "parser/error.h"
#include "parser/order/clock.h"
#include "row.h"

#define FIT_INTERVALS_MIN 3  /* fewer give no errors, and no costs */
#define FIT_EVENTS_MIN    20 /* of a kind; fewer give no cost */

enum fit_state {
    FIT_KNOWN,
    FIT_UNCERTAIN, /* its error is more than half of it */
    FIT_NEGATIVE,  /* the best cost is not above 0: it is not known, and its weight is 0 */
    FIT_TOGETHER, /* its events come with those of another kind, always: only what they cost together is known. Their */
                  /* weights are in the proportion of the default weights */
    FIT_FEW,       /* fewer than FIT_EVENTS_MIN events */
    FIT_NO_EVENTS, /* none */
    FIT_STATES
};

/* One kind of event. */
struct fitted_weight {
    enum io_kind kind;
    enum fit_state state;
    enum io_kind with;    /* FIT_TOGETHER: the kind with which it comes */
    uint64_t events;      /* in the intervals used */
    double cost_ns;       /* of one event; if fit_has_cost */
    double error_ns;      /* one standard error of it; if fit_has_cost */
    double explained_pct; /* cost * events, of the time that the driver domains ran; if fit_has_cost */
    double
        weight; /* for charge_options.weights, in units of the default weights; negative: none, the default holds */
};

static inline bool fit_has_cost(const struct fitted_weight *w)
{
    return w->state <= FIT_UNCERTAIN;
}

struct fitted_weights {
    struct fitted_weight kinds[IO_KINDS]; /* those that were to be fitted, by kind */
    size_t n;
    uint64_t intervals;  /* used */
    double driver_ns;    /* the driver domains ran in them, */
    double guests_ns;    /* of it, as measured, for guests, */
    double explained_ns; /* of it, as the costs have it */
    double
        residual_pct; /* how far the costs are off for a guest in an interval: root mean square, of that of its time */
};

extern const struct relation relation_fitted_weights; /* of struct fitted_weight */

struct weight_fit;

/*
 * Fits the weights of the kinds that `methods` look at (enum charge_method; what is automatic: packets where devices count
 * any, else the events of the trace). `options` and what it points to stay the caller's; `guests`: only these, a byte for each
 * of 65536 domain ids; NULL: all. NULL: no memory.
 */
struct weight_fit *weight_fit_new(const struct charge_options *options, unsigned methods,
                                  const uint8_t *guests);
void weight_fit_free(struct weight_fit *f);

/* Whether anything was measured of which costs can be fitted: `options` have thread times or a recording. */
bool weight_fit_is_possible(const struct charge_options *options);

/*
 * The charges of one interval, made by CHARGE_THREADS or a recording; the whole trace is no interval. Not used is what is not
 * covered: an interval that the trace or the measured times begin or end in, guests whose devices came or went in it.
 */
void weight_fit_take(struct weight_fit *f, const struct clock *clock, const struct interval *interval,
                     const struct charge_idd *idds, size_t n);

/* What was taken until now. -1 with `err` filled: it is too little, says what is missing. */
int weight_fit_solve(const struct weight_fit *f, struct fitted_weights *result, struct error *err);

#endif
