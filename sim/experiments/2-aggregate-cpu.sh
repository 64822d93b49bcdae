#!/bin/bash
# Aggregate CPU under SEDF with and without the ledger of debts, for network and disk loads.
# shellcheck source=sim/experiments/lib.sh
. sim/experiments/lib.sh

experiment 'Aggregate CPU' 'One pCPU under SEDF that does not conserve work: VM-1 has 60 %, dom0 40 %. dom0 works for VM-1
on its own 40 %. How much CPU does VM-1 use in all, without and with the ledger, and how long does it wait?'

reading report.csv report -b domain -t 5s,
reading debt.csv debt --reserve 0=40%,1=60% -g interval

loads=(web disk persistent)
scenario web sedf-web-server
scenario persistent sedf-web-server '.domains[1].loads = [ { type: "disk", depth: 16, request_us: 60 } ]'
scenario disk sedf-web-server '.domains[1].loads = [ { type: "disk", depth: 16, request_us: 60 } ]
    | .domains[0].driver_domain.persistent_grants = false'
policy sixty '{ "domains": { "1": { "share": "60%" } } }'
for load in "${loads[@]}"; do
    simulate "$load" --duration 60s
    simulate "$load-ledger=$load" --duration 60s --with debt="$work/sixty.policy"
done
simulated

{
    echo "load,ledger,domain,$share_titles"
    for load in "${loads[@]}"; do for domain in 0 1; do
        echo "$load,,$domain,$(share_cells "$load" $domain)"
        echo "$load,acts,$domain,$(share_cells "$load-ledger" $domain)"
    done; done
} >"$work/rows"
table 'Aggregate use of domain 0 (dom0) and 1 (VM-1) in every window of 10 s after the first 5 s' <"$work/rows"
write_csv <"$work/rows"
follows 'disk maps the pages of each request, persistent keeps them mapped and copies. An aggregate is what a domain runs,
plus what it is charged, less what it runs for others.'

for load in "${loads[@]}"; do
    mapfile -t free < <(windows_by_meter "$load" 1; windows_by_truth "$load" 1)
    mapfile -t meter < <(windows_by_meter "$load-ledger" 1)
    mapfile -t truth < <(windows_by_truth "$load-ledger" 1)
    claim "$load: without the ledger VM-1 uses more than 60 % in every window" above 60.5 "${free[@]}"
    claim "$load: with the ledger 60 % +- 1 in every window, by the meter" between 59 61 "${meter[@]}"
    claim "$load: with the ledger 60 % +- 3 in every window, by the truth" between 57 63 "${truth[@]}"
    claim "$load: VM-1 never waits longer than two of its periods, 20 ms" below 20000 "$(microseconds "$load-ledger" wait_max_ns 1)"
done

in_intervals() { cell "$1" debt.csv "$2" domain=1; } # SIMULATION COLUMN
{
    echo 'time s,without,with the ledger'
    paste -d , <(in_intervals web end_ns) <(in_intervals web aggregate_ns) <(in_intervals web-ledger aggregate_ns) |
        head -n -1 | awk -F, '{ printf "%.1f,%.2f,%.2f\n", $1 / 1e9, $2 / 5e6, $3 / 5e6 }'
} | write_csv intervals
plot <<END
set title 'A web server with 60 % of a pCPU: aggregate use in each 0.5 s'
set xlabel 'simulated time, s'
set ylabel '% of the pCPU'
set yrange [40:90]
plot '$(result csv intervals)' skip 1 using 1:2 with lines title 'without the ledger', \
     '' skip 1 using 1:3 with lines title 'with the ledger', 60 with lines dashtype 2 linetype 7 title 'reservation'
END
