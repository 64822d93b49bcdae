#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "formats/nearest.h"
#include "formats/output.h"
#include "formats/safe_text.h"

#define MESSAGE_BYTES 8192

void complain(const char *format, ...)
{
    va_list args;
    char text[MESSAGE_BYTES], safe[MESSAGE_BYTES];
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    fprintf(stderr, "xenmeter: %s\n", safe_text(safe, sizeof safe, text));
}

void say_verdict(const char *what, const struct judgement *j)
{
    char reasons[1024] = "";
    size_t n = 0;
    for (unsigned i = 0; i < j->reasons && n < sizeof reasons; i++)
        n += (size_t)snprintf(reasons + n, sizeof reasons - n, "%s%s", i ? "; " : ": ", j->why[i]);
    complain("%s %s%s", what, verdict_name(j->verdict), reasons);
}

int fail(const char *file, const struct error *err)
{
    const char *shown = file && strcmp(file, "-") == 0 ? "(standard input)" : file;
    if (shown && err->has_offset)
        complain("%s: offset %" PRIu64 ": %s", shown, err->offset, err->message);
    else if (shown)
        complain("%s: %s", shown, err->message);
    else
        complain("%s", err->message);
    return EXIT_ERROR;
}

int commit(struct output **output, const char *path)
{
    struct error err = {0};
    struct output *complete = *output;
    *output = NULL;
    return output_commit(complete, &err) == 0 ? EXIT_DONE : fail(path ? path : "standard output", &err);
}

const char *suggestion(char to[SUGGESTION_BYTES], const char *before, const char *after, const char *word,
                       const char *const *names)
{
    const char *nearest = NULL;
    size_t best = strlen(word) / 3 + 2;
    for (; *names; names++) {
        size_t d = edit_distance(word, strlen(word), *names);
        nearest = d < best ? *names : nearest;
        best = d < best ? d : best;
    }
    *to = '\0';
    if (nearest)
        snprintf(to, SUGGESTION_BYTES, "%s%s%s", before, nearest, after);
    return to;
}
