#include "nothing.h"

#include <stdio.h>
#include <string.h>

#include "domain_list.h"

static uint64_t records_of(const struct quality *q, unsigned slot)
{
    uint64_t n = 0;
    for (unsigned form = 0; form < 16; form++)
        n += q->events[slot].forms[form];
    return n;
}

bool records_show_states(const struct quality *q)
{
    return records_of(q, EVENT_RUNSTATE_CHANGE) || records_of(q, EVENT_SWITCH) ||
           records_of(q, EVENT_SWITCH_INFPREV) || records_of(q, EVENT_SWITCH_INFNEXT);
}

/* The options among these that leave something out: "--domains, --time". "": none was given. */
static const char *options_given(char *to, size_t size, const struct options *o)
{
    const struct {
        bool given;
        const char *name;
    } all[] = {{o->events, "--events"}, {o->domains, "--domains"},          {o->vcpus, "--vcpus"},
               {o->pcpus, "--pcpus"},   {o->from_ns || o->to_ns, "--time"}, {o->idds, "--idd"}};
    size_t n = 0;
    *to = '\0';
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        if (all[i].given && n < size)
            n += (size_t)snprintf(to + n, size - n, "%s%s", n ? ", " : "", all[i].name);
    return to;
}

int nothing_to_report(const struct trace_run *run, const struct quality *q, struct error *err)
{
    char given[96];
    if (!records_show_states(q))
        return error_set(
            err, ERROR_USAGE,
            "nothing to report: the trace has no scheduling records; record with xentrace -e 0x2f000");
    if (run->options->domains && !domain_list_is_there(run))
        return error_set(
            err, ERROR_USAGE,
            "nothing to report: none of the domains of --domains is in this trace; \"xenmeter info\" "
            "lists those that are");
    if (*options_given(given, sizeof given, run->options))
        return error_set(err, ERROR_USAGE,
                         "nothing to report: %s leave%s no row; \"xenmeter info\" shows what is in the trace",
                         given, strchr(given, ',') ? "" : "s");
    return error_set(
        err, ERROR_USAGE,
        "nothing to report: the trace shows no domain of this kind; \"xenmeter info\" shows what is in it");
}

int nothing_to_dump(const struct options *o, struct error *err)
{
    char given[96];
    if (*options_given(given, sizeof given, o))
        return error_set(
            err, ERROR_USAGE,
            "no record is left by %s; \"xenmeter info -v\" shows which events, pCPUs and domains there are",
            given);
    return error_set(err, ERROR_FORMAT, "there is no record in the trace");
}
