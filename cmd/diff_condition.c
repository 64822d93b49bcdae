/* Conditions of xenmeter diff: --fail-if 'wait_p99 +20% in web'. */
#include <ctype.h>
#include <fnmatch.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "diff.h"
#include "formats/table_cell.h"

/* ---- who ---- */

bool diff_is_of(const struct difference *d, const char *item, size_t n)
{
    char pattern[256];
    const char *text = item;
    size_t from, to;
    bool by_pcpu = d->domain < 0 && d->after_domain < 0;
    if (n > 0 && isdigit((unsigned char)*item) && range_below(&text, 65536, &from, &to) == 0 &&
        text == item + n) {
        int32_t before = by_pcpu ? d->pcpu : d->domain, after = by_pcpu ? d->pcpu : d->after_domain;
        return (before >= (int32_t)from && before <= (int32_t)to) ||
               (after >= (int32_t)from && after <= (int32_t)to);
    }
    snprintf(pattern, sizeof pattern, "%.*s", (int)n, item);
    return d->name && n < sizeof pattern && fnmatch(pattern, d->name, 0) == 0;
}

static bool is_about(const struct condition *c, const struct difference *d)
{
    return d->of == c->of && (!c->where || diff_is_of(d, c->where, strlen(c->where)));
}

/* ---- judging ---- */

enum condition_outcome { PASSES, FIRES, WITHIN_NOISE, CANNOT_TELL, ON_ONE_SIDE };

static bool change_exceeds(const struct condition *c, const struct difference *d)
{
    double change = d->after - d->before, least = c->relative ? d->before * c->limit / 100 : c->limit;
    if (change == 0 || (c->sign > 0 && change < 0) || (c->sign < 0 && change > 0))
        return false;
    return fabs(change) >= least * (1 - 1e-12);
}

static enum condition_outcome judge_change(const struct condition *c, const struct difference *d, bool any)
{
    if (d->change == CHANGE_APPEARED || d->change == CHANGE_GONE)
        return ON_ONE_SIDE;
    if (!change_exceeds(c, d))
        return PASSES;
    if (any || d->change == CHANGE_SIGNIFICANT)
        return FIRES;
    return d->change == CHANGE_NOISE ? WITHIN_NOISE : CANNOT_TELL;
}

static enum condition_outcome judge_level(const struct condition *c, const struct difference *d)
{
    if (isnan(d->after))
        return ON_ONE_SIDE;
    bool above = c->kind == CONDITION_ABOVE;
    bool surely = above ? d->after_least > c->limit : d->after_most < c->limit;
    bool perhaps = above ? d->after_most > c->limit : d->after_least < c->limit;
    return surely ? FIRES : perhaps ? CANNOT_TELL : PASSES;
}

static const char *cell(char to[CELL_BYTES], const char *column_name, const struct difference *d)
{
    const struct column *column = column_find(&relation_differences, column_name);
    const struct row_view view = {.row = d};
    struct value v = column_value(column, &view);
    struct scale scale = scale_of(column, 0, TIMES_RELATIVE);
    cell_of(to, column, &scale, v);
    return to;
}

/* "web: wait_p99_ns 5.73 ms -> 9.10 ms (+3.37 ms, +58.8 %; noise 1.2 ms; significant)" */
static void say(const struct condition *c, const char *outcome, const struct difference *d)
{
    char before[CELL_BYTES], after[CELL_BYTES], change[CELL_BYTES], relative[CELL_BYTES], noise[CELL_BYTES];
    char who[CELL_BYTES], vcpu[32] = "";
    bool by_pcpu = d->domain < 0 && d->after_domain < 0;
    if (d->name)
        snprintf(who, sizeof who, "%.200s", d->name);
    else
        snprintf(who, sizeof who, by_pcpu ? "pcpu %s" : "domain %s",
                 cell(before, by_pcpu ? "pcpu" : "domain", d));
    if (d->vcpu >= 0)
        snprintf(vcpu, sizeof vcpu, " vcpu %d", d->vcpu);
    complain("--fail-if '%s': %s: %s%s %s %s -> %s (%s, %s; noise %s; %s)", c->text, outcome, who, vcpu,
             d->of->name, cell(before, "before", d), cell(after, "after", d), cell(change, "difference", d),
             cell(relative, "relative_pct", d), cell(noise, "noise", d), change_words[d->change]);
}

static int cannot(const struct condition *c, const char *why)
{
    complain("--fail-if '%s': cannot be judged: %s", c->text, why);
    return EXIT_ERROR;
}

static enum condition_outcome judge(const struct condition *c, const struct difference *d, bool any)
{
    return c->kind == CONDITION_CHANGE ? judge_change(c, d, any) : judge_level(c, d);
}

/* Whether any row is of the domain that the condition names, whatever column it has. */
static bool is_known(const struct condition *c, const struct differences *d)
{
    bool any = !c->where && d->n > 0;
    for (size_t i = 0; i < d->n && !any; i++)
        any = diff_is_of(&d->at[i], c->where, strlen(c->where));
    return any;
}

int condition_judge(const struct condition *c, const struct differences *d, const char *poor, bool any,
                    bool quiet)
{
    static const char *const words[] = {[FIRES] = "fired",
                                        [WITHIN_NOISE] = "did not fire, within noise",
                                        [CANNOT_TELL] =
                                            "cannot be judged: too little is known, see its change",
                                        [ON_ONE_SIDE] = "cannot be judged: a value is missing"};
    char why[80];
    size_t seen[ON_ONE_SIDE + 1] = {0};
    snprintf(why, sizeof why, "the verdict of %s is poor", poor ? poor : "");
    if (poor)
        return cannot(c, why);
    for (size_t i = 0; i < d->n; i++) {
        if (!is_about(c, &d->at[i]))
            continue;
        enum condition_outcome outcome = judge(c, &d->at[i], any);
        seen[outcome]++;
        if (outcome != PASSES && (outcome != WITHIN_NOISE || !quiet))
            say(c, words[outcome], &d->at[i]);
    }
    bool missing = seen[ON_ONE_SIDE] > 0 && c->where;
    if (!is_known(c, d))
        return cannot(c, c->where ? "there is no such domain" : "there is nothing to compare");
    if (seen[PASSES] + seen[FIRES] + seen[WITHIN_NOISE] + seen[CANNOT_TELL] + missing == 0)
        return cannot(c, "no value of this column in both captures: no samples");
    if (seen[CANNOT_TELL] > 0 || missing)
        return EXIT_ERROR;
    return seen[FIRES] > 0 ? EXIT_FINDING : EXIT_DONE;
}
