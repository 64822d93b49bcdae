/* When were records lost? The blind windows of all pCPUs, to explain state changes that do not fit. */
#ifndef XENMETER_METRICS_BLIND_H
#define XENMETER_METRICS_BLIND_H

#include <stdbool.h>
#include <stdint.h>

#define BLIND_WINDOWS 1024 /* remembered one by one; older ones as one stretch */
#define BLIND_NONE    UINT64_MAX

/* A stretch of time in which a pCPU's records were lost. */
struct blind_window {
    uint64_t from_ns, to_ns; /* to: UINT64_MAX while it lasts */
};

struct blind_windows {
    struct blind_window ring[BLIND_WINDOWS]; /* number i is at i % BLIND_WINDOWS */
    uint64_t n;                              /* windows so far */
    struct blind_window forgotten;           /* all that no longer have a place; from > to: none */
};

void blind_init(struct blind_windows *b);

/* A window begins: returns its number. Windows begin in time order. */
uint64_t blind_begin(struct blind_windows *b, uint64_t from_ns);

/* It ends: returns how long it was, 0 if it was forgotten by now. */
uint64_t blind_end(struct blind_windows *b, uint64_t number, uint64_t to_ns);

/* The stretch from the first to the last blind moment in [from, to], on any pCPU; false: there is none. */
bool blind_between(const struct blind_windows *b, uint64_t from_ns, uint64_t to_ns,
                   struct blind_window *found);

/* The earliest beginning of the windows that lasted until after_ns or longer; UINT64_MAX: there is none. */
uint64_t blind_earliest(const struct blind_windows *b, uint64_t after_ns);

#endif
