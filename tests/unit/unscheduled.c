/* pCPUs that wrote no context switch: idle, busy with somebody, or kept for a vCPU. */
#include "run_program.h"
#include "suites.h"

#define IDLE_ENTRY    0x00801002
#define IDLE_EXIT     0x00801003
#define NULL_SCHEDULE 0x00022a05
#define HYPERCALL     32 /* event_channel_op: any will do */

static void power_state(struct trace_bytes *c, uint64_t t)
{
    record(c, t, IDLE_ENTRY, 4, (uint32_t[]){2, 100, 5000, 4000});
    record(c, t + 1 * MS, IDLE_EXIT, 6, (uint32_t[]){2, 200, 0, 0, 0, 0});
}

/* The null scheduler looks who has pCPU `c->pcpu`; dom -1: nobody. */
static void null_schedule(struct trace_bytes *c, uint64_t t, int dom, int vcpu)
{
    uint32_t unit = (uint32_t)(dom & 0xffff) << 16 | (uint32_t)(vcpu & 0xffff);
    record(c, t, NULL_SCHEDULE, 2, (uint32_t[]){c->pcpu << 16, unit});
}

/* 400 ms of a host in which domain 1 runs on pCPU 0; then pCPU 1 is written to. */
static void host(struct trace_bytes *c)
{
    trace_bytes_init(c);
    on(c, 0);
    mark(c, 0);
    starts(c, 100 * MS, 1, 0);
    stops(c, 200 * MS, 1, 0, BLOCKED);
    mark(c, 400 * MS);
    on(c, 1);
}

static void pcpu_1_is(struct trace_bytes *c, uint64_t idle_ns, uint64_t unknown_ns)
{
    struct result r = run(c, (struct setup){.by = BY_PCPU});
    const struct measures *m = ROW(&r, .pcpu = 1);
    EQUAL(m->idle_ns, idle_ns);
    EQUAL(m->pcpu_unknown_ns, unknown_ns);
    EQUAL(r.quality.pcpu_unknown_ns, unknown_ns);
    EQUAL(r.quality.inconsistent, 0);
    result_free(&r);
    trace_bytes_free(c);
}

static void a_pcpu_that_wrote_power_states_only_is_idle_throughout(void)
{
    struct trace_bytes c;
    host(&c);
    power_state(&c, 20 * MS);
    power_state(&c, 300 * MS);
    pcpu_1_is(&c, 400 * MS, 0);
}

static void so_is_one_of_xen_4_0(void)
{
    struct trace_bytes c;
    host(&c);
    record(&c, 20 * MS, 0x00802001, 4, (uint32_t[]){2, 100, 5000, 4000});
    record(&c, 21 * MS, 0x00802002, 6, (uint32_t[]){2, 200, 0, 0, 0, 0});
    pcpu_1_is(&c, 400 * MS, 0);
}

static void after_power_states_it_is_idle_until_a_switch(void)
{
    struct trace_bytes c;
    host(&c);
    power_state(&c, 20 * MS);
    starts(&c, 150 * MS, 2, 0);
    stops(&c, 250 * MS, 2, 0, BLOCKED);
    power_state(&c, 300 * MS);
    pcpu_1_is(&c, 300 * MS, 0);
}

static void a_guests_records_are_somebodys_not_the_idle_vcpus(void)
{
    struct trace_bytes c;
    host(&c);
    rec_hypercall(&c, 20 * MS, HYPERCALL);
    rec_hypercall(&c, 300 * MS, HYPERCALL);
    pcpu_1_is(&c, 0, 400 * MS);
    host(&c);
    rec_hypercall(&c, 20 * MS, HYPERCALL);
    power_state(&c, 100 * MS); /* a switch between them would have been recorded: nothing is certain */
    pcpu_1_is(&c, 0, 400 * MS);
}

static void a_guest_after_power_states_takes_back_that_it_is_idle(void)
{
    struct trace_bytes c;
    host(&c);
    power_state(&c, 99 * MS);
    rec_hypercall(&c, 250 * MS, HYPERCALL);
    rec_hypercall(&c, 300 * MS, HYPERCALL);
    power_state(&c, 350 * MS);
    pcpu_1_is(&c, 100 * MS, 300 * MS);
}

static void null_schedule_names_a_vcpu_of_which_nothing_else_is_known(void)
{
    struct trace_bytes c;
    host(&c);
    null_schedule(&c, 5 * MS, 7, 3);
    struct result r = run(&c, (struct setup){.by = BY_VCPU});
    STATES(ROW(&r, .domain = 7, .vcpu = 3), 0, 0, 0, 0, 400 * MS);
    EQUAL(r.quality.unknown_ns, 400 * MS);
    EQUAL(r.quality.vcpu_ns, 2 * 400 * MS);
    result_free(&r);
    pcpu_1_is(&c, 0, 400 * MS);
}

static void null_schedule_for_nobody_is_idle(void)
{
    struct trace_bytes c;
    host(&c);
    null_schedule(&c, 5 * MS, -1, -1);
    pcpu_1_is(&c, 400 * MS, 0);
}

static void a_named_vcpu_with_records_is_known_by_them(void)
{
    struct trace_bytes c;
    host(&c);
    null_schedule(&c, 5 * MS, 7, 3);
    sweep(&c);
    null_schedule(&c, 300 * MS, 7, 3);
    stops(&c, 300 * MS, 7, 3, BLOCKED);
    struct result r = run(&c, (struct setup){.by = BY_VCPU});
    STATES(ROW(&r, .domain = 7, .vcpu = 3), 300 * MS, 0, 100 * MS, 0, 0);
    result_free(&r);
    pcpu_1_is(&c, 100 * MS, 0);
}

static void a_named_vcpu_seen_late_is_unknown_in_the_rows_handed_out(void)
{
    struct trace_bytes c;
    host(&c);
    null_schedule(&c, 5 * MS, 7, 3);
    on(&c, 0);
    for (uint64_t t = 410 * MS; t < 490 * MS; t += 2 * MS) { /* so many that reading begins */
        rec_runstate(&c, t - 10 * US, 1, 0, BLOCKED, RUNNABLE);
        starts(&c, t, 1, 0);
        stops(&c, t + 1 * MS, 1, 0, BLOCKED);
    }
    for (uint64_t t = 500 * MS; t <= 10 * S; t += 500 * MS) {
        on(&c, 0);
        rec_continue(&c, t, IDLE, 0);
        sweep(&c);
    }
    on(&c, 1);
    stops(&c, 9900 * MS, 7, 3, BLOCKED);
    struct result r = run(&c, (struct setup){.by = BY_VCPU, .granularities_ns = {1 * S}});
    STATES(ROW(&r, .every = 1 * S, .at = 2 * S, .domain = 7, .vcpu = 3), 0, 0, 0, 0, 1 * S);
    EQUAL(ROW(&r, .every = 1 * S, .at = 9 * S, .domain = 7, .vcpu = 3)->state_ns[RUNSTATE_BLOCKED], 100 * MS);
    EQUAL(r.quality.inconsistent, 0);
    result_free(&r);
    trace_bytes_free(&c);
}

CU_TestInfo unscheduled_tests[] = {
    TEST(a_pcpu_that_wrote_power_states_only_is_idle_throughout),
    TEST(so_is_one_of_xen_4_0),
    TEST(after_power_states_it_is_idle_until_a_switch),
    TEST(a_guests_records_are_somebodys_not_the_idle_vcpus),
    TEST(a_guest_after_power_states_takes_back_that_it_is_idle),
    TEST(null_schedule_names_a_vcpu_of_which_nothing_else_is_known),
    TEST(null_schedule_for_nobody_is_idle),
    TEST(a_named_vcpu_with_records_is_known_by_them),
    TEST(a_named_vcpu_seen_late_is_unknown_in_the_rows_handed_out),
    CU_TEST_INFO_NULL,
};
