/* The texts of an archive's members, each read by itself; what does not hold of what is read is a finding. */
#ifndef XENMETER_TESTS_FUZZ_MEMBER_TEXTS_H
#define XENMETER_TESTS_FUZZ_MEMBER_TEXTS_H

#include "archive/manifest.h"
#include "archive/rollup.h"
#include "archive/summary.h"
#include "metrics/meter.h"

#define MEMORY_LIMIT (64u << 20)
#define ROWS_MOST    2000 /* a few bytes can claim to last for years: enough is seen by then */

/* What a sink took; `plan` NULL: intervals may follow one another in any way. */
struct handed {
    uint64_t rows;
    uint64_t next_ns[METER_GRANULARITIES];
    const struct rollup_plan *plan;
};

/* Checks what it takes, and gives up after ROWS_MOST rows. `h` is to outlive it. */
struct meter_sink handed_sink(struct handed *h);

/* Status -1 has a reason. */
void check_failure(int status, const struct error *err);

/* As the text is, and made into other intervals: those of `given`, NULL: some. */
void try_results(const char *text, size_t n, enum by by, const struct rollup_plan *given);

/* What is read is written and read again, and stays the same. */
void try_summary(const char *text, size_t n);
void try_manifest(const char *text, size_t n);

/* The states at `tsc`, and the rows after them. */
void try_snapshot(const char *bytes, size_t n, uint64_t tsc, const struct clock *clock);

/* Those of an archive of 9 frames. */
void try_contents(const char *text, size_t n);

#endif
