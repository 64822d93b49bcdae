#include "population.h"

#include <stdlib.h>
#include <string.h>

#include "array.h"

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
    for (size_t i = 0; i < p->lives_n; i++)
        free(p->lives[i].vcpus);
    free(p->lives);
    free(p->vcpus);
    free(p->current);
}

uint32_t population_begin_life(struct population *p, uint16_t domain, uint64_t birth_ns, uint64_t now_ns)
{
    struct life *lives = array_reserve(p->lives, &p->lives_capacity, p->lives_n + 1, sizeof *lives);
    if (!lives)
        return NOBODY;
    p->lives = lives;
    uint32_t before = p->current[domain];
    p->lives[p->lives_n] = (struct life){
        .domain = domain,
        .number = before == NOBODY ? 1 : p->lives[before].number + 1,
        .birth_ns = birth_ns,
        .first_ns = now_ns,
    };
    p->current[domain] = (uint32_t)p->lives_n;
    return (uint32_t)p->lives_n++;
}

uint32_t population_new_vcpu(struct population *p, uint32_t life_number, uint16_t id)
{
    struct life *life = &p->lives[life_number];
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
    return p->tables + p->lives_capacity * sizeof *p->lives + p->vcpus_capacity * sizeof *p->vcpus;
}
