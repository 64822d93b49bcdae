#include "formats/io_rows.h"

#include <inttypes.h>

void io_rows_header(struct buffer *rows, const struct io_rows_form *form)
{
    buffer_text(rows, "time_ns,tsc,domain,device,tx_packets,rx_packets,read_ops,write_ops");
    if (form->cpu)
        buffer_text(rows, form->steal_known ? ",cpu_net_ns" : ",cpu_ns");
    buffer_text(rows, form->idd_given ? ",idd\n" : "\n");
}

void io_rows_add(struct buffer *rows, const struct io_rows_form *form, const struct io_row *row)
{
    buffer_printf(rows, "%" PRIu64 ",", row->time_ns);
    if (form->tsc)
        buffer_printf(rows, "%" PRIu64, row->tsc);
    buffer_printf(rows, ",%lu,%s", row->domain, row->device);
    for (unsigned column = 0; column < (form->cpu ? IO_COLUMNS : IO_COLUMN_CPU); column++) {
        buffer_text(rows, ",");
        if (column >= row->first && column < row->first + row->n)
            buffer_printf(rows, "%" PRIu64, row->counts[column - row->first]);
    }
    if (form->idd_given)
        buffer_printf(rows, ",%u", form->idd);
    buffer_text(rows, "\n");
}
