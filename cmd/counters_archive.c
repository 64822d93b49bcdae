/* Outside counters that an archive keeps, for --io-counts: those of a recorder, or of archive create --io-counts. */
#include <string.h>

#include "archive/archive.h"
#include "archive_commands.h"
#include "formats/buffer.h"

static int add_members(struct archive *a, const struct capture *p, struct buffer *text, struct error *err)
{
    for (const struct member *m = p->members; m < p->members + p->members_n; m++) {
        const uint8_t *bytes;
        if (m->kind != MEMBER_COUNTS && strcmp(m->name, IO_COUNTS_MEMBER) != 0)
            continue;
        if (archive_read(a, p, m, &bytes, err) != 0)
            return -1;
        buffer_add(text, (const char *)bytes, m->bytes);
        if (text->failed)
            return error_no_memory(err, "outside counters");
    }
    return 0;
}

/* Time stamps of several hosts, or of several boots, do not go together. */
static int add_timeline(struct archive *a, struct buffer *text, struct error *err)
{
    const struct capture *captures;
    size_t first, n;
    archive_captures(a, &captures);
    if (archive_timeline(a, NULL, 0, &first, &n, NULL, NULL, err) != 0)
        return -1;
    for (size_t i = first; i < first + n; i++)
        if (add_members(a, &captures[i], text, err) != 0)
            return -1;
    return text->n > 0 ? 0 : error_set(err, ERROR_USAGE, "is an archive that has no outside counters");
}

struct counters *counters_read_archive(const char *path, struct error *err)
{
    struct buffer text = {0};
    struct counters *c = NULL;
    struct archive *a = archive_for_reading(path, err);
    if (a && add_timeline(a, &text, err) == 0)
        c = counters_read_text(text.at, text.n, err);
    buffer_free(&text);
    archive_close(a);
    return c;
}
