/*
 * Results as lines of JSON: what a meter hands to its sink, call by call, in a form that adds (histograms included).
 * One line each: {"interval":{...}} and after it the rows of that interval {"row":{...}}, {"execution":{...}}, {"charges":{...}},
 * {"before_seen":{...}}.
 * xenmeter-archive(5) describes every key. A line has one form only: members in a fixed order, those that are 0 or do not
 * apply left out, no spaces, numbers exact.
 */
#ifndef XENMETER_ARCHIVE_RESULTS_H
#define XENMETER_ARCHIVE_RESULTS_H

#include <stddef.h>

#include "archive/fields.h"
#include "formats/buffer.h"
#include "metrics/measure/meter_options.h"
#include "parser/error.h"

#define RESULTS_DOMAINS 65536 /* domain ids */

/* A part of a recording: what is stored of it counts from its beginning. */
struct part_place {
    uint64_t origin_ns; /* where it begins; earlier moments are stored as its beginning */
};

/* As it is stored of that part; NULL: as it is. */
static inline uint64_t part_moment(const struct part_place *part, uint64_t ns)
{
    uint64_t origin_ns = part ? part->origin_ns : 0;
    return ns > origin_ns ? ns - origin_ns : 0;
}
/* Append lines; `part`: of that part of a recording, NULL: of a whole trace. b->failed tells whether memory ran out. */
void results_put_interval(struct buffer *b, const struct interval *interval, const struct row *rows, size_t n,
                          const struct part_place *part);
void results_put_execution(struct buffer *b, const struct execution *execution,
                           const struct part_place *part);
void results_put_charges(struct buffer *b, const struct interval *interval, const struct charge_idd *idds,
                         size_t n, const struct part_place *part);
void results_put_before_seen(struct buffer *b, const struct before_seen *s, const struct part_place *part);

/* Where a capture lies on a timeline of several. */
struct timeline_place {
    uint64_t offset_ns; /* its start */
    /* by domain id: lives in the captures before, but for the last one, which goes on; and the highest life so far */
    uint32_t before[RESULTS_DOMAINS], seen[RESULTS_DOMAINS];
};

static inline uint64_t timeline_ns(const struct timeline_place *p, uint64_t ns)
{
    return ns > UINT64_MAX - p->offset_ns ? UINT64_MAX : ns + p->offset_ns;
}

/*
 * Reads them back; keeps what it needs between members. `place` (NULL: a timeline of its own): lives, and the times of executions
 * and of the longest samples, become those of the timeline; intervals and before_seen keep the capture's times. It outlives the
 * reader. The rows of one interval may take memory_limit bytes (0: 1 GiB); more is ERROR_MEMORY. NULL: no memory.
 */
struct results_reader;
struct results_reader *results_reader_new(struct timeline_place *place, size_t memory_limit);
void results_reader_free(struct results_reader *r);

/*
 * Hands what n bytes of whole lines hold to `sink`, in order; NULL functions get nothing, and what they would get is
 * passed over without being read in full. An interval and its rows lie in one member. What a meter could never have
 * handed out (an end before the start, negative times, unordered rows, numbers out of range, buckets
 * that do not add up to the count) is damage, and so is a line of more than 16 MiB. Returns 0; -1 with `err` filled
 * (offset: of the line, from `offset` on); or what the sink returned, if not 0, at once, err untouched.
 */
int results_read(struct results_reader *r, const char *text, size_t n, uint64_t offset,
                 const struct meter_sink *sink, struct error *err);

#endif
