/* journal_test.c: what file://DIR survives: kills at any moment, writes cut short at any byte, any flipped bit, a full
 * disk, a second process, formats of the future. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/registry.h"

enum { HEADER = 64, LOG_ROOM = 1 << 20 };

static char top[64], dir[80], url[96], log_path[96];
static rt_error err;
static rt_registry *r;
static fl_arena *a;

static int setup(void **state)
{
    strcpy(top, "/tmp/flec-journal-XXXXXX");
    assert_non_null(mkdtemp(top));
    snprintf(dir, sizeof dir, "%s/r", top);
    snprintf(url, sizeof url, "file://%s", dir);
    snprintf(log_path, sizeof log_path, "%s/registry.log", dir);
    a = fl_arena_new();
    return 0;
}

static int teardown(void **state)
{
    fl_arena_free(a);
    fl_remove_tree(top);
    return 0;
}

static rt_code open_it(void)
{
    return rt_registry_open(url, NULL, &r, &err);
}

static void must_open(void)
{
    if (open_it() != RT_OK)
        fail_msg("%s", err.message);
}

static void refused(const char *why)
{
    assert_int_equal(open_it(), RT_IO);
    if (!strstr(err.message, why))
        fail_msg("\"%s\" does not say \"%s\"", err.message, why);
}

static rt_code add_kek(int i)
{
    char name[32];
    snprintf(name, sizeof name, "k%d", i);
    rt_kek k = {.name = name, .kms_type = "local-kms", .kms_key_id = "x"};
    return r->ops->create_kek(r, &k, &err);
}

static bool has_kek(int i)
{
    char name[32];
    rt_kek k;
    snprintf(name, sizeof name, "k%d", i);
    return r->ops->get_kek(r, a, name, false, &k, NULL) == RT_OK;
}

static size_t load(char *buf)
{
    int fd = open(log_path, O_RDONLY);
    assert_true(fd >= 0);
    ssize_t n = read(fd, buf, LOG_ROOM);
    close(fd);
    assert_true(n >= HEADER && n < LOG_ROOM);
    return (size_t)n;
}

static void store(const char *buf, size_t n)
{
    int fd = open(log_path, O_WRONLY | O_TRUNC | O_CREAT, 0600);
    assert_true(fd >= 0 && write(fd, buf, n) == (ssize_t)n);
    close(fd);
}

/* ---- who may open it ---- */

static void locked(void **state)
{
    rt_registry *second;
    must_open();
    assert_int_equal(rt_registry_open(url, NULL, &second, &err), RT_IO);
    assert_non_null(strstr(err.message, "another process"));
    rt_registry_close(r);
    must_open();
    rt_registry_close(r);
}

static unsigned mode_of(const char *path)
{
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    return st.st_mode & 0777;
}

static void permissions(void **state)
{
    char key[120];
    rt_kek k = {.name = "s", .kms_type = "aws-kms", .kms_key_id = "arn:aws:kms:x", .shared = true};
    rt_dek d = {.kek = "s", .subject = "t", .alg = RT_AES256_GCM}, out;
    mode_t old = umask(0);
    must_open();
    snprintf(key, sizeof key, "%s/stand-in.key", dir);
    assert_int_equal(access(key, F_OK), -1); /* not before it is needed */
    assert_int_equal(r->ops->create_kek(r, &k, &err), RT_OK);
    assert_int_equal(r->ops->create_dek(r, a, &d, &out, &err), RT_OK);
    fl_secret_free(&out.material);
    rt_registry_close(r);
    umask(old);
    assert_int_equal(mode_of(dir), 0700);
    assert_int_equal(mode_of(log_path), 0600);
    assert_int_equal(mode_of(key), 0600);
}

/* Keys of shared KEKs are lost without the stand-in's secret: said, and no other one made in its place. */
static void stand_in_missing(void **state)
{
    char key[120];
    permissions(state);
    snprintf(key, sizeof key, "%s/stand-in.key", dir);
    assert_int_equal(unlink(key), 0);
    rt_dek d = {.kek = "s", .subject = "u", .alg = RT_AES256_GCM}, out;
    must_open();
    assert_int_equal(r->ops->get_dek(r, a, "s", "t", RT_AES256_GCM, 1, false, &out, &err), RT_NO_KEY);
    assert_non_null(strstr(err.message, "stand-in.key is missing"));
    assert_int_equal(r->ops->create_dek(r, a, &d, &out, &err), RT_NO_KEY);
    assert_int_equal(access(key, F_OK), -1);
    rt_registry_close(r);
}

static void foreign_folder(void **state)
{
    char path[120];
    assert_int_equal(mkdir(dir, 0700), 0);
    snprintf(path, sizeof path, "%s/thesis.txt", dir);
    int fd = open(path, O_CREAT | O_WRONLY, 0600);
    assert_true(fd >= 0);
    close(fd);
    refused("thesis.txt");
    snprintf(path, sizeof path, "%s/lock", dir);
    assert_int_equal(access(path, F_OK), -1); /* and nothing was left there */
}

/* A log of the first format has fewer kinds of records and the same form: it is taken over by a new header. */
static void migration(void **state)
{
    static char buf[LOG_ROOM];
    must_open();
    assert_int_equal(add_kek(1), RT_OK);
    rt_registry_close(r);
    size_t n = load(buf);
    assert_memory_equal(buf, "flec-registry 3 ", 16);
    buf[14] = '1'; /* the check is of the mark alone */
    store(buf, n);
    must_open();
    assert_true(has_kek(1));
    assert_int_equal(add_kek(2), RT_OK);
    rt_registry_close(r);
    load(buf);
    assert_memory_equal(buf, "flec-registry 3 ", 16);
    must_open();
    assert_true(has_kek(1) && has_kek(2));
    rt_registry_close(r);
}

static void formats(void **state)
{
    must_open();
    rt_registry_close(r);
    char buf[HEADER];
    memcpy(buf, "flec-registry 4 committed 0000000000000064 whatever                                       ", HEADER);
    store(buf, HEADER);
    refused("format 4; this flec reads format 3");
    store("flec-registry 4711", 18);
    refused("no registry of flec");
    store("PK\3\4...................................................................", HEADER);
    refused("no registry of flec");
    store("", 0);
    refused("no registry of flec");
    unlink(log_path);
    assert_int_equal(symlink("/etc/hostname", log_path), 0);
    refused("registry.log");
}

/* ---- kills ---- */

/* Opens, then writes without end, and tells the parent each number once it is acknowledged. */
static void writer(int out, int from)
{
    if (open_it() != RT_OK)
        _exit(3);
    for (int i = from;; i++) {
        rt_subject s = {
            .subject = "s", .schema = "\"string\"", .metadata = fl_printf(a, "{\"properties\":{\"n\":\"%d\"}}", i)};
        if (add_kek(i) != RT_OK || r->ops->register_subject(r, a, &s, &err) != RT_OK ||
            write(out, &i, sizeof i) != sizeof i)
            _exit(4);
    }
}

static int read_acknowledged(int in, int last)
{
    int i;
    while (read(in, &i, sizeof i) == sizeof i)
        last = i;
    return last;
}

/* settled: not before the first write is acknowledged, however slow the machine is. */
static int run_and_kill(int from, bool settled, unsigned microseconds)
{
    int p[2], status, last = from - 1;
    assert_int_equal(pipe(p), 0);
    pid_t pid = fork();
    if (pid == 0) {
        close(p[0]);
        writer(p[1], from);
    }
    close(p[1]);
    if (settled)
        assert_int_equal(read(p[0], &last, sizeof last), sizeof last);
    usleep(microseconds);
    kill(pid, SIGKILL);
    last = read_acknowledged(p[0], last);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    close(p[0]);
    return last;
}

static void kills(void **state)
{
    enum { KILLS = 60 };
    int next = 0;
    srand(4);
    for (int round = 0; round < KILLS; round++) {
        int last = run_and_kill(next, round % 2, (unsigned)(rand() % 12000));
        must_open();
        for (int i = next; i <= last; i++)
            assert_true(has_kek(i));
        rt_subject s;
        if (last >= 0) {
            assert_int_equal(r->ops->subject_version(r, a, "s", last + 1, &s, &err), RT_OK);
            char *want = fl_printf(a, "\"n\":\"%d\"", last);
            assert_non_null(strstr(s.metadata, want));
        }
        next = last + 1;
        while (has_kek(next)) { /* written, not acknowledged: it may be there, whole */
            s = (rt_subject){.subject = "s",
                             .schema = "\"string\"",
                             .metadata = fl_printf(a, "{\"properties\":{\"n\":\"%d\"}}", next++)};
            assert_int_equal(r->ops->register_subject(r, a, &s, &err), RT_OK);
            assert_int_equal(s.version, next);
        }
        rt_registry_close(r);
    }
    assert_true(next >= KILLS / 2);
}

/* ---- damage ---- */

/* A log of three KEKs. before: as it was when the last record was on disk and not yet acknowledged. */
static size_t three_records(char *whole, char *before, size_t *last_from)
{
    static char two[LOG_ROOM];
    must_open();
    assert_int_equal(add_kek(0), RT_OK);
    assert_int_equal(add_kek(1), RT_OK);
    *last_from = load(two);
    assert_int_equal(add_kek(2), RT_OK);
    rt_registry_close(r);
    size_t n = load(whole);
    memcpy(before, whole, n);
    memcpy(before, two, HEADER);
    return n;
}

/* true: opened. Then `keks` acknowledged ones must be there; otherwise the file must be as it was. */
static bool opens_or_is_left(const char *buf, size_t n, int keks)
{
    static char after[LOG_ROOM];
    store(buf, n);
    if (open_it() == RT_OK) {
        for (int i = 0; i < keks; i++)
            assert_true(has_kek(i));
        rt_registry_close(r);
        return true;
    }
    assert_int_equal(err.code, RT_IO);
    assert_int_equal(load(after), n);
    assert_memory_equal(after, buf, n);
    return false;
}

static void truncated(void **state)
{
    static char whole[LOG_ROOM], before[LOG_ROOM];
    size_t last, n = three_records(whole, before, &last);
    for (size_t cut = last; cut < n; cut++) {
        assert_true(opens_or_is_left(before, cut, 2)); /* a crash in the middle of the write */
        must_open();
        assert_false(has_kek(2));
        assert_int_equal(add_kek(2), RT_OK); /* and it goes on */
        rt_registry_close(r);
        must_open();
        assert_true(has_kek(2));
        rt_registry_close(r);
        assert_false(opens_or_is_left(whole, cut, 3)); /* the loss of something acknowledged */
    }
    assert_true(opens_or_is_left(before, n, 3)); /* whole, only not acknowledged: kept */
    for (size_t cut = HEADER; cut < last; cut++)
        assert_false(opens_or_is_left(before, cut, 2));
}

/* As after a crash that left the file's new length without its bytes. */
static void zeroed_tail(void **state)
{
    static char whole[LOG_ROOM], before[LOG_ROOM];
    size_t last, n = three_records(whole, before, &last);
    memset(before + last + 5, 0, n - last - 5);
    assert_true(opens_or_is_left(before, n, 2));
    memset(whole + last + 5, 0, n - last - 5);
    assert_false(opens_or_is_left(whole, n, 3));
}

static void flipped(void **state)
{
    static char whole[LOG_ROOM], before[LOG_ROOM];
    size_t last, n = three_records(whole, before, &last), opened = 0;
    for (size_t at = 0; at < n; at++)
        for (int bit = 0; bit < 8; bit++) {
            char mask = (char)(1 << bit);
            whole[at] ^= mask;
            bool ok = opens_or_is_left(whole, n, 3);
            opened += ok;
            assert_true(!ok || at < HEADER); /* a record that was acknowledged is never dropped, nor read changed */
            whole[at] ^= mask;
            before[at] ^= mask;
            ok = opens_or_is_left(before, n, 2);
            assert_true(at < HEADER || ok == (at >= last)); /* one that was not is */
            before[at] ^= mask;
        }
    assert_in_range(opened, 1, 8 * HEADER); /* flips in the mark: everything else is whole, so it opens */
}

/* Records may not be dropped, doubled or exchanged either: each check covers its place. */
static void rearranged(void **state)
{
    static char whole[LOG_ROOM], before[LOG_ROOM], mixed[LOG_ROOM];
    size_t last, n = three_records(whole, before, &last),
                 second = (size_t)((char *)memchr(whole + HEADER, '\n', n) - whole) + 1;
    memcpy(mixed, whole, HEADER);
    memcpy(mixed + HEADER, whole + second, last - second);
    memcpy(mixed + HEADER + last - second, whole + HEADER, second - HEADER);
    memcpy(mixed + last, whole + last, n - last);
    assert_false(opens_or_is_left(mixed, n, 3));
}

/* A header with a mark of our choice. */
static void set_mark(char *log, size_t mark)
{
    char text[64], hex[65];
    int n = snprintf(text, sizeof text, "%zu:mark", mark);
    fl_sha256_hex(hex, text, (size_t)n);
    n = snprintf(text, sizeof text, "flec-registry 3 committed %016zu %.16s", mark, hex);
    memset(log, ' ', HEADER - 1);
    memcpy(log, text, (size_t)n);
}

static void refused_as(const char *log, size_t n, const char *why)
{
    assert_false(opens_or_is_left(log, n, 3));
    if (!strstr(err.message, why))
        fail_msg("\"%s\" does not say \"%s\"", err.message, why);
}

static void marks(void **state)
{
    static char whole[LOG_ROOM], before[LOG_ROOM], made[LOG_ROOM];
    size_t last, n = three_records(whole, before, &last);
    memcpy(made, whole, n);
    set_mark(made, n);
    assert_memory_equal(made, whole, n); /* this is how it is written */
    set_mark(made, last + 3);
    refused_as(made, n, "not between two records");
    set_mark(made, n + 1);
    refused_as(made, n, "shorter than what was acknowledged");
    set_mark(made, HEADER);
    assert_true(opens_or_is_left(made, n, 3));
    assert_int_equal(load(made), n);
    assert_memory_equal(made, whole, n); /* opening has moved it on */
}

/* Without a mark nothing tells a cut write from damage: then nothing is cut off. */
static void no_mark(void **state)
{
    static char whole[LOG_ROOM], before[LOG_ROOM];
    size_t last, n = three_records(whole, before, &last);
    whole[17] ^= 1; /* in "committed" */
    assert_true(opens_or_is_left(whole, n, 3));
    refused_as(whole, n - 1, "acknowledged");
    whole[n - 4] ^= 1;
    refused_as(whole, n, "acknowledged");
}

/* ---- what is acknowledged was synced ---- */

static int syncs, sync_fails;
static char at_sync[LOG_ROOM];
static size_t at_sync_len;

/* In place of the C library's: looks at the file as it is when the sync is asked for. */
int fdatasync(int fd);
int fdatasync(int fd)
{
    syncs++;
    at_sync_len = load(at_sync);
    if (sync_fails)
        errno = EIO;
    return sync_fails ? -1 : fsync(fd);
}

static void synced_before_marked(void **state)
{
    static char before[LOG_ROOM], after[LOG_ROOM];
    must_open();
    load(before);
    syncs = 0;
    assert_int_equal(add_kek(0), RT_OK);
    size_t n = load(after);
    assert_int_equal(syncs, 1);
    assert_int_equal(at_sync_len, n);
    assert_memory_equal(at_sync, before, HEADER); /* the record was there, the mark not yet moved */
    assert_memory_equal(at_sync + HEADER, after + HEADER, n - HEADER);
    assert_true(memcmp(after, before, HEADER) != 0);
    rt_registry_close(r);
}

/* Nobody knows what is on the disk after a sync that failed: no further write is acknowledged. */
static void sync_failure(void **state)
{
    must_open();
    assert_int_equal(add_kek(0), RT_OK);
    sync_fails = 1;
    assert_int_equal(add_kek(1), RT_IO);
    sync_fails = 0;
    assert_false(has_kek(1));
    assert_int_equal(add_kek(2), RT_IO);
    assert_non_null(strstr(err.message, "start again"));
    rt_registry_close(r);
    must_open();
    assert_true(has_kek(0));
    assert_int_equal(add_kek(2), RT_OK);
    rt_registry_close(r);
}

/* ---- a full disk ---- */

static void full_disk(void **state)
{
    struct rlimit old, small;
    static char buf[LOG_ROOM];
    must_open();
    assert_int_equal(add_kek(0), RT_OK);
    size_t n = load(buf);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    small = old;
    small.rlim_cur = n + 20;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    rt_code code = add_kek(1);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    signal(SIGXFSZ, SIG_DFL);
    assert_int_equal(code, RT_IO);
    assert_false(has_kek(1)); /* not in memory either */
    assert_int_equal(load(buf), n);
    assert_int_equal(add_kek(2), RT_OK); /* with room again it goes on */
    rt_registry_close(r);
    must_open();
    assert_true(has_kek(0) && !has_kek(1) && has_kek(2));
    rt_registry_close(r);
}

/* ---- a clock that is moved ---- */

static int64_t clock_ms;
static int64_t moved_clock(void *ctx)
{
    return clock_ms;
}

static rt_code add_dek(int version, int64_t *ts)
{
    rt_dek d = {.kek = "k1", .subject = "t", .alg = RT_AES256_GCM, .version = version, .encrypted = "YWJj"}, out;
    rt_code code = r->ops->create_dek(r, a, &d, &out, &err);
    *ts = code == RT_OK ? out.ts : 0;
    return code;
}

/* Order is by numbers, never by time. A time is what the clock said: that of one version says nothing of another's. */
static void clock_moved(void **state)
{
    static const int64_t times[] = {1764000000000, 1, 4102444800000, 1448000000000, 0, -1764000000000};
    enum { TIMES = sizeof times / sizeof *times };
    const rt_registry_options moved = {.now_ms = moved_clock};
    for (int i = 0; i < TIMES; i++) {
        int64_t ts;
        rt_subject s = {.subject = "s", .schema = "\"string\""};
        s.metadata = fl_printf(a, "{\"properties\":{\"n\":\"%d\"}}", i);
        clock_ms = times[i];
        assert_int_equal(rt_registry_open(url, &moved, &r, &err), RT_OK);
        if (!i)
            assert_int_equal(add_kek(1), RT_OK);
        assert_int_equal(r->ops->register_subject(r, a, &s, &err), RT_OK);
        assert_int_equal(s.version, i + 1);
        assert_int_equal(add_dek(i + 1, &ts), RT_OK);
        assert_true(ts == times[i]);
        rt_registry_close(r);
    }
    for (int i = 0; i < TIMES; i++) {
        rt_subject latest;
        rt_dek key;
        clock_ms = times[i];
        assert_int_equal(rt_registry_open(url, &moved, &r, &err), RT_OK);
        assert_int_equal(r->ops->subject_version(r, a, "s", -1, &latest, &err), RT_OK);
        assert_int_equal(latest.version, TIMES);
        assert_int_equal(r->ops->get_dek(r, a, "k1", "t", RT_AES256_GCM, -1, false, &key, &err), RT_OK);
        assert_int_equal(key.version, TIMES);
        rt_registry_close(r);
    }
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(locked),         TEST(permissions), TEST(stand_in_missing),
        TEST(foreign_folder), TEST(formats),     TEST(migration),
        TEST(kills),          TEST(truncated),   TEST(zeroed_tail),
        TEST(flipped),        TEST(rearranged),  TEST(full_disk),
        TEST(marks),          TEST(no_mark),     TEST(synced_before_marked),
        TEST(sync_failure),   TEST(clock_moved),
    };
    return cmocka_run_group_tests_name("journal", tests, NULL, NULL);
}
