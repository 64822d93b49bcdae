/* Results as text: what no meter could have handed out is refused, and the error says where it is. */
#include <stdlib.h>
#include <string.h>

#include "results_copy.h"
#include "suites.h"

/* An interval of the whole trace that says it has one row, with this one. */
#define BEFORE(MEMBERS) "{\"before_seen\":{" MEMBERS "}}\n"
#define INTERVAL        "{\"interval\":{\"granularity_ns\":0,\"start_ns\":0,\"end_ns\":1000,\"rows\":1}}\n"
#define ROW_OF(members) INTERVAL "{\"row\":{" members "}}\n"
#define RUN(count, sum, min, max, buckets)                                                                   \
    ROW_OF("\"domain\":1,\"life\":1,\"run\":{\"count\":" count ",\"sum_ns\":" sum ",\"min_ns\":" min         \
           ",\"max_ns\":" max ",\"max_at_ns\":1,\"buckets\":" buckets "}")
#define EXECUTION(begin, end)                                                                                \
    "{\"execution\":{\"domain\":1,\"life\":1,\"vcpu\":0," begin ",\"ran_ns\":50," end "}}\n"
#define CHARGES(idds) "{\"charges\":{\"granularity_ns\":0,\"start_ns\":0,\"end_ns\":9,\"idds\":[" idds "]}}\n"
#define SECOND        (sizeof(INTERVAL) - 1)
#define THIRD         (sizeof(ROW_OF("\"domain\":1,\"life\":1")) - 1)
#define MANY_ROWS                                                                                            \
    "{\"interval\":{\"granularity_ns\":0,\"start_ns\":0,\"end_ns\":9,\"rows\":9223372036854775807}}\n"

static const struct {
    const char *text;
    uint64_t at; /* of the line that is refused */
} hostile[] = {
    /* lines */
    {"\n", 0},
    {"{}\n", 0},
    {"{\"interval\":{}}\n", 0},
    {"{\"unknown\":{\"a\":1}}\n", 0},
    {"{\"row\":{\"domain\":1,\"life\":1}}\n", 0},
    {"[[[[[[[[[[[[[[[[[[[[[[[[\n", 0},
    {"{\"interval\":[[[[[[[[[[[[[[[[[[[[[[[[\n", 0},
    {INTERVAL, SECOND},
    {INTERVAL INTERVAL, SECOND},
    {ROW_OF("\"domain\":1,\"life\":1") "{\"row\":{\"domain\":2,\"life\":1}}\n", THIRD},
    {"{\"interval\":{\"granularity_ns\":0,\"start_ns\":0,\"end_ns\":9,\"rows\":18446744073709551615}}\n", 0},
    {MANY_ROWS, sizeof(MANY_ROWS) - 1},
    /* intervals */
    {"{\"interval\":{\"granularity_ns\":0,\"start_ns\":9,\"end_ns\":8,\"rows\":0}}\n", 0},
    {"{\"interval\":{\"granularity_ns\":5,\"start_ns\":0,\"end_ns\":6,\"rows\":0}}\n", 0},
    {"{\"interval\":{\"granularity_ns\":5,\"start_ns\":5,\"end_ns\":5,\"rows\":0}}\n", 0},
    {"{\"interval\":{\"granularity_ns\":5,\"start_ns\":3,\"end_ns\":7,\"rows\":0}}\n", 0},
    {"{\"interval\":{\"granularity_ns\":5,\"start_ns\":0,\"end_ns\":5,\"late\":1,\"rows\":0}}\n", 0},
    {"{\"interval\":{\"granularity_ns\":5,\"start_ns\":0,\"end_ns\":5,\"late\":false,\"rows\":0}}\n", 0},
    {"{\"interval\":{\"granularity_ns\":-5,\"start_ns\":0,\"end_ns\":5,\"rows\":0}}\n", 0},
    {"{\"interval\":{\"granularity_ns\":5,\"start_ns\":0,\"end_ns\":5.0,\"rows\":0}}\n", 0},
    {"{\"interval\":{\"granularity_ns\":5,\"start_ns\":0,\"end_ns\":\"5\",\"rows\":0}}\n", 0},
    {"{\"interval\":{\"granularity_ns\":5,\"start_ns\":00,\"end_ns\":5,\"rows\":0}}\n", 0},
    {"{\"interval\":{\"granularity_ns\":5,\"start_ns\":0,\"start_ns\":0,\"end_ns\":5,\"rows\":0}}\n", 0},
    {"{\"interval\":{\"granularity_ns\":5,\"end_ns\":5,\"start_ns\":0,\"rows\":0}}\n", 0},
    {"{\"interval\":{\"granularity_ns\":5,\"start_ns\":0,\"end_ns\":5}}\n", 0},
    {"{\"interval\":{\"granularity_ns\":5,\"start_ns\":0,\"end_ns\":5,\"rows\":0}} \n", 0},
    {"{\"interval\":{\"granularity_ns\":5,\"start_ns\":0,\"end_ns\":5,\"rows\":0}\n", 0},
    /* before somebody was seen */
    {BEFORE("\"domain\":1,\"vcpus\":1,\"state\":\"running\",\"from_ns\":0,\"seen_ns\":5"), 0},
    {BEFORE("\"domain\":1,\"life\":1,\"state\":\"asleep\",\"from_ns\":0,\"seen_ns\":5"), 0},
    {BEFORE("\"domain\":1,\"life\":1,\"from_ns\":0,\"seen_ns\":5"), 0},
    {BEFORE("\"domain\":1,\"life\":1,\"state\":\"running\",\"from_ns\":5,\"seen_ns\":5"), 0},
    {BEFORE("\"state\":\"unknown\",\"from_ns\":0,\"seen_ns\":5"), 0},
    {BEFORE(
         "\"domain\":1,\"life\":1,\"state\":\"blocked\",\"from_ns\":0,\"seen_ns\":5,\"driver_domain\":true"),
     0},
    /* rows */
    {ROW_OF("\"life\":1"), SECOND},
    {ROW_OF("\"domain\":1"), SECOND},
    {ROW_OF("\"domain\":-1,\"life\":1"), SECOND},
    {ROW_OF("\"domain\":65536,\"life\":1"), SECOND},
    {ROW_OF("\"domain\":1,\"life\":4294967296"), SECOND},
    {ROW_OF("\"domain\":1,\"life\":1,\"vcpu\":8192"), SECOND},
    {ROW_OF("\"pcpu\":4095"), SECOND},
    {ROW_OF("\"domain\":1,\"life\":1,\"vcpu\":1,\"pcpu\":1"), SECOND},
    {ROW_OF("\"vcpu\":1"), SECOND},
    {ROW_OF("\"vcpus\":1"), SECOND},
    {ROW_OF("\"domain\":1,\"life\":1,\"running_ns\":-1"), SECOND},
    {ROW_OF("\"domain\":1,\"life\":1,\"running_ns\":9223372036854775808"), SECOND},
    {ROW_OF("\"domain\":1,\"life\":1,\"wakes\":18446744073709551616"), SECOND},
    {ROW_OF("\"domain\":1,\"life\":1,\"wakes\":\"18446744073709551616\""), SECOND},
    {ROW_OF("\"domain\":1,\"life\":1,\"wakes\":\"18446744073709551615"), SECOND},
    {ROW_OF("\"domain\":1,\"life\":1,\"wakes\":0"), SECOND},
    {ROW_OF("\"domain\":1,\"life\":1,\"wakes\":1e3"), SECOND},
    {ROW_OF("\"domain\":1,\"life\":1,\"wakes\":"), SECOND},
    {ROW_OF("\"domain\":1,\"life\":1,\"wakes\":null"), SECOND},
    {ROW_OF("\"domain\":1,\"life\":1,\"wakes\":{}"), SECOND},
    {ROW_OF("\"domain\":1,\"life\":1,\"wakes\":2,\"wakes\":2"), SECOND},
    {ROW_OF("\"domain\":1,\"life\":1,\"blocks\":2,\"wakes\":2"), SECOND},
    {ROW_OF("\"domain\":1,\"life\":1,\"laughs\":2"), SECOND},
    {ROW_OF("\"domain\":1,\"life\":1,\"allocated_ns\":2"), SECOND},
    {ROW_OF("\"domain\":1,\"life\":1,\"allocated_slices\":1,\"allocated_min_ns\":3,\"allocated_max_ns\":2"),
     SECOND},
    {"{\"interval\":{\"granularity_ns\":0,\"start_ns\":0,\"end_ns\":1000,\"rows\":2}}\n"
     "{\"row\":{\"domain\":1,\"life\":1}}\n{\"row\":{\"domain\":1,\"life\":1}}\n",
     THIRD},
    {"{\"interval\":{\"granularity_ns\":0,\"start_ns\":0,\"end_ns\":1000,\"rows\":2}}\n"
     "{\"row\":{\"domain\":1,\"life\":1}}\n{\"row\":{\"domain\":0,\"life\":2}}\n",
     THIRD},
    /* histograms */
    {RUN("1", "5", "5", "5", "[3776,1]"), SECOND},
    {RUN("1", "5", "5", "5", "[18446744073709551615,1]"), SECOND},
    {RUN("2", "5", "5", "5", "[5,1]"), SECOND},
    {RUN("1", "5", "5", "5", "[5,1,0,1]"), SECOND},
    {RUN("2", "10", "5", "5", "[5,1,0,1]"), SECOND},
    {RUN("1", "5", "5", "5", "[5,1,3771,0]"), SECOND},
    {RUN("1", "5", "5", "5", "[5,1,3771,1]"), SECOND},
    {RUN("1", "5", "5", "5", "[5,1,]"), SECOND},
    {RUN("1", "5", "5", "5", "[,5,1]"), SECOND},
    {RUN("1", "5", "5", "5", "[5]"), SECOND},
    {RUN("1", "5", "5", "5", "[5,1"), SECOND},
    {RUN("1", "5", "5", "5", "[5,0]"), SECOND},
    {RUN("1", "5", "5", "5", "{}"), SECOND},
    {RUN("0", "0", "0", "0", "[]"), SECOND},
    {RUN("0", "0", "\"18446744073709551615\"", "0", "[]"), SECOND},
    {RUN("1", "5", "6", "5", "[5,1]"), SECOND},
    {RUN("1", "5", "5", "6", "[5,1]"), SECOND},
    {RUN("2", "9", "5", "5", "[5,2]"), SECOND},
    {RUN("2", "11", "5", "5", "[5,2]"), SECOND},
    {RUN("2", "13", "5", "7", "[5,1,2,1]"), SECOND},
    {RUN("2", "12", "5", "7", "[5,1,3,1]"), SECOND},
    {RUN("1", "5", "5", "5", "[5,\"18446744073709551615\",1,2]"), SECOND},
    {ROW_OF("\"domain\":1,\"life\":1,\"run\":{\"count\":1}"), SECOND},
    {ROW_OF("\"domain\":1,\"life\":1,\"run\":[]"), SECOND},
    /* executions */
    {EXECUTION("\"start_ns\":100,\"end_ns\":149", "\"end\":\"lost\""), 0},
    {EXECUTION("\"start_ns\":100,\"end_ns\":99", "\"end\":\"lost\""), 0},
    {EXECUTION("\"start_ns\":100,\"end_ns\":150", "\"end\":\"won\""), 0},
    {EXECUTION("\"start_ns\":100,\"end_ns\":150", "\"end\":lost"), 0},
    {EXECUTION("\"start_ns\":100,\"end_ns\":150", "\"end\":\"lost"), 0},
    {EXECUTION("\"start_ns\":100,\"end_ns\":150",
               "\"allocated_ns\":\"18446744073709551615\",\"end\":\"lost\""),
     0},
    {EXECUTION("\"start_ns\":100,\"end_ns\":150,\"wait_kind\":\"lost\"", "\"end\":\"lost\""), 0},
    {"{\"execution\":{\"domain\":1,\"life\":1,\"start_ns\":1,\"end_ns\":1,\"ran_ns\":0,\"end\":\"lost\"}}\n",
     0},
    /* charges */
    {CHARGES("{}"), 0},
    {CHARGES("{\"domain\":1,\"life\":1},"), 0},
    {CHARGES("{\"domain\":1,\"life\":1}{\"domain\":2,\"life\":1}"), 0},
    {CHARGES("{\"domain\":1,\"life\":1},{\"domain\":1,\"life\":1}"), 0},
    {CHARGES("{\"domain\":1,\"life\":1,\"running_ns\":1}"), 0},
    {CHARGES("{\"domain\":1,\"life\":1,\"running_ns\":1,\"charged_ns\":1}"), 0},
    {CHARGES("{\"domain\":1,\"life\":1,\"own_ns\":\"18446744073709551615\",\"unattributed_ns\":1}"), 0},
    {CHARGES("{\"domain\":1,\"life\":1,\"guests\":[]}"), 0},
    {CHARGES("{\"domain\":1,\"life\":1,\"guests\":{\"domain\":2,\"life\":1}]}"), 0},
    {CHARGES("{\"domain\":1,\"life\":1,\"guests\":[{\"domain\":2,\"life\":1}}"), 0},
    {CHARGES("{\"domain\":1,\"life\":1,\"guests\":[{\"domain\":1,\"life\":1}]}"), 0},
    {CHARGES("{\"domain\":1,\"life\":1,\"guests\":[{\"domain\":3,\"life\":1},{\"domain\":2,\"life\":1}]}"),
     0},
    {CHARGES("{\"domain\":1,\"life\":1,\"guests\":[{\"domain\":2,\"life\":1,\"map\":1,\"map_inferred\":2}]}"),
     0},
    {CHARGES("{\"domain\":1,\"life\":1,\"guests\":[{\"domain\":2,\"life\":1,\"tx\":1}]}"), 0},
    {CHARGES("{\"domain\":1,\"life\":1,\"guests\":[{\"domain\":2,\"life\":1,\"measured_ns\":1,\"certain_ns\":"
             "0}]}"),
     0},
    {CHARGES("{\"domain\":1,\"life\":1,\"guests\":[{\"domain\":2,\"life\":1,\"measured_ns\":0,"
             "\"certain_ns\":\"18446744073709551615\"}]}"),
     0},
    {CHARGES("{\"domain\":1,\"life\":1,\"guests\":[{\"domain\":2,\"life\":1,\"charged_by_map_ns\":-1}]}"), 0},
    {CHARGES("{\"domain\":1,\"life\":1,\"guests\":[{\"domain\":2,\"life\":1,\"charged_by_map_ns\":1e999}]}"),
     0},
    {CHARGES("{\"domain\":1,\"life\":1,\"guests\":[{\"domain\":2,\"life\":1,\"charged_by_map_ns\":nan}]}"),
     0},
    {CHARGES("{\"domain\":1,\"life\":1,\"guests\":[{\"domain\":2,\"life\":1,\"charged_by_map_ns\":0x10}]}"),
     0},
    {CHARGES("{\"domain\":1,\"life\":1,\"guests\":[{\"domain\":2,\"life\":1,\"charged_by_map_ns\":1.10}]}"),
     0},
    {CHARGES("{\"domain\":1,\"life\":1,\"guests\":[{\"domain\":2,\"life\":1,\"charged_by_map_ns\":"
             "1111111111111111111111111111111111111111111111111111}]}"),
     0},
};

static void what_no_meter_hands_out_is_refused_where_it_is(void)
{
    for (size_t i = 0; i < sizeof hostile / sizeof hostile[0]; i++) {
        struct copy c;
        struct error err = {0};
        copy_init(&c);
        check_equal(copy_read(&c, hostile[i].text, strlen(hostile[i].text), &err), -1, hostile[i].text,
                    __FILE__, __LINE__);
        check_true(err.code == ERROR_FORMAT && err.has_offset, hostile[i].text, __FILE__, __LINE__);
        check_equal((int64_t)err.offset, (int64_t)(1000 + hostile[i].at), hostile[i].text, __FILE__,
                    __LINE__);
        copy_free(&c);
    }
    /* What they are made of is fine. */
    static const char *const fine[] = {
        ROW_OF("\"domain\":1,\"life\":1"), RUN("2", "12", "5", "7", "[5,1,2,1]"),
        EXECUTION("\"start_ns\":100,\"end_ns\":150", "\"end\":\"lost\""),
        CHARGES("{\"domain\":1,\"life\":1,\"guests\":[{\"domain\":2,\"life\":1,\"map\":1}]}")};
    for (size_t i = 0; i < sizeof fine / sizeof fine[0]; i++) {
        struct buffer b = {.at = (char *)(uintptr_t)fine[i], .n = strlen(fine[i])};
        struct copy c;
        COMES_BACK(&c, &b);
        copy_free(&c);
    }
}

/* Cut off anywhere but behind its last line; behind a line that needs no further one it is only shorter. */
static void text_that_is_cut_off_is_refused(void)
{
    struct buffer b = {0};
    put_one_of_each(&b);
    unsigned fine = 0;
    for (size_t n = 0; n < b.n; n++) {
        char *exact = malloc(n + 1); /* so that a step too far is seen */
        memcpy(exact, b.at, n);
        struct copy c;
        struct error err = {0};
        copy_init(&c);
        int status = copy_read(&c, exact, n, &err);
        CHECK(status == 0 || (status == -1 && err.code == ERROR_FORMAT && err.offset <= 1000 + n));
        fine += status == 0;
        copy_free(&c);
        free(exact);
    }
    EQUAL(fine, 3); /* nothing at all; behind the rows; behind the charges */
    buffer_free(&b);
}

static void a_line_of_more_than_16_mib_is_refused(void)
{
    size_t n = (16u << 20) + 2;
    char *text = malloc(n);
    memset(text, ' ', n);
    text[n - 1] = '\n';
    struct copy c;
    struct error err = {0};
    copy_init(&c);
    EQUAL(copy_read(&c, text, n, &err), -1);
    EQUAL(err.offset, 1000);
    CHECK(strstr(err.message, "without end") != NULL);
    copy_free(&c);
    free(text);
}

CU_TestInfo results_damage_tests[] = {
    TEST(what_no_meter_hands_out_is_refused_where_it_is),
    TEST(text_that_is_cut_off_is_refused),
    TEST(a_line_of_more_than_16_mib_is_refused),
    CU_TEST_INFO_NULL,
};
