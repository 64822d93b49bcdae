/* The rule of ShareGuard by itself, and its policy: expected values are worked out by hand. */
#include "metrics/control/guard_rule.h"

#include <stdio.h>
#include <string.h>

#include "check.h"
#include "random.h"
#include "suites.h"

#define MS 1000000u
#define W  (100 * MS) /* a window */

static const struct cpu_share tenth = {10, 100};

static struct guard_policy policy_of(void)
{
    struct guard_policy p;
    guard_policy_init(&p);
    p.window_ns = W;
    p.min_certain = (struct cpu_share){50, 100};
    p.max_hold_ns = 10ull * W;
    p.probation_ns = 2ull * W;
    p.stale_ns = 3ull * W;
    return p;
}

/* A whole window with so many ms charged, all of it certain. */
static struct guard_evidence window(unsigned charged_ms)
{
    return (struct guard_evidence){.length_ns = W,
                                   .charged_ns = (uint64_t)charged_ms * MS,
                                   .sure_ns = (uint64_t)charged_ms * MS,
                                   .whole = true};
}

/* Takes a window, and carries out what is to be held. */
static struct guard_outcome take(struct guard_state *s, const struct guard_policy *p, struct guard_evidence e)
{
    struct guard_outcome o = guard_state_take(s, p, tenth, &e);
    if (o.decision == GUARD_BLOCK)
        guard_state_hold(s, &e, p->steps);
    return o;
}

/* Windows with these charges (ms) have these decisions: p b h r w. */
static void check_decisions(struct guard_state *s, const struct guard_policy *p, const unsigned *charged_ms,
                            const char *expected, unsigned line)
{
    static const char letters[] = "pbhrwe";
    char found[64] = "";
    for (size_t i = 0; i < strlen(expected) && i < sizeof found - 1; i++)
        found[i] = letters[take(s, p, window(charged_ms[i])).decision];
    check_same_text(found, expected, __FILE__, line);
}
#define DECISIONS(s, p, expected, ...)                                                                       \
    check_decisions(s, p, (const unsigned[]){__VA_ARGS__}, expected, __LINE__)

/* ---- the rule ---- */

static void it_is_held_until_its_average_is_back_at_the_limit(void)
{
    struct guard_policy p = policy_of();
    struct guard_state s = {0};
    /* 40 ms in the first window of 100 ms: 40/100, 40/200, 40/300 are above a tenth, 40/400 is not */
    DECISIONS(&s, &p, "ppbhhrp", 5, 10, 40, 0, 0, 0, 10);
}

static void what_is_charged_while_it_is_held_counts(void)
{
    struct guard_policy p = policy_of();
    struct guard_state s = {0};
    /* the action takes effect half a window later: 30 + 15 ms are a tenth of 450 ms, which is in the fifth window */
    DECISIONS(&s, &p, "bhhhr", 30, 15, 0, 0, 0);
    EQUAL(s.sum_ns, 45 * MS);
    EQUAL(s.elapsed_ns, 5ull * W);
}

static void it_is_held_for_one_window_at_least(void)
{
    struct guard_policy p = policy_of();
    struct guard_state s = {0};
    DECISIONS(&s, &p, "br", 11, 9); /* 20 ms of 200 ms */
    memset(&s, 0, sizeof s);
    p.window_ns = 2ull * W; /* a window that is cut short does not count as one */
    struct guard_evidence e = {
        .length_ns = 2ull * W, .charged_ns = 21 * MS, .sure_ns = 21 * MS, .whole = true};
    EQUAL(take(&s, &p, e).decision, GUARD_BLOCK);
    e = (struct guard_evidence){.length_ns = W};
    EQUAL(take(&s, &p, e).decision, GUARD_HOLD); /* 21 ms of 300 ms, but half a window */
    EQUAL(take(&s, &p, e).decision, GUARD_RELEASE);
}

static void at_the_limit_is_not_over_it(void)
{
    struct guard_policy p = policy_of();
    struct guard_state s = {0};
    struct guard_evidence e = window(10);
    EQUAL(take(&s, &p, e).decision, GUARD_PASS);
    e.charged_ns++;
    e.sure_ns++;
    EQUAL(take(&s, &p, e).decision, GUARD_BLOCK);
}

static void the_average_goes_on_after_it_was_let_back(void)
{
    struct guard_policy p = policy_of();
    struct guard_state s = {0};
    /* 25 ms need 250 ms: three windows. What that is too much is given back: 50 ms are a tenth of 500 ms, 75 of 750 ms (8 windows) */
    DECISIONS(&s, &p, "bhrbrbhr", 25, 0, 0, 25, 0, 25, 0, 0);
    EQUAL(s.sum_ns, 75 * MS);
    EQUAL(s.elapsed_ns, 8ull * W);
    EQUAL(take(&s, &p, window(25)).why, WHY_AGAIN);
}

static void a_guest_that_keeps_within_its_limit_is_forgotten(void)
{
    struct guard_policy p = policy_of();
    struct guard_state s = {0};
    DECISIONS(&s, &p, "bhhrppp", 40, 0, 0, 0, 1, 1, 1); /* held for three windows: remembered for three */
    CHECK(!s.watched);
    EQUAL(take(&s, &p, window(40)).why, WHY_OVER);
    EQUAL(s.sum_ns, 40 * MS);
    memset(&s, 0, sizeof s);
    DECISIONS(&s, &p, "brp", 12, 0, 0); /* held for one: for the probation, two */
    CHECK(s.watched);
    DECISIONS(&s, &p, "p", 0);
    CHECK(!s.watched);
}

static void what_it_saved_up_it_may_use(void)
{
    struct guard_policy p = policy_of();
    struct guard_state s = {0};
    p.probation_ns = 5ull * W;
    /* 12 ms in four windows, and 38 in the fifth: a tenth. 11 more in the sixth are too much. */
    DECISIONS(&s, &p, "brpp", 12, 0, 0, 0);
    struct guard_outcome o = take(&s, &p, window(38)); /* 50 ms of 500 ms */
    EQUAL(o.decision, GUARD_PASS);
    EQUAL(o.why, WHY_AVERAGE);
    EQUAL(take(&s, &p, window(11)).why, WHY_AGAIN);
}

static void it_saves_up_no_more_than_while_it_is_remembered(void)
{
    struct guard_policy p = policy_of();
    struct guard_state s = {0};
    p.probation_ns = 5ull * W;
    /* remembered for five windows: after 12 ms and four quiet ones 120 + 300 ms count in full; ten of them count as five */
    DECISIONS(&s, &p, "brpppp", 12, 0, 0, 0, 0, 0);
    EQUAL(s.elapsed_ns, 6ull * W);
    s.quiet_ns = 0;
    DECISIONS(&s, &p, "pppp", 0, 0, 0, 0);
    EQUAL(s.elapsed_ns, 120 * MS + 5ull * W);
}

static void nobody_is_held_for_longer_than_max_hold(void)
{
    struct guard_policy p = policy_of();
    struct guard_state s = {0};
    DECISIONS(&s, &p, "bhhhhhhhhh", 90, 90, 90, 90, 90, 90, 90, 90, 90, 90);
    struct guard_outcome o = take(&s, &p, window(90));
    EQUAL(o.decision, GUARD_RELEASE);
    EQUAL(o.why, WHY_NO_EFFECT);
    EQUAL(s.held_ns, p.max_hold_ns);
    DECISIONS(&s, &p, "bhhhhhhhhh", 90, 90, 0, 0, 0, 0, 0, 0, 0, 0); /* looked at again, from the beginning */
    EQUAL(s.sum_ns, 180 * MS);
    o = take(&s, &p, window(0));
    EQUAL(o.decision, GUARD_RELEASE);
    EQUAL(o.why, WHY_MAX_HOLD);
}

static void its_effect_is_told_once(void)
{
    struct guard_policy p = policy_of();
    struct guard_state s = {0};
    EQUAL(take(&s, &p, window(90)).decision, GUARD_BLOCK);
    EQUAL(take(&s, &p, window(50)).why, WHY_AVERAGE);
    CHECK(!s.effect_seen);
    EQUAL(take(&s, &p, window(10)).why, WHY_EFFECT);
    CHECK(s.effect_seen);
    EQUAL(take(&s, &p, window(0)).why, WHY_AVERAGE);
}

static void hysteresis_is_a_part_of_the_limit(void)
{
    struct guard_policy p = policy_of();
    struct guard_state s = {0};
    p.hysteresis = (struct cpu_share){20, 100};
    DECISIONS(&s, &p, "ppb", 11, 12, 13);
}

/* ---- evidence ---- */

static void nobody_is_held_on_a_charge_that_is_mostly_inferred(void)
{
    struct guard_policy p = policy_of();
    struct guard_state s = {0};
    struct guard_evidence e = window(40);
    e.sure_ns = 20 * MS - 1;
    struct guard_outcome o = take(&s, &p, e);
    EQUAL(o.decision, GUARD_WAIT);
    EQUAL(o.why, WHY_UNCERTAIN);
    CHECK(!s.watched);
    e.sure_ns = 20 * MS;
    EQUAL(take(&s, &p, e).decision, GUARD_BLOCK);
}

static void nobody_is_held_when_more_is_unknown_than_is_charged(void)
{
    struct guard_policy p = policy_of();
    struct guard_state s = {0};
    struct guard_evidence e = window(40);
    e.unknown_ns = 40 * MS + 1;
    struct guard_outcome o = take(&s, &p, e);
    EQUAL(o.decision, GUARD_WAIT);
    EQUAL(o.why, WHY_UNKNOWN);
    e.unknown_ns = 40 * MS;
    EQUAL(take(&s, &p, e).decision, GUARD_BLOCK);
}

static void losses_hold_then_release_and_never_tighten(void)
{
    struct guard_policy p = policy_of();
    struct guard_state s = {0};
    struct guard_evidence lost = window(40);
    lost.lossy = true;
    struct guard_outcome o = take(&s, &p, lost);
    EQUAL(o.decision, GUARD_WAIT);
    EQUAL(o.why, WHY_LOSSY);
    EQUAL(take(&s, &p, window(40)).decision, GUARD_BLOCK);
    lost = window(0);
    lost.lossy = true;
    for (int i = 0; i < 2; i++) {
        o = take(&s, &p, lost);
        EQUAL(o.decision, GUARD_HOLD);
        EQUAL(o.why, WHY_LOSSY);
    }
    EQUAL(s.elapsed_ns, W); /* they say nothing of its average */
    o = take(&s, &p, lost);
    EQUAL(o.decision, GUARD_RELEASE);
    EQUAL(o.why, WHY_STALE);
}

static void a_window_of_evidence_between_losses_begins_their_count_anew(void)
{
    struct guard_policy p = policy_of();
    struct guard_state s = {0};
    struct guard_evidence lost = window(0);
    lost.lossy = true;
    EQUAL(take(&s, &p, window(90)).decision, GUARD_BLOCK);
    for (int i = 0; i < 6; i++)
        EQUAL(take(&s, &p, i % 3 == 2 ? window(0) : lost).decision, GUARD_HOLD);
}

static void an_interval_shorter_than_a_window_has_nobody_held(void)
{
    struct guard_policy p = policy_of();
    struct guard_state s = {0};
    struct guard_evidence e = {.length_ns = W / 2, .charged_ns = W / 2, .sure_ns = W / 2};
    struct guard_outcome o = take(&s, &p, e);
    EQUAL(o.decision, GUARD_PASS);
    EQUAL(o.why, WHY_SHORT);
}

/* ---- what holds for every guest ---- */

static void averages_keep_to_the_limit_whatever_a_guest_does(void)
{
    for (uint64_t seed = 1; seed <= 200; seed++) {
        uint64_t r = seed;
        struct guard_policy p = policy_of();
        struct guard_state s = {0};
        p.max_hold_ns = 1000ull * W;
        uint64_t sum_ns = 0, held = 0;
        for (unsigned i = 0; i < 1000; i++) {
            /* it goes at full speed, or at none, at random; when it is held it does nothing */
            unsigned ms = s.held || random_below(&r, 3) == 0 ? 0 : (unsigned)random_below(&r, 100);
            held += s.held;
            sum_ns += (uint64_t)ms * MS;
            take(&s, &p, window(ms));
        }
        CHECK(held > 0);
        CHECK(sum_ns <= cpu_share_ns(tenth, 1000ull * W) + W); /* a tenth, and one burst at the end */
    }
}

/* ---- whom limits are about ---- */

static const char *name_of(const void *names, int32_t domain, uint32_t life)
{
    (void)names, (void)life;
    return domain == 0 ? "Domain-0" : domain == 1 ? "web" : domain == 2 ? "net" : NULL;
}

/* NULL: every guest, every driver domain; digits: an id. */
static void add(struct guard_policy *p, const char *guest, const char *driver, unsigned percent)
{
    struct guard_limit l = {.every_guest = !guest, .every_driver = !driver, .limit = {percent, 100}};
    struct subject *both[] = {&l.guest, &l.driver};
    const char *names[] = {guest, driver};
    char copies[2][16];
    struct error err;
    for (int i = 0; i < 2; i++) {
        bool id = names[i] && names[i][0] >= '0' && names[i][0] <= '9';
        snprintf(copies[i], sizeof copies[i], "%s", names[i] ? names[i] : "");
        both[i]->name = names[i] && !id ? copies[i] : NULL;
        both[i]->domain = id ? (uint16_t)(names[i][0] - '0') : 0;
        snprintf(both[i]->where, sizeof both[i]->where, "%s@%s", guest ? guest : "*", driver ? driver : "*");
    }
    EQUAL(guard_policy_add(p, &l, &err), 0);
}

static unsigned limit_of(const struct guard_policy *p, uint16_t guest, const char *name, uint16_t driver,
                         const char *driver_name)
{
    const struct guard_limit *l =
        guard_policy_find(p, (struct guard_party){guest, name}, (struct guard_party){driver, driver_name});
    return l ? (unsigned)l->limit.part : 0;
}

/* ---- steps ---- */

static void with_steps_it_is_let_back_when_the_last_one_is_taken(void)
{
    struct guard_policy p = policy_of();
    struct guard_state s = {0};
    p.steps = 2;
    /* 40/400 is a tenth: the first step; 48/500 is less: the second; 57/600 is less: it is let back */
    DECISIONS(&s, &p, "bhhh", 40, 0, 0, 0);
    EQUAL(s.step, 1);
    DECISIONS(&s, &p, "h", 8);
    EQUAL(s.step, 2);
    DECISIONS(&s, &p, "r", 9);
    CHECK(!s.held);
}

static void a_window_over_the_limit_takes_back_as_many_steps_as_it_is_over_it(void)
{
    struct guard_policy p = policy_of();
    struct guard_state s = {0};
    p.steps = 5;
    DECISIONS(&s, &p, "bhhhhh", 40, 0, 0, 0, 5, 10);
    EQUAL(s.step, 3);
    /* 80/700 is above a tenth; a quarter of 25 ms is below the limit of 10 ms, a half is not: two steps */
    DECISIONS(&s, &p, "h", 25);
    EQUAL(s.step, 1);
    DECISIONS(&s, &p, "hh", 12, 12);
    EQUAL(s.step, 0); /* never below the policy's number */
}

static void while_its_average_is_within_the_limit_a_window_over_it_changes_no_step(void)
{
    struct guard_policy p = policy_of();
    struct guard_state s = {0};
    p.steps = 5;
    DECISIONS(&s, &p, "bhhhh", 40, 0, 0, 0, 0);
    EQUAL(s.step, 2);
    DECISIONS(&s, &p, "h", 12); /* 52/600 */
    EQUAL(s.step, 2);
}

static void max_hold_and_the_next_hold_begin_steps_anew(void)
{
    struct guard_policy p = policy_of();
    struct guard_state s = {0};
    p.steps = 20;
    DECISIONS(&s, &p, "bhhhhhhhhhr", 40, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    DECISIONS(&s, &p, "b", 90);
    EQUAL(s.step, 0);
}

static void check_action(const char *action, unsigned step, const char *expected)
{
    char found[GUARD_ACTION_BYTES];
    guard_action_at(found, action, step);
    check_same_text(found, expected, __FILE__, __LINE__);
}

static void the_number_of_an_action_is_doubled(void)
{
    check_action("rate=800", 0, "rate=800");
    check_action("rate=800", 2, "rate=3200");
    check_action("cap=5", 20, "cap=5242880");
    check_action("rate=600000000", 1, "rate=1000000000"); /* the most that is written */
    check_action("rate=2000000000", 1, "rate=2000000000");
    check_action("drop", 3, "drop");
    check_action("rate=1.5", 3, "rate=1.5");
    check_action("rate=", 3, "rate=");
    check_action("", 3, "");
    CHECK(guard_action_has_number("rate=800"));
    CHECK(!guard_action_has_number("rate=x"));
    CHECK(!guard_action_has_number("drop"));
}

static void the_closest_limit_counts(void)
{
    struct guard_policy p = policy_of();
    struct error err;
    add(&p, NULL, NULL, 40);
    add(&p, "1", NULL, 30);
    add(&p, NULL, "net", 20);
    add(&p, "web", "2", 10);
    EQUAL(guard_policy_resolve(&p, name_of, NULL, &err), 0);
    EQUAL(limit_of(&p, 7, NULL, 0, "Domain-0"), 40);
    EQUAL(limit_of(&p, 1, "web", 0, "Domain-0"), 30);
    EQUAL(limit_of(&p, 9, "web", 0, "Domain-0"), 30); /* the web server, made anew */
    EQUAL(limit_of(&p, 7, NULL, 2, "net"), 20);
    EQUAL(limit_of(&p, 1, "web", 2, "net"), 10);
    CHECK(guard_policy_concerns(&p, (struct guard_party){1, "web"}, false));
    CHECK(!guard_policy_concerns(&p, (struct guard_party){7, NULL}, false));
    CHECK(guard_policy_concerns(&p, (struct guard_party){7, NULL}, true));
    guard_policy_free(&p);
}

static void refused(struct guard_policy *p, const char *why)
{
    struct error err = {0};
    EQUAL(guard_policy_resolve(p, name_of, NULL, &err), -1);
    CHECK(strstr(err.message, why) != NULL);
    guard_policy_free(p);
}

static void limits_that_contradict_are_refused(void)
{
    struct guard_policy twice = policy_of(), zero = policy_of(), named = policy_of(), unknown = policy_of();
    add(&twice, "1", "2", 1);
    add(&twice, "web", "net", 2);
    refused(&twice, "web@net: the same as 1@2");
    add(&zero, "0", NULL, 1);
    refused(&zero, "domain 0 is never acted on");
    add(&named, "Domain-0", NULL, 1);
    refused(&named, "domain 0 is never acted on");
    add(&unknown, "wbe", NULL, 1);
    refused(&unknown, "wbe@*: no domain has this name");
}

CU_TestInfo guard_rule_tests[] = {
    TEST(it_is_held_until_its_average_is_back_at_the_limit),
    TEST(what_is_charged_while_it_is_held_counts),
    TEST(it_is_held_for_one_window_at_least),
    TEST(at_the_limit_is_not_over_it),
    TEST(the_average_goes_on_after_it_was_let_back),
    TEST(a_guest_that_keeps_within_its_limit_is_forgotten),
    TEST(what_it_saved_up_it_may_use),
    TEST(it_saves_up_no_more_than_while_it_is_remembered),
    TEST(nobody_is_held_for_longer_than_max_hold),
    TEST(its_effect_is_told_once),
    TEST(hysteresis_is_a_part_of_the_limit),
    TEST(nobody_is_held_on_a_charge_that_is_mostly_inferred),
    TEST(nobody_is_held_when_more_is_unknown_than_is_charged),
    TEST(losses_hold_then_release_and_never_tighten),
    TEST(a_window_of_evidence_between_losses_begins_their_count_anew),
    TEST(an_interval_shorter_than_a_window_has_nobody_held),
    TEST(averages_keep_to_the_limit_whatever_a_guest_does),
    TEST(with_steps_it_is_let_back_when_the_last_one_is_taken),
    TEST(a_window_over_the_limit_takes_back_as_many_steps_as_it_is_over_it),
    TEST(while_its_average_is_within_the_limit_a_window_over_it_changes_no_step),
    TEST(max_hold_and_the_next_hold_begin_steps_anew),
    TEST(the_number_of_an_action_is_doubled),
    TEST(the_closest_limit_counts),
    TEST(limits_that_contradict_are_refused),
    CU_TEST_INFO_NULL,
};
