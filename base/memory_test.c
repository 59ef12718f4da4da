/* memory_test.c: arena, buffers, maps, secrets, exit statuses, the log. */
#include <errno.h>
#include <openssl/crypto.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/base.h"

static void arena(void **state)
{
    fl_arena *a = fl_arena_new();
    FL_VEC(size_t) v = {0};
    char *first = fl_alloc(a, 3);
    assert_memory_equal(first, "\0\0\0", 3);
    for (size_t i = 0; i < 100000; i++)
        FL_PUSH(a, &v, i * 7);
    for (size_t i = 0; i < v.n; i++)
        assert_int_equal(v.v[i], i * 7);
    char *big = fl_alloc(a, 5 << 20);
    big[(5 << 20) - 1] = 1;
    assert_int_equal((uintptr_t)fl_alloc(a, 1) % sizeof(void *), 0);
    assert_string_equal(fl_printf(a, "%s-%d", "x", 7), "x-7");
    assert_string_equal(fl_strndup(a, "abc", 2), "ab");
    assert_string_equal(fl_strndup(a, NULL, 0), "");
    for (size_t n = 1; n < 100000; n = n * 3 / 2 + 1) { /* pieces of all sizes: zeroed, aligned, apart */
        unsigned char *p = fl_alloc(a, n);
        assert_int_equal((uintptr_t)p % (n % _Alignof(max_align_t) ? sizeof(void *) : _Alignof(max_align_t)), 0);
        for (size_t i = 0; i < n; i++)
            assert_int_equal(p[i], 0);
        memset(p, 0xff, n);
    }
    fl_arena_free(a);
    fl_arena_free(NULL);
}

static fl_arena *volatile held; /* seen at a child's end, so that nothing counts as lost */
static char said[128 * 1024];   /* what the last child wrote to standard error */

/* Runs fn in a process of its own, returns its exit status. */
static int elsewhere(void (*fn)(void))
{
    int ends[2], status;
    assert_int_equal(pipe(ends), 0);
    pid_t pid = fork();
    if (!pid) {
        dup2(ends[1], STDERR_FILENO);
        fn();
        _exit(0);
    }
    close(ends[1]);
    size_t n = 0;
    for (ssize_t got; n < sizeof said - 1 && (got = read(ends[0], said + n, sizeof said - 1 - n)) > 0;)
        n += (size_t)got;
    said[n] = '\0';
    close(ends[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void product_overflows(void)
{
    held = fl_arena_new();
    fl_alloc_n(held, SIZE_MAX / 2, 3);
}

static void sum_overflows(void)
{
    held = fl_arena_new();
    fl_alloc(held, SIZE_MAX);
}

static void array_overflows(void)
{
    size_t cap = SIZE_MAX / 2 + 1;
    held = fl_arena_new();
    fl_vec_grow(held, NULL, 0, &cap, 1);
}

static void zeroed_overflows(void)
{
    free(fl_xcalloc(SIZE_MAX / 2, 3));
}

/* An allocation that cannot be ends the program with status 4, and says so. */
static void too_much_ends_the_program(void **state)
{
    static void (*const all[])(void) = {product_overflows, sum_overflows, array_overflows, zeroed_overflows};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        assert_int_equal(elsewhere(all[i]), FL_COULD_NOT_RUN);
        assert_string_equal(said, "flec: error: out of memory\n");
    }
}

static void adopted(void **state)
{
    fl_arena *a = fl_arena_new(), *b = fl_arena_new();
    char *here = fl_strdup(a, "here"), *there = fl_strdup(b, "there"), *large = fl_alloc(b, 1 << 20);
    memset(large, 'x', 1 << 20);
    fl_arena_adopt(a, b);
    fl_arena_adopt(a, NULL);
    for (int i = 0; i < 1000; i++)
        assert_memory_equal(fl_alloc(a, 1000), ((char[8]){0}), 8);
    assert_string_equal(here, "here");
    assert_string_equal(there, "there");
    assert_int_equal(large[(1 << 20) - 1], 'x');
    fl_arena_free(a); /* all of it, as the sanitizer sees */
}

enum { WORK = 1000 };

static void square(size_t piece, void *ctx)
{
    ((size_t *)ctx)[piece] += piece * piece + 1;
}

static void parallel(void **state)
{
    static const size_t most[] = {1, 2, 100};
    for (size_t k = 0; k < sizeof most / sizeof *most; k++) {
        size_t done[WORK] = {0}, sum = 0;
        fl_parallel(WORK, most[k], square, done);
        for (size_t i = 0; i < WORK; i++)
            assert_int_equal(done[i], i * i + 1); /* each once */
        for (size_t i = 0; i < 7; i++) {
            fl_piece p = fl_piece_of(WORK + k, 7, i);
            assert_int_equal(p.from, sum);
            sum += p.n;
        }
        assert_int_equal(sum, WORK + k);
    }
    fl_parallel(0, 2, square, NULL);
}

static void buffers(void **state)
{
    fl_buf b;
    fl_buf_init(&b, 10);
    assert_true(fl_buf_adds(&b, "hello"));
    assert_true(fl_buf_addf(&b, "%d", 123));
    assert_string_equal(b.p, "hello123");
    assert_false(fl_buf_adds(&b, "xyz")); /* would be 11 */
    assert_true(b.full);
    assert_string_equal(b.p, "hello123");
    assert_false(fl_buf_addc(&b, 'x')); /* once refused, always */
    fl_buf_clear(&b);
    assert_true(fl_buf_add(&b, "0123456789", 10));
    assert_int_equal(b.len, 10);
    assert_int_equal(b.p[10], 0);
    fl_buf_wipe(&b);
    assert_int_equal(b.len, 0);
    fl_buf_wipe(&b); /* an empty one, too */
    fl_buf_free(&b);
}

static void buffers_grow(void **state)
{
    fl_buf b;
    fl_buf_init(&b, 100001);
    assert_string_equal(b.p, ""); /* before anything is added */
    assert_true(fl_buf_addf(&b, "%s", "") && fl_buf_add(&b, NULL, 0));
    for (unsigned i = 0; i < 100001; i++)
        assert_true(fl_buf_addc(&b, (char)('a' + i % 26)));
    for (unsigned i = 0; i < 100001; i++)
        assert_int_equal(b.p[i], 'a' + i % 26);
    assert_int_equal(b.p[b.len], 0);
    assert_true(b.cap <= b.max);
    assert_false(fl_buf_addf(&b, "%d", 7));
    assert_true(b.full);
    fl_buf_clear(&b);
    assert_string_equal(b.p, "");
    assert_true(fl_buf_adds(&b, "xy"));
    assert_false(fl_buf_reserve(&b, SIZE_MAX)); /* no sum that overflows */
    assert_int_equal(b.len, 2);
    fl_buf_free(&b);
}

static void shown(void **state)
{
    fl_buf b;
    fl_buf_init(&b, 100);
    fl_buf_add_shown(&b, "a\x1b[1m\tb\xff\xe2\x80\xae", 11);
    assert_null(strchr(b.p, '\x1b'));
    assert_non_null(strstr(b.p, "[1m    b"));
    assert_null(strstr(b.p, "\xe2\x80\xae"));
    fl_buf_free(&b);
}

static bool add(const char *key, void *value, void *ctx)
{
    strcat(ctx, key);
    return strlen(ctx) < 4;
}

static void maps(void **state)
{
    fl_map *m = fl_map_new();
    int one, two;
    char order[16] = "", key[] = "b";
    assert_null(fl_map_put(m, key, &one));
    key[0] = 'x'; /* keys are copied */
    assert_null(fl_map_put(m, "a", &two));
    assert_ptr_equal(fl_map_put(m, "b", &two), &one);
    assert_ptr_equal(fl_map_get(m, "b"), &two);
    assert_null(fl_map_get(m, "x"));
    fl_map_each(m, add, order);
    assert_string_equal(order, "ba"); /* of insertion */
    assert_ptr_equal(fl_map_del(m, "b"), &two);
    assert_null(fl_map_del(m, "b"));
    assert_int_equal(fl_map_count(m), 1);
    fl_map_free(m);
    fl_map_free(NULL);
}

static bool next_in_order(const char *key, void *value, void *ctx)
{
    size_t *next = ctx;
    char want[16];
    snprintf(want, sizeof want, "k%zu", *next);
    assert_string_equal(key, want);
    assert_ptr_equal(value, said + *next % sizeof said);
    *next += 2; /* the odd ones were taken out */
    return true;
}

static void large_maps(void **state)
{
    fl_map *m = fl_map_new();
    char key[16];
    size_t next = 0;
    for (size_t i = 0; i < 20000; i++) {
        snprintf(key, sizeof key, "k%zu", i);
        assert_null(fl_map_put(m, key, said + i % sizeof said));
    }
    for (size_t i = 1; i < 20000; i += 2) {
        snprintf(key, sizeof key, "k%zu", i);
        assert_non_null(fl_map_del(m, key));
    }
    assert_int_equal(fl_map_count(m), 10000);
    fl_map_each(m, next_in_order, &next);
    assert_int_equal(next, 20000);
    fl_map_free(m);
}

static void secrets(void **state)
{
    fl_secret_setup();
    fl_secret_setup();
    assert_int_equal(prctl(PR_GET_DUMPABLE), 0);
    fl_secret a = fl_secret_copy("key material", 12), b = fl_secret_copy("key materiaL", 12), c = fl_secret_new(3);
    assert_true(CRYPTO_secure_allocated(a.bytes));
    assert_memory_equal(c.bytes, "\0\0\0", 3);
    assert_true(fl_secret_eq(&a, &a));
    assert_false(fl_secret_eq(&a, &b) || fl_secret_eq(&a, &c));
    fl_secret_free(&a);
    assert_null(a.bytes);
    assert_int_equal(a.len, 0);
    fl_secret_free(&a);
    fl_secret_free(&b);
    fl_secret_free(&c);
    fl_secret none = fl_secret_copy(NULL, 0), nothing = {0};
    assert_true(fl_secret_eq(&none, &nothing));
    fl_secret_free(&none);
    fl_wipe(NULL, 0);
    char stack[] = "password";
    fl_wipe(stack, sizeof stack);
    assert_memory_equal(stack, "\0\0\0\0\0\0\0\0", 8);
}

static void statuses(void **state)
{
    assert_int_equal(fl_status_worse(FL_USAGE, FL_COULD_NOT_RUN), FL_USAGE);
    assert_int_equal(fl_status_worse(FL_FINDINGS, FL_COULD_NOT_RUN), FL_COULD_NOT_RUN);
    assert_int_equal(fl_status_worse(FL_DRIFT, FL_FINDINGS), FL_FINDINGS);
    assert_int_equal(fl_status_worse(FL_OK, FL_DRIFT), FL_DRIFT);
    assert_int_equal(fl_status_worse(FL_OK, FL_OK), FL_OK);
}

static void heap_is_full(void)
{
    for (int i = 0; i < 9; i++) /* of 4 MiB */
        fl_secret_new(1 << 19);
}

static void an_exhausted_heap_ends_the_program(void **state)
{
    assert_int_equal(elsewhere(heap_is_full), FL_COULD_NOT_RUN);
    assert_non_null(strstr(said, "flec: error: the heap for key material is full"));
}

/* ---- the log ---- */

static void logs_text(void)
{
    fl_log_setup(FL_LOG_INFO, false);
    fl_log(FL_LOG_ERROR, "one %d", 1);
    fl_log(FL_LOG_WARN, "two\x1b[31m\nflec: error: forged");
    fl_log(FL_LOG_INFO, "three");
    fl_log(FL_LOG_DEBUG, "unseen");
}

static void logs_json(void)
{
    fl_log_setup(FL_LOG_WARN, true);
    fl_log(FL_LOG_WARN, "say \"%s\"\n", "hi");
    fl_log(FL_LOG_INFO, "unseen");
}

static void logs_before_setup(void)
{
    fl_log(FL_LOG_INFO, "unseen");
    fl_log(FL_LOG_WARN, "seen");
}

static void logs_too_much(void)
{
    char *much = malloc(200001);
    if (!much)
        _exit(9);
    memset(much, 'm', 200000);
    much[200000] = '\0';
    fl_log(FL_LOG_ERROR, "%s", much);
    free(much);
    if (write(STDERR_FILENO, "end", 3) != 3)
        _exit(9);
}

static void dies(void)
{
    fl_die(FL_USAGE, "no %s", "way");
}

static void the_log(void **state)
{
    assert_int_equal(elsewhere(logs_text), 0);
    assert_string_equal(said, "flec: error: one 1\nflec: warning: two\xef\xbf\xbd[31m\xef\xbf\xbd"
                              "flec: error: forged\nflec: info: three\n"); /* a line stays one line */
    assert_int_equal(elsewhere(logs_json), 0);
    assert_string_equal(said, "{\"level\":\"warning\",\"message\":\"say \\\"hi\\\"\\n\"}\n");
    assert_int_equal(elsewhere(logs_before_setup), 0);
    assert_string_equal(said, "flec: warning: seen\n");
    assert_int_equal(elsewhere(dies), FL_USAGE);
    assert_string_equal(said, "flec: error: no way\n");
}

/* Cut, not lost, and one line all the same. */
static void over_long_lines(void **state)
{
    assert_int_equal(elsewhere(logs_too_much), 0);
    size_t n = strlen(said);
    assert_true(n > 60000 && n < 70000);
    assert_memory_equal(said, "flec: error: mmm", 16);
    assert_memory_equal(said + n - 5, "m\nend", 5);
    assert_int_equal(strspn(said + 13, "m"), n - 13 - 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arena),      cmocka_unit_test(too_much_ends_the_program),
        cmocka_unit_test(adopted),    cmocka_unit_test(parallel),
        cmocka_unit_test(buffers),    cmocka_unit_test(shown),
        cmocka_unit_test(maps),       cmocka_unit_test(secrets),
        cmocka_unit_test(statuses),   cmocka_unit_test(buffers_grow),
        cmocka_unit_test(large_maps), cmocka_unit_test(an_exhausted_heap_ends_the_program),
        cmocka_unit_test(the_log),    cmocka_unit_test(over_long_lines),
    };
    return cmocka_run_group_tests_name("memory", tests, NULL, NULL);
}
