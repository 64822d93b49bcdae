/* The relation of ShareGuard's decisions (struct guard_row). */
#ifndef XENMETER_METRICS_RELATION_GUARDS_H
#define XENMETER_METRICS_RELATION_GUARDS_H

#include "metrics/relation/relation.h"

extern const struct relation relation_guards;

#endif
