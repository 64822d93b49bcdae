/* Records one by one, as a dump tells them: when, where, while which vCPU was current, and only those that are wanted. */
#ifndef XENMETER_METRICS_DUMP_H
#define XENMETER_METRICS_DUMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "metrics/model/model.h"
#include "parser/decode/event_fields.h"
#include "parser/decode/own_events.h"
#include "parser/trace.h"

struct dump_record {
    uint64_t tsc;
    uint64_t time_ns; /* from the start of the trace; 0 when no clock is known */
    uint32_t current; /* the vCPU that ran there: dom << 16 | vcpu, or CURRENT_UNKNOWN */
    uint32_t header;  /* as in the trace */
    uint16_t pcpu;
    uint16_t slot; /* of the event, or of a user's own (own_event_slot) */
    const struct field_list *fields;
    uint32_t w[RECORD_WORDS]; /* the payload, and the event number (event_fields.h) */
};

/* One item of a list of vCPUs: those numbered from..to, of one domain or of any. */
struct vcpu_range {
    int32_t domain; /* -1: any */
    uint32_t from, to;
};

/* Which records of an event: all; only those with numbers of a list; all but those. */
enum dump_by_number { DUMP_ALL, DUMP_ONLY, DUMP_EXCEPT };

/* Which records are wanted. All that is pointed to is the caller's, and outlives the reader. */
struct dump_filter {
    uint64_t from_ns, to_ns; /* times in [from, to); to 0: to the end */
    const bool *slots;       /* events, by slot; NULL: all that come */
    const uint8_t *pcpus;    /* a byte for each of PCPUS_MAX; NULL: all that come */
    const uint8_t *domains;  /* a byte for each of 65536 domain ids; NULL: all */
    const struct vcpu_range *vcpus;
    size_t vcpus_n;          /* 0: all */
    const uint32_t *numbers; /* event numbers, ascending, */
    size_t numbers_n;
    const uint8_t *by_number; /* and what they mean for each slot (enum dump_by_number); NULL: nothing */
    const struct own_events
        *own; /* names for records of EVENT_UNRECOGNISED, as which they are chosen; NULL: none */
};

/*
 * A record is of a domain, or a vCPU, that was current, or that it names in its fields: a wake-up is the sleeper's as well
 * as the waker's.
 */
struct dump_reader {
    struct dump_filter filter;
    uint64_t span_ns;               /* length of the time wanted, from filter.from_ns on */
    uint8_t wanted[UINT8_MAX + 1];  /* by slot of an event, pseudo-events too: EVENT_RAW or 0 */
    bool picks;                     /* the filter asks for pCPUs or numbers */
    bool by_vcpu;                   /* the filter asks for domains or vCPUs */
    uint32_t current[PCPUS_MAX];    /* by pCPU */
    bool current_wanted[PCPUS_MAX]; /* the filter wants it; whatever it is without `by_vcpu` */
    bool primed[PCPUS_MAX];         /* it is known from before the trace began */
};

/* The filter is copied. event_fields_init was called. */
void dump_reader_init(struct dump_reader *r, const struct dump_filter *filter);

/* Before the first batch of a trace that begins in the middle: the model has its past, and knows who is current there. */
void dump_reader_prime(struct dump_reader *r, const struct model *past);

/* For dump_next: gives the record of an unrecognised event the slot and fields of a user's own one, if it is one. */
void dump_take_own(const struct dump_reader *r, struct dump_record *record);

/* For dump_next: who is current on a pCPU from now on; whether a record's pCPU and number are wanted, or a vCPU that it names. */
void dump_take_current(struct dump_reader *r, unsigned pcpu, uint32_t current);
bool dump_is_picked(const struct dump_reader *r, const struct event *e);
bool dump_names_wanted(const struct dump_reader *r, const struct dump_record *record);

/*
 * The next wanted record of a batch of a trace with raw records (parser/event.h), from event *at on, which moves behind it. False when
 * there is none left. (Here to be inlined: it is called for every record.)
 */
static inline bool dump_next(struct dump_reader *r, const struct event_batch *batch, size_t *at,
                             const struct clock *clock, struct dump_record *record)
{
    for (size_t i = *at; i < batch->n; i++) {
        const struct event *e = &batch->events[i];
        if (!(e->flags & r->wanted[e->slot])) { /* another consumer's, or part of a record */
            if (e->slot == EVENT_CURRENT)
                dump_take_current(r, e->pcpu, e->w[0]);
            continue;
        }
        uint64_t time_ns = clock_ns(clock, e->tsc);
        /* What lies before from_ns wraps beyond any span. */
        if (time_ns - r->filter.from_ns >= r->span_ns || (r->picks && !dump_is_picked(r, e)))
            continue;
        unsigned words = event_words(e);
        record->tsc = e->tsc;
        record->time_ns = time_ns;
        record->current = r->current[e->pcpu];
        record->header = e->header;
        record->pcpu = e->pcpu;
        record->slot = e->slot;
        memcpy(record->w, e->w, sizeof e->w);
        if (words > 4)
            memcpy(record->w + 4, e[1].w, 12);
        record->w[NUMBER_WORD] = event_number(e);
        record->w[NUMBER_WORD + 1] = 0;
        record->fields = event_fields(e->slot, words, record->w, batch->traits);
        if (e->slot == EVENT_UNRECOGNISED && r->filter.own)
            dump_take_own(r, record);
        if (!r->current_wanted[e->pcpu] && !dump_names_wanted(r, record))
            continue;
        *at = i + 1;
        return true;
    }
    *at = batch->n;
    return false;
}

/* Whether all records up to the watermark were delivered, and later ones lie beyond the time wanted. */
bool dump_is_over(const struct dump_reader *r, const struct event_batch *batch, const struct clock *clock);

#endif
