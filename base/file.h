/* file.h: files and folders, with limits, and writes that are whole or not at all. Functions return 0 or an errno
 * value. */
#ifndef FLEC_BASE_FILE_H
#define FLEC_BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"

/* Reads a whole file ("-": standard input) of at most max bytes (EFBIG beyond). The text gets a NUL that is not
 * counted. Folders give EISDIR. */
int fl_read_file(fl_arena *a, const char *path, size_t max, char **text, size_t *len);
/* The same for a path that an input names: "-" is a file of that name, and what is no regular file (a pipe nobody
 * writes to, a device) gives ENOTSUP at once. */
int fl_read_regular(fl_arena *a, const char *path, size_t max, char **text, size_t *len);
/* What went wrong, in words: "larger than 16 MiB", "not a regular file". */
const char *fl_read_error(fl_arena *a, int error, size_t max);

/* Writes path.tmp-PID, fsyncs it if durable, renames it over path. mode as for open(2). */
int fl_write_file(const char *path, const void *p, size_t n, unsigned mode, bool durable);
int fl_mkdirs(const char *path, unsigned mode);
int fl_remove_tree(const char *path); /* never follows a link */
bool fl_is_dir(const char *path);
bool fl_exists(const char *path);
bool fl_dir_empty(const char *path);
int fl_fsync_dir(const char *path);

/* Exchanges two folders atomically (renameat2 RENAME_EXCHANGE); ENOSYS or EINVAL where that cannot be. */
int fl_exchange(const char *a, const char *b);

/* Takes an exclusive lock on a file (made if absent); *fd holds it until closed. EWOULDBLOCK if another process has it.
 */
int fl_lock_file(const char *path, int *fd);

/* Files below dir whose name ends in suffix: sorted, no dot names, no links to folders. */
int fl_find_files(fl_arena *a, const char *dir, const char *suffix, char ***paths, size_t *n);

/* Joins and tidies `.`, `..` and `//` textually; "a/b.flec" + "../s/x" gives "s/x" for base = dirname("a/b.flec"). */
char *fl_path_join(fl_arena *a, const char *base, const char *rel);
char *fl_path_dir(fl_arena *a, const char *path);

/* A name as a file name: everything but letters, digits, `_`, `-` and inner dots percent-encoded; an over-long one is
 * cut and gets a hash of the whole. */
char *fl_file_name(fl_arena *a, const char *name);

#endif
