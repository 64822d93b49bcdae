#!/bin/bash
# The house of the experiments: tables, data, pictures and claims of a short one, and what goes wrong.
# shellcheck disable=SC2016,SC2317 # what experiments expand; functions are called by check
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/lib.sh"

export RESULTS=$scratch/results XENMETER BUILD
experiments() { # ARGUMENT...
    timeout -k 5 "$LIMIT" sim/experiments/run "$@" >"$out" 2>"$err"
    status=$?
}
experiment() { # NAME: a script from standard input; is run
    { echo '. sim/experiments/lib.sh'; cat; } >"$scratch/$1.sh"
    experiments "$scratch/$1.sh"
}
refused() { exits 2 && equal 1 "$(wc -l <"$err")" && says "$err" "$1"; } # PATTERN

if ! command -v gnuplot >/dev/null; then
    echo 'no gnuplot: see sim/experiments/experiments.mk'
    experiments 1
    check 'it is named' refused 'missing: gnuplot (Debian package gnuplot-nox)'
    finish
fi

group 'a short experiment'
experiment 90-hogs <<'END'
experiment 'Two hogs' 'Who runs how long?'
reading report.csv report
scenario fair two-hogs '.domains[].weight = $w' --argjson w 300
scenario unfair two-hogs '.domains[0].weight = 768 | .domains[1].weight = 256'
simulate fair --duration 4s
simulate again=fair --duration 4s
simulate unfair --duration 4s
simulated
rows() {
    echo 'domain,fair|%,unfair|%'
    for domain in 1 2; do
        printf '%s,%.0f,%.0f\n' $domain "$(cell fair report.csv running_pct domain=$domain)" "$(cell unfair report.csv running_pct domain=$domain)"
    done
}
rows | table 'Shares'
rows | write_csv
rows | write_csv again
plot <<< "plot '$(result csv)' skip 1 using 1:3 with points title 'unfair'"
claim 'one simulation is enough' test "$(of fair truth.json)" = "$(of again truth.json)"
claim 'half each' between 49 51 "$(cell fair report.csv running_pct domain=1)" "$(cell fair report.csv running_pct domain=2)"
claim 'by weight' between 74 76 "$(cell unfair report.csv running_pct domain=1)"
follows 'Weight decides.'
END
check 'all claims hold' exits 0
check 'nothing on standard error' equal '' "$(cat "$err")"
check 'it prints' equal '90. Two hogs

Who runs how long?

Shares
        fair  unfair
domain     %       %
--------------------
1         50      75
2         50      25

holds: one simulation is enough
holds: half each
holds: by weight

Weight decides.' "$(cat "$RESULTS/90-hogs.txt")"
check 'the run prints it, and counts claims' equal '90-hogs 3 0' "$(tail -n 1 "$out" | xargs)"
check 'data' equal 'domain,fair %,unfair % 1,50,75 2,50,25' "$(paste -sd' ' "$RESULTS/90-hogs.csv")"
check 'data with a suffix' same "$RESULTS/90-hogs.csv" "$RESULTS/90-hogs-again.csv"
check 'a picture' says "$RESULTS/90-hogs.svg" '^</svg>'
check 'no more is left' equal '90-hogs-again.csv 90-hogs.csv 90-hogs.svg 90-hogs.txt' "$(cd "$RESULTS" && echo *)"

group 'the ledger acts'
experiment 90-ledger <<'END'
reading debt.csv debt --reserve 0=40%,1=60% -g interval
scenario web sedf-web-server
policy sixty '{ "domains": { "1": { "share": "60%" } } }'
simulate free=web --duration 17s
simulate web --duration 17s --with debt="$work/sixty.policy"
simulated
mapfile -t meter < <(windows_by_meter web 1)
mapfile -t truth < <(windows_by_truth web 1)
claim 'windows by the meter: from 5 to 15 s and on in steps of 0.5 s' test ${#meter[@]} = 4
claim 'windows by the truth: in steps of 1 s' test ${#truth[@]} = 2
claim 'within 60 % +- 1 by the meter' between 59 61 "${meter[@]}"
claim 'within 60 % +- 3 by the truth' between 57 63 "${truth[@]}"
claim 'the ledger that acted is there' test -s "$(of web ledger.csv)"
claim 'none acted on the other' not_there "$(of free ledger.csv)"
END
sed -i '1a not_there() { [ ! -e "$1" ]; }' "$scratch/90-ledger.sh"
experiments "$scratch/90-ledger.sh"
check 'its claims hold' exits 0
check 'six of them' equal '90-ledger 6 0' "$(tail -n 1 "$out" | xargs)"

group 'random numbers'
experiment 90-seed <<'END'
scenario hogs two-hogs '.domains[0].loads = [ { type: "on_off", on_ms: 2, off_ms: 3, distribution: "exponential" } ]'
simulate hogs --duration 1s
simulated
jq '.domains[0].vcpus[0].running_ns' "$(of hogs truth.json)"
END
cp "$RESULTS/90-seed.txt" "$scratch/seed-1.txt"
SEED=1 experiments "$scratch/90-seed.sh"
check 'the first seed is 1' same "$RESULTS/90-seed.txt" "$scratch/seed-1.txt"
SEED=2 experiments "$scratch/90-seed.sh"
check 'another seed is another simulation' exits 0
check 'with another truth' not same "$RESULTS/90-seed.txt" "$scratch/seed-1.txt"

group 'claims'
experiment 90-claims <<'END'
claim 'holds' between -1 1 -1 0.5 1
claim 'a number is outside' between -1 1 0 1.1
claim 'no number at all' between -1 1
claim 'an empty one' between -1 1 0 ''
claim 'a word' below 1 unknown
claim 'above' above 2 1.9
END
check 'one that does not hold: exit code' exits 1
check 'how many' says "$out" '^90-claims  *1  *5$'
check 'which ones' equal 'a number is outside, no number at all, an empty one, a word, above' \
    "$(sed -n 's/^  90-claims: //p' "$out" | paste -sd, | sed 's/,/, /g')"

group 'what goes wrong'
experiment 90-error <<<'false'
check 'a command fails' refused '90-error.sh could not be run'
experiment 90-error <<<'scenario bad two-hogs ".domains = 3"; simulate bad; simulated; claim "never" true'
check 'a scenario is wrong: exit code' exits 2
check 'a scenario is wrong: which, and why' says "$err" '^90-error: bad: xenmeter: .*\$\.domains: must be a list'
experiment 90-error <<<'reading x.csv report --nonsense; scenario a two-hogs; simulate a; simulated'
check 'what is read is wrong' says "$err" '^90-error: a: xenmeter: .*nonsense'
experiment 90-error <<<'scenario a two-hogs; simulate a; simulated; cell a truth.json nothing'
check 'no such column' says "$err" 'truth.json: no column nothing'
experiments 999
check 'no such experiment' refused 'there is no experiment 999'
experiments /nowhere.sh
check 'no such file' refused 'cannot read /nowhere.sh'
XENMETER=/nowhere experiments 1
check 'no program' refused 'missing: /nowhere; run make'
mkdir "$scratch/bin"
ln -s /usr/bin/* "$scratch/bin"
rm "$scratch/bin/gnuplot"
PATH=$scratch/bin experiments 1
check 'no gnuplot' refused 'missing: gnuplot (Debian package gnuplot-nox)'
check 'nothing is left' equal '' "$(ls -d "$RESULTS"/simulations.* 2>/dev/null)"

group 'the experiments'
experiments 1
check 'the worked example holds' exits 0
check 'their scripts are executable and have a section in xenmeter-experiments(7)' equal '' "$(for script in sim/experiments/[0-9]*.sh; do
    title=$(sed -n "s/^experiment '\([^']*\)'.*/\1/p" "$script")
    [ -x "$script" ] && [ -n "$title" ] && grep -qix "\.S[hs] $title" man/xenmeter-experiments.7 || echo "$script"
done)"

finish
