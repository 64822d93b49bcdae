/*
 * Bills: hosts whose whole capacity is paid for, to the ns and to the last digit. Random hosts are others each time; what
 * they are judged by does not come from the code that makes bills.
 */
#include "account/bill.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "account/decimal.h"
#include "check.h"
#include "new_seed.h"
#include "random.h"
#include "suites.h"

#define HOSTS  4
#define VMS    8
#define SECOND UINT64_C(1000000000)
#define HOUR   (3600 * SECOND)

/* A statement in the making. */
struct made {
    struct account_statement s;
    struct account_host hosts[HOSTS];
    struct account_vm vms[HOSTS * VMS];
    struct account_row rows[HOSTS * VMS];
    char names[HOSTS * VMS][24];
};

static const struct histogram no_waits;

static void add_host(struct made *m, const char *name, uint64_t idle_ns, uint64_t unknown_ns)
{
    struct account_host *h = &m->hosts[m->s.hosts_n++];
    *h = (struct account_host){.name = name, .idle_ns = idle_ns, .unknown_ns = unknown_ns, .why = ""};
    h->capacity_ns = idle_ns + unknown_ns;
    m->s.hosts = m->hosts;
    m->s.rows = m->rows;
}

/* To the host added last. */
static struct account_row *add_vm(struct made *m, const char *name, uint64_t used_ns, uint64_t charged_ns)
{
    struct account_host *h = &m->hosts[m->s.hosts_n - 1];
    size_t i = m->s.rows_n++;
    snprintf(m->names[i], sizeof m->names[i], "%s", name);
    m->vms[i] = (struct account_vm){m->names[i], "", m->names[i]};
    m->rows[i] = (struct account_row){.vm = &m->vms[i], .host = h, .wait = &no_waits, .why = ""};
    m->rows[i].used_ns = used_ns;
    m->rows[i].charged_ns = charged_ns;
    h->guests_ns += used_ns;
    h->charged_ns += charged_ns;
    h->capacity_ns += used_ns + charged_ns;
    return &m->rows[i];
}

static void make_driver_domain(struct account_row *r, uint64_t own_ns, uint64_t unattributed_ns)
{
    struct account_host *h = (struct account_host *)(uintptr_t)r->host;
    r->driver_domain = true;
    r->own_ns = own_ns;
    r->unattributed_ns = unattributed_ns;
    h->own_ns += own_ns;
    h->unattributed_ns += unattributed_ns;
    h->capacity_ns += own_ns + unattributed_ns;
}

static void add_rate(struct rates *r, const char *vm, enum price p, const char *price)
{
    struct error err;
    struct rate rate = {.from_ns = INT64_MIN, .to_ns = INT64_MAX, .vm = vm ? strdup(vm) : NULL};
    snprintf(rate.where, sizeof rate.where, "rates[%zu]", r->n + 1);
    mpq_init(rate.prices[p]);
    CHECK(decimal_parse(rate.prices[p], price));
    rate.given[p] = true;
    CHECK(rates_add(r, &rate, &err) == 0);
}

static const struct bill_row *row_of(const struct bill *b, const char *name)
{
    static const struct bill_row none;
    for (size_t i = 0; i < b->n; i++)
        if (strcmp(b->rows[i].row.vm->name, name) == 0)
            return &b->rows[i];
    CHECK(false);
    return &none;
}

/* A host of 10 pCPU hours: web 2 + 1, db 3, dom0 1 own, idle 2, unknown 1. */
static void make_small(struct made *m)
{
    memset(m, 0, sizeof *m);
    add_host(m, "xen1", 2 * HOUR, HOUR);
    make_driver_domain(add_vm(m, "dom0", 0, 0), HOUR, 0);
    add_vm(m, "db", 3 * HOUR, 0)->vcpu_ns = 4 * HOUR;
    add_vm(m, "web", 2 * HOUR, HOUR)->vcpu_ns = 4 * HOUR;
}

static void a_price_of_the_host_is_paid_by_all_its_rows(void)
{
    struct made m;
    struct bill b = {0};
    struct rates rates = {.digits = 2};
    struct error err = {0};
    make_small(&m);
    add_rate(&rates, NULL, PRICE_CAPACITY, "0.10");
    struct bill_options o = {.rates = &rates};
    EQUAL(bill_make(&b, &o, &m.s, &err), 0);
    EQUAL(b.n, 5);
    EQUAL(mpz_get_si(row_of(&b, "web")->amount), 30);
    EQUAL(mpz_get_si(row_of(&b, "dom0")->amount), 10);
    EQUAL(mpz_get_si(row_of(&b, "(idle)")->amount), 20);
    EQUAL(mpz_get_si(row_of(&b, "(unknown)")->amount), 10);
    /* all idle and overhead shared by use, 3 : 3 */
    o.sharing = (struct sharing){SHARE_USED, SHARE_USED, BASIS_USED};
    EQUAL(bill_make(&b, &o, &m.s, &err), 0);
    EQUAL(b.n, 4);
    EQUAL(mpz_get_si(row_of(&b, "web")->amount), 45);
    EQUAL(row_of(&b, "web")->capacity_ns, 9 * HOUR / 2);
    EQUAL(mpz_get_si(row_of(&b, "dom0")->amount), 0);
    EQUAL(row_of(&b, "dom0")->capacity_ns, 0);
    EQUAL(mpz_get_si(row_of(&b, "(unknown)")->amount), 10);
    bill_free(&b);
    rates_free(&rates);
}

static void items_have_their_own_prices(void)
{
    struct made m;
    struct bill b = {0};
    struct rates rates = {.digits = 4};
    struct error err = {0};
    make_small(&m);
    add_rate(&rates, NULL, PRICE_RUN, "0.0001");
    add_rate(&rates, "web", PRICE_RUN, "0.0002");
    add_rate(&rates, NULL, PRICE_CHARGED, "0.00001");
    add_rate(&rates, NULL, PRICE_ALLOCATED, "0.5");
    const struct bill_options o = {.rates = &rates};
    EQUAL(bill_make(&b, &o, &m.s, &err), 0);
    const struct bill_row *web = row_of(&b, "web");
    EQUAL(mpz_get_si(web->items[PRICE_RUN].amount), 14400);       /* 7200 s x 0.0002 = 1.44 */
    EQUAL(mpz_get_si(web->items[PRICE_CHARGED].amount), 360);     /* 3600 s x 0.00001 = 0.036 */
    EQUAL(mpz_get_si(web->items[PRICE_ALLOCATED].amount), 20000); /* 4 h x 0.5 */
    EQUAL(mpz_get_si(web->amount), 34760);
    EQUAL(mpz_get_si(row_of(&b, "db")->amount), 30800); /* 10800 s x 0.0001 + 2 */
    CHECK(!web->items[PRICE_CAPACITY].rate);
    bill_free(&b);
    rates_free(&rates);
}

static void a_missing_price_is_an_error(void)
{
    struct made m;
    struct bill b = {0};
    struct rates rates = {.digits = 2};
    struct error err = {0};
    make_small(&m);
    add_rate(&rates, "web", PRICE_RUN, "1");
    const struct bill_options o = {.rates = &rates};
    EQUAL(bill_make(&b, &o, &m.s, &err), -1);
    SAME_TEXT(err.message,
              "there is no vcpu_second_run for VM 'db' on host 'xen1' at that time; \"0\" is a price, too");
    bill_free(&b);
    rates_free(&rates);
}

static void a_rate_for_a_vm_that_is_not_there_is_an_error(void)
{
    struct made m;
    struct bill b = {0};
    struct rates rates = {.digits = 2};
    struct error err = {0};
    make_small(&m);
    add_rate(&rates, NULL, PRICE_RUN, "1");
    add_rate(&rates, "web", PRICE_RUN, "1");
    add_rate(&rates, "nothing*", PRICE_RUN, "1");
    const struct bill_options o = {.rates = &rates};
    EQUAL(bill_make(&b, &o, &m.s, &err), 0);
    EQUAL(bill_check_names(&b, &rates, 0, 1, &err), 0);
    add_rate(&rates, "wbe", PRICE_RUN, "1");
    bill_free(&b);
    EQUAL(bill_make(&b, &o, &m.s, &err), 0);
    EQUAL(bill_check_names(&b, &rates, 0, 1, &err), -1);
    SAME_TEXT(err.message, "rates[4].vm: there is no VM 'wbe' in these archives");
    bill_free(&b);
    rates_free(&rates);
}

static void a_host_that_does_not_add_up_is_refused(void)
{
    struct made m;
    struct bill b = {0};
    struct error err = {0};
    make_small(&m);
    m.hosts[0].capacity_ns++;
    EQUAL(bill_make(&b, &(struct bill_options){.rates = NULL}, &m.s, &err), -1);
    SAME_TEXT(err.message, "host 'xen1': its times do not add up to its capacity");
    bill_free(&b);
}

/* ---- random fleets ---- */

static uint64_t some_ns(uint64_t *state)
{
    return random_below(state, 4) ? random64(state) >> (12 + random_below(state, 50)) : 0;
}

static void make_fleet(uint64_t *state, struct made *m)
{
    static const char *const names[HOSTS] = {"xen1", "xen2", "xen3", "xen4"};
    memset(m, 0, sizeof *m);
    for (size_t h = 0, n = 1 + random_below(state, HOSTS); h < n; h++) {
        add_host(m, names[h], some_ns(state), some_ns(state));
        for (size_t v = 0, k = random_below(state, VMS + 1); v < k; v++) {
            char name[24];
            snprintf(name, sizeof name, "vm%zu", v);
            struct account_row *r = add_vm(m, name, some_ns(state), some_ns(state));
            r->vcpu_ns = some_ns(state);
            r->existed_ns = some_ns(state);
            if (random_below(state, 4) == 0)
                make_driver_domain(r, some_ns(state), some_ns(state));
        }
    }
}

/* Capacities and amounts of each host's rows: the first to the ns, the second the rounded exact price. */
static bool adds_up(const struct made *m, const struct bill *b, const mpq_t price, unsigned digits)
{
    bool good = true;
    mpz_t sum, expected;
    mpq_t exact;
    mpz_inits(sum, expected, NULL);
    mpq_init(exact);
    for (size_t h = 0; h < m->s.hosts_n; h++) {
        uint64_t capacity = 0;
        mpz_set_ui(sum, 0);
        for (size_t i = 0; i < b->n; i++) {
            if (b->rows[i].row.host != &m->hosts[h])
                continue;
            capacity += b->rows[i].capacity_ns;
            mpz_add(sum, sum, b->rows[i].amount);
            good = good && mpz_sgn(b->rows[i].amount) >= 0 &&
                   mpz_cmp(b->rows[i].amount, b->rows[i].items[PRICE_CAPACITY].amount) == 0;
            if (b->rows[i].kind == BILL_UNKNOWN)
                good = good && b->rows[i].capacity_ns == m->hosts[h].unknown_ns;
        }
        mpq_set_ui(exact, m->hosts[h].capacity_ns, HOUR);
        mpq_canonicalize(exact);
        mpq_mul(exact, exact, price);
        decimal_round(expected, exact, digits);
        good = good && capacity == m->hosts[h].capacity_ns && mpz_cmp(sum, expected) == 0;
    }
    mpz_clears(sum, expected, NULL);
    mpq_clear(exact);
    return good;
}

static void whatever_the_fleet_it_is_paid_for_to_the_last_digit(void)
{
    uint64_t seed = new_seed(), state = seed;
    bool good = true;
    static struct made m;
    for (unsigned run = 0; run < 2000 && good; run++) {
        struct bill b = {0};
        struct error err = {0};
        char price[40];
        struct rates rates = {.digits = (unsigned)random_below(&state, 10)};
        snprintf(price, sizeof price, "%u.%012llu", (unsigned)random_below(&state, 3),
                 (unsigned long long)random_below(&state, 1000000000000));
        add_rate(&rates, NULL, PRICE_CAPACITY, price);
        const struct bill_options o = {.sharing = {(enum share_by)random_below(&state, 4),
                                                   (enum share_by)random_below(&state, 4),
                                                   (enum share_basis)random_below(&state, 3)},
                                       .rates = &rates};
        make_fleet(&state, &m);
        good = bill_make(&b, &o, &m.s, &err) == 0 &&
               adds_up(&m, &b, rates.at[0].prices[PRICE_CAPACITY], rates.digits);
        bill_free(&b);
        rates_free(&rates);
    }
    CHECK(good);
    if (!good)
        printf("SEED=%llu\n", (unsigned long long)seed);
}

CU_TestInfo bill_tests[] = {
    TEST(a_price_of_the_host_is_paid_by_all_its_rows),
    TEST(items_have_their_own_prices),
    TEST(a_missing_price_is_an_error),
    TEST(a_rate_for_a_vm_that_is_not_there_is_an_error),
    TEST(a_host_that_does_not_add_up_is_refused),
    TEST(whatever_the_fleet_it_is_paid_for_to_the_last_digit),
    CU_TEST_INFO_NULL,
};
