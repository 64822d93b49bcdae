/*
 * What comes of kept intervals against a meter that runs with the granularities asked for: the same calls, in the same
 * order, with the same numbers in them.
 */
#include "archive/regroup.h"

#include <fcntl.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "random.h"
#include "random_host.h"
#include "run.h"
#include "suites.h"

static const enum by kinds[] = {BY_DOMAIN, BY_VCPU, BY_PCPU, BY_DOMAIN_PCPU};
#define KINDS (sizeof kinds / sizeof kinds[0])

/* ---- what a sink was told ---- */

enum what { INTERVAL, EXECUTION, CHARGES };

struct told {
    enum what what;
    struct interval interval;
    struct execution execution;
    size_t n;
    struct row *rows;
    struct measures *measures;
    struct charge_idd *idds;
    struct charge_guest *guests; /* of all of them */
};

struct record_of {
    struct told *items;
    size_t n, capacity;
};

static struct told *append(struct record_of *r, enum what what)
{
    if (r->n == r->capacity) {
        r->capacity = r->capacity ? 2 * r->capacity : 64;
        r->items = realloc(r->items, r->capacity * sizeof *r->items);
        if (!r->items)
            abort();
    }
    r->items[r->n] = (struct told){.what = what};
    return &r->items[r->n++];
}

static void *room(size_t n, size_t size)
{
    void *items = calloc(n + 1, size);
    if (!items)
        abort();
    return items;
}

static int note_interval(void *context, const struct interval *interval, const struct row *rows, size_t n)
{
    struct told *t = append(context, INTERVAL);
    t->interval = *interval;
    t->n = n;
    t->rows = room(n, sizeof *t->rows);
    t->measures = room(n, sizeof *t->measures);
    for (size_t i = 0; i < n; i++) {
        t->rows[i] = rows[i];
        measures_init(&t->measures[i]);
        CHECK(measures_merge(&t->measures[i], rows[i].measures));
    }
    return 0;
}

static int note_execution(void *context, const struct execution *execution)
{
    append(context, EXECUTION)->execution = *execution;
    return 0;
}

static int note_charges(void *context, const struct interval *interval, const struct charge_idd *idds,
                        size_t n)
{
    struct told *t = append(context, CHARGES);
    size_t guests = 0;
    t->interval = *interval;
    t->n = n;
    t->idds = room(n, sizeof *t->idds);
    for (size_t i = 0; i < n; i++)
        guests += idds[i].guests_n;
    t->guests = room(guests, sizeof *t->guests);
    guests = 0;
    for (size_t i = 0; i < n; i++) {
        t->idds[i] = idds[i];
        t->idds[i].guests = &t->guests[guests];
        for (size_t g = 0; g < idds[i].guests_n; g++)
            t->guests[guests++] = idds[i].guests[g];
    }
    return 0;
}

static struct meter_sink sink_of(struct record_of *r)
{
    return (struct meter_sink){r, note_interval, note_execution, note_charges};
}

static void forget(struct record_of *r)
{
    for (size_t i = 0; i < r->n; i++) {
        for (size_t k = 0; r->items[i].measures && k < r->items[i].n; k++)
            measures_free(&r->items[i].measures[k]);
        free(r->items[i].rows);
        free(r->items[i].measures);
        free(r->items[i].idds);
        free(r->items[i].guests);
    }
    free(r->items);
    *r = (struct record_of){0};
}

/* ---- whether two were told the same ---- */

static bool same_interval(const struct interval *a, const struct interval *b)
{
    return a->granularity_ns == b->granularity_ns && a->start_ns == b->start_ns && a->end_ns == b->end_ns &&
           a->late == b->late;
}

static bool same_histogram(const struct histogram *a, const struct histogram *b)
{
    if (a->count != b->count || a->sum != b->sum || a->min != b->min || a->max != b->max ||
        a->max_at != b->max_at || memcmp(a->touched, b->touched, sizeof a->touched) != 0)
        return false;
    for (unsigned page = 0; page < HISTOGRAM_PAGES; page++)
        if (a->touched[page / 64] >> page % 64 & 1 &&
            memcmp(a->pages[page], b->pages[page], HISTOGRAM_PAGE_BUCKETS * sizeof(uint64_t)) != 0)
            return false;
    return true;
}

static bool same_rows(const struct told *a, const struct told *b)
{
    for (size_t i = 0; i < a->n; i++) {
        const struct row *x = &a->rows[i], *y = &b->rows[i];
        const struct measures *m = &a->measures[i], *k = &b->measures[i];
        if (x->domain != y->domain || x->life != y->life || x->vcpu != y->vcpu || x->pcpu != y->pcpu ||
            x->vcpus != y->vcpus || memcmp(m, k, offsetof(struct measures, run)) != 0 ||
            !same_histogram(&m->run, &k->run) || !same_histogram(&m->wait, &k->wait) ||
            !same_histogram(&m->block, &k->block))
            return false;
    }
    return true;
}

/* Sums of fractions, added in another order. */
static bool nearly(double a, double b)
{
    return fabs(a - b) <= 1e-9 * (1 + fabs(a));
}

static bool same_guest(const struct charge_guest *a, const struct charge_guest *b)
{
    bool same = a->domain == b->domain && a->life == b->life && a->charged_ns == b->charged_ns &&
                memcmp(a->events, b->events, sizeof a->events) == 0 &&
                memcmp(a->counted, b->counted, sizeof a->counted) == 0 &&
                memcmp(a->inferred, b->inferred, sizeof a->inferred) == 0 &&
                nearly(a->charged_inferred_ns, b->charged_inferred_ns);
    for (int kind = 0; kind < IO_KINDS; kind++)
        same = same && nearly(a->charged_by_ns[kind], b->charged_by_ns[kind]);
    return same;
}

static bool same_charges(const struct told *a, const struct told *b)
{
    for (size_t i = 0; i < a->n; i++) {
        struct charge_idd x = a->idds[i], y = b->idds[i];
        if (x.guests_n != y.guests_n)
            return false;
        for (size_t g = 0; g < x.guests_n; g++)
            if (!same_guest(&x.guests[g], &y.guests[g]))
                return false;
        x.guests = y.guests = NULL;
        if (memcmp(&x, &y, sizeof x) != 0)
            return false;
    }
    return true;
}

static bool same_execution(const struct execution *a, const struct execution *b)
{
    return a->domain == b->domain && a->life == b->life && a->vcpu == b->vcpu && a->pcpu == b->pcpu &&
           a->start_ns == b->start_ns && a->end_ns == b->end_ns &&
           a->blocked_before_ns == b->blocked_before_ns && a->waited_ns == b->waited_ns &&
           a->wait_kind == b->wait_kind && a->ran_ns == b->ran_ns && a->allocated_ns == b->allocated_ns &&
           a->io_total == b->io_total && a->end == b->end;
}

static bool same_told(const struct told *a, const struct told *b)
{
    if (a->what != b->what || a->n != b->n || !same_interval(&a->interval, &b->interval))
        return false;
    if (a->what == EXECUTION)
        return same_execution(&a->execution, &b->execution);
    return a->what == CHARGES ? same_charges(a, b) : same_rows(a, b);
}

/* The number of the first call that differs; -1: none does. */
static long first_difference(const struct record_of *a, const struct record_of *b)
{
    size_t i = 0;
    while (i < a->n && i < b->n && same_told(&a->items[i], &b->items[i]))
        i++;
    return i == a->n && i == b->n ? -1 : (long)i;
}

static size_t late_ones(const struct record_of *r)
{
    size_t n = 0;
    for (size_t i = 0; i < r->n; i++)
        n += r->items[i].what == INTERVAL && r->items[i].interval.late;
    return n;
}

/* ---- a trace on its way through a meter ---- */

struct source {
    char path[64];
    double cpu_hz;
    bool charges;
    double weights[IO_KINDS];
    uint64_t end_ns; /* found out by the first run */
};

static struct source fixture(const char *path)
{
    struct source s = {.charges = true};
    snprintf(s.path, sizeof s.path, "%s", path);
    memcpy(s.weights, charge_default_weights, sizeof s.weights);
    return s;
}

/* Its path is that of an open file: to be closed. */
static int open_capture(struct capture *c, struct source *s)
{
    sweep(c);
    int fd = memfd_create("capture", 0);
    if (fd < 0 || write(fd, c->file.data, c->file.n) != (ssize_t)c->file.n)
        abort();
    *s = fixture("");
    s->cpu_hz = 1e9; /* a cycle is a ns */
    snprintf(s->path, sizeof s->path, "/dev/fd/%d", fd);
    return fd;
}

static int meter_all(struct source *s, struct trace *t, struct meter *m)
{
    struct event_batch batch;
    struct trace_summary summary;
    struct error err;
    int status;
    while ((status = trace_next(t, &batch, &err)) > 0)
        if (meter_feed(m, &batch, trace_clock(t), &err) != 0)
            return -1;
    trace_summarise(t, &summary);
    s->end_ns = clock_ns(trace_clock(t), summary.tsc_last);
    return status == 0 ? meter_finish(m, s->end_ns, &err) : -1;
}

/* Returns the guests' unknown time. */
static uint64_t meter_source(struct source *s, struct meter_options *options, struct meter_sink sink)
{
    struct error err;
    struct trace_options trace_options = {.cpu_hz = s->cpu_hz};
    meter_wants(s->charges, &trace_options);
    options->charge.wanted = s->charges;
    options->sink = sink;
    memcpy(options->charge.weights, s->weights, sizeof s->weights);
    struct trace *t = trace_open(s->path, &trace_options, &err);
    struct meter *m = meter_new(options, &err);
    CHECK(t && m && meter_all(s, t, m) == 0);
    uint64_t unknown_ns = m ? meter_quality(m)->unknown_ns : 0;
    meter_free(m);
    trace_close(t);
    return unknown_ns;
}

/* What is asked for, straight from a meter. */
static uint64_t ask(struct source *s, enum by by, const struct regroup_plan *plan, struct record_of *told)
{
    struct meter_options options = {.by = by,
                                    .granularities = plan->asked,
                                    .executions = plan->executions,
                                    .from_ns = plan->from_ns,
                                    .to_ns = plan->to_ns,
                                    .idle_rows = true};
    memcpy(options.granularities_ns, plan->asked_ns, sizeof options.granularities_ns);
    return meter_source(s, &options, sink_of(told));
}

/* The same of what was kept. Returns whether it is exact. */
static bool ask_kept(struct source *s, enum by by, const struct regroup_plan *plan, struct record_of *told,
                     uint64_t *unknown_ns)
{
    struct meter_options options = {
        .by = by, .granularities = plan->kept, .executions = plan->executions, .idle_rows = true};
    memcpy(options.granularities_ns, plan->kept_ns, sizeof options.granularities_ns);
    struct meter_sink sink = sink_of(told);
    struct regroup *r = regroup_new(plan, by, &sink);
    CHECK(r != NULL);
    if (!r)
        return false;
    struct meter_sink into = regroup_sink(r);
    if (!into.execution)
        options.executions = false;
    meter_source(s, &options, into);
    EQUAL(regroup_finish(r), 0);
    CHECK(!regroup_damaged(r) && !regroup_out_of_memory(r));
    bool exact = regroup_exact(r);
    *unknown_ns = regroup_unknown_ns(r);
    regroup_free(r);
    return exact;
}

/* The plan's ends are the trace's. Returns how many late intervals came out. */
static size_t check_plan(struct source *s, enum by by, struct regroup_plan plan)
{
    struct record_of expected = {0}, actual = {0};
    uint64_t unknown_ns = 0, expected_unknown_ns = ask(s, by, &plan, &expected);
    plan.end_ns = s->end_ns;
    CHECK(expected.n > 0);
    if (ask_kept(s, by, &plan, &actual, &unknown_ns)) {
        EQUAL(first_difference(&actual, &expected), -1);
    } else {
        EQUAL(actual.n, expected.n);
    }
    if (by != BY_PCPU && plan.asked > 0)
        EQUAL(unknown_ns, expected_unknown_ns);
    size_t late = late_ones(&expected);
    forget(&expected);
    forget(&actual);
    return late;
}

#define KEPT(...) .kept_ns = {__VA_ARGS__}, .kept = sizeof((uint64_t[]){__VA_ARGS__}) / sizeof(uint64_t)
#define ASKED(...) .asked_ns = {__VA_ARGS__}, .asked = sizeof((uint64_t[]){__VA_ARGS__}) / sizeof(uint64_t)

static void check_plans(const char *path, const struct regroup_plan *plans, size_t n)
{
    for (size_t k = 0; k < KINDS; k++)
        for (size_t i = 0; i < n; i++) {
            struct source s = fixture(path);
            check_plan(&s, kinds[k], plans[i]);
        }
}
#define CHECK_PLANS(path, ...)                                                                               \
    check_plans(path, (const struct regroup_plan[]){__VA_ARGS__},                                            \
                sizeof((const struct regroup_plan[]){__VA_ARGS__}) / sizeof(struct regroup_plan))

/* ---- whole traces ---- */

static void what_was_kept_comes_out_as_it_was(void)
{
    CHECK_PLANS("fixtures/pvh-credit2.xt.zst", {KEPT(0, 1 * S), ASKED(1 * S)}, {KEPT(0, 1 * S), ASKED(0)},
                {KEPT(0, 1 * S), ASKED(0, 1 * S), .executions = true});
}

static void longer_intervals_are_put_together(void)
{
    CHECK_PLANS("fixtures/pvh-credit2.xt.zst", {KEPT(0, 1 * S), ASKED(2 * S)}, {KEPT(1 * S), ASKED(3 * S)},
                {KEPT(500 * MS), ASKED(0)}, {KEPT(0, 500 * MS), ASKED(60 * S)});
    CHECK_PLANS("fixtures/lost-credit2.xt.zst", {KEPT(0, 1 * S), ASKED(4 * S)});
}

static void several_come_out_in_the_order_asked(void)
{
    CHECK_PLANS("fixtures/mixed-credit.xt.zst", {KEPT(0, 1 * S), ASKED(3 * S, 0, 1 * S, 6 * S)},
                {KEPT(1 * S, 500 * MS, 0), ASKED(500 * MS, 1 * S, 0)},
                {KEPT(500 * MS, 2 * S), ASKED(0, 6 * S, 1 * S, 2 * S, 500 * MS), .executions = true});
}

static void a_part_between_boundaries_is_cut_out(void)
{
    CHECK_PLANS("fixtures/pvh-credit2.xt.zst",
                {KEPT(0, 1 * S), ASKED(1 * S), .from_ns = 2 * S, .to_ns = 7 * S},
                {KEPT(0, 1 * S), ASKED(0), .from_ns = 2 * S, .to_ns = 7 * S},
                {KEPT(0, 1 * S), ASKED(3 * S, 0, 1 * S), .from_ns = 2 * S, .to_ns = 8 * S},
                {KEPT(0, 1 * S), ASKED(5 * S, 0), .from_ns = 3 * S},
                {KEPT(0, 1 * S), ASKED(2 * S, 0), .to_ns = 3 * S},
                {KEPT(0, 1 * S), ASKED(0, 2 * S), .from_ns = 1 * S, .to_ns = 100 * S});
    CHECK_PLANS("fixtures/lost-credit2.xt.zst",
                {KEPT(0, 1 * S), ASKED(5 * S, 0), .from_ns = 2 * S, .to_ns = 11 * S});
}

static void executions_of_a_part_begin_with_it(void)
{
    CHECK_PLANS("fixtures/pvh-credit2.xt.zst", {KEPT(0, 1 * S), .executions = true, .from_ns = 2500 * MS},
                {KEPT(0, 1 * S), ASKED(2 * S, 0), .executions = true, .from_ns = 3 * S});
}

static void without_charges_none_come_out(void)
{
    for (size_t k = 0; k < KINDS; k++) {
        struct source s = fixture("fixtures/membuf-credit2.xt.zst");
        s.charges = false;
        check_plan(&s, kinds[k],
                   (struct regroup_plan){KEPT(0, 100 * MS), ASKED(300 * MS, 0), .to_ns = 900 * MS});
    }
}

/* ---- late rows ---- */

/*
 * For 5 s only vCPU 0 of domain 1 and what I/O domain 0 does for it are seen, and then that somebody else ran or waited
 * all the time: another domain on a pCPU that said nothing before, and another vCPU of domain 1.
 */
static void speak_late(struct capture *c)
{
    capture_init(c);
    for (uint64_t i = 0; i < 50; i++) {
        on(c, 0);
        mark(c, i * 100 * MS);
        starts(c, i * 100 * MS + 1 * MS, 1, 0);
        stops(c, i * 100 * MS + 2 * MS, 1, 0, BLOCKED);
        starts(c, i * 100 * MS + 3 * MS, 0, 0);
        rec_map(c, i * 100 * MS + 4 * MS, 1);
        stops(c, i * 100 * MS + 5 * MS, 0, 0, BLOCKED);
        sweep(c);
    }
    on(c, 1);
    stops(c, 5050 * MS, 2, 0, BLOCKED);
    starts(c, 5100 * MS, 1, 1);
    stops(c, 5200 * MS, 1, 1, RUNNABLE);
    on(c, 2);
    stops(c, 5300 * MS, 0, 1, BLOCKED); /* of a driver domain: its time before is unattributed */
    on(c, 0);
    mark(c, 8500 * MS);
}

static size_t check_late(enum by by, struct regroup_plan plan)
{
    struct capture c;
    struct source s;
    speak_late(&c);
    int fd = open_capture(&c, &s);
    size_t late = check_plan(&s, by, plan);
    close(fd);
    capture_free(&c);
    return late;
}

static void late_rows_are_put_together_and_told_in_order(void)
{
    for (size_t k = 0; k < KINDS; k++) {
        CHECK(check_late(kinds[k], (struct regroup_plan){KEPT(0, 1 * S), ASKED(1 * S, 0)}) >= 10);
        CHECK(check_late(kinds[k], (struct regroup_plan){KEPT(0, 1 * S), ASKED(2 * S)}) >= 4);
        CHECK(check_late(kinds[k], (struct regroup_plan){KEPT(500 * MS), ASKED(2 * S, 1 * S, 0)}) >= 12);
        CHECK(check_late(kinds[k], (struct regroup_plan){KEPT(0, 250 * MS, 1 * S),
                                                         ASKED(1 * S, 4 * S, 500 * MS, 250 * MS)}) >= 30);
    }
}

static void late_rows_of_an_open_interval_are_part_of_it(void)
{
    for (size_t k = 0; k < KINDS; k++) {
        EQUAL(check_late(kinds[k], (struct regroup_plan){KEPT(1 * S), ASKED(6 * S)}), 0);
        EQUAL(check_late(kinds[k], (struct regroup_plan){KEPT(0, 1 * S), ASKED(10 * S, 0)}), 0);
    }
}

static void late_rows_of_a_part_lie_in_it(void)
{
    for (size_t k = 0; k < KINDS; k++) {
        CHECK(check_late(kinds[k], (struct regroup_plan){KEPT(0, 1 * S), ASKED(2 * S, 1 * S),
                                                         .from_ns = 1 * S}) >= 6);
        CHECK(check_late(kinds[k], (struct regroup_plan){KEPT(0, 500 * MS), ASKED(2 * S, 0),
                                                         .from_ns = 1500 * MS, .to_ns = 7 * S}) >= 2);
        /* told when the part was over */
        EQUAL(check_late(kinds[k], (struct regroup_plan){KEPT(0, 1 * S), ASKED(1 * S, 0), .to_ns = 4 * S}), 0);
    }
}

static void a_domain_whose_vcpu_spoke_late_is_not_exact_as_a_whole(void)
{
    struct capture c;
    struct source s;
    speak_late(&c);
    int fd = open_capture(&c, &s);
    for (size_t k = 0; k < KINDS; k++) {
        struct regroup_plan plans[] = {{KEPT(1 * S), ASKED(0), .from_ns = 1 * S, .end_ns = 8500 * MS},
                                       {KEPT(1 * S), ASKED(0), .from_ns = 6 * S, .end_ns = 8500 * MS},
                                       {KEPT(1 * S), ASKED(0, 8 * S), .end_ns = 8500 * MS}};
        const bool exact[] = {kinds[k] != BY_DOMAIN, true, true};
        for (size_t i = 0; i < 3; i++) {
            struct record_of told = {0};
            uint64_t unknown_ns;
            CHECK(ask_kept(&s, kinds[k], &plans[i], &told, &unknown_ns) == exact[i]);
            forget(&told);
        }
    }
    close(fd);
    capture_free(&c);
}

/* ---- random hosts ---- */

static void check_random(uint64_t seed, unsigned steps)
{
    static struct host h;
    struct source s;
    uint64_t random = seed;
    host_run(&h, seed, steps, seed % 2, seed % 3 == 0);
    int fd = open_capture(&h.capture, &s);
    uint64_t unit = h.scale * MS, parts = h.now / unit;
    for (size_t k = 0; k < KINDS; k++) {
        struct regroup_plan plan = {KEPT(0, unit, 5 * unit), ASKED(0, 10 * unit, unit, 7 * unit, 5 * unit)};
        for (size_t i = plan.asked; i-- > 1;) { /* in any order */
            size_t other = random_below(&random, i + 1);
            uint64_t asked_ns = plan.asked_ns[i];
            plan.asked_ns[i] = plan.asked_ns[other];
            plan.asked_ns[other] = asked_ns;
        }
        plan.asked = 2 + random_below(&random, 4);
        if (random_below(&random, 2) && parts > 4)
            plan.from_ns = random_below(&random, parts / 2) * unit;
        if (random_below(&random, 2) && parts > 4)
            plan.to_ns = (parts / 2 + 1 + random_below(&random, parts)) * unit;
        plan.executions = plan.to_ns == 0;
        if (random_below(&random, 2))
            plan.kept = 2;
        check_plan(&s, kinds[k], plan);
    }
    close(fd);
    host_free(&h);
}

static void random_hosts_come_out_the_same(void)
{
    for (uint64_t seed = 1; seed <= 40; seed++)
        check_random(seed, 600);
}

/* ---- plans ---- */

static void what_does_not_fit_is_not_possible(void)
{
    size_t use[METER_GRANULARITIES];
    const struct regroup_plan impossible[] = {
        {KEPT(0, 2 * S), ASKED(1 * S), .end_ns = 10 * S},                 /* shorter */
        {KEPT(0, 2 * S), ASKED(4 * S, 5 * S), .end_ns = 10 * S},          /* no multiple */
        {KEPT(0), ASKED(1 * S), .end_ns = 10 * S},                        /* no intervals */
        {KEPT(0), ASKED(0), .from_ns = 1 * S, .end_ns = 10 * S},          /* a part of the whole */
        {KEPT(0, 2 * S), ASKED(2 * S), .from_ns = 3 * S, .end_ns = 10 * S},
        {KEPT(0, 2 * S), ASKED(2 * S), .to_ns = 3 * S, .end_ns = 10 * S},
        {KEPT(0, 2 * S), ASKED(2 * S), .from_ns = 10 * S, .end_ns = 10 * S}, /* behind the end */
        {KEPT(0, 2 * S), ASKED(2 * S), .from_ns = 4 * S, .to_ns = 4 * S, .end_ns = 10 * S},
        {KEPT(0, 2 * S), ASKED(2 * S), .from_ns = 6 * S, .to_ns = 4 * S, .end_ns = 10 * S},
        {KEPT(0, 2 * S), ASKED(2 * S), .to_ns = 4 * S, .executions = true, .end_ns = 10 * S},
        {ASKED(0), .end_ns = 10 * S},
    };
    for (size_t i = 0; i < sizeof impossible / sizeof impossible[0]; i++) {
        CHECK(!regroup_possible(&impossible[i], use));
        CHECK(regroup_new(&impossible[i], BY_DOMAIN, &(struct meter_sink){0}) == NULL);
    }
}

static void the_longest_that_fits_is_of_use(void)
{
    size_t use[METER_GRANULARITIES];
    struct regroup_plan plan = {KEPT(100 * MS, 0, 1 * S, 2 * S), ASKED(0, 1 * S, 4 * S, 3 * S, 300 * MS),
                                .end_ns = 10500 * MS};
    CHECK(regroup_possible(&plan, use));
    EQUAL(use[0], 1);
    EQUAL(use[1], 2);
    EQUAL(use[2], 3);
    EQUAL(use[3], 2);
    EQUAL(use[4], 0);
    plan.to_ns = 10500 * MS; /* no boundary, but the end */
    CHECK(regroup_possible(&plan, use));
    EQUAL(use[0], 1);
    plan.from_ns = 1 * S;
    CHECK(regroup_possible(&plan, use));
    EQUAL(use[0], 2);
    EQUAL(use[2], 2);
    plan.asked = 0;
    CHECK(regroup_possible(&plan, use));
}

static void the_span_ends_with_the_trace(void)
{
    struct regroup_plan plan = {KEPT(1 * S), ASKED(0), .from_ns = 2 * S, .to_ns = 7 * S, .end_ns = 5500 * MS};
    struct regroup *r = regroup_new(&plan, BY_DOMAIN, &(struct meter_sink){0});
    uint64_t from_ns, to_ns;
    regroup_span(r, &from_ns, &to_ns);
    EQUAL(from_ns, 2 * S);
    EQUAL(to_ns, 5500 * MS);
    regroup_free(r);
}

/* ---- what no meter tells ---- */

/* One row, of domain 1, that ran for `ran_ns`. */
static int give(struct regroup *r, uint64_t granularity_ns, uint64_t start_ns, uint64_t end_ns, bool late)
{
    struct measures m;
    measures_init(&m);
    m.state_ns[RUNSTATE_RUNNING] = (int64_t)(end_ns - start_ns);
    struct row row = {.domain = 1, .life = 1, .vcpu = -1, .pcpu = -1, .vcpus = 1, .measures = &m};
    struct meter_sink sink = regroup_sink(r);
    return sink.interval(sink.context, &(struct interval){granularity_ns, start_ns, end_ns, late}, &row, 1);
}

static struct regroup *regroup_to(struct record_of *told, struct regroup_plan plan)
{
    struct meter_sink sink = sink_of(told);
    return regroup_new(&plan, BY_DOMAIN, &sink);
}

static void intervals_out_of_order_are_damage(void)
{
    const struct {
        uint64_t start_ns, end_ns;
        bool late;
    } wrong[] = {
        {2 * S, 3 * S, false},                /* a gap */
        {0, 1 * S, false},                    /* again */
        {1 * S, 1500 * MS, false},            /* too short */
        {1 * S, 3 * S, false},                /* too long */
        {1500 * MS, 2500 * MS, false},        /* between boundaries */
        {2 * S, 1 * S, false},                /* backwards */
        {1 * S, 1 * S, false},                /* empty */
        {UINT64_MAX - 1, UINT64_MAX, false},
        {1 * S, 2 * S, true},                 /* late, but not there yet */
        {0, 500 * MS, true},
        {UINT64_MAX - S + 1, 0, true},
    };
    const uint64_t asked_ns[] = {1 * S, 2 * S, 0};
    for (size_t a = 0; a < 3; a++)
        for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
            struct record_of told = {0};
            struct regroup *r =
                regroup_to(&told, (struct regroup_plan){KEPT(1 * S), ASKED(asked_ns[a]), .end_ns = 10 * S});
            EQUAL(give(r, 1 * S, 0, 1 * S, false), 0);
            EQUAL(give(r, 1 * S, wrong[i].start_ns, wrong[i].end_ns, wrong[i].late), -1);
            CHECK(regroup_damaged(r));
            size_t n = told.n;
            EQUAL(give(r, 1 * S, 1 * S, 2 * S, false), -1);
            EQUAL(regroup_finish(r), -1);
            EQUAL(told.n, n);
            regroup_free(r);
            forget(&told);
        }
}

static void a_missing_interval_at_the_end_is_damage(void)
{
    const uint64_t asked_ns[] = {1 * S, 2 * S, 0};
    for (size_t a = 0; a < 3; a++) {
        struct record_of told = {0};
        struct regroup *r =
            regroup_to(&told, (struct regroup_plan){KEPT(1 * S), ASKED(asked_ns[a]), .end_ns = 3500 * MS});
        for (uint64_t i = 0; i < 2; i++)
            EQUAL(give(r, 1 * S, i * S, (i + 1) * S, false), 0);
        EQUAL(regroup_finish(r), -1);
        CHECK(regroup_damaged(r));
        regroup_free(r);
        forget(&told);
    }
}

/* A meter that is told to stop drops the last piece, and longer intervals with it. */
static void of_a_stopped_trace_only_what_is_accounted_comes_out(void)
{
    struct record_of told = {0};
    struct regroup *r =
        regroup_to(&told, (struct regroup_plan){KEPT(1 * S), ASKED(0, 2 * S), .end_ns = 3500 * MS});
    for (uint64_t i = 0; i < 3; i++)
        EQUAL(give(r, 1 * S, i * S, (i + 1) * S, false), 0);
    EQUAL(regroup_finish(r), 0);
    EQUAL(told.n, 2);
    if (told.n == 2) {
        CHECK(same_interval(&told.items[0].interval, &(struct interval){2 * S, 0, 2 * S, false}));
        CHECK(same_interval(&told.items[1].interval, &(struct interval){0, 0, 3 * S, false}));
        EQUAL(told.items[1].measures[0].state_ns[RUNSTATE_RUNNING], 3 * S);
    }
    regroup_free(r);
    forget(&told);
}

/* However long the time, what comes out is no more than what came in. */
static void a_short_interval_of_a_long_trace_is_not_filled_up(void)
{
    struct record_of told = {0};
    struct regroup *r = regroup_to(
        &told, (struct regroup_plan){KEPT(1000), ASKED(1000, 1u << 31), .end_ns = UINT64_MAX - 1});
    EQUAL(r != NULL, false); /* 2^31 is no multiple of 1000 */
    r = regroup_to(&told,
                   (struct regroup_plan){KEPT(1000), ASKED(2000, 1 * S), .from_ns = 1ull << 63 & ~0x3ffull,
                                         .end_ns = UINT64_MAX - 1});
    CHECK(r == NULL); /* not at a boundary */
    r = regroup_to(&told, (struct regroup_plan){KEPT(1000), ASKED(2000, 1 * S),
                                                .from_ns = UINT64_MAX / 1000 * 1000 - 4000,
                                                .end_ns = UINT64_MAX - 1});
    CHECK(r != NULL);
    uint64_t at = UINT64_MAX / 1000 * 1000 - 4000;
    for (uint64_t i = 0; i < 4; i++)
        EQUAL(give(r, 1000, at + i * 1000, at + (i + 1) * 1000, false), 0);
    EQUAL(give(r, 1000, at + 4000, UINT64_MAX - 1, false), 0);
    EQUAL(regroup_finish(r), 0);
    EQUAL(told.n, 4);
    regroup_free(r);
    forget(&told);
}

CU_TestInfo regroup_tests[] = {
    TEST(what_was_kept_comes_out_as_it_was),
    TEST(longer_intervals_are_put_together),
    TEST(several_come_out_in_the_order_asked),
    TEST(a_part_between_boundaries_is_cut_out),
    TEST(executions_of_a_part_begin_with_it),
    TEST(without_charges_none_come_out),
    TEST(late_rows_are_put_together_and_told_in_order),
    TEST(late_rows_of_an_open_interval_are_part_of_it),
    TEST(late_rows_of_a_part_lie_in_it),
    TEST(a_domain_whose_vcpu_spoke_late_is_not_exact_as_a_whole),
    TEST(random_hosts_come_out_the_same),
    TEST(what_does_not_fit_is_not_possible),
    TEST(the_longest_that_fits_is_of_use),
    TEST(the_span_ends_with_the_trace),
    TEST(intervals_out_of_order_are_damage),
    TEST(a_missing_interval_at_the_end_is_damage),
    TEST(of_a_stopped_trace_only_what_is_accounted_comes_out),
    TEST(a_short_interval_of_a_long_trace_is_not_filled_up),
    CU_TEST_INFO_NULL,
};
