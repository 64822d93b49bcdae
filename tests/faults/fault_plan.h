/*
 * What the driver (main.c) and the library that is loaded before libc (shim_*.c) share: which call fails, and what
 * came of it. It lies in shared memory, whose file descriptor the environment variable FAULTS_FD names.
 */
#ifndef TESTS_FAULTS_PLAN_H
#define TESTS_FAULTS_PLAN_H

#include <limits.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define FAULT_FRAMES 12

enum fault_kind {
    FAULT_NONE,
    FAULT_MEMORY,    /* an allocation, a thread or a process cannot be had */
    FAULT_SHORT,     /* read and write transfer less than was asked for */
    FAULT_INTERRUPT, /* a call that may wait fails once with EINTR */
    FAULT_ERROR,     /* a call on a file fails: EIO, ENOSPC, EMFILE */
    FAULT_KILL,      /* the process is killed in place of a call on a file */
    FAULT_KINDS
};

struct fault_plan {
    /* By the driver. */
    enum fault_kind kind;
    uint64_t at;        /* the call that fails, from 1; 0: none, or by chance */
    uint64_t seed;      /* of chance, of lengths and of which error it is */
    unsigned per_mille; /* so many of 1000 calls fail, whatever `at` is */
    bool unmapped;      /* mmap of files always fails, so that they are read */

    /* By the library. */
    atomic_uint_fast64_t calls;  /* that could have failed */
    atomic_uint_fast64_t faults; /* that did */
    char call[24];               /* the last one's name */
    char path[PATH_MAX];         /* and the file it was for; "" where there is none */
    uintptr_t
        frames[FAULT_FRAMES]; /* the program's own functions below it: offsets in its file; ends with 0 */
};

#endif
