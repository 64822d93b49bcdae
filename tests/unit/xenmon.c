/* XenMon's logs: what a line says, which logs appear, and when. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bytes.h"
#include "check.h"
#include "formats/writer.h"
#include "suites.h"

#define HEADER                                                                                               \
    "# passed cpu dom cpu(tot) cpu(%) cpu/ex allocated/ex blocked(tot) blocked(%) blocked/io waited(tot) "   \
    "waited(%) waited/ex ex/s io(tot) io/ex\n"

/* ---- a directory for the logs of one test ---- */

#define BATCH (OUTPUTS_MAX - 4) /* logs that appear at one time */

struct place {
    char directory[64], prefix[80];
    struct column_choice choice;
    struct report_schema schema;
    struct output *out;
    struct writer *writer;
    struct error err;
};

static void path_in(const struct place *p, const char *name, char path[160])
{
    snprintf(path, 160, "%s/%s", p->directory, name);
}

static void begin_beside(struct place *p, const char *prefix, const char *capture, bool live)
{
    static const struct relation *const relations[] = {&relation_rows};
    EQUAL(choice_make(&p->choice, relations, 1, NULL, NULL, false, &p->err), 0);
    p->schema =
        (struct report_schema){.choice = &p->choice, .prefix = prefix, .capture = capture, .live = live};
    p->out = output_open("/dev/null", &p->err);
    p->writer = writer_new("xenmon", p->out, &p->schema, &p->err);
    CHECK(p->writer != NULL);
}

static void begin(struct place *p, bool live)
{
    *p = (struct place){.directory = "/tmp/xenmon-test-XXXXXX"};
    CHECK(mkdtemp(p->directory) != NULL);
    snprintf(p->prefix, sizeof p->prefix, "%s/log", p->directory);
    begin_beside(p, p->prefix, NULL, live);
}

/* Without an end. */
static void forget(struct place *p)
{
    writer_free(p->writer);
    output_abort(p->out);
    choice_free(&p->choice);
    p->writer = NULL;
    p->out = NULL;
}

/* 0, or -1 with p->err filled. */
static int finish(struct place *p)
{
    int status = writer_end(p->writer, NULL);
    p->writer = NULL;
    if (output_failure(p->out))
        p->err = *output_failure(p->out);
    return status;
}

/* Counts what is there; removes it too if `removing`. */
static int entries(const struct place *p, bool removing)
{
    int n = 0;
    DIR *d = opendir(p->directory);
    for (struct dirent *e; d && (e = readdir(d));) {
        char path[400];
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        snprintf(path, sizeof path, "%s/%s", p->directory, e->d_name);
        if (removing && remove(path) != 0)
            perror(path);
        n++;
    }
    if (d)
        closedir(d);
    return n;
}

static void end(struct place *p)
{
    forget(p);
    entries(p, true);
    CHECK(rmdir(p->directory) == 0);
}

static void holds(const struct place *p, const char *name, const char *expected)
{
    char path[160], text[4096] = "";
    path_in(p, name, path);
    FILE *f = fopen(path, "r");
    size_t n = f ? fread(text, 1, sizeof text - 1, f) : 0;
    text[n] = '\0';
    if (f)
        fclose(f);
    if (strcmp(text, expected) != 0)
        printf("\n%s:\n%sinstead of\n%s", name, text, expected);
    CHECK(strcmp(text, expected) == 0);
}

/* ---- rows by hand ---- */

struct made {
    struct measures m;
    struct row row;
};

static void make(struct made *made, int domain, int pcpu)
{
    measures_init(&made->m);
    made->row = (struct row){.domain = domain, .life = 1, .vcpu = -1, .pcpu = pcpu, .vcpus = 1};
    made->row.measures = &made->m;
}

static int put(struct place *p, uint64_t start_ns, uint64_t end_ns, const struct made *made)
{
    struct interval interval = {end_ns - start_ns, start_ns, end_ns, BY_DOMAIN_PCPU, 0, 0};
    struct rows rows = {&relation_rows, BY_DOMAIN_PCPU, &interval, &made->row, 1, NULL, 0};
    return writer_rows(p->writer, &rows);
}

static void give(struct place *p, uint64_t start_ns, uint64_t end_ns, const struct made *made)
{
    EQUAL(put(p, start_ns, end_ns, made), 0);
}

static void ends(struct place *p)
{
    EQUAL(finish(p), 0);
}

/* ---- lines ---- */

static void a_line_has_xenmons_columns_and_units(void)
{
    struct place p;
    struct made row;
    begin(&p, false);
    make(&row, 3, 1);
    row.m.state_ns[RUNSTATE_RUNNING] = 100 * MS;
    row.m.state_ns[RUNSTATE_BLOCKED] = 250 * MS;
    row.m.state_ns[RUNSTATE_RUNNABLE] = 150 * MS;
    row.m.executions = 4;
    row.m.allocated_ns = 30 * MS;
    row.m.allocated_slices = 3; /* the fourth was unlimited */
    row.m.io[IO_MAP] = 2;
    row.m.io[IO_UNMAP] = 1;
    row.m.io[IO_TRANSFER] = 1;
    row.m.io[IO_NOTIFY] = 1;
    row.m.io[IO_COPY] = 7; /* no part of XenMon's I/O count */
    give(&p, 1000 * MS, 1500 * MS, &row);
    ends(&p);
    holds(&p, "log-dom3.log",
          HEADER
          "1500.000 1 3 200000000.000 20.000 25000000.000 10000000.000 500000000.000 50.000 50000000.000 "
          "300000000.000 30.000 37500000.000 8.000 10.000 1.250\n");
    EQUAL(entries(&p, false), 1);
    end(&p);
}

static void where_nothing_divides_there_is_0(void)
{
    struct place p;
    struct made row;
    begin(&p, false);
    make(&row, 0, 0);
    row.m.state_ns[RUNSTATE_BLOCKED] = 1 * S;
    give(&p, 0, 1 * S, &row);
    ends(&p);
    holds(&p, "log-dom0.log",
          HEADER
          "1000.000 0 0 0.000 0.000 0.000 0.000 1000000000.000 100.000 0.000 0.000 0.000 0.000 0.000 0.000 "
          "0.000\n");
    end(&p);
}

static void numbers_are_rounded_to_three_digits(void)
{
    struct place p;
    struct made row;
    begin(&p, false);
    make(&row, 1, 0);
    row.m.state_ns[RUNSTATE_RUNNING] = 2;
    row.m.executions = 3;
    give(&p, 0, 3000, &row); /* of 3 us */
    ends(&p);
    holds(&p, "log-dom1.log",
          HEADER
          "0.003 0 1 666666.667 0.067 0.667 0.000 0.000 0.000 0.000 0.000 0.000 0.000 1000000.000 0.000 "
          "0.000\n");
    end(&p);
}

static void the_idle_loop_is_domain_minus_1_in_a_log_of_its_own(void)
{
    struct place p;
    struct made row;
    begin(&p, false);
    make(&row, IDLE_DOMAIN, 2);
    row.m.idle_ns = 400 * MS;
    row.m.executions = 8;
    give(&p, 0, 1 * S, &row);
    ends(&p);
    holds(&p, "log-idle.log",
          HEADER
          "1000.000 2 -1 400000000.000 40.000 50000000.000 0.000 0.000 0.000 0.000 0.000 0.000 0.000 8.000 "
          "0.000 0.000\n");
    EQUAL(entries(&p, false), 1);
    end(&p);
}

static void who_was_nowhere_has_no_line_and_no_log(void)
{
    struct place p;
    struct made row;
    begin(&p, false);
    make(&row, 5, 0);
    row.m.state_ns[RUNSTATE_OFFLINE] = 600 * MS;
    row.m.state_ns[RUNSTATE_UNKNOWN] = 400 * MS;
    give(&p, 0, 1 * S, &row);
    ends(&p);
    EQUAL(entries(&p, false), 0);
    end(&p);
}

static void further_lives_are_further_lines(void)
{
    struct place p;
    struct made row;
    begin(&p, false);
    make(&row, 5, 0);
    row.m.state_ns[RUNSTATE_RUNNING] = 500 * MS;
    give(&p, 0, 1 * S, &row);
    row.row.life = 2;
    give(&p, 1 * S, 2 * S, &row);
    ends(&p);
    holds(&p, "log-dom5.log",
          HEADER
          "1000.000 0 5 500000000.000 50.000 0.000 0.000 0.000 0.000 0.000 0.000 0.000 0.000 0.000 0.000 "
          "0.000\n"
          "2000.000 0 5 500000000.000 50.000 0.000 0.000 0.000 0.000 0.000 0.000 0.000 0.000 0.000 0.000 "
          "0.000\n");
    end(&p);
}

/* ---- when logs appear ---- */

static const char line_1s[] =
    "1000.000 0 1 1000000000.000 100.000 0.000 0.000 0.000 0.000 0.000 0.000 0.000 0.000 0.000 0.000 0.000\n";
static const char line_2s[] =
    "2000.000 0 1 1000000000.000 100.000 0.000 0.000 0.000 0.000 0.000 0.000 0.000 0.000 0.000 0.000 0.000\n";

static void write_over(const struct place *p, const char *name, const char *text)
{
    char path[160];
    path_in(p, name, path);
    FILE *f = fopen(path, "w");
    CHECK(f && fputs(text, f) >= 0 && fclose(f) == 0);
}

static void busy_row(struct made *row, int domain)
{
    make(row, domain, 0);
    row->m.state_ns[RUNSTATE_RUNNING] = 1 * S;
}

static void logs_appear_at_the_end(void)
{
    struct place p;
    struct made row;
    begin(&p, false);
    write_over(&p, "log-dom1.log", "before\n");
    busy_row(&row, 1);
    give(&p, 0, 1 * S, &row);
    holds(&p, "log-dom1.log", "before\n");
    EQUAL(entries(&p, false), 1);
    ends(&p);
    char expected[1000];
    snprintf(expected, sizeof expected, "%s%s", HEADER, line_1s);
    holds(&p, "log-dom1.log", expected);
    EQUAL(entries(&p, false), 1);
    end(&p);
}

static void live_logs_begin_anew_and_grow_with_every_interval(void)
{
    struct place p;
    struct made row;
    char expected[1000];
    begin(&p, true);
    write_over(&p, "log-dom1.log", "before\n");
    busy_row(&row, 1);
    give(&p, 0, 1 * S, &row);
    snprintf(expected, sizeof expected, "%s%s", HEADER, line_1s);
    holds(&p, "log-dom1.log", expected);
    give(&p, 1 * S, 2 * S, &row);
    snprintf(expected, sizeof expected, "%s%s%s", HEADER, line_1s, line_2s);
    holds(&p, "log-dom1.log", expected);
    ends(&p);
    holds(&p, "log-dom1.log", expected);
    EQUAL(entries(&p, false), 1);
    end(&p);
}

static void many_domains_with_few_files_open(void)
{
    for (int live = 0; live < 2; live++) {
        struct place p;
        struct made row;
        struct rlimit was, few;
        begin(&p, live);
        getrlimit(RLIMIT_NOFILE, &was);
        few = was;
        few.rlim_cur = 3 + BATCH + 10;
        setrlimit(RLIMIT_NOFILE, &few);
        for (int domain = 0; domain < 1000; domain++) {
            busy_row(&row, domain);
            give(&p, 0, 1 * S, &row);
        }
        ends(&p);
        setrlimit(RLIMIT_NOFILE, &was);
        EQUAL(entries(&p, false), 1000);
        char expected[1000];
        snprintf(expected, sizeof expected, "%s%s", HEADER, line_1s);
        holds(&p, "log-dom1.log", expected);
        end(&p);
    }
}

static void one_that_cannot_be_made_lets_none_appear(void)
{
    /* in the first batch, and in a later one */
    static const int blocked[] = {5, 2 * BATCH + 5};
    for (int i = 0; i < 2; i++) {
        struct place p;
        struct made row;
        char name[40], path[160];
        begin(&p, false);
        snprintf(name, sizeof name, "log-dom%d.log", blocked[i]);
        path_in(&p, name, path);
        CHECK(mkdir(path, 0777) == 0);
        for (int domain = 0; domain < 3 * BATCH; domain++) {
            busy_row(&row, domain);
            give(&p, 0, 1 * S, &row);
        }
        EQUAL(finish(&p), -1);
        EQUAL(p.err.code, ERROR_IO);
        CHECK(strstr(p.err.message, name) != NULL);
        EQUAL(entries(&p, false), 1);
        end(&p);
    }
}

static void nothing_appears_without_the_end(void)
{
    struct place p;
    struct made row;
    begin(&p, false);
    busy_row(&row, 1);
    give(&p, 0, 1 * S, &row);
    forget(&p);
    EQUAL(entries(&p, false), 0);
    end(&p);
}

static void a_long_log_keeps_its_order(void)
{
    struct place p;
    struct made row[2];
    const unsigned lines = 40000; /* of two domains: more than stays in memory */
    begin(&p, false);
    busy_row(&row[0], 0);
    busy_row(&row[1], 1);
    for (unsigned i = 1; i <= lines; i++) {
        give(&p, (i - 1) * S, i * S, &row[0]);
        give(&p, (i - 1) * S, i * S, &row[1]);
    }
    ends(&p);
    for (int domain = 0; domain < 2; domain++) {
        char path[160], name[32], line[512], expected[32];
        unsigned n = 0, wrong = 0;
        snprintf(name, sizeof name, "log-dom%d.log", domain);
        path_in(&p, name, path);
        FILE *f = fopen(path, "r");
        CHECK(f && fgets(line, sizeof line, f) && strcmp(line, HEADER) == 0);
        while (f && fgets(line, sizeof line, f)) {
            snprintf(expected, sizeof expected, "%u.000 0 %d ", ++n * 1000, domain);
            wrong += strncmp(line, expected, strlen(expected)) != 0;
        }
        if (f)
            fclose(f);
        EQUAL(n, lines);
        EQUAL(wrong, 0);
    }
    end(&p);
}

/* ---- what is refused ---- */

static void the_capture_is_no_log(void)
{
    for (int live = 0; live < 2; live++) {
        struct place p;
        struct made row;
        char path[160];
        begin(&p, live);
        forget(&p);
        write_over(&p, "log-dom1.log", "trace\n");
        path_in(&p, "log-dom1.log", path);
        begin_beside(&p, p.prefix, path, live);
        busy_row(&row, 1);
        EQUAL(put(&p, 0, 1 * S, &row), -1);
        EQUAL(output_failure(p.out)->code, ERROR_USAGE);
        holds(&p, "log-dom1.log", "trace\n");
        end(&p);
    }
}

static void a_missing_directory_is_told_at_the_beginning(void)
{
    struct place p = {0};
    begin_beside(&p, "/nonexistent/log", NULL, false);
    EQUAL(output_failure(p.out)->code, ERROR_IO);
    forget(&p);
}

CU_TestInfo xenmon_tests[] = {
    TEST(a_line_has_xenmons_columns_and_units),
    TEST(where_nothing_divides_there_is_0),
    TEST(numbers_are_rounded_to_three_digits),
    TEST(the_idle_loop_is_domain_minus_1_in_a_log_of_its_own),
    TEST(who_was_nowhere_has_no_line_and_no_log),
    TEST(further_lives_are_further_lines),
    TEST(logs_appear_at_the_end),
    TEST(live_logs_begin_anew_and_grow_with_every_interval),
    TEST(many_domains_with_few_files_open),
    TEST(one_that_cannot_be_made_lets_none_appear),
    TEST(nothing_appears_without_the_end),
    TEST(a_long_log_keeps_its_order),
    TEST(the_capture_is_no_log),
    TEST(a_missing_directory_is_told_at_the_beginning),
    CU_TEST_INFO_NULL,
};
