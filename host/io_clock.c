#include "io_clock.h"

#include <time.h>

#if defined __x86_64__ || defined __i386__
#include <x86intrin.h>
#endif

uint64_t io_clock_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

#if defined __x86_64__ || defined __i386__
#define HAS_TSC true
uint64_t io_clock_ticks(void)
{
    return __rdtsc();
}
#elif defined __aarch64__
#define HAS_TSC true
uint64_t io_clock_ticks(void)
{
    uint64_t ticks;
    __asm__ volatile("isb; mrs %0, cntvct_el0" : "=r"(ticks));
    return ticks;
}
#else
#define HAS_TSC false
uint64_t io_clock_ticks(void)
{
    return io_clock_ns();
}
#endif

bool io_clock_has_tsc(void)
{
    return HAS_TSC;
}

struct io_moment io_clock_now(void)
{
    uint64_t before = io_clock_ticks();
    uint64_t time_ns = io_clock_ns();
    uint64_t after = io_clock_ticks();
    return (struct io_moment){time_ns, before + (after - before) / 2};
}

struct io_moment io_clock_at(const struct io_moment *first, const struct io_moment *last, uint64_t ticks)
{
    double slope = last->ticks > first->ticks
                       ? (double)(last->time_ns - first->time_ns) / (double)(last->ticks - first->ticks)
                       : 0;
    double passed = ticks > first->ticks ? (double)(ticks - first->ticks) : 0;
    return (struct io_moment){first->time_ns + (uint64_t)(passed * slope), ticks};
}
