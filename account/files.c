#include "account/files.h"

#include <errno.h>
#include <fts.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "metrics/array.h"

static bool ends_with(const char *name, const char *ending)
{
    size_t n = strlen(name), m = strlen(ending);
    return n > m && strcmp(name + n - m, ending) == 0;
}

static int keep(struct files *f, const char *path, struct error *err)
{
    char *copy = strdup(path);
    if (!copy || !array_make_room(&f->paths, &f->capacity, f->n + 1, sizeof *f->paths)) {
        free(copy);
        return error_no_memory(err, "the list of archives");
    }
    f->paths[f->n++] = copy;
    return 0;
}

static bool is_file(const FTSENT *e)
{
    struct stat st;
    return e->fts_info == FTS_F ||
           (e->fts_info == FTS_SL && stat(e->fts_accpath, &st) == 0 && S_ISREG(st.st_mode));
}

static int take_entry(struct files *f, FTS *tree, FTSENT *e, struct error *err)
{
    if (e->fts_info == FTS_DNR || e->fts_info == FTS_ERR || e->fts_info == FTS_NS)
        return error_set(err, ERROR_IO, "%.200s: cannot be read: %s", e->fts_path, strerror(e->fts_errno));
    if (e->fts_info == FTS_D && e->fts_level > 0 && *e->fts_name == '.')
        (void)fts_set(tree, e, FTS_SKIP);
    if (!is_file(e) || *e->fts_name == '.')
        return 0;
    f->open += ends_with(e->fts_name, ".xma.partial");
    f->damaged += ends_with(e->fts_name, ".xma.damaged");
    return ends_with(e->fts_name, ".xma") ? keep(f, e->fts_path, err) : 0;
}

static int add_folder(struct files *f, const char *path, struct error *err)
{
    char *const roots[] = {(char *)(uintptr_t)path, NULL};
    size_t before = f->n;
    int status = 0;
    FTSENT *e;
    FTS *tree = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    if (!tree)
        return error_set(err, ERROR_IO, "%.200s: cannot be read: %s", path, strerror(errno));
    while (status == 0 && (errno = 0, e = fts_read(tree)))
        status = take_entry(f, tree, e, err);
    if (status == 0 && errno != 0)
        status = error_set(err, ERROR_IO, "%.200s: cannot be read: %s", path, strerror(errno));
    fts_close(tree);
    return status == 0 && f->n == before
               ? error_set(err, ERROR_USAGE, "%.200s: there is no archive (NAME.xma) in this folder", path)
               : status;
}

int files_add(struct files *f, const char *path, struct error *err)
{
    struct stat st;
    if (stat(path, &st) != 0)
        return error_set(err, ERROR_IO, "%.200s: cannot open: %s", path, strerror(errno));
    if (S_ISDIR(st.st_mode))
        return add_folder(f, path, err);
    return S_ISREG(st.st_mode)
               ? keep(f, path, err)
               : error_set(err, ERROR_USAGE, "%.200s: neither a file nor a folder: a pipe cannot be read",
                           path);
}

/* Where the name begins in a path. */
static size_t name_at(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? (size_t)(slash - path) + 1 : 0;
}

/* By folder, then by name: those of one folder follow each other. */
static int compare_paths(const void *a, const void *b)
{
    const char *x = *(char *const *)a, *y = *(char *const *)b;
    size_t n = name_at(x), m = name_at(y);
    int order = strncmp(x, y, n < m ? n : m);
    if (order == 0)
        order = (n > m) - (n < m);
    return order ? order : strcmp(x + n, y + m);
}

void files_sort(struct files *f)
{
    size_t left = 0;
    if (f->n > 1)
        qsort(f->paths, f->n, sizeof *f->paths, compare_paths);
    for (size_t i = 0; i < f->n; i++) {
        if (left > 0 && strcmp(f->paths[left - 1], f->paths[i]) == 0)
            free(f->paths[i]);
        else
            f->paths[left++] = f->paths[i];
    }
    f->n = left;
}

void files_free(struct files *f)
{
    for (size_t i = 0; i < f->n; i++)
        free(f->paths[i]);
    free(f->paths);
    *f = (struct files){0};
}
