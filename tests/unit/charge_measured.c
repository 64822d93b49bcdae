/* A driver domain's time, cut by what its own kernel recorded. Domain 0 is the driver domain; 1 ns is a cycle. */
#include "metrics/min_max.h"
#include "random.h"
#include "charge_host.h"
#include "suites.h"

#define WORKS(...)                                                                                           \
    {                                                                                                        \
        .works = (struct work[]){__VA_ARGS__},                                                               \
        .n = sizeof((struct work[]){__VA_ARGS__}) / sizeof(struct work)                                      \
    }
#define AT(ns) (BASE_TSC + (ns))

static struct result charge(struct trace_bytes *c, const struct dom0_trace *measured,
                            struct charge_options options)
{
    options.dom0_trace = measured;
    return charge_host_run(c, options);
}

static void time_is_cut_where_the_owner_changes(void)
{
    struct work_cpu cpu =
        WORKS({AT(0), WORK_OWN}, {AT(12 * MS), 1}, {AT(13 * MS), 2}, {AT(18 * MS), WORK_UNKNOWN});
    const struct dom0_trace measured = {
        .cpus = &cpu, .cpus_n = 1, .first_tsc = AT(0), .last_tsc = AT(18 * MS)};
    struct trace_bytes c;
    charge_host_begin(&c);
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
    charge_host_end(&c, &r);
}

static void events_are_counted_but_have_no_say(void)
{
    struct work_cpu cpu = WORKS({AT(0), 1});
    const struct dom0_trace measured = {.cpus = &cpu, .cpus_n = 1};
    struct trace_bytes c;
    charge_host_begin(&c);
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
    charge_host_end(&c, &r);
}

static void a_long_run_and_intervals_are_cut_as_well(void)
{
    /* From 5 to 305 ms, the owner changes at 95 and 205 ms: rows of 10 ms before, at and after them. */
    struct work_cpu cpu = WORKS({AT(0), 1}, {AT(95 * MS), 2}, {AT(205 * MS), WORK_OWN});
    const struct dom0_trace measured = {.cpus = &cpu, .cpus_n = 1};
    struct trace_bytes c;
    charge_host_begin(&c);
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
    charge_host_end(&c, &r);
}

static void each_vcpu_is_its_own_cpu(void)
{
    struct work_cpu cpus[] = {WORKS({AT(0), 1}), WORKS({AT(0), 2}, {AT(15 * MS), WORK_OWN})};
    const struct dom0_trace measured = {.cpus = cpus, .cpus_n = 2};
    struct trace_bytes c;
    charge_host_begin(&c);
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
    charge_host_end(&c, &r);
}

static void another_driver_domain_is_charged_by_the_trace(void)
{
    struct work_cpu cpu = WORKS({AT(0), 2});
    const struct dom0_trace measured = {.domain = 7, .cpus = &cpu, .cpus_n = 1};
    struct trace_bytes c;
    charge_host_begin(&c);
    starts(&c, 10 * MS, 0, 0);
    rec_transfer(&c, 11 * MS, 1);
    stops(&c, 20 * MS, 0, 0, BLOCKED);
    mark(&c, 100 * MS);
    struct result r = charge(&c, &measured, (struct charge_options){0});
    EQUAL(find_guest(find_idd(&r, 0, 0, 0), 1)->charged_ns, 10 * MS);
    EQUAL(find_guest(find_idd(&r, 0, 0, 0), 2)->charged_ns, 0);
    charge_host_end(&c, &r);
}

static void work_for_a_domain_that_is_not_there_is_unattributed(void)
{
    struct work_cpu cpu = WORKS({AT(0), 9}, {AT(12 * MS), 0});
    const struct dom0_trace measured = {.cpus = &cpu, .cpus_n = 1};
    struct trace_bytes c;
    charge_host_begin(&c);
    starts(&c, 10 * MS, 0, 0);
    stops(&c, 20 * MS, 0, 0, BLOCKED);
    mark(&c, 100 * MS);
    struct result r = charge(&c, &measured, (struct charge_options){0});
    EQUAL(find_idd(&r, 0, 0, 0)->unattributed_ns, 2 * MS);
    EQUAL(find_idd(&r, 0, 0, 0)->own_ns, 8 * MS); /* for itself */
    charge_host_end(&c, &r);
}

/* ---- whatever comes ---- */

#define RUNS    40
#define CHANGES 400
#define LAST_NS (400 * MS)

/* vCPU 0 of domain 0 runs from run_ns[2 * i] to run_ns[2 * i + 1]; the owner changes at the works' moments. */
struct drawn {
    uint64_t run_ns[2 * RUNS];
    struct work works[CHANGES];
};

/* Ascending moments, some of them the same. */
static uint64_t next_moment(uint64_t *state, uint64_t *at, uint64_t most)
{
    return *at += random_below(state, 8) ? random_below(state, most) + 1 : 0;
}

static void draw(struct drawn *d, uint64_t *state)
{
    static const uint32_t owners[] = {1, 2, WORK_OWN, WORK_SCHED, WORK_UNKNOWN};
    uint64_t run = 10 * US, change = 0;
    for (int i = 0; i < 2 * RUNS; i++)
        d->run_ns[i] = run += random_below(state, 2 * LAST_NS / (5 * RUNS)) + 1;
    for (int i = 0; i < CHANGES; i++)
        d->works[i] = (struct work){AT(next_moment(state, &change, 2 * LAST_NS / CHANGES)),
                                    owners[random_below(state, 5)]};
}

/* How long it ran in [from, to) for an owner: stretch by stretch. */
static uint64_t ran_for(const struct drawn *d, uint32_t owner, uint64_t from, uint64_t to)
{
    uint64_t sum = 0;
    for (int i = -1; i < CHANGES; i++) {
        uint32_t whose = i < 0 ? WORK_UNKNOWN : d->works[i].owner;
        uint64_t begin = i < 0 ? 0 : d->works[i].tsc - BASE_TSC;
        uint64_t end = i + 1 < CHANGES ? d->works[i + 1].tsc - BASE_TSC : UINT64_MAX;
        for (int r = 0; r < RUNS && whose == owner; r++) {
            uint64_t first = max64(max64(begin, from), d->run_ns[2 * r]);
            uint64_t last = min64(min64(end, to), d->run_ns[2 * r + 1]);
            sum += last > first ? last - first : 0;
        }
    }
    return sum;
}

static void check_interval(const struct result *r, const struct drawn *d, uint64_t every, uint64_t at)
{
    const struct charge_idd *idd = find_idd(r, every, at, 0);
    uint64_t to = every ? at + every : LAST_NS + 100 * MS;
    EQUAL(idd->own_ns, ran_for(d, WORK_OWN, at, to) + ran_for(d, WORK_SCHED, at, to));
    EQUAL(idd->unattributed_ns, ran_for(d, WORK_UNKNOWN, at, to));
    EQUAL(find_guest(idd, 1)->charged_ns, ran_for(d, 1, at, to));
    EQUAL(find_guest(idd, 2)->charged_ns, ran_for(d, 2, at, to));
}

static void each_ns_goes_to_whom_it_was_for_in_every_interval(void)
{
    uint64_t state = 20;
    for (int round = 0; round < 12; round++) {
        struct drawn d;
        draw(&d, &state);
        struct work_cpu cpu = {.works = d.works, .n = CHANGES};
        const struct dom0_trace measured = {.cpus = &cpu, .cpus_n = 1};
        struct trace_bytes c;
        charge_host_begin(&c);
        for (int i = 0; i < RUNS; i++) {
            if (i > 0)
                rec_runstate(&c, d.run_ns[2 * i], 0, 0, BLOCKED, RUNNABLE);
            starts(&c, d.run_ns[2 * i], 0, 0);
            stops(&c, d.run_ns[2 * i + 1], 0, 0, BLOCKED);
        }
        mark(&c, LAST_NS + 100 * MS);
        struct result r = charge(&c, &measured, (struct charge_options){.interval_ns = round % 2 * 30 * MS});
        check_interval(&r, &d, 0, 0);
        for (uint64_t at = 0; at < LAST_NS; at += 10 * MS)
            check_interval(&r, &d, 10 * MS, at);
        charge_host_end(&c, &r);
    }
}

CU_TestInfo charge_measured_tests[] = {
    TEST(time_is_cut_where_the_owner_changes),
    TEST(events_are_counted_but_have_no_say),
    TEST(a_long_run_and_intervals_are_cut_as_well),
    TEST(each_vcpu_is_its_own_cpu),
    TEST(another_driver_domain_is_charged_by_the_trace),
    TEST(work_for_a_domain_that_is_not_there_is_unattributed),
    TEST(each_ns_goes_to_whom_it_was_for_in_every_interval),
    CU_TEST_INFO_NULL,
};
