/* Commands of a host: that they end, whatever they do. */
#include "act/host_command.h"

#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "check.h"

#define MS UINT64_C(1000000)

static struct error err;
static struct buffer output;

/* Runs a script of sh. */
static int sh(const char *script, const char *input, uint64_t limit_ns, int cancel_fd)
{
    const char *const words[] = {"sh", "-c", script, NULL};
    const struct act_command c = {words, input, limit_ns, cancel_fd};
    output.n = 0;
    err = (struct error){.code = ERROR_NONE};
    return command_run(&c, &output, &err);
}

static void it_reads_and_writes(void)
{
    EQUAL(sh("cat; echo done", "input ", 5000 * MS, -1), 0);
    EQUAL(output.n, strlen("input done\n"));
    CHECK(memcmp(output.at, "input done\n", output.n) == 0);
}

static void it_need_not_read(void)
{
    static char much[300000];
    memset(much, 'x', sizeof much - 1);
    EQUAL(sh("exec true", much, 5000 * MS, -1), 0);
}

/* What the process does on SIGPIPE stays its own: here it would end it. */
static void a_pipe_that_it_closes_raises_no_signal(void)
{
    static char much[300000];
    struct sigaction before;
    const struct sigaction ends = {.sa_handler = SIG_DFL};
    sigset_t pending, blocked;
    memset(much, 'x', sizeof much - 1);
    sigaction(SIGPIPE, &ends, &before);
    EQUAL(sh("exec <&-; sleep 0.1; echo done", much, 5000 * MS, -1), 0);
    EQUAL(output.n, strlen("done\n"));
    sigpending(&pending);
    EQUAL(sigismember(&pending, SIGPIPE), 0);
    sigprocmask(SIG_SETMASK, NULL, &blocked);
    EQUAL(sigismember(&blocked, SIGPIPE), 0);
    sigaction(SIGPIPE, &before, NULL);
}

static void how_it_ends_is_said(void)
{
    EQUAL(sh("echo why it failed >&2; exit 3", NULL, 5000 * MS, -1), -1);
    SAME_TEXT(err.message, "sh -c: exit code 3: why it failed");
    EQUAL(sh("kill -9 $$", NULL, 5000 * MS, -1), -1);
    SAME_TEXT(err.message, "sh -c: ended by signal 9");
    const char *const missing[] = {"/no/such/command", NULL};
    const struct act_command c = {missing, NULL, MS, -1};
    EQUAL(command_run(&c, &output, &err), -1);
    SAME_TEXT(err.message, "/no/such/command: cannot be run: No such file or directory");
}

static void what_hangs_is_killed_with_what_it_started(void)
{
    EQUAL(sh("sleep 100 & sleep 100", NULL, 100 * MS, -1), -1);
    CHECK(strstr(err.message, "has not ended within 0.1 s") != NULL);
    EQUAL(sh("exec >&- 2>&-; sleep 100", NULL, 100 * MS, -1), -1); /* its streams are closed */
    CHECK(strstr(err.message, "has not ended within") != NULL);
}

static void it_can_be_cancelled(void)
{
    const uint64_t one = 1;
    int fd = eventfd(0, EFD_CLOEXEC);
    EQUAL(write(fd, &one, sizeof one), sizeof one);
    EQUAL(sh("sleep 100", NULL, 100000 * MS, fd), -1);
    SAME_TEXT(err.message, "sh -c: was cancelled");
    close(fd);
}

static void too_much_output_ends_it(void)
{
    EQUAL(sh("exec yes", NULL, 20000 * MS, -1), -1);
    SAME_TEXT(err.message, "sh -c: prints more than 1024 KiB");
    buffer_free(&output);
}

CU_TestInfo commands_tests[] = {TEST(it_reads_and_writes),
                                TEST(it_need_not_read),
                                TEST(a_pipe_that_it_closes_raises_no_signal),
                                TEST(how_it_ends_is_said),
                                TEST(what_hangs_is_killed_with_what_it_started),
                                TEST(it_can_be_cancelled),
                                TEST(too_much_output_ends_it),
                                CU_TEST_INFO_NULL};
