#include "simulate_live.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cli.h"
#include "formats/buffer.h"
#include "formats/output.h"
#include "host/io_clock.h"
#include "simulate_action.h"

#define SECOND_NS    1000000000u
#define ACTION_BYTES 32
#define STATE        "state"
#define STATE_NEW    "state.new"
#define HOLDS_MAX_S  86400u

struct simulated_guest {
    bool is_guest;             /* the first of this id, and no driver domain */
    char action[ACTION_BYTES]; /* "": it is free */
};

/* ---- what hooks want ---- */

/* Whether the host can do that. */
static bool is_possible(const struct simulated_live *l, const char *action)
{
    struct sim_hold hold = sim_hold_nothing();
    return simulated_action_read(&hold, action) &&
           (hold.cap_ppm == SIM_FREE || simulation_takes_allowances(l->simulation));
}

/* What a hook wrote about the guest: "ACTION SECONDS", which holds for so long from when the file was made. "": nothing holds. */
static void read_hold(const struct simulated_live *l, unsigned id, char action[ACTION_BYTES])
{
    char name[32], text[ACTION_BYTES + 16] = "";
    struct stat made = {0};
    unsigned seconds = 0;
    *action = '\0';
    snprintf(name, sizeof name, "hold.%u", id);
    int fd = TEMP_FAILURE_RETRY(openat(l->folder_fd, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW));
    if (fd < 0)
        return;
    ssize_t n = fstat(fd, &made) == 0 && S_ISREG(made.st_mode)
                    ? TEMP_FAILURE_RETRY(read(fd, text, sizeof text - 1))
                    : -1;
    close(fd);
    if (n <= 0 || sscanf(text, "%31s %5u", action, &seconds) != 2 || seconds > HOLDS_MAX_S ||
        time(NULL) >= made.st_mtim.tv_sec + (time_t)seconds || !is_possible(l, action))
        *action = '\0';
}

/* At each driver domain. Does it again, too: a guest that began anew has new devices. */
static int apply(const struct simulated_live *l, uint16_t id, const char *action, struct error *err)
{
    struct sim_hold hold = sim_hold_nothing();
    if (*action)
        simulated_action_read(&hold, action);
    for (size_t i = 0; i < l->scenario->domain_count; i++) {
        const struct scenario_domain *d = &l->scenario->domains[i];
        if (d->driver && simulation_hold(l->simulation, id, (uint16_t)d->id, &hold, 0, err) != 0)
            return -1;
    }
    return 0;
}

/* ---- what they see ---- */

static int write_state(const struct simulated_live *l, struct error *err)
{
    struct buffer text = {0};
    for (size_t i = 0; i < l->scenario->domain_count; i++) {
        const struct simulated_guest *g = &l->guests[i];
        const struct scenario_domain *d = &l->scenario->domains[i];
        if (g->is_guest)
            buffer_printf(&text, "%u %s%s%s\n", (unsigned)d->id, *g->action ? g->action : "free",
                          *d->name ? " " : "", d->name);
    }
    int fd = TEMP_FAILURE_RETRY(
        openat(l->folder_fd, STATE_NEW, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0666));
    bool fine = fd >= 0 && !text.failed && output_write_fd(fd, text.at ? text.at : "", text.n) == 0;
    if (fd >= 0)
        fine = (close(fd) == 0 || errno == EINTR) && fine;
    fine = fine && renameat(l->folder_fd, STATE_NEW, l->folder_fd, STATE) == 0;
    buffer_free(&text);
    return fine ? 0 : error_set(err, ERROR_IO, STATE " cannot be written: %s", strerror(errno));
}

static int hear(struct simulated_live *l, struct error *err)
{
    bool changed = false;
    l->heard_ns = io_clock_ns();
    for (size_t i = 0; i < l->scenario->domain_count; i++) {
        struct simulated_guest *g = &l->guests[i];
        char action[ACTION_BYTES];
        if (!g->is_guest)
            continue;
        read_hold(l, (unsigned)l->scenario->domains[i].id, action);
        bool is_other = strcmp(action, g->action) != 0;
        memcpy(g->action, action, sizeof action);
        if ((is_other || *action) && apply(l, (uint16_t)l->scenario->domains[i].id, action, err) != 0)
            return -1;
        changed |= is_other;
    }
    return changed ? write_state(l, err) : 0;
}

/* ---- the clock ---- */

/* Waits at most so long, and hears signals. */
static void wait_for(const struct simulated_live *l, uint64_t ns)
{
    const struct timespec time = {.tv_sec = (time_t)(ns / SECOND_NS), .tv_nsec = (long)(ns % SECOND_NS)};
    ppoll(NULL, 0, &time, l->wait_mask);
}

int simulated_live_reached(struct simulated_live *l, uint64_t now_ns, struct error *err)
{
    l->begun_ns = l->begun_ns ? l->begun_ns : io_clock_ns() - now_ns;
    uint64_t due_ns = l->begun_ns + now_ns;
    for (;;) {
        uint64_t clock_ns = io_clock_ns(), left_ns = due_ns > clock_ns ? due_ns - clock_ns : 0;
        if (left_ns == 0 && clock_ns - due_ns > l->behind_ns)
            l->behind_ns = clock_ns - due_ns;
        if (l->folder && clock_ns >= l->heard_ns + SIMULATED_LIVE_STEP_NS && hear(l, err) != 0)
            return -1;
        wait_for(l, left_ns < SIMULATED_LIVE_STEP_NS ? left_ns : SIMULATED_LIVE_STEP_NS);
        if (*l->stop)
            simulation_stop(l->simulation);
        if (left_ns == 0 || *l->stop)
            return 0;
    }
}

/* ---- from the beginning to the end ---- */

static bool is_guest(const struct scenario *s, size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (s->domains[i].id == s->domains[at].id)
            return false;
    return !s->domains[at].driver;
}

static int open_folder(struct simulated_live *l, struct error *err)
{
    l->guests = calloc(l->scenario->domain_count, sizeof *l->guests);
    if (!l->guests)
        return error_no_memory(err, "the guests");
    for (size_t i = 0; i < l->scenario->domain_count; i++)
        l->guests[i].is_guest = is_guest(l->scenario, i);
    if (mkdir(l->folder, 0777) != 0 && errno != EEXIST)
        return error_set(err, ERROR_IO, "cannot be made: %s", strerror(errno));
    l->folder_fd = TEMP_FAILURE_RETRY(open(l->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (l->folder_fd < 0)
        return error_set(err, ERROR_IO, "cannot be opened: %s", strerror(errno));
    if (TEMP_FAILURE_RETRY(flock(l->folder_fd, LOCK_EX | LOCK_NB)) != 0)
        return error_set(err, ERROR_USAGE, "another simulation uses it");
    l->is_open = true;
    return write_state(l, err);
}

int simulated_live_open(struct simulated_live *l, const struct scenario *scenario, const char *folder,
                        struct error *err)
{
    *l = (struct simulated_live){.scenario = scenario, .folder = folder, .folder_fd = -1};
    l->stop = signals_stop_flag(&l->wait_mask);
    return folder ? open_folder(l, err) : 0;
}

void simulated_live_close(struct simulated_live *l)
{
    if (l->is_open)
        unlinkat(l->folder_fd, STATE, 0);
    if (l->guests && l->folder_fd >= 0)
        close(l->folder_fd);
    free(l->guests);
    *l = (struct simulated_live){.folder_fd = -1};
}
