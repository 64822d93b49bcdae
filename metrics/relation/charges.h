/* The charges of a driver domain as rows: one for each of its guests, then its own time, then what is unattributed. */
#ifndef XENMETER_METRICS_RELATION_CHARGES_H
#define XENMETER_METRICS_RELATION_CHARGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "metrics/measure/charge.h"

enum recipient { RECIPIENT_GUEST, RECIPIENT_OWN, RECIPIENT_UNATTRIBUTED };

#define EVIDENCE_BYTES 176 /* of every kind's name and per cent, and "measured" */

struct charge_row {
    const struct charge_idd *idd;
    const struct charge_guest *guest; /* NULL: own or unattributed */
    enum recipient recipient;
    uint64_t charged_ns;
    const uint64_t *events; /* by kind; NULL: it has none */
    size_t events_n;        /* kinds of which there can be any */
    char evidence
        [EVIDENCE_BYTES]; /* "measured 98%", "copy 71% map 29%": what charged_ns rests on; may be empty */
};

/* Room for the rows of one interval; all zero is none. The caller frees `at`. */
struct charge_rows {
    struct charge_row *at;
    size_t n, capacity;
};

/* The rows of n driver domains, one domain's after the other's; they point into `idds`. False when memory ran out. */
bool charge_rows_fill(struct charge_rows *rows, const struct charge_idd *idds, size_t n);

/*
 * Per cent of a guest's charged time that rests on events of a kind, or on inferred ones; 0 without any time. The parts
 * of all kinds make 100, less what rests on no events: a driver domain's own time that was shared out, too.
 */
double evidence_pct_of(const struct charge_guest *guest, enum io_kind kind);
double inferred_pct_of(const struct charge_guest *guest);

/* Per cent of it that the driver domain's own kernel measured; 0 without any time. */
double measured_pct_of(const struct charge_guest *guest);

#endif
