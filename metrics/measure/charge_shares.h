/*
 * Periods as they are made, shared out and given back, and the slices that wait for that (charge_period.h).
 *
 * While a period is shared out, the weights of its shares are in c->real_weights; then they become those of the period.
 */
#ifndef XENMETER_METRICS_CHARGE_SHARES_H
#define XENMETER_METRICS_CHARGE_SHARES_H

#include <stdbool.h>
#include <stdint.h>

#include "apportion.h"
#include "charging_state.h"

/* ---- periods ---- */

/* A period of a driver domain, with one reference. NULL: no memory. */
struct period *charging_make_period(struct charging *c, uint32_t idd, uint64_t from_ns);
/* The same of the driver domain of this vCPU. */
static inline struct period *charging_new_period(struct charging *c, uint32_t vcpu, uint64_t from_ns)
{
    return charging_make_period(c, charging_idd_of_vcpu(c, vcpu), from_ns);
}
/* Nothing happened in it. */
void charging_clear_period(struct charging *c, struct period *p);
/* One of its references is gone. */
static inline void charging_release_period(struct charging *c, struct period *p)
{
    if (--p->references == 0)
        pool_give(&c->periods, &p->in_pool);
}
/* Keeps the period, which is over at to_ns, with a reference. */
void charging_hold(struct charging *c, struct held_periods *held, struct period *p, uint64_t to_ns);

/* ---- shares ---- */

/* Adds the share of `to`, which has none. NULL: no memory. */
struct share *charging_add_share(struct charging *c, struct period *p, uint32_t to, double weight);
/* The same of a pair, by events of one kind alone. */
void charging_add_share_by(struct charging *c, struct period *p, uint32_t pair, enum io_kind kind,
                           double weight, bool inferred);
/* The share of `to`, made if there is none yet. NULL: no memory. */
struct share *charging_share_of(struct charging *c, struct period *p, uint32_t to);
/* Adds `weight` to the share of `to`, made if there is none yet. */
void charging_add_weight(struct charging *c, struct period *p, uint32_t to, double weight);
/* Adds the pairs of the driver domain in the proportion of their recent charges. */
void charging_share_recent(struct charging *c, struct period *p);
/* No I/O was seen: the period is the driver domain's own, spread, or unattributed. */
void charging_share_own(struct charging *c, struct period *p);
/* The sum of the weights in c->real_weights. */
double charging_sum_real(const struct charging *c, const struct period *p);
/* Remembers the guests that the period is charged to. */
void charging_remember(struct charging *c, const struct period *p);
/* c->real_weights become the weights of the period. */
static inline void charging_set_weights(const struct charging *c, struct period *p)
{
    if (p->shares_n > 1)
        apportion_scale(c->real_weights, p->weights, p->shares_n);
    else
        p->weights[0] = 1;
}

/* The sum of the weights of the period. */
double charging_sum_weights(const struct period *p);
/* Makes room in c->real_weights for the shares of the period. False: no memory. */
bool charging_restore_weights(struct charging *c, const struct period *p);

/* Adds to the sum of `to`. */
void charging_add_sum(struct charging *c, struct share_sums *s, uint32_t to, double ns);

/* ---- slices ---- */

/* A slice of the vCPU on the pCPU, all else zero. NULL: no memory. */
struct run_slice *charging_new_slice(struct charging *c, uint32_t vcpu, uint16_t pcpu, uint64_t from_ns);
/* The slice ends in its period. */
static inline void charging_end_in_period(const struct charging *c, struct run_slice *slice, uint64_t to_ns)
{
    struct period *period = slice->period;
    slice->to_ns = to_ns;
    slice->offset_ns = period->ran_ns;
    period->ran_ns += slice->to_ns - slice->from_ns;
    period->partial = period->partial || c->vcpus[slice->vcpu].blind;
}
/* The slice, whose period is over, goes to the ledger, which gets it when the shares are known. */
void charging_append_done(struct charging *c, struct run_slice *slice);
/* So do the slices that wait for the period. */
void charging_pass_on_slices(struct charging *c, struct period *p);

/* Of the slice of a vCPU that runs, where T is a task or the driver domain is measured: */
/* What the vCPU's slice has before to_ns is returned; the slice goes on after that. NULL: no memory. */
struct run_slice *charging_split_slice(struct charging *c, uint32_t vcpu, uint64_t to_ns);
/* What the slice has before to_ns is the period's. */
void charging_part_slice(struct charging *c, uint32_t vcpu, uint64_t to_ns, struct period *p);
/* The same, and it is the driver domain's own for sure. */
void charging_part_own(struct charging *c, uint32_t vcpu, uint64_t to_ns);
/* What the slice has left is the period's: it ends now. */
void charging_end_slice(struct charging *c, uint32_t vcpu, struct period *p);

/* The ledger is done with it. */
static inline void charging_release(struct charging *c, struct run_slice *slice)
{
    charging_release_period(c, slice->period);
    pool_give(&c->slices, &slice->in_pool);
}

/* Frees periods and slices. */
void charging_free_periods(struct charging *c);

#endif
