#!/bin/bash
# Equal shares, unequal loads: what a web server, a guest with a busy disk and one that computes really get.
# shellcheck source=sim/experiments/lib.sh
. sim/experiments/lib.sh

experiment 'Equal shares, unequal loads' 'Three guests have 20 % of one pCPU each: a web server (domain 1), a guest with a
busy disk (2), and one that only computes (3). dom0 works for the first two. What does each of them use in all, without and
with the ledger? SEDF with slices does not conserve work, nor do Credit and Credit2 with caps.'

reading report.csv report -b domain -t 5s,
reading debt.csv debt --reserve 0=40%,1=20%,2=20%,3=20% -g interval

schedulers=(sedf credit credit2)
scenario sedf equal-shares
for scheduler in credit credit2; do
    # shellcheck disable=SC2016 # a variable of jq
    scenario $scheduler equal-shares '.host = { scheduler: $scheduler } | del(.domains[].slice_ms, .domains[].period_ms)
        | .domains[0].weight = 1024 | .domains[1:][].cap_pct = 20' --arg scheduler $scheduler
done
policy twenty '{ "domains": { "1": { "share": "20%" }, "2": { "share": "20%" }, "3": { "share": "20%" } } }'
for scheduler in "${schedulers[@]}"; do
    simulate "$scheduler" --duration 60s
    simulate "$scheduler-ledger=$scheduler" --duration 60s --with debt="$work/twenty.policy"
done
simulated

{
    echo "scheduler,ledger,domain,$share_titles"
    for scheduler in "${schedulers[@]}"; do
        for domain in 0 1 2 3; do echo "$scheduler,,$domain,$(share_cells "$scheduler" $domain)"; done
        for domain in 0 1 2 3; do echo "$scheduler,acts,$domain,$(share_cells "$scheduler-ledger" $domain)"; done
    done
} >"$work/rows"
write_csv <"$work/rows"
for scheduler in "${schedulers[@]}"; do
    grep -E "^(scheduler|$scheduler)," "$work/rows" | cut -d , -f 2- |
        table "$scheduler: aggregate use in every window of 10 s after the first 5 s"
done

for scheduler in "${schedulers[@]}"; do
    mapfile -t free < <(for domain in 1 2; do windows_by_meter "$scheduler" $domain; windows_by_truth "$scheduler" $domain; done)
    mapfile -t meter < <(for domain in 1 2 3; do windows_by_meter "$scheduler-ledger" $domain; done)
    mapfile -t truth < <(for domain in 1 2 3; do windows_by_truth "$scheduler-ledger" $domain; done)
    claim "$scheduler: without the ledger the guests with I/O use more than 20 % in every window" above 20.5 "${free[@]}"
    claim "$scheduler: with the ledger every guest has 20 % +- 1 in every window, by the meter" between 19 21 "${meter[@]}"
    claim "$scheduler: with the ledger every guest has 20 % +- 3 in every window, by the truth" between 17 23 "${truth[@]}"
done

title=(dom0 web disk computes)
{
    echo 'guest,runs %,charged %'
    for scheduler in "${schedulers[@]}"; do for run in "$scheduler" "$scheduler-ledger"; do
        for domain in 1 2 3; do
            echo "${title[domain]},$(cell "$run" report.csv running_pct domain=$domain),$(cell "$run" report.csv charged_pct domain=$domain)"
        done
        echo ',,'
    done; done
} | write_csv bars
plot <<END
set title 'Three guests with 20 % of a pCPU each: what they use, without and with the ledger'
set style data histogram
set style histogram rowstacked
set boxwidth 0.8
set grid noxtics
set yrange [0:32]
set ylabel '% of the pCPU'
set xtics rotate by -40 scale 0
set for [i=0:2] label i+1 word('SEDF Credit Credit2', i+1) at i*8+3, 31 center
set for [i=0:5] label i+11 (i % 2 ? 'ledger' : 'none') at i*4+1, 29 center textcolor rgb '#555555'
plot '$(result csv bars)' skip 1 using 2:xtic(1) title 'runs itself', '' skip 1 using 3 title 'charged', \
     20 with lines dashtype 2 linetype 7 title 'share'
END
follows 'Equal shares are not equal: without the ledger the work of dom0 comes on top for those who have I/O, and the guest
that computes has the least. With the ledger all have the same in all, and the guests with I/O are served less. Under SEDF
they wait longer, too; under Credit and Credit2 a vCPU whose cap is used up is offline, and that is no wait.'
