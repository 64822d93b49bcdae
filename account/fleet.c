#include "account/fleet.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "account/overlap.h"
#include "archive/archive.h"
#include "metrics/array.h"
#include "metrics/min_max.h"
#include "parser/crew.h"

#define SLOTS_EACH 4 /* archives that wait for each thread */

/* What comes of one archive. */
struct job {
    size_t file;
    struct recorded *recorded; /* its captures */
    struct recorded_rows *rows;
    size_t n;
    struct error err; /* code ERROR_NONE: it was read */
};

struct reading_fleet {
    struct fleet *fleet;
    const struct account_options *options;
    struct job *jobs;
    size_t done;
};

const char *fleet_file(const struct fleet *f, const struct fleet_capture *c)
{
    return f->files.paths[c->file];
}

static void say(const struct account_options *o, enum account_finding_kind kind, const char *file,
                const char *what)
{
    if (o->finding)
        o->finding(o->context, kind, file, what);
}

/* ---- one archive, on any thread ---- */

static int read_captures(struct job *j, struct archive *a, const struct host_facts *given)
{
    const struct capture *captures;
    size_t n = archive_captures(a, &captures);
    j->recorded = calloc(n + 1, sizeof *j->recorded);
    j->rows = calloc(n + 1, sizeof *j->rows);
    if (!j->recorded || !j->rows)
        return error_no_memory(&j->err, "an archive");
    for (; j->n < n; j->n++)
        if (recorded_read(a, &captures[j->n], given, &j->recorded[j->n], &j->rows[j->n], &j->err) != 0) {
            j->n++;
            return -1;
        }
    return 0;
}

static void work(void *context, size_t slot, unsigned thread)
{
    struct reading_fleet *x = context;
    struct job *j = &x->jobs[slot];
    (void)thread;
    struct archive *a = archive_open(x->fleet->files.paths[j->file], &j->err);
    if (!a)
        return;
    if (read_captures(j, a, x->options->given) == 0)
        j->err.code = ERROR_NONE;
    archive_close(a);
}

static void job_free(struct job *j)
{
    for (size_t i = 0; i < j->n; i++)
        recorded_rows_free(&j->rows[i]);
    free(j->rows);
    free(j->recorded);
    *j = (struct job){.n = 0};
}

/* ---- what came of it ---- */

static int keep_capture(struct fleet *f, struct job *j, size_t i, struct error *err)
{
    struct fleet_capture c = {.file = j->file, .nth = i, .recorded = j->recorded[i]};
    c.host = texts_keep(&f->texts, c.recorded.host);
    if (!c.host || !array_make_room(&f->captures, &f->capacity, f->n + 1, sizeof *f->captures))
        return error_no_memory(err, "the captures");
    int status = vm_lives_read(&f->texts, j->rows[i].lives.at, j->rows[i].lives.n, &c.lives, &c.lives_n, err);
    c.rows = j->rows[i].whole.at; /* the fleet's from now on */
    c.rows_n = j->rows[i].whole.n;
    j->rows[i].whole = (struct buffer){.n = 0};
    f->captures[f->n++] = c;
    return status;
}

static void say_damaged(const struct reading_fleet *x, const struct job *j)
{
    char what[sizeof j->err.message + 40];
    if (j->err.has_offset)
        snprintf(what, sizeof what, "offset %llu: %s", (unsigned long long)j->err.offset, j->err.message);
    else
        snprintf(what, sizeof what, "%s", j->err.message);
    say(x->options, ACCOUNT_DAMAGED, x->fleet->files.paths[j->file], what);
}

/* Takes what came of a job. An archive of which one capture is damaged is left out. */
static int take_job(struct reading_fleet *x, struct job *j, struct error *err)
{
    int status = 0;
    x->done++;
    if (x->options->progress)
        x->options->progress(x->options->context, x->done, x->fleet->files.n);
    if (j->err.code == ERROR_MEMORY) {
        *err = j->err;
        status = -1;
    } else if (j->err.code != ERROR_NONE) {
        say_damaged(x, j);
    } else {
        for (size_t i = 0; i < j->n && status == 0; i++) {
            if (j->recorded[i].timed)
                status = keep_capture(x->fleet, j, i, err);
            else
                say(x->options, ACCOUNT_UNPLACED, x->fleet->files.paths[j->file],
                    "it has no times of day; --host-facts FILE gives them");
        }
    }
    job_free(j);
    return status;
}

static int take_oldest(struct reading_fleet *x, struct crew *crew, struct error *err)
{
    size_t slot = crew_take(crew);
    if (slot == CREW_NONE)
        return 0;
    int status = take_job(x, &x->jobs[slot], err);
    crew_release(crew);
    return status;
}

static int read_all(struct reading_fleet *x, struct error *err)
{
    const struct crew_jobs jobs = {.name = "archive", .context = x, .work = work};
    const unsigned threads = x->options->jobs ? x->options->jobs : 1;
    const size_t slots = (size_t)threads * SLOTS_EACH, files = x->fleet->files.n;
    int status = 0;
    x->jobs = calloc(slots, sizeof *x->jobs);
    struct crew *crew = x->jobs ? crew_new(&jobs, threads, slots) : NULL;
    if (!crew)
        status = error_no_memory(err, "reading archives");
    for (size_t i = 0; i < files && status == 0; i++) {
        if (i >= slots)
            status = take_oldest(x, crew, err);
        if (status != 0)
            break;
        size_t slot = crew_room(crew);
        x->jobs[slot] = (struct job){.file = i};
        crew_give(crew);
    }
    while (status == 0 && x->done < files)
        status = take_oldest(x, crew, err);
    crew_free(crew);
    for (size_t i = 0; x->jobs && i < slots; i++)
        job_free(&x->jobs[i]);
    free(x->jobs);
    return status;
}

/* ---- boots ---- */

/* What boot a capture is of: by the boot's id, else by the host's label. */
static int compare_boots(const struct fleet_capture *a, const struct fleet_capture *b)
{
    int order = strcmp(a->recorded.boot_id, b->recorded.boot_id);
    return order || *a->recorded.boot_id ? order : strcmp(a->host, b->host);
}

static int compare_captures(const void *a, const void *b)
{
    const struct fleet_capture *x = a, *y = b;
    int order = compare_boots(x, y);
    if (order)
        return order;
    if (x->recorded.from_tsc != y->recorded.from_tsc)
        return x->recorded.from_tsc < y->recorded.from_tsc ? -1 : 1;
    return x->file != y->file ? (x->file < y->file ? -1 : 1) : (x->nth > y->nth) - (x->nth < y->nth);
}

/* Incarnations of which a capture knows nothing have the name that a capture has which goes on after it. */
static int take_names_of_next(struct fleet_capture *c, const struct fleet_capture *next, struct error *err)
{
    if (!next->recorded.goes_on || next->recorded.from_tsc != c->recorded.to_tsc)
        return 0;
    struct vm_life *lives = calloc(c->lives_n + next->lives_n + 1, sizeof *lives);
    if (!lives)
        return error_no_memory(err, "the VMs");
    size_t n = 0, a = 0, b = 0;
    while (a < c->lives_n || b < next->lives_n) {
        const struct vm_life *x = a < c->lives_n ? &c->lives[a] : NULL;
        const struct vm_life *y = b < next->lives_n ? &next->lives[b] : NULL;
        int order = !x ? 1 : !y ? -1 : life_compare(x->domain, x->life, y->domain, y->life);
        a += order <= 0;
        b += order >= 0;
        lives[n++] = order <= 0 ? *x : *y;
    }
    free(c->lives);
    c->lives = lives;
    c->lives_n = n;
    return 0;
}

/*
 * Time of day stands for time stamps where it is not known which captures are of one boot; it is not exact, so that captures that adjoin
 * may seem to overlap by some of ACCOUNT_SLACK_NS.
 */
static void claim_of(const struct fleet *f, const struct fleet_capture *c, struct overlap_claim *claim)
{
    const struct recorded *r = &c->recorded;
    uint64_t from = (uint64_t)r->begin_utc_ns + ACCOUNT_SLACK_NS, to = (uint64_t)r->end_utc_ns;
    bool by_tsc = *r->boot_id;
    *claim = (struct overlap_claim){.from = by_tsc ? r->from_tsc : from,
                                    .to = by_tsc ? r->to_tsc : max64(from, to),
                                    .verdict = (enum verdict)r->verdict,
                                    .lost_records = r->lost_records,
                                    .file = fleet_file(f, c)};
}

/* The time stamp at a moment of a claim, on the line through the capture's beginning and end. */
static uint64_t tsc_of(const struct recorded *r, uint64_t at)
{
    uint64_t length = (uint64_t)(r->end_utc_ns - r->begin_utc_ns), past = at - (uint64_t)r->begin_utc_ns;
    if (*r->boot_id)
        return at;
    return r->from_tsc + (uint64_t)((uint128)(r->to_tsc - r->from_tsc) * min64(past, length) / length);
}

/* What counts of a capture, by its claim. */
static void take_claim(const struct fleet *f, struct fleet_capture *c, const struct overlap_claim *claim,
                       const struct account_options *o)
{
    const struct recorded *r = &c->recorded;
    bool nothing = claim->counts_from == claim->counts_to && claim->from < claim->to;
    c->counts_from_tsc = claim->counts_from == claim->from ? r->from_tsc : tsc_of(r, claim->counts_from);
    c->counts_to_tsc = claim->counts_to == claim->to ? r->to_tsc : tsc_of(r, claim->counts_to);
    if (nothing)
        c->counts_to_tsc = c->counts_from_tsc;
    if (!overlap_is_whole(claim))
        say(o, ACCOUNT_OVERLAP, fleet_file(f, c),
            nothing ? "other archives have all its time: it does not count"
                    : "other archives have some of its time, which counts once");
}

static int resolve_boot(struct fleet *f, struct fleet_capture *captures, size_t n,
                        const struct account_options *o, struct error *err)
{
    struct overlap_claim *claims = calloc(n, sizeof *claims);
    const char *host = captures[0].host;
    for (size_t i = 0; i < n && claims; i++) {
        host = strcmp(captures[i].host, host) < 0 ? captures[i].host : host;
        claim_of(f, &captures[i], &claims[i]);
        claims[i].of = i;
    }
    bool resolved = claims && overlap_resolve(claims, n);
    for (size_t i = 0; i < n && resolved; i++) {
        captures[claims[i].of].host = host;
        take_claim(f, &captures[claims[i].of], &claims[i], o);
    }
    free(claims);
    for (size_t i = n - 1; i-- > 0 && resolved;)
        if (take_names_of_next(&captures[i], &captures[i + 1], err) != 0)
            return -1;
    return resolved ? 0 : error_no_memory(err, "the captures");
}

static int resolve(struct fleet *f, const struct account_options *o, struct error *err)
{
    int status = 0;
    qsort(f->captures, f->n, sizeof *f->captures, compare_captures);
    for (size_t i = 0, end; i < f->n && status == 0; i = end) {
        for (end = i + 1; end < f->n && compare_boots(&f->captures[i], &f->captures[end]) == 0; end++)
            ;
        status = resolve_boot(f, &f->captures[i], end - i, o, err);
    }
    return status;
}

/* ---- all of it ---- */

int fleet_read(struct fleet *f, const struct account_options *o, struct error *err)
{
    struct reading_fleet x = {.fleet = f, .options = o};
    for (size_t i = 0; i < o->paths_n; i++)
        if (files_add(&f->files, o->paths[i], err) != 0)
            return -1;
    files_sort(&f->files);
    if (read_all(&x, err) != 0)
        return -1;
    if (f->n == 0)
        return error_set(err, ERROR_FORMAT, "none of these archives can be used");
    return resolve(f, o, err);
}

void fleet_free(struct fleet *f)
{
    for (size_t i = 0; i < f->n; i++) {
        free(f->captures[i].lives);
        free(f->captures[i].rows);
    }
    free(f->captures);
    texts_free(&f->texts);
    files_free(&f->files);
    *f = (struct fleet){.n = 0};
}
