#include "sim_run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/simulation.h"

enum { PCPUS = 8 };

/* ---- the trace ---- */

struct text {
    unsigned char *bytes;
    size_t n, space;
};

static int take(void *context, const void *bytes, size_t n)
{
    struct text *t = context;
    if (t->n + n > t->space) {
        t->space = 2 * (t->n + n);
        t->bytes = realloc(t->bytes, t->space);
    }
    memcpy(t->bytes + t->n, bytes, n);
    t->n += n;
    return 0;
}

static uint32_t word_at(const unsigned char *bytes)
{
    uint32_t word;
    memcpy(&word, bytes, sizeof word);
    return word;
}

static void add_span(struct sim_run *run, uint32_t vcpu, uint32_t pcpu, uint64_t from_ns, uint64_t to_ns)
{
    if (run->count == run->space) {
        run->space = run->space ? 2 * run->space : 64;
        run->spans = realloc(run->spans, run->space * sizeof *run->spans);
    }
    run->spans[run->count++] = (struct sim_span){from_ns, to_ns, vcpu, pcpu};
}

static void add_mark(struct sim_run *run, uint32_t event, uint64_t at_ns)
{
    if (run->mark_count == run->mark_space) {
        run->mark_space = run->mark_space ? 2 * run->mark_space : 64;
        run->marks = realloc(run->marks, run->mark_space * sizeof *run->marks);
    }
    run->marks[run->mark_count++] = (struct sim_mark){at_ns, event};
}

/* A runstate change is 0x00021001 | old << 8 | new << 4, with a tsc and one word: vcpu | domain << 16. */
static void read_record(struct sim_run *run, const unsigned char *record, uint32_t pcpu,
                        uint64_t since[PCPUS])
{
    uint32_t header = word_at(record), old = header >> 8 & 0xf, new = header >> 4 & 0xf;
    if (!(header >> 31))
        return;
    uint64_t ns = (word_at(record + 4) | (uint64_t)word_at(record + 8) << 32) - ((uint64_t)1 << 44);
    if ((header & 0x0ffff000) == 0x00022000)
        add_mark(run, header & 0x0fffffff, ns);
    if ((header & 0x0ffff00f) != 0x00021001)
        return;
    uint32_t vcpu = word_at(record + 12);
    if (new == 0)
        since[pcpu] = ns;
    else if (old == 0 && vcpu >> 16 != 32767)
        add_span(run, vcpu, pcpu, since[pcpu], ns);
}

static void read_trace(struct sim_run *run, const struct text *t)
{
    uint64_t since[PCPUS] = {0};
    uint32_t pcpu = 0;
    for (size_t at = 0; at < t->n;) {
        uint32_t header = word_at(t->bytes + at);
        if ((header & 0x0fffffff) == 0x0001f003)
            pcpu = word_at(t->bytes + at + 4);
        else
            read_record(run, t->bytes + at, pcpu, since);
        at += 4 + (header >> 31) * 8 + (header >> 28 & 7) * 4;
    }
}

/* ---- the simulation ---- */

struct scenario *sim_scenario(const char *duration, const char *host, const char *domains)
{
    char text[4096];
    struct error err = {0};
    snprintf(text, sizeof text,
             "{ 'duration_ms': %s, 'host': { 'cpu_hz': 1000000000, 'ipi_ns': 0, 'switch_cost_ns': 0 %s %s },"
             " 'trace': { 'buffer_pages': 64 }, 'domains': [ %s ] }",
             duration, strstr(host, "'record") ? "" : ", 'record_ns': 50", host, domains);
    for (char *c = text; *c; c++)
        *c = *c == '\'' ? '"' : *c;
    struct scenario *plan = scenario_read(text, strlen(text), "", 0, &err);
    if (!plan)
        printf("%s\n", err.message);
    CU_ASSERT_FATAL(plan != NULL);
    return plan;
}

struct sim_run sim_run(const char *duration, const char *host, const char *domains)
{
    struct sim_run run = {0};
    struct text t = {0};
    struct error err = {0};
    const struct simulation_sink sink = {.context = &t, .write = take};
    struct scenario *plan = sim_scenario(duration, host, domains);
    struct simulation *s = simulation_new(plan, &sink, &err);
    CU_ASSERT_FATAL(s != NULL);
    EQUAL(simulation_run(s, &err), 0);
    run.truth = simulation_truth(s);
    read_trace(&run, &t);
    simulation_free(s);
    scenario_free(plan);
    free(t.bytes);
    return run;
}

void sim_run_end(struct sim_run *run)
{
    free(run->spans);
    free(run->marks);
    json_decref(run->truth);
}

/* ---- checks ---- */

void check_ran(const struct sim_run *run, uint32_t domain, const uint64_t *us, size_t n, const char *file,
               unsigned line)
{
    enum { TOLERANCE_NS = 10000 };
    size_t found = 0;
    for (size_t i = 0; i < run->count && found < n; i++) {
        const struct sim_span *s = &run->spans[i];
        if (s->vcpu != domain << 16)
            continue;
        int64_t from = (int64_t)s->from_ns - (int64_t)us[2 * found] * 1000;
        int64_t to = (int64_t)s->to_ns - (int64_t)us[2 * found + 1] * 1000;
        if (llabs(from) > TOLERANCE_NS || llabs(to) > TOLERANCE_NS)
            printf("\n    span %zu of domain %u: %.3f .. %.3f us", found, domain, (double)s->from_ns / 1000,
                   (double)s->to_ns / 1000);
        check_true(llabs(from) <= TOLERANCE_NS && llabs(to) <= TOLERANCE_NS, "the domain ran then", file,
                   line);
        found++;
    }
    check_equal((int64_t)found, (int64_t)n, "spans", file, line);
}

void check_recorded(const struct sim_run *run, uint32_t event, const uint64_t *us, size_t n, const char *file,
                    unsigned line)
{
    enum { TOLERANCE_NS = 10000 };
    size_t found = 0;
    for (size_t i = 0; i < run->mark_count; i++) {
        const struct sim_mark *mark = &run->marks[i];
        if (mark->event != event)
            continue;
        int64_t off = found < n ? (int64_t)mark->at_ns - (int64_t)us[found] * 1000 : INT64_MAX;
        if (llabs(off) > TOLERANCE_NS)
            printf("\n    record %zu of 0x%08x: at %.3f us", found, event, (double)mark->at_ns / 1000);
        check_true(llabs(off) <= TOLERANCE_NS, "the record was written then", file, line);
        found++;
    }
    check_equal((int64_t)found, (int64_t)n, "records", file, line);
}

int64_t sim_truth(const struct sim_run *run, uint32_t domain, const char *state)
{
    const json_t *domains = json_object_get(run->truth, "domains");
    for (size_t i = 0; i < json_array_size(domains); i++) {
        const json_t *d = json_array_get(domains, i);
        if (json_integer_value(json_object_get(d, "domain")) == domain)
            return json_integer_value(json_object_get(json_array_get(json_object_get(d, "vcpus"), 0), state));
    }
    return -1;
}
