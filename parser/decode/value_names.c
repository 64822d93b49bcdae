#include "value_names.h"

#include <assert.h>
#include <string.h>
#include <strings.h>

struct name_entry {
    const char *table; /* as in names.def */
    uint32_t value;
    const char *name;
};

static const struct name_entry entries[] = {
#define HYPERCALL(NUMBER, NAME, ARGUMENTS) {"HYPERCALL", NUMBER, NAME},
#include "hypercalls.def"
#define NAME(TABLE, VALUE, NAME) {#TABLE, VALUE, NAME},
#include "names.def"
};

#define TABLES  11
#define ENTRIES (sizeof entries / sizeof entries[0])

static const struct {
    uint32_t number;
    const char *arguments;
} calls[] = {
#define HYPERCALL(NUMBER, NAME, ARGUMENTS) {NUMBER, ARGUMENTS},
#include "hypercalls.def"
};

static struct name_table tables[TABLES]; /* in the order of their entries */
static unsigned tables_n;
static struct value_name texts[ENTRIES];
static struct argument arguments[HYPERCALLS][ARGUMENTS_NAMED];
static char argument_names[HYPERCALLS][ARGUMENTS_NAMED][NAME_MOST + 1];

static struct name_table *find(const char *name, size_t n)
{
    for (unsigned i = 0; i < tables_n; i++) {
        const char *table = entries[tables[i].first].table;
        if (strlen(table) == n && strncasecmp(table, name, n) == 0)
            return &tables[i];
    }
    return NULL;
}

const struct name_table *name_table_find(const char *name, size_t n)
{
    return find(name, n);
}

/* "cmd=grant_table_op - count!": see hypercalls.def. */
static void read_arguments(uint32_t number, const char *text)
{
    for (size_t i = 0; *text; i++) {
        size_t n = strcspn(text, " "), name = strcspn(text, "=! ");
        assert(i < ARGUMENTS_NAMED && number < HYPERCALLS && name <= NAME_MOST);
        struct argument *a = &arguments[number][i];
        if (text[0] != '-') {
            a->name = memcpy(argument_names[number][i], text, name);
            a->preempted = text[n - 1] == '!';
            if (text[name] == '=')
                a->names = name_table_find(text + name + 1, n - name - 1 - a->preempted);
        }
        text += n + (text[n] == ' ');
    }
}

/* The table that an entry belongs to; entries of one table follow one another. */
static struct name_table *table_of(size_t i)
{
    struct name_table *last = tables_n > 0 ? &tables[tables_n - 1] : NULL;
    if (last && strcmp(entries[last->first].table, entries[i].table) == 0)
        return last;
    assert(tables_n < TABLES && !find(entries[i].table, strlen(entries[i].table)));
    tables[tables_n].first = i;
    return &tables[tables_n++];
}

void value_names_init(void)
{
    if (tables_n > 0)
        return;
    for (size_t i = 0; i < ENTRIES; i++) {
        const struct name_entry *e = &entries[i];
        struct name_table *t = table_of(i);
        size_t length = strlen(e->name);
        assert(length <= NAME_MOST);
        memcpy(texts[i].text, e->name, length);
        texts[i].length = (uint8_t)length;
        t->n++;
        if (e->value < NAMES_DENSE)
            t->dense[e->value] = &texts[i];
    }
    find("vmx_exit", 8)->mask = 0xffff;       /* bits above: a failed entry, a bus lock, ... */
    find("grant_table_op", 14)->mask = 0xfff; /* bits above: the progress of a call that is continued */
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++)
        read_arguments(calls[i].number, calls[i].arguments);
}

const struct value_name *value_name_search(const struct name_table *table, uint64_t value)
{
    for (size_t i = table->first; i < table->first + table->n; i++)
        if (entries[i].value == value)
            return &texts[i];
    return NULL;
}

const struct argument *hypercall_arguments(uint32_t number)
{
    static const struct argument unnamed[ARGUMENTS_NAMED];
    return number < HYPERCALLS ? arguments[number] : unnamed;
}
