#include "account/relations.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "account/columns.h"
#include "metrics/human.h"

const char *const account_verdict_words[] = {"good", "degraded", "poor", NULL};

/* ---- lines ---- */

static void copy(char *to, size_t size, const char *from)
{
    fact_text(to, size, from ? from : "");
}

/* "2026-11", "2026-11-29", "2026-11-29 07:00": a period in local time, as short as it is clear. */
static void period_text(char to[ACCOUNT_PERIOD_TEXT], const struct account_period *p)
{
    static const char *const forms[] = {
        [ACCOUNT_HOUR] = "%Y-%m-%d %H:%M", [ACCOUNT_DAY] = "%Y-%m-%d", [ACCOUNT_MONTH] = "%Y-%m"};
    const time_t begin = (time_t)(p->begin_utc_ns / 1000000000);
    struct tm tm = {0};
    int g = ACCOUNT_MONTH;
    for (; g > ACCOUNT_HOUR; g--) {
        const struct account_period whole = account_period_of((enum account_granularity)g, p->begin_utc_ns);
        if (whole.begin_utc_ns == p->begin_utc_ns && whole.end_utc_ns == p->end_utc_ns)
            break;
    }
    (void)localtime_r(&begin, &tm);
    (void)strftime(to, ACCOUNT_PERIOD_TEXT, forms[g], &tm);
}

void account_line_of(struct account_line *line, const struct account_row *row, bool extrapolated)
{
    memset(line, 0, sizeof *line);
    line->row = *row;
    line->extrapolated = extrapolated;
    copy(line->why, sizeof line->why, row->why);
    copy(line->host, sizeof line->host, row->host ? row->host->name : "");
    line->host_capacity_ns = row->host ? row->host->capacity_ns : 0;
    if (row->vm) {
        copy(line->uuid, sizeof line->uuid, row->vm->uuid);
        copy(line->name, sizeof line->name, row->vm->name);
        copy(line->shown, sizeof line->shown, account_vm_shown(row->vm));
    }
    period_text(line->period_text, &row->period);
    line->waits = row->wait->count;
    line->wait_p99_ns = line->waits ? histogram_percentile(row->wait, 990) : 0;
    line->wait_max_ns = row->wait->max;
    line->row.vm = NULL;
    line->row.host = NULL;
    line->row.wait = NULL;
    line->row.why = NULL;
}

void account_host_line_of(struct account_host_line *line, const struct account_period *period,
                          const struct account_host *host)
{
    memset(line, 0, sizeof *line);
    line->period = *period;
    line->host = *host;
    copy(line->name, sizeof line->name, host->name);
    copy(line->why, sizeof line->why, host->why);
    period_text(line->period_text, period);
    line->host.name = line->host.why = NULL;
    line->host.spans = NULL;
}

void account_service_line_of(struct account_service_line *line, const struct account_period *period,
                             const struct account_service *service)
{
    memset(line, 0, sizeof *line);
    line->period = *period;
    period_text(line->period_text, period);
    copy(line->host, sizeof line->host, service->host->name);
    copy(line->driver_uuid, sizeof line->driver_uuid, service->driver_domain->uuid);
    copy(line->driver_name, sizeof line->driver_name, account_vm_shown(service->driver_domain));
    copy(line->uuid, sizeof line->uuid, service->guest->uuid);
    copy(line->name, sizeof line->name, account_vm_shown(service->guest));
    line->charged_ns = service->charged_ns;
    line->measured_ns = service->measured_ns;
    line->certain_ns = service->certain_ns;
    line->inferred_ns = service->inferred_ns;
}

/* ---- values ---- */

static struct value moment(int64_t utc_ns)
{
    return (struct value){.type = VALUE_TIME, .integer = utc_ns};
}

static struct value some_text(const char *s)
{
    return *s ? text(s) : none();
}

static struct value seconds(uint64_t ns)
{
    return decimal((double)ns / 1e9);
}

static struct value share_of(uint64_t part, uint64_t of)
{
    return of ? decimal(100.0 * (double)part / (double)of) : none();
}

#define VALUE_OF(NAME, LINE, EXPRESSION)                                                                     \
    struct value NAME(const struct row_view *v) {                                                            \
        const struct LINE *l = v->row;                                                                       \
        return EXPRESSION;                                                                                   \
    }

VALUE_OF(account_period_text, account_line, text(l->period_text))
VALUE_OF(account_period_start, account_line, moment(l->row.period.begin_utc_ns))
VALUE_OF(account_period_end, account_line, moment(l->row.period.end_utc_ns))
VALUE_OF(account_host_name, account_line, some_text(l->host))
VALUE_OF(account_vm, account_line, some_text(l->shown))
VALUE_OF(account_vm_uuid, account_line, some_text(l->uuid))
VALUE_OF(account_vm_name, account_line, some_text(l->name))
VALUE_OF(account_driver_domain, account_line, l->row.driver_domain ? text("yes") : none())
VALUE_OF(account_running_s, account_line, seconds(l->row.running_ns))
VALUE_OF(account_charged_s, account_line, seconds(l->row.charged_ns))
VALUE_OF(account_total_s, account_line, seconds(l->row.total_ns))
VALUE_OF(account_runnable_s, account_line, seconds(l->row.runnable_ns))
VALUE_OF(account_unknown_s, account_line, seconds(l->row.unknown_ns))
VALUE_OF(account_covered_pct_of, account_line,
         decimal(account_covered_pct(&l->row.period, l->row.not_recorded_ns)))
VALUE_OF(account_running_pct, account_line, share_of(l->row.running_ns, l->row.vcpu_ns))
VALUE_OF(account_runnable_pct, account_line, share_of(l->row.runnable_ns, l->row.vcpu_ns))
VALUE_OF(account_host_pct, account_line, share_of(l->row.total_ns, l->host_capacity_ns))
VALUE_OF(account_inferred_pct, account_line, share_of(l->row.inferred_ns, l->row.charged_ns))
VALUE_OF(account_wait_p99, account_line, l->waits ? of_u64(l->wait_p99_ns) : none())
VALUE_OF(account_wait_max, account_line, l->waits ? of_u64(l->wait_max_ns) : none())
VALUE_OF(account_wait_max_at, account_line, l->waits ? moment(l->row.wait_max_at_utc_ns) : none())
VALUE_OF(account_verdict_word, account_line, text(account_verdict_words[l->row.verdict]))
VALUE_OF(account_why, account_line, some_text(l->why))

struct value account_change_ns(const struct row_view *v)
{
    const struct account_row *r = &((const struct account_line *)v->row)->row;
    uint64_t compared = account_compared_ns(r);
    return compared == NS_UNKNOWN ? none() : integer((int64_t)r->total_ns - (int64_t)compared);
}

struct value account_change_pct(const struct row_view *v)
{
    const struct account_row *r = &((const struct account_line *)v->row)->row;
    uint64_t compared = account_compared_ns(r);
    if (compared == NS_UNKNOWN || compared == 0)
        return none();
    return decimal(100.0 * ((double)r->total_ns - (double)compared) / (double)compared);
}

/* Scaled to the whole period, rounded down. */
static struct value extrapolated(const struct account_line *l, uint64_t ns)
{
    uint64_t length = (uint64_t)(l->row.period.end_utc_ns - l->row.period.begin_utc_ns);
    uint64_t covered = length - l->row.not_recorded_ns;
    if (!l->extrapolated || covered == 0)
        return none();
    return of_u64((uint64_t)((uint128)ns * length / covered));
}

VALUE_OF(account_extrapolated_total, account_line, extrapolated(l, l->row.total_ns))
VALUE_OF(account_extrapolated_charged, account_line, extrapolated(l, l->row.charged_ns))
VALUE_OF(account_extrapolated_runnable, account_line, extrapolated(l, l->row.runnable_ns))

static const struct column columns[] = {ACCOUNT_COLUMNS};

const struct relation relation_account = {
    .name = "vm",
    .title = "VMs (--by vm, --by vm-host)",
    .table = "vms",
    .row_size = sizeof(struct account_line),
    .columns = columns,
    .columns_n = sizeof columns / sizeof *columns,
    .plain = true,
    .own_times = true,
    .own_periods = true,
};

/* ---- hosts ---- */

#define HOST account_host_line
static VALUE_OF(
    host_period_text, HOST,
    text(
        l->period_text)) static VALUE_OF(host_period_start, HOST,
                                         moment(
                                             l->period.begin_utc_ns)) static VALUE_OF(host_period_end,
                                                                                      HOST, moment(l->period.end_utc_ns)) static VALUE_OF(host_name, HOST, text(l->name)) static VALUE_OF(host_covered,
                                                                                                                                                                                          HOST,
                                                                                                                                                                                          decimal(account_covered_pct(&l->period, l->host
                                                                                                                                                                                                                                      .not_recorded_ns))) static VALUE_OF(host_idle_pct, HOST,
                                                                                                                                                                                                                                                                          share_of(
                                                                                                                                                                                                                                                                              l->host
                                                                                                                                                                                                                                                                                  .idle_ns,
                                                                                                                                                                                                                                                                              l->host
                                                                                                                                                                                                                                                                                  .capacity_ns)) static VALUE_OF(host_verdict,
                                                                                                                                                                                                                                                                                                                 HOST,
                                                                                                                                                                                                                                                                                                                 text(
                                                                                                                                                                                                                                                                                                                     account_verdict_words
                                                                                                                                                                                                                                                                                                                         [l->host
                                                                                                                                                                                                                                                                                                                              .verdict])) static VALUE_OF(host_why,
                                                                                                                                                                                                                                                                                                                                                          HOST, some_text(l->why))

#define HOST_NS(MEMBER) COLUMN_MEMBER(struct account_host_line, host.MEMBER, U64, SUM)

    /* clang-format off */
static const struct column host_columns[] = {
    {COLUMN_HEAD(period, "period", NONE, 0, KEY | LEFT | KEEP | TEXT, L, "the hour, day or month in the zone of --tz, where that is clear; else where it begins"), .get = host_period_text},
    {COLUMN_HEAD(period_start, "start", NONE, 0, KEY | TEXT, 0, "where the period begins, UTC; it is part of it"), .get = host_period_start},
    {COLUMN_HEAD(period_end, "end", NONE, 0, KEY | TEXT, 0, "where the period ends, UTC; it is not part of it"), .get = host_period_end},
    {COLUMN_HEAD(host, "host", NONE, 0, KEY | LEFT | KEEP | TEXT, L, "the host's label"), .get = host_name},
    {COLUMN_HEAD(pcpus, "pCPUs", COUNT, 0, 0, L, "the most that any of its archives has"), COLUMN_MEMBER(struct account_host_line, host.pcpus, U32, NOT)},
    {COLUMN_HEAD(vms, "VMs", COUNT, 0, 0, 0, "VMs that were there, driver domains included"), COLUMN_MEMBER(struct account_host_line, host.vms, U32, NOT)},
    {COLUMN_HEAD(archives, "archives", COUNT, 0, 0, 0, "recordings that count in this period, whole or in part"), COLUMN_MEMBER(struct account_host_line, host.archives, U32, NOT)},
    {COLUMN_HEAD(capacity_ns, "capacity", NS, 0, KEEP, L, "pCPUs x recorded time: the sum of the next six"), HOST_NS(capacity_ns)},
    {COLUMN_HEAD(guests_ns, "guests", NS, 0, 0, L, "what domains ran for themselves, but for driver domains"), HOST_NS(guests_ns)},
    {COLUMN_HEAD(charged_ns, "charged", NS, 0, 0, L, "what driver domains ran for guests"), HOST_NS(charged_ns)},
    {COLUMN_HEAD(own_ns, "own", NS, 0, 0, L, "what driver domains ran for themselves"), HOST_NS(own_ns)},
    {COLUMN_HEAD(unattributed_ns, "unattr.", NS, 0, 0, L, "what nobody knows for whom driver domains ran"), HOST_NS(unattributed_ns)},
    {COLUMN_HEAD(idle_ns, "idle", NS, 0, 0, L, "pCPUs had nothing to run"), HOST_NS(idle_ns)},
    {COLUMN_HEAD(unknown_ns, "unknown", NS, 0, 0, L, "nobody knows what pCPUs did: lost records, pCPUs that were not recorded"), HOST_NS(unknown_ns)},
    {COLUMN_HEAD(idle_pct_of_host, "idle", PERCENT, 2, 0, 0, "idle, of the capacity"), .get = host_idle_pct},
    {COLUMN_HEAD(recorded_ns, "recorded", NS, 0, 0, 0, "recorded time of the period, by the traces' clock"), HOST_NS(recorded_ns)},
    {COLUMN_HEAD(not_recorded_ns, "not recorded", NS, 0, 0, 0, "the rest of the period, by the time of day"), HOST_NS(not_recorded_ns)},
    {COLUMN_HEAD(covered_pct, "covered", PERCENT, 2, KEEP, L, "recorded, of the period"), .get = host_covered},
    {COLUMN_HEAD(verdict, "verdict", NONE, 0, KEEP | LEFT | TEXT, L, "good, degraded or poor: the worst of its archives"), .get = host_verdict, .words = account_verdict_words},
    {COLUMN_HEAD(why, "why", NONE, 0, LEFT | TEXT, 0, "why the verdict is not good"), .get = host_why},
};
/* clang-format on */

const struct relation relation_account_hosts = {
    .name = "host",
    .title = "hosts (--by host)",
    .table = "hosts",
    .row_size = sizeof(struct account_host_line),
    .columns = host_columns,
    .columns_n = sizeof host_columns / sizeof *host_columns,
    .plain = true,
    .own_times = true,
    .own_periods = true,
};

/* ---- what driver domains did for whom ---- */

#define SERVICE account_service_line
static VALUE_OF(service_period_text, SERVICE, text(l->period_text)) static VALUE_OF(
    service_period_start, SERVICE,
    moment(
        l->period
            .begin_utc_ns)) static VALUE_OF(service_period_end, SERVICE,
                                            moment(
                                                l->period
                                                    .end_utc_ns)) static VALUE_OF(service_host, SERVICE,
                                                                                  text(
                                                                                      l->host)) static VALUE_OF(driver_name,
                                                                                                                SERVICE,
                                                                                                                some_text(
                                                                                                                    l->driver_name)) static VALUE_OF(driver_uuid,
                                                                                                                                                     SERVICE,
                                                                                                                                                     some_text(
                                                                                                                                                         l->driver_uuid)) static VALUE_OF(guest_name,
                                                                                                                                                                                          SERVICE,
                                                                                                                                                                                          some_text(
                                                                                                                                                                                              l->name)) static VALUE_OF(guest_uuid,
                                                                                                                                                                                                                        SERVICE,
                                                                                                                                                                                                                        some_text(
                                                                                                                                                                                                                            l->uuid))

#define SERVICE_NS(MEMBER) COLUMN_MEMBER(struct account_service_line, MEMBER, U64, SUM)

    /* clang-format off */
static const struct column service_columns[] = {
    {COLUMN_HEAD(period, "period", NONE, 0, KEY | LEFT | KEEP | TEXT, L, "the hour, day or month in the zone of --tz, where that is clear; else where it begins"), .get = service_period_text},
    {COLUMN_HEAD(period_start, "start", NONE, 0, KEY | TEXT, 0, "where the period begins, UTC; it is part of it"), .get = service_period_start},
    {COLUMN_HEAD(period_end, "end", NONE, 0, KEY | TEXT, 0, "where the period ends, UTC; it is not part of it"), .get = service_period_end},
    {COLUMN_HEAD(host, "host", NONE, 0, KEY | LEFT | TEXT, L, "the host's label"), .get = service_host},
    {COLUMN_HEAD(driver_name, "driver domain", NONE, 0, KEY | LEFT | KEEP | TEXT, L, "name of the driver domain, or its domain id and host"), .get = driver_name},
    {COLUMN_HEAD(driver_uuid, "its UUID", NONE, 0, KEY | LEFT | TEXT, 0, "its UUID, if known"), .get = driver_uuid},
    {COLUMN_HEAD(vm_name, "for VM", NONE, 0, KEY | LEFT | KEEP | TEXT, L, "name of the VM it worked for, or its domain id and host"), .get = guest_name},
    {COLUMN_HEAD(vm_uuid, "UUID", NONE, 0, KEY | LEFT | TEXT, 0, "that VM's UUID, if known"), .get = guest_uuid},
    {COLUMN_HEAD(charged_ns, "charged", NS, 0, KEEP, L, "what the driver domain ran for it: the sum of the next three"), SERVICE_NS(charged_ns)},
    {COLUMN_HEAD(measured_ns, "measured", NS, 0, 0, L, "the driver domain's own kernel measured it"), SERVICE_NS(measured_ns)},
    {COLUMN_HEAD(certain_ns, "certain", NS, 0, 0, L, "it rests on events whose guest is certain"), SERVICE_NS(certain_ns)},
    {COLUMN_HEAD(inferred_ns, "inferred", NS, 0, 0, L, "the rest"), SERVICE_NS(inferred_ns)},
};
/* clang-format on */

const struct relation relation_account_services = {
    .name = "service",
    .title = "what driver domains did for whom (--by driver-domain)",
    .table = "services",
    .row_size = sizeof(struct account_service_line),
    .columns = service_columns,
    .columns_n = sizeof service_columns / sizeof *service_columns,
    .plain = true,
    .own_times = true,
    .own_periods = true,
};
