/*
 * dribble FILE CHUNK [PAUSE_AT SECONDS]: writes FILE to a pipe in pieces of CHUNK bytes, each only when the reader has
 * taken the one before: every read gets one piece. Pauses once, before byte PAUSE_AT.
 */
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    static char piece[1 << 16];
    int fd = argc >= 3 ? open(argv[1], O_RDONLY) : -1;
    size_t chunk = argc >= 3 ? strtoul(argv[2], NULL, 10) : 0;
    size_t pause_at = argc > 4 ? strtoul(argv[3], NULL, 10) : (size_t)-1, done = 0;
    if (fd < 0 || chunk == 0 || chunk > sizeof piece) {
        fputs("usage: dribble FILE CHUNK [PAUSE_AT SECONDS]\n", stderr);
        return 2;
    }
    ssize_t n;
    while ((n = read(fd, piece, chunk)) > 0) {
        if (done <= pause_at && pause_at < done + (size_t)n)
            usleep((useconds_t)(atof(argv[4]) * 1e6));
        if (write(STDOUT_FILENO, piece, (size_t)n) != n)
            return 1;
        done += (size_t)n;
        int waiting = 1;
        struct pollfd reader = {.fd = STDOUT_FILENO};
        while (ioctl(STDOUT_FILENO, FIONREAD, &waiting) == 0 && waiting > 0) {
            if (poll(&reader, 1, 0) > 0 && (reader.revents & POLLERR))
                return 1; /* it is gone */
            sched_yield();
        }
    }
    close(fd);
    return n < 0;
}
