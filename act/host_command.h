/*
 * Runs a command of the host, such as xl, with a time limit.
 *
 * The command gets a process group of its own, and with it ends what it started, when its time is over, when it is
 * cancelled, or when this process dies (the command itself only, then); all of it has ended when command_run returns.
 * It inherits the descriptor of the lock (lock.h), so that the
 * lock is held for as long as it, or anything that it started, lives.
 */
#ifndef XENMETER_ACT_COMMAND_H
#define XENMETER_ACT_COMMAND_H

#include <stddef.h>
#include <stdint.h>

#include "formats/buffer.h"
#include "parser/error.h"

#define COMMAND_OUTPUT_MAX ((size_t)1 << 20)
#define COMMAND_WORDS_MAX  64

struct act_command {
    const char *const *words; /* ended by NULL; the first one is found by PATH */
    const char *input;        /* its standard input; NULL: empty */
    uint64_t limit_ns;        /* how long it may take */
    int cancel_fd;            /* it is killed once this becomes readable; -1: never */
};

/*
 * Runs the command to its end and adds its standard output to `output` (NULL: dropped), without NUL at the end. 0 if it
 * exited with 0; else -1 with `err` filled: it cannot be started, it exited with another code (with the first line of its standard
 * error), a signal ended it, it took longer than its limit, it was cancelled, or it printed more than COMMAND_OUTPUT_MAX
 * bytes.
 */
int command_run(const struct act_command *c, struct buffer *output, struct error *err);

/* To be called once before the first command, so that everything that commands start can be waited for. */
void command_prepare(void);

#endif
