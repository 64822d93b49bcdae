/*
 * Archives that are whole and right in every checksum, but not what they should be.
 *
 *     forge same ARCHIVE                      the same members, each in a frame of its own
 *     forge member ARCHIVE NAME < BYTES       the member whose path ends with NAME has other bytes; manifest and contents fit
 *     forge digest ARCHIVE NAME < BYTES       the same, but the manifest still tells of the old bytes
 *     forge add ARCHIVE NAME PATH < BYTES     a further member before that one, of which manifest and contents do not tell
 *     forge name ARCHIVE NAME PATH            the member has another path in the tar file
 *     forge claim CONTENT BYTES               one frame that says its content is of that size, and BYTES as the table has it
 *     forge bomb ARCHIVE                      each chunk's frame holds 240 MiB of zeros beside it
 *
 * Writes to standard output.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "archive/frame_layout.h"
#include "archive/frames.h"
#include "archive/manifest.h"
#include "tests/fuzz/repack.h"

#define BOMB_BYTES (240u << 20)

static struct loose loose;
static struct buffer file;

static int append(void *context, const uint8_t *bytes, size_t n, struct error *err)
{
    (void)err;
    buffer_add(context, (const char *)bytes, n);
    return 0;
}

static void read_all(struct buffer *b)
{
    char bytes[1 << 16];
    size_t n;
    while ((n = fread(bytes, 1, sizeof bytes, stdin)) > 0)
        buffer_add(b, bytes, n);
}

static int pack(void)
{
    return loose_pack(&loose, &file) && fwrite(file.at, 1, file.n, stdout) == file.n ? 0 : 1;
}

static int forge_member(size_t member, bool repaired)
{
    struct buffer bytes = {0};
    read_all(&bytes);
    loose_repair(&loose, loose.n);
    loose_replace(&loose, member, bytes.at ? bytes.at : "", bytes.n);
    if (repaired)
        loose_repair(&loose, member);
    buffer_free(&bytes);
    return pack();
}

static int forge_name(size_t member, const char *path)
{
    loose_repair(&loose, loose.n);
    snprintf(loose.members[member].path, sizeof loose.members[member].path, "%s", path);
    return pack();
}

static int forge_more(size_t before, const char *path)
{
    if (loose.n == REPACK_MEMBERS)
        return 2;
    memmove(&loose.members[before + 1], &loose.members[before], (loose.n - before) * sizeof *loose.members);
    loose.n++;
    loose.members[before].bytes = (struct buffer){0};
    snprintf(loose.members[before].path, sizeof loose.members[before].path, "%s", path);
    read_all(&loose.members[before].bytes);
    loose_repair(&loose, loose.n);
    return pack();
}

/* A frame with one block of one byte that is repeated, whose header tells of `content` bytes; the seal is right. */
static int forge_claim(uint64_t content, uint32_t told)
{
    static const uint8_t begin[] = {0x28, 0xb5, 0x2f, 0xfd,
                                    0xe4};                   /* 8 bytes of size, one segment, a checksum */
    static const uint8_t block[] = {0x03, 0x80, 0x00, 0x00}; /* the last one: 4096 zeros */
    uint8_t frame[sizeof begin + 8 + sizeof block + 4] = {0};
    size_t n;
    memcpy(frame, begin, sizeof begin);
    for (int i = 0; i < 8; i++)
        frame[sizeof begin + i] = (uint8_t)(content >> 8 * i);
    memcpy(frame + sizeof begin + 8, block, sizeof block);
    struct frame_facts facts[] = {frame_facts_of(frame_magic, ARCHIVE_MAGIC_BYTES, 0),
                                  frame_facts_of(frame, sizeof frame, told)};
    uint8_t *ends = frame_ends(facts, 2, &n);
    fwrite(frame_magic, 1, ARCHIVE_MAGIC_BYTES, stdout);
    fwrite(frame, 1, sizeof frame, stdout);
    if (ends)
        fwrite(ends, 1, n, stdout);
    free(ends);
    return ends ? 0 : 1;
}

/* As loose_pack, with zeros behind the chunks: to a tar file's reader these are its end. */
static int forge_bomb(void)
{
    struct frame_writer *w = frame_writer_new(&(struct frame_sink){&file, append}, 1, 1, NULL);
    bool fine = w != NULL;
    loose_repair(&loose, loose.n);
    for (size_t i = 0; i < loose.n && fine; i++) {
        const struct loose_member *m = &loose.members[i];
        bool chunk = strstr(m->path, "/trace/") != NULL;
        size_t n = tar_bytes(m->bytes.n) + (chunk ? BOMB_BYTES : TAR_END);
        uint8_t *content = calloc(1, n);
        if (content) {
            tar_header(content, m->path, m->bytes.n);
            memcpy(content + TAR_BLOCK, m->bytes.at, m->bytes.n);
        }
        fine = content && frame_writer_put(w, content, n, NULL) >= 0;
    }
    fine = fine && frame_writer_finish(w, NULL) == 0;
    frame_writer_free(w);
    return fine && fwrite(file.at, 1, file.n, stdout) == file.n ? 0 : 1;
}

int main(int argc, char **argv)
{
    const char *what = argc > 2 ? argv[1] : "";
    if (strcmp(what, "claim") == 0 && argc == 4)
        return forge_claim(strtoull(argv[2], NULL, 0), (uint32_t)strtoull(argv[3], NULL, 0));
    if (argc < 3 || !loose_read(&loose, argv[2])) {
        fputs("usage: forge same|member|digest|add|name|claim|bomb ARCHIVE ...\n", stderr);
        return 2;
    }
    size_t member = argc > 3 ? loose_find(&loose, argv[3]) : loose.n;
    int status = 2;
    if (strcmp(what, "bomb") == 0) {
        status = forge_bomb();
    } else if (strcmp(what, "same") == 0) {
        loose_repair(&loose, loose.n);
        status = pack();
    } else if (member < loose.n && strcmp(what, "name") == 0 && argc == 5) {
        status = forge_name(member, argv[4]);
    } else if (member < loose.n && strcmp(what, "add") == 0 && argc == 5) {
        status = forge_more(member, argv[4]);
    } else if (member < loose.n) {
        status = forge_member(member, strcmp(what, "member") == 0);
    }
    loose_free(&loose);
    buffer_free(&file);
    return status;
}
