# Adds up a report in CSV (one --by, several granularities) and says where it does not add up.
#
#     awk -v by=vcpu -v churn=0 -v sums=FILE -f invariants.awk report.csv
#
#   1. the states of a vCPU (domain: of all its vCPUs) add up to the length of the interval
#   2. running + idle + unknown of a pCPU is the length of the interval
#   3. every coarser interval is the sum of the finer ones, in every column that adds; if it has more time before its subject
#      was seen, in every count, and its time but for that is theirs but for that
#
# churn=1: domains come and go, so that the first and the last interval of one may be covered in part. Integers in awk are exact up to 2^53 ns, 104 days.
# `sums` receives "granularity start domain life state..." in order to compare one --by with another.

BEGIN {
    FS = ","
    states_n = split("running_ns runnable_ns blocked_ns offline_ns unknown_ns", states, " ")
    adding = "running_ns runnable_ns wake_wait_ns preempt_wait_ns blocked_ns offline_ns unknown_ns idle_ns " \
             "executions wakes blocks yields preemptions migrations"
    if (by == "domain")
        adding = adding " full_run_ns full_contention_ns concurrency_hazard_ns partial_run_ns " \
                 "partial_contention_ns domain_blocked_ns domain_unknown_ns"
    adding_n = split(adding, added, " ")
}

function complain(what) {
    if (++bad <= 5)
        print "      " by ": " what
}

NR == 1 {
    for (i = 1; i <= NF; i++)
        at[$i] = i
    for (i = 1; i <= adding_n; i++)
        column[i] = at[added[i]]
    for (i = 1; i <= states_n; i++)
        state[i] = at[states[i]]
    keys_n = split("domain life vcpu pcpu", names, " ")
    for (i = 1; i <= keys_n; i++)
        key_column[i] = (names[i] in at) ? at[names[i]] : 0
    fields = NF
    next
}

{
    if (NF != fields)
        complain("line " NR " has " NF " fields instead of " fields)
    g = $at["granularity_ns"]
    start = $at["start_ns"]
    length_ns = $at["end_ns"] - start
    key = ""
    for (i = 1; i <= keys_n; i++)
        key = key (key_column[i] ? $key_column[i] : "") "."

    rows++
    cell = g " " start " " key
    if (by == "pcpu")
        sum = $at["running_ns"] + $at["idle_ns"] + $at["unknown_ns"]
    else {
        sum = 0
        for (i = 1; i <= states_n; i++)
            sum += $state[i]
    }
    if (cell in total)
        complain("interval twice: " cell)
    for (i = 1; i <= states_n; i++)
        if ($state[i] + 0 < 0)
            complain(states[i] " is negative: " cell)
    total[cell] = sum
    before[cell] = $at["before_seen_ns"]
    ends[cell] = length_ns
    if (by == "domain")
        vcpus[cell] += $at["vcpus"]
    part = g " " key
    if (!(part in first) || start + 0 < first[part])
        first[part] = start + 0
    if (!(part in last) || start + 0 > last[part])
        last[part] = start + 0

    # into the next coarser interval, and as what the finer ones must give
    if (!(g in coarser))
        find_coarser()
    if (coarser[g] != "") {
        c = coarser[g]
        into = c " " (c == 0 ? 0 : sprintf("%.0f", start - start % c)) " " key
        finer_seen[into] += sum - $at["before_seen_ns"]
        finer_before[into] += $at["before_seen_ns"]
        for (i = 1; i <= adding_n; i++)
            if ((value = $column[i]) != 0)
                from_finer[into, i] += value
    }
    if (g != finest)
        for (i = 1; i <= adding_n; i++)
            if ((value = $column[i]) != 0)
                own[cell, i] += value
    if (g >= 100000000 || g == 0) {
        if (by == "pcpu")
            host[g " " start] += $at["running_ns"]
        else {
            who = g " " start " " $at["domain"] " " $at["life"]
            host[g " " start] += $at["running_ns"]
            seen[who]
            for (i = 1; i <= states_n; i++)
                domain_sum[who, i] += $state[i]
        }
    }
}

# `lengths` (-v) names the granularities asked for, from fine to coarse, 0 for the whole trace.
function find_coarser(    list, n, k) {
    n = split(lengths, list, " ")
    finest = list[1]
    for (k = 1; k <= n; k++)
        coarser[list[k]] = k < n ? list[k + 1] : ""
}

END {
    for (cell in total) {
        split(cell, word, " ")
        part = word[1] " " word[3]
        want = ends[cell] * (by == "domain" ? vcpus[cell] : 1)
        edge = word[2] + 0 == first[part] || word[2] + 0 == last[part]
        if (by == "domain-pcpu")
            continue # compared with the rows of the domain
        if (total[cell] == want)
            exact++
        else if (!(churn && edge && total[cell] < want && by != "pcpu"))
            complain("adds up to " sprintf("%.0f", total[cell]) " of " sprintf("%.0f", want) " ns: " cell)
        else
            partial++
    }
    for (k in own) {
        split(k, word, SUBSEP)
        if (before[word[1]] > finer_before[word[1]] && added[word[2]] ~ /_ns$/)
            later++ # some of the finer ones were handed out before it was seen
        else if (own[k] != from_finer[k])
            complain(sprintf("%.0f instead of %.0f in the finer intervals: ", own[k], from_finer[k]) k)
    }
    for (cell in finer_seen)
        if (total[cell] - before[cell] != finer_seen[cell])
            complain(sprintf("%.0f instead of %.0f in the finer intervals after it was seen: ", total[cell] - before[cell], finer_seen[cell]) cell)
    for (k in from_finer)
        if (!(k in own) && from_finer[k] != 0)
            complain("only in the finer intervals: " k)
    for (who in seen) {
        line = who
        for (i = 1; i <= states_n; i++)
            line = line sprintf(" %.0f", domain_sum[who, i])
        print line > (sums ".states")
    }
    for (k in host)
        printf "%s %.0f\n", k, host[k] > (sums ".running")
    if (!rows)
        complain("no rows")
    exit bad > 0
}
