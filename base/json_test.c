/* json_test.c: what is JSON, where its parts stand, and the writer. */
#include "base/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static fl_json *parse(fl_arena *a, const char *text, int flags)
{
    fl_json_error e;
    return fl_json_parse(a, text, strlen(text), flags, &e);
}

static void every_node_knows_its_place(void **state)
{
    static const char text[] = " {\"a\\n\": [1, -2.5e3, \"\\u00e9x\"], \"b\" : {}, \"t\":true,\"f\":false,\"n\":null} ";
    fl_arena *a = fl_arena_new();
    fl_json *j = parse(a, text, 0);
    assert_non_null(j);
    assert_int_equal(j->kind, FL_JOBJECT);
    assert_int_equal(j->from, 1);
    assert_int_equal(j->to, strlen(text) - 1);
    assert_int_equal(j->count, 5);
    const fl_json *list = fl_json_get(j, "a\n");
    assert_string_equal(fl_strndup(a, text + list->key_from, list->key_to - list->key_from), "\"a\\n\"");
    assert_string_equal(fl_strndup(a, text + list->from, list->to - list->from), "[1, -2.5e3, \"\\u00e9x\"]");
    const fl_json *number = list->child->next, *s = number->next;
    assert_string_equal(number->str, "-2.5e3");
    assert_string_equal(s->str, "\xc3\xa9x");
    assert_int_equal(s->len, 3);
    assert_string_equal(fl_strndup(a, text + s->from, s->to - s->from), "\"\\u00e9x\"");
    assert_true(fl_json_bool(j, "t", false));
    assert_false(fl_json_bool(j, "f", true));
    assert_true(fl_json_bool(j, "gone", true));
    assert_int_equal(fl_json_get(j, "n")->kind, FL_JNULL);
    assert_null(fl_json_str(j, "n"));
    assert_null(fl_json_get(list, "a"));
    fl_arena_free(a);
}

static void refused(void **state)
{
    static const char *const bad[] = {
        "",   "{",   "[1,]", "{\"a\":1,\"a\":2}", "{a:1}", "'x'",         "\"\\x\"", "\"\t\"",
        "01", "1 2", "nul",  "\"\\ud800\"",       "\xff",  "\"\xc0\xaf\""};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        fl_arena *a = fl_arena_new();
        fl_json_error e = {0};
        if (fl_json_parse(a, bad[i], strlen(bad[i]), 0, &e))
            fail_msg("`%s` passes as JSON", bad[i]);
        assert_true(e.message[0] && e.offset <= strlen(bad[i]));
        fl_arena_free(a);
    }
}

static void nul_only_where_allowed(void **state)
{
    fl_arena *a = fl_arena_new();
    assert_null(parse(a, "\"a\\u0000b\"", 0));
    fl_json *j = parse(a, "\"a\\u0000b\"", FL_JSON_ALLOW_NUL);
    assert_non_null(j);
    assert_int_equal(j->len, 3);
    assert_memory_equal(j->str, "a\0b", 4);
    fl_arena_free(a);
}

static void depth(void **state)
{
    char text[2 * FL_JSON_MAX_DEPTH + 8];
    for (int over = 0; over < 2; over++) {
        fl_arena *a = fl_arena_new();
        size_t n = FL_JSON_MAX_DEPTH + (size_t)over;
        memset(text, '[', n);
        memset(text + n, ']', n);
        text[2 * n] = 0;
        assert_int_equal(parse(a, text, 0) != NULL, !over);
        fl_arena_free(a);
    }
    fl_arena *a = fl_arena_new();
    char *deep = fl_alloc(a, 2000001);
    memset(deep, '[', 2000000);
    assert_null(parse(a, deep, 0)); /* and no stack is lost on it */
    fl_arena_free(a);
}

static void integers(void **state)
{
    fl_arena *a = fl_arena_new();
    int64_t v;
    fl_json *j = parse(
        a, "{\"a\":9223372036854775807,\"b\":-9223372036854775808,\"c\":1.0,\"d\":9223372036854775808,\"e\":\"1\"}", 0);
    assert_true(fl_json_int(j, "a", &v) && v == INT64_MAX);
    assert_true(fl_json_int(j, "b", &v) && v == INT64_MIN);
    assert_false(fl_json_int(j, "c", &v) || fl_json_int(j, "d", &v) || fl_json_int(j, "e", &v) ||
                 fl_json_int(j, "gone", &v));
    fl_arena_free(a);
}

static void writes(void **state)
{
    fl_buf b;
    fl_jw w;
    fl_buf_init(&b, 4096);
    fl_jw_init(&w, &b, true);
    fl_jw_object(&w);
    fl_jw_kstring(&w, "a\"b", "x\n\x01\xc3\xa9/");
    fl_jw_kint(&w, "n", -7);
    fl_jw_kbool(&w, "t", true);
    fl_jw_key(&w, "empty");
    fl_jw_array(&w);
    fl_jw_end_array(&w);
    fl_jw_key(&w, "list");
    fl_jw_array(&w);
    fl_jw_null(&w);
    fl_jw_string_n(&w, "a\0b", 3);
    fl_jw_end_array(&w);
    fl_jw_end_object(&w);
    assert_string_equal(b.p, "{\n  \"a\\\"b\": \"x\\n\\u0001\xc3\xa9/\",\n  \"n\": -7,\n  \"t\": true,\n  \"empty\": "
                             "[],\n  \"list\": [\n    null,\n    \"a\\u0000b\"\n  ]\n}");
    fl_buf_free(&b);
}

static void reprints(void **state)
{
    static const char text[] = "{\"z\":[1.50,\"\\u00e9\",{}],\"a\":null}";
    fl_arena *a = fl_arena_new();
    fl_buf b;
    fl_jw w;
    fl_buf_init(&b, 4096);
    fl_jw_init(&w, &b, false);
    fl_jw_node(&w, parse(a, text, 0));
    assert_string_equal(b.p, "{\"z\":[1.50,\"\xc3\xa9\",{}],\"a\":null}");
    fl_buf_free(&b);
    fl_arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_node_knows_its_place),
        cmocka_unit_test(refused),
        cmocka_unit_test(nul_only_where_allowed),
        cmocka_unit_test(depth),
        cmocka_unit_test(integers),
        cmocka_unit_test(writes),
        cmocka_unit_test(reprints),
    };
    return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
