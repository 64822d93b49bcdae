#include "metrics/array.h"
#include "results_reader.h"

static int compare_subjects(int32_t domain, uint32_t life, int32_t other_domain, uint32_t other_life)
{
    if (domain != other_domain)
        return domain < other_domain ? -1 : 1;
    return (life > other_life) - (life < other_life);
}

static const char *guest_wrong(const struct charge_guest *g, const struct charge_idd *idd)
{
    const struct charge_guest *before = idd->guests_n ? g - 1 : NULL;
    if (g->domain < 0 || g->life == 0)
        return "a guest that is nobody";
    if (before && compare_subjects(before->domain, before->life, g->domain, g->life) >= 0)
        return "guests out of order";
    if (compare_subjects(idd->domain, idd->life, g->domain, g->life) == 0)
        return "a driver domain is its own guest";
    for (int kind = 0; kind < IO_TRACE_KINDS; kind++)
        if (g->inferred[kind] > g->events[kind])
            return "more events were inferred than there are";
    for (int kind = 0; kind < COUNTER_KINDS; kind++)
        if (g->events[IO_TX + kind] && !g->counted[kind])
            return "events that nobody counted";
    return NULL;
}

/* charged + own + unattributed = running, and the guests' charges are what is charged. */
static const char *idd_wrong(const struct charge_idd *idd, const struct charge_idd *before,
                             const struct charge_guest *guests)
{
    uint64_t charged = 0, all;
    bool overflow = false;
    if (idd->domain < 0 || idd->life == 0)
        return "a driver domain that is nobody";
    if (before && compare_subjects(before->domain, before->life, idd->domain, idd->life) >= 0)
        return "driver domains out of order";
    for (size_t i = 0; guests && i < idd->guests_n; i++)
        overflow |= __builtin_add_overflow(charged, guests[i].charged_ns, &charged);
    overflow |= __builtin_add_overflow(idd->charged_ns, idd->own_ns, &all);
    overflow |= __builtin_add_overflow(all, idd->unattributed_ns, &all);
    return overflow || charged != idd->charged_ns || all != idd->running_ns ? "charges that do not add up"
                                                                            : NULL;
}

/* Reads one guest of the driver domain to guests[at]. False: no memory. */
static bool read_guest(struct results_reading *x, struct charge_idd *idd, size_t at)
{
    struct results_reader *r = x->reader;
    struct line *l = &x->line;
    struct charge_guest *guests = array_reserve(r->guests, &r->guests_capacity, at + 1, sizeof *guests);
    if (!guests)
        return false;
    r->guests = guests;
    line_open(l);
    line_fields(l, charge_guest_fields, charge_guest_fields_n, &guests[at]);
    line_close(l);
    const char *wrong = guest_wrong(&guests[at], idd);
    if (wrong)
        line_wrong(l, wrong);
    idd->guests_n++;
    return true;
}

/* Reads one driver domain to idds[n], its guests to guests[at] and on. False: no memory. */
static bool read_idd(struct results_reading *x, size_t n, size_t at)
{
    struct results_reader *r = x->reader;
    struct line *l = &x->line;
    struct charge_idd *idds = array_reserve(r->idds, &r->idds_capacity, n + 1, sizeof *idds);
    if (!idds)
        return false;
    r->idds = idds;
    struct charge_idd *idd = &idds[n];
    idd->guests_n = 0;
    line_open(l);
    line_fields(l, charge_idd_fields, charge_idd_fields_n, idd);
    if (LINE_HAS_KEY(l, "guests")) {
        if (!LINE_HAS(l, "["))
            line_wrong(l, "guests without a beginning");
        do {
            if (!read_guest(x, idd, at + idd->guests_n))
                return false;
        } while (!l->wrong && LINE_HAS(l, ","));
        if (!LINE_HAS(l, "]"))
            line_wrong(l, "guests without an end");
    }
    line_close(l);
    const char *wrong = idd_wrong(idd, n ? idd - 1 : NULL, r->guests ? r->guests + at : NULL);
    if (wrong)
        line_wrong(l, wrong);
    return true;
}

int results_read_charges(struct results_reading *x)
{
    struct results_reader *r = x->reader;
    struct line *l = &x->line;
    struct interval interval = {0};
    size_t n = 0, guests = 0;
    line_fields(l, interval_fields, interval_fields_n, &interval);
    if (results_is_late(l))
        return 0;
    if (!LINE_HAS_KEY(l, "idds") || !LINE_HAS(l, "["))
        line_wrong(l, "charges without driver domains");
    for (bool more = !LINE_HAS(l, "]"); more && !l->wrong; n++) {
        if (!read_idd(x, n, guests))
            return results_no_memory(x);
        guests += r->idds[n].guests_n;
        more = LINE_HAS(l, ",");
        if (!more && !LINE_HAS(l, "]"))
            line_wrong(l, "driver domains without an end");
    }
    l->before = ',';
    line_finish(l);
    const char *wrong = l->wrong ? l->wrong : results_interval_wrong(&interval);
    if (wrong)
        return results_damaged(x, wrong);
    for (size_t i = 0, at = 0; i < n; at += r->idds[i++].guests_n) /* all are there: they move no more */
        r->idds[i].guests = r->guests ? r->guests + at : NULL;
    return x->sink->charges(x->sink->context, &interval, r->idds, n);
}
