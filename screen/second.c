#include "screen/second.h"

#include <stdlib.h>
#include <string.h>

#define NEARLY_ALL_PERCENT 99

struct second *second_new(uint64_t start_ns, uint64_t end_ns)
{
    struct second *s = calloc(1, sizeof *s);
    if (s)
        *s = (struct second){.start_ns = start_ns, .end_ns = end_ns, .watched = {.domain = -1, .vcpu = -1}};
    return s;
}

void second_drop_details(struct second *s)
{
    for (size_t by = 0; by < BYS; by++)
        row_set_free(&s->rows[by]);
    charge_set_free(&s->charges);
    free(s->delays);
    free(s->executions);
    free(s->waits);
    s->delays = NULL;
    s->executions = s->waits = NULL;
    s->delays_n = s->executions_n = s->waits_n = 0;
    s->parts = 0;
    s->bytes = 0;
}

void second_free(struct second *s)
{
    if (!s)
        return;
    second_drop_details(s);
    free(s->points);
    free(s);
}

bool second_has_details(const struct second *s)
{
    return s->parts != 0;
}

/* ---- its parts ---- */

bool second_take_rows(struct second *s, enum by by, const struct row *rows, size_t n)
{
    row_set_free(&s->rows[by]);
    s->parts |= 1u << by;
    return row_set_copy(&s->rows[by], rows, n);
}

bool second_take_charges(struct second *s, const struct charge_idd *idds, size_t n)
{
    charge_set_free(&s->charges);
    s->parts |= PART_CHARGES;
    return charge_set_add(&s->charges, idds, n);
}

bool second_take_delays(struct second *s, const struct delay *delays, size_t n)
{
    free(s->delays);
    s->parts |= PART_DELAYS;
    s->delays_n = n;
    s->delays = malloc((n + 1) * sizeof *delays);
    if (s->delays && n > 0)
        memcpy(s->delays, delays, n * sizeof *delays);
    return s->delays != NULL;
}

static bool is_watched(const struct second *s, const struct execution *e)
{
    const struct watched *w = &s->watched;
    return w->domain >= 0 && e->domain == w->domain && e->life == w->life &&
           (w->vcpu < 0 || e->vcpu == w->vcpu);
}

/* The last ones: a ring until second_settle puts it in order. */
static bool keep_watched(struct second *s, const struct execution *e)
{
    if (!s->executions && !(s->executions = calloc(SECOND_EXECUTIONS, sizeof *e)))
        return false;
    size_t seen = s->executions_n + s->executions_left_out;
    s->executions[seen % SECOND_EXECUTIONS] = *e;
    if (s->executions_n < SECOND_EXECUTIONS)
        s->executions_n++;
    else
        s->executions_left_out++;
    return true;
}

static bool keep_wait(struct second *s, const struct execution *e)
{
    if (!s->waits && !(s->waits = calloc(SECOND_WAITS, sizeof *e)))
        return false;
    size_t at = s->waits_n < SECOND_WAITS ? s->waits_n++ : SECOND_WAITS - 1;
    for (; at > 0 && s->waits[at - 1].waited_ns < e->waited_ns; at--)
        s->waits[at] = s->waits[at - 1];
    s->waits[at] = *e;
    return true;
}

bool second_take_execution(struct second *s, const struct execution *e)
{
    bool waited = e->waited_ns != NS_UNKNOWN && e->waited_ns > 0;
    s->parts |= PART_EXECUTIONS;
    if (waited && (s->waits_n < SECOND_WAITS || e->waited_ns > s->waits[SECOND_WAITS - 1].waited_ns) &&
        !keep_wait(s, e))
        return false;
    return !is_watched(s, e) || keep_watched(s, e);
}

/* ---- what stays of it ---- */

static bool make_points(struct second *s)
{
    const struct row_set *domains = &s->rows[BY_DOMAIN];
    s->points = malloc((domains->n + 1) * sizeof *s->points);
    if (!s->points)
        return false;
    for (size_t i = 0; i < domains->n; i++) {
        const struct row *row = &domains->rows[i];
        const struct measures *m = row->measures;
        s->points[i] = (struct graph_point){.domain = row->domain,
                                            .life = row->life,
                                            .running_ns = m->state_ns[RUNSTATE_RUNNING],
                                            .runnable_ns = m->state_ns[RUNSTATE_RUNNABLE],
                                            .charged_ns = m->charged_ns,
                                            .unknown_ns = m->state_ns[RUNSTATE_UNKNOWN]};
        s->vague |= m->state_ns[RUNSTATE_UNKNOWN] > 0 || m->doubtful_ns > 0;
        if (m->wait.count && m->wait.max > s->wait_max_ns)
            s->wait_max_ns = m->wait.max;
    }
    s->points_n = domains->n;
    return true;
}

static void make_host_point(struct second *s)
{
    const struct row_set *pcpus = &s->rows[BY_PCPU];
    int64_t nearly_all = (int64_t)(s->end_ns - s->start_ns) / 100 * NEARLY_ALL_PERCENT;
    s->host = (struct host_point){.pcpus = (uint32_t)pcpus->n, .domains = (uint32_t)s->rows[BY_DOMAIN].n};
    for (size_t i = 0; i < s->rows[BY_DOMAIN].n; i++)
        s->host.vcpus += s->rows[BY_DOMAIN].rows[i].vcpus;
    for (size_t i = 0; i < pcpus->n; i++) {
        const struct measures *m = &pcpus->measures[i];
        s->host.running_ns += m->state_ns[RUNSTATE_RUNNING];
        s->host.idle_ns += m->idle_ns;
        s->host.unknown_ns += m->pcpu_unknown_ns;
        s->host.full += m->state_ns[RUNSTATE_RUNNING] >= nearly_all;
        s->host.idle += m->idle_ns >= nearly_all;
    }
}

static int by_end(const void *a, const void *b)
{
    const struct execution *e = a, *f = b;
    return (e->end_ns > f->end_ns) - (e->end_ns < f->end_ns);
}

bool second_settle(struct second *s)
{
    make_host_point(s);
    if (s->executions_n > 1)
        qsort(s->executions, s->executions_n, sizeof *s->executions, by_end);
    s->bytes = sizeof *s + s->delays_n * sizeof *s->delays + charge_set_memory(&s->charges) +
               (s->executions ? SECOND_EXECUTIONS * sizeof *s->executions : 0) +
               (s->waits ? SECOND_WAITS * sizeof *s->waits : 0);
    for (size_t by = 0; by < BYS; by++)
        s->bytes += row_set_memory(&s->rows[by]);
    return make_points(s);
}

static int compare_points(const void *a, const void *b)
{
    const struct graph_point *p = a, *q = b;
    return life_compare(p->domain, p->life, q->domain, q->life);
}

const struct graph_point *second_point(const struct second *s, int32_t domain, uint32_t life)
{
    const struct graph_point key = {.domain = domain, .life = life};
    return s->points_n ? bsearch(&key, s->points, s->points_n, sizeof key, compare_points) : NULL;
}
