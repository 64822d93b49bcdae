/*
 * run [-n RUNS] [-s SECONDS] < PLAN - runs commands in turns with their output thrown away, so that what else the
 * machine does hits all of them alike. A line of the plan is a row: CPU FILE COMMAND..., separated by blanks.
 *
 *   CPU         the command (not what feeds it) runs on this CPU only; -: on any
 *   FILE        its standard input is a pipe through which this file comes; -: it has none
 *   -n RUNS     rounds (default 5); a row's sample of a round is the mean of as many runs as take SAMPLE_SECONDS
 *   -s SECONDS  a row that has taken so long is left out of further rounds (default 20)
 *
 * Prints a line for each row: median wall seconds, median user+system seconds, largest resident set in KiB, largest
 * anonymous part of it in KiB, number of samples; or "failed". The resident set is what the kernel says when the
 * command has ended, mapped files included; the anonymous part is /proc/PID/status' RssAnon, read every 2 ms.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ROUNDS_MAX     99
#define ROWS_MAX       64
#define WORDS_MAX      32
#define SAMPLE_SECONDS 0.2

struct row {
    int cpu;           /* -1: any */
    const char *piped; /* NULL: nothing */
    char *command[WORDS_MAX];
    double wall[ROUNDS_MAX], cpu_s[ROUNDS_MAX]; /* seconds, of each sample */
    int samples;
    double spent; /* seconds */
    long peak_kib, anon_kib;
    bool failed;
};

struct plan {
    struct row rows[ROWS_MAX];
    int n, rounds;
    double seconds;
    cpu_set_t all; /* CPUs */
};

static void die(const char *what)
{
    fprintf(stderr, "run: %s: %s\n", what, strerror(errno));
    exit(2);
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double seconds_of(struct timeval t)
{
    return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

static pid_t fork_or_die(void)
{
    pid_t pid = fork();
    if (pid < 0)
        die("fork");
    return pid;
}

/* Sends the file into the pipe, as cat would; ends when the reader has gone. */
static pid_t feed(const char *path, int *read_end)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        die("pipe");
    pid_t pid = fork_or_die();
    if (pid == 0) {
        static char buffer[128 << 10];
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
            die(path);
        close(ends[0]);
        for (ssize_t got; (got = read(fd, buffer, sizeof buffer)) > 0;)
            for (ssize_t sent = 0, n; sent < got; sent += n)
                if ((n = write(ends[1], buffer + sent, (size_t)(got - sent))) < 0)
                    _exit(1);
        _exit(0);
    }
    close(ends[1]);
    *read_end = ends[0];
    return pid;
}

static void become(const struct row *row, int input, const cpu_set_t *all)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null < 0 || dup2(input >= 0 ? input : null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0 ||
        dup2(null, STDERR_FILENO) < 0)
        _exit(126);
    cpu_set_t cpus = *all;
    if (row->cpu >= 0) {
        CPU_ZERO(&cpus);
        CPU_SET((size_t)row->cpu, &cpus);
    }
    sched_setaffinity(0, sizeof cpus, &cpus);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    execvp(row->command[0], row->command);
    _exit(127);
}

static long anonymous_kib(pid_t pid)
{
    char path[64], text[4096];
    snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, text, sizeof text - 1) : 0;
    if (fd >= 0)
        close(fd);
    text[n > 0 ? n : 0] = '\0';
    const char *at = strstr(text, "RssAnon:");
    return at ? strtol(at + strlen("RssAnon:"), NULL, 10) : 0;
}

/* Waits for the end of the command; returns its status. */
static int watch(pid_t pid, struct row *row, struct rusage *usage)
{
    int status = 0;
    sigset_t child;
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    while (wait4(pid, &status, WNOHANG, usage) == 0) {
        long kib = anonymous_kib(pid);
        row->anon_kib = kib > row->anon_kib ? kib : row->anon_kib;
        sigtimedwait(&child, NULL, &(struct timespec){.tv_nsec = 2000000});
    }
    return status;
}

/* Adds what one run took; false when it failed. */
static bool run_once(struct row *row, const cpu_set_t *all, double *wall, double *cpu_s)
{
    int input = -1;
    struct rusage usage;
    pid_t feeder = row->piped ? feed(row->piped, &input) : 0;
    double begin = now();
    pid_t pid = fork_or_die();
    if (pid == 0)
        become(row, input, all);
    if (input >= 0)
        close(input);
    int status = watch(pid, row, &usage);
    *wall += now() - begin;
    *cpu_s += seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime);
    if (feeder)
        waitpid(feeder, NULL, 0);
    if (usage.ru_maxrss > row->peak_kib)
        row->peak_kib = usage.ru_maxrss;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* What watches does not take the time of what it watches. */
static void stay_off(int cpu, const cpu_set_t *all)
{
    cpu_set_t others = *all;
    if (cpu >= 0)
        CPU_CLR((size_t)cpu, &others);
    sched_setaffinity(0, sizeof others, CPU_COUNT(&others) > 0 ? &others : all);
}

static void sample(struct row *row, const cpu_set_t *all)
{
    double wall = 0, cpu_s = 0;
    int runs = 0;
    stay_off(row->cpu, all);
    for (; wall < SAMPLE_SECONDS && !row->failed; runs++)
        row->failed = !run_once(row, all, &wall, &cpu_s);
    row->spent += wall;
    row->wall[row->samples] = wall / runs;
    row->cpu_s[row->samples++] = cpu_s / runs;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values, int n)
{
    qsort(values, (size_t)n, sizeof *values, compare);
    return n % 2 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

/* The words of the line, which lives on. */
static void read_row(struct row *row, char *line)
{
    int n = 0;
    char *rest = NULL;
    char *cpu = strtok_r(line, " \n", &rest), *piped = cpu ? strtok_r(NULL, " \n", &rest) : NULL;
    while (piped && n < WORDS_MAX - 1 && (row->command[n] = strtok_r(NULL, " \n", &rest)))
        n++;
    if (n == 0 || n == WORDS_MAX - 1) {
        fprintf(stderr, "run: a line of the plan is CPU FILE COMMAND..., at most %d words\n", WORDS_MAX);
        exit(2);
    }
    row->cpu = strcmp(cpu, "-") != 0 ? (int)strtol(cpu, NULL, 10) : -1;
    row->piped = strcmp(piped, "-") != 0 ? piped : NULL;
}

static void read_plan(struct plan *plan)
{
    char *line = NULL;
    size_t room = 0;
    for (; plan->n < ROWS_MAX && getline(&line, &room, stdin) > 0; line = NULL, room = 0)
        read_row(&plan->rows[plan->n++], line);
    free(line);
}

static void parse(struct plan *plan, int argc, char **argv)
{
    int letter;
    plan->rounds = 5;
    plan->seconds = 20;
    while ((letter = getopt(argc, argv, "n:s:")) != -1) {
        if (letter == 'n')
            plan->rounds = (int)strtol(optarg, NULL, 10);
        else if (letter == 's')
            plan->seconds = strtod(optarg, NULL);
        else
            exit(2);
    }
    if (optind != argc || plan->rounds < 1 || plan->rounds > ROUNDS_MAX) {
        fprintf(stderr, "usage: run [-n RUNS] [-s SECONDS] < PLAN\n");
        exit(2);
    }
}

int main(int argc, char **argv)
{
    static struct plan plan;
    sigset_t child;
    parse(&plan, argc, argv);
    read_plan(&plan);
    sched_getaffinity(0, sizeof plan.all, &plan.all);
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    sigprocmask(SIG_BLOCK, &child, NULL);
    for (int round = 0; round < plan.rounds; round++)
        for (struct row *row = plan.rows; row < plan.rows + plan.n; row++)
            if (!row->failed && (round == 0 || row->spent < plan.seconds))
                sample(row, &plan.all);
    for (struct row *row = plan.rows; row < plan.rows + plan.n; row++)
        if (row->failed)
            puts("failed");
        else
            printf("%.4f %.4f %ld %ld %d\n", median(row->wall, row->samples),
                   median(row->cpu_s, row->samples), row->peak_kib, row->anon_kib, row->samples);
    return 0;
}
