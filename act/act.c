#include "act/act.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "act/keeper.h"
#include "act/lock.h"
#include "metrics/array.h"

#define TRIES       3
#define LOOK_MAX_NS 500000000u /* from one look at the kill switch and the time to the next, at most */

const char *const act_mode_names[] = {"observe", "advise", "enforce", NULL};

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
    int lock_fd, cancel_fd;
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
    size_t unreturned;
};

static uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* ---- what is known of the host ---- */

static struct known *find_known(const struct act *a, uint16_t domain)
{
    for (size_t i = 0; i < a->known_n; i++)
        if (a->known[i].domain == domain)
            return &a->known[i];
    return NULL;
}

/* The guest, made if need be; NULL: no memory. A name is kept when another one takes its place: it is one per reboot. */
static struct known *know(struct act *a, const struct host_guest *g)
{
    struct known *k = find_known(a, g->domain);
    if (k && strcmp(k->name, g->name) == 0)
        return k;
    char *name = strdup(g->name);
    struct known *all =
        name ? array_reserve(a->known, &a->known_capacity, a->known_n + 1, sizeof *all) : NULL;
    if (!all) {
        free(name);
        return NULL;
    }
    a->known = all;
    k = find_known(a, g->domain);
    if (k) /* the newest one is found first, from the front */
        all[a->known_n] = *k;
    k = k ? k : &all[a->known_n];
    a->known_n++;
    *k = (struct known){.domain = g->domain, .name = name};
    return k;
}

static void publish(struct act *a)
{
    const struct host_guests *guests = keeper_guests(a->keeper);
    pthread_mutex_lock(&a->mutex);
    for (size_t i = 0; i < guests->n; i++) {
        struct known *k = know(a, &guests->at[i]);
        if (!k)
            continue;
        k->guest = guests->at[i];
        k->refused = keeper_refuses(a->keeper, k->domain);
    }
    pthread_mutex_unlock(&a->mutex);
}

const char *act_name(struct act *a, uint16_t domain)
{
    pthread_mutex_lock(&a->mutex);
    const struct known *k = find_known(a, domain);
    const char *name = k && *k->name ? k->name : NULL;
    pthread_mutex_unlock(&a->mutex);
    return name;
}

/* ---- the worker ---- */

static bool kill_switch_is_there(const struct act_options *o)
{
    return o->kill_switch && access(o->kill_switch, F_OK) == 0;
}

/* Gives all back while the work goes on. */
static void halt(struct act *a, enum halt why, const char *text)
{
    size_t held = keeper_held(a->keeper), failed = keeper_release_all(a->keeper, text);
    if (held > 0 || why == HALT_KILLED)
        a->options.tell("%s: everything was given back%s", text,
                        failed ? ", but for what is said above" : "");
    pthread_mutex_lock(&a->mutex);
    a->halt = why;
    a->begin_anew = true;
    a->wanted_n = 0;
    pthread_mutex_unlock(&a->mutex);
}

/* Whether nothing may be set now. */
static bool is_halted(struct act *a)
{
    pthread_mutex_lock(&a->mutex);
    enum halt was = a->halt;
    bool stale = now_ns() - a->alive_ns >= a->options.stale_ns;
    if (was == HALT_STALE && !stale)
        a->halt = HALT_NOT;
    if (was == HALT_KILLED || stale)
        a->wanted_n = 0;
    pthread_mutex_unlock(&a->mutex);
    if (was != HALT_KILLED && kill_switch_is_there(&a->options))
        halt(a, HALT_KILLED, "the kill switch is there");
    else if (was == HALT_NOT && stale)
        halt(a, HALT_STALE, "no records have come for too long");
    return was == HALT_KILLED || stale || kill_switch_is_there(&a->options);
}

/* A copy of what is wanted, of which the worker knows then; NULL: no memory. *releases: those are first. */
static struct act_wish *take_wanted(struct act *a, size_t *releases, size_t *n)
{
    pthread_mutex_lock(&a->mutex);
    struct act_wish *wishes = malloc((a->wanted_n + 1) * sizeof *wishes);
    *n = *releases = 0;
    for (unsigned releasing = 2; wishes && releasing-- > 0;)
        for (size_t i = 0; i < a->wanted_n; i++) {
            if (a->wanted[i].release != (releasing == 1))
                continue;
            a->wanted[i].waits = false;
            *releases += releasing;
            wishes[(*n)++] = a->wanted[i].wish;
        }
    pthread_mutex_unlock(&a->mutex);
    return wishes;
}

static void do_round(struct act *a)
{
    size_t releases, n;
    struct act_wish *wishes = take_wanted(a, &releases, &n);
    if (wishes && keeper_round(a->keeper, wishes + releases, n - releases) == 0)
        for (size_t i = 0; i < releases; i++)
            keeper_release(a->keeper, wishes[i].domain);
    free(wishes);
    publish(a);
}

/* Whether the worker has not seen something yet. */
static bool something_waits(const struct act *a)
{
    for (size_t i = 0; i < a->wanted_n; i++)
        if (a->wanted[i].waits)
            return true;
    return false;
}

/* Waits until something is wanted, or that time; *waits: something is. False: it is over. */
static bool wait_for_work(struct act *a, uint64_t until_ns, bool *waits)
{
    const struct timespec until = {(time_t)(until_ns / 1000000000u), (long)(until_ns % 1000000000u)};
    int status = 0;
    pthread_mutex_lock(&a->mutex);
    a->round_done = !something_waits(a);
    pthread_cond_broadcast(&a->changed);
    while (!a->stop && !(*waits = something_waits(a)) && status == 0)
        status = pthread_cond_timedwait(&a->changed, &a->mutex, &until);
    bool goes_on = !a->stop;
    pthread_mutex_unlock(&a->mutex);
    return goes_on;
}

static void *work(void *context)
{
    struct act *a = context;
    uint64_t interval = a->options.interval_ns, last_ns = now_ns();
    uint64_t step = interval < LOOK_MAX_NS ? interval : LOOK_MAX_NS;
    bool waits = false;
    while (wait_for_work(a, now_ns() + step, &waits)) {
        if (is_halted(a) || (!waits && now_ns() - last_ns < interval))
            continue;
        last_ns = now_ns();
        do_round(a);
    }
    return NULL;
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
    if (kill_switch_is_there(o))
        return error_set(err, ERROR_USAGE, "%.200s: the kill switch is there: nothing may be set",
                         o->kill_switch);
    if (state_make_place(o->state, err) != 0 || state_make_place(o->lock, err) != 0 ||
        (a->lock_fd = lock_take(o->lock, 0, err)) < 0 || !(a->keeper = make_keeper(a, err)) ||
        give_back_leftovers(a, err) != 0)
        return -1;
    keeper_free(a->keeper); /* from here on by our own means */
    if (!(a->keeper = make_keeper(a, err)) || keeper_look(a->keeper, err) != 0)
        return -1;
    publish(a);
    return 0;
}

/* No signal is for the worker. */
static int start_worker(struct act *a, struct error *err)
{
    sigset_t all, before;
    a->cancel_fd = eventfd(0, EFD_CLOEXEC);
    if (a->cancel_fd < 0)
        return error_set(err, ERROR_IO, "no event for the commands: %s", strerror(errno));
    keeper_cancel_by(a->keeper, a->cancel_fd);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int why = pthread_create(&a->worker, NULL, work, a);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    a->works = why == 0;
    return why == 0 ? 0 : error_set(err, ERROR_IO, "no thread for the commands: %s", strerror(why));
}

static void init_shared(struct act *a)
{
    pthread_condattr_t attributes;
    pthread_mutex_init(&a->mutex, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&a->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    a->alive_ns = now_ns();
}

static int free_all(struct act *a, struct error *err)
{
    int status = log_close(a->log, err);
    keeper_free(a->keeper);
    governor_free(a->governor);
    lock_release(a->lock_fd);
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

struct act *act_start(const struct act_options *options, struct error *err)
{
    struct act *a = calloc(1, sizeof *a);
    struct error ignored;
    if (!a) {
        error_no_memory(err, "acting");
        return NULL;
    }
    a->options = *options;
    a->lock_fd = a->cancel_fd = -1;
    init_shared(a);
    command_prepare();
    bool fine = (a->governor = governor_new(&options->limits)) || error_no_memory(err, "acting") == 0;
    if (fine && options->log)
        fine = (a->log = log_open(options->log, options->controller, act_mode_names[options->mode], err));
    if (fine && options->mode == ACT_ENFORCE)
        fine = prepare(a, err) == 0 && start_worker(a, err) == 0;
    if (fine)
        return a;
    free_all(a, &ignored);
    return NULL;
}

/* ---- deciding ---- */

void act_alive(struct act *a)
{
    pthread_mutex_lock(&a->mutex);
    a->alive_ns = now_ns();
    pthread_mutex_unlock(&a->mutex);
}

static const char *refusal_of(const struct act *a, const struct act_guest *g, const struct known *k)
{
    const struct act_options *o = &a->options;
    const char *name = g->name ? g->name : k ? k->name : "";
    if (g->wish.domain == 0 || g->driver_domain)
        return "refused: a driver domain";
    if (o->protects && o->protects(o->protects_context, g->wish.domain, name))
        return "refused: protected";
    if (a->halt == HALT_KILLED)
        return "refused: the kill switch";
    if (k && k->refused)
        return strcmp(k->refused, "exempt") == 0 ? "refused: exempt" : "released: changed by others";
    return NULL;
}

/* Hands it to the worker. False: no memory. */
static bool want(struct act *a, const struct act_wish *wish, bool release)
{
    size_t i = 0;
    while (i < a->wanted_n && a->wanted[i].wish.domain != wish->domain)
        i++;
    if (i == a->wanted_n) {
        struct wanted *all = array_reserve(a->wanted, &a->wanted_capacity, i + 1, sizeof *all);
        if (!all)
            return false;
        a->wanted = all;
        all[a->wanted_n++] = (struct wanted){.waits = false};
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
    if (!release)
        m->text(m, &runner, g->wish.domain, value, g->command);
    return a->options.mode != ACT_ENFORCE || want(a, &g->wish, release) ? 0 : -1;
}

static void log_decision(struct act *a, uint64_t at_ns, const struct act_guest *g)
{
    if (!a->log)
        return;
    json_t *more = g->evidence ? json_loads(g->evidence, 0, NULL) : NULL;
    log_add(a->log, json_pack("{ss sI si ss* sI sI sb ss ss so*}", "event", "decision", "at_ns",
                              (json_int_t)at_ns, "domain", (int)g->wish.domain, "name", g->name, "level_ppm",
                              (json_int_t)g->wish.level_ppm, "top_ppm", (json_int_t)g->top_ppm, "lossy",
                              g->lossy, "decision", g->decision, "command", g->command, "evidence", more));
}

static int decide(struct act *a, uint64_t at_ns, struct act_guest *g)
{
    const struct known *k = find_known(a, g->wish.domain);
    const char *refusal = refusal_of(a, g, k);
    *g->command = '\0';
    if (refusal) {
        governor_forget(a->governor, g->wish.domain);
        snprintf(g->decision, sizeof g->decision, "%s", refusal);
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
    uint64_t until_ns = now_ns() + wait_ns;
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
    a->alive_ns = now_ns();
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

static void stop_worker(struct act *a)
{
    const uint64_t one = 1;
    pthread_mutex_lock(&a->mutex);
    a->stop = true;
    pthread_cond_broadcast(&a->changed);
    pthread_mutex_unlock(&a->mutex);
    ssize_t ignored = write(a->cancel_fd, &one, sizeof one);
    (void)ignored;
    pthread_join(a->worker, NULL);
    keeper_cancel_by(a->keeper, -1);
}

int act_stop(struct act *a, const char *why, struct error *err)
{
    size_t failed = 0, held = 0;
    struct error of_log;
    if (!a)
        return 0;
    if (a->works) {
        stop_worker(a);
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

int act_restore(const struct act_options *options, size_t *guests, struct error *err)
{
    struct act *a = calloc(1, sizeof *a);
    struct error of_log;
    if (!a)
        return error_no_memory(err, "acting");
    a->options = *options;
    a->lock_fd = a->cancel_fd = -1;
    init_shared(a);
    command_prepare();
    size_t failed = 0;
    int status = -1;
    if ((!options->log || (a->log = log_open(options->log, "restore", "enforce", err))) &&
        state_make_place(options->lock, err) == 0 &&
        (a->lock_fd = lock_take(options->lock, ACT_RESTORE_WAIT_NS, err)) >= 0 &&
        (a->keeper = make_keeper(a, err)) && keeper_adopt(a->keeper, options->command, err) == 0) {
        *guests = keeper_held(a->keeper);
        failed = keeper_release_all(a->keeper, "restore");
        status = failed == 0 ? 0
                             : error_set(err, ERROR_IO, "%.200s: still has what %zu guests had before",
                                         options->state, failed);
    }
    if (free_all(a, status == 0 ? err : &of_log) != 0)
        status = -1;
    return status;
}
