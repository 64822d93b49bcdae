/* What the fuzz targets say when something does not hold. */
#ifndef XENMETER_TESTS_FUZZ_MUST_H
#define XENMETER_TESTS_FUZZ_MUST_H

#include <stdio.h>
#include <stdlib.h>

/* Ends the process as a finding, with the reason in words. */
#define MUST(condition, ...)                                                                                 \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            fprintf(stderr, "violated: %s: ", #condition);                                                   \
            fprintf(stderr, __VA_ARGS__);                                                                    \
            fputc('\n', stderr);                                                                             \
            abort();                                                                                         \
        }                                                                                                    \
    } while (0)

#endif
