#include "metrics/control/guard_book.h"

#include <stdlib.h>
#include <string.h>

#include "metrics/array.h"

bool guard_book_init(struct guard_book *b, const struct guard_options *options)
{
    *b = (struct guard_book){.options = options};
    b->appeared = calloc(2 * options->policy->n + 1, sizeof *b->appeared);
    return b->appeared != NULL;
}

void guard_book_free(struct guard_book *b)
{
    members_free(&b->members);
    free(b->accounts);
    free(b->pairs);
    free(b->drivers);
    free(b->appeared);
}

size_t guard_book_memory(const struct guard_book *b)
{
    return b->members.capacity * sizeof *b->members.at + b->accounts_capacity * sizeof *b->accounts +
           b->pairs_capacity * sizeof *b->pairs + b->drivers_capacity * sizeof *b->drivers;
}

/* ---- who is there ---- */

static struct guard_party party_of(const struct guard_book *b, int32_t domain, uint32_t life)
{
    const struct guard_options *o = b->options;
    return (struct guard_party){(uint16_t)domain, o->name_of ? o->name_of(o->names, domain, life) : NULL};
}

static void note_appearance(bool *appeared, const struct guard_policy *p, struct guard_party who)
{
    for (size_t i = 0; i < p->n; i++) {
        const struct guard_limit *l = &p->limits[i];
        appeared[2 * i] |= l->every_guest || subject_is(&l->guest, who.domain, who.name);
        appeared[2 * i + 1] |= l->every_driver || subject_is(&l->driver, who.domain, who.name);
    }
}

const struct subject *guard_book_missing(const struct guard_book *b)
{
    const struct guard_policy *p = b->options->policy;
    for (size_t i = 0; i < p->n; i++) {
        if (!b->appeared[2 * i] && !p->limits[i].every_guest)
            return &p->limits[i].guest;
        if (!b->appeared[2 * i + 1] && !p->limits[i].every_driver)
            return &p->limits[i].driver;
    }
    return NULL;
}

/* The account of the name, or a new one. NO_ACCOUNT: no memory. */
static uint32_t account_of(struct guard_book *b, struct guard_party who)
{
    for (uint32_t i = 0; who.name && i < b->accounts_n; i++)
        if (b->accounts[i].name && strcmp(b->accounts[i].name, who.name) == 0)
            return i;
    if (!array_make_room(&b->accounts, &b->accounts_capacity, b->accounts_n + 1, sizeof *b->accounts))
        return NO_ACCOUNT;
    b->accounts[b->accounts_n] = (struct guard_account){
        .name = who.name, .first_pair = NONE, .exempt = guard_policy_exempts(b->options->policy, who)};
    return (uint32_t)b->accounts_n++;
}

/* The member for a life that appears. NULL: no memory. */
static const struct controlled_life *add_member(struct guard_book *b, int32_t domain, uint32_t life)
{
    struct guard_party who = party_of(b, domain, life);
    bool concerned = domain != 0 && guard_policy_concerns(b->options->policy, who, true);
    uint32_t account = concerned ? account_of(b, who) : NO_ACCOUNT;
    if (concerned && account == NO_ACCOUNT)
        return NULL;
    const struct controlled_life *m = members_add(&b->members, domain, life, account);
    note_appearance(b->appeared, b->options->policy, who);
    if (m && concerned) {
        struct guard_account *a = &b->accounts[account];
        a->domain = domain;
        a->life = life;
        a->number = m->number;
    }
    return m;
}

const struct controlled_life *guard_book_member(struct guard_book *b, int32_t domain, uint32_t life)
{
    const struct controlled_life *m = members_find(&b->members, domain, life);
    return m ? m : add_member(b, domain, life);
}

/* Those without an account appear anew: the policy may be about them now. */
bool guard_book_take_policy(struct guard_book *b, const struct guard_policy *policy)
{
    bool *appeared = calloc(2 * policy->n + 1, sizeof *appeared);
    if (!appeared)
        return false;
    for (size_t i = 0; i < b->members.n; i++)
        note_appearance(appeared, policy, party_of(b, b->members.at[i].domain, b->members.at[i].life));
    members_forget_others(&b->members);
    for (size_t i = 0; i < b->accounts_n; i++) {
        struct guard_account *a = &b->accounts[i];
        const struct guard_party guest = {(uint16_t)a->domain, a->name};
        a->exempt = guard_policy_exempts(policy, guest);
        for (uint32_t k = a->first_pair; k != NONE; k = b->pairs[k].next) {
            struct guard_pair *p = &b->pairs[k];
            p->limit = guard_policy_find(policy, guest, party_of(b, p->driver, p->driver_life));
        }
    }
    free(b->appeared);
    b->appeared = appeared;
    return true;
}

struct guard_pair *guard_book_pair(struct guard_book *b, uint32_t account, const struct charge_idd *idd)
{
    struct guard_account *a = &b->accounts[account];
    for (uint32_t i = a->first_pair; i != NONE; i = b->pairs[i].next)
        if (b->pairs[i].driver == idd->domain && b->pairs[i].driver_life == idd->life)
            return &b->pairs[i];
    if (!array_make_room(&b->pairs, &b->pairs_capacity, b->pairs_n + 1, sizeof *b->pairs))
        return NULL;
    struct guard_party guest = {(uint16_t)a->domain, a->name};
    b->pairs[b->pairs_n] = (struct guard_pair){
        .account = account,
        .next = a->first_pair,
        .driver = idd->domain,
        .driver_life = idd->life,
        .limit = guard_policy_find(b->options->policy, guest, party_of(b, idd->domain, idd->life)),
        .total = {.domain = -1}};
    a->first_pair = (uint32_t)b->pairs_n;
    return &b->pairs[b->pairs_n++];
}

struct guard_driver *guard_book_driver(struct guard_book *b, int32_t domain, uint32_t life)
{
    for (size_t i = 0; i < b->drivers_n; i++)
        if (b->drivers[i].domain == domain && b->drivers[i].life == life)
            return &b->drivers[i];
    if (!array_make_room(&b->drivers, &b->drivers_capacity, b->drivers_n + 1, sizeof *b->drivers))
        return NULL;
    b->drivers[b->drivers_n] = (struct guard_driver){.domain = domain, .life = life, .awaited = NONE};
    return &b->drivers[b->drivers_n++];
}
