/* xenmeter blame: who had the CPU that others waited for. */
#include <string.h>

#include "metrics/measure/delays.h"
#include "reading.h"

struct blame {
    struct reading reading;
    struct delays *delays;
};

static const struct relation *const relations[] = {&relation_delays, NULL};

static int take_rows(void *context, const struct interval *interval, const struct delay *delays, size_t n)
{
    struct blame *b = context;
    const struct rows rows = {.relation = &relation_delays, .interval = interval, .at = delays, .n = n};
    return reading_write(&b->reading, &rows);
}

static int prepare(struct reading *r, struct error *err)
{
    struct blame *b = (struct blame *)r;
    const struct options *o = r->options;
    struct delay_options delays = {.granularities = o->granularities,
                                   .from_ns = o->from_ns,
                                   .to_ns = o->to_ns,
                                   .pcpus_wanted = o->pcpus,
                                   .context = b,
                                   .rows = take_rows};
    memcpy(delays.granularities_ns, o->granularities_ns, sizeof delays.granularities_ns);
    if (!(b->delays = delays_new(&delays)))
        return error_no_memory(err, "the report");
    r->consumer = delays_consumer(b->delays);
    r->no_rows = "nobody waited for a pCPU";
    return reading_choose(r, relations, 1, o->sort ? o->sort : o->limit ? "delayed_ns" : NULL, err);
}

static int run(const struct options *o)
{
    struct blame b = {0};
    int status = reading_command(&b.reading, o, prepare);
    delays_free(b.delays);
    return status;
}

static const struct option_spec options[] = {
    OPTIONS_HEADING("What to report"),
    OPTION_GRANULARITY("total (default), lengths (10s,1s,100ms,500us)"),
    OPTION_LIVE,
    OPTION_DOMAINS("only these victims: 0,3-5,web*"),
    OPTION_PCPUS("only waits for these pCPUs"),
    OPTION_SORT("order the pairs of an interval, largest first"),
    OPTION_LIMIT("at most N pairs of an interval; without -s those with the largest delays"),
    OPTION_TIME_OF_DAY,
    OPTIONS_SHOWING,
    OPTION_TIME_FORMAT,
    OPTION_HOST_FACTS(HOST_FACTS_HELP),
    OPTIONS_READING("more about the data on standard error"),
    OPTIONS_ALL,
};

static const struct command command = {
    .order = 45,
    .name = "blame",
    .summary = "who had the CPU that others waited for",
    .usage = "[OPTIONS] [FILE]",
    .text = TRACE_TEXT
    "\nFor every vCPU that waited for a pCPU, and every domain that ran there meanwhile: how long, how "
    "often, and the longest stretch. A vCPU's delays add up to its runnable time.",
    .examples = "xenmeter blame capture.xt\n"
                "xenmeter blame -s delayed_ns -n 5 capture.xt\n"
                "xenmeter blame -g 1s -d 3 -f csv capture.xt",
    .options = options,
    .operands = OPERANDS_TRACE,
    .no_executions = true,
    .formats = writer_formats,
    .relations = relations,
    .run = run,
};
COMMAND(command);
