/* Takes the values of options. */
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cli.h"
#include "metrics/relation/relation.h"

#define THREADS_MAX 64
#define LEVEL_MAX   19
#define COUNT_MAX   (((size_t)1 << 40) - 1)

/* ---- values ---- */

static const struct {
    const char *name;
    double ns;
} duration_units[] = {{"ns", 1},   {"us", 1e3},   {"ms", 1e6},   {"s", 1e9},    {"", 1e9},
                      {"m", 60e9}, {"min", 60e9}, {"h", 3600e9}, {"d", 86400e9}};

int parse_duration(const char *option, const char *text, size_t n, uint64_t *ns, struct error *err)
{
    char word[40];
    if (n > 0 && n < sizeof word && (isdigit((unsigned char)text[0]) || text[0] == '.')) {
        memcpy(word, text, n);
        word[n] = '\0';
        size_t digits = strspn(word, "0123456789.");
        char *end;
        double number = strtod(word, &end);
        for (size_t i = 0; end == word + digits && i < sizeof duration_units / sizeof duration_units[0];
             i++) {
            if (strcmp(end, duration_units[i].name) != 0)
                continue;
            double value = number * duration_units[i].ns;
            if (value > 9e18)
                break;
            *ns = (uint64_t)llround(value);
            return 0;
        }
    }
    return error_set(err, ERROR_USAGE,
                     "--%s: '%.*s' is not a length of time: 1.5s, 100ms, 500us, 5min, 1h are", option,
                     n > 60 ? 60 : (int)n, text);
}

int number_below(const char **text, size_t limit, size_t *number)
{
    if (!isdigit((unsigned char)**text))
        return -1;
    char *end;
    errno = 0;
    unsigned long value = strtoul(*text, &end, 10);
    if (errno || value >= limit)
        return -1;
    *text = end;
    *number = value;
    return 0;
}

int range_below(const char **text, size_t limit, size_t *from, size_t *to)
{
    if (number_below(text, limit, from) != 0)
        return -1;
    *to = *from;
    if (**text != '-')
        return 0;
    ++*text;
    return number_below(text, limit, to) == 0 && *to >= *from ? 0 : -1;
}

int name_index(const char *const *names, const char *word, size_t n)
{
    for (int i = 0; names[i]; i++)
        if (strncmp(names[i], word, n) == 0 && !names[i][n])
            return i;
    return -1;
}

int each_item(const char *list, take_list_item *take, void *context, struct error *err)
{
    for (;; list++) {
        size_t n = strcspn(list, ",");
        if (take(context, list, n, err) != 0)
            return -1;
        list += n;
        if (!*list)
            return 0;
    }
}

/* A number with one of the letters K, M, G, T for powers of `base`; what follows it must be nothing. */
static int scaled(const char *text, double base, double *value)
{
    static const char letters[] = "KMGT";
    char *end;
    if (!isdigit((unsigned char)text[0]) && text[0] != '.')
        return -1;
    if (strspn(text, "0123456789.") == 0 || strpbrk(text, "xX"))
        return -1;
    *value = strtod(text, &end);
    const char *letter = *end ? strchr(letters, toupper((unsigned char)*end)) : NULL;
    if (letter) {
        *value *= pow(base, (double)(letter - letters + 1));
        end++;
    }
    return *end ? -1 : 0;
}

/* A whole number from 1 to `most`. */
static int whole_number(const char *text, size_t most, size_t *number)
{
    return number_below(&text, most + 1, number) != 0 || *text || *number == 0 ? -1 : 0;
}

/* The byte set of a list of numbers below `limit`, made on first use. NULL with `err` filled: no memory. */
static uint8_t *make_set(uint8_t **set, size_t limit, struct error *err)
{
    if (!*set && !(*set = calloc(limit, 1)))
        error_no_memory(err, "the options");
    return *set;
}

/* "0,3-5": sets a byte for each number, all of them below `limit`; *set is made on first use. */
static int set_numbers(const struct option_spec *s, const char *text, uint8_t **set, size_t limit,
                       struct error *err)
{
    const char *p = text;
    uint8_t *bytes = make_set(set, limit, err);
    if (!bytes)
        return -1;
    for (size_t from, to; range_below(&p, limit, &from, &to) == 0;) {
        memset(bytes + from, 1, to - from + 1);
        if (*p == '\0')
            return 0;
        if (*p++ != ',')
            break;
    }
    return error_set(err, ERROR_USAGE, "--%s %.60s: wants numbers below %zu and ranges, for example 0,3-5",
                     s->name, text, limit);
}

/* ---- of any option ---- */

/* Where the value of a row of the table goes. */
static void *field_of(struct options *o, const struct option_spec *s)
{
    return (char *)o + s->offset;
}

int set_flag(struct options *o, const struct option_spec *s, const char *text, struct error *err)
{
    (void)text, (void)err;
    *(bool *)field_of(o, s) = true;
    return 0;
}

int set_text(struct options *o, const struct option_spec *s, const char *text, struct error *err)
{
    (void)err;
    *(const char **)field_of(o, s) = text;
    return 0;
}

int set_count(struct options *o, const struct option_spec *s, const char *text, struct error *err)
{
    if (whole_number(text, COUNT_MAX, field_of(o, s)) != 0)
        return error_set(err, ERROR_USAGE, "--%s %.60s: wants a whole number from 1 on", s->name, text);
    return 0;
}

int set_when(struct options *o, const struct option_spec *s, const char *text, struct error *err)
{
    static const char *const names[] = {"auto", "always", "never", NULL};
    int when = name_index(names, text, strlen(text));
    if (when < 0)
        return error_set(err, ERROR_USAGE, "--%s %s: auto, always or never", s->name, text);
    *(enum when *)field_of(o, s) = (enum when)when;
    return 0;
}

/* ---- what rows are by, and over what time ---- */

/* One of by_names in n characters. */
static int add_by(void *context, const char *text, size_t n, struct error *err)
{
    struct options *o = context;
    int by = name_index(by_names, text, n);
    if (by < 0)
        return error_set(err, ERROR_USAGE, "--by %.*s: rows can be by domain, vcpu, pcpu or domain-pcpu",
                         n > 60 ? 60 : (int)n, text);
    o->bys |= 1u << by;
    return 0;
}

int set_by(struct options *o, const struct option_spec *s, const char *text, struct error *err)
{
    (void)s;
    o->bys = 0; /* the last one holds */
    return add_by(o, text, strlen(text), err);
}

int set_bys(struct options *o, const struct option_spec *s, const char *text, struct error *err)
{
    (void)s;
    return each_item(text, add_by, o, err);
}

int options_add_granularity(struct options *o, uint64_t ns, struct error *err)
{
    for (size_t i = 0; i < o->granularities; i++)
        if (o->granularities_ns[i] == ns)
            return 0;
    if (o->granularities == METER_GRANULARITIES)
        return error_set(err, ERROR_USAGE, "at most %d granularities at once", METER_GRANULARITIES);
    o->granularities_ns[o->granularities++] = ns;
    return 0;
}

/* "total", "execution" or a length, in n characters. */
static int add_granularity_word(void *context, const char *text, size_t n, struct error *err)
{
    struct options *o = context;
    uint64_t ns = 0;
    if (n == 9 && strncmp(text, "execution", 9) == 0) {
        o->executions = true;
        return 0;
    }
    if (n == 5 && strncmp(text, "total", 5) == 0)
        return options_add_granularity(o, 0, err);
    if (parse_duration("granularity", text, n, &ns, err) != 0)
        return error_set(err, ERROR_USAGE,
                         "--granularity: '%.*s' is none of total, execution, or a length (10s, 100ms, 500us)",
                         n > 60 ? 60 : (int)n, text);
    if (ns < 1000)
        return error_set(err, ERROR_USAGE, "granularity %.*s: intervals are at least 1us long", (int)n, text);
    return options_add_granularity(o, ns, err);
}

int set_granularities(struct options *o, const struct option_spec *s, const char *text, struct error *err)
{
    (void)s;
    return each_item(text, add_granularity_word, o, err);
}

int set_time_format(struct options *o, const struct option_spec *s, const char *text, struct error *err)
{
    static const char *const names[] = {"relative", "local", "utc", "tsc", NULL}; /* by enum time_format */
    int format = name_index(names, text, strlen(text));
    if (format < 0)
        return error_set(err, ERROR_USAGE, "--%s %s: relative, local, utc or tsc", s->name, text);
    o->time_format = (enum time_format)format;
    return 0;
}

/* A side of --time: a length of time, or a time of day where the command takes them. */
static int set_side(const struct options *o, const char *text, size_t n, uint64_t *ns,
                    struct clock_time *time, struct error *err)
{
    *time = (struct clock_time){.given = false};
    *ns = 0;
    if (n == 0)
        return 0;
    if (memchr(text, ':', n) && command_option(o->command, "time-format"))
        return clock_time_parse(time, "--time", text, n, err);
    return parse_duration("time", text, n, ns, err);
}

int set_span(struct options *o, const struct option_spec *s, const char *text, struct error *err)
{
    (void)s;
    const char *comma = strchr(text, ',');
    if (!comma)
        return error_set(err, ERROR_USAGE,
                         "--time %s: wants FROM,TO, for example 1.5s,3s (either may be empty)", text);
    o->span.text = text;
    if (set_side(o, text, (size_t)(comma - text), &o->from_ns, &o->span.from, err) != 0 ||
        set_side(o, comma + 1, strlen(comma + 1), &o->to_ns, &o->span.to, err) != 0)
        return -1;
    if (comma[1] && !clock_span_given(&o->span) && o->to_ns <= o->from_ns)
        return error_set(err, ERROR_USAGE, "--time %s: nothing lies between", text);
    return 0;
}

int set_live(struct options *o, const struct option_spec *s, const char *text, struct error *err)
{
    if (parse_duration(s->name, text, strlen(text), &o->live_ns, err) != 0)
        return -1;
    return o->live_ns >= 1000 ? 0 : error_set(err, ERROR_USAGE, "--live %s: at least 1us", text);
}

/* ---- the rest ---- */

const char *formats_listed(char to[FORMATS_BYTES], const char *const *formats)
{
    *to = '\0';
    for (size_t i = 0, n = 0; formats[i] && n < FORMATS_BYTES; i++)
        n += (size_t)snprintf(to + n, FORMATS_BYTES - n, "%s%s", i ? ", " : "", formats[i]);
    return to;
}

int set_format(struct options *o, const struct option_spec *s, const char *text, struct error *err)
{
    const char *const *formats = o->command->formats;
    char all[FORMATS_BYTES], near[SUGGESTION_BYTES];
    int format = name_index(formats, text, strlen(text));
    (void)s;
    if (format >= 0) {
        o->format = formats[format];
        return 0;
    }
    return error_set(err, ERROR_USAGE, "%s has no format '%s'%s; it writes %s", o->command->name, text,
                     suggestion(near, " (did you mean '", "'?)", text, formats),
                     formats_listed(all, formats));
}

/* An id, a range, or a name, which is resolved when names are known. */
static int add_domain(void *context, const char *item, size_t n, struct error *err)
{
    struct options *o = context;
    const char *text = item;
    size_t from, to;
    if (n > 0 && !isdigit((unsigned char)*item) && *item != '-') {
        o->domains_named = true;
        return 0;
    }
    if (range_below(&text, 65536, &from, &to) != 0 || text != item + n)
        return error_set(err, ERROR_USAGE,
                         "--domains %.60s: wants ids below 65536, ranges and names, for example 0,3-5,web*",
                         o->domains_list);
    memset(o->domains + from, 1, to - from + 1);
    return 0;
}

int set_domains(struct options *o, const struct option_spec *s, const char *text, struct error *err)
{
    (void)s;
    if (!make_set(&o->domains, 65536, err))
        return -1;
    o->domains_list = text;
    return each_item(text, add_domain, o, err);
}

int set_pcpus(struct options *o, const struct option_spec *s, const char *text, struct error *err)
{
    o->pcpus_list = text;
    return set_numbers(s, text, &o->pcpus, PCPUS_MAX, err);
}

int set_cpu_hz(struct options *o, const struct option_spec *s, const char *text, struct error *err)
{
    char number[40];
    size_t n = strlen(text), unit = n > 2 && strcasecmp(text + n - 2, "hz") == 0 ? 2 : 0;
    bool fits = n - unit < sizeof number;
    snprintf(number, sizeof number, "%.*s", (int)(n - unit), fits ? text : "");
    if (scaled(number, 1000, &o->cpu_hz) != 0 || o->cpu_hz < 1e3 || o->cpu_hz > 1e12)
        return error_set(err, ERROR_USAGE,
                         "--%s %.60s: wants a frequency from 1 kHz on, for example 2.4GHz or 2595918170",
                         s->name, text);
    return 0;
}

int parse_size(const char *text, uint64_t *bytes)
{
    double value;
    if (scaled(text, 1024, &value) != 0 || !(value >= 1 && value <= 1e15))
        return -1;
    *bytes = (uint64_t)value;
    return 0;
}

int set_max_memory(struct options *o, const struct option_spec *s, const char *text, struct error *err)
{
    uint64_t bytes;
    if (parse_size(text, &bytes) != 0 || bytes < 16 * 1024 * 1024)
        return error_set(err, ERROR_USAGE, "--%s %.60s: wants at least 16M, for example 256M or 2G", s->name,
                         text);
    o->max_memory = bytes;
    return 0;
}

int set_small(unsigned *to, unsigned most, const struct option_spec *s, const char *text, struct error *err)
{
    size_t n;
    if (whole_number(text, most, &n) != 0)
        return error_set(err, ERROR_USAGE, "--%s %.40s: wants a whole number from 1 to %u", s->name, text,
                         most);
    *to = (unsigned)n;
    return 0;
}

int set_threads(struct options *o, const struct option_spec *s, const char *text, struct error *err)
{
    return set_small(&o->threads, THREADS_MAX, s, text, err);
}

int set_jobs(struct options *o, const struct option_spec *s, const char *text, struct error *err)
{
    return set_small(&o->jobs, THREADS_MAX, s, text, err);
}

int set_level(struct options *o, const struct option_spec *s, const char *text, struct error *err)
{
    return set_small(&o->level, LEVEL_MAX, s, text, err);
}

int set_idds(struct options *o, const struct option_spec *s, const char *text, struct error *err)
{
    return set_numbers(s, text, &o->idds, 65536, err);
}
