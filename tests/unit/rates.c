/* Rates: which price counts for whom and when, and what contradicts itself. */
#include "account/rates.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "suites.h"

struct given {
    const char *vm, *host, *customer; /* patterns, or NULL */
    int64_t from, to;
    enum price price;
    unsigned long amount;
};

static char *copy(const char *s)
{
    return s ? strdup(s) : NULL;
}

static int add(struct rates *r, struct given g, struct error *err)
{
    struct rate rate = {.from_ns = g.from, .to_ns = g.to, .vm = copy(g.vm), .host = copy(g.host)};
    snprintf(rate.where, sizeof rate.where, "rates[%zu]", r->n + 1);
    if (g.customer) {
        rate.tags = calloc(1, sizeof *rate.tags);
        rate.tags_n = 1;
        rate.tags[0] = copy(g.customer);
    }
    mpq_init(rate.prices[g.price]);
    mpq_set_ui(rate.prices[g.price], g.amount, 1);
    rate.given[g.price] = true;
    return rates_add(r, &rate, err);
}

#define EVER INT64_MIN, INT64_MAX

static const char *const acme[] = {"ACME"};
static const struct rate_subject web1 = {"host1", "", "web1", acme};
static const struct rate_subject nobody = {"host1", NULL, NULL, NULL};

/* The price of a run second of the subject at that moment; -1: none, -2: two. */
static long run_price(const struct rates *r, const struct rate_subject *s, int64_t at)
{
    struct error err = {0};
    const struct rate *rate = rates_find(r, PRICE_RUN, s, at, &err);
    return rate ? (long)mpz_get_si(mpq_numref(rate->prices[PRICE_RUN])) : err.code ? -2 : -1;
}

static void the_most_specific_rate_counts(void)
{
    struct rates r = {0};
    struct error err;
    CHECK(add(&r, (struct given){NULL, NULL, NULL, EVER, PRICE_RUN, 1}, &err) == 0);
    EQUAL(run_price(&r, &web1, 0), 1);
    CHECK(add(&r, (struct given){NULL, "host*", NULL, EVER, PRICE_RUN, 2}, &err) == 0);
    EQUAL(run_price(&r, &web1, 0), 2);
    CHECK(add(&r, (struct given){NULL, NULL, "ACME", EVER, PRICE_RUN, 3}, &err) == 0);
    EQUAL(run_price(&r, &web1, 0), 3);
    CHECK(add(&r, (struct given){"web?", NULL, NULL, EVER, PRICE_RUN, 4}, &err) == 0);
    EQUAL(run_price(&r, &web1, 0), 4);
    CHECK(add(&r, (struct given){"web?", "host1", NULL, EVER, PRICE_RUN, 5}, &err) == 0);
    EQUAL(run_price(&r, &web1, 0), 5);
    EQUAL(run_price(&r, &nobody, 0), 2); /* no VM: neither what names VMs nor what names tags */
    rates_free(&r);
}

static void two_of_one_rank_contradict_each_other(void)
{
    struct rates r = {0};
    struct error err;
    CHECK(add(&r, (struct given){"web*", NULL, NULL, EVER, PRICE_RUN, 1}, &err) == 0);
    CHECK(add(&r, (struct given){"*1", NULL, NULL, EVER, PRICE_RUN, 2}, &err) == 0);
    EQUAL(run_price(&r, &web1, 0), -2);
    CHECK(add(&r, (struct given){"web1", "host1", NULL, EVER, PRICE_RUN, 3}, &err) == 0);
    EQUAL(run_price(&r, &web1, 0), 3); /* a more specific one settles it */
    rates_free(&r);
}

static void the_same_twice_at_one_time_is_refused(void)
{
    struct rates r = {0};
    struct error err;
    CHECK(add(&r, (struct given){"web1", NULL, NULL, 0, 100, PRICE_RUN, 1}, &err) == 0);
    CHECK(add(&r, (struct given){"web1", NULL, NULL, 100, 200, PRICE_RUN, 2}, &err) == 0);
    CHECK(add(&r, (struct given){"web1", NULL, NULL, 0, 100, PRICE_CHARGED, 3}, &err) == 0);
    CHECK(add(&r, (struct given){"web2", NULL, NULL, 0, 100, PRICE_RUN, 4}, &err) == 0);
    CHECK(add(&r, (struct given){"web1", NULL, NULL, 199, 300, PRICE_RUN, 5}, &err) != 0);
    SAME_TEXT(err.message,
              "rates[5]: overlaps rates[2]: both have a vcpu_second_run for the same at one time");
    EQUAL(r.n, 4);
    rates_free(&r);
}

static void a_rate_holds_from_its_beginning_to_before_its_end(void)
{
    struct rates r = {0};
    struct error err;
    int64_t moments[8];
    CHECK(add(&r, (struct given){NULL, NULL, NULL, 10, 20, PRICE_RUN, 1}, &err) == 0);
    CHECK(add(&r, (struct given){NULL, NULL, NULL, 20, INT64_MAX, PRICE_RUN, 2}, &err) == 0);
    CHECK(add(&r, (struct given){"web1", NULL, NULL, INT64_MIN, 10, PRICE_CHARGED, 2}, &err) == 0);
    EQUAL(run_price(&r, &web1, 9), -1);
    EQUAL(run_price(&r, &web1, 10), 1);
    EQUAL(run_price(&r, &web1, 19), 1);
    EQUAL(run_price(&r, &web1, 20), 2);
    EQUAL(rates_changes(&r, 0, 100, moments), 2);
    EQUAL(moments[0], 10);
    EQUAL(moments[1], 20);
    EQUAL(rates_changes(&r, 10, 20, moments), 0);
    CHECK(rates_have(&r, PRICE_CHARGED) && !rates_have(&r, PRICE_CAPACITY));
    rates_free(&r);
}

static void a_vm_is_named_by_uuid_or_name(void)
{
    struct rates r = {0};
    struct error err;
    const struct rate_subject s = {"h", "6f1c9e0a-5b1d-4c3e-9d55-0b7a2f6f8a11", "", NULL};
    CHECK(add(&r, (struct given){"6f1c*", NULL, NULL, EVER, PRICE_RUN, 7}, &err) == 0);
    CHECK(add(&r, (struct given){NULL, NULL, "*", EVER, PRICE_RUN, 8}, &err) == 0);
    EQUAL(run_price(&r, &s, 0), 7);
    EQUAL(run_price(&r, &web1, 0), 8);
    const struct rate_subject untagged = {"h", "", "x", NULL};
    EQUAL(run_price(&r, &untagged, 0), -1);
    rates_free(&r);
}

/* ---- tags ---- */

static const char *const mapping = "# who pays\r\n"
                                   "vm,customer,project\r\n"
                                   "web1,ACME,shop\n"
                                   "\n"
                                   "6f1c,\"Smith, \"\"Sons\"\" & Co\",\n"
                                   "db,,mail";

static void tags_are_those_of_the_uuid_or_else_the_name(void)
{
    struct tags t;
    struct error err;
    CHECK(tags_read(&t, mapping, strlen(mapping), &err) == 0);
    EQUAL(t.names_n, 2);
    EQUAL(tags_index(&t, "project"), 1);
    EQUAL(tags_index(&t, "vm"), -1);
    SAME_TEXT(tags_of(&t, "", "web1")[0], "ACME");
    SAME_TEXT(tags_of(&t, "6f1c", "web1")[0], "Smith, \"Sons\" & Co");
    SAME_TEXT(tags_of(&t, "6f1c", "")[1], "");
    SAME_TEXT(tags_of(&t, "other", "db")[1], "mail");
    CHECK(!tags_of(&t, "", "web2") && !tags_of(&t, "", ""));
    tags_free(&t);
}

static void a_broken_mapping_is_refused_with_its_line(void)
{
    static const struct {
        const char *text, *message;
    } wrong[] = {
        {"", "is empty: wants \"vm,customer\" and a line for each VM"},
        {"# nothing\n", "is empty: wants \"vm,customer\" and a line for each VM"},
        {"name,customer\n", "line 1: wants the columns: vm, and the names of tags: \"vm,customer,project\""},
        {"vm\n", "line 1: wants the columns: vm, and the names of tags: \"vm,customer,project\""},
        {"vm,a,a\n", "line 1: column 3 has the name of one before it"},
        {"vm,a,\n", "line 1: column 3 has no name"},
        {"vm,a\nx,1,2\n", "line 2: has more than 2 fields"},
        {"vm,a,b\nx,1\n", "line 2: has 2 fields, the first line has 3"},
        {"vm,a\n,1\n", "line 2: names no VM"},
        {"vm,a\nx,1\ny,2\n\nx,3\n", "line 5: the VM 'x' is in line 2, too"},
        {"vm,a\nx,\"1\n", "line 2: quotes stand around a whole field, and are doubled within it"},
        {"vm,a\nx,1\"\n", "line 2: quotes stand around a whole field, and are doubled within it"},
        {"vm,a\nx,\"1\"2\n", "line 2: quotes stand around a whole field, and are doubled within it"},
        {"vm,a\nx,\x1b[31m\n", "line 2: the byte 0x1b is no text"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct tags t;
        struct error err = {0};
        CHECK(tags_read(&t, wrong[i].text, strlen(wrong[i].text), &err) != 0);
        SAME_TEXT(err.message, wrong[i].message);
        tags_free(&t);
    }
}

CU_TestInfo rates_tests[] = {
    TEST(the_most_specific_rate_counts),
    TEST(two_of_one_rank_contradict_each_other),
    TEST(the_same_twice_at_one_time_is_refused),
    TEST(a_rate_holds_from_its_beginning_to_before_its_end),
    TEST(a_vm_is_named_by_uuid_or_name),
    TEST(tags_are_those_of_the_uuid_or_else_the_name),
    TEST(a_broken_mapping_is_refused_with_its_line),
    CU_TEST_INFO_NULL,
};
