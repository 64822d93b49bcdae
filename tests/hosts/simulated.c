/* recording_make(): a simulated host (sim/) that is followed record by record. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "recording.h"
#include "host_scenario.h"
#include "sim/host.h"
#include "sim/simulation.h"

/* More records than this are not waited for: the host ends early. */
enum { RECORDS_MOST = 600000 };

struct following {
    struct recording *r;
    const struct plan *plan;
    struct simulation *simulation;
    uint64_t boot_tsc; /* of the host's time 0 */
    uint64_t begin_ns; /* tracing begins: what was before is left out */
    size_t *vcpu_of;   /* of each of the host's vCPUs: its place in r->vcpus, SIZE_MAX: it is not there */
    size_t records;
};

static uint64_t tsc_at(const struct following *f, uint64_t at_ns)
{
    const struct sim_host *host = simulation_host(f->simulation);
    return f->boot_tsc + host_tsc(host, at_ns < f->begin_ns ? f->begin_ns : at_ns) - host_tsc(host, 0);
}

/* ---- records ---- */

static void take_record(void *context, const struct sim_pcpu *pcpu, enum trace_event event, uint64_t at_ns,
                        const uint32_t *words, unsigned count)
{
    struct following *f = context;
    if (at_ns < f->begin_ns)
        return;
    struct recorded of = {.tsc = tsc_at(f, at_ns),
                          .domain = pcpu->ring.current_domain,
                          .vcpu = pcpu->ring.current_vcpu,
                          .event = (uint8_t)event,
                          .count = (uint8_t)count};
    if (count)
        memcpy(of.words, words, count * sizeof *words);
    recording_add_record(f->r, pcpu->id, &of);
    if (++f->records == RECORDS_MOST)
        simulation_stop(f->simulation);
}

/* ---- the truth ---- */

static void add_vcpu(struct following *f, const struct sim_vcpu *v, enum runstate state, uint64_t at_ns)
{
    const struct truth_vcpu of = {
        .domain = v->domain->id, .vcpu = v->id, .born_tsc = tsc_at(f, at_ns), .died_tsc = UINT64_MAX};
    size_t at = recording_add_vcpu(f->r, &of);
    f->vcpu_of[v->index] = at;
    recording_add_change(f->r, at, state, of.born_tsc, (uint16_t)v->pcpu->id);
}

/* Of what was before tracing began only the last state counts, from that moment on. */
static void take_change(void *context, const struct sim_pcpu *on, const struct sim_vcpu *v,
                        enum sim_runstate to, uint64_t at_ns)
{
    struct following *f = context;
    if (vcpu_is_idle(v) || f->vcpu_of[v->index] == SIZE_MAX || f->r->failed)
        return;
    size_t at = f->vcpu_of[v->index];
    if (on->clock_ns < f->begin_ns) {
        f->r->vcpus[at].changes[0] = (struct truth_change){tsc_at(f, 0), (uint16_t)on->id, (uint8_t)to};
        return;
    }
    double late_ns = (double)(on->clock_ns - at_ns);
    if (at_ns >= f->begin_ns && late_ns > f->r->late_ns)
        f->r->late_ns = late_ns;
    recording_add_change(f->r, at, (enum runstate)to, tsc_at(f, at_ns), (uint16_t)on->id);
}

static void take_life(void *context, const struct sim_domain *d)
{
    struct following *f = context;
    for (size_t i = 0; i < d->plan->vcpus && !f->r->failed; i++) {
        size_t *at = &f->vcpu_of[d->vcpus[i].index];
        if (d->alive) {
            add_vcpu(f, &d->vcpus[i], RUNSTATE_OFFLINE, d->born_ns);
        } else if (*at != SIZE_MAX) {
            f->r->vcpus[*at].died_tsc = tsc_at(f, d->died_ns);
            *at = SIZE_MAX;
        }
    }
}

/* ---- the host ---- */

static bool begin(struct following *f)
{
    enum { UPTIME_S = 1000 };
    const struct sim_host *host = simulation_host(f->simulation);
    struct prng rng;
    f->vcpu_of = malloc((host->vcpu_count + 1) * sizeof *f->vcpu_of);
    if (!f->vcpu_of || !recording_begin(f->r, (uint64_t)f->plan->khz * 1000, (uint32_t)f->plan->pcpus))
        return false;
    prng_seed(&rng, f->plan->seed ^ 0x626f6f74);
    f->boot_tsc = f->r->cpu_hz * UPTIME_S + prng_below(&rng, 1ull << 32);
    f->r->begin_tsc = tsc_at(f, 0);
    for (uint32_t i = 0; i < host->vcpu_count; i++) {
        f->vcpu_of[i] = SIZE_MAX;
        if (host->vcpus[i].domain->alive)
            add_vcpu(f, &host->vcpus[i], (enum runstate)host->vcpus[i].runstate, 0);
    }
    return !f->r->failed;
}

/* Lives that ended before tracing began are none; the others are counted. */
static void number_lives(struct recording *r)
{
    size_t n = 0;
    for (size_t i = 0; i < r->vcpus_n; i++) {
        struct truth_vcpu *v = &r->vcpus[i];
        if (v->died_tsc <= r->begin_tsc) {
            free(v->changes);
            continue;
        }
        v->life = 1;
        for (size_t k = 0; k < n; k++)
            v->life += r->vcpus[k].domain == v->domain && r->vcpus[k].vcpu == v->vcpu;
        r->vcpus[n++] = *v;
    }
    r->vcpus_n = n;
}

/* There is no trace to be written: the host is followed. */
static int write_nothing(void *context, const void *bytes, size_t n)
{
    (void)context;
    (void)bytes;
    (void)n;
    return 0;
}

static bool run(struct following *f, const struct scenario *scenario, struct error *err)
{
    const struct simulation_sink sink = {.write = write_nothing};
    const struct sim_tap tap = {f, take_record, take_change, take_life};
    if (!(f->simulation = simulation_new(scenario, &sink, err)))
        return false;
    simulation_follow(f->simulation, &tap);
    if (!begin(f))
        return error_no_memory(err, "the host's records") == 0;
    if (simulation_run(f->simulation, err) != 0)
        return false;
    number_lives(f->r);
    recording_end(f->r);
    return !f->r->failed || error_no_memory(err, "the host's records") == 0;
}

bool recording_make(struct recording *r, const struct plan *plan)
{
    struct error err = {0};
    struct following f = {.r = r, .plan = plan, .begin_ns = HOST_WARM_UP_NS};
    struct scenario *scenario = plan_scenario(plan, &err);
    bool done = scenario && run(&f, scenario, &err);
    if (!done)
        fprintf(stderr, "hosts: %s\n", err.message);
    simulation_free(f.simulation);
    free(f.vcpu_of);
    scenario_free(scenario);
    return done;
}
