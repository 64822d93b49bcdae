#!/bin/bash
# Should a driver domain be treated specially?
# shellcheck source=sim/experiments/lib.sh
. sim/experiments/lib.sh

experiment 'Should a driver domain be treated specially?' 'Two pCPUs for dom0 as the driver domain, a web server of 20 clients,
a hog and a guest that computes in batches. dom0 has the share of any domain, a double one, a boost whenever it wakes, a pCPU
of its own, or no limit. What does the web server get, who waits, and how much of it do the neighbours pay?'

reading report.csv report -c domain,running_pct,charged_pct,wait_p99_ns

# dom0 has the same share as each guest: a quarter of two pCPUs. Schedulers with reservations give what is left as extra
# time; SEDF deals dom0 and the hog out to pCPU 0, the web server and the batches to pCPU 1.
# shellcheck disable=SC2016 # variables of jq
base='.host.scheduler = $scheduler
    | if $scheduler == "sedf" then .host.short_block = "keep_slice" else . end
    | if $scheduler == "sedf" or $scheduler == "rtds" then
          .domains[] |= (del(.weight) + { period_ms: 10, extratime: true })
      else . end'
# shellcheck disable=SC2016
shares() { # DOM0 WEB HOG BATCH, in ms of 10: reservations and their pCPUs
    printf '| if $scheduler == "sedf" then .domains[0] += { slice_us: %d, pin: %s } | .domains[1] += { slice_us: %d, pin: 1 }
        | .domains[2] += { slice_us: %d, pin: %s } | .domains[3] += { slice_us: %d, pin: 1 }
      elif $scheduler == "rtds" then .domains[0].budget_us = %d | .domains[1].budget_us = %d
        | .domains[2].budget_us = %d | .domains[3].budget_us = %d else . end' \
        "$1" 0 "$2" "$3" "$5" "$4" "$1" "$2" "$3" "$4"
}
own_pcpu='| .domains[0].pin = 0 | .domains[].pin |= (. // 1) | .domains[0].pin = 0'
# shellcheck disable=SC2016
treatment() { # NAME: a filter of jq
    case $1 in
    'same share') shares 5000 5000 5000 5000 0 ;;
    'never boosted') echo '| .domains[0].boost = "never"' ;;
    'always boosted') echo '| .domains[0].boost = "always"' ;;
    'double share') # two fifths of the host, a fifth for each guest
        shares 6667 5000 3333 5000 0
        echo '| if $scheduler == "credit" or $scheduler == "credit2" then .domains[0].weight = 512 else . end'
        ;;
    'own pCPU')
        shares 10000 3333 3333 3333 1
        echo "$own_pcpu"
        ;;
    'no limit')
        shares 9900 5000 100 5000 0
        echo '| if $scheduler == "credit" or $scheduler == "credit2" then .domains[0].weight = 65535 else . end'
        ;;
    esac
}
treatments_of() { # SCHEDULER
    [ "$1" != credit ] || printf '%s\n' 'never boosted'
    printf '%s\n' 'same share'
    [ "$1" != credit ] || printf '%s\n' 'always boosted'
    printf '%s\n' 'double share' 'own pCPU' 'no limit'
}

each() { # COMMAND: with scheduler and treatment
    local scheduler treatment
    for scheduler in credit credit2 sedf rtds; do
        while read -r treatment; do "$1" "$scheduler" "$treatment"; done < <(treatments_of $scheduler)
    done
}
queue() { # SCHEDULER TREATMENT: with the web server's clients, and without
    scenario "$1 $2 busy" io-among-hogs "$base $(treatment "$2")" --arg scheduler "$1"
    scenario "$1 $2 quiet" io-among-hogs "$base $(treatment "$2") | del(.domains[1].loads)" --arg scheduler "$1"
    simulate "$1 $2 busy"
    simulate "$1 $2 quiet"
}
each queue
simulated

number() { cell "$1" report.csv "$2" domain="$3"; } # NAME COLUMN DOMAIN
row() { # SCHEDULER TREATMENT
    local busy="$1 $2 busy" quiet="$1 $2 quiet" domain
    jq -r '.duration_ns as $ns | .domains[] | select(.domain == 1).work
        | "\(.requests * 1e9 / $ns) \(.response_p50_ns / 1e6) \(.response_p99_ns / 1e6)"' "$(of "$busy" truth.json)" |
        {
            printf '%s,%s,' "$1" "$2"
            xargs printf '%.0f,%.2f,%.2f,'
        }
    for domain in 0 1 2 3; do printf '%s %s ' "$(number "$busy" running_pct $domain)" "$(number "$busy" wait_p99_ns $domain)"; done |
        awk -v charged="$(number "$busy" charged_pct 1)" -v hog="$(number "$quiet" running_pct 2)" -v batch="$(number "$quiet" running_pct 3)" '
            function below(share) { return share < 50 ? 50 - share : 0 }
            { printf "%.1f,%.2f,%.1f,%.1f,%.1f,%.2f,%.1f,%.2f,%.1f,%.1f,%.1f,%.2f,%.1f,%.1f\n", $1, $2 / 1e6, $3, charged, $3 + charged - 50,
                $4 / 1e6, $5, $6 / 1e6, hog - $5, below($5), $7, $8 / 1e6, batch - $7, below($7) }'
}
{
    echo 'scheduler,dom0|has,served|/s,response|p50 ms,|p99 ms,dom0|runs %,wait|p99 ms,web|runs %,|charged %,|above share,wait|p99 ms,hog|runs %,wait|p99 ms,|falls by,|below share,batch|runs %,wait|p99 ms,|falls by,|below share'
    each row
} >"$work/rows"
# shellcheck disable=SC2119 # no suffix
write_csv <"$work/rows"
cut -d, -f 1-11 "$work/rows" | table 'dom0 and the web server, in percent of one pCPU, of which there are two: a share is 50'
cut -d, -f 1,2,12- "$work/rows" | table 'The neighbours: what they run, fall by when the web server has clients, and lack to a share of 50'

bars() { # TITLE COLUMN TITLE [COLUMN TITLE]...
    local column line=0
    printf 'set title "%s"\nplot ' "$1"
    shift
    while [ $# -gt 0 ]; do
        line=$((line + 1))
        column=$1
        printf '"%s" using %s:xtic(1) with histograms linetype %d title "%s", ' "$work/bars" "$column" $line "$2"
        shift 2
    done
    echo
}
sed '1d; s/,/, /' "$work/rows" | sed 's/, /: /' >"$work/bars" # scheduler and treatment are one column
# shellcheck disable=SC2016,SC2119 # a variable of gnuplot; no suffix
{
    echo 'set multiplot layout 1,2; set key below; set bmargin 12; set xtics rotate by 90 right font ",10"; set yrange [0:*]'
    echo 'set style histogram clustered gap 1; unset grid; set grid ytics linecolor rgb "#dddddd" linetype 1'
    bars 'web server' 2 'requests served per second'
    bars '% of a pCPU; each share is 50' '($7+$8)' 'web and what dom0 does for it' 11 'hog'
} | plot

field() { awk -F, -v s="$1" -v t="$2" -v c="$3" '$1 == s && $2 == t { print $c }' "$work/rows"; } # SCHEDULER TREATMENT COLUMN
all_of() { awk -F, -v t="$1" -v c="$2" '$2 == t { print $c }' "$work/rows"; }                      # TREATMENT COLUMN
served=3 p99=5 dom0_wait=7 above=10 hog=12
# shellcheck disable=SC2046 # several numbers
{
    claim 'on a pCPU of its own dom0 waits for nobody: its p99 is below 20 us' below 0.02 $(all_of 'own pCPU' $dom0_wait)
    claim 'no scheduler counts what dom0 does for a guest: own and charged are above the share whatever dom0 has' \
        above 0.001 $(sed 1d "$work/rows" | cut -d, -f $above)
}
for scheduler in sedf rtds; do # up to a period of the run, and what crosses deadlines
    claim "$scheduler: with equal reservations the hog has its share" above 49 "$(field $scheduler 'same share' $hog)"
done
for scheduler in credit credit2 sedf rtds; do
    claim "$scheduler: where dom0 is what holds the web server up, a double share serves more" \
        above "$(field $scheduler 'same share' $served)" "$(field $scheduler 'double share' $served)"
    claim "$scheduler: and its slowest responses are faster" \
        below "$(field $scheduler 'same share' $p99)" "$(field $scheduler 'double share' $p99)"
done
claim 'credit: a wake that is always boosted makes dom0 wait less than one that never is' \
    above "$(field credit 'always boosted' $dom0_wait)" "$(field credit 'never boosted' $dom0_wait)"

ratio=$(calc "$(field credit2 'same share' 9) / $(field credit2 'same share' 8)")
least=$(all_of 'same share' $above | sort -n | head -n 1)
follows "A driver domain needs the CPU that its guests cause, here $ratio times what the web server uses itself. With the share of any
guest it holds the web server up; a double share serves $(field credit 'double share' $served) for $(field credit 'same share' $served)
requests per second under Credit, $(field credit2 'double share' $served) for $(field credit2 'same share' $served) under Credit2,
and has the better p99 under each scheduler. A boost shortens dom0's waits, not the responses: these wait for credits, not for wakes."
follows "But whoever pays for dom0 is not who asks it: the web server and what dom0 does for it are above a share of 50 by
$least points or more at the same share, and by up to $(field rtds 'no limit' $above) without a
limit, where the hog is left with $(field rtds 'no limit' $hog) under RTDS. A pCPU of its own ends dom0's waits, and leaves half of
the host to three guests, busy or not; under Credit, which counts credits for the whole host, pinned guests have more credits than
their pCPU has time, and whoever sleeps often is boosted past the others. A weight of 65535 serves less than a double one under
Credit2: everybody else is out of credits all the time, the web server, too."
follows "So: give a driver domain weight for the work of its guests, a double share rather than no limit, no boost of its own, and a
pCPU only if it is busy. And limit the guests by what they run and are charged (the ledger of experiments 2 and 3), since no
parameter of the driver domain can tell one guest from another."
