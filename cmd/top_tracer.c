#include "top_tracer.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "parser/thread.h"

#define LOOK_NS 50000000

struct top_tracer {
    struct tracer *tracer; /* the thread's */
    pthread_t thread;
    bool has_thread;
    int fd;
    char input[32];
    atomic_int stop, pid;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    /* under the lock: */
    bool started, ended;
    struct error error; /* why it could not be started */
    char failure[200];
};

static void note(struct top_tracer *t, bool ended, const char *failure)
{
    pthread_mutex_lock(&t->lock);
    t->started = true;
    t->ended = ended;
    snprintf(t->failure, sizeof t->failure, "%s", failure);
    pthread_cond_broadcast(&t->changed);
    pthread_mutex_unlock(&t->lock);
}

/* It gets SIGTERM when this thread ends: the thread lives as long as it does. */
static void *look_after(void *context)
{
    struct top_tracer *t = context;
    const struct timespec pause = {.tv_nsec = LOOK_NS};
    t->fd = tracer_start(t->tracer, &t->error);
    note(t, t->fd < 0, "");
    if (t->fd < 0)
        return NULL;
    t->pid = tracer_pid(t->tracer);
    enum tracer_state state;
    while ((state = tracer_check(t->tracer)) == TRACER_RUNNING) {
        if (t->stop)
            tracer_stop(t->tracer);
        nanosleep(&pause, NULL);
    }
    t->pid = -1;
    note(t, true, state == TRACER_FAILED ? tracer_failure(t->tracer) : "");
    return NULL;
}

struct top_tracer *top_tracer_new(const char *program, enum tracer_purpose purpose, struct error *err)
{
    struct tracer_options options = tracer_defaults;
    struct top_tracer *t = calloc(1, sizeof *t);
    if (!t) {
        error_no_memory(err, "xentrace");
        return NULL;
    }
    t->fd = -1;
    t->pid = -1;
    pthread_mutex_init(&t->lock, NULL);
    pthread_cond_init(&t->changed, NULL);
    options.path = program ? program : options.path;
    options.mask = tracer_mask(purpose);
    options.pages = tracer_pages(tracer_pcpus(""));
    if (!(t->tracer = tracer_new(&options, err))) {
        top_tracer_free(t);
        return NULL;
    }
    t->has_thread = thread_begin(&t->thread, "xentrace", look_after, t);
    pthread_mutex_lock(&t->lock);
    while (t->has_thread && !t->started)
        pthread_cond_wait(&t->changed, &t->lock);
    *err = t->error;
    pthread_mutex_unlock(&t->lock);
    if (t->has_thread && t->fd >= 0) {
        snprintf(t->input, sizeof t->input, "/dev/fd/%d", t->fd);
        return t;
    }
    if (!t->has_thread)
        error_no_memory(err, "xentrace");
    top_tracer_free(t);
    return NULL;
}

const char *top_tracer_input(const struct top_tracer *t)
{
    return t->input;
}

bool top_tracer_failure(struct top_tracer *t, char *to, size_t size)
{
    pthread_mutex_lock(&t->lock);
    bool ended = t->ended;
    if (ended)
        snprintf(to, size, "xentrace has ended: %s", *t->failure ? t->failure : "it was asked to");
    pthread_mutex_unlock(&t->lock);
    return ended;
}

uint64_t top_tracer_cpu_ns(struct top_tracer *t)
{
    clockid_t clock;
    struct timespec time;
    int pid = t->pid;
    if (pid < 0 || clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &time) != 0)
        return 0;
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

void top_tracer_free(struct top_tracer *t)
{
    if (!t)
        return;
    t->stop = 1;
    if (t->has_thread)
        pthread_join(t->thread, NULL);
    tracer_free(t->tracer);
    if (t->fd >= 0)
        close(t->fd);
    pthread_cond_destroy(&t->changed);
    pthread_mutex_destroy(&t->lock);
    free(t);
}
