/* xenmeter serve: metrics of a live trace over HTTP. */
#include "serve.h"

#include <string.h>

#include "formats/metric_book.h"

#define INTERVAL_NS 5000000000u

#define OWN_FIELD(MEMBER) .offset = offsetof(struct serve_options, MEMBER)

static int set_max_age(struct options *o, const struct option_spec *s, const char *text, struct error *err)
{
    uint64_t *max_age_ns = &((struct serve_options *)o)->max_age_ns;
    if (parse_duration(s->name, text, strlen(text), max_age_ns, err) != 0)
        return -1;
    return *max_age_ns ? 0 : error_set(err, ERROR_USAGE, "--%s %.40s: wants more than that", s->name, text);
}

static int set_most(struct options *o, const struct option_spec *s, const char *text, struct error *err)
{
    return set_small(&((struct serve_options *)o)->most, METRIC_SUBJECTS_MAX, s, text, err);
}

static int set_purpose(struct options *o, const struct option_spec *s, const char *text, struct error *err)
{
    bool cpu = strcmp(text, "cpu") == 0;
    if (!cpu && strcmp(text, "charges") != 0)
        return error_set(err, ERROR_USAGE, "--%s %.40s: cpu or charges", s->name, text);
    ((struct serve_options *)o)->cpu_only = cpu;
    return 0;
}

static int check(struct options *o, struct error *err)
{
    struct serve_options *own = (struct serve_options *)o;
    struct charge_options ignored;
    if (o->inputs_n > 1)
        return error_set(err, ERROR_USAGE, "one FILE at a time: '%s' and '%s' were given", o->inputs[0],
                         o->inputs[1]);
    if (o->inputs_n > 0 && (own->xentrace || own->cpu_only))
        return error_set(err, ERROR_USAGE, "%s: of the xentrace that is started without FILE",
                         own->xentrace ? "--xentrace" : "--for");
    if (o->bys & 1u << BY_DOMAIN_PCPU)
        return error_set(err, ERROR_USAGE, "--by: domain, vcpu or pcpu");
    if (o->domains && o->bys & 1u << BY_PCPU)
        return error_set(err, ERROR_USAGE, "--domains does not go with --by pcpu");
    o->live_ns = o->live_ns ? o->live_ns : INTERVAL_NS;
    own->most = own->most ? own->most : METRIC_SUBJECTS;
    o->format = "prometheus";
    if (own_loads_complete(o, err) != 0)
        return -1;
    return charge_options_of(o, NULL, &ignored, err);
}

static const struct option_spec options[] = {
    OPTIONS_HEADING("Where to serve"),
    OPTION(0, "listen", "ADDRESS:PORT", "default " SERVE_LISTEN "; port 0: any that is free", .set = set_text,
           OWN_FIELD(listen), .choices = "127.0.0.1:9797\n[::1]:9797"),
    OPTION(0, "max-age", "LEN",
           "/healthz is 503 if the last interval was complete longer ago (default: three intervals, at least "
           "30s)",
           .set = set_max_age, .choices = "30s\n1min"),
    OPTIONS_HEADING("What to serve"),
    OPTION_BYS("metrics by domain (default), vcpu, pcpu"),
    OPTION(0, "live", "LEN", "the counters move each LEN of a live trace (default 5s)", .set = set_live,
           .choices = "5s\n10s\n1s"),
    OPTION('c', "columns", "LIST", "metrics of these columns only (\"help\" lists them)", .set = set_text,
           OPTION_FIELD(columns), .choices = ":list\nall\tall that are not there yet\nhelp\tlist them",
           .offer = complete_columns),
    OPTION_DOMAINS("only these domains: 0,3-5,web*"),
    OPTION(0, "most", "N",
           "series for N domains, vCPUs, pCPUs, charges each (default 500); the rest is \"other\"",
           .set = set_most, .choices = "100\n500\n2000"),
    OPTIONS_HEADING("Where the trace comes from"),
    OPTION(0, "xentrace", "PROGRAM", "what is started without FILE (default xentrace)", .set = set_text,
           OWN_FIELD(xentrace), .choices = ":file"),
    OPTION(0, "for", "PURPOSE",
           "what xentrace records: cpu: who ran; charges: and what driver domains did for whom (default)",
           .set = set_purpose, .choices = "cpu\ncharges"),
    OPTION_NAMES("domain names"),
    OPTION_HOST_FACTS("facts about the host: names and UUIDs of domains"),
    OPTION(0, "domain-info", "COMMAND", "who the domains are, in place of \"xl list -l\"; or a file",
           .set = set_text, OWN_FIELD(domain_info), .choices = ":file"),
    OPTIONS_HEADING("I/O and driver domains"),
    OPTIONS_CHARGE_TRACE,
    OPTIONS_HEADING("How to read it"),
    OPTION(0, "cpu-hz", "HZ", "frequency of the tsc (2.4GHz); default: measured from the trace",
           .set = set_cpu_hz),
    OPTION(0, "max-memory", "SIZE", "give up rather than use more (default 1G)", .set = set_max_memory,
           .choices = "256M\n1G"),
    OPTION('j', "jobs", "N", "work on N threads (default: one for each CPU)", .set = set_jobs),
    OPTION_QUIET,
    OPTIONS_ALL,
};

static const struct relation *const relations[] = {&relation_rows, NULL};

static const struct command command = {
    .order = 75,
    .name = "serve",
    .summary = "metrics of a live trace for Prometheus, over HTTP",
    .usage = "[OPTIONS] [FILE]",
    .text =
        "Answers GET /metrics, /healthz and / with what a live trace has shown until now. FILE is a FIFO, "
        "\"-\" (standard input), or a capture or archive, which is read and then served; without it xentrace "
        "is started.",
    .examples = "xenmeter serve\n"
                "xentrace -D -e 0x32f000 /dev/stdout | xenmeter serve --listen 10.0.0.5:9797 -\n"
                "xenmeter serve --by domain,pcpu -c running_ns,runnable_ns,wait_p99_ns capture.xt.zst",
    .options = options,
    .options_size = sizeof(struct serve_options),
    .operands = OPERANDS_FILE,
    .relations = relations,
    .check = check,
    .run = serve_run,
};
COMMAND(command);
