/*
 * I/O between a guest and a driver domain (IDD), as a trace or outside counters show it. Each event belongs to a pair:
 * the guest it was done for and the driver domain that did it.
 */
#ifndef XENMETER_METRICS_IO_H
#define XENMETER_METRICS_IO_H

enum io_kind {
    IO_MAP,      /* a page of the guest was mapped by the driver domain (GRANT_MAP) */
    IO_UNMAP,    /* ... and unmapped (GRANT_UNMAP) */
    IO_TRANSFER, /* a page was handed over to the guest (GRANT_TRANSFER: classic netback) */
    IO_NOTIFY,   /* one woke the other through an event channel, or tried to */
    IO_COPY,     /* a grant copy operation of the driver domain (hypercall grant_table_op copy) */
    IO_TX,       /* outside counters: packets the driver domain sent to the guest (vif tx_packets) */
    IO_RX,       /* outside counters: packets it received from the guest (vif rx_packets) */
    IO_READ,     /* outside counters: read requests of the guest */
    IO_WRITE,    /* outside counters: write requests */
    IO_KINDS
};

#define IO_TRACE_KINDS IO_TX /* the kinds below come from the trace */

/* "map" "unmap" "transfer" "notify" "copy" "tx" "rx" "read" "write": JSON keys and column names. */
extern const char *const io_kind_names[IO_KINDS];

/* The same as --weights has them: "send" and "recv" for tx and rx. */
extern const char *const io_weight_names[IO_KINDS];

#endif
