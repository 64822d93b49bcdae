/* xenmeter archive: what the commands below it share. */
#ifndef XENMETER_CMD_ARCHIVE_COMMANDS_H
#define XENMETER_CMD_ARCHIVE_COMMANDS_H

#include "archive/frames.h"
#include "archive/manifest.h"
#include "cli.h"
#include "formats/output.h"

/* Creates the archive that options of `create`, or of `report -f archive`, ask for. Returns the exit code. */
int archive_create_run(const struct options *o);

/* What a person may ask of a label: fine, or said what is wrong. `number` (may be NULL): of "LABEL:NUMBER", else 0. */
int parse_host(const char *text, char label[HOST_MAX], unsigned *number, struct error *err);

/*
 * Of a command that reads archives: one that comes through a pipe is copied to a file first. EXIT_DONE, or EXIT_ERROR with the
 * reason said.
 */
int archive_inputs_prepare(const struct options *o);

/* The number of processors that this process may use. */
unsigned threads_wanted(const struct options *o);

/* An archive being written. */
struct archive_file {
    const char *path;
    struct output *output;
    struct frame_writer *frames;
    bool complete;            /* it has its name */
    bool keep_partial;        /* made of what cannot be had again: a pipe */
    struct capture *captures; /* complete, each in the order in which it was written */
    size_t captures_n;
};

/* What to call it in messages. */
const char *archive_file_name(const struct archive_file *f);

/* 0, or -1 with `err` filled. archive_file_close in both cases. */
int archive_file_open(struct archive_file *f, const char *path, int level, unsigned threads,
                      struct error *err);

/* Room for one more capture, counted by the caller once it is complete. NULL: no memory. */
struct capture *archive_file_new_capture(struct archive_file *f);

/*
 * Writes the contents and all that ends an archive, and gives it its name. EXIT_DONE; EXIT_ERROR, the reason having been said,
 * and what stays behind.
 */
int archive_file_commit(struct archive_file *f);

/*
 * Says why an archive cannot be completed (the output's own failure, else `err`, about `file`) and what stays behind: of
 * what cannot be had again, or if the output failed. EXIT_ERROR; EXIT_DONE, quietly, if the reader of a pipe has gone.
 */
int archive_file_fail(struct archive_file *f, const char *file, const struct error *err);
void archive_file_close(struct archive_file *f);

#endif
