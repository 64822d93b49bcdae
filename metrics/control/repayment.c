#include "metrics/control/repayment.h"

#include <stdlib.h>

#include "metrics/measure/adding.h"
#include "metrics/min_max.h"

bool repayment_init(struct repayment *r, uint32_t periods)
{
    *r = (struct repayment){.periods = periods, .due_ns = calloc(periods, sizeof *r->due_ns)};
    return r->due_ns != NULL;
}

void repayment_free(struct repayment *r)
{
    free(r->due_ns);
}

void repayment_charge(struct repayment *r, uint64_t charged_ns)
{
    uint64_t part_ns = charged_ns / r->periods, larger = charged_ns % r->periods;
    for (uint32_t i = 0; i < r->periods && charged_ns > 0; i++) {
        uint64_t *due_ns = &r->due_ns[(r->next + i) % r->periods];
        *due_ns = add_count(*due_ns, part_ns + (i < larger));
    }
    r->debt_ns = add_count(r->debt_ns, charged_ns);
}

uint64_t repayment_settle(struct repayment *r, uint64_t most_ns)
{
    uint64_t owed_ns = add_count(r->overdue_ns, r->due_ns[r->next]);
    uint64_t repaid_ns = min64(owed_ns, most_ns);
    r->due_ns[r->next] = 0;
    r->next = (r->next + 1) % r->periods;
    r->overdue_ns = owed_ns - repaid_ns;
    r->debt_ns -= repaid_ns;
    return repaid_ns;
}
