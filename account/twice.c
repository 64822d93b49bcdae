#include "account/twice.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "archive/results.h"
#include "metrics/array.h"

#define INTERVALS_LEAST 3 /* in which it ran on both: fewer can be one migration, seen by two clocks */

/* A VM in a capture. */
struct stay {
    const char *key; /* a kept text */
    size_t capture;
    int32_t domain;
    uint32_t life;
    int64_t begin_utc_ns, end_utc_ns; /* the capture's */
};

/* When it ran: the beginnings of intervals, UTC, in order. */
struct runs {
    const struct stay *stay;
    const struct recorded *recorded;
    int64_t *at;
    size_t n, capacity;
    bool no_memory;
};

static int compare_stays(const void *a, const void *b)
{
    const struct stay *x = a, *y = b;
    int order = x->key == y->key ? 0 : strcmp(x->key, y->key);
    if (order)
        return order;
    if (x->begin_utc_ns != y->begin_utc_ns)
        return x->begin_utc_ns < y->begin_utc_ns ? -1 : 1;
    return (x->capture > y->capture) - (x->capture < y->capture);
}

static int list_stays(struct fleet *f, struct stay **list, size_t *n, struct error *err)
{
    size_t capacity = 0;
    for (size_t i = 0; i < f->n; i++) {
        const struct fleet_capture *c = &f->captures[i];
        if (c->counts_from_tsc == c->counts_to_tsc)
            continue;
        for (size_t k = 0; k < c->lives_n; k++) {
            const struct vm_life *life = &c->lives[k];
            struct account_vm vm;
            if (life->domain == 0 || (!*life->uuid && !*life->name))
                continue;
            if (!vm_identify(&f->texts, c->host, c->recorded.boot_id, life->domain, life->life, life, &vm) ||
                !array_make_room(list, &capacity, *n + 1, sizeof **list))
                return error_no_memory(err, "the VMs");
            (*list)[(*n)++] = (struct stay){vm.key,
                                            i,
                                            life->domain,
                                            life->life,
                                            c->recorded.begin_utc_ns + ACCOUNT_SLACK_NS,
                                            c->recorded.end_utc_ns - ACCOUNT_SLACK_NS};
        }
    }
    return 0;
}

/* ---- when it ran ---- */

static int take_rows(void *context, const struct interval *interval, const struct row *rows, size_t n)
{
    struct runs *r = context;
    bool ran = false;
    if (interval->granularity_ns != r->recorded->shortest_ns || interval->end_ns > r->recorded->length_ns)
        return 0;
    for (size_t i = 0; i < n; i++)
        ran |= rows[i].domain == r->stay->domain && rows[i].life == r->stay->life &&
               rows[i].measures->state_ns[RUNSTATE_RUNNING] > 0;
    if (!ran)
        return 0;
    if (!array_make_room(&r->at, &r->capacity, r->n + 1, sizeof *r->at)) {
        r->no_memory = true;
        return -1;
    }
    r->at[r->n++] = r->recorded->begin_utc_ns + (int64_t)interval->start_ns;
    return 0;
}

static int read_runs(const struct fleet *f, struct runs *r, struct error *err)
{
    const struct fleet_capture *c = &f->captures[r->stay->capture];
    const struct meter_sink sink = {.context = r, .interval = take_rows};
    const struct capture *captures, *p = NULL;
    struct error ignored;
    struct archive *a = archive_open(fleet_file(f, c), &ignored);
    struct results_reader *reader = results_reader_new(NULL, 0);
    if (a && archive_captures(a, &captures) > c->nth)
        p = &captures[c->nth];
    for (const struct member *m = p ? p->members : NULL; m && m < p->members + p->members_n && reader; m++) {
        const uint8_t *text;
        if (m->kind != MEMBER_RESULTS || m->by != BY_DOMAIN)
            continue;
        if (archive_read(a, p, m, &text, &ignored) != 0 ||
            results_read(reader, (const char *)text, m->bytes, 0, &sink, &ignored) != 0)
            break;
    }
    bool failed = !reader || r->no_memory;
    results_reader_free(reader);
    archive_close(a);
    return failed ? error_no_memory(err, "when a VM ran") : 0;
}

/* The third interval in which it ran on both; -1: there is none. */
static int64_t third_in_common(const struct runs *a, const struct runs *b, int64_t length_ns)
{
    int64_t last = -1;
    unsigned n = 0;
    for (size_t i = 0, k = 0; i < a->n && k < b->n;) {
        int64_t x = a->at[i] / length_ns, y = b->at[k] / length_ns;
        if (x == y && x != last && ++n == INTERVALS_LEAST)
            return a->at[i];
        last = x == y ? x : last;
        i += x <= y;
        k += y <= x;
    }
    return -1;
}

/* ---- reporting ---- */

static void say(const struct fleet *f, const struct account_options *o, const struct stay *a,
                const struct stay *b, int64_t utc_ns)
{
    char what[480], moment[32];
    const time_t seconds = (time_t)(utc_ns / 1000000000);
    struct tm tm;
    if (!o->finding)
        return;
    (void)gmtime_r(&seconds, &tm);
    (void)strftime(moment, sizeof moment, "%Y-%m-%dT%H:%M:%SZ", &tm);
    snprintf(what, sizeof what, "VM %.150s ran on %s and, by %.150s, on %s at one moment: %s",
             strchr(a->key, ':') + 1, f->captures[a->capture].host, fleet_file(f, &f->captures[b->capture]),
             f->captures[b->capture].host, moment);
    o->finding(o->context, ACCOUNT_TWO_HOSTS, fleet_file(f, &f->captures[a->capture]), what);
}

/* Of two captures whose times overlap. *found: it ran on both hosts. */
static int compare_stay(const struct fleet *f, const struct account_options *o, const struct stay *a,
                        const struct stay *b, bool *found, struct error *err)
{
    struct runs x = {.stay = a, .recorded = &f->captures[a->capture].recorded};
    struct runs y = {.stay = b, .recorded = &f->captures[b->capture].recorded};
    uint64_t longest =
        x.recorded->shortest_ns > y.recorded->shortest_ns ? x.recorded->shortest_ns : y.recorded->shortest_ns;
    if (!x.recorded->shortest_ns || !y.recorded->shortest_ns || longest > INT64_MAX)
        return 0;
    int status = read_runs(f, &x, err);
    if (status == 0)
        status = read_runs(f, &y, err);
    int64_t at = status == 0 ? third_in_common(&x, &y, (int64_t)longest) : -1;
    free(x.at);
    free(y.at);
    *found = at >= 0;
    if (*found)
        say(f, o, a, b, at);
    return status;
}

/* Stays [first, end) are one VM's: the first pair on two hosts is reported. */
static int look_at_vm(const struct fleet *f, const struct account_options *o, const struct stay *first,
                      const struct stay *end, struct error *err)
{
    bool found = false;
    int status = 0;
    for (const struct stay *a = first; a < end && !found && status == 0; a++)
        for (const struct stay *b = a + 1;
             b < end && b->begin_utc_ns < a->end_utc_ns && !found && status == 0; b++)
            if (f->captures[a->capture].host != f->captures[b->capture].host)
                status = compare_stay(f, o, a, b, &found, err);
    return status;
}

int twice_find(struct fleet *f, const struct account_options *o, struct error *err)
{
    struct stay *stays = NULL;
    size_t n = 0;
    int status = list_stays(f, &stays, &n, err);
    if (status == 0 && n > 1)
        qsort(stays, n, sizeof *stays, compare_stays);
    for (size_t i = 0, end; i < n && status == 0; i = end) {
        for (end = i + 1; end < n && stays[end].key == stays[i].key; end++)
            ;
        status = look_at_vm(f, o, stays + i, stays + end, err);
    }
    free(stays);
    return status;
}
