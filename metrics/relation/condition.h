/* A condition on a column of rows: 'wait_p99 +20% in web', 'wait_p99 > 5ms', 'lost > 0'. */
#ifndef XENMETER_METRICS_RELATION_CONDITION_H
#define XENMETER_METRICS_RELATION_CONDITION_H

#include <stdbool.h>
#include <stdint.h>

#include "metrics/relation/sides.h"

enum condition_kind { CONDITION_CHANGE, CONDITION_ABOVE, CONDITION_BELOW };

struct condition {
    const char *text; /* as it was given */
    const struct comparable *of;
    enum condition_kind kind;
    int sign;            /* of a change: 1 upwards, -1 downwards, 0 either */
    double limit;        /* in the column's unit, or per cent of before; 0 or more */
    bool relative;       /* */
    const char *where;   /* a part of `text`: a name, pattern, id or range of ids; NULL: all */
    int32_t first, last; /* the ids that `where` is; -1: it is a name or a pattern */
};

/* Whether the condition is about the subject of this id and name (NULL: it is not known). */
bool condition_is_about(const struct condition *c, int32_t id, const char *name);

#endif
