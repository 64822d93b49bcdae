#include "tests/fuzz/joins.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "archive/results.h"
#include "tests/fuzz/must.h"
#include "tests/unit/random.h"

void joins_open(struct joins *j, uint64_t seed)
{
    *j = (struct joins){.random = seed | 1};
    aggregate_init(&j->whole);
    for (size_t i = 0; i < JOINS_PIECES; i++)
        aggregate_init(&j->pieces[i]);
}

void joins_close(struct joins *j)
{
    aggregate_free(&j->whole);
    for (size_t i = 0; i < JOINS_PIECES; i++)
        aggregate_free(&j->pieces[i]);
}

void joins_take_rows(struct joins *j, const struct row *rows, size_t n)
{
    if (random_below(&j->random, 3) == 0)
        j->piece = random_below(&j->random, JOINS_PIECES);
    MUST(aggregate_add_rows(&j->whole, rows, n) && aggregate_add_rows(&j->pieces[j->piece], rows, n),
         "no memory for sums of rows");
}

void joins_take_charges(struct joins *j, const struct charge_idd *idds, size_t n)
{
    MUST(aggregate_add_charges(&j->whole, idds, n) && aggregate_add_charges(&j->pieces[j->piece], idds, n),
         "no memory for sums of charges");
}

/* One that is left takes another one in, until only the first place is taken. */
static void join_pieces(struct joins *j)
{
    for (size_t left = JOINS_PIECES; left > 1; left--) {
        size_t from = random_below(&j->random, left),
               to = (from + 1 + random_below(&j->random, left - 1)) % left;
        struct aggregate *piece = &j->pieces[from];
        const struct charge_idd *idds;
        MUST(aggregate_charges(piece, &idds) &&
                 aggregate_add_rows(&j->pieces[to], aggregate_rows(piece), piece->rows.n) &&
                 aggregate_add_charges(&j->pieces[to], idds, piece->idds.n),
             "no memory to join pieces");
        struct aggregate last = j->pieces[left - 1];
        if (from != left - 1) {
            j->pieces[left - 1] = *piece;
            *piece = last;
        }
    }
}

static void check_rows(struct aggregate *whole, struct aggregate *joined)
{
    const struct interval interval = {.end_ns = 1};
    struct buffer a = {0}, b = {0};
    results_put_interval(&a, &interval, aggregate_rows(whole), whole->rows.n, NULL);
    results_put_interval(&b, &interval, aggregate_rows(joined), joined->rows.n, NULL);
    MUST(!a.failed && !b.failed, "no memory for lines");
    MUST(a.n == b.n && (a.n == 0 || memcmp(a.at, b.at, a.n) == 0), "pieces are not the whole:\n%.*s\n%.*s",
         (int)b.n, b.at, (int)a.n, a.at);
    buffer_free(&a);
    buffer_free(&b);
}

/* Sums of fractions depend on their order in the last digits: they are left out. */
static void check_guest(const struct charge_guest *a, const struct charge_guest *b)
{
    MUST(a->domain == b->domain && a->life == b->life, "a guest is missing");
    MUST(a->charged_ns == b->charged_ns && a->certain_ns == b->certain_ns,
         "domain %d: %" PRIu64 " and %" PRIu64 " ns", a->domain, a->charged_ns, b->charged_ns);
    for (int kind = 0; kind < IO_KINDS; kind++)
        MUST(a->events[kind] == b->events[kind], "domain %d: events of kind %d", a->domain, kind);
}

static void check_charges(struct aggregate *whole, struct aggregate *joined)
{
    const struct charge_idd *a, *b;
    MUST(aggregate_charges(whole, &a) && aggregate_charges(joined, &b), "no memory for charges");
    MUST(whole->idds.n == joined->idds.n, "%zu driver domains, in pieces %zu", whole->idds.n, joined->idds.n);
    for (size_t i = 0; i < whole->idds.n; i++) {
        MUST(a[i].domain == b[i].domain && a[i].life == b[i].life && a[i].guests_n == b[i].guests_n,
             "another driver domain");
        MUST(a[i].running_ns == b[i].running_ns && a[i].charged_ns == b[i].charged_ns &&
                 a[i].own_ns == b[i].own_ns && a[i].unattributed_ns == b[i].unattributed_ns &&
                 a[i].executions == b[i].executions,
             "driver domain %d: charged %" PRIu64 " and %" PRIu64 " ns", a[i].domain, a[i].charged_ns,
             b[i].charged_ns);
        for (size_t g = 0; g < a[i].guests_n; g++)
            check_guest(&a[i].guests[g], &b[i].guests[g]);
    }
}

void joins_check(struct joins *j)
{
    join_pieces(j);
    check_rows(&j->whole, &j->pieces[0]);
    check_charges(&j->whole, &j->pieces[0]);
}
