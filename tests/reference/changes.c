#include "tests/reference/changes.h"

#include <stdlib.h>
#include <string.h>

#define LOST_RECORDS     0x0001f001u
#define RUNSTATE         0x00021001u /* | old << 8 | new << 4 */
#define RUNSTATE_STATES  0x00000330u
#define CONTINUE_RUNNING 0x00021002u
#define SLEEP            0x00028003u
#define WAKE             0x00028004u
#define YIELD            0x00028005u
#define BLOCK            0x00028006u
#define SWITCH           0x0002800au

#define PCPUS 4096

static bool is_runstate(const struct ref_record *r)
{
    return (r->number & ~RUNSTATE_STATES) == RUNSTATE && r->words_n >= 1;
}

static struct ref_vcpu *vcpu_of(struct ref_host *h, uint32_t domain, uint32_t id)
{
    for (size_t i = 0; i < h->vcpus_n; i++)
        if (h->vcpus[i].domain == domain && h->vcpus[i].id == id)
            return &h->vcpus[i];
    h->vcpus = realloc(h->vcpus, (h->vcpus_n + 1) * sizeof *h->vcpus);
    if (!h->vcpus)
        abort();
    h->vcpus[h->vcpus_n] = (struct ref_vcpu){.domain = domain, .id = id};
    return &h->vcpus[h->vcpus_n++];
}

static void add(struct ref_vcpu *v, struct ref_change c)
{
    v->changes = realloc(v->changes, (v->changes_n + 1) * sizeof *v->changes);
    if (!v->changes)
        abort();
    v->changes[v->changes_n++] = c;
}

/* A state as the last change left it. */
static enum ref_state state_of(const struct ref_vcpu *v)
{
    return v->changes_n > 0 ? (enum ref_state)v->changes[v->changes_n - 1].to : REF_UNKNOWN;
}

/* ---- lost records ---- */

/* The vCPU that the record names runs on the pCPU where recording resumes. */
static void read_loss(struct ref_host *h, const struct ref_record *r, uint64_t start)
{
    uint64_t first_tsc = (uint64_t)r->w[3] << 32 | r->w[2];
    h->losses = realloc(h->losses, (h->losses_n + 1) * sizeof *h->losses);
    if (!h->losses)
        abort();
    h->losses[h->losses_n++] = (struct ref_loss){first_tsc - start, r->tsc - start, r->pcpu};
    add(vcpu_of(h, r->w[1] & 0xffff, r->w[1] >> 16),
        (struct ref_change){r->tsc - start, r->pcpu, REF_RUNNING, REF_RUNNING, true, false, false});
}

/* CONTINUE_RUNNING and YIELD come from the vCPU that runs on the pCPU. False: it is another record. */
static bool read_going_on(struct ref_host *h, const struct ref_record *r, uint64_t start)
{
    const struct ref_change goes_on = {r->tsc - start, r->pcpu, REF_RUNNING, REF_RUNNING, true, true, false};
    if (r->number == CONTINUE_RUNNING)
        add(vcpu_of(h, r->w[0] >> 16, r->w[0] & 0xffff), goes_on);
    else if (r->number == YIELD)
        add(vcpu_of(h, r->w[0], r->w[1]), goes_on);
    return r->number == CONTINUE_RUNNING || r->number == YIELD;
}

/* ---- changes of state as they are recorded ---- */

/*
 * Both changes of a switch have one instant, that of the first: a change to running right after one from running on its
 * pCPU comes at its time.
 */
static void read_runstates(struct ref_host *h, const struct ref_records *r)
{
    static uint64_t left_at[PCPUS]; /* 1 + when the last change on the pCPU ended a run, 0: it did not */
    memset(left_at, 0, sizeof left_at);
    for (size_t i = 0; i < r->n; i++) {
        const struct ref_record *e = &r->at[i];
        uint64_t at = e->tsc - r->first_tsc;
        if (e->number == LOST_RECORDS) {
            read_loss(h, e, r->first_tsc);
        } else if (!read_going_on(h, e, r->first_tsc) && is_runstate(e)) {
            uint8_t from = e->number >> 8 & 3, to = e->number >> 4 & 3;
            uint64_t instant = to == REF_RUNNING && left_at[e->pcpu] ? left_at[e->pcpu] - 1 : at;
            left_at[e->pcpu] = from == REF_RUNNING ? at + 1 : 0;
            add(vcpu_of(h, e->w[0] >> 16, e->w[0] & 0xffff),
                (struct ref_change){instant, e->pcpu, from, to, false, false, false});
        }
    }
}

/* ---- changes of state that follow from other records ---- */

/* Where the vCPU goes that SWITCH number i ends: it blocked or was put to sleep just before on that pCPU, or it is runnable. */
static enum ref_state leads_to(const struct ref_records *r, size_t i)
{
    const struct ref_record *e = &r->at[i];
    for (size_t k = i; k-- > 0;) {
        const struct ref_record *before = &r->at[k];
        bool is_its = before->words_n >= 2 && before->w[0] == e->w[0] && before->w[1] == e->w[1];
        if (before->pcpu != e->pcpu)
            continue;
        if (before->number == SWITCH)
            return REF_RUNNABLE;
        if (is_its && (before->number == BLOCK || before->number == SLEEP))
            return before->number == BLOCK ? REF_BLOCKED : REF_OFFLINE;
    }
    return REF_RUNNABLE;
}

static void read_wake(struct ref_host *h, const struct ref_record *r, uint64_t start)
{
    struct ref_vcpu *v = vcpu_of(h, r->w[0], r->w[1]);
    enum ref_state from = state_of(v);
    if (from == REF_BLOCKED || from == REF_OFFLINE)
        add(v, (struct ref_change){r->tsc - start, r->pcpu, from, REF_RUNNABLE, false, false, false});
}

static void read_switches(struct ref_host *h, const struct ref_records *r)
{
    for (size_t i = 0; i < r->n; i++) {
        const struct ref_record *e = &r->at[i];
        uint64_t at = e->tsc - r->first_tsc;
        if (e->number == LOST_RECORDS) {
            read_loss(h, e, r->first_tsc);
        } else if (read_going_on(h, e, r->first_tsc)) {
            continue;
        } else if (e->number == WAKE) {
            read_wake(h, e, r->first_tsc);
        } else if (e->number == SWITCH) {
            add(vcpu_of(h, e->w[0], e->w[1]),
                (struct ref_change){at, e->pcpu, REF_RUNNING, leads_to(r, i), false, false, false});
            add(vcpu_of(h, e->w[2], e->w[3]),
                (struct ref_change){at, e->pcpu, REF_RUNNABLE, REF_RUNNING, false, false, false});
        }
    }
}

/* ---- yields ---- */

/* The first change of the vCPU from running that is not before `at`, or NULL. */
static struct ref_change *next_leaving(struct ref_vcpu *v, uint64_t at)
{
    for (size_t i = 0; i < v->changes_n; i++)
        if (v->changes[i].at >= at && v->changes[i].from == REF_RUNNING && !v->changes[i].named)
            return &v->changes[i];
    return NULL;
}

static void read_yields(struct ref_host *h, const struct ref_records *r)
{
    for (size_t i = 0; i < r->n; i++) {
        const struct ref_record *e = &r->at[i];
        if (e->number != YIELD)
            continue;
        struct ref_vcpu *v = vcpu_of(h, e->w[0], e->w[1]);
        uint64_t at = e->tsc - r->first_tsc;
        struct ref_change *leaving = next_leaving(v, at);
        if (leaving)
            leaving->yields = true;
        v->yields++;
    }
}

void ref_host_read_changes(struct ref_host *h, const struct ref_records *r)
{
    for (size_t i = 0; i < r->n && !h->by_runstates; i++)
        h->by_runstates = is_runstate(&r->at[i]);
    if (h->by_runstates)
        read_runstates(h, r);
    else
        read_switches(h, r);
    read_yields(h, r);
    for (size_t i = 0; i < h->vcpus_n; i++)
        h->vcpus[i].starts_known = h->by_runstates;
}
