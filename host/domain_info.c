#include "host/domain_info.h"

#include <stdlib.h>
#include <string.h>

#include "metrics/array.h"

void domain_info_free(struct domain_info *info)
{
    free(info->domains);
    free(info->affinities);
    *info = (struct domain_info){.domains = NULL};
}

/* ---- rows ---- */

/* Where the row is, or is to be; *there: it is. */
static size_t place_of_domain(const struct domain_info *info, uint32_t domain, bool *there)
{
    size_t from = 0, to = info->domains_n;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        if (info->domains[middle].domain < domain)
            from = middle + 1;
        else
            to = middle;
    }
    *there = from < info->domains_n && info->domains[from].domain == domain;
    return from;
}

static uint64_t vcpu_key(uint32_t domain, uint32_t vcpu)
{
    return (uint64_t)domain << 32 | vcpu;
}

static size_t place_of_affinity(const struct domain_info *info, uint32_t domain, uint32_t vcpu, bool *there)
{
    size_t from = 0, to = info->affinities_n;
    const struct fact_affinity *rows = info->affinities;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        if (vcpu_key(rows[middle].domain, rows[middle].vcpu) < vcpu_key(domain, vcpu))
            from = middle + 1;
        else
            to = middle;
    }
    *there = from < info->affinities_n && rows[from].domain == domain && rows[from].vcpu == vcpu;
    return from;
}

struct fact_domain *domain_info_domain(struct domain_info *info, uint32_t domain)
{
    bool there;
    size_t at = place_of_domain(info, domain, &there);
    if (there)
        return &info->domains[at];
    if (!array_make_room(&info->domains, &info->domains_capacity, info->domains_n + 1, sizeof *info->domains))
        return NULL;
    memmove(info->domains + at + 1, info->domains + at, (info->domains_n - at) * sizeof *info->domains);
    info->domains[at] = (struct fact_domain){.domain = domain};
    info->domains_n++;
    return &info->domains[at];
}

struct fact_affinity *domain_info_affinity(struct domain_info *info, uint32_t domain, uint32_t vcpu)
{
    bool there;
    size_t at = place_of_affinity(info, domain, vcpu, &there);
    if (there)
        return &info->affinities[at];
    if (!array_make_room(&info->affinities, &info->affinities_capacity, info->affinities_n + 1,
                         sizeof *info->affinities))
        return NULL;
    memmove(info->affinities + at + 1, info->affinities + at,
            (info->affinities_n - at) * sizeof *info->affinities);
    info->affinities[at] = (struct fact_affinity){.domain = domain, .vcpu = vcpu};
    info->affinities_n++;
    return &info->affinities[at];
}

void domain_info_set_text(char to[FACT_NAME], const char *text, size_t n)
{
    if (n >= FACT_NAME) {
        n = FACT_NAME - 1;
        for (int i = 0; i < 3 && ((unsigned char)text[n] & 0xc0) == 0x80; i++)
            n--;
    }
    memcpy(to, text, n);
    memset(to + n, 0, FACT_NAME - n);
}

int domain_info_copy(struct domain_info *to, const struct domain_info *from)
{
    domain_info_free(to);
    to->domains = malloc((from->domains_n + 1) * sizeof *to->domains);
    to->affinities = malloc((from->affinities_n + 1) * sizeof *to->affinities);
    if (!to->domains || !to->affinities) {
        domain_info_free(to);
        return -1;
    }
    if (from->domains_n > 0)
        memcpy(to->domains, from->domains, from->domains_n * sizeof *to->domains);
    if (from->affinities_n > 0)
        memcpy(to->affinities, from->affinities, from->affinities_n * sizeof *to->affinities);
    to->domains_n = from->domains_n;
    to->affinities_n = from->affinities_n;
    to->domains_capacity = from->domains_n + 1;
    to->affinities_capacity = from->affinities_n + 1;
    return 0;
}

/* ---- from one look to the next ---- */

static bool same_uuid(const struct fact_domain *a, const struct fact_domain *b)
{
    return !*a->uuid || !*b->uuid || strcmp(a->uuid, b->uuid) == 0;
}

static const struct fact_domain *find_domain(const struct domain_info *info, uint32_t domain)
{
    bool there;
    size_t at = place_of_domain(info, domain, &there);
    return there ? &info->domains[at] : NULL;
}

static void inherit_domain(struct fact_domain *d, const struct fact_domain *was)
{
    if (!*d->uuid)
        memcpy(d->uuid, was->uuid, sizeof d->uuid);
    if (!*d->name)
        memcpy(d->name, was->name, sizeof d->name);
    if (d->vcpus == 0)
        d->vcpus = was->vcpus;
    if (d->memory_kib == 0)
        d->memory_kib = was->memory_kib;
    if (d->weight == 0) { /* a cap of 0 is known where the weight is */
        d->weight = was->weight;
        d->cap = was->cap;
    }
}

int domain_info_inherit(struct domain_info *info, const struct domain_info *before)
{
    bool affinities = info->affinities_n > 0;
    for (size_t i = 0; i < info->domains_n; i++) {
        const struct fact_domain *was = find_domain(before, info->domains[i].domain);
        if (was && same_uuid(was, &info->domains[i]))
            inherit_domain(&info->domains[i], was);
    }
    for (size_t i = 0; !affinities && i < before->affinities_n; i++) {
        const struct fact_affinity *was = &before->affinities[i];
        const struct fact_domain *d = find_domain(info, was->domain),
                                 *d_was = find_domain(before, was->domain);
        if (!d || !d_was || !same_uuid(d, d_was))
            continue;
        struct fact_affinity *a = domain_info_affinity(info, was->domain, was->vcpu);
        if (!a)
            return -1;
        *a = *was;
    }
    return 0;
}

/* ---- facts ---- */

static bool same_domain(const struct fact_domain *a, const struct fact_domain *b)
{
    return strcmp(a->uuid, b->uuid) == 0 && strcmp(a->name, b->name) == 0 && a->vcpus == b->vcpus &&
           a->weight == b->weight && a->cap == b->cap && a->memory_kib == b->memory_kib;
}

static void put_gone(struct buffer *lines, uint32_t domain, uint64_t tsc)
{
    const struct fact f = {.kind = FACT_DOMAIN_GONE, .gone = {.tsc = tsc, .domain = domain}};
    fact_put(lines, &f);
}

/* Domains that are gone, or whose numbers others have now. */
static void put_gone_domains(const struct domain_info *before, const struct domain_info *now, uint64_t tsc,
                             struct buffer *lines)
{
    for (size_t i = 0; i < before->domains_n; i++) {
        const struct fact_domain *was = &before->domains[i], *is = find_domain(now, was->domain);
        if (!is || !same_uuid(was, is))
            put_gone(lines, was->domain, tsc);
    }
}

static void put_domains(const struct domain_info *before, const struct domain_info *now, uint64_t tsc,
                        struct buffer *lines)
{
    for (size_t i = 0; i < now->domains_n; i++) {
        const struct fact_domain *was = find_domain(before, now->domains[i].domain);
        if (was && same_domain(was, &now->domains[i]))
            continue;
        struct fact f = {.kind = FACT_DOMAIN, .domain = now->domains[i]};
        f.domain.tsc = tsc;
        fact_put(lines, &f);
    }
}

static void put_affinities(const struct domain_info *before, const struct domain_info *now, uint64_t tsc,
                           struct buffer *lines)
{
    for (size_t i = 0; i < now->affinities_n; i++) {
        const struct fact_affinity *is = &now->affinities[i];
        bool there;
        size_t at = place_of_affinity(before, is->domain, is->vcpu, &there);
        const struct fact_affinity *was = there ? &before->affinities[at] : NULL;
        if (was && strcmp(was->hard, is->hard) == 0 && strcmp(was->soft, is->soft) == 0)
            continue;
        struct fact f = {.kind = FACT_AFFINITY, .affinity = *is};
        f.affinity.tsc = tsc;
        fact_put(lines, &f);
    }
}

void domain_info_changes(const struct domain_info *before, const struct domain_info *now, uint64_t tsc,
                         struct buffer *lines)
{
    put_gone_domains(before, now, tsc, lines);
    put_domains(before, now, tsc, lines);
    put_affinities(before, now, tsc, lines);
}
