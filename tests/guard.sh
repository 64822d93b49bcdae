#!/bin/bash
# xenmeter guard: its options, policies and messages, and that it decides by what charge charges, on every road.
# shellcheck source=tests/lib.sh disable=SC2016,SC2317 # functions are called through check
. "$(dirname "$0")/lib.sh"

fixture=fixtures/mixed-credit.xt.zst
case=fixtures/cases/debts.xt.zst
dir=$scratch/dir
policy=$scratch/policy.json
mkdir "$dir"

guard() { run guard -q -f jsonl "$@"; }
rows_hold() { jq -se "$1" "$2" >/dev/null; } # the same of all rows of JSON lines

group 'wrong arguments'
check 'no limit' refuses 'wants --limit .* or --policy FILE' guard "$fixture"
check 'both' refuses 'only one of --limit' guard --limit 1=1% --policy /dev/null "$fixture"
for bad in 1 1= =10% 1=60 1=60ms 1=-5% 1=0% 1=100.000001% 1=101% 1=1e1% 1=10%% 1=1.1234567% 32752=1% 99999999999=1% '' ',' '1=1%,' '*=1%,*=1%' \
    1=1%,1=2% '@0=1%' '1@=1%' '1@32752=1%' '0=5%' '0@2=5%'; do
    check "--limit '$bad'" refuses '^xenmeter: --limit ' guard --limit "$bad" "$fixture"
done
for bad in '--window 500' '--window 0s' '--window 999us' '--window 2h' '--max-hold 10%' '--max-hold 0s' '--min-certain 10' '--min-certain 101%' \
    '--min-certain -1%' '--live 100us' '--live 2h' '--live 1s --window 2s' '--protect 40000' '--protect 1,,2' '--protect web'; do
    # shellcheck disable=SC2086 # words
    check "$bad" refuses "^xenmeter: ${bad%% *}" guard --limit 1=10% $bad "$fixture"
done
check 'a hold shorter than a window' refuses 'max_hold: a guest is held for one window at least' \
    guard --limit 1=10% --window 2s --max-hold 1s "$fixture"
check 'no names are known' refuses '--limit web=10%: no names of domains are known: give --names' guard --limit web=10% "$fixture"
printf '0 Domain-0\n1 burn\n2 web\n7 web\n' >"$scratch/names"
names=(--names "$scratch/names")
check 'no such name' refuses '--limit wbe=10%: no domain has this name' guard "${names[@]}" --limit wbe=10% "$fixture"
check 'by id and name' refuses '--limit web=5%: the same as --limit 2=10%' guard "${names[@]}" --limit 2=10%,web=5% "$fixture"
check 'at one driver domain, by id and name' refuses 'the same as --limit 2@0=10%' guard "${names[@]}" --limit 2@0=10%,web@Domain-0=5% "$fixture"
check 'domain 0 by its name' refuses 'domain 0 is never acted on' guard "${names[@]}" --limit Domain-0=5% "$fixture"
check 'a guest that never appears' refuses 'fixtures/.*: --limit 77=10%: this domain never appears' guard --limit 1=10%,77=10% "$fixture"
check 'a driver domain that never appears' refuses '--limit 1@77=10%: this domain never appears' guard --limit 1@77=10% "$fixture"
check 'it leaves no file' refuses 'never appears' guard --limit 77=10% -o "$dir/x.csv" "$fixture"
for bad in execution 1s '' total,,interval; do
    check "-g '$bad'" refuses 'is neither interval .* nor total' guard --limit 1=10% -g "$bad" "$fixture"
done
check 'charges are asked for as in charge' refuses 'io-counts' guard --limit 1=10% --charge-by packets "$fixture"
check 'unknown column, the nearest' refuses 'unknown column "chargd_ns"; the nearest is charged_ns' guard --limit 1=10% -c chargd_ns "$fixture"
check 'no capture' refuses 'README.md' guard --limit 1=10% README.md
check 'a part after the end' refuses 'the trace ends at' guard --limit 1=10% -t 99s, "$fixture"
check 'the frequency is not known' refuses 'give it with --cpu-hz' guard --limit 1=10% "$case"
check 'a missing capture leaves nothing' refuses 'No such file' guard --limit 1=10% -o "$dir/x.csv" "$dir/missing"
check 'nothing is left' [ -z "$(ls -A "$dir")" ]

group 'wrong policies'
wrong() { # PATTERN JSON: the message begins with the file and the place
    printf '%s' "$2" >"$policy"
    refuses "^xenmeter: $policy: $1" guard --policy "$policy" "${names[@]}" "$fixture"
}
one='"domains":{"1":{"limit":"10%"}}'
check 'empty' wrong 'line 1: is not JSON' ''
check 'a key given twice' wrong 'line 3: is not JSON: duplicate' $'{"domains":{\n"1":{"limit":"1%"},\n"1":{"limit":"2%"}}}'
check 'a list' wrong 'the policy: wants an object' '[1]'
check 'no limit' wrong 'there is no limit in it' '{"window":"1s"}'
check 'no limit in domains' wrong 'there is no limit in it' '{"domains":{}}'
check 'unknown key, suggestion' wrong "windw: there is no such key, did you mean 'window'" "{$one,\"windw\":\"1s\"}"
check 'a policy of debts' wrong 'domains.1.share: there is no such key; there are limit, driver_domains' '{"domains":{"1":{"share":"10%"}}}'
check 'unknown key in default' wrong 'default.weight: there is no such key' '{"default":{"limit":"1%","weight":3}}'
check 'a key that steers terminals' wrong 'domains.a?b.x: there is no such key' '{"domains":{"a\u001bb":{"x":1}}}'
check 'a limit as a number' wrong 'domains.1.limit: wants a text with its unit' '{"domains":{"1":{"limit":5}}}'
check 'a limit above all' wrong "domains.1.limit: '100.1%' is not a part of a driver domain's CPU" '{"domains":{"1":{"limit":"100.1%"}}}'
check 'a limit of nothing' wrong "default.limit: '0%' is not a part" '{"default":{"limit":"0%"}}'
check 'neither limit' wrong 'domains.1: wants a "limit", or "driver_domains"' '{"domains":{"1":{}}}'
check 'a limit at a driver domain' wrong "domains.1.driver_domains.2: '200%' is not a part" '{"domains":{"1":{"driver_domains":{"2":"200%"}}}}'
check 'limits at driver domains in a list' wrong 'domains.1.driver_domains: wants an object' '{"domains":{"1":{"driver_domains":["2"]}}}'
check 'an unknown driver domain' wrong 'domains.1.driver_domains.nt: no domain has this name' '{"domains":{"1":{"driver_domains":{"nt":"2%"}}}}'
check 'domain 0' wrong 'domains.0: domain 0 is never acted on' '{"domains":{"0":{"limit":"5%"}}}'
check 'an id that no domain has' wrong 'domains.65535: ids of domains are below' '{"domains":{"65535":{"limit":"1%"}}}'
check 'an unknown name' wrong 'domains.wbe: no domain has this name' '{"domains":{"wbe":{"limit":"1%"}}}'
check 'one domain twice' wrong 'domains.web: the same as domains.2' '{"domains":{"2":{"limit":"1%"},"web":{"limit":"1%"}}}'
for key in window max_hold settle probation stale; do
    check "$key without a unit" wrong "$key: '500' is not a length of time from 1ms to 1h" "{$one,\"$key\":\"500\"}"
    check "$key as a number" wrong "$key: wants a text with its unit" "{$one,\"$key\":500}"
done
for key in hysteresis min_certain max_lost; do
    check "$key above all" wrong "$key: '101%' is not a part from 0% to 100%" "{$one,\"$key\":\"101%\"}"
    check "$key without a unit" wrong "$key: '10' is not a part" "{$one,\"$key\":\"10\"}"
done
for bad in 0 21 '"3"' 1.5; do check "steps $bad" wrong 'steps: wants a whole number from 1 to 20' "{$one,\"steps\":$bad,\"actions\":{\"network\":\"rate=800\"}}"; done
check 'steps of nothing' wrong 'steps: no action has a number that could be doubled' "{$one,\"steps\":3}"
check 'a hold shorter than a window' wrong 'max_hold: a guest is held for one window' "{$one,\"window\":\"2s\",\"max_hold\":\"1s\"}"
check 'exempt as a text' wrong 'exempt: wants a list' "{$one,\"exempt\":\"web\"}"
check 'exempt as a number' wrong 'exempt\[0\]: wants a text' "{$one,\"exempt\":[2]}"
check 'an unknown exempt' wrong 'exempt\[1\]: no domain has this name' "{$one,\"exempt\":[\"web\",\"wbe\"]}"
check 'an action for nothing' wrong "actions.netwrk: there is no such key, did you mean 'network'" "{$one,\"actions\":{\"netwrk\":\"drop\"}}"
for bad in '' 'a b' 'rm;' "$(printf 'a%.0s' {1..40})" '$(x)'; do
    check "an action '$bad'" wrong 'actions.disk: is not the name of an action' "{$one,\"actions\":{\"disk\":\"$bad\"}}"
done
check 'a policy that is not there' refuses 'nowhere: cannot read the policy: No such file' guard --policy "$scratch/nowhere" "$fixture"
printf '{%s}' "$one" >"$policy"
check 'it is not overwritten' refuses 'would be lost' guard --policy "$policy" -o "$policy" "$fixture"
printf '{"domains":{"1":{"limit":"10%%"},"77":{"limit":"10%%"}}}' >"$policy"
check 'a domain that never appears' refuses "$policy, domains.77: this domain never appears" guard --policy "$policy" "$fixture"

# Charges of fixtures/cases/debts (fixtures/README.md): in windows of 100 ms domain 1 is charged 2 ms, domain 2 4 ms in the first.
group 'the decisions, by hand'
decisions() { # ARGUMENT...: "start domain charged decision" in ms
    "$XENMETER" guard -q --cpu-hz 1G --window 100ms -f jsonl "$@" "$case" |
        jq -r '"\(.start_ns / 1e6) \(.domain) \(.charged_ns / 1e6) \(.decision)"'
}
check 'domain 2 is over 3 %: 4 ms are 3 % of 134 ms, two windows' equal $'0 2 4 block\n100 2 0 release' "$(decisions --limit 2=3% -t ,200ms)"
check 'over 1 %: four windows' equal $'0 2 4 block\n100 2 0 hold\n200 2 0 hold\n300 2 0 release' "$(decisions --limit 2=1% -t ,400ms)"
printf '{"steps":2,"actions":{"network":"rate=100"},"domains":{"2":{"limit":"3%%"}}}' >"$policy"
check 'in steps: when its average is back the number is doubled, twice' \
    equal $'0 block rate=100 network\n100 hold rate=200 network\n200 hold rate=400 network\n300 release let network' \
    "$("$XENMETER" guard -q --cpu-hz 1G --window 100ms -f jsonl --policy "$policy" -t ,400ms "$case" | jq -r '"\(.start_ns / 1e6) \(.decision) \(.action)"')"
check 'at its limit it is not over it' equal '0 2 4 pass' "$(decisions --limit 2=4% -t ,100ms)"
check 'the further one first' equal $'0 1 2 wait\n0 2 4 block' "$(decisions --limit '*=1%' -t ,100ms)"
check 'exempt' equal $'0 1 2 block\n0 2 4 exempt' "$(decisions --limit '*=1%' --protect 2 -t ,100ms)"

group 'exit status'
run guard -q --limit 1=5% "$fixture"
check 'an offender' exits 1
run guard -q --limit 1=50% "$fixture"
check 'none' exits 0
run guard -q --limit '*=1%' --min-certain 100% -g total "$fixture"
check 'nobody is held on charges that are inferred in part' exits 0
run guard -q --limit '*=1%' -g total -o "$dir/out.csv" "$fixture"
check 'with an output' exits 1
check 'which is there' test -s "$dir/out.csv"

group 'evidence'
guard --limit '*=5%' "$fixture"
cp "$out" "$scratch/rows"
check 'charges are those of charge' cmp \
    <(jq -r 'select(.charged_ns > 0) | "\(.start_ns) \(.domain) \(.driver_domain) \(.charged_ns) \(.certain_ns)"' "$scratch/rows") \
    <("$XENMETER" charge -q -g 200ms -f jsonl "$fixture" | jq -r 'select(.recipient == "guest" and .charged_ns > 0) | "\(.start_ns) \(.domain) \(.idd) \(.charged_ns) \(.certain_ns)"')
check 'what a charge rests on adds up' rows_hold 'all(.[]; .measured_ns + .certain_ns + .inferred_ns == .charged_ns)' "$scratch/rows"
check 'a block is over its limit, and less is unknown' rows_hold 'all(.[] | select(.decision == "block"); .charged_pct > .limit_pct and .unattributed_ns + .unknown_ns <= .charged_ns)' "$scratch/rows"
check 'only blocks and releases have an action' rows_hold 'all(.[]; (.action != null) == (.decision == "block" or .decision == "release"))' "$scratch/rows"
check 'all but passes have a reason' rows_hold 'all(.[] | select(.decision != "pass"); .reason != null)' "$scratch/rows"
check 'nobody is blocked twice in a row' rows_hold \
    'all(group_by(.domain)[]; [.[] | select(.decision == "block" or .decision == "release") | .decision] | [range(1; length) as $i | .[$i] != .[$i - 1]] | all)' "$scratch/rows"
guard --limit '*=5%' -g action "$fixture"
check '-g action: the same rows with an action' cmp <(jq -c 'select(.action)' "$scratch/rows") <(jq -c . "$out")
guard --limit '*=5%' -g total "$fixture"
check '-g total: their sums' equal "$(jq -sc 'group_by(.domain)[] | [.[0].domain, (map(.charged_ns) | add), (map(.blocks) | add), (map(.held_ns) | add), length]' "$scratch/rows")" \
    "$(jq -c '[.domain, .charged_ns, .blocks, .held_ns, .windows]' "$out")"
guard --limit '*=5%' --live 200ms "$fixture"
check '--live: the same decisions' cmp "$scratch/rows" "$out"
guard --limit '*=5%' - <"$fixture"
check 'from a pipe: the same decisions' cmp "$scratch/rows" "$out"
"$XENMETER" archive create -q --with-trace "$fixture" -o "$scratch/a.xma"
guard --limit '*=5%' "$scratch/a.xma"
check 'from an archive: the same decisions' cmp "$scratch/rows" "$out"
printf '{"default":{"limit":"5%%"}}' >"$policy"
guard --policy "$policy" "$fixture"
check 'from a file: the same decisions' cmp "$scratch/rows" "$out"
printf '{"default":{"limit":"50%%"},"window":"1s","domains":{"2":{"limit":"50%%","driver_domains":{"0":"5%%"}}}}' >"$policy"
guard --policy "$policy" --window 200ms -d 2 "$fixture"
check 'options before the file, the closest limit' cmp <("$XENMETER" guard -q -f jsonl --limit 2=5% "$fixture") "$out"

guard --limit '*=5%' --min-certain 80% "$fixture"
check '--min-certain' rows_hold 'all(.[] | select(.decision == "block"); .certain_pct >= 80) and any(.[]; (.reason // "") | startswith("too little"))' "$out"

group 'what to show'
for format in table csv json jsonl; do
    run guard -q -f "$format" --limit '*=5%' -g interval,total "$fixture"
    check "$format" exits 1
done
guard --limit '*=5%' -n 1 -s charged_ns "$fixture"
check '-n and -s: the largest of each window' rows_hold '(group_by(.start_ns) | all(.[]; length == 1))' "$out"
guard --limit '*=5%' -c domain,decision "$fixture"
check '-c' equal '1 wait' "$(head -n 1 "$out" | jq -r '"\(.domain) \(.decision)"')"
run guard -q -f json --limit '*=5%' -g total "$fixture"
check 'json tells of the method' rows_hold '.[0].schema == "xenmeter.guard/1" and (.[0].method.charge_by | length) > 0' "$out"

group 'replay'
# A log of a guard that only observes, with a limit that nobody reaches; then each policy decides on it as on the capture.
hook=$PWD/tests/fake-hook
export FAKE_HOOK=$scratch/hook
mkdir "$FAKE_HOOK"
printf '1\n2\n3\n' >"$FAKE_HOOK/guests"
log=$scratch/log.jsonl
observe() { # FILE: a log of it
    rm -f "$log"
    "$XENMETER" guard -q --limit '*=100%' --names "$scratch/names" --hook "$hook" --mode observe --log "$log" -g total -o /dev/null "$1"
}
printf '1 mail\n2 web\n3 hog\n' >"$scratch/names"
replay() { run guard replay -q -f jsonl "$@" "$log"; }
for capture in "$fixture" fixtures/lost-credit2.xt.zst fixtures/disk-net.xt.zst; do
    observe "$capture"
    for limits in '*=5%' '1=5%,2=2%' '2@0=1%,*=3%'; do
        guard --limit "$limits" --names "$scratch/names" -g interval,total "$capture"
        mv "$out" "$scratch/direct"
        direct=$status
        replay --limit "$limits" -g interval,total
        check "$capture, $limits: what the capture says" cmp "$scratch/direct" "$out"
        check "$capture, $limits: the same exit code" exits "$direct"
    done
done
observe "$fixture"
printf '{"default":{"limit":"5%%"},"exempt":["web"],"min_certain":"80%%","max_hold":"400ms","domains":{"hog":{"limit":"1%%"}}}' >"$policy"
guard --policy "$policy" --names "$scratch/names" "$fixture"
mv "$out" "$scratch/direct"
replay --policy "$policy"
check 'a policy with names' cmp "$scratch/direct" "$out"
for format in table csv; do
    run guard replay -q -f $format --limit 2=2% -g action,total "$log"
    check "$format" exits 1
done
replay --limit '*=90%'
check 'nobody' exits 0
zstd -q "$log" -o "$log.zst"
check 'a compressed log' cmp <("$XENMETER" guard replay -q -f csv --limit 2=2% "$log") <("$XENMETER" guard replay -q -f csv --limit 2=2% "$log.zst")
cat "$log" "$log" >"$scratch/twice.jsonl"
check 'two runs in one log: one after the other' equal true "$("$XENMETER" guard replay -q -f jsonl --limit '*=5%' "$scratch/twice.jsonl" | jq -s '[.[].start_ns] | . == sort and .[-1] > 15e9')"
jq -c 'select(.event == "window" and (.start_ns / 2e8) % 10 != 4)' "$log" >"$scratch/gaps.jsonl"
check 'a gap is windows without charges' equal "$(wc -l <"$log")" "$("$XENMETER" guard replay -q -f jsonl --limit 2=2% "$scratch/gaps.jsonl" | jq -s 'length')"
check 'no limits' refuses 'wants --limit .* or --policy FILE' guard replay "$log"
check 'no log' refuses 'wants one LOG' guard replay --limit 1=1%
check 'standard input' refuses 'wants one LOG, a file' guard replay --limit 1=1% -
check 'another window' refuses 'window: the windows of the log are 200 ms long' guard replay --policy <(echo '{"default":{"limit":"5%"},"window":"1s"}') "$log"
check 'a guest that is not in it' refuses '7=5%: this domain is not in the log' guard replay --limit 7=5% "$log"
check 'a name that is not in it' refuses 'no domain has this name' guard replay --limit none=5% "$log"
check 'a capture' refuses 'line 1: is no line of a log of decisions' guard replay --limit '*=5%' <(zstd -qdc "$fixture")
check 'an empty log' refuses 'empty' guard replay --limit '*=5%' /dev/null
check 'a log of something else' refuses 'no window is in it' guard replay --limit '*=5%' <(echo '{"controller":"debt","event":"decision"}')
check 'the log as output' refuses 'it would be lost' guard replay --limit '*=5%' -o "$log" "$log"
damaged() { # FILTER PATTERN
    head -n 3 "$log" | jq -c "$1" >"$scratch/damaged.jsonl"
    check "damaged: $1" refuses "$2" guard replay --limit '*=5%' "$scratch/damaged.jsonl"
}
damaged 'del(.end_ns)' "line 1: a window's time"
damaged '.end_ns = .start_ns' "line 1: a window's time"
damaged '.start_ns = -1' "line 1: a window's time"
damaged 'if .start_ns > 0 then .window_ns = 1e9 else . end' 'line 2: has windows of 1000 ms after windows of 200 ms'
damaged '.guests[0].charged_ns = 1.5' "line 1: a window's charged_ns"
damaged '.guests[0].certain_ns = .guests[0].charged_ns + 1' "line 1: a window's evidence"
damaged '.guests[0].domain = 40000' "line 1: a window's guest"
damaged '.guests[0].io = "disk"' "line 1: a window's io"
head -n 3 "$log" | sed '2s/"start_ns":[0-9]*,"end_ns":[0-9]*/"start_ns":9223372036854775000,"end_ns":9223372036854775100/' >"$scratch/damaged.jsonl"
check 'the end of time' refuses 'line 3: the log is longer than time can be' guard replay --limit '*=5%' "$scratch/damaged.jsonl"
head -c 1000 "$log" >"$scratch/damaged.jsonl"
check 'a cut line' refuses 'line [0-9]*: is no line' guard replay --limit '*=5%' "$scratch/damaged.jsonl"

finish
