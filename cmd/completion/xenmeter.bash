# shellcheck shell=bash
# Completion of xenmeter for bash.

# Adds to COMPREPLY the words of $1 that continue the last item of a comma-separated list.
_xenmeter_list() {
    local before='' word last=$cur
    if [[ $cur == *,* ]]; then
        before=${cur%,*},
        last=${cur##*,}
    fi
    for word in $1; do
        [[ $word == "$last"* && ,$before != *",$word,"* ]] && COMPREPLY+=("$before$word")
    done
    compopt -o nospace 2>/dev/null
}

_xenmeter_columns() {
    local taker=report
    [ "$command" = charge ] && taker=charge
    "${COMP_WORDS[0]}" "$taker" -c help 2>/dev/null | awk '/^  / && !seen[$1]++ { print $1 }'
}

# Names of events and of their classes.
_xenmeter_events() {
    "${COMP_WORDS[0]}" dump -e help 2>/dev/null | awk '/^  / { print $1; if (!seen[$2]++ && NF == 3) print $2 }'
}

_xenmeter_files() {
    local IFS=$'\n'
    compopt -o filenames 2>/dev/null
    # shellcheck disable=SC2207 # one file a line
    COMPREPLY+=($(compgen -f -- "$cur"))
}

# Archives, and directories in which some may be; any file if there are none.
_xenmeter_archives() {
    local IFS=$'\n'
    compopt -o filenames 2>/dev/null
    # shellcheck disable=SC2207 # one file a line
    COMPREPLY+=($(compgen -f -X '!*.xma*' -- "$cur") $(compgen -d -- "$cur"))
    [ ${#COMPREPLY[@]} -gt 0 ] || _xenmeter_files
}

# The hosts of the archive among the words, as --host wants them.
_xenmeter_hosts() {
    local word
    for word in "${COMP_WORDS[@]:2}"; do
        [[ $word == *.xma ]] || continue
        "${COMP_WORDS[0]}" archive list "$word" 2>/dev/null | awk '/^[^ ]/ { sub(":.*", "", $1); print $1 }' | sort -u
    done
}

_xenmeter_words() {
    # shellcheck disable=SC2207 # words of letters and dashes
    COMPREPLY+=($(compgen -W "$1" -- "$cur"))
}

_xenmeter() {
    local cur=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} command=${COMP_WORDS[1]} option options
    COMPREPLY=()
    if [ "$COMP_CWORD" -eq 1 ]; then
        _xenmeter_words 'report info dump charge io-counts archive help --help --version'
        return
    fi
    if [ "$command" = archive ]; then
        if [ "$COMP_CWORD" -eq 2 ]; then
            _xenmeter_words 'create list extract verify merge --help'
            return
        fi
        command=archive-${COMP_WORDS[2]}
    fi

    # bash cuts --option=value in three: --option, =, value
    option=$previous
    if [ "$cur" = = ]; then
        option=$previous
        cur=
    elif [ "$previous" = = ]; then
        option=${COMP_WORDS[COMP_CWORD - 2]}
    fi

    case $command in
    report)
        options='-b --by -g --granularity --live -d --domains -p --pcpus -t --time -f --format -o --output
            -c --columns -s --sort -n --limit --names --color --cpu-hz --max-memory --progress
            --idd --charge-by --charge-per --weights --charge-all --io-counts --host
            -q --quiet -v --verbose -h --help'
        ;;
    charge)
        options='-g --granularity --live -d --domains -t --time -f --format -o --output -c --columns -s --sort -n --limit
            --names --color --cpu-hz --max-memory --progress --idd --charge-by --charge-per --weights --charge-all --io-counts --host
            -q --quiet -v --verbose -h --help'
        ;;
    io-counts)
        options='-i --interval -n --count -d --domains -o --output --idd --root -q --quiet -h --help'
        ;;
    dump)
        options='-e --events -d --domains --vcpus -p --pcpus -t --time -n --limit -f --format -o --output --tsc --follow
            --count -b --by --host --cpu-hz --max-memory --progress -q --quiet -v --verbose -h --help'
        ;;
    info)
        options='-f --format -o --output --names --host --cpu-hz --max-memory --progress
            -q --quiet -v --verbose -h --help'
        ;;
    archive-create)
        options='-o --output --with-trace --host -g --granularity -b --by --names --level -T --threads
            --idd --charge-by --charge-per --weights --charge-all --io-counts
            --cpu-hz --max-memory --progress -q --quiet -h --help'
        ;;
    archive-list)
        options='-f --format -v --verbose -h --help'
        ;;
    archive-extract)
        options='--trace -o --output --host --partial -q --quiet -h --help'
        ;;
    archive-verify)
        options='-q --quiet -h --help'
        ;;
    archive-merge)
        options='-o --output -q --quiet -h --help'
        ;;
    help)
        _xenmeter_words 'report info dump charge io-counts archive help'
        return
        ;;
    *) return ;;
    esac

    case $option in
    -b | --by)
        if [ "$command" = archive-create ]; then
            _xenmeter_list 'vcpu pcpu domain-pcpu'
        else
            _xenmeter_words 'domain vcpu pcpu domain-pcpu'
        fi
        ;;
    --host)
        [ "$command" = archive-create ] || _xenmeter_words "$(_xenmeter_hosts)"
        ;;
    --level) _xenmeter_words '1 3 9 19' ;;
    -g | --granularity)
        if [ "$command" = charge ]; then
            _xenmeter_list 'total 10s 1s 100ms 10ms'
        else
            _xenmeter_list 'total 10s 1s 100ms 10ms execution'
        fi
        ;;
    --charge-by) _xenmeter_list 'auto grants copies notifications transfers packets' ;;
    --charge-per) _xenmeter_words 'execution interval=100ms interval=1s' ;;
    --weights) _xenmeter_list 'map= unmap= transfer= notify= copy= send= recv= read= write=' ;;
    -i | --interval) _xenmeter_words '1s 100ms' ;;
    --root)
        compopt -o filenames 2>/dev/null
        # shellcheck disable=SC2207 # one directory a line
        COMPREPLY+=($(compgen -d -- "$cur"))
        ;;
    --live) _xenmeter_words '10s 1s 100ms' ;;
    -f | --format)
        if [ "$command" = info ] || [ "$command" = archive-list ]; then
            _xenmeter_words 'table json'
        elif [ "$command" = dump ]; then
            _xenmeter_words 'text csv jsonl'
        elif [ "$command" = report ]; then
            _xenmeter_words 'table csv json jsonl xenmon archive'
        else
            _xenmeter_words 'table csv json jsonl'
        fi
        ;;
    -e | --events) _xenmeter_list "help $(_xenmeter_events)" ;;
    -c | --columns) _xenmeter_list "all help $(_xenmeter_columns)" ;;
    -s | --sort) _xenmeter_words "$(_xenmeter_columns)" ;;
    --color | --progress) _xenmeter_words 'auto always never' ;;
    --max-memory) _xenmeter_words '256M 1G 4G' ;;
    -o | --output | --names | --io-counts) _xenmeter_files ;;
    -d | --domains | --vcpus | -p | --pcpus | -t | --time | -n | --limit | --count | --cpu-hz | --idd | -T | --threads) ;;
    *)
        if [[ $cur == -* ]]; then
            _xenmeter_words "$options"
        elif [[ $command == archive-* && $command != archive-create ]]; then
            _xenmeter_archives
        else
            _xenmeter_files
        fi
        ;;
    esac
}

complete -F _xenmeter xenmeter
