/* Sources: Xen public/xen.h (hypercall numbers), xen/common/trace.c (HYPERCALL_V2). */
#include "io_filter.h"

#include <stdlib.h>

#include "record_format.h"

const unsigned io_filtered_slots[] = {EVENT_WAKE,         EVENT_HYPERCALL_V2, EVENT_HYPERCALL_SUBCALL,
                                      EVENT_PV_HYPERCALL, EVENT_HVM_VMMCALL,  EVENT_VMX_EXIT,
                                      EVENT_SVM_EXIT,     EVENT_UNRECOGNISED};
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
    *f = (struct io_filter){
        .calls =
            {[HYPERCALL_STACK_SWITCH] = 1, [HYPERCALL_GRANT_TABLE_OP] = 1, [HYPERCALL_EVENT_CHANNEL_OP] = 1},
        .domain = UINT16_MAX};
}

static bool is_wake(const uint8_t *p)
{
    return event_slot(load32(p) & 0x0fffffff) == EVENT_WAKE;
}

bool io_filter_window(struct io_filter *f, const uint8_t *p, const uint8_t *end)
{
    f->wakes = f->wakes && end - p >= 4 && is_wake(p);
    if (!f->hypercalls_seen)
        f->hypercalls_seen = calloc(65536 / 8, 1);
    if (f->wants_tasks && !f->drivers)
        f->drivers = calloc(65536 / 8, 1);
    return f->hypercalls_seen && (f->drivers || !f->wants_tasks);
}

void io_filter_free(struct io_filter *f)
{
    free(f->hypercalls_seen);
    free(f->drivers);
}

void io_filter_want_tasks(struct io_filter *f, bool wanted)
{
    f->wants_tasks = wanted;
    io_filter_set_tasks(f, wanted && f->domain == 0);
}

void io_filter_set_tasks(struct io_filter *f, bool tasks)
{
    static const uint8_t of_tasks[] = {HYPERCALL_STACK_SWITCH, HYPERCALL_SET_TIMER_OP, HYPERCALL_IRET,
                                       HYPERCALL_VCPU_OP, HYPERCALL_SCHED_OP};
    f->tasks = tasks;
    for (size_t i = 0; i < sizeof of_tasks; i++)
        f->calls[of_tasks[i]] = tasks;
}

/* A hypercall of a driver domain that says what its kernel runs. */
static bool is_of_task(unsigned slot, uint32_t call, const uint8_t *payload, unsigned words)
{
    if (!io_filter_is_pv(slot))
        return false;
    bool argument = slot != EVENT_PV_HYPERCALL && words >= 2;
    switch (call) {
    case HYPERCALL_STACK_SWITCH:
    case HYPERCALL_IRET:
    case HYPERCALL_SET_TIMER_OP:
        return true;
    case HYPERCALL_VCPU_OP:
        return argument && load32(payload + 4) == VCPUOP_SET_TIMER;
    case HYPERCALL_SCHED_OP:
        return argument && load32(payload + 4) == SCHEDOP_POLL;
    case HYPERCALL_GRANT_TABLE_OP:
        return argument && words >= 3 && load32(payload + 4) == GNTTABOP_UNMAP && load32(payload + 8) == 0;
    default:
        return false;
    }
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
        f->wakes = true; /* at the end of a window the next one shows it */
        return false;
    }
    if (call == HYPERCALL_GRANT_TABLE_OP)
        io_filter_drives(f);
    return call == HYPERCALL_GRANT_TABLE_OP || call == HYPERCALL_EVENT_CHANNEL_OP ||
           call == HYPERCALL_STACK_SWITCH;
}

bool io_filter_passes(struct io_filter *f, unsigned slot, const uint8_t *payload, unsigned words,
                      const uint8_t *next, const uint8_t *end)
{
    if (slot == EVENT_WAKE) {
        bool by_send = f->wakes;
        f->wakes = false;
        return by_send;
    }
    /* HVM guests make few hypercalls: an exit shows that they are traced. */
    bool only_exit = slot == EVENT_VMX_EXIT || slot == EVENT_SVM_EXIT;
    bool first_exit = (only_exit || slot == EVENT_HVM_VMMCALL) && !io_filter_seen(f);
    if (only_exit && !first_exit)
        return false;
    if (!first_exit) {
        uint32_t call = record_hypercall(slot, payload, words);
        if (call >= sizeof f->calls || !f->calls[call])
            return false;
        if (!(f->tasks && is_of_task(slot, call, payload, words)) &&
            !is_of_io(f, call, payload, words, next, end))
            return false;
        f->calls[HYPERCALL_STACK_SWITCH] = f->tasks || call == HYPERCALL_GRANT_TABLE_OP;
    }
    f->hypercalls_seen[f->domain / 8] |= (uint8_t)(1u << f->domain % 8);
    return true;
}
