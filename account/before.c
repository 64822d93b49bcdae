#include "account/before.h"

#include <stdlib.h>
#include <string.h>

#include "account/checked_sum.h"
#include "metrics/array.h"

void before_free(struct before *b)
{
    free(b->at);
    *b = (struct before){.n = 0};
}

static int compare_entries(const void *a, const void *b)
{
    const struct before_entry *x = a, *y = b;
    int order = strcmp(x->host, y->host);
    return order ? order : strcmp(x->key, y->key);
}

static int by_key(const void *a, const void *b)
{
    return strcmp((*(const struct account_row *const *)a)->vm->key,
                  (*(const struct account_row *const *)b)->vm->key);
}

static bool add(struct before *b, const char *host, const struct account_row *row)
{
    if (!array_make_room(&b->at, &b->capacity, b->n + 1, sizeof *b->at))
        return false;
    b->at[b->n++] = (struct before_entry){host, row->vm->key, {row->total_ns, row->recorded_ns}};
    return true;
}

/* The n rows of one VM. */
static bool add_vm(struct before *b, const struct account_row *const *rows, size_t n)
{
    struct account_sum sum = {.all_hosts = true};
    bool added = true;
    for (size_t i = 0; i < n && added; i++)
        added = add(b, rows[i]->host->name, rows[i]) && account_sum_add(&sum, rows[i]);
    added = added && add(b, "", &sum.row);
    account_sum_free(&sum);
    return added;
}

bool before_take(struct before *b, const struct account_row *rows, size_t n)
{
    const struct account_row **list = calloc(n + 1, sizeof *list);
    bool taken = list != NULL;
    b->n = 0;
    for (size_t i = 0; i < n && taken; i++)
        list[i] = &rows[i];
    if (n > 1 && taken)
        qsort(list, n, sizeof(struct account_row *), by_key);
    for (size_t i = 0, end; i < n && taken; i = end) {
        for (end = i + 1; end < n && strcmp(list[i]->vm->key, list[end]->vm->key) == 0; end++)
            ;
        taken = add_vm(b, list + i, end - i);
    }
    free(list);
    if (taken && b->n > 1)
        qsort(b->at, b->n, sizeof *b->at, compare_entries);
    return taken;
}

struct account_before before_of(const struct before *b, const char *host, const char *key)
{
    const struct before_entry like = {.host = host, .key = key};
    const struct before_entry *found =
        b->n ? bsearch(&like, b->at, b->n, sizeof like, compare_entries) : NULL;
    return found ? found->was : (struct account_before){NS_UNKNOWN, 0};
}
