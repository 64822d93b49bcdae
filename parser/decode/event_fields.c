#include "event_fields.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "old_numbers.h"

#define ANY_WORDS 255

static struct field_list lists[FIELD_LISTS_MAX];
static unsigned lists_n;
struct layout_choices layout_choices[EVENT_SLOTS][RECORD_WORDS_MAX + 1];

/* ---- reading the table ---- */

struct layout_reading {
    struct field_list *list;
    unsigned word; /* the next one */
};

static struct field *add(struct layout_reading *r, const char *name, size_t n, enum field_kind kind,
                         unsigned word, unsigned shift, unsigned bits)
{
    struct field *f = &r->list->fields[r->list->n++];
    assert(r->list->n <= FIELDS_MAX && n < sizeof f->name);
    *f = (struct field){
        .kind = (uint8_t)kind, .word = (uint8_t)word, .shift = (uint8_t)shift, .bits = (uint8_t)bits};
    memcpy(f->name, name, n);
    return f;
}

/* Reads "u32", "hex12", "flag", ...; returns the rest. */
static const char *read_type(const char *text, enum field_kind *kind, unsigned *bits)
{
    static const struct {
        const char *word;
        enum field_kind kind;
    } kinds[] = {{"hex", FIELD_HEX}, {"flag", FIELD_FLAG}, {"u", FIELD_UNSIGNED}, {"i", FIELD_SIGNED}};
    unsigned i = 0;
    while (strncmp(text, kinds[i].word, strlen(kinds[i].word)) != 0)
        i++;
    *kind = kinds[i].kind;
    text += strlen(kinds[i].word);
    char *end;
    *bits = (unsigned)strtoul(text, &end, 10);
    if (*kind == FIELD_FLAG)
        *bits = 1;
    assert(*bits >= 1 && *bits <= 64);
    return end;
}

/*
 * Reads name:type and its suffixes; a part of a packed word begins at bit `shift` of it, any other field at a word.
 * Returns the rest.
 */
static const char *read_value(struct layout_reading *r, const char *text, bool part, unsigned *shift)
{
    size_t n = strcspn(text, ":");
    enum field_kind kind;
    unsigned bits;
    const char *p = read_type(text + n + 1, &kind, &bits);
    struct field *f = add(r, text, n, kind, r->word, part ? *shift : 0, bits);
    if (part)
        *shift += bits;
    if (*p == '@') {
        char *end;
        f->word = NUMBER_WORD;
        f->shift = (uint8_t)strtoul(p + 1, &end, 10);
        p = end;
    } else if (!part) {
        r->word += bits / 32;
    }
    if (*p == '+') {
        f->add = (uint8_t)(p[1] - '0');
        p += 2;
    }
    if (*p == '=') {
        size_t m = strcspn(p + 1, " }*");
        f->names = name_table_find(p + 1, m);
        assert(f->names);
        f->hex = f->kind == FIELD_HEX;
        f->kind = FIELD_NAMED;
        p += 1 + m;
    }
    f->hidden = strcmp(f->name, "argmask") == 0;
    return p;
}

static void read_packed(struct layout_reading *r, const char *text, const char *end)
{
    unsigned shift = 0;
    while (text < end) {
        text = read_value(r, text, true, &shift);
        text += *text == ' ';
    }
    r->word++;
}

static void read_item(struct layout_reading *r, const char *item, size_t n)
{
    bool repeated = item[n - 1] == '*';
    if (item[0] == '{') {
        read_packed(r, item + 1, item + n - 1);
    } else if (n == 2 && strncmp(item, "dv", 2) == 0) {
        add(r, "dom", 3, FIELD_UNSIGNED, r->word, 16, 16);
        add(r, "vcpu", 4, FIELD_UNSIGNED, r->word, 0, 16);
        r->word++;
    } else if (strncmp(item, "pad", 3) == 0) {
        r->word += !repeated;
    } else if (strncmp(item, "arguments", 9) == 0) {
        add(r, "arguments", 9, FIELD_ARGUMENTS, r->word, 0, 32);
    } else if (repeated) {
        add(r, item, strcspn(item, ":"), FIELD_WORDS, r->word, 0, 32);
    } else {
        read_value(r, item, false, &(unsigned){0});
    }
}

static bool ends_with(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);
    return n >= m && strcmp(text + n - m, end) == 0;
}

/* Finds the domains and vCPUs among the fields: dom vcpu, prev_dom prev_vcpu, grantor, ... */
static void find_vcpus(struct field_list *list)
{
    unsigned found = 0;
    for (unsigned i = 0; i < FIELD_VCPUS_MAX; i++)
        list->vcpus[i].domain = list->vcpus[i].vcpu = FIELD_NONE;
    for (unsigned i = 0; i < list->n && found < FIELD_VCPUS_MAX; i++) {
        const char *name = list->fields[i].name;
        if (!ends_with(name, "dom") && strcmp(name, "grantor") != 0)
            continue;
        list->vcpus[found].domain = (uint8_t)i;
        for (unsigned k = i > 0 ? i - 1 : 0; k <= i + 1 && k < list->n; k++)
            if (ends_with(list->fields[k].name, "vcpu"))
                list->vcpus[found].vcpu = (uint8_t)k;
        found++;
    }
}

static struct field_list *new_list(const struct event_layout *layout)
{
    struct field_list *list = &lists[lists_n];
    assert(lists_n < FIELD_LISTS_MAX);
    list->id = (uint16_t)lists_n++;
    list->layout = layout;
    return list;
}

static struct field_list *read_layout(const struct event_layout *layout, unsigned *least)
{
    struct layout_reading r = {.list = new_list(layout)};
    for (const char *p = layout->fields; *p;) {
        size_t n = *p == '{' ? strcspn(p, "}") + 1 : strcspn(p, " ");
        read_item(&r, p, n);
        p += n + (p[n] == ' ');
    }
    assert(layout->words == ANY_WORDS || r.word == layout->words);
    find_vcpus(r.list);
    *least = r.word;
    return r.list;
}

/* ---- which layout it is ---- */

static enum layout_choice choice_of(unsigned slot)
{
    switch (slot) {
    case EVENT_HVM_IOPORT_READ:
    case EVENT_HVM_IOPORT_WRITE:
    case EVENT_HVM_IOMEM_READ:
    case EVENT_HVM_IOMEM_WRITE:
        return CHOICE_WIDE;
    default:
        return CHOICE_PAD;
    }
}

/* The list for records without a known layout. */
static const struct field_list *unknown_list(bool unrecognised)
{
    struct layout_reading r = {.list = new_list(NULL)};
    if (unrecognised)
        add(&r, "id", 2, FIELD_ID, NUMBER_WORD, 0, 28);
    add(&r, "words", 5, FIELD_WORDS, 0, 0, 32);
    find_vcpus(r.list);
    return r.list;
}

static void take_layout(unsigned slot, const struct event_layout *layout)
{
    unsigned least;
    const struct field_list *list = read_layout(layout, &least);
    for (unsigned words = 0; words <= RECORD_WORDS_MAX; words++) {
        struct layout_choices *c = &layout_choices[slot][words];
        if (layout->words != words && (layout->words != ANY_WORDS || words < least))
            continue;
        if (!c->first) {
            c->first = list;
        } else if (!c->second) {
            c->second = list;
            c->choice = choice_of(slot);
        }
    }
}

static void choose_by_trait(struct layout_choices *c, const struct field_list *second, unsigned trait)
{
    c->second = second;
    c->choice = CHOICE_TRAIT;
    c->trait = trait;
}

/* The same list with the halves of its dv word exchanged; NULL: no dv word. */
static const struct field_list *exchanged(const struct field_list *list)
{
    const char *dv = list->layout ? strstr(list->layout->fields, "dv") : NULL;
    if (!dv)
        return NULL;
    struct field_list *other = new_list(list->layout);
    uint16_t id = other->id;
    *other = *list;
    other->id = id;
    other->fields[list->vcpus[0].domain].shift = 0;
    other->fields[list->vcpus[0].vcpu].shift = 16;
    return other;
}

/* The same list, and after its fields the other event that the record may be. */
static const struct field_list *doubted(const struct field_list *list, unsigned alternative)
{
    struct layout_reading r = {.list = new_list(list->layout)};
    uint16_t id = r.list->id;
    *r.list = *list;
    r.list->id = id;
    add(&r, "perhaps", strlen("perhaps"), FIELD_TEXT, NUMBER_WORD, 0, 1)->text =
        event_info(alternative)->name;
    return r.list;
}

static void choose_by_traits(void)
{
    for (unsigned slot = EVENT_CREDIT_SCHED_TASKLET; slot <= EVENT_CREDIT_STEAL_CHECK; slot++)
        for (unsigned words = 0; words <= RECORD_WORDS_MAX; words++) {
            struct layout_choices *c = &layout_choices[slot][words];
            unsigned alternative = old_number_alternative(slot, words);
            if (alternative != EVENT_UNRECOGNISED)
                choose_by_trait(c, doubted(c->first, alternative), TRAIT_CREDIT_UNSURE);
        }
    for (unsigned words = 2; words <= 3; words++)
        choose_by_trait(&layout_choices[EVENT_VMX_EXIT][words], layout_choices[EVENT_SVM_EXIT][words].first,
                        TRAIT_SVM);
    for (unsigned slot = EVENT_CREDIT2_TICK; slot <= EVENT_RTDS_SCHEDULE; slot++)
        for (unsigned words = 0; words <= RECORD_WORDS_MAX; words++) {
            struct layout_choices *c = &layout_choices[slot][words];
            const struct field_list *other = exchanged(c->first);
            if (other)
                choose_by_trait(c, other, TRAIT_OLD_UNITS);
        }
}

void event_fields_init(void)
{
    if (lists_n > 0)
        return;
    value_names_init();
    const struct field_list *unrecognised = unknown_list(true), *unknown = unknown_list(false);
    for (unsigned slot = 0; slot < EVENT_SLOTS; slot++) {
        for (const struct event_layout *l = event_info(slot)->layouts; l->fields; l++)
            take_layout(slot, l);
        for (unsigned words = 0; words <= RECORD_WORDS_MAX; words++)
            if (!layout_choices[slot][words].first)
                layout_choices[slot][words].first = slot == EVENT_UNRECOGNISED ? unrecognised : unknown;
    }
    choose_by_traits();
}

/*
 * Until Xen 4.17 {dom:u16 order:u16} and a word of padding stood where {dom, order} of a word each do since. Only the
 * former makes a first word beyond domain ids (an order above 0), and padding, stale memory, is no order.
 */
static bool ends_with_padding(unsigned words, const uint32_t *w)
{
    return w[words - 2] > 0xffff || w[words - 1] > 63;
}

const struct field_list *event_fields_choose(const struct layout_choices *c, unsigned words,
                                             const uint32_t w[RECORD_WORDS], unsigned traits)
{
    switch (c->choice) {
    case CHOICE_WIDE:
        return w[NUMBER_WORD] & 0x100 ? c->second : c->first;
    case CHOICE_PAD:
        return ends_with_padding(words, w) ? c->second : c->first;
    default:
        return traits & c->trait ? c->second : c->first;
    }
}

const struct field_list *event_fields_add(const struct event_layout *layout, unsigned *least)
{
    return lists_n < FIELD_LISTS_MAX ? read_layout(layout, least) : NULL;
}

const struct field_list *event_fields_unknown(void)
{
    return layout_choices[EVENT_SCHED_CTL][0].first; /* which nobody writes */
}

const struct field_list *event_fields_list(unsigned id)
{
    return id < lists_n ? &lists[id] : NULL;
}
