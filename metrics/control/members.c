#include "metrics/control/members.h"

#include <stdlib.h>
#include <string.h>

#include "metrics/array.h"
#include "metrics/measure/row.h"

/* Where the life is, or belongs. */
static size_t place_of(const struct controlled_lives *m, int32_t domain, uint32_t life)
{
    size_t from = 0, to = m->n;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        const struct controlled_life *at = &m->at[middle];
        if (life_compare(at->domain, at->life, domain, life) < 0)
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

const struct controlled_life *members_find(const struct controlled_lives *m, int32_t domain, uint32_t life)
{
    size_t at = place_of(m, domain, life);
    bool found = at < m->n && m->at[at].domain == domain && m->at[at].life == life;
    return found ? &m->at[at] : NULL;
}

const struct controlled_life *members_add(struct controlled_lives *m, int32_t domain, uint32_t life,
                                          uint32_t account)
{
    if (!array_make_room(&m->at, &m->capacity, m->n + 1, sizeof *m->at))
        return NULL;
    struct controlled_life *at = &m->at[place_of(m, domain, life)];
    memmove(at + 1, at, (size_t)(m->at + m->n - at) * sizeof *at);
    *at = (struct controlled_life){domain, life, account, (uint32_t)m->n++};
    return at;
}

void members_forget_others(struct controlled_lives *m)
{
    size_t kept = 0;
    for (size_t i = 0; i < m->n; i++)
        if (m->at[i].account != NO_ACCOUNT)
            m->at[kept++] = m->at[i];
    m->n = kept;
}

void members_free(struct controlled_lives *m)
{
    free(m->at);
}

bool is_driver_domain(int32_t domain, const struct charge_idd *idds, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (idds[i].domain == domain)
            return true;
    return domain == 0;
}
