#!/bin/bash
# The errors of every way to charge, by what the driver domain's own kernel recorded.
#
#     errors.sh DIR...
#
# For every NAME.xt.zst with a NAME.truth/truth.json (what dom0's kernel ran for whom, by Xen's runstates) in a DIR, by each
# method and charging period: the points of dom0's running time that are charged to the wrong one, or are own and should not
# be; and, in parentheses, of the time of all guests, what is with the wrong guest. Means of the captures and the worst one.
# Each row of the table has its bounds. Methods whose side file a capture lacks leave it out: the number of captures is shown.
#
#     XENMETER=PROGRAM   another program; one that refuses a method has "-" there, and is not judged
#     PLAIN=1            the table alone, not judged
# shellcheck source=tests/lib.sh disable=SC2317 # functions are called through check
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/truth/lib.sh
. tests/truth/lib.sh

PERS='task execution interval=100ms'
PLAIN=${PLAIN:-}
declare -A MASKS=([grants]=0x12f000 [sched]=0x2f000) # no hypercalls; no grants either

# A row a line: its name; the capture: whole, or with the records of a mask alone: grants, sched; the side file: none, log,
# dom0; what may be wrong on the mean, by PERS; options. Among them "fit": the weights that charge --fit makes of the same
# capture and log, and "own": the load of own work that is true of it.
ROWS='
all events|whole|none|5.5 52 75|
  with --own|whole|none|75 6 10|own
grants|whole|none|22 26 90|--charge-by grants
copies|whole|none|16 42 82|--charge-by copies
notifications|whole|none|8 48 75|--charge-by notifications
grants, copies|whole|none|17 45 82|--charge-by grants,copies
no hypercalls|grants|none|50 50 75|
  grants|grants|none|22 22 90|--charge-by grants
  with --own|grants|none|8 8 10|own
scheduler only|sched|none|50 50 75|
  with --own|sched|none|8 8 10|own
packets|whole|log|15 75 75|--charge-by packets
  with --fit|whole|log|12 75 75|--charge-by packets fit
  with --own|grants|log|9 9 9|--charge-by packets own
  with both|grants|log|5 5 5|--charge-by packets fit own
threads|whole|log|2.5 7 7|--charge-by threads
  and packets|whole|log|9 9 9|--charge-by threads,packets
  no hypercalls|grants|log|7 7 7|--charge-by threads
dom0-trace|whole|dom0|0.5 0.5 0.5|
'

charge() { # OPTION...: writes charge.json
    "$XENMETER" charge -q -f json "$@" >"$scratch/charge.json" 2>"$scratch/charge.err"
}

# The weights that are fitted to the log of the capture.
fitted() { # FILE
    "$XENMETER" charge -q --fit -f json -g 500ms --io-counts "$scratch/log" "$1" 2>/dev/null | jq -r .fit.weights
}

# The own work of domain 0 in per cent of a pCPU.
own_load() { # TRUTH
    jq '([.own[]] | add) / ((.trace_tsc[1] - .trace_tsc[0]) / .cpu_hz * 1e9) * 1e4 | round / 100' "$1/truth.json"
}

# Makes what the rows need of a capture in the scratch folder: "whole" and the like, "log", "dom0", if it can be made.
prepare() { # FILE TRUTH
    local mask
    rm -f "$scratch/log" "$scratch/dom0"
    cp "$1" "$scratch/whole"
    for mask in "${!MASKS[@]}"; do
        zstd -dc "$1" | "$BUILD/tests/mask" "${MASKS[$mask]}" | zstd -q -1 >"$scratch/$mask"
    done
    [ -s "$2/threads.jsonl" ] && [ -s "$2/io-counts.csv" ] && log_of "$2" >"$scratch/log"
    [ -s "$2/ftrace.txt.zst" ] && dom0_trace_of "$2" >"$scratch/dom0"
}

# Adds the line "ROW PER WRONG AMONG" of one capture, where it can be charged so.
try() { # TRUTH ROW-NUMBER CAPTURE SIDE PER OPTION...
    local truth=$1 row=$2 capture=$3 side=$4 per=$5 wrong among
    local options=(--charge-per "$per")
    shift 5
    [ "$side" = none ] || [ -s "$scratch/$side" ] || return
    [ "$side" = log ] && options+=(--io-counts "$scratch/log")
    [ "$side" = dom0 ] && options+=(--dom0-trace "$scratch/dom0")
    for option in "$@"; do
        case $option in
        fit) options+=(--weights "$(fitted "$scratch/whole")") ;;
        own) options+=(--own "$(own_load "$truth")%") ;;
        *) options+=("$option") ;;
        esac
    done
    charge "${options[@]}" "$scratch/$capture" || return
    read -r wrong among _ < <(wrong_of "$scratch/charge.json" "$truth")
    echo "$row $per $wrong $among" >>"$scratch/results"
}

try_all() { # FILE TRUTH
    local number=0 name capture side bounds options per
    prepare "$1" "$2"
    while IFS='|' read -r name capture side bounds options; do
        [ -n "$name" ] || continue
        number=$((number + 1))
        for per in $PERS; do
            # shellcheck disable=SC2086 # a list of words
            try "$2" $number "$capture" "$side" "$per" $options
        done
    done <<<"$ROWS"
}

# "MEAN WORST AMONG N" of a row; nothing: no capture has it.
sum_up() { # ROW-NUMBER PER
    awk -v row="$1" -v per="$2" '
        $1 == row && $2 == per { n++; wrong += $3; among += $4; if ($3 > worst) worst = $3 }
        END { if (n) printf "%.1f %.1f %.1f %d\n", wrong / n, worst, among / n, n }' "$scratch/results"
}

print_table() {
    local number=0 name capture side bounds options per mean worst among n most
    printf '%-22s' method
    # shellcheck disable=SC2086 # a list of words
    printf '%24s' $PERS
    printf '\n%-22s' ''
    for per in $PERS; do printf '%24s' 'mean worst (among)'; done
    echo
    while IFS='|' read -r name capture side bounds options; do
        [ -n "$name" ] || continue
        number=$((number + 1)) n=0
        printf '%-22s' "$name"
        for per in $PERS; do
            read -r mean worst among n < <(sum_up $number "$per")
            if [ -n "${mean:-}" ]; then printf '%24s' "$mean $worst ($among)"; else printf '%24s' -; fi
        done
        echo "  ${n:-0}"
    done <<<"$ROWS"
}

judge_table() {
    local number=0 name capture side bounds options per mean most
    while IFS='|' read -r name capture side bounds options; do
        [ -n "$name" ] || continue
        number=$((number + 1))
        for per in $PERS; do
            most=${bounds%% *} bounds=${bounds#* }
            read -r mean _ < <(sum_up $number "$per")
            [ -z "${mean:-}" ] || check "$name per $per: $mean points of dom0 are wrong" within "$mean" 0 "$most"
        done
    done <<<"$ROWS"
}

: >"$scratch/results"
captures=0
for dir in "$@"; do
    for truth in "$dir"/*.truth/truth.json; do
        [ -s "$truth" ] || continue
        captures=$((captures + 1))
        try_all "${truth%.truth/truth.json}.xt.zst" "${truth%/truth.json}"
    done
done
echo "points of dom0's running time that are with the wrong one, of $captures captures; the last column: captures that have the method"
print_table
[ -n "$PLAIN" ] && exit
group 'charges by each method are as near to what the driver domain did as they can be'
judge_table
check 'there are captures to judge by' [ "$captures" -gt 0 ]
finish
