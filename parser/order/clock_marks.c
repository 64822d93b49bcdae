#include "clock_marks.h"

static uint32_t append(struct clock_marks *m, struct clock_mark mark)
{
    if (m->n == CLOCK_MARKS)
        return CLOCK_MARK_NONE;
    mark.next = CLOCK_MARK_NONE;
    m->marks[m->n] = mark;
    return m->n++;
}

uint32_t clock_marks_begin(struct clock_marks *m, uint64_t tsc, bool within)
{
    return append(m, (struct clock_mark){.tsc = tsc, .begins = true, .within = within});
}

uint32_t clock_marks_append(struct clock_marks *m, uint32_t after, uint64_t tsc, uint32_t ns, bool within)
{
    uint32_t mark =
        append(m, (struct clock_mark){.tsc = tsc, .ns = m->marks[after].ns + ns, .within = within});
    if (mark != CLOCK_MARK_NONE)
        m->marks[after].next = mark;
    return mark;
}

struct clock_cut clock_marks_cut(const struct clock_marks *m, double cycles, bool within, struct stretch *to)
{
    struct clock_cut cut = {0};
    for (uint32_t i = 0; i < m->n; i++) {
        if (!m->marks[i].begins)
            continue;
        const struct clock_mark *from = &m->marks[i];
        size_t before = cut.n;
        for (uint32_t k = from->next; k != CLOCK_MARK_NONE; k = m->marks[k].next) {
            const struct clock_mark *mark = &m->marks[k];
            double d = (double)(mark->tsc - from->tsc);
            if (d < cycles || (mark->within && !within))
                continue;
            to[cut.n++] = (struct stretch){d, (double)(uint32_t)(mark->ns - from->ns)};
            cut.cycles += d;
            from = mark;
        }
        cut.chains += cut.n > before;
    }
    return cut;
}

double clock_marks_longest(const struct clock_marks *m, double *all)
{
    double longest = 0;
    *all = 0;
    for (uint32_t i = 0; i < m->n; i++) {
        uint32_t last = i;
        while (m->marks[i].begins && m->marks[last].next != CLOCK_MARK_NONE)
            last = m->marks[last].next;
        double cycles = (double)(m->marks[last].tsc - m->marks[i].tsc);
        *all += cycles;
        if (cycles > longest)
            longest = cycles;
    }
    return longest;
}
