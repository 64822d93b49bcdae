#include "archive/entry_text.h"

#include <stdlib.h>
#include <string.h>

#include "archive/entry.h"
#include "archive/line.h"
#include "archive/results.h"
#include "metrics/array.h"
#include "metrics/model/instant.h"

/* The kinds of lines, and how many of w[] each may have. */
#define KINDS(KIND)                                                                                          \
    KIND("pcpu", KIND_PCPU, 0)                                                                               \
    KIND("runstate", EVENT_RUNSTATE_CHANGE, 4)                                                               \
    KIND("continue", EVENT_CONTINUE_RUNNING, 1)                                                              \
    KIND("yield", EVENT_YIELD, 2)                                                                            \
    KIND("sleep", EVENT_SLEEP, 2)                                                                            \
    KIND("dom_add", EVENT_DOM_ADD, 1)                                                                        \
    KIND("dom_rem", EVENT_DOM_REM, 1)                                                                        \
    KIND("dom0_dom_add", EVENT_DOM0_DOM_ADD, 1)                                                              \
    KIND("dom0_dom_rem", EVENT_DOM0_DOM_REM, 1)                                                              \
    KIND("blind", EVENT_BLIND_BEGIN, 0)                                                                      \
    KIND("seeing", EVENT_BLIND_END, 2)                                                                       \
    KIND("chain", EVENT_CHAIN, 4)                                                                            \
    KIND("longest_wait", EVENT_LONGEST_WAIT, 2)

#define KIND_PCPU EVENT_MORE /* no event of an entry */

#define KIND_NAME(NAME, SLOT, WORDS) NAME,
static const char *const kind_names[] = {KINDS(KIND_NAME)};

#define KIND_ROW(NAME, SLOT, WORDS) {SLOT, WORDS},
static const struct {
    unsigned slot, words;
} kinds[] = {KINDS(KIND_ROW)};
#define KINDS_N (sizeof kinds / sizeof kinds[0])

struct event_line {
    uint64_t tsc;
    uint32_t kind; /* its index */
    uint32_t pcpu;
    uint32_t w[4]; /* as in the event; of a runstate change w[2] = old * 16 + new state */
};

#define WORD(KEY, I, ABSENT) FIELD(struct event_line, KEY, w[I], U32, false, ABSENT, UINT32_MAX, NULL)

static const struct stored_field line_members[] = {
    FIELD(struct event_line, "tsc", tsc, U64, true, 0, UINT64_MAX, NULL),
    FIELD(struct event_line, "kind", kind, NAME, true, 0, KINDS_N - 1, kind_names),
    FIELD(struct event_line, "pcpu", pcpu, U32, true, 0, PCPUS_MAX - 1, NULL),
    WORD("w0", 0, 0),
    WORD("w1", 1, UINT32_MAX),
    WORD("w2", 2, 0),
    WORD("w3", 3, 0),
    FIELDS_END,
};

static const struct event_line empty_line = {.w = {0, UINT32_MAX, 0, 0}};

/* ---- writing ---- */

static uint32_t kind_of(unsigned slot)
{
    uint32_t kind = 0;
    while (kinds[kind].slot != slot)
        kind++;
    return kind;
}

static void put_line(struct buffer *b, const struct event_line *line)
{
    results_put_line(b, "event", line_members, line);
}

void entry_put_event(struct buffer *b, const struct event *e)
{
    struct event_line line = empty_line;
    line.tsc = e->tsc;
    line.pcpu = e->pcpu;
    line.kind = kind_of(e->slot);
    memcpy(line.w, e->w, kinds[line.kind].words * sizeof *e->w);
    if (e->slot == EVENT_RUNSTATE_CHANGE)
        line.w[2] = e->header >> 4 & 0x33;
    put_line(b, &line);
}

void entry_put_pcpu(struct buffer *b, uint16_t pcpu)
{
    struct event_line line = empty_line;
    line.pcpu = pcpu;
    put_line(b, &line);
}

/* ---- reading ---- */

void entry_free(struct entry *entry)
{
    free(entry->events);
    free(entry->pcpus);
    *entry = (struct entry){0};
}

/* What is wrong with a line that comes after one of time `tsc`, in an entry of time `most`; NULL: nothing. */
static const char *line_wrong_how(const struct event_line *line, uint64_t tsc, uint64_t most)
{
    bool change = kinds[line->kind].slot == EVENT_RUNSTATE_CHANGE;
    for (unsigned i = kinds[line->kind].words; i < 4; i++)
        if (line->w[i] != empty_line.w[i])
            return "an event with too many words";
    if (line->tsc < tsc || line->tsc > most)
        return "time goes back, or beyond the entry's own";
    if (change && line->w[2] & ~0x33u)
        return "a state that there is not";
    if (change && line->w[3] > INSTANT_REACH_NS)
        return "an instant long before its record";
    return NULL;
}

static struct event event_of(const struct event_line *line)
{
    unsigned slot = kinds[line->kind].slot;
    struct event e = {
        .tsc = line->tsc, .pcpu = (uint16_t)line->pcpu, .slot = (uint8_t)slot, .flags = EVENT_MODEL};
    memcpy(e.w, line->w, sizeof e.w);
    if (slot == EVENT_BLIND_BEGIN)
        memcpy(&e.w[2], &e.tsc, sizeof e.tsc);
    if (slot >= EVENT_SLOTS)
        return e;
    e.header = event_info(slot)->id | 1u << 31 | kinds[line->kind].words << 28;
    if (slot == EVENT_RUNSTATE_CHANGE) {
        e.header = event_info(slot)->id | line->w[2] << 4 | 1u << 31 | 1u << 28;
        e.flags |= EVENT_INSTANT | (line->w[1] != UINT32_MAX ? EVENT_SLICED : 0);
    }
    return e;
}

struct entry_reading {
    struct entry *entry;
    size_t events_capacity, pcpus_capacity;
    uint64_t tsc, most; /* of the previous line; of the entry */
};

/* False: no memory. */
static bool add_event(struct entry_reading *r, const struct event *e)
{
    struct entry *entry = r->entry;
    struct event *events = array_reserve(entry->events, &r->events_capacity, entry->n + 1, sizeof *events);
    if (!events)
        return false;
    entry->events = events;
    events[entry->n++] = *e;
    return true;
}

static bool add_pcpu(struct entry_reading *r, struct line *l, uint16_t pcpu)
{
    struct entry *entry = r->entry;
    uint16_t *pcpus = array_reserve(entry->pcpus, &r->pcpus_capacity, entry->pcpus_n + 1, sizeof *pcpus);
    if (!pcpus)
        return false;
    entry->pcpus = pcpus;
    if (entry->n > 0 || (entry->pcpus_n > 0 && pcpu <= pcpus[entry->pcpus_n - 1]))
        line_wrong(l, "pCPUs out of order");
    pcpus[entry->pcpus_n++] = pcpu;
    return true;
}

/* Reads a line. False: no memory. */
static bool read_line(struct entry_reading *r, struct line *l)
{
    struct event_line line = {0};
    if (!LINE_HAS(l, "{\"event\":"))
        line_wrong(l, "a line that is no event");
    line_open(l);
    line_fields(l, line_members, &line);
    line_finish(l);
    const char *wrong = l->wrong ? NULL : line_wrong_how(&line, r->tsc, r->most);
    if (wrong)
        line_wrong(l, wrong);
    r->tsc = line.tsc;
    if (l->wrong)
        return true;
    struct event e = event_of(&line);
    return e.slot == KIND_PCPU ? add_pcpu(r, l, e.pcpu) : add_event(r, &e);
}

int entry_read(struct entry *entry, const char *text, size_t n, uint64_t tsc, struct error *err)
{
    *entry = (struct entry){0};
    struct entry_reading r = {.entry = entry, .most = tsc};
    for (size_t at = 0; at < n;) {
        const char *end = memchr(text + at, '\n', n - at);
        struct line l = {.at = text + at, .end = end ? end : text + n};
        if (!end)
            line_wrong(&l, "its last line is cut off");
        if (!read_line(&r, &l))
            return error_no_memory(err, "an entry");
        if (l.wrong)
            return error_set_at(err, ERROR_FORMAT, at, "damaged entry: %s", l.wrong);
        at = (size_t)(l.end - text) + 1;
    }
    if (entry->pcpus_n == 0)
        return error_set_at(err, ERROR_FORMAT, 0, "damaged entry: it has no pCPUs");
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
