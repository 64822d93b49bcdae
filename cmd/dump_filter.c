#include "dump_filter.h"

#include <ctype.h>
#include <errno.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "formats/dump_writer.h"

#define ITEM_MOST 63 /* characters of an item of a list */

/* ---- --events ---- */

static int add_number(struct dump_choice *c, uint32_t number, struct error *err)
{
    uint32_t *larger = realloc(c->numbers, (c->numbers_n + 1) * sizeof *larger);
    if (!larger)
        return error_no_memory(err, "the options");
    c->numbers = larger;
    c->numbers[c->numbers_n++] = number;
    return 0;
}

static void take_slot(struct dump_choice *c, unsigned slot, bool wanted)
{
    size_t kept = 0;
    for (size_t i = 0; i < c->numbers_n; i++)
        if (event_slot(c->numbers[i]) != slot)
            c->numbers[kept++] = c->numbers[i];
    c->numbers_n = kept;
    c->want[slot] = wanted;
    c->by_number[slot] = DUMP_ALL;
}

/* ---- a user's own events: numbers of EVENT_UNRECOGNISED ---- */

static void drop_number(struct dump_choice *c, uint32_t number)
{
    size_t kept = 0;
    for (size_t i = 0; i < c->numbers_n; i++)
        if (c->numbers[i] != number)
            c->numbers[kept++] = c->numbers[i];
    c->numbers_n = kept;
}

static bool has_unrecognised_numbers(const struct dump_choice *c)
{
    for (size_t i = 0; i < c->numbers_n; i++)
        if (event_slot(c->numbers[i]) == EVENT_UNRECOGNISED)
            return true;
    return false;
}

struct own_taking {
    struct dump_choice *c;
    bool wanted, failed;
};

/* All, none, some or all but some of the unrecognised numbers are wanted; now this one is as well, or is not. */
static void take_own_number(void *context, uint32_t number)
{
    struct own_taking *t = context;
    struct dump_choice *c = t->c;
    bool *want = &c->want[EVENT_UNRECOGNISED];
    uint8_t *how = &c->by_number[EVENT_UNRECOGNISED];
    struct error ignored;
    drop_number(c, number);
    if (t->wanted != *want || *how != DUMP_ALL) {
        if (*how == DUMP_ALL)
            *how = t->wanted ? DUMP_ONLY : DUMP_EXCEPT;
        *want = true;
        if ((*how == DUMP_ONLY) == t->wanted)
            t->failed = add_number(c, number, &ignored) != 0 || t->failed;
    }
    if (!has_unrecognised_numbers(c)) { /* none is left of some, or of those left out */
        *want = *how == DUMP_EXCEPT || (*how == DUMP_ALL && *want);
        *how = DUMP_ALL;
    }
}

static bool own_is_wanted(const struct dump_choice *c, const struct own_event *e)
{
    bool listed = false;
    for (size_t i = 0; i < c->numbers_n; i++)
        listed = listed || c->numbers[i] == e->id;
    return c->want[EVENT_UNRECOGNISED] && (c->by_number[EVENT_UNRECOGNISED] == DUMP_ALL ||
                                           (c->by_number[EVENT_UNRECOGNISED] == DUMP_ONLY) == listed);
}

static int take_own(struct dump_choice *c, const struct own_event *e, bool wanted, struct error *err)
{
    struct own_taking taking = {c, wanted, false};
    own_event_numbers(c->own, e, take_own_number, &taking);
    return taking.failed ? error_no_memory(err, "the options") : 0;
}

/*
 * Selects an event by its number in the table, or, where bits of the number carry data, one of its forms: 0x21001 are
 * all runstate changes, 0x21021 those of a vCPU that runs and blocks.
 */
static int take_event_number(struct dump_choice *c, uint32_t number, bool wanted, struct error *err)
{
    unsigned slot = event_slot(number);
    const struct own_event *own = own_event_find(c->own, number);
    if (own && own->id == number)
        return take_own(c, own, wanted, err);
    uint8_t how = wanted ? DUMP_ONLY : DUMP_EXCEPT;
    if (event_info(slot)->id == number) {
        take_slot(c, slot, wanted);
        return 0;
    }
    if (c->want[slot] == wanted && c->by_number[slot] == DUMP_ALL && wanted)
        return 0; /* all of them are */
    if (!wanted && !c->want[slot])
        return 0; /* none of them is */
    if (c->by_number[slot] != DUMP_ALL && c->by_number[slot] != how)
        return error_set(err, ERROR_USAGE, "--events: numbers of %s are asked for as well as left out",
                         event_info(slot)->name);
    c->want[slot] = true;
    c->by_number[slot] = how;
    return add_number(c, number, err);
}

/*
 * A number: one event if its last three digits are not 0, else a mask of xentrace -e, which selects events that have a
 * bit of the class and one of the subclass in common with it (xen/common/trace.c).
 */
static int take_number(struct dump_choice *c, uint32_t number, bool wanted, struct error *err)
{
    if (number & 0xfff)
        return take_event_number(c, number, wanted, err);
    for (unsigned slot = 1; slot < EVENT_SLOTS; slot++) {
        uint32_t common = event_info(slot)->id & number;
        if (common & 0x0fff0000 && common & 0xf000)
            take_slot(c, slot, wanted);
    }
    size_t n;
    const struct own_event *own = own_events_all(c->own, &n);
    for (const struct own_event *e = own; e < own + n; e++)
        if (e->id & number & 0x0fff0000 && e->id & number & 0xf000 && take_own(c, e, wanted, err) != 0)
            return -1;
    return 0;
}

/* Whether the pattern is the name, the class or "all", or fits the name or, with a dot in it, CLASS.NAME. */
static bool matches(const char *pattern, enum event_class class_id, const char *name)
{
    char full[96];
    const char *class_name = event_class_name(class_id);
    snprintf(full, sizeof full, "%s.%s", class_name, name);
    return fnmatch(pattern, strchr(pattern, '.') ? full : name, 0) == 0 || strcmp(pattern, class_name) == 0 ||
           strcmp(pattern, "all") == 0;
}

/* *taken: how many events the pattern takes. */
static int take_pattern(struct dump_choice *c, const char *pattern, bool wanted, size_t *taken,
                        struct error *err)
{
    size_t n;
    bool before[OWN_EVENTS_MOST];
    const struct own_event *own = own_events_all(c->own, &n);
    for (size_t i = 0; i < n; i++)
        before[i] = own_is_wanted(c, &own[i]);
    *taken = 0;
    for (unsigned slot = 0; slot < EVENT_SLOTS; slot++)
        if (matches(pattern, event_info(slot)->class_id, event_info(slot)->name)) {
            take_slot(c, slot, wanted);
            ++*taken;
        }
    for (size_t i = 0; i < n; i++) { /* "unrecognised" is what no table names */
        bool matched = matches(pattern, own[i].class_id, own[i].name);
        if (take_own(c, &own[i], matched ? wanted : before[i], err) != 0)
            return -1;
        *taken += matched;
    }
    return 0;
}

static int no_such_event(const struct dump_choice *c, const char *item, struct error *err)
{
    const char *names[EVENT_SLOTS + OWN_EVENTS_MOST + CLASSES + 1] = {NULL};
    size_t n = 0, own_n;
    const struct own_event *own = own_events_all(c->own, &own_n);
    for (size_t i = 0; i < own_n; i++)
        names[n++] = own[i].name;
    for (unsigned slot = 0; slot < EVENT_SLOTS; slot++)
        names[n++] = event_info(slot)->name;
    for (unsigned class_id = 0; class_id < CLASS_UNRECOGNISED; class_id++)
        names[n++] = event_class_name((enum event_class)class_id);
    char near[SUGGESTION_BYTES];
    return error_set(err, ERROR_USAGE, "--events: there is no event or class '%s'%s (\"-e help\" lists them)",
                     item, suggestion(near, "; did you mean '", "'?", item, names));
}

static int take_item(struct dump_choice *c, const char *item, bool wanted, struct error *err)
{
    if (isdigit((unsigned char)item[0])) {
        char *end;
        errno = 0;
        unsigned long long number = strtoull(item, &end, 0);
        if (*end || errno || number == 0 || number > 0x0fffffff)
            return error_set(err, ERROR_USAGE,
                             "--events: '%s' is no event number and no mask: 0x2800e and 0x2f000 are", item);
        return take_number(c, (uint32_t)number, wanted, err);
    }
    size_t taken;
    if (take_pattern(c, item, wanted, &taken, err) != 0)
        return -1;
    return taken > 0 ? 0 : no_such_event(c, item, err);
}

static int compare_numbers(const void *a, const void *b)
{
    const uint32_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static int read_events(struct dump_choice *c, const char *text, struct error *err)
{
    event_index_init();
    const char *all = text;
    if (!text)
        text = "all";
    for (unsigned slot = 0; text[0] == '!' && slot < EVENT_SLOTS; slot++) /* all but these */
        c->want[slot] = true;
    for (;;) {
        size_t n = strcspn(text, ",");
        bool wanted = text[0] != '!';
        char item[ITEM_MOST + 1];
        if (n <= !wanted || n - !wanted > ITEM_MOST)
            return error_set(err, ERROR_USAGE,
                             "--events %.60s: wants names, classes, patterns or numbers, "
                             "for example sched,wake,hvm.*,0x2f000",
                             all);
        snprintf(item, sizeof item, "%.*s", (int)(n - !wanted), text + !wanted);
        if (take_item(c, item, wanted, err) != 0)
            return -1;
        if (!text[n])
            break;
        text += n + 1;
    }
    if (c->numbers_n > 0)
        qsort(c->numbers, c->numbers_n, sizeof *c->numbers, compare_numbers);
    for (unsigned slot = 0; slot < EVENT_SLOTS; slot++)
        if (c->want[slot])
            return 0;
    return error_set(err, ERROR_USAGE, "--events: no event is left");
}

/* The only event among those without a slot of their own; DUMP_SEVERAL_EVENTS: there are several. */
static unsigned only_own(const struct dump_choice *c)
{
    const struct own_event *only = NULL;
    bool any = false;
    size_t n;
    own_events_all(c->own, &n);
    if (c->by_number[EVENT_UNRECOGNISED] != DUMP_ONLY)
        return n == 0 ? EVENT_UNRECOGNISED : DUMP_SEVERAL_EVENTS;
    for (size_t i = 0; i < c->numbers_n; i++) {
        const struct own_event *own = own_event_find(c->own, c->numbers[i]);
        if (event_slot(c->numbers[i]) != EVENT_UNRECOGNISED)
            continue;
        if (any && own != only)
            return DUMP_SEVERAL_EVENTS;
        only = own;
        any = true;
    }
    return only ? own_event_slot(c->own, only) : EVENT_UNRECOGNISED;
}

unsigned dump_choice_only(const struct dump_choice *c)
{
    unsigned only = DUMP_SEVERAL_EVENTS;
    for (unsigned slot = 0; slot < EVENT_SLOTS; slot++)
        if (c->want[slot]) {
            if (only != DUMP_SEVERAL_EVENTS)
                return DUMP_SEVERAL_EVENTS;
            only = slot;
        }
    return only == EVENT_UNRECOGNISED ? only_own(c) : only;
}

void dump_print_events(const struct own_events *own)
{
    size_t n;
    const struct own_event *events = own_events_all(own, &n);
    puts("events (names, classes, patterns, numbers; a ! before one leaves it out):");
    for (unsigned slot = 1; slot < EVENT_SLOTS; slot++)
        printf("  %-34s %-7s 0x%08" PRIx32 "\n", event_info(slot)->name,
               event_class_name(event_info(slot)->class_id), event_info(slot)->id);
    for (const struct own_event *e = events; e < events + n; e++)
        printf("  %-34s %-7s 0x%08" PRIx32 "\n", e->name, event_class_name(e->class_id), e->id);
    printf("  %-34s %-7s any other number\n", event_info(0)->name, "");
}

/* ---- --vcpus ---- */

/* "0" "2-3" "d1v0" "d1v2-3"; moves *text past it. */
static bool read_vcpus(const char **text, struct vcpu_range *range)
{
    size_t domain, from, to;
    range->domain = -1;
    if (**text == 'd') {
        ++*text;
        if (number_below(text, 65536, &domain) != 0 || *(*text)++ != 'v')
            return false;
        range->domain = (int32_t)domain;
    }
    if (range_below(text, 65536, &from, &to) != 0)
        return false;
    range->from = (uint32_t)from;
    range->to = (uint32_t)to;
    return true;
}

static int read_vcpu_list(struct dump_choice *c, const char *text, struct error *err)
{
    const char *p = text;
    size_t most = strlen(text) / 2 + 1;
    c->vcpus = calloc(most, sizeof *c->vcpus);
    if (!c->vcpus)
        return error_no_memory(err, "the options");
    while (c->vcpus_n < most && read_vcpus(&p, &c->vcpus[c->vcpus_n])) {
        c->vcpus_n++;
        if (!*p)
            return 0;
        if (*p++ != ',')
            break;
    }
    return error_set(err, ERROR_USAGE,
                     "--vcpus %.60s: wants vCPUs, for example d1v0,d3v0-1, or 0 for that of any domain",
                     text);
}

/* ---- both ---- */

int dump_choice_read(struct dump_choice *c, const struct options *o, const struct own_events *own,
                     struct error *err)
{
    c->own = own;
    if (read_events(c, o->events, err) != 0)
        return -1;
    return o->vcpus ? read_vcpu_list(c, o->vcpus, err) : 0;
}

void dump_choice_free(struct dump_choice *c)
{
    free(c->numbers);
    free(c->vcpus);
}

struct dump_filter dump_filter_of(const struct dump_choice *c, const struct options *o)
{
    return (struct dump_filter){.slots = c->want,
                                .pcpus = o->pcpus,
                                .from_ns = o->from_ns,
                                .to_ns = o->to_ns,
                                .domains = o->domains,
                                .vcpus = c->vcpus,
                                .vcpus_n = c->vcpus_n,
                                .numbers = c->numbers,
                                .numbers_n = c->numbers_n,
                                .own = c->own,
                                .by_number = c->numbers_n > 0 ? c->by_number : NULL};
}
