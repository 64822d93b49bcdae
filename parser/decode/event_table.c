#include "event_table.h"

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>

#define ANY_WORDS   255
#define PAGE_EVENTS 4096u
#define CLASS_MASK  0xfffu /* the class bits, once shifted down to bit 0 */

static const struct event_layout no_layouts[] = {{0, NULL, NULL}};

#define NO_LAYOUT
#define L(WORDS, FIELDS, SINCE) {WORDS, FIELDS, SINCE},
#define EVENT(SLOT, ID, VARIANTS, CLASS, NAME, TSC, LAYOUTS)                                                 \
    static const struct event_layout layouts_##SLOT[] = {LAYOUTS{0, NULL, NULL}};
#include "events.def"

static const struct event_info infos[EVENT_SLOTS] = {
    {0, 0, CLASS_UNRECOGNISED, "unrecognised", '?', no_layouts},
#define EVENT(SLOT, ID, VARIANTS, CLASS, NAME, TSC, LAYOUTS) {ID, VARIANTS, CLASS, NAME, TSC, layouts_##SLOT},
#include "events.def"
};

static const struct {
    enum event_slot slot;
    uint32_t id;
    uint32_t variants;
} aliases[] = {
#define EVENT_ALIAS(SLOT, ID, VARIANTS, SINCE) {EVENT_##SLOT, ID, VARIANTS},
#include "events.def"
};

static const struct {
    uint32_t bit; /* of the twelve class bits */
    const char *name;
} classes[CLASSES] = {
    [CLASS_GEN] = {0x001, "gen"},       [CLASS_SCHED] = {0x002, "sched"},
    [CLASS_DOM0OP] = {0x004, "dom0op"}, [CLASS_HVM] = {0x008, "hvm"},
    [CLASS_MEM] = {0x010, "mem"},       [CLASS_PV] = {0x020, "pv"},
    [CLASS_SHADOW] = {0x040, "shadow"}, [CLASS_HW] = {0x080, "hw"},
    [CLASS_GUEST] = {0x800, "guest"},   [CLASS_UNRECOGNISED] = {0, "unrecognised"},
};

struct event_index event_index;

_Static_assert(EVENT_SLOTS <= UINT8_MAX + 1, "a slot fits the uint8_t of event_index");

const struct event_info *event_info(unsigned slot)
{
    assert(slot < EVENT_SLOTS);
    return &infos[slot];
}

const char *event_class_name(enum event_class class_id)
{
    assert((unsigned)class_id < CLASSES);
    return classes[class_id].name;
}

enum event_class event_class_of(uint32_t event)
{
    uint32_t bits = event >> 16 & CLASS_MASK;
    unsigned class_id = 0;

    while (class_id < CLASS_UNRECOGNISED && classes[class_id].bit != bits)
        class_id++;
    return (enum event_class)class_id;
}

const struct event_layout *event_layout(unsigned slot, unsigned words)
{
    for (const struct event_layout *layout = event_info(slot)->layouts; layout->fields; layout++)
        if (layout->words == words || layout->words == ANY_WORDS)
            return layout;
    return NULL;
}

/* Points every number that id makes with some of the variant bits set at slot. */
static void claim(enum event_slot slot, uint32_t id, uint32_t variants, unsigned *pages_used)
{
    uint32_t *page = &event_index.pages[id >> 12 & 0xffff];
    uint32_t variant = variants;

    assert((id & variants) == 0 && variants <= 0xfff);
    assert(event_class_of(id) == infos[slot].class_id);
    if (*page == 0) {
        assert(*pages_used * PAGE_EVENTS < sizeof event_index.slots);
        *page = (*pages_used)++ * PAGE_EVENTS;
    }
    for (;;) {
        uint8_t *entry = &event_index.slots[*page + ((id | variant) & 0xfff)];

        assert(*entry == EVENT_UNRECOGNISED);
        *entry = (uint8_t)slot;
        if (variant == 0)
            break;
        variant = (variant - 1) & variants; /* the next smaller subset of the bits */
    }
}

void event_index_init(void)
{
    static bool built;
    unsigned pages_used = 1; /* page 0 stays all unrecognised */

    if (built)
        return;
    for (unsigned slot = EVENT_UNRECOGNISED + 1; slot < EVENT_SLOTS; slot++)
        claim((enum event_slot)slot, infos[slot].id, infos[slot].variants, &pages_used);
    for (size_t i = 0; i < sizeof aliases / sizeof aliases[0]; i++)
        claim(aliases[i].slot, aliases[i].id, aliases[i].variants, &pages_used);
    built = true;
}
