#!/bin/bash
# The clock of a trace: runs that wrap, frequencies that are given, wrong, unknown, or known from elsewhere.
# shellcheck disable=SC2317 # functions are called by check
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/lib.sh"

out=$scratch/out
err=$scratch/err

run() {
    timeout "$LIMIT" "$XENMETER" "$@" >"$out" 2>"$err"
    status=$?
}
exits() { [ "$status" -eq "$1" ]; }
equal() { [ "$1" = "$2" ] || { echo "$1, not $2"; return 1; }; }
says() { grep -qE -e "$2" "$1"; }
about() { awk -v a="$1" -v b="$2" -v ppm="$3" 'BEGIN { d = (a / b - 1) * 1e6; exit !(a && d < ppm && d > -ppm) }'; }
trace() { "$XENMETER" info -f json "$@" 2>/dev/null | jq -r ".trace.$field"; }

group 'runs of 5 s, whose lengths in ns do not fit 32 bits'
long=fixtures/cases/long-runs.xt.zst
field=cpu_hz
check 'the frequency' about "$(trace $long)" 2400000000 3
zstd -dqc $long >"$scratch/long.xt"
check 'the same from a file' equal "$(trace $long)" "$(trace "$scratch/long.xt")"
check 'the same from a pipe' equal "$(trace $long)" "$(trace - <"$scratch/long.xt")"
run report -f json $long
check 'time' about "$(jq .trace.duration_ns "$out")" 60000000000 10
check 'verdict' equal good "$(jq -r .quality.verdict "$out")"

group 'the frequency as given'
run report --cpu-hz 2.4G $long
check 'confirmed: good' says "$out" '^verdict: good .* clock 2400.00 MHz as given'
run report --cpu-hz 2.401G $long
check 'rounded: good' says "$out" '^verdict: good '
run report --cpu-hz 2.41G $long
check 'contradicted: not good' says "$out" '^verdict: degraded .*the trace contradicts the tsc frequency that was given: its records make it 2400.0'
run report --cpu-hz 9.7G -f json $long
check 'far off: poor' equal poor "$(jq -r .quality.verdict "$out")"
check 'it is used all the same' equal 9700000000 "$(jq .trace.cpu_hz "$out")"
check 'as given' equal given "$(jq -r .trace.cpu_hz_source "$out")"
check 'beside the measured one' about "$(jq .trace.cpu_hz_check "$out")" 2400000000 10
run archive create -q --cpu-hz 2.41G $long -o "$scratch/a.xma"
run report "$scratch/a.xma"
check 'an archive says it, too' says "$out" '^verdict: degraded .*contradicts the tsc frequency'
for capture in fixtures/mixed-credit.xt.zst fixtures/cpu-credit2.xt.zst; do
    run report -f json --cpu-hz 2.596G $capture
    check "$capture: confirmed" equal good "$(jq -r .quality.verdict "$out")"
    run report -f json --cpu-hz 2.4G $capture
    check "$capture: contradicted" equal poor "$(jq -r .quality.verdict "$out")"
done

group 'nothing to measure it by'
simulated "$scratch/clockless.xt" stress-sched '.trace.events = "0x21000"' --duration 1h --size 200K --truth "$scratch/truth.json"
hz=$(jq .cpu_hz "$scratch/truth.json")
run info "$scratch/clockless.xt"
check 'info goes on' exits 0
check 'it says so' says "$out" '^frequency +not known'
check 'in cycles' says "$out" '^duration .* cycles'
check 'cpu_hz is null' equal null "$(trace "$scratch/clockless.xt")"
run dump --tsc "$scratch/clockless.xt"
check 'dump --tsc goes on' exits 0
for command in report charge blame dump; do
    run $command "$scratch/clockless.xt"
    check "$command asks for it" says "$err" 'give it with --cpu-hz'
    check "$command: exit code 2" exits 2
done

group 'the host knows'
first=$(field=tsc_first trace "$scratch/clockless.xt")
counts() { # HZ: a reading of a device each 500 ms
    awk -v first="$first" -v hz="$1" 'BEGIN { print "time_ns,tsc,domain,device,tx_packets"
        for (i = 0; i < 20; i++) printf "%.0f,%.0f,1,vif1.0,%d\n", 1e12 + i * 5e8, first + i * hz / 2, i * 10 }'
}
counts "$hz" >"$scratch/counts.csv"
run charge --io-counts "$scratch/counts.csv" -f json "$scratch/clockless.xt"
check 'a file of io-counts tells the frequency' about "$(jq .trace.cpu_hz "$out")" "$hz" 10
check 'its source is named' equal io-counts "$(jq -r .trace.cpu_hz_source "$out")"
first=$(field=tsc_first trace $long)
counts 2400000000 >"$scratch/counts.csv"
run report --io-counts "$scratch/counts.csv" $long
check 'it agrees with the trace' says "$out" '^verdict: good .* measured from'
counts 2410000000 >"$scratch/counts.csv"
run report --io-counts "$scratch/counts.csv" $long
check 'or not: not good' says "$out" "^verdict: degraded .*the host's own pairs of tsc and time .* 2410.0"

group 'a host that is quiet for long'
quiet='{"duration_s": 7200, "host": {"scheduler": "null", "pcpus": 2}, "trace": {"sweep_ms": 400},
    "domains": [{"id": 0, "name": "dom0", "driver_domain": {}},
        {"id": 1, "name": "web", "loads": [{"type": "web", "clients": 1, "think_ms": 4000, "file_bytes": 3000}]}]}'
"$XENMETER" simulate -q --truth "$scratch/quiet.json" -o "$scratch/quiet.xt" - <<<"$quiet"
run report -g total -f jsonl "$scratch/quiet.xt"
for domain in 0 1; do
    ran=$(jq "select(.domain == $domain) | .running_ns" "$out")
    executions=$(jq "select(.domain == $domain) | .executions" "$out")
    truth=$(jq "[.domains[] | select(.domain == $domain) | .vcpus[].running_ns] | add" "$scratch/quiet.json")
    check "domain $domain ran for $truth ns, to a microsecond an execution: $ran" \
        [ $((truth - ran)) -le "$executions"000 ] && [ $((ran - truth)) -le "$executions"000 ]
done

finish
