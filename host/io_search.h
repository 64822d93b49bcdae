/*
 * Finds the threads and processes of a driver domain that work for one guest, as they come, without opening all of
 * /proc each time: /proc/loadavg has the id that was given last, so only those since the last look are looked at. All of
 * /proc is listed at the first look, when ids began anew, and every ten seconds; then, too, only ids that were not there
 * before are opened.
 *
 * A process is named when it calls exec(), some time after it began, and a tapdisk gets its guest later: such ids are
 * looked at again, less and less often.
 */
#ifndef XENMETER_HOST_IO_SEARCH_H
#define XENMETER_HOST_IO_SEARCH_H

#include <stdbool.h>

#include "io_clock.h"
#include "io_names.h"
#include "parser/error.h"

struct io_found {
    unsigned id; /* of the thread */
    unsigned long domain;
    enum io_work work;
};

/* Takes a thread that works for a guest; the same one may be found again, with another guest. False: no memory. */
struct io_finder {
    void *context;
    bool (*found)(void *context, const struct io_found *found);
};

struct io_search;

/* `root` and `interfaces`' context stay the caller's and outlive it. NULL: no memory. */
struct io_search *io_search_new(const char *root, const struct io_interfaces *interfaces,
                                const struct io_finder *finder);
void io_search_free(struct io_search *s);

/* Looks for what came since the last look. -1 with `err` filled: no memory, or /proc cannot be listed. */
int io_search_look(struct io_search *s, const struct io_moment *now, struct error *err);

#endif
