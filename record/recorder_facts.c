/* What archives have of the host. */
#include "recorder_state.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "host/io_clock.h"
#include "host/io_file.h"

#define TAKEN_EVERY_NS 60000000000u /* what recording takes */

uint64_t recorder_cpu_ns(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (uint64_t)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000000000u +
           (uint64_t)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) * 1000u;
}

uint64_t recorder_rss_bytes(void)
{
    char text[128];
    unsigned long size, resident;
    if (!io_file_all("/proc/self/statm", ' ', text, sizeof text) ||
        sscanf(text, "%lu %lu", &size, &resident) != 2)
        return 0;
    return (uint64_t)resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

static void put_boot(struct recorder *r, struct buffer *to)
{
    struct fact f = {.kind = FACT_BOOT, .boot = {.tsc = r->newest_tsc, .utc_ns = r->begin_utc_ns}};
    struct utsname u;
    char *end;
    snprintf(f.boot.boot_id, sizeof f.boot.boot_id, "%s", r->boot_id);
    snprintf(f.boot.host, sizeof f.boot.host, "%s", uname(&u) == 0 ? u.nodename : "");
    if (r->o->input < 0 && io_file_all("/sys/hypervisor/version/major", '\n', f.boot.xen, 16)) {
        char minor[16] = "", extra[64] = "";
        io_file_all("/sys/hypervisor/version/minor", '\n', minor, sizeof minor);
        io_file_all("/sys/hypervisor/version/extra", '\n', extra, sizeof extra);
        for (char *text[] = {f.boot.xen, minor, extra}, **t = text; t < text + 3; t++)
            if ((end = strchr(*t, '\n')))
                *end = '\0';
        size_t n = strlen(f.boot.xen);
        snprintf(f.boot.xen + n, sizeof f.boot.xen - n, ".%s%s", minor, extra);
    }
    fact_put(to, &f);
}

/* After an interruption: since when nothing was recorded, and why. A part that adjoins the one before is still before the interruption. */
static void put_gap(struct recorder *r, struct buffer *to)
{
    struct fact f = {
        .kind = FACT_GAP,
        .gap = {.tsc = r->newest_tsc, .from_utc_ns = r->ended_utc_ns, .utc_ns = r->begin_utc_ns}};
    if (!*r->interruption || r->link.moment_tsc)
        return;
    snprintf(f.gap.why, sizeof f.gap.why, "%s", r->interruption);
    fact_put(to, &f);
    *r->interruption = '\0';
}

void recorder_facts_begin(struct recorder *r, struct buffer *to)
{
    put_boot(r, to);
    put_gap(r, to);
    for (size_t i = 0; i < r->clocks_n; i++)
        fact_put(to, &(struct fact){.kind = FACT_CLOCK, .clock = r->clocks[i]});
    if (r->domains)
        domain_watch_take(r->domains, r->link.moment_tsc ? r->link.moment_tsc : r->newest_tsc, true, to);
    if (r->reduced.mask)
        fact_put(to, &(struct fact){.kind = FACT_REDUCED, .reduced = r->reduced});
}

/* Archives without names are of little use later: says so once, when the commands begin to fail. */
static void say_domains(struct recorder *r, const struct domain_watch_state *s)
{
    bool wrong = s->error.code != ERROR_NONE;
    if (s->looks == 0 || wrong == r->domains_wrong)
        return;
    r->domains_wrong = wrong;
    if (wrong)
        recorder_say(r, true, "who the domains are is not known, or not all of it: %s", s->error.message);
    else
        recorder_say(r, false, "who the domains are is known now");
}

void recorder_facts_take(struct recorder *r)
{
    uint64_t now_ns = io_clock_ns();
    if (r->domains) {
        const struct domain_watch_state s = domain_watch_state(r->domains);
        say_domains(r, &s);
        domain_watch_take(r->domains, r->newest_tsc, false, &r->lines);
        recorder_flight_domains(r, &s);
    }
    if (now_ns < r->taken_at_ns + TAKEN_EVERY_NS)
        return;
    r->taken_at_ns = now_ns;
    struct spool_state spool = r->spool ? spool_state(r->spool) : (struct spool_state){0};
    fact_put(&r->lines, &(struct fact){.kind = FACT_RECORDER,
                                       .recorder = {.tsc = r->newest_tsc,
                                                    .utc_ns = recorder_utc_now(r),
                                                    .cpu_ns = recorder_cpu_ns(),
                                                    .rss_bytes = recorder_rss_bytes(),
                                                    .trace_bytes = r->trace_bytes + spool.bytes,
                                                    .lost_records = r->lost_records,
                                                    .stalled_ns = r->stalled_ns + spool.stalled_ns,
                                                    .restarts = r->restarts}});
}
