#!/bin/bash
# The decoding against that of xenalyze, Xen's own reader of traces: each line that it prints for a record.
#
#     xenalyze.sh [DIR]...
#
# For every *.xt.zst in fixtures/ and in a DIR (of several with one name: the first), for each event: as many records as
# xenalyze has lines for, with the values that it prints; on each pCPU in the same order, at the same tsc, of the same vCPU;
# and no line of it is about anything else. How, and what it cannot tell, is in lib/xenalyze.awk.
# QUICK=1: the captures that have most events, and lost records.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/lib.sh"

if ! command -v xenalyze >/dev/null; then
    echo 'skipped: xenalyze is not installed (Debian: xen-utils-common)'
    finish
fi

# --cpu-hz 1G: times in cycles, see xenalyze.awk. --svm-mode: the captures come from AMD; without exits it changes nothing.
# --tolerance=6: what xenalyze finds strange it says, and goes on; by itself it gives up on a trace that begins in the
# middle (membuf-credit2).
theirs() { # CAPTURE
    timeout -k 5 "$LIMIT" xenalyze --dump-all --cpu-hz 1G --svm-mode --tolerance=6 "$1" \
        >"$scratch/theirs" 2>"$scratch/theirs.err"
}

look_at() { # NAME FILE
    local code good=0 bad=1 lines=0
    run dump -q --tsc -f csv "$2"
    zstd -qdc "$2" >"$scratch/capture.xt"
    theirs "$scratch/capture.xt"
    code=$?
    rm -f "$scratch/counts"
    awk -v name="$1" -v ours="$out" -v counts="$scratch/counts" -f tests/lib/xenalyze.awk "$scratch/theirs"
    [ -s "$scratch/counts" ] && read -r good bad lines <"$scratch/counts"
    group "$1: $lines lines of xenalyze are our records"
    check 'xenmeter dump' exits 0
    check 'xenalyze reads it' [ "$code" -eq 0 ]
    count "$good" "$bad"
}

taken=' '
for dir in fixtures "$@"; do
    for file in "$dir"/*.xt.zst; do
        name=$(basename "$file" .xt.zst)
        case $taken in *" $name "*) continue ;; esac
        case $QUICK:$name in :* | *:lost-credit2 | *:pvh-credit2) ;; *) continue ;; esac
        taken="$taken$name "
        look_at "$name" "$file"
    done
done
check 'there are captures to judge by' [ "$taken" != ' ' ]
finish
