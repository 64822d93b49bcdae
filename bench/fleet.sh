#!/bin/bash
# make bench-fleet - how long a statement of a fleet takes: hosts with 24 hourly archives of 20 VMs each, which are one simulated host's
# with other labels, boots and UUIDs (fleet.c). The first look reads archives, the second one indexes. Archives have rows of five minutes, or, with
# ROWS 1s, what `xenmeter record` keeps without options: rows of a second by domain, vCPU and pCPU, ten times as large.
set -eu
cd "$(dirname "$0")/.."
build=$1 hosts=$2 rows=$3
bench=$build/bench
fleet=$bench/fleet-$hosts-$rows
case $rows in
5min) kept=(-g 5min -b pcpu) ;;
1s) kept=() ;;
*) echo "fleet: rows of $rows: wants 5min or 1s" >&2 && exit 2 ;;
esac
xenmeter=$build/xenmeter

if [ ! -e "$fleet" ]; then
    mkdir -p "$bench"
    jq -n '{duration_s: 86399.9, host: {scheduler: "credit2", pcpus: 4}, trace: {sweep_ms: 1000},
        domains: ([{id: 0, name: "dom0", driver_domain: {}}] + [range(1; 20) |
            {id: ., name: "vm\(.)", loads: [{type: "web", clients: 1, think_ms: (20000 + 1000 * .), file_bytes: 3000}]}])}' |
        "$xenmeter" simulate -q --seed 42 -o "$bench/fleet.xt" -
    jq -n '[range(1; 20) | {domid: ., config: {c_info: {name: "vm\(.)", uuid: "aaaaaaaa-0000-4000-8000-000000000\(100 + .)"},
        b_info: {max_vcpus: 1}}}]' >"$bench/fleet-domains.json"
    rm -rf "$bench/fleet-one"
    "$xenmeter" record -q -o "$bench/fleet-one" --host h0 "${kept[@]}" --domain-info "$bench/fleet-domains.json" \
        --clock @2026-11-29T00:00:00Z "$bench/fleet.xt"
    rm -rf "$fleet.part"
    "$bench/fleet" "$fleet.part" "$hosts" "$bench"/fleet-one/h0/*.xma
    mv "$fleet.part" "$fleet"
fi
find "$fleet" -name .xenmeter-account -delete

look() { # TITLE ARGUMENT...
    local title=$1 from
    shift
    from=$(date +%s%N)
    /usr/bin/env time -f '%M' -o "$bench/fleet-kib" "$xenmeter" account -q -g day -f csv -o "$bench/fleet.csv" "$@"
    from=$((($(date +%s%N) - from) / 1000))
    printf '%-12s %6.1f s  %5.2f ms an archive  %4d MiB  %d rows\n' "$title" "${from}e-6" "$((from / archives))e-3" \
        $(($(cat "$bench/fleet-kib") / 1024)) $(($(wc -l <"$bench/fleet.csv") - 1))
}
archives=$(find "$fleet" -name '*.xma' | wc -l)
echo "$hosts hosts, $archives archives, rows of $rows, $(du -sh "$fleet" | cut -f 1), $(nproc) CPUs"
look 'first look' "$fleet"
look 'second look' "$fleet"
