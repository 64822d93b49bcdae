/* Policies and rates in JSON: reading the file, and members by kind. Messages name the place by its keys: "domains.web.share". */
#ifndef XENMETER_CMD_POLICY_JSON_H
#define XENMETER_CMD_POLICY_JSON_H

#include <jansson.h>
#include <stdint.h>

#include "metrics/control/debt_policy.h"
#include "parser/error.h"

#define WHERE_BYTES 160

/* A place in the file. */
struct where {
    char text[WHERE_BYTES];
};

/* The document in n bytes; `what` it is: "the policy". As policy_json_read. */
json_t *json_text_read(const char *text, size_t n, const char *what, struct error *err);

/* All of the file; the caller's to json_decref. NULL with `err` filled: it cannot be read, or is not JSON. */
json_t *policy_json_read(const char *path, struct error *err);

/* What is below a key of the place; both are safe to print. */
struct where where_below(const struct where *above, const char *key);

/* ---- values. -1 with `err` filled: of another kind, or out of range ---- */

/* An object with these keys only (ended by NULL); `keys` NULL: with any. */
int json_check_object(const json_t *value, const struct where *w, const char *const *keys, struct error *err);

/* The text of a member, NULL without it. */
int json_text_member(const json_t *object, const struct where *w, const char *key, const char *example,
                     const char **text, struct error *err);

/* A whole number from 1 to `most`; *number stays without it. */
int json_number_member(const json_t *object, const struct where *w, const char *key, unsigned most,
                       unsigned *number, struct error *err);

/* A length of time above 0, which must be there. */
int json_length_member(const json_t *object, const struct where *w, const char *key, uint64_t *ns,
                       struct error *err);

#endif
