/*
 * Who acts on a host: one process at a time. The lock is on a file that stays, and ends with the process and with all
 * commands that it started (host_command.h), however they end.
 */
#ifndef XENMETER_ACT_LOCK_H
#define XENMETER_ACT_LOCK_H

#include <stdint.h>

#include "parser/error.h"

/*
 * Takes the lock of that file, which is made if need be, waiting up to wait_ns for it. Its descriptor, which commands inherit;
 * -1 with `err` filled: somebody else has it (the message has the process id), or the file cannot be made.
 */
int lock_take(const char *path, uint64_t wait_ns, struct error *err);

/* The process id of who has the lock of that file; 0: nobody has. */
long lock_owner(const char *path);

/* Gives the lock back; -1 is fine. */
void lock_release(int fd);

#endif
