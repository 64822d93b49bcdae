#!/bin/bash
# Recording: archives by the hour, through crashes, restarts, set clocks and full disks.
#
#   WEEKS_DAYS=N  days of the simulated host that is recorded for long (default 1)
#   WEEKS_SEED=N  when it is killed, and when its clock is set (default: the time)
# shellcheck source=tests/lib.sh disable=SC2317 # functions are called through check
. "$(dirname "$0")/lib.sh"

days=${WEEKS_DAYS:-1}
RANDOM=${WEEKS_SEED:-$(date +%s)}
seed=${WEEKS_SEED:-$RANDOM}
RANDOM=$seed
folder=$scratch/folder
begins=2026-11-29T06:59:56Z

run() { # ARGUMENT...: $status, and the files out, err
    timeout -k 5 "$LIMIT" "$XENMETER" "$@" >"$scratch/out" 2>"$scratch/err"
    status=$?
}
exits() { [ "$status" -eq "$1" ]; }
says() { grep -qF -- "$1" "$scratch/err"; }
archives() { find "$folder" -name '*.xma' 2>/dev/null | sort; }
all_whole() { archives | while read -r file; do "$XENMETER" archive verify -q "$file" || return 1; done; }
nothing_partial() { ! find "$folder" -name '*.partial' | grep -q .; }
sums() { # FILE
    "$XENMETER" report -q -b vcpu -g total -f jsonl "$1" |
        jq -c '[.domain, .vcpu, .running_ns, .runnable_ns, .blocked_ns, .offline_ns, .unknown_ns, .executions, .wakes]' | sort
}

# ---- what is asked for ----

group 'wrong command lines'
refused() { # WHAT WORD ARGUMENT...
    run record "${@:3}"
    check "$1: exit status" exits 2
    check "$1: the message names it" says "$2"
    check "$1: nothing is made" [ ! -e "$folder" ]
}
refused 'no folder' '--output'
refused 'archives that are too short' '--rotate' -o "$folder" --rotate 1s
refused 'a purpose that is none' '--for' -o "$folder" --for everything
refused 'a share that is none' '--max-cpu' -o "$folder" --max-cpu 2
refused 'nor a hexadecimal one' '--max-cpu' -o "$folder" --max-cpu 0x2%
refused 'a size that is none' '--keep-bytes' -o "$folder" --keep-bytes much
refused 'a time that is none' '--clock' -o "$folder" --clock @yesterday trace.xt
refused 'a day that is none' '--clock' -o "$folder" --clock @2026-02-31T00:00:00Z trace.xt
refused 'a time too far away' '--clock' -o "$folder" --clock @9999-01-01T00:00:00Z trace.xt
refused 'the time of no trace' '--clock' -o "$folder" --clock @$begins
refused 'a host that is none' '--host' -o "$folder" --host 'a/b'
refused 'two traces' 'one too many' -o "$folder" a.xt b.xt
refused 'a trace that is compressed' 'zstd -dc' -o "$folder" fixtures/mixed-credit.xt.zst
mkdir "$scratch/nothing"
refused_late() { # WHAT WORD ARGUMENT...
    run record "${@:3}"
    check "$1: exit status" exits 2
    check "$1: the message names it" says "$2"
    rm -rf "$folder"
}
refused_late 'an empty trace' '/dev/null: is empty' -o "$folder" /dev/null
refused_late 'a folder in place of a trace' "$scratch/nothing: cannot be read" -o "$folder" "$scratch/nothing"
refused_late 'what is no trace' 'Makefile: not a xentrace capture' -o "$folder" Makefile
rmdir "$scratch/nothing"
refused 'no trace' 'cannot open' -o "$folder" "$scratch/nothing.xt"
run record --status "$scratch"
check 'the state of a folder that nobody records to' exits 2
run record -o "$folder" --xentrace "$scratch/no-xentrace" --domain-info 'echo "[]"'
check 'no xentrace: exit status' exits 2
check 'no xentrace: the message names it' says no-xentrace
rm -rf "$folder"

# ---- a trace that is given ----

group 'a trace that is given'
zstd -qdcf fixtures/mixed-credit.xt.zst >"$scratch/trace.xt"
run record -o "$folder" --host host --rotate 10s --clock @$begins -g 100ms "$scratch/trace.xt"
check 'exit status' exits 0
check 'an archive for each ten seconds' [ "$(archives | wc -l)" -eq 3 ]
check 'of these hours' [ "$(archives | sed 's|.*/\(.*\)Z-.*|\1|' | tr '\n' ' ')" = '2026-11-29T06 2026-11-29T07 2026-11-29T07 ' ]
check 'all are whole' all_whole
check 'none is open' nothing_partial
mapfile -t files < <(archives)
"$XENMETER" archive merge -q -o "$scratch/all.xma" "${files[@]}"
sums "$scratch/all.xma" >"$scratch/found"
sums "$scratch/trace.xt" >"$scratch/expected"
ran_as_long() {
    paste -d ' ' <(jq -c '[.[0], .[1], .[2] + .[3] + .[4] + .[5] + .[6]]' "$scratch/expected") <(jq -c '[.[0], .[1], .[2] + .[3] + .[4] + .[5] + .[6]]' "$scratch/found") |
        jq -se 'length > 0 and . == .' >/dev/null && [ "$(wc -l <"$scratch/expected")" -eq "$(wc -l <"$scratch/found")" ]
}
check 'they have the same vCPUs' ran_as_long
"$XENMETER" report -q --time-format utc -g total -f csv "${files[1]}" >"$scratch/out"
check 'they know the time of day' grep -qE '2026-11-29T(07:00:00.000000|06:59:59.999999)...Z' "$scratch/out"
run record --status "$folder"
check 'its state, for people' grep -q '^written    3 archives' "$scratch/out"
run record --status -f json "$folder"
check 'the state of the folder' [ "$(jq -r .archives "$scratch/out")" -eq 3 ]
check 'memory' [ "$(jq -r .rss_bytes "$scratch/out")" -lt $((128 << 20)) ]
run record -o "$folder" --host host --rotate 10s --clock @$begins - <"$scratch/trace.xt"
check 'through a pipe, and again: nothing is replaced' [ "$(archives | wc -l)" -eq 6 ]
rm -rf "$folder"

group 'an archive after one that is too short'
info_says() { jq -e "$1" "$scratch/out" >/dev/null; }
run record -o "$folder" --host host --rotate 10s --clock @2026-11-29T06:59:57Z "$scratch/trace.xt"
check 'one line reports that states begin anew' [ "$(grep -c 'states begin anew' "$scratch/err")" -eq 1 ]
mapfile -t files < <(archives)
run info -f json "${files[1]}"
check 'states no gap where nothing is missing' info_says '.host.gaps | length == 0'
run info -f json "${files[2]}"
check 'nor does the next one' info_says '.host.gaps | length == 0'
rm -rf "$folder"

# ---- counters beside it ----

group 'counters beside the trace'
jq 'del(.duration_ms) | .duration_s = 25' sim/scenarios/web-closed-loop.json >"$scratch/busy.json"
"$XENMETER" simulate -q -o "$scratch/busy.xt" --counts "$scratch/counts.csv" "$scratch/busy.json"
run record -q -o "$folder" --host host --rotate 10s --with-trace --clock @$begins --io-counts "$scratch/counts.csv" "$scratch/busy.xt"
check 'exit status' exits 0
check 'all are whole' all_whole
mapfile -t files < <(archives)
each_has_counters() {
    for file in "${files[@]}"; do "$XENMETER" archive list -v "$file" | grep -q '/io-counts/0' || return 1; done
}
check 'each archive has some' each_has_counters
"$XENMETER" archive merge -q -o "$scratch/all.xma" "${files[@]}"
run charge -q -g 5s -f jsonl --io-counts "$scratch/counts.csv" "$scratch/busy.xt"
sed "s|$scratch/counts.csv|FILE|" "$scratch/out" >"$scratch/expected"
check 'charges by them' [ -s "$scratch/expected" ]
run charge -q -g 5s -f jsonl --io-counts "$scratch/all.xma" "$scratch/busy.xt"
sed "s|$scratch/all.xma|FILE|" "$scratch/out" >"$scratch/found"
check 'what the archives have says the same' cmp "$scratch/expected" "$scratch/found"
run charge -q -g 1s -f jsonl --io-counts "${files[1]}" "${files[1]}"
check 'one archive is charged by its own' exits 0
cp "$scratch/out" "$scratch/found"
run charge -q -g 1s -f jsonl --io-counts "$scratch/counts.csv" "${files[1]}"
check 'as by all of them' cmp "$scratch/out" "$scratch/found"
run charge -q -g 1s -f jsonl "${files[1]}"
check 'and not as without' [ "$(cksum <"$scratch/out")" != "$(cksum <"$scratch/found")" ]
"$XENMETER" archive extract -q -o "$scratch/extracted" "$scratch/all.xma" '*/io-counts/*'
rows_of() { sed '/^time_ns/d' "$@" | sort -u; }
mapfile -t extracted < <(find "$scratch/extracted" -name '*.csv')
check 'no reading is lost' cmp <(rows_of "$scratch/counts.csv") <(rows_of "${extracted[@]}")
rm -rf "$folder" "$scratch/extracted"
run record -q -o "$folder" --host host --rotate 10s --clock @$begins --io-counts none "$scratch/busy.xt"
mapfile -t files < <(archives)
run charge -q --io-counts "${files[0]}" "$scratch/busy.xt"
check 'an archive without any: exit status' exits 2
check 'an archive without any: that is said' says 'no outside counters'
rm -rf "$folder"
refused 'counters that are none' 'Makefile: line 1' -o "$folder" --io-counts Makefile "$scratch/busy.xt"
refused 'a file of counters that is not there' 'no-counts' -o "$folder" --io-counts "$scratch/no-counts" "$scratch/busy.xt"

# ---- the trace for a time ----

group 'the trace for a time'
later=2026-11-29T07:00:21Z
run record -q -o "$folder" --host host --rotate 10s --with-trace -g 100ms --clock @$begins --io-counts "$scratch/counts.csv" "$scratch/busy.xt"
mapfile -t files < <(archives)
old=${files[0]} # of the hour before: what else there is begins in the hour that goes on
cp -r "$folder" "$scratch/before"
without() { # FOLDER: what its archives have but for traces, manifests and checkpoints, which list them
    local members file
    members=$(mktemp -d -p "$scratch")
    for file in "${files[@]}"; do "$XENMETER" archive extract -q -o "$members" "$1${file#"$folder"}"; done
    (cd "$members" && find . -type f ! -path '*/trace/*' ! -name manifest.json -exec cksum {} + | sort)
    rm -rf "$members"
}
has_trace() { "$XENMETER" archive list -v "$1" | grep -q '/trace/0'; }
run record -o "$folder" --host host --rotate 10s --with-trace=10s --clock @$later "$scratch/busy.xt"
check 'exit status' exits 0
check 'that is said' says 'the traces of 1 archives are not kept any more'
check 'an old archive has none any more' not has_trace "$old"
check 'and is smaller' [ "$(stat -c %s "$old")" -lt $(($(stat -c %s "$scratch/before${old#"$folder"}") / 10)) ]
check 'one of the hour that goes on has it' has_trace "${files[1]}"
check 'new ones, too' has_trace "$(archives | tail -n 1)"
check 'all are whole' all_whole
check 'all else is as it was, to the byte' cmp <(without "$scratch/before") <(without "$folder")
run report -q -b vcpu -g 100ms --time-format utc -f csv "$old"
check 'rows come of the results, with the time of day' grep -q ',2026-11-29T06:59:5' "$scratch/out"
rm -rf "$folder"
cut_short() { # COMMAND...: the recorder is killed when that ends; the archives are whole, with the trace or without
    cp -r "$scratch/before" "$folder"
    "$XENMETER" record -q -o "$folder" --host host --rotate 10s --with-trace=10s --clock "@$later" "$scratch/busy.xt" 2>/dev/null &
    recorder=$!
    "$@"
    kill -9 "$recorder" 2>/dev/null # it may have ended
    wait "$recorder" 2>/dev/null
    for file in "${files[@]}"; do "$XENMETER" archive verify -q "$file" || return 1; done
    has_trace "$old" || cuts=$((cuts + 1))
    cmp -s <(without "$scratch/before") <(without "$folder") || return 1
    rm -rf "$folder"
}
cuts=0
for ms in 5 10 15 20 30 40 60 80 120; do
    check "killed after $ms ms" cut_short sleep "$(printf '0.%03d' $ms)"
done
check 'killed when the first trace is gone' cut_short soon not has_trace "$old"
check 'some were killed after it' [ $cuts -gt 0 ]
rm -rf "$folder" "$scratch/before"
refused 'a time for the trace that is none' '--with-trace' -o "$folder" --with-trace=1s "$scratch/busy.xt"

# ---- never more bytes than asked for ----

group 'a hard limit'
measure() {
    bytes=$(find "$folder" -name '*.xma*' -type f -printf '%s\n' 2>/dev/null | awk '{ s += $1 } END { print s + 0 }')
    most=$((bytes > most ? bytes : most))
}
# While it records, and at its end: the most bytes that its folder ever has.
watched() { # ARGUMENT...
    "$XENMETER" record -o "$folder" --host host --rotate 10s --clock @$begins "$@" "$scratch/busy.xt" 2>"$scratch/err" &
    recorder=$!
    while kill -0 $recorder 2>/dev/null; do frozen $recorder measure; done
    wait $recorder
    status=$?
    measure
}
most=0
watched --with-trace --keep-bytes 1M
check 'one archive has no room: exit status' exits 2
check 'that is said' says '--keep-bytes'
check "never more ($most)" [ $most -le $((1 << 20)) ]
rm -rf "$folder"
most=0
watched --with-trace --keep-bytes 20M
check 'the oldest go: exit status' exits 0
check 'that is said' says 'they are too many'
check "never more ($most)" [ $most -le $((20 << 20)) ]
check 'but nearly so much' [ $most -gt $((8 << 20)) ]
check 'all are whole' all_whole
rm -rf "$folder"
mkdir -p "$folder/other"
truncate -s 19M "$folder/other/2026-11-29T06Z-0a1b2c3d-0000.xma"
most=0
watched --with-trace --keep-bytes 20M
check 'those of other hosts count: exit status' exits 2
check "never more ($most)" [ $most -le $((20 << 20)) ]
check 'and stay' [ -e "$folder/other/2026-11-29T06Z-0a1b2c3d-0000.xma" ]
rm -rf "$folder"

# ---- a hole across an archive's end ----

info_of_hole() { "$XENMETER" info -f json "$1" | jq -e "$2" >/dev/null; } # FILE EXPRESSION
group 'a hole across the end of an archive'
hole_numbers() { # FILE: name and value
    "$XENMETER" info -f json "$1" | jq -r '"blind \(.quality.blind_ns)", "hole \(.quality.hole_ns)", "unknown \(.quality.unknown_ns)"'
}
# 100 kB of damage, and from 3.6 s to 11.4 s nothing, while an archive ends at 4 s.
{ head -c 5000000 "$scratch/trace.xt" && head -c 100000 /dev/zero && tail -c 5000000 "$scratch/trace.xt"; } >"$scratch/hole.xt"
run record -o "$folder" --host host --rotate 10s --clock @2026-11-29T06:59:56Z "$scratch/hole.xt"
check 'exit status' exits 0
mapfile -t files < <(archives)
hole_numbers "$scratch/hole.xt" >"$scratch/expected"
for file in "${files[@]}"; do hole_numbers "$file"; done >"$scratch/found"
# Rows of times are rounded at each end; who was unknown for how long also rests on what the archive before knew.
sums_are_near() {
    awk 'NR == FNR { wanted[$1] = $2; next } { found[$1] += $2 }
        END { for (k in wanted) { d = found[k] - wanted[k]; n++; if (d < 0) d = -d; if (d > (k == "unknown" ? wanted[k] / 100 : 10)) bad = 1 }
              exit bad || n != 3 || !(wanted["hole"] > 7e9) || !(wanted["blind"] > 7e9) }' "$scratch/expected" "$scratch/found"
}
check 'the archives have it all together' sums_are_near
check 'no archive begins anew' [ "$(grep -c 'states begin anew' "$scratch/err")" -eq 0 ]
"$XENMETER" archive merge -q -o "$scratch/all.xma" "${files[@]}"
sums "$scratch/all.xma" >"$scratch/found"
sums "$scratch/hole.xt" >"$scratch/expected"
check 'sums are those of the trace' cmp "$scratch/expected" "$scratch/found"
check 'the first one has what was before its end' info_of_hole "${files[0]}" '.quality.hole_ns > 3e8 and .quality.hole_ns < 4.2e8'
check 'the second one has the rest, from its beginning on' info_of_hole "${files[1]}" '.quality.hole_ns > 7.3e9 and .quality.hole_ns < 7.5e9 and .quality.hole_at_ns == 0'
check 'its rows are at their time' [ "$("$XENMETER" report -q -b domain -g 1s -f jsonl "${files[1]}" | jq -s 'map(select(.running_ns > 0) | .start_ns) | min')" = 7000000000 ]
rm -rf "$folder"

# ---- a host ----

jq 'del(.duration_ms) | .duration_s = 600' sim/scenarios/web-closed-loop.json >"$scratch/host.json"
cat >"$scratch/xentrace" <<END
#!/bin/sh
exec "$PWD/$XENMETER" simulate -q --realtime -o - "$scratch/host.json"
END
cat >"$scratch/xentrace-that-ends" <<END
#!/bin/sh
jq '.duration_s = 3' "$scratch/host.json" | "$PWD/$XENMETER" simulate -q --realtime -o - -
echo 'no more' >&2
exit 1
END
cat >"$scratch/domains" <<'END'
[{"domid": 0, "config": {"c_info": {"name": "Domain-0", "uuid": "00000000-0000-0000-0000-000000000000"}}},
 {"domid": 1, "config": {"c_info": {"name": "web", "uuid": "11111111-2222-3333-4444-555555555555"}, "b_info": {"max_vcpus": 1}}}]
END
chmod +x "$scratch"/xentrace*
start() { # XENTRACE ARGUMENT...
    "$XENMETER" record -o "$folder" --host host --xentrace "$1" --domain-info "$scratch/domains" "${@:2}" 2>"$scratch/err" &
    recorder=$!
}
# So many are recorded, as the state of the folder has it.
has_records() { "$XENMETER" record --status -f json "$folder" 2>/dev/null | jq -e ".records >= $1" >/dev/null; }
is_open() { find "$folder" -name '*.partial' 2>/dev/null | grep -q .; }
records() { [ "$(find "$folder" -name '*.partial' -size +8k 2>/dev/null | wc -l)" -gt 0 ] || has_archives 1; }
has_archives() { [ "$(archives | wc -l)" -ge "$1" ]; }
# It has begun to heed SIGTERM, or it has ended.
heeds_term() {
    local caught
    caught=$(awk '$1 == "SigCgt:" { print $2 }' "/proc/$recorder/status" 2>/dev/null) && [ -n "$caught" ] || return 0
    [ $((0x$caught & 1 << 14)) -ne 0 ]
}
end() { # SIGNAL
    soon heeds_term
    kill "-$1" "$recorder"
    wait "$recorder" 2>/dev/null
    status=$?
}

group 'odd things in the folder'
mkdir -p "$folder/host"
boot=$(cut -c1-8 /proc/sys/kernel/random/boot_id)
mkdir "$folder/host/2026-11-29T06Z-$boot-0000.xma.partial" "$folder/host/2026-11-29T07Z-$boot-0000.xma"
run record -o "$folder" --host host --clock @$begins "$scratch/trace.xt"
check 'exit status' exits 0
check 'are left alone' [ "$(find "$folder" -name '*.xma' -type f | wc -l)" -eq 2 ]
rm -rf "$folder"

group 'a host'
start "$scratch/xentrace"
check 'it records' soon is_open
check 'there are records' soon has_records 10000
run record -o "$folder" --host host --xentrace "$scratch/xentrace" --domain-info "$scratch/domains"
check 'a second recorder is refused' exits 2
check 'and says who records' says "$recorder"
kill -HUP $recorder
check 'SIGHUP begins another archive' soon has_archives 1
end TERM
check 'exit status after SIGTERM' exits 0
check 'nothing is left open' nothing_partial
check 'all are whole' all_whole
check 'xentrace has ended' [ -z "$(pgrep -f "$scratch/host.json")" ]
mapfile -t files < <(archives)
"$XENMETER" report -q -g total -f jsonl "${files[0]}" >"$scratch/out"
check 'domains have their names' [ "$(jq -r 'select(.domain == 1) | .name' "$scratch/out")" = web ]
"$XENMETER" report -q -g total -d 'we*' -f jsonl "${files[0]}" >"$scratch/out"
check 'and are found by them' [ "$(jq -r .domain "$scratch/out" | sort -u)" = 1 ]
rm -rf "$folder"

group 'a trace that comes faster than it is decoded'
cat >"$scratch/flood" <<END
#!/bin/sh
jq '.duration_s = 36000' "$scratch/host.json" | "$PWD/$XENMETER" simulate -q -o - -
END
chmod +x "$scratch/flood"
start "$scratch/flood"
check 'it records' soon is_open
sleep 3
kill -TERM $recorder
has_ended() { ! kill -0 "$recorder" 2>/dev/null; }
check 'SIGTERM ends it' soon has_ended
kill -9 $recorder 2>/dev/null
wait $recorder
status=$?
check 'exit status' exits 0
check 'nothing is left open' nothing_partial
rm -rf "$folder"

group 'a clock that fails'
run record -o "$folder" --host host --xentrace "$scratch/xentrace" --domain-info "$scratch/domains" --clock false
check 'at once: exit status' exits 2
check 'at once: that is said' says "the clock's command does not answer"
check 'at once: nothing is recorded' [ -z "$(find "$folder" -name '*.xma*')" ]
cat >"$scratch/clock-that-ends" <<END
#!/bin/sh
for i in 1 2 3 4 5 6; do read -r _ && echo "\$((1795935600 + i))000000000 \$((1000 + i))000000000 \$((17592186044416 + i * 2400000000))"; done
END
chmod +x "$scratch/clock-that-ends"
run record -o "$folder" --host host --xentrace "$scratch/xentrace" --domain-info "$scratch/domains" --clock "$scratch/clock-that-ends"
check 'later: exit status' exits 2
check 'later: that is said' says "the clock's command does not answer"
check 'later: what there is is complete' nothing_partial
check 'later: nothing is of 1970' [ -z "$(find "$folder" -name '1970*')" ]
rm -rf "$folder"

group 'a folder that is removed'
start "$scratch/xentrace"
check 'it records' soon is_open
check 'it can be removed while the recorder writes to it' soon rm -rf "$folder"
wait $recorder
status=$?
check 'exit status' exits 2
check 'that is said' says 'was removed'
rm -rf "$folder"

group 'limits that are read again'
mkdir -p "$scratch/config/xenmeter"
printf '[record]\nkeep-bytes = 1G\nmin-free = 1M\n' >"$scratch/config/xenmeter/config"
start "$scratch/xentrace"
check 'it records' soon is_open
printf '[record]\nmin-free = 900T\n' >"$scratch/config/xenmeter/config"
kill -HUP $recorder
wait $recorder 2>/dev/null
status=$?
check 'SIGHUP: the new limit holds' exits 2
check 'that is said' says '--min-free'
check 'what there is is complete' nothing_partial
rm -rf "$folder" "$scratch/config"

group 'who the domains are'
echo 'no list' >"$scratch/no-domains"
"$XENMETER" record -o "$folder" --host host --xentrace "$scratch/xentrace" --domain-info "$scratch/no-domains" 2>"$scratch/err" &
recorder=$!
check 'is not known: that is said' soon says 'who the domains are'
end TERM
check 'exit status' exits 0
rm -rf "$folder"

group 'xentrace breaks'
cat >"$scratch/xentrace-that-breaks" <<END
#!/bin/sh
[ ! -e "$scratch/broken" ] || exec printf 'Segmentation fault'
>"$scratch/broken"
jq '.duration_s = 3' "$scratch/host.json" | "$PWD/$XENMETER" simulate -q --realtime -o - -
END
chmod +x "$scratch/xentrace-that-breaks"
start "$scratch/xentrace-that-breaks"
check 'what is no trace: that is said' soon says 'xentrace: not a xentrace capture'
rm -f "$scratch/broken"
check 'and it is started again' soon has_archives 2
run record --status -f json "$folder"
check 'somebody records' [ "$(jq -r .state "$scratch/out")" != 'not running' ]
end TERM
check 'exit status' exits 0
run record --status -f json "$folder"
check 'nobody records any more' [ "$(jq -r .state "$scratch/out")" = 'not running' ]
check 'all are whole' all_whole
rm -rf "$folder"

group 'after a crash'
cat >"$scratch/xentrace-that-looks" <<END
#!/bin/sh
stat -L -c %.9Z /dev/stdout >"$scratch/began" # when the recorder made the pipe
exec "$scratch/xentrace"
END
chmod +x "$scratch/xentrace-that-looks"
run record -q -o "$folder" --host host --rotate 10s --with-trace --clock @$begins "$scratch/busy.xt"
earlier=$(archives)
first=$(archives | head -n 1)
for i in $(seq 10 40); do head -c -40 "$first" >"${first%????.xma}00$i.xma.partial"; done # without their seals
start "$scratch/xentrace-that-looks"
check 'it records' soon has_records 10000
end TERM
check 'exit status' exits 0
completed_at=$(stat -c %.9Z "${first%????.xma}"00[1-4]?.xma | sort -n | tail -n 1)
before_completed() { awk -v a="$(cat "$scratch/began")" -v b="$completed_at" 'BEGIN { exit !(a > 0 && a < b) }'; }
check 'xentrace is started before what the crash left is completed' before_completed
check 'that is completed' says 'completed'
check 'nothing is left open' nothing_partial
check 'all are whole' all_whole
# The first of today: where an hour ends meanwhile there is another one.
run info -f json "$(archives | grep -vxF "$earlier" | grep -v "^${first%????.xma}00[1-4]" | head -n 1)"
check 'the gap is stated' info_says '.host.gaps | length == 1 and .[0].why == "the recorder did not run"'
check 'the archive begins with it' info_says ".host.start_time | sub(\"\\\\.[0-9]+\"; \"\") | fromdateiso8601 | . >= $(cat "$scratch/began") - 1 and . <= $completed_at"
rm -rf "$folder"

group 'a crash in the first seconds'
start "$scratch/xentrace"
check 'it records' soon is_open
sleep 8
end KILL
check 'nothing is complete' [ -z "$(archives)" ]
start "$scratch/xentrace"
check 'what there is is completed' soon says completed
soon is_open
end TERM
mapfile -t files < <(archives)
check 'it has the first seconds' info_of_hole "${files[0]}" '.trace.duration_ns >= 1.5e9'
check 'the one that was ended at once knows the time of day' info_of_hole "${files[1]}" '.host.start_time != null'
rm -rf "$folder"

group 'xentrace ends'
start "$scratch/xentrace-that-ends"
check 'it is started again' soon has_archives 2
check 'and that is said' says 'no more'
end TERM
check 'exit status' exits 0
check 'all are whole' all_whole
archives | while read -r file; do "$XENMETER" info -f json "$file" 2>&1; done >"$scratch/out"
check 'the gap is stated' grep -q 'no more' "$scratch/out"
rm -rf "$folder"

group 'it takes too much'
cat >"$scratch/xentrace-noted" <<END
#!/bin/sh
while [ \$# -gt 0 ]; do [ "\$1" = -e ] && echo "\$2" >>"$scratch/masks"; shift; done
exec "$scratch/xentrace"
END
chmod +x "$scratch/xentrace-noted"
start "$scratch/xentrace-noted" --max-cpu 0.01%
narrowed() { [ "$(cat "$scratch/masks" 2>/dev/null | wc -l)" -ge "$1" ]; }
check 'less is recorded' soon narrowed 2
check 'in an archive of its own' soon has_archives 1
at=$(jq -r .records "$folder"/*.json 2>/dev/null)
check 'which is begun' soon has_records $((${at:-0} + 1))
check 'and that is said' says '--for cpu'
end TERM
check 'exit status' exits 0
check 'all are whole' all_whole
check 'the mask is narrower' [ "$(head -n 1 "$scratch/masks")" != "$(sed -n 2p "$scratch/masks")" ]
archives | while read -r file; do "$XENMETER" info -f json "$file" 2>&1; done >"$scratch/out"
check 'the archive has it' grep -q 'of a CPU' "$scratch/out"
rm -rf "$folder"

# ---- for long ----

light='{"duration_s": 86399.9, "host": {"scheduler": "null", "pcpus": 2}, "trace": {"sweep_ms": 400},
    "domains": [{"id": 0, "name": "dom0", "driver_domain": {}},
        {"id": 1, "name": "web", "loads": [{"type": "web", "clients": 1, "think_ms": 4000, "file_bytes": 3000}]}]}'
"$XENMETER" simulate -q -o "$scratch/day.xt" - <<<"$light"
cat >"$scratch/paced" <<END
#!/bin/sh
exec "$PWD/$BUILD/tests/paced" "$scratch/tsc" "$scratch/day.xt" $days 20
END
chmod +x "$scratch/paced"
now_tsc() { od -An -tu8 "$scratch/tsc" 2>/dev/null | tr -d ' ' || echo 0; }
first_tsc=$((1 << 44)) # of simulated hosts
last_tsc=$((first_tsc + days * 86400 * 2400000000 - 30 * 2400000000))
ended() { [ "$(now_tsc)" -ge "$last_tsc" ]; }
reached() { [ "$(now_tsc)" -ge "$1" ]; }
# From this moment on it is that much later (or earlier) than it was; because the machine was suspended, or not.
set_clock() { # SECONDS [SUSPENDED]
    local tsc
    tsc=$(now_tsc)
    awk -v tsc="$tsc" -v by="$1" -v slept="${2:-0}" '{ from = $1; utc = $2 }
        END { printf "%.0f %.0f %.0f\n", tsc, utc + (tsc - from) / 2.4 + by * 1e9, slept * 1e9 }' "$scratch/steps" >"$scratch/step"
    cat "$scratch/step" >>"$scratch/steps"
}
suspend() { set_clock "$1" "$1"; } # SECONDS
start_long() {
    start "$scratch/paced" -q --buffer 1M -g 1min --clock "$PWD/$BUILD/tests/paced_clock $scratch/tsc $scratch/steps" "$@"
}
# The archives in the order of their time stamps: TSC-FIRST TSC-LAST FILE.
spans() {
    archives | while read -r file; do
        "$XENMETER" archive list -f json "$file" | jq -r --arg file "$file" '.pieces[] | "\(.tsc_first) \(.tsc_last) \($file)"'
    done | sort -n
}

group "$days days (WEEKS_SEED=$seed WEEKS_DAYS=$days)"
printf '\0\0\0\0\0\020\0\0' >"$scratch/tsc" # the first of them
echo "$first_tsc 1774740000000000000 0" >"$scratch/steps" # 2026-03-28T23:20Z: the night in which summer time begins in Europe
start_long
kills=0
long_begun=$SECONDS
while ! ended && kill -0 $recorder 2>/dev/null && [ $((SECONDS - long_begun)) -lt $((60 + days * 60)) ]; do
    at=$(($(now_tsc) + (RANDOM % 10 + 1) * 3600 * 2400000000 / 2))
    timeout "$LIMIT" bash -c "while [ \"\$(od -An -tu8 '$scratch/tsc' | tr -d ' ')\" -lt $((at < last_tsc ? at : last_tsc)) ]; do sleep 0.02; done" || break
    case $((RANDOM % 5)) in
    0) set_clock 7200 ;;
    1) set_clock -3600 ;;
    2) suspend 5400 ;;
    *)
        kill -9 $recorder
        wait $recorder 2>/dev/null
        kills=$((kills + 1))
        start_long
        ;;
    esac
done
check 'it came to the end' ended
end TERM
check 'exit status' exits 0
start_long # what the last kill has left
sleep 1
end TERM
check 'all are whole' all_whole
check 'nothing is left open' nothing_partial
# One that had hardly begun when its recorder was killed has nothing that could be completed.
check 'nothing is damaged but what had just begun' [ -z "$(find "$folder" -name '*.damaged' -size +64k)" ]
spans >"$scratch/spans"
ordered() { awk 'NR > 1 && $1 < last { print; bad = 1 } { last = $2 } END { exit bad || NR < 3 }' "$scratch/spans"; }
check 'no two have the same time' ordered
# What is not in any archive is stated by the next one; and what is recorded and what is not, together, are the trace.
awk 'NR > 1 && $1 > last { print last, $1, $3 } { last = $2 }' "$scratch/spans" >"$scratch/gaps"
gap_is_stated() { "$XENMETER" info -f json "$1" | jq -e '.host.gaps | length > 0' >/dev/null; }
while read -r _ _ file; do check "the gap before $file is stated" gap_is_stated "$file"; done <"$scratch/gaps"
ran() { "$XENMETER" report -q -g total -f jsonl "$@" | jq -s 'map(.running_ns) | add // 0'; }
# Each archive has what the days, which are all the same, have between its first time stamp and its last. (Where one day follows the
# other the host's state changes without a record.)
as_the_day_says() { # FIRST LAST FILE
    local day=$((86400 * 2400000000)) from to
    from=$((($1 - first_tsc) % day)) to=$((($2 - first_tsc - 1) % day + 1))
    [ $((($1 - first_tsc) / day)) -eq $((($2 - first_tsc - 1) / day)) ] || return 0
    awk -v a="$(ran "$3")" -v b="$(ran -t "$(awk -v a="$from" -v b="$to" 'BEGIN { printf "%.9f,%.9f", a / 2.4e9, b / 2.4e9 }')" "$scratch/day.xt")" '
        BEGIN { d = a - b; exit !(d <= 1e6 && -d <= 1e6) }'
}
while read -r first last file; do check "$file has what ran" as_the_day_says "$first" "$last" "$file"; done <"$scratch/spans"
rm -rf "$folder"

group 'a clock that is set far ahead'
printf '\0\0\0\0\0\020\0\0' >"$scratch/tsc"
echo "$first_tsc 1774740000000000000 0" >"$scratch/steps"
"$XENMETER" record -o "$folder" --host host --xentrace "$scratch/paced" --domain-info "$scratch/domains" --buffer 1M -g 1min --keep 100d --clock "$PWD/$BUILD/tests/paced_clock $scratch/tsc $scratch/steps" 2>"$scratch/err" &
recorder=$!
check 'it records' soon has_archives 2
before=$(archives)
set_clock 315360000 # ten years
check 'is not believed: that is said' soon says 'nothing more is removed because it is old'
end TERM
check 'exit status' exits 0
all_there() { for file in $before; do [ -e "$file" ] || return 1; done; }
check 'what was recorded is there' all_there
rm -rf "$folder"

# Until so much of the day is recorded, or the recorder has ended.
record_until() { # TSC
    for ((tries = 0; tries < 1200; tries++)); do
        if reached "$1" || ! kill -0 $recorder 2>/dev/null; then break; fi
        sleep 0.05
    done
}

group 'suspended'
printf '\0\0\0\0\0\020\0\0' >"$scratch/tsc"
echo "$first_tsc 1774740000000000000 0" >"$scratch/steps"
start_long
asleep_at=$((first_tsc + 10000 * 2400000000)) # the simulated host is 10000 s further
record_until $asleep_at
suspend 10800
record_until $((first_tsc + 20000 * 2400000000))
end TERM
check 'exit status' exits 0
check 'all are whole' all_whole
find "$folder" -name '*.xma' | sort | while read -r file; do
    "$XENMETER" info -f json "$file" | jq -c '.host.gaps[] | select(.why == "this machine was suspended")'
done >"$scratch/gaps"
check 'the gap is stated once' [ "$(wc -l <"$scratch/gaps")" -eq 1 ]
slept() { jq -e '[.end_time, .start_time] | map(sub("\\.[0-9]+"; "") | fromdateiso8601) | .[0] - .[1] | . > 10790 and . < 10810' "$scratch/gaps" >/dev/null; }
check 'with its length' slept
spans >"$scratch/spans"
whole() { awk 'NR > 1 && $1 != last { print; bad = 1 } { last = $2 } END { exit bad || NR < 2 }' "$scratch/spans"; }
check 'no record is missing, and none is there twice' whole
while read -r first last file; do check "$file has what ran" as_the_day_says "$first" "$last" "$file"; done <"$scratch/spans"
rm -rf "$folder"

group 'at most so many bytes'
printf '\0\0\0\0\0\0\0\0' >"$scratch/tsc"
start_long --keep-bytes 4M
most=0
for ((tries = 0; tries < 1200; tries++)); do
    reached $((first_tsc + 80000 * 2400000000)) && break
    frozen $recorder measure
    sleep 0.05
done
end TERM
check 'exit status' exits 0
check "never more ($most)" [ $most -le $((4 << 20)) ]
check 'but archives' has_archives 1
check 'all are whole' all_whole
rm -rf "$folder"
group 'a file system that is full'
mkdir -p "$folder"
if mount -t tmpfs -o size=6M tmpfs "$folder" 2>/dev/null; then
    trap 'umount "$folder" 2>/dev/null; rm -rf "$scratch"' EXIT
    printf '\0\0\0\0\0\020\0\0' >"$scratch/tsc"
    start_long --min-free 2M
    record_until $((first_tsc + 80000 * 2400000000))
    check 'the oldest archives go, and it goes on' reached $((first_tsc + 80000 * 2400000000))
    end TERM
    check 'exit status' exits 0
    check 'there are archives' has_archives 2
    check 'all are whole' all_whole
    check 'nothing is left open' nothing_partial
    rm -rf "${folder:?}"/*
    printf '\0\0\0\0\0\020\0\0' >"$scratch/tsc"
    start_long --min-free 2M --when-full stop
    record_until $((first_tsc + 80000 * 2400000000))
    wait $recorder
    status=$?
    check 'or it stops: exit status' exits 2
    check 'it says why' says '--min-free'
    check 'what there is is complete' all_whole
    check 'nothing is left open' nothing_partial
    umount "$folder"
else
    skip 'a file system that is full' 'no tmpfs can be mounted here'
fi
finish
