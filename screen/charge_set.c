#include "screen/charge_set.h"

#include <stdlib.h>
#include <string.h>

#include "metrics/measure/row.h"

static int compare_idds(const struct charge_idd *a, const struct charge_idd *b)
{
    return life_compare(a->domain, a->life, b->domain, b->life);
}

static int compare_guests(const void *a, const void *b)
{
    const struct charge_guest *g = a, *h = b;
    return life_compare(g->domain, g->life, h->domain, h->life);
}

/* The guests of both, in order; the caller's. NULL: no memory. */
static struct charge_guest *merge_guests(const struct charge_idd *a, const struct charge_idd *b, size_t *n)
{
    struct charge_guest *sum = calloc(a->guests_n + b->guests_n + 1, sizeof *sum);
    size_t i = 0, j = 0;
    *n = 0;
    while (sum && (i < a->guests_n || j < b->guests_n)) {
        int order = i == a->guests_n   ? 1
                    : j == b->guests_n ? -1
                                       : compare_guests(&a->guests[i], &b->guests[j]);
        sum[*n] = order > 0 ? b->guests[j++] : a->guests[i++];
        if (order == 0)
            charge_guest_merge(&sum[*n], &b->guests[j++]);
        ++*n;
    }
    return sum;
}

/* The next of the sum is a, b (NULL: it has none) added to it. The guests of `a` are freed. */
static bool add_idd(struct charge_set *sum, const struct charge_idd *a, const struct charge_idd *b)
{
    static const struct charge_idd nothing;
    struct charge_idd *to = &sum->idds[sum->n];
    size_t n;
    struct charge_guest *guests = merge_guests(a, b ? b : &nothing, &n);
    if (!guests)
        return false;
    *to = *a;
    if (b)
        charge_idd_merge(to, b);
    to->guests = guests;
    to->guests_n = n;
    sum->n++;
    return true;
}

bool charge_set_add(struct charge_set *set, const struct charge_idd *idds, size_t n)
{
    struct charge_set sum = {.idds = calloc(set->n + n + 1, sizeof *sum.idds)};
    size_t i = 0, j = 0;
    bool fine = sum.idds != NULL;
    while (fine && (i < set->n || j < n)) {
        int order = i == set->n ? 1 : j == n ? -1 : compare_idds(&set->idds[i], &idds[j]);
        if (order > 0) {
            fine = add_idd(&sum, &idds[j++], NULL);
        } else {
            fine = add_idd(&sum, &set->idds[i], order == 0 ? &idds[j] : NULL);
            i++;
            j += order == 0;
        }
    }
    charge_set_free(set);
    *set = sum;
    return fine;
}

const struct charge_guest *charge_set_guest(const struct charge_idd *idd, int32_t domain, uint32_t life)
{
    const struct charge_guest key = {.domain = domain, .life = life};
    return idd->guests_n ? bsearch(&key, idd->guests, idd->guests_n, sizeof key, compare_guests) : NULL;
}

void charge_set_free(struct charge_set *set)
{
    for (size_t i = 0; i < set->n; i++)
        free((void *)(uintptr_t)set->idds[i].guests);
    free(set->idds);
    *set = (struct charge_set){.n = 0};
}

size_t charge_set_memory(const struct charge_set *set)
{
    size_t bytes = (set->n + 1) * sizeof *set->idds;
    for (size_t i = 0; i < set->n; i++)
        bytes += (set->idds[i].guests_n + 1) * sizeof *set->idds[i].guests;
    return bytes;
}
