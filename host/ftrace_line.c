#include "ftrace_line.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "metrics/measure/dom0_trace.h"

#define TASK_COLUMNS 16 /* of its name; then "-" and its pid */

/* Digits at *text; moves it past them. False: there are none, or the number is `limit` or more. */
static bool take_number(const char **text, uint64_t limit, uint64_t *number)
{
    size_t digits = strspn(*text, "0123456789");
    errno = 0;
    *number = strtoull(*text, NULL, 10);
    *text += digits;
    return digits > 0 && !errno && *number < limit;
}

static void set_name(struct ftrace_task *task, const char *name, size_t n)
{
    size_t most = n < TASK_NAME_BYTES - 1 ? n : TASK_NAME_BYTES - 1;
    memcpy(task->name, name, most);
    task->name[most] = '\0';
}

/* "             cap-1095    " and perhaps "( 1090) ", the process. NULL: wrong. */
static const char *take_task(const char *text, struct ftrace_task *task)
{
    uint64_t pid;
    if (strnlen(text, TASK_COLUMNS + 1) <= TASK_COLUMNS || text[TASK_COLUMNS] != '-')
        return NULL;
    size_t blanks = strspn(text, " ");
    if (blanks >= TASK_COLUMNS)
        return NULL;
    set_name(task, text + blanks, TASK_COLUMNS - blanks);
    text += TASK_COLUMNS + 1;
    if (!take_number(&text, UINT32_MAX, &pid))
        return NULL;
    task->pid = (uint32_t)pid;
    text += strspn(text, " ");
    if (*text == '(')
        text += strcspn(text, ")") + (strchr(text, ')') != NULL);
    return text + strspn(text, " ");
}

/* "d.h1. ": "h" an interrupt, "s" a softirq, "H" an interrupt during a softirq; "z" and "Z" during an NMI. NULL: wrong. */
static const char *take_flags(const char *text, struct ftrace_line *line)
{
    size_t n = strcspn(text, " ");
    if (n < 4 || n > 8 || text[n - 1] == ':')
        return NULL;
    char context = text[2];
    line->in_irq = context == 'h' || context == 'H' || context == 'z' || context == 'Z';
    line->in_softirq = context == 's' || context == 'H';
    return text + n + strspn(text + n, " ");
}

static void wrong(struct ftrace_line *line, const char *what)
{
    line->kind = FTRACE_WRONG;
    line->wrong = what;
}

static void read_event(const char *text, struct ftrace_line *line)
{
    uint64_t cpu;
    if (!(text = take_task(text, &line->task)) || *text++ != '[' ||
        !take_number(&text, DOM0_TRACE_CPUS, &cpu) || strncmp(text, "] ", 2) != 0) {
        wrong(line, "this is no line of Linux' trace");
        return;
    }
    line->cpu = (unsigned)cpu;
    text += 2;
    text = take_flags(text + strspn(text, " "), line);
    if (!text) {
        wrong(line, "there are no flags (d.h1.) before the time stamp: options/irq-info was off");
        return;
    }
    if (!take_number(&text, UINT64_MAX, &line->tsc) || strncmp(text, ": ", 2) != 0) {
        wrong(line, *text == '.' ? "the time stamps are no cycles: trace_clock was not x86-tsc"
                                 : "this is no line of Linux' trace");
        return;
    }
    line->event = text + 2;
    line->kind = FTRACE_EVENT;
}

/* "CPU:1 [LOST 57 EVENTS]", "CPU:1 [LOST EVENTS]" */
static void read_lost(const char *text, struct ftrace_line *line)
{
    uint64_t cpu;
    text += strlen("CPU:");
    bool right = take_number(&text, DOM0_TRACE_CPUS, &cpu) && strncmp(text, " [LOST ", 7) == 0;
    line->cpu = (unsigned)cpu;
    line->lost = 1;
    text += right ? 7 : 0;
    if (right && strncmp(text, "EVENTS", 6) != 0)
        right = take_number(&text, UINT64_MAX, &line->lost) && *text++ == ' ';
    if (!right || strcmp(text, "EVENTS]") != 0)
        wrong(line, "this is no line of Linux' trace");
    else
        line->kind = FTRACE_LOST;
}

void ftrace_line_read(const char *text, struct ftrace_line *line)
{
    *line = (struct ftrace_line){.kind = FTRACE_COMMENT};
    if (*text == '#' || !*text)
        return;
    if (strncmp(text, "CPU:", 4) == 0)
        read_lost(text, line);
    else
        read_event(text, line);
}

const char *ftrace_is(const struct ftrace_line *line, const char *name)
{
    size_t n = strlen(name);
    return strncmp(line->event, name, n) == 0 && strncmp(line->event + n, ": ", 2) == 0 ? line->event + n + 2
                                                                                        : NULL;
}

bool ftrace_number(const char *event, const char *key, uint32_t *number)
{
    const char *at = strstr(event, key);
    uint64_t value;
    if (!at)
        return false;
    at += strlen(key);
    bool taken = take_number(&at, UINT32_MAX, &value);
    *number = (uint32_t)value;
    return taken;
}

/* The last `what` in text[0..n); NULL: none. */
static const char *find_last(const char *text, size_t n, const char *what)
{
    size_t length = strlen(what);
    for (size_t i = n; i-- > 0;)
        if (i + length <= n && memcmp(text + i, what, length) == 0)
            return text + i;
    return NULL;
}

bool ftrace_named_task(const char *event, const char *before, struct ftrace_task *task)
{
    char comm[32], pid[32];
    uint64_t number;
    snprintf(comm, sizeof comm, "%scomm=", before);
    snprintf(pid, sizeof pid, " %spid=", before);
    /* From the end: a name can contain anything. */
    const char *end = find_last(event, strlen(event), pid);
    const char *name = end ? find_last(event, (size_t)(end - event), comm) : NULL;
    if (!name)
        return false;
    name += strlen(comm);
    set_name(task, name, (size_t)(end - name));
    end += strlen(pid);
    bool taken = take_number(&end, UINT32_MAX, &number);
    task->pid = (uint32_t)number;
    return taken;
}
