/* Memory, threads and processes that cannot be had. */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/faults/shim.h"

static bool none(const char *call)
{
    if (!shim_fails(FAULT_MEMORY, call, NULL, -1))
        return false;
    errno = ENOMEM;
    return true;
}

void *malloc(size_t n)
{
    NEXT(malloc);
    return none("malloc") ? NULL : next(n);
}

void *calloc(size_t n, size_t size)
{
    NEXT(calloc);
    return none("calloc") ? NULL : next(n, size);
}

void *realloc(void *old, size_t n)
{
    NEXT(realloc);
    return n && none("realloc") ? NULL : next(old, n);
}

void *aligned_alloc(size_t alignment, size_t n)
{
    NEXT(aligned_alloc);
    return none("aligned_alloc") ? NULL : next(alignment, n);
}

int posix_memalign(void **to, size_t alignment, size_t n)
{
    NEXT(posix_memalign);
    return none("posix_memalign") ? ENOMEM : next(to, alignment, n);
}

int pthread_create(pthread_t *thread, const pthread_attr_t *how, void *(*run)(void *), void *context)
{
    NEXT(pthread_create);
    return shim_fails(FAULT_MEMORY, "pthread_create", NULL, -1) ? EAGAIN : next(thread, how, run, context);
}

pid_t fork(void)
{
    NEXT(fork);
    if (!shim_fails(FAULT_MEMORY, "fork", NULL, -1))
        return next();
    errno = EAGAIN;
    return -1;
}
