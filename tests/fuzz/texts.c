/*
 * Fuzz target: texts that people write, and commands. The first byte of an input chooses what the rest is (see `readers`).
 *
 * Whatever the text is: it is read, or an error says why, in words and with the place; what was read and is printed again
 * reads as the same.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "account/closed.h"
#include "account/rates.h"
#include "account/tags.h"
#include "archive/host_facts.h"
#include "cmd/cli.h"
#include "cmd/command.h"
#include "cmd/diff.h"
#include "cmd/guard_options.h"
#include "cmd/policy.h"
#include "cmd/rates_file.h"
#include "host/io_names.h"
#include "metrics/measure/dom0_trace.h"
#include "parser/decode/own_events.h"
#include "sim/scenario.h"
#include "tests/fuzz/must.h"
#include "tests/fuzz/fuzz_store.h"
#include "tests/fuzz/text_again.h"

#define TEXT_MOST  4096
#define WORDS_MOST 40
#define FOLDER     "/dev/shm/xenmeter-fuzz-texts"

/* A text, ended by a zero byte that is not counted. */
struct text {
    const char *at;
    size_t n;
};

/* ---- errors ---- */

/* An error says something. `place`: one of these words is in it (NULL: any will do), where it is about a place. */
static void check_error(const char *what, const struct error *err, const char *place)
{
    MUST(err->code != ERROR_NONE && err->message[0], "%s: an error without a reason", what);
    MUST(strlen(err->message) < sizeof err->message, "%s: the message has no end", what);
    bool about_all = strstr(err->message, "memory") || strstr(err->message, "text") ||
                     strstr(err->message, "no whole header") || strstr(err->message, "is compressed") ||
                     strstr(err->message, "readings");
    MUST(!place || about_all || strstr(err->message, place), "%s: \"%s\" does not say where", what,
         err->message);
}

/* ---- readers ---- */

static void read_scenario(struct text t)
{
    struct error err = {0};
    struct scenario *s = scenario_read(t.at, t.n, FOLDER "/", 0, &err);
    if (!s)
        check_error("scenario", &err, NULL);
    else
        MUST(s->duration_ns >= SCENARIO_DURATION_MIN && s->duration_ns <= SCENARIO_DURATION_MAX &&
                 s->pcpus > 0 && s->pcpus <= SCENARIO_PCPUS_MAX && s->domain_count <= SCENARIO_DOMAINS_MAX,
             "a scenario beyond its bounds");
    scenario_free(s);
}

static void read_counters(struct text t)
{
    struct error err = {0};
    struct counters *c = counters_read_text(t.at, t.n, &err);
    if (c)
        counters_again(c);
    else
        check_error("counters", &err, "line ");
    counters_free(c);
}

static void read_names(struct text t)
{
    struct error err = {0};
    struct domain_names *names = names_read_text(t.at, t.n, &err);
    if (names)
        names_again(names);
    else if (t.n > 0)
        check_error("names", &err, "line ");
    names_free(names);
}

/* Facts that were read say what they said when they are written and read again; any moment has a time of day or none. */
static void read_facts(struct text t)
{
    struct error err = {0};
    struct host_facts f = {0}, again = {0};
    struct buffer lines = {0};
    int64_t utc_ns;
    uint64_t tsc;
    if (host_facts_read(&f, t.at, t.n, &err) != 0) {
        check_error("facts", &err, "line ");
        host_facts_free(&f);
        return;
    }
    for (size_t i = 0; i < f.domains_n; i++)
        fact_put(&lines, &(struct fact){FACT_DOMAIN, .domain = f.domains[i]});
    MUST(host_facts_read(&again, lines.at, lines.n, &err) == 0 && again.domains_n == f.domains_n, "facts: %s",
         err.message);
    for (size_t i = 0; i < f.domains_n; i++)
        MUST(strcmp(f.domains[i].name, again.domains[i].name) == 0, "a name has changed: %s",
             f.domains[i].name);
    for (size_t i = 0; i < f.clocks_n; i++)
        MUST(host_facts_utc(&f, 0, f.clocks[i].tsc, &utc_ns, NULL) && utc_ns == f.clocks[i].utc_ns,
             "a pair is not found");
    for (size_t i = 0; i < f.clocks_n; i++)
        host_facts_tsc(&f, 1e9, f.clocks[i].utc_ns, &tsc);
    buffer_free(&lines);
    host_facts_free(&f);
    host_facts_free(&again);
}

static void read_domains(struct text t)
{
    struct error err = {0};
    struct domain_info info = {0};
    if (domain_info_read(&info, t.at, t.n, &err) == 0)
        domains_again(&info);
    else
        check_error("domains", &err, NULL);
    domain_info_free(&info);
}

/* Whatever xl prints. */
static void read_xl(struct text t)
{
    read_domains(t);
    for (unsigned s = 0; xl_scheduler_names[s]; s++) {
        struct error err = {0};
        struct host_guests guests = {0};
        if (xl_read_list((enum xl_scheduler)s, t.at, t.n, &guests, &err) == 0)
            xl_again((enum xl_scheduler)s, &guests);
        else
            check_error("xl", &err, NULL);
        MUST(err.code == ERROR_NONE || guests.n == 0, "guests of a list that was not read");
        host_guests_free(&guests);
    }
}

static void read_events(struct text t)
{
    struct error err = {0};
    struct own_events *own = own_events_read(t.at, t.n, &err);
    if (!own)
        check_error("events", &err, "line ");
    size_t n;
    const struct own_event *events = own_events_all(own, &n);
    for (size_t i = 0; i < n; i++)
        MUST(own_event_find(own, events[i].id) == &events[i], "%s is not found by its number",
             events[i].name);
    own_events_free(own);
}

static void read_condition(struct text t)
{
    struct error err = {0};
    struct condition c;
    if (condition_parse(&c, &fail_if, t.at, &err) == 0)
        condition_again(&c);
    else
        check_error("condition", &err, "--fail-if");
}

/* A list on the command line, or a file: reservations, and limits. */
static void read_debt_policy(struct text t, const char *path)
{
    const struct policy_settings none = {0};
    struct error err = {0};
    struct debt_policy p = {0};
    int status = path ? policy_read_file(&p, path, &none, &err) : policy_read_list(&p, t.at, &none, &err);
    if (status != 0)
        check_error("reservations", &err, NULL);
    for (size_t i = 0; status == 0 && i < p.n; i++)
        MUST(p.reserves[i].rule.reservation.part > 0 && p.reserves[i].rule.reservation.of > 0 &&
                 p.reserves[i].rule.spread > 0,
             "a reservation of nothing");
    debt_policy_free(&p);
}

static void read_guard_policy(struct text t, const char *path)
{
    const struct guard_settings none = {0};
    struct error err = {0};
    struct guard_policy p;
    guard_policy_init(&p);
    int status = path ? guard_read_file(&p, path, &none, &err) : guard_read_list(&p, t.at, &none, &err);
    if (status != 0)
        check_error("limits", &err, NULL);
    for (size_t i = 0; status == 0 && i < p.n; i++)
        MUST(p.limits[i].limit.part > 0 && p.limits[i].limit.part <= p.limits[i].limit.of,
             "a limit above a pCPU, or of nothing");
    guard_policy_free(&p);
}

static void read_reserve_list(struct text t)
{
    read_debt_policy(t, NULL);
}

static void read_limit_list(struct text t)
{
    read_guard_policy(t, NULL);
}

/* Hands a file with the text to a reader. */
static void with_file(struct text t, void (*read)(struct text t, const char *path))
{
    char path[STORE_PATH];
    int fd = store_capture((const uint8_t *)t.at, t.n, false, path);
    read(t, path);
    close(fd);
}

static void read_policy_file(struct text t)
{
    with_file(t, read_debt_policy);
}

static void read_guard_file(struct text t)
{
    with_file(t, read_guard_policy);
}

static void read_saved(struct text t, const char *path)
{
    struct error err = {0};
    struct comparison_plan plan = {
        .by = BY_DOMAIN, .of = {comparable_find("running_pct"), comparable_find("wait_p99_ns")}, .n = 2};
    struct diff_side side = {.rows.plan = &plan};
    (void)t;
    MUST(plan.of[0] && plan.of[1], "columns to compare by have other names");
    if (diff_is_saved(path) && diff_saved_read(&side, path, &err) != 0)
        check_error("saved report", &err, NULL);
    diff_side_free(&side);
}

static void read_saved_report(struct text t)
{
    with_file(t, read_saved);
}

static void read_dom0(struct text t, const char *path)
{
    struct error err = {0};
    (void)t;
    struct dom0_trace *d = dom0_trace_read(path, &err);
    if (!d)
        check_error("dom0's trace", &err, NULL);
    dom0_trace_free(d);
}

static void read_dom0_trace(struct text t)
{
    with_file(t, read_dom0);
}

/* Tags that were read are found again by their VMs. */
static void read_tags(struct text t)
{
    struct error err = {0};
    struct tags tags;
    if (tags_read(&tags, t.at, t.n, &err) != 0)
        check_error("tags", &err, "line ");
    else
        for (size_t i = 0; i < tags.n; i++)
            MUST(tags_of(&tags, "", tags.at[i].vm) == tags.at[i].values, "the tags of %s are not found",
                 tags.at[i].vm);
    tags_free(&tags);
}

static void read_rates(struct text t)
{
    static const char columns[] = "vm,customer\nweb,ACME\n";
    struct error err = {0};
    struct tags tags;
    struct rates rates;
    MUST(tags_read(&tags, columns, sizeof columns - 1, &err) == 0, "tags: %s", err.message);
    const struct rate_subject web = {"xen1", "", "web", tags_of(&tags, "", "web")};
    if (rates_read(&rates, t.at, t.n, &tags, &err) != 0)
        check_error("rates", &err, NULL);
    for (size_t i = 0; err.code == ERROR_NONE && i < rates.n; i++)
        for (enum price p = 0; p < PRICES; p++) {
            struct error overlap = {0};
            const struct rate *found = rates_find(&rates, p, &web, rates.at[i].from_ns, &overlap);
            MUST(!found || (found->given[p] && mpq_sgn(found->prices[p]) >= 0), "a price below zero");
        }
    rates_free(&rates);
    tags_free(&tags);
}

/* Under a good seal. What was read is written as it was, and read again. */
static void read_closed(struct text t)
{
    struct error err = {0};
    struct closed c, again;
    struct buffer sealed = {0}, written = {0};
    uint8_t digest[DIGEST_BYTES];
    char hex[CLOSED_HEX];
    buffer_add(&sealed, t.at, t.n);
    digest_of(t.at, t.n, digest);
    buffer_printf(&sealed, "{\"xxh3_128\":\"%s\"}\n", closed_hex(hex, digest));
    if (closed_read(&c, sealed.at, sealed.n, &err) != 0) {
        check_error("closed statement", &err, NULL);
    } else {
        closed_put(&written, &c);
        MUST(closed_read(&again, written.at, written.n, &err) == 0, "closed statement, again: %s",
             err.message);
        MUST(again.entries.n == c.entries.n, "entries have gone");
        for (size_t i = 0; i < c.entries.n; i++)
            MUST(entry_equal(&c.entries.at[i], &again.entries.at[i]), "an entry has changed");
        closed_free(&again);
    }
    closed_free(&c);
    buffer_free(&sealed);
    buffer_free(&written);
}

/* "lan" is guest 7's. */
static unsigned long owner_of(const void *context, const char *interface, size_t n)
{
    (void)context;
    return n == 3 && memcmp(interface, "lan", 3) == 0 ? 7 : IO_NO_DOMAIN;
}

static void read_process_names(struct text t)
{
    enum io_work work = IO_WORKS;
    const struct io_interfaces interfaces = {NULL, owner_of};
    unsigned long domain = io_name_thread(t.at, &interfaces, &work);
    MUST(domain <= IO_NO_DOMAIN && (domain == IO_NO_DOMAIN || work < IO_WORKS), "a thread of domain %lu",
         domain);
    domain = IO_NO_DOMAIN;
    if (io_name_process(t.at, &work, &domain))
        MUST(domain <= IO_NO_DOMAIN && work < IO_WORKS, "a process of domain %lu", domain);
}

/* ---- command lines, and the configuration file ---- */

/* What is printed to standard error meanwhile. */
static size_t said(void (*run)(char **words, int n), char **words, int n, char *to, size_t room)
{
    static int memory = -1, error = -1;
    if (memory < 0) {
        memory = memfd_create("said", MFD_CLOEXEC);
        error = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
    }
    MUST(memory >= 0 && ftruncate(memory, 0) == 0 && lseek(memory, 0, SEEK_SET) == 0, "memfd");
    dup2(memory, STDERR_FILENO);
    run(words, n);
    dup2(error, STDERR_FILENO);
    ssize_t length = pread(memory, to, room - 1, 0);
    to[length < 0 ? 0 : length] = '\0';
    return strlen(to);
}

static struct {
    const struct command *command;
    bool parsed;
    int status;
} last;

static void parse(char **words, int n)
{
    const struct command *c = &xenmeter, *below;
    while (n > 1 && (below = command_find(c, words[1]))) {
        c = below;
        n--;
        words++;
    }
    last.command = c;
    last.status = EXIT_ERROR;
    last.parsed = false;
    if (!c->run)
        return;
    struct options *o = options_parse(c, n, words, &last.status);
    last.parsed = o != NULL;
    options_free(o);
}

/* Words, which lines divide: parsed as a command's, which is not run. */
static void read_words(struct text t)
{
    static char copy[TEXT_MOST + 16], message[16384];
    char *words[WORDS_MOST + 1] = {"xenmeter"}, *rest = copy;
    int n = 1;
    snprintf(copy, sizeof copy, "%.*s", (int)t.n, t.at);
    for (char *word; n < WORDS_MOST && (word = strsep(&rest, "\n"));)
        words[n++] = word;
    size_t length = said(parse, words, n, message, sizeof message);
    if (last.command->run && !last.parsed && last.status != EXIT_DONE)
        MUST(length > 0 && strncmp(message, "xenmeter: ", 10) == 0, "refused, and said \"%s\"", message);
    for (size_t i = 0; i < length; i++)
        MUST((uint8_t)message[i] >= ' ' || message[i] == '\n', "a byte 0x%02x in \"%s\"",
             (unsigned)message[i], message);
}

static void read_config(struct text t)
{
    static char message[16384];
    char *words[] = {"xenmeter", "report", NULL};
    FILE *f = fopen(FOLDER "/xenmeter/config", "we");
    MUST(f && fwrite(t.at, 1, t.n, f) == t.n && fclose(f) == 0, "no configuration file");
    size_t length = said(parse, words, 2, message, sizeof message);
    MUST(unlink(FOLDER "/xenmeter/config") == 0, "the configuration file has gone");
    if (!last.parsed)
        MUST(length > 0 && (strstr(message, FOLDER "/xenmeter/config:") || strstr(message, "--no-config")),
             "refused, and said \"%s\"", message);
}

/* ---- the target ---- */

static void (*const readers[])(struct text t) = {
    read_scenario,     read_counters,     read_names,         read_xl,          read_events,
    read_condition,    read_reserve_list, read_limit_list,    read_policy_file, read_guard_file,
    read_saved_report, read_dom0_trace,   read_process_names, read_words,       read_config,
    read_facts,        read_rates,        read_tags,          read_closed,
};

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* NOLINTNEXTLINE(readability-non-const-parameter): as libFuzzer declares it */
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
    MUST(nothing >= 0 && dup2(nothing, STDIN_FILENO) >= 0 && dup2(nothing, STDOUT_FILENO) >= 0,
         "no /dev/null");
    mkdir(FOLDER, 0700);
    mkdir(FOLDER "/xenmeter", 0700);
    MUST(setenv("XDG_CONFIG_HOME", FOLDER, 1) == 0, "no environment");
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static char copy[TEXT_MOST + 1];
    if (n < 1 || n > TEXT_MOST)
        return 0;
    memcpy(copy, data + 1, n - 1);
    copy[n - 1] = '\0';
    readers[data[0] % (sizeof readers / sizeof *readers)]((struct text){copy, n - 1});
    return 0;
}
