/* Values of reservations, which --reserve and the file have in common. */
#include <ctype.h>
#include <string.h>

#include "cli.h"
#include "policy.h"

#define PERCENT_DIGITS 6 /* after the point */
#define PERCENT_UNIT   1000000u
#define PERCENT_MOST   1000000u /* 10,000 pCPUs */
#define DOMAINS        0x7ff0u  /* Xen's DOMID_FIRST_RESERVED: ids of domains are below it */

bool policy_percent(const char *text, size_t n, bool or_zero, struct cpu_share *share)
{
    uint64_t number = 0;
    unsigned places = 0;
    bool digits = false, point = false;
    if (n == 0 || text[n - 1] != '%')
        return false;
    for (size_t i = 0; i < n - 1; i++) {
        bool digit = isdigit((unsigned char)text[i]);
        if ((!digit && (text[i] != '.' || point)) || places == PERCENT_DIGITS ||
            number > PERCENT_MOST * (uint64_t)PERCENT_UNIT)
            return false;
        digits = digits || digit;
        point = point || !digit;
        number = digit ? 10 * number + (uint64_t)(text[i] - '0') : number;
        places += digit && point;
    }
    for (; places < PERCENT_DIGITS; places++)
        number *= 10;
    *share = (struct cpu_share){.part = number, .of = 100 * (uint64_t)PERCENT_UNIT};
    return digits && (number > 0 || or_zero) && number <= PERCENT_MOST * (uint64_t)PERCENT_UNIT;
}

bool policy_length(const char *text, size_t n, uint64_t *ns)
{
    struct error ignored;
    return n > 0 && isalpha((unsigned char)text[n - 1]) && parse_duration("", text, n, ns, &ignored) == 0;
}

int policy_floor(const char *where, const char *text, struct cpu_share *floor, struct error *err)
{
    if (policy_percent(text, strlen(text), true, floor) && floor->part < floor->of)
        return 0;
    return error_set(
        err, ERROR_USAGE,
        "%s: '%.40s' is not a part of a reservation from 0%% on and below 100%%, for example 10%%", where,
        text);
}

int policy_feedback(const char *where, const char *text, uint64_t *ns, struct error *err)
{
    if (policy_length(text, strlen(text), ns) && *ns >= FEEDBACK_MIN_NS && *ns <= FEEDBACK_MAX_NS)
        return 0;
    return error_set(err, ERROR_USAGE,
                     "%s: '%.40s' is not a length of time from 1ms to 1h, for example 500ms", where, text);
}

int policy_slice(const char *where, uint64_t slice_ns, uint64_t period_ns, struct cpu_share *share,
                 struct error *err)
{
    *share = (struct cpu_share){.part = slice_ns, .of = period_ns};
    if (slice_ns == 0)
        return error_set(err, ERROR_USAGE, "%s: a slice is above 0, for example 10ms of a period of 100ms",
                         where);
    if (slice_ns <= period_ns)
        return 0;
    return error_set(err, ERROR_USAGE,
                     "%s: the slice is longer than its period; a share above 100%% is given in %%", where);
}

int policy_domain(const char *where, char *key, struct subject *s, struct error *err)
{
    const char *digits = key;
    size_t id;
    s->name = key;
    if (key[strspn(key, "0123456789")] || !*key)
        return *key ? 0 : error_set(err, ERROR_USAGE, "%s: wants the id or the name of a domain", where);
    if (number_below(&digits, DOMAINS, &id) != 0)
        return error_set(err, ERROR_USAGE, "%s: ids of domains are below %u", where, DOMAINS);
    s->name = NULL;
    s->domain = (uint16_t)id;
    return 0;
}

void policy_settle(struct policy_settings *s, const struct policy_settings *given)
{
    const struct cpu_share floor = {.part = FLOOR_DEFAULT_PERCENT, .of = 100};
    s->feedback_ns = given->feedback_ns ? given->feedback_ns
                     : s->feedback_ns   ? s->feedback_ns
                                        : FEEDBACK_DEFAULT_NS;
    s->floor = given->floor.of ? given->floor : s->floor.of ? s->floor : floor;
    s->spread = given->spread ? given->spread : s->spread ? s->spread : 1;
    s->host_pcpus = given->host_pcpus ? given->host_pcpus : s->host_pcpus;
}

int policy_complete(struct debt_policy *p, const struct policy_settings *s, struct error *err)
{
    p->feedback_ns = s->feedback_ns;
    p->host_pcpus = s->host_pcpus;
    return p->host_pcpus ? debt_policy_check_sum(p, debt_policy_reserved_ns(p), p->n, p->host_pcpus, err) : 0;
}
