#!/bin/bash
# The configuration file, and --strict.
# shellcheck disable=SC2317 # functions are called by check
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/lib.sh"

fixture=fixtures/membuf-credit2.xt.zst
lossy=fixtures/lost-credit2.xt.zst
good=fixtures/mixed-credit.xt.zst
mkdir -p "$XDG_CONFIG_HOME/xenmeter"
file=$XDG_CONFIG_HOME/xenmeter/config
config() { printf '%s\n' "$@" >"$file"; }

group 'configuration'
config '# a comment' '; another' '' '[report]' '  by = vcpu ' 'format=csv' 'columns = domain,vcpu' 'quiet'
run report "$fixture"
check 'options hold' equal 'domain,vcpu' "$(head -n 1 "$out")"
check 'a flag' is_empty "$err"
run report -c vcpu "$fixture"
check 'the command line comes first' equal vcpu "$(head -n 1 "$out")"
run report -c vcpu -b domain "$fixture"
check 'its lists are not added to' equal "$("$XENMETER" report --no-config -q -f csv -c domain "$fixture" | wc -l)" "$(wc -l <"$out")"
run report --no-config -c vcpu "$fixture"
check '--no-config' says "$out" '^verdict'
run report -o "$scratch/x.json" "$fixture"
check 'the ending of --output comes before format' holds '.schema == "xenmeter.report/1"' "$scratch/x.json"
run info "$fixture"
check 'other commands do not care' says "$out" '^verdict: '
config '[report]' 'quiet = no' 'format = csv'
run report "$fixture"
check 'no' says "$err" verdict
config '[archive create]' 'host = web1'
run archive create -q "$fixture" -o "$scratch/a.xma"
check 'a command of two words' says <("$XENMETER" archive list "$scratch/a.xma") '^web1:1 '
rm "$file"
mkdir -p "$scratch/home/.config/xenmeter"
printf '[report]\nformat = csv\n' >"$scratch/home/.config/xenmeter/config"
check 'in ~/.config' says <(env -u XDG_CONFIG_HOME HOME="$scratch/home" "$XENMETER" report -q "$fixture") '^granularity_ns,'

group 'what is wrong in it'
wrong() { # PATTERN LINE...
    local pattern=$1
    shift
    config "$@"
    refuses "$pattern" report "$fixture"
}
check 'no section' wrong 'config:1: an option stands in the section' 'by = vcpu'
check 'an unknown command' wrong "config:2: no command 'reprot'; did you mean 'report'" '' '[reprot]'
check 'a command that only has others below it' wrong "config:1: no command 'archive'" '[archive]'
check 'an unknown option' wrong "config:2: report takes no 'colour' here; did you mean 'color'" '[report]' 'colour = never'
check 'a short option' wrong "config:2: report takes no 'b' here" '[report]' 'b = vcpu'
check 'in the section of another command' wrong "config:2: info takes no 'by' here" '[info]' 'by = vcpu'
check 'a wrong value' wrong 'config:2: --by nobody: ' '[report]' 'by = nobody'
check 'no value' wrong 'config:2: by wants a value' '[report]' 'by'
check 'a value that is empty' wrong 'config:2: by wants a value' '[report]' 'by ='
check 'a flag with a value' wrong "config:2: quiet is yes or no, not 'maybe'" '[report]' 'quiet = maybe'
check 'twice' wrong 'config:3: by is given twice, first in line 2' '[report]' 'by = vcpu' 'by = domain'
check 'no end of a section' wrong 'config:1: a section ends with ]' '[report'
check 'no-config' wrong "config:2: report takes no 'no-config' here" '[report]' 'no-config'
check 'help' wrong "config:2: report takes no 'help' here" '[report]' 'help'
printf '[report]\nquiet\0\n' >"$file"
check 'a NUL' refuses 'this is no configuration file' report "$fixture"
config '[report]' 'by = pcpu' 'domains = 1'
check 'what does not go together: where it is from' refuses 'the configuration file hold, too' report "$fixture"
run help report
check 'help does not read it' exits 0
config '[record]' 'with-trace = maybe'
check 'a value that may lack, and is none' refuses "config:2: --with-trace: 'maybe'" record -o "$scratch/folder" "$fixture"
config '[record]' 'with-trace'
check 'that lacks' refuses 'is compressed' record -o "$scratch/folder" "$fixture"

group 'root and others'
if [ "$(id -u)" -eq 0 ]; then
    config '[report]' 'format = csv'
    unread() { run report "$fixture" && exits 0 && says "$out" '^verdict' && equal 1 "$(grep -c 'is not read: others' "$err")"; }
    chmod o+w "$file"
    check 'a file that others can write' unread
    chmod 644 "$file"
    chmod g+w "$XDG_CONFIG_HOME"
    check 'a folder above it' unread
    chmod 755 "$XDG_CONFIG_HOME"
    chown 65534 "$file"
    check 'a file of another user' unread
    chown 0 "$file"
    run report "$fixture"
    check 'else it is read' says "$out" '^granularity_ns,'
else
    skip 'what root does not read' 'this is not root'
fi
rm -f "$file"

group '--strict'
strict() { # EXPECTED COMMAND...
    local expected=$1
    shift
    run "$@" --strict
    exits "$expected"
}
for command in report charge blame info dump 'debt --reserve *=10%'; do
    # shellcheck disable=SC2086 # words
    check "$command: good" strict 0 $command "$good"
    # shellcheck disable=SC2086 # words
    check "$command: not good" strict 1 $command "$lossy"
    check "$command: and all is written" has_text "$out"
done
run report "$lossy"
check 'without it: 0' exits 0
check 'archive create: good' strict 0 archive create -q -o "$scratch/b.xma" "$good"
check 'archive create: not good' strict 1 archive create -q -o "$scratch/c.xma" "$lossy"
check 'and it is there' test -s "$scratch/c.xma"
check 'an archive' strict 1 report "$scratch/c.xma"
check 'an error is an error' strict 2 report "$scratch/none.xt"
"$XENMETER" dump --strict -n 1 "$lossy" >"$out" 2>"$err"
status=$?
check 'dump: not read to its end, so not judged' exits 0

finish
