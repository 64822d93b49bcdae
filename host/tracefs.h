/*
 * An instance of Linux' tracefs: a set of buffers with events and a clock of its own, below instances/ of tracefs. Source:
 * Linux Documentation/trace/ftrace.rst.
 */
#ifndef XENMETER_HOST_TRACEFS_H
#define XENMETER_HOST_TRACEFS_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "parser/error.h"
#include "tell.h"

struct tracefs_instance {
    char path[PATH_MAX];
    int folder; /* its descriptor; -1: none */
};

/*
 * Makes an instance of this process in the tracefs below `root`, and removes those that processes left which died; `tell`
 * takes which of those could not be removed. It is not tracing. -1 with `err` saying what to do.
 */
int tracefs_open(struct tracefs_instance *t, const char *root, host_teller *tell, struct error *err);

/* Removes the instance; all that was switched on in it is off then. -1: it could not be removed (`errno`). */
int tracefs_remove(struct tracefs_instance *t);

/* Writes text to a file of the instance. -1 with `errno` set. */
int tracefs_write(const struct tracefs_instance *t, const char *file, const char *text);

/* Reads up to n - 1 bytes of a file of the instance, and ends them with NUL. -1 with `errno` set. */
int tracefs_read(const struct tracefs_instance *t, const char *file, char *to, size_t n);

/* How many CPUs have buffers. */
unsigned tracefs_cpus(const struct tracefs_instance *t);

/* What the CPU's buffer holds, and has lost. */
struct tracefs_figures {
    uint64_t bytes;
    uint64_t overwritten; /* of these the trace itself tells where they were lost */
    uint64_t dropped;     /* of these it does not */
};

/* False: there is no such CPU, or its figures cannot be read. */
bool tracefs_figures(const struct tracefs_instance *t, unsigned cpu, struct tracefs_figures *figures);

#endif
