#include "account/boots.h"

#include <stdlib.h>
#include <string.h>

#include "account/overlap.h"
#include "metrics/measure/row.h"
#include "metrics/min_max.h"
#include "parser/order/clock.h"

static void say(const struct account_options *o, enum account_finding_kind kind, const char *file,
                const char *what)
{
    if (o->finding)
        o->finding(o->context, kind, file, what);
}

/* What boot a capture is of: by the boot's id, else by the host's label. */
static int compare_boots(const struct fleet_capture *a, const struct fleet_capture *b)
{
    int order = strcmp(a->recorded.boot_id, b->recorded.boot_id);
    return order || *a->recorded.boot_id ? order : strcmp(a->host, b->host);
}

static int compare_captures(const void *a, const void *b)
{
    const struct fleet_capture *x = a, *y = b;
    int order = compare_boots(x, y);
    if (order)
        return order;
    if (x->recorded.from_tsc != y->recorded.from_tsc)
        return x->recorded.from_tsc < y->recorded.from_tsc ? -1 : 1;
    return x->file != y->file ? (x->file < y->file ? -1 : 1) : (x->nth > y->nth) - (x->nth < y->nth);
}

/* Where a capture has no name for an incarnation, it takes the one of the capture that continues it. */
static int take_names_of_next(struct fleet_capture *c, const struct fleet_capture *next, struct error *err)
{
    if (!next->recorded.goes_on || next->recorded.from_tsc != c->recorded.to_tsc)
        return 0;
    struct vm_life *lives = calloc(c->lives_n + next->lives_n + 1, sizeof *lives);
    if (!lives)
        return error_no_memory(err, "the VMs");
    size_t n = 0, a = 0, b = 0;
    while (a < c->lives_n || b < next->lives_n) {
        const struct vm_life *x = a < c->lives_n ? &c->lives[a] : NULL;
        const struct vm_life *y = b < next->lives_n ? &next->lives[b] : NULL;
        int order = !x ? 1 : !y ? -1 : life_compare(x->domain, x->life, y->domain, y->life);
        a += order <= 0;
        b += order >= 0;
        lives[n++] = order <= 0 ? *x : *y;
    }
    free(c->lives);
    c->lives = lives;
    c->lives_n = n;
    return 0;
}

/*
 * Time of day stands for time stamps where it is not known which captures are of one boot; it is not exact, so that captures that adjoin
 * may seem to overlap by some of ACCOUNT_SLACK_NS.
 */
static void claim_of(const struct fleet *f, const struct fleet_capture *c, struct overlap_claim *claim)
{
    const struct recorded *r = &c->recorded;
    uint64_t from = (uint64_t)r->begin_utc_ns + ACCOUNT_SLACK_NS, to = (uint64_t)r->end_utc_ns;
    bool by_tsc = *r->boot_id;
    *claim = (struct overlap_claim){.from = by_tsc ? r->from_tsc : from,
                                    .to = by_tsc ? r->to_tsc : max64(from, to),
                                    .verdict = (enum verdict)r->verdict,
                                    .lost_records = r->lost_records,
                                    .file = fleet_file(f, c)};
}

/* The time stamp at a moment of a claim, on the line through the capture's beginning and end. */
static uint64_t tsc_of(const struct recorded *r, uint64_t at)
{
    uint64_t length = (uint64_t)(r->end_utc_ns - r->begin_utc_ns), past = at - (uint64_t)r->begin_utc_ns;
    if (*r->boot_id)
        return at;
    return r->from_tsc + (uint64_t)((uint128)(r->to_tsc - r->from_tsc) * min64(past, length) / length);
}

/* What counts of a capture, by its claim. */
static void take_claim(const struct fleet *f, struct fleet_capture *c, const struct overlap_claim *claim,
                       const struct account_options *o)
{
    const struct recorded *r = &c->recorded;
    bool nothing = claim->counts_from == claim->counts_to && claim->from < claim->to;
    c->counts_from_tsc = claim->counts_from == claim->from ? r->from_tsc : tsc_of(r, claim->counts_from);
    c->counts_to_tsc = claim->counts_to == claim->to ? r->to_tsc : tsc_of(r, claim->counts_to);
    if (nothing)
        c->counts_to_tsc = c->counts_from_tsc;
    if (!overlap_is_whole(claim))
        say(o, ACCOUNT_OVERLAP, fleet_file(f, c),
            nothing ? "other archives have all its time: it does not count"
                    : "other archives have some of its time, which counts once");
}

static int resolve_boot(struct fleet *f, struct fleet_capture *captures, size_t n,
                        const struct account_options *o, struct error *err)
{
    struct overlap_claim *claims = calloc(n, sizeof *claims);
    const char *host = captures[0].host;
    for (size_t i = 0; i < n && claims; i++) {
        host = strcmp(captures[i].host, host) < 0 ? captures[i].host : host;
        claim_of(f, &captures[i], &claims[i]);
        claims[i].of = i;
    }
    bool resolved = claims && overlap_resolve(claims, n);
    for (size_t i = 0; i < n && resolved; i++) {
        captures[claims[i].of].host = host;
        take_claim(f, &captures[claims[i].of], &claims[i], o);
    }
    free(claims);
    for (size_t i = n - 1; i-- > 0 && resolved;)
        if (take_names_of_next(&captures[i], &captures[i + 1], err) != 0)
            return -1;
    return resolved ? 0 : error_no_memory(err, "the captures");
}

int boots_resolve(struct fleet *f, const struct account_options *o, struct error *err)
{
    int status = 0;
    qsort(f->captures, f->n, sizeof *f->captures, compare_captures);
    for (size_t i = 0, end; i < f->n && status == 0; i = end) {
        for (end = i + 1; end < f->n && compare_boots(&f->captures[i], &f->captures[end]) == 0; end++)
            ;
        status = resolve_boot(f, &f->captures[i], end - i, o, err);
    }
    return status;
}
