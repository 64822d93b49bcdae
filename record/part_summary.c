/* What a part counted, and its summary. */
#include "part_state.h"

#include <stdlib.h>

void part_tally_read(struct part *p, struct pass_tally *t)
{
    t->has_read = true;
    t->read = *trace_quality(p->trace);
}

void part_tally_states(const struct part *p, struct pass_tally *t)
{
    const struct pass *pass = pipeline_pass(p->pipeline);
    t->has_states = true;
    t->states = *pipeline_states_quality(p->pipeline);
    for (unsigned i = 0; i < pass->pcpus_n; i++)
        t->blind_ns[pass->pcpus[i]] =
            model_blind_ns(pass->model, pass->pcpus[i]) + model_blind_open_ns(pass->model, pass->pcpus[i]);
    t->holes = *model_holes(pass->model);
}

/* The sums of the pass, without what the parts before and after have of them; moments count from the part's beginning. */
static void take_quality(struct part *p, struct quality *q)
{
    const struct meter *meter = pipeline_meter(p->pipeline, PART_ROWS);
    struct pass_tally now = p->ended;
    if (!now.has_read)
        part_tally_read(p, &now);
    if (!now.has_states)
        part_tally_states(p, &now);
    quality_since(&now.read, &p->begun.read, 0);
    quality_since(&now.states, &p->begun.states, p->place.origin_ns);
    *q = now.read;
    quality_merge(q, &now.states, 0);
    q->vcpu_ns = meter_vcpu_ns(meter);
    q->unknown_ns = meter_unknown_ns(meter);
    q->doubtful_ns = meter_doubtful_ns(meter);
    q->hole_ns = now.holes.ns;
    q->holes = now.holes.n;
    q->hole_at_ns = now.holes.n > 0 ? now.holes.first_ns - p->place.origin_ns : 0;
    q->blind_ns = 0;
    for (size_t i = 0; i < p->summary.pcpus_n; i++) {
        struct summary_pcpu *pcpu = &p->summary.pcpus[i];
        pcpu->blind_ns = now.blind_ns[pcpu->pcpu];
        q->blind_ns += pcpu->blind_ns;
    }
}

static int take_pcpus(struct part *p, struct error *err)
{
    const struct pass *pass = pipeline_pass(p->pipeline);
    struct summary *s = &p->summary;
    free(s->pcpus);
    s->pcpus_n = 0;
    s->pcpus = calloc(pass->pcpus_n + 1u, sizeof *s->pcpus);
    if (!s->pcpus)
        return error_no_memory(err, "the list of pCPUs");
    for (; s->pcpus_n < pass->pcpus_n; s->pcpus_n++)
        s->pcpus[s->pcpus_n] = (struct summary_pcpu){pass->pcpus[s->pcpus_n], 0};
    return 0;
}

/* What is known of the part by now. */
int part_summarise(struct part *p, struct error *err)
{
    struct summary *s = &p->summary;
    const struct meter *meter = pipeline_meter(p->pipeline, PART_ROWS);
    const struct clock *c = trace_clock(p->trace);
    trace_summarise(p->trace, &s->trace);
    s->trace.file = "";
    s->trace.file_bytes = 0;
    s->trace.compression = "none";
    uint64_t end_ns = meter_accounted(meter);
    if (p->over || pipeline_pass(p->pipeline)->end_ns == 0)
        s->trace.tsc_last = p->over ? p->end_tsc : part_tsc(c, end_ns);
    s->clock = *c;
    if (p->link->moment_tsc) {
        s->trace.tsc_first = p->link->moment_tsc;
        s->clock.tsc_first = p->link->moment_tsc;
    }
    s->end_ns = end_ns > p->place.origin_ns ? end_ns - p->place.origin_ns : 0;
    if (take_pcpus(p, err) != 0)
        return -1;
    take_quality(p, &s->quality);
    s->charged = true;
    meter_charge_summary(meter, &s->charges);
    p->o->watch->summary(p->o->watch->context, s);
    return 0;
}
