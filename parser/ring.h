/*
 * A ring of slots between two threads: the giver fills slots, the taker uses them, in the same order. It bounds how far the giver
 * is ahead. What a slot holds belongs to the caller; the ring only says which thread may use it now.
 *
 *     giver: (ring_room, fill the slot, ring_give)*, ring_end
 *     taker: (ring_take, use the slot, ring_release)*
 */
#ifndef XENMETER_PARSER_RING_H
#define XENMETER_PARSER_RING_H

#include <stddef.h>

struct ring;

#define RING_NONE ((size_t)-1)

/* `slots` at least 1. NULL: no memory. */
struct ring *ring_new(size_t slots);

/* Neither thread uses it any more. NULL is allowed. */
void ring_free(struct ring *r);

/* ---- for the giver ---- */

/* The slot to fill next, 0 .. slots - 1; waits until it is free. RING_NONE: cancelled. */
size_t ring_room(struct ring *r);

/* Hands over the slot of the last ring_room. */
void ring_give(struct ring *r);

/* No slot follows: the taker gets RING_NONE once it has taken all. */
void ring_end(struct ring *r);

/* Waits until the taker has released every slot, or the ring is cancelled. */
void ring_wait_empty(struct ring *r);

/* ---- for the taker ---- */

/* The next slot; waits until it is filled. RING_NONE: none follows, or cancelled. */
size_t ring_take(struct ring *r);

/* The slot of the last ring_take may be filled again. */
void ring_release(struct ring *r);

/* ---- for either ---- */

/* Neither side waits any more: both get RING_NONE from now on, and slots that were not taken are dropped. */
void ring_cancel(struct ring *r);

#endif
