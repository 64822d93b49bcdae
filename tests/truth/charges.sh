#!/bin/bash
# Charges against what the driver domain's own kernel counted.
#
#     charges.sh DIR...
#
# For every NAME.xt.zst with a NAME.truth/samples.jsonl in a DIR whose readings have "net" and "vbd", over the span of the
# readings inside the trace:
#   - who is charged more is who has more packets and requests, by packets, and by auto unless all that the trace tells is
#     inferred; where truth.json says what dom0's kernel ran for whom, auto is held against that: a disk request is no packet;
#   - the packets and requests reported are those counted, exactly;
#   - charged + own + unattributed = running, exactly, by every method and in every second.
# How far each method's shares lie from those of the counts is shown; it is not judged: a packet is not a cost.
# CHARGE_OPTIONS: further options of xenmeter charge, to try weights and slices.
# shellcheck source=tests/lib.sh disable=SC2317 # functions are called through check
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/truth/lib.sh
. tests/truth/lib.sh

METHODS='grants copies notifications auto packets'
RANKED_PERCENT=2  # of all counts; guests that have less are not ranked
NEAR_PERCENT=10   # guests whose counts differ by less may swap
WRONG_PP=5.5      # points of the driver domain's time that may be with the wrong one, where its kernel's record is there
IDLE_WRONG_PP=6   # the same with idle time shared out, where the recording itself is there
EVENTS_MIN=100    # packets and requests that a capture needs
BEHIND_NS=20      # -t is set that far behind a reading: more than its time is rounded, less than an event takes
CHARGE_OPTIONS=${CHARGE_OPTIONS:-}

# Lines of xenmeter-io-counts(5), without its header.
counts_of() { # SAMPLES
    jq -r '
        def tsc: (.tsc0 + .tsc1) / 2 | floor;
        tsc as $tsc
        | (.net // {} | to_entries[] | select(.key | test("^vif[0-9]+\\.[0-9]+$"))
           | [$tsc, (.key | capture("^vif(?<d>[0-9]+)").d), .key, .value[2], .value[0], null, null]),
          (.vbd // {} | to_entries[] | select(.key | test("^vbd-[0-9]+-[0-9]+$"))
           | [$tsc, (.key | split("-")[1]), .key, null, null, .value[0], .value[1]])
        | map(. // "") | join(",")' "$1"
}

# TSCs of the readings that lie in the trace: the first, the one in the middle, the last.
instants_of() { # COUNTS TSC_FIRST TSC_LAST
    awk -F, -v first="$2" -v last="$3" '
        NR > 1 && $1 >= first && $1 <= last && $1 != at[n] { at[++n] = $1 }
        END { if (n > 2) print at[1], at[int((n + 1) / 2)], at[n] }' "$1"
}

# What the devices counted between two readings: lines "domain tx rx read write".
counted() { # COUNTS TSC_FROM TSC_TO
    awk -F, -v from="$2" -v to="$3" '
        NR == 1 || $1 < from || $1 > to { next }
        { for (i = 4; i <= 7; i++) { if (!(($3, i) in begin)) begin[$3, i] = $i; end[$3, i] = $i } domain[$3] = $2 }
        END {
            for (device in domain)
                for (i = 4; i <= 7; i++) sum[domain[device], i] += end[device, i] - begin[device, i]
            for (device in domain) if (!seen[d = domain[device]]++) print d, sum[d, 4], sum[d, 5], sum[d, 6], sum[d, 7]
        }' "$1" | sort -n
}

ns_of() { # TSC TSC_FIRST CPU_HZ
    jq -n --argjson tsc "$1" --argjson first "$2" --argjson hz "$3" --argjson behind "$BEHIND_NS" \
        '($tsc - $first) * 1e9 / $hz | ceil + $behind'
}

charge() { # FILE METHOD FROM_NS TO_NS OUTPUT
    local by=("--charge-by=$2")
    [ "$2" = packets ] && by+=(--io-counts "$scratch/counts.csv")
    # shellcheck disable=SC2086 # a list of words
    "$XENMETER" charge -q -f json -g total,1s -t "$3ns,$4ns" "${by[@]}" $CHARGE_OPTIONS "$1" >"$5"
}

# Of domain 0 over the whole span: lines "domain tx rx read write" of the guests for which anything was counted.
reported() { # JSON
    jq -r '[.reports[] | select(.granularity_ns == 0) | .intervals[].idds[] | select(.domain == 0) | .guests[]]
        | group_by(.domain)[] | [.[0].domain, ([.[].events.tx // 0] | add), ([.[].events.rx // 0] | add), ([.[].events.read // 0] | add),
            ([.[].events.write // 0] | add)]
        | select(any(.[1:][]; . > 0)) | @tsv' "$1" | tr '\t' ' '
}
some() { awk '$2 + $3 + $4 + $5 > 0' "$1"; }

# The events are those counted between two readings.
events_agree() { # FILE TSC_FROM TSC_TO TSC_FIRST CPU_HZ
    charge "$1" packets "$(ns_of "$2" "$4" "$5")" "$(ns_of "$3" "$4" "$5")" "$scratch/part.json" || return 1
    counted "$scratch/counts.csv" "$2" "$3" >"$scratch/part.counted"
    diff <(some "$scratch/part.counted") <(reported "$scratch/part.json") >"$scratch/diff" && return 0
    echo "      domain tx rx read write, < counted, > reported:"
    sed 's/^/      /' "$scratch/diff"
    return 1
}

balances() { # JSON FROM_NS TO_NS FILE: every interval, the seconds together, and the running time that report tells
    local running
    running=$("$XENMETER" report -q -t "$2ns,$3ns" -d 0 -c running_ns -f json "$4" |
        jq '[.reports[].intervals[].rows[].running_ns] | add')
    jq -e --argjson running "$running" '
        def idds: [.intervals[].idds[]];
        all(.reports[] | idds[]; .charged_ns + .own_ns + .unattributed_ns == .running_ns
            and ([.guests[].charged_ns] | add // 0) == .charged_ns)
        and (.reports | length == 2 and (map(idds | map(.running_ns) | add) | .[0] == .[1] and .[0] > 0)
            and (map(idds | map(.charged_ns) | add) | .[0] == .[1]))
        and ([.reports[0] | idds[] | select(.domain == 0) | .running_ns] | add) == $running' "$1" >/dev/null
}

# Lines "domain counts share share_by_method..." and one "- all - difference_by_method...", shares in %.
shares() { # COUNTED JSON...
    local counted=$1
    shift
    jq -rn --rawfile counted "$counted" '
        def share($all): if $all > 0 then . * 100 / $all else 0 end;
        def abs: if . < 0 then -. else . end;
        ($counted | split("\n") | map(select(. != "") | split(" ") | map(tonumber) | {key: "\(.[0])", value: (.[1:] | add)})
            | from_entries) as $counts
        | ($counts | add) as $all
        | [inputs | [.reports[] | select(.granularity_ns == 0) | .intervals[].idds[] | select(.domain == 0) | .guests[]
            | {key: "\(.domain)", value: .charged_ns}] | group_by(.key) | map({key: .[0].key, value: (map(.value) | add)})
            | from_entries] as $charges
        | ([$counts, $charges[]] | map(keys) | add | unique | sort_by(tonumber)) as $guests
        | [$guests[] as $g | [$g, $counts[$g] // 0, ($counts[$g] // 0 | share($all))]
            + [$charges[] | add as $sum | .[$g] // 0 | share($sum // 0)]] as $rows
        | [$rows[] | select(any(.[1:][]; . > 0))] as $rows
        | ($rows[] | join(" ")),
          (["-", $all, "-"] + [range($charges | length) as $m | [$rows[] | .[3 + $m] - .[2] | abs] | max // 0] | join(" "))' "$@"
}

# Guests that are charged in another order than the counts have them, by column COLUMN of `shares`.
misranked() { # SHARES COLUMN
    awk -v column="$2" -v ranked="$RANKED_PERCENT" -v near="$NEAR_PERCENT" '
        $1 == "-" { next }
        $3 >= ranked { n++; guest[n] = $1; counts[n] = $2; charged[n] = $column }
        END {
            for (a = 1; a <= n; a++) for (b = 1; b <= n; b++)
                if (counts[a] - counts[b] >= near / 100 * counts[a] && counts[a] > 0 && charged[a] <= charged[b] && a != b) {
                    printf "guest %s has %d, guest %s has %d, charged %.2f %% and %.2f %%\n", guest[a],
                        counts[a], guest[b], counts[b], charged[a], charged[b]
                    bad = 1
                }
            exit n == 0 || bad
        }' "$1"
}

# The same lines, but with the shares of dom0's CPU (in 0.001 %) that its kernel ran for each guest.
with_costs() { # SHARES TRUTH
    awk 'NR == FNR { cost[$1] = $2; next } { $2 = cost[$1] * 1000; $3 = cost[$1] } 1' \
        <(jq -r '.share_pct | to_entries[] | "\(.key) \(.value)"' "$2") "$1"
}
ranks() { misranked "$@" | sed 's/^/      /'; [ "${PIPESTATUS[0]}" -eq 0 ]; }

near_truth() { # FILE TRUTH
    local wrong
    "$XENMETER" charge -q -f json "$1" >"$scratch/near.json"
    read -r wrong _ < <(wrong_of "$scratch/near.json" "$2")
    printf '%-18s %.1f points of domain 0 are with the wrong one\n' "$(basename "$1" .xt.zst)" "$wrong"
    within "$wrong" 0 "$WRONG_PP"
}

# The same where tasks are not told apart, but the driver domain's own work is known: what its kernel ran for itself.
near_truth_by_load() { # FILE TRUTH
    local wrong load
    load=$("$XENMETER" charge -q -f json "$1" | jq --slurpfile truth "$2/truth.json" '.reports[0].intervals[0]
        | (.end_ns - .start_ns) as $length | .idds[] | select(.domain == 0) | .running_ns / $length * $truth[0].share_pct.own')
    "$XENMETER" charge -q -f json --charge-per execution --own "$(printf %.4f "$load")%" "$1" >"$scratch/near.json"
    read -r wrong _ < <(wrong_of "$scratch/near.json" "$2")
    printf '%-18s %.1f points per execution, with the load of its own work given\n' "$(basename "$1" .xt.zst)" "$wrong"
    within "$wrong" 0 "$WRONG_PP"
}

# Idle time shared out, from the trace alone, against the same by what its kernel recorded.
near_recording() { # FILE RECORDING
    local wrong
    "$XENMETER" charge -q -f json --charge-idle --dom0-trace "$2" "$1" >"$scratch/recorded.json"
    jq '.reports[0].intervals[0].idds[] | select(.domain == 0) | .running_ns as $ran
        | {share_pct: (([.guests[] | {key: "\(.domain)", value: (100 * .charged_ns / $ran)}] | from_entries)
            + {own: (100 * .own_ns / $ran), "?": (100 * .unattributed_ns / $ran)})}' "$scratch/recorded.json" >"$scratch/truth.json"
    "$XENMETER" charge -q -f json --charge-idle "$1" >"$scratch/near.json"
    read -r wrong _ < <(wrong_of "$scratch/near.json" "$scratch")
    printf '%-18s %.1f points with idle time shared out, against the recording\n' "$(basename "$1" .xt.zst)" "$wrong"
    within "$wrong" 0 "$IDLE_WRONG_PP"
}

has_certain() { jq -e '.method | ([.events_seen[]] | add) > ([.events_inferred[]] | add)' "$1" >/dev/null; } # JSON
evidence_of() { # NAME JSON: how many events are certain, inferred, and of unknown guest
    jq -r '.method as $m | [["map", "unmap", "transfer", "notify", "copy"][]
            | select($m.events_seen[.] + $m.events_unassigned[.] > 0)
            | "\(.) \($m.events_seen[.] - $m.events_inferred[.]) / \($m.events_inferred[.]) / \($m.events_unassigned[.])"]
        | join(", ")' "$2" | sed "s|^|$1: certain / inferred / of unknown guest: |"
}

print_shares() { # NAME SHARES
    awk -v name="$1" '
        $1 == "-" { printf "%-18s %5s %8d %7s", name, "off", $2, "" }
        $1 != "-" { printf "%-18s %5s %8d %7.2f", name, $1, $2, $3 }
        { for (i = 4; i <= NF; i++) printf " %13.2f", $i; print "" }' "$2"
}

skipped() { # NAME REASON
    printf '%-18s skipped: %s\n' "$1" "$2"
}

# Each capture that is not skipped counts as judged.
judge_capture() { # DIR NAME
    local file=$1/$2.xt.zst samples=$1/$2.truth/samples.jsonl first last hz begin middle end from to events method column jsons order_of ranking
    [ -f "$samples" ] || { skipped "$2" 'there are no readings'; return; }
    counts_of "$samples" >"$scratch/lines" || { check "$2: samples.jsonl can be read" false; return; }
    [ -s "$scratch/lines" ] || { skipped "$2" 'its readings have no counts of devices'; return; }
    { echo tsc,domain,device,tx_packets,rx_packets,read_ops,write_ops; cat "$scratch/lines"; } >"$scratch/counts.csv"
    "$XENMETER" report -q -f json -c running_ns "$file" >"$scratch/json" || { check "$2 can be read" false; return; }
    read -r first last hz < <(jq -r '.trace | "\(.tsc_first) \(.tsc_last) \(.cpu_hz)"' "$scratch/json")
    read -r begin middle end < <(instants_of "$scratch/counts.csv" "$first" "$last")
    [ -n "${end:-}" ] || { skipped "$2" 'fewer than three readings lie in the trace'; return; }
    counted "$scratch/counts.csv" "$begin" "$end" >"$scratch/counted"
    events=$(awk '{ n += $2 + $3 + $4 + $5 } END { print n + 0 }' "$scratch/counted")
    [ "$events" -ge "$EVENTS_MIN" ] || { skipped "$2" "only $events packets and requests"; return; }
    judged=$((judged + 1))
    from=$(ns_of "$begin" "$first" "$hz")
    to=$(ns_of "$end" "$first" "$hz")
    jsons=()
    for method in $METHODS; do
        check "$2 by $method can be charged" charge "$file" "$method" "$from" "$to" "$scratch/$method.json"
        check "$2 by $method: charged + own + unattributed = running" balances "$scratch/$method.json" "$from" "$to" "$file"
        jsons+=("$scratch/$method.json")
    done
    check "$2: packets and requests of the span" events_agree "$file" "$begin" "$end" "$first" "$hz"
    check "$2: packets and requests of its first half" events_agree "$file" "$begin" "$middle" "$first" "$hz"
    check "$2: packets and requests of its second half" events_agree "$file" "$middle" "$end" "$first" "$hz"
    [ -s "$1/$2.truth/truth.json" ] &&
        check "$2: at most $WRONG_PP points are charged to the wrong one" near_truth "$file" "$1/$2.truth"
    [ -s "$1/$2.truth/truth.json" ] &&
        check "$2: the same per execution, with its own load given" near_truth_by_load "$file" "$1/$2.truth"
    [ -s "$1/$2.truth/ftrace.txt.zst" ] &&
        check "$2: at most $IDLE_WRONG_PP points are with the wrong one with --charge-idle" near_recording "$file" "$1/$2.truth/ftrace.txt.zst"
    shares "$scratch/counted" "${jsons[@]}" >"$scratch/shares"
    print_shares "$2" "$scratch/shares"
    evidence_of "$2" "$scratch/auto.json"
    column=4
    for method in $METHODS; do
        case $method in
        auto | packets)
            if [ "$method" = auto ] && ! has_certain "$scratch/auto.json"; then
                echo "$2: all events of the trace are inferred: the order of auto is not judged"
            else
                order_of=counts ranking=$scratch/shares
                if [ "$method" = auto ] && [ -s "$1/$2.truth/truth.json" ]; then
                    order_of="CPU that its kernel ran" ranking=$scratch/costs
                    with_costs "$scratch/shares" "$1/$2.truth/truth.json" >"$ranking"
                fi
                check "$2 by $method: charged in the order of the $order_of" ranks "$ranking" $column
            fi
            ;;
        esac
        column=$((column + 1))
    done
}

printf '%-18s %5s %8s %7s' capture guest counts '%'
# shellcheck disable=SC2086 # a list of words
printf ' %13s' $METHODS
echo
group 'charges agree with the packets and requests that the driver domain counted'
judged=0
for dir in "$@"; do
    for file in "$dir"/*.xt.zst; do
        name=$(basename "$file" .xt.zst)
        [ -d "$dir/$name.truth" ] && judge_capture "$dir" "$name"
    done
done
check 'there are captures to judge by' [ "$judged" -gt 0 ]
finish
