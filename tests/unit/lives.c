/* Domain ids are reused: each life is accounted apart. */
#include "run_program.h"
#include "suites.h"

static void a_reused_domain_id_is_another_life(void)
{
    struct trace_bytes c;
    trace_bytes_init(&c);
    on(&c, 0);
    mark(&c, 0);
    starts(&c, 100 * MS, 7, 0);
    stops(&c, 300 * MS, 7, 0, OFFLINE);
    rec_dom_rem(&c, 400 * MS, 7);
    rec_dom_add(&c, 600 * MS, 7);
    rec_runstate(&c, 700 * MS, 7, 0, OFFLINE, RUNNABLE);
    starts(&c, 800 * MS, 7, 0);
    mark(&c, 1000 * MS);
    struct result r = run(&c, (struct setup){.by = BY_VCPU, .granularities_ns = {500 * MS}});
    STATES(ROW(&r, .domain = 7), 200 * MS, 100 * MS, 0, 100 * MS, 0);            /* 0 to 400 */
    STATES(ROW(&r, .domain = 7, .life = 2), 200 * MS, 100 * MS, 0, 100 * MS, 0); /* 600 to 1000 */
    EQUAL(ROW(&r, .domain = 7, .life = 2)->executions, 1);
    EQUAL(ROW(&r, .domain = 7, .life = 2)->migrations, 0);
    /* no row where it does not exist */
    CHECK(HAS_ROW(&r, .every = 500 * MS, .at = 0, .domain = 7, .life = 1));
    CHECK(!HAS_ROW(&r, .every = 500 * MS, .at = 500 * MS, .domain = 7, .life = 1));
    CHECK(!HAS_ROW(&r, .every = 500 * MS, .at = 0, .domain = 7, .life = 2));
    EQUAL(r.domains, 2);
    EQUAL(r.quality.inconsistent, 0);
    result_free(&r);
    r = run(&c, (struct setup){.by = BY_DOMAIN});
    EQUAL(ROW(&r, .domain = 7)->domain_ns[DOMAIN_FULL_RUN], 200 * MS);
    EQUAL(ROW(&r, .domain = 7)->domain_ns[DOMAIN_BLOCKED], 100 * MS);
    EQUAL(ROW(&r, .domain = 7, .life = 2)->domain_ns[DOMAIN_FULL_CONTENTION], 100 * MS);
    result_free(&r);
    r = run(&c, (struct setup){.by = BY_DOMAIN_PCPU});
    EQUAL(ROW(&r, .domain = 7, .pcpu = 0)->state_ns[RUNSTATE_RUNNING], 200 * MS);
    EQUAL(ROW(&r, .domain = 7, .pcpu = 0, .life = 2)->state_ns[RUNSTATE_RUNNING], 200 * MS);
    result_free(&r);
    trace_bytes_free(&c);
}

static void a_vcpu_record_shortly_before_its_dom_add_is_the_same_life(void)
{
    struct trace_bytes c;
    trace_bytes_init(&c);
    on(&c, 0);
    mark(&c, 0);
    rec_runstate(&c, 2000 * MS, 3, 0, OFFLINE, RUNNABLE);
    rec_dom_add(&c, 2005 * MS, 3);
    starts(&c, 2010 * MS, 3, 0);
    rec_dom_rem(&c, 3000 * MS, 3);
    rec_runstate(&c, 4000 * MS, 3, 0, OFFLINE, RUNNABLE); /* the second time the same */
    rec_dom_add(&c, 4005 * MS, 3);
    mark(&c, 4100 * MS);
    struct result r = run(&c, (struct setup){.by = BY_VCPU});
    EQUAL(ROW(&r, .domain = 3)->state_ns[RUNSTATE_RUNNING], 990 * MS);
    EQUAL(ROW(&r, .domain = 3)->state_ns[RUNSTATE_RUNNABLE], 10 * MS);
    STATES(ROW(&r, .domain = 3, .life = 2), 0, 100 * MS, 0, 0, 0);
    EQUAL(r.domains, 2);
    result_free(&r);
    trace_bytes_free(&c);
}

static void a_dom_add_without_its_dom_rem_ends_the_life_before(void)
{
    struct trace_bytes c;
    trace_bytes_init(&c);
    on(&c, 0);
    mark(&c, 0);
    rec_runstate(&c, 100 * MS, 3, 0, RUNNABLE, BLOCKED);
    rec_dom_add(&c, 5000 * MS, 3);
    rec_runstate(&c, 5100 * MS, 3, 0, OFFLINE, RUNNABLE);
    mark(&c, 5200 * MS);
    mark_seconds(&c, 1, 5 * S);
    struct result r = run(&c, (struct setup){.by = BY_VCPU});
    STATES(ROW(&r, .domain = 3), 0, 100 * MS, 4900 * MS, 0, 0);
    STATES(ROW(&r, .domain = 3, .life = 2), 0, 100 * MS, 0, 100 * MS, 0);
    EQUAL(r.quality.inconsistent, 0);
    result_free(&r);
    trace_bytes_free(&c);
}

/* Xen 4.6 and older: DOM_ADD and DOM_REM once for each vCPU. */
static void one_dom_add_per_vcpu_is_one_life(void)
{
    struct trace_bytes c;
    trace_bytes_init(&c);
    on(&c, 0);
    mark(&c, 0);
    for (unsigned life = 0; life < 2; life++) {
        uint64_t t = life * 4 * S + 100 * MS;
        rec_dom_add_old(&c, t, 5, 0);
        rec_runstate(&c, t + 50 * MS, 5, 0, OFFLINE, BLOCKED);
        rec_dom_add_old(&c, t + 1500 * MS, 5, 1); /* a while later, but another vCPU */
        rec_runstate(&c, t + 1600 * MS, 5, 1, OFFLINE, BLOCKED);
        rec_dom_rem_old(&c, t + 2000 * MS, 5, 0);
        rec_dom_rem_old(&c, t + 2000 * MS + 10 * US, 5, 1);
    }
    mark(&c, 8 * S);
    struct result r = run(&c, (struct setup){.by = BY_VCPU});
    EQUAL(r.rows_n, 4);
    EQUAL(r.domains, 2);
    for (unsigned life = 1; life <= 2; life++) {
        EQUAL(ROW(&r, .domain = 5, .vcpu = 0, .life = life)->state_ns[RUNSTATE_BLOCKED], 1950 * MS);
        EQUAL(ROW(&r, .domain = 5, .vcpu = 1, .life = life)->state_ns[RUNSTATE_BLOCKED], 400 * MS);
    }
    result_free(&r);
    trace_bytes_free(&c);
}

static void a_domain_destroyed_while_it_runs_leaves_its_pcpu(void)
{
    struct trace_bytes c;
    trace_bytes_init(&c);
    on(&c, 0);
    mark(&c, 0);
    starts(&c, 10 * MS, 7, 0);
    rec_dom_rem(&c, 30 * MS, 7);
    mark(&c, 40 * MS);
    struct result r = run(&c, (struct setup){.by = BY_PCPU});
    EQUAL(ROW(&r, .pcpu = 0)->state_ns[RUNSTATE_RUNNING], 20 * MS);
    EQUAL(ROW(&r, .pcpu = 0)->pcpu_unknown_ns, 10 * MS);
    result_free(&r);
    trace_bytes_free(&c);
}

CU_TestInfo lives_tests[] = {
    TEST(a_reused_domain_id_is_another_life),
    TEST(a_vcpu_record_shortly_before_its_dom_add_is_the_same_life),
    TEST(a_dom_add_without_its_dom_rem_ends_the_life_before),
    TEST(one_dom_add_per_vcpu_is_one_life),
    TEST(a_domain_destroyed_while_it_runs_leaves_its_pcpu),
    CU_TEST_INFO_NULL,
};
