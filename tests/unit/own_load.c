/* A known load of a driver domain's own work, taken out of the charges. Expected values are worked out by hand. */
#include <string.h>

#include "charge_host.h"
#include "metrics/measure/dom0_trace.h"
#include "suites.h"

#define GIVEN(...)                                                                                           \
    .own = (const struct own_load[]){__VA_ARGS__},                                                           \
    .own_n = sizeof((const struct own_load[]){__VA_ARGS__}) / sizeof(struct own_load)
#define PERCENT 10000

/* Domain 0 runs with a page for domain 1 and three for domain 2. */
static void runs_for_both(struct trace_bytes *c, uint64_t from_ns, uint64_t to_ns)
{
    rec_runstate(c, from_ns, 0, 0, BLOCKED, RUNNABLE);
    starts(c, from_ns, 0, 0);
    rec_transfer(c, from_ns, 1);
    for (int i = 0; i < 3; i++)
        rec_transfer(c, from_ns, 2);
    stops(c, to_ns, 0, 0, BLOCKED);
}

/* The host of charge_host.h, where domain 0 has blocked again. */
static void begin(struct trace_bytes *c)
{
    charge_host_begin(c);
    rec_runstate(c, 5 * US, 0, 0, RUNNABLE, BLOCKED);
}

static bool near(uint64_t ns, uint64_t expected)
{
    return ns <= expected + 5 && ns + 5 >= expected; /* of the shares, each is rounded to a ns */
}

static void the_load_is_taken_from_all_guests_alike(void)
{
    struct trace_bytes c;
    begin(&c);
    runs_for_both(&c, 10 * MS, 50 * MS);
    mark(&c, 1000 * MS);
    /* 2 % of the second are 20 ms. The rest of the 40 ms is charged 1 : 3. */
    struct result r = charge_host_run(&c, (struct charge_options){GIVEN({0, 2 * PERCENT})});
    const struct charge_idd *d = find_idd(&r, 0, 0, 0);
    CHECK(near(d->own_ns, 20 * MS));
    CHECK(near(find_guest(d, 1)->charged_ns, 5 * MS));
    CHECK(near(find_guest(d, 2)->charged_ns, 15 * MS));
    EQUAL(d->charged_ns + d->own_ns, 40 * MS);
    EQUAL(d->own_given_ns, d->own_ns);
    EQUAL(r.charges.idds_own_given, 1);
    EQUAL(r.charges.idds_unseparated, 0);
    charge_host_end(&c, &r);
}

static void a_driver_domain_that_ran_less_did_all_for_itself(void)
{
    struct trace_bytes c;
    begin(&c);
    runs_for_both(&c, 10 * MS, 50 * MS);
    mark(&c, 1000 * MS);
    struct result r = charge_host_run(&c, (struct charge_options){GIVEN({0, 4 * PERCENT + 1})});
    EQUAL(find_idd(&r, 0, 0, 0)->own_ns, 40 * MS);
    EQUAL(find_idd(&r, 0, 0, 0)->charged_ns, 0);
    charge_host_end(&c, &r);
}

static void so_it_did_in_each_tenth_of_a_second(void)
{
    struct trace_bytes c;
    begin(&c);
    runs_for_both(&c, 110 * MS, 112 * MS);
    runs_for_both(&c, 210 * MS, 250 * MS);
    mark(&c, 1000 * MS);
    /* 2 % are 2 ms of each tenth, and in sum 20 ms: 2 ms of the one, 18 ms of the other. */
    struct charge_options options = {GIVEN({0, 2 * PERCENT})};
    options.wanted = true;
    struct result r =
        run(&c, (struct setup){.by = BY_DOMAIN, .granularities_ns = {100 * MS}, .charge = options});
    EQUAL(find_idd(&r, 100 * MS, 100 * MS, 0)->own_ns, 2 * MS);
    EQUAL(find_idd(&r, 100 * MS, 100 * MS, 0)->charged_ns, 0);
    CHECK(near(find_idd(&r, 100 * MS, 200 * MS, 0)->own_ns, 18 * MS));
    charge_host_end(&c, &r);
}

static void what_surely_is_own_counts_first(void)
{
    struct trace_bytes c;
    begin(&c);
    rec_runstate(&c, 100 * MS, 0, 0, BLOCKED, RUNNABLE);
    starts(&c, 100 * MS, 0, 0);
    stops(&c, 115 * MS, 0, 0, BLOCKED);
    runs_for_both(&c, 210 * MS, 250 * MS);
    mark(&c, 1000 * MS);
    /* Of 20 ms 15 ms are there. */
    struct result r = charge_host_run(&c, (struct charge_options){GIVEN({0, 2 * PERCENT})});
    const struct charge_idd *d = find_idd(&r, 0, 0, 0);
    CHECK(near(d->own_ns, 20 * MS));
    CHECK(near(d->own_given_ns, 5 * MS));
    CHECK(near(d->charged_ns, 35 * MS));
    charge_host_end(&c, &r);
}

static void each_second_has_a_load_of_its_own(void)
{
    struct trace_bytes c;
    begin(&c);
    runs_for_both(&c, 1100 * MS, 1140 * MS);
    runs_for_both(&c, 2910 * MS, 2915 * MS);
    mark_seconds(&c, 2, 3 * S);
    struct charge_options options = {GIVEN({0, 1 * PERCENT})};
    options.wanted = true;
    struct result r =
        run(&c, (struct setup){.by = BY_DOMAIN, .granularities_ns = {1 * S}, .charge = options});
    CHECK(near(find_idd(&r, S, 1 * S, 0)->own_ns, 10 * MS));
    EQUAL(find_idd(&r, S, 2 * S, 0)->own_ns, 5 * MS);
    charge_host_end(&c, &r);
}

static void unattributed_time_gives_its_part(void)
{
    struct trace_bytes c;
    begin(&c);
    rec_runstate(&c, 10 * MS, 0, 0, BLOCKED, RUNNABLE);
    starts(&c, 10 * MS, 0, 0);
    rec_transfer(&c, 10 * MS, 1);
    rec_copy(&c, 11 * MS, 1); /* nobody had copies before */
    stops(&c, 50 * MS, 0, 0, BLOCKED);
    mark(&c, 1000 * MS);
    struct result r = charge_host_run(&c, (struct charge_options){GIVEN({0, 2 * PERCENT})});
    const struct charge_idd *d = find_idd(&r, 0, 0, 0);
    CHECK(near(d->own_ns, 20 * MS));
    CHECK(near(d->unattributed_ns, d->charged_ns));
    charge_host_end(&c, &r);
}

static void longer_intervals_are_taken_as_a_whole(void)
{
    struct trace_bytes c;
    begin(&c);
    runs_for_both(&c, 100 * MS, 140 * MS);
    runs_for_both(&c, 1100 * MS, 1160 * MS);
    mark_seconds(&c, 2, 2 * S);
    /* 2 % of 2 s are 40 of the 100 ms. */
    struct charge_options options = {GIVEN({0, 2 * PERCENT}), .interval_ns = 2 * S};
    struct result r = charge_host_run(&c, options);
    CHECK(near(find_idd(&r, 0, 0, 0)->own_ns, 40 * MS));
    CHECK(near(find_idd(&r, 10 * MS, 100 * MS, 0)->own_ns, 4 * MS));
    charge_host_end(&c, &r);
}

static void each_driver_domain_has_its_own(void)
{
    static uint8_t idds[65536];
    struct trace_bytes c;
    idds[0] = idds[2] = 1;
    begin(&c);
    rec_runstate(&c, 10 * MS, 0, 0, BLOCKED, RUNNABLE);
    starts(&c, 10 * MS, 0, 0);
    rec_transfer(&c, 10 * MS, 1);
    stops(&c, 50 * MS, 0, 0, BLOCKED);
    rec_runstate(&c, 60 * MS, 2, 0, BLOCKED, RUNNABLE);
    starts(&c, 60 * MS, 2, 0);
    rec_transfer(&c, 60 * MS, 1);
    stops(&c, 100 * MS, 2, 0, BLOCKED);
    mark(&c, 1000 * MS);
    struct charge_options options = {.idds = idds, GIVEN({1, 50 * PERCENT}, {2, 3 * PERCENT})};
    struct result r = charge_host_run(&c, options);
    EQUAL(find_idd(&r, 0, 0, 0)->own_ns, 0);
    CHECK(near(find_idd(&r, 0, 0, 2)->own_ns, 30 * MS));
    EQUAL(r.charges.idds_own_given, 1);
    EQUAL(r.charges.idds_unseparated, 1);
    charge_host_end(&c, &r);
}

static void no_load_is_taken_for_unknown_time(void)
{
    struct trace_bytes c;
    begin(&c);
    rec_runstate(&c, 500 * MS, 0, 0, BLOCKED, RUNNABLE);
    starts(&c, 500 * MS, 0, 0);
    rec_lost(&c, 900 * MS, 10, 0, 0, 500 * MS + 1 * US);
    starts(&c, 910 * MS, 0, 0);
    rec_transfer(&c, 920 * MS, 1);
    stops(&c, 950 * MS, 0, 0, BLOCKED);
    mark(&c, 1000 * MS);
    struct result r = charge_host_run(&c, (struct charge_options){GIVEN({0, 2 * PERCENT})});
    const struct measures *m = ROW(&r, .domain = 0);
    uint64_t unknown_ns = (uint64_t)m->state_ns[RUNSTATE_UNKNOWN];
    CHECK(unknown_ns >= 300 * MS);
    CHECK(near(find_idd(&r, 0, 0, 0)->own_ns, (1000 * MS - unknown_ns) / 50));
    charge_host_end(&c, &r);
}

static void a_load_of_work_that_tasks_tell_is_refused(void)
{
    struct trace_bytes c;
    begin(&c);
    rec_runstate(&c, 10 * MS, 0, 0, BLOCKED, RUNNABLE);
    starts(&c, 10 * MS, 0, 0);
    rec_hypercall(&c, 11 * MS, 3);
    stops(&c, 20 * MS, 0, 0, BLOCKED);
    mark(&c, 1000 * MS);
    struct result r = charge_host_run(&c, (struct charge_options){GIVEN({0, 2 * PERCENT})});
    EQUAL(r.status, -1);
    EQUAL(r.err.code, ERROR_USAGE);
    CHECK(strstr(r.err.message, "what domain 0 did for itself, by its tasks") != NULL);
    result_free(&r);
    r = charge_host_run(&c, (struct charge_options){GIVEN({0, 0}, {3, 2 * PERCENT})});
    EQUAL(r.status, 0);
    charge_host_end(&c, &r);
}

static void so_is_one_of_work_that_its_kernel_recorded(void)
{
    const struct dom0_trace measured = {.domain = 0};
    struct trace_bytes c;
    begin(&c);
    mark(&c, 1000 * MS);
    struct charge_options options = {GIVEN({0, 2 * PERCENT}), .dom0_trace = &measured};
    struct result r = charge_host_run(&c, options);
    EQUAL(r.status, -1);
    CHECK(strstr(r.err.message, "--dom0-trace") != NULL);
    charge_host_end(&c, &r);
}

CU_TestInfo own_load_tests[] = {
    TEST(the_load_is_taken_from_all_guests_alike),    TEST(a_driver_domain_that_ran_less_did_all_for_itself),
    TEST(so_it_did_in_each_tenth_of_a_second),        TEST(what_surely_is_own_counts_first),
    TEST(each_second_has_a_load_of_its_own),          TEST(unattributed_time_gives_its_part),
    TEST(longer_intervals_are_taken_as_a_whole),      TEST(each_driver_domain_has_its_own),
    TEST(no_load_is_taken_for_unknown_time),          TEST(a_load_of_work_that_tasks_tell_is_refused),
    TEST(so_is_one_of_work_that_its_kernel_recorded), CU_TEST_INFO_NULL,
};
