/* A driver domain's time, cut by what its own kernel recorded. Domain 0 is the driver domain; 1 ns is a cycle. */
#include "run.h"
#include "suites.h"

#define WORKS(...)                                                                                           \
    {                                                                                                        \
        .works = (struct work[]){__VA_ARGS__},                                                               \
        .n = sizeof((struct work[]){__VA_ARGS__}) / sizeof(struct work)                                      \
    }
#define AT(ns) (BASE_TSC + (ns))

/* Domains 1 and 2 are there, asleep; vCPU 0 of domain 0 is about to run on pCPU 0. */
static void begin(struct trace_bytes *c)
{
    trace_bytes_init(c);
    on(c, 1);
    mark(c, 0);
    for (uint32_t dom = 1; dom <= 2; dom++) {
        rec_runstate(c, dom * US, dom, 0, BLOCKED, RUNNABLE);
        rec_runstate(c, dom * US, dom, 0, RUNNABLE, BLOCKED);
    }
    on(c, 0);
    mark(c, 0);
    rec_runstate(c, 5 * US, 0, 0, BLOCKED, RUNNABLE);
}

static struct result charge(struct trace_bytes *c, const struct dom0_trace *measured,
                            struct charge_options options)
{
    options.wanted = true;
    options.dom0_trace = measured;
    return run(c, (struct setup){.by = BY_DOMAIN, .granularities_ns = {10 * MS}, .charge = options});
}

static void end(struct trace_bytes *c, struct result *r)
{
    result_free(r);
    trace_bytes_free(c);
}

static void time_is_cut_where_the_owner_changes(void)
{
    struct work_cpu cpu =
        WORKS({AT(0), WORK_OWN}, {AT(12 * MS), 1}, {AT(13 * MS), 2}, {AT(18 * MS), WORK_UNKNOWN});
    const struct dom0_trace measured = {
        .cpus = &cpu, .cpus_n = 1, .first_tsc = AT(0), .last_tsc = AT(18 * MS)};
    struct trace_bytes c;
    begin(&c);
    starts(&c, 10 * MS, 0, 0);
    stops(&c, 20 * MS, 0, 0, BLOCKED);
    mark(&c, 100 * MS);
    struct result r = charge(&c, &measured, (struct charge_options){0});
    const struct charge_idd *d = find_idd(&r, 0, 0, 0);
    EQUAL(d->own_ns, 2 * MS);
    EQUAL(find_guest(d, 1)->charged_ns, 1 * MS);
    EQUAL(find_guest(d, 2)->charged_ns, 5 * MS);
    EQUAL((uint64_t)(find_guest(d, 2)->charged_measured_ns + 0.5), 5 * MS);
    EQUAL(d->unattributed_ns, 2 * MS);
    EQUAL(d->charged_ns, 6 * MS);
    EQUAL(d->io_free_executions, 1);
    EQUAL(ROW(&r, .domain = 2)->charged_ns, 5 * MS);
    end(&c, &r);
}

static void events_are_counted_but_have_no_say(void)
{
    struct work_cpu cpu = WORKS({AT(0), 1});
    const struct dom0_trace measured = {.cpus = &cpu, .cpus_n = 1};
    struct trace_bytes c;
    begin(&c);
    starts(&c, 10 * MS, 0, 0);
    rec_transfer(&c, 11 * MS, 2);
    stops(&c, 20 * MS, 0, 0, BLOCKED);
    mark(&c, 100 * MS);
    struct result r = charge(&c, &measured, (struct charge_options){.interval_ns = 100 * MS});
    const struct charge_idd *d = find_idd(&r, 0, 0, 0);
    EQUAL(find_guest(d, 1)->charged_ns, 10 * MS);
    EQUAL(find_guest(d, 2)->charged_ns, 0);
    EQUAL(find_guest(d, 2)->events[IO_TRANSFER], 1);
    EQUAL(d->io_free_executions, 0);
    end(&c, &r);
}

static void a_long_run_and_intervals_are_cut_as_well(void)
{
    /* From 5 to 305 ms, the owner changes at 95 and 205 ms: rows of 10 ms before, at and after them. */
    struct work_cpu cpu = WORKS({AT(0), 1}, {AT(95 * MS), 2}, {AT(205 * MS), WORK_OWN});
    const struct dom0_trace measured = {.cpus = &cpu, .cpus_n = 1};
    struct trace_bytes c;
    begin(&c);
    starts(&c, 5 * MS, 0, 0);
    mark(&c, 200 * MS);
    stops(&c, 305 * MS, 0, 0, BLOCKED);
    mark(&c, 400 * MS);
    struct result r = charge(&c, &measured, (struct charge_options){0});
    EQUAL(find_guest(find_idd(&r, 0, 0, 0), 1)->charged_ns, 90 * MS);
    EQUAL(find_guest(find_idd(&r, 0, 0, 0), 2)->charged_ns, 110 * MS);
    EQUAL(find_idd(&r, 0, 0, 0)->own_ns, 100 * MS);
    EQUAL(find_guest(find_idd(&r, 10 * MS, 80 * MS, 0), 1)->charged_ns, 10 * MS);
    EQUAL(find_guest(find_idd(&r, 10 * MS, 90 * MS, 0), 1)->charged_ns, 5 * MS);
    EQUAL(find_guest(find_idd(&r, 10 * MS, 90 * MS, 0), 2)->charged_ns, 5 * MS);
    EQUAL(find_idd(&r, 10 * MS, 200 * MS, 0)->own_ns, 5 * MS);
    EQUAL(find_idd(&r, 10 * MS, 300 * MS, 0)->own_ns, 5 * MS);
    end(&c, &r);
}

static void each_vcpu_is_its_own_cpu(void)
{
    struct work_cpu cpus[] = {WORKS({AT(0), 1}), WORKS({AT(0), 2}, {AT(15 * MS), WORK_OWN})};
    const struct dom0_trace measured = {.cpus = cpus, .cpus_n = 2};
    struct trace_bytes c;
    begin(&c);
    starts(&c, 10 * MS, 0, 0);
    stops(&c, 20 * MS, 0, 0, BLOCKED);
    on(&c, 2);
    for (uint32_t vcpu = 1; vcpu <= 2; vcpu++) { /* of CPU 2 nothing was recorded */
        rec_runstate(&c, 1 * MS, 0, vcpu, BLOCKED, RUNNABLE);
        starts(&c, vcpu * 10 * MS, 0, vcpu);
        stops(&c, (vcpu + 1) * 10 * MS, 0, vcpu, BLOCKED);
    }
    mark(&c, 100 * MS);
    struct result r = charge(&c, &measured, (struct charge_options){0});
    const struct charge_idd *d = find_idd(&r, 0, 0, 0);
    EQUAL(find_guest(d, 1)->charged_ns, 10 * MS);
    EQUAL(find_guest(d, 2)->charged_ns, 5 * MS);
    EQUAL(d->own_ns, 5 * MS);
    EQUAL(d->unattributed_ns, 10 * MS);
    end(&c, &r);
}

static void another_driver_domain_is_charged_by_the_trace(void)
{
    struct work_cpu cpu = WORKS({AT(0), 2});
    const struct dom0_trace measured = {.domain = 7, .cpus = &cpu, .cpus_n = 1};
    struct trace_bytes c;
    begin(&c);
    starts(&c, 10 * MS, 0, 0);
    rec_transfer(&c, 11 * MS, 1);
    stops(&c, 20 * MS, 0, 0, BLOCKED);
    mark(&c, 100 * MS);
    struct result r = charge(&c, &measured, (struct charge_options){0});
    EQUAL(find_guest(find_idd(&r, 0, 0, 0), 1)->charged_ns, 10 * MS);
    EQUAL(find_guest(find_idd(&r, 0, 0, 0), 2)->charged_ns, 0);
    end(&c, &r);
}

static void work_for_a_domain_that_is_not_there_is_unattributed(void)
{
    struct work_cpu cpu = WORKS({AT(0), 9}, {AT(12 * MS), 0});
    const struct dom0_trace measured = {.cpus = &cpu, .cpus_n = 1};
    struct trace_bytes c;
    begin(&c);
    starts(&c, 10 * MS, 0, 0);
    stops(&c, 20 * MS, 0, 0, BLOCKED);
    mark(&c, 100 * MS);
    struct result r = charge(&c, &measured, (struct charge_options){0});
    EQUAL(find_idd(&r, 0, 0, 0)->unattributed_ns, 2 * MS);
    EQUAL(find_idd(&r, 0, 0, 0)->own_ns, 8 * MS); /* for itself */
    end(&c, &r);
}

CU_TestInfo charge_measured_tests[] = {
    TEST(time_is_cut_where_the_owner_changes),
    TEST(events_are_counted_but_have_no_say),
    TEST(a_long_run_and_intervals_are_cut_as_well),
    TEST(each_vcpu_is_its_own_cpu),
    TEST(another_driver_domain_is_charged_by_the_trace),
    TEST(work_for_a_domain_that_is_not_there_is_unattributed),
    CU_TEST_INFO_NULL,
};
