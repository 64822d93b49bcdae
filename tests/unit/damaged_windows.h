/*
 * Damage to the windows of a capture: what sweeps, clocks, cuts and joined captures may do to them, and what they may not. Most
 * of it keeps the framing. Everything follows from the random numbers.
 */
#ifndef XENMETER_TESTS_UNIT_DAMAGED_WINDOWS_H
#define XENMETER_TESTS_UNIT_DAMAGED_WINDOWS_H

#include <stddef.h>
#include <stdint.h>

/*
 * Damages one window, or several, of the n bytes of a capture: times move, windows are dropped, repeated, exchanged, cut short or
 * given to another pCPU. Returns the new length, at most `room`; n where there is no window.
 */
size_t damage_windows(uint8_t *trace, size_t n, size_t room, uint64_t *random);

#endif
