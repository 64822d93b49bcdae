#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "screen/screen.h"

#define SPEED_MOST  64.0
#define SPEED_LEAST 0.125
#define WHEEL_ROWS  3

static void say(struct screen *s, const char *text)
{
    snprintf(s->message, sizeof s->message, "%s", text);
}

/* ---- time ---- */

static enum screen_action go_to(struct screen *s, uint64_t ns)
{
    s->paused = true;
    if (screen_show_second(s, ns))
        return ACTION_NONE;
    if (s->source != FROM_REPLAY) {
        say(s, "the history does not go back that far");
        return ACTION_NONE;
    }
    s->seek_ns = ns > SECOND_NS ? ns : SECOND_NS;
    return ACTION_SEEK;
}

static enum screen_action step(struct screen *s, int64_t seconds)
{
    int64_t ns = (int64_t)s->shown_ns + seconds * (int64_t)SECOND_NS;
    if (!s->picture.any)
        return ACTION_NONE;
    if (seconds > 0 && s->shown_ns + (uint64_t)seconds * SECOND_NS > s->status.last_ns) {
        if (s->source == FROM_REPLAY && s->status.state == SOURCE_READING && seconds > 1)
            return go_to(s, (uint64_t)ns);
        return go_to(s, s->status.last_ns);
    }
    return go_to(s, ns < (int64_t)SECOND_NS ? SECOND_NS : (uint64_t)ns);
}

static void pause_or_go_on(struct screen *s)
{
    s->paused = !s->paused;
    s->stale = true;
}

static void go_live(struct screen *s)
{
    s->paused = false;
    s->play_ns = s->status.last_ns;
    s->stale = true;
}

static void change_speed(struct screen *s, double times)
{
    double speed = s->speed * times;
    if (s->source != FROM_REPLAY)
        say(s, "only a recorded trace can be replayed at another speed");
    else if (speed >= SPEED_LEAST && speed <= SPEED_MOST)
        s->speed = speed;
}

static enum screen_action next_anomaly(struct screen *s)
{
    char what[SCREEN_TEXT / 2];
    uint64_t ns = screen_next_anomaly(s, what, sizeof what);
    if (!ns) {
        say(s, "no later second with lost records or an unusually long wait is in the history");
        return ACTION_NONE;
    }
    enum screen_action action = go_to(s, ns);
    snprintf(s->message, sizeof s->message, "up to %.3f s: %s", (double)ns / 1e9, what);
    return action;
}

/* ---- what is shown ---- */

static void show_view(struct screen *s, enum view view)
{
    s->settings.view = view;
    s->top = 0;
    s->has_chosen = false;
    s->stale = true;
}

/* Executions are kept of the chosen domain only. A replay is read again with those of another one. */
static enum screen_action watch(struct screen *s)
{
    const struct watched wanted = {.domain = s->drill.domain, .vcpu = s->drill.vcpu, .life = s->drill.life};
    const struct watched *kept = &s->picture.watched;
    history_watch(s->history, wanted);
    bool missing = s->settings.view == VIEW_EXECUTIONS && wanted.domain >= 0 && s->picture.any &&
                   (kept->domain != wanted.domain || kept->life != wanted.life || kept->vcpu != wanted.vcpu);
    if (!missing || s->source != FROM_REPLAY)
        return ACTION_NONE;
    s->seek_ns = s->shown_ns;
    return ACTION_SEEK;
}

/* A domain's vCPUs, a vCPU's executions. */
static enum screen_action drill_down(struct screen *s)
{
    size_t row = screen_chosen_row(s);
    enum view view = s->settings.view;
    if (row >= s->sheet.n || s->sheet.rows[row].subject.domain < 0 || view == VIEW_EXECUTIONS)
        return ACTION_NONE;
    s->drill = s->sheet.rows[row].subject;
    s->drill.pcpu = -1;
    if (view == VIEW_VCPUS) {
        show_view(s, VIEW_EXECUTIONS);
    } else {
        s->drill.vcpu = -1;
        show_view(s, view == VIEW_BLAME ? VIEW_BLAME : VIEW_VCPUS);
    }
    return watch(s);
}

/* The way back, level by level; then the filter goes, too. */
static void back(struct screen *s)
{
    if (s->drill.vcpu >= 0) {
        s->drill.vcpu = -1;
        show_view(s, VIEW_VCPUS);
    } else if (s->drill.domain >= 0) {
        s->drill.domain = -1;
        show_view(s, s->settings.view == VIEW_BLAME ? VIEW_BLAME : VIEW_DOMAINS);
    } else {
        *s->filter = '\0';
        s->has_chosen = false;
        s->stale = true;
    }
    watch(s);
}

static void move(struct screen *s, long lines)
{
    long row = (long)screen_chosen_row(s), last = (long)s->sheet.n - 1;
    if (s->sheet.n == 0)
        return;
    row = s->has_chosen && row <= last ? row + lines : lines > 0 ? (long)s->top : last;
    screen_choose_row(s, (size_t)(row < 0 ? 0 : row > last ? last : row));
}

/* Orders by the next or the previous shown column. */
static void move_order(struct screen *s, int by)
{
    const struct sheet *sheet = &s->sheet;
    struct view_choice *chosen = &s->settings.choices[s->settings.view];
    size_t at = 0, n = sheet->columns_n;
    if (n == 0 || s->settings.view == VIEW_CHARGES)
        return;
    while (at < n && sheet->columns[at].column != chosen->sort)
        at++;
    at = at == n ? 0 : (at + n + (size_t)(by > 0 ? 1 : n - 1)) % n;
    chosen->sort = sheet->columns[at].column;
    chosen->reversed = false;
    s->stale = true;
}

static void print_command(struct screen *s)
{
    screen_command(s, s->command, sizeof s->command);
    s->panel = PANEL_COMMAND;
}

static void open_panel(struct screen *s, enum screen_panel panel)
{
    s->panel = s->panel == panel ? PANEL_NONE : panel;
    s->panel_at = 0;
}

/* ---- prompts ---- */

static void begin_prompt(struct screen *s, enum screen_prompt prompt)
{
    s->prompt = prompt;
    snprintf(s->typed, sizeof s->typed, "%s", prompt == PROMPT_FILTER ? s->filter : "");
}

static enum screen_action end_prompt(struct screen *s)
{
    enum screen_prompt prompt = s->prompt;
    char *end;
    s->prompt = PROMPT_NONE;
    if (prompt == PROMPT_FILTER) {
        snprintf(s->filter, sizeof s->filter, "%s", s->typed);
        s->stale = true;
        return ACTION_NONE;
    }
    double seconds = strtod(s->typed, &end);
    if (end == s->typed || *end || !(seconds >= 0 && seconds < 1e9)) {
        say(s, "a moment is a number of seconds from the trace's start: 12 or 90.5");
        return ACTION_NONE;
    }
    return go_to(s, (uint64_t)(seconds * 1e9));
}

static enum screen_action key_in_prompt(struct screen *s, int key)
{
    size_t n = strlen(s->typed);
    if (key == KEYS_ENTER)
        return end_prompt(s);
    if (key == KEYS_ESCAPE)
        s->prompt = PROMPT_NONE;
    else if (key == KEYS_BACKSPACE && n > 0)
        s->typed[n - 1] = '\0';
    else if (key >= ' ' && key < KEYS_UP && key != 127 && n + 1 < sizeof s->typed) {
        s->typed[n] = (char)key;
        s->typed[n + 1] = '\0';
    }
    return ACTION_NONE;
}

/* ---- the chooser of columns ---- */

/* The column number `at` of those that the view offers; NULL: there are not so many. */
static const struct column *offered(enum view view, size_t at)
{
    const struct relation *r = view_kinds[view].relation;
    for (size_t i = 0; i < r->columns_n; i++)
        if (view_offers(view, &r->columns[i]) && at-- == 0)
            return &r->columns[i];
    return NULL;
}

static bool key_in_chooser(struct screen *s, int key)
{
    enum view view = s->settings.view;
    const struct column *column = offered(view, s->panel_at);
    if (key == KEYS_DOWN && offered(view, s->panel_at + 1))
        s->panel_at++;
    else if (key == KEYS_UP && s->panel_at > 0)
        s->panel_at--;
    else if ((key == ' ' || key == KEYS_ENTER) && column)
        view_toggle(&s->settings.choices[view], (size_t)(column - view_kinds[view].relation->columns));
    else if (key == 's' && column)
        s->settings.choices[view].sort = column;
    else
        return key == KEYS_DOWN || key == KEYS_UP;
    s->stale = true;
    return true;
}

/* ---- all keys ---- */

static bool key_of_rows(struct screen *s, int key)
{
    long page = s->rows_shown > 1 ? (long)s->rows_shown - 1 : 1;
    switch (key) {
    case KEYS_UP:
    case 'k':
        move(s, -1);
        return true;
    case KEYS_DOWN:
    case 'j':
        move(s, 1);
        return true;
    case KEYS_PAGE_UP:
        move(s, -page);
        return true;
    case KEYS_PAGE_DOWN:
        move(s, page);
        return true;
    case KEYS_WHEEL_UP:
        move(s, -WHEEL_ROWS);
        return true;
    case KEYS_WHEEL_DOWN:
        move(s, WHEEL_ROWS);
        return true;
    case KEYS_HOME:
        screen_choose_row(s, 0);
        return true;
    case KEYS_ESCAPE:
    case KEYS_BACKSPACE:
        back(s);
        return true;
    default:
        return false;
    }
}

static bool key_of_look(struct screen *s, int key)
{
    struct screen_settings *o = &s->settings;
    switch (key) {
    case '<':
    case '>':
        move_order(s, key == '>' ? 1 : -1);
        return true;
    case 'r':
        o->choices[o->view].reversed ^= true;
        break;
    case 'w':
        o->choices[o->view].sort_span ^= 1;
        break;
    case 'z':
        o->spans = (o->spans + 1) % SPANS_SHOWN;
        break;
    case 't':
        o->graph ^= true;
        break;
    case 'P':
        o->palette = (o->palette + 1) % PALETTES;
        break;
    case '/':
        begin_prompt(s, PROMPT_FILTER);
        return true;
    case 'f':
        open_panel(s, PANEL_COLUMNS);
        return true;
    case 'i':
        open_panel(s, PANEL_SOURCES);
        return true;
    case 'h':
    case '?':
        open_panel(s, PANEL_HELP);
        return true;
    case 'y':
        print_command(s);
        return true;
    default:
        return false;
    }
    s->stale = true;
    return true;
}

static enum screen_action key_of_time(struct screen *s, int key)
{
    switch (key) {
    case ' ':
        pause_or_go_on(s);
        break;
    case KEYS_LEFT:
        return step(s, -1);
    case KEYS_RIGHT:
        return step(s, 1);
    case '[':
        return step(s, -10);
    case ']':
        return step(s, 10);
    case KEYS_END:
    case 'G':
        go_live(s);
        break;
    case 'g':
        begin_prompt(s, PROMPT_SEEK);
        break;
    case '+':
    case '-':
        change_speed(s, key == '+' ? 2 : 0.5);
        break;
    case 'n':
        return next_anomaly(s);
    default:
        break;
    }
    return ACTION_NONE;
}

enum screen_action screen_key(struct screen *s, int key)
{
    *s->message = '\0';
    if (key == 3)
        return ACTION_QUIT;
    if (s->prompt != PROMPT_NONE)
        return key_in_prompt(s, key);
    if (s->panel == PANEL_COLUMNS && key_in_chooser(s, key))
        return ACTION_NONE;
    if (s->panel != PANEL_NONE && (key == KEYS_ESCAPE || key == 'q' || s->panel == PANEL_COMMAND)) {
        s->panel = PANEL_NONE;
        return ACTION_NONE;
    }
    if (key == 'q')
        return ACTION_QUIT;
    enum view view = view_of_key(key);
    if (view != VIEWS) {
        if (view == VIEW_DOMAINS)
            s->drill.domain = s->drill.vcpu = -1;
        show_view(s, view);
        return watch(s);
    }
    if (key == KEYS_ENTER)
        return drill_down(s);
    if (key_of_rows(s, key) || key_of_look(s, key))
        return ACTION_NONE;
    return key_of_time(s, key);
}

/* ---- the mouse ---- */

static void click_heading(struct screen *s, unsigned x)
{
    struct view_choice *chosen = &s->settings.choices[s->settings.view];
    for (size_t i = 0; i < s->table.headings_n; i++) {
        const struct shown_heading *h = &s->table.headings[i];
        if (x < h->begin || x >= h->end || !h->column)
            continue;
        unsigned span = h->middle < h->end ? x >= h->middle : chosen->sort_span;
        bool again = chosen->sort == h->column && chosen->sort_span == span;
        chosen->reversed = again && !chosen->reversed;
        chosen->sort = h->column;
        chosen->sort_span = span;
        s->stale = true;
    }
}

enum screen_action screen_click(struct screen *s, unsigned x, unsigned y)
{
    const struct shown_table *t = &s->table;
    if (s->panel != PANEL_NONE || s->prompt != PROMPT_NONE || t->rows_y == 0 || y < t->headings_y)
        return ACTION_NONE;
    *s->message = '\0';
    if (y < t->rows_y) {
        click_heading(s, x);
        return ACTION_NONE;
    }
    size_t row = s->top + (y - t->rows_y);
    if (y - t->rows_y >= s->rows_shown || row >= s->sheet.n)
        return ACTION_NONE;
    if (s->has_chosen && screen_chosen_row(s) == row)
        return drill_down(s);
    screen_choose_row(s, row);
    return ACTION_NONE;
}
