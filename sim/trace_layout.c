#include "sim/trace_layout.h"

#include <stdlib.h>
#include <string.h>

/* What was different before a version. */
enum past_kind {
    ABSENT,    /* there was no such record */
    UNTIMED,   /* it had no tsc */
    NUMBER,    /* it had the number `value` */
    WITHOUT,   /* the word `at` was missing */
    WITH,      /* there was one more word at `at`, `value` */
    SHORT,     /* only the first `at` words were there */
    DOM_FIRST, /* word 0 was {dom:u16 vcpu:u16} instead of {vcpu:u16 dom:u16} */
    UNIT_LOAD, /* {vCPU, avgload:u32} instead of {avgload:u64, vCPU, shift:u32} */
    RUNQ_LOAD, /* {load:u4 avgload:u28} {runq:u4 b_avgload:u28} instead of two words for each load */
    RIP_EAX    /* {rip:u64, eax:u32} instead of {op:u20 argmask:u12} and arguments */
};

struct trace_past {
    uint16_t event; /* enum trace_event */
    uint8_t before; /* of Xen 4.x */
    uint8_t kind;   /* enum past_kind */
    uint8_t at;
    uint32_t value;
};

/* Rows of one event stand together: those about its payload in the order in which they are applied. */
static const struct trace_past pasts[] = {
    /* One record for each pCPU that is tickled. */
    {TRC_CSCHED_TICKLE, 7, UNTIMED, 0, 0},
    {TRC_CSCHED_SCHEDULE, 8, ABSENT, 0, 0},
    {TRC_CSCHED_RATELIMIT, 8, ABSENT, 0, 0},
    /* Until 4.2 all schedulers had the numbers that are Credit's since. */
    {TRC_CSCHED2_RUNQ_POS, 3, NUMBER, 0, 0x00022002},
    {TRC_CSCHED2_RUNQ_POS, 7, UNTIMED, 0, 0},
    {TRC_CSCHED2_RUNQ_POS, 7, DOM_FIRST, 0, 0},
    {TRC_CSCHED2_CREDIT_BURN, 3, NUMBER, 0, 0x00022003},
    {TRC_CSCHED2_CREDIT_BURN, 10, WITHOUT, 2, 0}, /* the cap's budget */
    {TRC_CSCHED2_CREDIT_BURN, 7, DOM_FIRST, 0, 0},
    {TRC_CSCHED2_TICKLE_CHECK, 3, NUMBER, 0, 0x00022005},
    {TRC_CSCHED2_TICKLE_CHECK, 10, WITHOUT, 2, 0}, /* the score */
    {TRC_CSCHED2_TICKLE_CHECK, 7, DOM_FIRST, 0, 0},
    {TRC_CSCHED2_TICKLE, 3, NUMBER, 0, 0x00022006},
    {TRC_CSCHED2_TICKLE, 7, UNTIMED, 0, 0},
    {TRC_CSCHED2_CREDIT_RESET, 3, NUMBER, 0, 0x00022007},
    {TRC_CSCHED2_CREDIT_RESET, 14, WITH, 3, 1}, /* the multiplier */
    {TRC_CSCHED2_CREDIT_RESET, 7, DOM_FIRST, 0, 0},
    {TRC_CSCHED2_UPDATE_LOAD, 8, ABSENT, 0, 0},
    {TRC_CSCHED2_UPDATE_UNIT_LOAD, 3, NUMBER, 0, 0x0002200b},
    {TRC_CSCHED2_UPDATE_UNIT_LOAD, 8, UNIT_LOAD, 0, 0},
    {TRC_CSCHED2_UPDATE_UNIT_LOAD, 7, DOM_FIRST, 0, 0},
    {TRC_CSCHED2_UPDATE_RUNQ_LOAD, 3, NUMBER, 0, 0x0002200c},
    {TRC_CSCHED2_UPDATE_RUNQ_LOAD, 8, RUNQ_LOAD, 0, 0},
    {TRC_CSCHED2_TICKLE_NEW, 8, ABSENT, 0, 0},
    {TRC_CSCHED2_MIGRATE, 8, ABSENT, 0, 0},
    {TRC_CSCHED2_RUNQ_CANDIDATE, 8, ABSENT, 0, 0},
    {TRC_CSCHED2_RUNQ_CANDIDATE, 14, WITH, 2, 0}, /* how many were skipped */
    {TRC_CSCHED2_SCHEDULE, 8, ABSENT, 0, 0},
    {TRC_CSCHED2_RATELIMIT, 8, ABSENT, 0, 0},
    {TRC_CSCHED2_RUNQ_CAND_CHECK, 9, ABSENT, 0, 0},
    {TRC_RTDS_TICKLE, 7, UNTIMED, 0, 0},
    {TRC_RTDS_RUNQ_PICK, 7, DOM_FIRST, 0, 0},
    {TRC_RTDS_BUDGET_BURN, 10, SHORT, 4, 0}, /* no priority, no extra time */
    {TRC_RTDS_BUDGET_BURN, 7, DOM_FIRST, 0, 0},
    {TRC_RTDS_BUDGET_REPLENISH, 10, WITHOUT, 1, 0}, /* the priority */
    {TRC_RTDS_BUDGET_REPLENISH, 7, DOM_FIRST, 0, 0},
    {TRC_RTDS_SCHEDULE, 8, ABSENT, 0, 0},
    {TRC_SWITCH_INFPREV, 8, WITHOUT, 1, 0}, /* the vCPU */
    {TRC_SWITCH_INFNEXT, 8, WITHOUT, 1, 0},
    {TRC_SWITCH_INFCONT, 9, ABSENT, 0, 0},
    {TRC_DOM0_DOM_ADD, 7, ABSENT, 0, 0},
    {TRC_DOM0_DOM_REM, 7, ABSENT, 0, 0},
    /* Until 4.2 the class of PV guests had one subclass. */
    {TRC_PV_TRAP_64, 3, NUMBER, 0, 0x0020f103},
    {TRC_PV_PAGE_FAULT_64, 3, NUMBER, 0, 0x0020f104},
    {TRC_PV_EMULATE_PRIVOP_64, 3, NUMBER, 0, 0x0020f106},
    {TRC_PV_HYPERCALL_V2, 3, NUMBER, 0, 0x0020f101},
    {TRC_PV_HYPERCALL_V2, 3, RIP_EAX, 0, 0},
    {TRC_IRQ_HANDLED, 2, NUMBER, 0, 0x0001f004},
};

enum { PASTS = sizeof pasts / sizeof pasts[0] };

/* ---- words ---- */

static unsigned without(uint32_t *words, unsigned n, unsigned at)
{
    memmove(words + at, words + at + 1, (n - at - 1) * sizeof *words);
    return n - 1;
}

static unsigned with(uint32_t *words, unsigned n, unsigned at, uint32_t value)
{
    memmove(words + at + 1, words + at, (n - at) * sizeof *words);
    words[at] = value;
    return n + 1;
}

static uint32_t above(uint32_t bits, uint32_t low, uint32_t high)
{
    return high << bits | (low & ((1u << bits) - 1));
}

static unsigned runq_load(uint32_t *words)
{
    const uint32_t load = words[4] & 0xf, runq = words[4] >> 16 & 0xf;
    const uint32_t average = words[0], balanced = words[2];
    words[0] = above(4, load, average);
    words[1] = above(4, runq, balanced);
    return 2;
}

static unsigned unit_load(uint32_t *words)
{
    const uint32_t average = words[0];
    words[0] = words[2];
    words[1] = average;
    return 2;
}

/* The kernel's hypercall page has 32 bytes for each hypercall; it returns to the byte after the instruction. */
static unsigned rip_eax(uint32_t *words)
{
    enum { ENTRY = 32, RETURN = 10, OP_MASK = 0xfffff };
    const uint32_t page = 0x81001000, op = words[0] & OP_MASK;
    words[0] = page + op * ENTRY + RETURN;
    words[1] = UINT32_MAX;
    words[2] = op;
    return 3;
}

static unsigned apply(const struct trace_past *past, uint32_t *words, unsigned n)
{
    switch (past->kind) {
    case WITHOUT:
        return without(words, n, past->at);
    case WITH:
        return with(words, n, past->at, past->value);
    case SHORT:
        return past->at;
    case DOM_FIRST:
        words[0] = words[0] << 16 | words[0] >> 16;
        return n;
    case UNIT_LOAD:
        return unit_load(words);
    case RUNQ_LOAD:
        return runq_load(words);
    case RIP_EAX:
        return rip_eax(words);
    default:
        return n;
    }
}

unsigned trace_layout_words(const struct trace_layout *layout, enum trace_event event,
                            uint32_t words[TRACE_EXTRA_MAX], unsigned n)
{
    const struct trace_past *past = layout->past[event];
    for (; past && past < pasts + PASTS && past->event == event; past++)
        if (layout->version < past->before)
            n = apply(past, words, n);
    return n;
}

/* ---- the whole ---- */

static void note(struct trace_layout *layout, const struct trace_past *past)
{
    if (past->kind == ABSENT)
        layout->written[past->event] = false;
    else if (past->kind == UNTIMED)
        layout->events[past->event].untimed = true;
    else if (past->kind == NUMBER)
        layout->events[past->event].id = past->value;
    else if (!layout->past[past->event])
        layout->past[past->event] = past;
}

void trace_layout_init(struct trace_layout *layout, uint32_t version)
{
    *layout = (struct trace_layout){.version = version};
    memcpy(layout->events, trace_event_info, sizeof layout->events);
    for (unsigned i = 0; i < TRC_EVENT_COUNT; i++)
        layout->written[i] = true;
    for (const struct trace_past *past = pasts; past < pasts + PASTS; past++)
        if (version < past->before)
            note(layout, past);
}

bool trace_layout_counts_vcpus(const struct trace_layout *layout)
{
    return layout->version < 7;
}

bool trace_layout_parse(const char *text, uint32_t *version)
{
    char *end;
    if (strncmp(text, "4.", 2) != 0 || text[2] < '0' || text[2] > '9')
        return false;
    unsigned long minor = strtoul(text + 2, &end, 10);
    *version = (uint32_t)minor;
    return *end == '\0' && minor <= TRACE_LAYOUT_NEWEST;
}
