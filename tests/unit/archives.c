#include "archives.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "random.h"

int keep(void *context, const uint8_t *bytes, size_t n, struct error *err)
{
    struct kept *k = context;
    sigset_t blocked;
    if (atomic_exchange(&k->busy, true))
        k->overlap = true; /* a check here would be one from several threads */
    pthread_sigmask(SIG_SETMASK, NULL, &blocked);
    if (!pthread_equal(pthread_self(), k->main) && !sigismember(&blocked, SIGINT))
        k->signals = true;
    bool fails = ++k->calls == k->fail_at;
    buffer_add(&k->file, (const char *)bytes, n);
    atomic_store(&k->busy, false);
    return fails ? error_set(err, ERROR_IO, "the disk is full") : 0;
}

struct frame_writer *writer_to(struct kept *k, unsigned threads)
{
    *k = (struct kept){.main = pthread_self()};
    return frame_writer_new(&(struct frame_sink){k, keep}, LEVEL, threads, NULL);
}

const uint8_t *bytes_of(const struct buffer *file)
{
    return (const uint8_t *)file->at;
}

uint8_t *content(uint64_t number, size_t n)
{
    uint8_t *bytes = malloc(n);
    uint64_t random = number;
    for (size_t i = 0; i < n; i++)
        bytes[i] = i % 5 ? (uint8_t)(number + i / 40) : (uint8_t)random64(&random);
    return bytes;
}

struct buffer archive(const size_t *sizes, size_t n, unsigned threads)
{
    struct kept k;
    struct frame_writer *w = writer_to(&k, threads);
    for (size_t i = 0; i < n; i++)
        EQUAL(frame_writer_put(w, content(i + 1, sizes[i]), sizes[i], NULL), i + 1);
    EQUAL(frame_writer_finish(w, NULL), 0);
    EQUAL(frame_writer_bytes(w), k.file.n);
    frame_writer_free(w);
    CHECK(!k.signals);
    CHECK(!k.overlap);
    return k.file;
}

struct buffer small_archive(void)
{
    return archive((const size_t[]){1, 60, 200}, 3, 2);
}

int verify(const struct buffer *file, struct error *err)
{
    struct frames f;
    int status = frames_recover(&f, bytes_of(file), file->n, NULL, err);
    for (size_t i = 1; status == 0 && i < f.n; i++) {
        struct frame_reader r = {0}; /* room for exactly one frame: what writes beyond is found */
        status = frame_verify(&f, i, &r, err) ? 0 : -1;
        frame_reader_free(&r);
    }
    if (status == 0)
        status = frames_verify_ends(&f, err);
    frames_free(&f);
    return status;
}

void check_frames(const struct frames *f, const size_t *sizes, size_t n)
{
    struct frame_reader r = {0};
    EQUAL(f->n, n + 1);
    for (size_t i = 1; i <= n && i < f->n; i++) {
        EQUAL(f->list[i].content, sizes[i - 1]);
        uint8_t *expected = content(i, sizes[i - 1]);
        const uint8_t *read = frame_read(f, i, &r, NULL);
        CHECK(read && memcmp(read, expected, sizes[i - 1]) == 0);
        free(expected);
    }
    frame_reader_free(&r);
}

void put(struct buffer *b, uint64_t n, size_t bytes)
{
    for (; bytes--; n >>= 8)
        buffer_add(b, &(char){(char)n}, 1);
}
