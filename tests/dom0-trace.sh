#!/bin/bash
# What Linux' ftrace says of a driver domain, as charge --dom0-trace reads it and charges by it.
# shellcheck source=tests/lib.sh disable=SC2016,SC2317 # functions are called through check
. "$(dirname "$0")/lib.sh"

# A capture of 40 ms at 1 GHz, with the tsc at BASE when it begins. vCPU 0 of domain 0 runs from 1 to 11 and from 20 to 30 ms,
# its vCPU 1 from 1 to 11 ms; domains 1, 2 and 3 are there.
BASE=1000000000
capture=$scratch/capture.xt
u32() { # NUMBER...: little-endian
    local n
    for n in "$@"; do
        # shellcheck disable=SC2059 # a format of bytes
        printf "$(printf '\\x%02x\\x%02x\\x%02x\\x%02x' $((n & 255)) $((n >> 8 & 255)) $((n >> 16 & 255)) $((n >> 24 & 255)))"
    done
}
runstate() { # US DOMAIN VCPU OLD NEW
    local tsc=$((BASE + $1 * 1000))
    u32 $((0x90021001 | $4 << 8 | $5 << 4)) $((tsc & 0xffffffff)) $((tsc >> 32)) $(($2 << 16 | $3))
}
window() { # PCPU < RECORDS
    cat >"$scratch/window"
    u32 $((0x2001f003)) "$1" "$(wc -c <"$scratch/window")"
    cat "$scratch/window"
}
running=0 runnable=1 blocked=2
{
    {
        runstate 0 0 0 $blocked $runnable
        runstate 1000 32767 0 $running $runnable
        runstate 1000 0 0 $runnable $running
        runstate 11000 0 0 $running $blocked
        runstate 11000 32767 0 $runnable $running
        runstate 20000 0 0 $blocked $runnable
        runstate 20000 32767 0 $running $runnable
        runstate 20000 0 0 $runnable $running
        runstate 30000 0 0 $running $blocked
        runstate 30000 32767 0 $runnable $running
        runstate 40000 1 0 $blocked $runnable
    } | window 0
    {
        for domain in 1 2 3; do
            runstate 0 $domain 0 $blocked $runnable
            runstate 0 $domain 0 $runnable $blocked
        done
        runstate 0 0 1 $blocked $runnable
        runstate 1000 32767 1 $running $runnable
        runstate 1000 0 1 $runnable $running
        runstate 11000 0 1 $running $blocked
        runstate 11000 32767 1 $runnable $running
        runstate 40000 2 0 $blocked $runnable
    } | window 1
} >"$capture"

# Linux' lines. The task is NAME-PID.
line() { # US CPU FLAGS TASK EVENT...
    local us=$1 cpu=$2 flags=$3 task=$4
    shift 4
    printf '%16s-%-7d [%03d] %s %d: %s\n' "${task%-*}" "${task##*-}" "$cpu" "$flags" $((BASE + us * 1000)) "$*"
}
to() { # US CPU TASK NEXT
    line "$1" "$2" d..2. "$3" "sched_switch: prev_comm=${3%-*} prev_pid=${3##*-} prev_prio=120 prev_state=S ==> next_comm=${4%-*} next_pid=${4##*-} next_prio=120"
}
irq() { # US CPU TASK NUMBER NAME
    line "$1" "$2" "${F:-d.h..}" "$3" "irq_handler_entry: irq=$4 name=$5"
}
irq_end() { line "$1" "$2" "${F:-d.h..}" "$3" "irq_handler_exit: irq=$4 ret=handled"; } # US CPU TASK NUMBER
soft() { line "$1" "$2" ..s.. "$3" "softirq_entry: vec=3 [action=$4]"; }       # US CPU TASK ACTION
soft_end() { line "$1" "$2" ..s.. "$3" "softirq_exit: vec=3 [action=$4]"; }    # US CPU TASK ACTION
poll() { line "$1" "$2" "${F:-..s..}" "$3" "napi_poll: napi poll on napi struct 0000000069182466 for device $4 work 1 budget 64"; }
waking() { line "$1" "$2" d.h.. "$3" "sched_waking: comm=${4%-*} pid=${4##*-} prio=120 target_cpu=001"; } # US CPU TASK WOKEN
remark() { echo "# xenmeter $*"; }
head_of() { remark dom0-trace 1; remark begin $BASE; }
end_of() { remark end $((BASE + 40000000)); }
idle=swapper-0
rx1=vif1.0-q0-guest-305

# Charges "1 MS, 2 MS, own MS, unattributed MS" of what the recording says; vCPU 1 is idle if it does not say another thing.
charges() { # < RECORDING
    { head_of; cat; end_of; } >"$scratch/recording"
    charged_by "$scratch/recording"
}
charged_by() { # FILE OPTION...
    local recording=$1
    shift
    run charge --cpu-hz 1G -f csv --dom0-trace "$recording" "$@" "$capture"
    [ "$status" -eq 0 ] || { cat "$err"; return; }
    awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
        $at["charged_ns"] > 0 { printf "%s%s %g", sep, $at["recipient"] == "guest" ? $at["domain"] : $at["recipient"], $at["charged_ns"] / 1e6; sep = ", " }' "$out"
}
idle_1() { to "${1:-500}" 1 $idle $idle; } # nothing but the idle task

group 'tasks'
check 'threads of netback and blkback, other tasks, the idle task' equal '1 3, 2 2, 3 1, own 24' "$({
    idle_1
    to 2000 0 bash-100 $rx1
    to 5000 0 $rx1 2.xvda-0-414
    to 7000 0 2.xvda-0-414 napi/vif3.0-819-541
    to 8000 0 napi/vif3.0-819-541 $idle
} | charges)"
check 'what ran before the first event ran since recording began' equal '1 4, own 26' "$({
    idle_1
    to 5000 0 $rx1 $idle
} | charges)"
check 'names of older kernels' equal '1 1, 2 1, 3 1, own 27' "$({
    idle_1
    to 1000 0 $idle vif1.0-guest-rx-30
    to 2000 0 vif1.0-guest-rx-30 blkback.2.xvda-31
    to 3000 0 blkback.2.xvda-31 qemu-dm-3-32
    to 4000 0 qemu-dm-3-32 $idle
} | charges)"
check 'names that only look like them' equal 'own 30' "$({
    idle_1
    to 1000 0 $idle vif-30
    to 2000 0 vif-30 2.6-31
    to 3000 0 2.6-31 napi/eth0-8-32
    to 4000 0 napi/eth0-8-32 vif70000.0-33
} | charges)"
check 'on the other vCPU' equal '2 10, own 20' "$({
    to 500 0 $idle $idle
    to 600 1 $idle 2.xvda-0-414
} | charges)"
check 'a device model is unattributed' equal '1 1, own 28, unattributed 1' "$({
    idle_1
    to 1000 0 $idle qemu-system-i38-77
    to 2000 0 qemu-system-i38-77 $rx1
    to 3000 0 $rx1 $idle
} | charges)"
check 'unless it is said whose it is' equal '3 1, own 28, unattributed 1' "$({
    remark task 77 3 qemu-system-i38
    remark task 78 0 tapdisk
    idle_1
    to 1000 0 $idle qemu-system-i38-77
    to 2000 0 qemu-system-i38-77 tapdisk-78
    to 3000 0 tapdisk-78 tapdisk-79
    to 4000 0 tapdisk-79 $idle
} | charges)"
check 'of that name: the id may be reused' equal 'own 30' "$({
    remark task 77 3 qemu-system-i38
    idle_1
    to 1000 0 $idle gzip-77
} | charges)"
check 'a domain that the trace does not show is unattributed' equal 'own 29, unattributed 1' "$({
    idle_1
    to 1000 0 $idle vif9.0-q0-guest-305
    to 2000 0 vif9.0-q0-guest-305 $idle
} | charges)"
check 'names with anything in them' equal '1 1, own 29' "$({
    idle_1
    to 1000 0 '[0] next_pid=5-9' $rx1
    to 2000 0 $rx1 'next_comm=x-1-12'
} | charges)"

check 'an interface that was renamed' equal '3 3, own 27' "$({
    remark device 2 web
    remark device 3 web
    idle_1
    to 1000 0 $idle web-q0-guest-rx-305
    to 2000 0 web-q0-guest-rx-305 website-306
    irq 3000 0 website-306 61 web-q0-tx
    irq_end 4000 0 website-306 61
    soft 5000 0 website-306 NET_RX
    poll 6000 0 website-306 web
    soft_end 7000 0 website-306 NET_RX
} | charges)"

group 'interrupts'
check "a guest's in another task, another's in its thread" equal '1 2, 2 1, own 27' "$({
    idle_1
    to 1000 0 $idle $rx1
    irq 2000 0 $rx1 24 timer0
    irq_end 3000 0 $rx1 24
    to 4000 0 $rx1 bash-100
    irq 5000 0 bash-100 61 vif2.0-q0-tx
    irq_end 6000 0 bash-100 61
} | charges)"
check 'one in another one' equal '1 1, 2 2, own 27' "$({
    idle_1
    irq 2000 0 $idle 61 vif2.0-q0-tx
    irq 3000 0 $idle 58 vif1.0
    irq_end 4000 0 $idle 58
    irq_end 5000 0 $idle 61
} | charges)"
check 'those without a handler are own' equal '1 2, own 28' "$({
    idle_1
    to 1000 0 $idle $rx1
    line 2000 0 d.h.. $rx1 'local_timer_entry: vector=236'
    line 3000 0 d.h.. $rx1 'local_timer_exit: vector=236'
    to 4000 0 $rx1 $idle
} | charges)"
check 'those that are handled in threads' equal '1 1, 2 1, own 28' "$({
    remark irq 45 2
    idle_1
    to 1000 0 $idle irq/58-vif1.0-q-60
    to 2000 0 irq/58-vif1.0-q-60 irq/45-virtio2-61
    to 3000 0 irq/45-virtio2-61 irq/24-timer0-62
    to 4000 0 irq/24-timer0-62 $idle
} | charges)"
check 'more than are told apart' equal 'own 28, unattributed 2' "$({
    idle_1
    for i in 1 2 3 4 5 6 7 8; do irq 2000 0 $idle 24 timer0; done
    irq 3000 0 $idle 58 vif1.0
    irq_end 5000 0 $idle 58
} | charges)"
check 'the event channel of a backend: unattributed' equal 'own 29, unattributed 1' "$({
    idle_1
    irq 2000 0 $idle 63 blkif-backend
    irq_end 3000 0 $idle 63
} | charges)"
check 'its guest is whose thread it wakes, from the first on' equal '2 2, own 28' "$({
    idle_1
    irq 2000 0 $idle 63 blkif-backend
    irq_end 3000 0 $idle 63
    irq 4000 0 $idle 63 blkif-backend
    waking 4500 0 $idle 2.xvda-0-414
    irq_end 5000 0 $idle 63
} | charges)"
check 'another guest that gets its number' equal '2 1, 3 2, own 27' "$({
    idle_1
    irq 2000 0 $idle 63 blkif-backend
    waking 2500 0 $idle 2.xvda-0-414
    irq_end 3000 0 $idle 63
    irq 4000 0 $idle 63 blkif-backend
    waking 4500 0 $idle 3.xvda-0-501
    irq_end 5000 0 $idle 63
    irq 6000 0 $idle 63 blkif-backend
    irq_end 7000 0 $idle 63
} | charges)"
check 'other interrupts wake whom they want' equal 'own 30' "$({
    idle_1
    irq 2000 0 $idle 24 timer0
    waking 2500 0 $idle 2.xvda-0-414
    irq_end 3000 0 $idle 24
} | charges)"
check 'of disks, as is said' equal '2 1, own 28, unattributed 1' "$({
    remark irq 45 2
    remark irq 47 shared
    remark irq 41 0
    idle_1
    for i in 1 3 5; do
        irq ${i}000 0 $idle 4$((i == 1 ? 5 : i == 3 ? 7 : 1)) virtio$i-req.0
        irq_end $((i + 1))000 0 $idle 4$((i == 1 ? 5 : i == 3 ? 7 : 1))
    done
} | charges)"

group 'softirqs'
check 'NET_RX up to each poll' equal '1 1, 3 2, own 27' "$({
    idle_1
    soft 1000 0 gzip-9 NET_RX
    poll 2000 0 gzip-9 vif1.0
    poll 4000 0 gzip-9 vif3.0
    poll 5000 0 gzip-9 eth0
    soft_end 6000 0 gzip-9 NET_RX
} | charges)"
check 'an interrupt during it is not its own' equal '1 2, own 28' "$({
    idle_1
    soft 1000 0 gzip-9 NET_RX
    F=d.H.. irq 2000 0 gzip-9 24 timer0
    F=d.H.. irq_end 3000 0 gzip-9 24
    poll 4000 0 gzip-9 vif1.0
    soft_end 5000 0 gzip-9 NET_RX
} | charges)"
check 'others are own, in threads of guests, too' equal '1 1, own 29' "$({
    idle_1
    to 1000 0 $idle $rx1
    soft 2000 0 $rx1 TIMER
    soft_end 3000 0 $rx1 TIMER
    to 3000 0 $rx1 $idle
} | charges)"
check "BLOCK is whose the last disk's interrupt was" equal '2 2, own 26, unattributed 2' "$({
    remark irq 45 2
    remark irq 47 shared
    idle_1
    soft 1000 0 gzip-9 BLOCK
    soft_end 1500 0 gzip-9 BLOCK
    irq 2000 0 gzip-9 45 virtio2-req.0
    irq_end 3000 0 gzip-9 45
    soft 3000 0 gzip-9 BLOCK
    soft_end 4000 0 gzip-9 BLOCK
    irq 5000 0 gzip-9 47 virtio3-req.0
    irq_end 6000 0 gzip-9 47
    soft 6000 0 gzip-9 BLOCK
    soft_end 7000 0 gzip-9 BLOCK
} | charges)"
check 'polls by a thread are of the thread' equal '1 2, own 28' "$({
    idle_1
    to 1000 0 $idle napi/vif1.0-819-539
    F=b.... poll 2000 0 napi/vif1.0-819-539 vif2.0
    to 3000 0 napi/vif1.0-819-539 $idle
} | charges)"

group 'what was not recorded is unattributed'
check 'a vCPU without a line' equal 'own 20, unattributed 10' "$(to 500 0 $idle $idle | charges)"
check 'lost events: from the last one before to the first one after' equal '1 1, own 27, unattributed 2' "$({
    idle_1
    to 1000 0 $idle $rx1
    to 2000 0 $rx1 2.xvda-0-414
    echo 'CPU:0 [LOST 57 EVENTS]'
    to 4000 0 gzip-9 $idle
} | charges)"
check 'that is said' says "$err" "^xenmeter: $scratch/recording: CPU 0 lost 57 events: what it did meanwhile is unattributed"
check 'what runs then is what the line says' equal '1 2, 2 1, own 25, unattributed 2' "$({
    idle_1
    to 1000 0 $idle $rx1
    to 2000 0 $rx1 gzip-9
    echo 'CPU:0 [LOST EVENTS]'
    irq 4000 0 $rx1 61 vif2.0-q0-tx
    irq_end 5000 0 $rx1 61
    to 6000 0 $rx1 $idle
} | charges)"
check 'in an interrupt, in a softirq: of whom is not known' equal '1 1, own 25, unattributed 4' "$({
    idle_1
    to 1000 0 $idle gzip-9
    echo 'CPU:0 [LOST 3 EVENTS]'
    F=d.H.. irq_end 2000 0 $rx1 61
    F=d.H.. irq 3000 0 $rx1 24 timer0
    F=d.H.. irq_end 4000 0 $rx1 24
    soft_end 6000 0 $rx1 NET_TX
    to 7000 0 $rx1 $idle
} | charges)"
check 'a name that the kernel had forgotten' equal '1 2, own 25, unattributed 3' "$({
    idle_1
    to 1000 0 $idle $rx1
    to 2000 0 $rx1 gzip-9
    echo 'CPU:0 [LOST 3 EVENTS]'
    irq 3000 0 '<...>-305' 24 timer0
    irq_end 4000 0 '<...>-305' 24
    to 5000 0 '<...>-305' gzip-9
    echo 'CPU:0 [LOST 3 EVENTS]'
    irq 6000 0 '<...>-888' 24 timer0
    irq_end 7000 0 '<...>-888' 24
    to 8000 0 '<...>-888' gzip-9
} | charges)"
check 'losses of which no line says where' equal 'own 10, unattributed 20' "$({
    idle_1
    to 600 0 $idle $idle
    remark lost 0 3
} | charges)"
check 'a file that ends before the trace' equal '1 3, own 22, unattributed 5' "$({
    head_of
    idle_1
    to 1000 0 $idle $rx1
    to 4000 0 $rx1 $idle
    remark end $((BASE + 25000000))
} >"$scratch/part"; charged_by "$scratch/part")"
check 'that is said' says "$err" "^xenmeter: $scratch/part: it covers 0.000 s to 0.025 s of the trace's 0 s to 0.040 s: the rest is unattributed"
check 'without remarks: from the first event of a CPU to the last of all' equal '1 2.5, own 17.5, unattributed 10' "$({
    idle_1 2000
    to 1500 0 $idle $rx1
    irq 2000 0 $rx1 24 timer0
    irq_end 3000 0 $rx1 24
    soft 4000 0 $rx1 RCU
    soft_end 4500 0 $rx1 RCU
    to 5500 0 $rx1 $idle
    line 21500 1 ..... $idle 'sched_wakeup: comm=x pid=5'
} >"$scratch/bare"; charged_by "$scratch/bare")"
check 'two recordings: not between them' equal '1 4, own 22, unattributed 4' "$({
    head_of
    to 1000 0 $idle $rx1
    idle_1
    remark end $((BASE + 3000000))
    remark dom0-trace 1
    remark begin $((BASE + 5000000))
    to 7000 0 $rx1 $idle
    line 9000 1 d..2. $idle 'sched_wakeup: comm=x pid=5'
    remark end $((BASE + 35000000))
} >"$scratch/two"; charged_by "$scratch/two")"
check 'another boot' equal 'unattributed 30' "$({ idle_1; to 500 0 $idle $idle; } | sed -E 's/ 1000[0-9]+:/ 77:/' >"$scratch/lines"
    { remark dom0-trace 1; remark begin 5; cat "$scratch/lines"; remark end 100; } >"$scratch/boot"; charged_by "$scratch/boot")"
check 'that is said' says "$err" 'outside of the trace (0 s to 0.040 s): another host, or another boot?'

{
    head_of
    idle_1
    to 500 0 $idle $idle
    to 2000 0 $idle $rx1
    to 5000 0 $rx1 2.xvda-0-414
    to 6000 0 2.xvda-0-414 $idle
    end_of
} >"$scratch/good"
sums() { # every interval of the last run's JSON
    jq -e 'all(.reports[].intervals[].idds[]; .charged_ns + .own_ns + .unattributed_ns == .running_ns
        and ([.guests[].charged_ns] | add // 0) == .charged_ns)
        and ([.reports[] | [.intervals[].idds[].running_ns] | add] | unique | length == 1)' "$out" >/dev/null
}

group 'with other options'
run charge --cpu-hz 1G -g total,7ms,1ms,300us -f json --dom0-trace "$scratch/good" "$capture"
check 'every interval adds up' sums
check 'the parts are where they were' equal '0 1000000 1000000' \
    "$(jq -r '[.reports[] | select(.granularity_ns == 1000000) | .intervals[1, 2, 4].idds[].guests | map(select(.domain == 1).charged_ns) | add // 0] | join(" ")' "$out")"
check 'what it rests on' equal '100 0' "$(jq -r '.reports[0].intervals[0].idds[0].guests[0].evidence | "\(.measured_pct) \(.inferred_pct)"' "$out")"
check 'the method' equal "[] $scratch/good 0 40000000 0" "$(jq -r '.method | "\(.charge_by) \(.dom0_trace) \(.dom0_trace_from_ns) \(.dom0_trace_to_ns) \(.dom0_trace_lost)"' "$out")"
cp "$out" "$scratch/from-file"
run charge --cpu-hz 1G -g total,7ms,1ms,300us -f json --dom0-trace "$scratch/good" - <"$capture"
check 'through a pipe' equal "$(jq .reports "$scratch/from-file")" "$(jq .reports "$out")"
for compressor in zstd gzip xz; do
    $compressor -c "$scratch/good" >"$scratch/packed"
    check "compressed by $compressor" equal '1 3, 2 1, own 26' "$(charged_by "$scratch/packed")"
done
check 'in a part of the capture' equal '1 2, own 3' "$(charged_by "$scratch/good" -t 1.5ms,4ms)"
# From 6 ms on there is something to go by: 24 ms + 1 ms of vCPU 0 and 10 ms of vCPU 1, shared 3 : 1; 1 ms is before.
check '--charge-all: own time in the proportion of what was charged before' equal '1 21.75, 2 7.25, own 1' "$(charged_by "$scratch/good" --charge-all)"
# 6 ms of the idle task in the run from 1 to 11 ms go to guest 1 and 2 as 3 : 1; in other runs nobody else worked.
check '--charge-idle: to those for whom the run worked' equal '1 7.5, 2 2.5, own 20' "$(charged_by "$scratch/good" --charge-idle)"
run charge --cpu-hz 1G -g total,7ms,1ms,300us -f json --charge-idle --dom0-trace "$scratch/good" "$capture"
check '--charge-idle: every interval adds up' sums
check '--charge-idle: what of it was measured' equal '40.000 true' \
    "$(jq -r '"\(.reports[0].intervals[0].idds[0].guests[0].evidence.measured_pct)" + "\(.method | " \(.charge_idle)")"' "$out" | sed 's/^40 /40.000 /')"
check '--charge-idle: own work takes part; ticks, messages between CPUs and SCHED are the scheduler' equal '1 12, own 18' "$({
    idle_1
    irq 1000 0 $idle 24 timer0
    irq_end 2000 0 $idle 24
    irq 2000 0 $idle 25 resched0
    irq_end 3000 0 $idle 25
    soft 3000 0 $idle SCHED
    soft_end 4000 0 $idle SCHED
    to 4000 0 $idle $rx1
    to 7000 0 $rx1 gzip-9
    to 9000 0 gzip-9 $idle
    to 20000 0 $idle $rx1
    to 26000 0 $rx1 gzip-9
} >"$scratch/lines"; { head_of; cat "$scratch/lines"; end_of; } >"$scratch/idle"; charged_by "$scratch/idle" --charge-idle)"
check '--charge-per, --charge-by, --weights are about other driver domains' equal '1 3, 2 1, own 26' \
    "$(charged_by "$scratch/good" --charge-per interval=10ms --charge-by grants --weights map=3)"
run report --cpu-hz 1G -f csv -c domain,charged_ns --dom0-trace "$scratch/good" "$capture"
check 'report has the same' equal '1,3000000 2,1000000' "$(grep '^[12],' "$out" | paste -sd' ')"
run charge --cpu-hz 1G --dom0-trace "$scratch/good" "$capture"
check 'the table says how' says "$out" '^domain 0 is charged by what its own kernel recorded'
check 'the table says what charges rest on' says "$out" ' measured 100%'
run archive create -q --cpu-hz 1G --with-trace "$capture" -o "$scratch/kept.xma"
run charge --dom0-trace "$scratch/good" -f csv -c recipient,domain,charged_ns "$scratch/kept.xma"
check 'of an archive, the trace that it keeps' equal 'guest,1,3000000 guest,2,1000000' "$(grep '^guest' "$out" | paste -sd' ')"
run archive create -q --cpu-hz 1G "$capture" -o "$scratch/bare.xma"
run charge --dom0-trace "$scratch/good" "$scratch/bare.xma"
check 'an archive without its trace' says "$err" 'charged in another way.*the trace was not kept'
run report -f archive --dom0-trace "$scratch/good" -o "$scratch/no.xma" "$capture"
check 'archives do not keep it' says "$err" '^xenmeter: --dom0-trace does not go with --format archive'
cp "$scratch/good" "$scratch/copy"
run charge --dom0-trace "$scratch/copy" -o "$scratch/copy" "$capture"
check 'the recording is not overwritten' says "$err" 'would be lost'
run charge -q --cpu-hz 1G --dom0-trace "$scratch/boot" "$capture"
check 'a recording of another time is no good result' says "$out" '^verdict: poor .*100 % of the trace is not covered'
run charge --cpu-hz 1G --charge-idle "$capture"
check 'the idle loop without a recording: exit code 2' exits 2
check 'and what is missing' says "$err" 'charge-idle: no driver domain says .* --dom0-trace FILE'
sed 's/^# xenmeter begin/# xenmeter domain 5\n&/' "$scratch/good" >"$scratch/five"
check 'of a domain that is none' equal 'own 30' "$(charged_by "$scratch/five")"
check 'that is said' says "$err" 'domain 5, which recorded it, is no driver domain of this trace'
check 'of another driver domain: domain 0 as without it' equal 'own 30' "$(charged_by "$scratch/five" --idd 0,1)"

# What ran in dom0 for whom, in ms, by another program from the same records; it takes the stamps of Xen's records for the
# instants of switches.
group 'a real recording'
real=fixtures/cases/dom0-trace
{ printf '# xenmeter irq %s\n' '44 2' '45 2' '63 2' | zstd -q; cat $real.txt.zst; } >"$scratch/real.zst"
near() { awk -v a="$1" -v b="$2" 'BEGIN { exit !(a - b <= 0.5 && b - a <= 0.5) }' || { echo "      $1, not $2"; return 1; }; }
of() { jq ".reports[0].intervals[0].idds[] | select(.domain == 0) | $1 / 1e6" "$out"; }
run charge -q -f json -g total,100ms,1ms --dom0-trace "$scratch/real.zst" $real.xt.zst
check 'every interval adds up' sums
check 'it ran' near "$(of .running_ns)" 316.532
check 'guest 1: a thread of netback' near "$(of '(.guests[] | select(.domain == 1).charged_ns)')" 10.733
check 'guest 2: blkback and interrupts of its disk' near "$(of '(.guests[] | select(.domain == 2).charged_ns)')" 55.563
check 'guest 3: polls in softirqs, threads of netback' near "$(of '(.guests[] | select(.domain == 3).charged_ns)')" 55.789
check 'own: the rest' near "$(of .own_ns)" 194.446
check 'all of it was recorded' equal 0 "$(of .unattributed_ns)"
run charge -q -f json --dom0-trace $real.txt.zst $real.xt.zst
check 'nothing said of the disks: own' near "$(of .own_ns)" 204.846
check 'nor of the event channel: unattributed' near "$(of .unattributed_ns)" 2.464

{
    echo time_ns,domain,device,tx_packets,rx_packets
    for ((i = 0; i < 5; i++)); do for domain in 1 2 3; do echo "${i}00000000,$domain,vif$domain.0,$((i * 97)),$((i * 31))"; done; done
} >"$scratch/packets.csv"
for options in "--dom0-trace $real.txt.zst" '--charge-by grants --charge-per execution' ''; do
    # shellcheck disable=SC2086 # a list of words
    run charge -q -f json -g total,10ms,3ms --io-counts "$scratch/packets.csv" $options $real.xt.zst
    check "packets of outside counters are all in the rows, ${options:-by default}" equal '969 309 969 309 969 309' "$(jq -r '[.reports[]
        | [.intervals[].idds[].guests[].events] | (map(.tx) | add), (map(.rx) | add)] | join(" ")' "$out")"
done

group 'files that are refused'
rejects() { # PATTERN FILE
    run charge --cpu-hz 1G --dom0-trace "$2" "$capture"
    exits 2 && is_empty "$out" && equal 1 "$(wc -l <"$err")" && says "$err" "^xenmeter: $2: $1"
}
damaged() { # PATTERN SED-SCRIPT: of the good one
    sed -e "$2" "$scratch/good" >"$scratch/bad"
    rejects "$1" "$scratch/bad"
}
check 'a line that is cut' damaged "line 5: this is no line of Linux' trace" '5s/\].*//'
check 'a line that begins in the middle' damaged "line 5: this is no line of Linux' trace" '5s/^.....//'
check 'time that goes back' damaged 'line 6: CPU 0: its time goes back' '6s/ 1005000000:/ 1000499999:/'
check 'another clock' damaged 'line 4: the time stamps are no cycles: trace_clock was not x86-tsc' '4s/ [0-9]*: / 1005.123456: /'
check 'without flags' damaged 'line 4: there are no flags' '4s/ d..2\. / /'
check 'a stamp that is too large' damaged "line 5: this is no line of Linux' trace" '5s/ [0-9]*: / 99999999999999999999: /'
check 'a CPU that is too large' damaged "line 5: this is no line of Linux' trace" '5s/\[000\]/[1024]/'
check 'losses that cannot be read' damaged "line 5: this is no line of Linux' trace" '5s/.*/CPU:0 [LOST x EVENTS]/'
check 'a remark that is not known' damaged "line 4: '# xenmeter what 1' is no remark" '4s/.*/# xenmeter what 1/'
check 'a remark without its number' damaged "line 4: '# xenmeter task 1' is no remark" '4s/.*/# xenmeter task 1/'
check 'a number that is too large' damaged "line 2: a number in '# xenmeter begin 99999999999999999999' is too large" '2s/[0-9]*$/99999999999999999999/'
check 'more than a remark has' damaged "line 2: '# xenmeter begin [0-9]* 5' is no remark" '2s/$/ 5/'
check 'a number that is cut short by something else' damaged "line 4: '# xenmeter lost 0 3x' is no remark" '4s/.*/# xenmeter lost 0 3x/'
check 'a task without a name' damaged 'line 4: the name of the task is missing' '4s/.*/# xenmeter task 77 3/'
check 'the same with a blank' damaged 'line 4: the name of the task is missing' '4s/.*/# xenmeter task 77 3 /'
check 'a task with a name longer than any' damaged 'line 4: the name of the task is longer than 16 bytes' '4s/.*/# xenmeter task 77 3 abcdefghijklmnopq/'
check 'the idle task is nobody else' damaged 'line 4: there is no task 0 to be whose' '4s/.*/# xenmeter task 0 3 swapper/'
check 'a task that cannot be' damaged 'line 4: there is no task 4294967373 to be whose' '4s/.*/# xenmeter task 4294967373 3 qemu/'
check 'a device without a name' damaged 'line 4: the name of the device is missing' '4s/.*/# xenmeter device 3/'
check 'a device with a name longer than any' damaged 'line 4: the name of the device is longer than 16 bytes' '4s/.*/# xenmeter device 3 abcdefghijklmnopq/'
check 'another domain in the middle' damaged 'line 4: lines before this one are about domain 0' '4s/.*/# xenmeter domain 5/'
end_line=$(wc -l <"$scratch/good")
check 'an end before its events' damaged 'line 5: CPU 0: an event after the end of the recording' "4s/.*/# xenmeter end $((BASE + 600000))/"
check 'an end without a begin' damaged 'line 2: the recording ends, but none has begun' '2s/begin/end/'
check 'an end before the begin' damaged "line $end_line: the recording ends before it begins" "${end_line}s/[0-9]*$/$((BASE - 1))/"
check 'an end before the first event' damaged "line $end_line: the recording ends before its first event" "${end_line}s/[0-9]*$/$((BASE + 1))/"
check 'a begin after all events' damaged 'the recording begins after its last event' "2s/[0-9]*$/$((BASE + 900000000))/; \$d"
check 'a begin before the end of the last recording' damaged "line $((end_line + 1)): the recording begins before the last one has ended" \
    "\$a# xenmeter begin $((BASE + 8000000))"
{ head_of; end_of; } >"$scratch/bad"
check 'no event at all' rejects 'there is no event in it' "$scratch/bad"
check 'a directory' rejects 'is a directory$' "$scratch"
check 'a domain that is too large' damaged 'line 4: domain 65536 is too large' '4s/.*/# xenmeter task 1 65536 x/'
check 'an interrupt that is too large' damaged 'line 4: interrupt 1048576 is too large' '4s/.*/# xenmeter irq 1048576 1/'
check 'another version' damaged 'line 1: version 2 of this file is not known' '1s/1$/2/'
check 'a zero byte' damaged "line 4: this is no text of Linux' trace" '4s/sched/\x00/'
{ head -c 5000 /dev/zero | tr '\0' ' '; cat "$scratch/good"; } >"$scratch/bad"
check 'a line that is too long' rejects 'line 1: longer than 4095 bytes' "$scratch/bad"
zstd -qc "$scratch/good" | head -c -9 >"$scratch/bad.zst"
check 'compressed data that ends in the middle' rejects '.*ends in the middle\|.*cut short' "$scratch/bad.zst"
: >"$scratch/bad"
check 'an empty file' rejects . "$scratch/bad"
head -c 100000 /dev/urandom >"$scratch/bad"
check 'no text' rejects 'line [0-9]*: ' "$scratch/bad"
check 'a capture' rejects "line 1: this is no text of Linux' trace" fixtures/cases/pm-idle.xt.zst
check 'no such file' rejects '.*No such file' "$scratch/nothing"
for event in sched_switch irq_handler_entry softirq_entry; do
    { to 500 0 $idle $idle; irq 600 0 $idle 24 timer0; soft 700 0 $idle RCU; } | grep -v $event >"$scratch/bad"
    check "recorded without $event" rejects "there is no $event in it" "$scratch/bad"
done
{ cat "$scratch/good"; printf '    bash-1 [000] d..2. 10300'; } >"$scratch/cut"
check 'a last line that is still being written does not count' equal '1 3, 2 1, own 26' "$(charged_by "$scratch/cut")"

finish
