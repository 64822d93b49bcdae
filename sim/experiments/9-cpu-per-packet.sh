#!/bin/bash
# CPU per packet with and without a busy neighbour: the one trace that contention for memory leaves in a scheduler trace.
# shellcheck source=sim/experiments/lib.sh
. sim/experiments/lib.sh

experiment 'CPU per packet' 'A guest sends 20000 packets a second. A neighbour that fights for caches, memory or PCI
bandwidth takes no pCPU from dom0, and no record of the scheduler shows it; but the work for a packet takes longer. How far
can CPU per packet be trusted to say so? In the third case the neighbour makes all that dom0 does for packets 20 % dearer, in
the others the simulated host, which has no caches, has no such neighbour.'

reading report.csv report -b domain -t 5s,
reading charge.csv charge -t 5s,

cases=(alone elsewhere dearer shared)
title=([0]='alone' [1]='neighbour on another pCPU' [2]='the same; 20 % dearer' [3]="neighbour on dom0's pCPU")
# shellcheck disable=SC2016 # a variable of jq
scenario alone two-hogs '.host = { pcpus: 3 } | .domains = [
    { id: 0, pin: 0, idle_us: 2, timer_us: 2, interrupt_us: 2, driver_domain: $costs },
    { id: 1, pin: 1, interrupt_us: 2, loads: [ { type: "bulk_out", packets_per_s: 20000 } ] } ]' \
    --argjson costs '{ "interrupt_us": 2, "receive_packet_us": 2.5, "dealloc_packet_ns": 700, "batch_us": 1.2, "copy_kib_ns": 120 }'
neighbour() { # NAME PCPU FACTOR
    # shellcheck disable=SC2016 # variables of jq
    jq '.domains += [ { id: 2, pin: $pcpu, loads: [ { type: "hog" } ] } ] | .domains[0].driver_domain |= map_values(. * $factor)' \
        --argjson pcpu "$2" --argjson factor "$3" "$work/alone.json" >"$work/$1.json"
}
neighbour elsewhere 2 1
neighbour dearer 2 1.2
neighbour shared 0 1
for run in "${cases[@]}"; do simulate "$run" --duration 20s; done
simulated

per_packet() { awk -v ns="$(cell "$1" charge.csv charged_ns domain=1)" -v n="$(cell "$1" charge.csv map domain=1)" 'BEGIN { printf "%.0f\n", ns / n }'; }
truly() { jq '(.charged[] | select(.domain == 1).cpu_ns) / (.domains[] | select(.domain == 1).work.packets_out) | round' "$(of "$1" truth.json)"; }
microseconds() { cell "$1" report.csv "$2" domain=0 | awk '{ printf "%.0f", $1 / 1e3 }'; }
{
    echo 'case,packets|/s,dom0|runs %,wait|p50 us,wait|p99 us,charged|ns/packet,truth|ns/packet'
    for i in 0 1 2 3; do
        run=${cases[i]}
        printf '%s,%.0f,%.1f,%s,%s,%s,%s\n' "${title[i]}" "$(jq '.domains[1].work.packets_out * 1e9 / .duration_ns' "$(of "$run" truth.json)")" \
            "$(cell "$run" report.csv running_pct domain=0)" "$(microseconds "$run" wait_p50_ns)" "$(microseconds "$run" wait_p99_ns)" \
            "$(per_packet "$run")" "$(truly "$run")"
    done
} >"$work/rows"
table 'CPU of dom0 for a packet' <"$work/rows"
write_csv <"$work/rows"

more() { calc "100 * ($2 / $1 - 1)"; } # FROM TO: in %
claim 'a neighbour on another pCPU changes CPU per packet by less than 2 %' \
    between -2 2 "$(more "$(per_packet alone)" "$(per_packet elsewhere)")"
dearer=$(more "$(per_packet alone)" "$(per_packet dearer)")
claim 'dearer work shows: CPU per packet rises by 10 to 20 %' between 10 20 "$dearer"
claim 'it rises by what it rises in truth, within 3 points' between -3 3 "$(calc "$dearer - $(more "$(truly alone)" "$(truly dearer)")")"
claim "a neighbour on dom0's pCPU makes it fall" below -10 "$(more "$(per_packet alone)" "$(per_packet shared)")"
plot <<END
set title 'CPU of dom0 for a packet of a guest that sends 20000 a second'
set style data histogram
set style histogram clustered gap 1
set grid noxtics
set yrange [0:*]
set ylabel 'ns'
set bmargin 4
set xtics scale 0 ('alone' 0, "neighbour\\non another pCPU" 1, "the same,\\n20 %% dearer" 2, "neighbour\\non dom0's pCPU" 3)
plot '$(result csv)' skip 1 using 6 title 'charged', '' skip 1 using 7 title 'truth'
END
follows "CPU per packet tells contention only between captures in which the packet rate and dom0's waits are alike. Where dom0
waits for its pCPU packets queue up, and one wake, one interrupt and one hypercall serve many: each packet costs less."
