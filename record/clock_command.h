/*
 * A command that has the time, in the place of this machine's clocks: for tests. It gets an empty line at its standard input for
 * each reading, and answers by a line "UTC_NS MONOTONIC_NS TSC" or "UTC_NS MONOTONIC_NS TSC BOOT_NS" of decimal numbers. BOOT_NS goes on,
 * unlike MONOTONIC_NS, while the machine is suspended.
 */
#ifndef XENMETER_RECORD_CLOCK_COMMAND_H
#define XENMETER_RECORD_CLOCK_COMMAND_H

#include "host/time_source.h"
#include "parser/error.h"

#define CLOCK_COMMAND_LIMIT_NS 2000000000u /* for an answer */

struct clock_command;

/* Starts `command`, by sh -c, from a thread that lives as long as it is to. NULL with `err` filled: it cannot be started. */
struct clock_command *clock_command_new(const char *command, struct error *err);
void clock_command_free(struct clock_command *c);

/*
 * What it answers, valid until clock_command_free. A reading fails where no such line comes in time, and all those after it, as
 * answers might come late.
 */
struct time_source clock_command_source(struct clock_command *c);

#endif
