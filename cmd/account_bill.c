#include "account_bill.h"

#include <stdlib.h>
#include <string.h>

void account_billing_free(struct account_billing *b)
{
    bill_free(&b->bill);
    money_free(&b->money);
    texts_free(&b->texts);
}

/* ---- which rows go together ---- */

struct billed {
    const struct bill_row *row;
    const char *tag; /* NULL: none */
};

static bool is_vm(const struct billed *b)
{
    return b->row->kind <= BILL_DRIVER_DOMAIN;
}

/* What is nobody's comes last, each kind by itself. */
static int by_vm(const void *a, const void *b)
{
    const struct billed *x = a, *y = b;
    int order = is_vm(y) - is_vm(x);
    return order ? order : strcmp(x->row->row.vm->key, y->row->row.vm->key);
}

static int by_host(const void *a, const void *b)
{
    const struct billed *x = a, *y = b;
    return strcmp(x->row->row.host->name, y->row->row.host->name);
}

static int by_vm_host(const void *a, const void *b)
{
    int order = by_host(a, b);
    return order ? order : by_vm(a, b);
}

/* VMs without the tag are one group, after the others. */
static int by_tag(const void *a, const void *b)
{
    const struct billed *x = a, *y = b;
    if (!is_vm(x) || !is_vm(y))
        return by_vm(a, b);
    if (!x->tag || !y->tag)
        return (x->tag == NULL) - (y->tag == NULL);
    return strcmp(x->tag, y->tag);
}

typedef int compare_rows(const void *a, const void *b);

static compare_rows *comparing(enum account_by by)
{
    switch (by) {
    case ACCOUNT_BY_HOST:
        return by_host;
    case ACCOUNT_BY_TAG:
        return by_tag;
    case ACCOUNT_BY_VM_HOST:
        return by_vm_host;
    case ACCOUNT_BY_VM:
    case ACCOUNT_BY_DRIVER_DOMAIN:
        break;
    }
    return by_vm;
}

/* ---- rows ---- */

/* The rows that are wanted, in the order in which they are added up. NULL: no memory. */
static struct billed *choose(const struct account_billing *b, size_t *n)
{
    struct billed *chosen = calloc(b->bill.n + 1, sizeof *chosen);
    *n = 0;
    for (size_t i = 0; i < b->bill.n && chosen; i++) {
        struct billed row = {&b->bill.rows[i], money_tag(&b->money, &b->bill.rows[i])};
        if (!b->own->vms || (is_vm(&row) && account_vm_wanted(b->own, row.row->row.vm)))
            chosen[(*n)++] = row;
    }
    if (*n > 1)
        qsort(chosen, *n, sizeof *chosen, comparing(b->own->by));
    return chosen;
}

int account_billing_make(struct account_billing *b, const struct account_statement *s, struct error *err)
{
    if (b->from_utc_ns == 0 && b->to_utc_ns == 0)
        b->from_utc_ns = s->period.begin_utc_ns;
    b->to_utc_ns = s->period.end_utc_ns;
    return bill_make(&b->bill, &b->money.bill, s, err);
}

static int put_sum(struct account_billing *b, const struct billed *rows, size_t n,
                   int (*put)(void *context, const struct bill_line *line), void *context, struct error *err)
{
    struct bill_sum sum = {.any = false};
    struct bill_line line;
    bool added = true;
    for (size_t i = 0; i < n && added; i++)
        added = bill_sum_add(&sum, rows[i].row, rows[i].tag);
    added = added && bill_line_of(&line, &sum, b->money.bill.rates, b->own->extrapolate, &b->texts);
    int status = added ? put(context, &line) : error_no_memory(err, "the sums of a bill");
    bill_sum_free(&sum);
    return status;
}

int account_billing_take(struct account_billing *b, const struct account_statement *s,
                         int (*put)(void *context, const struct bill_line *line), void *context,
                         struct error *err)
{
    compare_rows *compare = comparing(b->own->by);
    size_t n;
    if (account_billing_make(b, s, err) != 0)
        return -1;
    struct billed *rows = choose(b, &n);
    int status = rows ? 0 : error_no_memory(err, "the rows of a bill");
    for (size_t i = 0, end; i < n && status == 0; i = end) {
        for (end = i + 1; end < n && compare(&rows[i], &rows[end]) == 0; end++)
            ;
        status = put_sum(b, &rows[i], end - i, put, context, err);
    }
    free(rows);
    return status;
}

int account_billing_end(const struct account_billing *b, struct error *err)
{
    const struct rates *rates = b->money.bill.rates;
    return rates ? bill_check_names(&b->bill, rates, b->from_utc_ns, b->to_utc_ns, err) : 0;
}
