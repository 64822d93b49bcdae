/* The folder of the archives, as the recorder finds and keeps it. */
#include "recorder_state.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "archive/archive.h"
#include "metrics/human.h"
#include "metrics/min_max.h"
#include "record/salvage.h"

/* What should be left for what comes: */
#define ROOM_MOST    ((uint64_t)16 << 20)
#define ROOM_LEAST   ((uint64_t)1 << 20)
#define ROOM_OF_FREE 4 /* this part of what is to stay free */

/* Calls `visit` with the path of each file in this state, in order; it returns false to end. -1 with `err` filled. */
static int each_file(struct recorder *r, enum store_state state,
                     bool (*visit)(struct recorder *r, const char *path, const struct store_name *name),
                     struct error *err)
{
    struct store_file *list;
    size_t n;
    char path[PATH_MAX];
    int status = 0;
    if (store_list(r->store, &list, &n, err) != 0)
        return -1;
    for (size_t i = 0; i < n && status == 0; i++)
        if (list[i].name.state == state) {
            status = store_path(r->store, &list[i].name, path, err);
            if (status == 0 && !visit(r, path, &list[i].name))
                break;
        }
    free(list);
    return status;
}

/* ---- what a crash has left ---- */

/* A dump that was being written is not complete, and cannot be completed: its file is kept as one that is damaged. */
static bool set_aside(struct recorder *r, const char *path, const struct store_name *name)
{
    struct store_name damaged = *name;
    char to[PATH_MAX];
    struct error why;
    damaged.state = STORE_DAMAGED;
    if (store_path(r->store, &damaged, to, &why) != 0 || rename(path, to) != 0)
        recorder_say(r, true, "%s: cannot be renamed", path);
    else
        recorder_say(r, true, "%s: the dump was not completed: it is %s now", path, to);
    return true;
}

static bool salvage(struct recorder *r, const char *path, const struct store_name *name)
{
    struct salvage_result result;
    struct error why = {0};
    if (name->dump)
        return set_aside(r, path, name);
    if (salvage_partial(path, &result, &why) == 0)
        recorder_say(r, false, "%s: completed, %.9g s", path, (double)result.duration_ns / 1e9);
    else
        recorder_say(r, true, "%s: %s: %s", path,
                     result.nothing ? "nothing can be completed" : "not completed", why.message);
    return true;
}

int recorder_salvage(struct recorder *r, struct error *err)
{
    return each_file(r, STORE_PARTIAL, salvage, err);
}

/* ---- the last archive ---- */

static int add_facts(struct archive *a, const struct capture *p, struct host_facts *facts, struct error *err)
{
    const uint8_t *text;
    for (size_t i = 0; i < p->members_n; i++) {
        const struct member *m = &p->members[i];
        if (m->kind == MEMBER_HOST && (archive_read(a, p, m, &text, err) != 0 ||
                                       host_facts_read(facts, (const char *)text, m->bytes, err) != 0))
            return -1;
    }
    return 0;
}

static bool look_at(struct recorder *r, const char *path, const struct store_name *name)
{
    struct host_facts facts = {0};
    struct error err;
    struct archive *a = name->dump ? NULL : archive_open(path, &err);
    const struct capture *captures;
    size_t n = a ? archive_captures(a, &captures) : 0;
    int64_t utc_ns;
    const struct capture *last = n > 0 ? &captures[n - 1] : NULL;
    if (last && add_facts(a, last, &facts, &err) == 0 &&
        host_facts_utc(&facts, last->cpu_hz, last->tsc_last, &utc_ns, NULL) && utc_ns > r->ended_utc_ns)
        r->ended_utc_ns = utc_ns;
    host_facts_free(&facts);
    archive_close(a);
    return true;
}

static bool note_last(struct recorder *r, const char *path, const struct store_name *name)
{
    if (name->dump)
        return true;
    if (name->hour != r->last_name.hour)
        r->ended_utc_ns = 0;
    else if (strcmp(name->boot, r->last_name.boot) != 0) /* their order in the folder is not that of time */
        look_at(r, r->path, &r->last_name);
    snprintf(r->path, sizeof r->path, "%s", path);
    r->last_name = *name;
    return true;
}

void recorder_find_last(struct recorder *r)
{
    struct error err;
    *r->path = '\0';
    each_file(r, STORE_COMPLETE, note_last, &err);
    if (*r->path) {
        look_at(r, r->path, &r->last_name);
        snprintf(r->interruption, sizeof r->interruption, "the recorder did not run");
    }
}

/* ---- the open archive ---- */

static bool stat_open(const struct recorder *r, struct stat *st)
{
    char path[PATH_MAX + sizeof ".partial"];
    snprintf(path, sizeof path, "%s.partial", r->path);
    errno = 0;
    return r->open && stat(path, st) == 0;
}

int recorder_check_open(const struct recorder *r, struct error *err)
{
    struct stat st;
    if (!r->open || stat_open(r, &st) || (errno != ENOENT && errno != ENOTDIR))
        return 0;
    return error_set(err, ERROR_IO, "%.150s.partial, which was being written, was removed, or its folder was",
                     r->path);
}

uint64_t recorder_open_bytes(const struct recorder *r)
{
    struct stat st;
    return stat_open(r, &st) ? (uint64_t)st.st_size : 0;
}

/* ---- room ---- */

static void say_removed(const struct recorder *r, const struct store_pruned *p)
{
    char bytes[HUMAN_BYTES];
    if (p->files > 0)
        recorder_say(r, false, "removed the %zu oldest files, %s: %s", p->files, human_bytes(bytes, p->bytes),
                     p->why & STORE_FREE    ? "the file system is full"
                     : p->why & STORE_BYTES ? "they are too many"
                     : p->why & STORE_DUMPS ? "there are more dumps than are kept"
                                            : "they are old");
}

int recorder_make_room(struct recorder *r, struct error *err)
{
    struct store_limits limits = r->limits;
    struct store_pruned pruned;
    struct store_usage usage;
    uint64_t room = min64(ROOM_MOST, max64(limits.min_free_bytes / ROOM_OF_FREE, ROOM_LEAST));
    if (limits.keep_bytes)
        room = min64(room, store_room_reserve(limits.keep_bytes));
    room += recorder_flight_room(r);
    if (r->o->stop_when_full) { /* what is old goes all the same */
        if (store_usage(r->store, &usage, err) != 0)
            return -1;
        if (limits.keep_bytes && usage.bytes + room > limits.keep_bytes)
            return error_set(err, ERROR_IO,
                             "the archives have %" PRIu64 " bytes: no more may be kept (--keep-bytes)",
                             usage.bytes);
        if (usage.free_bytes < limits.min_free_bytes + room)
            return error_set(err, ERROR_IO, "%.200s: only %" PRIu64 " bytes are free (--min-free)",
                             r->o->folder, usage.free_bytes);
        limits.keep_bytes = limits.min_free_bytes = 0;
    }
    if (store_prune(r->store, &limits, (uint64_t)recorder_utc_believed(r), room, &pruned, err) != 0)
        return -1;
    uint64_t files = atomic_exchange(&r->room.files, 0); /* those that made room for a write */
    pruned.files += files;
    pruned.bytes += atomic_exchange(&r->room.bytes, 0);
    pruned.why |= files > 0 ? STORE_BYTES : 0;
    say_removed(r, &pruned);
    if (pruned.broken & (STORE_BYTES | STORE_FREE))
        return error_set(err, ERROR_IO, "%.150s: %s, and there is no archive that could be removed",
                         r->o->folder,
                         pruned.broken & STORE_FREE ? "too little of the file system is free (--min-free)"
                                                    : "more is kept than may be (--keep-bytes)");
    return 0;
}

/* ---- traces that are kept for a time ---- */

void recorder_trim(struct recorder *r)
{
    if (r->trimmer)
        trimmer_run(r->trimmer, (uint64_t)recorder_utc_believed(r));
}

void recorder_trimmed(struct recorder *r)
{
    char bytes[HUMAN_BYTES];
    if (!r->trimmer)
        return;
    const struct trimmed done = trimmer_take(r->trimmer);
    if (done.archives > 0)
        recorder_say(r, false, "the traces of %" PRIu32 " archives are not kept any more: %s less",
                     done.archives, human_bytes(bytes, done.bytes));
    if (done.error.code != ERROR_NONE)
        recorder_say(r, true, "%s", done.error.message);
}
