#include "act/requests.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "formats/output.h"

const char *const request_verbs[] = {"release", "exempt", "control", NULL};

bool request_is_about(const struct request *r, unsigned domain, const char *name)
{
    char id[12];
    snprintf(id, sizeof id, "%u", domain);
    return strcmp(r->guest, "*") == 0 || strcmp(r->guest, id) == 0 || (*name && strcmp(r->guest, name) == 0);
}

int requests_add(const char *state, const struct request *r, struct error *err)
{
    char path[PATH_MAX], line[ACT_NAME_BYTES + 16];
    snprintf(path, sizeof path, "%s.requests", state);
    int n = snprintf(line, sizeof line, "%s %s\n", request_verbs[r->verb], r->guest);
    int fd = TEMP_FAILURE_RETRY(open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600));
    bool done = fd >= 0 && output_write_fd(fd, line, (size_t)n) == 0;
    int why = errno;
    if (fd >= 0)
        close(fd);
    return done ? 0 : error_set(err, ERROR_IO, "%.200s: cannot be written: %s", path, strerror(why));
}

/* "VERB GUEST"; a line that is none is left out. */
static bool read_request(char *line, struct request *r)
{
    line[strcspn(line, "\n")] = '\0';
    char *blank = strchr(line, ' ');
    if (!blank || !blank[1] || strlen(blank + 1) >= sizeof r->guest)
        return false;
    *blank = '\0';
    snprintf(r->guest, sizeof r->guest, "%s", blank + 1);
    for (int verb = 0; request_verbs[verb]; verb++)
        if (strcmp(request_verbs[verb], line) == 0) {
            r->verb = (enum request_verb)verb;
            return true;
        }
    return false;
}

void requests_take(const char *state, void (*take)(void *context, const struct request *r), void *context)
{
    char path[PATH_MAX], taken[PATH_MAX], line[ACT_NAME_BYTES + 32];
    struct request r;
    struct stat st;
    snprintf(path, sizeof path, "%s.requests", state);
    snprintf(taken, sizeof taken, "%.4000s.taken", state);
    if (access(path, F_OK) != 0 || rename(path, taken) != 0)
        return;
    int fd = TEMP_FAILURE_RETRY(open(taken, O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    FILE *f =
        fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == geteuid() && !(st.st_mode & 022)
            ? fdopen(fd, "r")
            : NULL;
    while (f && fgets(line, sizeof line, f))
        if (read_request(line, &r))
            take(context, &r);
    if (f)
        fclose(f);
    else if (fd >= 0)
        close(fd);
    unlink(taken);
}
