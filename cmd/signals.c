#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "formats/output.h"

static volatile sig_atomic_t stop_asked;
static sigset_t wait_mask;

/* Removes temporary files, then lets the signal end the process. */
static void die_tidily(int signal)
{
    output_remove_temporaries();
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
    _exit(EXIT_ERROR);
}

static void ask_to_stop(int signal)
{
    (void)signal;
    stop_asked = 1;
}

static void handle(int signal, void (*handler)(int))
{
    struct sigaction action = {.sa_handler = handler};
    sigemptyset(&action.sa_mask);
    /* SA_RESTART is left out: a read that waits must see the flag. */
    sigaction(signal, &action, NULL);
}

void signals_install(void)
{
    handle(SIGPIPE, SIG_IGN);
    handle(SIGBUS, die_of_cut_file);
    handle(SIGINT, die_tidily);
    handle(SIGTERM, die_tidily);
    handle(SIGHUP, die_tidily);
}

const volatile sig_atomic_t *signals_stop_flag(const sigset_t **mask)
{
    sigset_t blocked;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGINT);
    sigaddset(&blocked, SIGTERM);
    sigaddset(&blocked, SIGHUP);
    sigprocmask(SIG_BLOCK, &blocked, &wait_mask);
    handle(SIGINT, ask_to_stop);
    handle(SIGTERM, ask_to_stop);
    handle(SIGHUP, ask_to_stop);
    *mask = &wait_mask;
    return &stop_asked;
}
