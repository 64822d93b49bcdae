/* To whom a driver domain's time is charged. Domain 0 is the driver domain; expected values are worked out by hand. */
#include <stdlib.h>

#include "metrics/measure/apportion.h"
#include "charge_host.h"
#include "suites.h"

static const struct charge_options by_default = {.wanted = true};

/* ---- the rules ---- */

static void the_papers_example_comes_out(void)
{
    /* Middleware 2006: 6 ms of the driver domain, weighted counts 1 : 2, make 2 ms and 4 ms. */
    struct trace_bytes c;
    charge_host_begin(&c);
    starts(&c, 10 * MS, 0, 0);
    rec_transfer(&c, 11 * MS, 1);
    rec_transfer(&c, 12 * MS, 2);
    rec_transfer(&c, 13 * MS, 2);
    stops(&c, 16 * MS, 0, 0, BLOCKED);
    mark(&c, 100 * MS);
    struct result r = charge_host_run(&c, by_default);
    const struct charge_idd *d = find_idd(&r, 0, 0, 0);
    EQUAL(find_guest(d, 1)->charged_ns, 2 * MS);
    EQUAL(find_guest(d, 2)->charged_ns, 4 * MS);
    EQUAL(d->own_ns, 0);
    EQUAL(d->executions, 1);
    EQUAL(d->io_free_executions, 0);
    EQUAL(ROW(&r, .domain = 1)->charged_ns, 2 * MS);
    EQUAL(ROW(&r, .domain = 2)->charged_ns, 4 * MS);
    EQUAL(ROW(&r, .domain = 2)->io[IO_TRANSFER], 2);
    charge_host_end(&c, &r);
}

static void an_execution_without_io_is_the_driver_domains_own(void)
{
    struct trace_bytes c;
    charge_host_begin(&c);
    starts(&c, 10 * MS, 0, 0);
    stops(&c, 13 * MS, 0, 0, BLOCKED);
    rec_runstate(&c, 20 * MS, 0, 0, BLOCKED, RUNNABLE);
    starts(&c, 20 * MS, 0, 0);
    rec_map(&c, 21 * MS, 1);
    stops(&c, 25 * MS, 0, 0, BLOCKED);
    mark(&c, 100 * MS);
    struct result r = charge_host_run(&c, by_default);
    const struct charge_idd *d = find_idd(&r, 0, 0, 0);
    EQUAL(d->own_ns, 3 * MS);
    EQUAL(find_guest(d, 1)->charged_ns, 5 * MS);
    EQUAL(d->unattributed_ns, 0);
    EQUAL(d->executions, 2);
    EQUAL(d->io_free_executions, 1);
    charge_host_end(&c, &r);
}

/* Three executions in the first 100 ms: 30 ms, 20 ms, 10 ms (without I/O). 1 page for domain 1, 3 for domain 2. */
static void three_executions(struct trace_bytes *c)
{
    charge_host_begin(c);
    starts(c, 10 * MS, 0, 0);
    rec_transfer(c, 11 * MS, 1);
    stops(c, 40 * MS, 0, 0, BLOCKED);
    rec_runstate(c, 50 * MS, 0, 0, BLOCKED, RUNNABLE);
    starts(c, 50 * MS, 0, 0);
    for (int i = 0; i < 3; i++)
        rec_transfer(c, 51 * MS, 2);
    stops(c, 70 * MS, 0, 0, BLOCKED);
    rec_runstate(c, 80 * MS, 0, 0, BLOCKED, RUNNABLE);
    starts(c, 80 * MS, 0, 0);
    stops(c, 90 * MS, 0, 0, BLOCKED);
    mark(c, 200 * MS);
}

static void by_interval_all_running_in_it_is_shared(void)
{
    /* USENIX 2005: 60 ms in the interval of 100 ms, pages 1 : 3, make 15 ms and 45 ms. */
    struct trace_bytes c;
    three_executions(&c);
    struct result r = charge_host_run(&c, (struct charge_options){.interval_ns = 100 * MS});
    const struct charge_idd *d = find_idd(&r, 0, 0, 0);
    EQUAL(find_guest(d, 1)->charged_ns, 15 * MS);
    EQUAL(find_guest(d, 2)->charged_ns, 45 * MS);
    EQUAL(d->own_ns, 0);
    EQUAL(d->io_free_executions, 1);
    charge_host_end(&c, &r);
}

static void by_execution_each_is_shared_by_its_own_events(void)
{
    struct trace_bytes c;
    three_executions(&c);
    struct result r = charge_host_run(&c, by_default);
    const struct charge_idd *d = find_idd(&r, 0, 0, 0);
    EQUAL(find_guest(d, 1)->charged_ns, 30 * MS);
    EQUAL(find_guest(d, 2)->charged_ns, 20 * MS);
    EQUAL(d->own_ns, 10 * MS);
    charge_host_end(&c, &r);
}

static void own_time_can_be_spread_in_the_proportion_of_recent_charges(void)
{
    struct trace_bytes c;
    charge_host_begin(&c);
    starts(&c, 10 * MS, 0, 0);
    rec_transfer(&c, 11 * MS, 1);
    rec_transfer(&c, 12 * MS, 2);
    rec_transfer(&c, 12 * MS, 2);
    replaces(&c, 16 * MS, 0, 0, RUNNABLE, 0, 1); /* 6 ms: 2 and 4 */
    stops(&c, 19 * MS, 0, 1, BLOCKED);           /* 3 ms, own: 1 and 2 */
    mark(&c, 100 * MS);
    struct result r = charge_host_run(&c, (struct charge_options){.spread_own = true});
    const struct charge_idd *d = find_idd(&r, 0, 0, 0);
    EQUAL(find_guest(d, 1)->charged_ns, 3 * MS);
    EQUAL(find_guest(d, 2)->charged_ns, 6 * MS);
    EQUAL(d->own_ns, 0);
    charge_host_end(&c, &r);
}

static void weights_weigh(void)
{
    struct trace_bytes c;
    charge_host_begin(&c);
    starts(&c, 10 * MS, 0, 0);
    rec_map(&c, 11 * MS, 1);
    rec_unmap(&c, 12 * MS, 2);
    stops(&c, 17 * MS, 0, 0, BLOCKED);
    mark(&c, 100 * MS);
    struct result r = charge_host_run(
        &c, (struct charge_options){.weights = {[IO_MAP] = 2.5, [IO_UNMAP] = 1, [IO_COPY] = 9}});
    EQUAL(find_guest(find_idd(&r, 0, 0, 0), 1)->charged_ns, 5 * MS);
    EQUAL(find_guest(find_idd(&r, 0, 0, 0), 2)->charged_ns, 2 * MS);
    charge_host_end(&c, &r);
}

static void a_method_looks_at_its_own_events_only(void)
{
    struct trace_bytes c;
    charge_host_begin(&c);
    starts(&c, 10 * MS, 0, 0);
    rec_map(&c, 11 * MS, 1);
    rec_notify(&c, 12 * MS, 2, 0);
    stops(&c, 16 * MS, 0, 0, BLOCKED);
    mark(&c, 100 * MS);
    struct result r = charge_host_run(&c, (struct charge_options){.methods = CHARGE_GRANTS});
    EQUAL(find_guest(find_idd(&r, 0, 0, 0), 1)->charged_ns, 6 * MS);
    EQUAL(find_guest(find_idd(&r, 0, 0, 0), 2)->charged_ns, 0);
    EQUAL(find_guest(find_idd(&r, 0, 0, 0), 2)->events[IO_NOTIFY], 1); /* seen all the same */
    EQUAL(r.charges.events[IO_NOTIFY], 1);
    EQUAL(r.charges.methods, CHARGE_GRANTS);
    charge_host_end(&c, &r);
}

static void a_charge_is_split_where_an_interval_ends(void)
{
    struct trace_bytes c;
    charge_host_begin(&c);
    starts(&c, 5 * MS, 0, 0);
    rec_map(&c, 24 * MS, 1); /* in the third interval, for all of the execution */
    stops(&c, 25 * MS, 0, 0, BLOCKED);
    mark(&c, 100 * MS);
    struct result r = charge_host_run(&c, by_default);
    EQUAL(find_guest(find_idd(&r, 10 * MS, 0, 0), 1)->charged_ns, 5 * MS);
    EQUAL(find_guest(find_idd(&r, 10 * MS, 10 * MS, 0), 1)->charged_ns, 10 * MS);
    EQUAL(find_guest(find_idd(&r, 10 * MS, 20 * MS, 0), 1)->charged_ns, 5 * MS);
    EQUAL(find_guest(find_idd(&r, 10 * MS, 20 * MS, 0), 1)->events[IO_MAP], 1);
    charge_host_end(&c, &r);
}

static void a_run_of_pages_is_split_where_an_interval_ends(void)
{
    /* Pages at 18, 19, 20 and 29.999 ms: two in the second interval of 10 ms, two in the third one. */
    struct trace_bytes c;
    charge_host_begin(&c);
    starts(&c, 15 * MS, 0, 0);
    rec_map(&c, 18 * MS, 1);
    rec_map(&c, 19 * MS, 1);
    rec_map(&c, 20 * MS, 1);
    rec_map(&c, 30 * MS - 1000, 1);
    stops(&c, 35 * MS, 0, 0, BLOCKED);
    mark(&c, 100 * MS);
    struct result r = charge_host_run(&c, by_default);
    EQUAL(find_guest(find_idd(&r, 10 * MS, 10 * MS, 0), 1)->events[IO_MAP], 2);
    EQUAL(find_guest(find_idd(&r, 10 * MS, 20 * MS, 0), 1)->events[IO_MAP], 2);
    EQUAL(find_guest(find_idd(&r, 0, 0, 0), 1)->events[IO_MAP], 4);
    charge_host_end(&c, &r);
}

static void a_run_of_pages_counts_every_page_of_every_guest(void)
{
    struct trace_bytes c;
    charge_host_begin(&c);
    starts(&c, 10 * MS, 0, 0);
    for (int i = 0; i < 7; i++)
        rec_map(&c, (11 + i) * MS, i < 3 ? 1 : 2);
    rec_transfer(&c, 18 * MS, 2);
    rec_map(&c, 19 * MS, 2);
    stops(&c, 22 * MS, 0, 0, BLOCKED);
    mark(&c, 100 * MS);
    struct result r = charge_host_run(&c, by_default);
    const struct charge_idd *d = find_idd(&r, 0, 0, 0);
    EQUAL(find_guest(d, 1)->events[IO_MAP], 3);
    EQUAL(find_guest(d, 2)->events[IO_MAP], 5);
    EQUAL(find_guest(d, 2)->events[IO_TRANSFER], 1);
    EQUAL(find_guest(d, 1)->charged_ns, 4 * MS); /* 3 of 9 pages, of 12 ms */
    charge_host_end(&c, &r);
}

static void an_execution_that_goes_on_at_the_end_does_not_hold_the_last_interval_open(void)
{
    struct trace_bytes c;
    charge_host_begin(&c);
    starts(&c, 15 * MS, 0, 0);
    rec_map(&c, 16 * MS, 1);
    mark(&c, 33 * MS); /* it runs on */
    struct result r = charge_host_run(&c, by_default);
    EQUAL(find_guest(find_idd(&r, 10 * MS, 10 * MS, 0), 1)->charged_ns, 5 * MS);
    EQUAL(find_guest(find_idd(&r, 10 * MS, 20 * MS, 0), 1)->charged_ns, 10 * MS);
    EQUAL(find_guest(find_idd(&r, 10 * MS, 30 * MS, 0), 1)->charged_ns, 3 * MS);
    EQUAL(find_idd(&r, 0, 0, 0)->executions, 1);
    charge_host_end(&c, &r);
}

static void a_long_execution_is_charged_piece_by_piece(void)
{
    struct trace_bytes c;
    charge_host_begin(&c);
    starts(&c, 10 * MS, 0, 0);
    rec_map(&c, 20 * MS, 1);
    rec_map(&c, 230 * MS, 2);
    stops(&c, 260 * MS, 0, 0, BLOCKED);
    mark(&c, 300 * MS);
    struct result r = charge_host_run(&c, by_default);
    const struct charge_idd *d = find_idd(&r, 0, 0, 0);
    EQUAL(find_guest(d, 1)->charged_ns, 90 * MS);
    EQUAL(find_guest(d, 2)->charged_ns, 60 * MS);
    EQUAL(d->own_ns, 100 * MS);
    EQUAL(d->executions, 1);
    EQUAL(d->io_free_executions, 0);
    charge_host_end(&c, &r);
}

/* Between the last record of an execution and its end: as many charging periods as there are in a thousand seconds. */
static void an_execution_without_records_is_one_period_and_own(void)
{
    struct trace_bytes c;
    charge_host_begin(&c);
    starts(&c, 10 * MS, 0, 0);
    rec_map(&c, 20 * MS, 1);
    rec_infprev(&c, 1000 * S + 7 * MS, 0, 0, (1000 * S - 3 * MS) & UINT32_MAX);
    stops(&c, 1000 * S + 7 * MS, 0, 0, BLOCKED);
    mark(&c, 1000 * S + 8 * MS);
    struct result r = charge_host_run(&c, by_default);
    const struct charge_idd *d = find_idd(&r, 0, 0, 0);
    EQUAL(find_guest(d, 1)->charged_ns, 90 * MS);
    EQUAL(d->own_ns, 1000 * S + 7 * MS - 100 * MS);
    EQUAL(d->executions, 1);
    EQUAL(find_idd(&r, 10 * MS, 500 * S, 0)->own_ns, 10 * MS);
    EQUAL(find_idd(&r, 10 * MS, 1000 * S, 0)->own_ns, 7 * MS);
    charge_host_end(&c, &r);
}

/* ---- outside counters ---- */

static void packets_share_the_time_between_two_readings(void)
{
    /* 100 packets sent to domain 1, 50 received from domain 2, at weights 1 and 1.5: 4 : 3. */
    struct counter_device devices[] = {{.name = "vif1.0", .domain = 1, .counts = {true, true}},
                                       {.name = "vif2.0", .domain = 2, .counts = {true, true}}};
    struct counter_reading readings[] = {{.time_ns = 0, .device = 0},
                                         {.time_ns = 100 * MS, .count = {100, 0}, .device = 0},
                                         {.time_ns = 0, .count = {7, 20}, .device = 1},
                                         {.time_ns = 100 * MS, .count = {7, 70}, .device = 1}};
    struct counters counters = {
        .readings = readings, .readings_n = 4, .devices = devices, .devices_n = 2, .has_tsc = false};
    struct error err;
    EQUAL(counters_sort(&counters, &err), 0);
    struct trace_bytes c;
    charge_host_begin(&c);
    starts(&c, 10 * MS, 0, 0);
    rec_map(&c, 11 * MS, 1); /* is not looked at */
    stops(&c, 17 * MS, 0, 0, BLOCKED);
    mark(&c, 100 * MS);
    struct result r =
        charge_host_run(&c, (struct charge_options){.counters = &counters,
                                                    .weights = {[IO_MAP] = 1, [IO_TX] = 1, [IO_RX] = 1.5}});
    const struct charge_idd *d = find_idd(&r, 0, 0, 0);
    EQUAL(r.charges.methods, CHARGE_PACKETS);
    EQUAL(find_guest(d, 1)->charged_ns, 4 * MS);
    EQUAL(find_guest(d, 2)->charged_ns, 3 * MS);
    EQUAL(find_guest(d, 1)->events[IO_TX], 100);
    EQUAL(find_guest(d, 2)->events[IO_RX], 50);
    EQUAL(find_guest(find_idd(&r, 10 * MS, 20 * MS, 0), 2)->events[IO_RX], 5);
    counters_free_index(&counters);
    charge_host_end(&c, &r);
}

/* Readings of domain 1's and domain 9's vif at 0 and 20 ms; domain 9 is not in the trace. */
static void counters_of_a_part(struct counters *counters, struct counter_device devices[2],
                               struct counter_reading readings[4])
{
    for (uint16_t d = 0; d < 2; d++) {
        devices[d] = (struct counter_device){.name = "vif", .domain = d ? 9 : 1, .counts = {true, true}};
        readings[2 * d] = (struct counter_reading){.time_ns = 0, .device = d};
        readings[2 * d + 1] = (struct counter_reading){.time_ns = 20 * MS, .count = {20, 0}, .device = d};
    }
    *counters = (struct counters){.readings = readings, .readings_n = 4, .devices = devices, .devices_n = 2};
    struct error err;
    EQUAL(counters_sort(counters, &err), 0);
}

static void what_no_reading_covers_is_unattributed(void)
{
    struct counter_device devices[2];
    struct counter_reading readings[4];
    struct counters counters;
    counters_of_a_part(&counters, devices, readings);
    counters.devices_n = 1; /* domain 1 alone */
    struct trace_bytes c;
    charge_host_begin(&c);
    starts(&c, 10 * MS, 0, 0);
    stops(&c, 30 * MS, 0, 0, BLOCKED); /* half of it after the last reading */
    rec_runstate(&c, 50 * MS, 0, 0, BLOCKED, RUNNABLE);
    starts(&c, 50 * MS, 0, 0);
    stops(&c, 57 * MS, 0, 0, BLOCKED); /* all of it */
    mark(&c, 100 * MS);
    struct result r = charge_host_run(&c, (struct charge_options){.counters = &counters});
    EQUAL(find_guest(find_idd(&r, 0, 0, 0), 1)->charged_ns, 10 * MS);
    EQUAL(find_idd(&r, 0, 0, 0)->unattributed_ns, 17 * MS);
    EQUAL(find_idd(&r, 0, 0, 0)->own_ns, 0);
    result_free(&r);
    r = charge_host_run(&c, (struct charge_options){.counters = &counters, .interval_ns = 100 * MS});
    EQUAL(find_guest(find_idd(&r, 0, 0, 0), 1)->charged_ns, 27 * MS / 5); /* 20 of 100 ms were counted */
    EQUAL(find_idd(&r, 0, 0, 0)->unattributed_ns, 27 * MS * 4 / 5);
    counters_free_index(&counters);
    charge_host_end(&c, &r);
}

static void counts_of_a_domain_the_trace_does_not_show_are_unattributed(void)
{
    struct counter_device devices[2];
    struct counter_reading readings[4];
    struct counters counters;
    counters_of_a_part(&counters, devices, readings);
    struct trace_bytes c;
    charge_host_begin(&c);
    starts(&c, 10 * MS, 0, 0);
    stops(&c, 18 * MS, 0, 0, BLOCKED);
    mark(&c, 100 * MS);
    struct result r = charge_host_run(&c, (struct charge_options){.counters = &counters});
    EQUAL(find_guest(find_idd(&r, 0, 0, 0), 1)->charged_ns, 4 * MS);
    EQUAL(find_idd(&r, 0, 0, 0)->unattributed_ns, 4 * MS);
    EQUAL(r.charges.devices_unknown, 1);
    counters_free_index(&counters);
    charge_host_end(&c, &r);
}

static void a_driver_domain_nobody_counts_for_is_charged_by_the_trace(void)
{
    static uint8_t idds[65536] = {1, 1};
    struct counter_device devices[2];
    struct counter_reading readings[4];
    struct counters counters;
    counters_of_a_part(&counters, devices, readings); /* domain 0 counted */
    struct trace_bytes c;
    charge_host_begin(&c);
    rec_runstate(&c, 20 * MS, 1, 0, BLOCKED, RUNNABLE);
    starts(&c, 20 * MS, 1, 0);
    rec_map(&c, 21 * MS, 2);
    stops(&c, 23 * MS, 1, 0, BLOCKED);
    mark(&c, 100 * MS);
    struct result r = charge_host_run(&c, (struct charge_options){.counters = &counters, .idds = idds});
    EQUAL(find_guest(find_idd(&r, 0, 0, 1), 2)->charged_ns, 3 * MS);
    result_free(&r);
    r = charge_host_run(
        &c, (struct charge_options){.counters = &counters, .idds = idds, .methods = CHARGE_PACKETS});
    EQUAL(find_idd(&r, 0, 0, 1)->unattributed_ns, 3 * MS);
    counters_free_index(&counters);
    charge_host_end(&c, &r);
}

/* ---- whole ns ---- */

static void webster_gives_all_and_takes_nothing_back(void)
{
    const uint64_t weights[] = {7, 1, 90, 2, 0, 33};
    uint64_t before[6] = {0}, given[6];
    for (uint64_t total = 0; total < 3000; total++) {
        apportion(total, weights, given, 6);
        uint64_t sum = 0;
        for (int i = 0; i < 6; i++) {
            CHECK(given[i] >= before[i]);
            sum += before[i] = given[i];
        }
        EQUAL(sum, total);
    }
    EQUAL(given[4], 0);
    apportion(133ull << 40, weights, given, 6);
    EQUAL(given[2], 90ull << 40);
}

CU_TestInfo charge_tests[] = {
    TEST(the_papers_example_comes_out),
    TEST(an_execution_without_io_is_the_driver_domains_own),
    TEST(by_interval_all_running_in_it_is_shared),
    TEST(by_execution_each_is_shared_by_its_own_events),
    TEST(own_time_can_be_spread_in_the_proportion_of_recent_charges),
    TEST(weights_weigh),
    TEST(a_method_looks_at_its_own_events_only),
    TEST(a_charge_is_split_where_an_interval_ends),
    TEST(a_run_of_pages_is_split_where_an_interval_ends),
    TEST(a_run_of_pages_counts_every_page_of_every_guest),
    TEST(an_execution_that_goes_on_at_the_end_does_not_hold_the_last_interval_open),
    TEST(a_long_execution_is_charged_piece_by_piece),
    TEST(an_execution_without_records_is_one_period_and_own),
    TEST(what_no_reading_covers_is_unattributed),
    TEST(counts_of_a_domain_the_trace_does_not_show_are_unattributed),
    TEST(a_driver_domain_nobody_counts_for_is_charged_by_the_trace),
    TEST(packets_share_the_time_between_two_readings),
    TEST(webster_gives_all_and_takes_nothing_back),
    CU_TEST_INFO_NULL,
};
