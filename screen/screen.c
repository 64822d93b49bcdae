#include "screen/screen.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "metrics/human.h"

#define UNUSUAL_TIMES 4        /* a longest wait so many times the usual one is unusual, */
#define UNUSUAL_NS    10000000 /* if it is no shorter than this */

void screen_init(struct screen *s)
{
    *s = (struct screen){.speed = 1, .own_cpu_percent = -1, .stale = true, .title = "", .name_of = NULL};
    s->drill = s->chosen = (struct sheet_subject){.domain = -1, .vcpu = -1, .pcpu = -1};
    for (enum view view = 0; view < VIEWS; view++)
        view_choose_defaults(&s->settings.choices[view], view);
}

void screen_free(struct screen *s)
{
    sheet_free(&s->sheet);
    picture_free(&s->picture);
}

/* ---- time ---- */

/* Where a replay is by the clock. It stops at the newest second that there is. */
static void play(struct screen *s, uint64_t now_ns)
{
    uint64_t passed_ns = s->played_at_ns ? now_ns - s->played_at_ns : 0;
    s->played_at_ns = now_ns;
    if (s->status.seconds == 0)
        return;
    if (s->seek_ns) {
        if (s->status.last_ns < s->seek_ns && s->status.state <= SOURCE_READING)
            return; /* it is not there yet */
        s->play_ns = s->seek_ns;
        s->seek_ns = 0;
    }
    if (s->play_ns < s->status.first_ns + SECOND_NS)
        s->play_ns = s->status.first_ns + SECOND_NS;
    if (!s->paused)
        s->play_ns += (uint64_t)((double)passed_ns * s->speed);
    if (s->play_ns > s->status.last_ns)
        s->play_ns = s->status.last_ns;
}

static uint64_t wanted_ns(struct screen *s, uint64_t now_ns)
{
    if (s->source == FROM_REPLAY) {
        play(s, now_ns);
        return s->play_ns;
    }
    return s->paused && s->shown_ns ? s->shown_ns : s->status.last_ns;
}

/* Rows of pCPUs and of charges are never those of one domain. */
static struct sheet_subject drill_of(const struct screen *s)
{
    static const struct sheet_subject nobody = {.domain = -1, .vcpu = -1, .pcpu = -1};
    enum view view = s->settings.view;
    return view == VIEW_PCPUS || view == VIEW_CHARGES || view == VIEW_DOMAINS ? nobody : s->drill;
}

static void make_sheet(struct screen *s)
{
    const struct sheet_choice choice = {.view = s->settings.view,
                                        .columns = &s->settings.choices[s->settings.view],
                                        .filter = s->filter,
                                        .subject = drill_of(s),
                                        .name_of = s->name_of,
                                        .names = s->names};
    if (!sheet_make(&s->sheet, &s->picture, &choice))
        s->no_memory = true;
}

bool screen_update(struct screen *s, uint64_t now_ns)
{
    uint64_t before = s->shown_ns, changes = s->status.changes;
    history_status(s->history, &s->status);
    uint64_t ns = wanted_ns(s, now_ns);
    history_set_cursor(s->history, s->seek_ns > ns ? s->seek_ns : ns);
    bool moved =
        s->status.seconds > 0 && (!s->picture.any || ns < s->shown_ns || ns >= s->shown_ns + SECOND_NS ||
                                  (ns != s->shown_ns && ns == s->status.last_ns));
    if (moved || s->stale) {
        s->no_memory = !picture_make(&s->picture, s->history, ns, view_kinds[s->settings.view].parts);
        s->shown_ns = s->picture.any ? s->picture.now_ns : 0;
        make_sheet(s);
        if (s->no_memory)
            snprintf(s->message, sizeof s->message, "not enough memory for the table");
        moved = s->stale || s->shown_ns != before;
        s->stale = false;
    }
    return moved || s->status.changes != changes;
}

bool screen_show_second(struct screen *s, uint64_t ns)
{
    size_t at;
    history_lock(s->history);
    const struct second *second = history_at(s->history, ns, &at);
    bool there = second && second_has_details(second) && ns - second->end_ns < SECOND_NS;
    history_unlock(s->history);
    if (!there)
        return false;
    s->shown_ns = s->play_ns = ns;
    s->stale = true;
    return true;
}

/* ---- anomalies ---- */

static int compare_u64(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* The median of the seconds' longest waits; 0: there are none. */
static uint64_t usual_wait(const struct history *h)
{
    static uint64_t waits[HISTORY_SECONDS];
    size_t n = history_count(h);
    for (size_t i = 0; i < n; i++)
        waits[i] = history_second(h, i)->wait_max_ns;
    if (n > 0)
        qsort(waits, n, sizeof *waits, compare_u64);
    return n > 0 ? waits[n / 2] : 0;
}

/* Why a second is out of the ordinary. False: it is not. */
static bool is_anomaly(const struct second *s, uint64_t usual_ns, char *what, size_t size)
{
    char number[HUMAN_BYTES];
    if (s->lost_records > 0) {
        snprintf(what, size, "%s records were lost", human_count(number, s->lost_records));
        return true;
    }
    if (s->wait_max_ns < UNUSUAL_NS || s->wait_max_ns < UNUSUAL_TIMES * usual_ns)
        return false;
    snprintf(what, size, "a vCPU waited for %s", human_duration(number, s->wait_max_ns));
    return true;
}

uint64_t screen_next_anomaly(const struct screen *s, char *what, size_t size)
{
    uint64_t found_ns = 0;
    history_lock(s->history);
    size_t n = history_count(s->history);
    uint64_t usual_ns = usual_wait(s->history);
    for (size_t i = 0; i < n && !found_ns; i++) {
        const struct second *second = history_second(s->history, i);
        if (second->end_ns > s->shown_ns && is_anomaly(second, usual_ns, what, size))
            found_ns = second->end_ns;
    }
    history_unlock(s->history);
    return found_ns;
}

/* ---- rows ---- */

static bool same_subject(const struct sheet_subject *a, const struct sheet_subject *b)
{
    return a->domain == b->domain && a->life == b->life && a->vcpu == b->vcpu && a->pcpu == b->pcpu;
}

size_t screen_chosen_row(const struct screen *s)
{
    size_t row = 0;
    if (!s->has_chosen)
        return s->sheet.n;
    while (row < s->sheet.n && !same_subject(&s->sheet.rows[row].subject, &s->chosen))
        row++;
    return row;
}

void screen_choose_row(struct screen *s, size_t row)
{
    s->has_chosen = row < s->sheet.n;
    if (s->has_chosen)
        s->chosen = s->sheet.rows[row].subject;
}

/* ---- the same on a command line ---- */

/* Adds what fits. */
static void add_text(char *to, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));
static void add_text(char *to, size_t size, const char *format, ...)
{
    size_t n = strlen(to);
    va_list args;
    va_start(args, format);
    vsnprintf(to + n, size - n, format, args);
    va_end(args);
}

/* In quotes where a shell would see more than a word in it. */
static void add_word(char *to, size_t size, const char *word)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./,:+=@%";
    if (word[strspn(word, plain)] == '\0') {
        add_text(to, size, " %s", word);
        return;
    }
    add_text(to, size, " '");
    for (; *word; word++)
        add_text(to, size, *word == '\'' ? "'\\''" : "%c", *word);
    add_text(to, size, "'");
}

static void add_seconds(char *to, size_t size, uint64_t ns)
{
    add_text(to, size, "%" PRIu64, ns / SECOND_NS);
    if (ns % SECOND_NS)
        add_text(to, size, ".%09" PRIu64, ns % SECOND_NS);
}

static void add_options(const struct screen *s, char *to, size_t size)
{
    for (const struct screen_option *o = s->options; o < s->options + s->options_n; o++) {
        if (!(o->views >> s->settings.view & 1))
            continue;
        add_text(to, size, " --%s", o->name);
        if (o->value)
            add_word(to, size, o->value);
    }
}

/* The domains of the table, once each, in its order. */
static void add_domains(const struct sheet *sheet, char *to, size_t size)
{
    const char *before = " -d ";
    for (size_t i = 0; i < sheet->n; i++) {
        int32_t domain = sheet->rows[i].subject.domain;
        size_t first = 0;
        while (sheet->rows[first].subject.domain != domain)
            first++;
        if (domain < 0 || first < i)
            continue;
        add_text(to, size, "%s%d", before, (int)domain);
        before = ",";
    }
}

void screen_command(const struct screen *s, char *to, size_t size)
{
    const struct view_kind *kind = &view_kinds[s->settings.view];
    const struct view_choice *chosen = &s->settings.choices[s->settings.view];
    const struct interval *i = &s->picture.windows[kind->one_span ? SPAN_ONE : SPAN_TEN].interval;
    snprintf(to, size, "xenmeter %s -t ", kind->command);
    add_seconds(to, size, i->start_ns);
    add_text(to, size, ",");
    add_seconds(to, size, i->end_ns);
    add_options(s, to, size);
    if (s->sheet.choice.subject.domain >= 0)
        add_text(to, size, " -d %d", (int)s->sheet.choice.subject.domain);
    else if (*s->filter)
        add_domains(&s->sheet, to, size);
    if (s->settings.view != VIEW_CHARGES && chosen->sort)
        add_text(to, size, " -s %s", chosen->sort->name);
    if (s->settings.view == VIEW_EXECUTIONS && s->sheet.choice.subject.domain < 0)
        add_text(to, size, " -n %d", SECOND_WAITS);
    if (s->settings.view == VIEW_BLAME && s->sheet.choice.subject.domain < 0)
        add_text(to, size, " -c victim_vcpu"); /* there each vCPU has its row */
    for (size_t c = 0; c < s->sheet.columns_n; c++)
        if (s->sheet.columns[c].column)
            add_text(to, size, "%s%s", strstr(to, " -c ") ? "," : " -c ", s->sheet.columns[c].column->name);
    add_word(to, size, s->input ? s->input : "CAPTURE");
}
