#include "tests/fuzz/text_again.h"

#include <inttypes.h>
#include <string.h>

#include "formats/buffer.h"
#include "tests/fuzz/must.h"

/* ---- counters ---- */

static const char *const count_names[COUNTER_COUNTS] = {"tx_packets", "rx_packets", "read_ops", "write_ops",
                                                        "cpu_ns"};

static void print_counters(struct buffer *b, const struct counters *c)
{
    buffer_text(b, c->has_tsc ? "tsc,domain,idd,device" : "time_ns,domain,idd,device");
    for (unsigned k = 0; k < COUNTER_COUNTS; k++)
        buffer_printf(b, ",%s", k == COUNTER_CPU && c->cpu_is_net ? "cpu_net_ns" : count_names[k]);
    buffer_text(b, "\n");
    for (size_t i = 0; i < c->readings_n; i++) {
        const struct counter_reading *r = &c->readings[i];
        const struct counter_device *d = &c->devices[r->device];
        buffer_printf(b, "%" PRIu64 ",%u,%u,\"%s\"", c->has_tsc ? r->tsc : r->time_ns, d->domain, d->idd,
                      d->name);
        for (unsigned k = 0; k < COUNTER_COUNTS; k++)
            if (d->counts[k])
                buffer_printf(b, ",%" PRIu64, r->count[k]);
            else
                buffer_text(b, ",");
        buffer_text(b, "\n");
    }
}

/* What a field cannot hold as it is: its blanks at both ends are not part of it. */
static bool can_be_printed(const struct counters *c)
{
    for (size_t i = 0; i < c->devices_n; i++) {
        const char *name = c->devices[i].name;
        size_t n = strlen(name);
        if (n == 0 || strchr(" \t", name[0]) || strchr(" \t", name[n - 1]))
            return false;
    }
    return true;
}

void counters_again(const struct counters *c)
{
    struct buffer text = {0};
    struct error err = {0};
    if (c->readings_n == 0 || !can_be_printed(c))
        return;
    print_counters(&text, c);
    struct counters *again = counters_read_text(text.at, text.n, &err);
    MUST(again, "%s in\n%.*s", err.message, (int)text.n, text.at);
    MUST(again->readings_n == c->readings_n && again->devices_n == c->devices_n, "%zu readings of %zu",
         again->readings_n, c->readings_n);
    for (size_t i = 0; i < c->readings_n; i++) {
        const struct counter_reading *a = &c->readings[i], *b = &again->readings[i];
        MUST((c->has_tsc ? a->tsc == b->tsc : a->time_ns == b->time_ns) &&
                 memcmp(a->count, b->count, sizeof a->count) == 0 &&
                 strcmp(c->devices[a->device].name, again->devices[b->device].name) == 0,
             "reading %zu of\n%.*s", i, (int)text.n, text.at);
    }
    counters_free(again);
    buffer_free(&text);
}

/* ---- names ---- */

/* A name that ends as a line of "xl list" does makes its own line one. */
static bool looks_listed(const char *name)
{
    const char *last = strrchr(name, ' ');
    return last && last[1] >= '0' && last[1] <= '9';
}

void names_again(const struct domain_names *names)
{
    struct buffer text = {0};
    struct error err = {0};
    for (int32_t domain = 0; domain < 65536; domain++) {
        const char *name = names_lookup(names, domain, 1);
        if (name && !looks_listed(name))
            buffer_printf(&text, "%d %s\n", domain, name);
    }
    struct domain_names *again = text.n > 0 ? names_read_text(text.at, text.n, &err) : NULL;
    MUST(again || text.n == 0, "%s in\n%.*s", err.message, (int)text.n, text.at);
    for (int32_t domain = 0; again && domain < 65536; domain++) {
        const char *a = names_lookup(names, domain, 1), *b = names_lookup(again, domain, 1);
        if (a && looks_listed(a))
            continue;
        MUST(a && b ? strcmp(a, b) == 0 : a == b, "domain %d: \"%s\", then \"%s\"", domain, a ? a : "",
             b ? b : "");
    }
    names_free(again);
    buffer_free(&text);
}

/* ---- domains ---- */

/* As facts, which hold everything. */
void domains_again(const struct domain_info *info)
{
    const struct domain_info nothing = {0};
    struct buffer lines = {0};
    struct error err = {0};
    struct host_facts facts = {0};
    for (size_t i = 1; i < info->domains_n; i++)
        MUST(info->domains[i - 1].domain < info->domains[i].domain, "domain %u is out of order",
             info->domains[i].domain);
    domain_info_changes(&nothing, info, 1, &lines);
    MUST(host_facts_read(&facts, lines.at, lines.n, &err) == 0, "%s in\n%.*s", err.message, (int)lines.n,
         lines.at);
    MUST(facts.domains_n == info->domains_n && facts.affinities_n == info->affinities_n, "%zu domains of %zu",
         facts.domains_n, info->domains_n);
    lines.n = 0;
    domain_info_changes(info, info, 1, &lines);
    MUST(lines.n == 0, "nothing has changed: %.*s", (int)lines.n, lines.at);
    host_facts_free(&facts);
    buffer_free(&lines);
}

/* ---- xl ---- */

void xl_again(enum xl_scheduler s, const struct host_guests *guests)
{
    struct buffer text = {0};
    struct error err = {0};
    struct host_guests again = {0};
    buffer_text(&text, "Name ID Weight Cap\n");
    for (size_t i = 0; i < guests->n; i++) {
        const struct host_guest *g = &guests->at[i];
        MUST(xl_is_value(g->value), "domain %u: \"%s\" cannot be set", g->domain, g->value);
        MUST(i == 0 || guests->at[i - 1].domain < g->domain, "domain %u is out of order", g->domain);
        buffer_printf(&text, "%s %u 256 %s\n", g->name, g->domain, g->value + 3);
    }
    if (s != XL_RTDS) {
        MUST(xl_read_list(s, text.at, text.n, &again, &err) == 0 && again.n == guests->n, "%s in\n%.*s",
             err.message, (int)text.n, text.at);
        for (size_t i = 0; i < again.n; i++)
            MUST(again.at[i].domain == guests->at[i].domain &&
                     strcmp(again.at[i].value, guests->at[i].value) == 0,
                 "domain %u: \"%s\"", guests->at[i].domain, again.at[i].value);
    }
    host_guests_free(&again);
    buffer_free(&text);
}

/* ---- conditions ---- */

const struct condition_syntax fail_if = {.option = "fail-if", .wanted = "a condition", .list = "-c help"};

void condition_again(const struct condition *c)
{
    char text[8192];
    struct error err = {0};
    struct condition again;
    static const char *const kinds[] = {"", "> ", "< "};
    static const char *const signs[] = {"-", "", "+"};
    MUST(c->of && c->limit >= 0, "a condition without a column or a limit");
    bool is_time = !c->relative && comparable_unit(c->of) == UNIT_NS;
    snprintf(text, sizeof text, "%s %s%s%.*f%s%s%s", c->of->name, kinds[c->kind],
             c->kind == CONDITION_CHANGE ? signs[c->sign + 1] : "", is_time ? 3 : 9,
             is_time ? c->limit / 1000 : c->limit,
             is_time       ? "us"
             : c->relative ? "%"
                           : "",
             c->where ? " in " : "", c->where ? c->where : "");
    if (c->limit > 1e12) /* so many digits are not read */
        return;
    MUST(condition_parse(&again, &fail_if, text, &err) == 0, "%s, from \"%s\"", err.message, c->text);
    MUST(again.of == c->of && again.kind == c->kind && again.sign == c->sign &&
             again.relative == c->relative &&
             (again.where ? c->where && strcmp(again.where, c->where) == 0 : !c->where),
         "\"%s\" is not \"%s\"", text, c->text);
}
