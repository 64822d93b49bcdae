/* Decoding, by samples of what Xen wrote, decoded by hand; and the tables that it rests on. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "formats/dump_put.h"
#include "suites.h"

static const struct dump_style plain = {
    .before = " ", .between = "=", .behind = "", .quote = "", .open = "", .close = ""};

/* The fields of a record as text, or why there is none. */
static const char *told(uint32_t header, const uint32_t *words, unsigned traits, const char **event)
{
    static char text[DUMP_FIELDS_MOST];
    struct dump_record r = {.header = header};
    struct dump_steps *steps = dump_steps_new(&plain);
    r.slot = (uint16_t)event_slot(header & 0x0fffffff);
    memcpy(r.w, words, RECORD_WORDS_MAX * sizeof *words);
    r.w[NUMBER_WORD] = header & 0x0fffffff;
    r.fields = event_fields(r.slot, header >> 28 & 7, r.w, traits);
    *event = event_info(r.slot)->name;
    *dump_put_fields(steps, &plain, &r, text) = '\0';
    free(steps);
    return text[0] == ' ' ? text + 1 : text;
}

static void expect(uint32_t header, const uint32_t *words, unsigned traits, const char *event,
                   const char *fields)
{
    const char *name, *text = told(header, words, traits, &name);
    bool same = strcmp(name, event) == 0 && strcmp(text, fields) == 0;
    if (!same)
        fprintf(stderr, "      0x%08" PRIx32 ": \"%s %s\" instead of \"%s %s\"\n", header, name, text, event,
                fields);
    CHECK(same);
}

static void records_of_real_captures_say_what_was_read_off_by_hand(void)
{
    static const struct {
        uint32_t header;
        const char *event, *fields;
        uint32_t words[RECORD_WORDS_MAX];
    } samples[] = {
#define WORDS(...)                                                                                           \
    {                                                                                                        \
        __VA_ARGS__                                                                                          \
    }
#define SAMPLE(CAPTURE, HEADER, EVENT, FIELDS, PAYLOAD) {HEADER, EVENT, FIELDS, PAYLOAD},
#include "decoded_samples.def"
    };
    event_fields_init();
    event_index_init();
    for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++)
        expect(samples[i].header, samples[i].words, TRAIT_SVM, samples[i].event, samples[i].fields);
}

/* From Xen's trace points, for records that no capture of ours has. */
static void records_that_no_capture_has(void)
{
    const uint32_t none[7] = {0};
    event_fields_init();
    expect(0xa0081002, (const uint32_t[7]){48, 0x1000}, 0, "vmx_exit", "reason=ept_violation eip=0x1000");
    expect(0xa0081002, (const uint32_t[7]){0x400, 0x1000}, TRAIT_SVM, "vmx_exit", "reason=npf eip=0x1000");
    expect(0xa0081402, (const uint32_t[7]){48, 0x1000}, 0, "vmx_exit",
           "reason=ept_violation eip=0x1000 nested=1");
    expect(0xa0081002, (const uint32_t[7]){0x80000021, 0}, 0, "vmx_exit",
           "reason=invalid_guest_state|0x80000000 eip=0x0");
    expect(0x80081401, none, 0, "vmentry", "nested=1");
    expect(0x0800f123, none, 0, "guest_event", "number=0x123 data=");
    expect(0x6040f001 | 2 << 8, none, 0, "shadow_not_shadow", "words=0x0,0x0,0x0,0x0,0x0,0x0");
    expect(0x5040f001 | 2 << 8, (const uint32_t[7]){1, 2, 3, 4, 5}, 0, "shadow_not_shadow",
           "gl1e=0x200000001 va=0x400000003 flags=0x5 levels=4");
}

/* Two words of 32 bits, or one of 64: a bit of the number tells. */
static void an_address_has_64_bits_where_the_number_says_so(void)
{
    const uint32_t w[7] = {0x3f8, 0x41};
    event_fields_init();
    expect(0x20082016, w, 0, "hvm_ioport_read", "addr=0x3f8 data=0x41");
    expect(0x20082116, w, 0, "hvm_ioport_read", "addr=0x41000003f8");
    expect(0x30082317, (const uint32_t[7]){0x1000, 0xf, 7}, 0, "hvm_iomem_write",
           "addr=0xf00001000 data=0x7");
}

/* Xen 4.18 gave domain and order a word each, where they had shared one, with padding behind it. */
static void two_layouts_of_the_same_length_are_told_apart(void)
{
    event_fields_init();
    expect(0x4010f005, (const uint32_t[7]){1, 0, 3, 9}, 0, "decrease_reservation", "gfn=0x1 dom=3 order=9");
    expect(0x4010f005, (const uint32_t[7]){1, 0, 9 << 16 | 3, 0}, 0, "decrease_reservation",
           "gfn=0x1 dom=3 order=9");
    expect(0x4010f005, (const uint32_t[7]){1, 0, 3, 0xffff8301}, 0, "decrease_reservation",
           "gfn=0x1 dom=3 order=0");
    expect(0x6010f010, (const uint32_t[7]){1, 0, 2, 0, 9 << 16 | 3, 7}, 0, "pod_populate",
           "gfn=0x1 mfn=0x2 dom=3 order=9");
}

static void arguments_of_hypercalls_are_those_that_the_mask_tells_of(void)
{
    event_fields_init();
    expect(0x9020100d, (const uint32_t[7]){23}, 0, "hypercall_v2", "op=iret");
    expect(0x9020100d, (const uint32_t[7]){63}, 0, "hypercall_v2", "op=63");
    expect(0xb020100d, (const uint32_t[7]){20 | 1 << 20 | 1 << 24, 5, 3}, 0, "hypercall_v2",
           "op=grant_table_op cmd=copy count=3");
    /* a call that is taken up again: how far it had got is above the command */
    expect(0xa020100d, (const uint32_t[7]){20 | 1 << 20, 0x300c}, 0, "hypercall_v2",
           "op=grant_table_op cmd=cache_flush|0x3000");
    expect(0xa020100d, (const uint32_t[7]){20 | 1 << 20, 0x3fff}, 0, "hypercall_v2",
           "op=grant_table_op cmd=16383");
    expect(0xa020100d, (const uint32_t[7]){1 | 1 << 22, 0x80000002}, 0, "hypercall_v2",
           "op=mmu_update count=2 preempted=1");
    expect(0xb020100d, (const uint32_t[7]){12 | 2 << 22, 0x89abcdef, 0x1234567}, 0, "hypercall_v2",
           "op=memory_op arg1=0x123456789abcdef");
    expect(0xa020100d, (const uint32_t[7]){32 | 1 << 20, 4}, 0, "hypercall_v2",
           "op=event_channel_op cmd=send");
    expect(0xb020100d, (const uint32_t[7]){1 | 2 << 22, 0x80000005, 1}, 0, "hypercall_v2",
           "op=mmu_update count=4294967301 preempted=1");
    expect(0x8020100d, (const uint32_t[7]){23}, 0, "hypercall_v2", "words=");
    /* a word that the mask does not tell of; one that is missing */
    expect(0xa020100d, (const uint32_t[7]){23, 7}, 0, "hypercall_v2", "op=iret words=0x7");
    expect(0x9020100d, (const uint32_t[7]){20 | 1 << 20}, 0, "hypercall_v2", "op=grant_table_op");
}

/* Until 4.6 the domain was the lower half of the word that names a vCPU, in credit2 and rtds. */
static void units_of_old_schedulers_have_their_halves_exchanged(void)
{
    event_fields_init();
    expect(0xb0022203, (const uint32_t[7]){0x30007, 0xfffffff0, 5}, TRAIT_OLD_UNITS, "credit2_credit_burn",
           "dom=7 vcpu=3 credit=-16 delta=5");
    expect(0xb0022203, (const uint32_t[7]){0x30007, 0xfffffff0, 5}, 0, "credit2_credit_burn",
           "dom=3 vcpu=7 credit=-16 delta=5");
    expect(0x90021011, (const uint32_t[7]){0x30007}, TRAIT_OLD_UNITS, "runstate_change",
           "dom=3 vcpu=7 old=running new=runnable");
}

/* In 4.1 and 4.2 credit's number was credit2's as well. */
static void another_event_that_it_may_be_is_named(void)
{
    event_fields_init();
    expect(0x10022006, (const uint32_t[7]){1}, TRAIT_CREDIT_UNSURE, "credit_tickle",
           "cpu=1 perhaps=credit2_tickle");
    expect(0x10022006, (const uint32_t[7]){1}, 0, "credit_tickle", "cpu=1");
}

static void what_is_not_known_is_told_in_words(void)
{
    event_fields_init();
    expect(0x20abc123, (const uint32_t[7]){0x10, 0xffffffff}, 0, "unrecognised",
           "id=0x00abc123 words=0x10,0xffffffff");
    expect(0x00abc123, (const uint32_t[7]){0}, 0, "unrecognised", "id=0x00abc123 words=");
    /* a known event with one word more than any Xen writes */
    expect(0xb0028004, (const uint32_t[7]){1, 2, 3}, 0, "wake", "words=0x1,0x2,0x3");
    expect(0x2800f005, (const uint32_t[7]){1, 2}, 0, "guest_event", "number=0x5 data=0x1,0x2");
}

static void fields_fit_into_their_records(void)
{
    unsigned lists = 0;
    event_fields_init();
    for (const struct field_list *list; (list = event_fields_list(lists)); lists++)
        for (unsigned i = 0; i < list->n; i++) {
            const struct field *f = &list->fields[i];
            bool of_number = f->word == NUMBER_WORD;
            unsigned words =
                list->layout && list->layout->words != 255 ? list->layout->words : RECORD_WORDS_MAX;
            CHECK(f->name[0] != '\0');
            CHECK(of_number || f->kind == FIELD_WORDS || f->kind == FIELD_ARGUMENTS ||
                  (f->word * 32u + f->shift + f->bits <= words * 32u));
            CHECK(!of_number || f->shift + f->bits <= 28u);
            CHECK((f->kind == FIELD_NAMED) == (f->names != NULL));
            for (unsigned k = 0; k < i; k++) /* no name twice: they are keys of an object */
                CHECK(strcmp(list->fields[k].name, f->name) != 0);
        }
    CHECK(lists > 200);
}

static void names_of_values_are_unique(void)
{
    static const struct {
        const char *table, *name;
        uint32_t value;
    } entries[] = {
#define HYPERCALL(NUMBER, NAME, ARGUMENTS) {"HYPERCALL", NAME, NUMBER},
#include "parser/decode/hypercalls.def"
#define NAME(TABLE, VALUE, NAME) {#TABLE, NAME, VALUE},
#include "parser/decode/names.def"
    };
    value_names_init();
    for (size_t i = 0, first = 0; i < sizeof entries / sizeof entries[0]; i++) {
        const struct name_table *table = name_table_find(entries[i].table, strlen(entries[i].table));
        const struct value_name *name = table ? value_name(table, entries[i].value) : NULL;
        CHECK(name && strcmp(name->text, entries[i].name) == 0);
        if (strcmp(entries[i].table, entries[first].table) != 0)
            first = i;
        for (size_t k = first; k < i; k++)
            CHECK(entries[k].value < entries[i].value && strcmp(entries[k].name, entries[i].name) != 0);
    }
    CHECK(name_table_find("none_such", 9) == NULL);
    CHECK(value_name(name_table_find("svm_exit", 8), 0x400) != NULL);
    CHECK(value_name(name_table_find("svm_exit", 8), 0x4ff) == NULL);
}

static void numbers_as_text(void)
{
    static const uint64_t edges[] = {0,
                                     1,
                                     9,
                                     10,
                                     99,
                                     100,
                                     9999,
                                     10000,
                                     99999999,
                                     100000000,
                                     9999999999999999,
                                     10000000000000000,
                                     UINT32_MAX,
                                     1ull << 32,
                                     INT64_MAX,
                                     UINT64_MAX};
    char text[2 * DIGITS_ROOM], expected[64];
    for (size_t i = 0; i < sizeof edges / sizeof edges[0]; i++) {
        *digits_decimal(text, edges[i]) = '\0';
        snprintf(expected, sizeof expected, "%" PRIu64, edges[i]);
        CHECK(strcmp(text, expected) == 0);
        *digits_hex(text, edges[i]) = '\0';
        snprintf(expected, sizeof expected, "0x%" PRIx64, edges[i]);
        CHECK(strcmp(text, expected) == 0);
        *digits_signed(text, (int64_t)(0 - edges[i])) = '\0';
        snprintf(expected, sizeof expected, "%" PRId64, (int64_t)(0 - edges[i]));
        CHECK(strcmp(text, expected) == 0);
    }
    *digits_eight(text, 42) = '\0';
    CHECK(strcmp(text, "00000042") == 0);
}

CU_TestInfo decoded_tests[] = {
    TEST(records_of_real_captures_say_what_was_read_off_by_hand),
    TEST(records_that_no_capture_has),
    TEST(an_address_has_64_bits_where_the_number_says_so),
    TEST(two_layouts_of_the_same_length_are_told_apart),
    TEST(arguments_of_hypercalls_are_those_that_the_mask_tells_of),
    TEST(units_of_old_schedulers_have_their_halves_exchanged),
    TEST(another_event_that_it_may_be_is_named),
    TEST(what_is_not_known_is_told_in_words),
    TEST(fields_fit_into_their_records),
    TEST(names_of_values_are_unique),
    TEST(numbers_as_text),
    CU_TEST_INFO_NULL,
};
