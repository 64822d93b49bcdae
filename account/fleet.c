#include "account/fleet.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "account/boots.h"
#include "account/extract.h"
#include "account/index.h"
#include "formats/output.h"
#include "metrics/array.h"
#include "parser/crew.h"

#define SLOTS_EACH 4 /* archives that wait for each thread */

/* A folder whose archives are being read. */
struct archive_folder {
    char *path;
    struct index index;
    struct index_entry *entries; /* of the new one */
    uint64_t *frames_at;         /* where their frames are in the spool */
    size_t n, capacity;
    bool stale;  /* the index is not what it would be now */
    size_t left; /* archives of it that were given out and not taken */
    bool writes; /* all its archives are read, so that the index can be written */
    const struct fleet *fleet;
};

/* What comes of one archive. */
struct archive_job {
    size_t file;
    struct archive_folder *folder;
    struct index_key key;
    bool known;    /* the key is */
    bool by_index; /* it was not read itself */
    struct extract extract;
    struct host_facts *lives; /* of each capture */
    struct buffer frame;
    struct error err; /* code ERROR_NONE: it was read */
};

struct reading_fleet {
    struct fleet *fleet;
    const struct account_options *options;
    struct archive_job *jobs;
    struct archive_folder *folder; /* of the archive that was given out last */
    size_t done;
    bool whole_folders; /* only folders were given, no archives */
    struct error only;  /* why the only archive cannot be used */
};

const char *fleet_file(const struct fleet *f, const struct fleet_capture *c)
{
    return f->files.paths[c->file];
}

static void say(const struct account_options *o, enum account_finding_kind kind, const char *file,
                const char *what)
{
    if (o->finding)
        o->finding(o->context, kind, file, what);
}

/* ---- the spool ---- */

static int spool_open(struct fleet *f, struct error *err)
{
    const char *folder = getenv("TMPDIR");
    folder = folder && *folder ? folder : "/tmp";
    f->spool = TEMP_FAILURE_RETRY(open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
    return f->spool >= 0 ? 0
                         : error_set(err, ERROR_IO,
                                     "a temporary file is wanted, which cannot be made in %.200s", folder);
}

static bool spool_read(const struct fleet *f, uint64_t at, uint8_t *to, size_t n)
{
    size_t done = 0;
    while (done < n) {
        ssize_t got = TEMP_FAILURE_RETRY(pread(f->spool, to + done, n - done, (off_t)(at + done)));
        if (got <= 0)
            return false;
        done += (size_t)got;
    }
    return true;
}

static int spool_add(struct fleet *f, const struct buffer *frame, uint64_t *at, struct error *err)
{
    *at = f->spool_n;
    if (output_write_fd(f->spool, frame->at, frame->n) != 0)
        return error_set(err, ERROR_IO, "a temporary file cannot be written");
    f->spool_n += frame->n;
    return 0;
}

int fleet_text(const struct fleet *f, const struct fleet_capture *c, char **text, size_t *n,
               struct error *err)
{
    uint8_t *frame = malloc(c->frame_n + 1);
    int status = frame ? 0 : error_no_memory(err, "an extract of an archive");
    if (frame && !spool_read(f, c->frame_at, frame, c->frame_n))
        status = error_set(err, ERROR_IO, "a temporary file cannot be read");
    if (status == 0)
        status = extract_text(frame, c->frame_n, text, n, err);
    if (status == 0 && (c->rows_at > *n || c->rows_n > *n - c->rows_at)) {
        free(*text);
        status = error_set(err, ERROR_FORMAT, "damaged extract of an archive");
    }
    free(frame);
    return status;
}

/* ---- one archive, on any thread ---- */

static int read_lives(struct archive_job *j)
{
    int status = 0;
    j->lives = calloc(j->extract.n + 1, sizeof *j->lives);
    if (!j->lives)
        return error_no_memory(&j->err, "the VMs");
    for (size_t i = 0; i < j->extract.n && status == 0; i++) {
        const struct extract_capture *c = &j->extract.captures[i];
        if (c->lives_bytes)
            status = host_facts_read(&j->lives[i], j->extract.text + c->lives_at, c->lives_bytes, &j->err);
    }
    return status;
}

/* By the index, if that is right. */
static bool read_entry(struct archive_job *j)
{
    const struct index_entry *e = j->known ? index_find(&j->folder->index, &j->key) : NULL;
    if (!e || extract_read(e->frame, e->frame_bytes, &j->extract, &j->err) != 0)
        return false;
    buffer_add(&j->frame, (const char *)e->frame, e->frame_bytes);
    return !j->frame.failed && read_lives(j) == 0;
}

static void forget_read(struct archive_job *j)
{
    for (size_t i = 0; j->lives && i < j->extract.n; i++)
        host_facts_free(&j->lives[i]);
    free(j->lives);
    j->lives = NULL;
    extract_free(&j->extract);
    j->frame.n = 0;
}

static void work(void *context, size_t slot, unsigned thread)
{
    struct reading_fleet *x = context;
    struct archive_job *j = &x->jobs[slot];
    const char *path = x->fleet->files.paths[j->file];
    (void)thread;
    j->known = index_key_of(path, &j->key);
    j->by_index = read_entry(j);
    if (!j->by_index) {
        forget_read(j);
        j->err.code = ERROR_NONE;
        if (extract_make(path, x->options->given, &j->extract, &j->frame, &j->err) != 0 || read_lives(j) != 0)
            return;
    }
    j->err.code = ERROR_NONE;
    free(j->extract.text); /* the lines of rows are read again when their period comes */
    j->extract.text = NULL;
}

static void job_free(struct archive_job *j)
{
    forget_read(j);
    buffer_free(&j->frame);
    *j = (struct archive_job){.file = 0};
}

/* ---- folders ---- */

static size_t folder_length(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? (size_t)(slash - path) + (slash == path) : 0;
}

static bool is_in(const struct archive_folder *d, const char *path)
{
    size_t n = folder_length(path);
    return n ? strlen(d->path) == n && memcmp(d->path, path, n) == 0 : strcmp(d->path, ".") == 0;
}

static struct archive_folder *folder_new(const struct fleet *f, const char *path)
{
    size_t n = folder_length(path);
    struct archive_folder *d = calloc(1, sizeof *d);
    if (!d)
        return NULL;
    d->fleet = f;
    d->path = n ? strndup(path, n) : strdup(".");
    if (d->path)
        index_load(&d->index, d->path);
    if (d->path)
        return d;
    free(d);
    return NULL;
}

static bool frame_of(void *context, size_t i, uint8_t *to, size_t n)
{
    const struct archive_folder *d = context;
    return spool_read(d->fleet, d->frames_at[i], to, n);
}

/* All its archives were taken: its index is brought up to date. */
static void folder_end(struct archive_folder *d)
{
    const struct index_source source = {d, frame_of};
    d->stale |= d->n != d->index.n;
    if (d->stale && d->writes && d->n > 0)
        (void)index_write(d->path, d->entries, d->n, &source);
    index_free(&d->index);
    free(d->entries);
    free(d->frames_at);
    free(d->path);
    free(d);
}

/* Whether what was read of the archive is the same without the facts that were given. */
static bool is_lasting(const struct archive_job *j)
{
    for (size_t i = 0; i < j->extract.n; i++)
        if (j->extract.captures[i].recorded.given || !j->extract.captures[i].recorded.timed)
            return false;
    return j->known && j->err.code == ERROR_NONE;
}

static int keep_entry(const struct archive_job *j, uint64_t frame_at, struct error *err)
{
    struct archive_folder *d = j->folder;
    size_t capacity = d->capacity;
    if (!is_lasting(j))
        return 0;
    if (!array_make_room(&d->entries, &d->capacity, d->n + 1, sizeof *d->entries) ||
        !array_make_room(&d->frames_at, &capacity, d->n + 1, sizeof *d->frames_at))
        return error_no_memory(err, "the index of a folder");
    d->entries[d->n] = (struct index_entry){.key = j->key, .frame_bytes = j->frame.n};
    d->frames_at[d->n++] = frame_at;
    d->stale |= !j->by_index;
    return 0;
}

/* ---- what came of it ---- */

static int keep_capture(struct fleet *f, const struct archive_job *j, size_t i, uint64_t frame_at,
                        struct error *err)
{
    const struct extract_capture *e = &j->extract.captures[i];
    struct fleet_capture c = {.file = j->file,
                              .nth = i,
                              .recorded = e->recorded,
                              .host = texts_keep(&f->texts, e->recorded.host),
                              .frame_at = frame_at,
                              .frame_n = j->frame.n,
                              .rows_at = e->lives_at + e->lives_bytes,
                              .rows_n = e->whole_bytes};
    if (!c.host || !array_make_room(&f->captures, &f->capacity, f->n + 1, sizeof *f->captures))
        return error_no_memory(err, "the captures");
    int status = vm_lives_take(&f->texts, &j->lives[i], &c.lives, &c.lives_n, err);
    f->captures[f->n++] = c;
    return status;
}

/* Of the only archive that is the error of all. */
static void say_left_out(struct reading_fleet *x, const struct archive_job *j, enum account_finding_kind kind,
                         const char *what)
{
    const char *file = x->fleet->files.paths[j->file];
    if (x->fleet->files.n > 1)
        say(x->options, kind, file, what);
    else
        error_set(&x->only, ERROR_FORMAT, "%.120s: %s", file, what);
}

static void say_damaged(struct reading_fleet *x, const struct archive_job *j)
{
    char what[sizeof j->err.message + 40];
    if (j->err.has_offset)
        snprintf(what, sizeof what, "offset %llu: %s", (unsigned long long)j->err.offset, j->err.message);
    else
        snprintf(what, sizeof what, "%s", j->err.message);
    say_left_out(x, j, ACCOUNT_DAMAGED, what);
}

static int keep_captures(struct reading_fleet *x, const struct archive_job *j, struct error *err)
{
    uint64_t frame_at;
    int status = spool_add(x->fleet, &j->frame, &frame_at, err);
    for (size_t i = 0; i < j->extract.n && status == 0; i++) {
        if (j->extract.captures[i].recorded.timed)
            status = keep_capture(x->fleet, j, i, frame_at, err);
        else
            say_left_out(x, j, ACCOUNT_UNPLACED, "it has no times of day; --host-facts FILE gives them");
    }
    return status == 0 ? keep_entry(j, frame_at, err) : status;
}

/* Takes what came of a job. An archive of which one capture is damaged is left out. */
static int take_job(struct reading_fleet *x, struct archive_job *j, struct error *err)
{
    int status = 0;
    x->done++;
    if (x->options->progress)
        x->options->progress(x->options->context, x->done, x->fleet->files.n);
    if (j->err.code == ERROR_MEMORY) {
        *err = j->err;
        status = -1;
    } else if (j->err.code != ERROR_NONE) {
        say_damaged(x, j);
    } else {
        status = keep_captures(x, j, err);
    }
    if (--j->folder->left == 0 && j->folder != x->folder)
        folder_end(j->folder);
    job_free(j);
    return status;
}

static int take_oldest(struct reading_fleet *x, struct crew *crew, struct error *err)
{
    size_t slot = crew_take(crew);
    if (slot == CREW_NONE)
        return 0;
    int status = take_job(x, &x->jobs[slot], err);
    crew_release(crew);
    return status;
}

/* The folder of an archive that is about to be given out. NULL: no memory. */
static struct archive_folder *folder_of(struct reading_fleet *x, const char *path)
{
    struct archive_folder *last = x->folder;
    if (last && is_in(last, path))
        return last;
    x->folder = folder_new(x->fleet, path);
    if (x->folder)
        x->folder->writes = x->whole_folders;
    if (last && last->left == 0)
        folder_end(last);
    return x->folder;
}

static int give_all(struct reading_fleet *x, struct crew *crew, size_t slots, struct error *err)
{
    const size_t files = x->fleet->files.n;
    int status = 0;
    for (size_t i = 0; i < files && status == 0; i++) {
        if (i >= slots)
            status = take_oldest(x, crew, err);
        struct archive_folder *folder = status == 0 ? folder_of(x, x->fleet->files.paths[i]) : NULL;
        if (!folder)
            return status == 0 ? error_no_memory(err, "reading archives") : status;
        size_t slot = crew_room(crew);
        x->jobs[slot] = (struct archive_job){.file = i, .folder = folder};
        folder->left++;
        crew_give(crew);
    }
    while (status == 0 && x->done < files)
        status = take_oldest(x, crew, err);
    return status;
}

static int read_all(struct reading_fleet *x, struct error *err)
{
    const struct crew_jobs jobs = {.name = "archive", .context = x, .work = work};
    const unsigned threads = x->options->jobs ? x->options->jobs : 1;
    const size_t slots = (size_t)threads * SLOTS_EACH;
    x->jobs = calloc(slots, sizeof *x->jobs);
    struct crew *crew = x->jobs ? crew_new(&jobs, threads, slots) : NULL;
    int status = crew ? give_all(x, crew, slots, err) : error_no_memory(err, "reading archives");
    crew_free(crew);
    for (size_t i = 0; x->jobs && i < slots; i++) {
        struct archive_folder *d = x->jobs[i].folder;
        if (d && --d->left == 0 && d != x->folder) {
            d->writes = false; /* the work failed */
            folder_end(d);
        }
        job_free(&x->jobs[i]);
    }
    if (x->folder) {
        x->folder->writes &= status == 0;
        folder_end(x->folder);
    }
    free(x->jobs);
    return status;
}

/* ---- all of it ---- */

int fleet_read(struct fleet *f, const struct account_options *o, struct error *err)
{
    struct reading_fleet x = {.fleet = f, .options = o, .whole_folders = true};
    struct stat st;
    f->spool = -1;
    for (size_t i = 0; i < o->paths_n; i++) {
        if (files_add(&f->files, o->paths[i], err) != 0)
            return -1;
        x.whole_folders &= stat(o->paths[i], &st) == 0 && S_ISDIR(st.st_mode);
    }
    files_sort(&f->files);
    if (spool_open(f, err) != 0 || read_all(&x, err) != 0)
        return -1;
    if (f->n == 0 && x.only.code != ERROR_NONE) {
        *err = x.only;
        return -1;
    }
    if (f->n == 0)
        return error_set(err, ERROR_FORMAT, "none of these archives can be used");
    return boots_resolve(f, o, err);
}

void fleet_free(struct fleet *f)
{
    for (size_t i = 0; i < f->n; i++)
        free(f->captures[i].lives);
    free(f->captures);
    texts_free(&f->texts);
    files_free(&f->files);
    if (f->spool >= 0)
        close(f->spool);
    *f = (struct fleet){.spool = -1};
}
