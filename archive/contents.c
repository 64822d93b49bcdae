#include "archive/contents.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "archive/tar.h"

#define SAME_HZ_PPM 1000.0 /* two measurements of one host's frequency differ by less */

void contents_of_capture(const struct capture *p, struct contents_capture *c)
{
    memcpy(c->host, p->host, sizeof c->host);
    memcpy(c->id, p->id, sizeof c->id);
    c->tsc_first = p->tsc_first;
    c->first_frame = p->first_frame;
    c->frames = p->frames;
    c->manifest_bytes = p->manifest_bytes;
    memcpy(c->manifest_digest, p->manifest_digest, DIGEST_BYTES);
}

int contents_compare(const struct contents_capture *a, const struct contents_capture *b)
{
    int order = strcmp(a->host, b->host);
    if (order == 0)
        order = (a->tsc_first > b->tsc_first) - (a->tsc_first < b->tsc_first);
    return order ? order : strcmp(a->id, b->id);
}

void contents_put_frame(struct buffer *b, const struct contents_capture *captures, size_t n)
{
    size_t begin = b->n;
    char digest[2 * DIGEST_BYTES + 1];
    buffer_fill(b, '\0', TAR_BLOCK);
    buffer_text(b, "{\"schema\":\"" CONTENTS_SCHEMA "\",\n \"pieces\":[\n");
    for (size_t i = 0; i < n; i++) {
        const struct contents_capture *p = &captures[i];
        digest_text(p->manifest_digest, digest);
        buffer_printf(b,
                      "  {\"host\":\"%s\",\"id\":\"%s\",\"tsc_first\":%" PRIu64 ",\"first_frame\":%" PRIu32
                      ",\"frames\":%" PRIu32 ",\"manifest_bytes\":%" PRIu32
                      ",\"manifest_xxh3_128\":\"%s\"}%s\n",
                      p->host, p->id, p->tsc_first, p->first_frame, p->frames, p->manifest_bytes, digest,
                      i + 1 < n ? "," : "");
    }
    buffer_text(b, " ]}\n");
    size_t bytes = b->n - begin - TAR_BLOCK;
    if (b->failed)
        return;
    tar_header((uint8_t *)b->at + begin, CONTENTS_NAME, bytes);
    buffer_fill(b, '\0', tar_bytes(bytes) - TAR_BLOCK - bytes + TAR_END);
}

uint64_t captures_overlap_ns(const struct capture *a, const struct capture *b)
{
    double ns = b->tsc_first < a->tsc_last ? (double)(a->tsc_last - b->tsc_first) / a->cpu_hz * 1e9 : 0;
    return ns < 1e18 ? (uint64_t)ns : UINT64_MAX;
}

bool captures_adjoin(const struct capture *a, const struct capture *b)
{
    if (strcmp(a->host, b->host) != 0 || !(a->cpu_hz > 0) || !(b->cpu_hz > 0))
        return false;
    if (fabs(a->cpu_hz / b->cpu_hz - 1) * 1e6 > SAME_HZ_PPM || b->tsc_last < a->tsc_last)
        return false;
    if (b->tsc_first <= a->tsc_last)
        return captures_overlap_ns(a, b) <= ADJOINING_OVERLAP_NS;
    return (double)(b->tsc_first - a->tsc_last) / a->cpu_hz * 1e9 <= (double)ADJOINING_GAP_NS;
}
