/* The screen without a terminal: what keys do, and what is drawn. */
#include <string.h>

#include "screen_host.h"
#include "suites.h"

/* ---- rows and keys ---- */

static int32_t row_at_top(size_t row)
{
    return row < screen.sheet.n ? screen.sheet.rows[row].subject.domain : -1;
}

static void orders(void)
{
    screen_host_begin(HISTORY_BYTES);
    screen_host_run(20);
    screen_host_draw(120, 24);
    EQUAL(row_at_top(0), 2); /* by running, the most first */
    EQUAL(row_at_top(1), 1);
    screen_key(&screen, 'r');
    screen_host_draw(120, 24);
    EQUAL(row_at_top(0), 0);
    screen_key(&screen, '<'); /* by name */
    screen_host_draw(120, 24);
    SAME_TEXT(screen.settings.choices[VIEW_DOMAINS].sort->name, "name");
    EQUAL(row_at_top(0), 2); /* db, dom0, web */
    EQUAL(row_at_top(2), 1);
    screen_key(&screen, '<'); /* by domain: the smallest first */
    screen_host_draw(120, 24);
    EQUAL(row_at_top(0), 0);
    EQUAL(row_at_top(2), 2);
    screen_host_end();
}

static void type(const char *text)
{
    for (; *text; text++)
        screen_key(&screen, (unsigned char)*text);
}

/* The table is "domain name vcpus running ...": headings in lines 4 and 5 or so, whatever the head takes. */
static void the_mouse_chooses_and_orders(void)
{
    screen_host_begin(HISTORY_BYTES);
    screen_host_run(20);
    screen_host_draw(120, 24);
    const struct shown_table *table = &screen.table;
    unsigned first = table->rows_y;
    CHECK(table->headings_n > 2 && first > table->headings_y);
    EQUAL(screen_click(&screen, 0, first + 1), ACTION_NONE);
    CHECK(screen.has_chosen);
    EQUAL(screen_chosen_row(&screen), 1);
    screen_click(&screen, table->headings[0].begin, table->headings_y); /* domain */
    screen_host_draw(120, 24);
    EQUAL(row_at_top(0), 0);
    screen_click(&screen, table->headings[0].begin, table->headings_y);
    screen_host_draw(120, 24);
    EQUAL(row_at_top(0), 2);
    const struct shown_heading *number = &table->headings[table->headings_n - 1];
    screen_click(&screen, number->end - 1, table->headings_y + 1);
    CHECK(screen.settings.choices[VIEW_DOMAINS].sort == number->column);
    EQUAL(screen.settings.choices[VIEW_DOMAINS].sort_span, SPAN_TEN);
    screen_host_draw(120, 24);
    screen_click(&screen, 3, 0);          /* the title */
    screen_click(&screen, 3, first + 20); /* below the rows */
    EQUAL(screen.settings.view, VIEW_DOMAINS);
    screen_key(&screen, KEYS_HOME);
    screen_host_draw(120, 24);
    screen_click(&screen, 5, first); /* the chosen row once more: its vCPUs */
    EQUAL(screen.settings.view, VIEW_VCPUS);
    screen_host_draw(120, 24);
    screen_key(&screen, KEYS_WHEEL_DOWN);
    CHECK(screen.has_chosen);
    screen_host_end();
}

static void filters_by_name_or_id(void)
{
    screen_host_begin(HISTORY_BYTES);
    screen_host_run(3);
    screen_host_draw(120, 24);
    type("/WE");
    screen_key(&screen, KEYS_ENTER);
    screen_host_draw(120, 24);
    EQUAL(screen.sheet.n, 1);
    EQUAL(row_at_top(0), 1);
    type("/q"); /* a key that would quit is a letter here */
    EQUAL(screen_key(&screen, KEYS_ESCAPE), ACTION_NONE);
    screen_host_draw(120, 24);
    EQUAL(screen.sheet.n, 1);
    type("/");
    screen_key(&screen, KEYS_BACKSPACE);
    screen_key(&screen, KEYS_BACKSPACE);
    type("2");
    screen_key(&screen, KEYS_ENTER);
    screen_host_draw(120, 24);
    EQUAL(row_at_top(0), 2);
    screen_key(&screen, KEYS_ESCAPE);
    screen_host_draw(120, 24);
    EQUAL(screen.sheet.n, 3);
    screen_host_end();
}

static void a_domain_its_vcpus_their_executions_and_back(void)
{
    screen_host_begin(HISTORY_BYTES);
    screen_host_run(3);
    screen_host_draw(120, 24);
    screen_key(&screen, KEYS_DOWN);
    EQUAL(screen.chosen.domain, 2);
    screen_key(&screen, KEYS_DOWN);
    EQUAL(screen.chosen.domain, 0);
    screen_key(&screen, KEYS_ENTER);
    screen_host_draw(120, 24);
    EQUAL(screen.settings.view, VIEW_VCPUS);
    EQUAL(screen.sheet.n, 1);
    EQUAL(history_watched(screen_history).domain, 0);
    screen_key(&screen, KEYS_DOWN);
    screen_key(&screen, KEYS_ENTER);
    EQUAL(screen.settings.view, VIEW_EXECUTIONS);
    EQUAL(history_watched(screen_history).vcpu, 0);
    screen_key(&screen, KEYS_ESCAPE);
    EQUAL(screen.settings.view, VIEW_VCPUS);
    screen_key(&screen, KEYS_ESCAPE);
    EQUAL(screen.settings.view, VIEW_DOMAINS);
    screen_host_draw(120, 24);
    EQUAL(screen.sheet.n, 3);
    EQUAL(history_watched(screen_history).domain, -1);
    screen_host_end();
}

static void executions_of_a_replay_are_read_again(void)
{
    screen_host_begin(HISTORY_BYTES);
    screen.source = FROM_REPLAY;
    screen_host_run(3);
    screen_host_draw(120, 24);
    screen_key(&screen, 'v');
    screen_host_draw(120, 24);
    screen_key(&screen, KEYS_DOWN);
    EQUAL(screen_key(&screen, KEYS_ENTER), ACTION_SEEK);
    EQUAL(screen.seek_ns, screen.shown_ns);
    screen_host_end();
}

static void the_chosen_row_stays_where_the_order_changes(void)
{
    screen_host_begin(HISTORY_BYTES);
    screen_host_run(70); /* domain 1 overtakes domain 2 after 50 seconds */
    screen.source = FROM_REPLAY;
    screen.paused = true;
    screen_host_draw(120, 24);
    screen_show_second(&screen, 10 * S);
    screen_host_draw(120, 24);
    EQUAL(row_at_top(0), 2);
    screen_key(&screen, KEYS_DOWN);
    EQUAL(screen.chosen.domain, 2);
    screen_show_second(&screen, 60 * S);
    screen_host_draw(120, 24);
    EQUAL(row_at_top(0), 1);
    EQUAL(screen.chosen.domain, 2);
    EQUAL(screen_chosen_row(&screen), 1);
    screen_host_end();
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
    screen_host_begin(HISTORY_BYTES);
    screen_host_run(3);
    screen_host_draw(120, 24);
    screen_key(&screen, 'f');
    screen_key(&screen, ' '); /* the first on offer: vcpus */
    screen_key(&screen, KEYS_ESCAPE);
    screen_host_draw(200, 24);
    CHECK(strstr(drawn, "vcpus") != NULL);
    screen_host_end();
}

/* ---- what is drawn ---- */

static void nothing_steers_the_terminal(void)
{
    screen_host_begin(HISTORY_BYTES);
    screen_host_run(3);
    CHECK(strchr(screen_host_draw(120, 24), '\033') == NULL);
    CHECK(strstr(drawn, "db?[2J") != NULL);
    screen_host_end();
}

static void narrow_and_small(void)
{
    screen_host_begin(HISTORY_BYTES);
    screen_host_run(20);
    for (unsigned width = 1; width < 220; width += 7)
        for (unsigned height = 1; height < 40; height += 3) {
            screen_host_draw(width, height);
            for (enum screen_panel panel = PANEL_HELP; panel <= PANEL_COMMAND; panel++) {
                screen.panel = panel;
                screen_host_draw(width, height);
                screen.panel = PANEL_NONE;
            }
            screen.settings.graph ^= true;
        }
    screen_host_draw(60, 24);
    CHECK(strstr(drawn, "running %") != NULL);
    CHECK(strstr(drawn, "i/o /s") == NULL);
    screen_host_draw(220, 24);
    CHECK(strstr(drawn, "i/o /s") != NULL);
    screen_host_end();
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
    screen_host_begin(HISTORY_BYTES);
    screen_host_run(12);
    screen.input = "it's here.xt";
    CHECK(view_choose(&screen.settings.choices[VIEW_DOMAINS], VIEW_DOMAINS, "running_pct,wakes"));
    screen_host_draw(120, 24);
    screen_command(&screen, command, sizeof command);
    SAME_TEXT(command, "xenmeter report -b domain -t 2,12 -s running_pct -c domain,name,running_pct,wakes "
                       "'it'\\''s here.xt'");
    const struct screen_option options[] = {{"idd", "0,5", 1u << VIEW_DOMAINS | 1u << VIEW_CHARGES},
                                            {"charge-all", NULL, 1u << VIEW_DOMAINS},
                                            {"ascii", NULL, 0}};
    screen.options = options;
    screen.options_n = 3;
    snprintf(screen.filter, sizeof screen.filter, "2");
    screen.stale = true;
    screen_host_draw(120, 24);
    screen_command(&screen, command, sizeof command);
    SAME_TEXT(command, "xenmeter report -b domain -t 2,12 --idd 0,5 --charge-all -d 2 -s running_pct "
                       "-c domain,name,running_pct,wakes 'it'\\''s here.xt'");
    *screen.filter = '\0';
    screen.drill = (struct sheet_subject){.domain = 2, .life = 1, .vcpu = -1, .pcpu = -1};
    screen_key(&screen, 'e');
    screen_host_draw(120, 24);
    screen_command(&screen, command, 60);
    SAME_TEXT(command, "xenmeter report -g execution -t 11,12 -d 2 -s waited_ns -c ");
    screen_host_end();
}

static void many_pcpus_are_a_heatmap(void)
{
    screen_host_begin(HISTORY_BYTES);
    struct second *s = screen_host_second(0, NULL, 0);
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
    history_add(screen_history, s);
    screen_host_draw(80, 24);
    SAME_TEXT(screen_host_line(drawn, "   0 "),
              "   0 _____#?_________________________________________________________");
    EQUAL(screen.picture.host.full, 1);
    EQUAL(screen.picture.host.idle, 62);
    screen_host_end();
}

CU_TestInfo screen_keys_tests[] = {TEST(orders),
                                   TEST(the_mouse_chooses_and_orders),
                                   TEST(filters_by_name_or_id),
                                   TEST(a_domain_its_vcpus_their_executions_and_back),
                                   TEST(executions_of_a_replay_are_read_again),
                                   TEST(the_chosen_row_stays_where_the_order_changes),
                                   TEST(columns_are_chosen),
                                   TEST(nothing_steers_the_terminal),
                                   TEST(narrow_and_small),
                                   TEST(wide_characters_are_cut_whole),
                                   TEST(the_command_line_of_the_table),
                                   TEST(many_pcpus_are_a_heatmap),
                                   CU_TEST_INFO_NULL};
