/*
 * The ledger of debts, from the bytes of a trace. Domain 0 is the driver domain, domains 1 and 2 are its guests (charge_host.h);
 * expected values are worked out by hand.
 */
#include "metrics/control/debt.h"

#include <stdlib.h>
#include <string.h>

#include "charge_host.h"
#include "random.h"
#include "suites.h"

#define F (100 * MS) /* the feedback interval */
#define RULE(R)                                                                                              \
    {                                                                                                        \
        .reservation = R, .floor = {0, 100}, .spread = 1                                                     \
    }

static const struct cpu_share tenth = {10, 100};

/* ---- the ledger beside the rows of a report ---- */

struct kept {
    struct debt_row rows[64];
    struct interval of[64]; /* of each row */
    size_t n;
};

static int keep(void *context, const struct interval *interval, const struct debt_row *rows, size_t n)
{
    struct kept *k = context;
    for (size_t i = 0; i < n && k->n < 64; i++) {
        k->of[k->n] = *interval;
        k->rows[k->n++] = rows[i];
    }
    return 0;
}

/* What the names of a test are: by the id of the domain; NULL: not known. */
static const char *name_of(const void *names, int32_t domain, uint32_t life)
{
    const char *const *list = names;
    (void)life;
    return domain < 16 ? list[domain] : NULL;
}

struct ledger_setup {
    struct debt_policy policy;
    const char *const *names; /* 16; NULL: none */
    uint64_t from_ns;
    bool bytewise;
};

/* Runs the trace through the whole road; the policy must be resolved. */
static struct kept ledger_of(struct trace_bytes *c, struct ledger_setup s)
{
    static struct kept kept;
    kept = (struct kept){.n = 0};
    struct debt *debt = debt_new(&(struct debt_options){.policy = &s.policy,
                                                        .name_of = s.names ? name_of : NULL,
                                                        .names = s.names,
                                                        .context = &kept,
                                                        .rows = keep});
    struct meter_options meter = {.from_ns = s.from_ns};
    for (int kind = 0; kind < IO_KINDS; kind++)
        meter.charge.weights[kind] = 1;
    debt_wants(debt, &meter);
    const struct consumer consumer = {.rows = &meter};
    struct result r =
        run(c, (struct setup){.bytewise = s.bytewise, .beside = &consumer, .charge = {.wanted = true}});
    EQUAL(r.status, 0);
    result_free(&r);
    debt_free(debt);
    return kept;
}

/* The row of a domain in the interval that begins at `at`; all 0 if it is not there. */
static const struct debt_row *row_in(const struct kept *k, uint64_t at, int domain)
{
    static const struct debt_row nothing = {.domain = -1};
    for (size_t i = 0; i < k->n; i++)
        if (k->of[i].start_ns == at && k->rows[i].domain == domain)
            return &k->rows[i];
    return &nothing;
}

/* charged, repaid, closing, allowance of a row. */
#define LEDGER(k, at, domain, charged, repaid, closing, allowance)                                           \
    check_ledger(row_in(k, at, domain), (const uint64_t[]){charged, repaid, closing, allowance}, __LINE__)

static void check_ledger(const struct debt_row *row, const uint64_t expected[4], unsigned line)
{
    check_equal((int64_t)row->charged_ns, (int64_t)expected[0], "charged_ns", __FILE__, line);
    check_equal((int64_t)row->repaid_ns, (int64_t)expected[1], "repaid_ns", __FILE__, line);
    check_equal((int64_t)row->closing_debt_ns, (int64_t)expected[2], "closing_debt_ns", __FILE__, line);
    check_equal((int64_t)row->allowance_ns, (int64_t)expected[3], "allowance_ns", __FILE__, line);
    check_equal((int64_t)(row->opening_debt_ns + row->charged_ns),
                (int64_t)(row->repaid_ns + row->closing_debt_ns), "opening + charged = repaid + closing",
                __FILE__, line);
}

/* Rules for domains 1 and 2. */
static struct debt_reserve two[2];
static struct debt_policy policy_for_two(struct debt_rule rule)
{
    two[0] = (struct debt_reserve){.who.domain = 1, .rule = rule};
    two[1] = (struct debt_reserve){.who.domain = 2, .rule = rule};
    return (struct debt_policy){.feedback_ns = F, .reserves = two, .n = 2};
}

/* The driver domain works from `at` for `ms` ms: pages of domains 1 and 2. */
static void works(struct trace_bytes *c, uint64_t at, unsigned ms, int pages1, int pages2)
{
    if (at > 10 * MS)
        rec_runstate(c, at, 0, 0, BLOCKED, RUNNABLE);
    starts(c, at, 0, 0);
    for (int i = 0; i < pages1; i++)
        rec_transfer(c, at + MS / 2, 1);
    for (int i = 0; i < pages2; i++)
        rec_transfer(c, at + MS / 2, 2);
    stops(c, at + ms * MS, 0, 0, BLOCKED);
}

/* ---- the rules ---- */

static void the_papers_example_comes_out(void)
{
    /* Middleware 2006: 10 ms and 10 ms are left, Dom-0 ran 6 ms, for 1 : 2 of the packets: 8 ms and 6 ms are left. */
    struct trace_bytes c;
    charge_host_begin(&c);
    works(&c, 10 * MS, 6, 1, 2);
    mark(&c, F);
    struct ledger_setup s = {.policy = policy_for_two((struct debt_rule)RULE(tenth))};
    for (int way = 0; way < 2; way++) {
        s.bytewise = way;
        struct kept k = ledger_of(&c, s);
        EQUAL(k.n, 2);
        LEDGER(&k, 0, 1, 2 * MS, 2 * MS, 0, 8 * MS);
        LEDGER(&k, 0, 2, 4 * MS, 4 * MS, 0, 6 * MS);
        EQUAL(row_in(&k, 0, 1)->reservation_ns, 10 * MS);
        CHECK(strcmp(row_in(&k, 0, 1)->action, "lower to 8.000%") == 0);
        CHECK(strcmp(row_in(&k, 0, 2)->action, "lower to 6.000%") == 0);
    }
    trace_bytes_free(&c);
}

static void the_charge_of_an_interval_is_taken_from_the_next_one_only(void)
{
    struct trace_bytes c;
    charge_host_begin(&c);
    works(&c, 10 * MS, 6, 1, 2);
    mark(&c, 2 * F);
    struct kept k =
        ledger_of(&c, (struct ledger_setup){.policy = policy_for_two((struct debt_rule)RULE(tenth))});
    LEDGER(&k, F, 1, 0, 0, 0, 10 * MS);
    LEDGER(&k, F, 2, 0, 0, 0, 10 * MS);
    CHECK(strcmp(row_in(&k, F, 2)->action, "raise to 10.000%") == 0);
    trace_bytes_free(&c);
}

static void a_charge_is_spread_over_periods(void)
{
    /* 4 ms in 3 parts: 1,333,334 and twice 1,333,333 ns. */
    struct trace_bytes c;
    charge_host_begin(&c);
    works(&c, 10 * MS, 6, 1, 2);
    mark(&c, 4 * F);
    struct kept k = ledger_of(
        &c, (struct ledger_setup){.policy = policy_for_two((struct debt_rule){tenth, {0, 100}, 3})});
    LEDGER(&k, 0, 2, 4 * MS, 1333334, 2666666, 8666666);
    LEDGER(&k, F, 2, 0, 1333333, 1333333, 8666667);
    LEDGER(&k, 2 * F, 2, 0, 1333333, 0, 8666667);
    LEDGER(&k, 3 * F, 2, 0, 0, 0, 10 * MS);
    CHECK(strcmp(row_in(&k, 2 * F, 2)->action, "keep") == 0);
    trace_bytes_free(&c);
}

static void no_repayment_goes_below_the_floor(void)
{
    /* A reservation of 5 ms with a floor of 60 %: at most 2 ms are repaid at a time. */
    struct trace_bytes c;
    charge_host_begin(&c);
    works(&c, 10 * MS, 6, 1, 2);
    mark(&c, 3 * F);
    struct kept k = ledger_of(
        &c, (struct ledger_setup){.policy = policy_for_two((struct debt_rule){{5, 100}, {60, 100}, 1})});
    LEDGER(&k, 0, 2, 4 * MS, 2 * MS, 2 * MS, 3 * MS);
    EQUAL(row_in(&k, 0, 2)->overdue_ns, 2 * MS);
    LEDGER(&k, F, 2, 0, 2 * MS, 0, 3 * MS);
    EQUAL(row_in(&k, F, 2)->opening_debt_ns, 2 * MS);
    EQUAL(row_in(&k, F, 2)->overdue_ns, 0);
    LEDGER(&k, 2 * F, 2, 0, 0, 0, 5 * MS);
    trace_bytes_free(&c);
}

static void a_slice_of_each_period_is_a_reservation(void)
{
    /* 3 ms of each 20 ms: 15 ms of each 100 ms. */
    struct trace_bytes c;
    charge_host_begin(&c);
    works(&c, 10 * MS, 6, 1, 2);
    mark(&c, F);
    struct kept k = ledger_of(&c, (struct ledger_setup){.policy = policy_for_two((struct debt_rule)RULE(
                                                            ((struct cpu_share){3 * MS, 20 * MS})))});
    LEDGER(&k, 0, 1, 2 * MS, 2 * MS, 0, 13 * MS);
    trace_bytes_free(&c);
}

static void use_is_what_a_domain_ran_and_what_was_run_for_it(void)
{
    struct trace_bytes c;
    charge_host_begin(&c);
    works(&c, 10 * MS, 6, 1, 2);
    rec_runstate(&c, 20 * MS, 1, 0, BLOCKED, RUNNABLE);
    starts(&c, 20 * MS, 1, 0);
    stops(&c, 29 * MS, 1, 0, BLOCKED);
    mark(&c, F);
    struct kept k =
        ledger_of(&c, (struct ledger_setup){.policy = policy_for_two((struct debt_rule)RULE(tenth))});
    EQUAL(row_in(&k, 0, 1)->running_ns, 9 * MS);
    EQUAL(row_in(&k, 0, 1)->aggregate_ns, 11 * MS);
    EQUAL(row_in(&k, 0, 1)->over_ns, 1 * MS);
    EQUAL(row_in(&k, 0, 2)->aggregate_ns, 4 * MS);
    EQUAL(row_in(&k, 0, 2)->over_ns, -6 * (int64_t)MS);
    trace_bytes_free(&c);
}

static void what_a_driver_domain_ran_for_others_is_not_its_use(void)
{
    /* 6 ms for guests, then 3 ms of its own. */
    struct debt_reserve zero = {.who.domain = 0, .rule = RULE(tenth)};
    struct trace_bytes c;
    charge_host_begin(&c);
    works(&c, 10 * MS, 6, 1, 2);
    works(&c, 30 * MS, 3, 0, 0);
    mark(&c, F);
    struct kept k =
        ledger_of(&c, (struct ledger_setup){.policy = {.feedback_ns = F, .reserves = &zero, .n = 1}});
    LEDGER(&k, 0, 0, 0, 0, 0, 10 * MS);
    EQUAL(row_in(&k, 0, 0)->running_ns, 9 * MS);
    EQUAL(row_in(&k, 0, 0)->for_others_ns, 6 * MS);
    EQUAL(row_in(&k, 0, 0)->aggregate_ns, 3 * MS);
    EQUAL(row_in(&k, 0, 0)->over_ns, -7 * (int64_t)MS);
    trace_bytes_free(&c);
}

static void the_rule_for_others_is_for_guests(void)
{
    struct debt_policy p = policy_for_two((struct debt_rule)RULE(tenth));
    p.n = 1; /* domain 1 */
    p.for_others = true;
    p.others = (struct debt_rule)RULE(((struct cpu_share){20, 100}));
    struct trace_bytes c;
    charge_host_begin(&c);
    works(&c, 10 * MS, 6, 1, 2);
    mark(&c, F);
    struct kept k = ledger_of(&c, (struct ledger_setup){.policy = p});
    EQUAL(k.n, 2); /* not domain 0 */
    LEDGER(&k, 0, 1, 2 * MS, 2 * MS, 0, 8 * MS);
    LEDGER(&k, 0, 2, 4 * MS, 4 * MS, 0, 16 * MS);
    trace_bytes_free(&c);
}

/* ---- intervals that are not whole ---- */

static void an_interval_that_the_trace_cuts_is_not_settled(void)
{
    struct trace_bytes c;
    charge_host_begin(&c);
    works(&c, 10 * MS, 6, 1, 2);
    works(&c, F + 10 * MS, 3, 1, 0);
    mark(&c, F + 50 * MS);
    struct kept k =
        ledger_of(&c, (struct ledger_setup){.policy = policy_for_two((struct debt_rule)RULE(tenth))});
    LEDGER(&k, 0, 1, 2 * MS, 2 * MS, 0, 8 * MS);
    LEDGER(&k, F, 1, 3 * MS, 0, 3 * MS, NS_UNKNOWN);
    EQUAL(row_in(&k, F, 1)->reservation_ns, 5 * MS);
    CHECK(!row_in(&k, F, 1)->settled);
    CHECK(strcmp(row_in(&k, F, 1)->action, "unsettled") == 0);
    trace_bytes_free(&c);
}

static void what_is_charged_in_a_part_of_an_interval_is_settled_with_the_next(void)
{
    /* From 30 ms on: 70 ms of an interval, in which 3 ms are charged; then a whole one, with 2 ms. */
    struct trace_bytes c;
    charge_host_begin(&c);
    works(&c, 10 * MS, 6, 1, 2);
    works(&c, 40 * MS, 3, 1, 0);
    works(&c, F + 10 * MS, 2, 1, 0);
    mark(&c, 2 * F);
    struct kept k =
        ledger_of(&c, (struct ledger_setup){.policy = policy_for_two((struct debt_rule)RULE(tenth)),
                                            .from_ns = 30 * MS});
    LEDGER(&k, 30 * MS, 1, 3 * MS, 0, 3 * MS, NS_UNKNOWN);
    LEDGER(&k, F, 1, 2 * MS, 5 * MS, 0, 5 * MS);
    trace_bytes_free(&c);
}

/* ---- what is not known ---- */

static void unattributed_time_is_nobodys_debt(void)
{
    /* Records are lost while domain 0 runs: for whom it worked is not known. */
    struct trace_bytes c;
    charge_host_begin(&c);
    starts(&c, 10 * MS, 0, 0);
    rec_lost(&c, 15 * MS, 100, 0, 0, 11 * MS);
    stops(&c, 16 * MS, 0, 0, BLOCKED);
    works(&c, 50 * MS, 3, 1, 0);
    mark(&c, F);
    struct kept k =
        ledger_of(&c, (struct ledger_setup){.policy = policy_for_two((struct debt_rule)RULE(tenth))});
    LEDGER(&k, 0, 1, 3 * MS, 3 * MS, 0, 7 * MS);
    LEDGER(&k, 0, 2, 0, 0, 0, 10 * MS);
    CHECK(row_in(&k, 0, 1)->unattributed_ns > 0);
    EQUAL(row_in(&k, 0, 1)->unattributed_ns, row_in(&k, 0, 2)->unattributed_ns);
    EQUAL(row_in(&k, 0, 1)->certain_ns, 3 * MS);
    trace_bytes_free(&c);
}

/* ---- domains that come and go ---- */

/*
 * Domain 1 is charged 4 ms, ends in the second interval, and is made anew in the fourth: again with id 1, or as domain 3.
 */
static void made_anew(struct trace_bytes *c, uint32_t as)
{
    charge_host_begin(c);
    works(c, 10 * MS, 4, 1, 0);
    on(c, 1);
    rec_dom_rem(c, F + 10 * MS, 1);
    rec_dom_add(c, 3 * F + 10 * MS, as);
    rec_runstate(c, 3 * F + 20 * MS, as, 0, BLOCKED, RUNNABLE);
    rec_runstate(c, 3 * F + 20 * MS, as, 0, RUNNABLE, BLOCKED);
    on(c, 0);
    for (int i = 1; i <= 5; i++)
        mark(c, (uint64_t)i * F);
}

static const struct debt_rule slow = {{4, 100}, {75, 100}, 1}; /* 1 ms at a time */

static void a_debt_ends_with_the_life_of_an_id_without_a_name(void)
{
    struct trace_bytes c;
    made_anew(&c, 1);
    struct kept k = ledger_of(&c, (struct ledger_setup){.policy = policy_for_two(slow)});
    LEDGER(&k, 0, 1, 4 * MS, 1 * MS, 3 * MS, 3 * MS);
    LEDGER(&k, F, 1, 0, 1 * MS, 2 * MS, 3 * MS);
    EQUAL(row_in(&k, 2 * F, 1)->domain, -1); /* it is gone */
    EQUAL(row_in(&k, 3 * F, 1)->life, 2);
    LEDGER(&k, 3 * F, 1, 0, 0, 0, 4 * MS);
    CHECK(strcmp(row_in(&k, 3 * F, 1)->action, "keep") == 0); /* nothing was set for it yet */
    trace_bytes_free(&c);
}

static void a_domain_of_the_same_name_has_the_debt_of_the_one_before(void)
{
    static const char *const names[16] = {[1] = "web", [3] = "web"};
    struct debt_reserve web = {.who.name = "web", .rule = slow};
    struct trace_bytes c;
    made_anew(&c, 3);
    struct kept k = ledger_of(
        &c, (struct ledger_setup){.policy = {.feedback_ns = F, .reserves = &web, .n = 1}, .names = names});
    LEDGER(&k, 0, 1, 4 * MS, 1 * MS, 3 * MS, 3 * MS);
    LEDGER(&k, F, 1, 0, 1 * MS, 2 * MS, 3 * MS);
    EQUAL(row_in(&k, 2 * F, 1)->domain, -1);
    LEDGER(&k, 3 * F, 3, 0, 1 * MS, 1 * MS, 3 * MS);
    EQUAL(row_in(&k, 3 * F, 3)->opening_debt_ns, 2 * MS);
    CHECK(strcmp(row_in(&k, 3 * F, 3)->action, "lower to 3.000%") == 0); /* it began with 4 % */
    trace_bytes_free(&c);
}

static void domains_of_one_name_at_once_share_one_account(void)
{
    static const char *const names[16] = {[1] = "web", [2] = "web"};
    struct debt_reserve web = {.who.name = "web", .rule = RULE(tenth)};
    struct trace_bytes c;
    charge_host_begin(&c);
    works(&c, 10 * MS, 6, 1, 2);
    mark(&c, F);
    struct kept k = ledger_of(
        &c, (struct ledger_setup){.policy = {.feedback_ns = F, .reserves = &web, .n = 1}, .names = names});
    EQUAL(k.n, 1);
    LEDGER(&k, 0, 2, 6 * MS, 6 * MS, 0, 4 * MS);
    trace_bytes_free(&c);
}

/* ---- invariants ---- */

static void every_ledger_adds_up(void)
{
    uint64_t random = 7;
    for (int round = 0; round < 40; round++) {
        struct trace_bytes c;
        struct kept k;
        charge_host_begin(&c);
        uint64_t at = 10 * MS, charged[3] = {0};
        for (int i = 0; i < 12; i++, at += (20 + random_below(&random, 60)) * MS)
            works(&c, at, 1 + (unsigned)random_below(&random, 15), (int)random_below(&random, 3),
                  (int)random_below(&random, 3));
        mark(&c, at + 50 * MS);
        const struct debt_rule rule = {{1 + random_below(&random, 9), 100},
                                       {random_below(&random, 99), 100},
                                       1 + (uint32_t)random_below(&random, 5)};
        k = ledger_of(&c, (struct ledger_setup){.policy = policy_for_two(rule)});
        struct result r = run(&c, (struct setup){.granularities_ns = {F}, .charge = {.wanted = true}});
        uint64_t debt[3] = {0};
        for (size_t i = 0; i < k.n; i++) {
            const struct debt_row *row = &k.rows[i];
            const struct charge_idd *idd = find_idd(&r, F, k.of[i].start_ns, 0);
            EQUAL(row->charged_ns, find_guest(idd, row->domain)->charged_ns);
            EQUAL(row->measured_ns + row->certain_ns + row->inferred_ns, row->charged_ns);
            EQUAL(row->opening_debt_ns, debt[row->domain]);
            EQUAL(row->opening_debt_ns + row->charged_ns - row->repaid_ns, row->closing_debt_ns);
            CHECK(row->overdue_ns <= row->closing_debt_ns);
            EQUAL(row->floor_ns, cpu_share_ns(rule.floor, row->reservation_ns));
            CHECK(!row->settled || row->allowance_ns >= row->floor_ns);
            CHECK(!row->settled || row->allowance_ns == row->reservation_ns - row->repaid_ns);
            debt[row->domain] = row->closing_debt_ns;
            charged[row->domain] += row->charged_ns;
        }
        for (int domain = 1; domain <= 2; domain++)
            EQUAL(charged[domain], find_guest(find_idd(&r, 0, 0, 0), domain)->charged_ns);
        result_free(&r);
        trace_bytes_free(&c);
    }
}

CU_TestInfo debt_tests[] = {TEST(the_papers_example_comes_out),
                            TEST(the_charge_of_an_interval_is_taken_from_the_next_one_only),
                            TEST(a_charge_is_spread_over_periods),
                            TEST(no_repayment_goes_below_the_floor),
                            TEST(a_slice_of_each_period_is_a_reservation),
                            TEST(use_is_what_a_domain_ran_and_what_was_run_for_it),
                            TEST(what_a_driver_domain_ran_for_others_is_not_its_use),
                            TEST(the_rule_for_others_is_for_guests),
                            TEST(an_interval_that_the_trace_cuts_is_not_settled),
                            TEST(what_is_charged_in_a_part_of_an_interval_is_settled_with_the_next),
                            TEST(unattributed_time_is_nobodys_debt),
                            TEST(a_debt_ends_with_the_life_of_an_id_without_a_name),
                            TEST(a_domain_of_the_same_name_has_the_debt_of_the_one_before),
                            TEST(domains_of_one_name_at_once_share_one_account),
                            TEST(every_ledger_adds_up),
                            CU_TEST_INFO_NULL};
