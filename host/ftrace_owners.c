#include "ftrace_owners.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io_names.h"
#include "metrics/array.h"
#include "metrics/measure/dom0_trace.h"

/* What a recording says of a task. */
struct known_task {
    char name[TASK_NAME_BYTES];
    uint32_t owner;
};

/* The same of an interface that was renamed. */
struct known_device {
    char name[32];
    uint16_t domain;
};

struct ftrace_owners {
    /* By pid; pages that nobody touches cost no memory. */
    uint32_t *seen;  /* owner + 1 by the name seen last; 0: none */
    uint32_t *known; /* index in `tasks` + 1; 0: none */
    struct known_task *tasks;
    size_t tasks_n, tasks_capacity;
    struct known_device *devices; /* the last one of a name counts */
    size_t devices_n, devices_capacity;
    uint32_t *irqs; /* by number: owner + 1 as the recording says, or an open one; 0: neither */
    size_t irqs_n;
    uint32_t *opened; /* by owner - OWNER_FIRST_OPEN: what it turned out to be */
    size_t opened_n, opened_capacity;
    bool failed;
};

struct ftrace_owners *ftrace_owners_new(void)
{
    struct ftrace_owners *o = calloc(1, sizeof *o);
    if (!o)
        return NULL;
    o->seen = calloc(FTRACE_PIDS_MAX, sizeof *o->seen);
    o->known = calloc(FTRACE_PIDS_MAX, sizeof *o->known);
    if (o->seen && o->known)
        return o;
    ftrace_owners_free(o);
    return NULL;
}

void ftrace_owners_free(struct ftrace_owners *o)
{
    if (!o)
        return;
    free(o->seen);
    free(o->known);
    free(o->tasks);
    free(o->devices);
    free(o->irqs);
    free(o->opened);
    free(o);
}

bool ftrace_owners_failed(const struct ftrace_owners *o)
{
    return o->failed;
}

/* ---- names ---- */

static bool begins(const char *name, const char *with)
{
    return strncmp(name, with, strlen(with)) == 0;
}

/* The guest of an interface that was renamed, whose name has n characters. */
static unsigned long owner_of_interface(const void *context, const char *name, size_t n)
{
    const struct ftrace_owners *o = context;
    for (size_t i = o->devices_n; i-- > 0;)
        if (strncmp(o->devices[i].name, name, n) == 0 && !o->devices[i].name[n])
            return o->devices[i].domain;
    return IO_NO_DOMAIN;
}

/* "qemu-dm-3", as XenServer calls its device models. */
static unsigned long domain_of_model(const char *name)
{
    static const char prefix[] = "qemu-dm-";
    const char *digits = name + sizeof prefix - 1;
    if (!begins(name, prefix) || !*digits || digits[strspn(digits, "0123456789")] || strlen(digits) > 5)
        return IO_NO_DOMAIN;
    return strtoul(digits, NULL, 10);
}

/* Those that work for guests without saying for which. */
static bool serves_guests(const char *name)
{
    return begins(name, "qemu") || begins(name, "tapdisk") || begins(name, "netback/");
}

/* "irq/48-virtio3-r", where the kernel handles interrupts in threads; the name may be cut. */
static uint32_t owner_of_irq_thread(struct ftrace_owners *o, const char *name)
{
    char *rest;
    unsigned long irq = strtoul(name + strlen("irq/"), &rest, 10);
    uint32_t owner =
        *rest == '-' && irq < IRQS_MAX ? ftrace_owners_irq(o, (uint32_t)irq, rest + 1) : WORK_OWN;
    return ftrace_owners_resolve(o, owner);
}

static uint32_t owner_by_name(struct ftrace_owners *o, const char *name)
{
    enum io_work work;
    if (begins(name, "irq/"))
        return owner_of_irq_thread(o, name);
    const struct io_interfaces interfaces = {o, owner_of_interface};
    unsigned long domain = io_name_thread(name, &interfaces, &work);
    if (domain == IO_NO_DOMAIN)
        domain = domain_of_model(name);
    return domain <= UINT16_MAX ? (uint32_t)domain : serves_guests(name) ? WORK_UNKNOWN : WORK_OWN;
}

/* ---- devices ---- */

bool ftrace_owners_set_device(struct ftrace_owners *o, const char *name, uint16_t domain)
{
    if (!array_make_room(&o->devices, &o->devices_capacity, o->devices_n + 1, sizeof *o->devices))
        return false;
    snprintf(o->devices[o->devices_n].name, sizeof o->devices->name, "%s", name);
    o->devices[o->devices_n++].domain = domain;
    return true;
}

uint32_t ftrace_owners_device(const struct ftrace_owners *o, const char *name)
{
    unsigned long pair[2];
    const char *rest = io_name_pair(name, "vif", '.', pair);
    if (rest && !isalnum((unsigned char)*rest))
        return (uint32_t)pair[0];
    for (size_t i = o->devices_n; i-- > 0;) {
        size_t n = strlen(o->devices[i].name);
        if (strncmp(o->devices[i].name, name, n) == 0 && strchr("- ", name[n]))
            return o->devices[i].domain;
    }
    return WORK_OWN;
}

/* ---- tasks ---- */

bool ftrace_owners_set_task(struct ftrace_owners *o, const struct ftrace_task *task, uint32_t owner)
{
    if (task->pid == 0 || task->pid >= FTRACE_PIDS_MAX)
        return true;
    if (o->known[task->pid] == 0) {
        if (!array_make_room(&o->tasks, &o->tasks_capacity, o->tasks_n + 1, sizeof *o->tasks))
            return false;
        o->known[task->pid] = (uint32_t)++o->tasks_n;
    }
    struct known_task *known = &o->tasks[o->known[task->pid] - 1];
    memcpy(known->name, task->name, sizeof known->name);
    known->owner = owner;
    return true;
}

uint32_t ftrace_owners_task(struct ftrace_owners *o, const struct ftrace_task *task)
{
    if (task->pid == 0)
        return WORK_SCHED;
    if (task->pid >= FTRACE_PIDS_MAX)
        return owner_by_name(o, task->name);
    if (strcmp(task->name, "<...>") == 0)
        return o->seen[task->pid] ? o->seen[task->pid] - 1 : WORK_UNKNOWN;
    uint32_t known = o->known[task->pid];
    bool same = known && strcmp(o->tasks[known - 1].name, task->name) == 0;
    uint32_t owner = same ? o->tasks[known - 1].owner : owner_by_name(o, task->name);
    o->seen[task->pid] = owner + 1;
    return owner;
}

/* ---- interrupts ---- */

static bool reserve_irq(struct ftrace_owners *o, uint32_t irq)
{
    bool room = irq < IRQS_MAX && array_make_room(&o->irqs, &o->irqs_n, irq + 1, sizeof *o->irqs);
    o->failed |= !room;
    return room;
}

bool ftrace_owners_set_irq(struct ftrace_owners *o, uint32_t irq, uint32_t owner)
{
    if (!reserve_irq(o, irq))
        return false;
    o->irqs[irq] = owner + 1;
    return true;
}

bool ftrace_owners_is_disk(const struct ftrace_owners *o, uint32_t irq)
{
    return irq < o->irqs_n && o->irqs[irq] > 0 && o->irqs[irq] - 1 < OWNER_FIRST_OPEN;
}

/* A new open owner of the interrupt. */
static uint32_t open_owner(struct ftrace_owners *o, uint32_t irq, uint32_t turned_out)
{
    if (!array_make_room(&o->opened, &o->opened_capacity, o->opened_n + 1, sizeof *o->opened) ||
        !reserve_irq(o, irq)) {
        o->failed = true;
        return WORK_UNKNOWN;
    }
    o->opened[o->opened_n] = turned_out;
    uint32_t owner = OWNER_FIRST_OPEN + (uint32_t)o->opened_n++;
    o->irqs[irq] = owner + 1;
    return owner;
}

/* Event channels of backends and of processes that serve guests: their names tell no guest. */
static bool is_open(const char *name)
{
    return begins(name, "blkif-backend") || begins(name, "vscsiif-backend") || begins(name, "evtchn:qemu") ||
           begins(name, "evtchn:tapdisk");
}

/* Ticks, and messages from one CPU to another: "timer0", "resched1", "callfuncsingle0". */
static bool is_of_scheduler(const char *name)
{
    return begins(name, "timer") || begins(name, "resched") || begins(name, "callfunc");
}

uint32_t ftrace_owners_irq(struct ftrace_owners *o, uint32_t irq, const char *name)
{
    uint32_t guest = ftrace_owners_device(o, name);
    if (guest != WORK_OWN)
        return guest;
    uint32_t known = irq < o->irqs_n ? o->irqs[irq] : 0;
    if (known && (known - 1 < OWNER_FIRST_OPEN || is_open(name)))
        return known - 1;
    if (is_open(name))
        return open_owner(o, irq, WORK_UNKNOWN);
    return is_of_scheduler(name) ? WORK_SCHED : WORK_OWN;
}

uint32_t ftrace_owners_learn(struct ftrace_owners *o, uint32_t irq, uint32_t owner, uint32_t guest)
{
    if (owner < OWNER_FIRST_OPEN)
        return owner;
    uint32_t *turned_out = &o->opened[owner - OWNER_FIRST_OPEN];
    if (*turned_out == WORK_UNKNOWN)
        *turned_out = guest;
    return *turned_out == guest ? owner : open_owner(o, irq, guest);
}

uint32_t ftrace_owners_resolve(const struct ftrace_owners *o, uint32_t owner)
{
    return owner < OWNER_FIRST_OPEN ? owner : o->opened[owner - OWNER_FIRST_OPEN];
}
