/*
 * The configuration file: options that hold where the command line does not give them. A section for each command, in it
 * long options:
 *
 *     [report]
 *     by = vcpu
 *     quiet
 */
#ifndef XENMETER_CMD_CONFIG_H
#define XENMETER_CMD_CONFIG_H

#include <limits.h>

#include "options.h"

/* Where the file of that name is: $XDG_CONFIG_HOME/xenmeter/NAME (default ~/.config). False: there is no such folder. */
bool config_path(const char *name, char path[PATH_MAX]);

/*
 * Its text, the caller's to free. NULL: there is no such file, or root is not to read it, or it failed: *failed; a message says why.
 */
char *config_text(const char *path, bool *failed);

/*
 * Reads $XDG_CONFIG_HOME/xenmeter/config (default ~/.config), if it is there, checks all of it, and sets those options of
 * o->command that are not `given`: a flag for each row of the command's table. root does not read a file that others can
 * write, and a message says so. The values stay in o->config. 0, or -1 after a message that names file and line.
 */
int config_apply(struct options *o, const bool *given);

#endif
