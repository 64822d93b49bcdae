/* Driver domains and charges in reports. */
#include "reading.h"

void reading_show_charges(struct reading *r)
{
    r->charges = (struct charge_schema){.options = &r->meter.charge,
                                        .io_counts = reading_io_counts(r),
                                        .dom0_trace = r->options->dom0_trace,
                                        .own_baseline = r->options->own_baseline};
    r->schema.charge = &r->charges;
}

int reading_write_charges(void *reading, const struct interval *interval, const struct charge_idd *idds,
                          size_t n)
{
    struct reading *r = reading;
    if (!charge_rows_fill(&r->charge_rows, idds, n))
        return reading_no_memory(r, n);
    const struct rows rows = {.relation = &relation_charges,
                              .interval = interval,
                              .at = r->charge_rows.at,
                              .n = r->charge_rows.n,
                              .groups = idds,
                              .groups_n = n};
    return reading_write(r, &rows);
}
