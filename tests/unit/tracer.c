/* xentrace as it is started, watched and stopped, played by scripts. */
#include "record/tracer.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "check.h"
#include "host/io_clock.h"

#define MS UINT64_C(1000000)

static char folder[] = "/tmp/tracer.XXXXXX";
static char program[sizeof folder + 10];
static struct error err;
static struct tracer *tracer;

/* A script in the place of xentrace, with short times. */
static void play(const char *script, uint64_t stop_ms)
{
    struct tracer_options o = tracer_defaults;
    snprintf(folder, sizeof folder, "/tmp/tracer.XXXXXX");
    CHECK(mkdtemp(folder) != NULL);
    snprintf(program, sizeof program, "%s/xentrace", folder);
    FILE *f = fopen(program, "we");
    fprintf(f, "#!/bin/sh\n%s\n", script);
    fclose(f);
    chmod(program, 0700);
    o.path = program;
    o.mask = tracer_mask(FOR_CHARGES);
    o.pages = 512;
    o.stop_ns = stop_ms * MS;
    o.pause_ns[0] = 10 * MS;
    o.pause_ns[1] = 35 * MS;
    tracer = tracer_new(&o, &err);
}

static void end_play(void)
{
    tracer_free(tracer);
    tracer = NULL;
    unlink(program);
    rmdir(folder);
}

/* All that comes through the pipe, as a text; closes it. */
static const char *all_of(int fd)
{
    static char text[4096];
    size_t n = 0;
    ssize_t got;
    while (n < sizeof text - 1 && (got = read(fd, text + n, sizeof text - 1 - n)) > 0)
        n += (size_t)got;
    text[n] = '\0';
    close(fd);
    return text;
}

/* The first state other than `state`, within 10 s. */
static enum tracer_state after(enum tracer_state state)
{
    const struct timespec pause = {0, 2 * MS};
    uint64_t until_ns = io_clock_ns() + 10000 * MS;
    enum tracer_state now;
    while ((now = tracer_check(tracer)) == state && io_clock_ns() < until_ns)
        nanosleep(&pause, NULL);
    return now;
}

static int start(void)
{
    int fd = tracer_start(tracer, &err);
    CHECK(fd >= 0);
    return fd;
}

static void it_gets_what_real_xentrace_takes(void)
{
    play("echo \"$@\"", 1000);
    SAME_TEXT(all_of(start()), "-D -e 0x32f000 -c all -S 512 -s 100 /dev/stdout\n");
    EQUAL(after(TRACER_RUNNING), TRACER_FAILED);
    tracer_set_mask(tracer, tracer_mask(FOR_SWITCHES));
    SAME_TEXT(all_of(start()), "-D -e 0x29000 -c all -S 512 -s 100 /dev/stdout\n");
    EQUAL(tracer_starts(tracer), 2);
    end_play();
}

static void it_writes_to_the_pipe_by_name(void)
{
    play("for last; do :; done; echo records >\"$last\"", 1000);
    SAME_TEXT(all_of(start()), "records\n");
    end_play();
}

static void the_pipe_is_large(void)
{
    play("exec sleep 100", 100);
    int fd = start();
    CHECK(fcntl(fd, F_GETPIPE_SZ) > 65536);
    close(fd);
    end_play();
}

static void how_it_ends_is_said(void)
{
    play("echo 'change evtmask to 0x2f000' >&2; echo \"Couldn't enable trace buffers\" >&2;"
         " echo 'change cpumask to 0xff' >&2; exit 3",
         1000);
    all_of(start());
    EQUAL(after(TRACER_RUNNING), TRACER_FAILED);
    SAME_TEXT(tracer_failure(tracer), "exit code 3: Couldn't enable trace buffers");
    EQUAL(tracer_check(tracer), TRACER_IDLE);
    end_play();
    play("printf 'half a line' >&2; kill -SEGV $$", 1000);
    all_of(start());
    EQUAL(after(TRACER_RUNNING), TRACER_FAILED);
    SAME_TEXT(tracer_failure(tracer), "ended by signal 11: half a line");
    end_play();
}

static void a_stop_lets_it_write_what_it_has(void)
{
    play("trap 'echo rest; exit 0' INT; echo begin; while :; do sleep 0.02; done", 5000);
    int fd = start();
    char first[6];
    EQUAL(read(fd, first, 6), 6);
    CHECK(tracer_pid(tracer) > 0);
    CHECK(tracer_pause_ns(tracer) == UINT64_MAX);
    EQUAL(tracer_check(tracer), TRACER_RUNNING);
    tracer_stop(tracer);
    tracer_stop(tracer);
    SAME_TEXT(all_of(fd), "rest\n");
    EQUAL(after(TRACER_RUNNING), TRACER_STOPPED);
    EQUAL(tracer_pause_ns(tracer), 0);
    EQUAL(tracer_pid(tracer), -1);
    end_play();
}

static void what_does_not_stop_is_killed(void)
{
    play("trap '' INT TERM; echo begin; while :; do sleep 0.02; done", 30);
    int fd = start();
    char first[6];
    EQUAL(read(fd, first, 6), 6);
    uint64_t began = io_clock_ns();
    tracer_stop(tracer);
    EQUAL(after(TRACER_RUNNING), TRACER_FAILED);
    CHECK(io_clock_ns() - began >= 60 * MS); /* it had its time after each signal */
    SAME_TEXT(tracer_failure(tracer), "ended by signal 9");
    SAME_TEXT(all_of(fd), "");
    end_play();
}

static void it_is_killed_with_what_it_started(void)
{
    play("sleep 100 & echo $!; exec sleep 100", 1000);
    int fd = start();
    char line[20] = "";
    CHECK(read(fd, line, sizeof line - 1) > 0);
    tracer_free(tracer);
    tracer = NULL;
    SAME_TEXT(all_of(fd), ""); /* nobody has its end of the pipe */
    end_play();
}

static void pauses_grow(void)
{
    play("exit 1", 1000);
    EQUAL(tracer_pause_ns(tracer), 0);
    const uint64_t most[] = {10 * MS, 20 * MS, 35 * MS, 35 * MS};
    for (int i = 0; i < 4; i++) {
        all_of(start());
        EQUAL(after(TRACER_RUNNING), TRACER_FAILED);
        uint64_t pause = tracer_pause_ns(tracer);
        CHECK(pause <= most[i]);
        CHECK(i == 0 || pause + 9 * MS > most[i]); /* unless this machine is very slow */
    }
    end_play();
}

static void what_cannot_be_started_has_a_pause_too(void)
{
    struct tracer_options o = tracer_defaults;
    o.path = "/no/such/xentrace";
    o.mask = 1;
    tracer = tracer_new(&o, &err);
    EQUAL(tracer_start(tracer, &err), -1);
    SAME_TEXT(err.message, "/no/such/xentrace: cannot be run: No such file or directory");
    CHECK(tracer_pause_ns(tracer) > 400 * MS);
    EQUAL(tracer_starts(tracer), 0);
    EQUAL(tracer_check(tracer), TRACER_IDLE);
    tracer_free(tracer);
    tracer = NULL;
}

/* ---- masks ---- */

/* Whether Xen writes the event with this mask (xen/common/trace.c, __trace_var). */
static bool takes(uint32_t mask, uint32_t event)
{
    return (mask & event & 0x0fff0000) != 0 && (mask & event & 0xf000) != 0;
}

static void each_purpose_has_what_those_after_it_have(void)
{
    static const uint32_t events[] = {0x00021011, 0x0002800e, 0x00028004, 0x00022203,
                                      0x0010f001, 0x00201001, 0x00082012, 0x00802008};
    static const uint32_t taken[TRACER_PURPOSES] = {
        [FOR_ALL] = 8, [FOR_CHARGES] = 6, [FOR_CPU] = 4, [FOR_SWITCHES] = 3};
    for (enum tracer_purpose p = FOR_ALL; p < TRACER_PURPOSES; p++)
        for (uint32_t i = 0; i < 8; i++)
            EQUAL(takes(tracer_mask(p), events[i]), i < taken[p]);
    EQUAL(tracer_narrower(FOR_ALL), FOR_CHARGES);
    EQUAL(tracer_narrower(FOR_SWITCHES), FOR_SWITCHES);
    SAME_TEXT(tracer_purpose_name(FOR_CPU), "cpu");
}

static void buffers_have_a_size_for_all_pcpus_together(void)
{
    EQUAL(tracer_pages(0), 256);
    EQUAL(tracer_pages(1), 1024);
    EQUAL(tracer_pages(16), 1024);
    EQUAL(tracer_pages(64), 256);
    EQUAL(tracer_pages(4000), 64);
}

/* This domain's own CPUs are others: a domain 0 can have few. */
static void pcpus_are_counted_where_linux_lists_them(void)
{
    static const char *const made[] = {"/sys",
                                       "/sys/devices",
                                       "/sys/devices/cpu0",
                                       "/sys/devices/system",
                                       "/sys/devices/system/xen_cpu",
                                       "/sys/devices/system/xen_cpu/xen_cpu0",
                                       "/sys/devices/system/xen_cpu/xen_cpu11",
                                       "/sys/devices/system/xen_cpu/power",
                                       "/sys/devices/system/xen_cpu/xen_cpus"};
    char root[] = "/tmp/tracer.XXXXXX", path[100];
    CHECK(mkdtemp(root) != NULL);
    EQUAL(tracer_pcpus(root), 0);
    for (int i = 0; i < 9; i++) {
        snprintf(path, sizeof path, "%s%s", root, made[i]);
        EQUAL(mkdir(path, 0700), 0);
    }
    EQUAL(tracer_pcpus(root), 2);
    for (int i = 9; i-- > 0;) {
        snprintf(path, sizeof path, "%s%s", root, made[i]);
        rmdir(path);
    }
    EQUAL(rmdir(root), 0);
}

CU_TestInfo tracer_tests[] = {TEST(it_gets_what_real_xentrace_takes),
                              TEST(it_writes_to_the_pipe_by_name),
                              TEST(the_pipe_is_large),
                              TEST(how_it_ends_is_said),
                              TEST(a_stop_lets_it_write_what_it_has),
                              TEST(what_does_not_stop_is_killed),
                              TEST(it_is_killed_with_what_it_started),
                              TEST(pauses_grow),
                              TEST(what_cannot_be_started_has_a_pause_too),
                              TEST(each_purpose_has_what_those_after_it_have),
                              TEST(pcpus_are_counted_where_linux_lists_them),
                              TEST(buffers_have_a_size_for_all_pcpus_together),
                              CU_TEST_INFO_NULL};
