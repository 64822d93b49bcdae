#!/bin/bash
# Archives of recordings that were cut short: cut at every frame and in between, completed, and compared with the whole one.
# shellcheck source=tests/lib.sh disable=SC2317 # functions are called through check
. "$(dirname "$0")/lib.sh"

PARTS=$BUILD/tests/parts
FRAMES=$BUILD/tests/frames

is_quiet() { is_empty "$out" && is_empty "$err"; }

# The rows are those with which the whole recording begins.
report_is_the_beginning() { # BY
    local lines
    "$XENMETER" report -q -b "$1" -g 100ms -f csv "$saved" >"$scratch/saved.csv" 2>"$err" || return
    lines=$(wc -l <"$scratch/saved.csv")
    [ "$lines" -gt 10 ] && head -n "$lines" "$scratch/whole-$1.csv" | cmp -s - "$scratch/saved.csv"
}
totals_are_those_of_the_whole() { # BY TO
    "$XENMETER" report -q -b "$1" -g total -f csv "$saved" >"$scratch/saved.csv" 2>"$err" &&
        "$XENMETER" report -q -b "$1" -g total -f csv -t "0s,$2" "$whole" >"$scratch/expected.csv" 2>"$err" &&
        cmp -s "$scratch/saved.csv" "$scratch/expected.csv"
}
charges_are_those_of_the_whole() { # TO
    "$XENMETER" charge -q -g total -f csv "$saved" >"$scratch/saved.csv" 2>"$err" &&
        "$XENMETER" charge -q -g total -f csv -t "0s,$1" "$whole" >"$scratch/expected.csv" 2>"$err" &&
        cmp -s "$scratch/saved.csv" "$scratch/expected.csv"
}
executions_are_the_beginning() {
    local lines
    "$XENMETER" report -q -g execution -f csv "$saved" >"$scratch/saved.csv" 2>"$err" || return
    lines=$(wc -l <"$scratch/saved.csv")
    [ "$lines" -gt 10 ] && head -n "$lines" "$scratch/whole-execution.csv" | cmp -s - "$scratch/saved.csv"
}
# How much a recording has at least by the checkpoint that ends at this byte: they are due after 2, 5 and 15 s, then each
# minute, and what a checkpoint has ends up to a second before.
least_ns() { # BYTE
    local due=(0 1 4 14 74 134) n
    n=$(awk -v at="$1" '$1 <= at && $2 ~ /\/checkpoint\//' "$scratch/frames" | wc -l)
    echo "${due[n]}000000000"
}
# Where the checkpoint ends that is the last one at or before this byte; 0: none.
checkpoint_before() { awk -v at="$1" '$1 <= at && $2 ~ /\/checkpoint\// { end = $1 } END { print end + 0 }' "$scratch/frames"; }

cut_at() { # BYTE
    head -c "$1" "$whole" >"$scratch/a.xma.partial"
    rm -f "$saved"
    run archive salvage "$scratch/a.xma.partial" -o "$saved"
}

# What can be had of the first BYTE bytes.
cut_is_salvaged() { # BYTE [all]
    local point
    point=$(checkpoint_before "$1")
    cut_at "$1"
    if [ "$point" -eq 0 ]; then
        check "$name, cut at byte $1: refused" refused_once
        check "$name, cut at byte $1: nothing is made" [ ! -e "$saved" ]
        return
    fi
    check "$name, cut at byte $1: salvaged" exits 0
    check "$name, cut at byte $1: verify" "$XENMETER" archive verify -q "$saved"
    check "$name, cut at byte $1: it begins with the same bytes" cmp -s -n "$point" "$saved" "$whole"
    [ -n "${seen[$point]:-}" ] || salvaged_is_right "$1"
    seen[point]=1
}

# Every cut after the same checkpoint makes the same archive.
salvaged_is_right() { # BYTE
    local by to
    to=$("$XENMETER" report -q -g total -f csv -c end_ns "$saved" 2>"$err" | sed -n 2p)
    check "$name, cut at byte $1: it says how long" [ "${to:-0}" -ge "$(least_ns "$1")" ]
    for by in domain vcpu pcpu; do
        check "$name, cut at byte $1: rows by $by" report_is_the_beginning $by
        check "$name, cut at byte $1: sums by $by" totals_are_those_of_the_whole $by "${to}ns"
    done
    check "$name, cut at byte $1: charges" charges_are_those_of_the_whole "${to}ns"
    check "$name, cut at byte $1: executions" executions_are_the_beginning
}

# Makes an archive of one part of a trace that goes on for minutes.
record() { # FILE [trace]
    mkdir -p "$scratch/parts"
    "$PARTS" 1000000000000 "$scratch/parts" ${2:+"$2"} <"$scratch/trace.xt" >/dev/null && mv "$scratch/parts/0.xma" "$1"
}

simulated "$scratch/trace.xt" come-and-go '.duration_s = 190
    | (.. | objects | select(has("requests_per_s")).requests_per_s) = 8
    | (.. | objects | select(has("packets_per_s")).packets_per_s) = 12
    | (.. | objects | select(has("destroyed_ms")).destroyed_ms) *= 40
    | (.. | objects | select(has("created_ms")).created_ms) *= 40
    | (.. | objects | select(has("again_ms")).again_ms) *= 40
    | (.. | objects | select(has("think_ms")).think_ms) = 300
    | (.. | objects | select(has("on_ms")) | .on_ms, .off_ms) *= 50'

saved=$scratch/saved.xma
for name in results trace; do
    group "a recording, $name kept"
    whole=$scratch/$name.xma
    check 'it is made' record "$whole" "$([ $name = results ] || echo trace)"
    "$FRAMES" "$whole" >"$scratch/frames"
    check 'it has checkpoints' [ "$(grep -c /checkpoint/ "$scratch/frames")" -eq 5 ]
    for by in domain vcpu pcpu; do "$XENMETER" report -q -b $by -g 100ms -f csv "$whole" >"$scratch/whole-$by.csv"; done
    "$XENMETER" report -q -g execution -f csv "$whole" >"$scratch/whole-execution.csv"
    seen=()

    group "cut at every frame, $name kept"
    while read -r at member; do
        case $member in contents.json) continue ;; esac
        cut_is_salvaged "$at"
    done <"$scratch/frames"
    group "cut anywhere, $name kept"
    RANDOM=7
    size=$(stat -c %s "$whole")
    for _ in {1..12}; do cut_is_salvaged $(((RANDOM * 32768 + RANDOM) % (size - 400))); done

    group "cut in the seal, $name kept"
    for less in 1 20 200; do
        cut_at $((size - less))
        check "$less bytes less: salvaged" exits 0
        check "$less bytes less: all of it is there" says "$err" 'all of it was there'
        check "$less bytes less: the same archive" same "$saved" "$whole"
    done
done

group 'a trace that was kept'
cut_at "$(awk '/\/checkpoint\// { end = $1 } END { print end }' "$scratch/frames")"
check 'it is salvaged' exits 0
check 'extract --trace' "$XENMETER" archive extract -q --trace "$saved" -o "$scratch/back.xt"
check 'it is the beginning of the trace' cmp -s -n "$(stat -c %s "$scratch/back.xt")" "$scratch/back.xt" "$scratch/trace.xt"
check 'it reaches the checkpoint' [ "$("$XENMETER" report -q -g total -f csv -c end_ns "$scratch/back.xt" | sed -n 2p)" -ge "$(least_ns "$size")" ]

group 'damage'
RANDOM=8
for _ in {1..10}; do
    head -c -300 "$whole" >"$scratch/a.xma.partial"
    at=$(((RANDOM * 32768 + RANDOM) % (size - 300)))
    printf 'damage' | dd of="$scratch/a.xma.partial" bs=1 seek="$at" conv=notrunc status=none
    rm -f "$saved"
    run archive salvage "$scratch/a.xma.partial" -o "$saved"
    if [ "$status" -eq 0 ]; then
        check "byte $at: what is made is whole" "$XENMETER" archive verify -q "$saved"
        check "byte $at: and without the damage" [ "$(stat -c %s "$saved")" -lt "$size" ]
    else
        check "byte $at: one error" refused_once
        check "byte $at: nothing is made" [ ! -e "$saved" ]
    fi
done

group 'what people see'
cut_at $((size / 2))
check 'what it holds, and what was cut' says "$err" 'saved.xma: [0-9.]* s of host host; .* after the last checkpoint were cut'
check 'the file stays' [ "$(stat -c %s "$scratch/a.xma.partial")" -eq $((size / 2)) ]
run archive salvage -q "$scratch/a.xma.partial" -o "$saved"
check '-q: nothing' is_quiet
"$XENMETER" archive salvage -q "$scratch/a.xma.partial" -o - 2>"$err" | cmp -s - "$saved"
check 'to standard output' [ "${PIPESTATUS[1]}" -eq 0 ]
run archive extract --partial -o "$scratch/members" "$scratch/a.xma.partial"
check 'extract --partial names it' says "$err" 'xenmeter archive salvage'
run report "$scratch/a.xma.partial"
check 'so does report' says "$err" 'xenmeter archive salvage'
run archive list "$saved"
check 'archive list' exits 0

group 'what is refused'
check 'a complete archive' refuses 'was completed: there is nothing to salvage' archive salvage "$whole" -o "$scratch/no.xma"
check 'what was salvaged' refuses 'was completed: there is nothing to salvage' archive salvage "$saved" -o "$scratch/no.xma"
check 'a trace' refuses 'not an archive' archive salvage "$scratch/trace.xt" -o "$scratch/no.xma"
: >"$scratch/empty.xma.partial"
check 'nothing' refuses 'is empty' archive salvage "$scratch/empty.xma.partial" -o "$scratch/no.xma"
check 'a file that is not there' refuses 'No such file' archive salvage "$scratch/none.xma.partial" -o "$scratch/no.xma"
"$XENMETER" archive create -q "$scratch/trace.xt" -o "$scratch/created.xma"
head -c -600 "$scratch/created.xma" >"$scratch/created.xma.partial"
check 'what archive create was making' refuses 'no whole checkpoint' archive salvage "$scratch/created.xma.partial" -o "$scratch/no.xma"
check 'no output' refuses 'where to' archive salvage "$scratch/a.xma.partial"
check 'two files' refuses 'which file' archive salvage "$scratch/a.xma.partial" "$saved" -o "$scratch/no.xma"
check 'the file itself' refuses 'would be lost' archive salvage "$scratch/a.xma.partial" -o "$scratch/a.xma.partial"
check 'a name for zstd' refuses 'compressed already' archive salvage "$scratch/a.xma.partial" -o "$scratch/no.xma.zst"
check 'no folder' refuses 'No such file' archive salvage "$scratch/a.xma.partial" -o "$scratch/none/no.xma"
check 'nothing was made' [ -z "$(ls "$scratch"/no.xma* 2>/dev/null)" ]

finish
