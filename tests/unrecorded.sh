#!/bin/bash
# Time and pCPUs that were not recorded: what is unknown then, and what the verdict says.
# shellcheck disable=SC2317 # functions are called by check
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/lib.sh"

out=$scratch/out

run() {
    timeout "$LIMIT" "$XENMETER" "$@" >"$out" 2>"$scratch/err"
    status=$?
}
equal() { [ "$1" = "$2" ] || { echo "$1, not $2"; return 1; }; }
says() { grep -qE -e "$2" "$1"; }
near() { awk -v a="$1" -v b="$2" -v off="$3" 'BEGIN { exit !(a != "null" && a - b <= off && b - a <= off) }' || { echo "$1, not $2"; return 1; }; }
quality() { jq -r ".quality.$1" "$out"; }
of() { # DOMAIN COLUMN: of its vCPU 0 over all
    jq -r --argjson d "$1" ".reports[0].intervals[0].rows[] | select(.domain == \$d and .vcpu == 0) | .$2" "$out"
}
of_pcpu() { jq -r --argjson p "$1" ".reports[0].intervals[0].rows[] | select(.pcpu == \$p) | .$2" "$out"; }

# An archive and a pipe say the same.
same_elsewhere() { # NAME
    local rows='.reports, .quality'
    "$XENMETER" report -q -f json -b vcpu -g total,100ms "fixtures/cases/$1.xt.zst" | jq "$rows" >"$scratch/file"
    zstd -dqc "fixtures/cases/$1.xt.zst" | "$XENMETER" report -q -f json -b vcpu -g total,100ms - | jq "$rows" >"$scratch/pipe"
    check 'the same through a pipe' cmp -s "$scratch/file" "$scratch/pipe"
    rm -f "$scratch/kept.xma"
    "$XENMETER" archive create -q --with-trace -b vcpu -g 100ms "fixtures/cases/$1.xt.zst" -o "$scratch/kept.xma"
    "$XENMETER" report -q -f json -b vcpu -g total,100ms "$scratch/kept.xma" | jq "$rows" >"$scratch/archive"
    check 'the same from an archive' cmp -s "$scratch/file" "$scratch/archive"
}

group 'a pCPU that was not recorded'
run report -f json -b vcpu fixtures/cases/c-mask.xt.zst
check 'seen for certain' near "$(of 1 running_ns)" 295000000 100000
check 'not runnable what was not seen' near "$(of 1 runnable_ns)" 0 20000000
check 'but unknown' near "$(of 1 unknown_ns)" 600000000 20000000
check 'no clocks apart' equal 0 "$(quality skew_max_ns)"
check 'one pCPU' equal 1 "$(quality unseen_pcpus)"
check 'verdict' equal poor "$(quality verdict)"
run report fixtures/cases/c-mask.xt.zst
check 'why' says "$out" '^verdict: poor - because at least 1 pCPU was not recorded'
run info fixtures/cases/c-mask.xt.zst
check 'info' says "$out" '^not recorded at least 1 pCPU'
same_elsewhere c-mask

group 'an hour in which nothing was recorded'
run report -f json -b vcpu fixtures/cases/hole.xt.zst
check 'dom0' near "$(of 0 unknown_ns)" 3599700000000 1000
check 'the burner' near "$(of 1 unknown_ns)" 3599700000000 1000
check 'one hole' equal '1 300000000' "$(quality holes) $(quality hole_at_ns)"
check 'verdict' equal poor "$(quality verdict)"
run report fixtures/cases/hole.xt.zst
check 'why' says "$out" 'nothing was recorded for 3,599 s from 300.0 ms on'
run info fixtures/cases/hole.xt.zst
check 'info' says "$out" '^holes .* 3,599 s, 1 time, first from 300.0 ms on'
same_elsewhere hole

group 'all pCPUs are silent for 5 s at a time, and no hole'
run report -f json fixtures/cases/long-runs.xt.zst
check 'none' equal 0 "$(quality holes)"

group 'a pCPU that wrote power states only is idle'
run report -f json -b pcpu fixtures/cases/pm-idle.xt.zst
check 'all the time' equal "0 $(jq .trace.duration_ns "$out")" "$(of_pcpu 1 unknown_ns) $(of_pcpu 1 idle_ns)"
check 'verdict' equal good "$(quality verdict)"
same_elsewhere pm-idle

group 'vCPUs that never switch'
run report -f json -b vcpu fixtures/cases/null-unseen.xt.zst
check 'their state is unknown' equal '400000000 400000000' "$(of 0 unknown_ns) $(of 2 unknown_ns)"
check 'two pCPUs of three' near "$(quality pcpu_unknown_ns)" 800000000 1000
check 'verdict' equal poor "$(quality verdict)"
run report fixtures/cases/null-unseen.xt.zst
check 'why' says "$out" '^verdict: poor - because for 67 % of the pCPU time it is not known who ran'
same_elsewhere null-unseen

finish
