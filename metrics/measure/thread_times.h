/*
 * Measured before modelled: the CPU time of threads that a driver domain runs for one guest, as its kernel counted it
 * (outside counters), against what the model says of the same time.
 *
 * Time is taken in stretches, each from one reading to the next, as near as the boundaries of charging periods allow, and
 * at most a second long. In a stretch the model charges guest g with m(g), and for w(g) what ran for g waited, preempted,
 * or was interrupted. A thread's time goes on meanwhile, so what was measured is corrected:
 * M(g) = measured * m(g) / (m(g) + w(g)), or as for the driver domain as a whole where the model has nothing of g; the
 * kernel may have left stolen time out itself (counters.cpu_is_net). Then
 *
 *   a guest with M(g) > m(g) is charged M(g). What it lacks is taken from unattributed time first, then from the driver
 *   domain's own time and from what the model gives to others beyond what was measured of them, in proportion;
 *   a guest with M(g) < m(g) is charged M(g) and, by the model, what is left of the rest. Where the model cannot tell the
 *   driver domain's own work apart, the rest of all guests is at most what was counted of interrupts and softirqs.
 *
 * What was measured for domains that the trace does not show is unattributed, and comes from where a guest's lack does.
 * What cannot be (counters_cpu_between, thread_limits.h) is not believed: the model alone charges there.
 *
 * Each charging period gives and takes its part, so that its shares add up to its time, and all periods of the stretch
 * to these sums. A period's shares are final at the end of its stretch: until then its slices wait.
 */
#ifndef XENMETER_METRICS_THREAD_TIMES_H
#define XENMETER_METRICS_THREAD_TIMES_H

#include <stdbool.h>
#include <stdint.h>

struct charging;
struct thread_times;
struct period;

/* Part of the charging stage (charging.h); where there are no CPU times nothing is done. */

/* For the outside counters of `c`. NULL: they have no CPU time, or there is no memory (c->failed). */
struct thread_times *thread_times_new(struct charging *c);
void thread_times_free(struct thread_times *m);

/* Whether CPU times were read twice at least in the domain of this id. */
bool thread_times_has(const struct charging *c, uint16_t domain);

/*
 * The period is over and the model has shared it out. It is kept until its stretch ends if its driver domain has CPU times; then
 * its shares are final, but for those of idle time (idle_share.h) and a known load of own work (charge_own.h).
 */
void thread_times_settle(struct charging *c, struct period *p);

/* The vCPU of a driver domain is preempted, after running in the period (NULL: that is not known); and waits no longer. */
void thread_times_begin_wait(struct charging *c, uint32_t vcpu, struct period *ran_in);
void thread_times_end_wait(struct charging *c, uint32_t vcpu);

/*
 * `change` vCPUs more of the driver domain can run from now on: they run, wait, or are in an unknown state. A vCPU that was
 * seen first could run for before_ns up to now.
 */
void thread_times_count(struct charging *c, uint32_t idd, int change, uint64_t before_ns);

/* All periods that end up to until_ns are held: ends the stretches that end by then. */
void thread_times_advance(struct charging *c, uint64_t until_ns);

/* No periods are to come, and the trace ends at end_ns. */
void thread_times_end(struct charging *c, uint64_t end_ns);

/* When the stretch began to which a period belongs that is held now; UINT64_MAX: none is held. */
uint64_t thread_times_since(const struct charging *c);

#endif
