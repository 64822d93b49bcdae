/*
 * Calls on files that fail, are interrupted or transfer less than was asked for. The wrappers of open64 and the like are
 * for libraries that were built with 64-bit offsets by name.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/faults/shim.h"

static bool fails(const char *call, const char *path, int fd, int why)
{
    if (!shim_fails(FAULT_ERROR, call, path, fd))
        return false;
    errno = why;
    return true;
}

static bool interrupted(const char *call, const char *path, int fd)
{
    if (!shim_fails(FAULT_INTERRUPT, call, path, fd))
        return false;
    errno = EINTR;
    return true;
}

static bool write_fails(const char *call, int fd)
{
    return fails(call, NULL, fd, EIO) && (errno = shim_random(2) ? EIO : ENOSPC);
}

/* ---- reading and writing ---- */

ssize_t read(int fd, void *to, size_t n)
{
    NEXT(read);
    if (fails("read", NULL, fd, EIO) || interrupted("read", NULL, fd))
        return -1;
    return next(fd, to, shim_length("read", fd, n));
}

ssize_t pread(int fd, void *to, size_t n, off_t at)
{
    NEXT(pread);
    if (fails("pread", NULL, fd, EIO) || interrupted("pread", NULL, fd))
        return -1;
    return next(fd, to, shim_length("pread", fd, n), at);
}

ssize_t pread64(int fd, void *to, size_t n, off_t at)
{
    return pread(fd, to, n, at);
}

ssize_t write(int fd, const void *from, size_t n)
{
    NEXT(write);
    if (write_fails("write", fd) || interrupted("write", NULL, fd))
        return -1;
    return next(fd, from, shim_length("write", fd, n));
}

ssize_t pwrite(int fd, const void *from, size_t n, off_t at)
{
    NEXT(pwrite);
    if (write_fails("pwrite", fd) || interrupted("pwrite", NULL, fd))
        return -1;
    return next(fd, from, shim_length("pwrite", fd, n), at);
}

ssize_t pwrite64(int fd, const void *from, size_t n, off_t at)
{
    return pwrite(fd, from, n, at);
}

/* ---- opening and closing ---- */

static bool open_fails(const char *path, int flags)
{
    return fails("open", path, -1, flags & O_CREAT ? ENOSPC : EIO) || interrupted("open", path, -1);
}

static mode_t mode_of(int flags, va_list args)
{
    return flags & O_CREAT || (flags & O_TMPFILE) == O_TMPFILE ? va_arg(args, mode_t) : 0;
}

int open(const char *path, int flags, ...)
{
    NEXT(open);
    va_list args;
    va_start(args, flags);
    mode_t mode = mode_of(flags, args);
    va_end(args);
    return open_fails(path, flags) ? -1 : next(path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
    va_list args;
    va_start(args, flags);
    mode_t mode = mode_of(flags, args);
    va_end(args);
    return open(path, flags, mode);
}

int openat(int folder, const char *path, int flags, ...)
{
    NEXT(openat);
    va_list args;
    va_start(args, flags);
    mode_t mode = mode_of(flags, args);
    va_end(args);
    return open_fails(path, flags) ? -1 : next(folder, path, flags, mode);
}

FILE *fopen(const char *path, const char *mode)
{
    NEXT(fopen);
    return fails("fopen", path, -1, EIO) ? NULL : next(path, mode);
}

/* The descriptor is closed even so, as Linux does it. */
int close(int fd)
{
    NEXT(close);
    if (fd == STDERR_FILENO)
        return next(fd);
    bool failed = fails("close", NULL, fd, EIO), caught = !failed && interrupted("close", NULL, fd);
    int status = next(fd);
    if (!failed && !caught)
        return status;
    errno = failed ? EIO : EINTR;
    return -1;
}

int dup(int fd)
{
    NEXT(dup);
    return fails("dup", NULL, fd, EMFILE) ? -1 : next(fd);
}

int eventfd(unsigned initial, int flags)
{
    NEXT(eventfd);
    return fails("eventfd", NULL, -1, EMFILE) ? -1 : next(initial, flags);
}

int pipe2(int ends[2], int flags)
{
    NEXT(pipe2);
    return fails("pipe2", NULL, -1, EMFILE) ? -1 : next(ends, flags);
}

/* ---- of whole files ---- */

/* Not done even where it succeeds: no run outlives the system, and a disk takes its time. */

int fsync(int fd)
{
    return fails("fsync", NULL, fd, EIO) || interrupted("fsync", NULL, fd) ? -1 : 0;
}

int fdatasync(int fd)
{
    return fails("fdatasync", NULL, fd, EIO) || interrupted("fdatasync", NULL, fd) ? -1 : 0;
}

int ftruncate(int fd, off_t n)
{
    NEXT(ftruncate);
    return fails("ftruncate", NULL, fd, EIO) || interrupted("ftruncate", NULL, fd) ? -1 : next(fd, n);
}

int ftruncate64(int fd, off_t n)
{
    return ftruncate(fd, n);
}

/* Whatever the program does wrong, no device of the machine is replaced. */
static bool is_device(const char *path)
{
    errno = EPERM;
    return strncmp(path, "/dev/", 5) == 0;
}

int rename(const char *from, const char *to)
{
    NEXT(rename);
    if (is_device(to))
        return -1;
    return fails("rename", to, -1, EIO) ? -1 : next(from, to);
}

int renameat(int from_folder, const char *from, int to_folder, const char *to)
{
    NEXT(renameat);
    return fails("renameat", to, -1, EIO) ? -1 : next(from_folder, from, to_folder, to);
}

int mkdir(const char *path, mode_t mode)
{
    NEXT(mkdir);
    return fails("mkdir", path, -1, ENOSPC) ? -1 : next(path, mode);
}

int flock(int fd, int how)
{
    NEXT(flock);
    return fails("flock", NULL, fd, ENOLCK) || interrupted("flock", NULL, fd) ? -1 : next(fd, how);
}

int fstat(int fd, struct stat *st)
{
    NEXT(fstat);
    return fails("fstat", NULL, fd, EIO) ? -1 : next(fd, st);
}

int stat(const char *path, struct stat *st)
{
    NEXT(stat);
    return fails("stat", path, -1, EIO) ? -1 : next(path, st);
}

void *mmap(void *at, size_t n, int protection, int flags, int fd, off_t offset)
{
    NEXT(mmap);
    if (fd < 0)
        return next(at, n, protection, flags, fd, offset);
    if (!shim_unmapped() && !fails("mmap", NULL, fd, ENOMEM))
        return next(at, n, protection, flags, fd, offset);
    errno = ENOMEM;
    return MAP_FAILED;
}

void *mmap64(void *at, size_t n, int protection, int flags, int fd, off_t offset)
{
    return mmap(at, n, protection, flags, fd, offset);
}

/* ---- by stdio: its own calls of read are not seen from outside ---- */

static bool stream_fails(const char *call, FILE *f)
{
    if (fileno(f) < 0 || !fails(call, NULL, fileno(f), EIO)) /* of memory: never */
        return false;
    f->_flags |= 0x20; /* what ferror looks at, in glibc */
    return true;
}

size_t fread(void *to, size_t size, size_t n, FILE *f)
{
    NEXT(fread);
    return stream_fails("fread", f) ? 0 : next(to, size, n, f);
}

char *fgets(char *to, int n, FILE *f)
{
    NEXT(fgets);
    return stream_fails("fgets", f) ? NULL : next(to, n, f);
}

ssize_t __getdelim(char **line, size_t *n, int end, FILE *f)
{
    NEXT(__getdelim);
    return stream_fails("getline", f) ? -1 : next(line, n, end, f);
}

DIR *opendir(const char *path)
{
    NEXT(opendir);
    return fails("opendir", path, -1, EIO) ? NULL : next(path);
}

struct dirent *readdir(DIR *folder)
{
    NEXT(readdir);
    return fails("readdir", NULL, dirfd(folder), EIO) ? NULL : next(folder);
}

/* ---- waiting ---- */

int poll(struct pollfd *fds, nfds_t n, int ms)
{
    NEXT(poll);
    return interrupted("poll", NULL, -1) ? -1 : next(fds, n, ms);
}

int ppoll(struct pollfd *fds, nfds_t n, const struct timespec *timeout, const sigset_t *mask)
{
    NEXT(ppoll);
    return interrupted("ppoll", NULL, -1) ? -1 : next(fds, n, timeout, mask);
}

pid_t waitpid(pid_t pid, int *status, int options)
{
    NEXT(waitpid);
    return !(options & WNOHANG) && interrupted("waitpid", NULL, -1) ? -1 : next(pid, status, options);
}
