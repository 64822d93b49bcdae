#include "http_server.h"

#include <stdlib.h>
#include <string.h>

struct http_text *http_text_new(struct buffer *from)
{
    struct http_text *text = from->failed ? NULL : malloc(sizeof *text);
    if (!text) {
        buffer_free(from);
        return NULL;
    }
    *text = (struct http_text){.users = 1, .n = from->n, .at = from->at};
    *from = (struct buffer){0};
    return text;
}

void http_text_release(struct http_text *text)
{
    if (!text || atomic_fetch_sub(&text->users, 1) > 1)
        return;
    free(text->at);
    free(text);
}

#ifdef HAVE_libmicrohttpd

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host/io_clock.h"
#include "http_library.h"
#include "parser/thread.h"

#define LOOK_MS 250 /* at connections that last too long */

struct http_client {
    int fd; /* -1: none */
    uint64_t since_ns;
    bool answered;
};

struct http_server {
    http_answer_to *answer;
    void *context;
    struct MHD_Daemon *daemon;
    pthread_t thread;
    bool runs;
    int wake_fd, epoll_fd;
    char url[NI_MAXHOST + 32];
    struct http_client clients[HTTP_CLIENTS]; /* the thread's */
};

/* ---- answers ---- */

static void release(void *text)
{
    http_text_release(text);
}

static enum MHD_Result refuse(struct MHD_Connection *connection, unsigned status, const char *text)
{
    struct MHD_Response *response =
        mhd.create_response_from_buffer(strlen(text), (void *)(uintptr_t)text, MHD_RESPMEM_PERSISTENT);
    if (!response)
        return MHD_NO;
    mhd.add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, "text/plain; charset=utf-8");
    mhd.add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
    if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
        mhd.add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
    enum MHD_Result result = mhd.queue_response(connection, status, response);
    mhd.destroy_response(response);
    return result;
}

static enum MHD_Result send_answer(struct MHD_Connection *connection, const struct http_answer *a)
{
    struct MHD_Response *response =
        mhd.create_response_from_buffer_with_free_callback_cls(a->text->n, a->text->at, release, a->text);
    if (!response) {
        http_text_release(a->text);
        return MHD_NO;
    }
    mhd.add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, a->content_type);
    mhd.add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    mhd.add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
    mhd.add_response_header(response, "X-Content-Type-Options", "nosniff");
    mhd.add_response_header(response, "Content-Security-Policy",
                            "default-src 'none'; style-src 'unsafe-inline'");
    enum MHD_Result result = mhd.queue_response(connection, a->status, response);
    mhd.destroy_response(response);
    return result;
}

/* Called when the request's header is there; a body that would follow is not read. */
static enum MHD_Result handle(void *context, struct MHD_Connection *connection, const char *path,
                              const char *method, const char *version, const char *body, size_t *body_n,
                              void **state)
{
    struct http_server *s = context;
    struct http_answer a = {.status = MHD_HTTP_NOT_FOUND};
    (void)version, (void)body, (void)state;
    *body_n = 0;
    const union MHD_ConnectionInfo *info =
        mhd.get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    if (info && info->socket_context) {
        struct http_client *client = info->socket_context;
        client->answered = true;
        client->since_ns = io_clock_ns();
    }
    if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
        return refuse(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "only GET and HEAD\n");
    const char *accept = mhd.lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_ACCEPT);
    s->answer(s->context, path, accept ? accept : "", &a);
    if (a.status == MHD_HTTP_NOT_FOUND)
        return refuse(connection, MHD_HTTP_NOT_FOUND, "there are /, /metrics and /healthz\n");
    if (!a.text)
        return refuse(connection, MHD_HTTP_SERVICE_UNAVAILABLE, "not enough memory\n");
    return send_answer(connection, &a);
}

/* ---- connections ---- */

static void note_client(void *context, struct MHD_Connection *connection, void **client_at,
                        enum MHD_ConnectionNotificationCode code)
{
    struct http_server *s = context;
    struct http_client *client = *client_at;
    if (code == MHD_CONNECTION_NOTIFY_CLOSED && client)
        client->fd = -1;
    if (code == MHD_CONNECTION_NOTIFY_CLOSED)
        return;
    const union MHD_ConnectionInfo *info =
        mhd.get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    for (size_t i = 0; info && i < HTTP_CLIENTS; i++)
        if (s->clients[i].fd < 0) {
            s->clients[i] = (struct http_client){.fd = info->connect_fd, .since_ns = io_clock_ns()};
            *client_at = &s->clients[i];
            return;
        }
}

/* The library's own limit is of silence: it would wait for ever for one who sends a byte now and then. */
static void cut_slow_clients(const struct http_server *s)
{
    uint64_t now_ns = io_clock_ns();
    for (size_t i = 0; i < HTTP_CLIENTS; i++) {
        const struct http_client *c = &s->clients[i];
        if (c->fd >= 0 && now_ns - c->since_ns > (c->answered ? HTTP_ANSWER_NS : HTTP_REQUEST_NS))
            shutdown(c->fd, SHUT_RDWR);
    }
}

static void *serve(void *context)
{
    struct http_server *s = context;
    struct pollfd wait[] = {{.fd = s->epoll_fd, .events = POLLIN}, {.fd = s->wake_fd, .events = POLLIN}};
    while (!(wait[1].revents & POLLIN)) {
        MHD_UNSIGNED_LONG_LONG ms = LOOK_MS;
        if (mhd.get_timeout(s->daemon, &ms) != MHD_YES || ms > LOOK_MS)
            ms = LOOK_MS;
        poll(wait, 2, (int)ms);
        mhd.run(s->daemon);
        cut_slow_clients(s);
    }
    return NULL;
}

/* ---- beginning and end ---- */

/* Paths are compared as they come: no page has a name that would be encoded. */
static size_t leave_encoded(void *context, struct MHD_Connection *connection, char *text)
{
    (void)context, (void)connection;
    return strlen(text);
}

/* The address and the port of "ADDRESS:PORT" or "[ADDRESS]:PORT"; false: it is none. */
static bool split_address(const char *listen, char host[NI_MAXHOST], const char **port)
{
    const char *colon = strrchr(listen, ':');
    size_t n = colon ? (size_t)(colon - listen) : 0;
    bool bracketed = n > 2 && listen[0] == '[' && listen[n - 1] == ']';
    if (n == 0 || n >= NI_MAXHOST || !colon[1] || strspn(colon + 1, "0123456789") != strlen(colon + 1) ||
        strtoul(colon + 1, NULL, 10) > 65535 || (!bracketed && memchr(listen, ':', n)))
        return false;
    snprintf(host, NI_MAXHOST, "%.*s", (int)(n - 2 * bracketed), listen + bracketed);
    *port = colon + 1;
    return true;
}

static struct addrinfo *find_address(const char *listen, struct error *err)
{
    char host[NI_MAXHOST];
    const char *port;
    struct addrinfo *found = NULL;
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
                                   .ai_flags = AI_PASSIVE | AI_NUMERICHOST | AI_NUMERICSERV};
    int status = EAI_NONAME; /* names are not looked up: that can take as long as a name server likes */
    if (split_address(listen, host, &port))
        status = getaddrinfo(strcmp(host, "localhost") == 0 ? "127.0.0.1" : host, port, &hints, &found);
    if (status == 0)
        return found;
    error_set(err, ERROR_USAGE,
              "--listen %.100s: wants ADDRESS:PORT of this host, for example 127.0.0.1:9797", listen);
    return NULL;
}

static int start_daemon(struct http_server *s, const char *listen, struct error *err)
{
    struct addrinfo *address = find_address(listen, err);
    if (!address)
        return -1;
    unsigned flags = MHD_USE_EPOLL | (address->ai_family == AF_INET6 ? MHD_USE_IPv6 : 0);
    errno = 0;
    s->daemon = mhd.start_daemon(flags, 0, NULL, NULL, handle, s, MHD_OPTION_SOCK_ADDR, address->ai_addr,
                                 MHD_OPTION_CONNECTION_LIMIT, (unsigned)HTTP_CLIENTS,
                                 MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HTTP_HEADER_BYTES,
                                 MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)(HTTP_ANSWER_NS / 1000000000u),
                                 MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_NOTIFY_CONNECTION, note_client,
                                 s, MHD_OPTION_UNESCAPE_CALLBACK, leave_encoded, NULL, MHD_OPTION_END);
    int number = errno;
    freeaddrinfo(address);
    return s->daemon ? 0
                     : error_set(err, ERROR_IO, "--listen %.100s: cannot listen there: %s", listen,
                                 number ? strerror(number) : "no server could be made");
}

/* Where it listens, as the kernel says it, which has chosen the port if it was 0. */
static void make_url(struct http_server *s)
{
    struct sockaddr_storage at;
    socklen_t n = sizeof at;
    char host[NI_MAXHOST] = "?", port[NI_MAXSERV] = "?";
    const union MHD_DaemonInfo *info = mhd.get_daemon_info(s->daemon, MHD_DAEMON_INFO_LISTEN_FD);
    if (info && getsockname(info->listen_fd, (struct sockaddr *)&at, &n) == 0)
        getnameinfo((struct sockaddr *)&at, n, host, sizeof host, port, sizeof port,
                    NI_NUMERICHOST | NI_NUMERICSERV);
    bool is_v6 = strchr(host, ':') != NULL;
    snprintf(s->url, sizeof s->url, "http://%s%s%s:%.5s/", is_v6 ? "[" : "", host, is_v6 ? "]" : "", port);
}

struct http_server *http_server_new(const char *listen, http_answer_to *answer, void *context,
                                    struct error *err)
{
    struct http_server *s = http_library_load(err) == 0 ? calloc(1, sizeof *s) : NULL;
    if (!s) {
        if (mhd.run)
            error_no_memory(err, "the server");
        return NULL;
    }
    s->answer = answer;
    s->context = context;
    for (size_t i = 0; i < HTTP_CLIENTS; i++)
        s->clients[i].fd = -1;
    s->wake_fd = eventfd(0, EFD_CLOEXEC);
    if (start_daemon(s, listen, err) != 0) {
        http_server_free(s);
        return NULL;
    }
    const union MHD_DaemonInfo *info = mhd.get_daemon_info(s->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    s->epoll_fd = info ? info->epoll_fd : -1;
    make_url(s);
    s->runs = s->wake_fd >= 0 && s->epoll_fd >= 0 && thread_begin(&s->thread, "http", serve, s);
    if (!s->runs) {
        error_set(err, ERROR_IO, "--listen %.100s: there is no thread for the server", listen);
        http_server_free(s);
        return NULL;
    }
    return s;
}

const char *http_server_url(const struct http_server *s)
{
    return s->url;
}

void http_server_free(struct http_server *s)
{
    if (!s)
        return;
    if (s->runs) {
        eventfd_write(s->wake_fd, 1);
        pthread_join(s->thread, NULL);
    }
    if (s->daemon)
        mhd.stop_daemon(s->daemon);
    if (s->wake_fd >= 0)
        close(s->wake_fd);
    free(s);
}

#else /* without the library */

struct http_server *http_server_new(const char *listen, http_answer_to *answer, void *context,
                                    struct error *err)
{
    (void)listen, (void)answer, (void)context;
    error_set(
        err, ERROR_USAGE,
        "this xenmeter was built without libmicrohttpd: install it (Debian: libmicrohttpd-dev) and build "
        "again; \"xenmeter report --live 10s -f prometheus -o FILE.prom\" needs none");
    return NULL;
}

const char *http_server_url(const struct http_server *s)
{
    (void)s;
    return "";
}

void http_server_free(struct http_server *s)
{
    (void)s;
}

#endif
