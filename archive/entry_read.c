/* Reads the lines of an entry into events; accepts only the one form that the writer uses. */
#include <stdlib.h>
#include <string.h>

#include "archive/entry.h"
#include "archive/entry_lines.h"
#include "archive/line.h"
#include "metrics/array.h"
#include "metrics/model/instant.h"

struct entry_reading {
    struct entry *entry;
    size_t events_capacity, pcpus_capacity;
    uint64_t tsc; /* of the previous line */
    struct line line;
    bool no_memory;
};

void entry_free(struct entry *entry)
{
    free(entry->events);
    free(entry->pcpus);
    *entry = (struct entry){0};
}

static uint64_t number(struct line *l, uint64_t most)
{
    uint64_t n = line_u64(l);
    if (n > most)
        line_wrong(l, "a number out of range");
    return n;
}

static void read_pcpus(struct entry_reading *r)
{
    struct entry *e = r->entry;
    struct line *l = &r->line;
    if (!LINE_HAS(l, "{\"pcpus\":["))
        line_wrong(l, "it does not begin with the pCPUs");
    while (!l->wrong && !LINE_HAS(l, "]")) {
        if (e->pcpus_n > 0 && !LINE_HAS(l, ","))
            line_wrong(l, "a list that does not go on");
        uint64_t pcpu = number(l, PCPUS_MAX - 1);
        if (e->pcpus_n > 0 && pcpu <= e->pcpus[e->pcpus_n - 1])
            line_wrong(l, "pCPUs out of order");
        uint16_t *pcpus = array_reserve(e->pcpus, &r->pcpus_capacity, e->pcpus_n + 1, sizeof *pcpus);
        if (!pcpus) {
            r->no_memory = true;
            return;
        }
        e->pcpus = pcpus;
        pcpus[e->pcpus_n++] = (uint16_t)pcpu;
    }
}

/* "0x" and eight digits. */
static uint32_t read_event_number(struct line *l)
{
    uint32_t n = 0;
    bool fine = l->end - l->at >= 8;
    for (int i = 0; fine && i < 8; i++) {
        char c = l->at[i];
        fine = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
        n = n << 4 | (uint32_t)(c <= '9' ? c - '0' : c - 'a' + 10);
    }
    l->at += fine ? 8 : 0;
    if (!fine)
        line_wrong(l, "an event number that is none");
    return n;
}

/* Reads the words of an event: at most `most`. Returns how many. */
static unsigned read_words(struct line *l, uint32_t *words, unsigned most)
{
    unsigned n = 0;
    for (; !l->wrong && n < most && !LINE_HAS(l, "]"); n++) {
        if (n > 0 && !LINE_HAS(l, ","))
            line_wrong(l, "words that do not go on");
        words[n] = (uint32_t)number(l, UINT32_MAX);
    }
    if (n == most && !LINE_HAS(l, "]"))
        line_wrong(l, "too many words");
    return n;
}

/* Of a runstate change the slice and the distance to its instant are not words of its own. */
static void set_instant(struct line *l, struct event *e, uint32_t before_ns)
{
    e->flags |= EVENT_INSTANT | (e->w[1] != UINT32_MAX ? EVENT_SLICED : 0);
    e->w[3] = before_ns;
    if (before_ns > INSTANT_REACH_NS)
        line_wrong(l, "an instant long before its record");
}

static void read_event_words(struct line *l, struct event *e)
{
    uint32_t words[3] = {0, UINT32_MAX, 0};
    const struct entry_line *kind = entry_line_of(e->slot);
    unsigned n = read_words(l, words, 3);
    if (!kind || n < kind->words_least || n > kind->words_most) {
        line_wrong(l, "an event that tells nothing of a trace's past");
        return;
    }
    memcpy(e->w, words, 2 * sizeof *words);
    bool change = e->slot == EVENT_RUNSTATE_CHANGE;
    if (e->slot == EVENT_LOST_RECORDS)
        e->slot = EVENT_BLIND_END;
    if (change)
        set_instant(l, e, words[2]);
    e->header |= 1u << 31 | (change ? 1 : n) << 28;
}

static void read_chain(struct line *l, struct event *e)
{
    e->slot = EVENT_CHAIN;
    e->pcpu = (uint16_t)number(l, PCPUS_MAX - 1);
    if (!LINE_HAS(l, ",\"words\":[") || read_words(l, e->w, 4) != 4)
        line_wrong(l, "a chain without four words");
}

static void read_event(struct entry_reading *r)
{
    struct line *l = &r->line;
    struct event e = {.flags = EVENT_MODEL, .w = {0, UINT32_MAX}};
    if (!LINE_HAS(l, "{\"tsc\":"))
        line_wrong(l, "an event without a time");
    e.tsc = line_u64(l);
    if (e.tsc < r->tsc)
        line_wrong(l, "time goes back");
    r->tsc = e.tsc;
    if (LINE_HAS(l, ",\"blind\":")) {
        e.slot = EVENT_BLIND_BEGIN;
        e.pcpu = (uint16_t)number(l, PCPUS_MAX - 1);
        memcpy(&e.w[2], &e.tsc, 8);
    } else if (LINE_HAS(l, ",\"longest_wait_ns\":")) {
        uint64_t ns = line_u64(l);
        e.slot = EVENT_LONGEST_WAIT;
        memcpy(e.w, &ns, sizeof ns);
    } else if (LINE_HAS(l, ",\"event\":\"0x")) {
        e.header = read_event_number(l);
        e.slot = (uint8_t)event_slot(e.header & 0x0fffffff);
        if (e.header >> 28 || (e.slot == EVENT_RUNSTATE_CHANGE && e.header & 0xcc0))
            line_wrong(l, "an event number that is none");
        if (!LINE_HAS(l, "\",\"pcpu\":"))
            line_wrong(l, "an event without a pCPU");
        e.pcpu = (uint16_t)number(l, PCPUS_MAX - 1);
        if (!LINE_HAS(l, ",\"words\":["))
            line_wrong(l, "an event without words");
        read_event_words(l, &e);
    } else if (LINE_HAS(l, ",\"chain\":")) {
        read_chain(l, &e);
    } else {
        line_wrong(l, "a line that is no event");
    }
    struct entry *entry = r->entry;
    struct event *events = array_reserve(entry->events, &r->events_capacity, entry->n + 1, sizeof *events);
    if (!events) {
        r->no_memory = true;
        return;
    }
    entry->events = events;
    events[entry->n++] = e;
}

int entry_read(struct entry *entry, const char *text, size_t n, uint64_t tsc, struct error *err)
{
    *entry = (struct entry){0};
    struct entry_reading r = {.entry = entry};
    event_index_init();
    if (n == 0)
        return error_set_at(err, ERROR_FORMAT, 0, "damaged entry: it is empty");
    for (size_t at = 0; at < n;) {
        const char *end = memchr(text + at, '\n', n - at);
        r.line = (struct line){.at = text + at, .end = end ? end : text + n};
        if (!end)
            line_wrong(&r.line, "its last line is cut off");
        if (at == 0)
            read_pcpus(&r);
        else
            read_event(&r);
        if (!LINE_HAS(&r.line, "}") || r.line.at != r.line.end)
            line_wrong(&r.line, "a line that does not end");
        if (r.tsc > tsc)
            line_wrong(&r.line, "a time after the entry's own");
        if (r.no_memory)
            return error_no_memory(err, "an entry");
        if (r.line.wrong)
            return error_set_at(err, ERROR_FORMAT, at, "damaged entry: %s", r.line.wrong);
        at = (size_t)(end - text) + 1;
    }
    return 0;
}

struct event_batch entry_batch(const struct entry *entry, uint64_t tsc)
{
    return (struct event_batch){
        .events = entry->events,
        .n = entry->n,
        .pcpus = entry->pcpus,
        .pcpus_n = entry->pcpus_n,
        .has_runstates = true,
        .watermark = tsc,
    };
}
