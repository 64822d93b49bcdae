#include "acting.h"

#include "formats/output.h"
#include "status.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "metrics/array.h"
#include "policy.h"

#define TIMEOUT_DEFAULT_NS 5000000000u
#define TIMEOUT_MIN_NS     10000000u
#define TIMEOUT_MAX_NS     600000000000u
#define STALE_MIN_NS       5000000000u
#define STALE_INTERVALS    3
#define FLAPS_MAX          1000u
#define HOST_LOCK          ACTING_PLACE "xl.lock" /* of whoever calls the host's own xl, whatever its state file */
#define KILL_DEFAULT       ACTING_PLACE "stop"

/* ---- options ---- */

static struct acting_options *acting_of(struct options *o, const struct option_spec *s)
{
    return (struct acting_options *)((char *)o + s->offset);
}

int acting_set_mode(struct options *o, const struct option_spec *s, const char *text, struct error *err)
{
    int mode = name_index(act_mode_names, text, strlen(text));
    if (mode < 0)
        return error_set(err, ERROR_USAGE, "--mode %.40s: wants observe, advise or enforce", text);
    acting_of(o, s)->mode = (enum act_mode)mode;
    acting_of(o, s)->mode_given = true;
    return 0;
}

int acting_set_exec(struct options *o, const struct option_spec *s, const char *text, struct error *err)
{
    (void)text;
    return acting_set_mode(o, s, act_mode_names[ACT_ENFORCE], err);
}

int acting_set_restore(struct options *o, const struct option_spec *s, const char *text, struct error *err)
{
    (void)text, (void)err;
    acting_of(o, s)->restore = o->no_input = true;
    return 0;
}

int acting_set_timeout(struct options *o, const struct option_spec *s, const char *text, struct error *err)
{
    uint64_t ns;
    if (!policy_length(text, strlen(text), &ns) || ns < TIMEOUT_MIN_NS || ns > TIMEOUT_MAX_NS)
        return error_set(err, ERROR_USAGE,
                         "--timeout %.40s: wants a length of time from 10ms to 10m, for example 5s", text);
    acting_of(o, s)->timeout_ns = ns;
    return 0;
}

enum limit { LIMIT_DWELL, LIMIT_STEP, LIMIT_LEAST, LIMIT_ACTIONS, LIMIT_FLAPS };

static const char *const limit_names[] = {"dwell", "step", "least", "actions", "flaps", NULL};

/* Per cent of a pCPU from 0 on, at most 100, as millionths. */
static bool ppm_of(const char *text, size_t n, uint64_t *ppm)
{
    struct cpu_share share;
    if (!policy_percent(text, n, true, &share) || share.part > share.of)
        return false;
    *ppm = cpu_share_ns(share, 1000000);
    return true;
}

static bool count_of(const char *text, size_t n, unsigned most, uint32_t *count)
{
    size_t number;
    const char *end = text;
    if (number_below(&end, (size_t)most + 1, &number) != 0 || end != text + n)
        return false;
    *count = (uint32_t)number;
    return true;
}

static bool set_limit(struct governor_limits *l, int which, const char *text, size_t n)
{
    switch (which) {
    case LIMIT_DWELL:
        return policy_length(text, n, &l->dwell_ns) && l->dwell_ns <= FEEDBACK_MAX_NS;
    case LIMIT_STEP:
        return ppm_of(text, n, &l->step_ppm);
    case LIMIT_LEAST:
        return ppm_of(text, n, &l->least_ppm) && l->least_ppm > 0;
    case LIMIT_ACTIONS:
        return count_of(text, n, ACTIONS_MAX, &l->actions);
    case LIMIT_FLAPS:
        return count_of(text, n, FLAPS_MAX, &l->flaps);
    default:
        return false;
    }
}

static int take_limit(void *context, const char *item, size_t n, struct error *err)
{
    struct acting_options *a = context;
    const char *equals = memchr(item, '=', n);
    size_t key_n = equals ? (size_t)(equals - item) : n;
    int which = name_index(limit_names, item, key_n);
    if (!equals || which < 0 || !set_limit(&a->limits, which, equals + 1, n - key_n - 1))
        return error_set(
            err, ERROR_USAGE,
            "--govern %.*s: wants any of dwell=2s (0s to 1h), step=1%% and least=1%% (up to 100%%), "
            "actions=600 (an hour) and flaps=12 (0: no limit)",
            n < 40 ? (int)n : 40, item);
    a->limits_given |= 1u << which;
    return 0;
}

int acting_set_govern(struct options *o, const struct option_spec *s, const char *text, struct error *err)
{
    return each_item(text, take_limit, acting_of(o, s), err);
}

const char *acting_given(const struct acting_options *a)
{
    return a->mode_given     ? "--mode"
           : a->hook         ? "--hook"
           : a->log          ? "--log"
           : a->kill_switch  ? "--kill-switch"
           : a->protect      ? "--protect"
           : a->limits_given ? "--govern"
           : a->timeout_ns   ? "--timeout"
           : a->state        ? "--state"
                             : NULL;
}

/* An item of --protect: anything but nothing. */
static int check_protected(void *context, const char *item, size_t n, struct error *err)
{
    (void)context, (void)item;
    return n > 0 ? 0 : error_set(err, ERROR_USAGE, "--protect: wants ids or names of domains: 3,mail");
}

static int check_file(const char *option, const char *file, struct error *err)
{
    if (file && (!*file || strcmp(file, "-") == 0 || strlen(file) > 400))
        return error_set(err, ERROR_USAGE, "--%s wants the name of a file", option);
    return 0;
}

int acting_check(const struct acting_options *a, struct error *err)
{
    if (check_file("state", a->state, err) != 0 || check_file("log", a->log, err) != 0 ||
        check_file("kill-switch", a->kill_switch, err) != 0)
        return -1;
    if (a->hook && a->hook[strspn(a->hook, " ")] == '\0')
        return error_set(err, ERROR_USAGE, "--hook wants a command");
    return a->protect ? each_item(a->protect, check_protected, NULL, err) : 0;
}

/* ---- beginning ---- */

int acting_cut_command(struct acting *a, const char *without_hook, struct error *err)
{
    const char *command = a->options->hook ? a->options->hook : without_hook;
    size_t n = 0;
    char *rest, *word;
    if (a->hook || !command)
        return 0;
    if (!(a->hook = strdup(command)))
        return error_no_memory(err, "the command");
    rest = a->hook;
    while ((word = strsep(&rest, " ")))
        if (*word && n + 1 < COMMAND_WORDS_MAX)
            a->command[n++] = word;
    return 0;
}

bool acting_enforces(const struct acting_options *a)
{
    return a->mode_given && a->mode == ACT_ENFORCE;
}

static void name_files(struct acting *a, const struct acting_controller *controller)
{
    const struct acting_options *o = a->options;
    if (o->state)
        snprintf(a->state, sizeof a->state, "%s", o->state);
    else
        snprintf(a->state, sizeof a->state, ACTING_PLACE "%s.json", controller->name);
    snprintf(a->lock, sizeof a->lock, "%s.lock", a->state);
}

/* Whether the input is a file: a file can wait, and its records are of another time. */
static bool is_recording(const struct options *o)
{
    struct stat st;
    int status = strcmp(o->input, "-") == 0 ? fstat(STDIN_FILENO, &st) : stat(o->input, &st);
    return status == 0 && S_ISREG(st.st_mode);
}

static bool is_one_of(const char *list, const char *word)
{
    size_t n = strlen(word);
    for (const char *at = list; at && n > 0; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL)
        if (strncmp(at, word, n) == 0 && (at[n] == ',' || at[n] == '\0'))
            return true;
    return false;
}

static bool protects(const void *context, uint16_t domain, const char *name)
{
    const struct acting *a = context;
    char id[8];
    snprintf(id, sizeof id, "%u", domain);
    return a->options->protect &&
           (is_one_of(a->options->protect, id) || is_one_of(a->options->protect, name));
}

static struct governor_limits limits_of(const struct acting_options *o,
                                        const struct acting_controller *controller)
{
    struct governor_limits l = controller->limits;
    const struct governor_limits *given = &o->limits;
    l.dwell_ns = o->limits_given & 1u << LIMIT_DWELL ? given->dwell_ns : l.dwell_ns;
    l.step_ppm = o->limits_given & 1u << LIMIT_STEP ? given->step_ppm : l.step_ppm;
    l.least_ppm = o->limits_given & 1u << LIMIT_LEAST ? given->least_ppm : l.least_ppm;
    l.actions = o->limits_given & 1u << LIMIT_ACTIONS ? given->actions : l.actions;
    l.flaps = o->limits_given & 1u << LIMIT_FLAPS ? given->flaps : l.flaps;
    return l;
}

static struct act_options options_of(const struct acting *a, const struct acting_controller *controller)
{
    const struct acting_options *o = a->options;
    return (struct act_options){.mode = o->mode_given ? o->mode : ACT_ADVISE,
                                .controller = controller->name,
                                .command = a->command,
                                .limit_ns = o->timeout_ns ? o->timeout_ns : TIMEOUT_DEFAULT_NS,
                                .state = a->state,
                                .lock = a->lock,
                                .log = o->log,
                                .kill_switch = o->kill_switch ? o->kill_switch : KILL_DEFAULT,
                                .limits = limits_of(o, controller),
                                .tell = complain};
}

int acting_begin(struct acting *a, const struct acting_controller *controller, const struct act_means *means,
                 uint64_t interval_ns, struct error *err)
{
    name_files(a, controller);
    if (acting_cut_command(a, controller->command, err) != 0)
        return -1;
    struct act_options o = options_of(a, controller);
    uint64_t stale_ns = STALE_INTERVALS * interval_ns;
    o.means = means;
    o.host_lock = a->options->hook ? NULL : HOST_LOCK;
    o.interval_ns = a->interval_ns = interval_ns;
    o.stale_ns = stale_ns > STALE_MIN_NS ? stale_ns : STALE_MIN_NS;
    o.protects = protects;
    o.protects_context = a;
    o.quiet = a->common->quiet;
    a->recording = o.mode == ACT_ENFORCE && is_recording(a->common);
    if (a->recording && !a->common->quiet)
        complain("the trace is a recording: what is set follows from what was then");
    a->act = act_start(&o, err);
    return a->act ? 0 : -1;
}

/* ---- deciding ---- */

const char *acting_name(const void *acting, int32_t domain, uint32_t life)
{
    const struct acting *a = acting;
    const char *given = a->names ? names_lookup(a->names, domain, life) : NULL;
    return given || !a->act || domain < 0 || domain > UINT16_MAX ? given : act_name(a->act, (uint16_t)domain);
}

name_lookup acting_name_of(const struct acting *a)
{
    return a->names || (a->act && acting_enforces(a->options)) ? acting_name : NULL;
}

int acting_decide(struct acting *a, uint64_t at_ns, struct act_guest *guests, size_t n)
{
    int status = act_decide(a->act, at_ns, guests, n, a->recording ? a->interval_ns : 0);
    for (size_t i = 0; i < n && a->options->mode_given && a->options->mode == ACT_OBSERVE; i++)
        *guests[i].command = '\0';
    return status;
}

void *acting_rows(struct acting *a, const struct relation *const relations[2], const void *rows, size_t n)
{
    size_t from = relations[0]->row_size, size = relations[1]->row_size;
    char *room = array_reserve(a->rows, &a->rows_capacity, n + 1, size);
    a->rows = room ? room : a->rows;
    void *guests = array_reserve(a->guests, &a->guests_capacity, n + 1, sizeof *a->guests);
    a->guests = guests ? guests : a->guests;
    if (!room || !guests)
        return NULL;
    memset(room, 0, n * size);
    for (size_t i = 0; i < n; i++)
        memcpy(room + i * size, (const char *)rows + i * from, from);
    return room;
}

/* ---- the end ---- */

int acting_end(struct acting *a, const char *why, struct error *err)
{
    int status = act_stop(a->act, why, err);
    a->act = NULL;
    free(a->hook);
    a->hook = NULL;
    return status;
}

void acting_free(struct acting *a)
{
    free(a->rows);
    free(a->guests);
}

int acting_restore(const struct acting_controller *controller, const struct acting_options *o, bool quiet)
{
    struct acting a = {.options = o};
    struct error err = {0};
    size_t guests = 0;
    name_files(&a, controller);
    if (acting_cut_command(&a, NULL, &err) != 0)
        return fail(NULL, &err);
    struct act_options options = options_of(&a, controller);
    options.command = o->hook ? a.command : NULL; /* else the one that has set it */
    options.quiet = quiet;
    int status = act_restore(&options, &guests, &err);
    free(a.hook);
    if (status != 0)
        return fail(NULL, &err);
    if (!quiet && guests == 0)
        complain("%s: there is nothing to give back", options.state);
    else if (!quiet)
        complain("what was set for %zu guest%s was given back", guests, guests > 1 ? "s" : "");
    return EXIT_DONE;
}

/* ---- an operator ---- */

int acting_ask(const struct acting_controller *controller, const struct acting_options *o,
               const struct request *r, bool quiet)
{
    struct acting a = {.options = o};
    struct error err = {0};
    bool handed_over = false;
    name_files(&a, controller);
    struct act_options options = options_of(&a, controller);
    options.command = NULL; /* the one that has set it */
    if (act_ask(&options, r, &handed_over, &err) != 0)
        return fail(NULL, &err);
    if (handed_over && !quiet)
        complain("process %ld is asked for it", act_owner(a.lock));
    return EXIT_DONE;
}

int acting_status(const struct acting_controller *controller, const struct acting_options *o,
                  const char *format)
{
    struct acting a = {.options = o};
    struct state state = {.guests = NULL};
    struct buffer text = {0};
    struct error err = {0};
    bool there;
    name_files(&a, controller);
    long owner = act_owner(a.lock);
    if (state_load(&state, a.state, &there, &err) != 0)
        return fail(NULL, &err);
    status_write(&text, format, controller->name, owner, &state);
    state_free(&state);
    struct output *output = text.failed ? NULL : output_open(NULL, &err);
    if (text.failed)
        error_no_memory(&err, "what is set");
    if (output && text.n > 0)
        output_write(output, text.at, text.n);
    buffer_free(&text);
    return output ? commit(&output, NULL) : fail(NULL, &err);
}
