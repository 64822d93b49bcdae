/* Domains by what xl prints. Texts have the form of Xen 4.17's (tools/xl/xl_info.c, xl_vcpu.c). */
#include "host/domain_info.h"

#include <stdio.h>
#include <string.h>

#include "check.h"

#define WEB_UUID  "5e7c0a4c-6f0e-4b7a-9d5e-0f5b9a3c1d2e"
#define BULK_UUID "0d9f6f52-9a7b-4c43-8f6a-2b1c3d4e5f60"

static struct domain_info info;
static struct error err;

static int read_more(const char *text)
{
    err = (struct error){.code = ERROR_NONE};
    return domain_info_read(&info, text, strlen(text), &err);
}

static int read_text(const char *text)
{
    domain_info_free(&info);
    return read_more(text);
}

static const struct fact_domain *domain(uint32_t number)
{
    static const struct fact_domain none;
    for (size_t i = 0; i < info.domains_n; i++)
        if (info.domains[i].domain == number)
            return &info.domains[i];
    return &none;
}

static const char details[] =
    "[\n"
    "    {\n"
    "        \"domid\": 0,\n"
    "        \"config\": {\n"
    "            \"c_info\": { \"type\": \"pv\", \"name\": \"Domain-0\", \"uuid\": "
    "\"00000000-0000-0000-0000-000000000000\" },\n"
    "            \"b_info\": { \"max_memkb\": 17179869180, \"sched_params\": { \"sched\": \"credit2\", "
    "\"weight\": 512, \"cap\": 0 } }\n"
    "        }\n"
    "    },\n"
    "    {\n"
    "        \"domid\": 1,\n"
    "        \"config\": {\n"
    "            \"c_info\": { \"type\": \"pv\", \"name\": \"web [\\\"1\\\"]\", \"uuid\": \"" WEB_UUID
    "\" },\n"
    "            \"b_info\": { \"max_vcpus\": 4, \"avail_vcpus\": [ 0, 1 ], \"target_memkb\": 131072,\n"
    "                \"sched_params\": { \"sched\": \"credit2\", \"weight\": 256, \"cap\": 50 } }\n"
    "        }\n"
    "    }\n"
    "]\n";

static const char vcpus[] =
    "Name                                ID  VCPU   CPU State   Time(s) Affinity (Hard / Soft)\n"
    "Domain-0                             0     0    1   -b-      71.2  all / all\n"
    "Domain-0                             0     1    0   r--      65.0  all / all\n"
    "web [\"1\"]                            1     0    1   -b-       3.1  0-1 / 1\n"
    "web [\"1\"]                            1     1    -   --p       0.0  0,2-3 / all\n"
    "a name 7 1 2 r-- 1.0                 2     0    0   -b-       9.9  all / all\n";

static const char table[] =
    "Name                                        ID   Mem VCPUs\tState\tTime(s)   UUID                       "
    "     "
    "Reason-Code\tSecurity Label\n"
    "Domain-0                                     0  1536     2     r-----      71.2 "
    "00000000-0000-0000-0000-000000000000        -                -\n"
    "two words                                    5   128     1     -b----       3.1 " BULK_UUID
    "        -                -\n"
    "(null)                                       6     0     1     --psrd       0.4 " WEB_UUID
    "        1                -\n";

static void details_have_names_uuids_and_parameters(void)
{
    EQUAL(read_text(details), 0);
    EQUAL(info.domains_n, 2);
    SAME_TEXT(domain(0)->name, "Domain-0");
    SAME_TEXT(domain(0)->uuid, "");
    EQUAL(domain(0)->vcpus, 0);
    EQUAL(domain(0)->weight, 512);
    EQUAL(domain(0)->cap, 0);
    SAME_TEXT(domain(1)->name, "web [\"1\"]");
    SAME_TEXT(domain(1)->uuid, WEB_UUID);
    EQUAL(domain(1)->vcpus, 2);
    EQUAL(domain(1)->memory_kib, 131072);
    EQUAL(domain(1)->weight, 256);
    EQUAL(domain(1)->cap, 50);
}

static void a_table_of_vcpus_has_affinities_and_what_is_online(void)
{
    EQUAL(read_text(vcpus), 0);
    EQUAL(info.domains_n, 3);
    EQUAL(info.affinities_n, 5);
    EQUAL(domain(0)->vcpus, 2);
    EQUAL(domain(1)->vcpus, 1);
    SAME_TEXT(domain(2)->name, "a name 7 1 2 r-- 1.0");
    SAME_TEXT(info.affinities[2].hard, "0-1");
    SAME_TEXT(info.affinities[2].soft, "1");
    EQUAL(info.affinities[3].domain, 1);
    EQUAL(info.affinities[3].vcpu, 1);
    SAME_TEXT(info.affinities[3].hard, "0,2-3");
}

static void a_table_of_old_xen_has_one_affinity(void)
{
    EQUAL(read_text("Name ID VCPU CPU State Time(s) CPU Affinity\n"
                    "a b  3 0 1 r-- 1.5 any cpu\n"
                    "a b  3 1 0 -b- 1.5 0-2\n"),
          0);
    EQUAL(info.affinities_n, 2);
    SAME_TEXT(info.affinities[0].hard, "all");
    SAME_TEXT(info.affinities[0].soft, "");
    SAME_TEXT(info.affinities[1].hard, "0-2");
    SAME_TEXT(domain(3)->name, "a b");
}

static void a_plain_table_has_names_and_memory(void)
{
    EQUAL(read_text(table), 0);
    EQUAL(info.domains_n, 3);
    EQUAL(domain(0)->memory_kib, 1536 * 1024);
    EQUAL(domain(0)->vcpus, 2);
    SAME_TEXT(domain(0)->uuid, "");
    SAME_TEXT(domain(5)->name, "two words");
    SAME_TEXT(domain(5)->uuid, BULK_UUID);
    SAME_TEXT(domain(6)->name, "");
    SAME_TEXT(domain(6)->uuid, WEB_UUID);
    EQUAL(read_text("Name                                        ID   Mem VCPUs\tState\tTime(s)\n"
                    "Name ID VCPUs                                2    64     1     ------       0.0\n"),
          0);
    SAME_TEXT(domain(2)->name, "Name ID VCPUs");
}

static void one_text_can_have_all_of_them(void)
{
    char all[sizeof details + sizeof vcpus + sizeof table];
    snprintf(all, sizeof all, "%s%s%s", details, vcpus, table);
    EQUAL(read_text(all), 0);
    EQUAL(info.domains_n, 5);
    EQUAL(domain(0)->vcpus, 2);
    EQUAL(domain(0)->weight, 512);
    EQUAL(domain(0)->memory_kib, 1536 * 1024);
    EQUAL(domain(1)->vcpus, 2); /* what came first stays */
    EQUAL(info.affinities_n, 5);
}

static void nothing_is_no_domain(void)
{
    EQUAL(read_text(""), 0);
    EQUAL(read_more("[]\n"), 0);
    EQUAL(read_more("Name ID Mem VCPUs State Time(s)\n\n"), 0);
    EQUAL(info.domains_n, 0);
    EQUAL(read_text("[ { \"domid\": null, \"config\": {} } ]"), 0);
    EQUAL(info.domains_n, 0);
}

static void what_is_missing_or_strange_is_not_known(void)
{
    EQUAL(
        read_text(
            "[ { \"domid\": 4 }, { \"domid\": 5, \"config\": { \"c_info\": { \"name\": 7, \"uuid\": \"x\" },"
            " \"b_info\": { \"max_vcpus\": -1, \"target_memkb\": \"much\", \"sched_params\": [] } } } ]"),
        0);
    EQUAL(info.domains_n, 2);
    SAME_TEXT(domain(5)->name, "");
    SAME_TEXT(domain(5)->uuid, "");
    EQUAL(domain(5)->vcpus, 0);
    EQUAL(domain(5)->memory_kib, 0);
}

static void wrong_texts_are_refused(void)
{
    EQUAL(read_text("libxl: error\n"), -1);
    SAME_TEXT(err.message, "line 1: no line of \"xl list\" or \"xl vcpu-list\"");
    EQUAL(read_text("[\n{ \"domid\": 1,\n"), -1);
    SAME_TEXT(err.message, "line 3: the list of domains is no JSON");
    EQUAL(read_text("[ 1 ]"), -1);
    SAME_TEXT(err.message, "the list of domains: number 1 of it has no \"domid\"");
    EQUAL(read_text("[ { \"domid\": 32752 } ]"), -1); /* DOMID_FIRST_RESERVED */
    EQUAL(read_text("[]\nName ID Mem VCPUs State Time(s)\nweb 70000 1 1 ------ 0.0\n"), -1);
    SAME_TEXT(err.message, "line 3: no line of \"xl list\" or \"xl vcpu-list\"");
    EQUAL(domain_info_read(&info, "Name\0", 5, &err), -1);
    SAME_TEXT(err.message, "the list of domains is no text");
}

static void long_texts_are_cut_at_characters(void)
{
    char name[FACT_NAME];
    char text[300];
    memset(text, 'x', sizeof text);
    text[FACT_NAME - 2] = (char)0xc3; /* e with acute: its second byte would be the NUL */
    text[FACT_NAME - 1] = (char)0xa9;
    domain_info_set_text(name, text, sizeof text);
    EQUAL(strlen(name), FACT_NAME - 2);
    struct buffer line = {.n = 0};
    buffer_text(&line, "Name ID VCPU CPU State Time(s) Affinity (Hard / Soft)\nweb 1 0 0 r-- 0.0 ");
    for (int i = 0; i < 60; i++)
        buffer_text(&line, "10,");
    buffer_add(&line, "10 / all\n", sizeof "10 / all\n");
    EQUAL(read_text(line.at), 0);
    buffer_free(&line);
    EQUAL(strlen(info.affinities[0].hard) < FACT_NAME, true);
    SAME_TEXT(strrchr(info.affinities[0].hard, '0'), "0,...");
}

/* Cut anywhere, and with any byte of it changed: it is read, in order, or an error says why. */
static void damaged_texts_are_read_or_refused(void)
{
    char all[sizeof details + sizeof vcpus + sizeof table];
    static const char others[] = {'0', ' ', '\n', '"', '\\', ']', (char)0xff};
    unsigned wrong = 0;
    snprintf(all, sizeof all, "%s%s%s", details, vcpus, table);
    size_t n = strlen(all);
    for (size_t i = 0; i < 8 * n; i++) {
        size_t at = i / 8;
        char was = all[at];
        domain_info_free(&info);
        err = (struct error){.code = ERROR_NONE};
        all[at] = i % 8 < 7 ? others[i % 8] : was;
        int status = domain_info_read(&info, all, i % 8 < 7 ? n : at, &err);
        all[at] = was;
        wrong += status == 0 ? err.code != ERROR_NONE : err.code == ERROR_NONE || !*err.message;
        for (size_t d = 1; d < info.domains_n; d++)
            wrong += info.domains[d - 1].domain >= info.domains[d].domain;
    }
    EQUAL(wrong, 0);
}

/* ---- changes ---- */

static struct domain_info before;
static struct buffer lines;

static const char *changes(const char *now)
{
    domain_info_free(&before);
    before = info;
    info = (struct domain_info){.domains_n = 0};
    EQUAL(read_more(now), 0);
    EQUAL(domain_info_inherit(&info, &before), 0);
    lines.n = 0;
    domain_info_changes(&before, &info, 77, &lines);
    buffer_add(&lines, "", 1);
    return lines.at;
}

#define TABLE "Name ID Mem VCPUs State Time(s)\n"

static void only_changes_are_facts(void)
{
    domain_info_free(&info);
    SAME_TEXT(changes(TABLE "web 1 128 1 ------ 0.0\nbulk 2 64 1 ------ 0.0\n"),
              "{\"domain\":{\"tsc\":77,\"domain\":1,\"name\":\"web\",\"vcpus\":1,\"memory_kib\":131072}}\n"
              "{\"domain\":{\"tsc\":77,\"domain\":2,\"name\":\"bulk\",\"vcpus\":1,\"memory_kib\":65536}}\n");
    SAME_TEXT(changes(TABLE "web 1 128 1 r----- 9.0\nbulk 2 64 1 ------ 1.0\n"), "");
    SAME_TEXT(changes(TABLE "web 1 128 2 r----- 9.0\nloud 3 64 1 ------ 1.0\n"),
              "{\"domain_gone\":{\"tsc\":77,\"domain\":2}}\n"
              "{\"domain\":{\"tsc\":77,\"domain\":1,\"name\":\"web\",\"vcpus\":2,\"memory_kib\":131072}}\n"
              "{\"domain\":{\"tsc\":77,\"domain\":3,\"name\":\"loud\",\"vcpus\":1,\"memory_kib\":65536}}\n");
    domain_info_free(&info);
    SAME_TEXT(changes("Name ID VCPU CPU State Time(s) Affinity\na 1 0 0 r-- 1.0 all / all\n"),
              "{\"domain\":{\"tsc\":77,\"domain\":1,\"name\":\"a\",\"vcpus\":1}}\n"
              "{\"affinity\":{\"tsc\":77,\"domain\":1,\"vcpu\":0,\"hard\":\"all\",\"soft\":\"all\"}}\n");
    SAME_TEXT(changes("Name ID VCPU CPU State Time(s) Affinity\na 1 0 0 r-- 1.0 0 / all\n"),
              "{\"affinity\":{\"tsc\":77,\"domain\":1,\"vcpu\":0,\"hard\":\"0\",\"soft\":\"all\"}}\n");
    SAME_TEXT(changes(TABLE "a 1 0 1 ------ 0.0\n"), ""); /* affinities stay known */
    EQUAL(info.affinities_n, 1);
}

static void what_was_known_stays_known(void)
{
    domain_info_free(&info);
    changes("[ { \"domid\": 1, \"config\": { \"c_info\": { \"name\": \"web\", \"uuid\": \"" WEB_UUID "\" },"
            " \"b_info\": { \"max_vcpus\": 1, \"target_memkb\": 1024, \"sched_params\": { \"weight\": 256, "
            "\"cap\": 30 } } } } ]");
    SAME_TEXT(changes(TABLE "(null) 1 1 1 --psrd 0.0\n"), "");
    SAME_TEXT(domain(1)->uuid, WEB_UUID);
    EQUAL(domain(1)->cap, 30);
    /* a cap that is taken away is not inherited */
    changes("[ { \"domid\": 1, \"config\": { \"b_info\": { \"sched_params\": { \"weight\": 256, \"cap\": 0 } "
            "} } } ]");
    EQUAL(domain(1)->cap, 0);
    SAME_TEXT(domain(1)->name, "web");
}

/* What a guest's administrator calls it must not hide who the others are. */
static void a_name_that_is_no_text_is_marked_and_no_other(void)
{
    static const struct {
        const char *written, *name;
    } names[] = {
        {"a\xff\xfe"
         "b",
         "a\xef\xbf\xbd\xef\xbf\xbd"
         "b"}, /* no UTF-8 */
        {"\xc3\xa9", "\xc3\xa9"},
        {"cut \xe2\x82", "cut \xef\xbf\xbd\xef\xbf\xbd"},
        {"a\\u0000b", "a\xef\xbf\xbd"
                      "b"},
        {"a\\\\u0000", "a\\u0000"}, /* a backslash, and no escape */
        {"\x01\ttab", "\xef\xbf\xbd\xef\xbf\xbdtab"},
        {"\\ud83d\\ude00", "\xf0\x9f\x98\x80"},
        {"\\ud83d.", "\xef\xbf\xbd."},
        {"\\ude00", "\xef\xbf\xbd"},
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char text[512];
        snprintf(text, sizeof text,
                 "[ { \"domid\": 1, \"config\": { \"c_info\": { \"name\": \"%s\", \"uuid\": \"" WEB_UUID
                 "\" } } },\n { \"domid\": 2, \"config\": { \"c_info\": { \"name\": \"bulk\" } } } ]",
                 names[i].written);
        EQUAL(read_text(text), 0);
        SAME_TEXT(domain(1)->name, names[i].name);
        SAME_TEXT(domain(1)->uuid, WEB_UUID);
        SAME_TEXT(domain(2)->name, "bulk");
    }
    EQUAL(read_text("[ { \"domid\": 1, \"config\": { \"c_info\": { \"name\": \"\\u00"), -1);
    domain_info_free(&info);
}

static void another_domain_of_the_same_number_inherits_nothing(void)
{
    domain_info_free(&info);
    changes("[ { \"domid\": 1, \"config\": { \"c_info\": { \"name\": \"old\", \"uuid\": \"" WEB_UUID
            "\" } } } ]");
    SAME_TEXT(changes("[ { \"domid\": 1, \"config\": { \"c_info\": { \"uuid\": \"" BULK_UUID "\" } } } ]"),
              "{\"domain_gone\":{\"tsc\":77,\"domain\":1}}\n"
              "{\"domain\":{\"tsc\":77,\"domain\":1,\"uuid\":\"" BULK_UUID "\"}}\n");
    domain_info_free(&info);
    domain_info_free(&before);
    buffer_free(&lines);
}

CU_TestInfo domain_info_tests[] = {TEST(details_have_names_uuids_and_parameters),
                                   TEST(a_table_of_vcpus_has_affinities_and_what_is_online),
                                   TEST(a_table_of_old_xen_has_one_affinity),
                                   TEST(a_plain_table_has_names_and_memory),
                                   TEST(one_text_can_have_all_of_them),
                                   TEST(nothing_is_no_domain),
                                   TEST(what_is_missing_or_strange_is_not_known),
                                   TEST(wrong_texts_are_refused),
                                   TEST(long_texts_are_cut_at_characters),
                                   TEST(damaged_texts_are_read_or_refused),
                                   TEST(only_changes_are_facts),
                                   TEST(what_was_known_stays_known),
                                   TEST(a_name_that_is_no_text_is_marked_and_no_other),
                                   TEST(another_domain_of_the_same_number_inherits_nothing),
                                   CU_TEST_INFO_NULL};
