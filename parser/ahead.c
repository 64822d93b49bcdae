#include "ahead.h"

#include <stdlib.h>
#include <string.h>

#include "ring.h"
#include "thread.h"
#include "trace_state.h"

#define AHEAD_BATCHES 16           /* that wait, the one in use included */
#define LARGE_MARKS   (128u << 10) /* a batch with more of them goes by itself */

/* A batch on its way, and all that it points to. */
struct slot {
    int status; /* of trace_read */
    struct error why;
    struct event_batch batch;
    struct event *events;
    size_t events_room;
    uint16_t *pcpus; /* PCPUS_MAX */
    struct task_marks *marks;
    size_t marks_room;
    uint64_t *marks_at;
    size_t marks_at_room;
    struct cores cores;
    bool cores_made; /* they were needed once */
    uint64_t done, size;
    /* what was known with it, if reading may end early */
    struct quality *quality;
    struct trace_summary summary;
    struct clock clock;
};

enum state { BEFORE_FIRST, BEFORE_THREAD, RUNNING, ENDED };

struct ahead {
    struct trace *trace;
    enum state state; /* the caller's */
    pthread_t thread;
    struct ring *ring;
    struct slot slots[AHEAD_BATCHES];
    struct slot *used;  /* by the caller; NULL: none */
    struct slot *final; /* with which reading was ended early; NULL: it was not */
    struct clock clock;
};

/* ---- the thread ---- */

/* Room for n elements; what was there is lost. */
static bool make_room(void *array, size_t *room, size_t n, size_t size)
{
    void **at = array;
    if (n <= *room)
        return true;
    free(*at);
    *at = malloc(n * size);
    *room = *at ? n : 0;
    return *at != NULL;
}

/* The events stay where they are; the trace gets the buffer of the slot for its next ones. */
static bool keep_events(struct trace *t, struct slot *s)
{
    struct event **from = t->named ? &t->named : &t->batch;
    size_t room = t->named ? TRACE_NAMED_ROOM : TRACE_BATCH_ROOM;
    if (!make_room(&s->events, &s->events_room, room, sizeof *s->events))
        return false;
    struct event *spare = s->events;
    s->events = *from;
    s->events_room = room;
    *from = spare;
    s->batch.events = s->events;
    return true;
}

static bool keep_pcpus(struct slot *s)
{
    if (!s->pcpus && !(s->pcpus = malloc(PCPUS_MAX * sizeof *s->pcpus)))
        return false;
    memcpy(s->pcpus, s->batch.pcpus, s->batch.pcpus_n * sizeof *s->pcpus);
    s->batch.pcpus = s->pcpus;
    return true;
}

static size_t count_marks(const struct event_batch *b)
{
    size_t n = 0;
    for (unsigned i = 0; i < b->marks_n; i++)
        n += b->marks[i].n;
    return n;
}

static bool keep_marks(struct slot *s)
{
    struct event_batch *b = &s->batch;
    size_t n = count_marks(b);
    if (s->marks_at_room > LARGE_MARKS) { /* not kept for what may never come again */
        free(s->marks_at);
        s->marks_at = NULL;
        s->marks_at_room = 0;
    }
    if (!make_room(&s->marks, &s->marks_room, b->marks_n, sizeof *s->marks) ||
        !make_room(&s->marks_at, &s->marks_at_room, n, sizeof *s->marks_at))
        return false;
    uint64_t *to = s->marks_at;
    for (unsigned i = 0; i < b->marks_n; i++) {
        s->marks[i] = (struct task_marks){to, b->marks[i].n, b->marks[i].pcpu};
        memcpy(to, b->marks[i].at, b->marks[i].n * sizeof *to);
        to += b->marks[i].n;
    }
    b->marks = s->marks;
    return true;
}

static bool keep_cores(struct slot *s)
{
    const struct cores *cores = s->batch.cores;
    if (!cores)
        return true;
    if (!s->cores_made && !(s->cores_made = cores_init(&s->cores))) {
        cores_free(&s->cores);
        return false;
    }
    cores_copy(&s->cores, cores);
    s->batch.cores = &s->cores;
    return true;
}

/* What is known of the trace now. */
static bool keep_knowledge(struct trace *t, struct slot *s)
{
    if (!t->options.ends_early)
        return true;
    if (!s->quality && !(s->quality = malloc(sizeof *s->quality)))
        return false;
    *s->quality = *trace_read_quality(t);
    trace_read_summary(t, &s->summary);
    s->clock = t->clock;
    return true;
}

static void fill(struct trace *t, struct slot *s)
{
    s->status = trace_read(t, &s->batch, &s->why);
    input_position(t->input, &s->done, &s->size);
    if (s->status <= 0)
        return;
    if (!keep_events(t, s) || !keep_pcpus(s) || !keep_marks(s) || !keep_cores(s) || !keep_knowledge(t, s))
        s->status = error_no_memory(&s->why, "reading ahead");
}

static void *read_ahead(void *context)
{
    struct ahead *a = context;
    size_t at;
    while ((at = ring_room(a->ring)) != RING_NONE) {
        struct slot *s = &a->slots[at];
        fill(a->trace, s);
        bool last = s->status <= 0, large = !last && s->marks_at_room > LARGE_MARKS;
        ring_give(a->ring);
        if (last)
            break;
        if (large)
            ring_wait_empty(a->ring);
    }
    return NULL;
}

/* ---- the caller's side ---- */

struct ahead *ahead_new(struct trace *t)
{
    struct ahead *a = calloc(1, sizeof *a);
    if (!a || !(a->ring = ring_new(AHEAD_BATCHES))) {
        free(a);
        return NULL;
    }
    a->trace = t;
    return a;
}

static void end_thread(struct ahead *a)
{
    ring_cancel(a->ring);
    input_wake(a->trace->input);
    pthread_join(a->thread, NULL);
    a->state = ENDED;
}

void ahead_free(struct ahead *a)
{
    if (!a)
        return;
    if (a->state == RUNNING)
        end_thread(a);
    for (struct slot *s = a->slots; s < a->slots + AHEAD_BATCHES; s++) {
        free(s->events);
        free(s->pcpus);
        free(s->marks);
        free(s->marks_at);
        if (s->cores_made)
            cores_free(&s->cores);
        free(s->quality);
    }
    ring_free(a->ring);
    free(a);
}

/* Without a thread: the first batch, after the end, or where no thread is to be had. */
static int read_here(struct ahead *a, struct event_batch *batch, struct error *err)
{
    int status = trace_read(a->trace, batch, err);
    if (a->state == BEFORE_FIRST || status <= 0)
        a->clock = a->trace->clock;
    return status;
}

static int take(struct ahead *a, struct event_batch *batch, struct error *err)
{
    if (a->used)
        ring_release(a->ring);
    a->used = &a->slots[ring_take(a->ring)];
    int status = a->used->status;
    if (status > 0) {
        *batch = a->used->batch;
        return status;
    }
    end_thread(a);
    a->clock = a->trace->clock;
    if (status < 0)
        *err = a->used->why;
    return status;
}

int ahead_next(struct ahead *a, struct event_batch *batch, struct error *err)
{
    int status;
    switch (a->state) {
    case BEFORE_FIRST: /* who needs the clock knows with it whether there is one */
        status = read_here(a, batch, err);
        a->state = status > 0 ? BEFORE_THREAD : ENDED;
        return status;
    case BEFORE_THREAD:
        if (!input_make_wakeable(a->trace->input) || !thread_begin(&a->thread, "read-ahead", read_ahead, a)) {
            a->state = ENDED;
            return read_here(a, batch, err);
        }
        a->state = RUNNING;
        return take(a, batch, err);
    case RUNNING:
        return take(a, batch, err);
    default:
        return read_here(a, batch, err);
    }
}

void ahead_settle(struct ahead *a)
{
    if (a->state != RUNNING)
        return;
    end_thread(a);
    if (!a->trace->options.ends_early)
        return;
    a->final = a->used;
    a->clock = a->final->clock;
}

/* ---- what is known of the trace ---- */

const struct clock *ahead_clock(const struct ahead *a)
{
    return &a->clock;
}

const struct quality *ahead_quality(const struct ahead *a)
{
    return a->final ? a->final->quality : NULL;
}

bool ahead_summary(const struct ahead *a, struct trace_summary *s)
{
    if (a->final)
        *s = a->final->summary;
    return a->final != NULL;
}

bool ahead_position(const struct ahead *a, uint64_t *done, uint64_t *size)
{
    if (a->state != RUNNING)
        return false;
    *done = a->used->done;
    *size = a->used->size;
    return true;
}
