#include "record/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "act/lock.h"
#include "archive/manifest.h"
#include "formats/output.h"
#include "metrics/array.h"
#include "metrics/min_max.h"
#include "record/store_bytes.h"

#define LOCK_WAIT_NS 3000000000u /* what a recorder that has died had started may still be ending */
#define FLIGHT       "flight"
#define SECOND_NS    1000000000u
#define YEAR_NS      31556952000000000u /* of the calendar, on the mean */

struct store {
    struct store_options options;
    char *dir, *home;         /* DIR, DIR/HOST */
    int lock;                 /* -1: none */
    pthread_mutex_t removing; /* one removes at a time */
};

static uint64_t statvfs_free(void *context, const char *dir)
{
    struct statvfs v;
    (void)context;
    return statvfs(dir, &v) == 0 ? (uint64_t)v.f_bavail * v.f_frsize : UINT64_MAX;
}

static uint64_t free_bytes(const struct store *s)
{
    return s->options.free_bytes(s->options.context, s->dir);
}

/* ---- folders ---- */

static int make_folder(const char *path, struct error *err)
{
    if (mkdir(path, 0755) == 0) {
        output_sync_folder(path);
        return 0;
    }
    struct stat st;
    if (errno == EEXIST && stat(path, &st) == 0)
        errno = S_ISDIR(st.st_mode) ? 0 : ENOTDIR;
    return errno == 0 ? 0 : error_set(err, ERROR_IO, "%.200s: cannot be made: %s", path, strerror(errno));
}

/* A folder's entries. NULL: it cannot be read; *status is 0 if it does not exist. */
static DIR *open_folder(const char *path, int *status, struct error *err)
{
    DIR *folder = opendir(path);
    *status = folder || errno == ENOENT
                  ? 0
                  : error_set(err, ERROR_IO, "%.200s: cannot be read: %s", path, strerror(errno));
    return folder;
}

/* Whether this is "`.xenmeter-PID-N.tmp", and there is no such process. */
static bool is_stale(const char *name)
{
    long pid;
    unsigned serial;
    char again[64];
    if (sscanf(name, ".xenmeter-%ld-%u.tmp", &pid, &serial) != 2 || pid <= 0)
        return false;
    snprintf(again, sizeof again, ".xenmeter-%ld-%u.tmp", pid, serial);
    return strcmp(name, again) == 0 && kill((pid_t)pid, 0) != 0 && errno == ESRCH;
}

/* What an archive left that was being salvaged. */
static void remove_stale(const char *path)
{
    struct error ignored;
    int status;
    DIR *folder = open_folder(path, &status, &ignored);
    for (struct dirent *e; folder && (e = readdir(folder));)
        if (is_stale(e->d_name))
            unlinkat(dirfd(folder), e->d_name, 0);
    if (folder)
        closedir(folder);
}

static int take_lock(struct store *s, struct error *err)
{
    char path[PATH_MAX];
    if (snprintf(path, sizeof path, "%s/" STORE_LOCK, s->dir) >= (int)sizeof path)
        return error_set(err, ERROR_IO, "the folder's name is too long");
    s->lock = lock_take(path, LOCK_WAIT_NS, err);
    if (s->lock >= 0) /* a command that outlives the recorder does not keep the folder */
        return fcntl(s->lock, F_SETFD, FD_CLOEXEC) == 0 ? 0 : error_set(err, ERROR_IO, "%s", strerror(errno));
    long owner = lock_owner(path);
    return owner ? error_set(err, ERROR_IO, "%.200s: another xenmeter (process %ld) records to this folder",
                             s->dir, owner)
                 : -1;
}

static int open_store(struct store *s, struct error *err)
{
    const struct store_options *o = &s->options;
    s->dir = strdup(o->dir);
    if (!s->dir || asprintf(&s->home, "%s/%s", o->dir, o->host) < 0) {
        s->home = NULL;
        return error_no_memory(err, "the folder of archives");
    }
    if (o->reading)
        return 0;
    if (make_folder(s->dir, err) != 0 || take_lock(s, err) != 0 || make_folder(s->home, err) != 0)
        return -1;
    remove_stale(s->home);
    return 0;
}

struct store *store_open(const struct store_options *o, struct error *err)
{
    if (!host_label_fine(o->host)) {
        error_set(err, ERROR_USAGE, "%.60s: no label that a host can have", o->host);
        return NULL;
    }
    struct store *s = calloc(1, sizeof *s);
    if (!s) {
        error_no_memory(err, "the folder of archives");
        return NULL;
    }
    s->options = *o;
    s->lock = -1;
    pthread_mutex_init(&s->removing, NULL);
    if (!o->free_bytes)
        s->options.free_bytes = statvfs_free;
    if (open_store(s, err) == 0)
        return s;
    store_close(s);
    return NULL;
}

void store_close(struct store *s)
{
    if (!s)
        return;
    lock_release(s->lock);
    pthread_mutex_destroy(&s->removing);
    free(s->dir);
    free(s->home);
    free(s);
}

void store_sync(const struct store *s)
{
    char path[PATH_MAX];
    if (snprintf(path, sizeof path, "%s/.", s->home) < (int)sizeof path)
        output_sync_folder(path);
    if (snprintf(path, sizeof path, "%s/" FLIGHT "/.", s->home) < (int)sizeof path)
        output_sync_folder(path);
}

/* ---- files ---- */

struct store_files {
    struct store_file *list;
    size_t n, capacity;
};

/* Adds those of a folder that have a name of ours, and are files. */
static int add_folder(struct store_files *f, const char *path, bool dump, struct error *err)
{
    int status;
    DIR *folder = open_folder(path, &status, err);
    for (struct dirent *e; folder && status == 0 && (e = readdir(folder));) {
        struct store_file file = {0};
        struct stat st;
        if (!store_name_read(e->d_name, dump, &file.name) ||
            fstatat(dirfd(folder), e->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(st.st_mode))
            continue;
        struct store_file *list = array_reserve(f->list, &f->capacity, f->n + 1, sizeof *list);
        if (!list) {
            status = error_no_memory(err, "the list of archives");
            break;
        }
        file.bytes = (uint64_t)st.st_size;
        f->list = list;
        list[f->n++] = file;
    }
    if (folder)
        closedir(folder);
    return status;
}

static int compare_files(const void *a, const void *b)
{
    const struct store_file *x = a, *y = b;
    return store_name_compare(&x->name, &y->name);
}

int store_list(struct store *s, struct store_file **list, size_t *n, struct error *err)
{
    struct store_files f = {0};
    char flight[PATH_MAX];
    int status = snprintf(flight, sizeof flight, "%s/" FLIGHT, s->home) < (int)sizeof flight
                     ? 0
                     : error_set(err, ERROR_IO, "the folder's name is too long");
    if (status == 0)
        status = add_folder(&f, s->home, false, err);
    if (status == 0)
        status = add_folder(&f, flight, true, err);
    if (status != 0) {
        free(f.list);
        f = (struct store_files){0};
    }
    if (f.n > 0)
        qsort(f.list, f.n, sizeof *f.list, compare_files);
    *list = f.list;
    *n = f.n;
    return status;
}

int store_path(const struct store *s, const struct store_name *name, char path[PATH_MAX], struct error *err)
{
    char text[STORE_NAME];
    store_name_put(name, text);
    int n = snprintf(path, PATH_MAX, "%s/%s%s", s->home, name->dump ? FLIGHT "/" : "", text);
    /* PATH.partial and the like have to fit, too */
    return n < PATH_MAX - STORE_NAME ? 0 : error_set(err, ERROR_IO, "the folder's name is too long");
}

/* The number after the highest of that hour and boot. */
static unsigned next_sequence(const struct store_file *list, size_t n, const struct store_name *like)
{
    unsigned next = 0;
    for (size_t i = 0; i < n; i++) {
        const struct store_name *at = &list[i].name;
        if (at->hour == like->hour && at->dump == like->dump && strcmp(at->boot, like->boot) == 0 &&
            at->sequence >= next)
            next = at->sequence + 1;
    }
    return next;
}

/* Whether that name is taken by what is no file: the list does not have it, and nothing can be written there. */
static bool is_taken(const struct store *s, const struct store_name *name, enum store_state state)
{
    char path[PATH_MAX];
    struct error ignored;
    struct stat st;
    struct store_name named = *name;
    named.state = state;
    return store_path(s, &named, path, &ignored) == 0 && lstat(path, &st) == 0;
}

int store_new(struct store *s, uint64_t utc_ns, const char *boot_id, bool dump, struct store_name *name,
              char path[PATH_MAX], struct error *err)
{
    struct store_file *list;
    char flight[PATH_MAX];
    size_t n;
    *name = (struct store_name){.hour = utc_ns / STORE_HOUR_NS, .dump = dump};
    name->second = dump ? (unsigned)(utc_ns % STORE_HOUR_NS / SECOND_NS) : 0;
    if (utc_ns / YEAR_NS > STORE_YEAR_MAX - 1970)
        return error_set(err, ERROR_USAGE, "the time of day cannot be right");
    if (!store_boot_of(boot_id, name->boot))
        return error_set(err, ERROR_USAGE, "%.40s: no id of a boot", boot_id);
    if (store_list(s, &list, &n, err) != 0)
        return -1;
    name->sequence = next_sequence(list, n, name);
    free(list);
    while (name->sequence < STORE_SEQUENCE &&
           (is_taken(s, name, STORE_COMPLETE) || is_taken(s, name, STORE_PARTIAL)))
        name->sequence++;
    if (name->sequence >= STORE_SEQUENCE)
        return error_set(err, ERROR_IO, "%.200s: there are %d archives of one hour and boot", s->home,
                         STORE_SEQUENCE);
    if (snprintf(flight, sizeof flight, "%s/" FLIGHT, s->home) >= (int)sizeof flight)
        return error_set(err, ERROR_IO, "the folder's name is too long");
    if (dump && make_folder(flight, err) != 0)
        return -1;
    return store_path(s, name, path, err);
}

static void count_file(struct store_usage *u, const struct store_file *f)
{
    u->bytes += f->bytes;
    u->partial += f->name.state == STORE_PARTIAL;
    u->damaged += f->name.state == STORE_DAMAGED;
    if (f->name.state != STORE_COMPLETE)
        return;
    u->dumps += f->name.dump;
    if (f->name.dump)
        return;
    if (u->archives++ == 0)
        u->oldest = f->name;
    u->newest = f->name;
}

int store_usage(struct store *s, struct store_usage *u, struct error *err)
{
    struct store_file *list;
    size_t n;
    *u = (struct store_usage){.free_bytes = free_bytes(s),
                              .bytes = store_other_bytes(s->dir, s->options.host)};
    if (store_list(s, &list, &n, err) != 0)
        return -1;
    for (size_t i = 0; i < n; i++)
        count_file(u, &list[i]);
    free(list);
    return 0;
}

/* ---- retention ---- */

struct pruning {
    struct store *store;
    const struct store_limits *limits;
    struct store_pruned *result;
    uint64_t now_utc_ns, room_wanted;
    uint64_t bytes;          /* of all files now */
    uint64_t free_then;      /* when it began */
    size_t dumps, dumps_max; /* complete ones */
    bool failed;             /* with the first error */
};

bool store_ended_before(const struct store *s, const struct store_name *name, uint64_t now_utc_ns,
                        uint64_t keep_ns)
{
    uint64_t end_ns = name->hour * STORE_HOUR_NS + max64(s->options.longest_ns, STORE_HOUR_NS);
    return now_utc_ns > end_ns && now_utc_ns - end_ns > keep_ns;
}

/* Whether a file ended so long ago that it is to go. */
static bool is_old(const struct pruning *p, const struct store_name *name)
{
    return p->limits->keep_ns > 0 && store_ended_before(p->store, name, p->now_utc_ns, p->limits->keep_ns);
}

/* Limits that do not hold now, but for age. */
static unsigned lacking(const struct pruning *p)
{
    const struct store_limits *l = p->limits;
    unsigned broken = 0;
    if (l->keep_bytes > 0 && (p->bytes > l->keep_bytes || l->keep_bytes - p->bytes < p->room_wanted))
        broken |= STORE_BYTES;
    if (l->min_free_bytes == 0)
        return broken;
    /* Some file systems free what was removed later: it counts at once, so that no more goes than has to. */
    uint64_t now = free_bytes(p->store), removed = p->result->bytes;
    uint64_t soon = p->free_then > UINT64_MAX - removed ? UINT64_MAX : p->free_then + removed;
    uint64_t available = max64(now, soon);
    if (available < l->min_free_bytes || available - l->min_free_bytes < p->room_wanted)
        broken |= STORE_FREE;
    return broken;
}

/* Removes the file, for these reasons. False: it is still there. */
static bool remove_file(struct pruning *p, const struct store_file *f, unsigned reasons, struct error *err)
{
    struct store_pruned *r = p->result;
    char path[PATH_MAX];
    struct error why = {0};
    int status = store_path(p->store, &f->name, path, &why);
    if (status == 0 && unlink(path) != 0 && errno != ENOENT)
        status = error_set(&why, ERROR_IO, "%.200s: cannot be removed: %s", path, strerror(errno));
    if (status != 0) {
        if (!p->failed)
            *err = why;
        p->failed = true;
        return false;
    }
    p->bytes -= f->bytes;
    r->bytes += f->bytes;
    r->why |= reasons;
    if (f->name.state == STORE_NOTE)
        return true;
    if (r->files++ == 0)
        r->oldest = f->name;
    r->newest = f->name;
    return true;
}

/* Of a dump more than may be kept: the oldest go first. */
static bool is_surplus(struct pruning *p, const struct store_file *f)
{
    if (!f->name.dump || f->name.state != STORE_COMPLETE || p->dumps <= p->dumps_max)
        return false;
    p->dumps--;
    return true;
}

/* Removes the file if a limit asks for it. False: it is still there, though it should not be. */
static bool consider(struct pruning *p, const struct store_file *f, struct error *err)
{
    unsigned reasons = lacking(p) | (is_old(p, &f->name) ? STORE_AGE : 0);
    if (f->name.state == STORE_PARTIAL)
        reasons = 0;
    if (is_surplus(p, f))
        reasons |= STORE_DUMPS;
    return reasons == 0 || remove_file(p, f, reasons, err);
}

/* A note goes with its dump, the last file before it that is kept; the list has it after the dump. */
static void consider_all(struct pruning *p, const struct store_file *list, size_t n, struct error *err)
{
    const struct store_file *kept = NULL;
    for (size_t i = 0; i < n; i++) {
        const struct store_file *f = &list[i];
        size_t files = p->result->files;
        if (f->name.state == STORE_NOTE) {
            if (!kept || !store_name_same(&kept->name, &f->name))
                remove_file(p, f, 0, err);
            continue;
        }
        if (!consider(p, f, err) && is_old(p, &f->name))
            p->result->broken |= STORE_AGE;
        if (p->result->files == files)
            kept = f;
    }
}

static int prune(struct store *s, const struct store_limits *limits, uint64_t now_utc_ns,
                 uint64_t room_wanted, struct store_pruned *result, struct error *err)
{
    struct pruning p = {.store = s,
                        .limits = limits,
                        .result = result,
                        .now_utc_ns = now_utc_ns,
                        .room_wanted = room_wanted,
                        .bytes = store_other_bytes(s->dir, s->options.host),
                        .dumps_max = limits->dumps_max ? limits->dumps_max : SIZE_MAX,
                        .free_then = free_bytes(s)};
    struct store_file *list;
    size_t n;
    *result = (struct store_pruned){0};
    if (s->options.reading)
        return error_set(err, ERROR_USAGE, "the folder was opened for reading");
    if (store_list(s, &list, &n, err) != 0)
        return -1;
    for (size_t i = 0; i < n; i++) {
        p.bytes += list[i].bytes;
        p.dumps += list[i].name.dump && list[i].name.state == STORE_COMPLETE;
    }
    consider_all(&p, list, n, err);
    result->broken |= lacking(&p);
    free(list);
    if (result->files > 0)
        store_sync(s);
    return p.failed ? -1 : 0;
}

int store_prune(struct store *s, const struct store_limits *limits, uint64_t now_utc_ns, uint64_t room_wanted,
                struct store_pruned *result, struct error *err)
{
    pthread_mutex_lock(&s->removing);
    int status = prune(s, limits, now_utc_ns, room_wanted, result, err);
    pthread_mutex_unlock(&s->removing);
    return status;
}
