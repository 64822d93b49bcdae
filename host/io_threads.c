/* Sources: Linux Documentation/scheduler/sched-stats.rst (schedstat), Documentation/filesystems/proc.rst (stat). */
#include "io_threads.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io_file.h"
#include "io_search.h"
#include "metrics/array.h"

#define COST_FACTOR 300 /* reading the times takes one part of so many of the time */
#define COSTS       4   /* the quickest of so many readings is what it takes */
#define INTERRUPTS  2   /* sums: interrupts, softirqs */

/* A thread whose time is read. */
struct timed_worker {
    unsigned id;
    uint32_t sum;  /* index */
    int file;      /* -1: it cannot be opened */
    bool in_ticks; /* its file is stat, in clock ticks, not schedstat, in ns */
    bool late;     /* it began after the first look: all its time counts */
    bool read;     /* before */
    uint64_t last_ns;
};

/* What is one device of the log: a guest and a kind of work. */
struct sum {
    unsigned long domain;
    const char *name;
    uint64_t total_ns;
    uint64_t first_ticks,
        last_ticks;          /* when its first and last thread were read; 0: none was in this reading */
    uint64_t written_ns;     /* by its last row */
    struct io_moment seen;   /* the last reading, if it has no row */
    bool written, left_out;  /* it has a row; the last reading has none */
    struct io_moment absent; /* the last reading without it; no ticks: it is there from the beginning */
};

struct io_threads {
    const struct io_wanted *wanted;
    struct io_search *search;
    struct timed_worker *workers;
    size_t workers_n, workers_capacity;
    struct sum *sums; /* the first INTERRUPTS are the driver domain's own */
    size_t sums_n, sums_capacity;
    int stat; /* /proc/stat */
    uint64_t stat_first_ns[INTERRUPTS];
    bool has_schedstat;
    bool looked, stat_read;  /* before */
    struct io_moment before; /* the last reading */
    uint64_t costs[COSTS];   /* of the last readings, in ticks; 0: none yet */
    unsigned cost_at;
    uint64_t tick_ns; /* of the kernel's clock for stat */
    bool due;         /* the last reading was one */
};

/* ---- sums ---- */

/* The sum of a guest's threads of one kind, made if there is none. UINT32_MAX: no memory. */
static uint32_t sum_of(struct io_threads *t, unsigned long domain, const char *name)
{
    for (size_t i = INTERRUPTS; i < t->sums_n; i++)
        if (t->sums[i].domain == domain && t->sums[i].name == name)
            return (uint32_t)i;
    if (!array_make_room(&t->sums, &t->sums_capacity, t->sums_n + 1, sizeof *t->sums))
        return UINT32_MAX;
    t->sums[t->sums_n] = (struct sum){.domain = domain, .name = name, .absent = t->before};
    return (uint32_t)t->sums_n++;
}

static void saw(struct sum *s, uint64_t ticks)
{
    s->first_ticks = s->first_ticks ? s->first_ticks : ticks;
    s->last_ticks = ticks;
}

/* ---- threads ---- */

/* Opens its file, if it is not open. GONE: there is no such thread. */
static enum io_read open_worker(const struct io_threads *t, struct timed_worker *w)
{
    char path[PATH_MAX];
    if (w->file >= 0)
        return IO_READ_DONE;
    snprintf(path, sizeof path, "%s/proc/%u/schedstat", t->wanted->root, w->id);
    w->file = t->has_schedstat ? io_file_open(AT_FDCWD, path) : -1;
    w->in_ticks = w->file < 0;
    if (w->file >= 0)
        return IO_READ_DONE;
    snprintf(path, sizeof path, "%s/proc/%u/task/%u/stat", t->wanted->root, w->id, w->id);
    w->file = io_file_open(AT_FDCWD, path);
    return w->file >= 0 ? IO_READ_DONE : errno == ENOENT ? IO_READ_GONE : IO_READ_FAILED;
}

/* The user and system time of /proc/ID/stat: the 12th and 13th number after the name in brackets. */
static enum io_read read_stat(int file, uint64_t tick_ns, uint64_t *ns)
{
    char text[512];
    uint64_t user, system;
    enum io_read status = io_file_text(file, text, sizeof text);
    const char *rest = strrchr(text, ')');
    if (status != IO_READ_DONE)
        return status;
    if (!rest || sscanf(rest, ") %*c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %" SCNu64 " %" SCNu64, &user,
                        &system) != 2)
        return IO_READ_FAILED;
    *ns = (user + system) * tick_ns;
    return IO_READ_DONE;
}

static enum io_read read_worker(struct io_threads *t, struct timed_worker *w)
{
    uint64_t ns = 0;
    enum io_read status = open_worker(t, w);
    if (status == IO_READ_DONE)
        status = w->in_ticks ? read_stat(w->file, t->tick_ns, &ns) : io_file_number(w->file, &ns);
    if (status != IO_READ_DONE)
        return status;
    struct sum *s = &t->sums[w->sum];
    uint64_t from_ns = w->read || w->late ? w->last_ns : ns;
    s->total_ns += ns > from_ns ? ns - from_ns : 0;
    saw(s, io_clock_ticks());
    w->last_ns = ns;
    w->read = true;
    return IO_READ_DONE;
}

static void close_worker(struct io_threads *t, size_t i)
{
    if (t->workers[i].file >= 0)
        close(t->workers[i].file);
    t->workers[i] = t->workers[--t->workers_n];
}

/* Its file is opened when it is read. */
static bool add_worker(struct io_threads *t, unsigned id, uint32_t sum, bool late)
{
    if (!array_make_room(&t->workers, &t->workers_capacity, t->workers_n + 1, sizeof *t->workers))
        return false;
    t->workers[t->workers_n++] = (struct timed_worker){.id = id, .sum = sum, .file = -1, .late = late};
    return true;
}

/* The worker of this id, read once more, if it is still the same thread; NULL. */
static struct timed_worker *find_worker(struct io_threads *t, const struct io_found *f, uint32_t sum)
{
    for (size_t i = 0; i < t->workers_n; i++) {
        struct timed_worker *w = &t->workers[i];
        if (w->id != f->id)
            continue;
        bool same = w->sum == sum || f->work == IO_WORK_TAPDISK;
        if (read_worker(t, w) != IO_READ_GONE && same)
            return w;
        close_worker(t, i);
        break;
    }
    return NULL;
}

static bool found(void *context, const struct io_found *f)
{
    struct io_threads *t = context;
    if (t->wanted->domains && !t->wanted->domains[f->domain])
        return true;
    uint32_t sum = sum_of(t, f->domain, io_work_names[f->work]);
    if (sum == UINT32_MAX)
        return false;
    struct timed_worker *known = find_worker(t, f, sum);
    if (known) {
        known->sum = sum; /* a tapdisk serves another guest from now on */
        return true;
    }
    /* A tapdisk may have run long before it got this guest. */
    return add_worker(t, f->id, sum, t->looked && f->work != IO_WORK_TAPDISK);
}

static void read_workers(struct io_threads *t)
{
    for (size_t i = 0; i < t->workers_n;) {
        if (read_worker(t, &t->workers[i]) == IO_READ_GONE)
            close_worker(t, i);
        else
            i++;
    }
}

/* ---- interrupts ---- */

/* The driver domain's time in interrupts and softirqs: the sixth and seventh number of the first line. */
static void read_interrupts(struct io_threads *t)
{
    char text[256];
    uint64_t ticks[INTERRUPTS];
    if (io_file_text(t->stat, text, sizeof text) != IO_READ_DONE ||
        sscanf(text, "cpu %*u %*u %*u %*u %*u %" SCNu64 " %" SCNu64, &ticks[0], &ticks[1]) != 2)
        return;
    for (int i = 0; i < INTERRUPTS; i++) {
        uint64_t ns = ticks[i] * t->tick_ns;
        if (!t->stat_read)
            t->stat_first_ns[i] = ns;
        uint64_t passed_ns = ns > t->stat_first_ns[i] ? ns - t->stat_first_ns[i] : 0;
        if (passed_ns > t->sums[i].total_ns)
            t->sums[i].total_ns = passed_ns;
        saw(&t->sums[i], io_clock_ticks());
    }
    t->stat_read = true;
}

/* ---- readings ---- */

struct io_threads *io_threads_new(const struct io_wanted *wanted, const struct io_interfaces *interfaces,
                                  struct error *err)
{
    static const char *const names[INTERRUPTS] = {"irq", "softirq"};
    char path[PATH_MAX], text[64];
    struct io_threads *t = calloc(1, sizeof *t);
    if (t) {
        t->wanted = wanted;
        t->tick_ns = 1000000000u / (uint64_t)sysconf(_SC_CLK_TCK);
        t->search = io_search_new(wanted->root, interfaces, &(struct io_finder){t, found});
        t->sums = array_reserve(NULL, &t->sums_capacity, INTERRUPTS, sizeof *t->sums);
        snprintf(path, sizeof path, "%s/proc/stat", wanted->root);
        t->stat = io_file_open(AT_FDCWD, path);
        /* A kernel without statistics of the scheduler shows zeros. */
        snprintf(path, sizeof path, "%s/proc/self/schedstat", wanted->root);
        t->has_schedstat = !io_file_all(path, '?', text, sizeof text) || strncmp(text, "0 0 0", 5) != 0;
    }
    if (!t || !t->search || !t->sums) {
        error_no_memory(err, "the list of threads");
        io_threads_free(t);
        return NULL;
    }
    t->sums_n = INTERRUPTS;
    for (int i = 0; i < INTERRUPTS; i++)
        t->sums[i] = (struct sum){.domain = wanted->form.idd, .name = names[i]};
    return t;
}

void io_threads_free(struct io_threads *t)
{
    if (!t)
        return;
    while (t->workers_n > 0)
        close_worker(t, t->workers_n - 1);
    if (t->stat >= 0)
        close(t->stat);
    io_search_free(t->search);
    free(t->workers);
    free(t->sums);
    free(t);
}

/* Whether so much time has passed that another reading stays cheap. */
static bool is_due(const struct io_threads *t, const struct io_moment *now)
{
    uint64_t cost = UINT64_MAX;
    for (int i = 0; i < COSTS; i++)
        cost = t->costs[i] < cost ? t->costs[i] : cost;
    return (now->ticks - t->before.ticks) / COST_FACTOR >= cost;
}

int io_threads_read(struct io_threads *t, const struct io_moment *now, struct error *err)
{
    t->due = is_due(t, now);
    if (!t->due)
        return 0;
    for (size_t i = 0; i < t->sums_n; i++)
        t->sums[i].first_ticks = 0;
    uint64_t begun = io_clock_ticks();
    if (io_search_look(t->search, now, err) != 0)
        return -1;
    t->looked = true;
    read_workers(t);
    read_interrupts(t);
    t->costs[t->cost_at++ % COSTS] = io_clock_ticks() - begun;
    t->before = *now;
    return 0;
}

size_t io_threads_unread(const struct io_threads *t)
{
    size_t unread = 0;
    for (size_t i = 0; i < t->workers_n; i++)
        unread += !t->workers[i].read;
    return unread;
}

/* ---- rows ---- */

static void add_row(const struct io_threads *t, const struct sum *s, struct io_moment when, uint64_t ns,
                    struct buffer *rows)
{
    const struct io_row row = {when.time_ns, when.ticks, s->domain, s->name, IO_COLUMN_CPU, 1, &ns};
    io_rows_add(rows, &t->wanted->form, &row);
}

static void add_rows_of(const struct io_threads *t, struct sum *s, struct io_moment when, struct buffer *rows)
{
    if (s->written && s->total_ns == s->written_ns) {
        s->left_out = true;
        s->seen = when;
        return;
    }
    if (!s->written && s->absent.ticks > 0)
        add_row(t, s, s->absent, 0, rows);
    if (s->left_out)
        add_row(t, s, s->seen, s->written_ns, rows);
    add_row(t, s, when, s->total_ns, rows);
    s->written_ns = s->total_ns;
    s->written = true;
    s->left_out = false;
}

void io_threads_rows(struct io_threads *t, const struct io_moment *now, const struct io_moment *end,
                     struct buffer *rows)
{
    for (size_t i = 0; t->due && i < t->sums_n; i++) {
        struct sum *s = &t->sums[i];
        if (s->first_ticks == 0)
            continue;
        uint64_t ticks = s->first_ticks + (s->last_ticks - s->first_ticks) / 2;
        add_rows_of(t, s, io_clock_at(now, end, ticks), rows);
    }
}

void io_threads_last_rows(struct io_threads *t, struct buffer *rows)
{
    for (size_t i = 0; i < t->sums_n; i++) {
        if (t->sums[i].left_out)
            add_row(t, &t->sums[i], t->sums[i].seen, t->sums[i].written_ns, rows);
        t->sums[i].left_out = false;
    }
}
