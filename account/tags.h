/*
 * Tags of VMs - customer, project, ... - from a mapping: CSV whose first line names the columns, "vm" first, and each other line
 * a VM, by UUID or name, and its tags. Lines that begin with '#' and empty ones are skipped.
 *
 *     vm,customer,project
 *     web1,ACME,shop
 *     6f1c9e0a-5b1d-4c3e-9d55-0b7a2f6f8a11,"Smith, Inc.",mail
 */
#ifndef XENMETER_ACCOUNT_TAGS_H
#define XENMETER_ACCOUNT_TAGS_H

#include <stdbool.h>
#include <stddef.h>

#include "parser/error.h"

#define TAGS_MAX 32 /* columns beside "vm" */

struct tagged {
    size_t line;
    const char *vm;               /* UUID or name */
    const char *values[TAGS_MAX]; /* "" where there is none */
};

struct tags {
    char *text; /* where all of it lies */
    const char *names[TAGS_MAX];
    size_t names_n;
    struct tagged *at; /* by vm */
    size_t n, capacity;
};

/*
 * Reads n bytes. -1 with `err` filled, which names the line: no header, a line with too many or too few fields, wrong quotes, a byte
 * that is no text, a VM that is there twice. tags_free in both cases.
 */
int tags_read(struct tags *t, const char *text, size_t n, struct error *err);
void tags_free(struct tags *t);

/* The tags of a VM, by its UUID or else its name ("": not known), in the order of t->names. NULL: it has none. */
const char *const *tags_of(const struct tags *t, const char *vm_uuid, const char *vm_name);

/* Notes in seen[t->n] the lines that name this VM, by its UUID or by its name. */
void tags_note(const struct tags *t, const char *vm_uuid, const char *vm_name, bool *seen);

/* The number of the tag of that name; -1: there is none. */
int tags_index(const struct tags *t, const char *name);

#endif
