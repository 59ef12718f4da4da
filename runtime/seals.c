/* seals.c: seals counted a key, in the process and in a file.
 *
 * The file is a log of lines "ID +N" and "ID -N" under a first line that says what it is; a key's count is the sum.
 * Each line is written under a lock and synced before a seal of it is used. A line that a killed writer left unfinished
 * is skipped: nothing of it was used. A log that has grown is written anew beside itself and renamed; who has the old
 * one open sees that by its inode, with the lock. */
#include "runtime/seals.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEAD      "flec-seals 1\n"
#define MAX_FILE  ((size_t)64 << 20)
#define GROWN     ((size_t)256 << 10) /* written anew when it is opened next: some 5,000 reservations */
#define FIRST     ((uint64_t)1 << 12) /* a reservation in the file at least; the next ones of a process double */
#define LARGEST   ((uint64_t)1 << 24)
#define MAX_DELTA RT_SEALS_MAX

struct rt_seals {
    char id[RT_SEALS_ID];
    bool kept;       /* in the file, if there is one */
    uint64_t used;   /* by this process */
    uint64_t before; /* by those that it was forked from, as their file had it; it counts where this one has another */
    uint64_t reserved; /* by this process, in the file */
    uint64_t filed;    /* in the file, over all processes */
    uint64_t step;
    bool warned, refused;
};

static struct {
    pthread_mutex_t lock;
    fl_map *keys; /* kept ones under their id, others under "-" and their id */
    int fd;       /* -1: no file */
    char *path;
    size_t read;  /* bytes of the file that are in the counts */
    char *before; /* the path that the process had from which this one was forked, or NULL */
} all = {.lock = PTHREAD_MUTEX_INITIALIZER, .fd = -1};

void rt_seals_id(const void *raw, size_t n, char out[RT_SEALS_ID])
{
    static const char purpose[] = "flec seals";
    fl_secret s = fl_secret_new(sizeof purpose + n);
    char hex[65];
    memcpy(s.bytes, purpose, sizeof purpose);
    memcpy(s.bytes + sizeof purpose, raw, n);
    fl_sha256_hex(hex, s.bytes, s.len);
    fl_secret_free(&s);
    memcpy(out, hex, RT_SEALS_ID - 1);
    out[RT_SEALS_ID - 1] = 0;
}

static uint64_t count(const rt_seals *s);

static bool leave_to_parent(const char *name, void *value, void *ctx)
{
    rt_seals *s = value;
    if (!s->kept)
        return true;
    s->before = count(s);
    s->filed = s->reserved = s->used = 0;
    s->step = FIRST;
    return true;
}

static void before_fork(void)
{
    pthread_mutex_lock(&all.lock);
}

static void after_fork(void)
{
    pthread_mutex_unlock(&all.lock);
}

/* What is reserved in the file is the parent's, to use and to give back; so is its lock, which both would have. */
static void in_child(void)
{
    if (all.fd >= 0) {
        fl_map_each(all.keys, leave_to_parent, NULL);
        close(all.fd);
        all.before = all.path; /* one of an older process is lost: then its counts are taken twice, not never */
        all.path = NULL;
        all.fd = -1;
        all.read = 0;
    }
    after_fork();
}

static void notice_forks(void)
{
    if (pthread_atfork(before_fork, after_fork, in_child))
        fl_die(FL_COULD_NOT_RUN, "out of memory");
}

void rt_seals_forks(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, notice_forks);
}

static rt_seals *find(const char *id, bool kept)
{
    char name[RT_SEALS_ID + 1];
    snprintf(name, sizeof name, "%s%s", kept ? "" : "-", id);
    if (!all.keys)
        all.keys = fl_map_new();
    rt_seals *s = fl_map_get(all.keys, name);
    if (s)
        return s;
    s = fl_xcalloc(1, sizeof *s);
    memcpy(s->id, id, RT_SEALS_ID);
    s->kept = kept;
    s->step = FIRST;
    fl_map_put(all.keys, name, s);
    return s;
}

/* ---- the file ---- */

/* One line, without its end; what is none that is written here does not count. */
static void read_line(const char *p, size_t n)
{
    char id[RT_SEALS_ID], sign[2], line[64];
    uint64_t delta;
    if (n >= sizeof line)
        return;
    memcpy(line, p, n);
    line[n] = 0;
    if (sscanf(line, "%32[0-9a-f] %1[+-]%" SCNu64, id, sign, &delta) != 3 || strlen(id) != RT_SEALS_ID - 1 ||
        delta > MAX_DELTA)
        return;
    rt_seals *s = find(id, true);
    if (*sign == '+')
        s->filed = s->filed + delta > 2 * MAX_DELTA ? 2 * MAX_DELTA : s->filed + delta;
    else
        s->filed -= delta < s->filed ? delta : s->filed;
}

static int file_size(size_t *out)
{
    struct stat st;
    if (fstat(all.fd, &st))
        return errno;
    *out = (size_t)st.st_size;
    return *out > MAX_FILE ? EFBIG : 0;
}

/* Takes in what was written since the last look. With the lock of the file. */
static int catch_up(void)
{
    size_t size = 0, from = 0;
    int e = file_size(&size);
    if (e || size <= all.read)
        return e;
    char *text = fl_xmalloc(size - all.read);
    ssize_t got = TEMP_FAILURE_RETRY(pread(all.fd, text, size - all.read, (off_t)all.read));
    for (const char *end; got > 0 && (end = memchr(text + from, '\n', (size_t)got - from));
         from = (size_t)(end + 1 - text))
        read_line(text + from, (size_t)(end - text) - from);
    free(text);
    all.read += from;
    return got < 0 ? errno : 0;
}

static int append(const char *text, size_t n)
{
    ssize_t w = TEMP_FAILURE_RETRY(write(all.fd, text, n)); /* O_APPEND */
    if (w != (ssize_t)n)
        return w < 0 ? errno : ENOSPC;
    return TEMP_FAILURE_RETRY(fdatasync(all.fd)) ? errno : 0;
}

static bool forget_sum(const char *name, void *value, void *ctx)
{
    ((rt_seals *)value)->filed = 0;
    return true;
}

static int check_head(void)
{
    struct stat st;
    char head[sizeof HEAD];
    if (fstat(all.fd, &st))
        return errno;
    if (!S_ISREG(st.st_mode))
        return EINVAL;
    int e = st.st_size ? 0 : append(HEAD, sizeof HEAD - 1);
    if (e)
        return e;
    fl_map_each(all.keys, forget_sum, NULL);
    all.read = sizeof HEAD - 1;
    return pread(all.fd, head, sizeof HEAD - 1, 0) == sizeof HEAD - 1 && !memcmp(head, HEAD, sizeof HEAD - 1) ? 0
                                                                                                              : EINVAL;
}

static int open_file(void)
{
    if (all.fd >= 0)
        close(all.fd);
    all.fd = open(all.path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
    return all.fd < 0 ? errno : 0;
}

/* The lock of the file that stands under the path now, all of it counted. */
static int lock_file(bool fresh)
{
    for (;;) {
        struct stat here, there;
        if (TEMP_FAILURE_RETRY(flock(all.fd, LOCK_EX)) || fstat(all.fd, &here)) /* signals are not ours to end at */
            return errno;
        bool same = !stat(all.path, &there) && here.st_ino == there.st_ino && here.st_dev == there.st_dev;
        int e = same && fresh ? check_head() : 0;
        if (same)
            return e ? e : catch_up();
        fresh = true;
        if ((e = open_file()))
            return e;
    }
}

static void unlock_file(void)
{
    flock(all.fd, LOCK_UN);
}

/* "ID +N"; behind what a killed writer left unfinished, on a line of its own. */
static int write_delta(rt_seals *s, char sign, uint64_t delta)
{
    char line[80];
    size_t size = 0;
    int e = lock_file(false);
    if (!e)
        e = file_size(&size);
    int n = snprintf(line, sizeof line, "%s%s %c%" PRIu64 "\n", size > all.read ? "\n" : "", s->id, sign, delta);
    if (!e)
        e = append(line, (size_t)n);
    if (!e)
        e = catch_up();
    unlock_file();
    return e;
}

/* What all of them sealed: in the file, less what is reserved here and not used. */
static uint64_t count(const rt_seals *s)
{
    return (s->filed > s->reserved ? s->filed - s->reserved + s->used : s->used) + s->before;
}

static bool reserve(rt_seals *s, uint64_t need)
{
    uint64_t left = s->filed < RT_SEALS_MAX ? RT_SEALS_MAX - s->filed : 0, n = need > s->step ? need : s->step;
    n = n < left ? n : left;
    if (!n)
        return false;
    int e = write_delta(s, '+', n);
    if (e) {
        fl_log(FL_LOG_ERROR, "%s: seals cannot be counted (%s): nothing more is encrypted", all.path, strerror(e));
        return false;
    }
    s->reserved += n;
    s->step = s->step < LARGEST ? s->step * 2 : LARGEST;
    return s->filed <= RT_SEALS_MAX; /* others may have been quicker: then none of it is used */
}

typedef struct writing {
    FILE *f;
    int e;
} writing;

static bool write_sum(const char *name, void *value, void *ctx)
{
    const rt_seals *s = value;
    writing *w = ctx;
    if (s->kept && s->filed && fprintf(w->f, "%s +%" PRIu64 "\n", s->id, s->filed) < 0)
        w->e = errno ? errno : EIO;
    return !w->e;
}

/* With the lock: the same sums, a line each. A log that cannot be made anew stays as it is. */
static void tidy(void)
{
    size_t size = 0;
    char *beside = NULL;
    if (file_size(&size) || size < GROWN || asprintf(&beside, "%s.new", all.path) < 0)
        return;
    int fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    writing w = {.f = fd < 0 ? NULL : fdopen(fd, "w")};
    bool ok = w.f && fputs(HEAD, w.f) >= 0;
    if (ok)
        fl_map_each(all.keys, write_sum, &w);
    ok = ok && !w.e && !fflush(w.f) && !fsync(fd);
    if (w.f)
        fclose(w.f);
    else if (fd >= 0)
        close(fd);
    if (!ok || rename(beside, all.path))
        unlink(beside);
    free(beside);
}

typedef struct gathering {
    rt_seals **v;
    size_t n;
} gathering;

static bool gather_one(const char *name, void *value, void *ctx)
{
    gathering *g = ctx;
    if (((rt_seals *)value)->kept)
        g->v[g->n++] = value;
    return true;
}

/* Those of the file. They are gathered first: writing takes in what others wrote, and that may be of new keys. */
static gathering gather(void)
{
    gathering g = {.v = fl_xcalloc(fl_map_count(all.keys) + 1, sizeof(rt_seals *))};
    fl_map_each(all.keys, gather_one, &g);
    return g;
}

/* What the process sealed before it had a file goes into it. */
static int carry_over(void)
{
    int e = 0;
    gathering g = gather();
    bool parents = all.before && strcmp(all.before, all.path) == 0; /* what was before is in it */
    for (size_t i = 0; i < g.n && !e; i++) {
        g.v[i]->used += parents ? 0 : g.v[i]->before;
        g.v[i]->before = 0;
        g.v[i]->reserved = 0;
        if (g.v[i]->used && !(e = write_delta(g.v[i], '+', g.v[i]->used)))
            g.v[i]->reserved = g.v[i]->used;
    }
    free(g.v);
    return e;
}

static void give_back(void)
{
    gathering g = gather();
    for (size_t i = 0; i < g.n; i++) {
        rt_seals *s = g.v[i];
        if (s->reserved > s->used)
            write_delta(s, '-', s->reserved - s->used);
        s->filed = s->reserved = s->used = 0; /* it is all in the file */
        s->step = FIRST;
    }
    free(g.v);
}

static void leave_file(void)
{
    if (all.fd >= 0)
        close(all.fd);
    free(all.path);
    all.path = NULL;
    all.fd = -1;
    all.read = 0;
}

rt_code rt_seals_keep(const char *path, rt_error *err)
{
    rt_seals_forks();
    pthread_mutex_lock(&all.lock);
    if (all.fd >= 0)
        give_back();
    leave_file();
    if (!all.keys)
        all.keys = fl_map_new();
    all.path = fl_xstrdup(path);
    int e = open_file();
    if (!e)
        e = lock_file(true);
    if (!e)
        tidy();
    if (all.fd >= 0)
        unlock_file();
    if (!e)
        e = carry_over();
    rt_code code = !e            ? RT_OK
                   : e == EINVAL ? rt_fail(err, RT_IO, "%s: no file of counted seals", path)
                                 : rt_fail(err, RT_IO, "%s: seals cannot be counted: %s", path, strerror(e));
    if (e)
        leave_file();
    pthread_mutex_unlock(&all.lock);
    return code;
}

void rt_seals_close(void)
{
    pthread_mutex_lock(&all.lock);
    if (all.fd >= 0)
        give_back();
    leave_file();
    pthread_mutex_unlock(&all.lock);
}

/* ---- counting ---- */

rt_seals *rt_seals_of(const char *id, bool kept)
{
    pthread_mutex_lock(&all.lock);
    rt_seals *s = find(id, kept);
    pthread_mutex_unlock(&all.lock);
    return s;
}

static void say(rt_seals *s, const char *what)
{
    what = what ? what : "a data key";
    if (!s->warned && count(s) >= RT_SEALS_WARN) {
        s->warned = true;
        fl_log(FL_LOG_WARN,
               "%s: 2^31 fields were encrypted under it; at 2^32 it is refused: set encrypt.dek.expiry.days", what);
    }
    if (!s->refused && count(s) >= RT_SEALS_MAX) {
        s->refused = true;
        fl_log(FL_LOG_ERROR, "%s: 2^32 fields were encrypted under it: no more, since random IVs could meet", what);
    }
}

uint32_t rt_seals_take(rt_seals *s, uint32_t n, const char *what)
{
    pthread_mutex_lock(&all.lock);
    uint64_t left = count(s) < RT_SEALS_MAX ? RT_SEALS_MAX - count(s) : 0;
    n = n < left ? n : (uint32_t)left;
    if (all.fd >= 0 && s->kept && n && s->used + n > s->reserved && !reserve(s, s->used + n - s->reserved))
        n = s->filed <= RT_SEALS_MAX && s->used < s->reserved ? (uint32_t)(s->reserved - s->used) : 0;
    if (all.fd >= 0 && s->kept && s->used + n > s->reserved)
        n = (uint32_t)(s->reserved - s->used);
    s->used += n;
    say(s, what);
    pthread_mutex_unlock(&all.lock);
    return n;
}

void rt_seals_return(rt_seals *s, uint32_t n)
{
    pthread_mutex_lock(&all.lock);
    s->used -= n < s->used ? n : s->used;
    pthread_mutex_unlock(&all.lock);
}

uint64_t rt_seals_count(const rt_seals *s)
{
    pthread_mutex_lock(&all.lock);
    uint64_t n = count(s);
    pthread_mutex_unlock(&all.lock);
    return n;
}
