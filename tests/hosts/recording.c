#include "recording.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *room(struct recording *r, void *items, size_t n, size_t *capacity, size_t size)
{
    if (n < *capacity)
        return items;
    size_t more = *capacity ? *capacity * 2 : 64;
    void *bigger = realloc(items, more * size);
    if (!bigger) {
        r->failed = true;
        return items;
    }
    *capacity = more;
    return bigger;
}

void recording_add_change(struct recording *r, size_t vcpu, enum runstate state, uint64_t tsc, uint16_t pcpu)
{
    struct truth_vcpu *v = &r->vcpus[vcpu];
    if (r->failed)
        return;
    v->changes = room(r, v->changes, v->n, &v->capacity, sizeof *v->changes);
    if (v->n < v->capacity)
        v->changes[v->n++] = (struct truth_change){tsc, pcpu, (uint8_t)state};
}

size_t recording_add_vcpu(struct recording *r, const struct truth_vcpu *v)
{
    r->vcpus = room(r, r->vcpus, r->vcpus_n, &r->vcpus_capacity, sizeof *r->vcpus);
    if (r->vcpus_n == r->vcpus_capacity)
        return 0;
    r->vcpus[r->vcpus_n] = *v;
    return r->vcpus_n++;
}

static void add_vcpu(struct recording *r, const struct vcpu *vcpu, enum runstate state, uint64_t tsc)
{
    const struct truth_vcpu v = {.domain = vcpu->domain->id,
                                 .vcpu = vcpu->id,
                                 .life = vcpu->domain->life,
                                 .from_start = vcpu->domain->from_start,
                                 .born_tsc = tsc,
                                 .died_tsc = UINT64_MAX};
    size_t at = recording_add_vcpu(r, &v);
    r->vcpu_of[vcpu - r->host->vcpus] = at;
    recording_add_change(r, at, state, tsc, vcpu->pcpu->id);
}

static void take_begin(void *context, const struct host *host)
{
    struct recording *r = context;
    size_t vcpus = (size_t)host->domain_count * host->config.vcpus;
    r->host = host;
    r->begin_tsc = host->trace_tsc;
    r->vcpu_of = malloc(vcpus * sizeof *r->vcpu_of);
    if (!r->vcpu_of) {
        r->failed = true;
        return;
    }
    for (size_t i = 0; i < vcpus; i++) {
        const struct vcpu *vcpu = &host->vcpus[i];
        r->vcpu_of[i] = SIZE_MAX;
        if (vcpu->domain->alive)
            add_vcpu(r, vcpu, (enum runstate)vcpu->runstate, host->trace_tsc);
    }
}

void recording_add_record(struct recording *r, uint32_t pcpu, const struct recorded *record)
{
    struct recorded_pcpu *p = &r->pcpus[pcpu];
    p->records = room(r, p->records, p->n, &p->capacity, sizeof *p->records);
    if (p->n < p->capacity)
        p->records[p->n++] = *record;
}

static void take_record(void *context, const struct pcpu *pcpu, enum trace_event event, const uint32_t *words,
                        unsigned count)
{
    struct recording *r = context;
    if (pcpu->clock < r->begin_tsc) /* the pCPU lags: tracing was off then */
        return;
    struct recorded record = {.tsc = pcpu->clock,
                              .domain = pcpu->ring.current_domain,
                              .vcpu = pcpu->ring.current_vcpu,
                              .event = (uint8_t)event,
                              .count = (uint8_t)count};
    if (count)
        memcpy(record.words, words, count * sizeof *words);
    recording_add_record(r, pcpu->id, &record);
}

static void take_change(void *context, const struct vcpu *vcpu, enum runstate state, uint64_t tsc,
                        const struct pcpu *on)
{
    struct recording *r = context;
    if (vcpu_is_idle(vcpu) || !r->vcpu_of)
        return;
    size_t at = r->vcpu_of[vcpu - r->host->vcpus];
    if (at != SIZE_MAX)
        recording_add_change(r, at, state, tsc, on->id);
}

static void take_life(void *context, const struct domain *domain, bool alive, uint64_t tsc)
{
    struct recording *r = context;
    for (uint32_t i = 0; r->vcpu_of && i < r->host->config.vcpus; i++) {
        size_t *at = &r->vcpu_of[&domain->vcpus[i] - r->host->vcpus];
        if (alive) {
            add_vcpu(r, &domain->vcpus[i], RUNSTATE_OFFLINE, tsc);
        } else if (*at != SIZE_MAX) {
            r->vcpus[*at].died_tsc = tsc;
            *at = SIZE_MAX;
        }
    }
}

bool recording_begin(struct recording *r, uint64_t cpu_hz, uint32_t pcpus)
{
    *r = (struct recording){.cpu_hz = cpu_hz, .pcpus_n = pcpus};
    r->pcpus = calloc(pcpus, sizeof *r->pcpus);
    return r->pcpus;
}

/* It ends with the latest record of all. */
void recording_end(struct recording *r)
{
    r->end_tsc = r->begin_tsc;
    for (uint32_t p = 0; p < r->pcpus_n; p++)
        if (r->pcpus[p].n && r->pcpus[p].records[r->pcpus[p].n - 1].tsc > r->end_tsc)
            r->end_tsc = r->pcpus[p].records[r->pcpus[p].n - 1].tsc;
}

bool recording_make(struct recording *r, const struct host_config *config)
{
    const struct host_tap tap = {r, take_begin, take_record, take_change, take_life};
    struct host_config tapped = *config;
    tapped.tap = &tap;
    tapped.parts = TRACE_SCHED_MIN | TRACE_SCHED_CLASS | TRACE_SCHED_VERBOSE | (config->parts & TRACE_OTHER);
    bool begun = recording_begin(r, config->cpu_hz, config->pcpus);
    FILE *nowhere = fopen("/dev/null", "wb");
    struct host *host = begun && nowhere ? host_create(&tapped, nowhere) : NULL;
    bool done = host && host_run(host) && !r->failed;
    if (done)
        recording_end(r);
    host_destroy(host);
    if (nowhere)
        fclose(nowhere);
    free(r->vcpu_of);
    r->vcpu_of = NULL;
    r->host = NULL;
    return done;
}

void recording_free(struct recording *r)
{
    for (uint32_t p = 0; r->pcpus && p < r->pcpus_n; p++)
        free(r->pcpus[p].records);
    for (size_t i = 0; i < r->vcpus_n; i++)
        free(r->vcpus[i].changes);
    free(r->pcpus);
    free(r->vcpus);
}

size_t truth_at(const struct truth_vcpu *v, uint64_t tsc)
{
    size_t low = 0, high = v->n;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (v->changes[middle].tsc <= tsc)
            low = middle + 1;
        else
            high = middle;
    }
    return low ? low - 1 : 0;
}

static uint64_t later(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* Any pCPU: UINT32_MAX. */
static uint64_t cycles_in(const struct truth_vcpu *v, enum runstate state, uint32_t pcpu, uint64_t from,
                          uint64_t to)
{
    uint64_t sum = 0;
    from = later(from, v->born_tsc);
    to = earlier(to, v->died_tsc);
    for (size_t i = truth_at(v, from); i < v->n && v->changes[i].tsc < to; i++) {
        uint64_t begin = later(v->changes[i].tsc, from);
        uint64_t end = i + 1 < v->n ? earlier(v->changes[i + 1].tsc, to) : to;
        if (v->changes[i].state == state && (pcpu == UINT32_MAX || v->changes[i].pcpu == pcpu) && end > begin)
            sum += end - begin;
    }
    return sum;
}

uint64_t truth_cycles(const struct truth_vcpu *v, enum runstate state, uint64_t from, uint64_t to)
{
    return cycles_in(v, state, UINT32_MAX, from, to);
}

uint64_t truth_running_on(const struct truth_vcpu *v, uint32_t pcpu, uint64_t from, uint64_t to)
{
    return cycles_in(v, RUNSTATE_RUNNING, pcpu, from, to);
}

size_t truth_changes(const struct truth_vcpu *v, uint64_t from, uint64_t to)
{
    return truth_at(v, to) - truth_at(v, from);
}

uint64_t truth_alive(const struct truth_vcpu *v, uint64_t from, uint64_t to)
{
    from = later(from, v->born_tsc);
    to = earlier(to, v->died_tsc);
    return to > from ? to - from : 0;
}
