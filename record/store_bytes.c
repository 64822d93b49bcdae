#include "record/store_bytes.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "archive/manifest.h"

/* Of what a folder has: regular files whose names have `part` in them; all if it is NULL. */
static uint64_t bytes_in(const char *path, const char *part)
{
    uint64_t bytes = 0;
    DIR *folder = opendir(path);
    for (struct dirent *e; folder && (e = readdir(folder));) {
        struct stat st;
        if ((!part || strstr(e->d_name, part)) &&
            fstatat(dirfd(folder), e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode))
            bytes += (uint64_t)st.st_size;
    }
    if (folder)
        closedir(folder);
    return bytes;
}

/* Files that are being rewritten; of another host all that is a recorder's. */
static uint64_t host_bytes(const char *dir, const char *name, bool other)
{
    char path[PATH_MAX];
    if (snprintf(path, sizeof path, "%s/%s", dir, name) >= (int)sizeof path)
        return 0;
    uint64_t bytes = bytes_in(path, ".xenmeter-") + (other ? bytes_in(path, ".xma") : 0);
    if (other && snprintf(path, sizeof path, "%s/%s/flight", dir, name) < (int)sizeof path)
        bytes += bytes_in(path, NULL);
    return bytes;
}

uint64_t store_other_bytes(const char *dir, const char *host)
{
    uint64_t bytes = bytes_in(dir, ".status.json");
    DIR *folder = opendir(dir);
    for (struct dirent *e; folder && (e = readdir(folder));)
        if (host_label_fine(e->d_name))
            bytes += host_bytes(dir, e->d_name, strcmp(e->d_name, host) != 0);
    if (folder)
        closedir(folder);
    return bytes;
}
