#include "serve_pages.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cli.h"
#include "formats/safe_text.h"
#include "host/io_clock.h"

void serve_pages_init(struct serve_pages *p, const char *source, uint64_t max_age_ns)
{
    pthread_mutex_init(&p->lock, NULL);
    safe_text(p->source, sizeof p->source, source);
    p->max_age_ns = max_age_ns;
    p->begun_ns = io_clock_ns();
}

void serve_pages_free(struct serve_pages *p)
{
    http_text_release(p->metrics[PROMETHEUS_TEXT]);
    http_text_release(p->metrics[PROMETHEUS_OPENMETRICS]);
    pthread_mutex_destroy(&p->lock);
}

void serve_pages_set_state(struct serve_pages *p, enum serve_state state)
{
    pthread_mutex_lock(&p->lock);
    p->state = state;
    pthread_mutex_unlock(&p->lock);
}

void serve_pages_put(struct serve_pages *p, struct http_text *const metrics[2],
                     const struct judgement *judgement, bool is_data)
{
    struct http_text *before[2];
    pthread_mutex_lock(&p->lock);
    memcpy(before, p->metrics, sizeof before);
    memcpy(p->metrics, metrics, sizeof before);
    if (judgement)
        p->judgement = *judgement;
    if (is_data)
        p->data_ns = io_clock_ns();
    pthread_mutex_unlock(&p->lock);
    http_text_release(before[0]);
    http_text_release(before[1]);
}

/* ---- which form ---- */

/* The value of a parameter of an item "type/subtype;a=b; c=d", n characters; false: it has none. */
static bool parameter(const char *item, size_t n, const char *name, char value[16])
{
    size_t name_n = strlen(name);
    for (const char *at = memchr(item, ';', n), *end = item + n; at && at < end;) {
        at++;
        at += strspn(at, " \t");
        const char *next = at < end ? memchr(at, ';', (size_t)(end - at)) : NULL;
        size_t left = (size_t)((next ? next : end) - at);
        if (at < end && left > name_n && strncasecmp(at, name, name_n) == 0 && at[name_n] == '=') {
            size_t quoted = at[name_n + 1] == '"'; /* it may be */
            snprintf(value, 16, "%.*s", (int)(left - name_n - 1 - quoted), at + name_n + 1 + quoted);
            value[strcspn(value, quoted ? "\"" : " \t")] = '\0';
            return true;
        }
        at = next;
    }
    return false;
}

static double quality_of(const char *item, size_t n)
{
    char value[16];
    if (!parameter(item, n, "q", value))
        return 1;
    double q = strtod(value, NULL);
    return q >= 0 && q <= 1 ? q : 0;
}

static bool is_type(const char *item, size_t n, const char *type)
{
    size_t type_n = strlen(type);
    return n >= type_n && strncasecmp(item, type, type_n) == 0 &&
           (n == type_n || strchr("; \t", item[type_n]));
}

enum prometheus_form serve_accepted(const char *accept)
{
    double open = 0, text = 0;
    while (*accept) {
        accept += strspn(accept, " \t,");
        size_t n = strcspn(accept, ",");
        char version[16];
        double q = quality_of(accept, n);
        bool other = parameter(accept, n, "version", version) && strcmp(version, "1.0.0") != 0;
        if (is_type(accept, n, "application/openmetrics-text") && !other && q > open)
            open = q;
        if (is_type(accept, n, "text/plain") && q > text)
            text = q;
        accept += n;
    }
    return open > 0 && open >= text ? PROMETHEUS_OPENMETRICS : PROMETHEUS_TEXT;
}

/* ---- pages ---- */

static bool is_healthy(const struct serve_pages *p, uint64_t now_ns)
{
    return p->state == SERVE_HAS_ALL || now_ns - (p->data_ns ? p->data_ns : p->begun_ns) <= p->max_age_ns;
}

static void put_health(struct buffer *b, const struct serve_pages *p, uint64_t now_ns)
{
    double since = (double)(now_ns - (p->data_ns ? p->data_ns : p->begun_ns)) / 1e9;
    if (p->state == SERVE_HAS_ALL)
        buffer_text(b, "healthy: the recorded trace was read to its end\n");
    else if (p->data_ns)
        buffer_printf(b, "%s: the last interval was complete %.1f s ago, at most %.1f s are healthy\n",
                      is_healthy(p, now_ns) ? "healthy" : "unhealthy", since, (double)p->max_age_ns / 1e9);
    else
        buffer_printf(b, "%s: no interval is complete yet, after %.1f s, at most %.1f s are healthy\n",
                      is_healthy(p, now_ns) ? "healthy" : "unhealthy", since, (double)p->max_age_ns / 1e9);
}

static void put_escaped(struct buffer *b, const char *text)
{
    for (; *text; text++)
        if (strchr("<>&\"'", *text))
            buffer_printf(b, "&#%d;", *text);
        else
            buffer_add(b, text, 1);
}

static void put_page(struct buffer *b, const struct serve_pages *p, uint64_t now_ns)
{
    static const char *const states[] = {"waits for records of", "follows", "reads", "has all of"};
    buffer_text(b, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>xenmeter</title>"
                   "</head>\n<body><h1>xenmeter " XENMETER_VERSION "</h1>\n");
    buffer_printf(b, "<p>It %s ", states[p->state]);
    put_escaped(b, p->source);
    buffer_text(b, ".</p>\n<p>");
    put_health(b, p, now_ns);
    buffer_text(b, "</p>\n");
    if (p->data_ns) {
        buffer_printf(b, "<p>Verdict: %s</p>\n<ul>\n", verdict_name(p->judgement.verdict));
        for (unsigned i = 0; i < p->judgement.reasons; i++) {
            buffer_text(b, "<li>");
            put_escaped(b, p->judgement.why[i]);
            buffer_text(b, "</li>\n");
        }
        buffer_text(b, "</ul>\n");
    }
    buffer_text(b, "<p><a href=\"metrics\">metrics</a>, <a href=\"healthz\">health</a>; xenmeter-serve(1), "
                   "xenmeter-prometheus(7)</p></body></html>\n");
}

static void answer_metrics(struct serve_pages *p, const char *accept, struct http_answer *answer)
{
    enum prometheus_form form = serve_accepted(accept);
    answer->status = 200;
    answer->content_type = prometheus_content_type(form);
    answer->text = p->metrics[form];
    if (answer->text)
        atomic_fetch_add(&answer->text->users, 1);
}

static void answer_text(struct http_answer *answer, unsigned status, const char *content_type,
                        struct buffer *text)
{
    answer->status = status;
    answer->content_type = content_type;
    answer->text = http_text_new(text);
}

void serve_pages_answer(void *pages, const char *path, const char *accept, struct http_answer *answer)
{
    struct serve_pages *p = pages;
    struct buffer text = {0};
    pthread_mutex_lock(&p->lock);
    uint64_t now_ns = io_clock_ns();
    if (strcmp(path, "/metrics") == 0)
        answer_metrics(p, accept, answer);
    else if (strcmp(path, "/healthz") == 0) {
        put_health(&text, p, now_ns);
        answer_text(answer, is_healthy(p, now_ns) ? 200 : 503, "text/plain; charset=utf-8", &text);
    } else if (strcmp(path, "/") == 0) {
        put_page(&text, p, now_ns);
        answer_text(answer, 200, "text/html; charset=utf-8", &text);
    }
    pthread_mutex_unlock(&p->lock);
}
