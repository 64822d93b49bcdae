/*
 * Damaged captures by the thousand, in one process: from bytes to rows, or to records, through the library, each
 * damage in a run of its own.
 *
 *     damage report|dump cut|flip|word|noise CAPTURE [STEP [FROM]]
 *
 * report what it is read for: rows by domain, vCPU, ...
 * dump   or its records, told, written and counted
 *
 * cut    the first 0, 1, 2, ... bytes of it
 * flip   every byte turned over, and one bit of every byte
 * word   every aligned 32-bit word replaced by each of some extreme values
 * noise  random bytes over a random stretch; as many runs as the capture has bytes, divided by 16
 *
 * STEP: only every STEP-th of the runs. FROM: the first one; of noise there is no last one, and FROM is a seed. A run
 * must end in time, within its memory, without a crash, and what it hands
 * out must add up. Prints "N runs, M failed" and what failed; exits with 1 if anything did.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "formats/dump_writer.h"
#include "metrics/measure/event_counts.h"
#include "metrics/pipeline.h"
#include "parser/trace.h"

#define SECONDS_OF_A_RUN 120 /* a hang, not a busy machine under a sanitizer */
#define MEMORY_LIMIT     (64ull << 20) /* told to the parser and the meter */
#define RSS_LIMIT_KIB    (192L << 10)  /* of the whole process */
#define CPU_HZ           2596.145e6

struct capture {
    uint8_t bytes[1 << 20];
    size_t n;
};

/* ---- what is done to the capture ---- */

static const uint32_t extreme_words[] = {0,          1,          4094,       4095,       0x7fffffff,
                                         0x80000000, 0xfffffffc, 0xffffffff, 0x2001f003, 0x9001f001};
#define EXTREME_WORDS (sizeof extreme_words / sizeof extreme_words[0])

static uint64_t mix(uint64_t x)
{
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
    return x ^ (x >> 31);
}

/* Each changes `bytes` for run number `run` and returns how many of them are left. */
// NOLINTNEXTLINE(readability-non-const-parameter): all have one type
static size_t cut(uint8_t *bytes, size_t n, uint64_t run)
{
    (void)bytes;
    return run < n ? run : n;
}

static size_t flip(uint8_t *bytes, size_t n, uint64_t run)
{
    bytes[run / 2] ^= run % 2 ? 0xff : 1u << (run / 2 * 5 % 8);
    return n;
}

static size_t word(uint8_t *bytes, size_t n, uint64_t run)
{
    memcpy(bytes + run / EXTREME_WORDS * 4, &extreme_words[run % EXTREME_WORDS], 4);
    return n;
}

static size_t noise(uint8_t *bytes, size_t n, uint64_t run)
{
    uint64_t random = mix(run + 0x9e3779b97f4a7c15ull);
    size_t at = random % n, length = mix(random) % 600 + 1;
    for (size_t i = at; i < n && i < at + length; i++)
        bytes[i] = (uint8_t)(random = mix(random + i));
    return n;
}

static const struct mode {
    const char *name;
    size_t (*damage)(uint8_t *bytes, size_t n, uint64_t run);
    uint64_t per_bytes, runs; /* `runs` for each `per_bytes` of the capture */
    bool endless;             /* so many from any first one */
} modes[] = {{"cut", cut, 1, 1, false},
             {"flip", flip, 1, 2, false},
             {"word", word, 4, EXTREME_WORDS, false},
             {"noise", noise, 16, 1, true}};

/* ---- one report ---- */

struct sums {
    enum by by;
    int64_t seen_ns[2]; /* of the whole trace; of all intervals: without the time before somebody was seen */
    const char *wrong;
};

static int take_interval(void *context, const struct interval *interval, const struct row *rows, size_t n)
{
    struct sums *sums = context;
    int64_t length = (int64_t)(interval->end_ns - interval->start_ns);
    if (interval->end_ns < interval->start_ns)
        sums->wrong = "an interval ends before it begins";
    for (size_t i = 0; i < n; i++) {
        const struct measures *m = rows[i].measures;
        int64_t all = 0;
        for (int s = 0; s < RUNSTATES; s++) {
            all += m->state_ns[s];
            if (m->state_ns[s] < 0)
                sums->wrong = "a time is negative";
        }
        sums->seen_ns[interval->granularity_ns != 0] +=
            all + m->idle_ns + m->pcpu_unknown_ns - m->before_seen_ns;
        if (sums->by == BY_PCPU && m->state_ns[RUNSTATE_RUNNING] + m->idle_ns + m->pcpu_unknown_ns != length)
            sums->wrong = "the time of a pCPU does not add up";
        if ((sums->by == BY_VCPU || sums->by == BY_DOMAIN) && all > length * (int64_t)rows[i].vcpus)
            sums->wrong = "the states of a row are longer than its interval";
    }
    return 0;
}

/* Returns what went wrong, NULL: nothing. An error that is said is fine. */
static const char *report_once(const char *path, uint64_t run)
{
    struct sums sums = {.by = (enum by)(run % 4)};
    struct error err = {0};
    struct trace_options trace_options = {.cpu_hz = run % 8 < 6 ? CPU_HZ : 0, .memory_limit = MEMORY_LIMIT};
    struct meter_options meter_options = {.bys = 1u << sums.by,
                                          .granularities = 2,
                                          .granularities_ns = {0, 1000000},
                                          .executions = false,
                                          .sink = {&sums, take_interval, NULL, NULL, NULL}};
    const struct consumer rows = {.rows = &meter_options};
    struct pipeline *pipeline = pipeline_new(MEMORY_LIMIT);
    if (!pipeline || pipeline_add(pipeline, &rows, &err) != 0)
        return "no memory";
    pipeline_wants(pipeline, &trace_options);
    struct trace *trace = trace_open(path, &trace_options, &err);
    if (!trace) {
        pipeline_free(pipeline);
        return err.code ? NULL : "failed without an error";
    }
    int status = 1;
    while (status > 0) {
        struct event_batch batch;
        status = trace_next(trace, &batch, &err);
        if (status > 0 && trace_clock(trace)->cpu_hz > 0 &&
            pipeline_feed(pipeline, &batch, trace_clock(trace), &err) != 0)
            status = -1;
    }
    if (status == 0) {
        struct trace_summary summary;
        trace_summarise(trace, &summary);
        status = pipeline_end(pipeline, clock_ns(trace_clock(trace), summary.tsc_last), &err);
    }
    if (status < 0 && !err.code)
        sums.wrong = "failed without an error";
    if (status == 0 && sums.seen_ns[0] != sums.seen_ns[1])
        sums.wrong = "the intervals do not add up to the whole";
    pipeline_free(pipeline);
    trace_close(trace);
    return sums.wrong;
}

/* ---- one dump ---- */

struct dump {
    struct dump_reader reader;
    struct event_counts *counts;
    struct dump_writer *writer;
    uint64_t told, tsc;
    const char *wrong;
};

static int tell(struct dump *d, const struct event_batch *batch, const struct clock *clock, struct error *err)
{
    struct dump_record record;
    for (size_t at = 0; dump_next(&d->reader, batch, &at, clock, &record); d->told++) {
        if (record.tsc < d->tsc)
            d->wrong = "time goes back";
        d->tsc = record.tsc;
        if (event_counts_add(d->counts, &record, err) != 0 || dump_writer_record(d->writer, &record) != 0)
            return -1;
    }
    return 0;
}

static uint64_t counted(struct event_counts *counts)
{
    size_t n = 0;
    uint64_t records = 0;
    struct counted *list = event_counts_list(counts, &n);
    for (size_t i = 0; list && i < n; i++)
        records += list[i].records;
    free(list);
    return records;
}

/* To nowhere. The writers stay for the runs to come: to make one takes longer than most runs. */
static struct dump_writer *writer_of(const char *format, bool cycles, struct error *err)
{
    static struct output *output;
    static struct {
        const char *format;
        bool cycles;
        struct dump_writer *writer;
    } made[8];
    size_t i = 0;
    while (made[i].writer && (made[i].format != format || made[i].cycles != cycles))
        i++;
    if (!output)
        output = output_open("/dev/null", err);
    if (output && !made[i].writer) {
        made[i].format = format;
        made[i].cycles = cycles;
        const struct dump_schema schema = {.tsc = cycles, .slot = DUMP_SEVERAL_EVENTS};
        made[i].writer = dump_writer_new(format, output, &schema, err);
    }
    return made[i].writer;
}

/* As report_once. */
static const char *dump_once(const char *path, uint64_t run)
{
    static struct dump d;
    struct error err = {0};
    struct event_batch batch;
    struct trace_options options = {
        .cpu_hz = run % 8 < 6 ? CPU_HZ : 0, .memory_limit = MEMORY_LIMIT, .cycles = run % 8 >= 6};
    memset(options.interest.raw, true, sizeof options.interest.raw);
    struct trace *trace = trace_open(path, &options, &err);
    if (!trace)
        return err.code ? NULL : "failed without an error";
    event_fields_init();
    d = (struct dump){.counts = event_counts_new(true, (enum by)(run % 4), MEMORY_LIMIT, NULL, &err)};
    dump_reader_init(&d.reader, &(struct dump_filter){0});
    d.writer = writer_of(dump_formats[run % 3], options.cycles, &err);
    int status = d.counts && d.writer ? 1 : -1;
    while (status > 0)
        if ((status = trace_next(trace, &batch, &err)) > 0 && tell(&d, &batch, trace_clock(trace), &err) != 0)
            status = -1;
    if (status < 0 && !err.code)
        d.wrong = "failed without an error";
    if (status == 0 && d.told != trace_quality(trace)->records)
        d.wrong = "records are missing";
    if (status == 0 && d.told != counted(d.counts))
        d.wrong = "counts are not what was told";
    event_counts_free(d.counts);
    trace_close(trace);
    return d.wrong;
}

/* ---- all of them ---- */

static const struct use {
    const char *name;
    const char *(*run_once)(const char *path, uint64_t run);
} uses[] = {{"report", report_once}, {"dump", dump_once}};

/* What the workers and their parent share. */
struct board {
    uint64_t run;
    uint64_t failed;
};

static void say(struct board *board, const char *mode, uint64_t run, const char *what)
{
    if (board->failed++ < 5)
        printf("      %s, run %" PRIu64 ": %s\n", mode, run, what);
    fflush(stdout);
}

static void work(struct board *board, const struct use *use, const struct mode *mode,
                 const struct capture *capture, uint64_t runs, uint64_t step)
{
    char path[64];
    int fd = memfd_create("capture", 0);
    uint8_t *bytes = malloc(capture->n);
    if (fd < 0 || !bytes)
        _exit(2);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    for (; board->run < runs; board->run += step) {
        memcpy(bytes, capture->bytes, capture->n);
        size_t n = mode->damage(bytes, capture->n, board->run);
        if (pwrite(fd, bytes, n, 0) != (ssize_t)n || ftruncate(fd, (off_t)n) != 0)
            _exit(2);
        alarm(SECONDS_OF_A_RUN);
        const char *wrong = use->run_once(path, board->run);
        alarm(0);
        if (wrong)
            say(board, mode->name, board->run, wrong);
    }
#ifndef __SANITIZE_ADDRESS__
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    if (usage.ru_maxrss > RSS_LIMIT_KIB)
        say(board, mode->name, board->run, "used too much memory");
#endif
    free(bytes);
    close(fd);
    exit(0);
}

static bool read_capture(const char *path, struct capture *capture)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        return false;
    capture->n = fread(capture->bytes, 1, sizeof capture->bytes, file);
    fclose(file);
    return capture->n >= 4;
}

int main(int argc, char **argv)
{
    static struct capture capture;
    const struct mode *mode = NULL;
    const struct use *use = NULL;
    for (size_t i = 0; argc >= 4 && i < sizeof uses / sizeof uses[0]; i++)
        if (strcmp(argv[1], uses[i].name) == 0)
            use = &uses[i];
    for (size_t i = 0; use && i < sizeof modes / sizeof modes[0]; i++)
        if (strcmp(argv[2], modes[i].name) == 0)
            mode = &modes[i];
    if (!mode || !read_capture(argv[3], &capture)) {
        fputs("usage: damage report|dump cut|flip|word|noise CAPTURE [STEP [FROM]]\n", stderr);
        return 2;
    }
    uint64_t step = argc > 4 ? strtoull(argv[4], NULL, 10) : 1;
    uint64_t runs = capture.n / mode->per_bytes * mode->runs;
    struct board *board =
        mmap(NULL, sizeof *board, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (board == MAP_FAILED || step == 0)
        return 2;
    board->run = argc > 5 ? strtoull(argv[5], NULL, 10) : 0;
    uint64_t first = board->run;
    if (mode->endless)
        runs += first;
    /* A worker that dies is followed by another one behind the run that killed it. */
    while (board->run < runs) {
        int status;
        pid_t worker = fork();
        if (worker == 0)
            work(board, use, mode, &capture, runs, step);
        if (worker < 0 || waitpid(worker, &status, 0) < 0)
            return 2;
        if (WIFSIGNALED(status))
            say(board, mode->name, board->run,
                WTERMSIG(status) == SIGALRM ? "hangs" : strsignal(WTERMSIG(status)));
        else if (WEXITSTATUS(status) != 0)
            say(board, mode->name, board->run, "ended by a sanitizer, or its process failed");
        else
            break;
        board->run += step;
    }
    printf("%" PRIu64 " runs, %" PRIu64 " failed\n", (runs - first + step - 1) / step, board->failed);
    return board->failed != 0;
}
