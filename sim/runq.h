/* runq.h - queues of vCPUs, linked through the schedulers' own structs. */
#ifndef XENMETER_SIM_RUNQ_H
#define XENMETER_SIM_RUNQ_H

#include <stdbool.h>
#include <stddef.h>

/* A queue's head, or a member; zeroed: a member of no queue. */
struct runq_node {
    struct runq_node *next, *prev;
};

static inline void runq_init(struct runq_node *head)
{
    head->next = head->prev = head;
}

static inline bool runq_has(const struct runq_node *node)
{
    return node->next != NULL;
}

/* The first member, NULL: none. */
static inline struct runq_node *runq_first(const struct runq_node *head)
{
    return head->next != head ? head->next : NULL;
}

/* The one after `node`, NULL: it was the last one. */
static inline struct runq_node *runq_next(const struct runq_node *head, const struct runq_node *node)
{
    return node->next != head ? node->next : NULL;
}

static inline void runq_insert_before(struct runq_node *node, struct runq_node *position)
{
    node->next = position;
    node->prev = position->prev;
    position->prev->next = node;
    position->prev = node;
}

static inline void runq_remove(struct runq_node *node)
{
    if (!node->next)
        return;
    node->prev->next = node->next;
    node->next->prev = node->prev;
    node->next = node->prev = NULL;
}

#endif
