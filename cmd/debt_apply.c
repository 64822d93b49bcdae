#include "debt_apply.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define PPM        1000000u
#define LOSSY_PART 10 /* an interval of which this part is not known, the tenth, is lossy */

/* A cap has no finer steps than 1 %. */
const struct acting_controller debt_controller = {
    .name = "debt", .command = "xl", .limits = {.step_ppm = 10000, .least_ppm = 10000, .flaps = 12}};

/* part / of, in millionths. */
static uint64_t ppm(uint64_t part_ns, uint64_t of_ns)
{
    return of_ns ? cpu_share_ns((struct cpu_share){part_ns, of_ns}, PPM) : 0;
}

/* Whether too much of the time of the domain, or of the host, is not known. */
static bool is_lossy(const struct debt_row *row, uint64_t length_ns, uint64_t blind_ns, unsigned pcpus)
{
    uint64_t vcpus = row->vcpus ? row->vcpus : 1;
    return row->unknown_ns + row->doubtful_ns > length_ns * vcpus / LOSSY_PART ||
           blind_ns > length_ns * (pcpus ? pcpus : 1) / LOSSY_PART;
}

/* What the decision rests on, for the log. */
static void write_evidence(char text[ACT_EVIDENCE_BYTES], const struct debt_row *row)
{
    snprintf(text, ACT_EVIDENCE_BYTES,
             "{\"charged_ns\":%" PRIu64 ",\"measured_ns\":%" PRIu64 ",\"certain_ns\":%" PRIu64
             ",\"closing_debt_ns\":%" PRIu64 ",\"running_ns\":%" PRIu64 ",\"unknown_ns\":%" PRIu64
             ",\"unattributed_ns\":%" PRIu64 "}\n",
             row->charged_ns, row->measured_ns, row->certain_ns, row->closing_debt_ns, row->running_ns,
             row->unknown_ns, row->unattributed_ns);
}

static struct act_guest guest_of(const struct debt_apply *a, const struct acting *acting,
                                 const struct debt_row *row, uint64_t length_ns)
{
    const char *name = acting_name(acting, row->domain, row->life);
    struct act_guest g = {
        .wish = {.domain = (uint16_t)row->domain,
                 .level_ppm = ppm(row->allowance_ns, a->feedback_ns),
                 .vcpus = row->vcpus},
        .top_ppm = ppm(row->reservation_ns, length_ns),
        .driver_domain = row->driver_domain,
    };
    snprintf(g.wish.name, sizeof g.wish.name, "%s", name ? name : "");
    write_evidence(g.wish.evidence, row);
    return g;
}

int debt_apply_rows(struct debt_apply *a, struct acting *acting, const struct interval *interval,
                    struct debt_action_row *all, size_t n, const struct quality *quality, unsigned pcpus)
{
    uint64_t length_ns = interval->end_ns - interval->start_ns, blind_ns = quality->blind_ns - a->blind_ns;
    size_t settled = 0;
    a->blind_ns = quality->blind_ns;
    for (size_t i = 0; i < n; i++) {
        const struct debt_row *row = &all[i].ledger;
        if (!row->settled)
            continue;
        acting->guests[settled] = guest_of(a, acting, row, length_ns);
        acting->guests[settled++].lossy = is_lossy(row, length_ns, blind_ns, pcpus);
    }
    if (acting_decide(acting, interval->end_ns, acting->guests, settled) != 0)
        return -1;
    const struct act_guest *g = acting->guests;
    for (size_t i = 0; i < n; i++) {
        if (!all[i].ledger.settled)
            continue;
        memcpy(all[i].decision, g->decision, sizeof all[i].decision);
        memcpy(all[i].command, g++->command, sizeof all[i].command);
    }
    return 0;
}
