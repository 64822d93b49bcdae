#!/bin/bash
# Parts of a recording: archives that begin and end within a trace that goes on. Together they are the trace.
# shellcheck source=tests/lib.sh disable=SC2317 # functions are called through check
. "$(dirname "$0")/lib.sh"

PARTS=$BUILD/tests/parts

# Sums that are exact, by whom: one line each, in order.
sums() { # BY FILE
    "$XENMETER" report -q -b "$1" -g total -f jsonl "$2" |
        jq -rS '[.domain, .life, .vcpu, .pcpu] as $who |
            to_entries[] | select((.key | test("^(running|runnable|blocked|offline|unknown|doubtful|wake_wait|preempt_wait|idle|pcpu_unknown)_ns$"))
                or (.key | test("^(executions|wakes|blocks|yields|preemptions|migrations|io_map|io_unmap|io_transfer|io_notify|io_total)$")))
            | select(.value != null) | "\($who | map(. // "-" | tostring) | join(" ")) \(.key) \(.value)"' | sort
}
# What driver domains did for whom. Shares of an ns are rounded once more at each cut.
charged() { # FILE
    "$XENMETER" charge -q -g total -f jsonl "$1" 2>"$err" | jq -rS '"\(.domain) \(.idd) \(.idd_running_ns) \(.charged_ns)"' | sort
}
charges_are_near() { # FILE FILE NS
    paste -d ' ' "$1" "$2" | awk -v most="$3" '
        { n++; d = $4 - $8; if ($1 != $5 || $2 != $6 || $3 != $7 || d > most || -d > most) { print; bad = 1 } }
        END { exit bad || !n }'
}
# All states of each vCPU together.
times() { # FILE
    "$XENMETER" report -q -b vcpu -g total -f jsonl "$1" |
        jq -r '[.domain, .vcpu, .running_ns + .runnable_ns + .blocked_ns + .offline_ns + .unknown_ns] | @tsv'
}
same_times() { # FILE FILE: to a microsecond
    awk 'NR == FNR { t[$1, $2] = $3; next } { d = $3 - t[$1, $2]; n++; if (d > 1000 || -d > 1000) bad = 1 } END { exit bad || !n }' "$1" "$2"
}
adjoin() { awk 'NR > 1 && $2 != end { bad = 1 } { end = $3 } END { exit bad || NR < 2 }' "$1"; }
all_go_on() { awk '$4 == 0 && $5 != "goes" { bad = 1 } END { exit bad }' "$1"; }

# Makes the parts of a trace, each so long, and an archive of them all.
make_parts() { # TRACE NS [trace]
    local part
    parts=()
    rm -rf "$scratch/parts" && mkdir "$scratch/parts"
    check "$name: parts are made" "$PARTS" "$2" "$scratch/parts" ${3:+"$3"} <"$1" >"$scratch/list"
    check "$name: they adjoin" adjoin "$scratch/list"
    while read -r part _; do
        parts+=("$scratch/parts/$part.xma")
        check "$name: part $part is whole" "$XENMETER" archive verify -q "$scratch/parts/$part.xma"
    done <"$scratch/list"
    check "$name: they are merged" "$XENMETER" archive merge -q -o "$scratch/all.xma" "${parts[@]}"
}

parts_are_whole() { # TRACE NS
    make_parts "$@"
    check "$name: each goes on with what the one before knew" all_go_on "$scratch/list"
    for by in domain vcpu pcpu; do
        sums $by "$1" >"$scratch/expected"
        sums $by "$scratch/all.xma" >"$scratch/found"
        check "$name: sums by $by are those of the trace" cmp "$scratch/expected" "$scratch/found"
    done
    charged "$1" >"$scratch/expected"
    charged "$scratch/all.xma" >"$scratch/found"
    check "$name: so are charges" charges_are_near "$scratch/expected" "$scratch/found" $((4 * ${#parts[@]}))
    rm -f "$scratch/all.xma"
}

# Where parts begin anew, nobody's time is longer, or shorter.
times_are_whole() { # TRACE NS
    make_parts "$@"
    times "$1" >"$scratch/expected"
    times "$scratch/all.xma" >"$scratch/found"
    check "$name: all times together are the trace's" same_times "$scratch/expected" "$scratch/found"
}

for scenario in come-and-go like-disk-net-soft stress-churn two-driver-domains disks; do
    name=$scenario
    group "parts of $scenario"
    simulated "$scratch/trace.xt" "$scenario" 'del(.duration_ms) | .duration_s = 15'
    parts_are_whole "$scratch/trace.xt" 4123456789
done
for name in mixed-credit cpu-credit2; do
    group "parts of $name"
    zstd -qdcf "fixtures/$name.xt.zst" >"$scratch/trace.xt"
    parts_are_whole "$scratch/trace.xt" 4000000000
done
group 'parts that keep the trace'
zstd -qdcf fixtures/mixed-credit.xt.zst >"$scratch/trace.xt"
name=mixed-credit
make_parts "$scratch/trace.xt" 2900000001 trace
check 'together they have all of it' test "$("$XENMETER" archive extract -q --trace "$scratch/all.xma" | cmp - "$scratch/trace.xt" && echo same)" = same

for name in mixed-credit cpu-credit2 lost-credit2; do
    group "short parts of $name"
    zstd -qdcf "fixtures/$name.xt.zst" >"$scratch/trace.xt"
    times_are_whole "$scratch/trace.xt" 1300000001
done
finish
