/* view_internal.h - a view in the making: shared by host_view.c and survey.c. */
#ifndef XENMETER_TESTS_HOSTS_VIEW_INTERNAL_H
#define XENMETER_TESTS_HOSTS_VIEW_INTERNAL_H

#include "trace_writer.h"
#include "sim/prng.h"
#include "host_view.h"

#define NO_PCPU     UINT32_MAX
#define YEARS_AHEAD (1ull << 57) /* cycles */

/* A window of the file. */
struct window {
    size_t offset;
    uint32_t pcpu;
    uint32_t sweep;    /* 0, 1, ... */
    size_t first, end; /* of the pCPU's records, those dropped too */
};

struct making {
    const struct recording *r;
    const struct plan *plan;
    struct view *v;
    struct prng rng;
    struct trace_ring *rings;
    struct trace_writer writer;
    struct gaps planned;              /* losses to be */
    uint64_t hole_from, hole_to;      /* or the pause */
    uint64_t offset;                  /* of all tscs */
    uint64_t skew_of[2];              /* of the even pCPUs' tsc, and the odd ones' */
    uint64_t before_hole, after_hole; /* records next to it */
    uint32_t shifted;                 /* the pCPU whose tsc is set, */
    uint64_t shift_tsc, shift;        /* when, true time; UINT64_MAX: never; and by how much, modulo 2^64 */
    bool shift_begun, shift_placed;   /* in the ring, in the file */
    bool pauses;
    uint32_t lone; /* the pCPU whose first record stands alone, with a tsc of years ahead; NO_PCPU: none */
    uint64_t lone_end;     /* in the file: up to there its times are so; UINT64_MAX: all of them */
    uint64_t shift_offset; /* in the file: of its first record after that; UINT64_MAX: there is none */
    bool *unseen;
    size_t *next;   /* record of each pCPU */
    uint32_t sweep; /* that goes on */
    struct window *windows;
    size_t windows_n, windows_capacity;
    bool sweep_wanted;
};

/* Whether the time of a record of the pCPU that is at this offset of the file is years ahead. */
static inline bool is_ahead(const struct making *m, uint32_t pcpu, uint64_t offset)
{
    return pcpu == m->lone && offset < m->lone_end;
}

/* The tsc of a record of the pCPU that is at this offset of the file, as it would be if all clocks went right. */
static inline uint64_t true_tsc(const struct making *m, uint32_t pcpu, uint64_t offset, uint64_t tsc)
{
    bool shifted = pcpu == m->shifted && offset >= m->shift_offset;
    return tsc - m->skew_of[pcpu % 2] - (shifted ? m->shift : 0) -
           (is_ahead(m, pcpu, offset) ? YEARS_AHEAD : 0);
}

/* Decides where the file ends: view->n. */
void view_cut(struct making *m);
/* Reads the file that is left, and says what is missing in it. Returns false when memory is short. */
bool view_survey(struct making *m);
/* The same of cores, after everything else, on a host that has some. */
bool view_survey_cores(struct making *m);
/* The same of where captures are joined or a tsc is set, before that. */
bool view_survey_joints(struct making *m);

#endif
