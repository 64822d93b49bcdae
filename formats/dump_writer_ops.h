/* The operations of a format of a dump, and what they need. */
#ifndef XENMETER_FORMATS_DUMP_WRITER_OPS_H
#define XENMETER_FORMATS_DUMP_WRITER_OPS_H

#include "formats/dump_put.h"
#include "formats/dump_writer.h"

#define DUMP_LINE_MOST 2048 /* bytes of a line, and of the overwritten bytes after it */

struct dump_form;

struct dump_writer_ops {
    const char *name;
    char *(*header)(const struct dump_form *w,
                    char *to); /* writes the first line; returns its end. NULL: none */
    const struct dump_style *style;
    /* Writes the line of a record, with room for DUMP_LINE_MOST bytes; returns where it ends. */
    char *(*line)(struct dump_form *w, const struct dump_record *r, char *to);
};

extern const struct dump_writer_ops dump_text, dump_csv, dump_csv_event, dump_jsonl;

/* For CSV: time, pCPU and vCPU of a record, and the comma after them. */
char *dump_csv_place(struct dump_form *w, const struct dump_record *r, char *to);

/* The text of a pCPU and its vCPU, made anew when the vCPU changes. */
struct dump_place {
    uint32_t current;
    uint8_t length; /* 0: not made yet */
    char text[63];
};

#define DUMP_NAME_MOST 47 /* characters of the name of an event */

/* The name of an event in the form of a line. */
struct dump_name {
    uint8_t length;
    char text[DUMP_NAME_MOST];
};

/*
 * A cache of event and fields: these texts often repeat, with the same hypercall, address or vCPU. The event, the form
 * and the words of a record give the place in the cache.
 */
#define DUMP_MEMOS      2048
#define DUMP_MEMO_BYTES 128

struct dump_memo {
    uint64_t words[2]; /* of the record: at most four */
    uint32_t header;
    uint16_t fields; /* field_list.id */
    uint8_t length;  /* 0: empty */
    char text[DUMP_MEMO_BYTES - 23];
};

#define DUMP_COLUMNS_MOST 32

/* The columns of the fields of one event. */
struct dump_columns {
    unsigned n;
    const char *names[DUMP_COLUMNS_MOST];
    bool flags[DUMP_COLUMNS_MOST]; /* such a field is only there where it is 1 */
};

/* Those of the event in this slot (own_event_slot), in the order of the tables. */
void dump_columns_of(struct dump_columns *c, unsigned slot, const struct own_events *own);

/* What one thread needs to make lines. */
struct dump_form {
    const struct dump_writer_ops *ops;
    bool tsc;
    const struct moments *moments;  /* NULL: no times of day */
    const struct dump_steps *steps; /* of all lists of fields; the writer's, as are the names */
    const struct dump_name *names;  /* of events, by slot */
    struct dump_place *places;      /* by pCPU */
    struct dump_memo *memos;        /* DUMP_MEMOS of them */
    uint64_t second_from_ns;        /* the second of the last time, */
    char second[DIGITS_ROOM];       /* and its text, */
    unsigned second_length;
    struct dump_columns columns; /* of dump_csv_event */
};

/* What times are called. */
static inline const char *dump_time_name(const struct dump_form *w)
{
    return w->tsc ? "tsc" : "time_ns";
}

/* Writes the time of day of a record, text of RFC 3339; nothing where it is not known. Returns its end. */
char *dump_put_time(const struct dump_form *w, const struct dump_record *r, char *to);

/* Event and fields of a record: from the cache, or written by the format's `make`. */
static inline __attribute__((always_inline)) char *
dump_put_tail(struct dump_form *w, const struct dump_record *r, char *to,
              char *(*make)(struct dump_form *, const struct dump_record *, char *))
{
    static const uint64_t masks[8][2] = {
        {0, 0}, {0xffffffff, 0}, {UINT64_MAX, 0}, {UINT64_MAX, 0xffffffff}, {UINT64_MAX, UINT64_MAX}};
    unsigned words = r->header >> 28 & 7;
    if (words > 4)
        return make(w, r, to);
    uint64_t a, b;
    memcpy(&a, r->w, 8);
    memcpy(&b, r->w + 2, 8);
    a &= masks[words][0];
    b &= masks[words][1];
    uint64_t mixed = (a ^ (uint64_t)r->header << 32) * 0x9e3779b97f4a7c15 + b * 0xc2b2ae3d27d4eb4f;
    struct dump_memo *memo = &w->memos[(mixed ^ mixed >> 32) * 0x9e3779b97f4a7c15 >> 53];
    if (memo->words[0] == a && memo->words[1] == b && memo->header == r->header &&
        memo->fields == r->fields->id && memo->length) {
        memcpy(to, memo->text, 64);
        if (memo->length > 64)
            memcpy(to + 64, memo->text + 64, sizeof memo->text - 64);
        return to + memo->length;
    }
    char *end = make(w, r, to);
    if ((size_t)(end - to) <= sizeof memo->text) {
        *memo = (struct dump_memo){{a, b}, r->header, r->fields->id, (uint8_t)(end - to), {0}};
        memcpy(memo->text, to, sizeof memo->text);
    }
    return end;
}

#endif
