#include "act/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "formats/json_memory.h"
#include "formats/output.h"

#define TIME_BYTES 40

struct act_log {
    int fd;
    int failure; /* errno of the first line that could not be written; 0: none */
    const char *controller, *mode;
    char path[200];
};

struct act_log *log_open(const char *path, const char *controller, const char *mode, struct error *err)
{
    struct act_log *log = calloc(1, sizeof *log);
    if (!log) {
        error_no_memory(err, "the log");
        return NULL;
    }
    log->controller = controller;
    log->mode = mode;
    snprintf(log->path, sizeof log->path, "%s", path);
    log->fd = TEMP_FAILURE_RETRY(open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640));
    if (log->fd >= 0)
        return log;
    error_set(err, ERROR_IO, "%.200s: cannot be opened: %s", path, strerror(errno));
    free(log);
    return NULL;
}

int log_close(struct act_log *log, struct error *err)
{
    int failure = log ? log->failure : 0;
    if (failure)
        error_set(err, ERROR_IO, "%s: not all decisions are in it: %s", log->path, strerror(failure));
    if (log)
        close(log->fd);
    free(log);
    return failure ? -1 : 0;
}

/* "2026-11-29T23:55:01.250Z" */
static void write_time(char text[TIME_BYTES])
{
    struct timespec now;
    struct tm utc;
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    size_t n = strftime(text, TIME_BYTES, "%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(text + n, TIME_BYTES - n, ".%03ldZ", now.tv_nsec / 1000000);
}

void log_add(struct act_log *log, json_t *object)
{
    char time[TIME_BYTES];
    if (!log) {
        json_decref(object);
        return;
    }
    write_time(time);
    json_t *line = json_pack("{ss ss ss}", "time", time, "controller", log->controller, "mode", log->mode);
    bool whole = line && object && json_object_update(line, object) == 0 && !json_memory_failed();
    char *text = whole ? json_dumps(line, JSON_COMPACT) : NULL;
    size_t n = text ? strlen(text) : 0;
    if (text)
        text[n] = '\n'; /* in the place of the NUL: it is not used as a string any more */
    if (!text || output_write_fd(log->fd, text, n + 1) != 0)
        log->failure = log->failure ? log->failure : text ? errno : ENOMEM;
    free(text);
    json_decref(line);
    json_decref(object);
    json_memory_begin(); /* for the object of the next line */
}
