/* Reservations, and how debts are repaid: by themselves. */
#include "metrics/control/debt_policy.h"

#include <stdio.h>
#include <string.h>

#include "check.h"
#include "metrics/control/repayment.h"
#include "random.h"
#include "suites.h"

/* ---- shares ---- */

static void a_share_is_rounded_to_the_nearest(void)
{
    EQUAL(cpu_share_ns((struct cpu_share){60, 100}, 500000000), 300000000);
    EQUAL(cpu_share_ns((struct cpu_share){1, 3}, 500000000), 166666667);
    EQUAL(cpu_share_ns((struct cpu_share){1, 3}, 100000000), 33333333);
    EQUAL(cpu_share_ns((struct cpu_share){3, 2}, 3), 5);           /* 4.5 */
    EQUAL(cpu_share_ns((struct cpu_share){250, 100}, 1000), 2500); /* two and a half pCPUs */
    CHECK(cpu_share_ns((struct cpu_share){UINT64_MAX, 1}, UINT64_MAX) == UINT64_MAX);
}

/* ---- repayment ---- */

static void a_charge_is_cut_in_equal_parts(void)
{
    struct repayment r;
    CHECK(repayment_init(&r, 4));
    repayment_charge(&r, 10); /* 3 3 2 2 */
    EQUAL(r.debt_ns, 10);
    EQUAL(repayment_settle(&r, 100), 3);
    repayment_charge(&r, 4); /* 1 1 1 1 */
    EQUAL(r.debt_ns, 11);
    EQUAL(repayment_settle(&r, 100), 4);
    EQUAL(repayment_settle(&r, 100), 3);
    EQUAL(repayment_settle(&r, 100), 3);
    EQUAL(repayment_settle(&r, 100), 1);
    EQUAL(repayment_settle(&r, 100), 0);
    EQUAL(r.debt_ns, 0);
    repayment_free(&r);
}

static void what_cannot_be_repaid_stays_due(void)
{
    struct repayment r;
    CHECK(repayment_init(&r, 2));
    repayment_charge(&r, 20); /* 10 10 */
    EQUAL(repayment_settle(&r, 4), 4);
    EQUAL(r.overdue_ns, 6);
    EQUAL(repayment_settle(&r, 4), 4);
    EQUAL(r.overdue_ns, 12);
    EQUAL(repayment_settle(&r, 0), 0);
    EQUAL(repayment_settle(&r, 100), 12);
    EQUAL(r.debt_ns, 0);
    repayment_free(&r);
}

static void what_is_charged_is_repaid_in_the_end_and_never_sooner(void)
{
    uint64_t random = 3;
    for (int round = 0; round < 200; round++) {
        struct repayment r;
        uint32_t periods = 1 + (uint32_t)random_below(&random, 12);
        uint64_t charged = 0, repaid = 0;
        CHECK(repayment_init(&r, periods));
        for (int i = 0; i < 50; i++) {
            uint64_t charge = random_below(&random, 1000);
            repayment_charge(&r, charge);
            charged += charge;
            repaid += repayment_settle(&r, random_below(&random, 800));
            CHECK(repaid + r.debt_ns == charged && r.overdue_ns <= r.debt_ns);
        }
        for (uint32_t i = 0; i < periods; i++)
            repaid += repayment_settle(&r, UINT64_MAX);
        EQUAL(repaid, charged);
        EQUAL(r.debt_ns, 0);
        repayment_free(&r);
    }
}

/* ---- about whom the rules are ---- */

static const char *name_of(const void *names, int32_t domain, uint32_t life)
{
    (void)names, (void)life;
    return domain == 1 ? "web" : domain == 2 ? "db" : domain == 9 ? "web" : NULL;
}

static void add(struct debt_policy *p, const char *name, uint16_t domain, const char *where)
{
    char copy[16];
    struct debt_reserve r = {.who = {.name = name ? copy : NULL, .domain = domain},
                             .rule = {{1, 2}, {0, 1}, 1}};
    struct error err;
    snprintf(copy, sizeof copy, "%s", name ? name : "");
    snprintf(r.who.where, sizeof r.who.where, "%s", where);
    EQUAL(debt_policy_add(p, &r, &err), 0);
}

static void a_rule_by_the_id_of_a_named_domain_is_one_by_its_name(void)
{
    struct debt_policy p = {.feedback_ns = FEEDBACK_DEFAULT_NS};
    struct error err;
    add(&p, NULL, 1, "one");
    add(&p, NULL, 5, "five");
    EQUAL(debt_policy_resolve(&p, name_of, NULL, &err), 0);
    CHECK(debt_policy_find(&p, 9, "web") == &p.reserves[0]);
    CHECK(debt_policy_find(&p, 5, NULL) == &p.reserves[1]);
    CHECK(debt_policy_find(&p, 2, "db") == NULL);
    debt_policy_free(&p);
}

/* Resolving fails, and the message has this in it. */
static void refused(struct debt_policy *p, bool named, const char *why)
{
    struct error err = {0};
    EQUAL(debt_policy_resolve(p, named ? name_of : NULL, NULL, &err), -1);
    CHECK(strstr(err.message, why) != NULL);
    debt_policy_free(p);
}

static void two_rules_for_one_domain_are_refused(void)
{
    struct debt_policy by_id = {0}, by_both = {0}, by_name = {0};
    add(&by_id, NULL, 5, "a");
    add(&by_id, NULL, 5, "b");
    refused(&by_id, false, "b: the same domain as a");
    add(&by_both, NULL, 1, "a");
    add(&by_both, "web", 0, "b");
    refused(&by_both, true, "b: the same domain as a");
    add(&by_name, NULL, 1, "a");
    add(&by_name, NULL, 9, "b");
    refused(&by_name, true, "b: the same domain as a");
}

static void names_that_no_domain_has_are_refused(void)
{
    struct debt_policy unknown = {0}, no_names = {0};
    add(&unknown, "wbe", 0, "a");
    refused(&unknown, true, "a: no domain has this name");
    add(&no_names, "web", 0, "a");
    refused(&no_names, false, "a: no names of domains are known");
}

static void more_than_the_host_has_is_refused(void)
{
    struct debt_policy p = {.feedback_ns = 1000};
    struct error err;
    for (uint16_t domain = 1; domain <= 4; domain++)
        add(&p, NULL, domain, "half"); /* of a pCPU each */
    EQUAL(debt_policy_reserved_ns(&p), 2000);
    EQUAL(debt_policy_check_sum(&p, 2000, 4, 2, &err), 0);
    EQUAL(debt_policy_check_sum(&p, 2000, 4, 1, &err), -1);
    CHECK(strstr(err.message, "add up to 200.00 %, but 1 pCPU has 100 %") != NULL);
    EQUAL(debt_policy_check_sum(&p, 2004, 4, 2, &err), 0); /* rounding */
    EQUAL(debt_policy_check_sum(&p, 2005, 4, 2, &err), -1);
    debt_policy_free(&p);
}

CU_TestInfo debt_policy_tests[] = {TEST(a_share_is_rounded_to_the_nearest),
                                   TEST(a_charge_is_cut_in_equal_parts),
                                   TEST(what_cannot_be_repaid_stays_due),
                                   TEST(what_is_charged_is_repaid_in_the_end_and_never_sooner),
                                   TEST(a_rule_by_the_id_of_a_named_domain_is_one_by_its_name),
                                   TEST(two_rules_for_one_domain_are_refused),
                                   TEST(names_that_no_domain_has_are_refused),
                                   TEST(more_than_the_host_has_is_refused),
                                   CU_TEST_INFO_NULL};
