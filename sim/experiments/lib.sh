# shellcheck shell=bash
# Shared by the experiments, which source it. To add an experiment:
#
# 1. Write sim/experiments/N-name.sh, a short bash script that begins with `. sim/experiments/lib.sh`. `run` starts it
#    from the root of the tree; N orders the experiments, and names this one in `make experiments ONLY="N"`.
#
#        . sim/experiments/lib.sh
#        experiment 'Title' 'What is asked, in a sentence or two.'
#        reading report.csv report -g total,10s                  what xenmeter reads from each trace
#        scenario fair two-hogs                                  a scenario of sim/scenarios as it is
#        scenario unfair two-hogs '.domains[0].weight = 1024'    and changed by jq
#        for name in fair unfair; do simulate "$name" --duration 60s; done
#        simulate longer=fair --duration 300s                    a scenario may have several simulations
#        simulated                                               waits; files are at "$(of fair report.csv)"
#        ... > rows; table 'Heading' < rows; write_csv < rows    rows are CSV with a header
#        plot <<< "plot '$(result csv)' using 1:2 with lines"
#        claim 'dom0 runs for 40 %' between 39 41 "$share"
#        follows 'What the numbers mean, in words.'
#
# 2. State every claim before looking at the output: a bound follows from a rule of the scheduler or the ledger.
# 3. Describe it in man/xenmeter-experiments.7, in a section with its title: what is asked, the scenario, the table as
#    printed, how to read it. A comment  .\" table N-name: HEADING  and a display after it say where a table stands, and
#    `make experiments-page` puts it there.
#
# Files of an experiment: $BUILD/experiments/N-name.txt (what it prints), .csv and .svg; a second table or picture has a
# suffix: N-name-SUFFIX.csv. A script exits with 0, whether its claims hold or not; any failing command is an error.

set -eu -o pipefail
shopt -s lastpipe # ... | table: in this shell
export LC_ALL=C

BUILD=${BUILD:-build}
XENMETER=${XENMETER:-$BUILD/xenmeter}
JOBS=${JOBS:-$(nproc)}                       # simulations at a time
SEED=${SEED:-}                               # of the simulations' random numbers; empty: that of the scenario
RESULTS=${RESULTS:-$BUILD/experiments}       # the folder of the results
CLAIMS=${CLAIMS:?run experiments by sim/experiments/run}       # a file: a line for each claim
SIMULATIONS=${SIMULATIONS:?run experiments by sim/experiments/run} # a folder: what was simulated in this run

experiment_name=$(basename "$0" .sh)
mkdir -p "$RESULTS"

# --- text

block=
begin_block() { # KIND: an empty line before all but claims in a row
    [ "$1" = claim ] && [ "$block" = claim ] || echo
    block=$1
}

experiment() { # TITLE QUESTION
    printf '%s. %s\n' "${experiment_name%%-*}" "$1"
    follows "$2"
}

follows() { # TEXT: a paragraph
    begin_block text
    fmt -w 80 <<<"$1"
}

# Rows of CSV from standard input as a table: the first column is text, the others are numbers. A "|" in a heading
# begins a new line there.
table() { # HEADING
    begin_block table
    printf '%s\n' "$1"
    awk -F, '
        function put(i, text) { line = line sprintf(i == 1 ? "%-*s" : "  %*s", width[i], text) }
        function end_line() { sub(/ +$/, "", line); print line; line = "" }
        {
            for (i = 1; i <= NF; i++) {
                cell[NR, i] = $i
                parts = split($i, part, NR == 1 ? "|" : "\n")
                for (j = 1; j <= parts; j++) if (length(part[j]) > width[i]) width[i] = length(part[j])
                if (parts > depth) depth = parts
            }
            if (NR == 1) columns = NF
        }
        END {
            for (j = depth - 1; j >= 0; j--) {
                for (i = 1; i <= columns; i++) { parts = split(cell[1, i], part, "|"); put(i, j < parts ? part[parts - j] : "") }
                end_line()
            }
            for (i = 1; i <= columns; i++) wide += width[i] + (i > 1) * 2
            while (wide-- > 0) line = line "-"
            end_line()
            for (r = 2; r <= NR; r++) { for (i = 1; i <= columns; i++) put(i, cell[r, i]); end_line() }
        }'
}

# --- results

result() { printf '%s/%s%s.%s' "$RESULTS" "$experiment_name" "${2:+-$2}" "$1"; } # ENDING [SUFFIX]: the path of a result

# Rows of CSV from standard input; a "|" in a heading becomes a space.
write_csv() { # [SUFFIX]
    sed '1s/|/ /g' >"$(result csv "${1:-}")"
}

# Commands of gnuplot from standard input make the picture; a CSV's header is skipped by "skip 1".
plot() { # [SUFFIX]
    {
        cat <<END
set terminal svg size 860,480 dynamic background rgb "white" font "sans-serif,13"
set output "$(result svg "${1:-}")"
set datafile separator ","
set grid linecolor rgb "#dddddd" linetype 1
set border 3 linecolor rgb "#555555"
set tics nomirror out
set key outside right top vertical Left reverse
set style fill solid 0.85 noborder
set linetype 1 linecolor rgb "#0072b2" linewidth 2 pointtype 7 pointsize 0.6
set linetype 2 linecolor rgb "#d55e00" linewidth 2 pointtype 5 pointsize 0.6
set linetype 3 linecolor rgb "#009e73" linewidth 2 pointtype 9 pointsize 0.8
set linetype 4 linecolor rgb "#cc79a7" linewidth 2 pointtype 11 pointsize 0.8
set linetype 5 linecolor rgb "#e69f00" linewidth 2 pointtype 13 pointsize 0.8
set linetype 6 linecolor rgb "#56b4e9" linewidth 2 pointtype 4 pointsize 0.6
set linetype 7 linecolor rgb "#444444" linewidth 2 pointtype 6 pointsize 0.6
END
        cat
    } | gnuplot
}

# --- claims

claim() { # TEXT COMMAND...: holds if the command succeeds
    local text=$1 outcome=holds
    shift
    "$@" || outcome='DOES NOT HOLD'
    printf '%s\t%s\t%s\n' "$outcome" "$experiment_name" "$text" >>"$CLAIMS"
    begin_block claim
    printf '%s: %s\n' "$outcome" "$text"
}

# Conditions of claims. Each fails without a number, and if one is empty or no number.
between() { # LOW HIGH NUMBER...: all of them are
    local low=$1 high=$2
    shift 2
    printf '%s\n' "$@" | awk -v low="$low" -v high="$high" '
        $0 !~ /^-?[0-9.]+(e[-+]?[0-9]+)?$/ || $0 + 0 < low + 0 || $0 + 0 > high + 0 { wrong = 1 } END { exit wrong }'
}
below() { between -1e300 "$@"; }                      # HIGH NUMBER...
above() { local low=$1; shift; between "$low" 1e300 "$@"; } # LOW NUMBER...

# --- simulations

work=$(mktemp -d "$SIMULATIONS/$experiment_name.XXXXXX")
readings=()
simulations=()
trap 'jobs -p | xargs -r kill 2>/dev/null || true' EXIT
declare -A simulation_of=()

# What is read from each trace that is simulated from here on: xenmeter's output goes to FILE, whose ending is the format. A word that
# begins with @ is a file of the same simulation, as in --io-counts @counts.csv, which simulate --counts @counts.csv has written.
# Instead of a command of xenmeter, a function of the experiment that takes the options and such files' folder, $folder.
reading() { # FILE COMMAND [OPTION]...
    readings+=("$(printf '%q ' "$@")")
}

# A scenario of sim/scenarios under a name of this experiment's, changed by a filter of jq.
scenario() { # NAME BASE [FILTER [OPTION of jq]...]
    local file=$work/$1.json base=$2 filter=${3:-.}
    shift $(($# < 3 ? $# : 3))
    jq "$@" "$filter" "sim/scenarios/$base.json" >"$file"
}

policy() { printf '%s\n' "$2" >"$work/$1.policy"; } # NAME JSON: for --with debt="$work/NAME.policy", or guard=

# Queues the simulation of a scenario, which was simulated already if an experiment of this run did the same. With
# --with debt=POLICY there is a ledger.csv, too, with --with guard=POLICY a decisions.csv.
simulate() { # NAME[=SCENARIO] [OPTION of xenmeter simulate]...; without SCENARIO, the one of that name
    local file=$work/${1#*=}.json label=${1%%=*} option folder
    shift
    [ -z "$SEED" ] || set -- "$@" --seed "$SEED"
    folder=$SIMULATIONS/$({
        cat "$file"
        jq -r '.domains[].loads[]?.arrivals_file // empty' "$file" | sed "s|^|$work/|" | xargs -r cat
        for option; do
            if [[ $option == *debt=* || $option == *guard=* ]]; then cat "${option##*=}"; else printf '%s\n' "$option"; fi
        done
        printf '%s\n' "${readings[@]}"
    } | sha256sum | cut -c 1-16)
    simulation_of[$label]=$folder
    [ ! -d "$folder" ] || return 0
    mkdir "$folder"
    while [ "$(jobs -rp | wc -l)" -ge "$JOBS" ]; do sleep 0.05; done
    { simulate_into "$folder" "$file" "$@" 2>"$folder/messages" && touch "$folder/done"; } &
    simulations+=("$label:$folder")
}

simulate_into() { # FOLDER FILE [OPTION]...
    local folder=$1 file=$2 line words rows=()
    shift 2
    [[ " $*" != *[\ =]debt=* ]] || rows+=(--ledger "$folder/ledger.csv")
    [[ " $*" != *[\ =]guard=* ]] || rows+=(--decisions "$folder/decisions.csv")
    "$XENMETER" simulate -q -o "$folder/trace.xt" --truth "$folder/truth.json" "${rows[@]}" "${@/#@/$folder/}" "$file" || return
    for line in "${readings[@]}"; do
        eval "words=($line)" # quoted by reading()
        words=("${words[@]/#@/$folder/}")
        if declare -F "${words[1]}" >/dev/null; then
            "${words[@]:1}" -o "$folder/${words[0]}" "$folder/trace.xt" || return
        else
            "$XENMETER" "${words[1]}" -q "${words[@]:2}" -o "$folder/${words[0]}" "$folder/trace.xt" || return
        fi
    done
    rm "$folder/trace.xt" # hundreds of megabytes
}

# Waits for all simulations; ends the experiment if one failed. (The shell forgets how a job ended when another one gets its number.)
simulated() {
    local job label folder
    wait
    for job in "${simulations[@]}"; do
        IFS=: read -r label folder <<<"$job"
        [ ! -e "$folder/done" ] || continue
        printf '%s: %s: ' "$experiment_name" "$label" >&2
        cat "$folder/messages" >&2
        rm -r "$folder"
        exit 2
    done
    simulations=()
}

# A file of a simulation: truth.json, ledger.csv, and those of reading().
of() { printf '%s/%s' "${simulation_of[$1]}" "$2"; } # NAME FILE

cell() { column "$(of "$1" "$2")" "${@:3}"; } # NAME FILE COLUMN [COLUMN=VALUE]...: what column() has of this simulation's

# A column of a CSV file, a line for each row in which other columns have these values.
column() { # FILE COLUMN [COLUMN=VALUE]...
    local file=$1 wanted=$2
    shift 2
    awk -F, -v wanted="$wanted" -v conditions="$*" '
        NR == 1 {
            for (i = 1; i <= NF; i++) at[$i] = i
            if (!(wanted in at)) { print FILENAME ": no column " wanted >"/dev/stderr"; exit 2 }
            n = split(conditions, condition, " ")
            next
        }
        { for (i = 1; i <= n; i++) { split(condition[i], side, "="); if ($at[side[1]] != side[2]) next }
          print $at[wanted] }' "$file"
}

# Aggregate use, in % of a pCPU, in every window of 10 s that begins after the first 5 s, a line for each. What a driver
# domain runs on behalf of others is theirs.
windows_by_meter() { # NAME DOMAIN: of debt.csv with a feedback interval of 500 ms
    cell "$1" debt.csv aggregate_ns granularity_ns=500000000 domain="$2" | awk '
        { used[n++] = $1 }
        END { for (i = 10; i + 20 < n; i++) { sum = 0; for (j = i; j < i + 20; j++) sum += used[j]; print sum / 1e8 } }'
}
windows_by_truth() { # NAME DOMAIN
    jq --argjson d "$2" '
        [.seconds[] | (([.domains[] | select(.domain == $d).vcpus[].running_ns] | add)
            + ([.charged[] | select(.domain == $d).cpu_ns] | add // 0)
            - ([.charged[] | select(.driver_domain == $d).cpu_ns] | add // 0))] as $used
        | range(5; ($used | length) - 10) | $used[. : . + 10] | add / 1e8' "$(of "$1" truth.json)"
}

span() { # least and most of the lines
    awk 'NR == 1 || $1 < low { low = $1 } NR == 1 || $1 > high { high = $1 } END { printf "%.1f-%.1f", low, high }'
}

# Cells of a row: how much CPU a domain has, how long it waits for it, what it gets done. Wants report.csv of the whole trace
# or a part of it, and debt.csv by intervals of 500 ms with reservations for all domains.
# shellcheck disable=SC2034 # experiments use it
share_titles='runs|%,charged|%,windows|by meter %,windows|by truth %,wait|p50 us,wait|p99 us,longest|us,served|/s'
share_cells() { # NAME DOMAIN
    printf '%.1f,%.1f,%s,%s,%.0f,%.0f,%.0f,%.0f' \
        "$(cell "$1" report.csv running_pct domain="$2")" "$(cell "$1" report.csv charged_pct domain="$2")" \
        "$(windows_by_meter "$1" "$2" | span)" "$(windows_by_truth "$1" "$2" | span)" \
        "$(microseconds "$1" wait_p50_ns "$2")" "$(microseconds "$1" wait_p99_ns "$2")" "$(microseconds "$1" wait_max_ns "$2")" \
        "$(jq --argjson d "$2" '(.domains[] | select(.domain == $d).work | .requests + .disk_requests) * 1e9 / .duration_ns' "$(of "$1" truth.json)")"
}
microseconds() { cell "$1" report.csv "$2" domain="$3" | awk '{ print $1 / 1e3 }'; } # NAME COLUMN DOMAIN

# A number of arithmetic, with so many digits after the point.
calc() { awk "BEGIN { printf \"%.${2:-1}f\", $1 }"; } # EXPRESSION [DIGITS]
