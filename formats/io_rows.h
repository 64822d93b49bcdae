/* The rows of xenmeter-io-counts(5), as xenmeter io-counts and the simulated host write them. */
#ifndef XENMETER_FORMATS_IO_ROWS_H
#define XENMETER_FORMATS_IO_ROWS_H

#include <stdbool.h>
#include <stdint.h>

#include "formats/buffer.h"

/* The columns of counts, in the order of the file. */
enum io_column { IO_COLUMN_TX, IO_COLUMN_RX, IO_COLUMN_READ, IO_COLUMN_WRITE, IO_COLUMN_CPU, IO_COLUMNS };

struct io_rows_form {
    bool tsc; /* rows have the time stamp counter, which places them in a trace */
    bool cpu; /* there is a column of CPU times */
    bool
        steal_known; /* the kernel leaves stolen time out of them: the column is cpu_net_ns instead of cpu_ns */
    bool idd_given; /* rows end with the driver domain's id */
    unsigned idd;
};

/* What a row is about: n counts, those of the columns from `first` on. */
struct io_row {
    uint64_t time_ns;
    uint64_t tsc; /* if the form has it */
    unsigned long domain;
    const char *device;
    enum io_column first;
    unsigned n;
    const uint64_t *counts;
};

void io_rows_header(struct buffer *rows, const struct io_rows_form *form);
void io_rows_add(struct buffer *rows, const struct io_rows_form *form, const struct io_row *row);

#endif
