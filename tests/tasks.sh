#!/bin/bash
# Charges per task of simulated driver domains, of which it is known what they did for whom.
#
# The simulator knows nothing of the analyser: it switches tasks, handles interrupts and does I/O as a Linux kernel does under Xen,
# and keeps account of each ns. What a trace cannot tell is wrong here, too: for which of several guests that are awake a
# notification is.
# shellcheck source=tests/lib.sh disable=SC2016,SC2317 # functions are called through check
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/truth/lib.sh
. tests/truth/lib.sh

# Seed, guests, vCPUs of each, pCPUs; points of domain 0's time that may be wrong, and by which own may be off. With one vCPU a
# guest's notification that wakes nobody can only be for domain 0; with two it may be for the other one.
HOSTS='
2 6 1 2  9 6
3 6 1 2  5 3
4 8 1 2  4 3
5 8 1 3  7 6
6 4 1 2  4 3
7 3 1 2  3 3
8 5 2 2  8 6
11 6 2 4 6 5
'

# Guests with one kind of I/O each, some with programs besides; rates and sizes are drawn from the seed. An even seed has threaded
# NAPI, one that is divisible by three no persistent grants.
scenario() { # SEED GUESTS VCPUS PCPUS
    jq -n --argjson seed "$1" --argjson guests "$2" --argjson vcpus "$3" --argjson pcpus "$4" '
        def vary($least; $most; $salt): (($seed * 7919 + $salt * 104729) % 1000) / 1000 * ($most - $least) + $least | round;
        def program($g): { type: "on_off", on_us: vary(100; 3000; 90 + $g), off_ms: vary(3; 30; 100 + $g), distribution: "exponential" };
        def io($g): [
            { type: "web", requests_per_s: vary(50; 400; 10 + $g), file_bytes: vary(500; 30000; 20 + $g) },
            { type: "bulk_out", packets_per_s: vary(300; 3000; 30 + $g) },
            { type: "bulk_in", packets_per_s: vary(300; 3000; 40 + $g) },
            { type: "disk", depth: vary(1; 8; 50 + $g), requests_per_s: vary(100; 2000; 60 + $g), request_bytes: 16384 },
            { type: "request_response", clients: vary(1; 6; 70 + $g), think_ms: vary(1; 5; 80 + $g) }][($g + $seed) % 5];
        { duration_s: 2, seed: $seed, host: { pcpus: $pcpus }, domains: (
            [{ id: 0, vcpus: $vcpus, interrupt_us: 2, timer_us: 3, idle_us: 1,
               driver_domain: { threaded_napi: ($seed % 2 == 0), persistent_grants: ($seed % 3 != 0) },
               loads: [{ type: "on_off", on_us: vary(300; 3000; 1), off_ms: vary(5; 20; 2), distribution: "exponential", system_call_us: 100 }] }]
            + [range(1; $guests + 1) as $g
               | { id: $g, vcpus: $vcpus, interrupt_us: 2, idle_us: 1, loads: [io($g), (program($g) | select($g % 2 == 0))] }]) }'
}

near() { awk -v a="$1" -v b="$2" -v most="$3" 'BEGIN { exit !(a - b <= most && b - a <= most) }'; } # A B MOST
charge() { # PER OUTPUT
    "$XENMETER" charge -q -f json -g total,1s,100ms --charge-per "$1" "$scratch/trace.xt" >"$2"
}
sums() { # JSON
    jq -e 'all(.reports[].intervals[].idds[]; .charged_ns + .own_ns + .unattributed_ns == .running_ns
        and ([.guests[].charged_ns] | add // 0) == .charged_ns)' "$1" >/dev/null
}
ran() { # JSON of charges: what domain 0 ran, in ns of the simulator's clock
    jq '(.reports[0].intervals[0].idds[] | select(.domain == 0).running_ns) * .trace.cpu_hz / 2400000000' "$1"
}

printf '%-22s %8s %8s %8s %8s %12s\n' host 'wrong' 'among' own 'true own' 'per execution'
while read -r seed domains vcpus pcpus most most_own; do
    [ -n "$seed" ] || continue
    name="seed $seed: $domains guests, $vcpus vCPUs, $pcpus pCPUs"
    group "$name"
    scenario "$seed" "$domains" "$vcpus" "$pcpus" >"$scratch/scenario.json"
    "$XENMETER" simulate -q "$scratch/scenario.json" -o "$scratch/trace.xt" --truth "$scratch/host.json"
    jq '.own[0].cpu_ns as $own | ([.charged[] | {key: "\(.domain)", value: .cpu_ns}] | from_entries) + {own: $own}
        | add as $all | {share_pct: map_values(100 * . / $all)}' "$scratch/host.json" >"$scratch/truth.json"
    check 'the simulator accounts each ns once' holds '([.own[0].cpu_ns, .charged[].cpu_ns] | add) == ([.domains[] | select(.domain == 0) | .vcpus[].running_ns] | add)' "$scratch/host.json"
    check 'every guest had something done' holds "[.charged[] | select(.cpu_ns > 1000000)] | length == $domains" "$scratch/host.json"
    charge task "$scratch/task.json"
    charge execution "$scratch/execution.json"
    check 'each ns is charged once' sums "$scratch/task.json"
    check 'domain 0 ran as long as it did' near 1 "$(jq -n "$(ran "$scratch/task.json") / $(jq '[.domains[] | select(.domain == 0) | .vcpus[].running_ns] | add' "$scratch/host.json")")" 0.001
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
