/* true_document.h - what really happened, as a JSON document; its keys are an interface (xenmeter-scenario(5)). */
#ifndef XENMETER_SIM_TRUE_DOCUMENT_H
#define XENMETER_SIM_TRUE_DOCUMENT_H

#include <jansson.h>

#include "sim/host.h"

/* Of a host whose time is over. Without memory it is incomplete: see formats/json_memory.h. The caller owns it. */
json_t *true_document(const struct sim_host *host);

#endif
