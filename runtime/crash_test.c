/* crash_test.c: the registry's directory and every call to the disk: the process is killed there, the power goes, or
 * the call fails. Afterwards nothing acknowledged is lost and nothing partial is seen; what fails is said. */
#undef _FORTIFY_SOURCE /* some of the C library's names are defined here */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "runtime/disk_lab.h"
#include "runtime/store.h"

enum { STATES = 64, POWERS = 6 };

#define OLD_LOGS "runtime/journal_logs"

static char top[64], dir[80], after[80];
static bool from_old; /* a log of an earlier format is there; its stand-in is not, so no shared KEK is used */
static rt_error err;
static rt_store *st;
static fl_arena *a, *held; /* held: what lasts for a test */

static int64_t now(void *ctx)
{
    return 1764000000000;
}
static const rt_registry_options options = {.now_ms = now};

static int setup(void **state)
{
    strcpy(top, "/tmp/flec-crash-XXXXXX");
    assert_non_null(mkdtemp(top));
    snprintf(dir, sizeof dir, "%s/r", top);
    snprintf(after, sizeof after, "%s/after", top);
    a = fl_arena_new();
    fl_log_setup(FL_LOG_ERROR, false);
    held = fl_arena_new();
    from_old = false;
    return 0;
}

static int teardown(void **state)
{
    disk_begin(NULL, false, NULL, NULL);
    fl_arena_free(a);
    fl_arena_free(held);
    fl_remove_tree(top);
    return 0;
}

static rt_code open_at(const char *folder)
{
    rt_registry *r = NULL;
    char url[100];
    snprintf(url, sizeof url, "file://%s", folder);
    rt_code code = rt_registry_open(url, &options, &r, &err);
    st = code == RT_OK ? (rt_store *)r : NULL;
    return code;
}

static void shut(void)
{
    if (st)
        rt_registry_close(&st->registry);
    st = NULL;
}

/* ---- what a store holds, as a text ---- */

typedef struct lines {
    FL_VEC(char *) list;
} lines;

static bool take_line(const char *record, size_t n, void *ctx)
{
    lines *l = ctx;
    char *line = fl_strndup(a, record, n), *key = strstr(line, "\"encrypted\":\"");
    if (key && strstr(line, "\"kek\":\"shared\"")) /* made at random */
        memset(key + 13, '*', strcspn(key + 13, "\""));
    FL_PUSH(a, &l->list, line);
    return true;
}

static int by_text(const void *x, const void *y)
{
    return strcmp(*(char *const *)x, *(char *const *)y);
}

static char *text_of(const rt_store *s)
{
    lines l = {0};
    fl_buf b;
    rt_store_records(s, take_line, &l);
    if (l.list.n)
        qsort(l.list.v, l.list.n, sizeof *l.list.v, by_text);
    fl_buf_init(&b, 1 << 24);
    for (size_t i = 0; i < l.list.n; i++)
        fl_buf_addf(&b, "%s\n", l.list.v[i]);
    char *text = fl_strndup(a, b.p ? b.p : "", b.len);
    fl_buf_free(&b);
    return text;
}

/* ---- the script ---- */

static int shared_begun, *begun = &shared_begun, shared_acked, *acked = &shared_acked;
static char *states[STATES]; /* what the store holds after so many changes */

static rt_code add_kek(const char *name, bool shared)
{
    rt_kek k = {.name = name, .kms_type = "local-kms", .kms_key_id = "x", .shared = shared};
    return rt_store_create_kek(&st->registry, &k, &err);
}

static rt_code add_version(const char *subject, int i)
{
    rt_subject s = {
        .subject = subject, .schema = "\"string\"", .metadata = fl_printf(a, "{\"properties\":{\"n\":\"%d\"}}", i)};
    return rt_store_register(&st->registry, a, &s, &err);
}

static rt_code add_dek(const char *kek, const char *subject, int version)
{
    rt_dek d = {.kek = kek, .subject = subject, .alg = RT_AES256_GCM, .version = version, .encrypted = "YWJj"}, out;
    if (!strcmp(kek, "shared"))
        d.encrypted = NULL;
    rt_code code = rt_store_create_dek(&st->registry, a, &d, &out, &err);
    if (code == RT_OK)
        fl_secret_free(&out.material);
    return code;
}

static rt_code drop_version(const char *subject, bool permanent)
{
    rt_numbers numbers = {0};
    return rt_store_delete(st, a, subject, 0, permanent, &numbers, &err);
}

static rt_code tidy_now(void)
{
    st->size += RT_STORE_MAX / 2;
    st->dead += RT_STORE_MAX / 2;
    st->tidy_at = 0;
    size_t swollen = st->size;
    rt_code code = rt_store_tidy(st, &err);
    if (code == RT_OK && st->size >= swollen) { /* a warning: it stays as it was */
        st->size -= RT_STORE_MAX / 2;
        return rt_fail(&err, RT_IO, "not tidied");
    }
    return code;
}

typedef enum { CHANGE, TIDY, DEFER, FLUSH, REOPEN } step_kind;

static rt_code step_kek(void)
{
    return add_kek("private", false);
}
static rt_code step_shared(void)
{
    return add_kek("shared", true);
}
static rt_code step_dek(void)
{
    return add_dek("private", "s", 1);
}
static rt_code step_shared_dek(void)
{
    return add_dek("shared", "s", 1);
}
static rt_code step_v1(void)
{
    return add_version("s", 1);
}
static rt_code step_v2(void)
{
    return add_version("s", 2);
}
static rt_code step_v3(void)
{
    return add_version("s", 3);
}
static rt_code step_gone(void)
{
    return add_version("gone", 4);
}
static rt_code step_drop(void)
{
    return drop_version("gone", false);
}
static rt_code step_drop_for_good(void)
{
    return drop_version("gone", true);
}
static rt_code step_other(void)
{
    return add_version(":.lab:t", 5);
}
static rt_code step_mode(void)
{
    return rt_store_set_mode(st, a, "s", "READWRITE", false, &err);
}
static rt_code step_dek2(void)
{
    return add_dek("private", "t", 1);
}
static rt_code step_dek_again(void)
{
    return add_dek("private", "s", 2);
}
static rt_code step_drop_deks(void)
{
    return rt_store_delete_dek(st, "private", "s", RT_AES256_GCM, 0, false, &err);
}
static rt_code step_v6(void)
{
    return add_version("u", 6);
}
static rt_code step_v7(void)
{
    return add_version("u", 7);
}
static rt_code step_v8(void)
{
    return add_version("u", 8);
}
static rt_code step_v9(void)
{
    return add_version("u", 9);
}
static rt_code step_flush(void)
{
    return rt_store_flush(st, &err);
}
static rt_code step_tidy(void)
{
    return tidy_now();
}
static rt_code step_defer(void)
{
    rt_store_defer(st);
    return RT_OK;
}
static rt_code step_reopen(void)
{
    shut();
    return open_at(dir);
}

static const struct {
    step_kind kind;
    rt_code (*run)(void);
} script[] = {
    {CHANGE, step_kek},        {CHANGE, step_v1},
    {CHANGE, step_dek},        {CHANGE, step_shared},
    {CHANGE, step_shared_dek}, {CHANGE, step_gone},
    {CHANGE, step_drop},       {TIDY, step_tidy},
    {CHANGE, step_v2},         {CHANGE, step_drop_for_good},
    {REOPEN, step_reopen},     {CHANGE, step_other},
    {DEFER, step_defer},       {CHANGE, step_mode},
    {CHANGE, step_v3},         {CHANGE, step_dek2},
    {FLUSH, step_flush},       {CHANGE, step_v6},
    {FLUSH, step_flush},       {CHANGE, step_v7},
    {TIDY, step_tidy},         {CHANGE, step_v8},
    {FLUSH, step_flush},       {REOPEN, step_reopen},
    {CHANGE, step_v9},         {CHANGE, step_dek_again},
    {FLUSH, step_flush},       {CHANGE, step_drop_deks},
    {FLUSH, step_flush},
};
enum { STEPS = sizeof script / sizeof script[0] };

/* What is durable, and so acknowledged, after a step. */
static void acknowledge(void)
{
    if (!rt_store_pending(st))
        *acked = *begun;
}

/* Runs the script in `dir`; stops at the first step that fails and gives its number. keep: note the states. */
static int run_script(bool keep, rt_code *code)
{
    *begun = *acked = 0;
    *code = open_at(dir);
    if (*code != RT_OK)
        return -1;
    if (keep)
        states[0] = fl_strdup(held, text_of(st));
    for (int i = 0; i < STEPS; i++) {
        if (from_old && (script[i].run == step_shared || script[i].run == step_shared_dek))
            continue;
        *begun += script[i].kind == CHANGE;
        *code = script[i].run();
        if (*code != RT_OK)
            return i;
        if (keep && script[i].kind == CHANGE)
            states[*begun] = fl_strdup(held, text_of(st));
        acknowledge();
    }
    return STEPS;
}

/* The script once, undisturbed; from: a log that is there before. */
static int note_script(const char *from, size_t n)
{
    rt_code code;
    fl_remove_tree(dir);
    disk_begin(dir, true, acked, begun);
    if (from) {
        disk_has("registry.log", from, n);
        disk_restore(0, (disk_crash){0}, dir);
    }
    if (run_script(true, &code) != STEPS)
        fail_msg("the script does not run: %s", err.message);
    shut();
    disk.folder = NULL;
    assert_true(disk.n > 60 && disk.n < DISK_CALLS);
    return disk.n;
}

/* The reopened store is one of the states from `least` to `most`. */
static void is_state(int least, int most, const char *what, int call)
{
    char *text = text_of(st);
    for (int i = least; i <= most; i++)
        if (!strcmp(text, states[i]))
            return;
    fail_msg("%s at call %d: not one of the states %d to %d:\n%s", what, call, least, most, text);
}

/* What was acknowledged can be used, and the store goes on. */
static void goes_on(const char *folder, const char *what, int call)
{
    rt_dek d;
    if (rt_store_find_kek(st, "shared", false) && strstr(text_of(st), "\"kek\":\"shared\"")) {
        if (rt_store_get_dek(&st->registry, a, "shared", "s", RT_AES256_GCM, 1, false, &d, &err) != RT_OK)
            fail_msg("%s at call %d: the shared key does not open: %s", what, call, err.message);
        fl_secret_free(&d.material);
    }
    if (add_kek("later", false) != RT_OK)
        fail_msg("%s at call %d: it does not go on: %s", what, call, err.message);
    char *text = text_of(st);
    shut();
    if (open_at(folder) != RT_OK)
        fail_msg("%s at call %d: it does not open again: %s", what, call, err.message);
    assert_string_equal(text_of(st), text);
    shut();
}

static void check_crash(int call, disk_crash how, const char *what)
{
    int least = call < disk.n ? disk.call[call].acked : *acked, most = call < disk.n ? disk.call[call].begun : *begun;
    disk_restore(call, how, after);
    if (open_at(after) != RT_OK)
        fail_msg("%s (%zu, %u) at call %d: it does not open: %s", what, how.torn, how.seed, call, err.message);
    is_state(least, most, what, call);
    goes_on(after, what, call);
    fl_arena_free(a);
    a = fl_arena_new();
}

/* ---- crashes, as they are made up from what was called ---- */

static void kills_made_up(int calls)
{
    for (int call = 0; call <= calls; call++) {
        check_crash(call, (disk_crash){0}, "a kill");
        if (call == calls || disk.call[call].kind != DISK_WRITE)
            continue;
        check_crash(call, (disk_crash){.torn = 1}, "a torn write");
        check_crash(call, (disk_crash){.torn = disk.call[call].n / 2}, "a torn write");
        check_crash(call, (disk_crash){.torn = disk.call[call].n - 1}, "a torn write");
    }
}

static void power_made_up(int calls)
{
    for (int call = 0; call <= calls; call++)
        for (unsigned i = 0; i < POWERS; i++)
            check_crash(call, (disk_crash){.power = true, .seed = (unsigned)call * 131 + i}, "a loss of power");
}

static void killed_anywhere(void **state)
{
    kills_made_up(note_script(NULL, 0));
}

static void power_lost_anywhere(void **state)
{
    power_made_up(note_script(NULL, 0));
}

static int count(const char *text, const char *what)
{
    int n = 0;
    for (const char *at = text; (at = strstr(at, what)); at++)
        n++;
    return n;
}

/* Logs that earlier versions of flec wrote: everything in them is there, before and after they are written anew. */
static void old_formats(void **state)
{
    static const struct {
        const char *path;
        int keks, deks, versions, deleted, settings;
    } logs[] = {{OLD_LOGS "/format-1.log", 13, 2, 26, 0, 0}, {OLD_LOGS "/format-2.log", 2, 2, 5, 1, 3}};
    for (size_t i = 0; i < 2; i++) {
        char *text, *was, *now_is;
        size_t n;
        char path[100];
        assert_int_equal(fl_read_file(held, logs[i].path, DISK_FILE, &text, &n), 0);
        fl_remove_tree(dir);
        assert_int_equal(fl_mkdirs(dir, 0700), 0);
        snprintf(path, sizeof path, "%s/registry.log", dir);
        assert_int_equal(fl_write_file(path, text, n, 0600, false), 0);
        assert_int_equal(open_at(dir), RT_OK);
        was = text_of(st);
        assert_int_equal(count(was, "\"op\":\"kek\""), logs[i].keks);
        assert_int_equal(count(was, "\"op\":\"dek\""), logs[i].deks);
        assert_int_equal(count(was, "\"op\":\"version\""), logs[i].versions);
        assert_int_equal(count(was, "\"op\":\"delete\""), logs[i].deleted);
        assert_int_equal(count(was, "\"op\":\"config\"") + count(was, "\"op\":\"mode\""), logs[i].settings);
        assert_int_equal(tidy_now(), RT_OK);
        shut();
        assert_int_equal(fl_read_file(held, path, DISK_FILE, &now_is, &n), 0);
        assert_memory_equal(now_is, "flec-registry 3 ", 16);
        assert_int_equal(open_at(dir), RT_OK);
        assert_string_equal(text_of(st), was);
        shut();
    }
}

/* What a log of an earlier format needs to be taken over may be interrupted as anything else. */
static void old_formats_crash(void **state)
{
    static const char *const logs[] = {OLD_LOGS "/format-1.log", OLD_LOGS "/format-2.log"};
    from_old = true;
    for (size_t i = 0; i < 2; i++) {
        char *text;
        size_t n;
        assert_int_equal(fl_read_file(held, logs[i], DISK_FILE / 2, &text, &n), 0);
        int calls = note_script(text, n);
        for (int call = 0; call <= calls; call += call < 12 ? 1 : 5) {
            check_crash(call, (disk_crash){0}, logs[i]);
            check_crash(call, (disk_crash){.power = true, .seed = (unsigned)call}, logs[i]);
        }
    }
}

/* ---- a process that is killed ---- */

static void killed_for_real(void **state)
{
    int calls = note_script(NULL, 0), status, kept = 0;
    int *told = mmap(NULL, 2 * sizeof(int), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(told != MAP_FAILED);
    for (int call = 0; call < calls; call += 1) {
        fl_remove_tree(dir);
        told[0] = told[1] = 0;
        pid_t pid = fork();
        if (pid == 0) {
            rt_code code;
            begun = &told[0];
            acked = &told[1];
            disk_begin(dir, false, acked, begun);
            disk.at = call;
            disk.keep = (size_t)call % 3 * 20;
            _exit(run_script(false, &code) == STEPS ? 0 : 9);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
            fail_msg("call %d: the child was not killed there (%d)", call, status);
        if (open_at(dir) != RT_OK)
            fail_msg("killed at call %d: it does not open: %s", call, err.message);
        kept += told[1];
        is_state(told[1], told[0], "killed", call);
        goes_on(dir, "killed", call);
        fl_arena_free(a);
        a = fl_arena_new();
    }
    assert_true(kept > calls);
    munmap(told, 2 * sizeof(int));
}

/* ---- calls that fail ---- */

static disk_kind kinds[DISK_CALLS]; /* of the undisturbed run */

static void says_what_is_wrong(rt_code code, int call, int e)
{
    if (code != RT_IO && code != RT_NO_KEY)
        fail_msg("call %d fails with \"%s\": code %d, \"%s\"", call, strerror(e), code, err.message);
    if (!strstr(err.message, dir) && !strstr(err.message, "not tidied"))
        fail_msg("call %d: the message does not say where: \"%s\"", call, err.message);
}

/* The registry after a call failed: it goes on with what is acknowledged, or writes nothing more and says so. */
static void after_failure(int call, int step, bool lasting)
{
    char *before = text_of(st);
    rt_code code = add_kek("probe", false);
    if (code == RT_OK && rt_store_pending(st))
        code = rt_store_flush(st, &err);
    if (code == RT_OK) {
        char *text = text_of(st);
        shut();
        disk.at = -1;
        if (open_at(dir) != RT_OK)
            fail_msg("call %d failed, step %d: it does not open again: %s", call, step, err.message);
        assert_string_equal(text_of(st), text);
    } else {
        assert_int_equal(code, RT_IO);
        if (!lasting && !strstr(err.message, "start again"))
            fail_msg("call %d failed, step %d: \"%s\"", call, step, err.message);
        if (!st->journal->deferred)
            assert_string_equal(text_of(st), before);
        shut();
        disk.at = -1;
        if (open_at(dir) != RT_OK)
            fail_msg("call %d failed, step %d: it does not open again: %s", call, step, err.message);
        is_state(*acked, *begun, "a failure", call);
    }
    shut();
}

/* part: so many bytes of it, if it writes, are written before. */
static void fail_at(int call, int e, bool lasting, size_t part)
{
    rt_code code;
    fl_remove_tree(dir);
    disk_begin(dir, false, acked, begun);
    disk.at = call;
    disk.error = e;
    disk.lasting = lasting;
    disk.keep = part;
    int step = run_script(false, &code);
    if (step == STEPS) { /* a failure that harms nothing */
        assert_string_equal(text_of(st), states[*begun]);
        shut();
        disk.at = -1;
        assert_int_equal(open_at(dir), RT_OK);
        assert_string_equal(text_of(st), states[*begun]);
        shut();
        return;
    }
    says_what_is_wrong(code, call, e);
    if (st && !part && kinds[call] == DISK_SYNC && script[step].kind != TIDY && script[step].run != step_shared_dek)
        assert_true(st->journal->broken); /* nobody knows what is on the disk after a sync that failed */
    if (st) {
        after_failure(call, step, lasting);
        return;
    }
    disk.at = -1; /* it did not open */
    if (open_at(dir) != RT_OK)
        fail_msg("call %d failed while opening: it does not open again: %s", call, err.message);
    is_state(*acked, *begun, "a failure while opening", call);
    goes_on(dir, "a failure while opening", call);
}

static void failing_anywhere(void **state)
{
    static const int errors[] = {EIO, ENOSPC, EDQUOT, EACCES};
    int calls = note_script(NULL, 0);
    for (int call = 0; call < calls; call++)
        kinds[call] = disk.call[call].kind;
    for (int call = 0; call < calls; call++)
        for (int lasting = 0; lasting < 2; lasting++) {
            fail_at(call, errors[(call + 2 * lasting) % 4], lasting, 0);
            if (kinds[call] == DISK_WRITE)
                fail_at(call, errors[(call + 2 * lasting) % 4], lasting, 30);
            fl_arena_free(a);
            a = fl_arena_new();
        }
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(killed_anywhere), TEST(power_lost_anywhere), TEST(old_formats_crash),
        TEST(old_formats),     TEST(killed_for_real),     TEST(failing_anywhere),
    };
    return cmocka_run_group_tests_name("crash", tests, NULL, NULL);
}
