#include "host_tally.h"

static void longest(double *most, double ns)
{
    *most = ns > *most ? ns : *most;
}

static void count_change(struct tally *t, const struct truth_vcpu *v, size_t i, int last_pcpu)
{
    uint8_t old = v->changes[i - 1].state, new = v->changes[i].state;
    t->executions += new == RUNSTATE_RUNNING;
    t->wakes += old == RUNSTATE_BLOCKED && new == RUNSTATE_RUNNABLE;
    t->blocks += old == RUNSTATE_RUNNING && new == RUNSTATE_BLOCKED;
    t->preempted += old == RUNSTATE_RUNNING && new == RUNSTATE_RUNNABLE;
    t->migrations += new == RUNSTATE_RUNNING &&last_pcpu != v->changes[i].pcpu;
}

/* The state that ended with change i. */
static void measure(struct tally *t, const struct truth_vcpu *v, size_t i, double ns_per_cycle)
{
    double ns = (double)(v->changes[i].tsc - v->changes[i - 1].tsc) * ns_per_cycle;
    switch (v->changes[i - 1].state) {
    case RUNSTATE_RUNNING:
        longest(&t->run_max, ns);
        break;
    case RUNSTATE_RUNNABLE:
        longest(&t->wait_max, ns);
        break;
    case RUNSTATE_BLOCKED:
        longest(&t->block_max, ns);
        break;
    case RUNSTATE_OFFLINE:
        longest(&t->pause_max, ns);
        break;
    default:
        break;
    }
}

/* Where it ran last, up to change i; -1: nowhere yet. */
static int pcpu_before(const struct truth_vcpu *v, size_t i)
{
    for (size_t k = i + 1; k > 0; k--)
        if (v->changes[k - 1].state == RUNSTATE_RUNNING)
            return v->changes[k - 1].pcpu;
    return -1;
}

void tally_add(struct tally *t, const struct truth_vcpu *v, uint64_t from, uint64_t to, double ns_per_cycle)
{
    size_t first = truth_at(v, from);
    while (first < v->n && v->changes[first].tsc < from)
        first++;
    for (size_t i = first ? first : 1; i < v->n && v->changes[i].tsc <= to; i++) {
        count_change(t, v, i, pcpu_before(v, i - 1));
        measure(t, v, i, ns_per_cycle);
    }
}

/* The longest that began in the state, those too that last at the end. */
static struct tally tally_all(const struct recording *r, enum runstate state, double *open,
                              double ns_per_cycle)
{
    struct tally all = {0};
    *open = 0;
    for (size_t i = 0; i < r->vcpus_n; i++) {
        const struct truth_vcpu *v = &r->vcpus[i];
        tally_add(&all, v, 0, UINT64_MAX, ns_per_cycle);
        if (v->n > 0 && v->changes[v->n - 1].state == state && r->end_tsc > v->changes[v->n - 1].tsc)
            longest(open, (double)(r->end_tsc - v->changes[v->n - 1].tsc) * ns_per_cycle);
    }
    return all;
}

double tally_longest_wait(const struct recording *r, double ns_per_cycle)
{
    double most = 0;
    const double whole = tally_all(r, RUNSTATE_RUNNABLE, &most, ns_per_cycle).wait_max;
    longest(&most, whole);
    return most;
}

double tally_longest_pause(const struct recording *r, double ns_per_cycle)
{
    double most = 0;
    const double whole = tally_all(r, RUNSTATE_OFFLINE, &most, ns_per_cycle).pause_max;
    longest(&most, whole);
    return most;
}
