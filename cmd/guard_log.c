#include "guard_log.h"
#include "formats/json_memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ID_MAX 0x7fef

/* The numbers of a row, by their names in the log. */
static const struct {
    const char *key;
    size_t offset; /* of a uint64_t in struct guard_row */
} numbers[] = {{"charged_ns", offsetof(struct guard_row, charged_ns)},
               {"measured_ns", offsetof(struct guard_row, measured_ns)},
               {"certain_ns", offsetof(struct guard_row, certain_ns)},
               {"unattributed_ns", offsetof(struct guard_row, unattributed_ns)},
               {"unknown_ns", offsetof(struct guard_row, unknown_ns)},
               {"driver_ns", offsetof(struct guard_row, driver_ns)}};
#define NUMBERS (sizeof numbers / sizeof *numbers)

static uint64_t *number_at(struct guard_row *row, size_t i)
{
    return (uint64_t *)((char *)row + numbers[i].offset);
}

/* ---- writing ---- */

static json_t *of_io(const struct guard_row *row)
{
    json_t *list = json_array();
    for (int io = 0; io < GUARD_IOS; io++)
        if (row->io[io])
            json_array_append_new(list, json_string(guard_io_names[io]));
    return list;
}

static json_t *of_row(const struct guard_row *row, const char *name)
{
    struct guard_row copy = *row;
    json_t *o =
        json_pack("{si si ss* si si ss so}", "domain", (int)row->domain, "life", (int)row->life, "name", name,
                  "driver_domain", (int)row->driver_domain, "driver_life", (int)row->driver_life, "decision",
                  guard_decision_names[row->outcome.decision], "io", of_io(row));
    for (size_t i = 0; o && i < NUMBERS; i++)
        json_object_set_new(o, numbers[i].key, json_integer((json_int_t)*number_at(&copy, i)));
    return o;
}

json_t *guard_log_write(const struct interval *interval, const struct guard_row *rows, size_t n,
                        domain_name_of name_of, const void *names)
{
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(list, of_row(&rows[i], name_of(names, rows[i].domain, rows[i].life)));
    return json_pack("{ss sI sI sI so}", "event", "window", "window_ns", (json_int_t)interval->granularity_ns,
                     "start_ns", (json_int_t)interval->start_ns, "end_ns", (json_int_t)interval->end_ns,
                     "guests", list);
}

/* ---- reading ---- */

static int wrong(struct error *err, const char *what)
{
    return error_set(err, ERROR_FORMAT, "a window's %s is missing, or cannot be", what);
}

/* A whole number from 0 to `most`. */
static bool take_number(const json_t *object, const char *key, uint64_t most, uint64_t *to)
{
    const json_t *value = json_object_get(object, key);
    json_int_t number = json_integer_value(value);
    if (!json_is_integer(value) || number < 0 || (uint64_t)number > most)
        return false;
    *to = (uint64_t)number;
    return true;
}

static bool take_io(struct guard_row *row, const json_t *list)
{
    size_t i;
    const json_t *item;
    json_array_foreach((json_t *)(uintptr_t)list, i, item)
    {
        const char *name = json_string_value(item);
        for (int io = 0; name && io < GUARD_IOS; io++)
            row->io[io] |= strcmp(name, guard_io_names[io]) == 0;
    }
    return json_is_array(list);
}

static int take_row(struct guard_log_window *w, size_t at, const json_t *o, struct error *err)
{
    struct guard_row *row = &w->rows[at];
    const char *name = json_string_value(json_object_get(o, "name"));
    uint64_t id = 0, life = 0, driver = 0, driver_life = 0;
    if (!take_number(o, "domain", ID_MAX, &id) || !take_number(o, "life", UINT32_MAX, &life) ||
        !take_number(o, "driver_domain", ID_MAX, &driver) ||
        !take_number(o, "driver_life", UINT32_MAX, &driver_life))
        return wrong(err, "guest or driver domain");
    *row = (struct guard_row){.domain = (int32_t)id,
                              .life = (uint32_t)life,
                              .driver_domain = (int32_t)driver,
                              .driver_life = (uint32_t)driver_life};
    for (size_t i = 0; i < NUMBERS; i++)
        if (!take_number(o, numbers[i].key, INT64_MAX / 4, number_at(row, i)))
            return wrong(err, numbers[i].key);
    if (row->measured_ns + row->certain_ns > row->charged_ns || row->unknown_ns > row->driver_ns)
        return wrong(err, "evidence, which has more than the whole,");
    snprintf(w->names[at], sizeof *w->names, "%s", name ? name : "");
    return take_io(row, json_object_get(o, "io")) ? 0 : wrong(err, "io");
}

static int take_window(struct guard_log_window *w, const json_t *o, struct error *err)
{
    const json_t *guests = json_object_get(o, "guests");
    struct interval *i = &w->interval;
    if (!take_number(o, "window_ns", GUARD_LENGTH_MAX_NS, &i->granularity_ns) || i->granularity_ns == 0 ||
        !take_number(o, "start_ns", INT64_MAX, &i->start_ns) ||
        !take_number(o, "end_ns", INT64_MAX, &i->end_ns) || i->end_ns <= i->start_ns ||
        i->end_ns - i->start_ns > i->granularity_ns)
        return wrong(err, "time");
    w->n = json_array_size(guests);
    if (w->n > GUARD_LOG_ROWS_MAX)
        return wrong(err, "number of guests");
    w->rows = calloc(w->n + 1, sizeof *w->rows);
    w->names = calloc(w->n + 1, sizeof *w->names);
    if (!w->rows || !w->names)
        return error_no_memory(err, "a window");
    for (size_t k = 0; k < w->n; k++)
        if (take_row(w, k, json_array_get(guests, k), err) != 0)
            return -1;
    return 0;
}

int guard_log_read(struct guard_log_window *w, const char *line, size_t n, struct error *err)
{
    json_t *o = json_parse(line, n, NULL);
    const char *controller = json_string_value(json_object_get(o, "controller"));
    const char *event = json_string_value(json_object_get(o, "event"));
    int status = 0;
    if (!o && json_memory_failed())
        status = error_no_memory(err, "a line of the log");
    else if (!controller || !event)
        status = error_set(err, ERROR_FORMAT, "is no line of a log of decisions");
    else if (strcmp(event, "window") == 0 && strcmp(controller, "guard") == 0) {
        *w = (struct guard_log_window){.n = 0};
        status = take_window(w, o, err) == 0 ? 1 : -1;
        if (status < 0)
            guard_log_free(w);
    }
    json_decref(o);
    return status;
}

void guard_log_free(struct guard_log_window *w)
{
    free(w->rows);
    free(w->names);
    *w = (struct guard_log_window){.n = 0};
}
