#include "results_fields.h"

#include "metrics/measure/before_seen.h"
#include "metrics/measure/charge.h"
#include "metrics/model/population.h"
#include "metrics/measure/row.h"
#include "metrics/relation/executions.h"
#include "parser/trace.h"

#define DOMAIN_MOST 65535

_Static_assert(sizeof(enum wait_kind) == 4 && sizeof(enum execution_end) == 4 && sizeof(enum runstate) == 4,
               "FIELD_NAME has 32 bits");

static const char *const states[] = {"running", "runnable", "blocked", "offline", "unknown"};

#define ALWAYS(S, KEY, MEMBER)              FIELD(S, KEY, MEMBER, U64, true, 0, UINT64_MAX, NULL)
#define STORED_COUNT(S, KEY, MEMBER)        FIELD(S, KEY, MEMBER, U64, false, 0, UINT64_MAX, NULL)
#define STORED_TIME(S, KEY, MEMBER)         FIELD(S, KEY, MEMBER, I64, false, 0, 0, NULL)
#define STORED_WORD(S, KEY, MEMBER, ABSENT) FIELD(S, KEY, MEMBER, U32, false, ABSENT, UINT32_MAX, NULL)
#define ID(S, KEY, MEMBER, MOST_OF_IT)      FIELD(S, KEY, MEMBER, I32, false, -1, MOST_OF_IT, NULL)
#define REAL(S, KEY, MEMBER)                FIELD(S, KEY, MEMBER, REAL, false, 0, 0, NULL)
#define FLAG(S, KEY, MEMBER)                FIELD(S, KEY, MEMBER, FLAG, false, false, true, NULL)

const struct stored_field interval_fields[] = {
    ALWAYS(struct interval, "granularity_ns", granularity_ns),
    ALWAYS(struct interval, "start_ns", start_ns),
    ALWAYS(struct interval, "end_ns", end_ns),
    FIELDS_END,
};

const struct stored_field row_fields[] = {
    ID(struct row, "domain", domain, DOMAIN_MOST), STORED_WORD(struct row, "life", life, 0),
    ID(struct row, "vcpu", vcpu, VCPUS_MAX - 1),   ID(struct row, "pcpu", pcpu, PCPUS_MAX - 1),
    STORED_WORD(struct row, "vcpus", vcpus, 0),    FIELDS_END,
};

#define M struct measures
const struct stored_field measures_fields[] = {
#define TIME(KEY, MEMBER)  STORED_TIME(M, #KEY, MEMBER),
#define COUNT(KEY, MEMBER) STORED_COUNT(M, #KEY, MEMBER),
#define LEAST(KEY, MEMBER) STORED_WORD(M, #KEY, MEMBER, UINT32_MAX),
#define MOST(KEY, MEMBER)  STORED_WORD(M, #KEY, MEMBER, 0),
#include "metrics/measure/measures.def"
    FIELDS_END,
};

const struct stored_field measures_histograms[] = {
#define HISTOGRAM(KEY, MEMBER) STORED_COUNT(M, #KEY, MEMBER), /* the value is an object of histogram_fields */
#include "metrics/measure/measures.def"
    FIELDS_END,
};

const struct stored_field histogram_fields[] = {
    ALWAYS(struct histogram, "count", count),      ALWAYS(struct histogram, "sum_ns", sum),
    ALWAYS(struct histogram, "min_ns", min),       ALWAYS(struct histogram, "max_ns", max),
    ALWAYS(struct histogram, "max_at_ns", max_at), FIELDS_END,
};

#define E struct execution
/* The kinds of executions.def. */
#define DOMAIN_ID(KEY)                                         ID(E, #KEY, KEY, DOMAIN_MOST),
#define LIFE(KEY)                                              STORED_WORD(E, #KEY, KEY, 0),
#define VCPU(KEY)                                              ID(E, #KEY, KEY, VCPUS_MAX - 1),
#define PCPU(KEY)                                              ID(E, #KEY, KEY, PCPUS_MAX - 1),
#define NS(KEY)                                                ALWAYS(E, #KEY, KEY),
#define KNOWN(KEY)                                             FIELD(E, #KEY, KEY, U64, false, NS_UNKNOWN, UINT64_MAX, NULL),
#define WORDS(KEY)                                             FIELD(E, #KEY, KEY, NAME, true, 0, EXECUTION_TRACE_END, end_words),
#define KNOWN_WORDS(KEY)                                       FIELD(E, #KEY, KEY, NAME, false, 0, WAIT_PREEMPT, wait_kind_words),
#define EXECUTION(NAME, KIND, TITLE, UNIT, FLAGS, TABLE, HELP) KIND(NAME)
const struct stored_field execution_fields[] = {
#include "metrics/relation/executions.def"
    FIELDS_END,
};

#define B struct before_seen
const struct stored_field before_seen_fields[] = {
    FIELD(B, "state", state, NAME, true, 0, RUNSTATE_UNKNOWN, states),
    ALWAYS(B, "from_ns", from_ns),
    ALWAYS(B, "seen_ns", seen_ns),
    STORED_COUNT(B, "light_ns", light_ns),
    STORED_COUNT(B, "doubtful_ns", doubtful_ns),
    FLAG(B, "idle", idle),
    FLAG(B, "first", first),
    FLAG(B, "driver_domain", driver_domain),
    FIELDS_END,
};

#define D struct charge_idd
const struct stored_field charge_idd_fields[] = {
    ID(D, "domain", domain, DOMAIN_MOST),
    STORED_WORD(D, "life", life, 0),
#define IDD_COUNT(KEY, MEMBER) STORED_COUNT(D, #KEY, MEMBER),
#include "metrics/measure/charge.def"
    FIELDS_END,
};

#define G struct charge_guest
const struct stored_field charge_guest_fields[] = {
    ID(G, "domain", domain, DOMAIN_MOST),
    STORED_WORD(G, "life", life, 0),
#define GUEST_COUNT(KEY, MEMBER) STORED_COUNT(G, #KEY, MEMBER),
#define GUEST_FLAG(KEY, MEMBER)  FLAG(G, #KEY, MEMBER),
#define GUEST_REAL(KEY, MEMBER)  REAL(G, #KEY, MEMBER),
#include "metrics/measure/charge.def"
    FIELDS_END,
};
