# Makes xenmeter-events(7) of the tables that the program is made of:
#
#     awk -f man/events.awk parser/decode/events.def parser/decode/hypercalls.def parser/decode/names.def > man/xenmeter-events.7
#
# The tables have the events with their layouts, the names of values, and comments about them. This file has what holds
# for all of them: the beginning of the page. Any awk will do.
#
# A comment alone in its lines belongs to the row behind it, one in the line of a row to that row, and "---- TITLE ----"
# begins a section. The comment that begins a file is about its form, and not for readers of the page.

# ---- numbers ----

function number(text,    value, i)
{
    if (text !~ /^0x/)
        return text + 0
    for (i = 3; i <= length(text); i++)
        value = value * 16 + index("0123456789abcdef", substr(text, i, 1)) - 1
    return value
}

# ---- text for mdoc ----

# Running text: a sentence begins a line, and a minus is no hyphen.
function prose(text,    done)
{
    while (match(text, / -[0-9]/))
        text = substr(text, 1, RSTART) "\\-" substr(text, RSTART + 2)
    while (match(text, /[.] [A-Z]/)) {
        done = done substr(text, 1, RSTART) "\n"
        text = substr(text, RSTART + 2)
    }
    return done text
}

# Paragraphs of a comment, with the words of the page for those of the tables.
function print_comment(text,    list, n, i)
{
    gsub(/the dv word/, "the word {dom vcpu}", text)
    gsub(/ \([a-z]+\.def\)/, "", text)
    n = split(text, list, "\n")
    for (i = 1; i <= n; i++) {
        if (i > 1)
            print ".Pp"
        print prose(list[i])
    }
}

# A title as a sentence.
function sentence(text)
{
    if (text !~ /^[a-z][0-9]/) # x86
        text = toupper(substr(text, 1, 1)) substr(text, 2)
    return text "."
}

# "a", "a and b", "a, b and c".
function enumeration(words, separator,    list, n, i, text)
{
    n = split(words, list, separator)
    for (i = 1; i <= n; i++)
        text = text (i == 1 ? "" : i == n ? " and " : ", ") list[i]
    return text
}

function padded(text, width) { return sprintf("%-" width "s", text) }

# ---- reading ----

FNR == 1 {
    section = 0
    comment_is_head = 1
}
in_comment || /^[ ]*\/\*/ {
    in_comment = $0 !~ /\*\/[ ]*$/
    sub(/[ ]*\*\/[ ]*$/, "")
    sub(/^[ ]*\/?\*?[ ]*/, "")
    comment = comment (comment == "" || $0 == "" || comment ~ /\n$/ ? "" : " ") ($0 == "" ? "\n" : $0)
    if (!in_comment) {
        if (!comment_is_head)
            take_comment(comment)
        comment = ""
        comment_is_head = 0
    }
    next
}
/^$/ { gap = 1 }
/^(#.*)?$/ { next }
{
    if (match($0, /[ ]*\/\*.*\*\/[ ]*$/)) {
        remark = substr($0, RSTART, RLENGTH)
        $0 = substr($0, 1, RSTART - 1)
        gsub(/^[ ]*\/\*[ ]*|[ ]*\*\/[ ]*$/, "", remark)
    }
    sub(/^[ ]+/, "")
    row = row (row == "" ? "" : " ") $0
    if (gsub(/\(/, "(", row) == gsub(/\)/, ")", row)) { # complete
        take_row(row)
        row = pending = remark = ""
        gap = 0
    }
}

function take_comment(text,    title, at)
{
    gsub(/^\n+|\n+$/, "", text)
    gsub(/\n+/, "\n", text)
    if (text !~ /^----/) {
        pending = pending (pending == "" ? "" : "\n") text
        return
    }
    sub(/^----[ ]*/, "", text)
    at = match(text, /[ ]*----\n?/)
    title = substr(text, 1, at - 1)
    text = substr(text, at + RLENGTH)
    if (match(title, /[.] /)) { # and a sentence on the line of the title
        text = substr(title, RSTART + 2) (text == "" ? "" : "\n" text)
        title = substr(title, 1, RSTART - 1)
    }
    sub(/[.]$/, "", title)
    section = ++sections
    section_title[section] = title
    section_text[section] = text
}

function take_row(text,    inside, part)
{
    inside = text
    sub(/^[A-Z_]+\(/, "", inside)
    sub(/\)$/, "", inside)
    split(inside, part, /,[ ]*/)
    if (text ~ /^EVENT\(/)
        take_event(inside, part)
    else if (text ~ /^EVENT_ALIAS\(/)
        alias[part[1]] = alias[part[1]] ", " part[2] " in " unquoted(part[4])
    else if (text ~ /^EVENT_OLD\(/)
        alias[part[1]] = alias[part[1]] ", " id_of[part[2]] " with " part[3] (part[3] == 1 ? " word" : " words") \
            " in " unquoted(part[5])
    else if (text ~ /^HYPERCALL\(/)
        take_hypercall(inside, part[1])
    else if (text ~ /^NAME\(/)
        take_name(tolower(part[1]), part[2], unquoted(part[3]))
}

function unquoted(text)
{
    gsub(/"/, "", text)
    return text
}

function take_event(text, part,    e, n, quoted)
{
    e = ++events
    event_slot[e] = part[1]
    event_section[e] = section
    event_id[e] = id_of[part[1]] = part[2]
    event_variants[e] = number(part[3])
    event_name[e] = unquoted(part[5])
    event_tsc[e] = substr(part[6], 2, 1)
    event_comment[e] = pending
    while (match(text, /L\([0-9]+, "[^"]*", "[^"]*"\)/)) {
        split(substr(text, RSTART, RLENGTH), quoted, "\"")
        text = substr(text, RSTART + RLENGTH)
        n = ++layouts[e]
        layout_fields[e, n] = quoted[2]
        layout_since[e, n] = quoted[4]
        note_tables(quoted[2], event_name[e])
    }
}

# "cmd=grant_table_op - count!" is printed as grant_table_op(cmd, -, count).
function take_hypercall(text, value,    quoted, name, list, n, i, part, arguments)
{
    split(text, quoted, "\"")
    name = quoted[2]
    n = split(quoted[4], list, " ")
    for (i = 1; i <= n; i++) {
        sub(/!/, "", list[i])
        if (split(list[i], part, "=") == 2)
            note_user(part[2], part[1], "the hypercall " name)
        arguments = arguments (i == 1 ? "" : ", ") part[1]
    }
    take_name("hypercall", value, n > 0 ? name "(" arguments ")" : name)
    if (remark != "")
        remarks["hypercall"] = remarks["hypercall"] name " " remark ".\n"
}

function take_name(table, value, word,    n)
{
    if (!(table in names)) {
        tables[++tables_n] = table
        table_section[table] = section
        tables_of[section]++
        table_comment[table] = pending
        pending = ""
    }
    n = ++names[table]
    name_value[table, n] = value
    name_word[table, n] = word
    name_comment[table, n] = pending
    name_begins[table, n] = n == 1 || gap || pending != ""
    if (remark != "" && table != "hypercall")
        remarks[table] = remarks[table] word ": " remark ".\n"
}

# ---- where names of values are used ----

function note_tables(fields, event,    list, n, i, part)
{
    gsub(/[{}*]/, "", fields)
    n = split(fields, list, " ")
    for (i = 1; i <= n; i++)
        if (split(list[i], part, /[:=]/) == 3)
            note_user(part[3], part[1], event)
}

function note_user(table, field, user)
{
    if (users[table, field] == "")
        fields_of[table] = fields_of[table] " " field
    if (index(";" users[table, field] ";", ";" user ";") == 0)
        users[table, field] = users[table, field] (users[table, field] == "" ? "" : ";") user
}

# "Values of vector in hvm_inj_exc and hvm_trap, of trap in pv_trap."
function users_text(table,    field, fields, n, i, k, text)
{
    n = split(fields_of[table], field, " ")
    for (i = 1; i <= n; i++) {
        if (field[i] == "")
            continue
        fields = field[i]
        for (k = i + 1; k <= n; k++)
            if (users[table, field[k]] == users[table, field[i]]) {
                fields = fields " " field[k]
                field[k] = ""
            }
        text = text (text == "" ? "Values of " : ", of ") enumeration(fields, " ") " in " \
            enumeration(users[table, field[i]], ";")
    }
    return text "."
}

# ---- events ----

# Fields as the page has them: without the type that most have.
function fields_text(fields,    list, n, i, text)
{
    gsub(/[*]/, " ...", fields)
    n = split(fields, list, " ")
    for (i = 1; i <= n; i++) {
        sub(/^dv$/, "{dom vcpu}", list[i])
        sub(/:u32$/, "", list[i])
        text = text (i == 1 ? "" : " ") list[i]
    }
    return text == "" ? "no fields" : text
}

# ", +0x100, +0x400": bits of the number that are data; many of them as one.
function variants_text(variants,    bit, n, text)
{
    for (bit = 1; bit <= variants; bit *= 2)
        if (int(variants / bit) % 2) {
            text = text sprintf(", +0x%x", bit)
            n++
        }
    return n <= 2 ? text : sprintf(", +0x%x", variants)
}

function same_since(e,    i)
{
    for (i = 2; i <= layouts[e]; i++)
        if (layout_since[e, i] != layout_since[e, 1])
            return 0
    return 1
}

# The line of its name.
function head_text(e, tsc,    text)
{
    text = event_id[e] variants_text(event_variants[e])
    if (event_slot[e] in alias)
        text = text " (" substr(alias[event_slot[e]], 3) ")"
    if (!layouts[e])
        return text "; reserved, nobody writes it"
    if (same_since(e) && layout_since[e, 1] != "")
        text = text "; " layout_since[e, 1]
    if (event_tsc[e] != tsc)
        text = text (event_tsc[e] == "-" ? "; no tsc" : event_tsc[e] == "T" ? "; tsc" : "; not always a tsc")
    return text (layouts[e] == 1 && layout_fields[e, 1] == "" ? "; no fields" : "")
}

function print_event(e, tsc,    i, same)
{
    print ".It Ic " event_name[e] " No \"\\ " head_text(e, tsc) "\""
    same = same_since(e)
    if (layouts[e] > 1)
        print same ? ".Bl -dash -compact" : ".Bl -tag -width 8n -compact"
    else if (layout_fields[e, 1] != "")
        print ".Bl -item -compact"
    for (i = 1; i <= layouts[e]; i++) {
        if (layouts[e] > 1 || layout_fields[e, 1] != "")
            print ".It" (same ? "" : " " (layout_since[e, i] == "" ? "any" : layout_since[e, i])) "\n" \
                fields_text(layout_fields[e, i])
    }
    if (layouts[e] > 1 || layout_fields[e, 1] != "")
        print ".El"
    print_comment(event_comment[e])
}

# The event masks of a section.
function masks_text(s,    e, id, mask, masks)
{
    for (e = 1; e <= events; e++) {
        id = number(event_id[e])
        mask = sprintf("0x%x", id - id % 4096)
        if (event_section[e] == s && index(" " masks " ", " " mask " ") == 0)
            masks = masks (masks == "" ? "" : " ") mask
    }
    return (masks ~ / / ? "Masks " : "Mask ") enumeration(masks, " ")
}

# What most events of a section have for a tsc: 'T' or '-'.
function tsc_of_most(s,    e, n)
{
    for (e = 1; e <= events; e++)
        if (event_section[e] == s)
            n += event_tsc[e] == "-" ? -1 : 1
    return n < 0 ? "-" : "T"
}

function print_section(s,    e, tsc)
{
    tsc = tsc_of_most(s)
    print ".Ss " section_title[s]
    print masks_text(s) (tsc == "T" || section_text[s] ~ / tsc / ? "." : "; no tsc.")
    print_comment(section_text[s])
    print ".Bl -tag -width 4n -compact"
    for (e = 1; e <= events; e++)
        if (event_section[e] == s)
            print_event(e, tsc)
    print ".El"
}

# ---- names of values ----

# How many names from the nth on are of one kind, as cr0_read, cr1_read, ... are.
function run_length(table, n,    word, digits, before, behind, k)
{
    word = name_word[table, n]
    if (!match(word, /[0-9]+/))
        return 1
    digits = substr(word, RSTART, RLENGTH)
    before = substr(word, 1, RSTART - 1)
    behind = substr(word, RSTART + RLENGTH)
    for (k = 1; n + k <= names[table] && !name_begins[table, n + k]; k++)
        if (name_word[table, n + k] != before (digits + k) behind ||
            number(name_value[table, n + k]) != number(name_value[table, n]) + k)
            break
    return k
}

# Cells in as many columns as fit, to be read downwards.
function print_grid(cell, n,    width, i, columns, rows, row_number, line)
{
    for (i = 1; i <= n; i++)
        if (length(cell[i]) + 2 > width)
            width = length(cell[i]) + 2
    columns = int((PAGE_WIDTH + 2) / width)
    rows = columns ? int((n + columns - 1) / columns) : n
    for (row_number = 1; row_number <= rows; row_number++) {
        line = ""
        for (i = row_number; i <= n; i += rows)
            line = line padded(cell[i], width)
        sub(/[ ]+$/, "", line)
        print line
    }
}

# The names from the nth on, up to a comment or a gap; returns the one behind.
function print_names(table, n,    cell, cells, i, k, end, width, run, value)
{
    for (end = n + 1; end <= names[table] && !name_begins[table, end];)
        end++
    for (i = n; i < end; i++)
        if (length(name_value[table, i]) > width && length(name_value[table, i]) <= 6)
            width = length(name_value[table, i])
    if (n > 1 && name_comment[table, n] != "")
        print ".Pp"
    print_comment(name_comment[table, n])
    print ".Bd -literal"
    for (i = n; i < end; i += run) {
        run = run_length(table, i)
        if (run >= RUN_LEAST) {
            print name_value[table, i] "-" name_value[table, i + run - 1] " " name_word[table, i] " to " \
                name_word[table, i + run - 1]
            continue
        }
        for (k = i; k < i + run; k++) {
            value = name_value[table, k]
            value = value ~ /^0x/ ? padded(value, width) : sprintf("%" width "s", value)
            cell[++cells] = value " " name_word[table, k]
        }
    }
    if (cells > 0)
        print_grid(cell, cells)
    print ".Ed"
    return end
}

function print_table(table,    s, n)
{
    s = table_section[table]
    print ".Ss " table
    if (s && tables_of[s] == 1)
        print sentence(section_title[s])
    print users_text(table)
    if (s && tables_of[s] == 1)
        print_comment(section_text[s])
    print_comment(table_comment[table])
    if (table == "hypercall")
        print_arguments()
    for (n = 1; n <= names[table];)
        n = print_names(table, n)
    if (remarks[table] != "")
        printf ".Pp\n%s", remarks[table]
}

# ---- the page ----

END {
    PAGE_WIDTH = 72 # columns of text on a terminal of 80
    RUN_LEAST = 4
    print_beginning()
    print ".Sh EVENTS"
    for (each = 1; each <= event_section[events]; each++)
        print_section(each)
    print ".Sh VALUES"
    print "A value without a name is printed as a number."
    print "In the tables where only the lower bits have one, others that are set follow it:"
    print ".Li invalid_guest_state|0x80000000 ."
    for (each = 1; each <= tables_n; each++)
        print_table(tables[each])
    print_end()
}

function print_beginning()
{
    print ".\\\" Made by man/events.awk of the tables in parser/: change those."
    print ".Dd November 28, 2026"
    print ".Dt XENMETER-EVENTS 7"
    print ".Os"
    print ".Sh NAME"
    print ".Nm xenmeter-events"
    print ".Nd the records of a Xen trace, event by event"
    print ".Sh DESCRIPTION"
    print "A capture of"
    print ".Xr xentrace 8"
    print "consists of records."
    print "Each has the number of an"
    print ".Em event ,"
    print "most have a time stamp, and up to seven words of 32 bits follow."
    print "This page lists the events of Xen 3.2 to 4.22 on x86 and ARM, what their words mean, and the names of values, as"
    print ".Xr xenmeter-dump 1"
    print "prints them."
    print "Names are those of Xen's public/trace.h in lower case; some were cut short or made alike."
    print "Words in capitals are Xen's own."
    print ".Ss Numbers"
    print "Of the 28 bits of a number, bits 16 to 27 are the class: one of them is set."
    print "Bits 12 to 15 are the subclass, and the rest distinguishes the events in it."
    print "The mask of"
    print ".Ql xentrace -e"
    print "and of"
    print ".Ql xenmeter dump -e"
    print "is made alike: it takes an event if it has the bit of its class, and a bit of its subclass."
    print "Below, each section says which mask takes its events."
    print "Those of whole classes are:"
    print ".Bl -column \"dom0op\" \"0x800f000\" \"records that guests write themselves\" -offset indent"
    print ".It Em class Ta Em mask Ta Em what about"
    print ".It gen Ta 0x1f000 Ta the trace itself"
    print ".It sched Ta 0x2f000 Ta runstates, switches, what schedulers do"
    print ".It dom0op Ta 0x4f000 Ta domains made and destroyed"
    print ".It hvm Ta 0x8f000 Ta exits of HVM and PVH guests, and why"
    print ".It mem Ta 0x10f000 Ta grants, memory of guests"
    print ".It pv Ta 0x20f000 Ta hypercalls and traps of PV guests"
    print ".It shadow Ta 0x40f000 Ta shadow page tables"
    print ".It hw Ta 0x80f000 Ta power, interrupts"
    print ".It guest Ta 0x800f000 Ta what guests write themselves"
    print ".El"
    print ".Pp"
    print "Some numbers have bits for data."
    print "Behind a number,"
    print ".Ql +0x100"
    print "says that this bit can be set as well:"
    print ".Bl -tag -width \"+0x100, +0x200\" -compact -offset indent"
    print ".It +0x100"
    print "addresses and values have 64 bits, not 32"
    print ".It +0x100, +0x200"
    print "levels of the guest's page tables, less 2"
    print ".It +0x400"
    print "of a nested guest"
    print ".It +0xff0, +0xfff"
    print "all these bits; see the field that has them"
    print ".El"
    print ".Pp"
    print "A number in parentheses is that of the same event in the versions named."
    print ".Pp"
    print "Xen writes lost_records and wrap_buffer, and"
    print ".Xr xentrace 8"
    print "writes cpu_change, whatever the mask."
    print ".Ss Time stamps"
    print "A record has a time stamp, the tsc of its pCPU."
    print ".Dq \\&No tsc"
    print "says of a section, or an event, that its records have none, and"
    print ".Dq tsc"
    print "of an event that its records do have one, other than those of its section."
    print ".Dq Not always a tsc :"
    print "some versions of Xen write it with one, some without."
    print "A record without one is printed with the time of the record before it on its pCPU."
    print ".Ss Fields"
    print "The words of a record are its fields, in this order."
    print ".Bl -tag -width \"{op:u20 argmask:hex12}\" -compact"
    print ".It name"
    print "An unsigned number of one word."
    print ".It name:i32"
    print "One with a sign."
    print ".It name:hex32"
    print "One that is printed in hexadecimal."
    print ".It name:u64 , name:hex64"
    print "A number of two words, the low one first."
    print ".It {cpu:u16 idle:u8}"
    print "Parts of one word, from the lowest bit up."
    print "Bits left over mean nothing."
    print ".It {dom vcpu}"
    print "A vCPU in one word: its number in the lower 16 bits, its domain in the upper ones."
    print ".It name:u4@8"
    print "No word, but these bits of the event number, from bit 8 up;"
    print ".Ql +2"
    print "behind it: and 2 more than they say."
    print ".It name:flag@10"
    print "That bit of the event number; printed only when it is set."
    print ".It name:u32=trap"
    print "The value has a name, which is printed instead; see"
    print ".Sx VALUES ."
    print ".It pad"
    print "A word that means nothing, and is not printed."
    print ".It name:hex32 ..."
    print "All words that are left, separated by commas."
    print ".It arguments ..."
    print "Arguments of a hypercall; see"
    print ".Sx hypercall"
    print "below."
    print ".El"
    print ".Pp"
    print "The unit is in the name:"
    print ".Li _ns , _us , _mhz ."
    print "Xen cuts times in ns off to fit into one word: such a field begins again after 4.29 s."
    print ".Pp"
    print ".Li dom , vcpu ,"
    print "and whatever ends with"
    print ".Li _dom"
    print "or"
    print ".Li _vcpu ,"
    print "and"
    print ".Li grantor"
    print "name domains and vCPUs; these are what"
    print ".Fl -domains"
    print "and"
    print ".Fl -vcpus"
    print "of"
    print ".Xr xenmeter-dump 1"
    print "look at beside the one that is current."
    print ".Ss Versions and layouts"
    print ".Ql 4.8+"
    print "is Xen 4.8 and later,"
    print ".Ql <=4.17"
    print "up to 4.17."
    print "Where no version is named, all have it, or it is not known which."
    print ".Pp"
    print "No record names the version that wrote it."
    print "Where an event has more than one layout, the number of words decides which it is."
    print "Some numbers belonged to two events, in different versions of Xen."
    print "There, too, the number of words decides; see the sections on schedulers and on interrupts."
    print "The older event is taken only if most records of the trace are of Xen 4.2 or older."
    print "Three kinds have the same number of words in two layouts:"
    print ".Bl -bullet -compact"
    print ".It"
    print "decrease_reservation and pod_populate and the like: the newer layout is taken, unless the numbers would make no sense"
    print "for it;"
    print ".It"
    print "hvm_ioport_read and the like: bit 0x100 of the number decides;"
    print ".It"
    print "vmx_exit: all reasons are SVM's as soon as one is seen that only SVM has."
    print ".El"
    print ".Pp"
    print "A record that fits no layout is printed with one field,"
    print ".Li words ,"
    print "in hexadecimal; one of any other number as the event"
    print ".Ic unrecognised"
    print "with the fields"
    print ".Li id"
    print "and"
    print ".Li words ."
}

function print_arguments()
{
    print "Arguments with a name are in parentheses;"
    print ".Ql -"
    print "is one without, which is printed as"
    print ".Li arg0 , arg1"
    print "and so on, in hexadecimal."
    print "Xen records few of them: in"
    print ".Ic hypercall_v2"
    print "and"
    print ".Ic hypercall_subcall"
    print "both of grant_table_op and of vcpu_op, cmd of sched_op, count of mmu_update, of mmuext_op and of multicall."
    print "When mmu_update or mmuext_op is taken up again after it was preempted,"
    print ".Li preempted=1"
    print "follows its count."
}

function print_own()
{
    print ".Sh YOUR OWN EVENTS"
    print "A hypervisor that was changed, or a guest, may write records with numbers that are not above."
    print "They are shown as"
    print ".Ic unrecognised ,"
    print "unless the option"
    print ".Fl -events-file"
    print "of"
    print ".Xr xenmeter-dump 1"
    print "and"
    print ".Xr xenmeter-info 1"
    print "names a file that has them, in the form of the table that this page is made of:"
    print ".Bd -literal"
    print "/* A comment. */"
    print "EVENT(MY_TICK, 0x00024001, 0, CLASS_SCHED, \"my_tick\", 'T',"
    print "      L(3, \"dom:u32 vcpu:u32 {state:u4=runstate}\", \"\")"
    print "      L(1, \"count:u32\", \"\"))"
    print "EVENT(MY_LOAD, 0x00024002, 0x100, CLASS_SCHED, \"my_load\", 'T',"
    print "      L(2, \"load:hex64 wide:flag@8\", \"\"))"
    print "EVENT_ALIAS(MY_LOAD, 0x00024004, 0, \"\")"
    print ".Ed"
    print ".Pp"
    print "The parts of a row are:"
    print ".Bl -tag -width 8n -compact"
    print ".It 1"
    print "a word in capitals by which EVENT_ALIAS refers to the event;"
    print ".It 2"
    print "the event number, 28 bits, with one bit of the class set; 0x24000 is a subclass of sched that Xen does not use;"
    print ".It 3"
    print "the bits of the number that carry data, of the lowest 12, or 0; every number that they make is the event's;"
    print ".It 4"
    print "the class that the number belongs to:"
    print ".Li CLASS_GEN , CLASS_SCHED , CLASS_DOM0OP , CLASS_HVM , CLASS_MEM , CLASS_PV , CLASS_SHADOW , CLASS_HW"
    print "or"
    print ".Li CLASS_GUEST ;"
    print ".It 5"
    print "the name: a letter, then letters, digits and _, in lower case;"
    print ".It 6"
    print "whether the records have a tsc:"
    print ".Li 'T'"
    print "always,"
    print ".Li '-'"
    print "never,"
    print ".Li '?'"
    print "some; it is not checked;"
    print ".It 7"
    print "layouts, one after the other: the number of payload words, 0 to 7, or 255 for any; the fields, as in"
    print ".Sx Fields"
    print "but with the type of each, u32 as well, with dv for {dom vcpu}, and with a * where dots are there; and the versions that"
    print "write it, which may be empty."
    print ".Li NO_LAYOUT"
    print "if there is none: the words are shown as they are."
    print ".El"
    print ".Pp"
    print "EVENT_ALIAS gives an event that stands before it another number."
    print "A value can have a name of the tables in"
    print ".Sx VALUES :"
    print ".Li =runstate ."
    print "Names and numbers that Xen's events have are refused, as is what is there twice; a message says in which line."
    print "The file never changes what the other records mean, nor any result."
    print ".Li unrecognised"
    print "of"
    print ".Fl -events"
    print "are the records that neither table names."
}

function print_end()
{
    print_own()
    print ".Sh SEE ALSO"
    print ".Xr xenmeter 1 ,"
    print ".Xr xenmeter-dump 1 ,"
    print ".Xr xenmeter-metrics 7 ,"
    print ".Xr xentrace 8"
}
