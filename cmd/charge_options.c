/* The options about driver domains and charges. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "formats/charge_words.h"

#define CHARGE_INTERVAL_MIN_NS 1000000u
#define WEIGHT_MAX             1e6
#define WORD_BYTES             24 /* longer than any name here */

/* Copies n characters as a word; what is longer than any name is cut, and fits none. */
static void copy_word(char word[WORD_BYTES], const char *text, size_t n)
{
    snprintf(word, WORD_BYTES, "%.*s", n < WORD_BYTES ? (int)n : WORD_BYTES - 1, text);
}

/* One word of --charge-by into an unsigned. */
static int take_method(void *context, const char *item, size_t n, struct error *err)
{
    unsigned *methods = context;
    const char *names[8] = {"auto"};
    char word[WORD_BYTES], near[SUGGESTION_BYTES];
    copy_word(word, item, n);
    if (strcmp(word, "auto") == 0) {
        *methods |= CHARGE_AUTO;
        return 0;
    }
    for (size_t i = 0; i < charge_method_names_n; i++) {
        names[i + 1] = charge_method_names[i].name;
        if (strcmp(word, charge_method_names[i].name) == 0) {
            *methods |= charge_method_names[i].method;
            return 0;
        }
    }
    return error_set(
        err, ERROR_USAGE,
        "--charge-by: '%s' is none of grants, copies, notifications, transfers, packets, threads, auto%s",
        word, suggestion(near, "; did you mean '", "'?", word, names));
}

int set_charge_by(struct options *o, const struct option_spec *s, const char *text, struct error *err)
{
    (void)s;
    o->charge_methods = 0;
    if (each_item(text, take_method, &o->charge_methods, err) != 0)
        return -1;
    if (o->charge_methods & CHARGE_AUTO && o->charge_methods != CHARGE_AUTO)
        return error_set(err, ERROR_USAGE,
                         "--charge-by: auto takes what the trace has, no other method goes with it");
    return 0;
}

int set_charge_per(struct options *o, const struct option_spec *s, const char *text, struct error *err)
{
    uint64_t *interval_ns = &o->charge_interval_ns;
    static const char prefix[] = "interval=";
    o->charge_per_given = true;
    o->charge_per_execution = strcmp(text, "execution") == 0;
    *interval_ns = 0;
    if (o->charge_per_execution || strcmp(text, "task") == 0)
        return 0;
    if (strncmp(text, prefix, strlen(prefix)) != 0)
        return error_set(err, ERROR_USAGE,
                         "--charge-per %.60s: wants task, execution, or interval=LEN, for example "
                         "interval=100ms",
                         text);
    const char *length = text + strlen(prefix);
    if (parse_duration(s->name, length, strlen(length), interval_ns, err) != 0)
        return -1;
    if (*interval_ns < CHARGE_INTERVAL_MIN_NS)
        return error_set(err, ERROR_USAGE, "--charge-per %.60s: intervals are at least 1ms long", text);
    return 0;
}

/* The names that a weight can have: those of the kinds, and send and recv, as the papers say. */
static const struct {
    const char *name;
    enum io_kind kind;
} weight_names[] = {
    {"map", IO_MAP}, {"unmap", IO_UNMAP}, {"transfer", IO_TRANSFER}, {"notify", IO_NOTIFY}, {"copy", IO_COPY},
    {"send", IO_TX}, {"recv", IO_RX},     {"read", IO_READ},         {"write", IO_WRITE},   {"tx", IO_TX},
    {"rx", IO_RX},
};
#define WEIGHT_NAMES_N (sizeof weight_names / sizeof *weight_names)

static int kind_of(const char *word, enum io_kind *kind, struct error *err)
{
    const char *names[WEIGHT_NAMES_N + 1] = {NULL};
    char near[SUGGESTION_BYTES];
    for (size_t i = 0; i < WEIGHT_NAMES_N; i++) {
        names[i] = weight_names[i].name;
        if (strcmp(word, names[i]) == 0) {
            *kind = weight_names[i].kind;
            return 0;
        }
    }
    return error_set(
        err, ERROR_USAGE,
        "--weights: '%s' is none of map, unmap, transfer, notify, copy, send, recv, read, write%s", word,
        suggestion(near, "; did you mean '", "'?", word, names));
}

/* A plain decimal number of 0 to WEIGHT_MAX in n characters. */
static bool weight_of(const char *text, size_t n, double *weight)
{
    char word[WORD_BYTES], *end;
    copy_word(word, text, n);
    if (n >= WORD_BYTES || word[strspn(word, "0123456789.")] || !strpbrk(word, "0123456789"))
        return false;
    *weight = strtod(word, &end);
    return *end == '\0' && *weight <= WEIGHT_MAX;
}

/* KIND=WEIGHT */
static int take_weight(void *context, const char *item, size_t n, struct error *err)
{
    struct options *o = context;
    char word[WORD_BYTES];
    enum io_kind kind = IO_MAP;
    size_t name = strcspn(item, "=,");
    copy_word(word, item, name);
    if (name == n)
        return error_set(err, ERROR_USAGE, "--weights: '%s' wants KIND=WEIGHT, for example send=1,recv=1.1",
                         word);
    if (kind_of(word, &kind, err) != 0)
        return -1;
    o->weights_given |= 1u << kind;
    if (weight_of(item + name + 1, n - name - 1, &o->weights[kind]))
        return 0;
    return error_set(err, ERROR_USAGE,
                     "--weights: '%.*s' wants a weight from 0 to 1000000, for example %s=1.1",
                     n > 60 ? 60 : (int)n, item, word);
}

int set_weights(struct options *o, const struct option_spec *s, const char *text, struct error *err)
{
    (void)s;
    o->weights_given = 0;
    return each_item(text, take_weight, o, err);
}

bool charge_options_given(const struct options *o)
{
    return o->idds || o->charge_methods || o->charge_per_given || o->charge_all || o->io_counts ||
           o->dom0_trace || o->charge_idle || o->weights_given || o->own;
}

void charge_options_overlay(const struct options *o, struct charge_options *charge)
{
    if (o->charge_methods)
        charge->methods = o->charge_methods;
    if (o->charge_per_given) {
        charge->interval_ns = o->charge_interval_ns;
        charge->per_execution = o->charge_per_execution;
    }
    if (o->charge_all)
        charge->spread_own = true;
    if (o->charge_idle)
        charge->charge_idle = true;
    if (o->idds)
        charge->idds = o->idds;
    if (o->own) {
        charge->own = o->own;
        charge->own_n = o->own_n;
    }
    for (int kind = 0; kind < IO_KINDS; kind++)
        if (o->weights_given & 1u << kind)
            charge->weights[kind] = o->weights[kind];
}

/* Whether the methods look at anything with a weight above 0. */
static bool looks_at_something(const struct charge_options *c)
{
    unsigned methods = !charge_methods_are_automatic(c->methods) ? c->methods
                       : c->counters                             ? CHARGE_PACKETS
                                                                 : ~(unsigned)CHARGE_PACKETS;
    for (int kind = 0; kind < IO_KINDS; kind++)
        if (charge_looks_at(c, methods, (enum io_kind)kind))
            return true;
    return false;
}

int charge_options_check(const struct charge_options *c, bool counted, struct error *err)
{
    if (c->methods & (CHARGE_PACKETS | CHARGE_THREADS) && !counted)
        return error_set(err, ERROR_USAGE,
                         "--charge-by %s wants --io-counts FILE, which \"xenmeter io-counts\" "
                         "records in the driver domain while the trace is taken",
                         c->methods & CHARGE_PACKETS ? "packets" : "threads");
    for (size_t i = 0; c->spread_own && i < c->own_n; i++)
        if (c->own[i].ppm > 0)
            return error_set(
                err, ERROR_USAGE,
                "--own takes own work out of the charges, --charge-all puts it into them: which?");
    if (!looks_at_something(c))
        return error_set(err, ERROR_USAGE, "--weights: every event that is charged by weighs 0");
    return 0;
}

int charge_idle_check(const struct charge_options *c, bool recorded, struct error *err)
{
    if (!c->charge_idle || recorded || charge_by_task(c))
        return 0;
    return error_set(
        err, ERROR_USAGE,
        "--charge-idle shares idle time among tasks: it wants --charge-per task, or --dom0-trace FILE");
}

int charge_options_of(const struct options *o, const struct counters *counters, struct charge_options *out,
                      struct error *err)
{
    out->methods = o->charge_methods ? o->charge_methods : CHARGE_AUTO;
    memcpy(out->weights, o->weights, sizeof out->weights);
    out->interval_ns = o->charge_interval_ns;
    out->per_execution = o->charge_per_execution;
    out->spread_own = o->charge_all;
    out->charge_idle = o->charge_idle;
    out->idds = o->idds;
    out->own = o->own;
    out->own_n = o->own_n;
    out->counters = counters;
    if (charge_idle_check(out, o->dom0_trace != NULL, err) != 0)
        return -1;
    return charge_options_check(out, o->io_counts != NULL, err);
}
