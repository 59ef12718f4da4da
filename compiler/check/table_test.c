/* table_test.c: the table of checks and what hangs on it: each row has its page, a case that triggers it and one that
 * nearly does; docs/checks/README.md is the table, down to a mark, and tests/problems.py keeps what follows.
 * `FLEC_UPDATE=1 table_test` writes that part anew. Run in the repository's root. */
#include "compiler/check/check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define README "docs/checks/README.md"
#define MARK   "<!-- end of checks -->\n"

static const char *waiver_text(chk_waiver w)
{
    return w == CHK_FREE ? "a reason is enough" : w == CHK_DATED ? "needs an end" : "never";
}

static void make_readme(fl_buf *out)
{
    size_t n;
    const chk_row *rows = chk_rows(&n);
    fl_buf_adds(out,
                "# Checks\n\nEvery check of this version, in the order of the table in the code "
                "(`compiler/check/table.c`), from which this page is made. Names and severities are part of "
                "the language:\nreports in JSON hold on to them. The column says what a waiver (`allow CHECK on …`, "
                "[the language](../language.md), section 10) takes.\n\n"
                "| check | severity | waiver | what it finds |\n|---|---|---|---|\n");
    for (size_t i = 0; i < n; i++)
        fl_buf_addf(out, "| [`%s`](%s.md) | %s | %s | %s |\n", rows[i].name, rows[i].name,
                    rows[i].severity == FL_ERROR ? "error" : "warning", waiver_text(rows[i].waiver), rows[i].doc);
    fl_buf_adds(out, MARK);
}

/* What follows the mark: somebody else's. */
static const char *rest_of(const char *text)
{
    const char *mark = strstr(text, MARK);
    assert_non_null(mark);
    return mark + strlen(MARK);
}

static void the_readme_is_the_table(void **state)
{
    fl_arena *a = fl_arena_new();
    fl_buf want;
    char *text;
    size_t n;
    fl_buf_init(&want, 1 << 20);
    assert_int_equal(fl_read_file(a, README, 1 << 20, &text, &n), 0);
    make_readme(&want);
    fl_buf_adds(&want, rest_of(text));
    if (getenv("FLEC_UPDATE"))
        assert_int_equal(fl_write_file(README, want.p, want.len, 0644, false), 0);
    else
        assert_string_equal(text, want.p);
    fl_buf_free(&want);
    fl_arena_free(a);
}

static void every_row_has_page_and_cases(void **state)
{
    fl_arena *a = fl_arena_new();
    size_t n;
    const chk_row *rows = chk_rows(&n);
    for (size_t i = 0; i < n; i++) {
        const char *files[] = {fl_printf(a, "docs/checks/%s.md", rows[i].name),
                               fl_printf(a, "compiler/check/cases/%s.case", rows[i].name),
                               fl_printf(a, "compiler/check/cases/%s-near.case", rows[i].name)};
        for (size_t k = 0; k < 3; k++)
            if (!fl_exists(files[k]))
                fail_msg("%s is missing", files[k]);
    }
    fl_arena_free(a);
}

/* The case must show the check's own name, the near miss must not: a case that no longer triggers it is no case. */
static void cases_show_their_check(void **state)
{
    size_t n;
    const chk_row *rows = chk_rows(&n);
    for (size_t i = 0; i < n; i++) {
        fl_arena *a = fl_arena_new();
        const char *mark = fl_printf(a, "[%s]", rows[i].name);
        char *text, *near;
        size_t len;
        assert_int_equal(
            fl_read_file(a, fl_printf(a, "compiler/check/cases/%s.case", rows[i].name), 1 << 20, &text, &len), 0);
        assert_int_equal(
            fl_read_file(a, fl_printf(a, "compiler/check/cases/%s-near.case", rows[i].name), 1 << 20, &near, &len), 0);
        if (!strstr(text, mark))
            fail_msg("%s.case does not show %s", rows[i].name, mark);
        if (strstr(near, mark))
            fail_msg("%s-near.case shows %s", rows[i].name, mark);
        fl_arena_free(a);
    }
}

static void every_page_has_a_row(void **state)
{
    fl_arena *a = fl_arena_new();
    char **paths;
    size_t n;
    assert_int_equal(fl_find_files(a, "docs/checks", ".md", &paths, &n), 0);
    for (size_t i = 0; i < n; i++) {
        const char *name = fl_strndup(a, strrchr(paths[i], '/') + 1, strlen(strrchr(paths[i], '/') + 1) - 3);
        if (strcmp(name, "README") && !chk_find(name))
            fail_msg("docs/checks/%s.md is of no check", name);
    }
    fl_arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_readme_is_the_table),
        cmocka_unit_test(every_row_has_page_and_cases),
        cmocka_unit_test(cases_show_their_check),
        cmocka_unit_test(every_page_has_a_row),
    };
    return cmocka_run_group_tests_name("table", tests, NULL, NULL);
}
