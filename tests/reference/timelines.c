#include "tests/reference/timelines.h"

#include <stdlib.h>

#include "tests/reference/changes.h"

static void add(struct ref_vcpu *v, uint64_t from, uint64_t to, unsigned states, int pcpu)
{
    if (from >= to)
        return;
    v->pieces = realloc(v->pieces, (v->pieces_n + 1) * sizeof *v->pieces);
    if (!v->pieces)
        abort();
    v->pieces[v->pieces_n++] =
        (struct ref_piece){from, to, states, states == REF_IS(REF_RUNNING) ? pcpu : -1};
}

/* The part of [from, to] from the first to the last moment in which any pCPU, or this one, lost records. */
static bool dark_part(const struct ref_host *h, uint64_t from, uint64_t to, int pcpu, struct ref_loss *dark)
{
    bool found = false;
    for (size_t i = 0; i < h->losses_n; i++) {
        const struct ref_loss *l = &h->losses[i];
        if (l->to < from || l->from > to || (pcpu >= 0 && l->pcpu != pcpu))
            continue;
        uint64_t a = l->from > from ? l->from : from, b = l->to < to ? l->to : to;
        dark->from = found && dark->from < a ? dark->from : a;
        dark->to = found && dark->to > b ? dark->to : b;
        found = true;
    }
    return found;
}

/*
 * From a change to what is known next, at `to`: the state, as a change would have been recorded, up to the first moment in which
 * records were lost. From there on the vCPU may be in any state, and the program's sums have to say so.
 */
static void add_state(struct ref_host *h, struct ref_vcpu *v, const struct ref_change *c, uint64_t to)
{
    struct ref_loss dark;
    /* A vCPU that runs on a pCPU that loses nothing stays in sight. */
    int pcpu = c->to == REF_RUNNING && v->domain != REF_IDLE ? c->pcpu : -1;
    uint64_t known = dark_part(h, c->at, to, pcpu, &dark) ? dark.from : to;
    add(v, c->at, known, REF_IS(c->to), c->pcpu);
    add(v, known, to, REF_ANY, -1);
}

/* Before the first change: its old state, as far as no records were lost. */
static void add_first(struct ref_host *h, struct ref_vcpu *v)
{
    const struct ref_change *c = &v->changes[0];
    struct ref_loss dark;
    bool is_dark = dark_part(h, 0, c->at, -1, &dark);
    bool says_before = c->goes_on || (v->starts_known && !c->named);
    uint64_t known = !says_before ? c->at : is_dark ? dark.to : 0;
    add(v, 0, known, REF_ANY, -1);
    add(v, known, c->at, REF_IS(c->from), c->pcpu);
}

static void make_pieces(struct ref_host *h, struct ref_vcpu *v)
{
    if (v->changes_n > 0)
        add_first(h, v);
    for (size_t i = 0; i < v->changes_n; i++) {
        const struct ref_change *c = &v->changes[i], *next = i + 1 < v->changes_n ? c + 1 : NULL;
        add_state(h, v, c, next ? next->at : h->length);
    }
}

void ref_host_make(struct ref_host *h, const struct ref_records *r)
{
    *h = (struct ref_host){.length = r->last_tsc - r->first_tsc};
    ref_host_read_changes(h, r);
    for (size_t i = 0; i < h->vcpus_n; i++)
        make_pieces(h, &h->vcpus[i]);
}

void ref_host_free(struct ref_host *h)
{
    for (size_t i = 0; i < h->vcpus_n; i++) {
        free(h->vcpus[i].changes);
        free(h->vcpus[i].pieces);
    }
    free(h->vcpus);
    free(h->losses);
}
