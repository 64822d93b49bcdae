/* The charges of a driver domain as rows: one for each of its guests, then its own time, then what is unattributed. */
#ifndef XENMETER_FORMATS_CHARGE_ROW_H
#define XENMETER_FORMATS_CHARGE_ROW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "metrics/measure/charge.h"

enum recipient { RECIPIENT_GUEST, RECIPIENT_OWN, RECIPIENT_UNATTRIBUTED };

#define EVIDENCE_BYTES 160 /* of every kind's name and per cent */

struct charge_row {
    const struct charge_idd *idd;
    const struct charge_guest *guest; /* NULL: own or unattributed */
    enum recipient recipient;
    uint64_t charged_ns;
    const uint64_t *events;        /* by kind; NULL: it has none */
    size_t events_n;               /* kinds of which there can be any */
    char evidence[EVIDENCE_BYTES]; /* "copy 71% map 29%": the kinds that charged_ns rests on; may be empty */
};

/* How many rows a driver domain has: those of guests only, or two more. */
size_t charge_rows_n(const struct charge_idd *idd, bool guests_only);

/* Row `at` of a driver domain, in the order above. It points into `idd`. */
struct charge_row charge_row_of(const struct charge_idd *idd, size_t at);

/*
 * Per cent of a guest's charged time that rests on events of a kind, or on inferred ones; 0 without any time. The parts
 * of all kinds make 100, less what rests on no events: a driver domain's own time that was shared out, too.
 */
double evidence_pct_of(const struct charge_guest *guest, enum io_kind kind);
double inferred_pct_of(const struct charge_guest *guest);

#endif
