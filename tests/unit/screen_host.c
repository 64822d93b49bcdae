#include "screen_host.h"

#include <stdio.h>
#include <string.h>

struct history *screen_history;
struct screen screen;
static struct canvas canvas;
char drawn[SCREEN_DRAWN];

/* ---- a host by hand ---- */

struct second *screen_host_second(uint64_t number, const struct did *did, size_t n)
{
    struct second *s = second_new(number * S, (number + 1) * S);
    struct measures measures[8];
    struct row rows[8], vcpus[8];
    for (size_t i = 0; i < n; i++) {
        struct measures *m = &measures[i];
        measures_init(m);
        m->state_ns[RUNSTATE_RUNNING] = did[i].running_ns;
        m->state_ns[RUNSTATE_RUNNABLE] = did[i].runnable_ns;
        m->state_ns[RUNSTATE_UNKNOWN] = did[i].unknown_ns;
        m->state_ns[RUNSTATE_BLOCKED] =
            (int64_t)S - did[i].running_ns - did[i].runnable_ns - did[i].unknown_ns;
        m->executions = 10;
        if (did[i].longest_wait_ns)
            histogram_add(&m->wait, did[i].longest_wait_ns, number * S);
        rows[i] = vcpus[i] = (struct row){
            .domain = did[i].domain, .life = 1, .vcpu = -1, .pcpu = -1, .vcpus = 1, .measures = m};
        vcpus[i].vcpu = 0;
    }
    CHECK(second_take_rows(s, BY_DOMAIN, rows, n));
    CHECK(second_take_rows(s, BY_VCPU, vcpus, n));
    CHECK(second_take_rows(s, BY_PCPU, NULL, 0));
    CHECK(second_take_charges(s, NULL, 0));
    CHECK(second_take_delays(s, NULL, 0));
    for (size_t i = 0; i < n; i++)
        measures_free(&measures[i]);
    return s;
}

void screen_host_add(uint64_t number, const struct did *did, size_t n)
{
    struct second *s = screen_host_second(number, did, n);
    CHECK(second_settle(s));
    history_add(screen_history, s);
}

static const char *name_of(const void *names, int32_t domain, uint32_t life)
{
    static const char *const all[] = {"dom0", "web", "db\033[2J"};
    (void)names;
    (void)life;
    return domain < 3 ? all[domain] : NULL;
}

void screen_host_begin(size_t bytes)
{
    screen_history = history_new(bytes);
    history_set_state(screen_history, SOURCE_READING, NULL);
    screen_init(&screen);
    screen.history = screen_history;
    screen.title = "test";
    screen.ascii = true;
    screen.name_of = name_of;
}

void screen_host_end(void)
{
    screen_free(&screen);
    canvas_free(&canvas);
    history_free(screen_history);
}

/* Three domains for so many seconds: the running time of domain 1 is the second's number times 10 ms. */
void screen_host_run(uint64_t seconds)
{
    for (uint64_t i = 0; i < seconds; i++) {
        const struct did did[] = {{0, 50 * MS, 0, 0, 0},
                                  {1, (int64_t)i * 10 * MS, 20 * MS, 0, 2 * MS},
                                  {2, 500 * MS, 100 * MS, 0, 4 * MS}};
        screen_host_add(i, did, 3);
    }
}

const char *screen_host_draw(unsigned width, unsigned height)
{
    struct buffer text = {.n = 0};
    screen_update(&screen, screen.played_at_ns ? screen.played_at_ns : 1);
    CHECK(canvas_reset(&canvas, width, height, screen.ascii));
    screen_draw(&screen, &canvas, 1);
    canvas_text(&canvas, &text);
    snprintf(drawn, sizeof drawn, "%.*s", (int)text.n, text.at ? text.at : "");
    buffer_free(&text);
    return drawn;
}

/* The line that begins so, or "". */
const char *screen_host_line(const char *text, const char *start)
{
    static char found[512];
    const char *at = strncmp(text, start, strlen(start)) == 0 ? text : NULL;
    char wanted[64];
    snprintf(wanted, sizeof wanted, "\n%s", start);
    if (!at && (at = strstr(text, wanted)))
        at++;
    snprintf(found, sizeof found, "%.*s", at ? (int)strcspn(at, "\n") : 0, at ? at : "");
    return found;
}

double screen_host_number(enum span span, int32_t domain, const char *column)
{
    const struct sheet_column c = {.column = column_find(&relation_rows, column)};
    for (size_t i = 0; i < screen.sheet.n; i++)
        if (screen.sheet.rows[i].subject.domain == domain)
            return value_number(sheet_value(&screen.sheet, &screen.sheet.rows[i], &c, span));
    return -1;
}
