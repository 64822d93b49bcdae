#!/bin/bash
# Charges per task of generated driver domains, of which it is known what they did for whom (tracegen --mix driver).
#
# The model knows nothing of the analyser: it switches tasks, handles interrupts and does I/O as a Linux kernel does under Xen, and
# keeps account of each cycle. What a trace cannot tell is wrong here, too: for which of several guests that are awake a
# notification is.
# shellcheck source=tests/lib.sh disable=SC2016,SC2317 # functions are called through check
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/truth/lib.sh
. tests/truth/lib.sh

# Seed, domains, vCPUs of each, pCPUs; points of domain 0's time that may be wrong, and by which own may be off. An even
# seed has threaded NAPI. With one vCPU a guest's notification that wakes nobody can only be for domain 0; with two it may be
# for the other one.
HOSTS='
2 6 1 2  9 3
3 6 1 2  9 3
4 8 1 2  7 3
5 8 1 3  7 3
6 4 1 2  3 3
7 3 1 2  3 3
8 5 2 2 15 5
11 6 2 4 12 4
'
SECONDS_LONG=2

near() { awk -v a="$1" -v b="$2" -v most="$3" 'BEGIN { exit !(a - b <= most && b - a <= most) }'; } # A B MOST
charge() { # PER OUTPUT
    "$XENMETER" charge -q -f json -g total,1s,100ms --charge-per "$1" "$scratch/trace.xt" >"$2"
}
sums() { # JSON
    jq -e 'all(.reports[].intervals[].idds[]; .charged_ns + .own_ns + .unattributed_ns == .running_ns
        and ([.guests[].charged_ns] | add // 0) == .charged_ns)' "$1" >/dev/null
}
ran_cycles() { # JSON of charges: what domain 0 ran, in cycles
    jq '(.reports[0].intervals[0].idds[] | select(.domain == 0).running_ns) * .trace.cpu_hz / 1e9' "$1"
}

printf '%-22s %8s %8s %8s %8s %12s\n' host 'wrong' 'among' own 'true own' 'per execution'
while read -r seed domains vcpus pcpus most most_own; do
    [ -n "$seed" ] || continue
    name="seed $seed: $domains guests, $vcpus vCPUs, $pcpus pCPUs"
    group "$name"
    "$TRACEGEN" --mix driver --seconds $SECONDS_LONG --seed "$seed" --domains "$domains" --vcpus "$vcpus" --pcpus "$pcpus" \
        -o "$scratch/trace.xt" --truth "$scratch/host.json"
    jq '.driver as $d | ([$d.own, $d.guests[]] | add) as $all
        | {share_pct: ($d.guests + {own: $d.own} | map_values(100 * . / $all))}' "$scratch/host.json" >"$scratch/truth.json"
    check 'the model accounts each cycle once' holds '.driver as $d | ([$d.own, $d.guests[]] | add) as $all
        | $all == ([.vcpus[] | select(.domain == 0).running] | add) and $all == ([$d.work[]] | add)' "$scratch/host.json"
    charge task "$scratch/task.json"
    charge execution "$scratch/execution.json"
    check 'each ns is charged once' sums "$scratch/task.json"
    check 'domain 0 ran as long as it did' near 1 "$(jq -n "$(ran_cycles "$scratch/task.json") / $(jq '[.driver.own, .driver.guests[]] | add' "$scratch/host.json")")" 0.001
    read -r wrong among own true < <(wrong_of "$scratch/task.json" "$scratch")
    read -r wrong_execution _ own_execution _ < <(wrong_of "$scratch/execution.json" "$scratch")
    printf '%-22s %8.1f %8.1f %8.1f %8.1f %12.1f\n' "$seed/$domains/$vcpus/$pcpus" "$wrong" "$among" "$own" "$true" "$wrong_execution"
    check "$wrong points are wrong" within "$wrong" 0 "$most"
    check "own is $own %, not $true" near "$own" "$true" "$most_own"
    check 'per task is better than per execution' within "$wrong" 0 "$wrong_execution"
    check 'own is separated' holds '.method.own_separated' "$scratch/task.json"
    check "per execution own is $own_execution %, and is said not to be separated" \
        holds '.method.own_separated == false' "$scratch/execution.json"
    "$BUILD/tests/mask" 0x12f000 <"$scratch/trace.xt" >"$scratch/small.xt"
    "$XENMETER" charge -q -f json "$scratch/small.xt" >"$scratch/small.json"
    check 'nor without hypercalls' holds '.method.own_separated == false' "$scratch/small.json"
done <<<"$HOSTS"
finish
