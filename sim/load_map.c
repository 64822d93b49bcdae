/*
 * A program of a driver domain that maps pages of other guests, a few of a random one at a time, works with them, and gives
 * them back: a tool that looks into guests. What it uses for a guest is charged to that guest.
 */
#include <stdlib.h>

#include "sim/driver.h"
#include "sim/emit.h"
#include "sim/kernel.h"
#include "sim/load.h"

enum map_stage { STAGE_ASLEEP, STAGE_MAP, STAGE_UNMAP };

struct map_load {
    const struct scenario_load *plan;
    struct sim_task task;
    struct sim_pair **guests; /* all but driver domains */
    uint32_t guest_count;
    const struct sim_pair *guest; /* whose pages are in hand */
    uint32_t pages;
    uint64_t next_ns; /* of the next batch */
    enum map_stage stage;
};

static void emit_pages(const struct map_load *m, uint32_t command, enum trace_event event)
{
    struct sim_pcpu *pcpu = m->task.vcpu->pcpu;
    if (!m->guest->guest->alive) /* it went meanwhile, and its pages with it */
        return;
    emit_grant_op(pcpu, command, m->pages);
    for (uint32_t i = 0; i < m->pages; i++)
        EMIT(pcpu, event, m->guest->guest->id);
}

static void work(struct map_load *m, enum map_stage stage)
{
    m->stage = stage;
    task_work(&m->task, m->pages * m->plan->page_ns, pair_cell(m->guest, WORK_PAGES));
}

/* A random one of those that live; NULL: there is none. */
static const struct sim_pair *draw_guest(struct sim_host *host, const struct map_load *m)
{
    uint32_t first = prng_below(&host->rng, m->guest_count);
    for (uint32_t i = 0; i < m->guest_count; i++) {
        const struct sim_pair *pair = m->guests[(first + i) % m->guest_count];
        if (pair->guest->alive)
            return pair;
    }
    return NULL;
}

/* The next batch, or sleep until it is time for it. */
static void next_batch(struct sim_host *host, struct map_load *m)
{
    m->stage = STAGE_ASLEEP;
    if (m->task.vcpu->pcpu->clock_ns < m->next_ns) {
        task_sleep_until(host, &m->task, m->next_ns);
        return;
    }
    m->next_ns += prng_exponential(&host->rng, (uint64_t)(1e9 / m->plan->batches_per_s));
    if (!(m->guest = draw_guest(host, m))) {
        task_sleep_until(host, &m->task, m->next_ns);
        return;
    }
    m->pages = 1 + prng_below(&host->rng, m->plan->pages);
    work(m, STAGE_MAP);
}

static void step(struct sim_host *host, struct sim_task *task)
{
    struct map_load *m = task->context;
    switch (m->stage) {
    case STAGE_ASLEEP:
        next_batch(host, m);
        return;
    case STAGE_MAP:
        emit_pages(m, GNTTABOP_MAP, TRC_PAGE_GRANT_MAP);
        work(m, STAGE_UNMAP);
        return;
    case STAGE_UNMAP:
        emit_pages(m, GNTTABOP_UNMAP, TRC_PAGE_GRANT_UNMAP);
        next_batch(host, m);
    }
}

static bool find_guests(struct sim_host *host, struct sim_domain *domain, struct map_load *m)
{
    if (!(m->guests = calloc(host->plan->domain_count, sizeof(struct sim_pair *))))
        return false;
    for (size_t i = 0; i < host->plan->domain_count; i++) {
        if (host->domains[i].plan->driver)
            continue;
        struct sim_pair *pair = driver_pair(host, &host->domains[i], driver_of(host, domain->id));
        if (!pair)
            return false;
        m->guests[m->guest_count++] = pair;
    }
    return true;
}

static bool create(struct sim_host *host, struct sim_domain *domain, const struct scenario_load *plan,
                   void *state)
{
    struct map_load *m = state;
    m->plan = plan;
    if (!find_guests(host, domain, m) ||
        !task_init(&m->task, &domain->vcpus[plan->vcpu], TASK_PROGRAM, step, m))
        return false;
    task_wake(&m->task);
    return true;
}

static void destroy(void *state)
{
    struct map_load *m = state;
    free(m->guests);
}

const struct sim_load_ops load_map = {.size = sizeof(struct map_load), .create = create, .destroy = destroy};
