#include "record/tracer.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/io_clock.h"
#include "host/io_file.h"
#include "act/child.h"

#define LINE_BYTES       160
#define MESSAGE_BYTES    (LINE_BYTES + 40)
#define PAGE_BYTES       4096
#define ALL_BUFFERS      ((uint32_t)64 << 20)
#define BUFFER_LEAST     ((uint32_t)256 << 10)
#define BUFFER_MOST      ((uint32_t)4 << 20)
#define BUFFER_ANY       ((uint32_t)1 << 20) /* where the number of pCPUs is not known */
#define PCPUS_FOLDER     "/sys/devices/system/xen_cpu"
#define PIPE_BYTES_LEAST 65536
#define ERRORS_AT_ONCE   4096 /* bytes of its standard error that one call reads, at most */

/* Sources: Xen public/trace.h, TRC_*; parser/decode/events.def. */
static const struct {
    const char *name;
    uint32_t mask;
} purposes[TRACER_PURPOSES] = {
    [FOR_ALL] = {"all", 0x0ffff000},
    [FOR_CHARGES] = {"charges", 0x0032f000},
    [FOR_CPU] = {"cpu", 0x0002f000},
    [FOR_SWITCHES] = {"switches", 0x00029000},
};

const struct tracer_options tracer_defaults = {
    .path = "xentrace",
    .sweep_ms = 100,
    .stop_ns = 5000000000u,
    .pause_ns = {500000000u, 60000000000u},
    .steady_ns = 60000000000u,
};

struct tracer {
    struct tracer_options options;
    struct child child; /* pid -1: it does not run */
    uint64_t started_ns;
    int asked; /* the last signal that was sent to it; 0: none */
    uint64_t asked_ns;
    uint64_t pause_ns, next_ns; /* the last pause, and when it ends */
    uint32_t starts;
    char line[LINE_BYTES]; /* of its standard error, as far as it has come */
    size_t line_n;
    char said[LINE_BYTES]; /* the last line that says something */
    char failure[MESSAGE_BYTES];
};

/* ---- what to trace ---- */

uint32_t tracer_mask(enum tracer_purpose p)
{
    return purposes[p].mask;
}

const char *tracer_purpose_name(enum tracer_purpose p)
{
    return purposes[p].name;
}

enum tracer_purpose tracer_narrower(enum tracer_purpose p)
{
    return p < FOR_SWITCHES ? p + 1 : FOR_SWITCHES;
}

uint32_t tracer_pcpus(const char *root)
{
    char path[PATH_MAX];
    uint32_t n = 0;
    snprintf(path, sizeof path, "%s" PCPUS_FOLDER, root);
    DIR *folder = opendir(path);
    for (const struct dirent *e; folder && (e = readdir(folder));)
        n += strncmp(e->d_name, "xen_cpu", 7) == 0 && e->d_name[7] >= '0' && e->d_name[7] <= '9';
    if (folder)
        closedir(folder);
    return n;
}

uint32_t tracer_pages(uint32_t pcpus)
{
    uint32_t bytes = pcpus > 0 ? ALL_BUFFERS / pcpus : BUFFER_ANY;
    bytes = bytes < BUFFER_LEAST ? BUFFER_LEAST : bytes > BUFFER_MOST ? BUFFER_MOST : bytes;
    return bytes / PAGE_BYTES;
}

/* ---- its messages ---- */

/* xentrace prints "change evtmask to 0x2f000" and the like each time. */
static void end_line(struct tracer *t)
{
    while (t->line_n > 0 && t->line[t->line_n - 1] == ' ')
        t->line_n--;
    t->line[t->line_n] = '\0';
    if (t->line_n > 0 && strncmp(t->line, "change ", 7) != 0)
        memcpy(t->said, t->line, t->line_n + 1);
    t->line_n = 0;
}

static void read_errors(struct tracer *t)
{
    char bytes[512];
    ssize_t n = 1;
    for (size_t all = 0; n > 0 && all < ERRORS_AT_ONCE; all += (size_t)n) {
        n = read(t->child.errors, bytes, sizeof bytes);
        for (ssize_t i = 0; i < n; i++) {
            bool plain = bytes[i] >= ' ' && bytes[i] < 0x7f;
            if (bytes[i] == '\n')
                end_line(t);
            else if (t->line_n < sizeof t->line - 1)
                t->line[t->line_n++] = plain ? bytes[i] : '?';
        }
        n = n < 0 ? 0 : n;
    }
}

/* ---- starting it ---- */

struct tracer *tracer_new(const struct tracer_options *o, struct error *err)
{
    struct tracer *t = calloc(1, sizeof *t);
    if (!t) {
        error_no_memory(err, "xentrace");
        return NULL;
    }
    t->options = *o;
    t->child = CHILD_NONE;
    return t;
}

void tracer_free(struct tracer *t)
{
    if (!t)
        return;
    child_end(&t->child);
    free(t);
}

void tracer_set_mask(struct tracer *t, uint32_t mask)
{
    t->options.mask = mask;
}

uint64_t tracer_pause_ns(const struct tracer *t)
{
    uint64_t now = io_clock_ns();
    if (t->child.pid > 0)
        return UINT64_MAX;
    return t->next_ns > now ? t->next_ns - now : 0;
}

/* A larger pipe saves xentrace waiting while this process does not run. Users other than root may have a limit of their own. */
static void enlarge(int fd)
{
    char text[32];
    long most =
        io_file_all("/proc/sys/fs/pipe-max-size", ' ', text, sizeof text) ? strtol(text, NULL, 10) : 0;
    for (most = most > INT_MAX ? INT_MAX : most; most > PIPE_BYTES_LEAST; most /= 2)
        if (fcntl(fd, F_SETPIPE_SZ, (int)most) >= 0)
            return;
}

static void begin_pause(struct tracer *t)
{
    uint64_t pause = t->pause_ns > 0 ? 2 * t->pause_ns : t->options.pause_ns[0];
    t->pause_ns = pause < t->options.pause_ns[1] ? pause : t->options.pause_ns[1];
    t->next_ns = io_clock_ns() + t->pause_ns;
}

int tracer_start(struct tracer *t, struct error *err)
{
    char mask[16], pages[16], sweep[16];
    const char *const words[] = {t->options.path, "-D", "-e",  mask,          "-c", "all", "-S",
                                 pages,           "-s", sweep, "/dev/stdout", NULL};
    snprintf(mask, sizeof mask, "0x%" PRIx32, t->options.mask);
    snprintf(pages, sizeof pages, "%" PRIu32, t->options.pages);
    snprintf(sweep, sizeof sweep, "%" PRIu32, t->options.sweep_ms);
    if (child_start(&t->child, words, false, SIGTERM, err) != 0) {
        begin_pause(t);
        return -1;
    }
    t->starts++;
    t->started_ns = io_clock_ns();
    t->asked = 0;
    t->line_n = 0;
    t->said[0] = '\0';
    int fd = t->child.from;
    t->child.from = -1; /* it is the caller's */
    enlarge(fd);
    return fd;
}

/* ---- while it runs ---- */

static void ask(struct tracer *t, int signal)
{
    child_signal(&t->child, signal);
    t->asked = signal;
    t->asked_ns = io_clock_ns();
}

void tracer_stop(struct tracer *t)
{
    if (t->child.pid > 0 && t->asked == 0)
        ask(t, SIGINT);
}

static void note_failure(struct tracer *t, int status)
{
    if (WIFSIGNALED(status))
        snprintf(t->failure, sizeof t->failure, "ended by signal %d%s%s", WTERMSIG(status),
                 *t->said ? ": " : "", t->said);
    else
        snprintf(t->failure, sizeof t->failure, "exit code %d%s%s", WEXITSTATUS(status), *t->said ? ": " : "",
                 t->said);
}

/* After a stop it can be started at once. */
static enum tracer_state end(struct tracer *t, int status)
{
    bool stopped = t->asked != 0 && t->asked != SIGKILL;
    read_errors(t);
    end_line(t);
    note_failure(t, status);
    child_end(&t->child);
    if (stopped || io_clock_ns() - t->started_ns >= t->options.steady_ns)
        t->pause_ns = 0;
    if (stopped)
        t->next_ns = 0;
    else
        begin_pause(t);
    return stopped ? TRACER_STOPPED : TRACER_FAILED;
}

enum tracer_state tracer_check(struct tracer *t)
{
    int status;
    if (t->child.pid <= 0)
        return TRACER_IDLE;
    read_errors(t);
    if (child_ended(&t->child, &status) > 0)
        return end(t, status);
    if (t->asked != 0 && t->asked != SIGKILL && io_clock_ns() - t->asked_ns >= t->options.stop_ns)
        ask(t, t->asked == SIGINT ? SIGTERM : SIGKILL);
    return TRACER_RUNNING;
}

const char *tracer_failure(const struct tracer *t)
{
    return t->failure;
}

uint32_t tracer_starts(const struct tracer *t)
{
    return t->starts;
}

int tracer_pid(const struct tracer *t)
{
    return t->child.pid;
}
