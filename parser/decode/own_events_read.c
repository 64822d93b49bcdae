#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "layout_check.h"
#include "own_events_table.h"

struct own_text {
    const char *p, *end;
    unsigned line;
    struct own_events *own;
    struct error *err;
};

/* ---- words of the text ---- */

/* Puts "line N: " before a message. */
static int at_line(const struct own_text *t, const char *message)
{
    return error_set(t->err, ERROR_USAGE, "line %u: %s", t->line, message);
}

static int wanted(const struct own_text *t, const char *what)
{
    char message[160];
    int n = (int)strcspn(t->p, " \n\t,");
    if (t->p == t->end)
        snprintf(message, sizeof message, "the text ends where %s should be", what);
    else
        snprintf(message, sizeof message, "wants %s, not '%.*s'", what, n > 30 ? 30 : n < 1 ? 1 : n, t->p);
    return at_line(t, message);
}

/* Passes blanks, lines and comments. -1: a comment does not end. */
static int pass_blanks(struct own_text *t)
{
    for (;;) {
        for (; t->p < t->end && isspace((unsigned char)*t->p); t->p++)
            t->line += *t->p == '\n';
        if (t->end - t->p < 2 || t->p[0] != '/' || t->p[1] != '*')
            return 0;
        const char *end = strstr(t->p + 2, "*/");
        if (!end)
            return at_line(t, "a comment begins that does not end");
        for (; t->p < end + 2; t->p++)
            t->line += *t->p == '\n';
    }
}

static int read_sign(struct own_text *t, char sign)
{
    if (pass_blanks(t) != 0)
        return -1;
    if (*t->p == sign) {
        t->p++;
        return 0;
    }
    return wanted(t, (char[]){'\'', sign, '\'', '\0'});
}

/* A word of capitals, digits and _. */
static int read_word(struct own_text *t, char word[OWN_NAME_MOST + 1], const char *what)
{
    size_t n = 0;
    if (pass_blanks(t) != 0)
        return -1;
    while (isupper((unsigned char)t->p[n]) || (n > 0 && isdigit((unsigned char)t->p[n])) || t->p[n] == '_')
        n++;
    if (n == 0 || n > OWN_NAME_MOST)
        return wanted(t, what);
    snprintf(word, OWN_NAME_MOST + 1, "%.*s", (int)n, t->p);
    t->p += n;
    return 0;
}

static int read_number(struct own_text *t, uint32_t most, uint32_t *number, const char *what)
{
    char *end;
    if (pass_blanks(t) != 0)
        return -1;
    unsigned long long value = isdigit((unsigned char)*t->p) ? strtoull(t->p, &end, 0) : most + 1ull;
    if (value > most)
        return wanted(t, what);
    *number = (uint32_t)value;
    t->p = end;
    return 0;
}

/* A text in double quotes; *from and *n: what is between them. */
static int read_quoted(struct own_text *t, const char **from, size_t *n, const char *what)
{
    if (pass_blanks(t) != 0)
        return -1;
    *from = t->p + 1;
    *n = *t->p == '"' ? strcspn(*from, "\"\n") : 0;
    if (*t->p != '"' || (*from)[*n] != '"')
        return wanted(t, what);
    t->p = *from + *n + 1;
    return 0;
}

/* ---- rows ---- */

/* Refuses numbers that belong to another event. */
static int add_number(struct own_text *t, uint32_t id, uint32_t variants, size_t event)
{
    struct own_events *own = t->own;
    char message[160];
    if (id & variants)
        return at_line(t, "the bits of VARIANTS must be 0 in the event number");
    if (event_class_of(id) == CLASS_UNRECOGNISED)
        return at_line(t, "the event number has no class: one of its bits 16 to 23 or 27 must be set, and no "
                          "other of bits 16 to 27");
    for (size_t i = 0; i < own->numbers_n; i++)
        if (((id ^ own->numbers[i].id) & ~variants & ~own->numbers[i].variants) == 0) {
            snprintf(message, sizeof message, "0x%08x is %s already", id,
                     own->events[own->numbers[i].event].name);
            return at_line(t, message);
        }
    uint32_t variant = variants;
    do {
        unsigned slot = event_slot(id | variant);
        if (slot != EVENT_UNRECOGNISED) {
            snprintf(message, sizeof message, "0x%08x is %s, which Xen writes", id | variant,
                     event_info(slot)->name);
            return at_line(t, message);
        }
        variant = (variant - 1) & variants;
    } while (variant != variants);
    if (own->numbers_n == OWN_EVENTS_MOST)
        return at_line(t, "too many events: 256 at most");
    own->numbers[own->numbers_n++] = (struct own_number){id, variants, event};
    return 0;
}

static int check_name(struct own_text *t, const char *name)
{
    char message[160];
    static const char *const reserved[] = {"all", "help", "unrecognised"};
    bool taken = false;
    for (size_t i = 0; i < sizeof reserved / sizeof reserved[0]; i++)
        taken = taken || strcmp(name, reserved[i]) == 0;
    for (unsigned slot = 0; slot < EVENT_SLOTS; slot++)
        taken = taken || strcmp(name, event_info(slot)->name) == 0;
    for (unsigned class_id = 0; class_id < CLASSES; class_id++)
        taken = taken || strcmp(name, event_class_name((enum event_class)class_id)) == 0;
    for (size_t i = 0; i < t->own->n; i++)
        taken = taken || strcmp(name, t->own->events[i].name) == 0;
    if (!taken)
        return 0;
    snprintf(message, sizeof message, "the name \"%s\" is taken", name);
    return at_line(t, message);
}

static int read_name(struct own_text *t, char name[OWN_NAME_MOST + 1])
{
    const char *from;
    size_t n;
    if (read_quoted(t, &from, &n, "the NAME in double quotes") != 0)
        return -1;
    if (n == 0 || n > OWN_NAME_MOST || layout_name(from) != n)
        return at_line(t,
                       "a name has a letter and then letters, digits and _, all in lower case, 40 at most");
    snprintf(name, OWN_NAME_MOST + 1, "%.*s", (int)n, from);
    return check_name(t, name);
}

static int read_class(struct own_text *t, uint32_t id, enum event_class *class_id)
{
    char word[OWN_NAME_MOST + 1], message[160], expected[OWN_NAME_MOST + 1] = "CLASS_";
    if (read_word(t, word, "a CLASS: CLASS_SCHED or so") != 0)
        return -1;
    *class_id = event_class_of(id);
    if (*class_id == CLASS_UNRECOGNISED)
        return 0; /* add_number refuses it */
    size_t n = strlen(expected);
    for (const char *p = event_class_name(*class_id); *p; p++)
        expected[n++] = (char)toupper((unsigned char)*p);
    expected[n] = '\0';
    if (strcmp(word, expected) == 0)
        return 0;
    snprintf(message, sizeof message, "0x%08x is of %s by its bits 16 to 27, not of %s", id, expected, word);
    return at_line(t, message);
}

static int read_tsc(struct own_text *t)
{
    if (pass_blanks(t) != 0)
        return -1;
    if (t->p[0] != '\'' || !t->p[1] || !strchr("T-?", t->p[1]) || t->p[2] != '\'')
        return wanted(t, "'T', '-' or '?'");
    t->p += 3;
    return 0;
}

/* Enters a list of fields under the numbers of words that it goes for. */
static int enter_list(struct own_text *t, struct own_event *e, unsigned words, const struct field_list *list,
                      unsigned least)
{
    for (unsigned i = 0; i <= RECORD_WORDS_MAX; i++)
        if ((words == i || (words == LAYOUT_ANY_WORDS && i >= least)) && !e->lists[i])
            e->lists[i] = list;
        else if (words == i)
            return at_line(t, "two layouts of an event have the same number of words");
    return 0;
}

/* Makes the list of fields of a layout, which owns the layout from then on. */
static int add_layout(struct own_text *t, struct own_event *e, unsigned words, const char *fields, size_t n)
{
    struct error why;
    unsigned least = 0;
    const struct field_list *list = NULL;
    struct event_layout *layout = calloc(1, sizeof *layout);
    char *text = strndup(fields, n);
    int status;
    if (!layout || !text) {
        status = error_no_memory(t->err, "the events");
    } else if (layout_check(text, words, &why) != 0) {
        status = at_line(t, why.message);
    } else {
        *layout = (struct event_layout){(uint8_t)words, text, ""};
        list = event_fields_add(layout, &least);
        status = list ? enter_list(t, e, words, list, least) : at_line(t, "too many layouts");
    }
    if (list)
        return status; /* NOLINT(clang-analyzer-unix.Malloc): the list has the layout */
    free(layout);
    free(text);
    return status;
}

/* NO_LAYOUT, or L(words, "fields", "since") ... */
static int read_layouts(struct own_text *t, struct own_event *e)
{
    char word[OWN_NAME_MOST + 1];
    const char *fields, *since;
    size_t fields_n, since_n;
    if (read_word(t, word, "NO_LAYOUT, or L(WORDS, \"FIELDS\", \"SINCE\")") != 0)
        return -1;
    if (strcmp(word, "NO_LAYOUT") == 0)
        return 0;
    for (;;) {
        uint32_t words = 0;
        if (strcmp(word, "L") != 0)
            return at_line(t, "wants NO_LAYOUT, or L(WORDS, \"FIELDS\", \"SINCE\") once or more");
        if (read_sign(t, '(') != 0 ||
            read_number(t, LAYOUT_ANY_WORDS, &words, "the number of payload words") != 0)
            return -1;
        if (words > RECORD_WORDS_MAX && words != LAYOUT_ANY_WORDS)
            return at_line(t, "a record has 0 to 7 payload words; 255: any number");
        if (read_sign(t, ',') != 0 ||
            read_quoted(t, &fields, &fields_n, "the FIELDS in double quotes") != 0 ||
            read_sign(t, ',') != 0 ||
            read_quoted(t, &since, &since_n, "the versions in double quotes") != 0 ||
            read_sign(t, ')') != 0 || add_layout(t, e, words, fields, fields_n) != 0 || pass_blanks(t) != 0)
            return -1;
        if (*t->p == ')')
            return 0;
        if (read_word(t, word, "another L(...), or ')'") != 0)
            return -1;
    }
}

/* EVENT( was read. */
static int read_event(struct own_text *t)
{
    struct own_events *own = t->own;
    if (own->n == OWN_EVENTS_MOST)
        return at_line(t, "too many events: 256 at most");
    struct own_event *e = &own->events[own->n];
    if (read_word(t, e->slot, "a SLOT in capitals") != 0 || read_sign(t, ',') != 0 ||
        read_number(t, 0x0fffffff, &e->id, "the event number, 28 bits at most: 0x00024001") != 0 ||
        read_sign(t, ',') != 0 || read_number(t, 0xfff, &e->variants, "VARIANTS, of the bits 0xfff") != 0 ||
        read_sign(t, ',') != 0 || read_class(t, e->id, &e->class_id) != 0 || read_sign(t, ',') != 0 ||
        read_name(t, e->name) != 0 || add_number(t, e->id, e->variants, own->n) != 0 ||
        read_sign(t, ',') != 0 || read_tsc(t) != 0 || read_sign(t, ',') != 0 || read_layouts(t, e) != 0 ||
        read_sign(t, ')') != 0)
        return -1;
    for (size_t i = 0; i < own->n; i++)
        if (strcmp(own->events[i].slot, e->slot) == 0)
            return at_line(t, "two events have the same SLOT");
    for (unsigned words = 0; words <= RECORD_WORDS_MAX; words++)
        if (!e->lists[words])
            e->lists[words] = event_fields_unknown();
    own->n++;
    return 0;
}

/* EVENT_ALIAS( was read. */
static int read_alias(struct own_text *t)
{
    char slot[OWN_NAME_MOST + 1];
    const char *since;
    uint32_t id = 0, variants = 0;
    size_t since_n, event = 0;
    if (read_word(t, slot, "a SLOT in capitals") != 0)
        return -1;
    while (event < t->own->n && strcmp(t->own->events[event].slot, slot) != 0)
        event++;
    if (event == t->own->n)
        return at_line(t, "no EVENT of that SLOT comes before");
    if (read_sign(t, ',') != 0 ||
        read_number(t, 0x0fffffff, &id, "the event number, 28 bits at most: 0x00024001") != 0 ||
        read_sign(t, ',') != 0 || read_number(t, 0xfff, &variants, "VARIANTS, of the bits 0xfff") != 0 ||
        read_sign(t, ',') != 0 || read_quoted(t, &since, &since_n, "the versions in double quotes") != 0 ||
        read_sign(t, ')') != 0)
        return -1;
    return add_number(t, id, variants, event);
}

static int read_rows(struct own_text *t)
{
    char word[OWN_NAME_MOST + 1];
    while (pass_blanks(t) == 0) {
        if (t->p == t->end)
            return t->own->n > 0 ? 0 : at_line(t, "there is no EVENT in it");
        if (read_word(t, word, "EVENT(...) or EVENT_ALIAS(...)") != 0)
            return -1;
        bool event = strcmp(word, "EVENT") == 0;
        if (!event && strcmp(word, "EVENT_ALIAS") != 0)
            return at_line(t, "wants EVENT(...) or EVENT_ALIAS(...)");
        if (read_sign(t, '(') != 0 || (event ? read_event(t) : read_alias(t)) != 0)
            return -1;
    }
    return -1;
}

struct own_events *own_events_read(const char *text, size_t n, struct error *err)
{
    struct own_events *own = calloc(1, sizeof *own);
    char *copy = strndup(text, n);
    event_index_init();
    event_fields_init();
    struct own_text t = {
        .p = copy, .end = copy ? copy + strlen(copy) : NULL, .line = 1, .own = own, .err = err};
    int status;
    if (!own || !copy)
        status = error_no_memory(err, "the events");
    else if (strlen(copy) != n)
        status = error_set(err, ERROR_USAGE, "is no text: it has a zero byte at %zu", strlen(copy));
    else
        status = read_rows(&t);
    free(copy);
    if (status == 0)
        return own;
    own_events_free(own);
    return NULL;
}
