/* Input that ends within a sweep: only what every pCPU reported is used. */
#include "run_program.h"
#include "suites.h"

/* Domain p + 1 has pCPU p, and writes much in each of 20 sweeps of 10 ms. */
static void busy_sweeps(struct trace_bytes *c, unsigned pcpus)
{
    for (unsigned p = 0; p < pcpus; p++) {
        on(c, p);
        mark(c, 0);
        starts(c, 1 * US, p + 1, 0);
    }
    for (uint64_t t = 0; t < 200 * MS; t += 10 * MS) {
        for (unsigned p = 0; p < pcpus; p++) {
            on(c, p);
            for (unsigned i = 0; i < 300; i++)
                rec_continue(c, t + 2 * US + i * 32 * US, p + 1, 0);
        }
        sweep(c);
    }
}

/* The last sweep has windows of pCPUs 0 and 1 only: pCPU 2 wrote last at 199.57 ms. */
static void ends_in_a_sweep(size_t cut_bytes, uint64_t last_ns)
{
    struct trace_bytes c;
    trace_bytes_init(&c);
    busy_sweeps(&c, 3);
    for (unsigned p = 0; p < 2; p++) {
        on(&c, p);
        stops(&c, 204 * MS + p * MS, p + 1, 0, BLOCKED);
        mark(&c, 208 * MS + p * MS);
        flush(&c, p);
    }
    c.file.n -= cut_bytes;
    struct result r = run(&c, (struct setup){.by = BY_VCPU});
    uint64_t end_ns = 199 * MS + 570 * US;
    for (int dom = 1; dom <= 3; dom++)
        STATES(ROW(&r, .domain = dom), end_ns - 1 * US, 1 * US, 0, 0, 0);
    EQUAL(r.end_ns, end_ns);
    EQUAL(r.quality.inconsistent, 0);
    EQUAL(r.quality.cut_ns, last_ns - end_ns);
    result_free(&r);
    trace_bytes_free(&c);
}

static void what_comes_after_the_first_pcpu_that_ends_is_not_used(void)
{
    ends_in_a_sweep(4, 208 * MS); /* the record at 209 is cut */
}

static void a_cut_between_two_windows_is_one_too(void)
{
    ends_in_a_sweep(0, 209 * MS);
}

/* The same, but the input ends where the last complete sweep does. */
static void a_complete_sweep_is_no_cut(void)
{
    struct trace_bytes c;
    trace_bytes_init(&c);
    busy_sweeps(&c, 3);
    struct result r = run(&c, (struct setup){.by = BY_VCPU});
    EQUAL(r.quality.cut_ns, 0);
    EQUAL(r.end_ns, 199 * MS + 570 * US);
    result_free(&r);
    trace_bytes_free(&c);
}

CU_TestInfo cuts_tests[] = {
    TEST(what_comes_after_the_first_pcpu_that_ends_is_not_used),
    TEST(a_cut_between_two_windows_is_one_too),
    TEST(a_complete_sweep_is_no_cut),
    CU_TEST_INFO_NULL,
};
