/* Reads facts, which may be hostile, line by line, and puts them in order. */
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "archive/host_facts_fields.h"
#include "formats/json_memory.h"
#include "metrics/array.h"

#define LINE_MOST (64u << 10) /* bytes; a fact has a few hundred */

/* ---- one line ---- */

/* What is wrong with a value that should go into the field, in words; NULL: nothing is. */
static const char *take_word(const struct stored_field *f, void *of, const json_t *value)
{
    char *to = (char *)of + f->scalar.offset;
    const char *text = json_string_value(value);
    if (!text)
        return "is no text";
    if (f->most == FACT_UUID && strlen(text) >= FACT_UUID)
        return "is longer than 36 characters";
    fact_text(to, f->most, text);
    return NULL;
}

static bool to_number(const json_t *value, uint64_t most, uint64_t *n)
{
    const char *text = json_string_value(value);
    if (text)
        return strlen(text) == fields_digits(text, text + strlen(text), n) && *n > INT64_MAX && *n <= most;
    *n = (uint64_t)json_integer_value(value);
    return json_is_integer(value) && json_integer_value(value) >= 0 && *n <= most;
}

static const char *take_scalar(const struct stored_field *f, void *of, const json_t *value)
{
    uint64_t n = json_is_true(value);
    bool flag = f->scalar.type == SCALAR_FLAG;
    if (flag ? !json_is_boolean(value) : !to_number(value, f->most, &n))
        return flag ? "is neither true nor false" : "is no number, or out of range";
    scalar_set_bits(&f->scalar, of, n);
    return NULL;
}

static int take_fields(const struct fact_form *form, const json_t *object, void *of, uint64_t line,
                       struct error *err)
{
    for (const struct stored_field *f = form->fields; f->key; f++) {
        const json_t *value = json_object_get(object, f->key);
        bool wanted = f->form != STORED_WORD && f->scalar.always;
        if (!value && wanted)
            return error_on_line(err, line, "\"%s\" has no \"%s\"", form->name, f->key);
        const char *wrong = !value                   ? NULL
                            : f->form == STORED_WORD ? take_word(f, of, value)
                                                     : take_scalar(f, of, value);
        if (wrong)
            return error_on_line(err, line, "\"%s\" of \"%s\" %s", f->key, form->name, wrong);
    }
    return 0;
}

/* 1: *f is the fact; 0: of a kind that is not known here; -1 with `err` filled. */
static int read_object(const json_t *root, uint64_t line, struct fact *f, struct error *err)
{
    const json_t *object = NULL;
    const char *name = NULL;
    void *at = json_object_iter((json_t *)(uintptr_t)root);
    if (at) {
        name = json_object_iter_key(at);
        object = json_object_iter_value(at);
    }
    if (json_object_size(root) != 1 || !json_is_object(object))
        return error_on_line(err, line, "not an object with one object in it, a fact about a host");
    for (unsigned kind = 0; kind < FACTS; kind++)
        if (strcmp(fact_forms[kind].name, name) == 0) {
            memset(f, 0, sizeof *f);
            f->kind = kind;
            return take_fields(&fact_forms[kind], object, fact_struct(f), line, err) == 0 ? 1 : -1;
        }
    return 0;
}

static int read_line(const char *text, size_t n, uint64_t line, struct fact *f, struct error *err)
{
    if (n > LINE_MOST)
        return error_on_line(err, line, "longer than %u bytes", LINE_MOST);
    json_memory_begin();
    json_t *root = json_parse(text, n, NULL);
    if (!root && json_memory_failed())
        return error_no_memory(err, "facts about the host");
    int status = root ? read_object(root, line, f, err) : error_on_line(err, line, "no JSON");
    json_decref(root);
    return status;
}

/* ---- all together ---- */

static bool append(void *list, size_t *n, size_t *capacity, const void *one, size_t size)
{
    char *at;
    if (!array_make_room(list, capacity, *n + 1, size))
        return false;
    memcpy(&at, list, sizeof at);
    memcpy(at + (*n)++ * size, one, size);
    return true;
}

/* What a fact of another boot says has other times, and other domains: what was known before goes. */
static void begin_boot(struct host_facts *f, const struct fact_boot *boot)
{
    bool other = *f->boot.boot_id && *boot->boot_id && strcmp(f->boot.boot_id, boot->boot_id) != 0;
    if (other) {
        f->clocks_n = f->domains_n = f->affinities_n = f->gaps_n = f->reduced_n = 0;
        f->recorder = (struct fact_recorder){0};
    }
    f->boot = *boot;
}

#define APPEND(LIST, ONE) append(&f->LIST, &f->LIST##_n, &f->LIST##_capacity, ONE, sizeof *f->LIST)

/* False: no memory. */
static bool take(struct host_facts *f, const struct fact *one)
{
    const struct fact_domain none = {.tsc = one->gone.tsc, .domain = one->gone.domain};
    switch (one->kind) {
    case FACT_BOOT:
        begin_boot(f, &one->boot);
        return true;
    case FACT_CLOCK:
        return APPEND(clocks, &one->clock);
    case FACT_DOMAIN:
        return APPEND(domains, &one->domain);
    case FACT_DOMAIN_GONE:
        return APPEND(domains, &none);
    case FACT_AFFINITY:
        return APPEND(affinities, &one->affinity);
    case FACT_GAP:
        return APPEND(gaps, &one->gap);
    case FACT_REDUCED:
        return APPEND(reduced, &one->reduced);
    case FACT_RECORDER:
        if (one->recorder.tsc >= f->recorder.tsc)
            f->recorder = one->recorder;
        return true;
    case FACTS:
        break;
    }
    return true;
}

#undef APPEND

/* ---- order ---- */

typedef int compare_facts(const void *a, const void *b);

static int by_number(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

static int by_clock(const void *a, const void *b)
{
    return by_number(((const struct fact_clock *)a)->tsc, ((const struct fact_clock *)b)->tsc);
}

static int by_domain(const void *a, const void *b)
{
    const struct fact_domain *x = a, *y = b;
    return x->domain != y->domain ? by_number(x->domain, y->domain) : by_number(x->tsc, y->tsc);
}

static int by_affinity(const void *a, const void *b)
{
    const struct fact_affinity *x = a, *y = b;
    if (x->domain != y->domain)
        return by_number(x->domain, y->domain);
    return x->vcpu != y->vcpu ? by_number(x->vcpu, y->vcpu) : by_number(x->tsc, y->tsc);
}

static int by_gap(const void *a, const void *b)
{
    return by_number(((const struct fact_gap *)a)->tsc, ((const struct fact_gap *)b)->tsc);
}

static int by_reduced(const void *a, const void *b)
{
    return by_number(((const struct fact_reduced *)a)->tsc, ((const struct fact_reduced *)b)->tsc);
}

struct ordering {
    compare_facts *compare;
};

/* Of two equal ones that which came first. */
static int by_place(const void *a, const void *b, void *context)
{
    const char *const *x = a, *const *y = b;
    const struct ordering *o = context;
    int order = o->compare(*x, *y);
    return order ? order : (*x > *y) - (*x < *y);
}

/* Puts n of `size` bytes in order; of equal ones the last stays. *n: how many are left. False: no memory. */
static bool order(void *list, size_t *n, size_t size, compare_facts *compare)
{
    char *at = list;
    size_t kept = 0;
    bool fine = true;
    for (size_t i = 1; fine && i < *n; i++)
        fine = compare(at + (i - 1) * size, at + i * size) < 0;
    if (fine)
        return true;
    char **places = malloc(*n * sizeof *places), *copy = malloc(*n * size);
    for (size_t i = 0; places && i < *n; i++)
        places[i] = at + i * size;
    if (places && copy) {
        struct ordering o = {compare};
        qsort_r(places, *n, sizeof *places, by_place, &o);
        for (size_t i = 0; i < *n; i++) {
            if (i + 1 < *n && compare(places[i], places[i + 1]) == 0)
                continue;
            memcpy(copy + kept++ * size, places[i], size);
        }
        memcpy(at, copy, kept * size);
        *n = kept;
    }
    fine = places && copy;
    free(places);
    free(copy);
    return fine;
}

static bool says_the_same(const struct fact_domain *a, const struct fact_domain *b)
{
    return a->domain == b->domain && strcmp(a->uuid, b->uuid) == 0 && strcmp(a->name, b->name) == 0 &&
           a->vcpus == b->vcpus && a->weight == b->weight && a->cap == b->cap &&
           a->memory_kib == b->memory_kib;
}

/* Rows of a domain that say what the one before them said go: every archive begins with all that is known. */
static void drop_repeated(struct host_facts *f)
{
    size_t kept = 0;
    for (size_t i = 0; i < f->domains_n; i++)
        if (kept == 0 || !says_the_same(&f->domains[kept - 1], &f->domains[i]))
            f->domains[kept++] = f->domains[i];
    f->domains_n = kept;
}

static bool order_all(struct host_facts *f)
{
    bool fine = order(f->clocks, &f->clocks_n, sizeof *f->clocks, by_clock) &&
                order(f->domains, &f->domains_n, sizeof *f->domains, by_domain) &&
                order(f->affinities, &f->affinities_n, sizeof *f->affinities, by_affinity) &&
                order(f->gaps, &f->gaps_n, sizeof *f->gaps, by_gap) &&
                order(f->reduced, &f->reduced_n, sizeof *f->reduced, by_reduced);
    if (fine)
        drop_repeated(f);
    return fine;
}

int host_facts_read(struct host_facts *f, const char *text, size_t n, struct error *err)
{
    const char *end = n > 0 ? text + n : text; /* no text may be NULL */
    struct fact one;
    for (uint64_t line = 1; text < end; line++) {
        const char *newline = memchr(text, '\n', (size_t)(end - text));
        const char *to = newline ? newline : end;
        int known = read_line(text, (size_t)(to - text), line, &one, err);
        if (known < 0)
            return -1;
        if (known && !take(f, &one))
            return error_no_memory(err, "facts about the host");
        text = newline ? newline + 1 : end;
    }
    return order_all(f) ? 0 : error_no_memory(err, "facts about the host");
}
