#include "sim/simulated_feed.h"

#include <stdlib.h>
#include <string.h>

#include "metrics/array.h"

static int take(void *context, const void *bytes, size_t n)
{
    struct simulated_feed *f = context;
    uint8_t *room = array_reserve(f->bytes, &f->capacity, f->n + n, 1);
    f->no_memory = !room;
    if (!room)
        return -1;
    f->bytes = room;
    memcpy(f->bytes + f->n, bytes, n);
    f->n += n;
    return f->trace.write(f->trace.context, bytes, n);
}

static void reached(void *context, uint64_t now_ns)
{
    const struct simulated_feed *f = context;
    if (f->trace.reached)
        f->trace.reached(f->trace.context, now_ns);
}

static int next(void *context, const uint8_t **bytes, size_t *n, struct error *err)
{
    struct simulated_feed *f = context;
    f->n = 0;
    int status = simulation_step(f->simulation, err);
    if (f->no_memory)
        return error_no_memory(err, "what the simulated host has traced");
    *bytes = f->bytes;
    *n = f->n;
    f->done += f->n;
    return status;
}

/* The size is not known before the end. */
static void position(void *context, uint64_t *done, uint64_t *size)
{
    const struct simulated_feed *f = context;
    *done = f->done;
    *size = 0;
}

int simulated_feed_open(struct simulated_feed *f, const struct scenario *plan,
                        const struct simulation_sink *trace, struct error *err)
{
    const struct simulation_sink sink = {f, take, reached, trace->every_ns};
    *f = (struct simulated_feed){.trace = *trace};
    f->simulation = simulation_new(plan, &sink, err);
    return f->simulation ? 0 : -1;
}

void simulated_feed_free(struct simulated_feed *f)
{
    simulation_free(f->simulation);
    free(f->bytes);
}

struct feed simulated_feed_of(struct simulated_feed *f)
{
    return (struct feed){.context = f, .next = next, .position = position, .compression = "none"};
}
