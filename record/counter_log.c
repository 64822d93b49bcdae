#include "record/counter_log.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/io_clock.h"
#include "host/io_file.h"
#include "host/io_reader.h"
#include "metrics/array.h"
#include "metrics/min_max.h"
#include "parser/thread.h"

#define ROWS_BYTES_MAX ((size_t)4 << 20)   /* of rows that are held: minutes of them */
#define KEPT_TSC       ((uint64_t)1 << 38) /* so far back an archive can begin: a minute and a half of 3 GHz */
#define DEVICES_MAX    32768               /* whose last rows are known */
#define IDLE_EVERY     10                  /* readings: then times that have not grown have rows, too */
#define LINE_MAX_BYTES 4096
#define KEY_BYTES      128

struct counter_row {
    uint64_t tsc;
    char *line; /* with its end */
    bool given;
};

/* Which of the fields of a line are which. */
struct counter_columns {
    int tsc, domain, device, idd; /* idd: -1: there is none */
    int n;
};

struct counter_log {
    struct io_wanted wanted;
    struct io_reader *reader; /* NULL: a file */
    FILE *file;
    char header[LINE_MAX_BYTES];
    struct counter_columns columns;
    pthread_t thread;
    bool has_thread;
    int end_fd;        /* eventfd: the thread is to end */
    bool begins;       /* an archive does: at from_tsc */
    uint64_t from_tsc; /* 0: not known yet */
    json_t *last;      /* of each device, the last row before all that are held: its line */
    pthread_mutex_t lock;
    /* under the lock: */
    struct counter_row *rows; /* in the order in which they were read */
    size_t rows_n, capacity, bytes;
    struct counter_log_state state;
};

/* ---- lines ---- */

static const char *field_at(const char *line, int n, size_t *bytes)
{
    while (n-- > 0) {
        line = strchr(line, ',');
        if (!line)
            return NULL;
        line++;
    }
    *bytes = strcspn(line, ",\r\n");
    return line;
}

static int column_of(const char *header, int n, const char *name)
{
    for (int i = 0; i < n; i++) {
        size_t bytes;
        const char *field = field_at(header, i, &bytes);
        if (field && bytes == strlen(name) && strncmp(field, name, bytes) == 0)
            return i;
    }
    return -1;
}

static int fields_of(const char *line)
{
    int n = 1;
    for (; *line; line++)
        n += *line == ',';
    return n;
}

static int read_header(struct counter_log *l, const char *line, struct error *err)
{
    int n = fields_of(line);
    l->columns = (struct counter_columns){.tsc = column_of(line, n, "tsc"),
                                          .domain = column_of(line, n, "domain"),
                                          .device = column_of(line, n, "device"),
                                          .idd = column_of(line, n, "idd"),
                                          .n = n};
    if (l->columns.tsc < 0 || l->columns.domain < 0 || l->columns.device < 0)
        return error_set(err, ERROR_FORMAT,
                         "its first line is no header of counters with the columns tsc, domain and device");
    snprintf(l->header, sizeof l->header, "%s", line);
    return 0;
}

/* The tsc of a row, and by what its device is known. False: it is no row. */
static bool read_row(const struct counter_log *l, const char *line, uint64_t *tsc, char key[KEY_BYTES])
{
    const struct counter_columns *c = &l->columns;
    const int columns[] = {c->domain, c->device, c->idd};
    size_t n = 0, at = 0;
    char *end;
    if (fields_of(line) != c->n)
        return false;
    const char *text = field_at(line, c->tsc, &n);
    if (n == 0 || strspn(text, "0123456789") != n)
        return false;
    errno = 0;
    *tsc = strtoull(text, &end, 10);
    for (size_t i = 0; i < 3 && columns[i] >= 0; i++) {
        text = field_at(line, columns[i], &n);
        if ((n == 0 && i < 2) || at + n + 2 > KEY_BYTES)
            return false;
        at += (size_t)snprintf(key + at, KEY_BYTES - at, "%.*s,", (int)n, text);
    }
    return errno == 0;
}

/* Keeps a row. The lock is held. */
static void add_row(struct counter_log *l, const char *line, size_t n)
{
    uint64_t tsc;
    char key[KEY_BYTES], text[LINE_MAX_BYTES];
    snprintf(text, sizeof text, "%.*s", (int)min64(n, sizeof text - 1), line);
    bool fine = n < sizeof text && read_row(l, text, &tsc, key);
    bool room = l->bytes + n <= ROWS_BYTES_MAX &&
                array_make_room(&l->rows, &l->capacity, l->rows_n + 1, sizeof *l->rows);
    char *copy = fine && room ? strdup(text) : NULL;
    if (!copy) {
        l->state.left_out++;
        error_set(&l->state.error, ERROR_FORMAT,
                  fine ? "more readings than there is room for" : "a line that is no row of counters");
        return;
    }
    l->rows[l->rows_n++] = (struct counter_row){.tsc = tsc, .line = copy};
    l->bytes += n;
}

/* ---- this domain's ---- */

static void add_reading(struct counter_log *l, const struct buffer *rows, const struct error *err)
{
    const char *at = rows->at, *end = at + rows->n, *newline;
    pthread_mutex_lock(&l->lock);
    l->state.error = *err;
    for (; at < end && (newline = memchr(at, '\n', (size_t)(end - at))); at = newline + 1)
        add_row(l, at, (size_t)(newline + 1 - at));
    pthread_mutex_unlock(&l->lock);
}

static void *read_counters(void *context)
{
    struct counter_log *l = context;
    struct pollfd end = {.fd = l->end_fd, .events = POLLIN};
    struct buffer rows = {0};
    uint64_t pause_ns, readings = 0;
    do {
        struct io_reading reading = {0};
        struct error err = {0};
        uint64_t begun_ns = io_clock_ns();
        if (io_reader_read(l->reader, &rows, &reading, &err) != 0)
            rows.n = 0;
        else if (++readings % IDLE_EVERY == 0)
            io_reader_last_rows(l->reader, &rows);
        add_reading(l, &rows, &err);
        pause_ns =
            max64(COUNTER_LOG_INTERVAL_NS, rows.n * (uint64_t)1000000000u / COUNTER_LOG_BYTES_PER_SECOND);
        rows.n = 0;
        pause_ns -= min64(pause_ns, io_clock_ns() - begun_ns);
    } while (poll(&end, 1, (int)(pause_ns / 1000000)) <= 0);
    buffer_free(&rows);
    return NULL;
}

static int begin_reading(struct counter_log *l, struct error *err)
{
    struct buffer header = {0};
    l->wanted.form = io_reader_form(l->wanted.root);
    if (!l->wanted.form.tsc)
        return error_set(err, ERROR_USAGE, "this machine has no time stamp counter that programs can read");
    io_file_raise_limit();
    l->reader = io_reader_new(&l->wanted, err);
    if (!l->reader)
        return -1;
    io_rows_header(&header, &l->wanted.form);
    buffer_add(&header, "", 1);
    int status = header.failed ? error_no_memory(err, "reading counters") : read_header(l, header.at, err);
    buffer_free(&header);
    l->has_thread = status == 0 && thread_begin(&l->thread, "counters", read_counters, l);
    return status != 0 || l->has_thread ? status : error_no_memory(err, "a thread that reads counters");
}

/* ---- a file ---- */

/* The next whole line. False: there is none yet; the file stays where it is. */
static bool next_line(struct counter_log *l, char line[LINE_MAX_BYTES])
{
    long at = ftell(l->file);
    clearerr(l->file);
    if (fgets(line, LINE_MAX_BYTES, l->file) && (strchr(line, '\n') || strlen(line) == LINE_MAX_BYTES - 1))
        return true;
    fseek(l->file, at, SEEK_SET);
    return false;
}

static bool has_room(const struct counter_log *l)
{
    return l->bytes + LINE_MAX_BYTES < ROWS_BYTES_MAX;
}

/* Keeps the rows up to until_tsc; the first one beyond is read again. True: there was no room for all. The lock is held. */
static bool read_file(struct counter_log *l, uint64_t until_tsc)
{
    char line[LINE_MAX_BYTES], key[KEY_BYTES];
    uint64_t tsc;
    while (has_room(l)) {
        long at = ftell(l->file);
        if (!next_line(l, line))
            return false;
        if (strcmp(line, l->header) == 0 || *line == '#' || line[strspn(line, " \t\r\n")] == '\0')
            continue;
        if (read_row(l, line, &tsc, key) && tsc > until_tsc) {
            fseek(l->file, at, SEEK_SET);
            return false;
        }
        add_row(l, line, strlen(line));
    }
    return true;
}

static int open_file(struct counter_log *l, const char *path, struct error *err)
{
    struct stat st;
    char line[LINE_MAX_BYTES];
    l->file = fopen(path, "re");
    if (!l->file || fstat(fileno(l->file), &st) != 0)
        return error_set(err, ERROR_IO, "cannot be opened: %s", strerror(errno));
    if (!S_ISREG(st.st_mode))
        return error_set(err, ERROR_IO, "is no regular file");
    return next_line(l, line) ? read_header(l, line, err)
                              : error_set(err, ERROR_FORMAT, "has no header line of counters");
}

/* ---- what is taken ---- */

/* This row is the last one of its device before all that are held. */
static void note_last(struct counter_log *l, const struct counter_row *row)
{
    uint64_t tsc;
    char key[KEY_BYTES];
    if (!read_row(l, row->line, &tsc, key))
        return;
    if (json_object_size(l->last) >= DEVICES_MAX)
        json_object_clear(l->last);
    json_object_set_new_nocheck(l->last, key, json_string_nocheck(row->line));
}

/* Rows up to `tsc` are not held any more, if they were given or `all`. The lock is held. */
static void let_go(struct counter_log *l, uint64_t tsc, bool all)
{
    size_t n = 0;
    while (n < l->rows_n && l->rows[n].tsc <= tsc && (all || l->rows[n].given)) {
        note_last(l, &l->rows[n]);
        l->bytes -= strlen(l->rows[n].line);
        free(l->rows[n++].line);
    }
    if (n > 0)
        memmove(l->rows, l->rows + n, (l->rows_n - n) * sizeof *l->rows);
    l->rows_n -= n;
}

static void put_line(struct counter_log *l, const char *line, struct buffer *lines)
{
    if (lines->n == 0)
        buffer_text(lines, l->header);
    buffer_text(lines, line);
    l->state.rows++;
}

/* The archive's first rows are those of before. The lock is held. */
static void put_last(struct counter_log *l, struct buffer *lines)
{
    for (void *i = json_object_iter(l->last); i; i = json_object_iter_next(l->last, i))
        put_line(l, json_string_value(json_object_iter_value(i)), lines);
    for (size_t i = 0; i < l->rows_n; i++)
        l->rows[i].given = false;
    l->begins = false;
}

void counter_log_begin(struct counter_log *l, uint64_t from_tsc)
{
    l->begins = true;
    l->from_tsc = from_tsc;
}

/* Gives the rows that are held; those from the last minute or so stay, as long as there is room. The lock is held. */
static void give_rows(struct counter_log *l, struct buffer *lines)
{
    uint64_t newest = 0;
    for (size_t i = 0; i < l->rows_n; i++) {
        newest = max64(newest, l->rows[i].tsc);
        if (!l->rows[i].given)
            put_line(l, l->rows[i].line, lines);
        l->rows[i].given = true;
    }
    let_go(l, newest > KEPT_TSC ? newest - KEPT_TSC : 0, false);
    if (l->bytes > ROWS_BYTES_MAX / 2)
        let_go(l, UINT64_MAX, false);
}

void counter_log_take(struct counter_log *l, uint64_t until_tsc, struct buffer *lines)
{
    bool more;
    if (l->begins && !l->from_tsc)
        return;
    pthread_mutex_lock(&l->lock);
    do {
        more = l->file && read_file(l, until_tsc);
        if (l->begins)
            let_go(l, l->from_tsc, true);
        if (l->begins && !(more && l->rows_n == 0))
            put_last(l, lines);
        if (!l->begins)
            give_rows(l, lines);
    } while (more && has_room(l));
    pthread_mutex_unlock(&l->lock);
}

struct counter_log_state counter_log_state(struct counter_log *l)
{
    pthread_mutex_lock(&l->lock);
    struct counter_log_state s = l->state;
    pthread_mutex_unlock(&l->lock);
    return s;
}

/* ---- the whole ---- */

struct counter_log *counter_log_new(const struct counter_log_options *o, struct error *err)
{
    struct counter_log *l = calloc(1, sizeof *l);
    if (!l) {
        error_no_memory(err, "reading counters");
        return NULL;
    }
    l->wanted.root = o->root ? o->root : "";
    l->last = json_object();
    l->end_fd = eventfd(0, EFD_CLOEXEC);
    pthread_mutex_init(&l->lock, NULL);
    int status = l->last && l->end_fd >= 0 ? 0 : error_no_memory(err, "reading counters");
    if (status == 0)
        status = o->file ? open_file(l, o->file, err) : begin_reading(l, err);
    if (status == 0)
        return l;
    counter_log_free(l);
    return NULL;
}

void counter_log_free(struct counter_log *l)
{
    const uint64_t one = 1;
    if (!l)
        return;
    if (l->has_thread && write(l->end_fd, &one, sizeof one) == sizeof one)
        pthread_join(l->thread, NULL);
    for (size_t i = 0; i < l->rows_n; i++)
        free(l->rows[i].line);
    free(l->rows);
    if (l->file)
        fclose(l->file);
    if (l->end_fd >= 0)
        close(l->end_fd);
    json_decref(l->last);
    io_reader_free(l->reader);
    pthread_mutex_destroy(&l->lock);
    free(l);
}
