#include "io_names.h"

#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

const char *const io_work_names[IO_WORKS] = {"guest-rx", "dealloc",      "netback", "napi",
                                             "blkback",  "device-model", "tapdisk"};

#define DIGITS "0123456789"

/* A domain id at the beginning of the text; returns what follows, NULL: there is none. */
static const char *take_domain(const char *text, unsigned long *domain)
{
    size_t digits = strspn(text, DIGITS);
    if (digits == 0 || digits > 5)
        return NULL;
    *domain = strtoul(text, NULL, 10);
    return *domain <= UINT16_MAX ? text + digits : NULL;
}

const char *io_name_pair(const char *text, const char *prefix, char between, unsigned long pair[2])
{
    size_t n = strlen(prefix);
    if (strncmp(text, prefix, n) != 0)
        return NULL;
    const char *rest = take_domain(text + n, &pair[0]);
    if (!rest || *rest != between)
        return NULL;
    size_t digits = strspn(++rest, DIGITS);
    if (digits == 0 || digits > 10)
        return NULL;
    pair[1] = strtoul(rest, NULL, 10);
    return rest + digits;
}

/* ---- kernel threads ---- */

/* The guest of an interface whose name has n characters. */
static unsigned long interface_owner(const char *name, size_t n, const struct io_interfaces *interfaces)
{
    unsigned long pair[2];
    const char *rest = io_name_pair(name, "vif", '.', pair);
    return rest == name + n ? pair[0] : interfaces->owner(interfaces->context, name, n);
}

/* Whether `text` is the beginning of `whole`: older kernels cut the names of threads after 15 characters. */
static bool is_beginning(const char *text, const char *whole)
{
    return *text && strncmp(text, whole, strlen(text)) == 0;
}

/* The last "-qN" of the name, N a number that ends with the name or at a '-'; *rest: what follows. NULL: none. */
static const char *find_queue(const char *name, const char **rest)
{
    const char *found = NULL;
    for (const char *at = strstr(name, "-q"); at; at = strstr(at + 1, "-q")) {
        size_t digits = strspn(at + 2, DIGITS);
        char end = at[2 + digits];
        if (digits == 0 || (end && end != '-'))
            continue;
        found = at;
        *rest = at + 2 + digits + (end == '-');
    }
    return found;
}

static unsigned long netback_thread(const char *name, const struct io_interfaces *interfaces,
                                    enum io_work *work)
{
    const char *rest = "", *queue = find_queue(name, &rest);
    const char *end = queue ? queue : strchr(name, '-'); /* before Linux 3.16 there were no queues */
    if (!end || end == name)
        return IO_NO_DOMAIN;
    rest = queue ? rest : end + 1;
    if (is_beginning(rest, "guest-rx"))
        *work = IO_WORK_GUEST_RX;
    else if (is_beginning(rest, "dealloc"))
        *work = IO_WORK_DEALLOC;
    else if (queue && !*rest)
        *work = IO_WORK_NETBACK;
    else
        return IO_NO_DOMAIN;
    return interface_owner(name, (size_t)(end - name), interfaces);
}

static unsigned long napi_thread(const char *name, const struct io_interfaces *interfaces, enum io_work *work)
{
    static const char prefix[] = "napi/";
    if (strncmp(name, prefix, sizeof prefix - 1) != 0)
        return IO_NO_DOMAIN;
    name += sizeof prefix - 1;
    const char *end = strrchr(name, '-');
    *work = IO_WORK_NAPI;
    return end && end > name ? interface_owner(name, (size_t)(end - name), interfaces) : IO_NO_DOMAIN;
}

static unsigned long blkback_thread(const char *name, enum io_work *work)
{
    static const char prefix[] = "blkback.";
    unsigned long domain;
    if (strncmp(name, prefix, sizeof prefix - 1) == 0)
        name += sizeof prefix - 1;
    const char *rest = take_domain(name, &domain);
    *work = IO_WORK_BLKBACK;
    return rest && rest[0] == '.' && isalpha((unsigned char)rest[1]) ? domain : IO_NO_DOMAIN;
}

unsigned long io_name_thread(const char *name, const struct io_interfaces *interfaces, enum io_work *work)
{
    unsigned long domain = napi_thread(name, interfaces, work);
    if (domain == IO_NO_DOMAIN)
        domain = blkback_thread(name, work);
    return domain == IO_NO_DOMAIN ? netback_thread(name, interfaces, work) : domain;
}

/* ---- processes ---- */

/* A domain id that ends at `end`. */
static unsigned long whole_domain(const char *text, char end)
{
    unsigned long domain;
    const char *rest = take_domain(text, &domain);
    return rest && (*rest == end || !*rest) ? domain : IO_NO_DOMAIN;
}

/* The guest that an argument names, or the one after it: "-xen-domid" "5", "--domid=5". */
static unsigned long option_domain(const char *argument, bool short_too)
{
    static const char *const options[] = {"-xen-domid", "-domid", "-domain"};
    const char *name = argument + (argument[0] == '-' && argument[1] == '-');
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        size_t n = strlen(options[i]);
        if (strncmp(name, options[i], n) == 0 && (name[n] == '=' || name[n] == '\n'))
            return whole_domain(name + n + 1, '\n');
    }
    return short_too && strncmp(argument, "-d\n", 3) == 0 ? whole_domain(argument + 3, '\n') : IO_NO_DOMAIN;
}

/* The guest whose disk vbd3-D-N or vbd-D-N is named somewhere. */
static unsigned long disk_domain(const char *arguments)
{
    unsigned long pair[2];
    for (const char *at = strstr(arguments, "vbd"); at; at = strstr(at + 1, "vbd"))
        if (io_name_pair(at, "vbd3-", '-', pair) || io_name_pair(at, "vbd-", '-', pair))
            return pair[0];
    return IO_NO_DOMAIN;
}

static unsigned long named_domain(const char *arguments, bool short_too)
{
    for (const char *at = strchr(arguments, '\n'); at && at[1]; at = strchr(at + 1, '\n')) {
        unsigned long domain = option_domain(at + 1, short_too);
        if (domain != IO_NO_DOMAIN)
            return domain;
    }
    return IO_NO_DOMAIN;
}

/* The name of the program without its directory: where the first argument has its last '/'. */
static const char *program_of(const char *arguments)
{
    const char *program = arguments;
    for (const char *at = arguments; *at && *at != '\n'; at++)
        if (*at == '/')
            program = at + 1;
    return program;
}

bool io_name_process(const char *arguments, enum io_work *work, unsigned long *domain)
{
    static const char old_model[] = "qemu-dm";
    const char *program = program_of(arguments);
    *domain = IO_NO_DOMAIN;
    if (strncmp(program, "tapdisk", 7) == 0) {
        *work = IO_WORK_TAPDISK;
        *domain = named_domain(arguments, false);
        if (*domain == IO_NO_DOMAIN)
            *domain = disk_domain(arguments);
        return true;
    }
    if (strncmp(program, "qemu", 4) != 0)
        return false;
    bool old = strncmp(program, old_model, sizeof old_model - 1) == 0;
    *work = IO_WORK_DEVICE_MODEL;
    *domain = named_domain(arguments, old);
    if (*domain == IO_NO_DOMAIN && old && program[sizeof old_model - 1] == '-')
        *domain = whole_domain(program + sizeof old_model, '\n');
    return *domain != IO_NO_DOMAIN;
}
