/*
 * XenMon's own logs, so that what reads them goes on working: for each domain PREFIX-domN.log, for the idle loops
 * PREFIX-idle.log. A line for each pCPU and interval, in XenMon's columns and units; xenmeter-xenmon(5) has both, and
 * where the numbers differ from XenMon's.
 *
 * The logs appear whole at the end, all or none: with an error, no log appears that was not there before. (Of more
 * than BATCH logs, those that were there before may already be replaced.) They wait in a temporary file
 * (formats/spill.h), and never are more than BATCH files open. Live logs instead grow with every interval, as
 * XenMon's do, and stay as they are when the run fails.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "formats/spill.h"
#include "formats/writer_ops.h"
#include "metrics/array.h"
#include "metrics/min_max.h"
#include "metrics/relation/relation.h"

#define DOMAINS     65536             /* ids are 16 bits wide */
#define XENMON_IDLE (-1)              /* what XenMon calls the idle domain */
#define ROW_BYTES   512               /* no line is longer */
#define CHUNK_BYTES 4096              /* of one log are aggregate before they go to the temporary file */
#define BATCH       (OUTPUTS_MAX - 4) /* files open at one time: some are left to others */

static const char header[] = "# passed cpu dom cpu(tot) cpu(%) cpu/ex allocated/ex blocked(tot) blocked(%) "
                             "blocked/io waited(tot) waited(%) waited/ex ex/s io(tot) io/ex\n";

/* A piece of one log in the temporary file. */
struct log_chunk {
    uint64_t at;
    size_t n;
};

struct domain_log {
    int32_t domain;
    char *path;
    struct buffer text; /* lines on their way to the temporary file, or (live) to the log itself */
    struct log_chunk *chunks;
    size_t chunks_n, chunks_capacity;
    struct output *out;    /* while it is being made */
    bool was_there, begun; /* before; by us: it has appeared, or (live) has its header */
};

struct xenmon {
    struct writer base;            /* its output only keeps what went wrong */
    const struct column *io_total; /* what counts as I/O is said once, in the table of columns */
    struct domain_log *by_domain[DOMAINS];
    struct domain_log **logs; /* the same, in the order of their first lines */
    size_t logs_n, logs_capacity;
    struct spill spool; /* the chunks of all */
};

static int no_memory(struct error *err)
{
    return error_no_memory(err, "the logs");
}

static int cannot(const char *what, const char *path, int number, struct error *err)
{
    return error_set(err, ERROR_IO, "%s: cannot %s: %s", path, what, strerror(number));
}

/* Puts the log's name before what went wrong with it. */
static int name_error(const struct domain_log *d, struct error *err)
{
    struct error why = *err;
    return error_set(err, why.code, "%s: %s", d->path, why.message);
}

/* ---- lines ---- */

static void add_number(struct buffer *b, double x)
{
    buffer_add(b, " ", 1);
    buffer_decimal(b, x, 3);
}

/* XenMon prints 0 where there is nothing to divide by. */
static double per(double x, uint64_t n)
{
    return n ? x / (double)n : 0;
}

/* The three numbers that XenMon has of a time: ns per second, per cent, ns per event. */
static void add_time(struct buffer *b, int64_t ns, uint64_t length_ns, uint64_t events)
{
    add_number(b, (double)ns * 1e9 / (double)length_ns);
    add_number(b, (double)ns * 100 / (double)length_ns);
    add_number(b, per((double)ns, events));
}

static uint64_t io_of(const struct xenmon *log, const struct interval *interval, const struct row *row)
{
    struct row_view view = {.interval = interval, .row = row, .by = BY_DOMAIN_PCPU};
    struct value io = column_value(log->io_total, &view);
    return io.type == VALUE_INTEGER ? (uint64_t)io.integer : 0;
}

static int64_t ran_ns(const struct row *row)
{
    const struct measures *m = row->measures;
    return row->domain == IDLE_DOMAIN ? m->idle_ns : m->state_ns[RUNSTATE_RUNNING];
}

static void add_line(struct buffer *b, const struct interval *interval, const struct row *row, uint64_t io)
{
    const struct measures *m = row->measures;
    uint64_t length_ns = interval->end_ns - interval->start_ns;
    double seconds = (double)length_ns / 1e9;
    buffer_decimal(b, (double)interval->end_ns / 1e6, 3);
    buffer_add(b, " ", 1);
    buffer_integer(b, row->pcpu);
    buffer_add(b, " ", 1);
    buffer_integer(b, row->domain == IDLE_DOMAIN ? XENMON_IDLE : row->domain);
    add_time(b, ran_ns(row), length_ns, m->executions);
    add_number(b, per((double)m->allocated_ns, m->allocated_slices));
    add_time(b, m->state_ns[RUNSTATE_BLOCKED], length_ns, io);
    add_time(b, m->state_ns[RUNSTATE_RUNNABLE], length_ns, m->executions);
    add_number(b, (double)m->executions / seconds);
    add_number(b, (double)io / seconds);
    add_number(b, per((double)io, m->executions));
    buffer_add(b, "\n", 1);
}

/* Whether a line would have anything but zeros. */
static bool has_line(const struct row *row, uint64_t io)
{
    const struct measures *m = row->measures;
    return ran_ns(row) || m->state_ns[RUNSTATE_BLOCKED] || m->state_ns[RUNSTATE_RUNNABLE] || m->executions ||
           io;
}

/* ---- the logs ---- */

static bool is_capture(const struct xenmon *log, const char *path)
{
    struct stat capture, found;
    return log->base.schema->capture && stat(log->base.schema->capture, &capture) == 0 &&
           stat(path, &found) == 0 && capture.st_dev == found.st_dev && capture.st_ino == found.st_ino;
}

static char *path_of(const struct xenmon *log, int32_t domain)
{
    struct buffer path = {0};
    if (domain == IDLE_DOMAIN)
        buffer_printf(&path, "%s-idle.log%c", log->base.schema->prefix, '\0');
    else
        buffer_printf(&path, "%s-dom%d.log%c", log->base.schema->prefix, (int)domain, '\0');
    if (!path.failed)
        return path.at;
    buffer_free(&path);
    return NULL;
}

static void free_domain_log(struct domain_log *d)
{
    if (!d)
        return;
    output_abort(d->out);
    buffer_free(&d->text);
    free(d->chunks);
    free(d->path);
    free(d);
}

static struct domain_log *add_log(struct xenmon *log, int32_t domain, struct error *err)
{
    struct domain_log **logs =
        array_reserve(log->logs, &log->logs_capacity, log->logs_n + 1, sizeof(struct domain_log *));
    if (logs)
        log->logs = logs;
    struct domain_log *d = logs ? calloc(1, sizeof *d) : NULL;
    if (!d || !(d->path = path_of(log, domain))) {
        free_domain_log(d);
        no_memory(err);
        return NULL;
    }
    if (is_capture(log, d->path)) {
        error_set(err, ERROR_USAGE, "%s is the capture itself: it would be lost", d->path);
        free_domain_log(d);
        return NULL;
    }
    d->domain = domain;
    log->logs[log->logs_n++] = log->by_domain[domain] = d;
    return d;
}

/* Moves the lines aggregate so far to the temporary file. */
static int put_away(struct xenmon *log, struct domain_log *d, struct error *err)
{
    struct log_chunk *chunks = array_reserve(d->chunks, &d->chunks_capacity, d->chunks_n + 1, sizeof *chunks);
    if (!chunks)
        return no_memory(err);
    d->chunks = chunks;
    struct buffer *spool = &log->spool.text;
    chunks[d->chunks_n++] = (struct log_chunk){log->spool.file_bytes + spool->n, d->text.n};
    buffer_add(spool, d->text.at, d->text.n);
    d->text.n = 0;
    return spill_settle(&log->spool, err);
}

static int take_row(struct xenmon *log, const struct interval *interval, const struct row *row,
                    struct error *err)
{
    uint64_t io = io_of(log, interval, row);
    if (row->domain < 0 || row->domain >= DOMAINS || !has_line(row, io))
        return 0;
    struct domain_log *d = log->by_domain[row->domain];
    if (!d && !(d = add_log(log, row->domain, err)))
        return -1;
    add_line(&d->text, interval, row, io);
    if (d->text.failed)
        return no_memory(err);
    return !log->base.schema->live && d->text.n > CHUNK_BYTES - ROW_BYTES ? put_away(log, d, err) : 0;
}

/* ---- live: straight into the logs, one open at a time ---- */

static int append_live(struct domain_log *d, struct error *err)
{
    int fd = TEMP_FAILURE_RETRY(
        open(d->path, O_WRONLY | O_CREAT | O_CLOEXEC | (d->begun ? O_APPEND : O_TRUNC), 0666));
    if (fd < 0)
        return cannot("create", d->path, errno, err);
    int status = d->begun ? 0 : output_write_fd(fd, header, sizeof header - 1);
    if (status == 0)
        status = output_write_fd(fd, d->text.at, d->text.n);
    if (status != 0)
        cannot("write", d->path, errno, err);
    if (close(fd) != 0 && errno != EINTR && status == 0)
        status = cannot("write", d->path, errno, err);
    d->begun = true;
    d->text.n = 0;
    return status;
}

/* ---- the end: each log under a temporary name, then all renamed ---- */

/* Writes the whole log under its temporary name, as far as that a full disk shows. */
static int make_log(const struct xenmon *log, struct domain_log *d, struct error *err)
{
    d->was_there = access(d->path, F_OK) == 0;
    d->out = output_open(d->path, err);
    if (!d->out)
        return name_error(d, err);
    output_write(d->out, header, sizeof header - 1);
    for (size_t i = 0; i < d->chunks_n; i++)
        spill_copy_part(&log->spool, d->chunks[i].at, d->chunks[i].n, d->out);
    output_write(d->out, d->text.at, d->text.n);
    return output_flush(d->out); /* the commit reports why it failed */
}

static int commit_log(struct domain_log *d, struct error *err)
{
    struct output *out = d->out;
    d->out = NULL;
    if (output_commit(out, err) != 0)
        return name_error(d, err);
    d->begun = true;
    return 0;
}

static int make_batch(const struct xenmon *log, size_t from, size_t to, struct error *err)
{
    for (size_t i = from; i < to; i++)
        if (make_log(log, log->logs[i], err) != 0)
            return log->logs[i]->out ? commit_log(log->logs[i], err) : -1;
    for (size_t i = from; i < to; i++)
        if (commit_log(log->logs[i], err) != 0)
            return -1;
    return 0;
}

/* Takes back what has appeared. What was replaced cannot be brought back; it is whole. */
static void take_back(struct xenmon *log)
{
    for (size_t i = 0; i < log->logs_n; i++) {
        struct domain_log *d = log->logs[i];
        output_abort(d->out);
        d->out = NULL;
        if (d->begun && !d->was_there)
            unlink(d->path);
    }
}

/* ---- the writer ---- */

/* Says at the beginning what would fail at the end. */
static int check_directory(const char *prefix, struct error *err)
{
    const char *slash = strrchr(prefix, '/');
    char *directory = slash ? strndup(prefix, (size_t)(slash - prefix) + 1) : strdup(".");
    if (!directory)
        return no_memory(err);
    int status = access(directory, W_OK | X_OK);
    if (status != 0)
        cannot("create logs there", directory, errno, err);
    free(directory);
    return status;
}

static int begin(struct writer *w)
{
    struct xenmon *log = (struct xenmon *)w;
    struct error why;
    spill_init(&log->spool);
    log->io_total = column_find(&relation_rows, "io_total");
    if (check_directory(w->schema->prefix, &why) != 0)
        output_fail(w->out, &why); /* shows in the next call, and in its commit */
    return 0;
}

static int append_logs(const struct xenmon *log, struct error *err)
{
    for (size_t i = 0; i < log->logs_n; i++)
        if (log->logs[i]->text.n && append_live(log->logs[i], err) != 0)
            return -1;
    return 0;
}

/* Rows by domain and pCPU, those of the idle domain included. */
static int rows(struct writer *w, const struct rows *rows)
{
    struct xenmon *log = (struct xenmon *)w;
    struct error why;
    int status = 0;
    if (output_failure(w->out))
        return -1;
    if (rows->interval->end_ns <= rows->interval->start_ns)
        return 0;
    for (size_t i = 0; i < rows->n && status == 0; i++)
        status = take_row(log, rows->interval, row_at(rows, i), &why);
    if (status == 0 && w->schema->live)
        status = append_logs(log, &why);
    return status == 0 ? 0 : output_fail(w->out, &why);
}

/* XenMon's logs have no place for the summary. */
static int end(struct writer *w, const struct report_summary *summary)
{
    struct xenmon *log = (struct xenmon *)w;
    struct error why;
    (void)summary;
    if (output_failure(w->out))
        return -1;
    for (size_t at = 0; !w->schema->live && at < log->logs_n; at += BATCH)
        if (make_batch(log, at, min64(at + BATCH, log->logs_n), &why) != 0) {
            take_back(log);
            return output_fail(w->out, &why);
        }
    return 0;
}

static void release(struct writer *w)
{
    struct xenmon *log = (struct xenmon *)w;
    for (size_t i = 0; i < log->logs_n; i++)
        free_domain_log(log->logs[i]);
    if (log->io_total) /* else it has not begun */
        spill_free(&log->spool);
    free(log->logs);
}

const struct writer_ops xenmon_writer = {
    .name = "xenmon",
    .size = sizeof(struct xenmon),
    .begin = begin,
    .rows = rows,
    .end = end,
    .release = release,
};
