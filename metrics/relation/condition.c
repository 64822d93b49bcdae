#include "metrics/relation/condition.h"

#include <fnmatch.h>

bool condition_is_about(const struct condition *c, int32_t id, const char *name)
{
    if (!c->where)
        return true;
    if (c->first >= 0)
        return id >= c->first && id <= c->last;
    return name && fnmatch(c->where, name, 0) == 0;
}
