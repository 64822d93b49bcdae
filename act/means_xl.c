/* Xen's schedulers as means: by xl. */
#include <stdio.h>
#include <string.h>

#include "act/means.h"
#include "act/xl.h"

#define VALUE_WORDS_MAX (ACT_VALUE_BYTES / 2)

static enum xl_scheduler scheduler_of(const struct act_means *m)
{
    return *(const enum xl_scheduler *)m->context;
}

static int list(const struct act_means *m, const struct act_runner *r, struct host_guests *guests,
                struct error *err)
{
    enum xl_scheduler s = scheduler_of(m);
    const char *words[4] = {xl_command(s)};
    const char *const *more = xl_list_words(s);
    struct buffer output = {0};
    for (size_t i = 0; i < 2 && more[i]; i++)
        words[i + 1] = more[i];
    int status = runner_run(r, words, NULL, &output, err);
    if (status == 0 && output.failed)
        status = error_no_memory(err, "the list of domains");
    if (status == 0 && xl_read_list(s, output.at, output.n, guests, err) != 0)
        status = -1;
    buffer_free(&output);
    return status;
}

static int set(const struct act_means *m, const struct act_runner *r, uint16_t domain, const char *value,
               const struct act_wish *wish, struct error *err)
{
    const char *words[VALUE_WORDS_MAX + 4] = {xl_command(scheduler_of(m)), "-d"};
    char id[8], copy[ACT_VALUE_BYTES], *rest = copy, *word;
    size_t n = 3;
    snprintf(id, sizeof id, "%u", domain);
    snprintf(copy, sizeof copy, "%s", value);
    words[2] = id;
    while (n < VALUE_WORDS_MAX + 3 && (word = strsep(&rest, " ")))
        words[n++] = word;
    return runner_run(r, words, wish && *wish->evidence ? wish->evidence : NULL, NULL, err);
}

static void value_of(const struct act_means *m, const struct act_wish *wish, const struct host_guest *known,
                     char value[ACT_VALUE_BYTES])
{
    xl_value(scheduler_of(m), wish->level_ppm, known && known->vcpus ? known->vcpus : wish->vcpus,
             known ? known->period_us : 0, value);
}

static void text_of(const struct act_means *m, const struct act_runner *r, uint16_t domain, const char *value,
                    char text[ACT_COMMAND_BYTES])
{
    size_t n = 0;
    for (size_t i = 0; r->command[i] && n < ACT_COMMAND_BYTES; i++)
        n += (size_t)snprintf(text + n, ACT_COMMAND_BYTES - n, "%s ", r->command[i]);
    if (n < ACT_COMMAND_BYTES)
        snprintf(text + n, ACT_COMMAND_BYTES - n, "%s -d %u %s", xl_command(scheduler_of(m)), domain, value);
}

static const enum xl_scheduler schedulers[] = {XL_CREDIT, XL_CREDIT2, XL_RTDS};

#define MEANS(NUMBER, NAME)                                                                                  \
    {                                                                                                        \
        .name = (NAME), .context = &schedulers[NUMBER], .list = list, .set = set, .value = value_of,         \
        .text = text_of, .is_value = xl_is_value                                                             \
    }

static const struct act_means means[] = {MEANS(0, "credit"), MEANS(1, "credit2"), MEANS(2, "rtds")};

const struct act_means *means_of_scheduler(const char *name)
{
    for (size_t i = 0; i < sizeof means / sizeof *means; i++)
        if (strcmp(means[i].name, name) == 0)
            return &means[i];
    return NULL;
}

const struct act_means *means_named(const char *name)
{
    return strcmp(name, means_hook.name) == 0 ? &means_hook : means_of_scheduler(name);
}
