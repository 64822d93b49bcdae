/* The values that were written, in order, against those that are read; and how CSV and TSV are read. */
#ifndef XENMETER_TESTS_FUZZ_READ_TEXT_H
#define XENMETER_TESTS_FUZZ_READ_TEXT_H

#include <stddef.h>
#include <stdint.h>

#include "formats/choice.h"

#define EXPECTED_TEXT 64

struct expected_value {
    const struct column *column;
    enum value_type type;
    int64_t integer;
    double decimal;
    char text[EXPECTED_TEXT];
};

struct expected {
    struct expected_value *at;
    size_t n, capacity;
    size_t read; /* how many were read so far */
};

void expected_add(struct expected *e, const struct column *column, struct value v);
void expected_free(struct expected *e);

/* The next value, of this column, was read: aborts if it is another one. A number was written with so many digits. */
void expected_check_null(struct expected *e, const struct column *column);
void expected_check_text(struct expected *e, const struct column *column, const char *text);
void expected_check_integer(struct expected *e, const struct column *column, int64_t integer);
void expected_check_number(struct expected *e, const struct column *column, double number, unsigned digits);

/* All that were written were read. */
void expected_check_end(const struct expected *e);

/* Reads n bytes of CSV, or of TSV with \t \n \r \\ escaped, and checks header and fields. `text` is changed. */
void read_fields(struct expected *e, const struct shown *shown, char *text, size_t n, bool tabs);

#endif
