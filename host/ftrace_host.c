#include "ftrace_host.h"

#include <stdlib.h>
#include <string.h>

#include "metrics/array.h"
#include "metrics/min_max.h"

#define WORKS_MAX    (1u << 24) /* 256 MiB */
#define IRQS_DEEP    8          /* interrupts that interrupt each other */
#define OWNER_NET_RX 0x10003u   /* a NET_RX softirq before the poll that says for whom */

_Static_assert(OWNER_NET_RX < OWNER_FIRST_OPEN, "one number, one meaning");

struct running_irq {
    uint32_t number, owner;
};

struct linux_cpu {
    bool seen; /* any event since recording began, or since events were lost */
    bool lost; /* events were lost before the one that is seen first */
    uint64_t last_tsc;
    uint32_t task; /* owner */
    struct running_irq irqs[IRQS_DEEP];
    unsigned irqs_n; /* above IRQS_DEEP: the rest are not told apart */
    bool in_softirq;
    uint32_t softirq;   /* owner */
    size_t polled_at;   /* works of the NET_RX softirq since the last poll begin there */
    uint32_t last_disk; /* for whom the last interrupt of a disk was */
};

struct ftrace_host {
    struct dom0_trace *trace;
    struct ftrace_owners *owners;
    struct linux_cpu *cpus;
    size_t cpus_n;
    size_t works_n; /* of all CPUs */
    bool has_first; /* trace->first_tsc is known */
    bool begun;     /* begin_tsc says from when on all CPUs were recorded */
    bool ended;     /* a recording has ended, and none has begun since */
    bool any;       /* this recording has an event: */
    uint64_t begin_tsc, last_tsc;
    uint64_t event_tsc; /* the first moment of its events */
    bool has_switches, has_irqs, has_softirqs, has_polls;
    bool failed;
};

struct ftrace_host *ftrace_host_new(struct dom0_trace *trace)
{
    struct ftrace_host *h = calloc(1, sizeof *h);
    if (!h)
        return NULL;
    h->trace = trace;
    h->owners = ftrace_owners_new();
    if (h->owners)
        return h;
    free(h);
    return NULL;
}

void ftrace_host_free(struct ftrace_host *h)
{
    if (!h)
        return;
    ftrace_owners_free(h->owners);
    free(h->cpus);
    free(h);
}

struct ftrace_owners *ftrace_host_owners(struct ftrace_host *h)
{
    return h->owners;
}

/* ---- whose each moment is ---- */

static bool reserve_cpu(struct ftrace_host *h, unsigned cpu)
{
    struct dom0_trace *t = h->trace;
    bool room = array_make_room(&h->cpus, &h->cpus_n, cpu + 1, sizeof *h->cpus) &&
                array_make_room(&t->cpus, &t->cpus_n, cpu + 1, sizeof *t->cpus);
    h->failed |= !room;
    return room;
}

/* From tsc on the CPU works for this owner. */
static void put(struct ftrace_host *h, unsigned cpu, uint64_t tsc, uint32_t owner)
{
    struct work_cpu *c = &h->trace->cpus[cpu];
    if (c->n > 0 && c->works[c->n - 1].owner == owner)
        return;
    if (c->n > 0 && c->works[c->n - 1].tsc == tsc) {
        c->works[c->n - 1].owner = owner;
        return;
    }
    if (h->works_n >= WORKS_MAX || !array_make_room(&c->works, &c->capacity, c->n + 1, sizeof *c->works)) {
        h->failed = true;
        return;
    }
    c->works[c->n++] = (struct work){tsc, owner};
    h->works_n++;
}

static uint32_t current_owner(const struct linux_cpu *c)
{
    if (c->irqs_n > IRQS_DEEP)
        return WORK_UNKNOWN;
    return c->irqs_n > 0 ? c->irqs[c->irqs_n - 1].owner : c->in_softirq ? c->softirq : c->task;
}

static void push_irq(struct linux_cpu *c, uint32_t number, uint32_t owner)
{
    if (c->irqs_n < IRQS_DEEP)
        c->irqs[c->irqs_n] = (struct running_irq){number, owner};
    c->irqs_n++;
}

/* ---- begin, losses, end ---- */

/* What ran right before the event, of which nothing else is known than what its line says. */
static void find_context(struct ftrace_host *h, struct linux_cpu *c, const struct ftrace_line *line)
{
    bool enters_irq = ftrace_is(line, "irq_handler_entry"), enters_softirq = ftrace_is(line, "softirq_entry");
    c->seen = true;
    c->task = ftrace_owners_task(h->owners, &line->task);
    c->irqs_n = 0;
    c->in_softirq = line->in_softirq && !enters_softirq;
    c->softirq = WORK_UNKNOWN;
    c->last_disk = c->lost ? WORK_UNKNOWN : WORK_OWN;
    if (line->in_irq && !enters_irq)
        push_irq(c, UINT32_MAX, WORK_UNKNOWN);
}

/* Nothing is known from the CPU's last event on. */
static void forget(struct ftrace_host *h, unsigned cpu)
{
    struct linux_cpu *c = &h->cpus[cpu];
    if (c->seen)
        put(h, cpu, c->last_tsc, WORK_UNKNOWN);
    c->seen = false;
    c->lost = true;
}

static void end_all(struct ftrace_host *h, uint64_t tsc)
{
    for (unsigned cpu = 0; cpu < h->cpus_n; cpu++) {
        struct linux_cpu *c = &h->cpus[cpu];
        c->last_tsc = max64(tsc, c->last_tsc);
        if (c->seen) {
            put(h, cpu, c->last_tsc, WORK_UNKNOWN);
            c->seen = c->lost = false;
        }
    }
    h->last_tsc = max64(h->last_tsc, tsc);
    h->any = false;
}

const char *ftrace_host_begin(struct ftrace_host *h, uint64_t tsc)
{
    const char *wrong = ftrace_host_wrong(h);
    if (wrong && h->begun)
        return wrong;
    if (tsc < h->last_tsc)
        return "the recording begins before the last one has ended";
    end_all(h, h->last_tsc);
    h->begun = true;
    h->ended = false;
    h->begin_tsc = tsc;
    return NULL;
}

const char *ftrace_host_end(struct ftrace_host *h, uint64_t tsc)
{
    if (!h->begun && !h->any)
        return "the recording ends, but none has begun";
    if (h->begun && tsc < h->begin_tsc)
        return "the recording ends before it begins";
    if (h->any && tsc < h->event_tsc)
        return "the recording ends before its first event";
    end_all(h, tsc);
    h->begun = false;
    h->ended = true;
    return NULL;
}

void ftrace_host_lose(struct ftrace_host *h, unsigned cpu, uint64_t events)
{
    if (events == 0 || !reserve_cpu(h, cpu))
        return;
    h->trace->cpus[cpu].lost += events;
    h->trace->cpus[cpu].n = 0;
    h->cpus[cpu].seen = false;
}

/* ---- events ---- */

static void switch_tasks(struct ftrace_host *h, struct linux_cpu *c, const char *event)
{
    struct ftrace_task next;
    h->has_switches = true;
    /* Linux switches neither in an interrupt nor in a softirq: none is left. */
    c->irqs_n = 0;
    c->in_softirq = false;
    c->task = ftrace_named_task(event, "next_", &next) ? ftrace_owners_task(h->owners, &next) : WORK_UNKNOWN;
}

/* "irq=48 name=virtio3-req.1" */
static void enter_irq(struct ftrace_host *h, struct linux_cpu *c, const char *event)
{
    const char *name = strstr(event, "name=");
    uint32_t number = UINT32_MAX, owner = WORK_UNKNOWN;
    h->has_irqs = true;
    if (name && ftrace_number(event, "irq=", &number))
        owner = ftrace_owners_irq(h->owners, number, name + strlen("name="));
    if (ftrace_owners_is_disk(h->owners, number))
        c->last_disk = owner;
    push_irq(c, number, owner);
}

static void leave_irq(struct linux_cpu *c)
{
    c->irqs_n -= c->irqs_n > 0;
}

/* Where the next change is put, or right before it: a change at the same moment takes the place of the last one. */
static size_t last_work(const struct ftrace_host *h, unsigned cpu)
{
    size_t n = h->trace->cpus[cpu].n;
    return n > 0 ? n - 1 : 0;
}

/* "vec=3 [action=NET_RX]" */
static void enter_softirq(struct ftrace_host *h, struct linux_cpu *c, unsigned cpu, const char *event)
{
    bool polls = strstr(event, "=NET_RX]") != NULL;
    bool completes = strstr(event, "=BLOCK]") || strstr(event, "POLL]"); /* IRQ_POLL, BLOCK_IOPOLL */
    bool schedules = strstr(event, "=SCHED]") != NULL;
    h->has_softirqs = true;
    c->in_softirq = true;
    c->polled_at = last_work(h, cpu);
    c->softirq = polls ? OWNER_NET_RX : completes ? c->last_disk : schedules ? WORK_SCHED : WORK_OWN;
}

/* What the softirq did since the last poll was this one: "napi poll on napi struct 0 for device vif3.0 work 1 budget 64". */
static void end_poll(struct ftrace_host *h, struct linux_cpu *c, unsigned cpu, const char *event)
{
    const char *device = strstr(event, " for device ");
    h->has_polls = true;
    if (!device || !c->in_softirq || c->softirq != OWNER_NET_RX)
        return; /* a thread of its own polls */
    uint32_t owner = ftrace_owners_device(h->owners, device + strlen(" for device "));
    struct work_cpu *works = &h->trace->cpus[cpu];
    for (size_t i = c->polled_at; i < works->n; i++)
        if (works->works[i].owner == OWNER_NET_RX)
            works->works[i].owner = owner;
    c->polled_at = last_work(h, cpu);
}

/* The handler of an interrupt wakes a task: if that is a guest's, so is the interrupt. */
static void wake(struct ftrace_host *h, struct linux_cpu *c, unsigned cpu, const char *event)
{
    struct ftrace_task woken;
    if (c->irqs_n == 0 || c->irqs_n > IRQS_DEEP || !ftrace_named_task(event, "", &woken))
        return;
    struct running_irq *irq = &c->irqs[c->irqs_n - 1];
    uint32_t guest = ftrace_owners_task(h->owners, &woken), before = irq->owner;
    if (guest > UINT16_MAX)
        return;
    irq->owner = ftrace_owners_learn(h->owners, irq->number, before, guest);
    struct work_cpu *works = &h->trace->cpus[cpu];
    if (works->n > 0 && works->works[works->n - 1].owner == before)
        works->works[works->n - 1].owner = irq->owner;
}

/* The interrupts that no handler serves (irq_vectors:*) are timers and messages between CPUs: "local_timer_entry: vector=236". */
static void take_vector(struct linux_cpu *c, const char *event)
{
    const char *name_end = strstr(event, ": vector=");
    size_t n = name_end ? (size_t)(name_end - event) : 0;
    if (n > 6 && memcmp(event + n - 6, "_entry", 6) == 0)
        push_irq(c, UINT32_MAX, WORK_SCHED);
    else if (n > 5 && memcmp(event + n - 5, "_exit", 5) == 0)
        leave_irq(c);
}

static void take_event(struct ftrace_host *h, struct linux_cpu *c, const struct ftrace_line *line)
{
    const char *event;
    if ((event = ftrace_is(line, "sched_switch")))
        switch_tasks(h, c, event);
    else if ((event = ftrace_is(line, "irq_handler_entry")))
        enter_irq(h, c, event);
    else if (ftrace_is(line, "irq_handler_exit"))
        leave_irq(c);
    else if ((event = ftrace_is(line, "softirq_entry")))
        enter_softirq(h, c, line->cpu, event);
    else if (ftrace_is(line, "softirq_exit"))
        c->in_softirq = false;
    else if ((event = ftrace_is(line, "napi_poll")))
        end_poll(h, c, line->cpu, event);
    else if ((event = ftrace_is(line, "sched_waking")))
        wake(h, c, line->cpu, event);
    else
        take_vector(c, line->event);
}

/* The first event of a CPU: what it says of what ran right before holds since recording began. */
static void see(struct ftrace_host *h, struct linux_cpu *c, const struct ftrace_line *line)
{
    bool throughout = h->begun && !c->lost && h->begin_tsc >= c->last_tsc && h->begin_tsc <= line->tsc;
    find_context(h, c, line);
    c->lost = false;
    if (throughout)
        put(h, line->cpu, h->begin_tsc, current_owner(c));
    uint64_t from = throughout ? h->begin_tsc : line->tsc;
    if (!h->has_first || from < h->trace->first_tsc)
        h->trace->first_tsc = from;
    h->has_first = true;
}

const char *ftrace_host_take(struct ftrace_host *h, const struct ftrace_line *line)
{
    if (!reserve_cpu(h, line->cpu))
        return "not enough memory";
    struct linux_cpu *c = &h->cpus[line->cpu];
    if (line->kind == FTRACE_LOST) {
        h->trace->cpus[line->cpu].lost += line->lost;
        forget(h, line->cpu);
        return NULL;
    }
    if (h->ended)
        return "an event after the end of the recording";
    if (line->tsc < c->last_tsc)
        return "its time goes back";
    if (!h->any || line->tsc < h->event_tsc)
        h->event_tsc = line->tsc;
    h->any = true;
    if (!c->seen)
        see(h, c, line);
    c->last_tsc = line->tsc;
    h->last_tsc = max64(h->last_tsc, line->tsc);
    take_event(h, c, line);
    put(h, line->cpu, line->tsc, current_owner(c));
    if (!h->failed)
        return NULL;
    return h->works_n == WORKS_MAX ? "more changes than fit in memory" : "not enough memory";
}

/* ---- the end ---- */

const char *ftrace_host_lacks(const struct ftrace_host *h)
{
    return !h->has_switches   ? "sched_switch"
           : !h->has_irqs     ? "irq_handler_entry"
           : !h->has_softirqs ? "softirq_entry"
                              : NULL;
}

const char *ftrace_host_wrong(const struct ftrace_host *h)
{
    if (!h->has_first)
        return "there is no event in it";
    return h->begun && h->begin_tsc > h->last_tsc ? "the recording begins after its last event" : NULL;
}

/* What it turned out to be. Without polls it is not known whose packets a NET_RX softirq took. */
static uint32_t resolve(const struct ftrace_host *h, uint32_t owner)
{
    if (owner == OWNER_NET_RX)
        return h->has_polls ? WORK_OWN : WORK_UNKNOWN;
    return ftrace_owners_resolve(h->owners, owner);
}

bool ftrace_host_finish(struct ftrace_host *h)
{
    end_all(h, h->last_tsc);
    h->trace->last_tsc = h->last_tsc;
    for (unsigned cpu = 0; cpu < h->trace->cpus_n; cpu++) {
        struct work_cpu *c = &h->trace->cpus[cpu];
        size_t n = 0;
        for (size_t i = 0; i < c->n; i++) {
            struct work w = {c->works[i].tsc, resolve(h, c->works[i].owner)};
            if (n == 0 || c->works[n - 1].owner != w.owner)
                c->works[n++] = w;
        }
        c->n = n;
    }
    return !h->failed && !ftrace_owners_failed(h->owners);
}
