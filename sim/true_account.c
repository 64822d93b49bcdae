#include "sim/true_account.h"

#include <stdlib.h>

#define RESPONSES_FIRST 1024

uint32_t true_account_cell(struct true_account *a)
{
    return a->cells++;
}

bool true_account_open(struct true_account *a, uint64_t duration_ns)
{
    a->seconds = (uint32_t)((duration_ns + TRUE_SECOND_NS - 1) / TRUE_SECOND_NS);
    a->amounts = calloc((size_t)a->seconds * a->cells + 1, sizeof *a->amounts);
    a->totals = calloc((size_t)a->cells + 1, sizeof *a->totals);
    return a->amounts && a->totals;
}

void true_account_close(struct true_account *a)
{
    free(a->amounts);
    free(a->totals);
    free(a->responses);
    a->amounts = a->totals = NULL;
    a->responses = NULL;
}

void true_account_cut(struct true_account *a, uint64_t end_ns)
{
    uint64_t seconds = (end_ns + TRUE_SECOND_NS - 1) / TRUE_SECOND_NS;
    if (seconds > 0 && seconds < a->seconds)
        a->seconds = (uint32_t)seconds;
}

static uint32_t second_of(const struct true_account *a, uint64_t at_ns)
{
    uint64_t second = at_ns / TRUE_SECOND_NS;
    return second < a->seconds ? (uint32_t)second : a->seconds - 1;
}

void true_account_add(struct true_account *a, uint32_t cell, uint64_t at_ns, uint64_t amount)
{
    a->amounts[(size_t)second_of(a, at_ns) * a->cells + cell] += amount;
    a->totals[cell] += amount;
}

void true_account_span(struct true_account *a, uint32_t cell, uint64_t from_ns, uint64_t to_ns)
{
    a->totals[cell] += from_ns < to_ns ? to_ns - from_ns : 0;
    while (from_ns < to_ns) {
        uint32_t second = second_of(a, from_ns);
        uint64_t end = (uint64_t)(second + 1) * TRUE_SECOND_NS;
        if (end > to_ns || second + 1 == a->seconds)
            end = to_ns;
        a->amounts[(size_t)second * a->cells + cell] += end - from_ns;
        from_ns = end;
    }
}

bool true_account_respond(struct true_account *a, uint32_t domain, uint64_t at_ns, uint64_t took_ns)
{
    if (a->response_count == a->response_space) {
        size_t space = a->response_space ? 2 * a->response_space : RESPONSES_FIRST;
        struct true_response *more = realloc(a->responses, space * sizeof *more);
        if (!more)
            return false;
        a->responses = more;
        a->response_space = space;
    }
    a->responses[a->response_count++] =
        (struct true_response){.took_ns = took_ns, .second = second_of(a, at_ns), .domain = domain};
    return true;
}

static int by_domain_second_time(const void *a, const void *b)
{
    const struct true_response *x = a, *y = b;
    if (x->domain != y->domain)
        return x->domain < y->domain ? -1 : 1;
    if (x->second != y->second)
        return x->second < y->second ? -1 : 1;
    return (x->took_ns > y->took_ns) - (x->took_ns < y->took_ns);
}

void true_account_order(struct true_account *a)
{
    if (a->response_count > 0)
        qsort(a->responses, a->response_count, sizeof *a->responses, by_domain_second_time);
}

/* The first response that is not before this domain and second. */
static size_t first_response(const struct true_account *a, uint32_t domain, uint32_t second)
{
    size_t low = 0, high = a->response_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct true_response *r = &a->responses[middle];
        if (r->domain < domain || (r->domain == domain && r->second < second))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const struct true_response *true_account_responses(const struct true_account *a, uint32_t domain,
                                                   uint32_t second, size_t *n)
{
    bool all = second >= a->seconds;
    size_t from = first_response(a, domain, all ? 0 : second);
    *n = first_response(a, all ? domain + 1 : domain, all ? 0 : second + 1) - from;
    return a->responses + from;
}

uint64_t true_account_amount(const struct true_account *a, uint32_t cell, uint32_t second)
{
    if (second < a->seconds)
        return a->amounts[(size_t)second * a->cells + cell];
    uint64_t sum = 0;
    for (uint32_t s = 0; s < a->seconds; s++)
        sum += a->amounts[(size_t)s * a->cells + cell];
    return sum;
}
