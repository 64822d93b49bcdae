/* The sums of one period: what captures have of it, added up by host and VM. */
#ifndef XENMETER_ACCOUNT_SUMS_H
#define XENMETER_ACCOUNT_SUMS_H

#include "account/recorded.h"
#include "account/statement.h"
#include "account/tally.h"
#include "account/texts.h"
#include "account/vm.h"

struct sums;

/* `texts` outlives it. NULL: no memory. */
struct sums *sums_new(struct texts *texts);
void sums_free(struct sums *s);

/* Begins a period: of what was added before only each VM's total is remembered, if that period adjoins. False: no memory. */
bool sums_begin(struct sums *s, const struct account_period *period);

/* A capture whose tally is added. */
struct sums_capture {
    const char *host; /* a kept text */
    const struct recorded *recorded;
    const struct vm_life *lives; /* who its domains are */
    size_t lives_n;
};

/*
 * Adds what a capture has of the period. -1 with `err` filled: ERROR_MEMORY, or ERROR_FORMAT: its numbers contradict each other; then
 * nothing of it was added.
 */
int sums_add(struct sums *s, const struct sums_capture *c, const struct tally *t, struct error *err);

/* Bytes that the sums take, about. */
uint64_t sums_memory(const struct sums *s);

/* The statement of the period, valid until sums_begin or sums_free. False: no memory. */
bool sums_statement(struct sums *s, struct account_statement *statement);

#endif
