/* host_plan.h - what one run is made of: host, mask, damage, reading; all from one seed. */
#ifndef XENMETER_TESTS_HOSTS_PLAN_H
#define XENMETER_TESTS_HOSTS_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sim/trace_events.h"

/* How busy the guests are. */
enum mood {
    MOOD_USUAL,   /* all kinds of guests */
    MOOD_QUIET,   /* everybody sleeps nearly all the time */
    MOOD_BURNERS, /* guests that never block, beside some that do */
    MOOD_BUSY     /* short bursts and short sleeps */
};

/* Bits of plan->io. */
enum { IO_NETWORK = 1, IO_DISK = 2, IO_SECOND_DRIVER = 4, IO_MAPS = 8, IO_ALL = 15 };

struct plan {
    uint64_t seed;
#define FIELD(name, shrinks, help) int64_t name;
#include "plan.def"
};

/* A table of the fields, for options and for shrinking. */
struct plan_field {
    const char *name, *help;
    bool shrinks; /* less of it is simpler */
    size_t offset;
};
extern const struct plan_field plan_fields[];
extern const size_t plan_fields_n;

static inline int64_t *plan_value(struct plan *p, const struct plan_field *field)
{
    return (int64_t *)(void *)((char *)p + field->offset);
}

/* Draws everything from the seed. */
void plan_draw(struct plan *p, uint64_t seed);

/* "NAME=VALUE,..."; returns false when one is not known or not a number. */
bool plan_set(struct plan *p, const char *text);

/* Brings fields that exclude each other, or are out of range, into line. Call after the last change. */
void plan_settle(struct plan *p);

/* Whether the file that it makes lacks anything that a whole trace has. */
bool plan_damages(const struct plan *p);

/* Whether nothing goes wrong but even losses on one of the pCPUs. */
bool plan_has_one_lossy_pcpu(const struct plan *p);

/* Whether the mask keeps the event out of the file. */
bool plan_leaves_out(const struct plan *p, enum trace_event event);

#endif
