#include "charge_own.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "charge_shares.h"
#include "metrics/min_max.h"

#define STRETCH_NS 1000000000u

/* What a driver domain did in a unit, and what is taken. */
struct unit {
    double known_ns;         /* of its length: in proportion to the vCPUs whose states are known */
    double own_ns, given_ns; /* by the model: own; to guests and unattributed, but for what was measured */
    double takes;            /* of given_ns: this part becomes own */
};

struct loaded_idd {
    struct unit *units; /* from the stretch's begin on; also of later stretches */
    size_t units_n, capacity;
    uint64_t since_ns; /* known_ns are counted up to there */
    double known;      /* the part of its vCPUs whose states are known since then; 0: it has none */
};

struct own_loads {
    uint64_t length_ns; /* of a unit */
    uint64_t units;     /* of a stretch */
    uint64_t from_ns;   /* of the open stretch */
    struct held_periods held;
    struct loaded_idd *idds; /* by driver domain */
    size_t idds_capacity;
};

/* ---- begin and end ---- */

struct own_loads *own_load_new(struct charging *c)
{
    bool given = false;
    for (size_t i = 0; i < c->options.own_n; i++)
        given = given || c->options.own[i].ppm > 0;
    struct own_loads *o = given ? calloc(1, sizeof *o) : NULL;
    c->failed = c->failed || (given && !o);
    if (!o)
        return NULL;
    o->length_ns = c->length_ns;
    o->units = (STRETCH_NS + c->length_ns - 1) / c->length_ns;
    return o;
}

void own_load_free(struct own_loads *o)
{
    if (!o)
        return;
    for (size_t i = 0; i < o->idds_capacity; i++)
        free(o->idds[i].units);
    free(o->idds);
    free(o->held.at);
    free(o);
}

static uint64_t stretch_end(const struct own_loads *o)
{
    return o->from_ns + o->units * o->length_ns;
}

uint64_t own_load_since(const struct charging *c)
{
    return c->own_loads && c->own_loads->held.n > 0 ? c->own_loads->from_ns : UINT64_MAX;
}

/* ---- what the trace tells ---- */

static struct loaded_idd *idd_of(struct charging *c, uint32_t idd)
{
    struct own_loads *o = c->own_loads;
    return charging_make_space(c, &o->idds, &o->idds_capacity, idd + 1, sizeof *o->idds) ? &o->idds[idd]
                                                                                         : NULL;
}

/* The unit in which a moment lies, which is not before the open stretch. NULL: no memory. */
static struct unit *unit_at(struct charging *c, struct loaded_idd *d, uint64_t at_ns)
{
    size_t at = (size_t)((at_ns - c->own_loads->from_ns) / c->own_loads->length_ns);
    if (!charging_make_space(c, &d->units, &d->capacity, at + 1, sizeof *d->units))
        return NULL;
    for (; d->units_n <= at; d->units_n++)
        d->units[d->units_n] = (struct unit){0};
    return &d->units[at];
}

/* Time goes on up to to_ns as it was. */
static void count_known(struct charging *c, struct loaded_idd *d, uint64_t to_ns)
{
    uint64_t length_ns = c->own_loads->length_ns;
    d->since_ns = max64(d->since_ns, c->own_loads->from_ns);
    while (d->since_ns < to_ns && d->known > 0) {
        uint64_t end_ns = min64(to_ns, d->since_ns - d->since_ns % length_ns + length_ns);
        struct unit *u = unit_at(c, d, d->since_ns);
        if (!u)
            return;
        u->known_ns += d->known * (double)(end_ns - d->since_ns);
        d->since_ns = end_ns;
    }
    d->since_ns = max64(d->since_ns, to_ns);
}

void own_load_count_vcpus(struct charging *c, uint32_t idd)
{
    const struct incarnation *life = &c->population->incarnations[c->idds[idd].life];
    struct loaded_idd *d = c->own_loads && c->idds[idd].own_ppm > 0 ? idd_of(c, idd) : NULL;
    unsigned alive = 0, known = 0;
    if (!d)
        return;
    count_known(c, d, c->now_ns);
    for (uint32_t id = 0; id < life->vcpus_n; id++) {
        uint32_t vcpu = life->vcpus[id];
        if (vcpu == NOBODY || vcpu >= c->vcpus_n || !c->view->vcpus[vcpu].alive)
            continue;
        alive++;
        known += c->view->vcpus[vcpu].state != RUNSTATE_UNKNOWN;
    }
    d->known = alive ? (double)known / alive : 0;
}

void own_load_settle(struct charging *c, struct period *p)
{
    if (c->idds[p->idd].own_ppm > 0)
        charging_hold(c, &c->own_loads->held, p, p->from_ns);
    else
        p->closed = true;
}

/* Adds what the model says of a period. */
static void add_model(struct charging *c, const struct period *p)
{
    struct loaded_idd *d = idd_of(c, p->idd);
    struct unit *u = d ? unit_at(c, d, p->from_ns) : NULL;
    double sum = charging_sum_weights(p);
    for (size_t i = 0; u && i < p->shares_n; i++) {
        const struct share *s = &p->shares[i];
        double ns = (double)p->weights[i] / sum * (double)p->ran_ns;
        if (s->to == SHARE_OWN)
            u->own_ns += ns;
        else
            u->given_ns += ns * (1 - (double)s->measured);
    }
}

/* ---- what is taken ---- */

static double within(double x, double most)
{
    return fmin(fmax(x, 0), most);
}

/* What a unit gives up to its own load. */
static double taken_first(const struct unit *u, double share)
{
    return within(u->known_ns * share - u->own_ns, u->given_ns);
}

/* Sets what is taken in each of n units of a stretch. */
static void set_takes(struct unit *units, size_t n, double share)
{
    double load = 0, own = 0, given = 0, first = 0;
    for (size_t i = 0; i < n; i++) {
        load += units[i].known_ns * share;
        own += units[i].own_ns;
        given += units[i].given_ns;
        first += taken_first(&units[i], share);
    }
    double more = load - own - first, left = given - first;
    double part = more > 0 && left > 0 ? fmin(1, more / left) : 0;
    for (size_t i = 0; i < n; i++) {
        double taken = taken_first(&units[i], share), rest = units[i].given_ns - taken;
        units[i].takes = rest > 0 && part < 1 ? (taken + part * rest) / units[i].given_ns : 1;
    }
}

/* What of a share is taken is not what was measured: the evidence is of what stays. */
static void keep_evidence(struct share *s, double takes)
{
    double measured = (double)s->measured, left = measured + (1 - measured) * (1 - takes);
    double stays = left > 0 ? (1 - takes) / left : 0;
    s->measured = left > 0 ? (float)(measured / left) : 0;
    s->inferred *= (float)stays;
    for (int k = 0; k < IO_KINDS; k++)
        s->by_kind[k] *= (float)stays;
}

/* Takes that part of what the period gives to others. */
static void take_from(struct charging *c, struct period *p, double takes)
{
    double sum = charging_sum_weights(p), own = 0, taken = 0;
    if (!(takes > 0) || !charging_restore_weights(c, p))
        return;
    for (size_t i = 0; i < p->shares_n; i++) {
        struct share *s = &p->shares[i];
        double weight = (double)p->weights[i] / sum, part = weight * takes * (1 - (double)s->measured);
        bool is_own = s->to == SHARE_OWN;
        c->real_weights[i] = is_own ? weight : fmax(0, weight - part);
        *(is_own ? &own : &taken) += is_own ? weight : part;
        if (!is_own)
            keep_evidence(s, takes);
    }
    if (!(taken > 0))
        return;
    charging_add_weight(c, p, SHARE_OWN, taken);
    if (c->failed)
        return;
    for (size_t i = 0; i < p->shares_n; i++)
        if (p->shares[i].to == SHARE_OWN)
            p->shares[i].given = (float)(taken / (own + taken));
    charging_set_weights(c, p);
}

/* ---- stretches end ---- */

/* The periods that begin before end_ns get their shares. */
static void close_held(struct charging *c, uint64_t end_ns)
{
    struct own_loads *o = c->own_loads;
    size_t left = 0;
    for (size_t i = 0; i < o->held.n; i++) {
        struct period *p = o->held.at[i].period;
        if (p->from_ns >= end_ns) {
            o->held.at[left++] = o->held.at[i];
            continue;
        }
        if (!c->failed)
            take_from(c, p, o->idds[p->idd].units[(p->from_ns - o->from_ns) / o->length_ns].takes);
        p->closed = true;
        charging_release_period(c, p);
    }
    o->held.n = left;
}

/* The open stretch is the one that begins at from_ns, a boundary of stretches. */
static void begin_stretch(struct own_loads *o, uint64_t from_ns)
{
    uint64_t past = (from_ns - o->from_ns) / o->length_ns;
    for (size_t idd = 0; idd < o->idds_capacity; idd++) {
        struct loaded_idd *d = &o->idds[idd];
        size_t gone = min64(d->units_n, past);
        d->units_n -= gone;
        if (gone > 0)
            memmove(d->units, d->units + gone, d->units_n * sizeof *d->units);
    }
    o->from_ns = from_ns;
}

/* Ends the open stretch; what is known of time reaches to to_ns. The next one begins where it ends. */
static void end_stretch(struct charging *c, uint64_t to_ns)
{
    struct own_loads *o = c->own_loads;
    uint64_t end_ns = stretch_end(o);
    for (size_t i = 0; i < o->held.n && !c->failed; i++)
        if (o->held.at[i].period->from_ns < end_ns)
            add_model(c, o->held.at[i].period);
    for (uint32_t idd = 0; idd < c->idds_n && idd < o->idds_capacity && !c->failed; idd++) {
        struct loaded_idd *d = &o->idds[idd];
        count_known(c, d, to_ns);
        set_takes(d->units, min64(d->units_n, o->units), (double)c->idds[idd].own_ppm / 1e6);
    }
    close_held(c, end_ns);
    begin_stretch(o, end_ns);
}

void own_load_advance(struct charging *c, uint64_t until_ns)
{
    struct own_loads *o = c->own_loads;
    if (!o)
        return;
    uint64_t begins_ns = until_ns - until_ns % (o->units * o->length_ns);
    while (o->held.n > 0 && stretch_end(o) <= until_ns && !c->failed)
        end_stretch(c, stretch_end(o));
    if (o->held.n == 0 && begins_ns > o->from_ns)
        begin_stretch(o, begins_ns);
}

void own_load_end(struct charging *c, uint64_t end_ns)
{
    while (c->own_loads && c->own_loads->held.n > 0 && !c->failed)
        end_stretch(c, min64(end_ns, stretch_end(c->own_loads)));
}
