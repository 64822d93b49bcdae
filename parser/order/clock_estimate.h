/* From marks to a frequency, and how sure it is. */
#ifndef XENMETER_PARSER_CLOCK_ESTIMATE_H
#define XENMETER_PARSER_CLOCK_ESTIMATE_H

#include <stdbool.h>
#include <stddef.h>

#include "clock_marks.h"

struct clock_estimate {
    double cpu_hz;
    size_t samples;    /* stretches of about one length, whose median it is */
    double spread_ppm; /* half the distance between their quartiles */
    double error_ppm;  /* standard error, with what is known to bias it; the truth is within three of them */
};

/* The room in which an estimate is made. NULL: no memory. */
struct clock_room *clock_room_new(void);
void clock_room_free(struct clock_room *room);

/*
 * The frequency (`hz_least` or more), in `e`. False: the marks allow none, or more than one that is known to 5 %.
 */
bool clock_estimate(const struct clock_marks *m, double hz_least, struct clock_room *room,
                    struct clock_estimate *e);

#endif
