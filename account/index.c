#include "account/index.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive/document.h"
#include "formats/output.h"
#include "metrics/array.h"

#define MAGIC      "xenmeter.index/1\n"
#define INDEX_MOST ((off_t)1 << 32) /* bytes of an index that is read */
#define FRAME_MOST (256u << 20)
#define END_BYTES  8192 /* of an archive that are hashed */
#define LINE_MOST  4096

#define BYTES(KEY, MEMBER, TYPE) FIELD(struct index_entry, KEY, MEMBER, TYPE, true, 0, UINT64_MAX, NULL)
static const struct stored_field fields[] = {
    FIELD_OF(WORD, struct index_entry, "name", key.name, sizeof((struct index_key *)0)->name),
    BYTES("bytes", key.bytes, U64),
    BYTES("mtime_ns", key.mtime_ns, U64),
    FIELD_OF(BYTES, struct index_entry, "end_xxh3_128", key.end, DIGEST_BYTES),
    FIELD(struct index_entry, "frame_bytes", frame_bytes, U64, true, 0, FRAME_MOST, NULL),
    FIELD_OF(BYTES, struct index_entry, "frame_xxh3_128", frame_digest, DIGEST_BYTES),
    FIELDS_END,
};

static void members(struct members *m, void *what)
{
    members_fields(m, fields, what);
}

static const struct document document = {"index", "xenmeter.entry/1", LINE_MOST, members};

/* ---- keys ---- */

static bool read_at(int fd, uint8_t *to, size_t n, off_t at)
{
    size_t done = 0;
    while (done < n) {
        ssize_t got = TEMP_FAILURE_RETRY(pread(fd, to + done, n - done, at + (off_t)done));
        if (got <= 0)
            return false;
        done += (size_t)got;
    }
    return true;
}

bool index_key_of(const char *path, struct index_key *key)
{
    uint8_t end[END_BYTES];
    struct stat st;
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    *key = (struct index_key){.bytes = 0};
    if (strlen(name) >= sizeof key->name)
        return false;
    snprintf(key->name, sizeof key->name, "%s", name);
    int fd = TEMP_FAILURE_RETRY(open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
    if (fd < 0)
        return false;
    bool fine = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0 && st.st_mtim.tv_sec >= 0;
    size_t n = fine && st.st_size < END_BYTES ? (size_t)st.st_size : END_BYTES;
    fine = fine && read_at(fd, end, n, st.st_size - (off_t)n);
    close(fd);
    if (!fine)
        return false;
    key->bytes = (uint64_t)st.st_size;
    key->mtime_ns = (uint64_t)st.st_mtim.tv_sec * 1000000000u + (uint64_t)st.st_mtim.tv_nsec;
    digest_of(end, n, key->end);
    return true;
}

static bool same_keys(const struct index_key *a, const struct index_key *b)
{
    return strcmp(a->name, b->name) == 0 && a->bytes == b->bytes && a->mtime_ns == b->mtime_ns &&
           memcmp(a->end, b->end, DIGEST_BYTES) == 0;
}

static int compare_entries(const void *a, const void *b)
{
    return strcmp(((const struct index_entry *)a)->key.name, ((const struct index_entry *)b)->key.name);
}

/* ---- reading ---- */

static bool path_of(char path[PATH_MAX], const char *folder)
{
    int n = snprintf(path, PATH_MAX, "%s/" INDEX_NAME, folder);
    return n > 0 && n < PATH_MAX;
}

static uint8_t *load_bytes(const char *folder, size_t *n)
{
    char path[PATH_MAX];
    struct stat st;
    uint8_t *bytes = NULL;
    int fd = path_of(path, folder)
                 ? TEMP_FAILURE_RETRY(open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW))
                 : -1;
    if (fd < 0)
        return NULL;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0 && st.st_size <= INDEX_MOST)
        bytes = malloc((size_t)st.st_size);
    if (bytes && !read_at(fd, bytes, (size_t)st.st_size, 0)) {
        free(bytes);
        bytes = NULL;
    }
    close(fd);
    *n = bytes ? (size_t)st.st_size : 0;
    return bytes;
}

void index_load(struct index *x, const char *folder)
{
    size_t n, at = sizeof MAGIC - 1, capacity = 0;
    *x = (struct index){.bytes = load_bytes(folder, &n)};
    if (!x->bytes || n < at || memcmp(x->bytes, MAGIC, at) != 0)
        return;
    while (at < n) {
        struct index_entry e = {.frame = NULL};
        struct error ignored;
        const uint8_t *end = memchr(x->bytes + at, '\n', n - at);
        if (!end || document_read(&document, (const char *)x->bytes + at, (size_t)(end - x->bytes) + 1 - at,
                                  &e, NULL, &ignored) != 0)
            break;
        at = (size_t)(end + 1 - x->bytes);
        if (e.frame_bytes > n - at || !array_make_room(&x->entries, &capacity, x->n + 1, sizeof *x->entries))
            break;
        e.frame = x->bytes + at;
        at += e.frame_bytes;
        x->entries[x->n++] = e;
    }
    if (x->n > 1)
        qsort(x->entries, x->n, sizeof *x->entries, compare_entries);
}

void index_free(struct index *x)
{
    free(x->bytes);
    free(x->entries);
    *x = (struct index){.n = 0};
}

const struct index_entry *index_find(const struct index *x, const struct index_key *key)
{
    const struct index_entry like = {.key = *key};
    const struct index_entry *e =
        x->n ? bsearch(&like, x->entries, x->n, sizeof like, compare_entries) : NULL;
    uint8_t digest[DIGEST_BYTES];
    if (!e || !same_keys(&e->key, key))
        return NULL;
    digest_of(e->frame, e->frame_bytes, digest);
    return memcmp(digest, e->frame_digest, DIGEST_BYTES) == 0 ? e : NULL;
}

/* ---- writing ---- */

static bool put_entry(struct output *out, struct index_entry *e, size_t i, const struct index_source *source)
{
    struct buffer line = {0};
    uint8_t *frame = malloc(e->frame_bytes + 1);
    bool put = frame && source->frame(source->context, i, frame, e->frame_bytes);
    if (put)
        digest_of(frame, e->frame_bytes, e->frame_digest);
    if (put)
        document_put(&line, &document, e);
    put = put && !line.failed && output_write(out, line.at, line.n) == 0 &&
          output_write(out, frame, e->frame_bytes) == 0;
    buffer_free(&line);
    free(frame);
    return put;
}

/* Whoever may write to the folder chose what is there: a link or a pipe must not lead the index elsewhere, or wait. */
static bool is_free_or_file(const char *path)
{
    struct stat st;
    return lstat(path, &st) == 0 ? S_ISREG(st.st_mode) : errno == ENOENT;
}

bool index_write(const char *folder, struct index_entry *entries, size_t n, const struct index_source *source)
{
    char path[PATH_MAX];
    struct error ignored;
    struct output *out = path_of(path, folder) && is_free_or_file(path) && access(folder, W_OK) == 0
                             ? output_open(path, &ignored)
                             : NULL;
    if (!out)
        return false;
    bool written = output_write(out, MAGIC, sizeof MAGIC - 1) == 0;
    for (size_t i = 0; i < n && written; i++)
        written = put_entry(out, &entries[i], i, source);
    if (written)
        return output_commit(out, &ignored) == 0;
    output_abort(out);
    return false;
}
