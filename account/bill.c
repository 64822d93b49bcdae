#include "bill.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "account/decimal.h"
#include "metrics/array.h"

const char *const bill_kind_names[] = {"vm", "driver-domain", "idle", "unknown", NULL};

static const struct account_vm idle_vm = {"idle", "", "(idle)"}, unknown_vm = {"unknown", "", "(unknown)"};
static const struct histogram no_waits;

void bill_free(struct bill *b)
{
    for (size_t i = 0; i < b->made; i++) {
        mpz_clear(b->rows[i].amount);
        for (enum price p = 0; p < PRICES; p++)
            mpz_clear(b->rows[i].items[p].amount);
    }
    free(b->rows);
    free(b->vm_seen);
    free(b->host_seen);
    free(b->tagged_seen);
    free(b->guests);
    *b = (struct bill){0};
}

/* ---- rows ---- */

/* A new row, without numbers. NULL: no memory. */
static struct bill_row *add_row(struct bill *b)
{
    if (!array_make_room(&b->rows, &b->capacity, b->n + 1, sizeof *b->rows))
        return NULL;
    struct bill_row *r = &b->rows[b->n++];
    for (; b->made < b->n; b->made++) {
        mpz_init(r->amount);
        for (enum price p = 0; p < PRICES; p++)
            mpz_init(r->items[p].amount);
    }
    return r;
}

static bool add_vm(struct bill *b, const struct bill_options *o, const struct account_row *row)
{
    struct bill_row *r = add_row(b);
    if (!r)
        return false;
    r->row = *row;
    r->kind = row->driver_domain ? BILL_DRIVER_DOMAIN : BILL_VM;
    r->base_ns = r->overhead_ns = r->idle_ns = r->capacity_ns = 0;
    r->tags = o->tags ? tags_of(o->tags, row->vm->uuid, row->vm->name) : NULL;
    if (o->tags)
        tags_note(o->tags, row->vm->uuid, row->vm->name, b->tagged_seen);
    return true;
}

/* Time that is nobody's, if there is any. */
static bool add_nobody(struct bill *b, const struct account_statement *s, const struct account_host *host,
                       enum bill_kind kind, uint64_t ns)
{
    struct bill_row *r = ns > 0 ? add_row(b) : NULL;
    if (!r)
        return ns == 0;
    r->row = (struct account_row){.period = s->period,
                                  .vm = kind == BILL_IDLE ? &idle_vm : &unknown_vm,
                                  .host = host,
                                  .domain = -1,
                                  .wait = &no_waits,
                                  .peak_1s_ns = NS_UNKNOWN,
                                  .peak_5min_ns = NS_UNKNOWN,
                                  .recorded_ns = host->recorded_ns,
                                  .not_recorded_ns = host->not_recorded_ns,
                                  .before = {NS_UNKNOWN, 0},
                                  .vm_before = {NS_UNKNOWN, 0},
                                  .verdict = host->verdict,
                                  .why = host->why};
    r->kind = kind;
    r->base_ns = r->capacity_ns = ns;
    r->overhead_ns = r->idle_ns = 0;
    r->tags = NULL;
    return true;
}

/* ---- capacity ---- */

/* Driver domains are no guests: they get no shares by what they reserved or how long they existed. */
static struct guest_share guest_of(const struct account_row *row)
{
    return (struct guest_share){.used_ns = row->used_ns,
                                .charged_ns = row->charged_ns,
                                .reserved_ns = row->driver_domain ? 0 : row->vcpu_ns,
                                .existed_ns = row->driver_domain ? 0 : row->existed_ns};
}

static int out_of_range(const struct account_host *host, struct error *err)
{
    return error_set(err, ERROR_FORMAT, "host '%.80s': its times do not add up to its capacity", host->name);
}

/* Divides the host among the rows, which its VMs have. */
static int share_rows(struct bill *b, const struct sharing *how, struct host_share *h, struct bill_row *rows,
                      size_t n, const struct account_host *host, struct error *err)
{
    uint64_t capacity_ns, reserved_ns = 0;
    if (!array_make_room(&b->guests, &b->guests_capacity, n, sizeof *b->guests))
        return error_no_memory(err, "the bill");
    for (size_t i = 0; i < n; i++) {
        b->guests[i] = guest_of(&rows[i].row);
        if (__builtin_add_overflow(reserved_ns, b->guests[i].reserved_ns, &reserved_ns) ||
            reserved_ns > INT64_MAX)
            return out_of_range(host, err);
    }
    if (!share_capacity(h, b->guests, n, &capacity_ns) || capacity_ns != host->capacity_ns)
        return out_of_range(host, err);
    if (share_host(how, h, b->guests, n) != 0)
        return error_no_memory(err, "the bill");
    for (size_t i = 0; i < n; i++) {
        struct bill_row *r = &rows[i];
        r->base_ns = b->guests[i].base_ns + (h->left_own_ns ? r->row.own_ns : 0) +
                     (h->left_unattributed_ns ? r->row.unattributed_ns : 0);
        r->overhead_ns = b->guests[i].overhead_ns;
        r->idle_ns = b->guests[i].idle_ns;
        r->capacity_ns = r->base_ns + r->overhead_ns + r->idle_ns;
    }
    return 0;
}

/* ---- prices ---- */

static void note_seen(struct bill *b, const struct rates *rates, const struct bill_row *r)
{
    for (size_t i = 0; i < rates->n; i++) {
        const struct rate *rate = &rates->at[i];
        b->vm_seen[i] = b->vm_seen[i] || (rate->vm && r->kind <= BILL_DRIVER_DOMAIN &&
                                          rate_names_vm(rate, r->row.vm->uuid, r->row.vm->name));
        b->host_seen[i] = b->host_seen[i] || (rate->host && fnmatch(rate->host, r->row.host->name, 0) == 0);
    }
}

static int find_rate(const struct bill_options *o, enum price p, struct bill_row *r, struct error *err)
{
    bool is_vm = r->kind <= BILL_DRIVER_DOMAIN;
    struct bill_item *item = &r->items[p];
    const struct rate_subject s = {.host = r->row.host->name,
                                   .vm_uuid = is_vm && p != PRICE_CAPACITY ? r->row.vm->uuid : NULL,
                                   .vm_name = r->row.vm->name,
                                   .tags = r->tags};
    struct error found = {0};
    item->rate = item->ns > 0 ? rates_find(o->rates, p, &s, r->row.period.begin_utc_ns, &found) : NULL;
    if (found.code) {
        *err = found;
        return -1;
    }
    if (item->rate || item->ns == 0 || !rates_have(o->rates, p))
        return 0;
    if (p == PRICE_CAPACITY)
        return error_set(err, ERROR_FORMAT,
                         "there is no %s for host '%.80s' at that time; \"0\" is a price, too",
                         price_names[p], r->row.host->name);
    const char *vm = *r->row.vm->name ? r->row.vm->name : r->row.vm->key;
    return error_set(err, ERROR_FORMAT,
                     "there is no %s for %s '%.80s' on host '%.80s' at that time; \"0\" is a price, too",
                     price_names[p], is_vm ? "VM" : "the row", vm, r->row.host->name);
}

/* What there is to be priced, and the exact amounts of it. */
static int price_row(const struct bill_options *o, struct bill_row *r, mpq_t *exact, mpq_t sum,
                     struct error *err)
{
    bool is_guest = r->kind == BILL_VM;
    const uint64_t ns[PRICES] = {[PRICE_RUN] = r->row.used_ns,
                                 [PRICE_CHARGED] = r->row.charged_ns,
                                 [PRICE_ALLOCATED] = is_guest ? r->row.vcpu_ns : 0,
                                 [PRICE_CAPACITY] = r->capacity_ns};
    mpq_set_ui(sum, 0, 1);
    for (enum price p = 0; p < PRICES; p++) {
        r->items[p].ns = ns[p];
        mpq_set_ui(exact[p], 0, 1);
        if (find_rate(o, p, r, err) != 0)
            return -1;
        if (!r->items[p].rate)
            continue;
        mpq_set_ui(exact[p], ns[p], price_unit_ns(p));
        mpq_canonicalize(exact[p]);
        mpq_mul(exact[p], exact[p], r->items[p].rate->prices[p]);
        mpq_add(sum, sum, exact[p]);
    }
    return 0;
}

/* Numbers of all rows of a host. */
struct amounts {
    mpq_t *exact;      /* PRICES of each row, */
    mpq_t *exact_sums; /* and their sum */
    mpz_t *units;      /* of these */
    size_t n;
};

static bool amounts_make(struct amounts *a, size_t n)
{
    *a = (struct amounts){.exact = calloc(n * PRICES + 1, sizeof(mpq_t)),
                          .exact_sums = calloc(n + 1, sizeof(mpq_t)),
                          .units = calloc(n + 1, sizeof(mpz_t))};
    if (!a->exact || !a->exact_sums || !a->units)
        return false;
    for (; a->n < n; a->n++) {
        mpq_init(a->exact_sums[a->n]);
        mpz_init(a->units[a->n]);
        for (enum price p = 0; p < PRICES; p++)
            mpq_init(a->exact[a->n * PRICES + p]);
    }
    return true;
}

static void amounts_free(struct amounts *a)
{
    for (size_t i = 0; i < a->n; i++) {
        mpq_clear(a->exact_sums[i]);
        mpz_clear(a->units[i]);
        for (enum price p = 0; p < PRICES; p++)
            mpq_clear(a->exact[i * PRICES + p]);
    }
    free(a->exact);
    free(a->exact_sums);
    free(a->units);
}

static bool round_rows(struct amounts *a, struct bill_row *rows, size_t n, unsigned digits)
{
    mpz_t items[PRICES];
    bool rounded = decimal_round_all(a->units, a->exact_sums, n, digits, NULL);
    for (enum price p = 0; p < PRICES; p++)
        mpz_init(items[p]);
    for (size_t i = 0; i < n && rounded; i++) {
        mpz_set(rows[i].amount, a->units[i]);
        rounded = decimal_round_all(items, &a->exact[i * PRICES], PRICES, digits, a->units[i]);
        for (enum price p = 0; p < PRICES; p++)
            mpz_set(rows[i].items[p].amount, items[p]);
    }
    for (enum price p = 0; p < PRICES; p++)
        mpz_clear(items[p]);
    return rounded;
}

static int price_rows(struct bill *b, const struct bill_options *o, struct bill_row *rows, size_t n,
                      struct error *err)
{
    struct amounts a;
    int status = 0;
    bool made = amounts_make(&a, n);
    for (size_t i = 0; i < n && made && status == 0; i++) {
        note_seen(b, o->rates, &rows[i]);
        status = price_row(o, &rows[i], &a.exact[i * PRICES], a.exact_sums[i], err);
    }
    if (status == 0 && (!made || !round_rows(&a, rows, n, o->rates->digits)))
        status = error_no_memory(err, "the bill");
    amounts_free(&a);
    return status;
}

static void leave_unpriced(struct bill_row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        mpz_set_ui(rows[i].amount, 0);
        for (enum price p = 0; p < PRICES; p++) {
            rows[i].items[p].ns = 0;
            rows[i].items[p].rate = NULL;
            mpz_set_ui(rows[i].items[p].amount, 0);
        }
    }
}

/* ---- hosts ---- */

/* The rows of a host from number `first` of the statement on, up to before `end`. */
static int bill_host(struct bill *b, const struct bill_options *o, const struct account_statement *s,
                     const struct account_host *host, size_t first, size_t end, struct error *err)
{
    size_t begin = b->n;
    struct host_share h = {host->own_ns, host->unattributed_ns, host->idle_ns, host->unknown_ns, 0, 0, 0};
    for (size_t i = first; i < end; i++)
        if (!add_vm(b, o, &s->rows[i]))
            return error_no_memory(err, "the bill");
    if (share_rows(b, &o->sharing, &h, b->rows + begin, b->n - begin, host, err) != 0)
        return -1;
    if (!add_nobody(b, s, host, BILL_IDLE, h.left_idle_ns) ||
        !add_nobody(b, s, host, BILL_UNKNOWN, h.unknown_ns))
        return error_no_memory(err, "the bill");
    if (o->rates)
        return price_rows(b, o, b->rows + begin, b->n - begin, err);
    leave_unpriced(b->rows + begin, b->n - begin);
    return 0;
}

/* n flags, made once. False: no memory. */
static bool make_flags(bool **flags, size_t n)
{
    if (!*flags)
        *flags = calloc(n + 1, sizeof **flags);
    return *flags != NULL;
}

static bool make_seen(struct bill *b, const struct bill_options *o)
{
    return (!o->rates || (make_flags(&b->vm_seen, o->rates->n) && make_flags(&b->host_seen, o->rates->n))) &&
           (!o->tags || make_flags(&b->tagged_seen, o->tags->n));
}

int bill_make(struct bill *b, const struct bill_options *o, const struct account_statement *s,
              struct error *err)
{
    size_t at = 0;
    b->n = 0;
    if (!make_seen(b, o))
        return error_no_memory(err, "the bill");
    for (size_t i = 0; i < s->hosts_n; i++) {
        size_t first = at;
        while (at < s->rows_n && s->rows[at].host == &s->hosts[i])
            at++;
        if (bill_host(b, o, s, &s->hosts[i], first, at, err) != 0)
            return -1;
    }
    return 0;
}

int bill_check_names(const struct bill *b, const struct rates *rates, int64_t from_ns, int64_t to_ns,
                     struct error *err)
{
    for (size_t i = 0; i < rates->n; i++) {
        const struct rate *rate = &rates->at[i];
        if (rate->from_ns >= to_ns || rate->to_ns <= from_ns)
            continue;
        if (rate->vm && !rates_is_pattern(rate->vm) && !(b->vm_seen && b->vm_seen[i]))
            return error_set(err, ERROR_FORMAT, "%s.vm: there is no VM '%.100s' in these archives",
                             rate->where, rate->vm);
        if (rate->host && !rates_is_pattern(rate->host) && !(b->host_seen && b->host_seen[i]))
            return error_set(err, ERROR_FORMAT, "%s.host: there is no host '%.100s' in these archives",
                             rate->where, rate->host);
    }
    return 0;
}
