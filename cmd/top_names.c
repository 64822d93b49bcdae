#include "top_names.h"

#include <stdio.h>
#include <stdlib.h>

#include "cli.h"
#include "host/io_clock.h"
#include "host_time.h"
#include "record/domain_watch.h"

struct top_names {
    struct domain_watch *watch;
    struct host_time host; /* only its facts */
    struct domain_names *names;
};

struct top_names *top_names_new(const char *source, struct error *err)
{
    const struct domain_watch_options options = {
        .source = source, .interval_ns = DOMAIN_WATCH_INTERVAL_NS, .limit_ns = DOMAIN_WATCH_LIMIT_NS};
    struct top_names *n = calloc(1, sizeof *n);
    if (!n) {
        error_no_memory(err, "the names of domains");
        return NULL;
    }
    if (!(n->watch = domain_watch_new(&options, err))) {
        free(n);
        return NULL;
    }
    return n;
}

bool top_names_take(struct top_names *n, const struct domain_names **names)
{
    struct buffer lines = {.n = 0};
    struct error ignored;
    struct domain_names *now = NULL;
    domain_watch_take(n->watch, io_clock_ns(), false, &lines);
    bool changed = lines.n > 0 && !lines.failed &&
                   host_facts_read(&n->host.facts, lines.at, lines.n, &ignored) == 0 &&
                   host_time_names(&n->host, &now);
    buffer_free(&lines);
    if (!changed) {
        names_free(now);
        return false;
    }
    names_free(n->names);
    *names = n->names = now;
    return true;
}

bool top_names_failure(struct top_names *n, char *to, size_t size)
{
    struct domain_watch_state state = domain_watch_state(n->watch);
    if (state.error.code == ERROR_NONE)
        return false;
    snprintf(to, size, "names of domains: %s", state.error.message);
    return true;
}

void top_names_free(struct top_names *n)
{
    if (!n)
        return;
    domain_watch_free(n->watch);
    names_free(n->names);
    host_time_free(&n->host);
    free(n);
}
