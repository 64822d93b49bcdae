/* What is missing in a fleet's archives, or cannot be: before a statement is relied on. */
#ifndef XENMETER_ACCOUNT_CHECK_H
#define XENMETER_ACCOUNT_CHECK_H

#include "account/statement.h"

enum account_lack {
    ACCOUNT_NOT_RECORDED, /* a host was not recorded between two archives, or between the time asked for and its first or last one */
    ACCOUNT_SILENT, /* a host's last archive ended long before others' did */
    ACCOUNT_OPEN_LIFE, /* a VM was last seen before a time in which its host was not recorded, and not after it */
    ACCOUNT_LACKS
};

/* One thing that is missing; times are UTC. */
struct account_missing {
    enum account_lack lack;
    const char *host;
    const struct account_vm *vm; /* ACCOUNT_OPEN_LIFE; else NULL */
    int64_t from_utc_ns,
        to_utc_ns; /* ACCOUNT_SILENT: the end of the last archive of all, or of what is checked; ACCOUNT_OPEN_LIFE: of the time not recorded */
};

/*
 * Reads the archives that the options name, as account_run does; the options' findings are reported, too. A host is silent whose last
 * archive ended more than silent_ns before the last of all (or before to_utc_ns, where that is given). Times of less than a second are not
 * missing. 0; -1 with `err` filled as account_run.
 */
int account_check(const struct account_options *o, uint64_t silent_ns,
                  void (*missing)(void *context, const struct account_missing *m), struct error *err);

#endif
