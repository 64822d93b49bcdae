/* About which domain a rule of a policy is: by its id, or by its name. */
#ifndef XENMETER_METRICS_CONTROL_SUBJECT_H
#define XENMETER_METRICS_CONTROL_SUBJECT_H

#include <stdbool.h>
#include <stdint.h>

#include "parser/error.h"

struct subject {
    char *name; /* owned by the policy; NULL: by id */
    uint16_t domain;
    char where[72]; /* in the file or option, for messages: "domains.web", "--reserve web=30%" */
};

/* As name_lookup in metrics/relation/relation.h. */
typedef const char *(*domain_name_of)(const void *names, int32_t domain, uint32_t life);

/* Copies `from` to `to`, the name too. -1 with `err` filled: no memory. */
int subject_copy(struct subject *to, const struct subject *from, struct error *err);

/*
 * Finds out about whom the rule is: by the id of a domain with a known name becomes by that name. name_of may be NULL: no
 * names are known. -1 with `err` filled, which names the place: a name that no domain has, or no memory.
 */
int subject_resolve(struct subject *s, domain_name_of name_of, const void *names, struct error *err);

/* Whether both are about one domain. After subject_resolve. */
bool subject_same(const struct subject *a, const struct subject *b);

/* Whether it is about a domain of that id and name (NULL: not known). After subject_resolve. */
bool subject_is(const struct subject *s, uint16_t domain, const char *name);

#endif
