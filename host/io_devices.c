/*
 * Sources: Linux drivers/net/xen-netback (vifD.N), drivers/block/xen-blkback/xenbus.c (vbd-D-ID statistics); blktap's
 * include/blktap3.h (the statistics of vbd3-D-ID: fourteen 64-bit numbers, the fourth the read requests received, the
 * ninth the write requests).
 */
#include "io_devices.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include "io_file.h"
#include "io_net_dev.h"

#define LOOK_NS     1000000000u /* from one look for devices to the next */
#define SLOW_FACTOR 8           /* a reading so much slower than the quickest was interrupted */
#define NO_FILE     (-1)

struct device;

/* A directory of devices, and the counters of each. */
struct device_source {
    const char *folder; /* below the root */
    bool needed;        /* one of these is there in a driver domain */
    bool (*find)(int folder, const char *entry, struct device *d);
    const char *files[2]; /* the second NULL: both counts are in the first one */
    size_t offsets[2];    /* if so, where */
    enum io_column first;
};

struct device {
    const struct device_source *source;
    unsigned long domain;
    char name[32];
    char *entry;  /* its name in the directory */
    int files[2]; /* NO_FILE: cannot be opened; the second also where one file has both counts */
    uint64_t counts[2];
    uint64_t ticks;          /* in the middle of reading them */
    bool read;               /* in this reading */
    bool new;                /* it came after the first look, and was not read before this reading: */
    struct io_moment absent; /* if so, the last look without it */
    bool gone;
    bool at_once; /* this reading has it from /proc/net/dev */
};

/* ---- which devices ---- */

static bool name_device(struct device *d, const char *form, const unsigned long pair[2])
{
    d->domain = pair[0];
    snprintf(d->name, sizeof d->name, form, pair[0], pair[1]);
    return true;
}

static bool is_pair(const char *entry, const char *prefix, char between, unsigned long pair[2])
{
    const char *rest = io_name_pair(entry, prefix, between, pair);
    return rest && !*rest;
}

/* Whether the device an interface belongs to is vif-D-N: finds interfaces that were renamed (vifname=). */
static bool parse_link(int folder, const char *entry, unsigned long pair[2])
{
    char path[NAME_MAX + 16], target[PATH_MAX];
    snprintf(path, sizeof path, "%.*s/device", NAME_MAX, entry);
    ssize_t n = readlinkat(folder, path, target, sizeof target - 1);
    if (n < 0)
        return false;
    target[n] = '\0';
    const char *slash = strrchr(target, '/');
    return is_pair(slash ? slash + 1 : target, "vif-", '-', pair);
}

/*
 * The taps vifD.N-emu are not counted: they carry the packets of an emulated card, and belong to no device of the
 * backend.
 */
static bool find_network_device(int folder, const char *entry, struct device *d)
{
    unsigned long pair[2];
    return (is_pair(entry, "vif", '.', pair) || parse_link(folder, entry, pair)) &&
           name_device(d, "vif%lu.%lu", pair);
}

static bool find_disk(int folder, const char *entry, struct device *d)
{
    unsigned long pair[2];
    (void)folder;
    return is_pair(entry, "vbd-", '-', pair) && name_device(d, "vbd-%lu-%lu", pair);
}

static bool find_tapdisk(int folder, const char *entry, struct device *d)
{
    unsigned long pair[2];
    (void)folder;
    return is_pair(entry, "vbd3-", '-', pair) && name_device(d, "vbd3-%lu-%lu", pair);
}

static const struct device_source sources[] = {
    {"sys/class/net",
     true,
     find_network_device,
     {"statistics/tx_packets", "statistics/rx_packets"},
     {0, 0},
     IO_COLUMN_TX},
    {"sys/bus/xen-backend/devices",
     true,
     find_disk,
     {"statistics/rd_req", "statistics/wr_req"},
     {0, 0},
     IO_COLUMN_READ},
    {"dev/shm", false, find_tapdisk, {"statistics", NULL}, {3 * 8, 8 * 8}, IO_COLUMN_READ},
};
#define SOURCES_N (sizeof sources / sizeof sources[0])
#define NETWORK   0 /* the source of interfaces */

/* What was seen of a source. */
struct device_folder {
    struct timespec changed; /* the time of the directory before the last look */
    DIR *names;      /* of the machine's own tree: to see whether they are the same as at the last look */
    uint64_t digest; /* of the names then */
    struct device *devices; /* ordered by name, as versionsort has it */
    size_t n;
};

struct io_devices {
    const struct io_wanted *wanted;
    int net_dev; /* /proc/net/dev: the packets of all interfaces at once; NO_FILE: cannot be opened */
    struct device_folder folders[SOURCES_N];
    struct io_moment looked; /* when all folders were looked at last */
    bool stale;              /* a device has gone: look again */
    uint64_t quickest_ticks; /* of all readings of one device; 0: none yet */
};

/* ---- devices come and go ---- */

static void close_device(struct device *d)
{
    for (int i = 0; i < 2; i++)
        if (d->files[i] >= 0)
            close(d->files[i]);
    free(d->entry);
}

/* Opens the counters of a device that are not open. */
static void open_counters(int folder, struct device *d)
{
    char path[NAME_MAX + 64];
    for (int i = 0; i < 2 && d->source->files[i]; i++) {
        if (d->files[i] >= 0)
            continue;
        snprintf(path, sizeof path, "%.*s/%s", NAME_MAX, d->entry, d->source->files[i]);
        d->files[i] = io_file_open(folder, path);
    }
}

/* Whether `entry` is a wanted device; makes it. */
static bool make_device(const struct io_devices *all, const struct device_source *s, int folder,
                        const char *entry, struct device *d)
{
    *d = (struct device){
        .source = s, .files = {NO_FILE, NO_FILE}, .new = all->looked.ticks > 0, .absent = all->looked};
    const uint8_t *domains = all->wanted->domains;
    if (!s->find(folder, entry, d) || (domains && !domains[d->domain]))
        return false;
    d->entry = strdup(entry);
    return d->entry != NULL;
}

/*
 * The devices among the entries, ordered: those that were there before are taken out of `f`, where their `entry` becomes
 * NULL. NULL: no memory.
 */
static struct device *match(const struct io_devices *all, const struct device_source *s, int folder,
                            struct dirent **entries, int entries_n, struct device_folder *f, size_t *n)
{
    struct device *devices = calloc((size_t)entries_n + 1, sizeof *devices);
    size_t old = 0;
    for (int i = 0; devices && i < entries_n; i++) {
        const char *entry = entries[i]->d_name;
        while (old < f->n && strverscmp(f->devices[old].entry, entry) < 0)
            close_device(&f->devices[old++]);
        struct device *d = &devices[*n];
        if (old < f->n && strcmp(f->devices[old].entry, entry) == 0)
            *d = f->devices[old++];
        else if (!make_device(all, s, folder, entry, d))
            continue;
        open_counters(folder, d);
        ++*n;
    }
    while (devices && old < f->n)
        close_device(&f->devices[old++]);
    return devices;
}

static int visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static int look_into(struct io_devices *all, size_t source, int folder, struct error *err)
{
    struct device_folder *f = &all->folders[source];
    struct dirent **entries = NULL;
    size_t n = 0;
    int entries_n = scandirat(folder, ".", &entries, visible, versionsort);
    if (entries_n < 0)
        return -1;
    struct device *devices = match(all, &sources[source], folder, entries, entries_n, f, &n);
    for (int i = 0; i < entries_n; i++)
        free(entries[i]);
    free(entries);
    if (!devices)
        return error_no_memory(err, "the list of devices");
    free(f->devices);
    f->devices = devices;
    f->n = n;
    return 0;
}

static void forget(struct device_folder *f)
{
    for (size_t i = 0; i < f->n; i++)
        close_device(&f->devices[i]);
    f->n = 0;
}

static bool folder_path(const struct io_devices *all, size_t source, char path[PATH_MAX])
{
    return snprintf(path, PATH_MAX, "%s/%s", all->wanted->root, sources[source].folder) < PATH_MAX;
}

/* The names in a directory, in whatever order; 0: there is none. */
static uint64_t digest_of(DIR *names)
{
    uint64_t digest = 0;
    if (names)
        rewinddir(names);
    for (const struct dirent *e; names && (e = readdir(names));)
        digest += XXH64(e->d_name, strlen(e->d_name), 1);
    return digest;
}

/* Before the look: what comes meanwhile makes another digest. */
static void note_names(struct io_devices *all, size_t source, const char *path)
{
    struct device_folder *f = &all->folders[source];
    if (*all->wanted->root)
        return;
    if (!f->names)
        f->names = opendir(path);
    f->digest = digest_of(f->names);
}

/* Looks for the devices of one source. 1: there is no such directory. */
static int look_at(struct io_devices *all, size_t source, struct error *err)
{
    char path[PATH_MAX];
    struct stat st;
    if (!folder_path(all, source, path))
        return error_set(err, ERROR_USAGE, "--root: this path is too long");
    int folder = TEMP_FAILURE_RETRY(open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (folder < 0 && (errno == ENOENT || !sources[source].needed)) {
        forget(&all->folders[source]);
        return 1;
    }
    if (folder >= 0 && fstat(folder, &st) == 0)
        all->folders[source].changed = st.st_mtim;
    note_names(all, source, path);
    int status = folder < 0 ? -1 : look_into(all, source, folder, err);
    if (status != 0 && err->code != ERROR_MEMORY)
        error_set(err, ERROR_IO,
                  "cannot read %.150s: %s; is this a driver domain of Xen? (--root DIR reads a copy)", path,
                  strerror(errno));
    if (folder >= 0)
        close(folder);
    return status;
}

/* -1 with `err` filled. */
static int look(struct io_devices *all, const struct io_moment *now, struct error *err)
{
    bool found = false;
    for (size_t i = 0; i < SOURCES_N; i++) {
        int status = look_at(all, i, err);
        if (status < 0)
            return -1;
        found |= status == 0 && sources[i].needed;
    }
    all->looked = *now;
    all->stale = false;
    return found ? 0
                 : error_set(err, ERROR_IO,
                             "neither %.100s/%s nor %s is there: is this a driver domain of Xen? (--root DIR "
                             "reads a copy)",
                             all->wanted->root, sources[0].folder, sources[1].folder);
}

/* Whether the machine's own directories have the same names as at the last look, which costs less than another look. */
static bool same_names(struct io_devices *all)
{
    char path[PATH_MAX];
    bool same = !*all->wanted->root;
    for (size_t i = 0; same && i < SOURCES_N; i++) {
        struct device_folder *f = &all->folders[i];
        if (!f->names && folder_path(all, i, path))
            f->names = opendir(path);
        same = digest_of(f->names) == f->digest;
    }
    return same;
}

/* Whether the time of a directory says that devices came or went. The machine's own sysfs keeps no such time. */
static bool changed(const struct io_devices *all)
{
    char path[PATH_MAX];
    struct stat st;
    for (size_t i = 0; *all->wanted->root && i < SOURCES_N; i++) {
        const struct timespec *then = &all->folders[i].changed;
        if (sources[i].needed && folder_path(all, i, path) && stat(path, &st) == 0 &&
            (st.st_mtim.tv_sec != then->tv_sec || st.st_mtim.tv_nsec != then->tv_nsec))
            return true;
    }
    return false;
}

struct io_devices *io_devices_new(const struct io_wanted *wanted, struct error *err)
{
    struct io_devices *all = calloc(1, sizeof *all);
    if (!all) {
        error_no_memory(err, "the list of devices");
        return NULL;
    }
    all->wanted = wanted;
    all->net_dev = io_net_dev_open(wanted->root);
    struct io_moment now = io_clock_now();
    if (look(all, &now, err) == 0)
        return all;
    io_devices_free(all);
    return NULL;
}

void io_devices_free(struct io_devices *d)
{
    for (size_t i = 0; d && i < SOURCES_N; i++) {
        forget(&d->folders[i]);
        free(d->folders[i].devices);
        if (d->folders[i].names)
            closedir(d->folders[i].names);
    }
    if (d && d->net_dev >= 0)
        close(d->net_dev);
    free(d);
}

static unsigned long owner(const void *context, const char *interface, size_t n)
{
    const struct device_folder *f = &((const struct io_devices *)context)->folders[NETWORK];
    for (size_t i = 0; i < f->n; i++)
        if (strncmp(f->devices[i].entry, interface, n) == 0 && !f->devices[i].entry[n])
            return f->devices[i].domain;
    return IO_NO_DOMAIN;
}

struct io_interfaces io_devices_interfaces(const struct io_devices *d)
{
    return (struct io_interfaces){d, owner};
}

/* ---- readings ---- */

static enum io_read read_counts(struct device *d)
{
    enum io_read status = IO_READ_DONE;
    for (int i = 0; i < 2 && status == IO_READ_DONE; i++)
        status = d->source->files[1] ? io_file_number(d->files[i], &d->counts[i])
                                     : io_file_word(d->files[0], d->source->offsets[i], &d->counts[i]);
    return status;
}

/*
 * Reads both counts and the moment in the middle of reading them. If that took much longer than the quickest reading,
 * something else ran meanwhile and the moment is inexact: reads once more.
 */
static void read_device(struct io_devices *all, struct device *d)
{
    uint64_t took = UINT64_MAX;
    d->new = d->new && !d->read;
    for (int attempt = 0; attempt < 2 && took / SLOW_FACTOR > all->quickest_ticks; attempt++) {
        uint64_t before = io_clock_ticks();
        enum io_read status = read_counts(d);
        took = io_clock_ticks() - before;
        d->ticks = before + took / 2;
        d->read = status == IO_READ_DONE;
        d->gone = status == IO_READ_GONE;
        if (!d->read)
            return;
        if (all->quickest_ticks == 0 || took < all->quickest_ticks)
            all->quickest_ticks = took;
    }
}

static void take_interface(void *context, const char *name, size_t n, const uint64_t counts[2])
{
    const struct device_folder *f = context;
    for (size_t i = 0; i < f->n; i++) {
        struct device *d = &f->devices[i];
        if (strncmp(d->entry, name, n) != 0 || d->entry[n])
            continue;
        d->new = d->new && !d->read;
        d->read = d->at_once = true;
        memcpy(d->counts, counts, sizeof d->counts);
    }
}

/* Reads what /proc/net/dev has of the interfaces: one system call, where each of their files takes one. */
static void read_at_once(const struct io_devices *all, struct device_folder *f)
{
    uint64_t before = io_clock_ticks();
    for (size_t i = 0; i < f->n; i++)
        f->devices[i].at_once = false;
    if (f->n <= IO_NET_DEV_MOST)
        io_net_dev_read(all->net_dev, &(struct io_net_dev_taker){f, take_interface});
    uint64_t ticks = before + (io_clock_ticks() - before) / 2;
    for (size_t i = 0; i < f->n; i++)
        f->devices[i].ticks = ticks;
}

static void drop_gone(struct device_folder *f)
{
    size_t left = 0;
    for (size_t i = 0; i < f->n; i++) {
        if (f->devices[i].gone)
            close_device(&f->devices[i]);
        else
            f->devices[left++] = f->devices[i];
    }
    f->n = left;
}

int io_devices_read(struct io_devices *d, const struct io_moment *now, struct error *err)
{
    bool due = d->stale || changed(d);
    if (!due && now->time_ns - d->looked.time_ns >= LOOK_NS) {
        due = !same_names(d);
        d->looked = due ? d->looked : *now;
    }
    if (due && look(d, now, err) != 0)
        return -1;
    for (size_t i = 0; i < SOURCES_N; i++) {
        struct device_folder *f = &d->folders[i];
        bool gone = false;
        if (i == NETWORK)
            read_at_once(d, f);
        for (size_t k = 0; k < f->n; k++) {
            if (!f->devices[k].at_once)
                read_device(d, &f->devices[k]);
            gone |= f->devices[k].gone;
        }
        if (gone)
            drop_gone(f);
        d->stale |= gone;
    }
    return 0;
}

static void add_row(const struct io_devices *all, const struct device *d, struct io_moment when,
                    const uint64_t counts[2], struct buffer *rows)
{
    const struct io_row row = {when.time_ns, when.ticks, d->domain, d->name, d->source->first, 2, counts};
    io_rows_add(rows, &all->wanted->form, &row);
}

size_t io_devices_rows(const struct io_devices *d, const struct io_moment *now, const struct io_moment *end,
                       struct buffer *rows)
{
    static const uint64_t zero[2];
    size_t found = 0;
    for (size_t i = 0; i < SOURCES_N; i++)
        for (size_t k = 0; k < d->folders[i].n; k++) {
            const struct device *device = &d->folders[i].devices[k];
            if (!device->read)
                continue;
            if (device->new)
                add_row(d, device, device->absent, zero, rows);
            add_row(d, device, io_clock_at(now, end, device->ticks), device->counts, rows);
            found++;
        }
    return found;
}
