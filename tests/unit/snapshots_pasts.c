/*
 * Whatever the past was, a snapshot made at some moment leads a meter to where it would be: random pasts of domains that come
 * and go, pCPUs that lose records, records that contradict each other; and some told by hand.
 */
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "metrics/measure/row.h"
#include "random.h"
#include "snapshots_kept.h"
#include "suites.h"

#define PCPUS      4
#define GUESTS     7
#define DOMAINS    5
#define EVENTS_MAX (20u << 10)
#define END_NS     9000000000u
#define SECOND     1000000000u

/* How often in 1000 steps something odd happens. */
struct oddness {
    unsigned lost, incarnations, wrong;
};

struct guest {
    uint32_t domain, id;
    enum runstate state;
};

/* What happened: a ns is a cycle. */
struct past_made {
    struct event events[EVENTS_MAX];
    size_t n;
    uint64_t now, random;
    struct guest guests[GUESTS];
    int current[PCPUS]; /* number of the guest that runs, -1: the idle vCPU */
    bool blind[PCPUS];
    uint64_t switched[PCPUS]; /* Xen's own instant of the last switch */
};

static uint64_t below(struct past_made *p, uint64_t n)
{
    return random_below(&p->random, n);
}

static void happens(struct past_made *p, unsigned slot, uint32_t number, unsigned pcpu, uint32_t w0,
                    uint32_t w1)
{
    struct event *e = &p->events[p->n++];
    unsigned words = slot == EVENT_YIELD || slot == EVENT_SLEEP ? 2 : 1;
    *e = (struct event){
        .tsc = p->now, .pcpu = (uint16_t)pcpu, .slot = (uint8_t)slot, .flags = EVENT_MODEL, .w = {w0, w1}};
    e->header = number | words << 28 | 1u << 31;
    memcpy(&e->w[2], &p->now, 8);
}

static void changes(struct past_made *p, unsigned pcpu, uint32_t domain, uint32_t id, enum runstate old,
                    enum runstate new)
{
    uint32_t slice = new == RUNSTATE_RUNNING &&below(p, 3) ? (uint32_t)below(p, 10000000) : UINT32_MAX;
    if (p->blind[pcpu])
        return;
    happens(p, EVENT_RUNSTATE_CHANGE, 0x00021001u | (unsigned)old << 8 | (unsigned)new << 4, pcpu,
            domain << 16 | id, 0);
    if (slice == UINT32_MAX)
        return;
    p->events[p->n - 1].flags |= EVENT_SLICED;
    p->events[p->n - 1].w[1] = slice;
}

static void guest_changes(struct past_made *p, unsigned pcpu, struct guest *g, enum runstate new)
{
    changes(p, pcpu, g->domain, g->id, g->state, new);
    g->state = new;
}

static void note(struct past_made *p, unsigned pcpu, const struct guest *g, unsigned slot)
{
    if (!p->blind[pcpu])
        happens(p, slot, slot == EVENT_YIELD ? 0x00028005 : 0x00028003, pcpu, g->domain, g->id);
}

/*
 * The two changes from number `first` on are those of a switch: the decoder knows how long the vCPU ran, by a clock that was
 * read before they were written, a little or much.
 */
static void is_switch(struct past_made *p, unsigned pcpu, size_t first)
{
    if (p->n != first + 2)
        return;
    uint64_t late = below(p, 8) ? below(p, 30000) : below(p, 4000000);
    uint64_t instant = p->now - late > p->switched[pcpu] ? p->now - late : p->switched[pcpu];
    p->events[first].flags |= EVENT_RAN;
    p->events[first].w[2] = (uint32_t)(below(p, 200) ? instant - p->switched[pcpu] : p->random);
    p->events[first + 1].flags |= EVENT_SWITCHED_IN;
    p->switched[pcpu] = instant;
}

static void dispatch(struct past_made *p, unsigned pcpu, int guest)
{
    int before = p->current[pcpu];
    size_t first = p->n;
    if (before >= 0)
        guest_changes(p, pcpu, &p->guests[before], RUNSTATE_RUNNABLE);
    else
        changes(p, pcpu, IDLE_DOMAIN, pcpu, RUNSTATE_RUNNING, RUNSTATE_RUNNABLE);
    guest_changes(p, pcpu, &p->guests[guest], RUNSTATE_RUNNING);
    is_switch(p, pcpu, first);
    p->current[pcpu] = guest;
}

static void stop(struct past_made *p, unsigned pcpu)
{
    static const enum runstate states[] = {RUNSTATE_RUNNABLE, RUNSTATE_BLOCKED, RUNSTATE_BLOCKED,
                                           RUNSTATE_OFFLINE};
    struct guest *g = &p->guests[p->current[pcpu]];
    enum runstate state = states[below(p, 4)];
    if (state != RUNSTATE_BLOCKED && below(p, 2))
        note(p, pcpu, g, state == RUNSTATE_OFFLINE ? EVENT_SLEEP : EVENT_YIELD);
    size_t first = p->n;
    guest_changes(p, pcpu, g, state);
    changes(p, pcpu, IDLE_DOMAIN, pcpu, RUNSTATE_RUNNABLE, RUNSTATE_RUNNING);
    is_switch(p, pcpu, first);
    p->current[pcpu] = -1;
}

static void lose(struct past_made *p, unsigned pcpu)
{
    int runs = p->current[pcpu];
    uint32_t who = runs < 0 ? IDLE_DOMAIN | pcpu << 16 : p->guests[runs].domain | p->guests[runs].id << 16;
    if (!p->blind[pcpu])
        happens(p, EVENT_BLIND_BEGIN, 0, pcpu, 1, 0);
    else
        happens(p, EVENT_BLIND_END, 0, pcpu, 1, below(p, 5) ? who : UINT32_MAX);
    p->blind[pcpu] = !p->blind[pcpu];
}

static void come_or_go(struct past_made *p, unsigned pcpu)
{
    uint32_t domain = (uint32_t)below(p, DOMAINS);
    bool comes = below(p, 2);
    happens(p, comes ? EVENT_DOM_ADD : EVENT_DOM_REM, comes ? 0x00028001 : 0x00028002, pcpu, domain, 0);
}

static void err(struct past_made *p, unsigned pcpu)
{
    uint32_t domain = (uint32_t)below(p, DOMAINS), id = (uint32_t)below(p, 3);
    enum runstate old = (enum runstate)below(p, 4), new = (enum runstate)below(p, 4);
    if (below(p, 6))
        changes(p, pcpu, domain, id, old, new);
    else
        happens(p, EVENT_CONTINUE_RUNNING, 0x00021002, pcpu, domain << 16 | id, 0);
}

static void step(struct past_made *p, const struct oddness *odd)
{
    unsigned pcpu = (unsigned)below(p, PCPUS);
    int runs = p->current[pcpu], other = (int)below(p, GUESTS);
    struct guest *g = &p->guests[other];
    if (below(p, 1000) < odd->lost)
        lose(p, pcpu);
    if (below(p, 1000) < odd->incarnations)
        come_or_go(p, pcpu);
    if (below(p, 1000) < odd->wrong)
        err(p, pcpu);
    switch (below(p, 8)) {
    case 0:
    case 1:
        if (g->state == RUNSTATE_BLOCKED || g->state == RUNSTATE_OFFLINE)
            guest_changes(p, pcpu, g, RUNSTATE_RUNNABLE);
        break;
    case 2:
    case 3:
        if (runs >= 0)
            stop(p, pcpu);
        break;
    case 4:
        if (runs >= 0 && !p->blind[pcpu])
            happens(p, EVENT_CONTINUE_RUNNING, 0x00021002, pcpu,
                    p->guests[runs].domain << 16 | p->guests[runs].id, 0);
        break;
    case 5: /* paused where it is */
        if ((g->state == RUNSTATE_BLOCKED || g->state == RUNSTATE_RUNNABLE) && below(p, 8) == 0) {
            note(p, pcpu, g, EVENT_SLEEP);
            guest_changes(p, pcpu, g, RUNSTATE_OFFLINE);
        }
        break;
    default:
        if (g->state == RUNSTATE_RUNNABLE)
            dispatch(p, pcpu, other);
        break;
    }
}

static void make_past(struct past_made *p, uint64_t seed, const struct oddness *odd)
{
    *p = (struct past_made){.now = 1000000, .random = seed};
    uint64_t pace = 500000 + below(p, 6000000);
    for (unsigned i = 0; i < GUESTS; i++)
        p->guests[i] = (struct guest){i % 3, i / 3, RUNSTATE_RUNNABLE + (enum runstate)below(p, 3)};
    for (unsigned i = 0; i < PCPUS; i++)
        p->current[i] = -1;
    while (p->now < END_NS && p->n + 16 < EVENTS_MAX) {
        p->now += below(p, 4) ? below(p, pace) : below(p, 400);
        step(p, odd);
    }
}

/* ---- with and without a snapshot ---- */

static const uint16_t pcpus[PCPUS] = {0, 1, 2, 3};

static struct event_batch batch_of(const struct past_made *p, size_t from, size_t to)
{
    return (struct event_batch){.events = p->events + from,
                                .n = to - from,
                                .pcpus = pcpus,
                                .pcpus_n = PCPUS,
                                .has_runstates = true,
                                .watermark = to > 0 ? p->events[to - 1].tsc + 1 : 0};
}

/* Where the batch ends that begins at `from`: after so many events, but at `mark` at the latest, and between two times. */
static size_t batch_end(const struct past_made *p, size_t from, uint64_t mark)
{
    size_t length = 1 + p->n % 100, to = from + 1;
    while (to < p->n && (to % length != 0 || p->events[to].tsc == p->events[to - 1].tsc) &&
           !(p->events[to - 1].tsc <= mark && p->events[to].tsc > mark))
        to++;
    return to;
}

static int take_snapshot(void *context, uint32_t place, uint64_t tsc, const void *bytes, size_t n,
                         struct error *why)
{
    struct cut *cut = context;
    (void)why;
    EQUAL(place, 7);
    CHECK(tsc + 1 >= cut->tsc);
    cut->tsc = tsc;
    cut->bytes = malloc(n);
    cut->n = n;
    memcpy(cut->bytes, bytes, n);
    return 0;
}

/* The snapshot that is asked for at `mark`. */
static struct cut snapshot_at(const struct past_made *p, const struct clock *clock, uint64_t mark)
{
    struct error why;
    size_t from = 0;
    while (from < p->n && p->events[from].tsc <= mark)
        from++;
    struct cut cut = {.tsc = from ? p->events[from - 1].tsc : 0};
    struct snapshot_sink sink = {&cut, take_snapshot};
    struct snapshot_maker *maker = snapshot_maker_new(&sink, NULL);
    struct consumer consumer = snapshot_maker_consumer(maker);
    struct pipeline *pipeline = pipeline_new(0);
    CHECK(pipeline_add(pipeline, &consumer, &why) == 0);
    struct event_batch nothing = batch_of(p, 0, 0);
    CHECK(pipeline_feed(pipeline, &nothing, clock, &why) == 0);
    CHECK(snapshot_maker_mark(maker, 7, cut.tsc, NULL, 0));
    CHECK(!snapshot_maker_mark(maker, 8, cut.tsc, NULL, 0)); /* one waits */
    from = 0;
    for (size_t to; from < p->n; from = to) {
        to = batch_end(p, from, mark);
        struct event_batch batch = batch_of(p, from, to);
        CHECK(pipeline_feed(pipeline, &batch, clock, &why) == 0);
    }
    pipeline_free(pipeline);
    snapshot_maker_free(maker);
    return cut;
}

/* The records that the part is fed with; `cut`: what comes before its time only by its snapshot. */
static struct buffer told_of(const struct past_made *p, const struct clock *clock, enum by by,
                             const struct part *part, const struct cut *cut, uint64_t mark)
{
    struct buffer lines = {0};
    struct error why;
    struct pipeline *rows = kept_pipeline(by, part, NULL, &lines);
    size_t from = 0;
    if (cut) {
        CHECK(pipeline_restore(rows, cut->bytes, cut->n, cut->tsc, clock, &why) == 0);
        while (from < p->n && p->events[from].tsc <= cut->tsc)
            from++;
    }
    for (size_t to; from < p->n; from = to) {
        to = batch_end(p, from, mark);
        struct event_batch batch = batch_of(p, from, to);
        CHECK(pipeline_feed(rows, &batch, clock, &why) == 0);
    }
    CHECK(pipeline_end(rows, p->now, &why) == 0);
    pipeline_free(rows);
    return lines;
}

/* Whether the whole past shows that a pCPU was never recorded: then no snapshot of it is used. */
static bool has_unseen(const struct past_made *p, const struct clock *clock)
{
    struct error why;
    struct buffer lines = {0};
    const struct part all = {0, 0};
    struct pipeline *rows = kept_pipeline(BY_DOMAIN, &all, NULL, &lines);
    struct event_batch batch = batch_of(p, 0, p->n);
    struct quality q = {0};
    CHECK(pipeline_feed(rows, &batch, clock, &why) == 0);
    CHECK(pipeline_end(rows, p->now, &why) == 0);
    quality_merge(&q, model_quality((struct model *)pipeline_pass(rows)->model), 0);
    pipeline_free(rows);
    buffer_free(&lines);
    return q.unseen_pcpus > 0;
}

/* Compares the part that begins as soon after the snapshot as it can, and lasts so long (0: to the end). */
static bool compare(const struct past_made *p, const struct clock *clock, uint64_t length_ns, uint64_t mark)
{
    struct cut cut = snapshot_at(p, clock, mark);
    uint64_t from_ns = clock_ns(clock, cut.tsc) + SNAPSHOT_MARGIN_NS;
    struct part part = {from_ns, length_ns ? from_ns + length_ns : 0};
    for (int by = 0; cut.bytes && by < BYS; by++) {
        struct buffer direct = told_of(p, clock, (enum by)by, &part, NULL, mark);
        struct buffer way = told_of(p, clock, (enum by)by, &part, &cut, mark);
        CHECK(same_lines(&direct, &way));
        buffer_free(&direct);
        buffer_free(&way);
    }
    free(cut.bytes);
    return cut.bytes != NULL;
}

/* At three moments of each past; returns how many snapshots there were. */
static unsigned compare_pasts(unsigned pasts, struct oddness odd)
{
    static struct past_made p;
    struct clock clock = {0};
    unsigned snapshots = 0;
    clock_set(&clock, 0, 1e9);
    for (unsigned seed = 0; seed < pasts; seed++) {
        make_past(&p, seed, &odd);
        for (unsigned i = 1; i <= 3 && !has_unseen(&p, &clock); i++) {
            uint64_t tsc = i * 2 * SECOND - below(&p, SECOND);
            snapshots += compare(&p, &clock, i % 2 ? SECOND + below(&p, SECOND) : 0, tsc);
        }
    }
    return snapshots;
}

static void a_plain_past(void)
{
    EQUAL(compare_pasts(30, (struct oddness){0}), 90);
}

static void a_past_of_domains_that_came_and_went(void)
{
    CHECK(compare_pasts(30, (struct oddness){.incarnations = 1}) > 45);
}

static void a_past_of_which_much_was_lost(void)
{
    CHECK(compare_pasts(30, (struct oddness){.lost = 10}) > 75);
    CHECK(compare_pasts(10, (struct oddness){.lost = 200}) > 10);
}

static void a_past_that_contradicts_itself(void)
{
    CHECK(compare_pasts(30, (struct oddness){.wrong = 1}) > 25);
    CHECK(compare_pasts(30, (struct oddness){.lost = 2, .incarnations = 1, .wrong = 1}) > 20);
}

/* ---- by hand ---- */

static void hand_begins(struct past_made *p, struct clock *clock)
{
    *p = (struct past_made){.now = 1000};
    clock_set(clock, 0, 1e9);
}

static void at(struct past_made *p, uint64_t ms)
{
    p->now = ms * 1000000;
}

/* The rows of 4 s to the end, begun with a snapshot at 1.5 s and checked against all that happened, hold this text. */
static void tells(const struct past_made *p, const struct clock *clock, enum by by, const char *text)
{
    const struct part part = {4ull * SECOND, 0};
    const uint64_t mark = 3 * SECOND / 2;
    struct cut cut = snapshot_at(p, clock, mark);
    CHECK(cut.bytes != NULL);
    CHECK(compare(p, clock, 0, mark));
    struct buffer lines = told_of(p, clock, by, &part, &cut, mark);
    check_true(memmem(lines.at, lines.n, text, strlen(text)) != NULL, text, __FILE__, __LINE__);
    buffer_free(&lines);
    free(cut.bytes);
}

static void an_execution_knows_of_the_wait_and_the_blocking_long_before_it(void)
{
    static struct past_made p;
    struct clock clock;
    hand_begins(&p, &clock);
    changes(&p, 0, 1, 0, RUNSTATE_RUNNABLE, RUNSTATE_RUNNING);
    at(&p, 100);
    changes(&p, 0, 1, 0, RUNSTATE_RUNNING, RUNSTATE_BLOCKED);
    at(&p, 350);
    changes(&p, 1, 1, 0, RUNSTATE_BLOCKED, RUNSTATE_RUNNABLE);
    at(&p, 410);
    changes(&p, 1, 1, 0, RUNSTATE_RUNNABLE, RUNSTATE_RUNNING);
    at(&p, 5000);
    changes(&p, 1, 1, 0, RUNSTATE_RUNNING, RUNSTATE_BLOCKED);
    tells(&p, &clock, BY_VCPU, "\"blocked_before_ns\":250000000,\"waited_ns\":60000000");
    tells(&p, &clock, BY_VCPU, "\"run\":{\"count\":1,\"sum_ns\":4590000000");
}

static void a_domain_keeps_the_number_of_its_life_and_the_pcpus_it_ran_on(void)
{
    static struct past_made p;
    struct clock clock;
    hand_begins(&p, &clock);
    for (unsigned life = 1; life <= 3; life++) {
        at(&p, life * 100);
        happens(&p, EVENT_DOM_ADD, 0x00028001, 0, 2, 0);
        for (unsigned pcpu = 0; pcpu < PCPUS; pcpu++) { /* more than are needed */
            for (unsigned i = 0; i < 20; i++) {
                p.now += 100000;
                changes(&p, pcpu, 2, 0, RUNSTATE_RUNNABLE, RUNSTATE_RUNNING);
                p.now += 100000;
                changes(&p, pcpu, 2, 0, RUNSTATE_RUNNING, RUNSTATE_RUNNABLE);
            }
        }
        if (life < 3)
            happens(&p, EVENT_DOM_REM, 0x00028002, 0, 2, 0);
    }
    at(&p, 5000);
    changes(&p, 3, 2, 0, RUNSTATE_RUNNABLE, RUNSTATE_RUNNING);
    tells(&p, &clock, BY_DOMAIN, "\"domain\":2,\"life\":3");
    tells(&p, &clock, BY_DOMAIN_PCPU, "\"domain\":2,\"life\":3,\"pcpu\":1}");
}

/* A vCPU that is paused again and again: what it was blocked for lies far behind its last records. */
static void pauses_hide_nothing(void)
{
    static struct past_made p;
    struct clock clock;
    hand_begins(&p, &clock);
    struct guest g = {1, 0, RUNSTATE_RUNNABLE};
    guest_changes(&p, 0, &g, RUNSTATE_RUNNING);
    at(&p, 100);
    guest_changes(&p, 0, &g, RUNSTATE_BLOCKED);
    at(&p, 350);
    guest_changes(&p, 1, &g, RUNSTATE_RUNNABLE);
    at(&p, 360);
    guest_changes(&p, 0, &g, RUNSTATE_RUNNING);
    for (unsigned i = 0; i < 20; i++) {
        at(&p, 400 + i * 10);
        guest_changes(&p, 0, &g, RUNSTATE_OFFLINE);
        at(&p, 404 + i * 10);
        guest_changes(&p, 1, &g, RUNSTATE_RUNNABLE);
        at(&p, 407 + i * 10);
        guest_changes(&p, 0, &g, RUNSTATE_RUNNING);
    }
    at(&p, 1200);
    note(&p, 1, &g, EVENT_SLEEP);
    at(&p, 5000);
    guest_changes(&p, 0, &g, RUNSTATE_OFFLINE);
    tells(&p, &clock, BY_VCPU,
          "\"blocked_before_ns\":250000000,\"waited_ns\":3000000,\"wait_kind\":\"wake\"");
    tells(&p, &clock, BY_VCPU, "\"end\":\"slept\"");
}

CU_TestInfo snapshots_pasts_tests[] = {
    TEST(a_plain_past),
    TEST(a_past_of_domains_that_came_and_went),
    TEST(a_past_of_which_much_was_lost),
    TEST(a_past_that_contradicts_itself),
    TEST(an_execution_knows_of_the_wait_and_the_blocking_long_before_it),
    TEST(a_domain_keeps_the_number_of_its_life_and_the_pcpus_it_ran_on),
    TEST(pauses_hide_nothing),
    CU_TEST_INFO_NULL,
};
