/* The lines of a dump, read again as they are written; what does not hold of a line is a finding. */
#ifndef XENMETER_TESTS_FUZZ_SHEET_H
#define XENMETER_TESTS_FUZZ_SHEET_H

#include "formats/dump_writer.h"

#define LINES_BYTES (1u << 20) /* room for the lines of some records, or for those of counts */

enum format { TEXT, CSV, JSONL };

/* A writer, and where its lines can be read again. All 0 before its first use. */
struct sheet {
    int from;
    struct output *output;
    struct dump_writer *writer;
    enum format format;
    bool cycles; /* times are in cycles, not in ns */
    char lines[LINES_BYTES];
    size_t n;
};

/*
 * A new writer, to be freed. The pipe stays for the next input: to make one takes longer than to read most inputs.
 */
void sheet_begin(struct sheet *s, enum format format, bool cycles);

/* As options name it. */
const char *sheet_format_name(const struct sheet *s);

/* Takes all that was written into `lines`, in place of what is there. */
void sheet_read(struct sheet *s);

/* The line that begins at *line, which moves behind it. Returns its length. */
size_t sheet_next_line(const struct sheet *s, const char **line);

/* The lines begin with a header, where the format has one; takes it away. */
void sheet_check_header(struct sheet *s);

/* A line of n bytes is of this record. */
void sheet_check_record(const struct sheet *s, const char *line, size_t n, const struct dump_record *r);

/* Reads the lines of counts, which are whole lines of the format. */
void sheet_check_counts(struct sheet *s);

#endif
