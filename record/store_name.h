/*
 * Names of files in a recorder's folder: of archives, "2026-11-29T07Z-0a1b2c3d-0001.xma", and of dumps of the flight recorder,
 * "2026-11-29T071233Z-0a1b2c3d-0000.xt".
 */
#ifndef XENMETER_RECORD_STORE_NAME_H
#define XENMETER_RECORD_STORE_NAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STORE_NAME     48 /* bytes of a name, with its NUL */
#define STORE_BOOT     9  /* 8 lower-case hexadecimal digits and the NUL */
#define STORE_SEQUENCE 10000
#define STORE_HOUR_NS  3600000000000u
#define STORE_YEAR_MAX 2499 /* up to its end, and for 50 years more, 64 bits have room for ns since 1970 */

enum store_state {
    STORE_COMPLETE, /* NAME.xma, NAME.xt */
    STORE_PARTIAL,  /* NAME.xma.partial: open, or left by a crash */
    STORE_DAMAGED,  /* NAME.xma.damaged: nothing could be salvaged */
    STORE_NOTE      /* NAME.json: what a dump is of */
};

struct store_name {
    uint64_t hour;   /* UTC, hours since 1970: that in which the archive begins, or something made the dump */
    unsigned second; /* of the hour, of a dump; else 0 */
    char boot[STORE_BOOT]; /* the beginning of the boot's id */
    unsigned sequence;     /* below STORE_SEQUENCE */
    bool dump;             /* of the flight recorder: it lies in the folder flight/ */
    enum store_state state;
};

/* Writes the name, without a folder. The hour is of a year up to STORE_YEAR_MAX. */
void store_name_put(const struct store_name *n, char to[STORE_NAME]);

/* Reads a name of the folder of archives, or of that of dumps, which may be anything. False: none of ours, in its one form. */
bool store_name_read(const char *name, bool dump, struct store_name *n);

/* The order: by hour, dumps after archives, boot, number, second, state. <0, 0, >0. */
int store_name_compare(const struct store_name *a, const struct store_name *b);

/* Whether both are of one dump or archive, in any state. */
bool store_name_same(const struct store_name *a, const struct store_name *b);

/* Takes the boot's id (a UUID, or at least 8 hexadecimal digits at its beginning). False: it is none. */
bool store_boot_of(const char *boot_id, char boot[STORE_BOOT]);

#endif
