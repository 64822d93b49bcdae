/*
 * The quality of the data: counts of what was read, lost, damaged or contradictory. Every result includes it. The
 * parser fills the part about bytes and records, the meter the part about states; every field adds, so that the parts
 * of a trace merge (quality_merge). A number is added by a row of parser/quality.def.
 */
#ifndef XENMETER_PARSER_QUALITY_H
#define XENMETER_PARSER_QUALITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "parser/decode/event_table.h"

#define QUALITY_PLACES       8  /* how many places of damage are kept with their offsets */
#define QUALITY_UNRECOGNISED 64 /* how many different unknown event numbers have a count of their own */

/* One stretch of the trace that could not be used. */
struct damage {
    uint64_t offset;  /* first byte skipped, in the (decompressed) trace */
    uint64_t bytes;   /* how many */
    const char *what; /* static text: "payload past the window", "no window header", ... */
};

/* Records of one slot by form: index = payload words + 8 if the record carries a tsc. */
struct event_count {
    uint64_t forms[16];
};

struct quality {
#define QUALITY(NAME, UNIT, PART, ADDS, STORED) uint64_t NAME;
#include "parser/quality.def"
#undef QUALITY
    const char *skipped_what; /* what the last damaged stretch was: static text */
    struct damage places[QUALITY_PLACES];
    struct event_count events[EVENT_SLOTS];
    struct unrecognised_event {
        uint32_t event;
        uint64_t records;
        uint64_t bytes;
    } unrecognised[QUALITY_UNRECOGNISED]; /* in order of first sight */
    unsigned unrecognised_kinds;
};

/* The numbers of the record, described (parser/quality.def). */
enum quality_unit { QUALITY_COUNT, QUALITY_BYTES, QUALITY_OFFSET, QUALITY_NS, QUALITY_INSTANT };
enum quality_part {
    QUALITY_LOSSES,
    QUALITY_STATES,
    QUALITY_STAMPS,
    QUALITY_STRANGE,
    QUALITY_DAMAGE,
    QUALITY_PARTS,
    QUALITY_NONE = QUALITY_PARTS
};
enum quality_adds { QUALITY_SUM, QUALITY_MAX, QUALITY_FIRST, QUALITY_NOT };

struct quality_field {
    const char *name;
    enum quality_unit unit;
    enum quality_part part;
    enum quality_adds adds;
    size_t offset; /* in struct quality */
};

extern const struct quality_field quality_fields[];
extern const size_t quality_fields_n;

/* The number of that row in `q`. */
uint64_t *quality_at(struct quality *q, size_t row);
uint64_t quality_number(const struct quality *q, size_t row);

/* Whether the number means something: QUALITY_FIRST needs that something was counted. */
bool quality_applies(const struct quality *q, size_t row);

/*
 * Takes from `q` what `before`, an earlier state of it, had already; moments count from origin_ns on. What is the first of its kind
 * is not known any more where `before` had one: it is taken for the beginning.
 */
void quality_since(struct quality *q, const struct quality *before, uint64_t origin_ns);

/* Bytes of `n` records of form index `form` (see struct event_count). */
uint64_t event_form_bytes(unsigned form, uint64_t n);

/* Notes a damaged stretch; keeps the places of the first QUALITY_PLACES and counts all. */
void quality_skip(struct quality *q, uint64_t offset, uint64_t bytes, const char *what);

/* Counts a record whose event number is not in the table. */
void quality_unrecognised(struct quality *q, uint32_t event, unsigned bytes);

/* One that was counted is none: it counts no longer. */
void quality_not_unrecognised(struct quality *q, uint32_t event, unsigned bytes);

/* Adds `from`, whose trace begins `offset_ns` after that of `into`, to `into`. */
void quality_merge(struct quality *into, const struct quality *from, uint64_t offset_ns);

#endif
