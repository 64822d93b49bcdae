#include "act/keeper.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "metrics/array.h"

/* A guest that is left alone, and why. */
struct released {
    uint16_t domain;
    const char *why;
};

struct keeper {
    struct keeper_options options;
    struct state state;
    struct host_guests guests; /* as they were listed last */
    bool looked;               /* the last look succeeded */
    bool blind_reported;       /* a failed look was reported */
    bool unrenewed_reported;   /* a failed renewal was reported */
    struct released *released; /* guests that are left alone */
    size_t released_n, released_capacity;
    uint16_t *failed; /* domains whose failed setting was reported */
    size_t failed_n, failed_capacity;
};

/* ---- lists of domains ---- */

static bool has(const uint16_t *domains, size_t n, uint16_t domain)
{
    for (size_t i = 0; i < n; i++)
        if (domains[i] == domain)
            return true;
    return false;
}

/* Without memory the domain is not added: at worst the keeper reports or does something twice. */
static void add(uint16_t **domains, size_t *n, size_t *capacity, uint16_t domain)
{
    if (!has(*domains, *n, domain) && array_make_room(domains, capacity, *n + 1, sizeof **domains))
        (*domains)[(*n)++] = domain;
}

static void drop(uint16_t *domains, size_t *n, uint16_t domain)
{
    for (size_t i = 0; i < *n; i++)
        if (domains[i] == domain)
            domains[i] = domains[--*n];
}

static const char *why_released(const struct keeper *k, uint16_t domain)
{
    for (size_t i = 0; i < k->released_n; i++)
        if (k->released[i].domain == domain)
            return k->released[i].why;
    return NULL;
}

static void leave_to(struct keeper *k, uint16_t domain, const char *why)
{
    if (!why_released(k, domain) &&
        array_make_room(&k->released, &k->released_capacity, k->released_n + 1, sizeof *k->released))
        k->released[k->released_n++] = (struct released){domain, why};
}

/* ---- what it says ---- */

/* "domain 3 (web)" */
static const char *called(uint16_t domain, const char *name, char text[ACT_NAME_BYTES + 24])
{
    snprintf(text, ACT_NAME_BYTES + 24, *name ? "domain %u (%s)" : "domain %u", domain, name);
    return text;
}

static void note(const struct keeper *k, const char *event, uint16_t domain, const char *name,
                 const char *value, const char *why)
{
    log_add(k->options.log, json_pack("{ss si ss ss ss*}", "event", event, "domain", (int)domain, "name",
                                      name, "value", value, "why", why));
}

static void tell_failure(struct keeper *k, const struct state_guest *g, const struct error *err)
{
    char text[ACT_NAME_BYTES + 24];
    note(k, "failed", g->domain, g->name, g->set, err->message);
    if (!runner_is_cancelled(&k->options.runner) && !has(k->failed, k->failed_n, g->domain))
        k->options.tell("%s: cannot be set to \"%s\": %s; this goes on being tried",
                        called(g->domain, g->name, text), g->set, err->message);
    add(&k->failed, &k->failed_n, &k->failed_capacity, g->domain);
}

static void tell_success(struct keeper *k, const struct state_guest *g)
{
    char text[ACT_NAME_BYTES + 24];
    note(k, "done", g->domain, g->name, g->set, NULL);
    if (has(k->failed, k->failed_n, g->domain))
        k->options.tell("%s: was set to \"%s\" now", called(g->domain, g->name, text), g->set);
    drop(k->failed, &k->failed_n, g->domain);
}

/* ---- the state ---- */

static bool save(struct keeper *k)
{
    struct error err;
    if (state_save(&k->state, k->options.state, &err) == 0)
        return true;
    k->options.tell("%s; nothing is set without it", err.message);
    return false;
}

struct keeper *keeper_new(const struct keeper_options *options, struct error *err)
{
    struct keeper *k = calloc(1, sizeof *k);
    char boot[STATE_BOOT_BYTES];
    bool there;
    if (!k) {
        error_no_memory(err, "what is set on the host");
        return NULL;
    }
    k->options = *options;
    state_boot(boot);
    if (state_load(&k->state, options->state, &there, err) != 0) {
        free(k);
        return NULL;
    }
    if (there && k->state.guests_n > 0 && strcmp(boot, k->state.boot) != 0) {
        options->tell("%s: the host has been booted since: there is nothing to give back", options->state);
        k->state.guests_n = 0;
        save(k);
    }
    snprintf(k->state.boot, sizeof k->state.boot, "%s", boot);
    return k;
}

void keeper_free(struct keeper *k)
{
    if (!k)
        return;
    state_free(&k->state);
    host_guests_free(&k->guests);
    free(k->released);
    free(k->failed);
    free(k);
}

void keeper_cancel_by(struct keeper *k, int cancel_fd)
{
    k->options.runner.cancel_fd = cancel_fd;
}

size_t keeper_held(const struct keeper *k)
{
    return k->state.guests_n;
}

int keeper_adopt(struct keeper *k, const char *const *command, struct error *err)
{
    const struct act_means *means = means_named(k->state.means);
    if (k->state.guests_n == 0)
        return 0;
    if (!means)
        return error_set(err, ERROR_FORMAT, "%.200s: is no state of xenmeter, or is damaged",
                         k->options.state);
    for (size_t i = 0; i < k->state.guests_n; i++) {
        const struct state_guest *g = &k->state.guests[i];
        if (!means->is_value(g->former) || !means->is_value(g->set) || !means->is_value(g->before))
            return error_set(err, ERROR_FORMAT, "%.200s: has parameters of domain %u that are none",
                             k->options.state, g->domain);
    }
    k->options.means = means;
    k->options.runner.command = command ? command : (const char *const *)k->state.command;
    return 0;
}

/* ---- looking ---- */

int keeper_look(struct keeper *k, struct error *err)
{
    struct host_guests guests = {0};
    const struct act_means *m = k->options.means;
    k->looked = false;
    if (!m)
        return error_set(err, ERROR_USAGE, "nothing is set on the host");
    k->looked = m->list(m, &k->options.runner, &guests, err) == 0;
    if (!k->looked)
        return -1;
    host_guests_free(&k->guests);
    k->guests = guests;
    return 0;
}

const struct host_guests *keeper_guests(const struct keeper *k)
{
    return &k->guests;
}

/* One look at the host in a round: reports once when looks fail, and once when they work again. */
static int look_again(struct keeper *k)
{
    struct error err;
    int status = keeper_look(k, &err);
    if (status != 0 && runner_is_cancelled(&k->options.runner))
        return -1; /* the end is near, and nothing is wrong */
    if (status != 0)
        log_add(k->options.log, json_pack("{ss ss}", "event", "blind", "why", err.message));
    if (status != 0 && !k->blind_reported)
        k->options.tell("what is set on the host cannot be read: %s; nothing is set meanwhile", err.message);
    if (status == 0 && k->blind_reported)
        k->options.tell("what is set on the host can be read again");
    k->blind_reported = status != 0;
    return status;
}

/* The guest as it was listed; NULL: it is gone, or its id is another guest's now. */
static const struct host_guest *listed(const struct keeper *k, const struct state_guest *g)
{
    const struct host_guest *now = host_guests_find(&k->guests, g->domain);
    return now && strcmp(now->name, g->name) == 0 ? now : NULL;
}

/* Somebody else has set this. */
static void leave_alone(struct keeper *k, const struct state_guest *g, const char *value)
{
    char text[ACT_NAME_BYTES + 24];
    k->options.tell("%s: has \"%s\" instead of \"%s\": somebody else set it; it is released from control",
                    called(g->domain, g->name, text), value, g->set);
    note(k, "released", g->domain, g->name, value, "somebody else changed it");
    leave_to(k, g->domain, "changed by others");
}

/* What the state has of guests that are gone, or that somebody else has changed, is forgotten. True: some was. */
static bool reconcile(struct keeper *k)
{
    bool changed = false;
    for (size_t i = k->state.guests_n; i-- > 0;) {
        const struct state_guest *g = &k->state.guests[i];
        const struct host_guest *now = listed(k, g);
        if (now && (strcmp(now->value, g->set) == 0 || strcmp(now->value, g->before) == 0))
            continue;
        if (now && k->options.means->neutral) { /* what was lost is set again */
            note(k, "lost", g->domain, g->name, g->set, NULL);
            continue;
        }
        if (now)
            leave_alone(k, g, now->value);
        else
            note(k, "gone", g->domain, g->name, g->set, NULL);
        drop(k->failed, &k->failed_n, g->domain);
        state_forget(&k->state, g->domain);
        changed = true;
    }
    return changed;
}

/* ---- setting ---- */

const char *keeper_refuses(const struct keeper *k, uint16_t domain)
{
    const struct host_guest *now = host_guests_find(&k->guests, domain);
    if (state_is_exempt(&k->state, domain, now ? now->name : ""))
        return "exempt";
    return why_released(k, domain);
}

/* Enters the wish in the state; true: something is to be set. */
static bool enter(struct keeper *k, const struct act_wish *wish)
{
    const struct act_means *m = k->options.means;
    const struct host_guest *now = host_guests_find(&k->guests, wish->domain);
    char value[ACT_VALUE_BYTES];
    if (!now || keeper_refuses(k, wish->domain))
        return false;
    m->value(m, wish, now, value);
    const struct state_guest *known = state_find(&k->state, wish->domain);
    if (strcmp(now->value, value) == 0 && known && strcmp(known->set, value) == 0)
        return false;
    struct state_guest *g = state_guest(&k->state, wish->domain);
    if (!g)
        return false; /* memory may be there in the next round */
    if (!known) {
        memcpy(g->name, now->name, sizeof g->name);
        snprintf(g->former, sizeof g->former, "%s", m->neutral ? m->neutral : now->value);
    }
    memcpy(g->before, now->value, sizeof g->before);
    memcpy(g->set, value, sizeof g->set);
    return true;
}

static void set_value(struct keeper *k, struct state_guest *g, const struct act_wish *wish)
{
    const struct act_means *m = k->options.means;
    struct error err;
    if (strcmp(g->before, g->set) == 0)
        return;
    if (m->set(m, &k->options.runner, g->domain, g->set, wish, &err) != 0) {
        tell_failure(k, g, &err);
        return;
    }
    memcpy(g->before, g->set,
           sizeof g->before); /* from now on the value before is somebody else's doing, too */
    tell_success(k, g);
}

/* What is set ends by itself, unless it is renewed. */
static void renew(struct keeper *k)
{
    const struct act_means *m = k->options.means;
    struct error err;
    if (!m->renew || k->state.guests_n == 0)
        return;
    if (m->renew(m, &k->options.runner, k->state.guests, k->state.guests_n, &err) == 0) {
        k->unrenewed_reported = false;
        return;
    }
    log_add(k->options.log, json_pack("{ss ss}", "event", "not renewed", "why", err.message));
    if (!k->unrenewed_reported && !runner_is_cancelled(&k->options.runner))
        k->options.tell("what is set cannot be renewed: %s; this goes on being tried", err.message);
    k->unrenewed_reported = true;
}

/* ---- giving back ---- */

/* 0: the guest has what it had, or it is not for us to say what it has. */
static int give_back(struct keeper *k, const struct state_guest *g)
{
    const struct act_means *m = k->options.means;
    const struct host_guest *now = listed(k, g);
    char text[ACT_NAME_BYTES + 24];
    struct error err;
    if (k->looked && (!now || strcmp(now->value, g->former) == 0))
        return 0;
    if (k->looked && !m->neutral && strcmp(now->value, g->set) != 0 && strcmp(now->value, g->before) != 0) {
        leave_alone(k, g, now->value);
        return 0;
    }
    if (m->set(m, &k->options.runner, g->domain, g->former, NULL, &err) == 0) {
        note(k, "restored", g->domain, g->name, g->former, NULL);
        return 0;
    }
    k->options.tell("%s: cannot be given back \"%s\": %s", called(g->domain, g->name, text), g->former,
                    err.message);
    note(k, "failed", g->domain, g->name, g->former, err.message);
    return -1;
}

/* Gives some guests back what they had. True: the state has changed. */
static bool release(struct keeper *k, const struct act_wish *wishes, size_t n)
{
    bool changed = false;
    for (size_t i = 0; i < n; i++) {
        const struct state_guest *g = state_find(&k->state, wishes[i].domain);
        if (!g || give_back(k, g) != 0)
            continue;
        state_forget(&k->state, wishes[i].domain);
        changed = true;
    }
    return changed;
}

size_t keeper_release_all(struct keeper *k, const char *why)
{
    size_t all = k->state.guests_n, failed = 0;
    struct error err;
    if (all == 0)
        return 0;
    if (keeper_look(k, &err) != 0)
        k->options.tell("what is set on the host cannot be read: %s; all is given back unseen", err.message);
    for (size_t i = all; i-- > 0;) {
        if (give_back(k, &k->state.guests[i]) == 0)
            state_forget(&k->state, k->state.guests[i].domain);
        else
            failed++;
    }
    save(k);
    log_add(k->options.log, json_pack("{ss si si ss}", "event", "release", "guests", (int)all, "failed",
                                      (int)failed, "why", why));
    return failed;
}

/* ---- a round ---- */

int keeper_round(struct keeper *k, const struct act_wish *wishes, size_t releases, size_t n)
{
    bool *due = calloc(n + 1, sizeof *due);
    bool changed = false;
    if (!due || look_again(k) != 0) {
        free(due);
        return -1;
    }
    changed = reconcile(k);
    changed |= release(k, wishes, releases);
    for (size_t i = releases; i < n; i++)
        changed |= due[i] = enter(k, &wishes[i]);
    snprintf(k->state.means, sizeof k->state.means, "%s", k->options.means->name);
    if (changed && state_set_command(&k->state, k->options.runner.command) && save(k))
        for (size_t i = releases; i < n; i++)
            if (due[i])
                set_value(k, state_find(&k->state, wishes[i].domain), &wishes[i]);
    free(due);
    renew(k);
    return 0;
}

/* ---- an operator ---- */

/* The guest is given back what it had, and is left alone. */
static int release_for_operator(struct keeper *k, const struct state_guest *g)
{
    char text[ACT_NAME_BYTES + 24];
    uint16_t domain = g->domain;
    if (give_back(k, g) != 0)
        return -1;
    k->options.tell("%s: was given back \"%s\", as an operator asked for", called(domain, g->name, text),
                    g->former);
    state_forget(&k->state, domain);
    return 0;
}

/* Guests that are there and meant are left alone from now on, or are not any more. */
static void leave_or_take(struct keeper *k, const struct request *r)
{
    for (size_t i = 0; i < k->guests.n; i++) {
        const struct host_guest *g = &k->guests.at[i];
        if (r->verb != REQUEST_CONTROL && request_is_about(r, g->domain, g->name))
            leave_to(k, g->domain, "by an operator");
    }
    for (size_t i = k->released_n; i-- > 0;) {
        const struct host_guest *g = host_guests_find(&k->guests, k->released[i].domain);
        if (r->verb == REQUEST_CONTROL && request_is_about(r, k->released[i].domain, g ? g->name : ""))
            k->released[i] = k->released[--k->released_n];
    }
}

int keeper_request(struct keeper *k, const struct request *r)
{
    struct error err;
    int status = 0;
    log_add(k->options.log,
            json_pack("{ss ss ss}", "event", "request", "verb", request_verbs[r->verb], "guest", r->guest));
    keeper_look(k, &err); /* without it all is given back unseen */
    for (size_t i = k->state.guests_n; i-- > 0 && r->verb != REQUEST_CONTROL;)
        if (request_is_about(r, k->state.guests[i].domain, k->state.guests[i].name) &&
            release_for_operator(k, &k->state.guests[i]) != 0)
            status = -1;
    leave_or_take(k, r);
    if (r->verb != REQUEST_RELEASE && strcmp(r->guest, "*") != 0)
        state_set_exempt(&k->state, r->guest, r->verb == REQUEST_EXEMPT);
    for (size_t i = k->state.exempt_n; i-- > 0 && r->verb == REQUEST_CONTROL && strcmp(r->guest, "*") == 0;)
        state_set_exempt(&k->state, k->state.exempt[i], false);
    save(k);
    return status;
}
