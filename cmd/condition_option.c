/* Reads conditions: a column, a limit, and of whom. */
#include "condition_option.h"

#include <ctype.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "options.h"

#define WORD_BYTES 64
#define IDS        65536

/* What is read, where the next word begins, and how it may look. */
struct reader {
    struct condition *to;
    const char *rest;
    const struct condition_syntax *syntax;
    struct error *err;
};

/* "--OPTION 'TEXT': WHY". Returns -1. */
static int refuse(const struct reader *r, const char *format, ...) __attribute__((format(printf, 2, 3)));
static int refuse(const struct reader *r, const char *format, ...)
{
    char why[200];
    va_list args;
    va_start(args, format);
    vsnprintf(why, sizeof why, format, args);
    va_end(args);
    return error_set(r->err, ERROR_USAGE, "--%s '%.80s': %s", r->syntax->option, r->to->text, why);
}

static int refuse_form(const struct reader *r)
{
    return refuse(r, "wanted is %s", r->syntax->wanted);
}

/* ---- words ---- */

/* The next word, in WORD_BYTES; false: there is none, or it is longer. */
static bool next_word(struct reader *r, char *word)
{
    r->rest += strspn(r->rest, " \t");
    size_t n = strcspn(r->rest, " \t");
    snprintf(word, WORD_BYTES, "%.*s", (int)n, r->rest);
    r->rest += n;
    r->rest += strspn(r->rest, " \t");
    return n > 0 && n < WORD_BYTES;
}

/* The column of that name, whose unit may be left out: "wait_p99" is wait_p99_ns. NULL: none. */
static const struct comparable *column_of(const struct condition_syntax *s, const char *word)
{
    static const char *const endings[] = {"", "_ns", "_pct", "_per_s"};
    const struct comparable *of = s->more && strcmp(word, s->more->name) == 0 ? s->more : NULL;
    for (size_t i = 0; i < sizeof endings / sizeof *endings && !of; i++) {
        char name[WORD_BYTES + 8];
        snprintf(name, sizeof name, "%s%s", word, endings[i]);
        of = comparable_find(name);
    }
    return of;
}

/* A number, and what follows it. -1: there is none. */
static int number_of(const char *word, double *number, const char **unit)
{
    char *end;
    if (!isdigit((unsigned char)*word) && *word != '.')
        return -1;
    if (strspn(word, "0123456789.") < strcspn(word, "xXeE") && strpbrk(word, "xX"))
        return -1;
    *number = strtod(word, &end);
    *unit = end;
    return end > word && isfinite(*number) ? 0 : -1;
}

static bool is_one_of(const char *unit, const char *a, const char *b)
{
    return !*unit || strcmp(unit, a) == 0 || strcmp(unit, b) == 0;
}

/* ---- the limit ---- */

/* The limit in the unit of the column. */
static int set_limit(struct reader *r, const char *word)
{
    struct condition *c = r->to;
    enum unit unit = comparable_unit(c->of);
    const char *name;
    uint64_t ns;
    if (number_of(word, &c->limit, &name) != 0)
        return refuse(r, "'%.40s' is no number; wanted is %s", word, r->syntax->wanted);
    c->relative = c->kind == CONDITION_CHANGE && strcmp(name, "%") == 0;
    if (c->relative)
        return 0;
    if (unit == UNIT_NS) {
        if (!*name)
            return refuse(r, "%s wants a unit after %s: %sus, ms or s", c->of->name, word,
                          r->syntax->levels_only ? "" : "%, ");
        if (parse_duration(r->syntax->option, word, strlen(word), &ns, r->err) != 0)
            return -1;
        c->limit = (double)ns;
        return 0;
    }
    bool change = c->kind == CONDITION_CHANGE;
    bool fits = unit == UNIT_PERCENT      ? is_one_of(name, "points", change ? "pt" : "%")
                : unit == UNIT_PER_SECOND ? is_one_of(name, "/s", "")
                                          : !*name;
    return fits ? 0 : refuse(r, "%s has no unit '%.20s'", c->of->name, name);
}

/* "+20%" "-5ms" "20%"; "> 5ms", also without the blank. */
static int parse_limit(struct reader *r)
{
    struct condition *c = r->to;
    char word[WORD_BYTES];
    const char *number = word;
    if (!next_word(r, word))
        return refuse_form(r);
    if (*word == '>' || *word == '<') {
        c->kind = *word == '>' ? CONDITION_ABOVE : CONDITION_BELOW;
        number++;
        if (!*number && next_word(r, word))
            number = word;
    } else if (r->syntax->levels_only) {
        return refuse_form(r);
    } else if (*word == '+' || *word == '-') {
        c->sign = *word == '+' ? 1 : -1;
        number++;
    }
    return set_limit(r, number);
}

/* ---- of whom ---- */

/* "in web*", "in 3", "in 3-5", "in all". */
static int parse_where(struct reader *r)
{
    struct condition *c = r->to;
    char word[WORD_BYTES];
    size_t first, last;
    if (!*r->rest)
        return 0;
    if (!next_word(r, word) || strcmp(word, "in") != 0 || !*r->rest)
        return refuse_form(r);
    c->where = strcmp(r->rest, "all") == 0 ? NULL : r->rest;
    const char *at = r->rest;
    if (isdigit((unsigned char)*at) && range_below(&at, IDS, &first, &last) == 0 && !*at) {
        c->first = (int32_t)first;
        c->last = (int32_t)last;
    }
    return 0;
}

int condition_parse(struct condition *c, const struct condition_syntax *syntax, const char *text,
                    struct error *err)
{
    char word[WORD_BYTES];
    struct reader r = {.to = c, .rest = text, .syntax = syntax, .err = err};
    *c = (struct condition){.text = text, .first = -1, .last = -1};
    if (!next_word(&r, word))
        return refuse_form(&r);
    char *sign = strpbrk(word, "<>"); /* no blank stands before it */
    if (sign && sign > word)
        r.rest = text + strcspn(text, "<>");
    if (sign)
        *sign = '\0';
    c->of = column_of(syntax, word);
    if (!c->of)
        return refuse(&r, "'%.40s' is no column to compare by; %s", word, syntax->list);
    if (parse_limit(&r) != 0)
        return -1;
    return parse_where(&r);
}
