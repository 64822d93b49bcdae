#include "population.h"

#include <stdlib.h>
#include <string.h>

#include "metrics/array.h"

void population_init(struct population *p)
{
    memset(p, 0, sizeof *p);
}

void population_free(struct population *p)
{
    for (size_t i = 0; i < p->incarnations_n; i++)
        free(p->incarnations[i].vcpus);
    free(p->incarnations);
    free(p->vcpus);
    for (size_t i = 0; i < sizeof p->lives / sizeof p->lives[0]; i++)
        free(p->lives[i]);
}

/* The place of the domain id's current life; NULL: no memory. */
static uint32_t *life_of(struct population *p, uint16_t domain)
{
    uint32_t **page = &p->lives[domain / LIVES];
    if (!*page && (*page = malloc(LIVES * sizeof **page))) {
        memset(*page, 0xff, LIVES * sizeof **page); /* NOBODY */
        p->tables += LIVES * sizeof **page;
    }
    return *page ? *page + domain % LIVES : NULL;
}

uint32_t population_begin_life(struct population *p, uint16_t domain, uint64_t birth_ns, uint64_t now_ns)
{
    if (!array_make_room(&p->incarnations, &p->incarnations_capacity, p->incarnations_n + 1,
                         sizeof *p->incarnations))
        return NOBODY;
    uint32_t *current = life_of(p, domain);
    if (!current)
        return NOBODY;
    uint32_t before = *current;
    p->incarnations[p->incarnations_n] = (struct incarnation){
        .domain = domain,
        .number = before == NOBODY ? 1 : p->incarnations[before].number + 1,
        .birth_ns = birth_ns,
        .first_ns = now_ns,
    };
    *current = (uint32_t)p->incarnations_n;
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
    if (!array_make_room(&p->vcpus, &p->vcpus_capacity, p->vcpus_n + 1, sizeof *p->vcpus))
        return NOBODY;
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

/* ---- snapshots ---- */

#define SAVED_MAX       65536       /* incarnations, and vCPUs, in a snapshot */
#define RESTORED_MEMORY (64u << 20) /* bytes: a few of a snapshot can name vCPUs with high numbers */

static void incarnation_snapshot(struct snapshot *s, struct incarnation *life)
{
    SNAPSHOT(s, life->domain, UINT16_MAX);
    SNAPSHOT_TIME(s, life->birth_ns);
    SNAPSHOT_TIME(s, life->first_ns);
    SNAPSHOT_FLAG(s, life->added);
    SNAPSHOT_FLAG(s, life->ended);
    SNAPSHOT_TIME(s, life->ended_ns);
}

static void restore_incarnation(struct population *p, struct snapshot *s, const struct incarnation *life)
{
    uint32_t number = population_begin_life(p, life->domain, life->birth_ns, life->first_ns);
    if (number == NOBODY) {
        s->failed = true;
        return;
    }
    p->incarnations[number].added = life->added;
    p->incarnations[number].ended = life->ended;
    p->incarnations[number].ended_ns = life->ended_ns;
}

void population_snapshot(struct population *p, struct snapshot *s)
{
    size_t lives = snapshot_count(s, p->incarnations_n, SAVED_MAX);
    for (size_t i = 0; i < lives; i++) {
        struct incarnation life = {0};
        if (!s->from)
            life = p->incarnations[i];
        incarnation_snapshot(s, &life);
        if (s->from && !s->failed)
            restore_incarnation(p, s, &life);
    }
    size_t vcpus = snapshot_count(s, p->vcpus_n, lives ? SAVED_MAX : 0);
    for (size_t i = 0; i < vcpus && !s->failed; i++) {
        struct vcpu_identity vcpu = {0};
        if (!s->from)
            vcpu = p->vcpus[i];
        SNAPSHOT(s, vcpu.life, lives - 1);
        SNAPSHOT(s, vcpu.id, VCPUS_MAX - 1);
        if (s->from && !s->failed)
            s->failed = population_new_vcpu(p, vcpu.life, vcpu.id) != i || p->tables > RESTORED_MEMORY;
    }
}
