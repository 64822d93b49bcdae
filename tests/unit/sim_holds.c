/* How a guest of a simulated host is held back: limits by hand, and hosts whose driver domain has a program that never stops. */
#include "sim/hold.h"
#include "sim/packet_limit.h"
#include "sim/simulation.h"
#include "sim_run.h"
#include "suites.h"

#define MS 1000000u

/* ---- limits ---- */

static void a_filter_lets_a_burst_pass_and_then_its_rate(void)
{
    /* 10000 bytes a second: a burst of 2000 and 3072 bytes; then 1000 in each tenth of a second. */
    struct packet_filter f = {.bytes_per_s = SIM_FREE};
    CHECK(packet_filter_passes(&f, 65536, 0));
    packet_filter_set(&f, 10000);
    CHECK(packet_filter_passes(&f, 5000, 0));
    CHECK(!packet_filter_passes(&f, 100, 0));
    CHECK(packet_filter_passes(&f, 1000, 100 * MS));
    CHECK(!packet_filter_passes(&f, 100, 100 * MS));
    packet_filter_set(&f, 0);
    CHECK(!packet_filter_passes(&f, 1, 1000 * MS));
    packet_filter_set(&f, SIM_FREE);
    CHECK(packet_filter_passes(&f, 65536, 1000 * MS));
}

static void netback_gets_credit_every_50_ms(void)
{
    /* 100000 bytes a second are 5000 each time. */
    struct packet_credit c = {.bytes = SIM_FREE};
    CHECK(packet_credit_covers(&c, 65536, 0));
    packet_credit_set(&c, 100000, 10 * MS);
    CHECK(packet_credit_covers(&c, 3000, 10 * MS));
    CHECK(!packet_credit_covers(&c, 3000, 59 * MS));
    EQUAL(c.due_ns, 60 * MS);
    CHECK(packet_credit_covers(&c, 3000, 60 * MS)); /* 4000 are left */
    packet_credit_set(&c, 100000, 61 * MS);         /* the same as before */
    CHECK(packet_credit_covers(&c, 4000, 61 * MS));
    CHECK(!packet_credit_covers(&c, 1, 61 * MS));
}

static void netback_gets_credit_as_rarely_as_three_packets_take(void)
{
    struct packet_credit c = {.bytes = SIM_FREE};
    packet_credit_set(&c, 10000, 0);
    CHECK(packet_credit_covers(&c, 4542, 0));
    CHECK(!packet_credit_covers(&c, 1, 454 * MS));
    CHECK(packet_credit_covers(&c, 4542, 455 * MS));
    packet_credit_set(&c, SIM_FREE, 456 * MS);
    CHECK(packet_credit_covers(&c, 1 << 20, 456 * MS));
}

static void netback_saves_no_more_than_128_kib(void)
{
    struct packet_credit c = {.bytes = SIM_FREE};
    packet_credit_set(&c, 100000, 0);
    uint64_t at_ns = 0;
    for (int i = 0; i < 100; i++)
        CHECK(packet_credit_covers(&c, 0, at_ns += 50 * MS));
    CHECK(packet_credit_covers(&c, 131072, at_ns));
    CHECK(!packet_credit_covers(&c, 1, at_ns));
}

static void netback_always_gets_credit_for_a_packet(void)
{
    struct packet_credit c = {.bytes = SIM_FREE};
    packet_credit_set(&c, 1, 0);
    CHECK(packet_credit_covers(&c, 1514, 0));
    CHECK(!packet_credit_covers(&c, 1514, 999 * MS));
    CHECK(packet_credit_covers(&c, 1514, 1000 * MS));
}

/* ---- hosts ---- */

static int drop_bytes(void *context, const void *bytes, size_t n)
{
    (void)context, (void)bytes, (void)n;
    return 0;
}

/* The truth of a host in which the driver domain 0 and the scheduler hold guest 1 so for the first 500 ms of a second. NULL: it failed. */
static json_t *held_run(const char *host, const char *domains, const struct sim_hold *hold)
{
    struct scenario *plan = sim_scenario("1000", host, domains);
    const struct simulation_sink sink = {.write = drop_bytes};
    const struct sim_hold nothing = sim_hold_nothing();
    struct simulation *s = simulation_new(plan, &sink, NULL);
    CU_ASSERT_FATAL(s != NULL);
    EQUAL(simulation_hold(s, 1, 0, hold, 0, NULL), 0);
    EQUAL(simulation_hold(s, 1, 0, &nothing, 500 * MS, NULL), 0);
    EQUAL(simulation_run(s, NULL), 0);
    json_t *truth = simulation_truth(s);
    simulation_free(s);
    scenario_free(plan);
    return truth;
}

static int64_t work_of(const json_t *truth, const char *what)
{
    json_t *guest = json_array_get(json_object_get(truth, "domains"), 1);
    return json_integer_value(json_object_get(json_object_get(guest, "work"), what));
}

static int64_t ran_of(const json_t *truth)
{
    json_t *guest = json_array_get(json_object_get(truth, "domains"), 1);
    return json_integer_value(
        json_object_get(json_array_get(json_object_get(guest, "vcpus"), 0), "running_ns"));
}

#define TWO_PCPUS ", 'scheduler': 'credit', 'pcpus': 2"
#define HOG       "{ 'type': 'hog' }"

#define DISK_GUEST                                                                                           \
    "{ 'id': 1, 'pin': 1, 'loads': [ { 'type': 'disk', 'requests_per_s': 1000 } ], 'destroyed_ms': 450 }"
#define BUSY "{ 'id': 0, 'pin': 0, 'driver_domain': {}, 'loads': [ " HOG " ] }, "
#define IDLE "{ 'id': 0, 'pin': 0, 'driver_domain': {} }, "

static int64_t served(const char *domains, const struct sim_hold *hold)
{
    json_t *truth = held_run(TWO_PCPUS, domains, hold);
    int64_t requests = work_of(truth, "disk_requests");
    json_decref(truth);
    return requests;
}

static void threads_of_low_priority_run_when_no_program_wants_to(void)
{
    const struct sim_hold nothing = sim_hold_nothing();
    struct sim_hold low = nothing;
    low.low_priority = true;
    /* Of 450 requests: a program of the driver domain, which never stops, goes before the thread only if that is held. */
    WITHIN(served(BUSY DISK_GUEST, &nothing), 430, 460);
    EQUAL(served(BUSY DISK_GUEST, &low), 0);
    WITHIN(served(IDLE DISK_GUEST, &low), 430, 460);
}

static void a_thread_that_waits_goes_on_when_its_priority_is_back(void)
{
    struct sim_hold low = sim_hold_nothing();
    low.low_priority = true;
    /* From 500 ms on it serves all that have waited, too. */
    WITHIN(
        served(BUSY "{ 'id': 1, 'pin': 1, 'loads': [ { 'type': 'disk', 'requests_per_s': 1000 } ] }", &low),
        900, 1000);
}

static void a_capped_guest_runs_for_its_part_and_then_for_all(void)
{
    struct sim_hold cap = sim_hold_nothing();
    cap.cap_ppm = 200000; /* 100 ms of the first 500 ms */
    static const char *const hosts[] = {TWO_PCPUS, ", 'scheduler': 'credit2', 'pcpus': 2"};
    for (size_t i = 0; i < 2; i++) {
        json_t *truth =
            held_run(hosts[i],
                     "{ 'id': 0, 'pin': 0, 'driver_domain': {} }, { 'id': 1, 'pin': 1, 'loads': [ " HOG
                     ", { 'type': 'disk', 'requests_per_s': 1 } ] }",
                     &cap);
        WITHIN(ran_of(truth), (int64_t)540 * MS, (int64_t)640 * MS);
        json_decref(truth);
    }
}

static void a_cap_takes_the_smaller_part_of_a_budget(void)
{
    struct sim_hold cap = sim_hold_nothing();
    cap.cap_ppm = 500000;
    /* The budget of 40 % stays below a cap of 50 %. */
    json_t *truth =
        held_run(", 'scheduler': 'rtds', 'pcpus': 2",
                 "{ 'id': 0, 'pin': 0, 'driver_domain': {} }, { 'id': 1, 'pin': 1, 'budget_ms': 4, "
                 "'period_ms': 10, 'loads': [ " HOG ", { 'type': 'disk', 'requests_per_s': 1 } ] }",
                 &cap);
    WITHIN(ran_of(truth), (int64_t)390 * MS, (int64_t)410 * MS);
    json_decref(truth);
}

/* Packets of 1000 bytes, 10000 a second, of a sender that does not notice what is dropped. */
#define SENDER "{ 'type': 'bulk_out', 'transport': 'udp', 'packets_per_s': 10000, 'packet_bytes': 1000 }"
#define SENDS                                                                                                \
    "{ 'id': 0, 'pin': 0, 'driver_domain': {} }, { 'id': 1, 'pin': 1, 'loads': [ " SENDER " ], "             \
    "'destroyed_ms': 450 }"

static void netback_leaves_in_the_ring_what_its_credit_does_not_cover(void)
{
    struct sim_hold rate = sim_hold_nothing();
    rate.receive_bytes_per_s = 100000;
    /* In 450 ms 5 packets each 50 ms are received, and 256 wait in the ring. */
    json_t *held = held_run(TWO_PCPUS, SENDS, &rate);
    WITHIN(work_of(held, "packets_out"), 256, 256 + 45);
    EQUAL(work_of(held, "packets_dropped"), 0);
    struct sim_hold drop = sim_hold_nothing();
    drop.filter_bytes_per_s = 0;
    json_t *dropped = held_run(TWO_PCPUS, SENDS, &drop);
    WITHIN(work_of(dropped, "packets_out"), 4400, 4600);
    WITHIN(work_of(dropped, "packets_dropped"), 4300, 4600);
    json_decref(held);
    json_decref(dropped);
}

static void each_device_has_credit_of_its_own(void)
{
    struct sim_hold rate = sim_hold_nothing();
    rate.receive_bytes_per_s = 100000;
    json_t *truth =
        held_run(TWO_PCPUS,
                 "{ 'id': 0, 'pin': 0, 'driver_domain': {} }, { 'id': 1, 'pin': 1, 'loads': [ "
                 "{ 'type': 'bulk_out', 'packets_per_s': 5000, 'packet_bytes': 1000 }, "
                 "{ 'type': 'bulk_out', 'packets_per_s': 5000, 'packet_bytes': 1000, 'vif': 3 } ], "
                 "'destroyed_ms': 450 }",
                 &rate);
    WITHIN(work_of(truth, "packets_out"), 2 * 256, 2 * (256 + 45));
    json_decref(truth);
}

CU_TestInfo sim_holds_tests[] = {
    TEST(a_filter_lets_a_burst_pass_and_then_its_rate),
    TEST(netback_gets_credit_every_50_ms),
    TEST(netback_gets_credit_as_rarely_as_three_packets_take),
    TEST(netback_saves_no_more_than_128_kib),
    TEST(netback_always_gets_credit_for_a_packet),
    TEST(threads_of_low_priority_run_when_no_program_wants_to),
    TEST(a_thread_that_waits_goes_on_when_its_priority_is_back),
    TEST(a_capped_guest_runs_for_its_part_and_then_for_all),
    TEST(a_cap_takes_the_smaller_part_of_a_budget),
    TEST(netback_leaves_in_the_ring_what_its_credit_does_not_cover),
    TEST(each_device_has_credit_of_its_own),
    CU_TEST_INFO_NULL,
};
