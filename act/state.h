/*
 * What was set on a host and what was there before, kept in a file, so that it can be undone whatever happens to
 * this process; and which guests an operator has taken out of control.
 *
 * The file is replaced as a whole, and is on the disk before state_save returns: it is saved before anything is
 * done. It is the property of the user that acts, and nobody else can read or write it. It is JSON of at most 4 MiB:
 *
 *     { "schema": "xenmeter.state/1", "boot": "…", "means": "credit2", "command": [ "xl" ],
 *       "guests": [ { "domain": 3, "name": "web", "former": "-c 0", "set": "-c 57", "before": "-c 60" } ],
 *       "exempt": [ "mail", "7" ] }
 */
#ifndef XENMETER_ACT_STATE_H
#define XENMETER_ACT_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "act/host_command.h"
#include "act/host_guests.h"
#include "parser/error.h"

#define STATE_BOOT_BYTES  64
#define STATE_MEANS_BYTES 32

/* A guest for which something is, or is about to be, set. */
struct state_guest {
    uint16_t domain;
    char name[ACT_NAME_BYTES];
    char former[ACT_VALUE_BYTES]; /* what was there before */
    char set[ACT_VALUE_BYTES];    /* what was set last, or is about to be */
    char before[ACT_VALUE_BYTES]; /* what was in force until then */
};

/* All zero: nothing was set. */
struct state {
    char boot[STATE_BOOT_BYTES];      /* of the host; "": not known */
    char means[STATE_MEANS_BYTES];    /* "credit2", or what else can read and set values */
    char *command[COMMAND_WORDS_MAX]; /* owned; ended by NULL */
    struct state_guest *guests;       /* owned */
    size_t guests_n, guests_capacity;
    char (*exempt)[ACT_NAME_BYTES]; /* owned; names, or ids of domains without one */
    size_t exempt_n, exempt_capacity;
};

void state_free(struct state *s);

/* Replaces the words of the command (copied). False: no memory. */
bool state_set_command(struct state *s, const char *const *words);

/* The guest of that id, made if need be; NULL: no memory. And the same without making it; NULL: there is none. */
struct state_guest *state_guest(struct state *s, uint16_t domain);
struct state_guest *state_find(const struct state *s, uint16_t domain);
void state_forget(struct state *s, uint16_t domain);

/* Whether the guest is exempt, by its name or its id; and makes it so, or not. False: no memory. */
bool state_is_exempt(const struct state *s, uint16_t domain, const char *name);
bool state_set_exempt(struct state *s, const char *guest, bool exempt);

/*
 * Reads the file into `s`, which is all zero; *there: there is one. -1 with `err` filled, `s` unchanged: it cannot be
 * read, belongs to somebody else or others may write it, or it is no such file.
 */
int state_load(struct state *s, const char *path, bool *there, struct error *err);

/* Replaces the file; where nothing is set and nobody is exempt it is removed. -1 with `err` filled, the old one being there. */
int state_save(const struct state *s, const char *path, struct error *err);

/* Makes the directory of the file, if it is missing and its parent is there. -1 with `err` filled. */
int state_make_place(const char *path, struct error *err);

/* The id of the host's boot; "" where the kernel does not tell. */
void state_boot(char boot[STATE_BOOT_BYTES]);

#endif
