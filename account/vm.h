/* Who VMs are, over hosts, boots and incarnations. */
#ifndef XENMETER_ACCOUNT_VM_H
#define XENMETER_ACCOUNT_VM_H

#include "account/statement.h"
#include "account/texts.h"
#include "archive/host_facts.h"

/* A domain of a capture. Texts are kept ones. */
struct vm_life {
    int32_t domain;
    uint32_t life;
    const char *uuid, *name; /* "": not known */
    uint32_t vcpus, weight, cap;
    uint64_t memory_kib;
};

/* The lives of a capture, from the facts in recorded_rows.lives: *lives from malloc, by domain and life. -1 with `err` filled. */
int vm_lives_take(struct texts *texts, const struct host_facts *facts, struct vm_life **lives,
                  size_t *lives_n, struct error *err);

/* NULL: the domain is none of them. */
const struct vm_life *vm_life_find(const struct vm_life *lives, size_t n, int32_t domain, uint32_t life);

/* Who that domain of a host is; `known` NULL: nothing is known. False: no memory. */
bool vm_identify(struct texts *texts, const char *host, const char *boot_id, int32_t domain, uint32_t life,
                 const struct vm_life *known, struct account_vm *vm);

#endif
