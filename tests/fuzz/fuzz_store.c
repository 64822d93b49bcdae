#include "tests/fuzz/fuzz_store.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "parser/source/codec.h"
#include "tests/fuzz/must.h"

#define PIPE_BYTES 65536

int store_capture(const uint8_t *data, size_t n, bool through_pipe, char path[STORE_PATH])
{
    int ends[2] = {-1, -1};
    bool pipe = through_pipe && n < PIPE_BYTES;
    if (pipe)
        MUST(pipe2(ends, O_CLOEXEC) == 0, "pipe");
    int fd = pipe ? ends[1] : memfd_create("capture", MFD_CLOEXEC);
    MUST(fd >= 0 && write(fd, data, n) == (ssize_t)n, "storing %zu bytes", n);
    if (pipe)
        close(ends[1]);
    fd = pipe ? ends[0] : fd;
    snprintf(path, STORE_PATH, "/proc/self/fd/%d", fd);
    return fd;
}

void store_begin(struct store *s, const uint8_t *data, size_t n, size_t piece, bool filed)
{
    *s = (struct store){.bytes = {data, n, piece, 0}, .fd = -1, .path = "memory"};
    if (filed || codec_of(data, n))
        s->fd = store_capture(data, n, piece > 0, s->path);
}

void store_end(struct store *s)
{
    if (s->fd >= 0)
        close(s->fd);
}

struct trace *store_read(struct store *s, struct trace_options *options, struct error *err)
{
    struct feed feed = bytes_feed_of(&s->bytes);
    options->feed = s->fd < 0 ? &feed : NULL;
    struct trace *trace = trace_open(s->path, options, err);
    options->feed = NULL; /* it is copied */
    return trace;
}
