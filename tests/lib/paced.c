/*
 * paced SHARED TRACE TIMES LEAP_S - stands in for xentrace: writes a trace to its standard output, sweep by sweep, so many times, each
 * PERIOD later, and goes on when the pipe is empty, so that the reader follows. SHARED: 8 bytes, the largest tsc written so far (at
 * 2.4 GHz); it begins with the first sweep that ends LEAP_S seconds after that: what lies between is lost. It stops at the end, by a
 * signal, or when nobody reads.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define CPU_HZ     2400000000.0
#define PERIOD     (86400ull * 2400000000u) /* of a trace, in cycles */
#define CPU_CHANGE 0x0001f003u /* begins a window: pCPU, bytes that follow (Xen public/trace.h) */
#define EVENT_MASK 0x0fffffffu
#define PAUSE_US   20

static volatile sig_atomic_t told_to_stop;

static void stop(int signal)
{
    (void)signal;
    told_to_stop = 1;
}

static uint32_t word(const uint8_t *at)
{
    uint32_t w;
    memcpy(&w, at, sizeof w);
    return w;
}

static const void *mapped(const char *path, int flags, int protection, size_t *n)
{
    struct stat st;
    int fd = open(path, flags | O_CLOEXEC, 0644);
    if (fd < 0 || fstat(fd, &st) != 0 || (flags & O_CREAT && ftruncate(fd, 8) != 0)) {
        perror(path);
        exit(1);
    }
    *n = flags & O_CREAT ? 8 : (size_t)st.st_size;
    void *map = mmap(NULL, *n, protection, MAP_SHARED, fd, 0);
    if (map == MAP_FAILED) {
        perror(path);
        exit(1);
    }
    close(fd);
    return map;
}

/* The end of the sweep that begins there; *last: the largest tsc in it, if it is more. */
static const uint8_t *sweep_end(const uint8_t *at, const uint8_t *end, uint64_t *last)
{
    uint32_t before = 0;
    for (const uint8_t *begin = at; at + 12 <= end && (word(at) & EVENT_MASK) == CPU_CHANGE;
         before = word(begin + 4)) {
        if (at > begin && word(at + 4) <= before)
            return at;
        const uint8_t *window = at + 12, *next = window + word(at + 8);
        begin = at;
        for (at = window; at + 12 <= next;) {
            uint32_t header = word(at);
            uint64_t tsc = word(at + 4) | (uint64_t)word(at + 8) << 32;
            if (header >> 31 && tsc > *last)
                *last = tsc;
            at += 4 + (header >> 31) * 8 + (header >> 28 & 7) * 4;
        }
        at = next;
    }
    return at < end ? at : end;
}

static int write_all(const uint8_t *at, size_t n)
{
    while (n > 0) {
        ssize_t done = write(STDOUT_FILENO, at, n);
        if (done < 0 && errno == EINTR && !told_to_stop)
            continue;
        if (done < 0)
            return -1;
        at += done;
        n -= (size_t)done;
    }
    return 0;
}

static void wait_for_reader(void)
{
    int waiting;
    while (!told_to_stop && ioctl(STDOUT_FILENO, FIONREAD, &waiting) == 0 && waiting > 0)
        usleep(PAUSE_US);
}

/* The sweep with its times moved, in a buffer that grows. */
static uint8_t *moved(const uint8_t *at, size_t n, uint64_t by)
{
    static uint8_t *copy;
    static size_t room;
    if (n > room) {
        free(copy);
        copy = malloc(n);
        room = n;
    }
    if (!copy)
        exit(1);
    memcpy(copy, at, n);
    for (uint8_t *p = copy; p + 12 <= copy + n;) {
        uint32_t header = word(p);
        uint64_t tsc;
        if (header >> 31) {
            memcpy(&tsc, p + 4, sizeof tsc);
            tsc += by;
            memcpy(p + 4, &tsc, sizeof tsc);
        }
        p += 4 + (header >> 31) * 8 + (header >> 28 & 7) * 4;
    }
    return copy;
}

/* False: told to stop, or nobody reads. */
static bool write_trace(const uint8_t *at, const uint8_t *end, uint64_t by, uint64_t from, uint64_t *shared)
{
    const uint8_t *next;
    for (; at < end && !told_to_stop; at = next) {
        uint64_t last = 0;
        next = sweep_end(at, end, &last);
        if (next == at || last + by <= from)
            continue;
        if (last + by > *shared)
            *shared = last + by;
        if (write_all(moved(at, (size_t)(next - at), by), (size_t)(next - at)) != 0)
            return false;
        wait_for_reader();
    }
    return !told_to_stop;
}

int main(int argc, char **argv)
{
    size_t n, shared_n;
    if (argc != 5)
        return 2;
    uint64_t *shared =
        (uint64_t *)(uintptr_t)mapped(argv[1], O_RDWR | O_CREAT, PROT_READ | PROT_WRITE, &shared_n);
    const uint8_t *at = mapped(argv[2], O_RDONLY, PROT_READ, &n);
    uint64_t from = *shared ? *shared + (uint64_t)(atof(argv[4]) * CPU_HZ) : 0;
    struct sigaction action = {.sa_handler = stop};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
    for (int i = 0; i < atoi(argv[3]); i++)
        if (!write_trace(at, at + n, (uint64_t)i * PERIOD, from, shared))
            return told_to_stop ? 0 : 1;
    return 3;
}
