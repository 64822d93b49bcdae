/*
 * Looks at the host's domains (host/domain_info.h) again and again, on a thread of its own: a toolstack that hangs delays what is
 * known of domains, and nothing else.
 *
 *     domain_watch_new -> (domain_watch_take)* -> domain_watch_free
 *
 * A look runs "xl list -l" and "xl vcpu-list", and "xl list -v" where one of them fails. Where that fails, too, all stays known that
 * was known before.
 */
#ifndef XENMETER_RECORD_DOMAIN_WATCH_H
#define XENMETER_RECORD_DOMAIN_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "formats/buffer.h"
#include "parser/error.h"

struct domain_watch;

struct domain_watch_options {
    /*
     * NULL: xl. Else the path of a file, which is read at each look, if it is a regular one and not executable; or a command for
     * sh -c, which prints what xl would. Outlives the watch.
     */
    const char *source;
    uint64_t
        interval_ns; /* from one look to the next; longer where looks would take more than a tenth of a CPU */
    uint64_t limit_ns; /* how long a command may take; it is killed then */
};
#define DOMAIN_WATCH_INTERVAL_NS 10000000000u
#define DOMAIN_WATCH_LIMIT_NS    20000000000u

/* Begins to look, at once. Options are copied. NULL with `err` filled: no memory, no thread. */
struct domain_watch *domain_watch_new(const struct domain_watch_options *o, struct error *err);

/* Ends the watch, and a command that runs. NULL is fine. */
void domain_watch_free(struct domain_watch *w);

/*
 * Adds facts about what has changed since the last call, as of `tsc`, to `lines`; `all`: about everything that is known. May be
 * called at any time, by one thread; does not wait.
 */
void domain_watch_take(struct domain_watch *w, uint64_t tsc, bool all, struct buffer *lines);

/* The domain's name, as of the last domain_watch_take, by its thread; valid until the next. NULL: not known. */
const char *domain_watch_name(const struct domain_watch *w, uint32_t domain);

/* Whether `is` is true of any domain (name: NULL: not known), as of the last domain_watch_take, by its thread. */
bool domain_watch_any(const struct domain_watch *w,
                      bool (*is)(const void *context, uint32_t domain, const char *name),
                      const void *context);

struct domain_watch_state {
    uint64_t looks, failures; /* ended, and those that failed */
    uint64_t last_ns;         /* when the last one ended that did not fail (io_clock_ns); 0: none did */
    struct error error; /* what failed in the last look, if only one command of it; ERROR_NONE: nothing */
    size_t domains;     /* that are known */
};
struct domain_watch_state domain_watch_state(struct domain_watch *w);

#endif
