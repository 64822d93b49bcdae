#include "measures.h"

#include <stddef.h>
#include <string.h>

#include "adding.h"

/* Everything but the histograms, which come last in the struct. */
static void zero_sums(struct measures *m)
{
    memset(m, 0, offsetof(struct measures, run));
#define LEAST(KEY, MEMBER) m->MEMBER = UINT32_MAX;
#include "measures.def"
}

void measures_init(struct measures *m)
{
    zero_sums(m);
#define HISTOGRAM(KEY, MEMBER) histogram_init(&m->MEMBER);
#include "measures.def"
}

void measures_free(struct measures *m)
{
    zero_sums(m);
#define HISTOGRAM(KEY, MEMBER) histogram_free(&m->MEMBER);
#include "measures.def"
}

void measures_clear(struct measures *m)
{
    zero_sums(m);
#define HISTOGRAM(KEY, MEMBER) histogram_clear(&m->MEMBER);
#include "measures.def"
}

bool measures_merge(struct measures *into, const struct measures *from)
{
    bool ok = true;
#define TIME(KEY, MEMBER)      into->MEMBER = add_ns(into->MEMBER, from->MEMBER);
#define COUNT(KEY, MEMBER)     into->MEMBER = add_count(into->MEMBER, from->MEMBER);
#define LEAST(KEY, MEMBER)     into->MEMBER = from->MEMBER < into->MEMBER ? from->MEMBER : into->MEMBER;
#define MOST(KEY, MEMBER)      into->MEMBER = from->MEMBER > into->MEMBER ? from->MEMBER : into->MEMBER;
#define HISTOGRAM(KEY, MEMBER) ok &= histogram_merge(&into->MEMBER, &from->MEMBER);
#include "measures.def"
    return ok;
}
