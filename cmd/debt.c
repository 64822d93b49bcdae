/* xenmeter debt: the ledger of SEDF-DC. */
#include <string.h>

#include "controlling.h"
#include "debt_apply.h"
#include "metrics/control/debt.h"
#include "metrics/control/repayment.h"
#include "metrics/relation/debts.h"
#include "policy.h"

struct debt_arguments {
    struct controlling_options controlling;
    struct policy_settings given;  /* by single options, but for the feedback interval */
    const struct act_means *means; /* of --apply; NULL: nothing is applied */
};

struct ledger_run {
    struct controlling controlling;
    struct debt_policy policy;
    struct debt *debt;
    bool begun;           /* an interval was handed out */
    uint64_t reserved_ns; /* of a feedback interval, by then */
    bool overcommitted;   /* was reported */
    struct debt_apply apply;
};

static const struct debt_arguments *arguments_of(const struct ledger_run *l)
{
    return (const struct debt_arguments *)l->controlling.reading.options;
}

/* ---- rows on their way to the writer ---- */

/* pCPUs of the host, as far as it is known by now. */
static unsigned pcpus_of(const struct ledger_run *l)
{
    const struct trace_run *run = &l->controlling.reading.run;
    struct quality quality;
    if (l->policy.host_pcpus)
        return l->policy.host_pcpus;
    controlling_quality(&l->controlling, &quality);
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
        return reading_fail(&l->controlling.reading, &why);
    l->overcommitted = true;
    if (!l->controlling.reading.options->quiet)
        complain("from %.3f s on: %s", (double)interval->start_ns / 1e9, why.message);
    return 0;
}

/* With --apply: decides what the rows mean for the host. NULL: no memory. */
static const void *apply_rows(struct ledger_run *l, const struct interval *interval,
                              const struct debt_row *rows, size_t n)
{
    struct controlling *c = &l->controlling;
    struct debt_action_row *all = acting_rows(&c->acting, c->kind->relations, rows, n);
    struct quality quality;
    controlling_quality(c, &quality);
    return all && debt_apply_rows(&l->apply, &c->acting, interval, all, n, &quality, pcpus_of(l)) == 0 ? all
                                                                                                       : NULL;
}

static int take_rows(void *context, const struct interval *interval, const struct debt_row *rows, size_t n)
{
    struct ledger_run *l = context;
    struct controlling *c = &l->controlling;
    const void *all = rows;
    if (check_sum(l, interval) != 0)
        return -1;
    if (c->acts && !(all = apply_rows(l, interval, rows, n)))
        return reading_no_memory(&c->reading, n);
    return c->over & OVER_INTERVALS ? controlling_write(c, interval, all, n) : 0;
}

static const struct subject *missing(const struct controlling *c)
{
    const struct debt_reserve *r = debt_missing(((const struct ledger_run *)c)->debt);
    return r ? &r->who : NULL;
}

static const void *totals(struct controlling *c, struct interval *whole, size_t *n)
{
    return debt_totals(((struct ledger_run *)c)->debt, whole, n);
}

static size_t memory(const void *controlling)
{
    return debt_memory(((const struct ledger_run *)controlling)->debt);
}

/* ---- the policy ---- */

static int resolve(const struct ledger_run *l, struct debt_policy *policy, struct error *err)
{
    const struct acting *acting = &l->controlling.acting;
    return debt_policy_resolve(policy, acting_name_of(acting), acting, err);
}

/* Before rules about names are resolved: the host may know them. */
static int begin_to_act(struct ledger_run *l, struct error *err)
{
    struct controlling *c = &l->controlling;
    const struct act_means *means = arguments_of(l)->means;
    l->apply.feedback_ns = l->policy.feedback_ns;
    return means ? acting_begin(&c->acting, &debt_controller, means, l->policy.feedback_ns, err) : 0;
}

/* What single options say, the feedback interval included. */
static struct policy_settings given(const struct debt_arguments *a)
{
    struct policy_settings s = a->given;
    s.feedback_ns = a->controlling.length_ns;
    return s;
}

static int read_policy(struct ledger_run *l, struct error *err)
{
    const struct debt_arguments *a = arguments_of(l);
    const struct policy_settings s = given(a);
    struct error why = {0};
    int status = a->controlling.policy ? policy_read_file(&l->policy, a->controlling.policy, &s, &why)
                                       : policy_read_list(&l->policy, a->controlling.rules, &s, &why);
    if (status == 0 && begin_to_act(l, err) != 0)
        return -1;
    if (status == 0)
        status = resolve(l, &l->policy, &why);
    return status == 0 ? 0 : controlling_policy_wrong(&l->controlling, &why, err);
}

/* Reads the file again; the policy stays as it was if something is wrong with it. */
static int reload(struct controlling *c, struct error *err)
{
    struct ledger_run *l = (struct ledger_run *)c;
    const struct policy_settings s = given(arguments_of(l));
    struct debt_policy policy = {0}, before = l->policy;
    int status = policy_read_file(&policy, controlling_options(c)->policy, &s, err);
    if (status == 0)
        status = resolve(l, &policy, err);
    if (status == 0 && policy.feedback_ns != before.feedback_ns)
        status = error_set(err, ERROR_USAGE, "another feedback interval needs a new start");
    l->policy = status == 0 ? policy : before;
    if (status == 0 && !debt_take_policy(l->debt, &l->policy)) {
        l->policy = before;
        status = error_no_memory(err, "the ledger");
    }
    debt_policy_free(status == 0 ? &before : &policy);
    return status;
}

/* ---- the work ---- */

static int prepare(struct controlling *c, struct error *err)
{
    struct ledger_run *l = (struct ledger_run *)c;
    if (read_policy(l, err) != 0)
        return -1;
    const struct debt_options ledger = {.policy = &l->policy,
                                        .name_of = acting_name_of(&c->acting),
                                        .names = &c->acting,
                                        .context = l,
                                        .rows = take_rows};
    if (!(l->debt = debt_new(&ledger)))
        return error_no_memory(err, "the ledger");
    debt_wants(l->debt, &c->reading.meter);
    return controlling_begin(c, l->policy.feedback_ns, err);
}

static const struct controlling_kind kind = {.controller = &debt_controller,
                                             .relations = {&relation_debts, &relation_debt_actions},
                                             .length = "feedback interval",
                                             .length_option = "feedback",
                                             .no_rows = "no domain that was chosen has a reservation",
                                             .prepare = prepare,
                                             .missing = missing,
                                             .totals = totals,
                                             .memory = memory,
                                             .reload = reload};

static int run(const struct options *o)
{
    const struct debt_arguments *a = (const struct debt_arguments *)o;
    struct ledger_run l = {.controlling = {.kind = &kind, .acts = a->means != NULL}};
    int status = controlling_command(&l.controlling, o);
    debt_free(l.debt);
    debt_policy_free(&l.policy);
    controlling_free(&l.controlling);
    return status;
}

/* ---- options ---- */

static int set_feedback(struct options *o, const struct option_spec *s, const char *text, struct error *err)
{
    (void)s;
    return policy_feedback("--feedback", text, &((struct controlling_options *)o)->length_ns, err);
}

static int set_floor(struct options *o, const struct option_spec *s, const char *text, struct error *err)
{
    (void)s;
    return policy_floor("--floor", text, &((struct debt_arguments *)o)->given.floor, err);
}

static int set_spread(struct options *o, const struct option_spec *s, const char *text, struct error *err)
{
    return set_small(&((struct debt_arguments *)o)->given.spread, REPAYMENT_PERIODS_MAX, s, text, err);
}

static int set_host_pcpus(struct options *o, const struct option_spec *s, const char *text, struct error *err)
{
    return set_small(&((struct debt_arguments *)o)->given.host_pcpus, PCPUS_MAX, s, text, err);
}

static int set_over(struct options *o, const struct option_spec *s, const char *text, struct error *err)
{
    static const char *const words[] = {"interval", "total", NULL}; /* by enum over */
    (void)s;
    return controlling_set_over(
        o, text, words, "neither interval (each feedback interval, which --feedback sets) nor total", err);
}

static int set_apply(struct options *o, const struct option_spec *s, const char *text, struct error *err)
{
    struct debt_arguments *a = (struct debt_arguments *)o;
    (void)s;
    a->means = means_of_scheduler(text);
    return a->means ? 0 : error_set(err, ERROR_USAGE, "--apply %.40s: wants credit, credit2 or rtds", text);
}

static int check(struct options *o, struct error *err)
{
    struct debt_arguments *a = (struct debt_arguments *)o;
    const struct acting_options *acting = &a->controlling.acting;
    const char *given_one = acting_given(acting);
    if (acting->restore && (a->means || a->controlling.rules || a->controlling.policy || o->inputs_n))
        return error_set(err, ERROR_USAGE, "--restore gives back and ends: no FILE, reservations or --apply");
    if (!acting->restore && !a->means && given_one)
        return error_set(err, ERROR_USAGE, "%s wants --apply credit, credit2 or rtds", given_one);
    return controlling_check(&a->controlling, &kind, "--reserve 1=60%,web=30%", err);
}

static const struct option_spec options[] = {
    OPTIONS_HEADING("What is reserved"),
    OPTION_RULES(
        "reserve",
        "reservations by the id or the name of a domain: 1=60%,web=10ms/100ms (a share of a pCPU, or a "
        "slice of each period); *: every other guest"),
    OPTION_POLICY,
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
    OPTION_ACTING_HOOK(struct controlling_options, acting,
                       "run CMD in the place of xl; words are divided by blanks"),
    OPTION_ACTING_PROTECT(struct controlling_options, acting,
                          "never touch these guests, by id or name: 3,mail; nor domain 0 and driver domains"),
    OPTIONS_ACTING(struct controlling_options, acting),
    OPTIONS_HEADING("How to charge"),
    OPTIONS_CHARGE,
    OPTION_DOM0_TRACE,
    OPTIONS_HEADING("What to report"),
    OPTION('g', "granularity", "LIST", "interval (default: each feedback interval), total (the whole trace)",
           .set = set_over, .choices = ":list\ninterval\teach feedback interval\ntotal\tthe whole trace"),
    OPTION_LIVE,
    OPTION_DOMAINS("only these domains: 1,3-5,web*"),
    OPTION_SORT("order the rows of an interval, largest first"),
    OPTION_LIMIT("at most N rows of an interval; without -s those that are charged most"),
    OPTION_TIME,
    OPTIONS_SHOWING,
    OPTIONS_READING("more about the data on standard error"),
    OPTIONS_ALL,
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
    .relations = kind.relations,
    .options_size = sizeof(struct debt_arguments),
    .check = check,
    .run = run,
};
COMMAND(command);
