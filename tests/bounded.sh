#!/bin/bash
# Memory does not grow with the trace, and a generated trace gives its known truth. bounded.sh large: 4 GiB.
# shellcheck source=tests/lib.sh disable=SC2317 # functions are called through check
. "$(dirname "$0")/lib.sh"

MEASURE=$BUILD/tests/measure
RSS_MAX_KIB=$((128 * 1024))
RECORD_NS=500 # the generator records a switch not later than this after the instant at which it decided on it
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

# Lines "domain life vcpu" and the numbers, of the truth and of the report; running may be off by 2 ns for each change
# that rounds, and at both ends by what lies between the instant of a switch and its record, other times by that for
# each change, as only switches are taken at their instants; a count not at all. Creation and destruction write two records each, some 25 ns apart, of which the generator
# takes one and xenmeter the other: 100 ns for vCPUs that come or go.
agrees() { # TRACE TRUTH
    "$XENMETER" report -q -b vcpu --cpu-hz "$(jq .cpu_hz "$2")" -f csv "$1" >"$scratch/report.csv" || return 1
    jq -r '.cpu_hz as $hz | .vcpus[] | [.domain, .life, .vcpu,
            (.running, .runnable, .blocked, .offline, .wait_wake, .wait_preempt, .wait_other | . * 1e9 / $hz | round),
            .changes + (if .from_start and .to_end then 0 else 50 end), .dispatches, .wakes, .blocks, .preemptions, .yields, .migrations] | @tsv' "$2" |
        awk -v report="$scratch/report.csv" -v RECORD_NS="$RECORD_NS" '
            # domain life vcpu, 7 times, changes, 6 counts; runnable after offline may be called either kind of wait
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
                }
            }
            {
                who = $1 "." $2 "." $3
                if (!(who in seen)) { if ($11 > 0) wrong(who " is missing"); next }
                told++
                delete seen[who]
                for (i = 1; i <= times; i++) {
                    off = is[who, time[i]] - $(3 + i)
                    slack = i > 4 ? $10 : 0
                    record = i == 1 ? 2 * RECORD_NS : RECORD_NS * ($11 + 2)
                    if (off > 2 * $11 + record + slack || off < -2 * $11 - record)
                        wrong(sprintf("%s %s is %.0f, not %.0f", who, time[i], is[who, time[i]], $(3 + i)))
                }
                for (i = 1; i <= counts; i++)
                    if (is[who, count[i]] != $(11 + i))
                        wrong(sprintf("%s %s is %d, not %d", who, count[i], is[who, count[i]], $(11 + i)))
            }
            END {
                for (who in seen) wrong(who " never was")
                exit bad > 0 || !told
            }'
}

truth_of() { # WHAT OPTION...
    local what=$1
    shift
    "$TRACEGEN" --size 30M -o "$scratch/trace.xt" --truth "$scratch/truth.json" "$@"
    check "$what" agrees "$scratch/trace.xt" "$scratch/truth.json"
}

group 'generated traces give their truth'
truth_of 'as it comes'
truth_of 'another seed, one pCPU' --seed 7 --pcpus 1 --domains 3
truth_of 'many pCPUs' --pcpus 64 --domains 100
truth_of 'only the scheduler' --mix sched
truth_of 'old layout' --old-layout
truth_of 'domains come and go' --domain-churn 10
truth_of 'another frequency' --cpu-hz 3.1G --seed 9
truth_of 'HVM guests beside PV guests, old layout' --mix hvm-pv --old-layout --domain-churn 5 --seed 3
truth_of 'HVM guests beside PV guests' --mix hvm-pv

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
for mix in full hvm-pv sched switch; do
    "$TRACEGEN" --size 1M --mix $mix --seed 5 -o "$scratch/one.xt"
    "$TRACEGEN" --size 1M --mix $mix --seed 5 -o "$scratch/two.xt"
    check "$mix" same "$scratch/one.xt" "$scratch/two.xt"
    "$TRACEGEN" --size 1M --mix $mix --seed 6 -o "$scratch/two.xt"
    check "$mix, another seed" not same "$scratch/one.xt" "$scratch/two.xt"
done
finish
