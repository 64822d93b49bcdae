#include "info_host.h"

#include <stdlib.h>

#include "metrics/min_max.h"

/* Less was recorded until the mask changed again, or to the end; a change that has no reason ends it. */
static void fill_reduced(struct known_host *k, const struct host_facts *f)
{
    struct info_span *to = k->spans + k->host.gaps_n;
    k->host.reduced = to;
    for (size_t i = 0; i < f->reduced_n; i++) {
        const struct fact_reduced *r = &f->reduced[i];
        if (*r->why)
            to[k->host.reduced_n++] = (struct info_span){
                r->utc_ns, i + 1 < f->reduced_n ? f->reduced[i + 1].utc_ns : 0, r->why, r->mask};
    }
}

static void fill_gaps(struct known_host *k, const struct host_facts *f)
{
    k->host.gaps = k->spans;
    for (; k->host.gaps_n < f->gaps_n; k->host.gaps_n++) {
        const struct fact_gap *g = &f->gaps[k->host.gaps_n];
        /* From the recorder's beginning until the first record nothing was recorded, either. */
        bool before_first = g->tsc == 0 && k->host.timed && g->utc_ns < k->host.from_utc_ns;
        int64_t to_utc_ns = before_first ? k->host.from_utc_ns : g->utc_ns;
        k->spans[k->host.gaps_n] = (struct info_span){g->from_utc_ns, to_utc_ns, g->why, 0};
    }
}

static bool is_any_known(const struct host_facts *f)
{
    return *f->boot.boot_id || *f->boot.host || *f->boot.xen || f->clocks_n || f->domains_n || f->gaps_n ||
           f->reduced_n || f->recorder.tsc;
}

int known_host_make(struct known_host *k, const struct host_facts *f, const struct summary *s,
                    struct error *err)
{
    struct info_host *h = &k->host;
    uint64_t end_error_ns = 0;
    k->spans = calloc(f->gaps_n + f->reduced_n + 1, sizeof *k->spans);
    if (!k->spans)
        return error_no_memory(err, "facts about the host");
    *h = (struct info_host){.host = f->boot.host,
                            .boot_id = f->boot.boot_id,
                            .xen = f->boot.xen,
                            .pcpus = f->boot.pcpus,
                            .recorded = f->recorder.tsc != 0,
                            .cpu_ns = f->recorder.cpu_ns,
                            .rss_bytes = f->recorder.rss_bytes,
                            .trace_bytes = f->recorder.trace_bytes,
                            .lost_records = f->recorder.lost_records,
                            .stalled_ns = f->recorder.stalled_ns,
                            .restarts = f->recorder.restarts};
    h->timed = host_facts_utc(f, s->clock.cpu_hz, s->clock.tsc_first, &h->from_utc_ns, &h->error_ns) &&
               host_facts_utc(f, s->clock.cpu_hz, s->trace.tsc_last, &h->to_utc_ns, &end_error_ns);
    h->error_ns = max64(h->error_ns, end_error_ns);
    fill_gaps(k, f);
    fill_reduced(k, f);
    k->is_known = is_any_known(f);
    return 0;
}

void known_host_free(struct known_host *k)
{
    free(k->spans);
}
