/* The table of events: complete, without two meanings for one number. */
#include "parser/decode/event_table.h"

#include <ctype.h>
#include <string.h>

#include "check.h"
#include "suites.h"

static void every_event_has_a_name_of_its_own(void)
{
    for (unsigned i = 0; i < EVENT_SLOTS; i++) {
        const char *name = event_info(i)->name;
        CHECK(name != NULL && name[0] != 0);
        for (const char *p = name; *p; p++)
            CHECK(islower((unsigned char)*p) || isdigit((unsigned char)*p) || *p == '_');
        for (unsigned k = 0; k < i; k++)
            CHECK(strcmp(name, event_info(k)->name) != 0);
    }
}

/* Two ids with their data bits: no number belongs to both. */
static void no_number_has_two_meanings(void)
{
    for (unsigned i = 1; i < EVENT_SLOTS; i++) {
        const struct event_info *a = event_info(i);
        EQUAL(a->id & a->variants, 0);
        EQUAL(event_class_of(a->id), a->class_id);
        for (unsigned k = 1; k < i; k++) {
            const struct event_info *b = event_info(k);
            CHECK(((a->id ^ b->id) & ~a->variants & ~b->variants) != 0);
        }
    }
}

static void every_number_is_found(void)
{
    event_index_init();
    event_index_init(); /* twice does no harm */
    for (unsigned i = 1; i < EVENT_SLOTS; i++) {
        const struct event_info *info = event_info(i);
        EQUAL(event_slot(info->id), i);
        EQUAL(event_slot(info->id | info->variants), i);
    }
}

/* From Xen's public/trace.h, not from the table. */
static void numbers_of_public_trace_h(void)
{
    static const struct {
        uint32_t number;
        enum event_slot slot;
        const char *name;
    } known[] = {
        {0x0001f001, EVENT_LOST_RECORDS, "lost_records"},
        {0x0001f003, EVENT_CPU_CHANGE, "cpu_change"},
        {0x00021011, EVENT_RUNSTATE_CHANGE, "runstate_change"}, /* running to runnable */
        {0x00021321, EVENT_RUNSTATE_CHANGE, "runstate_change"}, /* offline to blocked */
        {0x00021002, EVENT_CONTINUE_RUNNING, "continue_running"},
        {0x00028001, EVENT_DOM_ADD, "dom_add"},
        {0x00028004, EVENT_WAKE, "wake"},
        {0x0002800a, EVENT_SWITCH, "switch"},
        {0x0002800e, EVENT_SWITCH_INFPREV, "switch_infprev"},
        {0x0002800f, EVENT_SWITCH_INFNEXT, "switch_infnext"},
        {0x00028011, EVENT_SWITCH_INFCONT, "switch_infcont"},
        {0x0002f00e, EVENT_SWITCH_INFPREV, "switch_infprev"}, /* 3.2 and 3.3 */
        {0x0002f004, EVENT_WAKE, "wake"},
        {0x00041001, EVENT_DOM0_DOM_ADD, NULL},
        {0x0002c001, EVENT_UNRECOGNISED, "unrecognised"},
        {0x00028fff, EVENT_UNRECOGNISED, "unrecognised"},
        {0, EVENT_UNRECOGNISED, "unrecognised"},
        {0x0fffffff, EVENT_UNRECOGNISED, "unrecognised"},
    };
    event_index_init();
    for (unsigned i = 0; i < sizeof known / sizeof known[0]; i++) {
        EQUAL(event_slot(known[i].number), known[i].slot);
        if (known[i].name)
            CHECK(strcmp(event_info(event_slot(known[i].number))->name, known[i].name) == 0);
    }
}

static void layouts_are_told_apart_by_their_words(void)
{
    CHECK(event_layout(EVENT_SWITCH_INFPREV, 3) != NULL);
    CHECK(event_layout(EVENT_SWITCH_INFPREV, 2) != NULL); /* up to 4.7 */
    CHECK(event_layout(EVENT_SWITCH_INFPREV, 5) == NULL);
    CHECK(event_layout(EVENT_SWITCH_INFNEXT, 4) != NULL);
    CHECK(event_layout(EVENT_SWITCH_INFNEXT, 3) != NULL);
    CHECK(event_layout(EVENT_LOST_RECORDS, 4) != event_layout(EVENT_LOST_RECORDS, 1));
    for (unsigned words = 0; words <= 7; words++)
        CHECK(event_layout(EVENT_WRAP_BUFFER, words) != NULL);
    CHECK(event_layout(EVENT_UNRECOGNISED, 1) == NULL);
}

static void a_class_is_exactly_one_bit(void)
{
    EQUAL(event_class_of(0x00010000), CLASS_GEN);
    EQUAL(event_class_of(0x00028004), CLASS_SCHED);
    EQUAL(event_class_of(0x08000fff), CLASS_GUEST);
    EQUAL(event_class_of(0x00030000), CLASS_UNRECOGNISED);
    EQUAL(event_class_of(0x00000fff), CLASS_UNRECOGNISED);
    for (int i = 0; i < CLASSES; i++)
        CHECK(event_class_name((enum event_class)i) != NULL);
    CHECK(strcmp(event_class_name(CLASS_SCHED), "sched") == 0);
}

CU_TestInfo event_table_tests[] = {
    TEST(every_event_has_a_name_of_its_own),
    TEST(no_number_has_two_meanings),
    TEST(every_number_is_found),
    TEST(numbers_of_public_trace_h),
    TEST(layouts_are_told_apart_by_their_words),
    TEST(a_class_is_exactly_one_bit),
    CU_TEST_INFO_NULL,
};
