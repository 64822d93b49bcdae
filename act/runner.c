#include "act/runner.h"

#include <poll.h>

#define RETRY_MS 100

bool runner_is_cancelled(const struct act_runner *r)
{
    struct pollfd cancel = {r->cancel_fd, POLLIN, 0};
    return poll(&cancel, 1, 0) > 0;
}

int runner_run(const struct act_runner *r, const char *const *words, const char *input, struct buffer *output,
               struct error *err)
{
    const char *all[2 * COMMAND_WORDS_MAX + 512] = {NULL};
    size_t n = 0;
    for (size_t i = 0; r->command[i] && n + 1 < COMMAND_WORDS_MAX; i++)
        all[n++] = r->command[i];
    for (size_t i = 0; words[i] && n + 1 < sizeof all / sizeof *all; i++)
        all[n++] = words[i];
    const struct act_command c = {
        .words = all, .input = input, .limit_ns = r->limit_ns, .cancel_fd = r->cancel_fd};
    for (unsigned tried = 1;; tried++) {
        struct pollfd cancel = {r->cancel_fd, POLLIN, 0};
        size_t before = output ? output->n : 0;
        if (command_run(&c, output, err) == 0)
            return 0;
        if (output)
            output->n = before;
        if (tried >= r->tries || poll(&cancel, 1, RETRY_MS) > 0)
            return -1;
    }
}
