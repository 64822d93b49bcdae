#include "simulate_counts.h"

#include <stdio.h>

#include "formats/io_rows.h"

#define INTERVAL_DEFAULT_NS 100000000u

static const struct io_rows_form form_of_file = {
    .tsc = true, .cpu = true, .steal_known = true, .idd_given = true};

static void write_row(struct simulated_counts *c)
{
    if (c->row.failed) {
        struct error err = {0};
        error_no_memory(&err, "the counts of a reading");
        output_fail(c->to, &err);
    }
    output_write(c->to, c->row.at, c->row.n);
    c->row.n = 0;
}

/* As Linux names it; of disks xvda. */
static void name_device(char to[24], const struct simulated_counter *counter)
{
    if (counter->device == DEVICE_NETWORK)
        snprintf(to, 24, "vif%u.%u", counter->domain, (unsigned)counter->number);
    else if (counter->device == DEVICE_DISK)
        snprintf(to, 24, "vbd-%u-51712", counter->domain);
    else
        snprintf(to, 24, "%s", counter->thread);
}

static void take(void *context, const struct simulated_counter *counter)
{
    static const enum io_column first[] = {
        [DEVICE_NETWORK] = IO_COLUMN_TX, [DEVICE_DISK] = IO_COLUMN_READ, [DEVICE_THREAD] = IO_COLUMN_CPU};
    struct simulated_counts *c = context;
    struct io_rows_form form = form_of_file;
    char device[24];
    name_device(device, counter);
    form.idd = counter->driver_domain;
    const struct io_row row = {.time_ns = counter->time_ns,
                               .tsc = counter->tsc,
                               .domain = counter->domain,
                               .device = device,
                               .first = first[counter->device],
                               .n = counter->device == DEVICE_THREAD ? 1 : 2,
                               .counts = counter->counts};
    io_rows_add(&c->row, &form, &row);
    write_row(c);
}

void simulated_counts_begin(struct simulated_counts *c, struct simulation *s, struct output *to,
                            uint64_t interval_ns)
{
    const struct simulation_counters counters = {
        .interval_ns = interval_ns ? interval_ns : INTERVAL_DEFAULT_NS, .context = c, .take = take};
    *c = (struct simulated_counts){.to = to};
    io_rows_header(&c->row, &form_of_file);
    write_row(c);
    simulation_count(s, &counters);
}

void simulated_counts_free(struct simulated_counts *c)
{
    buffer_free(&c->row);
}
