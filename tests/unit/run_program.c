#include "run_program.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* ---- what comes out ---- */

static void *room(void *items, size_t n, size_t *capacity, size_t size)
{
    if (n < *capacity)
        return items;
    *capacity = *capacity ? *capacity * 2 : 64;
    items = realloc(items, *capacity * size);
    if (!items)
        abort();
    return items;
}

static void keep_row(struct result *r, const struct interval *i, const struct row *row)
{
    r->rows = room(r->rows, r->rows_n, &r->rows_capacity, sizeof *r->rows);
    struct kept_row *kept = &r->rows[r->rows_n++];
    kept->interval = *i;
    kept->row = *row;
    measures_init(&kept->measures);
    CHECK(measures_merge(&kept->measures, row->measures));
}

static int take_interval(void *context, const struct interval *interval, const struct row *rows, size_t n)
{
    struct result *r = context;
    for (size_t i = 0; i < n; i++)
        keep_row(r, interval, &rows[i]);
    r->intervals++;
    return 0;
}

static int take_execution(void *context, const struct execution *execution)
{
    struct result *r = context;
    r->executions = room(r->executions, r->executions_n, &r->executions_capacity, sizeof *r->executions);
    r->executions[r->executions_n++] = *execution;
    return 0;
}

static int take_charges(void *context, const struct interval *interval, const struct charge_idd *idds,
                        size_t n)
{
    struct result *r = context;
    for (size_t i = 0; i < n; i++) {
        r->idds = room(r->idds, r->idds_n, &r->idds_capacity, sizeof *r->idds);
        struct kept_idd *k = &r->idds[r->idds_n++];
        *k = (struct kept_idd){*interval, idds[i], {{0}}};
        CHECK(k->idd.guests_n <= 16);
        for (size_t g = 0; g < k->idd.guests_n && g < 16; g++)
            k->guests[g] = idds[i].guests[g];
    }
    return 0;
}

const struct charge_idd *find_idd(const struct result *r, uint64_t every, uint64_t at, int domain)
{
    for (size_t i = 0; i < r->idds_n; i++)
        if (r->idds[i].interval.granularity_ns == every && (!every || r->idds[i].interval.start_ns == at) &&
            r->idds[i].idd.domain == domain)
            return &r->idds[i].idd;
    return NULL;
}

const struct charge_guest *find_guest(const struct charge_idd *idd, int domain)
{
    static const struct charge_guest nothing;
    for (size_t g = 0; idd && g < idd->guests_n; g++)
        if (idd->guests[g].domain == domain)
            return &idd->guests[g];
    return &nothing;
}

/* ---- the bytes as a file, or as a pipe ---- */

struct feeder {
    int fd;
    const struct bytes *file;
};

static void *feed_bytes(void *context)
{
    const struct feeder *f = context;
    for (size_t i = 0; i < f->file->n; i++)
        if (write(f->fd, f->file->data + i, 1) != 1)
            break;
    close(f->fd);
    return NULL;
}

static int make_file(const struct bytes *file)
{
    int fd = memfd_create("capture", 0);
    if (fd < 0 || write(fd, file->data, file->n) != (ssize_t)file->n)
        abort();
    return fd;
}

/* ---- the road ---- */

static void count_population(struct result *r, const struct population *p)
{
    for (size_t i = 0; i < p->incarnations_n; i++) {
        if (p->incarnations[i].domain == IDLE_DOMAIN)
            continue;
        r->domains++;
        r->vcpus += p->incarnations[i].population;
    }
}

struct pipeline *rows_pipeline(const struct meter_options *options)
{
    struct error err;
    const struct consumer consumer = {.rows = options};
    struct pipeline *p = pipeline_new(0);
    if (!p || pipeline_add(p, &consumer, &err) != 0)
        abort();
    return p;
}

static void read_all(struct result *r, struct trace *t, struct pipeline *p)
{
    struct event_batch batch;
    uint64_t tsc = 0, watermark = 0;
    bool ordered = true, above_watermark = true;
    while ((r->status = trace_next(t, &batch, &r->err)) > 0) {
        for (size_t i = 0; i < batch.n; i++) {
            ordered = ordered && batch.events[i].tsc >= tsc;
            above_watermark = above_watermark && batch.events[i].tsc >= watermark;
            tsc = batch.events[i].tsc;
        }
        watermark = batch.watermark;
        r->status = pipeline_feed(p, &batch, trace_clock(t), &r->err);
        if (r->status != 0)
            return;
    }
    CHECK(ordered);
    CHECK(above_watermark);
    r->clock = *trace_clock(t);
    trace_summarise(t, &r->summary);
    r->summary.file = NULL;
    r->end_ns = clock_ns(&r->clock, r->summary.tsc_last);
    if (r->status == 0)
        r->status = pipeline_end(p, r->end_ns, &r->err);
    pipeline_quality(p, t, &r->quality);
    r->quality.vcpu_ns = meter_vcpu_ns(pipeline_meter(p, 0));
    r->quality.unknown_ns = meter_unknown_ns(pipeline_meter(p, 0));
    r->quality.doubtful_ns = meter_doubtful_ns(pipeline_meter(p, 0));
    count_population(r, model_population(pipeline_pass(p)->model));
    meter_charge_summary(pipeline_meter(p, 0), &r->charges);
}

struct result run(struct trace_bytes *c, struct setup setup)
{
    struct result r = {.by = setup.by};
    struct meter_options options = {
        .bys = 1u << setup.by,
        .executions = setup.executions,
        .from_ns = setup.from_ns,
        .to_ns = setup.to_ns,
        .pcpus_wanted = setup.pcpus_wanted,
        .charge = setup.charge,
        .sink = {&r, take_interval, take_execution, take_charges, NULL},
    };
    double heaviest = 0;
    for (int k = 0; k < IO_KINDS; k++)
        heaviest += setup.charge.weights[k];
    for (int k = 0; k < IO_KINDS && heaviest <= 0; k++)
        options.charge.weights[k] = 1;
    while (options.granularities < 8 && setup.granularities_ns[options.granularities]) {
        options.granularities_ns[options.granularities] = setup.granularities_ns[options.granularities];
        options.granularities++;
    }
    options.granularities_ns[options.granularities++] = 0;
    sweep(c);

    int fds[2];
    pthread_t thread;
    struct feeder feeder = {-1, &c->file};
    if (setup.bytewise) {
        if (pipe2(fds, O_DIRECT) != 0) /* each write is read by itself */
            abort();
        feeder.fd = fds[1];
    } else {
        fds[0] = make_file(&c->file);
    }
    char path[64];
    snprintf(path, sizeof path, "/dev/fd/%d", fds[0]);
    if (setup.bytewise && pthread_create(&thread, NULL, feed_bytes, &feeder) != 0)
        abort();

    struct trace_options trace_options = {.cpu_hz = setup.cpu_hz < 0   ? 0
                                                    : setup.cpu_hz > 0 ? setup.cpu_hz
                                                                       : 1e9};
    struct pipeline *p = rows_pipeline(&options);
    if (setup.beside && pipeline_add(p, setup.beside, &r.err) != 0)
        abort();
    pipeline_wants(p, &trace_options);
    struct trace *t = trace_open(path, &trace_options, &r.err);
    if (t)
        read_all(&r, t, p);
    else
        r.status = -1;
    pipeline_free(p);
    trace_close(t);
    close(fds[0]);
    if (setup.bytewise)
        pthread_join(thread, NULL);
    for (size_t i = 0; i < r.rows_n; i++)
        r.rows[i].row.measures = &r.rows[i].measures;
    for (size_t i = 0; i < r.idds_n; i++)
        r.idds[i].idd.guests = r.idds[i].guests;
    return r;
}

void result_free(struct result *r)
{
    for (size_t i = 0; i < r->rows_n; i++)
        measures_free(&r->rows[i].measures);
    free(r->rows);
    free(r->executions);
    free(r->idds);
}

const struct measures *find_row(const struct result *r, struct key key, bool required, const char *file,
                                unsigned line)
{
    static const struct measures nothing = {.allocated_min_ns = UINT32_MAX};
    bool domain = r->by != BY_PCPU, pcpu = r->by == BY_PCPU || r->by == BY_DOMAIN_PCPU;
    for (size_t i = 0; i < r->rows_n; i++) {
        const struct row *row = &r->rows[i].row;
        const struct interval *in = &r->rows[i].interval;
        if (in->granularity_ns == key.every && (key.every == 0 || in->start_ns == key.at) &&
            (!domain || (row->domain == key.domain && row->life == (key.life ? key.life : 1))) &&
            (r->by != BY_VCPU || row->vcpu == key.vcpu) && (!pcpu || row->pcpu == key.pcpu))
            return &r->rows[i].measures;
    }
    if (!required)
        return NULL;
    check_true(false, "the row is there", file, line);
    return &nothing;
}
