#!/bin/bash
# xenmeter debt: its options, policies and messages, and that its ledger adds up and charges what charge does, on every road.
# shellcheck source=tests/lib.sh disable=SC2016,SC2317 # functions are called through check
. "$(dirname "$0")/lib.sh"

fixture=fixtures/mixed-credit.xt.zst
case=fixtures/cases/debts.xt.zst
dir=$scratch/dir
policy=$scratch/policy.json
mkdir "$dir"

rows_hold() { jq -se "$1" "$2" >/dev/null; } # the same of all rows of JSON lines
ledger() { run debt -q -f jsonl "$@"; }

group 'wrong arguments'
check 'no reservation' refuses 'wants --reserve .* or --policy FILE' debt "$fixture"
check 'both' refuses 'only one of --reserve' debt --reserve 1=1% --policy /dev/null "$fixture"
for bad in 1 1= =10% 1=60 1=60ms 1=-5% 1=0% 1=1e1% 1=0x10% 1=10%% 1=1.2.3% 1=1.1234567% 1=99999999% 1=10/100 1=10ms/100 1=10ms/0ms \
    1=0ms/10ms 1=20ms/10ms 1=10ms/ 1=/10ms 32752=1% 99999999999=1% '' ',' '1=1%,' '*=1%,*=1%' 1=1%,1=2%; do
    check "--reserve '$bad'" refuses '^xenmeter: --reserve ' debt --reserve "$bad" "$fixture"
done
for bad in '--feedback 500' '--feedback 0s' '--feedback 999us' '--feedback 2h' '--feedback 10%' '--floor 10' '--floor 100%' '--floor 5ms' \
    '--spread 0' '--spread 1001' '--spread 2.5' '--spread -1' '--host-pcpus 0' '--host-pcpus x' '--live 100us' '--live 2h' \
    '--live 1s --feedback 2s'; do
    # shellcheck disable=SC2086 # words
    check "$bad" refuses "^xenmeter: ${bad%% *}" debt --reserve 1=10% $bad "$fixture"
done
check 'no names are known' refuses '--reserve web=10%: no names of domains are known: give --names' debt --reserve web=10% "$fixture"
printf '0 Domain-0\n1 burn\n2 web\n7 web\n' >"$scratch/names"
names=(--names "$scratch/names")
check 'no such name' refuses '--reserve wbe=10%: no domain has this name' debt "${names[@]}" --reserve wbe=10% "$fixture"
check 'by id and name' refuses '--reserve web=5%: the same domain as --reserve 2=10%' debt "${names[@]}" --reserve 2=10%,web=5% "$fixture"
check 'two ids of one name' refuses 'the same domain as' debt "${names[@]}" --reserve 2=10%,7=5% "$fixture"
check 'more than the host has' refuses 'reservations of 2 domains add up to 210.00 %, but 2 pCPUs have 200 %: reserve less, or say' \
    debt --reserve 1=150%,2=60% "$fixture"
check 'with those of others' refuses 'reservations of 3 domains add up to 240.00 %' debt --reserve '*=80%' "$fixture"
check 'more than it is said to have' refuses 'but 1 pCPU has 100 %: reserve less$' debt --host-pcpus 1 --reserve 1=60%,2=60% "$fixture"
run debt -q --host-pcpus 3 --reserve 1=150%,2=60% "$fixture"
check 'it has more than the trace shows' exits 0
check 'a domain that never appears' refuses 'fixtures/.*: --reserve 77=10%: this domain never appears' debt --reserve 1=10%,77=10% "$fixture"
check 'not in this part' refuses '--reserve 7=10%: this domain never appears' debt --reserve 7=10% -t ,5s fixtures/pvh-credit2.xt.zst
check 'it leaves no file' refuses 'never appears' debt --reserve 77=10% -o "$dir/x.csv" "$fixture"
check 'rows do not wait without end' refuses 'has not appeared yet, and the rows that wait for it need more than the memory limit' \
    debt --reserve '77=10%,0=1%,*=1%' --feedback 1ms --max-memory 16M --host-pcpus 9 fixtures/cpu-credit2.xt.zst
for bad in execution 1s '' total,,interval; do
    check "-g '$bad'" refuses 'is neither interval .* nor total' debt --reserve 1=10% -g "$bad" "$fixture"
done
check 'charges are asked for as in charge' refuses 'io-counts' debt --reserve 1=10% --charge-by packets "$fixture"
check 'unknown column, the nearest' refuses 'unknown column "chargd_ns"; the nearest is charged_ns' debt --reserve 1=10% -c chargd_ns "$fixture"
check 'no capture' refuses 'README.md' debt --reserve 1=10% README.md
check 'a part after the end' refuses 'the trace ends at' debt --reserve 1=10% -t 99s, "$fixture"
unscheduled=$scratch/unscheduled.xt # a window with one record that no scheduler wrote
printf '\003\360\001\040\000\000\000\000\040\000\000\000' >"$unscheduled"
for tsc in '\000\000\000\001' '\000\000\000\002'; do
    printf '%b' '\001\360\020\220' "$tsc" '\001\000\000\000\003\000\000\000' >>"$unscheduled"
done
for reserve in '*=1%' 1=10%; do
    check "$reserve: no scheduling records" refuses 'nothing to report: the trace has no scheduling records' \
        debt --cpu-hz 1G --reserve "$reserve" "$unscheduled"
done
check 'the frequency is not known' refuses 'give it with --cpu-hz' debt --reserve 1=10% "$case"
check 'a missing capture leaves nothing' refuses 'No such file' debt --reserve 1=10% -o "$dir/x.csv" "$dir/missing"
check 'nothing is left' [ -z "$(ls -A "$dir")" ]

group 'wrong policies'
wrong() { # PATTERN JSON: the message begins with the file and the place
    printf '%s' "$2" >"$policy"
    refuses "^xenmeter: $policy: $1" debt --policy "$policy" "${names[@]}" "$fixture"
}
one='"domains":{"1":{"share":"10%"}}'
check 'empty' wrong 'line 1: is not JSON' ''
check 'cut' wrong 'line 2: is not JSON' $'{\n"domains":'
check 'a key given twice' wrong 'line 3: is not JSON: duplicate' $'{"domains":{\n"1":{"share":"1%"},\n"1":{"share":"2%"}}}'
check 'a list' wrong 'the policy: wants an object' '[1]'
check 'no rule' wrong 'there is no reservation in it' '{"spread":2}'
check 'no rule in domains' wrong 'there is no reservation in it' '{"domains":{}}'
check 'unknown key, suggestion' wrong "flor: there is no such key, did you mean 'floor'" "{$one,\"flor\":\"1%\"}"
check 'unknown key in a rule' wrong "domains.1.shar: there is no such key, did you mean 'share'" '{"domains":{"1":{"shar":"1%"}}}'
check 'unknown key in default' wrong 'default.weight: there is no such key; there are share, slice' '{"default":{"share":"1%","weight":3}}'
check 'a key that steers terminals' wrong 'domains.a?b.x: there is no such key' '{"domains":{"a\u001bb":{"x":1}}}'
check 'share as a number' wrong 'domains.1.share: wants a text with its unit, for example "60%"' '{"domains":{"1":{"share":60}}}'
check 'share without a unit' wrong 'domains.1.share: is not a share' '{"domains":{"1":{"share":"60"}}}'
check 'share with another unit' wrong 'domains.1.share: is not a share' '{"domains":{"1":{"share":"60ms"}}}'
check 'share of 0' wrong 'domains.1.share: is not a share of a pCPU above 0 %' '{"domains":{"1":{"share":"0%"}}}'
check 'share and slice' wrong 'domains.1: wants only one of the two: "share", or "slice"' '{"domains":{"1":{"share":"6%","slice":"1ms"}}}'
check 'neither' wrong 'domains.1: wants "share", or "slice" and "period"' '{"domains":{"1":{}}}'
check 'slice without period' wrong 'domains.1.period: is missing' '{"domains":{"1":{"slice":"1ms"}}}'
check 'slice in per cent' wrong 'domains.1.slice: is not a length of time with its unit' '{"domains":{"1":{"slice":"1%","period":"10ms"}}}'
check 'slice longer than its period' wrong 'domains.1: the slice is longer' '{"domains":{"1":{"slice":"20ms","period":"10ms"}}}'
check 'a rule that is none' wrong 'domains.1: wants an object' '{"domains":{"1":"60%"}}'
check 'domains in a list' wrong 'domains: wants an object' '{"domains":["1"]}'
check 'an id that no domain has' wrong 'domains.65535: ids of domains are below' '{"domains":{"65535":{"share":"1%"}}}'
check 'an empty name' wrong 'domains.: wants the id or the name' '{"domains":{"":{"share":"1%"}}}'
check 'an unknown name' wrong 'domains.wbe: no domain has this name' '{"domains":{"wbe":{"share":"1%"}}}'
check 'one domain twice' wrong 'domains.web: the same domain as domains.2' '{"domains":{"2":{"share":"1%"},"web":{"share":"1%"}}}'
check 'floor of all' wrong "floor: '100%' is not a part" "{$one,\"floor\":\"100%\"}"
check 'floor of a rule' wrong "domains.1.floor: '5ms' is not a part" '{"domains":{"1":{"share":"1%","floor":"5ms"}}}'
check 'spread of 0' wrong 'spread: wants a whole number from 1 to 1000' "{$one,\"spread\":0}"
check 'spread as text' wrong 'domains.1.spread: wants a whole number' '{"domains":{"1":{"share":"1%","spread":"2"}}}'
check 'feedback without a unit' wrong "feedback: '500' is not a length of time from 1ms to 1h" "{$one,\"feedback\":\"500\"}"
check 'feedback as a number' wrong 'feedback: wants a text with its unit' "{$one,\"feedback\":500}"
check 'pcpus' wrong 'pcpus: wants a whole number' "{$one,\"pcpus\":-1}"
check 'more than the host has' wrong 'the reservations of 2 domains add up to 120.00 %, but 1 pCPU has 100 %' \
    '{"pcpus":1,"domains":{"1":{"share":"60%"},"2":{"share":"60%"}}}'
printf '{%s}' "$one" >"$policy"
check 'a policy on standard input' same <("$XENMETER" debt -q --policy "$policy" "${names[@]}" "$fixture" 2>&1) \
    <("$XENMETER" debt -q --policy - "${names[@]}" "$fixture" <"$policy" 2>&1)
check 'with the trace there, too' refuses 'the policy and the trace cannot both be standard input' debt --policy - -
check 'a policy that is not there' refuses 'nowhere: cannot read the policy: No such file' debt --policy "$scratch/nowhere" "$fixture"
check 'a directory' refuses 'cannot read the policy: Is a directory' debt --policy "$scratch" "$fixture"
check 'endless' refuses 'is larger than any policy' debt --policy /dev/zero "$fixture"
check 'it is not overwritten' refuses 'would be lost' debt --policy "$policy" -o "$policy" "$fixture"
printf '{"domains":{"1":{"share":"10%%"},"77":{"share":"10%%"}}}' >"$policy"
check 'a domain that never appears' refuses "$policy, domains.77: this domain never appears" debt --policy "$policy" "$fixture"

# Charges and allowances of fixtures/cases/debts (fixtures/README.md), worked out by hand.
group 'the worked example, and what follows it'
show=(-c 'start_ns,domain,life,charged_ns,repaid_ns,closing_debt_ns,allowance_ns,running_ns,aggregate_ns,over_ns,action')
rows() { # ARGUMENT...: "start domain#life charged repaid closing allowance" in ms
    "$XENMETER" debt -q --cpu-hz 1G -f jsonl "$@" "$case" |
        jq -r '[.start_ns / 1e6, "\(.domain)#\(.life)", (.charged_ns, .repaid_ns, .closing_debt_ns) / 1e6, if .allowance_ns then .allowance_ns / 1e6 else "-" end]
            | map(tostring) | join(" ")'
}
check 'K = 1' equal '0 1#1 2 2 0 8
0 2#1 4 4 0 6
0 3#1 0 0 0 10
100 1#1 0 0 0 10
100 2#1 0 0 0 10
100 3#1 20 9 11 1
200 1#1 0 0 0 10
200 2#1 0 0 0 10
200 3#1 0 9 2 1
300 1#1 0 0 0 10
300 2#1 0 0 0 10
300 3#2 4 4 0 6
400 1#1 0 0 0 10
400 2#1 0 0 0 10
400 3#2 0 0 0 10
500 1#1 2 0 2 -
500 2#1 2 0 2 -
500 3#2 2 0 2 -' "$(rows --feedback 100ms --reserve 1=10%,2=10ms/100ms,3=10%)"
check 'K = 4, floor 50 %' equal '0 2#1 4 1 3 9
100 2#1 0 1 2 9
200 2#1 0 1 1 9
300 2#1 0 1 0 9
400 2#1 0 0 0 10
500 2#1 2 0 2 -' "$(rows --feedback 100ms --spread 4 --reserve 2=10%)"
check 'a floor of 80 %: 2 ms at a time' equal '100 3#1 20 2 18 8
200 3#1 0 2 16 8' "$(rows --feedback 100ms --floor 80% --reserve 3=10% -t ,300ms | grep -v '^0 ')"
printf '1 x\n2 y\n3 web\n' >"$scratch/case.names"
check 'a name keeps its debt: 2 ms are left when it ends' equal '300 3#2 4 6 0 4' \
    "$(rows --feedback 100ms --names "$scratch/case.names" --reserve web=10% | grep '^300')"
check 'so does the id of a domain with a name' equal '300 3#2 4 6 0 4' \
    "$(rows --feedback 100ms --names "$scratch/case.names" --reserve 3=10% | grep '^300')"
run debt -q --cpu-hz 1G --feedback 100ms --reserve 0=20%,1=10% -f csv "${show[@]}" "$case"
check 'use is what it ran, and what was run for it' says "$out" '^0,1,1,2000000,2000000,0,8000000,9000000,11000000,1000000,lower to 8.000%$'
check 'what domain 0 ran for others is theirs' says "$out" '^100000000,0,1,0,0,0,20000000,23000000,3000000,-17000000,keep$'
ledger --cpu-hz 1G --feedback 100ms --reserve 1=10% "$case"
check 'unattributed time is shown, and nobodys debt' rows_hold 'map(select(.start_ns == 400000000)) | length == 1 and all(.[]; .unattributed_ns == 6000000 and .charged_ns == 0)' "$out"
run debt --cpu-hz 1G --feedback 100ms --reserve 1=10% "$case"
check 'table: below 0' says "$out" ' 0.400 .* -10.000 .* raise\|keep'
check 'table: how it was charged' says "$out" '^charged by transfers'
check 'table: the verdict is that of charge' equal "$("$XENMETER" charge --cpu-hz 1G "$case" | tail -n 1)" "$(tail -n 1 "$out")"

# charge says the same of the same intervals; every row continues the one before.
group 'every ledger adds up'
for name in fixtures/*.xt.zst; do
    base=$(basename "$name" .xt.zst)
    for how in '--feedback 100ms' '--feedback 500ms --spread 3 --floor 50%' '--live 1s --floor 0%' '--feedback 250ms --charge-per execution' \
        '--feedback 500ms -t 0.7s,2.1s --charge-all'; do
        lengths=${how%% -[^-]*} lengths=${lengths#*k } lengths=${lengths#*live } lengths=${lengths%% *}
        options=$(sed -E 's/--(feedback|live|spread|floor) [^ ]*//g' <<<"$how")
        # shellcheck disable=SC2086 # words
        ledger $how --host-pcpus 64 --reserve '0=10%,*=3%' "$name"
        check "$base $how" exits 0
        cp "$out" "$scratch/debts"
        # shellcheck disable=SC2086
        run charge -q $options -g "$lengths" -f jsonl "$name"
        check "$base $how: what charge charges" equal \
            "$(jq -sc '[.[] | select(.recipient == "guest")] | group_by([.start_ns, .domain, .life])
                | map([.[0].start_ns, .[0].domain, .[0].life, (map(.charged_ns) | add), (map(.inferred_ns) | add)] | select(.[3] > 0))[]' "$out")" \
            "$(jq -sc 'sort_by([.start_ns, .domain, .life])[] | select(.charged_ns > 0) | [.start_ns, .domain, .life, .charged_ns, .inferred_ns]' "$scratch/debts")"
        # shellcheck disable=SC2086
        run report -q $options -g "$lengths" -f jsonl -c start_ns,domain,running_ns "$name"
        check "$base $how: uses add up to all that ran" equal \
            "$(jq -sc 'group_by(.start_ns)[] | [.[0].start_ns, (map(.running_ns) | add)]' "$out")" \
            "$(jq -sc 'group_by(.start_ns)[] | [.[0].start_ns, (map(.aggregate_ns) | add)]' "$scratch/debts")"
        check "$base $how: opening + charged - repaid = closing, continued, above the floor" rows_hold '
            all(.[]; .opening_debt_ns + .charged_ns - .repaid_ns == .closing_debt_ns and .closing_debt_ns >= .overdue_ns and .overdue_ns >= 0
                and .measured_ns + .certain_ns + .inferred_ns == .charged_ns
                and .over_ns == .aggregate_ns - .reservation_ns
                and (if .end_ns - .start_ns < .granularity_ns then .allowance_ns == null and .repaid_ns == 0 and .action == "unsettled"
                     else .allowance_ns == .reservation_ns - .repaid_ns and .allowance_ns >= .floor_ns end))
            and all(group_by([.domain, .life])[]; .[0].opening_debt_ns == 0
                and all(range(1; length) as $i | .[$i].opening_debt_ns == .[$i - 1].closing_debt_ns; .))' "$scratch/debts"
        [ -n "$QUICK" ] && break 2
    done
done

recorded=(--dom0-trace fixtures/cases/dom0-trace.txt.zst fixtures/cases/dom0-trace.xt.zst)
ledger --feedback 100ms --reserve '*=20%' "${recorded[@]}"
check 'what dom0 recorded is measured' rows_hold 'map(.measured_ns) | add > 1000000' "$out"
check 'as charge has it' equal \
    "$("$XENMETER" charge -q -g 100ms -f jsonl "${recorded[@]}" | jq -c 'select(.recipient == "guest") | [.start_ns, .domain, .charged_ns, .measured_ns]')" \
    "$(jq -c 'select(.charged_ns > 0) | [.start_ns, .domain, .charged_ns, .measured_ns]' "$out")"

group 'the whole trace'
for how in '--feedback 500ms --spread 3' '--feedback 100ms -t 0.7s,2.1s' '--live 1s'; do
    # shellcheck disable=SC2086 # words
    ledger $how -g interval,total --reserve '0=10%,*=20%' "$fixture"
    cp "$out" "$scratch/both"
    check "$how: it has the sums of the intervals" rows_hold 'group_by([.domain, .life]) | length == 4 and all(.[];
        (map(select(.granularity_ns > 0)) | sort_by(.start_ns)) as $rows | map(select(.granularity_ns == 0)) as $totals | $totals[0] as $total
        | ($totals | length) == 1 and $total.allowance_ns == null and $total.action == null
        and $total.start_ns == $rows[0].start_ns and $total.end_ns == $rows[-1].end_ns
        and $total.opening_debt_ns == 0 and $total.closing_debt_ns == $rows[-1].closing_debt_ns
        and $total.charged_ns - $total.repaid_ns == $total.closing_debt_ns
        and all("reservation_ns", "floor_ns", "charged_ns", "measured_ns", "certain_ns", "inferred_ns", "repaid_ns", "running_ns", "for_others_ns",
            "aggregate_ns", "over_ns", "unattributed_ns"; . as $column | $total[$column] == ($rows | map(.[$column]) | add)))' "$scratch/both"
done
run debt -q -g total -f csv --reserve '*=20%' "$fixture"
check 'alone' equal '0,1 0,2 0,3' "$(tail -n +2 "$out" | cut -d, -f1,4 | paste -sd' ')"
run debt -q -g total --reserve '*=20%' "$fixture"
check 'table: a row of sums' says "$out" '^sum '

group 'the same on every road'
reserved=(--reserve '1=40%,*=20%' --spread 3)
run debt -q "${reserved[@]}" -f csv "$fixture"
cp "$out" "$scratch/file"
check 'rows' test "$(wc -l <"$scratch/file")" = 94
zstd -qdc "$fixture" >"$scratch/plain.xt"
run debt -q "${reserved[@]}" -f csv "$scratch/plain.xt"
check 'plain' same "$scratch/file" "$out"
run debt -q "${reserved[@]}" -f csv - < <(cat "$scratch/plain.xt")
check 'pipe' same "$scratch/file" "$out"
run debt -q "${reserved[@]}" --live 500ms -f csv - < <(cat "$scratch/plain.xt")
check 'live' same "$scratch/file" "$out"
run debt -q "${reserved[@]}" --live 500ms -g total -f csv - < <(cat "$scratch/plain.xt")
check 'live, and the whole' same "$scratch/file" <(grep -v '^0,' "$out")
"$XENMETER" archive create -q --with-trace "$fixture" -o "$scratch/trace.xma"
run debt -q "${reserved[@]}" -f csv "$scratch/trace.xma"
check 'the trace that an archive keeps' same "$scratch/file" "$out"
"$XENMETER" archive create -q -g 500ms "$fixture" -o "$scratch/results.xma"
run debt -q "${reserved[@]}" -f csv "$scratch/results.xma"
check 'the results that an archive keeps' same "$scratch/file" "$out"
check 'results of other intervals do not suffice' refuses 'do not suffice' debt "${reserved[@]}" --feedback 300ms "$scratch/results.xma"
check 'of an archive: more than the host has' refuses 'but 2 pCPUs have' debt --reserve 1=201% "$scratch/results.xma"
check 'of an archive: a domain that never appears' refuses 'this domain never appears' debt --reserve 77=1% "$scratch/results.xma"
half=$(($(stat -c %s "$scratch/plain.xt") / 2))
"$XENMETER" archive extract -q -o "$scratch/chunks" "$scratch/trace.xma"
chunks=("$scratch"/chunks/*/*/trace/*.xt)
check 'there are chunks to part it at' [ ${#chunks[@]} -ge 2 ]
hz=$("$XENMETER" archive list -f json "$scratch/trace.xma" | jq .pieces[0].cpu_hz)
cat "${chunks[0]}" >"$scratch/a.xt"
cat "${chunks[@]:1}" >"$scratch/b.xt"
for part in a b; do
    "$XENMETER" archive create -q --with-trace --cpu-hz "$hz" --host web1 "$scratch/$part.xt" -o "$scratch/$part.xma"
done
"$XENMETER" archive merge -q "$scratch/a.xma" "$scratch/b.xma" -o "$scratch/pieces.xma"
run debt -q "${reserved[@]}" -f csv --cpu-hz "$hz" "$scratch/plain.xt"
cp "$out" "$scratch/whole"
run debt -q "${reserved[@]}" -f csv --cpu-hz "$hz" "$scratch/pieces.xma"
check 'pieces that follow each other are the whole' same "$scratch/whole" "$out"
for part in 3s,8s '9.123s,' ',1.5s'; do
    run debt -q "${reserved[@]}" -f csv -t $part "$fixture"
    cp "$out" "$scratch/part"
    run debt -q "${reserved[@]}" -f csv -t $part "$scratch/trace.xma"
    check "a part of an archive: $part" same "$scratch/part" "$out"
done

group 'a capture that is cut'
head -c "$half" "$scratch/plain.xt" >"$scratch/cut.xt"
run debt "${reserved[@]}" -f csv "$scratch/cut.xt"
check 'exit code' exits 0
check 'the verdict says so' says "$err" 'verdict degraded: .*cut off\|verdict degraded: .*in the middle of a sweep'
check 'the last interval is not settled' says <(tail -n 1 "$out") ',unsettled$'
check 'before that the ledger is that of the whole' same \
    <(head -n $(($(wc -l <"$out") - 6)) "$scratch/file" | grep -v '^$') <(head -n $(($(wc -l <"$out") - 6)) "$out")

group 'who comes later'
ledger --reserve '2=20%,7=20%' fixtures/pvh-credit2.xt.zst
check 'rows waited for a domain that came late' rows_hold 'map(.start_ns) | .[0] == 0 and . == sort' "$out"
run debt --reserve '*=30%' --host-pcpus 1 -f csv fixtures/pvh-credit2.xt.zst
check 'more than the host has, later: is said once' equal 1 "$(grep -c '^xenmeter: from .* s on: the reservations of 4 domains add up to 120.00 %' "$err")"
check 'and the ledger goes on' exits 0
run debt --reserve 1=10%,77=10% --live 1s -f csv "$scratch/plain.xt"
check '--live: a domain that never appears is said' says "$err" '77=10%: this domain never appears'
check '--live: the rows went out' equal 17 "$(wc -l <"$out")"
check '--live: exit code' exits 0

group 'what to show'
all=(--reserve '*=20%')
ledger "${all[@]}" "$fixture"
cp "$out" "$scratch/all"
check 'jsonl: every row has its interval' rows_hold 'all(.[]; .granularity_ns == 500000000 and .end_ns > .start_ns)' "$scratch/all"
check 'not domain 0' rows_hold 'map(.domain) | unique == [1, 2, 3]' "$scratch/all"
run debt -q "${all[@]}" -f json "$fixture"
check 'json: schema, method, verdict' holds '.schema == "xenmeter.debt/1" and .method.charge_per == "task" and .quality.verdict == "good"' "$out"
check 'json: reports' holds '[.reports[] | [.by, .granularity_ns]] == [["debt", 500000000]]' "$out"
check 'json has the rows of jsonl' equal "$(jq -s 'map(.charged_ns) | add' "$scratch/all")" \
    "$(jq '[.reports[0].intervals[].rows[].charged_ns] | add' "$out")"
ledger "${all[@]}" -d 2 "$fixture"
check '-d: these domains' equal "$(jq -c 'select(.domain == 2)' "$scratch/all")" "$(jq -c . "$out")"
ledger "${all[@]}" -n 1 "$fixture"
check '-n: those that are charged most' equal "$(jq -sc 'group_by(.start_ns)[] | max_by(.charged_ns)' "$scratch/all")" "$(jq -c . "$out")"
run debt -q "${all[@]}" -f csv -c domain,over_ns -s over_ns "$fixture"
check '-s, -c' equal "$(jq -sr 'group_by(.start_ns)[] | sort_by(-.over_ns)[] | "\(.domain),\(.over_ns)"' "$scratch/all")" "$(tail -n +2 "$out")"
run debt -q "${names[@]}" --reserve web=20%,burn=10% "$fixture"
check '--names' says "$out" '2  *web '
printf '{"feedback":"1s","spread":2,"floor":"0%%","domains":{"burn":{"slice":"10ms","period":"40ms"}},"default":{"share":"20%%","spread":1}}' >"$policy"
ledger --policy "$policy" "${names[@]}" "$fixture"
cp "$out" "$scratch/policy.rows"
check 'a policy says what options say' equal \
    "$("$XENMETER" debt -q -f jsonl --reserve 1=25% --spread 2 --floor 0% --feedback 1s "$fixture" | jq -c '.name = "burn"')" \
    "$(jq -c 'select(.domain == 1)' "$scratch/policy.rows")"
ledger --policy "$policy" --feedback 500ms --floor 10% "${names[@]}" "$fixture"
check 'options take the place of what it says' equal "$(jq -c 'select(.domain == 3)' "$scratch/all")" "$(jq -c 'select(.domain == 3)' "$out")"
run debt "${all[@]}" -f csv "$fixture"
check 'csv: the verdict on standard error' says "$err" '^xenmeter: verdict '
run debt -q "${all[@]}" -d 77 "$fixture"
check 'nobody is left' exits 2
run debt "${all[@]}" -d 0 -f csv "$fixture"
check 'nobody with a reservation is left: is said' says "$err" 'no domain that was chosen has a reservation'
for name in x.csv x.json x.jsonl x.txt; do
    run debt -q "${all[@]}" "$fixture" -o "$dir/$name.zst"
    check "$name.zst is zstd" zstd -qt "$dir/$name.zst"
    run debt -q "${all[@]}" "$fixture" -o "$dir/$name"
    check "$name.zst holds $name" equal "$(zstd -qdc "$dir/$name.zst" | sha256sum)" "$(sha256sum <"$dir/$name")"
done
for format in table csv json jsonl; do
    timeout "$LIMIT" "$XENMETER" debt -q "${all[@]}" -f $format --feedback 10ms "$fixture" >/dev/full 2>"$err"
    status=$?
    check "$format: full device" exits 2
    check "$format: full device is said" says "$err" 'No space left'
done

group 'a signal ends a live run well'
mkfifo "$scratch/fifo"
"$XENMETER" debt -q "${reserved[@]}" --live 500ms -f csv - <"$scratch/fifo" >"$out" 2>"$err" &
pid=$!
exec 7>"$scratch/fifo"
head -c 12000000 "$scratch/plain.xt" >&7
rows_came() { [ "$(wc -l <"$out")" -gt 30 ]; }
check 'rows come as it goes' soon rows_came
kill -TERM $pid
wait $pid
status=$?
exec 7>&-
check 'exit code' exits 0
check 'whole intervals, as of the whole capture' same <(head -n "$(wc -l <"$out")" "$scratch/file") "$out"

# The ledger of a simulated host charges as `xenmeter debt` does: the same options, the same rows of the trace that it reads.
group 'a simulated host, charged otherwise'
refused_for() { exits 2 && equal 1 "$(wc -l <"$err")" && says "$err" "$1"; } # PATTERN
hosted() { # OPTION...: the rows of the ledger that acts, 0 if they are those that the trace has
    rm -f "$scratch/acting.csv"
    run simulate -q --duration 2s --with debt=sim/policies/sedf-web-server.json --ledger "$scratch/acting.csv" \
        -o "$scratch/hosted.xt" "$@" sim/scenarios/sedf-web-server.json
    exits 0 && "$XENMETER" debt -q -f csv --policy sim/policies/sedf-web-server.json --names "$scratch/names" "$@" "$scratch/hosted.xt" >"$scratch/read.csv" &&
        same "$scratch/acting.csv" "$scratch/read.csv"
}
jq -r '.domains[] | "\(.id) \(.name)"' sim/scenarios/sedf-web-server.json >"$scratch/names"
check 'as always' hosted
cp "$scratch/acting.csv" "$scratch/always.csv"
for option in --charge-by=grants --charge-per=execution --charge-per=interval=100ms --charge-idle --charge-all --weights=notify=2 \
    '--charge-per=execution --own=5%'; do
    # shellcheck disable=SC2086 # words
    check "$option" hosted $option
    check "$option makes a difference" not same "$scratch/acting.csv" "$scratch/always.csv"
done
run simulate -q --with debt=sim/policies/sedf-web-server.json -o "$scratch/hosted.xt" --own 5% sim/scenarios/sedf-web-server.json
check 'an own load that the trace tells is refused' refused_for 'give it no load'
run simulate -q -o "$scratch/hosted.xt" --charge-idle sim/scenarios/sedf-web-server.json
check 'and no ledger is an error' refused_for 'give --with debt=POLICY'

finish
