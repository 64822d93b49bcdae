/* Tables: units that do not change in a run, headings of groups, and what a narrow terminal shows. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "formats/safe_text.h"
#include "formats/table_cell.h"
#include "formats/wrap.h"
#include "formats/writer.h"
#include "metrics/relation/relation_table.h"
#include "suites.h"

/* ---- a relation of its own ---- */

struct walk {
    int32_t dog;
    uint64_t walked_ns, longest_ns;
    const char *said;
};

static struct value said(const struct row_view *v)
{
    return text(((const struct walk *)v->row)->said);
}

static struct value of_group(const struct row_view *v)
{
    return of_u64(((const struct walk *)v->row)->longest_ns);
}

static const struct column columns[] = {
    INTERVAL_COLUMNS(0),
    {COLUMN_HEAD(dog, "dog", NONE, 0, KEY | LEFT, D, "which"), COLUMN_MEMBER(struct walk, dog, I32, NOT)},
    {COLUMN_HEAD(walked_ns, "walked", NS, 0, KEEP, D, "how long"),
     COLUMN_MEMBER(struct walk, walked_ns, U64, NOT)},
    {COLUMN_HEAD(run_mean_ns, "run mean", NS_EACH, 0, 0, D, "mean"), .get = of_group},
    {COLUMN_HEAD(run_max_ns, "run max", NS_EACH, 0, KEEP, D, "longest"), .get = of_group},
    {COLUMN_HEAD(said, "said", NONE, 0, LEFT | WHOLE | TEXT, D, "what it said"), .get = said},
};
static const struct relation walks = {.name = "walk",
                                      .title = "walks",
                                      .none = "none\n",
                                      .row_size = sizeof(struct walk),
                                      .columns = columns,
                                      .columns_n = sizeof columns / sizeof *columns};

static const struct walk rows[] = {{1, 1500000000, 2500000, "wuff"},
                                   {2, 20000000, 7, "wuff wuff wuff wuff wuff wuff wuff wuff"}};

/* ---- writing ---- */

static char written[16384];

/* The table of `n` rows in one interval of `length_ns`, -c `list`, on a terminal of `width` columns (0: none). */
static const char *table_of(size_t n, uint64_t length_ns, uint64_t granularity_ns, const char *list,
                            unsigned width)
{
    struct column_choice choice;
    struct error err;
    char path[] = "/tmp/xenmeter-tables-XXXXXX";
    const struct relation *relation = &walks;
    const struct report_schema schema = {.name = "report",
                                         .choice = &choice,
                                         .bys = 1,
                                         .granularities_ns = &granularity_ns,
                                         .granularities = 1,
                                         .width = width};
    const struct interval interval = {.granularity_ns = granularity_ns, .end_ns = length_ns};
    struct quality quality = {0};
    struct judgement judgement = {.verdict = VERDICT_GOOD};
    const struct report_summary summary = {.quality = &quality, .judgement = &judgement};
    EQUAL(choice_make(&choice, &relation, 1, list, NULL, 0, &err), 0);
    close(mkstemp(path));
    struct output *out = output_open(path, &err);
    struct writer *w = writer_new("table", out, &schema, &err);
    const struct rows all = {.relation = &walks, .interval = &interval, .at = rows, .n = n};
    EQUAL(writer_rows(w, &all), 0);
    EQUAL(writer_end(w, &summary), 0);
    EQUAL(output_commit(out, &err), 0);
    FILE *file = fopen(path, "r");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    written[fread(written, 1, sizeof written - 1, file)] = '\0';
    fclose(file);
    unlink(path);
    choice_free(&choice);
    return written;
}

/* Shows the text where the part is missing. */
static void check_part(const char *all, const char *part, unsigned line)
{
    check_true(strstr(all, part) != NULL, part, __FILE__, line);
    if (!strstr(all, part))
        printf("%s", all);
}

#define SAYS(TEXT, PART) check_part(TEXT, PART, __LINE__)

/* ---- units ---- */

static void check_unit(enum unit unit, uint64_t shortest_ns, const char *expected)
{
    const struct column column = {.unit = unit};
    struct scale scale = scale_of(&column, shortest_ns, TIMES_RELATIVE);
    SAME_TEXT(scale.unit, expected);
    EQUAL(scale.digits, 3);
}

static void units_follow_from_the_shortest_interval(void)
{
    check_unit(UNIT_NS, 0, "s");
    check_unit(UNIT_NS, 10000000000, "s");
    check_unit(UNIT_NS, 9999999999, "ms");
    check_unit(UNIT_NS, 1000000, "ms");
    check_unit(UNIT_NS, 999999, "us");
    check_unit(UNIT_NS_EACH, 0, "ms");
    check_unit(UNIT_NS_EACH, 10000000000, "ms");
    check_unit(UNIT_NS_EACH, 1000000, "ms");
    check_unit(UNIT_NS_EACH, 999999, "us");
    check_unit(UNIT_NS_COST, 10000000000, "us");
}

static void a_table_has_these_units(void)
{
    const char *text = table_of(2, 20000000000, 0, NULL, 0);
    SAYS(text, "     walked  --- run ms ---\n"
               "dog       s    mean     max  said\n");
    SAYS(text, "\n1     1.500   2.500   2.500  wuff\n");
    SAYS(text, "\n2     0.020  <0.001  <0.001  wuff wuff");
    text = table_of(2, 5000000000, 5000000000, NULL, 0);
    SAYS(text, "        walked  --- run ms ---\n");
    SAYS(text, "\n1    1,500.000   2.500   2.500  wuff\n");
    text = table_of(2, 500000, 500000, NULL, 0);
    SAYS(text, "\n1    1,500,000.000  2,500.000  2,500.000  wuff\n");
}

/* ---- narrow terminals ---- */

static void what_matters_least_is_left_out_first(void)
{
    const char *text = table_of(2, 20000000000, 0, NULL, 48);
    SAYS(text, "dog       s    mean     max  said\n");
    SAYS(text, "wuff wuff wuff\n                             wuff"); /* the rest below its column */
    CHECK(!strstr(text, "left out"));
    text = table_of(2, 20000000000, 0, NULL, 30);
    SAYS(text, "dog       s    mean     max\n");
    SAYS(text, "left out at 30 columns: said");
    text = table_of(2, 20000000000, 0, NULL, 24);
    SAYS(text, "     walked     run\n"); /* no longer a group */
    SAYS(text, "dog       s  max ms\n");
    SAYS(text, "left out at 24 columns:\n  run_mean_ns, said");
}

static void what_is_still_too_wide_is_stacked(void)
{
    const char *text = table_of(2, 20000000000, 0, "dog,walked_ns,run_mean_ns,run_max_ns", 24);
    SAYS(text, "dog               1\n");
    SAYS(text, "run max ms    2.500\n");
    CHECK(!strstr(text, "left out"));
    text = table_of(2, 20000000000, 0, "dog,walked_ns,run_mean_ns,run_max_ns", 27);
    SAYS(text, "dog       s    mean     max\n");
    text = table_of(1, 20000000000, 0, "all", 40);
    SAYS(text, "dog            1\n");
    SAYS(text, "granularity s  0\n");
    SAYS(text, "end s          20.000\n");
    text = table_of(2, 20000000000, 0, "walked_ns,dog", 40); /* chosen, and it fits */
    SAYS(text, "walked\n     s  dog\n");
}

static void no_line_is_wider_than_the_terminal(void)
{
    static const char *const lists[] = {NULL, "all", "said,dog,said,run_mean_ns"};
    for (unsigned width = 18; width < 120; width++)
        for (size_t i = 0; i < 3; i++)
            for (const char *line = table_of(2, 20000000000, 0, lists[i], width); *line;) {
                size_t n = strcspn(line, "\n");
                if (text_width(line, n) > width)
                    check_part("", line, __LINE__);
                line += n + (line[n] != '\0');
            }
}

/* ---- breaking lines ---- */

static void check_wrap(const char *from, unsigned width, unsigned indent, const char *expected)
{
    struct buffer b = {0};
    buffer_text(&b, from);
    wrap_lines(&b, 0, width, indent);
    buffer_add(&b, "", 1);
    SAME_TEXT(b.at, expected);
    buffer_free(&b);
}

static void lines_are_broken_at_blanks(void)
{
    check_wrap("one two three\n", 0, 2, "one two three\n");
    check_wrap("one two three\n", 13, 2, "one two three\n");
    check_wrap("one two three four five six\n", 18, 2, "one two three four\n  five six\n");
    check_wrap("one two three four five six", 17, 1, "one two three\n four five six");
    check_wrap("one     two\n\nthree\n", 6, 2, "one\ntwo\n\nthree\n"); /* too little room to indent */
}

static void words_wider_than_a_line_are_broken(void)
{
    check_wrap("abcdefghij\n", 4, 0, "abcd\nefgh\nij\n");
    check_wrap("ab cdefghij\n", 4, 0, "ab\ncdef\nghij\n");
}

static void colours_take_no_room_and_wide_characters_two(void)
{
    check_wrap("\033[1mone two\033[0m\n", 7, 0, "\033[1mone two\033[0m\n");
    EQUAL(text_width("\033[31mab\033[0m", 11), 2);
    if (safe_width("\xe4\xb8\x96", 3) == 2) /* the C library knows UTF-8 */
        check_wrap("\xe4\xb8\x96 \xe4\xb8\x96\n", 4, 0, "\xe4\xb8\x96\n\xe4\xb8\x96\n");
}

CU_TestInfo tables_tests[] = {
    TEST(units_follow_from_the_shortest_interval),
    TEST(a_table_has_these_units),
    TEST(what_matters_least_is_left_out_first),
    TEST(what_is_still_too_wide_is_stacked),
    TEST(no_line_is_wider_than_the_terminal),
    TEST(lines_are_broken_at_blanks),
    TEST(words_wider_than_a_line_are_broken),
    TEST(colours_take_no_room_and_wide_characters_two),
    CU_TEST_INFO_NULL,
};
