#!/bin/bash
# Situations that were reported of real hosts, one small capture of each (fixtures/README.md), and what must come out: the
# expected values are those that the captures were built with. More of them: core-sched and tsc-ahead in siblings.sh, what
# was not recorded in unrecorded.sh, the clock of long-runs in clock.sh, xen40-idle, xen41-credit2 and custom-class in dump.sh.
# shellcheck disable=SC2317 # functions are called by check
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/lib.sh"

shopt -s lastpipe # checks at the end of pipelines count
CASES=fixtures/cases
row='' # of one vCPU or pCPU, as JSON

# Reports one case, by vCPU or pCPU, as JSON in $out.
case_report() { # NAME BY [OPTION...]
    run report -q -f json -b "$2" "${@:3}" "$CASES/$1.xt.zst"
}
of_vcpu() { row=$(jq -c ".reports[0].intervals[0].rows[] | select(.domain == $1 and .vcpu == $2)" "$out"); } # DOMAIN VCPU
of_pcpu() { row=$(jq -c ".reports[0].intervals[0].rows[] | select(.pcpu == $1)" "$out"); } # PCPU

holds() { # JQ-CONDITION, of $row
    jq -e "$1" >/dev/null <<<"$row" && return 0
    echo "      not $1: $row"
    return 1
}
quality() { # JQ-CONDITION, of the quality
    jq -e ".quality | $1" "$out" >/dev/null && return 0
    echo "      not $1: $(jq -c .quality "$out")"
    return 1
}
# A column of the row in ms, within 0.1 ms.
ms() { holds "(.$1_ns / 1e6 - $2) | fabs <= 0.1"; } # STATE MS

group 'c-mask and hole: what is known beside what was not recorded'
case_report c-mask vcpu
of_vcpu 1 0
check 'true running time lies in the bounds' holds '.running_ns <= 590e6 and 590e6 <= .running_ns + .unknown_ns + .doubtful_ns'
check 'no wait is a sample' holds '.wait_max_ns == null'
case_report hole vcpu
of_vcpu 1 0
check 'a burner runs at both edges' ms running 600.0
check 'it does nothing else' holds '.runnable_ns == 0 and .blocked_ns == 0'
case_report hole pcpu
for pcpu in 0 1; do
    of_pcpu $pcpu
    check "pCPU $pcpu is unknown in the hole" equal 3599700000000 "$(jq .unknown_ns <<<"$row")"
done
case_report hole vcpu -t 0,0.25
of_vcpu 1 0
check 'before the hole all is known' holds '.running_ns == 250e6 and .unknown_ns == 0'

group 'lost-wait: a wait during which another pCPU was blind'
case_report lost-wait vcpu --cpu-hz 2.4G
of_vcpu 1 0
check 'the wait of 110.0 to 118.005 ms is doubtful or unknown' holds '.doubtful_ns + .unknown_ns >= 8.005e6'
check 'no more than the pCPU was blind is' holds '.doubtful_ns + .unknown_ns <= 50e6'
check 'it is no sample of a wait' holds '.wait_max_ns < 1e6'
check 'blind for 50 ms' quality '.blind_ns == 50000000 and .lost_records == 400'
check 'verdict' quality '.verdict == "poor"'
case_report lost-wait vcpu -t 0,0.1
for domain in 0 1 2; do
    of_vcpu $domain 0
    check "domain $domain: nothing is doubtful before" holds '.doubtful_ns == 0 and .unknown_ns == 0'
done

group 'null-unseen: what switches is known'
case_report null-unseen vcpu
of_vcpu 1 0
check 'the vCPU that switches' holds '.running_ns == 91e6 and .unknown_ns == 0'
case_report null-unseen pcpu
for expected in '0 400000000' '1 0' '2 400000000'; do
    of_pcpu "${expected% *}"
    check "pCPU and unknown time: $expected" equal "${expected#* }" "$(jq .unknown_ns <<<"$row")"
done

group 'custom-class: records of nobody but a user'
run info -f json "$CASES/custom-class.xt.zst"
check 'no frequency' equal null "$(jq .trace.cpu_hz "$out")"
check 'the span, in cycles' equal 648002400 "$(jq '.trace.tsc_last - .trace.tsc_first' "$out")"
run report "$CASES/custom-class.xt.zst"
check 'what needs ns asks for the frequency' exits 2
check 'by name' says "$err" '--cpu-hz'
run info -f json --cpu-hz 2.4G "$CASES/custom-class.xt.zst"
check 'the span, in ns' equal 270001000 "$(jq .trace.duration_ns "$out")"
run report --cpu-hz 2.4G "$CASES/custom-class.xt.zst"
check 'there is nothing to report' exits 2
check 'which it says' says "$err" 'nothing to report: the trace has no scheduling records'

group 'long-runs: runs that wrap 32 bits of ns'
case_report long-runs vcpu
for vcpu in 0 1 2 3; do
    of_vcpu 1 $vcpu
    check "burner $vcpu runs, but for its first ms and 200 us of each 5 s" ms running 59996.8
    of_vcpu 0 $vcpu
    check "dom0's vCPU $vcpu runs 11 times" holds '.executions == 11 and .running_ns == 2.2e6'
done
check 'no hole, nothing unknown' quality '.holes == 0 and .unknown_ns == 0 and .verdict == "good"'

# Cut anywhere, a capture of a host with two full pCPUs ends where the first of them does.
group 'captures cut in the middle of a sweep'
zstd -dqc fixtures/mixed-credit.xt.zst >"$scratch/whole.xt"
last_of() { "$XENMETER" dump -q --tsc -p "$1" -f csv "$scratch/cut.xt" | tail -n 1 | cut -d, -f1; } # PCPU
smaller() { if [ "$1" -lt "$2" ]; then echo "$1"; else echo "$2"; fi; }
sum_of() { jq "[.reports[0].intervals[0].rows[] | $1] | add" "$out"; } # COLUMN
for bytes in 2120000 2150000 2200001 2250000 4000000; do
    head -c $bytes "$scratch/whole.xt" >"$scratch/cut.xt"
    end=$(smaller "$(last_of 0)" "$(last_of 1)")
    run report -q -b domain -f json "$scratch/cut.xt"
    check "$bytes bytes: the end" equal "$end" "$(jq .trace.tsc_last "$out")"
    check "$bytes bytes: nothing contradicts" quality '.inconsistent == 0 and .unknown_ns == 0'
    check "$bytes bytes: what is not used is said" quality '.cut_ns > 0 and .verdict == "degraded"'
    domains=$(sum_of .running_ns)
    run report -q -b pcpu -f json "$scratch/cut.xt"
    check "$bytes bytes: pCPUs run or are idle to the end" \
        equal "$(jq '.trace.duration_ns * 2' "$out")" "$(sum_of '.running_ns + .idle_ns')"
    check "$bytes bytes: what domains ran is what pCPUs ran" equal "$(sum_of .running_ns)" "$domains"
done

# A file, a pipe and archives give the same rows, and the same verdict. custom-class has no rows.
verdict_of() { "$XENMETER" report -b vcpu "$@" 2>/dev/null | grep '^verdict'; } # OPTION... FILE
for name in c-mask core-sched hole long-runs lost-wait null-unseen pm-idle tsc-ahead xen40-idle xen41-credit2; do
    group "$name: the same from a file, a pipe and an archive"
    file=$CASES/$name.xt.zst
    run report -q -b vcpu -f csv "$file"
    cp "$out" "$scratch/rows"
    verdict=$(verdict_of "$file")
    check 'a verdict' test -n "$verdict"
    zstd -dqc "$file" | run report -q -b vcpu -f csv -
    check 'rows, through a pipe' same "$scratch/rows" "$out"
    check 'verdict, through a pipe' equal "$verdict" "$(zstd -dqc "$file" | verdict_of -)"
    for kept in results trace; do
        rm -f "$scratch/kept.xma"
        options=()
        [ "$kept" = trace ] && options=(--with-trace)
        run archive create -q -b vcpu -g total "${options[@]}" "$file" -o "$scratch/kept.xma"
        run report -q -b vcpu -f csv "$scratch/kept.xma"
        check "rows, archive with the $kept" same "$scratch/rows" "$out"
        check "verdict, archive with the $kept" equal "$verdict" "$(verdict_of "$scratch/kept.xma")"
    done
    run dump -q -f csv "$file"
    check 'dump: as many lines as records' equal "$("$XENMETER" info -q -f json "$file" | jq .trace.records)" "$(($(wc -l <"$out") - 1))"
done

finish
