#!/bin/bash
# The hooks of share/hooks/: nft and tc with the real tools and real packets, between network namespaces that are joined by veth pairs
# named as guests' devices are; the others on a made-up host.
#
# A namespace with a bridge is the driver domain, two more are guests 1 and 2. Where namespaces are not allowed this is skipped.
# shellcheck source=tests/lib.sh disable=SC2016,SC2317 # functions are called through check
. "$(dirname "$0")/lib.sh"

hooks=$PWD/share/hooks
export XENMETER_HOOK_STATE=$scratch/keep XENMETER_EXPIRES=60
all_hooks='nft tc netback-rate priority cap simulated'

group 'the contract'
for hook in $all_hooks; do
    check "$hook describes itself" equal "$hook 1" \
        "$("$hooks/$hook" describe | jq -r 'select(([.kinds, .directions, .actions | length > 0] | all) and (.expires | type == "boolean")) | "\(.hook) \(.contract)"')"
done
refuses_call() { # CODE HOOK ARGUMENT...
    local code=$1 hook=$2
    shift 2
    "$hooks/$hook" "$@" >"$out" 2>"$err" </dev/null
    equal "$code" $? && says "$err" "^$hook: "
}
for hook in nft tc netback-rate priority simulated; do
    check "$hook: no verb" refuses_call 2 $hook
    check "$hook: unknown verb" refuses_call 2 $hook block 3
    check "$hook: too few arguments" refuses_call 2 $hook hold 3
    check "$hook: an id that is none" refuses_call 2 $hook hold '3;x' web vif3.0 drop 9 5
done

# ---- a driver domain and two guests ----

spaces=()
# shellcheck disable=SC2154 # of lib.sh
trap 'for space in "${spaces[@]}"; do ip netns del "$space" 2>/dev/null; done; rm -rf "$scratch"' EXIT
dom0=xm$$-0
inside() { ip netns exec "$@"; } # NAMESPACE COMMAND...
add_space() {
    ip netns add "$1" 2>"$scratch/why" && spaces+=("$1") && inside "$1" ip link set lo up
}
add_vif() { # GUEST NUMBER ADDRESS
    inside $dom0 ip link add "vif$1.$2" type veth peer name "eth$2" netns "xm$$-$1" &&
        inside $dom0 ip link set "vif$1.$2" master br0 up &&
        inside "xm$$-$1" ip address add "10.9.$2.$3/24" dev "eth$2" && inside "xm$$-$1" ip link set "eth$2" up
}
build() {
    local guest
    add_space $dom0 && inside $dom0 ip link add br0 type bridge && inside $dom0 ip link set br0 up &&
        inside $dom0 ip address add 10.9.0.1/24 dev br0 && inside $dom0 ip address add 10.9.1.1/24 dev br0 || return
    for guest in 1 2; do
        add_space "xm$$-$guest" && add_vif $guest 0 1$guest || return
    done
}
hook() { # HOOK ARGUMENT...
    local hook=$1
    shift
    inside $dom0 "$hooks/$hook" "$@"
}
# How many of the packets that a guest, or domain 0, sends are answered.
answered() { # FROM ADDRESS [OPTION...]
    local from=$1 to=$2
    shift 2
    [ $# -gt 0 ] || set -- -W 1 -c 3 -i 0.02
    inside "xm$$-$from" ping -q "$@" "$to" 2>/dev/null | sed -n 's/.* \([0-9]*\) received.*/\1/p'
}
# The same of large packets, as many as go in two seconds, at most a thousand.
flood() { answered "$@" -w 2 -W 1 -c 1000 -i 0.002 -s 1400; }
flows() { [ "$(answered "$@")" = 3 ]; }
stopped() { [ "$(answered "$@")" = 0 ]; }
all_flow() { flows 1 10.9.0.1 && flows 0 10.9.0.11 && flows 2 10.9.0.1 && flows 1 10.9.0.12; }
state_of() { hook "$1" list | awk -v id="$2" '$1 == id { print $2 }'; } # HOOK DOMAIN

if [ "$(id -u)" -ne 0 ] || ! command -v ip >/dev/null || ! build; then
    skip 'nft and tc: network namespaces are not allowed here' "$(head -n 1 "$scratch/why" 2>/dev/null)"
else
    group 'nft: packets'
    if ! inside $dom0 ping -c 1 10.9.0.11 >/dev/null 2>"$err" && ! command -v ping >/dev/null; then
        skip 'packets cannot be sent' 'there is no ping'
    elif ! inside $dom0 nft list ruleset >/dev/null 2>"$err"; then
        skip 'nftables is not there' "$(head -n 1 "$err")"
    else
        check 'they flow' soon all_flow
        check 'nobody is held' equal '1 free,2 free' "$(hook nft list | sort -n | paste -sd,)"
        check 'hold' hook nft hold 1 g1 vif1.0 drop 12.5 5
        check 'guest 1 cannot send' stopped 1 10.9.0.1
        check 'nor receive' stopped 0 10.9.0.11
        check 'nor reach another guest' stopped 1 10.9.0.12
        check 'the other guest is untouched' soon flows 2 10.9.0.1
        check 'it is read back' equal '1 drop,2 free' "$(hook nft list | sort -n | paste -sd,)"
        check 'release' hook nft release 1 g1 vif1.0
        check 'they flow again' soon all_flow
        check 'that is read back' equal free "$(state_of nft 1)"
        check 'a second release is no error' hook nft release 1 g1 vif1.0

        group 'nft: what is not renewed'
        export XENMETER_EXPIRES=8
        hook nft hold 1 g1 - drop 12.5 5
        for _ in 1 2 3; do
            sleep 3
            hook nft renew 1:drop:vif1.0
        done
        check 'what is renewed lasts' stopped 1 10.9.0.1
        (hook nft renew 1:drop:vif1.0 2:drop:vif2.0 && exec sleep 100) & # a controller
        controller=$!
        soon stopped 2 10.9.0.1
        kill -KILL $controller
        wait $controller 2>/dev/null
        check 'the controller is killed: it lasts for now' stopped 1 10.9.0.1
        nobody_is_held() { [ "$(hook nft list | sort -n | paste -sd,)" = '1 free,2 free' ]; }
        check 'three intervals later nobody is held' soon nobody_is_held
        check 'all flow' soon all_flow

        group 'nft: reconcile'
        export XENMETER_EXPIRES=60
        hook nft renew 1:drop:- 2:drop:-
        check 'both are held' equal '1 drop,2 drop' "$(hook nft list | sort -n | paste -sd,)"
        inside $dom0 nft flush ruleset
        check 'nft flush ruleset: it is seen' equal '1 free,2 free' "$(hook nft list | sort -n | paste -sd,)"
        check 'packets flow' soon all_flow
        hook nft renew 1:drop:-
        check 'they are held again, those that are meant' stopped 1 10.9.0.1
        check 'nobody else is' soon flows 2 10.9.0.1
        inside $dom0 nft flush chain netdev xenmeter from-vif1.0
        check 'a rule is lost: it is seen' equal free "$(state_of nft 1)"
        hook nft renew 1:drop:-
        check 'and made again' stopped 1 10.9.0.1
        inside $dom0 ip link del vif1.0
        add_vif 1 0 11
        check 'the device is made anew: it is held when it is renewed' hook nft renew 1:drop:-
        check 'guest 1 cannot send' stopped 1 10.9.0.1
        hook nft release 1 g1 -
        check 'released: it can' soon flows 1 10.9.0.1
        add_vif 1 1 11
        soon flows 1 10.9.1.1
        hook nft renew 1:drop:vif1.0
        check 'a second device is held, too' stopped 1 10.9.1.1
        check 'a device that is gone' hook nft renew 1:drop:vif1.0,vif1.7 9:drop:vif9.0
        inside $dom0 nft add table netdev theirs
        check 'release-all' hook nft release-all
        check 'nothing of ours is left' equal 'table netdev theirs' "$(inside $dom0 nft list tables)"
        check 'they all flow' soon all_flow
        hook nft hold 9 g9 vif9.0 drop 12.5 5 2>"$err"
        check 'a guest without devices may have some later' equal 1 $?
        inside $dom0 ip link del vif1.1
        soon all_flow # the bridge may have another address now

        group 'nft: rate'
        # 1428 bytes with their headers: 80 kbit/s, which are 10 kB/s, let 14 of them through in two seconds, and a burst.
        many_pass() { [ "$(flood "$1" 10.9.0.1)" -gt 60 ]; } # FROM
        check 'many packets in two seconds' soon many_pass 1
        hook nft hold 1 g1 - rate=80 12.5 5
        check 'it is read back' equal rate=80 "$(state_of nft 1)"
        passed_through=$(flood 1 10.9.0.1)
        check "some pass ($passed_through)" test "$passed_through" -gt 0
        check "but not more than the rate ($passed_through)" test "$passed_through" -lt 40
        check 'the other guest is untouched' soon many_pass 2
        hook nft renew 1:rate=8000:-
        check 'another rate' equal rate=8000 "$(state_of nft 1)"
        hook nft release-all
        check 'released' soon many_pass 1
    fi

    pipes=0
    # A live trace in which guest 2 costs domain 0 some 10 % of a pCPU: with a limit of 1 % it is held as long as that is allowed.
    guarded() { # OPTION...
        pipe=$scratch/pipe.$((pipes += 1)) # one that nobody writes to any more
        mkfifo "$pipe"
        play 60 >"$pipe" 2>/dev/null &
        player=$!
        : >"$err"
        : >"$out"
        attended ip netns exec $dom0 "$XENMETER" guard --limit 2=1% --exec --state "$scratch/state" --kill-switch "$scratch/stop" \
            --live 200ms -f jsonl "$@" - <"$pipe" >"$out" 2>"$err" &
        pid=$!
    }
    play() { # SECONDS
        local i
        for ((i = 0; i < 100; i++)); do
            dd bs=192719 skip=$i count=1 if="$scratch/trace.xt" status=none
            sleep 0.15
        done
        sleep "$1"
    }
    end_guard() {
        wait "$pid" 2>/dev/null
        status=$?
        pkill -P "$player" 2>/dev/null
        kill "$player" 2>/dev/null
        wait "$player" 2>/dev/null
    }
    zstd -q -d fixtures/mixed-credit.xt.zst -o "$scratch/trace.xt"
        unset XENMETER_EXPIRES
    if inside $dom0 nft list ruleset >/dev/null 2>&1 && command -v ping >/dev/null; then
        group 'guard with nft: packets'
        soon all_flow
        guarded --hook "$hooks/nft"
        check 'the guest is stopped' soon stopped 2 10.9.0.1
        check 'the other one is not' soon flows 1 10.9.0.1
        inside $dom0 nft flush ruleset
        check 'nft flush ruleset: it is stopped again' soon stopped 2 10.9.0.1
        kill -TERM $pid
        end_guard
        check 'SIGTERM: it found an offender' exits 1
        check 'and has released it' soon all_flow
        check 'nothing of it is left' not test -e "$scratch/state"
        guarded --hook "$hooks/nft"
        check 'once more' soon stopped 2 10.9.0.1
        kill -KILL $pid
        end_guard
        check 'SIGKILL: it ends by itself' soon all_flow
        inside $dom0 "$XENMETER" guard -q --restore --state "$scratch/state"
        check 'nothing is left after --restore' not test -e "$scratch/state"
        inside $dom0 nft delete table netdev xenmeter 2>/dev/null
    fi

    group 'tc: what a guest receives'
    if ! inside $dom0 tc qdisc replace dev vif2.0 root handle 5ced: tbf rate 1mbit burst 5k latency 50ms 2>"$err"; then
        skip 'there is no tbf here' "$(head -n 1 "$err")"
    else
        inside $dom0 tc qdisc del dev vif2.0 root
        check 'nobody is held' equal '1 free,2 free' "$(hook tc list | sort -n | paste -sd,)"
        check 'hold' hook tc hold 1 g1 vif1.0 rate=80 12.5 5
        check 'it is read back' equal '1 rate=80,2 free' "$(hook tc list | sort -n | paste -sd,)"
        passed_through=$(flood 0 10.9.0.11)
        check "some pass ($passed_through)" test "$passed_through" -gt 0
        check "but not more than the rate ($passed_through)" test "$passed_through" -lt 40
        check 'the other guest is untouched' test "$(flood 0 10.9.0.12)" -gt 60
        check 'renewed without it: released' hook tc renew 2:rate=80:-
        check 'others are held instead' equal '1 free,2 rate=80' "$(hook tc list | sort -n | paste -sd,)"
        check 'release' hook tc release 2 g2 vif2.0
        check 'they are as they were' test "$(flood 0 10.9.0.11)" -gt 60
        inside $dom0 tc qdisc replace dev vif2.0 root handle 1: tbf rate 100mbit burst 50k latency 50ms
        hook tc hold 2 g2 - rate=80 12.5 5 2>"$err"
        check 'a qdisc of somebody else is left alone' equal 3 $?
        check 'it is theirs' says <(inside $dom0 tc qdisc show dev vif2.0) 'tbf 1: root'
        hook tc hold 1 g1 - drop 12.5 5 2>"$err"
        check 'it drops nothing' equal 3 $?
    fi
fi

# ---- made-up hosts ----

group 'netback-rate'
mkdir -p "$scratch/bin" "$scratch/store/local/domain/0/backend/vif/3/0" "$scratch/store/local/domain/0/backend/vif/4/0" \
    "$scratch/store/local/domain/3" "$scratch/store/local/domain/4"
for command in ls read rm; do
    case $command in
    ls) does='[ -d "$2" ] || exit 1; find "$2" -mindepth 1 | sort | while read -r f; do echo "${f#.} = \"$(cat "$f" 2>/dev/null)\""; done' ;;
    read) does='echo "$*" >>reads; for f; do cat "$f" 2>/dev/null || exit 1; done' ;;
    rm) does='rm -rf "$@"' ;;
    esac
    printf '#!/bin/sh\ncd %s || exit\nfor a; do set -- "$@" ".$a"; shift; done\n%s\n' "$scratch/store" "$does" >"$scratch/bin/xenstore-$command"
done
printf '#!/bin/sh\ncd %s || exit\nwhile [ $# -gt 1 ]; do echo "$2" >".$1" || exit; echo "$1 $2" >>written; shift 2; done\n' "$scratch/store" >"$scratch/bin/xenstore-write"
chmod +x "$scratch"/bin/xenstore-*
PATH=$scratch/bin:$PATH
node=$scratch/store/local/domain/0/backend/vif
echo 1000,50000 >"$node/4/0/rate"
check 'nobody is held' equal '3 free,4 free' "$("$hooks/netback-rate" list | paste -sd,)"
check 'hold' "$hooks/netback-rate" hold 3 web - rate=800 12.5 5
check '800 kbit/s: 5000 bytes in 50 ms' equal 5000,50000 "$(cat "$node/3/0/rate")"
check 'it is read back' equal '3 rate=800,4 free' "$("$hooks/netback-rate" list | paste -sd,)"
check 'one that had a rate' "$hooks/netback-rate" renew 3:rate=800:- 4:rate=80:-
check '80 kbit/s: three packets take longer' equal 4542,454200 "$(cat "$node/4/0/rate")"
check 'a low rate' "$hooks/netback-rate" renew 3:rate=800:- 4:rate=8:-
check 'never less than a packet, nor longer than a second' equal 1514,1000000 "$(cat "$node/4/0/rate")"
check 'renewed without it' "$hooks/netback-rate" renew 3:rate=1600:-
check 'it has what it had' equal 1000,50000 "$(cat "$node/4/0/rate")"
check 'the other has another rate' equal 10000,50000 "$(cat "$node/3/0/rate")"
check 'release' "$hooks/netback-rate" release 3 web -
check 'there is no rate, as before' not test -e "$node/3/0/rate"
check 'that there is none was said to netback' equal '/local/domain/0/backend/vif/3/0/rate 4294967295,0' "$(tail -n 1 "$scratch/store/written")"
check 'nothing of ours is left' equal rate "$(cd "$node" && find . -type f -printf '%f\n')"
echo 'web server' >"$scratch/store/local/domain/3/name"
check 'one guest has a name' equal '3 free web server,4 free' "$("$hooks/netback-rate" list | paste -sd,)"
echo mail >"$scratch/store/local/domain/4/name"
rm "$scratch/store/reads"
check 'both have' equal '3 free web server,4 free mail' "$("$hooks/netback-rate" list | paste -sd,)"
check 'the names are read at once' equal 1 "$(grep -c name "$scratch/store/reads")"
rm -r "$scratch/store/local/domain/3" "$scratch/store/local/domain/4"

group 'priority'
if ! renice -n 0 -p $$ >/dev/null 2>&1 || [ "$(id -u)" -ne 0 ]; then
    skip 'priorities cannot be raised again' 'not root'
else
    # Threads as the driver domain's kernel names them.
    for name in vif3.0-q0-guest 3.xvda-0 vif4.0-q0-dealloc bash; do
        (exec -a x bash -c "printf '$name' >/proc/\$\$/comm; while :; do sleep 60 & wait; done") &
        threads+=($!)
    done
    nices() { ps -o ni= -p "$(printf '%s,' "${threads[@]}" | sed 's/,$//')" | tr -d ' ' | paste -sd' '; }
    soon says "/proc/${threads[2]}/comm" vif4
    check 'all are free' equal '3 free,4 free' "$("$hooks/priority" list | paste -sd,)"
    check 'hold' "$hooks/priority" hold 3 web - low 12.5 5
    check 'the guest'\''s threads, and no others' equal '19 19 0 0' "$(nices)"
    check 'it is read back' equal '3 low,4 free' "$("$hooks/priority" list | paste -sd,)"
    renice -n 19 -p "${threads[3]}" >/dev/null
    check 'renewed with another one' "$hooks/priority" renew 4:low:-
    check 'the first one is released, others are left alone' equal '0 0 19 19' "$(nices)"
    check 'release-all' "$hooks/priority" release-all
    check 'they are as they were' equal '0 0 0 19' "$(nices)"
    kill "${threads[@]}"
fi

group 'cap'
export FAKE_XL=$scratch/host
mkdir "$FAKE_XL"
printf '0 2 Domain-0\n3 1 web server\n4 1 mail\n' >"$FAKE_XL/guests"
printf '#!/bin/sh\n[ "$1" = info ] && echo "xen_scheduler          : credit2" && exit\nexec %s "$@"\n' "$PWD/tests/fake-xl" >"$scratch/bin/xl"
chmod +x "$scratch/bin/xl"
"$hooks/cap" list >"$out"
echo '256 40' >"$FAKE_XL/credit2.4"
check 'nobody is held' equal '3 free,4 free' "$(paste -sd, "$out")"
check 'hold' "$hooks/cap" hold 4 mail - cap=5 12.5 5
check 'it is set' equal '256 5' "$(cat "$FAKE_XL/credit2.4")"
check 'it is read back' equal '3 free,4 cap=5' "$("$hooks/cap" list | paste -sd,)"
check 'another one instead' "$hooks/cap" renew 3:cap=10:-
check 'the first one has what it had' equal '256 40' "$(cat "$FAKE_XL/credit2.4")"
echo '256 77' >"$FAKE_XL/credit2.3"
check 'somebody else changes it: it is seen' equal '3 free,4 free' "$("$hooks/cap" list | paste -sd,)"
check 'release-all' "$hooks/cap" release-all
check 'it is left alone' equal '256 77' "$(cat "$FAKE_XL/credit2.3")"
"$hooks/cap" hold 3 web - cap=0 12.5 5 2>"$err"
check 'never cap 0' equal 2 $?
finish
