/* The queue of transitions against a list in which each is put after all that are not later. */
#include <string.h>

#include "check.h"
#include "metrics/model/transitions.h"
#include "suites.h"

#define PUTS 3000

/* What waits, in order. */
struct list {
    struct transition items[PUTS];
    size_t n;
};

static void put(struct list *l, struct transitions *q, uint64_t time_ns, uint64_t value)
{
    struct transition t = {.time_ns = time_ns, .value = value};
    size_t at = l->n++;
    for (; at > 0 && l->items[at - 1].time_ns > time_ns; at--)
        l->items[at] = l->items[at - 1];
    l->items[at] = t;
    transitions_put(q, t);
}

/* Takes all up to a time from both, and checks that they are the same. */
static void take(struct list *l, struct transitions *q, uint64_t upto_ns)
{
    size_t n = 0;
    const struct transition *t;
    bool same = true;
    while ((t = transitions_take(q, upto_ns)) && n < l->n) {
        same = same && t->time_ns == l->items[n].time_ns && t->value == l->items[n].value;
        n++;
    }
    CHECK(same && !t);
    CHECK(n == l->n || l->items[n].time_ns > upto_ns);
    memmove(l->items, l->items + n, (l->n - n) * sizeof *l->items);
    l->n -= n;
}

static uint32_t draw(uint32_t *random, uint32_t below)
{
    *random = *random * 1664525 + 1013904223;
    return (*random >> 8) % below;
}

/* Of 8 puts one goes back by up to `back_ns`; several share a time. */
static void compare(uint32_t seed, uint32_t back_ns)
{
    static struct list list;
    struct transitions q = {0};
    uint64_t now_ns = 1000, taken_ns = 0;
    uint32_t random = seed;
    list.n = 0;
    for (unsigned i = 0; i < PUTS; i++) {
        now_ns += draw(&random, 3);
        uint64_t back = draw(&random, 8) == 0 ? draw(&random, back_ns) : 0;
        uint64_t at_ns = now_ns - taken_ns > back ? now_ns - back : taken_ns;
        put(&list, &q, at_ns, i);
        if (draw(&random, 400) == 0) {
            taken_ns = now_ns - draw(&random, (uint32_t)(now_ns - taken_ns) + 1);
            take(&list, &q, taken_ns);
        }
    }
    take(&list, &q, UINT64_MAX);
    EQUAL(transitions_count(&q), 0);
    EQUAL(list.n, 0);
    transitions_free(&q);
}

static void what_is_put_back_comes_after_what_is_not_later(void)
{
    for (uint32_t seed = 1; seed <= 20; seed++) {
        compare(seed, 4);
        compare(seed, 50);
        compare(seed, 500);
    }
}

/* One far back goes into the heap; those near the end that come then go among the others, whether later than it or not. */
static void one_far_back_leaves_the_others_in_order(void)
{
    static struct list list;
    struct transitions q = {0};
    uint64_t value = 0;
    for (uint64_t time_ns = 100; time_ns < 300; time_ns++)
        put(&list, &q, time_ns, value++);
    put(&list, &q, 120, value++);
    put(&list, &q, 295, value++);
    put(&list, &q, 120, value++);
    put(&list, &q, 297, value++);
    put(&list, &q, 295, value++);
    put(&list, &q, 110, value++);
    take(&list, &q, 120);
    put(&list, &q, 299, value++);
    put(&list, &q, 295, value++);
    take(&list, &q, UINT64_MAX);
    EQUAL(transitions_count(&q), 0);
    transitions_free(&q);
}

CU_TestInfo transitions_tests[] = {
    TEST(what_is_put_back_comes_after_what_is_not_later),
    TEST(one_far_back_leaves_the_others_in_order),
    CU_TEST_INFO_NULL,
};
