# How far charges are off: of a JSON document of `xenmeter charge`, beside the truth of the simulation (--slurpfile truth). For each
# driver domain that did something, as CSV: its id, how long it ran (% of one pCPU), the points of its time that are with the
# wrong one, the most that is certain for a guest beyond what is true (points), and the verdict. Guests of one id count as one.
def sums(key; amount): group_by(key) | map({ key: (.[0] | key | tostring), value: (map(amount) | add) }) | from_entries;
def abs: if . < 0 then -. else . end;
$truth[0] as $true
| .quality.verdict as $verdict
| [.reports[0].intervals[].idds[]] as $idds
| $true.own[] | .driver_domain as $d
| (([$true.charged[] | select(.driver_domain == $d)] | sums(.domain; .cpu_ns)) + { own: .cpu_ns }) as $spent
| ($spent | add) as $ran
| select($ran * 1000 > $true.duration_ns)
| [$idds[] | select(.domain == $d)] as $found
| (([$found[].guests[]] | sums(.domain; .charged_ns)) + { own: ([$found[].own_ns] | add // 0) }) as $charged
| ([$found[].guests[]] | sums(.domain; .certain_ns)) as $certain
| ([$found[].unattributed_ns] | add // 0) as $unattributed
| (($spent + $charged | keys) | map((($spent[.] // 0) - ($charged[.] // 0)) | abs) | add) as $differences
| ($ran - ($charged | add) - $unattributed) as $missing # it was no driver domain for so long
| [$d, (100 * $ran / $true.duration_ns),
   (50 * ($differences + $unattributed + ($missing | abs)) / $ran),
   (100 * ([0, ($certain | to_entries[] | .value - ($spent[.key] // 0))] | max) / $ran)]
| map(. * 100 | round / 100) + [$verdict] | map(tostring) | join(",")
