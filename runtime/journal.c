/* journal.c: the log behind file://DIR. Its form and what damage means: journal.h. */
#include "runtime/journal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { HEADER = 64, CHECK = 16, FORMAT = 3, OLDEST = 1, SECRET = 32, BLOCK = 1 << 20 };

typedef struct file_journal {
    rt_journal journal;
    char *dir, *log, *fresh, *key; /* paths; fresh: the log that is to take log's place */
    int fd, lock;
    size_t end;    /* of the last record */
    size_t marked; /* up to which records are durable */
} file_journal;

/* ---- checks and the header ---- */

/* First 16 hex digits of SHA-256 of `place`, ':' and the bytes. */
static void check_of(size_t place, const char *p, size_t n, char out[CHECK + 1])
{
    char hex[65];
    fl_buf b;
    fl_buf_init(&b, n + 32);
    fl_buf_addf(&b, "%zu:", place);
    fl_buf_add(&b, p, n);
    fl_sha256_hex(hex, b.p, b.len);
    fl_buf_free(&b);
    memcpy(out, hex, CHECK);
    out[CHECK] = 0;
}

static void print_header(int format, size_t mark, char out[HEADER + 1])
{
    char check[CHECK + 1];
    check_of(mark, "mark", 4, check);
    int n = snprintf(out, HEADER + 1, "flec-registry %d committed %016zu %s", format, mark, check);
    memset(out + n, ' ', (size_t)(HEADER - n));
    out[HEADER - 1] = '\n';
    out[HEADER] = 0;
}

/* The mark in a header; false if the header is not exactly one that we write. */
static bool read_mark(const char *header, size_t *mark)
{
    char expect[HEADER + 1];
    int format;
    if (sscanf(header, "flec-registry %1d committed %16zu ", &format, mark) != 2)
        return false;
    print_header(format, *mark, expect);
    return memcmp(header, expect, HEADER) == 0;
}

static rt_code check_format(const file_journal *j, const char *text, size_t size, rt_error *err)
{
    static const char magic[] = "flec-registry ";
    if (size < HEADER || memcmp(text, magic, sizeof magic - 1) != 0)
        return rt_fail(err, RT_IO, "%s is no registry of flec", j->log);
    long format = strtol(text + sizeof magic - 1, NULL, 10);
    if (format > FORMAT)
        return rt_fail(err, RT_IO, "%s is a registry of format %ld; this flec reads format %d: use a newer flec",
                       j->log, format, FORMAT);
    if (format < OLDEST)
        return rt_fail(err, RT_IO, "%s: its header is damaged: it names no format", j->log);
    return RT_OK;
}

/* ---- writing ---- */

static int put_all(int fd, const char *p, size_t n, size_t at)
{
    while (n) {
        ssize_t w = pwrite(fd, p, n, (off_t)at);
        if (w < 0 && errno == EINTR)
            continue;
        if (w <= 0)
            return w < 0 ? errno : EIO;
        p += w;
        n -= (size_t)w;
        at += (size_t)w;
    }
    return 0;
}

static int put_mark(file_journal *j, size_t mark)
{
    char header[HEADER + 1];
    print_header(FORMAT, mark, header);
    return put_all(j->fd, header, HEADER, 0);
}

static rt_code give_up(file_journal *j, const char *doing, int e, rt_error *err)
{
    j->journal.broken = true;
    return rt_fail(err, RT_IO, "%s: %s: %s; nothing more is written: free space or repair the disk, then start again",
                   j->log, doing, strerror(e));
}

static rt_code flush(rt_journal *journal, rt_error *err)
{
    file_journal *j = (file_journal *)journal;
    if (j->journal.broken)
        return rt_fail(err, RT_IO, "%s: an earlier write failed; start again", j->log);
    if (j->marked == j->end)
        return RT_OK;
    if (fdatasync(j->fd))
        return give_up(j, "cannot sync", errno, err);
    int e = put_mark(j, j->end);
    if (e)
        return give_up(j, "cannot write", e, err);
    j->marked = j->end;
    j->journal.pending = false;
    return RT_OK;
}

static rt_code write_line(file_journal *j, const fl_buf *line, rt_error *err)
{
    int e = put_all(j->fd, line->p, line->len, j->end);
    if (e && ftruncate(j->fd, (off_t)j->end) == 0)
        return rt_fail(err, RT_IO, "%s: cannot write: %s", j->log, strerror(e));
    if (e)
        return give_up(j, "cannot write", e, err);
    j->end += line->len;
    j->journal.pending = j->journal.deferred;
    if (j->journal.deferred)
        return RT_OK;
    rt_code code = flush(&j->journal, err);
    if (code != RT_OK)
        j->end -= line->len;
    return code;
}

/* One line, that is to stand at `at`. */
static void add_line(fl_buf *line, size_t at, const char *record, size_t n)
{
    char check[CHECK + 1];
    check_of(at, record, n, check);
    fl_buf_adds(line, check);
    fl_buf_addc(line, ' ');
    fl_buf_add(line, record, n);
    fl_buf_addc(line, '\n');
}

static rt_code append(rt_journal *journal, const char *record, size_t n, rt_error *err)
{
    file_journal *j = (file_journal *)journal;
    fl_buf line;
    if (j->journal.broken)
        return rt_fail(err, RT_IO, "%s: an earlier write failed; start again", j->log);
    if (j->end + n + CHECK + 2 > RT_LOG_MAX)
        return rt_fail(err, RT_IO, "%s: the registry is full: its log may hold %zu bytes", j->log, RT_LOG_MAX);
    fl_buf_init(&line, n + CHECK + 2);
    add_line(&line, j->end, record, n);
    rt_code code = write_line(j, &line, err);
    fl_buf_free(&line);
    return code;
}

/* ---- writing it anew ---- */

typedef struct copy {
    int fd, error;
    fl_buf block; /* what is not written yet */
    size_t end;   /* with it */
} copy;

static bool put_block(copy *c)
{
    c->error = put_all(c->fd, c->block.p, c->block.len, c->end - c->block.len);
    fl_buf_wipe(&c->block);
    fl_buf_init(&c->block, RT_LOG_MAX);
    return !c->error;
}

static bool copy_record(const char *record, size_t n, void *ctx)
{
    copy *c = ctx;
    if (c->end + n + CHECK + 2 > RT_LOG_MAX) {
        c->error = EFBIG;
        return false;
    }
    add_line(&c->block, c->end, record, n);
    c->end += n + CHECK + 2;
    return c->block.len < BLOCK || put_block(c);
}

/* The whole of a log, synced. 0, or an errno. */
static int write_copy(copy *c, const rt_store *st)
{
    char header[HEADER + 1];
    c->end = HEADER;
    fl_buf_init(&c->block, RT_LOG_MAX);
    if (rt_store_records(st, copy_record, c))
        put_block(c);
    fl_buf_wipe(&c->block);
    print_header(FORMAT, c->end, header);
    if (!c->error)
        c->error = put_all(c->fd, header, HEADER, 0);
    if (!c->error && fsync(c->fd))
        c->error = errno;
    return c->error;
}

/* Does the path still lead to the file that is written to? */
static bool still_there(const file_journal *j)
{
    struct stat a, b;
    return !fstat(j->fd, &a) && !lstat(j->log, &b) && a.st_ino == b.st_ino && a.st_dev == b.st_dev;
}

static void adopt(file_journal *j, const copy *c)
{
    close(j->fd);
    j->fd = c->fd;
    j->end = j->marked = c->end;
    j->journal.pending = false;
}

static rt_code rewrite(rt_journal *journal, const rt_store *st, rt_error *err)
{
    file_journal *j = (file_journal *)journal;
    copy c = {.fd = open(j->fresh, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600)};
    int e = c.fd < 0 ? errno : write_copy(&c, st);
    if (!e && rename(j->fresh, j->log))
        e = errno;
    if (!e) {
        adopt(j, &c);
        e = fl_fsync_dir(j->dir); /* until then a loss of power brings the old log back */
        return e ? give_up(j, "cannot sync the folder", e, err) : RT_OK;
    }
    if (c.fd >= 0) {
        close(c.fd);
        unlink(j->fresh);
    }
    if (!still_there(j))
        return give_up(j, "cannot be replaced", e, err);
    return rt_fail(err, RT_IO, "%s: cannot write it anew: %s", j->log, strerror(e));
}

/* ---- reading ---- */

/* The record at `at`: its JSON, and where the next one begins. False: damaged, or not whole. */
static bool next_line(const char *text, size_t size, size_t at, const char **json, size_t *n, size_t *next)
{
    const char *line = text + at, *end = memchr(line, '\n', size - at);
    char check[CHECK + 1];
    if (!end || (size_t)(end - line) < CHECK + 3 || line[CHECK] != ' ')
        return false;
    *json = line + CHECK + 1;
    *n = (size_t)(end - *json);
    *next = (size_t)(end - text) + 1;
    check_of(at, *json, *n, check);
    return memcmp(check, line, CHECK) == 0;
}

/* What stands after the mark was never acknowledged: a crash cut the write short. */
static rt_code cut_tail(file_journal *j, size_t at, size_t size, rt_error *err)
{
    if (ftruncate(j->fd, (off_t)at) || fdatasync(j->fd))
        return rt_fail(err, RT_IO, "%s: cannot cut off an unfinished write: %s", j->log, strerror(errno));
    fl_log(FL_LOG_WARN, "%s: cut off %zu bytes of a write that was interrupted and never acknowledged", j->log,
           size - at);
    return RT_OK;
}

static rt_code damaged(const file_journal *j, size_t at, const char *how, rt_error *err)
{
    return rt_fail(err, RT_IO, "%s is damaged at byte %zu: %s; it was left as it is: restore it from a copy", j->log,
                   at, how);
}

static rt_code replay(file_journal *j, const char *text, size_t size, rt_store *into, rt_error *err)
{
    rt_error why;
    size_t at = HEADER, mark = 0, n, next;
    const char *json;
    bool marked = read_mark(text, &mark), met = !marked;
    for (; at < size && next_line(text, size, at, &json, &n, &next); at = next) {
        met |= at == mark;
        if (rt_store_apply(into, json, n, &why) != RT_OK)
            return damaged(j, at, why.message, err);
    }
    met |= at == mark;
    if (marked && mark > size)
        return damaged(j, size, "it is shorter than what was acknowledged", err);
    if (at < size && (!marked || at < mark))
        return damaged(j, at, "a record that was acknowledged does not match its check", err);
    if (!met)
        return damaged(j, mark, "its mark is not between two records", err);
    j->end = j->marked = at;
    rt_code code = at < size ? cut_tail(j, at, size, err) : RT_OK;
    int e = code == RT_OK ? put_mark(j, at) : 0;
    return e ? rt_fail(err, RT_IO, "%s: cannot write: %s", j->log, strerror(e)) : code;
}

static rt_code read_into(const file_journal *j, char *text, size_t size, rt_error *err)
{
    for (size_t got = 0; got < size;) {
        ssize_t r = pread(j->fd, text + got, size - got, (off_t)got);
        if (r < 0 && errno == EINTR)
            continue;
        if (r <= 0)
            return rt_fail(err, RT_IO, "%s: cannot read: %s", j->log, r ? strerror(errno) : "it ends early");
        got += (size_t)r;
    }
    return RT_OK;
}

static rt_code load(file_journal *j, rt_store *into, rt_error *err)
{
    struct stat st;
    j->fd = open(j->log, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (j->fd < 0 || fstat(j->fd, &st))
        return rt_fail(err, RT_IO, "%s: %s", j->log, strerror(errno));
    if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size > RT_LOG_MAX)
        return rt_fail(err, RT_IO, "%s: it is no file, or larger than %zu bytes", j->log, RT_LOG_MAX);
    if (st.st_mode & 077)
        fl_log(FL_LOG_WARN, "%s: other users may read or write it (mode %03o); make it 600", j->log,
               (unsigned)st.st_mode & 0777);
    size_t size = (size_t)st.st_size;
    char *text = fl_xmalloc(size + 1);
    text[size] = 0;
    rt_code code = read_into(j, text, size, err);
    if (code == RT_OK)
        code = check_format(j, text, size, err);
    if (code == RT_OK)
        code = replay(j, text, size, into, err);
    free(text);
    return code;
}

/* ---- the stand-in secret ---- */

static rt_code load_secret(rt_journal *journal, fl_secret *out, rt_error *err)
{
    file_journal *j = (file_journal *)journal;
    int fd = open(j->key, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 && errno == ENOENT)
        return RT_OK;
    if (fd < 0)
        return rt_fail(err, RT_IO, "%s: %s", j->key, strerror(errno));
    fl_secret s = fl_secret_new(SECRET + 1); /* one more, to see that the file is not longer */
    ssize_t n = read(fd, s.bytes, s.len);
    close(fd);
    if (n == SECRET)
        *out = fl_secret_copy(s.bytes, SECRET);
    fl_secret_free(&s);
    return n == SECRET ? RT_OK : rt_fail(err, RT_IO, "%s is damaged: it must have %d bytes", j->key, SECRET);
}

static rt_code save_secret(rt_journal *journal, const fl_secret *s, rt_error *err)
{
    file_journal *j = (file_journal *)journal;
    int e = fl_write_file(j->key, s->bytes, s->len, 0600, true);
    if (!e)
        e = fl_fsync_dir(j->dir);
    return e ? rt_fail(err, RT_IO, "%s: cannot write: %s", j->key, strerror(e)) : RT_OK;
}

/* ---- opening ---- */

static bool begins(const char *s, const char *prefix)
{
    return !strncmp(s, prefix, strlen(prefix));
}

/* What may lie in a folder in which a registry was being made when the power went. */
static bool ours(const char *name)
{
    return !strcmp(name, ".") || !strcmp(name, "..") || !strcmp(name, "lock") || begins(name, "registry.log");
}

/* A folder without a log must hold nothing else: no registry is made in somebody's home by a slip. */
static rt_code check_folder(const file_journal *j, rt_error *err)
{
    rt_code code = RT_OK;
    DIR *d;
    if (fl_exists(j->log) || !fl_exists(j->dir))
        return RT_OK;
    if (!(d = opendir(j->dir)))
        return rt_fail(err, RT_IO, "%s: %s", j->dir, strerror(errno));
    for (const struct dirent *e; code == RT_OK && (e = readdir(d));)
        if (!ours(e->d_name))
            code = rt_fail(
                err, RT_IO,
                "%s is no registry (it has no registry.log) and holds other things, such as %s; name an empty folder",
                j->dir, e->d_name);
    closedir(d);
    return code;
}

/* A folder that is new is durable with the entry in the one above it. */
static int make_folder(const char *dir)
{
    fl_arena *a = fl_arena_new();
    const char *there = dir;
    while (!fl_exists(there) && strcmp(there, fl_path_dir(a, there)) != 0)
        there = fl_path_dir(a, there);
    int e = fl_mkdirs(dir, 0700);
    for (const char *at = dir; !e && strcmp(at, there) != 0;) {
        at = fl_path_dir(a, at);
        e = fl_fsync_dir(at);
    }
    fl_arena_free(a);
    return e;
}

static rt_code take_lock(file_journal *j, rt_error *err)
{
    char *path = NULL;
    int e = make_folder(j->dir);
    if (e)
        return rt_fail(err, RT_IO, "%s: cannot make the folder: %s", j->dir, strerror(e));
    if (asprintf(&path, "%s/lock", j->dir) < 0)
        return rt_fail(err, RT_IO, "out of memory");
    e = fl_lock_file(path, &j->lock);
    free(path);
    if (e == EWOULDBLOCK)
        return rt_fail(err, RT_IO, "registry file://%s: another process has it open", j->dir);
    return e ? rt_fail(err, RT_IO, "%s/lock: %s", j->dir, strerror(e)) : RT_OK;
}

static rt_code make_log(file_journal *j, rt_error *err)
{
    char header[HEADER + 1];
    unlink(j->fresh); /* a crash may have left one; the log is whole without it */
    if (fl_exists(j->log))
        return RT_OK;
    print_header(FORMAT, HEADER, header);
    int e = fl_write_file(j->log, header, HEADER, 0600, true);
    if (!e)
        e = fl_fsync_dir(j->dir);
    return e ? rt_fail(err, RT_IO, "%s: cannot write: %s", j->log, strerror(e)) : RT_OK;
}

static void journal_close(rt_journal *journal)
{
    file_journal *j = (file_journal *)journal;
    if (j->fd >= 0)
        close(j->fd);
    if (j->lock >= 0)
        close(j->lock);
    free(j->dir);
    free(j->log);
    free(j->fresh);
    free(j->key);
    free(j);
}

rt_code rt_journal_open(const char *dir, rt_store *into, rt_error *err)
{
    file_journal *j = fl_xcalloc(1, sizeof *j);
    j->journal = (rt_journal){.append = append,
                              .flush = flush,
                              .load_secret = load_secret,
                              .save_secret = save_secret,
                              .rewrite = rewrite,
                              .close = journal_close};
    j->fd = j->lock = -1;
    j->dir = fl_xstrdup(dir);
    into->journal = &j->journal; /* the store closes it, also after a failure */
    if (asprintf(&j->log, "%s/registry.log", dir) < 0 || asprintf(&j->fresh, "%s/registry.log.new", dir) < 0 ||
        asprintf(&j->key, "%s/stand-in.key", dir) < 0)
        return rt_fail(err, RT_IO, "out of memory");
    rt_code code = check_folder(j, err);
    if (code == RT_OK)
        code = take_lock(j, err);
    if (code == RT_OK)
        code = make_log(j, err);
    return code == RT_OK ? load(j, into, err) : code;
}
