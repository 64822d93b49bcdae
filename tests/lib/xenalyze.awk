# Every line of xenalyze --dump-all against the record of ours that it is about.
#
#     awk -v name=CAPTURE -v ours=FILE -v counts=FILE -f xenalyze.awk XENALYZE_OUTPUT
#
# `ours` is what xenmeter dump --tsc -f csv printed of the same capture. Our record is turned into the words that xenalyze
# has for it (the table in BEGIN) and has to be the same text, at the same tsc, on the same pCPU, of the same vCPU.
# Prints what is not; into `counts` go three numbers: checks passed, checks failed, lines of xenalyze compared.
#
# Looks at it pCPU by pCPU, so the order of records on a pCPU is compared as they come. A pair is what has the same tsc:
# where one side has a record too many, the rest is still compared. The order across pCPUs then follows from the tsc: it
# must never go back, neither along our lines nor along xenalyze's. What has the same tsc on two pCPUs may go either way.
#
# xenalyze has to be run with --cpu-hz 1G. It makes times from cycles with the whole part of (hz << 10) / 1e9, so that they
# are off by up to 0.04 % at 2.6 GHz; at 1 GHz nothing is cut off, and each nanosecond that it prints is a cycle.
#
# What xenalyze does not print is not looked at: the load in credit2_picked_cpu, slices that are not above 0. Where it
# believes that the clock of a pCPU is off ("TSC skew detected") it moves the times of that pCPU from there on, and the
# comparison fails; none of the captures makes it do that.

# ---- the words xenalyze has for our events ----

# {field} is a value as we print it, {field:kind} one that xenalyze writes in another way (see in_words),
# {field?yes:no} a choice by whether the value is above 0.
function says(event, template,    from, to) {
    first[event] = pieces + 1
    while ((from = index(template, "{")) > 0) {
        to = index(template, "}")
        before[++pieces] = substr(template, 1, from - 1)
        take_field(substr(template, from + 1, to - from - 1))
        template = substr(template, to + 1)
    }
    last[event] = pieces
    rest[event] = template
}

function take_field(text,    part) {
    if (index(text, "?") > 0) {
        split(text, part, /[?:]/)
        kind[pieces] = "?"
        yes[pieces] = part[2]
        no[pieces] = part[3]
    } else {
        split(text, part, ":")
        kind[pieces] = part[2]
    }
    field[pieces] = part[1]
}

BEGIN {
    # sched
    says("runstate_change", "runstate_change d{dom}v{vcpu} {old}->{new}")
    says("continue_running", "runstate_continue d{dom}v{vcpu} running->running")
    says("switch", "sched_switch prev d{prev_dom}v{prev_vcpu} next d{next_dom}v{next_vcpu}")
    says("switch_infprev", "sched_switch prev d{dom}v{vcpu}, run for {runtime_ns:us}")
    says("switch_infnext", "sched_switch next d{dom}v{vcpu}{waited_ns:waited}{slice_ns:slice}")
    says("switch_infcont", "sched_switch continue d{dom}v{vcpu}, run for {runtime_ns:us}{slice_ns:slice}")
    says("dom_add", "sched_init_domain d{dom}")
    says("dom_rem", "sched_destroy_domain d{dom}")
    says("adjdom", "sched_adjust d{dom}")
    says("sleep", "vcpu_sleep d{dom}v{vcpu}")
    says("wake", "vcpu_wake d{dom}v{vcpu}")
    says("block", "vcpu_block d{dom}v{vcpu}")

    says("credit_account_start", "csched:acct_start d{dom}v{vcpu}, active_vcpus {active_vcpus}")
    says("credit_account_stop", "csched:acct_stop d{dom}v{vcpu}, active_vcpus {active_vcpus}")
    says("credit_stolen_unit", "csched:stolen_vcpu d{dom}v{vcpu} from cpu {peer_cpu}")
    says("credit_picked_cpu", "csched:pick_cpu {cpu} for d{dom}v{vcpu}")
    says("credit_tickle", "csched:runq_tickle, cpu {cpu}")
    says("credit_boost_start", "csched: d{dom}v{vcpu} boosted")
    says("credit_boost_end", "csched: d{dom}v{vcpu} unboosted")
    says("credit_schedule", "csched:schedule cpu {cpu}{tasklet?, tasklet:}, {idle?idle:busy}")
    says("credit_ratelimit", "csched:ratelimit, d{dom}v{vcpu} run only {runtime_ns:us}")
    says("credit_steal_check", "csched:load_balance {checked?checking:skipping} {peer_cpu}")

    says("credit2_runq_pos", "csched2:runq_insert d{dom}v{vcpu}, position {pos}")
    says("credit2_credit_burn", "csched2:burn_credits d{dom}v{vcpu}, credit = {credit}{budget:budget}, delta = {delta}")
    says("credit2_tickle_check", "csched2:tickle_check d{dom}v{vcpu}, credit = {credit}, score = {score}")
    says("credit2_tickle", "csched2:runq_tickle cpu {cpu}")
    says("credit2_credit_reset",
         "csched2:reset_credits d{dom}v{vcpu}, credit_start = {credit_start}, credit_end = {credit_end}")
    says("credit2_update_load", "csched2:update_load")
    says("credit2_runq_assign", "csched2:runq_assign d{dom}v{vcpu} on rq# {runq}")
    says("credit2_update_unit_load", "csched2:update_vcpu_load d{dom}v{vcpu}, vcpu_load = {avgload:load}")
    says("credit2_update_runq_load", "csched2:update_rq_load rq# {runq}, load = {runq_load}, " \
         "avgload = {runq_avgload:load}, b_avgload = {b_avgload:load}")
    says("credit2_tickle_new", "csched2:runq_tickle_new d{dom}v{vcpu}, processor = {cpu}, credit = {credit}")
    says("credit2_runq_max_weight", "csched2:update_max_weight rq# {runq}, max_weight = {max_weight}")
    says("credit2_picked_cpu", "csched2:picked_cpu d{dom}v{vcpu}, rq# {runq}, cpu {cpu}")
    says("credit2_runq_candidate", "csched2:runq_candidate d{dom}v{vcpu}, credit = {credit}, {tickled_cpu:tickled}")
    says("credit2_schedule",
         "csched2:schedule cpu {cpu}, rq# {runq}{tasklet?, tasklet:}, {idle:idle}, {tickled?tickled:not tickled}")
    says("credit2_ratelimit", "csched2:ratelimit, d{dom}v{vcpu} run only {runtime_ns:us}")
    says("credit2_runq_cand_check", "csched2:runq_cand_check d{dom}v{vcpu}")

    # hvm; the captures come from AMD, for which xenalyze calls every vector of an INTR 0
    says("vmentry", "vmentry")
    says("vmx_exit", "vmexit exit_reason VMEXIT_{reason:upper} eip {rip:hex}")
    says("hvm_inj_exc", "inj_exc trap {vector:trap} ec {error_code:hex}")
    says("hvm_inj_virq", "inj_virq vec {vector}  {fake?fake:real}")
    says("hvm_cr_read", "cr_read64 [ {cr} {value:words} ]")
    says("hvm_cr_write", "cr_write cr{cr} val {value:hex}")
    says("hvm_msr_read", "msr_read addr {msr:hex} val {value:hex}")
    says("hvm_msr_write", "msr_write addr {msr:hex} val {value:hex}")
    says("hvm_cpuid", "cpuid [ {leaf:hex} {subleaf:hex} {eax:hex} {ebx:hex} {ecx:hex} {edx:hex} ]")
    says("hvm_intr", "intr vec 0")
    says("hvm_vmmcall", "vmcall {op:hypercall}")
    says("hvm_hlt", "hlt [ {runnable} ]")
    says("hvm_ioport_read", "io read port {addr:hex} val {data:hex}")
    says("hvm_ioport_write", "io write port {addr:hex} val {data:hex}")
    says("hvm_intr_window", "intr_window vec {vector} src {source:source} intr {current_intr:interrupt}")

    # mem
    says("grant_map", "grant-map domain {grantor}")
    says("grant_unmap", "grant-unmap domain {grantor}")
    says("set_p2m_entry", "set_p2m_entry d{dom} o{order} t {p2mt} g {gfn:hex} m {mfn:hex}")

    # pv
    says("hypercall_v2", "hypercall {op:hypercall}{op:arguments}")
    says("hypercall_subcall", " hypercall {op:hypercall}{op:arguments}")
    says("pv_emulate_privop", "emulate privop[ {rip:words} ]")
    says("pv_forced_invalid_op", "forced_invalid_op[ {rip:words} ]")
    says("pv_page_fault", "page_fault[ {rip:words} {addr:words} {error_code:hex} ]")
    says("pv_ptwr_emulation", "ptwr l1e {pte:hex} eip {rip:hex} addr {addr:hex}")
    says("pv_math_state_restore", "math state restore")

    # hw, gen
    says("irq_handled", "irq_handled irq {irq:irq} {tsc_in_lo:irq_times}")
    says("lost_records", "lost_records count {count} d{dom}v{vcpu} first_tsc {first_tsc}")

    # xenalyze has no line for these: it prints the one only when built to be more verbose, the other never.
    silent["cpu_change"] = silent["wrap_buffer"] = 1

    # Few different ones make up most of a trace: made once, then remembered.
    n = split("pv_emulate_privop hypercall_v2 hypercall_subcall runstate_change continue_running switch wake block " \
              "credit_schedule credit_steal_check credit2_schedule credit2_runq_cand_check hvm_ioport_read", list, " ")
    for (i = 1; i <= n; i++)
        repeats[list[i]] = 1

    # Hypercalls by number, xenalyze's name behind a "/" where it has another one.
    n = split("set_trap_table mmu_update set_gdt stack_switch set_callbacks fpu_taskswitch " \
              "sched_op_compat/sched_op(compat) platform_op set_debugreg get_debugreg update_descriptor - memory_op " \
              "multicall update_va_mapping set_timer_op event_channel_op_compat/evtchn_op(compat) xen_version console_io " \
              "physdev_op_compat/physdev_op(compat) grant_table_op vm_assist update_va_mapping_otherdomain iret vcpu_op " \
              "set_segment_base mmuext_op xsm_op/acm_op nmi_op sched_op callback_op xenoprof_op " \
              "event_channel_op/evtchn_op physdev_op hvm_op sysctl domctl kexec_op", list, " ")
    for (i = 1; i <= n; i++) {
        two = split(list[i], names, "/")
        hypercall[names[1]] = sprintf("%2x (%s)", i - 1, names[two])
    }

    n = split("none pic lapic nmi mce vector", list, " ")
    for (i = 1; i <= n; i++)
        source[list[i]] = i - 1
    trap["gp_fault"] = "GP" # the only one in the captures
}

# ---- our record in xenalyze's words ----

# V has the fields of the record: name, value, name, value, ... Where in it the value of `name` is; 0, where nothing is, if
# there is none. It is looked for at `guess` first. In the records of 32-bit code rip is called eip.
function find(name, guess,    i) {
    if (V[guess - 1] == name)
        return guess
    for (i = 2; i <= V_n; i += 2)
        if (V[i - 1] == name || (name == "rip" && V[i - 1] == "eip"))
            return i
    return 0
}

function value(name) { return V[find(name, 2)] }

function hex(text) { return substr(text, 3) } # without 0x

# A number of 64 bits as xenalyze prints words: the low one, the high one.
function words(text,    digits, low) {
    digits = length(text) - 2
    if (digits <= 8)
        return substr(text, 3) " 0"
    low = substr(text, digits - 5)
    sub(/^0+/, "", low)
    return (low == "" ? "0" : low) " " substr(text, 3, digits - 8)
}

# It prints the nanoseconds behind the point without leading zeros (%u.%uus): 105.76us are 105.076 us.
function us(ns) { return int(ns / 1000) "." ns % 1000 "us" }

function signed(word) { # 32 bits
    return sprintf("%.0f", word >= 2147483648 ? word - 4294967296 : word < -2147483648 ? word + 4294967296 : word)
}

function load(avgload, shift) { return sprintf("%4.3f%% (%.0f)", avgload * 100 / 2 ^ shift, avgload) }

function arguments(op,    count) {
    count = value("count")
    if (op == "mmu_update")
        return " " count " updates" (value("preempted") > 0 ? " (preempted)" : "")
    if (op == "mmuext_op") # xenalyze leaves the bit for "preempted" in the number
        return " " (value("preempted") > 0 ? signed(count + 2147483648) : count) " ops"
    if (op == "multicall")
        return " " count " calls"
    if (op == "grant_table_op")
        return " " value("cmd") " " value("count") " ops"
    if (op == "vcpu_op")
        return " " value("cmd") " vcpu " value("vcpu")
    if (op == "sched_op")
        return " " value("cmd")
    return ""
}

function times(from, to) { return signed(to - from) " (" from "," to ")" }

function in_words(kind, x) {
    if (kind == "words")     return words(x)
    if (kind == "hex")       return hex(x)
    if (kind == "us")        return us(x)
    if (kind == "load")      return load(x, value("shift"))
    if (kind == "waited")    return x != 0 ? ", was runnable for " us(x) : ""
    if (kind == "slice")     return x > 0 ? ", next slice " us(x) : ""
    if (kind == "budget")    return x != -2147483648 ? ", budget = " x : ""
    if (kind == "tickled")   return x < 0 ? "no cpu was tickled" : "cpu " x " was tickled"
    if (kind == "idle")      return x > 0 ? (value("smt_idle") > 0 ? "idle, SMT idle" : "idle, SMT busy") : "busy"
    if (kind == "hypercall") return hypercall[x]
    if (kind == "arguments") return arguments(x)
    if (kind == "upper")     return toupper(x)
    if (kind == "trap")      return trap[x]
    if (kind == "source")    return source[x] "(" x ")"
    if (kind == "interrupt") return x > 0 ? sprintf("%x", x) : "#"
    if (kind == "irq")       return sprintf("%x", x)
    if (kind == "irq_times") return times(signed(x), signed(value("tsc_out_lo")))
    return "?" kind
}

function as_xenalyze(event, fields,    text, i, x) {
    if (!(event in rest))
        return "(xenalyze.awk has no words for " event ")"
    V_n = split(fields, V, /[ =]/)
    for (i = first[event]; i <= last[event]; i++) {
        place[i] = find(field[i], place[i])
        x = V[place[i]]
        if (kind[i] == "?")
            x = x > 0 ? yes[i] : no[i]
        else if (kind[i] != "")
            x = in_words(kind[i], x)
        text = text before[i] x
    }
    return text rest[event]
}

# ---- our records, pCPU by pCPU ----

# Takes the line in F (split at commas) to be the next record of its pCPU.
function load_record(p,    key) {
    tsc[p] = F[1]
    event[p] = F[5]
    vcpu[p] = F[3] == "" ? "d?v?" : "d" F[3] "v" F[4]
    if (F[5] in repeats) {
        key = F[5] " " F[6]
        if (!(key in remembered))
            remembered[key] = as_xenalyze(F[5], F[6])
        text[p] = remembered[key]
    } else
        text[p] = as_xenalyze(F[5], F[6])
    loaded[p] = 1
}

# Reads our lines until a record of the pCPU is there. 0: there is none left.
function fetch(p,    line, i) {
    if (loaded[p])
        return 1
    if (queue_first[p] < queue_end[p]) {
        i = queue_first[p]++
        split(queue[p, i], F, ",")
        delete queue[p, i]
        load_record(p)
        return 1
    }
    while ((getline line < ours) > 0) {
        split(line, F, ",")
        if (F[1] < our_last_tsc)
            complain("order of ours", "goes back in time: " line)
        our_last_tsc = F[1]
        if (F[5] in silent)
            continue
        if (F[2] == p) {
            load_record(p)
            return 1
        }
        loaded[F[2]] += 0
        queue[F[2], queue_end[F[2]]++] = line
    }
    return 0
}

# ---- the comparison ----

BEGIN { getline header < ours }

function complain(check, example) {
    if (++complaints[check] <= 3)
        printf("      %s: %s: %s\n", name, check, example)
}

function only_ours(p) {
    complain("lines for " event[p], "xenalyze has none for tsc " tsc[p] " pcpu " p " \"" text[p] "\"")
    seen[event[p]] += 0
    loaded[p] = 0
}

# Takes a line apart: STAMP, PCPU, SHOWN (its vCPU) and SAID; or not, if it is about no record. A line is
#     one character, the time, a space, the pCPUs with an x for the one it is on, a space, the vCPU, a space, what it says
# where seconds have 3 digits at least. The time is blank at the time of the very first record, and a space too long.
function take_apart(    at, line, i) {
    at = 5
    if (substr($0, 5, 1) != ".")
        while (substr($0, at, 1) ~ /[0-9]/)
            at++
    if (substr($0, at, 1) == ".") {
        STAMP = substr($0, 2, at - 2) * 1000000000 + substr($0, at + 1, 9)
        line = substr($0, at + 11)
    } else if (substr($0, 1, 16) == "                " && $0 !~ /lost_records end/) {
        STAMP = 0
        line = substr($0, 17)
    } else
        return 0
    PCPU = index(line, "x") - 1
    i = index(line, " d")
    if (i && substr(line, i + 2, 1) ~ /[0-9?]/) {
        line = substr(line, i + 1)
        i = index(line, " ")
        SHOWN = substr(line, 1, i - 1)
        SAID = substr(line, i + 1)
    } else if ((i = index(line, " inj_exc ")) > 0) { # the one line without a vCPU
        SHOWN = ""
        SAID = substr(line, i + 1)
    } else
        return 0
    return 1
}

# Whether it is right that xenalyze shows another vCPU (SHOWN) than ours (vcpu[p]):
#  - d32768vP is its word for whoever was on pCPU P from the beginning. It ends with the record that takes him off, or
#    has him go on; that names him, and he must have been ours all the time.
#  - d?v? in the record that puts the next one on: the last one is off already. To us he stays until the next one is on.
#  - Lost records: xenalyze still shows who was there before them. The record names who is there behind them: ours.
#  - inj_exc shows none.
function explained(p,    word) {
    split(text[p], word, " ")
    if (event[p] == "lost_records")
        return vcpu[p] == word[4]
    if (SHOWN == "d32768v" p) {
        if (!(p in from_the_beginning))
            from_the_beginning[p] = vcpu[p]
        if (word[3] ~ /^running->/)
            return vcpu[p] == word[2] && vcpu[p] == from_the_beginning[p]
        return vcpu[p] == from_the_beginning[p] && !(p in switched)
    }
    if (SHOWN == "d?v?")
        return event[p] == "runstate_change" && word[3] ~ /->running$/ && vcpu[p] == taken_off[p]
    return event[p] == "hvm_inj_exc" && SHOWN == ""
}

# How long since the exit: the times of both are compared themselves. The vCPU that was current before records were lost:
# it is the one shown.
function without_extras(said) {
    sub(/^vmentry cycles.*/, "vmentry", said)
    sub(/ \(cur [^)]*\)/, "", said)
    return said
}

# Where xenalyze has our record in its order: lost records where the first one was lost, though it prints the time of the
# record that tells of them.
function place_tsc(p) {
    return event[p] == "lost_records" ? substr(text[p], index(text[p], "first_tsc ") + 10) + 0 : tsc[p] + 0
}

!take_apart() { next }

{
    compared++
    p = PCPU
    if (compared == 1 && fetch(p))
        begin_tsc = place_tsc(p) # what xenalyze counts from
    now = begin_tsc + STAMP

    while (fetch(p) && tsc[p] < now)
        only_ours(p)
    if (!loaded[p] || tsc[p] > now) {
        complain("lines of xenalyze", "ours has no record for tsc " sprintf("%.0f", now) " pcpu " p " \"" SAID "\"")
        next
    }

    seen[event[p]]++
    if (text[p] != SAID && text[p] != without_extras(SAID))
        complain("values of " event[p], "tsc " tsc[p] " pcpu " p " ours \"" text[p] "\" xenalyze \"" SAID "\"")
    if (vcpu[p] != SHOWN && !explained(p))
        complain("vCPU", "tsc " tsc[p] " pcpu " p " ours " vcpu[p] " xenalyze " SHOWN " \"" SAID "\"")
    if (SHOWN != "d32768v" p)
        switched[p] = 1
    if (event[p] == "runstate_change") {
        split(SAID, word, " ")
        taken_off[p] = word[3] ~ /^running->/ ? word[2] : ""
    }

    here = place_tsc(p)
    if (here < last_place)
        complain("order of xenalyze", sprintf("tsc %.0f after %.0f", here, last_place) " \"" SAID "\"")
    last_place = here
    loaded[p] = 0
}

function verdict(check) {
    if (check in complaints) {
        bad++
        if (complaints[check] > 3)
            printf("      %s: %s: %d in all\n", name, check, complaints[check])
    } else
        good++
}

END {
    fetch("none") # the rest of our lines
    for (p in loaded)
        while (fetch(p))
            only_ours(p)
    if (!compared)
        complain("lines of xenalyze", "there are none")
    for (e in seen) {
        verdict("lines for " e)
        verdict("values of " e)
    }
    verdict("lines of xenalyze")
    verdict("order of ours")
    verdict("order of xenalyze")
    verdict("vCPU")
    print good + 0, bad + 0, compared + 0 > counts
}
