#!/bin/bash
# Fitted weights against what packets and requests cost the driver domain.
#
#     fit.sh DIR...
#
# For every NAME.xt.zst with truth.json (what dom0's kernel ran for whom, and what that was), threads.jsonl and io-counts.csv
# in its NAME.truth/: what charge --fit says that a packet or request costs, from the CPU times of threads and, where
# ftrace.txt.zst is there, from the recording, against the time that the kernel spent on it, divided by the number of them.
# A cost that is said to be known lies within ERRORS of its errors or PERCENT of the truth. The numbers are shown.
#
#     PLAIN=1   the table alone, not judged
# shellcheck source=tests/lib.sh disable=SC2317 # functions are called through check
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/truth/lib.sh
. tests/truth/lib.sh

ERRORS=3
PERCENT=33     # thread times contain time without a pCPU, which is taken out by an estimate
INTERVAL=500ms # as threads.jsonl was read
PLAIN=${PLAIN:-}

# "KIND COST" in us of each kind, by truth.json and the events of the whole trace.
true_costs() { # FILE TRUTH
    "$XENMETER" charge -q -f json --io-counts "$2/io-counts.csv" "$1" |
        jq -r --slurpfile truth "$2/truth.json" '
            [$truth[0].guests[] | to_entries[]] as $works
            | def ns(f): [$works[] | select(.key | f).value] | add // 0;
            .method.events_seen as $n
            | (["send", ns(. == "guest-rx"), $n.tx],
               ["recv", ns(IN("napi", "softirq-napi", "dealloc", "irq-vif")), $n.rx],
               ["read", ns(IN("blkback", "irq-blkif", "irq-virtio", "softirq-BLOCK")), $n.read + $n.write])
            | "\(.[0]) \(.[1] / 1000 / ([.[2], 1] | max))"'
}

fit() { # FILE OPTION...: lines "KIND COST ERROR STATE", in us
    local file=$1
    shift
    "$XENMETER" charge -q --fit -f jsonl -g $INTERVAL "$@" "$file" 2>"$scratch/err" |
        jq -r 'select(.cost_ns) | "\(.kind) \(.cost_ns / 1000) \(.error_ns / 1000) \(.state)"'
}

near() { # COST ERROR TRUE
    awk -v x="$1" -v error="$2" -v true="$3" -v errors="$ERRORS" -v percent="$PERCENT" 'BEGIN {
        off = x > true ? x - true : true - x
        exit !(off <= errors * error || off <= percent / 100 * true) }'
}

judge() { # NAME SOURCE
    local kind cost error state true
    while read -r kind cost error state; do
        true=$(awk -v kind="$kind" '$1 == kind { print $2 }' "$scratch/true")
        printf '%-16s %-10s %-5s %9.1f %9.1f +- %-8.1f %s\n' "$1" "$2" "$kind" "$true" "$cost" "$error" "$state"
        [ "$state" = known ] && check "$1 by $2: $kind costs $cost us, in truth $true us" near "$cost" "$error" "$true"
    done <"$scratch/fitted"
    check "$1 by $2: costs were fitted" [ -s "$scratch/fitted" ]
}

has_all() { [ -s "$1/truth.json" ] && [ -s "$1/threads.jsonl" ] && [ -s "$1/io-counts.csv" ]; } # TRUTH

judge_capture() { # FILE TRUTH
    local name
    name=$(basename "$1" .xt.zst)
    true_costs "$1" "$2" >"$scratch/true"
    log_of "$2" >"$scratch/log"
    fit "$1" --io-counts "$scratch/log" >"$scratch/fitted"
    judge "$name" threads
    [ -s "$2/ftrace.txt.zst" ] || return
    dom0_trace_of "$2" >"$scratch/dom0"
    fit "$1" --io-counts "$scratch/log" --dom0-trace "$scratch/dom0" >"$scratch/fitted"
    judge "$name" dom0-trace
}

[ -n "$PLAIN" ] || group 'fitted weights are what packets and requests cost'
echo 'us that an event costs dom0: in truth, and fitted'
printf '%-16s %-10s %-5s %9s %9s\n' capture by kind truth fitted
captures=0
for dir in "$@"; do
    for truth in "$dir"/*.truth; do
        has_all "$truth" || continue
        captures=$((captures + 1))
        judge_capture "${truth%.truth}.xt.zst" "$truth"
    done
done
[ -n "$PLAIN" ] && exit
check 'there are captures to judge by' [ "$captures" -gt 0 ]
finish
