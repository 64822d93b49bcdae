#include "top_folder.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "archive/archive.h"
#include "archive/host_facts.h"
#include "metrics/array.h"
#include "record/store_name.h"

struct folder_archive {
    struct store_name name;
    char *folder;
};

struct candidates {
    struct folder_archive *at;
    size_t n, capacity;
};

/* ---- when an archive was recorded ---- */

static bool add_facts(struct archive *a, const struct capture *p, struct host_facts *facts)
{
    const uint8_t *bytes;
    struct error ignored;
    for (size_t i = 0; i < p->members_n; i++) {
        const struct member *m = &p->members[i];
        if (m->kind == MEMBER_HOST && (archive_read(a, p, m, &bytes, &ignored) != 0 ||
                                       host_facts_read(facts, (const char *)bytes, m->bytes, &ignored) != 0))
            return false;
    }
    return true;
}

/* Whether the time that is meant lies in the capture. */
static bool has_time(const struct capture *p, const struct host_facts *facts, const struct clock_time *at)
{
    const struct clock_span span = {.from = *at, .text = ""};
    int64_t begin_ns, end_ns, from_ns = 0, to_ns = 0;
    struct error ignored;
    return host_facts_utc(facts, p->cpu_hz, p->tsc_first, &begin_ns, NULL) &&
           host_facts_utc(facts, p->cpu_hz, p->tsc_last, &end_ns, NULL) &&
           clock_span_resolve(&span, false, begin_ns, &from_ns, &to_ns, &ignored) == 0 &&
           from_ns >= begin_ns && from_ns < end_ns;
}

static bool archive_has_time(const char *path, const struct clock_time *at)
{
    struct error ignored = {0};
    const struct capture *captures;
    struct host_facts facts = {.domains_n = 0};
    struct archive *a = archive_open(path, &ignored);
    bool has = a && archive_captures(a, &captures) > 0 && add_facts(a, captures, &facts) &&
               has_time(captures, &facts, at);
    host_facts_free(&facts);
    archive_close(a);
    return has;
}

/* By its name alone: an archive begins in its hour and is no longer than a day. */
static bool can_have_time(const struct store_name *name, const struct clock_time *at)
{
    const struct clock_span span = {.from = *at, .text = ""};
    int64_t begin_ns = (int64_t)(name->hour * STORE_HOUR_NS), from_ns = 0, to_ns = 0;
    struct error ignored;
    return clock_span_resolve(&span, false, begin_ns, &from_ns, &to_ns, &ignored) == 0 &&
           from_ns >= begin_ns && from_ns - begin_ns < (int64_t)(25 * STORE_HOUR_NS);
}

/* ---- which there are ---- */

static bool add(struct candidates *all, const char *folder, const struct store_name *name)
{
    if (!array_make_room(&all->at, &all->capacity, all->n + 1, sizeof *all->at))
        return false;
    struct folder_archive *c = &all->at[all->n];
    *c = (struct folder_archive){.name = *name, .folder = strdup(folder)};
    all->n += c->folder != NULL;
    return c->folder != NULL;
}

/* False: no memory. A folder that cannot be read has none. */
static bool list(struct candidates *all, const char *folder, const struct clock_time *at)
{
    DIR *d = opendir(folder);
    bool fine = true;
    struct store_name name;
    for (const struct dirent *entry; fine && d && (entry = readdir(d));)
        if (store_name_read(entry->d_name, false, &name) && name.state == STORE_COMPLETE &&
            (!at->given || can_have_time(&name, at)))
            fine = add(all, folder, &name);
    if (d)
        closedir(d);
    return fine;
}

/* Those below, too: a recorder has a folder for each host. */
static int list_all(struct candidates *all, const char *folder, const struct clock_time *at,
                    struct error *err)
{
    char below[PATH_MAX];
    DIR *d = opendir(folder);
    if (!d)
        return error_set(err, ERROR_IO, "cannot open: %s", strerror(errno));
    bool fine = list(all, folder, at);
    for (const struct dirent *entry; fine && (entry = readdir(d));)
        if (entry->d_type == DT_DIR && entry->d_name[0] != '.' &&
            snprintf(below, sizeof below, "%s/%s", folder, entry->d_name) < PATH_MAX)
            fine = list(all, below, at);
    closedir(d);
    return fine ? 0 : error_no_memory(err, "the archives of the folder");
}

static int newest_first(const void *a, const void *b)
{
    const struct folder_archive *c = a, *d = b;
    return store_name_compare(&d->name, &c->name);
}

static bool choose(const struct candidates *all, const struct clock_time *at, char path[PATH_MAX])
{
    char name[STORE_NAME];
    for (size_t i = 0; i < all->n; i++) {
        store_name_put(&all->at[i].name, name);
        if (snprintf(path, PATH_MAX, "%s/%s", all->at[i].folder, name) < PATH_MAX &&
            (!at->given || archive_has_time(path, at)))
            return true;
    }
    return false;
}

int top_folder_archive(const char *folder, const struct clock_time *at, char path[PATH_MAX],
                       struct error *err)
{
    struct candidates all = {.n = 0};
    int status = list_all(&all, folder, at, err);
    if (all.n > 1)
        qsort(all.at, all.n, sizeof *all.at, newest_first);
    if (status == 0 && !choose(&all, at, path))
        status = error_set(err, ERROR_USAGE, "no complete archive of a recorder %s there",
                           at->given ? "with this time is" : "is");
    for (size_t i = 0; i < all.n; i++)
        free(all.at[i].folder);
    free(all.at);
    return status;
}
