#include "act/xl.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/xl_line.h"

#define CAP_MAX       65535u
#define WEIGHT_MAX    65535u
#define TIME_US_MIN   10u         /* RTDS_MIN_PERIOD, RTDS_MIN_BUDGET */
#define TIME_US_END   4000000001u /* as u32, with room */
#define PERIOD_US     10000u      /* RTDS_DEFAULT_PERIOD */
#define PPM           1000000u
#define PPM_OF_A_CENT 10000u /* 1 % */

const char *const xl_scheduler_names[] = {"credit", "credit2", "rtds", NULL};

static const char *const commands[] = {"sched-credit", "sched-credit2", "sched-rtds"};
static const char *const list_all[] = {NULL};
static const char *const list_vcpus[] = {"-v", "all", NULL};

const char *xl_command(enum xl_scheduler s)
{
    return commands[s];
}

const char *const *xl_list_words(enum xl_scheduler s)
{
    return s == XL_RTDS ? list_vcpus : list_all;
}

/* ---- lines ---- */

/* The name before the word; it is printed, and kept in JSON. */
static void set_name(struct host_guest *g, struct span line, struct span word)
{
    struct span name = xl_line_before(line, word);
    size_t n = name.n < sizeof g->name - 1 ? name.n : sizeof g->name - 1;
    for (size_t i = 0; i < n; i++)
        g->name[i] = isprint((unsigned char)name.at[i]) ? name.at[i] : '?';
    g->name[n] = '\0';
}

/* ---- Credit and Credit2: "NAME ID WEIGHT CAP" ---- */

static int bad_line(const char *text, struct error *err)
{
    char shown[61];
    size_t n = 0;
    for (; n < sizeof shown - 1 && text[n]; n++)
        shown[n] = text[n];
    for (size_t i = 0; i < n; i++)
        shown[i] = isprint((unsigned char)shown[i]) ? shown[i] : '?';
    shown[n] = '\0';
    return error_set(err, ERROR_FORMAT, "the list of parameters has a line that is none of them: \"%s\"",
                     shown);
}

static int read_cap(const char *text, struct host_guests *guests, struct error *err)
{
    const struct span line = {text, strlen(text)};
    const struct xl_line l = xl_line_cut(line);
    const struct span *at = l.words; /* the last column first */
    uint64_t id, weight, cap;
    if (l.n < 3 || !span_number(at[2], XL_DOMAINS_END, &id) || !span_number(at[1], WEIGHT_MAX + 1, &weight) ||
        !span_number(at[0], CAP_MAX + 1, &cap))
        return bad_line(text, err);
    struct host_guest *g = host_guests_add(guests, (uint16_t)id);
    if (!g)
        return error_no_memory(err, "the list of domains");
    set_name(g, line, at[2]);
    snprintf(g->value, sizeof g->value, "-c %" PRIu64, cap);
    return 0;
}

/* ---- RTDS: "NAME ID VCPU PERIOD BUDGET EXTRATIME" ---- */

/* A vCPU in words that set its parameters. False: no room. */
static bool add_vcpu(struct host_guest *g, uint64_t vcpu, uint64_t period, uint64_t budget, bool extra)
{
    size_t n = strlen(g->value);
    int more =
        snprintf(g->value + n, sizeof g->value - n, "%s-v %" PRIu64 " -p %" PRIu64 " -b %" PRIu64 " -e %d",
                 n ? " " : "", vcpu, period, budget, extra);
    return more > 0 && (size_t)more < sizeof g->value - n;
}

/* The guest of the id, made if the line is its first one; its lines follow each other. NULL with `err` filled. */
static struct host_guest *guest_of_line(struct host_guests *guests, uint64_t id, uint64_t vcpu,
                                        struct error *err)
{
    struct host_guest *g = guests->n > 0 ? &guests->at[guests->n - 1] : NULL;
    g = g && g->domain == id ? g : NULL;
    if (g && vcpu < g->vcpus) {
        error_set(err, ERROR_FORMAT, "the list of parameters has domain %" PRIu64 ", vCPU %" PRIu64 " twice",
                  id, vcpu);
        return NULL;
    }
    if (!g && !(g = host_guests_add(guests, (uint16_t)id)))
        error_no_memory(err, "the list of domains");
    return g;
}

static int read_vcpu(const char *text, struct host_guests *guests, struct error *err)
{
    const struct span line = {text, strlen(text)};
    const struct xl_line l = xl_line_cut(line);
    const struct span *at = l.words; /* the last column first */
    uint64_t id, vcpu, period, budget;
    if (l.n < 5 || !span_number(at[4], XL_DOMAINS_END, &id) || !span_number(at[3], XL_VCPUS_END, &vcpu) ||
        !span_number(at[2], TIME_US_END, &period) || period < TIME_US_MIN ||
        !span_number(at[1], period + 1, &budget) || budget < TIME_US_MIN ||
        !(span_is(at[0], "yes") || span_is(at[0], "no")))
        return bad_line(text, err);
    struct host_guest *g = guest_of_line(guests, id, vcpu, err);
    if (!g)
        return -1;
    if (g->vcpus == 0)
        set_name(g, line, at[4]);
    g->vcpus = (uint32_t)vcpu + 1;
    g->period_us = g->period_us ? g->period_us : (uint32_t)period;
    if (!add_vcpu(g, vcpu, period, budget, *at[0].at == 'y'))
        return error_set(err, ERROR_FORMAT, "domain %" PRIu64 " has more vCPUs than can be kept in mind", id);
    return 0;
}

/* Prints the parameters once, without numbers of vCPUs, where all vCPUs have the same. */
static void shorten(struct host_guest *g)
{
    const char *first = strstr(g->value, "-p ");
    const char *second = first ? strstr(first, " -v ") : NULL;
    size_t n = !first ? 0 : second ? (size_t)(second - first) : strlen(first);
    for (const char *at = first; at; at = strstr(at + n, "-p "))
        if (strncmp(at, first, n) != 0 || (at[n] && at[n] != ' '))
            return;
    if (first)
        memmove(g->value, first, n);
    g->value[n] = '\0';
}

/* ---- the list ---- */

static bool is_header(const char *line, enum xl_scheduler s)
{
    return strncmp(line, "Name", 4) == 0 && strstr(line, "ID") && strstr(line, s == XL_RTDS ? "VCPU" : "Cap");
}

static int read_line(enum xl_scheduler s, const char *text, bool *begun, struct host_guests *guests,
                     struct error *err)
{
    if (!*text || strncmp(text, "Cpupool ", 8) == 0)
        return 0;
    if (is_header(text, s)) {
        *begun = true;
        return 0;
    }
    if (!*begun)
        return bad_line(text, err);
    return s == XL_RTDS ? read_vcpu(text, guests, err) : read_cap(text, guests, err);
}

static int by_domain(const void *a, const void *b)
{
    const struct host_guest *x = a, *y = b;
    return (x->domain > y->domain) - (x->domain < y->domain);
}

/* Orders the guests. */
static int settle_list(enum xl_scheduler s, struct host_guests *guests, struct error *err)
{
    if (guests->n == 0)
        return error_set(err, ERROR_FORMAT,
                         "no domain is scheduled by %s: is the host's scheduler another one?",
                         xl_scheduler_names[s]);
    qsort(guests->at, guests->n, sizeof *guests->at, by_domain);
    for (size_t i = 1; i < guests->n; i++)
        if (guests->at[i].domain == guests->at[i - 1].domain)
            return error_set(err, ERROR_FORMAT, "the list of parameters has domain %u twice",
                             guests->at[i].domain);
    for (size_t i = 0; s == XL_RTDS && i < guests->n; i++)
        shorten(&guests->at[i]);
    return 0;
}

int xl_read_list(enum xl_scheduler s, const char *text, size_t n, struct host_guests *guests,
                 struct error *err)
{
    char *copy = strndup(text ? text : "", n), *rest = copy, *line;
    bool begun = false;
    int status = copy ? 0 : error_no_memory(err, "the list of domains");
    if (copy && strlen(copy) != n)
        status = error_set(err, ERROR_FORMAT, "the list of parameters is no text");
    while (status == 0 && (line = strsep(&rest, "\n")))
        status = read_line(s, line, &begun, guests, err);
    free(copy);
    if (status == 0)
        status = settle_list(s, guests, err);
    if (status != 0)
        host_guests_free(guests);
    return status;
}

/* ---- values ---- */

void xl_value(enum xl_scheduler s, uint64_t ppm, uint32_t vcpus, uint32_t period_us,
              char value[ACT_VALUE_BYTES])
{
    uint64_t period = period_us ? period_us : PERIOD_US;
    uint64_t most = (uint64_t)PPM * CAP_MAX / 100, part = ppm < most ? ppm : most;
    uint64_t cap = (part + PPM_OF_A_CENT / 2) / PPM_OF_A_CENT;
    uint64_t budget = part * period / PPM / (vcpus ? vcpus : 1);
    if (budget < TIME_US_MIN)
        budget = TIME_US_MIN;
    if (s == XL_RTDS)
        snprintf(value, ACT_VALUE_BYTES, "-p %" PRIu64 " -b %" PRIu64 " -e 0", period,
                 budget < period ? budget : period);
    else
        snprintf(value, ACT_VALUE_BYTES, "-c %" PRIu64, cap ? cap : 1);
}

bool xl_is_value(const char *text)
{
    if (strlen(text) >= ACT_VALUE_BYTES)
        return false;
    for (const char *at = text;;) { /* "-x N", and so on */
        size_t digits;
        if (at[0] != '-' || !at[1] || !strchr("cvpbe", at[1]) || at[2] != ' ' ||
            (digits = strspn(at + 3, "0123456789")) == 0)
            return false;
        at += 3 + digits;
        if (*at++ != ' ')
            return at[-1] == '\0';
    }
}
