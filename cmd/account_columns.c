/* Which columns a table of an account has. */
#include <string.h>

#include "account.h"

const char *account_columns(const struct account_command *own, struct buffer *to)
{
    const bool is_bill = money_wanted(&own->money);
    const bool is_own = !is_bill && (own->by > ACCOUNT_BY_VM_HOST || !(own->extrapolate || own->peaks));
    if (own->common.columns || strcmp(own->common.format, "table") != 0 || is_own)
        return own->common.columns;
    const struct {
        bool shown;
        const char *columns;
    } parts[] = {
        {true, "period"},
        {own->by == ACCOUNT_BY_HOST || own->by == ACCOUNT_BY_VM_HOST || !is_bill, ",host"},
        {own->by <= ACCOUNT_BY_VM_HOST, ",vm"},
        {own->by == ACCOUNT_BY_TAG, ",tag,kind"},
        {!is_bill, ",vcpus"},
        {true, ",total_ns"},
        {own->extrapolate, ",extrapolated_total_ns"},
        {own->peaks, ",peak_1s_ns,peak_5min_ns"},
        {true, ",charged_ns"},
        {!is_bill, ",runnable_ns"},
        {is_bill && own->by != ACCOUNT_BY_HOST, ",overhead_share_ns,idle_share_ns"},
        {is_bill, ",capacity_ns"},
        {own->money.rates, ",amount,currency"},
        {true, ",covered_pct,verdict"},
    };
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (parts[i].shown)
            buffer_text(to, parts[i].columns);
    buffer_add(to, "", 1);
    return to->at;
}
