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

#include "options.h"

/*
 * Reads $XDG_CONFIG_HOME/xenmeter/config (default ~/.config), if it is there, checks all of it, and sets those options of
 * o->command that are not `given`: a flag for each row of the command's table. root does not read a file that others can
 * write, and a message says so. The values stay in o->config. 0, or -1 after a message that names file and line.
 */
int config_apply(struct options *o, const bool *given);

#endif
