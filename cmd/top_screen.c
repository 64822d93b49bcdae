/* top on the terminal. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "host/io_clock.h"
#include "screen/terminal.h"
#include "top.h"
#include "top_settings.h"

#define WAIT_NS   100000000
#define REDRAW_NS 1000000000u /* at least: ages grow */
#define LEAVE_NS  300000000u  /* how long a reader may take to end before a seek gives up on it */

struct loop {
    struct top *top;
    const atomic_int *stop;
    const sigset_t *wait_mask;
    uint64_t drawn_ns;
    uint64_t cpu_ns, cpu_at_ns; /* of this process, at the last second */
    bool over;
};

/* ---- what it takes itself ---- */

static uint64_t process_cpu_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void measure_own(struct loop *l, uint64_t now_ns)
{
    uint64_t passed_ns = now_ns - l->cpu_at_ns;
    if (l->cpu_at_ns && passed_ns < 1000000000)
        return;
    uint64_t cpu_ns = process_cpu_ns() + (l->top->tracer ? top_tracer_cpu_ns(l->top->tracer) : 0);
    if (l->cpu_at_ns && cpu_ns >= l->cpu_ns)
        l->top->screen.own_cpu_percent = 100 * (double)(cpu_ns - l->cpu_ns) / (double)passed_ns;
    l->cpu_ns = cpu_ns;
    l->cpu_at_ns = now_ns;
}

/* ---- who helps ---- */

/* Names that have changed, and what went wrong elsewhere. True: something is to be drawn. */
static bool ask_helpers(struct loop *l)
{
    struct top *t = l->top;
    struct screen *s = &t->screen;
    char remark[SCREEN_TEXT] = "";
    const struct domain_names *names;
    if (t->names && top_names_take(t->names, &names)) {
        s->names = names;
        s->name_of = names ? names_lookup : NULL;
        s->stale = true;
    }
    if (t->names)
        top_names_failure(t->names, remark, sizeof remark);
    if (t->tracer)
        top_tracer_remark(t->tracer, remark, sizeof remark);
    if (strcmp(remark, t->remark) == 0)
        return false;
    memcpy(t->remark, remark, sizeof remark);
    s->remark = *t->remark ? t->remark : NULL;
    return true;
}

/* ---- keys ---- */

static void seek(struct loop *l)
{
    struct top *t = l->top;
    struct screen *s = &t->screen;
    uint64_t ten_ns = 10 * (uint64_t)SECOND_NS, from_ns = s->seek_ns / SECOND_NS * SECOND_NS;
    if (!top_reader_stop(&t->reader, LEAVE_NS)) {
        snprintf(s->message, sizeof s->message, "the source hangs: it cannot be read from elsewhere");
        s->seek_ns = 0;
        return;
    }
    history_clear(t->history);
    history_set_cursor(t->history, s->seek_ns);
    if (!top_reader_start(&t->reader, from_ns > ten_ns ? from_ns - ten_ns : 0))
        l->over = true;
}

static enum screen_action click(struct screen *s)
{
    unsigned x, y;
    terminal_click(&x, &y);
    return screen_click(s, x, y);
}

/* True: something is to be drawn. */
static bool take_keys(struct loop *l)
{
    struct screen *s = &l->top->screen;
    bool any = false;
    for (int key; !l->over && (key = terminal_key()) != -1; any = true) {
        if (key == -2) {
            l->over = true;
        } else if (key == KEYS_RESIZE || key == 12) {
            terminal_redraw();
        } else {
            enum screen_action action = key == KEYS_CLICK ? click(s) : screen_key(s, key);
            l->over = action == ACTION_QUIT;
            if (action == ACTION_SEEK)
                seek(l);
        }
    }
    return any;
}

/* ---- the loop ---- */

static void draw(struct loop *l, uint64_t now_ns)
{
    struct top *t = l->top;
    unsigned width, height;
    terminal_size(&width, &height);
    if (!canvas_reset(&t->canvas, width, height, t->screen.ascii))
        return;
    screen_draw(&t->screen, &t->canvas, now_ns);
    terminal_show(&t->canvas, t->screen.settings.palette);
    l->drawn_ns = now_ns;
}

/* The source failed before there was anything to see. */
static bool is_hopeless(const struct screen *s)
{
    return s->status.state == SOURCE_FAILED && s->status.seconds == 0 && !s->picture.any;
}

static void run(struct loop *l)
{
    const struct timespec wait = {.tv_nsec = WAIT_NS};
    struct screen *s = &l->top->screen;
    while (!l->over && !*l->stop) {
        struct pollfd keys = {.fd = terminal_fd(), .events = POLLIN};
        ppoll(&keys, 1, &wait, l->wait_mask);
        bool pressed = take_keys(l);
        uint64_t now_ns = io_clock_ns();
        measure_own(l, now_ns);
        pressed = ask_helpers(l) || pressed;
        bool changed = screen_update(s, now_ns);
        l->over |= is_hopeless(s);
        if (pressed || changed || now_ns - l->drawn_ns >= REDRAW_NS)
            draw(l, now_ns);
    }
}

/* What TERM can do is ncurses' affair. */
static bool wants_colours(const struct top *t)
{
    const char *no_color = getenv("NO_COLOR"); /* https://no-color.org: if it is not empty */
    enum when when = t->options->common.color;
    return when == WHEN_ALWAYS || (when == WHEN_AUTO && !(no_color && *no_color));
}

int top_interactive(struct top *t)
{
    struct error err = {0};
    struct loop l = {.top = t, .stop = signals_stop_flag(&l.wait_mask)};
    struct history_status end;
    uint64_t ten_ns = 10 * (uint64_t)SECOND_NS, from_ns = t->start_ns / SECOND_NS * SECOND_NS;
    t->screen.seek_ns = t->start_ns;
    const struct screen_settings before = t->screen.settings;
    if (terminal_open(wants_colours(t), !t->options->no_mouse, &err) != 0)
        return fail(NULL, &err);
    t->screen.ascii = t->options->ascii || !terminal_is_utf8();
    if (top_reader_start(&t->reader, from_ns > ten_ns ? from_ns - ten_ns : 0))
        run(&l);
    terminal_close();
    if (!t->options->common.no_config && memcmp(&before, &t->screen.settings, sizeof before) != 0)
        top_settings_write(&t->screen.settings);
    if (*t->screen.command)
        printf("%s\n", t->screen.command);
    history_status(t->history, &end);
    if (end.state != SOURCE_FAILED)
        return EXIT_DONE;
    return top_source_failed(t, end.why);
}
