#!/bin/bash
# How far a CPU hog's share is from what its scheduler was asked for (the "allocation error test" of Cherkasova, Gupta and
# Vahdat, 2007).
# shellcheck source=sim/experiments/lib.sh
. sim/experiments/lib.sh

experiment 'Scheduler error' 'A CPU hog is allowed 10 % to 90 % of one pCPU: a slice, a budget or a cap. What does it get in
windows of 1 s, 10 s and 60 s, alone (but for dom0, which computes for 2 % of the time), and beside a competitor that takes
all that it can?'

schedulers='sedf rtds credit credit2'
targets='10 20 30 40 50 60 70 80 90'
seconds=300
hz=2400000000

# Reservations are of periods of 10 ms, which is also how often Credit2 replenishes a cap. By weight the hog would have 5
# points more than its cap, dom0 2.5, and the competitor the rest: so the cap decides.
# shellcheck disable=SC2016 # variables of jq
parameters='
    .host.scheduler = $scheduler | .trace.events = "0x29000" # runstates, and how long runs were
    | if $scheduler == "sedf" or $scheduler == "rtds" then
          (if $scheduler == "sedf" then "slice_us" else "budget_us" end) as $part
          | .domains[] |= (del(.weight, .cap_pct) | .period_ms = 10)
          | .domains[0][$part] = 500 | .domains[1][$part] = $target * 100
          | .domains[2] += if $scheduler == "sedf" then { extratime: true } else { budget_us: 100, extratime: true } end
      else
          .domains[1] += { cap_pct: $target, weight: (10 * ($target + 5)) } | .domains[2].weight = 925 - 10 * $target
      end
    | if $beside == "alone" then del(.domains[2]) else . end'

reading report.csv report --cpu-hz $hz -g total,1s,10s,60s -c granularity_ns,start_ns,end_ns,domain,running_ns,wait_p50_ns,wait_p99_ns
for beside in alone beside; do
    for scheduler in $schedulers; do
        for target in $targets; do
            scenario "$beside-$scheduler-$target" share-of-a-hog "$parameters" \
                --arg scheduler "$scheduler" --argjson target "$target" --arg beside $beside
            simulate "$beside-$scheduler-$target" --duration ${seconds}s
        done
    done
done
simulated

# Of each complete window: neighbour, scheduler, target, length in s, size of the error in points of the pCPU, error.
windows() { # BESIDE SCHEDULER TARGET
    awk -F, -v row="$1,$2,$3" -v target="$3" '
        $4 == 1 && $1 > 0 && $3 - $2 == $1 {
            error = 100 * $5 / $1 - target
            printf "%s,%d,%.5f,%.5f\n", row, $1 / 1e9, error < 0 ? -error : error, error
        }' "$(of "$1-$2-$3" report.csv)"
}
waits() { # BESIDE SCHEDULER TARGET: of the whole run, in ms
    awk -F, -v row="$1,$2,$3" '$4 == 1 && $1 == 0 { printf "%s,%.2f,%.2f\n", row, $6 / 1e6, $7 / 1e6 }' "$(of "$1-$2-$3" report.csv)"
}
of_all() { # COMMAND: for each simulation
    local beside scheduler target
    for beside in alone beside; do
        for scheduler in $schedulers; do
            for target in $targets; do "$1" "$beside" "$scheduler" "$target"; done
        done
    done
}
of_all windows | sort -s -t, -k1,1 -k2,2 -k3,3n -k4,4n -k5,5g >"$work/windows"
of_all waits >"$work/waits"

{
    echo 'beside,scheduler,target_pct,window_s,windows,mean_error,p50_error,p90_error,worst_error,mean_signed,lowest,highest,achieved_pct,wait_p50_ms,wait_p99_ms'
    awk -F, '
        function finish() {
            if (!n) return
            split(key, part, ",")
            printf "%s,%d,%.4f,%.4f,%.4f,%.4f,%.4f,%.4f,%.4f,%.3f,%s\n", key, n, sum / n, size[int((n + 1) / 2)],
                size[int(n * 0.9 + 0.999)], size[n], signed / n, low, high, part[3] + signed / n, wait[part[1], part[2], part[3]]
        }
        NR == FNR { wait[$1, $2, $3] = $4 "," $5; next }
        $1 "," $2 "," $3 "," $4 != key { finish(); key = $1 "," $2 "," $3 "," $4; n = sum = signed = 0; low = high = $6 }
        { size[++n] = $5; sum += $5; signed += $6; if ($6 < low) low = $6; if ($6 > high) high = $6 }
        END { finish() }' "$work/waits" "$work/windows"
} >"$work/rows"
# shellcheck disable=SC2119 # without a suffix
write_csv <"$work/rows"

# Over all targets: mean and worst.
summary() {
    echo 'scheduler,beside,1 s:|mean,|worst,10 s:|mean,|worst,60 s:|mean,|worst,|signed'
    awk -F, -v schedulers="$schedulers" '
        NR > 1 { count[$1, $2, $4]++; sum[$1, $2, $4] += $6; signed[$1, $2, $4] += $10; if ($9 > worst[$1, $2, $4]) worst[$1, $2, $4] = $9 }
        END {
            n = split(schedulers, scheduler, " ")
            split("alone beside", beside, " "); split("nobody,a competitor", words, ","); split("1 10 60", window, " ")
            for (b = 1; b <= 2; b++) for (i = 1; i <= n; i++) {
                printf "%s,%s", scheduler[i], words[b]
                for (w = 1; w <= 3; w++) { k = beside[b] SUBSEP scheduler[i] SUBSEP window[w]; printf ",%.3f,%.3f", sum[k] / count[k], worst[k] }
                printf ",%+.3f\n", signed[k] / count[k]
            }
        }' "$work/rows"
}
summary | table 'Error over all targets, in points of the pCPU'

achieved() { # alone or beside
    echo 'target|%,sedf|share %,wait|p50 ms,|p99 ms,rtds|share %,wait|p50 ms,|p99 ms,credit|share %,wait|p50 ms,|p99 ms,credit2|share %,wait|p50 ms,|p99 ms'
    awk -F, -v beside="$1" -v schedulers="$schedulers" -v targets="$targets" '
        $1 == beside && $4 == 60 { cells[$2, $3] = sprintf(",%.2f,%.2f,%.2f", $13, $14, $15) }
        END {
            n = split(schedulers, scheduler, " "); m = split(targets, target, " ")
            for (t = 1; t <= m; t++) { printf "%s", target[t]; for (i = 1; i <= n; i++) printf "%s", cells[scheduler[i], target[t]]; print "" }
        }' "$work/rows"
}
achieved alone | table 'The share of windows of 60 s alone, and how long the hog waits for it'
achieved beside | table 'The same beside a competitor'

# Two panels, alone and beside a competitor, with a curve for each scheduler of its lines of a file about windows of 1 s.
panels() { # FILE EXPRESSION STYLE
    local beside scheduler line
    echo 'set multiplot layout 1,2; set key below; set bmargin 8'
    for beside in alone beside; do
        printf 'set title "%s"\nplot ' "$([ $beside = alone ] && echo 'alone' || echo 'beside a competitor')"
        line=0
        for scheduler in $schedulers; do
            awk -F, -v beside=$beside -v scheduler="$scheduler" '$1 == beside && $2 == scheduler && $4 == 1' "$1" >"$work/$beside-$scheduler"
            line=$((line + 1))
            printf '"%s" using %s %s linetype %d title "%s", ' "$work/$beside-$scheduler" "$2" "$3" $line "$scheduler"
        done
        echo
    done
}
# shellcheck disable=SC2016,SC2119 # variables of gnuplot; no suffix
{
    echo 'set xlabel "target, % of the pCPU"; set ylabel "worst error of a window of 1 s, points"'
    echo 'set logscale y; set yrange [0.00005:50]; set format y "%g"'
    panels "$work/rows" '3:($9 < 0.0001 ? 0.0001 : $9)' 'with linespoints'
} | plot
# shellcheck disable=SC2016,SC2119
{
    echo 'set xlabel "error of a window of 1 s, points"; set ylabel "part of the windows that err less"'
    echo 'set logscale x; set xrange [0.00005:10]; set format x "%g"; set yrange [0:1]'
    panels "$work/windows" '($5 < 0.0001 ? 0.0001 : $5):(1.0)' 'smooth cnormal with lines'
} | plot distribution

# Whether a column of the rows is below a limit in points for windows of 1 s, a tenth of it for 10 s, a sixtieth for 60 s.
within() { # BESIDE SCHEDULER COLUMN LIMIT
    awk -F, -v beside="$1" -v scheduler="$2" -v column="$3" -v limit="$4" '
        $1 == beside && $2 == scheduler { n++; if ($column * $4 > limit) wrong = 1 } END { exit wrong || !n }' "$work/rows"
}
worst=9
highest=12
for scheduler in sedf rtds; do
    for beside in alone beside; do
        claim "$scheduler, $beside: no window errs by more than a period, 10 ms" within $beside $scheduler $worst 1
    done
done
claim "credit2, alone: no window errs by more than a budget's period, 10 ms" within alone credit2 $worst 1
claim "credit2, beside: no window is above its cap by more than 10 ms" within beside credit2 $highest 1
claim 'credit, alone: no window errs by more than credits can, from 30 ms saved to 30 ms owed' within alone credit $worst 6
claim 'credit, beside: no window is above its cap by more than those 60 ms' within beside credit $highest 6

follows 'SEDF and RTDS give what was reserved: a window holds a whole number of periods. A cap of Credit2 is a budget
that comes every 10 ms; alone it is as good. A cap of Credit is kept on average only: the hog runs for whole time slices of
30 ms, and is paused for as many as it takes to earn them, so that in 1 s it is off by up to some 45 ms, and in 10 s, in
points, by less than a tenth of that.'
follows 'Beside a competitor a cap is no promise: it limits from above. Under Credit a vCPU that waits with more than 30 ms of
credits earns no more and loses half of them, under Credit2 the budget that is left at the end of 10 ms is lost, and both
happen only to those who wait. Who needs a share needs a reservation, or weight to spare. The price of a reservation is in
the waits: with a slice of 1 ms in 10 the hog waits for 9 ms each time, as a rule.'
