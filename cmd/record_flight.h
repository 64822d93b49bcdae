/* Options of the flight recorder of xenmeter record. */
#ifndef XENMETER_CMD_RECORD_FLIGHT_H
#define XENMETER_CMD_RECORD_FLIGHT_H

#include "completion.h"
#include "options.h"
#include "record/recorder.h"

#define FLIGHT_RULES_MAX 64
#define FLIGHT_DUMPS     10

/* What the options say; `offset` of each of them is that of this struct. */
struct record_flight {
    uint64_t bytes_max, age_ns; /* --flight; 0: not given */
    uint64_t after_ns, cooldown_ns;
    struct condition rules[FLIGHT_RULES_MAX];
    size_t rules_n;
    const char *given; /* an option that needs --flight; NULL: none was given */
};

set_option set_flight, set_flight_rule, set_flight_after, set_flight_cooldown;

/* Offers the columns that rules can be about. */
void complete_flight_rules(struct completion *c);

/* Whether they go together, and with the limits. -1 with `err` filled. */
int record_flight_check(const struct record_flight *f, const struct store_limits *limits, struct error *err);

/* What the recorder is asked for; points into `f`. */
struct flight_options record_flight_options(const struct record_flight *f);

#endif
