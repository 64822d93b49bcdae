#!/bin/bash
# Who is to have the weight: the guest that serves, or the driver domain that works for it?
# shellcheck source=sim/experiments/lib.sh
. sim/experiments/lib.sh

experiment 'Configuring the driver domain' 'One pCPU, dom0 as the driver domain, and a web server with 40 clients that ask for 30 kB
again and again. Is weight better given to the web server or to dom0, with and without a neighbour that computes? How are
caps to be chosen, which limit both also when the pCPU is free? And slices and periods under SEDF?'

reading report.csv report -c domain,running_pct,charged_pct,wait_p50_ns,wait_p99_ns

# Each run is `queue`d with its row's first cells, and printed with the same cells.
declare -A cells=()
names=()
queue() { # NAME CELLS FILTER [OPTION of jq]...
    scenario "$1" web-beside-a-hog "$3" "${@:4}"
    cells[$1]=$2
    names+=("$1")
    simulate "$1"
}
alone='del(.domains[2])'
# shellcheck disable=SC2016 # variables of jq
{
    weights='.host.scheduler = $scheduler | .domains[0].weight = $dom0 | .domains[1].weight = $web'
    caps='.host.scheduler = $scheduler | .domains[0].cap_pct = $dom0 | .domains[1].cap_pct = 100 - $dom0 | '$alone
    slices='.host += { scheduler: "sedf", short_block: "keep_slice" }
        | .domains[] |= (del(.weight) + { period_ms: $period, extratime: ($conserving == 1) })
        | .domains[0].slice_us = $dom0 * $period * 10 | .domains[1].slice_us = (100 - $dom0) * $period * 10 | '$alone
}
rest='.domains[2].weight = 256'
for scheduler in credit credit2; do
    for beside in alone beside; do
        [ $beside = alone ] && filter=$alone || filter=$rest
        for pair in 57:455 102:410 171:341 256:256 341:171 410:102 455:57; do # 1:8 1:4 1:2 1:1 2:1 4:1 8:1
            queue "weight-$scheduler-$beside-${pair/:/-}" "$scheduler,$([ $beside = alone ] && echo nobody || echo 'a hog'),$pair" \
                "$weights | $filter" --arg scheduler "$scheduler" --argjson dom0 "${pair%:*}" --argjson web "${pair#*:}"
        done
    done
    for dom0 in 10 20 30 40 50 60 70 80 90; do
        queue "cap-$scheduler-$dom0" "$scheduler,$dom0:$((100 - dom0))" "$caps" --arg scheduler "$scheduler" --argjson dom0 "$dom0"
    done
done
for period in 10 30 100; do
    for dom0 in 10 20 30 40 50 60 70 80 90; do
        queue "slice-no-$period-$dom0" "$period,no,$dom0:$((100 - dom0))" "$slices" \
            --argjson period "$period" --argjson dom0 "$dom0" --argjson conserving 0
    done
    for dom0 in 10 30 50 70 90; do
        queue "slice-yes-$period-$dom0" "$period,yes,$dom0:$((100 - dom0))" "$slices" \
            --argjson period "$period" --argjson dom0 "$dom0" --argjson conserving 1
    done
done
simulated

# What a run gives: requests served in a second, response, CPU, what is charged, waits of dom0 and of the web server.
titles='served|/s,response|p50 ms,|p99 ms,dom0|runs %,web|runs %,|charged %,dom0 waits|p50 ms,|p99 ms,web waits|p50 ms,|p99 ms'
results() { # NAME
    local served
    served=$(jq -r '.duration_ns as $ns | .domains[] | select(.domain == 1).work
        | [.requests * 1e9 / $ns, .response_p50_ns / 1e6, .response_p99_ns / 1e6] | map(tostring) | join(",")' "$(of "$1" truth.json)")
    awk -F, -v served="$served" '
        NR > 1 { runs[$1] = $2; charged[$1] = $3; p50[$1] = $4 / 1e6; p99[$1] = $5 / 1e6 }
        END {
            split(served, s, ",")
            printf "%.0f,%.2f,%.2f,%.1f,%.1f,%.1f,%.2f,%.2f,%.2f,%.2f\n", s[1], s[2], s[3], runs[0], runs[1], charged[1],
                p50[0], p99[0], p50[1], p99[1]
        }' "$(of "$1" report.csv)"
}
for name in "${names[@]}"; do echo "$name,${cells[$name]},$(results "$name")"; done >"$work/all"
of_kind() { sed -n "s/^$1-[^,]*,//p" "$work/all"; } # KIND
{ echo "scheduler,beside,weights|dom0:web,$titles"; of_kind weight; } >"$work/weights"
{ echo "scheduler,caps|dom0:web,$titles"; of_kind cap; } >"$work/caps"
{ echo "period|ms,work|conserving,slices|dom0:web,$titles"; of_kind slice; } >"$work/slices"
table 'Weights, work-conserving' <"$work/weights"
table 'Caps that add up to the pCPU, nobody beside' <"$work/caps"
table 'SEDF, slices that add up to the pCPU, nobody beside' <"$work/slices"
{ echo 'kind,setting,of|it,parts|dom0:web,'"$titles"; sed 's/^\([a-z]*\)-[^,]*/\1/' "$work/all"; } | write_csv all

# Picture 1: weights. Picture 2: parts that limit, each cell with what is served.
panel() { # TITLE COLUMN: by the ratio of the weights
    local scheduler beside line=0
    printf 'set title "%s"\nplot ' "$1"
    for scheduler in credit credit2; do
        for beside in nobody 'a hog'; do
            line=$((line + 1))
            awk -F, -v s="$scheduler" -v b="$beside" -v c="$2" \
                '$1 == s && $2 == b { split($3, w, ":"); printf "%.2f,%s\n", log(w[1] / w[2]) / log(2), $c }' "$work/weights" \
                >"$work/curve-$1-$line"
            printf '"%s" using 1:2 with linespoints linetype %d title "%s, %s", ' "$work/curve-$1-$line" $line "$scheduler" \
                "$([ "$beside" = nobody ] && echo alone || echo 'beside a hog')"
        done
    done
    echo
}
# shellcheck disable=SC2119 # no suffix
{
    echo 'set multiplot layout 1,2; set key below; set bmargin 8; set xlabel "weight of dom0 : web"; set yrange [0:*]'
    echo 'set xtics ("1:8" -3, "1:4" -2, "1:2" -1, "1:1" 0, "2:1" 1, "4:1" 2, "8:1" 3)'
    panel 'requests served per second' 4
    panel 'response p99, ms' 6
} | plot
part_of() { awk -F, -v row="$1" '{ split($'"$2"', part, ":"); print part[1] "," row "," $'"$3"' }'; } # ROW COLUMN-OF-PARTS COLUMN
{
    of_kind cap | grep '^credit,' | part_of 4 2 3
    of_kind cap | grep '^credit2,' | part_of 3 2 3
    of_kind slice | grep '^10,no' | part_of 2 3 4
    of_kind slice | grep '^30,no' | part_of 1 3 4
    of_kind slice | grep '^100,no' | part_of 0 3 4
} >"$work/heat"
plot parts <<END
set title "requests served per second; the web server has the other part"
set xlabel "part of dom0, % of the pCPU"
set xrange [5:95]
set yrange [-0.5:4.5]
set ytics ("caps of Credit" 4, "caps of Credit2" 3, "SEDF, 10 ms" 2, "SEDF, 30 ms" 1, "SEDF, 100 ms" 0)
set palette defined (0 "#f7fbff", 1 "#6baed6", 2 "#2171b5")
unset key
unset grid
plot "$work/heat" using 1:2:3 with image pixels, "" using 1:2:(sprintf("%d", \$3)) with labels
END

seconds=6
over() { # PERIOD-MS: what runs more than its part lets it, at most, in points: one period's worth in the whole run
    calc "$1 / 10 / $seconds" 3
}
# The most that dom0 or the web server ran above its part, in points.
excess() { awk -F, -v p="$1" -v d="$2" '{ split($p, part, ":"); for (i = 0; i < 2; i++) { e = $(d + i) - part[i + 1]; if (!n++ || e > most) most = e } } END { print most }'; }
spread() { awk -F, '{ if (!n++ || $4 < low) low = $4; if ($4 > high) high = $4 } END { print (high - low) / high * 100 }'; }
best() { sort -t, -k"$2" -rn | head -n 1 | cut -d, -f "$1"; } # COLUMN-WANTED COLUMN-OF-SERVED
for scheduler in credit credit2; do
    claim "$scheduler: alone, weights change what is served by less than 10 %: a work-conserving scheduler leaves nothing over" \
        below 10 "$(of_kind weight | grep "^$scheduler,nobody" | spread)"
    claim "$scheduler: beside a hog the best weights are 1:2, the nearest to the CPU that a request takes in dom0 and web" \
        test "$(of_kind weight | grep "^$scheduler,a hog" | best 3 4)" = 171:341
    claim "$scheduler: the best caps are those nearest to that, 30:70 or 40:60" \
        grep -qxE '30:70|40:60' <<<"$(of_kind cap | grep "^$scheduler," | best 2 3)"
done
claim 'credit: nobody runs above a cap by more than 60 ms of the run' below "$(over 60)" "$(of_kind cap | grep '^credit,' | excess 2 6)"
claim 'credit2: nobody runs above a cap by more than 10 ms of the run' below "$(over 10)" "$(of_kind cap | grep '^credit2,' | excess 2 6)"
slower() { # whether each pair of slices has the longer p99 with a period of 100 ms than with 10 ms
    of_kind slice | awk -F, '$2 == "no" && $3 != "80:20" && $3 != "90:10" { p99[$1, $3] = $6; parts[$3] = 1 }
        END { for (p in parts) { n++; if (p99[100, p] <= p99[10, p]) wrong = 1 } exit wrong || !n }'
}
claim 'sedf: with periods of 100 ms the response p99 is longer than with 10 ms, where the web server has 30 % at least' slower

of_slices() { of_kind slice | grep "^$1," | cut -d, -f 4; } # PERIOD,CONSERVING,SLICES: what is served
served() { of_kind weight | awk -F, -v s="$1" -v b="$2" -v w="$3" '$1 == s && $2 == b && $3 == w { print $4 }'; } # SCHEDULER BESIDE WEIGHTS
follows "A request takes about twice as much CPU in the web server as in dom0 on its behalf, and each of the two can do no
more than the other lets it. So neither is to be preferred: weight, caps or slices belong to both, in the ratio of the CPU that
they need for a request, here 1:2, which a trace tells (what the guest runs, and what it is charged). Beside a hog, weights of
1:2 serve $(served credit2 'a hog' 171:341) requests per second under Credit2, 8:1 $(served credit2 'a hog' 455:57), and 1:8
$(served credit2 'a hog' 57:455): the hog gets what the one waits for the other. Alone, weights make no difference: nothing is
left over that they could divide."
follows "What limits must fit even better: no part of an unused cap or slice goes to who could use it. SEDF with extra time forgives
a slice of dom0 that is too small (10:90 serves $(of_slices 10,yes,10:90), $(of_slices 10,no,10:90) without extra time), not one that
is too large (90:10 serves $(of_slices 10,yes,90:10)). Short periods are better for responses: who has used up a slice waits for the
rest of the period. Credit's p99 beside a hog is a time slice of 30 ms and more, Credit2's is half of it at the best weights.
Slices that add up to the whole pCPU leave nothing for switches: deadlines are
missed, a missed deadline gives a fresh slice, and the web server runs for more than its own. And who runs at every single packet batches less: with half of the pCPU reserved for dom0, SEDF spends about twice as much of it
for a request, since its early deadline preempts the web server each time."
