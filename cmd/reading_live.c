/* A live report that is one file, replaced at each interval. */
#include <time.h>

#include "reading_parts.h"

static int settled(void *context, const struct pass *pass, uint64_t settled_ns, struct error *err)
{
    struct reading *r = context;
    struct ending e;
    struct timespec now;
    (void)pass, (void)settled_ns, (void)err;
    if (!r->fresh)
        return 0;
    r->fresh = false;
    reading_judge(r, &e);
    struct report_summary summary = reading_summary(r, &e);
    clock_gettime(CLOCK_REALTIME, &now);
    summary.utc_ns = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
    if (writer_replace(r->writer, &summary) == 0)
        return 0;
    r->failed = true;
    return -1;
}

void reading_replace_file(struct reading *r)
{
    r->consumer.context = r;
    r->consumer.settled = settled;
    r->consumer.asks_quality = true;
}
