/* Two sides compared: which subjects are the same, and which differences are more than noise. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "metrics/measure/noise.h"
#include "metrics/relation/differences.h"

/* ---- what unknown and doubtful time leaves open ---- */

static double known(double x)
{
    return isnan(x) ? 0 : x;
}

/* The part of the time, 0 to 1, whose state is unknown or doubtful. */
static double missing_part(const struct side_row *row)
{
    const double *c = row->context;
    double open = known(c[CONTEXT_unknown_ns]) + known(c[CONTEXT_doubtful_ns]);
    double all = known(c[CONTEXT_running_ns]) + known(c[CONTEXT_runnable_ns]) + known(c[CONTEXT_blocked_ns]) +
                 known(c[CONTEXT_offline_ns]) + known(c[CONTEXT_idle_ns]) + known(c[CONTEXT_unknown_ns]);
    return all > 0 ? fmin(1, open / all) : 0;
}

/* ns in per cent of the interval, as the share columns are. */
static double in_per_cent(const struct side_row *row, double ns)
{
    return row->end_ns > row->start_ns ? 100 * known(ns) / (double)(row->end_ns - row->start_ns) : 0;
}

static double samples_of(const struct side_row *row, enum comparable_kind kind)
{
    return known(row->context[kind == COMPARABLE_BLOCK_PERCENTILE ? CONTEXT_blocks : CONTEXT_executions]);
}

/*
 * If a part of the samples is missing, the percentile of all of them is one of those seen between two others: all that are missing
 * may lie below it, or all above. The nearest that are compared stand for these two.
 */
static void percentile_bounds(const struct side_row *row, const struct comparison_plan *plan, size_t of,
                              double missing, double *least, double *most)
{
    double q = plan->of[of]->per_mille / 1000.0;
    double low = (q - missing) / (1 - missing), high = q / (1 - missing);
    *least = 0;
    *most = INFINITY;
    for (size_t i = 0; i < plan->n; i++) {
        double other = plan->of[i]->per_mille / 1000.0, x = row->values[i];
        if (plan->of[i]->kind != plan->of[of]->kind || isnan(x))
            continue;
        if (other <= low)
            *least = fmax(*least, x);
        if (other >= high)
            *most = fmin(*most, x);
    }
}

void value_bounds(const struct side_row *row, const struct comparison_plan *plan, size_t of, double *least,
                  double *most)
{
    double x = row->values[of], missing = missing_part(row);
    double unknown = in_per_cent(row, row->context[CONTEXT_unknown_ns]);
    double doubtful = in_per_cent(row, row->context[CONTEXT_doubtful_ns]);
    double more = missing < 1 ? (1 + missing) / (1 - missing) : INFINITY;
    *least = *most = x;
    if (missing <= 0)
        return;
    switch (plan->of[of]->kind) {
    case COMPARABLE_SHARE:
        *least = x - doubtful;
        *most = x + unknown + doubtful;
        break;
    case COMPARABLE_TOTAL:
        *least = x - doubtful;
        *most = (x + unknown + doubtful) * more;
        break;
    case COMPARABLE_RATE:
        *most = x * more;
        break;
    case COMPARABLE_MEAN:
        *least = x / more;
        *most = x * more;
        break;
    case COMPARABLE_RUN_PERCENTILE:
    case COMPARABLE_WAIT_PERCENTILE:
    case COMPARABLE_BLOCK_PERCENTILE:
        if (missing * samples_of(row, plan->of[of]->kind) >= 1)
            percentile_bounds(row, plan, of, missing, least, most);
        break;
    case COMPARABLE_MAXIMUM:
        *most = INFINITY;
        break;
    }
}

/* ---- precision ---- */

#define BUCKET       (1.0 / 64) /* of a value: the width of a histogram's bucket */
#define CLOCK        1e-4       /* of a value: how far two measured clocks may be apart */
#define TAIL_SAMPLES 5          /* beyond a percentile; with fewer it is hardly more than the maximum */

static bool is_percentile(enum comparable_kind kind)
{
    return kind == COMPARABLE_RUN_PERCENTILE || kind == COMPARABLE_WAIT_PERCENTILE ||
           kind == COMPARABLE_BLOCK_PERCENTILE;
}

/* Differences up to this are none, however steady both are. */
static double precision_of(const struct difference *d)
{
    double largest = fmax(fabs(d->before), fabs(d->after));
    double last_digit = pow(10, -(double)d->of->column->digits);
    return is_percentile(d->of->kind) ? largest * BUCKET : largest * CLOCK + last_digit;
}

/* Whether there are enough samples for the percentile. */
static bool has_samples(const struct side_row *row, const struct comparable *of)
{
    double beyond = (1000 - of->per_mille) / 1000.0;
    return !is_percentile(of->kind) || samples_of(row, of->kind) * beyond >= TAIL_SAMPLES;
}

/* ---- judging ---- */

/* Two subjects that are one. */
struct subject_pair {
    const struct side_subject *before, *after; /* NULL: not there */
};

struct comparing {
    const struct side *before, *after;
    int before_length, after_length; /* of the intervals that tell the noise; -1: there are none */
    bool same_length;
    const struct difference_options *options;
    struct differences *out;
};

/* The values in the intervals that have one, in a new array (NULL: no memory or no intervals) of *n. */
static double *interval_values(const struct side *s, const struct side_subject *subject, int length,
                               size_t of, size_t *n)
{
    *n = 0;
    if (length < 0)
        return NULL;
    const struct side_series *series = &subject->series[length];
    double *x = malloc((series->n + 1) * sizeof *x);
    for (size_t i = of; x && i < series->n; i += s->plan->n)
        if (!isnan(series->at[i]))
            x[(*n)++] = series->at[i];
    return x;
}

static void estimate(const struct comparing *c, const struct subject_pair *pair, size_t of,
                     struct noise *before, struct noise *after)
{
    size_t n, m;
    double *x = interval_values(c->before, pair->before, c->before_length, of, &n);
    double *y = interval_values(c->after, pair->after, c->after_length, of, &m);
    size_t length = noise_block_length(n), other = noise_block_length(m);
    *before = *after = (struct noise){0};
    if (c->before->plan->of[of]->kind == COMPARABLE_MAXIMUM) {
        length = length < other ? length : other; /* the maximum of more time is larger */
        *before = x && c->same_length ? noise_of_maxima(x, n, length) : *before;
        *after = y && c->same_length ? noise_of_maxima(y, m, length) : *after;
    } else {
        *before = x ? noise_of(x, n, length, pair->before->whole.values[of]) : *before;
        *after = y ? noise_of(y, m, other, pair->after->whole.values[of]) : *after;
    }
    free(x);
    free(y);
}

/* How far apart the bounds of both are; 0: they overlap. */
static double gap_between(const struct comparing *c, const struct subject_pair *pair, size_t of)
{
    double low[2], high[2];
    value_bounds(&pair->before->whole, c->before->plan, of, &low[0], &high[0]);
    value_bounds(&pair->after->whole, c->after->plan, of, &low[1], &high[1]);
    return fmax(0, fmax(low[1] - high[0], low[0] - high[1]));
}

/*
 * How far the mean of the blocks has moved, 0 if not as the value over all the time has. A maximum is one sample; and a percentile
 * between two common lengths of waits jumps from one to the other when their shares hardly change.
 */
static double difference_of_blocks(const struct difference *d, const struct noise *before,
                                   const struct noise *after)
{
    double whole = d->after - d->before, blocks = after->mean - before->mean;
    return whole * blocks > 0 ? fabs(blocks) : 0;
}

/* p_value is not adjusted yet. */
static void judge(const struct comparing *c, const struct subject_pair *pair, size_t of, struct difference *d)
{
    struct noise before, after;
    double precision = precision_of(d), gap = gap_between(c, pair, of);
    bool open = gap <= precision && fabs(d->after - d->before) > precision;
    estimate(c, pair, of, &before, &after);
    d->change = d->before == d->after ? CHANGE_NONE : CHANGE_NOISE;
    if (before.blocks && after.blocks && has_samples(&pair->before->whole, d->of) &&
        has_samples(&pair->after->whole, d->of)) {
        double blocks = difference_of_blocks(d, &before, &after);
        if (gap > 0 && d->of->kind == COMPARABLE_MAXIMUM)
            gap = blocks;
        else if (is_percentile(d->of->kind))
            gap = fmin(gap, blocks);
        d->noise = noise_half_width(&before, &after) + precision;
        d->p_value = noise_p_value(&before, &after, fmax(0, gap - precision));
    } else if (d->change == CHANGE_NOISE) {
        d->change = CHANGE_UNJUDGED;
    }
    if (d->change != CHANGE_NONE && (open || c->options->poor))
        d->change = CHANGE_UNKNOWN;
}

/* A total to which no charge was added. */
static bool is_running_alone(const struct side_row *row, double total)
{
    return !row || fabs(known(total) - in_per_cent(row, row->context[CONTEXT_running_ns])) < 0.001;
}

static bool has_nothing(const struct comparing *c, const struct difference *d, const struct side_row *before,
                        const struct side_row *after)
{
    bool neither = isnan(d->before) && isnan(d->after);
    bool zero = known(d->before) == 0 && known(d->after) == 0;
    bool twice = d->of->kind == COMPARABLE_TOTAL && is_running_alone(before, d->before) &&
                 is_running_alone(after, d->after);
    return neither || (c->options->brief && (zero || twice));
}

static void compare(const struct comparing *c, const struct subject_pair *pair)
{
    const struct comparison_plan *plan = c->before->plan;
    const struct side_row *before = pair->before ? &pair->before->whole : NULL;
    const struct side_row *after = pair->after ? &pair->after->whole : NULL;
    const struct side_row *any = before ? before : after;
    for (size_t i = 0; any && i < plan->n; i++) {
        struct difference d = {.domain = before ? before->domain : -1,
                               .life = before ? before->life : 0,
                               .after_domain = after ? after->domain : -1,
                               .after_life = after ? after->life : 0,
                               .vcpu = any->vcpu,
                               .pcpu = any->pcpu,
                               .name = any->name,
                               .of = plan->of[i],
                               .before = before ? before->values[i] : NAN,
                               .after = after ? after->values[i] : NAN,
                               .noise = NAN,
                               .p_value = NAN};
        if (plan->hidden[i] || has_nothing(c, &d, before, after))
            continue;
        if (c->options->wanted && !c->options->wanted(c->options->context, &d))
            continue;
        if (after)
            value_bounds(after, plan, i, &d.after_least, &d.after_most);
        if (!before || !after || isnan(d.before) || isnan(d.after))
            d.change = isnan(d.before) ? CHANGE_APPEARED : CHANGE_GONE;
        else
            judge(c, pair, i, &d);
        c->out->at[c->out->n++] = d;
    }
}

/* ---- who is the same ---- */

struct keyed {
    const struct side_subject *subject;
    const char *name; /* NULL: by id */
    size_t number;    /* of the domains of this name, or lives of this id: from 0 */
};

static int compare_keys(const struct keyed *a, const struct keyed *b)
{
    const struct side_row *x = &a->subject->whole, *y = &b->subject->whole;
    if (!a->name || !b->name)
        return a->name || b->name ? (a->name != NULL) - (b->name != NULL)
                                  : (x->domain > y->domain) - (x->domain < y->domain);
    return strcmp(a->name, b->name);
}

static int compare_in_side(const void *a, const void *b)
{
    const struct keyed *x = a, *y = b;
    const struct side_row *v = &x->subject->whole, *w = &y->subject->whole;
    int order = compare_keys(x, y);
    if (order == 0)
        order = life_compare(v->domain, v->life, w->domain, w->life);
    if (order == 0)
        order = (v->vcpu > w->vcpu) - (v->vcpu < w->vcpu);
    return order ? order : (v->pcpu > w->pcpu) - (v->pcpu < w->pcpu);
}

static int compare_over_sides(const struct keyed *a, const struct keyed *b)
{
    const struct side_row *v = &a->subject->whole, *w = &b->subject->whole;
    int order = compare_keys(a, b);
    if (order == 0)
        order = (a->number > b->number) - (a->number < b->number);
    if (order == 0)
        order = (v->vcpu > w->vcpu) - (v->vcpu < w->vcpu);
    return order ? order : (v->pcpu > w->pcpu) - (v->pcpu < w->pcpu);
}

/* The subjects of the side in the order of their keys, the caller's; NULL: no memory. */
static struct keyed *keys_of(const struct side *s, bool by_name, size_t *n)
{
    struct keyed *keys = calloc(s->n + 1, sizeof *keys);
    *n = 0;
    for (size_t i = 0; keys && i < s->n; i++)
        if (s->subjects[i]->seen)
            keys[(*n)++] = (struct keyed){s->subjects[i], by_name ? s->subjects[i]->whole.name : NULL, 0};
    if (keys && *n)
        qsort(keys, *n, sizeof *keys, compare_in_side);
    for (size_t i = 1; keys && i < *n; i++) {
        const struct side_row *x = &keys[i - 1].subject->whole, *y = &keys[i].subject->whole;
        if (compare_keys(&keys[i - 1], &keys[i]) == 0)
            keys[i].number = keys[i - 1].number + (life_compare(x->domain, x->life, y->domain, y->life) != 0);
    }
    return keys;
}

static bool compare_all(struct comparing *c)
{
    bool by_name = c->before->named && c->after->named;
    size_t n, m;
    struct keyed *x = keys_of(c->before, by_name, &n), *y = keys_of(c->after, by_name, &m);
    c->out->at = x && y ? calloc((n + m) * c->before->plan->n + 1, sizeof *c->out->at) : NULL;
    for (size_t i = 0, k = 0; c->out->at && (i < n || k < m);) {
        int order = i == n ? 1 : k == m ? -1 : compare_over_sides(&x[i], &y[k]);
        const struct subject_pair pair = {order <= 0 ? x[i].subject : NULL, order >= 0 ? y[k].subject : NULL};
        compare(c, &pair);
        i += order <= 0;
        k += order >= 0;
    }
    free(x);
    free(y);
    return c->out->at != NULL;
}

/* ---- all of them together ---- */

struct ranked {
    double p_value;
    size_t at;
};

static int compare_ranked(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;
    int order = (x->p_value > y->p_value) - (x->p_value < y->p_value);
    return order ? order : (x->at > y->at) - (x->at < y->at);
}

/* Adjusts the p-values, and marks what is significant. */
static bool adjust(const struct differences *d)
{
    struct ranked *ranked = malloc((d->n + 1) * sizeof *ranked);
    size_t *order = malloc((d->n + 1) * sizeof *order), n = 0;
    double *p = malloc((d->n + 1) * sizeof *p);
    bool ok = ranked && order && p;
    for (size_t i = 0; ok && i < d->n; i++) {
        p[i] = d->at[i].p_value;
        if (!isnan(p[i]))
            ranked[n++] = (struct ranked){p[i], i};
    }
    if (ok && n)
        qsort(ranked, n, sizeof *ranked, compare_ranked);
    for (size_t i = 0; ok && i < n; i++)
        order[i] = ranked[i].at;
    if (ok)
        noise_adjust(p, order, n);
    for (size_t i = 0; ok && i < d->n; i++) {
        d->at[i].p_value = p[i];
        if (d->at[i].change == CHANGE_NOISE && p[i] <= SIGNIFICANCE)
            d->at[i].change = CHANGE_SIGNIFICANT;
    }
    free(ranked);
    free(order);
    free(p);
    return ok;
}

/* Significant ones, then what appeared or is gone, then the rest. */
static int class_of(const struct difference *d)
{
    return d->change == CHANGE_SIGNIFICANT                            ? 0
           : d->change == CHANGE_APPEARED || d->change == CHANGE_GONE ? 1
                                                                      : 2;
}

static double size_of_change(const struct difference *d)
{
    double relative = relative_pct(d);
    return class_of(d) ? 0 : isnan(relative) ? INFINITY : fabs(relative);
}

static int compare_differences(const void *a, const void *b)
{
    const struct difference *x = a, *y = b;
    double p = size_of_change(x), q = size_of_change(y);
    int order = class_of(x) - class_of(y);
    if (order == 0)
        order = (p < q) - (p > q);
    if (order == 0)
        order = life_compare(
            x->domain >= 0 ? x->domain : x->after_domain, x->domain >= 0 ? x->life : x->after_life,
            y->domain >= 0 ? y->domain : y->after_domain, y->domain >= 0 ? y->life : y->after_life);
    if (order == 0)
        order = (x->after_domain > y->after_domain) - (x->after_domain < y->after_domain);
    if (order == 0)
        order = (x->vcpu > y->vcpu) - (x->vcpu < y->vcpu);
    if (order == 0)
        order = (x->pcpu > y->pcpu) - (x->pcpu < y->pcpu);
    return order ? order : (x->of > y->of) - (x->of < y->of);
}

bool differences_make(struct differences *d, const struct side *before, const struct side *after,
                      const struct difference_options *options)
{
    struct comparing c = {.before = before, .after = after, .options = options, .out = d};
    *d = (struct differences){0};
    c.same_length = side_lengths(before, after, &c.before_length, &c.after_length);
    if (!compare_all(&c) || !adjust(d))
        return false;
    if (d->n)
        qsort(d->at, d->n, sizeof *d->at, compare_differences);
    return true;
}
