#!/bin/bash
# bench.sh BUILD-DIR 'TRACE...' 'CAPTURE...' - runs every program over the traces and prints a table for each; see
# bench.mk. TRACES: the folder of the captures.
set -eu -o pipefail

build=$1
read -r -a generated <<< "$2"
read -r -a captures <<< "$3"
traces=$build/bench
rounds=${BENCH_RUNS:-5}
cpu=${BENCH_CPU:-0}
xenmeter=$build/xenmeter
granularities=total,1s,100ms
times=domain,vcpus,running_pct,runnable_pct,blocked_pct,executions_per_s,run_mean_ns,wait_mean_ns,wait_p99_ns,wait_max_ns
xenalyze=$(command -v xenalyze || true)
plan=$traces/plan
labels=$traces/labels

# The same work for everybody: the pages of the file are in memory before the first run.
warm() { cat "$@" > /dev/null; }

# A row of the next table. REFERENCE: the label of the row that it is held against ("-": none).
row() { # LABEL REFERENCE CPU PIPED COMMAND...
    printf '%s\t%s\n' "$1" "$2" >> "$labels"
    echo "${*:3}" >> "$plan"
}
rows() { # of the table that begins
    : > "$plan"
    : > "$labels"
}

# The same on one CPU, beside xenalyze.
ours() { row "$1" xenalyze "$cpu" - "$xenmeter" "${@:2}"; }
peer() { # WHAT COMMAND...
    [ -z "$xenalyze" ] || row "xenalyze $1" xenalyze "$cpu" - "$xenalyze" "$1" --cpu-hz 2.4G "$2"
}

# Runs the rows and prints them. Ratios are of cpu seconds; of wall seconds where there is no hop, and in rows of every CPU.
table() { # TITLE ROUNDS RECORDS REFERENCES
    "$traces/run" -n "$2" < "$plan" | paste "$labels" - |
        awk -F '\t' -v title="$1" -v rounds="$2" -v records="$3" -v references="$4" '
            function base(row, wanted) { return records && !on_all[wanted] ? cpu[row] : wall[row] }
            {
                label[NR] = $1
                against[NR] = $2
                on_all[NR] = $1 ~ /every CPU$/
                row_of[$1 ~ /^xenalyze/ ? "xenalyze" : $1] = NR
                if ($1 ~ /^hop/) hop = NR
                failed[NR] = $3 == "failed"
                split($3, m, " ")
                wall[NR] = m[1]; cpu[NR] = m[2]; peak[NR] = m[3]; anon[NR] = m[4]; samples[NR] = m[5]
            }
            function ratio(row, other) {
                return other && !failed[other] && base(other, row) > 0 ? sprintf("%.2f", base(row, row) / base(other, row)) : "-"
            }
            END {
                printf "\n%-46s %8s %8s %9s %7s %10s %8s %8s\n", title, "wall s", "cpu s", records ? "ns/record" : "",
                    records ? "x hop" : "", "x " references, "peak MB", "anon MB"
                for (i = 0; i < 111; i++) line = line "-"
                print line
                for (i = 1; i <= NR; i++) {
                    if (failed[i]) { printf "%-46s failed\n", label[i]; continue }
                    printf "%-46s %8.3f %8.3f %9s %7s %10s %8.1f %8.1f%s\n", label[i], wall[i], cpu[i],
                        records ? sprintf("%.2f", cpu[i] / records * 1e9) : "", records ? ratio(i, hop) : "",
                        ratio(i, row_of[against[i]]), peak[i] * 1024 / 1e6, anon[i] * 1024 / 1e6,
                        samples[i] < rounds ? sprintf(" (%d runs)", samples[i]) : ""
                }
            }'
}

# Whether the program takes a list of --by.
several=domain,vcpu,pcpu
"$xenmeter" simulate --size 50K sim/scenarios/stress-sched.json --output "$traces/tiny.xt"
"$xenmeter" report -q -b $several "$traces/tiny.xt" > /dev/null 2>&1 || several=

reports() { # FILE: the rows that every kind of trace has
    ours 'report, the whole trace' report -q "$1"
    ours "report -g $granularities" report -q -g $granularities "$1"
    ours "report -g $granularities -c (no charges)" report -q -g $granularities -c $times "$1"
    ours "report -g $granularities -b vcpu" report -q -g $granularities -b vcpu "$1"
    [ -z "$several" ] || ours "report -g $granularities -b $several" report -q -g $granularities -b $several "$1"
    row 'report, the whole trace, every CPU' xenalyze - - "$xenmeter" report -q "$1"
    row "report -g $granularities, every CPU" xenalyze - - "$xenmeter" report -q -g $granularities "$1"
    ours 'charge --charge-per execution' charge -q --charge-per execution "$1"
    ours 'charge --charge-per task' charge -q --charge-per task "$1"
}
# How the trace was made, if it was.
made() { # FILE
    local words
    [ -f "${1%.xt}.made" ] || return 0
    read -r -a words < "${1%.xt}.made"
    row 'simulate this trace' xenalyze "$cpu" - "$xenmeter" "${words[@]}" -o /dev/null
}
hop() { row 'hop from header to header' xenalyze "$cpu" - "$traces/hop" "$1"; }

one_kind() { # TITLE FILE
    local records
    records=$("$traces/hop" "$2")
    warm "$2"
    rows
    hop "$2"
    reports "$2"
    made "$2"
    peer --summary "$2"
    table "$1, $records records" "$rounds" "$records" xenalyze
}

full() { # TITLE FILE
    local records report=("$xenmeter" report -q -g "$granularities")
    records=$("$traces/hop" "$2")
    warm "$2" "$2.zst"
    rows
    row 'read the bytes (dd)' xenalyze "$cpu" - dd "if=$2" of=/dev/null bs=1M
    hop "$2"
    reports "$2"
    made "$2"
    row 'only drain the pipe' xenalyze "$cpu" "$2" "$traces/drain"
    row 'report, from a pipe' xenalyze "$cpu" "$2" "${report[@]}" -
    row 'zstd -dc' xenalyze "$cpu" - zstd -dcq "$2.zst"
    row 'report, from .zst' xenalyze "$cpu" - "${report[@]}" "$2.zst"
    row 'report, from .zst, every CPU' xenalyze - - "${report[@]}" "$2.zst"
    peer --summary "$2"
    table "$1, $records records" "$rounds" "$records" xenalyze
}

# The same columns, but beside what xenalyze takes to print every record.
dumps() { # TITLE FILE
    local records
    records=$("$traces/hop" "$2")
    warm "$2"
    rows
    hop "$2"
    ours 'dump' dump -q "$2"
    ours 'dump -f csv' dump -q -f csv "$2"
    ours 'dump -f jsonl' dump -q -f jsonl "$2"
    ours 'dump, one domain of 21' dump -q -d 3 "$2"
    ours 'dump, one event of fifty' dump -q -e credit2_schedule "$2"
    ours 'dump --count' dump -q --count "$2"
    row 'dump, every CPU' xenalyze - - "$xenmeter" dump -q "$2"
    peer --dump-all "$2"
    table "$1, dump" 3 "$records" xenalyze
}

archives() { # TITLE FILE: on every CPU, since zstd too was asked for two threads
    local archive=${2%.xt}.xma pack='zstd -3 -T2' unpack='zstd -dc'
    rm -f "$archive" "$archive.partial"
    "$xenmeter" archive create -q --with-trace "$2" -o "$archive"
    warm "$2" "$2.zst" "$archive"
    rows
    row "$pack" "$pack" - - zstd -3 -T2 -q -c "$2"
    row 'archive create --with-trace -T2' "$pack" - - "$xenmeter" archive create -q --with-trace -T2 "$2" -o -
    row "$unpack" "$unpack" - - zstd -dcq "$2.zst"
    row 'archive extract --trace' "$unpack" - - "$xenmeter" archive extract -q --trace "$archive"
    row 'archive verify' "$unpack" - - "$xenmeter" archive verify -q "$archive"
    row 'report, from the archived trace' "$unpack" - - "$xenmeter" report -q -g $granularities "$archive"
    row 'report, 10 ms of it' "$unpack" - - "$xenmeter" report -q -b vcpu -t 4.5,4.51 -c vcpu,running_ns "$archive"
    row 'report, from the kept results' "$unpack" - - "$xenmeter" report -q -g total,1s "$archive"
    table "$1, archives, every CPU" 3 '' zstd
    echo "stored: $(stat -c %s "$archive") bytes with results of total and 1s; by zstd: $(stat -c %s "$2.zst")"
}

# Unpacks a capture; false where there is none.
unpacked() { # NAME
    local folder
    for folder in ${TRACES:+"$TRACES"} fixtures; do
        [ -f "$folder/$1.xt.zst" ] || continue
        [ "$traces/$1.xt" -nt "$folder/$1.xt.zst" ] || zstd -dqf -o "$traces/$1.xt" "$folder/$1.xt.zst"
        return
    done
    return 1
}

real() {
    local name missing=
    for name in "${captures[@]}"; do
        if unpacked "$name"; then one_kind "$name" "$traces/$name.xt"; else missing+=" $name"; fi
    done
    [ -z "$missing" ] || printf '\nleft out, for want of the captures (make bench TRACES=FOLDER):%s\n' "$missing"
}

load() { cut -d' ' -f1 /proc/loadavg; }
echo "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1), $(nproc) CPUs, load $(load) before the first run"
echo "Medians of $rounds runs (dump and archives: 3) in turns with the other rows of the table, unless a row says otherwise;"
echo "short runs are repeated and their mean is taken. Page cache warm; output to /dev/null; on CPU $cpu alone unless a row says"
echo "otherwise. ns/record and the ratios are of cpu (user+system) seconds; ratios of archives and of every CPU are of wall seconds. Peak"
echo "is the largest resident set, mapped files included (the hop's is the trace); anon the anonymous part of it, RssAnon of"
echo "/proc/PID/status, read every 2 ms."
if [ -n "$xenalyze" ]; then
    version=$(dpkg-query -W -f='${Version}' xen-utils-common 2>/dev/null) || version='of unknown version'
    echo "xenalyze: $version."
else
    echo "xenalyze is not installed (Debian: xen-utils-common): skipped."
fi
[ -n "$several" ] || echo "This xenmeter takes one --by at a time: no row with several."
full "$(cat "$traces/full.title")" "$traces/full.xt"
for name in "${generated[@]}"; do
    one_kind "$(cat "$traces/$name.title")" "$traces/$name.xt"
done
real
dumps "$(cat "$traces/full.title")" "$traces/full.xt"
archives "$(cat "$traces/full.title")" "$traces/full.xt"
printf '\nload %s after the last run, which was %d s after the first\n' "$(load)" "$SECONDS"
