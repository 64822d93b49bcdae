#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "formats/info.h"
#include "formats/json_memory.h"
#include "formats/json_text.h"

static json_t *of_u64(uint64_t n)
{
    return json_integer(n <= INT64_MAX ? (json_int_t)n : INT64_MAX);
}

static json_t *of_version(unsigned version)
{
    char text[16];
    snprintf(text, sizeof text, "%u.%u", version / 100, version % 100);
    return version ? json_string(text) : json_null();
}

static json_t *of_rate(const struct info *info, uint64_t records)
{
    if (!(info->summary.clock.cpu_hz > 0) || info->summary.end_ns == 0)
        return json_null();
    return json_real(round((double)records * 1e12 / (double)info->summary.end_ns) / 1000);
}

/* "scheduler" has all schedulers in one text, as many readers know it; "schedulers" is the list. */
static json_t *of_xen(const struct xen_versions *v)
{
    char text[64] = "";
    size_t n = 0;
    json_t *list = json_array();
    for (unsigned i = 0; i < v->schedulers_n; i++) {
        n += (size_t)snprintf(text + n, sizeof text - n, "%s%s", i ? ", " : "", v->schedulers[i]);
        json_array_append_new(list, json_string(v->schedulers[i]));
    }
    return json_pack("{s:o, s:o, s:b, s:o, s:o}", "version_from", of_version(v->from), "version_to",
                     of_version(v->to), "contradictory", (int)v->contradictory, "scheduler",
                     json_of_text(v->schedulers_n ? text : NULL), "schedulers", list);
}

static json_t *of_event(const struct info *info, const struct info_tally *t)
{
    char id[16];
    snprintf(id, sizeof id, "0x%08" PRIx32, t->id);
    return json_pack("{s:s, s:o, s:s, s:o, s:o, s:o}", "name", t->name, "id",
                     t->id ? json_string(id) : json_null(), "class", event_class_name(t->class_id), "records",
                     of_u64(t->records), "bytes", of_u64(t->bytes), "records_per_s",
                     of_rate(info, t->records));
}

static json_t *of_domains(const struct info *info)
{
    json_t *domains = json_array();
    for (size_t i = 0; i < info->domains_n; i++) {
        const struct summary_domain *d = &info->domains[i];
        const char *name = info->name_of ? info->name_of(info->names, d->domain, d->life) : NULL;
        json_array_append_new(domains,
                              json_pack("{s:i, s:I, s:o, s:I, s:I}", "domain", (int)d->domain, "life",
                                        (json_int_t)d->life, "name", json_of_text(name), "vcpus",
                                        (json_int_t)d->vcpus, "running_ns", (json_int_t)d->running_ns));
    }
    return domains;
}

int info_write_json(struct output *out, const struct info *info)
{
    struct info_tally tallies[CLASSES], list[INFO_TALLIES];
    json_memory_begin();
    json_t *events = json_array(), *classes = json_array(), *pcpus = json_array();
    size_t n = info_tallies(info, list, tallies);
    for (size_t i = 0; i < n; i++)
        json_array_append_new(events, of_event(info, &list[i]));
    for (unsigned c = 0; c < CLASSES; c++)
        if (tallies[c].records)
            json_array_append_new(classes,
                                  json_pack("{s:s, s:o, s:o, s:o}", "class", tallies[c].name, "records",
                                            of_u64(tallies[c].records), "bytes", of_u64(tallies[c].bytes),
                                            "records_per_s", of_rate(info, tallies[c].records)));
    for (size_t i = 0; i < info->pcpus_n; i++)
        json_array_append_new(pcpus, json_pack("{s:i, s:o}", "pcpu", (int)info->pcpus[i].pcpu, "blind_ns",
                                               of_u64(info->pcpus[i].blind_ns)));
    json_t *document =
        json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "schema", "xenmeter.info/1", "trace",
                  json_of_trace(&info->summary), "quality", json_of_quality(&info->summary), "host",
                  info_json_host(info), "xen", of_xen(&info->xen), "pcpus", pcpus, "domains",
                  of_domains(info), "classes", classes, "events", events);
    document = json_whole(document);
    char *text = document ? json_dumps(document, JSON_INDENT(2) | JSON_REAL_PRECISION(15)) : NULL;
    json_decref(document);
    if (!text) {
        struct error err;
        error_no_memory(&err, "the output");
        return output_fail(out, &err);
    }
    output_printf(out, "%s\n", text);
    free(text);
    return output_flush(out);
}
