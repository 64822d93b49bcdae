#!/bin/bash
# Why debts are spread: a burst that costs the driver domain more than the guest has, repaid at once or in K intervals.
# shellcheck source=sim/experiments/lib.sh
. sim/experiments/lib.sh

experiment 'Why debts are spread' 'One pCPU under SEDF: VM-1 has 20 ms of each 100 ms. It computes all the time, and every
10 s it serves 125 files, for which dom0 works longer than VM-1 is reserved in an interval of 0.5 s. What falls due in the
next interval, or in equal parts in the next K: how little CPU is VM-1 left with, and how long does it wait?'

reading report.csv report -b domain -t 5s,
reading debt.csv debt --reserve 1=20% -g interval

awk 'BEGIN { for (burst = 6; burst < 60; burst += 10) for (i = 0; i < 125; i++) print burst + i / 125 }' >"$work/bursts.txt"
scenario bursts sedf-web-server '.domains[0] += { slice_ms: 6, driver_domain: { receive_packet_us: 40, dealloc_packet_us: 1.5 } }
    | .domains[1] += { slice_ms: 20, period_ms: 100, tick_us: 200, loads: [ { type: "hog" },
        { type: "web", arrivals_file: "bursts.txt", file_bytes: 100000, request_us: 10, packet_ns: 300 } ] }'
spreads=(1 2 5 10 20)
simulate free=bursts --duration 60s
for floor in 0 10; do for spread in "${spreads[@]}"; do
    policy "$floor-$spread" "{ \"domains\": { \"1\": { \"share\": \"20%\" } }, \"spread\": $spread, \"floor\": \"$floor%\" }"
    simulate "$floor-$spread=bursts" --duration 60s --with debt="$work/$floor-$spread.policy"
done; done
simulated

runs() { cell "$1" debt.csv running_ns domain=1 | head -n -1 | awk '{ print $1 / 1e6 }'; } # SIMULATION: ms in each 0.5 s
least() { runs "$1" | tail -n +11 | sort -g | head -n 1; }
row() { # SIMULATION FLOOR K
    printf '%s,%s,%.3f,%s,%.0f\n' "$3" "$2" "$(least "$1")" "$(share_cells "$1" 1 | cut -d , -f 1-7)" \
        "$(jq '.domains[1].work.response_p99_ns / 1e6' "$(of "$1" truth.json)")"
}
{
    echo "K,floor|%,least CPU|ms in 0.5 s,$(cut -d , -f 1-7 <<<"$share_titles"),response|p99 ms"
    row free '' 'no ledger'
    for floor in 0 10; do for spread in "${spreads[@]}"; do row "$floor-$spread" "$floor" "$spread"; done; done
} >"$work/rows"
table 'VM-1, after the first 5 s' <"$work/rows"
write_csv <"$work/rows"

{
    echo 'time s,no ledger,K = 1,K = 2,K = 5,K = 10'
    paste -d , <(cell free debt.csv end_ns domain=1 | head -n -1 | awk '{ print $1 / 1e9 }') \
        <(runs free) <(runs 0-1) <(runs 0-2) <(runs 0-5) <(runs 0-10)
} | write_csv intervals
plot <<END
set title 'CPU of VM-1 in each 0.5 s; its debts fall due in the next K intervals, without a floor'
set xlabel 'simulated time, s; a burst begins at 6 s'
set ylabel 'ms of CPU in 0.5 s'
set xrange [5:16]
set yrange [0:110]
plot for [i=2:6] '$(result csv intervals)' using 1:i with fsteps title columnheader(i)
END

claim 'K = 1 and no floor: VM-1 is left with less than 1 ms in some 0.5 s' below 1 "$(least 0-1)"
claim 'K = 10 and no floor: VM-1 has half of its reservation in every 0.5 s' above 50 "$(least 0-10)"
for spread in "${spreads[@]}"; do
    claim "K = $spread and a floor of 10 %: VM-1 has the floor's 10 ms in every 0.5 s" above 9.9 "$(least "10-$spread")"
    claim "K = $spread and a floor of 10 %: VM-1 never waits longer than two of its periods, 200 ms" \
        below 200000 "$(microseconds "10-$spread" wait_max_ns 1)"
done
follows 'The longest wait of a vCPU with a slice is at most two periods without the slices: a scheduler that keeps its rules
never lets it starve, but what is left of the slice may be too little. The floor bounds how little; spreading keeps it far
from there. The price of a larger K is that debts are repaid later: the windows of 10 s are a little fuller.'
