# shellcheck shell=bash
# shellcheck disable=SC2034 # the parts use them
# Shared by the parts, which run in domain 0 and source it.
#
#     judge 'statement' NUMBER OPERATOR BOUND [UNIT]     compares, and prints a line for the table
#     judge_that 'statement' COMMAND...                  the same of a command that must succeed
#
# Whatever a part has started or set is ended and undone when it exits.

set -u
export LC_ALL=C PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
declare -A address=([web]=10.9.0.11 [bulk]=10.9.0.12 [hog]=10.9.0.13)
declare -A id=([Domain-0]=0)
for guest in web bulk hog; do id[$guest]=$(xl domid $guest); done
domain0_address=10.9.0.1
scratch=$(mktemp -d /tmp/part.XXXXXX)
cd "$scratch" || exit 2
started=()
trap tidy EXIT
trap 'exit 143' TERM INT HUP

tidy() {
    kill -TERM "${started[@]}" 2>/dev/null
    rm -rf "$scratch"
}

# --- results

result() { printf 'RESULT\t%s\t%s\t%s\t%s\n' "$@"; } # pass|FAIL|skip STATEMENT NUMBER WANTED

judge() { # STATEMENT NUMBER OPERATOR BOUND [UNIT]
    local verdict
    verdict=$(awk -v number="$2" -v operator="$3" -v bound="$4" 'BEGIN {
        known = number ~ /^-?[0-9]+\.?[0-9]*$/
        number += 0; bound += 0
        right = operator == "<=" ? number <= bound : operator == ">=" ? number >= bound : number == bound
        print known && right ? "pass" : "FAIL"
    }')
    result "$verdict" "$1" "${2:-none}${5:+ $5}" "$3 $4"
}
judge_that() { # STATEMENT COMMAND...
    local verdict=FAIL number=no
    if "${@:2}"; then verdict=pass number=yes; fi
    result "$verdict" "$1" "$number" yes
}
# |number - wanted| <= bound
judge_near() { # STATEMENT NUMBER WANTED BOUND [UNIT]
    local verdict
    verdict=$(awk -v number="$2" -v wanted="$3" -v bound="$4" 'BEGIN {
        known = number ~ /^-?[0-9]+\.?[0-9]*$/ && wanted ~ /^-?[0-9]+\.?[0-9]*$/
        off = number > wanted + 0 ? number - wanted : wanted - number
        print known && (off <= bound + 0) ? "pass" : "FAIL"
    }')
    result "$verdict" "$1" "${2:-none}${5:+ $5}" "${3:-none} +- $4"
}
say() { echo "$(cut -d ' ' -f 1 /proc/uptime) $*" >&2; }
calculated() { awk -v "a=${2:-0}" -v "b=${3:-0}" -v "c=${4:-0}" "BEGIN { printf \"%.2f\", $1 }"; } # EXPRESSION A B C

# --- loads

load_at() { # GUEST LOAD...: in the background; what it prints is in the file load.GUEST.LOAD
    load at "${address[$1]}" "${@:2}" >"load.$1.$2" 2>&1 &
    started+=($!)
}
ask_web() { # SECONDS PAUSE_US: a client in domain 0
    load ask "${address[web]}" "$1" "$2" >answers 2>&1 &
    started+=($!)
}
end_loads() {
    kill -TERM "${started[@]}" 2>/dev/null
    wait "${started[@]}" 2>/dev/null
    started=()
}
now() { cut -d ' ' -f 1 /proc/uptime; }
# Answers of each second between two times of the monotonic clock.
answers_per_s() { # FROM TO
    awk -v from="$1" -v to="$2" '$1 == "at" && $2 > from + 1 && $2 <= to { n += $4 } END { printf "%.1f", n / (to - from - 1) }' answers
}

# --- a trace, and who reads it

# xenmeter has xentrace's records on its standard input; $meter and $tracer are the processes.
watch() { # MASK WORD...
    rm -f trace
    mkfifo trace
    env --default-signal=INT xenmeter "${@:2}" <trace >out 2>err &
    meter=$!
    env --default-signal=INT xentrace -D -S 1024 -e "$1" /dev/stdout >trace 2>tracer.err &
    tracer=$!
    started+=("$meter" "$tracer")
}
# $status is xenmeter's.
end_trace() { # SIGNAL PROCESS...
    kill "-$1" "${@:2}" 2>/dev/null
    wait "$meter"
    status=$?
    kill -TERM "$tracer" 2>/dev/null
    wait "$tracer"
}

# The seconds of CPU that the toolstack counts, to 0.1 s, as a list of "xl list" has them, or as they are now.
cpu_s() { # NAME [LIST]
    if [ $# -gt 1 ]; then cat "$2"; else xl list; fi | awk -v name="$1" '$1 == name { print $6 }'
}

# Of lines "DOMAIN TIME" on standard input: of all the time that of one domain, in %.
share() { awk -v of="$1" '{ all += $2; s += $2 * ($1 == of) } END { if (all) printf "%.2f", s / all * 100 }'; } # DOMAIN

# Waits until the command succeeds; false after so many seconds.
within() { # SECONDS COMMAND...
    local end=$((SECONDS + $1))
    shift
    while ! "$@"; do
        [ $SECONDS -lt $end ] || return 1
        sleep 0.3
    done
}

# On a pCPU of their own: domain 0 keeps to the other one.
pin() { # GUEST...
    xl vcpu-pin Domain-0 all 0
    for guest; do xl vcpu-pin "$guest" all 1; done
}
unpin() { for name in Domain-0 web bulk hog; do xl vcpu-pin "$name" all all; done; }
