# shellcheck shell=bash
# Shared by the test scripts, which source it.
#
#     group 'subject'
#     check 'statement' COMMAND...      passes when the command exits with 0
#     ...
#     finish
#
# One line is printed for each group, and one for each check that fails. QUICK=1 asks for a shorter run.

# A signal that is ignored here, by nohup, say, would be ignored by the programs that are tested, too.
[ -n "${SIGNALS_ARE_DEFAULT:-}" ] ||
    SIGNALS_ARE_DEFAULT=1 exec env --default-signal=HUP,INT,QUIT,TERM,PIPE bash "$0" "$@"

set -u
export LC_ALL=C
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 2

BUILD=${BUILD:-build}
QUICK=${QUICK:-}
XENMETER=${XENMETER:-$BUILD/xenmeter}
LIMIT=${LIMIT:-600} # seconds that one run may take, however slow or busy the machine is: beyond that it hangs
scratch=$(mktemp -d "${TMPDIR:-/tmp}/xenmeter-test.XXXXXX") || exit 2
trap 'rm -rf "$scratch"' EXIT
trap 'exit 130' INT TERM

export XDG_CONFIG_HOME=$scratch/config # not that of whoever runs the tests

passed=0
failed=0
skipped=0
group_name=
group_passed=0
group_failed=0

# The trace of a simulated host: that of sim/scenarios/NAME.json, which a filter of jq has changed.
simulated() { # FILE NAME FILTER [OPTION]...
    jq "$3" "sim/scenarios/$2.json" | "$XENMETER" simulate -q "${@:4}" -o "$1" -
}

# No check depends on how fast the machine is: what takes its time is waited for with `soon`, by what shows that it has happened. A sleep
# makes a check stricter ("still not there"); it never makes one pass.

soon() { # COMMAND...: passes as soon as the command does, within three minutes
    local tries
    for ((tries = 0; tries < 3600; tries++)); do
        "$@" && return 0
        sleep 0.05
    done
    return 1
}

# Runs the command while no thread of the process runs: what the process writes is of one moment then.
frozen() { # PID COMMAND...
    kill -STOP "$1" 2>/dev/null
    soon stands "$1"
    "${@:2}"
    local status=$?
    kill -CONT "$1" 2>/dev/null
    return $status
}
stands() { ! sed 's/.*) //' "/proc/$1/task/"*/stat 2>/dev/null | grep -q '^[^tTXZ]'; } # PID: stopped, or ended

# Replaces a file at once: whoever reads it meanwhile never finds half of it.
replace() { cat >"$1.new" && mv "$1.new" "$1"; } # FILE, from standard input

# Of a command line in a tmux pane: sets the pane's title when all before it has been shown. A file that the command line writes may be
# there before tmux has read what it printed.
# shellcheck disable=SC2034 # those that have terminals use it
SHOWN="printf '\\033]2;all is shown\\033\\\\'"
all_is_shown() { [ "$(tm display -p '#{pane_title}' 2>/dev/null)" = 'all is shown' ]; } # in the pane of tm

end_group() {
    [ -n "$group_name" ] || return 0
    if [ "$group_failed" -eq 0 ]; then
        printf 'ok    %s (%d)\n' "$group_name" "$group_passed"
    else
        printf 'FAIL  %s (%d of %d)\n' "$group_name" "$group_failed" $((group_passed + group_failed))
    fi
    passed=$((passed + group_passed))
    failed=$((failed + group_failed))
}

group() {
    end_group
    group_name=$1
    group_passed=0
    group_failed=0
}

check() {
    local what=$1
    shift
    if "$@"; then
        group_passed=$((group_passed + 1))
    else
        group_failed=$((group_failed + 1))
        printf '      failed: %s: %s\n' "$group_name" "$what"
    fi
}

# What cannot be tested here, and why: neither passed nor failed.
skip() { # WHAT WHY
    skipped=$((skipped + 1))
    printf 'skip  %s%s\n' "$1" "${2:+: $2}"
}

# Checks that something else counted: N passed, M failed.
count() {
    group_passed=$((group_passed + $1))
    group_failed=$((group_failed + $2))
}

finish() {
    end_group
    printf '%s: %d passed, %d failed' "$(basename "$0" .sh)" "$passed" "$failed"
    if [ "$skipped" -gt 0 ]; then printf ', %d skipped\n' "$skipped"; else echo; fi
    [ "$failed" -eq 0 ]
    exit
}

# Runs xenmeter: exit code in $status, what it printed in the files $out and $err.
out=$scratch/out
err=$scratch/err
status=0
run() {
    timeout -k 5 "$LIMIT" "$XENMETER" "$@" >"$out" 2>"$err"
    status=$?
}

# Runs a command in place of this shell, as in the foreground: a shell that starts `command &` has it ignore SIGINT.
attended() { exec env --default-signal=INT "$@"; }

exits() { # EXPECTED: the last run's exit code; shows what it said when it is another
    [ "$status" -eq "$1" ] && return 0
    printf '      exit code %d instead of %d: %s\n' "$status" "$1" "$(tail -c 300 "$err")"
    return 1
}
same() { cmp -s "$1" "$2"; }
is_empty() { [ ! -s "$1" ]; }
has_text() { [ -s "$1" ]; }
says() { grep -q -e "$2" "$1"; }   # FILE PATTERN
equal() { # EXPECTED ACTUAL
    [ "$1" = "$2" ] && return 0
    printf '      "%s" instead of "%s"\n' "$2" "$1"
    return 1
}
not() { ! "$@"; }
holds() { jq -e "$1" "$2" >/dev/null; } # JQ-FILTER FILE

# The last run ended with one line that says why, and printed nothing else.
refused_once() { exits 2 && is_empty "$out" && says "$err" '^xenmeter: ' && equal 1 "$(wc -l <"$err")"; }
refuses() { # PATTERN ARGUMENT...: so does this run, and the line says that
    local pattern=$1
    shift
    run "$@" </dev/null
    refused_once && says "$err" "$pattern"
}
