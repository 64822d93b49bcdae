/* xenmeter account: per-VM statements of a fleet. */
#include "account.h"

#include <stdlib.h>
#include <string.h>

#include "account/decimal.h"
#include "account/period.h"
#include "account_reading.h"
#include "formats/writer.h"
#include "metrics/array.h"
#include "pager.h"
#include "reading.h"
#include "reading_parts.h"

struct accounting {
    const struct account_command *own;
    struct account_reading reading;
    struct column_choice choice;
    struct report_schema schema;
    struct output *output;
    struct writer *writer;
    struct account_line
        *rows; /* of a statement, on their way to the writer: tables are laid out by several */
    size_t rows_n, rows_capacity;
    bool written;               /* lines were; until then there may be one only, and a table is a page */
    struct bill_line bill_line; /* the only one so far */
    uint64_t lines;             /* in all */
    uint64_t vms_found;         /* items of --vm */
    struct error why;           /* of a failure while a statement is written */
};

static const struct relation *const relations[] = {&relation_account, &relation_account_hosts,
                                                   &relation_account_services, &relation_bill, NULL};

/* By enum account_by. */
static const char *const by_words[] = {"vm", "vm-host", "host", "driver-domain", "tag", NULL};
static const struct relation *const relation_of[] = {&relation_account, &relation_account,
                                                     &relation_account_hosts, &relation_account_services,
                                                     &relation_bill};

static const struct relation *relation_shown(const struct account_command *own)
{
    return money_wanted(&own->money) ? &relation_bill : relation_of[own->by];
}

/* ---- writing ---- */

static int write_lines(struct accounting *a, const void *lines, size_t n)
{
    const struct rows rows = {.relation = relation_shown(a->own), .at = lines, .n = n};
    progress_end(&a->reading.progress);
    a->written = true;
    return n > 0 ? writer_rows(a->writer, &rows) : 0;
}

static bool may_be_page(const struct accounting *a)
{
    return strcmp(a->own->common.format, "table") == 0 && !a->own->common.columns &&
           (relation_shown(a->own) == &relation_account ||
            (money_wanted(&a->own->money) && a->own->by <= ACCOUNT_BY_VM_HOST));
}

static int put_line(struct accounting *a, const struct account_row *row)
{
    if (!array_make_room(&a->rows, &a->rows_capacity, a->rows_n + 1, sizeof *a->rows))
        return error_no_memory(&a->why, "the rows");
    account_line_of(&a->rows[a->rows_n++], row, a->own->extrapolate);
    a->lines++;
    return 0;
}

/* Writes the lines of a statement, but one that may remain the only one. */
static int write_rows(struct accounting *a)
{
    if (!a->written && a->lines == 1 && may_be_page(a))
        return 0;
    int status = write_lines(a, a->rows, a->rows_n);
    a->rows_n = 0;
    return status;
}

/* ---- statements ---- */

static bool is_wanted(struct accounting *a, const struct account_vm *vm)
{
    return account_vm_wanted(a->own, vm, &a->vms_found);
}

static int put_rows(struct accounting *a, const struct account_statement *s)
{
    int status = 0;
    for (size_t i = 0; i < s->rows_n && status == 0; i++)
        if (is_wanted(a, s->rows[i].vm))
            status = put_line(a, &s->rows[i]);
    return status == 0 ? write_rows(a) : status;
}

static int compare_vms(const void *a, const void *b)
{
    const struct account_row *x = *(const struct account_row *const *)a,
                             *y = *(const struct account_row *const *)b;
    int order = strcmp(x->vm->key, y->vm->key);
    return order ? order : strcmp(x->host->name, y->host->name);
}

/* Rows of one VM, on whatever hosts, are added up. */
static int put_vms(struct accounting *a, const struct account_statement *s)
{
    const struct account_row **rows = calloc(s->rows_n + 1, sizeof *rows);
    size_t n = 0;
    int status = rows ? 0 : error_no_memory(&a->why, "the rows");
    for (size_t i = 0; i < s->rows_n && rows; i++)
        if (is_wanted(a, s->rows[i].vm))
            rows[n++] = &s->rows[i];
    if (n > 1)
        qsort(rows, n, sizeof(struct account_row *), compare_vms);
    for (size_t i = 0, end; i < n && status == 0; i = end) {
        struct account_sum sum = {.all_hosts = true};
        for (end = i; end < n && status == 0 && strcmp(rows[i]->vm->key, rows[end]->vm->key) == 0; end++)
            if (!account_sum_add(&sum, rows[end]))
                status = error_no_memory(&a->why, "the sums of a VM");
        if (status == 0)
            status = put_line(a, &sum.row);
        account_sum_free(&sum);
    }
    free(rows);
    return status == 0 ? write_rows(a) : status;
}

static int put_hosts(struct accounting *a, const struct account_statement *s)
{
    struct account_host_line *lines = calloc(s->hosts_n + 1, sizeof *lines);
    if (!lines)
        return error_no_memory(&a->why, "the hosts");
    for (size_t i = 0; i < s->hosts_n; i++)
        account_host_line_of(&lines[i], &s->period, &s->hosts[i]);
    int status = write_lines(a, lines, s->hosts_n);
    a->lines += s->hosts_n;
    free(lines);
    return status;
}

static int put_services(struct accounting *a, const struct account_statement *s)
{
    struct account_service_line *lines = calloc(s->services_n + 1, sizeof *lines);
    size_t n = 0;
    if (!lines)
        return error_no_memory(&a->why, "the services");
    for (size_t i = 0; i < s->services_n; i++)
        if (is_wanted(a, s->services[i].guest) || is_wanted(a, s->services[i].driver_domain))
            account_service_line_of(&lines[n++], &s->period, &s->services[i]);
    int status = write_lines(a, lines, n);
    a->lines += n;
    free(lines);
    return status;
}

/* The first line waits while it is the only one, as that of a page. */
static int put_bill(struct accounting *a, const struct account_statement *s)
{
    struct account_billing *b = &a->reading.billing;
    if (account_billing_take(b, s, &a->why) != 0)
        return -1;
    bool waits = !a->written && a->lines == 1 && may_be_page(a);
    a->lines += b->lines_n;
    if (!a->written && a->lines == 1 && may_be_page(a)) {
        a->bill_line = waits ? a->bill_line : b->lines[0];
        return 0;
    }
    if (waits && write_lines(a, &a->bill_line, 1) != 0)
        return -1;
    return write_lines(a, b->lines, b->lines_n);
}

static bool is_focus(const struct account_command *own)
{
    return strcmp(own->common.format, "focus") == 0;
}

static int put_focus(struct accounting *a, const struct account_statement *s)
{
    struct buffer text = {0};
    size_t n;
    int status = account_billing_focus(&a->reading.billing, s, &text, &n, &a->why);
    a->lines += status == 0 ? n : 0;
    if (status == 0)
        status = output_write(a->output, text.at ? text.at : "", text.n);
    buffer_free(&text);
    return status;
}

static int take_statement(void *context, const struct account_statement *s)
{
    struct accounting *a = context;
    if (is_focus(a->own))
        return put_focus(a, s);
    if (money_wanted(&a->own->money))
        return put_bill(a, s);
    switch (a->own->by) {
    case ACCOUNT_BY_VM:
        return put_vms(a, s);
    case ACCOUNT_BY_VM_HOST:
        return put_rows(a, s);
    case ACCOUNT_BY_HOST:
        return put_hosts(a, s);
    case ACCOUNT_BY_DRIVER_DOMAIN:
        return put_services(a, s);
    case ACCOUNT_BY_TAG: /* only with money: check() */
        break;
    }
    return -1;
}

/* ---- the command ---- */

static int begin_focus(struct accounting *a, struct error *err)
{
    struct buffer header = {0};
    a->written = true;
    focus_put_header(&header);
    int status =
        header.failed ? error_no_memory(err, "the columns") : output_write(a->output, header.at, header.n);
    buffer_free(&header);
    return status;
}

static int begin(struct accounting *a, struct error *err)
{
    const struct account_command *own = a->own;
    const struct options *o = &own->common;
    struct account_options *run = &a->reading.run;
    struct buffer columns = {0};
    if (account_reading_begin(&a->reading, own, o->inputs, o->inputs_n, err) != 0 ||
        (own->from && account_moment("--from", own->from, &run->from_utc_ns, err) != 0) ||
        (own->to && account_moment("--to", own->to, &run->to_utc_ns, err) != 0))
        return -1;
    if (run->from_utc_ns >= run->to_utc_ns)
        return error_set(err, ERROR_USAGE, "nothing lies between --from %.60s and --to %.60s", own->from,
                         own->to);
    run->before = own->by <= ACCOUNT_BY_VM_HOST && !is_focus(own);
    const struct relation *relation = relation_shown(own);
    int chosen = choice_make(&a->choice, &relation, 1, account_columns(own, &columns), o->sort, 0, err);
    buffer_free(&columns);
    if (chosen != 0 || account_reading_money(&a->reading, &own->money.sharing, NULL, NULL, err) != 0)
        return -1;
    a->schema = (struct report_schema){.name = "account",
                                       .choice = &a->choice,
                                       .selection = {.limit = o->limit, .memory_limit = o->max_memory},
                                       .bys = 1};
    if (is_focus(own) && account_billing_check_focus(&a->reading.billing, err) != 0)
        return -1;
    a->output = output_open(o->output, err);
    if (!a->output) {
        fail(o->output, err);
        a->reading.said = true;
        return -1;
    }
    if (is_focus(own))
        return begin_focus(a, err);
    reading_look(&a->schema, o, a->output);
    pager_offer(a->output, o);
    a->writer = writer_new(o->format, a->output, &a->schema, err);
    return a->writer ? 0 : -1;
}

static int put_page(struct accounting *a, struct error *err)
{
    const bool is_bill = money_wanted(&a->own->money);
    struct buffer page = {0};
    account_page_put(&page, is_bill ? &a->bill_line.usage : a->rows, is_bill ? &a->bill_line : NULL,
                     a->own->zone ? a->own->zone : "UTC");
    int status = page.failed ? error_no_memory(err, "the page") : 0;
    if (status == 0)
        output_write(a->output, page.at, page.n);
    buffer_free(&page);
    return status;
}

static int end(struct accounting *a, struct error *err)
{
    const struct report_summary summary = {.quality = NULL};
    const bool has_rule = a->written && a->own->money.rates && strcmp(a->own->common.format, "table") == 0;
    int status = 0;
    if (a->lines == 0)
        return error_set(err, ERROR_USAGE, "%s",
                         a->own->vms ? "--vm: none of these VMs is in this time" : "nothing to report");
    if (account_billing_end(&a->reading.billing, err) != 0) {
        fail(a->own->money.rates, err);
        a->reading.said = true;
        return -1;
    }
    account_vms_say_missing(a->own, a->vms_found | a->reading.billing.vms_found);
    if (!a->written)
        status = put_page(a, err);
    if (status == 0 && a->writer)
        writer_end(a->writer, &summary); /* a failure is the output's, and commit says it */
    else
        writer_free(a->writer);
    a->writer = NULL;
    if (status == 0 && has_rule)
        output_printf(a->output, "\namounts: %s\n", DECIMAL_RULE);
    return status;
}

/* What went wrong: said once. */
static int failed(struct accounting *a, const struct error *err)
{
    const struct error *why = a->output ? output_failure(a->output) : NULL;
    if (a->output && output_reader_gone(a->output))
        return EXIT_DONE;
    if (why)
        return fail(a->own->common.output, why);
    if (a->why.code != ERROR_NONE)
        return fail(NULL, &a->why);
    return a->reading.said ? EXIT_ERROR : fail(NULL, err);
}

static int run(const struct options *o)
{
    struct accounting a = {.own = (const struct account_command *)o};
    struct error err = {0};
    if (o->columns && strcmp(o->columns, WORD_HELP) == 0)
        return reading_list_columns(o);
    int status = begin(&a, &err) == 0 && account_run(&a.reading.run, take_statement, &a, &err) == 0 &&
                         end(&a, &err) == 0
                     ? EXIT_DONE
                     : EXIT_ERROR;
    progress_end(&a.reading.progress);
    if (status != EXIT_DONE)
        status = failed(&a, &err);
    else if ((status = commit(&a.output, o->output)) == EXIT_DONE)
        status = account_findings_end(&a.reading.findings);
    writer_free(a.writer);
    output_abort(a.output);
    free(a.rows);
    choice_free(&a.choice);
    account_reading_free(&a.reading);
    return status;
}

/* ---- options ---- */

#define OWN(MEMBER) .offset = offsetof(struct account_command, MEMBER)

static int word_of(const char *const *words, const struct option_spec *s, const char *text, struct error *err)
{
    int at = name_index(words, text, strlen(text));
    if (at < 0)
        error_set(err, ERROR_USAGE, "--%s %.40s: wants %s, %s, %s or %s", s->name, text, words[0], words[1],
                  words[2], words[3]);
    return at;
}

static int set_granularity(struct options *o, const struct option_spec *s, const char *text,
                           struct error *err)
{
    int at = word_of(account_granularity_names, s, text, err);
    ((struct account_command *)o)->granularity = at < 0 ? ACCOUNT_HOUR : (enum account_granularity)at;
    return at < 0 ? -1 : 0;
}

static int set_account_by(struct options *o, const struct option_spec *s, const char *text, struct error *err)
{
    struct account_command *own = (struct account_command *)o;
    (void)s;
    bool tagged = strncmp(text, "tag:", 4) == 0 && text[4];
    int at = tagged ? (int)ACCOUNT_BY_TAG : name_index(by_words, text, strlen(text));
    char all[FORMATS_BYTES];
    if (at < 0)
        return error_set(err, ERROR_USAGE, "--by %.40s: wants one of %s", text,
                         formats_listed(all, by_words));
    own->by = (enum account_by)at;
    own->money.tag = tagged ? text + 4 : NULL;
    return 0;
}

static int check(struct options *o, struct error *err)
{
    const struct account_command *own = (const struct account_command *)o;
    if (o->columns && strcmp(o->columns, WORD_HELP) == 0)
        return 0;
    if (own->by == ACCOUNT_BY_TAG && !own->money.tags)
        return error_set(err, ERROR_USAGE, "--by tag wants --tags FILE");
    if (is_focus(own) && (own->by > ACCOUNT_BY_VM_HOST || o->columns || o->sort || o->limit))
        return error_set(
            err, ERROR_USAGE,
            "--format focus has rows and columns of its own: no --by host, driver-domain or tag, "
            "no --columns, --sort and --limit");
    if (own->by == ACCOUNT_BY_DRIVER_DOMAIN && money_wanted(&own->money))
        return error_set(err, ERROR_USAGE, "--by driver-domain does not go with prices, tags and sharing");
    if ((own->peaks || own->extrapolate) && (own->by > ACCOUNT_BY_VM_HOST || is_focus(own)))
        return error_set(err, ERROR_USAGE,
                         "--peaks and --extrapolate are about VMs: with --by vm or vm-host, and not with "
                         "--format focus");
    if (own->by == ACCOUNT_BY_HOST && own->vms && !money_wanted(&own->money))
        return error_set(err, ERROR_USAGE,
                         "--by host is about whole hosts, without --vm; with prices, tags or sharing it adds "
                         "up the VMs' rows");
    return o->inputs_n ? 0
                       : error_set(err, ERROR_USAGE, "which archives? give files, or folders that hold them");
}

static const char *const formats[] = {"table", "csv", "tsv", "json", "jsonl", "sqlite", "focus", NULL};

static const struct option_spec options[] = {
    OPTIONS_HEADING("What to report"),
    OPTION('g', "granularity", "PERIOD", "hour (default), day, month or total", .set = set_granularity,
           .choices = "hour\nday\nmonth\ntotal"),
    OPTION(0, "tz", "ZONE", "hours, days and months of this time zone (Europe/Berlin); default: UTC",
           .set = set_text, OWN(zone)),
    OPTION(0, "from", "MOMENT",
           "from this month (2026-11), day (2026-11-29) or moment (2026-11-29T07:00Z) on", .set = set_text,
           OWN(from)),
    OPTION(0, "to", "MOMENT", "to before it", .set = set_text, OWN(to)),
    OPTION(0, "vm", "LIST", "only these VMs, by name or UUID: web*,db1", .set = set_text, OWN(vms)),
    OPTION('b', "by", "WHAT",
           "vm (default), vm-host (each host apart), host (what its pCPUs did), driver-domain (what they did "
           "for whom), tag or tag:NAME (with --tags)",
           .set = set_account_by, .choices = "vm\nvm-host\nhost\ndriver-domain\ntag"),
    OPTION(0, "extrapolate", NULL, "also total, scaled to the whole period, where not all of it was recorded",
           .set = set_flag, OWN(extrapolate)),
    OPTION(0, "peaks", NULL, "also the busiest second and five minutes of each VM; reads all intervals",
           .set = set_flag, OWN(peaks)),
    OPTION_SORT("order the rows, largest first"),
    OPTION_LIMIT("at most N rows"),
    OPTIONS_HEADING("Who pays"),
    OPTIONS_MONEY,
    OPTIONS_HEADING("How to show it"),
    OPTION_FORMAT("table, csv, tsv, json, jsonl, sqlite, focus; default: by the ending of -o, else table"),
    OPTION_OUTPUT,
    OPTION_COLUMNS,
    OPTION_RAW_NAMES,
    OPTION_COLOR,
    OPTIONS_HEADING("How to read it"),
    OPTION_HOST_FACTS("times of day and names for archives that have no times of day themselves"),
    OPTION('j', "jobs", "N", "read N archives at a time (default: one for each CPU)", .set = set_jobs),
    OPTION(0, "max-memory", "SIZE", "give up rather than use more for one period (default 1G)",
           .set = set_max_memory, .choices = "256M\n1G\n4G"),
    OPTION_PROGRESS,
    OPTION_NO_PAGER,
    OPTION_QUIET,
    OPTIONS_ALL,
};

static const struct command command = {
    .order = 68,
    .name = "account",
    .summary = "what each VM of a fleet used, by hour, day or month",
    .usage = "[OPTIONS] FOLDER|ARCHIVE...",
    .text =
        "Adds up the archives of any number of hosts (xenmeter record): what each VM ran, what driver "
        "domains "
        "ran for it, how long it waited, and how much of the time was recorded. A VM is known by its UUID, "
        "else by its name. What two archives both have counts once.",
    .status = "0 done, 1 done, but archives were left out or a VM was on two hosts at once, 2 error",
    .examples = "xenmeter account -g day --tz Europe/Berlin /var/lib/xenmeter\n"
                "xenmeter account -g month --vm web1 /var/lib/xenmeter\n"
                "xenmeter account -b host -f csv -o hosts.csv /var/lib/xenmeter",
    .options = options,
    .operands = OPERANDS_ARCHIVES,
    .formats = formats,
    .relations = relations,
    .options_size = sizeof(struct account_command),
    .check = check,
    .run = run,
};
COMMAND(command);
