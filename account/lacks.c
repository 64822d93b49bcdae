#include "account/lacks.h"

#include <stdlib.h>
#include <string.h>

#include "account/fleet.h"
#include "account/twice.h"

#define SHORT_NS 1000000000 /* what is shorter is not missing */

struct checking {
    const struct account_options *options;
    struct fleet fleet;
    void (*missing)(void *context, const struct account_missing *m);
    const struct fleet_capture **list; /* those that count, by host, then by time of day */
    size_t n;
    int64_t last_utc_ns; /* of the time that is asked for, or of all captures */
    uint64_t silent_ns;
};

static int compare_captures(const void *a, const void *b)
{
    const struct fleet_capture *x = *(const struct fleet_capture *const *)a,
                               *y = *(const struct fleet_capture *const *)b;
    int order = strcmp(x->host, y->host);
    if (order)
        return order;
    return (x->recorded.begin_utc_ns > y->recorded.begin_utc_ns) -
           (x->recorded.begin_utc_ns < y->recorded.begin_utc_ns);
}

static bool is_in_time(const struct checking *x, const struct fleet_capture *c)
{
    return c->recorded.end_utc_ns > x->options->from_utc_ns &&
           c->recorded.begin_utc_ns < x->options->to_utc_ns;
}

static int list_captures(struct checking *x, struct error *err)
{
    x->list = calloc(x->fleet.n + 1, sizeof *x->list);
    if (!x->list)
        return error_no_memory(err, "the captures");
    for (size_t i = 0; i < x->fleet.n; i++) {
        const struct fleet_capture *c = &x->fleet.captures[i];
        if (c->counts_from_tsc == c->counts_to_tsc || !is_in_time(x, c))
            continue;
        x->list[x->n++] = c;
        if (c->recorded.end_utc_ns > x->last_utc_ns)
            x->last_utc_ns = c->recorded.end_utc_ns;
    }
    if (x->options->to_utc_ns != INT64_MAX)
        x->last_utc_ns = x->options->to_utc_ns;
    if (x->n > 1)
        qsort(x->list, x->n, sizeof(const struct fleet_capture *), compare_captures);
    return x->n ? 0
                : error_set(err, ERROR_USAGE, "nothing of these archives lies in the time that is asked for");
}

static void report(const struct checking *x, enum account_lack lack, const char *host, int64_t from,
                   int64_t to, const struct account_vm *vm)
{
    const struct account_missing m = {
        .lack = lack, .host = host, .vm = vm, .from_utc_ns = from, .to_utc_ns = to};
    x->missing(x->options->context, &m);
}

/* Whether that VM is in the capture. */
static int is_in(struct checking *x, const struct fleet_capture *c, const struct account_vm *vm, bool *is,
                 struct error *err)
{
    struct account_vm other;
    *is = false;
    for (size_t i = 0; c && i < c->lives_n && !*is; i++) {
        const struct vm_life *l = &c->lives[i];
        if (!vm_identify(&x->fleet.texts, c->host, c->recorded.boot_id, l->domain, l->life, l, &other))
            return error_no_memory(err, "the VMs");
        *is = other.key == vm->key;
    }
    return 0;
}

/* The VMs of the capture before a time that was not recorded, which the next one (NULL: there is none) has not. */
static int check_lives(struct checking *x, const struct fleet_capture *c, const struct fleet_capture *next,
                       int64_t to_utc_ns, struct error *err)
{
    for (size_t i = 0; i < c->lives_n; i++) {
        const struct vm_life *l = &c->lives[i];
        struct account_vm vm;
        bool is;
        if (l->domain == 0)
            continue;
        if (!vm_identify(&x->fleet.texts, c->host, c->recorded.boot_id, l->domain, l->life, l, &vm))
            return error_no_memory(err, "the VMs");
        if (is_in(x, next, &vm, &is, err) != 0)
            return -1;
        if (!is)
            report(x, ACCOUNT_OPEN_LIFE, c->host, c->recorded.end_utc_ns, to_utc_ns, &vm);
    }
    return 0;
}

/* Captures [first, end) are those of one host. */
static int check_host(struct checking *x, size_t first, size_t end, struct error *err)
{
    const struct fleet_capture *last = x->list[first];
    int64_t begin = last->recorded.begin_utc_ns;
    int status = 0;
    if (x->options->from_utc_ns != INT64_MIN && begin - x->options->from_utc_ns >= SHORT_NS)
        report(x, ACCOUNT_NOT_RECORDED, last->host, x->options->from_utc_ns, begin, NULL);
    for (size_t i = first + 1; i < end && status == 0; i++) {
        const struct fleet_capture *c = x->list[i];
        if (c->recorded.begin_utc_ns - last->recorded.end_utc_ns >= SHORT_NS) {
            report(x, ACCOUNT_NOT_RECORDED, c->host, last->recorded.end_utc_ns, c->recorded.begin_utc_ns,
                   NULL);
            status = check_lives(x, last, c, c->recorded.begin_utc_ns, err);
        }
        if (c->recorded.end_utc_ns > last->recorded.end_utc_ns)
            last = c;
    }
    int64_t left = x->last_utc_ns - last->recorded.end_utc_ns;
    if (status != 0 || left < SHORT_NS || (uint64_t)left <= x->silent_ns)
        return status;
    report(x, ACCOUNT_SILENT, last->host, last->recorded.end_utc_ns, x->last_utc_ns, NULL);
    return check_lives(x, last, NULL, x->last_utc_ns, err);
}

int account_check(const struct account_options *o, uint64_t silent_ns,
                  void (*missing)(void *context, const struct account_missing *m), struct error *err)
{
    struct checking x = {.options = o,
                         .fleet = {.spool = -1},
                         .missing = missing,
                         .last_utc_ns = INT64_MIN,
                         .silent_ns = silent_ns};
    int status = fleet_read(&x.fleet, o, err);
    if (status == 0)
        status = twice_find(&x.fleet, o, err);
    if (status == 0)
        status = list_captures(&x, err);
    for (size_t i = 0, end; i < x.n && status == 0; i = end) {
        for (end = i + 1; end < x.n && strcmp(x.list[i]->host, x.list[end]->host) == 0; end++)
            ;
        status = check_host(&x, i, end, err);
    }
    free(x.list);
    fleet_free(&x.fleet);
    return status;
}
