#include "io_pasts.h"

#include <stdlib.h>

#include "parser/event.h"

#define DOMAINS (8 * IO_DOMAIN_BYTES)

/* ---- domains: how many follow, and how far each is beyond the one before ---- */

static bool has(const uint8_t *bits, unsigned domain)
{
    return bits[domain / 8] >> domain % 8 & 1;
}

static void save_domains(struct snapshot *s, const uint8_t *bits)
{
    size_t n = 0;
    unsigned next = 0;
    for (size_t i = 0; bits && i < IO_DOMAIN_BYTES; i++)
        n += (unsigned)__builtin_popcount(bits[i]);
    snapshot_count(s, n, DOMAINS);
    for (unsigned domain = 0; n > 0; domain++) {
        if (!has(bits, domain))
            continue;
        snapshot_number(s, domain - next, DOMAINS);
        next = domain + 1;
        n--;
    }
}

static void read_domains(struct snapshot *s, uint8_t *bits)
{
    uint64_t domain = 0;
    for (size_t n = snapshot_count(s, 0, DOMAINS); n > 0 && !s->failed; n--, domain++) {
        domain += snapshot_number(s, 0, DOMAINS);
        s->failed |= domain >= DOMAINS;
        if (!s->failed)
            bits[domain / 8] |= (uint8_t)(1u << domain % 8);
    }
}

/* ---- pCPUs ---- */

static void past_snapshot(struct snapshot *s, struct io_past *p)
{
    SNAPSHOT(s, p->pcpu, PCPUS_MAX - 1);
    SNAPSHOT(s, p->current, UINT32_MAX);
    SNAPSHOT_FLAG(s, p->ends_copies);
}

void io_pasts_save(struct snapshot *s, const struct io_past *at, size_t n)
{
    snapshot_count(s, n, PCPUS_MAX);
    for (size_t i = 0; i < n; i++) {
        struct io_past p = at[i];
        past_snapshot(s, &p);
        save_domains(s, p.hypercalls_seen);
        save_domains(s, p.drivers);
    }
}

void io_pasts_read(struct snapshot *s, struct io_pasts *to)
{
    size_t n = snapshot_count(s, 0, PCPUS_MAX);
    to->at = calloc(n + 1, sizeof *to->at);
    to->bits = calloc(2 * n + 1, IO_DOMAIN_BYTES);
    s->failed |= !to->at || !to->bits;
    for (; to->n < n && !s->failed; to->n++) {
        struct io_past *p = &to->at[to->n];
        uint8_t *bits = to->bits + 2 * to->n * IO_DOMAIN_BYTES;
        past_snapshot(s, p);
        p->hypercalls_seen = bits;
        p->drivers = bits + IO_DOMAIN_BYTES;
        read_domains(s, bits);
        read_domains(s, bits + IO_DOMAIN_BYTES);
    }
}

void io_pasts_free(struct io_pasts *p)
{
    free(p->at);
    free(p->bits);
    *p = (struct io_pasts){0};
}
