#include "act/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "formats/output.h"

#define RETRY_NS 50000000u

/* flock, within the time. */
static int take_within(int fd, uint64_t wait_ns)
{
    const struct timespec pause = {0, RETRY_NS};
    for (uint64_t waited = 0;; waited += RETRY_NS) {
        if (TEMP_FAILURE_RETRY(flock(fd, LOCK_EX | LOCK_NB)) == 0)
            return 0;
        if ((errno != EWOULDBLOCK && errno != EINTR) || waited >= wait_ns)
            return -1;
        nanosleep(&pause, NULL);
    }
}

/* The process id that the owner has written; 0: none. */
static long owner_of(int fd)
{
    char text[24] = "";
    ssize_t n = TEMP_FAILURE_RETRY(pread(fd, text, sizeof text - 1, 0));
    return n > 0 ? strtol(text, NULL, 10) : 0;
}

static int refuse(int fd, const char *path, struct error *err)
{
    int why = errno;
    long owner = owner_of(fd);
    close(fd);
    if (why == EWOULDBLOCK)
        return error_set(err, ERROR_IO,
                         "%.150s: another xenmeter (process %ld), or a command that it started, acts on this "
                         "host",
                         path, owner);
    return error_set(err, ERROR_IO, "%.200s: cannot be locked: %s", path, strerror(why));
}

int lock_take(const char *path, uint64_t wait_ns, struct error *err)
{
    char pid[24];
    int n = snprintf(pid, sizeof pid, "%ld\n", (long)getpid());
    /* Commands inherit it. Nobody else's file is followed to. */
    int fd =
        TEMP_FAILURE_RETRY(open(path, O_RDWR | O_CREAT | O_NOFOLLOW, 0600)); // NOLINT(android-cloexec-open)
    if (fd < 0)
        return error_set(err, ERROR_IO, "%.200s: cannot be opened: %s", path, strerror(errno));
    if (take_within(fd, wait_ns) != 0)
        return refuse(fd, path, err);
    if (TEMP_FAILURE_RETRY(ftruncate(fd, 0)) != 0 || output_write_fd(fd, pid, (size_t)n) != 0) {
        error_set(err, ERROR_IO, "%.200s: %s", path, strerror(errno));
        close(fd);
        return -1;
    }
    return fd;
}

long lock_owner(const char *path)
{
    int fd = TEMP_FAILURE_RETRY(open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW));
    bool taken = fd >= 0 && TEMP_FAILURE_RETRY(flock(fd, LOCK_EX | LOCK_NB)) != 0 && errno == EWOULDBLOCK;
    long owner = taken ? owner_of(fd) : 0;
    if (fd >= 0)
        close(fd);
    return owner;
}

void lock_release(int fd)
{
    if (fd >= 0)
        close(fd);
}
