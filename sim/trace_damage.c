#include "sim/trace_damage.h"

#include <stdlib.h>

enum { HEAD_BYTES = 12 }; /* of a window */

void trace_damage_init(struct trace_damage *t, const struct scenario *plan)
{
    *t = (struct trace_damage){.plan = plan};
    prng_seed(&t->rng, plan->seed + 1);
}

void trace_damage_free(struct trace_damage *t)
{
    free(t->list);
    t->list = NULL;
}

/* The damage of the window that comes now: that of the first element that is about it. NULL: none. */
static const struct scenario_damage *damage_now(const struct trace_damage *t)
{
    for (size_t i = 0; i < t->plan->damage_count; i++) {
        const struct scenario_damage *d = &t->plan->damages[i];
        if (t->windows == d->window ||
            (d->every && t->windows > d->window && (t->windows - d->window) % d->every == 0))
            return d;
    }
    return NULL;
}

static void note(struct trace_damage *t, const struct damaged_window *window)
{
    if (t->n == t->space) {
        size_t space = t->space ? 2 * t->space : 64;
        struct damaged_window *more = realloc(t->list, space * sizeof *more);
        if (!more) {
            t->failed = true;
            return;
        }
        t->list = more;
        t->space = space;
    }
    t->list[t->n++] = *window;
}

/* Returns how many bytes are overwritten: what is beyond the window's end cannot be. */
static size_t overwrite(struct trace_damage *t, const struct scenario_damage *d, unsigned char *bytes,
                        size_t n)
{
    size_t from = d->offset < n ? (size_t)d->offset : n, left = n - from;
    size_t count = d->bytes < left ? (size_t)d->bytes : left;
    for (size_t i = 0; i < count; i++)
        bytes[from + i] = (unsigned char)prng_next(&t->rng);
    return count;
}

size_t trace_damage_window(struct trace_damage *t, unsigned char *bytes, size_t n, uint32_t pcpu,
                           uint64_t since_ns, uint64_t until_ns)
{
    const struct scenario_damage *d = damage_now(t);
    const size_t records = n - HEAD_BYTES;
    struct damaged_window window = {.window = t->windows++,
                                    .start_byte = t->written_bytes,
                                    .all_bytes = n,
                                    .since_ns = since_ns,
                                    .until_ns = until_ns,
                                    .pcpu = pcpu};
    if (d && d->kind == DAMAGE_GARBAGE)
        window.bytes = overwrite(t, d, bytes + HEAD_BYTES, records);
    else if (d)
        window.bytes = d->kind == DAMAGE_LOST ? n : d->bytes < records ? d->bytes : records;
    if (d) {
        window.kind = d->kind;
        note(t, &window);
    }
    size_t left = d && d->kind != DAMAGE_GARBAGE ? n - (size_t)window.bytes : n;
    t->written_bytes += left;
    return left;
}

static json_t *window_json(const struct damaged_window *w)
{
    json_t *object = json_object();
    const struct {
        const char *key;
        uint64_t value;
    } members[] = {{"window", w->window},          {"pcpu", w->pcpu},           {"start_byte", w->start_byte},
                   {"window_bytes", w->all_bytes}, {"damaged_bytes", w->bytes}, {"since_ns", w->since_ns},
                   {"until_ns", w->until_ns}};
    json_object_set_new(object, "kind", json_string(scenario_damages[w->kind]));
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++)
        json_object_set_new(object, members[i].key, json_integer((json_int_t)members[i].value));
    return object;
}

json_t *trace_damage_document(const struct trace_damage *t)
{
    json_t *list = t->failed ? NULL : json_array();
    for (size_t i = 0; list && i < t->n; i++)
        json_array_append_new(list, window_json(&t->list[i]));
    return list;
}
