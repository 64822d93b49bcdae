/* xenmeter account check: what is missing in a fleet's archives. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "account/lacks.h"
#include "account.h"
#include "formats/safe_text.h"
#include "metrics/human.h"

#define SILENT_NS 7200000000000u

struct check_options {
    struct options common;
    uint64_t silent_ns; /* 0: SILENT_NS */
    const char *zone, *from, *to;
};

struct check_run {
    const struct options *options;
    struct account_findings findings;
    struct progress progress;
    uint64_t missing;
};

static const char *moment(char to[32], int64_t utc_ns)
{
    const time_t seconds = (time_t)(utc_ns / 1000000000);
    struct tm tm = {0};
    (void)gmtime_r(&seconds, &tm);
    (void)strftime(to, 32, "%Y-%m-%dT%H:%M:%SZ", &tm);
    return to;
}

static void print_missing(void *context, const struct account_missing *m)
{
    struct check_run *r = context;
    char from[32], to[32], length[HUMAN_BYTES], name[256];
    progress_end(&r->progress);
    r->missing++;
    if (r->options->quiet)
        return;
    moment(from, m->from_utc_ns);
    moment(to, m->to_utc_ns);
    human_duration(length, (uint64_t)(m->to_utc_ns - m->from_utc_ns));
    switch (m->lack) {
    case ACCOUNT_NOT_RECORDED:
        printf("%s: not recorded from %s to %s (%s)\n", m->host, from, to, length);
        break;
    case ACCOUNT_SILENT:
        printf("%s: silent since %s: not recorded up to %s (%s)\n", m->host, from, to, length);
        break;
    case ACCOUNT_OPEN_LIFE:
        printf("%s: VM %s has no end: last seen at %s, and the host was not recorded up to %s\n", m->host,
               safe_text(name, sizeof name, *m->vm->name ? m->vm->name : m->vm->key), from, to);
        break;
    case ACCOUNT_LACKS:
        break;
    }
}

static void take_finding(void *context, enum account_finding_kind kind, const char *file, const char *what)
{
    struct check_run *r = context;
    progress_end(&r->progress);
    account_findings_take(&r->findings, kind, file, what);
}

static void take_progress(void *context, uint64_t done, uint64_t all)
{
    progress_show_count(&((struct check_run *)context)->progress, done, all, "archives");
}

static int run(const struct options *o)
{
    const struct check_options *own = (const struct check_options *)o;
    struct check_run r = {.options = o, .findings = {.quiet = o->quiet}};
    struct error err = {0};
    struct account_options options = {.paths = (const char *const *)o->inputs,
                                      .paths_n = o->inputs_n,
                                      .from_utc_ns = INT64_MIN,
                                      .to_utc_ns = INT64_MAX,
                                      .jobs = o->jobs ? o->jobs : usable_cpus(),
                                      .context = &r,
                                      .finding = take_finding,
                                      .progress = take_progress};
    if (account_zone_set(own->zone ? own->zone : "UTC", &err) != 0 ||
        (own->from && account_moment("--from", own->from, &options.from_utc_ns, &err) != 0) ||
        (own->to && account_moment("--to", own->to, &options.to_utc_ns, &err) != 0))
        return fail(NULL, &err);
    progress_begin(&r.progress, o->progress, o->quiet);
    int status = account_check(&options, own->silent_ns ? own->silent_ns : SILENT_NS, print_missing, &err);
    progress_end(&r.progress);
    if (status != 0)
        return fail(NULL, &err);
    status = account_findings_end(&r.findings);
    return r.missing ? EXIT_FINDING : status;
}

/* ---- options ---- */

#define OWN(MEMBER) .offset = offsetof(struct check_options, MEMBER)

static int set_silent(struct options *o, const struct option_spec *s, const char *text, struct error *err)
{
    return parse_duration(s->name, text, strlen(text), &((struct check_options *)o)->silent_ns, err);
}

static int check(struct options *o, struct error *err)
{
    return o->inputs_n ? 0
                       : error_set(err, ERROR_USAGE, "which archives? give files, or folders that hold them");
}

static const struct option_spec options[] = {
    OPTION(0, "tz", "ZONE", "--from and --to are days of this time zone; default: UTC", .set = set_text,
           OWN(zone)),
    OPTION(0, "from", "MOMENT", "what is missing from this month, day or moment on", .set = set_text,
           OWN(from)),
    OPTION(0, "to", "MOMENT", "and up to it", .set = set_text, OWN(to)),
    OPTION(0, "silent", "LENGTH", "a host is silent whose archives end so long before others' (default 2h)",
           .set = set_silent, .choices = "1h\n2h\n1d"),
    OPTION('j', "jobs", "N", "read N archives at a time (default: one for each CPU)", .set = set_jobs),
    OPTION_PROGRESS,
    OPTION_FLAG('q', "quiet", quiet, "only the exit status"),
    OPTIONS_ALL,
};

static const struct command command = {
    .order = 68,
    .name = "account check",
    .summary = "what is missing in a fleet's archives",
    .usage = "[OPTIONS] FOLDER|ARCHIVE...",
    .text = "Lists times in which hosts were not recorded, hosts that have gone silent, VMs whose end nobody "
            "saw, "
            "archives that overlap or cannot be read, and VMs that ran on two hosts at one moment.",
    .status = "0 nothing is missing, 1 something is, 2 error",
    .examples = "xenmeter account check --from 2026-11 --to 2026-12 /var/lib/xenmeter",
    .options = options,
    .operands = OPERANDS_ARCHIVES,
    .options_size = sizeof(struct check_options),
    .check = check,
    .run = run,
};
COMMAND(command);
