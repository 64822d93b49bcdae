/*
 * Entries: rows of a bill by themselves, as closed statements and corrections keep them and as FOCUS shows them. An entry owns its
 * texts and numbers; quantities have a sign, so that one entry can take back another.
 */
#ifndef XENMETER_ACCOUNT_ENTRY_H
#define XENMETER_ACCOUNT_ENTRY_H

#include <gmp.h>
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "account/bill.h"
#include "account/period.h"
#include "formats/buffer.h"
#include "parser/error.h"

enum entry_type {
    ENTRY_CHARGE,   /* of its own period */
    ENTRY_REVERSAL, /* takes back an entry of a closed period, with the signs turned */
    ENTRY_NEW       /* stands in for what was taken back */
};
extern const char *const entry_type_names[]; /* "charge" "reversal" "new"; ended by NULL */

/* Quantities, ns but for the last; see struct account_row and struct bill_row. */
/* clang-format off */
#define ENTRY_QUANTITIES(X) \
    X(existed_ns) X(vcpu_ns) X(running_ns) X(runnable_ns) X(blocked_ns) X(offline_ns) X(unknown_ns) X(doubtful_ns) \
    X(used_ns) X(charged_ns) X(measured_ns) X(certain_ns) X(inferred_ns) X(served_ns) X(own_ns) X(unattributed_ns) \
    X(base_ns) X(overhead_ns) X(idle_ns) X(capacity_ns) X(recorded_ns) X(not_recorded_ns) X(executions)
/* clang-format on */

enum entry_quantity {
#define ENTRY_ENUM(NAME) ENTRY_##NAME,
    ENTRY_QUANTITIES(ENTRY_ENUM)
#undef ENTRY_ENUM
        ENTRY_QUANTITIES_N
};
extern const char *const entry_quantity_names[]; /* "existed_ns" ...; ended by NULL */

struct entry_item {
    int64_t ns;
    char *price;  /* exact, as decimal_put_exact has it; NULL: not priced */
    mpz_t amount; /* in units of the last digit */
};

struct entry {
    enum entry_type type;
    uint32_t
        round; /* 0: of a statement; else of its nth correction. Not in the text: whoever reads files sets it */
    enum bill_kind kind;
    struct account_period period;
    char *host;
    char *vm_key, *vm_uuid, *vm_name; /* as struct account_vm */
    char *tags;                       /* a JSON object of texts: {"customer":"ACME"} */
    char *verdict;                    /* "good" "degraded" "poor" */
    int64_t quantities[ENTRY_QUANTITIES_N];
    struct entry_item items[PRICES];
    mpz_t amount;
};

struct entries {
    struct entry *at;
    size_t n, capacity;
};
void entries_free(struct entries *e);

/* An empty entry at the end: its numbers are initialised, its texts NULL. NULL: no memory. */
struct entry *entries_add(struct entries *e);

/* A copy of a row of a bill at the end; `tags`: the names of its tags. NULL: no memory. */
struct entry *entries_add_row(struct entries *e, const struct bill_row *row, const struct tags *tags);

/* A copy of an entry at the end, of that type; one that takes back an entry that is not one turns all signs. NULL: no memory. */
struct entry *entries_add_copy(struct entries *e, const struct entry *from, enum entry_type type);

/* Frees the last one. */
void entries_drop_last(struct entries *e);

/* Turns all signs. */
void entry_negate(struct entry *e);

/* By period, host, kind, VM, round, and type. */
void entries_sort(struct entries *e);

/* The order of what two entries are about: period, host, kind, VM. */
int entry_compare(const struct entry *a, const struct entry *b);

/* Whether quantities, prices and amounts are the same. */
bool entry_equal(const struct entry *a, const struct entry *b);

/* Adds quantities and amounts of `from`; false: out of range. */
bool entry_sum(struct entry *into, const struct entry *from);

/* Whether it has nothing in it: no quantity, no amount. */
bool entry_is_zero(const struct entry *e);

/* ---- as text: one line of JSON ---- */

void entry_put(struct buffer *b, const struct entry *e, unsigned digits);

/* Reads an object into an entry at the end. -1 with `err` filled: a member is missing, unknown, of another kind or out of range. */
int entry_read(struct entries *e, const json_t *object, unsigned digits, struct error *err);

#endif
