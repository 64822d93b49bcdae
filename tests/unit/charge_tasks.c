/* Charges per task: what a PV driver domain runs, cut where its kernel switches tasks. Expected values are worked out by hand. */
#include <stdlib.h>

#include "charge_host.h"
#include "suites.h"

static const struct charge_options by_default = {.wanted = true};

enum { STACK_SWITCH = 3, IRET = 23, SET_TIMER_OP = 15 };

/* Tasks are told apart from 10 ms on, where the next one begins. */
static void begin_tasks(struct trace_bytes *c)
{
    charge_host_begin(c);
    starts(c, 9 * MS, 0, 0);
    rec_hypercall(c, 10 * MS, STACK_SWITCH);
    rec_map(c, 10 * MS, 1); /* what was before is charged per execution: 1 ms without I/O */
}

static void each_task_is_charged_by_its_own_events(void)
{
    struct trace_bytes c;
    begin_tasks(&c);
    rec_hypercall(&c, 12 * MS, STACK_SWITCH);
    rec_map(&c, 14 * MS, 2);
    rec_hypercall(&c, 17 * MS, STACK_SWITCH); /* 5 ms of domain 2, */
    rec_hypercall(&c, 20 * MS, STACK_SWITCH); /* 3 ms without I/O, */
    rec_map(&c, 21 * MS, 1);
    stops(&c, 24 * MS, 0, 0,
          BLOCKED); /* and 4 ms before the vCPU sleeps: the idle loop's, with domain 1's I/O in it */
    mark(&c, 100 * MS);
    struct result r = charge_host_run(&c, by_default);
    const struct charge_idd *d = find_idd(&r, 0, 0, 0);
    EQUAL(find_guest(d, 2)->charged_ns, 5 * MS);
    EQUAL(d->own_ns, (1 + 3) * MS);
    EQUAL(d->charged_ns + d->own_ns + d->unattributed_ns, d->running_ns);
    EQUAL(d->running_ns, 15 * MS);
    CHECK(d->separated_ns >= 12 * MS);
    EQUAL(r.charges.idds_unseparated, 0);
    EQUAL(r.charges.unmarked_ns, 0); /* it serves no disks that leave no records */
    charge_host_end(&c, &r);
}

static void a_run_of_pages_ends_where_the_task_does(void)
{
    struct trace_bytes c;
    begin_tasks(&c);
    rec_hypercall(&c, 12 * MS, STACK_SWITCH);
    rec_map(&c, 14 * MS, 1);
    rec_map(&c, 15 * MS, 1);
    rec_hypercall(&c, 17 * MS, STACK_SWITCH);
    rec_map(&c, 18 * MS, 1);
    rec_hypercall(&c, 20 * MS, STACK_SWITCH);
    stops(&c, 24 * MS, 0, 0, BLOCKED); /* 4 ms without I/O */
    mark(&c, 100 * MS);
    struct result r = charge_host_run(&c, by_default);
    const struct charge_idd *d = find_idd(&r, 0, 0, 0);
    EQUAL(find_guest(d, 1)->events[IO_MAP], 4);
    EQUAL(find_guest(d, 1)->charged_ns, (2 + 5 + 3) * MS);
    EQUAL(d->own_ns, (1 + 4) * MS);
    charge_host_end(&c, &r);
}

static void a_thread_without_a_record_may_serve_a_disk_that_leaves_none(void)
{
    struct trace_bytes c;
    begin_tasks(&c);
    rec_hypercall(&c, 12 * MS, STACK_SWITCH);
    rec_unmap_none(&c, 13 * MS);
    rec_notify(&c, 14 * MS, 2, 0);            /* a request of domain 2 is done; its pages stay mapped */
    rec_hypercall(&c, 15 * MS, STACK_SWITCH); /* 3 ms of a thread that leaves no record, */
    rec_hypercall(&c, 16 * MS, SET_TIMER_OP); /* and 1 ms of the timer's interrupt on top of it */
    rec_hypercall(&c, 17 * MS, IRET);
    rec_hypercall(&c, 19 * MS, STACK_SWITCH);
    stops(&c, 20 * MS, 0, 0, BLOCKED); /* 1 ms of the idle loop */
    mark(&c, 100 * MS);
    struct result r = charge_host_run(&c, by_default);
    EQUAL(r.charges.unmarked_ns, 3 * MS);
    EQUAL(find_idd(&r, 0, 0, 0)->own_ns, (1 + 3 + 1 + 1) * MS);
    charge_host_end(&c, &r);
}

static void a_task_is_one_across_preemptions(void)
{
    struct trace_bytes c;
    begin_tasks(&c);
    rec_hypercall(&c, 12 * MS, STACK_SWITCH);
    replaces(&c, 15 * MS, 0, 0, RUNNABLE, 0,
             1); /* 3 ms before its I/O, on another vCPU: that of this one stays its own */
    stops(&c, 16 * MS, 0, 1, BLOCKED);
    starts(&c, 20 * MS, 0, 0);
    rec_map(&c, 21 * MS, 2);
    rec_hypercall(&c, 24 * MS, STACK_SWITCH);
    stops(&c, 25 * MS, 0, 0, BLOCKED);
    mark(&c, 100 * MS);
    struct result r = charge_host_run(&c, by_default);
    EQUAL(find_guest(find_idd(&r, 0, 0, 0), 2)->charged_ns, 7 * MS);
    charge_host_end(&c, &r);
}

static void what_a_program_runs_is_own_but_for_stretches_with_io(void)
{
    struct trace_bytes c;
    begin_tasks(&c);
    rec_hypercall(&c, 12 * MS, STACK_SWITCH);
    rec_hypercall(&c, 13 * MS, IRET);
    rec_hypercall(&c, 14 * MS, IRET); /* it returns though nothing interrupted it: a program */
    rec_hypercall(&c, 15 * MS, IRET);
    rec_map(&c, 16 * MS, 2);
    rec_hypercall(&c, 17 * MS, IRET); /* 2 ms of a system call with domain 2's I/O */
    rec_hypercall(&c, 20 * MS, STACK_SWITCH);
    stops(&c, 21 * MS, 0, 0, BLOCKED);
    mark(&c, 100 * MS);
    struct result r = charge_host_run(&c, by_default);
    const struct charge_idd *d = find_idd(&r, 0, 0, 0);
    EQUAL(find_guest(d, 2)->charged_ns, 2 * MS);
    EQUAL(d->own_ns, (1 + 3 + 3 + 1) * MS);
    charge_host_end(&c, &r);
}

static void the_timers_interrupt_is_own_in_a_guests_task(void)
{
    struct trace_bytes c;
    begin_tasks(&c);
    rec_hypercall(&c, 12 * MS, STACK_SWITCH);
    rec_hypercall(&c, 15 * MS, SET_TIMER_OP);
    rec_hypercall(&c, 16 * MS, IRET);
    rec_map(&c, 17 * MS, 2);
    rec_hypercall(&c, 18 * MS, STACK_SWITCH);
    stops(&c, 19 * MS, 0, 0, BLOCKED);
    mark(&c, 100 * MS);
    struct result r = charge_host_run(&c, by_default);
    EQUAL(find_guest(find_idd(&r, 0, 0, 0), 2)->charged_ns, 5 * MS); /* from 12 to 15, from 16 to 18 */
    EQUAL(find_idd(&r, 0, 0, 0)->own_ns, (1 + 1 + 1) * MS); /* the interrupt, and the idle loop's last ms */
    charge_host_end(&c, &r);
}

static void per_execution_tasks_are_not_told_apart(void)
{
    struct trace_bytes c;
    begin_tasks(&c);
    rec_hypercall(&c, 12 * MS, STACK_SWITCH);
    stops(&c, 24 * MS, 0, 0, BLOCKED);
    mark(&c, 100 * MS);
    struct result r = charge_host_run(&c, (struct charge_options){.per_execution = true});
    const struct charge_idd *d = find_idd(&r, 0, 0, 0);
    EQUAL(find_guest(d, 1)->charged_ns, 15 * MS);
    EQUAL(d->separated_ns, 0);
    EQUAL(r.charges.idds_unseparated, 1);
    charge_host_end(&c, &r);
}

/* Packets of guest 2, one each 100 us. */
static struct counters *packets(void)
{
    static struct counter_reading readings[] = {{.time_ns = 0}, {.time_ns = 1000 * MS, .count = {10000}}};
    static struct counter_device device = {.name = "vif2.0", .domain = 2, .counts = {true}};
    static struct counters counters;
    struct error err;
    counters = (struct counters){.readings = readings, .readings_n = 2, .devices = &device, .devices_n = 1};
    EQUAL(counters_sort(&counters, &err), 0);
    return &counters;
}

static void packets_have_no_say_before_the_first_task_either(void)
{
    struct trace_bytes c;
    struct counters *counters = packets();
    charge_host_begin(&c);
    starts(&c, 7 * MS, 0, 0);
    rec_map(&c, 8 * MS, 1); /* 2 ms of guest 1, by the trace; by packets they would be guest 2's */
    stops(&c, 9 * MS, 0, 0, BLOCKED);
    rec_runstate(&c, 11 * MS, 0, 0, BLOCKED, RUNNABLE);
    starts(&c, 11 * MS, 0, 0); /* 1 ms of its own, until its first task begins */
    rec_hypercall(&c, 12 * MS, STACK_SWITCH);
    rec_map(&c, 12 * MS, 1);
    stops(&c, 13 * MS, 0, 0, BLOCKED);
    mark(&c, 100 * MS);
    struct result r = charge_host_run(&c, (struct charge_options){.counters = counters});
    const struct charge_idd *d = find_idd(&r, 0, 0, 0);
    EQUAL(find_guest(d, 2)->charged_ns, 0);
    EQUAL(find_guest(d, 2)->events[IO_TX], 1000);
    CHECK(find_guest(d, 1)->charged_ns >= 2 * MS);
    EQUAL(find_guest(find_idd(&r, 10 * MS, 0, 0), 1)->charged_ns, 2 * MS);
    EQUAL((uint64_t)find_guest(d, 1)->charged_by_ns[IO_TX], 0);
    EQUAL(d->charged_ns + d->own_ns + d->unattributed_ns, d->running_ns);
    counters_free_index(counters);
    charge_host_end(&c, &r);
}

static void packets_charge_from_the_beginning_where_no_task_is_seen(void)
{
    struct trace_bytes c;
    struct counters *counters = packets();
    charge_host_begin(&c);
    starts(&c, 7 * MS, 0, 0);
    rec_map(&c, 8 * MS, 1);
    stops(&c, 9 * MS, 0, 0, BLOCKED);
    rec_runstate(&c, 250 * MS, 0, 0, BLOCKED, RUNNABLE);
    starts(&c, 250 * MS, 0, 0);
    rec_map(&c, 251 * MS, 1);
    stops(&c, 253 * MS, 0, 0, BLOCKED);
    mark(&c, 400 * MS);
    struct result r = charge_host_run(&c, (struct charge_options){.counters = counters});
    const struct charge_idd *d = find_idd(&r, 0, 0, 0);
    EQUAL(find_guest(d, 2)->charged_ns, 5 * MS);
    EQUAL(find_guest(d, 1)->charged_ns, 0);
    EQUAL(d->unattributed_ns + d->own_ns, 0);
    EQUAL(r.charges.methods, CHARGE_PACKETS);
    counters_free_index(counters);
    charge_host_end(&c, &r);
}

/* ---- idle time is shared out ---- */

static const struct charge_options share_idle = {.charge_idle = true};

/* Domain 0 has slept, and wakes at 30 ms: its idle loop runs until the next switch. What was before is domain 1's 2 ms. */
static void wake_at_30(struct trace_bytes *c)
{
    begin_tasks(c);
    rec_hypercall(c, 12 * MS, STACK_SWITCH);
    stops(c, 12 * MS, 0, 0, BLOCKED);
    rec_runstate(c, 30 * MS, 0, 0, BLOCKED, RUNNABLE);
    starts(c, 30 * MS, 0, 0);
}

static void idle_time_goes_to_those_for_whom_the_vcpu_woke(void)
{
    struct trace_bytes c;
    wake_at_30(&c);
    rec_hypercall(&c, 32 * MS, STACK_SWITCH); /* 2 ms of the idle loop, */
    rec_map(&c, 33 * MS, 2);
    rec_hypercall(&c, 38 * MS, STACK_SWITCH); /* 6 ms of domain 2, */
    rec_hypercall(&c, 40 * MS, STACK_SWITCH); /* 2 ms of a thread without I/O, */
    stops(&c, 42 * MS, 0, 0, BLOCKED);        /* and again 2 ms of the idle loop: 4 ms are shared 6 : 2 */
    mark(&c, 100 * MS);
    struct result r = charge_host_run(&c, share_idle);
    const struct charge_idd *d = find_idd(&r, 0, 0, 0);
    EQUAL(find_guest(d, 2)->charged_ns, 9 * MS);
    EQUAL(find_guest(d, 1)->charged_ns, 2 * MS);
    EQUAL(d->own_ns, (1 + 3) * MS); /* what was before the first switch is charged per execution */
    EQUAL(d->charged_ns + d->own_ns, 15 * MS);
    result_free(&r);
    r = charge_host_run(&c, by_default);
    EQUAL(find_guest(find_idd(&r, 0, 0, 0), 2)->charged_ns, 6 * MS);
    charge_host_end(&c, &r);
}

static void idle_time_without_any_task_stays_own(void)
{
    struct trace_bytes c;
    wake_at_30(&c);
    stops(&c, 33 * MS, 0, 0, BLOCKED);
    mark(&c, 100 * MS);
    struct result r = charge_host_run(&c, share_idle);
    EQUAL(find_idd(&r, 0, 0, 0)->own_ns, (1 + 3) * MS);
    charge_host_end(&c, &r);
}

static void idle_time_is_shared_across_preemptions(void)
{
    struct trace_bytes c;
    wake_at_30(&c);
    rec_hypercall(&c, 33 * MS, STACK_SWITCH); /* 3 ms of the idle loop */
    replaces(&c, 34 * MS, 0, 0, RUNNABLE, 0, 1);
    stops(&c, 36 * MS, 0, 1, BLOCKED);
    starts(&c, 40 * MS, 0, 0);
    rec_map(&c, 41 * MS, 2); /* of the task that had run 1 ms before it was preempted */
    rec_hypercall(&c, 42 * MS, STACK_SWITCH);
    stops(&c, 43 * MS, 0, 0, BLOCKED);
    mark(&c, 100 * MS);
    struct result r = charge_host_run(&c, share_idle);
    EQUAL(find_guest(find_idd(&r, 0, 0, 0), 2)->charged_ns, (3 + 1 + 2 + 1) * MS);
    EQUAL(find_idd(&r, 10 * MS, 30 * MS, 0)->charged_ns, 4 * MS);
    charge_host_end(&c, &r);
}

static void the_timers_interrupt_is_shared_too(void)
{
    struct trace_bytes c;
    wake_at_30(&c);
    rec_map(&c, 31 * MS, 2);
    rec_hypercall(&c, 33 * MS, STACK_SWITCH); /* 3 ms of domain 2, */
    rec_hypercall(&c, 34 * MS, SET_TIMER_OP);
    rec_hypercall(&c, 38 * MS, IRET);
    rec_hypercall(&c, 40 * MS,
                  STACK_SWITCH); /* 3 ms of a thread without I/O, 4 ms of the timer: shared 3 : 3 */
    stops(&c, 40 * MS, 0, 0, BLOCKED);
    mark(&c, 100 * MS);
    struct result r = charge_host_run(&c, share_idle);
    EQUAL(find_guest(find_idd(&r, 0, 0, 0), 2)->charged_ns, (3 + 2) * MS);
    EQUAL(find_idd(&r, 0, 0, 0)->own_ns, (1 + 3 + 2) * MS);
    charge_host_end(&c, &r);
}

static void idle_time_is_shared_within_100_ms(void)
{
    struct trace_bytes c;
    wake_at_30(&c);
    rec_hypercall(&c, 32 * MS, STACK_SWITCH); /* 2 ms of the idle loop */
    rec_map(&c, 33 * MS, 2);
    rec_hypercall(&c, 150 * MS, STACK_SWITCH); /* domain 2's up to 100 ms, then without I/O */
    rec_map(&c, 151 * MS, 1);
    rec_hypercall(&c, 160 * MS, STACK_SWITCH);
    stops(&c, 166 * MS, 0, 0, BLOCKED); /* 6 ms of the idle loop, shared 50 : 10 */
    mark(&c, 200 * MS);
    struct result r = charge_host_run(&c, share_idle);
    EQUAL(find_guest(find_idd(&r, 10 * MS, 30 * MS, 0), 2)->charged_ns, 10 * MS);
    EQUAL(find_idd(&r, 10 * MS, 160 * MS, 0)->own_ns, 5 * MS);
    EQUAL(find_guest(find_idd(&r, 10 * MS, 160 * MS, 0), 1)->charged_ns, 1 * MS);
    charge_host_end(&c, &r);
}

static void idle_time_of_a_kernel_that_tells_no_tasks_is_refused(void)
{
    struct trace_bytes c;
    charge_host_begin(&c);
    starts(&c, 9 * MS, 0, 0);
    rec_map(&c, 10 * MS, 1);
    stops(&c, 12 * MS, 0, 0, BLOCKED);
    mark(&c, 100 * MS);
    struct result r = charge_host_run(&c, share_idle);
    EQUAL(r.status, -1);
    EQUAL(r.err.code, ERROR_USAGE);
    charge_host_end(&c, &r);
}

static void it_is_refused_before_rows_are_there(void)
{
    struct trace_bytes c;
    charge_host_begin(&c);
    starts(&c, 9 * MS, 0, 0);
    rec_map(&c, 10 * MS, 1);
    stops(&c, 150 * MS, 0, 0, BLOCKED);
    mark_seconds(&c, 2, 3 * S);
    struct result r = charge_host_run(&c, share_idle);
    EQUAL(r.status, -1);
    EQUAL(r.intervals, 0);
    charge_host_end(&c, &r);
}

/* A thread copies pages to the domain and notifies it. */
static void passes_on(struct trace_bytes *c, uint64_t t, uint32_t domain, uint32_t pages)
{
    rec_hypercall(c, t, STACK_SWITCH);
    rec_copy(c, t + 100 * US, pages);
    rec_notify(c, t + 200 * US, domain, 0);
}

/* A thread receives two batches of packets that domain 1 sent, the first one at `first`. */
static void receives_two(struct trace_bytes *c, uint64_t from, uint64_t first)
{
    rec_hypercall(c, from, STACK_SWITCH);
    for (uint64_t t = first; t <= first + 1 * MS; t += 1 * MS) {
        rec_copy(c, t, 1);
        rec_map(c, t + 100 * US, 1);
    }
}

/* What domain 2 is charged of two such turns, of 3 and 6 ms: before the batches of the latter, half of it is hidden. */
static uint64_t hidden_for_2(uint32_t pages_of_2)
{
    struct trace_bytes c;
    begin_tasks(&c);
    passes_on(&c, 12 * MS, 2, pages_of_2);
    passes_on(&c, 13 * MS, 1, 10000);
    receives_two(&c, 14 * MS, 15 * MS);
    receives_two(&c, 17 * MS, 20 * MS);
    rec_hypercall(&c, 23 * MS, STACK_SWITCH);
    stops(&c, 24 * MS, 0, 0, BLOCKED);
    mark(&c, 100 * MS);
    struct result r = charge_host_run(&c, by_default);
    uint64_t charged_ns = find_guest(find_idd(&r, 0, 0, 0), 2)->charged_ns;
    charge_host_end(&c, &r);
    return charged_ns - 1 * MS; /* of the thread that copied */
}

static void what_hides_in_a_softirq_goes_to_all_in_proportion_to_what_is_passed_on(void)
{
    uint64_t of_half = hidden_for_2(10000), of_hardly_any = hidden_for_2(1);
    CHECK(of_half >= 1495 * US && of_half <= 1505 * US);
    CHECK(of_hardly_any <= 1 * US);
}

CU_TestInfo charge_tasks_tests[] = {
    TEST(each_task_is_charged_by_its_own_events),
    TEST(a_run_of_pages_ends_where_the_task_does),
    TEST(a_thread_without_a_record_may_serve_a_disk_that_leaves_none),
    TEST(a_task_is_one_across_preemptions),
    TEST(what_a_program_runs_is_own_but_for_stretches_with_io),
    TEST(the_timers_interrupt_is_own_in_a_guests_task),
    TEST(per_execution_tasks_are_not_told_apart),
    TEST(packets_have_no_say_before_the_first_task_either),
    TEST(packets_charge_from_the_beginning_where_no_task_is_seen),
    TEST(idle_time_goes_to_those_for_whom_the_vcpu_woke),
    TEST(idle_time_without_any_task_stays_own),
    TEST(idle_time_is_shared_across_preemptions),
    TEST(the_timers_interrupt_is_shared_too),
    TEST(idle_time_is_shared_within_100_ms),
    TEST(idle_time_of_a_kernel_that_tells_no_tasks_is_refused),
    TEST(it_is_refused_before_rows_are_there),
    TEST(what_hides_in_a_softirq_goes_to_all_in_proportion_to_what_is_passed_on),
    CU_TEST_INFO_NULL,
};
