/* A simulated host whose time goes with the clock, and that does what hooks ask of it (share/hooks/simulated). */
#ifndef XENMETER_CMD_SIMULATE_LIVE_H
#define XENMETER_CMD_SIMULATE_LIVE_H

#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "parser/error.h"
#include "sim/simulation.h"

#define SIMULATED_LIVE_STEP_NS 5000000u /* hooks and signals are heard so often */

/* What holds for one guest, by its number in the scenario. */
struct simulated_guest;

struct simulated_live {
    const struct scenario *scenario;
    struct simulation *simulation; /* by the caller, before the first step */
    const char *folder;            /* where hooks say what they want; NULL: nowhere */
    int folder_fd;                 /* -1: none */
    bool is_open;                  /* and this simulation has it */
    struct simulated_guest *guests;
    const atomic_int *stop;
    const sigset_t *wait_mask;
    uint64_t begun_ns;  /* by the clock */
    uint64_t heard_ns;  /* by the clock: when the folder was read */
    uint64_t behind_ns; /* the longest by which the host was behind the clock */
};

/*
 * Begins to go with the clock; from here on SIGINT, SIGTERM and SIGHUP end the host's time instead of the program. The folder is made if
 * need be; NULL: none. The scenario and the text must outlive `l`. -1 with `err` filled. simulated_live_close in both cases; all zero is
 * closed, too.
 */
int simulated_live_open(struct simulated_live *l, const struct scenario *scenario, const char *folder,
                        struct error *err);
void simulated_live_close(struct simulated_live *l);

/*
 * The host's time is now_ns: does what hooks want by now, and returns when the clock is as far, or after a signal, which stops the
 * simulation. -1 with `err` filled: the folder cannot be read or written, or no memory.
 */
int simulated_live_reached(struct simulated_live *l, uint64_t now_ns, struct error *err);

#endif
