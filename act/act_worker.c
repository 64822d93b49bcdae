/* The thread that carries decisions out, and watches the time and the kill switch. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "act/act_worker.h"
#include "host/io_clock.h"
#include "metrics/array.h"

#define LOOK_MAX_NS 100000000u /* from one look at the kill switch and the time to the next, at most */

/* ---- what is known of the host ---- */

struct known *act_known(const struct act *a, uint16_t domain)
{
    for (size_t i = 0; i < a->known_n; i++)
        if (a->known[i].domain == domain)
            return &a->known[i];
    return NULL;
}

/* The guest, made if need be; NULL: no memory. A name is kept when another one takes its place: it is one per reboot. */
static struct known *know(struct act *a, const struct host_guest *g)
{
    struct known *k = act_known(a, g->domain);
    if (k && strcmp(k->name, g->name) == 0)
        return k;
    char *name = strdup(g->name);
    if (!name || !array_make_room(&a->known, &a->known_capacity, a->known_n + 1, sizeof *a->known)) {
        free(name);
        return NULL;
    }
    k = act_known(a, g->domain);
    if (k) /* the newest one is found first, from the front */
        a->known[a->known_n] = *k;
    k = k ? k : &a->known[a->known_n];
    a->known_n++;
    *k = (struct known){.domain = g->domain, .name = name};
    return k;
}

void act_publish(struct act *a)
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

/* ---- its rounds ---- */

bool act_kill_switch_is_there(const struct act_options *o)
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
    bool stale = io_clock_ns() - a->alive_ns >= a->options.stale_ns;
    if (was == HALT_STALE && !stale)
        a->halt = HALT_NOT;
    if (was == HALT_KILLED || stale)
        a->wanted_n = 0;
    pthread_mutex_unlock(&a->mutex);
    if (was != HALT_KILLED && act_kill_switch_is_there(&a->options))
        halt(a, HALT_KILLED, "the kill switch is there");
    else if (was == HALT_NOT && stale)
        halt(a, HALT_STALE, "no records have come for too long");
    return was == HALT_KILLED || stale || act_kill_switch_is_there(&a->options);
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
    if (wishes)
        keeper_round(a->keeper, wishes, releases, n);
    free(wishes);
    act_publish(a);
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

static void take_request(void *context, const struct request *r)
{
    struct act *a = context;
    keeper_request(a->keeper, r);
    pthread_mutex_lock(&a->mutex);
    a->begin_anew = true;
    pthread_mutex_unlock(&a->mutex);
    act_publish(a);
}

static void *work(void *context)
{
    struct act *a = context;
    uint64_t interval = a->options.interval_ns, last_ns = io_clock_ns();
    uint64_t step = interval < LOOK_MAX_NS ? interval : LOOK_MAX_NS;
    bool waits = false;
    while (wait_for_work(a, io_clock_ns() + step, &waits)) {
        requests_take(a->options.state, take_request, a);
        if (is_halted(a) || (!waits && io_clock_ns() - last_ns < interval))
            continue;
        last_ns = io_clock_ns();
        do_round(a);
    }
    return NULL;
}

/* ---- beginning and end ---- */

/* No signal is for the worker. */
int act_worker_start(struct act *a, struct error *err)
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

void act_worker_stop(struct act *a)
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
