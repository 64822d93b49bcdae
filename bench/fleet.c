/*
 * Makes a fleet of one host's archives: fleet FOLDER HOSTS ARCHIVE...
 *
 * FOLDER/h0001/NAME and so on are copies with another host's label, boot id and UUIDs of VMs; the numbers are the same.
 */
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "archive/archive.h"
#include "archive/contents.h"
#include "archive/member_writer.h"
#include "archive/summary.h"
#include "archive/tar.h"
#include "formats/output.h"

static void give_up(const char *file, const struct error *err)
{
    fprintf(stderr, "fleet: %s: %s\n", file, err->message);
    exit(2);
}

/* The first eight digits of every value of that key become the host's number. */
static void number(char *text, size_t n, const char *key, unsigned host)
{
    char digits[16];
    snprintf(digits, sizeof digits, "%08x", host);
    for (char *at = text; (at = memmem(at, (size_t)(text + n - at), key, strlen(key)));) {
        at += strlen(key);
        if ((size_t)(text + n - at) >= 36 && memcmp(at, "00000000-0000-0000", 18) != 0)
            memcpy(at, digits, 8);
    }
}

static int copy_member(struct archive *a, const struct capture *p, const struct member *m, unsigned host,
                       struct member_writer *w, struct error *err)
{
    const uint8_t *bytes;
    if (m->kind == MEMBER_OTHER)
        return 0; /* checkpoints and the summary, which is written anew */
    if (archive_read(a, p, m, &bytes, err) != 0)
        return -1;
    struct buffer text = {0};
    buffer_add(&text, (const char *)bytes, m->bytes);
    if (m->kind == MEMBER_HOST && text.n) {
        number(text.at, text.n, "\"boot_id\":\"", host);
        number(text.at, text.n, "\"uuid\":\"", host);
    }
    struct member *to = member_writer_add(w, m->name, text.at, text.n);
    buffer_free(&text);
    if (!to)
        return member_writer_status(w, err);
    to->from = m->from;
    to->to = m->to;
    return w->small.n > (1u << 18) ? member_writer_flush(w) : 0;
}

static int copy_capture(struct archive *a, const struct capture *p, unsigned host,
                        struct frame_writer *frames, struct capture *copy, struct error *err)
{
    struct member_writer w = {.frames = frames};
    struct summary s = {0};
    const struct member *m = capture_member(p, "summary.json");
    const uint8_t *bytes;
    if (!m || archive_read(a, p, m, &bytes, err) != 0 ||
        summary_read(&s, (const char *)bytes, m->bytes, err) != 0)
        return -1;
    w.capture.first_frame = 1;
    w.capture.source = p->source;
    w.capture.tool = p->tool;
    w.capture.goes_on = p->goes_on;
    snprintf(w.capture.id, sizeof w.capture.id, "%s", p->id);
    snprintf(w.capture.host, sizeof w.capture.host, "h%04u", host);
    if (!capture_keep_options(&w.capture, &p->options))
        return error_no_memory(err, "a capture");
    int status = 0;
    for (size_t i = 0; i < p->members_n && status == 0; i++)
        status = copy_member(a, p, &p->members[i], host, &w, err);
    if (status == 0)
        status = member_writer_finish(&w, &s, p->trace_bytes, copy, err);
    member_writer_free(&w);
    summary_free(&s);
    return status;
}

static void copy_archive(const char *from, const char *folder, unsigned host)
{
    char path[4096], name[4096];
    struct error err = {0};
    const struct capture *captures;
    struct capture copy = {.source = NULL};
    struct archive *a = archive_open(from, &err);
    if (!a)
        give_up(from, &err);
    snprintf(name, sizeof name, "%s", from);
    snprintf(path, sizeof path, "%s/h%04u", folder, host);
    (void)mkdir(path, 0755);
    snprintf(path, sizeof path, "%s/h%04u/%s", folder, host, basename(name));
    struct output *out = output_open(path, &err);
    if (!out || archive_captures(a, &captures) != 1)
        give_up(path, &err);
    const struct frame_sink sink = frame_sink_to(out);
    struct frame_writer *frames = frame_writer_new(&sink, 1, 1, &err);
    if (!frames || copy_capture(a, captures, host, frames, &copy, &err) != 0 ||
        contents_write(frames, &copy, 1, &err) != 0 || frame_writer_finish(frames, &err) != 0)
        give_up(path, &err);
    frame_writer_free(frames);
    if (output_commit(out, &err) != 0)
        give_up(path, &err);
    capture_free(&copy);
    archive_close(a);
}

int main(int argc, char **argv)
{
    unsigned hosts = argc > 3 ? (unsigned)strtoul(argv[2], NULL, 10) : 0;
    if (hosts == 0) {
        fputs("usage: fleet FOLDER HOSTS ARCHIVE...\n", stderr);
        return 2;
    }
    (void)mkdir(argv[1], 0755);
    for (unsigned host = 1; host <= hosts; host++)
        for (int i = 3; i < argc; i++)
            copy_archive(argv[i], argv[1], host);
    return 0;
}
