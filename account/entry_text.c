/* Entries as lines of JSON, and back. */
#include <stdlib.h>
#include <string.h>

#include "account/decimal.h"
#include "account/entry.h"
#include "formats/json_text.h"
#include "metrics/verdict.h"

/* ---- writing ---- */

static void put_amount(struct buffer *b, const mpz_t amount, unsigned digits)
{
    buffer_text(b, "\"amount\":\"");
    decimal_put(b, amount, digits);
    buffer_text(b, "\"");
}

static void put_text(struct buffer *b, const char *key, const char *text)
{
    buffer_printf(b, ",\"%s\":", key);
    json_add_text(b, text);
}

static void put_items(struct buffer *b, const struct entry *e, unsigned digits)
{
    bool first = true;
    buffer_text(b, ",\"items\":{");
    for (enum price p = 0; p < PRICES; p++) {
        if (!e->items[p].price)
            continue;
        buffer_printf(b, "%s\"%s\":{\"ns\":%lld,\"price\":\"%s\",", first ? "" : ",", price_names[p],
                      (long long)e->items[p].ns, e->items[p].price);
        put_amount(b, e->items[p].amount, digits);
        buffer_text(b, "}");
        first = false;
    }
    buffer_text(b, "},");
}

void entry_put(struct buffer *b, const struct entry *e, unsigned digits)
{
    buffer_printf(b, "{\"entry\":\"%s\",\"period_begin_ns\":%lld,\"period_end_ns\":%lld",
                  entry_type_names[e->type], (long long)e->period.begin_utc_ns,
                  (long long)e->period.end_utc_ns);
    put_text(b, "host", e->host);
    put_text(b, "kind", bill_kind_names[e->kind]);
    put_text(b, "vm_key", e->vm_key);
    put_text(b, "vm_uuid", e->vm_uuid);
    put_text(b, "vm_name", e->vm_name);
    put_text(b, "verdict", e->verdict);
    buffer_printf(b, ",\"tags\":%s,\"quantities\":{", e->tags);
    for (size_t i = 0; i < ENTRY_QUANTITIES_N; i++)
        buffer_printf(b, "%s\"%s\":%lld", i ? "," : "", entry_quantity_names[i], (long long)e->quantities[i]);
    buffer_text(b, "}");
    put_items(b, e, digits);
    put_amount(b, e->amount, digits);
    buffer_text(b, "}\n");
}

/* ---- reading ---- */

static int wrong(const char *key, const char *what, struct error *err)
{
    return error_set(err, ERROR_FORMAT, "%s: %s", key, what);
}

static int read_number(const json_t *object, const char *key, int64_t *n, struct error *err)
{
    const json_t *value = json_object_get(object, key);
    *n = json_integer_value(value);
    return json_is_integer(value) && *n > INT64_MIN ? 0 : wrong(key, "wants a whole number", err);
}

static int read_text(const json_t *object, const char *key, char **text, struct error *err)
{
    const char *given = json_string_value(json_object_get(object, key));
    if (!given)
        return wrong(key, "wants a text", err);
    *text = strdup(given);
    return *text ? 0 : error_no_memory(err, "an entry");
}

/* The number of the word; ended by NULL. */
static int read_word(const json_t *object, const char *key, const char *const *words, unsigned *number,
                     struct error *err)
{
    const char *given = json_string_value(json_object_get(object, key));
    for (*number = 0; given && words[*number]; (*number)++)
        if (strcmp(words[*number], given) == 0)
            return 0;
    return wrong(key, "is none of the words that it can be", err);
}

static int read_amount(const json_t *object, mpz_t amount, unsigned digits, struct error *err)
{
    const char *given = json_string_value(json_object_get(object, "amount"));
    return given && decimal_read(amount, given, digits) ? 0 : wrong("amount", "is no amount", err);
}

static int read_quantities(struct entry *e, const json_t *object, struct error *err)
{
    const json_t *quantities = json_object_get(object, "quantities");
    for (size_t i = 0; i < ENTRY_QUANTITIES_N; i++)
        if (read_number(quantities, entry_quantity_names[i], &e->quantities[i], err) != 0)
            return -1;
    return json_object_size(quantities) == ENTRY_QUANTITIES_N ? 0
                                                              : wrong("quantities", "has unknown ones", err);
}

static int read_item(struct entry_item *item, const json_t *object, unsigned digits, struct error *err)
{
    mpq_t price;
    mpq_init(price);
    int status = read_number(object, "ns", &item->ns, err) != 0 ||
                         read_text(object, "price", &item->price, err) != 0 ||
                         read_amount(object, item->amount, digits, err) != 0
                     ? -1
                 : decimal_parse(price, item->price) ? 0
                                                     : wrong("price", "is no price", err);
    mpq_clear(price);
    return status;
}

static int read_items(struct entry *e, const json_t *object, unsigned digits, struct error *err)
{
    const json_t *items = json_object_get(object, "items");
    size_t n = 0;
    for (enum price p = 0; p < PRICES; p++) {
        const json_t *item = json_object_get(items, price_names[p]);
        n += item != NULL;
        if (item && read_item(&e->items[p], item, digits, err) != 0)
            return -1;
    }
    return json_is_object(items) && json_object_size(items) == n ? 0
                                                                 : wrong("items", "has unknown ones", err);
}

static int read_tags(struct entry *e, const json_t *object, struct error *err)
{
    const json_t *tags = json_object_get(object, "tags");
    const char *key;
    json_t *value;
    if (!json_is_object(tags))
        return wrong("tags", "wants an object", err);
    json_object_foreach((json_t *)(uintptr_t)tags, key,
                        value) if (!json_is_string(value)) return wrong("tags", "wants texts", err);
    e->tags = json_dumps(tags, JSON_COMPACT);
    return e->tags ? 0 : error_no_memory(err, "an entry");
}

int entry_read(struct entries *entries, const json_t *object, unsigned digits, struct error *err)
{
    const char *const verdicts[] = {verdict_name(VERDICT_GOOD), verdict_name(VERDICT_DEGRADED),
                                    verdict_name(VERDICT_POOR), NULL};
    unsigned type, kind, verdict;
    struct entry *e = entries_add(entries);
    if (!e)
        return error_no_memory(err, "an entry");
    if (read_word(object, "entry", entry_type_names, &type, err) != 0 ||
        read_word(object, "kind", bill_kind_names, &kind, err) != 0 ||
        read_word(object, "verdict", verdicts, &verdict, err) != 0 ||
        read_number(object, "period_begin_ns", &e->period.begin_utc_ns, err) != 0 ||
        read_number(object, "period_end_ns", &e->period.end_utc_ns, err) != 0 ||
        read_text(object, "host", &e->host, err) != 0 || read_text(object, "vm_key", &e->vm_key, err) != 0 ||
        read_text(object, "vm_uuid", &e->vm_uuid, err) != 0 ||
        read_text(object, "vm_name", &e->vm_name, err) != 0 ||
        read_text(object, "verdict", &e->verdict, err) != 0 || read_tags(e, object, err) != 0 ||
        read_quantities(e, object, err) != 0 || read_items(e, object, digits, err) != 0 ||
        read_amount(object, e->amount, digits, err) != 0)
        return -1;
    e->type = (enum entry_type)type;
    e->kind = (enum bill_kind)kind;
    return e->period.begin_utc_ns < e->period.end_utc_ns
               ? 0
               : wrong("period_end_ns", "is not after the beginning", err);
}
