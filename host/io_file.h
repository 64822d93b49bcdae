/*
 * Counter files of /proc, /sys and /dev/shm. They are kept open and read again from their beginning, one system call a
 * reading; the kernel makes their text anew each time, and says so when what they are about is gone.
 */
#ifndef XENMETER_HOST_IO_FILE_H
#define XENMETER_HOST_IO_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum io_read { IO_READ_DONE, IO_READ_GONE, IO_READ_FAILED };

/* Opens a file below the directory `at` (an fd, or AT_FDCWD) for reading: its fd, or -1 with `errno` set. */
int io_file_open(int at, const char *path);

/*
 * The text at the beginning of the file, up to size - 1 bytes, ended by NUL. GONE: the device or thread does not exist
 * any longer; FAILED: the file cannot be read now.
 */
enum io_read io_file_text(int fd, char *text, size_t size);

/* The number at the beginning of the file, alone in its line or before a blank. FAILED also if there is none. */
enum io_read io_file_number(int fd, uint64_t *number);

/* The 64-bit number at this offset of a binary file. */
enum io_read io_file_word(int fd, size_t offset, uint64_t *number);

/* All of a short file by its path, as io_file_text has it; NULs in it become `nul`. False: it cannot be read. */
bool io_file_all(const char *path, char nul, char *text, size_t size);

/* Lets the process open as many files as its hard limit allows. */
void io_file_raise_limit(void);

#endif
