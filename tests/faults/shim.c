#include "tests/faults/shim.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <unwind.h>

static struct fault_plan *plan;
static pid_t process;
static char program[PATH_MAX];
static _Thread_local bool inside; /* calls of the library itself do not fail */

/* The plan is taken out of the environment, so that the programs which the process starts run undisturbed. */
__attribute__((constructor)) static void begin(void)
{
    const char *fd = getenv("FAULTS_FD");
    ssize_t n = readlink("/proc/self/exe", program, sizeof program - 1);
    process = getpid();
    if (!fd || n < 0)
        return;
    int number = (int)strtol(fd, NULL, 10);
    void *at = mmap(NULL, sizeof *plan, PROT_READ | PROT_WRITE, MAP_SHARED, number, 0);
    close(number);
    unsetenv("FAULTS_FD");
    unsetenv("LD_PRELOAD");
    if (at != MAP_FAILED)
        plan = at;
}

bool shim_unmapped(void)
{
    return plan && plan->unmapped && !inside;
}

uint64_t shim_random(uint64_t n)
{
    uint64_t x = plan->seed * 0x9e3779b97f4a7c15u + plan->calls;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return (x ^ x >> 31) % n;
}

/* backtrace(3) would load a library, and allocate for it. */
static _Unwind_Reason_Code take_frame(struct _Unwind_Context *context, void *kept)
{
    size_t *n = kept;
    Dl_info info;
    uintptr_t at = _Unwind_GetIP(context);
    if (*n < FAULT_FRAMES - 1 && dladdr((void *)at, &info) && strcmp(info.dli_fname, program) == 0)
        plan->frames[(*n)++] = at - (uintptr_t)info.dli_fbase;
    return _URC_NO_REASON;
}

static void note(const char *call, const char *path, int fd)
{
    size_t kept = 0;
    _Unwind_Backtrace(take_frame, &kept);
    plan->frames[kept] = 0;
    snprintf(plan->call, sizeof plan->call, "%s", call);
    plan->path[0] = '\0';
    if (path) {
        snprintf(plan->path, sizeof plan->path, "%s", path);
    } else if (fd >= 0) {
        char link[64];
        snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
        ssize_t length = readlink(link, plan->path, sizeof plan->path - 1);
        plan->path[length > 0 ? length : 0] = '\0';
    }
}

bool shim_fails(enum fault_kind kind, const char *call, const char *path, int fd)
{
    bool killed = plan && plan->kind == FAULT_KILL && kind == FAULT_ERROR;
    if (!plan || inside || (plan->kind != kind && !killed) || fd == STDERR_FILENO || getpid() != process)
        return false;
    uint64_t number = atomic_fetch_add(&plan->calls, 1) + 1;
    if (number != plan->at && !(plan->per_mille && shim_random(1000) < plan->per_mille))
        return false;
    inside = true;
    note(call, path, fd);
    inside = false;
    if (strncmp(plan->path, "/dev/", 5) == 0 && !killed)
        return false; /* as root a wrong program could do harm there */
    atomic_fetch_add(&plan->faults, 1);
    if (killed)
        kill(process, SIGKILL);
    return true;
}

size_t shim_length(const char *call, int fd, size_t n)
{
    return n > 1 && shim_fails(FAULT_SHORT, call, NULL, fd) ? 1 + (size_t)shim_random(n - 1) : n;
}
