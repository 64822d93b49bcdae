/* Results of pieces of a trace add up to those of the whole, in whatever order and grouping they are joined. */
#include <stdlib.h>
#include <string.h>

#include "archive/aggregate.h"
#include "archive/results.h"
#include "check.h"
#include "random.h"
#include "suites.h"

#define PIECES  13
#define DOMAINS 5
#define GUESTS  4

/* Rows and charges of one piece. */
struct piece {
    struct measures measures[DOMAINS];
    struct row rows[DOMAINS];
    size_t rows_n;
    struct charge_guest guests[GUESTS];
    struct charge_idd idd;
};

static void make_measures(struct measures *m, uint64_t *random)
{
    measures_init(m);
    for (int s = 0; s < RUNSTATES; s++)
        m->state_ns[s] = (int64_t)random_below(random, 1000000000);
    for (int k = 0; k < IO_TRACE_KINDS; k++)
        m->io[k] = random_below(random, 1000);
    m->charged_ns = (int64_t)random_below(random, 1000000);
    m->executions = random_below(random, 50);
    m->allocated_slices = random_below(random, 3);
    m->allocated_min_ns = m->allocated_slices ? (uint32_t)random_below(random, 1000) : UINT32_MAX;
    m->allocated_max_ns = m->allocated_slices ? 1000 + (uint32_t)random_below(random, 1000) : 0;
    for (uint64_t i = 0; i < m->executions; i++)
        histogram_add(&m->run, random64(random) >> (20 + random_below(random, 40)),
                      random_below(random, 1000000000));
}

/* Domains come and go; a number is nearly never missing. */
static void make_rows(struct piece *p, uint64_t *random)
{
    for (int32_t d = 0; d < DOMAINS; d++) {
        if (random_below(random, 4) == 0)
            continue;
        make_measures(&p->measures[p->rows_n], random);
        p->rows[p->rows_n] = (struct row){
            .domain = d, .life = 1, .vcpu = -1, .pcpu = -1, .vcpus = 2, .measures = &p->measures[p->rows_n]};
        p->rows_n++;
    }
}

static void make_charges(struct piece *p, uint64_t *random)
{
    p->idd = (struct charge_idd){.life = 1, .guests = p->guests, .executions = random_below(random, 100)};
    for (int32_t g = 1; g <= GUESTS; g++) {
        if (random_below(random, 3) == 0)
            continue;
        struct charge_guest *guest = &p->guests[p->idd.guests_n++];
        *guest = (struct charge_guest){.domain = g, .life = 1, .charged_ns = random_below(random, 1000000)};
        guest->certain_ns = random_below(random, guest->charged_ns + 1);
        guest->events[IO_MAP] = random_below(random, 100);
        guest->charged_by_ns[IO_MAP] = (double)guest->charged_ns;
        p->idd.charged_ns += guest->charged_ns;
    }
    p->idd.own_ns = random_below(random, 1000000);
    p->idd.running_ns = p->idd.charged_ns + p->idd.own_ns;
}

static void add(struct aggregate *to, const struct row *rows, size_t rows_n, const struct charge_idd *idds,
                size_t idds_n)
{
    CHECK(aggregate_add_rows(to, rows, rows_n));
    CHECK(aggregate_add_charges(to, idds, idds_n));
}

static struct buffer lines_of(struct aggregate *g)
{
    const struct interval whole = {.end_ns = 1};
    struct buffer lines = {0};
    const struct charge_idd *idds;
    CHECK(aggregate_charges(g, &idds));
    results_put_interval(&lines, &whole, aggregate_rows(g), g->rows.n, NULL);
    results_put_charges(&lines, &whole, idds, g->idds.n, NULL);
    return lines;
}

/* One that is left takes another one in, until there is only one. */
static struct buffer join_at_random(const struct piece *pieces, uint64_t *random)
{
    struct aggregate sums[PIECES];
    const struct charge_idd *idds;
    for (size_t i = 0; i < PIECES; i++) {
        aggregate_init(&sums[i]);
        add(&sums[i], pieces[i].rows, pieces[i].rows_n, &pieces[i].idd, 1);
    }
    for (size_t left = PIECES; left > 1; left--) {
        size_t from = random_below(random, left), to = (from + 1 + random_below(random, left - 1)) % left;
        CHECK(aggregate_charges(&sums[from], &idds));
        add(&sums[to], aggregate_rows(&sums[from]), sums[from].rows.n, idds, sums[from].idds.n);
        aggregate_free(&sums[from]);
        sums[from] = sums[left - 1];
    }
    struct buffer lines = lines_of(&sums[0]);
    aggregate_free(&sums[0]);
    return lines;
}

static void pieces_add_up_in_any_grouping_and_order(void)
{
    static struct piece pieces[PIECES];
    struct aggregate whole;
    uint64_t random = 17;
    memset(pieces, 0, sizeof pieces);
    aggregate_init(&whole);
    for (size_t i = 0; i < PIECES; i++) {
        make_rows(&pieces[i], &random);
        make_charges(&pieces[i], &random);
        add(&whole, pieces[i].rows, pieces[i].rows_n, &pieces[i].idd, 1);
    }
    struct buffer expected = lines_of(&whole);
    CHECK(expected.n > 1000 && !expected.failed);
    for (unsigned i = 0; i < 200; i++) {
        struct buffer lines = join_at_random(pieces, &random);
        CHECK(lines.n == expected.n && memcmp(lines.at, expected.at, lines.n) == 0);
        buffer_free(&lines);
    }
    buffer_free(&expected);
    aggregate_free(&whole);
    for (size_t i = 0; i < PIECES; i++)
        for (size_t r = 0; r < pieces[i].rows_n; r++)
            measures_free(&pieces[i].measures[r]);
}

CU_TestInfo joins_tests[] = {
    TEST(pieces_add_up_in_any_grouping_and_order),
    CU_TEST_INFO_NULL,
};
