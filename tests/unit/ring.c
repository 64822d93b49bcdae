/* The ring between two threads: bounds, order, ends. */
#include "parser/ring.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "check.h"
#include "parser/thread.h"
#include "suites.h"

#define SLOTS 4
#define MANY  20000

static void sleep_ms(long ms)
{
    nanosleep(&(struct timespec){.tv_nsec = ms * 1000000}, NULL);
}

static pthread_t begin(void *(*work)(void *), void *context)
{
    pthread_t thread;
    if (!thread_begin(&thread, "test", work, context))
        abort();
    return thread;
}

/* A giver of the numbers 0 .. n - 1. */
struct giver {
    struct ring *ring;
    uint64_t n, slots[SLOTS];
    atomic_ulong given;
    atomic_bool over;
};

static void *give(void *context)
{
    struct giver *g = context;
    size_t slot;
    for (uint64_t i = 0; i < g->n && (slot = ring_room(g->ring)) != RING_NONE; i++) {
        g->slots[slot] = i;
        ring_give(g->ring);
        g->given++;
    }
    ring_end(g->ring);
    g->over = true;
    return NULL;
}

static void wait_until(atomic_ulong *number, uint64_t value)
{
    for (int tries = 0; *number != value && tries < 5000; tries++)
        sleep_ms(1);
}

/* Also when the taker pauses now and then. */
static void slots_come_in_order_and_whole(void)
{
    struct giver g = {.ring = ring_new(SLOTS), .n = MANY};
    pthread_t thread = begin(give, &g);
    uint64_t expected = 0, wrong = 0;
    for (size_t slot; (slot = ring_take(g.ring)) != RING_NONE; ring_release(g.ring)) {
        wrong += g.slots[slot] != expected++;
        if (expected % 1009 == 0)
            sleep_ms(1);
    }
    pthread_join(thread, NULL);
    EQUAL(wrong, 0);
    EQUAL(expected, MANY);
    EQUAL(ring_take(g.ring), RING_NONE);
    ring_free(g.ring);
}

static void the_giver_waits_while_the_ring_is_full(void)
{
    struct giver g = {.ring = ring_new(SLOTS), .n = MANY};
    pthread_t thread = begin(give, &g);
    wait_until(&g.given, SLOTS);
    sleep_ms(20);
    EQUAL(g.given, SLOTS);
    EQUAL(g.slots[ring_take(g.ring)], 0); /* in use, it is not free yet */
    sleep_ms(20);
    EQUAL(g.given, SLOTS);
    ring_release(g.ring);
    EQUAL(g.slots[ring_take(g.ring)], 1);
    ring_release(g.ring); /* half of them are free: the giver goes on */
    wait_until(&g.given, SLOTS + 2);
    EQUAL(g.given, SLOTS + 2);
    ring_cancel(g.ring);
    pthread_join(thread, NULL);
    ring_free(g.ring);
}

struct taker {
    struct ring *ring;
    atomic_ulong taken;
    atomic_bool over;
};

static void *take(void *context)
{
    struct taker *t = context;
    while (ring_take(t->ring) != RING_NONE) {
        t->taken++;
        ring_release(t->ring);
    }
    t->over = true;
    return NULL;
}

static void the_taker_waits_while_the_ring_is_empty(void)
{
    struct taker t = {.ring = ring_new(SLOTS)};
    pthread_t thread = begin(take, &t);
    sleep_ms(20);
    EQUAL(t.taken, 0);
    CHECK(!t.over);
    EQUAL(ring_room(t.ring), 0);
    ring_give(t.ring);
    wait_until(&t.taken, 1);
    EQUAL(t.taken, 1);
    CHECK(!t.over);
    ring_end(t.ring);
    pthread_join(thread, NULL);
    CHECK(t.over);
    ring_free(t.ring);
}

static void what_was_given_before_the_end_is_taken(void)
{
    struct ring *r = ring_new(SLOTS);
    EQUAL(ring_room(r), 0);
    ring_give(r);
    EQUAL(ring_room(r), 1);
    ring_give(r);
    ring_end(r);
    EQUAL(ring_take(r), 0);
    ring_release(r);
    EQUAL(ring_take(r), 1);
    ring_release(r);
    EQUAL(ring_take(r), RING_NONE);
    ring_free(r);
}

static void the_taker_cancels_a_giver_that_waits(void)
{
    struct giver g = {.ring = ring_new(SLOTS), .n = MANY};
    pthread_t thread = begin(give, &g);
    wait_until(&g.given, SLOTS);
    ring_cancel(g.ring);
    pthread_join(thread, NULL);
    EQUAL(g.given, SLOTS);
    EQUAL(ring_take(g.ring), RING_NONE); /* what waits is dropped */
    EQUAL(ring_room(g.ring), RING_NONE);
    ring_free(g.ring);
}

static void the_giver_cancels_a_taker_that_waits(void)
{
    struct taker t = {.ring = ring_new(SLOTS)};
    pthread_t thread = begin(take, &t);
    sleep_ms(20);
    CHECK(!t.over);
    ring_cancel(t.ring);
    pthread_join(thread, NULL);
    CHECK(t.over);
    EQUAL(t.taken, 0);
    ring_free(t.ring);
}

static void *wait_empty(void *context)
{
    struct taker *t = context;
    ring_wait_empty(t->ring);
    t->over = true;
    return NULL;
}

static void empty_means_that_the_last_slot_was_released(void)
{
    struct taker t = {.ring = ring_new(SLOTS)};
    ring_room(t.ring);
    ring_give(t.ring);
    pthread_t thread = begin(wait_empty, &t);
    EQUAL(ring_take(t.ring), 0);
    sleep_ms(20);
    CHECK(!t.over);
    ring_release(t.ring);
    pthread_join(thread, NULL);
    CHECK(t.over);
    ring_room(t.ring);
    ring_give(t.ring);
    t.over = false;
    thread = begin(wait_empty, &t);
    sleep_ms(20);
    CHECK(!t.over);
    ring_cancel(t.ring);
    pthread_join(thread, NULL);
    ring_free(t.ring);
}

static void one_slot_is_a_ring(void)
{
    struct giver g = {.ring = ring_new(1), .n = 1000};
    pthread_t thread = begin(give, &g);
    uint64_t n = 0, wrong = 0;
    for (size_t slot; (slot = ring_take(g.ring)) != RING_NONE; ring_release(g.ring))
        wrong += g.slots[slot] != n++;
    pthread_join(thread, NULL);
    EQUAL(n, 1000);
    EQUAL(wrong, 0);
    ring_free(g.ring);
}

CU_TestInfo ring_tests[] = {
    TEST(slots_come_in_order_and_whole),
    TEST(the_giver_waits_while_the_ring_is_full),
    TEST(the_taker_waits_while_the_ring_is_empty),
    TEST(what_was_given_before_the_end_is_taken),
    TEST(the_taker_cancels_a_giver_that_waits),
    TEST(the_giver_cancels_a_taker_that_waits),
    TEST(empty_means_that_the_last_slot_was_released),
    TEST(one_slot_is_a_ring),
    CU_TEST_INFO_NULL,
};
