/* The suites, one a file. */
#ifndef XENMETER_TESTS_UNIT_SUITES_H
#define XENMETER_TESTS_UNIT_SUITES_H

#include <CUnit/CUnit.h>

extern CU_TestInfo charge_tests[], charge_formats_tests[], charge_measured_tests[], charge_tasks_tests[],
    attribution_tests[], clock_tests[], clock_hosts_tests[], drift_tests[], counters_tests[],
    domain_runstates_tests[], event_table_tests[], executions_tests[], framing_tests[], histogram_tests[],
    intervals_tests[], invariants_tests[], lives_tests[], lost_tests[], losses_tests[], cuts_tests[],
    old_layouts_tests[], order_tests[], pcpus_tests[], skew_tests[], states_tests[], switches_tests[],
    time_stamps_tests[], xenmon_tests[], frames_tests[], frame_damage_tests[], tar_tests[], results_tests[],
    results_damage_tests[], summary_tests[], rollup_tests[], rollup_plans_tests[], snapshots_tests[],
    snapshots_pasts_tests[], joins_tests[], manifest_tests[], contents_tests[], host_facts_tests[],
    time_texts_tests[], several_bys_tests[], delays_tests[], pipelines_tests[], decoded_tests[], raw_tests[],
    relations_tests[], interest_tests[], old_numbers_tests[], instants_tests[], own_events_tests[],
    holes_tests[], unscheduled_tests[], unseen_tests[], cores_tests[], step_tests[], places_tests[],
    thread_times_tests[], transitions_tests[], own_load_tests[], weight_fit_tests[], random_places_tests[],
    random_streams_tests[], debt_tests[], debt_policy_tests[], governor_tests[], xl_tests[], commands_tests[],
    sim_host_tests[], sim_schedulers_tests[], sim_credit_tests[], sim_sedf_tests[], sim_counts_tests[],
    sim_holds_tests[], sim_layouts_tests[], guard_rule_tests[], guard_tests[], noise_tests[],
    differences_tests[], tables_tests[], ring_tests[], ahead_tests[], reference_tests[], domain_info_tests[],
    domain_watch_tests[], wall_clock_tests[], tracer_tests[], xen_trace_tests[], notify_tests[],
    store_tests[], disk_tests[], periods_tests[], salvage_tests[], decimal_tests[], sharing_tests[],
    rates_tests[], bill_tests[], closed_tests[], flight_tests[], metric_book_tests[], counter_log_tests[],
    screen_tests[], screen_keys_tests[];

#endif
