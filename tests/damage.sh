#!/bin/bash
# Cut, flipped and hostile captures: an answer or an error, in bounded time and memory, never a crash.
# DAMAGE_SEED=N: other noise, other places and other generated captures than those of 0.
# shellcheck source=tests/lib.sh disable=SC2317 # functions are called through check
. "$(dirname "$0")/lib.sh"

shopt -s lastpipe # hostile counts, at the end of pipelines
DAMAGE=$BUILD/tests/damage
LIMIT=600 # seconds: a hang, not a slow machine under a sanitizer
MEMORY_KIB=700000 # of address space, for a run of the program
SEED=${DAMAGE_SEED:-0}

limited() { # ARGUMENT...: the program, within its time and memory; exit code in $status
    if [ -z "$QUICK" ]; then
        (ulimit -v "$MEMORY_KIB" && exec timeout -k 5 "$LIMIT" "$XENMETER" "$@") >"$out" 2>"$err"
    else
        timeout -k 5 "$LIMIT" "$XENMETER" "$@" >"$out" 2>"$err"
    fi
    status=$?
}
survives() { # FILE ARGUMENT...: exit code 0 or 2; 2 only with a message
    local file=$1
    shift
    limited report "$@" "$file"
    [ "$status" -eq 0 ] && return 0
    exits 2 && says "$err" '^xenmeter: '
}

# What a dump writes, as a number of records.
records_in() { # FORMAT FILE
    case $1 in
    count) awk -F, 'NR > 1 { n += $3 } END { print n + 0 }' "$2" ;;
    csv) echo $(($(wc -l <"$2") - 1)) ;;
    *) wc -l <"$2" ;;
    esac
}
# So many records (empty: any number), or one line that says why not, and no output.
dumps_as() { # FORMAT FILE RECORDS
    local format=(-f "$1")
    [ "$1" = count ] && format=(--count -f csv)
    rm -f "$scratch/told"
    limited dump -q --cpu-hz 2.4G "${format[@]}" -o "$scratch/told" "$2"
    if [ "$status" -eq 0 ]; then
        [ -z "$3" ] || equal "$3" "$(records_in "$1" "$scratch/told")"
    else
        exits 2 && equal 1 "$(wc -l <"$err")" && says "$err" "^xenmeter: $2: " && is_empty "$out" &&
            [ ! -e "$scratch/told" ]
    fi
}
turn=0
# In two formats, and with the next file in two others, as many records as info counts; QUICK: in one, any number.
dumps() { # FILE
    local formats=(text csv jsonl count) records=''
    if [ -z "$QUICK" ]; then
        limited info -q --cpu-hz 2.4G -f json "$1"
        [ "$status" -eq 0 ] && records=$(jq .trace.records "$out")
        dumps_as "${formats[turn++ % 4]}" "$1" "$records" || return 1
    fi
    dumps_as "${formats[turn++ % 4]}" "$1" "$records"
}

# ---- thousands, in one process ----

zstd -qdc fixtures/lost-credit2.xt.zst | head -c 8192 >"$scratch/lost.xt"
zstd -qdc fixtures/pvh-credit2.xt.zst | head -c 9000 >"$scratch/pvh.xt"
simulated "$scratch/churn.xt" stress-churn '.trace = { "buffer_pages": 1, "sweep_ms": 5, "lost": 0.2 }
    | .domains |= (.[1].count = 1 | .[2] += { "created_ms": 0, "destroyed_ms": 21, "again_ms": 100 })' --seed $((SEED + 1)) --size 6K
simulated "$scratch/switch.xt" stress-pv '.host = { "pcpus": 3, "scheduler": "credit" } | .domains[1].count = 3
    | .trace = { "events": "0x28000", "buffer_pages": 1, "sweep_ms": 5 }' --layout 4.6 --seed $((SEED + 1)) --size 6K
thousands() { # report|dump MODE CAPTURE STEP
    local from=0
    [ "$2" != noise ] || from=$((SEED * 1000000))
    "$DAMAGE" "$1" "$2" "$scratch/$3.xt" "$4" $from >"$scratch/said"
    status=$?
    grep '^ ' "$scratch/said"
    read -r runs _ bad _ < <(tail -n 1 "$scratch/said")
    check "$2: it ran" [ "${runs:-0}" -gt 10 ]
    count $((${runs:-0} - ${bad:-0})) "${bad:-0}"
}
for name in lost pvh churn switch; do
    group "$name: every cut, every byte flipped, extreme words, noise"
    for mode in cut flip word noise; do
        step=1
        [ $mode = word ] && step=7
        [ -n "$QUICK" ] && [ $mode != noise ] && step=23
        thousands report $mode $name $step
    done
    group "$name: a sample of these, dumped"
    for mode in cut flip word noise; do
        step=11
        [ -n "$QUICK" ] && step=293
        [ $mode = noise ] && step=3
        thousands dump $mode $name $step
    done
done

# ---- a sample of them through the program itself ----

group 'the program: cut and flipped captures'
size=$(wc -c <"$scratch/lost.xt")
samples=40
[ -n "$QUICK" ] && samples=6
for i in $(seq 1 $samples); do
    at=$(((i + SEED * samples) * 7919 % size))
    head -c $at "$scratch/lost.xt" >"$scratch/bad.xt"
    check "cut at $at" survives "$scratch/bad.xt" -q -f csv -g total,1ms
    [ $((i % 4)) -ne 0 ] || check "cut at $at, dumped" dumps "$scratch/bad.xt"
    { head -c $at "$scratch/lost.xt"; printf '\377'; tail -c +$((at + 2)) "$scratch/lost.xt"; } >"$scratch/bad.xt"
    check "byte $at" survives "$scratch/bad.xt" -q -f json -b vcpu
    [ $((i % 4)) -ne 0 ] || check "byte $at, dumped" dumps "$scratch/bad.xt"
done
for i in 1 2 3 4; do
    { cat "$scratch/lost.xt"; head -c $((i * 4099)) /dev/urandom; cat "$scratch/lost.xt"; } \
        >"$scratch/bad.xt"
    check "random bytes in the middle, $i" survives "$scratch/bad.xt" -f csv
    check "random bytes in the middle, $i, dumped" dumps "$scratch/bad.xt"
done
zstd -qdc fixtures/membuf-credit2.xt.zst >"$scratch/whole.xt"
{ head -c 2000000 "$scratch/whole.xt"; head -c 100000 /dev/urandom; tail -c +2100001 "$scratch/whole.xt"; } >"$scratch/bad.xt"
check 'a hole of random bytes' survives "$scratch/bad.xt" -f json
check 'and what is behind it is used' [ "$(jq '.quality.skipped_bytes > 0 and .trace.records > 150000' "$out")" = true ]
check 'a hole of random bytes, dumped' dumps "$scratch/bad.xt"

# ---- windows of a simulated trace ----

group 'windows that are lost, cut or garbage'
# Whether each vCPU's true running time is possible by the report, give or take the records at both ends.
truth_is_possible() {
    jq -e --slurpfile truth "$scratch/truth.json" '[.reports[0].intervals[0].rows[] as $row | $truth[0].domains[] | select(.domain == $row.domain)
        | .vcpus[] | select(.vcpu == $row.vcpu) | .running_ns >= $row.running_ns - $row.doubtful_ns - 20000
            and .running_ns <= $row.running_ns + $row.unknown_ns + $row.doubtful_ns + 20000] | all and length > 40' "$out" >/dev/null
}
damaged() { # WHAT DAMAGE WINDOWS [possible]: a list in JSON; of so many windows of bytes at most nothing is used
    simulated "$scratch/bad.xt" stress-hvm-pv ".trace.damage = $2" --duration 400ms --seed $((SEED + 1)) --truth "$scratch/truth.json"
    check "$1: an answer" survives "$scratch/bad.xt" -q -b vcpu -f json --cpu-hz 2.4G
    check "$1: which is not good" holds '.quality.verdict != "good"' "$out"
    [ -z "${4:-}" ] || check "$1: and possible" truth_is_possible
    check "$1: no more is skipped" equal true "$(jq --slurpfile truth "$scratch/truth.json" --argjson most "$3" \
        '.quality.skipped_bytes <= $most * ($truth[0].damage | map(.window_bytes) | add)' "$out")"
    check "$1: dumped" dumps "$scratch/bad.xt"
}
# What is lost with its head, and the window after a record that is cut, no byte of the file says.
damaged 'one is lost' '[{ "window": 20, "kind": "lost" }]' 0
damaged 'each 25th is lost' '[{ "window": 20, "every": 25, "kind": "lost" }]' 0
damaged 'the end of one is cut' '[{ "window": 30, "kind": "cut", "bytes": 1000 }]' 2 possible
damaged 'a record is cut' '[{ "window": 30, "kind": "cut", "bytes": 6 }]' 2
damaged 'all of one is cut' '[{ "window": 30, "kind": "cut", "bytes": 1000000 }]' 2 possible
damaged 'bytes of one are garbage' '[{ "window": 25, "kind": "garbage", "offset": 4000, "bytes": 100 }]' 1 possible
damaged 'all bytes of some are garbage' '[{ "window": 10, "every": 31, "kind": "garbage", "bytes": 1000000 }]' 1 possible
damaged 'all of that' '[{ "window": 10, "every": 31, "kind": "garbage", "offset": 20, "bytes": 1 }, { "window": 15, "every": 40, "kind": "cut", "bytes": 99 },
    { "window": 17, "every": 50, "kind": "lost" }]' 2

# ---- made by hand ----

word() { # NUMBER...: as 32-bit little-endian
    local n bytes
    for n in "$@"; do
        printf -v bytes '\\x%02x\\x%02x\\x%02x\\x%02x' \
            $((n & 255)) $((n >> 8 & 255)) $((n >> 16 & 255)) $((n >> 24 & 255))
        # shellcheck disable=SC2059 # the format is the data
        printf "$bytes"
    done
}
window() { word $((0x2001f003)) "$1" "$2"; } # PCPU BYTES
change() { # TSC OLD NEW DOMAIN VCPU: a runstate change, 16 bytes
    word $((0x90021001 | $2 << 8 | $3 << 4)) $(($1 & 0xffffffff)) $(($1 >> 32 & 0xffffffff)) $(($4 << 16 | $5))
}
some() { # PCPU TSC: a window of four good records
    window "$1" 64
    change "$2" 0 1 1 0
    change "$2" 1 0 2 0
    change $(($2 + 1000000)) 0 2 2 0
    change $(($2 + 1000000)) 1 0 1 0
}
hostile() { # WHAT: a capture on standard input
    cat >"$scratch/bad.xt"
    check "$1" survives "$scratch/bad.xt" --cpu-hz 2.4G -b vcpu -g total,100ms -f csv -q
    check "$1, by pcpu" survives "$scratch/bad.xt" --cpu-hz 2.4G -b pcpu -g total,1ms -f csv -q
    check "$1, dumped" dumps "$scratch/bad.xt"
}
record() { # EVENT TSC WORD...: with a tsc
    word $((0x80000000 | ($# - 2) << 28 | $1)) $(($2 & 0xffffffff)) $(($2 >> 32 & 0xffffffff)) "${@:3}"
}

group 'made by hand'
some 0 1000000 | hostile 'a good one, to begin with'
check 'it is read' exits 0
{ some 0 1000000; window 0 $((0xfffffff0)); some 0 3000000; } | hostile 'a huge window'
{ window 0 $((0xffffffff)); change 1000000 0 1 1 0; } | hostile 'a huge window at first'
{ some 0 1000000; window 0 $((0x7ffffffc)); head -c 3000000 "$scratch/whole.xt"; } | hostile 'a window that never ends'
{ some 0 1000000; window 1 13; some 0 2000000; } | hostile 'a window of an odd size'
{ some 0 1000000; window 1 0; window 1 0; some 0 2000000; } | hostile 'empty windows'
for pcpu in 4094 4095 65535 $((0xffffffff)); do
    { some 0 1000000; some "$pcpu" 2000000; some 0 3000000; } | hostile "pCPU $pcpu"
    { some "$pcpu" 2000000; } | hostile "pCPU $pcpu alone"
done
{ some 0 1000000; window 0 20; word $((0xf0021001)) 0 0 1; word 0; some 0 2000000; } | hostile 'a payload past the window'
{ some 0 1000000; window 0 4; word $((0x90021011)); some 0 2000000; } | hostile 'a record cut by its window'
{ some 0 5000000; some 0 1000000; some 0 6000000; } | hostile 'tsc backwards'
{ some 0 5000000000000; some 1 1000000; some 0 5000001000000; some 1 2000000; } | hostile 'pCPUs far apart'
{ some 0 1000000; window 0 16; change -1 0 2 1 0; some 0 3000000; } | hostile 'tsc all ones'
{ window 0 16; change -1 0 2 1 0; some 0 3000000; } | hostile 'tsc all ones at first'
{ some 0 0; some 0 $((0x7fffffffffffffff)); } | hostile 'a trace of centuries'
{ some 0 1000000; window 0 16; change 2000000 0 2 65535 65535; some 0 3000000; } | hostile 'domain and vCPU 65535'
{ some 0 1000000; window 0 32; change 2000000 0 0 32767 9; change 2000001 3 3 32767 4095; some 0 3000000; } |
    hostile 'strange idle vCPUs'
{ some 0 1000000; window 0 28; word $((0xe001f001)); word 4294967295 0 0 0 0 0; some 0 3000000; } | hostile 'strange lost records'
{ some 0 1000000; window 0 8; word $((0x1001f001)) 7; some 0 3000000; } | hostile 'lost records of long ago'
{ some 0 1000000; window 0 28; record $((0x1f001)) 2000000 3 65536 9000000 0; some 0 3000000; } |
    hostile 'lost before they were'
{ some 0 1000000; window 0 16; change 2000000 0 2 1 256; some 0 3000000; } | hostile 'vCPU 256'
{
    some 0 1000000
    window 0 88
    record $((0x800f001)) 2000000 1 2 3 4 5 6 7 # of a guest's own
    record $((0x82004)) 2000001 $((0xffffffff)) 0 # an interrupt's vector below 0
    record $((0x20100d)) 2000002 $((0xffffffff)) # a hypercall whose arguments are missing
    record $((0x20100d)) 2000003 # of which even the number is
    some 0 3000000
} | hostile 'strange payloads'
{ some 0 1000000; head -c 70000 /dev/zero; some 0 3000000; } | hostile 'zeros in between'
{ some 0 1000000; word $((0x2001f003)) 0; } | hostile 'half a window header at the end'
{
    for i in $(seq 0 200); do
        window 0 16
        change $((1000000 + i * 1000)) 0 2 $((i * 163)) $((i * 37))
    done
} | hostile 'many domains'
record $((0x21002)) 1000000 $((0xffff0000)) >"$scratch/nobody.xt"
for i in $(seq 19); do
    cat "$scratch/nobody.xt" "$scratch/nobody.xt" >"$scratch/twice.xt"
    mv "$scratch/twice.xt" "$scratch/nobody.xt"
done
{ window 0 $((16 << 19)); cat "$scratch/nobody.xt"; } | hostile 'half a million records while nobody runs'
{
    window 0 80016
    # shellcheck disable=SC2046 # a list of words
    word $(yes $((0x1f001)) | head -n 20000)
    change 1000000 0 1 1 0
} | hostile 'lost records that tell nothing'
head -c 7 "$scratch/lost.xt" | hostile 'less than a window header'
for byte in '\0' '\377'; do
    head -c 1000000 /dev/zero | tr '\0' "$byte" | hostile "nothing but $byte"
done
head -c 1000000 "$XENMETER" | hostile 'a program'
: | hostile 'an empty file'
finish
