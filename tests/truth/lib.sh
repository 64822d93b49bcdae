# shellcheck shell=bash
# What the scripts share that judge charges by what the driver domain's own kernel recorded. Source it after tests/lib.sh.

# Work for a guest by the name of its thread, for jq.
# shellcheck disable=SC2016,SC2034 # jq's variables; used where this is sourced
work_of_thread='
    def work:
        (capture("^vif(?<d>[0-9]+)\\.[0-9]+-q[0-9]+-(?<k>guest-rx|dealloc):")
        // (capture("^napi/vif(?<d>[0-9]+)\\.") | .k = "napi")
        // (capture("^(blkback\\.)?(?<d>[0-9]+)\\.xvd") | .k = "blkback"));'

# CPU times in threads.jsonl as a log of xenmeter-io-counts(5).
thread_times_of() { # TRUTH
    echo tsc,domain,device,cpu_ns
    jq -r "$work_of_thread"'
        select(.thr)
        | ((.tsc0 + .tsc1) / 2 | floor) as $tsc
        | ([.thr | to_entries[] | (.key | work) as $w | {id: "\($w.d),\($w.k)", ns: .value}] | group_by(.id)[]
            | "\($tsc),\(.[0].id),\(map(.ns) | add)"),
          (if .stat then "\($tsc),0,irq,\([.stat[][5]] | add * 10000000)",
              "\($tsc),0,softirq,\([.stat[][6]] | add * 10000000)" else empty end)' "$1/threads.jsonl"
}

# The same and the packets and requests of io-counts.csv.
log_of() { # TRUTH
    thread_times_of "$1" | sed '1 s/$/,tx_packets,rx_packets,read_ops,write_ops/; 1 ! s/$/,,,,/'
    awk -F, 'NR > 1 { print $2 "," $3 "," $4 ",," $5 "," $6 "," $7 "," $8 }' "$1/io-counts.csv"
}

# ftrace.txt.zst with the remarks that say whose each interrupt is: of the guests' disks, as interrupts.txt has them in
# order, and of the virtio disks behind them, which have the guests' numbers.
dom0_trace_of() { # TRUTH
    {
        awk -F: '/blkif-backend/ { print "# xenmeter irq " $1 + 0 " " (n++ ? 3 : 2) }' "$1/interrupts.txt"
        sed -n 's/^ *\([0-9]*\):.*virtio\([23]\)-req.*/# xenmeter irq \1 \2/p' "$1/interrupts.txt"
    } | zstd -q
    cat "$1/ftrace.txt.zst"
}

# "WRONG AMONG OWN TRUE" of domain 0: points of its time that are charged to the wrong one, or are own and should not be;
# the same among guests alone, of the time of all guests; own and true own, in %.
wrong_of() { # JSON TRUTH
    jq -r --slurpfile truth "$2/truth.json" '
        def wrong($a; $b): [($a + $b | keys)[] as $k | ($a[$k] // 0) - ($b[$k] // 0) | fabs] | add / 2;
        def shares: (add // 0) as $all | if $all > 0 then map_values(100 * . / $all) else . end;
        $truth[0].share_pct as $true
        | (.reports[] | select(.granularity_ns == 0)).intervals[0].idds[] | select(.domain == 0)
        | . as $d | ([.guests[] | {key: "\(.domain)", value: (100 * .charged_ns / $d.running_ns)}] | from_entries) as $guests
        | ($guests + {own: (100 * .own_ns / .running_ns), "?": (100 * .unattributed_ns / .running_ns)}) as $charged
        | [wrong($charged; $true), wrong($guests | shares; $true | del(.own) | shares), $charged.own, $true.own] | @tsv' "$1"
}

within() { awk -v x="$1" -v least="$2" -v most="$3" 'BEGIN { exit !(x != "" && x >= least && x <= most) }'; } # X LEAST MOST
