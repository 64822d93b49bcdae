#include "formats/spill.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void spill_init(struct spill *s)
{
    *s = (struct spill){.fd = -1};
}

void spill_free(struct spill *s)
{
    if (s->fd >= 0)
        close(s->fd);
    buffer_free(&s->text);
    spill_init(s);
}

/* A file that has no name from the start, or where the file system cannot, one that loses it at once. */
static int nameless_file(const char *directory)
{
    int fd = TEMP_FAILURE_RETRY(open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
    if (fd >= 0)
        return fd;
    struct buffer path = {0};
    buffer_printf(&path, "%s/xenmeter-XXXXXX%c", directory, '\0');
    if (!path.failed)
        fd = mkostemp(path.at, O_CLOEXEC);
    if (fd >= 0)
        unlink(path.at);
    buffer_free(&path);
    return fd;
}

int spill_settle(struct spill *s, struct error *err)
{
    if (s->text.failed)
        return error_no_memory(err, "the output");
    if (s->text.n < SPILL_MEMORY_BYTES)
        return 0;
    if (s->fd < 0) {
        const char *directory = getenv("TMPDIR");
        if (!directory || !*directory)
            directory = "/tmp";
        s->fd = nameless_file(directory);
        if (s->fd < 0)
            return error_set(err, ERROR_IO, "cannot create a temporary file in %s: %s", directory,
                             strerror(errno));
    }
    for (size_t done = 0; done < s->text.n;) {
        ssize_t n = pwrite(s->fd, s->text.at + done, s->text.n - done, (off_t)s->file_bytes);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return error_set(err, ERROR_IO, "cannot write a temporary file: %s",
                             strerror(n ? errno : ENOSPC));
        done += (size_t)n;
        s->file_bytes += (uint64_t)n;
    }
    s->text.n = 0;
    return 0;
}

int spill_copy_part(const struct spill *s, uint64_t at, uint64_t n, struct output *out)
{
    char bytes[65536];
    uint64_t end = at + n;
    while (at < end && at < s->file_bytes) {
        uint64_t left = (end < s->file_bytes ? end : s->file_bytes) - at;
        ssize_t got =
            TEMP_FAILURE_RETRY(pread(s->fd, bytes, left < sizeof bytes ? left : sizeof bytes, (off_t)at));
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0) {
            struct error why;
            error_set(&why, ERROR_IO, "cannot read a temporary file: %s", strerror(got ? errno : EIO));
            return output_fail(out, &why);
        }
        if (output_write(out, bytes, (size_t)got) != 0)
            return -1;
        at += (uint64_t)got;
    }
    return at < end ? output_write(out, s->text.at + (at - s->file_bytes), (size_t)(end - at)) : 0;
}

int spill_copy(const struct spill *s, struct output *out)
{
    return spill_copy_part(s, 0, s->file_bytes + s->text.n, out);
}

bool spill_is_empty(const struct spill *s)
{
    return s->file_bytes == 0 && s->text.n == 0;
}
