/* The watch of domains, with an xl that is a script, with files and commands. */
#include "record/domain_watch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "check.h"
#include "host/io_clock.h"

#define MS UINT64_C(1000000)

#define TABLE "Name ID Mem VCPUs State Time(s)\n"

static char folder[32], path_before[4096];
static struct error err;
static struct domain_watch *watch;
static struct buffer lines;

static const char *in_folder(const char *name)
{
    static char path[64];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

/* Appears as a whole, so that a look does not find a part of it. */
static void write_file(const char *name, const char *text, mode_t mode)
{
    char to[64];
    snprintf(to, sizeof to, "%s", in_folder(name));
    FILE *f = fopen(in_folder("new"), "we");
    fputs(text, f);
    fclose(f);
    chmod(in_folder("new"), mode);
    rename(in_folder("new"), to);
}

static void begin(void)
{
    snprintf(folder, sizeof folder, "/tmp/watch.XXXXXX");
    CHECK(mkdtemp(folder) != NULL);
}

static void end(void)
{
    domain_watch_free(watch);
    watch = NULL;
    static const char *const names[] = {"xl", "list", "vcpus", "table", "looks"};
    for (int i = 0; i < 5; i++)
        unlink(in_folder(names[i]));
    rmdir(folder);
    if (*path_before)
        setenv("PATH", path_before, 1);
    *path_before = '\0';
    buffer_free(&lines);
}

/* An xl that prints files of the folder, or fails where there are none. */
static void make_xl(void)
{
    char script[600], path[4200];
    snprintf(script, sizeof script,
             "#!/bin/sh\ncd %s\necho \"$*\" >>looks\ncase \"$*\" in\n'list -l') cat list ;;\n"
             "'list -v') cat table ;;\nvcpu-list) cat vcpus ;;\nesac\n",
             folder);
    write_file("xl", script, 0700);
    snprintf(path_before, sizeof path_before, "%s", getenv("PATH"));
    snprintf(path, sizeof path, "%s:%s", folder, path_before);
    setenv("PATH", path, 1);
}

static void watch_source(const char *source, uint64_t interval_ms, uint64_t limit_ms)
{
    const struct domain_watch_options o = {source, interval_ms * MS, limit_ms * MS};
    watch = domain_watch_new(&o, &err);
    CHECK(watch != NULL);
}

/* Waits until so many looks have ended. */
static struct domain_watch_state after_looks(uint64_t looks)
{
    const struct timespec pause = {0, 5 * MS};
    uint64_t until_ns = io_clock_ns() + 20000 * MS;
    struct domain_watch_state s;
    while ((s = domain_watch_state(watch)).looks < looks && io_clock_ns() < until_ns)
        nanosleep(&pause, NULL);
    CHECK(s.looks >= looks);
    return s;
}

static const char *take(bool all)
{
    lines.n = 0;
    domain_watch_take(watch, 9, all, &lines);
    buffer_add(&lines, "", 1);
    return lines.at;
}

#define WEB  "{\"domain\":{\"tsc\":9,\"domain\":1,\"name\":\"web\",\"vcpus\":1,\"memory_kib\":1024}}\n"
#define LOUD "{\"domain\":{\"tsc\":9,\"domain\":1,\"name\":\"loud\",\"vcpus\":1,\"memory_kib\":1024}}\n"

static void a_file_is_read_again_and_again(void)
{
    char path[64];
    begin();
    write_file("list", TABLE "web 1 1 1 ------ 0.0\n", 0600);
    snprintf(path, sizeof path, "%s", in_folder("list"));
    watch_source(path, 10, 1000);
    struct domain_watch_state s = after_looks(1);
    EQUAL(s.failures, 0);
    EQUAL(s.domains, 1);
    SAME_TEXT(take(false), WEB);
    SAME_TEXT(take(false), "");
    SAME_TEXT(take(true), WEB);
    write_file("list", TABLE "loud 1 1 1 ------ 0.0\n", 0600);
    after_looks(domain_watch_state(watch).looks + 2);
    SAME_TEXT(take(false), LOUD);
    unlink(path);
    s = after_looks(domain_watch_state(watch).looks + 2);
    CHECK(s.failures >= 1);
    CHECK(strstr(s.error.message, "No such file or directory") != NULL ||
          strstr(s.error.message, "exit code 127"));
    EQUAL(s.domains, 1);
    SAME_TEXT(take(false), "");
    SAME_TEXT(take(true), LOUD); /* what was known stays known */
    end();
}

static void a_command_prints_what_xl_would(void)
{
    begin();
    watch_source("printf '" TABLE "web 1 1 1 ------ 0.0\\n' | cat", 100000, 10000);
    EQUAL(after_looks(1).failures, 0);
    SAME_TEXT(take(false), WEB);
    end();
}

static void xl_is_asked_for_details_and_vcpus(void)
{
    begin();
    make_xl();
    write_file("list", "[ { \"domid\": 1, \"config\": { \"c_info\": { \"name\": \"web\" } } } ]\n", 0600);
    write_file("vcpus",
               "Name ID VCPU CPU State Time(s) Affinity\nDomain-0 0 0 0 r-- 1.0 all / all\nweb 1 0 0 --p 1.0 "
               "0 / all\n",
               0600);
    watch_source(NULL, 100000, 10000);
    EQUAL(after_looks(1).failures, 0);
    SAME_TEXT(take(false),
              "{\"domain\":{\"tsc\":9,\"domain\":0,\"name\":\"Domain-0\",\"vcpus\":1}}\n"
              "{\"domain\":{\"tsc\":9,\"domain\":1,\"name\":\"web\"}}\n"
              "{\"affinity\":{\"tsc\":9,\"domain\":0,\"vcpu\":0,\"hard\":\"all\",\"soft\":\"all\"}}\n"
              "{\"affinity\":{\"tsc\":9,\"domain\":1,\"vcpu\":0,\"hard\":\"0\",\"soft\":\"all\"}}\n");
    CHECK(access(in_folder("looks"), R_OK) == 0);
    end();
}

static void the_plain_table_stands_in(void)
{
    begin();
    make_xl();
    write_file("table", TABLE "web 1 1 1 ------ 0.0\n", 0600);
    watch_source(NULL, 100000, 10000);
    struct domain_watch_state s = after_looks(1);
    EQUAL(s.failures, 0);
    CHECK(s.error.code != ERROR_NONE); /* details failed, and that is said */
    SAME_TEXT(take(false), WEB);
    end();
}

static void what_hangs_delays_nothing(void)
{
    begin();
    watch_source("sleep 100", 1, 100);
    SAME_TEXT(take(true), "");
    struct domain_watch_state s = after_looks(1);
    EQUAL(s.failures, s.looks);
    CHECK(strstr(s.error.message, "has not ended within 0.1 s") != NULL);
    end();
    begin();
    watch_source("sleep 100", 1, 100000);
    uint64_t began = io_clock_ns();
    end(); /* the command is cancelled */
    CHECK(io_clock_ns() - began < 10000 * MS);
}

static void strange_output_is_an_error(void)
{
    begin();
    watch_source("echo what", 100000, 10000);
    struct domain_watch_state s = after_looks(1);
    EQUAL(s.failures, 1);
    SAME_TEXT(s.error.message, "line 1: no line of \"xl list\" or \"xl vcpu-list\"");
    EQUAL(s.last_ns, 0);
    end();
}

CU_TestInfo domain_watch_tests[] = {TEST(a_file_is_read_again_and_again),
                                    TEST(a_command_prints_what_xl_would),
                                    TEST(xl_is_asked_for_details_and_vcpus),
                                    TEST(the_plain_table_stands_in),
                                    TEST(what_hangs_delays_nothing),
                                    TEST(strange_output_is_an_error),
                                    CU_TEST_INFO_NULL};
