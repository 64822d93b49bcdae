/*
 * Fuzz target: what an account keeps of archives. The first byte of an input chooses how capacity is shared, and its lowest bit what the
 * rest is: the text of an extract, or an index after its first line.
 *
 * Whatever the bytes are: they are refused, or make a statement of which all identities hold, and a bill that adds up to it.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zstd.h>

#include "account/bill.h"
#include "account/extract.h"
#include "account/index.h"
#include "account/relations.h"
#include "account/sums.h"
#include "account/tally.h"
#include "account/vm.h"
#include "tests/fuzz/must.h"

#define TEXT_MOST 16384
#define FOLDER    "/dev/shm/xenmeter-fuzz-extracts"
#define HOUR_NS   INT64_C(3600000000000)

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static struct sharing how;

static void check_error(const struct error *err)
{
    MUST(err->code != ERROR_NONE && err->message[0], "an error without a reason");
}

/* ---- statements and bills ---- */

/* All rows of a host, and what is nobody's, are its capacity. */
static void check_bill(const struct account_statement *s)
{
    const struct bill_options options = {.sharing = how};
    struct error err = {0};
    struct bill bill = {.n = 0};
    if (bill_make(&bill, &options, s, &err) != 0)
        check_error(&err);
    for (size_t h = 0; h < s->hosts_n && err.code == ERROR_NONE; h++) {
        uint64_t sum = 0;
        for (size_t i = 0; i < bill.n; i++) {
            const struct bill_row *r = &bill.rows[i];
            MUST(r->base_ns + r->overhead_ns + r->idle_ns == r->capacity_ns, "a row is not its parts");
            sum += r->row.host == &s->hosts[h] ? r->capacity_ns : 0;
        }
        MUST(sum == s->hosts[h].capacity_ns, "rows of a host are not its capacity");
    }
    bill_free(&bill);
}

static void check_statement(const struct account_statement *s)
{
    for (size_t h = 0, i = 0; h < s->hosts_n; h++) {
        const struct account_host *host = &s->hosts[h];
        uint64_t used = 0, charged = 0, served = 0, own = 0, unattributed = 0;
        MUST(host->guests_ns + host->charged_ns + host->own_ns + host->unattributed_ns + host->idle_ns +
                     host->unknown_ns ==
                 host->capacity_ns,
             "a host is not its parts");
        for (; i < s->rows_n && s->rows[i].host == host; i++) {
            const struct account_row *r = &s->rows[i];
            struct account_line line;
            account_line_of(&line, r, true);
            used += r->used_ns;
            charged += r->charged_ns;
            served += r->served_ns;
            own += r->own_ns;
            unattributed += r->unattributed_ns;
            MUST(r->charged_ns == r->measured_ns + r->certain_ns + r->inferred_ns,
                 "charges are not their parts");
        }
        MUST(used == host->guests_ns && charged == host->charged_ns && served == charged &&
                 own == host->own_ns && unattributed == host->unattributed_ns,
             "rows of a host are not the host");
    }
}

/* Adds one capture of the extract. */
static void add_capture(struct sums *sums, struct texts *texts, const struct extract *e,
                        const struct extract_capture *c)
{
    struct error err = {0};
    struct host_facts facts = {0};
    struct vm_life *lives = NULL;
    struct tally tally = {.made = false};
    struct sums_capture capture = {.host = texts_keep(texts, c->recorded.host), .recorded = &c->recorded};
    int status = c->lives_bytes ? host_facts_read(&facts, e->text + c->lives_at, c->lives_bytes, &err) : 0;
    if (status == 0)
        status = vm_lives_take(texts, &facts, &lives, &capture.lives_n, &err);
    capture.lives = lives;
    if (status == 0)
        status =
            tally_whole(&tally, &c->recorded, e->text + c->lives_at + c->lives_bytes, c->whole_bytes, &err);
    if (status == 0)
        status = sums_add(sums, &capture, &tally, &err);
    if (status != 0)
        check_error(&err);
    tally_free(&tally);
    free(lives);
    host_facts_free(&facts);
}

/* The first hour of all captures, and the next one, so that it is compared. */
static void make_statements(const struct extract *e)
{
    struct texts texts = {.tree = NULL};
    struct sums *sums = sums_new(&texts);
    struct account_statement s;
    for (int64_t hour = 0; hour < 2; hour++) {
        const int64_t begin = e->captures[0].recorded.begin_utc_ns / HOUR_NS * HOUR_NS + hour * HOUR_NS;
        const struct account_period period = {begin, begin + HOUR_NS};
        MUST(sums_begin(sums, &period), "no memory");
        for (size_t i = 0; i < e->n; i++)
            add_capture(sums, &texts, e, &e->captures[i]);
        MUST(sums_statement(sums, &s), "no memory");
        check_statement(&s);
        check_bill(&s);
    }
    sums_free(sums);
    texts_free(&texts);
}

/* ---- extracts and indexes ---- */

static void read_frame(const void *frame, size_t n)
{
    struct error err = {0};
    struct extract e = {.n = 0};
    if (extract_read(frame, n, &e, &err) != 0)
        check_error(&err);
    else if (e.n > 0)
        make_statements(&e);
    extract_free(&e);
}

static void read_text(const uint8_t *text, size_t n)
{
    static uint8_t frame[2 * TEXT_MOST];
    size_t size = ZSTD_compress(frame, sizeof frame, text, n, 1);
    MUST(!ZSTD_isError(size), "no frame");
    read_frame(frame, size);
}

static void read_index(const uint8_t *bytes, size_t n)
{
    static const char magic[] = "xenmeter.index/1\n";
    struct index x;
    FILE *f = fopen(FOLDER "/" INDEX_NAME, "we");
    MUST(f && fwrite(magic, 1, sizeof magic - 1, f) == sizeof magic - 1 && fwrite(bytes, 1, n, f) == n &&
             fclose(f) == 0,
         "no index");
    index_load(&x, FOLDER);
    for (size_t i = 0; i < x.n; i++) {
        const struct index_key key = x.entries[i].key;
        const struct index_entry *found = index_find(&x, &key);
        MUST(!found || strcmp(found->key.name, key.name) == 0, "the entry of another archive");
        read_frame(x.entries[i].frame, x.entries[i].frame_bytes); /* whatever its hash is */
    }
    index_free(&x);
}

/* NOLINTNEXTLINE(readability-non-const-parameter): as libFuzzer declares it */
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    struct error err = {0};
    (void)argc;
    (void)argv;
    mkdir(FOLDER, 0700);
    MUST(account_zone_set("UTC", &err) == 0, "%s", err.message);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    if (n < 1 || n > TEXT_MOST)
        return 0;
    how =
        (struct sharing){.idle = data[0] >> 1 & 3, .overhead = data[0] >> 3 & 3, .basis = (data[0] >> 5) % 3};
    (data[0] & 1 ? read_index : read_text)(data + 1, n - 1);
    return 0;
}
