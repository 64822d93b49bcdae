#include "value_names.h"

#include <assert.h>
#include <string.h>

enum {
    TABLE_HYPERCALL,
    TABLE_RUNSTATE,
    TABLE_GRANT_TABLE_OP,
    TABLE_SCHED_OP,
    TABLE_EVENT_CHANNEL_OP,
    TABLE_VCPU_OP,
    TABLE_SHUTDOWN_REASON,
    TABLE_TRAP,
    TABLE_VMX_EXIT,
    TABLE_SVM_EXIT,
    TABLE_INTR_SOURCE,
    TABLES
};

static const char *const table_names[TABLES] = {"hypercall",        "runstate", "grant_table_op",  "sched_op",
                                                "event_channel_op", "vcpu_op",  "shutdown_reason", "trap",
                                                "vmx_exit",         "svm_exit", "intr_source"};

struct name_entry {
    int table;
    uint32_t value;
    const char *name;
};

static const struct name_entry entries[] = {
#define HYPERCALL(NUMBER, NAME, ARGUMENTS) {TABLE_HYPERCALL, NUMBER, NAME},
#include "hypercalls.def"
#define NAME(TABLE, VALUE, NAME) {TABLE_##TABLE, VALUE, NAME},
#include "names.def"
};

#define ENTRIES (sizeof entries / sizeof entries[0])

static const struct {
    uint32_t number;
    const char *arguments;
} calls[] = {
#define HYPERCALL(NUMBER, NAME, ARGUMENTS) {NUMBER, ARGUMENTS},
#include "hypercalls.def"
};

static struct name_table tables[TABLES];
static struct value_name texts[ENTRIES];
static struct argument arguments[HYPERCALLS][ARGUMENTS_NAMED];
static char argument_names[HYPERCALLS][ARGUMENTS_NAMED][NAME_MOST + 1];

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

void value_names_init(void)
{
    if (tables[0].n > 0)
        return;
    tables[TABLE_VMX_EXIT].mask = 0xffff;      /* bits above: a failed entry, a bus lock, ... */
    tables[TABLE_GRANT_TABLE_OP].mask = 0xfff; /* bits above: the progress of a call that is continued */
    for (size_t i = 0; i < ENTRIES; i++) {
        const struct name_entry *e = &entries[i];
        struct name_table *t = &tables[e->table];
        size_t length = strlen(e->name);
        assert(length <= NAME_MOST);
        memcpy(texts[i].text, e->name, length);
        texts[i].length = (uint8_t)length;
        if (t->n++ == 0)
            t->first = i;
        assert(t->first + t->n - 1 == i);
        if (e->value < NAMES_DENSE)
            t->dense[e->value] = &texts[i];
    }
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++)
        read_arguments(calls[i].number, calls[i].arguments);
}

const struct name_table *name_table_find(const char *name, size_t n)
{
    for (int i = 0; i < TABLES; i++)
        if (strlen(table_names[i]) == n && memcmp(table_names[i], name, n) == 0)
            return &tables[i];
    return NULL;
}

bool name_table_get(const struct name_table *table, size_t i, uint32_t *value, const char **name)
{
    if (i >= table->n)
        return false;
    *value = entries[table->first + i].value;
    *name = entries[table->first + i].name;
    return true;
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
