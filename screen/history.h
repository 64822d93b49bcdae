/*
 * The last seconds of a host: the reader's thread adds them, the viewer's looks at them. Seconds are in the order of time; where some are
 * missing there is a gap. The details of the oldest are dropped when they take more than the limit, the last ten's never; the rest
 * of a second stays for an hour, or less where there are many domains.
 *
 * A reader that must not run away (a replay) waits for the viewer: history_wait.
 */
#ifndef XENMETER_SCREEN_HISTORY_H
#define XENMETER_SCREEN_HISTORY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "parser/error.h"
#include "screen/second.h"

#define HISTORY_SECONDS 3600
#define HISTORY_DETAILS 10 /* seconds whose details are kept in any case */
#define HISTORY_BYTES   (64u << 20)
#define HISTORY_POINTS                                                                                       \
    (1u                                                                                                      \
     << 20) /* of domains in graphs, of all seconds together: 40 MiB; those of the last minute in any case */
#define HISTORY_MINUTE 60

/* What the reader is doing. */
enum source_state { SOURCE_OPENING, SOURCE_READING, SOURCE_ENDED, SOURCE_FAILED };

struct history;

/* details_bytes: the limit. NULL: no memory. */
struct history *history_new(size_t details_bytes);
void history_free(struct history *h);

/* ---- the reader ---- */

/* Adds a second, which is the history's from then on; one that is not after the last is dropped. */
void history_add(struct history *h, struct second *s);

/* What became of the source; `why` of SOURCE_FAILED, or of SOURCE_ENDED if it did not simply end; else NULL. */
void history_set_state(struct history *h, enum source_state state, const char *why);

/* Something came from the source just now, though no second is complete. */
void history_touch(struct history *h);

/* Waits until the viewer is within lead_ns of the last second, or until *stop; wakes on history_wake. */
void history_wait(struct history *h, uint64_t lead_ns, const atomic_int *stop);

/* Whose executions are to be kept in the seconds to come. */
struct watched history_watched(struct history *h);

/* ---- the viewer ---- */

/* Forgets all seconds: the source begins anew elsewhere. */
void history_clear(struct history *h);

/* The viewer shows this moment. */
void history_set_cursor(struct history *h, uint64_t ns);
void history_wake(struct history *h);
void history_watch(struct history *h, struct watched watched);

struct history_status {
    enum source_state state;
    char why[sizeof(((struct error *)0)->message)];
    uint64_t changes;           /* grows with everything that changes */
    uint64_t first_ns, last_ns; /* start of the first second, end of the last; both 0: there is none */
    uint64_t touched_ns;        /* when something came last (io_clock_ns); 0: nothing came */
    size_t seconds, bytes;
};
void history_status(struct history *h, struct history_status *s);

/*
 * While it is locked, the seconds are as they are: short looks only. history_at: the newest second that ends at or before `ns`, its
 * number *at (NULL: none); history_second: the one of number `at` (below history_count).
 */
void history_lock(struct history *h);
void history_unlock(struct history *h);
size_t history_count(const struct history *h);
const struct second *history_second(const struct history *h, size_t at);
const struct second *history_at(const struct history *h, uint64_t ns, size_t *at);

/* The end of the first second that begins at or after `ns`; 0: there is none yet. Not while it is locked. */
uint64_t history_next(struct history *h, uint64_t ns);

#endif
