/*
 * A server of a few pages over HTTP/1.1, for machines: GET and HEAD only, one request for each connection, on a thread of its own.
 * What a client does costs a bounded amount of memory and time: HTTP_CLIENTS connections at a time, HTTP_HEADER_BYTES for a request,
 * HTTP_REQUEST_NS until it is complete, HTTP_ANSWER_NS until its answer is taken.
 */
#ifndef XENMETER_CMD_HTTP_SERVER_H
#define XENMETER_CMD_HTTP_SERVER_H

#include <stdatomic.h>
#include <stddef.h>

#include "formats/buffer.h"
#include "parser/error.h"

#define HTTP_CLIENTS      64
#define HTTP_HEADER_BYTES 16384
#define HTTP_REQUEST_NS   5000000000u
#define HTTP_ANSWER_NS    30000000000u

/* A text that several answers may be sending: the last one that lets it go frees it. */
struct http_text {
    atomic_uint users;
    size_t n;
    char *at;
};

/* Takes the buffer's text, which is empty then; with one user. NULL: no memory, also if the buffer has failed. */
struct http_text *http_text_new(struct buffer *from);
void http_text_release(struct http_text *text); /* NULL is fine */

struct http_answer {
    unsigned status; /* 404: there is no such page, whatever the rest is */
    const char *content_type;
    struct http_text *text; /* a user of it is the server's. NULL: no memory, the answer is 503 */
};

/* Fills the answer (status 404) to a request for a path; `accept`: the header of that name, or "". On the server's thread. */
typedef void http_answer_to(void *context, const char *path, const char *accept, struct http_answer *answer);

struct http_server;

/*
 * Listens on "ADDRESS:PORT": 127.0.0.1:9797, [::1]:9797, localhost:9797; port 0: any that is free. NULL with `err` filled: it is no
 * address, it is in use, or this program was built without libmicrohttpd.
 */
struct http_server *http_server_new(const char *listen, http_answer_to *answer, void *context,
                                    struct error *err);

/* "http://127.0.0.1:9797/": where it listens. Valid until it is freed. */
const char *http_server_url(const struct http_server *s);

/* Drops the connections and ends the thread. NULL is fine. */
void http_server_free(struct http_server *s);

#endif
