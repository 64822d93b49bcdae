#include "ftrace_recorder.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "formats/buffer.h"
#include "formats/output.h"
#include "ftrace_devices.h"
#include "metrics/measure/dom0_trace.h"
#include "io_clock.h"
#include "io_file.h"
#include "io_search.h"
#include "tracefs.h"

#define LOOK_NS      1000000000u  /* from one look at who works for whom to the next */
#define SETTLE_NS    10000000000u /* after a device came, all are looked at */
#define FULL_LOOK_NS 60000000000u /* else so often */
#define READ_BYTES   65536
#define READS_MOST   64 /* between two looks at signals */
#define CLOCK        "x86-tsc"

struct ftrace_recorder {
    struct tracefs_instance instance;
    int pipe; /* the instance's trace_pipe; -1: not open */
    struct output *output;
    const char *root, *path;
    host_teller *tell;
    bool quiet;
    struct io_search *search; /* finds processes that serve guests; NULL: there is no /proc */
    unsigned domain;          /* of this domain */
    unsigned cpus, buffer_kb; /* of each */
    bool filling;             /* more has to be moved */
    struct buffer devices;    /* what the file says of them */
    struct buffer remarks;    /* that are to be written */
    uint64_t names;           /* of devices, see ftrace_devices_names */
    uint64_t settled_ns, next_full_ns;
    uint64_t next_look_ns; /* at what no event tells */
    bool inside_line;      /* what was read last ends in the middle of one */
    bool failed;
    struct error why;
    char bytes[READ_BYTES];
};

/* Without these nothing can be told. */
static const char *const events[] = {
    "sched/sched_switch", "irq/irq_handler_entry", "irq/irq_handler_exit",
    "irq/softirq_entry",  "irq/softirq_exit",      "napi/napi_poll",
};

/* Interrupts that no handler serves: in a PV domain there are none. */
static const char *const vectors[] = {
    "local_timer", "reschedule", "call_function", "irq_work", "call_function_single", "x86_platform_ipi",
};

/* Whom a backend's event channel wakes tells whose it is; the names of interrupts and devices tell all others. */
#define WAKING "events/sched/sched_waking"
#define WAKING_FILTER                                                                                        \
    "comm ~ \"*.xvd*\" || comm ~ \"*.hd*\" || comm ~ \"*.sd*\" || comm ~ \"blkback.*\" || "                  \
    "comm ~ \"qemu*\" || comm ~ \"tapdisk*\""

/* ---- what is switched on ---- */

static int set(const struct ftrace_recorder *r, const char *file, const char *text, struct error *err)
{
    if (tracefs_write(&r->instance, file, text) == 0)
        return 0;
    return error_set(err, ERROR_IO, "--ftrace: %.120s/%s: %s", r->instance.path, file, strerror(errno));
}

static int choose_clock(const struct ftrace_recorder *r, struct error *err)
{
    char clocks[256];
    if (tracefs_read(&r->instance, "trace_clock", clocks, sizeof clocks) != 0)
        return error_set(err, ERROR_IO, "--ftrace: %.120s/trace_clock: %s", r->instance.path,
                         strerror(errno));
    clocks[strcspn(clocks, "\n")] = '\0';
    if (!strstr(clocks, CLOCK))
        return error_set(err, ERROR_IO,
                         "--ftrace: this kernel has no trace clock " CLOCK
                         ", the one that xentrace's records carry; it has: %.150s",
                         clocks);
    return set(r, "trace_clock", CLOCK, err);
}

static int enable(const struct ftrace_recorder *r, const char *event, const char *value, struct error *err)
{
    char file[96];
    snprintf(file, sizeof file, "events/%s/enable", event);
    if (tracefs_write(&r->instance, file, value) == 0)
        return 0;
    return error_set(err, ERROR_IO, "--ftrace: this kernel cannot trace %s (%.100s/%s: %s)", event,
                     r->instance.path, file, strerror(errno));
}

/* Those that a kernel need not have. */
static void enable_others(const struct ftrace_recorder *r, const char *value)
{
    char event[64];
    for (size_t i = 0; i < 2 * sizeof vectors / sizeof *vectors; i++) {
        snprintf(event, sizeof event, "irq_vectors/%s_%s", vectors[i / 2], i % 2 ? "exit" : "entry");
        enable(r, event, value, NULL);
    }
    bool filtered = tracefs_write(&r->instance, WAKING "/filter", WAKING_FILTER) == 0;
    if (filtered || *value == '0')
        tracefs_write(&r->instance, WAKING "/enable", value);
}

static int choose_buffers(struct ftrace_recorder *r, struct error *err)
{
    char text[16];
    r->cpus = tracefs_cpus(&r->instance);
    unsigned kb = FTRACE_BUFFERS_KB / (r->cpus ? r->cpus : 1);
    r->buffer_kb = kb > FTRACE_BUFFER_MOST_KB    ? FTRACE_BUFFER_MOST_KB
                   : kb < FTRACE_BUFFER_LEAST_KB ? FTRACE_BUFFER_LEAST_KB
                                                 : kb;
    snprintf(text, sizeof text, "%u", r->buffer_kb);
    return set(r, "buffer_size_kb", text, err);
}

static int switch_on(struct ftrace_recorder *r, struct error *err)
{
    if (choose_clock(r, err) != 0 || choose_buffers(r, err) != 0 || set(r, "trace", "", err) != 0)
        return -1;
    /* The oldest are overwritten: the trace then tells where. */
    if (set(r, "options/overwrite", "1", err) != 0 || set(r, "options/irq-info", "1", err) != 0)
        return -1;
    for (size_t i = 0; i < sizeof events / sizeof *events; i++)
        if (enable(r, events[i], "1", err) != 0)
            return -1;
    enable_others(r, "1");
    r->pipe = TEMP_FAILURE_RETRY(openat(r->instance.folder, "trace_pipe", O_RDONLY | O_NONBLOCK | O_CLOEXEC));
    if (r->pipe < 0)
        return error_set(err, ERROR_IO, "--ftrace: %.120s/trace_pipe: %s", r->instance.path, strerror(errno));
    return 0;
}

/* Removing the instance does the same; but it fails while somebody else reads it. */
static void switch_off(struct ftrace_recorder *r)
{
    if (r->instance.folder < 0)
        return;
    for (size_t i = 0; i < sizeof events / sizeof *events; i++)
        enable(r, events[i], "0", NULL);
    enable_others(r, "0");
}

static void remove_instance(struct ftrace_recorder *r)
{
    if (r->pipe >= 0)
        close(r->pipe);
    r->pipe = -1;
    if (tracefs_remove(&r->instance) != 0)
        r->tell("--ftrace: %s cannot be removed: %s", r->instance.path, strerror(errno));
}

/* ---- what is recorded ---- */

/* An error of the output, with the name of its file. Returns -1. */
static int name_file(const struct ftrace_recorder *r, struct error *err)
{
    struct error why = *err;
    return error_set(err, why.code, "%.120s: %.190s", r->path, why.message);
}

static int fail_with(struct ftrace_recorder *r, const struct error *why)
{
    if (!r->failed)
        r->why = *why;
    r->failed = true;
    return -1;
}

/* Moves what there is; at most so many reads. Whether that was all. */
static bool move(struct ftrace_recorder *r, unsigned reads)
{
    struct error why;
    while (reads-- > 0 && !r->failed) {
        ssize_t n = TEMP_FAILURE_RETRY(read(r->pipe, r->bytes, sizeof r->bytes));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno != EAGAIN) {
            error_set(&why, ERROR_IO, "%.120s/trace_pipe: %s", r->instance.path, strerror(errno));
            fail_with(r, &why);
        }
        if (n <= 0)
            return true;
        r->inside_line = r->bytes[n - 1] != '\n';
        if (output_write(r->output, r->bytes, (size_t)n) != 0) {
            why = *output_failure(r->output);
            name_file(r, &why);
            fail_with(r, &why);
        }
    }
    return r->failed;
}

/* ---- what no event tells ---- */

static void note_irq(void *context, uint32_t irq, uint32_t owner)
{
    struct ftrace_recorder *r = context;
    if (owner == WORK_UNKNOWN)
        buffer_printf(&r->devices, "# xenmeter irq %" PRIu32 " shared\n", irq);
    else
        buffer_printf(&r->devices, "# xenmeter irq %" PRIu32 " %" PRIu32 "\n", irq,
                      owner == WORK_OWN ? r->domain : owner);
}

static void note_interface(void *context, const char *name, uint32_t domain)
{
    struct ftrace_recorder *r = context;
    buffer_printf(&r->devices, "# xenmeter device %" PRIu32 " %s\n", domain, name);
}

/* Whose the devices are, if that has changed. A device that has just come is not complete yet. */
static void look_at_devices(struct ftrace_recorder *r, uint64_t now_ns)
{
    const struct ftrace_device_taker taker = {r, note_irq, note_interface};
    uint64_t names = ftrace_devices_names(r->root);
    if (names != r->names)
        r->settled_ns = now_ns + SETTLE_NS;
    r->names = names;
    if (now_ns > r->settled_ns && now_ns < r->next_full_ns)
        return;
    r->next_full_ns = now_ns + FULL_LOOK_NS;
    struct buffer before = r->devices;
    r->devices = (struct buffer){0};
    ftrace_devices_look(r->root, &taker);
    if (before.n != r->devices.n || (before.n > 0 && memcmp(before.at, r->devices.at, before.n) != 0))
        buffer_add(&r->remarks, r->devices.at, r->devices.n);
    buffer_free(&before);
}

/* A thread that works for a guest. */
static bool note_task(void *context, const struct io_found *f)
{
    struct ftrace_recorder *r = context;
    char path[PATH_MAX], name[64];
    snprintf(path, sizeof path, "%s/proc/%u/comm", r->root, f->id);
    if (!io_file_all(path, ' ', name, sizeof name))
        return true;
    name[strcspn(name, "\n")] = '\0';
    if (!*name)
        return true;
    buffer_printf(&r->remarks, "# xenmeter task %u %lu %.15s\n", f->id, f->domain, name);
    return true;
}

/* Which threads and devices are whose, as it changes: a remark is about what is recorded after it. */
static void look(struct ftrace_recorder *r)
{
    const struct io_moment now = io_clock_now();
    if (now.time_ns < r->next_look_ns)
        return;
    r->next_look_ns = now.time_ns + LOOK_NS;
    look_at_devices(r, now.time_ns);
    if (r->search && io_search_look(r->search, &now, NULL) != 0) {
        io_search_free(r->search);
        r->search = NULL;
    }
    if (r->remarks.n == 0 || !move(r, READS_MOST) || r->inside_line)
        return;
    output_write(r->output, r->remarks.at, r->remarks.n);
    r->remarks.n = 0;
}

/* Whether a buffer is a quarter full. */
static bool is_filling(const struct ftrace_recorder *r)
{
    struct tracefs_figures f;
    for (unsigned cpu = 0; cpu < r->cpus; cpu++)
        if (tracefs_figures(&r->instance, cpu, &f) && f.bytes >= r->buffer_kb * 1024u / 4)
            return true;
    return false;
}

int ftrace_recorder_drain(struct ftrace_recorder *r)
{
    r->filling = (r->filling || is_filling(r)) && !move(r, READS_MOST);
    look(r);
    return r->failed ? -1 : 0;
}

/* What no line tells, and what was lost at all. */
static void tell_losses(struct ftrace_recorder *r)
{
    struct tracefs_figures l;
    for (unsigned cpu = 0; cpu < r->cpus && tracefs_figures(&r->instance, cpu, &l); cpu++) {
        if (l.dropped)
            output_printf(r->output, "# xenmeter lost %u %" PRIu64 "\n", cpu, l.dropped);
        if (l.overwritten + l.dropped && !r->quiet)
            r->tell("--ftrace: CPU %u lost %" PRIu64 " events: what it did meanwhile is not known", cpu,
                    l.overwritten + l.dropped);
    }
}

/* ---- begin and end ---- */

static void write_head(struct ftrace_recorder *r, const struct ftrace_wanted *wanted)
{
    output_printf(r->output, "# xenmeter dom0-trace 1\n");
    if (wanted->idd_given)
        output_printf(r->output, "# xenmeter domain %u\n", wanted->idd);
    look(r);
}

static int begin(struct ftrace_recorder *r, const struct ftrace_wanted *wanted, struct error *err)
{
    if (tracefs_open(&r->instance, wanted->root, wanted->tell, err) != 0 || switch_on(r, err) != 0)
        return -1;
    if (!(r->output = output_open(wanted->path, err)))
        return name_file(r, err);
    write_head(r, wanted);
    if (set(r, "tracing_on", "1", err) != 0)
        return -1;
    output_printf(r->output, "# xenmeter begin %" PRIu64 "\n", io_clock_ticks());
    return 0;
}

static void free_recorder(struct ftrace_recorder *r)
{
    io_search_free(r->search);
    buffer_free(&r->devices);
    buffer_free(&r->remarks);
    free(r);
}

struct ftrace_recorder *ftrace_recorder_start(const struct ftrace_wanted *wanted, struct error *err)
{
    struct ftrace_recorder *r = calloc(1, sizeof *r);
    if (!r) {
        error_no_memory(err, "dom0's trace");
        return NULL;
    }
    r->instance.folder = r->pipe = -1;
    r->root = wanted->root;
    r->path = wanted->path;
    r->tell = wanted->tell;
    r->quiet = wanted->quiet;
    r->domain = wanted->idd_given ? wanted->idd : 0;
    r->search = io_search_new(wanted->root, wanted->interfaces, &(struct io_finder){r, note_task});
    if (begin(r, wanted, err) == 0)
        return r;
    switch_off(r);
    remove_instance(r);
    output_abort(r->output);
    free_recorder(r);
    return NULL;
}

/* The rest of what was recorded. */
static void end(struct ftrace_recorder *r)
{
    uint64_t tsc = io_clock_ticks();
    tracefs_write(&r->instance, "tracing_on", "0");
    while (!move(r, READS_MOST))
        ;
    tell_losses(r);
    output_printf(r->output, "# xenmeter end %" PRIu64 "\n", tsc);
}

int ftrace_recorder_stop(struct ftrace_recorder *r, bool failed, struct error *err)
{
    int status = 0;
    if (!r)
        return 0;
    end(r);
    switch_off(r);
    remove_instance(r);
    if (r->failed) {
        *err = r->why;
        status = -1;
    }
    if (failed || r->failed)
        output_abort(r->output);
    else if ((status = output_commit(r->output, err)) != 0)
        name_file(r, err);
    free_recorder(r);
    return status;
}
