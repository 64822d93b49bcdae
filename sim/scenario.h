/*
 * scenario.h - what is to be simulated: the contents of a scenario file (xenmeter-scenario(5)).
 *
 * scenario_read() checks everything: a scenario that was read can be simulated. All times are ns.
 */
#ifndef XENMETER_SIM_SCENARIO_H
#define XENMETER_SIM_SCENARIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "parser/error.h"

#define SCENARIO_PCPUS_MAX   1024
#define SCENARIO_DOMAINS_MAX 2000
#define SCENARIO_VCPUS_MAX   512 /* per domain */
#define SCENARIO_ALL_VCPUS   8192
#define SCENARIO_LOADS_MAX   16 /* per domain */
#define SCENARIO_VIFS_MAX    16 /* per domain and driver domain */
/* From the last moment of a domain that is destroyed until it is gone. */
#define SCENARIO_DEATH_NS 5000000u
/* A life is not shorter, and so long after its end another domain may have the id. */
#define SCENARIO_LIFE_NS      20000000u
#define SCENARIO_SEED_MAX     ((uint64_t)9000000000000000000)
#define SCENARIO_DURATION_MIN ((uint64_t)1000000)
#define SCENARIO_DURATION_MAX ((uint64_t)86400 * 1000000000)

/* In the order of scenario_schedulers[]. */
enum scenario_scheduler { SCENARIO_CREDIT, SCENARIO_CREDIT2, SCENARIO_SEDF, SCENARIO_NULL, SCENARIO_RTDS };
extern const char *const scenario_schedulers[]; /* ended by NULL */

/* In the order of scenario_loads[]. */
enum scenario_load_type {
    LOAD_HOG,
    LOAD_ON_OFF,
    LOAD_WEB,
    LOAD_REQUEST_RESPONSE,
    LOAD_BULK_OUT,
    LOAD_BULK_IN,
    LOAD_DISK,
    LOAD_MAP
};
extern const char *const scenario_loads[]; /* ended by NULL */

/* What guests are, in the order of scenario_guests[]. */
enum scenario_guest { GUEST_PV, GUEST_HVM };
extern const char *const scenario_guests[]; /* ended by NULL */

/* What a vCPU asks of Xen for reasons of its own while it runs. */
enum scenario_noise {
    NOISE_HYPERCALL,  /* PV: of memory management */
    NOISE_PRIVILEGED, /* PV: an instruction that Xen emulates */
    NOISE_TRAP,       /* PV */
    NOISE_PAGE_FAULT, /* PV */
    NOISE_EXIT,       /* HVM: all kinds of exits */
    SCENARIO_NOISES
};

/* What a load does: of each type only some of it means something (xenmeter-scenario(5)). */
struct scenario_load {
    int type;        /* enum scenario_load_type */
    uint64_t driver; /* id of the driver domain that serves it */
    bool driver_given;
    uint64_t vcpu; /* on which its program runs */
    uint64_t vif;  /* number of the network device that it uses */
    uint64_t on_ns, off_ns, syscall_ns, yield_ns;
    int distribution; /* 0 fixed, 1 exponential */
    uint64_t clients; /* 0: open loop */
    const char *arrivals_file;
    uint64_t *arrivals; /* of an open loop: when requests arrive; NULL: at requests_per_s */
    size_t arrival_count;
    double requests_per_s, packets_per_s;
    uint64_t think_ns, network_delay_ns;
    uint64_t request_bytes, response_bytes, packet_bytes;
    uint64_t request_ns, packet_ns; /* CPU in the guest */
    uint64_t to;                    /* id of the domain that gets the packets */
    bool to_given;
    uint64_t window;
    uint64_t depth;
    double reads_pct;  /* of the requests of a disk */
    uint64_t start_ns; /* what a driver domain serves: not before */
    int transport;     /* 0 tcp, 1 udp */
    double batches_per_s;
    uint64_t pages, page_ns; /* of a batch at most, CPU for each */
};

/* What a driver domain's work costs, and its devices. */
struct scenario_driver {
    uint64_t interrupt_ns, receive_packet_ns, dealloc_packet_ns, transmit_packet_ns, device_packet_ns;
    uint64_t batch_ns, copy_kib_ns, disk_request_ns, disk_completion_ns, disk_latency_ns;
    uint64_t disk_write_kib_ns; /* of what is written, beside the others */
    double disk_mib_per_s;
    bool threaded_napi, persistent_grants;
};

/* What becomes of a window of the trace's file, in the order of scenario_damages[]. */
enum scenario_damage_kind { DAMAGE_LOST, DAMAGE_CUT, DAMAGE_GARBAGE };
extern const char *const scenario_damages[]; /* ended by NULL */

struct scenario_damage {
    uint64_t window, every; /* windows from 0 on: this one, and each every-th after it; 0: this one only */
    uint64_t offset, bytes; /* of its records: garbage from offset on; the last ones are cut */
    int kind;               /* enum scenario_damage_kind */
};

/* Which wakes of a domain Credit boosts: those with credits left, as Xen does, none, or all. */
enum scenario_boost { BOOST_UNDER, BOOST_NEVER, BOOST_ALWAYS };

struct scenario_domain {
    size_t element; /* of the scenario's list: several domains that are alike are one */
    uint64_t id;
    const char *name;      /* "" if it has none */
    char *copy_name;       /* where `name` points to, of one of several that are alike; else NULL */
    uint64_t created_ns;   /* 0: before the trace */
    uint64_t destroyed_ns; /* UINT64_MAX: not within the trace */
    uint64_t pause_ns,
        pause_every_ns; /* the toolstack pauses it for so long, so often on the average; 0: never */
    uint64_t again_ns;  /* so long after its creation a domain of the same id is created; 0: none is */
    uint64_t vcpus;
    int16_t *pins; /* of each vCPU, -1: none */
    /* credit, credit2 */
    uint64_t weight;
    double cap_pct; /* of one pCPU; 0: none */
    int boost;      /* enum scenario_boost; credit */
    /* sedf */
    uint64_t slice_ns;
    /* sedf, rtds */
    uint64_t period_ns;
    bool extratime;
    uint64_t budget_ns; /* rtds */
    /* What its kernel's own work costs. */
    uint64_t idle_ns, timer_ns, tick_ns, interrupt_ns;
    int guest;                           /* enum scenario_guest */
    double noise_per_s[SCENARIO_NOISES]; /* of the running time of each vCPU */
    double block_race_pct;               /* of its blocks: an event comes before the scheduler's turn */
    double jitter_pct;                   /* of the work of its kernel's handlers and threads */
    uint64_t privileged;            /* instructions that Xen emulates, at each interrupt and system call */
    struct scenario_driver *driver; /* NULL: it is no driver domain */
    struct scenario_load *loads;
    size_t load_count;
};

struct scenario {
    uint64_t duration_ns;
    uint64_t seed;
    uint64_t pcpus;
    uint64_t cpu_hz;
    int scheduler; /* enum scenario_scheduler */
    uint64_t ipi_ns, switch_cost_ns, record_ns, guest_record_ns, watchdog_ns;
    uint64_t ratelimit_ns, timeslice_ns;
    int short_block; /* sedf: 0 loses the rest of the slice, 1 keeps it */
    /* the trace */
    uint32_t event_mask; /* as xentrace -e has it */
    uint32_t layout;     /* the records are those of Xen 4.layout */
    uint64_t buffer_pages;
    uint64_t sweep_ns, sweep_delay_ns;
    uint32_t lost_ppm; /* chance of each buffer to overflow after it was read */
    uint64_t skew_ns;  /* the odd pCPUs' tsc is so far ahead */
    struct scenario_damage *damages;
    size_t damage_count;
    struct scenario_domain *domains;
    size_t domain_count;
    void *document; /* which names point into */
};

/*
 * Reads `n` bytes of text; duration_ns: that long, whatever the text says (0: what it says); files that it names are
 * relative to `folder`, which is "" or ends with a slash. NULL with `err` filled: the message names the place and the
 * remedy. Free with scenario_free.
 */
struct scenario *scenario_read(const char *text, size_t n, const char *folder, uint64_t duration_ns,
                               struct error *err);
void scenario_free(struct scenario *s);

/*
 * Takes the records of another version of Xen, "4.6", instead of those of the scenario. -1 with `err` filled, without a place:
 * there is no such version, or it had no such scheduler. The scenario must not be simulated then.
 */
int scenario_set_layout(struct scenario *s, const char *version, struct error *err);

/* An event mask as `xentrace -e` takes it: a number, or the name of a class. -1: it is neither. */
int scenario_parse_mask(const char *text, uint32_t *mask);

#endif
