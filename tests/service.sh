#!/bin/bash
# The unit of systemd that records a host: installed, and as systemd reads it.
# shellcheck source=tests/lib.sh disable=SC2317 # functions are called through check
. "$(dirname "$0")/lib.sh"

unit=share/systemd/xenmeter-record.service
prefix=$scratch/usr
installed=$prefix/lib/systemd/system/${unit##*/}

group 'make install'
check 'it installs' make -s install PREFIX="$prefix" DESTDIR= BUILD="$BUILD"
check 'the unit is there' has_text "$installed"
check 'it runs the program that was installed' says "$installed" "^ExecStart=$prefix/bin/xenmeter record "
check 'nothing else is left to be filled in' equal '' "$(grep -v '^#' "$installed" | grep '@')"

group 'what the program needs'
value_of() { sed -n "s/^$1=//p" "$unit"; }
check 'it notifies' equal notify "$(value_of Type)"
check 'it is stopped by the signal that completes archives' equal SIGTERM "$(value_of KillSignal)"
check 'xentrace is stopped by the recorder alone' equal mixed "$(value_of KillMode)"
check 'folders that archives need not are read-only, its own is not' equal 'strict xenmeter' "$(value_of ProtectSystem) $(value_of StateDirectory)"

mega_of() { sed -n "s/^ExecStart=.* --max-memory \([0-9]*\)M .*/\1/p" "$unit"; }
buffer=$(sed -n 's/^#define BUFFER *(\([0-9]*\)u << 20)$/\1/p' cmd/record.c)
queue=$(sed -n 's/^#define DISK_BYTES *((size_t)\([0-9]*\) << 20).*/\1/p' record/part.c)
check 'its memory is limited to what the recorder limits itself to, and some more' equal "$(($(mega_of) + buffer + queue + 64))M" "$(value_of MemoryMax)"

group 'systemd'
if [ -z "$(command -v systemd-analyze)" ]; then
    skip 'systemd-analyze verify' 'it is not installed'
else
    systemd-analyze verify --man=no "$installed" >"$out" 2>&1
    status=$?
    check 'it can be loaded' exits 0
    check 'there is nothing to be said about it' equal '' "$(grep -F "${unit##*/}" "$out")"
    sed 's/^Type=notify/Type=wrong/; s/^MemoryMax=/MemoryMaximum=/' "$installed" >"$scratch/wrong.service"
    systemd-analyze verify --man=no "$scratch/wrong.service" >"$out" 2>&1
    check 'a wrong value would be found' says "$out" 'wrong'
    check 'a wrong name would be found' says "$out" 'MemoryMaximum'
fi
finish
