/* Events whose numbers had another meaning in Xen 4.0 to 4.2, and the schedulers that a trace shows. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "check.h"
#include "metrics/measure/dump.h"
#include "parser/decode/old_numbers.h"
#include "parser/decode/xen_version.h"
#include "run_program.h"
#include "suites.h"

#define TOLD_MAX 256

static struct dump_record told[TOLD_MAX];
static struct quality quality;

static struct event_interest all_records(void)
{
    struct event_interest i = {0};
    memset(i.raw, true, sizeof i.raw);
    i.raw[EVENT_CPU_CHANGE] = false;
    return i;
}

/* The records that are asked for; returns how many. The capture is swept and freed. */
static size_t tell(struct trace_bytes *c, const struct event_interest *interest)
{
    struct trace_options options = {.cpu_hz = 1e9, .interest = *interest};
    struct error err = {0};
    struct event_batch batch;
    static struct dump_reader reader;
    char path[64];
    size_t n = 0;
    sweep(c);
    int fd = memfd_create("capture", 0);
    snprintf(path, sizeof path, "/dev/fd/%d", fd);
    CHECK(write(fd, c->file.data, c->file.n) == (ssize_t)c->file.n);
    event_fields_init();
    struct trace *t = trace_open(path, &options, &err);
    dump_reader_init(&reader, &(struct dump_filter){0});
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

static size_t tell_all(struct trace_bytes *c)
{
    struct event_interest all = all_records();
    return tell(c, &all);
}

static uint64_t value(const struct dump_record *r, const char *field)
{
    for (unsigned i = 0; i < r->fields->n; i++)
        if (strcmp(r->fields->fields[i].name, field) == 0)
            return field_value(&r->fields->fields[i], r->w);
    return UINT64_MAX;
}

/* The event that a record may be as well; NULL: none. */
static const char *perhaps(const struct dump_record *r)
{
    const struct field *last = &r->fields->fields[r->fields->n - 1];
    return last->kind == FIELD_TEXT ? last->text : NULL;
}

static void begin(struct trace_bytes *c)
{
    trace_bytes_init(c);
    on(c, 0);
    rec_continue(c, 0, IDLE, 0);
}

#define W(...)                                                                                               \
    (const uint32_t[])                                                                                       \
    {                                                                                                        \
        __VA_ARGS__                                                                                          \
    }
#define DV(DOM, VCPU) ((uint32_t)(VCPU) << 16 | (DOM)) /* as credit2 had it until 4.6 */

/* Xen 4.0 and 4.1. */
static void power_states_of_4_0_are_told_by_their_words(void)
{
    struct trace_bytes c;
    begin(&c);
    record(&c, 1 * MS, 0x00802001, 4, W(2, 100, 500, 400));
    record(&c, 2 * MS, 0x00802002, 6, W(2, 300, 240, 0, 0, 0));
    EQUAL(tell_all(&c), 3);
    EQUAL(told[1].slot, EVENT_IDLE_ENTRY);
    EQUAL(value(&told[1], "expected_us"), 500);
    EQUAL(told[2].slot, EVENT_IDLE_EXIT);
    EQUAL(value(&told[2], "irq0"), 240);
    struct xen_versions v;
    xen_versions_judge(&v, &quality);
    EQUAL(v.from, 400);
    EQUAL(v.to, 401);
    old_numbers_count(&quality);
    EQUAL(quality.events[EVENT_IDLE_ENTRY].forms[8 + 4], 1);
    EQUAL(quality.events[EVENT_IRQ_MOVE_CLEANUP_DELAY].forms[8 + 4], 0);
}

/* Since 4.2 the numbers are those of interrupts that move, in three words. */
static void interrupts_of_today_keep_their_names(void)
{
    struct trace_bytes c;
    begin(&c);
    record(&c, 1 * MS, 0x00802001, 3, W(9, 48, 1));
    record(&c, 2 * MS, 0x00802002, 3, W(9, 48, 1));
    EQUAL(tell_all(&c), 3);
    EQUAL(told[1].slot, EVENT_IRQ_MOVE_CLEANUP_DELAY);
    EQUAL(told[2].slot, EVENT_IRQ_MOVE_CLEANUP);
}

/* A filter of the one event takes it under its old number, and none of the other. */
static void an_event_is_found_under_its_old_number(void)
{
    struct trace_bytes c;
    struct event_interest i = {.raw[EVENT_IDLE_ENTRY] = true};
    begin(&c);
    record(&c, 1 * MS, 0x00802001, 4, W(2, 100, 500, 400));
    record(&c, 2 * MS, 0x00802001, 3, W(9, 48, 1));
    EQUAL(tell(&c, &i), 1);
    EQUAL(told[0].slot, EVENT_IDLE_ENTRY);
    i = (struct event_interest){.raw[EVENT_IRQ_MOVE_CLEANUP_DELAY] = true};
    begin(&c);
    record(&c, 1 * MS, 0x00802001, 4, W(2, 100, 500, 400));
    record(&c, 2 * MS, 0x00802001, 3, W(9, 48, 1));
    EQUAL(tell(&c, &i), 1);
    EQUAL(value(&told[0], "vector"), 48);
}

/* Its numbers were credit's; the words of the vCPU were the other way round. */
static void credit2_of_4_1_has_its_own_table(void)
{
    struct trace_bytes c;
    begin(&c);
    record_untimed(&c, 0x00022006, 1, W(1)); /* before the first one that only credit2 writes */
    record(&c, 1 * MS, 0x00022003, 3, W(5, 300, 200));
    record_untimed(&c, 0x00022002, 2, W(DV(3, 1), 2));
    record(&c, 2 * MS, 0x00022003, 3, W(DV(3, 1), (uint32_t)-5, 100));
    record(&c, 3 * MS, 0x00022005, 2, W(DV(3, 0), 7000));
    record(&c, 4 * MS, 0x00022007, 4, W(DV(3, 2), (uint32_t)-7, 10000000, 1));
    record_untimed(&c, 0x00022008, 0, NULL);
    record(&c, 5 * MS, 0x0002200a, 2, W(DV(3, 1), 0));
    record(&c, 6 * MS, 0x0002200b, 2, W(DV(3, 1), 77));
    record(&c, 7 * MS, 0x0002200c, 2, W(0x10000002, 0x10));
    static const unsigned slots[] = {EVENT_CREDIT2_TICKLE,           EVENT_CREDIT2_CREDIT_BURN,
                                     EVENT_CREDIT2_RUNQ_POS,         EVENT_CREDIT2_CREDIT_BURN,
                                     EVENT_CREDIT2_TICKLE_CHECK,     EVENT_CREDIT2_CREDIT_RESET,
                                     EVENT_CREDIT2_SCHED_TASKLET,    EVENT_CREDIT2_RUNQ_ASSIGN,
                                     EVENT_CREDIT2_UPDATE_UNIT_LOAD, EVENT_CREDIT2_UPDATE_RUNQ_LOAD};
    EQUAL(tell_all(&c), 1 + sizeof slots / sizeof slots[0]);
    for (unsigned i = 0; i < sizeof slots / sizeof slots[0]; i++)
        EQUAL(told[1 + i].slot, slots[i]);
    EQUAL(value(&told[4], "dom"), 3);
    EQUAL(value(&told[4], "vcpu"), 1);
    EQUAL((int64_t)value(&told[4], "credit"), -5);
    EQUAL(value(&told[4], "delta"), 100);
    struct xen_versions v;
    xen_versions_judge(&v, &quality);
    EQUAL(v.schedulers_n, 1);
    CHECK(strcmp(v.schedulers[0], "credit2") == 0);
    EQUAL(v.from, 401);
    EQUAL(v.to, 402);
}

/* The words alone may say it: there is no domain 0x10003, and no vCPU of so large a number. */
static void a_burn_is_known_by_its_words(void)
{
    struct trace_bytes c;
    begin(&c);
    for (unsigned i = 1; i < 5; i++)
        record(&c, i * MS, 0x00022003, 3, W(DV(3, 1), 10000000 - i, 100));
    EQUAL(tell_all(&c), 5);
    EQUAL(told[1].slot, EVENT_CREDIT2_CREDIT_BURN);
    EQUAL(value(&told[1], "dom"), 3);
    struct xen_versions v;
    xen_versions_judge(&v, &quality);
    CHECK(v.schedulers_n == 1 && strcmp(v.schedulers[0], "credit2") == 0);
}

static void credit_keeps_its_table(void)
{
    struct trace_bytes c;
    begin(&c);
    record(&c, 1 * MS, 0x00022002, 3, W(3, 1, 1));
    record(&c, 2 * MS, 0x00022003, 3, W(3, 1, 0));
    record(&c, 3 * MS, 0x00022005, 3, W(3, 1, 0));
    record_untimed(&c, 0x00022006, 1, W(1));
    EQUAL(tell_all(&c), 5);
    EQUAL(told[2].slot, EVENT_CREDIT_ACCOUNT_STOP);
    EQUAL(value(&told[2], "vcpu"), 1);
    EQUAL(told[4].slot, EVENT_CREDIT_TICKLE);
    CHECK(!perhaps(&told[4]));
    struct xen_versions v;
    xen_versions_judge(&v, &quality);
    CHECK(v.schedulers_n == 1 && strcmp(v.schedulers[0], "credit") == 0);
}

/* Both schedulers, in pools of pCPUs; or nothing that shows which it is. */
static void what_cannot_be_known_is_marked(void)
{
    struct trace_bytes c;
    begin(&c);
    record_untimed(&c, 0x00022006, 1, W(1));
    EQUAL(tell_all(&c), 2);
    EQUAL(told[1].slot, EVENT_CREDIT_TICKLE);
    CHECK(perhaps(&told[1]) && strcmp(perhaps(&told[1]), "credit2_tickle") == 0);
    begin(&c);
    record(&c, 1 * MS, 0x00022002, 3, W(3, 1, 1));
    record_untimed(&c, 0x00022002, 2, W(DV(3, 1), 2));
    record_untimed(&c, 0x00022006, 1, W(1));
    record(&c, 2 * MS, 0x00022003, 3, W(DV(3, 1), (uint32_t)-5, 100));
    EQUAL(tell_all(&c), 5);
    EQUAL(told[1].slot, EVENT_CREDIT_ACCOUNT_START);
    EQUAL(told[2].slot, EVENT_CREDIT2_RUNQ_POS);
    CHECK(perhaps(&told[3]) != NULL);
    EQUAL(told[4].slot, EVENT_CREDIT2_CREDIT_BURN);
}

/* One record with a number of words that only an old Xen writes does not make a trace of today an old one. */
static void a_stray_record_changes_no_table(void)
{
    struct trace_bytes c;
    begin(&c);
    for (unsigned i = 1; i < 5; i++) {
        record(&c, i * MS, 0x00022009, 1, W(0));
        rec_infprev(&c, i * MS, IDLE, 0, MS);
    }
    record(&c, 5 * MS, 0x00022002, 2, W(DV(3, 1), 2));
    record(&c, 5 * MS, 0x00022006, 1, W(1));
    record(&c, 5 * MS, 0x00802001, 4, W(1, 2, 3, 4));
    EQUAL(tell_all(&c), 12);
    EQUAL(told[9].slot, EVENT_CREDIT_ACCOUNT_START);
    CHECK(told[9].fields->layout == NULL);
    EQUAL(told[10].slot, EVENT_CREDIT_TICKLE);
    CHECK(!perhaps(&told[10]));
    EQUAL(told[11].slot, EVENT_IRQ_MOVE_CLEANUP_DELAY);
}

static void count(struct quality *q, unsigned slot, unsigned words, uint64_t n)
{
    q->events[slot].forms[8 + words] = n;
}

static void two_schedulers_are_both_named(void)
{
    static struct quality q;
    struct xen_versions v;
    q = (struct quality){0};
    count(&q, EVENT_CREDIT2_SCHEDULE, 2, 900);
    count(&q, EVENT_NULL_SCHEDULE, 2, 4);
    count(&q, EVENT_RTDS_SCHEDULE, 1, 1000);
    xen_versions_judge(&v, &q);
    EQUAL(v.schedulers_n, 3);
    CHECK(strcmp(v.schedulers[0], "rtds") == 0);
    CHECK(strcmp(v.schedulers[1], "credit2") == 0);
    CHECK(strcmp(v.schedulers[2], "null") == 0);
}

static void a_stray_record_is_no_scheduler(void)
{
    static struct quality q;
    struct xen_versions v;
    q = (struct quality){0};
    count(&q, EVENT_CREDIT2_SCHEDULE, 2, 900);
    count(&q, EVENT_NULL_SCHEDULE, 2, 1);
    count(&q, EVENT_RTDS_SCHEDULE, 5, 50); /* no version of Xen writes five words */
    xen_versions_judge(&v, &q);
    EQUAL(v.schedulers_n, 1);
    CHECK(strcmp(v.schedulers[0], "credit2") == 0);
}

CU_TestInfo old_numbers_tests[] = {
    TEST(power_states_of_4_0_are_told_by_their_words),
    TEST(interrupts_of_today_keep_their_names),
    TEST(an_event_is_found_under_its_old_number),
    TEST(credit2_of_4_1_has_its_own_table),
    TEST(a_burn_is_known_by_its_words),
    TEST(credit_keeps_its_table),
    TEST(what_cannot_be_known_is_marked),
    TEST(a_stray_record_changes_no_table),
    TEST(two_schedulers_are_both_named),
    TEST(a_stray_record_is_no_scheduler),
    CU_TEST_INFO_NULL,
};
