#!/bin/bash
# xenmeter diff: the same from every kind of file, what chance makes is no change, a changed cap is one, conditions, hostile files.
# shellcheck source=tests/lib.sh disable=SC2016,SC2317 # functions are called through check
. "$(dirname "$0")/lib.sh"

fixture=fixtures/mixed-credit.xt.zst
dir=$scratch/dir
mkdir "$dir"

# Two runs of a host, and one on which the cap of domain 3 is 40 % instead of 20 %.
caps=credit-weights-and-caps
simulated "$scratch/before.xt" $caps . --seed 1
simulated "$scratch/after.xt" $caps '.domains[3].cap_pct = 40' --seed 1
printf '0 dom0\n1 heavy\n2 light\n3 capped\n' >"$scratch/names"

group 'wrong arguments'
check 'one file' refuses 'two files are compared: BEFORE and AFTER; 1 was given' diff "$fixture"
check 'three files' refuses '3 were given' diff "$fixture" "$fixture" "$fixture"
check 'an empty name' refuses 'name of a file is empty' diff "$fixture" ''
check 'standard input twice' refuses 'only one of the two' diff - -
check 'rows by domain and pCPU' refuses 'compared by domain, vcpu or pcpu' diff -b domain-pcpu "$fixture" "$fixture"
check 'domains of pCPUs' refuses 'does not go with rows by pcpu' diff -b pcpu -d 1 "$fixture" "$fixture"
check 'a column that grows' refuses 'not compared by running_ns, which grows' diff -c running_ns "$fixture" "$fixture"
check 'an unknown column' refuses 'unknown column "befor"; the nearest is before' diff -c befor "$fixture" "$fixture"
check "XenMon's logs" refuses "no format 'xenmon'" diff -f xenmon "$fixture" "$fixture"
check '--any alone' refuses '\-\-any is about --fail-if' diff --any "$fixture" "$fixture"
check 'a missing file' refuses 'missing: .*No such file' diff -o "$dir/x.csv" "$fixture" "$dir/missing"
check 'no capture' refuses 'README.md' diff README.md "$fixture"
check 'no such domain' refuses 'none of these is in either' diff -d 77 "$fixture" "$fixture"
check 'nothing is left' [ -z "$(ls -A "$dir")" ]

group 'a capture beside itself'
for by in domain vcpu pcpu; do
    run diff -b $by -f jsonl "$fixture" "$fixture"
    check "$by: no difference" equal true "$(jq -s 'length > 0 and all(.[]; .difference == 0 and .change == "none" and .before == .after)' "$out")"
done
run diff -q -f csv "$fixture" "$fixture"
cp "$out" "$scratch/first"
run diff -q -f csv "$fixture" "$fixture"
check 'the same bytes twice' same "$scratch/first" "$out"
run diff -q --fail-if 'running +0%' --fail-if 'running -0%' --any "$fixture" "$fixture"
check 'nothing changed: no condition holds' exits 0

group 'the values of report'
run report -q -f json -g total,1s "$fixture"
cp "$out" "$scratch/fixture.json"
run diff -q -f jsonl -c running_pct,runnable_pct,executions_per_s,wait_p99_ns,wait_max_ns,charged_pct,total_pct "$fixture" "$scratch/after.xt"
check 'before' equal \
    "$(jq -c '[.reports[0].intervals[0].rows[] | {d: .domain, r: .running_pct, w: .wait_p99_ns, e: .executions_per_s, c: .charged_pct}]' "$scratch/fixture.json")" \
    "$(jq -sc 'map(select(.before != null)) | group_by(.domain) | map({d: .[0].domain, m: (map({key: .measure, value: .before}) | from_entries)})
        | map({d: .d, r: .m.running_pct, w: .m.wait_p99_ns, e: .m.executions_per_s, c: .m.charged_pct})' "$out")"
check 'difference is after less before' equal true \
    "$(jq -s 'all(.[]; (.difference - (.after - .before) | fabs) < 0.002)' "$out")"
check 'relative is of before' equal true "$(jq -s 'all(.[]; .before == 0 or (.relative_pct - 100 * .difference / .before | fabs) < 0.02)' "$out")"

group 'the same from every kind of file'
for name in before after; do
    run report -q --names "$scratch/names" -f json -g total,1s,100ms "$scratch/$name.xt" -o "$scratch/$name.json"
    run report -q --names "$scratch/names" -f jsonl -g 100ms,total,1s "$scratch/$name.xt" -o "$scratch/$name.jsonl.zst"
    run archive create -q --names "$scratch/names" "$scratch/$name.xt" -o "$scratch/$name.xma"
    zstd -qf "$scratch/$name.xt" -o "$scratch/$name.xt.zst"
done
run diff -q -f csv --names "$scratch/names" "$scratch/before.xt" "$scratch/after.xt"
cp "$out" "$scratch/expected"
check 'there are rows' test "$(wc -l <"$scratch/expected")" -gt 20
for a in before.json before.jsonl.zst before.xma; do
    for b in after.json after.jsonl.zst after.xma; do
        run diff -q -f csv "$scratch/$a" "$scratch/$b"
        check "$a $b" same "$scratch/expected" "$out"
    done
done
run diff -q -f csv --names "$scratch/names" "$scratch/before.xt.zst" - <"$scratch/after.xt"
check 'compressed, and a pipe' same "$scratch/expected" "$out"
run diff -q -f csv -c wait_p99_ns "$scratch/before.json" "$scratch/after.xt"
check 'a saved report beside a capture: by id where only one knows names' equal "$(grep wait_p99 "$scratch/expected" | cut -d, -f 1,10-12 | sort)" \
    "$(grep wait_p99 "$out" | cut -d, -f 1,10-12 | sort)"

check 'a file to be lost' refuses 'would be lost' diff -o "$scratch/after.json" "$scratch/before.xt" "$scratch/after.json"
check 'a saved report has no parts' refuses 'a saved report has no parts' diff -t 1s, "$scratch/before.json" "$scratch/after.xt"
check 'nor other names' refuses 'with which it was written' diff --names "$scratch/names" "$scratch/before.json" "$scratch/after.xt"

group 'what changed'
run diff -f json "$scratch/before.xma" "$scratch/after.xma"
check 'schema' holds '.schema == "xenmeter.diff/1" and .by == "domain" and .before.quality.verdict == "good" and .after.trace.records > 0
    and .before.noise_interval_ns == 1000000000 and .before.noise_intervals >= 8' "$out"
check 'the capped guest runs more' holds '[.differences[] | select(.name == "capped" and .measure == "running_pct")][0] |
    .change == "significant" and .before > 19 and .before < 21 and .after > 27 and .relative_pct > 30 and .p_value < 0.01 and .noise < .difference' "$out"
check 'at the expense of a hog' holds '[.differences[] | select(.name == "heavy" and .measure == "running_pct")][0] | .change == "significant" and .difference < -3' "$out"
check 'dom0 does not' holds '[.differences[] | select(.name == "dom0" and .measure == "running_pct")][0] | .change == "noise" and .difference != 0 and .p_value > 0.01' "$out"
check 'significant ones first, larger before smaller' holds '[.differences[] | .change == "significant"] as $s | ($s | sort | reverse) == $s
    and ([.differences[] | select(.change == "significant") | .relative_pct // infinite | fabs] | . == (sort | reverse))' "$out"
run diff -q -n 2 -f csv "$scratch/before.xma" "$scratch/after.xma"
check '-n' equal 'significant significant' "$(tail -n +2 "$out" | sed 's/.*,//' | paste -sd' ')"
run diff -q -s before -c running_pct,domain,before -f csv "$scratch/before.xt" "$scratch/after.xt"
check '-s, -c' equal 'domain,before 1 2 3 0' "$(cut -d, -f1 "$out" | sed 's/^domain$/domain,before/' | paste -sd' ')"
run diff -q -d 'cap*,0' -f jsonl "$scratch/before.xma" "$scratch/after.xma"
check '-d: names and ids' equal 'capped dom0' "$(jq -r .name "$out" | sort -u | paste -sd' ')"
run diff "$scratch/before.xma" "$scratch/after.xma"
check 'table: rows with units' says "$out" '^3  *capped  *running_pct  *20\.[0-9]* %  *[23][0-9]\.[0-9]* %  *+[0-9.]* pt  *+[0-9.]* %  *[0-9.]* pt  significant$'
check 'table: ends with the verdict' equal 'verdict: good' "$(tail -n 1 "$out")"
run diff -f tsv "$scratch/before.xma" "$scratch/after.xma"
check 'tsv: the verdicts on standard error' says "$err" '^xenmeter: after good'
head -c 12000000 <(zstd -qdc "$fixture") >"$scratch/shorter.xt"
run diff -q -f jsonl "$fixture" "$scratch/shorter.xt"
check 'the first nine seconds beside all fifteen: shares compare' equal true \
    "$(jq -s 'map(select(.measure == "running_pct")) | length == 4 and all(.[]; .after > .before / 2 and .after < .before * 2)' "$out")"

# Other seeds of the same hosts: nothing may be called significant. By the manual it may be in 1 of 100 comparisons; these are 20.
group 'what chance makes'
for scenario in three-loads credit2-caps; do
    for seed in 1 2 3 4 5; do
        simulated "$scratch/$scenario.$seed.xt" $scenario '.duration_s = 10' --seed $seed
    done
    rows=0
    for a in 1 2 3 4 5; do
        for ((b = a + 1; b <= 5; b++)); do
            run diff -q -f csv "$scratch/$scenario.$a.xt" "$scratch/$scenario.$b.xt"
            check "$scenario, seeds $a and $b" not says "$out" ',significant$'
            rows=$((rows + $(grep -c ',noise$' "$out")))
        done
    done
    check "$scenario: differences there are" test $rows -gt 100
done

group 'who is there in one only'
simulated "$scratch/fewer.xt" $caps 'del(.domains[2])' --seed 1
run diff -q -f jsonl "$scratch/before.xt" "$scratch/fewer.xt"
check 'gone' equal true "$(jq -s 'map(select(.domain == 2)) | length > 3 and all(.[]; .change == "gone" and .after == null and .after_domain == null)' "$out")"
run diff -q -f jsonl "$scratch/fewer.xt" "$scratch/before.xt"
check 'appeared' equal true "$(jq -s 'map(select(.domain == 2)) | length > 3 and all(.[]; .change == "appeared" and .before == null)' "$out")"
sed 's/capped/heavy/; s/^1 heavy/1 capped/' "$scratch/names" >"$scratch/swapped"
run report -q --names "$scratch/swapped" -f json -g total,1s "$scratch/before.xt" -o "$scratch/swapped.json"
run diff -q -f jsonl -c running_pct "$scratch/before.json" "$scratch/swapped.json"
check 'names decide, not ids' equal '[1,3] [3,1]' "$(jq -c 'select(.domain == 1 or .domain == 3) | [.domain, .after_domain]' "$out" | sort | paste -sd' ')"

# The message says so, and the exit code is that.
judges() { # EXIT PATTERN CONDITION [OPTION]...
    run diff -q -f csv --fail-if "$3" "${@:4}" "$scratch/before.xma" "$scratch/after.xma"
    exits "$1" && { [ -z "$2" ] || says "$err" "$2"; } && { [ "$1" -ne 2 ] || is_empty "$out"; }
}
group 'conditions'
check 'a significant rise' judges 1 "'running +20% in capped': fired: capped running_pct 20.*significant" 'running +20% in capped'
check 'of anybody' judges 1 'fired: capped' 'running +20%'
check 'of an id' judges 1 'fired: capped' 'running_pct +20% in 3'
check 'of a pattern' judges 1 'fired: capped' 'running +20% in c*'
check 'not that much' judges 0 '' 'running +300% in capped'
check 'the other way' judges 0 '' 'running -20% in capped'
check 'either way' judges 1 'fired: capped' 'running 20% in capped'
check 'by points' judges 1 'fired: heavy' 'running -3points in heavy'
check 'by points: not that much' judges 0 '' 'running -30points in heavy'
check 'a level' judges 1 'fired: capped' 'running > 25% in all'
check 'a level that is not reached' judges 0 '' 'running>300%'
check 'below a level' judges 1 'fired: dom0' 'running < 15% in dom0'
check 'a wait' judges 1 'fired: light' 'wait_p99 > 5ms in light'
check 'within noise' judges 0 '' 'runnable +0.1% in dom0'
check 'within noise, --any' judges 1 'fired: dom0 runnable_pct.*noise)' 'runnable +0.1% in dom0' --any
run diff -f csv --fail-if 'runnable +0.1% in dom0' "$scratch/before.xma" "$scratch/after.xma"
check 'within noise: says so' says "$err" 'did not fire, within noise: dom0'
check 'any of several' judges 1 'fired: capped' 'running +300%' --fail-if 'running +20%'
run diff -q fixtures/mixed-credit.xt.zst fixtures/mixed-credit.xt.zst --strict
check '--strict: good' exits 0
run diff -q fixtures/mixed-credit.xt.zst fixtures/membuf-credit2.xt.zst --strict
check '--strict: a verdict that is not good is a finding' exits 1
run diff -q fixtures/mixed-credit.xt.zst fixtures/membuf-credit2.xt.zst
check 'without it, it is none' exits 0
check 'no such domain' judges 2 'cannot be judged: there is no such domain' 'running +20% in mail'
check 'no samples' judges 2 'cannot be judged: no value' 'blocked_per_io +20% in capped'
check 'worse than one that holds' judges 2 'cannot be judged' 'running +20% in mail' --fail-if 'running +20%'
check 'no column' judges 2 "'runing' is no column" 'runing +20%'
check 'no unit' judges 2 'wants a unit after 5' 'wait_p99 +5'
check 'a wrong unit' judges 2 "has no unit 'ms'" 'running +5ms'
check 'no number' judges 2 'is no number' 'running +much'
check 'no condition' judges 2 'wanted is COLUMN' 'running'
check 'what follows' judges 2 'wanted is COLUMN' 'running +5% at web'
run diff -q --fail-if 'running +20% in light' --names "$scratch/names" "$scratch/before.xt" "$scratch/fewer.xt"
check 'gone: cannot be judged' exits 2
check 'gone: says so' says "$err" 'a value is missing: light'
run diff -q --fail-if 'running +1%' fixtures/lost-credit2.xt.zst "$fixture"
check 'a poor capture' exits 2
check 'a poor capture: says so' says "$err" 'lost-credit2.xt.zst is poor'

group 'lost records'
run diff -q -f json fixtures/lost-credit2.xt.zst "$fixture"
check 'poor: nothing is significant' holds '.before.quality.verdict == "poor" and ([.differences[].change] | index("significant") == null) and ([.differences[].change] | index("unknown") != null)' "$out"
run diff fixtures/lost-credit2.xt.zst "$fixture"
check 'the worse verdict is that of both' equal 'verdict: poor - because before is poor' "$(tail -n 1 "$out")"

# One error, exit code 2, no output.
hostile() { # WHAT PATTERN TEXT
    printf '%s' "$3" >"$scratch/hostile.json"
    check "$1" refuses "$2" diff "$scratch/hostile.json" "$scratch/after.json"
    check "$1, second" refuses "$2" diff "$scratch/after.json" "$scratch/hostile.json"
}
group 'hostile reports'
document=$(cat "$scratch/before.json")
hostile 'cut short' 'damaged report' "${document:0:20000}"
hostile 'another schema' 'schema' '{"schema": "xenmeter.charge/1", "reports": []}'
hostile 'no reports' 'no row by domain over the whole trace' '{"schema": "xenmeter.report/1", "quality": {"verdict": "good"}}'
hostile 'no verdict' 'no verdict' "$(jq 'del(.quality.verdict)' "$scratch/before.json")"
hostile 'a strange verdict' 'no verdict' "$(jq '.quality.verdict = "great"' "$scratch/before.json")"
hostile 'no whole' 'no row by domain over the whole trace' "$(jq '.reports |= map(select(.granularity_ns > 0))' "$scratch/before.json")"
hostile 'other rows' 'no row by domain' "$(jq '.reports[].by = "vcpu"' "$scratch/before.json")"
hostile 'a column is missing' 'no column wait_p99_ns' "$(jq 'del(.reports[].intervals[].rows[].wait_p99_ns)' "$scratch/before.json")"
hostile 'a number is text' 'wait_p99_ns that cannot be' "$(jq '.reports[].intervals[].rows[].wait_p99_ns = "1"' "$scratch/before.json")"
hostile 'a number is negative' 'running_pct that cannot be' "$(jq '.reports[].intervals[].rows[].running_pct = -1' "$scratch/before.json")"
hostile 'a domain that cannot be' 'domain that cannot be' "$(jq '.reports[].intervals[].rows[].domain = 70000' "$scratch/before.json")"
hostile 'rows twice' 'a row twice' "$(jq '.reports[0].intervals[0].rows |= . + .' "$scratch/before.json")"
hostile 'intervals in the wrong order' 'out of order' "$(jq '.reports[1].intervals |= reverse' "$scratch/before.json")"
hostile 'an interval that ends first' 'ends before it begins' "$(jq '.reports[0].intervals[0].start_ns = 99999999999' "$scratch/before.json")"
hostile 'rows that are none' 'a row is no object' "$(jq '.reports[0].intervals[0].rows = [1]' "$scratch/before.json")"
hostile 'lines that are none' 'line 1: ' '{]'
hostile 'lines of other things' 'line 1: an interval has no' '{"domain": 1}'
hostile 'a line cut short' 'line 2: ' "$(zstd -qdc "$scratch/before.jsonl.zst" | head -n 1)
{\"granularity_ns\":0,"
jq '.reports[].intervals[].rows[].name = "=\u001b[31mevil\u202e"' "$scratch/before.json" >"$scratch/evil.json"
run diff "$scratch/evil.json" "$scratch/evil.json"
check 'names cannot steer a terminal' not grep -qP '\x1b|\xe2\x80\xae' "$out"
run diff -q -f csv "$scratch/evil.json" "$scratch/evil.json"
check 'nor run in a spreadsheet' says "$out" ",'="
run diff -q -f csv --raw-names "$scratch/evil.json" "$scratch/evil.json"
check '--raw-names' grep -qP '\x1b' "$out"

group 'output'
for name in x.csv x.tsv x.json x.jsonl x.txt; do
    run diff -q "$scratch/before.json" "$scratch/after.json" -o "$dir/$name.zst"
    check "$name.zst is zstd" zstd -qt "$dir/$name.zst"
    run diff -q "$scratch/before.json" "$scratch/after.json" -o "$dir/$name"
    check "$name.zst holds $name" equal "$(zstd -qdc "$dir/$name.zst" | sha256sum)" "$(sha256sum <"$dir/$name")"
done
for format in table csv json jsonl; do
    timeout "$LIMIT" "$XENMETER" diff -q -f $format "$scratch/before.json" "$scratch/after.json" >/dev/full 2>"$err"
    status=$?
    check "$format: full device" exits 2
    check "$format: full device is said" says "$err" 'No space left'
done
run diff -c help
check '-c help lists what captures are compared by' says "$out" '^  wait_p99_ns '
check '-c help lists columns' says "$out" '^  relative_pct '

finish
