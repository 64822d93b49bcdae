/*
 * run [-c CPU] [-p FILE] [-n RUNS] [-s SECONDS] COMMAND... - runs a command several times with its output thrown away,
 * and prints one line: median wall seconds, median user+system seconds, highest peak memory in KiB, number of runs.
 *
 *   -c CPU      the command (not what feeds it) runs on this CPU only
 *   -p FILE     its standard input is a pipe through which this file comes
 *   -n RUNS     how often (default 5)
 *   -s SECONDS  begin no further run after so long (default 40): the number of runs is then smaller
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define RUNS_MAX 99

struct options {
    int cpu; /* -1: any */
    const char *piped;
    int runs;
    double seconds;
    char **command;
};

struct sample {
    double wall, cpu; /* seconds */
    long peak_kib;
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

/* Sends the file into the pipe, as cat would; ends when the reader has gone. */
static pid_t feed(const char *path, int *read_end)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        die("pipe");
    pid_t pid = fork();
    if (pid < 0)
        die("fork");
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

static void become(const struct options *o, int input)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null < 0 || dup2(input >= 0 ? input : null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0 ||
        dup2(null, STDERR_FILENO) < 0)
        _exit(126);
    if (o->cpu >= 0) {
        cpu_set_t set;
        CPU_ZERO(&set);
        CPU_SET((size_t)o->cpu, &set);
        sched_setaffinity(0, sizeof set, &set);
    }
    execvp(o->command[0], o->command);
    _exit(127);
}

static struct sample run_once(const struct options *o)
{
    int input = -1, status;
    struct rusage usage;
    pid_t feeder = o->piped ? feed(o->piped, &input) : 0;
    double begin = now();
    pid_t pid = fork();
    if (pid < 0)
        die("fork");
    if (pid == 0)
        become(o, input);
    if (input >= 0)
        close(input);
    if (wait4(pid, &status, 0, &usage) < 0)
        die("wait");
    double wall = now() - begin;
    if (feeder)
        waitpid(feeder, NULL, 0);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        fprintf(stderr, "run: %s failed (status 0x%x)\n", o->command[0], (unsigned)status);
        exit(1);
    }
    return (struct sample){wall, seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime), usage.ru_maxrss};
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

static void parse(struct options *o, int argc, char **argv)
{
    int letter;
    *o = (struct options){.cpu = -1, .runs = 5, .seconds = 40};
    while ((letter = getopt(argc, argv, "+c:p:n:s:")) != -1) {
        if (letter == 'c')
            o->cpu = (int)strtol(optarg, NULL, 10);
        else if (letter == 'p')
            o->piped = optarg;
        else if (letter == 'n')
            o->runs = (int)strtol(optarg, NULL, 10);
        else if (letter == 's')
            o->seconds = strtod(optarg, NULL);
        else
            exit(2);
    }
    o->command = argv + optind;
    if (optind == argc || o->runs < 1 || o->runs > RUNS_MAX || o->cpu >= CPU_SETSIZE) {
        fprintf(stderr, "usage: run [-c CPU] [-p FILE] [-n RUNS] [-s SECONDS] COMMAND...\n");
        exit(2);
    }
}

int main(int argc, char **argv)
{
    struct options o;
    double wall[RUNS_MAX] = {0}, cpu[RUNS_MAX] = {0};
    long peak_kib = 0;
    int n = 0;
    parse(&o, argc, argv);
    signal(SIGPIPE, SIG_IGN);
    for (double begin = now(); n < o.runs && (n == 0 || now() - begin < o.seconds); n++) {
        struct sample s = run_once(&o);
        wall[n] = s.wall;
        cpu[n] = s.cpu;
        peak_kib = s.peak_kib > peak_kib ? s.peak_kib : peak_kib;
    }
    printf("%.3f %.3f %ld %d\n", median(wall, n), median(cpu, n), peak_kib, n);
    return 0;
}
