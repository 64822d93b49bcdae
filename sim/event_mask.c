/* Event masks, as xentrace -e takes them (tools/xentrace/xentrace.c, parse_evtmask). */
#include <stdlib.h>
#include <string.h>

#include "sim/scenario.h"

static const struct {
    const char *name;
    uint32_t mask;
} classes[] = {{"all", 0x0ffff000}, {"gen", 0x1f000},    {"sched", 0x2f000}, {"dom0op", 0x4f000},
               {"hvm", 0x8f000},    {"mem", 0x10f000},   {"pv", 0x20f000},   {"shadow", 0x40f000},
               {"hw", 0x80f000},    {"guest", 0x800f000}};

int scenario_parse_mask(const char *text, uint32_t *mask)
{
    char *end;
    for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++)
        if (strcmp(text, classes[i].name) == 0) {
            *mask = classes[i].mask;
            return 0;
        }
    if (text[0] < '0' || text[0] > '9')
        return -1;
    unsigned long value = strtoul(text, &end, 0);
    if (*end || value > UINT32_MAX)
        return -1;
    *mask = (uint32_t)value;
    return 0;
}
