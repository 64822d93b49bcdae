#!/bin/bash
# Options, messages, exit codes, and that failures leave no half-written files.
# shellcheck source=tests/lib.sh disable=SC2016,SC2317 # functions are called through check
. "$(dirname "$0")/lib.sh"

fixture=fixtures/membuf-credit2.xt.zst
zstd -qdc "$fixture" >"$scratch/capture.xt"
dir=$scratch/dir
mkdir "$dir"
nothing_left() { [ -z "$(ls -A "$dir")" ]; }

# A usage error or another error: exit code 2, a message, nothing on standard output.
refuses() { # PATTERN ARGUMENT...
    local pattern=$1
    shift
    run "$@" <"${input:-/dev/null}"
    refused_once && says "$err" "$pattern"
}

group 'help and version'
for arguments in --help -h help 'help report' 'report --help' 'report -h' --version; do
    # shellcheck disable=SC2086 # a list of words
    run $arguments
    check "$arguments: exit code 0" exits 0
    check "$arguments: on standard output" has_text "$out"
    check "$arguments: nothing on standard error" is_empty "$err"
    check "$arguments: no line is too long" not says "$out" '^.\{101\}'
done
check 'version' says "$out" '^xenmeter [0-9][0-9.]*$'
for command in $("$XENMETER" help | sed -n '/^Commands:/,/^$/s/^  \([a-z-]*\) .*/\1/p'); do
    run "$command" --help
    check "$command --help" exits 0
    check "$command --help says how it is used" says "$out" '^Usage: xenmeter'
done
run
check 'without a command: exit code 2' exits 2
check 'without a command: the list on standard error' says "$err" '^Commands:'
check 'without a command: nothing on standard output' is_empty "$out"

group 'wrong arguments'
check 'unknown command, suggestion' refuses "did you mean 'report'" reprot
check 'unknown command' refuses 'no command' xyzzyxyzzy
check 'help of an unknown command' refuses 'no command' help xyzzyxyzzy
check 'unknown option, suggestion' refuses "did you mean '--granularity'" report --granulrity 1s "$fixture"
check 'unknown option' refuses "no option '--xyzzyxyzzy'" report --xyzzyxyzzy "$fixture"
check 'unknown letter' refuses "no option '-z'" report -z "$fixture"
check 'option without its value' refuses 'wants a value' report "$fixture" -g
check 'an empty name' refuses 'the name of a FILE is empty' report ''
check 'two files' refuses 'one FILE' report "$fixture" "$fixture"
check 'unknown format, suggestion' refuses "did you mean 'json'" report -f jsn "$fixture"
for bad in '-g 10x' '-g 1' '-g 1s,,2s' '-g -1s' '-g 1e3s' '-g 10ns' '--live 1ns' '-t 1s' '-t 3s,1s' '-t x,y' '-d x' '-d 3-1' \
    '-d 70000' '-p 4095' '-p 0,' '-n 0' '-n x' '-b host' '-s nosuch' '-c nosuch' '--color maybe' '--progress maybe' \
    '--cpu-hz 0' '--cpu-hz x' '--max-memory 1K' '--max-memory x' '--names /nonexistent'; do
    # shellcheck disable=SC2086 # a list of words
    [ "$bad" = '-g 1' ] || check "report $bad" refuses . report $bad "$fixture"
done

group 'files that are no captures'
check 'missing' refuses 'No such file' report "$dir/missing"
check 'a directory' refuses 'irectory' report "$dir"
: >"$scratch/empty"
check 'empty' refuses 'empty' report "$scratch/empty"
check 'empty standard input' refuses 'standard input' report -
check 'text' refuses 'not a xentrace capture' report README.md
head -c 100000 /dev/urandom >"$scratch/garbage"
check 'garbage' refuses 'garbage: ' report "$scratch/garbage"
head -c 100000 /dev/zero >"$scratch/zeros"
check 'zeros' refuses 'zeros: ' report "$scratch/zeros"
{ head -c 200000 "$fixture"; } >"$scratch/cut.zst"
run report -f csv "$scratch/cut.zst"
check 'cut zstd: what is there is used' exits 0
check 'cut zstd: rows' has_text "$out"
check 'cut zstd: said' says "$err" 'cut'
{ head -c 100000 "$fixture"; head -c 1000 /dev/zero; tail -c +101001 "$fixture"; } >"$scratch/broken.zst"
check 'broken zstd' refuses 'zst: ' report "$scratch/broken.zst"
if [ "$(id -u)" -ne 0 ]; then
    : >"$scratch/secret"
    chmod 0 "$scratch/secret"
    check 'no permission' refuses 'ermission' report "$scratch/secret"
fi

group 'compressed captures'
"$XENMETER" report -q -f csv -b vcpu "$scratch/capture.xt" >"$scratch/expected"
gives() { run report -q -f csv -b vcpu "$1" && exits 0 && same "$scratch/expected" "$out"; } # FILE
gives_piped() { run report -q -f csv -b vcpu - < <(cat "$1") && exits 0 && same "$scratch/expected" "$out"; }
half=$(($(stat -c %s "$scratch/capture.xt") / 2))
for tool in gzip xz zstd; do
    packed=$scratch/capture.$tool
    $tool -1 -c "$scratch/capture.xt" >"$packed"
    run info "$packed"
    if says "$err" 'was built without'; then
        check "$tool is not built in: it says what to do" says "$err" "decompress it first: $tool -dc FILE | xenmeter report -"
        continue
    fi
    check "$tool: info names it" says "$out" "compressed by $tool"
    check "$tool: a file" gives "$packed"
    check "$tool: a pipe" gives_piped "$packed"
    check "$tool: the JSON document names it" equal "$tool $(stat -c %s "$packed")" "$(
        "$XENMETER" report -q -f json "$packed" | jq -r '"\(.trace.compression) \(.trace.stored_bytes)"')"
    { head -c "$half" "$scratch/capture.xt" | $tool -1 -c; tail -c +$((half + 1)) "$scratch/capture.xt" | $tool -1 -c; } >"$scratch/two"
    check "$tool: two members after each other" gives "$scratch/two"
    check "$tool: two members through a pipe" gives_piped "$scratch/two"
    [ $tool = zstd ] || head -c 1024 /dev/zero >>"$scratch/two"
    check "$tool: zero bytes at the end" gives "$scratch/two"
    head -c $(($(stat -c %s "$packed") / 2)) "$packed" >"$scratch/cut"
    run report -f csv "$scratch/cut"
    check "$tool: cut: what is there is used" exits 0
    check "$tool: cut: said" says "$err" 'verdict degraded: .*the trace is cut off'
    cp "$out" "$scratch/cut.csv"
    run report -f csv - < <(cat "$scratch/cut")
    check "$tool: cut: the same through a pipe" same "$scratch/cut.csv" "$out"
    { head -c 100000 "$packed"; head -c 1000 /dev/zero; tail -c +101001 "$packed"; } >"$scratch/broken.$tool"
    check "$tool: damaged: the offset is said" refuses "offset [0-9]*: the $tool compression is damaged here" report "$scratch/broken.$tool"
    { cat "$packed"; head -c 100 README.md; } >"$scratch/tail.$tool"
    check "$tool: something else at the end" refuses "the $tool compression is damaged here" report "$scratch/tail.$tool"
    $tool -c </dev/null >"$scratch/nothing"
    check "$tool: nothing in it" refuses "is empty: there is nothing in its $tool compression" report "$scratch/nothing"
done

group 'other files are named, and what to do with them'
begins() { printf '%b' "$1"; head -c 2000 /dev/zero; } # BYTES
while read -r bytes pattern; do
    begins "$bytes" >"$scratch/other"
    check "$pattern" refuses "other: $pattern" report "$scratch/other"
    input=<(cat "$scratch/other") check "$pattern, through a pipe" refuses "(standard input): $pattern" report -
done <<'END'
BZh91AY&SY a bzip2 file: decompress it first: bzip2 -dc FILE | xenmeter report -$
\004\042\115\030 an lz4 file: decompress it first: lz4 -dc FILE | xenmeter report -$
\135\000\000\200 an lzma file: decompress it first: xz --format=lzma -dc FILE
\037\235\220 a file of compress: decompress it first: gzip -dc FILE
LZIP an lzip file: decompress it first: lzip -dc FILE
PK\003\004 a zip archive: take the capture out first: unzip -p FILE | xenmeter report -$
7z\274\257\047\034 a 7-Zip archive: take the capture out first: 7z x -so FILE
\040\001\360\003 a capture in big-endian byte order, .*: objcopy -I binary -O binary --reverse-bytes=4 FILE NEW$
END
for format in ustar gnu v7 pax; do
    tar -C "$scratch" --format=$format -cf "$scratch/other" capture.xt
    check "tar ($format)" refuses 'other: a tar archive: take the capture out first: tar -xOf FILE | xenmeter report -$' \
        report "$scratch/other"
done
check 'the command for tar is right' gives_piped <(tar -xOf "$scratch/other")
zstd -qc "$scratch/other" >"$scratch/packed"
check 'tar, compressed' refuses 'a tar archive: take' report "$scratch/packed"
dd if="$scratch/capture.xt" of="$scratch/other" conv=swab status=none
check 'half-words swapped' refuses 'big-endian byte order.*: dd if=FILE of=NEW conv=swab$' report "$scratch/other"
zstd -qc "$fixture" >"$scratch/packed"
check 'compressed twice' refuses 'compressed twice, zstd within zstd: decompress it once first: zstd -dc FILE' report "$scratch/packed"
begins 'BZh91AY&SY' | zstd -qc >"$scratch/packed"
check 'compressed twice, by others' refuses 'a bzip2 file within zstd: .*: zstd -dc FILE | bzip2 -dc | xenmeter report -$' \
    report "$scratch/packed"
check 'text' refuses 'not a xentrace capture, but text: give the file that xentrace wrote' report README.md
for command in charge blame info dump; do
    check "$command: text" refuses 'not a xentrace capture, but text' $command README.md
done
check 'archive create: text' refuses 'not a xentrace capture, but text' archive create README.md -o "$dir/x.xma"
check 'archive create: nothing is left' nothing_left
printf 'change evtmask to 0x0002f000\n' | cat - "$scratch/capture.xt" >"$scratch/other"
run report -f csv "$scratch/other"
check 'a capture after a line of text is read' exits 0
check 'and what was passed over is said' says "$err" '29 damaged bytes'

group 'output that cannot be written'
for format in table csv json jsonl; do
    timeout "$LIMIT" "$XENMETER" report -q -f $format -b vcpu -g 1ms -t ,500ms "$fixture" >/dev/full 2>"$err"
    status=$?
    check "$format: full device" exits 2
    check "$format: full device is said" says "$err" 'No space left'
    run report -f $format -o /dev/full "$fixture"
    check "$format: -o full device" exits 2
done
"$XENMETER" --help >/dev/full 2>"$err"
check 'help to a full device' not [ $? -eq 0 ]
check '-o in a missing directory' refuses 'No such file' report -o "$dir/missing/x.csv" "$fixture"
check '-o a directory' refuses 'irectory' report -o "$dir" "$fixture"
if [ "$(id -u)" -ne 0 ]; then
    mkdir -m 555 "$scratch/readonly"
    check '-o in a read-only directory' refuses 'ermission' report -o "$scratch/readonly/x.csv" "$fixture"
fi
check 'nothing is left' nothing_left
for format in table csv json jsonl; do
    { timeout "$LIMIT" "$XENMETER" report -q -f $format -b vcpu -g 1ms "$fixture" 2>"$err"; echo $? >"$scratch/code"; } |
        head -n 1 >"$out"
    check "$format: the reader goes away: quiet" is_empty "$err"
    check "$format: the reader goes away: exit code 0" equal 0 "$(cat "$scratch/code")"
done

group '-o: whole or not at all'
check 'a missing capture leaves nothing' refuses 'No such file' report -o "$dir/x.csv" "$dir/missing"
check 'a bad capture leaves nothing' refuses . report -o "$dir/x.csv" "$scratch/garbage"
check 'a broken one leaves nothing' refuses . report -o "$dir/x.csv" "$scratch/broken.zst"
check 'nothing is left' nothing_left
echo before >"$dir/x.csv"
check 'an error keeps the old file' refuses . report -o "$dir/x.csv" "$scratch/broken.zst"
check 'it is the old one' equal before "$(cat "$dir/x.csv")"
rm "$dir/x.csv"
for signal in TERM INT HUP; do
    mkfifo "$scratch/fifo"
    exec 7<>"$scratch/fifo" # it stays open: the run waits for more
    attended "$XENMETER" report -g 1ms -o "$dir/x.csv" - <"$scratch/fifo" >"$out" 2>"$err" 7>&- &
    pid=$!
    timeout "$LIMIT" head -c 3000000 "$scratch/capture.xt" >&7
    check "SIG$signal: it was at work" equal 1 "$(find "$dir" -name '.xenmeter-*' | wc -l)"
    check "SIG$signal: under another name" [ ! -e "$dir/x.csv" ]
    kill -"$signal" $pid
    wait $pid 2>/dev/null
    check "SIG$signal: not a success" not [ $? -eq 0 ]
    exec 7>&-
    check "SIG$signal: nothing is left" nothing_left
    rm "$scratch/fifo"
done

group 'signals that were ignored when the program started stay ignored'
ignoring() { trap '' "$1"; shift; exec "$@"; } # SIGNAL COMMAND..., in place of this shell
for signal in INT TERM HUP; do
    for live in '' '--live 100ms'; do
        mkfifo "$scratch/fifo"
        exec 7<>"$scratch/fifo"
        # shellcheck disable=SC2086 # a list of words, perhaps none
        ignoring $signal "$XENMETER" report -q $live -f csv -o "$dir/x.csv" - <"$scratch/fifo" >"$out" 2>"$err" 7>&- &
        pid=$!
        timeout "$LIMIT" head -c 3000000 "$scratch/capture.xt" >&7
        kill -$signal $pid
        timeout "$LIMIT" tail -c +3000001 "$scratch/capture.xt" >&7
        exec 7>&-
        wait $pid
        check "SIG$signal${live:+, live}: exit code 0" equal 0 $?
        # shellcheck disable=SC2086
        run report -q $live -f csv "$scratch/capture.xt"
        check "SIG$signal${live:+, live}: the whole capture was read" same "$out" "$dir/x.csv"
        rm -f "$scratch/fifo" "$dir/x.csv"
    done
done

group 'nothing to report is an error'
unscheduled=$scratch/unscheduled.xt # a window with one record that no scheduler wrote
printf '\003\360\001\040\000\000\000\000\040\000\000\000' >"$unscheduled"
for tsc in '\000\000\000\001' '\000\000\000\002'; do
    printf '%b' '\001\360\020\220' "$tsc" '\001\000\000\000\003\000\000\000' >>"$unscheduled"
done
for format in table csv json jsonl; do
    for command in report charge blame; do
        check "$command -f $format: no such domain" refuses 'nothing to report: none of the domains of --domains is in this trace' \
            $command -f $format -d 77 "$fixture"
        check "$command -f $format: no scheduling records" refuses 'nothing to report: the trace has no scheduling records; record with' \
            $command -f $format --cpu-hz 1G "$unscheduled"
    done
    check "report -f $format: no such pCPU" refuses 'nothing to report: --pcpus leaves no row' report -f $format -p 77 "$fixture"
    check "charge -f $format: no such driver domain" refuses 'nothing to report: --idd leaves no row' charge -f $format --idd 77 "$fixture"
done
for option in '-d 77' '-p 77' '-e adjdom' '--vcpus d77v0' '--count -e adjdom' '-f csv -d 77'; do
    # shellcheck disable=SC2086 # a list of words
    check "dump $option" refuses 'no record is left by --' dump $option "$fixture"
done
check 'after the end' refuses 'begins at 100 s, but the trace ends at' report -t 100s, "$fixture"
check 'dump: after the end' refuses 'begins at 100 s, but the trace ends at' dump -t 100s, "$fixture"
check '-o: nothing is left' refuses 'nothing to report' report -d 77 -o "$dir/x.csv" "$fixture"
"$XENMETER" archive create -q -o "$dir/x.xma" "$fixture"
check 'of an archive' refuses 'nothing to report: none of the domains' report -d 77 "$dir/x.xma"
rm -f "$dir/x.xma"
check 'nothing is left' nothing_left
run info --cpu-hz 1G "$unscheduled"
check 'info describes it all the same' exits 0
check 'info: what is wrong with it' says "$out" 'no scheduling records in the trace'

group 'formats'
columns=$("$XENMETER" report -c help | sed -n '/^columns of rows/,/^$/s/^  \([a-z0-9_]*\) .*/\1/p')
for by in domain vcpu pcpu domain-pcpu; do
    for format in table csv json jsonl; do
        run report -b $by -g total,1s,execution -f $format -o "$dir/$by.$format" "$fixture"
        check "$format by $by" exits 0
        check "$format by $by: nothing on standard output" is_empty "$out"
    done
    check "csv by $by: every line has the fields of its header" awk -F, '
        NR == 1 || $0 == "" || /^domain,/ { n = NF }
        NF != n { bad = 1 }
        END { exit bad || NR < 3 }' "$dir/$by.csv"
    check "json by $by" jq -e '.schema == "xenmeter.report/1" and (.reports | length) >= 2 and .trace.records > 0
        and (.quality.verdict | IN("good", "degraded", "poor"))' "$dir/$by.json" >"$out"
    check "jsonl by $by" jq -es 'length > 3' "$dir/$by.jsonl" >"$out"
    run report -b $by -g total,1s -f csv -c all "$fixture"
    cp "$out" "$scratch/csv"
    run report -b $by -g total,1s -f jsonl -c all "$fixture"
    check "csv and jsonl by $by: the same running times" equal \
        "$(jq -s 'map(.running_ns) | add' "$out")" \
        "$(awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next } { s += $at["running_ns"] } END { printf "%.0f", s }' \
            "$scratch/csv")"
done
run report -f csv --time-format tsc "$fixture" # without that there is no start_time
for column in $columns; do
    case $column in by | host | timeline | not_recorded_ns) continue ;; esac # of several --by, or timelines, only
    check "csv has $column" says "$out" "^\(.*,\)\?$column\(,.*\)\?$"
done
rm -f "$dir"/*
for name in x.csv x.tsv x.json x.jsonl; do
    run report "$fixture" -o "$dir/$name.zst"
    check "$name.zst is zstd" zstd -qt "$dir/$name.zst"
    run report "$fixture" -o "$dir/$name"
    check "$name.zst holds $name" equal "$(zstd -qdc "$dir/$name.zst" | sha256sum)" "$(sha256sum <"$dir/$name")"
    run report "$fixture" -f "${name#x.}"
    check "$name: -o is what standard output gets" same "$out" "$dir/$name"
done
run report -g total,1s -f csv "$fixture"
cp "$out" "$scratch/csv"
run report -g total,1s -f tsv "$fixture"
check 'tsv: csv with tabs' same <(tr , '\t' <"$scratch/csv") "$out"
printf '%s\n' '1 back\slash' '2 a"b,c' $'3 tab\there' >"$scratch/names"
run report -f tsv -c name -q --raw-names --names "$scratch/names" "$fixture"
check 'tsv: what would part cells or lines is written as in databases' equal 'back\\slash a"b,c tab\there' \
    "$(tail -n +3 "$out" | paste -sd ' ')"
run dump -n 5 -o "$dir/x.txt" "$fixture"
check 'dump -o x.txt is text' same "$dir/x.txt" <("$XENMETER" dump -q -n 5 "$fixture")
rm -f "$dir"/*
for name in x.gz x.csv.GZ x.parquet x.xlsx x.db; do
    for command in report charge blame dump; do
        check "$command -o $name" refuses "nothing here writes .*; $command writes " $command -o "$dir/$name" "$fixture"
    done
done
check 'dump -o x.tsv' refuses 'dump has no format .tsv.*it writes text, csv, jsonl' dump -o "$dir/x.tsv" "$fixture"
check 'nothing is left of them' nothing_left

group 'what to show'
run report -f csv -c domain,running_ns "$fixture"
check '-c: these columns' equal domain,running_ns "$(head -n 1 "$out")"
run report -f csv -c running_ns,domain,blocked_ns "$fixture"
check '-c: in this order' equal running_ns,domain,blocked_ns "$(head -n 1 "$out")"
run report -f csv -c running_pct,runnable_pct -s runnable_pct "$fixture"
check '-s: largest first' equal "$(tail -n +2 "$out")" "$(tail -n +2 "$out" | sort -t, -k2,2gr)"
run report -s help
check '-s help lists the columns' same "$out" <("$XENMETER" report -c help)
run report -f csv --cpu-hz 2.6GHz -g 1min "$fixture"
cp "$out" "$scratch/csv"
run report -f csv --cpu-hz 2600000khz -g 60s "$fixture"
check 'units: GHz and kHz, min' same "$scratch/csv" "$out"
run report -f csv -n 2 -s running_ns "$fixture"
check '-n: at most so many rows' equal 3 "$(wc -l <"$out")"
run report -f csv -g execution -c vcpu,ran_ns,domain -q "$fixture"
cp "$out" "$scratch/executions"
check '-c: columns of executions' equal vcpu,ran_ns,domain "$(head -n 1 "$out")"
run report -f csv -g execution -c vcpu,ran_ns,domain -s ran_ns -q "$fixture"
check '-s: executions, as sort has them' same <(tail -n +2 "$scratch/executions" | sort -s -t, -k2,2nr) <(tail -n +2 "$out")
cp "$out" "$scratch/sorted"
for limit in 1 10 1000 1000000; do
    run report -f csv -g execution -c vcpu,ran_ns,domain -s ran_ns -n $limit -q "$fixture"
    check "-s -n $limit: the first of them" same <(head -n $((limit + 1)) "$scratch/sorted") "$out"
    run report -f csv -g execution -c vcpu,ran_ns,domain -n $limit -q "$fixture"
    check "-n $limit: the first executions" same <(head -n $((limit + 1)) "$scratch/executions") "$out"
done
for format in table json jsonl; do
    run report -f $format -g execution -c waited_ns,domain -s waited_ns -n 3 -q "$fixture"
    check "$format: executions ordered and cut" exits 0
    check "$format: three" [ "$(grep -cE '^ *[0-9.,]+  [0-9]+$|"waited_ns":' "$out")" -eq 3 ]
done
run report -f csv -g execution -s waited_ns "$fixture"
check '-s without -n: a hint' says "$err" 'with --limit N only N are'
run report -f csv -g total,execution -c waited_ns,running_ns,domain -q "$fixture"
check '-c: each kind of row has what it has' equal 'waited_ns,running_ns,domain 1 1' \
    "$(head -n 1 "$out") $(grep -qE '^,[0-9]+,0$' "$out" && echo 1) $(grep -qE '^[0-9]+,,0$' "$out" && echo 1)"
run report -g execution -c domain,waitd_ns "$fixture"
check '-c: an unknown column, the nearest one' says "$err" 'unknown column "waitd_ns"; the nearest is waited_ns'
run report -f jsonl -b vcpu -d 0,3-5 "$fixture"
check '-d: these domains' equal '0 3' "$(jq -s -r 'map(.domain) | unique | join(" ")' "$out")"
run report -f jsonl -b pcpu -p 1 "$fixture"
check '-p: these pCPUs' equal '1' "$(jq -s -r 'map(.pcpu) | unique | join(" ")' "$out")"
run report -f jsonl -t 500ms,1.5s "$fixture"
check '-t: this part' equal '500000000 1500000000' "$(jq -s -r '"\(.[0].start_ns) \(.[0].end_ns)"' "$out")"
run report -f jsonl -t ,1s "$fixture"
cp "$out" "$scratch/first"
run report -f jsonl -t 1s, "$fixture"
cp "$out" "$scratch/second"
run report -f jsonl "$fixture"
check '-t: two parts are the whole' equal "$(jq -s 'map(.running_ns) | add' "$out")" \
    "$(jq -s 'map(.running_ns) | add' "$scratch/first" "$scratch/second")"
printf '0 Domain-0\n3 "we,b"\n' >"$scratch/names"
run report --names "$scratch/names" -f jsonl "$fixture"
check '--names: lines of ID NAME' says "$out" '"name":"Domain-0"'
run report --names "$scratch/names" -f csv "$fixture"
check '--names: quoted for CSV' says "$out" ',"""we,b""",'
printf '%s\n' 'Name                                        ID   Mem VCPUs	State	Time(s)' \
    'Domain-0                                     0  2048     2     r-----     100.0' \
    'guest1                                       1   160     1     r-----      10.0' >"$scratch/xl"
run report --names "$scratch/xl" -f jsonl "$fixture"
check '--names: xl list' says "$out" '"domain":1,.*"name":"guest1"'
printf '%s\n' 'Name                                        ID   Mem VCPUs	State	Time(s)' \
    'guest one                                    3   192     2     -b----      10.0' >"$scratch/xl"
run report --names "$scratch/xl" -f jsonl "$fixture"
check '--names: xl list, a blank in a name' says "$out" '"domain":3,.*"name":"guest one"'
printf '%s\n' '3 rack 1 512 2 new east' >"$scratch/names"
run report --names "$scratch/names" -f jsonl "$fixture"
check '--names: ID NAME, a name with numbers in it' says "$out" '"domain":3,.*"name":"rack 1 512 2 new east"'
run report --cpu-hz 1.298G -f json "$fixture"
check '--cpu-hz: given' equal 'given 1298000000' "$(jq -r '.trace | "\(.cpu_hz_source) \(.cpu_hz)"' "$out")"

group 'domains by name, and those that are not there'
printf '%s\n' '1 web1' '2 web2' '3 db' >"$scratch/names"
host=fixtures/mixed-credit.xt.zst
domains_of() { # ARGUMENT...
    run "$@" && tail -n +2 "$out" | cut -d, -f1 | sort -u | paste -sd ' '
}
for domains in 'web*' web1,web2 '1,web[2-9]' 1-2; do
    check "-d $domains" equal '1 2' "$(domains_of report -q -f csv -c domain --names "$scratch/names" -d "$domains" "$host")"
done
check 'blame' equal 3 "$(domains_of blame -q -f csv -c victim --names "$scratch/names" -d db "$host")"
run dump -q --count -b domain -f csv --names "$scratch/names" -d db "$host"
cp "$out" "$scratch/named"
run dump -q --count -b domain -f csv -d 3 "$host"
check 'dump' same "$scratch/named" "$out"
check 'nobody has this name' refuses 'no domain has this name; there are web1, web2, db' report --names "$scratch/names" -d 'mail*' "$host"
check 'no names are known' refuses '--domains web1: no names of domains are known; give --names FILE' report -d web1 "$host"
"$XENMETER" archive create -q --names "$scratch/names" -o "$scratch/named.xma" "$host"
check 'names of an archive' equal '1 2' "$(domains_of report -q -f csv -c domain -d 'web*' "$scratch/named.xma")"
run report -d 1,7,90-99,0-2,3-9 -p 0-3,9 "$host"
check 'what is absent is named, item by item' equal '--domains 7: --domains 90-99: --pcpus 9:' "$(grep -o -- '--[a-z]* [0-9-]*:' "$err" | paste -sd ' ')"
run report -d 1,7 "$scratch/named.xma"
check 'of an archive, too' equal '--domains 7:' "$(grep -o -- '--[a-z]* [0-9-]*:' "$err" | paste -sd ' ')"

group 'names of domains and files can hold anything'
# All control characters but the line end, those that turn the direction of writing, invisible ones, and bytes that are no UTF-8.
hostile=$(for code in {1..9} {11..31} 127; do printf '%b' "$(printf '\\x%02x' "$code")"; done
    for code in 0085 009b 061c 200b 200e 200f 2028 2029 202a 202e 2066 2069 feff; do printf '%b' "\\u$code"; done
    printf '\xff\xc3(')
only_safe() { # FILE: nothing but printable ASCII and line ends
    ! LC_ALL=C grep -q '[^[:print:]]' "$1" && has_text "$1"
}
printf '%s\n' "1 a${hostile}z" '2 =HYPERLINK("http://x")' '3 -1+1' >"$scratch/names"
for arguments in report 'report -f csv -c name' 'charge -f csv -c name' info blame; do
    # shellcheck disable=SC2086 # a list of words
    run $arguments -q --names "$scratch/names" fixtures/mixed-credit.xt.zst
    [ "$arguments" = info ] || check "$arguments: the name is there, of what is safe" says "$out" 'a[?]*'
    check "$arguments: nothing of it steers a terminal" only_safe "$out"
done
run report -q -f csv -c domain,name --names "$scratch/names" fixtures/mixed-credit.xt.zst
check 'csv: no formula' says "$out" "^2,\"'=HYPERLINK(\"\"http://x\"\")\"$"
check 'csv: no formula, by its sign' says "$out" "^3,'-1+1$"
run report -q -f tsv -c domain,name --names "$scratch/names" fixtures/mixed-credit.xt.zst
check 'tsv: no formula' says "$out" "^3	'-1+1$"
run report -q -f csv -c domain,name --raw-names --names "$scratch/names" fixtures/mixed-credit.xt.zst
check '--raw-names: as it is' says "$out" '^3,-1+1$'
run report -q -f json --names "$scratch/names" fixtures/mixed-credit.xt.zst
check 'json: as it is' jq -e '[.reports[0].intervals[0].rows[].name] | index("-1+1") and index("=HYPERLINK(\"http://x\")") != null' "$out" >/dev/null
printf '%s\n' '1 漢字' '2 ab' '3 e\xcc\x81t' >"$scratch/names"
run report -q --names "$scratch/names" fixtures/mixed-credit.xt.zst
check 'a wide character has two columns' says "$out" '^1       漢字 '
run report "$dir/a${hostile}"$'\n'"z"
check 'a message about a file' only_safe "$err"
check 'is one line' equal 1 "$(wc -l <"$err")"

group 'colour, standard error'
escape=$(printf '\033')
run report "$fixture"
check 'no colour in a file' not says "$out" "$escape"
check 'a table ends with its verdict' equal 'verdict:' "$(tail -n 1 "$out" | cut -d' ' -f1)"
run report --color always "$fixture"
check '--color always' says "$out" "$escape"
NO_COLOR=1 run report --color auto "$fixture"
check 'NO_COLOR' not says "$out" "$escape"
run report --color never "$fixture"
check '--color never' not says "$out" "$escape"
run report -f csv "$fixture"
check 'csv: the verdict on standard error' says "$err" '^xenmeter: verdict '
check 'csv: not on standard output' not says "$out" verdict
run report -q -f csv "$fixture"
check '-q: nothing on standard error' is_empty "$err"
run report -v -f csv "$fixture"
check '-v: more on standard error' [ "$(wc -l <"$err")" -gt 1 ]
run report -f csv --progress always "$fixture"
check '--progress always' has_text "$err"
if [ -z "$QUICK" ] && command -v script >/dev/null; then
    on_terminal() { script -qec "$1" /dev/null </dev/null >"$out" 2>&1; }
    on_terminal "'$XENMETER' report --color auto '$fixture'"
    check 'on a terminal: colour' says "$out" "$escape"
    NO_COLOR=1 TERM=xterm on_terminal "'$XENMETER' report '$fixture'"
    check 'on a terminal: NO_COLOR' not says "$out" "$escape\\[[0-9;]*m"
fi
finish
