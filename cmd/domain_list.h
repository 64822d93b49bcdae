/* What --domains and --pcpus list: ids, ranges, and names of domains with the patterns of a shell. */
#ifndef XENMETER_CMD_DOMAIN_LIST_H
#define XENMETER_CMD_DOMAIN_LIST_H

#include "trace_run.h"

/*
 * Adds the domains whose names --domains lists, once names are known (NULL: none are). 0, or -1 with `err` filled: one of
 * the names is nobody's.
 */
int domain_list_names(const struct options *o, const struct domain_names *names, struct error *err);

/* Whether any domain of --domains is in the trace; without the option: any at all. */
bool domain_list_is_there(const struct trace_run *run);

/* Reports, at the end of a pass, the ids and ranges of both options of which nothing is in the trace. */
void domain_list_say_absent(const struct trace_run *run);

#endif
