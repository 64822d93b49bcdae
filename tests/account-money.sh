#!/bin/bash
# Bills: prices, tags, hosts whose whole capacity is paid for, periods that are closed and corrected, FOCUS tables. Sums are computed by
# jq and bc from what other reports say.
# shellcheck disable=SC2016,SC2317 # functions are called through check
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/lib/fleet.sh
. "$(dirname "$0")/lib/fleet.sh"

export NO_COLOR=1 TZ=UTC

all_hold() { jq -se "$1" "$2" >/dev/null; } # JQ-FILTER FILE: of the list of its lines

# ---- archives: two hosts, from 06:55 and 06:57 to 07:07 ----

fleet=$scratch/fleet
late=$scratch/late
mkdir "$fleet" "$late"
LOST=0.02 host_trace "$scratch/1.xt" 600 1 2
LOST=0.02 host_trace "$scratch/2.xt" 600 1 3
facts "$scratch/1" "$(boot 1)" 2026-11-29T06:55:00Z 0 '' dom0 1 $web web 2 '' db
facts "$scratch/2" "$(boot 2)" 2026-11-29T06:57:00Z 0 '' dom0 1 '' mail 3 '' cache
facts "$scratch/3" "$(boot 3)" 2026-11-29T09:00:00Z 0 '' dom0 1 $web web 2 '' new
archive "$fleet/a.xma" xen1 "$scratch/1.xt" "$scratch/1" -g 1s
archive "$fleet/b.xma" xen2 "$scratch/2.xt" "$scratch/2" -g 1s
archive "$late/c.xma" xen3 "$scratch/1.xt" "$scratch/3" -g 1s

facts "$scratch/4" "$(boot 4)" 2026-11-29T09:00:00Z 1 aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee web
archive "$scratch/letters.xma" xen4 "$scratch/1.xt" "$scratch/4" -g 1s

cat >"$scratch/tags.csv" <<END
# who pays
vm,customer,project
$web,ACME,shop
db,ACME,shop
mail,"Smith, Sons",mail
END
rates() { # FILTER: the rates, changed
    jq '{currency: "EUR", digits: 6, provider: "Example Hosting", billing_account: "fleet", rates: [{pcpu_hour: "0.0612345"}]} | '"$1" >"$scratch/rates.json" <<<null
}
rows() { "$XENMETER" account -q -f jsonl "$@"; } # ARGUMENT...
money() { rows --rates "$scratch/rates.json" "$@" "$fleet"; }

# EXPRESSION as bc has it, rounded half up to six digits.
exactly() { bc <<<"scale = 40; x = $1 + 0.0000005; scale = 6; x / 1" | sed 's/^\./0./'; }
total() { jq -r "$1" | paste -sd+ | bc | sed 's/^\./0./'; } # FILTER: the sum of texts

group 'the whole host is paid for'
rows -g hour -b host "$fleet" | jq -c '[.period_start, .host, .capacity_ns]' | sort >"$scratch/hosts"
rates .
for how in '' '--share-idle even' '--share-idle used --share-overhead used' '--share-idle reserved --share-overhead even' \
    '--basis max' '--basis reserved --share-overhead reserved' '--basis max --share-idle used'; do
    # shellcheck disable=SC2086 # words
    money -b vm-host $how >"$scratch/bill"
    check "capacities add up to each host's: ${how:-nothing shared}" same "$scratch/hosts" \
        <(jq -sc 'group_by([.period_start, .host])[] | [.[0].period_start, .[0].host, (map(.capacity_ns) | add)]' "$scratch/bill" | sort)
    check "nothing is below zero: ${how:-nothing shared}" all_hold 'all(.[]; .base_ns >= 0 and .overhead_share_ns >= 0 and .idle_share_ns >= 0 and .capacity_ns == .base_ns + .overhead_share_ns + .idle_share_ns and (.amount | startswith("-") | not))' "$scratch/bill"
    while read -r capacity begin host; do
        check "amounts, too: ${how:-nothing shared}: $host $begin" equal "$(exactly "$capacity * 0.0612345 / 3600000000000")" \
            "$(jq "select(.host == \"$host\" and .period_start == \"$begin\")" "$scratch/bill" | total .amount)"
    done < <(jq -r '"\(.[2]) \(.[0]) \(.[1])"' "$scratch/hosts")
    check "unknown time is a row of its own: ${how:-nothing shared}" equal \
        "$(rows -b host "$fleet" | jq -s 'map(.unknown_ns) | add')" "$(jq -s 'map(select(.kind == "unknown").capacity_ns) | add' "$scratch/bill")"
done
check 'there is unknown time' all_hold 'any(.[]; .unknown_ns > 0)' <(rows -b host "$fleet")
check 'idle time counts once' equal "$(rows -b host "$fleet" | jq -s 'map(.idle_ns) | add')" \
    "$(money -b vm-host --share-idle even | jq -s 'map(.idle_share_ns) | add')"
check 'a row is the same whichever others are shown' same <(money --share-idle used --share-overhead used | grep '"vm":"web"') \
    <(money --share-idle used --share-overhead used --vm web)
check 'and so is its row by host' equal "$(money -b host | total .amount)" "$(money -b vm-host | total .amount)"
check 'and by tag' equal "$(money -b host | total .amount)" "$(money -b tag --tags "$scratch/tags.csv" | total .amount)"
check 'and by VM' equal "$(money -b host | total .amount)" "$(money | total .amount)"
check 'sharing alone has no amounts' all_hold 'all(.[]; .amount == null and .capacity_ns >= 0)' <(rows --share-idle used "$fleet")

group 'prices'
rates '.digits = 9 | .rates = [{vcpu_second_run: "0.0000123"}, {cpu_second_charged: "0.5", vm: "web"}, {cpu_second_charged: "0.25"}, {vcpu_hour_allocated: "0.036"}]'
money -g total -b vm-host >"$scratch/bill"
check 'each quantity has its price' equal "$(jq -r 'select(.vm == "web") | "\(.used_ns) * 0.0000123 / 10^9 + \(.charged_ns) * 0.5 / 10^9 + \(.vcpu_ns) * 0.036 / 3600 / 10^9"' "$scratch/bill" |
    { read -r x; bc <<<"scale = 40; x = $x; scale = 6; x / 1"; } | sed 's/^\./0./')" "$(jq -r 'select(.vm == "web").amount | .[:-3]' "$scratch/bill")"
check 'a price of any size' equal "$(rates '.digits = 0 | .rates = [{pcpu_hour: "123456789012345678901234567890123456789"}]'
    money -g total -b host --vm '*' | total .amount)" "$(money -g total | jq -s 'map(select(.kind == "vm" or .kind == "driver-domain"))[]' | total .amount)"
check 'JSON has it as text' all_hold 'all(.[]; .amount | type == "string")' <(money -g total)
rates '.rates = [{pcpu_hour: "0.06", to: "2026-11-29T07:02Z"}, {pcpu_hour: "0.12", from: "2026-11-29T07:02Z"}]'
money -b vm-host >"$scratch/bill"
check 'a change divides the row' equal '2026-11-29T06:00:00.000000000Z 2026-11-29T07:00:00.000000000Z 2026-11-29T07:02:00.000000000Z' \
    "$(jq -r 'select(.vm == "web").period_start' "$scratch/bill" | paste -sd' ')"
rates '.rates = [{pcpu_hour: "0.06"}]'
check 'and loses nothing' equal "$(money -g total --vm web | jq .total_ns)" "$(jq -s 'map(select(.vm == "web").total_ns) | add' "$scratch/bill")"
rates '.rates = [{vcpu_second_run: "0"}, {vcpu_second_run: "1", tags: {customer: "Smith*"}}]'
check 'tags choose prices' equal 'mail' "$(rows -g total --rates "$scratch/rates.json" --tags "$scratch/tags.csv" "$fleet" | jq -r 'select(.amount != "0.000000").vm')"
check 'a UUID in large letters is the same' equal '"ACME"' "$(rows -g total --tags <(printf "vm,customer\nAAAAAAAA-BBBB-4CCC-8DDD-EEEEEEEEEEEE,ACME\n") --vm web "$scratch/letters.xma" | jq .tag)"
check 'tags are shown' equal '"ACME"' "$(rows -g total --tags "$scratch/tags.csv" -b tag:customer --vm db "$fleet" | jq .tag)"
check 'another tag' equal '["mail","shop",null]' "$(rows -g total --tags "$scratch/tags.csv" -b tag:project "$fleet" | jq -sc 'map(.tag) | unique | sort_by(. == null)')"
rates .
run account --rates "$scratch/rates.json" -g total "$fleet"
check 'a table says how amounts are rounded' says "$out" '^amounts: .*largest remainder'
run account --rates "$scratch/rates.json" --share-idle used -g total --vm web "$fleet"
check 'one VM is a page, which says what it costs' says "$out" "^  amount  *$(money -g total --share-idle used --vm web | jq -r .amount)  *EUR"
check 'it fits a screen' [ "$(wc -l <"$out")" -le 24 ]
check 'and its width' [ "$(wc -L <"$out")" -le 80 ]
check 'the largest amount comes first' equal "$(money -g total | jq -r .amount | sort -g | tail -n 1)" "$(money -g total -s amount -n 1 | jq -r .amount)"

group 'what is wrong'
wrong() { # PATTERN FILTER
    rates "$2"
    refuses "rates.json: $1" account --rates "$scratch/rates.json" "$fleet"
}
check 'no prices' wrong 'rates: wants a list' '.rates = []'
check 'no currency' wrong 'currency: is missing' 'del(.currency)'
check 'a number, not text' wrong 'rates\[1\].pcpu_hour: wants a decimal number' '.rates[0].pcpu_hour = 0.06'
check 'below zero' wrong 'rates\[1\].pcpu_hour: wants a decimal number of 0 or more' '.rates[0].pcpu_hour = "-1"'
check 'an exponent' wrong 'rates\[1\].pcpu_hour: wants a decimal number' '.rates[0].pcpu_hour = "1e9"'
check 'an unknown key' wrong "rates\[1\].pcpu_hours: there is no such key, did you mean 'pcpu_hour'" '.rates[0].pcpu_hours = "1"'
check 'no UTC' wrong 'rates\[1\].from: wants a moment in UTC' '.rates[0].from = "2026-12-01T00:00"'
check 'no such day' wrong 'rates\[1\].from: wants a moment in UTC' '.rates[0].from = "2026-02-30"'
check 'nothing between' wrong 'rates\[1\]: "to" is not after "from"' '.rates[0] += {from: "2026-12-02", to: "2026-12-02"}'
check 'overlapping' wrong 'rates\[2\]: overlaps rates\[1\]: both have a pcpu_hour' '.rates[1] = .rates[0]'
check 'a price of a host for a VM' wrong 'rates\[1\]: pcpu_hour is the price of a host' '.rates[0].vm = "web"'
check 'tags without tags' wrong 'rates\[1\].tags.customer: no tags are known' '.rates = [{vcpu_second_run: "1", tags: {customer: "x"}}]'
check 'a VM that is not there' wrong "rates\[2\].vm: there is no VM 'wbe'" '.rates = [{vcpu_second_run: "1"}, {vcpu_second_run: "2", vm: "wbe"}]'
check 'a host that is not there' wrong "rates\[2\].host: there is no host 'xen9'" '.rates[1] = {pcpu_hour: "1", host: "xen9"}'
rates '.rates = [{vcpu_second_run: "1"}, {vcpu_second_run: "2", vm: "wbe", from: "2026-12-01"}]'
check 'but not before its time' "$XENMETER" account -q -o /dev/null --rates "$scratch/rates.json" "$fleet"
rates '.rates = [{vcpu_second_run: "1", vm: "web"}]'
check 'a VM without a price' refuses "there is no vcpu_second_run for VM 'db' on host 'xen1'" account --rates "$scratch/rates.json" "$fleet"
rates '.rates = [{vcpu_second_run: "1", vm: "w*"}, {vcpu_second_run: "2", vm: "*b"}, {vcpu_second_run: "3"}]'
check 'two prices for one' refuses "rates\[2\]: overlaps rates\[1\]: both have a vcpu_second_run for VM 'web'" account --rates "$scratch/rates.json" "$fleet"
printf '{' >"$scratch/bad.json"
check 'no JSON' refuses 'bad.json: line 1: is not JSON' account --rates "$scratch/bad.json" "$fleet"
check 'no rates file' refuses 'cannot read the rates' account --rates "$scratch/missing" "$fleet"
rates .
printf 'vm,customer\nweb,ACME\nweb,Smith\n' >"$scratch/bad.csv"
check 'a VM twice in the tags' refuses "bad.csv: line 3: the VM 'web' is in line 2, too" account --tags "$scratch/bad.csv" "$fleet"
printf '\xef\xbb\xbfvm,customer\r\nweb,ACME\r\n' >"$scratch/spreadsheet.csv"
check "a spreadsheet's tags" "$XENMETER" account -q -o /dev/null --tags "$scratch/spreadsheet.csv" "$fleet"
rates '.rates = [{pcpu_hour: "1", host: "xen1"}]'
check 'a host without a price' refuses "there is no pcpu_hour for host 'xen2'" account --rates "$scratch/rates.json" "$fleet"
rates .
printf 'vm,customer\nweb,ACME\n%s,ACME\nweb1,ACME\ngone,ACME\n' $web >"$scratch/more.csv"
run account -g total -o /dev/null --tags "$scratch/more.csv" "$fleet"
check 'VMs of the tags that are not there: one message' equal "xenmeter: $scratch/more.csv: VMs are not in these archives at this time: 'gone' (line 5), 'web1' (line 4)" "$(cat "$err")"
check 'which is a remark' exits 0
check 'not of those that --vm leaves out' equal '' "$("$XENMETER" account -g total -o /dev/null --vm db --tags "$scratch/tags.csv" "$fleet" 2>&1)"
run account close --tags "$scratch/more.csv" -o "$scratch/more.closed" 2026-11-29 "$fleet"
check 'closing says so, too' says "$err" "more.csv: VMs are not in these archives"
(for i in {1..12}; do [ "$i" -gt 1 ] && echo "gone$i,x" || echo vm,customer; done) >"$scratch/more.csv"
run account -g total -o /dev/null --tags "$scratch/more.csv" "$fleet"
check 'many are counted' says "$err" ' and 6 more$'
check 'no tags file' refuses 'cannot read the tags' account --tags "$scratch/missing" "$fleet"
check 'by tag without tags' refuses '--by tag wants --tags' account -b tag "$fleet"
check 'no such tag' refuses '--by tag:town: the tags have no such column' account -b tag:town --tags "$scratch/tags.csv" "$fleet"
check 'no way to share' refuses '--share-idle all: wants one of none, even, used, reserved' account --share-idle all "$fleet"
check 'no basis' refuses '--basis all: wants one of used, reserved, max' account --basis all "$fleet"
check 'what goes wrong leaves no file' refuses 'there is no VM' account --rates <(jq '.rates = [{vcpu_second_run: "1"}, {vcpu_second_run: "1", vm: "x"}]' "$scratch/rates.json") -o "$scratch/none.csv" "$fleet"
check 'none' [ ! -e "$scratch/none.csv" ]

group 'FOCUS'
rates '.rates += [{vcpu_second_run: "0.001"}, {cpu_second_charged: "0.002"}]'
run account --rates "$scratch/rates.json" --tags "$scratch/tags.csv" --share-idle used -f focus "$fleet"
check 'it is made' exits 0
cp "$out" "$scratch/focus.csv"
sqlite3 "$scratch/focus.db" ".import --csv $scratch/focus.csv focus"
ask() { sqlite3 "$scratch/focus.db" "$1"; }
check 'its columns are those of the specification, and x_' equal '' "$(head -n 1 "$scratch/focus.csv" | tr , '\n' | grep -vE '^(x_[A-Z][A-Za-z]+|BilledCost|BillingAccountId|BillingAccountName|BillingCurrency|BillingPeriodEnd|BillingPeriodStart|ChargeCategory|ChargeClass|ChargeDescription|ChargeFrequency|ChargePeriodEnd|ChargePeriodStart|ConsumedQuantity|ConsumedUnit|ContractedCost|ContractedUnitPrice|EffectiveCost|InvoiceIssuerName|ListCost|ListUnitPrice|PricingCategory|PricingQuantity|PricingUnit|ProviderName|PublisherName|ResourceId|ResourceName|ResourceType|ServiceCategory|ServiceName|ServiceSubcategory|SkuId|SkuMeter|SkuPriceId|SubAccountId|SubAccountName|Tags)$')"
for column in BilledCost BillingAccountId BillingAccountName BillingCurrency BillingPeriodEnd BillingPeriodStart ChargeCategory ChargeDescription ChargePeriodEnd ChargePeriodStart ContractedCost EffectiveCost InvoiceIssuerName ListCost PricingQuantity PricingUnit ProviderName PublisherName ServiceCategory ServiceName; do
    check "each row has a $column" equal 0 "$(ask "select count(*) from focus where $column = ''")"
done
check 'what is billed is the bill' equal "$(money --tags "$scratch/tags.csv" --share-idle used | total .amount)" \
    "$(ask 'select BilledCost from focus' | paste -sd+ | bc | sed 's/^\./0./')"
check 'quantity x price is the cost' equal 0 "$(ask 'select count(*) from focus where abs(PricingQuantity * ListUnitPrice - ListCost) > 1e-12 or abs(ListCost - BilledCost) > 1e-6')"
check 'the billing period is the month' equal '2026-11-01T00:00:00Z|2026-12-01T00:00:00Z' "$(ask 'select distinct BillingPeriodStart, BillingPeriodEnd from focus')"
check 'a charged row names its method' equal 0 "$(ask "select count(*) from focus where SkuId = 'cpu_second_charged' and x_Method not like 'measured % \%, certain % \%, inferred % \%' escape '\'")"
check 'how complete the period is' equal 0 "$(ask 'select count(*) from focus where not (cast(x_CoveredPct as real) > 0 and cast(x_CoveredPct as real) < 100)')"
check 'a VM by its UUID' equal "$web" "$(ask "select distinct ResourceId from focus where ResourceName = 'web'")"
check 'tags are JSON' equal 'Smith, Sons' "$(ask "select distinct json_extract(Tags, '\$.customer') from focus where ResourceName = 'mail'")"
check 'no correction' equal '' "$(ask 'select distinct ChargeClass from focus')"
check 'it wants prices' refuses 'focus wants prices' account -f focus "$fleet"
check 'it wants a provider' refuses 'wants "provider" and "billing_account"' account --rates <(jq 'del(.provider)' "$scratch/rates.json") -f focus "$fleet"
check 'it has rows of its own' refuses 'rows and columns of its own' account --rates "$scratch/rates.json" -f focus -b host "$fleet"

group 'closed periods'
closed=$scratch/day.closed
close() { run account close -q --rates "$scratch/rates.json" --tags "$scratch/tags.csv" --share-idle used "$@"; }
replay() { "$XENMETER" account replay -q -f jsonl "$@"; }
truth() { rows -g day -b vm-host --from 2026-11-29 --to 2026-11-30 --rates "$scratch/rates.json" --tags "$scratch/tags.csv" --share-idle used "$@"; }
columns='[.host, .kind, .vm, .used_ns, .charged_ns, .own_ns, .unknown_ns, .vcpu_ns, .idle_share_ns, .capacity_ns, .amount]'
close -o "$closed" 2026-11-29 "$fleet"
check 'a day is closed' exits 0
cp "$closed" "$scratch/kept"
check 'it says what an account says' same <(replay "$closed" | jq -c "$columns" | sort) <(truth "$fleet" | jq -c "$columns" | sort)
check 'its archives are named with their hashes' equal "$(cd "$fleet" && xxhsum -q -H2 a.xma b.xma | awk '{ print $2, $1 }')" \
    "$(head -n 1 "$closed" | jq -r '.archives[] | "\(.file) \(.xxh3_128)"')"
check 'and the rates, the rule and the program' all_hold '.[0] | (.rates | fromjson.currency == "EUR") and (.rounding | test("largest remainder")) and .program == "'"$("$XENMETER" --version)"'"' <(head -n 1 "$closed")
close -o "$closed" 2026-11-29 "$fleet"
check 'what was closed is not replaced' refused_once
check 'it says why' says "$err" 'is there already'
check 'it is as it was' same "$closed" "$scratch/kept"
check 'a period that is not over' refuses '2099-01: is not over yet' account close -o "$scratch/x" 2099-01 "$fleet"
check 'no period' refuses 'yesterday: wants a month' account close -o "$scratch/x" yesterday "$fleet"
check 'no output' refuses 'where to' account close 2026-11-29 "$fleet"
check 'an empty period' refuses 'nothing' account close -o "$scratch/x" 2026-10 "$fleet"
check 'and no file is left' [ ! -e "$scratch/x" ]
sed 's/"xen2"/"xen1"/' "$closed" >"$scratch/altered"
check 'an altered file is noticed' refuses 'altered: was altered after it was closed' account replay "$scratch/altered"
head -c -40 "$closed" >"$scratch/altered"
check 'one that was cut, too' refuses 'altered: was altered' account replay "$scratch/altered"
check 'another file' refuses 'is no closed statement' account replay "$scratch/tags.csv"

group 'corrections'
correct() { run account correct -q --into 2026-12 "$@"; }
one=$scratch/day-1.closed
two=$scratch/day-2.closed
unpriced=$scratch/unpriced.closed
"$XENMETER" account close -q -o "$unpriced" 2026-11-29 "$fleet"
correct --closed "$closed" -o "$one" "$fleet"
check 'nothing differs' exits 0
check 'no file then' [ ! -e "$one" ]
correct --closed "$closed" --reason 'xen3 came late' -o "$one" "$fleet" "$late"
check 'an archive came late' exits 0
check 'the closed file is as it was' same "$closed" "$scratch/kept"
check 'with both, it is the new truth' same <(replay "$one" "$closed" | jq -c "$columns" | sort) <(truth "$fleet" "$late" | jq -c "$columns" | sort)
check 'what is new belongs to the open period' equal '["2026-12","new","xen3 came late","1 archive more"]' \
    "$(replay --entries "$closed" "$one" | jq -c 'select(.belongs_to != "2026-11-29") | [.belongs_to, .entry, .reason, .cause]' | sort -u)"
rates '.rates += [{vcpu_second_run: "0.003"}, {cpu_second_charged: "0.002"}]'
correct --closed "$closed,$one" --rates "$scratch/rates.json" -o "$two" "$fleet"
check 'another price, and an archive less' exits 0
check 'it is the new truth again' same <(replay "$two" "$closed" "$one" | jq -c "$columns" | sort) <(truth "$fleet" | jq -c "$columns" | sort)
check 'its cause' equal '1 archive missing, other rates' "$(head -n 1 "$two" | jq -r .cause)"
check 'amounts of all entries add up' equal "$(truth "$fleet" | total .amount)" "$(replay --entries "$closed" "$one" "$two" | total .amount)"
"$XENMETER" account replay -f csv -c amount -o "$scratch/amounts.csv" --entries "$closed" "$one" "$two"
check 'CSV has negative amounts as numbers' says "$scratch/amounts.csv" '^-[0-9.]*$'
"$XENMETER" account replay -f focus "$closed" "$one" "$two" >"$scratch/focus2.csv"
sqlite3 "$scratch/focus2.db" ".import --csv $scratch/focus2.csv focus"
check 'FOCUS marks them as corrections of the open month' equal '|2026-11-01T00:00:00Z Correction|2026-12-01T00:00:00Z' \
    "$(sqlite3 "$scratch/focus2.db" 'select distinct ChargeClass, BillingPeriodStart from focus order by 1' | paste -sd' ')"
check 'and has the same sum' equal "$(truth "$fleet" | total .amount)" "$(sqlite3 "$scratch/focus2.db" 'select BilledCost from focus' | paste -sd+ | bc | sed 's/^\./0./')"
check 'a correction that is missing' refuses 'are not all there' account replay "$closed" "$two"
check 'a correction twice' refuses 'are there twice' account replay "$closed" "$one" "$one"
check 'prices for a statement without prices' refuses 'the statement has no prices: no --rates' account correct --closed "$unpriced" --into 2026-12 --rates "$scratch/rates.json" -o "$scratch/x" "$fleet"
check 'the statement that is missing' refuses 'itself is not among these' account replay "$one" "$two"
check 'the statement twice' refuses 'two statements' account replay "$closed" "$closed"
check 'into the closed period' refuses 'does not begin after' account correct --closed "$closed" --into 2026-11-29 -o "$scratch/x" "$fleet"
check 'another currency' refuses 'has the currency and digits of the statement' account correct --closed "$closed" --into 2026-12 --rates <(jq '.currency = "USD"' "$scratch/rates.json") -o "$scratch/x" "$fleet"
check 'no closed file' refuses 'wants --closed' account correct --into 2026-12 -o "$scratch/x" "$fleet"
check 'no file is left' [ ! -e "$scratch/x" ]

finish
