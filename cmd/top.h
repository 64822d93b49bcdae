/* What the files of `top` share. */
#ifndef XENMETER_CMD_TOP_H
#define XENMETER_CMD_TOP_H

#include <limits.h>

#include "screen/screen.h"
#include "top_names.h"
#include "top_reader.h"
#include "top_tracer.h"

struct top_options {
    struct options common;
    bool batch, demo, ascii, no_mouse;
    const char *view;
    double speed; /* of a replay; 0: not given */
    const char *xentrace, *domain_info;
    enum tracer_purpose purpose;
    bool purpose_given;
};

struct top {
    const struct top_options *options;
    struct top_reader reader;
    struct history *history;
    struct screen screen;
    struct canvas canvas;
    struct screen_option *given; /* of screen.options */
    struct top_tracer *tracer;   /* NULL: xentrace was not started */
    struct top_names *names;     /* NULL: the toolstack is not asked */
    char remark[SCREEN_TEXT];
    char archive[PATH_MAX]; /* of a recorder's folder, the one that is shown */
    int status;             /* the exit code */
    uint64_t start_ns;      /* of --at: the second up to here is shown first; 0: not given */
};

/* Prints the seconds on standard output, as text or rows, until the source ends. The exit code. */
int top_batch(struct top *t);

/* On the terminal, until a key or a signal ends it. The exit code. */
int top_interactive(struct top *t);

/* Reports why the source failed. EXIT_ERROR. */
int top_source_failed(struct top *t, const char *why);

/* ---- the simulated host of --demo ---- */

struct top_demo;

/* NULL with `err` filled. It goes with the clock until *stop. */
struct top_demo *top_demo_new(const struct top_options *o, const atomic_int *stop, struct error *err);
void top_demo_free(struct top_demo *d);
struct feed top_demo_feed(struct top_demo *d);
/* The names of its domains; false: no memory. */
bool top_demo_names(const struct top_demo *d, struct domain_names **names);

#endif
