#include "dump.h"

#include <string.h>

void dump_reader_init(struct dump_reader *r, const struct dump_filter *filter)
{
    uint64_t to_ns = filter->to_ns ? filter->to_ns : UINT64_MAX;
    r->filter = *filter;
    r->span_ns = to_ns > filter->from_ns ? to_ns - filter->from_ns : 0;
    memset(r->wanted, 0, sizeof r->wanted);
    for (unsigned slot = 0; slot < EVENT_SLOTS; slot++)
        r->wanted[slot] = !filter->slots || filter->slots[slot] ? EVENT_RAW : 0;
    r->picks = filter->pcpus || filter->by_number;
    r->by_vcpu = filter->domains || filter->vcpus_n > 0;
    for (unsigned pcpu = 0; pcpu < PCPUS_MAX; pcpu++) {
        r->current[pcpu] = CURRENT_UNKNOWN;
        r->current_wanted[pcpu] = !r->by_vcpu;
        r->primed[pcpu] = false;
    }
}

/* ---- which vCPUs ---- */

static bool in_ranges(const struct dump_filter *f, uint64_t domain, uint64_t vcpu)
{
    for (size_t i = 0; i < f->vcpus_n; i++) {
        const struct vcpu_range *range = &f->vcpus[i];
        if ((range->domain < 0 || (uint64_t)range->domain == domain) && vcpu >= range->from &&
            vcpu <= range->to)
            return true;
    }
    return f->vcpus_n == 0;
}

static bool domain_wanted(const struct dump_filter *f, uint64_t domain)
{
    return !f->domains || (domain <= UINT16_MAX && f->domains[domain]);
}

static bool vcpu_wanted(const struct dump_filter *f, uint32_t current)
{
    return current != CURRENT_UNKNOWN && domain_wanted(f, current >> 16) &&
           in_ranges(f, current >> 16, current & 0xffff);
}

bool dump_names_wanted(const struct dump_reader *r, const struct dump_record *record)
{
    const struct dump_filter *f = &r->filter;
    const struct field_list *list = record->fields;
    for (unsigned i = 0; i < FIELD_VCPUS_MAX && list->vcpus[i].domain != FIELD_NONE; i++) {
        uint64_t domain = field_value(&list->fields[list->vcpus[i].domain], record->w);
        if (!domain_wanted(f, domain))
            continue;
        if (f->vcpus_n == 0)
            return true;
        if (list->vcpus[i].vcpu != FIELD_NONE &&
            in_ranges(f, domain, field_value(&list->fields[list->vcpus[i].vcpu], record->w)))
            return true;
    }
    return false;
}

static void set_current(struct dump_reader *r, unsigned pcpu, uint32_t current)
{
    r->current[pcpu] = current;
    r->current_wanted[pcpu] = !r->by_vcpu || vcpu_wanted(&r->filter, current);
}

void dump_reader_prime(struct dump_reader *r, const struct model *past)
{
    for (uint16_t pcpu = 0; pcpu < PCPUS_MAX; pcpu++) {
        set_current(r, pcpu, model_current(past, pcpu));
        r->primed[pcpu] = r->current[pcpu] != CURRENT_UNKNOWN;
    }
}

/* ---- which pCPUs and numbers ---- */

static bool number_listed(const struct dump_filter *f, uint32_t number)
{
    size_t from = 0, to = f->numbers_n;
    while (from < to) {
        size_t middle = (from + to) / 2;
        if (f->numbers[middle] == number)
            return true;
        if (f->numbers[middle] < number)
            from = middle + 1;
        else
            to = middle;
    }
    return false;
}

bool dump_is_picked(const struct dump_reader *r, const struct event *e)
{
    if (r->filter.pcpus && !r->filter.pcpus[e->pcpu])
        return false;
    uint8_t how = r->filter.by_number ? r->filter.by_number[e->slot] : DUMP_ALL;
    return how == DUMP_ALL || number_listed(&r->filter, event_number(e)) == (how == DUMP_ONLY);
}

/* ---- records ---- */

void dump_take_own(const struct dump_reader *r, struct dump_record *record)
{
    const struct own_event *own = own_event_find(r->filter.own, record->w[NUMBER_WORD]);
    if (!own)
        return;
    record->slot = (uint16_t)own_event_slot(r->filter.own, own);
    record->fields = own->lists[record->header >> 28 & 7];
}

void dump_take_current(struct dump_reader *r, unsigned pcpu, uint32_t current)
{
    if (current != CURRENT_UNKNOWN || !r->primed[pcpu])
        set_current(r, pcpu, current);
    r->primed[pcpu] = false; /* only at its beginning the trace knows less than the past */
}

bool dump_is_over(const struct dump_reader *r, const struct event_batch *batch, const struct clock *clock)
{
    return r->filter.to_ns && clock_ns(clock, batch->watermark) >= r->filter.to_ns;
}
