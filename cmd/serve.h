/* xenmeter serve: what its options ask for, and the work. */
#ifndef XENMETER_CMD_SERVE_H
#define XENMETER_CMD_SERVE_H

#include "cli.h"

#define SERVE_LISTEN "127.0.0.1:9797"

struct serve_options {
    struct options common;              /* .live_ns: how often the counters of a live trace move; not 0 */
    const char *listen;                 /* NULL: SERVE_LISTEN */
    const char *xentrace, *domain_info; /* NULL: not given */
    uint64_t max_age_ns;                /* 0: not given */
    unsigned most;                      /* see metric_book.h; not 0 */
    bool cpu_only;                      /* xentrace records no I/O */
};

/* Serves until the trace has ended, or a signal arrives. The exit code, everything having been said. `o` begins a struct serve_options. */
int serve_run(const struct options *o);

#endif
