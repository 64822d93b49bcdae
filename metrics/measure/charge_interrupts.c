#include "charge_interrupts.h"

#include "charge_choice.h"
#include "charge_shares.h"
#include "charge_softirqs.h"

/* ---- how long handlers take ---- */

/* How much I/O of the pair a handler did, in units of one page copied. */
static double amount_of(const struct pair_tally *t)
{
    double amount = 0;
    for (int k = 0; k < IO_TRACE_KINDS; k++)
        amount += charge_default_weights[k] * t->events[k];
    return amount;
}

void interrupt_learn(struct charging *c, const struct period *p, uint64_t from_ns)
{
    if (p->tallies_n != 1 || p->unattributed > 0)
        return;
    struct pair *pair = &c->pairs[p->tallies[0].pair];
    pair->handled_ns += (double)(c->now_ns - from_ns);
    pair->handled += amount_of(&p->tallies[0]);
}

uint64_t interrupt_began(const struct charging *c, const struct period *p, uint64_t from_ns)
{
    double ns = 0;
    for (size_t i = 0; i < p->tallies_n; i++) {
        const struct pair *pair = &c->pairs[p->tallies[i].pair];
        if (pair->handled <= 0)
            return from_ns;
        ns += pair->handled_ns / pair->handled * amount_of(&p->tallies[i]);
    }
    double most = (double)(c->now_ns - from_ns);
    return p->unattributed > 0 || ns >= most ? from_ns : c->now_ns - (uint64_t)ns;
}

/* ---- the way to the handler ---- */

#define FORGETS 1024 /* the shortest one grows by this part with each further one: hosts change */

void interrupt_learn_entry(struct charging *c, uint32_t vcpu, uint64_t ns)
{
    struct idd *d = charging_driver(c, vcpu);
    uint64_t longer = d->shortest_wake_ns + d->shortest_wake_ns / FORGETS + 1;
    d->shortest_wake_ns = d->shortest_wake_ns && longer < ns ? longer : ns;
}

/* A third of the shortest one: a handler is short, but takes longer than the way to it. */
uint64_t interrupt_entry(const struct charging *c, uint32_t vcpu, uint64_t ns)
{
    uint64_t entry = charging_driver(c, vcpu)->shortest_wake_ns / 3;
    return entry < ns / 3 ? entry : ns / 3;
}

/* ---- those that wait for a thread ---- */

struct period *interrupt_waits(struct charging *c, uint32_t vcpu, uint64_t from_ns)
{
    struct interrupts *w = &c->vcpus[vcpu].interrupts;
    if (!w->period) {
        w->period = charging_new_period(c, vcpu, from_ns);
        w->woke = NOBODY;
        w->switched = false;
        c->waiting_interrupts += w->period != NULL;
    }
    if (w->wakes != NOBODY)
        w->woke = w->wakes;
    return w->period;
}

static void settle(struct charging *c, uint32_t vcpu, const struct period *whole)
{
    struct interrupts *w = &c->vcpus[vcpu].interrupts;
    struct period *p = w->period;
    w->period = NULL;
    c->waiting_interrupts--;
    p->like = whole;
    charging_end_period(c, vcpu, p, c->now_ns);
}

/* Of another vCPU of the domain, which woke this one. */
static void settle_of_wakers(struct charging *c, uint32_t vcpu, const struct period *whole)
{
    const struct incarnation *life = &c->population->incarnations[c->population->vcpus[vcpu].life];
    for (uint32_t id = 0; id < life->vcpus_n; id++) {
        uint32_t waker = life->vcpus[id];
        if (waker == NOBODY || waker >= c->vcpus_n)
            continue;
        const struct interrupts *w = &c->vcpus[waker].interrupts;
        if (w->period && w->woke == vcpu)
            settle(c, waker, whole);
    }
}

void interrupt_follows(struct charging *c, uint32_t vcpu, const struct period *whole)
{
    const struct interrupts *w = &c->vcpus[vcpu].interrupts;
    if (c->waiting_interrupts == 0 || whole->shares_n == 0 || !softirq_passes_on(whole))
        return;
    if (w->period && w->woke == NOBODY && w->switched)
        settle(c, vcpu, whole);
    settle_of_wakers(c, vcpu, whole);
}

void interrupt_ends_waiting(struct charging *c, uint32_t vcpu)
{
    if (c->vcpus[vcpu].interrupts.period)
        settle(c, vcpu, NULL);
}

void interrupt_sleeps(struct charging *c, uint32_t vcpu)
{
    if (c->waiting_interrupts == 0)
        return;
    if (c->vcpus[vcpu].interrupts.woke == NOBODY)
        interrupt_ends_waiting(c, vcpu);
    settle_of_wakers(c, vcpu, NULL);
}

void interrupts_end_waiting(struct charging *c)
{
    for (uint32_t vcpu = 0; c->waiting_interrupts > 0 && vcpu < c->vcpus_n; vcpu++) {
        if (c->vcpus[vcpu].interrupts.period)
            c->vcpus[vcpu].interrupts.period->unfollowed = true;
        interrupt_ends_waiting(c, vcpu);
    }
}
