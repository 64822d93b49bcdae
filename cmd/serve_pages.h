/* What xenmeter serve answers: the pages as the trace's thread left them, to the server's thread. */
#ifndef XENMETER_CMD_SERVE_PAGES_H
#define XENMETER_CMD_SERVE_PAGES_H

#include <pthread.h>
#include <stdint.h>

#include "formats/prometheus_text.h"
#include "http_server.h"
#include "metrics/verdict.h"

enum serve_state {
    SERVE_WAITS,   /* for the first records of a trace */
    SERVE_FOLLOWS, /* a live trace */
    SERVE_READS,   /* a recorded trace */
    SERVE_HAS_ALL  /* of a recorded trace */
};

struct serve_pages {
    pthread_mutex_t lock;
    struct http_text *metrics[2]; /* by enum prometheus_form; NULL: none yet */
    enum serve_state state;
    uint64_t begun_ns, data_ns; /* io_clock_ns; data_ns 0: no interval was complete yet */
    uint64_t max_age_ns;        /* of the last interval, or of the program without any: healthy */
    char source[256];           /* the trace's name, for people */
    struct judgement judgement;
};

/* All zero before. Copies the name. */
void serve_pages_init(struct serve_pages *p, const char *source, uint64_t max_age_ns);
void serve_pages_free(struct serve_pages *p);

void serve_pages_set_state(struct serve_pages *p, enum serve_state state);

/* Puts new metrics in place, which become the pages'; `is_data`: with an interval that was complete just now. */
void serve_pages_put(struct serve_pages *p, struct http_text *const metrics[2],
                     const struct judgement *judgement, bool is_data);

/* As http_server.h has it. */
void serve_pages_answer(void *pages, const char *path, const char *accept, struct http_answer *answer);

/* Whether a client whose header Accept this is prefers OpenMetrics 1.0 to the text format (RFC 9110, 12.5.1). */
enum prometheus_form serve_accepted(const char *accept);

#endif
