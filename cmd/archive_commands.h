/* xenmeter archive: shared by its commands. */
#ifndef XENMETER_CMD_ARCHIVE_COMMANDS_H
#define XENMETER_CMD_ARCHIVE_COMMANDS_H

#include "archive/frames.h"
#include "archive/manifest.h"
#include "cli.h"
#include "formats/output.h"

/* Creates an archive by the options of `create`, or of `report -f archive`. Returns the exit code. */
int archive_create_run(const struct options *o);

/*
 * Checks the label of --host; false, and the reason printed, if invalid. `number` (may be NULL): NUMBER of
 * "LABEL:NUMBER", else 0.
 */
int parse_host(const char *text, char label[HOST_MAX], unsigned *number, struct error *err);

/* Whether this is the name of an archive that was not completed. */
bool ends_in_partial(const char *path);

/* As archive_open; the error of a damaged archive says how to save what is whole. */
struct archive *archive_for_reading(const char *path, struct error *err);

/*
 * Prepares standard input for a command that reads archives: an archive from a pipe is copied to a file. EXIT_DONE, or
 * EXIT_ERROR with the reason printed.
 */
int archive_inputs_prepare(const struct options *o);

/* How many threads compress or decompress: --threads, or as many as jobs, by default at most 16. */
unsigned threads_wanted(const struct options *o);

/* An archive being written. */
struct archive_file {
    const char *path;
    struct output *output;
    struct frame_writer *frames;
    bool complete;     /* renamed to its final name */
    bool keep_partial; /* its trace comes from a pipe and cannot be read again: a failure keeps the file */
    struct capture *captures; /* complete captures, in the order in which they were written */
    size_t captures_n;
};

/* The archive's name in messages. */
const char *archive_file_name(const struct archive_file *f);

/* 0, or -1 with `err` filled. archive_file_close in both cases. */
int archive_file_open(struct archive_file *f, const char *path, int level, unsigned threads,
                      struct error *err);

/* Room for one more capture; the caller counts it when it is complete. NULL: no memory. */
struct capture *archive_file_new_capture(struct archive_file *f);

/*
 * Writes the contents, the seal and the seek table, and renames the archive. EXIT_DONE; EXIT_ERROR with the reason, and
 * the file that is kept, printed.
 */
int archive_file_commit(struct archive_file *f);

/*
 * Prints why an archive cannot be completed (the output's own failure, else `err`, about `file`) and which file is
 * kept: with keep_partial, or if the output failed. EXIT_ERROR; EXIT_DONE, without a message, if the reader closed the
 * pipe.
 */
int archive_file_fail(struct archive_file *f, const char *file, const struct error *err);
void archive_file_close(struct archive_file *f);

#endif
