/* A graph of one domain, or of the host: seconds from left to right, several lines high. */
#include <stdio.h>
#include <string.h>

#include "screen/screen.h"

#define LINES  6 /* with the heading */
#define LEVELS 8
#define POINTS 512

/* What is stacked in a column: running, then runnable, then charged; of the host only running. */
struct graph_stack {
    double running, runnable, charged; /* in pCPUs */
    bool known;
};

/* The seconds up to the one shown, all[0] the newest. Returns the largest sum, at least 1. */
static double collect(const struct screen *s, const struct sheet_subject *who, struct graph_stack *all,
                      unsigned n)
{
    double most = 1;
    size_t at;
    history_lock(s->history);
    const struct second *last = history_at(s->history, s->shown_ns, &at);
    for (size_t i = 0; last && i <= at; i++) {
        const struct second *second = history_second(s->history, at - i);
        uint64_t ago = (last->end_ns - second->end_ns + SECOND_NS / 2) / SECOND_NS;
        double length = (double)(second->end_ns - second->start_ns);
        const struct graph_point *p = second_point(second, who->domain, who->life);
        if (ago >= n)
            break;
        if (who->domain < 0 && second->host.pcpus > 0)
            all[ago] =
                (struct graph_stack){.running = (double)second->host.running_ns / length, .known = true};
        else if (p)
            all[ago] = (struct graph_stack){.running = (double)p->running_ns / length,
                                            .runnable = (double)p->runnable_ns / length,
                                            .charged = (double)p->charged_ns / length,
                                            .known = true};
        double sum = all[ago].running + all[ago].runnable + all[ago].charged;
        most = sum > most ? sum : most;
    }
    history_unlock(s->history);
    return most;
}

/* The part of a column of `lines` lines: its characters from the bottom up. */
static void draw_stack(const struct screen *s, struct canvas *c, unsigned x, unsigned bottom,
                       const struct graph_stack *stack, double most)
{
    const struct {
        double size;
        enum style style;
        const char *utf8, *ascii;
    } parts[] = {{stack->running, STYLE_HEAT_LOW, "█", "#"},
                 {stack->charged, STYLE_HEAT_MIDDLE, "▓", "+"},
                 {stack->runnable, STYLE_HEAT_FULL, "░", "."}};
    double sum = 0;
    unsigned at = 0;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        sum += parts[i].size;
        for (; at < LINES - 1 && at + 0.5 < sum / most * (LINES - 1); at++)
            canvas_put(c, x, bottom - at, 1, parts[i].style, s->ascii ? parts[i].ascii : parts[i].utf8);
    }
    if (at == 0)
        canvas_put(c, x, bottom, 1, STYLE_DIM, "_");
}

unsigned draw_graph(const struct screen *s, struct canvas *c, unsigned y)
{
    static struct graph_stack all[POINTS];
    size_t row = screen_chosen_row(s);
    struct sheet_subject who = row < s->sheet.n ? s->sheet.rows[row].subject : s->drill;
    unsigned n = c->width < POINTS ? c->width : POINTS;
    memset(all, 0, sizeof all);
    double most = collect(s, &who, all, n);
    const char *name = sheet_name(&s->sheet.choice, who.domain, who.life);
    if (who.domain < 0)
        canvas_printf(c, 0, y, c->width, STYLE_KEY, "host: running, up to %.2f pCPUs", most);
    else
        canvas_printf(c, 0, y, c->width, STYLE_KEY,
                      "domain %d %s: running %s, charged %s, runnable %s, up to %.2f pCPUs", (int)who.domain,
                      name ? name : "", s->ascii ? "#" : "█", s->ascii ? "+" : "▓", s->ascii ? "." : "░",
                      most);
    for (unsigned ago = 0; ago < n; ago++)
        if (all[ago].known)
            draw_stack(s, c, c->width - 1 - ago, y + LINES - 1, &all[ago], most);
    return LINES;
}
