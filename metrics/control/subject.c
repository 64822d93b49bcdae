#include "metrics/control/subject.h"

#include <string.h>

#define DOMAINS 65536

int subject_copy(struct subject *to, const struct subject *from, struct error *err)
{
    char *name = from->name ? strdup(from->name) : NULL;
    if (from->name && !name)
        return error_no_memory(err, "the policy");
    *to = *from;
    to->name = name;
    return 0;
}

static bool is_named(const struct subject *s, domain_name_of name_of, const void *names)
{
    for (int32_t domain = 0; domain < DOMAINS; domain++) {
        const char *name = name_of(names, domain, 1);
        if (name && strcmp(name, s->name) == 0)
            return true;
    }
    return false;
}

int subject_resolve(struct subject *s, domain_name_of name_of, const void *names, struct error *err)
{
    const char *name = s->name || !name_of ? NULL : name_of(names, s->domain, 1);
    if (s->name && !name_of)
        return error_set(err, ERROR_USAGE,
                         "%s: no names of domains are known: give --names FILE, or the domain's id",
                         s->where);
    if (s->name && !is_named(s, name_of, names))
        return error_set(
            err, ERROR_USAGE,
            "%s: no domain has this name, by the names that are known (--names): correct it, or give the "
            "domain's id",
            s->where);
    if (name && !(s->name = strdup(name)))
        return error_no_memory(err, "the policy");
    return 0;
}

bool subject_same(const struct subject *a, const struct subject *b)
{
    if (a->name && b->name)
        return strcmp(a->name, b->name) == 0;
    return !a->name && !b->name && a->domain == b->domain;
}

bool subject_is(const struct subject *s, uint16_t domain, const char *name)
{
    return s->name ? name && strcmp(s->name, name) == 0 : s->domain == domain;
}
