/* Two sides compared: who is the same, what unknown time leaves open, what is significant. */
#include "metrics/relation/differences.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"

#define MS     UINT64_C(1000000)
#define SECOND UINT64_C(1000000000)
#define N      10 /* intervals of 1 s */

static struct comparison_plan plan;

static void plan_of(const char *const *names)
{
    plan = (struct comparison_plan){.by = BY_DOMAIN};
    for (; *names; names++)
        plan.of[plan.n++] = comparable_find(*names);
}

/* A domain over 10 s, which ran for value[0] per cent of them, with the other values; in intervals the same, `off` more and less by turns. */
static void add(struct side *s, int32_t domain, uint32_t life, const char *name, const double *values,
                double off)
{
    struct side_row row = {
        .domain = domain, .life = life, .vcpu = -1, .pcpu = -1, .name = name, .end_ns = N * SECOND};
    s->plan = &plan;
    row.context[CONTEXT_running_ns] = values[0] / 100 * N * 1e9;
    row.context[CONTEXT_blocked_ns] = (100 - values[0]) / 100 * N * 1e9;
    row.context[CONTEXT_executions] = 10000;
    memcpy(row.values, values, plan.n * sizeof *values);
    for (unsigned i = 0; i < N; i++) {
        struct side_row part = row;
        part.granularity_ns = SECOND;
        part.start_ns = i * SECOND;
        part.end_ns = part.start_ns + SECOND;
        for (size_t k = 0; k < plan.n; k++)
            part.values[k] += i % 2 ? off : -off;
        EQUAL(side_take(s, &part), SIDE_TAKEN);
    }
    EQUAL(side_take(s, &row), SIDE_TAKEN);
}

static struct differences d;

static void compare(struct side *a, struct side *b, bool poor)
{
    const struct difference_options options = {.poor = poor};
    CHECK(differences_make(&d, a, b, &options));
}

static void done(struct side *a, struct side *b)
{
    free(d.at);
    d.at = NULL;
    side_free(a);
    side_free(b);
}

static const char *const running[] = {"running_pct", NULL};

static void what_is_steady_and_differs_is_significant(void)
{
    struct side a = {0}, b = {0};
    plan_of(running);
    add(&a, 1, 1, NULL, (const double[]){40}, 1);
    add(&b, 1, 1, NULL, (const double[]){50}, 1);
    add(&a, 2, 1, NULL, (const double[]){40}, 20);
    add(&b, 2, 1, NULL, (const double[]){50}, 20);
    compare(&a, &b, false);
    EQUAL(d.n, 2);
    EQUAL(d.at[0].domain, 1);
    EQUAL(d.at[0].change, CHANGE_SIGNIFICANT);
    CHECK(relative_pct(&d.at[0]) == 25);
    EQUAL(d.at[1].change, CHANGE_NOISE);
    CHECK(d.at[1].noise > 10);
    free(d.at);
    compare(&a, &b, true);
    EQUAL(d.at[0].change, CHANGE_UNKNOWN); /* one of them is poor */
    done(&a, &b);
}

static void a_capture_beside_itself_has_no_differences(void)
{
    struct side a = {0}, b = {0};
    plan_of(running);
    add(&a, 1, 1, NULL, (const double[]){40}, 1);
    add(&b, 1, 1, NULL, (const double[]){40}, 1);
    compare(&a, &b, false);
    EQUAL(d.at[0].change, CHANGE_NONE);
    CHECK(d.at[0].p_value == 1);
    done(&a, &b);
}

/* One bucket of a histogram at 6.4 ms is 0.1 ms. */
static void percentiles_are_no_more_exact_than_buckets(void)
{
    static const char *const names[] = {"running_pct", "wait_p90_ns", NULL};
    struct side a = {0}, b = {0};
    plan_of(names);
    add(&a, 1, 1, NULL, (const double[]){40, 6.30e6}, 0);
    add(&b, 1, 1, NULL, (const double[]){40, 6.40e6}, 0);
    add(&a, 2, 1, NULL, (const double[]){40, 6.30e6}, 0);
    add(&b, 2, 1, NULL, (const double[]){40, 6.41e6}, 0);
    compare(&a, &b, false);
    EQUAL(d.at[0].domain, 2);
    EQUAL(d.at[0].change, CHANGE_SIGNIFICANT);
    EQUAL(d.at[2].domain, 1);
    EQUAL(d.at[2].change, CHANGE_NOISE);
    done(&a, &b);
}

static void names_are_the_same_whatever_their_ids(void)
{
    struct side a = {0}, b = {0};
    plan_of(running);
    add(&a, 3, 1, "web", (const double[]){40}, 1);
    add(&a, 4, 1, "db", (const double[]){10}, 1);
    add(&b, 5, 1, "web", (const double[]){40}, 1);
    add(&b, 6, 1, "mail", (const double[]){20}, 1);
    compare(&a, &b, false);
    EQUAL(d.n, 3);
    SAME_TEXT(d.at[0].name, "db");
    EQUAL(d.at[0].change, CHANGE_GONE);
    EQUAL(d.at[0].after_domain, -1);
    SAME_TEXT(d.at[1].name, "mail");
    EQUAL(d.at[1].change, CHANGE_APPEARED);
    EQUAL(d.at[1].domain, -1);
    EQUAL(d.at[2].domain, 3);
    EQUAL(d.at[2].after_domain, 5);
    EQUAL(d.at[2].change, CHANGE_NONE);
    done(&a, &b);
}

/* Where one side knows no names, ids and the order of lives say who is who. */
static void without_names_ids_are_the_same(void)
{
    struct side a = {0}, b = {0};
    plan_of(running);
    add(&a, 3, 1, "web", (const double[]){40}, 1);
    add(&a, 3, 2, "web", (const double[]){30}, 1);
    add(&b, 3, 1, NULL, (const double[]){40}, 1);
    compare(&a, &b, false);
    EQUAL(d.n, 2);
    EQUAL(d.at[0].life, 2);
    EQUAL(d.at[0].change, CHANGE_GONE);
    EQUAL(d.at[1].life, 1);
    EQUAL(d.at[1].change, CHANGE_NONE);
    done(&a, &b);
}

static void without_intervals_nothing_is_judged(void)
{
    struct side a = {.plan = &plan}, b = {.plan = &plan};
    struct side_row row = {.domain = 1, .life = 1, .vcpu = -1, .pcpu = -1, .end_ns = SECOND};
    plan_of(running);
    row.values[0] = 40;
    EQUAL(side_take(&a, &row), SIDE_TAKEN);
    EQUAL(side_take(&a, &row), SIDE_TWICE);
    row.values[0] = 80;
    EQUAL(side_take(&b, &row), SIDE_TAKEN);
    compare(&a, &b, false);
    EQUAL(d.at[0].change, CHANGE_UNJUDGED);
    CHECK(isnan(d.at[0].p_value));
    done(&a, &b);
}

/* 1 s: 400 ms running, 350 ms blocked, 250 ms unknown; 50 ms of what is known is doubtful. */
static struct side_row lossy_row(void)
{
    struct side_row row = {.domain = 1, .life = 1, .vcpu = -1, .pcpu = -1, .end_ns = SECOND};
    row.context[CONTEXT_running_ns] = 400 * MS;
    row.context[CONTEXT_blocked_ns] = 350 * MS;
    row.context[CONTEXT_unknown_ns] = 250 * MS;
    row.context[CONTEXT_executions] = 1000;
    return row;
}

static void unknown_time_may_belong_to_any_state(void)
{
    static const char *const names[] = {"running_pct", "executions_per_s", "wait_max_ns", NULL};
    struct side_row row = lossy_row();
    double least, most;
    plan_of(names);
    row.values[0] = 40;
    row.values[1] = 1000;
    row.values[2] = 5e6;
    value_bounds(&row, &plan, 0, &least, &most);
    CHECK(least == 40 && most == 65);
    row.context[CONTEXT_doubtful_ns] = 50 * MS;
    value_bounds(&row, &plan, 0, &least, &most);
    CHECK(least == 35 && most == 70);
    value_bounds(&row, &plan, 1, &least, &most); /* 30 % missing: 1000 * 1.3 / 0.7 */
    CHECK(least == 1000 && fabs(most - 1857.142857) < 1e-3);
    value_bounds(&row, &plan, 2, &least, &most);
    CHECK(least == 5e6 && isinf(most));
}

/*
 * A quarter is missing: the median of all is among those seen one between 1/3 (all missing ones are shorter) and 2/3 (longer): at
 * least 0, at most the 90th percentile. Of the 90th percentile 0.9 / 0.75 is beyond what was seen.
 */
static void missing_samples_may_lie_on_either_side_of_a_percentile(void)
{
    static const char *const names[] = {"wait_p50_ns", "wait_p90_ns", NULL};
    struct side_row row = lossy_row();
    double least, most;
    plan_of(names);
    row.values[0] = 1e6;
    row.values[1] = 3e6;
    value_bounds(&row, &plan, 0, &least, &most);
    CHECK(least == 0 && most == 3e6);
    value_bounds(&row, &plan, 1, &least, &most);
    CHECK(least == 1e6 && isinf(most));
    row.context[CONTEXT_executions] = 3; /* less than one sample is missing */
    value_bounds(&row, &plan, 0, &least, &most);
    CHECK(least == 1e6 && most == 1e6);
}

static void what_unknown_time_explains_is_not_significant(void)
{
    struct side a = {0}, b = {0};
    plan_of(running);
    add(&a, 1, 1, NULL, (const double[]){40}, 1);
    add(&b, 1, 1, NULL, (const double[]){50}, 1);
    a.subjects[0]->whole.context[CONTEXT_unknown_ns] = 2 * (double)SECOND; /* of 10: 40 to 60 % */
    compare(&a, &b, false);
    EQUAL(d.at[0].change, CHANGE_UNKNOWN);
    free(d.at);
    a.subjects[0]->whole.context[CONTEXT_unknown_ns] = 200.0 * MS; /* 40 to 42 % */
    compare(&a, &b, false);
    EQUAL(d.at[0].change, CHANGE_SIGNIFICANT);
    done(&a, &b);
}

/* 100 ms and 1 s are kept of 15 s, of 150 s only 1 s: of both sides it is 1 s. */
static void both_sides_use_intervals_of_one_length_if_they_can(void)
{
    struct side a = {.plan = &plan}, b = {.plan = &plan};
    struct side *const sides[] = {&a, &b};
    const unsigned seconds[] = {15, 150};
    int x, y;
    plan_of(running);
    for (int s = 0; s < 2; s++)
        for (unsigned i = 0; i < 10 * seconds[s]; i++) {
            struct side_row row = {
                .domain = 1, .life = 1, .vcpu = -1, .pcpu = -1, .granularity_ns = 100 * MS};
            row.start_ns = i * row.granularity_ns;
            row.end_ns = row.start_ns + row.granularity_ns;
            EQUAL(side_take(sides[s], &row), SIDE_TAKEN);
            if (i % 10)
                continue;
            row.granularity_ns = SECOND;
            row.end_ns = row.start_ns + SECOND;
            EQUAL(side_take(sides[s], &row), SIDE_TAKEN);
        }
    CHECK(side_lengths(&a, &b, &x, &y));
    EQUAL(a.lengths[x].granularity_ns, SECOND);
    EQUAL(b.lengths[y].granularity_ns, SECOND);
    CHECK(side_has_enough(&b, 100 * MS) && !side_has_enough(&b, SECOND) && !side_has_enough(&a, 100 * MS));
    EQUAL(b.subjects[0]->series[side_length_of(&b, 100 * MS)].n, 0); /* more than 200: dropped */
    done(&a, &b);
}

CU_TestInfo differences_tests[] = {TEST(what_is_steady_and_differs_is_significant),
                                   TEST(a_capture_beside_itself_has_no_differences),
                                   TEST(percentiles_are_no_more_exact_than_buckets),
                                   TEST(names_are_the_same_whatever_their_ids),
                                   TEST(without_names_ids_are_the_same),
                                   TEST(without_intervals_nothing_is_judged),
                                   TEST(unknown_time_may_belong_to_any_state),
                                   TEST(missing_samples_may_lie_on_either_side_of_a_percentile),
                                   TEST(what_unknown_time_explains_is_not_significant),
                                   TEST(both_sides_use_intervals_of_one_length_if_they_can),
                                   CU_TEST_INFO_NULL};
