#include "results_fields.h"

#include "metrics/measure/before_seen.h"
#include "metrics/measure/charge.h"
#include "metrics/model/population.h"
#include "metrics/measure/row.h"
#include "parser/trace.h"

#define DOMAIN_MOST 65535

_Static_assert(sizeof(enum wait_kind) == 4 && sizeof(enum execution_end) == 4 && sizeof(enum runstate) == 4,
               "FIELD_NAME has 32 bits");

static const char *const wait_kinds[] = {NULL, "wake", "preempt"};
static const char *const states[] = {"running", "runnable", "blocked", "offline", "unknown"};
static const char *const execution_ends[] = {"blocked", "preempted", "yielded",  "slept",
                                             "offline", "lost",      "trace_end"};

#define N(table)       (sizeof(table) / sizeof(table)[0])
#define TABLE_N(table) const size_t table##_n = N(table)

#define ALWAYS(S, KEY, MEMBER)        FIELD(S, KEY, MEMBER, U64, true, 0, UINT64_MAX, NULL)
#define COUNT(S, KEY, MEMBER)         FIELD(S, KEY, MEMBER, U64, false, 0, UINT64_MAX, NULL)
#define KNOWN(S, KEY, MEMBER)         FIELD(S, KEY, MEMBER, U64, false, NS_UNKNOWN, UINT64_MAX, NULL)
#define TIME(S, KEY, MEMBER)          FIELD(S, KEY, MEMBER, I64, false, 0, 0, NULL)
#define WORD(S, KEY, MEMBER, ABSENT)  FIELD(S, KEY, MEMBER, U32, false, ABSENT, UINT32_MAX, NULL)
#define ID(S, KEY, MEMBER, MOST)      FIELD(S, KEY, MEMBER, I32, false, -1, MOST, NULL)
#define REAL(S, KEY, MEMBER)          FIELD(S, KEY, MEMBER, REAL, false, 0, 0, NULL)
#define FLAG(S, KEY, MEMBER)          FIELD(S, KEY, MEMBER, FLAG, false, false, true, NULL)
#define NAME(S, KEY, MEMBER, A, LIST) FIELD(S, KEY, MEMBER, NAME, A, 0, N(LIST) - 1, LIST)

const struct stored_field interval_fields[] = {
    ALWAYS(struct interval, "granularity_ns", granularity_ns),
    ALWAYS(struct interval, "start_ns", start_ns),
    ALWAYS(struct interval, "end_ns", end_ns),
};
TABLE_N(interval_fields);

const struct stored_field row_fields[] = {
    ID(struct row, "domain", domain, DOMAIN_MOST), WORD(struct row, "life", life, 0),
    ID(struct row, "vcpu", vcpu, VCPUS_MAX - 1),   ID(struct row, "pcpu", pcpu, PCPUS_MAX - 1),
    WORD(struct row, "vcpus", vcpus, 0),
};
TABLE_N(row_fields);

#define M struct measures
const struct stored_field measures_fields[] = {
    TIME(M, "running_ns", state_ns[RUNSTATE_RUNNING]),
    TIME(M, "runnable_ns", state_ns[RUNSTATE_RUNNABLE]),
    TIME(M, "blocked_ns", state_ns[RUNSTATE_BLOCKED]),
    TIME(M, "offline_ns", state_ns[RUNSTATE_OFFLINE]),
    TIME(M, "unknown_ns", state_ns[RUNSTATE_UNKNOWN]),
    TIME(M, "idle_ns", idle_ns),
    TIME(M, "before_seen_ns", before_seen_ns),
    TIME(M, "pcpu_unknown_ns", pcpu_unknown_ns),
    TIME(M, "full_run_ns", domain_ns[DOMAIN_FULL_RUN]),
    TIME(M, "full_contention_ns", domain_ns[DOMAIN_FULL_CONTENTION]),
    TIME(M, "concurrency_hazard_ns", domain_ns[DOMAIN_CONCURRENCY_HAZARD]),
    TIME(M, "partial_run_ns", domain_ns[DOMAIN_PARTIAL_RUN]),
    TIME(M, "partial_contention_ns", domain_ns[DOMAIN_PARTIAL_CONTENTION]),
    TIME(M, "domain_blocked_ns", domain_ns[DOMAIN_BLOCKED]),
    TIME(M, "domain_unknown_ns", domain_ns[DOMAIN_UNKNOWN]),
    COUNT(M, "wake_wait_ns", wake_wait_ns),
    COUNT(M, "preempt_wait_ns", preempt_wait_ns),
    COUNT(M, "executions", executions),
    COUNT(M, "wakes", wakes),
    COUNT(M, "blocks", blocks),
    COUNT(M, "yields", yields),
    COUNT(M, "preemptions", preemptions),
    COUNT(M, "migrations", migrations),
    COUNT(M, "allocated_ns", allocated_ns),
    COUNT(M, "allocated_slices", allocated_slices),
    WORD(M, "allocated_min_ns", allocated_min_ns, UINT32_MAX),
    WORD(M, "allocated_max_ns", allocated_max_ns, 0),
    COUNT(M, "io_map", io[IO_MAP]),
    COUNT(M, "io_unmap", io[IO_UNMAP]),
    COUNT(M, "io_transfer", io[IO_TRANSFER]),
    COUNT(M, "io_notify", io[IO_NOTIFY]),
    COUNT(M, "io_copy", io[IO_COPY]),
    TIME(M, "charged_ns", charged_ns),
};
TABLE_N(measures_fields);

#define HISTOGRAM(KEY, MEMBER)                                                                               \
    {                                                                                                        \
        ",\"" KEY "\":", sizeof(",\"" KEY "\":") - 1, offsetof(M, MEMBER)                                    \
    }
const struct histogram_member measures_histograms[MEASURES_HISTOGRAMS] = {
    HISTOGRAM("run", run),
    HISTOGRAM("wait", wait),
    HISTOGRAM("block", block),
};

const struct stored_field histogram_fields[] = {
    ALWAYS(struct histogram, "count", count),      ALWAYS(struct histogram, "sum_ns", sum),
    ALWAYS(struct histogram, "min_ns", min),       ALWAYS(struct histogram, "max_ns", max),
    ALWAYS(struct histogram, "max_at_ns", max_at),
};
TABLE_N(histogram_fields);

#define E struct execution
const struct stored_field execution_fields[] = {
    ID(E, "domain", domain, DOMAIN_MOST),
    WORD(E, "life", life, 0),
    ID(E, "vcpu", vcpu, VCPUS_MAX - 1),
    ID(E, "pcpu", pcpu, PCPUS_MAX - 1),
    ALWAYS(E, "start_ns", start_ns),
    ALWAYS(E, "end_ns", end_ns),
    KNOWN(E, "blocked_before_ns", blocked_before_ns),
    KNOWN(E, "waited_ns", waited_ns),
    NAME(E, "wait_kind", wait_kind, false, wait_kinds),
    ALWAYS(E, "ran_ns", ran_ns),
    KNOWN(E, "allocated_ns", allocated_ns),
    KNOWN(E, "io_total", io_total),
    NAME(E, "end", end, true, execution_ends),
};
TABLE_N(execution_fields);

#define B struct before_seen
const struct stored_field before_seen_fields[] = {
    ID(B, "domain", row.domain, DOMAIN_MOST),
    WORD(B, "life", row.life, 0),
    ID(B, "vcpu", row.vcpu, VCPUS_MAX - 1),
    ID(B, "pcpu", row.pcpu, PCPUS_MAX - 1),
    WORD(B, "vcpus", row.vcpus, 0),
    NAME(B, "state", state, true, states),
    ALWAYS(B, "from_ns", from_ns),
    ALWAYS(B, "seen_ns", seen_ns),
    FLAG(B, "idle", idle),
    FLAG(B, "first", first),
    FLAG(B, "driver_domain", driver_domain),
};
TABLE_N(before_seen_fields);

#define D struct charge_idd
const struct stored_field charge_idd_fields[] = {
    ID(D, "domain", domain, DOMAIN_MOST),
    WORD(D, "life", life, 0),
    COUNT(D, "running_ns", running_ns),
    COUNT(D, "charged_ns", charged_ns),
    COUNT(D, "own_ns", own_ns),
    COUNT(D, "unattributed_ns", unattributed_ns),
    COUNT(D, "executions", executions),
    COUNT(D, "io_free_executions", io_free_executions),
    COUNT(D, "unassigned_map", unassigned[IO_MAP]),
    COUNT(D, "unassigned_unmap", unassigned[IO_UNMAP]),
    COUNT(D, "unassigned_transfer", unassigned[IO_TRANSFER]),
    COUNT(D, "unassigned_notify", unassigned[IO_NOTIFY]),
    COUNT(D, "unassigned_copy", unassigned[IO_COPY]),
};
TABLE_N(charge_idd_fields);

#define G struct charge_guest
const struct stored_field charge_guest_fields[] = {
    ID(G, "domain", domain, DOMAIN_MOST),
    WORD(G, "life", life, 0),
    COUNT(G, "charged_ns", charged_ns),
    COUNT(G, "map", events[IO_MAP]),
    COUNT(G, "unmap", events[IO_UNMAP]),
    COUNT(G, "transfer", events[IO_TRANSFER]),
    COUNT(G, "notify", events[IO_NOTIFY]),
    COUNT(G, "copy", events[IO_COPY]),
    COUNT(G, "tx", events[IO_TX]),
    COUNT(G, "rx", events[IO_RX]),
    COUNT(G, "read", events[IO_READ]),
    COUNT(G, "write", events[IO_WRITE]),
    FLAG(G, "tx_counted", counted[IO_TX - IO_TX]),
    FLAG(G, "rx_counted", counted[IO_RX - IO_TX]),
    FLAG(G, "read_counted", counted[IO_READ - IO_TX]),
    FLAG(G, "write_counted", counted[IO_WRITE - IO_TX]),
    COUNT(G, "map_inferred", inferred[IO_MAP]),
    COUNT(G, "unmap_inferred", inferred[IO_UNMAP]),
    COUNT(G, "transfer_inferred", inferred[IO_TRANSFER]),
    COUNT(G, "notify_inferred", inferred[IO_NOTIFY]),
    COUNT(G, "copy_inferred", inferred[IO_COPY]),
    REAL(G, "charged_by_map_ns", charged_by_ns[IO_MAP]),
    REAL(G, "charged_by_unmap_ns", charged_by_ns[IO_UNMAP]),
    REAL(G, "charged_by_transfer_ns", charged_by_ns[IO_TRANSFER]),
    REAL(G, "charged_by_notify_ns", charged_by_ns[IO_NOTIFY]),
    REAL(G, "charged_by_copy_ns", charged_by_ns[IO_COPY]),
    REAL(G, "charged_by_tx_ns", charged_by_ns[IO_TX]),
    REAL(G, "charged_by_rx_ns", charged_by_ns[IO_RX]),
    REAL(G, "charged_by_read_ns", charged_by_ns[IO_READ]),
    REAL(G, "charged_by_write_ns", charged_by_ns[IO_WRITE]),
    REAL(G, "charged_inferred_ns", charged_inferred_ns),
};
TABLE_N(charge_guest_fields);
