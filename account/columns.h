/*
 * The columns of statements' rows, for relations whose rows begin with a struct account_line: ACCOUNT_COLUMNS. Include after
 * metrics/relation/relation_table.h, where a table of columns is written.
 */
#ifndef XENMETER_ACCOUNT_COLUMNS_H
#define XENMETER_ACCOUNT_COLUMNS_H

#include "account/relations.h"
#include "metrics/relation/relation_table.h"

struct value account_period_text(const struct row_view *v);
struct value account_period_start(const struct row_view *v);
struct value account_period_end(const struct row_view *v);
struct value account_host_name(const struct row_view *v);
struct value account_vm_uuid(const struct row_view *v);
struct value account_vm_name(const struct row_view *v);
struct value account_vm(const struct row_view *v);
struct value account_driver_domain(const struct row_view *v);
struct value account_running_s(const struct row_view *v);
struct value account_charged_s(const struct row_view *v);
struct value account_total_s(const struct row_view *v);
struct value account_runnable_s(const struct row_view *v);
struct value account_unknown_s(const struct row_view *v);
struct value account_covered_pct_of(const struct row_view *v);
struct value account_running_pct(const struct row_view *v);
struct value account_runnable_pct(const struct row_view *v);
struct value account_host_pct(const struct row_view *v);
struct value account_inferred_pct(const struct row_view *v);
struct value account_change_ns(const struct row_view *v);
struct value account_change_pct(const struct row_view *v);
struct value account_wait_p99(const struct row_view *v);
struct value account_wait_max(const struct row_view *v);
struct value account_wait_max_at(const struct row_view *v);
struct value account_extrapolated_total(const struct row_view *v);
struct value account_extrapolated_charged(const struct row_view *v);
struct value account_extrapolated_runnable(const struct row_view *v);
struct value account_verdict_word(const struct row_view *v);
struct value account_why(const struct row_view *v);

extern const char *const account_verdict_words[];

#define ACCOUNT_NS(MEMBER)    COLUMN_MEMBER(struct account_line, row.MEMBER, U64, SUM)
#define ACCOUNT_KNOWN(MEMBER) COLUMN_KNOWN(struct account_line, row.MEMBER, U64, NOT, NS_UNKNOWN)
#define ACCOUNT_SOME(M, TYPE) COLUMN_KNOWN(struct account_line, row.M, TYPE, NOT, 0)

/* clang-format off */
#define ACCOUNT_COLUMNS \
    {COLUMN_HEAD(period, "period", NONE, 0, KEY | LEFT | KEEP | TEXT, L, "the hour, day or month in the zone of --tz, where that is clear; else where it begins"), .get = account_period_text}, \
    {COLUMN_HEAD(period_start, "start", NONE, 0, KEY | TEXT, 0, "where the period begins, UTC; it is part of it"), .get = account_period_start}, \
    {COLUMN_HEAD(period_end, "end", NONE, 0, KEY | TEXT, 0, "where the period ends, UTC; it is not part of it"), .get = account_period_end}, \
    {COLUMN_HEAD(host, "host", NONE, 0, KEY | LEFT | TEXT, L, "the host's label; none where the row is of several hosts"), .get = account_host_name}, \
    {COLUMN_HEAD(vm, "VM", NONE, 0, KEY | LEFT | KEEP | TEXT, L, "its name, or else its UUID, or else its domain id and host"), .get = account_vm}, \
    {COLUMN_HEAD(vm_uuid, "UUID", NONE, 0, KEY | LEFT | TEXT, 0, "UUID, if known"), .get = account_vm_uuid}, \
    {COLUMN_HEAD(vm_name, "name", NONE, 0, KEY | LEFT | TEXT, 0, "name, the last in this period, if known"), .get = account_vm_name}, \
    {COLUMN_HEAD(domain, "domain", NONE, 0, KEY | DOMAIN, 0, "domain id, the last on this host in this period"), COLUMN_KNOWN(struct account_line, row.domain, I32, NOT, -1)}, \
    {COLUMN_HEAD(life, "life", NONE, 0, KEY, 0, "1, 2, ...: the incarnation of that id"), COLUMN_KNOWN(struct account_line, row.life, U32, NOT, 0)}, \
    {COLUMN_HEAD(driver_domain, "driver", NONE, 0, TEXT, 0, "yes: it is a driver domain"), .get = account_driver_domain}, \
    {COLUMN_HEAD(vcpus, "vCPUs", COUNT, 0, 0, L, "allocated vCPUs, the most at a time"), ACCOUNT_SOME(vcpus, U32)}, \
    {COLUMN_HEAD(total_ns, "total", NS, 0, KEEP, L, "what it cost: what it ran itself and what driver domains ran for it; of a driver domain: its own and what cannot be attributed"), ACCOUNT_NS(total_ns)}, \
    {COLUMN_HEAD(charged_ns, "charged", NS, 0, 0, L, "part of total: driver domains ran it on the VM's behalf"), ACCOUNT_NS(charged_ns)}, \
    {COLUMN_HEAD(runnable_ns, "waited", NS, 0, 0, L, "ready to run, but the host had no pCPU for it: what the host withheld"), ACCOUNT_NS(runnable_ns)}, \
    {COLUMN_HEAD(wait_p99_ns, "wait p99", NS_EACH, 0, 0, L, "99 % of the waits were no longer than this"), .get = account_wait_p99}, \
    {COLUMN_HEAD(wait_max_ns, "wait max", NS_EACH, 0, 0, 0, "longest wait"), .get = account_wait_max}, \
    {COLUMN_HEAD(wait_max_at, "longest wait at", NONE, 0, TEXT, 0, "where the longest wait ended, UTC"), .get = account_wait_max_at}, \
    {COLUMN_HEAD(running_ns, "running", NS, 0, 0, 0, "on a pCPU, all of it"), ACCOUNT_NS(running_ns)}, \
    {COLUMN_HEAD(used_ns, "used", NS, 0, 0, 0, "part of running: for itself, not as a driver domain"), ACCOUNT_NS(used_ns)}, \
    {COLUMN_HEAD(blocked_ns, "blocked", NS, 0, 0, 0, "waiting for an event"), ACCOUNT_NS(blocked_ns)}, \
    {COLUMN_HEAD(offline_ns, "offline", NS, 0, 0, 0, "paused, or the vCPU was down"), ACCOUNT_NS(offline_ns)}, \
    {COLUMN_HEAD(unknown_ns, "unknown", NS, 0, ALARM, L, "nobody knows what its vCPUs did: records were lost"), ACCOUNT_NS(unknown_ns)}, \
    {COLUMN_HEAD(doubtful_ns, "doubtful", NS, 0, 0, 0, "part of these times that lost records may contradict"), ACCOUNT_NS(doubtful_ns)}, \
    {COLUMN_HEAD(vcpu_ns, "vCPU time", NS, 0, 0, 0, "all vCPUs in all states: what was reserved"), ACCOUNT_NS(vcpu_ns)}, \
    {COLUMN_HEAD(existed_ns, "existed", NS, 0, 0, 0, "how long it was there, in recorded time"), ACCOUNT_NS(existed_ns)}, \
    {COLUMN_HEAD(measured_ns, "measured", NS, 0, 0, 0, "part of charged that a driver domain's own kernel measured"), ACCOUNT_NS(measured_ns)}, \
    {COLUMN_HEAD(certain_ns, "certain", NS, 0, 0, 0, "part of charged that rests on events whose guest is certain"), ACCOUNT_NS(certain_ns)}, \
    {COLUMN_HEAD(inferred_ns, "inferred", NS, 0, 0, 0, "the rest of charged"), ACCOUNT_NS(inferred_ns)}, \
    {COLUMN_HEAD(inferred_pct, "inferred", PERCENT, 1, 0, 0, "part of charged that is inferred"), .get = account_inferred_pct}, \
    {COLUMN_HEAD(served_ns, "served", NS, 0, 0, 0, "of a driver domain: what it ran for guests, who are charged for it"), ACCOUNT_NS(served_ns)}, \
    {COLUMN_HEAD(own_ns, "own", NS, 0, 0, 0, "of a driver domain: what it ran for itself"), ACCOUNT_NS(own_ns)}, \
    {COLUMN_HEAD(unattributed_ns, "unattr.", NS, 0, 0, 0, "of a driver domain: what nobody knows for whom it ran"), ACCOUNT_NS(unattributed_ns)}, \
    {COLUMN_HEAD(running_pct_of_vcpus, "running", PERCENT, 2, 0, 0, "running, of the time of its vCPUs"), .get = account_running_pct}, \
    {COLUMN_HEAD(runnable_pct_of_vcpus, "waited", PERCENT, 2, 0, 0, "runnable, of the time of its vCPUs"), .get = account_runnable_pct}, \
    {COLUMN_HEAD(total_pct_of_host, "of host", PERCENT, 2, 0, 0, "total, of the recorded time of the host's pCPUs"), .get = account_host_pct}, \
    {COLUMN_HEAD(change_ns, "change", NS, 0, 0, 0, "total, less that of the period before, which is scaled to as much recorded time as this one has"), .get = account_change_ns}, \
    {COLUMN_HEAD(change_pct, "change", PERCENT, 1, 0, 0, "the same, per cent of that scaled total"), .get = account_change_pct}, \
    {COLUMN_HEAD(peak_1s_ns, "peak 1 s", NS, 0, 0, 0, "the most of total in any recorded second (--peaks); none: several VMs"), ACCOUNT_KNOWN(peak_1s_ns)}, \
    {COLUMN_HEAD(peak_5min_ns, "peak 5 min", NS, 0, 0, 0, "the most of total in any five recorded minutes (--peaks); none: several VMs"), ACCOUNT_KNOWN(peak_5min_ns)}, \
    {COLUMN_HEAD(executions, "executions", COUNT, 0, 0, 0, "dispatches"), ACCOUNT_NS(executions)}, \
    {COLUMN_HEAD(io_map, "map", COUNT, 0, 0, 0, "pages that driver domains mapped"), ACCOUNT_NS(io[IO_MAP])}, \
    {COLUMN_HEAD(io_unmap, "unmap", COUNT, 0, 0, 0, "and unmapped"), ACCOUNT_NS(io[IO_UNMAP])}, \
    {COLUMN_HEAD(io_transfer, "transfer", COUNT, 0, 0, 0, "pages that were handed over to it"), ACCOUNT_NS(io[IO_TRANSFER])}, \
    {COLUMN_HEAD(io_notify, "notify", COUNT, 0, 0, 0, "notifications from and to driver domains"), ACCOUNT_NS(io[IO_NOTIFY])}, \
    {COLUMN_HEAD(io_copy, "copy", COUNT, 0, 0, 0, "grant copies of driver domains"), ACCOUNT_NS(io[IO_COPY])}, \
    {COLUMN_HEAD(packets_tx, "tx", COUNT, 0, 0, 0, "packets to it, by outside counters"), ACCOUNT_NS(io[IO_TX])}, \
    {COLUMN_HEAD(packets_rx, "rx", COUNT, 0, 0, 0, "packets from it, by outside counters"), ACCOUNT_NS(io[IO_RX])}, \
    {COLUMN_HEAD(requests_read, "reads", COUNT, 0, 0, 0, "its read requests, by outside counters"), ACCOUNT_NS(io[IO_READ])}, \
    {COLUMN_HEAD(requests_write, "writes", COUNT, 0, 0, 0, "its write requests, by outside counters"), ACCOUNT_NS(io[IO_WRITE])}, \
    {COLUMN_HEAD(weight, "weight", COUNT, 0, 0, 0, "the scheduler's, the last, if known"), ACCOUNT_SOME(weight, U32)}, \
    {COLUMN_HEAD(cap, "cap", COUNT, 0, 0, 0, "the scheduler's, the last, if any is known"), ACCOUNT_SOME(cap, U32)}, \
    {COLUMN_HEAD(memory_kib, "KiB", COUNT, 0, 0, 0, "memory, the last, if known"), ACCOUNT_SOME(memory_kib, U64)}, \
    {COLUMN_HEAD(running_s, "running s", NONE, 3, 0, 0, "running, in seconds"), .get = account_running_s}, \
    {COLUMN_HEAD(charged_s, "charged s", NONE, 3, 0, 0, "charged, in seconds"), .get = account_charged_s}, \
    {COLUMN_HEAD(total_s, "total s", NONE, 3, 0, 0, "total, in seconds"), .get = account_total_s}, \
    {COLUMN_HEAD(runnable_s, "waited s", NONE, 3, 0, 0, "runnable, in seconds"), .get = account_runnable_s}, \
    {COLUMN_HEAD(unknown_s, "unknown s", NONE, 3, 0, 0, "unknown, in seconds"), .get = account_unknown_s}, \
    {COLUMN_HEAD(extrapolated_total_ns, "total *", NS, 0, 0, 0, "total, scaled from the recorded time to the whole period (--extrapolate): not measured"), .get = account_extrapolated_total}, \
    {COLUMN_HEAD(extrapolated_charged_ns, "charged *", NS, 0, 0, 0, "charged, scaled likewise"), .get = account_extrapolated_charged}, \
    {COLUMN_HEAD(extrapolated_runnable_ns, "waited *", NS, 0, 0, 0, "runnable, scaled likewise"), .get = account_extrapolated_runnable}, \
    {COLUMN_HEAD(recorded_ns, "recorded", NS, 0, 0, 0, "time of the period in which its host was recorded, by the traces' clock; of several hosts as covered_pct says"), ACCOUNT_NS(recorded_ns)}, \
    {COLUMN_HEAD(not_recorded_ns, "not recorded", NS, 0, 0, 0, "the rest of the period, by the time of day"), ACCOUNT_NS(not_recorded_ns)}, \
    {COLUMN_HEAD(covered_pct, "covered", PERCENT, 2, KEEP, L, "recorded, of the period; of several VMs or hosts: of the host that was recorded least; of one VM on several hosts: while one of them recorded the VM, or, if that is longer, while all of them were recorded"), .get = account_covered_pct_of}, \
    {COLUMN_HEAD(verdict, "verdict", NONE, 0, KEEP | LEFT | TEXT, L, "good, degraded or poor: the worst of its archives"), .get = account_verdict_word, .words = account_verdict_words}, \
    {COLUMN_HEAD(why, "why", NONE, 0, LEFT | TEXT, 0, "why the verdict is not good"), .get = account_why}
/* clang-format on */

#endif
