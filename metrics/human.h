/* Numbers as text for people, in tables and in the reasons of the verdict. `to` has HUMAN_BYTES and is returned. */
#ifndef XENMETER_METRICS_HUMAN_H
#define XENMETER_METRICS_HUMAN_H

#include <stdint.h>

#define HUMAN_BYTES 32

char *human_count(char *to, uint64_t n);                  /* "506,244" */
char *human_duration(char *to, uint64_t ns);              /* "42 ns" "873.1 us" "12.34 ms" "3,600 s" */
char *human_bytes(char *to, uint64_t bytes);              /* "96 bytes" "161.7 kB" "5.4 MB" */
char *human_percent(char *to, double part, double whole); /* "12 %" "1.5 %" "0.03 %" "less than 0.01 %" */

#endif
