#!/bin/bash
# The same output from every source of a capture: file, pipe, byte by byte, compressed, live.
# shellcheck source=tests/lib.sh disable=SC2317,SC2002 # functions are called through check
. "$(dirname "$0")/lib.sh"

DRIBBLE=$BUILD/tests/dribble

# The report without what is about the file itself.
plain_json() { grep -v -e '^    "file":' -e '^    "bytes":' -e '^    "stored_bytes":' -e '^    "compression":' "$1"; }

report() { # OUTPUT-NAME ARGUMENT...: CSV and JSON of the capture on standard input or in the file named last
    local name=$1
    shift
    "$XENMETER" report -q -b vcpu -g total,100ms -f "${name##*.}" "$@" >"$scratch/$name"
}

unpack() { zstd -qdc "$1" >"$2"; }

compare() { # WHAT NAME: the CSV and JSON made as NAME against those of the plain file
    check "$1: CSV" same "$scratch/file.csv" "$scratch/$2.csv"
    plain_json "$scratch/file.json" >"$scratch/left"
    plain_json "$scratch/$2.json" >"$scratch/right"
    check "$1: JSON" same "$scratch/left" "$scratch/right"
}

capture=$scratch/capture.xt
for fixture in fixtures/*.xt.zst; do
    name=$(basename "$fixture" .xt.zst)
    group "$name: every road gives the same report"
    unpack "$fixture" "$capture"
    for form in csv json; do
        report file.$form "$capture"
        cat "$capture" | report pipe.$form -
        report stdin.$form <"$capture"
        report zst.$form "$fixture"
        cat "$fixture" | report zstpipe.$form
    done
    check 'there is something to compare' [ "$(wc -l <"$scratch/file.csv")" -gt 100 ]
    compare 'pipe' pipe
    compare 'file as standard input' stdin
    compare 'zstd as it is stored' zst
    compare 'zstd through a pipe' zstpipe
    [ -n "$QUICK" ] && break
done

group 'sweeps of seconds: every road measures the same clock'
simulated "$capture" stress-sched '.trace += { "sweep_s": 4, "buffer_pages": 8191 }' --seed 9 --duration 1h --size 40M
clock() { "$XENMETER" info -f json "$@" | jq -c '[.trace.cpu_hz, .trace.cpu_hz_pairs, .trace.duration_ns]'; }
expected=$(clock "$capture")
check 'it is measured before the first sweep ends' [ "$(jq '.[1]' <<<"$expected")" -ge 16 ]
check 'pipe' equal "$expected" "$(cat "$capture" | clock -)"
check 'dribbled' equal "$expected" "$("$DRIBBLE" "$capture" 55555 | clock -)"
check 'zstd' equal "$expected" "$(zstd -qc "$capture" | clock -)"
check 'a dump' equal "$(jq '.[2]' <<<"$expected")" "$("$XENMETER" dump -q -f csv "$capture" | tail -n 1 | cut -d, -f1)"

group 'a small capture: every form of compression'
unpack fixtures/lost-credit2.xt.zst "$scratch/whole"
head -c 400000 "$scratch/whole" >"$capture"
skippable() { printf '\120\052\115\030%b\0\0\0%s' "\\0$(printf %o "${#1}")" "$1"; }
z() { zstd -q -c "$@"; }
z --ultra -22 "$capture" >"$scratch/strongest.zst"
z --fast=5 --no-check <"$capture" >"$scratch/fast.zst"
split -b 30011 -d -a 3 "$capture" "$scratch/piece."
for piece in "$scratch"/piece.*; do z "$piece"; done >"$scratch/frames.zst"
for piece in "$scratch"/piece.*; do
    skippable 'not for us'
    z "$piece"
done >"$scratch/seekable.zst"
skippable 'a table of the frames' >>"$scratch/seekable.zst"
{
    z </dev/null
    z "$capture"
    z </dev/null
} >"$scratch/empty-frames.zst"
rm "$scratch"/piece.*
for form in csv json; do
    report file.$form "$capture"
    for kind in strongest fast frames seekable empty-frames; do
        report $kind.$form "$scratch/$kind.zst"
        cat "$scratch/$kind.zst" | report $kind-pipe.$form
    done
done
for kind in strongest fast frames seekable empty-frames; do
    compare "$kind" $kind
    compare "$kind through a pipe" $kind-pipe
done

group 'a small capture in small pieces'
small=$((QUICK ? 20000 : 120000))
head -c "$small" "$scratch/whole" >"$capture"
z "$capture" >"$scratch/capture.zst"
for form in csv json; do
    report file.$form "$capture"
    "$DRIBBLE" "$capture" 1 | report bytes.$form
    "$DRIBBLE" "$capture" 3 | report threes.$form
    "$DRIBBLE" "$capture" 4093 | report odd.$form
    "$DRIBBLE" "$scratch/capture.zst" 1 | report zst-bytes.$form
done
compare 'one byte at a time' bytes
compare 'three at a time' threes
compare '4093 at a time' odd
compare 'zstd, one byte at a time' zst-bytes

# ---- live ----

for fixture in fixtures/*.xt.zst; do
    group "$(basename "$fixture" .xt.zst): live gives what offline gives"
    unpack "$fixture" "$capture"
    for length in 1s 100ms; do
        for form in csv jsonl; do
            for by in domain vcpu pcpu domain-pcpu; do
                "$XENMETER" report -q -b $by -g $length -f $form "$capture" >"$scratch/offline"
                cat "$capture" | "$XENMETER" report -q -b $by --live $length -f $form - >"$scratch/live"
                check "$form by $by, $length" same "$scratch/offline" "$scratch/live"
                check "$form by $by, $length: something came" has_text "$scratch/live"
            done
        done
    done
    [ -n "$QUICK" ] && break
done

# Starts a live run that reads a pipe in which a part of the capture has come; $live is its process. The rest never comes:
# the pipe stays open as descriptor 7 of this shell, for reading too, so that no open waits for another.
start_live() { # ARGUMENT...
    rm -f "$scratch/fifo" "$scratch/live"
    mkfifo "$scratch/fifo"
    exec 7<>"$scratch/fifo"
    attended "$XENMETER" report -b vcpu --live 100ms -f csv "$@" - <"$scratch/fifo" >"$scratch/live" 2>"$err" 7>&- &
    live=$!
    timeout "$LIMIT" head -c "$part" "$capture" >&7
}
end_pipe() { exec 7>&-; }
lines_in() { wc -l <"$1" 2>/dev/null || echo 0; }
has_lines() { [ "$(lines_in "$1")" -ge "$2" ]; } # FILE LINES
# Every line is one of the offline report, from its beginning, and the last one is whole.
is_beginning_of() { # FILE WHOLE
    cp "$1" "$scratch/snapshot" # it may still grow
    head -n "$(lines_in "$scratch/snapshot")" "$2" | cmp -s - "$scratch/snapshot"
}
ends_with_an_interval() { # FILE WHOLE: the line after the last one begins a new interval
    local n last next
    n=$(lines_in "$1")
    last=$(tail -n 1 "$1" | cut -d, -f2)
    next=$(sed -n "$((n + 1))p" "$2" | cut -d, -f2)
    [ "$last" != "$next" ]
}

unpack fixtures/mixed-credit.xt.zst "$capture"
part=9000000
"$XENMETER" report -q -b vcpu -g 100ms -f csv "$capture" >"$scratch/offline"

group 'live: rows come while the pipe is open'
start_live
check 'dozens of rows before the end' soon has_lines "$scratch/live" 400
check 'the run still waits' kill -0 "$live"
check 'what came is the beginning of the offline report' is_beginning_of "$scratch/live" "$scratch/offline"
check 'nothing of an unfinished interval' ends_with_an_interval "$scratch/live" "$scratch/offline"
end_pipe
wait "$live"
check 'the end of the pipe ends it well' equal 0 $?

for signal in INT TERM; do
    group "live: SIG$signal ends it well"
    start_live
    check 'rows come' soon has_lines "$scratch/live" 100
    kill -$signal "$live"
    wait "$live"
    check 'exit code 0' equal 0 $?
    end_pipe
    check 'every line whole, as in the offline report' is_beginning_of "$scratch/live" "$scratch/offline"
    check 'nothing of an unfinished interval' ends_with_an_interval "$scratch/live" "$scratch/offline"

    for name in rows.csv rows.csv.zst; do
        mkdir -p "$scratch/dir"
        start_live -v -o "$scratch/dir/$name"
        check "$name: nothing there under that name while it runs" [ ! -e "$scratch/dir/$name" ]
        kill -$signal "$live"
        wait "$live"
        check "$name: exit code 0" equal 0 $?
        end_pipe
        check "$name: it is all that is left" equal "$name" "$(ls -A "$scratch/dir")"
        zstd -qdcf "$scratch/dir/$name" >"$scratch/live"
        check "$name: there are rows" [ "$(lines_in "$scratch/live")" -gt 100 ]
        check "$name: every line whole" is_beginning_of "$scratch/live" "$scratch/offline"
        rm -rf "$scratch/dir"
    done
done

# The same from a compressed pipe, whose bytes are decompressed on a thread that may be waiting for more.
zstd -q -3 -f -o "$scratch/packed.zst" "$capture"
whole_capture=$capture
capture=$scratch/packed.zst
part=$(($(stat -c %s "$capture") / 2))
for signal in INT TERM; do
    group "live, compressed: SIG$signal ends it well"
    start_live
    check 'rows come' soon has_lines "$scratch/live" 100
    check 'the run still waits' kill -0 "$live"
    kill -$signal "$live"
    wait "$live"
    check 'exit code 0' equal 0 $?
    end_pipe
    check 'every line whole, as in the offline report' is_beginning_of "$scratch/live" "$scratch/offline"
done
group 'compressed: the reader goes away while the pipe stays open'
rm -f "$scratch/code" "$scratch/fifo"
mkfifo "$scratch/fifo"
exec 7<>"$scratch/fifo"
{ timeout "$LIMIT" "$XENMETER" report --live 100ms -f csv - <"$scratch/fifo" 2>"$err" 7>&-; echo $? >"$scratch/code"; } | head -n 1 >"$out" &
timeout "$LIMIT" head -c "$part" "$capture" >&7 &
feeder=$!
check 'it ends' soon has_text "$scratch/code"
check 'exit code 0' equal 0 "$(cat "$scratch/code")"
kill "$feeder" 2>/dev/null
end_pipe
capture=$whole_capture

group 'live: the reader goes away'
"$DRIBBLE" "$capture" 60000 | { timeout "$LIMIT" "$XENMETER" report --live 100ms -f csv - 2>"$err"; echo $? >"$scratch/code"; } |
    head -n 1 >"$out"
check 'quiet' is_empty "$err"
check 'exit code 0' equal 0 "$(cat "$scratch/code")"
finish
