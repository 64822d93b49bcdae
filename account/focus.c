#include "focus.h"

#include <stdlib.h>
#include <string.h>

#include "account/decimal.h"
#include "account/statement.h"
#include "formats/csv_text.h"
#include "formats/time_text.h"

/* One row: an item of an entry. */
struct focus_row {
    const struct focus *f;
    const struct entry *e;
    enum price price;
    const char *sub_account; /* the first tag's value; NULL: none */
};

/* Where the columns' values go. */
typedef void put_column(struct buffer *b, const struct focus_row *r);

/* ---- kinds of values ---- */

static void put_text(struct buffer *b, const struct focus_row *r, const char *text)
{
    char guarded[CSV_GUARDED_BYTES];
    csv_add_quoted(b, r->f->raw_names ? text : csv_guarded(guarded, text));
}

static void put_moment(struct buffer *b, int64_t utc_ns)
{
    char text[TIME_TEXT];
    time_text(text, utc_ns, false);
    if (utc_ns % 1000000000 == 0) /* as the specification shows them */
        memcpy(text + 19, "Z", 2);
    buffer_text(b, text);
}

/* ns as seconds or hours, times the price if it is wanted. */
static void put_exact(struct buffer *b, const struct focus_row *r, bool cost)
{
    const struct entry_item *item = &r->e->items[r->price];
    mpq_t exact, price;
    mpq_inits(exact, price, NULL);
    mpq_set_ui(exact, item->ns < 0 ? -(uint64_t)item->ns : (uint64_t)item->ns, price_unit_ns(r->price));
    mpq_canonicalize(exact);
    if (cost && decimal_parse(price, item->price))
        mpq_mul(exact, exact, price);
    if (item->ns < 0 && mpq_sgn(exact) != 0)
        buffer_text(b, "-");
    decimal_put_exact(b, exact, FOCUS_DIGITS);
    mpq_clears(exact, price, NULL);
}

static void put_seconds(struct buffer *b, int64_t ns)
{
    uint64_t size = ns < 0 ? -(uint64_t)ns : (uint64_t)ns;
    buffer_printf(b, "%s%llu.%09llu", ns < 0 ? "-" : "", (unsigned long long)(size / 1000000000),
                  (unsigned long long)(size % 1000000000));
}

/* ---- words ---- */

static const char *const units[PRICES] = {"vCPU-Seconds", "CPU-Seconds", "vCPU-Hours", "pCPU-Hours"};
static const char *const meters[PRICES] = {"CPU time run", "CPU time of driver domains on its behalf",
                                           "vCPUs allocated", "Capacity of the host"};
static const char *const resource_types[] = {"Virtual Machine", "Driver Domain", "Host idle time",
                                             "Host unknown time"};

static struct account_period billing_period(const struct focus_row *r)
{
    return r->f->billing ? *r->f->billing : account_period_of(ACCOUNT_MONTH, r->e->period.begin_utc_ns);
}

/* Like "measured 12.00 %, certain 0.00 %, inferred 88.00 %". */
static void put_method(struct buffer *b, const struct focus_row *r)
{
    const int64_t *q = r->e->quantities;
    double charged = (double)q[ENTRY_charged_ns];
    struct buffer text = {0};
    if (r->price == PRICE_RUN)
        buffer_text(&text, "runstates as Xen recorded them");
    else if (r->price == PRICE_ALLOCATED)
        buffer_text(&text, "vCPUs x time of existence");
    else if (r->price == PRICE_CHARGED && charged != 0)
        buffer_printf(&text, "measured %.2f %%, certain %.2f %%, inferred %.2f %%",
                      100 * (double)q[ENTRY_measured_ns] / charged,
                      100 * (double)q[ENTRY_certain_ns] / charged,
                      100 * (double)q[ENTRY_inferred_ns] / charged);
    else
        buffer_printf(&text, "basis %s, idle shared %s, overhead shared %s", r->f->basis, r->f->share_idle,
                      r->f->share_overhead);
    buffer_add(&text, "", 1);
    if (text.failed)
        b->failed = true;
    else
        csv_add_quoted(b, text.at);
    buffer_free(&text);
}

static double covered(const struct entry *e)
{
    int64_t missing = llabs(e->quantities[ENTRY_not_recorded_ns]);
    return account_covered_pct(&e->period, (uint64_t)missing);
}

/* ---- columns, in the order of the specification ---- */

#define COLUMN(NAME, STATEMENT)                                                                              \
    static void put_##NAME(struct buffer *b, const struct focus_row *r)                                      \
    {                                                                                                        \
        (void)r;                                                                                             \
        STATEMENT;                                                                                           \
    }

static void put_amount(struct buffer *b, const struct focus_row *r)
{
    decimal_put(b, r->e->items[r->price].amount, r->f->digits);
}

static void put_provider(struct buffer *b, const struct focus_row *r)
{
    put_text(b, r, r->f->provider);
}

static void put_account(struct buffer *b, const struct focus_row *r)
{
    put_text(b, r, r->f->billing_account);
}

static void put_unit(struct buffer *b, const struct focus_row *r)
{
    buffer_text(b, units[r->price]);
}

static void put_quantity(struct buffer *b, const struct focus_row *r)
{
    put_exact(b, r, false);
}

static void put_cost(struct buffer *b, const struct focus_row *r)
{
    put_exact(b, r, true);
}

static void put_price(struct buffer *b, const struct focus_row *r)
{
    buffer_text(b, r->e->items[r->price].price);
}

static void put_sub_account(struct buffer *b, const struct focus_row *r)
{
    if (r->sub_account)
        put_text(b, r, r->sub_account);
}

static void put_description(struct buffer *b, const struct focus_row *r)
{
    struct buffer text = {0};
    buffer_printf(&text, "%s: %s on %s", meters[r->price], *r->e->vm_name ? r->e->vm_name : r->e->vm_key,
                  r->e->host);
    buffer_add(&text, "", 1);
    if (text.failed)
        b->failed = true;
    else
        put_text(b, r, text.at);
    buffer_free(&text);
}

/* A VM by its UUID, else by what tells it from all others; time that is nobody's by its host. */
static void put_resource(struct buffer *b, const struct focus_row *r)
{
    const struct entry *e = r->e;
    struct buffer text = {0};
    if (e->kind > BILL_DRIVER_DOMAIN)
        buffer_printf(&text, "host:%s/%s", e->host, e->vm_key);
    else
        buffer_text(&text, *e->vm_uuid ? e->vm_uuid : e->vm_key);
    buffer_add(&text, "", 1);
    if (text.failed)
        b->failed = true;
    else
        put_text(b, r, text.at);
    buffer_free(&text);
}

COLUMN(currency, put_text(b, r, r->f->currency))
COLUMN(billing_end, put_moment(b, billing_period(r).end_utc_ns))
COLUMN(billing_start, put_moment(b, billing_period(r).begin_utc_ns))
COLUMN(category, buffer_text(b, "Usage"))
COLUMN(class, buffer_text(b, r->e->type == ENTRY_CHARGE ? "" : "Correction"))
COLUMN(frequency, buffer_text(b, "Usage-Based"))
COLUMN(charge_end, put_moment(b, r->e->period.end_utc_ns))
COLUMN(charge_start, put_moment(b, r->e->period.begin_utc_ns))
COLUMN(pricing_category, buffer_text(b, "Standard"))
COLUMN(resource_name, put_text(b, r, r->e->vm_name))
COLUMN(resource_type, buffer_text(b, resource_types[r->e->kind]))
COLUMN(service_category, buffer_text(b, "Compute"))
COLUMN(service_name, buffer_text(b, "Xen host CPU"))
COLUMN(service_subcategory, buffer_text(b, "Virtual Machines"))
COLUMN(sku, buffer_text(b, price_names[r->price]))
COLUMN(sku_meter, buffer_text(b, meters[r->price]))
COLUMN(sku_price, buffer_printf(b, "%s:%s", price_names[r->price], r->e->items[r->price].price))
COLUMN(tags, csv_add_quoted(b, r->e->tags))
COLUMN(entry, buffer_text(b, entry_type_names[r->e->type]))
COLUMN(host, put_text(b, r, r->e->host))
COLUMN(kind, buffer_text(b, bill_kind_names[r->e->kind]))
COLUMN(base, put_seconds(b, r->e->quantities[ENTRY_base_ns]))
COLUMN(overhead, put_seconds(b, r->e->quantities[ENTRY_overhead_ns]))
COLUMN(idle, put_seconds(b, r->e->quantities[ENTRY_idle_ns]))
COLUMN(capacity, put_seconds(b, r->e->quantities[ENTRY_capacity_ns]))
COLUMN(measured, put_seconds(b, r->e->quantities[ENTRY_measured_ns]))
COLUMN(certain, put_seconds(b, r->e->quantities[ENTRY_certain_ns]))
COLUMN(inferred, put_seconds(b, r->e->quantities[ENTRY_inferred_ns]))
COLUMN(unknown, put_seconds(b, r->e->quantities[ENTRY_unknown_ns]))
COLUMN(not_recorded, put_seconds(b, r->e->quantities[ENTRY_not_recorded_ns]))
COLUMN(covered, buffer_printf(b, "%.2f", covered(r->e)))
COLUMN(verdict, buffer_text(b, r->e->verdict))

static const struct {
    const char *name;
    put_column *put;
} columns[] = {
    {"BilledCost", put_amount},
    {"BillingAccountId", put_account},
    {"BillingAccountName", put_account},
    {"BillingCurrency", put_currency},
    {"BillingPeriodEnd", put_billing_end},
    {"BillingPeriodStart", put_billing_start},
    {"ChargeCategory", put_category},
    {"ChargeClass", put_class},
    {"ChargeDescription", put_description},
    {"ChargeFrequency", put_frequency},
    {"ChargePeriodEnd", put_charge_end},
    {"ChargePeriodStart", put_charge_start},
    {"ConsumedQuantity", put_quantity},
    {"ConsumedUnit", put_unit},
    {"ContractedCost", put_cost},
    {"ContractedUnitPrice", put_price},
    {"EffectiveCost", put_amount},
    {"InvoiceIssuerName", put_provider},
    {"ListCost", put_cost},
    {"ListUnitPrice", put_price},
    {"PricingCategory", put_pricing_category},
    {"PricingQuantity", put_quantity},
    {"PricingUnit", put_unit},
    {"ProviderName", put_provider},
    {"PublisherName", put_provider},
    {"ResourceId", put_resource},
    {"ResourceName", put_resource_name},
    {"ResourceType", put_resource_type},
    {"ServiceCategory", put_service_category},
    {"ServiceName", put_service_name},
    {"ServiceSubcategory", put_service_subcategory},
    {"SkuId", put_sku},
    {"SkuMeter", put_sku_meter},
    {"SkuPriceId", put_sku_price},
    {"SubAccountId", put_sub_account},
    {"SubAccountName", put_sub_account},
    {"Tags", put_tags},
    {"x_Entry", put_entry},
    {"x_Host", put_host},
    {"x_Kind", put_kind},
    {"x_Method", put_method},
    {"x_BasisSeconds", put_base},
    {"x_OverheadShareSeconds", put_overhead},
    {"x_IdleShareSeconds", put_idle},
    {"x_CapacitySeconds", put_capacity},
    {"x_ChargedMeasuredSeconds", put_measured},
    {"x_ChargedCertainSeconds", put_certain},
    {"x_ChargedInferredSeconds", put_inferred},
    {"x_UnknownSeconds", put_unknown},
    {"x_NotRecordedSeconds", put_not_recorded},
    {"x_CoveredPct", put_covered},
    {"x_Verdict", put_verdict},
};

#define COLUMNS (sizeof columns / sizeof *columns)

void focus_put_header(struct buffer *b)
{
    for (size_t i = 0; i < COLUMNS; i++)
        buffer_printf(b, "%s%s", i ? "," : "", columns[i].name);
    buffer_text(b, "\n");
}

void focus_put(struct buffer *b, const struct focus *f, const struct entry *e)
{
    json_t *tags = json_loads(e->tags, 0, NULL);
    const char *first = json_string_value(json_object_iter_value(json_object_iter(tags)));
    b->failed = b->failed || !tags;
    for (enum price p = 0; p < PRICES; p++) {
        const struct focus_row row = {f, e, p, first};
        if (!e->items[p].price)
            continue;
        for (size_t i = 0; i < COLUMNS; i++) {
            buffer_text(b, i ? "," : "");
            columns[i].put(b, &row);
        }
        buffer_text(b, "\n");
    }
    json_decref(tags);
}
