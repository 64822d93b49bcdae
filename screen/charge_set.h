/* Charges of driver domains that own their lists of guests: copied from a meter's, and added up over several seconds. */
#ifndef XENMETER_SCREEN_CHARGE_SET_H
#define XENMETER_SCREEN_CHARGE_SET_H

#include <stdbool.h>
#include <stddef.h>

#include "metrics/measure/charge.h"

/* By domain and life, each driver domain once, and so are its guests. All zero is empty. */
struct charge_set {
    struct charge_idd *idds; /* idds[i].guests belongs to the set */
    size_t n;
};

/* Adds n driver domains, which are in order. False: no memory; the set can only be freed then. */
bool charge_set_add(struct charge_set *set, const struct charge_idd *idds, size_t n);

/* The guest's part of a driver domain; NULL: it has none. */
const struct charge_guest *charge_set_guest(const struct charge_idd *idd, int32_t domain, uint32_t life);

/* Back to empty. */
void charge_set_free(struct charge_set *set);

/* Bytes of heap held. */
size_t charge_set_memory(const struct charge_set *set);

#endif
