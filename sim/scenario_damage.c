#include "sim/scenario_damage.h"

#include <stdlib.h>

#define DAMAGES_MAX 1000
#define WINDOW_MAX  268435456 /* bytes of a buffer */

const char *const scenario_damages[] = {"lost", "cut", "garbage", NULL};

#define FIELD(MEMBER) .offset = offsetof(struct scenario_damage, MEMBER)

static const struct key damage_keys[] = {
    {"window", KEY_COUNT, FIELD(window), 0, 1e12, NULL, true},
    {"every", KEY_COUNT, FIELD(every), 1, 1e12, NULL, false},
    {"kind", KEY_CHOICE, FIELD(kind), .choices = scenario_damages, .required = true},
    {"offset", KEY_COUNT, FIELD(offset), 0, WINDOW_MAX, NULL, false},
    {"bytes", KEY_COUNT, FIELD(bytes), 1, WINDOW_MAX, NULL, false},
    {.name = NULL},
};

/* Each kind has the keys that say how much of a window it is about, and no others. */
static int check_extent(const struct scenario_damage *d, const json_t *element, const struct key_place *here,
                        struct error *err)
{
    const struct key_place offset = {here, "offset", 0}, bytes = {here, "bytes", 0};
    if (d->kind != DAMAGE_GARBAGE && json_object_get(element, "offset"))
        return key_error(&offset, err, "is for garbage: take it out");
    if (d->kind == DAMAGE_LOST && json_object_get(element, "bytes"))
        return key_error(&bytes, err, "all of a lost window is lost: take it out");
    if (d->kind != DAMAGE_LOST && !d->bytes)
        return key_error(here, err, "'bytes' is missing: how many are %s",
                         d->kind == DAMAGE_CUT ? "cut off at the end" : "garbage");
    return 0;
}

int scenario_read_damage(struct scenario *s, const json_t *trace, const struct key_place *place,
                         struct error *err)
{
    const struct key_place list_place = {place, "damage", 0};
    const json_t *list;
    if (keys_list(trace, place, "damage", DAMAGES_MAX, &list, err) != 0)
        return -1;
    if (!list)
        return 0;
    if (!(s->damages = calloc(json_array_size(list) + 1, sizeof *s->damages)))
        return error_no_memory(err, "the scenario");
    for (; s->damage_count < json_array_size(list); s->damage_count++) {
        const struct key_place here = {&list_place, NULL, s->damage_count};
        const json_t *element = json_array_get(list, s->damage_count);
        struct scenario_damage *d = &s->damages[s->damage_count];
        if (keys_read(element, &here, damage_keys, d, err) != 0 || check_extent(d, element, &here, err) != 0)
            return -1;
    }
    return 0;
}

json_t *scenario_damage_schema(void)
{
    return keys_list_schema(keys_schema(damage_keys, json_object()), DAMAGES_MAX);
}
