#include "sim/disk.h"

#include <stdlib.h>

#include "sim/emit.h"
#include "sim/kernel.h"
#include "sim/pcpu.h"

enum { DISK_IRQ = 31, PAGE = 4096, KIB = 1024 };

struct block_request {
    struct sim_disk_user *user;
    uint32_t bytes;
    bool writes;
    uint64_t complete_ns; /* at the disk */
};

/* Requests go round: from the ring, to the disk, back to the guest; each stage is a range of one queue. */
struct sim_vbd {
    struct sim_pair *pair;
    bool held; /* the thread is paused: no requests are taken */
    struct block_request requests[DISK_DEPTH_MAX];
    uint32_t first;        /* the oldest one in use */
    uint32_t answered;     /* from `first`: complete for the guest, which has not seen them */
    uint32_t completed;    /* then: the disk is done, the driver domain has not answered */
    uint32_t submitted;    /* then: at the disk */
    uint32_t asked;        /* then: in the ring */
    uint32_t batch;        /* of `asked`: in the thread's hands */
    uint64_t free_ns;      /* when the disk has transferred all it was given */
    uint32_t pages_mapped; /* that are mapped for good */
    bool thread_sleeps;    /* the driver domain wants to hear of requests */
    bool guest_sleeps;     /* the guest wants to hear of answers */
    struct sim_timer disk;
    struct sim_task interrupt, thread, completion, guest_interrupt;
};

static const struct scenario_driver *costs(const struct sim_vbd *vbd)
{
    return vbd->pair->driver->plan;
}

static struct block_request *request_at(struct sim_vbd *vbd, uint32_t i)
{
    return &vbd->requests[(vbd->first + i) % DISK_DEPTH_MAX];
}

static uint32_t pages_of(const struct block_request *r)
{
    return (r->bytes + PAGE - 1) / PAGE;
}

static uint32_t in_use(const struct sim_vbd *vbd)
{
    return vbd->answered + vbd->completed + vbd->submitted + vbd->asked;
}

uint32_t disk_room(const struct sim_vbd *vbd)
{
    return DISK_DEPTH_MAX - in_use(vbd);
}

/* ---- the guest ---- */

void disk_request(struct sim_vbd *vbd, struct sim_disk_user *user, uint32_t bytes, bool writes)
{
    *request_at(vbd, in_use(vbd)) = (struct block_request){.user = user, .bytes = bytes, .writes = writes};
    vbd->asked++;
    if (!vbd->thread_sleeps)
        return;
    vbd->thread_sleeps = false;
    event_channel_send(user->task->vcpu->pcpu, &vbd->interrupt);
}

/* The guest has the answer. */
static void count_done(struct sim_host *host, const struct sim_vbd *vbd, const struct block_request *r,
                       uint64_t now_ns)
{
    const struct sim_domain *guest = vbd->pair->guest;
    domain_did(host, guest, DONE_DISK_REQUESTS, now_ns, 1);
    domain_did(host, guest, r->writes ? DONE_DISK_WRITES : DONE_DISK_READS, now_ns, 1);
    domain_did(host, guest, r->writes ? DONE_DISK_BYTES_WRITTEN : DONE_DISK_BYTES_READ, now_ns, r->bytes);
}

static void guest_interrupt_step(struct sim_host *host, struct sim_task *task)
{
    struct sim_vbd *vbd = task->context;
    struct sim_domain *guest = vbd->pair->guest;
    if (task_works_first(task, guest->plan->interrupt_ns, guest->own_cell))
        return;
    for (; vbd->answered > 0; vbd->answered--) {
        const struct block_request *r = request_at(vbd, 0);
        count_done(host, vbd, r, task->vcpu->pcpu->clock_ns);
        r->user->done++;
        task_wake(r->user->task);
        vbd->first = (vbd->first + 1) % DISK_DEPTH_MAX;
    }
    vbd->guest_sleeps = true;
}

/* ---- the driver domain ---- */

static void interrupt_step(struct sim_host *host, struct sim_task *task)
{
    struct sim_vbd *vbd = task->context;
    (void)host;
    if (!task_works_first(task, costs(vbd)->interrupt_ns, pair_cell(vbd->pair, WORK_INTERRUPT)))
        task_wake(&vbd->thread);
}

static void emit_pages(struct sim_pcpu *pcpu, uint32_t command, enum trace_event event,
                       const struct sim_vbd *vbd, uint32_t pages)
{
    emit_grant_op(pcpu, command, pages);
    for (uint32_t i = 0; i < pages; i++)
        EMIT(pcpu, event, vbd->pair->guest->id);
}

/* Pages that the requests in the thread's hands need, and that are not mapped yet. */
static void map_pages(struct sim_vbd *vbd, struct sim_pcpu *pcpu)
{
    uint32_t pages = 0, before = vbd->answered + vbd->completed + vbd->submitted;
    for (uint32_t i = 0; i < vbd->batch; i++)
        pages += pages_of(request_at(vbd, before + i));
    if (costs(vbd)->persistent_grants) {
        uint32_t more = pages > vbd->pages_mapped ? pages - vbd->pages_mapped : 0;
        vbd->pages_mapped += more;
        pages = more;
    }
    if (pages > 0)
        emit_pages(pcpu, GNTTABOP_MAP, TRC_PAGE_GRANT_MAP, vbd, pages);
}

/* With persistent grants the thread copies; without, it maps. What is written costs more. */
static uint64_t thread_ns(struct sim_vbd *vbd)
{
    uint64_t bytes = 0, written = 0;
    uint32_t before = vbd->answered + vbd->completed + vbd->submitted;
    for (uint32_t i = 0; i < vbd->batch; i++) {
        const struct block_request *r = request_at(vbd, before + i);
        bytes += r->bytes;
        written += r->writes ? r->bytes : 0;
    }
    uint64_t copy_ns = costs(vbd)->persistent_grants ? bytes * costs(vbd)->copy_kib_ns / KIB : 0;
    return costs(vbd)->batch_ns + vbd->batch * costs(vbd)->disk_request_ns + copy_ns +
           written * costs(vbd)->disk_write_kib_ns / KIB;
}

/* The requests in the thread's hands go to the disk. */
static void submit(struct sim_host *host, struct sim_vbd *vbd, uint64_t now_ns)
{
    for (; vbd->batch > 0; vbd->batch--) {
        struct block_request *r = request_at(vbd, vbd->answered + vbd->completed + vbd->submitted);
        uint64_t begin = vbd->free_ns > now_ns ? vbd->free_ns : now_ns;
        vbd->free_ns = begin + (uint64_t)((double)r->bytes * 1e9 / (costs(vbd)->disk_mib_per_s * KIB * KIB));
        r->complete_ns = vbd->free_ns + costs(vbd)->disk_latency_ns;
        vbd->pair->counted[r->writes ? COUNT_WRITES : COUNT_READS]++;
        vbd->asked--;
        if (vbd->submitted++ == 0)
            host_set_timer(host, &vbd->disk, r->complete_ns);
    }
}

static void thread_step(struct sim_host *host, struct sim_task *task)
{
    struct sim_vbd *vbd = task->context;
    struct sim_pcpu *pcpu = task->vcpu->pcpu;
    if (vbd->batch > 0)
        submit(host, vbd, pcpu->clock_ns);
    vbd->batch = vbd->held ? 0 : vbd->asked;
    vbd->thread_sleeps = vbd->batch == 0 && !vbd->held;
    if (vbd->batch == 0)
        return;
    map_pages(vbd, pcpu);
    task_work(task, thread_ns(vbd), pair_cell(vbd->pair, WORK_DISK));
}

void disk_hold(struct sim_vbd *vbd, const struct sim_hold *hold, uint64_t now_ns)
{
    struct sim_pcpu *pcpu = vbd->interrupt.vcpu->pcpu;
    bool goes_on = vbd->held && !hold->pauses_disk;
    vbd->held = hold->pauses_disk;
    task_set_low(&vbd->thread, hold->low_priority);
    if (!goes_on)
        return;
    pcpu_enter(pcpu, now_ns);
    interrupt_raise(pcpu, &vbd->interrupt);
    pcpu_leave(pcpu);
}

/* The disk has completed one request, or several at once. */
static void disk_due(struct sim_host *host, void *context, uint64_t now_ns)
{
    struct sim_vbd *vbd = context;
    while (vbd->submitted > 0) {
        const struct block_request *next = request_at(vbd, vbd->answered + vbd->completed);
        if (next->complete_ns > now_ns) {
            host_set_timer(host, &vbd->disk, next->complete_ns);
            break;
        }
        vbd->submitted--;
        vbd->completed++;
    }
    device_interrupt(host, DISK_IRQ, &vbd->completion, now_ns);
}

/* As Linux' blkback does for each request that is done: it also asks to unmap no pages at all, where they stay mapped. */
static void unmap_pages(struct sim_vbd *vbd, struct sim_pcpu *pcpu)
{
    uint32_t pages = costs(vbd)->persistent_grants ? 0 : pages_of(request_at(vbd, vbd->answered));
    emit_pages(pcpu, GNTTABOP_UNMAP, TRC_PAGE_GRANT_UNMAP, vbd, pages);
}

static void completion_step(struct sim_host *host, struct sim_task *task)
{
    struct sim_vbd *vbd = task->context;
    struct sim_vcpu *v = task->vcpu;
    (void)host;
    if (task_works_first(task, vbd->completed * costs(vbd)->disk_completion_ns,
                         pair_cell(vbd->pair, WORK_INTERRUPT)))
        return;
    for (; vbd->completed > 0; vbd->completed--, vbd->answered++)
        unmap_pages(vbd, v->pcpu);
    if (vbd->answered == 0 || !vbd->guest_sleeps)
        return;
    vbd->guest_sleeps = false;
    event_channel_send(v->pcpu, &vbd->guest_interrupt);
}

/* ---- building ---- */

static bool make_tasks(struct sim_host *host, struct sim_vbd *vbd)
{
    struct sim_vcpu *driver = vbd->pair->driver_vcpu, *guest = vbd->pair->guest_vcpu;
    vbd->disk = (struct sim_timer){.due = disk_due, .context = vbd};
    return host_add_timer(host, &vbd->disk) &&
           task_init(&vbd->interrupt, driver, TASK_INTERRUPT, interrupt_step, vbd) &&
           task_init(&vbd->completion, driver, TASK_INTERRUPT, completion_step, vbd) &&
           task_init(&vbd->thread, driver, TASK_THREAD, thread_step, vbd) &&
           task_init(&vbd->guest_interrupt, guest, TASK_INTERRUPT, guest_interrupt_step, vbd);
}

struct sim_vbd *disk_vbd(struct sim_host *host, struct sim_domain *guest, struct sim_driver *driver)
{
    struct sim_pair *pair = driver_pair(host, guest, driver);
    if (!pair || pair->vbd)
        return pair ? pair->vbd : NULL;
    struct sim_vbd *vbd = pair->vbd = calloc(1, sizeof *vbd);
    if (!vbd)
        return NULL;
    vbd->pair = pair;
    vbd->thread_sleeps = vbd->guest_sleeps = true;
    return make_tasks(host, vbd) ? vbd : NULL;
}

void disk_vbd_free(struct sim_vbd *vbd)
{
    free(vbd);
}
