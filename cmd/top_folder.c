#include "top_folder.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "record/store_name.h"

/* Whether the archive's hour is not after the moment that is meant, which without a day is in the 24 hours from that hour on. */
static bool begins_by(const struct store_name *name, const struct clock_time *at)
{
    const struct clock_span span = {.from = *at, .text = ""};
    int64_t begin_ns = (int64_t)(name->hour * STORE_HOUR_NS), from_ns = 0, to_ns = 0;
    struct error ignored;
    if (clock_span_resolve(&span, false, begin_ns, &from_ns, &to_ns, &ignored) != 0)
        return false;
    int64_t most_ns = at->has_day ? INT64_MAX : (int64_t)STORE_HOUR_NS;
    return from_ns >= begin_ns && from_ns - begin_ns < most_ns;
}

int top_folder_archive(const char *folder, const struct clock_time *at, char path[PATH_MAX],
                       struct error *err)
{
    struct store_name best = {.hour = 0}, name;
    char text[STORE_NAME];
    bool any = false;
    DIR *d = opendir(folder);
    if (!d)
        return error_set(err, ERROR_IO, "cannot open: %s", strerror(errno));
    for (const struct dirent *entry; (entry = readdir(d));) {
        bool fits = store_name_read(entry->d_name, &name) && name.state == STORE_COMPLETE &&
                    (!at->given || begins_by(&name, at));
        if (fits && (!any || store_name_compare(&name, &best) > 0)) {
            best = name;
            any = true;
        }
    }
    closedir(d);
    if (!any)
        return error_set(err, ERROR_USAGE, "is a folder without %s",
                         at->given ? "an archive of a recorder that has this time"
                                   : "a complete archive of a recorder");
    store_name_put(&best, text);
    if (snprintf(path, PATH_MAX, "%s/%s", folder, text) >= PATH_MAX)
        return error_set(err, ERROR_USAGE, "its name is too long");
    return 0;
}
