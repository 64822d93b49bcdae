#include "domain_list.h"

#include <ctype.h>
#include <fnmatch.h>
#include <stdio.h>

#include "metrics/model/population.h"

#define DOMAINS     65536
#define NAME_BYTES  256
#define NAMES_SHOWN 5

/* ---- by name ---- */

struct resolving {
    const struct options *options;
    const struct domain_names *names;
};

/* Some of the names that there are, for a message. */
static const char *some_names(char *to, size_t size, const struct domain_names *names)
{
    size_t n = 0;
    unsigned shown = 0;
    *to = '\0';
    for (int32_t domain = 0; domain < DOMAINS && n < size; domain++) {
        const char *name = names_lookup(names, domain, 1);
        if (!name)
            continue;
        if (shown++ == NAMES_SHOWN) {
            snprintf(to + n, size - n, ", ...");
            break;
        }
        n += (size_t)snprintf(to + n, size - n, "%s%.40s", n ? ", " : "", name);
    }
    return to;
}

static int add_named(void *context, const char *item, size_t n, struct error *err)
{
    const struct resolving *r = context;
    char pattern[NAME_BYTES], some[NAME_BYTES];
    bool found = false;
    if (n > 0 && isdigit((unsigned char)*item))
        return 0;
    if (!r->names)
        return error_set(err, ERROR_USAGE, "--domains %.*s: no names of domains are known; %s",
                         n > 60 ? 60 : (int)n, item,
                         command_option(r->options->command, "names") ? "give --names FILE, or ids: 0,3-5"
                                                                      : "give ids: 0,3-5");
    snprintf(pattern, sizeof pattern, "%.*s", (int)n, item);
    for (int32_t domain = 0; domain < DOMAINS; domain++) {
        const char *name = names_lookup(r->names, domain, 1);
        if (!name || fnmatch(pattern, name, 0) != 0)
            continue;
        r->options->domains[domain] = 1;
        found = true;
    }
    return found ? 0
                 : error_set(err, ERROR_USAGE, "--domains %.60s: no domain has this name; there are %s",
                             pattern, some_names(some, sizeof some, r->names));
}

int domain_list_names(const struct options *o, const struct domain_names *names, struct error *err)
{
    struct resolving r = {o, names};
    return o->domains_named ? each_item(o->domains_list, add_named, &r, err) : 0;
}

/* ---- who is there ---- */

static bool is_within(int32_t domain, size_t from, size_t to)
{
    return domain >= 0 && domain != IDLE_DOMAIN && (size_t)domain >= from && (size_t)domain <= to;
}

/* Whether a domain that is in the trace, or in what an archive keeps of it, is one of [from, to] that is wanted. */
static bool has_domain(const struct trace_run *run, size_t from, size_t to)
{
    const struct pass *pass = run->pipeline ? pipeline_pass(run->pipeline) : NULL;
    const struct population *who = pass && pass->model ? model_population(pass->model) : NULL;
    const struct summary *kept = &run->archived.summary;
    const uint8_t *wanted = run->options->domains;
    for (size_t i = 0; who && i < who->incarnations_n; i++) {
        int32_t domain = (int32_t)who->incarnations[i].domain;
        if (is_within(domain, from, to) && (!wanted || wanted[domain]))
            return true;
    }
    for (size_t i = 0; run->archived.archive && i < kept->domains_n; i++) {
        int32_t domain = kept->domains[i].domain;
        if (is_within(domain, from, to) && (!wanted || wanted[domain]))
            return true;
    }
    return false;
}

bool domain_list_is_there(const struct trace_run *run)
{
    return has_domain(run, 0, DOMAINS - 1);
}

static bool has_pcpu(const struct trace_run *run, size_t from, size_t to)
{
    const struct pass *pass = run->pipeline ? pipeline_pass(run->pipeline) : NULL;
    const struct summary *kept = &run->archived.summary;
    for (size_t i = 0; pass && i < pass->pcpus_n; i++)
        if (pass->pcpus[i] >= from && pass->pcpus[i] <= to)
            return true;
    for (size_t i = 0; run->archived.archive && i < kept->pcpus_n; i++)
        if (kept->pcpus[i].pcpu >= from && kept->pcpus[i].pcpu <= to)
            return true;
    return false;
}

struct domain_check {
    const struct trace_run *run;
    bool (*has)(const struct trace_run *run, size_t from, size_t to);
    const char *option;
};

static int say_if_absent(void *context, const char *item, size_t n, struct error *err)
{
    const struct domain_check *a = context;
    const char *text = item;
    size_t from, to;
    (void)err;
    if (range_below(&text, DOMAINS, &from, &to) == 0 && !a->has(a->run, from, to))
        complain("--%s %.*s: not in this trace", a->option, (int)n, item);
    return 0;
}

void domain_list_say_absent(const struct trace_run *run)
{
    const struct options *o = run->options;
    struct error none;
    if (o->domains_list)
        each_item(o->domains_list, say_if_absent, &(struct domain_check){run, has_domain, "domains"}, &none);
    if (o->pcpus_list)
        each_item(o->pcpus_list, say_if_absent, &(struct domain_check){run, has_pcpu, "pcpus"}, &none);
}
