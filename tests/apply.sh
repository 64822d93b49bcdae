#!/bin/bash
# xenmeter debt --apply: which commands are planned, that they are run and undone, whatever happens to the program or to xl.
#
# The host is tests/fake-xl.
# shellcheck source=tests/lib.sh disable=SC2016,SC2317 # functions are called through check
. "$(dirname "$0")/lib.sh"

fixture=fixtures/mixed-credit.xt.zst
xl=$PWD/tests/fake-xl
host=$scratch/host
state=$scratch/state.json
stop=$scratch/stop
log=$scratch/log.jsonl
reserve=(--reserve '1=40%,2=30%,3=50%')
export FAKE_XL=$host
zstd -q -d "$fixture" -o "$scratch/trace.xt"

# A host with three guests, nothing set, and nothing left of the test before.
new_host() {
    rm -rf "$host" "$state" "$state.lock" "$stop" "$log"
    mkdir "$host"
    printf '0 2 Domain-0\n1 1 g1\n2 1 g2\n3 2 web server\n' >"$host/guests"
}
pipes=0
enforcing=(--exec --hook "$xl" --state "$state" --kill-switch "$stop" --log "$log")
apply() { run debt -q "${reserve[@]}" --apply "$@"; }
cap() { cut -d' ' -f2 "$host/credit2.$1" 2>/dev/null; } # DOMAIN
rows_hold() { jq -se "$1" "$2" >/dev/null; } # the same of all rows of JSON lines
caps() { echo "$(cap 1) $(cap 2) $(cap 3)"; }
calls() { grep -c -e "$1" "$host/calls"; } # PATTERN
capped() { [ -e "$host/credit2.3" ] && [ "$(caps)" != '0 0 0' ]; }

# The trace as from a host: 15 s of it, or the first `steps` of a hundred parts; then nothing for a while.
play() { # [SECONDS]
    local i
    for ((i = 0; i < ${steps:-100}; i++)); do
        dd bs=192719 skip=$i count=1 if="$scratch/trace.xt" status=none 2>/dev/null
        sleep 0.15
    done
    sleep "${1:-0}"
}

# Starts the program in the background, on a live trace; $pid.
start() { # OPTION...
    pipe=$scratch/pipe.$((pipes += 1)) # one that nobody writes to any more
    mkfifo "$pipe"
    play 60 >"$pipe" 2>/dev/null &
    player=$!
    : >"$out" >"$err" # here: what the one before wrote is gone before anybody looks
    attended "$XENMETER" debt "${reserve[@]}" --apply credit2 "${enforcing[@]}" --live 500ms -f jsonl "$@" - \
        <"$pipe" >"$out" 2>"$err" &
    pid=$!
}
# What the program has run on the host has ended, too, though the program was killed.
hands_have_ended() { [ ! -e "$1/busy" ] || flock ${2:+"$2"} "$1/busy" true; } # FOLDER [-n]
end() { # waits for the program: $status
    wait "$pid" 2>/dev/null
    status=$?
    hands_have_ended "$host"
    [ -z "${FAKE_HOOK:-}" ] || hands_have_ended "$FAKE_HOOK"
    pkill -P "$player" 2>/dev/null
    kill "$player" 2>/dev/null
    wait "$player" 2>/dev/null
}

group 'wrong arguments'
check 'a scheduler' refuses '--apply null: wants credit, credit2 or rtds' debt "${reserve[@]}" --apply null "$fixture"
check 'a mode' refuses '--mode act: wants observe, advise or enforce' debt "${reserve[@]}" --apply credit2 --mode act "$fixture"
for option in --exec '--mode observe' '--hook x' '--log x' '--kill-switch x' '--protect 1' '--govern step=2%' '--timeout 1s' '--state x'; do
    # shellcheck disable=SC2086 # words
    check "$option alone" refuses 'wants --apply credit' debt "${reserve[@]}" $option "$fixture"
done
for bad in x dwell dwell=2 dwell=2h step=101% step=1 least=0% least=x actions=-1 actions=1000001 actions=1x flaps=1001 '' ','; do
    check "--govern '$bad'" refuses '^xenmeter: --govern ' debt "${reserve[@]}" --apply credit2 --govern "$bad" "$fixture"
done
for bad in 5 5h 1ms x; do
    check "--timeout $bad" refuses '--timeout .*wants a length' debt "${reserve[@]}" --apply credit2 --timeout "$bad" "$fixture"
done
check '--restore with more' refuses 'no FILE, reservations' debt --restore "${reserve[@]}"
check '--hook of nothing' refuses '--hook wants a command' debt "${reserve[@]}" --apply credit2 --hook ' ' "$fixture"
new_host
check 'a bad policy: nothing is run' refuses '77=.*never appears' debt -q --reserve 77=1% --apply credit2 --exec --hook "$xl" \
    --state "$state" --kill-switch "$stop" "$fixture"
check 'a bad policy: nothing is set' equal 0 "$(calls ' -d ')"
check 'an unknown name' refuses 'no domain has this name' debt -q --reserve nobody=1% --apply credit2 "${enforcing[@]}" "$fixture"

group 'advice'
new_host
apply credit2 -f jsonl --hook "$xl" "$fixture"
check 'it is the default' exits 0
check 'nothing is run' not test -e "$host/calls"
# Of allowances in 500 ms.
cap_of_row='((.allowance_ns / 5000000 + 0.5) | floor)'
check 'caps' rows_hold "length > 80 and all(.[] | select(.command); .command == \"$xl sched-credit2 -d \(.domain) -c \($cap_of_row)\")" "$out"
check 'in the first interval for all' equal 3 "$(head -n 3 "$out" | grep -c sched-credit2)"
check 'whole per cent, the nearest' rows_hold 'map(select(.command)) | length > 40 and
    all(.[]; (.command | split(" ")[-1] | tonumber) == ((.allowance_ns / 5000000 + 0.5) | floor))' "$out"
apply credit -f jsonl "$fixture"
check 'credit' rows_hold "all(.[] | select(.command); .command == \"xl sched-credit -d \(.domain) -c \($cap_of_row)\") and any(.[]; .command)" "$out"
apply rtds -f jsonl "$fixture"
# Of periods of 10 ms; domain 3 has two vCPUs.
budget_of_row='((.allowance_ns / 500 | round) / 100 / (if .domain == 3 then 2 else 1 end) | floor)'
check 'rtds' rows_hold "all(.[] | select(.command); .command == \"xl sched-rtds -d \(.domain) -p 10000 -b \($budget_of_row) -e 0\") and any(.[]; .command)" "$out"
run debt -q --reserve '1=0.2%,2=0.001%' --floor 0% --apply credit2 --govern least=0.001% -f jsonl "$fixture"
check 'an allowance is never cap 0' equal 'xl sched-credit2 -d 1 -c 1,xl sched-credit2 -d 2 -c 1' \
    "$(head -n 2 "$out" | jq -r .command | paste -sd,)"
apply credit2 --mode observe --log "$log" -f jsonl "$fixture"
check 'observing: no commands' equal null "$(jq .command "$out" | sort -u)"
check 'observing: every decision is logged' equal "$(grep -c 'decision":"[shk]' "$out")" "$(wc -l <"$log")"
check 'observing: with its command' says "$log" '"command":"xl sched-credit2 -d 1 -c [0-9]*"'
cp "$log" "$scratch/observed"
rm "$log"
apply credit2 --log "$log" -f jsonl "$fixture"
check 'advising decides the same' equal "$(jq -c 'del(.time, .mode)' "$scratch/observed")" "$(jq -c 'del(.time, .mode)' "$log")"
apply credit2 --protect 1,3 -f jsonl "$fixture"
check 'protected guests' equal 'refused: protected,set,refused: protected' "$(head -n 3 "$out" | jq -r .decision | paste -sd,)"
run debt -q --reserve 0=50%,2=20% --apply credit2 -f jsonl "$fixture"
check 'domain 0 is never touched' equal 'refused: a driver domain' "$(jq -r 'select(.domain == 0) | .decision // empty' "$out" | sort -u)"

group 'the governor'
decisions() { jq -r 'select(.domain == 2) | .decision // empty' "$out"; }
apply credit2 --govern dwell=2s,step=0% -f jsonl "$fixture"
check 'dwell time: every fourth interval' equal 'set,hold: within the dwell time,hold: within the dwell time,hold: within the dwell time,set' \
    "$(decisions | head -n 5 | paste -sd,)"
apply credit2 --govern actions=4 -f jsonl "$fixture"
check 'actions in an hour' equal 4 "$(jq -r .command "$out" | grep -c xl)"
check 'that they are too many is said' rows_hold 'any(.[]; .decision == "hold: too many actions in an hour")' "$out"
apply credit2 --govern step=100% -f jsonl "$fixture"
check 'a large step' equal 'hold: smaller than the step' "$(decisions | tail -n +2 | sort -u)"
apply credit2 --govern least=35% -f jsonl "$fixture"
check 'nothing is set below' equal 35 "$(jq -r 'select(.domain == 2) | .command // empty' "$out" | cut -d' ' -f6 | sort -u)"

group 'enforcing'
new_host
apply credit2 "${enforcing[@]}" -f jsonl "$fixture"
check 'it is done' exits 0
check 'caps are set' equal "$(head -n 1 "$out" | jq -r .command | cut -d' ' -f2-)" "$(grep -m1 -e '-d 1' "$host/calls")"
# On a busy machine a decision may be overtaken by a newer one.
not_planned() { grep -e '-d 2' "$host/calls" | grep -v -e '-c 0' | grep -vxF -f <(jq -r 'select(.domain == 2) | .command // empty' "$out" | cut -d' ' -f2-); }
check 'nothing but what rows say' equal '' "$(not_planned)"
check 'and some of it' test "$(grep -e '-d 2' "$host/calls" | grep -vc -e '-c 0')" -gt 0
check 'and given back at the end' equal '0 0 0' "$(caps)"
check 'domain 0 was not touched' equal 0 "$(calls '-d 0')"
check 'no state is left' not test -e "$state"
check 'what was done is in the log' equal true "$(jq -s '[.[] | select(.event == "done")] | length > 3' "$log")"
new_host
echo '256 70' >"$host/credit2.1"
echo '9000 3000 no' >"$host/rtds.1"
printf '10000 4000 yes\n20000 5000 no\n' >"$host/rtds.3"
cp -r "$host" "$scratch/former"
apply credit2 "${enforcing[@]}" "$fixture"
check 'a former cap is given back' equal '70 0 0' "$(caps)"
apply rtds "${enforcing[@]}" -f jsonl "$fixture"
# The allowances of the first interval, in the periods that there were.
budgets() { jq -sr ".[:3][] | select(.domain != 2) | (.allowance_ns / 500 | round) as \$ppm |
    if .domain == 1 then \$ppm * 9000 / 1000000 else \$ppm * 10000 / 1000000 / 2 end | floor" "$out" | paste -sd' '; }
check 'rtds: budgets, shared by the vCPUs, without extra time' equal \
    "$(budgets | sed 's/\(.*\) \(.*\)/sched-rtds -d 1 -p 9000 -b \1 -e 0,sched-rtds -d 3 -p 10000 -b \2 -e 0/')" \
    "$(grep -e 'rtds -d [13]' "$host/calls" | head -n 2 | paste -sd,)"
check 'rtds: each vCPU has what it had' equal "$(cat "$scratch/former/rtds."[13])" "$(cat "$host/rtds."[13])"
new_host
run debt -q --reserve 'g1=40%,web server=30%' --apply credit2 "${enforcing[@]}" -f jsonl "$fixture"
check 'names are the host'\''s' equal 'g1,web server' "$(head -n 2 "$out" | jq -r .name | paste -sd,)"

group 'an xl that fails'
new_host
echo 2 >"$host/fail-list"
apply credit2 "${enforcing[@]}" "$fixture"
check 'a list that fails twice is tried again' exits 0
new_host
: >"$host/fail-list"
check 'no list: nothing is done' refuses 'sched-credit2: exit code 3: libxl: error: told to fail' debt -q "${reserve[@]}" \
    --apply credit2 "${enforcing[@]}" "$fixture"
check 'and nothing set' equal 0 "$(calls ' -d ')"
check 'no such command' refuses 'no-such-xl: cannot be run' debt -q "${reserve[@]}" --apply credit2 "${enforcing[@]}" --hook /no-such-xl "$fixture"
for garbage in '' 'x' 'Name ID Weight Cap' 'Name ID Weight Cap\ng1 1 256' 'Name ID Weight Cap\ng1 1 256 x' 'Name ID Weight Cap\ng1 1 256 99999' \
    'Name ID Weight Cap\ng1 99999 256 0' 'Name ID Weight Cap\ng1 -1 256 0' 'Name ID Weight Cap\ng1 1 256 0\ng1 1 256 0' \
    'Name ID Weight Cap\ng1 1 256 0\0' 'Name ID Weight Cap\ng1 1 256 18446744073709551617' 'Name ID Weight\ng1 1 256' 'g1 1 256 0' '\377\376\033[2J'; do
    # shellcheck disable=SC2059 # a format
    printf "$garbage" >"$host/list-text"
    rm -f "$host/fail-list"
    check "a list of garbage: $garbage" refuses 'list of parameters\|no domain is scheduled' debt -q "${reserve[@]}" --apply credit2 "${enforcing[@]}" "$fixture"
done
head -c 3000000 /dev/zero | tr '\0' 'x' >"$host/list-text"
check 'a list without end' refuses 'prints more than 1024 KiB' debt -q "${reserve[@]}" --apply credit2 "${enforcing[@]}" "$fixture"
new_host
: >"$host/fail-set"
apply credit2 "${enforcing[@]}" "$fixture"
check 'nothing can be set: the ledger goes on' exits 0
check 'it is said once for each guest' equal 3 "$(grep -c 'cannot be set to .* told to fail; this goes on being tried' "$err")"
check 'nothing is left' not test -e "$state"
new_host
echo 4 >"$host/fail-set"
apply credit2 "${enforcing[@]}" "$fixture"
check 'it works again' says "$err" 'domain 1 (g1): was set to'
check 'and all is given back' equal '0 0 0' "$(caps)"

group 'an xl that hangs or is slow'
new_host
start --timeout 3s
soon capped
: >"$host/hang-set"
: >"$host/hang-list"
check 'it hangs' soon test -e "$host/hangs"
before=$(wc -l <"$out")
more_rows() { [ "$(wc -l <"$out")" -gt "$before" ]; }
check 'the trace is read on' soon more_rows
check 'that it hangs is said' soon says "$err" 'has not ended within 3 s, and was killed'
rm "$host"/hang-*
kill -TERM $pid
end
check 'SIGTERM ends it' exits 0
check 'all is given back' equal '0 0 0' "$(caps)"
check 'no hanging xl is left' hands_have_ended "$host" -n
new_host
: >"$host/hang-list"
run debt -q "${reserve[@]}" --apply credit2 "${enforcing[@]}" --timeout 100ms "$fixture"
check 'it hangs from the beginning' refused_once
new_host
start
soon capped
echo 1.2 | replace "$host/slow"
soon says "$err" 'the commands take longer than the feedback interval'
rm "$host/slow"
kill -INT $pid
end
check 'slower than the interval: it ends well' exits 0
check 'that decisions are skipped is said' says "$err" 'the commands take longer than the feedback interval'
check 'how many is said' says "$err" '[0-9] decisions were skipped'
check 'all is given back then' equal '0 0 0' "$(caps)"

group 'signals, at any moment'
for signal in INT TERM HUP; do
    for moment in 0.05 0.4 0.9 1.7; do
        new_host
        start
        sleep $moment
        kill -$signal $pid
        end
        check "$signal after $moment s: nothing stays set" equal '' "$(cat "$host"/credit2.[0-3] 2>/dev/null | grep -v ' 0$')"
        check "$signal after $moment s: no state is left" not test -e "$state"
    done
done
for signal in KILL QUIT ABRT SEGV USR1 ALRM; do
    new_host
    echo '256 70' >"$host/credit2.1"
    start
    soon capped
    [ $signal = KILL ] && sleep 0.8
    soon test -e "$state"
    kill -$signal $pid
    end
    "$XENMETER" debt -q --restore --state "$state" --hook "$xl" 2>"$err"
    check "$signal: --restore" equal 0 $?
    check "$signal: gives back what was there" equal '70 0 0' "$(caps)"
    check "$signal: no state is left" not test -e "$state"
done
run debt --restore --state "$state" --hook "$xl"
check 'nothing to restore is said' says "$err" 'there is nothing to give back'
check 'and is no error' exits 0
new_host
start
soon capped
kill -KILL $pid
end
echo '256 33' >"$host/credit2.1"
run debt --restore --state "$state" --hook "$xl"
check '--restore leaves alone what somebody changed' equal '33 0 0' "$(caps)"
check 'and says so' says "$err" 'domain 1 (g1): has "-c 33" instead of .*: somebody else set it'
new_host
start
soon capped
kill -KILL $pid
end
sed -i 's/^1 1 g1/1 1 other/' "$host/guests"
was=$(cap 1)
run debt --restore --state "$state" --hook "$xl"
check '--restore leaves alone an id that is another guest'\''s' equal "$was 0 0" "$(caps)"
new_host
start
soon capped
kill -KILL $pid
end
apply credit2 "${enforcing[@]}" "$fixture"
check 'the next start gives back first' equal '0 0 0' "$(caps)"
check 'and says so' says "$err" 'has not given back what it set for 3 guests: it is given back now'
for damage in 'xyz' '{}' '{"schema":"xenmeter.state/1","boot":"","means":"credit2","command":["xl"],"guests":[{"domain":1}],"exempt":[]}'; do
    echo "$damage" >"$state"
    check "a damaged state: $damage" refuses 'is no state of xenmeter, or is damaged' debt --restore --state "$state" --hook "$xl"
done
jq -n --arg boot "$(cat /proc/sys/kernel/random/boot_id)" '{schema: "xenmeter.state/1", boot: $boot, means: "credit2", command: ["xl"],
    guests: [{domain: 1, name: "g1", former: "-c 0; reboot", set: "-c 1", before: "-c 0"}], exempt: []}' >"$state"
check 'a state with a foreign value' refuses 'has parameters of domain 1 that are none' debt --restore --state "$state" --hook "$xl"
chmod 666 "$state"
check 'a state that others may write' refuses 'others may write it' debt --restore --state "$state" --hook "$xl"
rm -f "$state"

group 'others on the host'
new_host
start
soon capped
second() { # what it prints goes elsewhere than what the first one prints
    local out=$scratch/second err=$scratch/second.err
    refuses 'another xenmeter (process [0-9]*).* acts on this host' debt -q "${reserve[@]}" --apply credit2 "${enforcing[@]}" "$fixture"
}
check 'a second instance refuses' second
said_after_change() { # what is set at the same moment takes its place: then it is changed once more
    [ "$(cap 2)" = 99 ] || echo '256 99' | replace "$host/credit2.2"
    says "$err" "$1"
}
check 'an administrator changes a cap: it is said' soon said_after_change 'domain 2 (g2): has "-c 99" instead of .*somebody else set it; it is released'
check 'the rows say so' soon says "$out" 'refused: changed by others'
kill -TERM $pid
end
check 'it keeps what the administrator set' equal '0 99 0' "$(caps)"
new_host
start
soon capped
soon [ "$(cap 1)" != 0 ]
printf '0 2 Domain-0\n2 1 g2\n3 2 web server\n9 1 g1\n' | replace "$host/guests"
sleep 1
kill -TERM $pid
end
check 'a guest that was rebooted meanwhile: the others are given back' equal '0 0' "$(cap 2) $(cap 3)"
check 'its new id was not touched' equal 0 "$(calls '-d 9')"

group 'a policy that changes'
new_host
# With these floors next to nothing is repaid.
echo '{"domains": {"1": {"share": "40%", "floor": "99.9%"}, "2": {"share": "30%", "floor": "99.9%"}}}' >"$scratch/policy.json"
pipe=$scratch/pipe.$((pipes += 1)) # one that nobody writes to any more
mkfifo "$pipe"
play 60 >"$pipe" 2>/dev/null &
player=$!
attended "$XENMETER" debt --policy "$scratch/policy.json" --apply credit2 "${enforcing[@]}" --live 500ms -f jsonl - <"$pipe" >"$out" 2>"$err" &
pid=$!
caps_are() { [ "$(caps)" = "$1" ]; }
check 'as it says' soon caps_are '40 30 0'
echo '{"domains": {"1": {"share": "50%", "floor": "99.9%"}, "3": {"share": "20%", "floor": "99.9%"}}}' | replace "$scratch/policy.json"
kill -HUP $pid
check 'SIGHUP: it is read again' soon says "$err" 'policy.json: was read again'
check 'SIGHUP: it holds' soon caps_are '50 30 20'
echo '{"domains": {"1": {"share": "5000%"' >"$scratch/policy.json"
kill -HUP $pid
check 'a wrong one: it is said' soon says "$err" 'policy.json: .*: the policy stays as it was'
check 'it goes on' kill -TERM $pid
end
check 'it ends as ever' exits 0
check 'all is given back' equal '0 0 0' "$(caps)"

group 'kill switch, and a trace that stops'
new_host
: >"$stop"
check 'it is there at the beginning' refuses 'the kill switch is there' debt -q "${reserve[@]}" --apply credit2 "${enforcing[@]}" "$fixture"
new_host
start
soon capped
: >"$stop"
nothing_is_set() { [ "$(caps)" = '0 0 0' ]; }
check 'it appears: all is given back' soon nothing_is_set
check 'this is said' soon says "$err" 'the kill switch is there: everything was given back'
check 'the rows say so' soon says "$out" 'refused: the kill switch'
check 'nothing is set any more' equal '0 0 0' "$(caps)"
kill -TERM $pid
end
check 'it ends as ever' exits 0
new_host
steps=30 start
soon capped
check 'no records for 5 s: all is given back' soon nothing_is_set
check 'this is said' soon says "$err" 'no records have come for too long: everything was given back'
kill -TERM $pid
end

group 'guard by a hook'
hook=$PWD/tests/fake-hook
export FAKE_HOOK=$scratch/hooked
new_hook() {
    rm -rf "$FAKE_HOOK" "$state" "$state.lock" "$stop" "$log"
    mkdir "$FAKE_HOOK"
    printf '1\n2\n3\n' >"$FAKE_HOOK/guests"
}
guard() { run guard -q --limit 2=2%,1=3% --hook "$hook" "$@" "$fixture"; }
by_hook=(--exec --state "$state" --kill-switch "$stop" --log "$log")
new_hook
check '--exec alone' refuses '--mode wants --hook CMD' guard --limit 2=2% --exec "$fixture"
check '--restore with more' refuses 'no FILE and no limits' guard --restore --limit 2=2%
guard -g action -f jsonl
check 'advice: it found offenders' exits 1
check 'advice: calls' equal "$hook hold 2 - - drop,$hook hold 1 - - drop,$hook release 1 - -" "$(head -n 3 "$out" | jq -r .command | paste -sd,)"
check 'advice: the hook is asked what it reaches, and no more' equal describe "$(cat "$FAKE_HOOK/calls")"
for bad in '{}' 'x' '{"contract":2,"kinds":["network"],"directions":["from","to"],"actions":["drop"]}' '{"contract":1,"kinds":["network"],"directions":["from","to"],"actions":[]}'; do
    echo "$bad" >"$FAKE_HOOK/describe"
    check "what is no hook: $bad" refuses 'is no description of a hook' guard --limit 2=2% --hook "$hook" "$fixture"
done
describes() { # KINDS DIRECTIONS ACTIONS
    jq -n --arg k "$1" --arg d "$2" --arg a "$3" '{contract: 1, kinds: ($k / ","), directions: ($d / ","), actions: ($a / ",")}' >"$FAKE_HOOK/describe"
}
describes network to drop
check 'a hook that reaches one direction alone' refuses 'does not reach what a guest sends: take another hook' guard --limit 2=2% --hook "$hook" "$fixture"
guard --traffic to
check 'if that is meant it will do' exits 1
check '--traffic' refuses '--traffic up: wants both, from' guard --limit 2=2% --hook "$hook" --traffic up "$fixture"
describes network from,to rate
check 'a hook without the action' refuses "has none of the policy's actions (network: drop, disk: pause), but rate" guard --limit 2=2% --hook "$hook" "$fixture"
describes cpu from,to drop
check 'a hook that reaches no I/O' refuses 'reaches neither network nor disks' guard --limit 2=2% --hook "$hook" "$fixture"
describes disk from,to pause,low
guard -g action -f jsonl
check 'a hook for disks: their action' equal "$hook hold 2 - - pause" "$(head -n 1 "$out" | jq -r .command)"
echo '{"domains": {"2": {"limit": "2%"}}, "actions": {"network": "rate=800"}}' >"$scratch/guard.json"
rm "$FAKE_HOOK/describe"
run guard -q --policy "$scratch/guard.json" --hook "$hook" -g action -f jsonl "$fixture"
check 'an action with a value' equal "$hook hold 2 - - rate=800" "$(head -n 1 "$out" | jq -r .command)"
echo '{"domains": {"1": {"limit": "3%"}}, "actions": {"network": "rate=800", "disk": "none"}, "steps": 2}' >"$scratch/guard.json"
new_hook
run guard -q --policy "$scratch/guard.json" --hook "$hook" "${by_hook[@]}" "$fixture"
check 'in steps: each of them is a call' equal 'hold 1 rate=800,hold 1 rate=1600,hold 1 rate=3200,release 1 ' \
    "$(awk '$1 == "hold" || $1 == "release" { print $1, $2, $5 }' "$FAKE_HOOK/calls" | head -n 4 | paste -sd,)"

group 'several hooks'
# The same program in the places of two hooks: one for the network, one for disks.
for kind in network disk; do
    printf '#!/bin/sh\nFAKE_HOOK=%s exec %s "$@"\n' "$scratch/hooked-$kind" "$hook" >"$scratch/$kind"
    chmod +x "$scratch/$kind"
done
new_hooks() {
    new_hook
    rm -rf "$scratch"/hooked-*
    for kind in network disk; do
        mkdir "$scratch/hooked-$kind"
        printf '1\n2\n' >"$scratch/hooked-$kind/guests"
    done
    FAKE_HOOK=$scratch/hooked-network describes network from,to drop
    FAKE_HOOK=$scratch/hooked-disk describes network,disk from,to low
}
both="$scratch/network + $scratch/disk"
echo '{"domains": {"2": {"limit": "2%"}}, "actions": {"network": "drop", "disk": "low"}}' >"$scratch/guard.json"
by_both() { run guard -q --policy "$scratch/guard.json" --hook "$both" -f jsonl "$@" "$fixture"; }
new_hooks
by_both -g action
check 'advice: the calls of both' equal "$scratch/network hold 2 - - drop; $scratch/disk hold 2 - - low" "$(head -n 1 "$out" | jq -r .command)"
echo '{"domains": {"1": {"limit": "3%"}}, "actions": {"network": "drop", "disk": "low"}}' >"$scratch/guard1.json"
run guard -q --policy "$scratch/guard1.json" --hook "$both" -f jsonl -g action "$fixture"
check 'and to release it' says "$out" 'network release 1 - -; .*disk release 1 - -'
by_both "${by_hook[@]}"
check 'enforcing: found somebody' exits 1
for kind in network disk; do
    check "enforcing: $kind held it" says "$scratch/hooked-$kind/calls" "^hold 2 - - "
    check "enforcing: $kind renewed it, by its own action" says "$scratch/hooked-$kind/calls" "^renew 2:$([ $kind = disk ] && echo low || echo drop):-$"
    check "enforcing: $kind has released it" equal '' "$(find "$scratch/hooked-$kind" -name 'held.*')"
done
check 'enforcing: no state is left' not test -e "$state"
live_by_both() {
    pipe=$scratch/pipe.$((pipes += 1))
    mkfifo "$pipe"
    play 60 >"$pipe" 2>/dev/null &
    player=$!
    attended "$XENMETER" guard --policy "$scratch/guard.json" --hook "$both" "${by_hook[@]}" --live 200ms -f jsonl - <"$pipe" >"$out" 2>"$err" &
    pid=$!
}
both_hold() { [ -e "$scratch/hooked-network/held.2" ] && [ -e "$scratch/hooked-disk/held.2" ]; }
none_holds() { [ ! -e "$scratch/hooked-network/held.2" ] && [ ! -e "$scratch/hooked-disk/held.2" ]; }
new_hooks
live_by_both
check 'both hold it' soon both_hold
rm "$scratch/hooked-disk/held.2"
check 'what one of them lost is made again' soon both_hold
run guard status --state "$state"
check 'status shows both' says "$out" '^domain 2: drop+low, before: free'
kill -KILL $pid
end
run guard --restore -q --state "$state"
check 'SIGKILL: --restore releases by both' none_holds
new_hooks
touch "$scratch/hooked-disk/fail"
by_both "${by_hook[@]}"
check 'one fails: the other holds' says "$scratch/hooked-network/calls" '^hold 2 '
check 'one fails: it is said' says "$err" 'told to fail'
new_hooks
FAKE_HOOK=$scratch/hooked-network describes network from drop
FAKE_HOOK=$scratch/hooked-disk describes network to drop
by_both
check 'one for each direction: together they reach both' exits 1
FAKE_HOOK=$scratch/hooked-disk describes network from drop
check 'neither reaches what it receives' refuses 'what --hook names does not reach what a guest receives' guard --limit 2=2% --hook "$both" "$fixture"
FAKE_HOOK=$scratch/hooked-disk describes disk from,to pause-it
check 'one without an action of the policy' refuses "disk has none of the policy's actions" guard --limit 2=2% --hook "$both" "$fixture"
for bad in "$scratch/network +" "+ $scratch/network" "$scratch/network + + $scratch/disk"; do
    check "$bad" refuses 'there must be a hook before and after each +' guard --limit 2=2% --hook "$bad" "$fixture"
done
check 'too many' refuses 'at most 4 hooks' guard --limit 2=2% --hook 'a + b + c + d + e' "$fixture"

group 'guard by a hook: on a host'
new_hook
guard "${by_hook[@]}" -f jsonl
check 'enforcing: it found offenders' exits 1
check 'enforcing: charge and limit are arguments' says "$FAKE_HOOK/calls" \
    "^hold 2 - - drop $(jq -sr 'map(select(.domain == 2))[0].charged_ns / 2000000' "$out" | xargs printf %.3f) 2.000\$" # per cent of 200 ms
check 'enforcing: the evidence is on standard input' equal "$(jq -sr 'map(select(.domain == 2))[0].charged_ns' "$out")" \
    "$(head -n 1 "$FAKE_HOOK/input" | jq .charged_ns)"
check 'enforcing: what is held is renewed, all at once' says "$FAKE_HOOK/calls" '^renew 2:drop:- 1:drop:-$'
check 'enforcing: it lasts three intervals of a second' equal 3 "$(cat "$FAKE_HOOK/expires")"
nobody_is_held() { ! compgen -G "$FAKE_HOOK/held.*" >/dev/null; }
check 'enforcing: all are released at the end' nobody_is_held
check 'enforcing: no state is left' not test -e "$state"
check 'what was done is in the log' equal true "$(jq -s '[.[] | select(.event == "done")] | length > 1' "$log")"
start_guard() {
    pipe=$scratch/pipe.$((pipes += 1)) # one that nobody writes to any more
    mkfifo "$pipe"
    play 60 >"$pipe" 2>/dev/null &
    player=$!
    : >"$out" # here: what the guard before wrote is gone before anybody looks
    attended "$XENMETER" guard --limit 2=1% --hook "$hook" "${by_hook[@]}" --live 200ms -f jsonl - <"$pipe" >"$out" 2>"$err" &
    pid=$!
}
held() { [ -e "$FAKE_HOOK/held.2" ]; }
for signal in INT TERM HUP; do
    new_hook
    start_guard
    check "$signal: it is held" soon held
    kill -$signal $pid
    end
    check "$signal: all are released" nobody_is_held
done
new_hook
start_guard
soon held
rm "$FAKE_HOOK/held.2"
check 'what is lost is made again' soon held
kill -KILL $pid
end
check 'SIGKILL: --restore' equal 0 "$("$XENMETER" guard -q --restore --state "$state" --hook "$hook" 2>"$err"; echo $?)"
check 'SIGKILL: releases' nobody_is_held
new_hook
start_guard
soon held
: >"$stop"
check 'kill switch: all are released' soon nobody_is_held
kill -TERM $pid
end
new_hook
: >"$FAKE_HOOK/fail"
guard "${by_hook[@]}"
check 'a hook that fails: it goes on' exits 1
check 'a hook that fails: it is said' says "$err" 'domain 2: cannot be set to "drop": .*exit code 1: told to fail'
check 'a hook that fails: nothing is left' not test -e "$state"

group 'an operator'
answer=$scratch/answer # the guard that runs writes to "$out" meanwhile
operator() {
    timeout -k 5 "$LIMIT" "$XENMETER" "$@" --state "$state" >"$answer" 2>"$err.answer"
    status=$?
}
new_hook
start_guard
soon held
operator guard status
check 'status: who acts' says "$answer" "^process $pid acts"
check 'status: what is set' says "$answer" '^domain 2: drop, before: free'
operator guard status -f json
check 'status: json' equal "xenmeter.status/1 guard $pid 2 drop free false" "$(jq -r '[.schema, .controller, .process, (.guests[] | .domain, .set, .before, .exempt)] | map(tostring) | join(" ")' "$answer")"
operator guard status -f jsonl
check 'status: jsonl' equal '{"domain":2,"name":null,"set":"drop","before":"free","exempt":false}' "$(cat "$answer")"
operator guard status -f csv
check 'status: csv' equal 'domain,name,set,before,exempt 2,,drop,free,0' "$(paste -sd' ' "$answer")"
operator guard status -f xml
check 'status: another format' exits 2
check 'status: another format is named' says "$err.answer" "guard status has no format 'xml'"
operator guard release 2
check 'release' exits 0
check 'it is released' soon nobody_is_held
sleep 1
check 'and stays so' nobody_is_held
operator guard control 2
check 'control: it is held again' soon held
operator guard exempt 2
check 'exempt: it is released' soon nobody_is_held
status_says() { operator guard status && says "$answer" "$1"; }
check 'exempt: status says so' soon status_says '^exempt: 2'
kill -TERM $pid
end
operator guard status
check 'nobody acts' says "$answer" '^nobody acts'
check 'it is exempt still' says "$answer" '^exempt: 2'
operator guard status -f csv
check 'status: csv of who is exempt' equal '2,,,,1' "$(tail -n 1 "$answer")"
operator guard status -f json
check 'status: json of who is exempt, and nobody acts' equal 'null 2 true' "$(jq -r '[.process, .guests[0].domain, .guests[0].exempt] | map(tostring) | join(" ")' "$answer")"
start_guard
soon says "$out" 'refused: exempt'
check 'the next process leaves it alone' says "$out" 'refused: exempt'
check 'it was not held' nobody_is_held
kill -TERM $pid
end
operator guard control 2
check 'control: it is not exempt any more' not test -e "$state"
start_guard
soon held
kill -KILL $pid
end
operator guard status
check 'after a crash: status says what is left' says "$answer" 'was left by a process that died: --restore'
operator guard release --all
check 'release --all: it is released' nobody_is_held
check 'release --all: nothing is left' not test -e "$state"
for bad in '' 'x y' '*' '--all 3'; do
    # shellcheck disable=SC2086 # words
    check "release '$bad'" refuses 'wants one guest\|is neither' guard release $bad --state "$state"
done
check 'exempt without a guest' refuses 'wants one guest, by its id or its name (' debt exempt --state "$state"
check 'status of something' refuses 'status takes no operand' debt status x

group 'losses'
# xentrace comes late in this one.
run simulate -q -o "$scratch/lossy.xt" sim/scenarios/late-xentrace.json
run debt -q --reserve '*=5%' --apply credit2 --feedback 100ms -f jsonl "$scratch/lossy.xt"
check 'there are rows' has_text "$out"
check 'intervals with losses change nothing' rows_hold 'map(select(.decision)) | length > 10 and all(.[]; .decision == "hold: records were lost" and .command == null)' "$out"
finish
