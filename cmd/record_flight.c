/* Options of the flight recorder of xenmeter record: --flight, --when and what goes with them. */
#include "record_flight.h"

#include <string.h>

#include "condition_option.h"
#include "record/flight_rule.h"

#define SIZE_LEAST   ((uint64_t)1 << 20)
#define SECOND_NS    1000000000u
#define AGE_LEAST_NS (SECOND_NS / 10)
#define LONGEST_NS   (86400ull * SECOND_NS)
#define COOLDOWN_NS  (60ull * SECOND_NS)
#define SIZE_OF_KEPT 4

static const struct condition_syntax syntax = {
    .option = "when",
    .wanted = "COLUMN > N[UNIT] [in NAME|ID|all], or COLUMN < N[UNIT], or lost > N",
    .list = "xenmeter diff -c help lists them, beside lost",
    .levels_only = true,
    .more = &flight_lost,
};

static struct record_flight *of(struct options *o, const struct option_spec *s)
{
    return (struct record_flight *)(void *)((char *)o + s->offset);
}

/* "256M,30s" */
int set_flight(struct options *o, const struct option_spec *s, const char *text, struct error *err)
{
    struct record_flight *f = of(o, s);
    const char *comma = strchr(text, ',');
    char size[32] = "";
    if (comma && (size_t)(comma - text) < sizeof size)
        memcpy(size, text, (size_t)(comma - text));
    if (!comma || parse_size(size, &f->bytes_max) != 0)
        return error_set(err, ERROR_USAGE, "--%s %.40s: wants a size and a time, for example 256M,30s",
                         s->name, text);
    if (parse_duration(s->name, comma + 1, strlen(comma + 1), &f->age_ns, err) != 0)
        return -1;
    return f->bytes_max >= SIZE_LEAST && f->age_ns >= AGE_LEAST_NS && f->age_ns <= LONGEST_NS
               ? 0
               : error_set(err, ERROR_USAGE, "--%s %.40s: at least 1M, and 100ms to 24h", s->name, text);
}

int set_flight_rule(struct options *o, const struct option_spec *s, const char *text, struct error *err)
{
    struct record_flight *f = of(o, s);
    f->given = s->name;
    if (f->rules_n == FLIGHT_RULES_MAX)
        return error_set(err, ERROR_USAGE, "--%s: at most %d of them", s->name, FLIGHT_RULES_MAX);
    struct condition *c = &f->rules[f->rules_n];
    if (condition_parse(c, &syntax, text, err) != 0)
        return -1;
    if (c->of->by_default == 1u << BY_PCPU)
        return error_set(err, ERROR_USAGE, "--%s '%.80s': %s is of pCPUs, not of domains", s->name, text,
                         c->of->name);
    if (c->of == &flight_lost && c->where)
        return error_set(err, ERROR_USAGE, "--%s '%.80s': records are lost by pCPUs, not by domains", s->name,
                         text);
    f->rules_n++;
    return 0;
}

static int set_length(uint64_t *ns, const struct option_spec *s, const char *text, struct error *err)
{
    if (parse_duration(s->name, text, strlen(text), ns, err) != 0)
        return -1;
    return *ns <= LONGEST_NS ? 0 : error_set(err, ERROR_USAGE, "--%s %.40s: at most 24h", s->name, text);
}

int set_flight_after(struct options *o, const struct option_spec *s, const char *text, struct error *err)
{
    struct record_flight *f = of(o, s);
    f->given = s->name;
    return set_length(&f->after_ns, s, text, err);
}

int set_flight_cooldown(struct options *o, const struct option_spec *s, const char *text, struct error *err)
{
    struct record_flight *f = of(o, s);
    f->given = s->name;
    int status = set_length(&f->cooldown_ns, s, text, err);
    f->cooldown_ns++; /* 0: not given */
    return status;
}

void complete_flight_rules(struct completion *c)
{
    const struct comparable *all = comparables();
    complete_word(c, flight_lost.name, flight_lost.column->help);
    for (size_t i = 0; i < COMPARABLES; i++)
        if (all[i].by_default != 1u << BY_PCPU)
            complete_word(c, all[i].name, all[i].column->help);
}

int record_flight_check(const struct record_flight *f, const struct store_limits *limits, struct error *err)
{
    if (f->bytes_max == 0 && f->given)
        return error_set(err, ERROR_USAGE, "--%s is about the flight recorder: --flight SIZE,AGE", f->given);
    if (limits->keep_bytes > 0 && f->bytes_max > limits->keep_bytes / SIZE_OF_KEPT)
        return error_set(
            err, ERROR_USAGE,
            "--flight: its size is to be a quarter of --keep-bytes at most: a dump may have twice "
            "that size");
    return 0;
}

struct flight_options record_flight_options(const struct record_flight *f)
{
    return (struct flight_options){.bytes_max = f->bytes_max,
                                   .age_ns = f->age_ns,
                                   .rules = f->rules,
                                   .rules_n = f->rules_n,
                                   .after_ns = f->after_ns,
                                   .cooldown_ns = f->cooldown_ns ? f->cooldown_ns - 1 : COOLDOWN_NS};
}
