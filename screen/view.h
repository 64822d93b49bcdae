/* The tables that the screen can show: what their rows are, and which columns they have. */
#ifndef XENMETER_SCREEN_VIEW_H
#define XENMETER_SCREEN_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "metrics/relation/relation.h"

enum view {
    VIEW_DOMAINS,
    VIEW_VCPUS,
    VIEW_PCPUS,
    VIEW_EXECUTIONS,
    VIEW_BLAME,
    VIEW_CHARGES, /* guests by driver domains */
    VIEWS
};

struct view_kind {
    const char *name;  /* in the configuration and in --view */
    const char *title; /* */
    char key;          /* that shows it */
    const struct relation *relation;
    enum by by;
    unsigned parts;   /* enum second_part, or-ed: that it is made of */
    bool one_span;    /* its rows are of the last second only */
    bool graph;       /* rows have a graph of the last minute */
    const char *keys; /* columns that name the row, separated by commas: always shown */
    const char *
        columns; /* shown by default, the most important first: those after are cut where the terminal is narrow */
    const char *sort;
    const char *command; /* that prints the same table */
    const char *source;  /* where the numbers come from, for the panel */
};

extern const struct view_kind view_kinds[VIEWS];

#define VIEW_COLUMNS 96 /* a relation has at most so many */

/* Which columns of a view are shown, and in which order its rows are. */
struct view_choice {
    bool shown[VIEW_COLUMNS]; /* by their number in the relation */
    unsigned order[VIEW_COLUMNS];
    size_t n; /* of `order`: those that were ever shown, in the order of the screen */
    const struct column *sort;
    unsigned sort_span; /* enum span */
    bool reversed;
};

/* The defaults. */
void view_choose_defaults(struct view_choice *c, enum view view);

/* Shows just the columns of the list, separated by commas. False: it names none that the view has; nothing changes. */
bool view_choose(struct view_choice *c, enum view view, const char *list);

/* Shows or hides the column of that number. */
void view_toggle(struct view_choice *c, size_t column);

/* Whether a person can show or hide the column: it is no key, and says something about rows of this kind. */
bool view_offers(enum view view, const struct column *column);

/* Whether the column names the rows of the view. */
bool view_shows_always(enum view view, const char *column);

/* The view of that name, or with that key; VIEWS: none. */
enum view view_named(const char *name);
enum view view_of_key(int key);

/* The item of a list at *list, which moves on to the next one. False: there is none left. */
bool view_list_next(const char **list, char *to, size_t size);

#endif
