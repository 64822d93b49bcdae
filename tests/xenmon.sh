#!/bin/bash
# XenMon's logs (report -f xenmon): their form, their numbers against the other reports', and the files after a failure.
# shellcheck source=tests/lib.sh disable=SC2317 # functions are called through check
. "$(dirname "$0")/lib.sh"

fixture=fixtures/mixed-credit.xt.zst
dir=$scratch/dir
mkdir "$dir"
header='# passed cpu dom cpu(tot) cpu(%) cpu/ex allocated/ex blocked(tot) blocked(%) blocked/io waited(tot)'
header="$header waited(%) waited/ex ex/s io(tot) io/ex"
nothing_left() { [ -z "$(ls -A "$dir")" ]; }
clean() { rm -rf "${dir:?}"/* "$dir"/.xenmeter-*; }
logs() { find "$dir" -mindepth 1 -printf '%f\n' | sort | paste -sd' '; }
values() { awk '!/^#/' "$dir"/*.log; } # all lines of all logs

refuses() { # PATTERN ARGUMENT...
    local pattern=$1
    shift
    run report -f xenmon "$@" </dev/null
    refused_once && says "$err" "$pattern"
}

# Lines "key value value ..." of both files, sorted by key: the same keys, and values that differ by rounding only.
nearly() { # EXPECTED ACTUAL
    awk '
        function worry(text) { if (bad++ < 3) print "      " text }
        FILENAME == ARGV[1] { want[$1] = $0; n++; next }
        { m++; k = split(want[$1], w, " ") }
        k != NF { worry($1 ": not in both"); next }
        { for (i = 2; i <= NF; i++) if (w[i] - $i > 0.02 || $i - w[i] > 0.02) worry($1 ", value " i ": " $i " instead of " w[i]) }
        END { if (n != m) worry(m + 0 " lines instead of " n + 0); exit bad > 0 }' "$1" "$2"
}

# Per domain and end of interval: running, blocked, runnable, executions, I/O, each per second. Without zeros.
from_csv() { # FILE
    awk -F, '
        NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
        { s = ($at["end_ns"] - $at["start_ns"]) / 1e9; k = $at["domain"] "@" sprintf("%.3f", $at["end_ns"] / 1e6); seen[k] = 1
          a[k] += $at["running_ns"] / s; b[k] += $at["blocked_ns"] / s; c[k] += $at["runnable_ns"] / s
          d[k] += $at["executions"] / s; e[k] += $at["io_total"] / s }
        END { for (k in seen) if (a[k] + b[k] + c[k] + d[k] + e[k] > 0)
            printf "%s %.6f %.6f %.6f %.6f %.6f\n", k, a[k], b[k], c[k], d[k], e[k] }' "$1" | sort
}
from_logs() {
    cat "$dir"/*-dom*.log | awk '
        /^#/ { next }
        { k = $3 "@" $1; seen[k] = 1; a[k] += $4; b[k] += $8; c[k] += $11; d[k] += $14; e[k] += $15 }
        END { for (k in seen) printf "%s %.6f %.6f %.6f %.6f %.6f\n", k, a[k], b[k], c[k], d[k], e[k] }' | sort
}
idle_from_csv() { # FILE
    awk -F, '
        NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
        { s = ($at["end_ns"] - $at["start_ns"]) / 1e9; a[$at["pcpu"] "@" sprintf("%.3f", $at["end_ns"] / 1e6)] += $at["idle_ns"] / s }
        END { for (k in a) if (a[k]) printf "%s %.6f\n", k, a[k] }' "$1" | sort
}
idle_from_log() {
    cat "$dir"/*-idle.log 2>"$err" | awk '
        !/^#/ { a[$2 "@" $1] += $4 }
        END { for (k in a) if (a[k]) printf "%s %.6f\n", k, a[k] }' | sort
}

group 'lines'
run report -f xenmon -o "$dir/log" "$fixture"
check 'exit code 0' exits 0
check 'nothing on standard output' is_empty "$out"
check 'the verdict on standard error' says "$err" '^xenmeter: verdict '
check 'a log for each domain, and one of the idle loops' equal \
    'log-dom0.log log-dom1.log log-dom2.log log-dom3.log log-idle.log' "$(logs)"
for log in "$dir"/*.log; do
    name=${log##*/}
    check "$name: the header" equal "$header" "$(head -n 1 "$log")"
    check "$name: one header" equal 1 "$(grep -c '^#' "$log")"
    check "$name: every line has 16 numbers" not grep -qvE \
        '^(# .*|[0-9]+\.[0-9]{3} (-1|[0-9]+) (-1|[0-9]+)( -?[0-9]+\.[0-9]{3}){13})$' "$log"
    domain=${name#log-}
    domain=${domain%.log}
    domain=${domain#dom}
    [ "$domain" = idle ] && domain=-1
    check "$name: its domain" equal "$domain" "$(awk '!/^#/ { print $3 }' "$log" | sort -u)"
    check "$name: in the order of time, then pCPU" equal "$(tail -n +2 "$log")" "$(tail -n +2 "$log" | sort -s -k1,1n -k2,2n)"
done
check 'an interval of 1 s by default' equal 1000.000 "$(tail -n +2 "$dir/log-dom0.log" | head -n 1 | cut -d' ' -f1)"
check 'percentages are of the interval' equal 0 "$(values | awk '($4 / 1e7 - $5) ^ 2 > 1e-6 || ($8 / 1e7 - $9) ^ 2 > 1e-6 { n++ }
    END { print n + 0 }')"
check 'per execution: the sum by the count' equal 0 "$(values | awk '
    $14 > 0 && ($4 / $14 - $6) ^ 2 > ($6 * 1e-3) ^ 2 + 1 { n++ } $14 == 0 && $6 + $13 + $16 > 0 { n++ } END { print n + 0 }')"
check 'no I/O: blocked/io is 0' equal 0 "$(values | awk '$15 == 0 && $10 > 0 { n++ } END { print n + 0 }')"

# Idle pCPUs, domain ids that are used again, lost records.
simulated "$scratch/full.xt" stress-churn '.trace.lost = 0.02 | .host.pcpus = 8'
simulated "$scratch/switch.xt" stress-churn '.trace += { "lost": 0.02, "events": "0x28000" } | .host.pcpus = 8'
for capture in fixtures/*.xt.zst "$scratch/full.xt" "$scratch/switch.xt"; do
    name=${capture##*/}
    group "numbers of ${name%%.*}"
    for length in 1s 70ms; do
        clean
        run report -q -f xenmon -g $length -o "$dir/log" "$capture"
        check "$length: exit code 0" exits 0
        run report -q -f csv -b domain -g $length "$capture"
        from_csv "$out" >"$scratch/expected"
        from_logs >"$scratch/actual"
        check "$length: the pCPUs' sums are those of report -b domain" nearly "$scratch/expected" "$scratch/actual"
        run report -q -f csv -b pcpu -g $length "$capture"
        idle_from_csv "$out" >"$scratch/expected"
        idle_from_log >"$scratch/actual"
        check "$length: idle is that of report -b pcpu" nearly "$scratch/expected" "$scratch/actual"
        check "$length: no pCPU runs longer than the interval" equal 0 "$(values | awk '
            { s[$1 "@" $2] += $5 } END { for (k in s) n += s[k] > 100.01; print n + 0 }')"
    done
done

group 'what goes into the logs'
clean
run report -q -f xenmon -d 1,3 -o "$dir/x" "$fixture"
check '-d: logs of these domains' equal 'x-dom1.log x-dom3.log' "$(logs)"
clean
run report -q -f xenmon -d 0,32767 -o "$dir/x" "$fixture"
check '-d: the idle loops are domain 32767' equal 'x-dom0.log x-idle.log' "$(logs)"
clean
run report -q -f xenmon -p 1 -o "$dir/x" "$fixture"
check '-p: lines of these pCPUs' equal 1 "$(values | cut -d' ' -f2 | sort -u)"
clean
run report -q -f xenmon -t 1.25s,2.5s -o "$dir/x" "$fixture"
check '-t: this part, counted from the start of the trace' equal '2000.000 2500.000' \
    "$(awk '!/^#/ { print $1 }' "$dir/x-dom0.log" | uniq | paste -sd' ')"
clean
printf '0 Domain-0\n' >"$scratch/names"
run report -q -f xenmon -o "$dir/x" "$fixture"
values >"$scratch/expected"
clean
run report -q -f xenmon --names "$scratch/names" -o "$dir/x" "$fixture"
values >"$scratch/actual"
check '--names changes nothing' same "$scratch/expected" "$scratch/actual"
clean
run report -q -f xenmon -g 1s -o "$dir/x" - < <(zstd -qdc "$fixture")
values >"$scratch/actual"
check 'the same through a pipe' same "$scratch/expected" "$scratch/actual"
cp "$fixture" "$dir/host.xt"
run report -q -f xenmon -o "$dir/host.xt" "$dir/host.xt"
check "the capture's own name may begin those of the logs" exits 0
check 'the capture is as it was' same "$fixture" "$dir/host.xt"
clean

group 'wrong arguments'
check 'no --output' refuses 'wants --output' "$fixture"
check 'standard output' refuses 'wants --output' -o - "$fixture"
for arguments in '-b domain-pcpu' '-c domain' '-s running_ns' '-n 3'; do
    # shellcheck disable=SC2086 # a list of words
    check "$arguments" refuses 'does not go with --format xenmon' $arguments -o "$dir/x" "$fixture"
done
for arguments in '-g total' '-g execution' '-g 1s,100ms' '-g 1s,total' '-g 1s,execution' '--live 1s -g 100ms'; do
    # shellcheck disable=SC2086 # a list of words
    check "$arguments" refuses 'one length of interval' $arguments -o "$dir/x" "$fixture"
done
check 'a missing directory' refuses 'No such file' -o "$dir/missing/x" "$fixture"
check 'a missing capture' refuses 'No such file' -o "$dir/x" "$dir/missing"
check 'nothing is left' nothing_left

group 'all or none'
mkdir "$dir/x-dom2.log"
check 'a directory where a log is to be' refuses 'x-dom2.log: .*irectory' -o "$dir/x" "$fixture"
check 'no log has appeared' equal x-dom2.log "$(logs)"
clean
ln -s /dev/full "$dir/x-dom2.log"
check 'a full device where a log is to be' refuses 'x-dom2.log: .*No space left' -o "$dir/x" "$fixture"
check 'no log has appeared' equal x-dom2.log "$(logs)"
clean
zstd -qdc "$fixture" >"$dir/x-dom1.log"
cp "$dir/x-dom1.log" "$scratch/capture.xt"
check 'the capture where a log is to be' refuses 'is the capture itself' -o "$dir/x" "$dir/x-dom1.log"
check 'the same by way of standard input' equal 2 "$("$XENMETER" report -q -f xenmon -o "$dir/x" - \
    <"$dir/x-dom1.log" 2>"$err"; echo $?)"
check 'it is as it was' same "$scratch/capture.xt" "$dir/x-dom1.log"
check 'no other log has appeared' equal x-dom1.log "$(logs)"
clean
{ head -c 100000 "$fixture"; head -c 1000 /dev/zero; tail -c +101001 "$fixture"; } >"$scratch/broken.zst"
echo before >"$dir/x-dom0.log"
check 'a broken capture' refuses . -o "$dir/x" "$scratch/broken.zst"
check 'the old log is as it was' equal before "$(cat "$dir/x-dom0.log")"
check 'no other log has appeared' equal x-dom0.log "$(logs)"
clean
for signal in TERM INT HUP; do
    mkfifo "$scratch/fifo"
    exec 7<>"$scratch/fifo" # it stays open: the run waits for more
    attended "$XENMETER" report -f xenmon -g 1ms -o "$dir/x" - <"$scratch/fifo" >"$out" 2>"$err" 7>&- &
    pid=$!
    timeout "$LIMIT" head -c 3000000 "$scratch/capture.xt" >&7
    kill -"$signal" $pid
    wait $pid 2>/dev/null
    check "SIG$signal: not a success" not [ $? -eq 0 ]
    exec 7>&-
    check "SIG$signal: nothing is left" nothing_left
    rm "$scratch/fifo"
done

group 'live'
echo before >"$dir/x-dom0.log"
mkfifo "$scratch/fifo"
exec 7<>"$scratch/fifo"
"$XENMETER" report -f xenmon --live 100ms -o "$dir/x" - <"$scratch/fifo" >"$out" 2>"$err" 7>&- &
pid=$!
timeout "$LIMIT" head -c 6000000 "$scratch/capture.xt" >&7
lines_came() { [ "$(grep -c '^[0-9]' "$dir/x-dom0.log")" -gt 1 ]; }
check 'lines are there while it runs' soon lines_came
check 'the log has begun anew' equal "$header" "$(head -n 1 "$dir/x-dom0.log")"
kill -TERM $pid
wait $pid
check 'SIGTERM: exit code 0' equal 0 $?
exec 7>&-
rm "$scratch/fifo"
check 'SIGTERM: the last interval is complete' equal 1 \
    "$(tail -n 1 "$dir/x-dom0.log" | grep -cE '^[0-9]+00\.000 .* [0-9]+\.[0-9]{3}$')"
check 'no other files' equal 0 "$(logs | tr ' ' '\n' | grep -vc '^x-\(dom[0-9]*\|idle\)\.log$')"
clean
hz=2600000000 # given, so that a live run need not wait until it is measured
run report -q -f xenmon --live 100ms --cpu-hz $hz -o "$dir/x" - < <(cat "$scratch/capture.xt")
check 'to the end of the trace: exit code 0' exits 0
run report -q -f csv -b domain -g 100ms --cpu-hz $hz "$scratch/capture.xt"
from_csv "$out" >"$scratch/expected"
from_logs >"$scratch/actual"
check 'to the end of the trace: the numbers of an offline report' nearly "$scratch/expected" "$scratch/actual"
clean
check 'nothing is left' nothing_left
finish
