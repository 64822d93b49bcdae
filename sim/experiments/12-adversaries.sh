#!/bin/bash
# ShareGuard against guests that mean to get around it.
# shellcheck source=sim/experiments/lib.sh disable=SC2016,SC2119 # variables of jq; write_csv takes a suffix
. sim/experiments/lib.sh

experiment 'ShareGuard against adversaries' 'The host of the experiment before. The guest with the transfer, held to 5 % of dom0, tries
to get more: by packets whose sender does not care when they vanish, by many small ones, by bursts that are shorter than a window of
200 ms, by traffic split over several senders and receivers, by a reboot. What does it get, and what does that cost the others?'

begins=20 ends=50
scenario udp share-guard '.domains[3].loads[0] |= (.transport = "udp" | .packets_per_s = 60000)'
scenario small share-guard '.domains[3].loads[0] |= (.transport = "udp" | .packets_per_s = 120000 | .packet_bytes = 64 | .packet_us = 0.4)'
scenario split share-guard '.domains[3].loads[0] as $one | .domains[3].loads = [ range(3) as $i
    | $one + { packets_per_s: 26000 } + [ {}, { to: 1 }, { type: "bulk_in" } ][$i] ]'
# 50 ms of each half second: 9000 packets in bursts that windows may cut in two, at other places each time.
scenario bursts share-guard '.domains[3].loads = [ { type: "web", arrivals_file: "bursts.txt", request_us: 10, packet_us: 1, file_bytes: 144800 } ]'
awk -v begins=$begins -v ends=$ends 'BEGIN { for (t = begins; t < ends; t += 0.473) for (i = 0; i < 90; i++) printf "%.6f\n", t + i / 1800 }' >"$work/bursts.txt"
scenario reboots share-guard '.domains[1:] |= map(.slice_us = 2500) | .domains[3] |= (.destroyed_s = 29 | .again_s = 30)'
loads=(udp small split bursts reboots)
policy 5 '{ "domains": { "transfer": { "limit": "5%" } } }'
policy rate '{ "domains": { "transfer": { "limit": "5%" } }, "actions": { "network": "rate=20000", "disk": "pause" } }'
for load in "${loads[@]}"; do
    simulate "$load"
    simulate "$load-drop=$load" --with guard="$work/5.policy"
    simulate "$load-rate=$load" --with guard="$work/rate.policy"
done
simulated

truth() { # NAME FILTER: of the seconds in which the guest is there
    jq --argjson from $begins --argjson to $ends "def all: .seconds[\$from:\$to]; $2" "$(of "$1" truth.json)"
}
by_truth() { truth "$1" '[all[].charged[] | select(.domain >= 3).cpu_ns] | add / ($to - $from) / 1e7'; } # NAME
# Requests of the web server that suffers most, in % of those before.
kept() { # NAME
    truth "$1" 'def rate($s; $d): ([$s[].domains[] | select(.domain == $d).work.requests] | add) / ($s | length);
        .seconds[5:$from] as $before | all as $now
        | [1, 2 | 100 * rate($now; .) / rate($before; .)] | min * 10 | round / 10'
}
# What all pCPUs run, in % of both.
used() { truth "$1" '[all[].domains[].vcpus[]?.running_ns] | add / ($to - $from) / 2e7 * 10 | round / 10'; }
# From the begin: when it was held first, its most in a window, from when on its average was within half a point of the limit.
reaction() { # NAME
    awk -F, -v from=$begins 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
        $at["start_ns"] >= from * 1e9 {
            end = $at["end_ns"] / 1e9 - from
            sum += $at["charged_ns"] / 1e7
            if ($at["charged_pct"] > most) most = $at["charged_pct"]
            if ($at["decision"] == "block" && !held++) first = end
            if (sum / end > 5.5) settled = end
        }
        END { printf "%.1f,%.1f,%.1f", first, most, settled }' "$(of "$1" decisions.csv)"
}
{
    echo 'guest,held by,truth|%,held|first s,most in|a window %,settled|s,web servers|% kept,both pCPUs|% used'
    for load in "${loads[@]}"; do
        printf '%s,-,%.1f,-,-,-,%s,%s\n' "$load" "$(by_truth "$load")" "$(kept "$load")" "$(used "$load")"
        for action in drop rate; do
            name=$load-$action
            printf '%s,%s,%.2f,%s,%s,%s\n' "$load" $action "$(by_truth "$name")" "$(reaction "$name")" "$(kept "$name")" "$(used "$name")"
        done
    done
} >"$work/rows"
table 'From 20 s to 50 s: what dom0 runs for the adversary, and what is left for the others' <"$work/rows"
write_csv <"$work/rows"
follows 'web servers: the requests of the one that suffers most. rate lets 20 Mbit/s pass while the guest is held. A filter
drops a packet when netback has received it: of a sender that goes on it saves nothing.'

for load in "${loads[@]}"; do
    claim "$load: not held, it takes more than 5 % of dom0" above 5.5 "$(by_truth "$load")"
    claim "$load: held, it is first held within a second" below 1 "$(reaction "$load-drop" | cut -d , -f 1)"
done
for load in split bursts reboots; do
    claim "$load: held, it gets no more than 5 %, and half a point" below 5.5 "$(by_truth "$load-drop")"
done
# What comes from outside has cost dom0 its reception before it is dropped.
claim 'split: held, the web servers lose less than 10 %' above 90 "$(kept split-drop)"
for load in bursts reboots; do
    claim "$load: held, the web servers lose less than 5 %" above 95 "$(kept "$load-drop")"
done
