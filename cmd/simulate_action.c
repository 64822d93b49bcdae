#include "simulate_action.h"

#include <string.h>

#define KBIT_MAX    1000000000u
#define KBIT_DIGITS 10

/* A number from 1 to KBIT_MAX; 0: another text. */
static uint64_t kbit_of(const char *text)
{
    size_t n = strspn(text, "0123456789");
    uint64_t kbit = 0;
    if (text[n] || n > KBIT_DIGITS)
        return 0;
    for (size_t i = 0; i < n; i++)
        kbit = 10 * kbit + (uint64_t)(text[i] - '0');
    return kbit <= KBIT_MAX ? kbit : 0;
}

bool simulated_action_read(struct simulated_action *a, const char *text)
{
    static const char rate[] = "rate=";
    *a = (struct simulated_action){.disk = strcmp(text, "pause") == 0};
    if (strncmp(text, rate, strlen(rate)) == 0)
        a->bytes_per_s = kbit_of(text + strlen(rate)) * 1000 / 8;
    a->network = a->bytes_per_s > 0 || strcmp(text, "drop") == 0;
    return a->network || a->disk;
}
