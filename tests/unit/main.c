/* All unit tests, or those of the suite that is named; the exit status says whether they passed. */
#include <CUnit/Basic.h>
#include <stdlib.h>

#include "suites.h"

#define SUITE(name)                                                                                          \
    {                                                                                                        \
#name, NULL, NULL, NULL, NULL, name##_tests                                                          \
    }

static CU_SuiteInfo suites[] = {
    SUITE(states),
    SUITE(executions),
    SUITE(intervals),
    SUITE(lives),
    SUITE(domain_runstates),
    SUITE(pcpus),
    SUITE(lost),
    SUITE(losses),
    SUITE(cuts),
    SUITE(holes),
    SUITE(unscheduled),
    SUITE(unseen),
    SUITE(transitions),
    SUITE(weight_fit),
    SUITE(skew),
    SUITE(switches),
    SUITE(old_layouts),
    SUITE(old_numbers),
    SUITE(own_events),
    SUITE(order),
    SUITE(places),
    SUITE(random_places),
    SUITE(reference),
    SUITE(random_streams),
    SUITE(clock),
    SUITE(clock_hosts),
    SUITE(drift),
    SUITE(framing),
    SUITE(time_stamps),
    SUITE(histogram),
    SUITE(event_table),
    SUITE(invariants),
    SUITE(several_bys),
    SUITE(delays),
    SUITE(noise),
    SUITE(differences),
    SUITE(pipelines),
    SUITE(charge),
    SUITE(thread_times),
    SUITE(charge_formats),
    SUITE(charge_measured),
    SUITE(charge_tasks),
    SUITE(own_load),
    SUITE(attribution),
    SUITE(debt),
    SUITE(debt_policy),
    SUITE(governor),
    SUITE(metric_book),
    SUITE(xl),
    SUITE(commands),
    SUITE(domain_info),
    SUITE(domain_watch),
    SUITE(wall_clock),
    SUITE(tracer),
    SUITE(xen_trace),
    SUITE(notify),
    SUITE(guard_rule),
    SUITE(guard),
    SUITE(counters),
    SUITE(xenmon),
    SUITE(frames),
    SUITE(frame_damage),
    SUITE(tar),
    SUITE(results),
    SUITE(results_damage),
    SUITE(summary),
    SUITE(rollup),
    SUITE(rollup_plans),
    SUITE(snapshots),
    SUITE(snapshots_pasts),
    SUITE(joins),
    SUITE(manifest),
    SUITE(contents),
    SUITE(host_facts),
    SUITE(time_texts),
    SUITE(decoded),
    SUITE(raw),
    SUITE(relations),
    SUITE(tables),
    SUITE(interest),
    SUITE(ring),
    SUITE(ahead),
    SUITE(cores),
    SUITE(store),
    SUITE(periods),
    SUITE(disk),
    SUITE(salvage),
    SUITE(screen),
    SUITE(screen_keys),
    SUITE(counter_log),
    SUITE(flight),
    SUITE(step),
    SUITE(instants),
    SUITE(sim_host),
    SUITE(sim_schedulers),
    SUITE(sim_credit),
    SUITE(sim_sedf),
    SUITE(sim_counts),
    SUITE(sim_holds),
    SUITE(sim_layouts),
    SUITE(decimal),
    SUITE(sharing),
    SUITE(rates),
    SUITE(bill),
    SUITE(closed),
    CU_SUITE_INFO_NULL,
};

int main(int argc, char **argv)
{
    if (CU_initialize_registry() != CUE_SUCCESS || CU_register_suites(suites) != CUE_SUCCESS)
        return EXIT_FAILURE;
    CU_basic_set_mode(CU_BRM_NORMAL);
    CU_pSuite one = argc > 1 ? CU_get_suite(argv[1]) : NULL;
    if (argc > 1 && !one)
        return EXIT_FAILURE;
    if (one)
        CU_basic_run_suite(one);
    else
        CU_basic_run_tests();
    unsigned failures = CU_get_number_of_failures();
    CU_cleanup_registry();
    return failures ? EXIT_FAILURE : EXIT_SUCCESS;
}
