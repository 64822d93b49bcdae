/* Reads the prices that xenmeter-rates(5) describes. */
#include "rates_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "account/decimal.h"
#include "clock_time.h"
#include "formats/safe_text.h"
#include "policy_json.h"
#include "small_file.h"

#define CURRENCY_BYTES 16
#define PATTERN_BYTES  128
#define PRICE_BYTES    1000

static const struct small_file rates_kind = {.cannot = "cannot read the rates",
                                             .too_large = "is larger than any rates: 1 MiB at most",
                                             .most = (size_t)1 << 20};
static const struct small_file tags_kind = {.cannot = "cannot read the tags",
                                            .too_large = "is larger than any tags: 64 MiB at most",
                                            .most = (size_t)64 << 20};

int rates_file(const char *path, struct buffer *text, struct error *err)
{
    return small_file_read(path, &rates_kind, text, err);
}

int tags_file(const char *path, struct buffer *text, struct error *err)
{
    return small_file_read(path, &tags_kind, text, err);
}

static const char *const file_keys[] = {"currency", "digits", "provider", "billing_account", "rates", NULL};
static const char *const rate_keys[] = {
    "from",      "to", "vm", "host", "tags", "vcpu_second_run", "cpu_second_charged", "vcpu_hour_allocated",
    "pcpu_hour", NULL};

/* ---- members ---- */

/* A copy of a member's text of 1 .. most - 1 printable bytes; NULL without it. */
static int text_member(const json_t *object, const struct where *w, const char *key, size_t most,
                       const char *example, char **text, struct error *err)
{
    const json_t *value = json_object_get(object, key);
    const char *given = json_string_value(value);
    struct where where = where_below(w, key);
    char safe[4 * PRICE_BYTES];
    *text = NULL;
    if (!value)
        return 0;
    if (!given || !*given || strlen(given) >= most || strcmp(safe_text(safe, sizeof safe, given), given) != 0)
        return error_set(err, ERROR_FORMAT, "%s: wants a text of at most %zu bytes, for example \"%s\"",
                         where.text, most - 1, example);
    *text = strdup(given);
    return *text ? 0 : error_no_memory(err, "the rates");
}

/* "2026-12-01T00:00Z" "2026-12-01"; *utc_ns stays without it. */
static int moment_member(const json_t *object, const struct where *w, const char *key, int64_t *utc_ns,
                         struct error *err)
{
    struct where where = where_below(w, key);
    struct clock_span span = {.text = ""};
    struct error ignored;
    char *text, whole[PATTERN_BYTES];
    int64_t end_ns;
    if (text_member(object, w, key, 40, "2026-12-01T00:00Z", &text, err) != 0)
        return -1;
    if (!text)
        return 0;
    int n = snprintf(whole, sizeof whole, "%s%s", text, strlen(text) == 10 ? "T00:00Z" : "");
    bool fine = clock_time_parse(&span.from, key, whole, (size_t)n, &ignored) == 0 && span.from.has_day &&
                span.from.utc && clock_span_resolve(&span, true, 0, utc_ns, &end_ns, &ignored) == 0;
    free(text);
    return fine ? 0
                : error_set(err, ERROR_FORMAT, "%s: wants a moment in UTC, for example \"2026-12-01T00:00Z\"",
                            where.text);
}

static int price_member(const json_t *object, const struct where *w, enum price p, struct rate *rate,
                        struct error *err)
{
    const char *key = price_names[p];
    struct where where = where_below(w, key);
    const json_t *value = json_object_get(object, key);
    const char *text = json_string_value(value);
    if (!value)
        return 0;
    mpq_init(rate->prices[p]);
    rate->given[p] = true;
    if (text && strlen(text) < PRICE_BYTES && decimal_parse(rate->prices[p], text))
        return 0;
    return error_set(err, ERROR_FORMAT,
                     "%s: wants a decimal number of 0 or more, in quotes so that it stays exact: "
                     "\"0.0000123\"; of at most %d digits",
                     where.text, PRICE_BYTES - 1);
}

static int tag_members(const json_t *object, const struct where *w, const struct tags *tags,
                       struct rate *rate, struct error *err)
{
    const struct where where = where_below(w, "tags");
    const json_t *chosen = json_object_get(object, "tags");
    const char *key;
    json_t *value;
    if (!chosen)
        return 0;
    if (json_check_object(chosen, &where, NULL, err) != 0)
        return -1;
    if (json_object_size(chosen) == 0)
        return error_set(err, ERROR_FORMAT, "%s: names no tag", where.text);
    rate->tags = calloc(TAGS_MAX, sizeof *rate->tags);
    if (!rate->tags)
        return error_no_memory(err, "the rates");
    rate->tags_n = tags ? tags->names_n : 0;
    json_object_foreach((json_t *)(uintptr_t)chosen, key, value)
    {
        int i = tags ? tags_index(tags, key) : -1;
        if (i < 0)
            return error_set(err, ERROR_FORMAT, "%s: %s", where_below(&where, key).text,
                             tags ? "the tags have no such column"
                                  : "no tags are known: give them with --tags FILE");
        if (text_member(chosen, &where, key, PATTERN_BYTES, "ACME", &rate->tags[i], err) != 0)
            return -1;
    }
    return 0;
}

/* ---- rates ---- */

static int check_rate(const struct rate *rate, struct error *err)
{
    bool any = false;
    for (enum price p = 0; p < PRICES; p++)
        any = any || rate->given[p];
    if (!any)
        return error_set(err, ERROR_FORMAT,
                         "%s: has no price: vcpu_second_run, cpu_second_charged, "
                         "vcpu_hour_allocated, or pcpu_hour",
                         rate->where);
    if (rate->from_ns >= rate->to_ns)
        return error_set(err, ERROR_FORMAT, "%s: \"to\" is not after \"from\"", rate->where);
    if (rate->given[PRICE_CAPACITY] && (rate->vm || rate->tags))
        return error_set(err, ERROR_FORMAT,
                         "%s: pcpu_hour is the price of a host: it goes with \"host\", not with \"%s\"",
                         rate->where, rate->vm ? "vm" : "tags");
    return 0;
}

static int read_rate(struct rate *rate, const json_t *object, const struct tags *tags, struct error *err)
{
    struct where w;
    snprintf(w.text, sizeof w.text, "%s", rate->where);
    if (json_check_object(object, &w, rate_keys, err) != 0 ||
        moment_member(object, &w, "from", &rate->from_ns, err) != 0 ||
        moment_member(object, &w, "to", &rate->to_ns, err) != 0 ||
        text_member(object, &w, "vm", PATTERN_BYTES, "web*", &rate->vm, err) != 0 ||
        text_member(object, &w, "host", PATTERN_BYTES, "xen1", &rate->host, err) != 0 ||
        tag_members(object, &w, tags, rate, err) != 0)
        return -1;
    for (enum price p = 0; p < PRICES; p++)
        if (price_member(object, &w, p, rate, err) != 0)
            return -1;
    return check_rate(rate, err);
}

static int read_rates(struct rates *r, const json_t *list, const struct tags *tags, struct error *err)
{
    size_t n = json_array_size(list);
    if (n == 0)
        return error_set(err, ERROR_FORMAT,
                         "rates: wants a list of rates: [ { \"vcpu_second_run\": \"0.00001\" } ]");
    for (size_t i = 0; i < n; i++) {
        struct rate rate = {.from_ns = INT64_MIN, .to_ns = INT64_MAX};
        snprintf(rate.where, sizeof rate.where, "rates[%zu]", i + 1);
        int status = read_rate(&rate, json_array_get(list, i), tags, err);
        if (status != 0)
            rate_free(&rate);
        else
            status = rates_add(r, &rate, err);
        if (status != 0)
            return -1;
    }
    return 0;
}

static int read_digits(struct rates *r, const json_t *document, struct error *err)
{
    const json_t *value = json_object_get(document, "digits");
    json_int_t digits = json_integer_value(value);
    r->digits = value ? (unsigned)digits : 2;
    if (!value || (json_is_integer(value) && digits >= 0 && digits <= DECIMAL_DIGITS_MAX))
        return 0;
    return error_set(err, ERROR_FORMAT, "digits: wants a whole number from 0 to %d", DECIMAL_DIGITS_MAX);
}

static int read_document(struct rates *r, const json_t *document, const struct tags *tags, struct error *err)
{
    const struct where top = {""};
    if (!json_is_object(document))
        return error_set(err, ERROR_FORMAT, "wants an object: { \"currency\": \"EUR\", \"rates\": [ ... ] }");
    if (json_check_object(document, &top, file_keys, err) != 0 ||
        text_member(document, &top, "currency", CURRENCY_BYTES, "EUR", &r->currency, err) != 0 ||
        text_member(document, &top, "provider", PATTERN_BYTES, "Example Hosting", &r->provider, err) != 0 ||
        text_member(document, &top, "billing_account", PATTERN_BYTES, "fleet-1", &r->billing_account, err) !=
            0 ||
        read_digits(r, document, err) != 0)
        return -1;
    if (!r->currency)
        return error_set(err, ERROR_FORMAT, "currency: is missing: for example \"EUR\"");
    return read_rates(r, json_object_get(document, "rates"), tags, err);
}

int rates_read(struct rates *r, const char *text, size_t n, const struct tags *tags, struct error *err)
{
    json_t *document = json_text_read(text, n, "the rates", err);
    *r = (struct rates){0};
    if (!document)
        return -1;
    int status = read_document(r, document, tags, err);
    json_decref(document);
    return status;
}
