#include "tests/fuzz/read_text.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/must.h"

/* ---- values ---- */

void expected_add(struct expected *e, const struct column *column, struct value v)
{
    if (e->n == e->capacity) {
        e->capacity = 2 * e->capacity + 256;
        e->at = realloc(e->at, e->capacity * sizeof *e->at);
        MUST(e->at, "no memory");
    }
    struct expected_value *to = &e->at[e->n++];
    *to = (struct expected_value){.column = column, .type = v.type};
    if (v.type == VALUE_INTEGER)
        to->integer = v.integer;
    else if (v.type == VALUE_DECIMAL)
        to->decimal = v.decimal;
    else if (v.type == VALUE_TEXT)
        snprintf(to->text, sizeof to->text, "%s", v.text);
}

void expected_free(struct expected *e)
{
    free(e->at);
}

static const struct expected_value *next(struct expected *e, const struct column *column)
{
    MUST(e->read < e->n, "%s of a row that was not written", column->name);
    const struct expected_value *v = &e->at[e->read++];
    MUST(v->column == column, "%s where %s was written", column->name, v->column->name);
    return v;
}

void expected_check_null(struct expected *e, const struct column *column)
{
    const struct expected_value *v = next(e, column);
    MUST(v->type == VALUE_NONE, "%s: nothing, written as type %d", column->name, v->type);
}

void expected_check_text(struct expected *e, const struct column *column, const char *text)
{
    const struct expected_value *v = next(e, column);
    MUST(v->type == VALUE_TEXT && strcmp(v->text, text) == 0, "%s: \"%s\", written \"%s\"", column->name,
         text, v->text);
}

void expected_check_integer(struct expected *e, const struct column *column, int64_t integer)
{
    const struct expected_value *v = next(e, column);
    bool same = v->type == VALUE_INTEGER
                    ? v->integer == integer
                    : v->type == VALUE_DECIMAL && fabs(v->decimal - (double)integer) <= 0.5;
    MUST(same, "%s: %" PRId64 ", written %" PRId64 " %f", column->name, integer, v->integer, v->decimal);
}

void expected_check_number(struct expected *e, const struct column *column, double number, unsigned digits)
{
    const struct expected_value *v = next(e, column);
    double written = v->type == VALUE_DECIMAL ? v->decimal : (double)v->integer;
    double off = fabs(written - number), most = 0.5 * pow(10, -(double)digits) + fabs(written) * 1e-12;
    MUST(v->type == VALUE_DECIMAL && off <= most, "%s: %.17g, written %.17g with %u digits", column->name,
         number, written, digits);
}

void expected_check_end(const struct expected *e)
{
    MUST(e->read == e->n, "%zu values were read, %zu written", e->read, e->n);
}

/* ---- CSV and TSV ---- */

/* Reads a field that ends before `separator` or a line's end, and moves *at there. Returns it, ended by a zero byte over what follows. */
static char *csv_field(char **at, char separator, char *ended_by)
{
    char *from = *at, *to = from;
    if (*from == '"') {
        char *p = from + 1;
        for (; *p != '"' || p[1] == '"'; p += *p == '"' ? 2 : 1) {
            MUST(*p, "quotes do not end");
            *to++ = *p;
        }
        *at = p + 1;
    } else {
        to = from + strcspn(from, (char[]){separator, '\n', '\0'});
        *at = to;
    }
    *ended_by = **at;
    *to = '\0';
    return from;
}

static char *tsv_field(char **at, char *ended_by)
{
    char *from = *at, *to = from, *p = from;
    for (; *p && *p != '\t' && *p != '\n'; p++) {
        if (*p != '\\') {
            *to++ = *p;
            continue;
        }
        p++;
        *to++ = *p == 't' ? '\t' : *p == 'n' ? '\n' : *p == 'r' ? '\r' : *p;
    }
    *at = p;
    *ended_by = *p;
    *to = '\0';
    return from;
}

static void check_field(struct expected *e, const struct column *column, const char *text)
{
    char *end;
    if (e->read < e->n && e->at[e->read].type == VALUE_TEXT) {
        expected_check_text(e, column, text);
    } else if (!*text) {
        expected_check_null(e, column);
    } else if (text[strspn(text, "-0123456789")] == '\0') {
        expected_check_integer(e, column, strtoll(text, NULL, 10));
    } else {
        double number = strtod(text, &end);
        MUST(!*end, "%s: \"%s\" is no number", column->name, text);
        expected_check_number(e, column, number, column->digits);
    }
}

void read_fields(struct expected *e, const struct shown *shown, char *text, size_t n, bool tabs)
{
    char *at = text;
    for (size_t line = 0; at && at < text + n; line++) {
        for (size_t c = 0; c < shown->n; c++) {
            char ended_by, wanted = c + 1 == shown->n ? '\n' : tabs ? '\t' : ',';
            const char *field = tabs ? tsv_field(&at, &ended_by) : csv_field(&at, ',', &ended_by);
            MUST(ended_by == wanted, "line %zu: field %zu of %zu ends with 0x%02x", line + 1, c + 1, shown->n,
                 (unsigned)ended_by);
            at++;
            if (line == 0)
                MUST(strcmp(field, shown->columns[c]->name) == 0, "the header has \"%s\"", field);
            else
                check_field(e, shown->columns[c], field);
        }
    }
}
