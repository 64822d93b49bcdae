/*
 * A rectangle of characters with styles, on which views draw: shown on a terminal, printed as text, or looked at by tests. What is put
 * there is safe on a terminal (formats/safe_text.h) whatever it was.
 */
#ifndef XENMETER_SCREEN_CANVAS_H
#define XENMETER_SCREEN_CANVAS_H

#include <stdbool.h>
#include <stddef.h>

#include "formats/buffer.h"

enum style {
    STYLE_PLAIN,
    STYLE_TITLE,  /* headings */
    STYLE_SORTED, /* heading of the column of the order */
    STYLE_CHOSEN, /* the row on which keys act */
    STYLE_DIM,
    STYLE_KEY, /* a key in the line of help */
    STYLE_GOOD,
    STYLE_WARNING,
    STYLE_ALARM,
    STYLE_HEAT_LOW, /* of pCPUs and graphs, by load */
    STYLE_HEAT_MIDDLE,
    STYLE_HEAT_HIGH,
    STYLE_HEAT_FULL,
    STYLES
};

#define CELL_TEXT 8 /* bytes of a character with what combines with it, and a NUL */

struct canvas_cell {
    char text[CELL_TEXT]; /* "": the right half of a wide character, or what is left of one */
    unsigned char style;
};

struct canvas {
    unsigned width, height;
    bool ascii; /* other characters become '?' */
    struct canvas_cell *cells;
};

/* All blank, in this size. False: no memory; the canvas is empty. `c` was made so before, or is all zero. */
bool canvas_reset(struct canvas *c, unsigned width, unsigned height, bool ascii);
void canvas_free(struct canvas *c);

/*
 * Puts text at column x of line y, in at most `width` columns; what lies outside is cut. Returns the columns that it takes. In a
 * text that is cut the last column is '~'.
 */
unsigned canvas_put(struct canvas *c, unsigned x, unsigned y, unsigned width, enum style style,
                    const char *text);
unsigned canvas_printf(struct canvas *c, unsigned x, unsigned y, unsigned width, enum style style,
                       const char *format, ...) __attribute__((format(printf, 6, 7)));

/* The same at the right edge of `width` columns. */
void canvas_put_right(struct canvas *c, unsigned x, unsigned y, unsigned width, enum style style,
                      const char *text);

/* Gives `width` columns of a line a style; their text stays. */
void canvas_paint(struct canvas *c, unsigned x, unsigned y, unsigned width, enum style style);

/* Columns that a text takes. */
unsigned canvas_width(const char *text);

static inline const struct canvas_cell *canvas_at(const struct canvas *c, unsigned x, unsigned y)
{
    return &c->cells[(size_t)y * c->width + x];
}

/* Adds the lines as text, without blanks at their ends and without blank lines at the end. */
void canvas_text(const struct canvas *c, struct buffer *to);

#endif
