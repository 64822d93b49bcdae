#include "account/vm.h"

#include <fnmatch.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "metrics/measure/row.h"

#define KEY_BYTES  256
#define BOOT_SHOWN 8 /* characters of a boot id */

int vm_lives_take(struct texts *texts, const struct host_facts *facts, struct vm_life **lives,
                  size_t *lives_n, struct error *err)
{
    struct vm_life *list = calloc(facts->domains_n + 1, sizeof *list);
    *lives = list;
    *lives_n = 0;
    if (!list)
        return error_no_memory(err, "the VMs");
    for (size_t i = 0; i < facts->domains_n; i++) {
        const struct fact_domain *d = &facts->domains[i];
        list[i] = (struct vm_life){.domain = (int32_t)d->domain,
                                   .life = d->tsc <= UINT32_MAX ? (uint32_t)d->tsc : 0,
                                   .uuid = texts_keep(texts, d->uuid),
                                   .name = texts_keep(texts, d->name),
                                   .vcpus = d->vcpus,
                                   .weight = d->weight,
                                   .cap = d->cap,
                                   .memory_kib = d->memory_kib};
        if (!list[i].uuid || !list[i].name)
            return error_no_memory(err, "the VMs");
        *lives_n = i + 1;
    }
    return 0;
}

static int compare_lives(const void *a, const void *b)
{
    const struct vm_life *x = a, *y = b;
    return life_compare(x->domain, x->life, y->domain, y->life);
}

const struct vm_life *vm_life_find(const struct vm_life *lives, size_t n, int32_t domain, uint32_t life)
{
    const struct vm_life like = {.domain = domain, .life = life};
    return n ? bsearch(&like, lives, n, sizeof like, compare_lives) : NULL;
}

bool vm_identify(struct texts *texts, const char *host, const char *boot_id, int32_t domain, uint32_t life,
                 const struct vm_life *known, struct account_vm *vm)
{
    char key[KEY_BYTES];
    vm->uuid = known ? known->uuid : "";
    vm->name = known ? known->name : "";
    if (domain == 0)
        snprintf(key, sizeof key, "domain:%s/0", host);
    else if (*vm->uuid)
        snprintf(key, sizeof key, "uuid:%s", vm->uuid);
    else if (*vm->name)
        snprintf(key, sizeof key, "name:%s", vm->name);
    else
        snprintf(key, sizeof key, "domain:%s/%.*s/%" PRId32 "#%" PRIu32, host, BOOT_SHOWN, boot_id, domain,
                 life);
    vm->key = texts_keep(texts, key);
    return vm->key != NULL;
}

const char *account_vm_shown(const struct account_vm *vm)
{
    const char *colon = strchr(vm->key, ':');
    return *vm->name ? vm->name : *vm->uuid ? vm->uuid : colon ? colon + 1 : vm->key;
}

bool account_vm_matches(const struct account_vm *vm, const char *pattern)
{
    return fnmatch(pattern, account_vm_shown(vm), 0) == 0 ||
           (*vm->uuid && fnmatch(pattern, vm->uuid, FNM_CASEFOLD) == 0);
}
