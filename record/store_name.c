#include "record/store_name.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ENDINGS 4
static const char *const endings[2][ENDINGS] = {{".xma", ".xma.partial", ".xma.damaged", NULL},
                                                {".xt", ".xt.partial", ".xt.damaged", ".json"}};

void store_name_put(const struct store_name *n, char to[STORE_NAME])
{
    time_t seconds = (time_t)(n->hour * 3600);
    struct tm t = {0};
    char within[8] = "";
    gmtime_r(&seconds, &t);
    if (n->dump)
        snprintf(within, sizeof within, "%02u%02u", n->second / 60 % 60, n->second % 60);
    snprintf(to, STORE_NAME, "%04u-%02u-%02uT%02u%sZ-%.8s-%04u%s", (unsigned)(t.tm_year + 1900) % 10000,
             (unsigned)(t.tm_mon + 1) % 100, (unsigned)t.tm_mday % 100, (unsigned)t.tm_hour % 100, within,
             n->boot, n->sequence % STORE_SEQUENCE, endings[n->dump][n->state]);
}

/* A number of exactly that many digits, after which *at moves on. False: there is none. */
static bool digits(const char **at, int n, int *value)
{
    *value = 0;
    for (int i = 0; i < n; i++, (*at)++) {
        if (**at < '0' || **at > '9')
            return false;
        *value = *value * 10 + (**at - '0');
    }
    return true;
}

static bool symbol(const char **at, char c)
{
    return *(*at)++ == c;
}

static bool state_of(const char *ending, bool dump, enum store_state *state)
{
    for (size_t i = 0; i < ENDINGS; i++)
        if (endings[dump][i] && strcmp(ending, endings[dump][i]) == 0) {
            *state = (enum store_state)i;
            return true;
        }
    return false;
}

bool store_boot_of(const char *boot_id, char boot[STORE_BOOT])
{
    size_t n = 0;
    for (; n < STORE_BOOT - 1 && isxdigit((unsigned char)boot_id[n]); n++)
        boot[n] = (char)tolower((unsigned char)boot_id[n]);
    boot[n] = '\0';
    return n == STORE_BOOT - 1;
}

/* "2026-11-29T07", and of a dump "1233". */
static bool time_of(const char **at, bool dump, struct store_name *n)
{
    int year, month, day, hour, minute = 0, second = 0;
    if (!digits(at, 4, &year) || !symbol(at, '-') || !digits(at, 2, &month) || !symbol(at, '-') ||
        !digits(at, 2, &day) || !symbol(at, 'T') || !digits(at, 2, &hour) ||
        (dump && (!digits(at, 2, &minute) || !digits(at, 2, &second))) || year < 1970 ||
        year > STORE_YEAR_MAX)
        return false;
    struct tm t = {.tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = day, .tm_hour = hour};
    n->hour = (uint64_t)timegm(&t) / 3600;
    n->second = (unsigned)(minute * 60 + second);
    return true;
}

bool store_name_read(const char *name, bool dump, struct store_name *n)
{
    int sequence;
    const char *at = name;
    char again[STORE_NAME];
    *n = (struct store_name){.dump = dump};
    if (!time_of(&at, dump, n) || !symbol(&at, 'Z') || !symbol(&at, '-') || !store_boot_of(at, n->boot))
        return false;
    at += STORE_BOOT - 1;
    if (!symbol(&at, '-') || !digits(&at, 4, &sequence) || !state_of(at, dump, &n->state))
        return false;
    n->sequence = (unsigned)sequence;
    store_name_put(n, again);
    return strcmp(again, name) == 0; /* a day or an hour that there is, and no upper case */
}

#define ORDER(A, B) (((A) > (B)) - ((A) < (B)))

int store_name_compare(const struct store_name *a, const struct store_name *b)
{
    int order = ORDER(a->hour, b->hour);
    order = order ? order : ORDER(a->dump, b->dump);
    order = order ? order : strcmp(a->boot, b->boot);
    order = order ? order : ORDER(a->sequence, b->sequence);
    order = order ? order : ORDER(a->second, b->second);
    return order ? order : ORDER(a->state, b->state);
}

bool store_name_same(const struct store_name *a, const struct store_name *b)
{
    struct store_name other = *b;
    other.state = a->state;
    return store_name_compare(a, &other) == 0;
}
