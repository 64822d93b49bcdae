#include "host/xl_line.h"

#include <ctype.h>
#include <string.h>

#define NUMBER_BYTES 10

/* The end of the line without blanks at its end. */
static size_t without_blanks(struct span line)
{
    while (line.n > 0 && isspace((unsigned char)line.at[line.n - 1]))
        line.n--;
    return line.n;
}

struct xl_line xl_line_cut(struct span line)
{
    struct xl_line l = {.n = 0};
    while (l.n < XL_LINE_WORDS && (line.n = without_blanks(line)) > 0) {
        size_t last = line.n;
        while (line.n > 0 && !isspace((unsigned char)line.at[line.n - 1]))
            line.n--;
        l.words[l.n++] = (struct span){line.at + line.n, last - line.n};
    }
    return l;
}

struct span xl_line_before(struct span line, struct span word)
{
    struct span before = {line.at, (size_t)(word.at - line.at)};
    before.n = without_blanks(before);
    while (before.n > 0 && isspace((unsigned char)*before.at)) {
        before.at++;
        before.n--;
    }
    return before;
}

bool span_is(struct span s, const char *word)
{
    return s.n == strlen(word) && memcmp(s.at, word, s.n) == 0;
}

bool span_consists_of(struct span s, const char *letters)
{
    for (size_t i = 0; i < s.n; i++)
        if (!s.at[i] || !strchr(letters, s.at[i]))
            return false;
    return s.n > 0;
}

bool span_number(struct span s, uint64_t end, uint64_t *number)
{
    if (s.n > NUMBER_BYTES || !span_consists_of(s, "0123456789"))
        return false;
    *number = 0;
    for (size_t i = 0; i < s.n; i++)
        *number = 10 * *number + (uint64_t)(s.at[i] - '0');
    return *number < end;
}

bool span_is_time(struct span s)
{
    return span_consists_of(s, "0123456789.") && *s.at != '.';
}

/* "-b----": a letter or a dash for each of six states; the fifth letter is why the domain was shut down. */
static bool is_state(struct span s)
{
    return s.n == 6 && span_consists_of(s, "rbpscdwS?-") && strchr("r-", *s.at);
}

bool xl_line_domain(const struct xl_line *line, size_t time, struct xl_domain *domain)
{
    const struct span *at = line->words + time;
    if (time + 4 >= line->n)
        return false;
    return span_is_time(at[0]) && is_state(at[1]) && span_number(at[2], XL_VCPUS_END, &domain->vcpus) &&
           span_number(at[3], UINT64_MAX, &domain->mib) && span_number(at[4], XL_DOMAINS_END, &domain->id);
}
