/*
 * What a service tells the manager of services that has started it: the protocol of sd_notify(3), datagrams of lines "KEY=VALUE" to the
 * local socket that $NOTIFY_SOCKET names. Where there is no manager nothing is sent. Nothing here waits or fails: a manager whose
 * socket is full misses a message, and the watchdog gets its next one.
 */
#ifndef XENMETER_RECORD_NOTIFY_H
#define XENMETER_RECORD_NOTIFY_H

#include <stdint.h>

struct notify;

/*
 * By $NOTIFY_SOCKET (a path, or "@" and an abstract name), $WATCHDOG_USEC and $WATCHDOG_PID. NULL: there is no manager;
 * all functions take that.
 */
struct notify *notify_new(void);
void notify_free(struct notify *n);

void notify_ready(struct notify *n);
void notify_reloading(struct notify *n); /* notify_ready follows */
void notify_stopping(struct notify *n);

/* A line for people, cut after 200 bytes. */
void notify_status(struct notify *n, const char *line);

/* The service is alive: sent if half of the watchdog's time has passed since the last one. May be called at any rate. */
void notify_watchdog(struct notify *n);

#endif
