/* Sources: Xen public/xen.h (hypercall numbers), xen/common/trace.c (HYPERCALL_V2), SVM and VMX exit reasons. */
#include "io_filter.h"

#include "record.h"

#define EXIT_REASON_VMCALL  18   /* VMX */
#define EXIT_REASON_VMMCALL 0x81 /* SVM */

const unsigned io_filtered_slots[] = {EVENT_WAKE,         EVENT_HYPERCALL_V2, EVENT_HYPERCALL_SUBCALL,
                                      EVENT_PV_HYPERCALL, EVENT_HVM_VMMCALL,  EVENT_UNRECOGNISED};
const unsigned io_slots[] = {EVENT_GRANT_MAP, EVENT_GRANT_UNMAP, EVENT_GRANT_TRANSFER, EVENT_UNRECOGNISED};

uint32_t record_hypercall(unsigned slot, const uint8_t *payload, unsigned words)
{
    if (words == 0)
        return UINT32_MAX;
    switch (slot) {
    case EVENT_HYPERCALL_V2:
    case EVENT_HYPERCALL_SUBCALL:
        return load32(payload) & 0xfffff; /* above: which arguments follow */
    case EVENT_PV_HYPERCALL:
        return load32(payload + 4 * (words - 1)); /* eip, eax */
    case EVENT_HVM_VMMCALL:
        return load32(payload); /* eax */
    default:
        return UINT32_MAX;
    }
}

bool record_tells_of_io(unsigned slot, const uint8_t *payload, unsigned words, bool sent)
{
    if (slot == EVENT_WAKE)
        return sent;
    uint32_t call = record_hypercall(slot, payload, words);
    if (call == HYPERCALL_GRANT_TABLE_OP)
        return words >= 3 && load32(payload + 4) == GNTTABOP_COPY;
    return call == HYPERCALL_EVENT_CHANNEL_OP || call == HYPERCALL_STACK_SWITCH;
}

bool record_sends(const uint8_t *record)
{
    uint32_t header = load32(record);
    unsigned slot = event_slot(header & 0x0fffffff), words = header >> 28 & 7;
    const uint8_t *payload = record_payload(record, header);
    bool exits = slot == EVENT_VMX_EXIT || slot == EVENT_SVM_EXIT;
    if (exits && words > 0)
        return load32(payload) == EXIT_REASON_VMCALL || load32(payload) == EXIT_REASON_VMMCALL;
    return record_hypercall(slot, payload, words) == HYPERCALL_EVENT_CHANNEL_OP;
}
