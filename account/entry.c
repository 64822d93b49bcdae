#include "entry.h"

#include <stdlib.h>
#include <string.h>

#include "account/decimal.h"
#include "formats/json_memory.h"
#include "formats/json_text.h"
#include "metrics/array.h"
#include "metrics/verdict.h"

#define PRICE_DIGITS 1000 /* more than any price has after its point */

const char *const entry_type_names[] = {"charge", "reversal", "new", NULL};

const char *const entry_quantity_names[] = {
#define ENTRY_NAME(NAME) #NAME,
    ENTRY_QUANTITIES(ENTRY_NAME)
#undef ENTRY_NAME
        NULL};

/* ---- memory ---- */

static void free_entry(struct entry *e)
{
    char *texts[] = {e->host, e->vm_key, e->vm_uuid, e->vm_name, e->tags, e->verdict};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        free(texts[i]);
    for (enum price p = 0; p < PRICES; p++) {
        free(e->items[p].price);
        mpz_clear(e->items[p].amount);
    }
    mpz_clear(e->amount);
}

void entries_free(struct entries *e)
{
    for (size_t i = 0; i < e->n; i++)
        free_entry(&e->at[i]);
    free(e->at);
    *e = (struct entries){0};
}

struct entry *entries_add(struct entries *e)
{
    if (!array_make_room(&e->at, &e->capacity, e->n + 1, sizeof *e->at))
        return NULL;
    struct entry *added = &e->at[e->n++];
    *added = (struct entry){.type = ENTRY_CHARGE};
    mpz_init(added->amount);
    for (enum price p = 0; p < PRICES; p++)
        mpz_init(added->items[p].amount);
    return added;
}

void entries_drop_last(struct entries *e)
{
    free_entry(&e->at[--e->n]);
}

/* ---- from rows of a bill ---- */

/* In the form in which what was read is kept, too. */
static char *tags_text(const struct bill_row *row, const struct tags *tags)
{
    json_memory_begin();
    json_t *object = json_object();
    for (size_t i = 0; row->tags && tags && i < tags->names_n; i++)
        if (*row->tags[i])
            json_put(&object, tags->names[i], json_of_text(row->tags[i]));
    char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;
    json_decref(object);
    if (text && json_memory_failed()) {
        free(text);
        text = NULL;
    }
    return text;
}

/* A copy in the form in which it is stored: what is not UTF-8 is replaced. NULL: no memory. */
static char *stored(const char *text)
{
    json_memory_begin();
    json_t *value = json_of_text(text);
    const char *same = json_string_value(value);
    char *copy = same ? strdup(same) : NULL;
    json_decref(value);
    return copy;
}

static char *price_text(const struct rate *rate, enum price p)
{
    struct buffer b = {0};
    decimal_put_exact(&b, rate->prices[p], PRICE_DIGITS);
    buffer_add(&b, "", 1);
    if (b.failed)
        buffer_free(&b);
    return b.at;
}

static void take_quantities(struct entry *e, const struct bill_row *row)
{
    const struct account_row *r = &row->row;
    const uint64_t q[ENTRY_QUANTITIES_N] = {
        r->existed_ns,      r->vcpu_ns,         r->running_ns,    r->runnable_ns, r->blocked_ns,
        r->offline_ns,      r->unknown_ns,      r->doubtful_ns,   r->used_ns,     r->charged_ns,
        r->measured_ns,     r->certain_ns,      r->inferred_ns,   r->served_ns,   r->own_ns,
        r->unattributed_ns, row->base_ns,       row->overhead_ns, row->idle_ns,   row->capacity_ns,
        r->recorded_ns,     r->not_recorded_ns, r->executions};
    for (size_t i = 0; i < ENTRY_QUANTITIES_N; i++)
        e->quantities[i] = q[i] > INT64_MAX ? INT64_MAX : (int64_t)q[i];
}

struct entry *entries_add_row(struct entries *entries, const struct bill_row *row, const struct tags *tags)
{
    const struct account_row *r = &row->row;
    struct entry *e = entries_add(entries);
    if (!e)
        return NULL;
    e->kind = row->kind;
    e->period = r->period;
    e->host = stored(r->host->name);
    e->vm_key = stored(r->vm->key);
    e->vm_uuid = stored(r->vm->uuid);
    e->vm_name = stored(r->vm->name);
    e->tags = tags_text(row, tags);
    e->verdict = strdup(verdict_name(r->verdict));
    take_quantities(e, row);
    mpz_set(e->amount, row->amount);
    bool whole = e->host && e->vm_key && e->vm_uuid && e->vm_name && e->tags && e->verdict;
    for (enum price p = 0; p < PRICES; p++) {
        const struct bill_item *item = &row->items[p];
        e->items[p].ns = item->rate ? (int64_t)item->ns : 0;
        e->items[p].price = item->rate ? price_text(item->rate, p) : NULL;
        mpz_set(e->items[p].amount, item->amount);
        whole = whole && (!item->rate || e->items[p].price);
    }
    return whole ? e : NULL;
}

void entry_negate(struct entry *e)
{
    for (size_t i = 0; i < ENTRY_QUANTITIES_N; i++)
        e->quantities[i] = -e->quantities[i];
    mpz_neg(e->amount, e->amount);
    for (enum price p = 0; p < PRICES; p++) {
        e->items[p].ns = -e->items[p].ns;
        mpz_neg(e->items[p].amount, e->items[p].amount);
    }
}

struct entry *entries_add_copy(struct entries *entries, const struct entry *from, enum entry_type type)
{
    struct entry *e = entries_add(entries);
    if (!e)
        return NULL;
    char **texts[] = {&e->host, &e->vm_key, &e->vm_uuid, &e->vm_name, &e->tags, &e->verdict};
    const char *given[] = {from->host, from->vm_key, from->vm_uuid, from->vm_name, from->tags, from->verdict};
    bool whole = true;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        whole = (*texts[i] = strdup(given[i])) && whole;
    e->type = type;
    e->round = from->round;
    e->kind = from->kind;
    e->period = from->period;
    memcpy(e->quantities, from->quantities, sizeof e->quantities);
    mpz_set(e->amount, from->amount);
    for (enum price p = 0; p < PRICES; p++) {
        e->items[p].ns = from->items[p].ns;
        mpz_set(e->items[p].amount, from->items[p].amount);
        if (from->items[p].price)
            whole = (e->items[p].price = strdup(from->items[p].price)) && whole;
    }
    if (type == ENTRY_REVERSAL && from->type != ENTRY_REVERSAL)
        entry_negate(e);
    return whole ? e : NULL;
}

/* ---- comparing ---- */

static int compare_numbers(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

int entry_compare(const struct entry *a, const struct entry *b)
{
    int order = compare_numbers(a->period.begin_utc_ns, b->period.begin_utc_ns);
    order = order ? order : compare_numbers(a->period.end_utc_ns, b->period.end_utc_ns);
    order = order ? order : strcmp(a->host, b->host);
    order = order ? order : compare_numbers((int64_t)a->kind, (int64_t)b->kind);
    return order ? order : strcmp(a->vm_key, b->vm_key);
}

static int by_subject(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    int order = entry_compare(x, y);
    order = order ? order : compare_numbers(x->round, y->round);
    return order ? order : compare_numbers((int64_t)x->type, (int64_t)y->type);
}

void entries_sort(struct entries *e)
{
    if (e->n > 0)
        qsort(e->at, e->n, sizeof *e->at, by_subject);
}

bool entry_equal(const struct entry *a, const struct entry *b)
{
    if (memcmp(a->quantities, b->quantities, sizeof a->quantities) != 0 || mpz_cmp(a->amount, b->amount) != 0)
        return false;
    for (enum price p = 0; p < PRICES; p++) {
        const struct entry_item *x = &a->items[p], *y = &b->items[p];
        bool same_price = x->price && y->price ? strcmp(x->price, y->price) == 0 : x->price == y->price;
        if (x->ns != y->ns || !same_price || mpz_cmp(x->amount, y->amount) != 0)
            return false;
    }
    return strcmp(a->tags, b->tags) == 0;
}

bool entry_sum(struct entry *into, const struct entry *from)
{
    for (size_t i = 0; i < ENTRY_QUANTITIES_N; i++)
        if (__builtin_add_overflow(into->quantities[i], from->quantities[i], &into->quantities[i]))
            return false;
    mpz_add(into->amount, into->amount, from->amount);
    for (enum price p = 0; p < PRICES; p++) {
        if (__builtin_add_overflow(into->items[p].ns, from->items[p].ns, &into->items[p].ns))
            return false;
        mpz_add(into->items[p].amount, into->items[p].amount, from->items[p].amount);
    }
    return true;
}

bool entry_is_zero(const struct entry *e)
{
    bool zero = mpz_sgn(e->amount) == 0;
    for (size_t i = 0; i < ENTRY_QUANTITIES_N; i++)
        zero = zero && e->quantities[i] == 0;
    return zero;
}
