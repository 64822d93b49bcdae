#!/bin/bash
# What a terminal shows, in tmux: no line is wider than it, columns that matter stay, colours, the pager.
# shellcheck disable=SC2317 # functions are called by check
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/lib.sh"

if ! command -v tmux >/dev/null || ! command -v less >/dev/null; then
    skip 'terminals' 'tmux or less is missing'
    finish
fi

unset NO_COLOR PAGER LESS LV TMUX
fixture=fixtures/mixed-credit.xt.zst
program=$(realpath "$XENMETER")
screen=$scratch/screen
names=$scratch/names
printf '0 Domain-0\n1 a-very-long-name-of-a-guest\n2 \xe4\xb8\x96\xe7\x95\x8c\n3 db\n' >"$names"

# Each terminal has a server of its own: a server that is ending would refuse the next one.
terminals=0
export TMUX_TMPDIR=$scratch
tm() { tmux -L "xenmeter-$$-$terminals" -f /dev/null "$@"; }
trap 'tm kill-server 2>/dev/null; rm -rf "$scratch"' EXIT

# Runs a command line in a terminal of so many columns and lines, and puts what it shows into $screen, with the sequences
# of colours; lines that the terminal had to break are joined, so that they show as wider than it. The exit code: $status.
on_terminal() { # COLUMNS LINES COMMAND-LINE
    rm -f "$scratch/done"
    terminals=$((terminals + 1))
    tm -u new-session -d -x "$1" -y "$2" "export LC_ALL=C.UTF-8; $3; echo \$? >'$scratch/done'; $SHOWN; sleep 600"
    soon all_is_shown || return 1
    show
    status=$(cat "$scratch/done")
    tm kill-server
}
show() { tm capture-pane -p -J -e -S - >"$screen"; }
plain() { sed 's/\x1b\[[0-9;]*m//g; s/ *$//' "$screen"; }
widest() { plain | LC_ALL=C.UTF-8 wc -L; }
shows() { plain | grep -q -e "$1"; }
shown() { grep -q -e "$1" "$screen"; }

escape=$(printf '\033')
commands=(
    "report '$fixture'"
    "report -b vcpu -g 5s --names '$names' '$fixture'"
    "report -c all '$fixture'"
    "report -g execution -n 5 --names '$names' '$fixture'"
    "charge '$fixture'"
    "charge -g 5s --names '$names' '$fixture'"
    "info '$fixture'"
    "blame -n 5 '$fixture'"
    "debt --reserve 1=40%,2=30% -t ,1 --names '$names' '$fixture'"
    "guard --limit 1=5%,2=2% -t ,6 '$fixture'"
)
for width in 60 80 120 200; do
    for color in never always; do
        option="--color $color"
        group "$width columns, $color coloured"
        for command in "${commands[@]}"; do
            case $command in info*) option='' ;; *) option="--color $color" ;; esac
            check "$command: is shown" on_terminal "$width" 300 "'$program' ${command%% *} --no-pager $option ${command#* }"
            check "$command: is no wider" [ "$(widest)" -le "$width" ]
            check "$command: ends with the verdict" shows '^verdict: good'
            [ -z "$option" ] || [ $color = never ] || check "$command: colours" shown "$escape\\[1m"
            [ $color = always ] || check "$command: no colours" not shown "$escape\\["
        done
    done
done

group 'what stays'
on_terminal 80 100 "'$program' report '$fixture'"
check 'the waits and charges' shows ' running .* runnable .* wait ms .* charged .* total'
check 'what was left out' shows '^left out at 80 columns: executions_per_s, run_mean_ns, wait_mean_ns'
check 'the most waiting first' equal '0 1 3 2' "$(plain | awk '/^[0-9]/ { print $1 }' | paste -sd' ')"
on_terminal 80 100 "'$program' report -f csv -c domain '$fixture'"
check 'csv keeps its order' equal '0 1 2 3' "$(plain | grep '^[0-9]$' | paste -sd' ')"
on_terminal 80 100 "'$program' charge '$fixture'"
check 'the share, and what is inferred' shows '^guest .* share\|^guest .* % .* %$'
check 'the evidence is left out' shows '^left out at 80 columns: evidence'
on_terminal 120 100 "'$program' charge '$fixture'"
check 'with more room it is there' shows 'notify 75% copy 15%'
on_terminal 80 300 "'$program' report --no-pager -c all '$fixture'"
check 'all columns: stacked' shows '^wait p99 ms  *[0-9.]*  *[0-9.]*  *[0-9.]*  *[0-9.]*$'
on_terminal 80 100 "'$program' report --names '$names' '$fixture'"
widths() { plain | grep -a '^[0-9] ' | while IFS= read -r line; do LC_ALL=C.UTF-8 wc -L <<<"$line"; done | sort -u; }
check 'wide characters are there' shows "$(printf '\xe4\xb8\x96')"
check 'and align' equal 1 "$(widths | wc -l)"

group 'the pager'
# A pager that says so, and ends.
pager="sed 's/^/paged: /'"
on_terminal 80 10 "PAGER=\"$pager\" '$program' report -g 1s '$fixture'"
check 'what is longer than the screen goes through it' shows '^paged: interval 3.000 s'
check 'the verdict, too' shows '^paged: verdict: good'
check 'exit code' exits 0
on_terminal 80 100 "PAGER=\"$pager\" '$program' report '$fixture'"
check 'what is not longer does not' not shows '^paged:'
check 'and is shown' shows '^verdict: good'
for option in '--no-pager' "-o '$scratch/x.txt'" '--live 1s'; do
    on_terminal 80 10 "PAGER=\"$pager\" '$program' report -g 1s $option '$fixture'"
    check "not with $option" not shows '^paged:'
    check "$option: exit code" exits 0
done
on_terminal 80 10 "PAGER=\"$pager\" '$program' report -g 1s '$fixture' | cat"
check 'not into a pipe' not shows '^paged:'
for none in '' cat no-such-pager-here; do
    on_terminal 80 10 "PAGER='$none' '$program' report -g 1s '$fixture'"
    check "PAGER='$none': as without" shows '^verdict: good'
done
on_terminal 80 10 "PAGER='head -n 1' '$program' dump '$fixture'"
check 'a pager that ends early: exit code' exits 0
check 'and no complaint' not shows 'xenmeter:'
on_terminal 80 10 "PAGER='cat; exit 3' '$program' dump -n 100 '$fixture'"
check "the pager's exit code is not ours" exits 0
on_terminal 80 10 "PAGER='cat; printf %s \"\$LESS\"' '$program' report -c help"
check 'lists of columns go through it' shows 'FRX$'
on_terminal 80 10 "LESS=X PAGER='cat; printf %s \"\$LESS\"' '$program' report -c help"
check 'LESS as it is set' not shows 'FRX$'
rm -f "$scratch/done"
terminals=$((terminals + 1))
tm new-session -d -x 80 -y 10 "'$program' report -g 1s '$fixture'; echo \$? >'$scratch/done'; sleep 600"
first_screen() { show; shows '^interval 0 s'; }
check 'less shows the first screen' soon first_screen
check 'and waits' not test -s "$scratch/done"
tm send-keys q
check 'until q' soon test -s "$scratch/done"
check 'q: exit code' equal 0 "$(cat "$scratch/done")"
tm kill-server

finish
