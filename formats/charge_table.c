#include "formats/charge_table.h"

#include <inttypes.h>

#include "formats/charge_words.h"
#include "formats/table_cell.h"

static void put_name(struct buffer *b, const char *name)
{
    char cell[CELL_BYTES];
    cell_text(cell, name, CELL_TEXT_MAX);
    buffer_printf(b, " (%s)", cell);
}

static const char *percent(char to[HUMAN_BYTES], uint64_t part, uint64_t whole)
{
    return part ? human_percent(to, (double)part, (double)whole) : "0 %";
}

/*
 * "driver domain 0 (Domain-0): ran 7.82 s, 52 % of a pCPU; charged 71 %, own 28 %, unattributed 0.7 %"; after own what of
 * it is given: "own 28 % (20 % given)"
 */
void charge_table_heading(struct writer *w, const struct interval *of, const struct charge_idd *idd)
{
    struct buffer *b = &w->text;
    const struct report_schema *schema = w->schema;
    const char *name = schema->name_of ? schema->name_of(schema->names, idd->domain, idd->life) : NULL;
    char id[CELL_BYTES], one[HUMAN_BYTES], two[HUMAN_BYTES], three[HUMAN_BYTES], four[HUMAN_BYTES];
    cell_domain(id, idd->domain, idd->life);
    buffer_text(b, "\n");
    writer_style(w, TEXT_HEADER);
    buffer_printf(b, "driver domain %s", id);
    if (name)
        put_name(b, name);
    writer_style(w, TEXT_END);
    buffer_printf(b, ": ran %s, %s of a pCPU", human_duration(one, idd->running_ns),
                  percent(two, idd->running_ns, of->end_ns - of->start_ns - of->gap_ns));
    if (idd->running_ns)
        buffer_printf(
            b, "; charged %s, own %s%s%s%s, unattributed %s", percent(one, idd->charged_ns, idd->running_ns),
            percent(two, idd->own_ns, idd->running_ns), idd->own_given_ns ? " (" : "",
            idd->own_given_ns ? percent(four, idd->own_given_ns, idd->running_ns) : "",
            idd->own_given_ns ? " given)" : "", percent(three, idd->unattributed_ns, idd->running_ns));
    buffer_printf(b, "\n%s dispatches; %s executions ended without I/O\n", human_count(one, idd->executions),
                  human_count(two, idd->io_free_executions));
}

/* "charged by dom0's own trace; nothing is inferred" */
static void put_measured(struct buffer *b, const struct charge_schema *schema, const struct charge_summary *s)
{
    if (s->measured)
        buffer_printf(b,
                      "domain %u is charged by what its own kernel recorded: threads, interrupts and "
                      "softirqs of guests\n",
                      schema->options->dom0_trace->domain);
}

/* "charged by copies, grants, per execution; weights: map 2, copy 1" */
static void put_method(struct buffer *b, const struct charge_schema *schema, const struct charge_summary *s)
{
    char per[CHARGE_PER_BYTES];
    const struct charge_options *options = schema->options;
    const char *before = "charged by ";
    for (size_t i = 0; i < charge_method_names_n; i++)
        if (s->methods & charge_method_names[i].method) {
            buffer_printf(b, "%s%s", before, charge_method_names[i].name);
            before = ", ";
        }
    buffer_printf(b, ", per %s; weights", charge_per_in_words(per, options));
    before = " ";
    for (int kind = 0; kind < IO_KINDS; kind++)
        if (charge_looks_at(options, s->methods, (enum io_kind)kind)) {
            buffer_printf(b, "%s%s %g", before, io_kind_names[kind], options->weights[kind]);
            before = ", ";
        }
    buffer_text(b, options->spread_own ? "; own time is shared out, too\n" : "\n");
}

/* "BEFORE map 1,234, notify 321 (12 % inferred)": a line, or nothing where all are 0. `inferred` may be NULL. */
static void put_counts(struct buffer *b, const char *before, const uint64_t *counts, const uint64_t *inferred,
                       size_t n)
{
    char count[HUMAN_BYTES];
    bool any = false;
    for (size_t kind = 0; kind < n; kind++)
        if (counts[kind]) {
            buffer_printf(b, "%s %s %s", any ? "," : before, io_kind_names[kind],
                          human_count(count, counts[kind]));
            if (inferred && kind < IO_TRACE_KINDS && inferred[kind])
                buffer_printf(b, " (%s inferred)", percent(count, inferred[kind], counts[kind]));
            any = true;
        }
    buffer_text(b, any ? "\n" : "");
}

/* Why own work is not separated, and what to do. */
static void put_separation(struct buffer *b, const struct charge_schema *schema,
                           const struct charge_summary *s)
{
    if (s->idds_own_given > 0)
        buffer_text(b, "own is given, not separated by the trace: of each second that share of a pCPU is "
                       "taken out, from "
                       "all that ran alike\n");
    if (s->idds_unseparated == 0)
        return;
    if (charge_by_task(schema->options))
        buffer_text(
            b, "own is not separated: the trace lacks the stack_switch and iret hypercalls of a PV driver "
               "domain (xentrace -e 0x32f000 records them; PVH and HVM domains make none)\n");
    else
        buffer_text(b, "own is not separated: --charge-per task does that\n");
}

static void put_events(struct buffer *b, const struct charge_schema *schema, const struct charge_summary *s)
{
    uint64_t unused[IO_KINDS] = {0};
    for (int kind = 0; kind < IO_KINDS; kind++)
        if (!charge_looks_at(schema->options, s->methods, (enum io_kind)kind))
            unused[kind] = s->events[kind];
    put_counts(b, "events:", s->events, s->inferred, IO_KINDS);
    put_counts(b, "not looked at:", unused, NULL, IO_KINDS);
    put_counts(b, "of unknown guest:", s->unassigned, NULL, IO_TRACE_KINDS);
}

/* "in 11 intervals driver domains ran 7.82 s, ..." and the weights as options have them */
static void put_fit(struct buffer *b, const struct charge_schema *schema, const struct charge_summary *s)
{
    const struct fitted_weights *fit = schema->fit;
    char one[HUMAN_BYTES], two[HUMAN_BYTES], three[HUMAN_BYTES], four[HUMAN_BYTES];
    buffer_printf(
        b, "in %s intervals driver domains ran %s, of it %s for guests\nthe costs explain %s of that, ",
        human_count(one, fit->intervals), human_duration(two, (uint64_t)fit->driver_ns),
        human_duration(three, (uint64_t)fit->guests_ns),
        human_percent(four, fit->explained_ns, fit->guests_ns));
    buffer_printf(b, "and are off by %.0f %% for a guest in an interval\n", fit->residual_pct);
    put_separation(b, schema, s);
    buffer_text(b, "--weights ");
    fit_add_weights(b, fit);
    buffer_text(b, "\n");
}

void charge_table_end(struct writer *w, bool begun, const struct charge_summary *s)
{
    struct buffer *b = &w->text;
    bool any = (s->methods & CHARGE_THREADS) != 0;
    for (int kind = 0; kind < IO_KINDS; kind++)
        any |= s->events[kind] > 0;
    buffer_text(b, begun ? "\n" : "");
    if (w->schema->charge->fit) {
        put_fit(b, w->schema->charge, s);
        return;
    }
    put_measured(b, w->schema->charge, s);
    if (any) {
        if (s->methods)
            put_method(b, w->schema->charge, s);
        put_events(b, w->schema->charge, s);
        put_separation(b, w->schema->charge, s);
    } else if (s->idds > (s->measured ? 1 : 0)) {
        buffer_text(b, "no I/O was seen: there was none, or the event mask hides it (xentrace -e 0x32f000 "
                       "shows it)\n");
    }
}
