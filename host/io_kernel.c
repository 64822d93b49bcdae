/* Source: Linux arch/Kconfig and kernel/sched/core.c (PARAVIRT_TIME_ACCOUNTING). */
#include "io_kernel.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "io_file.h"

bool io_kernel_has_proc(const char *root)
{
    char path[PATH_MAX];
    struct stat st;
    snprintf(path, sizeof path, "%s/proc", root);
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static bool has_line(const char *path, const char *wanted)
{
    FILE *f = fopen(path, "re");
    char *line = NULL;
    size_t size = 0;
    bool found = false;
    while (f && !found && getline(&line, &size, f) > 0)
        found = strcmp(line, wanted) == 0;
    free(line);
    if (f)
        fclose(f);
    return found;
}

bool io_kernel_leaves_out_steal(const char *root)
{
    static const char option[] = "CONFIG_PARAVIRT_TIME_ACCOUNTING=y\n";
    char path[PATH_MAX], release[128], command[4096];
    snprintf(path, sizeof path, "%s/proc/sys/kernel/osrelease", root);
    if (!io_file_all(path, '?', release, sizeof release))
        return false;
    release[strcspn(release, "\n")] = '\0';
    snprintf(path, sizeof path, "%s/proc/cmdline", root);
    if (io_file_all(path, ' ', command, sizeof command) && strstr(command, "no-steal-acc"))
        return false;
    snprintf(path, sizeof path, "%s/boot/config-%s", root, release);
    if (has_line(path, option))
        return true;
    snprintf(path, sizeof path, "%s/lib/modules/%s/config", root, release);
    return has_line(path, option);
}
