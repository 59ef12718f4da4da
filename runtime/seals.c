/* seals.c: seals counted a key, in the process and in a file.
 *
 * The file is a log of lines "ID +N" and "ID -N" under a first line that says what it is; a key's count is the sum.
 * Each line is written under a lock and synced before a seal of it is used. A line that a killed writer left unfinished
 * is skipped: nothing of it was used. */
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
#define MAX_FILE  ((size_t)16 << 20)  /* 300,000 reservations */
#define FIRST     ((uint64_t)1 << 12) /* a reservation in the file; the next ones of a process double */
#define LARGEST   ((uint64_t)1 << 24)
#define MAX_DELTA RT_SEALS_MAX

struct rt_seals {
    char id[RT_SEALS_ID];
    uint64_t used;     /* by this process */
    uint64_t reserved; /* by this process, in the file */
    uint64_t others;   /* in the file, of all but what this process has reserved */
    uint64_t step;
    bool warned, refused;
};

static struct {
    pthread_mutex_t lock;
    fl_map *keys;
    int fd; /* -1: no file */
    char *path;
    size_t read; /* bytes of the file that are in the counts */
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

static rt_seals *find(const char *id)
{
    if (!all.keys)
        all.keys = fl_map_new();
    rt_seals *s = fl_map_get(all.keys, id);
    if (s)
        return s;
    s = fl_xcalloc(1, sizeof *s);
    memcpy(s->id, id, RT_SEALS_ID);
    s->step = FIRST;
    fl_map_put(all.keys, s->id, s);
    return s;
}

/* ---- the file ---- */

/* One line, without its end. false: none that is written here. */
static bool read_line(const char *p, size_t n)
{
    char id[RT_SEALS_ID], sign;
    uint64_t delta;
    char line[64];
    if (n >= sizeof line)
        return false;
    memcpy(line, p, n);
    line[n] = 0;
    if (sscanf(line, "%32[0-9a-f] %1[+-]%" SCNu64, id, &sign, &delta) != 3 || strlen(id) != RT_SEALS_ID - 1 ||
        delta > MAX_DELTA)
        return false;
    rt_seals *s = find(id);
    if (sign == '+')
        s->others = s->others + delta > 2 * MAX_DELTA ? 2 * MAX_DELTA : s->others + delta;
    else
        s->others -= delta < s->others ? delta : s->others;
    return true;
}

/* Takes in what others wrote since the last look; with the lock of the file. */
static int catch_up(void)
{
    struct stat st;
    if (fstat(all.fd, &st))
        return errno;
    if ((size_t)st.st_size > MAX_FILE)
        return EFBIG;
    size_t n = (size_t)st.st_size - (all.read < (size_t)st.st_size ? all.read : (size_t)st.st_size), from = 0;
    char *text = fl_xmalloc(n + 1);
    ssize_t got = pread(all.fd, text, n, (off_t)all.read);
    for (const char *end; got > 0 && (end = memchr(text + from, '\n', (size_t)got - from));
         from = (size_t)(end + 1 - text))
        read_line(text + from, (size_t)(end - text) - from);
    free(text);
    all.read += from;
    return got < 0 ? errno : 0;
}

static int append(const char *text, size_t n)
{
    ssize_t w = write(all.fd, text, n); /* O_APPEND */
    if (w != (ssize_t)n)
        return w < 0 ? errno : ENOSPC;
    return fdatasync(all.fd) ? errno : 0;
}

/* "ID +N"; behind what a killed writer left unfinished, on a line of its own. */
static int write_delta(rt_seals *s, char sign, uint64_t delta)
{
    char line[80];
    struct stat st;
    if (flock(all.fd, LOCK_EX))
        return errno;
    int e = catch_up();
    if (!e && fstat(all.fd, &st))
        e = errno;
    bool torn = !e && (size_t)st.st_size > all.read;
    int n = snprintf(line, sizeof line, "%s%s %c%" PRIu64 "\n", torn ? "\n" : "", s->id, sign, delta);
    if (!e)
        e = append(line, (size_t)n);
    if (!e)
        all.read = (size_t)st.st_size + (size_t)n;
    flock(all.fd, LOCK_UN);
    return e;
}

static bool reserve(rt_seals *s)
{
    uint64_t left = RT_SEALS_MAX - (s->others + s->reserved < RT_SEALS_MAX ? s->others + s->reserved : RT_SEALS_MAX);
    uint64_t n = s->step < left ? s->step : left;
    if (!n)
        return false;
    int e = write_delta(s, '+', n);
    if (e) {
        fl_log(FL_LOG_ERROR, "%s: seals cannot be counted (%s): nothing more is encrypted", all.path, strerror(e));
        return false;
    }
    s->reserved += n;
    s->step = s->step < LARGEST ? s->step * 2 : LARGEST;
    return s->others + s->reserved <= RT_SEALS_MAX; /* others may have been quicker: then none of it is used */
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
    all.read = sizeof HEAD - 1;
    return pread(all.fd, head, sizeof HEAD - 1, 0) == sizeof HEAD - 1 && !memcmp(head, HEAD, sizeof HEAD - 1) ? 0
                                                                                                              : EINVAL;
}

/* What the process sealed before it had a file goes into it. */
static bool carry_over(const char *id, void *value, void *ctx)
{
    rt_seals *s = value;
    int *e = ctx;
    s->others = s->reserved = 0;
    if (s->used && !*e && !(*e = write_delta(s, '+', s->used)))
        s->reserved = s->used;
    return true;
}

static bool forget_file(const char *id, void *value, void *ctx)
{
    rt_seals *s = value;
    if (s->reserved > s->used && all.fd >= 0 && !*(int *)ctx)
        *(int *)ctx = write_delta(s, '-', s->reserved - s->used);
    s->others = s->reserved = s->used = 0; /* it is all in the file */
    s->step = FIRST;
    return true;
}

static void close_file(void)
{
    int e = 0;
    if (all.fd < 0)
        return;
    fl_map_each(all.keys, forget_file, &e);
    close(all.fd);
    free(all.path);
    all.path = NULL;
    all.fd = -1;
    all.read = 0;
}

rt_code rt_seals_keep(const char *path, rt_error *err)
{
    int e = 0;
    pthread_mutex_lock(&all.lock);
    close_file();
    if (!all.keys)
        all.keys = fl_map_new();
    all.fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
    all.path = fl_xstrdup(path);
    e = all.fd < 0 || flock(all.fd, LOCK_EX) ? errno : check_head();
    if (all.fd >= 0)
        flock(all.fd, LOCK_UN);
    if (!e)
        fl_map_each(all.keys, carry_over, &e);
    if (!e && !(e = flock(all.fd, LOCK_EX) ? errno : catch_up()))
        flock(all.fd, LOCK_UN);
    rt_code code = !e            ? RT_OK
                   : e == EINVAL ? rt_fail(err, RT_IO, "%s: no file of counted seals", path)
                                 : rt_fail(err, RT_IO, "%s: seals cannot be counted: %s", path, strerror(e));
    if (e && all.fd >= 0)
        close(all.fd);
    if (e) {
        free(all.path);
        all.path = NULL;
        all.fd = -1;
    }
    pthread_mutex_unlock(&all.lock);
    return code;
}

void rt_seals_close(void)
{
    pthread_mutex_lock(&all.lock);
    close_file();
    pthread_mutex_unlock(&all.lock);
}

/* ---- counting ---- */

rt_seals *rt_seals_of(const char *id)
{
    pthread_mutex_lock(&all.lock);
    rt_seals *s = find(id);
    pthread_mutex_unlock(&all.lock);
    return s;
}

static uint64_t count(const rt_seals *s)
{
    return s->others + s->used;
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
    while (all.fd >= 0 && n && s->used + n > s->reserved)
        if (!reserve(s))
            n = s->others + s->reserved <= RT_SEALS_MAX && s->used < s->reserved ? (uint32_t)(s->reserved - s->used)
                                                                                 : 0;
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
