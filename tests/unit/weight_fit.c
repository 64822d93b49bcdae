/* Fitted weights: costs are what the times say, with errors, and unknown where the times do not say. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "metrics/measure/least_squares.h"
#include "metrics/measure/weight_fit.h"
#include "suites.h"

#define SECOND               1000000000u
#define NEAR(actual, wanted) CHECK(fabs((actual) - (wanted)) <= 1e-6 * (wanted))

/* A host whose domain 0 was recorded by its kernel all the time, or had the times of its threads counted. */
struct host {
    struct dom0_trace recording;
    struct charge_options options;
    struct clock clock;
    struct weight_fit *fit;
    uint64_t now_ns;
};

static void begin(struct host *h, unsigned methods)
{
    *h = (struct host){.recording = {.domain = 0, .first_tsc = 0, .last_tsc = UINT64_MAX / 4}};
    clock_set(&h->clock, 0, 1e9);
    h->options.dom0_trace = &h->recording;
    h->fit = weight_fit_new(&h->options, methods, NULL);
}

/* A second in which domain 0 ran for 0.9 s. */
static void second(struct host *h, const struct charge_guest *guests, size_t n)
{
    const struct charge_idd idd = {.life = 1, .running_ns = 900000000, .guests = guests, .guests_n = n};
    const struct interval i = {.granularity_ns = SECOND, .start_ns = h->now_ns, .end_ns = h->now_ns + SECOND};
    weight_fit_take(h->fit, &h->clock, &i, &idd, 1);
    h->now_ns += SECOND;
}

static struct charge_guest guest(int32_t domain, uint64_t us, uint64_t tx, uint64_t rx)
{
    return (struct charge_guest){.domain = domain,
                                 .life = 1,
                                 .charged_ns = us * 1000,
                                 .charged_measured_ns = (double)us * 1000,
                                 .events = {[IO_TX] = tx, [IO_RX] = rx}};
}

static struct fitted_weights end(struct host *h)
{
    struct fitted_weights w = {.n = 0};
    struct error err = {0};
    EQUAL(weight_fit_solve(h->fit, &w, &err), 0);
    weight_fit_free(h->fit);
    return w;
}

/* The error, whose text has that part. */
static void refused(struct host *h, const char *part)
{
    struct fitted_weights w;
    struct error err = {0};
    EQUAL(weight_fit_solve(h->fit, &w, &err), -1);
    CHECK(strstr(err.message, part) != NULL);
    weight_fit_free(h->fit);
}

static const struct fitted_weight *of(const struct fitted_weights *w, enum io_kind kind)
{
    for (size_t i = 0; i < w->n; i++)
        if (w->kinds[i].kind == kind)
            return &w->kinds[i];
    CHECK(false);
    return &w->kinds[0];
}

/* 100 us for a packet sent, 300 us for one received. */
static struct charge_guest exact(int32_t domain, uint64_t tx, uint64_t rx)
{
    return guest(domain, 100 * tx + 300 * rx, tx, rx);
}

static void times_that_follow_costs_give_these_costs(void)
{
    struct host h;
    begin(&h, CHARGE_PACKETS);
    for (unsigned i = 0; i < 5; i++)
        second(&h, (const struct charge_guest[]){exact(1, 100 + 10 * i, 20), exact(2, 30, 200 + i * i)}, 2);
    struct fitted_weights w = end(&h);
    EQUAL(w.n, 4);
    EQUAL(w.intervals, 5);
    EQUAL(of(&w, IO_TX)->state, FIT_KNOWN);
    EQUAL(of(&w, IO_RX)->state, FIT_KNOWN);
    NEAR(of(&w, IO_TX)->cost_ns, 100000);
    NEAR(of(&w, IO_RX)->cost_ns, 300000);
    CHECK(of(&w, IO_TX)->error_ns < 1);
    EQUAL(of(&w, IO_TX)->events, 5 * 130 + 100);
    NEAR(of(&w, IO_TX)->explained_pct, 100 * 0.750 * 0.1 / 4.5);
    NEAR(w.driver_ns, 4.5e9);
    NEAR(w.explained_ns, w.guests_ns);
    CHECK(w.residual_pct < 1e-3);
}

/* All events together weigh what they weigh by default: 1 each sent, 1.1 each received. */
static void weights_are_costs_in_the_unit_of_the_default_weights(void)
{
    struct host h;
    begin(&h, CHARGE_PACKETS);
    for (unsigned i = 0; i < 4; i++)
        second(&h, (const struct charge_guest[]){exact(1, 100, 20 + i), exact(2, 30 + i, 200)}, 2);
    struct fitted_weights w = end(&h);
    const struct fitted_weight *tx = of(&w, IO_TX), *rx = of(&w, IO_RX);
    NEAR(rx->weight, 3 * tx->weight);
    NEAR(tx->weight * (double)tx->events + rx->weight * (double)rx->events,
         (double)tx->events + 1.1 * (double)rx->events);
    CHECK(of(&w, IO_READ)->weight < 0); /* the default holds */
    EQUAL(of(&w, IO_READ)->state, FIT_NO_EVENTS);
}

static void no_cost_is_negative(void)
{
    struct host h;
    begin(&h, CHARGE_PACKETS);
    for (unsigned i = 0; i < 4; i++)
        second(&h, (const struct charge_guest[]){guest(1, 10000, 100, 0), guest(2, 9000, 100, 50 + i)}, 2);
    struct fitted_weights w = end(&h);
    EQUAL(of(&w, IO_RX)->state, FIT_NEGATIVE);
    EQUAL(of(&w, IO_TX)->state, FIT_KNOWN);
    NEAR(of(&w, IO_TX)->cost_ns, 95000);
    EQUAL(of(&w, IO_RX)->weight, 0);
}

/* Each page that is mapped is unmapped: 30 us together. A copy costs 5 us. */
static void kinds_that_move_together_are_not_told_apart(void)
{
    struct host h;
    begin(&h, CHARGE_GRANTS | CHARGE_COPIES);
    for (unsigned i = 0; i < 4; i++) {
        struct charge_guest g[2] = {{.domain = 1, .life = 1}, {.domain = 2, .life = 1}};
        for (unsigned n = 0; n < 2; n++) {
            g[n].events[IO_MAP] = g[n].events[IO_UNMAP] = n ? 300 : 40 + i;
            g[n].events[IO_COPY] = n ? 10 * i : 500;
            g[n].charged_ns = 30000 * g[n].events[IO_MAP] + 5000 * g[n].events[IO_COPY];
        }
        second(&h, g, 2);
    }
    struct fitted_weights w = end(&h);
    const struct fitted_weight *map = of(&w, IO_MAP), *unmap = of(&w, IO_UNMAP), *copy = of(&w, IO_COPY);
    EQUAL(map->state, FIT_TOGETHER);
    EQUAL(unmap->state, FIT_TOGETHER);
    EQUAL(map->with, IO_UNMAP);
    EQUAL(unmap->with, IO_MAP);
    EQUAL(copy->state, FIT_KNOWN);
    NEAR(copy->cost_ns, 5000);
    NEAR(map->weight, 3 * copy->weight); /* half of 30 us each */
    NEAR(unmap->weight, map->weight);
}

static void few_events_have_no_cost(void)
{
    struct host h;
    begin(&h, CHARGE_PACKETS);
    for (unsigned i = 0; i < 4; i++)
        second(&h, (const struct charge_guest[]){exact(1, 100 + i, i == 2 ? FIT_EVENTS_MIN - 1 : 0)}, 1);
    struct fitted_weights w = end(&h);
    EQUAL(of(&w, IO_RX)->state, FIT_FEW);
    EQUAL(of(&w, IO_RX)->events, FIT_EVENTS_MIN - 1);
    CHECK(of(&w, IO_RX)->weight < 0);
    EQUAL(of(&w, IO_TX)->state, FIT_KNOWN);
}

/* One guest's packet costs 100 us, another one's 500 us: the error says that a cost in between is none of both. */
static void guests_that_cost_differently_make_costs_uncertain(void)
{
    struct host h;
    begin(&h, CHARGE_PACKETS);
    for (unsigned i = 0; i < 4; i++)
        second(&h, (const struct charge_guest[]){guest(1, 10000, 100, 0), guest(2, 50000, 100, 0)}, 2);
    struct fitted_weights w = end(&h);
    NEAR(of(&w, IO_TX)->cost_ns, 300000);
    NEAR(of(&w, IO_TX)->error_ns, 200000); /* of two values, 200 us to both sides */
    EQUAL(of(&w, IO_TX)->state, FIT_UNCERTAIN);
    NEAR(w.residual_pct, 100 * 20 / sqrt((10 * 10 + 50 * 50) / 2.0));
}

/* Times of 3 intervals of one guest: 90, 100 and 110 us for a packet. The jackknife's error of a mean is that of statistics. */
static void the_error_is_that_of_the_scatter(void)
{
    struct host h;
    begin(&h, CHARGE_PACKETS);
    for (unsigned i = 0; i < 3; i++)
        second(&h, (const struct charge_guest[]){guest(1, 9000 + 1000 * i, 100, 0)}, 1);
    struct fitted_weights w = end(&h);
    NEAR(of(&w, IO_TX)->cost_ns, 100000);
    NEAR(of(&w, IO_TX)->error_ns, 10000 / sqrt(3)); /* a deviation of 10 us */
}

static void many_intervals_are_as_few(void)
{
    struct host h;
    begin(&h, CHARGE_PACKETS);
    for (unsigned i = 0; i < 1000; i++)
        second(&h, (const struct charge_guest[]){guest(1, 9000 + 2000 * (i / 500), 100, 0)}, 1);
    struct fitted_weights w = end(&h);
    EQUAL(w.intervals, 1000);
    EQUAL(of(&w, IO_TX)->events, 100000);
    NEAR(of(&w, IO_TX)->cost_ns, 100000);
    CHECK(of(&w, IO_TX)->error_ns > 500); /* of 32 blocks of 32 s: 10 us / sqrt(32) */
    CHECK(of(&w, IO_TX)->error_ns < 5000);
}

static void what_is_not_measured_is_not_fitted(void)
{
    struct host h;
    begin(&h, CHARGE_PACKETS);
    for (unsigned i = 0; i < 2; i++)
        second(&h, (const struct charge_guest[]){exact(1, 100, 100)}, 1);
    refused(&h, "cover 2 whole intervals");
    begin(&h, CHARGE_PACKETS);
    h.recording.last_tsc = 2500000000; /* the third one is not covered */
    for (unsigned i = 0; i < 5; i++)
        second(&h, (const struct charge_guest[]){exact(1, 100, 100)}, 1);
    refused(&h, "cover 2 whole intervals");
    begin(&h, CHARGE_PACKETS);
    h.recording.domain = 7;
    for (unsigned i = 0; i < 5; i++)
        second(&h, (const struct charge_guest[]){exact(1, 100, 100)}, 1);
    refused(&h, "cover 0 whole intervals");
    begin(&h, CHARGE_PACKETS);
    for (unsigned i = 0; i < 5; i++)
        second(&h, (const struct charge_guest[]){exact(1, 3, 0)}, 1);
    refused(&h, "fewer than 20 events");
    begin(&h, CHARGE_PACKETS);
    for (unsigned i = 0; i < 5; i++)
        second(&h, (const struct charge_guest[]){guest(1, 0, 100, 0)}, 1);
    refused(&h, "does not grow");
}

/* Two domains had the id 1 in the third second. */
static void a_guest_that_was_replaced_is_left_out(void)
{
    struct host h;
    begin(&h, CHARGE_PACKETS);
    for (unsigned i = 0; i < 4; i++) {
        struct charge_guest both[2] = {exact(1, 100, 0), guest(1, 77777, 3, 0)};
        both[1].life = 2;
        second(&h, both, i == 2 ? 2 : 1);
    }
    struct fitted_weights w = end(&h);
    NEAR(of(&w, IO_TX)->cost_ns, 100000);
    EQUAL(of(&w, IO_TX)->events, 300);
}

/* ---- times of threads ---- */

#define COUNTED_SECONDS 6

/* Domain 1's guest-rx thread runs 10 ms a second, its napi thread 30 ms, each with 5 ms of stolen time; read each `apart` seconds. */
static struct counters *threads(unsigned apart)
{
    static const char *const names[] = {"guest-rx", "napi", "vif1.0"};
    struct counters *c = calloc(1, sizeof *c);
    struct error err = {0};
    c->devices_n = 3;
    c->devices = calloc(c->devices_n, sizeof *c->devices);
    c->readings = calloc(c->devices_n * (COUNTED_SECONDS + 1), sizeof *c->readings);
    for (uint32_t d = 0; d < c->devices_n; d++) {
        memcpy(c->devices[d].name, names[d], strlen(names[d]) + 1);
        c->devices[d].domain = 1;
        c->devices[d].counts[COUNTER_CPU] = d < 2;
        c->devices[d].counts[0] = c->devices[d].counts[1] = d == 2;
        for (unsigned s = 0; s <= COUNTED_SECONDS; s += apart) {
            struct counter_reading *r = &c->readings[c->readings_n++];
            r->device = d;
            r->time_ns = (uint64_t)s * SECOND;
            r->count[COUNTER_CPU] = (uint64_t)s * (d == 0 ? 15000000 : 35000000);
            r->count[0] = r->count[1] = (uint64_t)s * 100;
        }
    }
    EQUAL(counters_sort(c, &err), 0);
    return c;
}

static void fit_threads(struct host *h, struct counters *counters)
{
    *h = (struct host){.now_ns = 0};
    clock_set(&h->clock, 0, 1e9);
    h->options.counters = counters;
    CHECK(weight_fit_is_possible(&h->options));
    h->fit = weight_fit_new(&h->options, CHARGE_AUTO, NULL);
    for (unsigned i = 0; i < COUNTED_SECONDS; i++)
        second(h, (const struct charge_guest[]){guest(1, 40000, 100, 100)}, 1);
}

/* As many packets are sent as received, always; but it is known what each thread does. */
static void time_of_a_thread_counts_for_what_it_does(void)
{
    struct host h;
    struct counters *c = threads(1);
    fit_threads(&h, c);
    struct fitted_weights w = end(&h);
    EQUAL(of(&w, IO_TX)->state, FIT_KNOWN);
    NEAR(of(&w, IO_TX)->cost_ns, 120000); /* 15/50 of the 40 ms that are left without stolen time */
    NEAR(of(&w, IO_RX)->cost_ns, 280000);
    counters_free(c);
}

static void intervals_without_a_reading_say_nothing(void)
{
    struct host h;
    struct counters *c = threads(6);
    fit_threads(&h, c);
    refused(&h, "less often");
    counters_free(c);
}

static void without_measured_times_nothing_can_be_fitted(void)
{
    struct host h = {.now_ns = 0};
    CHECK(!weight_fit_is_possible(&h.options));
    struct counters *c = threads(1);
    c->devices[0].counts[COUNTER_CPU] = c->devices[1].counts[COUNTER_CPU] = false;
    h.options.counters = c;
    CHECK(!weight_fit_is_possible(&h.options));
    counters_free(c);
}

/* ---- least squares ---- */

static void inflation_says_how_far_others_move_along(void)
{
    struct normal_equations e = {.yy = 0};
    least_squares_add(&e, (const double[UNKNOWNS_MAX]){1, 0, 2}, 1);
    least_squares_add(&e, (const double[UNKNOWNS_MAX]){0, 1, 0}, 1);
    NEAR(least_squares_inflation(&e, 3, 0), 1.0);
    CHECK(isinf(least_squares_inflation(&e, 7, 0)));  /* the third one is twice the first one */
    CHECK(isinf(least_squares_inflation(&e, 15, 3))); /* without any coefficient */
    least_squares_add(&e, (const double[UNKNOWNS_MAX]){3, 4, 0}, 1);
    NEAR(least_squares_inflation(&e, 3, 0), 1 / (1 - 12.0 * 12.0 / (10 * 17)));
}

CU_TestInfo weight_fit_tests[] = {
    TEST(times_that_follow_costs_give_these_costs),
    TEST(weights_are_costs_in_the_unit_of_the_default_weights),
    TEST(no_cost_is_negative),
    TEST(kinds_that_move_together_are_not_told_apart),
    TEST(few_events_have_no_cost),
    TEST(guests_that_cost_differently_make_costs_uncertain),
    TEST(the_error_is_that_of_the_scatter),
    TEST(many_intervals_are_as_few),
    TEST(what_is_not_measured_is_not_fitted),
    TEST(a_guest_that_was_replaced_is_left_out),
    TEST(time_of_a_thread_counts_for_what_it_does),
    TEST(intervals_without_a_reading_say_nothing),
    TEST(without_measured_times_nothing_can_be_fitted),
    TEST(inflation_says_how_far_others_move_along),
    CU_TEST_INFO_NULL,
};
