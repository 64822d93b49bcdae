#include "simulate_files.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The options that name them, by enum simulated_file. */
static const char *const file_options[SIMULATED_FILES] = {"output", "truth", "ledger", "decisions", "counts"};

/* ---- names ---- */

static int stat_output(const char *path, struct stat *st)
{
    return strcmp(path, "-") == 0 ? fstat(STDOUT_FILENO, st) : stat(path, st);
}

/* Whether two paths lie in one folder under one name; neither needs to exist. */
static bool same_place(const char *a, const char *b)
{
    char folder_a[PATH_MAX], folder_b[PATH_MAX];
    struct stat in_a, in_b;
    const char *name_a = strrchr(a, '/'), *name_b = strrchr(b, '/');
    if (strcmp(name_a ? name_a + 1 : a, name_b ? name_b + 1 : b) != 0)
        return false;
    snprintf(folder_a, sizeof folder_a, "%.*s", name_a ? (int)(name_a + 1 - a) : 2, name_a ? a : "./");
    snprintf(folder_b, sizeof folder_b, "%.*s", name_b ? (int)(name_b + 1 - b) : 2, name_b ? b : "./");
    return stat(folder_a, &in_a) == 0 && stat(folder_b, &in_b) == 0 && in_a.st_dev == in_b.st_dev &&
           in_a.st_ino == in_b.st_ino;
}

/* Whether two outputs would mix or one replace the other, by whatever names; devices such as /dev/null take both. */
static bool same_output(const char *a, const char *b)
{
    struct stat to_a, to_b;
    if (stat_output(a, &to_a) == 0 && stat_output(b, &to_b) == 0)
        return !S_ISCHR(to_a.st_mode) && to_a.st_dev == to_b.st_dev && to_a.st_ino == to_b.st_ino;
    return strcmp(a, b) == 0 || same_place(a, b);
}

/* The trace goes to standard output if no file is named. */
static const char *name_of(const char *const *names, enum simulated_file file)
{
    return names[file] || file != FILE_TRACE ? names[file] : "-";
}

static bool is_input(const char *name, const char *const *inputs, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (inputs[i] && same_file(inputs[i], name))
            return true;
    return false;
}

static int check_name(const char *const *names, enum simulated_file file, const char *const *inputs, size_t n,
                      struct error *err)
{
    const char *name = name_of(names, file), *option = file_options[file];
    if (is_input(name, inputs, n))
        return error_set(err, ERROR_USAGE, "--%s %s is what is to be read: it would be lost", option, name);
    if (!*name)
        return error_set(err, ERROR_USAGE, "--%s wants a file of its own", option);
    for (int k = 0; k < (int)file; k++) {
        const char *other = name_of(names, (enum simulated_file)k);
        if (other && same_output(name, other))
            return error_set(err, ERROR_USAGE, "--%s wants a file of its own, beside --%s", option,
                             file_options[k]);
    }
    return 0;
}

int simulated_files_check(const char *const names[SIMULATED_FILES], const char *const *inputs, size_t n,
                          struct error *err)
{
    for (int i = 0; i < SIMULATED_FILES; i++)
        if (name_of(names, (enum simulated_file)i) &&
            check_name(names, (enum simulated_file)i, inputs, n, err) != 0)
            return -1;
    return 0;
}

/* ---- outputs ---- */

static int open_one(struct simulated_files *files, enum simulated_file file, struct error *err)
{
    files->outputs[file] = output_open(files->names[file], err);
    return files->outputs[file] ? EXIT_DONE : fail(files->names[file], err);
}

int simulated_files_open(struct simulated_files *files, struct error *err)
{
    for (int i = FILE_TRACE + 1; i < SIMULATED_FILES; i++)
        if (files->names[i] && open_one(files, (enum simulated_file)i, err) != EXIT_DONE)
            return EXIT_ERROR;
    return open_one(files, FILE_TRACE, err);
}

enum simulated_file simulated_files_failed(const struct simulated_files *files)
{
    int i = FILE_TRACE + 1;
    while (i < SIMULATED_FILES && !(files->outputs[i] && output_failure(files->outputs[i])))
        i++;
    return (enum simulated_file)i;
}

int simulated_files_commit(struct simulated_files *files)
{
    for (int i = FILE_TRACE + 1; i < SIMULATED_FILES; i++)
        if (files->outputs[i] && output_flush(files->outputs[i]) != 0)
            return fail(files->names[i], output_failure(files->outputs[i]));
    for (int i = 0; i < SIMULATED_FILES; i++)
        if (files->outputs[i] && commit(&files->outputs[i], files->names[i]) != EXIT_DONE)
            return EXIT_ERROR;
    return EXIT_DONE;
}

int simulated_files_unread(const struct simulated_files *files)
{
    for (int i = FILE_TRACE + 1; i < SIMULATED_FILES; i++)
        if (files->outputs[i]) {
            complain("%s: not written: the reader of the trace went away before its end", files->names[i]);
            return EXIT_ERROR;
        }
    return EXIT_DONE;
}

void simulated_files_abort(struct simulated_files *files)
{
    for (int i = 0; i < SIMULATED_FILES; i++)
        output_abort(files->outputs[i]);
}
