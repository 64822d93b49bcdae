/* Sources: Xen public/xen.h (hypercall numbers), xen/common/trace.c (HYPERCALL_V2). */
#include "io_filter.h"

#include <stdlib.h>
#include <string.h>

#include "record_format.h"

const unsigned io_filtered_slots[] = {EVENT_WAKE,         EVENT_HYPERCALL_V2, EVENT_HYPERCALL_SUBCALL,
                                      EVENT_PV_HYPERCALL, EVENT_HVM_VMMCALL,  EVENT_VMX_EXIT,
                                      EVENT_SVM_EXIT,     EVENT_IRQ_HANDLED,  EVENT_UNRECOGNISED};
const unsigned io_slots[] = {EVENT_GRANT_MAP, EVENT_GRANT_UNMAP, EVENT_GRANT_TRANSFER, EVENT_UNRECOGNISED};

uint32_t record_hypercall(unsigned slot, const uint8_t *payload, unsigned words)
{
    if (words == 0)
        return UINT32_MAX;
    switch (slot) {
    case EVENT_HYPERCALL_V2:
    case EVENT_HYPERCALL_SUBCALL:
        return load32(payload) & 0xfffff; /* above: which arguments follow */
    case EVENT_PV_HYPERCALL:
        return load32(payload + 4 * (words - 1)); /* eip, eax */
    case EVENT_HVM_VMMCALL:
        return load32(payload); /* eax */
    default:
        return UINT32_MAX;
    }
}

void io_filter_init(struct io_filter *f)
{
    *f = (struct io_filter){.domain = UINT16_MAX, .heeds = HEED_EXITS};
    memset(f->call_actions, CALL_NO_ACTION, sizeof f->call_actions);
    io_filter_set_call(f, HYPERCALL_STACK_SWITCH, CALL_OF_INTEREST);
    io_filter_set_call(f, HYPERCALL_GRANT_TABLE_OP, CALL_OF_INTEREST);
    io_filter_set_call(f, HYPERCALL_EVENT_CHANNEL_OP, CALL_OF_INTEREST);
}

static bool is_wake(const uint8_t *p)
{
    return event_slot(load32(p) & 0x0fffffff) == EVENT_WAKE;
}

bool io_filter_window(struct io_filter *f, const uint8_t *p, const uint8_t *end)
{
    io_filter_heed(f, HEED_WAKES, (f->heeds & HEED_WAKES) && end - p >= 4 && is_wake(p));
    if (!f->hypercalls_seen)
        f->hypercalls_seen = calloc(IO_DOMAIN_BYTES, 1);
    if (f->wants_tasks && !f->drivers)
        f->drivers = calloc(IO_DOMAIN_BYTES, 1);
    return f->hypercalls_seen && (f->drivers || !f->wants_tasks);
}

void io_filter_free(struct io_filter *f)
{
    free(f->hypercalls_seen);
    free(f->drivers);
}

void io_filter_past(const struct io_filter *f, struct io_past *past)
{
    past->hypercalls_seen = f->hypercalls_seen;
    past->drivers = f->drivers;
    past->ends_copies = io_filter_seen(f) && io_filter_call(f, HYPERCALL_STACK_SWITCH) == CALL_OF_INTEREST;
}

/* A copy of the bits; NULL: there are none, or no memory. */
static uint8_t *copy_bits(const uint8_t *bits)
{
    uint8_t *copy = bits ? malloc(IO_DOMAIN_BYTES) : NULL;
    return copy ? memcpy(copy, bits, IO_DOMAIN_BYTES) : NULL;
}

bool io_filter_go_on(struct io_filter *f, const struct io_past *past)
{
    f->hypercalls_seen = copy_bits(past->hypercalls_seen);
    f->drivers = copy_bits(past->drivers);
    io_filter_runs(f, (uint16_t)(past->current >> 16));
    if (past->ends_copies)
        io_filter_set_call(f, HYPERCALL_STACK_SWITCH, CALL_OF_INTEREST);
    return (f->hypercalls_seen || !past->hypercalls_seen) && (f->drivers || !past->drivers);
}

void io_filter_want_tasks(struct io_filter *f, bool wanted)
{
    f->wants_tasks = wanted;
}

void io_filter_set_tasks(struct io_filter *f, bool tasks)
{
    static const uint8_t of_tasks[] = {HYPERCALL_SET_TIMER_OP, HYPERCALL_IRET, HYPERCALL_VCPU_OP,
                                       HYPERCALL_SCHED_OP};
    f->tasks = tasks;
    for (size_t i = 0; i < sizeof of_tasks; i++)
        io_filter_set_call(f, of_tasks[i], tasks ? CALL_MARKS : CALL_PASSED_OVER);
    io_filter_heed(f, HEED_INTERRUPTS, tasks);
    io_filter_set_seen(f, io_filter_seen(f));
}

/*
 * A hypercall that copies pages, switches the task after that, or notifies somebody who is awake; one that wakes somebody
 * makes the next record pass.
 */
static bool is_of_io(struct io_filter *f, uint32_t call, const uint8_t *payload, unsigned words,
                     const uint8_t *next, const uint8_t *end)
{
    if (call == HYPERCALL_GRANT_TABLE_OP && (words < 3 || load32(payload + 4) != GNTTABOP_COPY))
        return false;
    if (call == HYPERCALL_EVENT_CHANNEL_OP && (end - next < 4 || is_wake(next))) {
        io_filter_heed(f, HEED_WAKES, true); /* at the end of a window the next one shows it */
        return false;
    }
    if (call == HYPERCALL_GRANT_TABLE_OP)
        io_filter_drives(f);
    return true;
}

bool io_filter_heeds(unsigned slot, unsigned heeds)
{
    switch (slot) {
    case EVENT_VMX_EXIT:
    case EVENT_SVM_EXIT:
        return heeds & (HEED_ALL | HEED_EXITS);
    case EVENT_WAKE:
        return heeds & (HEED_ALL | HEED_WAKES);
    case EVENT_IRQ_HANDLED:
        return heeds & (HEED_ALL | HEED_INTERRUPTS);
    default:
        return true;
    }
}

static bool unmaps_nothing(uint32_t call, unsigned slot, const uint8_t *payload, unsigned words)
{
    return call == HYPERCALL_GRANT_TABLE_OP && io_filter_is_pv(slot) && slot != EVENT_PV_HYPERCALL &&
           words >= 3 && load32(payload + 4) == GNTTABOP_UNMAP && load32(payload + 8) == 0;
}

bool io_filter_passes(struct io_filter *f, unsigned slot, const uint8_t *payload, unsigned words,
                      const uint8_t *next, const uint8_t *end)
{
    if (slot == EVENT_WAKE) {
        bool by_send = f->heeds & HEED_WAKES;
        io_filter_heed(f, HEED_WAKES, false);
        return by_send;
    }
    if (slot == EVENT_IRQ_HANDLED)
        return f->tasks;
    /* HVM guests make few hypercalls: an exit shows that they are traced. */
    bool only_exit = slot == EVENT_VMX_EXIT || slot == EVENT_SVM_EXIT;
    bool first_exit = (only_exit || slot == EVENT_HVM_VMMCALL) && !io_filter_seen(f);
    if (only_exit && !first_exit)
        return false;
    if (!first_exit) {
        uint32_t call = record_hypercall(slot, payload, words);
        if (call >= sizeof f->call_actions || io_filter_call(f, call) != CALL_OF_INTEREST)
            return false;
        if (f->wants_tasks && unmaps_nothing(call, slot, payload, words)) {
            io_filter_drives(f);
            return true;
        }
        if (!is_of_io(f, call, payload, words, next, end))
            return false;
        bool copies = call == HYPERCALL_GRANT_TABLE_OP;
        enum call_interest otherwise = f->tasks ? CALL_MARKS : CALL_PASSED_OVER;
        io_filter_set_call(f, HYPERCALL_STACK_SWITCH, copies ? CALL_OF_INTEREST : otherwise);
    }
    f->hypercalls_seen[f->domain / 8] |= (uint8_t)(1u << f->domain % 8);
    io_filter_heed(f, HEED_EXITS, false);
    return true;
}
