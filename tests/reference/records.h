/*
 * A capture read once more, in the plainest way: every record of it in one array, in order. From the format's facts alone;
 * nothing of the program is used.
 */
#ifndef XENMETER_TESTS_REFERENCE_RECORDS_H
#define XENMETER_TESTS_REFERENCE_RECORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Its time is its own; without one, that of the record before it in the window. Before any record of the window that has one it
 * may come whenever the pCPU was between its records with a time: least_tsc to tsc.
 */
struct ref_record {
    uint64_t tsc, least_tsc;
    uint32_t number; /* of the event: 28 bits */
    uint32_t words_n;
    uint32_t w[7];
    uint16_t pcpu;
    bool timed;
    size_t place;  /* in the file: number of the record, */
    size_t offset; /* and where it begins */
};

#define REF_PCPUS 8

struct ref_records {
    struct ref_record *at; /* of a pCPU as they were written; among pCPUs by time, then by pCPU */
    size_t n;
    struct ref_record *of[REF_PCPUS]; /* the same, of one pCPU */
    size_t of_n[REF_PCPUS];
    uint64_t first_tsc, last_tsc;
};

/* Bytes [from, to) of a capture that hold no records any more: the end of a window. */
struct ref_damage {
    size_t from, to;
};

/*
 * Reads n bytes of well-formed windows, but for the damage, of pCPUs below REF_PCPUS; what follows the last whole record is left out. The first record
 * of each pCPU has a time. Free with ref_records_free.
 */
void ref_records_read(struct ref_records *r, const uint8_t *bytes, size_t n, struct ref_damage damage);
void ref_records_free(struct ref_records *r);

#endif
