#include "thread.h"

#include <signal.h>

bool thread_begin(pthread_t *thread, const char *name, void *(*work)(void *context), void *context)
{
    sigset_t most, before;
    sigfillset(&most);
    sigdelset(&most, SIGBUS);
    pthread_sigmask(SIG_SETMASK, &most, &before);
    bool begun = pthread_create(thread, NULL, work, context) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (begun)
        pthread_setname_np(*thread, name);
    return begun;
}
