/*
 * The terminal of this process, for the whole screen: /dev/tty, so that standard input and output may be pipes. One at a time. It is put
 * back as it was by terminal_close, and when a signal kills the process that a fault in the program raises (SIGSEGV, SIGBUS, SIGILL,
 * SIGFPE, SIGABRT).
 */
#ifndef XENMETER_SCREEN_TERMINAL_H
#define XENMETER_SCREEN_TERMINAL_H

#include <stdbool.h>

#include "parser/error.h"
#include "screen/canvas.h"
#include "screen/screen.h"

/* Takes the terminal. `colours`, `mouse`: use them where it has any. -1 with `err` filled: there is none, or this build has no ncurses. */
int terminal_open(bool colours, bool mouse, struct error *err);

/* Puts it back; does nothing where it is not taken. */
void terminal_close(void);

/* Its descriptor, to wait for keys on. */
int terminal_fd(void);

/* Whether it shows UTF-8, by the locale. */
bool terminal_is_utf8(void);

/* Columns and lines now. */
void terminal_size(unsigned *width, unsigned *height);

/* The next key that was pressed (a byte, or enum screen_keys); -1: none; -2: the terminal is gone. Does not wait. */
int terminal_key(void);

/* Where the mouse was when terminal_key returned KEYS_CLICK: column and line, from 0. */
void terminal_click(unsigned *x, unsigned *y);

void terminal_show(const struct canvas *c, enum palette palette);

/* Draws all of it anew at the next terminal_show. */
void terminal_redraw(void);

#endif
