/* What --columns help prints. */
#ifndef XENMETER_CMD_COLUMNS_LIST_H
#define XENMETER_CMD_COLUMNS_LIST_H

#include "metrics/relation/relation.h"

/* Prints the names of the relations' columns, each with what it is. */
void columns_list(const struct relation *const *relations, size_t n);

#endif
