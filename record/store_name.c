#include "record/store_name.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char *const endings[] = {".xma", ".xma.partial", ".xma.damaged"};

void store_name_put(const struct store_name *n, char to[STORE_NAME])
{
    time_t seconds = (time_t)(n->hour * 3600);
    struct tm t = {0};
    gmtime_r(&seconds, &t);
    snprintf(to, STORE_NAME, "%04u-%02u-%02uT%02uZ-%.8s-%04u%s", (unsigned)(t.tm_year + 1900) % 10000,
             (unsigned)(t.tm_mon + 1) % 100, (unsigned)t.tm_mday % 100, (unsigned)t.tm_hour % 100, n->boot,
             n->sequence % STORE_SEQUENCE, endings[n->state]);
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

static bool state_of(const char *ending, enum store_state *state)
{
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++)
        if (strcmp(ending, endings[i]) == 0) {
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

bool store_name_read(const char *name, struct store_name *n)
{
    int year, month, day, hour, sequence;
    const char *at = name;
    char again[STORE_NAME];
    *n = (struct store_name){0};
    if (!digits(&at, 4, &year) || !symbol(&at, '-') || !digits(&at, 2, &month) || !symbol(&at, '-') ||
        !digits(&at, 2, &day) || !symbol(&at, 'T') || !digits(&at, 2, &hour) || !symbol(&at, 'Z') ||
        !symbol(&at, '-') || !store_boot_of(at, n->boot))
        return false;
    at += STORE_BOOT - 1;
    if (!symbol(&at, '-') || !digits(&at, 4, &sequence) || !state_of(at, &n->state) || year < 1970 ||
        year > STORE_YEAR_MAX)
        return false;
    struct tm t = {.tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = day, .tm_hour = hour};
    n->hour = (uint64_t)timegm(&t) / 3600;
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
    return order ? order : ORDER(a->state, b->state);
}
