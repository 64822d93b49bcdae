#!/bin/bash
# Memory, reads, writes and other calls that fail, one in each run, for every command: one clear message and exit code 2, nothing
# half-written, no crash, no hang; or the bytes of an undisturbed run, which short transfers and EINTR must never change.
#
# Which calls fail: the first ones, and a sample by FAULTS_SEED (default: the time; printed). FAULTS_EVERY=1: all of them.
# FAULTS_ONLY=PATTERN: the cases whose name it matches. FAULTS_JOBS=N: runs at a time.
# shellcheck source=tests/lib.sh disable=SC2317 # functions are called through check
. "$(dirname "$0")/lib.sh"

shim=$(realpath "$BUILD/faults.so")
program=$(realpath "$XENMETER")
seed=${FAULTS_SEED:-$(date +%s)}
jobs=${FAULTS_JOBS:-$(nproc)}
sample=(--first 5 --sample 12 --chance 6)
few=(--first 2 --sample 4 --chance 2) # of runs that take long
[ -z "$QUICK" ] || sample=(--first 2 --sample 3 --chance 2)
[ -z "${FAULTS_EVERY:-}" ] || sample=(--chance 50) few=()
echo "seed $seed (FAULTS_SEED=$seed repeats it)"

# Under AddressSanitizer, which then finds leaks, too: the library stands before its own.
export ASAN_OPTIONS=verify_asan_link_order=0:allocator_may_return_null=1${ASAN_OPTIONS:+:$ASAN_OPTIONS}
export SQLITE_TMPDIR=$scratch

faults() { # NAME [OPTION]... -- ARGUMENT...
    local name=$1 options=()
    shift
    [[ $name =~ ${FAULTS_ONLY:-} ]] || return 0
    while [ "$1" != -- ]; do options+=("$1") && shift; done
    shift
    "$BUILD/faults" --shim "$shim" --name "$name" --seed "$seed" --jobs "$jobs" --scratch "$scratch" "${sample[@]}" "${options[@]}" -- \
        "$program" "$@" >"$out" 2>&1
    status=$?
    [ $status -le 1 ] || echo '0 runs, 1 failed' >>"$out"
    sed '$d' "$out"
    count "$(sed -n '$s/^\([0-9]*\) runs.*/\1/p' "$out")" "$(sed -n '$s/.* \([0-9]*\) failed/\1/p' "$out")"
}

# ---- what is read ----

input=$scratch/input
mkdir "$input"
trace=$input/small.xt
jq '.trace = { "sweep_ms": 2, "lost": 0.1 }' sim/scenarios/stress-hvm-pv.json >"$input/scenario.json"
"$XENMETER" simulate -q --size 100K --counts "$input/counts.csv" --counts-every 1ms -o "$trace" "$input/scenario.json"
zstd -q -o "$trace.zst" "$trace"
gzip -k "$trace"
[ -z "$(command -v xz)" ] || xz -k "$trace"
"$XENMETER" simulate -q --seed 2 --size 100K -o "$input/other.xt" "$input/scenario.json"
"$XENMETER" report -q -g total,1ms -f json -o "$input/saved.json" "$trace"
"$XENMETER" archive create -q --with-trace -g 1ms,execution -o "$input/whole.xma" "$trace"
"$XENMETER" archive create -q -g 1ms,execution -o "$input/results.xma" "$input/other.xt"
mkdir "$input/parts"
"$XENMETER" simulate -q --duration 70s sim/scenarios/two-hogs.json | "$BUILD/tests/parts" 1000000000000 "$input/parts" >/dev/null
head -c -800 "$input/parts/0.xma" >"$input/left.xma.partial"
printf '0 Domain-0\n1 web\n2 db\n' >"$input/names"
tsc=$("$XENMETER" info -q -f json "$trace" | jq .trace.tsc_first)
printf '{"boot":{"tsc":%d,"host":"web1"}}\n{"clock":{"tsc":%d,"utc_ns":1795935600000000000,"monotonic_ns":5,"error_ns":7}}\n{"domain":{"tsc":%d,"domain":1,"name":"web"}}\n' \
    "$tsc" "$tsc" "$tsc" >"$input/facts"
"$XENMETER" archive create -q --host-facts "$input/facts" -g 1ms -o "$input/facts.xma" "$trace"
echo '{ "feedback": "1ms", "domains": { "0": { "share": "5%" } } }' >"$input/debt.json"
mkdir -p "$input/root/sys/class/net/vif1.0/statistics" "$input/root/sys/bus/xen-backend/devices/vbd-1-51712/statistics"
for file in tx_packets rx_packets; do echo 5 >"$input/root/sys/class/net/vif1.0/statistics/$file"; done
for file in rd_req wr_req; do echo 7 >"$input/root/sys/bus/xen-backend/devices/vbd-1-51712/statistics/$file"; done
mkdir -p "$XDG_CONFIG_HOME/xenmeter" "$scratch/former"
for file in out.csv out.sqlite out.xt truth.json out.xma; do echo former >"$scratch/former/$file"; done
former=(--former "$scratch/former")

group 'top'
faults 'top, text' --streams -- top -b --no-config "$trace"
faults 'top, rows' --streams "${few[@]}" -- top -b --no-config -f jsonl --view vcpus "$trace.zst"
faults 'top, delays, an archive' --streams "${few[@]}" -- top -b --no-config -f csv --view blame "$input/whole.xma"

group 'report'
for threads in 1 3; do
    faults "report -j $threads" -- report -j $threads "$trace"
    faults "report -j $threads, csv" "${former[@]}" -- report -j $threads -b vcpu -g total,1ms,execution -o out.csv "$trace"
done
faults 'report, json' -- report -j 1 -f json -g total,1ms -o out.json "$trace.zst"
faults 'report, json.zst' -- report -j 3 -o out.json.zst "$trace"
faults 'report, jsonl' --streams -- report -j 1 -f jsonl -b pcpu,domain-pcpu -g 1ms "$trace"
faults 'report, tsv' -- report -j 1 -f tsv --names "$input/names" -s running_pct -n 3 "$trace.gz"
faults 'report, facts' -- report -j 1 -f csv -g 1ms --time-format utc -d web -t 07:00Z,07:00:00.002Z --host-facts "$input/facts" "$trace"
faults 'report, facts of an archive' -- report -j 1 -f json --time-format local -d web "$input/facts.xma"
faults 'report, sqlite' "${former[@]}" -- report -j 1 -g total,1ms -o out.sqlite "$trace"
faults 'report, xenmon' -- report -j 1 -f xenmon -o host "$trace"
faults 'report, pipe' --input "$trace" --piped -- report -j 3 -f csv -
faults 'report, pipe, live' --input "$trace" --piped --streams -- report -j 1 --live 1ms -f csv -
faults 'report, read' --unmapped -- report -j 3 -f csv "$trace"
[ ! -e "$trace.xz" ] || faults 'report, xz' -- report -j 1 -f csv "$trace.xz"
faults 'report, archive' -- report -j 1 -f csv -g 1ms "$input/whole.xma"
faults 'report, results' -- report -j 3 -f csv "$input/results.xma"
faults 'report, part of an archive' -- report -j 1 -f csv -t 1ms,3ms "$input/whole.xma"

group 'odd captures'
for case in core-sched tsc-ahead lost-wait hole cut-midsweep xen41-credit2; do
    odd=$(find fixtures/cases -name "$case.xt.zst")
    [ -z "$odd" ] || faults "$case" -- report -j 1 -f csv -b vcpu,pcpu "$PWD/$odd"
done

group 'charge'
faults 'charge' -- charge -j 1 "$trace"
faults 'charge -j 3, csv' "${former[@]}" -- charge -j 3 -g total,1ms -o out.csv "$trace"
faults 'charge, json' -- charge -j 1 -f json --charge-per interval=1ms --io-counts "$input/counts.csv" "$trace"
faults 'charge, own' -- charge -j 1 -f csv --own-baseline "$input/saved.json" --charge-per execution "$trace"
faults 'charge, archive' -- charge -j 1 -f csv "$input/whole.xma"

group 'dump'
for format in text csv jsonl; do faults "dump, $format" "${former[@]}" -- dump -j 1 -f $format -n 300 -o out.csv "$trace"; done
faults 'dump, facts' -- dump -j 1 -f jsonl -n 300 --time-format utc --host-facts "$input/facts" "$trace"
faults 'dump, printed' --streams -- dump -j 3 "$trace"
faults 'dump --count' -- dump -j 1 --count -b vcpu "$trace"

group 'info, blame, diff'
faults 'info' -- info -v -j 1 "$trace"
faults 'info, json' -- info -f json -j 3 "$trace.zst"
faults 'info, facts' -- info -f json --host-facts "$input/facts" "$trace"
faults 'info, archive' -- info "$input/whole.xma"
faults 'blame' -- blame -j 1 "$trace"
faults 'blame, csv' "${former[@]}" -- blame -j 3 -f csv -g 1ms -o out.csv "$trace"
faults 'diff' -- diff -j 1 "$trace" "$input/other.xt"
faults 'diff, saved' "${former[@]}" -- diff -j 3 -b domain -o out.csv "$input/saved.json" "$input/other.xt"

group 'debt and guard'
faults 'debt' -- debt -j 1 --reserve '0=10%,*=5%' --feedback 1ms -g interval,total "$trace"
faults 'debt, policy' "${former[@]}" -- debt -j 3 --policy "$input/debt.json" -f csv -o out.csv "$trace"
faults 'guard' -- guard -j 1 --limit '*=5%' --window 1ms -g interval,total -f json "$trace"
faults 'guard, csv' "${former[@]}" -- guard -j 3 --limit '*=5%' --window 1ms -o out.csv "$trace"

group 'simulate'
faults 'simulate' "${former[@]}" --several -- simulate -q --size 30K -o out.xt --truth truth.json --counts counts.csv "$input/scenario.json"
faults 'simulate, printed' --streams -- simulate -q --size 30K "$input/scenario.json"
faults 'simulate --with' --several -- simulate -q --duration 200ms -o out.xt.zst --with "debt=$PWD/sim/policies/sedf-web-server.json" --ledger out.csv \
    "$PWD/sim/scenarios/sedf-web-server.json"

group 'archive'
faults 'archive create' "${former[@]}" --partial -- archive create -q -j 1 --with-trace -g 1ms,execution -o out.xma "$trace"
faults 'archive create -j 3' --partial -- archive create -q -j 3 --with-trace -b vcpu -o new.xma "$trace"
faults 'archive create, facts' --partial -- archive create -q -j 1 --host-facts "$input/facts" -o new.xma "$trace"
faults 'archive create, pipe' --input "$trace" --piped --partial -- archive create -q -j 1 -o new.xma -
faults 'archive list' -- archive list "$input/whole.xma"
faults 'archive extract' -- archive extract --trace -o out.xt "$input/whole.xma"
faults 'archive extract, members' --several -- archive extract -o members "$input/results.xma"
faults 'archive verify' -- archive verify "$input/whole.xma"
faults 'archive merge' "${former[@]}" --partial -- archive merge -q -o out.xma "$input/whole.xma" "$input/results.xma"

faults 'archive salvage' "${former[@]}" -- archive salvage -q -o out.xma "$input/left.xma.partial"

group 'account'
"$XENMETER" account close -q -g hour --rates fixtures/rates.json -o "$input/closed" 2026-11-29 "$input/facts.xma"
printf 'vm,customer\nweb,ACME\n' >"$input/tags.csv"
faults 'account, bill' "${former[@]}" -- account -q -j 1 --rates "$PWD/fixtures/rates.json" --tags "$input/tags.csv" --share-idle used -b tag -o out.csv "$input/facts.xma"
faults 'account, FOCUS' "${former[@]}" -- account -q -j 1 --rates "$PWD/fixtures/rates.json" --basis max -f focus -o out.csv "$input/facts.xma"
faults 'account close' -- account close -q -j 1 --rates "$PWD/fixtures/rates.json" -o new.closed 2026-11-29 "$input/facts.xma"
faults 'account correct' -- account correct -q -j 1 --closed "$input/closed" --into 2026-12 --share-idle even --basis max -o new.closed "$input/facts.xma"
faults 'account replay' "${former[@]}" -- account replay -o out.csv "$input/closed"

# Killed at a call: what is there is the former file or the new one, and of an archive that was begun the trace is recovered.
group 'killed'
faults 'report, killed' --kinds kill "${former[@]}" -- report -j 1 -g total,1ms -o out.csv "$trace"
faults 'report, sqlite, killed' --kinds kill "${former[@]}" -- report -j 1 -o out.sqlite "$trace"
faults 'salvage, killed' --kinds kill "${former[@]}" -- archive salvage -q -o out.xma "$input/left.xma.partial"
faults 'merge, killed' --kinds kill "${former[@]}" -- archive merge -q -o out.xma "$input/whole.xma" "$input/results.xma"
loads=$input/loads.xt
"$XENMETER" simulate -q --duration 200ms -o "$loads" sim/scenarios/three-loads.json
recovered="[ ! -e new.xma ] || '$program' archive verify new.xma || exit 1
    [ ! -s new.xma.partial ] || '$program' archive extract --partial --trace -o back.xt new.xma.partial || [ \$? -eq 1 ] ||
    grep -q 'no whole chunk of a trace is in it' after.txt || exit 1
    [ ! -e back.xt ] || cmp -n \$(stat -c %s back.xt) back.xt '$loads'"
faults 'archive create, killed' --kinds kill --after "$recovered" -- archive create -q -j 1 --with-trace -o new.xma "$loads"
faults 'archive create, pipe, killed' --kinds kill --after "$recovered" --input "$loads" --piped -- \
    archive create -q -j 3 --with-trace -o new.xma -

# What acts on a host gives back what it has set, or --restore does, whatever failed.
group 'acting'
mkdir -p "$scratch/hosts/host" "$scratch/hooked/host"
printf '0 1 Domain-0\n1 1 web\n2 1 sender\n3 1 hog\n' >"$scratch/hosts/host/guests"
printf '%s\n' 0 1 2 3 >"$scratch/hooked/host/guests"
export FAKE_XL=host FAKE_HOOK=host
debt=(debt -q --state state.json)
xl=(--hook "$PWD/tests/fake-xl" --kill-switch stop --log log.jsonl)
uncapped="'$program' ${debt[*]} --restore && ! [ -e state.json ] && ! grep -v ' 0\$' host/credit2.[123]"
faults 'debt --exec' "${few[@]}" --former "$scratch/hosts" --varies --acts --kinds memory,error,interrupt,short,kill --after "$uncapped" \
    --input "$loads" --piped -- "${debt[@]}" --reserve '*=5%' --feedback 50ms --live 50ms -f csv --apply credit2 --exec "${xl[@]}" -
guard=(guard -q --state state.json)
released="'$program' ${guard[*]} --restore && ! [ -e state.json ] && ! ls host/held.*"
faults 'guard --exec' "${few[@]}" --former "$scratch/hooked" --varies --acts --kinds memory,error,interrupt,short,kill --after "$released" \
    --input "$loads" --piped -- "${guard[@]}" --limit '*=0.5%' --window 20ms --live 20ms -f csv --exec --hook "$PWD/tests/fake-hook" --kill-switch stop \
    --log log.jsonl -

group 'io-counts'
faults 'io-counts' --varies --acts -- io-counts --root "$input/root" -n 2 -i 10ms -o counts.csv

group 'help and configuration'
printf '[report]\nformat = csv\n' >"$XDG_CONFIG_HOME/xenmeter/config"
faults 'configured' -- report -j 1 "$trace"
faults 'help' -- help
faults 'completion' -- help --completion bash
rm "$XDG_CONFIG_HOME/xenmeter/config"

finish
