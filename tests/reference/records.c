#include "tests/reference/records.h"

#include <stdlib.h>
#include <string.h>

#define CPU_CHANGE  0x0001f003u
#define LEAST_BYTES 4 /* of a record */

static uint32_t word_at(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/* Cuts the bytes into records; returns how many are whole. */
static size_t cut(struct ref_record *to, const uint8_t *bytes, size_t n, struct ref_damage damage)
{
    size_t found = 0;
    uint16_t pcpu = 0;
    for (size_t at = 0; n - at >= 4;) {
        if (at == damage.from && at < damage.to) {
            at = damage.to;
            continue;
        }
        uint32_t header = word_at(bytes + at);
        struct ref_record r = {.number = header & 0x0fffffff,
                               .words_n = header >> 28 & 7,
                               .timed = header >> 31,
                               .place = found,
                               .offset = at};
        size_t length = 4 + (r.timed ? 8 : 0) + 4 * (size_t)r.words_n;
        if (length > n - at)
            break;
        const uint8_t *p = bytes + at + 4;
        if (r.timed) {
            r.tsc = (uint64_t)word_at(p + 4) << 32 | word_at(p);
            p += 8;
        }
        for (unsigned i = 0; i < r.words_n; i++)
            r.w[i] = word_at(p + 4 * i);
        if (r.number == CPU_CHANGE)
            pcpu = (uint16_t)r.w[0];
        r.pcpu = pcpu;
        to[found++] = r;
        at += length;
    }
    return found;
}

/* The first record from `from` on in the window that has a time, or n. */
static size_t next_timed(const struct ref_record *r, size_t n, size_t from)
{
    while (from < n && !r[from].timed && r[from].number != CPU_CHANGE)
        from++;
    return from < n && r[from].timed ? from : n;
}

static void give_times(struct ref_record *r, size_t n)
{
    uint64_t last[REF_PCPUS] = {0};
    bool begun = false; /* the window has a record with a time */
    for (size_t i = 0; i < n; i++) {
        uint64_t *before = &last[r[i].pcpu];
        begun = (begun && r[i].number != CPU_CHANGE) || r[i].timed;
        if (r[i].timed) {
            *before = r[i].least_tsc = r[i].tsc;
            continue;
        }
        /* A window's header comes with the first record in it. */
        bool with_next = r[i].number == CPU_CHANGE && i + 1 < n && r[i + 1].timed;
        size_t next = begun ? n : next_timed(r, n, i + 1);
        r[i].tsc = next < n ? r[next].tsc : begun ? *before : UINT64_MAX;
        r[i].least_tsc = with_next ? r[i].tsc : *before;
    }
}

static int compare(const void *a, const void *b)
{
    const struct ref_record *x = a, *y = b;
    if (x->tsc != y->tsc)
        return x->tsc < y->tsc ? -1 : 1;
    if (x->pcpu != y->pcpu)
        return x->pcpu < y->pcpu ? -1 : 1;
    return x->place < y->place ? -1 : x->place > y->place;
}

void ref_records_read(struct ref_records *r, const uint8_t *bytes, size_t n, struct ref_damage damage)
{
    *r = (struct ref_records){.at = calloc(n / LEAST_BYTES + 1, sizeof *r->at)};
    if (!r->at)
        abort();
    r->n = cut(r->at, bytes, n, damage);
    give_times(r->at, r->n);
    r->first_tsc = UINT64_MAX;
    for (size_t i = 0; i < r->n; i++) {
        const struct ref_record *e = &r->at[i];
        r->of[e->pcpu] = realloc(r->of[e->pcpu], (r->of_n[e->pcpu] + 1) * sizeof *e);
        if (!r->of[e->pcpu])
            abort();
        r->of[e->pcpu][r->of_n[e->pcpu]++] = *e;
        r->first_tsc = e->timed && e->tsc < r->first_tsc ? e->tsc : r->first_tsc;
        r->last_tsc = e->timed && e->tsc > r->last_tsc ? e->tsc : r->last_tsc;
    }
    qsort(r->at, r->n, sizeof *r->at, compare);
}

void ref_records_free(struct ref_records *r)
{
    free(r->at);
    for (size_t i = 0; i < REF_PCPUS; i++)
        free(r->of[i]);
}
