/* The states of a vCPU. */
#ifndef XENMETER_METRICS_MODEL_STATES_H
#define XENMETER_METRICS_MODEL_STATES_H

enum runstate { /* Xen's own numbers for the first four */
                RUNSTATE_RUNNING,
                RUNSTATE_RUNNABLE,
                RUNSTATE_BLOCKED,
                RUNSTATE_OFFLINE,
                RUNSTATE_UNKNOWN, /* not known: records were lost */
                RUNSTATES
};

#endif
