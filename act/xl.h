/*
 * The parameters of Xen's schedulers, as xl reads and sets them: caps of Credit and Credit2, periods and budgets of RTDS.
 * Pure: it makes words of commands and reads what they print.
 *
 * Sources: xl(1), sched-credit, sched-credit2, sched-rtds; tools/xl/xl_sched.c. `xl sched-rtds` without -v prints the
 * scheduler's defaults, not the domain's parameters: it is asked with -v all.
 */
#ifndef XENMETER_ACT_XL_H
#define XENMETER_ACT_XL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "act/host_guests.h"
#include "parser/error.h"

enum xl_scheduler { XL_CREDIT, XL_CREDIT2, XL_RTDS };

/* "credit" "credit2" "rtds", by enum xl_scheduler; ended by NULL. */
extern const char *const xl_scheduler_names[];

/* The command of xl: "sched-credit2". */
const char *xl_command(enum xl_scheduler s);

/* The words after it that list all domains, ended by NULL. */
const char *const *xl_list_words(enum xl_scheduler s);

/*
 * Reads what that list prints: n bytes, any. A cap is the value "-c 30"; what RTDS has is "-p 10000 -b 4000 -e 1", or the same
 * after "-v N" for each vCPU where they differ. -1 with `err` filled, and no guests: it is no such list, another scheduler
 * is in charge, numbers are out of range, a domain is in it twice, no memory.
 */
int xl_read_list(enum xl_scheduler s, const char *text, size_t n, struct host_guests *guests,
                 struct error *err);

/*
 * The value that allows a guest `ppm` millionths of a pCPU: a cap in whole per cent, never 0, which is none; or the budget of
 * each of its vCPUs, without extra time. `vcpus` and `period_us` may be 0: not known, 1 and 10 ms are taken.
 */
void xl_value(enum xl_scheduler s, uint64_t ppm, uint32_t vcpus, uint32_t period_us,
              char value[ACT_VALUE_BYTES]);

/* Whether the text can be a value: words of xl's options and numbers alone. */
bool xl_is_value(const char *text);

#endif
