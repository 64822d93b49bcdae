/* Parameters of schedulers, as xl prints and sets them. */
#include "act/xl.h"

#include <string.h>

#include "check.h"

static struct host_guests guests;

static int read_list(enum xl_scheduler s, const char *text)
{
    struct error err;
    host_guests_free(&guests);
    return xl_read_list(s, text, strlen(text), &guests, &err);
}

/* As Xen 4.17 prints it. */
static void a_list_of_caps(void)
{
    EQUAL(read_list(XL_CREDIT2, "Cpupool Pool-0: ratelimit=1000us\n"
                                "Name                                ID Weight  Cap\n"
                                "Domain-0                             0    256    0\n"
                                "web 2 server                        11    512   30\n"
                                "g1                                   1    256    0\n"),
          0);
    EQUAL(guests.n, 3);
    EQUAL(guests.at[1].domain, 1);
    SAME_TEXT(guests.at[2].name, "web 2 server");
    SAME_TEXT(guests.at[2].value, "-c 30");
    host_guests_free(&guests);
}

static void a_list_of_budgets(void)
{
    EQUAL(read_list(XL_RTDS, "Cpupool Pool-0: sched=RTDS\n"
                             "Name                                ID VCPU    Period    Budget  Extratime\n"
                             "Domain-0                             0    0     10000      4000        yes\n"
                             "Domain-0                             0    1     10000      4000        yes\n"
                             "g1                                   2    0       300       150        yes\n"
                             "g1                                   2    1       400       200         no\n"),
          0);
    EQUAL(guests.n, 2);
    SAME_TEXT(guests.at[0].value, "-p 10000 -b 4000 -e 1");
    EQUAL(guests.at[0].vcpus, 2);
    SAME_TEXT(guests.at[1].value, "-v 0 -p 300 -b 150 -e 1 -v 1 -p 400 -b 200 -e 0");
    EQUAL(guests.at[1].period_us, 300);
    host_guests_free(&guests);
}

/* The first vCPU's budget begins as the second one's does. */
static void budgets_with_one_beginning_are_two(void)
{
    EQUAL(read_list(XL_RTDS, "Name ID VCPU Period Budget Extratime\n"
                             "g1 2 0 1000 150 yes\ng1 2 1 1000 150 no\n"),
          0);
    SAME_TEXT(guests.at[0].value, "-v 0 -p 1000 -b 150 -e 1 -v 1 -p 1000 -b 150 -e 0");
    host_guests_free(&guests);
}

static void what_is_no_list_is_refused(void)
{
    static const char *const lists[] = {
        "",
        "Name ID Weight\ng1 1 256\n",                          /* Xen before 4.10: no caps */
        "g1 1 256 0\n",                                        /* no header */
        "Name ID Weight Cap\ng1 1 256 65536\n",                /* */
        "Name ID Weight Cap\ng1 32752 256 0\n",                /* no guest's id */
        "Name ID Weight Cap\ng1 1 256 0x1\n",                  /* */
        "Name ID Weight Cap\ng1 1 256 0\ng2 1 256 0\n",        /* twice */
        "Name ID Weight Cap\ng1 1 256 18446744073709551616\n", /* */
    };
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        EQUAL(read_list(XL_CREDIT2, lists[i]), -1);
    EQUAL(read_list(XL_RTDS, "Name ID VCPU Period Budget Extratime\ng1 2 0 300 301 yes\n"), -1);
    EQUAL(read_list(XL_RTDS, "Name ID VCPU Period Budget Extratime\ng1 2 0 300 3 yes\n"), -1);
    EQUAL(read_list(XL_RTDS, "Name ID VCPU Period Budget Extratime\ng1 2 0 300 30 maybe\n"), -1);
    EQUAL(read_list(XL_RTDS, "Name ID VCPU Period Budget Extratime\ng1 2 0 300 30 no\ng1 2 0 300 30 no\n"),
          -1);
    EQUAL(guests.n, 0);
}

static void names_can_be_printed(void)
{
    EQUAL(read_list(XL_CREDIT, "Name ID Weight Cap\n\033[2Jx 1 256 0\n"), 0);
    SAME_TEXT(guests.at[0].name, "?[2Jx");
    host_guests_free(&guests);
}

static const char *value_of(enum xl_scheduler s, uint64_t ppm, uint32_t vcpus, uint32_t period_us)
{
    static char value[ACT_VALUE_BYTES];
    xl_value(s, ppm, vcpus, period_us, value);
    return value;
}

static void a_cap_is_the_nearest_per_cent_and_never_0(void)
{
    SAME_TEXT(value_of(XL_CREDIT2, 574999, 1, 0), "-c 57");
    SAME_TEXT(value_of(XL_CREDIT2, 575000, 1, 0), "-c 58");
    SAME_TEXT(value_of(XL_CREDIT, 1500000, 2, 0), "-c 150");
    SAME_TEXT(value_of(XL_CREDIT, 4999, 1, 0), "-c 1");
    SAME_TEXT(value_of(XL_CREDIT, 0, 1, 0), "-c 1");
    SAME_TEXT(value_of(XL_CREDIT, UINT64_MAX, 1, 0), "-c 65535");
}

static void a_budget_is_shared_by_the_vcpus(void)
{
    SAME_TEXT(value_of(XL_RTDS, 600000, 1, 0), "-p 10000 -b 6000 -e 0");
    SAME_TEXT(value_of(XL_RTDS, 600000, 3, 5000), "-p 5000 -b 1000 -e 0");
    SAME_TEXT(value_of(XL_RTDS, 0, 1, 10000), "-p 10000 -b 10 -e 0"); /* Xen takes no less */
    SAME_TEXT(value_of(XL_RTDS, 1500000, 1, 10000), "-p 10000 -b 10000 -e 0");
    SAME_TEXT(value_of(XL_RTDS, 1500000, 2, 10000), "-p 10000 -b 7500 -e 0");
}

static void values_are_told_from_other_text(void)
{
    CHECK(xl_is_value("-c 30"));
    CHECK(xl_is_value("-v 0 -p 300 -b 150 -e 1 -v 1 -p 400 -b 200 -e 0"));
    CHECK(!xl_is_value(""));
    CHECK(!xl_is_value("-c"));
    CHECK(!xl_is_value("-c "));
    CHECK(!xl_is_value("-c 30 "));
    CHECK(!xl_is_value("-c -30"));
    CHECK(!xl_is_value("-d 30"));
    CHECK(!xl_is_value("-c 30;x"));
    CHECK(!xl_is_value("--cap 30"));
}

CU_TestInfo xl_tests[] = {TEST(a_list_of_caps),
                          TEST(a_list_of_budgets),
                          TEST(budgets_with_one_beginning_are_two),
                          TEST(what_is_no_list_is_refused),
                          TEST(names_can_be_printed),
                          TEST(a_cap_is_the_nearest_per_cent_and_never_0),
                          TEST(a_budget_is_shared_by_the_vcpus),
                          TEST(values_are_told_from_other_text),
                          CU_TEST_INFO_NULL};
