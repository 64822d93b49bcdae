#!/bin/bash
# The ledger of debts through the parameters that Xen's schedulers of today have: caps of Credit and Credit2, budgets of RTDS.
# shellcheck source=sim/experiments/lib.sh disable=SC2016,SC2119 # variables of jq; write_csv takes a suffix
. sim/experiments/lib.sh

experiment 'The ledger through caps and budgets' 'SEDF is no longer in Xen. Credit and Credit2 have a cap for each domain, RTDS a
budget for each vCPU, and xl sets them whenever it gets to it. One pCPU, 60 % for VM-1, 40 % for dom0, which works for it: what does
the ledger still hold, when it decides every 0.5 s and at once, when a decision takes 0.5 s to be done, and when it decides every 5 s?'

reading report.csv report -b domain -t 10s,
reading debt.csv debt --reserve 0=40%,1=60% -g interval

schedulers=(credit credit2 rtds)
loads=(web disk)
# shellcheck disable=SC2016 # a variable of jq
current='.host = { scheduler: $scheduler } | del(.domains[].slice_ms, .domains[].period_ms)
    | if $scheduler == "rtds" then .domains[0] += { budget_ms: 4, period_ms: 10 } | .domains[1] += { budget_ms: 6, period_ms: 10 }
      else .domains[0] += { weight: 1024, cap_pct: 40 } | .domains[1].cap_pct = 60 end'
disk='.domains[1].loads = [ { type: "disk", depth: 16, request_us: 60 } ] | .domains[0].driver_domain.persistent_grants = false'
policy quick '{ "domains": { "1": { "share": "60%" } } }'
policy slow '{ "feedback": "5s", "domains": { "1": { "share": "60%" } } }'
for scheduler in "${schedulers[@]}"; do
    scenario "$scheduler-web" sedf-web-server "$current" --arg scheduler "$scheduler"
    scenario "$scheduler-disk" sedf-web-server "$current | $disk" --arg scheduler "$scheduler"
    for load in "${loads[@]}"; do
        name=$scheduler-$load
        simulate "$name" --duration 40s
        simulate "$name-quick=$name" --duration 40s --with debt="$work/quick.policy"
        simulate "$name-late=$name" --duration 40s --with debt="$work/quick.policy" --delay 500ms
        simulate "$name-slow=$name" --duration 40s --with debt="$work/slow.policy" --delay 500ms
    done
done
simulated

after() { tail -n +"$1"; } # LINE: windows from that one on
# Every window of 10 s that begins after 10 s: two intervals of 5 s have passed then.
by_meter() { windows_by_meter "$1" "$2" | after 11; } # NAME DOMAIN
by_truth() { windows_by_truth "$1" "$2" | after 6; }

cases=('' quick late slow)
titles=('no ledger' '0.5 s' '0.5 s, 0.5 s late' '5 s, 0.5 s late')
{
    echo 'scheduler,load,ledger,VM-1|by meter %,VM-1|by truth %,dom0|by truth %,wait|p99 us,longest|us,served|/s'
    for scheduler in "${schedulers[@]}"; do for load in "${loads[@]}"; do for i in 0 1 2 3; do
        name=$scheduler-$load${cases[i]:+-${cases[i]}}
        printf '%s,%s,%s,%s,%s,%s,%.0f,%.0f,%.0f\n' "$scheduler" "$load" "${titles[i]/, / and }" "$(by_meter "$name" 1 | span)" \
            "$(by_truth "$name" 1 | span)" "$(by_truth "$name" 0 | span)" "$(microseconds "$name" wait_p99_ns 1)" \
            "$(microseconds "$name" wait_max_ns 1)" \
            "$(jq '(.domains[] | select(.domain == 1).work | .requests + .disk_requests) * 1e9 / .duration_ns' "$(of "$name" truth.json)")"
    done; done; done
} >"$work/rows"
write_csv <"$work/rows"
sed "s|^\([^,]*\),|\1 |" "$work/rows" |
    table 'Aggregate use of VM-1 (60 %) and of dom0 in every window of 10 s after the first 10 s'
follows 'The last three cases have the ledger: how often it decides, and how long that takes to be done.'

# A cap of Credit is what a vCPU has at most: of one that often sleeps it takes credits that it has not used.
for scheduler in "${schedulers[@]}"; do for load in "${loads[@]}"; do
    name=$scheduler-$load
    mapfile -t free < <(by_meter "$name" 1; by_truth "$name" 1)
    mapfile -t quick < <(by_meter "$name-quick" 1; by_meter "$name-late" 1)
    mapfile -t slow < <(by_meter "$name-slow" 1)
    mapfile -t truth < <(by_truth "$name-quick" 1; by_truth "$name-late" 1; by_truth "$name-slow" 1)
    claim "$name: without the ledger VM-1 uses more than 60 % in every window" above 60.5 "${free[@]}"
    claim "$name: decided every 0.5 s, at once or late: 61 % at most in every window, by the meter" below 61 "${quick[@]}"
    claim "$name: decided every 5 s: 63 % at most in every window, by the meter" below 63 "${slow[@]}"
    claim "$name: each way 63 % at most in every window, by the truth" below 63 "${truth[@]}"
    [ "$scheduler" != credit ] || continue
    claim "$name: each way no less than 59 % by the meter" above 59 "${quick[@]}" "${slow[@]}"
    claim "$name: each way no less than 57 % by the truth" above 57 "${truth[@]}"
done; done
