#include "screen/canvas.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "formats/safe_text.h"
#include "formats/utf8.h"

#define LINE_BYTES 1024

void canvas_free(struct canvas *c)
{
    free(c->cells);
    c->cells = NULL;
    c->width = c->height = 0;
}

bool canvas_reset(struct canvas *c, unsigned width, unsigned height, bool ascii)
{
    size_t n = (size_t)width * height;
    if (!c->cells || c->width != width || c->height != height) {
        struct canvas_cell *cells = malloc((n + 1) * sizeof *cells);
        canvas_free(c);
        if (!cells)
            return false;
        c->cells = cells;
        c->width = width;
        c->height = height;
    }
    c->ascii = ascii;
    for (size_t i = 0; i < n; i++)
        c->cells[i] = (struct canvas_cell){.text = " ", .style = STYLE_PLAIN};
    return true;
}

/* One character of a text. */
struct character {
    const char *text; /* "?" where it is not to be shown */
    size_t bytes;     /* of `text` */
    size_t step;      /* to the next one */
    unsigned width;
};

static struct character character_at(const char *s, bool ascii)
{
    size_t n = safe_length(s), whole = utf8_length(s);
    bool shown = n > 0 && !(ascii && n > 1);
    unsigned width = shown ? safe_width(s, n) : n > 0 ? safe_width(s, n) > 0 : 1;
    return (struct character){
        .text = shown ? s : "?", .bytes = shown ? n : width, .step = whole ? whole : 1, .width = width};
}

unsigned canvas_width(const char *text)
{
    unsigned width = 0;
    for (struct character c; *text; text += c.step) {
        c = character_at(text, false);
        width += c.width;
    }
    return width;
}

/* What combines with the character before it joins its cell, as far as there is room. */
static void combine(struct canvas_cell *cell, const struct character *c)
{
    size_t n = strlen(cell->text);
    if (n > 0 && n + c->bytes < CELL_TEXT) {
        memcpy(cell->text + n, c->text, c->bytes);
        cell->text[n + c->bytes] = '\0';
    }
}

static void put_character(struct canvas *c, size_t at, const struct character *ch, enum style style)
{
    struct canvas_cell *cell = &c->cells[at];
    *cell = (struct canvas_cell){.style = (unsigned char)style};
    memcpy(cell->text, ch->text, ch->bytes);
    if (ch->width == 2)
        cell[1] = (struct canvas_cell){.style = (unsigned char)style};
}

/* Marks that the text goes on, in column `at` of it; a wide character that this cuts in half becomes a blank. */
static unsigned put_cut(struct canvas *c, size_t line, unsigned at, enum style style)
{
    static const struct character cut = {.text = "~", .bytes = 1, .width = 1};
    static const struct character blank = {.text = " ", .bytes = 1, .width = 1};
    if (at > 0 && !*c->cells[line + at].text)
        put_character(c, line + at - 1, &blank, style);
    put_character(c, line + at, &cut, style);
    return at + 1;
}

unsigned canvas_put(struct canvas *c, unsigned x, unsigned y, unsigned width, enum style style,
                    const char *text)
{
    unsigned used = 0, room = x < c->width ? c->width - x : 0;
    size_t line = (size_t)y * c->width + x;
    room = room < width ? room : width;
    if (y >= c->height || room == 0)
        return 0;
    for (struct character ch; *text; text += ch.step) {
        ch = character_at(text, c->ascii);
        if (ch.width == 0) {
            if (used > 0)
                combine(&c->cells[line + used - 1], &ch);
            continue;
        }
        if (used + ch.width > room) {
            return put_cut(c, line, used == room ? used - 1 : used, style);
        }
        put_character(c, line + used, &ch, style);
        used += ch.width;
    }
    return used;
}

unsigned canvas_printf(struct canvas *c, unsigned x, unsigned y, unsigned width, enum style style,
                       const char *format, ...)
{
    char text[LINE_BYTES];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return canvas_put(c, x, y, width, style, text);
}

void canvas_put_right(struct canvas *c, unsigned x, unsigned y, unsigned width, enum style style,
                      const char *text)
{
    unsigned n = canvas_width(text);
    canvas_put(c, x + (n < width ? width - n : 0), y, width, style, text);
}

void canvas_paint(struct canvas *c, unsigned x, unsigned y, unsigned width, enum style style)
{
    for (unsigned i = x; y < c->height && i < c->width && i - x < width; i++)
        c->cells[(size_t)y * c->width + i].style = (unsigned char)style;
}

/* Columns of the line up to the last one that is not blank. */
static unsigned line_end(const struct canvas *c, unsigned y)
{
    unsigned end = c->width;
    while (end > 0 && strcmp(canvas_at(c, end - 1, y)->text, " ") == 0)
        end--;
    return end;
}

void canvas_text(const struct canvas *c, struct buffer *to)
{
    unsigned lines = c->height;
    while (lines > 0 && line_end(c, lines - 1) == 0)
        lines--;
    for (unsigned y = 0; y < lines; y++) {
        unsigned end = line_end(c, y);
        for (unsigned x = 0; x < end; x++)
            buffer_text(to, canvas_at(c, x, y)->text);
        buffer_text(to, "\n");
    }
}
