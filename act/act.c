#include "act/act.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "act/act_worker.h"
#include "act/lock.h"
#include "formats/json_memory.h"
#include "host/io_clock.h"
#include "metrics/array.h"

#define TRIES 3

const char *const act_mode_names[] = {"observe", "advise", "enforce", NULL};

const char *act_name(struct act *a, uint16_t domain)
{
    pthread_mutex_lock(&a->mutex);
    const struct known *k = act_known(a, domain);
    const char *name = k && *k->name ? k->name : NULL;
    pthread_mutex_unlock(&a->mutex);
    return name;
}

/* ---- beginning ---- */

static int give_back_leftovers(struct act *a, struct error *err)
{
    size_t held = keeper_held(a->keeper);
    if (held == 0)
        return 0;
    a->options.tell(
        "a process before this one has not given back what it set for %zu guest%s: it is given back now",
        held, held > 1 ? "s" : "");
    if (keeper_adopt(a->keeper, NULL, err) != 0)
        return -1;
    if (keeper_release_all(a->keeper, "left by another process") == 0)
        return 0;
    return error_set(err, ERROR_IO, "%.200s: what is in it could not be given back", a->options.state);
}

static struct keeper *make_keeper(const struct act *a, struct error *err)
{
    const struct act_options *o = &a->options;
    const struct keeper_options keeper = {
        .means = o->means,
        .runner = {.command = o->command, .limit_ns = o->limit_ns, .tries = TRIES, .cancel_fd = -1},
        .state = o->state,
        .log = a->log,
        .tell = o->tell};
    return keeper_new(&keeper, err);
}

/* All that enforcing needs, up to the first look at the host. */
static int prepare(struct act *a, struct error *err)
{
    const struct act_options *o = &a->options;
    if (act_kill_switch_is_there(o))
        return error_set(err, ERROR_USAGE, "%.200s: the kill switch is there: nothing may be set",
                         o->kill_switch);
    if (state_make_place(o->state, err) != 0 || state_make_place(o->lock, err) != 0 ||
        (a->lock_fd = lock_take(o->lock, 0, err)) < 0 ||
        (o->host_lock && (state_make_place(o->host_lock, err) != 0 ||
                          (a->host_lock_fd = lock_take(o->host_lock, 0, err)) < 0)) ||
        !(a->keeper = make_keeper(a, err)) || give_back_leftovers(a, err) != 0)
        return -1;
    keeper_free(a->keeper); /* from here on by our own means */
    if (!(a->keeper = make_keeper(a, err)) || keeper_look(a->keeper, err) != 0)
        return -1;
    act_publish(a);
    return 0;
}

static void init_shared(struct act *a)
{
    pthread_condattr_t attributes;
    pthread_mutex_init(&a->mutex, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&a->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    a->alive_ns = io_clock_ns();
}

static int free_all(struct act *a, struct error *err)
{
    int status = log_close(a->log, err);
    keeper_free(a->keeper);
    governor_free(a->governor);
    lock_release(a->lock_fd);
    lock_release(a->host_lock_fd);
    if (a->cancel_fd >= 0)
        close(a->cancel_fd);
    for (size_t i = 0; i < a->known_n; i++)
        free(a->known[i].name);
    free(a->known);
    free(a->wanted);
    pthread_cond_destroy(&a->changed);
    pthread_mutex_destroy(&a->mutex);
    free(a);
    return status;
}

/* Without a lock or a thread. NULL with `err` filled. */
static struct act *new_act(const struct act_options *options, struct error *err)
{
    struct act *a = calloc(1, sizeof *a);
    if (!a) {
        error_no_memory(err, "acting");
        return NULL;
    }
    a->options = *options;
    a->lock_fd = a->host_lock_fd = a->cancel_fd = -1;
    init_shared(a);
    command_prepare();
    return a;
}

struct act *act_start(const struct act_options *options, struct error *err)
{
    struct error ignored;
    struct act *a = new_act(options, err);
    if (!a)
        return NULL;
    bool fine = (a->governor = governor_new(&options->limits)) || error_no_memory(err, "acting") == 0;
    if (fine && options->log)
        fine = (a->log = log_open(options->log, options->controller, act_mode_names[options->mode], err));
    if (fine && options->mode == ACT_ENFORCE)
        fine = prepare(a, err) == 0 && act_worker_start(a, err) == 0;
    if (fine)
        return a;
    free_all(a, &ignored);
    return NULL;
}

/* ---- deciding ---- */

void act_alive(struct act *a)
{
    pthread_mutex_lock(&a->mutex);
    a->alive_ns = io_clock_ns();
    pthread_mutex_unlock(&a->mutex);
}

static const char *refusal_of(const struct act *a, const struct act_guest *g, const struct known *k)
{
    const struct act_options *o = &a->options;
    const char *name = *g->wish.name ? g->wish.name : k ? k->name : "";
    if (g->wish.domain == 0 || g->driver_domain)
        return "a driver domain";
    if (o->protects && o->protects(o->protects_context, g->wish.domain, name))
        return "protected";
    if (a->halt == HALT_KILLED)
        return "the kill switch";
    return k ? k->refused : NULL;
}

/* Hands it to the worker. False: no memory. */
static bool want(struct act *a, const struct act_wish *wish, bool release)
{
    size_t i = 0;
    while (i < a->wanted_n && a->wanted[i].wish.domain != wish->domain)
        i++;
    if (i == a->wanted_n) {
        if (!array_make_room(&a->wanted, &a->wanted_capacity, i + 1, sizeof *a->wanted))
            return false;
        a->wanted[a->wanted_n++] = (struct wanted){.waits = false};
    }
    a->skipped += a->wanted[i].waits;
    a->wanted[i] = (struct wanted){*wish, release, true};
    return true;
}

/* The command that carries the decision out, and its hand-over. */
static int carry_out(struct act *a, struct act_guest *g, const struct known *k, bool release)
{
    const struct act_means *m = a->options.means;
    const struct act_runner runner = {.command = a->options.command};
    char value[ACT_VALUE_BYTES];
    m->value(m, &g->wish, k ? &k->guest : NULL, value);
    release |= m->neutral && strcmp(value, m->neutral) == 0;
    if (!release || m->neutral)
        m->text(m, &runner, g->wish.domain, value, g->command);
    return a->options.mode != ACT_ENFORCE || want(a, &g->wish, release) ? 0 : -1;
}

void act_note(struct act *a, json_t *object)
{
    log_add(a->log, object);
}

static void log_decision(struct act *a, uint64_t at_ns, const struct act_guest *g)
{
    if (!a->log)
        return;
    json_t *more = *g->wish.evidence ? json_parse(g->wish.evidence, strlen(g->wish.evidence), NULL) : NULL;
    log_add(a->log,
            json_pack("{ss sI si ss* sI sI sb ss ss so*}", "event", "decision", "at_ns", (json_int_t)at_ns,
                      "domain", (int)g->wish.domain, "name", *g->wish.name ? g->wish.name : NULL, "level_ppm",
                      (json_int_t)g->wish.level_ppm, "top_ppm", (json_int_t)g->top_ppm, "lossy", g->lossy,
                      "decision", g->decision, "command", g->command, "evidence", more));
}

static int decide(struct act *a, uint64_t at_ns, struct act_guest *g)
{
    const struct known *k = act_known(a, g->wish.domain);
    const char *refusal = refusal_of(a, g, k);
    *g->command = '\0';
    if (refusal) {
        governor_forget(a->governor, g->wish.domain);
        snprintf(g->decision, sizeof g->decision, "refused: %s", refusal);
        return 0;
    }
    int verdict =
        governor_judge(a->governor, g->wish.domain, at_ns, &g->wish.level_ppm, g->top_ppm, g->lossy);
    if (verdict < 0)
        return -1;
    snprintf(g->decision, sizeof g->decision, "%s", governor_words[verdict]);
    if (verdict == GOVERN_SET || verdict == GOVERN_FREEZE || verdict == GOVERN_RELEASE)
        return carry_out(a, g, k, verdict == GOVERN_RELEASE);
    return 0;
}

static void tell_freezes(const struct act *a, const struct act_guest *guests, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(guests[i].decision, governor_words[GOVERN_FREEZE]) == 0)
            a->options.tell(
                "domain %u: what it may have goes up and down again and again: it is frozen at %.3f%%",
                guests[i].wish.domain, (double)guests[i].wish.level_ppm / 1e4);
}

/* Waits until the worker has seen everything and is done with it. */
static void wait_for_worker(struct act *a, uint64_t wait_ns)
{
    uint64_t until_ns = io_clock_ns() + wait_ns;
    const struct timespec until = {(time_t)(until_ns / 1000000000u), (long)(until_ns % 1000000000u)};
    int status = 0;
    a->round_done = false;
    pthread_cond_broadcast(&a->changed);
    while (status == 0 && !a->round_done)
        status = pthread_cond_timedwait(&a->changed, &a->mutex, &until);
}

int act_decide(struct act *a, uint64_t at_ns, struct act_guest *guests, size_t n, uint64_t wait_ns)
{
    int status = 0;
    pthread_mutex_lock(&a->mutex);
    uint64_t skipped = a->skipped;
    a->alive_ns = io_clock_ns();
    if (a->begin_anew)
        governor_forget_all(a->governor);
    a->begin_anew = false;
    for (size_t i = 0; i < n && status == 0; i++)
        status = decide(a, at_ns, &guests[i]);
    bool slow = a->skipped > skipped && !a->told_slow;
    a->told_slow |= slow;
    pthread_cond_broadcast(&a->changed);
    if (a->works && wait_ns > 0 && status == 0)
        wait_for_worker(a, wait_ns);
    pthread_mutex_unlock(&a->mutex);
    for (size_t i = 0; i < n && status == 0; i++)
        log_decision(a, at_ns, &guests[i]);
    tell_freezes(a, guests, n);
    if (slow)
        a->options.tell("the commands take longer than the feedback interval: decisions that newer ones have "
                        "overtaken are skipped");
    return status;
}

/* ---- the end ---- */

int act_stop(struct act *a, const char *why, struct error *err)
{
    size_t failed = 0, held = 0;
    struct error of_log;
    if (!a)
        return 0;
    if (a->works) {
        act_worker_stop(a);
        held = keeper_held(a->keeper);
        failed = keeper_release_all(a->keeper, why);
    }
    if (held > failed && !a->options.quiet)
        a->options.tell("%s: what was set for %zu guest%s was given back", why, held - failed,
                        held - failed > 1 ? "s" : "");
    if (a->skipped > 0 && !a->options.quiet)
        a->options.tell("%llu decisions were skipped", (unsigned long long)a->skipped);
    if (failed > 0)
        error_set(err, ERROR_IO,
                  "%.180s: has what %zu guests had before: \"xenmeter debt --restore\" tries again",
                  a->options.state, failed);
    if (free_all(a, failed > 0 ? &of_log : err) != 0)
        return -1;
    return failed > 0 ? -1 : 0;
}

long act_owner(const char *lock)
{
    return lock_owner(lock);
}

/* Whatever is done without a worker: by the state's own means. -1 with `err` filled, `a` freed. */
static struct act *open_idle(const struct act_options *options, const char *controller, uint64_t wait_ns,
                             struct error *err)
{
    struct error ignored;
    struct act *a = new_act(options, err);
    if (!a)
        return NULL;
    if ((!options->log || (a->log = log_open(options->log, controller, "enforce", err))) &&
        state_make_place(options->lock, err) == 0 &&
        (a->lock_fd = lock_take(options->lock, wait_ns, err)) >= 0 && (a->keeper = make_keeper(a, err)) &&
        keeper_adopt(a->keeper, options->command, err) == 0)
        return a;
    free_all(a, &ignored);
    return NULL;
}

int act_ask(const struct act_options *options, const struct request *r, bool *handed_over, struct error *err)
{
    *handed_over = lock_owner(options->lock) != 0;
    if (*handed_over)
        return requests_add(options->state, r, err);
    struct act *a = open_idle(options, "operator", 0, err);
    if (!a)
        return -1;
    int status = keeper_request(a->keeper, r);
    if (status != 0)
        error_set(err, ERROR_IO, "%.200s: still has what a guest had before", options->state);
    struct error of_log;
    return free_all(a, status == 0 ? err : &of_log) == 0 ? status : -1;
}

int act_restore(const struct act_options *options, size_t *guests, struct error *err)
{
    struct act *a = open_idle(options, "restore", ACT_RESTORE_WAIT_NS, err);
    struct error of_log;
    if (!a)
        return -1;
    *guests = keeper_held(a->keeper);
    size_t failed = keeper_release_all(a->keeper, "restore");
    int status = failed == 0 ? 0
                             : error_set(err, ERROR_IO, "%.200s: still has what %zu guests had before",
                                         options->state, failed);
    return free_all(a, status == 0 ? err : &of_log) == 0 ? status : -1;
}
