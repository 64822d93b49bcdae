#include "source.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAPPED_KEEP (4u << 20) /* pages that were read are released in steps of so many bytes */

/* Waits until there is something to read. False: asked to stop. */
static bool wait_for_bytes(struct source *s)
{
    struct pollfd wait[2] = {{.fd = s->fd, .events = POLLIN}, {.fd = s->wake_fd, .events = POLLIN}};
    if (!s->stop && !s->wakeable)
        return true;
    while (!(s->stop && *s->stop) && ppoll(wait, s->wakeable ? 2 : 1, NULL, s->wait_mask) < 0 &&
           errno == EINTR)
        continue;
    return !(s->stop && *s->stop) && !(s->wakeable && wait[1].revents);
}

bool source_make_wakeable(struct source *s)
{
    if (!s->wakeable) {
        s->wake_fd = eventfd(0, EFD_CLOEXEC);
        s->wakeable = s->wake_fd >= 0;
    }
    return s->wakeable;
}

void source_wake(const struct source *s)
{
    if (s->wakeable)
        eventfd_write(s->wake_fd, 1);
}

ssize_t source_read(struct source *s, uint8_t *to, size_t n, struct error *err)
{
    for (;;) {
        if (!wait_for_bytes(s)) {
            s->ended = true;
            return 0;
        }
        ssize_t got = read(s->fd, to, n);
        if (got >= 0) {
            s->position += (uint64_t)got;
            s->ended = got == 0;
            return got;
        }
        if (errno != EINTR)
            return error_set(err, ERROR_IO, "cannot read: %s", strerror(errno));
    }
}

void source_advance(struct source *s, size_t n)
{
    s->position += n;
    /* Pages that were read must not count as memory in use. */
    uint64_t upto = s->position & ~(uint64_t)(MAPPED_KEEP - 1);
    if (upto > s->released) {
        madvise((void *)(uintptr_t)(s->map + s->released), upto - s->released, MADV_DONTNEED);
        s->released = upto;
    }
}

void source_release(const struct source *s, uint64_t from, uint64_t to)
{
    uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
    from &= ~(page - 1); /* a page that is still needed is read again */
    if (s->mapped && from < to)
        madvise((void *)(uintptr_t)(s->map + from), to - from, MADV_DONTNEED);
}

int source_check(const struct source *s, struct error *err)
{
    struct stat st;
    if (fstat(s->fd, &st) == 0 && (uint64_t)st.st_size < s->size)
        return error_set_at(err, ERROR_IO, (uint64_t)st.st_size, "the file was cut short while it was read");
    return 0;
}

int source_open(struct source *s, const char *path, struct error *err)
{
    bool standard_input = strcmp(path, "-") == 0;
    s->fd = standard_input ? dup(STDIN_FILENO) : TEMP_FAILURE_RETRY(open(path, O_RDONLY | O_CLOEXEC));
    if (s->fd < 0)
        return error_set(err, ERROR_IO, "cannot open: %s", strerror(errno));
    struct stat st;
    if (fstat(s->fd, &st) != 0)
        return error_set(err, ERROR_IO, "cannot look at it: %s", strerror(errno));
    if (S_ISDIR(st.st_mode))
        return error_set(err, ERROR_IO, "is a directory");
    if (!S_ISREG(st.st_mode) || (standard_input && lseek(s->fd, 0, SEEK_CUR) != 0))
        return 0; /* a pipe, or a file not at its beginning */
    if (st.st_size == 0)
        return 0; /* empty, or a file of /proc, whose size is not known */
    s->size = (uint64_t)st.st_size;
    void *map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, s->fd, 0);
    if (map == MAP_FAILED)
        return 0; /* this file system cannot map: read instead */
    madvise(map, (size_t)st.st_size, MADV_SEQUENTIAL);
    s->mapped = true;
    s->map = map;
    return 0;
}

void source_close(struct source *s)
{
    if (s->mapped)
        munmap((void *)(uintptr_t)s->map, s->size);
    if (s->wakeable)
        close(s->wake_fd);
    if (s->fd >= 0)
        close(s->fd);
}
