/* What report, charge and the like say of their columns, without a trace: --columns help, --schema. */
#include <stdio.h>

#include "pager.h"
#include "reading_parts.h"

int reading_list_columns(const struct options *o)
{
    struct error err = {0};
    struct output *out = output_open(NULL, &err);
    const struct relation *const *first = o->command->relations;
    if (!out)
        return fail(NULL, &err);
    pager_offer(out, o);
    for (const struct relation *const *r = first; *r; r++) {
        output_printf(out, "%scolumns of %s:\n", r > first ? "\n" : "", (*r)->title);
        for (size_t c = 0; c < (*r)->columns_n; c++)
            output_printf(out, "  %-24s %s\n", (*r)->columns[c].name, (*r)->columns[c].help);
    }
    if (output_flush(out) == 0 || !output_reader_gone(out))
        return commit(&out, NULL);
    output_abort(out);
    return EXIT_DONE;
}

/* Of a field of CSV: that of the first relation that has such a column. */
static enum value_type type_of(const struct reading *r, const char *field)
{
    const struct column_choice *choice = &r->choice;
    for (size_t i = 0; i < choice->n; i++) {
        const struct column *column = column_find(choice->shown[i].relation, field);
        if (column && column->flags & COLUMN_TIMES && r->options->time_format == TIMES_TSC)
            return VALUE_INTEGER;
        if (column)
            return column_type(column);
    }
    return VALUE_TEXT;
}

/* The columns of CSV, typed; the words for types are those that SQLite and DuckDB have in common. */
static void print_schema(const struct reading *r)
{
    static const char *const types[] = {
        [VALUE_INTEGER] = "BIGINT", [VALUE_DECIMAL] = "DOUBLE", [VALUE_TEXT] = "VARCHAR"};
    printf("CREATE TABLE %s (", r->options->command->name);
    for (size_t f = 0; f < r->choice.fields_n; f++)
        printf("%s\n    \"%s\" %s", f ? "," : "", r->choice.fields[f],
               types[type_of(r, r->choice.fields[f])]);
    puts("\n);");
}

int reading_say_schema(struct reading *r, int (*prepare)(struct reading *r, struct error *err))
{
    struct error err = {0};
    int status = prepare(r, &err) == 0 ? EXIT_DONE : fail(NULL, &err);
    if (status == EXIT_DONE)
        print_schema(r);
    choice_free(&r->choice);
    return status;
}
