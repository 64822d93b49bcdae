/*
 * trace_damage.h - windows of the trace's file that are lost, cut or overwritten, as the scenario has it, and a list of
 * them for the truth. The host knows nothing of it.
 */
#ifndef XENMETER_SIM_TRACE_DAMAGE_H
#define XENMETER_SIM_TRACE_DAMAGE_H

#include <jansson.h>

#include "sim/prng.h"
#include "sim/scenario.h"

struct damaged_window {
    uint64_t window;             /* of the file, from 0 on, lost ones included */
    uint64_t start_byte;         /* where it begins in the file, or would */
    uint64_t all_bytes;          /* of the window, with its head, before it was damaged */
    uint64_t bytes;              /* that are missing or garbage */
    uint64_t since_ns, until_ns; /* its records are of this time */
    uint32_t pcpu;
    int kind; /* enum scenario_damage_kind */
};

struct trace_damage {
    const struct scenario *plan;
    struct prng rng;
    uint64_t windows, written_bytes; /* so far */
    struct damaged_window *list;
    size_t n, space;
    bool failed; /* memory was short: the list is void */
};

/* Damages nothing yet. Free with trace_damage_free. */
void trace_damage_init(struct trace_damage *t, const struct scenario *plan);
void trace_damage_free(struct trace_damage *t);

/*
 * The next window, of a pCPU: its head and records, n bytes, which were recorded from since_ns to until_ns. Changes them. Returns
 * how many of them are in the file.
 */
size_t trace_damage_window(struct trace_damage *t, unsigned char *bytes, size_t n, uint32_t pcpu,
                           uint64_t since_ns, uint64_t until_ns);

/* The list, as xenmeter-scenario(5) has it. NULL: no memory. The caller owns it. */
json_t *trace_damage_document(const struct trace_damage *t);

#endif
