/*
 * CPU times of threads against what the model says. Domain 0 is the driver domain; readings at 0 and 100 ms; expected
 * values are worked out by hand.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "charge_host.h"
#include "suites.h"

#define DEVICES_MAX 4

/* What threads of a kind ran for a domain in the 100 ms. */
struct thread_time {
    const char *name;
    uint16_t domain;
    uint64_t ns;
};

struct log {
    struct counters counters;
    struct counter_device devices[DEVICES_MAX];
    struct counter_reading readings[2 * DEVICES_MAX];
};

/* Up to the first without a name. */
static void make_log(struct log *log, const struct thread_time *times)
{
    uint32_t n = 0;
    struct error err;
    for (; n < DEVICES_MAX && times[n].name; n++) {
        struct counter_device *d = &log->devices[n];
        struct counter_reading *r = &log->readings[2 * n];
        *d = (struct counter_device){.domain = times[n].domain};
        d->counts[COUNTER_CPU] = true;
        snprintf(d->name, sizeof d->name, "%s", times[n].name);
        r[0] = (struct counter_reading){.time_ns = 0, .device = n};
        r[1] = (struct counter_reading){.time_ns = 100 * MS, .device = n};
        r[0].count[COUNTER_CPU] = 7;
        r[1].count[COUNTER_CPU] = 7 + times[n].ns;
    }
    log->counters = (struct counters){
        .devices = log->devices, .devices_n = n, .readings = log->readings, .readings_n = 2 * n};
    EQUAL(counters_sort(&log->counters, &err), 0);
}

static struct result charge(struct trace_bytes *c, struct log *log, struct charge_options options)
{
    options.counters = &log->counters;
    return charge_host_run(c, options);
}

static void end(struct trace_bytes *c, struct log *log, struct result *r)
{
    counters_free_index(&log->counters);
    charge_host_end(c, r);
}

static bool balances(const struct result *r)
{
    bool all = r->idds_n > 0;
    for (size_t i = 0; i < r->idds_n; i++) {
        const struct charge_idd *d = &r->idds[i].idd;
        uint64_t guests = 0;
        for (size_t g = 0; g < d->guests_n; g++)
            guests += r->idds[i].guests[g].charged_ns;
        all =
            all && guests == d->charged_ns && d->charged_ns + d->own_ns + d->unattributed_ns == d->running_ns;
    }
    return all;
}

static void measured_time_is_charged_though_no_io_was_seen(void)
{
    struct trace_bytes c;
    struct log log;
    make_log(&log, (struct thread_time[]){{"guest-rx", 1, 2 * MS}, {"blkback", 1, MS}, {NULL, 0, 0}});
    charge_host_begin(&c);
    starts(&c, 10 * MS, 0, 0);
    stops(&c, 16 * MS, 0, 0, BLOCKED);
    mark(&c, 100 * MS);
    struct result r = charge(&c, &log, (struct charge_options){0});
    const struct charge_idd *d = find_idd(&r, 0, 0, 0);
    EQUAL(find_guest(d, 1)->charged_ns, 3 * MS);
    CHECK(fabs(find_guest(d, 1)->charged_measured_ns - 3e6) < 1);
    EQUAL(d->own_ns, 3 * MS);
    EQUAL(r.charges.methods & CHARGE_THREADS, CHARGE_THREADS);
    EQUAL(find_guest(find_idd(&r, 10 * MS, 10 * MS, 0), 1)->charged_ns, 3 * MS);
    CHECK(balances(&r));
    end(&c, &log, &r);
}

/* 4 ms with a page of domain 1, then 4 ms preempted, then 2 ms without I/O. */
static void one_execution_preempted(struct trace_bytes *c)
{
    charge_host_begin(c);
    starts(c, 10 * MS, 0, 0);
    rec_map(c, 11 * MS, 1);
    stops(c, 14 * MS, 0, 0, RUNNABLE);
    starts(c, 18 * MS, 0, 0);
    stops(c, 20 * MS, 0, 0, BLOCKED);
    mark(c, 100 * MS);
}

static void time_without_a_pcpu_is_taken_out(void)
{
    /* Its threads had 6 ms; of 8 ms that domain 0 was at it, it ran for 4: 3 ms. 1 ms more by the model. */
    struct trace_bytes c;
    struct log log;
    make_log(&log, (struct thread_time[]){{"guest-rx", 1, 6 * MS}, {NULL, 0, 0}});
    one_execution_preempted(&c);
    struct result r = charge(&c, &log, (struct charge_options){0});
    const struct charge_idd *d = find_idd(&r, 0, 0, 0);
    EQUAL(find_guest(d, 1)->charged_ns, 4 * MS);
    CHECK(fabs(find_guest(d, 1)->charged_measured_ns - 3e6) < 1);
    CHECK(fabs(find_guest(d, 1)->charged_by_ns[IO_MAP] - 1e6) < 1);
    EQUAL(d->own_ns, 2 * MS);
    CHECK(balances(&r));
    end(&c, &log, &r);
}

static void a_guest_without_events_has_the_wait_of_all(void)
{
    /* Domain 0 ran for 6 ms and waited, preempted, for 4: of 5 ms 3 remain, taken from its own 2 ms and from guest 1. */
    struct trace_bytes c;
    struct log log;
    make_log(&log, (struct thread_time[]){{"device-model", 2, 5 * MS}, {NULL, 0, 0}});
    one_execution_preempted(&c);
    struct result r = charge(&c, &log, (struct charge_options){0});
    const struct charge_idd *d = find_idd(&r, 0, 0, 0);
    EQUAL(find_guest(d, 2)->charged_ns, 3 * MS);
    EQUAL(find_guest(d, 1)->charged_ns, 2 * MS);
    EQUAL(d->own_ns, MS);
    CHECK(balances(&r));
    end(&c, &log, &r);
}

static void a_kernel_that_leaves_stolen_time_out_is_believed(void)
{
    struct trace_bytes c;
    struct log log;
    make_log(&log, (struct thread_time[]){{"guest-rx", 1, 5 * MS}, {NULL, 0, 0}});
    log.counters.cpu_is_net = true;
    one_execution_preempted(&c);
    struct result r = charge(&c, &log, (struct charge_options){0});
    const struct charge_idd *d = find_idd(&r, 0, 0, 0);
    EQUAL(find_guest(d, 1)->charged_ns, 5 * MS);
    EQUAL(d->own_ns, MS);
    end(&c, &log, &r);
}

static void the_rest_of_guests_is_no_more_than_interrupts_took(void)
{
    /* As above, 3 ms are measured; of the 1 ms more by the model, 0.5 ms were interrupts and softirqs. */
    struct trace_bytes c;
    struct log log;
    make_log(&log, (struct thread_time[]){{"guest-rx", 1, 6 * MS},
                                          {"irq", 0, 200 * US},
                                          {"softirq", 0, 300 * US},
                                          {"idle", 0, 50 * MS}}); /* the last one is not known */
    one_execution_preempted(&c);
    struct result r = charge(&c, &log, (struct charge_options){0});
    const struct charge_idd *d = find_idd(&r, 0, 0, 0);
    EQUAL(find_guest(d, 1)->charged_ns, 3500 * US);
    EQUAL(d->own_ns, 2500 * US);
    CHECK(balances(&r));
    end(&c, &log, &r);
}

static void who_has_more_than_measured_gives_to_who_has_less(void)
{
    /* By the model 2 ms and 4 ms. Domain 1 had 4 ms: half of what domain 2 has beyond its 0 ms is taken. */
    struct trace_bytes c;
    struct log log;
    make_log(&log, (struct thread_time[]){{"guest-rx", 1, 4 * MS}, {NULL, 0, 0}});
    charge_host_begin(&c);
    starts(&c, 10 * MS, 0, 0);
    rec_transfer(&c, 11 * MS, 1);
    rec_transfer(&c, 12 * MS, 2);
    rec_transfer(&c, 13 * MS, 2);
    stops(&c, 16 * MS, 0, 0, BLOCKED);
    mark(&c, 100 * MS);
    struct result r = charge(&c, &log, (struct charge_options){0});
    const struct charge_idd *d = find_idd(&r, 0, 0, 0);
    EQUAL(find_guest(d, 1)->charged_ns, 4 * MS);
    EQUAL(find_guest(d, 2)->charged_ns, 2 * MS);
    CHECK(fabs(find_guest(d, 2)->charged_by_ns[IO_TRANSFER] - 2e6) < 1);
    CHECK(balances(&r));
    result_free(&r);
    r = charge(&c, &log, (struct charge_options){.interval_ns = 50 * MS, .methods = CHARGE_THREADS});
    EQUAL(find_guest(find_idd(&r, 0, 0, 0), 1)->charged_ns, 4 * MS);
    CHECK(balances(&r));
    result_free(&r);
    r = charge(&c, &log, (struct charge_options){.methods = CHARGE_TRANSFERS});
    EQUAL(find_guest(find_idd(&r, 0, 0, 0), 1)->charged_ns, 2 * MS);
    end(&c, &log, &r);
}

/* Domain 0 runs for 8 of the 100 ms, without I/O. */
static void eight_ms(struct trace_bytes *c)
{
    charge_host_begin(c);
    starts(c, 10 * MS, 0, 0);
    stops(c, 18 * MS, 0, 0, BLOCKED);
    mark(c, 100 * MS);
}

static void no_more_is_charged_than_the_driver_domain_ran(void)
{
    /* 12 ms: what a kernel counts may be a tick late. */
    struct trace_bytes c;
    struct log log;
    make_log(&log, (struct thread_time[]){{"guest-rx", 1, 9 * MS}, {"guest-rx", 2, 3 * MS}, {NULL, 0, 0}});
    eight_ms(&c);
    struct result r = charge(&c, &log, (struct charge_options){0});
    const struct charge_idd *d = find_idd(&r, 0, 0, 0);
    EQUAL(find_guest(d, 1)->charged_ns, 6 * MS);
    EQUAL(find_guest(d, 2)->charged_ns, 2 * MS);
    EQUAL(r.charges.cpu_impossible_ns, 0);
    CHECK(balances(&r));
    end(&c, &log, &r);
}

/* The model alone charges: all is own. */
static void check_disbelieved(struct log *log, uint64_t impossible_ns)
{
    struct trace_bytes c;
    eight_ms(&c);
    struct result r = charge(&c, log, (struct charge_options){0});
    EQUAL(find_idd(&r, 0, 0, 0)->own_ns, 8 * MS);
    EQUAL(r.charges.cpu_impossible_ns, impossible_ns);
    CHECK(balances(&r));
    end(&c, log, &r);
}

static void more_than_the_driver_domain_can_have_run_is_not_believed(void)
{
    /* It waits for 10 ms and runs for 8; what its one vCPU's threads run may be known 20 ms late. */
    struct log log;
    make_log(&log, (struct thread_time[]){{"guest-rx", 1, 30 * MS}, {"guest-rx", 2, 10 * MS}, {NULL, 0, 0}});
    check_disbelieved(&log, 100 * MS);
    make_log(&log, (struct thread_time[]){{"guest-rx", 9, 40 * MS}, {NULL, 0, 0}}); /* of nobody there */
    check_disbelieved(&log, 100 * MS);
}

static void more_than_all_its_vcpus_can_run_is_not_believed(void)
{
    struct log log;
    make_log(&log, (struct thread_time[]){{"guest-rx", 1, UINT64_MAX - 7}, {NULL, 0, 0}});
    check_disbelieved(&log, 100 * MS);
}

static void a_time_that_falls_is_not_believed(void)
{
    struct log log;
    make_log(&log, (struct thread_time[]){{"guest-rx", 1, 0}, {NULL, 0, 0}});
    log.readings[1].count[COUNTER_CPU] = 6;
    check_disbelieved(&log, 100 * MS);
    make_log(&log, (struct thread_time[]){{"guest-rx", 1, 0}, {NULL, 0, 0}});
    log.readings[1].count[COUNTER_CPU] = 0; /* counting began anew */
    check_disbelieved(&log, 0);
}

static void one_device_that_cannot_be_leaves_the_others(void)
{
    struct trace_bytes c;
    struct log log;
    make_log(&log, (struct thread_time[]){{"guest-rx", 1, 2 * MS}, {"guest-rx", 2, 500 * MS}, {NULL, 0, 0}});
    eight_ms(&c);
    struct result r = charge(&c, &log, (struct charge_options){0});
    EQUAL(find_guest(find_idd(&r, 0, 0, 0), 1)->charged_ns, 2 * MS);
    EQUAL(find_guest(find_idd(&r, 0, 0, 0), 2)->charged_ns, 0);
    EQUAL(r.charges.cpu_impossible_ns, 100 * MS);
    end(&c, &log, &r);
}

static void time_for_domains_that_are_not_there_is_unattributed(void)
{
    /* Of 5 ms in threads 3 ran, as of all: no time was unattributed before; from own and guest 1 as for a guest. */
    struct trace_bytes c;
    struct log log;
    make_log(&log, (struct thread_time[]){{"device-model", 9, 5 * MS}, {"guest-rx", 1, MS}, {NULL, 0, 0}});
    one_execution_preempted(&c);
    struct result r = charge(&c, &log, (struct charge_options){0});
    const struct charge_idd *d = find_idd(&r, 0, 0, 0);
    EQUAL(d->unattributed_ns, 3 * MS);
    EQUAL(d->charged_ns + d->own_ns, 3 * MS);
    EQUAL(r.charges.devices_unknown, 1);
    CHECK(balances(&r));
    end(&c, &log, &r);
}

static void the_idle_domain_is_no_guest(void)
{
    struct trace_bytes c;
    struct log log;
    make_log(&log, (struct thread_time[]){{"guest-rx", 32767, 2 * MS}, {NULL, 0, 0}});
    charge_host_begin(&c);
    replaces(&c, 10 * MS, 32767, 0, RUNNABLE, 0, 0);
    stops(&c, 18 * MS, 0, 0, BLOCKED);
    starts(&c, 18 * MS, 32767, 0);
    mark(&c, 100 * MS);
    struct result r = charge(&c, &log, (struct charge_options){0});
    const struct charge_idd *d = find_idd(&r, 0, 0, 0);
    EQUAL(d->unattributed_ns, 2 * MS);
    EQUAL(d->own_ns, 6 * MS);
    EQUAL(r.charges.devices_unknown, 1);
    CHECK(balances(&r));
    end(&c, &log, &r);
}

static void another_domains_times_are_not_used(void)
{
    struct trace_bytes c;
    struct log log;
    make_log(&log, (struct thread_time[]){{"guest-rx", 1, 2 * MS}, {NULL, 0, 0}});
    log.devices[0].idd = 7;
    eight_ms(&c);
    struct result r = charge(&c, &log, (struct charge_options){0});
    EQUAL(find_idd(&r, 0, 0, 0)->own_ns, 8 * MS);
    EQUAL(r.charges.devices_unused, 1);
    EQUAL(r.charges.devices_unknown, 0);
    end(&c, &log, &r);
}

static void unattributed_time_is_what_was_measured_first(void)
{
    /* Records were lost where domain 0 ran without I/O: 4 ms unattributed; then 6 ms of its own. */
    struct trace_bytes c;
    struct log log;
    make_log(&log, (struct thread_time[]){{"guest-rx", 1, 5 * MS}, {NULL, 0, 0}});
    charge_host_begin(&c);
    starts(&c, 10 * MS, 0, 0);
    rec_lost(&c, 16 * MS, 3, 0, 0, 12 * MS);
    rec_runstate(&c, 18 * MS, 0, 0, RUNNING, BLOCKED);
    rec_runstate(&c, 50 * MS, 0, 0, BLOCKED, RUNNABLE);
    starts(&c, 50 * MS, 0, 0);
    stops(&c, 56 * MS, 0, 0, BLOCKED);
    mark(&c, 100 * MS);
    struct result r = charge(&c, &log, (struct charge_options){.methods = CHARGE_GRANTS});
    uint64_t unattributed_ns = find_idd(&r, 0, 0, 0)->unattributed_ns;
    CHECK(unattributed_ns > 0 && unattributed_ns < 5 * MS);
    result_free(&r);
    r = charge(&c, &log, (struct charge_options){.methods = CHARGE_GRANTS | CHARGE_THREADS});
    EQUAL(find_idd(&r, 0, 0, 0)->unattributed_ns, 0);
    EQUAL(find_guest(find_idd(&r, 0, 0, 0), 1)->charged_ns, 5 * MS);
    EQUAL(find_idd(&r, 0, 0, 0)->own_ns, 6 * MS - (5 * MS - unattributed_ns));
    end(&c, &log, &r);
}

static void where_no_reading_covers_the_model_charges(void)
{
    struct trace_bytes c;
    struct log log;
    make_log(&log, (struct thread_time[]){{"guest-rx", 2, MS}, {"softirq", 0, 0}, {NULL, 0, 0}});
    charge_host_begin(&c);
    starts(&c, 210 * MS, 0, 0);
    rec_map(&c, 211 * MS, 1);
    stops(&c, 216 * MS, 0, 0, BLOCKED);
    mark(&c, 300 * MS);
    struct result r = charge(&c, &log, (struct charge_options){0});
    const struct charge_idd *d = find_idd(&r, 0, 0, 0);
    EQUAL(find_guest(d, 1)->charged_ns, 6 * MS);
    EQUAL(find_guest(d, 2)->charged_ns, 0);
    CHECK(balances(&r));
    end(&c, &log, &r);
}

CU_TestInfo thread_times_tests[] = {
    TEST(measured_time_is_charged_though_no_io_was_seen),
    TEST(time_without_a_pcpu_is_taken_out),
    TEST(a_guest_without_events_has_the_wait_of_all),
    TEST(a_kernel_that_leaves_stolen_time_out_is_believed),
    TEST(the_rest_of_guests_is_no_more_than_interrupts_took),
    TEST(who_has_more_than_measured_gives_to_who_has_less),
    TEST(no_more_is_charged_than_the_driver_domain_ran),
    TEST(more_than_the_driver_domain_can_have_run_is_not_believed),
    TEST(more_than_all_its_vcpus_can_run_is_not_believed),
    TEST(a_time_that_falls_is_not_believed),
    TEST(one_device_that_cannot_be_leaves_the_others),
    TEST(time_for_domains_that_are_not_there_is_unattributed),
    TEST(the_idle_domain_is_no_guest),
    TEST(another_domains_times_are_not_used),
    TEST(unattributed_time_is_what_was_measured_first),
    TEST(where_no_reading_covers_the_model_charges),
    CU_TEST_INFO_NULL,
};
