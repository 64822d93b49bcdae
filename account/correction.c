/* What differs from what was closed, and what all of it together says. */
#include <stdlib.h>
#include <string.h>

#include "account/closed.h"

static int no_room(struct error *err)
{
    return error_no_memory(err, "the correction");
}

/* ---- adding up ---- */

int closed_replay(struct entries *to, struct entries *all, struct error *err)
{
    entries_sort(all);
    for (size_t i = 0, end; i < all->n; i = end) {
        for (end = i + 1; end < all->n && entry_compare(&all->at[i], &all->at[end]) == 0; end++)
            ;
        /* With the texts and prices of the last one: of the last round, a new one, if there is any. */
        struct entry *sum = entries_add_copy(to, &all->at[end - 1], ENTRY_CHARGE);
        if (!sum)
            return no_room(err);
        for (size_t k = i; k + 1 < end; k++)
            if (!entry_sum(sum, &all->at[k]))
                return error_set(err, ERROR_FORMAT, "sums of VM '%.80s' are out of range", sum->vm_name);
        if (entry_is_zero(sum))
            entries_drop_last(to);
    }
    return 0;
}

/* ---- what differs ---- */

/* Both are in order, and have one entry for each. */
static int differ(struct entries *to, const struct entries *old, const struct entries *now, struct error *err)
{
    size_t a = 0, b = 0;
    while (a < old->n || b < now->n) {
        const struct entry *x = a < old->n ? &old->at[a] : NULL, *y = b < now->n ? &now->at[b] : NULL;
        int order = !x ? 1 : !y ? -1 : entry_compare(x, y);
        a += order <= 0;
        b += order >= 0;
        if (order == 0 && entry_equal(x, y))
            continue;
        if ((order <= 0 && !entries_add_copy(to, x, ENTRY_REVERSAL)) ||
            (order >= 0 && !entry_is_zero(y) && !entries_add_copy(to, y, ENTRY_NEW)))
            return no_room(err);
    }
    return 0;
}

int closed_correct(struct entries *to, const struct entries *old, struct entries *now, struct error *err)
{
    struct entries all = {0}, sums = {0};
    int status = 0;
    for (size_t i = 0; i < old->n && status == 0; i++)
        status = entries_add_copy(&all, &old->at[i], old->at[i].type) ? 0 : no_room(err);
    entries_sort(now);
    if (status == 0)
        status = closed_replay(&sums, &all, err);
    if (status == 0)
        status = differ(to, &sums, now, err);
    entries_free(&all);
    entries_free(&sums);
    return status;
}

/* ---- why ---- */

static int by_name(const void *a, const void *b)
{
    const struct closed_file *x = a, *y = b;
    int order = strcmp(x->file, y->file);
    return order ? order : memcmp(x->digest, y->digest, DIGEST_BYTES);
}

static bool same_text(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static void add_count(struct buffer *to, size_t n, const char *one, const char *several)
{
    if (n > 0)
        buffer_printf(to, "%s%zu %s", to->n ? ", " : "", n, n == 1 ? one : several);
}

static void add_change(struct buffer *to, bool changed, const char *what)
{
    if (changed)
        buffer_printf(to, "%s%s", to->n ? ", " : "", what);
}

void closed_cause(struct buffer *to, const struct closed *old, const struct closed *now)
{
    size_t more = 0, other = 0, missing = 0, a = 0, b = 0;
    if (old->archives_n > 0)
        qsort(old->archives, old->archives_n, sizeof *old->archives, by_name);
    if (now->archives_n > 0)
        qsort(now->archives, now->archives_n, sizeof *now->archives, by_name);
    while (a < old->archives_n || b < now->archives_n) {
        const struct closed_file *x = a < old->archives_n ? &old->archives[a] : NULL;
        const struct closed_file *y = b < now->archives_n ? &now->archives[b] : NULL;
        int order = !x ? 1 : !y ? -1 : strcmp(x->file, y->file);
        a += order <= 0;
        b += order >= 0;
        more += order > 0;
        missing += order < 0;
        other += order == 0 && memcmp(x->digest, y->digest, DIGEST_BYTES) != 0;
    }
    add_count(to, more, "archive more", "archives more");
    add_count(to, other, "archive changed", "archives changed");
    add_count(to, missing, "archive missing", "archives missing");
    add_change(to, !same_text(old->rates, now->rates), "other rates");
    add_change(to, !same_text(old->tags, now->tags), "other tags");
    add_change(to,
               strcmp(old->share_idle, now->share_idle) != 0 ||
                   strcmp(old->share_overhead, now->share_overhead) != 0 ||
                   strcmp(old->basis, now->basis) != 0,
               "other sharing");
    add_change(to, !same_text(old->program, now->program), "another version of the program");
    if (to->n == 0)
        buffer_text(to, "nothing that it rests on differs");
}
