#!/bin/bash
# check.sh BUILD-DIR RECORDED-FILE [record] - counts the instructions of reports on small inputs, and holds them against the
# recorded ones; see bench.mk. Instructions are those of this tree's functions, as callgrind counts them: no library's, nor the
# kernel's. With `record` the counts are written to the file instead.
set -eu -o pipefail

build=$1
recorded=$2
record=${3:-}
tolerance_percent=3
xenmeter=$build/xenmeter
inputs=$build/bench/small
kinds=(pv hvm-pv 255-pcpus 1000-domains sched)
captures=(mixed-credit pvh-credit2)
compiler=$("${CC:-cc}" --version | head -1)

make_inputs() {
    local name
    mkdir -p "$inputs"
    for name in "${kinds[@]}"; do
        "$xenmeter" simulate -q --seed 42 --duration 10m --size 3M "sim/scenarios/stress-$name.json" -o "$inputs/$name.xt"
    done
    for name in "${captures[@]}"; do
        zstd -dqf -o "$inputs/$name.xt" "fixtures/$name.xt.zst"
    done
}

# Instructions of functions of the program itself, with what the compiler put into them of others, as callgrind's file has them: cost
# lines belong to the object named last; the one after a line of calls is what was called.
count() { # FILE OPTION...
    local out=$inputs/callgrind.out
    valgrind -q --tool=callgrind --callgrind-out-file="$out" "$xenmeter" report -q -j 1 "${@:2}" "$1" > /dev/null
    awk '
        /^c?ob=/ {
            id = $1
            sub(/^c?ob=/, "", id)
            if (NF > 1) own[id] = $0 ~ /\/xenmeter$/
            if (/^ob=/) mine = own[id]
        }
        /^calls=/ { getline; next }
        /^[0-9+*-]/ && mine { n += $2 }
        END { printf "%.0f\n", n }' "$out"
}

counts() {
    local name
    for name in "${kinds[@]}" "${captures[@]}"; do
        printf '%s\ttotal\t%s\n' "$name" "$(count "$inputs/$name.xt")"
        printf '%s\tintervals\t%s\n' "$name" "$(count "$inputs/$name.xt" -g total,1s,100ms)"
    done
}

# Reads recorded and present counts; fails if one is too far off, either way.
compare() {
    awk -F '\t' -v most="$tolerance_percent" '
        /^#/ { next }
        NR == FNR { before[$1, $2] = $3; left++; next }
        {
            if (!(($1, $2) in before)) { printf "%-14s %-10s not recorded\n", $1, $2; bad = 1; next }
            left--
            off = ($3 / before[$1, $2] - 1) * 100
            wrong = off > most || off < -most
            printf "%-14s %-10s %12.0f recorded %12.0f %+6.2f %%%s\n", $1, $2, $3, before[$1, $2], off, wrong ? "  !" : ""
            bad = bad || wrong
        }
        END { exit bad || left != 0 }' "$recorded" -
}

make_inputs
if [ -n "$record" ]; then
    { echo "# $compiler"; counts; } > "$recorded.new"
    mv "$recorded.new" "$recorded"
elif [ "$(head -1 "$recorded")" != "# $compiler" ]; then
    echo "bench-check: the counts were recorded with another compiler than $compiler: not compared"
elif counts | compare; then
    echo "bench-check: all within $tolerance_percent % of the recorded instructions"
else
    echo "bench-check: more than $tolerance_percent % from the recorded instructions; where that is meant: make bench-record" >&2
    exit 1
fi
