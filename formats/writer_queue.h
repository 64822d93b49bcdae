/*
 * Rows on their way to a writer that works on a thread of its own: they are copied, and wait in order, up to QUEUE_ROWS of them and
 * one interval more.
 */
#ifndef XENMETER_FORMATS_WRITER_QUEUE_H
#define XENMETER_FORMATS_WRITER_QUEUE_H

#include "metrics/relation/relation.h"

struct writer_queue;

/* Writes rows on the thread; -1: the output failed, and no more rows are wanted. */
typedef int write_rows(void *context, const struct rows *rows);

/* NULL: no memory, or no thread. */
struct writer_queue *writer_queue_new(write_rows *write, void *context);

/*
 * The rows, of one interval or of a stream, are written after those that were put before. Rows of relations that cannot be copied are
 * written at once, by the caller's thread, when the others are written. 0, or -1 when writing any rows has failed.
 */
int writer_queue_put(struct writer_queue *q, const struct rows *rows);

/* Whether the last writer_queue_put failed because memory ran out. */
bool writer_queue_lacks_memory(const struct writer_queue *q);

/* Waits until all rows are written, ends the thread and frees the queue. 0, or -1 when writing any of them has failed. */
int writer_queue_end(struct writer_queue *q);

/* The same, but drops what is not written yet. NULL is allowed. */
void writer_queue_free(struct writer_queue *q);

#endif
