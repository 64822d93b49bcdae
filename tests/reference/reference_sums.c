#include "tests/reference/reference_sums.h"

static void add_sample(struct ref_samples *s, uint64_t length)
{
    s->min = s->count == 0 || length < s->min ? length : s->min;
    s->max = length > s->max ? length : s->max;
    s->sum += length;
    s->count++;
}

static void add_times(struct ref_sums *s, const struct ref_vcpu *v, uint64_t from, uint64_t to, int pcpu)
{
    for (size_t i = 0; i < v->pieces_n; i++) {
        const struct ref_piece *p = &v->pieces[i];
        uint64_t a = p->from > from ? p->from : from, b = p->to < to ? p->to : to;
        if (a >= b || (pcpu >= 0 && p->states == REF_IS(REF_RUNNING) && p->pcpu != pcpu))
            continue;
        for (unsigned state = 0; state < REF_STATES; state++) {
            s->least[state] += p->states == REF_IS(state) ? b - a : 0;
            s->most[state] += p->states & REF_IS(state) ? b - a : 0;
        }
    }
}

/* The last change before number i that is one, or NULL. */
static const struct ref_change *change_before(const struct ref_vcpu *v, size_t i)
{
    while (i-- > 0)
        if (!v->changes[i].named)
            return &v->changes[i];
    return NULL;
}

/* The last pCPU on which it is known to have run before change number i; -1: none is. */
static int last_pcpu(const struct ref_vcpu *v, size_t i)
{
    while (i-- > 0)
        if (v->changes[i].to == REF_RUNNING || v->changes[i].from == REF_RUNNING)
            return v->changes[i].pcpu;
    return -1;
}

static void add_change(struct ref_sums *s, const struct ref_vcpu *v, size_t i)
{
    const struct ref_change *c = &v->changes[i], *before = change_before(v, i);
    if (c->to == REF_RUNNING) {
        int last = last_pcpu(v, i);
        s->executions++;
        s->migrations += last >= 0 && last != c->pcpu;
    }
    s->wakes += c->from == REF_BLOCKED && c->to == REF_RUNNABLE;
    s->blocks += c->from == REF_RUNNING && c->to == REF_BLOCKED;
    s->preemptions += c->from == REF_RUNNING && c->to == REF_RUNNABLE && !c->yields;
    if (!before)
        return;
    if (c->from == REF_RUNNING)
        add_sample(&s->run, c->at - before->at);
    else if (c->from == REF_RUNNABLE && c->to == REF_RUNNING)
        add_sample(&s->wait, c->at - before->at);
    else if (c->from == REF_BLOCKED && c->to == REF_RUNNABLE)
        add_sample(&s->block, c->at - before->at);
}

void ref_sums_add(struct ref_sums *s, const struct ref_vcpu *v, uint64_t from, uint64_t to, int pcpu)
{
    add_times(s, v, from, to, pcpu);
    for (size_t i = 0; i < v->changes_n; i++)
        if (!v->changes[i].named && v->changes[i].at >= from && v->changes[i].at < to)
            add_change(s, v, i);
}
