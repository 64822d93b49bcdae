#!/bin/bash
# Metrics for monitoring: Prometheus' text format from report, the server, and what Prometheus itself makes of both.
# shellcheck source=tests/lib.sh disable=SC2317,SC2016 # functions are called through check; expressions of other languages
. "$(dirname "$0")/lib.sh"

fixture=fixtures/mixed-credit.xt.zst
facts=fixtures/mixed-credit.host.jsonl
prom=$scratch/x.prom

has_programs() { # WHAT PROGRAM...: says which one is missing
    local what=$1 program
    shift
    for program in "$@"; do
        command -v "$program" >/dev/null && continue
        skip "$what" "there is no $program"
        return 1
    done
}
lints() { # FILE: promtool has nothing to say about it
    command -v promtool >/dev/null || return 0
    promtool check metrics <"$1" >"$scratch/lint" 2>&1 && is_empty "$scratch/lint" && return 0
    head -5 "$scratch/lint"
    return 1
}
command -v promtool >/dev/null || skip 'promtool check metrics' 'there is no promtool'

# The sum of a metric over all of its series, exact: whole numbers of ns or of things.
sum_of() { # FILE METRIC
    grep -E "^$2[{ ]" "$1" | awk '{ print $NF }' | sed -E 's/^([0-9]+)$/\1./; s/\.([0-9]*)$/.\1000000000/; s/^([0-9]+)\.([0-9]{9}).*/\1\2/' |
        paste -sd+ | bc
}
value_of() { grep -F "$2 " "$1" | sed 's/.* //'; } # FILE SERIES

# ---- the text of a report ----

group 'report -f prometheus'
for trace in fixtures/*.xt.zst; do
    run report -f prometheus "$trace"
    check "$trace" exits 0
    check "promtool has nothing to say about it: $trace" lints "$out"
done
# Every number is that of CSV: times in seconds, exact to the ns.
agrees() { # BY KEY-COLUMNS LABELS: of all rows and all counters that are named after a column
    "$XENMETER" report -q -b "$1" -f csv "$fixture" >"$scratch/rows.csv" &&
        "$XENMETER" report -q -b "$1" -f prometheus "$fixture" >"$prom" &&
        awk -v by="$1" -v keys="$2" -v labels="$3" -F, '
            function seconds(ns,  s) { s = sprintf("%d.%09d", ns / 1e9, ns % 1e9); sub(/0+$/, "", s); sub(/\.$/, "", s); return s }
            FNR == NR { split($0, line, " "); series[line[1]] = line[2]; next }
            FNR == 1 { for (i = 1; i <= NF; i++) name[i] = $i; for (i = 1; i <= NF; i++) at[$i] = i; next }
            {
                n = split(keys, k, " "); split(labels, l, " "); text = ""
                for (i = 1; i <= n; i++) text = text (i > 1 ? "," : "") l[i] "=\"" $at[k[i]] "\""
                for (i = 1; i <= NF; i++) {
                    if (name[i] !~ /^(running|runnable|wake_wait|preempt_wait|blocked|offline|unknown|doubtful|before_seen|idle|charged|full_run|partial_run|concurrency_hazard)_ns$|^(executions|wakes|blocks|yields|preemptions|migrations|io_map|io_copy|io_notify)$/) continue
                    base = name[i]; ns = sub(/_ns$/, "_seconds", base)
                    key = "xenmeter_" by "_" base "_total{" text "}"
                    want = ns && $i != "" ? seconds($i) : $i
                    if (series[key] != want) { print key ": " series[key] " instead of " want; wrong = 1 }
                    else if (want != "") same++
                }
            }
            END { exit wrong || same < 20 }' "$prom" "$scratch/rows.csv"
}
check 'by domain' agrees domain domain domain
check 'by vcpu' agrees vcpu 'domain vcpu' 'domain vcpu'
check 'by pcpu' agrees pcpu pcpu pcpu
run report -q -b domain,vcpu,pcpu -f prometheus "$fixture"
check 'several at once' lints "$out"
check 'running time is the same by domain, vCPU and pCPU' equal "$(sum_of "$out" xenmeter_domain_running_seconds_total) $(sum_of "$out" xenmeter_domain_running_seconds_total)" \
    "$(sum_of "$out" xenmeter_vcpu_running_seconds_total) $(sum_of "$out" xenmeter_pcpu_running_seconds_total)"
run report -q -g 1s -f prometheus "$fixture"
check 'intervals add up to the whole' same "$out" <("$XENMETER" report -q -f prometheus "$fixture")
run report -q -c running_ns,wait_p99_ns -f prometheus "$fixture"
check 'columns choose metrics' equal 'xenmeter_domain_running_seconds_total xenmeter_domain_wait_seconds' \
    "$(sed -n 's/^# TYPE \(xenmeter_domain[a-z_]*\) .*/\1/p' "$out" | paste -sd' ')"
check 'charges by driver domain are those of charge' equal \
    "$("$XENMETER" charge -q -f csv -c recipient,domain,charged_ns "$fixture" | awk -F, '$1 == "guest" { print $2, $3 }' | sort | paste -sd' ')" \
    "$("$XENMETER" report -q -f prometheus "$fixture" | sed -nE 's/^xenmeter_driver_domain_charged_seconds_total\{driver_domain="0",domain="([0-9]+)"\} (.*)/\1 \2/p' |
        awk '{ printf "%s %.0f\n", $1, $2 * 1e9 }' | sort | paste -sd' ')"

group 'histograms'
"$XENMETER" report -q -f prometheus "$fixture" >"$prom"
"$XENMETER" report -q -g execution -f csv -c domain,waited_ns "$fixture" >"$scratch/waits.csv"
buckets_are_exact() { # the number of waits shorter than a bound, from the executions themselves
    awk -F'[{}" ,=]+' '
        FNR == NR { if ($0 ~ /^xenmeter_domain_wait_seconds_bucket/) bucket[$3 " " $5] = $6; next }
        FNR > 1 { split($0, f, ","); if (f[2] != "") for (e = 10; e <= 33; e++) if (f[2] < 2 ^ e) n[f[1] " " e]++ }
        END {
            for (d = 0; d < 4; d++) for (e = 10; e <= 33; e++) {
                bound = sprintf("%.15g", 2 ^ e / 1e9)
                got = bucket[d " " bound]
                if (got == "" || got - n[d " " e] > 1 || n[d " " e] - got > 1) { print d, bound, got, n[d " " e]; exit 1 }
            }
        }' "$prom" "$scratch/waits.csv"
}
check 'bounds are exact' buckets_are_exact
check 'the sum is that of the mean' equal "$("$XENMETER" report -q -d 1 -f csv -c wait_mean_ns "$fixture" | tail -1)" \
    "$(awk '/^xenmeter_domain_wait_seconds_sum{domain="1"}/ { s = $2 } /^xenmeter_domain_wait_seconds_count{domain="1"}/ { n = $2 } END { printf "%.0f", s / n * 1e9 }' "$prom")"
check 'the last bucket is the count' equal "$(value_of "$prom" 'xenmeter_domain_run_seconds_count{domain="2"}')" \
    "$(value_of "$prom" 'xenmeter_domain_run_seconds_bucket{domain="2",le="+Inf"}')"

group 'labels'
run report -q -f prometheus --host-facts "$facts" "$fixture"
check 'names' says "$out" '^xenmeter_domain_running_seconds_total{domain="1",name="batch"} '
check 'the driver domain, by name' says "$out" '{driver_domain="0",driver_domain_name="Domain-0",domain="2",name="files"} '
sed 's/"domain":1,/"domain":1,"uuid":"8f2f3b0a-6d3e-4a0c-9f50-2d2f6f0f8a11",/' "$facts" >"$scratch/facts"
run report -q -f prometheus --host-facts "$scratch/facts" "$fixture"
check 'UUIDs' says "$out" '{domain="1",name="batch",uuid="8f2f3b0a-6d3e-4a0c-9f50-2d2f6f0f8a11"} '
printf '1 a"b\\c\n2 \033[31mred\n3 \377\376\n' >"$scratch/names"
run report -q -f prometheus --names "$scratch/names" "$fixture"
check 'quotes and backslashes are escaped' says "$out" 'name="a\\"b\\\\c"}'
check 'what steers a terminal is not there' says "$out" 'name="?\[31mred"}'
check 'what is not UTF-8 is not there' says "$out" 'name="??"}'
check 'promtool reads it' lints "$out"

group 'what does not go with it'
check 'order' refuses 'sort does not go with' report -f prometheus -s running_ns "$fixture"
check 'a limit' refuses 'limit does not go with' report -f prometheus -n 1 "$fixture"
check 'executions' refuses 'execution does not go with' report -f prometheus -g execution "$fixture"
check 'rows by domain and pCPU' refuses 'domain-pcpu does not go with' report -f prometheus -b domain-pcpu "$fixture"
check 'intervals that overlap' refuses 'one length' report -f prometheus -g 1s,total "$fixture"
check 'live without a file' refuses 'wants --output' report -f prometheus --live 1s "$fixture"
check 'live and compressed' refuses 'wants --output' report -f prometheus --live 1s -o "$scratch/x.prom.zst" "$fixture"
check 'charge does not write it' refuses 'no format' charge -f prometheus "$fixture"
run report -q -o "$scratch/ending.prom" "$fixture"
check 'the ending of a file asks for it' says "$scratch/ending.prom" '^xenmeter_verdict 0$'

# ---- a live file ----

group 'a live file'
zstd -dcq "$fixture" >"$scratch/mixed.xt"
size=$(stat -c %s "$scratch/mixed.xt")
live=$scratch/live.prom
mkfifo "$scratch/fifo"
exec 5<>"$scratch/fifo" # it stays open until all has come
"$XENMETER" report -q --live 1s -f prometheus -o "$live" - <"$scratch/fifo" 2>"$err" 5>&- &
reader=$!
reports=0
broken=0
last=0
falls=0
look() { # at the file as it is now; it passes when it is another one than last time
    local now
    [ -s "$live" ] && cp "$live" "$scratch/copy" || return 1
    now=$(sum_of "$scratch/copy" xenmeter_domain_running_seconds_total)
    tail -1 "$scratch/copy" | grep -qE '^xenmeter_(data_timestamp_seconds|tsc_hertz) [0-9.]+$' || broken=$((broken + 1))
    [ "$now" -ge "$last" ] || falls=$((falls + 1))
    [ "$now" -ne "$last" ] || return 1
    last=$now
}
# Of about fifteen seconds that come in six parts each ends at least one.
for part in 0 1 2 3 4 5; do
    tail -c +$((part * (size / 6 + 1) + 1)) "$scratch/mixed.xt" | head -c $((size / 6 + 1)) >&5
    soon look && reports=$((reports + 1))
done
exec 5>&-
wait $reader
rm "$scratch/fifo"
check 'it is replaced while the trace goes on' test $reports -ge 5
check 'it is whole at any time' equal 0 $broken
check 'its counters never fall' equal 0 $falls
check 'at the end it is that of the whole trace' same "$live" <("$XENMETER" report -q -f prometheus "$fixture")
check 'nothing else is left' equal '' "$(find "$scratch" -name '.xenmeter-*')"
mkdir "$scratch/full"
(ulimit -f 1 && exec "$XENMETER" report -q --live 1s -f prometheus -o "$scratch/full/x.prom" "$scratch/mixed.xt") >"$out" 2>"$err"
status=$?
check 'a disk that is full: an error' refused_once
check 'and no file' equal '' "$(ls -A "$scratch/full")"

# ---- the server ----

if ! has_programs 'the server' curl ss; then
    finish
fi
if "$XENMETER" serve --listen 127.0.0.1:0 "$scratch/none" 2>&1 | grep -q 'built without libmicrohttpd'; then
    skip 'the server' 'the program was built without libmicrohttpd'
    finish
fi

# Starts a server in the background: its process in $server, its address in $url, what it says in $said.
said=$scratch/said
begin() { # ARGUMENT...: with standard input as it is here
    : >"$said"
    "$XENMETER" serve --listen 127.0.0.1:0 "$@" <&0 2>"$said" & # else a shell gives it /dev/null
    server=$!
    soon says "$said" 'serving on' || return 1
    url=$(sed -n 's/.*serving on //p' "$said")
}
get() { curl -s --max-time "$LIMIT" "$@"; }
code() { get -o "$out" -w '%{http_code}' "$@"; }
answers() { # PATTERN URL: within a while
    get "$2" >"$scratch/answer"
    grep -q -e "$1" "$scratch/answer"
}
ends() { # by SIGTERM, with exit code 0, and soon
    kill -TERM "$server"
    soon not kill -0 "$server" 2>/dev/null && wait "$server"
}
openmetrics='Accept: application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1'

group 'serve'
begin --host-facts "$facts" "$fixture" </dev/null
check 'it has all of a recorded trace' soon answers 'read to its end' "${url}healthz"
check '/healthz' equal 200 "$(code "${url}healthz")"
check '/metrics' equal 200 "$(code "${url}metrics")"
cp "$out" "$scratch/served.prom"
check 'promtool has nothing to say about it' lints "$scratch/served.prom"
check 'all that report has is in it' same <("$XENMETER" report -q --host-facts "$facts" -f prometheus "$fixture") \
    <(grep -vE 'xenmeter_(start_time_seconds|process_cpu_seconds_total|traces_ended_total)' "$scratch/served.prom")
check 'the text format, unless another is asked for' equal 'text/plain; version=0.0.4; charset=utf-8' \
    "$(get -o /dev/null -w '%{content_type}' "${url}metrics")"
type_for() { get -o /dev/null -w '%{content_type}' -H "$1" "${url}metrics" | sed 's/;.*//'; }
check 'OpenMetrics for Prometheus' equal application/openmetrics-text "$(type_for "$openmetrics")"
check 'not for a browser' equal text/plain "$(type_for 'Accept: text/html,*/*;q=0.8')"
check 'nor for whom text is dearer' equal text/plain "$(type_for 'Accept: application/openmetrics-text;q=0.3, text/plain;q=0.9')"
check 'nor in a version that is not ours' equal text/plain "$(type_for 'Accept: application/openmetrics-text;version=2.0.0')"
check 'a version in quotes is the same' equal application/openmetrics-text "$(type_for 'Accept: application/openmetrics-text; version="1.0.0"')"
check 'nor for whom it is refused' equal text/plain "$(type_for 'Accept: application/openmetrics-text;q=0')"
check 'nor for nonsense' equal text/plain "$(type_for 'Accept: ;;;q=,,=;application/openmetrics-textual')"
get -H "$openmetrics" "${url}metrics" >"$scratch/open"
check 'OpenMetrics ends' equal '# EOF' "$(tail -1 "$scratch/open")"
check 'with units' says "$scratch/open" '^# UNIT xenmeter_domain_running_seconds seconds$'
check 'a counter is called without _total' says "$scratch/open" '^# TYPE xenmeter_domain_running_seconds counter$'
check 'its samples are the same' same <(grep -v '^#' "$scratch/open" | grep -v process_cpu) <(grep -v '^#' "$scratch/served.prom" | grep -v process_cpu)
check 'a page for people' answers '<title>xenmeter' "$url"
check 'HEAD' equal "$(wc -c <"$scratch/served.prom")" "$(get -I "${url}metrics" | tr -d '\r' | sed -n 's/^Content-Length: //p')"

group 'requests that are none'
for path in metrics/ metricsx ../etc/passwd %2e%2e/%2e%2e/etc/passwd /metrics//.. healthz%00 'metrics;x' favicon.ico; do
    check "404: $path" equal 404 "$(code --path-as-is "$url$path")"
done
check 'a query does not matter' equal 200 "$(code "${url}metrics?name[]=up")"
for method in POST PUT DELETE PATCH OPTIONS TRACE; do
    check "405: $method" equal 405 "$(code -X "$method" "${url}metrics")"
done
check 'a large body is not waited for' equal 405 "$(head -c 30000000 /dev/zero | code -X POST --data-binary @- -H 'Expect:' "${url}metrics")"
port=${url##*:}
port=${port%/}
send() { # BYTES on standard input: what comes back, for at most 8 s
    timeout 8 bash -c 'exec 3<>/dev/tcp/127.0.0.1/'"$port"'; cat >&3; cat <&3' 2>/dev/null
}
head -c 100000 /dev/urandom | send >/dev/null
check 'noise' equal 200 "$(code "${url}healthz")"
printf 'GET / HTTP/9.9\r\n\r\n' | send >/dev/null
printf '\r\n\r\n\r\nGET\r\n\r\n' | send >/dev/null
check 'a request line that is none' equal 200 "$(code "${url}healthz")"
check 'a header without end' equal 200 "$(head -c 200000 /dev/zero | tr '\0' 'x' | { printf 'GET /'; cat; } | send >/dev/null; code "${url}healthz")"
check 'two Content-Lengths' equal 200 "$(printf 'GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n' | send >/dev/null; code "${url}healthz")"

group 'clients that take their time'
slow=()
for ((i = 0; i < 80; i++)); do # more than are served at a time
    bash -c 'exec 3<>/dev/tcp/127.0.0.1/'"$port"'; while printf G >&3; do sleep 0.5; done' 2>/dev/null & # for as long as they are let
    slow+=($!)
done
all_are_connected() { [ "$(ss -Htn state established "( dport = :$port )" | wc -l)" -ge 40 ]; }
soon all_are_connected
check 'others are served all the same' equal 200 "$(code "${url}healthz")"
few_connections() { [ "$(ss -Htn state established "( sport = :$port )" | wc -l)" -le 1 ]; }
kill "${slow[@]}" 2>/dev/null
check 'none of them stays' soon few_connections
timeout "$LIMIT" bash -c 'exec 3<>/dev/tcp/127.0.0.1/'"$port"'; while printf "X: y\r\n" >&3; do sleep 0.5; done' 2>/dev/null
check 'one who sends a byte now and then is cut off' not equal 124 $? >/dev/null
for ((i = 0; i < 200; i++)); do get -o /dev/null -w '%{http_code}\n' "${url}metrics" & done >"$scratch/codes"
# shellcheck disable=SC2046 # words
wait $(jobs -p | grep -vx "$server")
check 'many at a time' equal '200 200' "$(sort "$scratch/codes" | uniq -c | tr -s ' ' | sed 's/^ //')"
check 'it takes little memory' test "$(awk '/VmHWM/ { print $2 }' "/proc/$server/status")" -lt 200000
check 'SIGTERM ends it cleanly' ends

group 'where it listens'
begin "$fixture" </dev/null
check 'this machine alone' equal 127.0.0.1 "$(ss -Htnlp | awk -v pid="pid=$server," 'index($0, pid) { sub(/:[0-9]+$/, "", $4); print $4 }')"
in_use=${url#http://}
check 'a port that is in use' refuses 'cannot listen there' serve --listen "${in_use%/}" "$fixture"
check 'it ends' ends
for address in 127.0.0.1 :9797 127.0.0.1:99999 ::1:9797 '' '[]:1' nowhere.invalid:9797 127.0.0.1:x; do
    check "no address: '$address'" refuses 'wants ADDRESS:PORT' serve --listen "$address" "$fixture"
done
if [ -e /proc/net/if_inet6 ] && grep -q ' lo$' /proc/net/if_inet6; then
    : >"$said"
    "$XENMETER" serve --listen '[::1]:0' "$fixture" 2>"$said" &
    server=$!
    check 'IPv6' soon says "$said" 'serving on http://\[::1\]:[0-9]*/'
    check 'it ends' ends
else
    skip 'IPv6' 'this machine has none'
fi
check 'no such file' refuses 'No such file' serve "$scratch/none"
check 'no such program' refuses 'cannot' serve -q --listen 127.0.0.1:0 --xentrace "$scratch/none"
check 'columns that make no metric' refuses 'adds up' serve -c wait_max_ns "$fixture"
check 'two files' refuses 'one FILE' serve "$fixture" "$fixture"
printf 'no trace at all' >"$scratch/noise"
mkdir "$scratch/libraries"
: >"$scratch/libraries/libmicrohttpd.so.12"
without_library() { LD_LIBRARY_PATH=$scratch/libraries "$@"; }
check 'a library that cannot be loaded' without_library refuses 'libmicrohttpd.so.12: ' serve --listen 127.0.0.1:0 "$fixture"
without_library run info -q "$fixture"
check 'which nothing else needs' exits 0
check 'what is no trace' refuses '' serve --listen 127.0.0.1:0 -q "$scratch/noise"
check '--xentrace with a file' refuses 'without FILE' serve --xentrace x "$fixture"
check '--for with a file' refuses 'without FILE' serve --for cpu "$fixture"
check 'an age of nothing' refuses 'max-age 0' serve --max-age 0 "$fixture"

group 'a live trace'
mkfifo "$scratch/fifo"
begin --live 1s --max-age 1h "$scratch/fifo" </dev/null
check 'it answers before there is anything' answers '^healthy: no interval is complete yet' "${url}healthz"
check 'metrics, too' answers '^xenmeter_traces_ended_total 0$' "${url}metrics"
exec 5>"$scratch/fifo"
head -c $((size / 2)) "$scratch/mixed.xt" >&5
check 'intervals that are complete' soon answers '^xenmeter_domain_running_seconds_total' "${url}metrics"
check 'with the time of the last' answers '^xenmeter_data_timestamp_seconds 1' "${url}metrics"
check 'healthy' answers '^healthy: the last interval was complete' "${url}healthz"
check 'SIGTERM ends it' ends
exec 5>&-
has_code() { equal "$1" "$(code "$2")" >/dev/null; } # CODE URL
begin --live 1s --max-age 2s "$scratch/fifo" </dev/null
check 'a pipe that never begins is not healthy' soon has_code 503 "${url}healthz"
exec 5>"$scratch/fifo"
head -c $((size / 2)) "$scratch/mixed.xt" >&5
check 'a pipe that hangs: it still answers' soon answers '^unhealthy: the last interval was complete [0-9.]* s ago' "${url}healthz"
check 'and says so by its code' equal 503 "$(code "${url}healthz")"
tail -c +$((size / 2 + 1)) "$scratch/mixed.xt" >&5
exec 5>&-
check 'the trace ends, the server does not' soon answers '^xenmeter_traces_ended_total 1$' "${url}metrics"
get "${url}metrics" >"$scratch/once"
check 'its counters are those of a report' equal "$("$XENMETER" report -q -g 1s -f prometheus "$fixture" | grep -E '^xenmeter_(domain|driver_domain)_[a-z_]*(total|bucket|sum|count)' | sha256sum)" \
    "$(grep -E '^xenmeter_(domain|driver_domain)_[a-z_]*(total|bucket|sum|count)' "$scratch/once" | sha256sum)"
cat "$scratch/mixed.xt" >"$scratch/fifo"
check 'another trace follows' soon answers '^xenmeter_traces_ended_total 2$' "${url}metrics"
get "${url}metrics" >"$scratch/twice"
for metric in domain_running_seconds_total domain_executions_total domain_wait_seconds_count domain_wait_seconds_bucket driver_domain_own_seconds_total records_total lost_records_total trace_seconds_total; do
    check "counters go on: $metric" equal "$(($(sum_of "$scratch/once" xenmeter_$metric) * 2))" "$(sum_of "$scratch/twice" xenmeter_$metric)"
done
head -c 5000 /dev/urandom >"$scratch/fifo"
check 'what is no trace is not the end' soon answers '^xenmeter_traces_ended_total 3$' "${url}metrics"
check 'it is said' says "$said" "$scratch/fifo: "
check 'SIGTERM while it waits' ends
mkfifo "$scratch/input"
exec 5<>"$scratch/input"
begin --live 1s - <"$scratch/input"
cat "$scratch/mixed.xt" >&5
check 'standard input' soon answers '^xenmeter_domain_running_seconds_total' "${url}metrics"
check 'SIGTERM while it reads' ends
exec 5>&-
begin --live 1s - < <(cat "$scratch/mixed.xt"; sleep 1)
soon not kill -0 "$server" 2>/dev/null
wait "$server"
check 'it ends with standard input' equal 0 $?

mkfifo "$scratch/anew"
begin --live 1s "$scratch/anew" </dev/null
check 'a FIFO that nobody writes' answers '^xenmeter_traces_ended_total 0$' "${url}metrics"
rm "$scratch/anew"
sleep 0.7
mkfifo "$scratch/anew"
timeout 10 cat "$scratch/mixed.xt" >"$scratch/anew"
check 'one that is made anew under its name is read' soon answers '^xenmeter_traces_ended_total 1$' "${url}metrics"
rm "$scratch/anew"
mkfifo "$scratch/anew.new"
mv "$scratch/anew.new" "$scratch/anew"
timeout 10 cat "$scratch/mixed.xt" >"$scratch/anew"
check 'so is another one that takes its place' soon answers '^xenmeter_traces_ended_total 2$' "${url}metrics"
rm "$scratch/anew"
check 'SIGTERM while there is none' ends

mkfifo "$scratch/gone"
begin --live 1s "$scratch/gone" </dev/null
exec 5>"$scratch/gone"
cat "$scratch/mixed.xt" >&5
check 'a FIFO' soon answers '^xenmeter_domain_running_seconds_total' "${url}metrics"
rm "$scratch/gone"
cp "$scratch/mixed.xt" "$scratch/gone"
exec 5>&-
soon not kill -0 "$server" 2>/dev/null
wait "$server"
check 'a file in its place is not counted again and again' equal 2 $?
check 'the reason' says "$said" 'it was a FIFO, and is none any more'

group 'xentrace'
cat >"$scratch/xentrace" <<SCRIPT
#!/bin/bash
echo "\$*" >>"$scratch/started"
cat "$scratch/mixed.xt"
[ -e "$scratch/stays" ] || exit 3
trap 'echo stopped >>"$scratch/started"; exit 0' INT
echo stays >>"$scratch/started"
while :; do sleep 0.1; done
SCRIPT
chmod +x "$scratch/xentrace"
printf 'Name ID Mem VCPUs State Time(s)\nDomain-0 0 512 2 r----- 1.0\nbatch-1 1 512 1 r----- 1.0\n' >"$scratch/xl-list"
begin --live 1s --xentrace "$scratch/xentrace" --domain-info "$scratch/xl-list" </dev/null
check 'it is started' soon says "$scratch/started" '^-D -e 0x[0-9a-f]* -c all'
check 'it is started again when it has ended' soon answers '^xenmeter_traces_ended_total \([2-9]\|[1-9][0-9]\)' "${url}metrics"
check 'that is said' says "$said" 'xentrace has ended: exit code 3'
check 'names, by the toolstack' soon answers '^xenmeter_domain_running_seconds_total{domain="1",name="batch-1"} ' "${url}metrics"
: >"$scratch/stays"
soon says "$scratch/started" '^stays$'
check 'SIGTERM ends it' ends
check 'and xentrace before it' says "$scratch/started" stopped

group 'how many series'
simulated "$scratch/churn.xt" stress-churn . --duration 2s 2>/dev/null
begin --most 5 "$scratch/churn.xt" </dev/null
soon answers 'read to its end' "${url}healthz"
get "${url}metrics" >"$scratch/few"
check 'as many as were asked for, and the others' equal 6 "$(grep -c '^xenmeter_domain_running_seconds_total' "$scratch/few")"
check 'there are others' says "$scratch/few" '^xenmeter_domain_running_seconds_total{domain="other"} '
check 'they are counted' not says "$scratch/few" '^xenmeter_rows_beyond_limit_total 0$'
check 'nothing is lost by that' equal "$("$XENMETER" report -q -f csv -c running_ns "$scratch/churn.xt" | tail -n +2 | paste -sd+ | bc)" \
    "$(sum_of "$scratch/few" xenmeter_domain_running_seconds_total)"
check 'promtool has nothing to say about it' lints "$scratch/few"
check 'it ends' ends
# ---- what others make of it ----

group 'alerts and the dashboard'
if has_programs 'alert rules' promtool; then
    check 'promtool reads the rules' promtool check rules share/prometheus/xenmeter.rules.yml >/dev/null
    check 'they fire where they should, and not elsewhere' promtool test rules tests/prometheus-rules.yml >/dev/null 2>&1
fi
dashboard=share/grafana/xenmeter.json
check 'the dashboard is JSON' holds '.title == "Xen CPU" and (.panels | length) > 5' "$dashboard"
# Every metric that is named is one that the server has; what only a live trace has comes from above.
cat "$scratch/served.prom" "$scratch/once" >"$scratch/all.prom"
echo 'up{job="xenmeter"} 1' >>"$scratch/all.prom"
grep -ohE '\bxenmeter_[a-z_]+' "$dashboard" share/prometheus/xenmeter.rules.yml | sort -u >"$scratch/named"
check 'they name metrics' test "$(wc -l <"$scratch/named")" -gt 10
while read -r metric; do
    check "there is $metric" says "$scratch/all.prom" "^${metric}[{ ]"
done <"$scratch/named"

group 'Prometheus'
if ! has_programs 'Prometheus' prometheus prometheus-node-exporter jq; then
    finish
fi
exporter=
prometheus=
end_programs() { kill $exporter $prometheus 2>/dev/null; wait $exporter $prometheus 2>/dev/null; }
trap 'end_programs; rm -rf "$scratch"' EXIT
port_of() { ss -Htnlp | awk -v pid="pid=$1," 'index($0, pid) { sub(/.*:/, "", $4); print $4; exit }'; }
listens() { [ -n "$(port_of "$1")" ]; }

begin -b domain,vcpu,pcpu --host-facts "$scratch/facts" "$fixture" </dev/null
soon answers 'read to its end' "${url}healthz"
mkdir "$scratch/textfile"
run report -q -b domain,vcpu,pcpu --host-facts "$scratch/facts" -o "$scratch/textfile/xenmeter.prom" "$fixture"
prometheus-node-exporter --web.listen-address=127.0.0.1:0 --collector.disable-defaults --collector.textfile \
    --collector.textfile.directory="$scratch/textfile" >"$scratch/exporter.log" 2>&1 &
exporter=$!
check 'node_exporter runs' soon listens $exporter
cat >"$scratch/prometheus.yml" <<CONFIG
global: {scrape_interval: 5s, scrape_timeout: 5s}
rule_files: ["$PWD/share/prometheus/xenmeter.rules.yml"]
scrape_configs:
  - job_name: xenmeter
    static_configs: [{targets: ["127.0.0.1:$(echo "$url" | grep -oE '[0-9]+/$' | tr -d /)"]}]
  - job_name: textfile
    static_configs: [{targets: ["127.0.0.1:$(port_of $exporter)"]}]
CONFIG
prometheus --config.file="$scratch/prometheus.yml" --storage.tsdb.path="$scratch/tsdb" --web.listen-address=127.0.0.1:0 \
    --log.level=warn >"$scratch/prometheus.log" 2>&1 &
prometheus=$!
check 'Prometheus runs' soon listens $prometheus
api=http://127.0.0.1:$(port_of $prometheus)/api/v1
query() { get --data-urlencode "query=$1" --data-urlencode "time=$at" "$api/query"; }
result() { query "$1" | jq -r '[.data.result[] | (.metric | del(.__name__, .instance, .job) | tostring) + " " + .value[1]] | sort | .[]'; }
# All that follows is asked as of the moment at which both were there: a scrape that takes too long later changes nothing.
both_are_up() { at=$(date +%s) && [ "$(query 'sum(up)' | jq -r '.data.result[0].value[1]')" = 2 ]; }
check 'it scrapes both' soon both_are_up
stored() { # JOB: all series of the trace with their values
    query "{job=\"$1\",__name__=~\"xenmeter_.*\",__name__!~\"xenmeter_(process|start|traces).*\"}" |
        jq -c '[.data.result[] | (.metric | del(.instance, .job)) + {value: .value[1]}] | sort_by(tostring) | .[]'
}
stored xenmeter >"$scratch/from-server"
stored textfile >"$scratch/from-file"
check 'many series are there' test "$(wc -l <"$scratch/from-server")" -gt 500
check 'by the server and by the file they are the same' same "$scratch/from-server" "$scratch/from-file"
check 'they are all that the server shows' equal "$(grep -cv '^#' "$scratch/textfile/xenmeter.prom")" "$(wc -l <"$scratch/from-server")"
check 'running time is that of report' equal \
    "$("$XENMETER" report -q -f csv -c domain,running_ns "$fixture" | awk -F, 'NR > 1 { printf "{\"domain\":\"%s\"} %.9f\n", $1, $2 / 1e9 }' | sort)" \
    "$(result 'sum by (domain) (xenmeter_domain_running_seconds_total{job="xenmeter"})' | awk '{ printf "%s %.9f\n", $1, $2 }')"
check 'the share that a domain waits is that of report' equal \
    "$("$XENMETER" report -q -d 1 -f csv -c runnable_pct "$fixture" | tail -1)" \
    "$(result '100 * xenmeter_domain_runnable_seconds_total{job="xenmeter",domain="1"} / on() xenmeter_trace_seconds_total{job="xenmeter"}' | awk '{ printf "%.3f", $NF }')"
check 'a percentile lies in the bucket of that of report' test "$(
    "$XENMETER" report -q -d 1 -f csv -c wait_p99_ns "$fixture" | tail -1 | awk -v of="$(result 'histogram_quantile(0.99, xenmeter_domain_wait_seconds_bucket{job="xenmeter",domain="1"})' |
        awk '{ print $NF }')" '{ r = $1 / 1e9 / of; print (r > 0.5 && r < 2 ? "yes" : "no") }')" = yes
check 'units and help are known to it' equal 'seconds counter' "$(get "$api/metadata?metric=xenmeter_domain_running_seconds" | jq -r '.data[][0] | .unit + " " + .type')"
while read -r expression; do
    check "a query of the dashboard: $expression" equal success "$(query "$expression" | jq -r .status)"
done < <(jq -r '.panels[].targets[]?.expr' "$dashboard" | sed -E 's/\$__rate_interval/1m/g; s/\$(job|instance)/.*/g')
check 'it has nothing to say against it' equal '' "$(grep -iE 'level=(warn|error)' "$scratch/prometheus.log" | grep -v 'maxprocs\|memlimit' | head -3)"
check 'nor has node_exporter' equal '' "$(grep -iE 'level=(warn|error)' "$scratch/exporter.log" | grep -v 'running as root' | head -3)"
end_programs
check 'it ends' ends
finish
