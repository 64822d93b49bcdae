/* Xen's tracing on this machine: hypercalls through libxencall, buffers through libxenforeignmemory. */
#include "host/xen_trace.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define PRIVCMD "/dev/xen/privcmd"

#if defined(HAVE_xencall) && defined(HAVE_xenforeignmemory)

#include <stddef.h>
#include <sys/mman.h>
#include <time.h>
#include <xen/trace.h>
#include <xen/xen.h>
#include <xencall.h>
#include <xenforeignmemory.h>

#include <xen/evtchn.h> /* Linux' header; it wants domid_t */

#include "host/io_clock.h"

#define EVTCHN     "/dev/xen/evtchn"
#define PAGE_BYTES 4096u
#define LIST_MOST  ((uint32_t)1 << 20) /* bytes of the list of buffers: mfn_offset has 16 bits, of words */
#define PCPUS_MOST 4096
#define LOOK_NS    2000000

/* Bytes of the list before the frames, for so many pCPUs. */
#define LIST_HEADER(PCPUS) (sizeof(uint16_t) * (1 + (PCPUS)))

struct calls {
    xencall_handle *calls;
    xenforeignmemory_handle *memory;
};

/* ---- hypercalls ---- */

/* Source: Xen public/sysctl.h, which C11 without GNU's extensions cannot include. */
enum { SYSCTL_TBUF_OP = 2 };
static const uint32_t commands[] = {[XEN_TRACE_GET_INFO] = 0,
                                    [XEN_TRACE_SET_EVENTS] = 2,
                                    [XEN_TRACE_ALL_PCPUS] = 1,
                                    [XEN_TRACE_ENABLE] = 4,
                                    [XEN_TRACE_DISABLE] = 5};

#define ALIGNED_8 __attribute__((aligned(8)))

struct xen_sysctl_tbuf_op {
    uint32_t cmd;
    struct {
        uint64_t bitmap ALIGNED_8;
        uint32_t nr_bits;
    } cpu_mask;
    uint32_t evt_mask;
    uint64_t buffer_mfn ALIGNED_8;
    uint32_t size;
};
struct xen_sysctl {
    uint32_t cmd, interface_version;
    union {
        struct xen_sysctl_tbuf_op tbuf_op;
        uint8_t pad[128];
    } u;
};
_Static_assert(sizeof(struct xen_sysctl) == 136 && offsetof(struct xen_sysctl, u.tbuf_op.evt_mask) == 32 &&
                   offsetof(struct xen_sysctl, u.tbuf_op.size) == 48,
               "as Xen has it");

/* What a hypercall reads and writes has to stay where it is in memory. */
struct tbuf_request {
    struct xen_sysctl sysctl;
    uint8_t pcpus[PCPUS_MOST / 8];
};

static int op(void *context, uint32_t version, enum xen_trace_op o, struct xen_trace_info *info)
{
    struct calls *c = context;
    struct tbuf_request *r = xencall_alloc_buffer(c->calls, sizeof *r);
    if (!r)
        return ENOMEM;
    memset(r, 0, sizeof *r);
    struct xen_sysctl_tbuf_op *tbuf = &r->sysctl.u.tbuf_op;
    r->sysctl.cmd = SYSCTL_TBUF_OP;
    r->sysctl.interface_version = version;
    tbuf->cmd = commands[o];
    tbuf->evt_mask = info->events;
    memset(r->pcpus, 0xff, sizeof r->pcpus);
    tbuf->cpu_mask.bitmap = (uintptr_t)r->pcpus;
    tbuf->cpu_mask.nr_bits = PCPUS_MOST;
    int error = xencall1(c->calls, __HYPERVISOR_sysctl, (uint64_t)(uintptr_t)&r->sysctl) < 0 ? errno : 0;
    if (error == 0 && o == XEN_TRACE_GET_INFO)
        *info = (struct xen_trace_info){tbuf->evt_mask, tbuf->buffer_mfn, tbuf->size};
    xencall_free_buffer(c->calls, r);
    return error;
}

/* ---- another tracer ---- */

/* VIRQ_TBUF can be bound once: the program that has bound it reads the buffers. */
static int is_taken(void *context, struct error *err)
{
    struct ioctl_evtchn_bind_virq bind = {.virq = VIRQ_TBUF};
    (void)context;
    int fd = open(EVTCHN, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return error_set(err, ERROR_IO, EVTCHN ": %s", strerror(errno));
    int error = ioctl(fd, IOCTL_EVTCHN_BIND_VIRQ, &bind) < 0 ? errno : 0;
    close(fd); /* it is free again */
    if (error == 0 || error == EEXIST)
        return error == EEXIST;
    return error_set(err, ERROR_IO, EVTCHN ": VIRQ_TBUF cannot be bound: %s", strerror(error));
}

/* ---- buffers ---- */

/* Maps pages of Xen's own; NULL with `err` filled. */
static void *map(const struct calls *c, const xen_pfn_t *frames, size_t n, int protection, struct error *err)
{
    void *at = xenforeignmemory_map(c->memory, DOMID_XEN, protection, n, frames, NULL);
    if (!at)
        error_set(err, ERROR_IO, "Xen's trace buffers cannot be mapped: %s", strerror(errno));
    return at;
}

/* The list says of each pCPU at which of its words the frames of the pCPU's buffer begin; 0: there is none. */
static size_t list_frames(const uint32_t *list, size_t words, xen_pfn_t frames[PCPUS_MOST])
{
    const struct t_info *info = (const struct t_info *)(const void *)list;
    size_t n = 0, first = words;
    for (size_t i = 0; i < PCPUS_MOST && LIST_HEADER(i + 1) <= first * sizeof *list; i++) {
        size_t at = info->mfn_offset[i];
        if (at == 0 || at >= words)
            continue;
        first = at < first ? at : first;
        frames[n++] = list[at];
    }
    return n;
}

/* The first pages of the buffers of n pCPUs, where Xen's position is; NULL with `err` filled. */
static struct t_buf *map_buffers(const struct calls *c, const struct xen_trace_info *info, size_t *n,
                                 struct error *err)
{
    size_t pages = info->list_bytes / PAGE_BYTES;
    if (info->list_bytes > LIST_MOST || info->list_bytes % PAGE_BYTES != 0) {
        error_set(err, ERROR_IO, "Xen's list of trace buffers has %u bytes", info->list_bytes);
        return NULL;
    }
    xen_pfn_t *frames = calloc(PCPUS_MOST, sizeof *frames);
    if (!frames) {
        error_no_memory(err, "Xen's trace buffers");
        return NULL;
    }
    for (size_t i = 0; i < pages; i++)
        frames[i] = (xen_pfn_t)(info->list_frame + i);
    void *list = map(c, frames, pages, PROT_READ, err), *buffers = NULL;
    if (list) {
        *n = list_frames(list, info->list_bytes / sizeof(uint32_t), frames);
        xenforeignmemory_unmap(c->memory, list, pages);
        buffers = map(c, frames, *n, PROT_READ | PROT_WRITE, err);
    }
    free(frames);
    return buffers;
}

static volatile struct t_buf *buffer_at(struct t_buf *buffers, size_t i)
{
    return (volatile struct t_buf *)(void *)((char *)buffers + i * PAGE_BYTES);
}

static int is_moving(void *context, const struct xen_trace_info *info, uint64_t limit_ns, struct error *err)
{
    const struct timespec look = {0, LOOK_NS};
    uint64_t until_ns = io_clock_ns() + limit_ns;
    size_t n = 0;
    int moving = 0;
    struct t_buf *buffers = map_buffers(context, info, &n, err);
    if (!buffers)
        return -1;
    for (size_t i = 0; i < n; i++) /* Xen writes to no buffer that is full */
        buffer_at(buffers, i)->cons = buffer_at(buffers, i)->prod;
    while (!moving && io_clock_ns() < until_ns) {
        nanosleep(&look, NULL);
        for (size_t i = 0; i < n; i++)
            moving |= buffer_at(buffers, i)->prod != buffer_at(buffers, i)->cons;
    }
    xenforeignmemory_unmap(((struct calls *)context)->memory, buffers, n);
    return moving;
}

/* ---- the whole ---- */

static int open_calls(struct xen_calls *c, struct error *err)
{
    struct calls *own = calloc(1, sizeof *own);
    if (!own)
        return error_no_memory(err, "Xen's hypercalls");
    own->calls = xencall_open(NULL, 0);
    own->memory = own->calls ? xenforeignmemory_open(NULL, 0) : NULL;
    *c = (struct xen_calls){own, op, is_taken, is_moving};
    if (own->memory)
        return 1;
    error_set(err, ERROR_IO, PRIVCMD ": %s", strerror(errno));
    xen_calls_close(c);
    return -1;
}

void xen_calls_close(struct xen_calls *c)
{
    struct calls *own = c->context;
    if (own && own->memory)
        xenforeignmemory_close(own->memory);
    if (own && own->calls)
        xencall_close(own->calls);
    free(own);
    *c = (struct xen_calls){0};
}

#else

static int open_calls(struct xen_calls *c, struct error *err)
{
    (void)c;
    return error_set(err, ERROR_IO, "this xenmeter was built without libxencall and libxenforeignmemory");
}

void xen_calls_close(struct xen_calls *c)
{
    *c = (struct xen_calls){0};
}

#endif

int xen_calls_host(struct xen_calls *c, struct error *err)
{
    *c = (struct xen_calls){0};
    return access(PRIVCMD, F_OK) == 0 ? open_calls(c, err) : 0;
}
