#include "charge_softirqs.h"

#include "charge_pairs.h"
#include "charge_shares.h"

#define SEVERAL       2    /* batches in one period: it polls in turns */
#define FORGETS       256  /* turns */
#define LOW           0.25 /* the part of the turns that is shorter than low_ns */
#define LOW_STEP      16   /* low_ns changes by this part of the mean */
#define TURNS_TO_LEAD 2    /* see charge_softirqs.h */
#define HIDDEN_MOST   0.5  /* of a period */

static void learn_lead(struct softirq_leads *l, const struct period *p)
{
    double lead = (double)p->lead_ns;
    l->n += l->n < FORGETS;
    if (l->n == 1)
        l->low_ns = lead;
    l->low_ns += (lead > l->low_ns ? LOW : lead < l->low_ns ? LOW - 1 : 0) * (l->mean_ns + lead) / LOW_STEP;
    if (l->low_ns < 0)
        l->low_ns = 0;
    if (p->received < SEVERAL)
        return;
    l->several_n += l->several_n < FORGETS;
    l->mean_ns += (lead - l->mean_ns) / l->several_n;
}

/* What a thread without batches copied to guests was passed on to them. */
static void learn_passed_on(struct charging *c, const struct period *p)
{
    for (size_t i = 0; i < p->tallies_n; i++)
        if (p->tallies[i].events[IO_MAP] == 0)
            c->pairs[p->tallies[i].pair].passed_on += p->tallies[i].events[IO_COPY] * charging_scale(c);
}

void softirq_learn(struct charging *c, const struct period *p)
{
    if (p->received == 0)
        learn_passed_on(c, p);
    else if (p->lead_known)
        learn_lead(&c->idds[p->idd].leads, p);
}

/* What was passed on lately to the guest of the pair, if the period has nothing of it. */
static double passed_on(const struct charging *c, const struct period *p, uint32_t pair)
{
    for (size_t i = 0; i < p->tallies_n; i++)
        if (p->tallies[i].pair == pair)
            return 0;
    return c->pairs[pair].passed_on;
}

bool softirq_passes_on(const struct period *p)
{
    bool passes_on = false;
    for (size_t i = 0; p->of_thread && p->received == 0 && i < p->tallies_n; i++)
        passes_on = passes_on || (p->tallies[i].events[IO_COPY] > 0 && p->tallies[i].events[IO_MAP] == 0);
    return passes_on;
}

void softirq_share_unfollowed(struct charging *c, struct period *p)
{
    const struct idd *d = &c->idds[p->idd];
    for (size_t i = 0; i < d->pairs.n; i++)
        if (c->pairs[d->pairs.at[i]].passed_on > 0)
            charging_add_share_by(c, p, d->pairs.at[i], IO_COPY, c->pairs[d->pairs.at[i]].passed_on, true);
    p->doubt = p->shares_n > 0 ? DOUBT_MIXED : DOUBT_NONE;
}

/* The part of the period that was for packets of devices. */
static double hidden(const struct softirq_leads *l, const struct period *p)
{
    double before_batch = TURNS_TO_LEAD * (l->mean_ns - l->low_ns);
    double part = before_batch > 0 && p->ran_ns > 0 ? before_batch * p->received / (double)p->ran_ns : 0;
    return part < HIDDEN_MOST ? part : HIDDEN_MOST;
}

/* Adds the shares of guests of which the period has nothing: `part` of it, and what was passed on to them is `others`. */
static void add_others(struct charging *c, struct period *p, double part, double others)
{
    const struct idd *d = &c->idds[p->idd];
    double sum = charging_sum_real(c, p);
    for (size_t i = 0; i < p->shares_n; i++)
        p->shares[i].inferred = 1;
    for (size_t i = 0; i < d->pairs.n && part > 0; i++) {
        double of_pair = passed_on(c, p, d->pairs.at[i]);
        if (of_pair > 0)
            charging_add_share_by(c, p, d->pairs.at[i], IO_COPY, sum * part / (1 - part) * of_pair / others,
                                  true);
    }
}

void softirq_share(struct charging *c, struct period *p)
{
    const struct idd *d = &c->idds[p->idd];
    double others = 0, all = 0;
    for (size_t i = 0; p->received >= SEVERAL && i < d->pairs.n; i++) {
        others += passed_on(c, p, d->pairs.at[i]);
        all += c->pairs[d->pairs.at[i]].passed_on;
    }
    if (others <= 0)
        return;
    p->doubt = DOUBT_MIXED;
    add_others(c, p, hidden(&d->leads, p) * others / all, others);
}
