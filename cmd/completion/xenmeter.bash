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
    "${COMP_WORDS[0]}" report -c help 2>/dev/null | awk '/^columns of executions/ { exit } /^  / { print $1 }'
}

_xenmeter_files() {
    local IFS=$'\n'
    compopt -o filenames 2>/dev/null
    # shellcheck disable=SC2207 # one file a line
    COMPREPLY+=($(compgen -f -- "$cur"))
}

_xenmeter_words() {
    # shellcheck disable=SC2207 # words of letters and dashes
    COMPREPLY+=($(compgen -W "$1" -- "$cur"))
}

_xenmeter() {
    local cur=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} command=${COMP_WORDS[1]} option options
    COMPREPLY=()
    if [ "$COMP_CWORD" -eq 1 ]; then
        _xenmeter_words 'report info charge io-counts help --help --version'
        return
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
            --idd --charge-by --charge-per --weights --charge-all --io-counts
            -q --quiet -v --verbose -h --help'
        ;;
    charge)
        options='-g --granularity --live -d --domains -t --time -f --format -o --output -n --limit --names --color
            --cpu-hz --max-memory --progress --idd --charge-by --charge-per --weights --charge-all --io-counts
            -q --quiet -v --verbose -h --help'
        ;;
    io-counts)
        options='-i --interval -n --count -d --domains -o --output --idd --root -q --quiet -h --help'
        ;;
    info)
        options='-f --format -o --output --names --cpu-hz --max-memory --progress
            -q --quiet -v --verbose -h --help'
        ;;
    help)
        _xenmeter_words 'report info charge io-counts help'
        return
        ;;
    *) return ;;
    esac

    case $option in
    -b | --by) _xenmeter_words 'domain vcpu pcpu domain-pcpu' ;;
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
        if [ "$command" = info ]; then
            _xenmeter_words 'table json'
        elif [ "$command" = report ]; then
            _xenmeter_words 'table csv json jsonl xenmon'
        else
            _xenmeter_words 'table csv json jsonl'
        fi
        ;;
    -c | --columns) _xenmeter_list "all help $(_xenmeter_columns)" ;;
    -s | --sort) _xenmeter_words "$(_xenmeter_columns)" ;;
    --color | --progress) _xenmeter_words 'auto always never' ;;
    --max-memory) _xenmeter_words '256M 1G 4G' ;;
    -o | --output | --names | --io-counts) _xenmeter_files ;;
    -d | --domains | -p | --pcpus | -t | --time | -n | --limit | --count | --cpu-hz | --idd) ;;
    *)
        if [[ $cur == -* ]]; then
            _xenmeter_words "$options"
        else
            _xenmeter_files
        fi
        ;;
    esac
}

complete -F _xenmeter xenmeter
