/* The folder of a recorder's archives: names, order, the lock, and what is removed. */
#include "record/store.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "suites.h"

#define BOOT    "0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9"
#define SECOND  1000000000u
#define HOUR    STORE_HOUR_NS
#define MORNING 495679u /* 2026-07-19T07Z, hours since 1970 */

/* ---- a folder ---- */

static char folder[64];

static void begin(void)
{
    char base[] = "/tmp/xenmeter-store-XXXXXX";
    CHECK(mkdtemp(base) != NULL);
    snprintf(folder, sizeof folder, "%s/dir", base); /* which does not exist */
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

static void end(struct store *s)
{
    store_close(s);
    *strrchr(folder, '/') = '\0';
    EQUAL(nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

static uint64_t free_now;
static uint64_t given_free(void *context, const char *dir)
{
    CHECK(strcmp(dir, folder) == 0);
    return *(const uint64_t *)context;
}

static struct store *open_host(const char *host, bool reading, struct error *err)
{
    return store_open(
        &(struct store_options){
            .dir = folder, .host = host, .reading = reading, .free_bytes = given_free, .context = &free_now},
        err);
}

static struct store *open_new(void)
{
    struct error err = {0};
    begin();
    free_now = UINT64_MAX;
    struct store *s = open_host("web1", false, &err);
    SAME_TEXT(err.message, "");
    CU_ASSERT_PTR_NOT_NULL_FATAL(s);
    return s;
}

/* A file of that size; `name` below DIR/web1. */
static void make(const char *name, off_t bytes)
{
    char path[256];
    snprintf(path, sizeof path, "%s/web1/%s", folder, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0644);
    CHECK(fd >= 0 && ftruncate(fd, bytes) == 0);
    close(fd);
}

static bool is_there(const char *name)
{
    char path[256];
    struct stat st;
    snprintf(path, sizeof path, "%s/web1/%s", folder, name);
    return lstat(path, &st) == 0;
}

/* ---- names ---- */

static void names_are_read_back(void)
{
    static const struct {
        const char *text;
        unsigned hour, sequence;
        enum store_state state;
        unsigned second;
        bool dump;
    } names[] = {
        {"1970-01-01T00Z-00000000-0000.xma", 0, 0, STORE_COMPLETE, 0, false},
        {"2026-07-19T07Z-0a1b2c3d-0012.xma.partial", MORNING, 12, STORE_PARTIAL, 0, false},
        {"2028-02-29T23Z-ffffffff-9999.xma.damaged", 509855, 9999, STORE_DAMAGED, 0, false},
        {"2026-07-19T070000Z-0a1b2c3d-0012.xt", MORNING, 12, STORE_COMPLETE, 0, true},
        {"2026-07-19T071233Z-0a1b2c3d-0012.xt.partial", MORNING, 12, STORE_PARTIAL, 753, true},
        {"2026-07-19T075959Z-0a1b2c3d-0000.xt.damaged", MORNING, 0, STORE_DAMAGED, 3599, true},
        {"2026-07-19T071233Z-0a1b2c3d-0012.json", MORNING, 12, STORE_NOTE, 753, true},
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct store_name n;
        char text[STORE_NAME];
        CHECK(store_name_read(names[i].text, names[i].dump, &n));
        EQUAL(n.hour, names[i].hour);
        EQUAL(n.sequence, names[i].sequence);
        EQUAL(n.state, names[i].state);
        EQUAL(n.second, names[i].second);
        EQUAL(n.dump, names[i].dump);
        store_name_put(&n, text);
        SAME_TEXT(text, names[i].text);
    }
}

static void other_names_are_none_of_ours(void)
{
    static const char *const names[] = {"",
                                        ".",
                                        "..",
                                        ".lock",
                                        "2026-07-19T07Z-0a1b2c3d-0012",
                                        "2026-07-19T07Z-0a1b2c3d-0012.xma.tmp",
                                        "2026-07-19T07Z-0a1b2c3d-0012.xma.partial.partial",
                                        "2026-07-19T07Z-0a1b2c3d-0012.xma ",
                                        "2026-07-19T07Z-0A1b2c3d-0012.xma",
                                        "2026-07-19T07Z-0a1b2c3-0012.xma",
                                        "2026-07-19T07Z-0a1b2c3d4-0012.xma",
                                        "2026-07-19T07Z-0a1b2c3d-012.xma",
                                        "2026-07-19T07Z-0a1b2c3d-00012.xma",
                                        "2026-07-19T07Z-0a1b2c3d--012.xma",
                                        "2026-07-19T24Z-0a1b2c3d-0012.xma",
                                        "2026-02-29T07Z-0a1b2c3d-0012.xma",
                                        "2026-00-10T07Z-0a1b2c3d-0012.xma",
                                        "2026-13-10T07Z-0a1b2c3d-0012.xma",
                                        "1969-12-31T23Z-0a1b2c3d-0012.xma",
                                        "2500-01-01T00Z-0a1b2c3d-0012.xma",
                                        "+026-07-19T07Z-0a1b2c3d-0012.xma",
                                        "2026-07-19T7Z-0a1b2c3d-0012.xma",
                                        "2026/07/19T07Z-0a1b2c3d-0012.xma",
                                        "2026-07-19T07Z-0a1b2c3d-0012.json",
                                        "2026-07-19T071233Z-0a1b2c3d-0012.xma",
                                        "x2026-07-19T07Z-0a1b2c3d-0012.xma"};
    static const char *const of_dumps[] = {
        "2026-07-19T07Z-0a1b2c3d-0012.xma",         "2026-07-19T07Z-0a1b2c3d-0012.xt",
        "2026-07-19T076000Z-0a1b2c3d-0012.xt",      "2026-07-19T070060Z-0a1b2c3d-0012.xt",
        "2026-07-19T071233Z-0a1b2c3d-0012.xt.json", "2026-07-19T071233Z-0a1b2c3d-0012.json.partial"};
    struct store_name n;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        check_true(!store_name_read(names[i], false, &n), names[i], __FILE__, __LINE__);
    for (size_t i = 0; i < sizeof of_dumps / sizeof *of_dumps; i++)
        check_true(!store_name_read(of_dumps[i], true, &n), of_dumps[i], __FILE__, __LINE__);
}

/* ---- the folder ---- */

static void folders_are_made(void)
{
    struct store *s = open_new();
    struct stat st;
    CHECK(stat(folder, &st) == 0 && S_ISDIR(st.st_mode) && (st.st_mode & 0777 & ~0755u) == 0);
    CHECK(is_there("."));
    CHECK(is_there("../.lock"));
    CHECK(!is_there("flight"));
    end(s);
}

static void one_recorder_has_the_folder(void)
{
    struct store *s = open_new();
    struct error err = {0};
    char owner[64];
    CHECK(open_host("web2", false, &err) == NULL);
    EQUAL(err.code, ERROR_IO);
    snprintf(owner, sizeof owner, "(process %ld) records to this folder", (long)getpid());
    CHECK(strstr(err.message, owner) != NULL);
    struct store *reader = open_host("web1", true, &err);
    CHECK(reader != NULL);
    store_close(reader);
    store_close(s);
    s = open_host("web1", false, &err);
    CHECK(s != NULL);
    end(s);
}

static void what_cannot_be_a_folder_is_refused(void)
{
    struct error err = {0};
    begin();
    CHECK(open_host("../web1", false, &err) == NULL);
    EQUAL(err.code, ERROR_USAGE);
    close(open(folder, O_CREAT | O_WRONLY, 0644)); /* a file */
    CHECK(open_host("web1", false, &err) == NULL);
    EQUAL(err.code, ERROR_IO);
    CHECK(strstr(err.message, strerror(ENOTDIR)) != NULL);
    end(NULL);
}

static void a_reader_makes_nothing(void)
{
    struct error err = {0};
    struct store_usage u = {0};
    struct store_pruned pruned;
    begin();
    free_now = 7;
    struct store *s = open_host("web1", true, &err);
    CHECK(s && store_usage(s, &u, &err) == 0);
    EQUAL(u.bytes, 0);
    EQUAL(u.archives, 0);
    EQUAL(u.free_bytes, 7);
    EQUAL(store_prune(s, &(struct store_limits){.keep_ns = 1}, 0, 0, &pruned, &err), -1);
    CHECK(access(folder, F_OK) != 0);
    end(s);
}

/* Of a process that has ended: this one's child. That of process 1 may still be written. */
static void what_a_dead_process_left_is_removed(void)
{
    struct store *s = open_new();
    struct error err;
    char name[64];
    store_close(s);
    pid_t child = fork();
    if (child == 0)
        _exit(0);
    CHECK(child > 0);
    while (kill(child, 0) == 0 || errno != ESRCH)
        if (waitpid(child, NULL, 0) < 0)
            break;
    snprintf(name, sizeof name, ".xenmeter-%ld-3.tmp", (long)child);
    make(name, 10);
    make(".xenmeter-1-0.tmp", 10);
    make(".xenmeter-abc-0.tmp", 10);
    s = open_host("web1", false, &err);
    CHECK(!is_there(name));
    CHECK(is_there(".xenmeter-1-0.tmp"));
    CHECK(is_there(".xenmeter-abc-0.tmp"));
    end(s);
}

/* ---- files ---- */

static void check_new(struct store *s, uint64_t utc_ns, const char *boot, bool dump, const char *expected)
{
    struct store_name name;
    struct error err = {0};
    char path[PATH_MAX], whole[256];
    EQUAL(store_new(s, utc_ns, boot, dump, &name, path, &err), 0);
    snprintf(whole, sizeof whole, "%s/web1/%s", folder, expected);
    SAME_TEXT(path, whole);
}

static void the_next_number_is_above_all_that_were(void)
{
    struct store *s = open_new();
    struct store_name name;
    struct error err;
    char path[PATH_MAX];
    uint64_t now = MORNING * HOUR + 59 * 60 * (uint64_t)SECOND;
    check_new(s, now, BOOT, false, "2026-07-19T07Z-0a1b2c3d-0000.xma");
    make("2026-07-19T07Z-0a1b2c3d-0000.xma", 1);
    check_new(s, now, BOOT, false, "2026-07-19T07Z-0a1b2c3d-0001.xma");
    make("2026-07-19T07Z-0a1b2c3d-0003.xma.damaged", 1);
    check_new(s, now, BOOT, false, "2026-07-19T07Z-0a1b2c3d-0004.xma");
    make("2026-07-19T07Z-0a1b2c3d-0004.xma.partial", 1);
    check_new(s, now, BOOT, false, "2026-07-19T07Z-0a1b2c3d-0005.xma");
    check_new(s, now, "0A1B2C3E", false, "2026-07-19T07Z-0a1b2c3e-0000.xma");
    check_new(s, now + HOUR, BOOT, false, "2026-07-19T08Z-0a1b2c3d-0000.xma");
    check_new(s, now, BOOT, true, "flight/2026-07-19T075900Z-0a1b2c3d-0000.xt");
    CHECK(is_there("flight"));
    make("flight/2026-07-19T075800Z-0a1b2c3d-0000.xt.damaged", 1);
    check_new(s, now + 7 * (uint64_t)SECOND, BOOT, true, "flight/2026-07-19T075907Z-0a1b2c3d-0001.xt");
    make("flight/2026-07-19T070000Z-0a1b2c3d-0001.json", 1);
    check_new(s, now, BOOT, true, "flight/2026-07-19T075900Z-0a1b2c3d-0002.xt");
    make("2026-07-19T07Z-0a1b2c3d-9999.xma", 1);
    EQUAL(store_new(s, now, BOOT, false, &name, path, &err), -1);
    EQUAL(store_new(s, now, "no boot", false, &name, path, &err), -1);
    EQUAL(store_new(s, UINT64_MAX, BOOT, false, &name, path, &err), -1);
    end(s);
}

static void files_are_listed_in_order_and_others_ignored(void)
{
    static const char *const expected[] = {
        "2026-07-18T23Z-ffffffff-0002.xma",         "2026-07-19T07Z-0a1b2c3d-0000.xma",
        "2026-07-19T07Z-0a1b2c3d-0001.xma.damaged", "2026-07-19T07Z-1a1b2c3d-0000.xma",
        "2026-07-19T071233Z-0a1b2c3d-0000.xt",      "2026-07-19T071233Z-0a1b2c3d-0000.json",
        "2026-07-19T08Z-0a1b2c3d-0000.xma.partial"};
    struct store *s = open_new();
    struct store_file *list;
    struct error err;
    size_t n;
    char path[256], text[STORE_NAME];
    snprintf(path, sizeof path, "%s/web1/flight", folder);
    CHECK(mkdir(path, 0755) == 0);
    for (size_t i = sizeof expected / sizeof *expected; i-- > 0;)
        if (i != 4 && i != 5)
            make(expected[i], (off_t)i + 10);
    make("flight/2026-07-19T071233Z-0a1b2c3d-0000.xt", 14);
    make("flight/2026-07-19T071233Z-0a1b2c3d-0000.json", 15);
    make("flight/2026-07-19T07Z-0a1b2c3d-0000.xma", 1000);
    make("notes.txt", 1000);
    make("2026-07-19T07Z-0a1b2c3d-0007.xma.bak", 1000);
    snprintf(path, sizeof path, "%s/web1/2026-07-19T07Z-0a1b2c3d-0005.xma", folder);
    CHECK(symlink("notes.txt", path) == 0);
    snprintf(path, sizeof path, "%s/web1/2026-07-19T07Z-0a1b2c3d-0006.xma", folder);
    CHECK(mkdir(path, 0755) == 0);
    EQUAL(store_list(s, &list, &n, &err), 0);
    EQUAL(n, 7);
    for (size_t i = 0; i < n && i < 7; i++) {
        store_name_put(&list[i].name, text);
        SAME_TEXT(text, expected[i]);
        EQUAL(list[i].name.dump, i == 4 || i == 5);
        EQUAL(list[i].bytes, i + 10);
    }
    free(list);
    struct store_usage u;
    EQUAL(store_usage(s, &u, &err), 0);
    EQUAL(u.bytes, 10 + 11 + 12 + 13 + 14 + 15 + 16);
    EQUAL(u.archives, 3);
    EQUAL(u.dumps, 1);
    EQUAL(u.partial, 1);
    EQUAL(u.damaged, 1);
    EQUAL(u.oldest.hour, MORNING - 8);
    SAME_TEXT(u.newest.boot, "1a1b2c3d");
    end(s);
}

/* ---- retention ---- */

/* Five archives, of 5 to 9 o'clock, of 100 bytes each, and the open one of 10 o'clock with 50. */
static struct store *open_filled(void)
{
    struct store *s = open_new();
    char name[STORE_NAME];
    for (unsigned hour = 5; hour < 10; hour++) {
        snprintf(name, sizeof name, "2026-07-19T%02uZ-0a1b2c3d-0000.xma", hour);
        make(name, 100);
    }
    make("2026-07-19T10Z-0a1b2c3d-0000.xma.partial", 50);
    make("notes.txt", 1000);
    return s;
}

static unsigned archives_left(void)
{
    char name[STORE_NAME];
    unsigned n = 0;
    for (unsigned hour = 0; hour < 24; hour++) {
        snprintf(name, sizeof name, "2026-07-19T%02uZ-0a1b2c3d-0000.xma", hour);
        n += is_there(name);
    }
    CHECK(is_there("2026-07-19T10Z-0a1b2c3d-0000.xma.partial"));
    CHECK(is_there("notes.txt"));
    return n;
}

static struct store_pruned prune(struct store *s, const struct store_limits *l, uint64_t now, uint64_t room)
{
    struct store_pruned r;
    struct error err = {0};
    EQUAL(store_prune(s, l, now, room, &r, &err), 0);
    return r;
}

static const uint64_t ten = (MORNING + 3) * HOUR;

static void without_limits_nothing_goes(void)
{
    struct store *s = open_filled();
    free_now = 0;
    struct store_pruned r = prune(s, &(struct store_limits){0}, UINT64_MAX, UINT64_MAX);
    EQUAL(r.files, 0);
    EQUAL(r.broken, 0);
    EQUAL(archives_left(), 5);
    end(s);
}

/* That of 5 o'clock ended at 6. */
static void what_ended_too_long_ago_goes(void)
{
    struct store *s = open_filled();
    struct store_limits l = {.keep_ns = 4 * HOUR};
    EQUAL(prune(s, &l, ten, 0).files, 0);
    struct store_pruned r = prune(s, &l, ten + 1, 0);
    EQUAL(r.files, 1);
    EQUAL(r.bytes, 100);
    EQUAL(r.why, STORE_AGE);
    EQUAL(r.oldest.hour, MORNING - 2);
    EQUAL(r.newest.hour, MORNING - 2);
    EQUAL(r.broken, 0);
    CHECK(!is_there("2026-07-19T05Z-0a1b2c3d-0000.xma"));
    EQUAL(archives_left(), 4);
    EQUAL(prune(s, &l, ten + 100 * HOUR, 0).files, 4);
    EQUAL(archives_left(), 0);
    end(s);
}

static void archives_that_last_longer_end_later(void)
{
    struct store *s = open_filled();
    struct error err;
    store_close(s);
    s = store_open(&(struct store_options){.dir = folder,
                                           .host = "web1",
                                           .longest_ns = 24 * HOUR,
                                           .free_bytes = given_free,
                                           .context = &free_now},
                   &err);
    struct store_limits l = {.keep_ns = 1};
    EQUAL(prune(s, &l, (MORNING - 2 + 24) * HOUR + 1, 0).files, 0);
    EQUAL(prune(s, &l, (MORNING - 2 + 24) * HOUR + 2, 0).files, 1);
    end(s);
}

/* 550 bytes are there. */
static void the_oldest_go_until_the_bytes_fit(void)
{
    struct store *s = open_filled();
    EQUAL(prune(s, &(struct store_limits){.keep_bytes = 550}, ten, 0).files, 0);
    EQUAL(prune(s, &(struct store_limits){.keep_bytes = 549}, ten, 0).files, 1);
    CHECK(!is_there("2026-07-19T05Z-0a1b2c3d-0000.xma"));
    struct store_pruned r = prune(s, &(struct store_limits){.keep_bytes = 500}, ten, 200);
    EQUAL(r.files, 2);
    EQUAL(r.why, STORE_BYTES);
    EQUAL(r.newest.hour, MORNING);
    EQUAL(archives_left(), 2);
    end(s);
}

static void dumps_and_damaged_files_count_and_go_in_their_turn(void)
{
    struct store *s = open_filled();
    char path[256];
    snprintf(path, sizeof path, "%s/web1/flight", folder);
    CHECK(mkdir(path, 0755) == 0);
    make("flight/2026-07-19T060000Z-0a1b2c3d-0000.xt", 990);
    make("flight/2026-07-19T060000Z-0a1b2c3d-0000.json", 10);
    make("2026-07-19T04Z-0a1b2c3d-0000.xma.damaged", 10);
    EQUAL(prune(s, &(struct store_limits){.keep_bytes = 1560}, ten, 0).files, 0);
    EQUAL(prune(s, &(struct store_limits){.keep_bytes = 1559}, ten, 0).files, 1);
    CHECK(!is_there("2026-07-19T04Z-0a1b2c3d-0000.xma.damaged"));
    struct store_pruned r = prune(s, &(struct store_limits){.keep_bytes = 400}, ten, 0);
    EQUAL(r.files, 3);
    EQUAL(r.bytes, 1200);
    CHECK(!is_there("flight/2026-07-19T060000Z-0a1b2c3d-0000.xt"));
    CHECK(!is_there("flight/2026-07-19T060000Z-0a1b2c3d-0000.json"));
    EQUAL(archives_left(), 3);
    end(s);
}

/* Three complete dumps, one that is open and one that is damaged, and the note of none of them. */
static void only_so_many_dumps_are_kept(void)
{
    struct store *s = open_filled();
    struct store_pruned r;
    char path[256];
    snprintf(path, sizeof path, "%s/web1/flight", folder);
    CHECK(mkdir(path, 0755) == 0);
    make("flight/2026-07-19T060000Z-0a1b2c3d-0000.xt", 100);
    make("flight/2026-07-19T060000Z-0a1b2c3d-0000.json", 10);
    make("flight/2026-07-19T060001Z-0a1b2c3d-0001.xt", 100);
    make("flight/2026-07-19T060001Z-0a1b2c3d-0001.json", 10);
    make("flight/2026-07-19T070000Z-0a1b2c3d-0000.xt", 100);
    make("flight/2026-07-19T070000Z-0a1b2c3d-0000.json", 10);
    make("flight/2026-07-19T070000Z-0a1b2c3d-0001.json", 10);
    make("flight/2026-07-19T080000Z-0a1b2c3d-0000.xt.partial", 100);
    make("flight/2026-07-19T080000Z-0a1b2c3d-0000.json", 10);
    make("flight/2026-07-19T080000Z-0a1b2c3d-0001.xt.damaged", 100);
    EQUAL(prune(s, &(struct store_limits){.dumps_max = 3}, ten, 0).files, 0);
    CHECK(!is_there("flight/2026-07-19T070000Z-0a1b2c3d-0001.json"));
    r = prune(s, &(struct store_limits){.dumps_max = 1}, ten, 0);
    EQUAL(r.files, 2);
    EQUAL(r.why, STORE_DUMPS);
    EQUAL(r.bytes, 220);
    CHECK(!is_there("flight/2026-07-19T060000Z-0a1b2c3d-0000.json"));
    CHECK(!is_there("flight/2026-07-19T060001Z-0a1b2c3d-0001.json"));
    CHECK(is_there("flight/2026-07-19T070000Z-0a1b2c3d-0000.xt"));
    CHECK(is_there("flight/2026-07-19T070000Z-0a1b2c3d-0000.json"));
    CHECK(is_there("flight/2026-07-19T080000Z-0a1b2c3d-0000.xt.partial"));
    CHECK(is_there("flight/2026-07-19T080000Z-0a1b2c3d-0000.json"));
    CHECK(is_there("flight/2026-07-19T080000Z-0a1b2c3d-0001.xt.damaged"));
    EQUAL(archives_left(), 5);
    end(s);
}

static void what_is_open_stays_and_the_limit_is_reported(void)
{
    struct store *s = open_filled();
    struct store_pruned r = prune(s, &(struct store_limits){.keep_bytes = 49}, ten, 0);
    EQUAL(r.files, 5);
    EQUAL(r.broken, STORE_BYTES);
    EQUAL(archives_left(), 0);
    end(s);
}

static void the_oldest_go_until_enough_is_free(void)
{
    struct store *s = open_filled();
    struct store_limits l = {.min_free_bytes = 1000};
    free_now = 1000;
    EQUAL(prune(s, &l, ten, 0).files, 0);
    free_now = 850; /* and stays, as the file system frees what was removed later */
    struct store_pruned r = prune(s, &l, ten, 0);
    EQUAL(r.files, 2);
    EQUAL(r.why, STORE_FREE);
    EQUAL(r.broken, 0);
    free_now = 1000;
    EQUAL(prune(s, &l, ten, 100).files, 1);
    free_now = 0;
    EQUAL(prune(s, &l, ten, 0).broken, STORE_FREE);
    EQUAL(archives_left(), 0);
    end(s);
}

static void without_a_clock_that_is_right_nothing_is_old(void)
{
    struct store *s = open_filled();
    EQUAL(prune(s, &(struct store_limits){.keep_ns = 1}, 0, 0).files, 0);
    EQUAL(archives_left(), 5);
    end(s);
}

CU_TestInfo store_tests[] = {
    TEST(names_are_read_back),
    TEST(other_names_are_none_of_ours),
    TEST(folders_are_made),
    TEST(one_recorder_has_the_folder),
    TEST(what_cannot_be_a_folder_is_refused),
    TEST(a_reader_makes_nothing),
    TEST(what_a_dead_process_left_is_removed),
    TEST(the_next_number_is_above_all_that_were),
    TEST(files_are_listed_in_order_and_others_ignored),
    TEST(without_limits_nothing_goes),
    TEST(what_ended_too_long_ago_goes),
    TEST(archives_that_last_longer_end_later),
    TEST(the_oldest_go_until_the_bytes_fit),
    TEST(dumps_and_damaged_files_count_and_go_in_their_turn),
    TEST(only_so_many_dumps_are_kept),
    TEST(what_is_open_stays_and_the_limit_is_reported),
    TEST(the_oldest_go_until_enough_is_free),
    TEST(without_a_clock_that_is_right_nothing_is_old),
    CU_TEST_INFO_NULL,
};
