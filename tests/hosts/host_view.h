/*
 * host_view.h - what xentrace would have made of a recording: a file, with all that the plan says goes wrong.
 *
 * Records pass through Xen's own kind of ring (sim/trace_ring.h): a loss ends with the LOST_RECORDS record that Xen
 * would write, before the next record that finds room.
 */
#ifndef XENMETER_TESTS_HOSTS_VIEW_H
#define XENMETER_TESTS_HOSTS_VIEW_H

#include "host_plan.h"
#include "recording.h"

/* Time in which a pCPU's records are not in the file; tsc values are true time. */
struct gap {
    uint32_t pcpu; /* ALL_PCPUS: all of them */
    uint64_t from, to;
};
#define ALL_PCPUS UINT32_MAX

struct gaps {
    struct gap *items;
    size_t n, capacity;
};

/* A runstate change whose record is in the file. */
struct seen_change {
    uint64_t tsc; /* true time */
    uint32_t pcpu;
    uint16_t domain, vcpu;
    uint8_t from, to; /* enum runstate */
};

struct view {
    unsigned char *bytes;
    size_t n;
    uint64_t first_tsc, last_tsc; /* of the records in the file, true time; 0: there is none */
    struct gaps gaps;             /* all: lost, cut off, never read, holes */
    uint64_t lost;                /* records that LOST_RECORDS records in the file report */
    uint64_t switches;            /* context switches in the file */
    bool is_cut;                  /* a record before last_tsc is cut off, and the file shows that */
    bool is_unseen;               /* a vCPU that the file names ran on a pCPU that was not read */
    bool has_partial_core;   /* core scheduling: not all rings were read of a core on which a vCPU ran, */
    bool hides_partial_core; /* and of one of those nothing in the file shows it */
    /*
     * From then on records are missing and nothing in the file can tell: the ring was full when tracing ended, or the
     * file is cut between two windows, and the pCPUs that would have come are not of those that write in each sweep.
     * UINT64_MAX: never.
     */
    uint64_t unreported_tsc;
    bool has_hole;
    bool is_vague;   /* how long it was cannot be told */
    bool is_shifted; /* the tsc of a pCPU was set, and that shows */
    bool is_alone;  /* the first record stands alone, and its time is damaged, or its pCPU's clock is wrong */
    bool is_joined; /* another host's capture follows, */
    bool blends;    /* and nothing in the file shows where (joined.c), or which time is wrong (is_alone) */
    uint32_t sweeps; /* that the file has, at least in part */
    bool
        has_late_pcpu; /* no record of the first second says who runs on a pCPU: rows were handed out before it is known */
    bool names_nobody;           /* no record says who runs anywhere */
    struct seen_change *changes; /* in the order of the file: per pCPU in time order */
    size_t changes_n, changes_capacity;
};

/* Returns false when memory is short. Free it in any case. */
bool view_make(struct view *v, const struct recording *r, const struct plan *plan);
void view_free(struct view *v);

/* Appends the capture of another host to the file. Returns false when memory is short. */
bool view_join(struct view *v, const struct plan *plan);

/* What of the other host's capture, which begins at byte `begin`, the file shows. `second`: it alone. */
void view_survey_joined(struct view *v, const struct view *second, size_t begin);

/* What is missing in the file, and shows: a result of it cannot be good. NULL: nothing. */
const char *view_lacks(const struct view *v);

/* Whether nothing at all can be held against the file. */
bool view_is_flawless(const struct view *v, const struct plan *plan);

bool gaps_add(struct gaps *g, uint32_t pcpu, uint64_t from, uint64_t to);

#endif
