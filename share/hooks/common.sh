# shellcheck shell=sh
# What the hooks share, which source it; see xenmeter-hooks(7).

export LC_ALL=C
hook=${0##*/}
# Where what was there before is kept, for hooks that have no better place.
keep=${XENMETER_HOOK_STATE:-/run/xenmeter}
# How long something holds that is not renewed, in seconds: three intervals.
expires=${XENMETER_EXPIRES:-6}

say() { echo "$hook: $*" >&2; }
wrong() { say "$@"; exit 2; }    # a call that is no such call
refuse() { say "$@"; exit 3; }   # what can never be done
fail() { say "$@"; exit 1; }     # what may work the next time
is_number() { case $1 in '' | *[!0-9]*) return 1 ;; esac; }

# What these functions find is in variables: processes are what a hook costs a busy driver domain.

# $links: all network devices, as the kernel lists them: "  vif1.0: 8420 ..." after two lines of heads.
links=
find_links() {
    [ -z "$links" ] || return 0
    while read -r device _; do
        case $device in *:*) links="$links ${device%%:*}" ;; esac
    done </proc/net/dev
    links="$links "
}

# $devices: those of a guest as they are now, and those that were given and exist: guests come back with other ones, and get more.
find_devices() { # DOMAIN DEVICES
    find_links
    devices=
    for device in $links; do
        case $device in vif"$1".*) ! is_number "${device#vif"$1".}" || devices="$devices $device" ;; esac
    done
    given=$2,
    while [ -n "$given" ]; do
        device=${given%%,*} given=${given#*,}
        case $device in '' | - | vif"$1".*) continue ;; esac # the latter are listed already, if they exist
        case $links in *" $device "*) devices="$devices $device" ;; esac
    done
}

# $guests: all that have a network device here.
find_guests() {
    find_links
    guests=
    for device in $links; do
        domain=${device#vif}
        domain=${domain%%.*}
        case $device in vif*.*) ;; *) continue ;; esac
        { is_number "$domain" && is_number "${device#vif"$domain".}"; } || continue
        case " $guests " in *" $domain "*) ;; *) guests="$guests $domain" ;; esac
    done
}

# A line of the list.
list_line() { # DOMAIN VALUE
    name=$(xenstore-read "/local/domain/$1/name" 2>/dev/null)
    echo "$1 $2${name:+ $name}"
}

newline='
'
# The list of $guests. Their names are read at once, or one by one when one of them has none.
list_guests() { # FUNCTION, which sets $found for a domain
    value_of=$1
    shift
    for domain in $guests; do set -- "$@" "/local/domain/$domain/name"; done
    [ $# -gt 0 ] || return 0
    names=$(xenstore-read "$@" 2>/dev/null) || names=
    names=${names:+$names$newline}
    one_by_one=${names:-yes}
    for domain in $guests; do
        found=
        $value_of "$domain"
        if [ "$one_by_one" = yes ]; then
            list_line "$domain" "$found"
        else
            echo "$domain $found ${names%%"$newline"*}"
            names=${names#*"$newline"}
        fi
    done
}

# "drop", or "rate=KBIT": sets $action and $kbit.
read_action() { # ACTION
    action=${1%%=*}
    kbit=${1#rate=}
    case $1 in
    drop) kbit= ;;
    rate=*) is_number "$kbit" && [ "$kbit" -gt 0 ] || wrong "$1: wants rate=KBIT" ;;
    *) refuse "there is no action $1" ;;
    esac
}

check_hold() { { [ $# -ge 5 ] && is_number "$2"; } || wrong 'hold DOMAIN NAME DEVICES ACTION CHARGED LIMIT'; }
check_release() { { [ $# -ge 4 ] && is_number "$2"; } || wrong 'release DOMAIN NAME DEVICES'; }

# Keeps a line in a file, which appears whole or not at all.
remember() { # FILE LINE
    { mkdir -p "$keep" && echo "$2" >"$keep/$1.new" && mv "$keep/$1.new" "$keep/$1"; } || fail "$keep/$1: cannot be written"
}
