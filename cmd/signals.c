#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <unistd.h>

#include "cli.h"
#include "formats/output.h"
#include "pager.h"

/* The signals by which people end a program. */
static const int ending[] = {SIGINT, SIGTERM, SIGHUP};

static atomic_int stop_asked, reload_asked, dump_asked; /* the handler may run on any thread */
static bool hangup_reloads;
static sigset_t wait_mask;

/* Removes temporary files, then lets the signal end the process. */
static void die_tidily(int signal)
{
    output_remove_temporaries();
    pager_end_in_signal();
    struct sigaction plain = {.sa_handler = SIG_DFL};
    sigaction(signal, &plain, NULL);
    raise(signal);
}

/* SIGBUS: a mapped file was truncated while it was read. */
static void die_of_cut_file(int signal)
{
    static const char message[] = "xenmeter: the input file was cut short while it was read\n";
    (void)signal;
    output_remove_temporaries();
    ssize_t ignored = write(STDERR_FILENO, message, sizeof message - 1);
    (void)ignored;
    pager_end_in_signal();
    _exit(EXIT_ERROR);
}

static void ask_to_stop(int signal)
{
    (void)signal;
    stop_asked = 1;
}

static void ask_to_reload(int signal)
{
    (void)signal;
    reload_asked = 1;
}

static void handle(int signal, void (*handler)(int))
{
    struct sigaction action = {.sa_handler = handler};
    sigemptyset(&action.sa_mask);
    /* SA_RESTART is left out: a read that waits must see the flag. */
    sigaction(signal, &action, NULL);
}

/* nohup, or a shell that starts a background job, has asked for the signal to be ignored. */
static bool is_ignored(int signal)
{
    struct sigaction now;
    return sigaction(signal, NULL, &now) == 0 && now.sa_handler == SIG_IGN;
}

void signals_install(void)
{
    handle(SIGPIPE, SIG_IGN);
    handle(SIGXFSZ, SIG_IGN);
    handle(SIGBUS, die_of_cut_file);
    for (size_t i = 0; i < sizeof ending / sizeof ending[0]; i++)
        if (!is_ignored(ending[i]))
            handle(ending[i], die_tidily);
}

const atomic_int *signals_stop_flag(const sigset_t **mask)
{
    static bool are_blocked;
    sigset_t blocked;
    sigemptyset(&blocked);
    for (size_t i = 0; i < sizeof ending / sizeof ending[0]; i++)
        if (!is_ignored(ending[i]))
            sigaddset(&blocked, ending[i]);
    sigprocmask(SIG_BLOCK, &blocked, are_blocked ? NULL : &wait_mask); /* the mask before the first call */
    are_blocked = true;
    for (size_t i = 0; i < sizeof ending / sizeof ending[0]; i++)
        if (!is_ignored(ending[i]))
            handle(ending[i], ending[i] == SIGHUP && hangup_reloads ? ask_to_reload : ask_to_stop);
    *mask = &wait_mask;
    return &stop_asked;
}

static void ask_for_dump(int signal)
{
    (void)signal;
    dump_asked = 1;
}

atomic_int *signals_dump_flag(void)
{
    sigset_t blocked;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGUSR1);
    sigprocmask(SIG_BLOCK, &blocked, NULL);
    handle(SIGUSR1, ask_for_dump);
    return &dump_asked;
}

atomic_int *signals_reload_flag(void)
{
    hangup_reloads = true;
    if (!is_ignored(SIGHUP))
        handle(SIGHUP, ask_to_reload);
    return &reload_asked;
}
