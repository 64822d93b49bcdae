/* How much a recorder's folder may still grow, for whoever writes to it: asked before each write. */
#ifndef XENMETER_RECORD_STORE_ROOM_H
#define XENMETER_RECORD_STORE_ROOM_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "parser/error.h"
#include "record/store.h"

/* All zero but for these two is a new one. Any thread may use it. */
struct store_room {
    struct store *store;
    bool removes;                  /* the oldest files make room */
    _Atomic uint64_t keep_bytes;   /* the limit; 0: none */
    _Atomic uint64_t files, bytes; /* that were removed */
    atomic_bool near; /* less than what completes an archive is left, and nothing is to be removed */
};

/* What is to be left beside what is written, so that an archive can be completed. */
uint64_t store_room_reserve(uint64_t keep_bytes);

/* Makes room for n bytes more. -1 with `err` filled: there is none. `context`: a struct store_room. */
int store_room_for(void *context, size_t n, struct error *err);

#endif
