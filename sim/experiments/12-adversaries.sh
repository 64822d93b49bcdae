#!/bin/bash
# ShareGuard against guests that mean to get around it.
# shellcheck source=sim/experiments/lib.sh disable=SC2016,SC2119 # variables of jq; write_csv takes a suffix
. sim/experiments/lib.sh

experiment 'ShareGuard against adversaries' 'The host of experiment 10. The guest with the transfer, held to 5 % of dom0, tries
to get more: by packets whose sender does not care when they vanish, by many small ones, by bursts that are shorter than a window of
200 ms, by traffic split over four network devices, by traffic split over senders and receivers, by a reboot. What does it get, and what does that cost the others?'

begins=20 ends=50
scenario udp share-guard '.domains[3].loads[0] |= (.transport = "udp" | .packets_per_s = 60000)'
scenario small share-guard '.domains[3].loads[0] |= (.transport = "udp" | .packets_per_s = 120000 | .packet_bytes = 64 | .packet_us = 0.4)'
scenario vifs share-guard '.domains[3].loads[0] as $one | .domains[3].loads = [ range(4) as $i | $one
    + { transport: "udp", packets_per_s: 20000, vif: $i } ]'
scenario split share-guard '.domains[3].loads[0] as $one | .domains[3].loads = [ range(3) as $i
    | $one + { packets_per_s: 26000 } + [ {}, { to: 1, vif: 1 }, { type: "bulk_in", vif: 2 } ][$i] ]'
# 50 ms of each half second: 9000 packets in bursts that windows may cut in two, at other places each time.
scenario bursts share-guard '.domains[3].loads = [ { type: "web", arrivals_file: "bursts.txt", request_us: 10, packet_us: 1, file_bytes: 144800 } ]'
awk -v begins=$begins -v ends=$ends 'BEGIN { for (t = begins; t < ends; t += 0.473) for (i = 0; i < 90; i++) printf "%.6f\n", t + i / 1800 }' >"$work/bursts.txt"
scenario reboots share-guard '.domains[1:] |= map(.slice_us = 2500) | .domains[3] |= (.destroyed_s = 29 | .again_s = 30)'
loads=(udp small vifs split bursts reboots)
actions=(drop rate netback-rate steps)
policy 5 '{ "domains": { "transfer": { "limit": "5%" } } }'
policy rate '{ "domains": { "transfer": { "limit": "5%" } }, "actions": { "network": "rate=20000", "disk": "pause" } }'
policy netback-rate '{ "domains": { "transfer": { "limit": "5%" } }, "actions": { "network": "netback-rate=1000", "disk": "pause" } }'
policy steps '{ "domains": { "transfer": { "limit": "5%" } }, "actions": { "network": "netback-rate=1000", "disk": "none" }, "steps": 12 }'
for load in "${loads[@]}"; do
    simulate "$load"
    simulate "$load-drop=$load" --with guard="$work/5.policy"
    simulate "$load-rate=$load" --with guard="$work/rate.policy"
    simulate "$load-netback-rate=$load" --with guard="$work/netback-rate.policy"
    simulate "$load-steps=$load" --with guard="$work/steps.policy"
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
slowdown() { calc "100 - $(kept "$1")"; } # NAME
# What all pCPUs run, in % of both.
used() { truth "$1" '[all[].domains[].vcpus[]?.running_ns] | add / ($to - $from) / 2e7 * 10 | round / 10'; }
# From the begin: when it was held first, how far it was over its limit in a window at most, from when on its average was within half a point of it.
reaction() { # NAME
    awk -F, -v from=$begins 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
        $at["start_ns"] >= from * 1e9 {
            end = $at["end_ns"] / 1e9 - from
            sum += $at["charged_ns"] / 1e7
            if ($at["charged_pct"] > most) most = $at["charged_pct"]
            if ($at["decision"] == "block" && !held++) first = end
            if (sum / end > 5.5) settled = end
        }
        END { printf "%.1f,%.1f,%.1f", first, most - 5, settled }' "$(of "$1" decisions.csv)"
}
{
    echo 'guest,held by,truth|%,reaction|s,overshoot|points,settling|s,worst victim|slower by %,host used|less by points'
    for load in "${loads[@]}"; do
        printf '%s,-,%.1f,-,-,-,%s,-\n' "$load" "$(by_truth "$load")" "$(slowdown "$load")"
        for action in "${actions[@]}"; do
            name=$load-$action
            printf '%s,%s,%.2f,%s,%s,%s\n' "$load" "$action" "$(by_truth "$name")" "$(reaction "$name")" "$(slowdown "$name")" "$(calc "$(used "$load") - $(used "$name")")"
        done
    done
} >"$work/rows"
table 'From 20 s to 50 s: what dom0 runs for the adversary, and what is left for the others' <"$work/rows"
write_csv <"$work/rows"
follows 'worst victim: the requests of the web server that suffers most, against those before 20 s. host used: what both pCPUs run, against the
same guest that is not held. rate lets 20 Mbit/s pass while the guest is held. A filter
drops a packet when netback has received it: of a sender that goes on it saves nothing. netback-rate lets 1 Mbit/s of each device
pass, by leaving the rest in the ring: what a sender does when packets vanish makes no difference. One that goes on makes up for it when it is let back, which is the burst in
its first window then. steps: the same, and the rate is doubled window by window, up to twelve times, before it is let back.
What the guest receives is not held.'

for load in "${loads[@]}"; do
    claim "$load: not held, it takes more than 5 % of dom0" above 5.5 "$(by_truth "$load")"
    claim "$load: held, it is first held within a second" below 1 "$(reaction "$load-drop" | cut -d , -f 1)"
done
for load in split bursts reboots; do
    claim "$load: held, it gets no more than 5 %, and half a point" below 5.5 "$(by_truth "$load-drop")"
done
for load in udp small vifs; do
    claim "$load: held by a filter, it gets more than 5.5 %: packets are dropped when they have cost dom0 their reception" \
        above 5.5 "$(by_truth "$load-drop")"
    claim "$load: held by netback-rate, it gets no more than 5 %, and half a point" below 5.5 "$(by_truth "$load-netback-rate")"
    claim "$load: let back in steps, it gets no more than 5 %, and half a point" below 5.5 "$(by_truth "$load-steps")"
    claim "$load: let back in steps, the web servers lose less than 5 %" above 95 "$(kept "$load-steps")"
    # Whoever waited for room in its ring makes up for that when it is let back: a burst, until it is held again.
    claim "$load: held by netback-rate, the web servers lose less than 10 %" above 90 "$(kept "$load-netback-rate")"
done
# What comes from outside has cost dom0 its reception before it is dropped.
claim 'split: held, the web servers lose less than 10 %' above 90 "$(kept split-drop)"
for load in bursts reboots; do
    claim "$load: held, the web servers lose less than 5 %" above 95 "$(kept "$load-drop")"
done
