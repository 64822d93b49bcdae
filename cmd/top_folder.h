/* The folder of a recorder (xenmeter record) as the input of `top`. */
#ifndef XENMETER_CMD_TOP_FOLDER_H
#define XENMETER_CMD_TOP_FOLDER_H

#include <limits.h>

#include "clock_time.h"

/*
 * The complete archive of the folder, or of one below it, in which that time of day lies, the newest of several; without one (`at` is not
 * given) the newest of all: its path. -1 with `err` filled: there is none.
 */
int top_folder_archive(const char *folder, const struct clock_time *at, char path[PATH_MAX],
                       struct error *err);

#endif
