/*
 * The fields of a record: the payload layouts of events.def, parsed once. A layout is a list of fields, in the order of
 * the table; each has the place and the kind of its value.
 */
#ifndef XENMETER_PARSER_EVENT_FIELDS_H
#define XENMETER_PARSER_EVENT_FIELDS_H

#include <stdbool.h>
#include <stdint.h>

#include "event_table.h"
#include "value_names.h"

/*
 * The words from which fields are read: the payload, then the event number. One word more may be read after the last.
 */
#define RECORD_WORDS_MAX 7 /* of a payload */
#define NUMBER_WORD      7 /* the event number */
#define RECORD_WORDS     10

enum field_kind {
    FIELD_UNSIGNED,
    FIELD_SIGNED,
    FIELD_HEX,
    FIELD_ID,    /* the event number, with all its digits */
    FIELD_NAMED, /* unsigned, with names for its values */
    FIELD_FLAG,  /* one bit, shown only when it is set */
    FIELD_TEXT,  /* a text that takes no words */
    FIELD_ARGUMENTS, /* the words from `word` on: arguments of a hypercall, whose field argmask is the one before */
    FIELD_WORDS /* the words from `word` on, in hexadecimal */
};

struct field {
    char name[24];
    uint8_t kind; /* enum field_kind */
    uint8_t word; /* the first word of its value */
    uint8_t shift, bits;
    uint8_t add;                    /* added to the bits */
    bool hidden;                    /* argmask: read, but not shown */
    bool hex;                       /* FIELD_NAMED: a value without a name reads best in hexadecimal */
    const struct name_table *names; /* FIELD_NAMED: of its values */
    const char *text;               /* FIELD_TEXT */
};

#define FIELDS_MAX      8
#define FIELD_VCPUS_MAX 2
#define FIELD_NONE      255

struct field_list {
    struct field fields[FIELDS_MAX];
    uint8_t n;
    uint16_t id; /* number of the list, below FIELD_LISTS_MAX */
    /* the fields that name domains, and those domains' vCPUs: indices, FIELD_NONE: none */
    struct {
        uint8_t domain, vcpu;
    } vcpus[FIELD_VCPUS_MAX];
    const struct event_layout *layout; /* NULL: no known version of Xen writes such a record */
};

#define FIELD_LISTS_MAX 512

/* Reads the table. Idempotent; call it before threads start. */
void event_fields_init(void);

/* How to choose among layouts of one event with the same number of words. */
enum layout_choice {
    CHOICE_NONE, /* there is only one layout */
    CHOICE_WIDE, /* the second layout: event numbers with the bit of 64-bit addresses */
    CHOICE_PAD,  /* the second layout ends with a packed word and padding */
    CHOICE_TRAIT /* the second layout: traces with the trait */
};

/* The lists of the records of one slot with one number of words. */
struct layout_choices {
    const struct field_list *first, *second;
    enum layout_choice choice;
    unsigned trait;
};

extern struct layout_choices layout_choices[EVENT_SLOTS][RECORD_WORDS_MAX + 1];

/* For event_fields: chooses one of several. */
const struct field_list *event_fields_choose(const struct layout_choices *c, unsigned words,
                                             const uint32_t w[RECORD_WORDS], unsigned traits);

/*
 * The fields of a record of this slot with `words` payload words. Never NULL: without a known layout it is one field
 * "words", preceded by "id" for an unrecognised event. Layouts with the same number of words are distinguished by the
 * record itself and by the `traits` of the trace (enum trace_trait).
 */
static inline const struct field_list *event_fields(unsigned slot, unsigned words,
                                                    const uint32_t w[RECORD_WORDS], unsigned traits)
{
    const struct layout_choices *c = &layout_choices[slot][words];
    return c->choice == CHOICE_NONE ? c->first : event_fields_choose(c, words, w, traits);
}

/*
 * For tables that do not come with the program: makes the list of a layout that layout_check accepts; both stay. *least:
 * the words that it takes at least. NULL: FIELD_LISTS_MAX are there.
 */
const struct field_list *event_fields_add(const struct event_layout *layout, unsigned *least);

/* The list of records of a known event without a known layout. */
const struct field_list *event_fields_unknown(void);

/* All lists that there are: 0 <= id. NULL: there are no more. */
const struct field_list *event_fields_list(unsigned id);

/* The value of a field; sign-extended if it is FIELD_SIGNED. */
static inline uint64_t field_value(const struct field *f, const uint32_t w[RECORD_WORDS])
{
    uint64_t v = (w[f->word] | (uint64_t)w[f->word + 1] << 32) >> f->shift;
    v = (v & UINT64_MAX >> (64 - f->bits)) + f->add;
    return f->kind == FIELD_SIGNED ? (uint64_t)((int64_t)(v << (64 - f->bits)) >> (64 - f->bits)) : v;
}

#endif
