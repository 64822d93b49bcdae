/*
 * An archive damaged in every way there is, one at a time, in one process: `archive verify` has to find each, and whoever
 * reads it may get an error, but no wrong byte.
 *
 *     rot flip|turn|cut|add ARCHIVE [STEP]
 *
 * flip   one bit of every byte
 * turn   every byte turned over
 * cut    the first 0, 1, 2, ... bytes of it
 * add    further bytes behind it: zeros, what it ends with, another one of it
 *
 * STEP: only every STEP-th of the runs. Prints "N runs, M failed" and what failed; exits with 1 if anything did.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "archive/archive.h"
#include "archive/tar.h"
#include "archive/verify.h"
#include "formats/buffer.h"

#define ADDITIONS 64

/* What the archive is when it is whole. */
static struct buffer whole;
static struct archive *original;

/* ---- what is done to it ---- */

static size_t flip(struct buffer *b, size_t run)
{
    b->at[run] ^= (char)(1u << run * 5 % 8);
    return run;
}

static size_t turn(struct buffer *b, size_t run)
{
    b->at[run] = (char)~b->at[run];
    return run;
}

static size_t cut(struct buffer *b, size_t run)
{
    b->n = run;
    return run;
}

/* 1 to 62 of its last bytes, a zero, all of it. */
static size_t add(struct buffer *b, size_t run)
{
    size_t at = b->n;
    if (run == 0)
        buffer_fill(b, '\0', 1);
    else if (run == ADDITIONS - 1)
        buffer_add(b, whole.at, whole.n);
    else
        buffer_add(b, whole.at + whole.n - run, run);
    return at;
}

static const struct mode {
    const char *name;
    size_t (*damage)(struct buffer *b,
                     size_t run); /* returns the first byte that is another one, or missing */
    size_t runs;                  /* 0: as many as the archive has bytes */
} modes[] = {{"flip", flip, 0}, {"turn", turn, 0}, {"cut", cut, 0}, {"add", add, ADDITIONS}};

/* ---- one run ---- */

struct found {
    size_t at; /* of the damage */
    long told;
    bool later;                   /* something was told to be damaged that lies behind it */
    char names[32][TAR_NAME_MAX]; /* of members told */
    size_t names_n;
};

static void note(void *context, uint64_t offset, const char *member, const char *what)
{
    struct found *f = context;
    f->told++;
    f->later = f->later || offset > f->at || !*what;
    if (f->names_n < 32)
        snprintf(f->names[f->names_n++], TAR_NAME_MAX, "%s", member);
}

static bool was_told(const struct found *f, const char *path)
{
    for (size_t i = 0; i < f->names_n; i++)
        if (strcmp(f->names[i], path) == 0)
            return true;
    return false;
}

/* The members of the data frame that is damaged are told by name; those of the last one, the contents, have none. */
static const char *names_wrong(const struct found *f)
{
    const struct frames *frames = archive_frames(original);
    const struct capture *captures;
    size_t frame = 1, n = archive_captures(original, &captures);
    while (frame < frames->n && frames->list[frame].offset + frames->list[frame].bytes <= f->at)
        frame++;
    if (f->at < ARCHIVE_MAGIC_BYTES || frame >= frames->n - 1)
        return NULL;
    for (size_t i = 0; i < n; i++) {
        char path[TAR_NAME_MAX];
        if (frame < captures[i].first_frame || frame >= captures[i].first_frame + captures[i].frames - 1)
            continue;
        for (size_t m = 0; m < captures[i].members_n; m++) {
            bool here = captures[i].first_frame + captures[i].members[m].frame == frame;
            capture_member_path(&captures[i], captures[i].members[m].name, path);
            if (was_told(f, path) != here)
                return here ? "the damaged member is not told" : "a whole member is told to be damaged";
        }
    }
    return NULL;
}

/* What can be read is what was written. */
static const char *read_wrong(const char *path)
{
    struct error err = {0};
    struct archive *a = archive_open(path, &err);
    const struct capture *captures;
    const char *wrong = NULL;
    if (!a)
        return err.code ? NULL : "failed without an error";
    size_t n = archive_captures(a, &captures);
    for (size_t i = 0; i < n; i++)
        for (size_t m = 0; m < captures[i].members_n; m++) {
            const uint8_t *bytes, *expected;
            const struct capture *originals;
            if (archive_read(a, &captures[i], &captures[i].members[m], &bytes, &err) != 0)
                continue;
            if (i >= archive_captures(original, &originals) || m >= originals[i].members_n ||
                originals[i].members[m].bytes != captures[i].members[m].bytes ||
                archive_read(original, &originals[i], &originals[i].members[m], &expected, &err) != 0 ||
                memcmp(bytes, expected, captures[i].members[m].bytes) != 0)
                wrong = "other bytes are read than were written";
        }
    archive_close(a);
    return wrong;
}

static const char *run_once(const struct mode *mode, const char *path, int fd, size_t run)
{
    struct buffer b = {0};
    struct found found = {0};
    struct verify_totals totals;
    struct error err = {0};
    buffer_add(&b, whole.at, whole.n);
    found.at = mode->damage(&b, run);
    if (ftruncate(fd, 0) != 0 || pwrite(fd, b.at, b.n, 0) != (ssize_t)b.n)
        return "cannot write";
    buffer_free(&b);
    long told = verify_archive(path, note, &found, &totals, &err);
    if (told < 0)
        return mode->damage != cut || found.at >= ARCHIVE_MAGIC_BYTES || !err.code ? "verify fails" : NULL;
    if (told == 0)
        return "verify does not find it";
    if (told != found.told || totals.whole_up_to > found.at)
        return "verify takes a damaged byte for whole";
    bool there = mode->runs == 0 && mode->damage != cut;
    if (there && found.later)
        return "verify tells of a damage behind the one there is";
    const char *wrong = there ? names_wrong(&found) : NULL;
    return wrong ? wrong : read_wrong(path);
}

/* ---- all of them ---- */

static bool read_whole(const char *path)
{
    char bytes[1 << 16];
    size_t n;
    struct error err;
    FILE *f = fopen(path, "rb");
    while (f && (n = fread(bytes, 1, sizeof bytes, f)) > 0)
        buffer_add(&whole, bytes, n);
    if (f)
        fclose(f);
    original = archive_open(path, &err);
    return original && !whole.failed;
}

int main(int argc, char **argv)
{
    const struct mode *mode = NULL;
    for (size_t i = 0; argc >= 3 && i < sizeof modes / sizeof modes[0]; i++)
        if (strcmp(argv[1], modes[i].name) == 0)
            mode = &modes[i];
    size_t step = argc > 3 ? strtoul(argv[3], NULL, 10) : 1;
    if (!mode || step == 0 || !read_whole(argv[2])) {
        fputs("usage: rot flip|turn|cut|add ARCHIVE [STEP]\n", stderr);
        return 2;
    }
    char path[64];
    int fd = memfd_create("archive", MFD_CLOEXEC);
    size_t runs = 0, failed = 0;
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    for (size_t run = 0; run < (mode->runs ? mode->runs : whole.n); run += step, runs++) {
        const char *wrong = run_once(mode, path, fd, run);
        if (wrong && failed++ < 5)
            printf("      %s, run %zu: %s\n", mode->name, run, wrong);
    }
    printf("%zu runs, %zu failed\n", runs, failed);
    archive_close(original);
    buffer_free(&whole);
    close(fd);
    return failed != 0;
}
