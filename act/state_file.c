/* The file of the state (state.h), read and written. */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "act/state.h"
#include "formats/buffer.h"
#include "formats/json_memory.h"
#include "formats/output.h"

#define SCHEMA         "xenmeter.state/1"
#define FILE_BYTES_MAX ((size_t)4 << 20)

/* ---- reading ---- */

/* Opens the file if nobody but this user could have written it. *fd -1 and 0: there is none. */
static int open_own(const char *path, int *fd, struct error *err)
{
    struct stat st;
    *fd = TEMP_FAILURE_RETRY(open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (*fd < 0)
        return errno == ENOENT
                   ? 0
                   : error_set(err, ERROR_IO, "%.200s: cannot be read: %s", path, strerror(errno));
    if (fstat(*fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == geteuid() && !(st.st_mode & 022) &&
        st.st_size <= (off_t)FILE_BYTES_MAX)
        return 0;
    close(*fd);
    return error_set(err, ERROR_IO,
                     "%.200s: is not this user's own file, others may write it, or it is larger than 4 MiB: "
                     "it is not believed",
                     path);
}

/* Copies a text that fits. */
static bool take_text(const json_t *object, const char *key, char *to, size_t size)
{
    const char *text = json_string_value(json_object_get(object, key));
    if (!text || strlen(text) >= size)
        return false;
    memcpy(to, text, strlen(text) + 1);
    return true;
}

static bool take_guest(struct state *s, const json_t *object)
{
    const json_t *domain = json_object_get(object, "domain");
    json_int_t id = json_integer_value(domain);
    if (!json_is_integer(domain) || id < 0 || id > UINT16_MAX || state_find(s, (uint16_t)id))
        return false;
    struct state_guest *g = state_guest(s, (uint16_t)id);
    return g && take_text(object, "name", g->name, sizeof g->name) &&
           take_text(object, "former", g->former, sizeof g->former) &&
           take_text(object, "set", g->set, sizeof g->set) &&
           take_text(object, "before", g->before, sizeof g->before);
}

static bool take_command(struct state *s, const json_t *list)
{
    const char *words[COMMAND_WORDS_MAX] = {NULL};
    size_t i;
    json_t *word;
    json_array_foreach(list, i, word)
    {
        if (i + 1 >= COMMAND_WORDS_MAX || !(words[i] = json_string_value(word)))
            return false;
    }
    return state_set_command(s, words);
}

static bool take_all(struct state *s, const json_t *document)
{
    const json_t *guests = json_object_get(document, "guests"), *exempt = json_object_get(document, "exempt");
    const char *schema = json_string_value(json_object_get(document, "schema"));
    size_t i;
    json_t *item;
    if (!schema || strcmp(schema, SCHEMA) != 0 || !json_is_array(guests) || !json_is_array(exempt) ||
        !take_text(document, "boot", s->boot, sizeof s->boot) ||
        !take_text(document, "means", s->means, sizeof s->means) ||
        !take_command(s, json_object_get(document, "command")))
        return false;
    json_array_foreach(guests, i, item)
    {
        if (!s->command[0] || !take_guest(s, item))
            return false;
    }
    json_array_foreach(exempt, i, item)
    {
        const char *name = json_string_value(item);
        if (!name || strlen(name) >= ACT_NAME_BYTES || !state_set_exempt(s, name, true))
            return false;
    }
    return true;
}

/* Reads all of it and closes it. -1: it cannot be read, or there is no memory. */
static int read_file(int fd, const char *path, struct buffer *text, struct error *err)
{
    enum { STEP = 4096 };
    ssize_t got = 1;
    while (got > 0 && text->n <= FILE_BYTES_MAX) {
        char *room = buffer_room(text, STEP);
        got = room ? TEMP_FAILURE_RETRY(read(fd, room, STEP)) : 0;
        text->n += got > 0 ? (size_t)got : 0;
    }
    int why = errno;
    close(fd);
    if (text->failed)
        return error_no_memory(err, "the state");
    return got == 0 ? 0 : error_set(err, ERROR_IO, "%.200s: cannot be read: %s", path, strerror(why));
}

int state_load(struct state *s, const char *path, bool *there, struct error *err)
{
    struct state read = {.guests = NULL};
    int fd;
    *there = false;
    if (open_own(path, &fd, err) != 0)
        return -1;
    if (fd < 0)
        return 0;
    struct buffer text = {0};
    if (read_file(fd, path, &text, err) != 0) {
        buffer_free(&text);
        return -1;
    }
    json_t *document = json_parse(text.at, text.n, NULL);
    bool no_memory = json_memory_failed();
    errno = 0;
    bool fine = document && take_all(&read, document);
    no_memory |= errno == ENOMEM;
    json_decref(document);
    buffer_free(&text);
    if (!fine) {
        state_free(&read);
        if (no_memory)
            return error_no_memory(err, "the state");
        return error_set(err, ERROR_FORMAT, "%.200s: is no state of xenmeter, or is damaged", path);
    }
    *s = read;
    *there = true;
    return 0;
}

/* ---- writing ---- */

static json_t *document_of(const struct state *s)
{
    json_memory_begin();
    json_t *guests = json_array(), *exempt = json_array(), *command = json_array();
    for (size_t i = 0; i < s->guests_n; i++) {
        const struct state_guest *g = &s->guests[i];
        json_array_append_new(guests, json_pack("{si ss ss ss ss}", "domain", (int)g->domain, "name", g->name,
                                                "former", g->former, "set", g->set, "before", g->before));
    }
    for (size_t i = 0; i < s->exempt_n; i++)
        json_array_append_new(exempt, json_string(s->exempt[i]));
    for (size_t i = 0; s->command[i]; i++)
        json_array_append_new(command, json_string(s->command[i]));
    return json_whole(json_pack("{ss ss ss so so so}", "schema", SCHEMA, "boot", s->boot, "means", s->means,
                                "command", command, "guests", guests, "exempt", exempt));
}

/* Makes a change of the directory durable. */
static int sync_directory(const char *path)
{
    char copy[PATH_MAX];
    snprintf(copy, sizeof copy, "%s", path);
    int fd = TEMP_FAILURE_RETRY(open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    int status = fd >= 0 ? TEMP_FAILURE_RETRY(fsync(fd)) : -1;
    if (fd >= 0)
        close(fd);
    return status == 0 || errno == EINVAL ? 0 : -1;
}

static int write_file(const char *path, const char *text)
{
    int fd = TEMP_FAILURE_RETRY(open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (fd < 0)
        return -1;
    int status = output_write_fd(fd, text, strlen(text));
    if (status == 0)
        status = TEMP_FAILURE_RETRY(fsync(fd));
    int why = errno;
    close(fd);
    errno = why;
    return status;
}

static int replace(const char *path, const char *text, struct error *err)
{
    char temporary[PATH_MAX];
    int n = snprintf(temporary, sizeof temporary, "%s.new", path);
    if (n > 0 && (size_t)n < sizeof temporary && write_file(temporary, text) == 0 &&
        rename(temporary, path) == 0 && sync_directory(path) == 0)
        return 0;
    error_set(err, ERROR_IO, "%.200s: cannot be written: %s", path, strerror(errno));
    unlink(temporary);
    return -1;
}

int state_save(const struct state *s, const char *path, struct error *err)
{
    if (s->guests_n == 0 && s->exempt_n == 0) {
        if ((unlink(path) == 0 && sync_directory(path) == 0) || errno == ENOENT)
            return 0;
        return error_set(err, ERROR_IO, "%.200s: cannot be removed: %s", path, strerror(errno));
    }
    json_t *document = document_of(s);
    char *text = document ? json_dumps(document, JSON_INDENT(1)) : NULL;
    json_decref(document);
    int status = text ? replace(path, text, err) : error_no_memory(err, "the state");
    free(text);
    return status;
}
