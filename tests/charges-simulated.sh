#!/bin/bash
# Charges against the truth of the simulated host: over all scenarios in which a driver domain serves guests, what `auto` charges
# lies within the bounds that xenmeter-charge(1) names, a verdict "good" keeps its promise, and what is certain is true.
# shellcheck disable=SC2317 # functions are called by check
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/lib.sh"

MEAN_POINTS=3     # of the driver domain's time with the wrong one, in the mean of the scenarios
WORST_POINTS=8    # in one
GOOD_POINTS=10    # with a verdict "good", with any load
CERTAIN_POINTS=2  # that may be certain for a guest beyond what is true

trace=$scratch/trace.xt
truth=$scratch/truth.json
below() { awk -v most="$1" -v is="$2" 'BEGIN { exit !(is != "" && is + 0 <= most) }'; } # MOST NUMBER

errors() { # SCENARIO [OPTION of xenmeter charge]...: rows of charge-errors.jq
    "$XENMETER" simulate -q -o "$trace" --truth "$truth" "$1" || return
    "$XENMETER" charge -q -f json "${@:2}" "$trace" >"$scratch/charges.json" || return
    jq -r --slurpfile truth "$truth" -f sim/experiments/charge-errors.jq "$scratch/charges.json"
}

judge() { # NAME SCENARIO MOST
    local domain wrong excess verdict
    errors "$2" >"$scratch/errors"
    check "$1 is charged" test -s "$scratch/errors"
    while IFS=, read -r domain _ wrong excess verdict; do
        echo "$wrong" >>"$scratch/$4"
        check "$1, domain $domain, $verdict: $wrong of $3 points wrong" below "$3" "$wrong"
        check "$1, domain $domain: $excess points certain too much" below "$CERTAIN_POINTS" "$excess"
        [ "$verdict" != good ] || check "$1, domain $domain: good" below "$GOOD_POINTS" "$wrong"
    done <"$scratch/errors"
}

serves() { # SCENARIO: some driver domain serves a guest, and the trace keeps its records
    jq -e '(.trace.sweep_delay_ms // 0) == 0 and any(.domains[]; .driver_domain)
        and any(.domains[].loads[]?; .type | IN("web", "request_response", "bulk_out", "bulk_in", "disk"))' "$1" >/dev/null
}

group 'scenarios'
for file in sim/scenarios/*.json; do
    name=$(basename "$file" .json)
    if [[ $name != stress-* ]] && serves "$file"; then
        judge "$name" "$file" "$WORST_POINTS" scenarios
    fi
done
mean=$(awk '{ sum += $1 } END { if (NR > 9) printf "%.1f", sum / NR }' "$scratch/scenarios")
check "$mean points wrong in the mean" below "$MEAN_POINTS" "$mean"

# A saturated driver domain polls its guests and devices in turns: by a thread of each guest, or all by ksoftirqd.
group 'other hosts'
changed() { # NAME SCENARIO MOST FILTER
    jq "$4" "sim/scenarios/$2.json" >"$scratch/changed.json"
    judge "$1" "$scratch/changed.json" "$3" variants
}
changed 'a busy network card beside threads that poll' bulk-both-ways 8 '.domains[0].driver_domain.threaded_napi = true'
changed 'all on one vCPU' bulk-both-ways 20 '.domains[0].vcpus = 1'
changed 'one disk, mapped' three-loads 8 '.domains[0].driver_domain.persistent_grants = false'
changed 'two vCPUs and disks that stay mapped' two-driver-domains 8 '.domains[1, 2].vcpus = 2'
check 'a saturated driver domain is not judged good' not grep -q good <(
    for n in 1 2; do
        jq --argjson n $n '.domains[0].vcpus = $n' sim/scenarios/bulk-both-ways.json >"$scratch/changed.json"
        errors "$scratch/changed.json"
    done)

group 'a driver domain that only unmaps'
jq '.trace.events = "0x32f000" | del(.domains[3].loads[0])' sim/scenarios/two-driver-domains.json >"$scratch/changed.json"
errors "$scratch/changed.json" >"$scratch/errors"
check 'it is found on every pCPU, and its disks are charged' below 8 "$(awk -F, '$1 == 2 { print $3 }' "$scratch/errors")"

# By chance a driver domain's timer or disk wakes it just after the other one has notified somebody. That makes it no guest.
group 'two busy driver domains'
two_busy() { # FILTER
    jq '.domains[3].loads = [ { type: "web", driver_domain: 1, clients: 10 }, { type: "disk", driver_domain: 2, depth: 8, request_us: 20 } ]
        | .domains[4].loads[0] += { depth: 8, requests_per_s: 3000 }'" | $1" sim/scenarios/two-driver-domains.json >"$scratch/changed.json"
}
guests_of() { # DRIVER-DOMAIN: to whom any of its time was charged
    jq -c --argjson d "$1" '[.reports[0].intervals[].idds[] | select(.domain == $d) | .guests[] | select(.charged_ns > 0) | .domain]' "$scratch/charges.json"
}
two_busy '.duration_s = 10'
judge 'over 10 s' "$scratch/changed.json" "$WORST_POINTS" long
check 'domain 1 has no guest but 3' equal '[3]' "$(guests_of 1)"
check 'domain 2 has no guests but 3 and 4' equal '[3,4]' "$(guests_of 2)"
two_busy '.duration_s = 2 | .domains[2].loads = [ { type: "web", driver_domain: 1, clients: 2 } ]'
judge 'one uses the other' "$scratch/changed.json" "$WORST_POINTS" long
check 'domain 1 has the guests 2 and 3' equal '[2,3]' "$(guests_of 1)"

finish
