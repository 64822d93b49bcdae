#include "formats/metric_book.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "formats/prometheus_text.h"
#include "metrics/array.h"
#include "metrics/relation/relation.h"

#define OTHERS INT32_MAX /* in place of ids, so that it comes last */

struct metric_book *metric_book_new(const struct metric_book_options *o)
{
    struct metric_book *book = calloc(1, sizeof *book);
    if (book)
        book->options = *o;
    return book;
}

static void free_sum(struct metric_sum *sum)
{
    measures_free(&sum->measures);
    free(sum->labels);
    free(sum);
}

void metric_book_free(struct metric_book *book)
{
    if (!book)
        return;
    for (size_t i = 0; i < book->n; i++)
        free_sum(book->sums[i]);
    free(book->sums);
    free(book);
}

/* ---- finding a sum ---- */

static int compare(const struct metric_sum *a, const struct metric_sum *b)
{
    if (a->kind != b->kind)
        return a->kind < b->kind ? -1 : 1;
    if (a->driver_domain != b->driver_domain)
        return a->driver_domain < b->driver_domain ? -1 : 1;
    int order = row_compare(&a->row, &b->row);
    return order ? order : strcmp(a->labels, b->labels);
}

static size_t place_of(const struct metric_book *book, const struct metric_sum *wanted, bool *found)
{
    size_t from = 0, to = book->n;
    *found = false;
    while (from < to && !*found) {
        size_t middle = from + (to - from) / 2;
        int order = compare(book->sums[middle], wanted);
        *found = order == 0;
        if (order == 0)
            from = middle;
        else if (order < 0)
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

static struct metric_sum *insert(struct metric_book *book, size_t place, const struct metric_sum *wanted)
{
    struct metric_sum *sum = malloc(sizeof *sum);
    if (!sum || !array_make_room(&book->sums, &book->capacity, book->n + 1, sizeof *book->sums)) {
        free(sum);
        return NULL;
    }
    *sum = *wanted;
    sum->labels = strdup(wanted->labels);
    if (!sum->labels) {
        free(sum);
        return NULL;
    }
    measures_init(&sum->measures);
    memmove(book->sums + place + 1, book->sums + place, (book->n - place) * sizeof *book->sums);
    book->sums[place] = sum;
    book->n++;
    book->of_kind[sum->kind]++;
    return sum;
}

static void put_number(struct buffer *b, const char *label, int32_t n)
{
    char text[16];
    if (n == OTHERS)
        prometheus_put_label(b, label, "other");
    else if (n >= 0) {
        snprintf(text, sizeof text, "%d", n);
        prometheus_put_label(b, label, text);
    }
}

static void put_domain(const struct metric_book *book, struct buffer *b, int32_t domain, uint32_t life)
{
    const struct metric_book_options *o = &book->options;
    put_number(b, "domain", domain);
    if (domain < 0 || domain == OTHERS)
        return;
    prometheus_put_label(b, "name", o->name_of ? o->name_of(o->names, domain, life) : NULL);
    prometheus_put_label(b, "uuid", o->uuid_of ? o->uuid_of(o->uuids, domain, life) : NULL);
}

static void put_labels(const struct metric_book *book, struct buffer *b, const struct metric_sum *sum,
                       const struct charge_idd *idd)
{
    const struct metric_book_options *o = &book->options;
    if (idd) {
        put_number(b, "driver_domain", idd->domain);
        prometheus_put_label(b, "driver_domain_name",
                             o->name_of ? o->name_of(o->names, idd->domain, idd->life) : NULL);
    }
    if (sum->kind == METRIC_DRIVER_DOMAIN)
        return;
    put_domain(book, b, sum->row.domain, sum->row.life);
    if (sum->kind == METRIC_VCPU)
        put_number(b, "vcpu", sum->row.vcpu);
    if (sum->kind == METRIC_PCPU)
        put_number(b, "pcpu", sum->row.pcpu);
}

/* The sum of that kind and these ids, or where there are too many, that of all others. NULL: no memory. */
static struct metric_sum *sum_of(struct metric_book *book, enum metric_kind kind, struct row row,
                                 const struct charge_idd *idd)
{
    bool found = false, others = false;
    struct buffer labels = {0};
    struct metric_sum *sum = NULL,
                      wanted = {.kind = kind, .driver_domain = idd ? idd->domain : -1, .row = row};
    wanted.row.measures = NULL;
    for (;;) {
        labels.n = 0;
        put_labels(book, &labels, &wanted, idd);
        buffer_add(&labels, "", 1);
        if (labels.failed)
            break;
        wanted.labels = labels.at;
        wanted.row.life = 0; /* what has the same labels is one */
        size_t place = place_of(book, &wanted, &found);
        if (found || others || kind == METRIC_DRIVER_DOMAIN || book->of_kind[kind] < book->options.most) {
            sum = found ? book->sums[place] : insert(book, place, &wanted);
            break;
        }
        others = true;
        wanted.row.domain = OTHERS;
        wanted.row.vcpu = kind == METRIC_VCPU ? OTHERS : wanted.row.vcpu;
        if (kind == METRIC_PCPU)
            wanted.row = (struct row){.domain = -1, .vcpu = -1, .pcpu = OTHERS};
    }
    if (sum) {
        sum->seen_ns = book->time_ns;
        sum->row.vcpus = row.vcpus;
        book->beyond += others;
    }
    buffer_free(&labels);
    return sum;
}

/* ---- adding ---- */

static bool is_wanted(const struct metric_book *book, int32_t domain)
{
    const uint8_t *wanted = book->options.domains;
    return !wanted || domain < 0 || (domain < 65536 && wanted[domain]);
}

static bool add_rows(struct metric_book *book, const struct rows *rows)
{
    bool first = (book->options.bys & ((1u << rows->by) - 1)) == 0;
    if (first)
        book->time_ns += rows->interval->end_ns - rows->interval->start_ns - rows->interval->gap_ns;
    for (size_t i = 0; i < rows->n; i++) {
        struct row row = *(const struct row *)row_at(rows, i);
        const struct measures *measures = row.measures;
        if (!is_wanted(book, row.domain))
            continue;
        struct metric_sum *sum = sum_of(book, (enum metric_kind)rows->by, row, NULL);
        if (!sum || !measures_merge(&sum->measures, measures))
            return false;
    }
    return true;
}

static bool add_charge(struct metric_book *book, const struct charge_row *c)
{
    static const enum metric_charge of[] = {[RECIPIENT_GUEST] = METRIC_CHARGED,
                                            [RECIPIENT_OWN] = METRIC_OWN,
                                            [RECIPIENT_UNATTRIBUTED] = METRIC_UNATTRIBUTED};
    struct row row = {.domain = c->guest ? c->guest->domain : -1,
                      .life = c->guest ? c->guest->life : 0,
                      .vcpu = -1,
                      .pcpu = -1};
    struct metric_sum *sum = sum_of(book, c->guest ? METRIC_CHARGE : METRIC_DRIVER_DOMAIN, row, c->idd);
    if (!sum)
        return false;
    sum->charge_ns[of[c->recipient]] += c->charged_ns;
    sum->charge_ns[METRIC_CHARGED_MEASURED] += c->guest ? c->guest->measured_ns : 0;
    if (c->recipient == RECIPIENT_OWN) /* each driver domain has one such row */
        sum->charge_ns[METRIC_RAN] += c->idd->running_ns;
    return true;
}

bool metric_book_add(struct metric_book *book, const struct rows *rows)
{
    if (rows->relation == &relation_rows)
        return add_rows(book, rows);
    for (size_t i = 0; i < rows->n; i++) {
        const struct charge_row *c = row_at(rows, i);
        if (c->guest && !is_wanted(book, c->guest->domain))
            continue;
        if (!add_charge(book, c))
            return false;
    }
    return true;
}

/* ---- the trace ---- */

void metric_book_note(struct metric_book *book, const struct report_summary *summary)
{
    book->noted = true;
    book->quality = *summary->quality;
    book->verdict = summary->judgement->verdict;
    book->charges_judged = summary->charges_judgement != NULL;
    if (book->charges_judged)
        book->charges_verdict = summary->charges_judgement->verdict;
    book->cpu_hz = summary->clock.cpu_hz;
    book->pcpus = summary->trace.pcpus;
}

void metric_book_trace_ended(struct metric_book *book)
{
    quality_merge(&book->ended, &book->quality, 0);
    book->quality = (struct quality){0};
}

void metric_book_forget(struct metric_book *book)
{
    size_t kept = 0;
    for (size_t i = 0; i < book->n; i++) {
        struct metric_sum *sum = book->sums[i];
        if (book->time_ns - sum->seen_ns <= METRIC_KEEP_NS) {
            book->sums[kept++] = sum;
            continue;
        }
        book->of_kind[sum->kind]--;
        free_sum(sum);
    }
    book->n = kept;
}
