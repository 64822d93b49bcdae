/* What report, charge and the like say of their columns, without a trace: --columns help, --schema. */
#include <stdio.h>

#include "reading_parts.h"

void reading_list_columns(const struct relation *const *relations)
{
    for (const struct relation *const *r = relations; *r; r++) {
        printf("%scolumns of %s:\n", r > relations ? "\n" : "", (*r)->title);
        for (size_t c = 0; c < (*r)->columns_n; c++)
            printf("  %-24s %s\n", (*r)->columns[c].name, (*r)->columns[c].help);
    }
}

/* The columns of CSV, typed; the words for types are those that SQLite and DuckDB have in common. */
static void print_schema(const struct reading *r)
{
    static const char *const types[] = {
        [VALUE_INTEGER] = "BIGINT", [VALUE_DECIMAL] = "DOUBLE", [VALUE_TEXT] = "VARCHAR"};
    printf("CREATE TABLE %s (", r->options->command->name);
    for (size_t f = 0; f < r->choice.fields_n; f++) {
        const struct column *column = NULL;
        for (size_t i = 0; i < r->choice.n && !column; i++)
            column = column_find(r->choice.shown[i].relation, r->choice.fields[f]);
        printf("%s\n    \"%s\" %s", f ? "," : "", column->name, types[column_type(column)]);
    }
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
