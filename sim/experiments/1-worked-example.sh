#!/bin/bash
# The worked example of SEDF-DC (Middleware 2006), from the bytes of a trace to the ledger, to the nanosecond.
# shellcheck source=sim/experiments/lib.sh
. sim/experiments/lib.sh

experiment 'The worked example of SEDF-DC' 'Domains 1 and 2 have 10 ms left of each 100 ms. Domain 0 runs for 6 ms, with
twice as many packets for domain 2 as for domain 1. What are they left in the next interval?'

capture=fixtures/cases/debts.xt.zst
ledger=$work/ledger.csv
"$XENMETER" debt -q --cpu-hz 1G --feedback 100ms --reserve 1=10%,2=10% -t ,300ms -f csv -o "$ledger" "$capture"

ms() { awk '{ printf "%.6f\n", $1 / 1e6 }'; }
rows() {
    echo 'interval from|ms,domain,reserved|ms,charged|ms,repaid|ms,closing|debt ms,allowance|ms'
    paste -d , <(column "$ledger" start_ns | awk '{ print $1 / 1e6 }') <(column "$ledger" domain) \
        <(column "$ledger" reservation_ns | ms) <(column "$ledger" charged_ns | ms) <(column "$ledger" repaid_ns | ms) \
        <(column "$ledger" closing_debt_ns | ms) <(column "$ledger" allowance_ns | ms)
}
rows | table 'The ledger'
rows | write_csv

first() { column "$ledger" "$1" start_ns=0 domain="$2"; } # COLUMN DOMAIN: in ns
claim 'domain 1 is charged 2 ms, domain 2 4 ms' test "$(first charged_ns 1) $(first charged_ns 2)" = '2000000 4000000'
claim 'domain 1 is left 8 ms, domain 2 6 ms' test "$(first allowance_ns 1) $(first allowance_ns 2)" = '8000000 6000000'
follows 'The two debts add up to the 6 ms of domain 0, and both are repaid in the interval that follows.'
