/* The time of a record, in the light of its neighbours: damaged time stamps are not to lead others astray. */
#ifndef XENMETER_PARSER_RECORD_TIME_H
#define XENMETER_PARSER_RECORD_TIME_H

#include "parser/decode/record.h"

/* A tsc further than this from its neighbours needs a second record to confirm it: about 100 s. */
#define TSC_LEAP (1ull << 38)
/* No counter gets that far: 29 years at 5 GHz. */
#define TSC_IMPOSSIBLE (1ull << 62)

/* The tsc of the first record in [p, end) that has one; returns where it ends, NULL if there is none to see. */
const uint8_t *record_next_timed(const uint8_t *p, const uint8_t *end, uint64_t *tsc);

/*
 * The time of the first record of all, `tsc`, in the light of the next two: two of three that agree are right.
 * `behind`: the bytes after its record.
 */
uint64_t record_first_tsc(struct decoder *d, uint64_t tsc, const uint8_t *behind, const uint8_t *end);

/*
 * Judges a tsc that does not simply follow the last one of its pCPU: goes back, leaps ahead, or is the pCPU's first.
 * `behind` .. `end`: the bytes after its record. Returns the tsc to use; *foreign is set if the rest of the window
 * belongs to quite another time.
 */
uint64_t record_judge_tsc(struct decoder *d, struct stream *s, uint64_t tsc, const uint8_t *behind,
                          const uint8_t *end, bool *foreign);

/*
 * The same for any record of its own tsc, `*tsc`, which becomes the one to use; none lies before what was handed on. False:
 * the rest of the window belongs to quite another time.
 */
static inline bool record_place_tsc(struct decoder *d, struct stream *s, uint64_t *tsc, const uint8_t *behind,
                                    const uint8_t *end)
{
    if (!s->begun || *tsc - s->last_tsc > TSC_LEAP) {
        bool foreign = false;
        *tsc = record_judge_tsc(d, s, *tsc, behind, end, &foreign);
        if (foreign)
            return false;
    }
    if (*tsc < d->emitted_tsc) {
        *tsc = d->emitted_tsc; /* what is older than what was handed on can only come at its end */
        d->quality->tsc_backwards++;
    }
    return true;
}

/* The last record with a tsc in a stretch of skipped ones, or NULL, also tells the time of this pCPU. */
void record_note_last_tsc(struct decoder *d, struct stream *s, const uint8_t *record);

#endif
