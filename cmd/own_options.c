/* The options about known loads of driver domains' own work: --own and --own-baseline. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

#define WORD_BYTES  24
#define PPM_PER_PCT 1e4

/* "12.5%" in n characters. */
static bool share_of(const char *text, size_t n, uint32_t *ppm)
{
    char word[WORD_BYTES], *end;
    if (n < 2 || n >= WORD_BYTES || text[n - 1] != '%')
        return false;
    snprintf(word, sizeof word, "%.*s", (int)(n - 1), text);
    if (word[strspn(word, "0123456789.")] || !strpbrk(word, "0123456789"))
        return false;
    double pct = strtod(word, &end);
    if (*end || pct * PPM_PER_PCT > OWN_LOAD_PPM_MAX)
        return false;
    *ppm = (uint32_t)llround(pct * PPM_PER_PCT);
    return true;
}

/* SHARE, of domain 0, or DOMAIN=SHARE */
static int take_own(void *context, const char *item, size_t n, struct error *err)
{
    struct options *o = context;
    const char *text = item, *equals = memchr(item, '=', n);
    int shown = n > 60 ? 60 : (int)n;
    size_t domain = 0;
    uint32_t ppm;
    if (equals && (number_below(&text, 65536, &domain) != 0 || text != equals))
        return error_set(err, ERROR_USAGE, "--own: '%.*s' wants DOMAIN=SHARE, for example 3=5%%", shown,
                         item);
    text = equals ? equals + 1 : item;
    if (!share_of(text, n - (size_t)(text - item), &ppm))
        return error_set(err, ERROR_USAGE,
                         "--own: '%.*s' is no share of a pCPU, in per cent: 12%%, 0.5%% and 0=12%%,3=5%% are",
                         shown, item);
    for (size_t i = 0; i < o->own_n; i++)
        if (o->own[i].domain == domain)
            return error_set(err, ERROR_USAGE, "--own: domain %zu is there twice%s", domain,
                             domain == 0 ? "; a share without a domain is that of domain 0" : "");
    return own_load_add(&o->own, &o->own_n, (uint16_t)domain, ppm) ? 0 : error_no_memory(err, "--own");
}

int set_own(struct options *o, const struct option_spec *s, const char *text, struct error *err)
{
    (void)s;
    free(o->own);
    o->own = NULL;
    o->own_n = 0;
    return each_item(text, take_own, o, err);
}

/* Loads of domains that are no driver domains by --idd are a mistake where they were given one by one. */
static int check_idds(const struct options *o, struct error *err)
{
    for (size_t i = 0; o->own && i < o->own_n; i++)
        if (!o->idds[o->own[i].domain])
            return error_set(err, ERROR_USAGE, "--own: domain %u is none of the driver domains of --idd%s",
                             o->own[i].domain, o->own[i].domain == 0 ? "; for others give DOMAIN=SHARE" : "");
    return 0;
}

/* Of a report those of the driver domains are taken. */
static int keep_idds(struct options *o, struct error *err)
{
    size_t kept = 0;
    for (size_t i = 0; i < o->own_n; i++)
        if (o->idds[o->own[i].domain])
            o->own[kept++] = o->own[i];
    o->own_n = kept;
    for (uint32_t domain = 0, i = 0; domain < 65536; domain++) {
        if (!o->idds[domain])
            continue;
        if (i == kept || o->own[i++].domain != domain)
            return error_set(err, ERROR_USAGE, "--own-baseline %s: domain %u of --idd is not in it",
                             o->own_baseline, domain);
    }
    return 0;
}

int own_loads_complete(struct options *o, struct error *err)
{
    if (o->own && o->own_baseline)
        return error_set(err, ERROR_USAGE,
                         "--own and --own-baseline both say what is known of own work: give one of them");
    if (o->own_baseline && own_baseline_read(o, err) != 0)
        return -1;
    if (!o->idds)
        return 0;
    return o->own_baseline ? keep_idds(o, err) : check_idds(o, err);
}
