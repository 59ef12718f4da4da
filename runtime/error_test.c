/* error_test.c: messages stay one valid line, and codes mean what the command line promises. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "runtime/error.h"

static void fills(void **state)
{
    rt_error e;
    assert_int_equal(rt_fail(&e, RT_NO_KEY, "KEK %s: %d", "k", 7), RT_NO_KEY);
    assert_int_equal(e.code, RT_NO_KEY);
    assert_string_equal(e.message, "KEK k: 7");
    assert_int_equal(rt_fail(NULL, RT_IO, "%s", "nobody listens"), RT_IO);
}

/* A message may be wrapped into another one in the same place. */
static void wraps_itself(void **state)
{
    rt_error e;
    rt_fail(&e, RT_IO, "inner");
    rt_fail(&e, RT_NO_KEY, "outer (%s)", e.message);
    assert_string_equal(e.message, "outer (inner)");
}

static void one_line(void **state)
{
    rt_error e;
    rt_fail(&e, RT_IO, "%s", "a\nb\tc\x1b[31m\x7f");
    assert_string_equal(e.message, "a?b?c?[31m?");
}

/* A long message is cut between characters. */
static void cut(void **state)
{
    char text[600];
    size_t bad;
    rt_error e;
    for (size_t shift = 0; shift < 4; shift++) {
        memset(text, 'x', shift);
        for (size_t i = shift; i + 3 < sizeof text; i += 3)
            memcpy(text + i, "\xe2\x82\xac", 4);
        rt_fail(&e, RT_IO, "%s", text);
        assert_true(fl_utf8_ok(e.message, strlen(e.message), &bad));
        assert_in_range(strlen(e.message), sizeof e.message - 4, sizeof e.message - 1);
    }
}

static void statuses(void **state)
{
    assert_int_equal(rt_exit_status(RT_OK), FL_OK);
    assert_int_equal(rt_exit_status(RT_BAD_INPUT), FL_FINDINGS);
    assert_int_equal(rt_exit_status(RT_TAMPERED), FL_FINDINGS);
    assert_int_equal(rt_exit_status(RT_REFUSED), FL_FINDINGS);
    assert_int_equal(rt_exit_status(RT_NO_KEY), FL_COULD_NOT_RUN);
    assert_int_equal(rt_exit_status(RT_NOT_FOUND), FL_COULD_NOT_RUN);
    assert_int_equal(rt_exit_status(RT_CONFLICT), FL_COULD_NOT_RUN);
    assert_int_equal(rt_exit_status(RT_IO), FL_COULD_NOT_RUN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fills), cmocka_unit_test(wraps_itself), cmocka_unit_test(one_line),
        cmocka_unit_test(cut),   cmocka_unit_test(statuses),
    };
    return cmocka_run_group_tests_name("error", tests, NULL, NULL);
}
