/* Records as older versions of Xen wrote them. */
#include "run_program.h"
#include "suites.h"

/* Xen 4.7 and older: INFPREV {dom, ran}, INFNEXT {dom, waited, slice}. */
static void infnext_of_three_words_grants_its_slice(void)
{
    struct trace_bytes c;
    trace_bytes_init(&c);
    on(&c, 0);
    mark(&c, 0);
    rec_infprev_old(&c, 10 * MS, IDLE, 10 * MS);
    rec_infnext_old(&c, 10 * MS, 1, 5000000, 25000000);
    starts(&c, 10 * MS, 1, 0);
    rec_infprev_old(&c, 20 * MS, 1, 10 * MS);
    rec_infnext_old(&c, 20 * MS, IDLE, 0, 0xffffffff);
    stops(&c, 20 * MS, 1, 0, BLOCKED);
    mark(&c, 40 * MS);
    struct result r = run(&c, (struct setup){.by = BY_VCPU});
    EQUAL(ROW(&r, .domain = 1)->allocated_slices, 1);
    EQUAL(ROW(&r, .domain = 1)->allocated_ns, 25 * MS);
    STATES(ROW(&r, .domain = 1), 10 * MS, 10 * MS, 20 * MS, 0, 0);
    result_free(&r);
    trace_bytes_free(&c);
}

/* They name no vCPU: without runstate changes SWITCH, which follows, does. */
static void old_switch_records_without_runstates(void)
{
    struct trace_bytes c;
    trace_bytes_init(&c);
    on(&c, 0);
    mark(&c, 0);
    rec_infprev_old(&c, 10 * MS, IDLE, 10 * MS);
    rec_infnext_old(&c, 10 * MS, 1, 5000000, 25000000);
    rec_switch(&c, 10 * MS, IDLE, 0, 1, 3);
    rec_infprev_old(&c, 20 * MS, 1, 10 * MS);
    rec_infnext_old(&c, 20 * MS, IDLE, 0, 0xffffffff);
    rec_switch(&c, 20 * MS, 1, 3, IDLE, 0);
    mark(&c, 40 * MS);
    struct result r = run(&c, (struct setup){.by = BY_VCPU});
    STATES(ROW(&r, .domain = 1, .vcpu = 3), 10 * MS, 30 * MS, 0, 0, 0);
    EQUAL(ROW(&r, .domain = 1, .vcpu = 3)->executions, 1);
    EQUAL(r.rows_n, 1);
    result_free(&r);
    trace_bytes_free(&c);
}

/* Xen 3.2 and 3.3 had subclass 0xf instead of 8. */
static void the_oldest_numbers_of_the_scheduler_records(void)
{
    struct trace_bytes c;
    trace_bytes_init(&c);
    on(&c, 0);
    mark(&c, 0);
    record(&c, 10 * MS, 0x0002f00a, 4, (const uint32_t[]){IDLE, 0, 1, 0});
    record(&c, 20 * MS - 1 * US, 0x0002f006, 2, (const uint32_t[]){1, 0});
    record(&c, 20 * MS, 0x0002f00a, 4, (const uint32_t[]){1, 0, IDLE, 0});
    record(&c, 30 * MS, 0x0002f004, 2, (const uint32_t[]){1, 0});
    mark(&c, 40 * MS);
    struct result r = run(&c, (struct setup){.by = BY_VCPU});
    STATES(ROW(&r, .domain = 1), 10 * MS, 20 * MS, 10 * MS, 0, 0);
    EQUAL(r.quality.unrecognised_kinds, 0);
    EQUAL(r.quality.events[EVENT_SWITCH].forms[8 + 4], 2);
    result_free(&r);
    trace_bytes_free(&c);
}

static void unrecognised_events_are_counted_and_never_fatal(void)
{
    struct trace_bytes c;
    trace_bytes_init(&c);
    on(&c, 0);
    mark(&c, 0);
    starts(&c, 10 * MS, 1, 0);
    record(&c, 12 * MS, 0x0002c123, 3, (const uint32_t[]){1, 2, 3});
    record(&c, 13 * MS, 0x0002c123, 0, NULL);
    record_untimed(&c, 0x04001001, 1, (const uint32_t[]){9}); /* a class that is not there yet */
    stops(&c, 20 * MS, 1, 0, BLOCKED);
    mark(&c, 40 * MS);
    struct result r = run(&c, (struct setup){.by = BY_VCPU});
    STATES(ROW(&r, .domain = 1), 10 * MS, 10 * MS, 20 * MS, 0, 0);
    EQUAL(r.quality.unrecognised_kinds, 2);
    EQUAL(r.quality.unrecognised[0].event, 0x0002c123);
    EQUAL(r.quality.unrecognised[0].records, 2);
    EQUAL(r.quality.unrecognised[0].bytes, 24 + 12);
    EQUAL(r.quality.unrecognised[1].event, 0x04001001);
    EQUAL(r.quality.skipped_bytes, 0);
    result_free(&r);
    trace_bytes_free(&c);
}

CU_TestInfo old_layouts_tests[] = {
    TEST(infnext_of_three_words_grants_its_slice),
    TEST(old_switch_records_without_runstates),
    TEST(the_oldest_numbers_of_the_scheduler_records),
    TEST(unrecognised_events_are_counted_and_never_fatal),
    CU_TEST_INFO_NULL,
};
