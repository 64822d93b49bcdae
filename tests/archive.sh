#!/bin/bash
# Archives: the numbers are those of the trace, and the trace is restored, from any source and after any number of merges.
# shellcheck source=tests/lib.sh disable=SC2317 # functions are called through check
. "$(dirname "$0")/lib.sh"

shopt -s lastpipe # checks count, at the end of pipelines
MEASURE=$BUILD/tests/measure
RSS_MAX_KIB=$((160 * 1024))

create() { "$XENMETER" archive create -q "$@"; }
unpack() { zstd -qdc "$1" >"$2"; }

# ---- the same numbers ----

# What is about the file itself is left out; both are read under one name.
about_numbers() { sed -e '/^    "stored_bytes":/d' -e '/^    "compression":/d' -e '/^    "read_from":/d' -e '/^    "host":/d' -e '/^    "timeline":/d' -e '/^    "source":/d' -e '/^    "io_counts": "/d' -e '/^trace  /d' -e '/^size  /d' "$1"; }
here=$scratch/capture
asked() { # FILE ARGUMENT...: a run of it; $out, and in $road where the numbers come from
    ln -sf "$1" "$here"
    shift
    run "$@" "$here"
    road=$(sed -n "s|^xenmeter: $here: from the \([a-z]*\) .*|\1|p" "$err")
}
without_road() { sed -e "\\|^xenmeter: $here: from the |d" "$err"; }
# One question to the trace and to the archives of it. ROADS: for each of them R (from the results), T (from the trace),
# - (it cannot be told, and that is said), r (from the results: the rows are the same, but what is said of the trace is not
# of this part of it only), . (whatever).
#   plain  --with-trace, as it comes: by domain; 1s and total
#   rich   --with-trace, everything: by all; 100ms, 1s, executions and total
#   bare   everything, but without the trace
answers_are_the_same() { # ROADS ARGUMENT...
    local roads=$1 i=0 kind status_of_trace
    shift
    asked "$scratch/trace.xt" "$@"
    status_of_trace=$status
    about_numbers "$out" >"$scratch/expected"
    cp "$err" "$scratch/expected-said"
    for kind in plain rich bare; do
        asked "$scratch/$kind.xma" "$@"
        if [ "$status_of_trace" -ne 0 ] || [ "${roads:i:1}" = - ]; then
            check "$kind: $*: refused" refused_once
        else
            about_numbers "$out" >"$scratch/got"
            without_road >"$scratch/said"
            check "$kind: $*" same "$scratch/expected" "$scratch/got"
            [ "${roads:i:1}" = r ] || check "$kind: $*: what is said" same "$scratch/expected-said" "$scratch/said"
            case ${roads:i:1} in
            [Rr]) check "$kind: $*: from the results" equal results "$road" ;;
            T) check "$kind: $*: from the trace" equal trace "$road" ;;
            esac
        fi
        i=$((i + 1))
    done
}

questions() {
    while read -r roads arguments; do
        # shellcheck disable=SC2086 # a list of words
        [ -z "$roads" ] || answers_are_the_same "$roads" $arguments
    done
}

times='running_ns,runnable_ns,blocked_ns,offline_ns,unknown_ns,executions,wait_p99_ns,run_max_ns,block_p50_ns,wakes,migrations,full_run_ns'

few_questions() {
    questions <<L
RRR report -g total,1s -f json
TRR report -g 500ms -b vcpu -f csv
TT- report -g 70ms -b pcpu -f csv
TRR report -g execution -f csv
RRR report -t 1s,2s -f csv -g 1s,total
TT- report -t 0.51234,1.7891 -g 100ms -b domain-pcpu -f csv
RRR charge -g 1s -f json
... info -f json
L
}

common_questions() {
    questions <<L
RRR report
RRR report -g total -f csv
RRR report -g total,1s -f json
RRR report -g 1s,total -f jsonl
RRR report -g 2s -f csv
TRR report -g 100ms,1s -f csv
TRR report -g 500ms -f json
TT- report -g 70ms -f csv
TRR report -g execution -f csv
TRR report -b vcpu -f csv -g 1s
TRR report -b pcpu -f csv -g 1s
TRR report -b domain-pcpu -g 300ms -f csv
RRR report -t 1s,2s -f json -g 1s,total
TRR report -t 0.3,1.7 -b vcpu -f json
TT- report -t 0.51234,1.7891 -g 100ms -f csv
TT- report -p 1 -f csv
RRR report -d 0,1 -s running_ns -n 1 -f csv -g 1s
RRR charge -g 1s -f json
TT- charge --weights notify=3,map=2 -f csv
... info
... info -f json
L
}

further_questions() {
    questions <<L
RRR report -g 3s,1s,total -f jsonl
RRR report -g 1s -c domain,charged_ns,total_ns -f csv
RRR report -c all -g 1s,2s -f csv
RRR report --live 1s -f csv
TRR report -g execution,1s -f csv
TRR report -b vcpu -g total,200ms -f json
TRR report -b pcpu -g total
TRR report -b domain-pcpu -f json
TRR report -p 0,2 -b domain-pcpu -f csv -g 1s
TRR report -p 1 -b pcpu -f csv -g 1s
TRR report -s wait_p99_ns -n 3 -b vcpu -f json -g 1s
TT- report -d 1 -b vcpu -g 1s,execution -f csv
TT- report --weights notify=3 -g 1s -c domain,charged_ns -f csv
TT- report --cpu-hz 2.4G -g 1s -f csv
RRR report -t 1s, -f csv -g 1s
RRR report -t ,2s -f csv -g 1s
TRR report -t 0.5,1.6 -g total -f csv
TTr report -b pcpu -g 300ms -t 0.3s,1.8s -f csv
TT- report -t 0.501,1.603 -b vcpu -g 30ms -c $times -f csv
TTr report -g execution -t 1.2, -f csv
RRR charge
RRR charge -f csv
RRR charge -g 2s -f csv
RRR charge -g 1s,total -f jsonl
TRR charge -g 100ms -f csv
RRR charge -d 1 -f csv
TTr charge -t 1s,2s -f csv
TT- charge --idd 1 -f csv
TT- charge --charge-by grants -f json
TT- charge --charge-per interval=100ms -f csv
TT- charge --charge-all -f csv -g 1s
..- info --cpu-hz 2.4G -f json
L
}

archives_of() { # TRACE OPTION...
    local trace=$1
    shift
    create --with-trace "$@" "$trace" -o "$scratch/plain.xma" &&
        create --with-trace -b vcpu,pcpu,domain-pcpu -g 1s,100ms,execution "$@" "$trace" -o "$scratch/rich.xma" &&
        create -b vcpu,pcpu,domain-pcpu -g 1s,100ms,execution "$@" "$trace" -o "$scratch/bare.xma"
}

for fixture in membuf-credit2 lost-credit2 cpu-credit2 mixed-credit pvh-credit2; do
    group "$fixture: an archive tells what the trace tells"
    unpack "fixtures/$fixture.xt.zst" "$scratch/trace.xt"
    check 'archives' archives_of "$scratch/trace.xt"
    case $fixture in
    membuf*) common_questions ;;
    lost*) common_questions && further_questions ;;
    *) few_questions ;;
    esac
    run archive verify -q "$scratch/plain.xma" "$scratch/rich.xma" "$scratch/bare.xma"
    check 'they are whole' exits 0
    [ -n "$QUICK" ] && [ $fixture = lost-credit2 ] && break
done

told() { # WHAT: of $scratch/trace.xt
    group "generated, $1: an archive tells what the trace tells"
    check 'archives' archives_of "$scratch/trace.xt"
    few_questions
}
simulated "$scratch/trace.xt" stress-churn '.trace.lost = 0.05' --duration 2500ms
told 'domains come and go, records are lost'
[ -n "$QUICK" ] || common_questions
[ -n "$QUICK" ] || further_questions
if [ -z "$QUICK" ]; then
    simulated "$scratch/trace.xt" stress-sched '.host.pcpus = 2 | .domains[1].count = 4' --layout 4.6 --duration 3s
    told 'records of Xen 4.6'
    simulated "$scratch/trace.xt" stress-pv '.trace.events = "0x28000" | .host.pcpus = 2 | .domains[1].count = 4' --duration 3s
    told 'no runstate changes'
fi

group 'a long trace, read from its middle'
simulated "$scratch/trace.xt" stress-churn '.trace += { "events": "sched", "lost": 0.01 }' --duration $((QUICK ? 12 : 15))s
create --with-trace "$scratch/trace.xt" -o "$scratch/plain.xma"
begun_later=0
charges_begun_later=0
anywhere=$(awk 'BEGIN { srand(); for (i = 0; i < 3; i++) { from = 2.5 + 8 * rand(); printf "%.6f,%.6f ", from, from + 0.1 + rand() } }')
for part in 1.3,2 8.71,9.4 10.5,11.5 '11.03456,' $anywhere; do
    asked "$scratch/trace.xt" blame -t "$part" -g 70ms -f csv
    cp "$out" "$scratch/expected"
    asked "$scratch/plain.xma" blame -t "$part" -g 70ms -f csv
    check "-t $part, blame" same "$scratch/expected" "$out"
    for arguments in 'charge -g total,70ms -f csv' 'charge -f json' 'report -b domain-pcpu -g 70ms -c all -f csv' 'debt --reserve *=20% -f csv'; do
        # shellcheck disable=SC2086 # a list of words
        asked "$scratch/trace.xt" $arguments -t $part
        about_numbers "$out" >"$scratch/expected"
        cp "$err" "$scratch/expected-said"
        # shellcheck disable=SC2086 # a list of words
        asked "$scratch/plain.xma" $arguments -t $part
        says "$err" 'from the trace that was kept, read from [0-9.]* s on$' && charges_begun_later=$((charges_begun_later + 1))
        about_numbers "$out" >"$scratch/got"
        without_road >"$scratch/said"
        check "-t $part, $arguments" same "$scratch/expected" "$scratch/got"
        check "-t $part, $arguments: what is said" same "$scratch/expected-said" "$scratch/said"
    done
    for by in domain vcpu pcpu domain-pcpu; do
        for arguments in "-g total,70ms -c $times -f csv" "-g 300ms -c running_ns -f json"; do
            # shellcheck disable=SC2086 # a list of words
            asked "$scratch/trace.xt" report -t $part -b $by $arguments
            about_numbers "$out" >"$scratch/expected"
            cp "$err" "$scratch/expected-said"
            # shellcheck disable=SC2086 # a list of words
            asked "$scratch/plain.xma" report -t $part -b $by $arguments
            says "$err" 'from the trace that was kept, read from [0-9.]* s on$' && begun_later=$((begun_later + 1))
            about_numbers "$out" >"$scratch/got"
            without_road >"$scratch/said"
            check "-t $part -b $by $arguments" same "$scratch/expected" "$scratch/got"
            check "-t $part -b $by $arguments: what is said" same "$scratch/expected-said" "$scratch/said"
        done
    done
done
check 'it did not always begin at the beginning' [ $begun_later -ge 16 ]
check 'nor did charges' [ $charges_begun_later -ge 6 ]
# The last one that lies 2 s before 10.5 s.
snapshot=$("$XENMETER" archive list -f json "$scratch/plain.xma" | jq -r '.pieces[0] | .cpu_hz as $hz | .tsc_first as $first
    | [.members[] | select(.tsc and (.tsc - $first) / $hz + 2 <= 10.5)] | last.name')
"$XENMETER" archive extract -q -o "$scratch/snapshots" "$scratch/plain.xma" "*/$snapshot"
extracted=("$scratch"/snapshots/host/*/"$snapshot")
damaged() { # FILTER...: the snapshot through it
    cat "${extracted[@]}" | "$@" | "$BUILD/tests/forge" member "$scratch/plain.xma" "$snapshot" >"$scratch/forged.xma"
    for command in 'report -g 70ms -b vcpu -c running_ns' blame; do
        # shellcheck disable=SC2086 # a list of words
        run $command -q -t 10.5,11.5 -f csv "$scratch/forged.xma"
        check "a snapshot through $*, $command: refused" refused_once
    done
}
version() { printf '\003' && tail -c +2; }
much() { cat && printf '\000'; }
high() { head -c 1 && printf '\377\377\377\377\377\377\377\377\377\001' && tail -c +3; }
damaged version
damaged much
damaged high
damaged head -c 1000
damaged head -c 0

group 'outside counters stay with the archive'
unpack fixtures/lost-credit2.xt.zst "$scratch/trace.xt"
{
    echo tsc,domain,device,tx_packets,rx_packets
    jq -r '.tsc0 as $tsc | .net // {} | to_entries[] | select(.key | test("^vif[0-9]+[.]"))
        | [$tsc, (.key | capture("^vif(?<d>[0-9]+)").d), .key, .value[2], .value[0]] | join(",")' fixtures/lost-credit2.truth/samples.jsonl
} >"$scratch/counts.csv"
check 'there are counts' [ "$(wc -l <"$scratch/counts.csv")" -gt 20 ]
create --with-trace --io-counts "$scratch/counts.csv" "$scratch/trace.xt" -o "$scratch/plain.xma"
create --io-counts "$scratch/counts.csv" -b vcpu "$scratch/trace.xt" -o "$scratch/bare.xma"
create --with-trace "$scratch/trace.xt" -o "$scratch/without.xma"
while read -r from arguments; do
    # shellcheck disable=SC2086 # a list of words
    asked "$scratch/trace.xt" $arguments --io-counts "$scratch/counts.csv"
    about_numbers "$out" >"$scratch/expected"
    for kind in plain bare; do
        # shellcheck disable=SC2086 # a list of words
        asked "$scratch/$kind.xma" $arguments
        [ "$kind$from" = baretrace ] && continue
        about_numbers "$out" >"$scratch/got"
        check "$kind: $arguments" same "$scratch/expected" "$scratch/got"
        check "$kind: $arguments: from the $from" equal "$from" "$road"
    done
    # shellcheck disable=SC2086 # a list of words
    asked "$scratch/without.xma" $arguments --io-counts "$scratch/counts.csv"
    about_numbers "$out" >"$scratch/got"
    check "given later: $arguments" same "$scratch/expected" "$scratch/got"
done <<'L'
results charge -f json
results charge -g 1s -f csv
results report -g 1s -f csv
trace charge -g 300ms -f csv
L
asked "$scratch/trace.xt" charge -f csv --charge-by grants --io-counts "$scratch/counts.csv"
about_numbers "$out" >"$scratch/expected"
asked "$scratch/plain.xma" charge -f csv --charge-by grants
about_numbers "$out" >"$scratch/got"
check 'charged in another way, they are still counted' same "$scratch/expected" "$scratch/got"

group 'work in turns'
# Where guests and devices are polled in turns, an archive without the trace warns of it as the trace does.
simulated "$scratch/turns.xt" share-guard . --duration 2s
create "$scratch/turns.xt" -o "$scratch/turns.xma"
for format in table json; do
    asked "$scratch/turns.xt" charge -f $format
    about_numbers "$out" >"$scratch/expected"
    check "in turns: it is said ($format)" says "$scratch/expected" 'polled guests and devices in turns'
    asked "$scratch/turns.xma" charge -f $format
    about_numbers "$out" >"$scratch/got"
    check "in turns: from the results ($format)" equal results "$road"
    check "in turns: the same is said ($format)" same "$scratch/expected" "$scratch/got"
done

# ---- the trace comes back ----

extract() { "$XENMETER" archive extract -q "$@"; }
group 'the trace comes back byte for byte'
for fixture in fixtures/*.xt.zst; do
    name=$(basename "$fixture" .xt.zst)
    unpack "$fixture" "$scratch/trace.xt"
    create --with-trace "$fixture" -o "$scratch/zst.xma"
    check "$name: extract --trace" extract --trace "$scratch/zst.xma" -o "$scratch/back.xt"
    check "$name: it is the capture" same "$scratch/trace.xt" "$scratch/back.xt"
    extract --trace "$scratch/zst.xma" | cmp -s - "$scratch/trace.xt"
    check "$name: to standard output" equal 0 $?
    extract --partial --trace "$scratch/zst.xma" | cmp -s - "$scratch/trace.xt"
    check "$name: with --partial" equal 0 $?
    rm -rf "$scratch/all"
    extract -o "$scratch/all" "$scratch/zst.xma"
    cat "$scratch"/all/host/*/trace/*.xt | cmp -s - "$scratch/trace.xt"
    check "$name: its chunks, one behind the other" equal 0 $?
    for chunk in "$scratch"/all/host/*/trace/*.xt; do
        run info -q --cpu-hz 2.6G "$chunk"
        check "$name: chunk ${chunk##*/} is a capture" exits 0
        check "$name: chunk ${chunk##*/}: nothing is damaged in it" not says "$out" 'skipped'
    done
    [ -n "$QUICK" ] && break
done

group 'one archive, whatever the road'
unpack fixtures/mixed-credit.xt.zst "$scratch/mixed.xt"
mkdir "$scratch/in"
ln -s "$scratch/mixed.xt" "$scratch/in/trace"
cp fixtures/mixed-credit.xt.zst "$scratch/packed"
for threads in 1 2 5; do
    create --with-trace -b vcpu -g 1s,100ms -T $threads "$scratch/in/trace" -o "$scratch/t$threads.xma"
    check "-T $threads: the same bytes" same "$scratch/t1.xma" "$scratch/t$threads.xma"
done
ln -sf "$scratch/packed" "$scratch/in/trace"
create --with-trace -b vcpu -g 1s,100ms "$scratch/in/trace" -o "$scratch/zst.xma"
members_of() { # ARCHIVE: names, and digests, but for where the trace came from
    "$XENMETER" archive list -f json "$1" | jq -c '.pieces[] | del(.source) | .members |= map(select(.name != "summary.json") | del(.frame, .at))'
}
members_of "$scratch/t1.xma" >"$scratch/expected"
check 'there is something to compare' [ "$(wc -c <"$scratch/expected")" -gt 1000 ]
members_of "$scratch/zst.xma" >"$scratch/got"
check 'from a compressed file' same "$scratch/expected" "$scratch/got"
cat "$scratch/mixed.xt" | create --with-trace -b vcpu -g 1s,100ms - -o "$scratch/pipe.xma"
members_of "$scratch/pipe.xma" >"$scratch/got"
check 'from a pipe' same "$scratch/expected" "$scratch/got"
cat "$scratch/packed" | create --with-trace -b vcpu -g 1s,100ms -o - >"$scratch/through.xma"
members_of "$scratch/through.xma" >"$scratch/got"
check 'compressed through a pipe, to a pipe' same "$scratch/expected" "$scratch/got"
cat "$scratch/packed" | create --with-trace -b vcpu -g 1s,100ms - -o "$scratch/zstpipe.xma"
check 'to a file or a pipe: the same bytes' same "$scratch/through.xma" "$scratch/zstpipe.xma"
report_archive() { "$XENMETER" report -q -b vcpu -g 1s,100ms "$@"; }
ln -sf "$scratch/mixed.xt" "$scratch/in/trace"
create -b vcpu -g 1s,100ms "$scratch/in/trace" -o "$scratch/bare.xma"
report_archive -o "$scratch/report.xma" "$scratch/in/trace"
check 'report -o X.xma: the same archive without the trace' same "$scratch/bare.xma" "$scratch/report.xma"
report_archive -f archive "$scratch/in/trace" >"$scratch/report.xma"
check 'report -f archive: the same' same "$scratch/bare.xma" "$scratch/report.xma"
report_archive -f archive -o "$scratch/report.any" "$scratch/in/trace"
check 'report -f archive -o ANY: the same' same "$scratch/bare.xma" "$scratch/report.any"
unpack fixtures/membuf-credit2.xt.zst "$scratch/trace.xt"
create --level 1 --with-trace "$scratch/trace.xt" -o "$scratch/large.xma"
create --level 13 --with-trace "$scratch/trace.xt" -o "$scratch/small.xma"
check 'a higher level makes it smaller' [ "$(stat -c %s "$scratch/small.xma")" -lt "$(stat -c %s "$scratch/large.xma")" ]
create --with-trace "$scratch/trace.xt" -o "$scratch/usual.xma"
zstd -q -3 -f "$scratch/trace.xt" -o "$scratch/usual.zst"
check 'results included it is not larger than zstd -3 makes the trace' \
    [ "$(stat -c %s "$scratch/usual.xma")" -le "$(stat -c %s "$scratch/usual.zst")" ]
extract --trace "$scratch/small.xma" | cmp -s - "$scratch/trace.xt"
check 'a higher level keeps the trace' equal 0 $?

group 'other tools open it'
archive=$scratch/t1.xma
check 'zstd -t' zstd -q -t "$archive"
check 'zstd -l' zstd -q -l "$archive" >/dev/null
"$XENMETER" archive list -v "$archive" | sed -n 's|^ *[0-9][0-9]*  host/|host/|p' | sort >"$scratch/listed"
zstd -qdc "$archive" >"$scratch/archive.tar"
tar tf "$scratch/archive.tar" | grep -v -e manifest.json -e contents.json | sort >"$scratch/got"
check 'tar lists what list -v lists' same "$scratch/listed" "$scratch/got"
mkdir "$scratch/tar" "$scratch/own"
tar xf "$scratch/archive.tar" -C "$scratch/tar" 2>"$err"
check 'tar finds no fault with it' is_empty "$err"
extract -o "$scratch/own" "$archive"
check 'tar extracts what extract extracts' diff -r "$scratch/tar" "$scratch/own" >/dev/null
check 'the manifest is the one that list -f json shows' equal \
    "$(jq -cS . "$scratch"/own/host/*/manifest.json)" "$("$XENMETER" archive list -f json "$archive" | jq -cS '.pieces[0]')"
if [ -x "$(command -v bsdtar)" ]; then
    bsdtar tf "$archive" | grep -v -e manifest.json -e contents.json | sort >"$scratch/got"
    check 'bsdtar lists it as it is' same "$scratch/listed" "$scratch/got"
fi
if [ -x "$(command -v xxhsum)" ]; then
    jq -r '.members[] | "XXH3_128: \(.xxh3_128) \(.name)"' "$scratch"/own/host/*/manifest.json | while read -r _ digest name; do
        check "xxhsum of $name" equal "$digest" "$(xxhsum -q -H2 "$(echo "$scratch"/own/host/*/"$name")" | cut -d' ' -f1)"
    done
fi
run archive extract -q -o "$scratch/some" "$archive" '*/results/*'
check 'extract of a pattern' equal "$(grep results "$scratch/listed")" "$(cd "$scratch/some" && find host -type f | sort)"
run archive extract -q -o "$scratch/some" "$archive" 'nothing*'
check 'extract of what is not there' refused_once

# ---- several traces ----

group 'traces that overlap are not added up in silence'
# Where the sweeps of a trace begin: bytes before a window whose pCPU is not above that of the window before.
sweeps() { # FILE
    od -An -v -tu4 -w4 "$1" | awk '
        NR - 1 == at + 1 { starts = $1 <= pcpu || NR == 2; pcpu = $1 }
        NR - 1 == at + 2 { if (starts) print 4 * at; at += 3 + $1 / 4 }'
}
simulated "$scratch/trace.xt" stress-sched '.host.pcpus = 2 | .domains[1].count = 2 | .trace.sweep_ms = 40' --duration 3s
mapfile -t starts < <(sweeps "$scratch/trace.xt")
middle=$((${#starts[@]} / 2))
head -c "${starts[middle + 10]}" "$scratch/trace.xt" >"$scratch/part1.xt" # ten sweeps are in both
tail -c "+$((starts[middle] + 1))" "$scratch/trace.xt" >"$scratch/part2.xt"
for part in 1 2; do
    create "$scratch/part$part.xt" -o "$scratch/part$part.xma"
    run info -f json "$scratch/part$part.xma"
    check "part $part by itself: no overlap" equal 0 "$(jq .quality.overlap_ns "$out")"
done
"$XENMETER" archive merge -q "$scratch/part1.xma" "$scratch/part2.xma" -o "$scratch/both.xma"
for what in report charge info; do
    run $what -f json "$scratch/both.xma"
    check "$what: the verdict" equal poor "$(jq -r .quality.verdict "$out")"
    check "$what: why" equal true "$(jq '.quality.why | any(test("overlap by .* counts twice"))' "$out")"
    check "$what: how much" equal true "$(jq '.quality.overlap_ns > 10000000' "$out")"
done

group 'merge: parts of a capture are the capture again'
unpack fixtures/cpu-credit2.xt.zst "$scratch/trace.xt"
create --with-trace "$scratch/trace.xt" -o "$scratch/whole.xma"
rm -rf "$scratch/chunks"
extract -o "$scratch/chunks" "$scratch/whole.xma"
chunks=("$scratch"/chunks/host/*/trace/*.xt)
check 'there are chunks to part it at' [ ${#chunks[@]} -ge 3 ]
hz=$("$XENMETER" archive list -f json "$scratch/whole.xma" | jq .pieces[0].cpu_hz)
cat "${chunks[0]}" >"$scratch/a.xt"
cat "${chunks[1]}" >"$scratch/b.xt"
cat "${chunks[@]:2}" >"$scratch/c.xt"
cp "$scratch/trace.xt" "$scratch/whole.xt"
for part in a b c whole; do
    create --with-trace --cpu-hz "$hz" --host web1 "$scratch/$part.xt" -o "$scratch/$part.xma"
done
merge() { "$XENMETER" archive merge -q "$@"; }
into() { # OUTPUT PART...
    local to=$scratch/$1.xma parts=()
    shift
    for part in "$@"; do parts+=("$scratch/$part.xma"); done
    merge "${parts[@]}" -o "$to"
}
into abc a b c
for order in 'a c b' 'b a c' 'b c a' 'c a b' 'c b a'; do
    # shellcheck disable=SC2086 # a list of words
    into other $order
    check "in the order $order: the same bytes" same "$scratch/abc.xma" "$scratch/other.xma"
done
into ab a b && into ab-c ab c
into bc b c && into a-bc a bc
into ca c a && into ca-b ca b
for other in ab-c a-bc ca-b; do
    check "$other: the same bytes" same "$scratch/abc.xma" "$scratch/$other.xma"
done
into twice abc a abc c
check 'what is there twice counts once' same "$scratch/abc.xma" "$scratch/twice.xma"
into alone a && into again alone
check 'of one archive, merged already, it is that archive' same "$scratch/alone.xma" "$scratch/again.xma"
run archive verify -q "$scratch/abc.xma"
check 'it is whole' exits 0
check 'one timeline of three traces' equal 3 "$("$XENMETER" archive list "$scratch/abc.xma" | grep -c '^web1:1 ')"
extract --trace "$scratch/abc.xma" | cmp -s - "$scratch/trace.xt"
check 'the trace is the whole one' equal 0 $?
for arguments in 'report' 'report -g 1s -b vcpu -f csv' 'report -g 300ms,total -b pcpu -f json' 'report -t 3.3,11.7 -g total,1s -f csv' \
    'report -g execution -f csv' 'charge -g 1s -f csv' 'info'; do
    # shellcheck disable=SC2086 # a list of words
    asked "$scratch/trace.xt" $arguments --cpu-hz "$hz"
    about_numbers "$out" >"$scratch/expected"
    # shellcheck disable=SC2086 # a list of words
    asked "$scratch/abc.xma" $arguments --cpu-hz "$hz"
    about_numbers "$out" >"$scratch/got"
    check "$arguments --cpu-hz: as of the whole" same "$scratch/expected" "$scratch/got"
done

group 'merge: parts cut at random, joined in any order and grouping'
mapfile -t starts < <(sweeps "$scratch/trace.xt")
for round in 1 2; do
    mapfile -t cuts < <(shuf -n 3 -e "${starts[@]:2:${#starts[@]}-4}" | sort -n)
    head -c "${cuts[0]}" "$scratch/trace.xt" >"$scratch/r0.xt"
    for i in 0 1; do tail -c "+$((cuts[i] + 1))" "$scratch/trace.xt" | head -c "$((cuts[i + 1] - cuts[i]))" >"$scratch/r$((i + 1)).xt"; done
    tail -c "+$((cuts[2] + 1))" "$scratch/trace.xt" >"$scratch/r3.xt"
    for part in r0 r1 r2 r3; do create --with-trace --cpu-hz "$hz" --host web1 "$scratch/$part.xt" -o "$scratch/$part.xma"; done
    mapfile -t order < <(shuf -e r0 r1 r2 r3)
    into left "${order[@]:0:2}" && into right "${order[@]:2:2}" && into random right left
    check "round $round, cut at ${cuts[*]}: they are joined" equal 4 "$("$XENMETER" archive list "$scratch/random.xma" | grep -c '^web1:1 ')"
    for arguments in 'report -g 1s,total -b vcpu -f csv' 'charge -g 1s -f csv' 'report -g execution -f csv'; do
        # shellcheck disable=SC2086 # a list of words
        asked "$scratch/trace.xt" $arguments --cpu-hz "$hz"
        cp "$out" "$scratch/expected"
        # shellcheck disable=SC2086 # a list of words
        asked "$scratch/random.xma" $arguments --cpu-hz "$hz"
        check "round $round, cut at ${cuts[*]}, ${order[*]}: $arguments" same "$scratch/expected" "$out"
    done
done

group 'merge: rows by several of results that were joined'
for part in a b; do
    create -b domain,vcpu,pcpu --cpu-hz "$hz" "$scratch/$part.xt" -o "$scratch/several-$part.xma"
done
"$XENMETER" archive merge -q "$scratch/several-a.xma" "$scratch/several-b.xma" -o "$scratch/several.xma"
"$XENMETER" report -q -b domain,vcpu,pcpu -g total,1s -f jsonl "$scratch/several.xma" >"$scratch/several.jsonl"
for by in domain vcpu pcpu; do
    jq -c "select(.by == \"$by\") | del(.by)" "$scratch/several.jsonl" >"$scratch/together.jsonl"
    "$XENMETER" report -q -b $by -g total,1s -f jsonl "$scratch/several.xma" | jq -c . >"$scratch/alone.jsonl"
    check "by $by: as alone" cmp "$scratch/alone.jsonl" "$scratch/together.jsonl"
done

group 'merge: what is not known where results are joined is said'
for part in a b c; do create --cpu-hz "$hz" "$scratch/$part.xt" -o "$scratch/joined-$part.xma"; done
into joined joined-a joined-b joined-c
for arguments in 'report' 'report -c all' 'charge'; do
    # shellcheck disable=SC2086 # a list of words
    run $arguments -f json "$scratch/joined.xma"
    check "$arguments: not good" equal degraded "$(jq -r .quality.verdict "$out")"
    check "$arguments: what overlaps counts twice" equal true "$(jq '.quality.overlap_ns > 0 and (.quality.why | any(test("overlap by .* counts twice")))' "$out")"
    check "$arguments: what crosses a cut" says "$err" 'what crosses a cut'
done
check 'charges begin anew' equal true "$(jq '.quality.why | any(test("charges of 3 traces in a row are added up"))' "$out")"
run report -c all -f json "$scratch/joined.xma"
check 'charges beside others begin anew' equal '["degraded",true]' \
    "$(jq -c '[.quality.charges_verdict, (.quality.charges_why | any(test("charges of 3 traces")))]' "$out")"
run charge -f json "$scratch/abc.xma"
check 'read as one trace they do not' equal true "$(jq '.quality.why | all(test("added up|twice") | not)' "$out")"

group 'merge: hosts stay apart'
create --host web2 "$scratch/b.xt" --cpu-hz "$hz" -o "$scratch/web2.xma"
into hosts abc web2
for command in 'report' 'charge' 'info' 'archive extract --trace'; do
    # shellcheck disable=SC2086 # a list of words
    run $command "$scratch/hosts.xma"
    check "$command: which host?" refused_once
    check "$command: which there are" says "$err" 'web1, web2'
done
asked "$scratch/web2.xma" report -f csv
cp "$out" "$scratch/expected"
asked "$scratch/hosts.xma" report --host web2 -f csv
check '--host' same "$scratch/expected" "$out"
run report --host web3 "$scratch/hosts.xma"
check 'a host that is not there' says "$err" 'web1, web2'
check 'a host that is not there: an error' refused_once
into gap a c
for arguments in 'info' 'report -t 1,2' 'report -g execution' 'blame'; do
    # shellcheck disable=SC2086 # a list of words
    run $arguments "$scratch/gap.xma"
    check "a gap: $arguments: one timeline is to be chosen" refused_once
    check "a gap: $arguments: which there are" says "$err" 'web1:1 to web1:2'
done
for n in 1 2; do
    part=$(echo a c | cut -d' ' -f$n)
    asked "$scratch/$part.xma" report -f csv
    cp "$out" "$scratch/expected"
    asked "$scratch/gap.xma" report --host web1:$n -f csv
    check "a gap: web1:$n" same "$scratch/expected" "$out"
done
run report --host web1:3 "$scratch/gap.xma"
check 'a gap: no third one' refused_once
for host in '' '--host web1'; do
    for granularity in 1s 300ms; do # from the results, from the trace
        # shellcheck disable=SC2086 # a list of words
        "$XENMETER" report $host -b domain,vcpu -g total,$granularity -f jsonl "$scratch/gap.xma" >"$scratch/sums.jsonl" 2>"$err"
        check "$host a gap: $granularity: it is said" says "$err" '2 timelines of web1 are added up.* tsc.* s between them were not recorded'
        check "$host a gap: $granularity: whole rows are the sums" equal true "$(jq -s '
            def times: [.running_ns, .runnable_ns, .blocked_ns, .offline_ns, .unknown_ns, .executions, .io_total, .charged_ns];
            def by_key: group_by([.by, .domain, .vcpu]) | map([.[] | times] | transpose | map(add));
            (map(select(.granularity_ns == 0)) | by_key) == (map(select(.granularity_ns > 0)) | by_key)' "$scratch/sums.jsonl")"
        check "$host a gap: $granularity: whose rows are" equal '["web1",1] ["web1",2] ["web1",null]' \
            "$(jq -c '[.host, .timeline]' "$scratch/sums.jsonl" | sort -u | paste -sd' ')"
        check "$host a gap: $granularity: what was not recorded" equal true "$(jq -s 'map(select(.granularity_ns == 0)) | map(.not_recorded_ns) | unique
            | length == 1 and .[0] > 2e9' "$scratch/sums.jsonl")"
    done
done
"$XENMETER" report -q -f json -g total,1s "$scratch/gap.xma" >"$scratch/sums.json"
check 'a gap: the document says whose it is' equal '["web1",null,2,"tsc","a.xt, c.xt","good"]' \
    "$(jq -c '[.trace.host, .trace.timeline, .trace.timelines, .trace.timelines_known_by, .trace.source, .quality.verdict]' "$scratch/sums.json")"
check 'a gap: recorded and not recorded are all' equal true "$(jq '(.reports[] | select(.granularity_ns == 0).intervals[0]) as $all
    | ([.reports[] | select(.granularity_ns > 0).intervals[] | .end_ns - .start_ns] | add) + $all.not_recorded_ns - $all.end_ns
    | . > -10 and . < 10' "$scratch/sums.json")"
"$XENMETER" charge -q -f csv "$scratch/gap.xma" >"$scratch/sums.csv"
check 'a gap: charges are added up' equal 'web1,' "$(tail -n +2 "$scratch/sums.csv" | cut -d, -f1-2 | sort -u)"
for what in report charge info; do
    run $what -f json --host web1:2 "$scratch/gap.xma"
    check "$what of one timeline: whose it is" equal '["web1",2,"c.xt"]' "$(jq -c '[.trace.host, .trace.timeline, .trace.source]' "$out")"
done
"$XENMETER" report -q -f csv --host web1:2 "$scratch/gap.xma" | head -n 1 >"$scratch/header"
check 'of one timeline: no column of whose' not says "$scratch/header" 'timeline'
create --with-trace -g 100ms --host web1 --cpu-hz "$hz" "$scratch/b.xt" -o "$scratch/b-other.xma"
run archive merge -q "$scratch/b.xma" "$scratch/b-other.xma" -o "$scratch/merged.xma"
check 'one trace with two results: refused' refused_once
check 'one trace with two results: nothing is left' equal '' "$(ls "$scratch"/merged.xma* 2>/dev/null)"
create --with-trace --host web1 --cpu-hz "$hz" "$scratch/c.xt" "$scratch/a.xt" "$scratch/b.xt" -o "$scratch/created.xma"
asked "$scratch/abc.xma" report -g 1s -f csv
cp "$out" "$scratch/expected"
asked "$scratch/created.xma" report -g 1s -f csv
check 'create of several traces: as if they had been merged' same "$scratch/expected" "$out"
into again created
check 'and merging it makes the same bytes' same "$scratch/abc.xma" "$scratch/again.xma"

group 'parts of two boots are two timelines'
# Two parts that adjoin, of hosts that differ by the ids of their guests.
for id in 1 5; do
    simulated "$scratch/ids$id.xt" three-loads "(.domains[] | select(.id > 0) | .id) += $id - 1" --duration 2s --layout 4.17
done
mapfile -t starts < <(sweeps "$scratch/ids1.xt")
middle=${starts[$((${#starts[@]} / 2))]}
for id in 1 5; do
    head -c "$middle" "$scratch/ids$id.xt" >"$scratch/early.xt"
    tail -c "+$((middle + 1))" "$scratch/ids$id.xt" >"$scratch/late.xt"
    create --cpu-hz 2.4GHz --host web1 "$scratch/early.xt" -o "$scratch/early$id.xma"
    create --cpu-hz 2.4GHz --host web1 "$scratch/late.xt" -o "$scratch/late$id.xma"
done
timelines() { "$XENMETER" archive list "$1" | grep -oE '^web1:[0-9]+' | paste -sd' '; } # ARCHIVE
merge "$scratch/early1.xma" "$scratch/late1.xma" -o "$scratch/one.xma"
check 'the same guests: one' equal 'web1:1 web1:1' "$(timelines "$scratch/one.xma")"
merge "$scratch/early1.xma" "$scratch/late5.xma" -o "$scratch/restarted.xma"
check 'higher ids: guests may have been started anew' equal 'web1:1 web1:1' "$(timelines "$scratch/restarted.xma")"
merge "$scratch/early5.xma" "$scratch/late1.xma" -o "$scratch/boots.xma"
check 'ids that go back: two' equal 'web1:1 web1:2' "$(timelines "$scratch/boots.xma")"
run info "$scratch/boots.xma"
check 'ids that go back: one is to be chosen' refused_once

# ---- cut short ----

unpack fixtures/mixed-credit.xt.zst "$scratch/mixed.xt"
dir=$scratch/dir
mkdir "$dir"
# Starts an archive of a pipe in which a part of the capture has come; $live is its process.
start_live() { # BYTES ARGUMENT...
    local bytes=$1
    shift
    rm -f "$scratch/fifo"
    mkfifo "$scratch/fifo"
    exec 7<>"$scratch/fifo"
    attended "$XENMETER" archive create --progress never --with-trace "$@" - -o "$dir/live.xma" <"$scratch/fifo" 2>"$err" 7>&- &
    live=$!
    timeout "$LIMIT" head -c "$bytes" "$scratch/mixed.xt" >&7
}
end_pipe() { exec 7>&-; }
has_bytes() { [ "$(stat -c %s "$1" 2>/dev/null || echo 0)" -ge "$2" ]; } # FILE BYTES
is_prefix() { # FILE OF: a whole part of it, and not nothing
    local n
    n=$(stat -c %s "$1")
    [ "$n" -gt 0 ] && cmp -s -n "$n" "$1" "$2"
}
for signal in INT TERM; do
    group "SIG$signal ends a live archive well"
    start_live 13000000
    check 'it grows while the pipe is open' soon has_bytes "$dir/live.xma.partial" 2000000
    check 'under its name there is nothing yet' [ ! -e "$dir/live.xma" ]
    kill -$signal $live
    wait $live
    check 'exit code 0' equal 0 $?
    end_pipe
    check 'it is all that is left' equal live.xma "$(ls -A "$dir")"
    run archive verify "$dir/live.xma"
    check 'it is whole' exits 0
    extract --trace "$dir/live.xma" -o "$scratch/back.xt"
    check 'it keeps what had come' is_prefix "$scratch/back.xt" "$scratch/mixed.xt"
    check 'it keeps all that had come' [ "$(stat -c %s "$scratch/back.xt")" -ge 12900000 ]
    asked "$scratch/back.xt" report -g 1s -f csv -b vcpu
    cp "$out" "$scratch/expected"
    asked "$dir/live.xma" report -g 1s -f csv -b vcpu
    check 'and tells what that tells' same "$scratch/expected" "$out"
    rm -f "$dir"/*
done

group 'kill -9 leaves what is whole'
start_live 13000000
soon has_bytes "$dir/live.xma.partial" 2000000
kill -9 $live
wait $live 2>/dev/null
end_pipe
check 'only .partial is there' equal live.xma.partial "$(ls -A "$dir")"
run archive verify "$dir/live.xma.partial"
check 'verify: exit code 1' exits 1
check 'verify says how far it is whole' says "$out" 'not finished.*whole up to byte [1-9][0-9]* of [1-9]'
run report "$dir/live.xma.partial"
check 'report refuses it' refused_once
run archive extract -q --partial --trace "$dir/live.xma.partial" -o "$scratch/back.xt"
check 'extract --partial: exit code 1' exits 1
check 'extract --partial: the beginning of the trace' is_prefix "$scratch/back.xt" "$scratch/mixed.xt"
check 'extract --partial: not little of it' [ "$(stat -c %s "$scratch/back.xt")" -gt 4000000 ]
head -c -1000 "$dir/live.xma.partial" >"$dir/torn.xma"
run archive extract -q --partial --trace "$dir/torn.xma" -o "$scratch/back.xt"
check 'torn in a frame: the beginning of the trace' is_prefix "$scratch/back.xt" "$scratch/mixed.xt"
run archive create "$scratch/mixed.xt" -o "$dir/live.xma"
check 'another one does not overwrite it' refused_once
check 'it says what is in the way' says "$err" 'live.xma.partial'
check 'it is still there' [ -s "$dir/live.xma.partial" ]
rm -f "$dir"/*

full_disk() { # WHAT: $status, $err and $dir are of an archive that found no more room
    check "$1: exit code 2" exits 2
    check "$1: it says why" says "$err" "$2"
    check "$1: and what stays" says "$err" 'live.xma.partial'
    check "$1: nothing under its name" [ ! -e "$dir/live.xma" ]
    run archive verify "$dir/live.xma.partial"
    check "$1: verify says how far it is whole" exits 1
    run archive extract -q --partial --trace "$dir/live.xma.partial" -o "$scratch/back.xt"
    check "$1: what is whole can be had" is_prefix "$scratch/back.xt" "$scratch/mixed.xt"
    rm -f "$dir"/*
}
group 'a disk that is full'
(
    trap '' XFSZ
    ulimit -f 3000
    exec timeout -k 5 "$LIMIT" "$XENMETER" archive create -q --with-trace "$scratch/mixed.xt" -o "$dir/live.xma"
) >"$out" 2>"$err"
status=$?
full_disk 'a file that may not grow' 'File too large'
run archive create -q --with-trace "$scratch/mixed.xt" -o /dev/full
check '/dev/full: exit code 2' exits 2
check '/dev/full: it says why' says "$err" 'No space left'
if mount -t tmpfs -o size=3m xenmeter-test "$dir" 2>/dev/null; then
    trap 'umount "$dir" 2>/dev/null; rm -rf "$scratch"' EXIT
    run archive create -q --with-trace "$scratch/mixed.xt" -o "$dir/live.xma"
    full_disk 'a small disk' 'No space left'
    umount "$dir"
fi
{ timeout "$LIMIT" "$XENMETER" archive create -q --with-trace "$scratch/mixed.xt" -o - 2>"$err"; echo $? >"$scratch/code"; } | head -c 100 >"$out"
check 'the reader of an archive goes away: that is no error' equal 0 "$(cat "$scratch/code")"
check 'the reader of an archive goes away: nothing is said' is_empty "$err"
head -c 9000000 "$scratch/mixed.xt" | zstd -q | head -c 1000000 >"$scratch/cut.zst"
run archive create -q --with-trace "$scratch/cut.zst" -o "$dir/live.xma"
check 'a trace that is cut: kept as far as it goes' exits 0
{ head -c 300000 fixtures/mixed-credit.xt.zst; head -c 1000 /dev/urandom; tail -c +301001 fixtures/mixed-credit.xt.zst; } >"$scratch/broken.zst"
run archive create -q --with-trace "$scratch/broken.zst" -o "$dir/broken.xma"
check 'a trace that is damaged: exit code 2' exits 2
check 'a trace that is damaged: nothing under the name' [ ! -e "$dir/broken.xma" ]
rm -f "$dir"/*

# ---- memory ----

group 'memory does not grow with the trace'
if [ -z "$QUICK" ]; then
    simulated - stress-pv '.host.pcpus = 4 | .domains[1].count = 30' --duration 10m --size 120M | "$MEASURE" "$scratch/took" "$XENMETER" archive create -q --with-trace -T 2 - -o "$dir/live.xma" 2>"$err"
    check 'create: exit code 0' equal 0 $?
    read -r rss _ <"$scratch/took"
    check "create: $((rss / 1024)) MiB" [ "$rss" -le $RSS_MAX_KIB ]
    for arguments in 'report -q -g 70ms -f csv -o /dev/null' 'report -q -g 1s -f csv -o /dev/null' 'archive verify -q' 'archive extract -q --trace -o /dev/null'; do
        # shellcheck disable=SC2086 # a list of words
        "$MEASURE" "$scratch/took" "$XENMETER" $arguments "$dir/live.xma" 2>"$err"
        check "$arguments: exit code 0" equal 0 $?
        read -r rss _ <"$scratch/took"
        check "$arguments: $((rss / 1024)) MiB" [ "$rss" -le $RSS_MAX_KIB ]
    done
fi
rm -f "$dir"/*

# ---- options and messages ----

group 'options and messages'
run archive create -o "$scratch/two.xma" fixtures/mixed-credit.xt.zst fixtures/membuf-credit2.xt.zst
check 'of several traces each verdict has its name' equal 'fixtures/mixed-credit.xt.zst fixtures/membuf-credit2.xt.zst' \
    "$(sed -n 's/^xenmeter: \(.*\): verdict .*/\1/p' "$err" | paste -sd ' ')"
run archive list "$scratch/two.xma"
check 'list: small sizes in kB' says "$out" 'stored    [0-9.]* kB in'
head -c 100000 "$scratch/two.xma" >"$scratch/two-cut.xma"
for command in report charge info dump 'archive list' 'archive merge -o '"$scratch/no.xma"; do
    # shellcheck disable=SC2086 # a list of words
    run $command "$scratch/two-cut.xma"
    check "$command of one that is cut: how to save the rest" says "$err" '"xenmeter archive extract --partial" saves what is whole'
done
trace=$scratch/mixed.xt
archive=$scratch/t1.xma
for command in '' create list extract verify merge; do
    # shellcheck disable=SC2086 # a list of words
    run archive $command --help
    check "archive $command --help" exits 0
    check "archive $command --help says how it is used" says "$out" "^Usage: xenmeter archive ${command:-COMMAND}"
    check "archive $command --help: no line is too long" not says "$out" '^.\{101\}'
done
run archive
check 'no command: exit code 2' exits 2
check 'no command: the list on standard error' says "$err" '^  merge '
check 'unknown command, suggestion' refuses "did you mean 'create'" archive creat "$trace"
check 'unknown command' refuses 'no command' archive xyzzyxyzzy
for command in create list extract verify merge; do
    check "$command: unknown option" refuses "no option '--xyzzyxyzzy'" archive $command --xyzzyxyzzy "$archive"
    check "$command: unknown letter" refuses "no option '-Z'" archive $command -Z "$archive"
done
check 'create: suggestion' refuses "did you mean '--with-trace'" archive create --wth-trace "$trace" -o "$dir/x.xma"
check 'extract: suggestion' refuses "did you mean '--partial'" archive extract --patrial "$archive"
check 'list: suggestion' refuses "did you mean '--format'" archive list --fromat json "$archive"
check 'create: no output' refuses '\--output' archive create "$trace"
check 'merge: no output' refuses '\--output' archive merge "$archive"
check 'merge: no archives' refuses 'which archives' archive merge -o "$dir/x.xma"
check 'list: no archive' refuses 'ARCHIVE' archive list
check 'extract: no archive' refuses 'which archive' archive extract
check 'verify: no archive' refuses 'which archive' archive verify
check 'extract --trace: no members' refuses 'no MEMBER' archive extract --trace "$archive" x
for bad in '--level 0' '--level 20' '--level x' '--threads 0' '-T 65' '-T x' '-g 10x' '-g 10ns' '-b host' '-b vcpu,' '--host=' '--host ../x' '--host -x' \
    '--host a/b' '--host .x' '--cpu-hz 0' '--max-memory x' '--io-counts /nonexistent' '--weights x=1' \
    "--host $(head -c 41 /dev/zero | tr '\0' a)" "-g $(seq -s, -f %gms 1 16)"; do
    # shellcheck disable=SC2086 # a list of words
    check "create $bad" refuses . archive create $bad "$trace" -o "$dir/x.xma"
done
for bad in '-d 0' '-p 0' '-t 1,2' '-c domain' '-s running_ns' '-n 3'; do
    # shellcheck disable=SC2086 # a list of words
    check "report -f archive $bad" refuses 'archive' report -f archive $bad "$trace" -o "$dir/x.xma"
done
check 'list -f csv' refuses 'it writes table, json' archive list -f csv "$archive"
cp "$trace" "$dir/trace"
check 'create onto its trace' refuses 'would be lost' archive create "$dir/trace" -o "$dir/trace"
ln "$dir/trace" "$dir/link"
check 'create onto its second trace, by another name' refuses 'would be lost' archive create "$archive" "$dir/trace" -o "$dir/link"
cp "$archive" "$dir/archive"
check 'merge onto one of the archives' refuses 'would be lost' archive merge "$archive" "$dir/archive" -o "$dir/archive"
check 'extract --trace onto the archive' refuses 'would be lost' archive extract --trace "$dir/archive" -o "$dir/archive"
check 'they are as they were' same "$trace" "$dir/trace"
check 'the archive is as it was' same "$archive" "$dir/archive"
check 'an archive of an archive' refuses . archive create "$archive" -o "$dir/x.xma"
rm -f "$dir"/*
run archive create -q "$trace" "$trace" -o "$dir/x.xma"
check 'the same trace twice' exits 2
check 'the same trace twice: said' says "$err" 'same trace twice'
check 'the same trace twice: nothing under the name' [ ! -e "$dir/x.xma" ]
rm -f "$dir"/*
check 'a missing trace' refuses 'No such file' archive create "$dir/missing" -o "$dir/x.xma"
rm -f "$dir"/*
for command in list verify extract; do
    check "$command: a trace is no archive" refuses 'not an archive' archive $command "$trace"
    check "$command: a missing file" refuses 'No such file' archive $command "$dir/missing"
    check "$command: a folder" refuses 'irectory' archive $command "$dir"
    : >"$scratch/empty"
    check "$command: an empty file" refuses 'empty' archive $command "$scratch/empty"
done
check 'merge: a trace is no archive' refuses 'not an archive' archive merge "$archive" "$trace" -o "$dir/x.xma"
check '--host on a trace' refuses 'no archive' report --host web1 "$trace"
check 'nothing is left of all this' equal '' "$(ls -A "$dir")"
asked "$archive" report -g 1s -f csv
cp "$out" "$scratch/expected"
cat "$archive" | "$XENMETER" report -g 1s -f csv - >"$out" 2>"$err"
check 'report of an archive on a pipe' same "$scratch/expected" "$out"
"$XENMETER" report -g 1s -f csv - <"$archive" >"$out" 2>"$err"
check 'report of an archive on standard input' same "$scratch/expected" "$out"
cat "$archive" | TMPDIR=/nonexistent "$XENMETER" report - >"$out" 2>"$err"
status=$?
check 'no place for an archive on a pipe' refused_once
run report -q -g 1s -f csv "$archive"
check 'quiet: nothing on standard error' is_empty "$err"
run archive list -f json "$scratch/hosts.xma"
check 'list -f json is JSON' jq -e '.schema == "xenmeter.archive/2" and (.pieces | length == 4)' "$out" >/dev/null
run archive list -v "$scratch/hosts.xma"
check 'list names the hosts' equal 'web1:1 web1:1 web1:1 web2:1' "$(grep -o '^web[0-9]:[0-9]*' "$out" | xargs)"
run archive create --with-trace "$trace" -o "$dir/x.xma"
check 'create says what it made' says "$err" '19.3 MB of traces in [0-9.]* MB ([0-9.]* %)$'
finish
