/*
 * Makes the calls of a program fail, one in each run, and judges what comes of it.
 *
 *     faults [OPTION]... --shim LIBRARY -- PROGRAM ARGUMENT...
 *
 * --name NAME       of the case, in messages
 * --kinds LIST      memory, short, interrupt, error: what fails (default: all)
 * --first N         the first N calls always (default 10)
 * --sample N        and so many of the others, by the seed (default: all of them)
 * --chance N        and so many runs in which 2 % of all calls are short, or interrupted (default 10)
 * --seed N          default 1
 * --jobs N          runs at a time (default 1)
 * --seconds N       that a run may take (default 300)
 * --scratch FOLDER  to work in
 * --former FOLDER   files that are in the working directory before each run
 * --input FILE      standard input; --piped: by a pipe
 * --unmapped        files cannot be mapped: they are read
 * --varies          two undisturbed runs print different bytes
 * --streams         what was printed before a failure may stay
 * --several         files that are whole may stay after a failure
 * --partial         a file NAME.partial may stay after a failure
 * --after SCRIPT    run by sh in the working directory after each run: it has to succeed
 * --acts            what is left behind is not judged
 *
 * Prints a line for each kind of finding, with the functions below the call that failed, and at the end "N runs, M
 * failed". Exits with 1 if one failed.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/faults/run_judge.h"

#define FINDINGS 4096
#define SHOWN    12 /* kinds of findings of one case */

static const char *const kind_names[FAULT_KINDS] = {"none", "memory", "short", "interrupt", "error", "kill"};

struct finding {
    enum fault_kind kind;
    uint64_t at, seed;
    const char *what;
    char call[24], path[128], message[200];
    int status;
    uintptr_t frames[FAULT_FRAMES];
};

/* Shared by the workers. */
struct results {
    atomic_uint_fast64_t runs, faults;
    atomic_size_t n;
    struct finding findings[FINDINGS];
};

static struct settings {
    const char *name, *scratch, *after;
    bool kinds[FAULT_KINDS], chosen; /* by --kinds */
    uint64_t first, sample, chance, seed;
    unsigned jobs;
    bool unmapped;
    struct command command;
    struct undisturbed undisturbed;
} settings = {.name = "",
              .scratch = ".",
              .first = 10,
              .sample = UINT64_MAX,
              .chance = 10,
              .seed = 1,
              .jobs = 1,
              .command.seconds = 300};

static struct results *results;

static void *shared(size_t n)
{
    void *at = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED)
        exit(2);
    return at;
}

static _Noreturn void give_up(const char *what)
{
    fprintf(stderr, "faults: %s: %s\n", settings.name, what);
    exit(2);
}

/* ---- one worker ---- */

struct worker {
    char folder[512];
    int fd;
    struct fault_plan *plan;
    struct run run;
};

static struct worker *worker_new(unsigned number)
{
    struct worker *w = calloc(1, sizeof *w);
    if (!w)
        give_up("no memory");
    snprintf(w->folder, sizeof w->folder, "%s/work-%u", settings.scratch, number);
    w->fd = memfd_create("plan", MFD_CLOEXEC);
    if (w->fd < 0 || ftruncate(w->fd, sizeof *w->plan) != 0 || !folder_reset(w->folder, NULL))
        give_up("cannot begin");
    w->plan = mmap(NULL, sizeof *w->plan, PROT_READ | PROT_WRITE, MAP_SHARED, w->fd, 0);
    if (w->plan == MAP_FAILED)
        give_up("cannot begin");
    w->plan->unmapped = settings.unmapped;
    return w;
}

static void note(const struct worker *w, const char *what)
{
    size_t i = atomic_fetch_add(&results->n, 1);
    if (i >= FINDINGS)
        return;
    struct finding *f = &results->findings[i];
    *f = (struct finding){.kind = w->plan->kind,
                          .at = w->plan->at,
                          .seed = w->plan->seed,
                          .what = what,
                          .status = w->run.status};
    memcpy(f->call, w->plan->call, sizeof f->call);
    memcpy(f->frames, w->plan->frames, sizeof f->frames);
    snprintf(f->path, sizeof f->path, "%.127s", w->plan->path);
    snprintf(f->message, sizeof f->message, "%.*s", (int)strcspn(w->run.err.at, "\n"), w->run.err.at);
}

/* Whether what has to hold after a run does. */
static bool run_after(const char *folder)
{
    char command[8192];
    if (!settings.after)
        return true;
    snprintf(command, sizeof command, "cd '%s' && { %s; } >after.txt 2>&1 </dev/null", folder,
             settings.after);
    return system(command) == 0; // NOLINT(cert-env33-c): of a test, with its own words
}

static void run_one(struct worker *w, enum fault_kind kind, uint64_t at, unsigned per_mille, uint64_t seed)
{
    w->plan->kind = kind;
    w->plan->at = at;
    w->plan->per_mille = per_mille;
    w->plan->seed = seed;
    if (!run_command(&w->run, &settings.command, w->folder, w->plan, w->fd))
        give_up("cannot run");
    atomic_fetch_add(&results->runs, 1);
    atomic_fetch_add(&results->faults, w->plan->faults > 0);
    if (WIFSIGNALED(w->run.status))
        folder_forget_temporaries(&w->run.folder);
    const char *what = judge(&w->run, &settings.undisturbed, w->plan, settings.command.words);
    if (!what && !run_after(w->folder))
        what = "what --after checks does not hold";
    if (what)
        note(w, what);
}

/* ---- which calls fail ---- */

static uint64_t random_below(uint64_t *state, uint64_t n)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (*state >> 33) % n;
}

static void run_kind(struct worker *w, enum fault_kind kind, unsigned mine)
{
    w->plan->kind = kind;
    w->plan->at = w->plan->per_mille = 0;
    if (!run_command(&w->run, &settings.command, w->folder, w->plan, w->fd))
        give_up("cannot run");
    uint64_t calls = w->plan->calls, state = settings.seed * FAULT_KINDS + kind;
    uint64_t others = calls > settings.first ? calls - settings.first : 0;
    bool every = settings.sample >= others;
    uint64_t runs = (every ? others : settings.sample) + (calls < settings.first ? calls : settings.first);
    if (mine == 0 && getenv("FAULTS_VERBOSE"))
        fprintf(stderr, "%s: %s: %" PRIu64 " calls, %" PRIu64 " runs\n", settings.name, kind_names[kind],
                calls, runs);
    for (uint64_t i = 0; i < runs; i++) {
        uint64_t at = i < settings.first || every ? i + 1 : settings.first + 1 + random_below(&state, others);
        if (i % settings.jobs == mine)
            run_one(w, kind, at, 0, settings.seed + i);
    }
    if (kind == FAULT_SHORT || kind == FAULT_INTERRUPT)
        for (uint64_t i = mine; calls && i < settings.chance; i += settings.jobs)
            run_one(w, kind, 0, i % 2 ? 20 : 300, settings.seed + i);
}

static int work(unsigned mine)
{
    struct worker *w = worker_new(mine);
    for (int kind = FAULT_MEMORY; kind < FAULT_KINDS; kind++)
        if (settings.kinds[kind])
            run_kind(w, (enum fault_kind)kind, mine);
    return 0;
}

/* ---- what was found ---- */

static bool same_kind(const struct finding *a, const struct finding *b)
{
    return a->kind == b->kind && strcmp(a->what, b->what) == 0 &&
           memcmp(a->frames, b->frames, sizeof a->frames) == 0;
}

static void print_place(const struct finding *f)
{
    char command[1024];
    int n = snprintf(command, sizeof command, "addr2line -s -f -e '%s'", settings.command.words[0]);
    for (size_t i = 0; i < 8 && f->frames[i]; i++)
        n += snprintf(command + n, sizeof command - (size_t)n, " 0x%" PRIxPTR, f->frames[i] - 1);
    snprintf(command + n, sizeof command - (size_t)n,
             " | paste - - | awk '{ printf \" < %%s %%s\", $1, $2 }'");
    fflush(stdout);
    if (system(command) != 0) // NOLINT(cert-env33-c): of a test, with its own words
        printf(" (no addr2line)");
    printf("\n");
}

static void report(void)
{
    size_t n = results->n < FINDINGS ? results->n : FINDINGS, shown = 0;
    for (size_t i = 0; i < n; i++) {
        const struct finding *f = &results->findings[i];
        size_t before = 0, like = 0;
        for (size_t k = 0; k < n; k++) {
            before += k < i && same_kind(f, &results->findings[k]);
            like += same_kind(f, &results->findings[k]);
        }
        if (before || ++shown > SHOWN)
            continue;
        printf("      %s: %s %" PRIu64 " (seed %" PRIu64
               "; %zu like it): %s %s: %s; status 0x%x, \"%s\"\n       ",
               settings.name, kind_names[f->kind], f->at, f->seed, like, f->call, f->path, f->what,
               (unsigned)f->status, f->message);
        print_place(f);
    }
    if (shown > SHOWN)
        printf("      %s: %zu kinds of findings more\n", settings.name, shown - SHOWN);
    printf("%" PRIu64 " runs, %zu failed\n", (uint64_t)results->runs, (size_t)results->n);
}

/* ---- the command line ---- */

static void read_kinds(char *list)
{
    for (char *at = strtok(list, ","); at; at = strtok(NULL, ",")) {
        int kind = FAULT_KINDS - 1;
        while (kind && strcmp(at, kind_names[kind]) != 0)
            kind--;
        if (!kind)
            give_up("no such kind");
        settings.kinds[kind] = settings.chosen = true;
    }
}

/* Where the value of an option goes, of whichever type it is. */
static const struct setting {
    const char *name;
    const char **text;
    uint64_t *number;
    unsigned *count;
    bool *flag;
    void (*read)(char *value);
} table[] = {
    {"name", .text = &settings.name},
    {"kinds", .read = read_kinds},
    {"first", .number = &settings.first},
    {"sample", .number = &settings.sample},
    {"chance", .number = &settings.chance},
    {"seed", .number = &settings.seed},
    {"jobs", .count = &settings.jobs},
    {"seconds", .count = &settings.command.seconds},
    {"scratch", .text = &settings.scratch},
    {"former", .text = &settings.command.former},
    {"input", .text = &settings.command.input},
    {"shim", .text = &settings.command.shim},
    {"after", .text = &settings.after},
    {"piped", .flag = &settings.command.piped},
    {"unmapped", .flag = &settings.unmapped},
    {"varies", .flag = &settings.undisturbed.varies},
    {"streams", .flag = &settings.undisturbed.streams},
    {"several", .flag = &settings.undisturbed.several},
    {"partial", .flag = &settings.undisturbed.partial},
    {"acts", .flag = &settings.undisturbed.acts},
};
#define SETTINGS (sizeof table / sizeof table[0])

static void set(const struct setting *s, char *value)
{
    if (s->flag)
        *s->flag = true;
    else if (s->text)
        *s->text = value;
    else if (s->number)
        *s->number = strtoull(value, NULL, 10);
    else if (s->count)
        *s->count = (unsigned)strtoul(value, NULL, 10);
    else
        s->read(value);
}

static void read_options(int argc, char **argv)
{
    struct option options[SETTINGS + 1] = {0};
    for (size_t i = 0; i < SETTINGS; i++)
        options[i] = (struct option){table[i].name, table[i].flag ? 0 : 1, NULL, 0};
    int option, at;
    while ((option = getopt_long(argc, argv, "", options, &at)) != -1) {
        if (option != 0)
            exit(2);
        set(&table[at], optarg);
    }
    settings.jobs += settings.jobs == 0;
    settings.command.words = argv + optind;
    if (!argv[optind] || !settings.command.shim)
        give_up("no program, or no --shim");
    if (!settings.chosen)
        for (int kind = FAULT_MEMORY; kind < FAULT_KILL; kind++)
            settings.kinds[kind] = true;
}

/* Two runs without faults: alike, or the case has to say that they are not. */
static void run_undisturbed(void)
{
    struct worker *w = worker_new(settings.jobs);
    struct undisturbed *u = &settings.undisturbed;
    if (!run_command(&u->run, &settings.command, w->folder, w->plan, w->fd) ||
        !run_command(&w->run, &settings.command, w->folder, w->plan, w->fd))
        give_up("cannot run");
    if (!WIFEXITED(u->run.status) || WEXITSTATUS(u->run.status) > 1)
        give_up(u->run.err.at);
    const char *wrong = judge(&w->run, u, w->plan, settings.command.words);
    if (!wrong && !run_after(w->folder))
        wrong = "what --after checks does not hold";
    if (wrong)
        give_up(wrong);
    if (!folder_reset(w->folder, settings.command.former) || !folder_look(&u->before, w->folder))
        give_up("cannot begin");
}

static void on_alarm(int signal)
{
    (void)signal;
    run_kill();
}

int main(int argc, char **argv)
{
    read_options(argc, argv);
    sigaction(SIGALRM, &(struct sigaction){.sa_handler = on_alarm}, NULL);
    results = shared(sizeof *results);
    run_undisturbed();
    bool fine = true;
    for (unsigned i = 0; i < settings.jobs; i++) {
        fflush(stdout);
        if (fork() == 0)
            _exit(work(i));
    }
    for (int status; wait(&status) > 0 || errno == EINTR;)
        fine = fine && status == 0;
    report();
    return fine && results->n == 0 ? 0 : 1;
}
