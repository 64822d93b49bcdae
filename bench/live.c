/*
 * live TRACE COMMAND... - plays a trace of a simulated host into a command's standard input in real time, sweep by sweep, as
 * xentrace writes it: a sweep is written when its last record is as old as it was when xentrace read it. The command prints CSV
 * whose first two columns are start_ns and end_ns, with a row for each interval as soon as it is settled (xenmeter report --live).
 *
 * Prints how late the first row of an interval came (median, worst), counted from the end of the first whole sweep that was read
 * after the interval's end, and counted from the interval's end; the command's CPU time; records per second. An interval after
 * whose end no sweep was read is left out. The first rows wait until the clock is known.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CPU_HZ        2400000000.0 /* of simulated hosts */
#define SECOND_NS     1000000000u
#define SWEEPS_MAX    100000
#define INTERVALS_MAX 100000
#define CPU_CHANGE    0x0001f003u /* begins a window: pCPU, bytes that follow (Xen public/trace.h) */
#define EVENT_MASK    0x0fffffffu

struct sweep {
    const uint8_t *bytes;
    size_t n;
    uint64_t last_ns; /* of its records, from the first one of the trace: when xentrace began to read */
    uint64_t end_ns;  /* when it was written, by the clock */
};

struct arrival {
    uint64_t interval_end_ns; /* in the trace */
    uint64_t seen_ns;         /* by the clock */
};

static struct sweep sweeps[SWEEPS_MAX];
static size_t sweeps_n;
static uint64_t records;
static struct arrival arrivals[INTERVALS_MAX];
static size_t arrivals_n;

static _Noreturn void die(const char *what)
{
    fprintf(stderr, "live: %s: %s\n", what, errno ? strerror(errno) : "not as expected");
    exit(2);
}

static uint64_t clock_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * SECOND_NS + (uint64_t)t.tv_nsec;
}

static uint32_t word(const uint8_t *at)
{
    uint32_t w;
    memcpy(&w, at, sizeof w);
    return w;
}

/* ---- the trace ---- */

/* Notes the times of a window's records. */
static void look_through(const uint8_t *at, const uint8_t *end, uint64_t *first, uint64_t *last)
{
    for (; at + 12 <= end; records++) {
        uint32_t header = word(at);
        if (header >> 31) {
            uint64_t tsc = word(at + 4) | (uint64_t)word(at + 8) << 32;
            *first = tsc < *first ? tsc : *first;
            *last = tsc > *last ? tsc : *last;
        }
        at += 4 + (header >> 31) * 8 + (header >> 28 & 7) * 4;
    }
}

/* A sweep ends where the number of the pCPU does not rise. */
static void find_sweeps(const uint8_t *at, size_t n)
{
    const uint8_t *end = at + n;
    uint64_t first = UINT64_MAX;
    uint32_t pcpu_before = 0;
    while (at + 12 <= end && sweeps_n < SWEEPS_MAX) {
        uint32_t pcpu = word(at + 4), bytes = word(at + 8);
        errno = 0;
        if ((word(at) & EVENT_MASK) != CPU_CHANGE || bytes > (size_t)(end - at) - 12)
            die("a window");
        if (sweeps_n == 0 || pcpu <= pcpu_before)
            sweeps[sweeps_n++] = (struct sweep){.bytes = at};
        struct sweep *s = &sweeps[sweeps_n - 1];
        look_through(at + 12, at + 12 + bytes, &first, &s->last_ns);
        pcpu_before = pcpu;
        at += 12 + bytes;
        s->n = (size_t)(at - s->bytes);
    }
    for (size_t i = 0; i < sweeps_n; i++)
        sweeps[i].last_ns = (uint64_t)((double)(sweeps[i].last_ns - first) / CPU_HZ * SECOND_NS);
}

static void map_trace(const char *path)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) != 0)
        die(path);
    void *map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED | MAP_POPULATE, fd, 0);
    if (map == MAP_FAILED)
        die(path);
    find_sweeps(map, (size_t)st.st_size);
}

/* ---- the command ---- */

static pid_t start(char **command, int *to, FILE **from)
{
    int in[2], out[2];
    if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0)
        die("pipe");
    pid_t pid = fork();
    if (pid < 0)
        die("fork");
    if (pid == 0) {
        dup2(in[0], STDIN_FILENO);
        dup2(out[1], STDOUT_FILENO);
        execvp(command[0], command);
        _exit(127);
    }
    close(in[0]);
    close(out[1]);
    *to = in[1];
    *from = fdopen(out[0], "r");
    return pid;
}

/* On its own thread: stamps the first row of each interval. */
static void *read_rows(void *from)
{
    static char line[65536];
    while (fgets(line, sizeof line, from)) {
        uint64_t now = clock_now(), start_ns, end_ns;
        if (sscanf(line, "%" SCNu64 ",%" SCNu64, &start_ns, &end_ns) != 2)
            continue; /* the names of the columns */
        bool again = arrivals_n > 0 && arrivals[arrivals_n - 1].interval_end_ns == end_ns;
        if (!again && arrivals_n < INTERVALS_MAX)
            arrivals[arrivals_n++] = (struct arrival){end_ns, now};
    }
    return NULL;
}

static void write_all(int fd, const uint8_t *bytes, size_t n)
{
    while (n > 0) {
        ssize_t written = write(fd, bytes, n);
        if (written < 0)
            die("write");
        bytes += written;
        n -= (size_t)written;
    }
}

static void play(int to, uint64_t begun_ns)
{
    for (struct sweep *s = sweeps; s < sweeps + sweeps_n; s++) {
        uint64_t due_ns = begun_ns + s->last_ns;
        struct timespec due = {(time_t)(due_ns / SECOND_NS), (long)(due_ns % SECOND_NS)};
        while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL) == EINTR)
            ;
        write_all(to, s->bytes, s->n);
        s->end_ns = clock_now();
    }
}

/* ---- what came of it ---- */

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void print_delays(uint64_t begun_ns)
{
    static double after_sweep[INTERVALS_MAX], after_end[INTERVALS_MAX];
    size_t n = 0;
    for (size_t i = 0; i < arrivals_n; i++) {
        uint64_t end_ns = begun_ns + arrivals[i].interval_end_ns;
        const struct sweep *s = sweeps;
        while (s < sweeps + sweeps_n && s->last_ns < arrivals[i].interval_end_ns)
            s++;
        if (s == sweeps + sweeps_n)
            continue;
        after_sweep[n] = ((double)arrivals[i].seen_ns - (double)s->end_ns) / 1e6;
        after_end[n++] = ((double)arrivals[i].seen_ns - (double)end_ns) / 1e6;
    }
    errno = 0;
    if (n == 0)
        die("the rows");
    qsort(after_sweep, n, sizeof *after_sweep, by_value);
    qsort(after_end, n, sizeof *after_end, by_value);
    printf("    first row of %zu intervals, after the sweep's end: median %.1f ms, worst %.1f ms; after the "
           "interval's end: median %.1f ms, "
           "worst %.1f ms\n",
           n, after_sweep[n / 2], after_sweep[n - 1], after_end[n / 2], after_end[n - 1]);
}

int main(int argc, char **argv)
{
    int to, status;
    FILE *from;
    pthread_t reader;
    struct rusage used;
    if (argc < 3) {
        fprintf(stderr, "usage: live TRACE COMMAND...\n");
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    map_trace(argv[1]);
    pid_t pid = start(argv + 2, &to, &from);
    if (!from || pthread_create(&reader, NULL, read_rows, from) != 0)
        die("the reader");
    uint64_t begun_ns = clock_now();
    play(to, begun_ns);
    double seconds = (double)(clock_now() - begun_ns) / 1e9;
    close(to);
    if (wait4(pid, &status, 0, &used) != pid || status != 0)
        die(argv[2]);
    pthread_join(reader, NULL);
    print_delays(begun_ns);
    double cpu = (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
                 (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
    printf("    CPU %.2f %% of one, for %.0f records/s in %zu sweeps\n", 100 * cpu / seconds,
           (double)records / seconds, sweeps_n);
    return 0;
}
