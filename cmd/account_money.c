#include "account_money.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "account.h"
#include "formats/output.h"
#include "rates_file.h"

/* ---- memory ---- */

static void *or_end(void *at)
{
    if (at)
        return at;
    complain("not enough memory for exact numbers");
    output_remove_temporaries();
    _exit(EXIT_ERROR);
}

static void *allocate(size_t n)
{
    return or_end(malloc(n));
}

static void *reallocate(void *at, size_t old, size_t n)
{
    (void)old;
    return or_end(realloc(at, n));
}

static void release(void *at, size_t n)
{
    (void)n;
    free(at);
}

void money_watch_memory(void)
{
    mp_set_memory_functions(allocate, reallocate, release);
}

/* ---- files ---- */

/* The file, or else the text; *any: there is one. */
static int take_text(struct buffer *to, const char *file, const char *text, bool *any,
                     int (*read)(const char *path, struct buffer *text, struct error *err), struct error *err)
{
    *any = file || text;
    if (file)
        return read(file, to, err);
    if (text)
        buffer_text(to, text);
    return to->failed ? error_no_memory(err, "the rates") : 0;
}

int money_read(struct money *m, const struct money_options *o, const struct sharing *sharing,
               const char *rates, const char *tags, const char **file, struct error *err)
{
    struct buffer *r = &m->rates_text, *t = &m->tags_text;
    bool priced, tagged;
    m->tag = -1;
    m->bill.sharing = *sharing;
    *file = o->tags;
    if (take_text(t, o->tags, tags, &tagged, tags_file, err) != 0 ||
        (tagged && tags_read(&m->tags, t->at ? t->at : "", t->n, err) != 0))
        return -1;
    m->bill.tags = tagged ? &m->tags : NULL;
    *file = o->rates;
    if (take_text(r, o->rates, rates, &priced, rates_file, err) != 0 ||
        (priced && rates_read(&m->rates, r->at ? r->at : "", r->n, m->bill.tags, err) != 0))
        return -1;
    *file = NULL;
    m->bill.rates = priced ? &m->rates : NULL;
    m->cuts = calloc(2 * m->rates.n + 1, sizeof *m->cuts);
    if (!m->cuts)
        return error_no_memory(err, "the rates");
    m->cuts_n = rates_changes(&m->rates, INT64_MIN, INT64_MAX, m->cuts);
    m->tag = o->tag ? tags_index(&m->tags, o->tag) : m->tags.names_n ? 0 : -1;
    if (o->tag && m->tag < 0)
        return error_set(err, ERROR_USAGE, "--by tag:%.60s: the tags have no such column", o->tag);
    return 0;
}

void money_free(struct money *m)
{
    buffer_free(&m->rates_text);
    buffer_free(&m->tags_text);
    rates_free(&m->rates);
    tags_free(&m->tags);
    free(m->cuts);
    *m = (struct money){.cuts_n = 0};
}

const char *money_tag(const struct money *m, const struct bill_row *row)
{
    const char *tag = m->tag >= 0 && row->tags ? row->tags[m->tag] : NULL;
    return tag && *tag ? tag : NULL;
}

/* ---- options ---- */

/* The number of the word. -1 with `err` filled, which lists them. */
static int word_of(const char *const *words, const struct option_spec *s, const char *text, struct error *err)
{
    int at = name_index(words, text, strlen(text));
    char all[FORMATS_BYTES];
    if (at < 0)
        error_set(err, ERROR_USAGE, "--%s %.40s: wants one of %s", s->name, text, formats_listed(all, words));
    return at;
}

static int set_share(struct options *o, const struct option_spec *s, const char *text, enum share_by *to,
                     struct error *err)
{
    int at = word_of(share_by_names, s, text, err);
    ((struct account_command *)o)->money.shared = true;
    if (at >= 0)
        *to = (enum share_by)at;
    return at < 0 ? -1 : 0;
}

int set_share_idle(struct options *o, const struct option_spec *s, const char *text, struct error *err)
{
    return set_share(o, s, text, &((struct account_command *)o)->money.sharing.idle, err);
}

int set_share_overhead(struct options *o, const struct option_spec *s, const char *text, struct error *err)
{
    return set_share(o, s, text, &((struct account_command *)o)->money.sharing.overhead, err);
}

int set_basis(struct options *o, const struct option_spec *s, const char *text, struct error *err)
{
    int at = word_of(share_basis_names, s, text, err);
    struct money_options *m = &((struct account_command *)o)->money;
    m->shared = true;
    if (at >= 0)
        m->sharing.basis = (enum share_basis)at;
    return at < 0 ? -1 : 0;
}
