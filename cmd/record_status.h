#ifndef XENMETER_CMD_RECORD_STATUS_H
#define XENMETER_CMD_RECORD_STATUS_H

#include <stdbool.h>

/* Prints what the recorder of the folder does, as lines for people or as it is stored. Returns the exit code. */
int record_status(const char *folder, bool json);

#endif
