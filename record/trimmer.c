#include "record/trimmer.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "archive/without_trace.h"
#include "parser/thread.h"

struct trimmer {
    struct store_room *room;
    struct store *store; /* its */
    uint64_t keep_ns;
    struct store_name
        last; /* the newest archive that has no trace any more; all before it have none either */
    bool has_last;
    pthread_t thread;
    bool has_thread;
    pthread_mutex_t lock; /* of all below */
    pthread_cond_t changed;
    bool wanted, ending;
    uint64_t now_utc_ns;
    struct trimmed done;
};

/* ---- the thread ---- */

static bool is_ending(struct trimmer *t)
{
    pthread_mutex_lock(&t->lock);
    bool ending = t->ending;
    pthread_mutex_unlock(&t->lock);
    return ending;
}

static bool is_due(const struct trimmer *t, const struct store_file *f, uint64_t now_utc_ns)
{
    return f->name.state == STORE_COMPLETE && !f->name.dump &&
           store_ended_before(t->store, &f->name, now_utc_ns, t->keep_ns) &&
           !(t->has_last && store_name_compare(&f->name, &t->last) <= 0);
}

static void note(struct trimmer *t, const char *path, uint64_t freed, const struct error *why)
{
    pthread_mutex_lock(&t->lock);
    t->done.archives += freed > 0;
    t->done.bytes += freed;
    if (why)
        error_set(&t->done.error, why->code, "%.200s: its trace is still kept: %.150s", path, why->message);
    pthread_mutex_unlock(&t->lock);
}

/* False: it has its trace still. One that was removed meanwhile is none. */
static bool trim(struct trimmer *t, const struct store_name *name)
{
    char path[PATH_MAX];
    struct error why = {0};
    uint64_t freed = 0;
    const struct write_limit limit = {t->room, store_room_for};
    if (store_path(t->store, name, path, &why) != 0)
        return false;
    bool trimmed = archive_drop_trace(path, &limit, &freed, &why) == 0 || access(path, F_OK) != 0;
    note(t, path, freed, trimmed ? NULL : &why);
    return trimmed;
}

static void trim_all(struct trimmer *t, uint64_t now_utc_ns)
{
    struct store_file *list;
    size_t n;
    struct error why = {0};
    bool all = true;
    if (store_list(t->store, &list, &n, &why) != 0) {
        note(t, "the folder", 0, &why);
        return;
    }
    for (size_t i = 0; i < n && !is_ending(t); i++) {
        if (!is_due(t, &list[i], now_utc_ns))
            continue;
        all = trim(t, &list[i].name) && all;
        if (all) {
            t->last = list[i].name;
            t->has_last = true;
        }
    }
    free(list);
}

static void *work(void *context)
{
    struct trimmer *t = context;
    pthread_mutex_lock(&t->lock);
    while (!t->ending) {
        if (!t->wanted) {
            pthread_cond_wait(&t->changed, &t->lock);
            continue;
        }
        uint64_t now_utc_ns = t->now_utc_ns;
        t->wanted = false;
        pthread_mutex_unlock(&t->lock);
        trim_all(t, now_utc_ns);
        pthread_mutex_lock(&t->lock);
    }
    pthread_mutex_unlock(&t->lock);
    return NULL;
}

/* ---- who asks ---- */

void trimmer_run(struct trimmer *t, uint64_t now_utc_ns)
{
    pthread_mutex_lock(&t->lock);
    t->wanted = true;
    t->now_utc_ns = now_utc_ns;
    pthread_cond_broadcast(&t->changed);
    pthread_mutex_unlock(&t->lock);
}

struct trimmed trimmer_take(struct trimmer *t)
{
    pthread_mutex_lock(&t->lock);
    struct trimmed done = t->done;
    t->done = (struct trimmed){0};
    pthread_mutex_unlock(&t->lock);
    return done;
}

struct trimmer *trimmer_new(struct store_room *room, uint64_t keep_ns, struct error *err)
{
    struct trimmer *t = calloc(1, sizeof *t);
    if (!t) {
        error_no_memory(err, "the trimmer of archives");
        return NULL;
    }
    t->room = room;
    t->store = room->store;
    t->keep_ns = keep_ns;
    pthread_mutex_init(&t->lock, NULL);
    pthread_cond_init(&t->changed, NULL);
    t->has_thread = thread_begin(&t->thread, "trimmer", work, t);
    if (t->has_thread)
        return t;
    trimmer_free(t);
    error_no_memory(err, "a thread that trims archives");
    return NULL;
}

void trimmer_free(struct trimmer *t)
{
    if (!t)
        return;
    pthread_mutex_lock(&t->lock);
    t->ending = true;
    pthread_cond_broadcast(&t->changed);
    pthread_mutex_unlock(&t->lock);
    if (t->has_thread)
        pthread_join(t->thread, NULL);
    pthread_cond_destroy(&t->changed);
    pthread_mutex_destroy(&t->lock);
    free(t);
}
