/* Counters beside a recording: from a file that grows, and of a driver domain that is a tree of files. */
#include "record/counter_log.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "check.h"
#include "host/io_clock.h"

#define HEADER "time_ns,tsc,domain,device,tx_packets,rx_packets,read_ops,write_ops\n"

static char folder[32], path[64];
static struct error err;
static struct counter_log *log_of;
static struct buffer lines;

static void begin(void)
{
    snprintf(folder, sizeof folder, "/tmp/counters.XXXXXX");
    CHECK(mkdtemp(folder) != NULL);
    snprintf(path, sizeof path, "%s/counts.csv", folder);
}

static int remove_one(const char *name, const struct stat *st, int type, struct FTW *place)
{
    (void)st, (void)type, (void)place;
    return remove(name);
}

static void end(void)
{
    counter_log_free(log_of);
    log_of = NULL;
    buffer_free(&lines);
    EQUAL(nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

static void append(const char *text)
{
    FILE *f = fopen(path, "ae");
    fputs(text, f);
    fclose(f);
}

static bool open_log(const char *file)
{
    const struct counter_log_options options = {.file = file, .root = folder};
    log_of = counter_log_new(&options, &err);
    return log_of != NULL;
}

/* What is taken, as text that is valid until the next call. */
static const char *taken(uint64_t until_tsc)
{
    buffer_free(&lines);
    counter_log_take(log_of, until_tsc, &lines);
    buffer_add(&lines, "", 1);
    return lines.at;
}

static void a_file_gives_rows_up_to_a_moment(void)
{
    begin();
    append(HEADER "0,100,1,vif1.0,1,1,,\n0,200,1,vif1.0,2,2,,\n0,300,1,vif1.0,3,3,,\n");
    CHECK(open_log(path));
    SAME_TEXT(taken(250), HEADER "0,100,1,vif1.0,1,1,,\n0,200,1,vif1.0,2,2,,\n");
    SAME_TEXT(taken(250), "");
    SAME_TEXT(taken(300), HEADER "0,300,1,vif1.0,3,3,,\n");
    EQUAL(counter_log_state(log_of).rows, 3);
    end();
}

static void a_file_grows_by_whole_lines(void)
{
    begin();
    append(HEADER "0,100,1,vif1.0,1,1");
    CHECK(open_log(path));
    SAME_TEXT(taken(UINT64_MAX), "");
    append(",,\n" HEADER "0,200,1,vif1.0,2,2,,\n");
    SAME_TEXT(taken(UINT64_MAX), HEADER "0,100,1,vif1.0,1,1,,\n0,200,1,vif1.0,2,2,,\n");
    end();
}

/* Counts are cumulative: without the one before the archive's beginning its first second could not be told. */
static void an_archive_begins_with_the_last_reading_before_it(void)
{
    begin();
    append(HEADER "0,100,1,vif1.0,1,1,,\n0,100,2,vif2.0,5,5,,\n0,200,1,vif1.0,2,2,,\n0,300,1,vif1.0,3,3,,\n");
    CHECK(open_log(path));
    counter_log_begin(log_of, 0);
    SAME_TEXT(taken(UINT64_MAX), ""); /* not known yet where */
    counter_log_begin(log_of, 250);
    SAME_TEXT(taken(UINT64_MAX), HEADER "0,200,1,vif1.0,2,2,,\n0,100,2,vif2.0,5,5,,\n0,300,1,vif1.0,3,3,,\n");
    counter_log_begin(log_of, 260); /* the next one: what the one before has, too, from there on */
    SAME_TEXT(taken(UINT64_MAX), HEADER "0,200,1,vif1.0,2,2,,\n0,100,2,vif2.0,5,5,,\n0,300,1,vif1.0,3,3,,\n");
    counter_log_begin(log_of, 300);
    SAME_TEXT(taken(UINT64_MAX), HEADER "0,300,1,vif1.0,3,3,,\n0,100,2,vif2.0,5,5,,\n");
    end();
}

static void lines_that_are_no_rows_are_left_out(void)
{
    begin();
    append(HEADER "# a remark\n0,x,1,vif1.0,1,1,,\n0,100,1\n0,200,1,vif1.0,2,2,,\n");
    CHECK(open_log(path));
    SAME_TEXT(taken(UINT64_MAX), HEADER "0,200,1,vif1.0,2,2,,\n");
    EQUAL(counter_log_state(log_of).left_out, 2);
    EQUAL(counter_log_state(log_of).error.code, ERROR_FORMAT);
    end();
}

static void many_rows_are_given_though_few_are_held(void)
{
    size_t rows = 0;
    begin();
    FILE *f = fopen(path, "we");
    fputs(HEADER, f);
    for (int i = 1; i <= 400000; i++)
        fprintf(f, "0,%d,1,vif1.0,%d,%d,,\n", i, i, i);
    fclose(f);
    CHECK(open_log(path));
    counter_log_begin(log_of, 390000); /* more than is held lies before it */
    for (const char *at = taken(UINT64_MAX); (at = strchr(at, '\n')); at++)
        rows++;
    EQUAL(rows, 1 + 10001);
    end();
    rows = 0;
    begin();
    f = fopen(path, "we");
    fputs(HEADER, f);
    for (int i = 1; i <= 400000; i++)
        fprintf(f, "0,%d,1,vif1.0,%d,%d,,\n", i, i, i);
    fclose(f);
    CHECK(open_log(path));
    for (const char *at = taken(UINT64_MAX); (at = strchr(at, '\n')); at++)
        rows++;
    EQUAL(rows, 1 + 400000);
    end();
}

static void what_is_no_log_is_refused(void)
{
    begin();
    CHECK(!open_log(path));
    append("time_ns,domain,device\n");
    CHECK(!open_log(path));
    EQUAL(err.code, ERROR_FORMAT);
    CHECK(!open_log("/dev/null"));
    CHECK(!open_log(NULL)); /* the folder is no tree of a driver domain */
    end();
}

static void make_device(const char *packets)
{
    static const char *const folders[] = {"sys",
                                          "sys/class",
                                          "sys/class/net",
                                          "sys/class/net/vif1.0",
                                          "sys/class/net/vif1.0/statistics",
                                          "sys/bus",
                                          "sys/bus/xen-backend",
                                          "sys/bus/xen-backend/devices",
                                          "sys/bus/xen-backend/devices/vif-1-0"};
    static const char *const counts[] = {"tx_packets", "rx_packets"};
    char name[128];
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        snprintf(name, sizeof name, "%s/%s", folder, folders[i]);
        mkdir(name, 0755);
    }
    for (int i = 0; i < 2; i++) {
        snprintf(name, sizeof name, "%s/sys/class/net/vif1.0/statistics/%s", folder, counts[i]);
        FILE *f = fopen(name, "we");
        fputs(packets, f);
        fclose(f);
    }
}

static void a_driver_domain_is_read_again_and_again(void)
{
    if (!io_clock_has_tsc())
        return;
    begin();
    make_device("7\n");
    CHECK(open_log(NULL));
    counter_log_begin(log_of,
                      io_clock_ticks() + ((uint64_t)1 << 40)); /* all that comes is before it: one row */
    uint64_t until_ns = io_clock_ns() + 20 * (uint64_t)1000000000u;
    const char *rows = "";
    while (!strstr(rows, ",1,vif1.0,9,9,,") && io_clock_ns() < until_ns) {
        make_device("9\n");
        nanosleep(&(struct timespec){0, 100000000}, NULL);
        counter_log_begin(log_of, io_clock_ticks() + ((uint64_t)1 << 40));
        rows = taken(UINT64_MAX);
    }
    CHECK(strstr(rows, ",1,vif1.0,9,9,,") != NULL);
    EQUAL(strchr(strchr(rows, '\n') + 1, '\n') - rows, strlen(rows) - 1); /* the header and one row */
    end();
}

CU_TestInfo counter_log_tests[] = {
    TEST(a_file_gives_rows_up_to_a_moment),
    TEST(a_file_grows_by_whole_lines),
    TEST(an_archive_begins_with_the_last_reading_before_it),
    TEST(lines_that_are_no_rows_are_left_out),
    TEST(many_rows_are_given_though_few_are_held),
    TEST(what_is_no_log_is_refused),
    TEST(a_driver_domain_is_read_again_and_again),
    CU_TEST_INFO_NULL,
};
