/* Archives in memory: made, looked at, and checked as a whole. */
#ifndef XENMETER_TESTS_UNIT_ARCHIVES_H
#define XENMETER_TESTS_UNIT_ARCHIVES_H

#include <pthread.h>
#include <stdatomic.h>

#include "archive/frames.h"
#include "formats/buffer.h"

#define LEVEL 3

/* A sink that keeps what it gets, and looks at how it is called. */
struct kept {
    struct buffer file;
    atomic_bool busy, overlap; /* it was called by two threads at a time */
    int calls, fail_at;        /* the call that fails; 0: none */
    bool signals;              /* a thread that wrote would have taken SIGINT */
    pthread_t main;
};

int keep(void *context, const uint8_t *bytes, size_t n, struct error *err);
struct frame_writer *writer_to(struct kept *k, unsigned threads);

/* n bytes that compress a little; others for every number. From malloc. */
uint8_t *content(uint64_t number, size_t n);

/* An archive with a data frame of each of these sizes, numbered from 1. */
struct buffer archive(const size_t *sizes, size_t n, unsigned threads);

/* One of three data frames: 1, 60 and 200 bytes. */
struct buffer small_archive(void);

const uint8_t *bytes_of(const struct buffer *file);

/* Appends a little-endian number of that many bytes. */
void put(struct buffer *b, uint64_t n, size_t bytes);

/* Verifies the whole file as it would be for a person. 0, or -1 with the first error. */
int verify(const struct buffer *file, struct error *err);

/* The frames are those that were written. */
void check_frames(const struct frames *f, const size_t *sizes, size_t n);

#endif
