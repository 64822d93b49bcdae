/*
 * The intervals of all granularities into which delays are booked, and their rows. Delays come tick by tick, within a
 * tick in any order; so intervals after the open one are kept until it is handed out.
 */
#ifndef XENMETER_METRICS_MEASURE_DELAY_BOOK_H
#define XENMETER_METRICS_MEASURE_DELAY_BOOK_H

#include "delay_sums.h"
#include "delays.h"

/* Part of a wait, whose culprit is known. */
struct delay_stretch {
    uint64_t from_ns, to_ns;
    uint64_t since_ns; /* when the delay began: before from_ns if a tick cut it */
    uint32_t victim, culprit;
    bool ends; /* the delay ends at to_ns */
};

/* A stretch that begins in a later interval than the open one. */
struct later_stretch {
    struct delay_stretch stretch;
    size_t next; /* of the same interval: its place in the list + 1; 0: none */
};

/* The open interval of one granularity, and what is known already of those after it. */
struct open_interval {
    uint64_t length_ns, start_ns, next_ns;
    struct delay_sums sums;
    struct later_stretch *later;
    size_t later_n, later_capacity;
    size_t *intervals; /* the first stretch of each interval since the last tick, as `next` */
    size_t intervals_capacity;
    uint64_t first; /* number of the interval that was open at the last tick */
};

/* All zero is none. */
struct delay_book {
    struct delay_options options; /* to_ns: UINT64_MAX if it was 0 */
    struct open_interval open[METER_GRANULARITIES];
    uint32_t *victims; /* of the interval that is handed out, in the order of its rows */
    size_t victims_capacity;
    struct delay *rows;
    size_t rows_capacity;
    size_t memory;   /* bytes held, without the sums */
    bool over;       /* the part asked for has ended and was handed out */
    bool failed;     /* memory ran out */
    bool sink_ended; /* options.rows asked to end */
};

void delay_book_init(struct delay_book *b, const struct delay_options *options);
void delay_book_free(struct delay_book *b);

/* Bytes held; what delay_book_make_room got for the caller, too. */
size_t delay_book_memory(const struct delay_book *b);

/* Room for n elements at *items. False: no memory; the book has failed. */
bool delay_book_make_room(struct delay_book *b, void *items, size_t *capacity, size_t n, size_t size);

/* Books what of a stretch lies in the part asked for. It begins at the last delay_book_hand_out's time or later. */
void delay_book_add(struct delay_book *b, const struct delay_stretch *stretch);

/* Everything up to until_ns was added: hands out the intervals that end by then, all if the part asked for does. */
void delay_book_hand_out(struct delay_book *b, const struct population *p, uint64_t until_ns);

/*
 * The part asked for ends here, unless it has: hands out what is open, the whole last. Not `complete`: of the intervals
 * that are open only the whole.
 */
void delay_book_finish(struct delay_book *b, const struct population *p, uint64_t end_ns, bool complete);

/* Nothing more is to be added. */
static inline bool delay_book_is_closed(const struct delay_book *b)
{
    return b->over || b->failed || b->sink_ended;
}

#endif
