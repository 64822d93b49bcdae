/*
 * The screen: what a person looks at and how, apart from any terminal. Keys change it, seconds come from a history, and it is drawn on a
 * canvas.
 *
 *     screen_init -> (screen_key* -> screen_update -> screen_draw)* -> screen_free
 *
 * For one thread; only the history is shared.
 */
#ifndef XENMETER_SCREEN_SCREEN_H
#define XENMETER_SCREEN_SCREEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "screen/canvas.h"
#include "screen/history.h"
#include "screen/picture.h"
#include "screen/sheet.h"
#include "screen/view.h"

#define SCREEN_TEXT 256

/* Where the seconds come from. */
enum screen_source {
    FROM_LIVE,  /* a pipe, xentrace: as they happen */
    FROM_REPLAY /* a file: at any speed, and any moment can be had again */
};

enum screen_panel { PANEL_NONE, PANEL_HELP, PANEL_COLUMNS, PANEL_SOURCES, PANEL_COMMAND };
enum screen_prompt { PROMPT_NONE, PROMPT_FILTER, PROMPT_SEEK };
enum palette { PALETTE_NORMAL, PALETTE_COLOUR_BLIND, PALETTE_MONOCHROME, PALETTES };
enum spans_shown { SHOW_BOTH, SHOW_ONE, SHOW_TEN, SPANS_SHOWN };

/* Keys beyond characters; above any byte. */
enum screen_keys {
    KEYS_UP = 256,
    KEYS_DOWN,
    KEYS_LEFT,
    KEYS_RIGHT,
    KEYS_PAGE_UP,
    KEYS_PAGE_DOWN,
    KEYS_HOME,
    KEYS_END,
    KEYS_ENTER,
    KEYS_ESCAPE,
    KEYS_BACKSPACE,
    KEYS_RESIZE,
    KEYS_WHEEL_UP,
    KEYS_WHEEL_DOWN,
    KEYS_CLICK /* of the mouse: where is screen_click's to know */
};

/* What whoever owns the screen is to do after a key. */
enum screen_action {
    ACTION_NONE,
    ACTION_QUIT,
    ACTION_SEEK /* read the source again from screen.seek_ns on: the history does not have it (any more) */
};

/* What the configuration keeps. */
struct screen_settings {
    enum view view;
    struct view_choice choices[VIEWS];
    enum palette palette;
    enum spans_shown spans;
    bool graph; /* of the chosen row, above the table */
};

/* An option that the owner was given, and that changes what is read. */
struct screen_option {
    const char *name;
    const char *value; /* NULL: none */
    unsigned views;    /* 1 << enum view, or-ed: those whose command line has that option */
};

struct screen {
    /* the owner's, before the first update */
    struct history *history;
    enum screen_source source;
    const char *title;                   /* of the source: "capture.xt", "xentrace" */
    const char *input;                   /* on a command line that reads the same; NULL: there is none */
    const struct screen_option *options; /* for that command line */
    size_t options_n;
    name_lookup name_of; /* may be NULL */
    const void *names;
    const char *remark; /* "xl list -l: timed out"; NULL: none */
    bool batch;         /* nobody presses keys, and nothing that depends on this machine's clock is shown */
    bool ascii;         /* the terminal has no others */
    double own_cpu_percent; /* of one CPU, in the last second; < 0: not known */
    /* what is shown */
    struct screen_settings settings;
    struct picture picture;
    struct sheet sheet;
    char filter[64];
    struct sheet_subject drill;  /* only rows of this domain, and vCPU; -1: all */
    struct sheet_subject chosen; /* the row on which keys act */
    bool has_chosen;
    size_t top;          /* the first row that is shown */
    unsigned rows_shown; /* in the last drawing */
    /* time */
    bool paused;
    double speed;          /* of a replay: 1 is the time that it took */
    uint64_t play_ns;      /* of a replay: where it is */
    uint64_t played_at_ns; /* the clock then; 0: not begun */
    uint64_t shown_ns;     /* end of the second to be shown; 0: the newest */
    uint64_t seek_ns;
    struct history_status status; /* at the last update */
    uint64_t drawn_changes;       /* of the history, in the picture */
    bool no_memory;               /* for what was to be shown at the last update */
    bool stale;                   /* the picture or the sheet is to be made again */
    struct shown_width {
        const struct column *column; /* NULL: a driver domain, */
        int32_t idd;                 /* which is this */
        unsigned width;
    } widths[SHEET_COLUMNS]; /* of the view that is shown: they only grow */
    size_t widths_n;
    enum view widths_of;
    /* where the last drawing has its table: what a click means */
    struct shown_table {
        unsigned headings_y, rows_y; /* the first lines; rows_y 0: there are no rows */
        struct shown_heading {
            unsigned begin, middle, end; /* columns; from `middle` on of the last ten seconds */
            const struct column *column;
        } headings[SHEET_COLUMNS];
        size_t headings_n;
    } table;
    /* panels */
    enum screen_panel panel;
    size_t panel_at;
    enum screen_prompt prompt;
    char typed[64];
    char message[SCREEN_TEXT];     /* in the last line until the next key */
    char command[SCREEN_TEXT * 2]; /* of the last `y`; "": none */
};

/* Defaults; the owner's members are set after. */
void screen_init(struct screen *s);
void screen_free(struct screen *s);

/* A key: a byte, or enum screen_keys. */
enum screen_action screen_key(struct screen *s, int key);

/*
 * A click there: on a heading it orders by that column, once more the other way round; on a row it chooses that row, once more is Enter.
 */
enum screen_action screen_click(struct screen *s, unsigned x, unsigned y);

/* The clock is now_ns (io_clock_ns): follows the history. True: what is to be seen has changed. */
bool screen_update(struct screen *s, uint64_t now_ns);

/* Draws it all; the canvas has the size of the terminal. */
void screen_draw(struct screen *s, struct canvas *c, uint64_t now_ns);

/* The command line whose output is the same table; `to` has that many bytes. */
void screen_command(const struct screen *s, char *to, size_t size);

/* ---- between the files of the screen ---- */

/* Moves to the second that ends at ns, if the history has it. False: it has none there. */
bool screen_show_second(struct screen *s, uint64_t ns);

/* The end of the next second with records lost or an unusually long wait, after the one that is shown; 0: there is none. */
uint64_t screen_next_anomaly(const struct screen *s, char *what, size_t size);

/* The row on which keys act: its number in the sheet; sheet.n: none. */
size_t screen_chosen_row(const struct screen *s);
void screen_choose_row(struct screen *s, size_t row);

/* Draw parts; each returns the lines it took. */
unsigned draw_head(const struct screen *s, struct canvas *c, uint64_t now_ns);
unsigned draw_graph(const struct screen *s, struct canvas *c, unsigned y);
void draw_table(struct screen *s, struct canvas *c, unsigned y, unsigned lines);
void draw_panel(struct screen *s, struct canvas *c, unsigned y, unsigned lines);

/* A graph of the domain's running (or, domain -1, the host's busy) share in the seconds up to the one shown, `width` of them. */
void draw_sparkline(const struct screen *s, struct canvas *c, unsigned x, unsigned y, unsigned width,
                    int32_t domain, uint32_t life);

#endif
