/* What the decoder knows: of the trace, of the window being read, of what is wanted. */
#ifndef XENMETER_PARSER_DECODER_H
#define XENMETER_PARSER_DECODER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cores.h"
#include "parser/quality.h"
#include "parser/source/input.h"
#include "stream.h"
#include "tickled.h"

/* A time that does not simply follow the last one of its pCPU: it goes back, leaps ahead, or is the window's first. */
struct odd_time {
    uint64_t tsc;       /* the record's; becomes the one to use */
    bool begins_window; /* it is the first time of its window */
    unsigned followers; /* how many of the next two times are known */
    uint64_t next, third;
    /* The next SWITCH_INFPREV, as far as records can be seen ahead: it ends a run. */
    uint64_t run_end; /* its tsc, 0: none was seen */
    uint32_t runtime_ns;
};

/*
 * Judges a time. Sets t->tsc and the stream's `reach`, and may pull the stream's last_tsc back. False: the rest of the
 * window belongs to quite another time.
 */
typedef bool time_judge(void *context, struct stream *s, struct odd_time *t);

/* Or-ed, beside enum event_flag: what becomes of a slot's records. */
enum record_action {
    RECORD_LEARN = 8,      /* it says something about other records */
    RECORD_SWITCH = 16,    /* the same, for SWITCH_INFPREV and _INFNEXT, about runstate changes */
    RECORD_FILTERED = 32,  /* the model wants it if it is of I/O (io_filter.h) */
    RECORD_HYPERCALL = 64, /* the same, for HYPERCALL_V2, of which there are so many */
    RECORD_WHO = 128       /* with another action: it says who is current, perhaps on a sibling: EVENT_WHO */
};

struct decoder {
    struct input *input;
    struct quality *quality;
    time_judge *judge;
    void *judge_context;
    struct event_interest interest;
    bool raw, model;        /* whether any such events are wanted */
    bool follows_current;   /* who is current matters */
    bool without_runstates; /* what is wanted without runstate changes is, too; true at first */
    bool only_switches;     /* the trace holds no runstate changes: it was read far enough to say so */
    bool names_siblings;    /* raw: events that say who is current on siblings are wanted; true at first */
    bool measures_clock;    /* events for the clock are wanted; false at first */
    const struct io_past *pasts; /* of pCPUs, by records that are not read; NULL: there are none */
    size_t pasts_n;
    /* What becomes of records, by what the filter of I/O heeds and enum stream_mode; [1]: of pCPUs with raw records. */
    struct slot_actions actions[2][STREAM_MODES][IO_HEEDS];
    struct stream **streams; /* by pCPU number, NULL until its first window */
    uint16_t *pcpus;         /* the pCPU numbers seen, ascending */
    unsigned pcpus_n;
    uint64_t sweep;        /* number of the sweep that is being read, from 1 */
    uint64_t earliest_tsc; /* events of windows that begin from now on come no earlier: set by the ordering */
    struct cores cores;    /* pCPUs that are scheduled together */
    struct tickled tickled;
    bool learns_tickles; /* in this sweep */
    bool svm_exits;      /* raw: VMX_EXIT records with reasons of SVM were seen */
    size_t queued;       /* events and marks waiting in all streams */
    /* the window being read, or that ended last */
    struct stream *current; /* NULL: there was none, or damage lies between */
    uint64_t window_at;     /* where its header is */
    uint64_t remaining;     /* bytes of it still to come */
    size_t
        decoded; /* the first so many of them, whole records, were decoded: a window header may yet turn up in them */
    const uint8_t
        *known_record; /* while they are decoded: where one of its records begins, not long before the last */
    bool window_fresh; /* none of its records was looked at yet */
    bool window_untimed; /* none of its records that was looked at had a time */
    bool in_window;      /* its end was not reported yet */
    int last_pcpu;       /* its pCPU, -1: none */
    int pcpu_before;     /* that of the window before it */
    uint32_t largest_window;
    bool rings_fill;      /* records were lost after a window that filled its ring: so large are rings */
    bool joined;          /* another capture follows, from quality.joined_at on: it is read, and not used */
    struct short_window { /* the last one that ended early, */
        uint64_t at;      /* with the header of the next one at this offset, */
        uint64_t missing; /* so many bytes before its announced end, */
        uint64_t skipped; /* and so many bytes that were no records */
    } short_window;
};

/* Whether the window before the one that is being read ended early, right where that one begins: a capture may have been cut there. */
static inline bool decoder_was_cut(const struct decoder *d)
{
    return d->short_window.missing > 0 && d->short_window.at == d->window_at;
}

#define BLIND_WAIT_SWEEPS 64 /* how long a pCPU whose ring was full may keep everybody waiting (order.c) */

/* Whether the trace holds runstate changes, how many, and how many context switches, as far as it was decoded. */
bool decoder_has_runstates(const struct decoder *d);
uint64_t decoder_runstates(const struct decoder *d);
uint64_t decoder_switches(const struct decoder *d);

/* Whether records say how long vCPUs ran, by which the clock is measured. */
bool decoder_has_runs(const struct decoder *d);

/* Of how many pCPUs it is known that they are scheduled together with others, and not with which. */
unsigned decoder_cores_missing(const struct decoder *d);

/* Whether there is core scheduling and more siblings may show; whether rings may yet show that there is. */
bool decoder_cores_may_grow(const struct decoder *d);
bool decoder_cores_may_show(const struct decoder *d);

/*
 * How many pCPUs, of those that others name as siblings, wrote nothing; whether so much was read that siblings that are
 * recorded would have written.
 */
unsigned decoder_silent_siblings(const struct decoder *d);
bool decoder_siblings_due(const struct decoder *d);

/*
 * Finds the pCPUs that are partial (cores.h), in a trace without runstate changes or with them; `sure`: what is silent is not
 * recorded.
 */
void decoder_find_partial(struct decoder *d, bool without_runstates, bool sure);

/*
 * Looks for siblings of pCPUs whose rings show that they have some, among the events that are queued, up to a tsc up to
 * which all are there; none may have been
 * delivered. False when there is no memory.
 */
bool decoder_search_cores(struct decoder *d, uint64_t upto);

/* The same, for switches that are missing in cores whose siblings are known: these are partial (cores.h). */
bool decoder_check_cores(struct decoder *d, uint64_t upto);

/* Enum trace_trait, as far as the trace was decoded; TRAIT_SVM with raw records only. */
unsigned decoder_traits(const struct decoder *d);

/*
 * The marks that were decoded since the last call, but for those before from_tsc, to `marks`, which has room for all pCPUs: of
 * how many there are some. They are valid until they are dropped, before more is decoded.
 */
unsigned decoder_take_marks(const struct decoder *d, uint64_t from_tsc, struct task_marks *marks);
void decoder_drop_marks(struct decoder *d);

/* What the pCPUs' filters of I/O know, to `pasts`, which has room for all of them. */
void decoder_pasts(const struct decoder *d, struct io_past *pasts);

/*
 * At the beginning of a sweep: nothing was damaged so far, and no record before decides what becomes of one after, so
 * that decoding could begin here.
 */
bool decoder_is_whole(const struct decoder *d);

#endif
