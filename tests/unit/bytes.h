/*
 * Captures made by hand: records appended to the buffers of pCPUs, buffers flushed into windows as xentrace does.
 *
 * Times are ns from the start; a record's tsc is BASE_TSC + time * cycles_per_ns (1 unless a test is about the clock).
 * Record layouts: Xen public/trace.h and its trace points.
 */
#ifndef XENMETER_TESTS_UNIT_BYTES_H
#define XENMETER_TESTS_UNIT_BYTES_H

#include <stddef.h>
#include <stdint.h>

#define US 1000ull
#define MS 1000000ull
#define S  1000000000ull

#define BASE_TSC 1000000000000ull
#define IDLE     32767

enum { RUNNING, RUNNABLE, BLOCKED, OFFLINE }; /* as Xen numbers them */

#define CAPTURE_PCPUS 64

struct bytes {
    uint8_t *data;
    size_t n, capacity;
};

struct trace_bytes {
    struct bytes file;
    struct bytes pcpus[CAPTURE_PCPUS];
    unsigned pcpu; /* records go there */
    double cycles_per_ns;
};

void trace_bytes_init(struct trace_bytes *c);
void trace_bytes_free(struct trace_bytes *c);

/* Further records are written on this pCPU. */
void on(struct trace_bytes *c, unsigned pcpu);

/* Reads one pCPU's buffer: a window, if there is anything in it. */
void flush(struct trace_bytes *c, unsigned pcpu);

/* Reads all buffers in ascending order. */
void sweep(struct trace_bytes *c);

/* Bytes straight into the file. */
void raw(struct trace_bytes *c, const void *bytes, size_t n);
void raw_window_header(struct trace_bytes *c, uint32_t pcpu, uint32_t bytes);

/* Overwrites a word of the file. */
void patch32(struct trace_bytes *c, size_t offset, uint32_t word);

/* Any record: with a tsc, or without one. */
void record(struct trace_bytes *c, uint64_t t, uint32_t event, unsigned words, const uint32_t *w);
void record_untimed(struct trace_bytes *c, uint32_t event, unsigned words, const uint32_t *w);

/* A record that means nothing to the accounts: it only marks the time. */
void mark(struct trace_bytes *c, uint64_t t);

/* Such a record on this pCPU each second in [0, to]: nobody would think that nothing was recorded. */
void mark_seconds(struct trace_bytes *c, unsigned pcpu, uint64_t to);

void rec_runstate(struct trace_bytes *c, uint64_t t, uint32_t dom, uint32_t vcpu, int old, int new);
void rec_continue(struct trace_bytes *c, uint64_t t, uint32_t dom, uint32_t vcpu);
void rec_infprev(struct trace_bytes *c, uint64_t t, uint32_t dom, uint32_t vcpu, uint64_t ran_ns);
void rec_infprev_old(struct trace_bytes *c, uint64_t t, uint32_t dom, uint64_t ran_ns);
void rec_infnext(struct trace_bytes *c, uint64_t t, uint32_t dom, uint32_t vcpu, uint32_t waited_ns,
                 uint32_t slice_ns);
void rec_infnext_old(struct trace_bytes *c, uint64_t t, uint32_t dom, uint32_t waited_ns, uint32_t slice_ns);
void rec_infcont(struct trace_bytes *c, uint64_t t, uint32_t dom, uint32_t vcpu, uint32_t ran_ns,
                 uint32_t slice_ns);
void rec_switch(struct trace_bytes *c, uint64_t t, uint32_t dom, uint32_t vcpu, uint32_t next_dom,
                uint32_t next_vcpu);
void rec_wake(struct trace_bytes *c, uint64_t t, uint32_t dom, uint32_t vcpu);
void rec_block(struct trace_bytes *c, uint64_t t, uint32_t dom, uint32_t vcpu);
void rec_sleep(struct trace_bytes *c, uint64_t t, uint32_t dom, uint32_t vcpu);
void rec_yield(struct trace_bytes *c, uint64_t t, uint32_t dom, uint32_t vcpu);
void rec_dom_add(struct trace_bytes *c, uint64_t t, uint32_t dom);
void rec_dom_add_old(struct trace_bytes *c, uint64_t t, uint32_t dom, uint32_t vcpu);
void rec_dom_rem(struct trace_bytes *c, uint64_t t, uint32_t dom);
void rec_dom_rem_old(struct trace_bytes *c, uint64_t t, uint32_t dom, uint32_t vcpu);
void rec_lost(struct trace_bytes *c, uint64_t t, uint32_t count, uint32_t dom, uint32_t vcpu, uint64_t first);
void rec_lost_old(struct trace_bytes *c, uint32_t count);
void rec_wrap(struct trace_bytes *c, unsigned words);

/* I/O. A hypercall without arguments; a grant copy of n operations; an event-channel send, with the wake it causes. */
void rec_hypercall(struct trace_bytes *c, uint64_t t, uint32_t call);
void rec_copy(struct trace_bytes *c, uint64_t t, uint32_t n);
void rec_notify(struct trace_bytes *c, uint64_t t, uint32_t dom, uint32_t vcpu);
void rec_map(struct trace_bytes *c, uint64_t t, uint32_t dom);
void rec_unmap(struct trace_bytes *c, uint64_t t, uint32_t dom);
/* The current vCPU asks for no page to be unmapped. */
void rec_unmap_none(struct trace_bytes *c, uint64_t t);
void rec_transfer(struct trace_bytes *c, uint64_t t, uint32_t dom);

/* The runstate changes of a context switch on the current pCPU: idle to a vCPU, a vCPU to idle, one to another. */
void starts(struct trace_bytes *c, uint64_t t, uint32_t dom, uint32_t vcpu);
void stops(struct trace_bytes *c, uint64_t t, uint32_t dom, uint32_t vcpu, int new);
void replaces(struct trace_bytes *c, uint64_t t, uint32_t dom, uint32_t vcpu, int new, uint32_t next_dom,
              uint32_t next_vcpu);

#endif
