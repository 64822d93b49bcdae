#include "recording.h"

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

void recording_add_record(struct recording *r, uint32_t pcpu, const struct recorded *record)
{
    struct recorded_pcpu *p = &r->pcpus[pcpu];
    p->records = room(r, p->records, p->n, &p->capacity, sizeof *p->records);
    if (p->n < p->capacity)
        p->records[p->n++] = *record;
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
