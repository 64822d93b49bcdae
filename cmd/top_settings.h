/* What `top` keeps from one run to the next: $XDG_CONFIG_HOME/xenmeter/top.json (default ~/.config). */
#ifndef XENMETER_CMD_TOP_SETTINGS_H
#define XENMETER_CMD_TOP_SETTINGS_H

#include "screen/screen.h"

/* Sets what the file has; without a file nothing. One that cannot be used is left alone, after a message. */
void top_settings_read(struct screen_settings *s);

/* Writes the file, whole or not at all; a message if that fails. */
void top_settings_write(const struct screen_settings *s);

#endif
