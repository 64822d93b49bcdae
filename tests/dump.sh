#!/bin/bash
# xenmeter dump: the form of lines, the choice of records, sources and formats, counts, archives.
# shellcheck source=tests/lib.sh disable=SC2016,SC2317 # functions are called through check
. "$(dirname "$0")/lib.sh"

fixture=fixtures/membuf-credit2.xt.zst
zstd -qdc "$fixture" >"$scratch/capture.xt"
capture=$scratch/capture.xt
dir=$scratch/dir
mkdir "$dir"

dump() { timeout -k 5 "$LIMIT" "$XENMETER" dump -q "$@"; }
records() { "$XENMETER" info -f json "$1" | jq .trace.records; }
lines() { dump "$@" | wc -l; }
refuses() { # PATTERN ARGUMENT...
    local pattern=$1
    shift
    run dump "$@" </dev/null
    refused_once && says "$err" "$pattern"
}
same_output() { # ARGUMENTS1 ARGUMENTS2, each a list of words
    # shellcheck disable=SC2086 # lists of words
    cmp -s <(dump $1) <(dump $2)
}

group 'text'
dump "$capture" >"$scratch/text"
total=$(records "$capture")
check 'a line for every record' equal "$total" "$(wc -l <"$scratch/text")"
check 'every line: time, pCPU, vCPU, event, fields' equal 0 "$(grep -cvE '^ *[0-9]+\.[0-9]{9} p[0-9]+ +d[0-9?]+v[0-9?]+ +[a-z0-9_]+( +[a-z0-9_]+=[^ =]*( [a-z0-9_]+=[^ =]*)*)?$' "$scratch/text")"
check 'events begin in one column' equal 31 "$(awk '{ print index($0, $4 " ") ? index($0, $4) : index($0, $4) }' "$scratch/text" | sort -u)"
check 'fields begin in one column' equal 56 "$(awk 'NF > 4 { print match($0, / [a-z0-9_]+=/) + 1 }' "$scratch/text" | sort -u)"
check 'no blanks at the end' not says "$scratch/text" ' $'
check 'times never go back' sort -c -s -k1,1n "$scratch/text"
check 'an idle pCPU is the idle domain' says <(dump -t 1,1.1 fixtures/pvh-credit2.xt.zst) ' d32767v1 '

group 'the same in every format'
dump -f csv "$capture" >"$scratch/csv"
dump -f jsonl "$capture" >"$scratch/jsonl"
check 'csv: header' equal 'time_ns,pcpu,domain,vcpu,event,fields' "$(head -n 1 "$scratch/csv")"
awk '{ split($1, t, "."); split(substr($3, 2), v, "v"); fields = substr($0, 56)
    printf "%.0f,%s,%s,%s,%s,%s%s%s\n", t[1] t[2], substr($2, 2), v[1] == "?" ? "" : v[1], v[2] == "?" ? "" : v[2], $4,
        fields ~ /,/ ? "\"" : "", fields, fields ~ /,/ ? "\"" : "" }' "$scratch/text" >"$scratch/expected"
check 'csv: what the text says' cmp -s "$scratch/expected" <(tail -n +2 "$scratch/csv")
check 'jsonl: every line is an object with these keys' equal '["domain","event","fields","pcpu","time_ns","vcpu"]' \
    "$(jq -c keys "$scratch/jsonl" | sort -u)"
# Numbers and names as in the text: jq writes both alike.
jq -r '[.time_ns, .pcpu, .domain, .vcpu, .event, (.fields | to_entries | map("\(.key)=\(.value | if type == "array" then join(",") else . end)") | join(" "))] | map(. // "") | join("\t")' \
    "$scratch/jsonl" >"$scratch/told"
check 'jsonl: what the text says' cmp -s "$scratch/told" \
    <(tail -n +2 "$scratch/csv" | sed -e 's/"//g' -e 's/,/\t/; s/,/\t/; s/,/\t/; s/,/\t/; s/,/\t/')
# Of one event alone CSV has each field as a column: all that the text has, and nothing else but flags that are 0.
fields_agree() { # CSV TEXT: how many lines do
    paste -d '\t' <(tail -n +2 "$1") <(cut -c56- "$2") | awk -F '\t' -v header="$(head -n 1 "$1")" '
        BEGIN { n = split(header, name, ","); for (i = 1; i <= n; i++) { if (name[i] in at) exit; at[name[i]] = i; sub(/^field_/, "", name[i]) } }
        { split("", cell); k = 0; rest = $1 ","
          while (rest != "") {
              if (rest ~ /^"/) { match(rest, /^"[^"]*",/); value = substr(rest, 2, RLENGTH - 3) }
              else { match(rest, /^[^,]*,/); value = substr(rest, 1, RLENGTH - 1) }
              rest = substr(rest, RLENGTH + 1)
              k++
              if (k <= 5 || value == "") continue
              if (name[k] == "arguments") { m = split(value, pair, " "); for (j = 1; j <= m; j++) cell[pair[j]] }
              else cell[name[k] "=" value]
          }
          fine = k == n
          m = split($2, pair, " ")
          for (j = 1; j <= m; j++) { if (!(pair[j] in cell)) fine = 0; delete cell[pair[j]] }
          for (c in cell) if (c !~ /=0$/) fine = 0
          agreed += fine }
        END { print agreed + 0 }'
}
while read -r event; do
    dump -f csv -e "$event" "$capture" >"$scratch/one"
    dump -e "$event" "$capture" >"$scratch/one.txt"
    check "csv of $event: a column for each field" equal "$(wc -l <"$scratch/one.txt")" "$(fields_agree "$scratch/one" "$scratch/one.txt")"
done < <(awk '{ print $4 }' "$scratch/text" | sort -u)
check 'csv of one event: its header' equal 'tsc,pcpu,domain,vcpu,event,dom,field_vcpu,old,new,words' "$(dump --tsc -f csv -e runstate_change "$capture" | head -n 1)"
check 'csv of a number of an event: as of the event' equal 'time_ns,pcpu,domain,vcpu,event,dom,field_vcpu,old,new,words' "$(dump -f csv -e 0x21021 "$capture" | head -n 1)"
check 'jsonl: types' equal 'number string number' \
    "$(jq -r 'select(.event == "switch_infprev") | .fields.runtime_ns | type' "$scratch/jsonl" | head -n 1) $(
        jq -r 'select(.event == "pv_emulate_privop") | .fields.rip | type' "$scratch/jsonl" | head -n 1) $(
        jq -r 'select(.event == "wake") | .fields.dom | type' "$scratch/jsonl" | head -n 1)"
dump -f jsonl --tsc -n 3 "$capture" >"$scratch/tsc"
first=$("$XENMETER" info -f json "$capture" | jq .trace.tsc_first)
check '--tsc: the times of the trace' equal "$first" "$(jq .tsc "$scratch/tsc" | head -n 1)"
check '--tsc: in text' equal "$first" "$(dump --tsc -n 1 "$capture" | awk '{ print $1 }')"
check '--tsc: in csv' equal 'tsc,pcpu' "$(dump --tsc -n 1 -f csv "$capture" | head -n 1 | cut -d, -f1,2)"

group 'the same on every road'
check 'a compressed capture' cmp -s "$scratch/text" <(dump "$fixture")
check 'a pipe' cmp -s "$scratch/text" <(cat "$capture" | dump -)
check 'a compressed pipe, nothing named' cmp -s "$scratch/text" <(cat "$fixture" | dump)
check 'a pipe that is followed' cmp -s "$scratch/text" <(cat "$capture" | dump --follow)
check 'a file that is followed' cmp -s "$scratch/text" <(dump --follow "$capture")
dump -o "$dir/text" "$capture"
check '-o FILE' same "$scratch/text" "$dir/text"
dump -o "$dir/x.csv.zst" "$capture"
check '-o FILE.csv.zst: format and compression by the name' cmp -s "$scratch/csv" <(zstd -qdc "$dir/x.csv.zst")
"$XENMETER" archive create -q --with-trace "$capture" -o "$scratch/capture.xma"
check 'an archive' cmp -s "$scratch/text" <(dump "$scratch/capture.xma")
check 'an archive on a pipe' cmp -s "$scratch/text" <(cat "$scratch/capture.xma" | dump -)

group 'which events'
count_of() { awk -v pattern="^($1)\$" '$4 ~ pattern { n++ } END { print n + 0 }' "$scratch/text"; }
chosen() { # EVENTS PATTERN: -e EVENTS tells just the lines whose event matches
    cmp -s <(dump -e "$1" "$capture") <(awk -v pattern="^($2)\$" '$4 ~ pattern' "$scratch/text") &&
        [ "$(count_of "$2")" -gt 0 ]
}
check 'a name' chosen wake wake
check 'two names' chosen wake,block 'wake|block'
check 'a pattern' chosen 'credit2_*' 'credit2_.*'
check 'a class' chosen mem 'grant_.*'
check 'a pattern of a class' chosen 'pv.*' '(pv_|hypercall_).*'
check 'a pattern of names in a class' chosen 'sched.switch*' 'switch.*'
check 'a mask' chosen 0x28000 'sleep|wake|block|yield|switch|switch_inf.*'
check 'a mask of two' chosen 0x29000 'runstate_change|continue_running|sleep|wake|block|yield|switch|switch_inf.*'
check 'a mask is no name of other classes' equal 0 "$(dump -e 0x28000 "$capture" | grep -cE ' (hypercall|grant)')"
check 'a number' chosen 0x2800e switch_infprev
check 'the number of an event with forms: all of them' chosen 0x21001 runstate_change
check 'the number of one whose records have another' chosen 0x201006 pv_emulate_privop
check 'a pattern without a dot is of names' chosen 's*' 'switch.*|sleep|set_p2m_entry'
check 'the word of xentrace' same_output "-e all $capture" "$capture"
check 'a number in decimal' same_output "-e 163854 $capture" "-e switch_infprev $capture"
check 'one transition' cmp -s <(dump -e 0x21021 "$capture") \
    <(grep -E ' runstate_change .* old=running new=blocked' "$scratch/text")
check 'two transitions and a name' equal "$(grep -cE 'old=running new=blocked|old=blocked new=runnable| wake ' "$scratch/text")" \
    "$(lines -e 0x21021,wake,0x21211 "$capture")"
check 'all but one' cmp -s <(dump -e '!hypercall_v2' "$capture") <(grep -v ' hypercall_v2 ' "$scratch/text")
check 'numbers go with the event that is left out' cmp -s <(dump -e '0x21011,!runstate_change,0x21101' "$capture") \
    <(grep 'old=runnable new=running' "$scratch/text")
check 'numbers go with the event that is taken' cmp -s <(dump -e '0x21011,runstate_change,!0x21101' "$capture") \
    <(grep ' runstate_change ' "$scratch/text" | grep -v 'old=runnable new=running')
check 'a class but one' chosen 'sched,!credit2_*,!wake' 'runstate_change|continue_running|sleep|block|yield|switch|switch_inf.*'
check 'all' cmp -s "$scratch/text" <(dump -e '*' "$capture")
check 'all transitions but one' cmp -s <(dump -e 'runstate_change,!0x21021' "$capture") \
    <(grep ' runstate_change ' "$scratch/text" | grep -v 'old=running new=blocked')
check 'everything but one transition' cmp -s <(dump -e '!0x21021' "$capture") <(grep -v 'old=running new=blocked' "$scratch/text")
check 'a number that is asked for with all others' chosen runstate_change,0x21021 runstate_change
check 'everything is nothing unrecognised' equal 0 "$(lines -e unrecognised "$capture")"
for bad in nosuch 'wak' 'hvm.nosuch' '0x' '0x1ffffffff' '0' '12x' '' ',' 'wake,' '!' '!*' 'wake,!wake' '0x21021,!0x21011'; do
    check "-e '$bad'" refuses . -e "$bad" "$capture"
done
check 'a suggestion' refuses "did you mean 'switch_infprev'" -e switch_infprv "$capture"
run dump -e help </dev/null
check '-e help: all events' equal "$(grep -c '^EVENT(' parser/decode/events.def)" "$(grep -c ' 0x' "$out")"

group 'whose records'
named() { # DOM: records that d's vCPUs wrote, or that name it
    grep -E " d$1v[0-9]+ | ([a-z_]*dom|grantor)=$1( |\$)" "$scratch/text"
}
check 'of a domain' cmp -s <(dump -d 3 "$capture") <(named 3)
check 'of two' equal "$(grep -cE ' d[13]v[0-9]+ | ([a-z_]*dom|grantor)=[13]( |$)' "$scratch/text")" "$(lines -d 1,3 "$capture")"
check 'of a vCPU' cmp -s <(dump --vcpus d3v1 "$capture") \
    <(grep -E ' d3v1 | dom=3 vcpu=1( |$)| (prev|next)_dom=3 (prev|next)_vcpu=1( |$)' "$scratch/text")
check 'of any domain'"'"'s second vCPU' equal \
    "$(grep -cE ' d[0-9]+v1 | dom=[0-9]+ vcpu=1( |$)| (prev|next)_vcpu=1( |$)' "$scratch/text")" "$(lines --vcpus 1 "$capture")"
check 'of a domain, and of it a vCPU' same_output "-d 3 --vcpus 1 $capture" "--vcpus d3v1 $capture"
check 'of ranges' same_output "--vcpus d3v0-1 $capture" "--vcpus d3v0,d3v1 $capture"
check 'of a pCPU' cmp -s <(dump -p 1 "$capture") <(grep ' p1 ' "$scratch/text")
check 'of a pCPU and a domain' cmp -s <(dump -p 1 -d 2 -e wake "$capture") <(named 2 | grep ' p1 ' | grep ' wake ')
for bad in '--vcpus x' '--vcpus d3' '--vcpus d3v' '--vcpus 3v1' '--vcpus d3v2-1' '--vcpus d3v1,' '--vcpus d70000v1' '-d x' '-p 4095'; do
    # shellcheck disable=SC2086 # a list of words
    check "$bad" refuses . $bad "$capture"
done

group 'when'
part() { awk -v from="$1" -v to="$2" '$1 >= from && (to == "" || $1 < to)' "$scratch/text"; }
check 'a part' cmp -s <(dump -t 0.5,0.6 "$capture") <(part 0.5 0.6)
check 'from' cmp -s <(dump -t 2.2, "$capture") <(part 2.2 '')
check 'up to' cmp -s <(dump -t ,10ms "$capture") <(part 0 0.01)
check 'a part of one event' cmp -s <(dump -t 0.5,0.6 -e wake "$capture") <(part 0.5 0.6 | grep ' wake ')
check 'the first' cmp -s <(dump -n 7 "$capture") <(head -n 7 "$scratch/text")
check 'the first of one event' cmp -s <(dump -n 7 -e block "$capture") <(grep ' block ' "$scratch/text" | head -n 7)
check 'beyond the end' refuses 'the trace ends at' -t 100,200 "$capture"
check 'nothing between' refuses 'nothing lies between' -t 2,1 "$capture"

group 'an archive is begun in the middle'
for fixture_ in lost-credit2 ${QUICK:-mixed-credit pvh-credit2}; do
    [ "$fixture_" = "$QUICK" ] && continue
    zstd -qdc "fixtures/$fixture_.xt.zst" >"$scratch/long.xt"
    "$XENMETER" archive create -q --with-trace "$scratch/long.xt" -o "$scratch/long.xma"
    for span in 9.1,9.2 4.5,4.51; do
        check "$fixture_, $span" cmp -s <(dump -t $span "$scratch/long.xma") <(dump -t $span "$scratch/long.xt")
    done
    check "$fixture_: the verdict is of all of it" equal "$("$XENMETER" dump -n 1 "$scratch/long.xma" 2>&1 >/dev/null)" \
        "$("$XENMETER" dump -o /dev/null "$scratch/long.xt" 2>&1)"
    check "$fixture_: counts" cmp -s <(dump --count -b vcpu -t 9.1,9.2 "$scratch/long.xma") \
        <(dump --count -b vcpu -t 9.1,9.2 "$scratch/long.xt")
    rm "$scratch/long.xma"
done
check 'a span beyond its end' refuses 'the trace ends at' -t 100, "$scratch/capture.xma"
"$XENMETER" archive create -q "$capture" -o "$scratch/bare.xma"
check 'an archive without its trace' refuses 'not kept' "$scratch/bare.xma"
check '--host without an archive' refuses 'archive' --host x "$capture"

group 'counts'
dump --count -f csv "$capture" >"$scratch/counts"
check 'the columns' equal event,id,records,records_pct,records_per_s,bytes,bytes_pct "$(head -n 1 "$scratch/counts")"
check 'records of each event' cmp -s <(awk '{ print $4 }' "$scratch/text" | sort | uniq -c | awk '{ print $2 "," $1 }') \
    <(tail -n +2 "$scratch/counts" | cut -d, -f1,3 | sort)
check 'all bytes of the trace' equal "$(stat -c %s "$capture")" "$(awk -F, 'NR > 1 { s += $6 } END { print s }' "$scratch/counts")"
check 'shares make a whole' equal '100 100' "$(awk -F, 'NR > 1 { r += $4; b += $7 } END { printf "%.0f %.0f", r, b }' "$scratch/counts")"
check 'the most frequent first' sort -c -s -t, -k3,3nr <(tail -n +2 "$scratch/counts")
check 'rates are of the time' equal "$(records "$capture")" "$(awk -F, -v s="$("$XENMETER" info -f json "$capture" | jq .trace.duration_ns)" \
    'NR > 1 { r += $5 } END { printf "%.0f", r * s / 1e9 }' "$scratch/counts")"
check 'jsonl says the same' cmp -s <(tail -n +2 "$scratch/counts") \
    <(dump --count -f jsonl "$capture" | jq -r '"\(.event),\(.id),\(.records)"' | paste -d, - <(tail -n +2 "$scratch/counts" | cut -d, -f4-))
check 'text says the same' cmp -s <(tail -n +2 "$scratch/counts" | awk -F, '{ print $1, $3, $6 }') \
    <(dump --count "$capture" | sed -e 1,2d -e '$d' -e 's/,//g' | awk '{ print $1, $2, $5 }')
check 'text ends with the sum' equal "$total" "$(dump --count "$capture" | awk 'END { gsub(",", "", $2); print $1 == "all" ? $2 : 0 }')"
check 'by domain: of whom was current' cmp -s \
    <(dump --count -b domain -e wake -f csv "$capture" | tail -n +2 | cut -d, -f1,4 | sort) \
    <(grep ' wake ' "$scratch/text" | awk '{ sub("v.*", "", $3); print substr($3, 2) }' | sort | uniq -c | awk '{ print $2 "," $1 }' | sort)
check 'by vcpu' equal "$(awk '{ print $3, $4 }' "$scratch/text" | sort -u | wc -l)" "$(($(lines --count -b vcpu -f csv "$capture") - 1))"
check 'by pcpu' equal "$(awk '{ print $2, $4 }' "$scratch/text" | sort -u | wc -l)" "$(($(lines --count -b pcpu -f csv "$capture") - 1))"
check 'by domain-pcpu: keys' equal domain,pcpu,event "$(dump --count -b domain-pcpu -f csv "$capture" | head -n 1 | cut -d, -f1-3)"
check 'the most frequent of each domain' equal 1 "$(dump --count -b domain -n 1 -f csv "$capture" | tail -n +2 | cut -d, -f1 | sort | uniq -c | awk '{ print $1 }' | sort -u)"
check 'of a filter' equal "$(named 3 | grep -c ' p1 ')" "$(dump --count -d 3 -p 1 -f csv "$capture" | awk -F, '{ s += $3 } END { print s }')"
check 'by pcpu, of a domain' equal "$(named 3 | wc -l)" "$(dump --count -b pcpu -d 3 -f csv "$capture" | awk -F, '{ s += $4 } END { print s }')"
check '-b without --count' refuses 'count' -b domain "$capture"
check '--tsc with --count' refuses 'count' --tsc --count "$capture"
check '--follow with --count' refuses 'count' --follow --count "$capture"

group 'without a clock'
simulated "$scratch/clockless.xt" stress-sched '.trace.events = "0x21000"' --duration 1h --size 200K
check 'times are refused' refuses 'give it with --cpu-hz.*or take times in cycles' "$scratch/clockless.xt"
run dump --tsc "$scratch/clockless.xt"
check 'cycles are not' exits 0
check 'all of them' equal "$(records "$scratch/clockless.xt")" "$(wc -l <"$out")"
check '--cpu-hz' equal "$(records "$scratch/clockless.xt")" "$(lines --cpu-hz 2.4G "$scratch/clockless.xt")"
run dump --count -f csv "$scratch/clockless.xt"
check 'counts have no rates' equal '' "$(sed -n 2p "$out" | cut -d, -f5)"
check 'a part of the time is refused' refuses '--cpu-hz' --tsc -t 0.1,0.2 "$scratch/clockless.xt"

group 'numbers that meant another event in Xen 4.0 to 4.2'
named() { dump --tsc "$@" | awk '{ $1 = $2 = $3 = ""; print substr($0, 4) }'; }
check '4.0: power states' equal 'idle_entry cx=2 ticks=100 expected_us=500 predicted_us=400
idle_exit cx=2 ticks=300 irq0=240 irq1=0 irq2=0 irq3=0' "$(named -e hw fixtures/cases/xen40-idle.xt.zst)"
check '4.0: by the name' equal 1 "$(named -e idle_entry fixtures/cases/xen40-idle.xt.zst | wc -l)"
check '4.0: not by the name of today' equal 0 "$(named -e irq_move_cleanup fixtures/cases/xen40-idle.xt.zst | wc -l)"
credit2='credit2_credit_burn dom=3 vcpu=1 credit=-5 delta=100
credit2_runq_pos dom=3 vcpu=1 pos=2
credit2_tickle cpu=1'
check '4.1: credit2' equal "$credit2" "$(named -e 'credit*' fixtures/cases/xen41-credit2.xt.zst)"
check '4.1: credit2, through a pipe' equal "$credit2" "$(zstd -dc fixtures/cases/xen41-credit2.xt.zst | named -e 'credit*' -)"
"$XENMETER" archive create -q --with-trace -o "$dir/old.xma" fixtures/cases/xen41-credit2.xt.zst
check '4.1: credit2, of an archive' equal "$credit2" "$(named -e 'credit*' "$dir/old.xma")"
check '4.1: counted' equal 1 "$(dump --count -f csv fixtures/cases/xen41-credit2.xt.zst | grep -c '^credit2_credit_burn,0x00022203,1,')"
for input in fixtures/cases/xen41-credit2.xt.zst "$dir/old.xma"; do
    run info -v "$input"
    check "info: the version and the scheduler ($input)" says "$out" \
        '^xen  *4.1 to 4.2, by the layout of credit2_runq_pos; scheduler credit2$'
    check 'info: the events' says "$out" '^  credit2_credit_burn  *1 '
    check 'info: the JSON document' equal '"credit2" ["credit2"]' \
        "$("$XENMETER" info -f json "$input" | jq -r '.xen | "\(.scheduler | tojson) \(.schedulers | tojson)"')"
done
rm "$dir/old.xma"
run info fixtures/cases/xen40-idle.xt.zst
check 'info: 4.0' says "$out" '^xen  *4.0 to 4.1, by the layout of trace_irq$'

group "a user's own events"
own=fixtures/cases/custom-class.xt.zst
own_dump() { dump --tsc --events-file fixtures/cases/custom-class.def "$@"; }
own_events() { own_dump -e "$1" "${2:-$own}" | awk '{ n[$4]++ } END { for (event in n) print event, n[event] }' | sort | paste -sd,; }
check 'names and fields' equal 'my_load load=words=0x7' "$(own_dump -e my_load "$own" | awk 'NR == 1 { print $4, "load=" $5 }')"
check 'a number with the name of a value' equal 'my_tick dom=1 vcpu=2 state=offline' \
    "$(own_dump -e my_tick "$own" | awk 'NR == 1 { print $4, $5, $6, $7 }')"
while read -r items expected; do
    check "-e $items" equal "$expected" "$(own_events "$items")"
done <<'END'
my_tick my_tick 10
my_* my_load 10,my_tick 10
sched my_load 10,my_tick 10
sched.my_l* my_load 10
0x24001 my_tick 10
0x24004 my_load 10
0x24000 my_load 10,my_tick 10
!my_tick cpu_change 6,my_load 10
all,!my_* cpu_change 6
my_tick,!my_load my_tick 10
!my_tick,my_tick cpu_change 6,my_load 10,my_tick 10
my_*,!0x24001 my_load 10
END
check '-e unrecognised: what nobody named' refuses 'no record is left' --tsc --events-file fixtures/cases/custom-class.def -e unrecognised "$own"
check 'without the file: as before' equal 'unrecognised id=0x00024001 words=0x1,0x2,0x3' \
    "$(dump --tsc -e unrecognised "$own" | awk 'NR == 1 { print $4, $5, $6 }')"
check 'csv: their fields are columns' equal 'tsc,pcpu,domain,vcpu,event,dom,field_vcpu,state,count,words 1000002400000,0,,,my_tick,1,2,offline,,' \
    "$(own_dump -f csv -e my_tick "$own" | head -n 2 | paste -sd' ')"
check 'csv: of several, one column' equal '1000002400000,0,,,my_tick,dom=1 vcpu=2 state=offline' \
    "$(own_dump -f csv -e 'my_*' "$own" | grep -m 1 my_tick)"
check 'jsonl' equal '{"dom":1,"vcpu":2,"state":"offline"}' "$(own_dump -f jsonl -e my_tick "$own" | jq -c .fields | head -n 1)"
check '-d: a domain that they name' equal 10 "$(own_dump -d 1 "$own" | wc -l)"
check '--count' equal 'my_load,0x00024002,10 my_tick,0x00024001,10' \
    "$(dump --count --events-file fixtures/cases/custom-class.def -f csv "$own" | sed -n '/^my/s/^\([^,]*,[^,]*,[^,]*\),.*/\1/p' | sort | paste -sd' ')"
check 'a pipe' equal 'my_load 10,my_tick 10' "$(zstd -dc "$own" | own_events 'my_*' -)"
"$XENMETER" archive create -q --cpu-hz 1G --with-trace -o "$dir/own.xma" "$own"
check 'an archive' equal 'my_load 10,my_tick 10' "$(own_events 'my_*' "$dir/own.xma")"
rm "$dir/own.xma"
run dump -q --events-file fixtures/cases/custom-class.def -e help
check '-e help lists them' says "$out" '^  my_tick  *sched  *0x00024001$'
run dump --tsc --events-file fixtures/cases/custom-class.def "$own"
check 'they are of a known kind' equal 'xenmeter: verdict good' "$(cat "$err")"
run info -v --events-file fixtures/cases/custom-class.def "$own"
check 'info: under their class' says "$out" '^  my_tick  *10 '
check 'info: not unrecognised' not says "$out" 'unrecognised\|no known kind'
check 'info: in the JSON document' equal '[["my_tick","0x00024001","sched",10],["my_load","0x00024002","sched",10]]' \
    "$("$XENMETER" info -f json --events-file fixtures/cases/custom-class.def "$own" |
        jq -c '[.events[] | select(.name | startswith("my")) | [.name, .id, .class, .records]]')"
printf 'EVENT(A, 0x24001, 0, CLASS_SCHED, "a", %s, NO_LAYOUT)\nEVENT(B, 0x28004, 0, CLASS_SCHED, "b", %s, NO_LAYOUT)\n' "'T'" "'T'" >"$scratch/own.def"
check 'an event of Xen is refused, with the line' refuses 'own.def: line 2: 0x00028004 is wake, which Xen writes' \
    --events-file "$scratch/own.def" "$own"
check 'a missing file' refuses 'missing: cannot open: No such file' --events-file "$dir/missing" "$own"

group 'a live pipe'
mkfifo "$scratch/fifo"
size=$(stat -c %s "$capture")
# Half of the capture comes, and nothing more: what is certain is told while the pipe is open.
attended "$XENMETER" dump -q --follow --tsc - <"$scratch/fifo" >"$scratch/live" &
pid=$!
exec 9>"$scratch/fifo"
head -c $((size / 2)) "$capture" >&9
records_came() { [ "$(wc -l <"$scratch/live")" -gt 50000 ]; }
check 'records are told as they come' soon records_came
kill -INT "$pid"
wait "$pid"
check 'SIGINT ends it well' equal 0 $?
exec 9>&-
head -c $((size / 2)) "$capture" >"$scratch/half.xt"
check 'all that came is told' cmp -s "$scratch/live" <(dump --tsc "$scratch/half.xt")
check 'times in cycles: the same order' cmp -s <(dump --tsc fixtures/lost-credit2.xt.zst | awk '{ $1 = ""; print }') \
    <(dump fixtures/lost-credit2.xt.zst | awk '{ $1 = ""; print }')

group 'how it ends'
run dump "$capture"
check 'a verdict on standard error' equal 'xenmeter: verdict good' "$(cat "$err")"
run dump -q "$capture"
check '-q: none' is_empty "$err"
run dump -v "$capture"
check '-v: more' says "$err" "wrote $total of $total records"
run dump -n 5 "$capture"
check 'none of a part that was not read' is_empty "$err"
run dump fixtures/lost-credit2.xt.zst
check 'lost records' says "$err" 'verdict degraded: 163,785 records were lost'
head -c 1000001 "$capture" >"$scratch/cut.xt"
run dump "$scratch/cut.xt"
check 'a trace that was cut' exits 0
check 'it is said' says "$err" 'the trace is cut off'
check 'a missing file' refuses 'No such file' "$dir/missing"
check 'a directory' refuses 'irectory' "$dir"
: >"$scratch/empty"
check 'an empty file' refuses 'is empty' "$scratch/empty"
check 'not a capture' refuses 'not a xentrace capture' tests/dump.sh
check '-o over the capture' refuses 'would be lost' -o "$capture" "$capture"
check 'a format it has not' refuses 'it writes text, csv, jsonl' -f table "$capture"
check 'another one by the ending' refuses 'it writes text, csv, jsonl' -o "$dir/x.json" "$capture"
check 'a full device' refuses 'No space left' -o /dev/full "$capture"
check 'a reader that goes away: quietly' equal '141 0' "$(
    (trap '' PIPE; "$XENMETER" dump "$capture" 2>"$err"; echo "$?" >"$scratch/status") | head -n 1 >/dev/null
    echo "$((128 + 13)) $(cat "$scratch/status")")"
check 'and says nothing' is_empty "$err"
"$XENMETER" dump -o "$dir/long" - <"$scratch/fifo" 2>"$err" &
pid=$!
exec 9>"$scratch/fifo"
head -c $((size / 2)) "$capture" >&9
kill -TERM "$pid"
wait "$pid" 2>/dev/null
exec 9>&-
check 'SIGTERM leaves nothing half-written' test ! -e "$dir/long" -a -z "$(find "$dir" -name '*.tmp')"

finish
