#!/bin/bash
# Charges by the CPU times of threads, against the driver domain's own record of whose work it did.
#
#     threads.sh DIR...
#
# For every NAME.xt.zst with a NAME.truth/threads.jsonl (CPU times of dom0's threads) and a NAME.truth/truth.json (what its
# kernel recorded of its switches, by Xen's runstates) in a DIR:
#   - charged + own + unattributed = running, exactly, and what a charge rests on adds up to it, in every interval;
#   - what was measured, without the time in which threads had no pCPU, is near what threads really ran for all guests: at
#     most MEASURED_PERCENT too much or too little, where the kernel's account is 40 to 100 % too much;
#   - of dom0's time at most WRONG_PERCENT is charged to the wrong one.
# The numbers are shown.
# CHARGE_OPTIONS: further options of xenmeter charge, to try others.
# shellcheck source=tests/lib.sh disable=SC2317 # functions are called through check
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/truth/lib.sh
. tests/truth/lib.sh

# Where tasks are told apart, and by executions.
declare -A WRONG_PERCENT=([task]=5 [execution]=12) MEASURED_PERCENT=([task]=25 [execution]=35)
CHARGE_OPTIONS=${CHARGE_OPTIONS:-}

sums() { # JSON
    jq -e 'all(.reports[].intervals[].idds[]; .charged_ns + .own_ns + .unattributed_ns == .running_ns
        and ([.guests[].charged_ns] | add // 0) == .charged_ns
        and all(.guests[]; .measured_ns + .certain_ns + .inferred_ns == .charged_ns))' "$1" >/dev/null
}
possible() { jq -e '.method.io_counts_cpu_impossible_ns == 0' "$1" >/dev/null; } # JSON
# "WRONG MEASURED TRUE LOGGED": points of dom0's time; and s that threads ran by the charges, by the truth, by the log.
compare() { # JSON TRUTH LOG TSC_FIRST TSC_LAST
    jq -rn --slurpfile charges "$1" --slurpfile truth "$2" --rawfile log "$3" --argjson first "$4" --argjson last "$5" '
        def abs: if . < 0 then -. else . end;
        ($charges[0].reports[0].intervals[0].idds[] | select(.domain == 0)) as $d
        | ([$d.guests[] | {key: "\(.domain)", value: (100 * .charged_ns / $d.running_ns)}] | from_entries) as $shares
        | $truth[0].share_pct as $true
        | ($shares + {own: (100 * $d.own_ns / $d.running_ns), "?": (100 * $d.unattributed_ns / $d.running_ns)}) as $shares
        | ([($shares + $true | keys[]) as $k | ($shares[$k] // 0) - ($true[$k] // 0) | abs] | add / 2) as $wrong
        | ([$truth[0].guests[] | to_entries[] | select(.key | IN("guest-rx", "dealloc", "napi", "blkback")).value] | add) as $ran
        | ([$log | split("\n")[1:][] | select(. != "") | split(",") | select(.[1] != "0") | {id: "\(.[1]),\(.[2])", tsc: (.[0] | tonumber), ns: (.[3] | tonumber)}
            | select(.tsc >= $first and .tsc <= $last)] | group_by(.id) | map((.[-1].ns - .[0].ns)) | add) as $logged
        | "\($wrong * 10 | round / 10) \([$d.guests[].measured_ns] | add / 1e7 | round / 100) \($ran / 1e7 | round / 100) \($logged / 1e7 | round / 100)"'
}

judge() { # DIR NAME PER
    local file=$1/$2.xt.zst truth=$1/$2.truth first last wrong measured ran logged
    # shellcheck disable=SC2086 # a list of words
    check "$2 per $3 can be charged" "$XENMETER" charge -q -f json -g total,1s,100ms --io-counts "$scratch/log.csv" \
        --charge-by threads --charge-per "$3" $CHARGE_OPTIONS -o "$scratch/charges.json" "$file"
    check "$2 per $3: all adds up" sums "$scratch/charges.json"
    check "$2 per $3: no CPU time is more than can be" possible "$scratch/charges.json"
    read -r first last < <(jq -r '.trace | "\(.tsc_first) \(.tsc_last)"' "$scratch/charges.json")
    read -r wrong measured ran logged < <(compare "$scratch/charges.json" "$truth/truth.json" "$scratch/log.csv" "$first" "$last")
    printf '%-18s %-10s %10s %10s %10s %10s\n' "$2" "$3" "$wrong" "$measured" "$ran" "$logged"
    check "$2 per $3: $wrong % of the time is charged to the wrong one" within "$wrong" 0 "${WRONG_PERCENT[$3]}"
    check "$2 per $3: threads ran for $ran s, $measured s are measured" near "$measured" "$ran" "${MEASURED_PERCENT[$3]}"
}
judge_capture() { # DIR NAME
    local truth=$1/$2.truth per
    [ -s "$truth/threads.jsonl" ] && [ -s "$truth/truth.json" ] || return
    judged=$((judged + 1))
    thread_times_of "$truth" >"$scratch/log.csv"
    for per in task execution; do
        judge "$1" "$2" $per
    done
}
near() { awk -v x="$1" -v true="$2" -v most="$3" 'BEGIN { exit !(x < true * (1 + most / 100) && x > true * (1 - most / 100)) }'; } # X TRUE PERCENT

group 'charges by threads agree with what the driver domain recorded of its switches'
printf '%-18s %-10s %10s %10s %10s %10s\n' capture per 'wrong %' 'measured s' 'true s' 'logged s'
judged=0
for dir in "$@"; do
    for file in "$dir"/*.xt.zst; do
        judge_capture "$dir" "$(basename "$file" .xt.zst)"
    done
done
[ "$judged" -gt 0 ] || echo 'no capture has CPU times of threads and the truth beside them'
finish
