/* write.c: a build in memory onto the disk, whole or not at all.
 *
 * The new build is written beside the old one, synced, and the two are exchanged (renameat2 RENAME_EXCHANGE), so a
 * crash at any moment leaves the old build or the new one. Where that cannot be (a mount point, a file system without
 * it) MANIFEST is removed first and written last: a folder without one is no build. A folder that is not empty and has
 * no MANIFEST of ours is never touched. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "compiler/emit/emit.h"

#define MANIFEST_MAX (64u << 20)
#define UNFINISHED   "MANIFEST.unfinished" /* a build in place that was cut off: ours, but none to read */

int (*emit_exchange)(const char *a, const char *b) = fl_exchange;

typedef struct target {
    fl_arena *arena;
    const char *shown, *dir, *next,
        *lock_path; /* the folder as the user wrote it and as it is, the new one beside it */
    int lock;
} target;

static fl_status failed(const char *path, int rc)
{
    fl_log(FL_LOG_ERROR, "%s: %s", path, strerror(rc));
    return FL_COULD_NOT_RUN;
}

/* ---- is the folder ours? ---- */

static bool is_manifest(target *t, const char *name)
{
    char *text;
    size_t len;
    fl_json_error err;
    if (fl_read_regular(t->arena, fl_path_join(t->arena, t->dir, name), MANIFEST_MAX, &text, &len))
        return false;
    const fl_json *root = fl_json_parse(t->arena, text, len, 0, &err);
    const char *format = fl_json_str(root, "format");
    return format && !strcmp(format, "flec-build");
}

static bool is_build(target *t)
{
    return is_manifest(t, "MANIFEST") || is_manifest(t, UNFINISHED);
}

static fl_status may_replace(target *t)
{
    if (!fl_exists(t->dir))
        return FL_OK;
    if (!fl_is_dir(t->dir)) {
        fl_log(FL_LOG_ERROR, "%s is no folder", t->shown);
        return FL_USAGE;
    }
    if (fl_dir_empty(t->dir) || is_build(t))
        return FL_OK;
    fl_log(FL_LOG_ERROR,
           "%s holds other files and no build of flec (it has no MANIFEST): it is left alone. Name an empty folder, or "
           "one that is not there",
           t->shown);
    return FL_USAGE;
}

/* ---- writing ---- */

/* With more files than this the whole file system is brought to disk once, which costs what a few dozen single files
 * do. */
#define SINGLY 64

static fl_status write_one(target *t, const char *root, const fc_file *f, bool durable)
{
    const char *path = fl_path_join(t->arena, root, f->path);
    int rc = fl_mkdirs(fl_path_dir(t->arena, path), 0755);
    rc = rc ? rc : fl_write_file(path, f->bytes, f->len, 0644, durable);
    return rc ? failed(path, rc) : FL_OK;
}

static int bring_to_disk(const char *root)
{
    int fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int rc = fd < 0 || syncfs(fd) ? errno : 0;
    if (fd >= 0)
        close(fd);
    return rc;
}

/* All files; MANIFEST is the last of the list, so a folder that has it has all the others. */
static fl_status write_all(target *t, const fc_build *b, const char *root)
{
    int rc = fl_mkdirs(root, 0755);
    if (rc)
        return failed(root, rc);
    bool singly = b->files.n <= SINGLY;
    for (size_t i = 0; i < b->files.n; i++) {
        bool manifest = i + 1 == b->files.n;
        if (manifest && !singly && (rc = bring_to_disk(root))) /* before the file that says that all others are there */
            return failed(root, rc);
        fl_status st = write_one(t, root, &b->files.v[i], singly || manifest);
        if (st)
            return st;
    }
    rc = fl_fsync_dir(root);
    return rc ? failed(root, rc) : FL_OK;
}

/* ---- taking the old one's place ---- */

static bool cannot_exchange(int rc)
{
    return rc == ENOSYS || rc == EINVAL || rc == EXDEV || rc == EBUSY;
}

static int swap_in(target *t)
{
    int rc = fl_exists(t->dir) ? emit_exchange(t->dir, t->next) : rename(t->next, t->dir) ? errno : 0;
    if (rc)
        return rc;
    rc = fl_fsync_dir(fl_path_dir(t->arena, t->dir));
    fl_remove_tree(t->next);
    return rc;
}

static bool is_listed(const fc_build *b, const char *relative)
{
    for (size_t i = 0; i < b->files.n; i++)
        if (!strcmp(b->files.v[i].path, relative))
            return true;
    return false;
}

/* What a former build left behind. */
static fl_status remove_others(target *t, const fc_build *b)
{
    char **paths;
    size_t n, skip = strlen(t->dir) + (t->dir[strlen(t->dir) - 1] != '/');
    int rc = fl_find_files(t->arena, t->dir, "", &paths, &n);
    for (size_t i = 0; !rc && i < n; i++)
        if (!is_listed(b, paths[i] + skip) && strcmp(paths[i] + skip, UNFINISHED) && unlink(paths[i]))
            rc = errno;
    return rc ? failed(t->dir, rc) : FL_OK;
}

static fl_status write_in_place(target *t, const fc_build *b)
{
    static const char ours[] = "{\"format\": \"flec-build\"}\n";
    const char *manifest = fl_path_join(t->arena, t->dir, "MANIFEST"),
               *mark = fl_path_join(t->arena, t->dir, UNFINISHED);
    int rc = fl_write_file(mark, ours, sizeof ours - 1, 0644, true);
    rc = rc ? rc : unlink(manifest) && errno != ENOENT ? errno : fl_fsync_dir(t->dir);
    if (rc)
        return failed(t->dir, rc);
    fl_status st = remove_others(t, b);
    st = st ? st : write_all(t, b, t->dir);
    return st ? st : unlink(mark) ? failed(mark, errno) : FL_OK;
}

static fl_status replace(target *t, const fc_build *b)
{
    fl_status st = may_replace(t);
    if (st)
        return st;
    fl_remove_tree(t->next); /* of a build that was killed */
    st = write_all(t, b, t->next);
    if (!st) {
        int rc = swap_in(t);
        if (cannot_exchange(rc))
            st = write_in_place(t, b);
        else if (rc)
            st = failed(t->dir, rc);
    }
    fl_remove_tree(t->next);
    return st;
}

/* ---- one build at a time ---- */

/* The lock file goes away with its build, so a lock that was got on a file which is no longer there counts for nothing.
 */
static bool is_current(const target *t)
{
    struct stat a, b;
    return !fstat(t->lock, &a) && !stat(t->lock_path, &b) && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

static fl_status lock(target *t)
{
    int rc = fl_mkdirs(fl_path_dir(t->arena, t->dir), 0755);
    while (!rc) {
        rc = fl_lock_file(t->lock_path, &t->lock);
        if (rc || is_current(t))
            break;
        close(t->lock);
        t->lock = -1;
    }
    if (rc == EWOULDBLOCK) {
        fl_log(FL_LOG_ERROR, "%s: another build is writing there", t->shown);
        return FL_COULD_NOT_RUN;
    }
    return rc ? failed(t->lock_path, rc) : FL_OK;
}

/* The folder itself where dir is a link to it, since names are exchanged. */
static const char *real_dir(fl_arena *a, const char *dir)
{
    char *resolved = realpath(dir, NULL);
    if (!resolved && errno == ENOMEM)
        fl_no_memory();
    const char *tidy = fl_path_join(a, ".", resolved ? resolved : dir);
    free(resolved);
    return tidy;
}

fl_status fc_write(const fc_build *b, const char *dir)
{
    target t = {.arena = fl_arena_new(), .shown = dir, .lock = -1};
    t.dir = real_dir(t.arena, dir);
    const char *slash = strrchr(t.dir, '/'), *base = slash ? slash + 1 : t.dir;
    int head = (int)(base - t.dir);
    t.next = fl_printf(t.arena, "%.*s.%s.flec-new", head, t.dir, base);
    t.lock_path = fl_printf(t.arena, "%.*s.%s.flec-lock", head, t.dir, base);
    fl_status st = !*base || !strcmp(base, ".") || !strcmp(base, "..") ? FL_USAGE : FL_OK;
    if (st)
        fl_log(FL_LOG_ERROR, "%s cannot be replaced as a whole: name a folder", dir);
    st = st ? st : may_replace(&t); /* before the lock, which needs a right in the folder above; and again under it */
    st = st ? st : lock(&t);
    st = st ? st : replace(&t, b);
    if (t.lock >= 0) {
        unlink(t.lock_path);
        close(t.lock);
    }
    fl_arena_free(t.arena);
    return st;
}
