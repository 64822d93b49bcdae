#include "metrics/relation/executions.h"

#include "metrics/relation/relation_table.h"

const char *const wait_kind_words[] = {"", "wake", "preempt", NULL};
const char *const end_words[] = {"blocked", "preempted", "yielded",   "slept",
                                 "offline", "lost",      "trace_end", NULL};

static struct value domain_of(const struct row_view *v)
{
    const struct execution *e = v->row;
    return domain_id(e->domain, e->life);
}

static struct value domain_name_of(const struct row_view *v)
{
    const struct execution *e = v->row;
    return name_of(v, e->domain, e->life);
}

#define EXECUTION(NAME, KIND, TITLE, UNIT, FLAGS, TABLE, HELP)
#define TIME_OF(NAME, MEMBER, TITLE, HELP)                                                                   \
    static struct value get_##NAME(const struct row_view *v) {                                               \
        return value_moment(v->moments, ((const struct execution *)v->row)->MEMBER);                         \
    }
#include "metrics/relation/executions.def"

#define E              struct execution
#define DOMAIN_ID(M)   .get = domain_of
#define LIFE(M)        COLUMN_KNOWN(E, M, U32, NOT, 0)
#define VCPU(M)        COLUMN_KNOWN(E, M, I32, NOT, -1)
#define PCPU(M)        COLUMN_KNOWN(E, M, I32, NOT, -1)
#define NS(M)          COLUMN_MEMBER(E, M, U64, NOT)
#define KNOWN(M)       COLUMN_KNOWN(E, M, U64, NOT, NS_UNKNOWN)
#define WORDS(M)       COLUMN_MEMBER(E, M, NAME, NOT), .words = M##_words
#define KNOWN_WORDS(M) COLUMN_KNOWN(E, M, NAME, NOT, 0), .words = M##_words

static const struct column columns[] = {
#define EXECUTION(NAME, KIND, TITLE, UNIT, FLAGS, TABLE, HELP)                                               \
    {COLUMN_HEAD(NAME, TITLE, UNIT, 0, FLAGS, TABLE, HELP), KIND(NAME)},
#define NAME_OF(NAME, TITLE, FLAGS, TABLE, HELP)                                                             \
    {COLUMN_HEAD(NAME, TITLE, NONE, 0, FLAGS, TABLE, HELP), .get = domain_name_of},
#define TIME_OF(NAME, MEMBER, TITLE, HELP)                                                                   \
    {COLUMN_HEAD(NAME, TITLE, NONE, 0, COLUMN_TIMES | COLUMN_TEXT, 0, HELP), .get = get_##NAME},
#include "metrics/relation/executions.def"
};

const struct relation relation_executions = {
    .name = "execution",
    .title = "executions (-g execution)",
    .table = "executions",
    .row_size = sizeof(struct execution),
    .columns = columns,
    .columns_n = sizeof columns / sizeof *columns,
    .plain = true,
    .own_times = true,
};
