#include <stdio.h>
#include <string.h>

#include "screen/screen.h"

#define GRAPH_LINES 6

static void draw_foot(const struct screen *s, struct canvas *c)
{
    static const struct {
        const char *key, *text;
    } keys[] = {{"h", "help"},      {"d", "domains"}, {"v", "vCPUs"},   {"c", "pCPUs"},   {"e", "executions"},
                {"b", "blame"},     {"m", "charges"}, {"/", "filter"},  {"f", "columns"}, {"<>", "order"},
                {"space", "pause"}, {"n", "anomaly"}, {"y", "command"}, {"q", "quit"}};
    unsigned y = c->height - 1, x = 0;
    if (s->prompt != PROMPT_NONE) {
        canvas_printf(c, 0, y, c->width, STYLE_KEY, "%s: %s_",
                      s->prompt == PROMPT_FILTER ? "filter by name" : "go to second", s->typed);
        return;
    }
    const char *message = *s->message                        ? s->message
                          : s->status.state == SOURCE_FAILED ? s->status.why
                                                             : s->remark;
    if (!*s->message && s->status.state == SOURCE_ENDED && *s->status.why)
        message = s->status.why;
    if (message) {
        canvas_put(c, 0, y, c->width, STYLE_WARNING, message);
        return;
    }
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        unsigned width = canvas_width(keys[i].key) + 1 + canvas_width(keys[i].text);
        if (x + width > c->width)
            break;
        canvas_put(c, x, y, width, STYLE_KEY, keys[i].key);
        canvas_put(c, x + canvas_width(keys[i].key) + 1, y, width, STYLE_PLAIN, keys[i].text);
        x += width + 2;
    }
}

void screen_draw(struct screen *s, struct canvas *c, uint64_t now_ns)
{
    if (c->height < 2 || c->width < 10)
        return;
    unsigned foot = s->batch ? 0 : 1;
    unsigned y = draw_head(s, c, now_ns);
    if (s->settings.graph && c->height > y + 3 * GRAPH_LINES)
        y += draw_graph(s, c, y);
    if (y + foot < c->height)
        draw_table(s, c, y, c->height - foot - y);
    if (s->panel != PANEL_NONE && c->height > 4)
        draw_panel(s, c, 1, c->height - foot - 1);
    if (foot)
        draw_foot(s, c);
}
