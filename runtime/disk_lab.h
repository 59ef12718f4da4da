/* disk_lab.h: a disk for tests, in place of the C library's calls: notes what is done to the files of one folder, fails
 * at a chosen call, kills the process there, and makes what a crash or a loss of power would have left. One program
 * includes it once. The calls that are not ours go to the kernel as they are. */
#ifndef FLEC_RUNTIME_DISK_LAB_H
#define FLEC_RUNTIME_DISK_LAB_H

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/base.h"

enum { DISK_FDS = 64, DISK_CALLS = 4096, DISK_NAMES = 16, DISK_FILE = 1 << 19 };

typedef enum { DISK_OPEN, DISK_WRITE, DISK_TRUNCATE, DISK_SYNC, DISK_SYNC_DIR, DISK_RENAME, DISK_UNLINK } disk_kind;

typedef struct disk_call {
    disk_kind kind;
    int file;         /* what was opened, written, cut, synced, renamed; -1: the folder */
    char name[40];    /* in the folder; of a rename the new one */
    size_t at, n;     /* TRUNCATE: at is the new length; OPEN: n is 1 if the file is new or emptied */
    char *bytes;      /* of a write */
    int acked, begun; /* as they stood when it was called */
} disk_call;

static struct {
    const char *folder; /* NULL: nothing is ours */
    disk_call call[DISK_CALLS];
    int n;
    int at;              /* the call that fails or kills; -1: none */
    int error;           /* 0: it kills the process */
    bool lasting;        /* all that write after it fail, too */
    bool noting;         /* keep what is done */
    size_t keep;         /* bytes that a write still writes before it kills or fails */
    int of_fd[DISK_FDS]; /* which file a descriptor is of: 0 none, -1 the folder, else its number */
    char name[DISK_NAMES][40];
    int files, file_of[DISK_NAMES], names;
    fl_arena *memory; /* of what was written */
    const int *acked, *begun;
    const char *first; /* what the first file held before: a log that is there already */
    size_t first_len;
} disk = {.at = -1};

/* ---- what is ours ---- */

/* The name in the folder; "" the folder itself; NULL: not ours. */
static const char *disk_name(const char *path)
{
    size_t n = disk.folder ? strlen(disk.folder) : 0;
    if (!n || strncmp(path, disk.folder, n) != 0)
        return NULL;
    return path[n] == '/' ? path + n + 1 : !path[n] ? "" : NULL;
}

static int disk_slot(const char *name)
{
    for (int i = 0; i < disk.names; i++)
        if (!strcmp(disk.name[i], name))
            return i;
    snprintf(disk.name[disk.names], sizeof disk.name[0], "%s", name);
    disk.file_of[disk.names] = 0;
    return disk.names++;
}

static int disk_fd(int fd)
{
    return disk.folder && fd >= 0 && fd < DISK_FDS ? disk.of_fd[fd] : 0;
}

/* Counts a call. True: it must fail, errno is set. */
static bool disk_hit(disk_call c)
{
    int now = disk.n++;
    if (disk.noting && now < DISK_CALLS) {
        c.acked = *disk.acked;
        c.begun = *disk.begun;
        disk.call[now] = c;
    }
    if (disk.at < 0 || now < disk.at || (now > disk.at && !disk.lasting))
        return false;
    if (!disk.error)
        kill(getpid(), SIGKILL);
    errno = disk.error;
    return true;
}

/* ---- in place of the C library's ---- */

int open(const char *path, int flags, ...)
{
    va_list ap;
    va_start(ap, flags);
    int mode = flags & O_CREAT ? va_arg(ap, int) : 0;
    va_end(ap);
    const char *name = disk_name(path);
    int slot = name && *name ? disk_slot(name) : -1, had = slot < 0 ? 0 : disk.file_of[slot];
    int file = slot < 0 ? -1 : had ? had : flags & O_CREAT ? disk.files + 1 : 0;
    disk_call c = {.kind = DISK_OPEN, .file = file, .n = file > 0 && (!had || (flags & O_TRUNC))};
    snprintf(c.name, sizeof c.name, "%s", name ? name : "");
    if (name && disk_hit(c))
        return -1;
    int fd = (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
    if (fd >= 0 && file > disk.files)
        disk.file_of[slot] = disk.files = file;
    if (fd >= 0 && fd < DISK_FDS)
        disk.of_fd[fd] = name ? file : 0;
    return fd;
}

int close(int fd)
{
    if (fd >= 0 && fd < DISK_FDS)
        disk.of_fd[fd] = 0;
    return (int)syscall(SYS_close, fd);
}

static ssize_t disk_write(int fd, const void *p, size_t n, off_t at)
{
    disk_call c = {.kind = DISK_WRITE, .file = disk_fd(fd), .at = (size_t)at, .n = n};
    size_t part = disk.n == disk.at ? (disk.keep < n ? disk.keep : n) : 0;
    if (part)
        syscall(SYS_pwrite64, fd, p, part, at); /* torn: the beginning reaches the file */
    if (part && part < n && disk.error) {       /* the call that goes on behind it fails */
        disk.at++;
        disk.n++;
        return (ssize_t)part;
    }
    if (disk.noting) {
        c.bytes = fl_alloc(disk.memory, n);
        memcpy(c.bytes, p, n);
    }
    return disk_hit(c) ? -1 : syscall(SYS_pwrite64, fd, p, n, at);
}

ssize_t pwrite(int fd, const void *p, size_t n, off_t at)
{
    return disk_fd(fd) ? disk_write(fd, p, n, at) : syscall(SYS_pwrite64, fd, p, n, at);
}

ssize_t write(int fd, const void *p, size_t n)
{
    if (!disk_fd(fd))
        return syscall(SYS_write, fd, p, n);
    off_t at = lseek(fd, 0, SEEK_CUR);
    ssize_t w = disk_write(fd, p, n, at);
    if (w > 0)
        lseek(fd, at + w, SEEK_SET);
    return w;
}

/* Nothing of the tests outlives the machine: a sync costs nothing here, but it counts. */
int fsync(int fd)
{
    int file = disk_fd(fd);
    return file && disk_hit((disk_call){.kind = file < 0 ? DISK_SYNC_DIR : DISK_SYNC, .file = file}) ? -1 : 0;
}

int fdatasync(int fd)
{
    return fsync(fd);
}

int ftruncate(int fd, off_t n)
{
    int file = disk_fd(fd);
    if (file && disk_hit((disk_call){.kind = DISK_TRUNCATE, .file = file, .at = (size_t)n}))
        return -1;
    return (int)syscall(SYS_ftruncate, fd, n);
}

int rename(const char *from, const char *to)
{
    const char *name = disk_name(to);
    if (name) {
        int slot = disk_slot(disk_name(from)), target = disk_slot(name);
        disk_call c = {.kind = DISK_RENAME, .file = disk.file_of[slot]};
        snprintf(c.name, sizeof c.name, "%s", name);
        if (disk_hit(c))
            return -1;
        disk.file_of[target] = disk.file_of[slot];
        disk.file_of[slot] = 0;
    }
    return (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
}

int unlink(const char *path)
{
    const char *name = disk_name(path);
    if (name && disk.file_of[disk_slot(name)]) {
        disk_call c = {.kind = DISK_UNLINK, .file = disk.file_of[disk_slot(name)]};
        snprintf(c.name, sizeof c.name, "%s", name);
        if (disk_hit(c))
            return -1;
        disk.file_of[disk_slot(name)] = 0;
    }
    return (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0);
}

/* ---- a run ---- */

static void disk_begin(const char *folder, bool noting, const int *acked, const int *begun)
{
    fl_arena_free(disk.memory);
    disk.memory = folder ? fl_arena_new() : NULL;
    memset(disk.of_fd, 0, sizeof disk.of_fd);
    disk.folder = folder;
    disk.n = disk.names = disk.files = 0;
    disk.at = -1;
    disk.lasting = false;
    disk.error = 0;
    disk.keep = 0;
    disk.noting = noting;
    disk.acked = acked;
    disk.begun = begun;
    disk.first = NULL;
}

/* A file is in the folder already. */
static void disk_has(const char *name, const char *bytes, size_t n)
{
    disk.file_of[disk_slot(name)] = ++disk.files;
    disk.first = bytes;
    disk.first_len = n;
}

/* ---- what a crash leaves ---- */

/* How it is decided what survived of that which was not synced. */
typedef struct disk_crash {
    bool power;    /* else a kill: the kernel has all that was written */
    unsigned seed; /* power: what of it reached the disk */
    size_t torn;   /* kill: so much of the call itself, if it writes */
} disk_crash;

typedef struct disk_image {
    char *bytes[DISK_NAMES * 4]; /* by file */
    size_t len[DISK_NAMES * 4];
    char name[DISK_NAMES][40];
    int file_of[DISK_NAMES], names;
} disk_image;

static unsigned disk_random(unsigned *seed)
{
    *seed = *seed * 1103515245u + 12345u;
    return *seed >> 16;
}

static void image_write(disk_image *m, const disk_call *c, size_t n)
{
    if (!m->bytes[c->file])
        m->bytes[c->file] = calloc(1, DISK_FILE);
    memcpy(m->bytes[c->file] + c->at, c->bytes, n);
    if (c->at + n > m->len[c->file])
        m->len[c->file] = c->at + n;
}

static int *image_entry(disk_image *m, const char *name)
{
    for (int i = 0; i < m->names; i++)
        if (!strcmp(m->name[i], name))
            return &m->file_of[i];
    snprintf(m->name[m->names], sizeof m->name[0], "%s", name);
    m->file_of[m->names] = 0;
    return &m->file_of[m->names++];
}

static void image_drop(disk_image *m, int file)
{
    for (int i = 0; i < m->names; i++)
        if (m->file_of[i] == file)
            m->file_of[i] = 0;
}

/* Is what the call did on the disk for certain? */
static bool disk_durable(const disk_call *c, int upto)
{
    bool entry = c->kind == DISK_OPEN || c->kind == DISK_RENAME || c->kind == DISK_UNLINK;
    for (const disk_call *s = c + 1; s < disk.call + upto; s++)
        if (s->kind == (entry ? DISK_SYNC_DIR : DISK_SYNC) && (entry || s->file == c->file))
            return true;
    return false;
}

/* part: how much of a write, and whether of anything else. */
static void image_apply(disk_image *m, const disk_call *c, size_t part)
{
    switch (c->kind) {
    case DISK_OPEN:
        if (c->n && part) {
            *image_entry(m, c->name) = c->file;
            m->len[c->file] = 0;
        }
        break;
    case DISK_WRITE:
        image_write(m, c, part < c->n ? part : c->n);
        break;
    case DISK_TRUNCATE:
        if (part)
            m->len[c->file] = c->at;
        break;
    case DISK_RENAME:
        if (part) {
            image_drop(m, c->file);
            *image_entry(m, c->name) = c->file;
        }
        break;
    case DISK_UNLINK:
        if (part)
            *image_entry(m, c->name) = 0;
        break;
    case DISK_SYNC:
    case DISK_SYNC_DIR:
        break;
    }
}

/* How much of a call survives: all, nothing, or a part. The header is one sector: whole or not at all. */
static size_t disk_survives(const disk_call *c, int upto, disk_crash *how)
{
    if (!how->power || disk_durable(c, upto))
        return SIZE_MAX;
    unsigned r = disk_random(&how->seed) % 4;
    if (r == 0 || (r == 1 && c->at == 0))
        return 0;
    return r == 1 ? disk_random(&how->seed) % (c->n + 1) : SIZE_MAX;
}

/* The files as they are after a crash just before the call `upto`, put into a folder that is made anew. */
static void disk_restore(int upto, disk_crash how, const char *folder)
{
    disk_image m = {0};
    if (disk.first) {
        disk_call before = {.file = 1, .bytes = (char *)disk.first};
        image_write(&m, &before, disk.first_len);
        *image_entry(&m, disk.name[0]) = 1;
    }
    for (int i = 0; i < upto; i++)
        image_apply(&m, &disk.call[i], disk_survives(&disk.call[i], upto, &how));
    if (how.torn && disk.call[upto].kind == DISK_WRITE)
        image_apply(&m, &disk.call[upto], how.torn < disk.call[upto].n ? how.torn : disk.call[upto].n - 1);
    fl_remove_tree(folder);
    mkdir(folder, 0700);
    for (int i = 0; i < m.names; i++) {
        char path[256];
        int file = m.file_of[i];
        if (!file || !strcmp(m.name[i], "lock"))
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, m.name[i]);
        int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
        if (syscall(SYS_write, fd, m.bytes[file] ? m.bytes[file] : "", m.len[file]) != (long)m.len[file])
            abort();
        close(fd);
    }
    for (size_t i = 0; i < sizeof m.bytes / sizeof *m.bytes; i++)
        free(m.bytes[i]);
}

#endif
