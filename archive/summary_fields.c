#include "summary_fields.h"

#include "summary.h"

#define U64(S, KEY)       FIELD(struct S, #KEY, KEY, U64, true, 0, UINT64_MAX, NULL)
#define U32(S, KEY, MOST) FIELD(struct S, #KEY, KEY, U32, true, 0, MOST, NULL)
#define REAL(S, KEY)      FIELD(struct S, #KEY, KEY, REAL, true, 0, 0, NULL)
#define FLAG(S, KEY)      FIELD(struct S, #KEY, KEY, FLAG, true, 0, 1, NULL)
#define SIGNED(S, KEY)    FIELD(struct S, #KEY, KEY, I64, true, 0, 0, NULL)

const struct stored_field trace_fields[] = {
    U64(trace_summary, file_bytes),
    U64(trace_summary, tsc_first),
    U64(trace_summary, tsc_last),
    U32(trace_summary, pcpus, PCPUS_MAX),
    U32(trace_summary, pcpu_highest, PCPUS_MAX - 1),
    FLAG(trace_summary, has_runstates),
    FIELDS_END,
};

const struct stored_field clock_fields[] = {
    U64(clock, tsc_first),
    REAL(clock, cpu_hz),
    FLAG(clock, measured),
    U64(clock, pairs),
    REAL(clock, spread_ppm),
    REAL(clock, error_ppm),
    U64(clock, multiplier),
    U32(clock, shift, 127),
    FIELD(struct clock, "check_pairs", check_pairs, U64, false, 0, UINT64_MAX, NULL),
    FIELD(struct clock, "check_error_ppm", check_error_ppm, REAL, false, 0, 0, NULL),
    FIELD(struct clock, "difference_ppm", difference_ppm, REAL, false, 0, 0, NULL),
    FIELDS_END,
};

const struct stored_field quality_fields[] = {
    U64(quality, bytes),
    U64(quality, records),
    U64(quality, windows),
    U64(quality, sweeps),
    U64(quality, lost_records),
    U64(quality, lost_markers),
    U64(quality, truncated_bytes),
    U64(quality, skipped_bytes),
    U64(quality, skipped_places),
    U64(quality, skipped_end),
    U64(quality, tsc_backwards),
    U64(quality, tsc_implausible),
    U64(quality, unrecognised_other),
    U64(quality, blind_ns),
    U64(quality, blind_late_ns),
    U64(quality, unknown_ns),
    U64(quality, inconsistent),
    U64(quality, inconsistent_at_ns),
    U64(quality, skew_max_ns),
    U64(quality, ignored_records),
    FIELDS_END,
};

const struct stored_field place_fields[] = {
    U64(damage, offset),
    U64(damage, bytes),
    FIELDS_END,
};

const struct stored_field unrecognised_fields[] = {
    U64(unrecognised_event, records),
    U64(unrecognised_event, bytes),
    FIELDS_END,
};

const struct stored_field charges_fields[] = {
    FLAG(charge_summary, counted),
    SIGNED(charge_summary, counted_from_ns),
    SIGNED(charge_summary, counted_to_ns),
    FIELDS_END,
};

const struct stored_field domain_fields[] = {
    FIELD(struct summary_domain, "domain", domain, I32, true, -1, UINT16_MAX, NULL),
    U32(summary_domain, life, UINT32_MAX),
    U32(summary_domain, vcpus, UINT32_MAX),
    FIELD(struct summary_domain, "running_ns", running_ns, U64, true, 0, INT64_MAX, NULL),
    FIELDS_END,
};
