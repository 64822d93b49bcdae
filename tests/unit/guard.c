/*
 * ShareGuard, from the bytes of a trace. Domain 0 is the driver domain, domains 1 and 2 are its guests (charge_host.h); expected
 * values are worked out by hand. The rule for one guest is in guard_rule.c.
 */
#include "metrics/control/guard.h"

#include <string.h>

#include "charge_host.h"
#include "suites.h"

#define W (100 * MS) /* the window */

struct kept {
    struct guard_row rows[64];
    uint64_t at[64]; /* where the window of each row begins */
    size_t n;
    uint64_t blocks;
    const struct subject *missing;
    struct guard *guard;
    const struct guard_policy *next; /* that holds after the first window; NULL: the first one goes on */
};

static int keep(void *context, const struct interval *interval, const struct guard_row *rows, size_t n)
{
    struct kept *k = context;
    for (size_t i = 0; i < n && k->n < 64; i++) {
        k->at[k->n] = interval->start_ns;
        k->rows[k->n++] = rows[i];
    }
    if (k->next && interval->start_ns == 0)
        CHECK(guard_take_policy(k->guard, k->next));
    return 0;
}

static const char *name_of(const void *names, int32_t domain, uint32_t life)
{
    const char *const *list = names;
    (void)life;
    return domain < 16 ? list[domain] : NULL;
}

/* Every guest may cost 5 %. */
static struct guard_limit all = {.every_guest = true, .every_driver = true, .limit = {5, 100}};

static struct guard_policy policy_of(struct guard_limit *limits, size_t n)
{
    struct guard_policy p;
    guard_policy_init(&p);
    p.window_ns = W;
    p.settle_ns = 3ull * W;
    p.limits = limits;
    p.n = n;
    return p;
}

/* Runs the trace through the whole road, by `next` after the first window. names: 16; NULL: none. */
static struct kept decide_anew(struct trace_bytes *c, const struct guard_policy *p,
                               const struct guard_policy *next, const char *const *names, bool bytewise)
{
    static struct kept kept;
    struct guard *guard = guard_new(&(struct guard_options){
        .policy = p, .name_of = names ? name_of : NULL, .names = names, .context = &kept, .rows = keep});
    kept = (struct kept){.guard = guard, .next = next};
    struct meter_options meter = {.from_ns = 0};
    for (int kind = 0; kind < IO_KINDS; kind++)
        meter.charge.weights[kind] = 1;
    guard_wants(guard, &meter);
    const struct consumer consumer = {.rows = &meter};
    struct result r =
        run(c, (struct setup){.bytewise = bytewise, .beside = &consumer, .charge = {.wanted = true}});
    EQUAL(r.status, 0);
    kept.blocks = guard_blocks(guard);
    kept.missing = guard_missing(guard);
    result_free(&r);
    guard_free(guard);
    return kept;
}

static struct kept decide(struct trace_bytes *c, const struct guard_policy *p, const char *const *names,
                          bool bytewise)
{
    return decide_anew(c, p, NULL, names, bytewise);
}

static const struct guard_row *row_in(const struct kept *k, uint64_t at, int domain)
{
    static const struct guard_row nothing = {.domain = -1};
    for (size_t i = 0; i < k->n; i++)
        if (k->at[i] == at && k->rows[i].domain == domain)
            return &k->rows[i];
    return &nothing;
}

#define DECIDES(k, at, domain, decision, why)                                                                \
    check_decision(row_in(k, at, domain), (struct guard_outcome){decision, why}, __LINE__)

static void check_decision(const struct guard_row *row, struct guard_outcome expected, unsigned line)
{
    check_equal((int64_t)row->outcome.decision, (int64_t)expected.decision, "decision", __FILE__, line);
    check_equal((int64_t)row->outcome.why, (int64_t)expected.why, "why", __FILE__, line);
}

/* The driver domain works from `at` for `ms` ms: pages of domains 1 and 2. */
static void works(struct trace_bytes *c, uint64_t at, unsigned ms, int pages1, int pages2)
{
    if (at > 10 * MS)
        rec_runstate(c, at, 0, 0, BLOCKED, RUNNABLE);
    starts(c, at, 0, 0);
    for (int i = 0; i < pages1; i++)
        rec_transfer(c, at + MS / 2, 1); /* a page that was handed over is a packet */
    for (int i = 0; i < pages2; i++)
        rec_transfer(c, at + MS / 2, 2);
    stops(c, at + ms * MS, 0, 0, BLOCKED);
}

/* ---- decisions ---- */

static void an_offender_is_held_and_let_back(void)
{
    /* 15 ms of 100 ms for domain 1: above 5 % until 300 ms have passed. Domain 2 is charged 3 ms. */
    struct guard_policy p = policy_of(&all, 1);
    struct trace_bytes c;
    charge_host_begin(&c);
    works(&c, 10 * MS, 18, 5, 1);
    mark(&c, 4 * W);
    for (int way = 0; way < 2; way++) {
        struct kept k = decide(&c, &p, NULL, way);
        EQUAL(k.n, 2 + 3); /* domain 1 is remembered in the fourth window */
        EQUAL(k.blocks, 1);
        EQUAL(row_in(&k, 0, 1)->charged_ns, 15 * MS);
        EQUAL(row_in(&k, 0, 1)->certain_ns, 15 * MS);
        EQUAL(row_in(&k, 0, 1)->average_ns, 150 * MS); /* in a second */
        EQUAL(row_in(&k, 0, 1)->driver_domain, 0);
        DECIDES(&k, 0, 1, GUARD_BLOCK, WHY_OVER);
        SAME_TEXT(row_in(&k, 0, 1)->action, "drop network");
        DECIDES(&k, 0, 2, GUARD_PASS, WHY_WITHIN);
        DECIDES(&k, W, 1, GUARD_HOLD, WHY_EFFECT);
        DECIDES(&k, 2 * W, 1, GUARD_RELEASE, WHY_AVERAGE);
        SAME_TEXT(row_in(&k, 2 * W, 1)->reason, "average 5.000% over 0.300 s is back at the limit");
        SAME_TEXT(row_in(&k, 2 * W, 1)->action, "let network");
        EQUAL(row_in(&k, 0, 1)->held_ns, 0); /* from the next window on */
        EQUAL(row_in(&k, 2 * W, 1)->held_ns, W);
    }
    trace_bytes_free(&c);
}

static void the_effect_of_one_is_awaited_before_the_next(void)
{
    /* Both are over: 6 and 12 ms. Domain 2 is held first; domain 1 only once domain 2 came down, in the third window. */
    struct guard_policy p = policy_of(&all, 1);
    struct trace_bytes c;
    charge_host_begin(&c);
    works(&c, 10 * MS, 18, 1, 2);
    works(&c, W + 10 * MS, 18, 1, 2);
    works(&c, 2 * W + 10 * MS, 6, 1, 0);
    mark(&c, 3 * W);
    struct kept k = decide(&c, &p, NULL, false);
    DECIDES(&k, 0, 2, GUARD_BLOCK, WHY_OVER);
    DECIDES(&k, 0, 1, GUARD_WAIT, WHY_FURTHER);
    SAME_TEXT(row_in(&k, 0, 1)->reason, "domain 2 is further over its limit");
    DECIDES(&k, W, 2, GUARD_HOLD, WHY_AVERAGE);
    DECIDES(&k, W, 1, GUARD_WAIT, WHY_AWAITED);
    SAME_TEXT(row_in(&k, W, 1)->reason, "the effect of holding domain 2 is awaited");
    DECIDES(&k, 2 * W, 2, GUARD_HOLD, WHY_EFFECT);
    DECIDES(&k, 2 * W, 1, GUARD_BLOCK, WHY_OVER);
    EQUAL(k.blocks, 2);
    trace_bytes_free(&c);
}

static void an_effect_is_not_awaited_for_ever(void)
{
    /* Domain 2 goes on although it is held: domain 1 is held after three windows all the same. */
    struct guard_policy p = policy_of(&all, 1);
    struct trace_bytes c;
    charge_host_begin(&c);
    for (uint64_t i = 0; i < 4; i++)
        works(&c, i * W + 10 * MS, 18, 1, 2);
    mark(&c, 4 * W);
    struct kept k = decide(&c, &p, NULL, false);
    DECIDES(&k, 2 * W, 1, GUARD_WAIT, WHY_AWAITED);
    DECIDES(&k, 3 * W, 1, GUARD_BLOCK, WHY_OVER);
    trace_bytes_free(&c);
}

static void each_driver_domain_is_watched_by_itself(void)
{
    /* Domain 2 is a driver domain of domain 1, too; each may be charged 5 % for it. */
    struct guard_policy p = policy_of(&all, 1);
    struct trace_bytes c;
    charge_host_begin(&c);
    works(&c, 10 * MS, 6, 1, 0);
    rec_runstate(&c, 20 * MS, 2, 0, BLOCKED, RUNNABLE);
    starts(&c, 20 * MS, 2, 0);
    rec_map(&c, 21 * MS, 1);
    stops(&c, 24 * MS, 2, 0, BLOCKED);
    mark(&c, W);
    struct kept k = decide(&c, &p, NULL, false);
    EQUAL(k.n, 2);
    EQUAL(k.rows[0].driver_domain, 0);
    EQUAL(k.rows[0].outcome.decision, GUARD_BLOCK);
    EQUAL(k.rows[1].driver_domain, 2);
    EQUAL(k.rows[1].outcome.decision, GUARD_PASS);
    EQUAL(k.rows[1].charged_ns, 3 * MS); /* since it mapped a page */
    trace_bytes_free(&c);
}

/* ---- who is never held ---- */

static void exempt_guests_are_never_held(void)
{
    struct guard_policy p = policy_of(&all, 1);
    struct subject one = {.domain = 1};
    p.exempt = &one;
    p.exempt_n = 1;
    struct trace_bytes c;
    charge_host_begin(&c);
    works(&c, 10 * MS, 18, 1, 0);
    mark(&c, W);
    struct kept k = decide(&c, &p, NULL, false);
    DECIDES(&k, 0, 1, GUARD_EXEMPT, WHY_POLICY);
    SAME_TEXT(row_in(&k, 0, 1)->action, "");
    EQUAL(k.blocks, 0);
    trace_bytes_free(&c);
}

static void driver_domains_are_never_held(void)
{
    /* Domain 2 maps a page of domain 1, and so is a driver domain; domain 0 works for it. */
    struct guard_limit two = {.guest.domain = 2, .every_driver = true, .limit = {5, 100}};
    struct guard_policy p = policy_of(&two, 1);
    struct trace_bytes c;
    charge_host_begin(&c);
    works(&c, 10 * MS, 18, 0, 1);
    rec_runstate(&c, 40 * MS, 2, 0, BLOCKED, RUNNABLE);
    starts(&c, 40 * MS, 2, 0);
    rec_map(&c, 41 * MS, 1);
    stops(&c, 44 * MS, 2, 0, BLOCKED);
    mark(&c, W);
    struct kept k = decide(&c, &p, NULL, false);
    DECIDES(&k, 0, 2, GUARD_EXEMPT, WHY_DRIVER);
    EQUAL(k.blocks, 0);
    trace_bytes_free(&c);
}

/* ---- evidence ---- */

static void nobody_is_held_in_a_window_with_losses(void)
{
    /* Domain 0 is charged 18 ms for domain 1, and is unknown for 30 ms of the same window. */
    struct guard_policy p = policy_of(&all, 1);
    struct trace_bytes c;
    charge_host_begin(&c);
    works(&c, 10 * MS, 18, 1, 0);
    rec_runstate(&c, 40 * MS, 0, 0, BLOCKED, RUNNABLE);
    starts(&c, 40 * MS, 0, 0);
    rec_lost(&c, 71 * MS, 100, 0, 0, 41 * MS);
    stops(&c, 72 * MS, 0, 0, BLOCKED);
    works(&c, W + 10 * MS, 18, 1, 0);
    mark(&c, 2 * W);
    struct kept k = decide(&c, &p, NULL, false);
    DECIDES(&k, 0, 1, GUARD_WAIT, WHY_LOSSY);
    CHECK(row_in(&k, 0, 1)->unknown_ns >= 29 * MS);
    DECIDES(&k, W, 1, GUARD_BLOCK, WHY_OVER);
    trace_bytes_free(&c);
}

/* ---- guests that come and go ---- */

static void a_guest_that_is_made_anew_is_held_again(void)
{
    /* Held after 40 ms as domain 1; domain 3 has the same name, and appears in the third window. */
    static const char *const names[16] = {[1] = "web", [3] = "web"};
    struct guard_limit web = {.guest.name = "web", .every_driver = true, .limit = {5, 100}};
    struct guard_policy p = policy_of(&web, 1);
    struct trace_bytes c;
    charge_host_begin(&c);
    works(&c, 10 * MS, 40, 1, 0);
    on(&c, 1);
    rec_dom_rem(&c, W + 10 * MS, 1);
    rec_dom_add(&c, 2 * W + 10 * MS, 3);
    rec_runstate(&c, 2 * W + 20 * MS, 3, 0, BLOCKED, RUNNABLE);
    rec_runstate(&c, 2 * W + 20 * MS, 3, 0, RUNNABLE, BLOCKED);
    on(&c, 0);
    mark(&c, 4 * W);
    struct kept k = decide(&c, &p, names, false);
    DECIDES(&k, 0, 1, GUARD_BLOCK, WHY_OVER);
    DECIDES(&k, W, 1, GUARD_HOLD, WHY_EFFECT);
    DECIDES(&k, 2 * W, 3, GUARD_BLOCK, WHY_MADE_ANEW);
    SAME_TEXT(row_in(&k, 2 * W, 3)->action, "drop network");
    DECIDES(&k, 3 * W, 3, GUARD_HOLD, WHY_AVERAGE);
    EQUAL(k.blocks, 1);
    trace_bytes_free(&c);
}

static void limits_of_nobody_are_missing(void)
{
    struct guard_limit limits[] = {
        {.guest.domain = 1, .every_driver = true, .limit = {5, 100}},
        {.guest.domain = 2, .driver.domain = 7, .limit = {5, 100}},
    };
    struct guard_policy p = policy_of(limits, 2);
    struct trace_bytes c;
    charge_host_begin(&c);
    works(&c, 10 * MS, 18, 1, 0);
    mark(&c, W);
    struct kept k = decide(&c, &p, NULL, false);
    CHECK(k.missing == &limits[1].driver);
    limits[1].driver.domain = 0;
    k = decide(&c, &p, NULL, false);
    CHECK(k.missing == NULL);
    trace_bytes_free(&c);
}

static void another_policy_holds_from_the_next_window_on(void)
{
    /* 15 ms of domain 1 and 3 of domain 2. The new policy is about domain 2 alone, at 1 %. */
    struct guard_limit first = {.guest.domain = 1, .every_driver = true, .limit = {5, 100}};
    struct guard_limit second = {.guest.domain = 2, .every_driver = true, .limit = {1, 100}};
    struct guard_policy p = policy_of(&first, 1), next = policy_of(&second, 1), same = policy_of(&all, 1);
    struct trace_bytes c;
    charge_host_begin(&c);
    works(&c, 10 * MS, 18, 5, 1);
    works(&c, W + 10 * MS, 18, 5, 1);
    mark(&c, 3 * W);
    struct kept k = decide_anew(&c, &p, &next, NULL, false);
    DECIDES(&k, 0, 1, GUARD_BLOCK, WHY_OVER);
    EQUAL(row_in(&k, 0, 2)->domain, -1);
    DECIDES(&k, W, 1, GUARD_RELEASE, WHY_NO_LIMIT);
    SAME_TEXT(row_in(&k, W, 1)->action, "let network");
    DECIDES(&k, W, 2, GUARD_BLOCK, WHY_OVER);
    EQUAL(row_in(&k, 2 * W, 1)->domain, -1);
    CHECK(k.missing == NULL);
    k = decide_anew(&c, &p, &same, NULL, false);
    DECIDES(&k, W, 1, GUARD_HOLD, WHY_AVERAGE); /* is held still */
    trace_bytes_free(&c);
}

CU_TestInfo guard_tests[] = {
    TEST(an_offender_is_held_and_let_back),
    TEST(the_effect_of_one_is_awaited_before_the_next),
    TEST(an_effect_is_not_awaited_for_ever),
    TEST(each_driver_domain_is_watched_by_itself),
    TEST(exempt_guests_are_never_held),
    TEST(driver_domains_are_never_held),
    TEST(nobody_is_held_in_a_window_with_losses),
    TEST(a_guest_that_is_made_anew_is_held_again),
    TEST(limits_of_nobody_are_missing),
    TEST(another_policy_holds_from_the_next_window_on),
    CU_TEST_INFO_NULL,
};
