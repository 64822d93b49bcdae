#include "host/io_reader.h"

#include <stdlib.h>

#include "host/io_kernel.h"
#include "host/io_threads.h"

struct io_reader {
    struct io_devices *devices;
    struct io_threads *threads; /* NULL: not wanted */
    struct io_moment before;    /* when the reading before began; no ticks: there was none */
};

struct io_rows_form io_reader_form(const char *root)
{
    return (struct io_rows_form){.tsc = io_clock_has_tsc(),
                                 .cpu = io_kernel_has_proc(root),
                                 .steal_known = io_kernel_leaves_out_steal(root)};
}

struct io_reader *io_reader_new(const struct io_wanted *wanted, struct error *err)
{
    struct io_reader *r = calloc(1, sizeof *r);
    if (!r) {
        error_no_memory(err, "reading counters");
        return NULL;
    }
    r->devices = io_devices_new(wanted, err);
    if (r->devices && wanted->form.cpu) {
        const struct io_interfaces interfaces = io_devices_interfaces(r->devices);
        r->threads = io_threads_new(wanted, &interfaces, err);
    }
    if (r->devices && (r->threads || !wanted->form.cpu))
        return r;
    io_reader_free(r);
    return NULL;
}

void io_reader_free(struct io_reader *r)
{
    if (!r)
        return;
    io_threads_free(r->threads);
    io_devices_free(r->devices);
    free(r);
}

int io_reader_read(struct io_reader *r, struct buffer *rows, struct io_reading *reading, struct error *err)
{
    struct io_moment now = io_clock_now();
    if (io_devices_read(r->devices, &now, err) != 0 ||
        (r->threads && io_threads_read(r->threads, &now, err) != 0))
        return -1;
    /* Reading the time may be a system call; the ticks since the reading before say how long this one took. */
    struct io_moment end = r->before.ticks ? io_clock_at(&r->before, &now, io_clock_ticks()) : io_clock_now();
    r->before = now;
    reading->end_ns = end.time_ns;
    reading->devices = io_devices_rows(r->devices, &now, &end, rows);
    if (r->threads)
        io_threads_rows(r->threads, &now, &end, rows);
    reading->unread = r->threads ? io_threads_unread(r->threads) : 0;
    return rows->failed ? error_no_memory(err, "the counts of a reading") : 0;
}

void io_reader_last_rows(struct io_reader *r, struct buffer *rows)
{
    if (r->threads)
        io_threads_last_rows(r->threads, rows);
}

struct io_interfaces io_reader_interfaces(const struct io_reader *r)
{
    return io_devices_interfaces(r->devices);
}
