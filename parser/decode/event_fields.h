/*
 * The fields of a record: the payload layouts of events.def, made ready to be read. A layout is a list of fields, in the
 * order of the table; each says where its value is and what it is.
 */
#ifndef XENMETER_PARSER_EVENT_FIELDS_H
#define XENMETER_PARSER_EVENT_FIELDS_H

#include <stdbool.h>
#include <stdint.h>

#include "event_table.h"
#include "value_names.h"

/*
 * The words of a record as fields are read from them: the payload, and then what is not part of it. One more can be read
 * behind the last.
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
    FIELD_FLAG,  /* one bit, told only when it is set */
    FIELD_ARGUMENTS, /* the words from `word` on: arguments of a hypercall, whose field argmask is the one before */
    FIELD_WORDS /* the words from `word` on, in hexadecimal */
};

struct field {
    char name[24];
    uint8_t kind; /* enum field_kind */
    uint8_t word; /* the first one of its value */
    uint8_t shift, bits;
    uint8_t add;                    /* to what the bits say */
    bool hidden;                    /* argmask: only there to be read */
    bool hex;                       /* FIELD_NAMED: a value without a name reads best in hexadecimal */
    const struct name_table *names; /* FIELD_NAMED: of its values */
};

#define FIELDS_MAX      8
#define FIELD_VCPUS_MAX 2
#define FIELD_NONE      255

struct field_list {
    struct field fields[FIELDS_MAX];
    uint8_t n;
    uint16_t id; /* a small number of its own, below FIELD_LISTS_MAX */
    /* the domains, and vCPUs of them, that it names: indices of fields, FIELD_NONE where there is none */
    struct {
        uint8_t domain, vcpu;
    } vcpus[FIELD_VCPUS_MAX];
    const struct event_layout *layout; /* NULL: no known version of Xen writes such a record */
};

#define FIELD_LISTS_MAX 512

/* Reads the table; idempotent, and to be called before threads start. */
void event_fields_init(void);

/* What tells layouts of one event that have the same number of words apart. */
enum layout_choice {
    CHOICE_NONE, /* there is only one */
    CHOICE_WIDE, /* the second is the one of event numbers with the bit of 64-bit addresses */
    CHOICE_PAD,  /* the second ends with a packed word and padding */
    CHOICE_TRAIT /* the second is the one of traces with the trait */
};

/* The lists of the records of one slot with one number of words. */
struct layout_choices {
    const struct field_list *first, *second;
    enum layout_choice choice;
    unsigned trait;
};

extern struct layout_choices layout_choices[EVENT_SLOTS][RECORD_WORDS_MAX + 1];

/* For event_fields: one of several. */
const struct field_list *event_fields_choose(const struct layout_choices *c, unsigned words,
                                             const uint32_t w[RECORD_WORDS], unsigned traits);

/*
 * The fields of a record of this slot with `words` payload words. Never NULL: where no layout is known it is one field
 * "words", of an unrecognised event preceded by "id". Some layouts have the same number of words: what tells them apart
 * is looked for in the record itself. `traits`: of the trace (enum trace_trait).
 */
static inline const struct field_list *event_fields(unsigned slot, unsigned words,
                                                    const uint32_t w[RECORD_WORDS], unsigned traits)
{
    const struct layout_choices *c = &layout_choices[slot][words];
    return c->choice == CHOICE_NONE ? c->first : event_fields_choose(c, words, w, traits);
}

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
