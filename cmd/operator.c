/* What an operator asks of debt and guard: status, release, exempt and control, below each of the two. */
#include <stdio.h>
#include <string.h>

#include "acting.h"
#include "debt_apply.h"
#include "guard_apply.h"
#include "status.h"

struct operator_arguments {
    struct options options;
    struct acting_options acting;
    bool all;
};

static bool is_below(const struct options *o, const char *above)
{
    return strncmp(o->command->name, above, strlen(above)) == 0;
}

static const struct acting_controller *controller_of(const struct options *o)
{
    return is_below(o, guard_controller.name) ? &guard_controller : &debt_controller;
}

static int run_status(const struct options *o)
{
    return acting_status(controller_of(o), &((const struct operator_arguments *)o)->acting, o->format);
}

static int run_request(const struct options *o)
{
    const struct operator_arguments *a = (const struct operator_arguments *)o;
    struct request r = {.verb = REQUEST_RELEASE};
    for (int verb = 0; request_verbs[verb]; verb++)
        if (strcmp(command_word(o->command), request_verbs[verb]) == 0)
            r.verb = (enum request_verb)verb;
    snprintf(r.guest, sizeof r.guest, "%s", a->all ? "*" : o->inputs[0]);
    return acting_ask(controller_of(o), &a->acting, &r, o->quiet);
}

static int check_none(struct options *o, struct error *err)
{
    if (o->inputs_n)
        return error_set(err, ERROR_USAGE, "status takes no operand: '%.60s' was given", o->inputs[0]);
    return acting_check(&((struct operator_arguments *)o)->acting, err);
}

static int check_guest(struct options *o, struct error *err)
{
    const struct operator_arguments *a = (const struct operator_arguments *)o;
    if (o->inputs_n != !a->all)
        return error_set(err, ERROR_USAGE, "wants one guest, by its id or its name%s",
                         command_option(o->command, "all") ? ", or --all" : "");
    const char *guest = a->all ? "all" : o->inputs[0];
    if (!*guest || strlen(guest) >= ACT_NAME_BYTES || strpbrk(guest, "\n*"))
        return error_set(err, ERROR_USAGE, "'%.60s' is neither the id nor the name of a guest", guest);
    return acting_check(&a->acting, err);
}

#define OPTION_STATE                                                                                         \
    OPTION(0, "state", "FILE",                                                                               \
           "the state file of the process that acts (default " ACTING_PLACE "COMMAND.json)",                 \
           .set = set_text, ACTING_FIELD(struct operator_arguments, acting, state), .choices = ":file")
#define OPTION_ALL                                                                                           \
    OPTION(0, "all", NULL, "all that have something set", .set = set_flag,                                   \
           .offset = offsetof(struct operator_arguments, all))

static const struct option_spec status_options[] = {
    OPTION_STATE, OPTION_FORMAT("text (default), csv, json, jsonl"), OPTION_QUIET, OPTIONS_ALL};
static const struct option_spec guest_options[] = {OPTION_STATE, OPTION_QUIET, OPTIONS_ALL};
static const struct option_spec all_options[] = {OPTION_ALL, OPTION_STATE, OPTION_QUIET, OPTIONS_ALL};

#define STATUS_TEXT                                                                                          \
    "Prints which process acts, what is set for which guest and what was there before, and who is exempt."
#define RELEASE_TEXT                                                                                         \
    "The guest is given back what it had, and the process that acts leaves it alone from now on."
#define EXEMPT_TEXT  "The same, and whoever acts later leaves it alone, too."
#define CONTROL_TEXT "A guest that was released or exempt may be acted on again."

/* One command below ABOVE. */
#define OPERATOR(ABOVE, WORD, ORDER, SUMMARY, USAGE, TEXT, OPTIONS, FORMATS, CHECK, RUN)                     \
    static const struct command ABOVE##_##WORD = {.order = (ORDER),                                          \
                                                  .name = #ABOVE " " #WORD,                                  \
                                                  .summary = (SUMMARY),                                      \
                                                  .usage = (USAGE),                                          \
                                                  .text = (TEXT),                                            \
                                                  .examples =                                                \
                                                      "xenmeter " #ABOVE " " #WORD " " USAGE_OF_##WORD,      \
                                                  .options = (OPTIONS),                                      \
                                                  .formats = (FORMATS),                                      \
                                                  .operands = OPERANDS_NONE,                                 \
                                                  .options_size = sizeof(struct operator_arguments),         \
                                                  .check = (CHECK),                                          \
                                                  .run = (RUN)};                                             \
    COMMAND(ABOVE##_##WORD)

#define USAGE_OF_status  "--state /run/xenmeter/guard.json"
#define USAGE_OF_release "web"
#define USAGE_OF_exempt  "web"
#define USAGE_OF_control "web"

#define OPERATORS(ABOVE)                                                                                     \
    OPERATOR(ABOVE, status, 1, "what is set, and who is exempt", "[OPTIONS]", STATUS_TEXT, status_options,   \
             status_formats, check_none, run_status);                                                        \
    OPERATOR(ABOVE, release, 2, "give a guest back what it had", "(GUEST | --all) [OPTIONS]", RELEASE_TEXT,  \
             all_options, NULL, check_guest, run_request);                                                   \
    OPERATOR(ABOVE, exempt, 3, "never act on a guest", "GUEST [OPTIONS]", EXEMPT_TEXT, guest_options, NULL,  \
             check_guest, run_request);                                                                      \
    OPERATOR(ABOVE, control, 4, "act on a guest again", "GUEST [OPTIONS]", CONTROL_TEXT, guest_options,      \
             NULL, check_guest, run_request)

OPERATORS(debt);
OPERATORS(guard);
