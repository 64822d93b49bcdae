/*
 * The event table: every trace record type of Xen 3.2 to 4.22, as data (events.def).
 *
 * An *event* is the low 28 bits of a record header: class (bits 16-27, one bit set), subclass (12-15), minor
 * (0-11). Each row of events.def gets a small number, its *slot*: an index for flat arrays. Slot 0 is
 * EVENT_UNRECOGNISED. Facts: Xen's public/trace.h and the trace points in its source, 3.2 to 4.22.
 */
#ifndef XENMETER_PARSER_EVENT_TABLE_H
#define XENMETER_PARSER_EVENT_TABLE_H

#include <stdint.h>

/* Classes, in the order of their bit in the header. */
enum event_class {
    CLASS_GEN,
    CLASS_SCHED,
    CLASS_DOM0OP,
    CLASS_HVM,
    CLASS_MEM,
    CLASS_PV,
    CLASS_SHADOW,
    CLASS_HW,
    CLASS_GUEST,
    CLASS_UNRECOGNISED,
    CLASSES
};

/* One enumerator a row: EVENT_RUNSTATE_CHANGE, EVENT_SWITCH_INFNEXT, ... */
enum event_slot {
    EVENT_UNRECOGNISED,
#define EVENT(SLOT, ID, VARIANTS, CLASS, NAME, TSC, LAYOUTS) EVENT_##SLOT,
#include "events.def"
#undef EVENT
    EVENT_SLOTS
};

/* Facts about a trace, or-ed, that choose between layouts where a single record cannot. */
enum trace_trait {
    TRAIT_SVM = 1,       /* the reasons of VMX_EXIT records are SVM's, as on AMD hosts until 4.18 */
    TRAIT_OLD_UNITS = 2, /* the dv word of credit2 and rtds is {dom:u16 vcpu:u16}, as until 4.6 */
    /* Of old_numbers.h: */
    TRAIT_OLD_NUMBERS = 4, /* Xen 4.2 or older wrote it, as far as the records tell */
    TRAIT_OLD_CREDIT2 = 8, /* with the scheduler credit2 */
    TRAIT_CREDIT_UNSURE =
        16 /* with credit, credit2 or both: which of them wrote a record is not always known */
};

/* One payload layout of an event. The number of payload words distinguishes the layouts. */
struct event_layout {
    uint8_t words;      /* payload words of this layout, 0..7; 255: any number */
    const char *fields; /* "dom:u32 vcpu:u32 runtime_ns:u32"; see the head of events.def for the types */
    const char *since;  /* Xen versions that write it: "4.8+", "3.2-4.7", "" = all */
};

struct event_info {
    uint32_t id;       /* the event number with all variant bits 0 */
    uint32_t variants; /* bits of the event number that carry data (old/new runstate, 64-bit form, ...) */
    enum event_class class_id;          /* */
    const char *name;                   /* lower case, stable: "runstate_change", "switch_infnext" */
    char tsc;                           /* 'T' always has a tsc, '-' never, '?' either */
    const struct event_layout *layouts; /* newest first; ends with a layout whose fields are NULL */
};

/* Facts about a slot, 0 <= slot < EVENT_SLOTS. Slot 0 has the name "unrecognised". Never NULL. */
const struct event_info *event_info(unsigned slot);

/* "gen" "sched" "dom0op" "hvm" "mem" "pv" "shadow" "hw" "guest" "unrecognised". Never NULL. */
const char *event_class_name(enum event_class class_id);

/* The class of any event number, recognised or not (CLASS_UNRECOGNISED unless exactly one class bit is set). */
enum event_class event_class_of(uint32_t event);

/*
 * The layout of a record of this slot with that many payload words, or NULL if no known version of Xen writes such a
 * record.
 */
const struct event_layout *event_layout(unsigned slot, unsigned words);

/*
 * Event number -> slot in two loads, for the hot loop: page = pages[event >> 12 & 0xffff], slot =
 * slots[page + (event & 0xfff)]. Page 0 is all EVENT_UNRECOGNISED. Built once by event_index_init (idempotent; call
 * it before threads start), read-only afterwards.
 */
struct event_index {
    uint32_t pages[65536]; /* where in `slots` the page begins */
    uint8_t slots[64 * 4096];
};
extern struct event_index event_index;
void event_index_init(void);

static inline unsigned event_slot(uint32_t event)
{
    return event_index.slots[event_index.pages[(event >> 12) & 0xffff] + (event & 0xfff)];
}

#endif
