#include "charge.h"

#include "adding.h"

/* Weights in units of one page copied. A notification stands for the request or packet that it announces. */
const double charge_default_weights[IO_KINDS] = {
    [IO_MAP] = 1,  [IO_UNMAP] = 1, [IO_TRANSFER] = 1, [IO_NOTIFY] = 8, [IO_COPY] = 1,
    [IO_TX] = 1.0, [IO_RX] = 1.1,  [IO_READ] = 1,     [IO_WRITE] = 1};

const enum charge_method charge_method_of_kind[IO_KINDS] = {
    [IO_MAP] = CHARGE_GRANTS,           [IO_UNMAP] = CHARGE_GRANTS, [IO_TRANSFER] = CHARGE_TRANSFERS,
    [IO_NOTIFY] = CHARGE_NOTIFICATIONS, [IO_COPY] = CHARGE_COPIES,  [IO_TX] = CHARGE_PACKETS,
    [IO_RX] = CHARGE_PACKETS,           [IO_READ] = CHARGE_PACKETS, [IO_WRITE] = CHARGE_PACKETS};

bool charge_methods_are_automatic(unsigned methods)
{
    unsigned events = methods & ~(unsigned)CHARGE_THREADS;
    return events == 0 || events & CHARGE_AUTO;
}

void charge_idd_merge(struct charge_idd *into, const struct charge_idd *from)
{
#define IDD_COUNT(KEY, MEMBER) into->MEMBER = add_count(into->MEMBER, from->MEMBER);
#include "charge.def"
}

void charge_guest_merge(struct charge_guest *into, const struct charge_guest *from)
{
#define GUEST_COUNT(KEY, MEMBER) into->MEMBER = add_count(into->MEMBER, from->MEMBER);
#define GUEST_FLAG(KEY, MEMBER)  into->MEMBER |= from->MEMBER;
#define GUEST_REAL(KEY, MEMBER)  into->MEMBER += from->MEMBER;
#include "charge.def"
}
