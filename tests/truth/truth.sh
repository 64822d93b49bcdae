#!/bin/bash
# Running time against the hypervisor's own counters.
#
#     truth.sh DIR...
#
# For every NAME.xt.zst with a NAME.truth/ in a DIR: the running time that xenmeter reports for each vCPU, between the first
# and the last reading of that vCPU inside the trace, against how far Xen's cpu_ns went on between the two readings
# (samples.jsonl; tsc_after is the TSC of the reading). The bounds are in bounds.txt, of the DIR or of fixtures/.
# Besides: the measured TSC frequency against Xen's own ("Detected ... MHz" in xl-dmesg.txt).
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

STRICT_PERCENT=0.05
STRICT_MS=0.5   # the hypervisor's clock is read that late
FREQUENCY_PPM=500

# "bound skipped": samples at the beginning that are no good.
bound_of() { # DIR NAME
    local file bound
    for file in "$1/bounds.txt" fixtures/bounds.txt; do
        [ -f "$file" ] || continue
        bound=$(awk -v name="$2" '$1 == name { print $2, $3 + 0; exit }' "$file")
        [ -n "$bound" ] && break
    done
    echo "${bound:-$STRICT_PERCENT 0}"
}

# Lines "domain vcpu from_ns to_ns true_ns" of the vCPUs read at least twice in the trace, but for the first SKIPPED times.
spans() { # SAMPLES TSC_FIRST TSC_LAST CPU_HZ SKIPPED
    jq -rs --argjson first "$2" --argjson last "$3" --argjson hz "$4" --argjson skipped "$5" '
        def ns: (. - $first) * 1e9 / $hz | round;
        [ .[].doms[] | .dom as $d | .vcpus[] | select(.tsc_after >= $first and .tsc_after <= $last) | . + {$d} ]
        | group_by([.d, .v])[] | .[$skipped:] | select(length > 1)
        | [ .[0].d, .[0].v, (.[0].tsc_after | ns), (.[-1].tsc_after | ns), .[-1].cpu_ns - .[0].cpu_ns ] | @tsv' "$1"
}

# "running unknown" of one vCPU in a part of the trace, all lives together.
reported() { # FILE DOMAIN VCPU FROM_NS TO_NS
    "$XENMETER" report -q -b vcpu -d "$2" -t "$4ns,$5ns" -c vcpu,running_ns,unknown_ns -f csv "$1" |
        awk -F, -v vcpu="$3" '
            NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
            $at["vcpu"] == vcpu { running += $at["running_ns"]; unknown += $at["unknown_ns"] }
            END { printf "%.0f %.0f\n", running, unknown }'
}

judge_capture() { # DIR NAME
    local file=$1/$2.xt.zst truth=$1/$2.truth bound skipped first last hz domain vcpu from to true_ns running unknown mhz
    read -r bound skipped < <(bound_of "$1" "$2")
    "$XENMETER" report -q -f json -c running_ns "$file" >"$scratch/json" || return 1
    read -r first last hz < <(jq -r '.trace | "\(.tsc_first) \(.tsc_last) \(.cpu_hz)"' "$scratch/json")
    mhz=$(sed -n 's/.*Detected \([0-9.]*\) MHz.*/\1/p' "$truth/xl-dmesg.txt" | head -n 1)
    spans "$truth/samples.jsonl" "$first" "$last" "$hz" "$skipped" >"$scratch/spans"
    while read -r domain vcpu from to true_ns; do
        read -r running unknown < <(reported "$file" "$domain" "$vcpu" "$from" "$to")
        echo "$domain $vcpu $((to - from)) $true_ns $running $unknown"
    done <"$scratch/spans" | awk -v name="$2" -v bound="$bound" -v strict="$STRICT_PERCENT" -v strict_ms="$STRICT_MS" \
        -v hz="$hz" -v mhz="${mhz:-0}" -v frequency_ppm="$FREQUENCY_PPM" '
        function max(a, b) { return a > b ? a : b }
        function abs(a) { return a < 0 ? -a : a }
        # How far the truth lies outside of what was reported.
        function outside(t, low, high) { return t < low ? t - low : t > high ? t - high : 0 }
        BEGIN { lost = bound == "lost"; percent = lost ? strict : bound; worst = -1 }
        {
            difference = lost ? outside($4, $5, $5 + $6) : $4 - $5
            allowed = max(percent / 100 * $3, strict_ms * 1e6)
            if (abs(difference) > allowed) bad++; else good++
            if (abs(difference) > worst) { worst = abs(difference); at = $1 "." $2; of = difference; span = $3 }
        }
        END {
            ppm = mhz > 0 ? (hz / (mhz * 1e6) - 1) * 1e6 : 0
            if (mhz > 0) { if (abs(ppm) > frequency_ppm) bad++; else good++ }
            if (worst < 0) { bad++; span = 1 }
            printf("%-20s %5d %8.2f %7s %10.3f %9.4f %8s %10.3f %7s  %s\n", name, NR, span / 1e9, at, of / 1e6,
                100 * of / span, lost ? "lost" : bound, hz / 1e6, (mhz > 0) ? sprintf("%+.1f", ppm) : "-",
                bad ? "FAIL" : "ok")
            print good + 0, bad + 0 > counts
        }' counts="$scratch/counts" -
}

printf '%-20s %5s %8s %7s %10s %9s %8s %10s %7s\n' capture vCPUs 'span s' worst 'off ms' 'off %' 'bound %' MHz ppm
group 'running time and frequency are those of the hypervisor'
captures=0
for dir in "$@"; do
    for file in "$dir"/*.xt.zst; do
        name=$(basename "$file" .xt.zst)
        [ -d "$dir/$name.truth" ] || continue
        captures=$((captures + 1))
        if judge_capture "$dir" "$name"; then
            read -r good bad <"$scratch/counts"
            count "$good" "$bad"
        else
            count 0 1
        fi
    done
done
check 'there are captures to judge by' [ "$captures" -gt 0 ]
finish
