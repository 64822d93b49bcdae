#include "io_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

int io_file_open(int at, const char *path)
{
    return TEMP_FAILURE_RETRY(openat(at, path, O_RDONLY | O_CLOEXEC));
}

/* Linux: sysfs says ENODEV of a device that was removed, /proc says ESRCH of a thread that has ended. */
static enum io_read failure(void)
{
    return errno == ENODEV || errno == ESRCH || errno == ENOENT ? IO_READ_GONE : IO_READ_FAILED;
}

enum io_read io_file_text(int fd, char *text, size_t size)
{
    ssize_t n = TEMP_FAILURE_RETRY(pread(fd, text, size - 1, 0));
    text[n > 0 ? n : 0] = '\0';
    return n >= 0 ? IO_READ_DONE : failure();
}

enum io_read io_file_number(int fd, uint64_t *number)
{
    char text[64];
    enum io_read status = io_file_text(fd, text, sizeof text);
    size_t digits = strspn(text, "0123456789");
    errno = 0;
    *number = strtoull(text, NULL, 10);
    bool whole = digits > 0 && errno == 0 && (!text[digits] || strchr(" \n", text[digits]));
    return status != IO_READ_DONE || whole ? status : IO_READ_FAILED;
}

enum io_read io_file_word(int fd, size_t offset, uint64_t *number)
{
    ssize_t n = TEMP_FAILURE_RETRY(pread(fd, number, sizeof *number, (off_t)offset));
    return n == (ssize_t)sizeof *number ? IO_READ_DONE : n < 0 ? failure() : IO_READ_FAILED;
}

bool io_file_all(const char *path, char nul, char *text, size_t size)
{
    int fd = io_file_open(AT_FDCWD, path);
    if (fd < 0)
        return false;
    ssize_t n = TEMP_FAILURE_RETRY(pread(fd, text, size - 1, 0));
    close(fd);
    text[n > 0 ? n : 0] = '\0';
    for (ssize_t i = 0; i < n; i++)
        if (!text[i])
            text[i] = nul;
    return n >= 0;
}

void io_file_raise_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max)
        return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit); /* a failure leaves what there was */
}
