#include "bill_line.h"

#include <string.h>

#include "account/columns.h"
#include "account/decimal.h"

/* ---- sums ---- */

static bool same_text(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

bool bill_sum_add(struct bill_sum *into, const struct bill_row *from, const char *tag)
{
    if (!into->any) {
        mpz_init(into->amount);
        into->kind = (int)from->kind;
        into->tag = tag;
    }
    into->any = true;
    into->kind = into->kind == (int)from->kind ? into->kind : -1;
    into->tag = same_text(into->tag, tag) ? tag : NULL;
    into->base_ns += from->base_ns;
    into->overhead_ns += from->overhead_ns;
    into->idle_ns += from->idle_ns;
    into->capacity_ns += from->capacity_ns;
    mpz_add(into->amount, into->amount, from->amount);
    return account_sum_add(&into->usage, &from->row);
}

void bill_sum_free(struct bill_sum *s)
{
    if (s->any)
        mpz_clear(s->amount);
    account_sum_free(&s->usage);
    s->any = false;
}

bool bill_line_of(struct bill_line *line, const struct bill_sum *sum, const struct rates *rates,
                  bool extrapolated, struct texts *texts)
{
    struct buffer b = {0};
    memset(line, 0, sizeof *line);
    account_line_of(&line->usage, &sum->usage.row, extrapolated);
    line->kind = sum->kind < 0 ? NULL : bill_kind_names[sum->kind];
    line->base_ns = sum->base_ns;
    line->overhead_ns = sum->overhead_ns;
    line->idle_ns = sum->idle_ns;
    line->capacity_ns = sum->capacity_ns;
    line->tag = sum->tag ? texts_keep(texts, sum->tag) : NULL;
    bool kept = !sum->tag || line->tag;
    if (rates) {
        decimal_put(&b, sum->amount, rates->digits);
        buffer_add(&b, "", 1);
        line->amount = b.failed ? NULL : texts_keep(texts, b.at);
        line->currency = texts_keep(texts, rates->currency);
        kept = kept && line->amount && line->currency;
    }
    buffer_free(&b);
    return kept;
}

/* ---- columns ---- */

static struct value some_text(const char *s)
{
    return s ? text(s) : none();
}

static const struct bill_line *line_of(const struct row_view *v)
{
    return v->row;
}

static struct value kind(const struct row_view *v)
{
    return some_text(line_of(v)->kind);
}

static struct value tag(const struct row_view *v)
{
    return some_text(line_of(v)->tag);
}

static struct value amount(const struct row_view *v)
{
    return exact_number(line_of(v)->amount);
}

static struct value currency(const struct row_view *v)
{
    return some_text(line_of(v)->currency);
}

#define BILL_NS(MEMBER) COLUMN_MEMBER(struct bill_line, MEMBER, U64, SUM)

/* clang-format off */
static const struct column columns[] = {
    ACCOUNT_COLUMNS,
    {COLUMN_HEAD(kind, "kind", NONE, 0, KEY | LEFT | TEXT, 0, "vm, driver-domain, or time that is nobody's: idle, unknown; none: several"), .get = kind},
    {COLUMN_HEAD(tag, "tag", NONE, 0, KEY | LEFT | TEXT | OPTIONAL, L, "the VM's tag: that of --by tag, else the first of the mapping"), .get = tag},
    {COLUMN_HEAD(base_ns, "basis", NS, 0, 0, 0, "what it takes of the host's capacity by --basis; of a driver domain: its own and unattributed time, unless that is shared out"), BILL_NS(base_ns)},
    {COLUMN_HEAD(overhead_share_ns, "overhead", NS, 0, OPTIONAL, L, "its share of driver domains' own and unattributed time (--share-overhead)"), BILL_NS(overhead_ns)},
    {COLUMN_HEAD(idle_share_ns, "idle", NS, 0, OPTIONAL, L, "its share of the host's idle time (--share-idle)"), BILL_NS(idle_ns)},
    {COLUMN_HEAD(capacity_ns, "capacity", NS, 0, KEEP, L, "basis + overhead + idle: its part of the host's capacity; all rows of a host add up to that"), BILL_NS(capacity_ns)},
    {COLUMN_HEAD(amount, "amount", NONE, 0, KEEP | TEXT, L, "what it costs (--rates), with all digits of the currency"), .get = amount},
    {COLUMN_HEAD(currency, "currency", NONE, 0, KEEP | LEFT | TEXT, L, "of the amount"), .get = currency},
};
/* clang-format on */

const struct relation relation_bill = {
    .name = "bill",
    .title = "the same with --rates, --tags, --share-idle, --share-overhead or --basis",
    .table = "bill",
    .row_size = sizeof(struct bill_line),
    .columns = columns,
    .columns_n = sizeof columns / sizeof *columns,
    .plain = true, /* its texts outlive all rows */
    .own_times = true,
    .own_periods = true,
};
