/* A host whose seconds are made by hand, and the screen that shows them. */
#ifndef XENMETER_TESTS_UNIT_SCREEN_HOST_H
#define XENMETER_TESTS_UNIT_SCREEN_HOST_H

#include "check.h"
#include "screen/screen.h"

#define S            ((uint64_t)SECOND_NS)
#define MS           ((int64_t)1000000)
#define SCREEN_DRAWN (64 * 1024)

extern struct history *screen_history;
extern struct screen screen;
extern char drawn[SCREEN_DRAWN]; /* what screen_host_draw drew */

/* What one domain with one vCPU did in a second; the rest it was blocked. */
struct did {
    int32_t domain;
    int64_t running_ns, runnable_ns, unknown_ns;
    uint64_t longest_wait_ns; /* 0: it did not wait */
};

/* A screen of an empty history, whose details take at most so many bytes; domains 0 to 2 have names. */
void screen_host_begin(size_t bytes);
void screen_host_end(void);

/* The second of that number, in which n domains did this (not settled); or the same at the end of the history. */
struct second *screen_host_second(uint64_t number, const struct did *did, size_t n);
void screen_host_add(uint64_t number, const struct did *did, size_t n);

/* Three domains for so many seconds: the running time of domain 1 is the second's number times 10 ms. */
void screen_host_run(uint64_t seconds);

/* Updates and draws the screen; the text, valid until the next call. */
const char *screen_host_draw(unsigned width, unsigned height);

/* The line of it that begins so, or "". */
const char *screen_host_line(const char *text, const char *start);

/* The number in a column of the domain's row; -1: there is no row. */
double screen_host_number(enum span span, int32_t domain, const char *column);

#endif
