#include "tests/faults/run_judge.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

static bool exited_with(const struct run *r, int status)
{
    return WIFEXITED(r->status) && WEXITSTATUS(r->status) == status;
}

static bool same_text(const struct text *a, const struct text *b)
{
    return a->n == b->n && a->digest == b->digest;
}

static bool is_beginning(const struct text *part, const struct text *whole)
{
    size_t kept = part->n < RUN_TEXT - 1 ? part->n : RUN_TEXT - 1;
    return part->n <= whole->n && memcmp(part->at, whole->at, kept) == 0;
}

/* As if nothing had happened. */
static const char *judge_unaffected(const struct run *r, const struct undisturbed *u)
{
    if (u->varies)
        return NULL;
    if (!same_text(&r->out, &u->run.out))
        return "other output than of an undisturbed run, and no error";
    if (!same_text(&r->err, &u->run.err))
        return "another message than of an undisturbed run, and no error";
    if (!u->acts &&
        (folder_differs(&r->folder, &u->run.folder, &u->run.folder) || r->folder.n != u->run.folder.n))
        return "other files than of an undisturbed run, and no error";
    return NULL;
}

/* The first line of a message that an undisturbed run does not print, too, and how many there are; NULL: none. */
static const char *new_line(const struct run *r, const struct undisturbed *u, size_t *n)
{
    const char *first = NULL;
    char line[1024];
    *n = 0;
    for (const char *at = r->err.at; *at; at += strcspn(at, "\n"), at += *at == '\n') {
        snprintf(line, sizeof line, "%.*s", (int)strcspn(at, "\n"), at);
        if (strstr(u->run.err.at, line))
            continue;
        first = first ? first : at;
        ++*n;
    }
    return first;
}

/* The message has the name of the file that failed, or of an argument that the file lies beside. */
static bool names_file(const struct run *r, const struct fault_plan *plan, char *const *words)
{
    const char *slash = strrchr(plan->path, '/'), *name = slash ? slash + 1 : plan->path;
    if (!*name || strstr(r->err.at, name) || strstr(r->err.at, "standard output"))
        return true;
    for (; *words; words++) {
        slash = strrchr(*words, '/');
        name = slash ? slash + 1 : *words;
        if (strlen(name) > 3 && strstr(r->err.at, name))
            return true;
    }
    return false;
}

static const char *judge_message(const struct run *r, const struct undisturbed *u,
                                 const struct fault_plan *plan, char *const *words)
{
    size_t n;
    const char *line = new_line(r, u, &n);
    bool kept = n == 2 && u->partial && strstr(r->err.at, ".partial"); /* the second says so */
    if (n != 1 && !kept)
        return n ? "more than one line of message" : "no message";
    if (strncmp(line, "xenmeter: ", 10) != 0 || r->err.at[r->err.n - 1] != '\n')
        return "the message does not begin with the program's name";
    if (plan->kind == FAULT_MEMORY && !strstr(line, "memory") && !strstr(line, "Resource temporarily"))
        return "the message does not say that memory is missing";
    if (plan->kind == FAULT_ERROR && !names_file(r, plan, words))
        return "the message does not name the file";
    return NULL;
}

static bool leaves_wrong_file(const struct run *r, const struct undisturbed *u)
{
    const char *path = folder_differs(&r->folder, &u->before, u->several ? &u->run.folder : &u->before);
    const char *end = path && strlen(path) > 8 ? path + strlen(path) - 8 : "";
    return path && !u->acts && !(u->partial && strcmp(end, ".partial") == 0);
}

static const char *judge_failed(const struct run *r, const struct undisturbed *u,
                                const struct fault_plan *plan, char *const *words)
{
    if (plan->kind == FAULT_SHORT || plan->kind == FAULT_INTERRUPT)
        return "it failed";
    if (!u->varies && !(u->streams ? is_beginning(&r->out, &u->run.out) : r->out.n == 0))
        return "it failed, and printed something";
    if (leaves_wrong_file(r, u))
        return "it failed, and left a file";
    return judge_message(r, u, plan, words);
}

const char *judge(const struct run *r, const struct undisturbed *u, const struct fault_plan *plan,
                  char *const *words)
{
    if (r->hung)
        return "it hangs";
    if (WIFSIGNALED(r->status) && plan->kind == FAULT_KILL)
        return !u->acts && folder_differs(&r->folder, &u->before, &u->run.folder)
                   ? "it was killed, and left half a file"
                   : NULL;
    if (!WIFEXITED(r->status))
        return "it crashes";
    if (WEXITSTATUS(r->status) == WEXITSTATUS(u->run.status))
        return judge_unaffected(r, u);
    return exited_with(r, 2) ? judge_failed(r, u, plan, words) : "another exit status";
}
