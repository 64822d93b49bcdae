#!/bin/bash
# What a trace does not say of its host: names and times of day, kept in archives or given by --host-facts, in every report.
# shellcheck disable=SC2016,SC2317 # functions are called through check
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/lib.sh"

export NO_COLOR=1 TZ=UTC

# A simulated host's counter is 2^44 at its beginning and here counts 2 a ns: any tsc is a time of day, worked out by hand.
base=$((1 << 44))
begin=$(date -u -d '2026-11-29T06:59:58Z' +%s)000000000 # of the host
simulated "$scratch/host.xt" web-beside-a-hog '.host.cpu_hz = 2000000000'
trace=$scratch/host.xt

clock() { # NS UTC-NS MONOTONIC-NS: of so many ns after the host's beginning
    printf '{"clock":{"tsc":%d,"utc_ns":%d,"monotonic_ns":%d,"error_ns":700}}\n' $((base + 2 * $1)) "$2" "$3"
}
facts() { # BEGIN: the facts of a host that began at that time
    printf '{"boot":{"tsc":%d,"utc_ns":%d,"boot_id":"0b7e5c9a-1111-4222-8333-444455556666","host":"web1","xen":"4.17.5","pcpus":1}}\n' "$base" "$1"
    clock 0 "$1" 1000
    clock 6000000000 $(($1 + 6000000000)) 6000001000
    printf '{"domain":{"tsc":%d,"domain":%d,"name":"%s"}}\n' "$base" 0 dom0 "$base" 1 was-web "$base" 2 'näch\"st'
    printf '{"domain":{"tsc":%d,"domain":1,"uuid":"u","name":"web"}}\n' $((base + 500))
    printf '{"gap":{"tsc":%d,"from_utc_ns":%d,"utc_ns":%d,"why":"xentrace ended"}}\n' "$base" $(($1 - 9000000000)) "$1"
    printf '{"reduced":{"tsc":%d,"utc_ns":%d,"mask":192512,"why":"the disk is full"}}\n' $((base + 2)) $(($1 + 1000000000))
    printf '{"recorder":{"tsc":%d,"cpu_ns":5000000,"rss_bytes":8000000,"trace_bytes":77,"lost_records":3,"stalled_ns":1,"restarts":2}}\n' $((base + 9))
}
facts "$begin" >"$scratch/facts"

run archive create --with-trace --cpu-hz 2G --host-facts "$scratch/facts" "$trace" -o "$scratch/host.xma"
group 'an archive keeps facts'
check 'it is made' exits 0
check 'it is whole' "$XENMETER" archive verify -q "$scratch/host.xma"
run archive extract -q -o "$scratch/members" "$scratch/host.xma" '*/host/*'
check 'the member has the bytes of the file' same "$scratch/facts" "$(echo "$scratch"/members/*/*/host/000000.jsonl)"
run archive merge -q "$scratch/host.xma" -o "$scratch/merged.xma"
check 'merged it has them, too' [ "$("$XENMETER" report -q -f csv -c name "$scratch/merged.xma" | sed -n 3p)" = web ]
printf '{"domain_gone":{"tsc":1,"domain":1}}\n{"clock":{"tsc":1}}\n' >"$scratch/wrong"
check 'a wrong line is refused before the trace is read' refuses 'wrong: line 2: "clock" has no "utc_ns"' archive create --host-facts "$scratch/wrong" "$trace" -o "$scratch/x.xma"
check 'a file that is not there' refuses 'cannot read facts about the host' archive create --host-facts "$scratch/missing" "$trace" -o "$scratch/x.xma"
check 'and no archive is left' [ -z "$(ls "$scratch"/x.xma* 2>/dev/null)" ]
check 'report makes such archives, too' "$XENMETER" report -q -f archive --host-facts "$scratch/facts" "$trace" -o "$scratch/by-report.xma"
check 'with names' [ "$("$XENMETER" report -q -f csv -c name "$scratch/by-report.xma" | sed -n 3p)" = web ]

names() { "$XENMETER" "$@" -q -f csv -c name | tail -n +2 | sort -u | paste -sd' '; } # COMMAND...: those in the column

group 'names'
check 'from an archive: the last one of each id' equal 'dom0 "näch""st" web' "$(names report "$scratch/host.xma" | tr ' ' '\n' | sort | paste -sd' ' | sed 's/^"näch""st" dom0/dom0 "näch""st"/')"
for source in "$scratch/host.xma" "--cpu-hz 2G --host-facts $scratch/facts $trace"; do
    # shellcheck disable=SC2086 # words
    check "--domains by name: ${source##*/}" equal web "$(names report -d 'we*' $source)"
    # shellcheck disable=SC2086
    check "charge: ${source##*/}" equal web "$(names charge -d web $source)"
    # shellcheck disable=SC2086
    check "blame: ${source##*/}" equal web "$("$XENMETER" blame -q -d web -f csv -c victim_name $source | tail -n +2 | sort -u)"
    # shellcheck disable=SC2086
    check "dump: ${source##*/}" same <("$XENMETER" dump -q -n 500 -d web $source) <("$XENMETER" dump -q -n 500 -d 1 --cpu-hz 2G "$trace")
    # shellcheck disable=SC2086
    check "info: ${source##*/}" equal '["dom0","web","näch\"st"]' "$("$XENMETER" info -q -f json $source | jq -c '[.domains[].name]')"
    # shellcheck disable=SC2086
    check "executions: ${source##*/}" equal web "$("$XENMETER" report -q -g execution -n 3 -d web -f jsonl $source | jq -r .name | sort -u)"
done
echo '1 other' >"$scratch/names"
check '--names is the only source then' equal ' other' "$("$XENMETER" report -q -f csv -c name --names "$scratch/names" "$scratch/host.xma" | tail -n +2 | sort -u | paste -sd' ')"
run archive create -q --names "$scratch/names" --host-facts "$scratch/facts" "$trace" -o "$scratch/both.xma"
check 'names that an archive keeps come first' equal other "$("$XENMETER" report -q -d 1 -f csv -c name "$scratch/both.xma" | tail -n +2)"
check 'facts give those that are missing' equal dom0 "$("$XENMETER" report -q -d 0 -f csv -c name "$scratch/both.xma" | tail -n +2)"
check 'a name that nobody has' refuses 'no domain has this name; there are dom0, web' report -d mail "$scratch/host.xma"

# ---- times of day ----

first=$("$XENMETER" info -q -f json "$trace" | jq .trace.tsc_first)
lead=$(((first - base) / 2)) # the trace begins so many ns after the host
rfc() { # NS UTC-OFFSET-SECONDS SUFFIX: so many ns after the host's beginning, as RFC 3339
    local utc=$((begin + $1))
    printf '%s.%09d%s' "$(date -u -d "@$((utc / 1000000000 + $2))" +%Y-%m-%dT%H:%M:%S)" $((utc % 1000000000)) "$3"
}
at() { rfc $((lead + $1 * 1000000000)) "${2:-0}" "${3:-Z}"; } # SECOND [OFFSET SUFFIX]: of the trace

# Two times are the same but for a ns: a moment is a whole number of cycles.
near() { # EXPECTED ACTUAL
    local a=${1##*.} b=${2##*.}
    [[ $a =~ ^[0-9]{9} && $b =~ ^[0-9]{9} ]] || { equal "$1" "$2"; return; }
    a=$((10#${a:0:9})) b=$((10#${b:0:9}))
    [ "${1%%.*}${1:29}" = "${2%%.*}${2:29}" ] && [ $((a - b)) -ge -1 ] && [ $((a - b)) -le 1 ] && return 0
    printf '      "%s" instead of "%s"\n' "$2" "$1"
    return 1
}
field() { sed -n "$1p" "$out" | cut -d, -f "$2"; } # LINE FIELD: of CSV

group 'the formats of times'
run report -q -g 1s -f csv "$scratch/host.xma"
check 'relative: no further columns' not says "$out" 'start_time'
for source in "$scratch/host.xma" "--cpu-hz 2G --host-facts $scratch/facts $trace"; do
    what=${source##*/}
    for format in csv tsv; do
        # shellcheck disable=SC2086 # words
        run report -q -g 1s -d 1 -f $format --time-format utc -c start_ns,end_ns,start_time,end_time $source
        check "$what, $format" exits 0
        tr '\t' ',' <"$out" >"$scratch/csv" && cp "$scratch/csv" "$out"
        check "$what, $format: ns stay" equal 2000000000,3000000000 "$(sed -n 4p "$out" | cut -d, -f 1,2)"
        check "$what, $format: the beginning" near "$(at 2)" "$(field 4 3)"
        check "$what, $format: the end" near "$(at 3)" "$(field 4 4)"
    done
    # shellcheck disable=SC2086
    TZ=CET-1 run report -q -g 1s -d 1 -f csv --time-format local -c start_time $source
    check "$what, local time" near "$(at 2 3600 +01:00)" "$(field 4 1)"
    # shellcheck disable=SC2086
    TZ=EST5 run report -q -g 1s -d 1 -f csv --time-format local -c start_time $source
    check "$what, west of Greenwich" near "$(at 2 -18000 -05:00)" "$(field 4 1)"
    # shellcheck disable=SC2086
    run report -q -g 1s -d 1 -f csv --time-format tsc -c start_time,end_time $source
    check "$what, tsc" equal "$((first + 4000000000)),$((first + 6000000000))" "$(sed -n 4p "$out")"
    # shellcheck disable=SC2086
    run report -q -g 1s -d 1 -f jsonl --time-format utc $source
    check "$what, jsonl" near "$(at 2)" "$(sed -n 3p "$out" | jq -r .start_time)"
    check "$what, jsonl has ns, too" equal 2000000000 "$(sed -n 3p "$out" | jq -r .start_ns)"
    # shellcheck disable=SC2086
    run report -q -g 1s -d 1 -f json --time-format utc $source
    check "$what, json" near "$(at 3)" "$(jq -r '.reports[0].intervals[2].end_time' "$out")"
    # shellcheck disable=SC2086
    run report -q -g 1s -d 1 -f json --time-format tsc $source
    check "$what, json: tsc are numbers" equal $((first + 6000000000)) "$(jq '.reports[0].intervals[2].end_time' "$out")"
    # shellcheck disable=SC2086
    run report -q -g execution -d 1 -n 1 -f csv --time-format utc -c start_ns,start_time $source
    check "$what, executions" near "$(rfc $((lead + $(field 2 1))) 0 Z)" "$(field 2 2)"
    # shellcheck disable=SC2086
    run charge -q -g 1s -f csv --time-format utc -c start_time $source
    check "$what, charge" near "$(at 0)" "$(field 2 1)"
    # shellcheck disable=SC2086
    run blame -q -g 1s -f csv --time-format utc -c end_time $source
    check "$what, blame" near "$(at 1)" "$(field 2 1)"
    # shellcheck disable=SC2086
    run report -q -g 1s --time-format utc $source
    check "$what, table" says "$out" '^interval 2026-11-29 06:59:58\.[0-9]\{3\} - 06:59:59\.[0-9]\{3\} UTC$'
    # shellcheck disable=SC2086
    run report -q -g execution -n 2 --time-format utc $source
    check "$what, table of executions" says "$out" ' 06:59:58\.[0-9]\{6\} '
    check "$what, its heading" says "$out" 'UTC'
done
run report -q -g 1s --time-format tsc "$scratch/host.xma"
check 'a table of tsc' says "$out" "^interval tsc $first - tsc $((first + 2000000000))\$"
run report --schema --time-format utc
check 'the schema has text' says "$out" '"start_time" VARCHAR'
run report --schema --time-format tsc
check 'or numbers' says "$out" '"start_time" BIGINT'
if command -v sqlite3 >/dev/null && "$XENMETER" report -q -g 1s -d 1 --time-format utc -o "$scratch/x.sqlite" "$scratch/host.xma" 2>/dev/null; then
    check 'sqlite' near "$(at 2)" "$(sqlite3 "$scratch/x.sqlite" 'select start_time from rows where start_ns = 2000000000')"
else
    skip 'times of day in SQLite' 'no sqlite3'
fi

# Of every record the time of day, in ns of the day, beside its tsc.
day_ns='function ns(t) { split(substr(t, 12, 18), p, ":"); return (p[1] * 60 + p[2]) * 60e9 + p[3] * 1e9 }'
group 'dump'
"$XENMETER" dump -q --tsc -f csv -n 3000 "$trace" | cut -d, -f 1 >"$scratch/tsc"
for source in "$scratch/host.xma" "--cpu-hz 2G --host-facts $scratch/facts $trace"; do
    # shellcheck disable=SC2086
    run dump -q --time-format utc -f csv -n 3000 $source
    check "${source##*/}: a column more" says "$out" '^time_ns,time,pcpu,'
    check "${source##*/}: each record's time" awk -F, -v base=$base "$day_ns"' NR == FNR { tsc[FNR] = $1; next }
        FNR > 1 { n++; d = ns($2) - ((6 * 60 + 59) * 60 + 58) * 1e9 - (tsc[FNR] - base) / 2; if (d > 1.5 || d < -1.5) bad++ }
        END { exit bad > 0 || n != 3000 }' "$scratch/tsc" "$out"
done
check 'jsonl' near "$(sed -n 2p "$out" | cut -d, -f 2)" "$("$XENMETER" dump -q --time-format utc -f jsonl -n 1 --cpu-hz 2G --host-facts "$scratch/facts" "$trace" | jq -r .time)"
check 'text has the time of day in front' equal "$(sed -n 2p "$out" | cut -d, -f 2 | cut -c 12-29)" \
    "$("$XENMETER" dump -q --time-format utc -n 1 --cpu-hz 2G --host-facts "$scratch/facts" "$trace" | cut -d' ' -f 1)"
check 'tsc is as with --tsc' same <("$XENMETER" dump -q --tsc -n 100 "$trace") <("$XENMETER" dump -q --time-format tsc -n 100 "$trace")
check 'all threads say the same' same <("$XENMETER" dump -q -j 1 --time-format utc --host-facts "$scratch/facts" "$trace") \
    <("$XENMETER" dump -q -j 4 --time-format utc --host-facts "$scratch/facts" "$trace")
check 'events of one kind' says <("$XENMETER" dump -q -e runstate_change -f csv -n 2 --time-format utc "$scratch/host.xma") '^time_ns,time,pcpu,domain,vcpu,event,'
check 'counts have no times' refuses 'no --time-format' dump --count --time-format utc "$scratch/host.xma"
check '--tsc and another format' refuses 'exclude each other' dump --tsc --time-format utc "$scratch/host.xma"

# 07:00 is 2 s after the host's beginning.
seven=$((2000000000 - lead))
by_ns=$scratch/by-ns
group '--time with times of day'
"$XENMETER" report -q -b vcpu -g 250ms -f csv -t ${seven}ns,$((seven + 1500000000))ns --cpu-hz 2G --host-facts "$scratch/facts" "$trace" >"$by_ns"
check 'there are rows' [ "$(wc -l <"$by_ns")" -gt 12 ]
part() { # TIME OPTION...: the same rows
    run report -q -b vcpu -g 250ms -f csv -t "$@"
    exits 0 && same "$by_ns" "$out"
}
check 'of an archive' part 07:00,07:00:01.5 "$scratch/host.xma"
check 'of a file' part 07:00,07:00:01.5 --cpu-hz 2G --host-facts "$scratch/facts" "$trace"
check 'with a day' part 2026-11-29T07:00,2026-11-29T07:00:01.500 "$scratch/host.xma"
TZ=CET-1
check 'local time' part 08:00,08:00:01.5 "$scratch/host.xma"
check 'UTC by its Z' part 07:00Z,2026-11-29T07:00:01.5Z "$scratch/host.xma"
run report -q -f csv -c start_ns,end_ns -t 07:00,07:00:01.5 --time-format utc "$scratch/host.xma"
check 'UTC by the format' equal "$seven,$((seven + 1500000000))" "$(sed -n 2p "$out")"
TZ=UTC
run report -q -f csv -c start_ns -t 07:00, "$scratch/host.xma"
check 'an open end' equal $seven "$(sed -n 2p "$out")"
run report -q -f csv -c start_ns,end_ns -t ,07:00 "$scratch/host.xma"
check 'an open beginning' equal "0,$seven" "$(sed -n 2p "$out")"
run report -q -f csv -c start_ns,end_ns -t 06:59,07:00 "$scratch/host.xma"
check 'from before the beginning' equal "0,$seven" "$(sed -n 2p "$out")"
check 'dump' same <("$XENMETER" dump -q -t 07:00,07:00:00.1 "$scratch/host.xma") <("$XENMETER" dump -q --cpu-hz 2G -t ${seven}ns,$((seven + 100000000))ns "$trace")
check 'charge' same <("$XENMETER" charge -q -f csv -t 07:00,07:00:01 "$scratch/host.xma") <("$XENMETER" charge -q --host-facts "$scratch/facts" -f csv --cpu-hz 2G -t ${seven}ns,$((seven + 1000000000))ns "$trace")
check 'blame' same <("$XENMETER" blame -q -f csv -t 07:00,07:00:01 "$scratch/host.xma") <("$XENMETER" blame -q --host-facts "$scratch/facts" -f csv --cpu-hz 2G -t ${seven}ns,$((seven + 1000000000))ns "$trace")

# The same host at midnight: 00:00 is of the next day.
facts "$(date -u -d '2026-11-29T23:59:58Z' +%s)000000000" >"$scratch/midnight"
check 'after midnight' part 00:00,00:00:01.5 --cpu-hz 2G --host-facts "$scratch/midnight" "$trace"
run report -q -f csv -c start_ns,end_ns -t 23:59:59,00:00 --cpu-hz 2G --host-facts "$scratch/midnight" "$trace"
check 'across midnight' equal "$((seven - 1000000000)),$seven" "$(sed -n 2p "$out")"
run report -q -g 2s --cpu-hz 2G --time-format utc --host-facts "$scratch/midnight" "$trace"
check 'both days are shown' says "$out" '2026-11-29 23:59:5.* - 2026-11-30 00:00:0'

# After 3 s the clock was set back by an hour, so that 07:00:00 comes twice.
{
    clock 0 "$begin" 0
    clock 3000000000 $((begin + 3000000000)) 3000000000
    clock 3000000002 $((begin + 3000000002 - 3600000000000)) 3000000002
    clock 6000000000 $((begin + 6000000000 - 3600000000000)) 6000000000
} >"$scratch/back"
run report -q -f csv -c start_ns,end_ns -t 07:00,07:00:00.9 --cpu-hz 2G --host-facts "$scratch/back" "$trace"
check 'where the clock was set back the first time counts' equal "$seven,$((seven + 900000000))" "$(sed -n 2p "$out")"
run report -q -g 1s -d 1 -f csv -c start_time --time-format utc --cpu-hz 2G --host-facts "$scratch/back" "$trace"
check 'and each side has its own time' near "$(rfc $((lead + 4000000000 - 3600000000000)) 0 Z)" "$(field 6 1)"
check 'up to there' near "$(at 2)" "$(field 4 1)"

group 'times of day that are not known, or none'
check 'of a trace alone' refuses 'no times of day are known of this trace; an archive of "xenmeter record" keeps them, and --host-facts FILE gives them' report -t 07:00,07:05 "$trace"
check 'nor can they be shown' refuses '--time-format: no times of day are known' report --time-format local "$trace"
grep -v clock "$scratch/facts" >"$scratch/no-clock"
check 'facts without a clock' refuses 'no times of day are known' dump --time-format utc --host-facts "$scratch/no-clock" "$trace"
check 'a file that is not there is another error' refuses 'cannot open: No such file' report --time-format utc "$scratch/missing"
check 'the tsc is always known' "$XENMETER" report -q --time-format tsc -o "$scratch/x.csv" "$trace"
check 'standard input' refuses 'standard input' report --host-facts "$scratch/facts" -t 07:00, -
check 'before the beginning' refuses 'ends before the trace begins, at 2026-11-29T06:59:58' report -t ,2026-11-29T06:00Z "$scratch/host.xma"
check 'after the end' refuses 'the trace ends at' report -t 09:00, "$scratch/host.xma"
check 'nothing between' refuses 'nothing lies between' report -t 2026-11-29T07:01,2026-11-29T07:00 "$scratch/host.xma"
check 'no such day' refuses 'no such day' report -t 2026-02-30T07:00, "$scratch/host.xma"
for time in 7:00 25:00 07:60 07:00:61 07:00: 07:00:00. 07:00ZZ T07:00 2026-13-01T07:00 2026-11-29X07:00 1969-01-01T00:00 07:00:00.5x; do
    check "$time" refuses 'is not a time of day' report -t "$time," "$scratch/host.xma"
done
check 'commands without them' refuses 'is not a length of time' debt --policy /dev/null -t 07:00, "$trace"
check 'an unknown format' refuses 'relative, local, utc or tsc' report --time-format gmt "$trace"
check 'an archive has no format' refuses 'time-format does not go with' report -f archive -o "$scratch/x.xma" --time-format utc "$trace"
check 'wrong facts' refuses 'wrong: line 2: ' report --host-facts "$scratch/wrong" "$trace"
check 'a trace is no facts' refuses 'host.xt: line 1: ' info --host-facts "$trace" "$trace"
cp "$scratch/facts" "$scratch/precious"
check 'facts are not written over' refuses 'it would be lost' report --host-facts "$scratch/precious" -o "$scratch/precious" "$trace"

# Two traces that follow each other, cut where a round of xentrace begins: facts of both together are those of the timeline.
group 'a timeline of several traces'
cut=$(od -An -v -tu4 -w4 "$trace" | awk '
    NR - 1 == at + 1 { starts = $1 <= pcpu; pcpu = $1 }
    NR - 1 == at + 2 { if (starts) place[++n] = 4 * at; at += 3 + $1 / 4 }
    END { print place[int(n / 2)] }')
head -c "$cut" "$trace" >"$scratch/part1.xt"
tail -c "+$((cut + 1))" "$trace" >"$scratch/part2.xt"
{
    clock 0 "$begin" 1000
    printf '{"domain":{"tsc":%d,"domain":1,"name":"earlier"}}\n' "$base"
} >"$scratch/facts1"
{
    clock 6000000000 $((begin + 6000000000)) 6000001000
    printf '{"domain":{"tsc":%d,"domain":1,"name":"later"}}\n' $((base + 6000000000))
} >"$scratch/facts2"
for part in 1 2; do
    run archive create -q --with-trace -g 250ms --cpu-hz 2G --host-facts "$scratch/facts$part" "$scratch/part$part.xt" -o "$scratch/part$part.xma"
    check "part $part" exits 0
done
run archive merge -q "$scratch/part1.xma" "$scratch/part2.xma" -o "$scratch/parts.xma"
check 'both in one archive' exits 0
run report -q -g 1s -d later -f csv --time-format utc -c start_ns,start_time,name "$scratch/parts.xma"
check 'the name is the last one' equal later "$(field 2 3)"
check 'a moment of the first' near "$(at 0)" "$(field 2 2)"
check 'a moment of the second' near "$(at 5)" "$(field 7 2)"
check 'the earlier name is nobody'\''s' refuses 'no domain has this name' report -d earlier "$scratch/parts.xma"
run report -q -f csv -t 06:59:59,07:00:03 -c start_ns,end_ns "$scratch/parts.xma"
check '--time across the cut' equal "$((seven - 1000000000)),$((seven + 3000000000))" "$(sed -n 2p "$out")"
check 'there are records' says <("$XENMETER" dump -q -n 1 --time-format utc -t 07:00,07:00:02 "$scratch/host.xma") '^07:00:0'
check 'dump across the cut' same <("$XENMETER" dump -q --time-format utc -t 07:00,07:00:02 --cpu-hz 2G "$scratch/parts.xma" | cut -c 1-18) \
    <("$XENMETER" dump -q --time-format utc -t 07:00,07:00:02 "$scratch/host.xma" | cut -c 1-18)

group 'info'
for source in "$scratch/host.xma" "--cpu-hz 2G --host-facts $scratch/facts $trace"; do
    # shellcheck disable=SC2086
    run info -q -f json $source
    check "${source##*/}" exits 0
    check 'who it is' holds '.host | .host == "web1" and .xen == "4.17.5" and .pcpus == 1 and .boot_id == "0b7e5c9a-1111-4222-8333-444455556666"' "$out"
    check 'from when' near "$(at 0)" "$(jq -r .host.start_time "$out")"
    check 'how exact' holds '.host.error_ns >= 700 and .host.error_ns < 3000000' "$out"
    check 'gaps' holds '.host.gaps == [{"start_time": "2026-11-29T06:59:49.000000000Z", "end_time": "2026-11-29T06:59:58.000000000Z", "why": "xentrace ended"}]' "$out"
    check 'reduced coverage' holds '.host.reduced == [{"start_time": "2026-11-29T06:59:59.000000000Z", "end_time": null, "mask": 192512, "why": "the disk is full"}]' "$out"
    check 'what recording took' holds '.host.recorder == {"cpu_ns": 5000000, "rss_bytes": 8000000, "trace_bytes": 77, "lost_records": 3, "stalled_ns": 1, "restarts": 2}' "$out"
done
run info -q "$scratch/host.xma"
check 'table: host' says "$out" '^host         web1, Xen 4.17.5, 1 pCPUs, boot 0b7e5c9a'
check 'table: time' says "$out" '^time         2026-11-29T06:59:58\.[0-9]*Z to 2026-11-29T07:00:0[34]\.[0-9]*Z, +-'
check 'table: gaps' says "$out" '^gaps         2026-11-29T06:59:49.000000000Z to .*: xentrace ended$'
check 'table: reduced' says "$out" '^reduced      2026-11-29T06:59:59.000000000Z to the end, events 0x0002f000: the disk is full$'
check 'table: recording' says "$out" '^recording    5.00* ms of CPU, .* xentrace began anew 2 times$'
run info -q -f json "$trace"
check 'without facts: null' holds '.host == null' "$out"

finish
