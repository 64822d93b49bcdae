/*
 * Fuzz target: from the bytes of a capture to the lines of a dump.
 *
 * The first byte of an input says how it is read and which records are asked for (see struct choice); the
 * rest is the capture, so `tail -c +2 INPUT` is a file for xenmeter. One reader reads all records, another one
 * only those asked for; what must hold whatever the bytes are is checked at every event, record and line, and a
 * violation aborts. Lines and counts are made of a part of the inputs (ways.h): they take longer than the rest.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "formats/dump_counts.h"
#include "metrics/measure/dump.h"
#include "metrics/measure/event_counts.h"
#include "parser/decode/old_numbers.h"
#include "parser/trace.h"
#include "tests/fuzz/must.h"
#include "tests/fuzz/mutate.h"
#include "tests/fuzz/sheet_file.h"
#include "tests/fuzz/fuzz_store.h"
#include "tests/fuzz/chosen.h"

#define MEMORY_LIMIT (64u << 20)
#define PIECES_MOST  512   /* bytes: a capture that comes in pieces */
#define RECORDS_MOST 20000 /* a few compressed bytes can be many records: enough is seen by then */
#define FROM_NS      3333333
#define TO_NS        1500000000
#define WAITING_MOST 256  /* records whose lines are looked at together */
#define ROWS_MOST    4000 /* of counts, whose lines are looked at */

/* What the first byte of an input decides. */
struct choice {
    enum format format; /* bits 0-1, of which 3 is 0 again */
    enum by by;         /* bits 0-1, too: how counts are grouped */
    bool pieces;        /* bit 2: the bytes come in pieces, as through a pipe */
    bool cpu_hz_given;  /* bit 3; else times are in cycles */
    bool part;          /* bit 4: only a part of the time */
    bool who;           /* bit 5: only some domains (not CSV), only some vCPUs (not text) */
    bool numbers;       /* bit 6: only the events in even slots, and some numbers */
    bool some_pcpus;    /* bit 7: only the even pCPUs */
};

static struct choice choose(uint8_t byte)
{
    return (struct choice){.format = (byte & 3) % 3,
                           .by = byte & 3,
                           .pieces = byte >> 2 & 1,
                           .cpu_hz_given = byte >> 3 & 1,
                           .part = byte >> 4 & 1,
                           .who = byte >> 5 & 1,
                           .numbers = byte >> 6 & 1,
                           .some_pcpus = byte >> 7 & 1};
}

/* What its hash decides. */
struct ways {
    bool lines;  /* one of 8: the records' lines, */
    bool counts; /* one of 4: and their counts are made */
};

struct dump {
    struct choice choice;
    struct ways ways;
    struct trace_options options;
    struct event_interest widened; /* by events that once had other numbers */
    struct dump_filter filter;
    struct trace *trace;
    struct dump_reader all, some;
    struct event_counts *counts, *grouped; /* of what `some` tells */
    /* what the events said */
    uint64_t tsc, time_ns, watermark;
    const struct event *more_due; /* the record before has more than four words */
    uint32_t current[PCPUS_MAX];
    struct event_count seen[EVENT_SLOTS];
    /* what was told of them */
    struct event_count told[EVENT_SLOTS];
    uint64_t told_n;
    bool over;                                /* the reader said that there is nothing more */
    struct dump_record waiting[WAITING_MOST]; /* told, but their lines were not looked at yet */
    size_t waiting_n;
    struct sheet sheets[2];
};

/* ---- what is asked for ---- */

static uint8_t some_domains[65536];
static const struct vcpu_range some_vcpus[] = {{-1, 0, 1}, {0, 3, 3}, {1, 2, 65535}};
static uint8_t by_number[EVENT_SLOTS];
static const uint32_t some_numbers[] = {0x00021021, 0x00021101, 0x00021201, 0x0002f0ff, 0x0082f000};

#define SOME_VCPUS   (sizeof some_vcpus / sizeof some_vcpus[0])
#define SOME_NUMBERS (sizeof some_numbers / sizeof some_numbers[0])

static void ask(struct dump *d)
{
    const struct choice *c = &d->choice;
    static bool listed;
    for (size_t i = 0; i < sizeof some_domains && !listed; i++)
        some_domains[i] = i % 2 == 0 || i == 1;
    listed = true;
    by_number[EVENT_RUNSTATE_CHANGE] = DUMP_ONLY;
    by_number[EVENT_UNRECOGNISED] = DUMP_EXCEPT;
    d->filter = (struct dump_filter){.from_ns = c->part ? FROM_NS : 0,
                                     .to_ns = c->part ? TO_NS : 0,
                                     .domains = c->who && c->format != CSV ? some_domains : NULL,
                                     .vcpus = some_vcpus,
                                     .vcpus_n = c->who && c->format != TEXT ? SOME_VCPUS : 0,
                                     .numbers = some_numbers,
                                     .numbers_n = c->numbers ? SOME_NUMBERS : 0,
                                     .by_number = c->numbers ? by_number : NULL};
    d->options = (struct trace_options){.cpu_hz = c->cpu_hz_given ? 2.4e9 : 0,
                                        .memory_limit = MEMORY_LIMIT,
                                        .interest = {.raw_some_pcpus = c->some_pcpus},
                                        .cycles = !c->cpu_hz_given && !c->part};
    for (size_t i = 0; i < PCPUS_MAX; i += 2)
        d->options.interest.raw_pcpus[i] = true;
    for (unsigned slot = 0; slot < EVENT_SLOTS; slot++)
        d->options.interest.raw[slot] = !c->numbers || slot % 2 == 0 || by_number[slot];
}

static bool domain_asked_for(const struct dump_filter *f, uint64_t domain)
{
    return !f->domains || (domain < sizeof some_domains && some_domains[domain]);
}

/* A vCPU, or with vcpu -1 a domain that is named alone. */
static bool vcpu_asked_for(const struct dump_filter *f, uint64_t domain, int64_t vcpu)
{
    bool in_range = f->vcpus_n == 0;
    for (size_t i = 0; i < f->vcpus_n; i++)
        in_range = in_range || ((f->vcpus[i].domain < 0 || domain == (uint64_t)f->vcpus[i].domain) &&
                                vcpu >= (int64_t)f->vcpus[i].from && vcpu <= (int64_t)f->vcpus[i].to);
    return in_range && domain_asked_for(f, domain);
}

/* Whether the filter is to let a record pass. */
static bool asked_for(const struct dump *d, const struct dump_record *r)
{
    const struct dump_filter *f = &d->filter;
    bool listed = false;
    for (size_t i = 0; i < f->numbers_n; i++)
        listed = listed || f->numbers[i] == (r->header & 0x0fffffff);
    if (f->by_number && by_number[r->slot] == (listed ? DUMP_EXCEPT : DUMP_ONLY))
        return false;
    if (r->time_ns < f->from_ns || (f->to_ns && r->time_ns >= f->to_ns))
        return false;
    if (!d->choice.who)
        return true;
    if (r->current != CURRENT_UNKNOWN && vcpu_asked_for(f, r->current >> 16, r->current & 0xffff))
        return true;
    for (unsigned i = 0; i < FIELD_VCPUS_MAX && r->fields->vcpus[i].domain != FIELD_NONE; i++) {
        const struct field *domain = &r->fields->fields[r->fields->vcpus[i].domain];
        unsigned vcpu = r->fields->vcpus[i].vcpu;
        if (vcpu_asked_for(f, field_value(domain, r->w),
                           vcpu == FIELD_NONE ? -1 : (int64_t)field_value(&r->fields->fields[vcpu], r->w)))
            return true;
    }
    return false;
}

/* ---- lines ---- */

/* Looks at the lines of the records that wait. */
static void check_lines(struct dump *d)
{
    struct sheet *s = &d->sheets[0], *other = &d->sheets[1];
    for (int i = 0; i < 2; i++) {
        MUST(dump_writer_flush(d->sheets[i].writer) == 0, "the output failed");
        sheet_read(&d->sheets[i]);
        if (d->told_n == d->waiting_n)
            sheet_check_header(&d->sheets[i]);
    }
    const char *line = s->lines;
    for (size_t i = 0; i < d->waiting_n; i++) {
        const char *begin = line;
        size_t n = sheet_next_line(s, &line), at = (size_t)(begin - s->lines);
        sheet_check_record(s, begin, n, &d->waiting[i]);
        MUST(at + n < other->n && memcmp(begin, other->lines + at, n + 1) == 0,
             "\"%.*s\" depends on what is behind the record's words", (int)n, begin);
    }
    MUST(line == s->lines + s->n && s->n == other->n, "more lines than records");
    d->waiting_n = 0;
}

/* ---- events and records ---- */

/* It says who is current on a sibling, and nobody asked for it. */
static bool only_says_who(const struct event *e)
{
    return e->flags & EVENT_WHO && !(e->flags & (EVENT_RAW | EVENT_MODEL));
}

/* What holds of every event by itself, and beside the one before it. */
static void check_event(struct dump *d, const struct event *e, unsigned traits)
{
    unsigned words = event_words(e), slot = event_slot(event_number(e));
    MUST(e->pcpu < PCPUS_MAX, "pcpu %d", e->pcpu);
    MUST(!d->choice.some_pcpus || e->pcpu % 2 == 0 || only_says_who(e), "pcpu %d", e->pcpu);
    MUST(e->tsc >= d->tsc, "event at %" PRIu64 " after %" PRIu64, e->tsc, d->tsc);
    MUST(e->tsc >= d->watermark, "event at %" PRIu64 " behind the watermark %" PRIu64, e->tsc, d->watermark);
    d->tsc = e->tsc;
    MUST((e->slot == EVENT_MORE) == (d->more_due != NULL), "slot %d behind a record of %u words", e->slot,
         d->more_due ? event_words(d->more_due) : 0);
    if (e->slot == EVENT_MORE)
        MUST(e->pcpu == d->more_due->pcpu && e->tsc == d->more_due->tsc, "words of another record");
    d->more_due = NULL;
    if (e->slot == EVENT_CURRENT)
        d->current[e->pcpu] = e->w[0];
    if (e->slot >= EVENT_SLOTS) {
        MUST(e->slot == EVENT_CURRENT || e->slot == EVENT_MORE, "slot %d", e->slot);
        return;
    }
    if (only_says_who(e)) {
        bool other_pcpu = d->choice.some_pcpus && e->pcpu % 2 != 0;
        MUST(!d->options.interest.raw[slot] || other_pcpu, "slot %u is not marked as wanted", slot);
        return;
    }
    MUST(slot == e->slot || traits & TRAIT_OLD_NUMBERS, "event 0x%08" PRIx32 " in slot %d", event_number(e),
         e->slot);
    MUST(d->widened.raw[slot], "slot %u is not wanted", slot);
    MUST(d->options.interest.raw[e->slot] == ((e->flags & EVENT_RAW) != 0), "slot %d, flags 0x%x", e->slot,
         e->flags);
    d->more_due = words > 4 ? e : NULL;
    d->seen[slot].forms[e->header >> 28]++;
}

/* A record is its event, and its fields lie within its words. */
static void check_record(struct dump *d, const struct dump_record *r, const struct event *e)
{
    unsigned words = event_words(e);
    MUST(r->tsc == e->tsc && r->header == e->header && r->pcpu == e->pcpu && r->slot == e->slot,
         "the record at %" PRIu64 " is another one than at %" PRIu64, r->tsc, e->tsc);
    MUST(r->current == d->current[e->pcpu], "vcpu 0x%08" PRIx32 " instead of 0x%08" PRIx32, r->current,
         d->current[e->pcpu]);
    MUST(r->time_ns >= d->time_ns, "%" PRIu64 " ns after %" PRIu64, r->time_ns, d->time_ns);
    d->time_ns = r->time_ns;
    MUST(memcmp(r->w, e->w, sizeof(uint32_t) * (words < 4 ? words : 4)) == 0, "other words");
    if (words > 4)
        MUST(memcmp(r->w + 4, e[1].w, sizeof(uint32_t) * (words - 4)) == 0, "other words");
    for (unsigned i = 0; i < r->fields->n; i++) {
        const struct field *f = &r->fields->fields[i];
        bool listed = f->kind == FIELD_WORDS || f->kind == FIELD_ARGUMENTS || f->word == NUMBER_WORD;
        MUST(listed || f->word * 32u + f->shift + f->bits <= words * 32, "%s of %s lies behind its %u words",
             f->name, event_info(r->slot)->name, words);
    }
}

static void tell(struct dump *d, const struct dump_record *r)
{
    struct error err = {0};
    struct dump_record other = *r;
    MUST(!d->over, "a record at %" PRIu64 " ns after the last one", r->time_ns);
    for (unsigned i = r->header >> 28 & 7; i < RECORD_WORDS_MAX; i++)
        other.w[i] = 0xa5a5a5a5; /* what lies there is not defined */
    d->told[r->slot].forms[r->header >> 28]++;
    d->told_n++;
    if (d->ways.counts)
        MUST(event_counts_add(d->counts, r, &err) == 0 && event_counts_add(d->grouped, r, &err) == 0, "%s",
             err.message);
    if (!d->ways.lines)
        return;
    MUST(dump_writer_record(d->sheets[0].writer, r) == 0 &&
             dump_writer_record(d->sheets[1].writer, &other) == 0,
         "the output failed");
    d->waiting[d->waiting_n++] = *r;
    if (d->waiting_n == WAITING_MOST)
        check_lines(d);
}

static void take_batch(struct dump *d, const struct event_batch *batch)
{
    const struct clock *clock = trace_clock(d->trace);
    struct dump_record record, chosen;
    size_t at_all = 0, at_some = 0;
    for (size_t i = 0; i < batch->n; i++) {
        const struct event *e = &batch->events[i];
        check_event(d, e, batch->traits);
        MUST(e->tsc <= batch->watermark, "event at %" PRIu64 " beyond the watermark %" PRIu64, e->tsc,
             batch->watermark);
        MUST(!d->more_due || i + 1 < batch->n, "a record is torn apart");
        if (e->slot >= EVENT_SLOTS || !(e->flags & EVENT_RAW))
            continue;
        MUST(dump_next(&d->all, batch, &at_all, clock, &record), "a record at %" PRIu64 " is missing",
             e->tsc);
        check_record(d, &record, e);
        if (!asked_for(d, &record))
            continue;
        MUST(dump_next(&d->some, batch, &at_some, clock, &chosen) && at_some == at_all,
             "%s at %" PRIu64 " was asked for", event_info(e->slot)->name, e->tsc);
        check_record(d, &chosen, e);
        tell(d, &chosen);
    }
    MUST(!dump_next(&d->all, batch, &at_all, clock, &record) && at_all == batch->n, "a record too many");
    MUST(!dump_next(&d->some, batch, &at_some, clock, &chosen) && at_some == batch->n,
         "%s at %" PRIu64 " was not asked for", event_info(chosen.slot)->name, chosen.tsc);
    MUST(batch->watermark >= d->watermark, "the watermark goes back");
    d->watermark = batch->watermark;
    d->over = d->over || dump_is_over(&d->some, batch, clock);
}

/* ---- the end ---- */

/* What was delivered is what was counted. */
static void check_quality(const struct dump *d)
{
    const struct quality *q = trace_quality(d->trace);
    uint64_t records = 0, unrecognised = q->unrecognised_other, counted = 0;
    bool renames = old_numbers_traits(q) & TRAIT_OLD_NUMBERS;
    for (unsigned slot = 0; slot < EVENT_SLOTS && !d->choice.some_pcpus; slot++)
        for (unsigned form = 0; form < 16; form++) {
            uint64_t expected = d->widened.raw[slot] ? q->events[slot].forms[form] : 0;
            /* Those that turn out to be events that nobody asked for need not be delivered. */
            bool all = d->options.interest.raw[slot] && !renames;
            MUST(all ? d->seen[slot].forms[form] == expected : d->seen[slot].forms[form] <= expected,
                 "%s, form %u: %" PRIu64 " records of %" PRIu64, event_info(slot)->name, form,
                 d->seen[slot].forms[form], expected);
            records += d->seen[slot].forms[form];
        }
    MUST(d->choice.some_pcpus || d->choice.numbers || records == q->records,
         "%" PRIu64 " records of %" PRIu64, records, q->records);
    for (unsigned i = 0; i < q->unrecognised_kinds; i++)
        unrecognised += q->unrecognised[i].records;
    for (unsigned form = 0; form < 16; form++)
        counted += q->events[EVENT_UNRECOGNISED].forms[form];
    MUST(unrecognised == counted, "%" PRIu64 " unrecognised records by number, %" PRIu64 " in all",
         unrecognised, counted);
}

static bool in_order(const struct counted *a, const struct counted *b)
{
    if (a->domain != b->domain)
        return a->domain < b->domain;
    if (a->vcpu != b->vcpu)
        return a->vcpu < b->vcpu;
    if (a->pcpu != b->pcpu)
        return a->pcpu < b->pcpu;
    return a->records >= b->records;
}

/* Counts add up to what was told. */
static void check_counts(const struct dump *d, struct event_counts *counts, bool grouped)
{
    size_t n;
    struct counted *list = event_counts_list(counts, &n);
    uint64_t records[EVENT_SLOTS] = {0}, bytes[EVENT_SLOTS] = {0};
    MUST(list, "no memory");
    for (size_t i = 0; i < n; i++) {
        const struct counted *c = &list[i];
        MUST(c->slot < EVENT_SLOTS && c->records > 0, "slot %d: %" PRIu64, c->slot, c->records);
        MUST(i == 0 || in_order(&list[i - 1], c), "counts %zu and %zu are out of order", i - 1, i);
        MUST(grouped || (c->domain < 0 && c->vcpu < 0 && c->pcpu < 0), "counts that are grouped");
        MUST(c->domain < 65536 && c->vcpu < 65536 && c->pcpu < PCPUS_MAX, "d%dv%d p%d", c->domain, c->vcpu,
             c->pcpu);
        records[c->slot] += c->records;
        bytes[c->slot] += c->bytes;
    }
    for (unsigned slot = 0; slot < EVENT_SLOTS; slot++) {
        uint64_t told = 0, told_bytes = 0;
        for (unsigned form = 0; form < 16; form++) {
            told += d->told[slot].forms[form];
            told_bytes += event_form_bytes(form, d->told[slot].forms[form]);
        }
        MUST(records[slot] == told && bytes[slot] == told_bytes,
             "%s: %" PRIu64 " records, %" PRIu64 " bytes counted of %" PRIu64 ", %" PRIu64,
             event_info(slot)->name, records[slot], bytes[slot], told, told_bytes);
    }
    free(list);
}

/* Counts as they are written. */
static void check_count_lines(struct dump *d)
{
    struct sheet *s = &d->sheets[0];
    struct dump_counts counts = {
        .counts = d->grouped, .grouped = true, .by = d->choice.by, .limit = 3, .span_ns = d->time_ns};
    MUST(dump_counts_write(s->output, sheet_format_name(s), &counts) == 0, "the output failed");
    sheet_check_counts(s);
}

static void finish(struct dump *d, bool whole)
{
    size_t rows;
    if (whole)
        check_quality(d);
    if (d->ways.lines)
        check_lines(d);
    if (!d->ways.counts)
        return;
    check_counts(d, d->counts, false);
    check_counts(d, d->grouped, true);
    struct counted *list = event_counts_list(d->grouped, &rows);
    free(list);
    if (d->ways.lines && rows < ROWS_MOST)
        check_count_lines(d);
}

/* ---- the road ---- */

/* True when the end was reached without an error. */
static bool read_trace(struct dump *d)
{
    struct error err = {0};
    struct event_batch batch;
    int status;
    while ((status = trace_next(d->trace, &batch, &err)) > 0) {
        if (!d->options.cycles && trace_clock(d->trace)->cpu_hz <= 0)
            return false; /* the command says so and ends */
        take_batch(d, &batch);
        if (d->told_n > RECORDS_MOST)
            return false;
    }
    MUST(status == 0 || err.code != ERROR_NONE, "failed without a reason");
    return status == 0;
}

static void run(struct dump *d)
{
    struct error err = {0};
    event_fields_init();
    dump_reader_init(&d->all, &(struct dump_filter){0});
    dump_reader_init(&d->some, &d->filter);
    memset(d->current, 0xff, sizeof d->current);
    if (d->ways.counts) {
        d->counts = event_counts_new(false, BY_DOMAIN, MEMORY_LIMIT, NULL, &err);
        d->grouped = event_counts_new(true, d->choice.by, 0, NULL, &err);
        MUST(d->counts && d->grouped, "%s", err.message);
    }
    for (int i = 0; i < 2 && d->ways.lines; i++)
        sheet_begin(&d->sheets[i], d->choice.format, !d->choice.cpu_hz_given);
    finish(d, read_trace(d));
    for (int i = 0; i < 2 && d->ways.lines; i++)
        dump_writer_free(d->sheets[i].writer);
    event_counts_free(d->counts);
    event_counts_free(d->grouped);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t n, size_t room, unsigned seed);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static struct dump d;
    struct error err = {0};
    struct store bytes;
    if (n < 1)
        return 0;
    uint64_t hash = XXH3_64bits(data, n);
    memset(&d, 0, offsetof(struct dump, sheets));
    d.choice = choose(data[0]);
    store_begin(&bytes, data + 1, n - 1, d.choice.pieces ? 1 + hash % PIECES_MOST : 0, one_of(&hash, 32));
    d.ways = (struct ways){.lines = one_of(&hash, 8), .counts = one_of(&hash, 4)};
    ask(&d);
    d.widened = d.options.interest;
    old_numbers_widen(&d.widened);
    d.trace = store_read(&bytes, &d.options, &err);
    MUST(d.trace || err.code != ERROR_NONE, "no trace and no reason");
    if (d.trace)
        run(&d);
    trace_close(d.trace);
    store_end(&bytes);
    return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t n, size_t room, unsigned seed)
{
    return mutate(data, n, room, seed);
}
