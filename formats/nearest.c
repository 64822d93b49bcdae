#include "formats/nearest.h"

#include <string.h>

size_t edit_distance(const char *word, size_t n, const char *name)
{
    size_t m = strlen(name), row[NEAREST_LONGEST + 1];
    if (n > NEAREST_LONGEST || m > NEAREST_LONGEST)
        return NEAREST_LONGEST;
    for (size_t j = 0; j <= m; j++)
        row[j] = j;
    for (size_t i = 1; i <= n; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= m; j++) {
            size_t above = row[j], best = diagonal + (word[i - 1] != name[j - 1]);
            best = above + 1 < best ? above + 1 : best;
            row[j] = row[j - 1] + 1 < best ? row[j - 1] + 1 : best;
            diagonal = above;
        }
    }
    return row[m];
}
