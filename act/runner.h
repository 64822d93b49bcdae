/* How the commands of a host are run: the first words of each, its time limit, how often one that fails is tried. */
#ifndef XENMETER_ACT_RUNNER_H
#define XENMETER_ACT_RUNNER_H

#include <stdbool.h>

#include "act/host_command.h"

struct act_runner {
    const char *const *command; /* the first words, ended by NULL: { "xl", NULL } */
    uint64_t limit_ns;          /* of one command */
    unsigned tries;             /* of one that fails: at least 1 */
    int cancel_fd;              /* see struct act_command */
};

/*
 * Runs the command with these words, ended by NULL, after its first ones, until it succeeds, has been tried as often as it
 * may, or is cancelled. As command_run, for the last try.
 */
int runner_run(const struct act_runner *r, const char *const *words, const char *input, struct buffer *output,
               struct error *err);

/* Whether its commands are cancelled. */
bool runner_is_cancelled(const struct act_runner *r);

#endif
