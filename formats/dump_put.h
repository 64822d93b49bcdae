/*
 * Writes the fields of a record. All of it is inlined into each format, with a style that is known when it is compiled:
 * this is where a dump spends its time.
 */
#ifndef XENMETER_FORMATS_DUMP_PUT_H
#define XENMETER_FORMATS_DUMP_PUT_H

#include <string.h>

#include "formats/dump_steps.h"

#define INLINED static inline __attribute__((always_inline))

INLINED char *dump_put(char *to, const char *text)
{
    size_t n = strlen(text);
    memcpy(to, text, n);
    return to + n;
}

/* A named value, or the number if it has no name. */
INLINED char *dump_put_named(char *to, const struct dump_style *style, const struct name_table *names,
                             uint64_t value, bool hex)
{
    const struct value_name *name = value_name(names, value);
    to = dump_put(to, style->quote);
    if (name) {
        memcpy(to, name->text, sizeof name->text);
        to += name->length;
    } else {
        to = hex ? digits_hex(to, value) : digits_decimal(to, value);
    }
    return dump_put(to, style->quote);
}

INLINED char *dump_put_hex(char *to, const struct dump_style *style, uint64_t value)
{
    return dump_put(digits_hex(dump_put(to, style->quote), value), style->quote);
}

INLINED char *dump_put_words(char *to, const struct dump_style *style, const uint32_t *w, unsigned n)
{
    to = dump_put(to, style->open);
    for (unsigned i = 0; i < n; i++) {
        if (i > 0)
            *to++ = ',';
        to = dump_put_hex(to, style, w[i]);
    }
    return dump_put(to, style->close);
}

INLINED char *dump_put_label(char *to, const struct dump_style *style, const char *name)
{
    return dump_put(dump_put(dump_put(to, style->before), name), style->between);
}

/* An argument of a hypercall; `number`: which one. */
INLINED char *dump_put_argument(char *to, const struct dump_style *style, const struct argument *a,
                                unsigned number, uint64_t value)
{
    char unnamed[] = "arg0";
    unnamed[3] = (char)('0' + number);
    to = dump_put_label(to, style, a && a->name ? a->name : unnamed);
    if (!a || !a->name)
        return dump_put(dump_put_hex(to, style, value), style->behind);
    if (a->names)
        return dump_put(dump_put_named(to, style, a->names, value, false), style->behind);
    bool preempted = a->preempted && value >> 31 & 1;
    to = dump_put(digits_decimal(to, preempted ? value & 0x7fffffff : value), style->behind);
    if (preempted)
        to = dump_put(dump_put(dump_put_label(to, style, "preempted"), "1"), style->behind);
    return to;
}

/* The arguments that the record holds: argmask, in the upper bits of the first word, has two bits for each. */
INLINED char *dump_put_arguments(char *to, const struct dump_style *style, const struct field *f,
                                 const struct dump_record *r)
{
    unsigned words = r->header >> 28 & 7, at = f->word;
    if (words <= at)
        return to; /* most calls have none */
    const struct argument *arguments = hypercall_arguments(r->w[0] & 0xfffff);
    uint32_t mask = r->w[0] >> 20;
    for (unsigned i = 0; mask != 0 && at < words; i++, mask >>= 2) {
        unsigned size = mask & 3;
        if (size == 0)
            continue;
        uint64_t value = r->w[at] | (size == 2 && at + 1 < words ? (uint64_t)r->w[at + 1] << 32 : 0);
        to = dump_put_argument(to, style, i < ARGUMENTS_NAMED ? &arguments[i] : NULL, i, value);
        at += size == 2 ? 2 : 1;
    }
    if (at < words) /* of which the mask does not tell */
        to = dump_put(dump_put_words(dump_put_label(to, style, "words"), style, r->w + at, words - at),
                      style->behind);
    return to;
}

/* Writes the fields of a record; returns where they end. */
INLINED char *dump_put_fields(const struct dump_steps *all, const struct dump_style *style,
                              const struct dump_record *r, char *to)
{
    const struct dump_steps *steps = &all[r->fields->id];
    for (const struct dump_step *s = steps->steps, *end = s + steps->n; s < end; s++) {
        const struct field *f = &s->field;
        uint64_t value = field_value(f, r->w);
        if (f->kind == FIELD_ARGUMENTS) {
            to = dump_put_arguments(to, style, f, r);
            continue;
        }
        if (f->kind == FIELD_FLAG && value == 0)
            continue;
        memcpy(to, s->label, sizeof s->label);
        to += s->length;
        if (f->names) {
            to = dump_put_named(to, style, f->names, value, f->kind == FIELD_HEX);
        } else if (f->kind == FIELD_HEX) {
            to = dump_put_hex(to, style, value);
        } else if (f->kind == FIELD_SIGNED) {
            to = digits_signed(to, (int64_t)value);
        } else if (f->kind == FIELD_WORDS) {
            unsigned words = r->header >> 28 & 7;
            to = dump_put_words(to, style, r->w + f->word, words > f->word ? words - f->word : 0);
        } else {
            to = digits_decimal(to, value);
        }
        to = dump_put(to, style->behind);
    }
    return to;
}

#undef INLINED

#endif
