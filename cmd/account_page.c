/* One VM in one period, on a page that a person reads: what it cost, why, and how sure that is. */
#include <inttypes.h>
#include <string.h>

#include "account.h"
#include "account/columns.h"
#include "formats/safe_text.h"
#include "formats/time_text.h"
#include "metrics/human.h"

#define NAME_WIDTH  14
#define NUMBER_SIZE 40
#define LINE_FULL   56 /* characters, after which the next thing may not fit in 80 */

/* "12,345.678 s" */
static const char *seconds(char to[NUMBER_SIZE], uint64_t ns)
{
    char whole[HUMAN_BYTES];
    uint64_t ms = ns / 1000000 + (ns % 1000000 >= 500000);
    snprintf(to, NUMBER_SIZE, "%s.%03u s", human_count(whole, ms / 1000), (unsigned)(ms % 1000));
    return to;
}

/* "12.3 % of WHAT"; "0 %" where there is nothing of it. */
static void put_share(struct buffer *b, uint64_t part, uint64_t of, const char *what)
{
    char percent[HUMAN_BYTES];
    buffer_printf(b, "%s of %s\n", part && of ? human_percent(percent, (double)part, (double)of) : "0 %",
                  what);
}

static void put_time(struct buffer *b, const char *name, uint64_t ns, const char *what)
{
    char number[NUMBER_SIZE];
    buffer_printf(b, "%-*s %17s  %s", NAME_WIDTH, name, seconds(number, ns), what);
}

static void put_who(struct buffer *b, const struct account_line *l, const char *zone)
{
    char text[FACT_NAME], begin[TIME_TEXT], end[TIME_TEXT];
    time_text(begin, l->row.period.begin_utc_ns, false);
    time_text(end, l->row.period.end_utc_ns, false);
    buffer_printf(b, "VM %.36s, %s (%.19s)\n", safe_text(text, sizeof text, l->shown), l->period_text, zone);
    if (*l->uuid && strcmp(l->uuid, l->shown) != 0)
        buffer_printf(b, "%-*s %s\n", NAME_WIDTH, "UUID", safe_text(text, sizeof text, l->uuid));
    buffer_printf(b, "%-*s %s\n", NAME_WIDTH, "host", *l->host ? l->host : "several");
    buffer_printf(b, "%-*s %.19sZ until before %.19sZ\n", NAME_WIDTH, "period", begin, end);
}

/* ---- what it cost ---- */

static void put_change(struct buffer *b, const struct account_row *r)
{
    char percent[HUMAN_BYTES];
    uint64_t compared = account_compared_ns(r);
    bool less = r->total_ns < compared;
    uint64_t by = less ? compared - r->total_ns : r->total_ns - compared;
    if (compared == NS_UNKNOWN)
        return;
    put_time(b, "  change", by, less ? "less" : "more");
    if (by && compared)
        buffer_printf(b, " (%s)", human_percent(percent, (double)by, (double)compared));
    buffer_text(b, " than the period before\n");
}

static void put_cost(struct buffer *b, const struct account_line *l, const struct bill_line *bill)
{
    const struct account_row *r = &l->row;
    buffer_text(b, "\nWhat it cost\n");
    if (bill && bill->amount)
        buffer_printf(
            b, "%-*s %17s    %s\n%-*s (hosts rounded half away from zero, rows by largest remainder)\n",
            NAME_WIDTH, "  amount", bill->amount, bill->currency, NAME_WIDTH, "");
    put_time(b, "  CPU time", r->total_ns, "");
    if (l->host_capacity_ns)
        put_share(b, r->total_ns, l->host_capacity_ns, "what the host's pCPUs had");
    else
        buffer_text(b, "in all\n");
    put_change(b, r);
    if (l->extrapolated) {
        const struct row_view view = {.row = l};
        struct value v = account_extrapolated_total(&view);
        if (v.type == VALUE_INTEGER)
            put_time(b, "  scaled", (uint64_t)v.integer, "CPU time of the whole period: not measured\n");
    }
}

/* ---- why ---- */

static void put_capacity(struct buffer *b, const struct bill_line *l)
{
    char basis[NUMBER_SIZE], overhead[NUMBER_SIZE], idle[NUMBER_SIZE];
    put_time(b, "  pays for", l->capacity_ns, "of what the host's pCPUs had:\n");
    buffer_printf(b, "%-*s basis %s + overhead %s + idle %s\n", NAME_WIDTH, "", seconds(basis, l->base_ns),
                  seconds(overhead, l->overhead_ns), seconds(idle, l->idle_ns));
}

static void put_waits(struct buffer *b, const struct account_line *l)
{
    char p99[HUMAN_BYTES], most[HUMAN_BYTES], at[TIME_TEXT];
    const struct account_row *r = &l->row;
    put_time(b, "  waited", r->runnable_ns, "for a pCPU, ");
    put_share(b, r->runnable_ns, r->vcpu_ns, "its vCPU time");
    if (l->waits == 0)
        return;
    time_text(at, r->wait_max_at_utc_ns, false);
    buffer_printf(b, "%-*s 99 %% at most %s, longest %s at %.19sZ\n", NAME_WIDTH, "",
                  human_duration(p99, l->wait_p99_ns), human_duration(most, l->wait_max_ns), at);
}

static void put_io(struct buffer *b, const struct account_row *r)
{
    char count[HUMAN_BYTES];
    size_t line = b->n;
    buffer_printf(b, "%-*s", NAME_WIDTH, "  I/O");
    for (int i = 0; i < IO_KINDS; i++) {
        if (!r->io[i] && i != IO_NOTIFY)
            continue;
        if (b->n - line > LINE_FULL) {
            line = b->n;
            buffer_printf(b, "\n%-*s", NAME_WIDTH, "");
        }
        buffer_printf(b, " %s %s", io_kind_names[i], human_count(count, r->io[i]));
    }
    buffer_text(b, "\n");
}

static void put_reasons(struct buffer *b, const struct account_line *l, const struct bill_line *bill)
{
    const struct account_row *r = &l->row;
    char vcpus[NUMBER_SIZE], percent[HUMAN_BYTES];
    snprintf(vcpus, sizeof vcpus, "its %" PRIu32 " vCPU%s", r->vcpus, r->vcpus == 1 ? "" : "s");
    buffer_text(b, "\nWhy\n");
    put_time(b, "  ran", r->used_ns, "itself, ");
    put_share(b, r->used_ns, r->vcpu_ns, vcpus);
    put_time(b, "  charged", r->charged_ns, "by driver domains");
    if (r->inferred_ns)
        buffer_printf(b, ", %s inferred",
                      human_percent(percent, (double)r->inferred_ns, (double)r->charged_ns));
    buffer_text(b, "\n");
    if (r->driver_domain) {
        put_time(b, "  own", r->own_ns, "what it ran as a driver domain for itself\n");
        put_time(b, "  unattributed", r->unattributed_ns, "and for nobody knows whom\n");
        put_time(b, "  served", r->served_ns, "for guests, who are charged for it\n");
    }
    if (bill)
        put_capacity(b, bill);
    if (r->peak_1s_ns != NS_UNKNOWN)
        put_time(b, "  peak, 1 s", r->peak_1s_ns, "in the busiest second\n");
    if (r->peak_5min_ns != NS_UNKNOWN)
        put_time(b, "  peak, 5 min", r->peak_5min_ns, "in the busiest five minutes\n");
    put_waits(b, l);
    put_io(b, r);
}

/* ---- how sure that is ---- */

static void put_trust(struct buffer *b, const struct account_line *l)
{
    const struct account_row *r = &l->row;
    char number[NUMBER_SIZE], why[ACCOUNT_WHY];
    buffer_text(b, "\nHow sure that is\n");
    buffer_printf(b, "%-*s %.2f %% of the period", NAME_WIDTH, "  recorded",
                  account_covered_pct(&r->period, r->not_recorded_ns));
    if (r->not_recorded_ns)
        buffer_printf(b, "; %s of it is missing", seconds(number, r->not_recorded_ns));
    buffer_text(b, "\n");
    put_time(b, "  unknown", r->unknown_ns,
             r->unknown_ns ? "of its vCPU time: records are missing\n" : "of its vCPU time\n");
    if (r->doubtful_ns)
        put_time(b, "  doubtful", r->doubtful_ns, "of its vCPU time, for the same reason\n");
    buffer_printf(b, "%-*s %s", NAME_WIDTH, "  verdict", account_verdict_words[r->verdict]);
    if (*l->why)
        buffer_printf(b, ": %.54s", safe_text(why, sizeof why, l->why));
    buffer_text(b, "\n");
}

void account_page_put(struct buffer *b, const struct account_line *line, const struct bill_line *bill,
                      const char *zone)
{
    put_who(b, line, zone);
    put_cost(b, line, bill);
    put_reasons(b, line, bill);
    put_trust(b, line);
}
