/*
 * Records that the simulated host writes as older versions of Xen: numbers and words worked out by hand from the trace points of
 * these versions.
 */
#include <string.h>

#include "check.h"
#include "sim/trace_layout.h"
#include "suites.h"

#define VCPU  0x00050003u /* vCPU 3 of domain 5, today */
#define FIRST 0x00030005u /* the same with the domain in the low half */

/* Today's words of the event in Xen 4.version are then these. */
#define BECOMES(version, event, ...)                                                                         \
    becomes(version, event, n_now, now, sizeof((const uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t),          \
            (const uint32_t[]){__VA_ARGS__}, __LINE__)
#define NOW(...)                                                                                             \
    const uint32_t now[] = {__VA_ARGS__};                                                                    \
    const unsigned n_now = sizeof now / sizeof now[0]

static void becomes(uint32_t version, enum trace_event event, unsigned n_now, const uint32_t *now,
                    unsigned n_then, const uint32_t *then, unsigned line)
{
    struct trace_layout layout;
    uint32_t words[TRACE_EXTRA_MAX];
    memcpy(words, now, n_now * sizeof *now);
    trace_layout_init(&layout, version);
    unsigned n = trace_layout_words(&layout, event, words, n_now);
    check_equal(n, n_then, "words", __FILE__, line);
    for (unsigned i = 0; i < n && i < n_then; i++)
        check_equal(words[i], then[i], "word", __FILE__, line);
}

static void today_nothing_changes(void)
{
    struct trace_layout layout;
    trace_layout_init(&layout, TRACE_LAYOUT_NEWEST);
    EQUAL(memcmp(layout.events, trace_event_info, sizeof layout.events), 0);
    for (unsigned i = 0; i < TRC_EVENT_COUNT; i++)
        CHECK(layout.written[i] && !layout.past[i]);
}

static void until_4_7_records_of_a_switch_do_not_name_vcpus(void)
{
    {
        NOW(5, 3, 1000);
        BECOMES(8, TRC_SWITCH_INFPREV, 5, 3, 1000);
        BECOMES(7, TRC_SWITCH_INFPREV, 5, 1000);
    }
    NOW(5, 3, 1000, 30000000);
    BECOMES(8, TRC_SWITCH_INFNEXT, 5, 3, 1000, 30000000);
    BECOMES(7, TRC_SWITCH_INFNEXT, 5, 1000, 30000000);
}

static void until_4_6_credit2_and_rtds_put_the_domain_first(void)
{
    NOW(VCPU, 7);
    BECOMES(7, TRC_CSCHED2_RUNQ_POS, VCPU, 7);
    BECOMES(6, TRC_CSCHED2_RUNQ_POS, FIRST, 7);
    {
        NOW(VCPU, 1, 2, 3, 4);
        BECOMES(6, TRC_RTDS_RUNQ_PICK, FIRST, 1, 2, 3, 4);
    }
}

static void credit2_burns_with_a_budget_since_4_10(void)
{
    NOW(VCPU, 100, 200, 300);
    BECOMES(10, TRC_CSCHED2_CREDIT_BURN, VCPU, 100, 200, 300);
    BECOMES(9, TRC_CSCHED2_CREDIT_BURN, VCPU, 100, 300);
    BECOMES(6, TRC_CSCHED2_CREDIT_BURN, FIRST, 100, 300);
}

static void credit2_resets_with_a_multiplier_until_4_13(void)
{
    NOW(VCPU, 100, 200);
    BECOMES(14, TRC_CSCHED2_CREDIT_RESET, VCPU, 100, 200);
    BECOMES(13, TRC_CSCHED2_CREDIT_RESET, VCPU, 100, 200, 1);
    BECOMES(6, TRC_CSCHED2_CREDIT_RESET, FIRST, 100, 200, 1);
}

static void credit2_loads_had_half_the_words_until_4_7(void)
{
    {
        NOW(0x1234, 0, VCPU, 18);
        BECOMES(8, TRC_CSCHED2_UPDATE_UNIT_LOAD, 0x1234, 0, VCPU, 18);
        BECOMES(7, TRC_CSCHED2_UPDATE_UNIT_LOAD, VCPU, 0x1234);
        BECOMES(6, TRC_CSCHED2_UPDATE_UNIT_LOAD, FIRST, 0x1234);
    }
    /* 5 vCPUs on run queue 2 */
    NOW(0x1234, 0, 0x5678, 0, 18u << 24 | 2u << 16 | 5);
    BECOMES(7, TRC_CSCHED2_UPDATE_RUNQ_LOAD, 0x12345, 0x56782);
}

static void rtds_has_priorities_since_4_10(void)
{
    {
        NOW(VCPU, 1, 0, 200, 3, 1);
        BECOMES(9, TRC_RTDS_BUDGET_BURN, VCPU, 1, 0, 200);
    }
    NOW(VCPU, 3, 1, 0, 200, 0);
    BECOMES(9, TRC_RTDS_BUDGET_REPLENISH, VCPU, 1, 0, 200, 0);
    BECOMES(6, TRC_RTDS_BUDGET_REPLENISH, FIRST, 1, 0, 200, 0);
}

static void until_4_2_hypercalls_have_an_address_and_no_arguments(void)
{
    /* grant_table_op with command and count; entry 20 of the page lies 640 bytes into it, and returns 10 bytes later. */
    NOW(20 | 1u << 20 | 1u << 24, 5, 64);
    BECOMES(3, TRC_PV_HYPERCALL_V2, 20 | 1u << 20 | 1u << 24, 5, 64);
    BECOMES(2, TRC_PV_HYPERCALL_V2, 0x8100128a, 0xffffffff, 20);
}

static void until_4_2_schedulers_share_numbers_and_pv_guests_have_others(void)
{
    struct trace_layout layout;
    trace_layout_init(&layout, 2);
    EQUAL(layout.events[TRC_CSCHED2_RUNQ_POS].id, 0x00022002);
    EQUAL(layout.events[TRC_CSCHED2_UPDATE_RUNQ_LOAD].id, 0x0002200c);
    EQUAL(layout.events[TRC_PV_HYPERCALL_V2].id, 0x0020f101);
    EQUAL(layout.events[TRC_PV_TRAP_64].id, 0x0020f103);
    EQUAL(layout.events[TRC_IRQ_HANDLED].id, 0x00802008);
    trace_layout_init(&layout, 1);
    EQUAL(layout.events[TRC_IRQ_HANDLED].id, 0x0001f004);
    trace_layout_init(&layout, 3);
    EQUAL(layout.events[TRC_CSCHED2_RUNQ_POS].id, 0x00022202);
    EQUAL(layout.events[TRC_PV_HYPERCALL_V2].id, 0x0020100d);
}

static void until_4_6_some_records_have_no_tsc(void)
{
    struct trace_layout layout;
    trace_layout_init(&layout, 6);
    CHECK(layout.events[TRC_CSCHED_TICKLE].untimed && layout.events[TRC_CSCHED2_RUNQ_POS].untimed &&
          layout.events[TRC_CSCHED2_TICKLE].untimed && layout.events[TRC_RTDS_TICKLE].untimed);
    CHECK(!layout.events[TRC_CSCHED2_CREDIT_BURN].untimed);
    trace_layout_init(&layout, 7);
    CHECK(!layout.events[TRC_CSCHED_TICKLE].untimed && !layout.events[TRC_CSCHED2_RUNQ_POS].untimed);
}

static void records_that_came_later_are_not_written(void)
{
    struct trace_layout layout;
    trace_layout_init(&layout, 8);
    CHECK(!layout.written[TRC_SWITCH_INFCONT] && !layout.written[TRC_CSCHED2_RUNQ_CAND_CHECK]);
    CHECK(layout.written[TRC_CSCHED2_SCHEDULE] && layout.written[TRC_CSCHED_SCHEDULE]);
    trace_layout_init(&layout, 7);
    CHECK(!layout.written[TRC_CSCHED2_SCHEDULE] && !layout.written[TRC_CSCHED_SCHEDULE]);
    CHECK(layout.written[TRC_DOM0_DOM_ADD] && !trace_layout_counts_vcpus(&layout));
    trace_layout_init(&layout, 6);
    CHECK(!layout.written[TRC_DOM0_DOM_ADD] && trace_layout_counts_vcpus(&layout));
}

static void versions_are_those_of_xen_4(void)
{
    static const char *const none[] = {
        "", "4", "4.", "4.-1", "4.x", "4.6x", "4.23", "5.0", "4.99999999999999999999"};
    uint32_t version = 99;
    CHECK(trace_layout_parse("4.0", &version));
    EQUAL(version, 0);
    CHECK(trace_layout_parse("4.22", &version));
    EQUAL(version, 22);
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++)
        CHECK(!trace_layout_parse(none[i], &version));
}

CU_TestInfo sim_layouts_tests[] = {
    TEST(today_nothing_changes),
    TEST(until_4_7_records_of_a_switch_do_not_name_vcpus),
    TEST(until_4_6_credit2_and_rtds_put_the_domain_first),
    TEST(credit2_burns_with_a_budget_since_4_10),
    TEST(credit2_resets_with_a_multiplier_until_4_13),
    TEST(credit2_loads_had_half_the_words_until_4_7),
    TEST(rtds_has_priorities_since_4_10),
    TEST(until_4_2_hypercalls_have_an_address_and_no_arguments),
    TEST(until_4_2_schedulers_share_numbers_and_pv_guests_have_others),
    TEST(until_4_6_some_records_have_no_tsc),
    TEST(records_that_came_later_are_not_written),
    TEST(versions_are_those_of_xen_4),
    CU_TEST_INFO_NULL,
};
