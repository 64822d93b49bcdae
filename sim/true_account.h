/*
 * true_account.h - what really happened: amounts per second of simulated time.
 *
 * A cell is one kind of amount: a vCPU's time in a runstate, a driver domain's time for a guest by kind of work, a
 * domain's packets. Cells are made before the host starts; adding to one allocates nothing.
 */
#ifndef XENMETER_SIM_TRUE_ACCOUNT_H
#define XENMETER_SIM_TRUE_ACCOUNT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CELL_NONE      UINT32_MAX
#define TRUE_STATES    4 /* enum sim_runstate */
#define TRUE_SECOND_NS 1000000000u

/* How long a response took, and in which second it ended. */
struct true_response {
    uint64_t took_ns;
    uint32_t second;
    uint32_t domain; /* index */
};

struct true_account {
    uint64_t *amounts; /* of second s and cell c: [s * cells + c] */
    uint64_t *totals;  /* of each cell, so far */
    uint32_t cells, seconds;
    struct true_response *responses; /* in the order of true_account_order() once it was called */
    size_t response_count, response_space;
};

/* One more cell; before true_account_open. */
uint32_t true_account_cell(struct true_account *a);

/* Room for all cells over so many ns. False: no memory. */
bool true_account_open(struct true_account *a, uint64_t duration_ns);
void true_account_close(struct true_account *a);

/* Nothing happened after end_ns: there are no more seconds than until then. */
void true_account_cut(struct true_account *a, uint64_t end_ns);

/* Adds the time from .. to, which may lie in several seconds. What lies beyond the duration counts in its last second. */
void true_account_span(struct true_account *a, uint32_t cell, uint64_t from_ns, uint64_t to_ns);

/* Adds an amount at a time. */
void true_account_add(struct true_account *a, uint32_t cell, uint64_t at_ns, uint64_t amount);

/* A response ended. False: no memory. */
bool true_account_respond(struct true_account *a, uint32_t domain, uint64_t at_ns, uint64_t took_ns);

/* Orders the responses by domain, then second, then how long they took. */
void true_account_order(struct true_account *a);

/* Those of a domain in one second, or (second == a->seconds) in all; after true_account_order. Returns the first, *n: how many. */
const struct true_response *true_account_responses(const struct true_account *a, uint32_t domain,
                                                   uint32_t second, size_t *n);

/* The amount so far, while the host runs. */
static inline uint64_t true_account_total(const struct true_account *a, uint32_t cell)
{
    return a->totals[cell];
}

/* The amount of one second, or (second == a->seconds) of all. */
uint64_t true_account_amount(const struct true_account *a, uint32_t cell, uint32_t second);

#endif
