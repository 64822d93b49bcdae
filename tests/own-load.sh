#!/bin/bash
# xenmeter charge --own and --own-baseline: a known load of a driver domain's own work is taken out of the charges.
# shellcheck source=tests/lib.sh disable=SC2016,SC2317 # functions are called through check
. "$(dirname "$0")/lib.sh"

pv=fixtures/mixed-credit.xt.zst # domain 0 tells its tasks
masked=$scratch/masked.xt # it does not: a mask without hypercalls
dir=$scratch/dir
mkdir "$dir"
simulated "$masked" three-loads '.trace.events = "sched"' --duration 6s
zstd -q "$masked"

group 'wrong loads'
for command in report charge 'archive create'; do
    for bad in '' 12 0.12 12%% % -1% 1e2% 0x1% nan% inf% 12%,5% 0=12%,12% 3=5%,3=5% 65536=1% x=1% =1% 0= 0=12 '0=1%,' 0-3=1% 999999999% 1.2.3%; do
        # shellcheck disable=SC2086 # words
        check "$command --own '$bad'" refuses '--own' $command --own "$bad" -o "$dir/x" "$pv"
    done
    # shellcheck disable=SC2086
    check "$command: a load and a report" refuses 'give one of them' $command --own 1% --own-baseline README.md -o "$dir/x" "$pv"
    # shellcheck disable=SC2086
    check "$command: taken out and put in" refuses 'which\?' $command --own 1% --charge-all -o "$dir/x" "$pv"
    # shellcheck disable=SC2086
    check "$command: whose it is without a domain" refuses 'domain 0 is none of .*--idd; .*DOMAIN=SHARE' $command --idd 5 --own 1% -o "$dir/x" "$pv"
    # shellcheck disable=SC2086
    check "$command: tasks tell it" refuses 'what domain 0 did for itself, by its tasks' $command --own 1% -o "$dir/x" "$pv"
done
check 'nothing is left' [ -z "$(ls -A "$dir")" ]
run charge -q --own 0% "$pv"
check 'no load is fine' exits 0
run charge -f csv --own 2=1% "$masked"
check 'a load of a guest is said' says "$err" '^xenmeter: --own: 1 of its domains are no driver domains'

group 'every ns is charged once, and the load is own'
# The intervals of the last second, which is not a whole one, are left out.
takes() { # JSON SHARE
    jq -e --argjson share "$2" 'all(.reports[].intervals[].idds[]; .charged_ns + .own_ns + .unattributed_ns == .running_ns and ([.guests[].charged_ns] | add // 0) == .charged_ns
        and .own_given_ns <= .own_ns
        and all(.guests[]; .measured_ns + .certain_ns + .inferred_ns == .charged_ns))
        and all(.reports[] | select(.granularity_ns >= 100000000) | .granularity_ns as $length | .intervals[]
            | select(.end_ns - .start_ns == $length and .start_ns < 14e9) | .idds[] | select(.domain == 0)
            | .own_ns + 1000 - ([.running_ns, $share * $length] | min); . >= 0)
        and ([.reports[] | [.intervals[].idds[].own_ns] | add] | unique | length) == 1
        and ([.reports[] | [.intervals[].idds[].charged_ns] | add] | unique | length) == 1' "$1" >/dev/null
}
for options in '--own 1%' '--own 6%' '--own 30%' '--own 60%' '--own 300%' '--own 6% --charge-by notifications' '--own 6% --charge-per interval=100ms'; do
    for file in "$pv --charge-per execution" "$masked"; do
        share=${options#--own }
        case "$file $options" in *execution*interval*) continue ;; esac
        # shellcheck disable=SC2086 # lists of words
        run charge -q -f json -g total,1s,100ms,7ms $options $file
        check "$options $file: sums" takes "$out" "$(awk -v share="${share%%%*}" 'BEGIN { print share / 100 }')"
    done
done
run charge -q -f json --own 300% "$masked"
check 'less was run: all is own' holds '.reports[0].intervals[0].idds[0] | .own_ns == .running_ns and .charged_ns == 0' "$out"
run charge -q -f json -g total,1s,100ms,7ms --own 6% --charge-per interval=2s "$masked"
check 'longer intervals: sums' holds 'all(.reports[].intervals[].idds[]; .charged_ns + .own_ns + .unattributed_ns == .running_ns)' "$out"
{
    echo time_ns,domain,device,cpu_net_ns
    for ((i = 0; i <= 160; i++)); do echo "$((i * 100000000)),2,guest-rx,$((i * 200000))"; done
} >"$scratch/threads.csv"
run charge -q -f json -g total,1s,100ms,7ms --own 300% --io-counts "$scratch/threads.csv" --charge-per execution "$pv"
check 'measured time stays charged' holds '.reports[0].intervals[0].idds[0] | .own_ns + .charged_ns == .running_ns
    and (.guests | length == 1) and (.guests[0] | .measured_ns == .charged_ns and .measured_ns > 20e6)' <(
    jq '.reports[0].intervals[0].idds[0].guests |= map(select(.charged_ns > 0))' "$out")
check 'and all adds up' holds '[.reports[] | [.intervals[].idds[].own_ns] | add] | unique | length == 1' "$out"

group 'what it says'
run charge --own 6% "$masked"
check 'the verdict' says "$out" '^verdict: degraded .*own is given, not separated by the trace'
check 'the table' says "$out" '^own is given, not separated by the trace: of each second'
check 'the part that is given' says "$out" '^driver domain 0: .* own [0-9.]* % ([0-9.]* % given), '
run charge -q -f json --own 0=20.5%,3=5% "$masked"
check 'the method' holds '.method | .own_given == [{"domain": 0, "pct": 20.5}, {"domain": 3, "pct": 5}] and .own_baseline == null
    and (.own_separated | not)' "$out"
check 'the evidence' holds '.reports[0].intervals[0].idds[] | select(.domain == 0).own_given_ns > 0' "$out"
run charge -q -f json "$masked"
check 'without it' holds '.method | .own_given == [] and .own_baseline == null' "$out"
check 'nothing is given' holds 'all(.reports[0].intervals[0].idds[]; .own_given_ns == 0)' "$out"
check 'report charges the same' equal "$("$XENMETER" charge -q -f json --own 6% "$masked" | jq '[.reports[0].intervals[].idds[].charged_ns] | add')" \
    "$("$XENMETER" report -q -f jsonl -c charged_ns --own 6% "$masked" | jq -s 'map(.charged_ns) | add')"

group 'the same from everywhere'
"$XENMETER" charge -q -f csv -g total,1s,100ms --own 6% "$masked" >"$scratch/file.csv"
cat "$masked" | "$XENMETER" charge -q -f csv -g total,1s,100ms --own 6% - >"$scratch/pipe.csv"
check 'a pipe' cmp "$scratch/file.csv" "$scratch/pipe.csv"
"$XENMETER" archive create -q -g 1s,100ms --with-trace --own 6% -o "$scratch/given.xma" "$masked"
"$XENMETER" archive create -q -g 1s,100ms --with-trace -o "$scratch/bare.xma" "$masked"
"$XENMETER" archive create -q -g 1s,100ms --own 6% -o "$scratch/results.xma" "$masked"
for archive in given results; do
    "$XENMETER" charge -q -f csv -g total,1s,100ms "$scratch/$archive.xma" >"$scratch/archive.csv"
    check "an archive ($archive) that was made so" cmp "$scratch/file.csv" "$scratch/archive.csv"
    run charge "$scratch/$archive.xma"
    check "$archive: its verdict" says "$out" '^verdict: degraded .*own is given'
done
"$XENMETER" charge -q -f csv -g total,1s,100ms --own 6% "$scratch/bare.xma" >"$scratch/archive.csv"
check 'an archive that was not' cmp "$scratch/file.csv" "$scratch/archive.csv"
"$XENMETER" charge -q -f csv -g total,1s,100ms "$masked" >"$scratch/bare.csv"
"$XENMETER" charge -q -f csv -g total,1s,100ms --own 0% "$scratch/given.xma" >"$scratch/archive.csv"
check 'and without' cmp "$scratch/bare.csv" "$scratch/archive.csv"
check 'results have no other load' refuses 'charged in another way' charge --own 7% "$scratch/results.xma"
"$XENMETER" archive extract -q -o "$scratch/parts" "$scratch/bare.xma"
parts=("$scratch"/parts/host/*/trace/*.xt)
check 'the trace has parts' [ ${#parts[@]} -gt 1 ]
"$XENMETER" archive create -q -g 1s --with-trace --own 6% -o "$scratch/earlier.xma" "${parts[0]}"
cat "${parts[@]:1}" >"$scratch/later.xt"
"$XENMETER" archive create -q -g 1s --with-trace -o "$scratch/later.xma" "$scratch/later.xt"
"$XENMETER" archive merge -q -o "$scratch/both.xma" "$scratch/earlier.xma" "$scratch/later.xma"
check 'a timeline with and without a load has no answer' refuses 'were charged in different ways' charge "$scratch/both.xma"
run charge -q -f json --own 6% "$scratch/both.xma"
check 'but with one for both' exits 0
hz=$("$XENMETER" report -q -f json "$masked" | jq .trace.cpu_hz)
"$XENMETER" charge -q -f csv -g 1s --cpu-hz "$hz" --own 6% "$masked" >"$scratch/offline.csv"
cat "$masked" | timeout "$LIMIT" "$XENMETER" charge -q -f csv --live 1s --cpu-hz "$hz" --own 6% - >"$scratch/live.csv"
check 'live' cmp "$scratch/offline.csv" "$scratch/live.csv"
run charge -q -f json "$scratch/given.xma"
check 'the method of an archive' holds '.method.own_given == [{"domain": 0, "pct": 6}]' "$out"

group 'a capture without I/O as baseline'
"$XENMETER" report -q -f json -o "$scratch/base.json" fixtures/cpu-credit2.xt.zst
share=$(jq '.reports[0].intervals[0] | .end_ns as $to | .rows[] | select(.domain == 0) | (1e6 * .running_ns / $to | round) / 1e4' "$scratch/base.json")
"$XENMETER" charge -q -f csv -g 1s --own "$share%" "$masked" >"$scratch/share.csv"
baseline() { # REPORT-OPTION...: charges by a report that is made so
    "$XENMETER" report -q -o "$scratch/report.json" -f json "$@" fixtures/cpu-credit2.xt.zst
    "$XENMETER" charge -q -f csv -g 1s --own-baseline "$scratch/report.json" "$masked" >"$scratch/base.csv"
    cmp "$scratch/share.csv" "$scratch/base.csv"
}
check 'its running time is the load' baseline -g total
check 'of several granularities the whole trace' baseline -g 10ms,total,1s
check 'intervals are added up' baseline -g 1s
check 'so are vCPUs' baseline -b vcpu
check 'and pCPUs' baseline -b domain-pcpu,pcpu
check 'columns do not matter if the time is there' baseline -c running_ns,domain
zstd -q "$scratch/base.json"
"$XENMETER" charge -q -f csv -g 1s --own-baseline "$scratch/base.json.zst" "$masked" >"$scratch/base.csv"
check 'it may be compressed' cmp "$scratch/share.csv" "$scratch/base.csv"
run charge -q -f json --own-baseline "$scratch/base.json" "$masked"
check 'the method names it' holds ".method | .own_baseline == \"$scratch/base.json\" and any(.own_given[]; .domain == 0 and .pct == $share)" "$out"
edited() { jq "$1" "$scratch/base.json" >"$scratch/edited.json"; } # JQ-FILTER
wrong() { # WHAT PATTERN JQ-FILTER
    edited "$3"
    check "$1" refuses "^xenmeter: --own-baseline $scratch/edited.json: .*$2" charge --own-baseline "$scratch/edited.json" "$masked"
}
wrong 'a poor one is refused' 'its verdict is poor' '.quality.verdict = "poor"'
wrong 'one without a verdict, too' 'its verdict is missing' 'del(.quality)'
wrong 'another document' 'schema' '.schema = "xenmeter.charge/1"'
wrong 'no rows by domain' 'no row by domain' '.reports[].by = "pcpu"'
wrong 'no reports' 'no row by domain' 'del(.reports)'
wrong 'no time' 'no running_ns' 'del(.reports[].intervals[].rows[].running_ns)'
wrong 'a time that is no number' 'no running_ns' '.reports[].intervals[].rows[].running_ns = "1"'
wrong 'a negative time' 'cannot be' '.reports[].intervals[].rows[].running_ns = -1'
wrong 'a domain that cannot be' 'cannot be' '.reports[].intervals[].rows[].domain = 65536'
wrong 'more than all pCPUs' 'all pCPUs' '.reports[].intervals[].rows[].running_ns = 900000000000000'
wrong 'an interval that ends before it begins' 'ends before' '.reports[].intervals[].end_ns = -1'
wrong 'no length' 'no row by domain' '.reports[].intervals[].end_ns = 0'
wrong 'a row that is there twice' 'domain 0 has the same row twice' '.reports[].intervals[].rows += [.reports[0].intervals[0].rows[0]]'
wrong 'a list' 'no JSON document' '[.]'
head -c 300 "$scratch/base.json" >"$scratch/cut.json"
check 'a part of one' refuses 'cut.json: damaged report' charge --own-baseline "$scratch/cut.json" "$masked"
check 'a capture' refuses 'no JSON document; wanted is the output of "xenmeter report -f json"' charge --own-baseline "$pv" "$masked"
check 'a missing one' refuses 'No such file' charge --own-baseline "$dir/missing" "$masked"
edited 'del(.reports[].intervals[].rows[] | select(.domain == 0))'
run charge -f csv --own-baseline "$scratch/edited.json" "$masked"
check 'a driver domain that is not in it is said' says "$err" 'of the driver domains are not in it'
"$XENMETER" report -q -f json "$pv" >"$scratch/busy.json"
run charge -f csv --charge-per execution --own-baseline "$scratch/busy.json" "$pv"
check 'guests that did I/O in it are said' says "$err" '^xenmeter: .*busy.json: guests did I/O in it, 14,*[0-9]* pages mapped or copied per second'
"$XENMETER" report -q -f json fixtures/cpu-credit2.xt.zst >"$scratch/idle.json"
run charge -f csv --charge-per execution --own-baseline "$scratch/idle.json" "$pv"
check 'and no others' not says "$err" 'did I/O in it'
check '--idd wants those it names' refuses 'domain 0 of --idd is not in it' charge --idd 0 --own-baseline "$scratch/edited.json" "$masked"
cp "$scratch/base.json" "$scratch/kept.json"
check 'it is not overwritten' refuses 'would be lost' charge --own-baseline "$scratch/base.json" -o "$scratch/base.json" "$masked"
check 'and is as it was' cmp "$scratch/kept.json" "$scratch/base.json"
finish
