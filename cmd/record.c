/* xenmeter record: records a host into archives, for months. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "archive_commands.h"
#include "config.h"
#include "metrics/measure/counters.h"
#include "parser/source/codec.h"
#include "record/clock_command.h"
#include "record/recorder.h"
#include "record_flight.h"
#include "record_status.h"

#define SECOND_NS      1000000000u
#define ROTATE_NS      3600000000000u
#define ROTATE_MOST_NS (24 * ROTATE_NS)
#define BUFFER         (80u << 20)
#define MIN_FREE       (64u << 20)
#define DUMPS_MOST     10000
#define CLOCK_MOST_S   4102444800 /* 2100-01-01T00:00:00Z: in ns, and with any trace, within int64_t */

struct record_options {
    struct options common;
    uint64_t rotate_ns, buffer_bytes, keep_trace_ns;
    struct store_limits limits;
    unsigned limits_given; /* by the command line: limit_bit */
    bool min_free_given, stop_when_full, status, purpose_given;
    enum tracer_purpose purpose;
    double max_cpu_ppm;
    struct record_flight flight;
    const char *xentrace, *domain_info, *clock;
    const char *counts; /* auto, none, or a file; NULL: auto */
    int64_t trace_begins_utc_ns;
};

/* ---- what is wanted ---- */

static int choose_results(const struct options *o, struct capture_options *p, struct error *err)
{
    p->bys = 1u << BY_DOMAIN | (o->bys ? o->bys : 1u << BY_VCPU | 1u << BY_PCPU);
    for (size_t i = 0; i < o->granularities; i++)
        if (o->granularities_ns[i])
            p->granularities_ns[p->granularities++] = o->granularities_ns[i];
    if (o->granularities == 0)
        p->granularities_ns[p->granularities++] = SECOND_NS;
    if (p->granularities == 0)
        return error_set(err, ERROR_USAGE, "-g: at least one length is needed, for example 1s");
    if (p->granularities == METER_GRANULARITIES)
        return error_set(err, ERROR_USAGE, "at most %d granularities beside the whole of each archive",
                         METER_GRANULARITIES - 1);
    p->granularities_ns[p->granularities++] = 0;
    p->executions = o->executions;
    p->cpu_hz = o->cpu_hz;
    p->charge.wanted = true;
    return charge_options_of(o, NULL, &p->charge, err);
}

static const char *host_label(const struct options *o, char label[HOST_MAX], struct error *err)
{
    char name[HOST_NAME_MAX + 1] = "";
    if (!o->host && gethostname(name, sizeof name) != 0)
        snprintf(name, sizeof name, "host");
    return parse_host(o->host ? o->host : name, label, NULL, err) == 0 ? label : NULL;
}

/* A line about what goes on; `wrong`: also if people want to be left alone. */
static void say(void *context, bool wrong, const char *line)
{
    const struct options *o = context;
    if (wrong || !o->quiet)
        complain("%s", line);
}

/* A live trace is not compressed; nor is one that is recorded as if it were live. */
static int check_plain(int fd, const char *path, struct error *err)
{
    uint8_t bytes[8];
    ssize_t n = pread(fd, bytes, sizeof bytes, 0);
    const struct codec *codec = n > 0 ? codec_of(bytes, (size_t)n) : NULL;
    if (!codec)
        return 0;
    return error_set(err, ERROR_USAGE, "is compressed: %s -dc %.200s | xenmeter record ... -", codec->name,
                     path);
}

static int open_input(const struct options *o, int *fd, struct error *err)
{
    *fd = -1;
    if (o->inputs_n == 0)
        return 0;
    *fd = strcmp(o->inputs[0], "-") == 0 ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)
                                         : open(o->inputs[0], O_RDONLY | O_CLOEXEC);
    if (*fd < 0)
        return error_set(err, ERROR_IO, "cannot open: %s", strerror(errno));
    return check_plain(*fd, o->inputs[0], err);
}

/* What a file has by now can be used: what is wrong with it shows before anything is recorded. */
static int choose_counts(const struct record_options *own, struct recorder_options *r, struct error *err)
{
    static const char *const words[] = {"auto", "none", NULL};
    int at = own->counts ? name_index(words, own->counts, strlen(own->counts)) : COUNTS_AUTO;
    r->counts = at < 0 ? COUNTS_FILE : (enum recorder_counts)at;
    r->counts_file = own->counts;
    if (at >= 0)
        return 0;
    struct counters *now = counters_read(own->counts, err);
    counters_free(now);
    return now ? 0 : -1;
}

static int record(const struct record_options *own, struct recorder_options *r)
{
    struct error err = {0};
    if (choose_counts(own, r, &err) != 0)
        return fail(own->counts, &err);
    if (open_input(&own->common, &r->input, &err) != 0)
        return fail(own->common.inputs[0], &err);
    r->stop = signals_stop_flag(&r->wait_mask);
    r->reload = signals_reload_flag();
    r->dump = signals_dump_flag();
    if (recorder_run(r, &err) == 0)
        return EXIT_DONE;
    const char *source = own->common.inputs_n > 0 ? own->common.inputs[0] : r->tracer.path;
    return fail(err.code == ERROR_FORMAT ? source : NULL, &err);
}

static bool read_limits_again(void *context, struct store_limits *limits);

static int run(const struct options *o)
{
    const struct record_options *own = (const struct record_options *)o;
    char label[HOST_MAX];
    struct error err = {0};
    struct time_source time;
    if (own->status)
        return record_status(o->inputs[0], strcmp(o->format, "json") == 0);
    struct recorder_options r = {.folder = o->output,
                                 .tool = "xenmeter " XENMETER_VERSION,
                                 .rotate_ns = own->rotate_ns ? own->rotate_ns : ROTATE_NS,
                                 .limits = own->limits,
                                 .stop_when_full = own->stop_when_full,
                                 .flight = record_flight_options(&own->flight),
                                 .level = o->level,
                                 .with_trace = o->with_trace,
                                 .keep_trace_ns = own->keep_trace_ns,
                                 .threads = o->threads ? o->threads : 1,
                                 .cpu_hz = o->cpu_hz,
                                 .memory_limit = o->max_memory,
                                 .buffer_bytes = own->buffer_bytes ? own->buffer_bytes : BUFFER,
                                 .tracer = tracer_defaults,
                                 .domains = {.source = own->domain_info,
                                             .interval_ns = DOMAIN_WATCH_INTERVAL_NS,
                                             .limit_ns = DOMAIN_WATCH_LIMIT_NS},
                                 .trace_begins_utc_ns = own->trace_begins_utc_ns,
                                 .read_again = read_limits_again,
                                 .say = say,
                                 .context = (void *)(uintptr_t)o};
    if (!own->min_free_given)
        r.limits.min_free_bytes = MIN_FREE;
    if (r.limits.dumps_max == 0)
        r.limits.dumps_max = FLIGHT_DUMPS;
    r.host = host_label(o, label, &err);
    if (!r.host || choose_results(o, &r.capture, &err) != 0)
        return fail(NULL, &err);
    if (own->xentrace)
        r.tracer.path = own->xentrace;
    r.purpose = own->purpose_given ? own->purpose : FOR_CHARGES;
    r.tracer.mask = tracer_mask(r.purpose);
    r.max_cpu_ppm = own->max_cpu_ppm;
    r.tracer.pages = tracer_pages(tracer_pcpus(""));
    struct clock_command *clock = NULL;
    if (own->clock && !own->trace_begins_utc_ns) {
        clock = clock_command_new(own->clock, &err);
        if (!clock)
            return fail(NULL, &err);
        time = clock_command_source(clock);
        r.time = &time;
    }
    int status = record(own, &r);
    clock_command_free(clock);
    return status;
}

/* ---- options ---- */

/* The bit of that limit; 0: the option is none of the limits that can be read again. */
static unsigned limit_bit(const struct option_spec *s)
{
    const size_t begin = offsetof(struct record_options, limits);
    return s->offset >= begin && s->offset < begin + sizeof(struct store_limits)
               ? 1u << (s->offset - begin) / sizeof(uint64_t)
               : 0;
}

/* The configuration file is read after the command line. */
static void note_limit(struct record_options *own, const struct option_spec *s)
{
    if (!own->common.config)
        own->limits_given |= limit_bit(s);
}

static int set_length(uint64_t *ns, const struct option_spec *s, const char *text, uint64_t least,
                      uint64_t most, const char *range, struct error *err)
{
    if (parse_duration(s->name, text, strlen(text), ns, err) != 0)
        return -1;
    return *ns >= least && *ns <= most ? 0
                                       : error_set(err, ERROR_USAGE, "--%s %.40s: %s", s->name, text, range);
}

static int set_rotate(struct options *o, const struct option_spec *s, const char *text, struct error *err)
{
    return set_length(&((struct record_options *)o)->rotate_ns, s, text, 10ull * SECOND_NS, ROTATE_MOST_NS,
                      "at least 10s, at most 24h", err);
}

static int set_keep(struct options *o, const struct option_spec *s, const char *text, struct error *err)
{
    note_limit((struct record_options *)o, s);
    return set_length(&((struct record_options *)o)->limits.keep_ns, s, text, 60ull * SECOND_NS, UINT64_MAX,
                      "at least 1min", err);
}

static int set_with_trace(struct options *o, const struct option_spec *s, const char *text, struct error *err)
{
    uint64_t *ns = &((struct record_options *)o)->keep_trace_ns;
    o->with_trace = true;
    *ns = 0;
    return text ? set_length(ns, s, text, 10ull * SECOND_NS, UINT64_MAX, "at least 10s", err) : 0;
}

static int set_size(struct options *o, const struct option_spec *s, const char *text, struct error *err)
{
    uint64_t *bytes = (uint64_t *)(void *)((char *)o + s->offset);
    struct record_options *own = (struct record_options *)o;
    if (bytes == &own->limits.min_free_bytes && strcmp(text, "0") == 0)
        *bytes = 0;
    else if (parse_size(text, bytes) != 0)
        return error_set(err, ERROR_USAGE, "--%s %.40s: wants a size, for example 20G", s->name, text);
    note_limit(own, s);
    own->min_free_given |= bytes == &own->limits.min_free_bytes;
    return 0;
}

static int set_word(const char *const *words, const struct option_spec *s, const char *text,
                    struct error *err)
{
    int at = name_index(words, text, strlen(text));
    return at >= 0 ? at
                   : error_set(err, ERROR_USAGE, "--%s %.40s: wants %s, %s%s%s", s->name, text, words[0],
                               words[1], words[2] ? " or " : "", words[2] ? words[2] : "");
}

static int set_purpose(struct options *o, const struct option_spec *s, const char *text, struct error *err)
{
    static const char *const words[] = {"cpu", "charges", "all", NULL};
    static const enum tracer_purpose purposes[] = {FOR_CPU, FOR_CHARGES, FOR_ALL};
    int at = set_word(words, s, text, err);
    if (at >= 0)
        ((struct record_options *)o)->purpose = purposes[at];
    ((struct record_options *)o)->purpose_given = true;
    return at >= 0 ? 0 : -1;
}

/* "2%" of a CPU. */
static int set_max_cpu(struct options *o, const struct option_spec *s, const char *text, struct error *err)
{
    char *end;
    double pct = *text >= '0' && *text <= '9' ? strtod(text, &end) : 0;
    bool decimal = pct > 0 && end == text + strspn(text, "0123456789.");
    if (!decimal || pct > 100 || strcmp(end, "%") != 0)
        return error_set(err, ERROR_USAGE, "--%s %.40s: wants a part of a CPU, for example 2%%", s->name,
                         text);
    ((struct record_options *)o)->max_cpu_ppm = pct * 1e4;
    return 0;
}

static int set_when_full(struct options *o, const struct option_spec *s, const char *text, struct error *err)
{
    static const char *const words[] = {"drop", "stop", NULL};
    int at = set_word(words, s, text, err);
    ((struct record_options *)o)->stop_when_full = at == 1;
    return at >= 0 ? 0 : -1;
}

static int set_dumps_max(struct options *o, const struct option_spec *s, const char *text, struct error *err)
{
    struct record_options *own = (struct record_options *)o;
    unsigned n = 0;
    own->flight.given = s->name;
    note_limit(own, s);
    int status = set_small(&n, DUMPS_MOST, s, text, err);
    own->limits.dumps_max = n;
    return status;
}

/* "@2026-11-29T07:00:00Z" */
static int set_clock(struct options *o, const struct option_spec *s, const char *text, struct error *err)
{
    struct record_options *own = (struct record_options *)o;
    struct tm tm = {0};
    own->clock = text;
    if (*text != '@')
        return *text ? 0 : error_set(err, ERROR_USAGE, "--%s wants a command, or @TIME", s->name);
    const char *end = strptime(text + 1, "%Y-%m-%dT%H:%M:%SZ", &tm);
    int day = tm.tm_mday;
    time_t seconds = end && !*end ? timegm(&tm) : -1;
    if (seconds <= 0 || seconds > CLOCK_MOST_S ||
        tm.tm_mday != day) /* timegm takes February 31 for March 3 */
        return error_set(err, ERROR_USAGE, "--%s %.60s: wants a time like @2026-11-29T07:00:00Z", s->name,
                         text);
    own->trace_begins_utc_ns = (int64_t)seconds * (int64_t)SECOND_NS;
    return 0;
}

static int check(struct options *o, struct error *err)
{
    const struct record_options *own = (const struct record_options *)o;
    if (own->status)
        return o->inputs_n == 1 && !o->output
                   ? 0
                   : error_set(err, ERROR_USAGE,
                               "--status wants one folder: xenmeter record --status FOLDER");
    if (!o->output)
        return error_set(err, ERROR_USAGE, "where to? --output names the folder of the archives");
    if (o->inputs_n > 1)
        return error_set(err, ERROR_USAGE, "record takes one trace: '%.200s' is one too many", o->inputs[1]);
    if (own->trace_begins_utc_ns && o->inputs_n == 0)
        return error_set(err, ERROR_USAGE, "--clock @TIME is the time of a trace that is given");
    return record_flight_check(&own->flight, &own->limits, err);
}

#define OWN_FIELD(MEMBER) .offset = offsetof(struct record_options, MEMBER)

static const char *const formats[] = {"table", "json", NULL};

static const struct option_spec options[] = {
    OPTION_OUTPUT_AS("FOLDER", "where the archives go; it is made if need be", ":directory"),
    OPTION(0, "host", "LABEL", "the host's name (default: that of this domain)", .set = set_text,
           OPTION_FIELD(host)),
    OPTION(0, "rotate", "LEN", "an archive for each multiple of this (default 1h; 10s to 24h)",
           .set = set_rotate, .choices = "1h\n10min\n24h"),
    OPTIONS_HEADING("What to record"),
    OPTION(0, "for", "PURPOSE",
           "cpu: who ran; charges: and what driver domains did for whom (default); all: what there is",
           .set = set_purpose, .choices = "cpu\ncharges\nall"),
    OPTION(0, "max-cpu", "SHARE", "of a CPU, for example 2%: above it less is recorded", .set = set_max_cpu,
           .choices = "2%\n5%"),
    OPTION_GRANULARITY("keep results of these lengths (default 1s); execution: one row each"),
    OPTION('b', "by", "LIST", "keep rows by these, beside domain (default vcpu,pcpu)", .set = set_bys,
           .choices = ":list\nvcpu\npcpu\ndomain-pcpu"),
    OPTION(0, "with-trace", "[=LAST]",
           "keep the trace itself, too; of archives that ended longer ago only the rest",
           .set = set_with_trace, OWN_FIELD(keep_trace_ns), .choices = "2h\n24h\n7d"),
    OPTION(0, "level", "N", "of compression, 1 to 19 (default 3)", .set = set_level,
           .choices = "1\n3\n9\n19"),
    OPTION('T', "threads", "N", "compress on N threads (default 1)", .set = set_threads),
    OPTIONS_HEADING("How much to keep"),
    OPTION(0, "keep", "LEN", "remove archives that are older", .set = set_keep, OWN_FIELD(limits.keep_ns),
           .choices = "30d\n7d\n24h"),
    OPTION(0, "keep-bytes", "SIZE", "all archives together take at most this", .set = set_size,
           OWN_FIELD(limits.keep_bytes), .choices = "20G\n100G"),
    OPTION(0, "min-free", "SIZE", "so much of the file system stays free (default 64M)", .set = set_size,
           OWN_FIELD(limits.min_free_bytes), .choices = "1G\n10G"),
    OPTION(0, "when-full", "WHAT", "drop (default): the oldest archives go; stop: recording ends",
           .set = set_when_full, .choices = "drop\nstop"),
    OPTIONS_HEADING("Flight recorder"),
    OPTION(0, "flight", "SIZE,AGE",
           "keep the last of the trace in memory: so much at most, beside --buffer, and so long; write it to "
           "FOLDER/HOST/flight at SIGUSR1, or when a rule holds",
           .set = set_flight, OWN_FIELD(flight), .choices = "64M,30s\n256M,30s"),
    OPTION(
        0, "when", "RULE",
        "write it when this holds of an interval: 'wait_p99 > 20ms in web', 'lost > 0'; may be given several "
        "times",
        .set = set_flight_rule, OWN_FIELD(flight), .offer = complete_flight_rules),
    OPTION(0, "after", "LEN", "go on for so long (default 0s)", .set = set_flight_after, OWN_FIELD(flight),
           .choices = "2s\n10s"),
    OPTION(0, "flight-cooldown", "LEN", "after a dump rules make no other for so long (default 1min)",
           .set = set_flight_cooldown, OWN_FIELD(flight), .choices = "1min\n10min"),
    OPTION(0, "flight-max", "N", "keep the N newest dumps (default 10)", .set = set_dumps_max,
           OWN_FIELD(limits.dumps_max)),
    OPTIONS_HEADING("Where from"),
    OPTION(0, "xentrace", "PROGRAM", "what is started (default xentrace)", .set = set_text,
           OWN_FIELD(xentrace), .choices = ":file"),
    OPTION(0, "domain-info", "COMMAND", "who the domains are, in place of \"xl list -l\"; or a file",
           .set = set_text, OWN_FIELD(domain_info), .choices = ":file"),
    OPTION(0, "io-counts", "WHAT",
           "counters of devices, kept beside the trace: auto (default): this domain's, where xentrace is "
           "started; none; or a file of xenmeter io-counts",
           .set = set_text, OWN_FIELD(counts), .choices = "auto\nnone\n:file"),
    OPTION(
        0, "clock", "COMMAND",
        "where the time comes from, for tests; or @TIME: what time it was at the beginning of a trace that "
        "is given",
        .set = set_clock),
    OPTION(0, "cpu-hz", "HZ", "frequency of the tsc (2.4GHz); default: measured", .set = set_cpu_hz),
    OPTION(0, "max-memory", "SIZE", "give up rather than use more (default 1G)", .set = set_max_memory,
           .choices = "256M\n1G"),
    OPTION(0, "buffer", "SIZE", "of the trace, in memory: a third of it may wait to be decoded (default 80M)",
           .set = set_size, OWN_FIELD(buffer_bytes), .choices = "80M\n256M"),
    OPTIONS_CHARGE_TRACE,
    OPTION(0, "status", NULL, "show what the recorder of a folder does", .set = set_flag, OWN_FIELD(status)),
    OPTION_FORMAT("of --status: table, json"),
    OPTION_QUIET,
    OPTIONS_ALL,
};

/* SIGHUP: limits that the command line does not give are those that the configuration file has now. */
static bool read_limits_again(void *context, struct store_limits *limits)
{
    const struct record_options *own = context;
    struct record_options now = {.common = {.command = own->common.command},
                                 .limits = {.min_free_bytes = MIN_FREE, .dumps_max = FLIGHT_DUMPS}};
    bool given[sizeof options / sizeof *options];
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        unsigned bit = limit_bit(&options[i]);
        given[i] = !bit || own->limits_given & bit;
        if (bit & own->limits_given)
            memcpy((char *)&now + options[i].offset, (const char *)own + options[i].offset, sizeof(uint64_t));
    }
    bool was_read = !own->common.no_config && config_apply(&now.common, given) == 0;
    if (was_read)
        *limits = now.limits;
    free(now.common.config);
    return was_read;
}

static const struct command command = {
    .order = 70,
    .name = "record",
    .summary = "record a host into archives, for months",
    .usage = "[OPTIONS] -o FOLDER [TRACE]\n--status FOLDER",
    .text =
        "Runs in domain 0: starts xentrace, decodes its records as they come, and writes an archive for each "
        "hour of UTC, FOLDER/HOST/2026-11-29T07Z-BOOT-SEQ.xma, with the domains' names and the time of day. "
        "Each begins where the one before ended, to the moment. With TRACE (\"-\": standard input) that is "
        "recorded instead.",
    .examples = "xenmeter record -o /var/lib/xenmeter --keep 30d --keep-bytes 20G\n"
                "xenmeter record --status /var/lib/xenmeter\n"
                "xenmeter record -o /var/lib/xenmeter --flight 64M,30s --when 'wait_p99 > 20ms in web'\n"
                "xenmeter record -o archives --rotate 10s --clock @2026-11-29T07:00:00Z capture.xt",
    .options = options,
    .options_size = sizeof(struct record_options),
    .operands = OPERANDS_FILE,
    .formats = formats,
    .check = check,
    .run = run,
};
COMMAND(command);
