/* Archives that were cut short: cut and damaged at every place, completed, and what they say then. */
#include "record/salvage.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive/tar.h"
#include "check.h"
#include "cut_recording.h"
#include "suites.h"

/* ---- salvaging ---- */

static void the_whole_is_added_up_from_what_was_kept(void)
{
    struct recording r;
    struct salvage_result result;
    struct error err = {0};
    size_t first, second;
    begin_folder();
    record_two(&r, &first, &second);
    write_file(partial, r.kept.file.at, first);
    EQUAL(salvage_archive(partial, whole, &result, &err), 0);
    check_archive(whole, 5);
    CHECK(is_there(partial));
    CHECK(!result.nothing && !result.complete);
    EQUAL(result.cut_bytes, 0);
    EQUAL(result.tsc_first, FIRST_TSC);
    EQUAL(result.tsc_last, FIRST_TSC + 50);
    EQUAL(result.duration_ns, 50);
    SAME_TEXT(result.host, "web1");
    struct stat st;
    EQUAL(stat(whole, &st), 0);
    EQUAL(result.stored, st.st_size);
    end_recording(&r);
    end_folder();
}

/* The archive begins with the bytes of the file: frames are copied. */
static void frames_are_copied_as_they_are(void)
{
    struct recording r;
    struct salvage_result result;
    struct error err = {0};
    size_t first, second;
    begin_folder();
    record_two(&r, &first, &second);
    write_file(partial, r.kept.file.at, second);
    EQUAL(salvage_archive(partial, whole, &result, &err), 0);
    check_archive(whole, 9);
    char *bytes = malloc(second);
    int fd = open(whole, O_RDONLY);
    CHECK(bytes && read(fd, bytes, second) == (ssize_t)second);
    CHECK(bytes && memcmp(bytes, r.kept.file.at, second) == 0);
    close(fd);
    free(bytes);
    end_recording(&r);
    end_folder();
}

static bool is_near(size_t n, size_t place)
{
    return n + 2 >= place && n <= place + 2;
}

static void wherever_it_is_cut_the_last_whole_checkpoint_counts(void)
{
    struct recording r;
    struct salvage_result result;
    struct error err = {0};
    size_t first, second, frames;
    begin_folder();
    record_two(&r, &first, &second);
    complete(&r, &frames);
    const struct buffer *file = &r.kept.file;
    for (size_t n = 0; n < file->n; n++) {
        if (n % 29 != 0 && !is_near(n, first) && !is_near(n, second) && !is_near(n, frames))
            continue;
        write_file(partial, file->at, n);
        int status = salvage_archive(partial, whole, &result, &err);
        EQUAL(status, n < first ? -1 : 0);
        EQUAL(result.nothing, n < first && n >= ARCHIVE_MAGIC_BYTES);
        EQUAL(is_there(whole), n >= first);
        EQUAL(result.complete, n >= frames);
        if (status != 0) {
            EQUAL(err.code, ERROR_FORMAT);
        } else if (n < frames) {
            EQUAL(result.cut_bytes, n - (n < second ? first : second));
            check_archive(whole, n < second ? 5 : 9);
        }
        unlink(whole);
    }
    end_recording(&r);
    end_folder();
}

/* All frames are there, without a part of the seal: the archive is as it would have been. */
static void what_lacks_only_its_seal_is_as_it_would_have_been(void)
{
    struct recording r;
    struct salvage_result result;
    struct error err = {0};
    size_t first, second, frames;
    struct stat st;
    begin_folder();
    record_two(&r, &first, &second);
    complete(&r, &frames);
    for (size_t n = frames; n < r.kept.file.n; n += 7) {
        write_file(partial, r.kept.file.at, n);
        EQUAL(salvage_archive(partial, whole, &result, &err), 0);
        CHECK(result.complete);
        EQUAL(result.duration_ns, 100);
        char *bytes = malloc(r.kept.file.n);
        int fd = open(whole, O_RDONLY);
        EQUAL(fstat(fd, &st) == 0 ? st.st_size : -1, r.kept.file.n);
        CHECK(read(fd, bytes, r.kept.file.n) == (ssize_t)r.kept.file.n);
        CHECK(memcmp(bytes, r.kept.file.at, r.kept.file.n) == 0);
        close(fd);
        free(bytes);
    }
    end_recording(&r);
    end_folder();
}

/*
 * A damaged frame ends what can be used: the checkpoint before it counts. A frame's header has a bit that nobody reads.
 */
static void damaged_at_any_place_it_is_never_wrong(void)
{
    struct recording r;
    struct salvage_result result;
    struct error err = {0};
    size_t first, second;
    unsigned none = 0, five = 0, unseen = 0;
    begin_folder();
    record_two(&r, &first, &second);
    for (size_t at = 0; at < second; at += 5) {
        r.kept.file.at[at] ^= (char)(1 << at % 8);
        write_file(partial, r.kept.file.at, second);
        int status = salvage_archive(partial, whole, &result, &err);
        uint64_t n = status == 0 ? result.duration_ns / 10 : 0;
        none += n == 0;
        five += n == 5;
        unseen += n == 9;
        CHECK(n == 0 ? at < first : n == 9 || at >= first);
        if (n > 0)
            check_archive(whole, n);
        unlink(whole);
        r.kept.file.at[at] ^= (char)(1 << at % 8);
    }
    CHECK(none + 6 > first / 5);
    CHECK(five + 6 > (second - first) / 5);
    CHECK(unseen <= 6); /* one a frame */
    end_recording(&r);
    end_folder();
}

static void what_is_complete_is_refused(void)
{
    struct recording r;
    struct salvage_result result;
    struct error err = {0};
    size_t first, second, frames;
    begin_folder();
    record_two(&r, &first, &second);
    complete(&r, &frames);
    write_file(partial, r.kept.file.at, r.kept.file.n);
    EQUAL(salvage_archive(partial, whole, &result, &err), -1);
    EQUAL(err.code, ERROR_USAGE);
    write_file(partial, r.kept.file.at, second);
    EQUAL(salvage_archive(partial, whole, &result, &err), 0);
    write_file(damaged, "", 0);
    EQUAL(salvage_archive(whole, damaged, &result, &err), -1); /* what was salvaged, too */
    EQUAL(err.code, ERROR_USAGE);
    end_recording(&r);
    end_folder();
}

static void without_an_interval_there_is_nothing(void)
{
    static const uint64_t granularities[2] = {40, 10};
    struct recording r;
    struct salvage_result result;
    struct error err = {0};
    begin_folder();
    begin_recording(&r, granularities);
    check_point(&r, 7);
    write_file(partial, r.kept.file.at, r.kept.file.n);
    EQUAL(salvage_archive(partial, whole, &result, &err), -1);
    CHECK(result.nothing);
    CHECK(!is_there(whole));
    end_recording(&r);
    end_folder();
}

/* 15 ns do not fit into 40: what was open of these is left out. */
static void lengths_that_do_not_fit_end_with_what_was_kept(void)
{
    static const uint64_t granularities[2] = {40, 15};
    struct recording r;
    struct salvage_result result;
    struct error err = {0};
    struct said said;
    struct summary s = {0};
    begin_folder();
    begin_recording(&r, granularities);
    for (int k = 0; k < 3; k++)
        r.fine[k].state_ns[RUNSTATE_RUNNING] = 1;
    for (uint64_t at = 0; at < 90; at += 15) {
        if (at == 45)
            hand_out(&r, 40, 0, 40, r.fine);
        if (at == 75)
            hand_out(&r, 40, 40, 80, r.fine);
        if (at < 75)
            hand_out(&r, 15, at, at + 15, r.fine);
    }
    check_point(&r, 81); /* 15 ns reach 75, 40 ns reach 80 */
    write_file(partial, r.kept.file.at, r.kept.file.n);
    EQUAL(salvage_archive(partial, whole, &result, &err), 0);
    read_archive(whole, &said, &s);
    EQUAL(said.wholes, 1);
    EQUAL(said.whole_ns, 80);
    EQUAL(said.whole_ran[7], 2); /* of the intervals of 40 ns */
    EQUAL(said.coarse, 2);
    EQUAL(s.end_ns, 80);
    summary_free(&s);
    end_recording(&r);
    end_folder();
}

/* The first n bytes, without frame `without`, and with `extra` after the content of the last one. */
static struct buffer changed(const struct recording *r, size_t n, size_t without, const void *extra,
                             size_t extra_n)
{
    struct frames f;
    struct frame_reader reader = {0};
    struct kept k;
    struct error err = {0};
    EQUAL(frames_recover(&f, bytes_of(&r->kept.file), n, NULL, &err), 0);
    struct frame_writer *w = writer_to(&k, 1);
    for (size_t i = 1; i + 1 < f.n; i++)
        if (i != without)
            CHECK(frame_writer_copy(w, &f, i, &err) > 0);
    size_t last_n = f.list[f.n - 1].content;
    const uint8_t *last = frame_read(&f, f.n - 1, &reader, &err);
    uint8_t *more = malloc(last_n + extra_n);
    CU_ASSERT_FATAL(last && more);
    memcpy(more, last, last_n);
    memcpy(more + last_n, extra, extra_n);
    CHECK(frame_writer_put(w, more, last_n + extra_n, &err) > 0);
    EQUAL(frame_writer_drain(w, &err), 0);
    frame_writer_free(w);
    frame_reader_free(&reader);
    frames_free(&f);
    return k.file;
}

/* Which intervals are salvaged of it: of the first checkpoint 5, of the second 9. */
static uint64_t salvaged_of(struct buffer file)
{
    struct salvage_result result;
    struct error err = {0};
    write_file(partial, file.at, file.n);
    buffer_free(&file);
    if (salvage_archive(partial, whole, &result, &err) != 0)
        return 0;
    check_archive(whole, result.duration_ns / 10);
    return result.duration_ns / 10;
}

/* Of checkpoints that do not describe what lies before them, or are not the end of a whole frame. */
static void a_checkpoint_that_cannot_be_does_not_count(void)
{
    struct recording r;
    struct salvage_result result;
    struct error err = {0};
    struct frames f;
    size_t first, second;
    uint8_t header[TAR_BLOCK];
    char path[TAR_NAME_MAX];
    begin_folder();
    record_two(&r, &first, &second);
    EQUAL(frames_recover(&f, bytes_of(&r.kept.file), first, NULL, &err), 0);
    EQUAL(salvaged_of(changed(&r, second, 0, "", 0)), 9);
    EQUAL(salvaged_of(changed(&r, second, f.n, "", 0)), 5); /* a frame between the two is missing */
    EQUAL(salvaged_of(changed(&r, second, 1, "", 0)), 0);   /* or before both */
    write_file(partial, r.kept.file.at, first);
    EQUAL(salvage_archive(partial, whole, &result, &err), 0);
    snprintf(path, sizeof path, "web1/%s/names.txt", result.id);
    tar_header(header, path, 0);
    EQUAL(salvaged_of(changed(&r, second, 0, header, sizeof header)), 5);
    header[0] ^= 1; /* no header that there can be */
    EQUAL(salvaged_of(changed(&r, second, 0, header, sizeof header)), 5);
    frames_free(&f);
    end_recording(&r);
    end_folder();
}

/* Results that no meter hands out: the checkpoint is whole, and yet no archive is made. */
static void results_that_cannot_be_are_an_error(void)
{
    static const uint64_t granularities[2] = {40, 10};
    static const uint64_t starts[][3] = {
        {0, 20, 30},                        /* a gap */
        {0, 10, 10},                        /* twice */
        {10, 20, 30},                       /* no beginning */
        {0, 10, UINT64_MAX / 10 * 10 - 10}, /* far away */
    };
    struct salvage_result result;
    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++) {
        struct recording r;
        struct error err = {0};
        begin_folder();
        begin_recording(&r, granularities);
        for (int k = 0; k < 3; k++)
            hand_out(&r, 10, starts[i][k], starts[i][k] + 10, r.fine);
        check_point(&r, 41);
        write_file(partial, r.kept.file.at, r.kept.file.n);
        EQUAL(salvage_archive(partial, whole, &result, &err), -1);
        EQUAL(err.code, ERROR_FORMAT);
        CHECK(!result.nothing && !is_there(whole));
        EQUAL(salvage_partial(partial, &result, &err), -1); /* it will not become better */
        CHECK(result.nothing && is_there(damaged) && !is_there(partial));
        end_recording(&r);
        end_folder();
    }
}

/* ---- as a recorder does ---- */

static void a_recorder_puts_the_archive_in_its_place(void)
{
    struct recording r;
    struct salvage_result result;
    struct error err = {0};
    size_t first, second;
    begin_folder();
    record_two(&r, &first, &second);
    for (int again = 0; again < 2; again++) { /* the second time it was killed before it removed the file */
        write_file(partial, r.kept.file.at, second);
        EQUAL(salvage_partial(partial, &result, &err), 0);
        CHECK(is_there(whole) && !is_there(partial) && !is_there(damaged));
        check_archive(whole, 9);
    }
    end_recording(&r);
    end_folder();
}

static void a_recorder_sets_aside_what_holds_nothing(void)
{
    struct recording r;
    struct salvage_result result;
    struct error err = {0};
    size_t first, second, lengths[] = {0, 10, 100, 0};
    begin_folder();
    record_two(&r, &first, &second);
    lengths[3] = first - 1;
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        write_file(partial, r.kept.file.at, lengths[i]);
        EQUAL(salvage_partial(partial, &result, &err), -1);
        CHECK(result.nothing);
        CHECK(!is_there(whole) && !is_there(partial) && is_there(damaged));
        struct stat st;
        EQUAL(stat(damaged, &st) == 0 ? st.st_size : -1, lengths[i]);
        unlink(damaged);
    }
    end_recording(&r);
    end_folder();
}

static void a_recorder_names_what_is_complete(void)
{
    struct recording r;
    struct salvage_result result;
    struct error err = {0};
    size_t first, second, frames;
    begin_folder();
    record_two(&r, &first, &second);
    complete(&r, &frames);
    write_file(partial, r.kept.file.at, r.kept.file.n);
    EQUAL(salvage_partial(partial, &result, &err), 0);
    CHECK(result.complete);
    EQUAL(result.duration_ns, 100);
    CHECK(is_there(whole) && !is_there(partial));
    write_file(partial, r.kept.file.at, r.kept.file.n);
    EQUAL(salvage_partial(partial, &result, &err), -1); /* the name is taken: nothing is lost */
    CHECK(is_there(whole) && is_there(partial));
    EQUAL(salvage_partial(whole, &result, &err), -1); /* no such name */
    r.kept.file.at[second + 20] ^= 1;
    unlink(whole);
    write_file(partial, r.kept.file.at, r.kept.file.n);
    EQUAL(salvage_partial(partial, &result, &err), -1);
    CHECK(result.nothing && is_there(damaged));
    end_recording(&r);
    end_folder();
}

CU_TestInfo salvage_tests[] = {
    TEST(the_whole_is_added_up_from_what_was_kept),
    TEST(frames_are_copied_as_they_are),
    TEST(wherever_it_is_cut_the_last_whole_checkpoint_counts),
    TEST(what_lacks_only_its_seal_is_as_it_would_have_been),
    TEST(damaged_at_any_place_it_is_never_wrong),
    TEST(what_is_complete_is_refused),
    TEST(without_an_interval_there_is_nothing),
    TEST(lengths_that_do_not_fit_end_with_what_was_kept),
    TEST(a_checkpoint_that_cannot_be_does_not_count),
    TEST(results_that_cannot_be_are_an_error),
    TEST(a_recorder_puts_the_archive_in_its_place),
    TEST(a_recorder_sets_aside_what_holds_nothing),
    TEST(a_recorder_names_what_is_complete),
    CU_TEST_INFO_NULL,
};
