#!/bin/bash
# Damaged, truncated and forged archives: every damage is found, and no command crashes, hangs or prints wrong numbers.
# shellcheck source=tests/lib.sh disable=SC2016,SC2317 # functions are called through check
. "$(dirname "$0")/lib.sh"

shopt -s lastpipe # checks count, at the end of pipelines
ROT=$BUILD/tests/rot
FORGE=$BUILD/tests/forge
MEASURE=$BUILD/tests/measure
MEMORY_KIB=700000 # of address space, for a run of the program on a small archive

bad=$scratch/bad.xma
good=$scratch/good.xma # with the trace and results
bare=$scratch/bare.xma # results only

refuses() { # ARGUMENT...: within its memory
    if [ -z "$QUICK" ]; then
        (ulimit -v "$MEMORY_KIB" && exec timeout -k 5 "$LIMIT" "$XENMETER" "$@") >"$out" 2>"$err"
    else
        timeout -k 5 "$LIMIT" "$XENMETER" "$@" >"$out" 2>"$err"
    fi
    status=$?
    refused_once
}
finds() { # PATTERN: verify finds something in $bad, and names it so
    run archive verify "$bad"
    exits 1 && is_empty "$err" && says "$out" "$1"
}

small='.trace = { "buffer_pages": 1, "sweep_ms": 5 } | .host.pcpus'
simulated "$scratch/small.xt" stress-sched "$small = 2 | .domains[1].count = 3" --size 10K
simulated "$scratch/tiny.xt" stress-sched "$small = 1 | .domains[1].count = 1" --size 2K --seed 2
create() { "$XENMETER" archive create -q --cpu-hz 2.4G "$@"; }
create --with-trace --host web1 "$scratch/small.xt" -o "$scratch/small.xma"
create --host web2 "$scratch/tiny.xt" -o "$scratch/tiny.xma"
"$XENMETER" archive merge -q "$scratch/small.xma" "$scratch/tiny.xma" -o "$scratch/two.xma"

# ---- thousands, in one process ----

group 'every byte flipped, every cut, whatever is added: found, and never a wrong byte'
for mode in flip turn cut add; do
    step=1
    [ $mode = turn ] && step=7
    [ -n "$QUICK" ] && [ $mode != add ] && step=29
    "$ROT" $mode "$scratch/two.xma" $step >"$scratch/said"
    status=$?
    grep '^ ' "$scratch/said"
    read -r runs _ failures _ < <(tail -n 1 "$scratch/said")
    check "$mode: it ran" [ "${runs:-0}" -gt 60 ]
    check "$mode: to its end" [ $status -le 1 ]
    count $((${runs:-0} - ${failures:-0})) "${failures:-0}"
done

# ---- through the program ----

group 'verify through the program'
run archive verify "$scratch/two.xma" "$scratch/small.xma"
check 'whole: exit code 0' exits 0
check 'it says so' equal 2 "$(grep -c ': whole: ' "$out")"
size=$(stat -c %s "$scratch/small.xma")
flip() { # AT: $bad is the small archive with one bit of that byte the other way round
    local byte
    byte=$(od -An -tu1 -j "$1" -N 1 "$scratch/small.xma")
    { head -c "$1" "$scratch/small.xma"; printf '%b' "\\0$(printf %o $((byte ^ 4)))"; tail -c +$(($1 + 2)) "$scratch/small.xma"; } >"$bad"
}
flip 700
check 'damage in the trace: named, exit code 1' finds 'offset 28: web1/[0-9a-f]*/trace/000000.xt: '
check 'and how far it is whole' says "$out" 'whole up to byte 28 of '
run archive verify -q "$bad"
check 'quiet: the exit code only' exits 1
check 'quiet: nothing is said' is_empty "$out"
run archive verify "$bad" "$scratch/two.xma" "$scratch/missing.xma"
check 'several: the worst exit code' exits 2
check 'several: each is told' equal 1 "$(grep -c ': whole: ' "$out")"
for at in 0 27 5000 $((size - 60)) $((size - 1)); do
    flip "$at"
    check "byte $at" finds '^'
done
flip $((size - 2))
check 'damage at the very end is not told as whole' [ "$(sed -n 's/.*whole up to byte \([0-9]*\) of.*/\1/p' <(
    run archive verify "$bad"
    cat "$out"
))" -lt $((size - 1)) ]
for n in 0 27 28 700 5000 $((size - 9)) $((size - 1)); do
    head -c "$n" "$scratch/small.xma" >"$bad"
    run archive verify "$bad"
    check "cut at $n" exits $((n < 28 ? 2 : 1))
    check "cut at $n: no report of it" refuses report "$bad"
    check "cut at $n: no list of it" refuses archive list "$bad"
    check "cut at $n: no merge of it" refuses archive merge "$bad" -o "$scratch/merged.xma"
done
check 'nothing is left of these' [ ! -e "$scratch/merged.xma" ]
rm -f "$scratch/merged.xma.partial"
{ cat "$scratch/small.xma"; echo; } >"$bad"
check 'a newline too many' finds '^'
cat "$scratch/small.xma" "$scratch/small.xma" >"$bad"
check 'two, one behind the other' finds '^'

group 'what is read from a damaged archive'
run archive extract -q -o "$scratch/all" "$scratch/small.xma"
for at in 700 5000 $((size * 2 / 3)); do
    flip "$at"
    run archive extract -q -o "$scratch/got" "$bad"
    check "byte $at: extract stops" exits 2
    run archive extract -q --partial -o "$scratch/got" "$bad"
    check "byte $at: extract --partial goes on" exits 1
    while read -r file; do
        check "byte $at: $file is whole" same "$scratch/all/$file" "$scratch/got/$file"
    done < <(cd "$scratch/got" && find . -type f)
    rm -rf "$scratch/got"
done
flip 700
check 'report from the trace: an error' refuses report -q -g 1ms "$bad"
check 'it names the chunk or its frame' says "$err" 'offset 28: '
check 'extract --trace: an error' refuses archive extract -q --trace "$bad" -o "$scratch/trace"
check 'extract --trace: nothing is left' [ ! -e "$scratch/trace" ]
run report -q -f csv "$bad"
check 'report from the results, which are whole' exits 0
check 'merge copies no damage' refuses archive merge -q "$bad" -o "$scratch/merged.xma"
check 'merge: no archive' [ ! -e "$scratch/merged.xma" ]
rm -f "$scratch"/merged.xma*

# ---- whole in every checksum, but not what it should be ----

create --with-trace -g 1ms,execution -b vcpu,pcpu "$scratch/small.xt" -o "$scratch/made.xma"
create -g 1ms,execution -b vcpu,pcpu "$scratch/small.xt" -o "$scratch/made-bare.xma"
"$FORGE" same "$scratch/made.xma" >"$good"
"$FORGE" same "$scratch/made-bare.xma" >"$bare"
"$XENMETER" archive extract -q -o "$scratch/members" "$good"
"$XENMETER" archive extract -q -o "$scratch/bare" "$bare"
members=$(echo "$scratch"/members/host/*)
group 'the forge itself'
run archive verify "$good" "$bare"
check 'what it makes is whole' exits 0
for archive in "$good" "$bare"; do
    "$XENMETER" report -q -b vcpu -g 1ms,total -f csv "$scratch/small.xt" --cpu-hz 2.4G >"$scratch/expected"
    run report -q -b vcpu -g 1ms,total -f csv "$archive"
    check 'and reads as the trace does' same "$scratch/expected" "$out"
done

hostile_name() { # PATH
    "$FORGE" name "$good" summary.json "$1" >"$bad"
    mkdir -p "$scratch/jail/in/side"
    run archive extract -q -o "$scratch/jail/in/side" "$bad"
    check "$1: extract refuses" refused_once
    run archive extract -q --partial -o "$scratch/jail/in/side" "$bad"
    check "$1: extract --partial passes it over" exits 1
    run archive extract -q --partial -o "$scratch/jail/in/side" "$bad" '*'
    check "$1: by a pattern, too" exits 1
    check "$1: nothing beside the folder" equal "in in/side" "$(cd "$scratch/jail" && find . -mindepth 1 -path ./in/side/\* -prune -o -mindepth 1 -printf '%P ' | sed 's/ $//')"
    check "$1: nothing of it" equal '' "$(find "$scratch/jail" -name '*evil*')"
    check "$1: verify finds it" finds '^'
    rm -rf "$scratch/jail"
}
group 'names that lead elsewhere'
for path in ../evil ../../evil /tmp/xenmeter-evil "$scratch/jail/evil" host/../../evil ./evil host//evil host/evil/ .evil \
    host/.evil -evil host/-evil 'host/e vil' $'host/evil\\' $'host/evil\n' host/évil 'host/evil*' ''; do
    hostile_name "$path"
done
check 'nothing was written there' [ ! -e /tmp/xenmeter-evil ]
"$FORGE" name "$good" summary.json host/other/summary.json >"$bad"
check 'a name that the manifest does not have: verify' finds 'summary.json'
check 'a name that the manifest does not have: report' refuses report "$bad"

forged() { # NAME < BYTES: $bad
    "$FORGE" member "${archive:-$bare}" "$1" >"$bad"
}
no_good() { # WHAT ARGUMENT...: an error; $bad is whole otherwise
    local what=$1
    shift
    check "$what" refuses "$@" "$bad"
}

group 'other digests than the manifest says'
for member in summary.json results/domain/000000.jsonl results/vcpu/000000.jsonl; do
    sed 's/1/2/' "$members/$member" | "$FORGE" digest "$good" "$member" >"$bad"
    check "$member: verify names it" finds "$member: "
done
sed 's/1/2/' "$members/results/vcpu/000000.jsonl" | "$FORGE" digest "$good" results/vcpu/000000.jsonl >"$bad"
no_good 'report by vcpu' report -q -b vcpu
run report -q -f csv "$bad"
check 'report by domain, which is whole' exits 0
tr '\000-\177' '\001-\200' <"$members/trace/000000.xt" | "$FORGE" digest "$good" trace/000000.xt >"$bad"
check 'chunk: verify names it' finds 'trace/000000.xt: '
no_good 'report from the trace' report -q -g 1500us
no_good 'extract --trace' archive extract -q --trace

lines=$scratch/bare/host/$(basename "$members")/results/domain/000000.jsonl
cp "$lines" "$scratch/lines"
refused_results() { # WHAT < RESULTS
    forged results/domain/000000.jsonl
    no_good "$1" report -q -f csv -g 1ms,total
    run archive verify -q "$bad"
    check "$1: verify looks at bytes, not at their sense" exits 0
}
group 'results that are none'
: | refused_results 'none at all'
echo | refused_results 'an empty line'
echo '{' | refused_results 'no JSON'
head -c 3000 /dev/urandom | refused_results 'noise'
head -c 3000 /dev/zero | refused_results 'zeros'
printf '[%.0s' $(seq 1 9000) | refused_results 'brackets'
{ printf '{"interval":{"granularity_ns":'; head -c 100000 /dev/zero | tr '\0' 9; echo '}}'; } | refused_results 'a number of 100000 digits'
head -c 17000000 /dev/zero | tr '\0' ' ' | refused_results 'a line of 17 MB'
head -c -1 "$scratch/lines" | refused_results 'no newline at the end'
head -n -1 "$scratch/lines" | head -c -40 | refused_results 'half a line at the end'
grep -v '"interval"' "$scratch/lines" | refused_results 'rows without their interval'
tac "$scratch/lines" | refused_results 'backwards'
cat "$scratch/lines" "$scratch/lines" | refused_results 'twice'
sed '/"interval"/p' "$scratch/lines" | refused_results 'each interval twice'
{ cat "$scratch/lines"; echo '{"surprise":{}}'; } | refused_results 'a line of another kind'
awk '/"interval"/ { n++ } n != 1' "$scratch/lines" | refused_results 'the first interval is missing'
sed 's/{"interval":/{ "interval":/' "$scratch/lines" | refused_results 'a space'
sed '/"row"/s/"domain":2/"domain":70000/' "$scratch/lines" | refused_results 'a domain that cannot be'
sed '/"row"/s/"domain":0/"domain":-5/' "$scratch/lines" | refused_results 'a negative domain'
sed '/"interval"/s/"end_ns":[0-9]*/"end_ns":0/' "$scratch/lines" | refused_results 'an interval that ends before it begins'
sed '/"interval"/s/"start_ns":[0-9]*/"start_ns":"18446744073709551615"/' "$scratch/lines" | refused_results 'an interval at the end of all time'
sed '/"interval"/s/"granularity_ns":[0-9]*/"granularity_ns":1/' "$scratch/lines" | refused_results 'another granularity'
sed '/"row"/s/"running_ns":[0-9]*/"running_ns":-1/' "$scratch/lines" | refused_results 'a negative time'
sed '/"row"/s/"running_ns":[0-9]*/"running_ns":99999999999999999999/' "$scratch/lines" | refused_results 'a time that is too long'
sed '/"row"/s/"count":[0-9]*/"count":77/' "$scratch/lines" | refused_results 'a histogram that does not add up'
sed '/"row"/s/"buckets":\[/"buckets":[99999999,1,/' "$scratch/lines" | refused_results 'a bucket that is none'

edited() { # MEMBER JQ-FILTER: $bad
    local archive=${archive:-$bare}
    "$XENMETER" archive extract -q -o "$scratch/parts" "$archive"
    jq -c "$2" "$(find "$scratch/parts" -path "*/${1##*/}" | head -n 1)" >"$scratch/edited" || return 1
    "$FORGE" member "$archive" "$1" <"$scratch/edited" >"$bad"
}
group 'a summary that is none'
for filter in '{}' '[]' 'null' '"text"' '.end_ns = -1' '.end_ns = 1e300' 'del(.clock)' '.clock = 5' '.clock.cpu_hz = -1' '.clock.multiplier = 0' \
    '.trace.tsc_last = 0' '.trace.pcpus = 9999999' '.quality.bytes = "x"' '.quality.events = [1,2]' '.domains[0].domain = -2' \
    '.domains += .domains' '.pcpus += .pcpus' '.charges = null' '.schema = "xenmeter.summary/9"' '.more = 1'; do
    edited summary.json "$filter"
    no_good "$filter: report" report -q
    no_good "$filter: info" info
done

group 'a manifest that is none'
for filter in '{}' '[]' '.host = "web9"' '.host = "../evil"' '.id = "0123456789abcdef"' '.id = "x"' '.tsc_first += 1' '.tsc_last = 0' \
    '.members[0].frame = 99999' '.members[0].frame = -1' '.members[0].at = 511' '.members[0].at = 0' '.members[0].at = 1e9' '.members[0].bytes = 4294967295' \
    '.members[0].name = "../evil"' '.members[0].name = "/evil"' '.members[0].name = "results/nobody/000000.jsonl"' '.members[0].name = ""' \
    '.members[0].name = 5' '.members[0].xxh3_128 = "00"' '.members[0].name = "results/domain/000007.jsonl"' \
    '.trace_stored = true' '.trace_bytes = -1' '.options = null' '.options.by = ["host"]' '.options.granularities_ns = [range(100)]' \
    '.options.charge.weights = []' '.options.charge.weights.map = -1' '.options.charge.idds = [70000]' '.members = 5' '.members[0] = null' \
    '.schema = "xenmeter.piece/9"' 'del(.source)' '.cpu_hz = "fast"' '.duration_ns = 1.5'; do
    edited manifest.json "$filter"
    no_good "$filter: list" archive list
    no_good "$filter: report" report -q
    check "$filter: verify" finds '^'
done
for at in 1024 99999744 268435456; do
    edited manifest.json ".members[0].at = $at"
    no_good "results said to be at $at: report" report -q
    check "results said to be at $at: verify" finds '^'
    archive=$good edited manifest.json ".members[0].at = $at"
    no_good "a chunk said to be at $at: report" report -q -g 1500us
    no_good "a chunk said to be at $at: extract" archive extract -q --trace
done
for filter in '.trace_bytes += 1' '.members[0].from = 1' '.members[0].name = "trace/000001.xt"' '.members[0].bytes -= 1' '.trace_stored = false'; do
    archive=$good edited manifest.json "$filter"
    no_good "with the trace, $filter" report -q -g 1500us
done

group 'contents that are none'
for filter in '{}' '[]' '.pieces = []' '.pieces = null' '.pieces += .pieces' '.pieces[0].first_frame = 0' '.pieces[0].first_frame = 2' '.pieces[0].frames = 0' \
    '.pieces[0].frames += 1' '.pieces[0].frames = 134217728' '.pieces[0].frames = -1' '.pieces[0].host = "../evil"' '.pieces[0].host = "other"' \
    '.pieces[0].id = "ffffffffffffffff"' '.pieces[0].tsc_first = 0' '.pieces[0].manifest_bytes = 4294967295' '.pieces[0].manifest_bytes += 1' \
    '.pieces[0].manifest_xxh3_128 = "00000000000000000000000000000000"' '.schema = "xenmeter.contents/9"' '.pieces[0] = 5'; do
    edited contents.json "$filter"
    no_good "$filter: list" archive list
    no_good "$filter: report" report -q
    check "$filter: verify" finds '^'
done
head -c 200000 /dev/zero | tr '\0' '[' | forged contents.json
no_good 'brackets' archive list

archive=$good
group 'a trace that is none'
for bytes in /dev/zero /dev/urandom; do
    head -c "$(stat -c %s "$members/trace/000000.xt")" $bytes | forged trace/000000.xt
    no_good "$bytes: report" report -q -g 1500us
    run archive verify -q "$bad"
    check "$bytes: whole for all that" exits 0
done
{ head -c 5000 "$members/trace/000000.xt"; head -c 100 /dev/urandom; tail -c +5101 "$members/trace/000000.xt"; } | forged trace/000000.xt
run report -q -g 1500us "$bad"
check 'noise in the middle: an answer' exits 0
head -c 5000 "$members/trace/000000.xt" | forged trace/000000.xt
no_good 'shorter than it says' report -q -g 1500us
archive=

# ---- sizes that are claimed ----

group 'claims of size cost nothing'
for content in 0 1 268435456 268435457 4294967296 1099511627776 18446744073709551615; do
    for told in 1 4096 268435456 4294967295; do
        "$FORGE" claim $content $told >"$bad"
        no_good "$content, $told in the table: report" report
        no_good "$content, $told in the table: extract" archive extract -o "$scratch/got"
        check "$content, $told in the table: verify" finds '^'
    done
done
zstd -qdc fixtures/mixed-credit.xt.zst >"$scratch/mixed.xt"
create --with-trace "$scratch/mixed.xt" -o "$scratch/mixed.xma"
"$FORGE" bomb "$scratch/mixed.xma" >"$bad"
check 'a bomb is small' [ "$(stat -c %s "$bad")" -lt 10000000 ]
for arguments in 'report -q -g 70ms' 'archive extract -q --trace -o /dev/null' 'archive verify -q'; do
    [ -n "$QUICK" ] && continue
    # shellcheck disable=SC2086 # a list of words
    timeout -k 5 "$LIMIT" "$MEASURE" "$scratch/took" "$XENMETER" $arguments "$bad" >"$out" 2>"$err"
    status=$?
    check "$arguments of a bomb: an answer or an error" [ $status -le 2 ]
    read -r rss _ <"$scratch/took"
    check "$arguments of a bomb: in bounded memory ($((rss / 1024)) MiB)" [ "$rss" -le $((400 * 1024)) ]
done
finish
