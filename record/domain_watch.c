#include "record/domain_watch.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "act/host_command.h"
#include "host/domain_info.h"
#include "host/io_clock.h"
#include "parser/thread.h"

#define PAUSE_LONGER   9 /* times as long as a look took, so that looks take a tenth of a CPU at most; */
#define PAUSE_MOST_NS  60000000000u /* but no longer than this for that */
#define FILE_BYTES_MAX COMMAND_OUTPUT_MAX

struct domain_watch {
    struct domain_watch_options options;
    int end_fd; /* eventfd: the watch is to end */
    pthread_t thread;
    bool has_thread;
    struct domain_info taken; /* what the caller has taken */
    pthread_mutex_t lock;
    /* under the lock: */
    struct domain_info known;
    bool fresh; /* `known` is not `taken` */
    struct domain_watch_state state;
};

/* ---- a look ---- */

static int run(const struct domain_watch *w, const char *const *words, struct domain_info *info,
               struct error *err)
{
    const struct act_command c = {words, NULL, w->options.limit_ns, w->end_fd};
    struct buffer output = {.n = 0};
    int status = command_run(&c, &output, err);
    if (status == 0 && output.failed)
        status = error_no_memory(err, "the list of domains");
    if (status == 0)
        status = domain_info_read(info, output.at, output.n, err);
    buffer_free(&output);
    return status;
}

/* The plain table has all domains, too, and stands in for either of the others. */
static int ask_xl(const struct domain_watch *w, struct domain_info *info, struct error *err)
{
    static const char *const details[] = {"xl", "list", "-l", NULL};
    static const char *const vcpus[] = {"xl", "vcpu-list", NULL};
    static const char *const table[] = {"xl", "list", "-v", NULL};
    struct error why = {.code = ERROR_NONE};
    bool whole = run(w, details, info, err) == 0;
    whole = run(w, vcpus, info, whole ? err : &why) == 0 && whole;
    return whole ? 0 : run(w, table, info, &why);
}

/* Reads what there is of the file, to FILE_BYTES_MAX. */
static int read_all(int fd, struct buffer *text)
{
    ssize_t n;
    do {
        char *to = buffer_room(text, 65536);
        if (!to)
            return ENOMEM;
        n = read(fd, to, 65536);
        text->n += n > 0 ? (size_t)n : 0;
    } while ((n > 0 && text->n <= FILE_BYTES_MAX) || (n < 0 && errno == EINTR));
    return n < 0 ? errno : text->n > FILE_BYTES_MAX ? EFBIG : 0;
}

static int read_file(const char *path, struct domain_info *info, struct error *err)
{
    struct buffer text = {.n = 0};
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    int why = fd < 0 ? errno : read_all(fd, &text);
    if (fd >= 0)
        close(fd);
    int status = why == 0 ? domain_info_read(info, text.at, text.n, err)
                          : error_set(err, ERROR_IO, "%.200s: %s", path, strerror(why));
    buffer_free(&text);
    return status;
}

static bool is_file(const char *source)
{
    struct stat s;
    return stat(source, &s) == 0 && S_ISREG(s.st_mode) && access(source, X_OK) != 0 && !(s.st_mode & 0111);
}

static int look(const struct domain_watch *w, struct domain_info *info, struct error *err)
{
    const char *source = w->options.source;
    const char *const words[] = {"/bin/sh", "-c", source, NULL};
    if (!source)
        return ask_xl(w, info, err);
    return is_file(source) ? read_file(source, info, err) : run(w, words, info, err);
}

/* ---- the thread ---- */

/* What a look has brought. One that failed may have brought a part: then nothing is gone, and what is new can wait. */
static void take_look(struct domain_watch *w, struct domain_info *info, int status, struct error *err)
{
    pthread_mutex_lock(&w->lock);
    if (status == 0 && domain_info_inherit(info, &w->known) != 0)
        status = error_no_memory(err, "the list of domains");
    w->state.looks++;
    w->state.failures += status != 0;
    w->state.error = *err;
    if (status == 0) {
        struct domain_info before = w->known;
        w->known = *info;
        *info = before;
        w->fresh = true;
        w->state.last_ns = io_clock_ns();
        w->state.domains = w->known.domains_n;
    }
    pthread_mutex_unlock(&w->lock);
    domain_info_free(info);
}

/* True: the watch is to end. */
static bool wait_until(const struct domain_watch *w, uint64_t until_ns)
{
    for (;;) {
        uint64_t now = io_clock_ns();
        struct pollfd end = {w->end_fd, POLLIN, 0};
        uint64_t ms = now < until_ns ? (until_ns - now) / 1000000 + 1 : 0;
        if (poll(&end, 1, (int)(ms < 1000000 ? ms : 1000000)) > 0)
            return true;
        if (io_clock_ns() >= until_ns)
            return false;
    }
}

/* Until the next look, after one that took so long. */
static uint64_t pause_after(uint64_t interval_ns, uint64_t took_ns)
{
    uint64_t ns = took_ns < PAUSE_MOST_NS / PAUSE_LONGER ? took_ns * PAUSE_LONGER : PAUSE_MOST_NS;
    return ns > interval_ns ? ns : interval_ns;
}

static void *watch(void *context)
{
    struct domain_watch *w = context;
    uint64_t next_ns;
    do {
        uint64_t began_ns = io_clock_ns();
        struct domain_info info = {.domains_n = 0};
        struct error err = {.code = ERROR_NONE};
        int status = look(w, &info, &err);
        take_look(w, &info, status, &err);
        next_ns = io_clock_ns() + pause_after(w->options.interval_ns, io_clock_ns() - began_ns);
    } while (!wait_until(w, next_ns));
    return NULL;
}

/* ---- the caller ---- */

struct domain_watch *domain_watch_new(const struct domain_watch_options *o, struct error *err)
{
    struct domain_watch *w = calloc(1, sizeof *w);
    if (!w) {
        error_no_memory(err, "the watch of domains");
        return NULL;
    }
    w->options = *o;
    w->end_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    pthread_mutex_init(&w->lock, NULL);
    w->has_thread = w->end_fd >= 0 && thread_begin(&w->thread, "domains", watch, w);
    if (w->has_thread)
        return w;
    domain_watch_free(w);
    error_no_memory(err, "the watch of domains");
    return NULL;
}

void domain_watch_free(struct domain_watch *w)
{
    if (!w)
        return;
    if (w->has_thread) {
        eventfd_write(w->end_fd, 1);
        pthread_join(w->thread, NULL);
    }
    if (w->end_fd >= 0)
        close(w->end_fd);
    pthread_mutex_destroy(&w->lock);
    domain_info_free(&w->known);
    domain_info_free(&w->taken);
    free(w);
}

void domain_watch_take(struct domain_watch *w, uint64_t tsc, bool all, struct buffer *lines)
{
    static const struct domain_info nothing;
    pthread_mutex_lock(&w->lock);
    if (all || w->fresh) {
        domain_info_changes(all ? &nothing : &w->taken, &w->known, tsc, lines);
        w->fresh = domain_info_copy(&w->taken, &w->known) != 0;
        lines->failed |= w->fresh;
    }
    pthread_mutex_unlock(&w->lock);
}

const char *domain_watch_name(const struct domain_watch *w, uint32_t domain)
{
    for (size_t i = 0; i < w->taken.domains_n; i++)
        if (w->taken.domains[i].domain == domain)
            return *w->taken.domains[i].name ? w->taken.domains[i].name : NULL;
    return NULL;
}

bool domain_watch_any(const struct domain_watch *w,
                      bool (*is)(const void *context, uint32_t domain, const char *name), const void *context)
{
    bool any = false;
    for (size_t i = 0; i < w->taken.domains_n && !any; i++)
        any = is(context, w->taken.domains[i].domain,
                 *w->taken.domains[i].name ? w->taken.domains[i].name : NULL);
    return any;
}

struct domain_watch_state domain_watch_state(struct domain_watch *w)
{
    pthread_mutex_lock(&w->lock);
    struct domain_watch_state state = w->state;
    pthread_mutex_unlock(&w->lock);
    return state;
}
