/* reference_test.c: docs/language.md holds what the tables say, and its examples are policies of this version in
 * canonical form. */
#include "lang/test_tools.h"

#include "lang/forms.h"
#include "lang/reference.h"

static void tables_are_current(void **state)
{
    fl_arena *a = fl_arena_new();
    char *text;
    size_t len;
    fl_buf out;
    read_file(a, "docs/language.md", &text, &len);
    fl_buf_init(&out, 1 << 20);
    assert_null(lang_reference_update(a, text, &out));
    if (out.len != len || memcmp(out.p, text, len) != 0)
        fail_msg("docs/language.md is not what the forms say: run `make reference`");
    fl_buf_free(&out);
    fl_arena_free(a);
}

/* Each kind of block has its table in the document. */
static void no_block_is_left_out(void **state)
{
    fl_arena *a = fl_arena_new();
    char *text;
    size_t len;
    read_file(a, "docs/language.md", &text, &len);
    for (int k = LANG_TOP; k < LANG_BKINDS; k++) {
        const char *mark = fl_printf(a, "<!-- forms: %s -->", lang_bkind_name((lang_bkind)k));
        if (k != LANG_ENV_TOPIC && !strstr(text, mark)) /* it has the name of another block, and no table of its own */
            fail_msg("docs/language.md has no `%s`", mark);
    }
    fl_arena_free(a);
}

static void wrong_documents(void **state)
{
    fl_arena *a = fl_arena_new();
    fl_buf out;
    fl_buf_init(&out, 1 << 20);
    assert_string_equal(lang_reference_update(a, "x\n<!-- forms: kekk -->\n<!-- end of forms -->\n", &out),
                        "there is no block `kekk`");
    assert_non_null(lang_reference_update(a, "x\n<!-- forms: kek -->\n", &out));
    fl_buf_clear(&out);
    assert_null(lang_reference_update(a, "x\n<!-- forms: kek -->\nold\n<!-- end of forms -->\ny\n", &out));
    assert_null(strstr(out.p, "old"));
    assert_non_null(strstr(out.p, "| `kms aws\\|azure\\|gcp\\|vault\\|local \"KEY-ID\"` **R** |"));
    assert_non_null(strstr(out.p, "<!-- end of forms -->\ny\n"));
    fl_buf_free(&out);
    fl_arena_free(a);
}

static void check_example(fl_arena *a, const char *text, size_t len)
{
    reading r = match_text(fl_strndup(a, text, len));
    if (!r.ok)
        fail_msg("an example of docs/language.md is refused: %s\n%.*s", messages(&r), (int)len, text);
    fl_arena_free(r.a);
    assert_string_equal(formatted(a, text, len), fl_strndup(a, text, len));
}

static void examples_hold(void **state)
{
    fl_arena *a = fl_arena_new();
    char *text;
    size_t len, n = 0;
    read_file(a, "docs/language.md", &text, &len);
    for (const char *p = text; (p = strstr(p, "```flec\n")) != NULL;) {
        p += strlen("```flec\n");
        const char *end = strstr(p, "```");
        assert_non_null(end);
        check_example(a, p, (size_t)(end - p));
        n++;
        p = end + 3;
    }
    assert_true(n >= 1);
    fl_arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tables_are_current),
        cmocka_unit_test(no_block_is_left_out),
        cmocka_unit_test(wrong_documents),
        cmocka_unit_test(examples_hold),
    };
    return cmocka_run_group_tests_name("lang/reference", tests, NULL, NULL);
}
