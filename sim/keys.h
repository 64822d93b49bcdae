/*
 * keys.h - objects of a JSON document by tables of the keys that they may have.
 *
 * Times carry their unit in the key: a key "slice" of kind KEY_TIME is read from slice_ns, slice_us, slice_ms or slice_s. What
 * is not in the table is an error, as is a wrong type or a number out of its range; the message names the place as a path
 * from the document's root ($.domains[1].slice_ms) and what is wanted there.
 */
#ifndef XENMETER_SIM_KEYS_H
#define XENMETER_SIM_KEYS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "parser/error.h"

enum key_kind {
    KEY_COUNT,  /* a whole number: uint64_t */
    KEY_TIME,   /* with a unit in the key: uint64_t, ns */
    KEY_NUMBER, /* double */
    KEY_FLAG,   /* bool */
    KEY_TEXT,   /* const char *, the document's */
    KEY_CHOICE, /* int: the number of the choice */
    KEY_OTHER   /* the caller reads it */
};

struct key {
    const char *name; /* NULL: the end of the table */
    enum key_kind kind;
    size_t offset;              /* of the value in the struct */
    double least, most;         /* of KEY_COUNT, KEY_NUMBER, and in ns of KEY_TIME */
    const char *const *choices; /* of KEY_CHOICE, ended by NULL */
    bool required;
};

/* Where in the document something is. */
struct key_place {
    const struct key_place *above; /* NULL: the root */
    const char *name;              /* the member of an object; NULL: an element of a list */
    size_t index;
};

/* Fills `err` with "PATH: message". -1. */
int key_error(const struct key_place *place, struct error *err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/*
 * Reads the members of `object` that `keys` names to the struct at `to`; a key that is absent leaves its value alone.
 * -1 with `err` filled.
 */
int keys_read(const json_t *object, const struct key_place *place, const struct key *keys, void *to,
              struct error *err);

/* The list at `name` of the object; *list is NULL if it is absent. -1 with `err` filled: no list, or longer than `most`. */
int keys_list(const json_t *object, const struct key_place *place, const char *name, size_t most,
              const json_t **list, struct error *err);

/*
 * A JSON Schema (2020-12) of an object with these keys, as keys_read() takes it; those of kind KEY_OTHER are taken from
 * `others` (consumed),
 * an object by their names. NULL: no memory, or `others` is NULL or lacks one. The caller owns it.
 */
json_t *keys_schema(const struct key *keys, json_t *others);

/* Of a list of at most so many elements, each as `element` (consumed) has it; as above. */
json_t *keys_list_schema(json_t *element, size_t most);

/* The member of that key, of kind KEY_TIME with whatever unit; NULL: absent. */
const char *keys_given(const json_t *object, const struct key *keys, const char *name);

#endif
