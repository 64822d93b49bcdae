#!/bin/bash
# xenmeter io-counts: rows from the counters of a driver domain; and the files of counters that --io-counts accepts.
# shellcheck source=tests/lib.sh disable=SC2016,SC2001,SC2317 # functions are called through check
. "$(dirname "$0")/lib.sh"

fixture=fixtures/mixed-credit.xt.zst
HEADER=time_ns,tsc,domain,device,tx_packets,rx_packets,read_ops,write_ops
root=$scratch/root
net=$root/sys/class/net
xen=$root/sys/bus/xen-backend/devices
log=$scratch/counts.csv
mkdir -p "$net" "$xen"

network() { # NAME TX RX: as /sys has it
    mkdir -p "$net/$1/statistics"
    echo "$2" >"$net/$1/statistics/tx_packets"
    echo "$3" >"$net/$1/statistics/rx_packets"
}
disk() { # NAME READS WRITES
    mkdir -p "$xen/$1/statistics"
    echo "$2" >"$xen/$1/statistics/rd_req"
    echo "$3" >"$xen/$1/statistics/wr_req"
}

# Counters of a real domain 0: what it had when the capture mixed-credit began.
network xenbr0 3829 1422
network vif1.0 296 271
network vif2.0 3770 1625
network vif3.0 780 492
disk vbd-3-51712 590 440
mkdir -p "$xen/vif-1-0" "$xen/vif-2-0" "$xen/vif-3-0"
real_rows="1,vif1.0,296,271,,
2,vif2.0,3770,1625,,
3,vif3.0,780,492,,
3,vbd-3-51712,,,590,440"

counts() { run io-counts --root "$root" "$@"; }
rows() { tail -n +2 "$1" | cut -d, -f3-; } # FILE: without the times
header() { head -n 1 "$1"; }
whole_lines() { # FILE: each line has all its fields, and the last one ends
    [ "$(tail -c 1 "$1" | od -An -tx1 | tr -d ' ')" = 0a ] && awk -F, 'NF != 8 { bad = 1 } END { exit bad }' "$1"
}
counts_vifs_only() { # ARGUMENT...
    run "$@" </dev/null
    exits 0 && whole_lines "$out" && rows "$out" | grep -q vif && ! rows "$out" | grep -q vbd
}
logged() { [ -e "$log" ] && says "$log" "$1"; }      # PATTERN
longer_than() { [ "$(wc -l <"$log")" -gt "$1" ]; }   # LINES
rows_behind() { tail -n +"$1" "$log" | grep -q "$2"; } # LINE PATTERN

group 'rows'
counts -n 1
check 'exit code 0' exits 0
check 'nothing is said' is_empty "$err"
check 'the header' equal "$HEADER" "$(header "$out")"
check 'a row for each device, in order; no bridge' equal "$real_rows" "$(rows "$out")"
check 'whole lines' whole_lines "$out"
check 'time_ns goes on' awk -F, 'NR > 2 && $1 <= last { bad = 1 } { last = $1 } END { exit bad }' "$out"
case $(uname -m) in
x86_64 | aarch64)
    check 'tsc goes on' awk -F, 'NR > 2 && $2 <= last { bad = 1 } { last = $2 } END { exit bad }' "$out"
    ;;
*) check 'no tsc' awk -F, 'NR > 1 && $2 != "" { bad = 1 } END { exit bad }' "$out" ;;
esac
counts -n 1 -d 0,2-3
check '-d: these guests' equal "$(grep '^[23]' <<<"$real_rows")" "$(rows "$out")"
counts -n 1 --idd 5
check '--idd: a column more' equal "$HEADER,idd" "$(header "$out")"
check '--idd: in each row' equal "$(sed 's/$/,5/' <<<"$real_rows")" "$(rows "$out")"
counts -n 1 -o "$log"
check '-o: nothing on standard output' is_empty "$out"
check '-o: the rows' equal "$real_rows" "$(rows "$log")"
counts -n 1 -o -
check '-o -: standard output' equal "$real_rows" "$(rows "$out")"

group 'which devices'
network vif2.0-emu 1 1
network vif2 1 1
network vif.0 1 1
network vif70000.0 1 1
network vif1.0x 1 1
disk qdisk-3-51728 1 1
disk vbd-3 1 1
mkdir -p "$net/vif9.0" "$xen/vbd-9-51712/statistics"
counts -n 1
check 'taps, other names, devices without counters: no rows' equal "$real_rows" "$(rows "$out")"
echo none >"$xen/vbd-3-51712/statistics/rd_req"
counts -n 1
check 'a counter that is no number: no row' equal "$(head -n 3 <<<"$real_rows")" "$(rows "$out")"
disk vbd-3-51712 590 440
network vif10.0 5 6
counts -n 1
check 'ordered by number' equal '1 2 3 10 3' "$(rows "$out" | cut -d, -f1 | paste -sd' ')"
rm -r "$net/vif10.0"
network web 7 8
ln -s ../../../vif-7-1 "$net/web/device"
network eth0 9 9
ln -s ../../../0000:00:19.0 "$net/eth0/device"
counts -n 1 -d 4-65535
check 'one that was renamed has its own name again' equal '7,vif7.1,7,8,,' "$(rows "$out")"
rm -r "$net/web" "$net/eth0"

group 'reading by reading'
counts -i 50ms -n 4
check '-n: so many' equal 16 "$(rows "$out" | wc -l)"
check '-i: not faster than that' awk -F, 'NR == 2 { first = $1 } END { exit !($1 - first >= 100e6) }' "$out"
rm -f "$log"
"$XENMETER" io-counts --root "$root" -i 20ms -o "$log" 2>"$err" &
pid=$!
check 'the log is there at once' soon logged ',vbd-3-51712,,,590,440$'
network vif1.0 321 298
check 'counters that have grown' soon logged ',1,vif1.0,321,298,,$'
mkdir "$scratch/aside"
mv "$net/vif2.0" "$scratch/aside"
soon longer_than $(($(wc -l <"$log") + 12)) # the reading that goes on has ended
gone_at=$(wc -l <"$log")
check 'it goes on without a device' soon longer_than $((gone_at + 10))
check 'a device that is gone has no rows' not rows_behind $((gone_at + 1)) vif2.0
network vif4.0 1 2
check 'a device that comes has rows' soon logged ',4,vif4.0,1,2,,$'
kill -TERM $pid
wait $pid
check 'SIGTERM: exit code 0' equal 0 $?
check 'SIGTERM: whole lines' whole_lines "$log"
check 'nothing was said' is_empty "$err"
rm -r "$net/vif4.0"
mv "$scratch/aside/vif2.0" "$net"
network vif1.0 296 271

group 'CPU times of threads'
host=$scratch/host
mkdir -p "$host/sys/class/net" "$host/sys/bus/xen-backend/devices" "$host/dev/shm" "$host/proc/sys/kernel"
ran() { # ID NS: as /proc/ID/schedstat has it
    echo "$2 0 1" >"$host/proc/$1/schedstat"
}
thread() { # ID NAME NS [COMMAND LINE]: printf formats for the command line
    mkdir -p "$host/proc/$1"
    echo "$2" >"$host/proc/$1/comm"
    # shellcheck disable=SC2059 # a format
    printf "${4-}" >"$host/proc/$1/cmdline"
    ran "$1" "$3"
}
last_id() { echo "0.00 0.01 0.05 1/99 $1" >"$host/proc/loadavg"; } # ID: given last
interrupts() { echo "cpu  11 0 12 13 14 $1 $2 15 0 0" >"$host/proc/stat"; } # TICKS TICKS: irq, softirq
cpu_rows() { # FILE: domain, kind, ns, where there are ns; each kind's last
    awk -F, 'NR > 1 && $9 != "" { last[$3 "," $4] = $9 } END { for (k in last) print k "," last[k] }' "$1" | sort -V
}
last_id 90
interrupts 0 7
thread 2 kthreadd 50
thread 10 vif1.0-q0-guest-rx 1000
thread 11 vif1.0-q1-guest-rx 1000
thread 12 vif12.0-q0-deal 1000 # cut after 15 characters
thread 13 vif12345.10-q10 1000 # cut before it says which
thread 14 vif2.0-guest-rx 1000 # without queues
thread 15 napi/vif1.0-8194 1000
thread 16 3.xvda-0 1000
thread 17 blkback.4.xvda 1000
thread 20 qemu-system-i38 1000 '/usr/bin/qemu-system-i386\0-xen-domid\0005\0-name\0guest\0'
mkdir -p "$host/proc/20/task/20" "$host/proc/20/task/21"
thread 21 'IO iothread1' 1000 '/usr/bin/qemu-system-i386\0-xen-domid\0005\0-name\0guest\0'
thread 22 qemu-dm-6 1000 'qemu-dm-6\0-d\0006\0'
thread 23 tapdisk 1000 '/usr/libexec/tapdisk\0'
thread 30 3.xvda 1000 './3.xvda\0' # a program
thread 31 vif70000.0-q0-guest-rx 1000
thread 32 kworker/0:1-events 1000
thread 33 qemu-img 1000 'qemu-img\0info\0x\0'
thread 34 web-q0-guest-rx 1000 # of a renamed interface
mkdir -p "$host/sys/class/net/web/statistics" "$host/dev/shm/td3-23"
ln -s ../../../vif-7-1 "$host/sys/class/net/web/device"
echo 1 | tee "$host/sys/class/net/web/statistics/"{tx,rx}_packets >"$out"
echo >"$host/dev/shm/td3-23/vbd-8-51712"
run io-counts --root "$host" -n 1
check 'the header has one column more' equal "$HEADER,cpu_ns" "$(header "$out")"
check 'times count from the first reading; which threads' equal '0,irq,0
0,softirq,0
1,guest-rx,0
1,napi,0
2,guest-rx,0
3,blkback,0
4,blkback,0
5,device-model,0
6,device-model,0
7,guest-rx,0
8,tapdisk,0
12,dealloc,0
12345,netback,0' "$(cpu_rows "$out")"
check 'devices have no CPU time' says "$out" ',7,vif7.1,1,1,,,$'
run io-counts --root "$host" -n 1 -d 5 --idd 9
check '-d, --idd' equal '5,device-model,0
9,irq,0
9,softirq,0' "$(cpu_rows "$out")"
check '--idd: the last column' says "$out" ',9,irq,,,,,0,9$'

rm -f "$log"
"$XENMETER" io-counts --root "$host" -i 20ms -o "$log" 2>"$err" &
pid=$!
check 'a first reading' soon logged ',8,tapdisk,,,,,0$'
ran 10 1250
ran 11 1350
check 'the threads of a guest add up' soon logged ',1,guest-rx,,,,,600$'
interrupts 2 10
check 'interrupts, in ns' soon logged ',0,irq,,,,,20000000$'
check 'softirqs, in ns' soon logged ',0,softirq,,,,,30000000$'
# Threads up to this one have been looked for: it works for guest 3, whose sum is NS then.
looked_until() { # ID NS
    thread "$1" "3.xvdc-$1" 1
    last_id "$1"
    check "threads up to $1 are looked for" soon logged ",3,blkback,,,,,$2\$"
}
thread 91 3.xvdb-0 40
last_id 91
check 'a thread that comes: all its time' soon logged ',3,blkback,,,,,40$'
thread 92 xl 7 'xl\0create\0'
last_id 92
looked_until 93 41
thread 92 qemu-system-i38 8 '/usr/bin/qemu-system-i386\0-xen-domid\00010\0'
check 'a process that became a device model' soon logged ',10,device-model,,,,,8$'
check 'a guest that comes had 0 before' says "$log" ',10,device-model,,,,,0$'
thread 94 tapdisk 500 '/usr/libexec/tapdisk\0'
last_id 94
looked_until 95 42
mkdir -p "$host/dev/shm/td3-94"
echo >"$host/dev/shm/td3-94/vbd-10-51712"
check 'a tapdisk that gets a guest: not what it ran before' soon logged ',10,tapdisk,,,,,0$'
ran 94 700
check 'a tapdisk that gets a guest' soon logged ',10,tapdisk,,,,,200$'
rm -r "$host/proc/14"
last_id 32000
echo 32768 >"$host/proc/sys/kernel/pid_max"
looked_until 32001 43
thread 14 vif11.0-q0-guest-rx 90
last_id 14
check 'ids begin anew' soon logged ',11,guest-rx,,,,,90$'
kill -TERM $pid
wait $pid
check 'exit code 0' equal 0 $?
check 'each time is there at the end' equal 2 "$(awk -F, '$3 == 1 && $4 == "napi"' "$log" | wc -l)"
check 'where a time stood still before it grew' equal '0 0 600 600' \
    "$(awk -F, '$3 == 1 && $4 == "guest-rx" { print $9 }' "$log" | paste -sd' ')"
check 'no row in between' [ "$(awk -F, '$3 == 3 && $4 == "blkback"' "$log" | wc -l)" -le 10 ]

mkdir -p "$host/proc/net"
printf 'Inter-| Receive | Transmit\n face |bytes packets\n    lo: 1 2 3 4 5 6 7 8 9 10 11\n   web: 100 31 0 0 0 0 0 0 200 41 0 0 0 0 0 0\n' >"$host/proc/net/dev"
run io-counts --root "$host" -n 1
check 'packets of all interfaces at once' says "$out" ',7,vif7.1,41,31,,,$'
printf 'Inter-| Receive | Transmit\n   web: 100 none\n' >"$host/proc/net/dev"
run io-counts --root "$host" -n 1
check 'a line that is none: its own files' says "$out" ',7,vif7.1,1,1,,,$'
rm -r "$host/proc/net"

group 'kernels'
rm "$host/proc/loadavg"
mkdir -p "$host/proc/self" "$host/proc/10/task/10" "$host/boot"
echo '0 0 0' >"$host/proc/self/schedstat"
echo '10 (vif1.0) q0) S 2 0 0 0 -1 69238880 0 0 0 0 3 4 0 0 20 0 1 0 5' >"$host/proc/10/task/10/stat"
rm -f "$log"
"$XENMETER" io-counts --root "$host" -i 20ms -o "$log" 2>"$err" &
pid=$!
soon logged ',1,guest-rx,,,,,0$'
echo '10 (vif1.0) q0) S 2 0 0 0 -1 69238880 0 0 0 0 4 6 0 0 20 0 1 0 5' >"$host/proc/10/task/10/stat"
check 'without schedstat: user and system time' soon logged ',1,guest-rx,,,,,30000000$'
kill -TERM $pid
wait $pid
rm -r "$host/proc/self"
"$XENMETER" io-counts --root "$host" -i 20ms -o "$log" 2>"$err" &
pid=$!
soon logged ',1,guest-rx,,,,,0$'
mkdir -p "$scratch/aside/proc"
thread ../../aside/proc 9.xvda-0 3
mv "$scratch/aside/proc" "$host/proc/96"
# Under sanitizers a listing costs so much of the CPU time that may be spent on it that the next one is long in coming.
[ -n "${QUICK:-}" ] || check 'without loadavg: all of /proc' soon logged ',9,blkback,,,,,3$'
kill -TERM $pid
wait $pid
echo 4.19.0+1 >"$host/proc/sys/kernel/osrelease"
printf 'CONFIG_X=y\nCONFIG_PARAVIRT_TIME_ACCOUNTING=y\n' >"$host/boot/config-4.19.0+1"
run io-counts --root "$host" -n 1
check 'a kernel that leaves out stolen time' equal "$HEADER,cpu_net_ns" "$(header "$out")"
echo 'root=/dev/sda no-steal-acc' >"$host/proc/cmdline"
run io-counts --root "$host" -n 1
check 'no-steal-acc: it does not' equal "$HEADER,cpu_ns" "$(header "$out")"

group 'tapdisk'
mkdir -p "$root/dev/shm/vbd3-3-51760" "$root/dev/shm/vbd3-x" "$root/dev/shm/other"
# Fourteen 64-bit numbers, lowest byte first; the fourth counts reads, the ninth writes.
for word in 01 02 03 2c 05 06 07 08 e7 10 11 12 13 00; do
    # shellcheck disable=SC2059 # a format
    printf "\x$word\x01\0\0\0\0\0\0"
done >"$root/dev/shm/vbd3-3-51760/statistics"
counts -n 1
check 'its disks' equal "$real_rows
3,vbd3-3-51760,,,300,487" "$(rows "$out")"
truncate -s 60 "$root/dev/shm/vbd3-3-51760/statistics"
counts -n 1
check 'a short file: no row' equal "$real_rows" "$(rows "$out")"
rm -r "${root:?}/dev"

group 'without devices'
bare=$scratch/bare
mkdir -p "$bare/sys/class/net/eth0" "$bare/sys/bus/xen-backend/devices"
run io-counts --root "$bare" -i 10ms -n 3
check 'it goes on' exits 0
check 'the header' equal "$HEADER" "$(cat "$out")"
check 'said once' equal 1 "$(grep -c 'no devices' "$err")"
run io-counts --root "$bare" -i 10ms -n 3 -q
check '-q: nothing is said' is_empty "$err"

group 'the type of the domain'
mkdir -p "$root/sys/hypervisor"
echo PV >"$root/sys/hypervisor/guest_type"
counts -n 1
check 'PV: nothing to say' is_empty "$err"
echo PVH >"$root/sys/hypervisor/guest_type"
counts -n 1
check 'PVH: its time stamp counter may differ' says "$err" 'PVH.*time stamp counter'
check 'PVH: the rows all the same' equal "$real_rows" "$(rows "$out")"
rm -r "$root/sys/hypervisor"

group 'errors'
echo before >"$log"
check 'no tree' refuses "neither $scratch/nothing/sys/class/net nor .* is there.*--root" \
    io-counts --root "$scratch/nothing" -o "$log"
check 'the file that was there stays' equal before "$(cat "$log")"
mv "$xen" "$scratch/aside"
check 'no disks of Xen: the network devices all the same' counts_vifs_only io-counts --root "$root" -n 1
mv "$scratch/aside/devices" "$xen"
check '-o in a missing directory' refuses 'No such file' io-counts --root "$root" -o "$scratch/nothing/x.csv"
check '-o a directory' refuses 'irectory' io-counts --root "$root" -o "$scratch"
check '-o compressed' refuses 'not compressed' io-counts --root "$root" -o "$scratch/x.zst"
check 'unknown option, suggestion' refuses "did you mean '--interval'" io-counts --intervall 1s
check 'unknown letter' refuses "no option '-z'" io-counts -z
check 'without its value' refuses 'wants a value' io-counts -i
check 'no file is read' refuses 'reads no FILE' io-counts "$fixture"
for bad in '-i 0' '-i 9ms' '-i x' '-i 25h' '-n 0' '-n x' '-d x' '-d 65536' '--idd x' '--idd 65536' '--idd -1'; do
    # shellcheck disable=SC2086 # a list of words
    check "$bad" refuses . io-counts --root "$root" $bad
done
timeout "$LIMIT" "$XENMETER" io-counts --root "$root" -n 1 >/dev/full 2>"$err"
check 'full device' equal 2 $?
check 'full device is said' says "$err" 'No space left'

group 'signals and readers'
crowd=$scratch/crowd
mkdir -p "$crowd/sys/bus/xen-backend/devices"
for ((i = 1; i <= 150; i++)); do
    mkdir -p "$crowd/sys/class/net/vif$i.0/statistics"
    echo 1000000 | tee "$crowd/sys/class/net/vif$i.0/statistics/"{tx,rx}_packets >"$out"
done
for signal in TERM INT; do
    rm -f "$log"
    attended "$XENMETER" io-counts --root "$root" -i 1h -o "$log" 2>"$err" &
    pid=$!
    check "SIG$signal: it waits for the next reading" soon logged 'vbd-3'
    kill -$signal $pid
    wait $pid
    check "SIG$signal: exit code 0" equal 0 $?
    check "SIG$signal: nothing is said" is_empty "$err"
    check "SIG$signal: whole lines" equal "$real_rows" "$(rows "$log")"
done
mkfifo "$scratch/fifo"
exec 7<>"$scratch/fifo" # nobody reads
"$XENMETER" io-counts --root "$crowd" -i 10ms >"$scratch/fifo" 2>"$err" 7>&- &
pid=$!
has_written() { [ "$(awk '$1 == "wchar:" { print $2 }' "/proc/$pid/io")" -gt "$1" ]; } # BYTES
check 'a reader that sleeps: the pipe is filled' soon has_written 30000
check 'a reader that sleeps: it waits' kill -TERM $pid
wait $pid
check 'a reader that sleeps: SIGTERM ends it' equal 0 $?
exec 8<"$scratch/fifo" 7>&-
cat <&8 >"$out"
exec 8<&-
check 'a reader that sleeps: much was written' [ "$(wc -c <"$out")" -gt 30000 ]
check 'a reader that sleeps: whole lines' whole_lines "$out"
{ timeout "$LIMIT" "$XENMETER" io-counts --root "$root" -i 1h 2>"$err"; echo $? >"$scratch/code"; } | head -n 1 >"$out"
check 'a reader that goes away ends it at once' equal 0 "$(cat "$scratch/code")"
check 'a reader that goes away: nothing is said' is_empty "$err"
{ timeout "$LIMIT" "$XENMETER" io-counts --root "$crowd" -i 10ms 2>"$err"; echo $? >"$scratch/code"; } | head -n 500 >"$out"
check 'a reader that goes away later' equal 0 "$(cat "$scratch/code")"
check 'a reader that goes away later: nothing is said' is_empty "$err"

# What --io-counts takes; printf formats for the lines.
takes() { # LINES
    # shellcheck disable=SC2059 # a format
    printf "$1" >"$scratch/in.csv"
    run charge --io-counts "$scratch/in.csv" -o /dev/null "$fixture"
    exits 0
}
rejects() { # PATTERN LINES
    # shellcheck disable=SC2059 # a format
    printf "$2" >"$scratch/in.csv"
    refuses "^xenmeter: $scratch/in.csv: $1" charge --io-counts "$scratch/in.csv" "$fixture"
}
row=1,2,3,vif3.0,4,5,,

group 'files that are understood'
counts -i 10ms -n 5
check 'what io-counts writes' takes "$(cat "$out")\n"
check 'with idd' takes "$HEADER,idd\n$row,5\n"
check 'CPU times' takes "$HEADER,cpu_ns\n$row,\n1,2,3,guest-rx,,,,,77\n"
check 'CPU times without stolen time' takes "$HEADER,cpu_net_ns\n$row,\n1,2,3,guest-rx,,,,,77\n"
check 'a header alone' takes "$HEADER\n"
check 'comments, empty lines, the header again' takes "# from dom0\n\n$HEADER\n$row\n# again\n$HEADER\n$row\n"
check 'CR LF' takes "$HEADER\r\n$row\r\n"
check 'columns in any order, unknown ones' takes 'write_ops,device,new,domain,time_ns\n7,vbd-3-51712,x,3,10\n'
check 'blanks, quotes' takes ' "domain" , "device", "time_ns", "tx_packets"\n 3, "vif3.0" , 10, "7"\n'
check 'without tsc' takes "$HEADER\n1,,3,vif3.0,4,5,,\n"
check 'without time_ns' takes "$HEADER\n,2,3,vif3.0,4,5,,\n"
check 'a last line that is still being written' takes "$HEADER\n$row\n1,2,3,vi"

# Packets sent to domain 3, as charge tells them, with the options given.
sent() { # ROWS OPTION...
    printf '%s\n' "$HEADER" "$1" >"$scratch/in.csv"
    shift
    run charge -q --io-counts "$scratch/in.csv" -f jsonl "$@" "$fixture"
    jq -s 'map(select(.domain == 3).tx) | add' "$out"
}
group 'where readings lie in a trace'
run info -q -f json "$fixture"
read -r first last length < <(jq -r '.trace | "\(.tsc_first) \(.tsc_last) \(.duration_ns)"' "$out")
whole="1,$first,3,vif3.0,100,0,,
1,$last,3,vif3.0,1100,0,,"
check 'by tsc: all of it' equal 1000 "$(sent "$whole")"
check 'by tsc: parts add up' equal 1000 "$(sent "$whole" -g 70ms)"
check 'by tsc: half begins before the trace' equal 1000 "$(sent "1,$((first * 2 - last)),3,vif3.0,0,0,,
1,$last,3,vif3.0,2000,0,,")"
check 'by tsc: before the trace' equal 0 "$(sent "1,1,3,vif3.0,0,0,,
1,$first,3,vif3.0,2000,0,,")"
check 'by time_ns: all of it' equal 1000 "$(sent "0,,3,vif3.0,100,0,,
$length,,3,vif3.0,1100,0,,")"
check 'by time_ns: half goes on behind the trace' equal 500 "$(sent "0,,3,vif3.0,100,0,,
$((length * 2)),,3,vif3.0,1100,0,,")"
check 'it began anew: what it counted since' equal 37 "$(sent "1,$first,3,vif3.0,100,0,,
1,$(((first + last) / 2)),3,vif3.0,130,0,,
1,$last,3,vif3.0,7,0,,")"

group 'files that are not'
check 'missing' refuses 'missing.csv: .*No such file' charge --io-counts "$scratch/missing.csv" "$fixture"
check 'a directory' refuses 'irectory' charge --io-counts "$scratch" "$fixture"
check 'empty' rejects 'no whole header' ''
check 'a header without an end' rejects 'no whole header' "$HEADER"
check 'no time' rejects 'line 1: .*time_ns' 'domain,device,tx_packets\n'
check 'no domain' rejects 'line 1: .*domain' 'tsc,device,tx_packets\n'
check 'no device' rejects 'line 1: .*device' 'tsc,domain,tx_packets\n'
check 'no count' rejects 'line 1: .*tx_packets' 'tsc,domain,device\n'
check 'both kinds of CPU times' rejects 'line 1: .*both' 'tsc,domain,device,cpu_ns,cpu_net_ns\n'
check 'a column twice' rejects 'line 1: .*two columns tsc' 'tsc,domain,tsc,device,tx_packets\n'
check 'too few fields' rejects 'line 2: 7 fields' "$HEADER\n1,2,3,vif3.0,4,5,\n"
check 'too many fields' rejects 'line 2: 9 fields' "$HEADER\n$row,\n"
check 'far too many fields' rejects 'line 1: more than 64' "$(printf ',%.0s' {1..99})\n"
check 'a long line' rejects 'line 1: longer than' "$(printf 'x%.0s' {1..5000})\n"
check 'a NUL' rejects 'line 2: the byte 0x00' "$HEADER\n1,2,3,vif\0003.0,4,5,,\n"
check 'an escape sequence' rejects 'line 2: the byte 0x1b' "$HEADER\n1,2,3,\033[1m,4,5,,\n"
check 'an open quote' rejects 'line 2: field 4: quotes' "$HEADER\n1,2,3,\"vif3.0,4,5,,\n"
check 'no domain in a row' rejects 'line 2: no domain' "$HEADER\n1,2,,vif3.0,4,5,,\n"
check 'no device in a row' rejects 'line 2: no device' "$HEADER\n1,2,3,,4,5,,\n"
check 'no time in a row' rejects 'line 2: neither' "$HEADER\n,,3,vif3.0,4,5,,\n"
check 'a domain that cannot be' rejects 'line 2: domain: 65536' "$HEADER\n1,2,65536,vif3.0,4,5,,\n"
check 'a negative count' rejects "line 2: tx_packets: '-4'" "$HEADER\n1,2,3,vif3.0,-4,5,,\n"
check 'a count with a point' rejects "line 2: rx_packets: '5.0'" "$HEADER\n1,2,3,vif3.0,4,5.0,,\n"
check 'a count too large' rejects 'line 2: tx_packets' "$HEADER\n1,2,3,vif3.0,18446744073709551616,5,,\n"
check 'a long name' rejects 'line 2: the name' "$HEADER\n1,2,3,$(printf 'x%.0s' {1..48}),4,5,,\n"
check 'some with tsc, some without' rejects 'line 3: no tsc' "$HEADER\n$row\n1,,3,vif3.0,4,5,,\n"
check 'a count that comes later' rejects 'line 3: vif3.0: read_ops' "$HEADER\n$row\n1,3,3,vif3.0,4,5,6,\n"
check 'two counts at one moment' rejects 'line 5: vif3.0 of domain 3 was read at tsc 2 in line 2, too, with other counts' \
    "$HEADER\n$row\n1,3,3,vif3.0,4,6,,\n\n1,2,3,vif3.0,4,6,,\n"
printf '%s\n%s\n' "$HEADER" "$row" >"$scratch/plain.csv"
for compressor in gzip zstd xz; do
    $compressor -c "$scratch/plain.csv" >"$scratch/packed.csv"
    check "compressed by $compressor" refuses "packed.csv: is compressed: unpack it with $compressor first" \
        charge --io-counts "$scratch/packed.csv" "$fixture"
done
finish
