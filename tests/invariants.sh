#!/bin/bash
# The sums of times, in exact integers, on every fixture and on generated traces: see lib/invariants.awk.
# shellcheck source=tests/lib.sh disable=SC2317 # functions are called through check
. "$(dirname "$0")/lib.sh"

COLUMNS=granularity_ns,start_ns,end_ns,domain,life,vcpu,pcpu,vcpus,running_ns,runnable_ns,wake_wait_ns,preempt_wait_ns,blocked_ns,offline_ns,unknown_ns,idle_ns
COLUMNS=$COLUMNS,executions,wakes,blocks,yields,preemptions,migrations
COLUMNS=$COLUMNS,full_run_ns,full_contention_ns,concurrency_hazard_ns,partial_run_ns
COLUMNS=$COLUMNS,partial_contention_ns,domain_blocked_ns,domain_unknown_ns,before_seen_ns

FINEST=1ms
FINEST_NS=1000000
adds_up() { # BY FILE CHURN
    "$XENMETER" report -q -b "$1" -g total,10s,1s,100ms,"$FINEST" -c "$COLUMNS" -f csv "$2" |
        awk -v by="$1" -v churn="$3" -v lengths="$FINEST_NS 100000000 1000000000 10000000000 0" -v sums="$scratch/$1" \
            -f tests/lib/invariants.awk
    local codes=("${PIPESTATUS[@]}")
    [ "${codes[0]}" -eq 0 ] && [ "${codes[1]}" -eq 0 ]
}

same_sums() { # KIND BY BY
    sort "$scratch/$2.$1" >"$scratch/left"
    sort "$scratch/$3.$1" >"$scratch/right"
    cmp -s "$scratch/left" "$scratch/right" && return 0
    diff "$scratch/left" "$scratch/right" | head -n 4 | sed 's/^/      /'
    return 1
}

look_at() { # NAME FILE CHURN
    local by
    group "$1: every nanosecond is accounted for, every granularity adds up"
    for by in vcpu pcpu domain domain-pcpu; do
        check "by $by" adds_up "$by" "$2" "$3"
    done
    check 'domain is the sum of vcpu' same_sums states domain vcpu
    check 'domain is the sum of domain-pcpu' same_sums states domain domain-pcpu
    check 'running time of the pCPUs is that of the vCPUs' same_sums running pcpu vcpu
}

for file in fixtures/*.xt.zst; do
    look_at "$(basename "$file" .xt.zst)" "$file" 0
done
for name in c-mask core-sched lost-wait null-unseen pm-idle tsc-ahead; do
    look_at "$name" "fixtures/cases/$name.xt.zst" 0
done

generated() { # NAME CHURN SCENARIO FILTER
    simulated "$scratch/generated.xt" "$3" "$4" --duration 1m --size 12M || exit 2
    look_at "$1" "$scratch/generated.xt" "$2"
}

if [ -z "$QUICK" ]; then
    FINEST=10ms # many more vCPUs
    FINEST_NS=10000000
    generated 'generated' 0 stress-pv .
    generated 'generated, HVM guests' 0 stress-hvm-pv .
    generated 'generated, domains come and go' 1 stress-churn .
    generated 'generated, records lost' 0 stress-pv '.trace.lost = 0.05'
    generated 'generated, without runstate records' 0 stress-pv '.trace.events = "0x28000"'
    generated 'generated, records of Xen 4.6' 0 stress-pv '.trace.layout = "4.6"'
    generated 'generated, records of Xen 4.2' 0 stress-pv '.trace.layout = "4.2"'
    generated 'generated, pCPU clocks apart' 0 stress-pv '.trace.skew_us = 20'
    generated 'generated, everything at once' 1 stress-churn '.trace += { "lost": 0.1, "skew_us": 3 }'
fi
finish
