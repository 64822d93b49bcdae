/* The lines about the host, above the tables. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "formats/time_text.h"
#include "metrics/human.h"
#include "screen/screen.h"

#define HEATMAP_FROM 64 /* pCPUs */
#define BAR_LEAST    20 /* columns */
#define LEVELS       8

/* ---- graphs ---- */

static const char *const blocks[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
static const char *const signs[] = {"_", ".", ":", "-", "=", "+", "*", "#"};

static const char *level_text(const struct screen *s, double share)
{
    int level = (int)(share * LEVELS);
    level = level < 0 ? 0 : level >= LEVELS ? LEVELS - 1 : level;
    return s->ascii ? signs[level] : blocks[level];
}

static enum style heat(double share)
{
    return share < 0.5    ? STYLE_HEAT_LOW
           : share < 0.8  ? STYLE_HEAT_MIDDLE
           : share < 0.99 ? STYLE_HEAT_HIGH
                          : STYLE_HEAT_FULL;
}

/* The busy share of a second. False: it is not known, or there was nobody. */
static bool share_of(const struct second *second, int32_t domain, uint32_t life, double *ns)
{
    if (domain < 0) {
        const struct host_point *h = &second->host;
        *ns = (double)h->running_ns;
        return h->running_ns + h->idle_ns > 0 && h->unknown_ns <= h->running_ns + h->idle_ns;
    }
    const struct graph_point *p = second_point(second, domain, life);
    if (!p || (p->unknown_ns > 0 && p->unknown_ns > p->running_ns + p->runnable_ns))
        return false;
    *ns = (double)p->running_ns;
    return true;
}

/*
 * One column for each second of time before the one shown; where there is no second, or nothing is known of it, is a gap. The host's
 * graph is of all pCPUs; a domain's of the most that it ran, but at least of one pCPU.
 */
void draw_sparkline(const struct screen *s, struct canvas *c, unsigned x, unsigned y, unsigned width,
                    int32_t domain, uint32_t life)
{
    double values[HISTORY_SECONDS], most = 1;
    bool known[HISTORY_SECONDS] = {false};
    size_t at;
    history_lock(s->history);
    const struct second *last = history_at(s->history, s->shown_ns, &at);
    for (size_t i = 0; last && i <= at && i < HISTORY_SECONDS; i++) {
        const struct second *second = history_second(s->history, at - i);
        uint64_t ago = (last->end_ns - second->end_ns + SECOND_NS / 2) / SECOND_NS;
        uint64_t length_ns = second->end_ns - second->start_ns;
        double ns;
        if (ago >= width || ago >= HISTORY_SECONDS)
            break;
        if (length_ns == 0 || !share_of(second, domain, life, &ns))
            continue;
        values[ago] = ns / (double)length_ns / (domain < 0 && second->host.pcpus ? second->host.pcpus : 1);
        known[ago] = true;
        most = values[ago] > most ? values[ago] : most;
    }
    history_unlock(s->history);
    for (unsigned ago = 0; ago < width && ago < HISTORY_SECONDS; ago++)
        if (known[ago])
            canvas_put(c, x + width - 1 - ago, y, 1, heat(values[ago] / most),
                       level_text(s, values[ago] / most));
}

/* ---- pCPUs ---- */

static double busy_share(const struct window *w, const struct measures *m)
{
    uint64_t ns = w->interval.end_ns - w->interval.start_ns;
    return ns ? (double)m->state_ns[RUNSTATE_RUNNING] / (double)ns : 0;
}

/* More than half of the second is not known. */
static bool is_blind(const struct window *w, const struct measures *m)
{
    return 2 * (uint64_t)m->pcpu_unknown_ns > w->interval.end_ns - w->interval.start_ns;
}

static void draw_bar(const struct screen *s, struct canvas *c, unsigned x, unsigned y, unsigned width,
                     const struct row *row)
{
    const struct window *w = &s->picture.windows[SPAN_ONE];
    double share = busy_share(w, row->measures);
    bool blind = is_blind(w, row->measures);
    unsigned room = width - 14, filled = (unsigned)(share * room + 0.5);
    canvas_printf(c, x, y, 4, STYLE_DIM, "%4" PRId32, row->pcpu);
    canvas_put(c, x + 4, y, 1, STYLE_PLAIN, "[");
    for (unsigned i = 0; i < filled && i < room; i++)
        canvas_put(c, x + 5 + i, y, 1, heat(share), s->ascii ? "|" : "■");
    canvas_printf(c, x + 5 + room, y, 7, blind ? STYLE_ALARM : STYLE_PLAIN, blind ? "   ?   " : "%6.2f%%",
                  100 * share);
    canvas_put(c, x + 12 + room, y, 1, STYLE_PLAIN, "]");
}

static unsigned draw_bars(const struct screen *s, struct canvas *c, unsigned y, unsigned a_line)
{
    const struct row_set *pcpus = &s->picture.windows[SPAN_ONE].rows[BY_PCPU];
    unsigned width = c->width / a_line;
    for (size_t i = 0; i < pcpus->n; i++)
        draw_bar(s, c, (unsigned)(i % a_line) * width, y + (unsigned)(i / a_line), width, &pcpus->rows[i]);
    return (unsigned)((pcpus->n + a_line - 1) / a_line);
}

static unsigned draw_heatmap(const struct screen *s, struct canvas *c, unsigned y, unsigned lines_most)
{
    const struct window *w = &s->picture.windows[SPAN_ONE];
    const struct row_set *pcpus = &w->rows[BY_PCPU];
    unsigned a_line = c->width > 24 ? (c->width - 6) / 16 * 16 : 16, lines = 0;
    for (size_t i = 0; i < pcpus->n && lines < lines_most; i++) {
        const struct measures *m = pcpus->rows[i].measures;
        double share = busy_share(w, m);
        unsigned x = (unsigned)(i % a_line);
        if (x == 0)
            canvas_printf(c, 0, y + lines++, 5, STYLE_DIM, "%4" PRId32, pcpus->rows[i].pcpu);
        bool blind = is_blind(w, m);
        canvas_put(c, 5 + x, y + lines - 1, 1, blind ? STYLE_ALARM : heat(share),
                   blind ? "?" : level_text(s, share));
    }
    return lines;
}

static unsigned draw_pcpus(const struct screen *s, struct canvas *c, unsigned y)
{
    size_t n = s->picture.windows[SPAN_ONE].rows[BY_PCPU].n;
    unsigned a_line = c->width / (c->width >= 160 ? 40 : BAR_LEAST + 6), most = c->height / 4;
    if (n == 0 || c->height < 12)
        return 0;
    a_line = a_line ? a_line : 1;
    if (n >= HEATMAP_FROM || (n + a_line - 1) / a_line > most)
        return draw_heatmap(s, c, y, most);
    return draw_bars(s, c, y, a_line);
}

/* ---- lines of text ---- */

static const char *state_text(const struct screen *s, char to[SCREEN_TEXT])
{
    static const char *const of_source[] = {"opening", "live", "ended", "failed"};
    bool at_end = s->status.state >= SOURCE_ENDED && s->shown_ns >= s->status.last_ns;
    if (s->batch)
        return "";
    if (s->paused)
        return "paused";
    if (s->seek_ns)
        return "seeking";
    if (at_end || s->source == FROM_LIVE || !s->picture.any)
        return of_source[s->status.state];
    snprintf(to, SCREEN_TEXT, "replay %gx", s->speed);
    return to;
}

static void draw_title(const struct screen *s, struct canvas *c, uint64_t now_ns)
{
    char state[SCREEN_TEXT], number[HUMAN_BYTES], day[TIME_TEXT], age[SCREEN_TEXT] = "";
    canvas_paint(c, 0, 0, c->width, STYLE_TITLE);
    unsigned x = canvas_printf(c, 0, 0, c->width, STYLE_TITLE, "xenmeter top  %s", s->title) + 2;
    if (s->picture.any)
        x += 2 + canvas_printf(c, x, 0, c->width, STYLE_TITLE, "%.3f s", (double)s->shown_ns / 1e9);
    if (s->picture.any && s->picture.has_utc) {
        time_of_day_text(day, time_rounded(s->picture.utc_ns, 0), true, 0);
        x += 2 + canvas_put(c, x, 0, c->width, STYLE_TITLE, day);
    }
    canvas_put(c, x, 0, c->width, s->paused ? STYLE_WARNING : STYLE_TITLE, state_text(s, state));
    if (s->source == FROM_LIVE && !s->batch && s->status.touched_ns && now_ns > s->status.touched_ns)
        snprintf(age, sizeof age, "data %s old",
                 human_duration(number, (now_ns - s->status.touched_ns) / 100000000 * 100000000));
    bool stale = now_ns - s->status.touched_ns > 3 * (uint64_t)SECOND_NS;
    canvas_put_right(c, 0, 0, c->width, stale ? STYLE_WARNING : STYLE_TITLE, age);
}

static void draw_counts(const struct screen *s, struct canvas *c, unsigned y)
{
    static const enum style styles[] = {STYLE_GOOD, STYLE_WARNING, STYLE_ALARM};
    const struct picture *p = &s->picture;
    char number[HUMAN_BYTES];
    unsigned x = canvas_printf(c, 0, y, c->width, STYLE_PLAIN, "domains %" PRIu32 "  vCPUs %" PRIu32 "  ",
                               p->host.domains, p->host.vcpus);
    if (s->source == FROM_LIVE && !s->batch)
        x += canvas_printf(c, x, y, c->width, STYLE_PLAIN, "records %s  ", human_count(number, p->records));
    x += canvas_printf(c, x, y, c->width, p->lost_records ? STYLE_ALARM : STYLE_PLAIN, "lost %s",
                       p->counted ? human_count(number, p->lost_records) : "-");
    x += 2;
    if (s->own_cpu_percent >= 0)
        x += canvas_printf(c, x, y, c->width, STYLE_PLAIN, "own %.1f %% of a CPU  ", s->own_cpu_percent);
    x += canvas_put(c, x, y, c->width, STYLE_PLAIN, "verdict ");
    x += canvas_put(c, x, y, c->width, styles[p->judgement.verdict], verdict_name(p->judgement.verdict));
    if (p->judgement.reasons > 0)
        canvas_printf(c, x, y, c->width, STYLE_DIM, ": %s", p->judgement.why[0]);
}

static void draw_host(const struct screen *s, struct canvas *c, unsigned y)
{
    const struct host_point *h = &s->picture.host;
    double all = (double)(h->running_ns + h->idle_ns + h->unknown_ns);
    unsigned x = canvas_printf(c, 0, y, c->width, STYLE_PLAIN, "pCPUs %" PRIu32 "  ", h->pcpus);
    if (all > 0)
        x += canvas_printf(
            c, x, y, c->width, STYLE_PLAIN, "running %.2f %%  idle %.2f %%  full %" PRIu32 "  idle %" PRIu32,
            100 * (double)h->running_ns / all, 100 * (double)h->idle_ns / all, h->full, h->idle);
    if (h->unknown_ns > 0 && all > 0)
        x += canvas_printf(c, x, y, c->width, STYLE_ALARM, "  unknown %.2f %%",
                           100 * (double)h->unknown_ns / all);
    if (c->width > x + 12) {
        unsigned width = c->width - x - 2 < 60 ? c->width - x - 2 : 60;
        draw_sparkline(s, c, c->width - width, y, width, -1, 0);
    }
}

unsigned draw_head(const struct screen *s, struct canvas *c, uint64_t now_ns)
{
    draw_title(s, c, now_ns);
    if (!s->picture.any)
        return 1;
    draw_counts(s, c, 1);
    draw_host(s, c, 2);
    return 3 + draw_pcpus(s, c, 3);
}
