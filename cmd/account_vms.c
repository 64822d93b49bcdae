/* xenmeter account --vm: which VMs are shown. */
#include <string.h>

#include "account.h"

struct looking {
    const struct account_vm *vm;
    unsigned at; /* number of the item */
    uint64_t found;
    bool any;
};

static int look_for(void *context, const char *item, size_t n, struct error *err)
{
    struct looking *l = context;
    char pattern[FACT_NAME];
    (void)err;
    if (n < sizeof pattern) {
        memcpy(pattern, item, n);
        pattern[n] = '\0';
        bool matches = account_vm_matches(l->vm, pattern);
        l->any |= matches;
        l->found |= l->at < ACCOUNT_VM_ITEMS ? (uint64_t)matches << l->at : 0;
    }
    l->at++;
    return 0;
}

bool account_vm_wanted(const struct account_command *own, const struct account_vm *vm, uint64_t *found)
{
    struct looking l = {.vm = vm};
    if (!own->vms)
        return true;
    each_item(own->vms, look_for, &l, NULL);
    *found |= l.found;
    return l.any;
}

struct missing {
    unsigned at;
    uint64_t found;
};

static int say_missing(void *context, const char *item, size_t n, struct error *err)
{
    struct missing *m = context;
    (void)err;
    if (m->at < ACCOUNT_VM_ITEMS && !(m->found >> m->at & 1))
        complain("--vm %.*s: no VM of that name or UUID is in this time", (int)n, item);
    m->at++;
    return 0;
}

void account_vms_say_missing(const struct account_command *own, uint64_t found)
{
    struct missing m = {.found = found};
    if (own->vms && !own->common.quiet)
        each_item(own->vms, say_missing, &m, NULL);
}
