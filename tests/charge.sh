#!/bin/bash
# xenmeter charge: options and messages; in every format each ns of a driver domain is charged, own or unattributed.
# shellcheck source=tests/lib.sh disable=SC2016,SC2317 # functions are called through check
. "$(dirname "$0")/lib.sh"

fixture=fixtures/mixed-credit.xt.zst
dir=$scratch/dir
mkdir "$dir"

group 'wrong arguments'
for command in report charge; do
    check "$command: unknown method, suggestion" refuses "did you mean 'grants'" $command --charge-by grant "$fixture"
    check "$command: unknown method" refuses "'xyzzyxyzzy' is none of grants, copies" $command --charge-by xyzzyxyzzy "$fixture"
    check "$command: unknown kind, suggestion" refuses "did you mean 'send'" $command --weights snd=1 "$fixture"
    check "$command: packets need their counts" refuses 'io-counts' $command --charge-by packets "$fixture"
    check "$command: so does a combination" refuses 'io-counts' $command --charge-by grants,packets "$fixture"
    check "$command: auto alone" refuses 'no other method' $command --charge-by auto,grants "$fixture"
    check "$command: weights that are all 0" refuses 'weighs 0' $command --charge-by grants --weights map=0,unmap=0 "$fixture"
    for bad in '--charge-by ,' '--charge-by grants,' '--weights map' '--weights map=' '--weights map=-1' '--weights map=1e3' \
        '--weights map=2000000' '--weights map=1,' '--weights =1' '--weights map=0x1' '--weights map=1.2.3' '--charge-per 100ms' \
        '--charge-per interval' '--charge-per interval=' '--charge-per interval=100us' '--charge-per interval=x' '--idd x' \
        '--idd 65536' '--idd 0,' '--io-counts /nonexistent'; do
        # shellcheck disable=SC2086 # a list of words
        check "$command $bad" refuses . $command $bad "$fixture"
    done
done
check 'no rows of executions' refuses 'no rows of executions' charge -g execution "$fixture"
check 'unknown column' refuses 'unknown column "chargd_ns"; the nearest is charged_ns' charge -c chargd_ns "$fixture"
check 'a column of another relation' refuses 'unknown column "wakes"' charge -s wakes "$fixture"
check 'no rows by vcpu' refuses "no option '--by'" charge -b vcpu "$fixture"
check 'info has no charges' refuses "no option '--idd'" info --idd 0 "$fixture"
cp README.md "$scratch/counts.csv"
check 'the counts are not overwritten' refuses 'would be lost' charge --io-counts "$scratch/counts.csv" -o "$scratch/counts.csv" "$fixture"
check 'unknown format, suggestion' refuses "did you mean 'json'" charge -f jsn "$fixture"
check 'a missing capture leaves nothing' refuses 'No such file' charge -o "$dir/x.csv" "$dir/missing"
check 'nothing is left' [ -z "$(ls -A "$dir")" ]

group 'every ns is charged once'
for name in fixtures/*.xt.zst; do
    base=$(basename "$name" .xt.zst)
    run charge -q -g total,1s,100ms -f json "$name"
    check "$base" exits 0
    cp "$out" "$scratch/json"
    run charge -q -g total,1s,100ms -f csv "$name"
    cp "$out" "$scratch/csv"
    run report -q -g total,1s,100ms -f json -c domain,life,running_ns "$name"
    cp "$out" "$scratch/report"
    check "$base: there are driver domains" holds '[.reports[].intervals[].idds[]] | length > 10' "$scratch/json"
    check "$base: charged + own + unattributed = running" holds 'all(.reports[].intervals[].idds[];
        .charged_ns + .own_ns + .unattributed_ns == .running_ns)' "$scratch/json"
    check "$base: the guests add up to what is charged" holds 'all(.reports[].intervals[].idds[];
        ([.guests[].charged_ns] | add // 0) == .charged_ns)' "$scratch/json"
    for member in running_ns charged_ns own_ns unattributed_ns executions io_free_executions; do
        check "$base: $member of every granularity add up" holds "
            [.reports[] | [.intervals[].idds[].$member] | add // 0] | .[0] == .[1] and .[1] == .[2]" "$scratch/json"
    done
    check "$base: each guest's charges add up" holds '
        [.reports[] | [.intervals[].idds[] | .domain as $d | .guests[] | {k: "\($d) \(.domain) \(.life)", v: .charged_ns}]
            | group_by(.k) | map({key: .[0].k, value: (map(.v) | add)} | select(.value > 0)) | from_entries]
        | .[0] == .[1] and .[1] == .[2]' "$scratch/json"
    check "$base: running is that of the report" holds '
        def sums: group_by(.key) | map({key: .[0].key, value: (map(.value) | add)} | select(.value != 0)) | from_entries;
        .[0] as $charge | .[1] as $report | all(range($charge.reports | length); . as $g
            | ([$charge.reports[$g].intervals[] | .start_ns as $s | .idds[]
                | {key: "\($s) \(.domain) \(.life)", value: .running_ns}] | sums) as $ours
            | ([$report.reports[$g].intervals[] | .start_ns as $s | .rows[]
                | {key: "\($s) \(.domain) \(.life)", value: .running_ns}] | sums) as $theirs
            | all($ours | to_entries[]; $theirs[.key] == .value))' <(jq -s . "$scratch/json" "$scratch/report")
    check "$base: every line of CSV has the fields of its header" awk -F, 'NR == 1 { n = NF } NF != n { bad = 1 } END { exit bad || NR < 4 }' "$scratch/csv"
    check "$base: rows of CSV add up to running" awk -F, '
        NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
        { k = $at["granularity_ns"] " " $at["start_ns"] " " $at["idd"] " " $at["idd_life"]
          sum[k] += $at["charged_ns"]; running[k] = $at["idd_running_ns"] }
        END { for (k in sum) if (sum[k] != running[k]) bad = 1; exit bad }' "$scratch/csv"
    check "$base: CSV and JSON agree" equal \
        "$(jq '[.reports[].intervals[].idds[].charged_ns] | add' "$scratch/json")" \
        "$(awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
            $at["recipient"] == "guest" { s += $at["charged_ns"] } END { printf "%.0f", s }' "$scratch/csv")"
    check "$base: the report charges the same" equal \
        "$(jq '[.reports[0].intervals[].idds[].charged_ns] | add' "$scratch/json")" \
        "$("$XENMETER" report -q -f jsonl -c charged_ns "$name" | jq -s 'map(.charged_ns) | add')"
    [ -n "$QUICK" ] && break
done

group 'the document'
run charge -q -f json "$fixture"
check 'schema' holds '.schema == "xenmeter.charge/1"' "$out"
check 'trace and quality' holds '.trace.records > 0 and (.quality.verdict | IN("good", "degraded", "poor"))' "$out"
check 'method: the defaults' holds '.method | .charge_per == "task" and .charge_all == false and .idds == null
    and .io_counts == null and .charge_by_auto and (.charge_by | length) > 0 and .unused == {}' "$out"
check 'a guest has its evidence' holds 'all(.reports[].intervals[].idds[].guests[]; .charged_ns == 0
    or ([.evidence | to_entries[] | select(.key != "inferred_pct").value] | add | . > 99.9 and . < 100.1))' "$out"
check 'maps of guests are the records of the trace' equal \
    "$("$XENMETER" info -v -f json "$fixture" | jq '.events[] | select(.name == "grant_map").records')" \
    "$(jq '[.reports[0].intervals[].idds[].guests[].events.map] | add' "$out")"
check 'no more inferred than seen' holds 'all(.reports[].intervals[].idds[].guests[];
    . as $g | all(.inferred | to_entries[]; .value <= $g.events[.key]))' "$out"
run charge -q -f json --idd 0,5 --charge-by notifications,grants --charge-per interval=100ms --weights send=3,rx=2,map=0.5 \
    --charge-all "$fixture"
check 'method: as given' holds '.method | .charge_by == ["grants", "notifications"] and .charge_per == "interval=100ms"
    and .charge_all and .idds == [0, 5] and .weights.tx == 3 and .weights.rx == 2 and .weights.map == 0.5
    and (.charge_by_auto | not)' "$out"
check 'method: blind to copies, and says so' holds '.method.unused.copy == .method.events_seen.copy and .method.unused.copy > 0' "$out"
check '--charge-all: own time is charged' holds '[.reports[0].intervals[].idds[].own_ns] | add < 1000000' "$out"
run charge -q -f json --weights notify=0 "$fixture"
check 'a kind that weighs nothing is unused' holds '.method.unused.notify > 0' "$out"
check 'and no evidence' holds 'all(.reports[].intervals[].idds[].guests[]; .evidence.notify_pct == 0)' "$out"
run charge -q -f json --idd 2 "$fixture"
check '--idd: these are the driver domains' holds '[.reports[].intervals[].idds[].domain] == [2]' "$out"

group 'counts from outside'
printf '%s\n' time_ns,domain,device,tx_packets,rx_packets 0,2,vif2.0,0,0 16000000000,2,vif2.0,1000,0 \
    0,3,vif3.0,0,0 16000000000,3,vif3.0,2000,0 >"$scratch/counts.csv"
for per in execution interval=100ms; do
    run charge -q -f json --io-counts "$scratch/counts.csv" --charge-per $per --charge-all "$fixture"
    check "per $per: packets decide" holds '.method | .charge_by == ["packets"] and .unused.copy > 0' "$out"
    check "per $per: packets 1 : 2 are charged 1 : 2" holds '[.reports[0].intervals[0].idds[0].guests[]
        | select(.charged_ns > 0).charged_ns] | length == 2 and (.[1] - 2 * .[0] | fabs) < 10000' "$out"
    check "per $per: all is charged" holds '.reports[0].intervals[0].idds[0] | .charged_ns == .running_ns' "$out"
done

group 'CPU times from outside'
# Threads of guest 2 ran 2 ms of each of the 15 s, of guest 3 another 1 ms, the device model of guest 3 5 ms of one second;
# some of it is interrupts that hit them.
{
    echo time_ns,domain,device,cpu_net_ns
    for ((i = 0; i <= 160; i++)); do
        echo "$((i * 100000000)),2,guest-rx,$((i * 200000))"
        echo "$((i * 100000000)),3,blkback,$((i * 100000))"
        echo "$((i * 100000000)),3,device-model,$((i < 20 ? 0 : i < 30 ? (i - 20) * 500000 : 5000000))"
    done
} >"$scratch/threads.csv"
sums() { # FILE: all that is charged, own, unattributed is what ran, and what a charge rests on is the charge
    holds 'all(.reports[].intervals[].idds[]; .charged_ns + .own_ns + .unattributed_ns == .running_ns
        and ([.guests[].charged_ns] | add // 0) == .charged_ns
        and all(.guests[]; .measured_ns + .certain_ns + .inferred_ns == .charged_ns))' "$1"
}
for options in '' '--charge-by threads' '--charge-by threads,grants' '--charge-per interval=30ms' '--charge-all' '--idd 0,2'; do
    # shellcheck disable=SC2086 # a list of words
    run charge -q -f json -g total,1s,100ms,7ms --io-counts "$scratch/threads.csv" $options "$fixture"
    check "$options: all adds up" sums "$out"
    check "$options: granularities add up" holds '[.reports[] | [.intervals[].idds[] | select(.domain == 0)
        | [.charged_ns, ([.guests[] | .measured_ns] | add), ([.guests[] | .certain_ns] | add), ([.guests[] | .inferred_ns] | add)]]
        | transpose | map(add)] | .[1:] as $finer | .[0] as $whole | all($finer[]; . == $whole) and all($whole[]; . > 0)' "$out"
    check "$options: threads are a method" holds '.method.charge_by | index("threads")' "$out"
done
# CPU times that cannot be: in ns of guest 2 at reading $i of 160, one each 100 ms.
cannot_be() { # EXPRESSION OPTION...
    local expression=$1
    shift
    {
        echo time_ns,domain,device,cpu_ns
        for ((i = 0; i <= 160; i++)); do echo "$((i * 100000000)),2,guest-rx,$((expression))"; done
    } >"$scratch/cannot.csv"
    run charge -f json --io-counts "$scratch/cannot.csv" "$@" "$fixture"
}
measured='[.reports[0].intervals[0].idds[0].guests[].measured_ns] | add'
cannot_be 'i * 200000 + (i < 70 ? 0 : 9000000000)'
check 'a jump' says "$err" "cannot.csv: its CPU times cannot be for 0.[12]00 s, first in the stretch from 6.[89]00 s on"
check 'a jump: the verdict' says "$err" '^xenmeter: verdict degraded: CPU times that cannot be are given for'
check 'a jump: the others are believed' holds "($measured) > 8e6 and ($measured) < 31e6" "$out"
cannot_be '(i < 70 ? i : i - 60) * 200000'
check 'a step back' says "$err" 'cannot.csv: its CPU times cannot be for 0.[12]00 s'
cannot_be '(i < 70 ? i : i - 70) * 200000'
check 'counting that began anew' holds ".method.io_counts_cpu_impossible_ns == 0 and ($measured) > 8e6" "$out"
cannot_be 'i * 5 * 190000000'
check 'more than it ran, all the time' says "$err" '^xenmeter: verdict poor: CPU times that cannot be are given for'
check 'more than it ran: not measured' holds "($measured) < 5e8" "$out"
cannot_be 'i * 100000' --charge-by grants
check 'where they are not used nothing is wrong with them' holds '.method.io_counts_cpu_impossible_ns == 0' "$out"
cannot_be 'i * 5 * 190000000' -q
run archive create -q --io-counts "$scratch/cannot.csv" "$fixture" -o "$scratch/cannot.xma"
run charge "$scratch/cannot.xma"
check 'an archive keeps that' says "$out" 'verdict: poor .*CPU times that cannot be are given for'
{ echo time_ns,domain,device,cpu_net_ns; for ((i = 0; i <= 160; i++)); do echo "$((i * 100000000)),999,guest-rx,$((i * 10000000))"; done; } >"$scratch/others.csv"
run charge -f json --charge-by threads --io-counts "$scratch/others.csv" "$fixture"
check 'threads for a domain that is not there: unattributed' holds '.reports[0].intervals[0].idds[0].unattributed_ns > 1.4e9' "$out"
check 'that is said' says "$err" 'others.csv: 1 of its devices belong to domains that the trace does not show: their share is unattributed'
sed 's/$/,7/; 1s/,7$/,idd/' "$scratch/threads.csv" >"$scratch/others.csv"
run charge -f json --io-counts "$scratch/others.csv" "$fixture"
check 'times of another driver domain' says "$err" 'others.csv: 3 of its devices were counted in domains that are no driver domains'

run charge -q -f json -g total,1s --io-counts "$scratch/threads.csv" "$fixture"
{ sed '1s/$/,tx_packets/; 2,$s/$/,/' "$scratch/threads.csv"; for i in 0 16; do echo "${i}000000000,2,vif2.0,,$((i * 100))"; done; } >"$scratch/both.csv"
run charge -q -f json --io-counts "$scratch/both.csv" "$fixture"
check 'the rest by what tasks did' holds '.method.charge_by | index("threads") and index("copies") and (index("packets") | not)' "$out"
check 'packets are counted all the same' holds '.method.events_seen.tx > 1000 and .method.unused.tx > 1000' "$out"
{ echo time_ns,domain,device,tx_packets; for i in 0 16; do echo "${i}000000000,2,vif2.0,$((i * 100))"; done; } >"$scratch/packets.csv"
run charge -q -f json --io-counts "$scratch/packets.csv" "$fixture"
check 'packets alone have no say where tasks do' holds '.method.charge_by == ["grants", "copies", "notifications"]' "$out"
check 'nor before the first task is seen' holds 'all(.reports[].intervals[].idds[].guests[].evidence; (.tx_pct // 0) == 0)' "$out"
cp "$out" "$scratch/with.json"
run charge -q -f json "$fixture"
check 'charges are those without them' equal "$(jq -c '[.reports[].intervals[].idds[] | .own_ns, .guests[].charged_ns]' "$out")" \
    "$(jq -c '[.reports[].intervals[].idds[] | .own_ns, .guests[].charged_ns]' "$scratch/with.json")"
run charge -q -f json --charge-per execution --io-counts "$scratch/packets.csv" "$fixture"
check 'per execution they have' holds '.method.charge_by == ["packets"]' "$out"
{ echo time_ns,domain,device,tx_packets; for i in 0 16; do echo "${i}000000000,999,vif999.0,$((i * 100))"; done; } >"$scratch/others.csv"
run charge -q --charge-by packets --charge-per execution --io-counts "$scratch/others.csv" "$fixture"
check 'counts of domains that are not there are no good result' \
    says "$out" "^verdict: poor .*% of the driver domains' time is unattributed"
run archive create -q --charge-by packets --charge-per execution --io-counts "$scratch/others.csv" "$fixture" -o "$scratch/others.xma"
run charge -q "$scratch/others.xma"
check 'nor are they in an archive' says "$out" "^verdict: poor .*% of the driver domains' time is unattributed"
run charge -q -f json --charge-per execution --io-counts "$scratch/both.csv" "$fixture"
check 'the rest by packets' holds '.method.charge_by == ["packets", "threads"]' "$out"
run charge -q -f json -g total,1s --io-counts "$scratch/threads.csv" "$fixture"
check 'a guest is charged no less than was measured' holds '.reports[0].intervals[0].idds[0].guests
    | all(.[] | select(.domain == 2); .charged_ns >= .measured_ns and .measured_ns > 24e6 and .measured_ns < 31e6)' "$out"
check 'measured time lies where it was measured' holds '[.reports[1].intervals[].idds[0].guests[] | select(.domain == 3).measured_ns]
    | .[2] > 4.8e6 and .[2] < 6.1e6 and .[3] < 1.1e6' "$out"
run charge -q -f json --io-counts "$scratch/threads.csv" "$fixture"
check 'evidence names it' holds '.reports[0].intervals[0].idds[0].guests[] | select(.domain == 2).evidence.measured_pct > 0' "$out"
"$XENMETER" charge -q -f csv -g 100ms --io-counts "$scratch/threads.csv" "$fixture" >"$scratch/file.csv"
zstd -dcq "$fixture" | "$XENMETER" charge -q -f csv -g 100ms --io-counts "$scratch/threads.csv" - >"$scratch/pipe.csv"
check 'a pipe: the same' cmp "$scratch/file.csv" "$scratch/pipe.csv"
"$XENMETER" archive create -q -g 100ms -o "$scratch/measured.xma" --io-counts "$scratch/threads.csv" "$fixture"
"$XENMETER" charge -q -f csv -g 100ms "$scratch/measured.xma" >"$scratch/archive.csv"
check 'an archive: the same' cmp "$scratch/file.csv" "$scratch/archive.csv"
run charge -q --io-counts "$scratch/threads.csv" "$fixture"
check 'table: the evidence' says "$out" '^2 .* measured [0-9]'
check 'table: the method' says "$out" '^charged by .*threads'
sed -n '1p; /^[0-9]\{1,10\},/p' "$scratch/threads.csv" >"$scratch/part.csv" # 10 s
run charge --io-counts "$scratch/part.csv" -o /dev/null "$fixture"
check 'what no reading covers is charged by the trace' says "$err" 'the rest is charged by the trace alone'
run charge --charge-by threads "$fixture" </dev/null
check 'threads want a log' says "$err" '--charge-by threads wants --io-counts'

group 'idle time'
idle_sums() { # FILE: each ns once, and every granularity has as much charged
    holds 'all(.reports[].intervals[].idds[]; .charged_ns + .own_ns + .unattributed_ns == .running_ns
        and ([.guests[].charged_ns] | add // 0) == .charged_ns
        and all(.guests[]; .measured_ns + .certain_ns + .inferred_ns == .charged_ns))
        and ([.reports[] | [.intervals[].idds[].charged_ns] | add] | unique | length) == 1' "$1"
}
"$XENMETER" charge -q -f json "$fixture" >"$scratch/default"
for options in '' '--charge-by grants' '--charge-by notifications,copies' '--charge-all' "--io-counts $scratch/threads.csv" \
    "--io-counts $scratch/both.csv --charge-by threads" '--idd 0,2'; do
    # shellcheck disable=SC2086 # a list of words
    run charge -q -f json -g total,1s,100ms,7ms --charge-idle $options "$fixture"
    check "$options: all adds up" idle_sums "$out"
done
run charge -q -f json --charge-idle "$fixture"
check 'it is in the method' holds '.method.charge_idle and (.method.own_separated)' "$out"
check 'less is own' holds '.[0].own_ns < 0.95 * .[1].own_ns' <(jq -s 'map(.reports[0].intervals[0].idds[] | select(.domain == 0))' "$out" "$scratch/default")
check 'what is charged so rests on no event' holds '.[0] > .[1] + 1e8' <(jq -s 'map([.reports[0].intervals[0].idds[].guests[].inferred_ns] | add)' "$out" "$scratch/default")
check 'certain charges are the same' holds '.[0] - .[1] | fabs < 1e7' <(jq -s 'map([.reports[0].intervals[0].idds[].guests[].certain_ns] | add)' "$out" "$scratch/default")
"$XENMETER" charge -q -f csv -g 1s,100ms --charge-idle "$fixture" >"$scratch/file.csv"
zstd -dcq "$fixture" | "$XENMETER" charge -q -f csv -g 1s,100ms --charge-idle - >"$scratch/pipe.csv"
check 'a pipe: the same' cmp "$scratch/file.csv" "$scratch/pipe.csv"
"$XENMETER" archive create -q -g 1s,100ms --charge-idle -o "$scratch/idle.xma" "$fixture"
"$XENMETER" charge -q -f csv -g 1s,100ms "$scratch/idle.xma" >"$scratch/archive.csv"
check 'an archive that was made so: the same' cmp "$scratch/file.csv" "$scratch/archive.csv"
"$XENMETER" archive create -q -g 1s,100ms -o "$scratch/without.xma" "$fixture"
check 'one that was not has no answer' refuses 'charged in another way' charge --charge-idle "$scratch/without.xma"
"$XENMETER" archive create -q -g 1s,100ms --with-trace -o "$scratch/without.xma" "$fixture"
"$XENMETER" charge -q -f csv -g 1s,100ms --charge-idle "$scratch/without.xma" >"$scratch/archive.csv"
check 'unless it has the trace' cmp "$scratch/file.csv" "$scratch/archive.csv"
check 'report charges the same' equal "$("$XENMETER" charge -q -f json --charge-idle "$fixture" | jq '[.reports[0].intervals[].idds[].charged_ns] | add')" \
    "$("$XENMETER" report -q -f jsonl -c charged_ns --charge-idle "$fixture" | jq -s 'map(.charged_ns) | add')"
for command in report charge 'archive create'; do
    for per in execution interval=1s; do
        # shellcheck disable=SC2086 # a list of words
        check "$command: not per $per" refuses 'wants --charge-per task' $command --charge-idle --charge-per $per -o "$dir/idle" "$fixture"
    done
done
simulated "$scratch/masked.xt" three-loads '.trace.events = "sched"' --duration 3s
for options in '-g total' '-f csv -g 10ms' '--live 100ms -f jsonl' '-t ,1s -f json'; do
    # shellcheck disable=SC2086 # a list of words
    check "a mask without hypercalls: $options" refuses 'no driver domain says in this trace .*--dom0-trace' charge --charge-idle $options "$scratch/masked.xt"
done
check 'nor can it be kept' refuses 'no driver domain says' archive create --charge-idle -o "$dir/idle" "$scratch/masked.xt"
check 'nothing is left' [ -z "$(ls -A "$dir")" ]
run charge -f csv --charge-idle --idd 0,1 fixtures/cases/dom0-trace.xt.zst
check 'a driver domain without tasks is said' says "$err" 'charge-idle: the tasks of 1 driver domains are not distinguished'

group 'what to show'
run charge -q -f jsonl "$fixture"
cp "$out" "$scratch/all"
check 'jsonl: who is charged' equal 'guest own unattributed' "$(jq -rs 'map(.recipient) | unique | join(" ")' "$scratch/all")"
run charge -q -f jsonl -d 2 "$fixture"
check '-d: these guests' equal '2' "$(jq -s -r 'map(.domain) | unique | join(" ")' "$out")"
check '-d: shares of the whole' equal "$(jq 'select(.domain == 2).share_pct' "$scratch/all")" "$(jq .share_pct "$out")"
run charge -q -f jsonl -n 1 "$fixture"
check '-n: the guest charged most' equal \
    "$(jq -s 'map(select(.recipient == "guest")) | max_by(.charged_ns).domain' "$scratch/all")" \
    "$(jq 'select(.recipient == "guest").domain' "$out")"
run charge -q -f csv -c domain,notify -s notify -n 2 "$fixture"
check '-c: these columns' equal domain,notify "$(head -n 1 "$out")"
check '-s -n: the guests of most notifications, then the rest' equal \
    "$(jq -rs '(map(select(.recipient == "guest")) | sort_by(-.notify)[:2] | map("\(.domain),\(.notify)")[]), ",",
        (map(select(.recipient == "unattributed"))[0] | ",\(.notify)")' "$scratch/all")" "$(tail -n +2 "$out")"
run charge -q -f json -c domain,charged_ns -s charged_ns "$fixture"
check '-c: of each guest in a document' holds 'all(.reports[].intervals[].idds[].guests[]; keys == ["charged_ns", "domain"])
    and ([.reports[0].intervals[0].idds[0].guests[].charged_ns] | . == (sort | reverse)) and .reports[0].intervals[0].idds[0].own_ns > 0' "$out"
run charge -q -f jsonl -t ,5s "$fixture"
cp "$out" "$scratch/first"
run charge -q -f jsonl -t 5s, "$fixture"
check '-t: two parts are the whole' equal "$(jq -s 'map(.charged_ns) | add' "$scratch/all")" \
    "$(jq -s 'map(.charged_ns) | add' "$scratch/first" "$out")"
printf '0 Domain-0\n2 web\n' >"$scratch/names"
run charge -q --names "$scratch/names" "$fixture"
check '--names: the driver domain' says "$out" '^driver domain 0 (Domain-0): ran '
check '--names: a guest' says "$out" '^2  *web '
check 'table: own' says "$out" '^own '
check 'table: how it was charged' says "$out" '^charged by .* per task'
check 'table: ends with the verdict' says "$out" '^verdict: '
run charge -q --charge-by grants "$fixture"
check 'table: what was not looked at' says "$out" '^not looked at: .*copy '
check 'some kinds of events alone are never good' says "$out" '^verdict: degraded .*not all events have a say (not notify, copy)'
run charge -q --weights notify=0 "$fixture"
check 'nor are those that weigh more than 0' says "$out" '^verdict: degraded .*have a say (not notify)'
run charge -q --charge-by notifications,grants,copies "$fixture"
check 'all of them are' says "$out" '^verdict: good '
run charge -q --charge-by transfers "$fixture"
check 'a kind that was not seen alone is poor' says "$out" '^verdict: poor .*have no say (map, unmap, notify, copy)'
run charge -q fixtures/lost-credit2.xt.zst
check 'a quarter of the time that is unattributed is not good' says "$out" '^verdict: poor .*2[0-9] % of the driver domains. time is unattributed'
run charge -q --dom0-trace fixtures/cases/dom0-trace.txt.zst --charge-by grants fixtures/cases/dom0-trace.xt.zst
check 'what the kernel recorded needs no events' says "$out" '^verdict: good '
disk="--io-counts fixtures/disk-net.truth/counts.csv fixtures/disk-net.xt.zst"
while IFS='|' read -r points options; do
    # shellcheck disable=SC2086 # lists of words
    run charge -q $options
    check "how far own may be off: $options" says "$out" "^verdict: degraded .*own is not separated: $points"
done <<END
13 to 66 % of|--charge-per execution $fixture
56 to 71 % of|--charge-per interval=100ms $fixture
13 to 71 % of|--charge-per interval=10ms $fixture
56 to 71 % of|--charge-per execution --charge-by packets $disk
3 to 6 % (up to 71 % without CPU times of all threads) of|--charge-per execution $disk
END
run report -q --charge-per execution "$fixture"
check 'a report judges its charges apart' says "$out" '^charges: degraded - because own is not separated: '
check 'and its states' says "$out" '^verdict: good '
run report -q -f json --charge-per execution "$fixture"
check 'as the document does' equal 'good degraded 1' "$(jq -r '.quality | "\(.verdict) \(.charges_verdict) \(.charges_why | length)"' "$out")"
run report --charge-per execution -f csv "$fixture"
check 'or standard error' says "$err" '^xenmeter: charges degraded: own is not separated'
run report -q "$fixture"
check 'good ones need no line' not says "$out" '^charges:'
run report -q -f json -c domain,running_ns --charge-per execution "$fixture"
check 'without their columns there is nothing to judge' equal null "$(jq '.quality.charges_verdict' "$out")"
run charge -q -g 100ms "$fixture"
check 'table of intervals: one header' equal 1 "$(grep -c evidence "$out")"
check 'table of intervals: a line for each' [ "$(wc -l <"$out")" -gt 300 ]
escape=$(printf '\033')
check 'no colour in a file' not says "$out" "$escape"
run charge --color always "$fixture"
check '--color always' says "$out" "$escape"
run charge -f csv "$fixture"
check 'csv: the verdict on standard error' says "$err" '^xenmeter: verdict '
run charge -q -f csv "$fixture"
check '-q: nothing on standard error' is_empty "$err"
for name in x.csv x.json x.jsonl x.txt; do
    run charge -q "$fixture" -o "$dir/$name.zst"
    check "$name.zst is zstd" zstd -qt "$dir/$name.zst"
    run charge -q "$fixture" -o "$dir/$name"
    check "$name.zst holds $name" equal "$(zstd -qdc "$dir/$name.zst" | sha256sum)" "$(sha256sum <"$dir/$name")"
done
for format in table csv json jsonl; do
    timeout "$LIMIT" "$XENMETER" charge -q -f $format -g 10ms "$fixture" >/dev/full 2>"$err"
    status=$?
    check "$format: full device" exits 2
    check "$format: full device is said" says "$err" 'No space left'
    { timeout "$LIMIT" "$XENMETER" charge -q -f $format -g 10ms "$fixture" 2>"$err"; echo $? >"$scratch/code"; } | head -n 1 >"$out"
    check "$format: the reader goes away: quiet" is_empty "$err"
    check "$format: the reader goes away: exit code 0" equal 0 "$(cat "$scratch/code")"
done

group 'live'
zstd -qdc "$fixture" >"$scratch/capture.xt"
sums() { # of charges by pair and interval
    awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
        $at["charged_ns"] > 0 { s[$at["start_ns"] "," $at["idd"] "," $at["recipient"] "," $at["domain"]] += $at["charged_ns"] }
        END { for (k in s) printf "%s,%.0f\n", k, s[k] }' "$1" | sort
}
hz=$("$XENMETER" report -q -f json "$fixture" | jq .trace.cpu_hz)
run charge -q -f csv -g 1s --cpu-hz "$hz" "$fixture"
cp "$out" "$scratch/offline"
cat "$scratch/capture.xt" | timeout "$LIMIT" "$XENMETER" charge -q -f csv --live 1s --cpu-hz "$hz" - >"$out"
check 'what offline gives' equal "$(sums "$scratch/offline")" "$(sums "$out")"
finish
