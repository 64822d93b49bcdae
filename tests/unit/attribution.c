/* For whom an I/O event was, and which domains are driver domains. Expected values are worked out by hand. */
#include "charge_host.h"
#include "suites.h"

static const struct charge_options by_default = {.wanted = true};

/* ---- for whom an event was ---- */

static void a_wake_right_behind_an_event_channel_operation_is_a_notification(void)
{
    struct trace_bytes c;
    charge_host_begin(&c);
    starts(&c, 10 * MS, 0, 0);
    rec_notify(&c, 11 * MS, 1, 0);
    rec_hypercall(&c, 12 * MS, 23); /* iret */
    rec_wake(&c, 12 * MS, 2, 0);    /* a timer of domain 2 */
    rec_runstate(&c, 12 * MS, 2, 0, BLOCKED, RUNNABLE);
    stops(&c, 16 * MS, 0, 0, BLOCKED);
    mark(&c, 100 * MS);
    struct result r = charge_host_run(&c, (struct charge_options){.per_execution = true});
    const struct charge_idd *d = find_idd(&r, 0, 0, 0);
    EQUAL(find_guest(d, 1)->events[IO_NOTIFY], 1);
    EQUAL(find_guest(d, 1)->inferred[IO_NOTIFY], 0);
    EQUAL(find_guest(d, 1)->charged_ns, 6 * MS);
    EQUAL(find_guest(d, 2)->events[IO_NOTIFY], 0);
    EQUAL(ROW(&r, .domain = 1)->io[IO_NOTIFY], 1);
    EQUAL(ROW(&r, .domain = 2)->io[IO_NOTIFY], 0);
    charge_host_end(&c, &r);
}

static void without_hypercalls_a_wake_is_inferred_to_be_a_notification(void)
{
    struct trace_bytes c;
    charge_host_begin(&c);
    starts(&c, 10 * MS, 0, 0);
    rec_runstate(&c, 12 * MS, 2, 0, BLOCKED, RUNNABLE);
    stops(&c, 16 * MS, 0, 0, BLOCKED);
    mark(&c, 100 * MS);
    struct result r = charge_host_run(&c, by_default);
    const struct charge_guest *g = find_guest(find_idd(&r, 0, 0, 0), 2);
    EQUAL(g->events[IO_NOTIFY], 1);
    EQUAL(g->inferred[IO_NOTIFY], 1);
    EQUAL(g->charged_ns, 6 * MS);
    EQUAL((uint64_t)(g->charged_inferred_ns + 0.5), 6 * MS);
    charge_host_end(&c, &r);
}

static void a_request_counts_for_the_execution_that_it_causes(void)
{
    struct trace_bytes c;
    charge_host_begin(&c);
    starts(&c, 10 * MS, 0, 0);
    stops(&c, 12 * MS, 0, 0, BLOCKED); /* own */
    on(&c, 1);
    rec_runstate(&c, 20 * MS, 1, 0, BLOCKED, RUNNABLE);
    starts(&c, 20 * MS, 1, 0);
    rec_notify(&c, 21 * MS, 0, 0);
    stops(&c, 22 * MS, 1, 0, BLOCKED);
    on(&c, 0);
    starts(&c, 23 * MS, 0, 0);
    stops(&c, 28 * MS, 0, 0, BLOCKED);
    mark(&c, 100 * MS);
    struct result r = charge_host_run(&c, by_default);
    const struct charge_idd *d = find_idd(&r, 0, 0, 0);
    EQUAL(d->own_ns, 2 * MS);
    EQUAL(find_guest(d, 1)->charged_ns, 5 * MS);
    EQUAL(find_guest(d, 1)->inferred[IO_NOTIFY], 0);
    charge_host_end(&c, &r);
}

static void copies_are_for_the_guest_notified_next(void)
{
    struct trace_bytes c;
    charge_host_begin(&c);
    starts(&c, 10 * MS, 0, 0);
    rec_copy(&c, 11 * MS, 60);
    rec_copy(&c, 12 * MS, 4);
    rec_notify(&c, 12 * MS, 2, 0);
    stops(&c, 16 * MS, 0, 0, BLOCKED);
    mark(&c, 100 * MS);
    struct result r = charge_host_run(&c, by_default);
    EQUAL(find_guest(find_idd(&r, 0, 0, 0), 2)->events[IO_COPY], 64);
    EQUAL(find_guest(find_idd(&r, 0, 0, 0), 2)->inferred[IO_COPY], 0);
    charge_host_end(&c, &r);
}

static void copies_are_for_the_guest_mapped_next(void)
{
    struct trace_bytes c;
    charge_host_begin(&c);
    starts(&c, 10 * MS, 0, 0);
    rec_copy(&c, 11 * MS, 3);
    rec_map(&c, 11 * MS, 1);
    rec_notify(&c, 12 * MS, 2, 0);
    stops(&c, 16 * MS, 0, 0, BLOCKED);
    mark(&c, 100 * MS);
    struct result r = charge_host_run(&c, by_default);
    EQUAL(find_guest(find_idd(&r, 0, 0, 0), 1)->events[IO_COPY], 3);
    EQUAL(find_guest(find_idd(&r, 0, 0, 0), 2)->events[IO_COPY], 0);
    charge_host_end(&c, &r);
}

/* Both guests were notified of copies before, 30 and 10; now both are awake and 8 copies come for nobody knows whom. */
static void copies_for_somebody_awake(struct trace_bytes *c)
{
    charge_host_begin(c);
    starts(c, 10 * MS, 0, 0);
    rec_copy(c, 11 * MS, 30);
    rec_notify(c, 11 * MS, 1, 0);
    rec_copy(c, 11 * MS, 10);
    rec_notify(c, 11 * MS, 2, 0);
    rec_copy(c, 12 * MS, 8);
    rec_hypercall(c, 12 * MS, 3); /* on to another task */
    stops(c, 16 * MS, 0, 0, BLOCKED);
    mark(c, 100 * MS);
}

static void copies_for_nobody_known_are_divided_among_the_guests_awake(void)
{
    struct trace_bytes c;
    copies_for_somebody_awake(&c);
    struct result r = charge_host_run(&c, by_default);
    const struct charge_idd *d = find_idd(&r, 0, 0, 0);
    EQUAL(find_guest(d, 1)->events[IO_COPY], 36);
    EQUAL(find_guest(d, 1)->inferred[IO_COPY], 6);
    EQUAL(find_guest(d, 2)->events[IO_COPY], 12);
    EQUAL(find_guest(d, 2)->inferred[IO_COPY], 2);
    charge_host_end(&c, &r);
}

static void io_for_nobody_known_leaves_its_time_unattributed(void)
{
    struct trace_bytes c;
    charge_host_begin(&c);
    starts(&c, 10 * MS, 0, 0);
    rec_copy(&c, 12 * MS, 8); /* nobody had copies before */
    stops(&c, 16 * MS, 0, 0, BLOCKED);
    mark(&c, 100 * MS);
    struct result r = charge_host_run(&c, by_default);
    const struct charge_idd *d = find_idd(&r, 0, 0, 0);
    EQUAL(d->unattributed_ns, 6 * MS);
    EQUAL(d->own_ns, 0);
    EQUAL(d->unassigned[IO_COPY], 8);
    EQUAL(d->io_free_executions, 0);
    charge_host_end(&c, &r);
}

static void io_for_nobody_known_takes_its_share_beside_known_io(void)
{
    struct trace_bytes c;
    charge_host_begin(&c);
    starts(&c, 10 * MS, 0, 0);
    rec_map(&c, 11 * MS, 1);
    rec_map(&c, 11 * MS, 1);
    rec_copy(&c, 12 * MS, 1); /* nobody had copies before */
    stops(&c, 16 * MS, 0, 0, BLOCKED);
    mark(&c, 100 * MS);
    struct result r = charge_host_run(&c, by_default);
    EQUAL(find_guest(find_idd(&r, 0, 0, 0), 1)->charged_ns, 4 * MS);
    EQUAL(find_idd(&r, 0, 0, 0)->unattributed_ns, 2 * MS);
    result_free(&r);
    r = charge_host_run(&c, (struct charge_options){.weights = {[IO_MAP] = 1}}); /* copies weigh nothing */
    EQUAL(find_guest(find_idd(&r, 0, 0, 0), 1)->charged_ns, 6 * MS);
    EQUAL(find_idd(&r, 0, 0, 0)->unattributed_ns, 0);
    charge_host_end(&c, &r);
}

static void lost_records_leave_an_execution_without_io_unattributed(void)
{
    struct trace_bytes c;
    charge_host_begin(&c);
    starts(&c, 10 * MS, 0, 0);
    mark(&c, 12 * MS);
    rec_lost(&c, 14 * MS, 9, 0, 0, 12 * MS);
    stops(&c, 16 * MS, 0, 0, BLOCKED);
    mark(&c, 100 * MS);
    struct result r = charge_host_run(&c, by_default);
    const struct charge_idd *d = find_idd(&r, 0, 0, 0);
    EQUAL(d->running_ns, 4 * MS);
    EQUAL(d->unattributed_ns, 4 * MS);
    EQUAL(d->own_ns, 0);
    EQUAL(d->io_free_executions, 0);
    charge_host_end(&c, &r);
}

/* ---- who in_driver_domain ---- */

static void a_domain_that_maps_anothers_page_is_a_driver_domain(void)
{
    struct trace_bytes c;
    charge_host_begin(&c);
    rec_runstate(&c, 8 * MS, 5, 0, BLOCKED, RUNNABLE);
    starts(&c, 10 * MS, 5, 0);
    rec_map(&c, 11 * MS, 5); /* its own: nothing */
    rec_map(&c, 12 * MS, 1);
    stops(&c, 16 * MS, 5, 0, BLOCKED);
    mark(&c, 100 * MS);
    struct result r = charge_host_run(&c, by_default);
    const struct charge_idd *d = find_idd(&r, 0, 0, 5);
    CHECK(d != NULL);
    EQUAL(find_guest(d, 1)->charged_ns, 4 * MS); /* since it is one */
    EQUAL(find_guest(d, 1)->events[IO_MAP], 1);
    result_free(&r);
    static uint8_t only_zero[65536] = {1};
    r = charge_host_run(&c, (struct charge_options){.idds = only_zero});
    CHECK(find_idd(&r, 0, 0, 5) == NULL);
    charge_host_end(&c, &r);
}

static void a_guest_that_is_a_driver_domain_is_charged_and_charges(void)
{
    static uint8_t idds[65536] = {1, 1};
    struct trace_bytes c;
    charge_host_begin(&c);
    starts(&c, 10 * MS, 0, 0);
    rec_map(&c, 11 * MS, 1);
    stops(&c, 16 * MS, 0, 0, BLOCKED);
    rec_runstate(&c, 20 * MS, 1, 0, BLOCKED, RUNNABLE);
    starts(&c, 20 * MS, 1, 0);
    rec_map(&c, 21 * MS, 2);
    stops(&c, 23 * MS, 1, 0, BLOCKED);
    mark(&c, 100 * MS);
    struct result r = charge_host_run(&c, (struct charge_options){.idds = idds});
    EQUAL(find_guest(find_idd(&r, 0, 0, 0), 1)->charged_ns, 6 * MS);
    EQUAL(find_guest(find_idd(&r, 0, 0, 1), 2)->charged_ns, 3 * MS);
    EQUAL(ROW(&r, .domain = 1)->charged_ns, 6 * MS);
    EQUAL(ROW(&r, .domain = 1)->state_ns[RUNSTATE_RUNNING], 3 * MS);
    charge_host_end(&c, &r);
}

CU_TestInfo attribution_tests[] = {
    TEST(a_wake_right_behind_an_event_channel_operation_is_a_notification),
    TEST(without_hypercalls_a_wake_is_inferred_to_be_a_notification),
    TEST(a_request_counts_for_the_execution_that_it_causes),
    TEST(copies_are_for_the_guest_notified_next),
    TEST(copies_are_for_the_guest_mapped_next),
    TEST(copies_for_nobody_known_are_divided_among_the_guests_awake),
    TEST(io_for_nobody_known_leaves_its_time_unattributed),
    TEST(io_for_nobody_known_takes_its_share_beside_known_io),
    TEST(lost_records_leave_an_execution_without_io_unattributed),
    TEST(a_domain_that_maps_anothers_page_is_a_driver_domain),
    TEST(a_guest_that_is_a_driver_domain_is_charged_and_charges),
    CU_TEST_INFO_NULL,
};
