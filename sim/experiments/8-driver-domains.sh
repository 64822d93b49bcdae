#!/bin/bash
# Two driver domains and dom0: charges per guest and driver domain against the truth, and debts over both.
# shellcheck source=sim/experiments/lib.sh
. sim/experiments/lib.sh

experiment 'Two driver domains' 'Two pCPUs under Credit2. Domain 1 drives the network, 2 the disks, dom0 neither. Guest 3
serves the web from a disk of its own and so uses both, guest 4 writes backups. What is each guest charged in each driver
domain, beside the truth? And with 80 % of a pCPU for guest 3 and 8 % for guest 4: does the ledger hold both kinds of work
against them?'

reading report.csv report -b domain -t 5s,
reading debt.csv debt --reserve 3=80%,4=8% -g interval
reading charge.csv charge

disks=(mapped persistent)
runs=(mapped persistent mapped-ledger persistent-ledger)
policy shares '{ "domains": { "3": { "share": "80%" }, "4": { "share": "8%" } } }'
for disk in "${disks[@]}"; do
    # shellcheck disable=SC2016 # a variable of jq
    scenario "$disk" two-driver-domains '.domains[2].driver_domain.persistent_grants = ($disk == "persistent")
        | .domains[3].loads = [ { type: "web", driver_domain: 1, clients: 10 }, { type: "disk", driver_domain: 2, depth: 8, request_us: 20 } ]
        | .domains[4].loads[0] += { depth: 8, requests_per_s: 3000 }' --arg disk "$disk"
    simulate "$disk" --duration 40s
    simulate "$disk-ledger=$disk" --duration 40s --with debt="$work/shares.policy"
done
simulated

recipients='3 4 own unattributed'
charged() { # RUN DRIVER-DOMAIN RECIPIENT: in ns, by the meter; "others" got what is left
    case $3 in
    others) echo $(($(cell "$1" charge.csv idd_running_ns idd="$2" recipient=own)$(for who in $recipients; do echo -n " - $(charged "$1" "$2" "$who")"; done))) ;;
    [0-9]*) cell "$1" charge.csv charged_ns idd="$2" domain="$3" | grep . || echo 0 ;; # who was charged nothing has no row
    *) cell "$1" charge.csv charged_ns idd="$2" recipient="$3" ;;
    esac
}
truly() { # the same by the truth
    jq --argjson d "$2" --arg for "$3" '[(.own[] | select($for == "own" and .driver_domain == $d)),
        (.charged[] | select(.driver_domain == $d and (.domain | tostring) == $for))] | map(.cpu_ns) | add // 0' "$(of "$1" truth.json)"
}
shares() { # the same: charged and truth in % of the driver domain's time, and their difference
    awk -v charged="$(charged "$@")" -v truly="$(truly "$@")" -v ran="$(cell "$1" charge.csv idd_running_ns idd="$2" recipient=own)" \
        'BEGIN { c = 100 * charged / ran; t = 100 * truly / ran; printf "%.1f,%.1f,%.1f", c, t, c - t }'
}
{
    echo 'disks,ledger,driver domain,for,charged|%,truth|%,error|points'
    for run in "${runs[@]}"; do for driver in 1 2; do for who in $recipients others; do
        [[ $run == *-ledger ]] && acts=acts || acts=
        echo "${run%-ledger},$acts,$driver,$who,$(shares "$run" $driver "$who")"
    done; done; done
} >"$work/rows"
table "Charges in % of each driver domain's time" <"$work/rows"
write_csv <"$work/rows"
for run in "${runs[@]}"; do for driver in 1 2; do
    mapfile -t errors < <(for who in 3 4 own others; do shares "$run" $driver "$who" | cut -d , -f 3; done)
    claim "$run: no charge of domain $driver is more than 8 points off" between -8 8 "${errors[@]}"
done; done

{
    echo "disks,ledger,guest,$share_titles"
    for disk in "${disks[@]}"; do for guest in 3 4; do
        echo "$disk,,$guest,$(share_cells "$disk" $guest)"
        echo "$disk,acts,$guest,$(share_cells "$disk-ledger" $guest)"
    done; done
} >"$work/rows"
table 'Aggregate use in every window of 10 s after the first 5 s; guest 3 has 80 %, guest 4 has 8 %' <"$work/rows"
write_csv debts <"$work/rows"

share=([3]=80 [4]=8)
for disk in "${disks[@]}"; do for guest in 3 4; do
    mapfile -t meter < <(windows_by_meter "$disk-ledger" $guest)
    mapfile -t truth < <(windows_by_truth "$disk-ledger" $guest)
    claim "$disk: with the ledger guest $guest has ${share[guest]} % + 1 at most in every window, by the meter" \
        below $((share[guest] + 1)) "${meter[@]}"
    claim "$disk: with the ledger guest $guest has ${share[guest]} % + 3 at most in every window, by the truth" \
        below $((share[guest] + 3)) "${truth[@]}"
done; done

grep -v -e ',acts,' -e ',others,' "$(result csv)" | write_csv bars
plot <<END
set title 'For whom two driver domains ran: charged, and in truth'
set style data histogram
set style histogram clustered gap 1
set grid noxtics
set yrange [0:100]
set xrange [-0.7:15.7]
set ylabel "% of the driver domain's time"
set bmargin 5
set xtics scale 0 format ''
set xlabel 'guest 3, guest 4, the driver domain itself; ?: unattributed' offset 0,-2
set label 'pages mapped for each request' at 3.5, 96 center
set label 'pages stay mapped' at 11.5, 96 center
set for [i=0:15] label i+10 word('3 4 own ?', i % 4 + 1) at i, -4 center
set for [i=0:3] label i+30 word('network disk', i % 2 + 1) at i * 4 + 1.5, -10 center
plot '$(result csv bars)' skip 1 using 5 title 'charged', '' skip 1 using 6 title 'truth'
END
follows 'The charges of a guest in two driver domains are two rows, and the ledger holds their sum against the guest.'
