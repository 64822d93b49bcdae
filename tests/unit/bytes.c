#include "bytes.h"

#include <stdlib.h>
#include <string.h>

static void append(struct bytes *b, const void *from, size_t n)
{
    if (n == 0)
        return;
    if (b->n + n > b->capacity) {
        b->capacity = (b->n + n) * 2;
        b->data = realloc(b->data, b->capacity);
        if (!b->data)
            abort();
    }
    memcpy(b->data + b->n, from, n);
    b->n += n;
}

static void append32(struct bytes *b, uint32_t word)
{
    append(b, &word, sizeof word);
}

void trace_bytes_init(struct trace_bytes *c)
{
    memset(c, 0, sizeof *c);
    c->cycles_per_ns = 1;
}

void trace_bytes_free(struct trace_bytes *c)
{
    free(c->file.data);
    for (unsigned i = 0; i < CAPTURE_PCPUS; i++)
        free(c->pcpus[i].data);
}

void on(struct trace_bytes *c, unsigned pcpu)
{
    c->pcpu = pcpu;
}

void flush(struct trace_bytes *c, unsigned pcpu)
{
    struct bytes *b = &c->pcpus[pcpu];
    if (b->n == 0)
        return;
    raw_window_header(c, pcpu, (uint32_t)b->n);
    append(&c->file, b->data, b->n);
    b->n = 0;
}

void sweep(struct trace_bytes *c)
{
    for (unsigned i = 0; i < CAPTURE_PCPUS; i++)
        flush(c, i);
}

void raw(struct trace_bytes *c, const void *bytes, size_t n)
{
    append(&c->file, bytes, n);
}

void raw_window_header(struct trace_bytes *c, uint32_t pcpu, uint32_t bytes)
{
    append32(&c->file, 0x2001f003);
    append32(&c->file, pcpu);
    append32(&c->file, bytes);
}

void patch32(struct trace_bytes *c, size_t offset, uint32_t word)
{
    memcpy(c->file.data + offset, &word, sizeof word);
}

static uint64_t tsc_at(const struct trace_bytes *c, uint64_t t)
{
    return BASE_TSC + (c->cycles_per_ns == 1 ? t : (uint64_t)((double)t * c->cycles_per_ns));
}

void record(struct trace_bytes *c, uint64_t t, uint32_t event, unsigned words, const uint32_t *w)
{
    struct bytes *b = &c->pcpus[c->pcpu];
    uint64_t tsc = tsc_at(c, t);
    append32(b, event | words << 28 | 1u << 31);
    append(b, &tsc, sizeof tsc);
    append(b, w, words * sizeof *w);
}

void record_untimed(struct trace_bytes *c, uint32_t event, unsigned words, const uint32_t *w)
{
    struct bytes *b = &c->pcpus[c->pcpu];
    append32(b, event | words << 28);
    append(b, w, words * sizeof *w);
}

/* A record with a tsc whose payload is the list. */
#define RECORD(c, t, event, ...)                                                                             \
    record(c, t, event, (unsigned)(sizeof((uint32_t[]){__VA_ARGS__}) / 4), (uint32_t[]){__VA_ARGS__})

void mark(struct trace_bytes *c, uint64_t t)
{
    RECORD(c, t, 0x00802007, 0); /* an interrupt that nobody handles */
}

void mark_seconds(struct trace_bytes *c, unsigned pcpu, uint64_t to)
{
    unsigned before = c->pcpu;
    on(c, pcpu);
    for (uint64_t t = 0; t <= to; t += S)
        mark(c, t);
    on(c, before);
}

void rec_runstate(struct trace_bytes *c, uint64_t t, uint32_t dom, uint32_t vcpu, int old, int new)
{
    RECORD(c, t, 0x00021001 | (uint32_t)old << 8 | (uint32_t) new << 4, dom << 16 | vcpu);
}

void rec_continue(struct trace_bytes *c, uint64_t t, uint32_t dom, uint32_t vcpu)
{
    RECORD(c, t, 0x00021002, dom << 16 | vcpu);
}

void rec_infprev(struct trace_bytes *c, uint64_t t, uint32_t dom, uint32_t vcpu, uint64_t ran_ns)
{
    RECORD(c, t, 0x0002800e, dom, vcpu, (uint32_t)ran_ns);
}

void rec_infprev_old(struct trace_bytes *c, uint64_t t, uint32_t dom, uint64_t ran_ns)
{
    RECORD(c, t, 0x0002800e, dom, (uint32_t)ran_ns);
}

void rec_infnext(struct trace_bytes *c, uint64_t t, uint32_t dom, uint32_t vcpu, uint32_t waited_ns,
                 uint32_t slice_ns)
{
    RECORD(c, t, 0x0002800f, dom, vcpu, waited_ns, slice_ns);
}

void rec_infnext_old(struct trace_bytes *c, uint64_t t, uint32_t dom, uint32_t waited_ns, uint32_t slice_ns)
{
    RECORD(c, t, 0x0002800f, dom, waited_ns, slice_ns);
}

void rec_infcont(struct trace_bytes *c, uint64_t t, uint32_t dom, uint32_t vcpu, uint32_t ran_ns,
                 uint32_t slice_ns)
{
    RECORD(c, t, 0x00028011, dom, vcpu, ran_ns, slice_ns);
}

void rec_switch(struct trace_bytes *c, uint64_t t, uint32_t dom, uint32_t vcpu, uint32_t next_dom,
                uint32_t next_vcpu)
{
    RECORD(c, t, 0x0002800a, dom, vcpu, next_dom, next_vcpu);
}

void rec_wake(struct trace_bytes *c, uint64_t t, uint32_t dom, uint32_t vcpu)
{
    RECORD(c, t, 0x00028004, dom, vcpu);
}

void rec_block(struct trace_bytes *c, uint64_t t, uint32_t dom, uint32_t vcpu)
{
    RECORD(c, t, 0x00028006, dom, vcpu);
}

void rec_sleep(struct trace_bytes *c, uint64_t t, uint32_t dom, uint32_t vcpu)
{
    RECORD(c, t, 0x00028003, dom, vcpu);
}

void rec_yield(struct trace_bytes *c, uint64_t t, uint32_t dom, uint32_t vcpu)
{
    RECORD(c, t, 0x00028005, dom, vcpu);
}

void rec_dom_add(struct trace_bytes *c, uint64_t t, uint32_t dom)
{
    RECORD(c, t, 0x00028001, dom);
}

void rec_dom_add_old(struct trace_bytes *c, uint64_t t, uint32_t dom, uint32_t vcpu)
{
    RECORD(c, t, 0x00028001, dom, vcpu);
}

void rec_dom_rem(struct trace_bytes *c, uint64_t t, uint32_t dom)
{
    RECORD(c, t, 0x00028002, dom);
}

void rec_dom_rem_old(struct trace_bytes *c, uint64_t t, uint32_t dom, uint32_t vcpu)
{
    RECORD(c, t, 0x00028002, dom, vcpu);
}

/* Here, and nowhere else, the domain is the low half of the word. */
void rec_lost(struct trace_bytes *c, uint64_t t, uint32_t count, uint32_t dom, uint32_t vcpu, uint64_t first)
{
    uint64_t tsc = tsc_at(c, first);
    RECORD(c, t, 0x0001f001, count, vcpu << 16 | dom, (uint32_t)tsc, (uint32_t)(tsc >> 32));
}

void rec_lost_old(struct trace_bytes *c, uint32_t count)
{
    record_untimed(c, 0x0001f001, 1, &count);
}

void rec_wrap(struct trace_bytes *c, unsigned words)
{
    /* What was there before: looks like a window header, and must not be taken for one. */
    static const uint32_t stale[7] = {0x2001f003, 1, 64, 0x2001f003, 2, 128, 0};
    record_untimed(c, 0x0001f002, words, stale);
}

void starts(struct trace_bytes *c, uint64_t t, uint32_t dom, uint32_t vcpu)
{
    rec_runstate(c, t, IDLE, c->pcpu, RUNNING, RUNNABLE);
    rec_runstate(c, t, dom, vcpu, RUNNABLE, RUNNING);
}

void stops(struct trace_bytes *c, uint64_t t, uint32_t dom, uint32_t vcpu, int new)
{
    rec_runstate(c, t, dom, vcpu, RUNNING, new);
    rec_runstate(c, t, IDLE, c->pcpu, RUNNABLE, RUNNING);
}

void replaces(struct trace_bytes *c, uint64_t t, uint32_t dom, uint32_t vcpu, int new, uint32_t next_dom,
              uint32_t next_vcpu)
{
    rec_runstate(c, t, dom, vcpu, RUNNING, new);
    rec_runstate(c, t, next_dom, next_vcpu, RUNNABLE, RUNNING);
}

/* ---- I/O ---- */

#define CALL_GRANT_TABLE      20
#define CALL_EVENT_CHANNEL    32
#define ARGUMENTS_0_AND_2     (0x011u << 20) /* both of 32 bits */
#define GRANT_OPERATION_UNMAP 1
#define GRANT_OPERATION_COPY  5

void rec_hypercall(struct trace_bytes *c, uint64_t t, uint32_t call)
{
    record(c, t, 0x0020100d, 1, &call);
}

void rec_unmap_none(struct trace_bytes *c, uint64_t t)
{
    record(c, t, 0x0020100d, 3,
           (const uint32_t[]){CALL_GRANT_TABLE | ARGUMENTS_0_AND_2, GRANT_OPERATION_UNMAP, 0});
}

void rec_copy(struct trace_bytes *c, uint64_t t, uint32_t n)
{
    record(c, t, 0x0020100d, 3,
           (const uint32_t[]){CALL_GRANT_TABLE | ARGUMENTS_0_AND_2, GRANT_OPERATION_COPY, n});
}

void rec_notify(struct trace_bytes *c, uint64_t t, uint32_t dom, uint32_t vcpu)
{
    rec_hypercall(c, t, CALL_EVENT_CHANNEL);
    rec_wake(c, t, dom, vcpu);
    rec_runstate(c, t, dom, vcpu, BLOCKED, RUNNABLE);
}

void rec_map(struct trace_bytes *c, uint64_t t, uint32_t dom)
{
    record(c, t, 0x0010f001, 1, &dom);
}

void rec_unmap(struct trace_bytes *c, uint64_t t, uint32_t dom)
{
    record(c, t, 0x0010f002, 1, &dom);
}

void rec_transfer(struct trace_bytes *c, uint64_t t, uint32_t dom)
{
    record(c, t, 0x0010f003, 1, &dom);
}
