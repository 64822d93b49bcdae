/* One VM in one period, on a page that a person reads: what it cost, why, and how sure that is. */
#include <inttypes.h>
#include <string.h>

#include "account.h"
#include "account/columns.h"
#include "formats/safe_text.h"
#include "formats/time_text.h"
#include "metrics/human.h"

#define NAME_WIDTH  12
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
    buffer_printf(b, "%-*s %19s  %s", NAME_WIDTH, name, seconds(number, ns), what);
}

static void put_who(struct buffer *b, const struct account_line *l, const char *zone)
{
    char text[FACT_NAME], begin[TIME_TEXT], end[TIME_TEXT];
    time_text(begin, l->row.period.begin_utc_ns, false);
    time_text(end, l->row.period.end_utc_ns, false);
    buffer_printf(b, "VM %.56s, %s\n", safe_text(text, sizeof text, l->shown), l->period_text);
    if (*l->uuid && strcmp(l->uuid, l->shown) != 0)
        buffer_printf(b, "%-*s %s\n", NAME_WIDTH, "UUID", safe_text(text, sizeof text, l->uuid));
    buffer_printf(b, "%-*s from %.19sZ to before %.19sZ\n", NAME_WIDTH, "period", begin, end);
    buffer_printf(b, "%-*s %s\n", NAME_WIDTH, "time zone", zone);
    buffer_printf(b, "%-*s %s\n\n", NAME_WIDTH, "host", *l->host ? l->host : "several");
}

static void put_change(struct buffer *b, const struct account_row *r)
{
    char percent[HUMAN_BYTES];
    uint64_t compared = account_compared_ns(r);
    bool less = r->total_ns < compared;
    uint64_t by = less ? compared - r->total_ns : r->total_ns - compared;
    if (compared == NS_UNKNOWN)
        return;
    put_time(b, "change", by, less ? "less" : "more");
    if (by && compared)
        buffer_printf(b, " (%s)", human_percent(percent, (double)by, (double)compared));
    buffer_text(b, " than in as much of the period before\n");
}

static void put_cost(struct buffer *b, const struct account_line *l)
{
    const struct account_row *r = &l->row;
    put_time(b, "total", r->total_ns, "of CPU time");
    if (l->host_capacity_ns) {
        buffer_text(b, ", ");
        put_share(b, r->total_ns, l->host_capacity_ns, "the host's");
    } else {
        buffer_text(b, "\n");
    }
    put_time(b, "  ran", r->used_ns, "itself, ");
    put_share(b, r->used_ns, r->vcpu_ns, "its vCPU time");
    put_time(b, "  charged", r->charged_ns, "by driver domains, inferred ");
    put_share(b, r->inferred_ns, r->charged_ns, "it");
    if (r->driver_domain) {
        put_time(b, "  own", r->own_ns, "as a driver domain, for itself\n");
        put_time(b, "  unattr.", r->unattributed_ns, "as a driver domain, for nobody knows whom\n");
        put_time(b, "served", r->served_ns, "guests, who are charged for it\n");
    }
    if (r->peak_1s_ns != NS_UNKNOWN)
        put_time(b, "peaks", r->peak_1s_ns, "in the busiest second\n");
    if (r->peak_5min_ns != NS_UNKNOWN)
        put_time(b, "", r->peak_5min_ns, "in the busiest five minutes\n");
    put_change(b, r);
    if (l->extrapolated) {
        const struct row_view view = {.row = l};
        struct value v = account_extrapolated_total(&view);
        if (v.type == VALUE_INTEGER)
            put_time(b, "extrapolated", (uint64_t)v.integer, "total, for all the period: not measured\n");
    }
}

static void put_waits(struct buffer *b, const struct account_line *l)
{
    char p99[HUMAN_BYTES], most[HUMAN_BYTES], at[TIME_TEXT];
    const struct account_row *r = &l->row;
    put_time(b, "waited", r->runnable_ns, "for a pCPU, ");
    put_share(b, r->runnable_ns, r->vcpu_ns, "its vCPU time");
    if (l->waits == 0)
        return;
    time_text(at, r->wait_max_at_utc_ns, false);
    buffer_printf(b, "%-*s 99 %% at most %s, the longest %s at %.19sZ\n", NAME_WIDTH, "",
                  human_duration(p99, l->wait_p99_ns), human_duration(most, l->wait_max_ns), at);
}

static void put_had(struct buffer *b, const struct account_row *r)
{
    char count[HUMAN_BYTES];
    size_t line = b->n;
    put_time(b, "existed", r->existed_ns, "");
    buffer_printf(b, "with %" PRIu32 " vCPU%s\n", r->vcpus, r->vcpus == 1 ? "" : "s");
    line = b->n;
    buffer_printf(b, "%-*s", NAME_WIDTH, "I/O");
    for (int i = 0; i < IO_KINDS; i++) {
        if (!r->io[i] && i != IO_NOTIFY)
            continue;
        if (b->n - line > LINE_FULL) {
            line = b->n;
            buffer_printf(b, "\n%-*s", NAME_WIDTH, "");
        }
        buffer_printf(b, " %s %s", io_kind_names[i], human_count(count, r->io[i]));
    }
    buffer_text(b, "\n\n");
}

static void put_trust(struct buffer *b, const struct account_line *l)
{
    const struct account_row *r = &l->row;
    char number[NUMBER_SIZE], why[ACCOUNT_WHY];
    buffer_printf(b, "%-*s %.2f %% of the period", NAME_WIDTH, "covered",
                  account_covered_pct(&r->period, r->not_recorded_ns));
    if (r->not_recorded_ns)
        buffer_printf(b, "; %s are not recorded", seconds(number, r->not_recorded_ns));
    buffer_text(b, "\n");
    put_time(b, "unknown", r->unknown_ns, "of vCPU time, where records were lost\n");
    if (r->doubtful_ns)
        put_time(b, "doubtful", r->doubtful_ns, "of vCPU time, for the same reason\n");
    buffer_printf(b, "%-*s %s", NAME_WIDTH, "verdict", account_verdict_words[r->verdict]);
    if (*l->why)
        buffer_printf(b, ": %.56s", safe_text(why, sizeof why, l->why));
    buffer_text(b, "\n");
}

void account_page_put(struct buffer *b, const struct account_line *line, const char *zone)
{
    put_who(b, line, zone);
    put_cost(b, line);
    put_waits(b, line);
    put_had(b, &line->row);
    put_trust(b, line);
}

void account_page_put_bill(struct buffer *b, const struct bill_line *line)
{
    char number[NUMBER_SIZE];
    buffer_text(b, "\n");
    put_time(b, "pays for", line->capacity_ns, "of what the host had:\n");
    put_time(b, "  basis", line->base_ns, "");
    buffer_printf(b, "overhead %s", seconds(number, line->overhead_ns));
    buffer_printf(b, ", idle %s\n", seconds(number, line->idle_ns));
    if (line->amount)
        buffer_printf(
            b, "%-*s %18s  %s; hosts are rounded half away from zero,\n%-*s rows by largest remainder\n",
            NAME_WIDTH, "amount", line->amount, line->currency, NAME_WIDTH, "");
}
