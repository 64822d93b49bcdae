#include "account/sums.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "account/checked_sum.h"
#include "account/before.h"
#include "metrics/array.h"
#include "metrics/min_max.h"

struct host_sum {
    struct account_host host;
    struct account_span *spans;
    size_t spans_capacity;
};

struct vm_sum {
    struct account_row row;
    struct account_vm vm;
    struct histogram wait;
    struct host_sum *host;
    int64_t latest_utc_ns; /* the end of the capture that says who it is */
    size_t histogram_bytes;
};

struct service_sum {
    struct account_service service;
    const struct vm_sum *driver_domain, *guest;
};

/* Things that are found by a tree, and listed. */
struct found {
    void *tree;
    void **list;
    size_t n, capacity;
};

struct sums {
    struct texts *texts;
    struct account_period period;
    struct found hosts, vms, services;
    uint64_t memory;
    struct before before;           /* of the period that ends where this one begins */
    struct account_host *out_hosts; /* of the statement */
    struct account_row *out_rows;
    struct account_service *out_services;
};

/* ---- finding ---- */

static int compare_texts(const char *a, const char *b)
{
    return a == b ? 0 : strcmp(a, b);
}

static int compare_hosts(const void *a, const void *b)
{
    const struct host_sum *x = a, *y = b;
    return compare_texts(x->host.name, y->host.name);
}

static int compare_vms(const void *a, const void *b)
{
    const struct vm_sum *x = a, *y = b;
    int order = compare_hosts(x->host, y->host);
    return order ? order : compare_texts(x->vm.key, y->vm.key);
}

static int compare_services(const void *a, const void *b)
{
    const struct service_sum *x = a, *y = b;
    int order = compare_vms(x->driver_domain, y->driver_domain);
    return order ? order : compare_vms(x->guest, y->guest);
}

/* The thing that is equal to `like`; a new one is a copy of it. NULL: no memory. */
static void *find(struct sums *s, struct found *f, const void *like, size_t size,
                  int (*compare)(const void *, const void *), bool *fresh)
{
    void *node = tfind(like, &f->tree, compare);
    *fresh = !node;
    if (node)
        return *(void **)node;
    void *copy = malloc(size);
    if (!copy || !array_make_room(&f->list, &f->capacity, f->n + 1, sizeof *f->list)) {
        free(copy);
        return NULL;
    }
    memcpy(copy, like, size);
    if (!tsearch(copy, &f->tree, compare)) {
        free(copy);
        return NULL;
    }
    f->list[f->n++] = copy;
    s->memory += size + 4 * sizeof(void *);
    return copy;
}

static void leave(void *node)
{
    (void)node;
}

static void forget(struct found *f)
{
    tdestroy(f->tree, leave);
    f->tree = NULL;
    for (size_t i = 0; i < f->n; i++)
        free(f->list[i]);
    f->n = 0;
}

/* ---- memory ---- */

struct sums *sums_new(struct texts *texts)
{
    struct sums *s = calloc(1, sizeof *s);
    if (s)
        s->texts = texts;
    return s;
}

static void clear(struct sums *s)
{
    for (size_t i = 0; i < s->vms.n; i++)
        histogram_free(&((struct vm_sum *)s->vms.list[i])->wait);
    for (size_t i = 0; i < s->hosts.n; i++)
        free(((struct host_sum *)s->hosts.list[i])->spans);
    forget(&s->services);
    forget(&s->vms);
    forget(&s->hosts);
    s->memory = 0;
}

void sums_free(struct sums *s)
{
    if (!s)
        return;
    clear(s);
    free(s->services.list);
    free(s->vms.list);
    free(s->hosts.list);
    before_free(&s->before);
    free(s->out_hosts);
    free(s->out_rows);
    free(s->out_services);
    free(s);
}

uint64_t sums_memory(const struct sums *s)
{
    return s->memory;
}

/* ---- the period before ---- */

bool sums_begin(struct sums *s, const struct account_period *period)
{
    struct account_statement statement;
    s->before.n = 0;
    if (s->vms.n > 0 && s->period.end_utc_ns == period->begin_utc_ns &&
        (!sums_statement(s, &statement) || !before_take(&s->before, statement.rows, statement.rows_n)))
        return false;
    clear(s);
    s->period = *period;
    return true;
}

/* ---- adding ---- */

static bool add_span(struct host_sum *h, const struct tally *t)
{
    if (!array_make_room(&h->spans, &h->spans_capacity, h->host.spans_n + 1, sizeof *h->spans))
        return false;
    h->spans[h->host.spans_n++] = (struct account_span){t->begin_utc_ns, t->end_utc_ns};
    return true;
}

static struct host_sum *host_sum_of(struct sums *s, const char *name)
{
    const struct host_sum like = {.host = {.name = name, .why = ""}};
    bool fresh;
    return find(s, &s->hosts, &like, sizeof like, compare_hosts, &fresh);
}

static bool add_host(struct sums *s, struct host_sum *h, const struct sums_capture *c, const struct tally *t,
                     const struct tally_totals *totals)
{
    struct account_host *to = &h->host;
    const struct recorded *r = c->recorded;
    uint64_t guests_ns = totals->running_ns - totals->driver_ns;
    uint64_t unknown_ns = totals->capacity_ns - totals->running_ns - t->idle_ns;
    to->pcpus = r->pcpus > to->pcpus ? r->pcpus : to->pcpus;
    to->archives++;
    if (r->verdict > to->verdict) {
        to->verdict = (enum verdict)r->verdict;
        to->why = texts_keep(s->texts, r->why);
    }
    return to->why && add_span(h, t) && add_to(&to->capacity_ns, totals->capacity_ns) &&
           add_to(&to->guests_ns, guests_ns) && add_to(&to->idle_ns, t->idle_ns) &&
           add_to(&to->unknown_ns, unknown_ns) && add_to(&to->recorded_ns, t->recorded_ns);
}

/* The sums of a domain of a capture. NULL: no memory. */
static struct vm_sum *vm_sum_of(struct sums *s, struct host_sum *h, const struct sums_capture *c,
                                int32_t domain, uint32_t life)
{
    const struct vm_life *known = vm_life_find(c->lives, c->lives_n, domain, life);
    struct vm_sum like = {.host = h, .latest_utc_ns = INT64_MIN};
    bool fresh;
    if (!vm_identify(s->texts, c->host, c->recorded->boot_id, domain, life, known, &like.vm))
        return NULL;
    histogram_init(&like.wait);
    struct vm_sum *v = find(s, &s->vms, &like, sizeof like, compare_vms, &fresh);
    if (!v)
        return NULL;
    if (known && known->vcpus > v->row.vcpus)
        v->row.vcpus = known->vcpus;
    if (c->recorded->end_utc_ns < v->latest_utc_ns)
        return v;
    v->latest_utc_ns = c->recorded->end_utc_ns;
    v->row.domain = domain;
    v->row.life = life;
    if (known) {
        v->vm.name = known->name;
        v->row.weight = known->weight;
        v->row.cap = known->cap;
        v->row.memory_kib = known->memory_kib;
    }
    return v;
}

static bool add_waits(struct sums *s, struct vm_sum *v, const struct recorded *r,
                      const struct histogram *wait)
{
    if (wait->count > 0 && (v->wait.count == 0 || wait->max > v->wait.max))
        v->row.wait_max_at_utc_ns = r->begin_utc_ns + (int64_t)min64(wait->max_at, r->length_ns);
    if (!histogram_merge(&v->wait, wait))
        return false;
    size_t bytes = histogram_memory(&v->wait);
    s->memory += bytes - v->histogram_bytes;
    v->histogram_bytes = bytes;
    return true;
}

/* The most of all captures; not known where any of them keeps no intervals that are short enough. */
static void add_peaks(struct vm_sum *v, const struct tally *t, const struct row *row)
{
    const struct peak *peak = t->peaks_known ? peaks_of(&t->peaks, row->domain, row->life) : NULL;
    uint64_t *const to[2] = {&v->row.peak_1s_ns, &v->row.peak_5min_ns};
    for (int w = 0; w < 2; w++)
        if (!t->peaks_known || !t->peaks.known[w])
            *to[w] = NS_UNKNOWN;
        else if (*to[w] != NS_UNKNOWN && peak)
            *to[w] = max64(*to[w], peak->most_ns[w]);
}

static bool add_row(struct sums *s, struct vm_sum *v, const struct sums_capture *c, const struct row *row,
                    const struct charge_idd *idd)
{
    const struct measures *m = row->measures;
    struct account_row *to = &v->row;
    uint64_t running = (uint64_t)m->state_ns[RUNSTATE_RUNNING], existed = 0;
    for (int i = 0; i < DOMAIN_RUNSTATES; i++)
        existed += m->domain_ns[i] > 0 ? (uint64_t)m->domain_ns[i] : 0;
    for (int i = 0; i < IO_TRACE_KINDS; i++)
        to->io[i] += m->io[i];
    to->vcpus = row->vcpus > to->vcpus ? row->vcpus : to->vcpus;
    to->executions += m->executions;
    return add_to(&to->running_ns, running) && add_to(&to->used_ns, running - (idd ? idd->running_ns : 0)) &&
           add_to(&to->runnable_ns, (uint64_t)m->state_ns[RUNSTATE_RUNNABLE]) &&
           add_to(&to->blocked_ns, (uint64_t)m->state_ns[RUNSTATE_BLOCKED]) &&
           add_to(&to->offline_ns, (uint64_t)m->state_ns[RUNSTATE_OFFLINE]) &&
           add_to(&to->unknown_ns, (uint64_t)m->state_ns[RUNSTATE_UNKNOWN]) &&
           add_to(&to->doubtful_ns, m->doubtful_ns > 0 ? (uint64_t)m->doubtful_ns : 0) &&
           add_to(&to->existed_ns, existed) && add_waits(s, v, c->recorded, &m->wait);
}

static bool add_guest(struct sums *s, const struct vm_sum *driver, struct vm_sum *guest,
                      const struct charge_guest *g)
{
    const struct service_sum like = {.driver_domain = driver, .guest = guest};
    uint64_t inferred = g->charged_ns - g->measured_ns - g->certain_ns;
    bool fresh;
    struct service_sum *to = find(s, &s->services, &like, sizeof like, compare_services, &fresh);
    for (int i = IO_TX; i < IO_KINDS; i++)
        guest->row.io[i] += g->events[i];
    return to && add_to(&to->service.charged_ns, g->charged_ns) &&
           add_to(&to->service.measured_ns, g->measured_ns) &&
           add_to(&to->service.certain_ns, g->certain_ns) && add_to(&to->service.inferred_ns, inferred) &&
           add_to(&guest->row.charged_ns, g->charged_ns) && add_to(&guest->row.measured_ns, g->measured_ns) &&
           add_to(&guest->row.certain_ns, g->certain_ns) && add_to(&guest->row.inferred_ns, inferred);
}

static bool add_idd(struct sums *s, struct host_sum *h, const struct sums_capture *c,
                    const struct charge_idd *idd)
{
    struct vm_sum *driver = vm_sum_of(s, h, c, idd->domain, idd->life);
    bool added =
        driver && add_to(&h->host.charged_ns, idd->charged_ns) && add_to(&h->host.own_ns, idd->own_ns) &&
        add_to(&h->host.unattributed_ns, idd->unattributed_ns) &&
        add_to(&driver->row.served_ns, idd->charged_ns) && add_to(&driver->row.own_ns, idd->own_ns) &&
        add_to(&driver->row.unattributed_ns, idd->unattributed_ns);
    if (added)
        driver->row.driver_domain = true;
    for (size_t i = 0; i < idd->guests_n && added; i++) {
        struct vm_sum *guest = vm_sum_of(s, h, c, idd->guests[i].domain, idd->guests[i].life);
        added = guest && add_guest(s, driver, guest, &idd->guests[i]);
    }
    return added;
}

int sums_add(struct sums *s, const struct sums_capture *c, const struct tally *t, struct error *err)
{
    const struct charge_idd *idds;
    struct tally_totals totals;
    if (!t->any)
        return 0;
    /* What a tally hands out is its own, and put together anew each time. */
    if (!aggregate_charges((struct aggregate *)(uintptr_t)&t->domains, &idds))
        return error_no_memory(err, "the statement");
    const char *wrong = tally_wrong(t, c->recorded, idds, &totals);
    if (wrong)
        return error_set(err, ERROR_FORMAT, "%s", wrong);
    const struct row *rows = aggregate_rows(&t->domains);
    struct host_sum *h = host_sum_of(s, c->host);
    bool added = h && add_host(s, h, c, t, &totals);
    for (size_t i = 0; i < t->domains.rows.n && added; i++) {
        struct vm_sum *v = vm_sum_of(s, h, c, rows[i].domain, rows[i].life);
        if (v)
            add_peaks(v, t, &rows[i]);
        added = v && add_row(s, v, c, &rows[i], tally_idd_of(idds, t->domains.idds.n, &rows[i]));
    }
    for (size_t i = 0; i < t->domains.idds.n && added; i++)
        added = add_idd(s, h, c, &idds[i]);
    return added ? 0
                 : error_set(err, ERROR_MEMORY, "not enough memory for the statement, or for its numbers");
}

/* ---- the statement ---- */

static int compare_listed_hosts(const void *a, const void *b)
{
    return compare_hosts(*(void *const *)a, *(void *const *)b);
}

static int compare_listed_vms(const void *a, const void *b)
{
    return compare_vms(*(void *const *)a, *(void *const *)b);
}

static int compare_listed_services(const void *a, const void *b)
{
    return compare_services(*(void *const *)a, *(void *const *)b);
}

static void put_in_order(struct found *f, int (*compare)(const void *, const void *))
{
    if (f->n > 1)
        qsort(f->list, f->n, sizeof *f->list, compare);
}

/* Room for n structs in place of the old ones. NULL: no memory. */
static void *renewed(void *old, size_t n, size_t size)
{
    free(old);
    return calloc(n + 1, size);
}

static void put_host(const struct sums *s, struct account_host *to, struct host_sum *h)
{
    h->host.spans_n = account_spans_merge(h->spans, h->host.spans_n, &s->period);
    h->host.spans = h->spans;
    h->host.not_recorded_ns = account_spans_lack(h->spans, h->host.spans_n, &s->period);
    *to = h->host;
    to->vms = 0;
}

static void put_row(const struct sums *s, struct vm_sum *v, const struct account_host *host)
{
    struct account_row *r = &v->row;
    r->period = s->period;
    r->vm = &v->vm;
    r->host = host;
    r->wait = &v->wait;
    r->vcpu_ns = r->running_ns + r->runnable_ns + r->blocked_ns + r->offline_ns + r->unknown_ns;
    r->total_ns = r->used_ns + r->charged_ns + r->own_ns + r->unattributed_ns;
    r->recorded_ns = host->recorded_ns;
    r->not_recorded_ns = host->not_recorded_ns;
    r->before = before_of(&s->before, host->name, v->vm.key);
    r->vm_before = before_of(&s->before, "", v->vm.key);
    r->verdict = host->verdict;
    r->why = host->why;
}

bool sums_statement(struct sums *s, struct account_statement *statement)
{
    put_in_order(&s->hosts, compare_listed_hosts);
    put_in_order(&s->vms, compare_listed_vms);
    put_in_order(&s->services, compare_listed_services);
    s->out_hosts = renewed(s->out_hosts, s->hosts.n, sizeof *s->out_hosts);
    s->out_rows = renewed(s->out_rows, s->vms.n, sizeof *s->out_rows);
    s->out_services = renewed(s->out_services, s->services.n, sizeof *s->out_services);
    if (!s->out_hosts || !s->out_rows || !s->out_services)
        return false;
    for (size_t i = 0; i < s->hosts.n; i++)
        put_host(s, &s->out_hosts[i], s->hosts.list[i]);
    for (size_t i = 0, h = 0; i < s->vms.n; i++) {
        struct vm_sum *v = s->vms.list[i];
        while (s->hosts.list[h] != v->host)
            h++;
        s->out_hosts[h].vms++;
        put_row(s, v, &s->out_hosts[h]);
        s->out_rows[i] = v->row;
    }
    for (size_t i = 0; i < s->services.n; i++) {
        const struct service_sum *of = s->services.list[i];
        s->out_services[i] = of->service;
        s->out_services[i].host = of->driver_domain->row.host;
        s->out_services[i].driver_domain = &of->driver_domain->vm;
        s->out_services[i].guest = &of->guest->vm;
    }
    *statement = (struct account_statement){.period = s->period,
                                            .hosts = s->out_hosts,
                                            .hosts_n = s->hosts.n,
                                            .rows = s->out_rows,
                                            .rows_n = s->vms.n,
                                            .services = s->out_services,
                                            .services_n = s->services.n};
    return true;
}
