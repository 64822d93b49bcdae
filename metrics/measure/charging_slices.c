/* Slices: they begin and end as vCPUs of driver domains start and stop, and as they are cut. See charging.h. */
#include "charging.h"

#include <stdlib.h>

#include "metrics/array.h"

struct run_slice *charging_new_slice(struct charging *c)
{
    struct run_slice *slice = c->free_slices;
    if (slice) {
        c->free_slices = slice->next_free;
        return slice;
    }
    slice = calloc(1, sizeof *slice);
    if (slice) {
        c->memory += sizeof *slice;
        slice->next_made = c->slices_made;
        c->slices_made = slice;
    }
    return slice;
}

void charging_open_slice(struct charging *c, uint32_t vcpu, uint16_t pcpu)
{
    bool apart = charging_by_task(c, vcpu) || charging_is_measured(c, vcpu);
    struct period *period = apart ? NULL : charging_period(c, vcpu);
    struct run_slice *slice = charging_new_slice(c);
    if ((!period && !apart) || !slice) {
        c->failed = true;
        return;
    }
    *slice = (struct run_slice){
        .period = period, .from_ns = c->now_ns, .vcpu = vcpu, .pcpu = pcpu, .next_made = slice->next_made};
    c->vcpus[vcpu].slice = slice;
    c->vcpus[vcpu].pcpu = pcpu;
    if (apart) {
        tasks_begin(c, vcpu);
        return;
    }
    period->references++;
    if (c->options.interval_ns == 0)
        period->from_ns = c->now_ns;
}

void charging_begin_running(struct charging *c, uint32_t vcpu)
{
    uint32_t *running = array_reserve(c->running, &c->running_capacity, c->running_n + 1, sizeof *running);
    if (!running) {
        c->failed = true;
        return;
    }
    c->running = running;
    if (c->marks)
        tasks_skip_marks(c, c->view->vcpus[vcpu].pcpu);
    c->vcpus[vcpu].running_at = (uint32_t)c->running_n;
    c->running[c->running_n++] = vcpu;
    charging_open_slice(c, vcpu, c->view->vcpus[vcpu].pcpu);
}

bool charging_append_done(struct charging *c, struct run_slice *slice)
{
    struct run_slice **done = c->done;
    if (c->done_n == c->done_capacity)
        done = array_reserve(done, &c->done_capacity, c->done_n + 1, sizeof(struct run_slice *));
    if (!done)
        return false;
    c->done = done;
    c->done[c->done_n++] = slice;
    return true;
}

/* The slice ends. */
static void end_slice(const struct charging *c, struct run_slice *slice, uint64_t to_ns)
{
    struct period *period = slice->period;
    slice->to_ns = to_ns;
    slice->offset_ns = period->ran_ns;
    period->ran_ns += slice->to_ns - slice->from_ns;
    period->partial = period->partial || c->vcpus[slice->vcpu].blind;
}

/* The slice is the period's, and waits for it. */
static void wait_for_period(struct charging *c, struct run_slice *slice, struct period *p, uint64_t to_ns)
{
    slice->period = p;
    slice->of_task = true;
    p->references++;
    end_slice(c, slice, to_ns);
    if (p->first)
        p->last->next_waiting = slice;
    else
        p->first = slice;
    p->last = slice;
}

void charging_end_slice(struct charging *c, uint32_t vcpu, struct period *p)
{
    struct run_slice *slice = c->vcpus[vcpu].slice;
    c->vcpus[vcpu].slice = NULL;
    wait_for_period(c, slice, p, c->now_ns);
}

void charging_part_slice(struct charging *c, uint32_t vcpu, uint64_t to_ns, struct period *p)
{
    struct charging_vcpu *v = &c->vcpus[vcpu];
    struct run_slice *part = v->slice, *rest = charging_new_slice(c);
    if (!rest) {
        c->failed = true;
        return;
    }
    *rest =
        (struct run_slice){.from_ns = to_ns, .vcpu = vcpu, .pcpu = part->pcpu, .next_made = rest->next_made};
    v->slice = rest;
    wait_for_period(c, part, p, to_ns);
}

/* A kernel that says when it switches tasks does so many times in the time that it runs here. */
#define TOLD_WITHIN_NS 20000000u

static void run_untold(struct charging *c, const struct run_slice *slice)
{
    c->untold_ns += slice->to_ns - slice->from_ns;
    if (c->untold_ns < TOLD_WITHIN_NS || !charging_lacks_tasks(c))
        return;
    c->idle_untold = true;
    c->failed = true;
}

void charging_close_slice(struct charging *c, uint32_t vcpu, bool lost)
{
    struct charging_vcpu *v = &c->vcpus[vcpu];
    struct run_slice *slice = v->slice;
    if (slice && charging_is_measured(c, vcpu)) {
        charging_close_measured(c, vcpu, c->now_ns);
        return;
    }
    if (!slice || !charging_append_done(c, slice)) {
        c->failed = true;
        return;
    }
    struct period *period = slice->period;
    end_slice(c, slice, c->now_ns);
    if (c->options.charge_idle)
        run_untold(c, slice);
    period->partial = period->partial || lost;
    v->slice = NULL;
    if (c->options.interval_ns == 0) {
        charging_close_period(c, period, c->now_ns);
        v->period = NULL;
        charging_release_period(c, period);
    }
}

void charging_end_running(struct charging *c, uint32_t vcpu, uint16_t pcpu, unsigned to, bool lost)
{
    struct charging_vcpu *v = &c->vcpus[vcpu];
    if (!v->slice)
        return;
    attribution_stops(c, vcpu, pcpu);
    v->slice->io_free = v->whole && !v->io_seen && !lost;
    if (charging_by_task(c, vcpu))
        tasks_stop(c, vcpu, to == RUNSTATE_BLOCKED, lost);
    else
        charging_close_slice(c, vcpu, lost);
    uint32_t last = c->running[--c->running_n];
    c->running[v->running_at] = last;
    c->vcpus[last].running_at = v->running_at;
    v->io_seen = false;
}

void charging_cut_slice(struct charging *c, uint32_t vcpu)
{
    charging_close_slice(c, vcpu, false);
    if (!c->failed)
        charging_open_slice(c, vcpu, c->vcpus[vcpu].pcpu); /* the view may be a transition ahead of a cut */
}

struct run_slice *charging_next_slice(struct charging *c)
{
    if (c->done_head == c->done_n) {
        c->done_head = c->done_n = 0;
        return NULL;
    }
    /* A period that is an interval has its shares only at its end; slices after this one are of the same or a later one. */
    return c->done[c->done_head]->period->closed ? c->done[c->done_head++] : NULL;
}

void charging_part_own(struct charging *c, uint32_t vcpu, uint64_t to_ns)
{
    struct charging_vcpu *v = &c->vcpus[vcpu];
    struct run_slice *part = v->slice, *rest = charging_new_slice(c);
    struct idd *d = &c->idds[c->incarnations[c->population->vcpus[vcpu].life].idd];
    if (!d->own && rest)
        d->own = charging_own_period(c, vcpu);
    if (!rest || !d->own) {
        c->failed = true;
        return;
    }
    *rest =
        (struct run_slice){.from_ns = to_ns, .vcpu = vcpu, .pcpu = part->pcpu, .next_made = rest->next_made};
    v->slice = rest;
    part->period = d->own;
    part->to_ns = to_ns;
    part->of_task = true;
    d->own->references++;
    c->failed = c->failed || !charging_append_done(c, part);
}
