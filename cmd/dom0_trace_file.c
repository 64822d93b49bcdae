/*
 * The file of --dom0-trace: what Linux' ftrace wrote, perhaps compressed, with the comments of xenmeter-dom0-trace(5). The
 * lines of a CPU come in the order of their time; those of different CPUs need not.
 *
 * WORKS_MAX and DOM0_TRACE_CPUS bound the memory: 0.4 GiB.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "host/ftrace_host.h"
#include "parser/source/input.h"

#define LINE_BYTES_MAX 4096
#define REMARK         "# xenmeter "

struct dom0_trace_reader {
    struct input *input;
    uint64_t line_number;
    char line[LINE_BYTES_MAX];
    struct ftrace_host *host;
    struct dom0_trace *trace;
    bool
        named; /* somebody's work was told apart from the driver domain's: which domain that is cannot change */
    bool remarked; /* a recording by xenmeter: every event that is needed was asked for */
};

/* ---- lines ---- */

/*
 * Reads a line without its end: 1, or 0 at the end of the file. A last line without an end is still being written, and
 * does not count.
 */
static int next_line(struct dom0_trace_reader *r, struct error *err)
{
    struct view view;
    size_t n = 0;
    const uint8_t *end = NULL;
    r->line_number++;
    while (!end) {
        if (input_view(r->input, n + 1, &view, err) != 0)
            return -1;
        end = view.n > n ? memchr(view.data + n, '\n', view.n - n) : NULL;
        n = end ? (size_t)(end - view.data) : view.n;
        if (n >= LINE_BYTES_MAX)
            return error_on_line(err, r->line_number, "longer than %d bytes: this is no text of Linux' trace",
                                 LINE_BYTES_MAX - 1);
        if (!end && view.end)
            return 0;
    }
    if (memchr(view.data, '\0', n))
        return error_on_line(err, r->line_number, "this is no text of Linux' trace");
    memcpy(r->line, view.data, n);
    r->line[n] = '\0';
    input_consume(r->input, n + 1);
    return 1;
}

/* ---- the recorder's remarks ---- */

struct remark {
    uint64_t numbers[2];
    unsigned n;       /* numbers there are */
    const char *rest; /* of the line */
};

/* The name at the end of a remark, of what `whose` says. -1: there is none, or it is longer than names are. */
static int take_name(const struct dom0_trace_reader *r, const struct remark *m, const char *whose,
                     char name[TASK_NAME_BYTES], struct error *err)
{
    size_t n = strlen(m->rest);
    if (n == 0)
        return error_on_line(err, r->line_number, "the name of the %s is missing", whose);
    if (n >= TASK_NAME_BYTES)
        return error_on_line(err, r->line_number, "the name of the %s is longer than %d bytes", whose,
                             TASK_NAME_BYTES - 1);
    memcpy(name, m->rest, n + 1);
    return 0;
}

static int take_version(struct dom0_trace_reader *r, const struct remark *m, struct error *err)
{
    r->remarked = true;
    return m->numbers[0] == 1 ? 0
                              : error_on_line(err, r->line_number,
                                              "version %" PRIu64 " of this file is not known", m->numbers[0]);
}

static int take_domain(struct dom0_trace_reader *r, const struct remark *m, struct error *err)
{
    if (m->numbers[0] > UINT16_MAX)
        return error_on_line(err, r->line_number, "domain %" PRIu64 " is too large", m->numbers[0]);
    if (r->named && m->numbers[0] != r->trace->domain)
        return error_on_line(err, r->line_number, "lines before this one are about domain %u",
                             r->trace->domain);
    r->trace->domain = (uint16_t)m->numbers[0];
    return 0;
}

static int take_begin(struct dom0_trace_reader *r, const struct remark *m, struct error *err)
{
    const char *wrong = ftrace_host_begin(r->host, m->numbers[0]);
    return wrong ? error_on_line(err, r->line_number, "%s", wrong) : 0;
}

static int take_end(struct dom0_trace_reader *r, const struct remark *m, struct error *err)
{
    const char *wrong = ftrace_host_end(r->host, m->numbers[0]);
    return wrong ? error_on_line(err, r->line_number, "%s", wrong) : 0;
}

/* "lost 1 57": on CPU 1, 57 events of which no line says when they were lost */
static int take_lost(struct dom0_trace_reader *r, const struct remark *m, struct error *err)
{
    if (m->numbers[0] >= DOM0_TRACE_CPUS)
        return error_on_line(err, r->line_number, "CPU %" PRIu64 " is too large", m->numbers[0]);
    ftrace_host_lose(r->host, (unsigned)m->numbers[0], m->numbers[1]);
    return 0;
}

/* The owner that a remark names. -1: it is too large for a domain id. */
static int owner_of(struct dom0_trace_reader *r, uint64_t domain, uint32_t *owner, struct error *err)
{
    if (domain > UINT16_MAX)
        return error_on_line(err, r->line_number, "domain %" PRIu64 " is too large", domain);
    r->named = true;
    *owner = domain == r->trace->domain ? WORK_OWN : (uint32_t)domain;
    return 0;
}

/* "task 1234 5 qemu-system-i38" */
static int take_task(struct dom0_trace_reader *r, const struct remark *m, struct error *err)
{
    struct ftrace_task task = {.pid = (uint32_t)m->numbers[0]};
    uint32_t owner = WORK_UNKNOWN;
    if (m->numbers[0] == 0 || m->numbers[0] >= FTRACE_PIDS_MAX)
        return error_on_line(err, r->line_number, "there is no task %" PRIu64 " to be whose", m->numbers[0]);
    if (owner_of(r, m->numbers[1], &owner, err) != 0 || take_name(r, m, "task", task.name, err) != 0)
        return -1;
    return ftrace_owners_set_task(ftrace_host_owners(r->host), &task, owner) ? 0
                                                                             : error_no_memory(err, "tasks");
}

/* "device 3 web" */
static int take_device(struct dom0_trace_reader *r, const struct remark *m, struct error *err)
{
    char name[TASK_NAME_BYTES];
    uint32_t owner = WORK_OWN;
    if (owner_of(r, m->numbers[0], &owner, err) != 0 || take_name(r, m, "device", name, err) != 0)
        return -1;
    return owner == WORK_OWN || ftrace_owners_set_device(ftrace_host_owners(r->host), name, (uint16_t)owner)
               ? 0
               : error_no_memory(err, "interfaces");
}

/* "irq 45 2", "irq 45 shared" */
static int take_irq(struct dom0_trace_reader *r, const struct remark *m, struct error *err)
{
    uint32_t owner = WORK_UNKNOWN;
    if (m->n == 2 && owner_of(r, m->numbers[1], &owner, err) != 0)
        return -1;
    if (m->n == 1 && strcmp(m->rest, "shared") != 0)
        return error_on_line(err, r->line_number, "wants a domain, or shared");
    if (m->numbers[0] >= IRQS_MAX)
        return error_on_line(err, r->line_number, "interrupt %" PRIu64 " is too large", m->numbers[0]);
    return ftrace_owners_set_irq(ftrace_host_owners(r->host), (uint32_t)m->numbers[0], owner)
               ? 0
               : error_no_memory(err, "interrupts");
}

static const struct remark_kind {
    const char *name;
    unsigned numbers_min, numbers_max;
    bool has_rest; /* text follows the numbers, at least where there are fewer than can be */
    int (*take)(struct dom0_trace_reader *r, const struct remark *m, struct error *err);
} remarks[] = {
    {"dom0-trace ", 1, 1, false, take_version}, {"domain ", 1, 1, false, take_domain},
    {"begin ", 1, 1, false, take_begin},        {"end ", 1, 1, false, take_end},
    {"task ", 2, 2, true, take_task},           {"irq ", 1, 2, false, take_irq},
    {"lost ", 2, 2, false, take_lost},          {"device ", 1, 1, true, take_device},
};

/* Reads up to `most` numbers at `text`, and what follows them. False: one is larger than 64 bits. */
static bool read_numbers(struct remark *m, const char *text, unsigned most)
{
    errno = 0;
    for (; m->n < most && *text >= '0' && *text <= '9'; text += strspn(text, " ")) {
        char *end;
        m->numbers[m->n++] = strtoull(text, &end, 10);
        text = end;
    }
    m->rest = text;
    return errno == 0;
}

static int take_remark(struct dom0_trace_reader *r, struct error *err)
{
    const char *text = r->line + strlen(REMARK);
    for (const struct remark_kind *k = remarks; k < remarks + sizeof remarks / sizeof *remarks; k++) {
        struct remark m = {.n = 0};
        if (strncmp(text, k->name, strlen(k->name)) != 0)
            continue;
        if (!read_numbers(&m, text + strlen(k->name), k->numbers_max))
            return error_on_line(err, r->line_number, "a number in '%.60s' is too large", r->line);
        if (m.n < k->numbers_min || (*m.rest && !k->has_rest && m.n == k->numbers_max))
            break;
        return k->take(r, &m, err);
    }
    return error_on_line(err, r->line_number, "'%.60s' is no remark that this version knows", r->line);
}

/* ---- the file ---- */

static int take_line(struct dom0_trace_reader *r, struct error *err)
{
    struct ftrace_line line;
    if (strncmp(r->line, REMARK, strlen(REMARK)) == 0)
        return take_remark(r, err);
    ftrace_line_read(r->line, &line);
    if (line.kind == FTRACE_WRONG)
        return error_on_line(err, r->line_number, "%s", line.wrong);
    if (line.kind == FTRACE_COMMENT)
        return 0;
    r->named = true;
    const char *why = ftrace_host_take(r->host, &line);
    return why ? error_on_line(err, r->line_number, "CPU %u: %s", line.cpu, why) : 0;
}

static int read_lines(struct dom0_trace_reader *r, struct error *err)
{
    int status;
    while ((status = next_line(r, err)) > 0)
        if (take_line(r, err) != 0)
            return -1;
    if (status < 0)
        return -1;
    if (input_cut_short(r->input))
        return error_on_line(err, r->line_number,
                             "the compressed data ends in the middle: the recording was not completed");
    const char *missing = r->remarked ? NULL : ftrace_host_lacks(r->host);
    if (missing)
        return error_set(err, ERROR_FORMAT,
                         "there is no %s in it: \"xenmeter io-counts --ftrace\" records what is needed",
                         missing);
    const char *wrong = ftrace_host_wrong(r->host);
    if (wrong)
        return error_set(err, ERROR_FORMAT, "%s", wrong);
    return ftrace_host_finish(r->host) ? 0 : error_no_memory(err, "dom0's trace");
}

static int read_file(struct dom0_trace_reader *r, const char *path, struct error *err)
{
    r->trace = calloc(1, sizeof *r->trace);
    r->host = r->trace ? ftrace_host_new(r->trace) : NULL;
    if (!r->host)
        return error_no_memory(err, "dom0's trace");
    r->input = input_open(path, err);
    return r->input ? read_lines(r, err) : -1;
}

struct dom0_trace *dom0_trace_read(const char *path, struct error *err)
{
    struct dom0_trace_reader *r = calloc(1, sizeof *r);
    if (!r) {
        error_no_memory(err, "dom0's trace");
        return NULL;
    }
    int status = read_file(r, path, err);
    struct dom0_trace *t = r->trace;
    if (r->input)
        input_close(r->input);
    ftrace_host_free(r->host);
    free(r);
    if (status == 0)
        return t;
    dom0_trace_free(t);
    return NULL;
}
