#!/bin/bash
# Statements: what the VMs of a fleet used, from archives of several hosts, boots and zones. Everything adds up to the ns.
# shellcheck disable=SC2016,SC2317 # functions are called through check
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/lib/fleet.sh
. "$(dirname "$0")/lib/fleet.sh"

export NO_COLOR=1 TZ=UTC

db=22222222-3333-4444-8555-666666666666

account() { run account "$@"; }
rows() { "$XENMETER" account -q -f jsonl "$@"; } # ARGUMENT...
all_hold() { jq -se "$1" "$2" >/dev/null; }              # JQ-FILTER FILE: of the list of its lines
sum() { jq -s "map(.$1 // 0) | add // 0"; }      # COLUMN, of rows

# ---- what is asked for ----

group 'wrong command lines'
mkdir "$scratch/empty"
mkfifo "$scratch/pipe.xma"
: >"$scratch/empty.xma"
check 'nothing' refuses 'which archives?' account
check 'a folder without archives' refuses 'empty: there is no archive' account "$scratch/empty"
check 'no such folder' refuses 'missing: cannot open' account "$scratch/missing"
check 'no such zone' refuses '--tz Europe/Atlantis: the tz database has no such zone' account --tz Europe/Atlantis "$scratch/empty"
check 'a path for a zone' refuses 'the tz database has no such zone' account --tz ../../etc/passwd "$scratch/empty"
check 'no such period' refuses '--granularity week: wants hour, day, month or total' account -g week "$scratch/empty"
check 'no moment' refuses '--from yesterday: wants a month' account --from yesterday "$scratch/empty"
check 'no such day' refuses '--to 2026-02-30: there is no such day' account --to 2026-02-30 "$scratch/empty"
check 'nor at that time' refuses '--to 2026-02-30T07:00Z: there is no such day' account --to 2026-02-30T07:00Z "$scratch/empty"
check 'no such month' refuses '--from 2026-13: there is no such month' account --from 2026-13 "$scratch/empty"
check 'a year out of range' refuses '--from 9999-12: is not in a year from 1970 to 2115' account --from 9999-12 "$scratch/empty"
check 'a moment in such a year' refuses '--from 1969-12-31T23:00Z: is not in a year' account --from 1969-12-31T23:00Z "$scratch/empty"
check 'digits that are no date' refuses '--from 202611: wants a month' account --from 202611 "$scratch/empty"
check 'peaks of hosts' refuses '--peaks and --extrapolate are about VMs' account -b host --peaks "$scratch/empty"
check 'hosts, scaled' refuses '--peaks and --extrapolate are about VMs' account -b host --extrapolate "$scratch/empty"
check 'nothing between' refuses 'nothing lies between' account --from 2026-12 --to 2026-11 "$scratch/empty"
check 'a pipe' refuses 'pipe.xma: neither a file nor a folder' account "$scratch/pipe.xma"
check 'an empty file' refuses 'empty.xma: the file is empty' account -q "$scratch/empty.xma"
check 'VMs of hosts' refuses '--by host is about whole hosts, without --vm' account -b host --vm web "$scratch/empty"
check 'no archive at all' refuses 'Makefile: offset 0: this is not an archive' account -q Makefile

# ---- one host, recorded hour by hour ----

hour=3600
host_trace "$scratch/hours.xt" $((2 * hour + 600)) 1 2
"$XENMETER" record -q -o "$scratch/recorded" --host web1 --domain-info <(jq -n '[]') --clock @2026-11-29T06:20:00Z "$scratch/hours.xt" 2>/dev/null ||
    "$XENMETER" record -q -o "$scratch/recorded" --host web1 --clock @2026-11-29T06:20:00Z "$scratch/hours.xt"
mapfile -t files < <(find "$scratch/recorded" -name '*.xma' | sort)

group 'the account of a host'
check 'three archives' equal 3 "${#files[@]}"
for file in "${files[@]}"; do "$XENMETER" report -q -g total -f jsonl "$file"; done >"$scratch/reports"
for file in "${files[@]}"; do "$XENMETER" report -q -g total -b pcpu -f jsonl "$file"; done >"$scratch/pcpus"
for file in "${files[@]}"; do "$XENMETER" charge -q -g total -f json "$file"; done | jq -c '.reports[].intervals[].idds[]' >"$scratch/charges"
rows -g total "$scratch/recorded" >"$scratch/total"
for column in running_ns runnable_ns blocked_ns offline_ns unknown_ns executions io_notify io_map; do
    check "its archives' reports add up to it: $column" equal "$(sum $column <"$scratch/reports")" "$(sum $column <"$scratch/total")"
done
check 'charges, too' equal "$(sum charged_ns <"$scratch/charges")" "$(sum charged_ns <"$scratch/total")"
check 'own time, too' equal "$(sum own_ns <"$scratch/charges")" "$(sum own_ns <"$scratch/total")"
check 'what was certain, too' equal "$(jq -s 'map(.guests[].certain_ns) | add' "$scratch/charges")" "$(sum certain_ns <"$scratch/total")"
check 'something was charged' holds 'select(.domain == 1) | .charged_ns > 0 and .charged_ns == .certain_ns + .inferred_ns + .measured_ns' <(grep '"domain":1,' "$scratch/total")
check 'a VM costs what it ran and is charged' equal '[true,true]' "$(jq -sc 'map(select(.domain > 0) | .total_ns == .running_ns + .charged_ns)' "$scratch/total")"
check 'a driver domain does not pay for what it did for others' equal '[true]' "$(jq -sc 'map(select(.domain == 0) | .driver_domain == "yes" and .running_ns == .used_ns + .served_ns + .own_ns + .unattributed_ns and .total_ns == .running_ns - .served_ns)' "$scratch/total")"
rows -b host -g total "$scratch/recorded" >"$scratch/host"
check 'all that its pCPUs did is in it' holds '.capacity_ns == .guests_ns + .charged_ns + .own_ns + .unattributed_ns + .idle_ns + .unknown_ns and .capacity_ns == .pcpus * .recorded_ns' "$scratch/host"
check 'idle time is that of the reports' equal "$(sum idle_ns <"$scratch/pcpus")" "$(sum idle_ns <"$scratch/host")"
check 'its VMs add up to it' equal "$(jq '.guests_ns + .charged_ns + .own_ns + .unattributed_ns' "$scratch/host")" "$(sum total_ns <"$scratch/total")"
rows -b driver-domain -g total "$scratch/recorded" >"$scratch/services"
check 'what was done for whom adds up, too' equal "$(jq .charged_ns "$scratch/host")" "$(sum charged_ns <"$scratch/services")"

group 'periods add up'
for zone in UTC Asia/Kathmandu America/St_Johns; do
    for period in hour day month; do
        rows -g $period --tz $zone "$scratch/recorded" >"$scratch/rows"
        for column in running_ns runnable_ns blocked_ns charged_ns inferred_ns own_ns unattributed_ns vcpu_ns existed_ns executions io_copy; do
            check "$period, $zone: $column" equal "$(sum $column <"$scratch/total")" "$(sum $column <"$scratch/rows")"
        done
        rows -b host -g $period --tz $zone "$scratch/recorded" >"$scratch/rows"
        for column in capacity_ns guests_ns idle_ns unknown_ns recorded_ns; do
            check "$period, $zone, hosts: $column" equal "$(sum $column <"$scratch/host")" "$(sum $column <"$scratch/rows")"
        done
        check "$period, $zone: each is whole" holds '.capacity_ns == .guests_ns + .charged_ns + .own_ns + .unattributed_ns + .idle_ns + .unknown_ns' "$scratch/rows"
    done
done
check 'quarters of an hour' equal '["2026-11-29T06:15:00.000000000Z","2026-11-29T07:15:00.000000000Z","2026-11-29T08:15:00.000000000Z"]' \
    "$(rows -b host --tz Asia/Kathmandu "$scratch/recorded" | jq -sc 'map(.period_start)')"
check 'each period begins where the one before ends' holds '.[0].period_end == .[1].period_start' <(rows -b host "$scratch/recorded" | jq -s .)
check 'the first hour was recorded in part' equal 66.67 "$(rows -b host "$scratch/recorded" | head -n 1 | jq .covered_pct)"
check 'a part of the time' equal "$(rows -b host --tz Asia/Kathmandu "$scratch/recorded" | sed -n 2p | jq .guests_ns)" \
    "$(rows -b host -g total --from 2026-11-29T07:15Z --to 2026-11-29T08:15Z "$scratch/recorded" | jq .guests_ns)"
check 'jobs make no difference' same <(rows -j 1 "$scratch/recorded") <(rows -j 5 "$scratch/recorded")

group 'peaks'
rows --peaks "$scratch/recorded" >"$scratch/peaks"
for file in "${files[@]}"; do "$XENMETER" report -q -g 1s -d 1 -c start_ns,total_ns -f jsonl "$file" | jq -s 'map(.total_ns) | max'; done >"$scratch/most"
check 'the busiest second is that of the reports' same "$scratch/most" <(jq 'select(.domain == 1) | .peak_1s_ns' "$scratch/peaks")
for file in "${files[@]}"; do "$XENMETER" report -q -g 5min -d 2 -c total_ns -f jsonl "$file" | jq -s 'map(.total_ns) | max'; done >"$scratch/most"
check 'and five minutes are' same "$scratch/most" <(jq 'select(.domain == 2) | .peak_5min_ns' "$scratch/peaks")
check 'by zones that divide archives, too' holds 'map(select(.domain == 1) | .peak_1s_ns) | max' <(rows --peaks --tz Asia/Kathmandu "$scratch/recorded" | jq -s .)
check 'the other numbers stay' same <(jq -c 'del(.peak_1s_ns, .peak_5min_ns)' "$scratch/peaks") <(rows "$scratch/recorded" | jq -c 'del(.peak_1s_ns, .peak_5min_ns)')
check 'only if they are asked for' equal '[null]' "$(rows "$scratch/recorded" | jq -sc 'map(.peak_1s_ns) | unique')"

# ---- zones ----

group 'days of 23 and 25 hours'
host_trace "$scratch/short.xt" 120 1
day_of() { # UTC ZONE: the day of a host that was recorded then
    facts "$scratch/facts" "$(boot 9)" "$1" 1 $web web
    archive "$scratch/day.xma" h1 "$scratch/short.xt" "$scratch/facts"
    rows -b host -g "${3:-day}" --tz "$2" "$scratch/day.xma" | jq -rs 'map("\(.period) \(.period_start[:16]) \(.period_end[:16])") | join(", ")'
}
check 'the night in which summer time begins' equal '2026-03-29 2026-03-28T23:00 2026-03-29T22:00' "$(day_of 2026-03-29T00:30Z Europe/Berlin)"
check 'and ends' equal '2026-10-25 2026-10-24T22:00 2026-10-25T23:00' "$(day_of 2026-10-25T00:30Z Europe/Berlin)"
check 'a day that does not begin at midnight' equal '2026-03-29 2026-03-28T22:00 2026-03-29T21:00' "$(day_of 2026-03-29T00:30Z Asia/Beirut)"
check 'a month with summer time' equal '2026-03 2026-02-28T23:00 2026-03-31T22:00' "$(day_of 2026-03-29T00:30Z Europe/Berlin month)"
check 'midnight in Berlin divides a recording' equal '2026-11-28 2026-11-27T23:00 2026-11-28T23:00, 2026-11-29 2026-11-28T23:00 2026-11-29T23:00' "$(day_of 2026-11-28T22:59:00Z Europe/Berlin)"
check 'the hour that comes twice is two' equal '2026-10-25 02:00 2026-10-25T00:00 2026-10-25T01:00, 2026-10-25 02:00 2026-10-25T01:00 2026-10-25T02:00' \
    "$(day_of 2026-10-25T00:59:00Z Europe/Berlin hour)"

# ---- what counts once ----

group 'duplicates and overlaps count once'
mkdir "$scratch/twice"
for file in "${files[@]}"; do cp "$file" "$scratch/twice/a-${file##*/}"; cp "$file" "$scratch/twice/b-${file##*/}"; done
check 'copies' same <(rows -b host "$scratch/recorded") <(rows -b host "$scratch/twice")
account "$scratch/twice"
check 'that is a remark' exits 0
check 'which names them' says "$err" 'b-2026-11-29T06Z.*: other archives have all its time'
# The same trace, in archives of other lengths: between 06:30 and 06:50 what begins and ends elsewhere.
"$XENMETER" record -q -o "$scratch/tens" --host web1 --rotate 10min --clock @2026-11-29T06:20:00Z "$scratch/hours.xt"
mkdir "$scratch/mixed"
cp "${files[@]}" "$scratch/mixed"
cp "$(find "$scratch/tens" -name '*.xma' | sort | sed -n 3p)" "$scratch/mixed/tens.xma"
check 'a part that another one has' same <(rows -b host "$scratch/recorded") <(rows -b host "$scratch/mixed")
# Seven archives of ten minutes and one of an hour, which overlaps the last of them.
mkdir "$scratch/chain"
find "$scratch/tens" -name '*.xma' | sort | head -n 7 | while read -r file; do cp "$file" "$scratch/chain/tens-${file##*/}"; done
cp "${files[1]}" "$scratch/chain"
check 'no moment twice' equal "$(for f in "$scratch"/chain/tens-* "${files[1]}"; do rows -b host -g total "$f"; done | sum recorded_ns)" \
    "$(($(rows -b host -g total "$scratch/chain" | jq .recorded_ns) + $(for f in "$scratch"/chain/tens-*T07Z*; do rows -b host -g total "$f"; done | sum recorded_ns)))"

# ---- VMs that move and change ----

facts "$scratch/f1" "$(boot 1)" 2026-11-29T07:00:00Z 1 $web web 2 $db db
facts "$scratch/f2" "$(boot 2)" 2026-11-29T07:02:00Z 1 $db db-renamed
mkdir "$scratch/moved"
host_trace "$scratch/two.xt" 120 1 2
archive "$scratch/moved/h1.xma" h1 "$scratch/two.xt" "$scratch/f1"
archive "$scratch/moved/h2.xma" h2 "$scratch/short.xt" "$scratch/f2"

group 'a VM that moves'
rows --vm $db -g total "$scratch/moved" >"$scratch/rows"
rows --vm $db -g total -b vm-host "$scratch/moved" >"$scratch/apart"
check 'is one' equal 1 "$(wc -l <"$scratch/rows")"
check 'on two hosts' equal '["h1","h2"]' "$(jq -sc 'map(.host)' "$scratch/apart")"
check 'which add up to it' equal "$(sum total_ns <"$scratch/apart")" "$(jq .total_ns "$scratch/rows")"
check 'covered by both' holds '.covered_pct > 99.8' "$scratch/rows"
check 'each alone by half' equal '[50,50]' "$(jq -sc 'map(.covered_pct | round)' "$scratch/apart")"
check 'with the name it has last' equal db-renamed "$(jq -r .vm_name "$scratch/rows")"
check 'found by pattern' same <(rows --vm 'db*,x' -g total "$scratch/moved") "$scratch/rows"
check 'one without a name is found as it is shown' equal "$(rows -g total "$scratch/recorded" | jq -r 'select(.domain == 2).vm')" "$(rows -g total --vm 'web1/*2#1' "$scratch/recorded" | jq -r .vm)"
check 'nobody of that name' refuses '--vm: none of these VMs' account --vm mail "$scratch/moved"

group 'change against the period before'
# h1 was recorded for 2 minutes from 07:00 on, h2 for 2 minutes from 07:02 on; the same VMs in the next hour, of which h1 has 1 minute.
host_trace "$scratch/minute.xt" 60 1 2
facts "$scratch/f6" "$(boot 6)" 2026-11-29T08:00:00Z 1 $web web 2 $db db
mkdir "$scratch/change"
cp "$scratch/moved/"*.xma "$scratch/change"
archive "$scratch/change/h1-next.xma" h1 "$scratch/minute.xt" "$scratch/f6"
hour_of() { rows -g hour --from "$1" --to "$2" -b "$3" --vm "$4" "${@:5}" "$scratch/change"; } # FROM TO BY VM
hour_of 2026-11-29T07:00Z 2026-11-29T08:00Z vm-host $web >"$scratch/before"
hour_of 2026-11-29T08:00Z 2026-11-29T09:00Z vm-host $web >"$scratch/after"
check 'half the recording is no change by half' all_hold '.[0] as $b | .[1] |
    .change_ns as $c | ($b.total_ns * .recorded_ns / $b.recorded_ns) as $was | ($c - (.total_ns - $was) | fabs) < 2 and .change_pct > -25 and .change_pct < 25' <(cat "$scratch/before" "$scratch/after")
check 'the first period has nothing to change from' equal null "$(jq .change_ns "$scratch/before")"
check 'the period before --from counts' same "$scratch/after" <(hour_of 2026-11-29T07:00Z 2026-11-29T09:00Z vm-host $web | tail -n 1)
check 'and is not shown' equal 1 "$(wc -l <"$scratch/after")"
hour_of 2026-11-29T07:00Z 2026-11-29T08:00Z vm $db >"$scratch/before"
hour_of 2026-11-29T08:00Z 2026-11-29T09:00Z vm $db >"$scratch/after"
check 'of a VM on all its hosts, also those it left' all_hold '.[0] as $b | .[1] |
    ($b.total_ns * .recorded_ns / $b.recorded_ns) as $was | (.change_ns - (.total_ns - $was) | fabs) < 2' <(cat "$scratch/before" "$scratch/after")
check 'in whole periods there is none' equal null "$(rows -g total --vm $db "$scratch/change" | jq .change_ns)"

group 'what several hosts recorded'
# From 07:00 to 07:04. h1: all of it, of which db is there for the first half; h2: the third minute, with db; h3: the first half.
mkdir "$scratch/partly"
facts "$scratch/g1" "$(boot 11)" 2026-11-29T07:00:00Z 1 $web web 2 $db db
facts "$scratch/g2" "$(boot 12)" 2026-11-29T07:02:00Z 1 $web web
facts "$scratch/g3" "$(boot 13)" 2026-11-29T07:02:00Z 1 $db db
facts "$scratch/g4" "$(boot 14)" 2026-11-29T07:00:00Z 1 33333333-4444-4555-8666-777777777777 mail
host_trace "$scratch/one-minute.xt" 60 1
archive "$scratch/partly/h1.xma" h1 "$scratch/two.xt" "$scratch/g1"
archive "$scratch/partly/h1-later.xma" h1 "$scratch/short.xt" "$scratch/g2"
archive "$scratch/partly/h2.xma" h2 "$scratch/one-minute.xt" "$scratch/g3"
archive "$scratch/partly/h3.xma" h3 "$scratch/short.xt" "$scratch/g4"
printf 'vm,customer\nweb,ACME\nmail,ACME\ndb,Smith\n' >"$scratch/customers.csv"
partly() { rows -g total --from 2026-11-29T07:00Z --to 2026-11-29T07:04Z "$@" "$scratch/partly"; }
covers() { # PERCENT ROWS: each of them; traces are up to half a second shorter than asked for
    [ -s "$2" ] && all_hold "all(.[]; (.covered_pct - $1 | fabs) < 0.3 and (.recorded_ns / 2400000000 - $1 | fabs) < 0.3 and (.not_recorded_ns / 2400000000 - (100 - $1) | fabs) < 0.3)" "$2"
}
partly --vm web >"$scratch/rows"
check 'one that was recorded all the time' covers 100 "$scratch/rows"
partly --vm web,mail --tags "$scratch/customers.csv" -b tag >"$scratch/rows"
check 'a tag of two hosts is one row' equal '["ACME",null]' "$(jq -sc '.[0] | [.tag, .host]' "$scratch/rows")"
check 'recorded as its worst host' covers 50 "$scratch/rows"
partly --vm mail,db,web --tags "$scratch/customers.csv" -b tag:customer | jq -c 'select(.tag == "Smith")' >"$scratch/rows"
check 'a tag of one VM as that VM' covers 75 "$scratch/rows"
partly --basis used | jq -c 'select(.kind == "idle")' >"$scratch/rows"
check 'idle time of three hosts is one row' equal '[null]' "$(jq -sc 'map(.host)' "$scratch/rows")"
check 'recorded as the worst of them' covers 25 "$scratch/rows"
partly --basis used -b vm-host | jq -c 'select(.kind == "idle" and .host == "h1")' >"$scratch/rows"
check 'that of one host as that one' covers 100 "$scratch/rows"
partly --vm db --extrapolate >"$scratch/rows"
check 'a VM that moved: while it was seen' covers 75 "$scratch/rows"
check 'scaled from that time' holds '.extrapolated_total_ns / .total_ns * 75 > 99.9 and .extrapolated_total_ns / .total_ns * 75 < 100.1' "$scratch/rows"
run account -g total --from 2026-11-29T07:00Z --to 2026-11-29T07:04Z --vm db "$scratch/partly"
check 'the page says so' says "$out" '^  recorded  *7[45]\.[0-9]* % of the period; [56][0-9]\.[0-9]* s of it is missing$'
partly -b host | jq -c 'select(.host == "h3")' >"$scratch/rows"
check 'a host by itself' covers 50 "$scratch/rows"

group 'another boot, another id'
facts "$scratch/f3" "$(boot 3)" 2026-11-29T07:30:00Z 2 $web web
archive "$scratch/moved/h1-later.xma" h1 "$scratch/two.xt" "$scratch/f3"
rows --vm $web -g total -b vm-host "$scratch/moved" >"$scratch/rows"
check 'one VM' equal 1 "$(wc -l <"$scratch/rows")"
check 'with its last id' equal 2 "$(jq .domain "$scratch/rows")"
check 'time stamps of two boots do not overlap' equal 240000000000 "$(rows -b host -g total "$scratch/moved" | jq -s 'map(select(.host == "h1"))[0].recorded_ns / 1e9 | round * 1e9')"
rows -g total "$scratch/moved" >"$scratch/rows"
check 'an id that nobody knows is not the one that had it before' equal 1 "$(jq -s 'map(select(.vm_uuid == null and .domain == 1)) | length' "$scratch/rows")"

group 'on two hosts at one moment'
facts "$scratch/f4" "$(boot 4)" 2026-11-29T07:00:30Z 1 $web web
mkdir "$scratch/both"
archive "$scratch/both/h1.xma" h1 "$scratch/two.xt" "$scratch/f1"
archive "$scratch/both/h3.xma" h3 "$scratch/short.xt" "$scratch/f4"
account -g total "$scratch/both"
check 'is a finding' exits 1
check 'that says who, where and when' says "$err" "VM $web ran on h1 and, by .*h3.xma, on h3 at one moment: 2026-11-29T07:0"
account -q -g total "$scratch/moved"
check 'one after the other is none' exits 0

# ---- the index ----

group 'an index of a folder'
mkdir "$scratch/indexed"
cp "${files[@]}" "$scratch/indexed"
index=$scratch/indexed/.xenmeter-account
rows "$scratch/indexed" >"$scratch/first"
check 'is made' has_text "$index"
check 'with what was there' same <(rows "$scratch/recorded") "$scratch/first"
stamp=$(stat -c '%i %y' "$index")
check 'says the same' same <(rows "$scratch/indexed") "$scratch/first"
check 'and stays' equal "$stamp" "$(stat -c '%i %y' "$index")"
check 'other zones, too' same <(rows --tz Asia/Kathmandu "$scratch/indexed") <(rows --tz Asia/Kathmandu "$scratch/recorded")
for at in 3 30 300 $(($(stat -c %s "$index") / 2)) $(($(stat -c %s "$index") - 5)); do
    printf '#' | dd of="$index" bs=1 seek=$at conv=notrunc status=none
    check "is not believed where byte $at is wrong" same <(rows "$scratch/indexed") "$scratch/first"
    head -c "$at" "$index" >"$scratch/cut"
    cp "$scratch/cut" "$index"
    check "or where it ends at byte $at" same <(rows "$scratch/indexed") "$scratch/first"
done
# Other bytes of the same size and time.
touch -r "$scratch/indexed/${files[1]##*/}" "$scratch/time"
dd if=/dev/zero of="$scratch/indexed/${files[1]##*/}" bs=1 seek=$(($(stat -c %s "${files[1]}") - 100)) count=50 conv=notrunc status=none
touch -r "$scratch/time" "$scratch/indexed/${files[1]##*/}"
account "$scratch/indexed"
check 'is not asked about an archive that has other bytes' exits 1
cp "${files[1]}" "$scratch/indexed/"
check 'nor about one that was mended' same <(rows "$scratch/indexed") "$scratch/first"
rm "$scratch/indexed/${files[0]##*/}"
check 'one that is gone is gone' same <(rows "${files[@]:1}") <(rows "$scratch/indexed")
rm "$index"
mkdir "$index"
check 'one that cannot be written does not matter' same <(rows "${files[@]:1}") <(rows "$scratch/indexed")
rmdir "$index"
rows "${files[@]:1}" >/dev/null
rows "$scratch/indexed/${files[1]##*/}" >/dev/null
check 'single archives make none' [ ! -e "$index" ]
printf 'not an index\n' >"$scratch/elsewhere"
ln -s "$scratch/elsewhere" "$index"
check 'a link in its place is not followed' same <(rows "${files[@]:1}") <(rows "$scratch/indexed")
check 'what it leads to stays' equal 'not an index' "$(cat "$scratch/elsewhere")"
rm "$index"
mkfifo "$index"
check 'a pipe in its place is not waited for' same <(rows "${files[@]:1}") <(timeout "$LIMIT" "$XENMETER" account -q -f jsonl "$scratch/indexed")
rm "$index"

# ---- what is missing ----

group 'what is missing'
run account check "$scratch/recorded"
check 'nothing' exits 0
check 'is said of nothing' is_empty "$out"
mkdir "$scratch/lost-hour"
cp "${files[0]}" "${files[2]}" "$scratch/lost-hour"
run account check "$scratch/lost-hour"
check 'an hour: exit status' exits 1
check 'an hour' says "$out" '^web1: not recorded from 2026-11-29T0[67]:[05][09]:[05][09]Z to 2026-11-29T0[78]:[05][09]:[05][09]Z (3,[56]'
run account check --from 2026-11-29T06:00Z --to 2026-11-29T12:00Z "$scratch/recorded"
check 'what was expected before' says "$out" '^web1: not recorded from 2026-11-29T06:00:00Z to 2026-11-29T06:\(19:59\|20:00\)Z'
check 'a host that is silent' says "$out" '^web1: silent since 2026-11-29T08:29:5[0-9]Z'
run account check --silent 1min "$scratch/moved"
check 'VMs without an end' says "$out" "^h1: VM db has no end: last seen at 2026-11-29T07:0"
check 'but one that is there again' not says "$out" "VM web has no end: last seen at 2026-11-29T07:0"
run account check -q "$scratch/both"
check 'what else is wrong counts, too' exits 1

# ---- what cannot be used ----

group 'archives that cannot be used'
mkdir "$scratch/bad"
cp "${files[@]}" "$scratch/bad"
head -c 5000 "${files[1]}" >"$scratch/bad/cut.xma"
cp "${files[2]}" "$scratch/bad/flipped.xma"
printf '\xff\xff\xff\xff' | dd of="$scratch/bad/flipped.xma" bs=1 seek=$(($(stat -c %s "${files[2]}") / 2)) conv=notrunc status=none
"$XENMETER" archive create -q -o "$scratch/bad/timeless.xma" "$scratch/short.xt"
account -b host -f csv "$scratch/bad"
check 'are a finding' exits 1
check 'one that was cut is named' says "$err" 'cut.xma: left out: '
check 'one without times of day' says "$err" 'timeless.xma: left out: it has no times of day'
check 'the others count' same "$out" <("$XENMETER" account -q -b host -f csv "$scratch/recorded")
facts "$scratch/f5" "$(boot 5)" 2026-11-30T10:00:00Z 1 $web web
run account --host-facts "$scratch/f5" -g total --vm web -f jsonl "$scratch/bad/timeless.xma"
check '--host-facts gives times and names' equal '2026-11-30T10:00' "$(jq -r '.period_start[:16]' "$out")"
check 'facts that are none' refuses 'line 1' account --host-facts Makefile "$scratch/bad/timeless.xma"
mv "$scratch/bad" "$scratch/lost"
rm "$scratch/lost/"{cut,flipped,timeless}.xma "$scratch/lost/${files[1]##*/}"
check 'an hour that is lost shows' equal 33.33 "$(rows -b host -g total --from 2026-11-29T06:00Z --to 2026-11-29T08:00Z "$scratch/lost" | jq .covered_pct)"

# ---- how it is shown ----

group 'shown'
run account --vm web -g month "$scratch/moved"
check 'one VM is a page' says "$out" '^VM web, 2026-11 (UTC)$'
check 'of 80 columns and 24 lines' [ "$(wc -L <"$out")" -le 80 -a "$(wc -l <"$out")" -le 24 ]
run account --vm 'web,nosuch,none*' -g month "$scratch/moved"
check 'VMs that are not there: which' equal 'xenmeter: --vm nosuch: no VM of that name or UUID is in this time
xenmeter: --vm none*: no VM of that name or UUID is in this time' "$(cat "$err")"
check 'the others are shown' exits 0
run account --vm web -g month "$scratch/moved"
check 'that says how sure it is' says "$out" '^  verdict  *good'
for format in table csv tsv json jsonl sqlite; do
    run account -f $format -o "$scratch/out.$format" "$scratch/moved"
    check "$format" exits 0
    check "$format: there is something" has_text "$scratch/out.$format"
done
check 'json is a document' holds '.schema == "xenmeter.account/1" and (.vms | length) > 3' "$scratch/out.json"
check 'and jsonl has the same rows' same <(jq -c '.vms[]' "$scratch/out.json") <(jq -c . "$scratch/out.jsonl")
check 'sqlite has them, too' equal "$(wc -l <"$scratch/out.jsonl")" "$(sqlite3 "$scratch/out.sqlite" 'select count(*) from vms')"
run account -c help
check 'columns are listed' says "$out" '^  covered_pct '
check 'no such column' refuses 'total_n' account -c total_n "$scratch/moved"
check 'no folder for the output' refuses 'missing/x.csv: cannot create' account -o "$scratch/missing/x.csv" "$scratch/moved"
rows -g total --extrapolate --from 2026-11-29T07:00Z --to 2026-11-29T08:00Z -b vm-host --vm db "$scratch/moved" >"$scratch/rows"
check 'scaled to the whole period' holds '.extrapolated_total_ns >= .total_ns * 14.95 and .extrapolated_total_ns <= .total_ns * 15.1' "$scratch/rows"
check 'only if that is asked for' equal null "$(rows -g total --vm web "$scratch/moved" | jq .extrapolated_total_ns)"
rows -b vm-host --vm web,db --tz UTC -g hour "${files[@]}" "$scratch/moved" >"$scratch/rows"
check 'ordered' equal "$(jq -s 'map(.total_ns) | max' "$scratch/rows")" "$("$XENMETER" account -q -f jsonl -b vm-host --vm web,db -s total_ns -n 1 "${files[@]}" "$scratch/moved" | jq .total_ns)"

finish
