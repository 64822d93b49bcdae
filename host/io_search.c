/* Sources: Linux Documentation/filesystems/proc.rst; blktap drivers/tapdisk-metrics.h (/dev/shm/td3-PID/vbd-D-ID). */
#include "io_search.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io_file.h"
#include "metrics/array.h"

#define IDS             (1u << 22)   /* Linux gives no larger ones */
#define LIST_NS         10000000000u /* from one listing of all of /proc to the next */
#define RANGE_MOST      4096u        /* so many new ids: a listing is cheaper */
#define WAIT_FIRST_NS   250000000u   /* until an id is looked at again, doubled each time */
#define WAIT_LAST_NS    32000000000u /* longer than this: it will not change any more */
#define WAIT_TAPDISK_NS 8000000000u  /* a tapdisk's guest can change at any time */
#define ARGUMENTS_BYTES 16384

/* An id that is looked at again. */
struct watched_id {
    unsigned id;
    uint64_t due_ns, wait_ns;
};

enum kind_of_id {
    ID_GONE,
    ID_SETTLED, /* what it is will not change */
    ID_OTHER,   /* it works for no guest, as yet */
    ID_MOVES    /* a tapdisk */
};

struct io_search {
    const char *root;
    struct io_interfaces interfaces;
    struct io_finder finder;
    int loadavg;      /* -1: there is none */
    bool looked;      /* before */
    uint64_t last_id; /* the one given last, at the last look */
    uint64_t listed_ns, now_ns;
    uint8_t *known,
        *listing; /* a bit for each id: it was there at the last look; it is in the current listing */
    struct watched_id *watched;
    size_t watched_n, watched_capacity;
    bool failed; /* memory ran out */
    char arguments[ARGUMENTS_BYTES];
};

/* ---- begin and end ---- */

struct io_search *io_search_new(const char *root, const struct io_interfaces *interfaces,
                                const struct io_finder *finder)
{
    char path[PATH_MAX];
    struct io_search *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->root = root;
    s->interfaces = *interfaces;
    s->finder = *finder;
    snprintf(path, sizeof path, "%s/proc/loadavg", root);
    s->loadavg = io_file_open(AT_FDCWD, path);
    s->known = calloc(IDS / 8, 1);
    s->listing = calloc(IDS / 8, 1);
    if (s->known && s->listing)
        return s;
    io_search_free(s);
    return NULL;
}

void io_search_free(struct io_search *s)
{
    if (!s)
        return;
    if (s->loadavg >= 0)
        close(s->loadavg);
    free(s->known);
    free(s->listing);
    free(s->watched);
    free(s);
}

/* ---- one id ---- */

static void found(struct io_search *s, unsigned id, unsigned long domain, enum io_work work)
{
    const struct io_found f = {id, domain, work};
    s->failed = s->failed || !s->finder.found(s->finder.context, &f);
}

/* A number that is all of `text`; false: it is none, or too large for an id. */
static bool parse_id(const char *text, unsigned *id)
{
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > 7 || text[digits])
        return false;
    *id = (unsigned)strtoul(text, NULL, 10);
    return *id > 0 && *id < IDS;
}

/* The guest whose disk a tapdisk serves. */
static unsigned long tapdisk_domain(const struct io_search *s, unsigned id)
{
    char path[PATH_MAX];
    unsigned long pair[2], domain = IO_NO_DOMAIN;
    snprintf(path, sizeof path, "%s/dev/shm/td3-%u", s->root, id);
    DIR *folder = opendir(path);
    if (!folder)
        return IO_NO_DOMAIN;
    for (const struct dirent *e; domain == IO_NO_DOMAIN && (e = readdir(folder));) {
        const char *rest = io_name_pair(e->d_name, "vbd-", '-', pair);
        domain = rest && !*rest ? pair[0] : IO_NO_DOMAIN;
    }
    closedir(folder);
    return domain;
}

/* All threads of a process; each further one comes with an id of its own. */
static void found_process(struct io_search *s, unsigned id, unsigned long domain, enum io_work work)
{
    char path[PATH_MAX];
    found(s, id, domain, work);
    snprintf(path, sizeof path, "%s/proc/%u/task", s->root, id);
    DIR *folder = opendir(path);
    unsigned thread;
    for (const struct dirent *e; folder && (e = readdir(folder));)
        if (parse_id(e->d_name, &thread) && thread != id)
            found(s, thread, domain, work);
    if (folder)
        closedir(folder);
}

static enum kind_of_id look_at_process(struct io_search *s, unsigned id)
{
    enum io_work work;
    unsigned long domain;
    if (!io_name_process(s->arguments, &work, &domain))
        return ID_OTHER;
    if (domain == IO_NO_DOMAIN)
        domain = tapdisk_domain(s, id);
    if (domain != IO_NO_DOMAIN)
        found_process(s, id, domain, work);
    return work == IO_WORK_TAPDISK ? ID_MOVES : ID_SETTLED;
}

static enum kind_of_id look_at_kernel_thread(struct io_search *s, unsigned id)
{
    char path[PATH_MAX], name[64];
    enum io_work work;
    snprintf(path, sizeof path, "%s/proc/%u/comm", s->root, id);
    if (!io_file_all(path, '?', name, sizeof name))
        return ID_GONE;
    name[strcspn(name, "\n")] = '\0';
    unsigned long domain = io_name_thread(name, &s->interfaces, &work);
    if (domain == IO_NO_DOMAIN)
        return ID_OTHER;
    found(s, id, domain, work);
    return ID_SETTLED;
}

/* Kernel threads have no arguments. */
static enum kind_of_id look_at(struct io_search *s, unsigned id)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/proc/%u/cmdline", s->root, id);
    bool has_arguments = io_file_all(path, '\n', s->arguments, sizeof s->arguments) && s->arguments[0];
    return has_arguments ? look_at_process(s, id) : look_at_kernel_thread(s, id);
}

/* ---- ids that are looked at again ---- */

static void watch(struct io_search *s, unsigned id)
{
    if (!array_make_room(&s->watched, &s->watched_capacity, s->watched_n + 1, sizeof *s->watched)) {
        s->failed = true;
        return;
    }
    s->watched[s->watched_n++] = (struct watched_id){id, s->now_ns + WAIT_FIRST_NS, WAIT_FIRST_NS};
}

/*
 * An id that was not there before. What is there from the beginning called exec() long ago. False: there is no such
 * thread.
 */
static bool look_at_new(struct io_search *s, unsigned id)
{
    enum kind_of_id v = look_at(s, id);
    if (v == ID_MOVES || (v == ID_OTHER && s->looked))
        watch(s, id);
    return v != ID_GONE;
}

/* False: no longer. */
static bool look_again(struct io_search *s, struct watched_id *w)
{
    enum kind_of_id v = look_at(s, w->id);
    w->wait_ns *= 2;
    if (v == ID_MOVES && w->wait_ns > WAIT_TAPDISK_NS)
        w->wait_ns = WAIT_TAPDISK_NS;
    w->due_ns = s->now_ns + w->wait_ns;
    return v == ID_MOVES || (v == ID_OTHER && w->wait_ns <= WAIT_LAST_NS);
}

static void look_at_watched(struct io_search *s)
{
    size_t left = 0;
    for (size_t i = 0; i < s->watched_n; i++) {
        struct watched_id *w = &s->watched[i];
        if (w->due_ns > s->now_ns || look_again(s, w))
            s->watched[left++] = *w;
    }
    s->watched_n = left;
}

/* ---- new ids ---- */

static bool is_set(const uint8_t *bits, unsigned id)
{
    return bits[id / 8] & 1u << id % 8;
}

static void set(uint8_t *bits, unsigned id)
{
    bits[id / 8] |= (uint8_t)(1u << id % 8);
}

static void clear(uint8_t *bits, unsigned id)
{
    bits[id / 8] &= (uint8_t) ~(1u << id % 8);
}

static int list_all(struct io_search *s, struct error *err)
{
    char path[PATH_MAX];
    unsigned id;
    snprintf(path, sizeof path, "%s/proc", s->root);
    DIR *folder = opendir(path);
    if (!folder)
        return error_set(err, ERROR_IO, "cannot read %.200s: %s", path, strerror(errno));
    memset(s->listing, 0, IDS / 8);
    for (const struct dirent *e; (e = readdir(folder));) {
        if (!isdigit((unsigned char)e->d_name[0]) || !parse_id(e->d_name, &id))
            continue;
        if (is_set(s->known, id) || look_at_new(s, id))
            set(s->listing, id);
    }
    closedir(folder);
    uint8_t *known = s->known;
    s->known = s->listing;
    s->listing = known;
    s->listed_ns = s->now_ns;
    return 0;
}

/* The id that was given last: the last number of loadavg. */
static bool read_last_id(const struct io_search *s, uint64_t *id)
{
    char text[128];
    if (io_file_text(s->loadavg, text, sizeof text) != IO_READ_DONE)
        return false;
    const char *last = strrchr(text, ' ');
    size_t digits = last ? strspn(last + 1, "0123456789") : 0;
    if (digits == 0 || digits > 7)
        return false;
    *id = strtoull(last + 1, NULL, 10);
    return *id < IDS;
}

/* The largest id, for when they have begun anew. */
static uint64_t largest_id(const struct io_search *s)
{
    char path[PATH_MAX], text[32];
    snprintf(path, sizeof path, "%s/proc/sys/kernel/pid_max", s->root);
    uint64_t largest = io_file_all(path, '?', text, sizeof text) ? strtoull(text, NULL, 10) : 0;
    return largest > 0 && largest < IDS ? largest : IDS - 1;
}

/* Those after `from` up to `to`: looks at each, or only forgets that there was one of this id before. */
static void take_range(struct io_search *s, uint64_t from, uint64_t to, bool look)
{
    for (uint64_t id = from + 1; id <= to; id++) {
        clear(s->known, (unsigned)id);
        if (look && look_at_new(s, (unsigned)id))
            set(s->known, (unsigned)id);
    }
}

/* Looks at the ids given since the last look, up to `last_id`. False: there are too many. */
static bool take_new(struct io_search *s, uint64_t last_id)
{
    bool anew = last_id < s->last_id;
    uint64_t to = anew ? largest_id(s) : last_id, begun = anew ? 0 : last_id;
    uint64_t count = (to > s->last_id ? to - s->last_id : 0) + (last_id - begun);
    bool few = count <= RANGE_MOST;
    take_range(s, s->last_id, to, few);
    take_range(s, begun, last_id, few);
    return few;
}

int io_search_look(struct io_search *s, const struct io_moment *now, struct error *err)
{
    uint64_t last_id = 0;
    s->now_ns = now->time_ns;
    bool known = read_last_id(s, &last_id);
    bool listed = s->looked && known && s->last_id > 0 && take_new(s, last_id);
    look_at_watched(s);
    if ((!listed || s->now_ns - s->listed_ns >= LIST_NS) && list_all(s, err) != 0)
        return -1;
    s->last_id = last_id;
    s->looked = true;
    return s->failed ? error_no_memory(err, "the list of threads") : 0;
}
