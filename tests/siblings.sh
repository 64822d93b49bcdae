#!/bin/bash
# Core scheduling, clocks of pCPUs that leave the others', captures joined by cat: from the outside.
# shellcheck source=tests/lib.sh disable=SC2016,SC2317 # functions are called through check
. "$(dirname "$0")/lib.sh"

core=fixtures/cases/core-sched.xt.zst
ahead=fixtures/cases/tsc-ahead.xt.zst
zstd -qdc $core >"$scratch/core.xt"
zstd -qdc $ahead >"$scratch/ahead.xt"
hz=(--cpu-hz 2.4G)

# Of a report by vCPU: running of domain and vCPU, in tenths of ms.
running() { # DOMAIN VCPU
    jq ".reports[].intervals[].rows[] | select(.domain == $1 and .vcpu == $2) | .running_ns / 100000 | round" "$out"
}
quality() { # FIELD
    jq -r ".quality.$1" "$out"
}

group 'core scheduling'
run report "${hz[@]}" --by vcpu -f json $core
for vcpu in '0 0 1270' '0 1 1270' '1 0 6370' '1 1 6370' '2 0 6350' '2 1 6350'; do
    # shellcheck disable=SC2086 # a list of words
    set -- $vcpu
    check "d$1v$2" equal "$3" "$(running "$1" "$2")"
done
check 'nothing is unknown' equal 0 "$(quality unknown_ns)"
check 'nothing contradicts' equal 0 "$(quality inconsistent)"
check 'two siblings' equal 2 "$(quality core_pcpus)"
cp "$out" "$scratch/file.json"
run report "${hz[@]}" --by vcpu -f json - <"$scratch/core.xt"
check 'the same from a pipe' equal "$(jq -c .reports "$scratch/file.json")" "$(jq -c .reports "$out")"
run info "${hz[@]}" $core
check 'info names it' says "$out" '^cores .*2 pCPUs are scheduled together'
run dump "${hz[@]}" -q $core
check 'dump: whom a sibling switched' test "$(grep -c ' p1 *d1v1 *switch_infprev .*dom=1 vcpu=0 ' "$out")" -gt 50
check 'dump: never the vCPU of another sibling' equal 0 "$(grep -cE ' (p0 +d[0-2]v1|p1 +d[0-2]v0) ' "$out")"
run archive create -q "${hz[@]}" --with-trace -o "$scratch/core.xma" $core
run report --by vcpu -f json "$scratch/core.xma"
check 'an archive: d1v1' equal 6370 "$(running 1 1)"
check 'an archive: two siblings' equal 2 "$(quality core_pcpus)"

# Whether what is said of each vCPU allows for what happened: running d0 127.0 ms, d1 637.0, d2 635.0; the rest runnable.
bounds_hold() {
    jq -e '
        def holds($column; $truth):
            .[$column] - .doubtful_ns <= $truth + 1e5 and .[$column] + .unknown_ns + .doubtful_ns >= $truth - 1e5;
        [.reports[].intervals[].rows[] | {"0": 127e6, "1": 637e6, "2": 635e6}[.domain | tostring] as $ran |
         holds("running_ns"; $ran) and holds("runnable_ns"; 1.397e9 - $ran)] | length >= 3 and all' "$out" >/dev/null
}

group 'core scheduling: a ring that was not read'
run report "${hz[@]}" --by vcpu -f json fixtures/cases/core-sched-c.xt.zst
check 'two siblings' equal 2 "$(quality core_pcpus)"
check 'one was not recorded' equal 1 "$(quality unseen_pcpus)"
check 'nothing contradicts' equal 0 "$(quality inconsistent)"
check 'the truth is within what is said' bounds_hold
check 'poor' equal poor "$(quality verdict)"
run dump "${hz[@]}" -q fixtures/cases/core-sched-c.xt.zst
check 'dump: who runs is not known' equal 0 "$(grep -cE ' p0 +d[0-2]v[01] ' "$out")"

group 'core scheduling: no runstate changes'
run report "${hz[@]}" --by vcpu -f json fixtures/cases/core-sched-switch.xt.zst
check 'the mode is recognised' test "$(jq '.quality | .core_pcpus + .core_pcpus_unknown' "$out")" -ge 2
check 'the truth is within what is said' bounds_hold
check 'poor' equal poor "$(quality verdict)"
run info "${hz[@]}" fixtures/cases/core-sched-switch.xt.zst
check 'info names it' says "$out" '^cores .*scheduled together'

group 'a clock that leaves'
run report "${hz[@]}" --by vcpu -f json $ahead
check 'its length' equal 600 "$(jq '.reports[].intervals[] | (.end_ns - .start_ns) / 1000000 | round' "$out")"
check 'it is named' equal 1 "$(quality tsc_jumps)"
check 'by how much' equal 1 "$(jq '.quality.tsc_jump_max_cycles / 2.4e9 | . > 4.8 and . < 5.2' "$out" | grep -c true)"
check 'nothing was damaged' equal 0 "$(quality skipped_bytes)"
check 'not good' equal degraded "$(quality verdict)"
run info "${hz[@]}" $ahead
check 'info' says "$out" '^clocks .*left the others'

group 'captures joined'
for second in core ahead; do
    cat "$scratch/core.xt" "$scratch/$second.xt" >"$scratch/both.xt"
    run report "${hz[@]}" --by vcpu -f json "$scratch/both.xt"
    check "$second: exit code 0" exits 0
    check "$second: where" equal "$(stat -c %s "$scratch/core.xt")" "$(quality joined_at)"
    check "$second: how much" equal "$(stat -c %s "$scratch/$second.xt")" "$(quality joined_bytes)"
    check "$second: nothing was damaged" equal 0 "$(quality skipped_bytes)"
    check "$second: the first one" equal "$(jq -c .reports "$scratch/file.json")" "$(jq -c .reports "$out")"
    check "$second: not good" equal degraded "$(quality verdict)"
done
cat $core $ahead >"$scratch/both.xt.zst"
run info "${hz[@]}" "$scratch/both.xt.zst"
check 'compressed ones' says "$out" '^joined .*another capture at offset'
head -c 40001 "$scratch/core.xt" | cat - "$scratch/ahead.xt" >"$scratch/both.xt"
run report "${hz[@]}" -f json "$scratch/both.xt"
check 'after one that was cut' equal 40001 "$(quality joined_at)"
check 'what was cut off is no damage' equal '0 true' "$(quality skipped_bytes) $(jq '.quality.truncated_bytes > 0' "$out")"
run report "${hz[@]}" -f json fixtures/cases/joined-lossy.xt.zst
check 'after one with losses: exit code 0' exits 0
check 'after one with losses: how much' equal '84048 42532' "$(quality joined_at) $(quality joined_bytes)"

finish
