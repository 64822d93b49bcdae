/*
 * Lines of the tables that xl prints: the columns after the name are words, counted from the end of the line, as a name can
 * contain blanks. Source: tools/xl/xl_info.c, xl_vcpu.c, xl_sched.c.
 */
#ifndef XENMETER_HOST_XL_LINE_H
#define XENMETER_HOST_XL_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define XL_LINE_WORDS  12 /* more than any of the tables has after the name */
#define XL_VCPUS_END   8192u
#define XL_DOMAINS_END 0x7ff0u /* DOMID_FIRST_RESERVED */

/* A part of a line. */
struct span {
    const char *at;
    size_t n;
};

/* The last words of a line; words[0] is the very last. */
struct xl_line {
    struct span words[XL_LINE_WORDS];
    size_t n;
};

/* The words point into the line, which may contain any bytes. */
struct xl_line xl_line_cut(struct span line);

/* The text before the word, without blanks around it: the name. */
struct span xl_line_before(struct span line, struct span word);

bool span_is(struct span s, const char *word);

/* True if there is a letter, and all are among `letters`. */
bool span_consists_of(struct span s, const char *letters);

/* A whole number below `end`, of at most ten digits; false leaves *number undefined. */
bool span_number(struct span s, uint64_t end, uint64_t *number);

/* CPU time: "12.5". */
bool span_is_time(struct span s);

/*
 * The columns of xl list, the word at `time` being the last of "ID MEM VCPUS STATE TIME". False: they are not those of a
 * domain.
 */
struct xl_domain {
    uint64_t id, mib, vcpus;
};
bool xl_line_domain(const struct xl_line *line, size_t time, struct xl_domain *domain);

#endif
