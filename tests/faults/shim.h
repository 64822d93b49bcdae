/*
 * The library that makes calls of libc fail, one file for each kind of call. Loaded by LD_PRELOAD; without FAULTS_FD it
 * does nothing.
 */
#ifndef TESTS_FAULTS_SHIM_H
#define TESTS_FAULTS_SHIM_H

#include <dlfcn.h>
#include <stddef.h>

#include "tests/faults/fault_plan.h"

/* Declares `next`: the function that the wrapper stands before. */
#define NEXT(function)                                                                                       \
    static __typeof__(function) *next;                                                                       \
    if (!next)                                                                                               \
    *(void **)&next = dlsym(RTLD_NEXT, #function)

/* Whether this call fails. PATH: the file that it is for, or NULL: that of FD, or of none if FD is -1. */
bool shim_fails(enum fault_kind kind, const char *call, const char *path, int fd);

/* How many of N bytes this call transfers: all, or from 1 on fewer. */
size_t shim_length(const char *call, int fd, size_t n);

/* A number below N, 0 < N: by the seed and the number of calls so far. */
uint64_t shim_random(uint64_t n);

/* Whether files cannot be mapped. */
bool shim_unmapped(void);

#endif
