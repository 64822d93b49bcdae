#include "serve_names.h"

#include <stdlib.h>
#include <string.h>

#include "metrics/array.h"

int serve_names_watch(struct serve_names *n, const char *source, struct error *err)
{
    const struct domain_watch_options options = {
        .source = source, .interval_ns = DOMAIN_WATCH_INTERVAL_NS, .limit_ns = DOMAIN_WATCH_LIMIT_NS};
    n->watch = domain_watch_new(&options, err);
    return n->watch ? 0 : -1;
}

void serve_names_free(struct serve_names *n)
{
    domain_watch_free(n->watch);
    free(n->known);
    *n = (struct serve_names){0};
}

/* The place of the domain, or where it would be. */
static size_t place_of(const struct serve_names *n, uint32_t domain)
{
    size_t from = 0, to = n->n;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        if (n->known[middle].domain < domain)
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

static int learn(struct serve_names *n, const struct fact_domain *d, struct error *err)
{
    size_t at = place_of(n, d->domain);
    if (!*d->name && !*d->uuid)
        return 0; /* it is gone: its last interval is still to come */
    if (at == n->n || n->known[at].domain != d->domain) {
        if (!array_make_room(&n->known, &n->capacity, n->n + 1, sizeof *n->known))
            return error_no_memory(err, "names of domains");
        memmove(n->known + at + 1, n->known + at, (n->n - at) * sizeof *n->known);
        n->n++;
    }
    n->known[at].domain = d->domain;
    memcpy(n->known[at].name, d->name, sizeof d->name);
    memcpy(n->known[at].uuid, d->uuid, sizeof d->uuid);
    return 0;
}

int serve_names_update(struct serve_names *n, struct error *err)
{
    struct buffer lines = {0};
    struct host_facts facts = {0};
    int status = 0;
    if (!n->watch)
        return 0;
    domain_watch_take(n->watch, 1, false, &lines);
    if (lines.failed)
        status = error_no_memory(err, "names of domains");
    else if (lines.n > 0)
        status = host_facts_read(&facts, lines.at, lines.n, err);
    for (size_t i = 0; status == 0 && i < facts.domains_n; i++)
        status = learn(n, &facts.domains[i], err);
    host_facts_free(&facts);
    buffer_free(&lines);
    return status;
}

static const struct known_domain *find(const struct serve_names *n, int32_t domain)
{
    size_t at = domain >= 0 ? place_of(n, (uint32_t)domain) : n->n;
    return at < n->n && n->known[at].domain == (uint32_t)domain ? &n->known[at] : NULL;
}

const char *serve_names_name(const void *names, int32_t domain, uint32_t life)
{
    const struct serve_names *n = names;
    const char *given = names_lookup(n->names, domain, life);
    const struct known_domain *known = find(n, domain);
    return given ? given : known ? known->name : NULL;
}

const char *serve_names_uuid(const void *names, int32_t domain, uint32_t life)
{
    const struct serve_names *n = names;
    const struct known_domain *known = find(n, domain);
    return known ? known->uuid : n->host ? host_time_uuid(n->host, domain, life) : NULL;
}
