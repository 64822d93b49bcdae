#!/bin/bash
# Every event, layout and variant: dump prints exactly the records that every-event (tests/every-event/) wrote.
# shellcheck source=tests/lib.sh disable=SC2317 # functions are called through check
. "$(dirname "$0")/lib.sh"

# Options of every-event for different hosts, whose records look different; the last one has every event.
hosts=('' --old-layout '--amd --old-layout' --amd)
[ -z "$QUICK" ] || hosts=('' --amd)
seed=0
trace=$scratch/trace.xt
truth=$scratch/truth

# Lines of jsonl and of the truth as the other one has them: without domain and vcpu; without the event's number.
as_truth() { cut -d, -f 1,2,5- "$@"; }
as_told() { cut -d, -f 1,2,4- "$@"; }

# Lines of the three formats as TIME PCPU DOMAIN VCPU EVENT NAME=VALUE...; ? is a vCPU that is not known.
from_jsonl() {
    tr -d '{}[]"' | sed 's/,\([a-z0-9_]*\):/ \1=/g; s/^tsc://; s/ pcpu=/ /; s/ domain=/ /; s/ vcpu=/ /; s/ event=/ /
        s/ null null / ? ? /; s/ fields=\([a-z0-9_]*\):/ \1=/; s/ fields=$//'
}
from_text() { sed 's/ p/ /; s/ d/ /; s/v/ /; s/  */ /g'; }
from_csv() {
    sed '1d; s/^\([0-9]*,[0-9]*\),,,/\1,?,?,/; s/,"\(.*\)"$/,\1/; s/,/ /; s/,/ /; s/,/ /; s/,/ /; s/,/ /; s/ $//'
}

first_difference() { # EXPECTED ACTUAL
    cmp -s "$1" "$2" && return 0
    diff "$1" "$2" | grep '^[<>]' | head -n 4 | cut -c 1-300 | sed 's/^/      /'
    return 1
}

generate() { # SEED OPTION...
    "$BUILD/every-event" --seed "$@" 5 "$trace" "$truth.jsonl" || return
    as_told "$truth.jsonl" >"$truth.told"
}

for host in "${hosts[@]}"; do
    seed=$((seed + 1))
    group "what was written is told: ${host:-Intel}"
    # shellcheck disable=SC2086 # a list of words
    check 'generated' generate $seed $host
    run dump --tsc -q -f jsonl "$trace"
    check 'exit code 0' exits 0
    check 'nothing is said' is_empty "$err"
    mv "$out" "$scratch/jsonl"
    as_truth "$scratch/jsonl" >"$scratch/told"
    check 'each record, in order, with its fields' first_difference "$truth.told" "$scratch/told"

    group "the formats tell the same: ${host:-Intel}"
    from_jsonl <"$scratch/jsonl" >"$scratch/lines"
    for format in text csv; do
        run dump --tsc -q -f $format "$trace"
        check "$format: exit code 0" exits 0
        from_$format <"$out" >"$scratch/told"
        check "$format" first_difference "$scratch/lines" "$scratch/told"
    done
    check 'csv: what has a comma in it is quoted' not says "$out" '^\([^",]*,\)\{6\}'
    check 'csv: and nothing else' not says "$out" '"[^,]*"$'
    awk -F '[:,"]+' '{ n[$5 "," $9]++ } END { for (row in n) print row "," n[row] }' "$truth.jsonl" | sort >"$scratch/counts"
    awk -F, '{ n[$2] += $3 } END { for (event in n) print event "," n[event] }' "$scratch/counts" | sort >"$scratch/all"
    run dump --count -q -f csv "$trace"
    awk -F, 'NR > 1 { n[$1] += $3; bytes += $6 }
        END { for (event in n) print event "," n[event]; print bytes > bytes_of }' bytes_of="$scratch/bytes" "$out" |
        sort >"$scratch/told"
    check '--count' first_difference "$scratch/all" "$scratch/told"
    check '--count: all bytes of the trace' equal "$(wc -c <"$trace")" "$(cat "$scratch/bytes")"
    run dump --count -q -b pcpu -f csv "$trace"
    awk -F, 'NR > 1 { n[$1 "," $2] += $4 } END { for (row in n) print row "," n[row] }' "$out" | sort >"$scratch/told"
    check '--count -b pcpu' first_difference "$scratch/counts" "$scratch/told"

    group "nothing is missing from the truth: ${host:-Intel}"
    run dump -e help
    awk -v host="$host" 'NR > 1 && ($1 != "svm_exit" || host ~ /amd/) { print $1 }' "$out" | sort >"$scratch/events"
    cut -d, -f 2 "$scratch/counts" | sort -u >"$scratch/told"
    check 'every event' first_difference "$scratch/events" "$scratch/told"
    exits_of=VMX
    [[ $host != *amd* ]] || exits_of=SVM
    sed -nE 's/^NAME\((.*), [0-9a-fx]+, ("[a-z0-9_]+")\).*/\1 \2/p; s/^HYPERCALL\([0-9]+, ("[a-z0-9_]+"),.*/HYPERCALL \1/p' \
        parser/decode/names.def parser/decode/hypercalls.def |
        awk -v exits=${exits_of}_EXIT '$1 !~ /_EXIT$/ || $1 == exits { print $NF }' | sort -u >"$scratch/names"
    grep -oE ':"[a-z][a-z0-9_]*"' "$truth.jsonl" | cut -c 2- | sort -u | comm -12 - "$scratch/names" >"$scratch/told"
    check 'every name' first_difference "$scratch/names" "$scratch/told"
done

# ---- which events: of the last trace ----

# What a selection (-e) takes, as xenmeter-dump(1) has it:
#   NAME CLASS all    by the name or the class
#   PATTERN           of names, with a dot in it of CLASS.NAME
#   0xNUMBER          that number; if it is the one that -e help lists, all of the event
#   0xMASK            ends with three zeros: events whose listed number has a bit of the class and one of the
#                     subclass in common with it
#   !                 what it takes is left out; where the first item has one all else is taken
# Reads the list of -e help, selections, "NUMBER EVENT" of each record, and the truth; writes a file for each selection
# that takes any.
cat >"$scratch/select.awk" <<'AWK'
function value_of(hex,    i, n) {
    n = 0
    for (i = 3; i <= length(hex); i++)
        n = n * 16 + index("0123456789abcdef", substr(hex, i, 1)) - 1
    return n
}
function common(a, b) { # whether the two have a bit in common
    while (a > 0 && b > 0) {
        if (a % 2 && b % 2)
            return 1
        a = int(a / 2)
        b = int(b / 2)
    }
    return 0
}
function matches(item, event, number,    class, pattern, value) {
    if (item ~ /^0x/) {
        value = value_of(item)
        if (value % 4096)
            return value == number || value == listed[event]
        return common(int(value / 65536), int(listed[event] / 65536)) &&
            common(int(value / 4096) % 16, int(listed[event] / 4096) % 16)
    }
    class = event == "unrecognised" ? event : classes[int(number / 65536)]
    pattern = item
    gsub(/[.]/, "[.]", pattern)
    gsub(/[*]/, ".*", pattern)
    return item == class || item == "all" || (item ~ /[.]/ ? class "." event : event) ~ ("^" pattern "$")
}
function takes(selection, event, number,    items, n, i, item, taken) {
    n = split(selection, items, ",")
    taken = items[1] ~ /^!/
    for (i = 1; i <= n; i++) {
        item = items[i]
        sub(/^!/, "", item)
        if (matches(item, event, number))
            taken = items[i] !~ /^!/
    }
    return taken
}
BEGIN {
    classes[1] = "gen"; classes[2] = "sched"; classes[4] = "dom0op"; classes[8] = "hvm"; classes[16] = "mem"
    classes[32] = "pv"; classes[64] = "shadow"; classes[128] = "hw"; classes[2048] = "guest"
}
FNR == 1 { file++ }
file == 1 { if ($3 ~ /^0x/) listed[$1] = value_of($3); next }
file == 2 && /^0x[0-9a-fx,]*$/ && !/000(,|$)/ { # numbers alone, perhaps many
    n++
    for (m = split($0, items, ","); m > 0; m--)
        in_list[n, value_of(items[m])] = 1
    next
}
file == 2 { selections[++n] = $0; next }
file == 3 { numbers[FNR] = $1; events[$1] = $2; next }
{
    record = numbers[FNR]
    if (!(record in takers)) {
        value = value_of(record)
        event = events[record]
        takers[record] = ""
        for (i = 1; i <= n; i++)
            if (i in selections ? takes(selections[i], event, value) : (i, value) in in_list || (i, listed[event]) in in_list)
                takers[record] = takers[record] " " i
    }
    for (m = split(takers[record], of); m > 0; m--)
        print > (folder "/" of[m])
}
AWK

sed -E 's/^\{"tsc":[0-9]+,"pcpu":[0-9]+,"number":"(0x[0-9a-f]+)","event":"([a-z0-9_]+)".*/\1 \2/' "$truth.jsonl" >"$scratch/numbers"
mkdir "$scratch/taken" "$scratch/chosen"
run dump -e help
mv "$out" "$scratch/help"

# Each line of the file is a selection, and a check.
selections() { # FILE
    local selection i=0 wrong
    rm -f "$scratch"/taken/* "$scratch"/chosen/*
    awk -v folder="$scratch/taken" -f "$scratch/select.awk" "$scratch/help" "$1" "$scratch/numbers" "$truth.told"
    while read -r selection; do
        i=$((i + 1))
        echo "== $i"
        timeout -k 5 "$LIMIT" "$XENMETER" dump --tsc -q -f jsonl -e "$selection" "$trace" 2>&1 || echo "exit code $?"
    done <"$1" | as_truth | awk -v folder="$scratch/chosen" '/^== / { file = folder "/" $2; next } { print > file }'
    diff -rq "$scratch/taken" "$scratch/chosen" |
        sed -E 's/^Only in [^:]*: ([0-9]+)$/\1/; s/^Files .*\/([0-9]+) differ$/\1/' >"$scratch/wrong"
    wrong=$(wc -l <"$scratch/wrong")
    head -n 5 "$scratch/wrong" | while read -r i; do
        touch "$scratch/taken/$i" "$scratch/chosen/$i"
        printf '      -e %.60s: %d lines instead of %d\n' "$(sed -n "${i}p" "$1")" "$(wc -l <"$scratch/chosen/$i")" \
            "$(wc -l <"$scratch/taken/$i")"
    done
    count $(($(wc -l <"$1") - wrong)) "$wrong"
}

# Lists of the lines of standard input: one for each bit of the line number, and one for its opposite. Whatever is
# taken for another line is wrong in one of them.
lists_by_bits() {
    awk '{ line[NR] = $0 }
        END {
            for (bit = 1; bit < 2 * NR; bit *= 2)
                for (k = 0; k < 2; k++) {
                    list = ""
                    for (i = 1; i <= NR; i++)
                        if (int(i / bit) % 2 == k)
                            list = list "," line[i]
                    if (list != "")
                        print substr(list, 2)
                }
        }'
}

group '-e: names'
if [ -z "$QUICK" ]; then
    cat "$scratch/events"
else
    grep -v hypercall_ "$scratch/events" | lists_by_bits
fi >"$scratch/selections"
selections "$scratch/selections"

group '-e: numbers'
# Without hypercalls, which are most of the records and have one number each; few of the many numbers of guests;
# without numbers that would be taken for masks.
sort -u "$scratch/numbers" | awk '!/hypercall_/ && !/000 / && !(/guest_event/ && ++guests > 64) { print $1 }' >"$scratch/lines"
{ lists_by_bits <"$scratch/lines"; awk 'NR % 100 == 0' "$scratch/lines"; } >"$scratch/selections"
selections "$scratch/selections"

group '-e: classes and patterns'
cat >"$scratch/selections" <<'SELECTIONS'
gen
sched
dom0op
hvm
mem
pv
shadow
hw
guest
unrecognised
gen.*
sched.*
dom0op.*
hvm.*
mem.*
shadow.*
hw.*
guest.*
all
*
*.*
s*
credit2_*
sched.credit_*
*_exit
*load*
hvm.hvm_io*_read
hvm.*,hw.irq_*,wake
SELECTIONS
selections "$scratch/selections"

group '-e: masks'
cat >"$scratch/selections" <<'SELECTIONS'
0x0001f000
0x0002f000
0x00021000
0x00022000
0x00028000
0x00029000
0x0004f000
0x00081000
0x00082000
0x00084000
0x0008f000
0x0010f000
0x00101000
0x00201000
0x00202000
0x00401000
0x0040f000
0x00801000
0x00802000
0x0080f000
0x0800f000
0x0802f000
0x008af000
0x00df1000
0x0ffff000
SELECTIONS
selections "$scratch/selections"

group '-e: left out'
cat >"$scratch/selections" <<'SELECTIONS'
!wake
!hypercall_v2,!hypercall_subcall
!pv.*,!0x22000
!pv,!0x21011
!pv,!0x82101,!0x82109
!pv,!0x82001
!pv,!0x2f004
hvm,!vmentry
hvm,!hvm_*
all,!pv,!0x2f000
sched,!0x28000
sched,!0x28000,wake
sched,!wake,wake
0x00fff000,!hvm.*,!pv,!0x0080f000
runstate_change,!0x21011
runstate_change,!0x21011,!0x21101
hvm,!0x82101
hvm,!0x82101,!0x82108
0x21011,!runstate_change,wake
0x21011,!runstate_change,0x21101
0x21011,!0x21001,0x21101
0x21011,0x21000
0x21011,runstate_change
0x21011,0x21001
runstate_change,0x21011
0x21011,runstate_change,!0x21101
runstate_change,!0x21101,runstate_change,!0x21011
runstate_change,!0x21101,runstate_change,0x21011
SELECTIONS
selections "$scratch/selections"

group '-p'
pcpus=$(cut -d, -f 1 "$scratch/counts" | sort -u | sed -n '2p;4p' | paste -sd,)
run dump --tsc -q -f jsonl -p "$pcpus" "$trace"
as_truth "$out" >"$scratch/told"
grep -E "\"pcpu\":(${pcpus/,/|})," "$truth.told" >"$scratch/lines"
check 'their records alone' first_difference "$scratch/lines" "$scratch/told"

finish
