#!/bin/bash
# The manual, the completion and README.md against the program: everything it can do is documented, and every example is true.
# shellcheck disable=SC2317 # functions are called by check
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/lib.sh"

export NO_COLOR=1
README=README.md

# The binary is called xenmeter, by README's examples and by the completion.
mkdir "$scratch/bin"
ln -s "$(realpath "$XENMETER")" "$scratch/bin/xenmeter"
PATH=$scratch/bin:$PATH

# What the program says may follow these words; the last one is not complete.
candidates() { xenmeter help --complete -- "$@" | cut -f 1; }
commands() { candidates help ''; }
commands_below() { candidates help "$1" ''; }

# Who takes options: "report", ..., "archive-create", ...: the words of a command, joined by a dash.
takers() {
    local command below
    for command in $(commands); do
        below=$(commands_below "$command")
        [ "$command" = archive ] || echo "$command"
        # shellcheck disable=SC2086 # words
        [ -z "$below" ] || printf "$command-%s\\n" $below
    done
}
words_of() { case $1 in account-* | archive-* | debt-* | guard-*) echo "${1/-/ }" ;; *) echo "$1" ;; esac; }

# shellcheck disable=SC2046 # words
options() { candidates $(words_of "$1") -; }
columns() { xenmeter "$1" -c help | awk '/^  / { print $1 }' | sort -u; }

# The part of a page that tells of one of these: a section of its command's page, or all of its own.
page_of() {
    case $1 in
    account-* | archive-* | debt-* | guard-*) section_of "${1#*-}" "man/xenmeter-${1%%-*}.1" ;;
    help) section_of help man/xenmeter.1 ;;
    account) awk '/^\.Sh / { other = /WHAT IS MISSING|COMMANDS FOR CLOSED PERIODS/ } !other' man/xenmeter-account.1 ;;
    debt | guard) awk '/^\.Sh / { other = /COMMANDS OF AN OPERATOR/ } !other' "man/xenmeter-$1.1" ;;
    *) cat "man/xenmeter-$1.1" ;;
    esac
}
section_of() { awk -v title="$1" '/^\.S[sh] / { on = $0 == ".Ss " title } on' "$2"; } # TITLE PAGE

# In mdoc options have a dash fewer, because Fl puts one.
page_has_option() { page_of "$1" | grep -E -e "^\.It .*Fl ${2#-}( |$)" >/dev/null; } # COMMAND OPTION

group 'manual pages'
check 'xenmeter.1 is there' test -s man/xenmeter.1
for command in $(commands); do
    check "xenmeter(1) tells of $command" says man/xenmeter.1 "^\.It Cm $command"
    [ "$command" = help ] && continue
    check "$command has a page" test -s "man/xenmeter-$command.1"
done
check 'archive has commands' test -n "$(commands_below archive)"
for command in $(takers); do
    check "$command has options" test -n "$(options "$command")"
    for option in $(options "$command"); do
        # shellcheck disable=SC2046 # words
        check "$option is in --help of $command" grep -qE -e "^ *(-.,)? *$option\b" <(xenmeter $(words_of "$command") --help)
        check "$option of $command is in its page" page_has_option "$command" "$option"
    done
done
for command in report charge debt guard blame diff account; do
    check "$command has columns" test -n "$(columns $command)"
    for column in $(columns $command); do # in charge's page some share a line: "idd , idd_life , idd_name"
        check "column $column is in xenmeter-$command(1)" says man/xenmeter-$command.1 "^\.It Li \(.* \)\?$column\( .*\)\?\$"
    done
done
check 'xenmeter-events.7 is what the tables say (make man/xenmeter-events.7)' \
    cmp <(awk -f man/events.awk parser/decode/events.def parser/decode/hypercalls.def parser/decode/names.def) man/xenmeter-events.7
for event in $(xenmeter dump -e help | awk '/ 0x/ { print $1 }'); do
    check "$event is in xenmeter-events(7)" says man/xenmeter-events.7 "^\.It Ic $event "
done
while IFS='(, ' read -r _ number _ part _; do
    check "$number is in xenmeter-archive(5)" says man/xenmeter-archive.5 "\b$number\b"
    [ "$part" = NONE ] || check "$number is in xenmeter-metrics(7)" says man/xenmeter-metrics.7 "\b$number\b"
done < <(grep '^QUALITY(' parser/quality.def)
if command -v mandoc >/dev/null 2>&1; then
    for file in man/*.[0-9]; do
        check "mandoc has nothing to say about $file" equal '' "$(mandoc -T lint -W warning "$file")"
    done
fi

group 'options that pages tell of exist'
for command in $(takers); do
    page_of "$command" | grep -E '^\.It Fl ' | grep -oE 'Fl [a-zA-Z0-9-]+' | sed 's/^Fl /-/' >"$scratch/told"
    while read -r option; do
        check "$command has $option" grep -qxF -e "$option" <(options "$command")
    done <"$scratch/told"
done

group 'completion'
xenmeter help --completion bash >"$scratch/xenmeter.bash"
xenmeter help --completion zsh >"$scratch/_xenmeter"

# What bash offers for the words given; the last one is being typed.
offers() {
    bash -c '. "$0"; compopt() { :; }
        COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _xenmeter; printf "%s\n" "${COMPREPLY[@]}"' \
        "$scratch/xenmeter.bash" "$@" | paste -sd' '
}
for command in $(takers); do
    # shellcheck disable=SC2046 # words
    check "options of $command" equal "$(options "$command" | paste -sd' ')" "$(offers xenmeter $(words_of "$command") -)"
done
check 'commands' equal 'report' "$(offers xenmeter rep)"
check 'commands for help' equal 'info io-counts' "$(offers xenmeter help i)"
check 'long options' equal '--cpu-hz --columns --color --charge-per --charge-idle --charge-by --charge-all' "$(offers xenmeter report --c | tr ' ' '\n' | sort -r | paste -sd' ')"
check 'options of the command' equal '--cpu-hz' "$(offers xenmeter info --c)"
check 'ways to make rows' equal 'domain vcpu pcpu domain-pcpu' "$(offers xenmeter report -b '')"
check 'methods of charges' equal 'grants,copies' "$(offers xenmeter charge --charge-by grants,co)"
check 'formats' equal 'json jsonl' "$(offers xenmeter report -f js)"
check 'formats of info' equal 'json' "$(offers xenmeter info -f js)"
check 'a value after =' equal 'json jsonl' "$(offers xenmeter report --format = js)"
check 'when' equal 'always' "$(offers xenmeter report --color al)"
check 'events, from the program' equal 'switch,switch_infprev' "$(offers xenmeter dump -e switch,switch_infp)"
check 'classes of events' equal 'shadow' "$(offers xenmeter dump -e shadow | tr ' ' '\n' | grep -x shadow)"
check 'formats of dump' equal 'text' "$(offers xenmeter dump -f t)"
check 'columns, from the program' equal 'wakes' "$(offers xenmeter report -s wakes)"
check 'columns of executions' equal 'waited_ns' "$(offers xenmeter report -s waited)"
check 'columns of charges' equal 'share_pct' "$(offers xenmeter charge -s sh)"
check 'a list of columns' equal 'domain,wakes' "$(offers xenmeter report -c domain,wakes)"
check 'no column twice' equal '' "$(offers xenmeter report -c wakes,wakes)"
check 'granularities' equal '1s,execution' "$(offers xenmeter report -g 1s,ex)"
check 'files' equal 'README.md' "$(offers xenmeter report READ)"
check 'commands of archive' equal 'extract' "$(offers xenmeter archive ex)"
check 'their options' equal '--partial' "$(offers xenmeter archive extract --p)"
check 'ways to make rows to be kept' equal 'vcpu,pcpu' "$(offers xenmeter archive create -b vcpu,pc)"
: >"$scratch/a.xma"
: >"$scratch/a.xt"
check 'archives' equal "$scratch/a.xma" "$(offers xenmeter archive list "$scratch/a")"
xenmeter archive create -q --host web1 fixtures/membuf-credit2.xt.zst -o "$scratch/a.xma"
check 'hosts of an archive' equal 'web1' "$(offers xenmeter report "$scratch/a.xma" --host w)"
if command -v shellcheck >/dev/null 2>&1; then
    check 'shellcheck has nothing to say about the script for bash' shellcheck -s bash "$scratch/xenmeter.bash"
fi
if command -v zsh >/dev/null 2>&1; then
    # What zsh offers: its own functions for completion only print.
    zsh_offers() {
        # shellcheck disable=SC2016 # expanded by zsh
        zsh -fc 'script=$1; shift; words=("$@") CURRENT=$# PREFIX=${@[-1]}
            _describe() { print -rl -- "${(@P)2}"; }
            _files() { print files; }
            compset() { print "keeps $2"; }
            _call_program() { shift; eval "$@"; }
            . $script' zsh "$scratch/_xenmeter" "$@"
    }
    check 'zsh: commands' equal "$(commands)" "$(zsh_offers xenmeter help '' | cut -d: -f1)"
    check 'zsh: what they mean' equal "$(xenmeter help --complete -- report --li | grep live)" \
        "$(zsh_offers xenmeter report --li | sed -n '/^--live:/s/:/\t/p')"
    check 'zsh: a value in one word with its option' equal 'keeps 9 table csv tsv json jsonl xenmon prometheus archive' \
        "$(zsh_offers xenmeter report --format=js | paste -sd' ')"
    check 'zsh: a list' equal 'keeps 5 pcpu domain-pcpu' "$(zsh_offers xenmeter archive create -b vcpu, | paste -sd' ')"
    check 'zsh: files' equal files "$(zsh_offers xenmeter info READ)"
fi

group 'README: files'
grep -oE '\b(fixtures|man|tests|cmd)/[A-Za-z0-9_./-]*[A-Za-z0-9]' $README | sort -u >"$scratch/told"
while read -r file; do
    check "$file exists" test -e "$file"
done <"$scratch/told"
grep -oE '^make [a-z-]+' $README | sort -u >"$scratch/told"
make -pRrq >"$scratch/targets" 2>/dev/null # those of patterns as well
while read -r _ target; do
    check "make has a target $target" says "$scratch/targets" "^$target:"
done <"$scratch/told"
check 'nothing is left to be filled in' not says $README '_HERE$'
check 'it uses captures of the tree' says $README 'fixtures/.*\.xt\.zst'

# A line of … stands for any lines, … in a line for any text.
alike() { # EXPECTED ACTUAL
    local pattern
    pattern=$(sed -e 's/[][*?\\()|+@!]/\\&/g' -e 's/…/*/g' <<<"$1")
    # shellcheck disable=SC2053 # a pattern
    [[ $2 == $pattern ]] && return 0
    diff <(printf '%s\n' "$1") <(printf '%s\n' "$2") | head -n 10 | sed 's/^/      /'
    return 1
}

# Runs what README shows behind "$ ", one after the other in a directory of their own, and compares what each prints, both
# streams, with what README shows.
group 'README: output'
mkdir "$scratch/readme"
ln -s "$PWD/fixtures" "$scratch/readme/fixtures"
ln -s "$PWD/sim" "$scratch/readme/sim"
example=''
shown=''
judge_example() {
    case $example in
    'xenmeter '* | 'build/xenmeter '*)
        check "$example" alike "$shown" \
            "$(cd "$scratch/readme" && timeout -k 5 "$LIMIT" bash -c "${example#build/}" 2>&1 </dev/null)"
        ;;
    esac
    example=''
    shown=''
}
fenced=''
while IFS= read -r line; do
    case $line in
    '```'*)
        judge_example
        [ -z "$fenced" ] && fenced=yes || fenced=''
        ;;
    '$ '*)
        judge_example
        [ -n "$fenced" ] && example=${line#\$ }
        ;;
    *)
        [ -n "$example" ] && shown+=${shown:+$'\n'}$line
        ;;
    esac
done <$README
check 'there are examples' test "$group_passed" -gt 0

finish
