/* Sources: Linux drivers/net/xen-netback (vifD.N), drivers/block/xen-blkback/xenbus.c (vbd-D-ID statistics). */
#include "io_devices.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#if defined __x86_64__ || defined __i386__
#include <x86intrin.h>
#endif

#include "cli.h"

#define READ_QUICK_NS 100000u /* longer than this, and something else ran while a device was read */
#define READ_ATTEMPTS 4

/* ---- moments ---- */

struct moment {
    uint64_t time_ns; /* CLOCK_MONOTONIC */
    uint64_t tsc;
};

#if defined __x86_64__ || defined __i386__
#define HAS_TSC true
static uint64_t read_tsc(void)
{
    return __rdtsc();
}
#elif defined __aarch64__
#define HAS_TSC true
static uint64_t read_tsc(void)
{
    uint64_t ticks;
    __asm__ volatile("isb; mrs %0, cntvct_el0" : "=r"(ticks));
    return ticks;
}
#else
#define HAS_TSC false
static uint64_t read_tsc(void)
{
    return 0;
}
#endif

static struct moment middle_of(struct moment a, struct moment b)
{
    return (struct moment){a.time_ns + (b.time_ns - a.time_ns) / 2, a.tsc + (b.tsc - a.tsc) / 2};
}

static struct moment now(void)
{
    struct moment before = {0, read_tsc()};
    uint64_t time_ns = now_ns();
    struct moment after = {0, read_tsc()};
    return (struct moment){time_ns, middle_of(before, after).tsc};
}

/* ---- devices ---- */

struct device {
    unsigned long domain;
    char name[32];
};

/* Whether `entry` is PREFIX, a domain, `between`, a number, and nothing more; gives both. */
static bool parse_pair(const char *entry, const char *prefix, char between, unsigned long pair[2])
{
    size_t n = strlen(prefix);
    if (strncmp(entry, prefix, n) != 0)
        return false;
    const char *domain = entry + n;
    size_t digits = strspn(domain, "0123456789");
    if (digits == 0 || digits > 5 || domain[digits] != between)
        return false;
    const char *number = domain + digits + 1;
    digits = strspn(number, "0123456789");
    if (digits == 0 || digits > 10 || number[digits])
        return false;
    pair[0] = strtoul(domain, NULL, 10);
    pair[1] = strtoul(number, NULL, 10);
    return pair[0] <= UINT16_MAX;
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
    return parse_pair(slash ? slash + 1 : target, "vif-", '-', pair);
}

/*
 * The taps vifD.N-emu are not counted: they carry the packets of an emulated card, and belong to no device of the
 * backend.
 */
static bool find_network_device(int folder, const char *entry, struct device *d)
{
    unsigned long pair[2];
    if (!parse_pair(entry, "vif", '.', pair) && !parse_link(folder, entry, pair))
        return false;
    d->domain = pair[0];
    snprintf(d->name, sizeof d->name, "vif%lu.%lu", pair[0], pair[1]);
    return true;
}

static bool find_disk(int folder, const char *entry, struct device *d)
{
    unsigned long pair[2];
    (void)folder;
    if (!parse_pair(entry, "vbd-", '-', pair))
        return false;
    d->domain = pair[0];
    snprintf(d->name, sizeof d->name, "vbd-%lu-%lu", pair[0], pair[1]);
    return true;
}

/* A directory of devices, and the two counter files of each. */
static const struct source {
    const char *folder; /* below the root */
    bool (*find)(int folder, const char *entry, struct device *d);
    const char *files[2];
    const char *fields_before, *fields_after; /* empty CSV fields around the two counts */
} sources[] = {
    {"sys/class/net", find_network_device, {"statistics/tx_packets", "statistics/rx_packets"}, "", ",,"},
    {"sys/bus/xen-backend/devices", find_disk, {"statistics/rd_req", "statistics/wr_req"}, ",,", ""},
};

#define SOURCES_N (sizeof sources / sizeof sources[0])

/* ---- readings ---- */

static bool read_count(int folder, const char *entry, const char *file, uint64_t *count)
{
    char path[NAME_MAX + 64], text[32];
    snprintf(path, sizeof path, "%.*s/%s", NAME_MAX, entry, file);
    int fd = openat(folder, path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    ssize_t n = read(fd, text, sizeof text - 1);
    close(fd);
    text[n > 0 ? n : 0] = '\0';
    size_t digits = strspn(text, "0123456789");
    errno = 0;
    *count = strtoull(text, NULL, 10);
    return digits > 0 && errno == 0 && (text[digits] == '\n' || !text[digits]);
}

/*
 * Reads both counts and the moment in the middle of reading them. If reading took long, something else ran meanwhile
 * and the moment is inexact: reads again. False when the device is gone.
 */
static bool read_counts(int folder, const char *entry, const struct source *s, uint64_t counts[2],
                        struct moment *when)
{
    for (unsigned attempt = 0; attempt < READ_ATTEMPTS; attempt++) {
        struct moment before = now();
        if (!read_count(folder, entry, s->files[0], &counts[0]) ||
            !read_count(folder, entry, s->files[1], &counts[1]))
            return false;
        struct moment after = now();
        *when = middle_of(before, after);
        if (after.time_ns - before.time_ns <= READ_QUICK_NS)
            break;
    }
    return true;
}

/* Adds the row of a device. False, and no row, if the entry is no device or is not wanted. */
static bool add_row(const struct io_devices_wanted *o, int folder, const char *entry, const struct source *s,
                    struct buffer *rows)
{
    struct device d;
    uint64_t counts[2];
    struct moment when;
    if (!s->find(folder, entry, &d) || (o->domains && !o->domains[d.domain]) ||
        !read_counts(folder, entry, s, counts, &when))
        return false;
    buffer_printf(rows, "%" PRIu64 ",", when.time_ns);
    if (HAS_TSC)
        buffer_printf(rows, "%" PRIu64, when.tsc);
    buffer_printf(rows, ",%lu,%s,%s%" PRIu64 ",%" PRIu64 "%s", d.domain, d.name, s->fields_before, counts[0],
                  counts[1], s->fields_after);
    if (o->idd_given)
        buffer_printf(rows, ",%u", o->idd);
    buffer_text(rows, "\n");
    return true;
}

static int visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

/* Adds the rows of one folder's devices, ordered by name, and their number to *found. 1: there is no such directory. */
static int read_folder(const struct io_devices_wanted *o, const struct source *s, struct buffer *rows,
                       size_t *found, struct error *err)
{
    char path[PATH_MAX];
    if (snprintf(path, sizeof path, "%s/%s", o->root, s->folder) >= (int)sizeof path)
        return error_set(err, ERROR_USAGE, "--root: this path is too long");
    int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0 && errno == ENOENT)
        return 1;
    struct dirent **entries = NULL;
    int n = folder < 0 ? -1 : scandirat(folder, ".", &entries, visible, versionsort);
    if (n < 0)
        error_set(err, ERROR_IO,
                  "cannot read %.150s: %s; is this a driver domain of Xen? (--root DIR reads a copy)", path,
                  strerror(errno));
    for (int i = 0; i < n; i++) {
        *found += add_row(o, folder, entries[i]->d_name, s, rows);
        free(entries[i]);
    }
    free(entries);
    if (folder >= 0)
        close(folder);
    return n < 0 ? -1 : 0;
}

int io_devices_read(const struct io_devices_wanted *o, struct buffer *rows, size_t *found, struct error *err)
{
    size_t missing = 0;
    *found = 0;
    for (size_t i = 0; i < SOURCES_N; i++) {
        int status = read_folder(o, &sources[i], rows, found, err);
        if (status < 0)
            return -1;
        missing += status > 0;
    }
    if (missing == SOURCES_N)
        return error_set(
            err, ERROR_IO,
            "neither %.100s/%s nor %s is there: is this a driver domain of Xen? (--root DIR reads a "
            "copy)",
            o->root, sources[0].folder, sources[1].folder);
    return rows->failed ? error_no_memory(err, "the list of devices") : 0;
}

bool io_devices_have_tsc(void)
{
    return HAS_TSC;
}
