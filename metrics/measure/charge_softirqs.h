/*
 * Softirqs that serve several guests at once.
 *
 * A busy driver domain polls its network devices and its guests' rings in turns: in a softirq after an interrupt, or in the thread
 * ksoftirqd. Of a guest's packets the trace has the copies and grants; packets that a device had for other guests leave
 * nothing there, only the copies of the threads that pass them on.
 *
 * So where several batches of packets of guests are received in one go, while threads pass packets on to others,
 * part of it may have been for these. It shows in how long ksoftirqd ran before the first batch: longer than a quarter of
 * its turns do, in the mean. As a turn may begin at any poll, before each batch it was about twice as long. What the
 * devices had then was for all guests, those that sent the batches too, in proportion to the packets that were passed on to
 * each lately: a guest that got hardly any is charged hardly anything. All of the period is inferred.
 */
#ifndef XENMETER_METRICS_CHARGE_SOFTIRQS_H
#define XENMETER_METRICS_CHARGE_SOFTIRQS_H

#include <stdbool.h>

struct charging;
struct period;

/* Part of charging per task (charge_tasks.h). */

/* A kernel thread has ended that did what happened in the period. */
void softirq_learn(struct charging *c, const struct period *p);

/* Whether a kernel thread did what happened in the period, and passed packets on to a guest. */
bool softirq_passes_on(const struct period *p);

/* Interrupts without I/O after which no thread had its turn: they go to the guests that packets are passed on to. */
void softirq_share_unfollowed(struct charging *c, struct period *p);

/* The period is over and its weights are in c->real_weights: adds the shares of others. */
void softirq_share(struct charging *c, struct period *p);

#endif
