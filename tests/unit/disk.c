/* Writing on a thread of its own: order, a queue that is bounded, errors that stay. */
#include "record/disk_writer.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "check.h"
#include "formats/buffer.h"
#include "formats/output.h"
#include "suites.h"

#define MS 1000000u

static void sleep_ms(long ms)
{
    nanosleep(&(struct timespec){ms / 1000, ms % 1000 * MS}, NULL);
}

/* A disk that hangs while its gate is shut, and fails as asked. */
struct slow {
    pthread_mutex_t lock;
    pthread_cond_t opened;
    bool shut;
    int calls, fail_at; /* writes and syncs; the one that fails; 0: none */
    struct buffer written;
    int syncs;
};

static int pass(struct slow *s, struct error *err)
{
    pthread_mutex_lock(&s->lock);
    while (s->shut)
        pthread_cond_wait(&s->opened, &s->lock);
    bool fails = ++s->calls == s->fail_at;
    pthread_mutex_unlock(&s->lock);
    return fails ? error_set(err, ERROR_IO, "the disk is full") : 0;
}

static int slow_write(void *context, const uint8_t *bytes, size_t n, struct error *err)
{
    struct slow *s = context;
    if (pass(s, err) != 0)
        return -1;
    buffer_add(&s->written, (const char *)bytes, n);
    return 0;
}

static int slow_sync(void *context, struct error *err)
{
    struct slow *s = context;
    if (pass(s, err) != 0)
        return -1;
    buffer_add(&s->written, "|", 1);
    s->syncs++;
    return 0;
}

static void set_gate(struct slow *s, bool shut)
{
    pthread_mutex_lock(&s->lock);
    s->shut = shut;
    pthread_cond_broadcast(&s->opened);
    pthread_mutex_unlock(&s->lock);
}

static struct disk *open_slow(struct slow *s, size_t queue_bytes)
{
    struct error err;
    *s = (struct slow){.lock = PTHREAD_MUTEX_INITIALIZER, .opened = PTHREAD_COND_INITIALIZER};
    return disk_new(&(struct disk_target){s, slow_write, slow_sync}, queue_bytes, &err);
}

static int put(struct disk *d, const char *text)
{
    struct frame_sink sink = disk_sink(d);
    struct error err = {0};
    int status = sink.write(sink.context, (const uint8_t *)text, strlen(text), &err);
    if (status != 0)
        SAME_TEXT(err.message, "the disk is full");
    return status;
}

static void close_slow(struct disk *d, struct slow *s)
{
    disk_free(d);
    buffer_free(&s->written);
}

static void check_written(const struct slow *s, const char *expected)
{
    EQUAL(s->written.n, strlen(expected));
    CHECK(s->written.n == strlen(expected) && memcmp(s->written.at, expected, s->written.n) == 0);
}

/* ---- what works ---- */

static void bytes_and_syncs_come_in_their_order(void)
{
    struct slow s;
    struct error err;
    struct disk *d = open_slow(&s, 100);
    EQUAL(put(d, "one "), 0);
    EQUAL(put(d, "two "), 0);
    EQUAL(disk_sync(d, &err), 0);
    EQUAL(put(d, ""), 0);
    EQUAL(put(d, "three"), 0);
    EQUAL(disk_finish(d, &err), 0);
    check_written(&s, "one two |three");
    struct disk_state state = disk_state(d);
    EQUAL(state.written, 13);
    EQUAL(state.syncs, 1);
    EQUAL(state.waiting, 0);
    CHECK(!state.failed);
    EQUAL(put(d, "!"), 0); /* it can go on */
    EQUAL(disk_finish(d, &err), 0);
    check_written(&s, "one two |three!");
    close_slow(d, &s);
}

/* ---- a disk that hangs ---- */

struct writer_thread {
    struct disk *disk;
    atomic_bool done;
};

static void *write_more(void *context)
{
    struct writer_thread *w = context;
    EQUAL(put(w->disk, "0123456789"), 0);
    atomic_store(&w->done, true);
    return NULL;
}

static void a_disk_that_hangs_stops_the_writer_only_when_the_queue_is_full(void)
{
    struct slow s;
    struct error err;
    struct disk *d = open_slow(&s, 30);
    struct writer_thread more = {.disk = d};
    pthread_t thread;
    set_gate(&s, true);
    for (int i = 0; i < 3; i++)
        EQUAL(put(d, "abcdefghij"), 0);
    EQUAL(disk_sync(d, &err), 0); /* that does not wait */
    EQUAL(disk_state(d).waiting, 30);
    EQUAL(disk_state(d).stalled_ns, 0);
    EQUAL(pthread_create(&thread, NULL, write_more, &more), 0);
    sleep_ms(60);
    CHECK(!atomic_load(&more.done));
    CHECK(disk_state(d).longest_ns >= 50 * MS); /* of the write that hangs */
    set_gate(&s, false);
    pthread_join(thread, NULL);
    EQUAL(disk_finish(d, &err), 0);
    check_written(&s, "abcdefghijabcdefghijabcdefghij|0123456789");
    struct disk_state state = disk_state(d);
    CHECK(state.stalled_ns >= 40 * MS);
    CHECK(state.longest_ns >= 50 * MS);
    close_slow(d, &s);
}

static void a_frame_larger_than_the_queue_passes(void)
{
    struct slow s;
    struct error err;
    struct disk *d = open_slow(&s, 4);
    EQUAL(put(d, "more than four"), 0);
    EQUAL(put(d, ", twice"), 0);
    EQUAL(disk_finish(d, &err), 0);
    check_written(&s, "more than four, twice");
    close_slow(d, &s);
}

/* ---- a disk that fails ---- */

static void an_error_stays_and_what_waits_is_dropped(void)
{
    struct slow s;
    struct error err = {0};
    struct disk *d = open_slow(&s, 100);
    set_gate(&s, true);
    s.fail_at = 2;
    EQUAL(put(d, "one"), 0);
    EQUAL(put(d, "two"), 0);
    EQUAL(put(d, "three"), 0);
    set_gate(&s, false);
    EQUAL(disk_finish(d, &err), -1);
    SAME_TEXT(err.message, "the disk is full");
    EQUAL(put(d, "four"), -1);
    EQUAL(disk_sync(d, &err), -1);
    EQUAL(disk_finish(d, &err), -1);
    check_written(&s, "one");
    struct disk_state state = disk_state(d);
    CHECK(state.failed);
    SAME_TEXT(state.why.message, "the disk is full");
    EQUAL(state.waiting, 0);
    EQUAL(state.written, 3);
    close_slow(d, &s);
}

static void a_sync_that_fails_is_an_error(void)
{
    struct slow s;
    struct error err = {0};
    struct disk *d = open_slow(&s, 100);
    s.fail_at = 2;
    EQUAL(put(d, "one"), 0);
    EQUAL(disk_sync(d, &err), 0);
    EQUAL(disk_finish(d, &err), -1);
    SAME_TEXT(err.message, "the disk is full");
    EQUAL(disk_state(d).syncs, 0);
    close_slow(d, &s);
}

/* The writer that waits for room hears of the error. */
static void *write_and_fail(void *context)
{
    struct writer_thread *w = context;
    EQUAL(put(w->disk, "0123456789"), -1);
    atomic_store(&w->done, true);
    return NULL;
}

static void who_waits_for_room_gets_the_error(void)
{
    struct slow s;
    struct disk *d = open_slow(&s, 10);
    struct writer_thread more = {.disk = d};
    pthread_t thread;
    set_gate(&s, true);
    s.fail_at = 1;
    EQUAL(put(d, "abcdefghij"), 0);
    EQUAL(pthread_create(&thread, NULL, write_and_fail, &more), 0);
    sleep_ms(20);
    set_gate(&s, false);
    pthread_join(thread, NULL);
    close_slow(d, &s);
}

static void it_can_be_freed_with_a_queue(void)
{
    struct slow s;
    struct disk *d = open_slow(&s, 1000);
    for (int i = 0; i < 20; i++)
        EQUAL(put(d, "abcdefghij"), 0);
    close_slow(d, &s);
    disk_free(NULL);
}

/* ---- a file ---- */

static void an_archive_goes_through_it_to_a_file(void)
{
    char path[] = "/tmp/xenmeter-disk-XXXXXX", text[8] = "";
    struct error err = {0};
    close(mkstemp(path));
    struct output *out = output_open(path, &err);
    struct disk_target to = disk_target_of(out);
    struct disk *d = disk_new(&to, 100, &err);
    EQUAL(put(d, "bytes"), 0);
    EQUAL(disk_sync(d, &err), 0);
    EQUAL(disk_finish(d, &err), 0);
    EQUAL(disk_state(d).syncs, 1);
    disk_free(d);
    FILE *file = fopen(output_file(out), "r");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    EQUAL(fread(text, 1, sizeof text, file), 5);
    fclose(file);
    SAME_TEXT(text, "bytes");
    EQUAL(output_commit(out, &err), 0);
    unlink(path);
}

/* A device that is always full. */
static void a_full_disk_is_reported(void)
{
    struct error err = {0};
    struct output *out = output_open("/dev/full", &err);
    struct disk_target to = disk_target_of(out);
    struct disk *d = disk_new(&to, 100, &err);
    EQUAL(put(d, "bytes"), 0);
    EQUAL(disk_finish(d, &err), -1);
    CHECK(strstr(err.message, "No space left") != NULL);
    disk_free(d);
    output_abort(out);
}

CU_TestInfo disk_tests[] = {
    TEST(bytes_and_syncs_come_in_their_order),
    TEST(a_disk_that_hangs_stops_the_writer_only_when_the_queue_is_full),
    TEST(a_frame_larger_than_the_queue_passes),
    TEST(an_error_stays_and_what_waits_is_dropped),
    TEST(a_sync_that_fails_is_an_error),
    TEST(who_waits_for_room_gets_the_error),
    TEST(it_can_be_freed_with_a_queue),
    TEST(an_archive_goes_through_it_to_a_file),
    TEST(a_full_disk_is_reported),
    CU_TEST_INFO_NULL,
};
