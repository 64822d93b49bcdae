/* What act.c, which decides, and act_worker.c, which carries out, share. */
#ifndef XENMETER_ACT_ACT_WORKER_H
#define XENMETER_ACT_ACT_WORKER_H

#include <pthread.h>

#include "act/act_options.h"
#include "act/keeper.h"
#include "act/log.h"

/* A guest for which something was decided. */
struct wanted {
    struct act_wish wish;
    bool release; /* it is to have what it had */
    bool waits;   /* the worker has not seen it yet */
};

/* What is known of a guest of the host; names are never freed before the end, others hold them. */
struct known {
    uint16_t domain;
    char *name;
    struct host_guest guest; /* as it was listed last */
    const char *refused;     /* why nothing is set for it; NULL: it can be */
};

enum halt { HALT_NOT, HALT_STALE, HALT_KILLED };

struct act {
    struct act_options options;
    struct governor *governor;
    struct act_log *log;
    int lock_fd, host_lock_fd, cancel_fd;
    struct keeper *keeper; /* of the worker alone, while it runs */
    pthread_t worker;
    bool works; /* there is a worker */

    /* what both threads use */
    pthread_mutex_t mutex;
    pthread_cond_t changed; /* by CLOCK_MONOTONIC */
    struct wanted *wanted;
    size_t wanted_n, wanted_capacity;
    struct known *known;
    size_t known_n, known_capacity;
    bool stop, round_done, told_slow;
    enum halt halt;
    bool begin_anew; /* what was decided before is not in force any more */
    uint64_t alive_ns, skipped;
};

/* The newest guest of that id; NULL: none was listed. With the mutex held. */
struct known *act_known(const struct act *a, uint16_t domain);

/* Whether the file of the kill switch is there. */
bool act_kill_switch_is_there(const struct act_options *o);

/* Makes known what the keeper has listed. */
void act_publish(struct act *a);

/* Begins to carry out what is wanted; the keeper is the worker's then. -1 with `err` filled. */
int act_worker_start(struct act *a, struct error *err);

/* Ends it, what it is at included; the keeper is the caller's again. */
void act_worker_stop(struct act *a);

#endif
