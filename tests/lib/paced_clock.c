/*
 * paced_clock SHARED STEPS - the time beside paced: for each line of its standard input "UTC_NS MONOTONIC_NS TSC BOOT_NS" of the tsc in
 * SHARED. STEPS: lines "TSC UTC_NS SUSPENDED_NS": from that tsc on the time of day is UTC_NS there, and goes on at 2.4 GHz; the machine was
 * suspended there for so long, while the tsc and MONOTONIC_NS did not go on.
 */
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define NS_OF(CYCLES) ((uint64_t)((double)(CYCLES) / 2.4))

static uint64_t shared_tsc(const char *path)
{
    uint64_t tsc = 0;
    FILE *f = fopen(path, "re");
    if (f) {
        if (fread(&tsc, sizeof tsc, 1, f) != 1)
            tsc = 0;
        fclose(f);
    }
    return tsc;
}

static uint64_t utc_of(const char *path, uint64_t tsc, uint64_t *suspended_ns)
{
    uint64_t from, utc_ns, slept_ns, now_ns = 0;
    FILE *f = fopen(path, "re");
    *suspended_ns = 0;
    while (f && fscanf(f, "%" SCNu64 " %" SCNu64 " %" SCNu64, &from, &utc_ns, &slept_ns) == 3)
        if (from <= tsc) {
            now_ns = utc_ns + NS_OF(tsc - from);
            *suspended_ns += slept_ns;
        }
    if (f)
        fclose(f);
    return now_ns;
}

int main(int argc, char **argv)
{
    char line[64];
    if (argc != 3)
        return 2;
    setvbuf(stdout, NULL, _IOLBF, 0);
    while (fgets(line, sizeof line, stdin)) {
        uint64_t tsc = shared_tsc(argv[1]), slept_ns, utc_ns = utc_of(argv[2], tsc, &slept_ns);
        printf("%" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", utc_ns, NS_OF(tsc), tsc,
               NS_OF(tsc) + slept_ns);
    }
    return 0;
}
