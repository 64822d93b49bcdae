#!/bin/bash
# xenmeter blame: its options and messages, and that delays are the runnable time of report, in every format.
# shellcheck source=tests/lib.sh disable=SC2016,SC2317 # functions are called through check
. "$(dirname "$0")/lib.sh"

fixture=fixtures/mixed-credit.xt.zst
dir=$scratch/dir
mkdir "$dir"

group 'wrong arguments'
check 'no rows of executions' refuses 'no rows of executions' blame -g execution "$fixture"
check 'no --by' refuses "no option '--by'" blame -b vcpu "$fixture"
check 'no charges' refuses "no option '--idd'" blame --idd 0 "$fixture"
check 'unknown column, the nearest' refuses 'unknown column "delayd_ns"; the nearest is delayed_ns' blame -c delayd_ns "$fixture"
check 'a column of another relation' refuses 'unknown column "wakes"' blame -s wakes "$fixture"
check 'unknown format, suggestion' refuses "did you mean 'json'" blame -f jsn "$fixture"
check 'a part after the end' refuses 'the trace ends at' blame -t 99s, "$fixture"
check 'too little memory' refuses 'max-memory' blame --max-memory 1 "$fixture"
check 'no capture' refuses 'README.md' blame README.md
check 'a missing capture leaves nothing' refuses 'No such file' blame -o "$dir/x.csv" "$dir/missing"
check 'nothing is left' [ -z "$(ls -A "$dir")" ]

# Sums of delayed_ns by granularity, interval and vCPU beside runnable_ns of the report.
group 'delays are the runnable time'
for name in fixtures/*.xt.zst; do
    base=$(basename "$name" .xt.zst)
    for part in '' '-t 1.1s,1.9s'; do
        # shellcheck disable=SC2086 # words
        run blame -q $part -g total,1s,250ms,7ms -f csv -c granularity_ns,start_ns,victim,victim_life,victim_vcpu,delayed_ns "$name"
        check "$base $part" exits 0
        cp "$out" "$scratch/delays"
        # shellcheck disable=SC2086 # words
        run report -q $part -b vcpu -g total,1s,250ms,7ms -f csv \
            -c granularity_ns,start_ns,domain,life,vcpu,runnable_ns,before_seen_ns "$name"
        check "$base $part: to the ns" awk -F, '
            FNR == 1 { file++; next }
            { key = $1 " " $2 " " $3 " " $4 " " $5 }
            file == 1 { sum[key] += $6; next }
            { rows++; ns = sum[key] + 0; delete sum[key] }
            ns > $6 || ns < $6 - $7 { bad++ }
            END { for (key in sum) bad++; exit bad || rows < 5 }' "$scratch/delays" "$out"
    done
    run blame -q -g total,1s,250ms,7ms -f csv "$name"
    check "$base: finer intervals add up, their longest is the longest" awk -F, '
        NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
        { pair = $at["victim"] "." $at["victim_life"] "." $at["victim_vcpu"] " " $at["culprit"] "." $at["culprit_life"] " " $at["culprit_kind"]
          g = $at["granularity_ns"]; ns[pair, g] += $at["delayed_ns"]; n[pair, g] += $at["count"]
          if ($at["max_ns"] > max[pair, g] + 0) max[pair, g] = $at["max_ns"]
          pairs[pair]; lengths[g] }
        END { for (p in pairs) for (g in lengths)
                  if (ns[p, g] != ns[p, 0] || n[p, g] != n[p, 0] || max[p, g] + 0 != max[p, 0] + 0) bad = 1
              exit bad }' "$out"
    [ -n "$QUICK" ] && break
done

group 'the same on every road'
run blame -q -g total,100ms -f csv "$fixture"
cp "$out" "$scratch/file"
zstd -qdc "$fixture" >"$scratch/plain.xt"
run blame -q -g total,100ms -f csv "$scratch/plain.xt"
check 'plain' same "$scratch/file" "$out"
run blame -q -g total,100ms -f csv - < <(cat "$scratch/plain.xt")
check 'pipe' same "$scratch/file" "$out"
run blame -q -g total --live 100ms -f csv - < <(cat "$scratch/plain.xt")
check 'live' equal "$(sort "$scratch/file" | sha256sum)" "$(sort "$out" | sha256sum)"
"$XENMETER" archive create -q --with-trace "$fixture" -o "$scratch/with.xma"
run blame -q -g total,100ms -f csv "$scratch/with.xma"
check 'an archive that kept its trace' same "$scratch/file" "$out"
for part in 3s,8s '9.123s,' ',1.5s'; do
    run blame -q -g total,100ms -f csv -t $part "$fixture"
    cp "$out" "$scratch/part"
    run blame -q -g total,100ms -f csv -t $part "$scratch/with.xma"
    check "a part of it: $part" same "$scratch/part" "$out"
done
"$XENMETER" archive create -q "$fixture" -o "$scratch/without.xma"
check 'an archive that did not' refuses 'was not kept' blame "$scratch/without.xma"

group 'what to show'
run blame -q -f jsonl "$fixture"
cp "$out" "$scratch/all"
check 'jsonl: every row has its interval' equal true "$(jq -s 'all(.[]; .granularity_ns == 0 and .end_ns > 0)' "$out")"
run blame -q -f json -g 5s,total "$fixture"
check 'json: schema' holds '.schema == "xenmeter.blame/1" and .trace.records > 0 and (.quality.verdict | IN("good", "degraded", "poor"))' "$out"
check 'json: reports' holds '[.reports[].granularity_ns] == [5000000000, 0] and all(.reports[]; .by == "delays")
    and ([.reports[0].intervals[].start_ns] == [0, 5000000000, 10000000000, 15000000000])' "$out"
check 'json has the rows of jsonl' equal "$(jq -s 'map(.delayed_ns) | add' "$scratch/all")" \
    "$(jq '[.reports[1].intervals[].rows[].delayed_ns] | add' "$out")"
check 'culprits are domains, the idle loop, or not known' equal true "$(jq -s 'all(.[]; (.culprit_kind == "domain") == (.culprit != null))
    and (map(.culprit_kind) | unique - ["domain", "idle", "unknown"] == [])' "$scratch/all")"
run blame -q -f jsonl -d 2 "$fixture"
check '-d: these victims' equal "$(jq -c 'select(.victim == 2)' "$scratch/all")" "$(jq -c . "$out")"
run blame -q -f csv -c victim,victim_vcpu,culprit,delayed_ns -n 3 "$fixture"
check '-n: the largest delays' equal \
    "$(jq -rs 'sort_by(-.delayed_ns)[:3][] | "\(.victim),\(.victim_vcpu),\(.culprit),\(.delayed_ns)"' "$scratch/all")" "$(tail -n +2 "$out")"
check '-c: these columns' equal victim,victim_vcpu,culprit,delayed_ns "$(head -n 1 "$out")"
run blame -q -f csv -c max_ns -s max_ns -n 2 "$fixture"
check '-s: the longest' equal "$(jq -s 'map(.max_ns) | sort | reverse | .[:2][]' "$scratch/all")" "$(tail -n +2 "$out")"
for pcpu in 0 1; do
    run blame -q -f jsonl -p $pcpu "$fixture"
    cp "$out" "$scratch/p$pcpu"
done
check '-p: the pCPUs together are the host' equal "$(jq -s 'map(.delayed_ns) | add' "$scratch/all")" \
    "$(jq -s 'map(.delayed_ns) | add' "$scratch/p0" "$scratch/p1")"
run blame -q -f jsonl -t ,5s "$fixture"
cp "$out" "$scratch/first"
run blame -q -f jsonl -t 5s, "$fixture"
check '-t: two parts are the whole' equal "$(jq -s 'map(.delayed_ns, .count) | add' "$scratch/all")" \
    "$(jq -s 'map(.delayed_ns, .count) | add' "$scratch/first" "$out")"
printf '0 Domain-0\n2 web\n' >"$scratch/names"
run blame -q --names "$scratch/names" "$fixture"
check '--names' says "$out" '^2  *web  *0 .*Domain-0'
check 'table: a row of sums' says "$out" '^sum '
check 'table: ends with the verdict' equal verdict: "$(tail -n 1 "$out" | cut -d' ' -f1)"
run blame -f csv "$fixture"
check 'csv: the verdict on standard error' says "$err" '^xenmeter: verdict '
run blame -q -f csv "$fixture"
check '-q: nothing on standard error' is_empty "$err"
for name in x.csv x.json x.jsonl x.txt; do
    run blame -q "$fixture" -o "$dir/$name.zst"
    check "$name.zst is zstd" zstd -qt "$dir/$name.zst"
    run blame -q "$fixture" -o "$dir/$name"
    check "$name.zst holds $name" equal "$(zstd -qdc "$dir/$name.zst" | sha256sum)" "$(sha256sum <"$dir/$name")"
done
for format in table csv json jsonl; do
    timeout "$LIMIT" "$XENMETER" blame -q -f $format -g 10ms "$fixture" >/dev/full 2>"$err"
    status=$?
    check "$format: full device" exits 2
    check "$format: full device is said" says "$err" 'No space left'
done

group 'a signal ends a live run well'
mkfifo "$scratch/fifo"
"$XENMETER" blame -q --live 1s -g total -f csv - <"$scratch/fifo" >"$out" 2>"$err" &
pid=$!
exec 7>"$scratch/fifo"
head -c 20000000 "$scratch/plain.xt" >&7
rows_came() { [ "$(wc -l <"$out")" -gt 100 ]; }
check 'rows come as it goes' soon rows_came
kill -TERM $pid
wait $pid
status=$?
exec 7>&-
check 'exit code' exits 0
check 'intervals, and the whole as far as it is attributed' awk -F, '
    NR > 1 { sum[$1] += $12; end[$1] = $3 } END { exit !(sum[0] >= sum[1000000000] && end[0] >= end[1000000000] && end[0] > 0) }' "$out"

finish
