#include "ahead.h"

#include <stdlib.h>
#include <string.h>

#include "ring.h"
#include "thread.h"
#include "trace_state.h"

#define AHEAD_BATCHES 16           /* that wait, the one in use included */
#define TAPPED_BYTES  (256u << 10) /* of the trace, in one slot */
#define LARGE_MARKS   (128u << 10) /* a batch with more of them goes by itself */

/* A batch on its way, and all that it points to. */
struct batch_slot {
    uint8_t *tapped; /* bytes of the trace for its tap, before the batch; NULL: none yet */
    size_t tapped_n;
    bool partial; /* there were too many for one slot: no batch yet, the next slot goes on */
    int status;   /* of trace_read */
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
    struct batch_slot slots[AHEAD_BATCHES];
    struct batch_slot *filling; /* by the thread; NULL: cancelled */
    struct trace_tap tap;       /* the caller's, who gets the bytes with the batches; .bytes NULL: none */
    struct batch_slot *used;    /* by the caller; NULL: none */
    struct batch_slot *final;   /* with which reading was ended early; NULL: it was not */
    struct clock clock;
};

/* ---- the thread ---- */

/* Room for n elements; what was there is lost. */
static bool make_room(void *array, size_t *room, size_t n, size_t size)
{
    void **at = array;
    if (n == 0 || n <= *room)
        return true;
    free(*at);
    *at = malloc(n * size);
    *room = *at ? n : 0;
    return *at != NULL;
}

/* The events stay where they are; the trace gets the buffer of the slot for its next ones. */
static bool keep_events(struct trace *t, struct batch_slot *s)
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

static bool keep_pcpus(struct batch_slot *s)
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

static bool keep_marks(struct batch_slot *s)
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
        if (to) /* else there are none */
            memcpy(to, b->marks[i].at, b->marks[i].n * sizeof *to);
        to += b->marks[i].n;
    }
    b->marks = s->marks;
    return true;
}

static bool keep_cores(struct batch_slot *s)
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
static bool keep_knowledge(struct trace *t, struct batch_slot *s)
{
    if (!t->options.ends_early && !t->options.asked_meanwhile)
        return true;
    if (!s->quality && !(s->quality = malloc(sizeof *s->quality)))
        return false;
    *s->quality = *trace_read_quality(t);
    trace_read_summary(t, &s->summary);
    s->clock = t->clock;
    return true;
}

/* The next slot to fill. False: cancelled. */
static bool next_slot(struct ahead *a)
{
    size_t at = ring_room(a->ring);
    a->filling = at == RING_NONE ? NULL : &a->slots[at];
    if (a->filling) {
        a->filling->tapped_n = 0;
        a->filling->partial = false;
    }
    return a->filling != NULL;
}

/* As the tap of the trace: keeps the bytes for the caller's tap. */
static int keep_tapped(void *context, const uint8_t *bytes, size_t n, struct error *err)
{
    struct ahead *a = context;
    while (n > 0) {
        struct batch_slot *s = a->filling;
        if (!s || (!s->tapped && !(s->tapped = malloc(TAPPED_BYTES))))
            return error_no_memory(err, "reading ahead");
        size_t room = TAPPED_BYTES - s->tapped_n, part = n < room ? n : room;
        memcpy(s->tapped + s->tapped_n, bytes, part);
        s->tapped_n += part;
        bytes += part;
        n -= part;
        if (s->tapped_n < TAPPED_BYTES)
            continue;
        s->partial = true;
        ring_give(a->ring);
        if (!next_slot(a))
            return error_no_memory(err, "reading ahead"); /* nobody sees it: cancelled */
    }
    return 0;
}

/* Fills the slot, or the one in its place if there are many bytes for the tap. False: it is the last one. */
static bool fill(struct ahead *a)
{
    struct trace *t = a->trace;
    struct event_batch batch;
    struct error why = {0};
    int status = trace_read(t, &batch, &why);
    struct batch_slot *s = a->filling;
    if (!s)
        return false;
    s->status = status;
    s->why = why;
    input_position(t->input, &s->done, &s->size);
    if (status <= 0)
        return false;
    s->batch = batch;
    if (!keep_events(t, s) || !keep_pcpus(s) || !keep_marks(s) || !keep_cores(s) || !keep_knowledge(t, s))
        s->status = error_no_memory(&s->why, "reading ahead");
    return s->status > 0;
}

static void *read_ahead(void *context)
{
    struct ahead *a = context;
    while (next_slot(a)) {
        bool more = fill(a), large = more && a->filling->marks_at_room > LARGE_MARKS;
        if (a->filling)
            ring_give(a->ring);
        if (!more)
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
    for (struct batch_slot *s = a->slots; s < a->slots + AHEAD_BATCHES; s++) {
        free(s->events);
        free(s->pcpus);
        free(s->marks);
        free(s->marks_at);
        if (s->cores_made)
            cores_free(&s->cores);
        free(s->quality);
        free(s->tapped);
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

/* Takes slots up to the next batch, and passes on the bytes in them. -1 with `err` filled: the tap failed. */
static int take_slot(struct ahead *a, struct error *err)
{
    do {
        if (a->used)
            ring_release(a->ring);
        a->used = &a->slots[ring_take(a->ring)];
        const struct batch_slot *s = a->used;
        if (s->tapped_n > 0 && a->tap.bytes(a->tap.context, s->tapped, s->tapped_n, err) != 0)
            return -1;
    } while (a->used->partial);
    return 0;
}

static int take(struct ahead *a, struct event_batch *batch, struct error *err)
{
    bool tapped = take_slot(a, err) == 0;
    int status = tapped ? a->used->status : -1;
    if (status > 0) {
        *batch = a->used->batch;
        return status;
    }
    end_thread(a);
    a->clock = a->trace->clock;
    if (tapped && status < 0)
        *err = a->used->why;
    return status;
}

static bool begin_thread(struct ahead *a)
{
    struct trace *t = a->trace;
    if (!input_make_wakeable(t->input))
        return false;
    a->tap = t->tap;
    if (a->tap.bytes) {
        t->tap = (struct trace_tap){.context = a, .bytes = keep_tapped};
        input_tap(t->input, &t->tap);
    }
    if (thread_begin(&a->thread, "read-ahead", read_ahead, a))
        return true;
    if (a->tap.bytes) {
        t->tap = a->tap;
        input_tap(t->input, &t->tap);
    }
    return false;
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
        if (!begin_thread(a)) {
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
    const struct batch_slot *of = a->final ? a->final : a->state == RUNNING ? a->used : NULL;
    return of ? of->quality : NULL;
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
