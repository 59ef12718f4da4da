/* diag_test.c: places in texts, and diagnostics as text and JSON. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/base.h"

typedef struct env {
    fl_arena *a;
    fl_diags d;
    const fl_source *src;
} env;

static void open_env(env *e, const char *text)
{
    e->a = fl_arena_new();
    fl_diags_init(&e->d, e->a);
    e->src = fl_source_new(e->a, "p.flec", text, strlen(text));
}

static char *text_of(env *e, size_t limit, bool color)
{
    char *out = NULL;
    size_t n = 0;
    FILE *f = open_memstream(&out, &n);
    fl_diags_sort(&e->d);
    fl_diags_text(&e->d, f, limit, color);
    fclose(f);
    char *copy = fl_strdup(e->a, out);
    free(out);
    return copy;
}

static fl_span span(const env *e, const char *what)
{
    uint32_t at = (uint32_t)(strstr(e->src->text, what) - e->src->text);
    return (fl_span){e->src, at, at + (uint32_t)strlen(what)};
}

static void places(void **state)
{
    env e;
    unsigned line, column;
    open_env(&e, "a\n\xc3\xa9\xe4\xb8\xad"
                 "b\n\nend");
    fl_source_place(e.src, 0, &line, &column);
    assert_true(line == 1 && column == 1);
    fl_source_place(e.src, 7, &line, &column); /* b, behind two code points of 2 and 3 bytes */
    assert_true(line == 2 && column == 3);
    fl_source_place(e.src, 9, &line, &column);
    assert_true(line == 3 && column == 1);
    fl_source_place(e.src, 999, &line, &column); /* past the end: the end */
    assert_true(line == 4 && column == 4);
    fl_arena_free(e.a);
}

static void as_text(void **state)
{
    env e;
    open_env(&e, "topic t {\n  field ssn is PIII\n}\n");
    fl_diag *d = fl_diag_add(&e.d, "unknown-tag", FL_ERROR, span(&e, "PIII"), "there is no tag `%s`", "PIII");
    fl_diag_help(&e.d, d, "did you mean `%s`?", "PII");
    fl_diag_relate(&e.d, d, span(&e, "topic"), "in this topic");
    assert_string_equal(text_of(&e, 10, false), "p.flec:2:16: error: there is no tag `PIII` [unknown-tag]\n"
                                                "    2 |   field ssn is PIII\n"
                                                "      |                ^~~~\n"
                                                "   help: did you mean `PII`?\n"
                                                "   p.flec:1:1: note: in this topic\n"
                                                "    1 | topic t {\n"
                                                "      | ~~~~~\n");
    assert_non_null(strstr(text_of(&e, 10, true), "\x1b["));
    fl_arena_free(e.a);
}

static void wide_characters_and_long_ranges(void **state)
{
    env e;
    open_env(&e, "\xe4\xb8\xad\xe6\x96\x87 x \"a\nb\"\n");
    fl_diag_add(&e.d, "c", FL_WARNING, span(&e, "x"), "m");
    fl_diag_add(&e.d, "c", FL_WARNING, span(&e, "\"a\nb\""), "two lines");
    assert_string_equal(text_of(&e, 10, false), "p.flec:1:4: warning: m [c]\n"
                                                "    1 | \xe4\xb8\xad\xe6\x96\x87 x \"a\n"
                                                "      |      ^\n"
                                                "p.flec:1:6: warning: two lines [c]\n"
                                                "    1 | \xe4\xb8\xad\xe6\x96\x87 x \"a\n"
                                                "      |        ^~\n");
    fl_arena_free(e.a);
}

static void order_and_limit(void **state)
{
    env e;
    open_env(&e, "abcdefghijklmnopqrstuvwxyz\n");
    for (int i = 25; i >= 0; i--)
        fl_diag_add(&e.d, "c", i % 2 ? FL_ERROR : FL_WARNING, (fl_span){e.src, (uint32_t)i, (uint32_t)i + 1}, "n %d",
                    i);
    char *text = text_of(&e, 10, false);
    assert_non_null(strstr(text, "p.flec:1:10: "));
    assert_null(strstr(text, "p.flec:1:11: "));
    assert_non_null(strstr(text, "16 more"));
    assert_true(strstr(text, "n 0 ") < strstr(text, "n 9 "));
    assert_true(e.d.errors == 13 && e.d.warnings == 13);
    fl_arena_free(e.a);
}

static void as_json(void **state)
{
    env e;
    fl_buf b;
    fl_json_error err;
    open_env(&e, "one\ntwo \xc3\xa9\n");
    fl_diag *d = fl_diag_add(&e.d, "c", FL_ERROR, span(&e, "\xc3\xa9"), "quote \" and\nline");
    fl_diag_relate(&e.d, d, span(&e, "one"), "there");
    fl_diag_add(&e.d, "d", FL_WARNING, (fl_span){0}, "no place");
    fl_buf_init(&b, 1 << 20);
    fl_diags_json(&e.d, &b);
    const fl_json *j = fl_json_parse(e.a, b.p, b.len, 0, &err);
    assert_non_null(j);
    const fl_json *first = fl_json_get(j, "diagnostics")->child;
    int64_t v;
    assert_string_equal(fl_json_str(first, "message"), "quote \" and\nline");
    assert_true(fl_json_int(first, "line", &v) && v == 2);
    assert_true(fl_json_int(first, "column", &v) && v == 5);
    assert_true(fl_json_int(first, "endColumn", &v) && v == 6);
    assert_string_equal(fl_json_str(fl_json_get(first, "related")->child, "message"), "there");
    assert_int_equal(fl_json_get(first->next, "file")->kind, FL_JNULL);
    assert_true(fl_json_int(fl_json_get(j, "summary"), "errors", &v) && v == 1);
    fl_buf_free(&b);
    fl_arena_free(e.a);
}

/* What may be a secret is not in the excerpt. */
static void hidden(void **state)
{
    env e;
    open_env(&e, "password = \"hunter2\"\n");
    fl_diag_add(&e.d, "c", FL_ERROR, span(&e, "password"), "m");
    fl_diags_hide(&e.d, span(&e, "\"hunter2\""));
    char *text = text_of(&e, 10, false);
    assert_null(strstr(text, "hunter2"));
    assert_non_null(strstr(text, "password = "));
    fl_arena_free(e.a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(places),          cmocka_unit_test(as_text), cmocka_unit_test(wide_characters_and_long_ranges),
        cmocka_unit_test(order_and_limit), cmocka_unit_test(as_json), cmocka_unit_test(hidden),
    };
    return cmocka_run_group_tests_name("diag", tests, NULL, NULL);
}
