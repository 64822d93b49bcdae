#include "cli.h"
#include "parser/decode/own_events.h"
#include "small_file.h"

static const struct small_file events_file = {.cannot = "cannot open",
                                              .too_large = "is no table of events: it is larger than 1 MiB",
                                              .most = (size_t)1 << 20}; /* a table of events is some kB */

int events_file_read(const struct options *o, struct own_events **own)
{
    struct error err = {0};
    struct buffer text = {0};
    *own = NULL;
    if (!o->events_file)
        return EXIT_DONE;
    if (small_file_read(o->events_file, &events_file, &text, &err) == 0)
        *own = own_events_read(text.at, text.n, &err);
    buffer_free(&text);
    return *own ? EXIT_DONE : fail(o->events_file, &err);
}
