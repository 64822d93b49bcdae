#include "record/notify.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "host/io_clock.h"

#define STATUS_BYTES 200

struct notify {
    int fd;
    struct sockaddr_un manager;
    socklen_t manager_n;  /* bytes of the address */
    uint64_t watchdog_ns; /* notify_watchdog is wanted at least so often; 0: not at all */
    uint64_t alive_ns;    /* when it was sent the last time; 0: never */
};

/* ---- the socket ---- */

/* Its address; 0: it is none. */
static socklen_t address_of(const char *name, struct sockaddr_un *address)
{
    size_t n = strlen(name);
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    if ((*name != '/' && *name != '@') || n < 2 || n >= sizeof address->sun_path)
        return 0;
    memcpy(address->sun_path, name, n);
    if (*name == '@')
        address->sun_path[0] = '\0';
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n + (*name == '/'));
}

/* The watchdog's time, if it is for this process. */
static uint64_t watchdog_of(const char *usec, const char *pid)
{
    char *end;
    if (!usec || *usec < '0' || *usec > '9' || (pid && strtoll(pid, NULL, 10) != getpid()))
        return 0;
    unsigned long long n = strtoull(usec, &end, 10);
    return *end || n > UINT64_MAX / 1000 ? 0 : n * 1000;
}

struct notify *notify_new(void)
{
    const char *name = getenv("NOTIFY_SOCKET");
    struct sockaddr_un manager;
    socklen_t manager_n = name ? address_of(name, &manager) : 0;
    struct notify *n = manager_n > 0 ? calloc(1, sizeof *n) : NULL;
    if (!n)
        return NULL;
    *n = (struct notify){.fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0),
                         .manager = manager,
                         .manager_n = manager_n,
                         .watchdog_ns = watchdog_of(getenv("WATCHDOG_USEC"), getenv("WATCHDOG_PID"))};
    if (n->fd >= 0)
        return n;
    free(n);
    return NULL;
}

void notify_free(struct notify *n)
{
    if (!n)
        return;
    close(n->fd);
    free(n);
}

/* ---- messages ---- */

static void send_lines(const struct notify *n, const char *lines)
{
    if (n)
        (void)!sendto(n->fd, lines, strlen(lines), MSG_NOSIGNAL | MSG_DONTWAIT,
                      (const struct sockaddr *)&n->manager, n->manager_n);
}

void notify_ready(struct notify *n)
{
    send_lines(n, "READY=1\n");
}

void notify_reloading(struct notify *n)
{
    char lines[80];
    snprintf(lines, sizeof lines, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64 "\n", io_clock_ns() / 1000);
    send_lines(n, lines);
}

void notify_stopping(struct notify *n)
{
    send_lines(n, "STOPPING=1\n");
}

void notify_status(struct notify *n, const char *line)
{
    char lines[STATUS_BYTES + 20];
    size_t size = (size_t)snprintf(lines, sizeof lines, "STATUS=%.*s", STATUS_BYTES, line);
    for (size_t i = 0; i < size; i++)
        if (lines[i] == '\n' || lines[i] == '\r')
            lines[i] = ' '; /* the next line would be another key */
    snprintf(lines + size, sizeof lines - size, "\n");
    send_lines(n, lines);
}

void notify_watchdog(struct notify *n)
{
    uint64_t now = io_clock_ns();
    if (!n || n->watchdog_ns == 0 || (n->alive_ns > 0 && now - n->alive_ns < n->watchdog_ns / 2))
        return;
    n->alive_ns = now;
    send_lines(n, "WATCHDOG=1\n");
}
