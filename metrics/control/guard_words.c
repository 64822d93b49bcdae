#include "metrics/control/guard_words.h"

#include <stdio.h>

#include "metrics/measure/adding.h"
#include "metrics/measure/row.h"

#define S 1000000000u

static double percent(uint64_t ns, uint64_t of_ns)
{
    return of_ns ? 100 * (double)ns / (double)of_ns : 0;
}

static double share_percent(struct cpu_share share)
{
    return percent(share.part, share.of);
}

static double seconds(uint64_t ns)
{
    return (double)ns / S;
}

/* ---- reasons ---- */

#define SAY(...) snprintf(row->reason, sizeof row->reason, __VA_ARGS__)

static void say_waiting(struct guard_row *row, const struct guard_words *w)
{
    switch (row->outcome.why) {
    case WHY_UNCERTAIN:
        SAY("too little of the charge is certain: less than %.6g%%", share_percent(w->policy->min_certain));
        break;
    case WHY_UNKNOWN:
        SAY("more is unknown than is charged: for whom the driver domain ran %.3f ms",
            (double)row->unattributed_ns / 1e6);
        break;
    case WHY_LOSSY:
        SAY("records were lost: the driver domain's state is unknown or doubtful for %.3f ms",
            (double)row->unknown_ns / 1e6);
        break;
    case WHY_AWAITED:
        SAY("the effect of holding domain %d is awaited", (int)w->other);
        break;
    default:
        SAY("domain %d is further over its limit", (int)w->other);
    }
}

static void say_release(struct guard_row *row, const struct guard_words *w)
{
    const struct guard_state *s = w->state;
    switch (row->outcome.why) {
    case WHY_MAX_HOLD:
        SAY("held for %.3f s, and no guest is held for longer", seconds(s->held_ns));
        break;
    case WHY_NO_EFFECT:
        SAY("held for %.3f s without effect: no guest is held for longer", seconds(s->held_ns));
        break;
    case WHY_DRIVER:
        SAY("a driver domain is never held");
        break;
    case WHY_NO_LIMIT:
        SAY("the policy has no limit for it any more");
        break;
    case WHY_STALE:
        SAY("no evidence for %.3f s: too much is lost", seconds(s->unsure_ns));
        break;
    default:
        SAY("average %.3f%% over %.3f s is back at the limit", percent(s->sum_ns, s->elapsed_ns),
            seconds(s->elapsed_ns));
    }
}

static void say_held(struct guard_row *row, const struct guard_words *w)
{
    const struct guard_state *s = w->state;
    if (row->outcome.why == WHY_LOSSY)
        say_waiting(row, w);
    else if (row->outcome.why == WHY_EFFECT)
        SAY("it came down after %.3f s; average %.3f%% over %.3f s", seconds(s->held_ns),
            percent(s->sum_ns, s->elapsed_ns), seconds(s->elapsed_ns));
    else
        SAY("average %.3f%% over %.3f s", percent(s->sum_ns, s->elapsed_ns), seconds(s->elapsed_ns));
}

static void say_block(struct guard_row *row)
{
    if (row->outcome.why == WHY_MADE_ANEW)
        SAY("over the limit under its former domain id, and held since");
    else
        SAY(row->outcome.why == WHY_AGAIN ? "over the limit again" : "over the limit");
}

static void say_reason(struct guard_row *row, const struct guard_words *w)
{
    switch (row->outcome.decision) {
    case GUARD_PASS:
        if (row->outcome.why == WHY_SHORT)
            SAY("shorter than a window");
        if (row->outcome.why == WHY_AVERAGE)
            SAY("over the limit, but average %.3f%% over %.3f s is not",
                percent(w->state->sum_ns, w->state->elapsed_ns), seconds(w->state->elapsed_ns));
        break;
    case GUARD_BLOCK:
        say_block(row);
        break;
    case GUARD_HOLD:
        say_held(row, w);
        break;
    case GUARD_RELEASE:
        say_release(row, w);
        break;
    case GUARD_WAIT:
        say_waiting(row, w);
        break;
    case GUARD_EXEMPT:
        SAY(row->outcome.why == WHY_DRIVER ? "a driver domain is never held" : "exempt by the policy");
    }
}

/* ---- actions ---- */

static void say_action(struct guard_row *row, const struct guard_policy *p)
{
    bool let = row->outcome.decision == GUARD_RELEASE;
    char action[GUARD_ACTION_BYTES];
    size_t n = 0;
    if (!let && row->outcome.decision != GUARD_BLOCK && row->outcome.why != WHY_STEP)
        return;
    for (int io = 0; io < GUARD_IOS && n < sizeof row->action; io++)
        if (row->io[io] && *p->actions[io]) {
            guard_action_at(action, p->actions[io], row->step);
            n += (size_t)snprintf(row->action + n, sizeof row->action - n, "%s%s %s", n ? ", " : "",
                                  let ? "let" : action, guard_io_names[io]);
        }
    if (n == 0)
        snprintf(row->action, sizeof row->action, "none in the policy");
}

void guard_words_write(struct guard_row *row, const struct guard_words *words)
{
    const struct guard_state *s = words->state;
    if ((s->watched || row->outcome.decision == GUARD_RELEASE) && s->elapsed_ns > 0)
        row->average_ns = (uint64_t)((double)s->sum_ns / (double)s->elapsed_ns * S);
    say_reason(row, words);
    say_action(row, words->policy);
}

/* ---- sums ---- */

void guard_row_add(struct guard_row *total, const struct guard_row *row)
{
    struct guard_row sum = *row; /* who it is */
    struct guard_row before = *total;
    if (before.domain < 0)
        before = (struct guard_row){.domain = row->domain};
    sum.total = true;
    sum.average_ns = NS_UNKNOWN;
    *sum.reason = *sum.action = '\0';
    sum.charged_ns = add_count(before.charged_ns, row->charged_ns);
    sum.measured_ns = add_count(before.measured_ns, row->measured_ns);
    sum.certain_ns = add_count(before.certain_ns, row->certain_ns);
    sum.inferred_ns = add_count(before.inferred_ns, row->inferred_ns);
    sum.unattributed_ns = add_count(before.unattributed_ns, row->unattributed_ns);
    sum.unknown_ns = add_count(before.unknown_ns, row->unknown_ns);
    sum.windows = add_count(before.windows, row->windows);
    sum.blocks = add_count(before.blocks, row->blocks);
    sum.held_ns = add_count(before.held_ns, row->held_ns);
    *total = sum;
}
