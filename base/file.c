/* file.c: reading and writing whole files, locks, exchange of folders. */
#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef RENAME_EXCHANGE
#define RENAME_EXCHANGE (1 << 1)
#endif

/* ---- reading ---- */

static int read_all(int fd, size_t max, char **p, size_t *n)
{
    size_t cap = 64 * 1024, len = 0;
    char *buf = fl_xmalloc(cap + 1);
    for (;;) {
        if (len == cap) {
            cap *= 2;
            buf = fl_xrealloc(buf, cap + 1);
        }
        ssize_t got = read(fd, buf + len, cap - len);
        if (got < 0 && errno == EINTR)
            continue;
        int e = got < 0 ? errno : len + (size_t)got > max ? EFBIG : 0;
        if (e) {
            free(buf);
            return e;
        }
        if (got == 0)
            break;
        len += (size_t)got;
    }
    *p = buf;
    *n = len;
    return 0;
}

/* Reads all that fd has, whose opening failed if it is negative. */
static int read_open(fl_arena *a, int fd, bool regular, size_t max, char **text, size_t *len)
{
    struct stat st;
    char *p;
    *text = NULL;
    *len = 0;
    if (fd < 0 || fstat(fd, &st))
        return errno;
    int e = S_ISDIR(st.st_mode) ? EISDIR : regular && !S_ISREG(st.st_mode) ? ENOTSUP : read_all(fd, max, &p, len);
    if (e)
        return e;
    *text = fl_strndup(a, p, *len);
    free(p);
    return 0;
}

int fl_read_file(fl_arena *a, const char *path, size_t max, char **text, size_t *len)
{
    if (!strcmp(path, "-"))
        return read_open(a, STDIN_FILENO, false, max, text, len);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    int e = read_open(a, fd, false, max, text, len);
    if (fd >= 0)
        close(fd);
    return e;
}

int fl_read_regular(fl_arena *a, const char *path, size_t max, char **text, size_t *len)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY); /* opening a pipe would wait for its writer */
    int e = read_open(a, fd, true, max, text, len);
    if (fd >= 0)
        close(fd);
    return e;
}

const char *fl_read_error(fl_arena *a, int error, size_t max)
{
    if (error == EFBIG)
        return fl_printf(a, "larger than %zu MiB", max >> 20);
    return error == ENOTSUP ? "not a regular file" : strerror(error);
}

/* ---- writing ---- */

static int write_all(int fd, const char *p, size_t n)
{
    while (n) {
        ssize_t put = write(fd, p, n);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return errno;
        p += put;
        n -= (size_t)put;
    }
    return 0;
}

static int fsync_parent(const char *path)
{
    fl_arena *a = fl_arena_new();
    int e = fl_fsync_dir(fl_path_dir(a, path));
    fl_arena_free(a);
    return e;
}

int fl_write_file(const char *path, const void *p, size_t n, unsigned mode, bool durable)
{
    fl_arena *a = fl_arena_new();
    const char *beside = fl_printf(a, "%s.tmp-%ld", path, (long)getpid());
    int fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode);
    int e = fd < 0 ? errno : write_all(fd, p, n);
    if (fd >= 0 && !e && durable && fsync(fd))
        e = errno;
    if (fd >= 0 && close(fd) && !e)
        e = errno;
    if (!e && rename(beside, path))
        e = errno;
    if (e && fd >= 0)
        unlink(beside);
    if (!e && durable)
        e = fsync_parent(path);
    fl_arena_free(a);
    return e;
}

int fl_fsync_dir(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return errno;
    int e = fsync(fd) ? errno : 0;
    close(fd);
    return e;
}

/* ---- folders ---- */

int fl_mkdirs(const char *path, unsigned mode)
{
    fl_arena *a = fl_arena_new();
    char *p = fl_strdup(a, path);
    int e = 0;
    for (char *slash = p + 1; *p && !e; slash++) {
        slash = strchr(slash, '/');
        if (slash)
            *slash = 0;
        if (mkdir(p, mode) && errno != EEXIST)
            e = errno;
        if (!slash)
            break;
        *slash = '/';
    }
    if (!e && !fl_is_dir(path))
        e = ENOTDIR;
    fl_arena_free(a);
    return e;
}

static int remove_below(int parent, const char *name, unsigned depth)
{
    if (unlinkat(parent, name, 0) == 0)
        return 0;
    if (errno == ENOENT)
        return 0;
    if (errno != EISDIR && errno != EPERM)
        return errno;
    int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return errno;
    if (depth > 64) {
        close(fd);
        return ELOOP;
    }
    DIR *d = fdopendir(fd);
    int e = d ? 0 : errno;
    if (!d) {
        close(fd);
        return e;
    }
    for (struct dirent *entry; !e && (entry = readdir(d));)
        if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
            e = remove_below(dirfd(d), entry->d_name, depth + 1);
    closedir(d);
    return e ? e : unlinkat(parent, name, AT_REMOVEDIR) ? errno : 0;
}

int fl_remove_tree(const char *path)
{
    return remove_below(AT_FDCWD, path, 0);
}

bool fl_is_dir(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

bool fl_exists(const char *path)
{
    struct stat st;
    return lstat(path, &st) == 0;
}

bool fl_dir_empty(const char *path)
{
    DIR *d = opendir(path);
    bool empty = d != NULL;
    if (!d)
        return false;
    for (struct dirent *e; empty && (e = readdir(d));)
        empty = !strcmp(e->d_name, ".") || !strcmp(e->d_name, "..");
    closedir(d);
    return empty;
}

int fl_exchange(const char *a, const char *b)
{
    return renameat2(AT_FDCWD, a, AT_FDCWD, b, RENAME_EXCHANGE) ? errno : 0;
}

int fl_lock_file(const char *path, int *fd)
{
    *fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (*fd < 0)
        return errno;
    if (flock(*fd, LOCK_EX | LOCK_NB) == 0)
        return 0;
    int e = errno;
    close(*fd);
    *fd = -1;
    return e;
}
