#include "guard_apply.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RENEW_NS       1000000000u
#define EXPIRES_ROUNDS 3 /* so many renewals may fail before what is held ends */
#define DESCRIBE_NS    5000000000u

const char *const guard_traffic_names[] = {"both", "from", "to", NULL};

const struct acting_controller guard_controller = {.name = "guard"};

/* ---- the hook ---- */

static int check_reach(const struct hook_description *all, enum guard_traffic traffic, const char *hook,
                       struct error *err)
{
    const char *missing = !all->from && traffic != TRAFFIC_TO   ? "sends"
                          : !all->to && traffic != TRAFFIC_FROM ? "receives"
                                                                : NULL;
    if (!all->network && !all->disk)
        return error_set(err, ERROR_USAGE, "%.100s reaches neither network nor disks", hook);
    if (!missing)
        return 0;
    return error_set(
        err, ERROR_USAGE,
        "%.100s does not reach what a guest %s: take another hook, or say which traffic is meant (--traffic)",
        hook, missing);
}

/* The policy's actions for what the hook reaches. */
static int choose_actions(const char *hook, const struct hook_description *d,
                          const struct guard_policy *policy, const char *by[GUARD_IOS], struct error *err)
{
    const char *network = policy->actions[GUARD_NETWORK], *disk = policy->actions[GUARD_DISK];
    by[GUARD_NETWORK] = d->network && hook_has_action(d, network) ? network : NULL;
    by[GUARD_DISK] = d->disk && hook_has_action(d, disk) ? disk : NULL;
    if (by[GUARD_NETWORK] || by[GUARD_DISK])
        return 0;
    return error_set(
        err, ERROR_USAGE,
        "%.100s has none of the policy's actions (network: %s, disk: %s), but %s: see \"actions\" in "
        "xenmeter-policy(5)",
        hook, *network ? network : "none", *disk ? disk : "none", d->actions);
}

static void add_reach(struct hook_description *all, const struct hook_description *one)
{
    all->network |= one->network;
    all->disk |= one->disk;
    all->from |= one->from;
    all->to |= one->to;
}

/* By which actions of the policy each hook acts. */
static int ask_hooks(const struct act_runner *all, const struct guard_policy *policy,
                     enum guard_traffic traffic, struct guard_actions *actions, struct error *err)
{
    struct hook_description d[HOOKS_MAX], reached = {.network = false};
    struct hook_list hooks;
    if (hook_list_cut(&hooks, all->command, err) != 0)
        return -1;
    *actions = (struct guard_actions){.hooks = hooks.n};
    for (size_t i = 0; i < hooks.n; i++) {
        const struct act_runner one = hook_runner(&hooks, i, all);
        if (hook_describe(&one, &d[i], err) != 0)
            return -1;
        add_reach(&reached, &d[i]);
    }
    if (check_reach(&reached, traffic, hooks.n > 1 ? "what --hook names" : all->command[0], err) != 0)
        return -1;
    for (size_t i = 0; i < hooks.n; i++)
        if (choose_actions(*hooks.at[i], &d[i], policy, actions->by[i], err) != 0)
            return -1;
    return 0;
}

/* What a hook holds ends by itself unless it is renewed: after three intervals. */
static void say_how_long(uint64_t interval_ns)
{
    char seconds[24];
    snprintf(seconds, sizeof seconds, "%" PRIu64, (EXPIRES_ROUNDS * interval_ns + 999999999u) / 1000000000u);
    setenv("XENMETER_EXPIRES", seconds, 1);
}

int guard_apply_begin(struct acting *acting, const struct guard_policy *policy, enum guard_traffic traffic,
                      struct guard_actions *actions, struct error *err)
{
    uint64_t interval_ns = policy->window_ns > RENEW_NS ? policy->window_ns : RENEW_NS;
    if (acting_cut_command(acting, NULL, err) != 0)
        return -1;
    const struct act_runner runner = {acting->command, DESCRIBE_NS, 1, -1};
    if (ask_hooks(&runner, policy, traffic, actions, err) != 0)
        return -1;
    say_how_long(interval_ns);
    return acting_begin(acting, &guard_controller, &means_hook, interval_ns, err);
}

/* ---- decisions ---- */

static bool is_held(const struct guard_row *row)
{
    return row->outcome.decision == GUARD_BLOCK || row->outcome.decision == GUARD_HOLD;
}

/* A row that says something about whether a guest is held. */
static bool concerns(const struct guard_row *row)
{
    return is_held(row) || row->outcome.decision == GUARD_RELEASE;
}

static void write_evidence(char text[ACT_EVIDENCE_BYTES], const struct guard_row *row)
{
    snprintf(text, ACT_EVIDENCE_BYTES,
             "{\"driver_domain\":%" PRId32 ",\"charged_ns\":%" PRIu64 ",\"measured_ns\":%" PRIu64
             ",\"certain_ns\":%" PRIu64 ",\"unattributed_ns\":%" PRIu64 ",\"unknown_ns\":%" PRIu64
             ",\"reason\":\"%.60s\"}\n",
             row->driver_domain, row->charged_ns, row->measured_ns, row->certain_ns, row->unattributed_ns,
             row->unknown_ns, strpbrk(row->reason, "\"\\") ? "" : row->reason);
}

/* The guest of a row among the first n; it is added if it is not there. */
static struct act_guest *guest_of(struct acting *a, const struct guard_row *row, size_t *n)
{
    for (size_t i = 0; i < *n; i++)
        if (a->guests[i].wish.domain == (uint16_t)row->domain)
            return &a->guests[i];
    const char *name = acting_name(a, row->domain, row->life);
    struct act_guest *g = &a->guests[(*n)++];
    *g = (struct act_guest){.wish = {.domain = (uint16_t)row->domain, .level_ppm = ACT_FREE_PPM},
                            .top_ppm = ACT_FREE_PPM};
    snprintf(g->wish.name, sizeof g->wish.name, "%s", name ? name : "");
    return g;
}

/* What one hook does about the row's guest: the action for the first kind of I/O that it is held for; NULL: nothing. */
static const char *action_of(const struct guard_actions *actions, size_t hook, const struct guard_row *row)
{
    for (int io = 0; io < GUARD_IOS; io++)
        if (row->io[io] && actions->by[hook][io])
            return actions->by[hook][io];
    return NULL;
}

/* A guest is held if it is so at any driver domain: what is stopped is stopped for all. */
static void wish(const struct guard_actions *actions, const struct guard_row *row, uint64_t length_ns,
                 struct act_guest *g)
{
    char parts[HOOKS_MAX][HOOK_ACTION_BYTES];
    if (is_held(row) || !*g->wish.evidence)
        write_evidence(g->wish.evidence, row);
    if (!is_held(row))
        return;
    for (size_t i = 0; i < actions->hooks; i++) {
        const char *action = action_of(actions, i, row);
        hook_part(g->wish.action, i, parts[i]);
        if (action && (strcmp(parts[i], HOOK_FREE) == 0 || row->step < g->wish.level_ppm))
            guard_action_at(parts[i], action, row->step);
    }
    hook_join(g->wish.action, sizeof g->wish.action, (const char(*)[HOOK_ACTION_BYTES])parts, actions->hooks);
    if (strcmp(g->wish.action, HOOK_FREE) != 0 && row->step < g->wish.level_ppm)
        g->wish.level_ppm = row->step;
    g->wish.charged_pct = length_ns ? 100 * (double)row->charged_ns / (double)length_ns : 0;
    g->wish.limit_pct = 100 * (double)row->limit.part / (double)row->limit.of;
}

_Static_assert(GUARD_COMMAND_BYTES == ACT_COMMAND_BYTES, "a command fits its column");

static void tell_row(struct guard_action_row *row, const struct act_guest *g)
{
    bool reached = g->wish.level_ppm < ACT_FREE_PPM || !is_held(&row->decided);
    snprintf(row->carried_out, sizeof row->carried_out, "%s",
             reached ? g->decision : "no hook reaches what it is held for");
    memcpy(row->command, g->command, sizeof row->command);
}

int guard_apply_rows(struct acting *acting, const struct guard_actions *actions,
                     const struct interval *interval, struct guard_action_row *all, size_t n)
{
    uint64_t length_ns = interval->end_ns - interval->start_ns;
    size_t guests = 0;
    for (size_t i = 0; i < n; i++)
        if (concerns(&all[i].decided))
            wish(actions, &all[i].decided, length_ns, guest_of(acting, &all[i].decided, &guests));
    if (acting_decide(acting, interval->end_ns, acting->guests, guests) != 0)
        return -1;
    for (size_t i = 0; i < n; i++)
        if (concerns(&all[i].decided))
            tell_row(&all[i], guest_of(acting, &all[i].decided, &guests));
    return 0;
}
