#include "formats/charge_row.h"

#include <stdio.h>

size_t charge_rows_n(const struct charge_idd *idd, bool guests_only)
{
    return idd->guests_n + (guests_only ? 0 : 2);
}

/* What per cents are of: the time charged, or the sum of its parts where rounding made that larger. */
static double charged_of(const struct charge_guest *guest)
{
    double sum = 0, charged = (double)guest->charged_ns;
    for (int kind = 0; kind < IO_KINDS; kind++)
        sum += guest->charged_by_ns[kind];
    return sum > charged ? sum : charged;
}

static double per_cent(double part, double whole)
{
    if (!(part > 0) || !(whole > 0))
        return 0;
    return part < whole ? 100 * part / whole : 100;
}

double evidence_pct_of(const struct charge_guest *guest, enum io_kind kind)
{
    return per_cent(guest->charged_by_ns[kind], charged_of(guest));
}

double inferred_pct_of(const struct charge_guest *guest)
{
    return per_cent(guest->charged_inferred_ns, charged_of(guest));
}

/* The kinds by their per cent, the largest first. */
static void write_evidence(char to[EVIDENCE_BYTES], const struct charge_guest *guest)
{
    bool told[IO_KINDS] = {false};
    size_t n = 0;
    *to = '\0';
    for (;;) {
        int most = -1;
        for (int kind = 0; kind < IO_KINDS; kind++)
            if (!told[kind] && guest->charged_by_ns[kind] > 0 &&
                (most < 0 || guest->charged_by_ns[kind] > guest->charged_by_ns[most]))
                most = kind;
        if (most < 0 || n >= EVIDENCE_BYTES)
            return;
        told[most] = true;
        double pct = evidence_pct_of(guest, (enum io_kind)most);
        n += (size_t)snprintf(to + n, EVIDENCE_BYTES - n, "%s%s %s%.0f%%", n ? " " : "", io_kind_names[most],
                              pct < 0.5 ? "<" : "", pct < 0.5 ? 1 : pct);
    }
}

struct charge_row charge_row_of(const struct charge_idd *idd, size_t at)
{
    struct charge_row row = {.idd = idd};
    if (at < idd->guests_n) {
        row.guest = &idd->guests[at];
        row.charged_ns = row.guest->charged_ns;
        row.events = row.guest->events;
        row.events_n = IO_KINDS;
        write_evidence(row.evidence, row.guest);
    } else if (at == idd->guests_n) {
        row.recipient = RECIPIENT_OWN;
        row.charged_ns = idd->own_ns;
    } else {
        row.recipient = RECIPIENT_UNATTRIBUTED;
        row.charged_ns = idd->unattributed_ns;
        row.events = idd->unassigned;
        row.events_n = IO_TRACE_KINDS;
    }
    return row;
}
