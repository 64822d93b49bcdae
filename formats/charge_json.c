#include "formats/json_text.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "formats/charge_words.h"
#include "metrics/relation/charges.h"

/* ---- rows ---- */

/* Of a guest (else NULL) what no device counts is not known. */
static void add_counts(struct buffer *b, const char *name, const uint64_t *counts, size_t n,
                       const struct charge_guest *guest)
{
    buffer_printf(b, ",\"%s\":{", name);
    for (size_t kind = 0; kind < n; kind++) {
        buffer_printf(b, "%s\"%s\":", kind ? "," : "", io_kind_names[kind]);
        if (guest && kind >= IO_TX && !guest->counted[kind - IO_TX])
            buffer_text(b, "null");
        else
            buffer_printf(b, "%" PRIu64, counts[kind]);
    }
    buffer_text(b, "}");
}

static void add_evidence(struct buffer *b, const struct charge_guest *guest)
{
    buffer_text(b, ",\"evidence\":{");
    for (int kind = 0; kind < IO_KINDS; kind++) {
        buffer_printf(b, "\"%s_pct\":", io_kind_names[kind]);
        buffer_decimal(b, evidence_pct_of(guest, (enum io_kind)kind), 3);
        buffer_text(b, ",");
    }
    buffer_text(b, "\"measured_pct\":");
    buffer_decimal(b, measured_pct_of(guest), 3);
    buffer_text(b, ",\"inferred_pct\":");
    buffer_decimal(b, inferred_pct_of(guest), 3);
    buffer_text(b, "}");
}

static void add_guest(struct buffer *b, const struct row_view *view)
{
    static const char *const members[] = {"domain",      "life",       "name",
                                          "charged_ns",  "share_pct",  "charged_pct",
                                          "measured_ns", "certain_ns", "inferred_ns"};
    const struct charge_guest *guest = ((const struct charge_row *)view->row)->guest;
    for (size_t i = 0; i < sizeof members / sizeof *members; i++)
        json_add_member(b, column_find(&relation_charges, members[i]), view, i == 0);
    add_counts(b, "events", guest->events, IO_KINDS, guest);
    add_counts(b, "inferred", guest->inferred, IO_TRACE_KINDS, NULL);
    add_evidence(b, guest);
}

void charge_json_add_idd(struct buffer *b, const struct writer *w, const struct rows *rows, size_t group,
                         size_t from, size_t to)
{
    const struct charge_idd *idd = (const struct charge_idd *)rows->groups + group;
    const struct shown *shown = choice_find(w->schema->choice, rows->relation);
    struct row_view view = writer_view(w, rows);
    const struct report_schema *schema = w->schema;
    buffer_printf(b, "{\"domain\":%" PRId32 ",\"life\":%" PRIu32 ",\"name\":", idd->domain, idd->life);
    json_add_text(b, schema->name_of ? schema->name_of(schema->names, idd->domain, idd->life) : NULL);
    buffer_printf(b,
                  ",\"running_ns\":%" PRIu64 ",\"charged_ns\":%" PRIu64 ",\"own_ns\":%" PRIu64
                  ",\"unattributed_ns\":%" PRIu64 ",\"executions\":%" PRIu64
                  ",\"io_free_executions\":%" PRIu64 ",\"separated_ns\":%" PRIu64
                  ",\"own_given_ns\":%" PRIu64,
                  idd->running_ns, idd->charged_ns, idd->own_ns, idd->unattributed_ns, idd->executions,
                  idd->io_free_executions, idd->separated_ns, idd->own_given_ns);
    add_counts(b, "unassigned", idd->unassigned, IO_TRACE_KINDS, NULL);
    buffer_text(b, ",\"guests\":[");
    const char *before = "";
    for (size_t r = from; r < to; r++) {
        view.row = row_at(rows, r);
        if (!((const struct charge_row *)view.row)->guest)
            continue; /* a member of the driver domain */
        buffer_printf(b, "%s\n            {", before);
        before = ",";
        if (w->schema->choice->given)
            json_add_row(b, shown, &view, true);
        else
            add_guest(b, &view);
        buffer_text(b, "}");
    }
    buffer_text(b, "]}");
}

/* ---- the method ---- */

static json_t *of_counts(const uint64_t *counts, size_t n)
{
    json_t *o = json_object();
    for (size_t kind = 0; kind < n; kind++)
        json_object_set_new(o, io_kind_names[kind], json_integer((json_int_t)counts[kind]));
    return o;
}

static json_t *of_methods(unsigned methods)
{
    json_t *list = json_array();
    for (size_t i = 0; i < charge_method_names_n; i++)
        if (methods & charge_method_names[i].method)
            json_append(&list, json_string(charge_method_names[i].name));
    return list;
}

static json_t *of_weights(const double *weights)
{
    json_t *o = json_object();
    for (int kind = 0; kind < IO_KINDS; kind++)
        json_object_set_new(o, io_kind_names[kind], json_real(weights[kind]));
    return o;
}

static json_t *of_idds(const uint8_t *idds)
{
    if (!idds)
        return json_null();
    json_t *list = json_array();
    for (int domain = 0; domain < 65536; domain++)
        if (idds[domain])
            json_array_append_new(list, json_integer(domain));
    return list;
}

/* The loads of own work that were given. */
static json_t *of_own(const struct charge_options *options)
{
    json_t *list = json_array();
    for (size_t i = 0; i < options->own_n; i++)
        json_append(&list, json_pack("{s:i, s:f}", "domain", (int)options->own[i].domain, "pct",
                                     options->own[i].ppm / 1e4));
    return list;
}

static json_t *of_length(const struct charge_options *options)
{
    char text[CHARGE_PER_BYTES];
    return json_string(charge_per_in_words(text, options));
}

/* Events that were seen and have no say. */
static json_t *of_unused(const struct charge_options *options, const struct charge_summary *summary)
{
    json_t *o = json_object();
    for (int kind = 0; kind < IO_KINDS; kind++)
        if (summary->events[kind] && !charge_looks_at(options, summary->methods, (enum io_kind)kind))
            json_object_set_new(o, io_kind_names[kind], json_integer((json_int_t)summary->events[kind]));
    return o;
}

/* Events lost on all CPUs. */
static json_int_t of_lost(const struct dom0_trace *t)
{
    uint64_t lost = 0;
    for (size_t cpu = 0; cpu < t->cpus_n; cpu++)
        lost += t->cpus[cpu].lost;
    return (json_int_t)lost;
}

json_t *charge_json_method(const struct charge_schema *schema, const struct charge_summary *summary)
{
    const struct charge_options *options = schema->options;
    json_t *from = summary->counted ? json_integer(summary->counted_from_ns) : json_null();
    json_t *to = summary->counted ? json_integer(summary->counted_to_ns) : json_null();
    json_t *measured_from = summary->measured ? json_integer(summary->measured_from_ns) : json_null();
    json_t *measured_to = summary->measured ? json_integer(summary->measured_to_ns) : json_null();
    json_t *measured_lost = options->dom0_trace ? json_integer(of_lost(options->dom0_trace)) : json_null();
    return json_pack(
        "{s:o, s:b, s:o, s:b, s:o, s:b, s:o, s:o, s:o, s:o, s:I, s:I, s:I, s:o, s:o, s:o, s:o, s:o, s:o, "
        "s:o, s:o, s:b, s:o, s:o}",
        "charge_by", of_methods(summary->methods), "charge_by_auto", (options->methods & CHARGE_AUTO) != 0,
        "charge_per", of_length(options), "own_separated",
        summary->idds_unseparated + summary->idds_own_given == 0, "weights", of_weights(options->weights),
        "charge_all", (int)options->spread_own, "idds", of_idds(options->idds), "io_counts",
        json_of_text(schema->io_counts), "io_counts_from_ns", from, "io_counts_to_ns", to,
        "io_counts_devices_unknown", (json_int_t)summary->devices_unknown, "io_counts_devices_unused",
        (json_int_t)summary->devices_unused, "io_counts_cpu_impossible_ns",
        (json_int_t)summary->cpu_impossible_ns, "dom0_trace", json_of_text(schema->dom0_trace),
        "dom0_trace_from_ns", measured_from, "dom0_trace_to_ns", measured_to, "dom0_trace_lost",
        measured_lost, "events_seen", of_counts(summary->events, IO_KINDS), "events_inferred",
        of_counts(summary->inferred, IO_TRACE_KINDS), "events_unassigned",
        of_counts(summary->unassigned, IO_TRACE_KINDS), "unused", of_unused(options, summary), "charge_idle",
        (int)options->charge_idle, "own_given", of_own(options), "own_baseline",
        json_of_text(schema->own_baseline));
}

json_t *charge_json_fit(const struct fitted_weights *fit)
{
    struct buffer weights = {0};
    fit_add_weights(&weights, fit);
    buffer_add(&weights, "", 1);
    json_t *text = weights.failed ? NULL : json_string(weights.at);
    buffer_free(&weights);
    return json_pack(
        "{s:I, s:I, s:I, s:I, s:f, s:o}", "intervals", (json_int_t)fit->intervals, "driver_domains_ns",
        (json_int_t)llround(fit->driver_ns), "guests_ns", (json_int_t)llround(fit->guests_ns), "explained_ns",
        (json_int_t)llround(fit->explained_ns), "residual_pct", fit->residual_pct, "weights", text);
}
