#!/bin/bash
# The same output, messages and exit code from every command that reads a trace, on any number of threads; and all ends on them.
# shellcheck source=tests/lib.sh disable=SC2317,SC2002 # functions are called through check
. "$(dirname "$0")/lib.sh"

JOBS=${JOBS:-2 3 7}

# One run of a command: its output, messages and exit code go to NAME.out, NAME.err, NAME.code. Standard input is the capture.
once() { # NAME COMMAND...
    local name=$scratch/$1
    shift
    timeout -k 5 "$LIMIT" "$@" <"$capture" >"$name.out" 2>"$name.err"
    echo $? >"$name.code"
}

alike() { # ONE OTHER: two such runs
    same "$scratch/$1.out" "$scratch/$2.out" && same "$scratch/$1.err" "$scratch/$2.err" &&
        same "$scratch/$1.code" "$scratch/$2.code"
}

# A command gives with any number of threads what it gives with one, from the file, a pipe and compressed.
same_for_all() { # EXIT-CODE COMMAND [OPTION]...
    local code=$1 command=$2 jobs
    shift 2
    once one "$XENMETER" "$command" -j 1 "$@" "$capture"
    check "$command $*: exit code" equal "$code" "$(cat "$scratch/one.code")"
    [ "$code" -eq 2 ] || check "$command $*: there is something to compare" has_text "$scratch/one.out"
    for jobs in $JOBS; do
        once many "$XENMETER" "$command" -j "$jobs" "$@" "$capture"
        check "$command -j $jobs $*" alike one many
        [ -n "$QUICK" ] && [ "$jobs" -gt 2 ] && continue
        once pipe sh -c 'cat | "$@"' - "$XENMETER" "$command" -j "$jobs" "$@" -
        once zst "$XENMETER" "$command" -j "$jobs" "$@" "$scratch/capture.zst"
        once zst1 "$XENMETER" "$command" -j 1 "$@" "$scratch/capture.zst"
        once pipe1 sh -c 'cat | "$@"' - "$XENMETER" "$command" -j 1 "$@" -
        check "$command -j $jobs $* through a pipe" alike pipe1 pipe
        check "$command -j $jobs $*, compressed" alike zst1 zst
    done
}

capture=$scratch/capture.xt

every_command() {
    zstd -q -f "$capture" -o "$scratch/capture.zst"
    same_for_all 0 report
    same_for_all 0 report -b domain,vcpu,pcpu,domain-pcpu -g total,1s,100ms -f csv -c all
    same_for_all 0 report -g total,100ms,execution -f json -b vcpu
    same_for_all 0 report -g execution -f csv -s waited_ns -n 20
    same_for_all 0 report -g 10ms -t 30ms,90ms -f jsonl -p 0
    same_for_all 0 charge -g total,100ms -f json
    same_for_all 0 charge --charge-per execution
    same_for_all 0 blame -g total,100ms -f csv
    same_for_all 0 debt -f csv -g interval,total --reserve '*=0.1%'
    same_for_all 0 info -v
    same_for_all 0 info -f json
    same_for_all 0 dump -t 0.1,0.4
    same_for_all 0 dump -n 3000 -f csv
    same_for_all 0 dump -e sched -f jsonl --tsc
    same_for_all 0 dump --count -b vcpu
    same_for_all 0 report --live 100ms -f csv
    same_for_all 2 report -t 5000,
}

for fixture in fixtures/lost-credit2.xt.zst fixtures/membuf-credit2.xt.zst fixtures/mixed-credit.xt.zst; do
    group "$(basename "$fixture" .xt.zst): any number of threads"
    zstd -qdcf "$fixture" >"$capture"
    every_command
    [ -n "$QUICK" ] && break
done

for host in hvm-pv 1000-domains 255-pcpus churn; do
    length=10m
    [ $host = churn ] && length=2500ms
    [ -n "$QUICK" ] && [ $host != churn ] && continue
    group "$host: any number of threads"
    simulated "$capture" stress-$host . --seed 5 --duration "$length" --size 12M
    every_command
done

group 'small captures of odd situations: any number of threads'
for case in fixtures/cases/*.xt.zst; do
    zstd -qdcf "$case" >"$capture"
    for command in 'report -b vcpu,pcpu -g total,100ms -f json' 'dump'; do
        # shellcheck disable=SC2086 # words
        once one "$XENMETER" $command -j 1 "$capture"
        # shellcheck disable=SC2086
        once many "$XENMETER" $command -j 3 "$capture"
        check "$(basename "$case"): $command" alike one many
    done
done

group 'archives: any number of threads'
zstd -qdcf fixtures/lost-credit2.xt.zst >"$capture"
create() { # NAME OPTION...
    local name=$1
    shift
    "$XENMETER" archive create -q -g 1s,100ms,execution "$@" -o "$scratch/$name.xma" 2>"$err"
}
for with in '' --with-trace; do
    # shellcheck disable=SC2086 # no option, or one
    create one -j 1 $with "$capture"
    for jobs in $JOBS; do
        # shellcheck disable=SC2086
        create many -j "$jobs" $with "$capture"
        check "create $with -j $jobs" same "$scratch/one.xma" "$scratch/many.xma"
        # shellcheck disable=SC2086
        cat "$capture" | create pipe -j "$jobs" $with -
        # shellcheck disable=SC2086
        cat "$capture" | create pipe1 -j 1 $with -
        check "create $with -j $jobs from a pipe" same "$scratch/pipe1.xma" "$scratch/pipe.xma"
    done
done
for command in 'report -b pcpu' 'report -g 10ms -t 3,3.5' 'charge -t 4,' 'dump -t 2,2.2' 'blame -g 1s' 'dump --count'; do
    # shellcheck disable=SC2086 # words
    once one "$XENMETER" $command -j 1 "$scratch/one.xma"
    check "$command: exit code" equal 0 "$(cat "$scratch/one.code")"
    for jobs in $JOBS; do
        # shellcheck disable=SC2086
        once many "$XENMETER" $command -j "$jobs" "$scratch/one.xma"
        check "$command -j $jobs, from an archive" alike one many
    done
done

if ldd "$XENMETER" | grep -q sqlite3; then
    group 'a database: any number of threads'
    "$XENMETER" report -q -j 1 -g 100ms,execution -o "$scratch/one.sqlite" "$capture"
    for jobs in $JOBS; do
        "$XENMETER" report -q -j "$jobs" -g 100ms,execution -o "$scratch/many.sqlite" "$capture"
        check "-j $jobs" same "$scratch/one.sqlite" "$scratch/many.sqlite"
    done
fi

group 'damage: the same rows, then the same error'
zstd -qdcf fixtures/mixed-credit.xt.zst | head -c 9000000 >"$scratch/whole"
zstd -q -f "$scratch/whole" -o "$scratch/whole.zst"
half=$(($(stat -c %s "$scratch/whole.zst") / 2))
{
    head -c $half "$scratch/whole.zst"
    head -c 5000 /dev/zero
    tail -c +$((half + 5001)) "$scratch/whole.zst"
} >"$scratch/damaged.zst"
head -c $half "$scratch/whole.zst" >"$scratch/cut.zst"
for file in damaged.zst cut.zst; do
    capture=$scratch/$file
    for command in 'report -g 100ms -f csv' 'dump -e sched' 'charge -g 100ms -f jsonl'; do
        # shellcheck disable=SC2086 # words
        once one "$XENMETER" $command -j 1 "$capture"
        [ $file = cut.zst ] || check "$command: refused" equal 2 "$(cat "$scratch/one.code")"
        for jobs in $JOBS; do
            # shellcheck disable=SC2086
            once many "$XENMETER" $command -j "$jobs" "$capture"
            check "$file: $command -j $jobs" alike one many
            # shellcheck disable=SC2086
            once pipe sh -c 'cat | "$@"' - "$XENMETER" $command -j "$jobs" -
            # shellcheck disable=SC2086
            once pipe1 sh -c 'cat | "$@"' - "$XENMETER" $command -j 1 -
            check "$file: $command -j $jobs through a pipe" alike pipe1 pipe
        done
    done
done
head -c 700001 "$scratch/whole" >"$scratch/short.xt"
head -c 3000 /dev/zero | tr '\0' '\377' | dd of="$scratch/short.xt" bs=1 seek=400000 conv=notrunc 2>/dev/null
capture=$scratch/short.xt
once one "$XENMETER" report -v -j 1 -g 100ms -f json "$capture"
for jobs in $JOBS; do
    once many "$XENMETER" report -v -j "$jobs" -g 100ms -f json "$capture"
    check "damaged and cut: -j $jobs" alike one many
done

# A pipe that stays open, as descriptor 7 of this shell, though nothing more comes after 6 MB of the capture.
start_open_pipe() {
    rm -f "$scratch/fifo"
    mkfifo "$scratch/fifo"
    exec 7<>"$scratch/fifo"
    head -c 6000000 "$capture" >&7 2>/dev/null &
    feeder=$!
}
end_open_pipe() {
    kill "$feeder" 2>/dev/null
    wait "$feeder" 2>/dev/null
    exec 7>&-
}

group 'it ends, whoever ends it'
capture=$scratch/whole
once one "$XENMETER" dump -j 1 /nonexistent
for jobs in 1 $JOBS; do
    once many "$XENMETER" dump -j "$jobs" /nonexistent
    check "-j $jobs: no such file" alike one many
    once many "$XENMETER" report -j "$jobs" -g 1ms -f csv -o /dev/full "$capture"
    check "-j $jobs: the disk is full" equal 2 "$(cat "$scratch/many.code")"
    check "-j $jobs: the disk is full: it says so" says "$scratch/many.err" 'No space left'
    once many "$XENMETER" dump -j "$jobs" -o /dev/full "$capture"
    check "-j $jobs: a dump, and the disk is full" equal 2 "$(cat "$scratch/many.code")"
    for command in 'report -g 1ms -f csv' 'dump' 'report -g execution -f jsonl' 'charge -g 1ms -f csv'; do
        # shellcheck disable=SC2086 # words
        { timeout "$LIMIT" "$XENMETER" $command -j "$jobs" "$capture" 2>"$err"; echo $? >"$scratch/code"; } | head -n 1 >"$out"
        check "$command -j $jobs: the reader goes away: exit code" equal 0 "$(cat "$scratch/code")"
        check "$command -j $jobs: the reader goes away: quiet" is_empty "$err"
        start_open_pipe
        rm -f "$scratch/code"
        # shellcheck disable=SC2086
        { timeout "$LIMIT" "$XENMETER" $command -j "$jobs" - <"$scratch/fifo" 7>&- 2>"$err"; echo $? >"$scratch/code"; } | head -n 1 >"$out" &
        check "$command -j $jobs: the same while a pipe stays open" soon has_text "$scratch/code"
        end_open_pipe
        check "$command -j $jobs: its exit code" equal 0 "$(cat "$scratch/code")"
    done
done

# A signal, while a pipe is open from which nothing more comes.
at_work() { compgen -G "$scratch/.xenmeter-*" >/dev/null; } # its output has a name of its own until it is complete
for jobs in 1 $JOBS; do
    for signal in INT TERM; do
        rm -f "$scratch/live"
        start_open_pipe
        attended "$XENMETER" report -j "$jobs" --live 100ms -f csv - <"$scratch/fifo" >"$scratch/live" 2>"$err" 7>&- &
        live=$!
        check "-j $jobs: rows come while the pipe is open" soon has_text "$scratch/live"
        kill -$signal $live
        wait $live
        check "-j $jobs: SIG$signal ends a live report well" equal 0 $?
        end_open_pipe
        start_open_pipe
        attended "$XENMETER" report -j "$jobs" -o "$scratch/never" - <"$scratch/fifo" 2>"$err" 7>&- &
        live=$!
        check "-j $jobs: it is at work" soon at_work # it heeds signals then
        kill -$signal $live
        wait $live
        check "-j $jobs: SIG$signal ends another one" [ $? -gt 128 ]
        check "-j $jobs: SIG$signal leaves no file" [ ! -e "$scratch/never" ]
        end_open_pipe
    done
done

group 'too little memory'
simulated "$scratch/many.xt" stress-255-pcpus . --seed 5 --duration 10m --size 24M
capture=$scratch/many.xt
few='report -b domain,vcpu,pcpu,domain-pcpu -g total,2s,1s,500ms,100ms,10ms --max-memory 16M -f csv'
# shellcheck disable=SC2086 # words
once one "$XENMETER" $few -j 1 "$capture"
check 'refused' equal 2 "$(cat "$scratch/one.code")"
for jobs in $JOBS; do
    # shellcheck disable=SC2086
    once many "$XENMETER" $few -j "$jobs" "$capture"
    check "-j $jobs" alike one many
done

group 'times of threads'
run report -q --timing -j 3 -g 100ms -f csv "$capture"
check 'reading has one' says "$err" '^xenmeter: 1 thread read-ahead: [0-9.]* s$'
check 'writing has one' says "$err" '^xenmeter: 1 thread write: [0-9.]* s$'
check 'so has the rest' says "$err" '^xenmeter: the main thread: [0-9.]* s; elapsed: [0-9.]* s$'
run report -q --timing -j 1 -g 100ms -f csv "$capture"
check 'with one job there is one thread' equal 1 "$(wc -l <"$err")"
run archive create -q --timing -j 2 --with-trace -o "$scratch/timed.xma" "$capture"
check 'compression has its own' says "$err" '^xenmeter: 2 threads compress: [0-9.]* s$'
run dump -q --timing -j 2 "$capture"
check 'lines of a dump have theirs' says "$err" '^xenmeter: 2 threads format: [0-9.]* s$'
run dump -q --timing -j 64 "$capture"
check 'which are four at most' says "$err" '^xenmeter: 4 threads format: [0-9.]* s$'

group 'options'
for wrong in 0 65 x -1 1.5; do
    check "-j $wrong is refused" refuses 'jobs' report -j "$wrong" "$capture"
done
finish
