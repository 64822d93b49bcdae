#!/bin/bash
# ShareGuard in control of a simulated host: what it decides happens there, and no file depends on anything but what was given.
# shellcheck source=tests/lib.sh disable=SC2016,SC2317 # functions are called through check
. "$(dirname "$0")/lib.sh"

scenario=$scratch/scenario.json
policy=$scratch/policy.json
trace=$scratch/trace.xt
truth=$scratch/truth.json
decisions=$scratch/decisions.jsonl
printf '0 dom0\n1 web10\n2 web100\n3 transfer\n' >"$scratch/names"

# The transfer begins at 5 s, of 20 s.
host() { jq ".duration_s = 20 | .domains[3].loads[0].start_s = 5 | ${1:-.}" sim/scenarios/share-guard.json >"$scenario"; }
simulate() { run simulate "$scenario" -o "$trace" --truth "$truth" "$@"; }
guarded() { simulate --with guard="$policy" --decisions "$decisions" "$@"; }
limit() { printf '{"domains":{"transfer":{"limit":"%s"}}%s}' "$1" "${2:+,$2}" >"$policy"; }

# What the driver domain ran for the transfer, in % of a pCPU, from 5 s on, by the truth and by the guard's rows; requests of the
# web server with the larger files, after : before 5 s.
charged() { jq '[.seconds[5:][] | .charged[] | select(.domain == 3).cpu_ns] | add / 15e7' "$truth"; }
metered() { jq -s '[.[] | select(.start_ns >= 5e9).charged_ns] | add / 15e7' "$decisions"; }
served() {
    jq 'def rate(s; n): [s[] | .domains[] | select(.domain == 2).work.requests] | add / n;
        100 * rate(.seconds[5:]; 15) / rate(.seconds[1:5]; 4)' "$truth"
}
between() { awk -v low="$1" -v high="$2" -v x="$3" 'BEGIN { if (x == "" || x < low || x > high) { print "      " x; exit 1 } }'; } # LOW HIGH NUMBER
said() { jq -se "any(.[]; $1)" "$decisions" >/dev/null; }

group 'a transfer beside two web servers'
host
limit 5%
simulate
check 'it begins when it is to begin' equal '[0,true]' "$(jq -c '[.seconds[:6][] | .domains[3].work.packets_out] | [(.[:5] | add), .[5] > 0]' "$truth")"
check 'not held: it takes more than 20 %' between 20 60 "$(charged)"
check 'and a web server loses a tenth' between 50 90 "$(served)"
cp "$trace" "$scratch/unheld.xt"
guarded
check 'held: done' exits 0
check 'the verdict is said' says "$err" '^xenmeter: verdict '
check 'it takes 5 %, half a point more or less' between 4.5 5.5 "$(charged)"
check 'by the rows, too' between 4.5 5.5 "$(metered)"
check 'and the web server keeps 95 %' between 95 105 "$(served)"
check 'packets were dropped' between 1 1e9 "$(jq '.domains[3].work.packets_dropped' "$truth")"
check 'of nobody else' equal 0 "$(jq '[.domains[:3][].work.packets_dropped] | add' "$truth")"
check 'rows are those of xenmeter guard' cmp "$decisions" \
    <("$XENMETER" guard -q --policy "$policy" --names "$scratch/names" -f jsonl "$trace")
cp "$decisions" "$scratch/first.jsonl"
cp "$trace" "$scratch/first.xt"
guarded
check 'the same trace again' same "$scratch/first.xt" "$trace"
check 'the same rows again' same "$scratch/first.jsonl" "$decisions"
check 'quiet' not says <("$XENMETER" simulate -q --duration 2s --with guard="$policy" "$scenario" 2>&1 >/dev/null) verdict

group 'other limits and loads'
for percent in 2 10; do
    limit "$percent%"
    guarded
    check "$percent %" between "$((percent - 1))" "$((percent + 1))" "$(metered)"
done
limit 5%
host '.domains[3].loads[0].type = "bulk_in"'
simulate
check 'to the guest, not held' between 15 60 "$(charged)"
guarded
check 'to the guest, held' between 4.4 5.6 "$(metered)"
host '.domains[0].driver_domain.persistent_grants = false | .domains[3].loads = [{type: "disk", depth: 32, request_bytes: 65536, start_s: 5}]'
simulate
check 'a disk, not held' between 10 60 "$(charged)"
guarded
check 'a disk, held' between 4.5 5.5 "$(metered)"
check 'a disk, held, by the truth' between 3 5.5 "$(charged)"
check 'it goes on in between' between 100 1e9 "$(jq '[.seconds[15:][] | .domains[3].work.disk_requests] | add' "$truth")"
limit 5% '"actions":{"network":"drop","disk":"none"}'
guarded
check 'a disk, left alone by the policy' between 10 60 "$(charged)"
host '.domains[3].loads[0].transport = "udp"'
limit 5% '"max_hold":"1s"'
guarded
check 'a sender that does not care costs the same' between 20 60 "$(charged)"
check 'which is said' said '.reason // "" | startswith("held for 1.000 s without effect")'

group 'later, and not at all'
host
limit 5%
guarded --delay 1h
check 'what is decided after the end changes nothing' same "$scratch/unheld.xt" "$trace"
guarded --delay 500ms
check '500 ms later it has had more at the beginning' between 5 40 "$(jq '[.seconds[5:7][] | .charged[] | select(.domain == 3).cpu_ns] | add / 2e7' "$truth")"
check 'and 5 % on average' between 4 6.5 "$(charged)"
limit 100%
guarded
check 'nobody is over 100 %' same "$scratch/unheld.xt" "$trace"

group 'both controllers'
limit 5%
printf '{"domains":{"web10":{"share":"33%%"},"web100":{"share":"33%%"}}}' >"$scratch/debts.json"
guarded --with debt="$scratch/debts.json" --ledger "$scratch/ledger.csv"
check 'done' exits 0
check 'the transfer is held' between 4.4 5.6 "$(charged)"
check 'rows of both' cmp "$decisions" <("$XENMETER" guard -q --policy "$policy" --names "$scratch/names" -f jsonl "$trace")
check 'and of the ledger' same "$scratch/ledger.csv" <("$XENMETER" debt -q --policy "$scratch/debts.json" --names "$scratch/names" -f csv "$trace")

group 'the rate'
host
limit 5% '"actions":{"network":"rate=20000","disk":"none"}'
guarded
check 'slowed down: done' exits 0
check 'it takes less, and more than nothing' between 1 15 "$(charged)"
check 'packets pass while it is held' said '.decision == "hold" and .charged_ns > 1e6'
check 'packets were dropped' between 1 1e9 "$(jq '.domains[3].work.packets_dropped' "$truth")"

group 'what a filter does not hold'
host '.domains[3].loads[0] |= (.transport = "udp" | .packets_per_s = 120000 | .packet_bytes = 64 | .packet_us = 0.4)'
limit 5%
guarded
check 'small packets, dropped, cost the same' between 15 60 "$(charged)"
limit 5% '"actions":{"network":"netback-rate=1000"}'
guarded
check 'netback does not receive them: 5 %' between 4.5 5.5 "$(charged)"
most() { jq -s '[.[] | select(.start_ns >= 55e8).charged_pct] | max' "$decisions"; } # in a window, once it was held
check 'let back at once, it makes up for the time in which it waited' between 15 60 "$(most)"
limit 5% '"actions":{"network":"netback-rate=1000","disk":"none"},"steps":12'
guarded
check 'in steps: 5 %' between 4.5 5.5 "$(charged)"
check 'no window has more than twice that' between 5 10.5 "$(most)"
check 'rates are doubled and halved' equal '[true,true]' "$(jq -sc '[.[] | select(.decision == "hold" and .action).action | capture("=(?<n>[0-9]+)").n | tonumber]
    | [range(1; length) as $i | .[$i] / .[$i - 1]] | [any(. == 2), any(. < 1)]' "$decisions")"
check 'rows are those of xenmeter guard, in steps' cmp "$decisions" \
    <("$XENMETER" guard -q --policy "$policy" --names "$scratch/names" -f jsonl "$trace")
check 'by the rows, too' between 4.5 5.5 "$(metered)"
check 'none was dropped' equal 0 "$(jq '.domains[3].work.packets_dropped' "$truth")"
limit 5% '"actions":{"network":"cap=1"}'
guarded
check 'a capped guest runs for 1 %' between 0.9 1.2 "$(jq '[.seconds[8:18][] | .domains[3].vcpus[].running_ns] | add / 1e8' "$truth")"

group 'several devices'
host '.domains[3].loads[0] as $one | .domains[3].loads = [range(4) as $i | $one + {transport: "udp", packets_per_s: 20000, vif: $i}]'
limit 5% '"actions":{"network":"netback-rate=1000"}'
simulate
check 'not held' between 15 60 "$(charged)"
guarded --counts "$scratch/counts.csv"
check 'all are held' between 4.5 5.6 "$(charged)"
check 'each is counted' equal 'vif3.0 vif3.1 vif3.2 vif3.3' "$(grep -o 'vif3\.[0-9]*' "$scratch/counts.csv" | sort -u | paste -sd' ')"
check 'a device that no guest can have' refuses 'vif.* 0 to 15' simulate <(jq '.domains[3].loads[0].vif = 16' "$scenario")

group 'live'
hands=$scratch/hands
export XENMETER_SIMULATED=$hands
host '.duration_s = 9 | .domains[3].loads[0].start_s = 2'
limit 5%
live() { exec "$XENMETER" simulate --realtime --hooks "$hands" --truth "$truth" "$scenario" 2>"$scratch/host.err"; }
guard() {
    exec "$XENMETER" guard --policy "$policy" --exec --hook share/hooks/simulated --state "$scratch/state" \
        -f jsonl -o "$decisions" - 2>"$err"
}
state() { awk '$1 == 3 { print $2 }' "$hands/state" 2>/dev/null; }
state_is() { [ "$(state)" = "$1" ]; }
no_holds() { ! compgen -G "$hands/hold.*" >/dev/null; }
begun=$SECONDS
live | guard
check 'the host takes as long as it says' test $((SECONDS - begun)) -ge 8
check 'its truth is written' between 1 9 "$(jq '.seconds | length' "$truth")"
check 'the transfer is held' said '.decision == "block" and .carried_out == "set"'
check 'and let back' said '.decision == "release"'
check 'it takes 5 %, a few points more or less' between 1 12 "$(jq '[.seconds[2:][] | .charged[] | select(.domain == 3).cpu_ns] | add / 7e7' "$truth")"
check 'packets of nobody else were dropped' equal 0 "$(jq '[.domains[:3][].work.packets_dropped] | add' "$truth")"
check 'nothing is left' no_holds
host '.duration_s = 3600 | .domains[3].loads[0].start_s = 1'
mkfifo "$scratch/pipe"
live | tee -p "$scratch/pipe" >/dev/null &
host=$!
guard <"$scratch/pipe" &
check 'held' soon state_is drop
echo '{"domains":{"transfer":{"limit":"90%"}}}' >"$policy"
pid=$(pgrep -f "guard --policy $policy")
kill -HUP "$pid"
check 'SIGHUP: the policy is read again' soon says "$err" 'policy.json: was read again'
check 'its limit is another one' soon state_is free
echo '{"domains":{"web10":{"limit":"90%"}}}' >"$policy"
kill -HUP "$pid"
limit 500%
kill -HUP "$pid"
check 'a wrong policy: the old one stays' soon says "$err" 'the policy stays as it was'
limit 5% '"window":"1s"'
kill -HUP "$pid"
check 'another window: too' soon says "$err" 'another window needs a new start: the policy stays'
limit 5%
kill -HUP "$pid"
check 'held again' soon state_is drop
{ kill -9 "$(pgrep -f "guard --policy $policy")" && wait $!; } 2>/dev/null
check 'the guard is killed: the guest is free soon' soon state_is free
pkill -TERM -f "simulate --realtime --hooks $hands"
wait $host
host_has_ended() { ! pgrep -f "simulate --realtime --hooks $hands" >/dev/null; }
soon host_has_ended
rm -f "$hands/state"
live | guard &
guard=$!
check 'another one holds it' soon state_is drop
pkill -9 -f "simulate --realtime --hooks $hands" 2>/dev/null
wait $guard
check 'the host is killed: the guard ends, and has found somebody' equal 1 $?
check 'and leaves nothing' no_holds
soon host_has_ended
rm -f "$hands/state" # what the one before left is not taken for this one's
live >"$scratch/cut.xt" &
check 'the host runs again' soon state_is free
check 'one at a time' refuses 'another simulation uses it' simulate --realtime --hooks "$hands" -o "$trace" "$scenario"
pkill -TERM -f "simulate --realtime --hooks $hands"
wait $!
check 'TERM: a whole trace' equal 0 $?
check 'and the truth' between 1 10 "$(jq '.seconds | length' "$truth")"
check 'which is readable' "$XENMETER" info -q "$scratch/cut.xt" -o /dev/null
no_state() { [ ! -e "$hands/state" ]; }
check 'and no state' no_state

group 'wrong policies'
no_guard() { # PATTERN OPTION...
    rm -f "$trace" "$truth" "$decisions"
    simulate "${@:2}"
    check "$1: exit code" exits 2
    check "$1: one line" equal 1 "$(wc -l <"$err")"
    check "$1: says so" says "$err" "$1"
    check "$1: nothing is written" equal '' "$(ls "$trace" "$truth" "$decisions" 2>/dev/null)"
}
wrong_policy() { # POLICY PATTERN
    printf '%s' "$1" >"$policy"
    no_guard "$2" --with guard="$policy" --decisions "$decisions"
}
one='"domains":{"3":{"limit":"5%"}}'
wrong_policy '{"domains":{"3":{"limit":"105%"}}}' "domains.3.limit: '105%' is not a part"
wrong_policy '{"domains":{"7":{"limit":"5%"}}}' 'domains.7: the scenario has no such domain'
wrong_policy '{"domains":{"trnsfer":{"limit":"5%"}}}' 'domains.trnsfer: the scenario has no such domain'
wrong_policy '{"domains":{"3":{"driver_domains":{"9":"5%"}}}}' 'domains.3.driver_domains.9: the scenario has no such domain'
wrong_policy '{"domains":{"dom0":{"limit":"5%"}}}' 'domains.dom0: domain 0 is never acted on'
wrong_policy '{"domains":{"3":{"limit":"5%"},"transfer":{"limit":"6%"}}}' 'the same as domains.3'
wrong_policy "{$one,\"exempt\":[\"9\"]}" 'exempt\[0\]: the scenario has no such domain'
wrong_policy "{$one,\"actions\":{\"network\":\"nft\"}}" 'actions.network: a simulated host knows drop, rate=KBIT, netback-rate=KBIT, low, cap=PERCENT and none'
wrong_policy "{$one,\"actions\":{\"network\":\"pause\"}}" 'actions.network: a simulated host knows'
wrong_policy "{$one,\"actions\":{\"disk\":\"netback-rate=100\"}}" 'actions.disk: a simulated host knows pause, low, cap=PERCENT and none'
wrong_policy "{$one,\"actions\":{\"network\":\"netback-rate=0\"}}" 'actions.network: a simulated host knows'
wrong_policy "{$one,\"actions\":{\"network\":\"cap\"}}" 'actions.network: a simulated host knows'
wrong_policy "{$one,\"actions\":{\"network\":\"low=3\"}}" 'actions.network: a simulated host knows'
printf '{%s,"actions":{"network":"cap=5"}}' "$one" >"$policy"
printf '{"domains":{"web10":{"share":"33%%"}}}' >"$scratch/debts.json"
no_guard 'cap and the ledger of --with debt= set the same parameter' --with guard="$policy" --with debt="$scratch/debts.json"
host '.host = { pcpus: 4, scheduler: "null" } | .domains |= map({ id, name, driver_domain, loads } | del(..|nulls))'
no_guard 'the scheduler null has no caps' --with guard="$policy"
host
limit 5%
no_guard '--with gard=x: wants debt=POLICY or guard=POLICY' --with gard=x
no_guard '--decisions wants --with guard=POLICY' --decisions "$decisions"
no_guard '--delay wants --with' --delay 1s
no_guard '--hooks wants --realtime' --hooks "$hands"
no_guard 'cannot be made' --realtime --hooks "$scenario/x"
no_guard 'is what is to be read' --with guard="$policy" --decisions "$policy"
no_guard 'a file of its own, beside --truth' --with guard="$policy" --decisions "$truth"
run simulate --with guard=- - -o "$trace" </dev/null
check 'policy and scenario on standard input' says "$err" 'cannot both be standard input'

finish
