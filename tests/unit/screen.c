/* The screen without a terminal: what is kept, and what of it is shown when. */
#include <pthread.h>
#include <string.h>

#include "screen_host.h"
#include "suites.h"

/* ---- numbers ---- */

static void one_second_beside_the_last_ten(void)
{
    screen_host_begin(HISTORY_BYTES);
    screen_host_run(20);
    screen_host_draw(120, 24);
    EQUAL(screen.shown_ns, 20 * S);
    EQUAL(screen_host_number(SPAN_ONE, 1, "running_ns"), 190 * MS);
    EQUAL(screen_host_number(SPAN_TEN, 1, "running_ns"),
          (100 + 110 + 120 + 130 + 140 + 150 + 160 + 170 + 180 + 190) * MS);
    EQUAL(screen_host_number(SPAN_TEN, 1, "executions"), 100);
    EQUAL(screen_host_number(SPAN_TEN, 2, "wait_max_ns"), 4 * MS);
    /* per cent of ten seconds: 1450 ms of 10 s */
    EQUAL(1000 * screen_host_number(SPAN_TEN, 1, "running_pct"), 14500);
    screen_host_end();
}

static void a_gap_is_left_out_of_per_cent(void)
{
    const struct did did[] = {{1, 500 * MS, 0, 0, 0}};
    screen_host_begin(HISTORY_BYTES);
    screen_host_add(0, did, 1);
    screen_host_add(7, did, 1); /* six seconds are missing */
    screen_host_draw(120, 24);
    EQUAL(screen_host_number(SPAN_TEN, 1, "running_ns"), 1000 * MS);
    EQUAL(1000 * screen_host_number(SPAN_TEN, 1, "running_pct"), 50000);
    CHECK(strstr(drawn, "1 s    2 s") != NULL);
    /* in the graph, which ends with the second shown: a sign, six blanks, a sign */
    const char *graph = screen_host_line(drawn, "1 ");
    size_t n = strlen(graph);
    CHECK(n > 8 && graph[n - 1] != ' ' && graph[n - 8] != ' ');
    CHECK(n > 8 && strncmp(graph + n - 7, "      ", 6) == 0);
    screen_host_end();
}

static void a_second_that_is_unknown_is_a_gap_and_marked(void)
{
    const struct did known[] = {{1, 500 * MS, 0, 0, 0}}, unknown[] = {{1, 0, 0, (int64_t)S, 0}},
                     partly[] = {{1, 600 * MS, 0, 100 * MS, 0}};
    screen_host_begin(HISTORY_BYTES);
    screen_host_add(0, known, 1);
    screen_host_add(1, unknown, 1);
    screen_host_add(2, partly, 1);
    const char *row = screen_host_line(screen_host_draw(120, 24), "1 ");
    size_t n = strlen(row);
    CHECK(n > 3 && row[n - 1] != ' ' && row[n - 2] == ' ' && row[n - 3] != ' ');
    CHECK(strstr(row, "60.00*") != NULL);
    screen_host_end();
}

static void details_are_dropped_first(void)
{
    struct history_status s;
    screen_host_begin(1);
    screen_host_run(30);
    history_status(screen_history, &s);
    EQUAL(s.seconds, 30);
    history_lock(screen_history);
    CHECK(!second_has_details(history_second(screen_history, 19)));
    CHECK(second_has_details(history_second(screen_history, 20)));
    EQUAL(second_point(history_second(screen_history, 5), 1, 1)->running_ns, 50 * MS);
    history_unlock(screen_history);
    screen_host_draw(120, 24);
    EQUAL(screen_host_number(SPAN_TEN, 1, "executions"), 100);
    screen_key(&screen, KEYS_LEFT);
    screen_host_draw(120, 24);
    EQUAL(screen.shown_ns, 29 * S);
    EQUAL(screen_host_number(SPAN_TEN, 1, "executions"), 90); /* the tenth is not there any more, */
    CHECK(strstr(drawn, "1 s    9 s") != NULL);               /* and the heading says so */
    screen_host_end();
}

static void the_history_ends_after_an_hour(void)
{
    struct history_status s;
    const struct did did[] = {{1, 500 * MS, 0, 0, 0}};
    screen_host_begin(1);
    for (uint64_t i = 0; i < HISTORY_SECONDS + 5; i++)
        screen_host_add(i, did, 1);
    history_status(screen_history, &s);
    EQUAL(s.seconds, HISTORY_SECONDS);
    EQUAL(s.first_ns, 5 * S);
    screen_host_add(3, did, 1); /* not after the last */
    history_status(screen_history, &s);
    EQUAL(s.seconds, HISTORY_SECONDS);
    screen_host_end();
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

static void type(const char *text)
{
    for (; *text; text++)
        screen_key(&screen, (unsigned char)*text);
}

/* ---- time ---- */

static void a_pause_stays_and_the_end_follows(void)
{
    screen_host_begin(HISTORY_BYTES);
    screen_host_run(5);
    screen_host_draw(120, 24);
    screen_key(&screen, ' ');
    const struct did did[] = {{1, 1, 0, 0, 0}};
    screen_host_add(5, did, 1);
    screen_host_draw(120, 24);
    EQUAL(screen.shown_ns, 5 * S);
    screen_key(&screen, KEYS_LEFT);
    screen_host_draw(120, 24);
    EQUAL(screen.shown_ns, 4 * S);
    CHECK(strstr(screen_host_line(drawn, "xenmeter"), "paused") != NULL);
    screen_key(&screen, KEYS_RIGHT);
    screen_key(&screen, KEYS_RIGHT);
    screen_key(&screen, KEYS_RIGHT); /* not beyond the newest */
    screen_host_draw(120, 24);
    EQUAL(screen.shown_ns, 6 * S);
    screen_key(&screen, KEYS_END);
    screen_host_draw(120, 24);
    CHECK(strstr(screen_host_line(drawn, "xenmeter"), "live") != NULL);
    screen_host_end();
}

static void a_replay_goes_with_the_clock(void)
{
    screen_host_begin(HISTORY_BYTES);
    screen.source = FROM_REPLAY;
    screen.speed = 4;
    screen_host_run(60);
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
    screen_host_end();
}

static void what_a_replay_does_not_have_is_read_again(void)
{
    screen_host_begin(1); /* only ten seconds have details */
    screen.source = FROM_REPLAY;
    screen_host_run(60);
    screen.play_ns = 60 * S;
    screen_host_draw(120, 24);
    type("g5");
    EQUAL(screen_key(&screen, KEYS_ENTER), ACTION_SEEK);
    EQUAL(screen.seek_ns, 5 * S);
    history_clear(screen_history);
    screen_host_draw(120, 24);
    EQUAL(screen.shown_ns, 60 * S); /* until the new seconds are there */
    screen_host_run(4);
    screen_host_draw(120, 24);
    EQUAL(screen.shown_ns, 60 * S);
    const struct did did[] = {{1, 1, 0, 0, 0}};
    screen_host_add(4, did, 1);
    screen_host_draw(120, 24);
    EQUAL(screen.shown_ns, 5 * S);
    screen_host_end();
}

static void the_next_anomaly(void)
{
    screen_host_begin(HISTORY_BYTES);
    const struct did usual[] = {{1, MS, MS, 0, 3 * MS}}, unusual[] = {{1, MS, MS, 0, 40 * MS}};
    for (uint64_t i = 0; i < 20; i++)
        screen_host_add(i, i == 12 ? unusual : usual, 1);
    struct second *lost = screen_host_second(20, usual, 1);
    lost->lost_records = 1234;
    CHECK(second_settle(lost));
    history_add(screen_history, lost);
    screen_host_add(21, usual, 1);
    screen_host_draw(120, 24);
    screen_show_second(&screen, 2 * S);
    screen.paused = true;
    screen_host_draw(120, 24);
    screen_key(&screen, 'n');
    screen_host_draw(120, 24);
    EQUAL(screen.shown_ns, 13 * S);
    SAME_TEXT(screen.message, "up to 13.000 s: a vCPU waited for 40.00 ms");
    screen_key(&screen, 'n');
    screen_host_draw(120, 24);
    EQUAL(screen.shown_ns, 21 * S);
    SAME_TEXT(screen.message, "up to 21.000 s: 1,234 records were lost");
    screen_key(&screen, 'n');
    screen_host_draw(120, 24);
    EQUAL(screen.shown_ns, 21 * S);
    screen_host_end();
}

static void a_reader_waits_for_who_looks_on(void)
{
    const atomic_int stop = 1, goes_on = 0;
    screen_host_begin(HISTORY_BYTES);
    screen_host_run(5);
    history_wait(screen_history, 10 * S,
                 &stop); /* it is not far ahead: no waiting; else this test would hang, */
    history_set_cursor(screen_history, 5 * S);
    history_wait(screen_history, 0, &goes_on);
    history_wait(screen_history, 0, &stop); /* and so it would if a stop were not heard */
    screen_host_end();
}

static void *add_seconds(void *seconds)
{
    const atomic_int stop = 0;
    for (uint64_t i = 0; i < *(const uint64_t *)seconds; i++) {
        const struct did did[] = {{1, (int64_t)i * MS, 0, 0, 5 * MS}};
        screen_host_add(i, did, 1);
        history_wait(screen_history, 5 * S, &stop);
    }
    history_set_state(screen_history, SOURCE_ENDED, NULL);
    return NULL;
}

static void one_thread_adds_while_another_looks_on(void)
{
    uint64_t seconds = 200;
    pthread_t thread;
    screen_host_begin(1);
    screen.source = FROM_REPLAY;
    screen.speed = 64;
    EQUAL(pthread_create(&thread, NULL, add_seconds, &seconds), 0);
    for (uint64_t i = 1; screen.status.state != SOURCE_ENDED || screen.shown_ns < seconds * S; i++) {
        screen_update(&screen, i * S / 16);
        screen_host_draw(120, 24);
        if (i % 16 == 0)
            screen_key(&screen, (int)"dvcbet"[i / 16 % 6]);
    }
    EQUAL(pthread_join(thread, NULL), 0);
    EQUAL(screen.shown_ns, seconds * S);
    screen_host_end();
}

CU_TestInfo screen_tests[] = {TEST(one_second_beside_the_last_ten),
                              TEST(a_gap_is_left_out_of_per_cent),
                              TEST(a_second_that_is_unknown_is_a_gap_and_marked),
                              TEST(details_are_dropped_first),
                              TEST(the_history_ends_after_an_hour),
                              TEST(executions_of_the_watched_domain_and_the_longest_waits),
                              TEST(a_pause_stays_and_the_end_follows),
                              TEST(a_replay_goes_with_the_clock),
                              TEST(what_a_replay_does_not_have_is_read_again),
                              TEST(the_next_anomaly),
                              TEST(a_reader_waits_for_who_looks_on),
                              TEST(one_thread_adds_while_another_looks_on),
                              CU_TEST_INFO_NULL};
