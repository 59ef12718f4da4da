/* memory_test.c: arena, buffers, maps, secrets. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
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
    fl_arena_free(a);
    fl_arena_free(NULL);
}

static fl_arena *volatile held; /* seen at the child's end, so that nothing counts as lost */

/* An allocation that cannot be ends the program with status 4, and says so. */
static void too_much_ends_the_program(void **state)
{
    pid_t pid = fork();
    if (!pid) {
        if (!freopen("/dev/null", "w", stderr))
            _exit(9);
        held = fl_arena_new();
        fl_alloc_n(held, SIZE_MAX / 2, 3);
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), FL_COULD_NOT_RUN);
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

static void secrets(void **state)
{
    fl_secret_setup();
    fl_secret_setup();
    assert_int_equal(prctl(PR_GET_DUMPABLE), 0);
    fl_secret a = fl_secret_copy("key material", 12), b = fl_secret_copy("key materiaL", 12), c = fl_secret_new(3);
    assert_true(fl_secret_eq(&a, &a));
    assert_false(fl_secret_eq(&a, &b) || fl_secret_eq(&a, &c));
    fl_secret_free(&a);
    assert_null(a.bytes);
    assert_int_equal(a.len, 0);
    fl_secret_free(&a);
    fl_secret_free(&b);
    fl_secret_free(&c);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arena),    cmocka_unit_test(too_much_ends_the_program),
        cmocka_unit_test(buffers),  cmocka_unit_test(shown),
        cmocka_unit_test(maps),     cmocka_unit_test(secrets),
        cmocka_unit_test(statuses),
    };
    return cmocka_run_group_tests_name("memory", tests, NULL, NULL);
}
