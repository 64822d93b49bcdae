#include "formats/output.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include "formats/wrap.h"

#define BUFFER_BYTES ((size_t)256 * 1024)

/*
 * The temporary files of all open outputs, where a signal handler finds them. An entry belongs to the thread that moved
 * its state from FREE to TAKEN; the handler reads only READY entries, whose path no longer changes.
 */
enum { FREE, TAKEN, READY };
static struct temporary {
    atomic_int state;
    char path[PATH_MAX];
} temporaries[OUTPUTS_MAX];

struct output {
    int fd;
    char *destination;           /* the final name; NULL when written in place */
    struct temporary *temporary; /* the name until then */
    char *bytes;                 /* BUFFER_BYTES and one more, n of them to be written */
    size_t n;
    ZSTD_CCtx *zstd; /* NULL: not compressed */
    char *packed;    /* its output, packed_bytes of room */
    size_t packed_bytes;
    bool failed;
    bool reader_gone;
    bool is_stdout;
    int (*begin_pager)(void); /* NULL: no pager, or it has begun */
    unsigned lines, columns;  /* of the screen */
    size_t flushed;           /* of what is held back for the pager: bytes that were to be shown */
    bool keep_partial;        /* an incomplete file is kept */
    struct error why;         /* of the first failure */
};

void output_remove_temporaries(void)
{
    for (size_t i = 0; i < OUTPUTS_MAX; i++)
        if (atomic_load(&temporaries[i].state) == READY)
            unlink(temporaries[i].path);
}

static struct temporary *take_temporary(void)
{
    for (size_t i = 0; i < OUTPUTS_MAX; i++) {
        int expected = FREE;
        if (atomic_compare_exchange_strong(&temporaries[i].state, &expected, TAKEN))
            return &temporaries[i];
    }
    return NULL;
}

static int note_failure(struct output *o, const char *what, int number)
{
    if (!o->failed)
        error_set(&o->why, ERROR_IO, "%s: %s", what, strerror(number));
    o->failed = true;
    o->reader_gone |= number == EPIPE;
    return -1;
}

int output_fail(struct output *o, const struct error *why)
{
    if (!o->failed)
        o->why = *why;
    o->failed = true;
    return -1;
}

/* ---- opening ---- */

/* Creates the file whose name is in the temporary's path, n characters long; open, not mkstemp, so that the umask and the
 * directory's ACL apply. */
static int create(struct output *o, int n)
{
    if (n < 0 || (size_t)n >= sizeof o->temporary->path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    o->fd = TEMP_FAILURE_RETRY(open(o->temporary->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
    if (o->fd >= 0)
        atomic_store(&o->temporary->state, READY);
    return o->fd >= 0 ? 0 : -1;
}

/*
 * Creates the temporary file beside the destination. Its name does not grow with that of the destination,
 * which may be as long as a name can be.
 */
static int create_temporary(struct output *o)
{
    static atomic_uint serial;
    const char *slash = strrchr(o->destination, '/');
    int directory = slash ? (int)(slash - o->destination) + 1 : 0, status;
    int tries = 0;
    do {
        int n = snprintf(o->temporary->path, sizeof o->temporary->path, "%.*s.xenmeter-%ld-%u.tmp", directory,
                         o->destination, (long)getpid(), atomic_fetch_add(&serial, 1));
        status = create(o, n);
    } while (status != 0 && errno == EEXIST && ++tries < 1000);
    return status;
}

/* Creates PATH.partial, unless there is one. */
static int create_partial(struct output *o)
{
    return create(o, snprintf(o->temporary->path, sizeof o->temporary->path, "%s.partial", o->destination));
}

static int open_file(struct output *o, const char *path, struct error *err)
{
    struct stat was;
    bool exists = stat(path, &was) == 0;
    /* A file that cannot be examined may be there, and be a device: it must not be replaced. */
    if (!exists && errno != ENOENT)
        return error_set(err, ERROR_IO, "cannot create: %s", strerror(errno));
    if (exists && S_ISDIR(was.st_mode))
        return error_set(err, ERROR_IO, "cannot create: %s", strerror(EISDIR));
    struct stat standard;
    if (exists && fstat(STDOUT_FILENO, &standard) == 0 && standard.st_dev == was.st_dev &&
        standard.st_ino == was.st_ino) {
        /* Another name of standard output: other processes may write there, too, so it must not be replaced. */
        o->is_stdout = true;
        o->fd = STDOUT_FILENO;
        return 0;
    }
    if (exists && !S_ISREG(was.st_mode)) {
        o->fd = TEMP_FAILURE_RETRY(open(path, O_WRONLY | O_CLOEXEC));
        return o->fd >= 0 ? 0 : error_set(err, ERROR_IO, "cannot open for writing: %s", strerror(errno));
    }
    /* Renaming would replace a read-only file, and a link instead of its target. */
    if (exists && access(path, W_OK) != 0)
        return error_set(err, ERROR_IO, "cannot write: %s", strerror(errno));
    o->destination = exists ? realpath(path, NULL) : strdup(path);
    if (!o->destination)
        return error_set(err, ERROR_IO, "cannot create: %s", strerror(errno));
    o->temporary = take_temporary();
    if (!o->temporary)
        return error_set(err, ERROR_IO, "cannot create: more than %d outputs at a time", OUTPUTS_MAX);
    if (o->keep_partial && create_partial(o) != 0 && errno == EEXIST)
        return error_set(
            err, ERROR_IO,
            "%s.partial is there: of a run that did not end, or has not yet; look at it and remove it", path);
    if (o->fd < 0 && (o->keep_partial || create_temporary(o) != 0))
        return error_set(err, ERROR_IO, "cannot create: %s", strerror(errno));
    /* Keeps the permissions of the old file; if that fails, those of the umask stay. */
    if (exists)
        (void)fchmod(o->fd, was.st_mode & 0777);
    return 0;
}

static int start_zstd(struct output *o, struct error *err)
{
    o->packed_bytes = ZSTD_CStreamOutSize();
    o->packed = malloc(o->packed_bytes);
    o->zstd = ZSTD_createCCtx();
    if (!o->packed || !o->zstd)
        return error_no_memory(err, "the output");
    ZSTD_CCtx_setParameter(o->zstd, ZSTD_c_checksumFlag, 1);
    return 0;
}

static bool ends_with(const char *s, const char *end)
{
    size_t n = strlen(s), m = strlen(end);
    return n >= m && strcmp(s + n - m, end) == 0;
}

static struct output *open_output(const char *path, bool keep_partial, struct error *err)
{
    struct output *o = calloc(1, sizeof *o);
    if (o)
        o->bytes = malloc(BUFFER_BYTES + 1);
    if (!o || !o->bytes) {
        free(o);
        error_no_memory(err, "the output");
        return NULL;
    }
    o->is_stdout = !path || strcmp(path, "-") == 0;
    o->fd = o->is_stdout ? STDOUT_FILENO : -1;
    o->keep_partial = keep_partial;
    bool packed = path && !keep_partial && ends_with(path, ".zst");
    if (!o->is_stdout && (open_file(o, path, err) != 0 || (packed && start_zstd(o, err) != 0))) {
        o->keep_partial = false;
        output_abort(o);
        return NULL;
    }
    return o;
}

struct output *output_open(const char *path, struct error *err)
{
    return open_output(path, false, err);
}

struct output *output_open_partial(const char *path, struct error *err)
{
    return open_output(path, true, err);
}

/* ---- writing ---- */

int output_write_fd(int fd, const void *bytes, size_t n)
{
    const char *from = bytes;
    while (n) {
        ssize_t written = write(fd, from, n);
        if (written >= 0) {
            from += written;
            n -= (size_t)written;
        } else if (errno == EAGAIN) {
            /* Another process that shares the pipe or terminal made it non-blocking. */
            poll(&(struct pollfd){.fd = fd, .events = POLLOUT}, 1, -1);
        } else if (errno != EINTR) {
            return -1;
        }
    }
    return 0;
}

static int write_all(struct output *o, const char *bytes, size_t n)
{
    return output_write_fd(o->fd, bytes, n) == 0 ? 0 : note_failure(o, "cannot write", errno);
}

static int write_packed(struct output *o, const char *bytes, size_t n, ZSTD_EndDirective how)
{
    ZSTD_inBuffer in = {bytes, n, 0};
    for (;;) {
        ZSTD_outBuffer out = {o->packed, o->packed_bytes, 0};
        size_t left = ZSTD_compressStream2(o->zstd, &out, &in, how);
        if (ZSTD_isError(left)) {
            struct error why;
            error_set(&why, ERROR_IO, "cannot compress: %s", ZSTD_getErrorName(left));
            return output_fail(o, &why);
        }
        if (write_all(o, o->packed, out.pos) != 0)
            return -1;
        if (how == ZSTD_e_continue ? in.pos == in.size : left == 0)
            return 0;
    }
}

/* ---- a pager ---- */

void output_page(struct output *o, unsigned lines, unsigned columns, int (*begin)(void))
{
    o->begin_pager = begin;
    o->lines = lines;
    o->columns = columns;
}

/* Whether what is held back has more lines than the screen, which breaks long ones. */
static bool is_longer_than_screen(struct output *o)
{
    size_t lines = 0;
    o->bytes[o->n] = '\0';
    for (const char *at = o->bytes, *end = o->bytes + o->n; at < end && lines < o->lines; lines++) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        size_t n = (size_t)((newline ? newline : end) - at), width = text_width(at, n);
        lines += o->columns && width > o->columns ? (width - 1) / o->columns : 0;
        at = newline ? newline + 1 : end;
    }
    return lines >= o->lines; /* a prompt follows */
}

static void start_pager(struct output *o)
{
    int fd = o->begin_pager();
    o->begin_pager = NULL;
    if (fd >= 0)
        o->fd = fd;
}

static int hand_on(struct output *o, const char *bytes, size_t n, ZSTD_EndDirective how)
{
    if (o->failed)
        return -1;
    if (o->begin_pager)
        start_pager(o);
    return o->zstd ? write_packed(o, bytes, n, how) : write_all(o, bytes, n);
}

static int drain(struct output *o, ZSTD_EndDirective how)
{
    size_t n = o->n;
    o->n = 0;
    return hand_on(o, o->bytes, n, how);
}

int output_write(struct output *o, const void *bytes, size_t n)
{
    if (n > BUFFER_BYTES - o->n && drain(o, ZSTD_e_continue) != 0)
        return -1;
    if (n >= BUFFER_BYTES)
        return hand_on(o, bytes, n, ZSTD_e_continue);
    memcpy(o->bytes + o->n, bytes, n);
    o->n += n;
    return o->failed ? -1 : 0;
}

int output_printf(struct output *o, const char *format, ...)
{
    char *text;
    va_list args;
    va_start(args, format);
    int n = vasprintf(&text, format, args);
    va_end(args);
    if (n < 0)
        return note_failure(o, "cannot write", ENOMEM);
    int status = output_write(o, text, (size_t)n);
    free(text);
    return status;
}

int output_flush(struct output *o)
{
    if (o->begin_pager && !is_longer_than_screen(o)) {
        o->flushed = o->n;
        return o->failed ? -1 : 0;
    }
    return drain(o, ZSTD_e_flush);
}

const struct error *output_failure(const struct output *o)
{
    return o->failed ? &o->why : NULL;
}

void output_discard_partial(struct output *o)
{
    o->keep_partial = false;
}

const char *output_partial(const struct output *o)
{
    return o->keep_partial && o->temporary ? o->temporary->path : NULL;
}

const char *output_file(const struct output *o)
{
    return o->temporary && !o->zstd ? o->temporary->path : NULL;
}

bool output_reader_gone(const struct output *o)
{
    return o->reader_gone;
}

bool output_is_terminal(const struct output *o)
{
    return isatty(o->fd) == 1;
}

int output_sync(struct output *o)
{
    if (drain(o, ZSTD_e_flush) != 0)
        return -1;
    if (TEMP_FAILURE_RETRY(fdatasync(o->fd)) != 0 && errno != EINVAL && errno != ENOTSUP && errno != EROFS)
        return note_failure(o, "cannot write to disk", errno);
    return 0;
}

/* ---- ending ---- */

/* Not every file system can: the data is safe either way. */
void output_sync_folder(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *directory = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
    int fd = directory ? TEMP_FAILURE_RETRY(open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) : -1;
    if (fd >= 0) {
        TEMP_FAILURE_RETRY(fsync(fd));
        close(fd);
    }
    free(directory);
}

static int close_file(struct output *o)
{
    int fd = o->fd;
    o->fd = -1;
    return close(fd) == 0 || errno == EINTR ? 0 : note_failure(o, "cannot write", errno);
}

static int finish(struct output *o)
{
    if (o->begin_pager && !is_longer_than_screen(o))
        o->begin_pager = NULL;
    if (drain(o, ZSTD_e_end) != 0)
        return -1;
    if (o->is_stdout)
        return 0;
    if (!o->destination)
        return close_file(o);
    if (TEMP_FAILURE_RETRY(fsync(o->fd)) != 0 && errno != EINVAL && errno != ENOTSUP)
        return note_failure(o, "cannot write to disk", errno);
    if (close_file(o) != 0)
        return -1;
    if (rename(o->temporary->path, o->destination) != 0)
        return note_failure(o, "cannot rename into place", errno);
    atomic_store(&o->temporary->state, FREE);
    o->temporary = NULL;
    output_sync_folder(o->destination);
    return 0;
}

int output_commit(struct output *o, struct error *err)
{
    int status = finish(o);
    if (status != 0 && err)
        *err = o->why;
    output_abort(o);
    return status;
}

void output_abort(struct output *o)
{
    if (!o)
        return;
    if (o->begin_pager && o->flushed && !o->failed)
        write_all(o, o->bytes, o->flushed); /* it would have been shown by now */
    if (o->fd >= 0 && !o->is_stdout)
        close(o->fd);
    if (o->temporary) {
        if (atomic_load(&o->temporary->state) == READY && !o->keep_partial)
            unlink(o->temporary->path);
        atomic_store(&o->temporary->state, FREE);
    }
    ZSTD_freeCCtx(o->zstd);
    free(o->packed);
    free(o->bytes);
    free(o->destination);
    free(o);
}
