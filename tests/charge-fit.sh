#!/bin/bash
# xenmeter charge --fit: options and messages, formats, weights that can be used. How right they are: tests/truth/fit.sh.
# shellcheck source=tests/lib.sh disable=SC2016,SC2317 # functions are called through check
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/truth/lib.sh
. tests/truth/lib.sh

fixture=fixtures/disk-net.xt.zst
truth=fixtures/disk-net.truth
log_of $truth >"$scratch/log"

refuses() { # PATTERN ARGUMENT...
    local pattern=$1
    shift
    run charge --fit "$@" </dev/null
    refused_once && says "$err" "$pattern"
}
fit() { run charge --fit -g 500ms --io-counts "$scratch/log" "$@" $fixture; }
holds() { jq -es "$1" "$out" >/dev/null; } # JQ-FILTER of a list of the values

group 'nothing to fit from'
check 'no measured times' refuses 'wants measured times: --io-counts FILE with CPU times' $fixture
check 'counts without CPU times' refuses 'wants measured times' --io-counts $truth/io-counts.csv $fixture
check 'too few intervals' refuses 'cover 2 whole intervals, at least 3' --io-counts "$scratch/log" $fixture
check 'readings that are too far apart' refuses 'less often than once in an interval' -g 100ms --io-counts "$scratch/log" $fixture
check 'no events of these kinds' refuses 'fewer than 20 events' -g 500ms --charge-by transfers --io-counts "$scratch/log" $fixture
check 'no guest is left' refuses 'fewer than 20 events' -g 500ms -d 9 --io-counts "$scratch/log" $fixture
sed 's/^\([0-9]*\),0,/\1,5,/; s/^tsc,domain/&,idd/; /^[0-9]/ s/^[0-9]*,[0-9]*/&,7/' "$scratch/log" >"$scratch/other"
check 'times of another driver domain' refuses 'cover 0 whole intervals' -g 500ms --io-counts "$scratch/other" $fixture
check 'nothing is written' refuses 'wants measured times' -o "$scratch/none" $fixture
check 'nothing is left' [ ! -e "$scratch/none" ]

group 'wrong arguments'
check 'live' refuses '--live does not go with --fit' --live 1s $fixture
check 'own time is not shared out' refuses '--charge-all does not go with --fit' --charge-all $fixture
check 'one length of interval' refuses 'wants one length of interval' -g 1s,2s $fixture
check 'a column of charges' refuses 'unknown column "charged_ns"' -c charged_ns --io-counts "$scratch/log" $fixture
run report --fit $fixture
check 'report has none' says "$err" "no option '--fit'"

group 'formats'
fit
cp "$out" "$scratch/table"
check 'table' exits 0
check 'a row for each kind' equal 'send recv read write' "$(awk '/^(send|recv|read|write) / { print $1 }' "$out" | paste -sd' ')"
check 'how good it is' says "$out" '^in 4 intervals driver domains ran 1\.9.* of it .* for guests$'
check 'and how far off' says "$out" '^the costs explain 9[0-9] % of that, and are off by [0-9]* % for a guest in an interval$'
line=$(grep '^--weights ' "$out")
check 'a line of weights' says "$out" '^--weights send=[0-9.]*,recv=[0-9.]*,read=[0-9.]*$'
fit -f csv
check 'csv: header' equal 'kind,cost_ns,error_ns,events,explained_pct,weight,state,with' "$(head -n 1 "$out")"
check 'csv: what is not known is empty' equal 'write,,,0,,,no events,' "$(tail -n 1 "$out")"
check 'csv: the weights on standard error' equal "$line" "$(sed -n 's/^xenmeter: \(--weights .*\)/\1/p' "$err")"
fit -f jsonl -q
check 'jsonl: quiet' is_empty "$err"
check 'jsonl: what is not known is null' holds 'map(select(.kind == "write")) == [{granularity_ns: null, kind: "write", cost_ns: null, error_ns: null,
    events: 0, explained_pct: null, weight: null, state: "no events", with: null}]'
check 'jsonl: costs and errors are above 0' holds 'map(select(.state == "known")) | length == 3 and all(.[]; .cost_ns > 0 and .error_ns > 0)'
check 'jsonl: weights are in the proportion of costs' holds 'map(select(.weight) | .cost_ns / .weight) | (max - min) / max < 1e-5'
jq -c 'del(.granularity_ns)' "$out" >"$scratch/jsonl"
fit -f json
check 'json: schema' holds '.[0].schema == "xenmeter.charge-fit/1"'
check 'json: the same rows' equal "$(jq -cS . "$scratch/jsonl")" "$(jq -cS '.reports[0].intervals[0].rows[]' "$out")"
check 'json: the same weights' equal "$line" "--weights $(jq -r .fit.weights "$out")"
check 'json: the kinds explain what all explain' holds '.[0] | (.reports[0].intervals[0].rows | map(.explained_pct // 0) | add) as $pct
    | (100 * .fit.explained_ns / .fit.driver_domains_ns - $pct | fabs) < 0.01'
check 'json: how it was charged' holds '.[0].method | .charge_by_auto and .io_counts != null'
fit -s cost_ns -n 1 -c kind -f csv
check 'order, limit, columns' equal 'kind read' "$(paste -sd' ' "$out")"
fit -d 3 -f csv -q
check '-d: by this guest alone' says "$out" '^send,,,0,,,no events,$'
fit --charge-by copies,notifications -f csv -q
check '--charge-by: the kinds that are fitted' equal 'kind notify copy' "$(cut -d, -f1 "$out" | paste -sd' ')"

group 'weights can be used'
# shellcheck disable=SC2086 # an option and its value
run charge -q -f json --io-counts "$scratch/log" --charge-by packets $line $fixture
check 'as an option' exits 0
check 'they are in force' equal "$(jq -r 'select(.kind == "recv").weight' "$scratch/jsonl")" "$(jq -r '.method.weights.rx' "$out")"

group 'a file, a pipe, an archive'
run charge --fit -g 500ms --io-counts "$scratch/log" - <$fixture
check 'through a pipe' cmp -s "$scratch/table" "$out"
"$XENMETER" archive create -q --with-trace --io-counts "$scratch/log" -o "$scratch/with.xma" $fixture
run charge --fit -g 500ms "$scratch/with.xma"
check 'of an archive, with the counts that it keeps' equal "$line" "$(grep '^--weights ' "$out")"
"$XENMETER" archive create -q --io-counts "$scratch/log" -o "$scratch/without.xma" $fixture
run charge --fit -g 500ms "$scratch/without.xma"
check 'without the trace: exit code 2' exits 2
check 'and why' says "$err" 'results that were kept do not suffice .*, and the trace was not kept'

group 'a recording'
run charge --fit -g 100ms -f csv -q --charge-by notifications --dom0-trace fixtures/cases/dom0-trace.txt.zst fixtures/cases/dom0-trace.xt.zst
check 'exit code' exits 0
check 'a cost' says "$out" '^notify,[1-9][0-9]*,[1-9][0-9]*,96,'

finish
