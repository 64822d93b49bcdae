#include "formats/writer_queue.h"

#include <stdlib.h>
#include <string.h>

#include "metrics/array.h"
#include "parser/ring.h"
#include "parser/thread.h"

#define QUEUE_SLOTS 8
#define SLOT_ROWS   512 /* of a stream, before they are handed over */
#define QUEUE_ROWS  ((size_t)QUEUE_SLOTS * SLOT_ROWS)

/* Rows that are handed over together. */
struct queue_slot {
    struct rows rows; /* .at points to `at` */
    struct interval interval;
    char *at;
    size_t room;               /* bytes */
    struct measures *measures; /* of the rows, if they have any */
    size_t measures_n;         /* that were made; all are empty but for those of the rows */
};

struct writer_queue {
    write_rows *write;
    void *context;
    pthread_t thread;
    struct ring *ring;
    struct queue_slot slots[QUEUE_SLOTS];
    struct queue_slot *open; /* by the caller, who adds rows of a stream; NULL: none */
    bool failed;             /* the thread's, until it has cancelled the ring or ended */
    bool out_of_memory;
};

/* ---- the thread ---- */

/* Counts that took memory are not kept: the next rows in their place may be of anybody. */
static void empty_histogram(struct histogram *h)
{
    if (h->pages_n > 0)
        histogram_free(h);
    else
        histogram_clear(h);
}

static void empty(struct measures *m)
{
#define HISTOGRAM(KEY, MEMBER) empty_histogram(&m->MEMBER);
#include "metrics/measure/measures.def"
    measures_clear(m);
}

static void *write_all(void *context)
{
    struct writer_queue *q = context;
    size_t at;
    while ((at = ring_take(q->ring)) != RING_NONE) {
        struct queue_slot *s = &q->slots[at];
        if (q->write(q->context, &s->rows) != 0) {
            q->failed = true;
            ring_cancel(q->ring);
            break;
        }
        for (size_t i = 0; s->rows.relation == &relation_rows && i < s->rows.n; i++)
            empty(&s->measures[i]);
        ring_release(q->ring);
    }
    return NULL;
}

/* ---- the caller's side ---- */

static void release(struct writer_queue *q)
{
    for (struct queue_slot *s = q->slots; s < q->slots + QUEUE_SLOTS; s++) {
        for (size_t i = 0; i < s->measures_n; i++)
            measures_free(&s->measures[i]);
        free(s->measures);
        free(s->at);
    }
    ring_free(q->ring);
    free(q);
}

struct writer_queue *writer_queue_new(write_rows *write, void *context)
{
    struct writer_queue *q = calloc(1, sizeof *q);
    if (!q)
        return NULL;
    q->write = write;
    q->context = context;
    q->ring = ring_new(QUEUE_SLOTS);
    if (q->ring && thread_begin(&q->thread, "write", write_all, q))
        return q;
    release(q);
    return NULL;
}

static void hand_over(struct writer_queue *q)
{
    if (q->open)
        ring_give(q->ring);
    q->open = NULL;
}

/* The next slot, which has no rows yet. NULL: writing has failed. */
static struct queue_slot *next_slot(struct writer_queue *q, const struct rows *rows)
{
    size_t at = ring_room(q->ring);
    if (at == RING_NONE)
        return NULL;
    struct queue_slot *s = &q->slots[at];
    s->rows = *rows;
    s->rows.n = 0;
    if (rows->interval) {
        s->interval = *rows->interval;
        s->rows.interval = &s->interval;
    }
    return s;
}

/* Appends copies of the rows. False: no memory. */
static bool append(struct queue_slot *s, const struct rows *rows)
{
    size_t size = rows->relation->row_size, before = s->rows.n * size;
    if (!array_make_room(&s->at, &s->room, before + rows->n * size, 1))
        return false;
    if (rows->n > 0)
        memcpy(s->at + before, rows->at, rows->n * size);
    s->rows.at = s->at;
    s->rows.n += rows->n;
    return true;
}

static bool make_measures(struct queue_slot *s, size_t n)
{
    if (n <= s->measures_n)
        return true;
    struct measures *made = realloc(s->measures, n * sizeof *made);
    if (!made)
        return false;
    s->measures = made;
    while (s->measures_n < n)
        measures_init(&made[s->measures_n++]);
    return true;
}

/* The rows of the slot get measures of their own. False: no memory. */
static bool copy_measures(struct queue_slot *s)
{
    struct row *rows = (struct row *)(void *)s->at;
    if (!make_measures(s, s->rows.n))
        return false;
    for (size_t i = 0; i < s->rows.n; i++) {
        if (!measures_merge(&s->measures[i], rows[i].measures))
            return false;
        rows[i].measures = &s->measures[i];
    }
    return true;
}

static int no_memory(struct writer_queue *q)
{
    q->out_of_memory = true;
    return -1;
}

/* Rows of an interval go by themselves. */
static int put_interval(struct writer_queue *q, const struct rows *rows)
{
    hand_over(q);
    struct queue_slot *s = next_slot(q, rows);
    if (!s)
        return -1;
    if (!append(s, rows) || (rows->relation == &relation_rows && !copy_measures(s)))
        return no_memory(q);
    ring_give(q->ring);
    if (rows->n > QUEUE_ROWS)
        ring_wait_empty(q->ring);
    return 0;
}

static int put_stream(struct writer_queue *q, const struct rows *rows)
{
    if (q->open && q->open->rows.relation != rows->relation)
        hand_over(q);
    if (!q->open && !(q->open = next_slot(q, rows)))
        return -1;
    if (!append(q->open, rows))
        return no_memory(q);
    if (q->open->rows.n >= SLOT_ROWS)
        hand_over(q);
    return 0;
}

/* What cannot be copied is written here, in its turn. */
static int put_here(struct writer_queue *q, const struct rows *rows)
{
    hand_over(q);
    ring_wait_empty(q->ring);
    return ring_room(q->ring) == RING_NONE ? -1 : q->write(q->context, rows);
}

int writer_queue_put(struct writer_queue *q, const struct rows *rows)
{
    if (rows->relation == &relation_rows)
        return put_interval(q, rows);
    if (!rows->relation->plain)
        return put_here(q, rows);
    return rows->interval ? put_interval(q, rows) : put_stream(q, rows);
}

bool writer_queue_lacks_memory(const struct writer_queue *q)
{
    return q->out_of_memory;
}

int writer_queue_end(struct writer_queue *q)
{
    hand_over(q);
    ring_end(q->ring);
    pthread_join(q->thread, NULL);
    int status = q->failed ? -1 : 0;
    release(q);
    return status;
}

void writer_queue_free(struct writer_queue *q)
{
    if (!q)
        return;
    ring_cancel(q->ring);
    pthread_join(q->thread, NULL);
    release(q);
}
