/* What was read from a text is printed, read again, and must be the same. */
#ifndef XENMETER_TESTS_FUZZ_TEXT_AGAIN_H
#define XENMETER_TESTS_FUZZ_TEXT_AGAIN_H

#include "act/xl.h"
#include "cmd/condition_option.h"
#include "cmd/diff.h"
#include "host/domain_info.h"
#include "metrics/measure/counters.h"

void counters_again(const struct counters *c);
void names_again(const struct domain_names *names);
void domains_again(const struct domain_info *info);
void xl_again(enum xl_scheduler s, const struct host_guests *guests);
extern const struct condition_syntax fail_if; /* of `diff` */
void condition_again(const struct condition *c);

#endif
