/* The pager, through which a terminal shows output that is longer than its screen. */
#ifndef XENMETER_CMD_PAGER_H
#define XENMETER_CMD_PAGER_H

#include <stdbool.h>

#include "formats/output.h"
#include "options.h"

/*
 * From now on, if the output goes to a terminal and nothing speaks against it (--no-pager, --live, --follow, --output),
 * it goes through $PAGER (less, if that is not set; none, if it is empty or "cat") as soon as it is longer than the
 * screen. Messages go there, too.
 */
void pager_offer(struct output *out, const struct options *o);

/* Whether the pager shows output. */
bool pager_is_running(void);

/* Waits until the pager, if it was begun, has ended. Nothing more is printed after that. */
void pager_end(void);

/* The same for signal handlers: uses only async-signal-safe calls. */
void pager_end_in_signal(void);

#endif
