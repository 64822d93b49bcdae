# shellcheck shell=bash
# What the scripts beside this one share: steps, and the count of the tests in them. Their last line is that count, over
# all of them: N passed, N failed.

set -eu -o pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

scratch=$(mktemp -d)
tests=$scratch/tests
: > "$tests"

# The real captures, where they are.
traces=${TRACES:-}
[ -n "$traces" ] || [ ! -d ../shared/traces ] || traces=../shared/traces

# Suites say "NAME: N passed, N failed[, N skipped]"; CUnit has a line "tests TOTAL RAN PASSED FAILED INACTIVE".
count() { # FAILED-STEPS: they count as failed where no test of them does
    awk -v wrong="$1" '
        $1 == "tests" && NF >= 5 && $4 ~ /^[0-9]+$/ { passed += $4; failed += $5 }
        /^[a-z0-9_-]+: [0-9]+ passed, [0-9]+ failed(, [0-9]+ skipped)?$/  { passed += $2; failed += $4 }
        END { printf "%d passed, %d failed\n", passed, failed ? failed : wrong }' "$tests"
}

step() {
    printf '\n== %d s: %s\n' "$SECONDS" "$*"
    "$@"
}

# The same for a step whose output counts tests.
tested() { step "$@" 2>&1 | tee -a "$tests"; }
