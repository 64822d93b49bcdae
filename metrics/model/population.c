#include "population.h"

#include <stdlib.h>
#include <string.h>

#include "metrics/array.h"

bool population_init(struct population *p)
{
    memset(p, 0, sizeof *p);
    p->current = malloc(65536 * sizeof *p->current);
    if (!p->current)
        return false;
    memset(p->current, 0xff, 65536 * sizeof *p->current);
    p->tables = 65536 * sizeof *p->current;
    return true;
}

void population_free(struct population *p)
{
    for (size_t i = 0; i < p->incarnations_n; i++)
        free(p->incarnations[i].vcpus);
    free(p->incarnations);
    free(p->vcpus);
    free(p->current);
}

uint32_t population_begin_life(struct population *p, uint16_t domain, uint64_t birth_ns, uint64_t now_ns)
{
    struct incarnation *incarnations = array_reserve(p->incarnations, &p->incarnations_capacity,
                                                     p->incarnations_n + 1, sizeof *incarnations);
    if (!incarnations)
        return NOBODY;
    p->incarnations = incarnations;
    uint32_t before = p->current[domain];
    p->incarnations[p->incarnations_n] = (struct incarnation){
        .domain = domain,
        .number = before == NOBODY ? 1 : p->incarnations[before].number + 1,
        .birth_ns = birth_ns,
        .first_ns = now_ns,
    };
    p->current[domain] = (uint32_t)p->incarnations_n;
    return (uint32_t)p->incarnations_n++;
}

uint32_t population_new_vcpu(struct population *p, uint32_t life_number, uint16_t id)
{
    struct incarnation *life = &p->incarnations[life_number];
    if (id >= life->vcpus_n) {
        uint32_t n = life->vcpus_n ? life->vcpus_n : 4;
        while (n <= id)
            n *= 2;
        uint32_t *vcpus = realloc(life->vcpus, n * sizeof *vcpus);
        if (!vcpus)
            return NOBODY;
        memset(vcpus + life->vcpus_n, 0xff, (n - life->vcpus_n) * sizeof *vcpus);
        p->tables += (n - life->vcpus_n) * sizeof *vcpus;
        life->vcpus = vcpus;
        life->vcpus_n = n;
    }
    if (life->vcpus[id] != NOBODY)
        return life->vcpus[id];
    struct vcpu_identity *vcpus = array_reserve(p->vcpus, &p->vcpus_capacity, p->vcpus_n + 1, sizeof *vcpus);
    if (!vcpus)
        return NOBODY;
    p->vcpus = vcpus;
    p->vcpus[p->vcpus_n] = (struct vcpu_identity){.life = life_number, .id = id};
    life->vcpus[id] = (uint32_t)p->vcpus_n;
    life->population++;
    return (uint32_t)p->vcpus_n++;
}

size_t population_memory(const struct population *p)
{
    return p->tables + p->incarnations_capacity * sizeof *p->incarnations +
           p->vcpus_capacity * sizeof *p->vcpus;
}
