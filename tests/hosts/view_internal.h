/* view_internal.h - a view in the making: shared by view.c and survey.c. */
#ifndef XENMETER_TESTS_HOSTS_VIEW_INTERNAL_H
#define XENMETER_TESTS_HOSTS_VIEW_INTERNAL_H

#include "fixtures/trace_writer.h"
#include "view.h"

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
    struct gaps planned; /* losses to be */
    uint64_t hole_from, hole_to;
    uint64_t before_hole, after_hole; /* records next to it */
    bool *unseen;
    size_t *next;   /* record of each pCPU */
    uint32_t sweep; /* that goes on */
    struct window *windows;
    size_t windows_n, windows_capacity;
    bool sweep_wanted;
};

/* Decides where the file ends: view->n. */
void view_cut(struct making *m);
/* Reads the file that is left, and says what is missing in it. Returns false when memory is short. */
bool view_survey(struct making *m);

#endif
