/*
 * Relations: a kind of result that no writer knows goes through all of them; rows are chosen, ordered and cut; rows by
 * several subjects share a report.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "formats/table_cell.h"
#include "formats/writer.h"
#include "metrics/relation/relation_table.h"
#include "random.h"
#include "suites.h"

/* ---- a kind of result of its own ---- */

struct lunch {
    int32_t domain;
    int32_t pcpu;
    uint64_t eaten_ns;
    uint32_t least_ns; /* UINT32_MAX: nothing was eaten */
    uint32_t most_ns;
    uint64_t late_at_ns; /* NS_UNKNOWN: it was in time */
};

static struct value per_second(const struct row_view *v)
{
    const struct lunch *l = v->row;
    return decimal((double)l->eaten_ns * 1e9 / (double)length_ns(v->interval));
}

static const struct column lunch_columns[] = {
    INTERVAL_COLUMNS(0),
    {COLUMN_HEAD(domain, "domain", NONE, 0, KEY | LEFT | DOMAIN, D, "who eats"),
     COLUMN_KNOWN(struct lunch, domain, I32, NOT, -1)},
    {COLUMN_HEAD(pcpu, "pcpu", NONE, 0, KEY | PCPU, 0, "where"),
     COLUMN_KNOWN(struct lunch, pcpu, I32, NOT, -1)},
    {COLUMN_HEAD(eaten_ns, "eaten", NS, 0, 0, D, "for how long"),
     COLUMN_MEMBER(struct lunch, eaten_ns, U64, SUM)},
    {COLUMN_HEAD(least_ns, "least", NS, 0, 0, 0, "the shortest"),
     COLUMN_KNOWN(struct lunch, least_ns, U32, MIN, UINT32_MAX)},
    {COLUMN_HEAD(most_ns, "most", NS, 0, 0, D, "the longest"),
     COLUMN_KNOWN(struct lunch, most_ns, U32, MAX, 0)},
    {COLUMN_HEAD(late_at_ns, "late at", INSTANT, 0, ALARM, D, "when"),
     COLUMN_KNOWN(struct lunch, late_at_ns, U64, NOT, NS_UNKNOWN)},
    {COLUMN_HEAD(eaten_per_s, "eaten", PER_SECOND, 1, 0, 0, "per second"), .get = per_second},
};
static const struct relation lunches = {.name = "lunch",
                                        .title = "lunches",
                                        .none = "nobody eats\n",
                                        .row_size = sizeof(struct lunch),
                                        .columns = lunch_columns,
                                        .columns_n = sizeof lunch_columns / sizeof *lunch_columns};

/* The same without intervals: a stream. */
static const struct column snack_columns[] = {
    {COLUMN_HEAD(domain, "domain", NONE, 0, KEY | LEFT | DOMAIN, L, "who eats"),
     COLUMN_KNOWN(struct lunch, domain, I32, NOT, -1)},
    {COLUMN_HEAD(eaten_ns, "eaten", NS, 0, 0, L, "for how long"),
     COLUMN_MEMBER(struct lunch, eaten_ns, U64, NOT)},
};
static const struct relation snacks = {.name = "snack",
                                       .title = "snacks",
                                       .row_size = sizeof(struct lunch),
                                       .columns = snack_columns,
                                       .columns_n = sizeof snack_columns / sizeof *snack_columns,
                                       .own_times = true};

static const struct lunch table[] = {
    {.domain = 1, .pcpu = 0, .eaten_ns = 20, .least_ns = 4, .most_ns = 9, .late_at_ns = NS_UNKNOWN},
    {.domain = 2, .pcpu = 1, .eaten_ns = 50, .least_ns = UINT32_MAX, .late_at_ns = NS_UNKNOWN},
    {.domain = 3, .pcpu = 0, .eaten_ns = 30, .least_ns = 3, .most_ns = 7, .late_at_ns = NS_UNKNOWN},
};
#define TABLE_ROWS 3
static const struct interval tenth = {.granularity_ns = 100, .start_ns = 100, .end_ns = 200};
static const uint64_t granularities_ns[] = {100};

/* ---- writing ---- */

struct writing {
    struct column_choice choice;
    struct report_schema schema;
    char path[64];
    struct output *out;
    struct writer *writer;
    char text[65536]; /* of the whole report, once it is complete */
};

static void prepare(struct writing *w, const struct relation *const *relations, size_t n, const char *list,
                    const char *sort, unsigned bys)
{
    struct error err;
    *w = (struct writing){.schema = {.name = "report",
                                     .choice = &w->choice,
                                     .bys = bys,
                                     .granularities_ns = granularities_ns,
                                     .granularities = 1},
                          .path = "/tmp/xenmeter-relations-XXXXXX"};
    EQUAL(choice_make(&w->choice, relations, n, list, sort, bys & (bys - 1) ? COLUMN_SEVERAL : 0, &err), 0);
}

static void begin(struct writing *w, const char *format)
{
    struct error err;
    close(mkstemp(w->path));
    w->out = output_open(w->path, &err);
    w->writer = writer_new(format, w->out, &w->schema, &err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(w->writer);
}

static void put(struct writing *w, const struct relation *relation, const struct interval *of, enum by by,
                const void *at, size_t n)
{
    const struct rows rows = {.relation = relation, .by = by, .interval = of, .at = at, .n = n};
    EQUAL(writer_rows(w->writer, &rows), 0);
}

static void finish(struct writing *w)
{
    struct quality quality = {0};
    struct judgement judgement = {.verdict = VERDICT_GOOD};
    const struct report_summary summary = {.end_ns = 200, .quality = &quality, .judgement = &judgement};
    struct error err;
    writer_end(w->writer, &summary);
    EQUAL(output_commit(w->out, &err), 0);
    FILE *file = fopen(w->path, "r");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    w->text[fread(w->text, 1, sizeof w->text - 1, file)] = '\0';
    fclose(file);
    unlink(w->path);
    choice_free(&w->choice);
}

/* The lunches of the table, with -c `list`, -s `sort`, -n `limit`. */
static void write_lunches(struct writing *w, const char *format, const char *list, const char *sort,
                          size_t limit)
{
    const struct relation *relation = &lunches;
    prepare(w, &relation, 1, list, sort, 1);
    w->schema.selection.limit = limit;
    begin(w, format);
    put(w, &lunches, &tenth, 0, table, TABLE_ROWS);
    finish(w);
}

/* ---- every format ---- */

static void a_new_relation_goes_to_csv(void)
{
    static struct writing w;
    write_lunches(&w, "csv", NULL, NULL, 0);
    SAME_TEXT(w.text,
              "granularity_ns,start_ns,end_ns,domain,pcpu,eaten_ns,least_ns,most_ns,late_at_ns,eaten_per_s\n"
              "100,100,200,1,0,20,4,9,,200000000.0\n"
              "100,100,200,2,1,50,,,,500000000.0\n"
              "100,100,200,3,0,30,3,7,,300000000.0\n");
    write_lunches(&w, "csv", "eaten_ns,domain", "eaten_ns", 2);
    SAME_TEXT(w.text, "eaten_ns,domain\n50,2\n30,3\n");
}

static void a_new_relation_goes_to_jsonl(void)
{
    static struct writing w;
    write_lunches(&w, "jsonl", "least_ns,domain", "least_ns", 2);
    SAME_TEXT(w.text, "{\"least_ns\":4,\"domain\":1}\n"
                      "{\"least_ns\":3,\"domain\":3}\n");
    write_lunches(&w, "jsonl", "domain,start_ns", NULL, 1);
    SAME_TEXT(w.text, "{\"domain\":1,\"start_ns\":100}\n");
    write_lunches(&w, "jsonl", NULL, "eaten_ns", 1); /* without a choice all, and all of the interval */
    SAME_TEXT(
        w.text,
        "{\"granularity_ns\":100,\"start_ns\":100,\"end_ns\":200,\"domain\":2,\"pcpu\":1,\"eaten_ns\":50,"
        "\"least_ns\":null,\"most_ns\":null,\"late_at_ns\":null,\"eaten_per_s\":500000000.0}\n");
}

static void a_new_relation_goes_to_json(void)
{
    static struct writing w;
    write_lunches(&w, "json", "domain,eaten_ns", "eaten_ns", 1);
    json_t *document = json_loads(w.text, 0, NULL), *rows = NULL;
    const char *by = NULL;
    json_int_t granularity_ns = 0, start_ns = 0;
    EQUAL(json_unpack(document, "{s:[{s:I, s:s, s:[{s:I, s:o}]}]}", "reports", "granularity_ns",
                      &granularity_ns, "by", &by, "intervals", "start_ns", &start_ns, "rows", &rows),
          0);
    EQUAL(granularity_ns, 100);
    EQUAL(start_ns, 100);
    CHECK(by && strcmp(by, "lunch") == 0);
    char *text = json_dumps(rows, JSON_COMPACT);
    SAME_TEXT(text, "[{\"domain\":2,\"eaten_ns\":50}]");
    free(text);
    json_decref(document);
}

static void a_new_relation_has_a_table_with_sums(void)
{
    static struct writing w;
    write_lunches(&w, "table", NULL, "eaten_ns", 0);
    CHECK(strstr(w.text, "        eaten   most\n"
                         "domain     us     us\n"
                         "--------------------\n"
                         "2       0.050      -\n"
                         "3       0.030  0.007\n"
                         "1       0.020  0.009\n"
                         "--------------------\n"
                         "sum     0.100  0.009\n") != NULL);
    CHECK(!strstr(w.text, "late"));
}

static void sums_pass_over_what_is_unknown(void)
{
    void *total = NULL;
    const struct rows rows = {.relation = &lunches, .interval = &tenth, .at = table, .n = TABLE_ROWS};
    CHECK(relation_add_up(&total, &rows));
    const struct lunch *sum = total;
    EQUAL(sum->eaten_ns, 100);
    EQUAL(sum->least_ns, 3);
    EQUAL(sum->most_ns, 9);
    relation_total_free(&lunches, total);
}

/* ---- choosing ---- */

static void domains_and_pcpus_choose_rows(void)
{
    static struct writing w;
    static uint8_t domains[65536], pcpus[4096];
    const struct relation *relation = &lunches;
    domains[2] = domains[3] = pcpus[0] = 1;
    prepare(&w, &relation, 1, "domain", NULL, 1);
    w.schema.selection.domains = domains;
    w.schema.selection.pcpus = pcpus;
    begin(&w, "csv");
    put(&w, &lunches, &tenth, 0, table, TABLE_ROWS);
    finish(&w);
    SAME_TEXT(w.text, "domain\n3\n");
}

static void each_relation_shows_the_columns_it_has_in_the_order_given(void)
{
    static struct writing w;
    const struct relation *relations[] = {&lunches, &snacks};
    prepare(&w, relations, 2, "eaten_ns,pcpu,domain", "pcpu", 1);
    begin(&w, "csv");
    put(&w, &lunches, &tenth, 0, table, 2);
    put(&w, &snacks, NULL, 0, table, 2);
    finish(&w);
    SAME_TEXT(w.text, "eaten_ns,pcpu,domain\n50,1,2\n20,0,1\n20,,1\n50,,2\n");
}

static void a_relation_without_chosen_columns_is_left_out(void)
{
    static struct writing w;
    const struct relation *relations[] = {&lunches, &snacks};
    for (int json = 0; json < 2; json++) {
        prepare(&w, relations, 2, "pcpu", NULL, 1);
        begin(&w, json ? "json" : "csv");
        put(&w, &snacks, NULL, 0, table, TABLE_ROWS);
        put(&w, &lunches, &tenth, 0, table, 1);
        finish(&w);
        if (json)
            CHECK(!strstr(w.text, "snack"));
        else
            SAME_TEXT(w.text, "pcpu\n0\n");
    }
}

static void an_unknown_column_is_told_with_the_nearest_of_all_relations(void)
{
    const struct relation *relations[] = {&snacks, &lunches};
    struct column_choice choice;
    struct error err;
    EQUAL(choice_make(&choice, relations, 2, "domain,mots_ns", NULL, false, &err), -1);
    CHECK(strstr(err.message, "\"mots_ns\"; the nearest is most_ns") != NULL);
    choice_free(&choice);
    EQUAL(choice_make(&choice, relations, 1, NULL, "most_ns", false, &err), -1);
    choice_free(&choice);
    EQUAL(choice_make(&choice, relations, 2, NULL, "most_ns,domain", false, &err), -1);
    choice_free(&choice);
}

/* ---- streams ---- */

#define SNACKS 1000

static int compare_snacks(const void *a, const void *b)
{
    const struct lunch *x = a, *y = b;
    if (x->eaten_ns != y->eaten_ns)
        return x->eaten_ns > y->eaten_ns ? -1 : 1;
    return x->domain - y->domain; /* they are numbered in the order in which they come */
}

/* Random rows with many equal ones, one by one through a selection: what comes of them is the beginning of a sort. */
static void a_limit_keeps_the_first_of_what_sorting_all_gives(void)
{
    static struct writing w;
    static struct lunch all[SNACKS];
    static char expected[65536];
    static const size_t limits[] = {0, 1, 2, 7, 64, 65, 999, 1000, 5000};
    const struct relation *relation = &snacks;
    uint64_t seed = 5;
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        prepare(&w, &relation, 1, NULL, "eaten_ns", 1);
        w.schema.selection.limit = limits[i];
        begin(&w, "csv");
        for (int n = 0; n < SNACKS; n++) {
            all[n] = (struct lunch){.domain = n, .eaten_ns = random_below(&seed, 300)};
            put(&w, &snacks, NULL, 0, &all[n], 1);
        }
        finish(&w);
        qsort(all, SNACKS, sizeof *all, compare_snacks);
        size_t at = (size_t)sprintf(expected, "domain,eaten_ns\n");
        for (size_t n = 0; n < SNACKS && (limits[i] == 0 || n < limits[i]); n++)
            at += (size_t)sprintf(expected + at, "%d,%d\n", all[n].domain, (int)all[n].eaten_ns);
        SAME_TEXT(w.text, expected);
    }
}

static void a_limit_alone_takes_the_first_that_come(void)
{
    static struct writing w;
    const struct relation *relation = &snacks;
    prepare(&w, &relation, 1, NULL, NULL, 1);
    w.schema.selection.limit = 2;
    begin(&w, "csv");
    for (size_t i = 0; i < TABLE_ROWS; i++)
        put(&w, &snacks, NULL, 0, &table[i], 1);
    finish(&w);
    SAME_TEXT(w.text, "domain,eaten_ns\n1,20\n2,50\n");
}

static void ordering_keeps_to_its_memory(void)
{
    static struct lunch many[SNACKS];
    const struct shown shown = {.relation = &snacks, .sort = &snack_columns[1]};
    const struct rows rows = {.relation = &snacks, .at = many, .n = SNACKS};
    for (size_t limit = 0; limit <= 10; limit += 10) {
        const struct selection_options options = {.limit = limit, .memory_limit = 10000};
        struct selection *s = selection_new(&shown, &options, &(struct row_view){0});
        struct rows out;
        struct error err = {0};
        EQUAL(selection_take(s, &rows, &out, &err), limit ? 0 : -1);
        EQUAL(err.code, limit ? 0 : ERROR_MEMORY);
        CHECK(limit || strstr(err.message, "--limit") != NULL);
        selection_free(s);
    }
}

/* ---- rows by several subjects ---- */

static void rows_by_several_tell_by_which(void)
{
    static struct writing w;
    static struct measures m;
    const struct relation *relation = &relation_rows;
    const struct row domain = {.domain = 1, .life = 1, .vcpu = -1, .pcpu = -1, .vcpus = 1, .measures = &m};
    const struct row vcpu = {.domain = 1, .life = 1, .vcpu = 0, .pcpu = -1, .vcpus = 1, .measures = &m};
    static const char *const formats[] = {"csv", "jsonl", "json", "table"};
    static const char *const texts[] = {
        "by,domain,vcpu\ndomain,1,\nvcpu,1,0\n",
        "{\"by\":\"domain\",\"domain\":1,\"vcpu\":null}\n{\"by\":\"vcpu\",\"domain\":1,\"vcpu\":0}\n"};
    measures_init(&m);
    for (int f = 0; f < 4; f++) {
        prepare(&w, &relation, 1, "domain,vcpu", NULL, 1u << BY_DOMAIN | 1u << BY_VCPU);
        begin(&w, formats[f]);
        put(&w, &relation_rows, &tenth, BY_DOMAIN, &domain, 1);
        put(&w, &relation_rows, &tenth, BY_VCPU, &vcpu, 1);
        finish(&w);
        if (f < 2)
            SAME_TEXT(w.text, texts[f]);
        const char *first = strstr(w.text, f == 2 ? "\"by\": \"domain\"" : "by domain\n");
        const char *second = strstr(w.text, f == 2 ? "\"by\": \"vcpu\"" : "by vcpu\n");
        CHECK(f < 2 || (first && second && first < second));
    }
}

/* A table's number without its commas. */
static void check_cell(double x, unsigned digits)
{
    const struct column column = {.unit = UNIT_COUNT};
    const struct scale scale = {.unit = "", .divisor = 1, .digits = digits};
    char cell[CELL_BYTES], expected[CELL_BYTES], *to = cell;
    size_t width = cell_of(cell, &column, &scale, decimal(x));
    EQUAL(width, strlen(cell));
    for (const char *at = cell; *at; at++)
        if (*at != ',')
            *to++ = *at;
    *to = '\0';
    snprintf(expected, sizeof expected, "%.*f", (int)digits, x);
    SAME_TEXT(cell, expected);
}

static void numbers_of_tables_are_rounded_as_printf_rounds(void)
{
    static const double hard[] = {1.125,  1.375,       0.5,          1.5,        2.5,        1.005,
                                  2.015,  1.0005,      999.9995,     1e9 - 0.5,  999999.95,  123456.5,
                                  8.5e-1, 999999999.5, 1000000000.5, 0.99999949, 1e15 + 0.3, 34.9999995};
    uint64_t seed = 1;
    for (unsigned digits = 0; digits < 4; digits++) {
        for (size_t i = 0; i < sizeof hard / sizeof *hard; i++) {
            check_cell(hard[i], digits);
            if (hard[i] > 1) /* 0 has no sign */
                check_cell(-hard[i], digits);
        }
        for (unsigned i = 1; i < 20000; i++) {
            check_cell((double)(random64(&seed) >> (20 + random_below(&seed, 40))) / 1e6 + 0.5, digits);
            check_cell((double)i / 2000 + 0.5, digits); /* every other one lies in the middle between two */
        }
    }
}

CU_TestInfo relations_tests[] = {
    TEST(a_new_relation_goes_to_csv),
    TEST(a_new_relation_goes_to_jsonl),
    TEST(a_new_relation_goes_to_json),
    TEST(a_new_relation_has_a_table_with_sums),
    TEST(sums_pass_over_what_is_unknown),
    TEST(domains_and_pcpus_choose_rows),
    TEST(each_relation_shows_the_columns_it_has_in_the_order_given),
    TEST(a_relation_without_chosen_columns_is_left_out),
    TEST(an_unknown_column_is_told_with_the_nearest_of_all_relations),
    TEST(a_limit_keeps_the_first_of_what_sorting_all_gives),
    TEST(a_limit_alone_takes_the_first_that_come),
    TEST(ordering_keeps_to_its_memory),
    TEST(rows_by_several_tell_by_which),
    TEST(numbers_of_tables_are_rounded_as_printf_rounds),
    CU_TEST_INFO_NULL,
};
