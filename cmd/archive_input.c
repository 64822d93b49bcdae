/* Is the input an archive? An archive from a pipe is copied to a file first. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "archive_commands.h"
#include "archived.h"

#define PEEK_STEP_NS 10000000 /* 10 ms */
#define PEEKS        300

/* Reads the first bytes that wait in a pipe, and leaves them in it. */
static size_t peek(int fd, uint8_t bytes[ARCHIVE_MAGIC_BYTES])
{
    int pair[2];
    if (pipe2(pair, O_CLOEXEC) != 0)
        return 0;
    ssize_t n = tee(fd, pair[1], ARCHIVE_MAGIC_BYTES, 0);
    if (n > 0)
        n = TEMP_FAILURE_RETRY(read(pair[0], bytes, (size_t)n));
    close(pair[0]);
    close(pair[1]);
    return n > 0 ? (size_t)n : 0;
}

/* Whether a pipe begins like an archive. Waits for more bytes while the first few may be those of an archive. */
static bool pipe_begins_archive(int fd)
{
    uint8_t bytes[ARCHIVE_MAGIC_BYTES] = {0};
    const struct timespec step = {.tv_nsec = PEEK_STEP_NS};
    for (int i = 0; i < PEEKS; i++) {
        size_t n = peek(fd, bytes);
        if (n == 0 || n == sizeof bytes || !frames_may_begin_archive(bytes, n))
            break;
        nanosleep(&step, NULL);
    }
    return frames_begin_archive(bytes, sizeof bytes);
}

/* An archive is read from its end: one from a pipe is copied to a file without a name. */
static int spool(int fd, struct error *err)
{
    const char *folder = getenv("TMPDIR");
    static uint8_t bytes[1 << 16];
    ssize_t n;
    int file =
        TEMP_FAILURE_RETRY(open(folder && *folder ? folder : "/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
    if (file < 0)
        return error_set(err, ERROR_IO,
                         "an archive on a pipe wants a temporary file, which cannot be made: %s",
                         strerror(errno));
    while ((n = TEMP_FAILURE_RETRY(read(fd, bytes, sizeof bytes))) > 0)
        if (output_write_fd(file, bytes, (size_t)n) != 0) {
            error_set(err, ERROR_IO,
                      "an archive on a pipe goes to a temporary file, which cannot be written: %s",
                      strerror(errno));
            close(file);
            return -1;
        }
    if (n < 0 || lseek(file, 0, SEEK_SET) != 0 || dup2(file, STDIN_FILENO) < 0) {
        error_set(err, ERROR_IO, "cannot read: %s", strerror(errno));
        close(file);
        return -1;
    }
    close(file);
    return 0;
}

int input_is_archive(const char *path, bool *is, struct error *err)
{
    struct stat st;
    *is = archive_file_is(path);
    if (*is || strcmp(path, "-") != 0 || fstat(STDIN_FILENO, &st) != 0 || !S_ISFIFO(st.st_mode))
        return 0;
    *is = pipe_begins_archive(STDIN_FILENO);
    return *is ? spool(STDIN_FILENO, err) : 0;
}

bool ends_in_partial(const char *path)
{
    size_t n = strlen(path), end = strlen(".partial");
    return n > end && strcmp(path + n - end, ".partial") == 0;
}

struct archive *archive_for_reading(const char *path, struct error *err)
{
    struct archive *a = archive_open(path, err);
    size_t n = a ? 0 : strlen(err->message);
    if (!a && err->code == ERROR_FORMAT)
        snprintf(err->message + n, sizeof err->message - n,
                 "; \"xenmeter archive extract --partial\" saves what is whole%s",
                 ends_in_partial(path)
                     ? ", \"xenmeter archive salvage\" makes an archive of what a recorder left"
                     : "");
    return a;
}

int archive_inputs_prepare(const struct options *o)
{
    struct error err = {0};
    bool is;
    for (size_t i = 0; i < o->inputs_n; i++)
        if (input_is_archive(o->inputs[i], &is, &err) != 0)
            return fail(o->inputs[i], &err);
    return EXIT_DONE;
}
