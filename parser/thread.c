#include "thread.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct start {
    const char *name;
    void *(*work)(void *context);
    void *context;
};

static struct {
    pthread_mutex_t lock;
    struct thread_time names[THREAD_NAMES];
    size_t n;
} ended = {.lock = PTHREAD_MUTEX_INITIALIZER};

uint64_t thread_cpu_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void note_end(const char *name)
{
    pthread_mutex_lock(&ended.lock);
    size_t i = 0;
    while (i < ended.n && strcmp(ended.names[i].name, name) != 0)
        i++;
    if (i < THREAD_NAMES) {
        ended.n = i == ended.n ? i + 1 : ended.n;
        ended.names[i].name = name;
        ended.names[i].threads++;
        ended.names[i].cpu_ns += thread_cpu_ns();
    }
    pthread_mutex_unlock(&ended.lock);
}

static void *run(void *context)
{
    struct start s = *(struct start *)context;
    free(context);
    void *result = s.work(s.context);
    note_end(s.name);
    return result;
}

/* A fault kills the process without its handler where the signal is blocked. */
static const int faults[] = {SIGBUS, SIGSEGV, SIGILL, SIGFPE, SIGABRT};

bool thread_begin(pthread_t *thread, const char *name, void *(*work)(void *context), void *context)
{
    struct start *start = malloc(sizeof *start);
    if (!start)
        return false;
    *start = (struct start){name, work, context};
    sigset_t most, before;
    sigfillset(&most);
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
        sigdelset(&most, faults[i]);
    pthread_sigmask(SIG_SETMASK, &most, &before);
    bool begun = pthread_create(thread, NULL, run, start) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (begun)
        pthread_setname_np(*thread, name);
    else
        free(start);
    return begun;
}

size_t thread_times(struct thread_time to[THREAD_NAMES])
{
    pthread_mutex_lock(&ended.lock);
    size_t n = ended.n;
    memcpy(to, ended.names, n * sizeof *to);
    pthread_mutex_unlock(&ended.lock);
    return n;
}
