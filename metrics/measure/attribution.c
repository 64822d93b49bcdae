#include "attribution.h"

#include "apportion.h"
#include "charge_interrupts.h"
#include "charge_marks.h"
#include "charge_pairs.h"
#include "charge_running.h"
#include "charge_tally.h"
#include "charge_tasks.h"

#define SPLIT_MAX 64 /* guests among which one batch of copies is divided */

static uint32_t life_of(const struct charging *c, uint32_t vcpu)
{
    return c->population->vcpus[vcpu].life;
}

static bool is_idle(const struct charging *c, uint32_t life)
{
    return c->population->incarnations[life].domain == IDLE_DOMAIN;
}

/* The driver domain that a vCPU belongs to: its index, or NOBODY. */
static uint32_t idd_of_vcpu(const struct charging *c, uint32_t vcpu)
{
    return vcpu == NOBODY ? NOBODY : charging_idd_of_vcpu(c, vcpu);
}

/* ---- events ---- */

/* Where T is a task: the guest notifies the vCPU. */
static bool arrives(const struct charging *c, const struct io_event *h)
{
    return c->idds[c->pairs[h->pair].idd].tasks_seen && h->acting != h->idd_vcpu;
}

/* An I/O event at c->now_ns. What arrives is not tallied here. */
static void event(struct charging *c, const struct io_event *h)
{
    const struct idd *d = &c->idds[c->pairs[h->pair].idd];
    c->seen.events[h->kind] += h->count;
    c->seen.inferred[h->kind] += h->inferred ? h->count : 0;
    c->vcpus[h->idd_vcpu].io_seen = true;
    c->sink.event(c->sink.context, c->now_ns, h);
    if (arrives(c, h))
        return;
    if (d->tasks_seen)
        tasks_deal(c, h);
    if (d->tasks_seen || d->methods & charge_method_of_kind[h->kind])
        charging_tally_event(c, h);
}

/* ---- copies ---- */

/* The pCPU that the vCPU runs on. */
static uint16_t pcpu_of(const struct charging *c, uint32_t vcpu)
{
    return c->view->vcpus[vcpu].pcpu;
}

static void copied_for(struct charging *c, uint32_t vcpu, uint16_t pcpu, uint32_t pair, uint32_t count,
                       bool inferred, bool remember)
{
    if (pair == NOBODY || count == 0)
        return;
    if (remember)
        c->pairs[pair].copied += count * charging_scale(c);
    event(c, &(struct io_event){.pair = pair,
                                .idd_vcpu = vcpu,
                                .acting = vcpu,
                                .other = NOBODY,
                                .count = count,
                                .pcpu = pcpu,
                                .kind = IO_COPY,
                                .inferred = inferred});
}

/* The copies waiting are for this pair. */
static void settle_copies(struct charging *c, uint32_t vcpu, uint32_t pair, bool inferred)
{
    uint32_t count = c->vcpus[vcpu].copies;
    c->vcpus[vcpu].copies = 0;
    copied_for(c, vcpu, pcpu_of(c, vcpu), pair, count, inferred, true);
}

/* The guests among which a batch is divided, by what they had lately: the SPLIT_MAX that had most. */
struct split {
    double recent[SPLIT_MAX];
    uint32_t pairs[SPLIT_MAX];
    size_t n;
};

static void consider(struct split *s, uint32_t pair, double recent)
{
    size_t at = s->n;
    if (recent <= 0)
        return;
    if (s->n < SPLIT_MAX) {
        s->n++;
    } else {
        at = 0;
        for (size_t i = 1; i < s->n; i++)
            if (s->recent[i] < s->recent[at])
                at = i;
        if (s->recent[at] >= recent)
            return;
    }
    s->recent[at] = recent;
    s->pairs[at] = pair;
}

/*
 * Whom the copies were for is not known: they are divided in the proportion of what each guest had before. `notified`: a
 * notification followed, as it does not after the headers of packets that guests sent.
 */
static void divide_copies(struct charging *c, uint32_t vcpu, uint16_t pcpu, const struct indices *pairs,
                          bool notified)
{
    struct split s = {.n = 0};
    uint64_t weights[SPLIT_MAX], given[SPLIT_MAX];
    uint32_t count = c->vcpus[vcpu].copies;
    c->vcpus[vcpu].copies = 0;
    for (size_t i = 0; notified && i < pairs->n; i++)
        consider(&s, pairs->at[i], c->pairs[pairs->at[i]].copied_notified);
    for (size_t i = 0, n = s.n == 0 ? pairs->n : 0; i < n; i++)
        consider(&s, pairs->at[i], c->pairs[pairs->at[i]].copied);
    if (s.n == 0) {
        charging_unattributed(c, vcpu, pcpu, IO_COPY, count);
        return;
    }
    apportion_scale(s.recent, weights, s.n);
    apportion(count, weights, given, s.n);
    for (size_t i = 0; i < s.n; i++)
        copied_for(c, vcpu, pcpu, s.pairs[i], (uint32_t)given[i], true, false);
}

/* The only pair that the vCPU has dealt with in what it runs; else NOBODY. `copied`: whose guest got, and sent, nothing but copies. */
static uint32_t only_dealt_with(const struct charging *c, uint32_t vcpu, bool copied)
{
    const struct period *p = c->vcpus[vcpu].period;
    if (!p || p->tallies_n != 1 || p->unattributed > 0 || !charging_by_task(c, vcpu))
        return NOBODY;
    const struct pair_tally *t = &p->tallies[0];
    bool only_copies = t->events[IO_COPY] > 0 && t->events[IO_MAP] == 0;
    return p->io && (only_copies || !copied) ? t->pair : NOBODY;
}

/*
 * A batch of copies ends without a notification: the guest was told of them before, or will be told later, and may be
 * awake or asleep. A thread copies for one guest.
 */
static void end_copies(struct charging *c, uint32_t vcpu, uint16_t pcpu, uint32_t idd)
{
    if (c->vcpus[vcpu].copies == 0)
        return;
    uint32_t only = only_dealt_with(c, vcpu, true);
    if (only != NOBODY)
        settle_copies(c, vcpu, only, true);
    else
        divide_copies(c, vcpu, pcpu, &c->idds[idd].pairs, false);
}

/*
 * A batch of copies ends with a notification that woke nobody: it was for a guest that is awake. Returns that guest if
 * there is only one, else NOBODY.
 */
static uint32_t end_copies_for_awake(struct charging *c, uint32_t vcpu, uint32_t idd)
{
    const struct idd *d = &c->idds[idd];
    uint32_t only = d->awake.n == 1 ? d->awake.at[0] : NOBODY;
    if (only != NOBODY)
        settle_copies(c, vcpu, only, true);
    else if (c->vcpus[vcpu].copies > 0)
        divide_copies(c, vcpu, pcpu_of(c, vcpu), &d->awake, true);
    return only;
}

/* ---- marks ---- */

/* What the kernel of the vCPU, which runs, says now of its tasks. */
static void apply_mark(struct charging *c, uint32_t vcpu, enum task_mark mark)
{
    uint32_t idd = idd_of_vcpu(c, vcpu);
    if (mark == TASK_SWITCHES || (mark == TASK_RETURNS && tasks_end_copies(c, vcpu)))
        end_copies(c, vcpu, pcpu_of(c, vcpu), idd);
    if (mark == TASK_SWITCHES)
        tasks_switched(c, vcpu);
    else if (mark == TASK_RETURNS)
        tasks_returned(c, vcpu);
    else if (mark == TASK_TIMER)
        tasks_timer_set(c, vcpu);
    else
        tasks_polls(c, vcpu);
}

/* Applies the marks up to now; there are some. */
static __attribute__((noinline)) void apply_marks(struct charging *c, uint32_t vcpu)
{
    uint16_t pcpu = c->vcpus[vcpu].pcpu;
    uint64_t now_ns = c->now_ns;
    if (charging_driver(c, vcpu)->measured)
        return;
    if (!charging_by_task(c, vcpu)) {
        charging_see_tasks(c, charging_idd_of_vcpu(c, vcpu));
        marks_skip(c, pcpu);
        return;
    }
    while (!c->failed && c->marks[pcpu].next_ns <= now_ns) {
        c->now_ns = c->marks[pcpu].next_ns;
        enum task_mark mark = marks_pass(c, pcpu);
        if (mark != TASK_RETURNS || !tasks_goes_on(c, vcpu))
            apply_mark(c, vcpu, mark);
    }
    c->now_ns = now_ns;
}

static inline void catch_up(struct charging *c, uint32_t vcpu)
{
    if (marks_due(c, vcpu, c->now_ns))
        apply_marks(c, vcpu);
}

void attribution_catch_up(struct charging *c, uint32_t vcpu)
{
    catch_up(c, vcpu);
}

/* ---- notifications ---- */

static void notified(struct charging *c, uint32_t pair, uint32_t idd_vcpu, uint32_t acting, uint32_t other,
                     bool inferred)
{
    if (pair == NOBODY)
        return;
    c->incarnations[c->pairs[pair].guest].partner = pair;
    const struct io_event h = {.pair = pair,
                               .idd_vcpu = idd_vcpu,
                               .acting = acting,
                               .other = other,
                               .count = 1,
                               .pcpu = pcpu_of(c, acting),
                               .kind = IO_NOTIFY,
                               .inferred = inferred};
    event(c, &h);
    if (!arrives(c, &h))
        return;
    catch_up(c, idd_vcpu);
    tasks_arrived(c, idd_vcpu, pair);
}

/* vCPU `from`, running, notified a vCPU `to` (NOBODY: not known which) of life `target`. */
static void notifies(struct charging *c, uint32_t from, uint32_t to, uint32_t target, bool inferred)
{
    uint32_t source = life_of(c, from);
    if (source == target && to != NOBODY) {
        interrupt_wakes(c, from, to);
        tasks_sibling_sent(c, to);
    }
    if (source == target || is_idle(c, source) || is_idle(c, target))
        return;
    uint32_t a = c->incarnations[source].idd, b = c->incarnations[target].idd;
    if (charging_wakes_by_chance(c, a, b))
        return;
    if (a != NOBODY && (b == NOBODY || charging_serves(c, a, b))) {
        uint32_t pair = charging_pair(c, a, target);
        if (!inferred && pair != NOBODY)
            c->pairs[pair].copied_notified += c->vcpus[from].copies * charging_scale(c);
        settle_copies(c, from, pair, inferred);
        notified(c, pair, from, from, to, inferred);
    } else if (b != NOBODY) {
        uint32_t pair = charging_pair(c, b, source);
        if (pair == NOBODY || to == NOBODY)
            return;
        c->pairs[pair].notifies = to;
        notified(c, pair, to, from, to, inferred);
    }
}

/* A guest's notification woke nobody: if it cannot have been for a sibling it was for its driver domain, awake. */
static void guest_sent(struct charging *c, uint32_t vcpu)
{
    const struct charging_life *l = &c->incarnations[life_of(c, vcpu)];
    if (l->awake > 1 || l->partner == NOBODY)
        return;
    const struct pair *p = &c->pairs[l->partner];
    if (p->notifies != NOBODY && c->view->vcpus[p->notifies].alive)
        notified(c, l->partner, p->notifies, vcpu, p->notifies, true);
}

/* The vCPU may have interrupted any other one of its domain that is awake. */
static void may_interrupt_siblings(struct charging *c, uint32_t vcpu)
{
    const struct incarnation *life = &c->population->incarnations[life_of(c, vcpu)];
    for (uint32_t id = 0; id < life->vcpus_n; id++) {
        uint32_t sibling = life->vcpus[id];
        if (sibling != NOBODY && sibling != vcpu && sibling < c->vcpus_n)
            tasks_sibling_sent(c, sibling);
    }
}

/* Whether the domain is a guest itself, of a driver domain that is awake. */
static bool has_driver_awake(const struct charging *c, uint32_t life)
{
    uint32_t pair = c->incarnations[life].pairs;
    while (pair != NOBODY && c->incarnations[c->idds[c->pairs[pair].idd].life].awake == 0)
        pair = c->pairs[pair].next_of_guest;
    return pair != NOBODY;
}

/* A driver domain's notification woke nobody: it was for a guest that is awake, for a sibling, or for its own driver domain. */
static void driver_sent(struct charging *c, uint32_t vcpu, uint32_t idd)
{
    bool copied = c->vcpus[vcpu].copies > 0;
    bool sibling = c->incarnations[life_of(c, vcpu)].awake > 1;
    if (sibling)
        may_interrupt_siblings(c, vcpu);
    if (!copied && (sibling || has_driver_awake(c, life_of(c, vcpu))))
        return;
    uint32_t only = end_copies_for_awake(c, vcpu, idd);
    if (only == NOBODY && !copied)
        only = only_dealt_with(c, vcpu, false);
    if (only != NOBODY)
        notified(c, only, vcpu, vcpu, NOBODY, true);
    else if (copied || c->idds[idd].awake.n > 0)
        charging_unattributed(c, vcpu, pcpu_of(c, vcpu), IO_NOTIFY, 1);
}

/* An event-channel operation of the vCPU that runs here woke nobody. */
static void sent_to_somebody_awake(struct charging *c, uint32_t vcpu)
{
    if (vcpu == NOBODY || is_idle(c, life_of(c, vcpu)))
        return;
    uint32_t idd = idd_of_vcpu(c, vcpu);
    if (idd != NOBODY)
        driver_sent(c, vcpu, idd);
    else
        guest_sent(c, vcpu);
}

void attribution_woken(struct charging *c, uint32_t vcpu, uint16_t recorded_pcpu)
{
    uint32_t current = c->view->current[recorded_pcpu];
    if (current != NOBODY && !c->incarnations[life_of(c, current)].sends_traced)
        notifies(c, current, vcpu, life_of(c, vcpu), true);
}

void attribution_stops(struct charging *c, uint32_t vcpu, uint16_t pcpu)
{
    catch_up(c, vcpu);
    end_copies(c, vcpu, pcpu, idd_of_vcpu(c, vcpu));
}

/* ---- grants ---- */

/* The pair of the driver domain's vCPU and the guest. NOBODY: no memory. */
static uint32_t pair_of(struct charging *c, uint32_t vcpu, uint32_t idd, uint32_t guest)
{
    struct charging_vcpu *v = &c->vcpus[vcpu];
    if (v->granted_pair < c->pairs_n && c->pairs[v->granted_pair].guest == guest &&
        c->pairs[v->granted_pair].idd == idd)
        return v->granted_pair;
    return v->granted_pair = charging_pair(c, idd, guest);
}

/* The driver domain of the vCPU: `idd`, or it turns out to be one now. NOBODY: it is none, or there is no vCPU. */
static uint32_t become_idd(struct charging *c, uint32_t vcpu, uint32_t idd)
{
    bool may = idd == NOBODY && vcpu != NOBODY && !c->explicit_idds && !is_idle(c, life_of(c, vcpu));
    return may ? charging_make_idd(c, life_of(c, vcpu)) : idd;
}

/* The vCPU, of the driver domain `idd` if it is of one, had a page of the guest's. */
static void granted(struct charging *c, uint32_t vcpu, uint32_t idd, const struct transition *t,
                    enum io_kind kind)
{
    uint32_t guest = t->vcpu;
    if (vcpu == NOBODY || life_of(c, vcpu) == guest)
        return;
    if (kind != IO_UNMAP)
        idd = become_idd(c, vcpu, idd);
    uint32_t pair = idd == NOBODY ? NOBODY : pair_of(c, vcpu, idd, guest);
    if (pair == NOBODY)
        return;
    c->pairs[pair].granted = true;
    c->incarnations[guest].partner = pair;
    if (kind != IO_UNMAP && c->vcpus[vcpu].copies > 0) {
        if (c->idds[idd].tasks_seen)
            tasks_received(c, vcpu);
        settle_copies(c, vcpu, pair, false);
    }
    struct io_event h = {.pair = pair,
                         .idd_vcpu = vcpu,
                         .acting = vcpu,
                         .other = NOBODY,
                         .count = 1,
                         .pcpu = pcpu_of(c, vcpu),
                         .kind = kind};
    event(c, &h);
    h.count = 0;
    c->pages = (struct page_run){.event = h,
                                 .end_ns = c->now_ns - c->now_ns % c->grain_ns + c->grain_ns,
                                 .guest = guest,
                                 .pcpu = t->pcpu,
                                 .record = t->from};
}

void attribution_end_pages(struct charging *c)
{
    if (c->pages.event.count > 0)
        event(c, &c->pages.event);
    c->pages = (struct page_run){.end_ns = 0};
}

/* The vCPU's kernel asked to unmap no pages, as only one that serves disks does: a request is done, its pages stay mapped. */
static void unmapped_none(struct charging *c, uint32_t vcpu, uint32_t idd)
{
    if (become_idd(c, vcpu, idd) != NOBODY)
        tasks_unmapped_none(c, vcpu);
}

/* ---- records ---- */

static void sends_traced(struct charging *c, uint32_t vcpu)
{
    if (vcpu != NOBODY)
        c->incarnations[life_of(c, vcpu)].sends_traced = true;
}

void attribution_record(struct charging *c, const struct transition *t)
{
    uint32_t current = c->view->current[t->pcpu], idd = idd_of_vcpu(c, current);
    if (idd != NOBODY)
        catch_up(c, current);
    switch ((enum io_record)t->from) {
    case IO_RECORD_MAP:
        granted(c, current, idd, t, IO_MAP);
        break;
    case IO_RECORD_UNMAP:
        granted(c, current, idd, t, IO_UNMAP);
        break;
    case IO_RECORD_TRANSFER:
        granted(c, current, idd, t, IO_TRANSFER);
        break;
    case IO_RECORD_COPY:
        if (idd != NOBODY && t->value < UINT32_MAX - c->vcpus[current].copies)
            c->vcpus[current].copies += (uint32_t)t->value;
        break;
    case IO_RECORD_SEND:
        sends_traced(c, current);
        sent_to_somebody_awake(c, current);
        break;
    case IO_RECORD_WAKE:
        sends_traced(c, current);
        if (current != NOBODY)
            notifies(c, current, t->vcpu, (uint32_t)t->value, false);
        break;
    case IO_RECORD_TRACED:
        sends_traced(c, current);
        break;
    case IO_RECORD_TASK:
        sends_traced(c, current);
        if (idd != NOBODY)
            end_copies(c, current, t->pcpu, idd);
        break;
    case IO_RECORD_UNMAPPED:
        unmapped_none(c, current, idd);
        break;
    case IO_RECORD_IRQ:
        if (idd != NOBODY && charging_by_task(c, current))
            tasks_interrupted(c, current);
        break;
    }
}
