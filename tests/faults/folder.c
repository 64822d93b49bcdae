#include "tests/faults/folder.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

static struct folder *looked_at; /* nftw hands no context on */
static size_t root_bytes;
static bool failed;

static uint64_t digest_of(const char *path)
{
    static char bytes[1 << 16];
    XXH3_state_t *state = XXH3_createState();
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = -1;
    XXH3_64bits_reset(state);
    while (fd >= 0 && (n = read(fd, bytes, sizeof bytes)) > 0)
        XXH3_64bits_update(state, bytes, (size_t)n);
    failed |= n < 0;
    if (fd >= 0)
        close(fd);
    uint64_t digest = XXH3_64bits_digest(state);
    XXH3_freeState(state);
    return digest;
}

static int add(const char *path, const struct stat *st, int type, struct FTW *at)
{
    struct folder *f = looked_at;
    (void)st;
    (void)at;
    if (type != FTW_F)
        return 0;
    failed |= f->n == FOLDER_FILES;
    if (failed)
        return 1;
    snprintf(f->files[f->n].path, sizeof f->files[0].path, "%s", path + root_bytes + 1);
    f->files[f->n++].digest = digest_of(path);
    return 0;
}

bool folder_look(struct folder *f, const char *path)
{
    f->n = 0;
    looked_at = f;
    root_bytes = strlen(path);
    failed = false;
    bool fine = nftw(path, add, 8, FTW_PHYS) == 0 && !failed;
    looked_at = NULL;
    return fine;
}

static bool ends_with(const char *path, const char *end)
{
    size_t n = strlen(path), m = strlen(end);
    return n >= m && strcmp(path + n - m, end) == 0;
}

void folder_forget_temporaries(struct folder *f)
{
    size_t kept = 0;
    for (size_t i = 0; i < f->n; i++)
        if (!strstr(f->files[i].path, ".xenmeter-") && !ends_with(f->files[i].path, ".partial") &&
            !ends_with(f->files[i].path, ".new"))
            f->files[kept++] = f->files[i];
    f->n = kept;
}

static int drop(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st;
    return at->level == 0 ? 0 : type == FTW_DP ? rmdir(path) : unlink(path);
}

static bool copy(const char *from, const char *to)
{
    char bytes[1 << 16];
    size_t n;
    FILE *in = fopen(from, "rbe"), *out = fopen(to, "wbe");
    while (in && out && (n = fread(bytes, 1, sizeof bytes, in)) > 0)
        fwrite(bytes, 1, n, out);
    bool fine = in && out && !ferror(in);
    if (in)
        fclose(in);
    return out && fclose(out) == 0 && fine;
}

bool folder_reset(const char *path, const char *from)
{
    struct folder files;
    mkdir(path, 0777);
    if (nftw(path, drop, 8, FTW_PHYS | FTW_DEPTH) != 0)
        return false;
    if (!from)
        return true;
    bool fine = folder_look(&files, from);
    for (size_t i = 0; fine && i < files.n; i++) {
        char source[512], target[512];
        snprintf(source, sizeof source, "%s/%s", from, files.files[i].path);
        snprintf(target, sizeof target, "%s/%s", path, files.files[i].path);
        for (char *at = target + strlen(path) + 1; (at = strchr(at, '/')); *at++ = '/') {
            *at = '\0';
            mkdir(target, 0777);
        }
        fine = copy(source, target);
    }
    return fine;
}

static bool has(const struct folder *f, const char *path, const uint64_t *digest)
{
    for (size_t i = 0; i < f->n; i++)
        if (strcmp(f->files[i].path, path) == 0)
            return !digest || f->files[i].digest == *digest;
    return false;
}

const char *folder_differs(const struct folder *now, const struct folder *a, const struct folder *b)
{
    for (size_t i = 0; i < now->n; i++)
        if (!has(a, now->files[i].path, &now->files[i].digest) &&
            !has(b, now->files[i].path, &now->files[i].digest))
            return now->files[i].path;
    for (size_t i = 0; i < a->n; i++)
        if (has(b, a->files[i].path, NULL) && !has(now, a->files[i].path, NULL))
            return a->files[i].path;
    return NULL;
}
