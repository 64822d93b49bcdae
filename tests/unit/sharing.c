/*
 * The whole host is paid for: capacity divided among guests. Complaints that users have of other tools are tests here: negative
 * idle time, idle time that vanishes, idle time counted once for each VM, shares that depend on which rows are shown.
 */
#include "account/sharing.h"

#include <stdio.h>
#include <stdlib.h>

#include "check.h"
#include "new_seed.h"
#include "random.h"
#include "suites.h"

#define GUESTS 9

/* Two guests on a host of 100: 30 + 10 used, 6 + 4 charged, 8 own, 2 unattributed, 25 idle, 15 unknown. */
static const struct host_share host = {.own_ns = 8, .unattributed_ns = 2, .idle_ns = 25, .unknown_ns = 15};
static const struct guest_share guests[] = {
    {.used_ns = 30, .charged_ns = 6, .reserved_ns = 40, .existed_ns = 100},
    {.used_ns = 10, .charged_ns = 4, .reserved_ns = 20, .existed_ns = 50}};

struct expected {
    uint64_t base[2], overhead[2], idle[2];
    uint64_t left_own, left_unattributed, left_idle;
};

static void check_shared(struct sharing how, struct expected e)
{
    struct host_share h = host;
    struct guest_share g[2] = {guests[0], guests[1]};
    EQUAL(share_host(&how, &h, g, 2), 0);
    for (size_t i = 0; i < 2; i++) {
        EQUAL(g[i].base_ns, e.base[i]);
        EQUAL(g[i].overhead_ns, e.overhead[i]);
        EQUAL(g[i].idle_ns, e.idle[i]);
    }
    EQUAL(h.left_own_ns, e.left_own);
    EQUAL(h.left_unattributed_ns, e.left_unattributed);
    EQUAL(h.left_idle_ns, e.left_idle);
    EQUAL(h.unknown_ns, 15);
}

static void the_capacity_is_the_sum_of_its_parts(void)
{
    uint64_t capacity;
    CHECK(share_capacity(&host, guests, 2, &capacity));
    EQUAL(capacity, 100);
    struct host_share huge = {.own_ns = UINT64_MAX};
    CHECK(!share_capacity(&huge, guests, 2, &capacity));
}

static void what_is_not_shared_is_a_row_of_its_own(void)
{
    check_shared((struct sharing){SHARE_NONE, SHARE_NONE, BASIS_USED},
                 (struct expected){{36, 14}, {0, 0}, {0, 0}, 8, 2, 25});
}

static void idle_time_is_shared_by_each_rule(void)
{
    /* 100 : 50 of 25 is 16.67 : 8.33 */
    check_shared((struct sharing){SHARE_EVEN, SHARE_NONE, BASIS_USED},
                 (struct expected){{36, 14}, {0, 0}, {17, 8}, 8, 2, 0});
    /* 36 : 14 is 18 : 7 */
    check_shared((struct sharing){SHARE_USED, SHARE_NONE, BASIS_USED},
                 (struct expected){{36, 14}, {0, 0}, {18, 7}, 8, 2, 0});
    /* 40 : 20 is 16.67 : 8.33 */
    check_shared((struct sharing){SHARE_RESERVED, SHARE_NONE, BASIS_USED},
                 (struct expected){{36, 14}, {0, 0}, {17, 8}, 8, 2, 0});
}

static void overhead_is_shared_by_each_rule(void)
{
    /* own 8 and unattributed 2 are shared each by itself: 36 : 14 is 5.76 : 2.24 and 1.44 : 0.56 */
    check_shared((struct sharing){SHARE_NONE, SHARE_USED, BASIS_USED},
                 (struct expected){{36, 14}, {7, 3}, {0, 0}, 0, 0, 25});
    /* 2 : 1 is 5.33 : 2.67 and 1.33 : 0.67 */
    check_shared((struct sharing){SHARE_NONE, SHARE_EVEN, BASIS_USED},
                 (struct expected){{36, 14}, {6, 4}, {0, 0}, 0, 0, 25});
}

static void reservations_take_idle_time(void)
{
    /* the larger of 36 and 40, of 14 and 20: 10 of the 25 idle */
    check_shared((struct sharing){SHARE_NONE, SHARE_NONE, BASIS_MAX},
                 (struct expected){{40, 20}, {0, 0}, {0, 0}, 8, 2, 15});
    check_shared((struct sharing){SHARE_NONE, SHARE_NONE, BASIS_RESERVED},
                 (struct expected){{40, 20}, {0, 0}, {0, 0}, 8, 2, 15});
    /* and what is left of it is shared: 36 : 14 of 15 is 10.8 : 4.2 */
    check_shared((struct sharing){SHARE_USED, SHARE_NONE, BASIS_MAX},
                 (struct expected){{40, 20}, {0, 0}, {11, 4}, 8, 2, 0});
}

static void idle_time_never_becomes_negative(void)
{
    struct host_share h = {.idle_ns = 10};
    struct guest_share g[2] = {{.used_ns = 30, .reserved_ns = 80}, {.used_ns = 60, .reserved_ns = 60}};
    EQUAL(share_host(&(struct sharing){SHARE_NONE, SHARE_NONE, BASIS_MAX}, &h, g, 2), 0);
    EQUAL(g[0].base_ns, 40); /* 50 are missing to its reservation, 10 are there */
    EQUAL(g[1].base_ns, 60);
    EQUAL(h.left_idle_ns, 0);
    EQUAL(share_host(&(struct sharing){SHARE_NONE, SHARE_NONE, BASIS_RESERVED}, &h, g, 2), 0);
    EQUAL(g[0].base_ns, 57); /* 100 in proportion 80 : 60 */
    EQUAL(g[1].base_ns, 43);
    EQUAL(h.left_idle_ns, 0);
}

static void a_host_without_guests_keeps_its_idle_time(void)
{
    static const enum share_by rules[] = {SHARE_EVEN, SHARE_USED, SHARE_RESERVED};
    for (size_t i = 0; i < 3; i++) {
        struct host_share h = host;
        struct guest_share nobody = {0};
        const struct sharing how = {rules[i], rules[i], BASIS_RESERVED};
        EQUAL(share_host(&how, &h, NULL, 0), 0);
        EQUAL(h.left_own_ns + h.left_unattributed_ns + h.left_idle_ns, 35);
        EQUAL(share_host(&how, &h, &nobody, 1), 0);
        EQUAL(h.left_own_ns + h.left_unattributed_ns + h.left_idle_ns, 35);
        EQUAL(nobody.base_ns + nobody.overhead_ns + nobody.idle_ns, 0);
    }
}

/* ---- random hosts, others each time ---- */

static void make_host(uint64_t *state, struct host_share *h, struct guest_share *g, size_t n)
{
    unsigned shift = 4 + (unsigned)random_below(state, 56);
    uint64_t *rest[] = {&h->own_ns, &h->unattributed_ns, &h->idle_ns, &h->unknown_ns};
    *h = (struct host_share){0};
    for (size_t i = 0; i < 4; i++)
        *rest[i] = random_below(state, 5) ? (random64(state) >> shift) >> 4 : 0;
    for (size_t i = 0; i < n; i++) {
        uint64_t *given[] = {&g[i].used_ns, &g[i].charged_ns, &g[i].reserved_ns, &g[i].existed_ns};
        g[i] = (struct guest_share){0};
        for (size_t k = 0; k < 4; k++)
            *given[k] = random_below(state, 4) ? (random64(state) >> shift) >> 4 : 0;
    }
}

/* Sums are exact, nothing is above the capacity (as what is below zero would be), idle time counts once. */
static bool adds_up(const struct sharing *how, const struct host_share *h, const struct guest_share *g,
                    size_t n)
{
    uint64_t capacity, sum = h->left_own_ns + h->left_unattributed_ns + h->left_idle_ns + h->unknown_ns;
    uint64_t pool = h->left_idle_ns, overhead = h->left_own_ns + h->left_unattributed_ns, used = 0;
    bool good = share_capacity(h, g, n, &capacity);
    for (size_t i = 0; i < n; i++) {
        sum += g[i].base_ns + g[i].overhead_ns + g[i].idle_ns;
        pool += g[i].base_ns + g[i].idle_ns;
        overhead += g[i].overhead_ns;
        used += g[i].used_ns + g[i].charged_ns;
        good = good && g[i].base_ns <= capacity && g[i].overhead_ns <= capacity && g[i].idle_ns <= capacity;
        if (how->basis == BASIS_USED)
            good = good && g[i].base_ns == g[i].used_ns + g[i].charged_ns;
        if (how->basis == BASIS_MAX)
            good = good && g[i].base_ns >= g[i].used_ns + g[i].charged_ns;
    }
    return good && sum == capacity && pool == used + h->idle_ns && overhead == h->own_ns + h->unattributed_ns;
}

/* Without any weight, and only then, it is a row of its own. */
static bool is_left(enum share_by by, const struct guest_share *g, size_t n)
{
    uint64_t weights = 0;
    for (size_t i = 0; i < n; i++)
        weights |= by == SHARE_EVEN       ? g[i].existed_ns
                   : by == SHARE_USED     ? g[i].used_ns | g[i].charged_ns
                   : by == SHARE_RESERVED ? g[i].reserved_ns
                                          : 0;
    return weights == 0;
}

static void whatever_the_host_every_nanosecond_is_in_one_row(void)
{
    uint64_t seed = new_seed(), state = seed;
    bool good = true;
    for (unsigned run = 0; run < 20000 && good; run++) {
        struct host_share h;
        struct guest_share g[GUESTS] = {{0}};
        size_t n = random_below(&state, GUESTS + 1);
        struct sharing how = {(enum share_by)random_below(&state, 4), (enum share_by)random_below(&state, 4),
                              (enum share_basis)random_below(&state, 3)};
        make_host(&state, &h, g, n);
        good = share_host(&how, &h, g, n) == 0 && adds_up(&how, &h, g, n);
        bool left = is_left(how.overhead, g, n);
        good = good && h.left_own_ns == (left ? h.own_ns : 0) &&
               h.left_unattributed_ns == (left ? h.unattributed_ns : 0);
        good = good && (is_left(how.idle, g, n) || h.left_idle_ns == 0);
    }
    CHECK(good);
    if (!good)
        printf("SEED=%llu\n", (unsigned long long)seed);
}

CU_TestInfo sharing_tests[] = {
    TEST(the_capacity_is_the_sum_of_its_parts),
    TEST(what_is_not_shared_is_a_row_of_its_own),
    TEST(idle_time_is_shared_by_each_rule),
    TEST(overhead_is_shared_by_each_rule),
    TEST(reservations_take_idle_time),
    TEST(idle_time_never_becomes_negative),
    TEST(a_host_without_guests_keeps_its_idle_time),
    TEST(whatever_the_host_every_nanosecond_is_in_one_row),
    CU_TEST_INFO_NULL,
};
