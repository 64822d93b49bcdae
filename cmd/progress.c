#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli.h"
#include "host/io_clock.h"
#include "pager.h"

#define PATIENCE_NS 1000000000u /* work shorter than this shows nothing */
#define STEP_NS     200000000u

void progress_begin(struct progress *p, enum when when, bool quiet)
{
    *p = (struct progress){0};
    p->wanted = when == WHEN_ALWAYS || (when == WHEN_AUTO && !quiet && isatty(STDERR_FILENO));
    p->begun_ns = io_clock_ns();
    p->next_ns = p->begun_ns + (when == WHEN_ALWAYS ? 0 : PATIENCE_NS);
}

/* Whether the line is to be written anew. */
static bool is_time(struct progress *p, double *seconds)
{
    uint64_t now = p->wanted ? io_clock_ns() : 0;
    if (!p->wanted || now < p->next_ns || pager_is_running())
        return false;
    p->next_ns = now + STEP_NS;
    p->shown = true;
    *seconds = (double)(now - p->begun_ns) / 1e9;
    return true;
}

static double left_s(double seconds, uint64_t done, uint64_t all)
{
    return seconds * ((double)all - (double)done) / (double)done;
}

void progress_show(void *progress, const struct trace *t)
{
    uint64_t done, size;
    double seconds;
    if (!is_time(progress, &seconds))
        return;
    trace_position(t, &done, &size);
    double rate = seconds > 0 ? (double)done / seconds / 1e6 : 0;
    if (size && done)
        fprintf(stderr, "\r%3.0f %%  %" PRIu64 " MB  %.0f MB/s  %.0f s left  ",
                100.0 * (double)done / (double)size, done / 1000000, rate, left_s(seconds, done, size));
    else
        fprintf(stderr, "\r%" PRIu64 " MB  %.0f MB/s  ", done / 1000000, rate);
    fflush(stderr);
}

void progress_show_simulated(struct progress *p, uint64_t now_ns, uint64_t all_ns, uint64_t bytes)
{
    double seconds;
    if (!is_time(p, &seconds) || now_ns == 0)
        return;
    fprintf(stderr, "\r%3.0f %%  %.3f s of %.10g s simulated  %" PRIu64 " MB  %.0f s left  ",
            100.0 * (double)now_ns / (double)all_ns, (double)now_ns / 1e9, (double)all_ns / 1e9,
            bytes / 1000000, left_s(seconds, now_ns, all_ns));
    fflush(stderr);
}

void progress_show_count(struct progress *p, uint64_t done, uint64_t all, const char *what)
{
    double seconds;
    if (done == 0 || !is_time(p, &seconds))
        return;
    fprintf(stderr, "\r%3.0f %%  %" PRIu64 " of %" PRIu64 " %s  %.0f s left  ",
            100.0 * (double)done / (double)all, done, all, what, left_s(seconds, done, all));
    fflush(stderr);
}

void progress_end(struct progress *p)
{
    if (p->shown)
        fputs("\r\033[K", stderr);
    p->shown = false;
}

bool color_wanted(enum when when, int fd)
{
    const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
    if (when != WHEN_AUTO)
        return when == WHEN_ALWAYS;
    return isatty(fd) && !(no_color && *no_color) && term && *term && term[0] != 'd' /* dumb */;
}

unsigned terminal_width(int fd)
{
    struct winsize size;
    if (!isatty(fd))
        return 0;
    return ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

unsigned terminal_height(int fd)
{
    struct winsize size;
    if (!isatty(fd))
        return 0;
    return ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 ? size.ws_row : 24;
}
