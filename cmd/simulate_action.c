#include "simulate_action.h"

#include <stddef.h>
#include <string.h>

#define NUMBER_MAX        1000000000u
#define NUMBER_DIGITS     10
#define BYTES_PER_S(KBIT) ((KBIT)*1000 / 8)
#define PPM_PER_PERCENT   10000u
#define CAP_MAX           100000u /* %, of a thousand pCPUs */

const char *const simulated_actions[GUARD_IOS] = {"drop, rate=KBIT, netback-rate=KBIT, low, cap=PERCENT",
                                                  "pause, low, cap=PERCENT"};

enum action { ACTION_DROP, ACTION_RATE, ACTION_NETBACK_RATE, ACTION_PAUSE, ACTION_LOW, ACTION_CAP };

static const struct {
    const char *name;
    bool numbered;
    bool reaches[GUARD_IOS];
} actions[] = {[ACTION_DROP] = {"drop", false, {true, false}},
               [ACTION_RATE] = {"rate", true, {true, false}},
               [ACTION_NETBACK_RATE] = {"netback-rate", true, {true, false}},
               [ACTION_PAUSE] = {"pause", false, {false, true}},
               [ACTION_LOW] = {"low", false, {true, true}},
               [ACTION_CAP] = {"cap", true, {true, true}}};

/* A number from 1 to NUMBER_MAX; 0: another text. */
static uint64_t number_of(const char *text)
{
    size_t n = strspn(text, "0123456789");
    uint64_t number = 0;
    if (text[n] || n > NUMBER_DIGITS)
        return 0;
    for (size_t i = 0; i < n; i++)
        number = 10 * number + (uint64_t)(text[i] - '0');
    return number <= NUMBER_MAX ? number : 0;
}

/* Which action it is, and its number; -1: none. */
static int find_action(const char *text, uint64_t *number)
{
    size_t n = strcspn(text, "=");
    for (size_t i = 0; i < sizeof actions / sizeof *actions; i++) {
        if (strlen(actions[i].name) != n || strncmp(actions[i].name, text, n) != 0)
            continue;
        *number = text[n] ? number_of(text + n + 1) : 0;
        bool fine = actions[i].numbered ? *number > 0 : !text[n];
        return fine && (i != ACTION_CAP || *number <= CAP_MAX) ? (int)i : -1;
    }
    return -1;
}

static void add(struct sim_hold *hold, enum action action, uint64_t number)
{
    switch (action) {
    case ACTION_DROP:
        hold->filter_bytes_per_s = 0;
        break;
    case ACTION_RATE:
        hold->filter_bytes_per_s = BYTES_PER_S(number);
        break;
    case ACTION_NETBACK_RATE:
        hold->receive_bytes_per_s = BYTES_PER_S(number);
        break;
    case ACTION_PAUSE:
        hold->pauses_disk = true;
        break;
    case ACTION_LOW:
        hold->low_priority = true;
        break;
    case ACTION_CAP:
        hold->cap_ppm = number * PPM_PER_PERCENT;
    }
}

bool simulated_action_add(struct sim_hold *hold, const char *text, enum guard_io io)
{
    uint64_t number;
    int action = find_action(text, &number);
    if (action < 0 || !actions[action].reaches[io])
        return false;
    add(hold, (enum action)action, number);
    return true;
}

bool simulated_action_read(struct sim_hold *hold, const char *text)
{
    return simulated_action_add(hold, text, GUARD_NETWORK) || simulated_action_add(hold, text, GUARD_DISK);
}
