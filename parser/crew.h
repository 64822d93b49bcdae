/* Threads that do jobs, several at a time; what comes of the jobs is used in their order. */
#ifndef XENMETER_PARSER_CREW_H
#define XENMETER_PARSER_CREW_H

#include <stddef.h>

#define CREW_THREADS_MAX 64
#define CREW_NONE        ((size_t)-1)

/* A job lies in a slot, 0 .. slots - 1, from crew_give until it is finished or released. Jobs get the slots in turn. */
struct crew_jobs {
    const char *name; /* of the threads (thread_begin) */
    void *context;
    /* Does the job, on any thread, several at a time. `thread`: the number of the thread, from 0. */
    void (*work)(void *context, size_t slot, unsigned thread);
    /* Uses what came of it, in the order of the jobs, one at a time, on any thread. NULL: crew_take does. */
    void (*finish)(void *context, size_t slot);
};

struct crew;

/* `threads` 1 .. CREW_THREADS_MAX, of which there may be fewer; they block all signals but SIGBUS. NULL: no memory, or no thread. */
struct crew *crew_new(const struct crew_jobs *jobs, unsigned threads, size_t slots);

/* Waits for the jobs that are being done or finished; the others are dropped. NULL is allowed. */
void crew_free(struct crew *c);

/* ---- for one thread, which gives the jobs ---- */

/* The slot of the next job, which the caller fills; waits until it is free. */
size_t crew_room(struct crew *c);
void crew_give(struct crew *c);

/* Waits until all jobs are finished. */
void crew_drain(struct crew *c);

/* Without `finish`: the slot of the oldest job once it is done, for the caller to use; CREW_NONE: there is no job. */
size_t crew_take(struct crew *c);
void crew_release(struct crew *c);

#endif
