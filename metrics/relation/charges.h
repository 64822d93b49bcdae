/* The charges of a driver domain as rows: one for each of its guests, then its own time, then what is unattributed. */
#ifndef XENMETER_METRICS_RELATION_CHARGES_H
#define XENMETER_METRICS_RELATION_CHARGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "metrics/measure/charge.h"

enum recipient { RECIPIENT_GUEST, RECIPIENT_OWN, RECIPIENT_UNATTRIBUTED };

#define EVIDENCE_BYTES 176 /* of every kind's name and per cent, and of what was measured */

struct charge_row {
    const struct charge_idd *idd;
    const struct charge_guest *guest; /* NULL: own or unattributed */
    enum recipient recipient;
    uint64_t charged_ns;
    const uint64_t *events; /* by kind; NULL: it has none */
    size_t events_n;        /* kinds of which there can be any */
    /* "measured 50% copy 31% map 19%": what charged_ns rests on; may be empty */
    char evidence[EVIDENCE_BYTES];
};

/* Room for the rows of one interval; all zero is none. The caller frees `at`. */
struct charge_rows {
    struct charge_row *at;
    size_t n, capacity;
};

/* The rows of n driver domains, one domain's after the other's; they point into `idds`. False when memory ran out. */
bool charge_rows_fill(struct charge_rows *rows, const struct charge_idd *idds, size_t n);

/*
 * Per cent of a guest's charged time that rests on events of a kind, or on inferred ones, or was measured; 0 without any
 * time. The parts of all kinds and what was measured make 100, less what rests on neither: a driver domain's own time that
 * was shared out, too.
 */
double evidence_pct_of(const struct charge_guest *guest, enum io_kind kind);
double inferred_pct_of(const struct charge_guest *guest);
double measured_pct_of(const struct charge_guest *guest);

#endif
