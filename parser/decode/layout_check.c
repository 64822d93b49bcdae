#include "layout_check.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "event_fields.h"

#define NUMBER_BITS 28 /* of an event number */

struct layout_state {
    unsigned words, fields;
    bool ended; /* an item that repeats was the last one */
    struct error *err;
};

unsigned layout_name(const char *text)
{
    unsigned n = 0;
    if (!islower((unsigned char)text[0]))
        return 0;
    while (islower((unsigned char)text[n]) || isdigit((unsigned char)text[n]) || text[n] == '_')
        n++;
    return n;
}

static int wrong(struct layout_state *s, const char *item, const char *wanted)
{
    return error_set(s->err, ERROR_USAGE, "the item '%.*s' of the layout: %s", (int)strcspn(item, " "), item,
                     wanted);
}

/* Reads the name and its colon; NULL with the error set. */
static const char *read_name(struct layout_state *s, const char *item)
{
    unsigned n = layout_name(item);
    if (n == 0 || item[n] != ':' || n >= sizeof((struct field *)0)->name) {
        wrong(s, item, "wants NAME:TYPE, \"dv\", \"pad\" or {PARTS}, with names of at most 23 characters");
        return NULL;
    }
    s->fields++;
    return item + n + 1;
}

/* Reads u, i, hex or flag and the number of bits after it (1 of a flag). NULL: no such type. */
static const char *read_kind(const char *text, unsigned *bits)
{
    static const char *const kinds[] = {"flag", "hex", "u", "i"};
    for (unsigned i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        size_t n = strlen(kinds[i]);
        if (strncmp(text, kinds[i], n) != 0)
            continue;
        char *end = (char *)(uintptr_t)(text + n);
        *bits = i == 0 ? 1 : isdigit((unsigned char)text[n]) ? (unsigned)strtoul(text + n, &end, 10) : 0;
        return *bits >= 1 && *bits <= 64 ? end : NULL;
    }
    return NULL;
}

/* Reads "=TABLE", if it is there. NULL with the error set: there is no such table. */
static const char *read_table(struct layout_state *s, const char *item, const char *p)
{
    if (*p != '=')
        return p;
    size_t n = strcspn(p + 1, " }*");
    if (name_table_find(p + 1, n))
        return p + 1 + n;
    wrong(s, item, "there is no table of names of that name");
    return NULL;
}

/* "op:u20": a part of a packed word. */
static const char *read_part(struct layout_state *s, const char *part, unsigned *shift)
{
    unsigned bits;
    const char *p = read_name(s, part);
    if (!p)
        return NULL;
    if (!(p = read_kind(p, &bits)) || bits > 31 || (*shift += bits) > 32) {
        wrong(s, part, "a part wants u, i or hex and 1 to 31 bits, and all of a word have 32 at most");
        return NULL;
    }
    return read_table(s, part, p);
}

/* "{cpu:u16 idle:u8}". Returns what follows. */
static const char *read_packed(struct layout_state *s, const char *item)
{
    unsigned shift = 0;
    const char *p = item + 1;
    for (;;) {
        if (!(p = read_part(s, p, &shift)))
            return NULL;
        if (*p == '}')
            break;
        if (*p++ != ' ') {
            wrong(s, item, "parts are divided by one blank, and end with a }");
            return NULL;
        }
    }
    s->words++;
    return p + 1;
}

/* "levels:u2@8+2", after its kind: bits of the event number. */
static const char *read_number_bits(struct layout_state *s, const char *item, const char *p, unsigned bits)
{
    char *end;
    unsigned long bit = strtoul(p + 1, &end, 10);
    bool fits = isdigit((unsigned char)p[1]) && bits <= NUMBER_BITS && bit + bits <= NUMBER_BITS;
    p = end;
    if (fits && *p == '+') {
        fits = isdigit((unsigned char)p[1]) && !isdigit((unsigned char)p[2]);
        p += 2;
    }
    if (fits)
        return read_table(s, item, p);
    wrong(s, item, "bits of the event number want KIND BITS@BIT, perhaps +DIGIT, within its 28 bits");
    return NULL;
}

/* "name:u64=table", "words:hex32*". */
static const char *read_word(struct layout_state *s, const char *item)
{
    unsigned bits;
    const char *type = read_name(s, item), *p;
    if (!type)
        return NULL;
    if ((p = read_kind(type, &bits)) && *p == '@')
        return read_number_bits(s, item, p, bits);
    if (!p || (bits != 32 && (bits != 64 || *type == 'i'))) {
        wrong(s, item, "a word wants u32, i32 or hex32, two words u64 or hex64");
        return NULL;
    }
    if (!(p = read_table(s, item, p)))
        return NULL;
    s->ended = *p == '*' && bits == 32;
    s->words += s->ended ? 0 : bits / 32;
    return p + s->ended;
}

static const char *read_item(struct layout_state *s, const char *item)
{
    if (*item == '{')
        return read_packed(s, item);
    if (strncmp(item, "dv", 2) == 0 && (item[2] == ' ' || !item[2])) {
        s->words++;
        s->fields += 2;
        return item + 2;
    }
    if (strncmp(item, "pad", 3) == 0 && item[3] != ':' && !layout_name(item + 3)) {
        s->ended = item[3] == '*';
        s->words += !s->ended;
        return item + 3 + s->ended;
    }
    if (strncmp(item, "arguments*", 10) == 0) {
        wrong(s, item, "is for hypercalls only");
        return NULL;
    }
    return read_word(s, item);
}

int layout_check(const char *fields, unsigned words, struct error *err)
{
    struct layout_state s = {.err = err};
    for (const char *p = fields; *p;) {
        const char *item = p;
        if (s.ended)
            return wrong(&s, item, "nothing may follow an item that repeats");
        if (!(p = read_item(&s, item)))
            return -1;
        if (*p && (*p != ' ' || !p[1]))
            return wrong(&s, item, "items are divided by one blank");
        p += *p == ' ';
    }
    if (s.fields > FIELDS_MAX)
        return error_set(err, ERROR_USAGE, "the layout has %u fields: %d at most", s.fields, FIELDS_MAX);
    if (s.words > RECORD_WORDS_MAX ||
        (words != LAYOUT_ANY_WORDS && (s.words > words || (s.words < words && !s.ended))))
        return error_set(err, ERROR_USAGE, "the layout takes %u words, not %u", s.words,
                         words == LAYOUT_ANY_WORDS ? RECORD_WORDS_MAX : words);
    return 0;
}
