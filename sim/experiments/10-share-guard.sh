#!/bin/bash
# No QoS in the driver domain, and ShareGuard.
# shellcheck source=sim/experiments/lib.sh
. sim/experiments/lib.sh

experiment 'No QoS in the driver domain, and ShareGuard' 'Two CPUs under SEDF that does not conserve work: dom0 has 60 % of
CPU-1; two web servers (files of 10 KB and 100 KB) and a file transfer, which begins after 20 s, have 33 % of CPU-2 each. What do
the web servers lose to the transfer, and what do they keep when ShareGuard holds it to a part of dom0?'

begins=20 ends=50
scenario transfer share-guard
scenario half share-guard '.domains[3].loads[0].packets_per_s /= 2'
scenario double share-guard '.domains[3].loads[0] |= (.packets_per_s *= 2 | .packet_us = 0.5)'
scenario receives share-guard '.domains[3].loads[0].type = "bulk_in"'
scenario reboots share-guard '.domains[1:] |= map(.slice_us = 2500) | .domains[3] |= (.destroyed_s = 29 | .again_s = 30)'
scenario disk share-guard '.domains[0].driver_domain.persistent_grants = false
    | .domains[3].loads = [ { type: "disk", depth: 32, request_bytes: 65536, start_s: 20 } ]'
loads=(transfer half double receives reboots disk)
for percent in 2 5 10 20; do policy "$percent" "{ \"domains\": { \"transfer\": { \"limit\": \"$percent%\" } } }"; done
for load in "${loads[@]}"; do
    simulate "$load"
    simulate "$load-5=$load" --with guard="$work/5.policy"
done
for percent in 2 10 20; do simulate "transfer-$percent=transfer" --with guard="$work/$percent.policy"; done
simulated

# Requests of a web server in each second, while the transfer goes on, in % of those before it began.
kept() { # NAME DOMAIN
    jq --argjson d "$2" --argjson from $begins --argjson to $ends '
        def rate(s): s as $s | [$s[].domains[] | select(.domain == $d).work.requests] | add / ($s | length);
        (100 * rate(.seconds[$from:$to]) / rate(.seconds[5:$from])) * 10 | round / 10' "$(of "$1" truth.json)"
}
# What dom0 ran for the transfer, in % of a pCPU: by the truth, and by what the guard counted.
by_truth() {
    jq --argjson from $begins --argjson to $ends '[.seconds[$from:$to][].charged[] | select(.domain >= 3).cpu_ns] | add / ($to - $from) / 1e7' "$(of "$1" truth.json)"
}
by_meter() {
    awk -F, -v from=$begins -v to=$ends 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
        $at["start_ns"] >= from * 1e9 { sum += $at["charged_ns"] } END { print sum / (to - from) / 1e7 }' "$(of "$1" decisions.csv)"
}
# From the begin of the transfer: when it was held first; its most in a window; when its average was within half a point of the
# limit for good; how often it was held.
reaction() { # NAME LIMIT
    awk -F, -v from=$begins -v limit="$2" 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
        $at["start_ns"] >= from * 1e9 {
            end = $at["end_ns"] / 1e9 - from
            sum += $at["charged_ns"] / 1e7
            if ($at["charged_pct"] > most) most = $at["charged_pct"]
            if ($at["decision"] == "block" && !held++) first = end
            else if ($at["decision"] == "block") held++
            if (sum / end > limit + 0.5) settled = end
        }
        END { printf "%.1f,%.1f,%.1f,%d", first, most, settled, held }' "$(of "$1" decisions.csv)"
}
dom0() { # % of a pCPU that dom0 runs
    jq --argjson from $begins --argjson to $ends '[.seconds[$from:$to][].domains[] | select(.domain == 0).vcpus[].running_ns] | add / ($to - $from) / 1e7 * 10 | round / 10' "$(of "$1" truth.json)"
}

row() { # NAME LOAD LIMIT
    local charged=-,,,, truth
    truth=$(by_truth "$1")
    [ "$3" = none ] && charged='-,-,-,-,-' || charged=$(printf '%.2f,%s' "$(by_meter "$1")" "$(reaction "$1" "$3")")
    printf '%s,%s,%.2f,%s,%s,%s,%s\n' "$2" "$3" "$truth" "$charged" "$(kept "$1" 1)" "$(kept "$1" 2)" "$(dom0 "$1")"
}
{
    echo 'load,limit|%,truth|%,charged|%,held|first s,most in|a window %,settled|s,times|held,web 10 KB|% kept,web 100 KB|% kept,dom0|runs %'
    for load in "${loads[@]}"; do
        row "$load" "$load" none
        row "$load-5" "$load" 5
    done
    for percent in 2 10 20; do row "transfer-$percent" transfer "$percent"; done
} >"$work/rows"
table 'From 20 s to 50 s: what dom0 runs for the transfer, and what the web servers keep of their requests' <"$work/rows"
write_csv <"$work/rows"
follows 'charged is what the guard counts, truth what dom0 really ran. settled: from then on the average since 20 s is at most
half a point above the limit. The guest reboots at 30 s, as a domain of the same name.'

claim 'not held, the transfer takes more than a tenth from a web server' below 90 "$(kept transfer 2)"
claim 'held to 5 %, its charge averages 5 % +- 0.5 over 30 s' between 4.5 5.5 "$(by_meter transfer-5)"
claim 'so does the truth' between 4.5 5.5 "$(by_truth transfer-5)"
claim 'and both web servers keep at least 95 %' above 95 "$(kept transfer-5 1)" "$(kept transfer-5 2)"
for percent in 2 10 20; do
    claim "held to $percent %: +- 0.5" between "$(calc "$percent - 0.5")" "$(calc "$percent + 0.5")" "$(by_meter "transfer-$percent")"
done
for load in half double receives reboots disk; do
    claim "$load, held to 5 %: +- 0.5" between 4.5 5.5 "$(by_meter "$load-5")"
done
claim 'a disk: both web servers keep at least 95 %' above 95 "$(kept disk-5 1)" "$(kept disk-5 2)"
claim 'half and twice the rate: at least 90 %' above 90 "$(kept half-5 1)" "$(kept half-5 2)" "$(kept double-5 1)" "$(kept double-5 2)"
claim 'nobody is held before the transfer begins' between 0 0 "$(cell transfer-5 decisions.csv blocks |
    paste -d , - <(cell transfer-5 decisions.csv start_ns) | awk -F, '$1 && $2 < 2e10' | wc -l)"

seconds() { # NAME FILTER: of each second
    jq ".seconds[] | $2" "$(of "$1" truth.json)"
}
{
    echo 'time s,web 100 KB not held /s,web 100 KB held /s,transfer not held %,transfer held %'
    paste -d , <(seconds transfer '.start_ns / 1e9') \
        <(seconds transfer '.domains[2].work.requests') <(seconds transfer-5 '.domains[2].work.requests') \
        <(seconds transfer '[.charged[] | select(.domain == 3).cpu_ns] | add / 1e7') \
        <(seconds transfer-5 '[.charged[] | select(.domain == 3).cpu_ns] | add / 1e7') | head -n 50
} | write_csv seconds
# shellcheck disable=SC2119 # plot takes a suffix, which this picture has not
plot <<END
set title 'A file transfer from 20 s on beside a web server, not held and held to 5 % of dom0'
set xlabel 'simulated time, s'
set ylabel 'requests of the web server, /s'
set y2label 'dom0 for the transfer, %'
set y2tics
set yrange [0:*]
set y2range [0:60]
plot '$(result csv seconds)' skip 1 using 1:2 with lines title 'web server, not held', '' skip 1 using 1:3 with lines title 'web server, held', \
     '' skip 1 using 1:4 axes x1y2 with lines dashtype 2 title 'transfer, not held', '' skip 1 using 1:5 axes x1y2 with lines dashtype 2 title 'transfer, held'
END
