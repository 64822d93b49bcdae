/*
 * Writes the fields of a record. Inlined into each format, with a style known at compile time: a dump spends most of
 * its time here.
 */
#ifndef XENMETER_FORMATS_DUMP_PUT_H
#define XENMETER_FORMATS_DUMP_PUT_H

#include <string.h>

#include "formats/digits.h"
#include "formats/dump_steps.h"
#include "metrics/measure/dump.h"

#define INLINED static inline __attribute__((always_inline))

/* As stpcpy without its final zero: the compiler leaves that as a call even for the constant texts of a style. */
INLINED char *dump_put(char *to, const char *text)
{
    return mempcpy(to, text, strlen(text));
}

/* A named value, or the number if it has no name. Bits that do not belong to the name follow it: NAME|0xBITS. */
INLINED char *dump_put_named(char *to, const struct dump_style *style, const struct name_table *names,
                             uint64_t value, bool hex)
{
    const struct value_name *name = value_name(names, value);
    uint64_t rest = 0;
    if (!name && names->mask) {
        name = value_name(names, value & names->mask);
        rest = value & ~(uint64_t)names->mask;
    }
    to = dump_put(to, style->quote);
    if (name) {
        memcpy(to, name->text, sizeof name->text);
        to += name->length;
        if (rest) {
            *to++ = '|';
            to = digits_hex(to, rest);
        }
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

/* Writes a label that is not cached. */
INLINED char *dump_put_name(char *to, const struct dump_style *style, const char *name)
{
    return dump_put(dump_put(dump_put(to, style->before), name), style->between);
}

INLINED char *dump_put_label(char *to, const struct dump_label *label)
{
    memcpy(to, label->text, sizeof label->text);
    return to + label->length;
}

/* Writes an argument of a hypercall that has a name. */
INLINED char *dump_put_argument(char *to, const struct dump_style *style, const struct dump_label *label,
                                const struct argument *a, uint64_t value)
{
    to = dump_put_label(to, label);
    if (a->names)
        return dump_put(dump_put_named(to, style, a->names, value, false), style->behind);
    bool preempted = a->preempted && value >> 31 & 1;
    to = dump_put(digits_decimal(to, preempted ? value & ~(UINT64_C(1) << 31) : value), style->behind);
    if (preempted)
        to = dump_put(dump_put(dump_put_name(to, style, "preempted"), "1"), style->behind);
    return to;
}

/* The arguments that the record holds: argmask, in the upper bits of the first word, has two bits for each. */
INLINED char *dump_put_arguments(char *to, const struct dump_steps *steps, const struct dump_style *style,
                                 const struct field *f, const struct dump_record *r)
{
    unsigned words = r->header >> 28 & 7, at = f->word;
    uint32_t call = r->w[0] & 0xfffff, mask = r->w[0] >> 20;
    for (unsigned i = 0; mask != 0 && at < words; i++, mask >>= 2) {
        unsigned size = mask & 3;
        if (size == 0)
            continue;
        uint64_t value = r->w[at] | (size == 2 && at + 1 < words ? (uint64_t)r->w[at + 1] << 32 : 0);
        if (i < ARGUMENTS_NAMED && call < HYPERCALLS && steps->arguments[call][i].length) {
            to = dump_put_argument(to, style, &steps->arguments[call][i], &hypercall_arguments(call)[i],
                                   value);
        } else {
            char unnamed[] = "arg0";
            unnamed[3] = (char)('0' + i);
            to = dump_put(dump_put_hex(dump_put_name(to, style, unnamed), style, value), style->behind);
        }
        at += size == 2 ? 2 : 1;
    }
    if (at < words) /* words that the mask does not name */
        to = dump_put(dump_put_words(dump_put_name(to, style, "words"), style, r->w + at, words - at),
                      style->behind);
    return to;
}

/* Writes the fields of a record; returns where they end. */
INLINED char *dump_put_fields(const struct dump_steps *all, const struct dump_style *style,
                              const struct dump_record *r, char *to)
{
    const struct dump_step *s = all->lists[r->fields->id].steps;
    for (const struct dump_step *end = s + all->lists[r->fields->id].n; s < end; s++) {
        const struct field *f = s->field;
        unsigned words = r->header >> 28 & 7;
        uint64_t value = field_value(f, r->w);
        switch (f->kind) {
        case FIELD_NAMED:
            to = dump_put_named(dump_put_label(to, &s->label), style, f->names, value, f->hex);
            break;
        case FIELD_HEX:
            to = dump_put_hex(dump_put_label(to, &s->label), style, value);
            break;
        case FIELD_ID:
            to = dump_put(dump_put_label(to, &s->label), style->quote);
            to = dump_put(digits_hex_eight(dump_put(to, "0x"), (uint32_t)value), style->quote);
            break;
        case FIELD_SIGNED:
            to = digits_signed(dump_put_label(to, &s->label), (int64_t)value);
            break;
        case FIELD_TEXT:
            to = dump_put(dump_put_label(to, &s->label), style->quote);
            to = dump_put(dump_put(to, f->text), style->quote);
            break;
        case FIELD_FLAG:
            if (value == 0)
                continue;
            *(to = dump_put_label(to, &s->label)) = '1';
            to++;
            break;
        case FIELD_WORDS:
            to = dump_put_label(to, &s->label);
            to = dump_put_words(to, style, r->w + f->word, words > f->word ? words - f->word : 0);
            break;
        case FIELD_ARGUMENTS: /* most calls have none */
            to = words > f->word ? dump_put_arguments(to, all, style, f, r) : to;
            continue;
        default:
            to = digits_decimal(dump_put_label(to, &s->label), value);
            break;
        }
        to = dump_put(to, style->behind);
    }
    return to;
}

#undef INLINED

#endif
