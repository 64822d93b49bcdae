/* The screen without a terminal: what is kept, what keys do, what is drawn. */
#include "screen/screen.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "suites.h"

#define S  ((uint64_t)SECOND_NS)
#define MS ((int64_t)1000000)

static struct history *history;
static struct screen screen;
static struct canvas canvas;
static char drawn[64 * 1024];

/* ---- a host by hand ---- */

/* What one domain with one vCPU did in a second; the rest it was blocked. */
struct did {
    int32_t domain;
    int64_t running_ns, runnable_ns, unknown_ns;
    uint64_t longest_wait_ns; /* 0: it did not wait */
};

static struct second *second_with(uint64_t number, const struct did *did, size_t n)
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

static void add(uint64_t number, const struct did *did, size_t n)
{
    struct second *s = second_with(number, did, n);
    CHECK(second_settle(s));
    history_add(history, s);
}

static const char *name_of(const void *names, int32_t domain, uint32_t life)
{
    static const char *const all[] = {"dom0", "web", "db\033[2J"};
    (void)names;
    (void)life;
    return domain < 3 ? all[domain] : NULL;
}

static void begin(size_t bytes)
{
    history = history_new(bytes);
    history_set_state(history, SOURCE_READING, NULL);
    screen_init(&screen);
    screen.history = history;
    screen.title = "test";
    screen.ascii = true;
    screen.name_of = name_of;
}

static void end(void)
{
    screen_free(&screen);
    canvas_free(&canvas);
    history_free(history);
}

/* Three domains for so many seconds: the running time of domain 1 is the second's number times 10 ms. */
static void run_host(uint64_t seconds)
{
    for (uint64_t i = 0; i < seconds; i++) {
        const struct did did[] = {{0, 50 * MS, 0, 0, 0},
                                  {1, (int64_t)i * 10 * MS, 20 * MS, 0, 2 * MS},
                                  {2, 500 * MS, 100 * MS, 0, 4 * MS}};
        add(i, did, 3);
    }
}

static const char *draw(unsigned width, unsigned height)
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
static const char *line(const char *text, const char *start)
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

static double number_of(enum span span, int32_t domain, const char *column)
{
    const struct sheet_column c = {.column = column_find(&relation_rows, column)};
    for (size_t i = 0; i < screen.sheet.n; i++)
        if (screen.sheet.rows[i].subject.domain == domain)
            return value_number(sheet_value(&screen.sheet, &screen.sheet.rows[i], &c, span));
    return -1;
}

/* ---- numbers ---- */

static void one_second_beside_the_last_ten(void)
{
    begin(HISTORY_BYTES);
    run_host(20);
    draw(120, 24);
    EQUAL(screen.shown_ns, 20 * S);
    EQUAL(number_of(SPAN_ONE, 1, "running_ns"), 190 * MS);
    EQUAL(number_of(SPAN_TEN, 1, "running_ns"),
          (100 + 110 + 120 + 130 + 140 + 150 + 160 + 170 + 180 + 190) * MS);
    EQUAL(number_of(SPAN_TEN, 1, "executions"), 100);
    EQUAL(number_of(SPAN_TEN, 2, "wait_max_ns"), 4 * MS);
    /* per cent of ten seconds: 1450 ms of 10 s */
    EQUAL(1000 * number_of(SPAN_TEN, 1, "running_pct"), 14500);
    end();
}

static void a_gap_is_left_out_of_per_cent(void)
{
    const struct did did[] = {{1, 500 * MS, 0, 0, 0}};
    begin(HISTORY_BYTES);
    add(0, did, 1);
    add(7, did, 1); /* six seconds are missing */
    draw(120, 24);
    EQUAL(number_of(SPAN_TEN, 1, "running_ns"), 1000 * MS);
    EQUAL(1000 * number_of(SPAN_TEN, 1, "running_pct"), 50000);
    CHECK(strstr(drawn, "1 s    2 s") != NULL);
    /* in the graph, which ends with the second shown: a sign, six blanks, a sign */
    const char *graph = line(drawn, "1 ");
    size_t n = strlen(graph);
    CHECK(n > 8 && graph[n - 1] != ' ' && graph[n - 8] != ' ');
    CHECK(n > 8 && strncmp(graph + n - 7, "      ", 6) == 0);
    end();
}

static void a_second_that_is_unknown_is_a_gap_and_marked(void)
{
    const struct did known[] = {{1, 500 * MS, 0, 0, 0}}, unknown[] = {{1, 0, 0, (int64_t)S, 0}},
                     partly[] = {{1, 600 * MS, 0, 100 * MS, 0}};
    begin(HISTORY_BYTES);
    add(0, known, 1);
    add(1, unknown, 1);
    add(2, partly, 1);
    const char *row = line(draw(120, 24), "1 ");
    size_t n = strlen(row);
    CHECK(n > 3 && row[n - 1] != ' ' && row[n - 2] == ' ' && row[n - 3] != ' ');
    CHECK(strstr(row, "60.00*") != NULL);
    end();
}

static void details_are_dropped_first(void)
{
    struct history_status s;
    begin(1);
    run_host(30);
    history_status(history, &s);
    EQUAL(s.seconds, 30);
    history_lock(history);
    CHECK(!second_has_details(history_second(history, 19)));
    CHECK(second_has_details(history_second(history, 20)));
    EQUAL(second_point(history_second(history, 5), 1, 1)->running_ns, 50 * MS);
    history_unlock(history);
    draw(120, 24);
    EQUAL(number_of(SPAN_TEN, 1, "executions"), 100);
    screen_key(&screen, KEYS_LEFT);
    draw(120, 24);
    EQUAL(screen.shown_ns, 29 * S);
    EQUAL(number_of(SPAN_TEN, 1, "executions"), 90); /* the tenth is not there any more, */
    CHECK(strstr(drawn, "1 s    9 s") != NULL);      /* and the heading says so */
    end();
}

static void the_history_ends_after_an_hour(void)
{
    struct history_status s;
    const struct did did[] = {{1, 500 * MS, 0, 0, 0}};
    begin(1);
    for (uint64_t i = 0; i < HISTORY_SECONDS + 5; i++)
        add(i, did, 1);
    history_status(history, &s);
    EQUAL(s.seconds, HISTORY_SECONDS);
    EQUAL(s.first_ns, 5 * S);
    add(3, did, 1); /* not after the last */
    history_status(history, &s);
    EQUAL(s.seconds, HISTORY_SECONDS);
    end();
}

static void executions_of_the_watched_domain_and_the_longest_waits(void)
{
    struct second *s = second_new(0, S);
    s->watched = (struct watched){.domain = 1, .vcpu = -1, .life = 1};
    for (uint64_t i = 0; i < 1000; i++) {
        const struct execution e = {.domain = (int32_t)(i % 2), .life = 1, .end_ns = i, .waited_ns = i % 500};
        CHECK(second_take_execution(s, &e));
    }
    CHECK(second_settle(s));
    EQUAL(s->executions_n, SECOND_EXECUTIONS);
    EQUAL(s->executions_left_out, 500 - SECOND_EXECUTIONS);
    EQUAL(s->executions[0].end_ns, 999 - 2 * (SECOND_EXECUTIONS - 1));
    EQUAL(s->executions[SECOND_EXECUTIONS - 1].end_ns, 999);
    EQUAL(s->waits_n, SECOND_WAITS);
    EQUAL(s->waits[0].waited_ns, 499);
    EQUAL(s->waits[1].waited_ns, 499);
    EQUAL(s->waits[SECOND_WAITS - 1].waited_ns, 499 - (SECOND_WAITS - 1) / 2);
    second_free(s);
}

/* ---- rows and keys ---- */

static int32_t row_at_top(size_t row)
{
    return row < screen.sheet.n ? screen.sheet.rows[row].subject.domain : -1;
}

static void orders(void)
{
    begin(HISTORY_BYTES);
    run_host(20);
    draw(120, 24);
    EQUAL(row_at_top(0), 2); /* by running, the most first */
    EQUAL(row_at_top(1), 1);
    screen_key(&screen, 'r');
    draw(120, 24);
    EQUAL(row_at_top(0), 0);
    screen_key(&screen, '<'); /* by name */
    draw(120, 24);
    SAME_TEXT(screen.settings.choices[VIEW_DOMAINS].sort->name, "name");
    EQUAL(row_at_top(0), 2); /* db, dom0, web */
    EQUAL(row_at_top(2), 1);
    screen_key(&screen, '<'); /* by domain: the smallest first */
    draw(120, 24);
    EQUAL(row_at_top(0), 0);
    EQUAL(row_at_top(2), 2);
    end();
}

static void type(const char *text)
{
    for (; *text; text++)
        screen_key(&screen, (unsigned char)*text);
}

static void filters_by_name_or_id(void)
{
    begin(HISTORY_BYTES);
    run_host(3);
    draw(120, 24);
    type("/WE");
    screen_key(&screen, KEYS_ENTER);
    draw(120, 24);
    EQUAL(screen.sheet.n, 1);
    EQUAL(row_at_top(0), 1);
    type("/q"); /* a key that would quit is a letter here */
    EQUAL(screen_key(&screen, KEYS_ESCAPE), ACTION_NONE);
    draw(120, 24);
    EQUAL(screen.sheet.n, 1);
    type("/");
    screen_key(&screen, KEYS_BACKSPACE);
    screen_key(&screen, KEYS_BACKSPACE);
    type("2");
    screen_key(&screen, KEYS_ENTER);
    draw(120, 24);
    EQUAL(row_at_top(0), 2);
    screen_key(&screen, KEYS_ESCAPE);
    draw(120, 24);
    EQUAL(screen.sheet.n, 3);
    end();
}

static void a_domain_its_vcpus_their_executions_and_back(void)
{
    begin(HISTORY_BYTES);
    run_host(3);
    draw(120, 24);
    screen_key(&screen, KEYS_DOWN);
    EQUAL(screen.chosen.domain, 2);
    screen_key(&screen, KEYS_DOWN);
    EQUAL(screen.chosen.domain, 0);
    screen_key(&screen, KEYS_ENTER);
    draw(120, 24);
    EQUAL(screen.settings.view, VIEW_VCPUS);
    EQUAL(screen.sheet.n, 1);
    EQUAL(history_watched(history).domain, 0);
    screen_key(&screen, KEYS_DOWN);
    screen_key(&screen, KEYS_ENTER);
    EQUAL(screen.settings.view, VIEW_EXECUTIONS);
    EQUAL(history_watched(history).vcpu, 0);
    screen_key(&screen, KEYS_ESCAPE);
    EQUAL(screen.settings.view, VIEW_VCPUS);
    screen_key(&screen, KEYS_ESCAPE);
    EQUAL(screen.settings.view, VIEW_DOMAINS);
    draw(120, 24);
    EQUAL(screen.sheet.n, 3);
    EQUAL(history_watched(history).domain, -1);
    end();
}

static void executions_of_a_replay_are_read_again(void)
{
    begin(HISTORY_BYTES);
    screen.source = FROM_REPLAY;
    run_host(3);
    draw(120, 24);
    screen_key(&screen, 'v');
    draw(120, 24);
    screen_key(&screen, KEYS_DOWN);
    EQUAL(screen_key(&screen, KEYS_ENTER), ACTION_SEEK);
    EQUAL(screen.seek_ns, screen.shown_ns);
    end();
}

static void the_chosen_row_stays_where_the_order_changes(void)
{
    begin(HISTORY_BYTES);
    run_host(70); /* domain 1 overtakes domain 2 after 50 seconds */
    screen.source = FROM_REPLAY;
    screen.paused = true;
    draw(120, 24);
    screen_show_second(&screen, 10 * S);
    draw(120, 24);
    EQUAL(row_at_top(0), 2);
    screen_key(&screen, KEYS_DOWN);
    EQUAL(screen.chosen.domain, 2);
    screen_show_second(&screen, 60 * S);
    draw(120, 24);
    EQUAL(row_at_top(0), 1);
    EQUAL(screen.chosen.domain, 2);
    EQUAL(screen_chosen_row(&screen), 1);
    end();
}

static void columns_are_chosen(void)
{
    struct view_choice c;
    view_choose_defaults(&c, VIEW_DOMAINS);
    CHECK(!view_choose(&c, VIEW_DOMAINS, "nothing,start_ns,domain"));
    CHECK(view_choose(&c, VIEW_DOMAINS, "wakes,what,running_ns"));
    EQUAL(c.n, 2);
    SAME_TEXT(relation_rows.columns[c.order[0]].name, "wakes");
    SAME_TEXT(relation_rows.columns[c.order[1]].name, "running_ns");
    begin(HISTORY_BYTES);
    run_host(3);
    draw(120, 24);
    screen_key(&screen, 'f');
    screen_key(&screen, ' '); /* the first on offer: vcpus */
    screen_key(&screen, KEYS_ESCAPE);
    draw(200, 24);
    CHECK(strstr(drawn, "vcpus") != NULL);
    end();
}

/* ---- time ---- */

static void a_pause_stays_and_the_end_follows(void)
{
    begin(HISTORY_BYTES);
    run_host(5);
    draw(120, 24);
    screen_key(&screen, ' ');
    const struct did did[] = {{1, 1, 0, 0, 0}};
    add(5, did, 1);
    draw(120, 24);
    EQUAL(screen.shown_ns, 5 * S);
    screen_key(&screen, KEYS_LEFT);
    draw(120, 24);
    EQUAL(screen.shown_ns, 4 * S);
    CHECK(strstr(line(drawn, "xenmeter"), "paused") != NULL);
    screen_key(&screen, KEYS_RIGHT);
    screen_key(&screen, KEYS_RIGHT);
    screen_key(&screen, KEYS_RIGHT); /* not beyond the newest */
    draw(120, 24);
    EQUAL(screen.shown_ns, 6 * S);
    screen_key(&screen, KEYS_END);
    draw(120, 24);
    CHECK(strstr(line(drawn, "xenmeter"), "live") != NULL);
    end();
}

static void a_replay_goes_with_the_clock(void)
{
    begin(HISTORY_BYTES);
    screen.source = FROM_REPLAY;
    screen.speed = 4;
    run_host(60);
    screen_update(&screen, 100 * S);
    EQUAL(screen.shown_ns, S);
    screen_update(&screen, 101 * S);
    EQUAL(screen.shown_ns, 5 * S);
    screen.paused = true;
    screen_update(&screen, 105 * S);
    EQUAL(screen.shown_ns, 5 * S);
    screen.paused = false;
    screen_key(&screen, '-');
    screen_update(&screen, 106 * S);
    EQUAL(screen.shown_ns, 7 * S);
    screen_update(&screen, 500 * S);
    EQUAL(screen.shown_ns, 60 * S);
    end();
}

static void what_a_replay_does_not_have_is_read_again(void)
{
    begin(1); /* only ten seconds have details */
    screen.source = FROM_REPLAY;
    run_host(60);
    screen.play_ns = 60 * S;
    draw(120, 24);
    type("g5");
    EQUAL(screen_key(&screen, KEYS_ENTER), ACTION_SEEK);
    EQUAL(screen.seek_ns, 5 * S);
    history_clear(history);
    draw(120, 24);
    EQUAL(screen.shown_ns, 60 * S); /* until the new seconds are there */
    run_host(4);
    draw(120, 24);
    EQUAL(screen.shown_ns, 60 * S);
    const struct did did[] = {{1, 1, 0, 0, 0}};
    add(4, did, 1);
    draw(120, 24);
    EQUAL(screen.shown_ns, 5 * S);
    end();
}

static void the_next_anomaly(void)
{
    begin(HISTORY_BYTES);
    const struct did usual[] = {{1, MS, MS, 0, 3 * MS}}, unusual[] = {{1, MS, MS, 0, 40 * MS}};
    for (uint64_t i = 0; i < 20; i++)
        add(i, i == 12 ? unusual : usual, 1);
    struct second *lost = second_with(20, usual, 1);
    lost->lost_records = 1234;
    CHECK(second_settle(lost));
    history_add(history, lost);
    add(21, usual, 1);
    draw(120, 24);
    screen_show_second(&screen, 2 * S);
    screen.paused = true;
    draw(120, 24);
    screen_key(&screen, 'n');
    draw(120, 24);
    EQUAL(screen.shown_ns, 13 * S);
    SAME_TEXT(screen.message, "up to 13.000 s: a vCPU waited for 40.00 ms");
    screen_key(&screen, 'n');
    draw(120, 24);
    EQUAL(screen.shown_ns, 21 * S);
    SAME_TEXT(screen.message, "up to 21.000 s: 1,234 records were lost");
    screen_key(&screen, 'n');
    draw(120, 24);
    EQUAL(screen.shown_ns, 21 * S);
    end();
}

static void a_reader_waits_for_who_looks_on(void)
{
    const atomic_int stop = 1, goes_on = 0;
    begin(HISTORY_BYTES);
    run_host(5);
    history_wait(history, 10 * S, &stop); /* it is not far ahead: no waiting; else this test would hang, */
    history_set_cursor(history, 5 * S);
    history_wait(history, 0, &goes_on);
    history_wait(history, 0, &stop); /* and so it would if a stop were not heard */
    end();
}

static void *add_seconds(void *seconds)
{
    const atomic_int stop = 0;
    for (uint64_t i = 0; i < *(const uint64_t *)seconds; i++) {
        const struct did did[] = {{1, (int64_t)i * MS, 0, 0, 5 * MS}};
        add(i, did, 1);
        history_wait(history, 5 * S, &stop);
    }
    history_set_state(history, SOURCE_ENDED, NULL);
    return NULL;
}

static void one_thread_adds_while_another_looks_on(void)
{
    uint64_t seconds = 200;
    pthread_t thread;
    begin(1);
    screen.source = FROM_REPLAY;
    screen.speed = 64;
    EQUAL(pthread_create(&thread, NULL, add_seconds, &seconds), 0);
    for (uint64_t i = 1; screen.status.state != SOURCE_ENDED || screen.shown_ns < seconds * S; i++) {
        screen_update(&screen, i * S / 16);
        draw(120, 24);
        if (i % 16 == 0)
            screen_key(&screen, (int)"dvcbet"[i / 16 % 6]);
    }
    EQUAL(pthread_join(thread, NULL), 0);
    EQUAL(screen.shown_ns, seconds * S);
    end();
}

/* ---- what is drawn ---- */

static void nothing_steers_the_terminal(void)
{
    begin(HISTORY_BYTES);
    run_host(3);
    CHECK(strchr(draw(120, 24), '\033') == NULL);
    CHECK(strstr(drawn, "db?[2J") != NULL);
    end();
}

static void narrow_and_small(void)
{
    begin(HISTORY_BYTES);
    run_host(20);
    for (unsigned width = 1; width < 220; width += 7)
        for (unsigned height = 1; height < 40; height += 3) {
            draw(width, height);
            for (enum screen_panel panel = PANEL_HELP; panel <= PANEL_COMMAND; panel++) {
                screen.panel = panel;
                draw(width, height);
                screen.panel = PANEL_NONE;
            }
            screen.settings.graph ^= true;
        }
    draw(60, 24);
    CHECK(strstr(drawn, "running %") != NULL);
    CHECK(strstr(drawn, "i/o /s") == NULL);
    draw(220, 24);
    CHECK(strstr(drawn, "i/o /s") != NULL);
    end();
}

static void wide_characters_are_cut_whole(void)
{
    struct canvas c = {.cells = NULL};
    struct buffer text = {.n = 0};
    CHECK(canvas_reset(&c, 7, 4, false));
    EQUAL(canvas_put(&c, 0, 0, 7, STYLE_PLAIN,
                     "ab\xe4\xb8\x96\xe7\x95\x8c"
                     "cd"),
          7);
    EQUAL(canvas_put(&c, 0, 1, 5, STYLE_PLAIN, "\xe4\xb8\x96\xe7\x95\x8c\xe4\xb8\x96"), 5);
    EQUAL(canvas_put(&c, 0, 2, 7, STYLE_PLAIN, "e\xcc\x81\x01\xff"), 3);
    canvas_put_right(&c, 0, 3, 7, STYLE_PLAIN, "12");
    canvas_text(&c, &text);
    buffer_add(&text, "", 1);
    SAME_TEXT(text.at, "ab\xe4\xb8\x96\xe7\x95\x8c~\n\xe4\xb8\x96\xe7\x95\x8c~\ne\xcc\x81??\n     12\n");
    text.n = 0;
    CHECK(canvas_reset(&c, 7, 1, true));
    canvas_put(&c, 0, 0, 7, STYLE_PLAIN,
               "\xe4\xb8\x96"
               "e\xcc\x81x");
    canvas_text(&c, &text);
    buffer_add(&text, "", 1);
    SAME_TEXT(text.at, "?ex\n"); /* what combines has no column of its own */
    buffer_free(&text);
    canvas_free(&c);
}

static void the_command_line_of_the_table(void)
{
    char command[1024];
    begin(HISTORY_BYTES);
    run_host(12);
    screen.input = "it's here.xt";
    CHECK(view_choose(&screen.settings.choices[VIEW_DOMAINS], VIEW_DOMAINS, "running_pct,wakes"));
    draw(120, 24);
    screen_command(&screen, command, sizeof command);
    SAME_TEXT(command, "xenmeter report -b domain -t 2,12 -s running_pct -c domain,name,running_pct,wakes "
                       "'it'\\''s here.xt'");
    screen.drill = (struct subject){.domain = 2, .life = 1, .vcpu = -1, .pcpu = -1};
    screen_key(&screen, 'e');
    draw(120, 24);
    screen_command(&screen, command, 60);
    SAME_TEXT(command, "xenmeter report -g execution -t 11,12 -d 2 -s waited_ns -c ");
    end();
}

static void many_pcpus_are_a_heatmap(void)
{
    begin(HISTORY_BYTES);
    struct second *s = second_with(0, NULL, 0);
    struct measures m[64];
    struct row rows[64];
    for (int i = 0; i < 64; i++) {
        measures_init(&m[i]);
        m[i].state_ns[RUNSTATE_RUNNING] = i == 5 ? (int64_t)S : 0;
        m[i].pcpu_unknown_ns = i == 6 ? (int64_t)S : 0;
        m[i].idle_ns = i == 5 || i == 6 ? 0 : (int64_t)S;
        rows[i] = (struct row){.domain = -1, .vcpu = -1, .pcpu = i, .vcpus = 1, .measures = &m[i]};
    }
    CHECK(second_take_rows(s, BY_PCPU, rows, 64));
    CHECK(second_settle(s));
    history_add(history, s);
    draw(80, 24);
    SAME_TEXT(line(drawn, "   0 "), "   0 _____#?_________________________________________________________");
    EQUAL(screen.picture.host.full, 1);
    EQUAL(screen.picture.host.idle, 62);
    end();
}

CU_TestInfo screen_tests[] = {TEST(one_second_beside_the_last_ten),
                              TEST(a_gap_is_left_out_of_per_cent),
                              TEST(a_second_that_is_unknown_is_a_gap_and_marked),
                              TEST(details_are_dropped_first),
                              TEST(the_history_ends_after_an_hour),
                              TEST(executions_of_the_watched_domain_and_the_longest_waits),
                              TEST(orders),
                              TEST(filters_by_name_or_id),
                              TEST(a_domain_its_vcpus_their_executions_and_back),
                              TEST(executions_of_a_replay_are_read_again),
                              TEST(the_chosen_row_stays_where_the_order_changes),
                              TEST(columns_are_chosen),
                              TEST(a_pause_stays_and_the_end_follows),
                              TEST(a_replay_goes_with_the_clock),
                              TEST(what_a_replay_does_not_have_is_read_again),
                              TEST(the_next_anomaly),
                              TEST(a_reader_waits_for_who_looks_on),
                              TEST(one_thread_adds_while_another_looks_on),
                              TEST(nothing_steers_the_terminal),
                              TEST(narrow_and_small),
                              TEST(wide_characters_are_cut_whole),
                              TEST(the_command_line_of_the_table),
                              TEST(many_pcpus_are_a_heatmap),
                              CU_TEST_INFO_NULL};
