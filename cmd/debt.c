/* xenmeter debt: the ledger of SEDF-DC. */
#include <stdlib.h>
#include <string.h>

#include "debt_apply.h"
#include "metrics/control/debt.h"
#include "metrics/control/repayment.h"
#include "metrics/relation/debts.h"
#include "nothing.h"
#include "policy.h"
#include "reading.h"
#include "waiting_rows.h"

struct debt_arguments {
    struct options options;
    const char *reserve, *policy;  /* NULL: not given */
    struct policy_settings given;  /* by single options */
    unsigned over;                 /* enum over, or-ed; 0: not given */
    const struct act_means *means; /* of --apply; NULL: nothing is applied */
    struct acting_options acting;
};

/* What rows are over. */
enum over { OVER_INTERVALS = 1 << 0, OVER_TOTAL = 1 << 1 };

struct ledger_run {
    struct reading reading;
    struct charge_schema charges;
    struct debt_policy policy;
    struct debt *debt;
    unsigned over;          /* enum over, or-ed */
    uint64_t lengths_ns[2]; /* of these intervals */
    bool begun;             /* an interval was handed out */
    uint64_t reserved_ns;   /* of a feedback interval, by then */
    bool overcommitted;     /* was reported */
    struct debt_apply apply;
    volatile sig_atomic_t *reload; /* a signal asks for the policy to be read again; NULL: it cannot */
    struct waiting_rows waiting;   /* until every domain with a reservation has appeared */
};

static const struct debt_arguments *arguments_of(const struct ledger_run *l)
{
    return (const struct debt_arguments *)l->reading.options;
}

/* ---- rows on their way to the writer ---- */

static const struct relation *relation_of(const struct ledger_run *l)
{
    return arguments_of(l)->means ? &relation_debt_actions : &relation_debts;
}

/* Rows of relation_of. */
static int write_rows(struct ledger_run *l, const struct interval *interval, const void *rows, size_t n)
{
    const struct rows all = {.relation = relation_of(l), .interval = interval, .at = rows, .n = n};
    return reading_write(&l->reading, &all);
}

/* What is known of the trace by now; of an archive: of all of it. */
static void quality_of(const struct ledger_run *l, struct quality *quality)
{
    const struct trace_run *run = &l->reading.run;
    if (run->archived.archive)
        *quality = run->archived.summary.quality;
    else
        pipeline_quality(run->pipeline, run->trace, quality);
}

/* pCPUs of the host, as far as it is known by now. */
static unsigned pcpus_of(const struct ledger_run *l)
{
    const struct trace_run *run = &l->reading.run;
    struct quality quality;
    if (l->policy.host_pcpus)
        return l->policy.host_pcpus;
    quality_of(l, &quality);
    return (run->archived.archive ? run->archived.summary.trace.pcpus
                                  : pipeline_pass(run->pipeline)->pcpus_n) +
           (unsigned)quality.unseen_pcpus;
}

/* More is reserved than the host has: at the beginning an error; later, by guests that came, it is said. */
static int check_sum(struct ledger_run *l, const struct interval *interval)
{
    struct error why;
    size_t n;
    uint64_t reserved_ns = debt_reserved_ns(l->debt, &n);
    bool first = !l->begun, more = reserved_ns > l->reserved_ns;
    l->begun = true;
    l->reserved_ns = more ? reserved_ns : l->reserved_ns;
    if (!more || l->overcommitted ||
        debt_policy_check_sum(&l->policy, reserved_ns, n, pcpus_of(l), &why) == 0)
        return 0;
    if (first)
        return reading_fail(&l->reading, &why);
    l->overcommitted = true;
    if (!l->reading.options->quiet)
        complain("from %.3f s on: %s", (double)interval->start_ns / 1e9, why.message);
    return 0;
}

/* With --apply: the rows with what is set by them; NULL: the work ends. */
static const void *apply_rows(struct ledger_run *l, const struct interval *interval,
                              const struct debt_row *rows, size_t n)
{
    struct quality quality;
    if (!arguments_of(l)->means)
        return rows ? rows : (const void *)l; /* of none nothing is read */
    quality_of(l, &quality);
    const void *all = debt_apply_rows(&l->apply, interval, rows, n, &quality, pcpus_of(l));
    if (!all)
        reading_no_memory(&l->reading, n);
    return all;
}

static int take_rows(void *context, const struct interval *interval, const struct debt_row *rows, size_t n)
{
    struct ledger_run *l = context;
    if (check_sum(l, interval) != 0)
        return -1;
    const void *all = apply_rows(l, interval, rows, n);
    if (!all || !(l->over & OVER_INTERVALS))
        return all ? 0 : -1;
    if (!l->reading.options->live_ns && debt_missing(l->debt))
        return waiting_rows_keep(&l->waiting, &l->reading, interval, all, n,
                                 debt_missing(l->debt)->who.where);
    return waiting_rows_write(&l->waiting, &l->reading) == 0 ? write_rows(l, interval, all, n) : -1;
}

/* A reservation for nobody is an error, or is said where rows went out at once. */
static int check_missing(const struct ledger_run *l, struct error *err)
{
    const struct reading *r = &l->reading;
    const struct debt_arguments *a = arguments_of(l);
    const struct debt_reserve *missing = debt_missing(l->debt);
    if (!missing)
        return 0;
    error_set(err, ERROR_USAGE, "%s%s%s: this domain never appears; \"xenmeter info\" lists those that do",
              a->policy ? policy_name(a->policy) : "", a->policy ? ", " : "", missing->who.where);
    if (!r->options->live_ns)
        return -1;
    if (!r->options->quiet)
        complain("%s", err->message);
    return 0;
}

/* The totals as rows of relation_of. */
static int write_totals(struct ledger_run *l, struct error *err)
{
    struct interval whole;
    size_t n;
    const struct debt_row *rows = debt_totals(l->debt, &whole, &n);
    const void *all =
        rows && arguments_of(l)->means ? (const void *)debt_apply_totals(&l->apply, rows, n) : rows;
    if (!all)
        return error_no_memory(err, "the totals");
    return n > 0 ? write_rows(l, &whole, all, n) : 0;
}

/* Everything is given back before anything else is done, which could wait. */
static int finish(struct reading *r, struct error *err)
{
    struct ledger_run *l = (struct ledger_run *)r;
    struct quality quality;
    const char *why = trace_run_stopped(&r->run) ? "stopped by a signal" : "the trace has ended";
    if (acting_end(&l->apply.acting, why, err) != 0)
        return -1;
    quality_of(l, &quality);
    if (!records_show_states(&quality))
        return 0; /* there is nothing to report */
    if (check_missing(l, err) != 0)
        return -1;
    return l->over & OVER_TOTAL ? write_totals(l, err) : 0;
}

/* ---- the work ---- */

/* Names are given, or the host is asked for them. */
/* Before rules about names are resolved: the host may know them. */
static int begin_to_act(struct ledger_run *l, struct error *err)
{
    const struct debt_arguments *a = arguments_of(l);
    struct acting *acting = &l->apply.acting;
    acting->options = &a->acting;
    acting->common = l->reading.options;
    acting->names = l->reading.run.names;
    l->apply.feedback_ns = l->policy.feedback_ns;
    l->reading.stoppable = a->means != NULL && acting_enforces(&a->acting);
    return a->means ? acting_begin(acting, &debt_controller, a->means, l->policy.feedback_ns, err) : 0;
}

static int read_policy(struct ledger_run *l, struct error *err)
{
    const struct debt_arguments *a = arguments_of(l);
    struct error why = {0};
    int status = a->policy ? policy_read_file(&l->policy, a->policy, &a->given, &why)
                           : policy_read_list(&l->policy, a->reserve, &a->given, &why);
    if (status == 0 && begin_to_act(l, err) != 0)
        return -1;
    if (status == 0)
        status = debt_policy_resolve(&l->policy, acting_knows_names(&l->apply.acting) ? acting_name : NULL,
                                     &l->apply.acting, &why);
    if (status != 0)
        error_set(err, why.code, "%s%s%s", a->policy ? policy_name(a->policy) : "", a->policy ? ": " : "",
                  why.message);
    return status;
}

static size_t memory(const void *context)
{
    const struct ledger_run *l = context;
    return debt_memory(l->debt);
}

/* Reports what is wrong with the file; the policy stays as it was. */
static void reload_policy(struct ledger_run *l)
{
    const struct debt_arguments *a = arguments_of(l);
    struct debt_policy policy = {0}, before = l->policy;
    struct error why = {0};
    *l->reload = 0;
    int status = policy_read_file(&policy, a->policy, &a->given, &why);
    if (status == 0)
        status = debt_policy_resolve(&policy, acting_knows_names(&l->apply.acting) ? acting_name : NULL,
                                     &l->apply.acting, &why);
    if (status == 0 && policy.feedback_ns != before.feedback_ns)
        status = error_set(&why, ERROR_USAGE, "another feedback interval needs a new start");
    l->policy = status == 0 ? policy : before;
    if (status == 0 && !debt_take_policy(l->debt, &l->policy)) {
        l->policy = before;
        status = error_no_memory(&why, "the ledger");
    }
    debt_policy_free(status == 0 ? &before : &policy);
    policy_report_reload(a->policy, status != 0 ? &why : NULL, l->reading.options->quiet);
}

/* Records have come: whoever acts on the host must know. */
static int settled(void *context, const struct pass *pass, uint64_t settled_ns, struct error *err)
{
    struct ledger_run *l = context;
    (void)pass, (void)settled_ns, (void)err;
    if (l->apply.acting.act)
        act_alive(l->apply.acting.act);
    if (l->reload && *l->reload)
        reload_policy(l);
    return CONSUMER_GOES_ON;
}

/* The first one is for rows without --apply, the second one for those with it. */
static const struct relation *const relations[] = {&relation_debts, &relation_debt_actions, NULL};

static int prepare(struct reading *r, struct error *err)
{
    struct ledger_run *l = (struct ledger_run *)r;
    const struct options *o = r->options;
    if (read_policy(l, err) != 0)
        return -1;
    const struct debt_options ledger = {.policy = &l->policy,
                                        .name_of = acting_knows_names(&l->apply.acting) ? acting_name : NULL,
                                        .names = &l->apply.acting,
                                        .context = l,
                                        .rows = take_rows};
    if (!(l->debt = debt_new(&ledger)))
        return error_no_memory(err, "the ledger");
    debt_wants(l->debt, &r->meter);
    l->over = arguments_of(l)->over ? arguments_of(l)->over : OVER_INTERVALS;
    if (l->over & OVER_INTERVALS)
        l->lengths_ns[r->schema.granularities++] = l->policy.feedback_ns;
    if (l->over & OVER_TOTAL)
        l->lengths_ns[r->schema.granularities++] = 0;
    r->schema.granularities_ns = l->lengths_ns;
    l->charges = (struct charge_schema){.options = &r->meter.charge,
                                        .io_counts = reading_io_counts(r),
                                        .dom0_trace = o->dom0_trace,
                                        .own_baseline = o->own_baseline};
    r->consumer = (struct consumer){.context = l, .memory = memory, .settled = settled};
    if (acting_knows_names(&l->apply.acting)) {
        r->schema.name_of = acting_name;
        r->schema.names = &l->apply.acting;
    }
    l->waiting.relation = relation_of(l);
    if (r->stoppable && arguments_of(l)->policy && strcmp(arguments_of(l)->policy, "-") != 0)
        l->reload = signals_reload_flag();
    r->schema.charge = &l->charges;
    r->no_rows = "no domain that was chosen has a reservation";
    r->finish = finish;
    return reading_choose(r, &relations[arguments_of(l)->means != NULL], 1,
                          o->sort    ? o->sort
                          : o->limit ? "charged_ns"
                                     : NULL,
                          err);
}

/* What an error left acting is ended. */
static int end_acting(struct ledger_run *l, int status)
{
    struct error err = {0};
    return acting_end(&l->apply.acting, "an error ended the work", &err) == 0 ? status : fail(NULL, &err);
}

static int run(const struct options *o)
{
    const struct debt_arguments *a = (const struct debt_arguments *)o;
    if (a->acting.restore)
        return acting_restore(&debt_controller, &a->acting, o->quiet);
    struct ledger_run l = {.reading.options = o};
    int status = end_acting(&l, reading_command(&l.reading, o, prepare));
    debt_free(l.debt);
    debt_policy_free(&l.policy);
    waiting_rows_free(&l.waiting);
    debt_apply_free(&l.apply);
    return status;
}

/* ---- options ---- */

static int set_feedback(struct options *o, const struct option_spec *s, const char *text, struct error *err)
{
    (void)s;
    return policy_feedback("--feedback", text, &((struct debt_arguments *)o)->given.feedback_ns, err);
}

static int set_floor(struct options *o, const struct option_spec *s, const char *text, struct error *err)
{
    (void)s;
    return policy_floor("--floor", text, &((struct debt_arguments *)o)->given.floor, err);
}

/* A whole number from 1 to `most`. */
static int set_number(const struct option_spec *s, const char *text, unsigned most, unsigned *to,
                      struct error *err)
{
    const char *digits = text;
    size_t n;
    if (number_below(&digits, (size_t)most + 1, &n) != 0 || *digits || n == 0)
        return error_set(err, ERROR_USAGE, "--%s %.40s: wants a whole number from 1 to %u", s->name, text,
                         most);
    *to = (unsigned)n;
    return 0;
}

static int set_spread(struct options *o, const struct option_spec *s, const char *text, struct error *err)
{
    return set_number(s, text, REPAYMENT_PERIODS_MAX, &((struct debt_arguments *)o)->given.spread, err);
}

static int set_host_pcpus(struct options *o, const struct option_spec *s, const char *text, struct error *err)
{
    return set_number(s, text, PCPUS_MAX, &((struct debt_arguments *)o)->given.host_pcpus, err);
}

static int take_over_word(void *context, const char *item, size_t n, struct error *err)
{
    static const char *const words[] = {"interval", "total", NULL};
    int word = name_index(words, item, n);
    if (word < 0)
        return error_set(err, ERROR_USAGE,
                         "--granularity: '%.*s' is neither interval (each feedback interval, which "
                         "--feedback sets) nor total",
                         n < 40 ? (int)n : 40, item);
    *(unsigned *)context |= 1u << word;
    return 0;
}

static int set_over(struct options *o, const struct option_spec *s, const char *text, struct error *err)
{
    (void)s;
    return each_item(text, take_over_word, &((struct debt_arguments *)o)->over, err);
}

static int set_apply(struct options *o, const struct option_spec *s, const char *text, struct error *err)
{
    struct debt_arguments *a = (struct debt_arguments *)o;
    (void)s;
    a->means = means_of_scheduler(text);
    return a->means ? 0 : error_set(err, ERROR_USAGE, "--apply %.40s: wants credit, credit2 or rtds", text);
}

/* The length of --live is that of the feedback interval. */
static int check_live(struct debt_arguments *a, struct error *err)
{
    uint64_t live_ns = a->options.live_ns;
    if (!live_ns)
        return 0;
    if (live_ns < FEEDBACK_MIN_NS || live_ns > FEEDBACK_MAX_NS)
        return error_set(err, ERROR_USAGE, "--live: feedback intervals are 1ms to 1h long");
    if (a->given.feedback_ns && a->given.feedback_ns != live_ns)
        return error_set(
            err, ERROR_USAGE,
            "--live and --feedback have different lengths: --live alone sets the feedback interval");
    a->given.feedback_ns = live_ns;
    a->over |= OVER_INTERVALS;
    return 0;
}

static int check_acting(const struct debt_arguments *a, struct error *err)
{
    const char *given = acting_given(&a->acting);
    if (a->acting.restore && (a->means || a->reserve || a->policy || a->options.inputs_n))
        return error_set(err, ERROR_USAGE, "--restore gives back and ends: no FILE, reservations or --apply");
    if (!a->acting.restore && !a->means && given)
        return error_set(err, ERROR_USAGE, "%s wants --apply credit, credit2 or rtds", given);
    return acting_check(&a->acting, err);
}

static int check(struct options *o, struct error *err)
{
    struct debt_arguments *a = (struct debt_arguments *)o;
    if (check_acting(a, err) != 0)
        return -1;
    if (a->acting.restore)
        return 0;
    if (o->columns && strcmp(o->columns, "help") == 0)
        return 0;
    if (!a->reserve == !a->policy)
        return error_set(err, ERROR_USAGE, "wants %s--reserve 1=60%%,web=30%% or --policy FILE",
                         a->reserve ? "only one of " : "");
    if (a->policy && strcmp(a->policy, "-") == 0 && strcmp(o->input, "-") == 0)
        return error_set(err, ERROR_USAGE, "the policy and the trace cannot both be standard input");
    if (a->policy && same_file(a->policy, o->output))
        return error_set(err, ERROR_USAGE, "--output %s is the file of --policy: it would be lost",
                         o->output);
    return check_live(a, err);
}

static const struct option_spec options[] = {
    OPTIONS_HEADING("What is reserved"),
    OPTION(0, "reserve", "LIST",
           "reservations by the id or the name of a domain: 1=60%,web=10ms/100ms (a share of a pCPU, or a "
           "slice of each "
           "period); *: every other guest",
           .set = set_text, .offset = offsetof(struct debt_arguments, reserve)),
    OPTION(0, "policy", "FILE", "the same from a file: see xenmeter-policy(5)", .set = set_text,
           .offset = offsetof(struct debt_arguments, policy), .choices = ":file"),
    OPTION(0, "feedback", "LEN", "the feedback interval (default 500ms)", .set = set_feedback,
           .choices = "500ms\n100ms\n1s"),
    OPTION(0, "floor", "PERCENT", "no repayment leaves less of a reservation than this (default 10%)",
           .set = set_floor, .choices = "10%\n25%\n50%"),
    OPTION(0, "spread", "K", "what is charged in an interval is repaid in the next K (default 1)",
           .set = set_spread),
    OPTION(0, "host-pcpus", "N", "how many pCPUs the host has (default: those that the trace shows)",
           .set = set_host_pcpus),
    OPTIONS_HEADING("How to act on a host"),
    OPTION(0, "apply", "SCHEDULER", "turn allowances into parameters of credit, credit2 or rtds",
           .set = set_apply, .choices = "credit\tcaps\ncredit2\tcaps\nrtds\tbudgets"),
    OPTION_ACTING_HOOK(struct debt_arguments, acting,
                       "run CMD in the place of xl; words are divided by blanks"),
    OPTION_ACTING_PROTECT(struct debt_arguments, acting,
                          "never touch these guests, by id or name: 3,mail; nor domain 0 and driver domains"),
    OPTIONS_ACTING(struct debt_arguments, acting),
    OPTIONS_HEADING("How to charge"),
    OPTIONS_CHARGE,
    OPTION_DOM0_TRACE,
    OPTIONS_HEADING("What to report"),
    OPTION('g', "granularity", "LIST", "interval (default: each feedback interval), total (the whole trace)",
           .set = set_over, .choices = ":list\ninterval\teach feedback interval\ntotal\tthe whole trace"),
    OPTION_LIVE,
    OPTION_DOMAINS("only these domains: 1,3-5"),
    OPTION_SORT("order the rows of an interval, largest first"),
    OPTION_LIMIT("at most N rows of an interval; without -s those that are charged most"),
    OPTION_TIME,
    OPTIONS_SHOWING,
    OPTIONS_READING("more about the data on standard error"),
    OPTIONS_END,
};

static const struct command command = {
    .order = 42,
    .name = "debt",
    .summary = "SEDF-DC: what guests owe for the driver domains' work, and what they may run",
    .usage = "(--reserve LIST | --policy FILE) [OPTIONS] [FILE]\n--restore [OPTIONS]",
    .text = TRACE_TEXT "\nWhat driver domains ran on behalf of a guest in a feedback interval becomes the "
                       "guest's debt; it is repaid "
                       "from the guest's reservation in the next intervals. The ledger says what would be; "
                       "--apply says by which commands, and --exec runs them.",
    .examples = "xenmeter debt --reserve 1=60%,2=30% capture.xt\n"
                "xenmeter debt --policy policy.json --names names.txt -f csv -o debts.csv capture.xt\n"
                "xentrace -D -e 0x32f000 /dev/stdout | xenmeter debt --reserve '*=20%' --live 500ms -\n"
                "xentrace -D -e 0x32f000 /dev/stdout | xenmeter debt --reserve 1=60% --apply credit2 --exec "
                "--live 1s -\n"
                "xenmeter debt --restore",
    .options = options,
    .operands = OPERANDS_TRACE,
    .no_executions = true,
    .formats = writer_formats,
    .relations = relations,
    .options_size = sizeof(struct debt_arguments),
    .check = check,
    .run = run,
};
COMMAND(command);
