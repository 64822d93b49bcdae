#!/bin/bash
# bench.sh BUILD-FOLDER - runs every contender over the generated traces and prints one table; see bench.mk.
set -eu -o pipefail

build=$1
traces=$build/bench
runs=${BENCH_RUNS:-5}
cpu=${BENCH_CPU:-0}
xenmeter=$build/xenmeter
granularities=total,1s,100ms
times=domain,vcpus,running_pct,runnable_pct,blocked_pct,executions_per_s,run_mean_ns,wait_mean_ns,wait_p99_ns,wait_max_ns
xenalyze=$(command -v xenalyze || true)

# The same work for everybody: the pages of the file are in memory before the first run.
warm() { cat "$1" > /dev/null; }

# measure OPTIONS-OF-RUN... -- COMMAND...: sets wall, cpu_s, peak and ran; false when the command failed.
measure() {
    local line
    line=$("$build/bench/run" -n "$runs" "$@") || return 1
    read -r wall cpu_s peak ran <<< "$line"
}

header() {
    printf '%-40s %8s %8s %10s %8s %12s %10s\n' "$1" 'wall s' 'cpu s' 'ns/record' 'x hop' 'x xenalyze' 'peak MB'
    printf '%.0s-' {1..102}
    echo
}

# row LABEL: prints what was measured, beside the hop and xenalyze over the same file.
row() {
    local note=
    [ "$ran" -ge "$runs" ] || note=" ($ran runs)"
    awk -v label="$1" -v wall="$wall" -v cpu="$cpu_s" -v records="$records" -v hop="$hop" -v peer="$peer" \
        -v peak="$peak" -v note="$note" 'BEGIN {
            against = peer > 0 ? sprintf("%.2f", cpu / peer) : "-"
            printf "%-40s %8.2f %8.2f %10.2f %8.2f %12s %10.0f%s\n", label, wall, cpu, cpu / records * 1e9,
                cpu / hop, against, peak * 1024 / 1e6, note
        }'
}

failed() { printf '%-40s failed\n' "$1"; }

contend() { # LABEL OPTIONS-OF-RUN... COMMAND...
    local label=$1
    shift
    if measure "$@"; then row "$label"; else failed "$label"; fi
}

# The measures that others are held against: the hop and xenalyze over this file.
references() {
    warm "$1"
    records=$("$build/bench/hop" "$1")
    measure -c "$cpu" "$build/bench/hop" "$1"
    hop=$cpu_s hop_row="$wall $cpu_s $peak $ran"
    peer=0 peer_row=
    if [ -n "$xenalyze" ] && measure -c "$cpu" "$xenalyze" --summary --cpu-hz 2.4G "$1"; then
        peer=$cpu_s peer_row="$wall $cpu_s $peak $ran"
    fi
}

again() { # LABEL "WALL CPU PEAK RAN": a row from measures already made
    if [ -n "$2" ]; then
        read -r wall cpu_s peak ran <<< "$2"
        row "$1"
    elif [ -n "$xenalyze" ]; then
        failed "$1"
    fi
}

compare() { # TITLE FILE
    references "$2"
    echo
    header "$1, $records records"
    again 'hop from header to header' "$hop_row"
    contend "xenmeter report" -c "$cpu" "$xenmeter" report -q -g "$granularities" "$2"
    again 'xenalyze --summary' "$peer_row"
}

full() { # TITLE FILE
    references "$2"
    warm "$2.zst"
    header "$1, $records records"
    contend 'read the bytes (dd)' -c "$cpu" dd "if=$2" of=/dev/null bs=1M
    again 'hop from header to header' "$hop_row"
    contend 'xenmeter report' -c "$cpu" "$xenmeter" report -q -g "$granularities" "$2"
    contend 'xenmeter report, without charges' -c "$cpu" "$xenmeter" report -q -g "$granularities" -c "$times" "$2"
    contend 'xenmeter charge' -c "$cpu" "$xenmeter" charge -q -g "$granularities" "$2"
    contend 'xenmeter report, every CPU' "$xenmeter" report -q -g "$granularities" "$2"
    contend 'xenmeter report, from a pipe' -c "$cpu" -p "$2" "$xenmeter" report -q -g "$granularities" -
    contend 'zstd -dc' -c "$cpu" zstd -dcq "$2.zst"
    contend 'xenmeter report, from .zst' -c "$cpu" "$xenmeter" report -q -g "$granularities" "$2.zst"
    contend 'xenmeter report, from .zst, every CPU' "$xenmeter" report -q -g "$granularities" "$2.zst"
    again 'xenalyze --summary' "$peer_row"
}

# The same columns, but beside what xenalyze takes to print every record.
dumps() { # TITLE FILE
    local dump="-c $cpu $xenmeter dump -q"
    warm "$2"
    records=$("$build/bench/hop" "$2")
    measure -c "$cpu" "$build/bench/hop" "$2"
    hop=$cpu_s hop_row="$wall $cpu_s $peak $ran"
    peer=0 peer_row=
    if [ -n "$xenalyze" ] && measure -c "$cpu" "$xenalyze" --dump-all --cpu-hz 2.4G "$2"; then
        peer=$cpu_s peer_row="$wall $cpu_s $peak $ran"
    fi
    echo
    header "$1, dump, $records records"
    again 'hop from header to header' "$hop_row"
    # shellcheck disable=SC2086 # options
    {
        contend 'xenmeter dump' $dump "$2"
        contend 'xenmeter dump -f csv' $dump -f csv "$2"
        contend 'xenmeter dump -f jsonl' $dump -f jsonl "$2"
        contend 'xenmeter dump, one domain of 21' $dump -d 3 "$2"
        contend 'xenmeter dump, one event of fifty' $dump -e credit2_schedule "$2"
        contend 'xenmeter dump --count' $dump --count "$2"
    }
    contend 'xenmeter report, for comparison' -c "$cpu" "$xenmeter" report -q -g "$granularities" "$2"
    again 'xenalyze --dump-all' "$peer_row"
}

# beside LABEL COMMAND...: a row of archives; the ratio is of wall seconds to the row before that set `zstd_wall`.
beside() {
    local label=$1
    shift
    if measure "$@"; then
        awk -v label="$label" -v wall="$wall" -v cpu="$cpu_s" -v zstd="$zstd_wall" -v peak="$peak" 'BEGIN {
            printf "%-52s %8.2f %8.2f %10.2f %10.0f\n", label, wall, cpu, wall / zstd, peak * 1024 / 1e6
        }'
    else
        failed "$label"
    fi
}

archives() { # TITLE FILE: on every CPU, since zstd too was asked for two threads
    local archive=${2%.xt}.xma
    warm "$2"
    rm -f "$archive" "$archive.partial"
    "$xenmeter" archive create -q --with-trace "$2" -o "$archive"
    warm "$archive"
    echo
    printf '%-52s %8s %8s %10s %10s\n' "$1, archives, every CPU" 'wall s' 'cpu s' 'x zstd' 'peak MB'
    printf '%.0s-' {1..92}
    echo
    measure zstd -3 -T2 -q -c "$2"
    zstd_wall=$wall
    beside 'zstd -3 -T2' zstd -3 -T2 -q -c "$2"
    beside 'xenmeter archive create --with-trace -T2' "$xenmeter" archive create -q --with-trace -T2 "$2" -o -
    measure zstd -dcq "$2.zst"
    zstd_wall=$wall
    beside 'zstd -dc' zstd -dcq "$2.zst"
    beside 'xenmeter archive extract --trace' "$xenmeter" archive extract -q --trace "$archive"
    beside 'xenmeter archive verify' "$xenmeter" archive verify -q "$archive"
    beside 'xenmeter report, from the archived trace' "$xenmeter" report -q -g "$granularities" "$archive"
    beside 'xenmeter report, 10 ms of it' "$xenmeter" report -q -b vcpu -t 4.5,4.51 -c vcpu,running_ns "$archive"
    beside 'xenmeter report, from the kept results' "$xenmeter" report -q -g total,1s "$archive"
    echo "stored: $(stat -c %s "$archive") bytes with results of total and 1s; by zstd: $(stat -c %s "$2.zst")"
}

echo "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1), $(nproc) CPUs, load $(cut -d' ' -f1 /proc/loadavg) before the first run"
echo "Medians of $runs runs unless a row says otherwise; page cache warm; output to /dev/null; on CPU $cpu alone unless"
echo "a row says otherwise. ns/record and the ratios are of cpu (user+system) seconds. Peak memory is the largest"
echo "resident set: the hop's is the mapped file. xenmeter report -g $granularities."
if [ -n "$xenalyze" ]; then
    version=$(dpkg-query -W -f='${Version}' xen-utils-common 2>/dev/null) || version='of unknown version'
    echo "xenalyze: $version."
else
    echo "xenalyze is not installed (Debian: xen-utils-common): skipped."
fi
echo
full "$(cat "$traces/full.title")" "$traces/full.xt"
dumps "$(cat "$traces/full.title")" "$traces/full.xt"
archives "$(cat "$traces/full.title")" "$traces/full.xt"
for trace in "$traces"/beside-*.xt; do
    compare "$(cat "${trace%.xt}.title")" "$trace"
done
echo
echo "load $(cut -d' ' -f1 /proc/loadavg) after the last run"
