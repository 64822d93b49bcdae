#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli.h"
#include "host/io_clock.h"

#define PATIENCE_NS 1000000000u /* work shorter than this shows nothing */
#define STEP_NS     200000000u

void progress_begin(struct progress *p, enum when when, bool quiet)
{
    *p = (struct progress){0};
    p->wanted = when == WHEN_ALWAYS || (when == WHEN_AUTO && !quiet && isatty(STDERR_FILENO));
    p->begun_ns = io_clock_ns();
    p->next_ns = p->begun_ns + (when == WHEN_ALWAYS ? 0 : PATIENCE_NS);
}

void progress_show(void *progress, const struct trace *t)
{
    struct progress *p = progress;
    if (!p->wanted)
        return;
    uint64_t now = io_clock_ns();
    if (now < p->next_ns)
        return;
    p->next_ns = now + STEP_NS;
    p->shown = true;
    uint64_t done, size;
    trace_position(t, &done, &size);
    double seconds = (double)(now - p->begun_ns) / 1e9;
    double rate = seconds > 0 ? (double)done / seconds / 1e6 : 0;
    if (size && done) {
        double left = seconds * ((double)size - (double)done) / (double)done;
        fprintf(stderr, "\r%3.0f %%  %" PRIu64 " MB  %.0f MB/s  %.0f s left  ",
                100.0 * (double)done / (double)size, done / 1000000, rate, left);
    } else {
        fprintf(stderr, "\r%" PRIu64 " MB  %.0f MB/s  ", done / 1000000, rate);
    }
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
