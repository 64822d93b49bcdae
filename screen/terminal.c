#include "screen/terminal.h"

#ifdef HAVE_ncursesw

#include <curses.h>
#include <errno.h>
#include <fcntl.h>
#include <langinfo.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <term.h>
#include <termios.h>
#include <unistd.h>

#define RESET_BYTES 256
#define ESCAPE_MS   25

/* What a signal handler needs to put the terminal back, and the rest. */
static struct {
    int fd; /* -1: not taken */
    FILE *file;
    SCREEN *screen;
    struct termios modes;
    char reset[RESET_BYTES];
    size_t reset_n;
    bool utf8, colours;
    unsigned click_x, click_y;
    enum palette palette; /* that the colours are set to */
    bool palette_set;
} terminal = {.fd = -1};

static const int faults[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT};
#define FAULTS (sizeof faults / sizeof faults[0])
static struct sigaction before[FAULTS];

/* ---- a crash ---- */

static void put_back(int signal)
{
    if (terminal.fd >= 0) {
        ssize_t ignored = write(terminal.fd, terminal.reset, terminal.reset_n);
        (void)ignored;
        tcsetattr(terminal.fd, TCSANOW, &terminal.modes);
    }
    for (size_t i = 0; i < FAULTS; i++)
        if (faults[i] == signal)
            sigaction(signal, &before[i], NULL);
    raise(signal);
}

static void add_reset(const char *capability)
{
    const char *text = tigetstr(capability);
    if (!text || text == (const char *)-1 || terminal.reset_n + strlen(text) > RESET_BYTES)
        return;
    memcpy(terminal.reset + terminal.reset_n, text, strlen(text));
    terminal.reset_n += strlen(text);
}

static void install_handlers(void)
{
    struct sigaction action = {.sa_handler = put_back, .sa_flags = SA_NODEFER};
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < FAULTS; i++)
        sigaction(faults[i], &action, &before[i]);
}

/* ---- taking it and putting it back ---- */

static int open_tty(struct error *err)
{
    terminal.fd = open("/dev/tty", O_RDWR | O_CLOEXEC);
    if (terminal.fd < 0 || !(terminal.file = fdopen(terminal.fd, "r+")))
        return error_set(err, ERROR_USAGE,
                         "there is no terminal (/dev/tty: %s): --batch prints the tables without one",
                         strerror(errno));
    return tcgetattr(terminal.fd, &terminal.modes) == 0
               ? 0
               : error_set(err, ERROR_USAGE, "/dev/tty is no terminal: %s", strerror(errno));
}

/* Presses of the first button, and the wheel. What ends that where the program crashes is not in every terminfo as a text of its own. */
static void use_mouse(void)
{
    static const char off[] = "\033[?1000l\033[?1006l";
    if (mousemask(BUTTON1_PRESSED | BUTTON4_PRESSED | BUTTON5_PRESSED, NULL) == 0)
        return;
    mouseinterval(0);
    memcpy(terminal.reset + terminal.reset_n, off, sizeof off - 1);
    terminal.reset_n += sizeof off - 1;
}

static void set_up(bool colours, bool mouse)
{
    set_term(terminal.screen);
    cbreak();
    noecho();
    nonl();
    keypad(stdscr, TRUE);
    nodelay(stdscr, TRUE);
    set_escdelay(ESCAPE_MS);
    curs_set(0);
    terminal.colours = colours && has_colors();
    if (terminal.colours) {
        start_color();
        use_default_colors();
    }
    if (mouse)
        use_mouse();
    add_reset("sgr0");
    add_reset("cnorm");
    add_reset("rmkx");
    add_reset("rmcup");
    terminal.palette_set = false;
}

int terminal_open(bool colours, bool mouse, struct error *err)
{
    const char *name = getenv("TERM");
    setlocale(LC_CTYPE, "");
    terminal.utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
    terminal.reset_n = 0;
    if (open_tty(err) != 0) {
        terminal_close();
        return -1;
    }
    terminal.screen = newterm(name, terminal.file, terminal.file);
    if (!terminal.screen) {
        terminal_close();
        return error_set(err, ERROR_USAGE, "ncurses does not know the terminal TERM=%.60s", name ? name : "");
    }
    set_up(colours, mouse);
    install_handlers();
    return 0;
}

void terminal_close(void)
{
    if (terminal.screen) {
        endwin();
        delscreen(terminal.screen);
        for (size_t i = 0; i < FAULTS; i++)
            sigaction(faults[i], &before[i], NULL);
    }
    if (terminal.file)
        fclose(terminal.file);
    else if (terminal.fd >= 0)
        close(terminal.fd);
    terminal.screen = NULL;
    terminal.file = NULL;
    terminal.fd = -1;
}

int terminal_fd(void)
{
    return terminal.fd;
}

bool terminal_is_utf8(void)
{
    return terminal.utf8;
}

void terminal_size(unsigned *width, unsigned *height)
{
    int high, wide;
    getmaxyx(stdscr, high, wide);
    *width = wide > 0 ? (unsigned)wide : 0;
    *height = high > 0 ? (unsigned)high : 0;
}

/* ---- keys ---- */

static int mouse_key(void)
{
    MEVENT event;
    if (getmouse(&event) != OK)
        return 0;
    terminal.click_x = (unsigned)event.x;
    terminal.click_y = (unsigned)event.y;
    return event.bstate & BUTTON4_PRESSED   ? KEYS_WHEEL_UP
           : event.bstate & BUTTON5_PRESSED ? KEYS_WHEEL_DOWN
           : event.bstate & BUTTON1_PRESSED ? KEYS_CLICK
                                            : 0;
}

void terminal_click(unsigned *x, unsigned *y)
{
    *x = terminal.click_x;
    *y = terminal.click_y;
}

int terminal_key(void)
{
    static const struct {
        int curses, ours;
    } keys[] = {{KEY_UP, KEYS_UP},
                {KEY_DOWN, KEYS_DOWN},
                {KEY_LEFT, KEYS_LEFT},
                {KEY_RIGHT, KEYS_RIGHT},
                {KEY_PPAGE, KEYS_PAGE_UP},
                {KEY_NPAGE, KEYS_PAGE_DOWN},
                {KEY_HOME, KEYS_HOME},
                {KEY_END, KEYS_END},
                {KEY_ENTER, KEYS_ENTER},
                {'\r', KEYS_ENTER},
                {'\n', KEYS_ENTER},
                {27, KEYS_ESCAPE},
                {KEY_BACKSPACE, KEYS_BACKSPACE},
                {127, KEYS_BACKSPACE},
                {8, KEYS_BACKSPACE},
                {KEY_RESIZE, KEYS_RESIZE},
                {KEY_F(1), 'h'}};
    struct pollfd gone = {.fd = terminal.fd, .events = POLLIN};
    int key = getch();
    if (key == ERR)
        return poll(&gone, 1, 0) > 0 && gone.revents & (POLLHUP | POLLERR | POLLNVAL) ? -2 : -1;
    if (key == KEY_MOUSE)
        return mouse_key();
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (key == keys[i].curses)
            return keys[i].ours;
    return key < 256 ? key : 0;
}

/* ---- what is shown ---- */

struct look {
    short colour, rich; /* of 8 colours, and of 256; -1: the terminal's own */
    attr_t attributes;
};

/* By style. The colour-blind tell blue from yellow and orange, and by brightness (Okabe and Ito). */
static const struct look looks[2][STYLES] = {
    {
        [STYLE_PLAIN] = {-1, -1, 0},
        [STYLE_TITLE] = {COLOR_CYAN, 37, A_BOLD},
        [STYLE_SORTED] = {COLOR_YELLOW, 220, A_BOLD},
        [STYLE_CHOSEN] = {-1, -1, A_REVERSE},
        [STYLE_DIM] = {-1, 245, 0},
        [STYLE_KEY] = {COLOR_CYAN, 37, 0},
        [STYLE_GOOD] = {COLOR_GREEN, 34, 0},
        [STYLE_WARNING] = {COLOR_YELLOW, 220, 0},
        [STYLE_ALARM] = {COLOR_RED, 196, A_BOLD},
        [STYLE_HEAT_LOW] = {COLOR_GREEN, 34, 0},
        [STYLE_HEAT_MIDDLE] = {COLOR_YELLOW, 184, 0},
        [STYLE_HEAT_HIGH] = {COLOR_MAGENTA, 208, 0},
        [STYLE_HEAT_FULL] = {COLOR_RED, 196, 0},
    },
    {
        [STYLE_PLAIN] = {-1, -1, 0},
        [STYLE_TITLE] = {-1, -1, A_BOLD},
        [STYLE_SORTED] = {COLOR_YELLOW, 220, A_BOLD},
        [STYLE_CHOSEN] = {-1, -1, A_REVERSE},
        [STYLE_DIM] = {-1, 245, 0},
        [STYLE_KEY] = {COLOR_CYAN, 74, 0},
        [STYLE_GOOD] = {COLOR_BLUE, 32, A_BOLD},
        [STYLE_WARNING] = {COLOR_YELLOW, 220, 0},
        [STYLE_ALARM] = {COLOR_YELLOW, 208, A_BOLD | A_REVERSE},
        [STYLE_HEAT_LOW] = {COLOR_BLUE, 32, 0},
        [STYLE_HEAT_MIDDLE] = {COLOR_CYAN, 74, 0},
        [STYLE_HEAT_HIGH] = {COLOR_YELLOW, 214, 0},
        [STYLE_HEAT_FULL] = {COLOR_WHITE, 202, A_BOLD},
    },
};

static const attr_t plain_looks[STYLES] = {
    [STYLE_TITLE] = A_BOLD,     [STYLE_SORTED] = A_BOLD | A_UNDERLINE,
    [STYLE_CHOSEN] = A_REVERSE, [STYLE_KEY] = A_BOLD,
    [STYLE_WARNING] = A_BOLD,   [STYLE_ALARM] = A_BOLD | A_REVERSE,
    [STYLE_HEAT_FULL] = A_BOLD,
};

static void set_palette(enum palette palette)
{
    if (!terminal.colours || palette == PALETTE_MONOCHROME ||
        (terminal.palette_set && palette == terminal.palette))
        return;
    for (int style = 0; style < STYLES; style++) {
        const struct look *look = &looks[palette][style];
        init_pair((short)(style + 1), COLORS >= 256 ? look->rich : look->colour, -1);
    }
    terminal.palette = palette;
    terminal.palette_set = true;
}

static attr_t attributes(enum style style, enum palette palette)
{
    if (!terminal.colours || palette == PALETTE_MONOCHROME)
        return plain_looks[style];
    return looks[palette][style].attributes | (attr_t)COLOR_PAIR(style + 1);
}

/* The characters of one style, from column x on; returns their end. */
static unsigned show_run(const struct canvas *c, unsigned x, unsigned y, enum palette palette)
{
    char text[1024];
    size_t n = 0;
    unsigned style = canvas_at(c, x, y)->style, from = x;
    for (; x < c->width && canvas_at(c, x, y)->style == style && n + CELL_TEXT < sizeof text; x++) {
        const char *cell = canvas_at(c, x, y)->text;
        n = (size_t)(stpcpy(text + n, cell) - text);
    }
    attrset((int)attributes(style, palette));
    mvaddnstr((int)y, (int)from, text, (int)n);
    return x;
}

void terminal_show(const struct canvas *c, enum palette palette)
{
    set_palette(palette);
    for (unsigned y = 0; y < c->height; y++)
        for (unsigned x = 0; x < c->width;)
            x = show_run(c, x, y, palette);
    refresh();
}

void terminal_redraw(void)
{
    clearok(stdscr, TRUE);
}

#else

int terminal_open(bool colours, bool mouse, struct error *err)
{
    (void)colours, (void)mouse;
    return error_set(err, ERROR_USAGE,
                     "this xenmeter was built without ncurses: install libncurses-dev, and build it again; "
                     "--batch prints the tables without it");
}

void terminal_close(void)
{
}

int terminal_fd(void)
{
    return -1;
}

bool terminal_is_utf8(void)
{
    return false;
}

void terminal_size(unsigned *width, unsigned *height)
{
    *width = *height = 0;
}

int terminal_key(void)
{
    return -2;
}

void terminal_click(unsigned *x, unsigned *y)
{
    *x = *y = 0;
}

void terminal_show(const struct canvas *c, enum palette palette)
{
    (void)c;
    (void)palette;
}

void terminal_redraw(void)
{
}

#endif
