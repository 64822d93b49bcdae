/* What a simulated host can do about guests' I/O, by the names of a policy's actions. */
#ifndef XENMETER_CMD_SIMULATE_ACTION_H
#define XENMETER_CMD_SIMULATE_ACTION_H

#include <stdbool.h>
#include <stdint.h>

struct simulated_action {
    bool network, disk;
    uint64_t bytes_per_s; /* of the network; 0: nothing passes */
};

/* "drop", "rate=KBIT" (of the network), "pause" (of the disk). False: another text. */
bool simulated_action_read(struct simulated_action *a, const char *text);

#endif
