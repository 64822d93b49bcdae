#!/bin/bash
# The flight recorder: the last of the trace, written when a rule holds or a signal asks for it.
# shellcheck source=tests/lib.sh disable=SC2317 # functions are called through check
. "$(dirname "$0")/lib.sh"

folder=$scratch/folder
flight=$folder/host/flight
begins=2026-11-29T06:59:56Z

record() { # ARGUMENT...: all of a trace that is given
    rm -rf "$folder"
    run record -q -o "$folder" --host host --clock @$begins "$@"
}
notes() { find "$flight" -name '*.json' 2>/dev/null | sort; }
dumps() { find "$flight" -name '*.xt' 2>/dev/null | sort; }
has_dumps() { [ "$(dumps | wc -l)" -eq "$1" ] && [ "$(notes | wc -l)" -eq "$1" ]; }
of_note() { jq -r "$1" "$2"; } # FILTER NOTE
all_notes() { # FILTER: it holds of each
    local note
    for note in $(notes); do jq -e "$1" "$note" >/dev/null || return 1; done
    [ -n "$(notes)" ]
}
flight_state() { "$XENMETER" record --status -f json "$folder" | jq -r ".flight.$1"; }
part_of() { # FILE NOTE: its bytes
    tail -c +$(($(of_note .trace_offset "$2") + 1)) "$1" | head -c "$(of_note .bytes "$2")"
}
# Each dump is a part of the trace.
all_parts_of() { # FILE
    local note
    for note in $(notes); do part_of "$1" "$note" | cmp -s - "${note%.json}.xt" || return 1; done
    [ -n "$(notes)" ]
}
first_tsc() { "$XENMETER" info -f json "$1" | jq .trace.tsc_first; }
# What happened in the time that the note states, or since the dump's first record; and how long everybody ran.
counts() { # NOTE FILE: as the file has it
    local from first hz
    from=$(of_note .from.tsc "$1") hz=$(of_note .cpu_hz "$1")
    first=$(first_tsc "${1%.json}.xt")
    "$XENMETER" report -q --cpu-hz "$hz" -b vcpu -g total -f jsonl "$2" \
        -t "$(awk -v zero="$(first_tsc "$2")" -v a=$((from > first ? from : first)) -v b="$(of_note .to.tsc "$1")" -v hz="$hz" \
            'BEGIN { printf "%.9f,%.9f", (a - zero) / hz, (b - zero) / hz }')" 2>/dev/null |
        jq -c '[.domain, .vcpu, .executions, .wakes, .blocks, .preemptions, .unknown_ns, .running_ns]' | sort
}
same_counts() { # FILE: of each dump; times are off by what the instants of a switch are, a microsecond each
    local note
    for note in $(notes); do
        counts "$note" "${note%.json}.xt" >"$scratch/found"
        counts "$note" "$1" >"$scratch/expected"
        jq -se --slurpfile e "$scratch/expected" 'length > 0 and ($e | length) == length and
            ([., $e] | transpose | all(.[0][:7] == .[1][:7] and (.[0][7] - .[1][7] | fabs) < 1000 * (.[0][2] + 1000)))' \
            "$scratch/found" >/dev/null || return 1
    done
}
# As the report of a dump says, too: nothing is unknown.
opens() { "$XENMETER" report -q -g total -f jsonl "$1" | jq -se 'length > 0' >/dev/null; }

# ---- what is asked for ----

group 'wrong command lines'
refused() { # WHAT PATTERN ARGUMENT...
    check "$1" refuses "$2" record -o "$folder" "${@:3}" Makefile
    check "$1: nothing is made" [ ! -e "$folder" ]
}
refused 'a size alone' '--flight 64M: wants' --flight 64M
refused 'a size that is none' '--flight much,3s: wants' --flight much,3s
refused 'a time that is none' 'flight' --flight 64M,soon
refused 'too little' '--flight 1k,3s: ' --flight 1k,3s
refused 'too short' '--flight 64M,1ms: ' --flight 64M,1ms
refused 'a rule without a flight recorder' '--when is about' --when 'lost > 0'
refused 'a length without a flight recorder' '--after is about' --after 2s
refused 'no rule' "--when 'wait_p99': wanted is" --flight 64M,3s --when wait_p99
refused 'a change' "--when 'wait_p99 +20%': wanted is" --flight 64M,3s --when 'wait_p99 +20%'
refused 'no such column' "'waiting' is no column" --flight 64M,3s --when 'waiting > 1ms'
refused 'a limit without its unit' 'wants a unit' --flight 64M,3s --when 'wait_p99 > 20'
refused 'lost records of a domain' 'by pCPUs' --flight 64M,3s --when 'lost > 0 in web'
refused 'a column of pCPUs' 'of pCPUs' --flight 64M,3s --when 'idle < 10'
refused 'more than half of what may be kept' 'a quarter of --keep-bytes' --flight 64M,3s --keep-bytes 200M
refused 'dumps that are not kept' 'flight-max' --flight 64M,3s --flight-max 0

# ---- rules ----

zstd -qdcf fixtures/mixed-credit.xt.zst >"$scratch/trace.xt"
cat >"$scratch/domains" <<'END'
[{"domid": 0, "config": {"c_info": {"name": "Domain-0", "uuid": "00000000-0000-0000-0000-000000000000"}}},
 {"domid": 1, "config": {"c_info": {"name": "burner", "uuid": "11111111-2222-3333-4444-555555555555"}, "b_info": {"max_vcpus": 1}}}]
END

# The ends of intervals in which the value of some row is above that, as the archives say: tsc, one a line.
ends_above() { # COLUMN LIMIT [FILTER]
    find "$folder" -name '*.xma' | sort | while read -r file; do
        "$XENMETER" report -q --time-format tsc -b domain -g 1s -f jsonl "$file" |
            jq -r "select(${3:-true}) | select(.$1 != null and .$1 > $2) | .end_time"
    done | sort -nu
}

group 'a rule holds as the rows say'
for limit in 20000000 40000000; do
    record --rotate 10s -g 1s --flight 4M,2s --when "wait_p99 > $((limit / 1000))us" --flight-cooldown 0s --flight-max 99 "$scratch/trace.xt"
    check "$limit: exit status" exits 0
    ends_above wait_p99_ns $limit >"$scratch/ends"
    check "$limit: in as many intervals" equal "$(wc -l <"$scratch/ends")" "$(flight_state held)"
    check "$limit: in some, not in all" [ "$(wc -l <"$scratch/ends")" -gt 0 ] && [ "$(wc -l <"$scratch/ends")" -lt 14 ]
    for note in $(notes); do of_note .why.moment.tsc "$note"; done | sort -n >"$scratch/moments"
    near_ends() { awk 'NR == FNR { e[n++] = $1; next } { ok = 0; for (i = 0; i < n; i++) { d = $1 - e[i]; if (d < 3000 && d > -3000) ok = 1 } bad = bad || !ok } END { exit bad || FNR == 0 }' "$scratch/ends" "$scratch/moments"; }
    check "$limit: the moments of dumps are their ends" near_ends
    check "$limit: values are above the limit" all_notes ".why.value > $limit and .why.limit == $limit and .why.unit == \"ns\" and .why.column == \"wait_p99_ns\""
    check "$limit: dumps are parts of the trace" all_parts_of "$scratch/trace.xt"
done
check 'dumps and notes are paired' has_dumps "$(flight_state dumps)"

group 'the same trace gives the same dumps, however fast it comes'
moments() { for note in $(notes); do jq -c '[.why.moment, .from, .to, .bytes]' "$note"; done; }
slowly() { # FILE: with pauses
    local from bytes=6000000
    for ((from = 0; from < $(stat -c %s "$1"); from += bytes)); do
        tail -c +$((from + 1)) "$1" | head -c $bytes
        sleep 0.25
    done
}
rules=(--rotate 10s -g 1s --flight '4M,2s' --when 'wait_p99 > 20ms' --flight-cooldown 0s --flight-max 99)
record "${rules[@]}" "$scratch/trace.xt"
moments >"$scratch/expected"
check 'there are dumps' [ -s "$scratch/expected" ]
rm -rf "$folder"
slowly "$scratch/trace.xt" | "$XENMETER" record -q -o "$folder" --host host --clock @$begins "${rules[@]}" -
moments >"$scratch/found"
check 'their moments, and bytes' cmp "$scratch/expected" "$scratch/found"

group 'of whom'
record --rotate 10s -g 1s --flight 4M,2s --when 'wait_p99 > 1us in burn*' --domain-info "$scratch/domains" --flight-cooldown 0s "$scratch/trace.xt"
check 'by name' all_notes '.why.domain == 1 and .why.name == "burner" and .why.rule == "wait_p99 > 1us in burn*"'
record --rotate 10s -g 1s --flight 4M,2s --when 'running > 10% in 2-3' --flight-cooldown 0s "$scratch/trace.xt"
check 'by a range of ids' all_notes '(.why.domain == 2 or .why.domain == 3) and .why.unit == "%"'
record --rotate 10s -g 1s --flight 4M,2s --when 'running > 10% in nobody' "$scratch/trace.xt"
check 'by a name that there is not' has_dumps 0
record --rotate 10s -g 1s --flight 4M,2s --when 'wait_p99 > 1h' --when 'running < 0.001% in 1' --when 'running > 1% in 1' "$scratch/trace.xt"
check 'the rule that holds, of several' all_notes '.why.rule == "running > 1% in 1"'

group 'what happens after a dump'
record --rotate 10s -g 1s --flight 4M,2s --when 'running > 1% in 1' --flight-cooldown 4s --flight-max 99 "$scratch/trace.xt"
check 'rules are quiet for so long' has_dumps 4
apart() { for note in $(notes); do of_note .why.moment.tsc "$note"; done | sort -n | awk -v least="$1" 'NR > 1 && $1 - last < least { bad = 1 } { last = $1 } END { exit bad || NR < 2 }'; }
check 'dumps are as far apart' apart 10384000000
check 'those that made none are counted' all_notes '.passed_over <= 4' # one interval is split where an archive ends
record --rotate 10s -g 1s --flight 4M,2s --when 'running > 1% in 1' --flight-cooldown 2s --flight-max 2 "$scratch/trace.xt"
check 'so many are kept' has_dumps 2
check 'more were made' [ "$(flight_state dumps)" -gt 4 ]
check 'the newest are kept' equal "$(dumps | tail -n 1)" "$(flight_state last)"

group 'lost records'
zstd -qdcf fixtures/lost-credit2.xt.zst >"$scratch/lost.xt"
record --rotate 10s -g 1s --flight 4M,2s --when 'lost > 0' --flight-cooldown 0s --flight-max 99 "$scratch/lost.xt"
check 'exit status' exits 0
check 'there are dumps' [ "$(dumps | wc -l)" -ge 1 ]
lost_of() { "$XENMETER" info -f json "$1" | jq '.quality.lost_records'; }
some_lost() { local note; for note in $(notes); do [ "$(lost_of "${note%.json}.xt")" -gt 0 ] || return 1; done; }
check 'each has some' some_lost
check 'and says how many' all_notes '.why.rule == "lost > 0" and .why.value > 0 and .why.domain == null'
check 'they are parts of the trace' all_parts_of "$scratch/lost.xt"
record --rotate 10s -g 1s --flight 4M,2s --when 'lost > 0' "$scratch/trace.xt"
check 'nothing lost: no dump' has_dumps 0

# ---- how much ----

simulated "$scratch/web.xt" web-closed-loop 'del(.duration_ms) | .duration_s = 30'

group 'so much time'
record -g 1s --flight 64M,2s --when 'running > 1% in 1' --flight-cooldown 7s "$scratch/web.xt"
check 'there are dumps' has_dumps 5
check 'the first begins with the trace' equal begin "$(of_note .begins_by "$(notes | head -n 1)")"
check 'others have that time, and little more' all_notes '.begins_by == "begin" or (.begins_by == "age" and .duration_ns >= 1999e6 and .duration_ns < 2500e6)'
check 'they are parts of the trace' all_parts_of "$scratch/web.xt"
check 'the same happens in them' same_counts "$scratch/web.xt"
record -g 1s --flight 64M,2s --when 'running > 1% in 1' --flight-cooldown 7s --after 3s "$scratch/web.xt"
check 'and what comes after' all_notes '.begins_by == "begin" or .ends_by == "trace_end" or (.ends_by == "after" and .to.tsc - .why.moment.tsc >= 3 * .cpu_hz and .duration_ns < 7e9)'
check 'they are parts of the trace, too' all_parts_of "$scratch/web.xt"
record -g 1s --flight 64M,2s --when 'running > 1% in 1' --flight-cooldown 25s --after 1h "$scratch/web.xt"
check 'or to its end' equal trace_end "$(of_note .ends_by "$(notes | tail -n 1)")"
tail_of() { local note; note=$(notes | tail -n 1); [ $(($(of_note .trace_offset "$note") + $(of_note .bytes "$note"))) -eq "$(stat -c %s "$1")" ]; }
check 'with the last sweep' tail_of "$scratch/web.xt"

group 'so many bytes'
record -g 1s --flight 3M,1h --when 'running > 1% in 1' --flight-cooldown 7s "$scratch/web.xt"
check 'there are dumps' has_dumps 5
check 'none is larger' all_notes '.bytes <= 3 * 1048576'
check 'and none much smaller' all_notes '.bytes > 2.5 * 1048576 and .begins_by == "size"'
check 'they are parts of the trace' all_parts_of "$scratch/web.xt"
check 'the same happens in them' same_counts "$scratch/web.xt"
record -g 1s --flight 3M,1h --when 'running > 1% in 1' --flight-cooldown 10s --after 8s "$scratch/web.xt"
check 'as many again come after' all_notes '.ends_by == "size" and .bytes <= 6 * 1048576 and .bytes > 5 * 1048576'
check 'they are parts of the trace, too' all_parts_of "$scratch/web.xt"
if command -v xenalyze >/dev/null; then
    xenalyzed() { xenalyze --summary "$1" >"$scratch/xenalyzed" 2>"$err" && grep -q 'Domain' "$scratch/xenalyzed" && ! grep -qiE 'error|bad|strange' "$err"; }
    check 'xenalyze opens them' xenalyzed "$(dumps | tail -n 1)"
else
    skip 'xenalyze opens a dump' 'it is not installed'
fi

group 'memory'
rm -rf "$folder"
timeout "$LIMIT" "$BUILD/tests/measure" "$scratch/took" "$XENMETER" record -q -o "$folder" --host host --clock @$begins -g 1s \
    --flight 64M,30s --when 'running > 1% in 1' --flight-cooldown 20s - <"$scratch/web.xt" >"$out" 2>"$err"
status=$?
check 'exit status' exits 0
check 'a dump has 64 MiB' all_notes '.begins_by == "begin" or .bytes > 60 * 1048576'
read -r rss _ <"$scratch/took"
check "at most 128 MiB ($((rss / 1024)))" [ "$rss" -le $((128 * 1024)) ]

group 'a damaged stream'
cp "$scratch/trace.xt" "$scratch/damaged.xt"
for ((at = 3000000; at < 19000000; at += 1700001)); do
    head -c 300 /dev/urandom | dd of="$scratch/damaged.xt" bs=1 seek=$at conv=notrunc status=none
done
record --rotate 10s -g 1s --flight 4M,2s --when 'running > 1% in 1' --flight-cooldown 1s --flight-max 99 "$scratch/damaged.xt"
check 'exit status' exits 0
check 'there are dumps' [ "$(dumps | wc -l)" -ge 3 ]
check 'they are parts of it' all_parts_of "$scratch/damaged.xt"
all_open() { local dump; for dump in $(dumps); do opens "$dump" || return 1; done; }
check 'and can be read' all_open
head -c 10000007 "$scratch/trace.xt" >"$scratch/cut.xt"
record --rotate 10s -g 1s --flight 4M,2s --when 'running > 1% in 1' --after 1h "$scratch/cut.xt"
check 'a trace that is cut: dumps are parts of it' all_parts_of "$scratch/cut.xt"
not_cut() { "$XENMETER" info -f json "$(dumps | tail -n 1)" | jq -e '.quality.truncated_bytes == 0' >/dev/null; }
check 'and end with a whole sweep' not_cut

# ---- the folder ----

group 'limits of the folder'
record -g 1s --keep-bytes 24M --flight 3M,1h --when 'running > 1% in 1' --flight-cooldown 1s "$scratch/web.xt"
check 'exit status' exits 0
bytes=$(find "$folder" -name '20*' -type f -printf '%s\n' | awk '{ s += $1 } END { print s }')
check "dumps count ($bytes)" [ "$bytes" -le $((24 << 20)) ]
check 'the newest are kept' [ "$(dumps | wc -l)" -ge 2 ]
check 'each with its note' has_dumps "$(dumps | wc -l)"
record -g 1s --keep-bytes 12M --when-full stop --flight 3M,1h --when 'running > 1% in 1' --flight-cooldown 1s "$scratch/web.xt"
check 'no room for more: recording goes on' exits 0
check 'that is said' says "$err" 'not written: .*--keep-bytes'
check 'what was before stays' [ "$(dumps | wc -l)" -ge 1 ]
check 'nothing is left of others' [ -z "$(find "$flight" -name '*.partial')" ]
rm -rf "$folder"

# ---- a host ----

jq 'del(.duration_ms) | .duration_s = 600' sim/scenarios/web-closed-loop.json >"$scratch/host.json"
cat >"$scratch/xentrace" <<END
#!/bin/sh
exec "$PWD/$XENMETER" simulate -q --realtime -o - "$scratch/host.json"
END
chmod +x "$scratch/xentrace"
start() { # ARGUMENT...
    "$XENMETER" record -o "$folder" --host host --xentrace "$scratch/xentrace" --domain-info "$scratch/domains" "$@" 2>"$err" &
    recorder=$!
}
end() { # SIGNAL
    kill "-$1" "$recorder"
    wait "$recorder" 2>/dev/null
    status=$?
}
# The last so much of the trace is held, as the state of the folder has it.
holds_last() { "$XENMETER" record --status -f json "$folder" 2>/dev/null | jq -e ".flight.$1" >/dev/null; } # CONDITION
is_open() { find "$folder" -name '*.xma.partial' 2>/dev/null | grep -q .; }
dump_is_open() { find "$flight" -name '*.xt.partial' -size +0 2>/dev/null | grep -q .; }

group 'rules of domains that there are not'
cp "$scratch/domains" "$scratch/domains.all"
jq '.[:1]' "$scratch/domains.all" >"$scratch/domains.few"
ln -sf domains.all "$scratch/domains"
start --flight 4M,2s --when 'wait_p99 > 20s in nobody' --when 'wait_p99 > 20s in burner' --when 'wait_p99 > 20s'
lines_about() { [ "$(grep -c "there is no domain '$1' now" "$err")" -eq "$2" ]; } # NAME LINES
check 'that is reported' soon lines_about nobody 1
check 'one that there is is not' lines_about burner 0
ln -sf domains.few "$scratch/domains.next" && mv "$scratch/domains.next" "$scratch/domains"
check 'once it has gone it is' soon lines_about burner 1
check 'the other one is not reported again' lines_about nobody 1
end TERM
check 'exit status' exits 0
rm -rf "$folder"
ln -sf domains.all "$scratch/domains"

group 'SIGUSR1'
cat >"$scratch/xentrace-kept" <<END
#!/bin/sh
"$PWD/$XENMETER" simulate -q --realtime -o - "$scratch/host.json" | tee -i "$scratch/stream.xt"
END
chmod +x "$scratch/xentrace-kept"
start --xentrace "$scratch/xentrace-kept" --flight 64M,2s
check 'it records' soon is_open
check 'the time is full' soon holds_last 'bound == "age"'
kill -USR1 $recorder
check 'there is a dump' soon has_dumps 1
check 'its note says why' all_notes '.why.signal == "SIGUSR1" and .why.rule == null and .host == "host"'
check 'and when' all_notes '(.why.moment.utc | startswith("20")) and (.from.utc | endswith("Z"))'
check 'it has that time' all_notes '.duration_ns > 1900e6'
check 'it can be read' opens "$(dumps)"
utc_name() { of_note .why.moment.utc "$(notes)" | sed 's/\..*//; s/://g'; }
check 'its name is the moment' [ "$(basename "$(dumps)" | sed 's/Z-.*//')" = "$(utc_name)" ]
run record --status "$folder"
check 'its state, for people' says "$out" '^flight     the last '
kill -USR1 $recorder
check 'another one' soon has_dumps 2
end TERM
check 'exit status' exits 0
check 'both are parts of the trace' all_parts_of "$scratch/stream.xt"
rm -rf "$folder"

group 'SIGTERM before the end of a dump'
start --flight 64M,2s --after 1h
check 'it records' soon is_open
check 'there is something to be dumped' soon holds_last 'age_ns > 1e9'
kill -USR1 $recorder
check 'it is written at once' soon dump_is_open
check 'not whole' has_dumps 0
end TERM
check 'exit status' exits 0
check 'what there is is written' has_dumps 1
check 'and the note says so' all_notes '.ends_by == "trace_end"'
check 'it can be read' opens "$(dumps)"
check 'nothing is left open' [ -z "$(find "$folder" -name '*.partial')" ]
rm -rf "$folder"

group 'killed in the middle of a dump'
start --flight 64M,2s --after 1h
check 'it records' soon is_open
check 'there is something to be dumped' soon holds_last 'age_ns > 1e9'
kill -USR1 $recorder
check 'it is written' soon dump_is_open
end KILL
check 'nothing looks whole' has_dumps 0
start --flight 64M,2s
set_aside() { [ -n "$(find "$flight" -name '*.xt.damaged')" ]; }
check 'it is set aside later' soon set_aside
check 'and that is said' says "$err" 'was not completed'
check 'nothing looks whole still' has_dumps 0
end TERM
check 'exit status' exits 0
rm -rf "$folder"

group 'a full file system'
# Only dumps have no room in the first one, so that archives are not cut short, too.
if mkdir -p "$flight" && mount -t tmpfs -o size=24M tmpfs "$flight" 2>/dev/null; then
    trap 'umount "$flight" "$folder" 2>/dev/null; rm -rf "$scratch"' EXIT
    start --flight 8M,10s --after 1h
    check 'it records' soon is_open
    check 'there is something to be dumped' soon holds_last 'age_ns > 1e9'
    kill -USR1 $recorder
    check 'a dump is written' soon dump_is_open
    head -c 24M /dev/zero >"$flight/others" 2>/dev/null
    failed() { says "$err" 'not written: '; }
    check 'then there is no room: that is said' soon failed
    rm "$flight/others"
    check 'nothing looks whole' has_dumps 0
    check 'nothing is left' [ -z "$(find "$flight" -type f)" ]
    end TERM
    check 'recording goes on' exits 0
    umount "$flight"
    rm -rf "$folder"
    mkdir -p "$folder"
    mount -t tmpfs -o size=80M tmpfs "$folder"
    head -c 70M /dev/zero >"$folder/others" 2>/dev/null
    start --min-free 1M --flight 8M,10s --after 1h
    check 'it records' soon is_open
    check 'there is something to be dumped' soon holds_last 'age_ns > 1e9'
    kill -USR1 $recorder
    check 'too little room: none is begun' soon failed
    end TERM
    check 'recording goes on' exits 0
    umount "$folder"
    trap 'rm -rf "$scratch"' EXIT
else
    skip 'a full file system' 'no tmpfs can be mounted here'
fi
rm -rf "$folder"

group 'without a flight recorder'
start
check 'it records' soon is_open
kill -USR1 $recorder
said() { says "$err" 'there is no flight recorder'; }
check 'SIGUSR1: that is said' soon said
end TERM
check 'exit status' exits 0
finish
