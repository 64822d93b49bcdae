/* What is written of charges: hand-made driver domains, and the text that each format makes of them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "formats/charge_words.h"
#include "formats/writer.h"
#include "json_path.h"
#include "metrics/relation/charges.h"
#include "suites.h"

/* In 10 ms domain 0 ran for 8: 2 for guest 1, 4 for the second life of guest 2, 1.5 for itself, 0.5 for nobody knows whom. */
static const struct charge_guest guests[] = {
    {.domain = 1,
     .life = 1,
     .charged_ns = 2000000,
     .certain_ns = 2000000,
     .events[IO_NOTIFY] = 1,
     .charged_by_ns[IO_NOTIFY] = 2e6},
    {.domain = 2,
     .life = 2,
     .charged_ns = 4000000,
     .certain_ns = 3000000,
     .events[IO_NOTIFY] = 1,
     .events[IO_COPY] = 3,
     .inferred[IO_NOTIFY] = 1,
     .charged_by_ns[IO_NOTIFY] = 1e6,
     .charged_by_ns[IO_COPY] = 3e6,
     .charged_inferred_ns = 1e6},
};
static const struct charge_idd idd = {.domain = 0,
                                      .life = 1,
                                      .running_ns = 8000000,
                                      .charged_ns = 6000000,
                                      .own_ns = 1500000,
                                      .unattributed_ns = 500000,
                                      .executions = 3,
                                      .io_free_executions = 1,
                                      .unassigned[IO_NOTIFY] = 7,
                                      .guests = guests,
                                      .guests_n = 2};
static const struct interval whole = {.granularity_ns = 0, .start_ns = 0, .end_ns = 10000000};
static const struct interval tenth = {.granularity_ns = 10000000, .start_ns = 0, .end_ns = 10000000};

/* A report being written to a file of its own. */
struct writing {
    struct charge_options options;
    struct charge_schema charge;
    struct charge_summary seen;
    struct column_choice choice;
    struct report_schema schema;
    uint64_t granularities_ns[2];
    struct charge_rows rows;
    char path[64];
    struct output *out;
    struct writer *writer;
    char text[65536]; /* of the whole report, once it is complete */
};

static const char *web(const void *names, int32_t domain, uint32_t life)
{
    (void)names;
    return domain == 2 && life == 2 ? "web" : NULL;
}

static void prepare(struct writing *w)
{
    *w = (struct writing){.options = {.methods = CHARGE_AUTO, .weights[IO_NOTIFY] = 1, .weights[IO_COPY] = 1},
                          .charge.options = &w->options,
                          .seen = {.methods = CHARGE_NOTIFICATIONS | CHARGE_COPIES,
                                   .events[IO_NOTIFY] = 2,
                                   .events[IO_COPY] = 3},
                          .schema = {.name = "charge",
                                     .choice = &w->choice,
                                     .bys = 1,
                                     .granularities_ns = w->granularities_ns,
                                     .granularities = 1,
                                     .name_of = web,
                                     .charge = &w->charge},
                          .path = "/tmp/xenmeter-charge-XXXXXX"};
    const struct relation *relation = &relation_charges;
    struct error err;
    EQUAL(choice_make(&w->choice, &relation, 1, NULL, NULL, false, &err), 0);
}

static void begin(struct writing *w, const char *format)
{
    struct error err;
    close(mkstemp(w->path));
    w->out = output_open(w->path, &err);
    w->writer = writer_new(format, w->out, &w->schema, &err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(w->writer);
}

/* Ends the report and reads what it wrote into w->text. */
static void finish(struct writing *w)
{
    struct quality quality = {0};
    struct judgement judgement = {.verdict = VERDICT_GOOD};
    const struct report_summary summary = {.trace.file = "x.xt",
                                           .clock.cpu_hz = 1e9,
                                           .quality = &quality,
                                           .judgement = &judgement,
                                           .charges = &w->seen};
    struct error err;
    EQUAL(writer_end(w->writer, &summary), 0);
    EQUAL(output_commit(w->out, &err), 0);
    FILE *file = fopen(w->path, "r");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    w->text[fread(w->text, 1, sizeof w->text - 1, file)] = '\0';
    fclose(file);
    unlink(w->path);
    choice_free(&w->choice);
    free(w->rows.at);
}

static void put(struct writing *w, const struct interval *of, const struct charge_idd *charged, size_t n)
{
    CHECK(charge_rows_fill(&w->rows, charged, n));
    const struct rows rows = {.relation = &relation_charges,
                              .interval = of,
                              .at = w->rows.at,
                              .n = w->rows.n,
                              .groups = charged,
                              .groups_n = n};
    EQUAL(writer_rows(w->writer, &rows), 0);
}

static void write_once(struct writing *w, const char *format, const struct interval *of,
                       const struct charge_idd *charged)
{
    begin(w, format);
    put(w, of, charged, 1);
    finish(w);
}

static void check_says(const char *text, const char *part, unsigned line)
{
    check_true(strstr(text, part) != NULL, part, __FILE__, line);
}
#define SAYS(text, part) check_says(text, part, __LINE__)

/* ---- rows ---- */

#define HEADER                                                                                               \
    "granularity_ns,start_ns,end_ns,idd,idd_life,idd_name,idd_running_ns,idd_executions,"                    \
    "idd_io_free_executions,recipient,domain,life,name,charged_ns,share_pct,charged_pct,map,unmap,transfer," \
    "notify,copy,tx,rx,read,write,inferred_pct,measured_pct,measured_ns,certain_ns,inferred_ns,evidence\n"
#define GUEST_LINES                                                                                          \
    "0,0,10000000,0,1,,8000000,3,1,guest,1,1,,2000000,25.000,20.000,0,0,0,1,0,,,,,0.000,0.000,0,2000000,0,"  \
    "notify 100%\n"                                                                                          \
    "0,0,10000000,0,1,,8000000,3,1,guest,2,2,web,4000000,50.000,40.000,0,0,0,1,3,,,,,25.000,0.000,"          \
    "0,3000000,1000000,copy 75% notify 25%\n"

static void csv_has_a_line_for_each_guest_own_and_unattributed(void)
{
    static struct writing w;
    prepare(&w);
    write_once(&w, "csv", &whole, &idd);
    SAME_TEXT(w.text, HEADER GUEST_LINES
              "0,0,10000000,0,1,,8000000,3,1,own,,,,1500000,18.750,15.000,,,,,,,,,,,,,,,\n"
              "0,0,10000000,0,1,,8000000,3,1,unattributed,,,,500000,6.250,5.000,0,0,0,7,0,,,,,,,,,,\n");
}

static void chosen_guests_leave_the_other_lines_out(void)
{
    static struct writing w;
    static uint8_t domains[65536];
    domains[1] = domains[2] = 1;
    prepare(&w);
    w.schema.selection.domains = domains;
    write_once(&w, "csv", &whole, &idd);
    SAME_TEXT(w.text, HEADER GUEST_LINES);
}

static void a_driver_domain_that_did_not_run_has_no_share(void)
{
    static struct writing w;
    const struct charge_idd idle = {.domain = 5, .life = 1};
    prepare(&w);
    write_once(&w, "csv", &tenth, &idle);
    SAME_TEXT(w.text, HEADER "10000000,0,10000000,5,1,,0,0,0,own,,,,0,,0.000,,,,,,,,,,,,,,,\n"
                             "10000000,0,10000000,5,1,,0,0,0,unattributed,,,,0,,0.000,0,0,0,0,0,,,,,,,,,,\n");
}

static void jsonl_has_the_columns_of_csv(void)
{
    static struct writing w;
    prepare(&w);
    size_t columns = w.choice.fields_n;
    write_once(&w, "jsonl", &whole, &idd);
    json_t *line = json_loads(w.text, JSON_DISABLE_EOF_CHECK, NULL);
    EQUAL(json_object_size(line), columns);
    for (size_t i = 0; i < relation_charges.columns_n; i++)
        check_true((json_object_get(line, relation_charges.columns[i].name) != NULL) ==
                       !(relation_charges.columns[i].flags & (COLUMN_TIMELINES | COLUMN_TIMES)),
                   relation_charges.columns[i].name, __FILE__, __LINE__);
    EQUAL(json_integer_value(json_at(line, "charged_ns")), 2000000);
    CHECK(json_is_null(json_at(line, "name")));
    json_decref(line);
}

/* The first row of one driver domain. */
static struct charge_row first_row(const struct charge_idd *of)
{
    struct charge_rows rows = {0};
    CHECK(charge_rows_fill(&rows, of, 1));
    struct charge_row first = rows.at[0];
    free(rows.at);
    return first;
}

static void evidence_has_the_largest_part_first(void)
{
    const struct charge_guest guest = {.charged_ns = 1000,
                                       .charged_by_ns = {[IO_MAP] = 3, [IO_NOTIFY] = 297, [IO_COPY] = 700}};
    const struct charge_idd one = {.guests = &guest, .guests_n = 1};
    struct charge_row row = first_row(&one);
    SAME_TEXT(row.evidence, "copy 70% notify 30% map <1%");
}

static void evidence_is_of_all_that_is_charged(void)
{
    const struct charge_guest guest = {.charged_ns = 1000,
                                       .charged_by_ns[IO_MAP] = 400}; /* --charge-all: the rest */
    const struct charge_idd one = {.guests = &guest, .guests_n = 1};
    SAME_TEXT(first_row(&one).evidence, "map 40%");
}

static void evidence_of_every_kind_fits(void)
{
    struct charge_guest guest = {.charged_ns = IO_KINDS};
    for (int kind = 0; kind < IO_KINDS; kind++)
        guest.charged_by_ns[kind] = 1;
    const struct charge_idd one = {.guests = &guest, .guests_n = 1};
    struct charge_row row = first_row(&one);
    SAME_TEXT(row.evidence,
              "map 11% unmap 11% transfer 11% notify 11% copy 11% tx 11% rx 11% read 11% write 11%");
}

/* ---- the document ---- */

static void json_adds_up_and_has_the_evidence(void)
{
    static struct writing w;
    prepare(&w);
    write_once(&w, "json", &whole, &idd);
    json_t *document = json_loads(w.text, 0, NULL);
    SAME_TEXT(json_string_value(json_at(document, "schema")), "xenmeter.charge/1");
    json_t *d = json_at(document, "reports/0/intervals/0/idds/0");
    EQUAL(json_integer_value(json_at(d, "running_ns")), 8000000);
    EQUAL(json_integer_value(json_at(d, "charged_ns")), 6000000);
    EQUAL(json_integer_value(json_at(d, "own_ns")), 1500000);
    EQUAL(json_integer_value(json_at(d, "unattributed_ns")), 500000);
    EQUAL(json_integer_value(json_at(d, "executions")), 3);
    EQUAL(json_integer_value(json_at(d, "io_free_executions")), 1);
    EQUAL(json_integer_value(json_at(d, "unassigned/notify")), 7);
    EQUAL(json_array_size(json_at(d, "guests")), 2);
    json_t *guest = json_at(d, "guests/1");
    EQUAL(json_integer_value(json_at(guest, "domain")), 2);
    EQUAL(json_integer_value(json_at(guest, "life")), 2);
    SAME_TEXT(json_string_value(json_at(guest, "name")), "web");
    EQUAL(json_integer_value(json_at(guest, "charged_ns")), 4000000);
    CHECK(json_number_value(json_at(guest, "share_pct")) == 50);
    EQUAL(json_object_size(json_at(guest, "events")), IO_KINDS);
    EQUAL(json_integer_value(json_at(guest, "events/copy")), 3);
    EQUAL(json_integer_value(json_at(guest, "inferred/notify")), 1);
    CHECK(json_number_value(json_at(guest, "evidence/copy_pct")) == 75);
    CHECK(json_number_value(json_at(guest, "evidence/measured_pct")) == 0);
    CHECK(json_number_value(json_at(guest, "evidence/inferred_pct")) == 25);
    EQUAL(json_integer_value(json_at(guest, "measured_ns")), 0);
    EQUAL(json_integer_value(json_at(guest, "certain_ns")), 3000000);
    EQUAL(json_integer_value(json_at(guest, "inferred_ns")), 1000000);
    json_decref(document);
}

static void json_keeps_granularities_apart(void)
{
    static struct writing w;
    prepare(&w);
    w.granularities_ns[1] = tenth.granularity_ns;
    w.schema.granularities = 2;
    const struct interval next = {tenth.granularity_ns, tenth.end_ns, 2 * tenth.end_ns, BY_DOMAIN, 0, 0};
    begin(&w, "json");
    put(&w, &tenth, &idd, 1);
    put(&w, &next, &idd, 1);
    put(&w, &whole, NULL, 0);
    finish(&w);
    json_t *document = json_loads(w.text, 0, NULL);
    EQUAL(json_integer_value(json_at(document, "reports/0/granularity_ns")), 0);
    EQUAL(json_array_size(json_at(document, "reports/0/intervals")), 1);
    EQUAL(json_array_size(json_at(document, "reports/0/intervals/0/idds")), 0);
    EQUAL(json_array_size(json_at(document, "reports/1/intervals")), 2);
    EQUAL(json_integer_value(json_at(document, "reports/1/intervals/1/start_ns")), 10000000);
    json_decref(document);
}

/* A document keeps its shape: driver domains with their guests, of which the chosen columns are shown. */
static void json_of_chosen_columns_has_them_in_each_guest(void)
{
    static struct writing w;
    const struct relation *relation = &relation_charges;
    struct error err;
    prepare(&w);
    choice_free(&w.choice);
    EQUAL(choice_make(&w.choice, &relation, 1, "copy,domain,start_ns", "copy", false, &err), 0);
    w.schema.selection.limit = 1;
    write_once(&w, "json", &whole, &idd);
    json_t *document = json_loads(w.text, 0, NULL);
    json_t *d = json_at(document, "reports/0/intervals/0/idds/0");
    EQUAL(json_integer_value(json_at(d, "unattributed_ns")), 500000);
    EQUAL(json_array_size(json_at(d, "guests")), 1);
    EQUAL(json_object_size(json_at(d, "guests/0")), 2);
    EQUAL(json_integer_value(json_at(d, "guests/0/domain")), 2);
    EQUAL(json_integer_value(json_at(d, "guests/0/copy")), 3);
    json_decref(document);
}

static void json_tells_the_method_and_what_it_is_blind_to(void)
{
    static struct writing w;
    static uint8_t idds[65536];
    idds[0] = idds[5] = 1;
    prepare(&w);
    w.options = (struct charge_options){.methods = CHARGE_NOTIFICATIONS | CHARGE_COPIES,
                                        .weights = {[IO_NOTIFY] = 1.5, [IO_MAP] = 2},
                                        .interval_ns = 100000000,
                                        .spread_own = true,
                                        .idds = idds};
    w.charge.io_counts = "counts.csv";
    w.seen = (struct charge_summary){.methods = CHARGE_NOTIFICATIONS | CHARGE_COPIES,
                                     .events = {[IO_NOTIFY] = 4, [IO_COPY] = 3, [IO_TX] = 9},
                                     .inferred = {[IO_NOTIFY] = 2},
                                     .unassigned = {[IO_NOTIFY] = 6}};
    write_once(&w, "json", &whole, &idd);
    json_t *document = json_loads(w.text, 0, NULL), *method = json_at(document, "method");
    EQUAL(json_array_size(json_at(method, "charge_by")), 2);
    SAME_TEXT(json_string_value(json_at(method, "charge_by/0")), "copies");
    SAME_TEXT(json_string_value(json_at(method, "charge_by/1")), "notifications");
    CHECK(json_is_false(json_at(method, "charge_by_auto")));
    SAME_TEXT(json_string_value(json_at(method, "charge_per")), "interval=100ms");
    CHECK(json_number_value(json_at(method, "weights/notify")) == 1.5);
    CHECK(json_is_true(json_at(method, "charge_all")));
    EQUAL(json_array_size(json_at(method, "idds")), 2);
    EQUAL(json_integer_value(json_at(method, "idds/1")), 5);
    SAME_TEXT(json_string_value(json_at(method, "io_counts")), "counts.csv");
    EQUAL(json_integer_value(json_at(method, "events_seen/tx")), 9);
    EQUAL(json_integer_value(json_at(method, "events_inferred/notify")), 2);
    EQUAL(json_integer_value(json_at(method, "events_unassigned/notify")), 6);
    /* copies weigh nothing, packets belong to a method that was not asked for */
    EQUAL(json_object_size(json_at(method, "unused")), 2);
    EQUAL(json_integer_value(json_at(method, "unused/copy")), 3);
    EQUAL(json_integer_value(json_at(method, "unused/tx")), 9);
    json_decref(document);
}

static void charge_per_is_told_in_the_largest_whole_unit(void)
{
    char text[CHARGE_PER_BYTES];
    SAME_TEXT(charge_per_in_words(text, &(struct charge_options){.interval_ns = 0}), "task");
    SAME_TEXT(charge_per_in_words(text, &(struct charge_options){.per_execution = true}), "execution");
    SAME_TEXT(charge_per_in_words(text, &(struct charge_options){.interval_ns = 2000000000}), "interval=2s");
    SAME_TEXT(charge_per_in_words(text, &(struct charge_options){.interval_ns = 1500000000}),
              "interval=1500ms");
    SAME_TEXT(charge_per_in_words(text, &(struct charge_options){.interval_ns = 1234567}),
              "interval=1234567ns");
}

/* ---- the table ---- */

static void table_of_the_whole_trace_has_a_block_for_a_driver_domain(void)
{
    static struct writing w;
    prepare(&w);
    w.seen.unassigned[IO_NOTIFY] = 7;
    w.seen.events[IO_TX] = 9;
    write_once(&w, "table", &whole, &idd);
    SAYS(w.text, "driver domain 0: ran 8");
    SAYS(w.text, "80 % of a pCPU; charged 75 %, own 19 %, unattributed 6.2 %\n");
    SAYS(w.text, "3 dispatches; 1 executions ended without I/O\n");
    SAYS(w.text, "\n1                     2.000  25.00    20.00");
    SAYS(w.text, "\n2#2           web     4.000  50.00    40.00");
    SAYS(w.text, "copy 75% notify 25%\n");
    SAYS(w.text, "\nown                   1.500  18.75    15.00\n");
    SAYS(w.text, "\nunattributed          0.500   6.25     5.00");
    SAYS(w.text, "\ncharged by copies, notifications, per task; weights notify 1, copy 1\n");
    SAYS(w.text, "\nevents: notify 2, copy 3, tx 9\nnot looked at: tx 9\nof unknown guest: notify 7\n");
    CHECK(!strstr(w.text, "map")); /* a kind that does not occur has no column */
    CHECK(!strstr(w.text, "\033"));
}

static void table_of_intervals_has_a_line_for_a_guest(void)
{
    static struct writing w;
    prepare(&w);
    w.granularities_ns[0] = tenth.granularity_ns;
    write_once(&w, "table", &tenth, &idd);
    SAYS(w.text, "       0     0.010  0    2#2 ");
    SAYS(w.text, " 50.00    40.00     25.00  copy 75% notify 25%\n");
}

static void table_says_when_no_io_was_seen(void)
{
    static struct writing w;
    const struct charge_idd alone = {.domain = 0, .life = 1, .running_ns = 5, .own_ns = 5, .executions = 1};
    prepare(&w);
    memset(&w.seen, 0, sizeof w.seen);
    w.seen.idds = 1;
    write_once(&w, "table", &whole, &alone);
    SAYS(w.text, "charged 0 %, own 100 %, unattributed 0 %\n");
    SAYS(w.text, "\nno I/O was seen: ");
}

CU_TestInfo charge_formats_tests[] = {
    TEST(csv_has_a_line_for_each_guest_own_and_unattributed),
    TEST(chosen_guests_leave_the_other_lines_out),
    TEST(a_driver_domain_that_did_not_run_has_no_share),
    TEST(jsonl_has_the_columns_of_csv),
    TEST(evidence_has_the_largest_part_first),
    TEST(evidence_is_of_all_that_is_charged),
    TEST(evidence_of_every_kind_fits),
    TEST(json_adds_up_and_has_the_evidence),
    TEST(json_keeps_granularities_apart),
    TEST(json_of_chosen_columns_has_them_in_each_guest),
    TEST(json_tells_the_method_and_what_it_is_blind_to),
    TEST(charge_per_is_told_in_the_largest_whole_unit),
    TEST(table_of_the_whole_trace_has_a_block_for_a_driver_domain),
    TEST(table_of_intervals_has_a_line_for_a_guest),
    TEST(table_says_when_no_io_was_seen),
    CU_TEST_INFO_NULL,
};
