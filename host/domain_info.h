/*
 * The domains of this host as its toolstack has them, by what xl prints:
 *
 *   xl list -l      JSON: names, UUIDs, vCPUs, memory, parameters of the scheduler; domains of other toolstacks are missing
 *   xl list [-v]    a table: names, vCPUs, memory; with -v UUIDs
 *   xl vcpu-list    a table: names, affinities; the vCPUs that are online are counted
 *
 * Each of them adds what those before it lack. Sources: xl(1); tools/xl/xl_info.c, xl_vcpu.c; tools/libs/light/libxl_types.idl.
 */
#ifndef XENMETER_HOST_DOMAIN_INFO_H
#define XENMETER_HOST_DOMAIN_INFO_H

#include <stddef.h>
#include <stdint.h>

#include "archive/host_facts.h"
#include "formats/buffer.h"
#include "parser/error.h"

/* All zero is empty. The tsc of the facts is 0. */
struct domain_info {
    struct fact_domain *domains; /* by number, each once */
    size_t domains_n, domains_capacity;
    struct fact_affinity *affinities; /* by domain and vCPU, each once */
    size_t affinities_n, affinities_capacity;
};
void domain_info_free(struct domain_info *info);

/*
 * Adds what n bytes say, any: one or more of the outputs above, one after the other, JSON first. Names longer than FACT_NAME are
 * cut, and so are lists of pCPUs. -1 with `err` filled: the text is none of these (the message has the line's number), or there is no
 * memory; what came before the error is added all the same.
 */
int domain_info_read(struct domain_info *info, const char *text, size_t n, struct error *err);

/*
 * What is not known of a domain, but was known of it before, stays known: of each domain that both have, with UUIDs that
 * do not differ. -1: no memory.
 */
int domain_info_inherit(struct domain_info *info, const struct domain_info *before);

/* Replaces `to` (which is freed) by a copy. -1: no memory; `to` is empty then. */
int domain_info_copy(struct domain_info *to, const struct domain_info *from);

/* Adds a fact to `lines` for each domain and affinity that is new or has changed, and for each domain that is gone. */
void domain_info_changes(const struct domain_info *before, const struct domain_info *now, uint64_t tsc,
                         struct buffer *lines);

/* ---- for those who read a text ---- */

/* The domain's row, empty if it is new; NULL: no memory. Valid until the next call. */
struct fact_domain *domain_info_domain(struct domain_info *info, uint32_t domain);
struct fact_affinity *domain_info_affinity(struct domain_info *info, uint32_t domain, uint32_t vcpu);

/* Sets `to` to n bytes of text, cut at a character's end where they are too long. */
void domain_info_set_text(char to[FACT_NAME], const char *text, size_t n);

#endif
