/* What is set for the guests of a host, as it was read from the host. */
#ifndef XENMETER_ACT_READING_H
#define XENMETER_ACT_READING_H

#include <stddef.h>
#include <stdint.h>

#define ACT_NAME_BYTES  128
#define ACT_VALUE_BYTES 1024 /* parameters of up to some 20 vCPUs, each with its own */

/* One guest. */
struct host_guest {
    uint16_t domain;
    char name[ACT_NAME_BYTES];   /* "": not known */
    char value[ACT_VALUE_BYTES]; /* what is set: words that set it again, with a blank between them */
    uint32_t vcpus;              /* 0: not known */
    uint32_t period_us;          /* of its vCPUs, under RTDS; 0: not known */
};

/* All zero: none. */
struct host_guests {
    struct host_guest *at; /* by ascending id */
    size_t n, capacity;
};

void host_guests_free(struct host_guests *g);

/* A guest more, zeroed but for its id, which is larger than those before. NULL: no memory. */
struct host_guest *host_guests_add(struct host_guests *g, uint16_t domain);

/* The guest of that id; NULL: there is none. */
struct host_guest *host_guests_find(const struct host_guests *g, uint16_t domain);

#endif
