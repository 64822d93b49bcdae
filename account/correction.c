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

static void add_count(struct buffer *to, size_t n, const char *one, const char *several)
{
    if (n > 0)
        buffer_printf(to, "%s%zu %s", to->n ? ", " : "", n, n == 1 ? one : several);
}

static int by_digest(const void *a, const void *b)
{
    const struct closed_file *x = a, *y = b;
    return memcmp(x->digest, y->digest, DIGEST_BYTES);
}

static int by_name(const void *a, const void *b)
{
    const struct closed_file *x = a, *y = b;
    return strcmp(x->file, y->file);
}

static void sort_files(struct closed_file *files, size_t n, int (*compare)(const void *a, const void *b))
{
    if (n > 0)
        qsort(files, n, sizeof *files, compare);
}

/* How many of two ordered lists have an equal in the other; those that have none come first in theirs. */
static size_t pair(struct closed_file *a, size_t *a_n, struct closed_file *b, size_t *b_n,
                   int (*compare)(const void *a, const void *b))
{
    size_t i = 0, k = 0, kept_a = 0, kept_b = 0, pairs = 0;
    while (i < *a_n || k < *b_n) {
        int order = i == *a_n ? 1 : k == *b_n ? -1 : compare(&a[i], &b[k]);
        pairs += order == 0;
        if (order < 0)
            a[kept_a++] = a[i];
        if (order > 0)
            b[kept_b++] = b[k];
        i += order <= 0;
        k += order >= 0;
    }
    *a_n = kept_a;
    *b_n = kept_b;
    return pairs;
}

static struct closed_file *copied(const struct closed_file *files, size_t n)
{
    struct closed_file *copy = malloc(n * sizeof *copy + 1);
    if (copy && n > 0)
        memcpy(copy, files, n * sizeof *copy);
    return copy;
}

/* An archive is the same if its bytes are, whatever its name; else one of the same name was changed. False: no memory. */
static bool compare_archives(struct buffer *to, const struct closed *old, const struct closed *now)
{
    size_t old_n = old->archives_n, now_n = now->archives_n;
    struct closed_file *before = copied(old->archives, old_n), *after = copied(now->archives, now_n);
    bool copied_both = before && after;
    if (copied_both) {
        sort_files(before, old_n, by_digest);
        sort_files(after, now_n, by_digest);
        pair(before, &old_n, after, &now_n, by_digest);
        sort_files(before, old_n, by_name);
        sort_files(after, now_n, by_name);
        size_t changed = pair(before, &old_n, after, &now_n, by_name);
        add_count(to, now_n, "archive more", "archives more");
        add_count(to, changed, "archive changed", "archives changed");
        add_count(to, old_n, "archive missing", "archives missing");
    }
    free(before);
    free(after);
    return copied_both;
}

static bool same_text(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static void add_change(struct buffer *to, bool changed, const char *what)
{
    if (changed)
        buffer_printf(to, "%s%s", to->n ? ", " : "", what);
}

void closed_cause(struct buffer *to, const struct closed *old, const struct closed *now)
{
    to->failed = !compare_archives(to, old, now) || to->failed;
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
