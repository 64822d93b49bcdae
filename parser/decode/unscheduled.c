/* Sources: Xen xen/arch/x86/acpi/cpu_idle.c and mwait-idle.c (power states), xen/common/sched/null.c, sched/core.c. */
#include "unscheduled.h"

#include "decoder.h"
#include "record_format.h"

#define IDLE_DOMID   0x7fffu
#define NULL_NOBODY  0xffffu                     /* null_schedule: dom and vcpu are -1 */
#define CONTINUE_ONE (0x90000000u | 0x00021002u) /* the header of a CONTINUE_RUNNING: a tsc and one word */

/* Of a guest that runs: from its kernel, or by an exit from it. */
static bool is_guests(unsigned slot)
{
    return event_info(slot)->class_id == CLASS_PV || slot == EVENT_VMENTRY || slot == EVENT_VMX_EXIT ||
           slot == EVENT_SVM_EXIT;
}

/* Of the idle loop. In Xen 4.0 and 4.1 they had the numbers of others, with other words (events.def). */
static bool is_power_state(unsigned slot, unsigned words)
{
    return slot == EVENT_IDLE_ENTRY || slot == EVENT_IDLE_EXIT ||
           (slot == EVENT_IRQ_MOVE_CLEANUP_DELAY && words == 4) ||
           (slot == EVENT_IRQ_MOVE_CLEANUP && words == 6);
}

/* It says, or may say, who runs. */
static bool is_schedulers(unsigned slot)
{
    return slot == EVENT_RUNSTATE_CHANGE || slot == EVENT_CONTINUE_RUNNING || slot == EVENT_SWITCH;
}

void unscheduled_set_actions(enum stream_mode mode, uint8_t *actions)
{
    for (unsigned slot = 0; slot < EVENT_SLOTS && mode != STREAM_SCHEDULED; slot++) {
        bool idle = is_power_state(slot, 4) || is_power_state(slot, 6);
        bool quiet = mode == STREAM_UNSCHEDULED && (idle || is_guests(slot));
        if (quiet || is_schedulers(slot) || slot == EVENT_NULL_SCHEDULE)
            actions[slot] |= RECORD_LEARN;
    }
}

static void idle_runs(struct stream *s, uint64_t tsc)
{
    s->idle_tsc = s->begun ? tsc : 0;
    stream_append(s, tsc, CONTINUE_ONE, EVENT_CONTINUE_RUNNING, EVENT_MODEL)->w[0] =
        IDLE_DOMID << 16 | s->pcpu;
}

/* Somebody runs. If the idle vCPU was thought to, nobody knows since when it does not. */
static void guest_runs(struct stream *s, uint64_t tsc)
{
    if (s->idle_tsc)
        stream_append_blind(s, s->idle_tsc, tsc, 0, UINT32_MAX);
    s->mode = STREAM_BUSY;
}

void unscheduled_take(struct stream *s, uint64_t tsc, uint32_t header, unsigned slot, const uint8_t *payload)
{
    unsigned words = header >> 28 & 7;
    bool changes = slot == EVENT_RUNSTATE_CHANGE;
    bool who_runs = runstate_old(header) == XEN_RUNNING || runstate_new(header) == XEN_RUNNING;
    if (s->mode == STREAM_SCHEDULED)
        return;
    if (is_schedulers(slot) && (!changes || who_runs))
        s->mode = STREAM_SCHEDULED;
    else if (slot == EVENT_NULL_SCHEDULE && words >= 2)
        s->assigned = load32(payload + 4); /* {vcpu:u16 dom:u16} */
    else if (s->mode == STREAM_UNSCHEDULED && is_power_state(slot, words))
        idle_runs(s, tsc);
    else if (s->mode == STREAM_UNSCHEDULED && is_guests(slot))
        guest_runs(s, tsc);
}

void unscheduled_end_window(struct stream *s)
{
    uint32_t assigned = s->assigned;
    s->assigned = CURRENT_NONE;
    if (s->mode == STREAM_SCHEDULED || assigned == CURRENT_NONE || !s->begun)
        return;
    if (assigned >> 16 != NULL_NOBODY)
        stream_append(s, s->last_tsc, 0, EVENT_ASSIGNED, EVENT_MODEL)->w[0] = assigned;
    else if (s->mode == STREAM_UNSCHEDULED)
        idle_runs(s, s->last_tsc);
}
