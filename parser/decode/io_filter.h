/*
 * Which records are of I/O between domains: of the many hypercalls only those that copy between domains, notify
 * another domain or switch the kernel's task, and of the many wakes only those that a notification caused.
 *
 * A notification is an event-channel operation: the hypercall's record comes first, and if the target was asleep its
 * WAKE is the very next record of that pCPU (xen/common/event_channel.c wakes before the hypercall returns).
 */
#ifndef XENMETER_PARSER_IO_FILTER_H
#define XENMETER_PARSER_IO_FILTER_H

#include <stdbool.h>
#include <stdint.h>

#include "event_table.h"

/* Hypercall numbers (Xen public/xen.h) and sub-operations. */
#define HYPERCALL_STACK_SWITCH     3  /* the kernel of a PV guest switches to another task */
#define HYPERCALL_GRANT_TABLE_OP   20 /* */
#define HYPERCALL_EVENT_CHANNEL_OP 32 /* send is by far the most frequent one */
#define GNTTABOP_COPY              5

/* The hypercall of a record of these slots; UINT32_MAX: not one of them, or its number is not in the record. */
uint32_t record_hypercall(unsigned slot, const uint8_t *payload, unsigned words);

/* What the filter knows of a pCPU. */
struct io_filter {
    uint8_t calls[64]; /* by hypercall number (there are fewer than 64): 1 if one can be of interest now */
    bool wakes;        /* the next record is a WAKE, by an event-channel operation */
    uint16_t domain;   /* whose vCPU runs there; 0xffff: not known */
    uint8_t *
        hypercalls_seen; /* a bit for each `domain` of which a hypercall was seen there; NULL until the first use */
};

void io_filter_init(struct io_filter *f);

/* A window of this pCPU begins with the records [p, end). False when there is no memory. */
bool io_filter_window(struct io_filter *f, const uint8_t *p, const uint8_t *end);

/*
 * Whether a record of a filtered slot is one to deliver: a copy; an event-channel operation that wakes nobody (the
 * record after it is no WAKE); a wake by one; a switch of tasks that ends a batch of copies; and the first of all these
 * hypercalls, or exits, of a domain on this pCPU, so that it is known that they are traced.
 * `next` .. `end`: the bytes of the trace after the record.
 */
bool io_filter_passes(struct io_filter *f, unsigned slot, const uint8_t *payload, unsigned words,
                      const uint8_t *next, const uint8_t *end);

/* Whether a hypercall of the domain that runs was seen on this pCPU. */
static inline bool io_filter_seen(const struct io_filter *f)
{
    return f->hypercalls_seen && f->hypercalls_seen[f->domain / 8] >> f->domain % 8 & 1;
}

/* A vCPU of the domain runs from now on. */
static inline void io_filter_runs(struct io_filter *f, uint16_t domain)
{
    f->domain = domain;
    f->calls[HYPERCALL_STACK_SWITCH] = !io_filter_seen(f);
}

/* The slots of which only some records are of I/O, and those of which all are; both end with EVENT_UNRECOGNISED. */
extern const unsigned io_filtered_slots[];
extern const unsigned io_slots[];

#endif
