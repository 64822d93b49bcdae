#include "tracefs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "metrics/measure/dom0_trace.h"

#define INSTANCE "xenmeter-" /* and the process id */

/* ---- files ---- */

int tracefs_write(const struct tracefs_instance *t, const char *file, const char *text)
{
    int fd = TEMP_FAILURE_RETRY(openat(t->folder, file, O_WRONLY | O_TRUNC | O_CLOEXEC));
    if (fd < 0)
        return -1;
    size_t n = strlen(text);
    ssize_t written = TEMP_FAILURE_RETRY(write(fd, text, n));
    int why = written < 0 ? errno : EIO;
    close(fd);
    errno = why;
    return written == (ssize_t)n ? 0 : -1;
}

int tracefs_read(const struct tracefs_instance *t, const char *file, char *to, size_t n)
{
    int fd = TEMP_FAILURE_RETRY(openat(t->folder, file, O_RDONLY | O_CLOEXEC));
    size_t done = 0;
    ssize_t got = fd < 0 ? -1 : 1;
    while (got > 0 && done < n - 1) {
        got = TEMP_FAILURE_RETRY(read(fd, to + done, n - 1 - done));
        done += got > 0 ? (size_t)got : 0;
    }
    int why = errno;
    if (fd >= 0)
        close(fd);
    to[done] = '\0';
    errno = why;
    return got < 0 ? -1 : 0;
}

/* ---- instances ---- */

/* The process that an instance is named after; 0: it is none of ours. */
static long process_of(const char *entry)
{
    const char *digits = entry + strlen(INSTANCE);
    if (strncmp(entry, INSTANCE, strlen(INSTANCE)) != 0 || !*digits || digits[strspn(digits, "0123456789")])
        return 0;
    return strtol(digits, NULL, 10);
}

/* Whether the process is one of this program. */
static bool is_alive(const char *root, long process)
{
    char path[PATH_MAX], name[32] = "";
    snprintf(path, sizeof path, "%s/proc/%ld/comm", root, process);
    FILE *f = fopen(path, "re");
    if (!f)
        return false;
    bool alive = fgets(name, sizeof name, f) && strcmp(name, "xenmeter\n") == 0;
    fclose(f);
    return alive;
}

int tracefs_remove(struct tracefs_instance *t)
{
    if (t->folder < 0)
        return 0;
    tracefs_write(t, "tracing_on", "0");
    close(t->folder);
    t->folder = -1;
    return rmdir(t->path);
}

static void remove_left_over(const char *instances, const char *entry, host_teller *tell)
{
    struct tracefs_instance t;
    if (snprintf(t.path, sizeof t.path, "%s/%s", instances, entry) >= (int)sizeof t.path)
        return;
    t.folder = TEMP_FAILURE_RETRY(open(t.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (t.folder >= 0 && tracefs_remove(&t) != 0)
        tell("%s, which a process left that died, cannot be removed: %s", t.path, strerror(errno));
}

static void remove_left_overs(const char *instances, const char *root, host_teller *tell)
{
    DIR *folder = opendir(instances);
    struct dirent *entry;
    while (folder && (entry = readdir(folder))) {
        long process = process_of(entry->d_name);
        if (process > 0 && process != getpid() && !is_alive(root, process))
            remove_left_over(instances, entry->d_name, tell);
    }
    if (folder)
        closedir(folder);
}

/* Where tracefs is: mounted by itself, or below debugfs. */
static int find_instances(char path[PATH_MAX], const char *root, struct error *err)
{
    static const char *const places[] = {"sys/kernel/tracing", "sys/kernel/debug/tracing"};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        struct stat st;
        if (snprintf(path, PATH_MAX, "%s/%s/instances", root, places[i]) >= PATH_MAX)
            return error_set(err, ERROR_USAGE, "--root: this path is too long");
        if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
            return 0;
        if (errno == EACCES)
            return error_set(err, ERROR_IO, "--ftrace: %.200s: %s: only root may trace", path,
                             strerror(errno));
    }
    return error_set(
        err, ERROR_IO,
        "--ftrace: there is no tracefs: \"mount -t tracefs tracefs %.100s/%s\" mounts it, if the kernel "
        "was built with CONFIG_FTRACE",
        root, places[0]);
}

int tracefs_open(struct tracefs_instance *t, const char *root, host_teller *tell, struct error *err)
{
    char instances[PATH_MAX];
    t->folder = -1;
    if (find_instances(instances, root, err) != 0)
        return -1;
    remove_left_overs(instances, root, tell);
    if (snprintf(t->path, sizeof t->path, "%.*s/" INSTANCE "%ld", PATH_MAX - 40, instances, (long)getpid()) <
        0)
        return error_set(err, ERROR_IO, "--ftrace: %s", strerror(errno));
    /* One of this process's number is left over, too, and everything in it is set anew. */
    if (mkdir(t->path, 0700) != 0 && errno != EEXIST)
        return error_set(err, ERROR_IO, "--ftrace: %.200s: %s%s", t->path, strerror(errno),
                         errno == EACCES || errno == EPERM ? ": only root may trace" : "");
    t->folder = TEMP_FAILURE_RETRY(open(t->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (t->folder >= 0 && tracefs_write(t, "tracing_on", "0") == 0)
        return 0;
    error_set(err, ERROR_IO, "--ftrace: %.200s/tracing_on: %s", t->path, strerror(errno));
    tracefs_remove(t);
    return -1;
}

/* ---- CPUs ---- */

unsigned tracefs_cpus(const struct tracefs_instance *t)
{
    char path[64];
    unsigned cpus = 0;
    do
        snprintf(path, sizeof path, "per_cpu/cpu%u", cpus);
    while (faccessat(t->folder, path, F_OK, 0) == 0 && ++cpus < DOM0_TRACE_CPUS);
    return cpus;
}

/* The number of the line "KEY: N"; 0 without it. */
static uint64_t figure(const char *text, const char *key)
{
    size_t n = strlen(key);
    while (text && (strncmp(text, key, n) != 0 || text[n] != ':')) {
        text = strchr(text, '\n');
        text += text != NULL;
    }
    return text ? strtoull(text + n + 1, NULL, 10) : 0;
}

bool tracefs_figures(const struct tracefs_instance *t, unsigned cpu, struct tracefs_figures *figures)
{
    char path[64], text[1024];
    snprintf(path, sizeof path, "per_cpu/cpu%u/stats", cpu);
    if (tracefs_read(t, path, text, sizeof text) != 0)
        return false;
    figures->bytes = figure(text, "bytes");
    figures->overwritten = figure(text, "overrun");
    figures->dropped = figure(text, "dropped events") + figure(text, "commit overrun");
    return true;
}
