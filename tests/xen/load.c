/*
 * Loads of the guests and of domain 0, in one static program:
 *
 *     load serve                        runs loads for who connects (port 4000), takes bytes (4001), answers requests (4002)
 *     load at HOST LOAD...              runs a load there, prints what it prints; it ends when this one does
 *     load spin SECONDS                 computes
 *     load send HOST SECONDS ROUNDS     sends as fast as it goes, and computes for ROUNDS rounds after each 64 KiB
 *     load ask HOST SECONDS PAUSE_US    sends a request, waits for the answer, pauses; prints each second how many there were
 *     load read DEVICE SECONDS          reads a disk, 4 KiB at a time
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    PORT_LOADS = 4000,
    PORT_BYTES,
    PORT_REQUESTS,
    REQUEST = 200,
    ANSWER = 1200,
    CHUNK = 65536,
    BLOCK = 4096,
    WORDS = 8
};

static char buffer[CHUNK];

static int run_load(char **words, int n);

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void compute(uint64_t rounds)
{
    for (volatile uint64_t i = 0; i < rounds; i++)
        ;
}

static int fail(const char *what)
{
    perror(what);
    return 1;
}

static int connected(const char *host, int port)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (s >= 0 && inet_aton(host, &to.sin_addr) && connect(s, (struct sockaddr *)&to, sizeof to) == 0)
        return s;
    perror(host);
    exit(1);
}

/* False at the end of the stream. */
static int take(int s, size_t n)
{
    for (size_t had = 0; had < n;) {
        ssize_t k = read(s, buffer + had, n - had);
        if (k <= 0)
            return 0;
        had += (size_t)k;
    }
    return 1;
}

static int give(int s, const char *bytes, size_t n)
{
    for (size_t had = 0; had < n;) {
        ssize_t k = write(s, bytes + had, n - had);
        if (k <= 0)
            return 0;
        had += (size_t)k;
    }
    return 1;
}

static int spin(double seconds)
{
    uint64_t rounds = 0;
    for (double end = now_s() + seconds; now_s() < end; rounds++)
        compute(100000);
    printf("spin rounds %" PRIu64 "\n", rounds);
    return 0;
}

static int send_bytes(const char *host, double seconds, uint64_t rounds)
{
    int s = connected(host, PORT_BYTES);
    double begin = now_s();
    uint64_t sent = 0;
    while (now_s() < begin + seconds && give(s, buffer, CHUNK)) {
        sent += CHUNK;
        compute(rounds);
    }
    printf("send bytes %" PRIu64 " seconds %.2f\n", sent, now_s() - begin);
    return 0;
}

static int ask(const char *host, double seconds, useconds_t pause_us)
{
    int s = connected(host, PORT_REQUESTS);
    double begin = now_s(), second = begin + 1;
    uint64_t answers = 0, all = 0;
    while (now_s() < begin + seconds) {
        if (!give(s, buffer, REQUEST) || !take(s, ANSWER))
            return fail("ask");
        answers++;
        if (now_s() >= second) {
            printf("at %.2f answers %" PRIu64 "\n", now_s(), answers);
            all += answers;
            answers = 0;
            second = now_s() + 1;
        }
        usleep(pause_us);
    }
    printf("ask answers %" PRIu64 " seconds %.2f\n", all + answers, now_s() - begin);
    return 0;
}

static int read_disk(const char *device, double seconds)
{
    int fd = open(device, O_RDONLY | O_DIRECT | O_CLOEXEC);
    void *block = NULL;
    uint64_t reads = 0;
    if (fd < 0 || posix_memalign(&block, BLOCK, BLOCK) != 0)
        return fail(device);
    for (double end = now_s() + seconds; now_s() < end; reads++)
        if (pread(fd, block, BLOCK, (off_t)(reads * 7919 % 60000 * BLOCK)) != BLOCK)
            return fail(device);
    printf("read requests %" PRIu64 "\n", reads);
    free(block);
    return 0;
}

/* One line of words comes; what the load prints goes back. SIGIO ends the load when the other end is closed. */
static void serve_load(int s)
{
    char line[512], *words[WORDS], *rest = line, *word;
    size_t n = 0;
    int count = 0;
    while (n < sizeof line - 1 && read(s, line + n, 1) == 1 && line[n] != '\n')
        n++;
    line[n] = '\0';
    while (count < WORDS && (word = strsep(&rest, " ")))
        words[count++] = word;
    fcntl(s, F_SETOWN, getpid());
    fcntl(s, F_SETFL, fcntl(s, F_GETFL) | O_ASYNC);
    dup2(s, STDOUT_FILENO);
    dup2(s, STDERR_FILENO);
    setvbuf(stdout, NULL, _IOLBF, 0);
    run_load(words, count);
}

static void serve_bytes(int s)
{
    while (read(s, buffer, CHUNK) > 0)
        ;
}

static void serve_requests(int s)
{
    while (take(s, REQUEST) && give(s, buffer, ANSWER))
        ;
}

/* A process listens on each port, and has one for each connection. */
static int listen_on(int port, void (*serve)(int))
{
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), yes = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(listener, (struct sockaddr *)&any, sizeof any) != 0 || listen(listener, 16) != 0)
        return fail("listen");
    for (;;) {
        int s = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        if (s >= 0 && fork() == 0) {
            serve(s);
            exit(0);
        }
        if (s >= 0)
            close(s);
    }
}

static int serve(void)
{
    if (fork() == 0)
        return listen_on(PORT_BYTES, serve_bytes);
    if (fork() == 0)
        return listen_on(PORT_REQUESTS, serve_requests);
    return listen_on(PORT_LOADS, serve_load);
}

static int at(const char *host, char **words, int n)
{
    int s = connected(host, PORT_LOADS);
    char line[512] = "";
    size_t used = 0;
    ssize_t k;
    for (int i = 0; i < n && used < sizeof line; i++)
        used += (size_t)snprintf(line + used, sizeof line - used, "%s%c", words[i], i + 1 < n ? ' ' : '\n');
    if (used >= sizeof line || !give(s, line, used))
        return fail("at");
    while ((k = read(s, buffer, CHUNK)) > 0)
        give(STDOUT_FILENO, buffer, (size_t)k);
    return k != 0;
}

static int run_load(char **words, int n)
{
    if (n == 2 && strcmp(words[0], "spin") == 0)
        return spin(atof(words[1]));
    if (n == 4 && strcmp(words[0], "send") == 0)
        return send_bytes(words[1], atof(words[2]), strtoull(words[3], NULL, 10));
    if (n == 4 && strcmp(words[0], "ask") == 0)
        return ask(words[1], atof(words[2]), (useconds_t)strtoul(words[3], NULL, 10));
    if (n == 3 && strcmp(words[0], "read") == 0)
        return read_disk(words[1], atof(words[2]));
    fputs("load: spin, send, ask or read\n", stderr);
    return 2;
}

int main(int argc, char **argv)
{
    signal(SIGPIPE, SIG_IGN);
    signal(SIGCHLD, SIG_IGN);
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (argc == 2 && strcmp(argv[1], "serve") == 0)
        return serve();
    if (argc > 3 && strcmp(argv[1], "at") == 0)
        return at(argv[2], argv + 3, argc - 3);
    return run_load(argv + 1, argc - 1);
}
