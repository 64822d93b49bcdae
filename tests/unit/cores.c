/* Core scheduling: one pCPU writes the records of all its siblings. */
#include "core_recording.h"
#include "run_program.h"
#include "suites.h"

#define SEEDS 12

/* ---- by hand ---- */

/* Two siblings go from one pair of vCPUs to another; d32767: idle. */
static void pair_switches(struct trace_bytes *c, uint64_t t, uint32_t dom, uint32_t next_dom)
{
    uint32_t first = c->pcpu / 2 * 2; /* idle vCPUs have the numbers of their pCPUs */
    for (uint32_t i = 0; i < 2; i++) {
        rec_runstate(c, t + 100 * i, dom, dom == IDLE ? first + i : i, RUNNING, RUNNABLE);
        rec_runstate(c, t + 100 * i, next_dom, next_dom == IDLE ? first + i : i, RUNNABLE, RUNNING);
    }
}

static void whoever_writes_each_vcpu_runs_on_its_own_sibling(void)
{
    struct trace_bytes c;
    trace_bytes_init(&c);
    on(&c, 0);
    mark(&c, 0);
    pair_switches(&c, 10 * MS, IDLE, 1);
    on(&c, 1);
    mark(&c, 0);
    pair_switches(&c, 15 * MS, 1, 2);
    pair_switches(&c, 27 * MS, 2, IDLE);
    mark(&c, 40 * MS);
    struct result r = run(&c, (struct setup){.by = BY_VCPU});
    EQUAL(r.quality.core_pcpus, 2);
    EQUAL(r.quality.core_pcpus_unknown, 0);
    EQUAL(r.quality.inconsistent, 0);
    EQUAL(r.quality.ignored_records, 0);
    STATES(ROW(&r, .domain = 1, .vcpu = 0), 5 * MS, 35 * MS, 0, 0, 0);
    STATES(ROW(&r, .domain = 1, .vcpu = 1), 5 * MS, 35 * MS, 0, 0, 0);
    STATES(ROW(&r, .domain = 2, .vcpu = 1), 12 * MS, 28 * MS, 0, 0, 0);
    EQUAL(ROW(&r, .domain = 2, .vcpu = 1)->migrations, 0);
    result_free(&r);
    r = run(&c, (struct setup){.by = BY_PCPU});
    EQUAL(ROW(&r, .pcpu = 0)->state_ns[RUNSTATE_RUNNING], 17 * MS);
    EQUAL(ROW(&r, .pcpu = 1)->state_ns[RUNSTATE_RUNNING], 17 * MS);
    EQUAL(ROW(&r, .pcpu = 1)->idle_ns, 23 * MS);
    result_free(&r);
    trace_bytes_free(&c);
}

/* A host without core scheduling; one word of it is damaged: the idle vCPU of pCPU 0 becomes that of pCPU 1. */
static void one_damaged_record_is_no_core_scheduling(void)
{
    for (unsigned at = 0; at < 4; at++) {
        struct trace_bytes c;
        trace_bytes_init(&c);
        on(&c, 0);
        mark(&c, 0);
        const uint64_t t = 10 * MS;
        const struct {
            uint32_t dom, vcpu;
            int old, new;
        } changes[] = {{1, 0, RUNNING, BLOCKED},           {IDLE, at == 1, RUNNABLE, RUNNING},
                       {IDLE, at == 2, RUNNING, RUNNABLE}, {2, 0, RUNNABLE, RUNNING},
                       {2, 0, RUNNING, BLOCKED},           {IDLE, at == 3, RUNNABLE, RUNNING}};
        for (unsigned i = 0; i < 6; i++)
            rec_runstate(&c, t + i / 2 * 50 * US, changes[i].dom, changes[i].vcpu, changes[i].old,
                         changes[i].new);
        on(&c, 1);
        mark(&c, 0);
        starts(&c, 10 * MS, 3, 0);
        mark(&c, 40 * MS);
        struct result r = run(&c, (struct setup){.by = BY_PCPU});
        EQUAL(r.quality.core_pcpus, 0);
        EQUAL(r.quality.core_pcpus_unknown, 0);
        EQUAL(r.quality.ignored_records, at > 0);
        EQUAL(ROW(&r, .pcpu = 1)->state_ns[RUNSTATE_RUNNING], 30 * MS);
        result_free(&r);
        trace_bytes_free(&c);
    }
}

/* Lost records of one sibling may hide what all of them did. */
static void lost_records_are_unknown_time_of_all_siblings(void)
{
    struct trace_bytes c;
    trace_bytes_init(&c);
    on(&c, 0);
    mark(&c, 0);
    pair_switches(&c, 10 * MS, IDLE, 1);
    rec_lost(&c, 30 * MS, 4, 1, 0, 20 * MS);
    pair_switches(&c, 35 * MS, 1, IDLE);
    on(&c, 1);
    mark(&c, 0);
    mark(&c, 40 * MS);
    struct result r = run(&c, (struct setup){.by = BY_VCPU});
    EQUAL(r.quality.inconsistent, 0);
    STATES(ROW(&r, .domain = 1, .vcpu = 0), 15 * MS, 15 * MS, 0, 0, 10 * MS);
    STATES(ROW(&r, .domain = 1, .vcpu = 1), 15 * MS, 15 * MS, 0, 0, 10 * MS);
    result_free(&r);
    trace_bytes_free(&c);
}

/* pCPU `at` of a core goes from its idle vCPU to the domain's, or back. */
static void begins_at(struct trace_bytes *c, uint64_t t, uint32_t dom, uint32_t at)
{
    rec_runstate(c, t, IDLE, at, RUNNING, RUNNABLE);
    rec_runstate(c, t, dom, at, RUNNABLE, RUNNING);
}

static void ends_at(struct trace_bytes *c, uint64_t t, uint32_t dom, uint32_t at)
{
    rec_runstate(c, t, dom, at, RUNNING, BLOCKED);
    rec_runstate(c, t, IDLE, at, RUNNABLE, RUNNING);
}

/* The third sibling names the first one's idle vCPU once, and a vCPU that runs since then stops in the second one's ring, once. */
static void a_sibling_that_shows_once_in_each_of_two_ways_is_one(void)
{
    struct trace_bytes c;
    trace_bytes_init(&c);
    on(&c, 0);
    mark(&c, 0);
    on(&c, 1);
    mark(&c, 0);
    for (uint64_t t = 1 * MS; t < 5 * MS; t += 1 * MS) {
        begins_at(&c, t, 1, 0);
        ends_at(&c, t + 500 * US, 1, 0);
    }
    ends_at(&c, 20 * MS, 2, 0);
    on(&c, 2);
    mark(&c, 0);
    begins_at(&c, 10 * MS, 2, 0);
    mark(&c, 40 * MS);
    struct result r = run(&c, (struct setup){.by = BY_VCPU});
    EQUAL(r.quality.core_pcpus, 3);
    EQUAL(r.quality.inconsistent, 0);
    EQUAL(ROW(&r, .domain = 2)->state_ns[RUNSTATE_RUNNING], 10 * MS);
    EQUAL(ROW(&r, .domain = 2)->state_ns[RUNSTATE_BLOCKED], 20 * MS);
    result_free(&r);
    trace_bytes_free(&c);
}

/* ---- what is not recorded ---- */

/* Each of two siblings begins to run somebody, where it still ran somebody else: another ring has what comes between. */
static void switches_that_siblings_lack_once_each_show_an_unread_ring(void)
{
    struct trace_bytes c;
    trace_bytes_init(&c);
    on(&c, 0);
    mark(&c, 0);
    for (uint64_t t = 1 * MS; t < 5 * MS; t += 1 * MS) {
        begins_at(&c, t, 1, 1);
        ends_at(&c, t + 500 * US, 1, 1);
    }
    begins_at(&c, 10 * MS, 2, 0);
    begins_at(&c, 15 * MS, 1, 0);
    ends_at(&c, 16 * MS, 1, 0);
    on(&c, 1);
    mark(&c, 0);
    begins_at(&c, 20 * MS, 2, 1);
    begins_at(&c, 30 * MS, 1, 1);
    ends_at(&c, 31 * MS, 1, 1);
    mark(&c, 40 * MS);
    struct result r = run(&c, (struct setup){.by = BY_VCPU});
    EQUAL(r.quality.core_pcpus, 2);
    EQUAL(r.quality.inconsistent, 0);
    EQUAL(ROW(&r, .domain = 2, .vcpu = 0)->state_ns[RUNSTATE_RUNNING], 0);
    EQUAL(ROW(&r, .domain = 2, .vcpu = 1)->state_ns[RUNSTATE_RUNNING], 0);
    result_free(&r);
    trace_bytes_free(&c);
}

/* xentrace -c: what the sibling wrote is not there, so that both may have run anybody at any time. */
static void a_core_with_an_unread_ring_is_unknown(void)
{
    struct trace_bytes c;
    trace_bytes_init(&c);
    on(&c, 0);
    mark(&c, 0);
    pair_switches(&c, 10 * MS, IDLE, 1);
    /* pCPU 1, which is not read: from d1 to d2 and back. */
    pair_switches(&c, 27 * MS, 1, IDLE);
    rec_runstate(&c, 30 * MS, 1, 0, RUNNABLE, BLOCKED);
    on(&c, 2);
    mark(&c, 0);
    pair_switches(&c, 10 * MS, IDLE, 3);
    on(&c, 3);
    pair_switches(&c, 20 * MS, 3, IDLE);
    mark(&c, 40 * MS);
    struct result r = run(&c, (struct setup){.by = BY_VCPU});
    EQUAL(r.quality.core_pcpus, 2);
    EQUAL(r.quality.unseen_pcpus, 1);
    EQUAL(r.quality.inconsistent, 0);
    STATES(ROW(&r, .domain = 1, .vcpu = 0), 0, 3 * MS, 10 * MS, 0, 27 * MS);
    EQUAL(ROW(&r, .domain = 1, .vcpu = 0)->doubtful_ns, 13 * MS);
    STATES(ROW(&r, .domain = 1, .vcpu = 1), 0, 0, 0, 0, 40 * MS);
    EQUAL(ROW(&r, .domain = 3, .vcpu = 0)->state_ns[RUNSTATE_RUNNING], 10 * MS);
    result_free(&r);
    trace_bytes_free(&c);
}

/* A ring is always left by whom it was last entered: else another ring has what comes between. */
static void a_ring_that_misses_switches_shows_siblings(void)
{
    struct trace_bytes c;
    trace_bytes_init(&c);
    on(&c, 0);
    mark(&c, 0);
    for (uint64_t t = 5 * MS; t < 40 * MS; t += 5 * MS) {
        rec_runstate(&c, t, 2, 0, RUNNING, RUNNABLE);
        rec_runstate(&c, t, 1, 0, RUNNABLE, RUNNING);
    }
    mark(&c, 40 * MS);
    struct result r = run(&c, (struct setup){.by = BY_VCPU});
    EQUAL(r.quality.core_pcpus, 0);
    EQUAL(r.quality.core_pcpus_unknown, 1);
    EQUAL(r.quality.inconsistent, 0);
    EQUAL(r.quality.tsc_jumps, 0); /* switches are missing, but no clock left */
    STATES(ROW(&r, .domain = 1, .vcpu = 0), 0, 0, 0, 0, 40 * MS);
    STATES(ROW(&r, .domain = 2, .vcpu = 0), 0, 0, 0, 0, 40 * MS);
    result_free(&r);
    trace_bytes_free(&c);
}

/* SWITCH says which unit runs, and not which of its vCPUs: the idle unit is named by the first pCPU of the core. */
static void without_runstate_changes_units_are_no_vcpus(void)
{
    struct trace_bytes c;
    trace_bytes_init(&c);
    for (uint32_t i = 0; i < 4; i++) {
        on(&c, i % 2);
        rec_switch(&c, (1 + 10 * i) * MS, IDLE, 0, 1, 0);
        on(&c, 1 - i % 2);
        rec_switch(&c, (6 + 10 * i) * MS, 1, 0, IDLE, 0);
    }
    mark(&c, 40 * MS);
    struct result r = run(&c, (struct setup){.by = BY_VCPU});
    EQUAL(r.quality.core_pcpus, 2);
    EQUAL(r.quality.inconsistent, 0);
    STATES(ROW(&r, .domain = 1, .vcpu = 0), 0, 0, 0, 0, 39 * MS);
    result_free(&r);
    trace_bytes_free(&c);
}

/* ---- who is current, for raw records ---- */

struct heard {
    uint32_t current[2]; /* by pCPU, by EVENT_CURRENT */
    unsigned right, wrong;
};

/* Marks are written where d1v0 and d1v1 run. */
static int hear(void *context, const struct pass *pass, const struct event_batch *batch, struct error *err)
{
    struct heard *h = context;
    (void)pass;
    (void)err;
    for (const struct event *e = batch->events; e < batch->events + batch->n; e++) {
        if (e->slot == EVENT_CURRENT)
            h->current[e->pcpu] = e->w[0];
        if (e->slot != EVENT_IRQ_UNMAPPED_VECTOR || !(e->flags & EVENT_RAW))
            continue;
        bool right = h->current[e->pcpu] == (1u << 16 | e->pcpu);
        h->right += right;
        h->wrong += !right;
    }
    return CONSUMER_GOES_ON;
}

static void raw_records_have_the_vcpu_of_their_own_pcpu(void)
{
    struct trace_bytes c;
    trace_bytes_init(&c);
    on(&c, 0);
    pair_switches(&c, 10 * MS, IDLE, 1);
    mark(&c, 12 * MS);
    on(&c, 1);
    mark(&c, 11 * MS);
    pair_switches(&c, 15 * MS, 1, 2);
    on(&c, 0);
    pair_switches(&c, 20 * MS, 2, 1);
    on(&c, 1);
    mark(&c, 21 * MS);
    static bool records[EVENT_SLOTS];
    records[EVENT_IRQ_UNMAPPED_VECTOR] = true;
    struct heard heard = {{CURRENT_UNKNOWN, CURRENT_UNKNOWN}, 0, 0};
    const struct consumer listener = {.context = &heard, .records = records, .batch = hear};
    struct result r = run(&c, (struct setup){.by = BY_VCPU, .beside = &listener});
    EQUAL(heard.right, 3);
    EQUAL(heard.wrong, 0);
    result_free(&r);
    trace_bytes_free(&c);
}

/* ---- random hosts ---- */

static struct core_host_plan plan_of(uint64_t seed)
{
    unsigned siblings = 2 + (unsigned)(seed % 3), cores = 1 + (unsigned)(seed / 3 % 3);
    return (struct core_host_plan){.seed = seed,
                                   .siblings = siblings,
                                   .cores = cores,
                                   .units = cores + 1 + (unsigned)(seed % 2),
                                   .steps = 1500,
                                   .strided = seed % 5 == 0,
                                   .busy = seed % 4 == 1,
                                   .switches = seed % 2};
}

static void truth_is_found(const struct core_host *h, bool bytewise)
{
    struct core_host copy = *h;
    struct result r = run(&copy.capture, (struct setup){.by = BY_VCPU, .bytewise = bytewise});
    EQUAL(r.status, 0);
    EQUAL(r.quality.core_pcpus, h->plan.siblings);
    EQUAL(r.quality.core_pcpus_unknown, 0);
    EQUAL(r.quality.inconsistent, 0);
    EQUAL(r.quality.ignored_records, 0);
    for (unsigned v = 0; v < h->plan.units * h->plan.siblings; v++) {
        const struct core_vcpu *k = &h->vcpu[v];
        if (k->recorded)
            STATES(ROW(&r, .domain = (int)k->dom, .vcpu = (int)k->vcpu), k->ns[RUNNING], k->ns[RUNNABLE],
                   k->ns[BLOCKED], k->ns[OFFLINE], 0);
    }
    result_free(&r);
    r = run(&copy.capture, (struct setup){.by = BY_PCPU, .bytewise = bytewise});
    for (unsigned p = 0; p < h->plan.cores * h->plan.siblings; p++)
        EQUAL(ROW(&r, .pcpu = (int)p)->state_ns[RUNSTATE_RUNNING], h->ran_ns[p]);
    result_free(&r);
}

static void random_hosts_are_read_right(void)
{
    static struct core_host h;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct core_host_plan plan = plan_of(seed);
        core_host_run(&h, &plan);
        truth_is_found(&h, seed == 1);
        core_host_free(&h);
    }
}

/* No idle vCPU is ever named: siblings show by what one of them begins and another one ends. */
static void hosts_without_idle_time_are_read_right(void)
{
    static struct core_host h;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct core_host_plan plan = plan_of(seed);
        plan.busy = plan.never_idle = true;
        core_host_run(&h, &plan);
        truth_is_found(&h, false);
        core_host_free(&h);
    }
}

/* What is said to have run did run. */
static void losses_on_random_hosts_are_unknown(void)
{
    static struct core_host h;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct core_host_plan plan = plan_of(seed);
        plan.loses = true;
        core_host_run(&h, &plan);
        struct result r = run(&h.capture, (struct setup){.by = BY_VCPU});
        EQUAL(r.quality.core_pcpus, plan.siblings);
        for (unsigned v = 0; v < plan.units * plan.siblings; v++) {
            const struct core_vcpu *k = &h.vcpu[v];
            if (!k->recorded || !HAS_ROW(&r, .domain = (int)k->dom, .vcpu = (int)k->vcpu))
                continue;
            const struct measures *m = ROW(&r, .domain = (int)k->dom, .vcpu = (int)k->vcpu);
            CHECK(m->state_ns[RUNSTATE_RUNNING] <= (int64_t)k->ns[RUNNING]);
        }
        result_free(&r);
        core_host_free(&h);
    }
}

CU_TestInfo cores_tests[] = {
    TEST(whoever_writes_each_vcpu_runs_on_its_own_sibling),
    TEST(one_damaged_record_is_no_core_scheduling),
    TEST(lost_records_are_unknown_time_of_all_siblings),
    TEST(a_sibling_that_shows_once_in_each_of_two_ways_is_one),
    TEST(switches_that_siblings_lack_once_each_show_an_unread_ring),
    TEST(a_core_with_an_unread_ring_is_unknown),
    TEST(a_ring_that_misses_switches_shows_siblings),
    TEST(without_runstate_changes_units_are_no_vcpus),
    TEST(raw_records_have_the_vcpu_of_their_own_pcpu),
    TEST(random_hosts_are_read_right),
    TEST(hosts_without_idle_time_are_read_right),
    TEST(losses_on_random_hosts_are_unknown),
    CU_TEST_INFO_NULL,
};
