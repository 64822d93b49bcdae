/* Records as they stand, one by one: their order, their times, who was current, and which are wanted. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "check.h"
#include "metrics/measure/dump.h"
#include "metrics/model/runstate.h"
#include "run_program.h"
#include "suites.h"

#define TOLD_MAX        4096
#define VCPU(DOM, VCPU) ((uint32_t)(DOM) << 16 | (VCPU))

static struct dump_record told[TOLD_MAX];
static struct quality quality;

static int open_bytes(const struct bytes *b, char path[64])
{
    int fd = memfd_create("capture", 0);
    snprintf(path, 64, "/dev/fd/%d", fd);
    CHECK(write(fd, b->data, b->n) == (ssize_t)b->n);
    return fd;
}

/* Tells the records that options and filter want; returns how many. The capture is swept and freed. */
static size_t tell(struct trace_bytes *c, const struct trace_options *options,
                   const struct dump_filter *filter)
{
    char path[64];
    struct error err = {0};
    struct event_batch batch;
    static struct dump_reader reader;
    size_t n = 0;
    sweep(c);
    int fd = open_bytes(&c->file, path);
    event_fields_init();
    struct trace *t = trace_open(path, options, &err);
    dump_reader_init(&reader, filter);
    while (t && trace_next(t, &batch, &err) > 0)
        for (size_t at = 0; n < TOLD_MAX && dump_next(&reader, &batch, &at, trace_clock(t), &told[n]);)
            n++;
    CHECK(t != NULL && err.code == ERROR_NONE);
    if (t)
        quality = *trace_quality(t);
    trace_close(t);
    close(fd);
    trace_bytes_free(c);
    return n;
}

static struct trace_options everything(void)
{
    struct trace_options options = {.cpu_hz = 1e9};
    memset(options.interest.raw, true, sizeof options.interest.raw);
    options.interest.raw[EVENT_CPU_CHANGE] = false;
    return options;
}

static size_t tell_all(struct trace_bytes *c)
{
    struct trace_options options = everything();
    return tell(c, &options, &(struct dump_filter){0});
}

static size_t tell_some(struct trace_bytes *c, const struct dump_filter *filter)
{
    struct trace_options options = everything();
    return tell(c, &options, filter);
}

static void every_record_is_told_with_all_its_words(void)
{
    struct trace_bytes c;
    trace_bytes_init(&c);
    for (unsigned words = 0; words <= 7; words++) {
        uint32_t w[7];
        for (unsigned i = 0; i < 7; i++)
            w[i] = words * 16 + i;
        record(&c, 10 + words, 0x0800f001, words, w);
        record_untimed(&c, 0x00abc001, words, w);
    }
    size_t n = tell_all(&c);
    EQUAL(n, 16);
    for (size_t i = 0; i < n; i++) {
        unsigned words = (unsigned)i / 2;
        EQUAL(told[i].slot, i % 2 ? EVENT_UNRECOGNISED : EVENT_GUEST_EVENT);
        EQUAL(told[i].header >> 28 & 7, words);
        EQUAL(told[i].time_ns, words); /* a record without a tsc has that of the one before */
        for (unsigned k = 0; k < words; k++)
            EQUAL(told[i].w[k], words * 16 + k);
    }
    EQUAL(quality.records, 17); /* and a cpu_change */
}

static void a_window_comes_with_its_first_record(void)
{
    struct trace_bytes c;
    struct trace_options options = everything();
    options.interest.raw[EVENT_CPU_CHANGE] = true;
    trace_bytes_init(&c);
    on(&c, 0);
    rec_wake(&c, 10, 1, 0);
    on(&c, 3);
    rec_wake(&c, 20, 1, 0);
    sweep(&c);
    on(&c, 0);
    rec_wake(&c, 30, 1, 0);
    EQUAL(tell(&c, &options, &(struct dump_filter){0}), 6);
    EQUAL(told[0].slot, EVENT_CPU_CHANGE);
    EQUAL(told[0].time_ns, 0);
    EQUAL(told[0].w[1], 20);
    EQUAL(told[1].time_ns, 0);
    EQUAL(told[2].slot, EVENT_CPU_CHANGE);
    EQUAL(told[2].pcpu, 3);
    EQUAL(told[2].time_ns, 10);
    EQUAL(told[4].slot, EVENT_CPU_CHANGE); /* of the second sweep, not at the end of the first */
    EQUAL(told[4].pcpu, 0);
    EQUAL(told[4].time_ns, 20);
}

/* tsc 7 cycles apart on many pCPUs, and equal ones: the lower pCPU first, and each in its own order. */
static void many_pcpus_come_in_the_order_of_time(void)
{
    struct trace_bytes c;
    uint64_t last = 0;
    trace_bytes_init(&c);
    for (unsigned i = 0; i < 3000; i++) {
        on(&c, i * 37 % CAPTURE_PCPUS);
        rec_wake(&c, i / 5 * 7, i, 0);
    }
    EQUAL(tell_all(&c), 3000);
    for (unsigned i = 0; i < 3000; i++) {
        bool ordered =
            i == 0 || told[i].tsc > last ||
            (told[i].tsc == last && (told[i].pcpu > told[i - 1].pcpu || told[i].w[0] > told[i - 1].w[0]));
        CHECK(ordered);
        EQUAL(told[i].tsc, BASE_TSC + told[i].w[0] / 5 * 7);
        last = told[i].tsc;
    }
}

/* The rest of a record of many words stays with it, where a batch ends, too. */
static void long_records_stay_whole(void)
{
    struct trace_bytes c;
    struct trace_options options = everything();
    const uint32_t w[7] = {1, 2, 3, 4, 5, 6, 7};
    char path[64];
    struct error err = {0};
    struct event_batch batch;
    size_t records = 0;
    trace_bytes_init(&c);
    for (unsigned i = 0; i < 20001; i++) {
        on(&c, i % 2);
        record(&c, i / 2, 0x0800f001, 5 + i % 3, w);
    }
    sweep(&c);
    int fd = open_bytes(&c.file, path);
    struct trace *t = trace_open(path, &options, &err);
    while (t && trace_next(t, &batch, &err) > 0)
        for (size_t i = 0; i < batch.n; i++) {
            const struct event *e = &batch.events[i];
            if (e->slot >= EVENT_SLOTS)
                continue;
            records++;
            CHECK(i + 1 < batch.n && e[1].slot == EVENT_MORE && e[1].pcpu == e->pcpu && e[1].w[0] == 5);
        }
    EQUAL(records, 20001);
    trace_close(t);
    close(fd);
    trace_bytes_free(&c);
}

static void the_vcpu_is_known_from_the_first_switch_back(void)
{
    struct trace_bytes c;
    trace_bytes_init(&c);
    rec_hypercall(&c, 1, 23);
    rec_runstate(&c, 2, 1, 3, RUNNING, BLOCKED);
    rec_runstate(&c, 3, 2, 0, RUNNABLE, RUNNING);
    rec_hypercall(&c, 4, 23);
    on(&c, 1); /* nothing ever tells */
    rec_hypercall(&c, 5, 23);
    EQUAL(tell_all(&c), 5);
    EQUAL(told[0].current, VCPU(1, 3));
    EQUAL(told[1].current, VCPU(1, 3));
    EQUAL(told[2].current, VCPU(1, 3)); /* both records of a switch are of the one that leaves */
    EQUAL(told[3].current, VCPU(2, 0));
    EQUAL(told[4].current, CURRENT_UNKNOWN);
}

static void without_runstate_changes_switches_tell(void)
{
    struct trace_bytes c;
    trace_bytes_init(&c);
    rec_hypercall(&c, 1, 23);
    rec_switch(&c, 2, 1, 3, 2, 0);
    rec_hypercall(&c, 3, 23);
    rec_switch(&c, 4, 2, 0, 7, 1);
    rec_switch(&c, 5, 7, 1, IDLE, 0);
    EQUAL(tell_all(&c), 5);
    EQUAL(told[0].current, VCPU(1, 3));
    EQUAL(told[1].current, VCPU(1, 3));
    EQUAL(told[2].current, VCPU(2, 0));
    EQUAL(told[3].current, VCPU(2, 0));
    EQUAL(told[4].current, VCPU(7, 1));
}

/* With core scheduling SWITCH names the first vCPU of a unit; the runstate changes behind it the right one. */
static void runstate_changes_are_believed_before_switches(void)
{
    struct trace_bytes c;
    trace_bytes_init(&c);
    rec_switch(&c, 1, 1, 0, 2, 0);
    rec_runstate(&c, 2, 1, 1, RUNNING, RUNNABLE);
    rec_runstate(&c, 3, 2, 1, RUNNABLE, RUNNING);
    rec_hypercall(&c, 4, 23);
    rec_continue(&c, 5, 2, 1);
    EQUAL(tell_all(&c), 5);
    EQUAL(told[3].current, VCPU(2, 1));
    EQUAL(told[4].current, VCPU(2, 1));
}

static void after_lost_records_the_one_that_writes_is_current(void)
{
    struct trace_bytes c;
    trace_bytes_init(&c);
    rec_runstate(&c, 1, 1, 0, RUNNABLE, RUNNING);
    rec_lost(&c, 50, 12, 3, 1, 10);
    rec_hypercall(&c, 60, 23);
    rec_lost_old(&c, 5);
    rec_hypercall(&c, 70, 23);
    rec_runstate(&c, 80, 4, 0, RUNNING, BLOCKED);
    EQUAL(tell_all(&c), 6);
    EQUAL(told[1].slot, EVENT_LOST_RECORDS);
    EQUAL(told[1].time_ns, 49);
    EQUAL(told[1].w[0], 12);
    EQUAL(told[1].current, VCPU(3, 1));
    EQUAL(told[2].current, VCPU(3, 1));
    EQUAL(told[3].slot, EVENT_LOST_RECORDS); /* of old, without a time or a vCPU */
    EQUAL(told[3].time_ns, 59);
    EQUAL(told[4].current, VCPU(4, 0)); /* as the next switch tells */
    EQUAL(quality.lost_records, 17);
}

/* Two spans of which nothing is known: what is learnt in the second says nothing of the first. */
static void what_is_learnt_holds_for_its_own_span(void)
{
    struct trace_bytes c;
    const uint32_t domain = 9;
    trace_bytes_init(&c);
    record(&c, 10, 0x00028009, 1, &domain); /* adjdom */
    rec_runstate(&c, 20, 5, 1, RUNNABLE, RUNNING);
    rec_lost_old(&c, 3);
    rec_continue(&c, 30, 7, 1);
    EQUAL(tell_all(&c), 4);
    EQUAL(told[0].current, CURRENT_UNKNOWN);
    EQUAL(told[1].current, CURRENT_UNKNOWN);
    EQUAL(told[3].current, VCPU(7, 1));
}

/* Damage may have taken switches with it. */
static void after_damage_nobody_is_current(void)
{
    struct trace_bytes c;
    const uint32_t garbage[4] = {0, 0, 0, 0};
    trace_bytes_init(&c);
    rec_runstate(&c, 1, 1, 0, RUNNABLE, RUNNING);
    rec_hypercall(&c, 2, 23);
    sweep(&c);
    raw(&c, garbage, sizeof garbage);
    rec_hypercall(&c, 3, 23);
    rec_runstate(&c, 4, 5, 0, RUNNABLE, RUNNING);
    rec_hypercall(&c, 5, 23);
    EQUAL(tell_all(&c), 5);
    EQUAL(told[1].current, VCPU(1, 0));
    EQUAL(told[2].current, CURRENT_UNKNOWN);
    EQUAL(told[4].current, VCPU(5, 0));
    EQUAL(quality.skipped_bytes, 16);
}

/* The two records of one switch count as one instant in the accounts; here they keep their own times. */
static void times_are_those_of_the_trace(void)
{
    struct trace_bytes c;
    trace_bytes_init(&c);
    rec_runstate(&c, 100, 1, 0, RUNNING, BLOCKED);
    rec_runstate(&c, 107, 2, 0, RUNNABLE, RUNNING);
    EQUAL(tell_all(&c), 2);
    EQUAL(told[0].tsc, BASE_TSC + 100);
    EQUAL(told[1].tsc, BASE_TSC + 107);
}

/* ---- which records ---- */

static void some_hosts_records(struct trace_bytes *c)
{
    trace_bytes_init(c);
    rec_runstate(c, 10, 1, 0, RUNNABLE, RUNNING);
    rec_wake(c, 20, 2, 1); /* while d1v0 runs */
    rec_map(c, 30, 3);     /* d3's page */
    on(c, 1);
    rec_runstate(c, 40, 2, 0, RUNNABLE, RUNNING);
    rec_hypercall(c, 50, 23);
    rec_switch(c, 60, 2, 0, 1, 1);
}

static void a_domains_records_are_those_it_wrote_and_those_that_name_it(void)
{
    struct trace_bytes c;
    uint8_t domains[65536] = {0};
    some_hosts_records(&c);
    domains[2] = 1;
    EQUAL(tell_some(&c, &(struct dump_filter){.domains = domains}), 4);
    EQUAL(told[0].slot, EVENT_WAKE);
    EQUAL(told[1].slot, EVENT_RUNSTATE_CHANGE);
    EQUAL(told[2].slot, EVENT_HYPERCALL_V2);
    EQUAL(told[3].slot, EVENT_SWITCH);
    some_hosts_records(&c);
    memset(domains, 0, sizeof domains);
    domains[3] = 1;
    EQUAL(tell_some(&c, &(struct dump_filter){.domains = domains}), 1);
    EQUAL(told[0].slot, EVENT_GRANT_MAP);
}

static void a_vcpus_records(void)
{
    struct trace_bytes c;
    const struct vcpu_range second = {2, 1, 1}, any_second = {-1, 1, 1};
    some_hosts_records(&c);
    EQUAL(tell_some(&c, &(struct dump_filter){.vcpus = &second, .vcpus_n = 1}), 1);
    EQUAL(told[0].slot, EVENT_WAKE);
    some_hosts_records(&c);
    EQUAL(tell_some(&c, &(struct dump_filter){.vcpus = &any_second, .vcpus_n = 1}), 2);
    EQUAL(told[1].slot, EVENT_SWITCH); /* to d1v1 */
}

static void a_part_of_the_time(void)
{
    struct trace_bytes c;
    some_hosts_records(&c);
    EQUAL(tell_some(&c, &(struct dump_filter){.from_ns = 10, .to_ns = 30}), 2); /* the first record is at 0 */
    EQUAL(told[0].time_ns, 10);
    EQUAL(told[1].time_ns, 20);
}

static void single_event_numbers(void)
{
    struct trace_bytes c;
    uint8_t by_number[EVENT_SLOTS] = {DUMP_ALL};
    const uint32_t numbers[] = {0x00021021};
    trace_bytes_init(&c);
    rec_runstate(&c, 10, 1, 0, RUNNABLE, RUNNING);
    rec_runstate(&c, 20, 1, 0, RUNNING, BLOCKED);
    rec_wake(&c, 30, 1, 0);
    by_number[EVENT_RUNSTATE_CHANGE] = DUMP_ONLY;
    EQUAL(tell_some(&c, &(struct dump_filter){.numbers = numbers, .numbers_n = 1, .by_number = by_number}),
          2);
    EQUAL(told[0].time_ns, 10);
    EQUAL(told[1].slot, EVENT_WAKE); /* of other slots all */
    trace_bytes_init(&c);
    rec_runstate(&c, 10, 1, 0, RUNNABLE, RUNNING);
    rec_runstate(&c, 20, 1, 0, RUNNING, BLOCKED);
    by_number[EVENT_RUNSTATE_CHANGE] = DUMP_EXCEPT;
    EQUAL(tell_some(&c, &(struct dump_filter){.numbers = numbers, .numbers_n = 1, .by_number = by_number}),
          1);
    EQUAL(told[0].time_ns, 0);
}

/* What is not wanted is skipped early, and yet tells who is current. */
static void unwanted_records_tell_who_is_current(void)
{
    struct trace_bytes c;
    struct trace_options options = {.cpu_hz = 1e9};
    options.interest.raw[EVENT_HYPERCALL_V2] = true;
    some_hosts_records(&c);
    rec_hypercall(&c, 70, 3);
    EQUAL(tell(&c, &options, &(struct dump_filter){0}), 2);
    EQUAL(told[0].current, VCPU(2, 0));
    EQUAL(told[1].current, VCPU(1, 1));
    EQUAL(quality.records, 9); /* all of them are counted */
}

static void only_some_pcpus(void)
{
    struct trace_bytes c;
    struct trace_options options = everything();
    options.interest.raw_some_pcpus = options.interest.raw_pcpus[1] = true;
    some_hosts_records(&c);
    EQUAL(tell(&c, &options, &(struct dump_filter){0}), 3);
    for (unsigned i = 0; i < 3; i++)
        EQUAL(told[i].pcpu, 1);
    EQUAL(quality.records, 8);
}

/* Where another consumer asked for more. */
static void what_others_want_is_left_out(void)
{
    struct trace_bytes c;
    static bool slots[EVENT_SLOTS];
    uint8_t pcpus[PCPUS_MAX] = {0, 1};
    struct trace_options options = everything();
    runstates_interest(&options.interest);
    options.interest.io = true;
    slots[EVENT_RUNSTATE_CHANGE] = slots[EVENT_SWITCH] = true;
    some_hosts_records(&c);
    EQUAL(tell(&c, &options, &(struct dump_filter){.slots = slots, .pcpus = pcpus}), 2);
    EQUAL(told[0].slot, EVENT_RUNSTATE_CHANGE);
    EQUAL(told[1].slot, EVENT_SWITCH);
    EQUAL(told[1].pcpu, 1);
}

/* Nobody waits for the clock where times are told in cycles. */
static void without_a_clock_there_are_cycles(void)
{
    struct trace_bytes c;
    struct trace_options options = everything();
    options.cpu_hz = 0;
    options.cycles = true;
    some_hosts_records(&c);
    EQUAL(tell(&c, &options, &(struct dump_filter){0}), 6);
    EQUAL(told[5].tsc, BASE_TSC + 60);
}

/* AMD's reasons under VMX's number: one that only AMD has says so of all, the ones before it as well. */
static void reasons_of_exits_are_amds_if_one_is(void)
{
    struct trace_bytes c;
    const uint32_t ambiguous[2] = {0x10, 0}, certain[2] = {0x7c, 0};
    trace_bytes_init(&c);
    record(&c, 10, 0x00081002, 2, ambiguous);
    record(&c, 20, 0x00081002, 2, certain);
    EQUAL(tell_all(&c), 2);
    CHECK(told[0].fields == told[1].fields);
    CHECK(strcmp(value_name(told[0].fields->fields[0].names, 0x10)->text, "cr0_write") == 0);
    trace_bytes_init(&c);
    record(&c, 10, 0x00081002, 2, ambiguous);
    EQUAL(tell_all(&c), 1);
    CHECK(strcmp(value_name(told[0].fields->fields[0].names, 0x10)->text, "rdtsc") == 0);
    /* a record that no Xen writes decides nothing */
    trace_bytes_init(&c);
    record(&c, 10, 0x00081002, 2, ambiguous);
    record(&c, 20, 0x00081002, 1, certain);
    EQUAL(tell_all(&c), 2);
    CHECK(strcmp(value_name(told[0].fields->fields[0].names, 0x10)->text, "rdtsc") == 0);
}

/* Records that got a tsc in 4.7 tell by having none that the trace is older. */
static void records_without_a_tsc_tell_of_an_old_xen(void)
{
    struct trace_bytes c;
    const uint32_t unit[2] = {0x30007, 1};
    for (int old = 0; old < 2; old++) {
        trace_bytes_init(&c);
        record(&c, 10, 0x00022205, 2, unit);
        if (old)
            record_untimed(&c, 0x00022202, 2, unit);
        else
            record(&c, 20, 0x00022202, 2, unit);
        EQUAL(tell_all(&c), 2);
        for (unsigned i = 0; i < 2; i++)
            EQUAL(field_value(&told[i].fields->fields[told[i].fields->vcpus[0].domain], told[i].w),
                  old ? 7 : 3);
    }
}

CU_TestInfo raw_tests[] = {
    TEST(every_record_is_told_with_all_its_words),
    TEST(a_window_comes_with_its_first_record),
    TEST(many_pcpus_come_in_the_order_of_time),
    TEST(long_records_stay_whole),
    TEST(the_vcpu_is_known_from_the_first_switch_back),
    TEST(without_runstate_changes_switches_tell),
    TEST(runstate_changes_are_believed_before_switches),
    TEST(after_lost_records_the_one_that_writes_is_current),
    TEST(what_is_learnt_holds_for_its_own_span),
    TEST(after_damage_nobody_is_current),
    TEST(times_are_those_of_the_trace),
    TEST(a_domains_records_are_those_it_wrote_and_those_that_name_it),
    TEST(a_vcpus_records),
    TEST(a_part_of_the_time),
    TEST(single_event_numbers),
    TEST(unwanted_records_tell_who_is_current),
    TEST(only_some_pcpus),
    TEST(what_others_want_is_left_out),
    TEST(without_a_clock_there_are_cycles),
    TEST(reasons_of_exits_are_amds_if_one_is),
    TEST(records_without_a_tsc_tell_of_an_old_xen),
    CU_TEST_INFO_NULL,
};
