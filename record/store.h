/*
 * The folder of a recorder's archives:
 *
 *     DIR/.lock                                          one recorder a folder
 *     DIR/HOST/2026-11-29T07Z-0a1b2c3d-0000.xma          an archive: the UTC hour in which it begins, the boot, a number
 *     DIR/HOST/2026-11-29T08Z-0a1b2c3d-0000.xma.partial  the open one
 *     DIR/HOST/flight/2026-11-29T071233Z-0a1b2c3d-0000.xt    a dump of the flight recorder: the second of UTC of what it is of
 *     DIR/HOST/flight/2026-11-29T071233Z-0a1b2c3d-0000.json  its note
 *
 * Other names in the folder are left alone, and so are the folders of other hosts.
 */
#ifndef XENMETER_RECORD_STORE_H
#define XENMETER_RECORD_STORE_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "parser/error.h"
#include "record/store_name.h"

struct store;

struct store_options {
    const char *dir;     /* its parent exists */
    const char *host;    /* a fine label (host_label_fine) */
    bool reading;        /* nothing is made, locked or removed */
    uint64_t longest_ns; /* how long an archive lasts at most; 0: an hour */
    /* Bytes that are free in the file system of `dir`; UINT64_MAX: not known. NULL: statvfs says. */
    uint64_t (*free_bytes)(void *context, const char *dir);
    void *context;
};

/*
 * Opens the folder: makes DIR and DIR/HOST (mode 0755) if need be, takes the lock, and removes temporary files that a process left which is
 * not there any more. The options are copied. NULL with `err` filled: another recorder has the folder (the message names its process),
 * or it cannot be made.
 */
struct store *store_open(const struct store_options *o, struct error *err);
void store_close(struct store *s);

/* ---- files ---- */

struct store_file {
    struct store_name name;
    uint64_t bytes;
};

/* All files of ours, in order (store_name_compare). *list is from malloc. -1 with `err` filled: a folder cannot be read. */
int store_list(struct store *s, struct store_file **list, size_t *n, struct error *err);

/* The path of a file. -1 with `err` filled: it is too long. */
int store_path(const struct store *s, const struct store_name *name, char path[PATH_MAX], struct error *err);

/*
 * The name of a new archive, or dump, that begins at this time (ns since 1970): with the number after the highest that is taken in that hour and
 * boot, whatever became of the file. `boot_id`: as store_boot_of. `path` gets its path, below which its folder exists. -1 with `err` filled.
 */
int store_new(struct store *s, uint64_t utc_ns, const char *boot_id, bool dump, struct store_name *name,
              char path[PATH_MAX], struct error *err);

/* The names in the folders survive a crash of the machine. */
void store_sync(const struct store *s);

struct store_usage {
    uint64_t bytes;                   /* of all files of ours */
    uint64_t free_bytes;              /* of the file system; UINT64_MAX: not known */
    size_t archives, dumps;           /* complete */
    size_t partial, damaged;          /* of both */
    struct store_name oldest, newest; /* complete archives; only if there are any */
};
int store_usage(struct store *s, struct store_usage *u, struct error *err);

/* ---- retention ---- */

/* What may be kept; 0: no such limit. */
struct store_limits {
    uint64_t keep_ns;        /* an archive that ended longer ago goes */
    uint64_t keep_bytes;     /* of all files of ours: the open archive and dumps count */
    uint64_t min_free_bytes; /* of the file system */
    uint64_t dumps_max;      /* complete dumps */
};

#define STORE_LOCK ".lock" /* in DIR: who records to it */

enum store_limit { STORE_AGE = 1 << 0, STORE_BYTES = 1 << 1, STORE_FREE = 1 << 2, STORE_DUMPS = 1 << 3 };

struct store_pruned {
    size_t files; /* removed; a note counts with its dump */
    uint64_t bytes;
    struct store_name oldest, newest; /* of them, if any */
    unsigned why;                     /* enum store_limit, or-ed: the limits for which they went */
    unsigned broken;                  /* those that do not hold now */
};

/*
 * Whether a file ended more than keep_ns before this time. An archive ends `longest_ns`, and at least an hour, after the beginning of its
 * hour at the latest: that counts.
 */
bool store_ended_before(const struct store *s, const struct store_name *name, uint64_t now_utc_ns,
                        uint64_t keep_ns);

/*
 * Removes the oldest complete archives, dumps and damaged files until all limits hold, with room_wanted bytes more than there are now. What
 * is open (.partial) stays, and counts. A note goes with its dump. An archive ends `longest_ns` after the beginning of its hour at the latest. 0; -1 with `err`
 * filled: something could not be read or removed; the others were.
 */
int store_prune(struct store *s, const struct store_limits *limits, uint64_t now_utc_ns, uint64_t room_wanted,
                struct store_pruned *result, struct error *err);

#endif
