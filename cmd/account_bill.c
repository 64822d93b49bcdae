#include "account_bill.h"

#include <stdlib.h>
#include <string.h>

#include "metrics/array.h"

#define NAMES_SHOWN 5 /* of VMs that are not there */

void account_billing_free(struct account_billing *b)
{
    bill_free(&b->bill);
    money_free(&b->money);
    texts_free(&b->texts);
    free(b->lines);
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

/* VMs without the tag are one group, after the others, and driver domains without it another one. */
static int by_tag(const void *a, const void *b)
{
    const struct billed *x = a, *y = b;
    if (!is_vm(x) || !is_vm(y))
        return by_vm(a, b);
    if (!x->tag && !y->tag)
        return (x->row->kind > y->row->kind) - (x->row->kind < y->row->kind);
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
static struct billed *choose(struct account_billing *b, size_t *n)
{
    struct billed *chosen = calloc(b->bill.n + 1, sizeof *chosen);
    *n = 0;
    for (size_t i = 0; i < b->bill.n && chosen; i++) {
        struct billed row = {&b->bill.rows[i], money_tag(&b->money, &b->bill.rows[i])};
        if (!b->own->vms || (is_vm(&row) && account_vm_wanted(b->own, row.row->row.vm, &b->vms_found)))
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

static bool add_line(struct account_billing *b, const struct billed *rows, size_t n)
{
    struct bill_sum sum = {.usage.all_hosts = b->own->by == ACCOUNT_BY_VM};
    bool added = array_make_room(&b->lines, &b->lines_capacity, b->lines_n + 1, sizeof *b->lines);
    for (size_t i = 0; i < n && added; i++)
        added = bill_sum_add(&sum, rows[i].row, rows[i].tag);
    added = added &&
            bill_line_of(&b->lines[b->lines_n++], &sum, b->money.bill.rates, b->own->extrapolate, &b->texts);
    bill_sum_free(&sum);
    return added;
}

int account_billing_take(struct account_billing *b, const struct account_statement *s, struct error *err)
{
    compare_rows *compare = comparing(b->own->by);
    size_t n;
    if (account_billing_make(b, s, err) != 0)
        return -1;
    struct billed *rows = choose(b, &n);
    bool made = rows != NULL;
    b->lines_n = 0;
    for (size_t i = 0, end; i < n && made; i = end) {
        for (end = i + 1; end < n && compare(&rows[i], &rows[end]) == 0; end++)
            ;
        made = add_line(b, &rows[i], end - i);
    }
    free(rows);
    return made ? 0 : error_no_memory(err, "the rows of a bill");
}

/* ---- FOCUS ---- */

int account_billing_check_focus(const struct account_billing *b, struct error *err)
{
    const struct rates *r = b->money.bill.rates;
    if (!r)
        return error_set(err, ERROR_USAGE, "--format focus wants prices: --rates FILE");
    if (!r->provider || !r->billing_account)
        return error_set(err, ERROR_USAGE,
                         "--format focus wants \"provider\" and \"billing_account\" in the rates");
    return 0;
}

int account_billing_focus(struct account_billing *b, const struct account_statement *s, struct buffer *text,
                          size_t *n, struct error *err)
{
    const struct rates *r = b->money.bill.rates;
    const struct sharing *how = &b->money.bill.sharing;
    const struct focus f = {.provider = r->provider,
                            .billing_account = r->billing_account,
                            .currency = r->currency,
                            .digits = r->digits,
                            .basis = share_basis_names[how->basis],
                            .share_idle = share_by_names[how->idle],
                            .share_overhead = share_by_names[how->overhead],
                            .raw_names = b->own->common.raw_names};
    struct entries entries = {.n = 0};
    if (account_billing_make(b, s, err) != 0)
        return -1;
    struct billed *rows = choose(b, n);
    bool made = rows != NULL;
    for (size_t i = 0; i < *n && made; i++) {
        const struct entry *e = entries_add_row(&entries, rows[i].row, b->money.bill.tags);
        made = e != NULL;
        if (made)
            focus_put(text, &f, e);
        entries_free(&entries);
    }
    free(rows);
    return made && !text->failed ? 0 : error_no_memory(err, "the rows of a bill");
}

/* ---- who is not there ---- */

/* VMs of the tags that no archive has: a mapping may have those that are switched off, and those whose names are misspelt. */
static void say_unknown_tags(const struct account_billing *b)
{
    const struct tags *t = &b->money.tags;
    const char *file = b->own->money.tags;
    struct buffer names = {0};
    size_t missing = 0;
    for (size_t i = 0; i < t->n; i++)
        if (!b->bill.tagged_seen[i] && missing++ < NAMES_SHOWN)
            buffer_printf(&names, "%s'%.80s' (line %zu)", missing == 1 ? "" : ", ", t->at[i].vm,
                          t->at[i].line);
    if (missing > NAMES_SHOWN)
        buffer_printf(&names, " and %zu more", missing - NAMES_SHOWN);
    if (missing && !names.failed)
        complain("%.200s: %s not in these archives at this time: %.*s", file,
                 missing == 1 ? "a VM is" : "VMs are", (int)names.n, names.at);
    buffer_free(&names);
}

int account_billing_end(const struct account_billing *b, struct error *err)
{
    const struct rates *rates = b->money.bill.rates;
    int status = rates ? bill_check_names(&b->bill, rates, b->from_utc_ns, b->to_utc_ns, err) : 0;
    if (status == 0 && b->own->money.tags && b->bill.tagged_seen && !b->own->common.quiet)
        say_unknown_tags(b);
    return status;
}
