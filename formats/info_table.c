#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "formats/info.h"
#include "formats/safe_text.h"

#define DOMAINS_SHOWN 12
#define PCPUS_SHOWN   8
#define NAME_BYTES    256

static void put_bytes(struct output *out, const char *what, uint64_t bytes)
{
    char count[HUMAN_BYTES];
    output_printf(out, "%-12s %s bytes", what, human_count(count, bytes));
    if (bytes >= 10000000)
        output_printf(out, " (%.1f MB)", (double)bytes / 1e6);
}

static void put_storage(struct output *out, const struct trace_summary *t)
{
    if (t->read_from)
        output_printf(out, ", an archive: from its %s",
                      strcmp(t->read_from, "results") == 0 ? "summary" : "trace");
    else if (strcmp(t->compression, "none") != 0)
        output_printf(out, ", compressed by %s", t->compression);
    output_printf(out, "\n");
}

static void put_trace(struct output *out, const struct info *info)
{
    const struct report_summary *s = &info->summary;
    char a[HUMAN_BYTES], b[HUMAN_BYTES], c[HUMAN_BYTES], path[PATH_MAX];
    output_printf(out, "%-12s %s", "trace",
                  strcmp(s->trace.file, "-") == 0 ? "(standard input)"
                                                  : safe_text(path, sizeof path, s->trace.file));
    put_storage(out, &s->trace);
    put_bytes(out, "size", s->quality->bytes);
    if (s->trace.file_bytes && s->trace.file_bytes != s->quality->bytes)
        output_printf(out, ", stored in %s", human_count(a, s->trace.file_bytes));
    output_printf(out, "\n%-12s %s in %s windows of %s sweeps\n", "records",
                  human_count(a, s->quality->records), human_count(b, s->quality->windows),
                  human_count(c, s->quality->sweeps));
    output_printf(out, "%-12s ", "duration");
    if (s->clock.cpu_hz > 0)
        output_printf(out, "%.6f s\n", (double)s->end_ns / 1e9);
    else
        output_printf(out, "%" PRIu64 " cycles\n", s->trace.tsc_last - s->trace.tsc_first);
}

static void put_clock(struct output *out, const struct info *info)
{
    const struct clock *c = &info->summary.clock;
    char count[HUMAN_BYTES];
    output_printf(out, "%-12s ", "frequency");
    if (!(c->cpu_hz > 0))
        output_printf(out, "not known: no SWITCH_INFPREV records that tell it; give --cpu-hz\n");
    else if (!c->measured)
        output_printf(out, "%.6f MHz, %s\n", c->cpu_hz / 1e6, c->by_host ? "by --io-counts" : "as given");
    else
        output_printf(out, "%.6f MHz +-%.*f ppm, measured from %s samples (half of them within %.*f ppm)\n",
                      c->cpu_hz / 1e6, c->error_ppm < 10 ? 1 : 0, c->error_ppm, human_count(count, c->pairs),
                      c->spread_ppm < 10 ? 1 : 0, c->spread_ppm);
}

static void put_version(struct output *out, unsigned version)
{
    output_printf(out, "%u.%u", version / 100, version % 100);
}

static void put_xen(struct output *out, const struct info *info)
{
    const struct xen_versions *v = &info->xen;
    output_printf(out, "%-12s ", "xen");
    if (v->contradictory) {
        output_printf(out, "layouts of different versions: %s says ", event_info(v->from_slot)->name);
        put_version(out, v->from);
        output_printf(out, " or later, %s ", event_info(v->to_slot)->name);
        put_version(out, v->to);
        output_printf(out, " or earlier");
    } else if (v->from || v->to) {
        if (v->from)
            put_version(out, v->from);
        output_printf(out, v->from && v->to ? " to " : v->from ? " or later" : "up to ");
        if (v->to)
            put_version(out, v->to);
        bool two = v->from && v->to && v->from_slot != v->to_slot;
        output_printf(out, ", by the layout of %s%s%s", event_info(v->from ? v->from_slot : v->to_slot)->name,
                      two ? " and " : "", two ? event_info(v->to_slot)->name : "");
    } else {
        output_printf(out, "version cannot be told from the records");
    }
    for (unsigned i = 0; i < v->schedulers_n; i++)
        output_printf(out, "%s%s",
                      i                     ? ", "
                      : v->schedulers_n > 1 ? "; schedulers "
                                            : "; scheduler ",
                      v->schedulers[i]);
    output_printf(out, "\n");
}

static void put_population(struct output *out, const struct info *info)
{
    const struct report_summary *s = &info->summary;
    size_t vcpus = 0;
    for (size_t i = 0; i < info->domains_n; i++)
        vcpus += info->domains[i].vcpus;
    output_printf(out, "%-12s %u", "pcpus", s->trace.pcpus);
    if (s->trace.pcpus && s->trace.pcpu_highest + 1 != s->trace.pcpus)
        output_printf(out, ", numbered up to %u", s->trace.pcpu_highest);
    output_printf(out, "\n%-12s %zu with %zu vCPU%s", "domains", info->domains_n, vcpus,
                  vcpus == 1 ? "" : "s");
    char safe[NAME_BYTES];
    for (size_t i = 0; i < info->domains_n && i < DOMAINS_SHOWN; i++) {
        const struct summary_domain *d = &info->domains[i];
        const char *name = info->name_of ? info->name_of(info->names, d->domain, d->life) : NULL;
        output_printf(out, "%s%" PRId32, i ? ", " : ": ", d->domain);
        if (d->life > 1)
            output_printf(out, "#%" PRIu32, d->life);
        if (name)
            output_printf(out, " %s", safe_text(safe, sizeof safe, name));
        output_printf(out, " (%" PRIu32 ")", d->vcpus);
    }
    output_printf(out, info->domains_n > DOMAINS_SHOWN ? ", and %zu more\n" : "\n",
                  info->domains_n - DOMAINS_SHOWN);
}

static void put_cores(struct output *out, const struct quality *q)
{
    char a[HUMAN_BYTES];
    if (q->core_pcpus)
        output_printf(out,
                      "%-12s %s pCPUs are scheduled together (core scheduling: sched-gran=core or socket)\n",
                      "cores", human_count(a, q->core_pcpus));
    else if (q->core_pcpus_unknown)
        output_printf(
            out,
            "%-12s %s of the pCPUs are scheduled together with others (core scheduling: sched-gran=core or "
            "socket); it is not known with which\n",
            "cores", human_count(a, q->core_pcpus_unknown));
}

static void put_lost(struct output *out, const struct info *info)
{
    const struct quality *q = info->summary.quality;
    char a[HUMAN_BYTES], b[HUMAN_BYTES];
    output_printf(out, "%-12s ", "lost");
    if (q->lost_markers == 0) {
        output_printf(out, "no records\n");
        return;
    }
    output_printf(out, "%s records in %s places; blind for %s:", human_count(a, q->lost_records),
                  human_count(b, q->lost_markers), human_duration((char[HUMAN_BYTES]){0}, q->blind_ns));
    size_t shown = 0, blind = 0;
    for (size_t i = 0; i < info->pcpus_n; i++) {
        if (!info->pcpus[i].blind_ns)
            continue;
        if (blind++ < PCPUS_SHOWN)
            output_printf(out, "%s pCPU %u %s", shown++ ? "," : "", info->pcpus[i].pcpu,
                          human_duration(a, info->pcpus[i].blind_ns));
    }
    output_printf(out, blind > shown ? ", and %zu more pCPUs\n" : "\n", blind - shown);
}

/* What was not recorded at all. */
static void put_unrecorded(struct output *out, const struct quality *q)
{
    char time[HUMAN_BYTES], at[HUMAN_BYTES], count[HUMAN_BYTES];
    if (q->unseen_pcpus)
        output_printf(out, "%-12s at least %s pCPU%s on which vCPUs ran: xentrace -c?\n", "not recorded",
                      human_count(count, q->unseen_pcpus), q->unseen_pcpus == 1 ? "" : "s");
    if (q->holes)
        output_printf(out, "%-12s nothing was recorded for %s, %s time%s, first from %s on\n", "holes",
                      human_duration(time, q->hole_ns), human_count(count, q->holes),
                      q->holes == 1 ? "" : "s", human_duration(at, q->hole_at_ns));
}

static void put_damage(struct output *out, const struct info *info)
{
    const struct quality *q = info->summary.quality;
    char a[HUMAN_BYTES], b[HUMAN_BYTES];
    if (q->skipped_places)
        output_printf(out, "%-12s %s bytes passed over in %s places\n", "damage",
                      human_count(a, q->skipped_bytes), human_count(b, q->skipped_places));
    for (unsigned i = 0; i < QUALITY_PLACES && i < q->skipped_places; i++)
        output_printf(out, "%-12s offset %" PRIu64 ": %s bytes: %s\n", "", q->places[i].offset,
                      human_count(a, q->places[i].bytes), q->places[i].what);
    if (q->joined_bytes)
        output_printf(out, "%-12s another capture at offset %" PRIu64 ", of %s bytes, is not used\n",
                      "joined", q->joined_at, human_count(a, q->joined_bytes));
    if (q->tsc_jumps)
        output_printf(out,
                      "%-12s %s times a pCPU's clock left the others', first after tsc %" PRIu64
                      "; %s bytes are not used\n",
                      "clocks", human_count(a, q->tsc_jumps), q->tsc_jump_tsc,
                      human_count(b, q->unplaced_bytes));
    if (q->truncated_bytes)
        output_printf(out, "%-12s the end is missing (%s bytes of a window)\n", "truncated",
                      human_count(a, q->truncated_bytes));
    for (unsigned i = 0; i < q->unrecognised_kinds; i++)
        output_printf(out, "%-12s event 0x%08" PRIx32 ": %s records\n", i ? "" : "unrecognised",
                      q->unrecognised[i].event, human_count(a, q->unrecognised[i].records));
}

static void put_tally(struct output *out, const struct info *info, const char *name,
                      const struct info_tally *t)
{
    char a[HUMAN_BYTES], b[HUMAN_BYTES], rate[HUMAN_BYTES] = "-";
    double seconds = info->summary.clock.cpu_hz > 0 ? (double)info->summary.end_ns / 1e9 : 0;
    double share =
        info->summary.quality->bytes ? 100.0 * (double)t->bytes / (double)info->summary.quality->bytes : 0;
    if (seconds > 0)
        human_count(rate, (uint64_t)((double)t->records / seconds));
    output_printf(out, "%-28s %15s %12s %17s %7.2f\n", name, human_count(a, t->records), rate,
                  human_count(b, t->bytes), share);
}

static void put_events(struct output *out, const struct info *info)
{
    struct info_tally classes[CLASSES], events[INFO_TALLIES], all = {0};
    size_t n = info_tallies(info, events, classes);
    output_printf(out, "\n%-28s %15s %12s %17s %7s\n", info->every_event ? "event" : "event class", "records",
                  "records/s", "bytes", "bytes %");
    output_printf(
        out, "%.*s\n", 83,
        "------------------------------------------------------------------------------------------");
    for (unsigned c = 0; c < CLASSES; c++) {
        if (!classes[c].records)
            continue;
        all.records += classes[c].records;
        all.bytes += classes[c].bytes;
        put_tally(out, info, classes[c].name, &classes[c]);
        for (size_t i = 0; info->every_event && c != CLASS_UNRECOGNISED && i < n; i++) {
            char name[64];
            if (events[i].class_id != c)
                continue;
            snprintf(name, sizeof name, "  %s", events[i].name);
            put_tally(out, info, name, &events[i]);
        }
    }
    put_tally(out, info, "all", &all);
}

int info_write_table(struct output *out, const struct info *info)
{
    const struct judgement *j = info->summary.judgement;
    put_trace(out, info);
    put_clock(out, info);
    put_xen(out, info);
    put_population(out, info);
    put_cores(out, info->summary.quality);
    output_printf(out, "%-12s %s\n", "states from",
                  info->summary.trace.has_runstates ? "runstate changes" : "switches, wakes and blocks");
    put_lost(out, info);
    put_unrecorded(out, info->summary.quality);
    put_damage(out, info);
    put_events(out, info);
    output_printf(out, "\nverdict: %s\n", verdict_name(j->verdict));
    for (unsigned i = 0; i < j->reasons; i++)
        output_printf(out, "  - %s\n", j->why[i]);
    return output_flush(out);
}
