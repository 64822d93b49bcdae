/* The relation of differences; how they are judged is in differences_make.c. */
#include "metrics/relation/differences.h"

#include <math.h>

#include "metrics/relation/relation_table.h"

const char *const change_words[] = {"significant", "appeared", "gone", "unknown",
                                    "unjudged",    "noise",    "none", NULL};

static const char *const unit_words[] = {
    [UNIT_NS] = "ns", [UNIT_PERCENT] = "%", [UNIT_COUNT] = "", [UNIT_PER_SECOND] = "/s"};

static const struct difference *of(const struct row_view *v)
{
    return v->row;
}

static bool is_there(int32_t domain)
{
    return domain >= 0;
}

static struct value domain(const struct row_view *v)
{
    const struct difference *d = of(v);
    return is_there(d->domain) ? domain_id(d->domain, d->life) : domain_id(d->after_domain, d->after_life);
}

static struct value life(const struct row_view *v)
{
    return id_from_one(is_there(of(v)->domain) ? of(v)->life : of(v)->after_life);
}

static struct value after_domain(const struct row_view *v)
{
    return domain_id(of(v)->after_domain, of(v)->after_life);
}

static struct value after_life(const struct row_view *v)
{
    return is_there(of(v)->after_domain) ? id_from_one(of(v)->after_life) : none();
}

static struct value name(const struct row_view *v)
{
    return text(of(v)->name);
}

static struct value vcpu(const struct row_view *v)
{
    return id(of(v)->vcpu);
}

static struct value pcpu(const struct row_view *v)
{
    return id(of(v)->pcpu);
}

static struct value measure(const struct row_view *v)
{
    return text(of(v)->of->name);
}

static struct value unit(const struct row_view *v)
{
    return text(unit_words[comparable_unit(of(v)->of)]);
}

/* A number in the unit of its row, with as many digits as that has in a report. */
static struct value in_unit(const struct difference *d, double x, uint32_t unit)
{
    if (isnan(x))
        return none();
    bool whole = comparable_unit(d->of) == UNIT_NS && fabs(x) < 9e18;
    struct value v = whole ? integer(llround(x)) : decimal(x);
    v.own_unit = unit;
    return v;
}

static struct value before(const struct row_view *v)
{
    return in_unit(of(v), of(v)->before, comparable_unit(of(v)->of));
}

static struct value after(const struct row_view *v)
{
    return in_unit(of(v), of(v)->after, comparable_unit(of(v)->of));
}

/* Per cents differ by points. */
static uint32_t unit_of_differences(const struct difference *d)
{
    return comparable_unit(d->of) == UNIT_PERCENT ? UNIT_POINTS : comparable_unit(d->of);
}

static struct value difference(const struct row_view *v)
{
    const struct difference *d = of(v);
    return in_unit(d, d->after - d->before, unit_of_differences(d) | OWN_UNIT_SIGNED);
}

double relative_pct(const struct difference *d)
{
    return d->before > 0 ? 100 * (d->after - d->before) / d->before : NAN;
}

static struct value relative(const struct row_view *v)
{
    double x = relative_pct(of(v));
    if (isnan(x))
        return none();
    struct value value = decimal(x);
    value.own_unit = UNIT_PERCENT | OWN_UNIT_SIGNED;
    return value;
}

static struct value noise(const struct row_view *v)
{
    return in_unit(of(v), of(v)->noise, unit_of_differences(of(v)));
}

static struct value p_value(const struct row_view *v)
{
    return isnan(of(v)->p_value) ? none() : decimal(of(v)->p_value);
}

static struct value change(const struct row_view *v)
{
    return text(change_words[of(v)->change]);
}

static const struct column columns[] = {
    {COLUMN_HEAD(domain, "domain", NONE, 0, KEY | LEFT | DOMAIN, D | V,
                 "domain id, in the first capture if it is in it"),
     .get = domain},
    {COLUMN_HEAD(life, "life", NONE, 0, KEY, 0, "1, 2, ...: distinguishes the domains that had this id"),
     .get = life},
    {COLUMN_HEAD(name, "name", NONE, 0, KEY | LEFT | NAME, D | V, "domain name, if names are known"),
     .get = name},
    {COLUMN_HEAD(vcpu, "vcpu", NONE, 0, KEY, V, "vCPU number"), .get = vcpu},
    {COLUMN_HEAD(pcpu, "pcpu", NONE, 0, KEY, P, "pCPU number"), .get = pcpu},
    {COLUMN_HEAD(after_domain, "after domain", NONE, 0, KEY, 0, "its id in the second capture"),
     .get = after_domain},
    {COLUMN_HEAD(after_life, "after life", NONE, 0, KEY, 0, "its life there"), .get = after_life},
    {COLUMN_HEAD(measure, "measure", NONE, 0, KEY | LEFT | TEXT, D | V | P,
                 "what is compared: the name of a column of xenmeter report"),
     .get = measure},
    {COLUMN_HEAD(unit, "unit", NONE, 0, TEXT, 0, "of before, after, difference and noise: ns, %, /s or none"),
     .get = unit},
    {COLUMN_HEAD(before, "before", OWN, 3, KEEP, D | V | P, "in the first capture"), .get = before},
    {COLUMN_HEAD(after, "after", OWN, 3, KEEP, D | V | P, "in the second capture"), .get = after},
    {COLUMN_HEAD(difference, "difference", OWN, 3, KEEP, D | V | P, "after - before"), .get = difference},
    {COLUMN_HEAD(relative_pct, "relative", OWN, 3, 0, D | V | P, "difference, in per cent of before"),
     .get = relative},
    {COLUMN_HEAD(noise, "noise", OWN, 3, 0, D | V | P,
                 "chance alone makes differences up to this, in 95 of 100 comparisons"),
     .get = noise},
    {COLUMN_HEAD(p_value, "p", NONE, 6, 0, 0,
                 "probability that chance makes so much, adjusted for the number of differences"),
     .get = p_value},
    {COLUMN_HEAD(change, "change", NONE, 0, KEEP | LEFT, D | V | P,
                 "significant, appeared, gone, unknown, unjudged, noise or none"),
     .get = change, .words = change_words},
};

static bool is_worry(const void *row)
{
    return ((const struct difference *)row)->change == CHANGE_SIGNIFICANT;
}

const struct relation relation_differences = {
    .name = "difference",
    .title = "differences",
    .table = "differences",
    .none = "nothing to compare\n",
    .row_size = sizeof(struct difference),
    .columns = columns,
    .columns_n = sizeof columns / sizeof *columns,
    .is_worry = is_worry,
};
