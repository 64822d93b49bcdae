/* Source: Linux Documentation/filesystems/proc.rst (net/dev). */
#include "io_net_dev.h"

#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "io_file.h"

#define NET_DEV_BYTES 16384

int io_net_dev_open(const char *root)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/proc/net/dev", root);
    return io_file_open(AT_FDCWD, path);
}

/* The second number: packets received; the tenth: packets sent. */
static bool parse_packets(const char *numbers, uint64_t counts[2])
{
    return sscanf(numbers, "%*u %" SCNu64 " %*u %*u %*u %*u %*u %*u %*u %" SCNu64, &counts[1], &counts[0]) ==
           2;
}

void io_net_dev_read(int fd, const struct io_net_dev_taker *taker)
{
    char text[NET_DEV_BYTES];
    uint64_t counts[2];
    if (io_file_text(fd, text, sizeof text) != IO_READ_DONE)
        return;
    for (char *line = text, *end; (end = strchr(line, '\n')); line = end + 1) {
        *end = '\0';
        const char *name = line + strspn(line, " "), *colon = strchr(name, ':');
        if (colon && parse_packets(colon + 1, counts))
            taker->take(taker->context, name, (size_t)(colon - name), counts);
    }
}
