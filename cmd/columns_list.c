#include "columns_list.h"

#include <stdio.h>

void columns_list(const struct relation *const *relations, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        printf("%scolumns of %s:\n", i ? "\n" : "", relations[i]->title);
        for (size_t c = 0; c < relations[i]->columns_n; c++)
            printf("  %-24s %s\n", relations[i]->columns[c].name, relations[i]->columns[c].help);
    }
}
