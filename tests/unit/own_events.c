/* A user's own events: what is read, what is refused and where. */
#include "parser/decode/own_events.h"

#include <stdio.h>
#include <string.h>

#include "check.h"
#include "suites.h"

static struct own_events *read_text(const char *text, struct error *err)
{
    *err = (struct error){0};
    return own_events_read(text, strlen(text), err);
}

static void events_are_found_by_their_numbers(void)
{
    struct error err;
    struct own_events *own = read_text("/* of mine */\n"
                                       "EVENT(ONE, 0x00024001, 0x300, CLASS_SCHED, \"one\", 'T',\n"
                                       "      L(2, \"dv load:u32 levels:u2@8+2\", \"4.8+\")\n"
                                       "      L(255, \"first:u32 rest:hex32*\", \"\"))\n"
                                       "EVENT(TWO, 0x00084123, 0, CLASS_HVM, \"two\", '?', NO_LAYOUT)\n"
                                       "EVENT_ALIAS(TWO, 0x00084124, 0, \"\")\n",
                                       &err);
    CHECK(own != NULL);
    size_t n;
    const struct own_event *all = own_events_all(own, &n);
    EQUAL(n, 2);
    CHECK(own_event_find(own, 0x00024001) == &all[0]);
    CHECK(own_event_find(own, 0x00024301) == &all[0]);
    CHECK(own_event_find(own, 0x00084123) == &all[1]);
    CHECK(own_event_find(own, 0x00084124) == &all[1]);
    CHECK(own_event_find(own, 0x00024002) == NULL);
    CHECK(own_event_find(NULL, 0x00024001) == NULL);
    EQUAL(all[1].class_id, CLASS_HVM);
    CHECK(strcmp(own_slot_name(own, own_event_slot(own, &all[1])), "two") == 0);
    const uint32_t words[RECORD_WORDS] = {0x30001, 77, [NUMBER_WORD] = 0x00024101};
    const struct field_list *two_words = all[0].lists[2];
    EQUAL(two_words->n, 4);
    EQUAL(field_value(&two_words->fields[0], words), 3);
    EQUAL(field_value(&two_words->fields[2], words), 77);
    EQUAL(field_value(&two_words->fields[3], words), 3);
    EQUAL(all[0].lists[3]->n, 2); /* any number of words, one at least */
    CHECK(all[0].lists[0]->layout == NULL);
    CHECK(all[1].lists[4]->layout == NULL);
    own_events_free(own);
}

#define LAYOUT(WORDS, FIELDS)                                                                                \
    "EVENT(A, 0x24001, 0, CLASS_SCHED, \"a\", 'T', L(" WORDS ", \"" FIELDS "\", \"\"))"

static void what_is_wrong_is_said_with_its_line(void)
{
    static const struct {
        const char *text, *said;
    } wrongs[] = {
        {"", "line 1: there is no EVENT"},
        {"\n\nhello", "line 3: wants EVENT(...) or EVENT_ALIAS(...), not 'hello'"},
        {"/* a\n\nb", "line 1: a comment begins that does not end"},
        {"EVENT_OLD(A)", "line 1: wants EVENT(...) or EVENT_ALIAS(...)"},
        {"EVENT(A, 0x24001, 0, CLASS_SCHED, \"a\", 'T',\n NO_LAYOUT",
         "line 2: the text ends where ')' should be"},
        {"EVENT(A, 24001x, 0, CLASS_SCHED, \"a\", 'T', NO_LAYOUT)", "line 1: wants ',', not 'x'"},
        {"EVENT(A, 0x1f024001, 0, CLASS_SCHED, \"a\", 'T', NO_LAYOUT)", "the event number, 28 bits at most"},
        {"EVENT(A, 0x34001, 0, CLASS_SCHED, \"a\", 'T', NO_LAYOUT)", "the event number has no class"},
        {"EVENT(A, 0x24001, 0x1, CLASS_SCHED, \"a\", 'T', NO_LAYOUT)", "the bits of VARIANTS must be 0"},
        {"EVENT(A, 0x24001, 0x1000, CLASS_SCHED, \"a\", 'T', NO_LAYOUT)", "wants VARIANTS"},
        {"EVENT(A, 0x24001, 0, CLASS_HVM, \"a\", 'T', NO_LAYOUT)", "is of CLASS_SCHED by its bits 16 to 27"},
        {"EVENT(A, 0x24001, 0, CLASS_SCHED, \"A\", 'T', NO_LAYOUT)", "a name has a letter"},
        {"EVENT(A, 0x24001, 0, CLASS_SCHED, \"wake\", 'T', NO_LAYOUT)", "the name \"wake\" is taken"},
        {"EVENT(A, 0x24001, 0, CLASS_SCHED, \"hvm\", 'T', NO_LAYOUT)", "the name \"hvm\" is taken"},
        {"EVENT(A, 0x24001, 0, CLASS_SCHED, \"all\", 'T', NO_LAYOUT)", "the name \"all\" is taken"},
        {"EVENT(A, 0x24001, 0, CLASS_SCHED, \"a\", 'x', NO_LAYOUT)", "wants 'T', '-' or '?'"},
        {"EVENT(A, 0x28004, 0, CLASS_SCHED, \"a\", 'T', NO_LAYOUT)", "0x00028004 is wake, which Xen writes"},
        {"EVENT(A, 0x28021, 0xf, CLASS_SCHED, \"a\", 'T', NO_LAYOUT)", "VARIANTS must be 0"},
        {"EVENT(A, 0x28000, 0xf, CLASS_SCHED, \"a\", 'T', NO_LAYOUT)", ", which Xen writes"},
        {LAYOUT("1", "x:u32") "\n" LAYOUT("1", "x:u32"), "line 2: the name \"a\" is taken"},
        {LAYOUT("1", "x:u32") "\nEVENT(B, 0x24001, 0, CLASS_SCHED, \"b\", 'T', NO_LAYOUT)",
         "line 2: 0x00024001 is a already"},
        {LAYOUT("1", "x:u32") "\nEVENT(A, 0x24002, 0, CLASS_SCHED, \"b\", 'T', NO_LAYOUT)",
         "two events have the same SLOT"},
        {"EVENT_ALIAS(A, 0x24001, 0, \"\")", "no EVENT of that SLOT comes before"},
        {LAYOUT("8", ""), "0 to 7 payload words"},
        {LAYOUT("2", "x:u32"), "the layout takes 1 words, not 2"},
        {LAYOUT("255", "a:u64 b:u64 c:u64 d:u64"), "the layout takes 8 words, not 7"},
        {LAYOUT("1", "x:u33"), "the item 'x:u33' of the layout: a word wants"},
        {LAYOUT("2", "x:i64"), "a word wants u32, i32 or hex32, two words u64 or hex64"},
        {LAYOUT("1", "x"), "wants NAME:TYPE"},
        {LAYOUT("1", "X:u32"), "wants NAME:TYPE"},
        {LAYOUT("1", "a_name_that_is_too_long_x:u32"), "at most 23 characters"},
        {LAYOUT("1", "x:u32=nothing"), "there is no table of names"},
        {LAYOUT("2", "x:u32  y:u32"), "of the layout"},
        {LAYOUT("1", "{a:u16 b:u17}"), "all of a word have 32 at most"},
        {LAYOUT("1", "{a:u16"), "parts are divided by one blank"},
        {LAYOUT("1", "{}"), "wants NAME:TYPE"},
        {LAYOUT("2", "x:hex32* y:u32"), "nothing may follow an item that repeats"},
        {LAYOUT("1", "x:flag@28"), "within its 28 bits"},
        {LAYOUT("1", "arguments*"), "is for hypercalls only"},
        {LAYOUT("7", "dv dv dv dv dv"), "the layout has 10 fields: 8 at most"},
        {"EVENT(A, 0x24001, 0, CLASS_SCHED, \"a\", 'T', L(1, \"x:u32\", \"\") L(1, \"y:u32\", \"\"))",
         "two layouts of an event have the same number of words"},
    };
    for (size_t i = 0; i < sizeof wrongs / sizeof wrongs[0]; i++) {
        struct error err;
        struct own_events *own = read_text(wrongs[i].text, &err);
        bool said = !own && err.code == ERROR_USAGE && strstr(err.message, wrongs[i].said);
        if (!said)
            fprintf(stderr, "      \"%s\": \"%s\" instead of \"%s\"\n", wrongs[i].text, err.message,
                    wrongs[i].said);
        CHECK(said);
        own_events_free(own);
    }
}

/* Cut anywhere, a text is refused or is whole rows: nothing is read beyond its end. */
static void a_text_that_is_cut_anywhere(void)
{
    static const char text[] =
        "EVENT(ONE, 0x00024001, 0, CLASS_SCHED, \"one\", 'T', L(2, \"{a:u4=runstate b:u8} c:i32\", "
        "\"\") NO)/* x */EVENT_ALIAS(ONE, 0x24002, 0, \"4.1\")";
    for (size_t n = 0; n < sizeof text; n++) {
        struct error err = {0};
        struct own_events *own = own_events_read(text, n, &err);
        CHECK(!own);
        own_events_free(own);
    }
}

CU_TestInfo own_events_tests[] = {
    TEST(events_are_found_by_their_numbers),
    TEST(what_is_wrong_is_said_with_its_line),
    TEST(a_text_that_is_cut_anywhere),
    CU_TEST_INFO_NULL,
};
