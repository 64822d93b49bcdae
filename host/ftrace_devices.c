#include "ftrace_devices.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include <xxhash.h>

#include "io_names.h"
#include "metrics/array.h"
#include "metrics/measure/dom0_trace.h"

#define DEVICES_MOST 64 /* below one disk of a guest: device mapper upon device mapper */

struct guest_disk {
    char *path;       /* /sys/devices/pci0000:00/0000:00:05.0/virtio2/block/vdb */
    char *controller; /* the directory above it that has interrupts; NULL: none has */
    uint32_t owner;
};

struct disks {
    const char *root;
    struct guest_disk *at;
    size_t n, capacity;
    bool hidden_users; /* guests use disks, and which is not known */
};

/* ---- directories ---- */

/* Calls `take` for each entry of a directory below the root; a directory that is not there has none. */
static void each_entry(struct disks *d, const char *folder,
                       void (*take)(struct disks *d, const char *folder, const char *entry, void *context),
                       void *context)
{
    DIR *f = opendir(folder);
    struct dirent *entry;
    while (f && (entry = readdir(f)))
        if (entry->d_name[0] != '.')
            take(d, folder, entry->d_name, context);
    if (f)
        closedir(f);
}

/* Makes a path; false: it is too long. */
static bool join(char to[PATH_MAX], const char *a, const char *b, const char *c)
{
    return snprintf(to, PATH_MAX, "%s/%s%s", a, b, c) < PATH_MAX;
}

static bool read_line(const char *path, char *to, int n)
{
    FILE *f = fopen(path, "re");
    if (!f)
        return false;
    bool got = fgets(to, n, f) != NULL;
    fclose(f);
    if (got)
        to[strcspn(to, "\n")] = '\0';
    return got;
}

/* ---- disks and their controllers ---- */

/* Whether a directory has interrupts: message signalled ones, or one line. */
static bool has_irqs(const char *folder)
{
    char path[PATH_MAX], text[16];
    struct stat st;
    if (join(path, folder, "msi_irqs", "") && stat(path, &st) == 0)
        return true;
    return join(path, folder, "irq", "") && read_line(path, text, sizeof text) && atoi(text) > 0;
}

static char *find_controller(const char *disk)
{
    char folder[PATH_MAX];
    snprintf(folder, sizeof folder, "%s", disk);
    for (char *slash; (slash = strrchr(folder, '/')) && slash > folder;) {
        *slash = '\0';
        if (has_irqs(folder))
            return strdup(folder);
    }
    return NULL;
}

/* Those of the device mapper, loops and the like are not disks. */
static bool is_virtual(const char *path)
{
    return strstr(path, "/devices/virtual/") != NULL;
}

static void take_disk(struct disks *d, const char *folder, const char *entry, void *context)
{
    char path[PATH_MAX];
    (void)context;
    char *real = join(path, folder, entry, "") ? realpath(path, NULL) : NULL;
    struct guest_disk *at =
        real && !is_virtual(real) ? array_reserve(d->at, &d->capacity, d->n + 1, sizeof *at) : NULL;
    if (!at) {
        free(real);
        return;
    }
    d->at = at;
    at[d->n++] = (struct guest_disk){.path = real, .controller = find_controller(real), .owner = WORK_OWN};
}

/* ---- who uses them ---- */

static void use_disk(struct disks *d, const char *path, uint32_t domain)
{
    for (struct guest_disk *disk = d->at; disk < d->at + d->n; disk++) {
        size_t n = strlen(disk->path);
        if (strncmp(disk->path, path, n) != 0 || (path[n] && path[n] != '/'))
            continue;
        bool whole = !path[n] && (disk->owner == WORK_OWN || disk->owner == domain);
        disk->owner = whole ? domain : WORK_UNKNOWN; /* of a partition others may be used, too */
        return;
    }
}

/* What lies below a guest's disk: devices that are still to be looked at, as paths of /sys. */
struct use {
    uint32_t domain; /* of whole disks; WORK_UNKNOWN below the first device: others may lie there, too */
    char *left[DEVICES_MOST];
    size_t n, looked_at;
    bool found; /* a disk */
};

/* A device more to be looked at, unless it was followed too far. */
static void add_device(struct use *use, const char *path)
{
    char *copy = use->n < DEVICES_MOST ? strdup(path) : NULL;
    if (copy)
        use->left[use->n++] = copy;
}

static void add_slave(struct disks *d, const char *folder, const char *entry, void *context)
{
    char path[PATH_MAX];
    (void)d;
    if (join(path, folder, entry, ""))
        add_device(context, path);
}

/* The device with the file in which a loop keeps its blocks. */
static void add_file(const struct disks *d, const char *loop, struct use *use)
{
    char path[PATH_MAX], file[PATH_MAX];
    struct stat st;
    if (join(path, loop, "loop/backing_file", "") && read_line(path, file, sizeof file) &&
        stat(file, &st) == 0 &&
        snprintf(path, sizeof path, "%s/sys/dev/block/%u:%u", d->root, major(st.st_dev), minor(st.st_dev)) <
            (int)sizeof path)
        add_device(use, path);
}

static void use_device(struct disks *d, const char *link, struct use *use)
{
    char path[PATH_MAX];
    char *real = realpath(link, NULL);
    if (real && !is_virtual(real)) {
        use_disk(d, real, use->domain);
        use->found = true;
    } else if (real) {
        if (join(path, real, "slaves", ""))
            each_entry(d, path, add_slave, use);
        add_file(d, real, use);
    }
    free(real);
}

/* Marks all disks below the block device at this path of /sys. Whether there are any. */
static bool use_all(struct disks *d, const char *link, uint32_t domain)
{
    struct use use = {.domain = domain};
    add_device(&use, link);
    while (use.looked_at < use.n) {
        use_device(d, use.left[use.looked_at], &use);
        free(use.left[use.looked_at++]);
        use.domain = WORK_UNKNOWN;
    }
    return use.found;
}

/* "vbd-3-51712", whose physical_device is "fe:10"; disks of other kinds are served by processes. */
static void take_vbd(struct disks *d, const char *folder, const char *entry, void *context)
{
    char path[PATH_MAX], text[32];
    unsigned of_major, of_minor;
    unsigned long pair[2];
    (void)context;
    if (strncmp(entry, "qdisk-", 6) == 0 || strncmp(entry, "vbd3-", 5) == 0)
        d->hidden_users = true;
    if (!io_name_pair(entry, "vbd-", '-', pair))
        return;
    bool found = false;
    if (join(path, folder, entry, "/physical_device") && read_line(path, text, sizeof text) &&
        sscanf(text, "%x:%x", &of_major, &of_minor) == 2 &&
        snprintf(path, sizeof path, "%s/sys/dev/block/%u:%u", d->root, of_major, of_minor) < (int)sizeof path)
        found = use_all(d, path, (uint32_t)pair[0]);
    d->hidden_users = d->hidden_users || !found;
}

/* ---- interrupts ---- */

struct controller {
    const struct ftrace_device_taker *taker;
    uint32_t owner;
};

static void take_irq(struct disks *d, const char *folder, const char *entry, void *context)
{
    const struct controller *c = context;
    (void)d, (void)folder;
    c->taker->irq(c->taker->context, (uint32_t)strtoul(entry, NULL, 10), c->owner);
}

static bool share_controller(const struct guest_disk *a, const struct guest_disk *b)
{
    return a->controller && b->controller && strcmp(a->controller, b->controller) == 0;
}

/* Whose the controller of disk `at` is, by all its disks. */
static uint32_t owner_of_controller(const struct disks *d, size_t at)
{
    uint32_t owner = d->at[at].owner;
    for (size_t i = 0; i < d->n; i++)
        if (share_controller(&d->at[i], &d->at[at]) && d->at[i].owner != owner)
            return WORK_UNKNOWN;
    return owner == WORK_OWN && d->hidden_users ? WORK_UNKNOWN : owner;
}

/* The controller of disk `at`, unless an earlier disk has it, too. */
static void take_controller(struct disks *d, size_t at, const struct ftrace_device_taker *taker)
{
    char path[PATH_MAX], text[16];
    struct controller c = {taker, owner_of_controller(d, at)};
    for (size_t i = 0; i < at; i++)
        if (share_controller(&d->at[i], &d->at[at]))
            return;
    struct stat st;
    if (join(path, d->at[at].controller, "msi_irqs", "") && stat(path, &st) == 0)
        each_entry(d, path, take_irq, &c);
    else if (join(path, d->at[at].controller, "irq", "") && read_line(path, text, sizeof text))
        take_irq(d, path, text, &c); /* its line, which it does not use beside messages */
}

/* ---- interfaces ---- */

/* "web", whose link `device` leads to vif-7-1 */
static void take_interface(struct disks *d, const char *folder, const char *entry, void *context)
{
    const struct ftrace_device_taker *taker = context;
    char path[PATH_MAX], target[PATH_MAX];
    unsigned long pair[2];
    (void)d;
    ssize_t n = join(path, folder, entry, "/device") ? readlink(path, target, sizeof target - 1) : -1;
    target[n > 0 ? n : 0] = '\0';
    const char *slash = strrchr(target, '/');
    const char *rest = io_name_pair(slash ? slash + 1 : target, "vif-", '-', pair);
    if (rest && !*rest && !io_name_pair(entry, "vif", '.', (unsigned long[2]){0}))
        taker->interface(taker->context, entry, (uint32_t)pair[0]);
}

static void add_name(struct disks *d, const char *folder, const char *entry, void *context)
{
    uint64_t *sum = context;
    (void)d, (void)folder;
    *sum += XXH64(entry, strlen(entry), 0); /* in any order */
}

uint64_t ftrace_devices_names(const char *root)
{
    static const char *const folders[] = {"sys/bus/xen-backend/devices", "sys/class/net"};
    char path[PATH_MAX];
    uint64_t sum = 0;
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
        if (join(path, root, folders[i], ""))
            each_entry(NULL, path, add_name, &sum);
    return sum;
}

void ftrace_devices_look(const char *root, const struct ftrace_device_taker *taker)
{
    struct disks d = {.root = root};
    char path[PATH_MAX];
    if (join(path, root, "sys/block", ""))
        each_entry(&d, path, take_disk, NULL);
    if (join(path, root, "sys/bus/xen-backend/devices", ""))
        each_entry(&d, path, take_vbd, NULL);
    for (size_t i = 0; i < d.n; i++)
        if (d.at[i].controller)
            take_controller(&d, i, taker);
    if (join(path, root, "sys/class/net", ""))
        each_entry(&d, path, take_interface, (void *)(uintptr_t)taker);
    for (size_t i = 0; i < d.n; i++) {
        free(d.at[i].path);
        free(d.at[i].controller);
    }
    free(d.at);
}
