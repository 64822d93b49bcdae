/* How each kind of fact is written: one table of fields, for writer and reader. */
#ifndef XENMETER_ARCHIVE_HOST_FACTS_FIELDS_H
#define XENMETER_ARCHIVE_HOST_FACTS_FIELDS_H

#include "archive/fields.h"
#include "archive/host_facts.h"

#define FACT_UTC_MAX (INT64_MAX / 2) /* ns since 1970: in 2116. Differences of two moments fit in 64 bits */

struct fact_form {
    const char *name;                  /* the key of its object */
    const struct stored_field *fields; /* of the struct in the union; scalars and STORED_WORD only */
};

/* By enum fact_kind. */
extern const struct fact_form fact_forms[FACTS];

/* The struct of the union that the fields are in. */
static inline void *fact_struct(const struct fact *f)
{
    return (void *)(uintptr_t)&f->boot;
}

#endif
