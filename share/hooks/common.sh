# shellcheck shell=sh
# What the hooks share, which source it; see xenmeter-hooks(7).

export LC_ALL=C
hook=$(basename "$0")
# Where what was there before is kept, for hooks that have no better place.
keep=${XENMETER_HOOK_STATE:-/run/xenmeter}
# How long something holds that is not renewed, in seconds: three intervals.
expires=${XENMETER_EXPIRES:-6}

say() { echo "$hook: $*" >&2; }
wrong() { say "$@"; exit 2; }    # a call that is no such call
refuse() { say "$@"; exit 3; }   # what can never be done
fail() { say "$@"; exit 1; }     # what may work the next time
is_number() { case $1 in '' | *[!0-9]*) return 1 ;; esac; }

# The devices of a guest as they are now, and those that were given and exist: guests come back with other ones, and get more.
devices_of() { # DOMAIN DEVICES
    ip -o link show | sed -n "s/^[0-9]*: \\(vif$1\\.[0-9]*\\)[@:].*/\\1/p"
    for device in $(echo "$2" | tr ',' ' '); do
        case $device in -|vif"$1".*) continue ;; esac # the latter are listed already, if they exist
        ip link show dev "$device" >/dev/null 2>&1 && echo "$device"
    done
}

# All guests that have a network device here.
guests() { ip -o link show | sed -n 's/^[0-9]*: vif\([0-9]*\)\.[0-9]*[@:].*/\1/p' | sort -nu; }

# A line of the list.
list_line() { # DOMAIN VALUE
    name=$(xenstore-read "/local/domain/$1/name" 2>/dev/null)
    echo "$1 $2${name:+ $name}"
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
