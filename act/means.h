/*
 * By what a controller acts on guests: something that lists what is set for them, and sets it. A value is a text; what it
 * says is the means' affair (struct host_guest).
 */
#ifndef XENMETER_ACT_MEANS_H
#define XENMETER_ACT_MEANS_H

#include <stdbool.h>
#include <stdint.h>

#include "act/reading.h"
#include "act/runner.h"
#include "parser/error.h"

#define ACT_COMMAND_BYTES 192

/* What a controller wants a guest to have. */
struct act_wish {
    uint16_t domain;
    uint64_t level_ppm; /* millionths of a pCPU */
    uint32_t vcpus;     /* that the trace shows */
};

struct act_means {
    const char *name; /* in the state file: "credit2" */
    const void *context;
    /* Lists all guests. -1 with `err` filled. */
    int (*list)(const struct act_means *m, const struct act_runner *r, struct host_guests *guests,
                struct error *err);
    /* Sets a value. -1 with `err` filled: it is not known what is set now. */
    int (*set)(const struct act_means *m, const struct act_runner *r, uint16_t domain, const char *value,
               struct error *err);
    /* The value of a wish; `known`: the guest as it was listed, NULL: it was not. */
    void (*value)(const struct act_means *m, const struct act_wish *wish, const struct host_guest *known,
                  char value[ACT_VALUE_BYTES]);
    /* The command that sets the value, as people read it; what does not fit is cut. */
    void (*text)(const struct act_means *m, const struct act_runner *r, uint16_t domain, const char *value,
                 char text[ACT_COMMAND_BYTES]);
    bool (*is_value)(const char *text); /* of a state file: whether it can be one */
};

/* By the parameters of one of Xen's schedulers: "credit" "credit2" "rtds". NULL: another name. */
const struct act_means *means_of_scheduler(const char *name);

/* The same names, ended by NULL. */
extern const char *const *const means_schedulers;

#endif
