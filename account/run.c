/* Statements, period by period. */
#include <stdio.h>
#include <stdlib.h>

#include "account/fleet.h"
#include "account/plan.h"
#include "account/statement.h"
#include "account/sums.h"
#include "account/twice.h"
#include "archive/archive.h"
#include "parser/crew.h"

#define SLOTS_EACH 4 /* pieces that wait for each thread */

struct piece_job {
    size_t piece;
    struct tally tally;
    struct error err; /* code ERROR_NONE: the tally is made */
};

struct running {
    const struct account_options *options;
    struct fleet fleet;
    struct plan plan;
    struct sums *sums;
    struct piece_job *jobs;
    int (*take)(void *context, const struct account_statement *statement);
    void *context;
    const struct account_period *period; /* that is being added up; NULL: none yet */
};

/* ---- one piece, on any thread ---- */

/* By the extract. */
static int tally_kept(struct piece_job *j, const struct fleet *f, const struct fleet_capture *c)
{
    char *text;
    size_t n;
    if (fleet_text(f, c, &text, &n, &j->err) != 0)
        return -1;
    int status = tally_whole(&j->tally, &c->recorded, text + c->rows_at, c->rows_n, &j->err);
    free(text);
    return status;
}

/* By the archive itself: by intervals, and peaks. */
static int tally_archive(struct piece_job *j, const struct fleet *f, const struct plan_piece *piece,
                         const struct account_options *o, bool peaks)
{
    const struct fleet_capture *c = &f->captures[piece->capture];
    const struct tally_part part = {piece->period, c->counts_from_tsc, c->counts_to_tsc};
    const struct tally_part *of = piece->whole ? NULL : &part;
    struct host_facts facts = {0};
    const struct capture *captures;
    struct archive *a = archive_open(fleet_file(f, c), &j->err);
    if (!a)
        return -1;
    int status = archive_captures(a, &captures) > c->nth
                     ? recorded_facts(a, &captures[c->nth], o->given, &facts, &j->err)
                     : error_set(&j->err, ERROR_FORMAT, "it was changed while it was read");
    if (status == 0 && of)
        status = tally_intervals(&j->tally, a, &captures[c->nth], &facts, &c->recorded, of, &j->err);
    if (status == 0 && peaks)
        status = tally_peaks(&j->tally, a, &captures[c->nth], &facts, &c->recorded, of, &j->err);
    host_facts_free(&facts);
    archive_close(a);
    return status;
}

/* Whether the period is asked for; else it is the one before. */
static bool is_wanted(const struct account_options *o, const struct account_period *period)
{
    return period->begin_utc_ns >= o->from_utc_ns;
}

static int tally_piece(struct piece_job *j, const struct fleet *f, const struct plan_piece *piece,
                       const struct account_options *o)
{
    const bool peaks = o->peaks && is_wanted(o, &piece->period);
    if (piece->whole && tally_kept(j, f, &f->captures[piece->capture]) != 0)
        return -1;
    return piece->whole && !peaks ? 0 : tally_archive(j, f, piece, o, peaks);
}

static void work(void *context, size_t slot, unsigned thread)
{
    struct running *x = context;
    struct piece_job *j = &x->jobs[slot];
    (void)thread;
    j->err.code = ERROR_NONE;
    if (tally_piece(j, &x->fleet, &x->plan.pieces[j->piece], x->options) == 0)
        j->err.code = ERROR_NONE;
}

/* ---- periods ---- */

/* The period that was added up is complete: hands it out. */
static int end_period(struct running *x, struct error *err)
{
    struct account_statement statement;
    if (!x->period || !is_wanted(x->options, x->period))
        return 0;
    if (!sums_statement(x->sums, &statement))
        return error_no_memory(err, "the statement");
    return statement.hosts_n ? x->take(x->context, &statement) : 0;
}

static int begin_period(struct running *x, const struct account_period *period, struct error *err)
{
    int status = end_period(x, err);
    if (status != 0)
        return status;
    x->period = period;
    return sums_begin(x->sums, period) ? 0 : error_no_memory(err, "the statement");
}

static int left_out(struct running *x, const struct fleet_capture *c, enum account_finding_kind kind,
                    const struct error *why)
{
    if (x->options->finding)
        x->options->finding(x->options->context, kind, fleet_file(&x->fleet, c), why->message);
    return 0;
}

static int add_piece(struct running *x, struct piece_job *j, struct error *err)
{
    const struct plan_piece *piece = &x->plan.pieces[j->piece];
    const struct fleet_capture *c = &x->fleet.captures[piece->capture];
    const struct sums_capture capture = {c->host, &c->recorded, c->lives, c->lives_n};
    struct error why = {0};
    int status = 0;
    if (!x->period || x->period->begin_utc_ns != piece->period.begin_utc_ns)
        status = begin_period(x, &piece->period, err);
    if (status != 0)
        return status;
    /* A whole piece is read from the temporary file, which is nobody's archive. */
    const bool ends = j->err.code == ERROR_MEMORY || (j->err.code == ERROR_IO && piece->whole);
    if (j->err.code != ERROR_NONE && !ends)
        return left_out(x, c, ACCOUNT_DAMAGED, &j->err);
    if (ends || sums_add(x->sums, &capture, &j->tally, &why) != 0) {
        if (why.code == ERROR_FORMAT)
            return left_out(x, c, ACCOUNT_INCONSISTENT, &why);
        *err = ends ? j->err : why;
        return -1;
    }
    if (x->options->used && j->tally.any)
        x->options->used(x->options->context, fleet_file(&x->fleet, c));
    if (x->options->memory_limit && sums_memory(x->sums) > x->options->memory_limit)
        return error_set(err, ERROR_MEMORY, "one period takes more memory than the limit (--max-memory)");
    return 0;
}

static int add_oldest(struct running *x, struct crew *crew, struct error *err)
{
    size_t slot = crew_take(crew);
    if (slot == CREW_NONE)
        return 0;
    int status = add_piece(x, &x->jobs[slot], err);
    crew_release(crew);
    return status;
}

static int add_all(struct running *x, struct error *err)
{
    const struct crew_jobs jobs = {.name = "account", .context = x, .work = work};
    const unsigned threads = x->options->jobs ? x->options->jobs : 1;
    const size_t slots = (size_t)threads * SLOTS_EACH;
    size_t added = 0;
    int status = 0;
    x->jobs = calloc(slots, sizeof *x->jobs);
    struct crew *crew = x->jobs ? crew_new(&jobs, threads, slots) : NULL;
    if (!crew)
        status = error_no_memory(err, "the statement");
    for (size_t i = 0; i < x->plan.n && status == 0; i++) {
        if (i >= slots) {
            status = add_oldest(x, crew, err);
            added++;
        }
        if (status != 0)
            break;
        size_t slot = crew_room(crew);
        x->jobs[slot].piece = i;
        crew_give(crew);
    }
    for (; status == 0 && added < x->plan.n; added++)
        status = add_oldest(x, crew, err);
    if (status == 0)
        status = end_period(x, err);
    crew_free(crew);
    for (size_t i = 0; x->jobs && i < slots; i++)
        tally_free(&x->jobs[i].tally);
    free(x->jobs);
    return status;
}

int account_run(const struct account_options *o,
                int (*take)(void *context, const struct account_statement *statement), void *context,
                struct error *err)
{
    struct running x = {.options = o, .fleet = {.spool = -1}, .take = take, .context = context};
    int status = fleet_read(&x.fleet, o, err);
    if (status == 0)
        status = twice_find(&x.fleet, o, err);
    if (status == 0)
        status = plan_make(&x.plan, &x.fleet, o, err);
    if (status == 0 && !(x.sums = sums_new(&x.fleet.texts)))
        status = error_no_memory(err, "the statement");
    if (status == 0)
        status = add_all(&x, err);
    sums_free(x.sums);
    plan_free(&x.plan);
    fleet_free(&x.fleet);
    return status;
}
