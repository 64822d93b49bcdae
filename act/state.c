#include "act/state.h"

#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "metrics/array.h"

void state_free(struct state *s)
{
    for (size_t i = 0; s->command[i]; i++)
        free(s->command[i]);
    free(s->guests);
    free(s->exempt);
    *s = (struct state){.guests = NULL};
}

bool state_set_command(struct state *s, const char *const *words)
{
    char *copy[COMMAND_WORDS_MAX] = {NULL};
    bool fine = true;
    for (size_t i = 0; words[i] && i + 1 < COMMAND_WORDS_MAX && fine; i++)
        fine = (copy[i] = strdup(words[i])) != NULL;
    for (size_t i = 0; i < COMMAND_WORDS_MAX; i++) {
        char **old = fine ? &s->command[i] : &copy[i];
        free(*old);
        *old = NULL;
    }
    if (fine)
        memcpy(s->command, copy, sizeof copy);
    return fine;
}

/* ---- guests ---- */

struct state_guest *state_find(const struct state *s, uint16_t domain)
{
    for (size_t i = 0; i < s->guests_n; i++)
        if (s->guests[i].domain == domain)
            return &s->guests[i];
    return NULL;
}

struct state_guest *state_guest(struct state *s, uint16_t domain)
{
    struct state_guest *g = state_find(s, domain);
    if (g)
        return g;
    if (!array_make_room(&s->guests, &s->guests_capacity, s->guests_n + 1, sizeof *s->guests))
        return NULL;
    s->guests[s->guests_n] = (struct state_guest){.domain = domain};
    return &s->guests[s->guests_n++];
}

void state_forget(struct state *s, uint16_t domain)
{
    struct state_guest *g = state_find(s, domain);
    if (g)
        *g = s->guests[--s->guests_n];
}

static size_t exempt_place(const struct state *s, const char *guest)
{
    size_t i = 0;
    while (i < s->exempt_n && strcmp(s->exempt[i], guest) != 0)
        i++;
    return i;
}

bool state_is_exempt(const struct state *s, uint16_t domain, const char *name)
{
    char id[8];
    snprintf(id, sizeof id, "%u", domain);
    return exempt_place(s, id) < s->exempt_n || (*name && exempt_place(s, name) < s->exempt_n);
}

bool state_set_exempt(struct state *s, const char *guest, bool exempt)
{
    size_t at = exempt_place(s, guest);
    if (exempt == (at < s->exempt_n))
        return true;
    if (!exempt) {
        memmove(s->exempt[at], s->exempt[--s->exempt_n], sizeof *s->exempt);
        return true;
    }
    if (!array_make_room(&s->exempt, &s->exempt_capacity, s->exempt_n + 1, sizeof *s->exempt))
        return false;
    snprintf(s->exempt[s->exempt_n++], sizeof *s->exempt, "%s", guest);
    return true;
}

/* ---- the place of the file ---- */

/* The directory of a path. */
static void directory_of(const char *path, char directory[PATH_MAX])
{
    char copy[PATH_MAX];
    snprintf(copy, sizeof copy, "%s", path);
    snprintf(directory, PATH_MAX, "%s", dirname(copy));
}

int state_make_place(const char *path, struct error *err)
{
    char directory[PATH_MAX];
    directory_of(path, directory);
    if (mkdir(directory, 0700) == 0 || errno == EEXIST)
        return 0;
    return error_set(err, ERROR_IO, "%.200s: cannot be made: %s", directory, strerror(errno));
}

void state_boot(char boot[STATE_BOOT_BYTES])
{
    FILE *f = fopen("/proc/sys/kernel/random/boot_id", "re");
    *boot = '\0';
    if (!f)
        return;
    if (!fgets(boot, STATE_BOOT_BYTES, f))
        *boot = '\0';
    boot[strcspn(boot, "\n")] = '\0';
    fclose(f);
}
