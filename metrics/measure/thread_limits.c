#include "thread_limits.h"

/* Counts up to now_ns. */
static void settle(struct thread_limit *l, uint64_t now_ns)
{
    if (now_ns <= l->since_ns)
        return;
    if (l->mark_ns > l->since_ns && l->mark_ns <= now_ns)
        l->at_mark_ns = l->could_ns + l->vcpus * (l->mark_ns - l->since_ns);
    l->could_ns += l->vcpus * (now_ns - l->since_ns);
    l->since_ns = now_ns;
}

void thread_limit_count(struct thread_limit *l, uint64_t now_ns, int change)
{
    settle(l, now_ns);
    l->vcpus += (uint32_t)change;
}

void thread_limit_add(struct thread_limit *l, uint64_t ns)
{
    l->could_ns += ns;
}

void thread_limit_mark(struct thread_limit *l, uint64_t mark_ns)
{
    l->mark_ns = mark_ns;
}

bool thread_limit_end(struct thread_limit *l, uint64_t now_ns, bool last, struct thread_window *w)
{
    settle(l, now_ns);
    if (last) {
        l->mark_ns = now_ns;
        l->at_mark_ns = l->could_ns;
    }
    if (l->mark_ns <= l->begin_ns || l->mark_ns > now_ns)
        return false;
    *w = (struct thread_window){l->begin_ns, l->mark_ns, l->at_mark_ns - l->at_begin_ns};
    l->begin_ns = l->mark_ns;
    l->at_begin_ns = l->at_mark_ns;
    return true;
}
