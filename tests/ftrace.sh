#!/bin/bash
# What Linux' ftrace says of a driver domain, as io-counts --ftrace records it; the tracefs is made up.
# shellcheck source=tests/lib.sh disable=SC2016,SC2317 # functions are called through check
. "$(dirname "$0")/lib.sh"

root=$scratch/root
tracing=$root/sys/kernel/tracing
instances=$tracing/instances
made=$scratch/instance # what the kernel puts into a new instance
file=$scratch/ftrace.txt.zst
EVENTS='sched/sched_switch irq/irq_handler_entry irq/irq_handler_exit irq/softirq_entry irq/softirq_exit napi/napi_poll'
OTHERS='sched/sched_waking irq_vectors/local_timer_entry irq_vectors/local_timer_exit'

mkdir -p "$root/sys/class/net/vif1.0/statistics" "$instances" "$made/options" "$made/per_cpu/cpu0" "$made/per_cpu/cpu1"
echo 7 | tee "$root/sys/class/net/vif1.0/statistics/"{tx,rx}_packets >"$out"
for event in $EVENTS $OTHERS; do
    mkdir -p "$made/events/$event"
    echo 0 >"$made/events/$event/enable"
done
echo none >"$made/events/sched/sched_waking/filter"
echo '[local] global counter uptime perf mono mono_raw boot x86-tsc' >"$made/trace_clock"
touch "$made/tracing_on" "$made/trace" "$made/buffer_size_kb" "$made/options/overwrite" "$made/options/irq-info"
for cpu in 0 1; do
    printf 'entries: 0\noverrun: 0\ncommit overrun: 0\nbytes: 0\ndropped events: 0\nread events: 2\n' >"$made/per_cpu/cpu$cpu/stats"
done
cat >"$made/trace_pipe" <<'END'
 vif1.0-q0-guest-305     [001] d.h1. 870382514627: irq_handler_entry: irq=48 name=virtio3-req.1
 vif1.0-q0-guest-305     [001] d.h1. 870382820569: irq_handler_exit: irq=48 ret=handled
END

# Runs io-counts where its instance is there before it begins, as an instance of the kernel's is full as soon as it is made.
# Takes the place of the shell it is called in.
in_instance() { # ARGUMENT...
    exec env --default-signal=INT bash -c 'cp -r "$0" "$1/xenmeter-$$"; echo $$ >"$2"; shift 2; exec "$@"' "$made" "$instances" "$scratch/pid" \
        "$XENMETER" io-counts --root "$root" "$@"
}
record() { # ARGUMENT...: exit code in $status, $instance
    (in_instance "$@" >"$out" 2>"$err")
    status=$?
    instance=$instances/xenmeter-$(cat "$scratch/pid")
}
forget() { rm -rf "$instances"/xenmeter-* "$file"; }
has() { equal "$2" "$(cat "$instance/$1")"; } # FILE TEXT
said() { sed '/cannot be removed: Directory not empty/d' "$err"; } # here an instance is a plain directory
text() { zstd -dcq "$file"; }
is_off() { # nothing is traced any more
    local event
    for event in $EVENTS $OTHERS; do
        [ ! -e "$instance/events/$event/enable" ] || has "events/$event/enable" 0 || return 1
    done
    has tracing_on 0
}
fails() { # PATTERN ARGUMENT...: one clear line, nothing left behind
    local pattern=$1
    shift
    record -n 1 "$@"
    exits 2 && equal 1 "$(said | wc -l)" && said | grep -q -e "^xenmeter: $pattern" && [ ! -e "$file" ]
}

group 'recording'
record -n 1 --ftrace "$file"
check 'exit code 0' exits 0
check 'the counters all the same' says "$out" ',1,vif1.0,7,7,,$'
check 'what the trace said, between the moments at which it began and ended' equal \
    "# xenmeter dom0-trace 1 # xenmeter begin N $(paste -sd' ' "$made/trace_pipe") # xenmeter end N" \
    "$(text | sed -E 's/^(# xenmeter (begin|end)) [0-9]+$/\1 N/' | paste -sd' ')"
check 'the end is later than the beginning' awk '/ begin / { b = $4 } / end / { exit !($4 > b) }' <(text)
check 'the clock is the tsc' has trace_clock x86-tsc
check 'the buffers are bounded' has buffer_size_kb 4096
check 'what was there is cleared' has trace ''
check 'flags, and losses that are told where they were' equal '1 1' "$(cat "$instance/options/irq-info" "$instance/options/overwrite" | sed 's/./& /;s/ $//')"
check 'only tasks that serve guests are asked for when they are woken' says "$instance/events/sched/sched_waking/filter" 'comm ~ .*xvd'
check 'everything is off again' is_off
check 'an instance that cannot be removed is said' says "$err" "^xenmeter: --ftrace: $instance cannot be removed: "
forget
record -n 1 --ftrace "$scratch/plain.txt" --idd 5
check 'not compressed if its name does not say so' says "$scratch/plain.txt" '^# xenmeter dom0-trace 1$'
check '--idd: which domain it is' says "$scratch/plain.txt" '^# xenmeter domain 5$'
forget

mkdir "$made/per_cpu/"cpu{2..63}
record -n 1 --ftrace "$file"
check 'the buffers of many CPUs are smaller' has buffer_size_kb 2048
rmdir "$made/per_cpu/"cpu{2..63}
forget

# The figures of the last CPU are read through a pipe, so that the instance can be emptied before it is removed.
group 'the instance is removed'
cp -r "$made" "$scratch/piped"
rm "$scratch/piped/per_cpu/cpu1/stats"
mkfifo "$scratch/piped/per_cpu/cpu1/stats"
whole=$made
made=$scratch/piped
in_instance -n 1 --ftrace "$file" >"$out" 2>"$err" &
pid=$!
stats=$instances/xenmeter-$pid/per_cpu/cpu1/stats
check 'it is there' soon [ -p "$stats" ]
exec 9>"$stats"
rm -r "$instances/xenmeter-$pid"/*
echo 'overrun: 57' >&9
exec 9>&-
wait $pid
check 'exit code 0' equal 0 $?
made=$whole
check 'it is gone' [ ! -e "$instances/xenmeter-$pid" ]
check 'losses are said, by CPU' equal 'xenmeter: --ftrace: CPU 1 lost 57 events: what it did meanwhile is not known' "$(cat "$err")"
forget

group 'losses'
printf 'overrun: 4\ncommit overrun: 1\ndropped events: 2\n' >"$made/per_cpu/cpu0/stats"
record -n 1 --ftrace "$file"
check 'all are said' says "$err" 'CPU 0 lost 7 events'
check 'those of which no line tells are in the file' equal '# xenmeter lost 0 3' "$(text | grep ' lost ')"
forget
record -n 1 -q --ftrace "$file"
check '-q: they are not said' not says "$err" lost
printf 'overrun: 0\n' >"$made/per_cpu/cpu0/stats"
forget

group 'signals'
for signal in TERM INT HUP; do
    in_instance -i 1h --ftrace "$file" -o "$scratch/log" >"$out" 2>"$err" &
    pid=$!
    instance=$instances/xenmeter-$pid
    check "SIG$signal: it records" soon grep -qs 1 "$instance/tracing_on"
    check "SIG$signal: the file is not there yet" [ ! -e "$file" ]
    kill -$signal $pid
    wait $pid
    check "SIG$signal: exit code 0" equal 0 $?
    check "SIG$signal: everything is off" is_off
    check "SIG$signal: the file is complete" equal "# xenmeter end" "$(text | tail -n 1 | cut -d' ' -f1-3)"
    forget
done
rm "$made/trace_pipe"
mkfifo "$made/trace_pipe"
sed -i 's/bytes: 0/bytes: 1048576/' "$made/per_cpu/cpu1/stats"
in_instance -i 1h --ftrace "$file" -o "$scratch/log" >"$out" 2>"$err" &
pid=$!
instance=$instances/xenmeter-$pid
soon grep -qs 1 "$instance/tracing_on"
seq -f '%.0f first' 1 20000 >"$instance/trace_pipe"
seq -f '%.0f second' 1 3 >"$instance/trace_pipe"
kill -TERM $pid
wait $pid
check 'more than a buffer, while it waits for the next reading' equal 20003 "$(text | grep -c 'first\|second')"
forget
sed -i 's/bytes: 1048576/bytes: 1048575/' "$made/per_cpu/cpu1/stats"
in_instance -i 1h --ftrace "$file" -o "$scratch/log" >"$out" 2>"$err" &
pid=$!
instance=$instances/xenmeter-$pid
soon grep -qs 1 "$instance/tracing_on"
echo later >"$instance/trace_pipe"
sleep 0.6
exec 9<>"$instance/trace_pipe"
check 'what fits into a quarter of the buffers is not read while it is recorded' equal later "$(timeout 5 head -n 1 <&9)"
exec 9<&-
kill -TERM $pid
wait $pid
forget
rm "$made/trace_pipe"
touch "$made/trace_pipe"
sed -i 's/bytes: .*/bytes: 0/' "$made/per_cpu/cpu1/stats"

group 'instances that were left over'
mkdir -p "$instances/xenmeter-4190001" "$instances/xenmeter-4190002" "$instances/xenmeter-4190003" "$instances/others-4190004" \
    "$instances/xenmeter-" "$root/proc/4190002" "$root/proc/4190003"
echo xenmeter >"$root/proc/4190002/comm"
echo bash >"$root/proc/4190003/comm"
record -n 1 --ftrace "$file"
check 'one of a process that is gone' [ ! -e "$instances/xenmeter-4190001" ]
check 'one whose number another program has got' [ ! -e "$instances/xenmeter-4190003" ]
check 'not one of a process that goes on' [ -e "$instances/xenmeter-4190002" ]
check 'none of somebody else' [ -e "$instances/others-4190004" ]
rmdir "$instances"/xenmeter-4190002 "$instances/others-4190004" "$instances/xenmeter-"
forget

group 'what is missing'
echo '[local] global counter' >"$made/trace_clock"
check 'no clock x86-tsc' fails '--ftrace: this kernel has no trace clock x86-tsc.*it has: \[local\] global counter' --ftrace "$file"
check 'no clock x86-tsc: everything is off' is_off
forget
echo '[local] x86-tsc' >"$made/trace_clock"
for event in $EVENTS; do
    rm "$made/events/$event/enable"
    check "no $event" fails "--ftrace: this kernel cannot trace $event" --ftrace "$file"
    check "no $event: everything is off" is_off
    echo 0 >"$made/events/$event/enable"
    forget
done
rm -r "$made/events/irq_vectors" "$made/events/sched/sched_waking"
record -n 1 --ftrace "$file"
check 'others need not be there' exits 0
forget
check 'a file that cannot be made' fails "$scratch/nothing/x: .*No such file" --ftrace "$scratch/nothing/x"
forget
mv "$tracing" "$scratch/aside"
run io-counts --root "$root" -n 1 --ftrace "$file"
check 'no tracefs' says "$err" '^xenmeter: --ftrace: there is no tracefs: "mount -t tracefs tracefs .*" mounts it'
check 'no tracefs: exit code 2' exits 2
mkdir -p "$root/sys/kernel/debug"
mv "$scratch/aside" "$root/sys/kernel/debug/tracing"
instances=$root/sys/kernel/debug/tracing/instances
record -n 1 --ftrace "$file"
check 'below debugfs' exits 0
forget
mv "$root/sys/kernel/debug/tracing" "$tracing"
instances=$tracing/instances
for bad in '--ftrace=' '--ftrace -' "--ftrace $scratch/x -o $scratch/x"; do
    # shellcheck disable=SC2086 # a list of words
    run io-counts --root "$root" -n 1 $bad
    check "$bad" exits 2
done

# The disks of a driver domain: virtio devices vda, vdb, vdc with the interrupts 41, 42, 43, and sda, sdb on one controller.
group 'whose the interrupts of disks are'
pci=$root/sys/devices/pci0000:00
place_disk() { # CONTROLLER NUMBER NAME
    mkdir -p "$pci/$1/block/$3" "$root/sys/block" "$root/sys/dev/block"
    ln -s "$pci/$1/block/$3" "$root/sys/block/$3"
    ln -s "$pci/$1/block/$3" "$root/sys/dev/block/$2"
}
give() { # VBD MAJOR:MINOR, both in hexadecimal digits
    mkdir -p "$root/sys/bus/xen-backend/devices/$1"
    echo "$2" >"$root/sys/bus/xen-backend/devices/$1/physical_device"
}
irqs() {
    record -n 1 --ftrace "$file"
    text | sed -n 's/^# xenmeter irq //p' | sort -n | paste -sd,
    forget
}
for n in 1 2 3; do
    mkdir -p "$pci/0000:00:0$n.0/msi_irqs"
    touch "$pci/0000:00:0$n.0/msi_irqs/4$n"
done
place_disk 0000:00:01.0/virtio1 253:0 vda
place_disk 0000:00:02.0/virtio2 253:16 vdb
place_disk 0000:00:03.0/virtio3 253:32 vdc
mkdir -p "$pci/0000:00:1f.2/ata1"
echo 19 >"$pci/0000:00:1f.2/irq"
place_disk 0000:00:1f.2/ata1 8:0 sda
place_disk 0000:00:1f.2/ata2 8:16 sdb
mkdir "$pci/0000:00:01.0/virtio1/block/vda/vda1"
ln -s "$pci/0000:00:01.0/virtio1/block/vda/vda1" "$root/sys/dev/block/253:1"
check 'no guest has a disk: all are its own' equal '19 0,41 0,42 0,43 0' "$(irqs)"
give vbd-2-51712 fd:10
give vbd-3-51712 fd:20
check 'whole disks of guests' equal '19 0,41 0,42 2,43 3' "$(irqs)"
give vbd-3-51728 fd:1
check 'a part of a disk: others may use the rest' equal '19 0,41 shared,42 2,43 3' "$(irqs)"
give vbd-2-51744 8:10
check 'one of two disks of a controller' equal '19 shared,41 shared,42 2,43 3' "$(irqs)"
give vbd-1-51744 8:0
check 'two guests' equal '19 shared,41 shared,42 2,43 3' "$(irqs)"
give vbd-2-51744 8:0
give vbd-1-51744 8:10
rm -r "$root/sys/bus/xen-backend/devices/vbd-1-51744"
give vbd-2-51760 8:10
check 'both of one guest' equal '19 2,41 shared,42 2,43 3' "$(irqs)"
mkdir -p "$root/sys/devices/virtual/block/dm-0/slaves"
ln -s "$root/sys/devices/virtual/block/dm-0" "$root/sys/dev/block/254:0"
ln -s "$pci/0000:00:02.0/virtio2/block/vdb" "$root/sys/devices/virtual/block/dm-0/slaves/vdb"
give vbd-1-51712 fe:0
check 'a logical volume on it' equal '19 2,41 shared,42 shared,43 3' "$(irqs)"
rm "$root/sys/bus/xen-backend/devices/vbd-3-51728/physical_device"
check 'a disk of which nothing is known' equal '19 2,41 shared,42 shared,43 3' "$(irqs)"
rm -r "$root/sys/bus"
check 'no guest uses any more what is left' equal '19 0,41 0,42 0,43 0' "$(irqs)"
mkdir -p "$root/sys/bus/xen-backend/devices/qdisk-3-51712"
check 'a process serves a disk of which nothing is known' equal '19 shared,41 shared,42 shared,43 shared' "$(irqs)"
rm -r "$root/sys/bus" "$root/sys/block" "$root/sys/dev"

group 'whose other things are'
ln -s ../../../vif-1-0 "$root/sys/class/net/vif1.0/device"
mkdir -p "$root/sys/class/net/web/statistics" "$root/sys/class/net/eth0" "$root/proc/77/task/77"
echo 1 | tee "$root/sys/class/net/web/statistics/"{tx,rx}_packets >"$out"
ln -s ../../../vif-7-0 "$root/sys/class/net/web/device"
ln -s ../../../0000:00:19.0 "$root/sys/class/net/eth0/device"
printf 'qemu-system-i386\0-xen-domid\0%s\0' 7 >"$root/proc/77/cmdline"
echo qemu-system-i386 >"$root/proc/77/comm"
echo '77 (qemu-system-i38) S 1 1 1' >"$root/proc/77/stat"
record -n 1 --ftrace "$file"
check 'interfaces that were renamed' equal '# xenmeter device 7 web' "$(text | grep 'xenmeter device')"
check 'device models, by the name that the trace has' equal '# xenmeter task 77 7 qemu-system-i38' "$(text | grep 'xenmeter task')"
forget
looked_at_again() { # SECONDS after a device has changed; on a busy machine the look may come later
    mkdir -p "$root/sys/class/net/web"
    ln -sfn ../../../vif-7-0 "$root/sys/class/net/web/device"
    in_instance -i 100ms -o "$scratch/log" --ftrace "$file" 2>"$err" &
    pid=$!
    instance=$instances/xenmeter-$pid
    soon grep -qs 1 "$instance/tracing_on"
    sleep "$1"
    rm -r "$root/sys/class/net/web"
    sleep "$1"
    mkdir -p "$root/sys/class/net/disguised"
    ln -s ../../../vif-9-0 "$root/sys/class/net/disguised/device"
    sleep "$1"
    kill -TERM $pid
    wait $pid
    found=$(text | sed -n 's/^# xenmeter device //p' | paste -sd,)
    rm -r "$root/sys/class/net/disguised"
    forget
    [ "$found" = '7 web,9 disguised' ]
}
soon_enough() { looked_at_again 1.3 || looked_at_again 5 || looked_at_again 30; }
check 'they are looked at again' soon_enough

finish
