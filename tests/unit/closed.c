/* Closed statements: what is written is read, what was altered is noticed, and corrections add up to the new truth. */
#include "account/closed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "new_seed.h"
#include "random.h"
#include "suites.h"

#define SUBJECTS 12

static struct entry *add(struct entries *e, unsigned vm, int64_t begin)
{
    struct entry *x = entries_add(e);
    char name[16];
    snprintf(name, sizeof name, "vm%u", vm);
    x->kind = vm % 5 == 4 ? BILL_IDLE : BILL_VM;
    x->period = (struct account_period){begin, begin + 100};
    x->host = strdup(vm % 2 ? "xen1" : "xen2");
    x->vm_key = strdup(name);
    x->vm_uuid = strdup("");
    x->vm_name = strdup("näme \"x\"");
    x->tags = strdup("{\"customer\":\"ACME/\xc3\xa9\"}");
    x->verdict = strdup("good");
    return x;
}

static struct closed statement(void)
{
    return (struct closed){.kind = "statement",
                           .program = "xenmeter 0.1.0",
                           .label = "2026-11",
                           .zone = "UTC",
                           .period = {0, 1000},
                           .closed_label = "2026-11",
                           .closed_period = {0, 1000},
                           .granularity = "hour",
                           .share_idle = "none",
                           .share_overhead = "none",
                           .basis = "used",
                           .currency = "EUR",
                           .digits = 2,
                           .rates = "{ \"currency\": \"EUR\" }\n"};
}

static void what_is_written_is_read(void)
{
    struct closed c = statement(), again;
    struct buffer text = {0}, second = {0};
    struct error err = {0};
    struct closed_file file = {.file = "xen1.xma", .bytes = 12, .digest = {1, 2, 255}};
    size_t capacity = 0;
    CHECK(closed_add_archive(&c, &capacity, "/no/such/archive", &err) != 0);
    c.archives = malloc(sizeof file);
    c.archives[0] = file;
    c.archives_n = 1;
    struct entry *e = add(&c.entries, 1, 100);
    e->quantities[ENTRY_used_ns] = INT64_MAX;
    e->quantities[ENTRY_idle_ns] = -7;
    e->items[PRICE_RUN].ns = 5;
    e->items[PRICE_RUN].price = strdup("0.0000123");
    mpz_set_str(e->items[PRICE_RUN].amount, "-123456789012345678901234567890", 10);
    mpz_set_str(e->amount, "-123456789012345678901234567890", 10);
    closed_put(&text, &c);
    CHECK(closed_read(&again, text.at, text.n, &err) == 0);
    SAME_TEXT(again.rates, c.rates);
    SAME_TEXT(again.archives[0].file, "xen1.xma");
    EQUAL(again.archives[0].digest[2], 255);
    EQUAL(again.entries.n, 1);
    CHECK(entry_equal(&again.entries.at[0], e) && entry_compare(&again.entries.at[0], e) == 0);
    SAME_TEXT(again.entries.at[0].vm_name, "näme \"x\"");
    closed_put(&second, &again);
    CHECK(second.n == text.n && memcmp(second.at, text.at, text.n) == 0);
    closed_free(&c);
    closed_free(&again);
    buffer_free(&text);
    buffer_free(&second);
}

static void whatever_byte_is_altered_it_is_noticed(void)
{
    struct closed c = statement(), again;
    struct buffer text = {0};
    struct error err = {0};
    size_t noticed = 0;
    add(&c.entries, 1, 100)->quantities[ENTRY_used_ns] = 5;
    closed_put(&text, &c);
    for (size_t i = 0; i < text.n; i++) {
        text.at[i] ^= 1;
        noticed += closed_read(&again, text.at, text.n, &err) != 0;
        closed_free(&again);
        text.at[i] ^= 1;
    }
    EQUAL(noticed, text.n);
    for (size_t n = 0; n < text.n; n++) {
        CHECK(closed_read(&again, text.at, n, &err) != 0);
        closed_free(&again);
    }
    CHECK(closed_read(&again, text.at, text.n, &err) == 0);
    closed_free(&again);
    closed_free(&c);
    buffer_free(&text);
}

/* A file that somebody sealed again: with a wrong entry, under a good seal. */
static void check_sealed(const char *from, const char *to, const char *message)
{
    struct closed c = statement(), again;
    struct buffer text = {0}, forged = {0};
    struct error err = {0};
    char hex[CLOSED_HEX];
    uint8_t digest[DIGEST_BYTES];
    add(&c.entries, 1, 100)->quantities[ENTRY_used_ns] = 5;
    closed_put(&text, &c);
    buffer_add(&text, "", 1);
    char *at = strstr(text.at, from), *seal = strstr(text.at, "{\"xxh3_128\":\"");
    CHECK(at && seal);
    buffer_add(&forged, text.at, (size_t)(at - text.at));
    buffer_text(&forged, to);
    buffer_add(&forged, at + strlen(from), (size_t)(seal - at) - strlen(from));
    digest_of(forged.at, forged.n, digest);
    buffer_printf(&forged, "{\"xxh3_128\":\"%s\"}\n", closed_hex(hex, digest));
    CHECK(closed_read(&again, forged.at, forged.n, &err) != 0);
    SAME_TEXT(err.message, message);
    closed_free(&again);
    closed_free(&c);
    buffer_free(&text);
    buffer_free(&forged);
}

static void what_is_wrong_under_a_good_seal_is_refused(void)
{
    check_sealed("\"used_ns\":5", "\"used_ns\":\"5\"", "line 2: used_ns: wants a whole number");
    check_sealed("\"used_ns\":5", "\"used\":5", "line 2: used_ns: wants a whole number");
    check_sealed("\"amount\":\"0.00\"", "\"amount\":\"0.0\"", "line 2: amount: is no amount");
    check_sealed("\"entry\":\"charge\"", "\"entry\":\"gift\"",
                 "line 2: entry: is none of the words that it can be");
    check_sealed("\"items\":{}", "\"items\":{\"x\":1}", "line 2: items: has unknown ones");
    check_sealed("\"period_end_ns\":200", "\"period_end_ns\":100",
                 "line 2: period_end_ns: is not after the beginning");
    check_sealed("{\"entry\"", "[\"entry\"", "line 2: is not JSON");
}

static void a_cause_says_what_differs(void)
{
    struct closed old = statement(), now = statement();
    struct buffer text = {0};
    struct closed_file before[] = {
        {.file = "a", .digest = {1}}, {.file = "b", .digest = {3}}, {.file = "c", .digest = {4}}};
    struct closed_file after[] = {{.file = "e", .digest = {5}},
                                  {.file = "a", .digest = {2}},
                                  {.file = "moved", .digest = {3}},
                                  {.file = "d", .digest = {6}}};
    closed_cause(&text, &old, &now);
    buffer_add(&text, "", 1);
    SAME_TEXT(text.at, "nothing that it rests on differs");
    text.n = 0;
    old.archives = before;
    old.archives_n = 3;
    now.archives = after;
    now.archives_n = 4;
    now.rates = NULL;
    closed_cause(&text, &old, &now);
    buffer_add(&text, "", 1);
    SAME_TEXT(text.at, "2 archives more, 1 archive changed, 1 archive missing, other rates");
    buffer_free(&text);
}

/* ---- random truths, others each time ---- */

static void make_truth(uint64_t *state, struct entries *e)
{
    static const char *const prices[] = {"1", "0.5", "0.25"};
    for (unsigned vm = 0; vm < SUBJECTS; vm++) {
        if (random_below(state, 3) == 0)
            continue;
        struct entry *x = add(e, vm, (int64_t)(vm % 3) * 100);
        bool same = random_below(state, 2) == 0; /* as in other truths */
        for (size_t q = 0; q < ENTRY_QUANTITIES_N; q++)
            x->quantities[q] = same ? vm : (int64_t)(random64(state) >> 20);
        x->items[PRICE_RUN].ns = x->quantities[ENTRY_used_ns];
        x->items[PRICE_RUN].price = strdup(prices[same ? 0 : random_below(state, 3)]);
        mpz_set_ui(x->amount, same ? vm : random64(state) >> 10);
        mpz_set(x->items[PRICE_RUN].amount, x->amount);
    }
}

/* Statement and corrections, added up, are the truth of the last round; a correction more has nothing to say. */
static bool corrected(uint64_t *state)
{
    struct entries all = {0}, sums = {0}, nothing = {0}, truth = {0};
    struct error err;
    bool good = true;
    for (uint32_t round = 0, n = 1 + (uint32_t)random_below(state, 4); round < n; round++) {
        struct entries change = {0};
        entries_free(&truth);
        make_truth(state, &truth);
        good = good && closed_correct(&change, &all, &truth, &err) == 0;
        for (size_t i = 0; i < change.n && good; i++) {
            struct entry *e = entries_add_copy(&all, &change.at[i], change.at[i].type);
            e->round = round;
        }
        entries_free(&change);
    }
    good = good && closed_correct(&nothing, &all, &truth, &err) == 0 && nothing.n == 0 &&
           closed_replay(&sums, &all, &err) == 0;
    size_t left = 0;
    for (size_t i = 0; i < truth.n && good; i++) {
        if (entry_is_zero(&truth.at[i]))
            continue;
        good = left < sums.n && entry_compare(&sums.at[left], &truth.at[i]) == 0 &&
               entry_equal(&sums.at[left], &truth.at[i]);
        left++;
    }
    good = good && left == sums.n;
    entries_free(&all);
    entries_free(&sums);
    entries_free(&nothing);
    entries_free(&truth);
    return good;
}

static void corrections_add_up_to_the_new_truth(void)
{
    uint64_t seed = new_seed(), state = seed;
    bool good = true;
    for (unsigned run = 0; run < 500 && good; run++)
        good = corrected(&state);
    CHECK(good);
    if (!good)
        printf("SEED=%llu\n", (unsigned long long)seed);
}

CU_TestInfo closed_tests[] = {
    TEST(what_is_written_is_read),
    TEST(whatever_byte_is_altered_it_is_noticed),
    TEST(what_is_wrong_under_a_good_seal_is_refused),
    TEST(a_cause_says_what_differs),
    TEST(corrections_add_up_to_the_new_truth),
    CU_TEST_INFO_NULL,
};
