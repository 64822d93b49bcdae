/* What a format of a dump implements, and what the formats share. */
#ifndef XENMETER_FORMATS_DUMP_WRITER_OPS_H
#define XENMETER_FORMATS_DUMP_WRITER_OPS_H

#include "formats/dump_put.h"
#include "formats/dump_writer.h"

#define DUMP_BUFFER_BYTES ((size_t)128 << 10) /* stays in the cache */
#define DUMP_LINE_MOST    2048 /* bytes of a line, and of what is written behind it by the way */

struct dump_writer_ops {
    const char *name;
    const char *header; /* the first line; "%s": the name of the column of times. NULL: there is none */
    const struct dump_style *style;
    /* Writes the line of a record, with room for DUMP_LINE_MOST bytes; returns where it ends. */
    char *(*line)(struct dump_writer *w, const struct dump_record *r, char *to);
};

extern const struct dump_writer_ops dump_text, dump_csv, dump_jsonl;

/* What a line says of a pCPU and its vCPU, made when that changes. */
struct dump_place {
    uint32_t current;
    uint8_t length; /* 0: not made yet */
    char text[63];
};

struct dump_writer {
    const struct dump_writer_ops *ops;
    struct output *out;
    bool tsc;
    char *buffer; /* DUMP_BUFFER_BYTES and room for a line more */
    size_t n;
    struct dump_steps *steps;  /* of all lists of fields */
    struct dump_place *places; /* by pCPU */
    struct dump_name *names;   /* of events, by slot */
    uint64_t second_from_ns;   /* the second that times were in last, */
    char second[DIGITS_ROOM];  /* and its text, */
    unsigned second_length;
};

#define DUMP_NAME_MOST 39 /* characters of the name of an event */

/* The name of an event as a line has it. */
struct dump_name {
    uint8_t length;
    char text[DUMP_NAME_MOST];
};

#endif
