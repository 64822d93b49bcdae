#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "formats/buffer.h"
#include "formats/info.h"
#include "formats/safe_text.h"
#include "formats/wrap.h"
#include "metrics/min_max.h"

#define DOMAINS_SHOWN 12
#define PCPUS_SHOWN   8
#define NAME_BYTES    256
#define INDENT        13 /* of what is said of a thing, after its name */

static void put_bytes(struct buffer *text, const char *what, uint64_t bytes)
{
    char count[HUMAN_BYTES];
    buffer_printf(text, "%-12s %s bytes", what, human_count(count, bytes));
    if (bytes >= 10000000)
        buffer_printf(text, " (%.1f MB)", (double)bytes / 1e6);
}

static void put_storage(struct buffer *text, const struct trace_summary *t)
{
    if (t->read_from)
        buffer_printf(text, ", an archive: from its %s",
                      strcmp(t->read_from, "results") == 0 ? "summary" : "trace");
    else if (strcmp(t->compression, "none") != 0)
        buffer_printf(text, ", compressed by %s", t->compression);
    buffer_printf(text, "\n");
}

static void put_trace(struct buffer *text, const struct info *info)
{
    const struct report_summary *s = &info->summary;
    char a[HUMAN_BYTES], b[HUMAN_BYTES], c[HUMAN_BYTES], path[PATH_MAX];
    buffer_printf(text, "%-12s %s", "trace",
                  strcmp(s->trace.file, "-") == 0 ? "(standard input)"
                                                  : safe_text(path, sizeof path, s->trace.file));
    put_storage(text, &s->trace);
    put_bytes(text, "size", s->quality->bytes);
    if (s->trace.file_bytes && s->trace.file_bytes != s->quality->bytes)
        buffer_printf(text, ", stored in %s", human_count(a, s->trace.file_bytes));
    buffer_printf(text, "\n%-12s %s in %s windows of %s sweeps\n", "records",
                  human_count(a, s->quality->records), human_count(b, s->quality->windows),
                  human_count(c, s->quality->sweeps));
    buffer_printf(text, "%-12s ", "duration");
    if (s->clock.cpu_hz > 0)
        buffer_printf(text, "%.6f s\n", (double)s->end_ns / 1e9);
    else
        buffer_printf(text, "%" PRIu64 " cycles\n", s->trace.tsc_last - s->trace.tsc_first);
}

static void put_clock(struct buffer *text, const struct info *info)
{
    const struct clock *c = &info->summary.clock;
    char count[HUMAN_BYTES];
    buffer_printf(text, "%-12s ", "frequency");
    if (!(c->cpu_hz > 0))
        buffer_printf(text, "not known: no SWITCH_INFPREV records that tell it; give --cpu-hz\n");
    else if (!c->measured)
        buffer_printf(text, "%.6f MHz, %s\n", c->cpu_hz / 1e6, c->by_host ? "by --io-counts" : "as given");
    else
        buffer_printf(text, "%.6f MHz +-%.*f ppm, from %s samples (half within %.*f ppm)\n", c->cpu_hz / 1e6,
                      c->error_ppm < 10 ? 1 : 0, c->error_ppm, human_count(count, c->pairs),
                      c->spread_ppm < 10 ? 1 : 0, c->spread_ppm);
}

static void put_version(struct buffer *text, unsigned version)
{
    buffer_printf(text, "%u.%u", version / 100, version % 100);
}

static void put_xen(struct buffer *text, const struct info *info)
{
    const struct xen_versions *v = &info->xen;
    buffer_printf(text, "%-12s ", "xen");
    if (v->contradictory) {
        buffer_printf(text, "layouts of different versions: %s says ", event_info(v->from_slot)->name);
        put_version(text, v->from);
        buffer_printf(text, " or later, %s ", event_info(v->to_slot)->name);
        put_version(text, v->to);
        buffer_printf(text, " or earlier");
    } else if (v->from || v->to) {
        if (v->from)
            put_version(text, v->from);
        buffer_printf(text, v->from && v->to ? " to " : v->from ? " or later" : "up to ");
        if (v->to)
            put_version(text, v->to);
        bool two = v->from && v->to && v->from_slot != v->to_slot;
        buffer_printf(text, ", by the layout of %s%s%s",
                      event_info(v->from ? v->from_slot : v->to_slot)->name, two ? " and " : "",
                      two ? event_info(v->to_slot)->name : "");
    } else {
        buffer_printf(text, "version cannot be told from the records");
    }
    for (unsigned i = 0; i < v->schedulers_n; i++)
        buffer_printf(text, "%s%s",
                      i                     ? ", "
                      : v->schedulers_n > 1 ? "; schedulers "
                                            : "; scheduler ",
                      v->schedulers[i]);
    buffer_printf(text, "\n");
}

static void put_population(struct buffer *text, const struct info *info)
{
    const struct report_summary *s = &info->summary;
    size_t vcpus = 0;
    for (size_t i = 0; i < info->domains_n; i++)
        vcpus += info->domains[i].vcpus;
    buffer_printf(text, "%-12s %u", "pcpus", s->trace.pcpus);
    if (s->trace.pcpus && s->trace.pcpu_highest + 1 != s->trace.pcpus)
        buffer_printf(text, ", numbered up to %u", s->trace.pcpu_highest);
    buffer_printf(text, "\n%-12s %zu with %zu vCPU%s", "domains", info->domains_n, vcpus,
                  vcpus == 1 ? "" : "s");
    char safe[NAME_BYTES];
    for (size_t i = 0; i < info->domains_n && i < DOMAINS_SHOWN; i++) {
        const struct summary_domain *d = &info->domains[i];
        const char *name = info->name_of ? info->name_of(info->names, d->domain, d->life) : NULL;
        buffer_printf(text, "%s%" PRId32, i ? ", " : ": ", d->domain);
        if (d->life > 1)
            buffer_printf(text, "#%" PRIu32, d->life);
        if (name)
            buffer_printf(text, " %s", safe_text(safe, sizeof safe, name));
        buffer_printf(text, " (%" PRIu32 ")", d->vcpus);
    }
    buffer_printf(text, info->domains_n > DOMAINS_SHOWN ? ", and %zu more\n" : "\n",
                  info->domains_n - DOMAINS_SHOWN);
}

static void put_cores(struct buffer *text, const struct quality *q)
{
    char a[HUMAN_BYTES];
    if (q->core_pcpus)
        buffer_printf(text,
                      "%-12s %s pCPUs are scheduled together (core scheduling: sched-gran=core or socket)\n",
                      "cores", human_count(a, q->core_pcpus));
    else if (q->core_pcpus_unknown)
        buffer_printf(
            text,
            "%-12s %s of the pCPUs are scheduled together with others (core scheduling: sched-gran=core or "
            "socket); it is not known with which\n",
            "cores", human_count(a, q->core_pcpus_unknown));
}

static void put_lost(struct buffer *text, const struct info *info)
{
    const struct quality *q = info->summary.quality;
    char a[HUMAN_BYTES], b[HUMAN_BYTES];
    buffer_printf(text, "%-12s ", "lost");
    if (q->lost_markers == 0) {
        buffer_printf(text, "no records\n");
        return;
    }
    buffer_printf(text, "%s records in %s places; blind for %s:", human_count(a, q->lost_records),
                  human_count(b, q->lost_markers), human_duration((char[HUMAN_BYTES]){0}, q->blind_ns));
    size_t shown = 0, blind = 0;
    for (size_t i = 0; i < info->pcpus_n; i++) {
        if (!info->pcpus[i].blind_ns)
            continue;
        if (blind++ < PCPUS_SHOWN)
            buffer_printf(text, "%s pCPU %u %s", shown++ ? "," : "", info->pcpus[i].pcpu,
                          human_duration(a, info->pcpus[i].blind_ns));
    }
    buffer_printf(text, blind > shown ? ", and %zu more pCPUs\n" : "\n", blind - shown);
}

/* What was not recorded at all. */
static void put_unrecorded(struct buffer *text, const struct quality *q)
{
    char time[HUMAN_BYTES], at[HUMAN_BYTES], count[HUMAN_BYTES];
    if (q->unseen_pcpus)
        buffer_printf(text, "%-12s at least %s pCPU%s on which vCPUs ran: xentrace -c?\n", "not recorded",
                      human_count(count, q->unseen_pcpus), q->unseen_pcpus == 1 ? "" : "s");
    if (q->holes)
        buffer_printf(text, "%-12s nothing was recorded for %s, %s time%s, first from %s on\n", "holes",
                      human_duration(time, q->hole_ns), human_count(count, q->holes),
                      q->holes == 1 ? "" : "s", human_duration(at, q->hole_at_ns));
}

static void put_damage(struct buffer *text, const struct info *info)
{
    const struct quality *q = info->summary.quality;
    char a[HUMAN_BYTES], b[HUMAN_BYTES];
    if (q->skipped_places)
        buffer_printf(text, "%-12s %s bytes passed over in %s places\n", "damage",
                      human_count(a, q->skipped_bytes), human_count(b, q->skipped_places));
    for (unsigned i = 0; i < QUALITY_PLACES && i < q->skipped_places; i++)
        buffer_printf(text, "%-12s offset %" PRIu64 ": %s bytes: %s\n", "", q->places[i].offset,
                      human_count(a, q->places[i].bytes), q->places[i].what);
    if (q->joined_bytes)
        buffer_printf(text, "%-12s another capture at offset %" PRIu64 ", of %s bytes, is not used\n",
                      "joined", q->joined_at, human_count(a, q->joined_bytes));
    if (q->tsc_jumps)
        buffer_printf(text,
                      "%-12s %s times a pCPU's clock left the others', first after tsc %" PRIu64
                      "; %s bytes are not used\n",
                      "clocks", human_count(a, q->tsc_jumps), q->tsc_jump_tsc,
                      human_count(b, q->unplaced_bytes));
    if (q->truncated_bytes)
        buffer_printf(text, "%-12s the end is missing (%s bytes of a window)\n", "truncated",
                      human_count(a, q->truncated_bytes));
    for (unsigned i = 0; i < q->unrecognised_kinds; i++)
        buffer_printf(text, "%-12s event 0x%08" PRIx32 ": %s records\n", i ? "" : "unrecognised",
                      q->unrecognised[i].event, human_count(a, q->unrecognised[i].records));
}

/* ---- the events ---- */

enum { NAME, RECORDS, RATE, BYTES, SHARE, CELLS };

/* A line of the table of events. */
struct event_line {
    char cells[CELLS][64];
};

/* In order, with the line of headings before and that of sums at the end. */
struct event_lines {
    struct event_line at[INFO_TALLIES + CLASSES + 2];
    size_t n;
};

static void add_tally(struct event_lines *lines, const struct info *info, const char *before,
                      const struct info_tally *t)
{
    struct event_line *line = &lines->at[lines->n++];
    const struct quality *q = info->summary.quality;
    double seconds = info->summary.clock.cpu_hz > 0 ? (double)info->summary.end_ns / 1e9 : 0;
    double share = q->bytes ? 100.0 * (double)t->bytes / (double)q->bytes : 0;
    snprintf(line->cells[NAME], sizeof line->cells[NAME], "%s%s", before, t->name);
    human_count(line->cells[RECORDS], t->records);
    human_count(line->cells[BYTES], t->bytes);
    snprintf(line->cells[SHARE], sizeof line->cells[SHARE], "%.2f", share);
    snprintf(line->cells[RATE], sizeof line->cells[RATE], "-");
    if (seconds > 0)
        human_count(line->cells[RATE], (uint64_t)((double)t->records / seconds));
}

static void fill_lines(struct event_lines *lines, const struct info *info)
{
    struct info_tally classes[CLASSES], events[INFO_TALLIES], all = {.name = "all"};
    size_t n = info_tallies(info, events, classes);
    lines->at[lines->n++] = (struct event_line){{[NAME] = "event class",
                                                 [RECORDS] = "records",
                                                 [RATE] = "records/s",
                                                 [BYTES] = "bytes",
                                                 [SHARE] = "bytes %"}};
    if (info->every_event)
        snprintf(lines->at[0].cells[NAME], sizeof lines->at[0].cells[NAME], "event");
    for (unsigned c = 0; c < CLASSES; c++) {
        if (!classes[c].records)
            continue;
        all.records += classes[c].records;
        all.bytes += classes[c].bytes;
        add_tally(lines, info, "", &classes[c]);
        for (size_t i = 0; info->every_event && c != CLASS_UNRECOGNISED && i < n; i++)
            if (events[i].class_id == c)
                add_tally(lines, info, "  ", &events[i]);
    }
    add_tally(lines, info, "", &all);
}

static void put_events(struct buffer *text, const struct info *info)
{
    static struct event_lines lines;
    size_t widths[CELLS] = {0}, width = 0;
    lines.n = 0;
    fill_lines(&lines, info);
    for (int cell = 0; cell < CELLS; cell++) {
        for (size_t i = 0; i < lines.n; i++)
            widths[cell] = max64(widths[cell], strlen(lines.at[i].cells[cell]));
        width += widths[cell] + (cell ? 2 : 0);
    }
    buffer_text(text, "\n");
    for (size_t i = 0; i < lines.n; i++) {
        buffer_printf(text, "%-*s", (int)widths[NAME], lines.at[i].cells[NAME]);
        for (int cell = RECORDS; cell < CELLS; cell++)
            buffer_printf(text, "  %*s", (int)widths[cell], lines.at[i].cells[cell]);
        buffer_text(text, "\n");
        if (i == 0) {
            buffer_fill(text, '-', width);
            buffer_text(text, "\n");
        }
    }
}

int info_write_table(struct output *out, const struct info *info)
{
    const struct judgement *j = info->summary.judgement;
    struct buffer made = {0}, *text = &made;
    put_trace(text, info);
    put_clock(text, info);
    info_put_host(text, info);
    put_xen(text, info);
    put_population(text, info);
    put_cores(text, info->summary.quality);
    buffer_printf(text, "%-12s %s\n", "states from",
                  info->summary.trace.has_runstates ? "runstate changes" : "switches, wakes and blocks");
    put_lost(text, info);
    put_unrecorded(text, info->summary.quality);
    put_damage(text, info);
    wrap_lines(text, 0, info->width, INDENT);
    put_events(text, info);
    size_t from = text->n;
    buffer_printf(text, "\nverdict: %s\n", verdict_name(j->verdict));
    for (unsigned i = 0; i < j->reasons; i++)
        buffer_printf(text, "  - %s\n", j->why[i]);
    wrap_lines(text, from, info->width, 4);
    if (text->failed) {
        struct error why;
        error_no_memory(&why, "the output");
        output_fail(out, &why);
    } else {
        output_write(out, text->at, text->n);
    }
    buffer_free(text);
    return output_flush(out);
}
