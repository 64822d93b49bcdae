/*
 * xenmeter io-counts: logs the packet and request counters of every guest's devices and the CPU times of its threads, as
 * this driver domain's kernel keeps them, in the form that counters_read takes.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cli.h"
#include "host/ftrace_recorder.h"
#include "host/io_file.h"
#include "host/io_reader.h"

#define INTERVAL_NS       1000000000u     /* without --interval */
#define INTERVAL_LEAST_NS 10000000u       /* 10 ms */
#define INTERVAL_MOST_NS  86400000000000u /* a day */
#define ROUND_NS          3600000000000u  /* one call waits no longer: time_t can be small */

struct io_counts_options {
    struct options common;
    struct io_wanted wanted;
    uint64_t interval_ns; /* 0: not given */
    size_t count;         /* 0: without end */
    const char *ftrace;   /* where what Linux' ftrace says goes; NULL: it is not asked */
};

/* ---- the log ---- */

struct log {
    const char *name;
    int fd;
    bool in_pieces; /* not a regular file: a write is limited to what a pipe takes as a whole */
    bool ending;    /* the last rows: writes what can be written at once */
    const atomic_int *stop;
    const sigset_t *wait_mask;
    struct ftrace_recorder *recorder; /* its buffers are emptied while the log waits; NULL: none */
};

enum counts_wait { GOES_ON, ENDS, FAILED };

/*
 * Waits for `events` of the log from `at_ns`, which is now, until then; GOES_ON when they came or it is time; FAILED: the
 * recorder failed, and knows why.
 */
static enum counts_wait wait_for(const struct log *log, short events, uint64_t at_ns, uint64_t until_ns)
{
    for (;; at_ns = io_clock_ns()) {
        uint64_t left = until_ns > at_ns ? until_ns - at_ns : 0;
        uint64_t most = log->recorder ? FTRACE_TICK_NS : ROUND_NS, round = left < most ? left : most;
        struct timespec timeout = {(time_t)(round / 1000000000u), (long)(round % 1000000000u)};
        struct pollfd poll = {.fd = log->fd, .events = events};
        int n = ppoll(&poll, 1, &timeout, log->wait_mask);
        if (*log->stop || (n > 0 && !events)) /* poll reports a reader that is gone without being asked */
            return ENDS;
        if (log->recorder && ftrace_recorder_drain(log->recorder) != 0)
            return FAILED;
        if (n > 0 || (n == 0 && round == left))
            return GOES_ON;
    }
}

/* How many of the n bytes go in one write: whole lines, so that none is cut when the log ends. */
static size_t piece_of(const struct log *log, const char *text, size_t n)
{
    if (!log->in_pieces || n <= PIPE_BUF)
        return n;
    const char *end = memrchr(text, '\n', PIPE_BUF);
    return end ? (size_t)(end - text) + 1 : PIPE_BUF;
}

/* Waits until the next piece can be written, as wait_for. */
static enum counts_wait wait_for_room(const struct log *log)
{
    struct pollfd poll_log = {.fd = log->fd, .events = POLLOUT};
    if (!log->in_pieces)
        return GOES_ON;
    if (log->ending)
        return poll(&poll_log, 1, 0) > 0 ? GOES_ON : ENDS;
    return wait_for(log, POLLOUT, 0, UINT64_MAX);
}

static enum counts_wait write_log(const struct log *log, const struct buffer *rows, struct error *err)
{
    for (size_t done = 0; done < rows->n;) {
        enum counts_wait room = wait_for_room(log);
        if (room != GOES_ON)
            return room;
        ssize_t n = write(log->fd, rows->at + done, piece_of(log, rows->at + done, rows->n - done));
        if (n < 0 && errno == EPIPE)
            return ENDS;
        if (n < 0 && errno != EINTR && errno != EAGAIN) {
            error_set(err, ERROR_IO, "%.200s: %s", log->name, strerror(errno));
            return FAILED;
        }
        done += n > 0 ? (size_t)n : 0;
    }
    return GOES_ON;
}

static int open_log(struct log *log, const char *path, struct error *err)
{
    struct stat st;
    log->name = path ? path : "standard output";
    log->fd =
        path ? TEMP_FAILURE_RETRY(open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666)) : STDOUT_FILENO;
    if (log->fd < 0 || fstat(log->fd, &st) != 0)
        return error_set(err, ERROR_IO, "%.200s: %s", log->name, strerror(errno));
    log->in_pieces = !S_ISREG(st.st_mode);
    log->stop = signals_stop_flag(&log->wait_mask);
    return 0;
}

/* ---- the command ---- */

/* Where time stamp counters of domains can differ from the host's, which traces carry. */
static void warn_of_guest_type(const struct io_counts_options *o)
{
    char path[PATH_MAX], type[16] = "";
    snprintf(path, sizeof path, "%s/sys/hypervisor/guest_type", o->wanted.root);
    FILE *f = fopen(path, "re");
    if (!f)
        return;
    if (fscanf(f, "%15s", type) == 1 && strcmp(type, "PV") != 0)
        complain("the type of this domain is %s: its time stamp counter may differ from that of traces "
                 "(see xenmeter-io-counts(1))",
                 type);
    fclose(f);
}

/* What is read and where it goes. */
struct logging {
    const struct io_counts_options *options;
    struct io_reader *reader;
    struct log log;
    struct buffer rows;
    bool said_none, said_unread;
};

static void warn_of_missing(struct logging *l, const struct io_reading *reading)
{
    if (reading->devices == 0 && !l->said_none && !l->options->common.quiet)
        complain("no devices of %s yet: no vifD.N, no vbd-D-N",
                 l->options->wanted.domains ? "these domains" : "guests");
    if (reading->unread > 0 && !l->said_unread && !l->options->common.quiet)
        complain(
            "the CPU times of %zu threads cannot be read: is the limit of open files (ulimit -n) too low?",
            reading->unread);
    l->said_none |= reading->devices == 0;
    l->said_unread |= reading->unread > 0;
}

/* Reads and writes at each point of the grid; points that have passed already are left out. */
static enum counts_wait keep_log(struct logging *l, struct error *err)
{
    const struct io_counts_options *o = l->options;
    uint64_t begun_ns = io_clock_ns();
    for (size_t readings = 1;; readings++) {
        struct io_reading reading;
        if (io_reader_read(l->reader, &l->rows, &reading, err) != 0)
            return FAILED;
        warn_of_missing(l, &reading);
        enum counts_wait outcome = write_log(&l->log, &l->rows, err);
        l->rows.n = 0;
        if (outcome != GOES_ON || readings == o->count)
            return outcome;
        uint64_t passed = (reading.end_ns - begun_ns) / o->interval_ns;
        outcome = wait_for(&l->log, 0, reading.end_ns, begun_ns + (passed + 1) * o->interval_ns);
        if (outcome != GOES_ON)
            return outcome;
    }
}

/* All but the last rows of times that have not grown are in the log. */
static enum counts_wait end_log(struct logging *l, struct error *err)
{
    l->log.ending = true;
    io_reader_last_rows(l->reader, &l->rows);
    return write_log(&l->log, &l->rows, err);
}

/* Records with ftrace, too, if it is wanted. */
static int start_recorder(struct logging *l, struct error *err)
{
    const struct io_counts_options *o = l->options;
    const struct io_interfaces interfaces = io_reader_interfaces(l->reader);
    const struct ftrace_wanted wanted = {.root = o->wanted.root,
                                         .path = o->ftrace,
                                         .interfaces = &interfaces,
                                         .idd_given = o->wanted.form.idd_given,
                                         .idd = o->wanted.form.idd,
                                         .tell = complain,
                                         .quiet = o->common.quiet};
    if (o->ftrace)
        l->log.recorder = ftrace_recorder_start(&wanted, err);
    return o->ftrace && !l->log.recorder ? -1 : 0;
}

static enum counts_wait log_and_record(struct logging *l, struct error *err)
{
    if (start_recorder(l, err) != 0)
        return FAILED;
    io_rows_header(&l->rows, &l->options->wanted.form);
    enum counts_wait outcome = keep_log(l, err);
    if (outcome != FAILED)
        outcome = end_log(l, err);
    return ftrace_recorder_stop(l->log.recorder, outcome == FAILED, err) == 0 ? outcome : FAILED;
}

static int keep(struct logging *l, struct error *err)
{
    const struct io_counts_options *o = l->options;
    if (open_log(&l->log, o->common.output, err) != 0)
        return -1;
    if (!o->common.quiet && io_clock_has_tsc())
        warn_of_guest_type(o);
    int status = log_and_record(l, err) == FAILED ? -1 : 0;
    if (o->common.output && close(l->log.fd) != 0 && errno != EINTR && status == 0)
        status = error_set(err, ERROR_IO, "%.200s: %s", l->log.name, strerror(errno));
    return status;
}

static int run(const struct options *o)
{
    struct error err = {0};
    struct io_counts_options own = *(const struct io_counts_options *)o;
    struct logging l = {.options = &own};
    own.wanted.root = own.wanted.root ? own.wanted.root : "";
    own.wanted.domains = o->domains;
    const struct io_rows_form given = own.wanted.form;
    own.wanted.form = io_reader_form(own.wanted.root);
    own.wanted.form.idd_given = given.idd_given;
    own.wanted.form.idd = given.idd;
    own.interval_ns = own.interval_ns ? own.interval_ns : INTERVAL_NS;
    io_file_raise_limit();
    l.reader = io_reader_new(&own.wanted, &err); /* before the old FILE is gone */
    int status = l.reader && keep(&l, &err) == 0 ? EXIT_DONE : fail(NULL, &err);
    io_reader_free(l.reader);
    buffer_free(&l.rows);
    return status;
}

/* ---- options ---- */

static int set_interval(struct options *o, const struct option_spec *s, const char *text, struct error *err)
{
    uint64_t *ns = &((struct io_counts_options *)o)->interval_ns;
    if (parse_duration(s->name, text, strlen(text), ns, err) != 0)
        return -1;
    if (*ns < INTERVAL_LEAST_NS || *ns > INTERVAL_MOST_NS)
        return error_set(err, ERROR_USAGE, "--interval %s: at least 10ms, at most 24h", text);
    return 0;
}

static int set_idd(struct options *o, const struct option_spec *s, const char *text, struct error *err)
{
    struct io_rows_form *form = &((struct io_counts_options *)o)->wanted.form;
    size_t digits = strspn(text, "0123456789");
    unsigned long id = digits > 0 && digits <= 5 && !text[digits] ? strtoul(text, NULL, 10) : ULONG_MAX;
    if (id > UINT16_MAX)
        return error_set(err, ERROR_USAGE, "--%s %.60s: wants the id of this domain, for example 5", s->name,
                         text);
    form->idd_given = true;
    form->idd = (unsigned)id;
    return 0;
}

static int check(struct options *o, struct error *err)
{
    size_t n = o->output ? strlen(o->output) : 0;
    if (o->inputs_n)
        return error_set(err, ERROR_USAGE, "io-counts reads no FILE: '%s' was given", o->inputs[0]);
    if (o->domains_named)
        return error_set(err, ERROR_USAGE, "--domains %.60s: wants ids and ranges, for example 0,3-5",
                         o->domains_list);
    if (n > 4 && strcmp(o->output + n - 4, ".zst") == 0)
        return error_set(err, ERROR_USAGE, "--output %.200s: this log is not compressed", o->output);
    if (o->output && strcmp(o->output, "-") == 0)
        o->output = NULL;
    const char *ftrace = ((struct io_counts_options *)o)->ftrace;
    if (ftrace && (!*ftrace || strcmp(ftrace, "-") == 0))
        return error_set(err, ERROR_USAGE, "--ftrace wants the name of a file");
    if (ftrace && o->output && (strcmp(ftrace, o->output) == 0 || same_file(ftrace, o->output)))
        return error_set(err, ERROR_USAGE, "--ftrace and --output are the same file");
    return 0;
}

static const struct option_spec options[] = {
    OPTION('i', "interval", "LEN", "from one reading to the next (default 1s; at least 10ms)",
           .set = set_interval, .choices = "1s\n100ms"),
    OPTION('n', "count", "N", "stop after N readings; default: at SIGINT or SIGTERM", .set = set_count,
           .offset = offsetof(struct io_counts_options, count)),
    OPTION_DOMAINS("only these guests: 0,3-5"),
    OPTION_OUTPUT_AS("FILE", "write to FILE, which is replaced; default: standard output", ":file"),
    OPTION(0, "ftrace", "FILE",
           "also records who runs on this domain's CPUs, for --dom0-trace of charge; .zst at the end "
           "compresses",
           .set = set_text, .offset = offsetof(struct io_counts_options, ftrace), .choices = ":file"),
    OPTION(0, "idd", "ID", "adds the column idd: which driver domain this is, if not domain 0",
           .set = set_idd),
    OPTION(0, "root", "DIR", "the tree in which sys/, proc/ and dev/ are (default /)", .set = set_text,
           .offset = offsetof(struct io_counts_options, wanted.root), .choices = ":directory"),
    OPTION_QUIET,
    OPTIONS_ALL,
};

static const struct command command = {
    .order = 50,
    .name = "io-counts",
    .summary = "log packets, requests and CPU times of guests' devices, beside a trace",
    .usage = "[OPTIONS]",
    .text = "Runs in domain 0, or another driver domain of Linux. At each interval it reads the counters "
            "that the "
            "kernel keeps for guests' network devices (vifD.N) and disks (vbd-D-N, vbd3-D-N), and the CPU "
            "times of the threads and processes that work for one guest, and writes CSV lines, stamped with "
            "the time stamp counter that trace records carry.",
    .examples = "xenmeter io-counts -i 100ms -o counts.csv &\n"
                "sleep 1; xentrace -D -e 0x2f000 -T 60 capture.xt; sleep 1; kill %1\n"
                "xenmeter charge --io-counts counts.csv capture.xt",
    .options = options,
    .options_size = sizeof(struct io_counts_options),
    .check = check,
    .run = run,
};
COMMAND(command);
