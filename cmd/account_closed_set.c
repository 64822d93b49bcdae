/* A closed statement and its corrections: which files belong together, and whether all are there. */
#include <stdlib.h>
#include <string.h>

#include "account_closing.h"
#include "metrics/array.h"
#include "small_file.h"

static const struct small_file closed_kind = {.cannot = "cannot read the statement",
                                              .too_large = "is larger than any statement: 4 GiB at most",
                                              .most = (size_t)4 << 30};

void closed_set_free(struct closed_set *s)
{
    for (size_t i = 0; i < s->n; i++)
        closed_free(&s->at[i]);
    free(s->at);
    *s = (struct closed_set){.n = 0};
}

static int read_file(struct closed_set *s, const char *file, struct error *err)
{
    struct buffer text = {0};
    if (!array_make_room(&s->at, &s->capacity, s->n + 1, sizeof *s->at))
        return error_no_memory(err, "the statements");
    int status = small_file_read(file, &closed_kind, &text, err);
    if (status == 0)
        status = closed_read(&s->at[s->n++], text.at ? text.at : "", text.n, err);
    buffer_free(&text);
    return status;
}

static bool is_statement(const struct closed *c)
{
    return strcmp(c->kind, "statement") == 0;
}

/* The statement first, then each correction after those that it corrects. */
static int by_round(const void *a, const void *b)
{
    const struct closed *x = a, *y = b;
    return (x->corrects_n > y->corrects_n) - (x->corrects_n < y->corrects_n);
}

static bool same_text(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool same_period(const struct closed *a, const struct closed *b)
{
    return a->closed_period.begin_utc_ns == b->closed_period.begin_utc_ns &&
           a->closed_period.end_utc_ns == b->closed_period.end_utc_ns &&
           same_text(a->currency, b->currency) && a->digits == b->digits;
}

static bool has_seal(const struct closed_file *files, size_t n, const uint8_t seal[DIGEST_BYTES])
{
    for (size_t i = 0; i < n; i++)
        if (memcmp(files[i].digest, seal, DIGEST_BYTES) == 0)
            return true;
    return false;
}

/* Each one corrects exactly those before it. */
static int check_set(const struct closed_set *s, struct error *err)
{
    if (!is_statement(&s->at[0]))
        return error_set(err, ERROR_FORMAT, "the statement of %.40s itself is not among these files",
                         s->at[0].closed_label);
    for (size_t i = 1; i < s->n; i++) {
        const struct closed *c = &s->at[i];
        if (is_statement(c))
            return error_set(err, ERROR_FORMAT, "two statements are among these files: %.40s and %.40s",
                             s->at[0].label, c->label);
        if (!same_period(&s->at[0], c))
            return error_set(err, ERROR_FORMAT, "a correction of %.40s is among files of %.40s",
                             c->closed_label, s->at[0].label);
        bool whole = c->corrects_n == i;
        for (size_t k = 0; k < i; k++)
            whole = whole && has_seal(c->corrects, c->corrects_n, s->at[k].seal);
        if (!whole)
            return error_set(
                err, ERROR_FORMAT,
                "the corrections of %.40s are not all there, are there twice, or are of another statement: "
                "one was made with %zu files before it, and %zu are given",
                c->closed_label, c->corrects_n, i);
    }
    return 0;
}

int closed_set_read(struct closed_set *s, char *const *files, size_t n, const char **file, struct error *err)
{
    for (size_t i = 0; i < n; i++) {
        *file = files[i];
        if (read_file(s, files[i], err) != 0)
            return -1;
    }
    *file = NULL;
    if (s->n > 1)
        qsort(s->at, s->n, sizeof *s->at, by_round);
    return check_set(s, err);
}

bool closed_set_entries(const struct closed_set *s, struct entries *to)
{
    for (size_t i = 0; i < s->n; i++)
        for (size_t k = 0; k < s->at[i].entries.n; k++) {
            struct entry *e = entries_add_copy(to, &s->at[i].entries.at[k], s->at[i].entries.at[k].type);
            if (!e)
                return false;
            e->round = (uint32_t)i;
        }
    return true;
}
