# shellcheck shell=bash disable=SC2034
# Archives of simulated hosts, for the tests of accounts: their traces, and facts about who their domains are.

web=11111111-2222-4333-8444-555555555555
base=$((1 << 44)) # the first time stamp of simulated hosts; they count 2.4 a ns here

# FILE SECONDS DOMAIN...: a host with driver domain 0 and these guests, who are clients' servers. LOST=N: this share of its records is lost.
host_trace() {
    local file=$1 seconds=$2
    shift 2
    jq -n --argjson s "$seconds" --argjson lost "${LOST:-0}" '{duration_s: $s, host: {scheduler: "credit2", pcpus: 2},
        trace: ({sweep_ms: 200} + if $lost > 0 then {lost: $lost} else {} end),
        domains: ([{id: 0, name: "dom0", driver_domain: {}}] + [$ARGS.positional[] | tonumber |
            {id: ., name: "d\(.)", loads: [{type: "web", clients: 1, think_ms: (200 * .), file_bytes: 3000}]}])}' \
        --args "$@" | "$XENMETER" simulate -q -o "$file" -
}
# FILE BOOT UTC [ID UUID NAME]...: facts about a host that began at that time.
facts() {
    local file=$1 boot=$2 utc
    utc=$(date -u -d "$3" +%s)000000000
    shift 3
    {
        printf '{"boot":{"tsc":%d,"utc_ns":%d,"boot_id":"%s","host":"h"}}\n' "$base" "$utc" "$boot"
        printf '{"clock":{"tsc":%d,"utc_ns":%d,"monotonic_ns":0,"error_ns":0}}\n' "$base" "$utc"
        printf '{"clock":{"tsc":%d,"utc_ns":%d,"monotonic_ns":1000000000000,"error_ns":0}}\n' $((base + 2400000000000)) $((utc + 1000000000000))
        while [ $# -gt 0 ]; do
            printf '{"domain":{"tsc":%d,"domain":%d,"uuid":"%s","name":"%s","vcpus":1}}\n' "$base" "$1" "$2" "$3"
            shift 3
        done
    } >"$file"
}
boot() { printf '%08d-0000-4000-8000-000000000000' "$1"; }
# ARCHIVE HOST TRACE FACTS [OPTION]...
archive() { "$XENMETER" archive create -q --cpu-hz 2.4G --host "$2" --host-facts "$4" "${@:5}" -o "$1" "$3"; }
