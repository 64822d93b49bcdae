#!/bin/bash
# xenmeter top: its numbers beside report's, in batch and on a terminal (tmux); keys, sources that hang, crashes, sizes, settings.
# shellcheck disable=SC2317 # functions are called by check
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/lib.sh"

unset NO_COLOR TMUX COLUMNS
fixture=fixtures/mixed-credit.xt.zst
program=$(realpath "$XENMETER")
screen=$scratch/screen
zstd -q -dc "$fixture" >"$scratch/trace.xt"
printf '0 Domain-0\n1 web\n2 evil\033[31m\n3 db\n' >"$scratch/names"

group 'wrong options'
check 'two files' refuses 'one FILE at a time' top a b
check 'an unknown view' refuses 'wants domains, vcpus' top --view x "$fixture"
check 'a speed of nothing' refuses 'from 0.125x to 64x' top --replay 0x "$fixture"
check 'nor one that is hexadecimal' refuses 'from 0.125x to 64x' top --replay 0x4x "$fixture"
check 'a format without --batch' refuses 'wants --batch' top -f jsonl "$fixture"
check 'a format it does not have' refuses 'unknown format\|csv' top -b -f sqlite "$fixture"
check 'a limit without --batch' refuses 'wants --batch' top -n 3 "$fixture"
check '--demo with a file' refuses 'takes no FILE' top --demo "$fixture"
check '--at is no time' refuses 'is not a length of time' top --at x "$fixture"
check 'an order that is none' refuses 'no column of --view domains' top -b -s nothing "$fixture"
check 'columns that are none' refuses '--columns nothing: the table of --view domains has no such column' top -b -c running_ns,nothing "$fixture"
check 'columns that no table has' refuses 'none of these' top -b -c domain "$fixture"
check 'columns that are none, of rows' refuses 'unknown column "nothing"' top -b -f jsonl -c domain,nothing "$fixture"
check '--at is a time of day, of a trace without any' refuses '^xenmeter: [^ ]*: --at 12:00: no times of day are known' top -b --at 12:00 "$fixture"
check '--at is no time of day' refuses '^xenmeter: .*--at: .12:61. is not a time of day' top --at 12:61 "$fixture"
check '--at after the end' refuses '--at is at 20 s, but the trace ends at 15.062285 s' top -b --at 20 "$fixture"
check 'a missing file' refuses 'No such file' top -b "$scratch/missing"
check 'no capture' refuses 'README.md' top -b README.md
check 'an empty file' refuses 'empty' top -b /dev/null
check 'a folder without archives' refuses 'no complete archive' top -b "$scratch"
check 'a program that is not there' refuses 'cannot be run' top -b --xentrace "$scratch/missing"
run top --no-config "$fixture" < /dev/null > "$out" 2>"$err"
if [ -e /dev/tty ] && ! (: </dev/tty) 2>/dev/null; then
    check 'no terminal: --batch is named' says "$err" '\-\-batch'
fi

# ---- batch ----

rows() { jq -cS "$1" "$2" | sort; } # FILTER FILE
one='select(.granularity_ns == 1000000000)'
ten='select(.granularity_ns == 10000000000) | del(.granularity_ns)'

group 'batch: the rows are those of report'
for capture in "$fixture" fixtures/lost-credit2.xt.zst fixtures/membuf-credit2.xt.zst; do
    for by in domain vcpu pcpu; do
        run top -b -f jsonl --view ${by}s "$capture"
        check "$capture by $by: exit code" exits 0
        rows "$one" "$out" >"$scratch/top"
        run report -q -b $by -g 1s -f jsonl "$capture"
        rows . "$out" >"$scratch/report"
        check "$capture by $by: each second" same "$scratch/report" "$scratch/top"
    done
done
run top -b -f jsonl "$fixture"
for end in 4 10 13; do
    start=$((end > 10 ? end - 10 : 0))
    rows "$ten | select(.end_ns == ${end}000000000)" "$out" >"$scratch/top"
    "$XENMETER" report -q -t $start,$end -f jsonl "$fixture" | jq -cS 'del(.granularity_ns)' | sort >"$scratch/report"
    check "the ten seconds up to $end s" same "$scratch/report" "$scratch/top"
done
run top -b -f jsonl --view blame "$fixture"
rows "$one" "$out" >"$scratch/top"
run blame -q -g 1s -f jsonl "$fixture"
rows . "$out" >"$scratch/report"
check 'delays' same "$scratch/report" "$scratch/top"
run top -b -f jsonl --view charges "$fixture"
rows "$one" "$out" >"$scratch/top"
run charge -q -g 1s -f jsonl "$fixture"
rows . "$out" >"$scratch/report"
check 'charges' same "$scratch/report" "$scratch/top"
run top -b -f jsonl --view executions "$fixture"
jq -c '[.waited_ns, .domain, .vcpu, .start_ns]' "$out" | sort -u >"$scratch/top"
"$XENMETER" report -q -g execution -f jsonl "$fixture" |
    jq -sc '[.[] | select(.waited_ns != null and .waited_ns > 0)] | group_by((.end_ns - 1) / 1000000000 | floor)[] |
        sort_by(-.waited_ns)[:64][] | [.waited_ns, .domain, .vcpu, .start_ns]' | sort -u >"$scratch/report"
check 'the executions of each second that waited longest' same "$scratch/report" "$scratch/top"

group 'batch: every road'
run top -b -f csv "$fixture"
cp "$out" "$scratch/file"
run top -b -f csv - < <(cat "$scratch/trace.xt")
check 'a pipe' same "$scratch/file" "$out"
run top -b -f csv "$scratch/trace.xt"
check 'a plain file' same "$scratch/file" "$out"
run top -b -f csv <"$scratch/trace.xt"
check 'standard input' same "$scratch/file" "$out"
"$XENMETER" archive create -q --with-trace -o "$scratch/with.xma" "$fixture"
run top -b -f csv "$scratch/with.xma"
check 'an archive with its trace' same "$scratch/file" "$out"
"$XENMETER" archive create -q -b domain,vcpu,pcpu -g 1s -o "$scratch/without.xma" "$fixture"
run top -b -f csv "$scratch/without.xma"
check 'an archive of results' same "$scratch/file" "$out"
run top -b --view blame -n 1 "$scratch/without.xma"
check 'which has no delays' says "$out" 'not known of this second'
check 'nor lost records' says "$out" 'lost -'
"$XENMETER" archive create -q -g 10s -o "$scratch/coarse.xma" "$fixture"
check 'an archive without seconds' refuses 'do not suffice' top -b "$scratch/coarse.xma"
run top -b -n 2 -f jsonl "$fixture"
run top -b -n 1 -s running_ns -f csv -c domain,running_ns "$fixture"
check '-s: the largest first' equal "$(tail -n +2 "$out" | head -n 4 | cut -d, -f2 | sort -rn | paste -sd' ')" "$(tail -n +2 "$out" | head -n 4 | cut -d, -f2 | paste -sd' ')"
run top -b -n 2 -f jsonl "$fixture"
check '-n 2: two seconds' equal 2 "$(jq .end_ns "$out" | sort -u | wc -l)"
run top -b -n 1 --at 7 -f jsonl "$fixture"
check '--at: the second up to there' equal 7000000000 "$(jq .end_ns "$out" | sort -u)"
check 'and the seconds before it' equal 0 "$(jq "$ten | .start_ns" "$out" | sort -u)"
run top -b "$fixture"
check 'text: a title for each second' equal 16 "$(grep -c '^xenmeter top' "$out")"
check 'ASCII in the locale C' not grep -qP '[^\x00-\x7f]' "$out"
COLUMNS=60 run top -b "$fixture"
check 'COLUMNS' [ "$(wc -L <"$out")" -le 60 ]
run top -b -n 3 fixtures/lost-credit2.xt.zst
check 'lost records: numbers are marked' says "$out" '[0-9]\*'
check 'and counted' says "$out" 'lost 6,115 '
total=$("$XENMETER" top -b fixtures/lost-credit2.xt.zst | sed -n 's/.* lost \([0-9,]*\) .*/\1/p' | tr -d , | paste -sd+ | bc)
check 'in the second in which they were lost' equal "$("$XENMETER" info -f json fixtures/lost-credit2.xt.zst | jq .quality.lost_records)" "$total"
run top -b -n 1 -f csv -c start_ns,domain "$fixture"
check '-c: of rows also those that a table does not have' equal 'start_ns,domain 0,0' "$(head -n 2 "$out" | paste -sd' ')"
run top -b -n 1 -f csv -c domain,name --domain-info 'echo Name ID Mem VCPUs State Time; echo web 1 512 1 r----- 1.0' "$fixture"
check '--domain-info: names' says "$out" '^1,web$'
run top -b -n 1 -f csv -c domain,name --domain-info 'exit 3' "$fixture"
check 'without an answer: rows without names' says "$out" '^1,$'
check 'and why' says "$err" 'names of domains: .*exit code 3'
run top -b -n 1 --names "$scratch/names" "$fixture"
check 'a name that steers a terminal does not' not grep -q "$(printf '\033')" "$out"
"$program" top -b "$fixture" 2>"$err" | head -n 1 >"$out"
check 'a reader that goes away: no complaint' is_empty "$err"

group 'the folder of a recorder'
"$XENMETER" record -q -o "$scratch/record" --rotate 10s --clock @2026-11-29T07:00:00Z "$scratch/trace.xt"
TZ=UTC run top -b -n 1 --at 07:00:04Z "$scratch/record"
check 'the archive that has the time' says "$out" '^xenmeter top  2026-11-29T07Z-[0-9a-f]*-0000.xma  4.000 s  07:00:04$'
run top -b -n 1 --at 2026-11-29T07:00:13Z "$scratch/record"
check 'the next one' says "$out" '^xenmeter top  2026-11-29T07Z-[0-9a-f]*-0001.xma'
run top -b -n 1 "$scratch/record"
check 'the newest' says "$out" '^xenmeter top  2026-11-29T07Z-[0-9a-f]*-0001.xma  1.000 s'
check 'a time that was not recorded' refuses 'with this time' top -b --at 07:05Z "$scratch/record"

# ---- a terminal ----

if ! command -v tmux >/dev/null; then
    skip 'terminals' 'tmux is missing'
    finish
fi
run top --no-config "$fixture" </dev/null
if says "$err" 'built without ncurses'; then
    skip 'terminals' 'built without ncurses'
    finish
fi

terminals=0
export TMUX_TMPDIR=$scratch
tm() { tmux -L "xenmeter-top-$$-$terminals" -f /dev/null "$@"; }
trap 'tm kill-server 2>/dev/null; rm -rf "$scratch"' EXIT

# Runs a command line on a terminal of so many columns and lines. When it ends, its exit code is in $scratch/done.
start() { # COLUMNS LINES COMMAND-LINE
    tm kill-server 2>/dev/null
    rm -f "$scratch/done" "$scratch/stty" "$scratch/stty-after"
    terminals=$((terminals + 1))
    tm -u new-session -d -x "$1" -y "$2" "export LC_ALL=${locale:-C.UTF-8} TERM=screen-256color; echo before; stty -a >'$scratch/stty'; $3; echo \$? >'$scratch/done'; stty -a >'$scratch/stty-after'; $SHOWN; sleep 600"
}
keys() { tm send-keys "$@"; }
show() { tm capture-pane -p "$@" >"$screen" 2>/dev/null; }
shows() { show && grep -q -e "$1" "$screen"; }
sees() { # PATTERN: soon
    soon shows "$1" && return 0
    sed 's/^/      | /' "$screen"
    return 1
}
ended() { [ -s "$scratch/done" ] && all_is_shown; }
leaves() { soon ended && equal "$1" "$(cat "$scratch/done")"; } # EXIT-CODE
quits() { keys q && leaves 0; }
cells() { awk -v domain="$1" '$1 == domain { print; exit }' "$screen"; } # DOMAIN: its row

group 'the screen has the numbers of report'
columns=running_pct,runnable_pct,charged_pct,wait_p99_ns,total_pct,executions_per_s
start 200 40 "'$program' top --no-config --ascii -c $columns --at 12 '$fixture'"
check 'it is at the second' sees '12.000 s '
keys Space
check 'it pauses' sees paused
show
# The same cells of report's tables, each pair side by side.
for domain in 0 1 2 3; do
    cells $domain | sed 's/ *[^ ]*$//' | tr -s ' ' | sed 's/ $//' >"$scratch/top"
    for span in 11,12 2,12; do
        "$XENMETER" report -q -t $span -d $domain -c domain,$columns "$fixture" |
            awk -v domain=$domain '$1 == domain { for (i = 2; i <= NF; i++) print $i; exit }' >"$scratch/span.$span"
    done
    check "domain $domain" equal "$domain $(paste -d' ' "$scratch/span.11,12" "$scratch/span.2,12" | paste -sd' ')" "$(cat "$scratch/top")"
done
keys y
check 'y: the command line' sees "xenmeter report -b domain -t 2,12 "
keys Escape
check 'q: exit code' quits
show -J
command=$(sed -n 's/^xenmeter \(report .*\)/\1/p' "$screen" | tail -n 1)
check 'it is printed at the end' test -n "$command"
# shellcheck disable=SC2086 # words
run $command
for domain in 0 3; do
    check "and has the numbers of domain $domain" equal "$(cat "$scratch/span.2,12" | wc -l)" 6
    "$XENMETER" report -q -t 2,12 -d $domain -c domain,$columns "$fixture" | awk -v d=$domain '$1 == d' | tr -s ' ' >"$scratch/report"
    check "domain $domain by that command line" grep -qxF "$(cat "$scratch/report")" <(tr -s ' ' <"$out")
done

group 'the command line of a filtered table'
start 220 30 "'$program' top --no-config --names '$scratch/names' --idd 3 --charge-all --at 5 '$fixture'"
check 'domains' sees '^domains  (4)'
keys Space / w e b Enter
check 'filtered' sees ', filter: web'
keys y
check 'y: its options, and the domains that are shown' sees "report -b domain -t [0-9,]* .*--names [^ ]* --idd 3 --charge-all -d 1 "
keys Escape
check 'q: exit code' quits

group 'keys'
start 130 30 "'$program' top --no-config --names '$scratch/names' --at 5 '$fixture'"
check 'domains' sees '^domains  (4)'
keys Space
check 'names are shown' sees '^1 *web '
check 'a name that steers a terminal' sees 'evil?\[31m'
keys /
keys -l we
keys Enter
check 'a filter' sees 'filter: we  (1)'
keys Escape
check 'Esc: all' sees '^domains  (4)'
keys Down Enter
check 'Enter: its vCPUs' sees '^vCPUs .*, of domain'
keys Down Enter
check 'Enter: their executions' sees '^executions, the last of the second, of domain .*, vCPU'
check 'with how they ended' sees 'blocked\|preempted'
keys Escape
check 'Esc: vCPUs' sees '^vCPUs .*, of domain'
keys d
check 'd: all domains' sees '^domains  (4)'
keys c
check 'c: pCPUs' sees '^pCPUs  (2)'
keys b
check 'b: who delayed whom' sees '^who delayed whom  (16)'
keys m
check 'm: charges' sees '^ran in all '
keys e
check 'e: the longest waits' sees 'with the longest waits of the second  (64)'
keys i
check 'i: where the numbers come from' sees 'SWITCH_INFNEXT'
keys Escape d f
check 'f: columns' sees '\[x\] running_pct'
keys Down Space
check 'space: one more' sees '\[x\] running_ns'
keys Escape h
check 'h: keys' sees 'command line whose output is the same table'
keys Escape z
check 'z: the last second only' sees '^domain  name  *running %  runnable %'
check 'q' quits

group 'time'
start 120 24 "'$program' top --no-config --replay 16x '$fixture'"
check 'a replay ends' sees '15.062 s  ended'
keys Left
check 'a second back' sees '14.062 s\|14.000 s'
keys '['
check 'ten back' sees '  4.*s  paused'
keys g
keys -l 8
keys Enter
check 'to the eighth second' sees '8.000 s  paused'
keys Space +
check 'twice as fast' sees '15.062 s  ended'
check 'q' quits
start 120 24 "'$program' top --no-config --replay 0.125x fixtures/lost-credit2.xt.zst"
check 'the first second' sees '1.000 s  replay 0.125x'
keys Space n
check 'n: the next second with lost records' sees 'up to 2.000 s: 9,761 records were lost'
quits

group 'what hangs is no matter'
mkfifo "$scratch/fifo"
start 100 20 "(cat '$scratch/trace.xt'; exec sleep 100) | '$program' top --no-config -"
check 'a pipe that stops: what came is shown' sees '15.000 s  live'
check 'and how old it is' sees 'data [2-9][0-9.]* s old'
keys v
check 'keys work' sees '^vCPUs'
keys q
gone() { ! pgrep -f "$program top --no-config" >/dev/null; }
check 'q quits' soon gone
start 100 20 "'$program' top --no-config '$scratch/fifo'"
check 'a pipe that nobody writes' sees 'waiting for the first second'
check 'q' quits
printf '#!/bin/sh\nexec sleep 100\n' >"$scratch/hang"
chmod +x "$scratch/hang"
printf '#!/bin/sh\ntrap "echo ended >%s/traced; exit 0" INT\ncat %s/trace.xt\nwhile :; do sleep 0.05; done\n' "$scratch" "$scratch" >"$scratch/xentrace"
chmod +x "$scratch/xentrace"
start 100 20 "'$program' top --no-config --xentrace '$scratch/xentrace' --domain-info '$scratch/hang'"
check 'xl hangs: seconds are shown' sees '^xenmeter top  xentrace  15.000 s  live'
check 'q' quits
check 'xentrace was ended' says "$scratch/traced" ended
helpers_gone() { ! pgrep -f "^/bin/sh $scratch/xentrace" >/dev/null; }
check 'nothing of it is left' soon helpers_gone
start 100 20 "'$program' top --no-config --xentrace '$scratch/xentrace' --domain-info 'echo Name ID Mem VCPUs State Time; echo web 1 512 1 r----- 1.0'"
check 'names of the toolstack' sees '^1 *web '
quits
printf '#!/bin/sh\necho "xentrace: no such luck" >&2\nexit 3\n' >"$scratch/xentrace"
start 100 20 "'$program' top --no-config --xentrace '$scratch/xentrace'"
check 'a xentrace that fails: exit code' leaves 2
check 'and what it said' sees 'exit code 3: xentrace: no such luck'

# One that ends in the middle of a window, and one that begins some seconds later: the host's clock went on.
half=6000123
later=$(LC_ALL=C grep -abo -P '\x03\xf0\x01\x20\x00\x00\x00\x00' "$scratch/trace.xt" | cut -d: -f1 | awk '$1 > 10000000 { print; exit }')
cat >"$scratch/xentrace" <<SCRIPT
#!/bin/sh
if [ ! -e "$scratch/first" ]; then
    : >"$scratch/first"
    head -c $half "$scratch/trace.xt"
    while [ ! -e "$scratch/may-end" ]; do sleep 0.1; done
    echo 'xentrace: out of luck' >&2
    exit 3
fi
trap 'exit 0' INT
tail -c +$((later + 1)) "$scratch/trace.xt"
while :; do sleep 0.1; done
SCRIPT
: >"$scratch/may-end"
{ head -c $half "$scratch/trace.xt"; tail -c +$((later + 1)) "$scratch/trace.xt"; } >"$scratch/joined.xt"
run top -b -n 15 -f jsonl --xentrace "$scratch/xentrace" --domain-info 'exit 1'
check 'xentrace ends: it is started again' exits 0
rows "$one | del(.name)" "$out" >"$scratch/top"
check 'which is said' says "$err" 'xentrace was started again (1): exit code 3: xentrace: out of luck'
"$XENMETER" report -q -g 1s -f jsonl "$scratch/joined.xt" | jq -cS 'select(.end_ns <= 15e9) | del(.name)' | sort >"$scratch/report"
check 'the rows are those of both as one trace' same "$scratch/report" "$scratch/top"
check 'what was not recorded is not idle time' equal 200 "$(jq "$one | select(.domain == 0 and .start_ns == 6000000000) | .unknown_pct" "$out")"
rm "$scratch/first" "$scratch/may-end"
start 100 20 "'$program' top --no-config --xentrace '$scratch/xentrace' --domain-info 'exit 1'"
check 'the first one' sees '^xenmeter top  xentrace  [34].000 s  live'
: >"$scratch/may-end"
check 'on the screen, too' sees 'xentrace was started again (1): exit code 3: xentrace: out of luck'
check 'seconds of the next one' sees '^xenmeter top  xentrace  1[45].000 s  live'
check 'q' quits

group 'the terminal is put back'
put_back() { soon ended && soon same "$scratch/stty" "$scratch/stty-after"; }
start 100 20 "'$program' top --no-config '$fixture'"
sees '1.000 s' >/dev/null
quits
check 'after q' put_back
check 'what was there before is there again' sees '^before'
for signal in TERM INT HUP SEGV ABRT FPE ILL BUS; do
    start 100 20 "'$program' top --no-config '$fixture'"
    check "$signal: it runs" sees '^domains'
    pkill -"$signal" -f "^$program top --no-config $fixture"
    check "$signal: the terminal" put_back
    check "$signal: the cursor" equal 1 "$(tm display -p '#{cursor_flag}')"
    check "$signal: the main screen" equal 0 "$(tm display -p '#{alternate_on}')"
    case $signal in TERM | INT | HUP) check "$signal: exit code" equal 0 "$(cat "$scratch/done")" ;; esac
done

group 'sizes, characters, colours'
start 100 20 "'$program' top --no-config --at 12 '$fixture'"
check 'blocks' sees '█'
for size in '60 12' '200 50' '30 5' '20 3' '100 20'; do
    # shellcheck disable=SC2086 # two words
    set -- $size
    tm resize-window -x "$1" -y "$2"
    check "$1 x $2" sees '^xenmeter top'
    check "$1 x $2: no wider" [ "$(LC_ALL=C.UTF-8 wc -L <"$screen")" -le "$1" ]
done
check 'all is there again' sees '^domains'
quits
locale=C start 100 20 "'$program' top --no-config --at 12 '$fixture'"
check 'ASCII: the table' sees '^domains'
check 'ASCII: and nothing else' not grep -qP '[^\x00-\x7f]' "$screen"
quits
escape=$(printf '\033')
start 100 20 "'$program' top --no-config --at 12 '$fixture'"
sees '^domains' >/dev/null
colours() { show -e && grep -q "$escape\[[0-9;]*38;5;" "$screen"; }
check 'colours' soon colours
keys P P
no_colours() { show -e && ! grep -q "$escape\[[0-9;]*3[0-8];\|$escape\[3[0-7]m" "$screen"; }
check 'the palette without' soon no_colours
quits
start 100 20 "NO_COLOR=1 '$program' top --no-config --at 12 '$fixture'"
sees '^domains' >/dev/null
check 'NO_COLOR' soon no_colours
quits
# What ncurses has not freed then is its own.
start 100 20 "ASAN_OPTIONS=detect_leaks=0 TERM=no-such-terminal '$program' top --no-config '$fixture'"
check 'a terminal that is not known' sees 'does not know the terminal'
check 'exit code' leaves 2

group 'settings'
settings=$XDG_CONFIG_HOME/xenmeter/top.json
start 130 20 "XDG_CONFIG_HOME='$XDG_CONFIG_HOME' '$program' top '$fixture'"
sees '^domains' >/dev/null
check 'q' quits
check 'nothing changed: nothing is kept' not test -e "$settings"
start 130 20 "XDG_CONFIG_HOME='$XDG_CONFIG_HOME' '$program' top '$fixture'"
sees '^domains' >/dev/null
keys P b '>'
check 'the view of delays' sees '^who delayed whom'
check 'q' quits
check 'what changed is kept' holds '.schema == "xenmeter.top/1" and .view == "blame" and .palette == "colour-blind"' "$settings"
start 130 20 "XDG_CONFIG_HOME='$XDG_CONFIG_HOME' '$program' top '$fixture'"
check 'and holds the next time' sees '^who delayed whom'
quits
start 130 20 "XDG_CONFIG_HOME='$XDG_CONFIG_HOME' '$program' top --no-config '$fixture'"
check 'not with --no-config' sees '^domains'
quits
echo '{ "schema": "xenmeter.top/1", "view": 5, "views": { "domains": { "columns": "x,y", "sort": [] }, "blame": 7 } }' >"$settings"
start 130 20 "XDG_CONFIG_HOME='$XDG_CONFIG_HOME' '$program' top '$fixture'"
check 'settings that make no sense: the defaults' sees '^domains'
quits
echo 'what' >"$settings"
start 130 20 "XDG_CONFIG_HOME='$XDG_CONFIG_HOME' '$program' top '$fixture'"
check 'a file that is something else: the defaults' sees '^domains'
quits
check 'and a message' sees 'these are no settings of top'

group 'the simulated host'
start 120 24 "'$program' top --no-config --demo"
check 'it runs' sees '^3 *build'
check 'in real time' sees '[2-9].000 s  live'
check 'q' quits

finish
