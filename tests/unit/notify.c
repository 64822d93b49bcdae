/* What a manager of services hears, on a socket of the test. */
#include "record/notify.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

#define MS UINT64_C(1000000)

static int manager = -1;
static char name[64];

/* A socket in the file system, or an abstract one, and the environment that names it. */
static void begin(bool abstract, const char *watchdog_usec, long watchdog_pid)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char pid[24];
    snprintf(name, sizeof name, "%s/tmp/notify.%ld", abstract ? "@" : "", (long)getpid());
    memcpy(address.sun_path, name, strlen(name));
    if (abstract)
        address.sun_path[0] = '\0';
    else
        unlink(name);
    manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    EQUAL(bind(manager, (const struct sockaddr *)&address,
               (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name) + !abstract)),
          0);
    snprintf(pid, sizeof pid, "%ld", watchdog_pid);
    setenv("NOTIFY_SOCKET", name, 1);
    if (watchdog_usec)
        setenv("WATCHDOG_USEC", watchdog_usec, 1);
    if (watchdog_pid)
        setenv("WATCHDOG_PID", pid, 1);
}

static void end(struct notify *n)
{
    notify_free(n);
    close(manager);
    unlink(name);
    unsetenv("NOTIFY_SOCKET");
    unsetenv("WATCHDOG_USEC");
    unsetenv("WATCHDOG_PID");
}

/* The next message; "": there is none. */
static const char *heard(void)
{
    static char message[1024];
    ssize_t n = recv(manager, message, sizeof message - 1, 0);
    message[n > 0 ? n : 0] = '\0';
    return message;
}

static void the_life_of_a_service(void)
{
    begin(false, NULL, 0);
    struct notify *n = notify_new();
    notify_ready(n);
    SAME_TEXT(heard(), "READY=1\n");
    notify_status(n, "3 archives\nREADY=1");
    SAME_TEXT(heard(), "STATUS=3 archives READY=1\n");
    notify_reloading(n);
    const char *reload = heard();
    CHECK(strncmp(reload, "RELOADING=1\nMONOTONIC_USEC=", 27) == 0 && strtoull(reload + 27, NULL, 10) > 0);
    notify_watchdog(n); /* none is wanted */
    SAME_TEXT(heard(), "");
    notify_stopping(n);
    SAME_TEXT(heard(), "STOPPING=1\n");
    end(n);
}

static void an_abstract_socket(void)
{
    begin(true, NULL, 0);
    struct notify *n = notify_new();
    notify_ready(n);
    SAME_TEXT(heard(), "READY=1\n");
    end(n);
}

static void the_watchdog_hears_no_more_than_it_needs(void)
{
    const struct timespec pause = {0, 60 * MS};
    begin(false, "100000", getpid());
    struct notify *n = notify_new();
    notify_watchdog(n);
    notify_watchdog(n);
    SAME_TEXT(heard(), "WATCHDOG=1\n");
    SAME_TEXT(heard(), "");
    nanosleep(&pause, NULL);
    notify_watchdog(n);
    SAME_TEXT(heard(), "WATCHDOG=1\n");
    end(n);
    begin(false, "100000", (long)getpid() + 1); /* it is another process' */
    n = notify_new();
    notify_watchdog(n);
    SAME_TEXT(heard(), "");
    end(n);
}

static void long_lines_are_cut(void)
{
    char line[1000];
    begin(false, NULL, 0);
    struct notify *n = notify_new();
    memset(line, 'x', sizeof line - 1);
    line[sizeof line - 1] = '\0';
    notify_status(n, line);
    EQUAL(strlen(heard()), strlen("STATUS=\n") + 200);
    end(n);
}

/* The socket of a manager that reads nothing is full at some time: nothing waits for that. */
static void a_manager_that_reads_nothing_stops_nothing(void)
{
    begin(false, NULL, 0);
    struct notify *n = notify_new();
    for (int i = 0; i < 10000; i++)
        notify_ready(n);
    SAME_TEXT(heard(), "READY=1\n");
    end(n);
}

static void without_a_manager_nothing_happens(void)
{
    unsetenv("NOTIFY_SOCKET");
    struct notify *n = notify_new();
    CHECK(n == NULL);
    notify_ready(n);
    notify_status(n, "x");
    notify_reloading(n);
    notify_watchdog(n);
    notify_stopping(n);
    notify_free(n);
    setenv("NOTIFY_SOCKET", "relative", 1);
    CHECK(notify_new() == NULL);
    setenv("NOTIFY_SOCKET", "/no/such/socket", 1);
    n = notify_new();
    notify_ready(n); /* it has gone: nobody hears that */
    notify_free(n);
    unsetenv("NOTIFY_SOCKET");
}

CU_TestInfo notify_tests[] = {TEST(the_life_of_a_service),
                              TEST(an_abstract_socket),
                              TEST(the_watchdog_hears_no_more_than_it_needs),
                              TEST(long_lines_are_cut),
                              TEST(a_manager_that_reads_nothing_stops_nothing),
                              TEST(without_a_manager_nothing_happens),
                              CU_TEST_INFO_NULL};
