#!/bin/bash
# Memory does not grow with the trace, and a simulated trace gives its known truth. bounded.sh large: 4 GiB.
# shellcheck source=tests/lib.sh disable=SC2317 # functions are called through check
. "$(dirname "$0")/lib.sh"

MEASURE=$BUILD/tests/measure
RSS_MAX_KIB=$((128 * 1024))
RECORD_NS=7000 # a switch is recorded not later than this after the instant at which it was decided
LIMIT=1200

measured() { # WHAT: what the last run took
    local rss seconds
    read -r rss seconds <"$scratch/took"
    printf '      %s: %d MiB, %s s\n' "$1" $((rss / 1024)) "$seconds"
    check "$1: at most $((RSS_MAX_KIB / 1024)) MiB" [ "$rss" -le $RSS_MAX_KIB ]
}

through_a_pipe() { # WHAT SIZE SCENARIO FILTER
    local what=$1
    simulated - "$3" "$4" --duration 2m --size "$2" |
        timeout $LIMIT "$MEASURE" "$scratch/took" "$XENMETER" report -q -b vcpu -g total,1s -f csv - >"$out" 2>"$err"
    status=$?
    check "$what: exit code 0" exits 0
    check "$what: rows" [ "$(wc -l <"$out")" -gt 50 ]
    measured "$what"
}

dumped_through_a_pipe() { # WHAT SIZE DUMP-OPTIONS SCENARIO FILTER
    local what=$1 options=$3
    # shellcheck disable=SC2086 # a list of words
    simulated - "$4" "$5" --duration 10m --size "$2" |
        timeout $LIMIT "$MEASURE" "$scratch/took" "$XENMETER" dump -q $options - 2>"$err" | wc -l >"$out"
    status=${PIPESTATUS[1]}
    check "$what: exit code 0" exits 0
    check "$what: lines" [ "$(cat "$out")" -gt 50 ]
    measured "$what"
}

if [ "${1:-}" = large ]; then
    group '4 GiB'
    through_a_pipe '4 GiB through a pipe' 4G stress-pv .
    simulated "$scratch/large.xt" stress-pv . --duration 10m --size 4G
    timeout $LIMIT "$MEASURE" "$scratch/took" "$XENMETER" report -q -b vcpu -g total,1s -f csv "$scratch/large.xt" \
        >"$scratch/from-file" 2>"$err"
    check '4 GiB from a file: exit code 0' equal 0 $?
    measured '4 GiB from a file'
    check 'the same rows' same "$out" "$scratch/from-file"
    finish
fi

group 'memory'
many='.host.pcpus = 256 | .domains[1].count = 1000'
through_a_pipe '300 MiB through a pipe' 300M stress-pv .
through_a_pipe '256 pCPUs, 1000 domains' 100M stress-255-pcpus "$many"
through_a_pipe 'records lost all the time' 100M stress-pv '.trace.lost = 0.1'
through_a_pipe 'domains come and go' 100M stress-churn '.trace.buffer_pages = 32'
dumped_through_a_pipe '100 MiB, dumped' 100M '-f csv' stress-pv .
dumped_through_a_pipe '64 pCPUs, dumped' 100M '' stress-255-pcpus '.host.pcpus = 64 | .domains[1].count = 100'
dumped_through_a_pipe '256 pCPUs, 1000 domains, dumped' 100M '-f jsonl' stress-255-pcpus "$many"
dumped_through_a_pipe '256 pCPUs, 1000 domains, counted' 100M '--count -b vcpu' stress-255-pcpus "$many"
simulated - stress-pv . --duration 10m --size 30M | "$XENMETER" report -q --max-memory 16M -g 1ms -f csv - >"$out" 2>"$err"
status=$?
check 'too little memory: said, or enough after all' [ $status -eq 0 ] || [ $status -eq 2 ]

# Lines "domain life vcpu" and the numbers, of the truth and of the report. The simulator records a switch and a wake up to
# RECORD_NS after the instant of the truth, beside the scheduler's own records, which come first. xenmeter knows the instant of a
# switch but for a constant, so that running may be off at the ends of the trace only; of the other states that begin or end
# with a wake each may be off. A count may not be off at all.
agrees() { # TRACE TRUTH
    "$XENMETER" report -q -b vcpu --cpu-hz "$(jq .cpu_hz "$2")" -f csv "$1" >"$scratch/report.csv" || return 1
    jq -r '.domains[] | . as $domain | .vcpus[] | [$domain.domain, $domain.life, .vcpu,
            .running_ns, .runnable_ns, .blocked_ns, .offline_ns, .wake_wait_ns, .preempt_wait_ns,
            .executions, .wakes, .blocks, .preemptions, .yields, .migrations] | @tsv' "$2" |
        awk -v report="$scratch/report.csv" -v RECORD_NS="$RECORD_NS" -v DURATION_NS="$(jq .duration_ns "$2")" '
            # domain life vcpu, 6 times, 6 counts; runnable after offline may be called either kind of wait
            function wrong(what) { if (++bad <= 5) print "      " what }
            BEGIN {
                times = split("running_ns runnable_ns blocked_ns offline_ns wake_wait_ns preempt_wait_ns", time, " ")
                counts = split("executions wakes blocks preemptions yields migrations", count, " ")
                while ((getline line < report) > 0) {
                    n = split(line, field, ",")
                    if (!rows++) { for (i = 1; i <= n; i++) at[field[i]] = i; continue }
                    who = field[at["domain"]] "." field[at["life"]] "." field[at["vcpu"]]
                    seen[who] = 1
                    for (i = 1; i <= times; i++) is[who, time[i]] += field[at[time[i]]]
                    for (i = 1; i <= counts; i++) is[who, count[i]] += field[at[count[i]]]
                    unrecorded = DURATION_NS - field[at["end_ns"]] # the trace ends with its last record
                }
            }
            {
                who = $1 "." $2 "." $3
                if (!(who in seen)) { if ($10 + $11 > 0) wrong(who " is missing"); next }
                told++
                delete seen[who]
                after_offline = $5 - $8 - $9
                for (i = 1; i <= times; i++) {
                    off = is[who, time[i]] - $(3 + i)
                    slack = RECORD_NS * (i == 1 ? 4 : 2 * $10 + 4) + unrecorded
                    if (off > slack + (i > 4 ? after_offline : 0) || off < -slack)
                        wrong(sprintf("%s %s is %.0f, not %.0f", who, time[i], is[who, time[i]], $(3 + i)))
                }
                for (i = 1; i <= counts; i++) {
                    if (is[who, count[i]] != $(9 + i))
                        wrong(sprintf("%s %s is %d, not %d", who, count[i], is[who, count[i]], $(9 + i)))
                    all[i] += $(9 + i)
                }
            }
            END {
                for (who in seen) wrong(who " never was")
                for (i = 1; i <= counts; i++) printf "%s%s", all[i] + 0, i < counts ? " " : "\n" > (report ".counts")
                exit bad > 0 || !told
            }'
}

truth_of() { # WHAT SCENARIO FILTER [OPTION]...
    check "$1: simulates" simulated "$scratch/trace.xt" "$2" "$3" --duration 1m --size 30M --truth "$scratch/truth.json" "${@:4}"
    check "$1" agrees "$scratch/trace.xt" "$scratch/truth.json"
}

group 'simulated traces give their truth'
truth_of 'as it comes' stress-pv .
truth_of 'another seed, one pCPU' stress-pv '.host.pcpus = 1 | .domains[1].count = 3' --seed 7
truth_of 'many pCPUs' stress-255-pcpus '.host.pcpus = 64 | .domains[1].count = 100'
truth_of 'only the scheduler' stress-sched .
for layout in 4.1 4.4 4.6 4.7 4.8 4.9 4.13; do
    truth_of "records of Xen $layout" stress-pv . --layout $layout
done
truth_of 'domains come and go' stress-churn .
truth_of 'another frequency' stress-pv '.host.cpu_hz = 3100000000' --seed 9
truth_of 'HVM guests beside PV guests, and some come and go, records of Xen 4.6' stress-hvm-pv \
    '.domains += [{ "id": 50, "count": 5, "vcpus": 2, "destroyed_ms": 100, "again_ms": 250, "loads": [{ "type": "hog" }] }]' \
    --seed 3 --layout 4.6
for scheduler in credit rtds; do
    truth_of "$scheduler, vCPUs that yield" stress-sched ".host.scheduler = \"$scheduler\"
        | if \"$scheduler\" == \"rtds\" then .domains[].budget_us = 500 else . end
        | .domains[1] += { \"count\": 6, \"loads\": (.domains[1].loads + [{ \"type\": \"hog\", \"yield_us\": 700 }]) }"
    check "$scheduler: there is something to count" not says "$scratch/report.csv.counts" '\b0\b'
done
truth_of 'HVM guests beside PV guests' stress-hvm-pv .

group 'HVM guests beside PV guests: what the trace is made of'
at_least() { # PERCENT EVENTS: of all records
    "$XENMETER" dump -q --count -e "$2" -f csv "$scratch/trace.xt" |
        awk -F, -v all="$records" -v percent="$1" 'NR > 1 { n += $3 } END { exit !(n * 100 >= all * percent) }'
}
records=$("$XENMETER" info -q -f json "$scratch/trace.xt" | jq .trace.records)
check 'exits, entries and their handlers: a quarter' at_least 25 hvm
check 'hypercalls, traps and faults: a quarter' at_least 25 pv
check 'grants: a tenth' at_least 10 grant_map,grant_unmap
# Of each pCPU: entry, exit, what the exit was about, entry ...; only guests that enter do so, and half of them.
"$XENMETER" dump -q -e hvm -f csv "$scratch/trace.xt" | sed 1d | sort -s -t, -k 2,2 >"$scratch/hvm"
strange=$(awk -F, '
    $5 == "vmentry" { bad += $2 in inside && inside[$2]; inside[$2] = 1; about[$2] = 1 }
    $5 == "vmx_exit" { bad += $2 in inside && !inside[$2]; inside[$2] = 0; about[$2] = 0 }
    $5 ~ /^hvm_/ { bad += !($2 in inside) || inside[$2] || (about[$2]++ && $5 != "hvm_inj_virq") }
    END { print bad + 0 }' "$scratch/hvm")
check 'an exit, what it was about, an entry' equal 0 "$strange"
check 'half of the guests' equal 10 "$(cut -d, -f 3 "$scratch/hvm" | sort -u | grep -c .)"
# Of each pCPU: a hypercall that says how many pages, and so many of one guest.
"$XENMETER" dump -q -e grant_map,hypercall_v2 -f csv "$scratch/trace.xt" | grep -e grant_map -e map_grant_ref | sort -s -t, -k 2,2 |
    awk -F, '
        $5 == "grant_map" { bad += $6 != guest[$2] && had[$2]; guest[$2] = $6; guests[$6]; had[$2]++; next }
        $6 ~ /cmd=map_grant_ref/ { bad += had[$2] != due[$2]; had[$2] = 0; due[$2] = substr($6, index($6, "count=") + 6); runs[due[$2]] }
        END { print bad + 0, length(runs), length(guests) }' >"$scratch/runs"
check 'grants: runs of 1 to 8, each of one guest, of all guests' equal '0 8 20' "$(cat "$scratch/runs")"

group 'the same seed gives the same bytes'
for name in stress-pv stress-hvm-pv stress-sched; do
    simulated "$scratch/one.xt" $name . --size 1M --seed 5
    simulated "$scratch/two.xt" $name . --size 1M --seed 5
    check "$name" same "$scratch/one.xt" "$scratch/two.xt"
    simulated "$scratch/two.xt" $name . --size 1M --seed 6
    check "$name, another seed" not same "$scratch/one.xt" "$scratch/two.xt"
done
finish
