#!/bin/bash
# make bench-fleet - how long a statement of a fleet takes: hosts with 24 hourly archives of 20 VMs each, which are one simulated host's
# with other labels, boots and UUIDs (fleet.c). The first look reads archives, the second one indexes.
set -eu
cd "$(dirname "$0")/.."
build=$1 hosts=$2
bench=$build/bench
fleet=$bench/fleet-$hosts
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
    "$xenmeter" record -q -o "$bench/fleet-one" --host h0 -g 5min -b pcpu --domain-info "$bench/fleet-domains.json" \
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
    printf '%-12s %6.1f s  %4d MiB  %d rows\n' "$title" "$((($(date +%s%N) - from) / 1000000))e-3" \
        $(($(cat "$bench/fleet-kib") / 1024)) $(($(wc -l <"$bench/fleet.csv") - 1))
}
echo "$hosts hosts, $(find "$fleet" -name '*.xma' | wc -l) archives, $(du -sh "$fleet" | cut -f 1), $(nproc) CPUs"
look 'first look' "$fleet"
look 'second look' "$fleet"
